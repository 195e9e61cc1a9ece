//! The stores: durable homes of cases, all with the guarantees of
//! [`tongban_core::port::Store`] and none with rules of its own.
//!
//! [`memory`] is the reference and serves tests; the others are compared with it. `sled` is the
//! default: one folder, one process. What every store needs in the same way lies beside them:
//! which commits are well formed (`check`), what a feed cursor has seen (`feed`), and the order
//! and paging of searches (`page`).

mod check;
#[cfg(feature = "sled")]
mod envelope;
mod feed;
pub mod memory;
mod page;
#[cfg(feature = "sled")]
pub mod sled;

pub use self::memory::MemoryStore;
#[cfg(feature = "sled")]
pub use self::sled::{OpenError, SledOptions, SledStore};
