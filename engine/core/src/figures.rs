//! Figures: what leaders ask about cases, recomputed from the log as of any moment (dossier 9.3,
//! 11).
//!
//! [`CaseFigures::of_log`] folds the prefix of one log that was recorded by a moment, and counts
//! what took effect in a span. [`Figures`] adds them up by region, department, service and
//! month. Everything in them is a sum, so that shards add up; rates are derived where they are
//! shown. The same log, calendar and span give the same numbers, whoever counts and whenever.
//!
//! Start at [`Sums`] for what is counted, and when; `count` is how. Ratings are not in the log.

mod count;
mod stuck;
mod sums;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::definition::Closure;
use crate::id::{DepartmentCode, RegionCode, ServiceCode};
use crate::schedule::Reading;
use crate::time::Moment;

pub use self::count::CaseFigures;
pub use self::stuck::{Stuck, Waiting};
pub use self::sums::{CardSums, Exemption, Kept, Share, Sums, Used};

/// The stretch of time that is asked about, both ends included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    /// From when; from the beginning when none is given.
    pub from: Option<Moment>,
    /// Until when; also the moment as of which states are told.
    pub until: Moment,
}

impl Span {
    /// Tells whether something that took effect at `at` is asked about.
    pub fn holds(&self, at: Moment) -> bool {
        self.from.is_none_or(|from| from <= at) && at <= self.until
    }
}

/// What a count is made from, beside the log.
#[derive(Clone, Copy)]
pub struct Basis<'a> {
    /// Calendars and rules; the span says what time it is.
    pub reading: Reading<'a>,
    /// The span.
    pub span: Span,
    /// The closure of the case, for the design rate; without it none is counted.
    pub closure: Option<&'a Closure>,
}

/// A calendar month in Beijing.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: i8,
}

impl Month {
    /// Returns the month of a moment.
    pub fn of(at: Moment) -> Self {
        let date = at.date();
        Self { year: date.year(), month: date.month() }
    }
}

impl fmt::Display for Month {
    /// Writes `2026-03`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// What sums are kept apart by.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Bucket {
    /// Where the case was filed.
    pub region: RegionCode,
    /// Whose matter it is; the lead department for what concerns the case as a whole.
    pub department: DepartmentCode,
    /// The service.
    pub service: ServiceCode,
    /// When it happened.
    pub month: Month,
}

/// Figures of many cases.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// The sums, kept apart.
    pub rows: BTreeMap<Bucket, Sums>,
    /// Who is waited for: party and name, with what waits.
    pub waiting: BTreeMap<(&'static str, String), Waiting>,
}

impl Figures {
    /// Adds one case, but only what belongs to a wanted department.
    pub fn add_case(&mut self, case: &CaseFigures, wanted: impl Fn(&DepartmentCode) -> bool) {
        for (bucket, sums) in case.rows.iter().filter(|(bucket, _)| wanted(&bucket.department)) {
            self.rows.entry(bucket.clone()).or_default().add(sums);
        }
        for stuck in case.stuck.iter().filter(|stuck| wanted(&stuck.department)) {
            let key = (stuck.party.code(), stuck.who.clone());
            self.waiting.entry(key).or_default().add(&Waiting::of(stuck));
        }
    }

    /// Adds the figures of another shard.
    pub fn add(&mut self, other: &Self) {
        for (bucket, sums) in &other.rows {
            self.rows.entry(bucket.clone()).or_default().add(sums);
        }
        for (key, waiting) in &other.waiting {
            self.waiting.entry(key.clone()).or_default().add(waiting);
        }
    }

    /// Returns the sum of everything.
    pub fn total(&self) -> Sums {
        let mut total = Sums::default();
        for sums in self.rows.values() {
            total.add(sums);
        }
        total
    }

    /// Returns the sums by one part of the bucket.
    pub fn by<K: Ord>(&self, part: impl Fn(&Bucket) -> K) -> BTreeMap<K, Sums> {
        let mut parts: BTreeMap<K, Sums> = BTreeMap::new();
        for (bucket, sums) in &self.rows {
            parts.entry(part(bucket)).or_default().add(sums);
        }
        parts
    }
}
