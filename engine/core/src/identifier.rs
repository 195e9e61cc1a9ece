//! Identifiers that come from outside, as parsed types: strict on form, tolerant on history.
//!
//! Length, alphabet, dates and check characters are errors. What history has changed is a
//! [`Warning`]: a region code that is no longer in use, an inner organisation code of before
//! 2015, a prefix that the table does not know. Nothing here reads a clock: today is given.
//!
//! Start at [`identify`], which guesses the kind of a number in hand; each kind is a type of its
//! own with getters. The check algorithms live once, in `check`.

mod case_no;
mod check;
mod citizen;
mod credit;
mod flaw;
mod kind;
mod license;
mod matter_item;
mod project;
mod region;
#[cfg(test)]
mod tests;
mod verdict;
mod warning;

pub use self::case_no::{CASE_NO_MAX, CaseNo};
pub use self::check::{Alphabet, mod_37_36};
pub use self::citizen::{CitizenId, Sex};
pub use self::credit::CreditCode;
pub use self::flaw::{Flaw, IdentifierError};
pub use self::kind::Kind;
pub use self::license::LicenseId;
pub use self::matter_item::{MATTER_ITEM_CODE_MAX, MatterItemCode, MatterItemParts};
pub use self::project::{ProjectCode, ProjectPeriod};
pub use self::region::{Region, RegionLevel, RegionStanding, RegionTableError, Regions};
pub use self::verdict::{Part, Reader, Verdict, identify};
pub use self::warning::Warning;
