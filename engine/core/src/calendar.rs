//! Working days: the week of the place, less statutory holidays, plus make-up workdays.
//!
//! A [`Calendar`] is data with a first and a last year. Outside them results are marked
//! provisional and fall back to the plain week (dossier 3.3). It is made from a
//! [`CalendarDocument`]; [`Calendars`] holds one per region or centre and falls back from the
//! place to the region around it and at last to the nation. `count` holds the one rule by which
//! days are counted and suspensions left out, `explain` shows the same count day by day.
//! Nothing here reads a clock: whoever asks says what time it is.

mod count;
mod document;
mod error;
mod explain;
mod set;

use std::collections::BTreeMap;

use jiff::civil::Date;

pub use self::count::Stood;
pub use self::document::{CalendarDocument, DayKind, SpecialDay, Weekday};
pub use self::error::CalendarError;
pub use self::explain::{EXPLAINED_DAYS_MAX, ExplainedDay, Explanation, Why};
pub use self::set::Calendars;
use crate::digest::Digest;
use crate::limits;
use crate::time::{Moment, Period, Unit};

/// State Council notices of 2024 to 2026: `date,kind,name,source`.
const NATIONAL: &str = include_str!("../data/holidays.csv");

/// Code of the national calendar, the one that every place falls back to.
pub const NATIONAL_CODE: &str = "cn";

/// When a period ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Due {
    /// The last moment that is still in time.
    pub at: Moment,
    /// Whether the count left the loaded years.
    pub provisional: bool,
}

/// What a table says about one date.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Special {
    kind: DayKind,
    name: String,
    source: String,
}

/// A week and a table of special days, with a first and a last year.
#[derive(Clone, Debug)]
pub struct Calendar {
    code: String,
    name: String,
    version: String,
    days: BTreeMap<Date, Special>,
    /// Whether offices work, by weekday from Monday.
    week: [bool; 7],
    first_year: i16,
    last_year: i16,
    /// The working days of the loaded years, in order: deadlines are read from it at every
    /// commit of a case, and a walk day by day costs more than the rest of the read model.
    working: Vec<Date>,
}

impl Calendar {
    /// Returns the national calendar that ships with the engine.
    pub fn national() -> Self {
        Self::made_of(&CalendarDocument::national(), None)
    }

    /// Makes a calendar of a document that stands alone.
    ///
    /// # Errors
    ///
    /// When the document is wrong, or based on another one: see [`Calendars::of`].
    pub fn of(document: &CalendarDocument) -> Result<Self, CalendarError> {
        document.check()?;
        match &document.based_on {
            None => Ok(Self::made_of(document, None)),
            Some(base) => Err(CalendarError::BaseUnknown {
                calendar: document.code.clone(),
                base: base.clone(),
            }),
        }
    }

    /// Makes a calendar of a checked document and of the calendar that it is based on.
    fn made_of(document: &CalendarDocument, base: Option<&Self>) -> Self {
        let mut days = base.map_or_else(BTreeMap::new, |base| base.days.clone());
        for day in &document.days {
            let source = day.source.as_ref().unwrap_or(&document.source).clone();
            let special = Special { kind: day.kind, name: day.name.clone(), source };
            days.insert(day.date, special);
        }
        let week = match (&document.working_weekdays, base) {
            (Some(open), _) => Weekday::ALL.map(|weekday| open.contains(&weekday)),
            (None, Some(base)) => base.week,
            (None, None) => [true, true, true, true, true, false, false],
        };
        let mut made = Self {
            code: document.code.clone(),
            name: document.name.clone(),
            version: version_of(document, base),
            days,
            week,
            first_year: base.map_or(i16::MIN, |base| base.first_year).max(document.first_year),
            last_year: base.map_or(i16::MAX, |base| base.last_year).min(document.last_year),
            working: Vec::new(),
        };
        let first = Date::new(made.first_year, 1, 1).unwrap_or(Date::MAX);
        let all = first.series(jiff::Span::new().days(1));
        let all = all.take_while(|day| day.year() <= made.last_year);
        let working = all.filter(|day| made.is_working(*day)).collect();
        made.working = working;
        made
    }

    /// Returns how many working days of the loaded years come before or on `date`; nothing
    /// outside these years.
    fn rank(&self, date: Date) -> Option<usize> {
        let known = !self.is_unknown(date);
        known.then(|| self.working.partition_point(|day| *day <= date))
    }

    /// Returns the code, such as `cn`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the version, journaled wherever the calendar was read: the code and a digest of
    /// everything that the calendar says.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the first year whose holidays are known.
    pub fn first_year(&self) -> i16 {
        self.first_year
    }

    /// Returns the last year whose holidays are known.
    pub fn last_year(&self) -> i16 {
        self.last_year
    }

    /// Tells whether offices work on `date`.
    pub fn is_working(&self, date: Date) -> bool {
        match self.days.get(&date).map(|special| special.kind) {
            Some(DayKind::Holiday) => false,
            Some(DayKind::Workday) => true,
            None => self.is_open_weekday(date),
        }
    }

    /// Counts the working days after `from`, up to and including `until`.
    pub fn working_days(&self, from: Date, until: Date) -> u32 {
        if let (Some(before), Some(all)) = (self.rank(from), self.rank(until)) {
            return u32::try_from(all.saturating_sub(before)).unwrap_or(u32::MAX);
        }
        let mut day = from;
        let mut count = 0;
        while day < until {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            count += u32::from(self.is_working(day));
        }
        count
    }

    /// Counts the days of this calendar's years on which it does not say what `other` says.
    pub fn days_unlike(&self, other: &Self) -> usize {
        let first = Date::new(self.first_year, 1, 1).unwrap_or(Date::MAX);
        let days = first.series(jiff::Span::new().days(1));
        days.take_while(|day| day.year() <= self.last_year)
            .filter(|day| self.is_working(*day) != other.is_working(*day))
            .count()
    }

    /// Returns when a period from `since` is due, with `stood` working days of suspension added.
    /// Where the suspensions themselves are known, [`Calendar::due_with`] is exact.
    pub fn due(&self, since: Moment, period: Period, stood: u32) -> Due {
        let amount = period.amount.min(limits::PERIOD_AMOUNT_MAX);
        let stood = stood.min(limits::PERIOD_AMOUNT_MAX);
        let from = since.date();
        let at = match period.unit {
            Unit::WorkingDays => Moment::end_of(self.nth_working_day(from, amount + stood)),
            Unit::CalendarDays | Unit::Months => {
                let last = days_after(from, count::length_in_days(from, amount, period.unit));
                Moment::end_of(self.nth_working_day(last, stood))
            }
            Unit::Hours => self.add_millis(since, i64::from(amount) * 3_600_000, stood),
            Unit::Minutes => self.add_millis(since, i64::from(amount) * 60_000, stood),
        };
        self.due_at(since, at)
    }

    /// Tells whether a date lies outside the loaded years.
    fn is_unknown(&self, date: Date) -> bool {
        date.year() < self.first_year || date.year() > self.last_year
    }

    fn due_at(&self, since: Moment, at: Moment) -> Due {
        let provisional = self.is_unknown(since.date()) || self.is_unknown(at.date());
        Due { at, provisional }
    }

    fn is_open_weekday(&self, date: Date) -> bool {
        let index = usize::try_from(date.weekday().to_monday_zero_offset());
        index.is_ok_and(|index| self.week[index])
    }

    fn add_millis(&self, since: Moment, millis: i64, stood: u32) -> Moment {
        let at = since.plus_millis(millis);
        if stood == 0 {
            return at;
        }
        Moment::at(self.nth_working_day(at.date(), stood), at.time_of_day())
    }

    /// Returns the `n`th working day after `from`; for 0, `from` itself.
    fn nth_working_day(&self, from: Date, n: u32) -> Date {
        let Some(wanted) = n.checked_sub(1) else {
            return from;
        };
        let rank = self.rank(from).zip(usize::try_from(wanted).ok());
        let day = rank.and_then(|(rank, wanted)| self.working.get(rank + wanted));
        day.copied().unwrap_or_else(|| self.walked(from, n))
    }

    /// Walks to the `n`th working day after `from`, past the loaded years too.
    fn walked(&self, from: Date, n: u32) -> Date {
        let mut day = from;
        let mut left = n;
        while left > 0 {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            left -= u32::from(self.is_working(day));
        }
        day
    }
}

/// Returns the date `days` later, or the last one there is.
fn days_after(date: Date, days: i64) -> Date {
    let span = jiff::Span::new().try_days(days);
    span.and_then(|span| date.checked_add(span)).unwrap_or(Date::MAX)
}

fn version_of(document: &CalendarDocument, base: Option<&Calendar>) -> String {
    let mut content = document.canonical();
    if let Some(base) = base {
        content.extend_from_slice(base.version.as_bytes());
    }
    let digest = Digest::of(&content).hex();
    format!("{}@{}", document.code, &digest[..16])
}

#[cfg(test)]
mod tests;
