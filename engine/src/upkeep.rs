//! Keeping a store: is everything derived right, and can it be carried elsewhere.
//!
//! The log of each case is the truth. [`check`] refolds every log and compares what is stored
//! beside it; [`rebuild`] puts right what differs; both want a store that nobody else writes to.
//! [`backup`] cuts a store that may be at work at one commit; [`Backup`] verifies what was
//! written and fills a new store from it. [`export`] and [`import`] carry single cases, and a
//! [`Bundle`] can be looked at without a store. All of it works through
//! [`tongban_core::port::Upkeep`], on any store.

mod backup;
mod bundle;
mod check;
mod error;
mod manifest;
mod restore;
mod segment;
#[cfg(test)]
mod tests;

pub use self::backup::{Source, backup};
pub use self::bundle::{Bundle, Carried, CarriedCase, Which, export, import, write};
pub use self::check::{Difference, Family, Premises, Progress, Report, check, rebuild};
pub use self::error::CarryError;
pub use self::manifest::{Counts, Manifest};
pub use self::restore::{Backup, Target};
pub use self::segment::FileMark;
