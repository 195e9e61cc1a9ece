//! Working days: Monday to Friday, less statutory holidays, plus make-up workdays.
//!
//! The table is data with an end. Past its last year results are marked provisional and fall
//! back to Monday to Friday (dossier 3.3). The day of the event does not count (民法典 §201);
//! a limit in days ends at the end of its last day, Beijing time.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};

use crate::limits;
use crate::time::{Moment, Period, Unit};

/// State Council notices of 2024 to 2026: `date,kind,name`.
const NATIONAL: &str = include_str!("../data/holidays.csv");

/// What a day of the table is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Special {
    /// A holiday, whatever the weekday.
    Off,
    /// A workday, though it lies on a weekend.
    On,
}

/// When a period ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Due {
    /// The last moment that is still in time.
    pub at: Moment,
    /// Whether the count went past the last loaded year.
    pub provisional: bool,
}

/// A table of special days with an end.
#[derive(Clone, Debug)]
pub struct Calendar {
    days: BTreeMap<Date, Special>,
    last_year: i16,
    version: String,
}

/// A table that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "节假日表第 {line} 行无法读取:{text:?} / cannot read line {line} of the holiday table: {text:?}"
)]
pub struct CalendarError {
    /// Line, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
}

impl Calendar {
    /// Returns the national calendar that ships with the engine.
    pub fn national() -> Self {
        Self::from_csv(NATIONAL, "cn-2024-2026").expect("the shipped table is tested")
    }

    /// Reads a table of `date,kind,name` lines under a header; `kind` is `holiday` or `workday`.
    pub fn from_csv(csv: &str, version: &str) -> Result<Self, CalendarError> {
        let mut days = BTreeMap::new();
        for (index, line) in csv.lines().enumerate().skip(1) {
            let error = || CalendarError { line: index + 1, text: line.to_owned() };
            let mut cells = line.split(',');
            let date: Date = cells.next().unwrap_or("").parse().map_err(|_| error())?;
            let special = match cells.next() {
                Some("holiday") => Special::Off,
                Some("workday") => Special::On,
                _ => return Err(error()),
            };
            days.insert(date, special);
        }
        let last_year = days.last_key_value().map_or(i16::MIN, |(date, _)| date.year());
        Ok(Self { days, last_year, version: version.to_owned() })
    }

    /// Returns the table's version, journaled wherever it was read.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Tells whether offices work on `date`.
    pub fn is_working(&self, date: Date) -> bool {
        match self.days.get(&date) {
            Some(Special::Off) => false,
            Some(Special::On) => true,
            None => !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
        }
    }

    /// Counts the working days after `from`, up to and including `until`.
    pub fn working_days(&self, from: Date, until: Date) -> u32 {
        let mut day = from;
        let mut count = 0;
        while day < until {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            count += u32::from(self.is_working(day));
        }
        count
    }

    /// Returns when a period from `since` is due, with `stood` working days of suspension added.
    pub fn due(&self, since: Moment, period: Period, stood: u32) -> Due {
        let amount = period.amount.min(limits::PERIOD_AMOUNT_MAX);
        let stood = stood.min(limits::PERIOD_AMOUNT_MAX);
        let at = match period.unit {
            Unit::WorkingDays => Moment::end_of(self.nth_working_day(since.date(), amount + stood)),
            Unit::CalendarDays => {
                let days = jiff::Span::new().days(i64::from(amount));
                let last = since.date().checked_add(days).unwrap_or(Date::MAX);
                Moment::end_of(self.nth_working_day(last, stood))
            }
            Unit::Hours => self.add_millis(since, i64::from(amount) * 3_600_000, stood),
            Unit::Minutes => self.add_millis(since, i64::from(amount) * 60_000, stood),
        };
        Due { at, provisional: at.date().year() > self.last_year }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accepted: &str, period: &str, due: &str) {
        let since = Moment::parse(&format!("{accepted}T15:30:00+08:00")).unwrap();
        let got = Calendar::national().due(since, period.parse().unwrap(), 0);
        assert_eq!(got.at.date().to_string(), due, "{accepted} + {period}");
        assert!(!got.provisional);
    }

    #[test]
    fn worked_examples_of_the_dossier() {
        check("2026-02-12", "5 working days", "2026-02-26");
        check("2026-09-18", "5 working days", "2026-09-24");
        check("2026-09-30", "1 working day", "2026-10-08");
        check("2026-09-30", "20 working days", "2026-11-03");
        check("2025-09-26", "3 working days", "2025-09-30");
        check("2026-09-30", "10 calendar days", "2026-10-10");
    }

    #[test]
    fn years_have_the_published_number_of_working_days() {
        let calendar = Calendar::national();
        for (year, days) in [(2024, 251), (2025, 248), (2026, 248)] {
            let from = Date::new(year - 1, 12, 31).unwrap();
            let until = Date::new(year, 12, 31).unwrap();
            assert_eq!(calendar.working_days(from, until), days, "{year}");
        }
    }

    #[test]
    fn past_the_last_loaded_year_results_are_provisional() {
        let since = Moment::parse("2026-12-30T09:00:00+08:00").unwrap();
        let due = Calendar::national().due(since, "5 working days".parse().unwrap(), 0);
        assert!(due.provisional);
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = Calendar::from_csv("date,kind,name\n2026-01-01,feast,x", "t").unwrap_err();
        assert_eq!(error.line, 2);
    }
}
