//! The Rhai host of Tongban, and the services and matters that ship with it.
//!
//! [`Host`] implements core's port [`tongban_core::port::Script`]: it loads closures, evaluates
//! predicates, and runs a matter's script over its journal. [`check()`] reads a script folder and
//! says what is wrong with it before anybody deploys it. Scripts are untrusted: start reading at
//! `sandbox`, then `suspend`, then `api`.

#![expect(clippy::unnecessary_box_returns, reason = "Rhai's functions fail with boxed errors")]

mod api;
pub mod check;
mod compile;
mod convert;
mod diagnose;
mod host;
mod levels;
mod load;
mod program;
pub mod rehearsal;
mod safe;
mod sandbox;
mod sources;
mod suspend;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trace;

pub use check::{Catalogue, Report, check};
pub use diagnose::{Both, Finding, Severity};
pub use host::{Host, ServiceChange};
pub use load::LoadError;
pub use suspend::Guard;
