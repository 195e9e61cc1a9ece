//! The stores: durable homes of cases, all with the guarantees of
//! [`tongban_core::port::Store`] and none with rules of its own.
//!
//! [`memory`] is the reference and serves tests; the others are compared with it. What every
//! store needs in the same way lies beside them: which commits are well formed (`check`), what a
//! feed cursor has seen (`feed`), and the order and paging of searches (`page`).

mod check;
mod feed;
pub mod memory;
mod page;

pub use self::memory::MemoryStore;
