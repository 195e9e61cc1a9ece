//! Days as a clerk with a wall calendar counts them: one after the other.
//!
//! Nothing here uses the engine's calendar but the notices' table itself. Every day of six
//! years is written into a set when offices work on it; a period is walked day by day, hours
//! from stop to stop. Slow, and hard to get wrong.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};
use tongban_core::time::{Moment, Period, Unit};

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;

/// The working days of the loaded years, and the plain weeks of those beside them.
pub(crate) struct Days {
    working: BTreeSet<Date>,
}

/// From when until when a clock stood still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Still {
    pub(crate) from: Moment,
    pub(crate) until: Moment,
}

/// Whole days of a walk, and whether it left the years with a notice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct End {
    pub(crate) at: Moment,
    pub(crate) provisional: bool,
}

impl Days {
    /// Marks the days of 2023 to 2028: what is dated back before the first notice, and what is due
    /// past the last one, counts plain weeks.
    pub(crate) fn of_the_notices() -> Self {
        let mut working = BTreeSet::new();
        let mut day = date(2023, 1, 1);
        while day.year() < 2029 {
            if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                working.insert(day);
            }
            day = next(day);
        }
        for row in include_str!("../../data/holidays.csv").lines().skip(1) {
            let mut cells = row.split(',');
            let day: Date = cells.next().expect("a date").parse().expect("a date");
            match cells.next().expect("a kind") {
                "holiday" => working.remove(&day),
                _ => working.insert(day),
            };
        }
        Self { working }
    }

    /// Counts the working days of a year.
    pub(crate) fn of_year(&self, year: i16) -> usize {
        self.working.iter().filter(|day| day.year() == year).count()
    }

    /// Walks `budget` and `more` of its units from `since`, leaving out what stood still.
    pub(crate) fn end(&self, since: Moment, budget: Period, more: u32, stills: &[Still]) -> End {
        let amount = budget.amount + more;
        let counts = |day: Date| budget.unit != Unit::WorkingDays || self.working.contains(&day);
        let first = since.date();
        let at = match budget.unit {
            Unit::WorkingDays | Unit::CalendarDays => {
                Moment::end_of(walk(first, amount, stills, counts))
            }
            Unit::Months => {
                Moment::end_of(walk(first, days_of_months(first, amount), stills, counts))
            }
            Unit::Hours => minutes(since, amount * 60, stills),
            Unit::Minutes => minutes(since, amount, stills),
        };
        let is_known = |day: Date| (2024..=2026).contains(&day.year());
        End { at, provisional: !is_known(first) || !is_known(at.date()) }
    }
}

/// Walks `amount` days that count and did not stand still. The first day does not count; the
/// day of a suspension and the day of the resumption both stand still.
fn walk(first: Date, amount: u32, stills: &[Still], counts: impl Fn(Date) -> bool) -> Date {
    let stood = |day: Date| {
        stills.iter().any(|still| still.from.date() <= day && day <= still.until.date())
    };
    let mut day = first;
    let mut counted = 0;
    while counted < amount {
        day = next(day);
        if counts(day) && !stood(day) {
            counted += 1;
        }
    }
    day
}

/// Walks minutes of the wall clock: from where one stands to where the clock next stops, and over
/// what stood still. A stop may begin within a minute; what is left of that minute counts.
fn minutes(since: Moment, amount: u32, stills: &[Still]) -> Moment {
    let mut at = since;
    let mut left = i64::from(amount) * MINUTE;
    while left > 0 {
        if let Some(still) = stills.iter().find(|still| still.from <= at && at < still.until) {
            at = still.until;
            continue;
        }
        let stops = stills.iter().map(|still| still.from).filter(|from| *from > at);
        let step = stops.min().map_or(left, |from| left.min(from.since(at)));
        at = at.plus_millis(step);
        left -= step;
    }
    at
}

/// Counts the days to the day of the same number, or to the last one of a shorter month.
fn days_of_months(first: Date, months: u32) -> u32 {
    let last = first.saturating_add(i64::from(months).months());
    let mut day = first;
    let mut days = 0;
    while day < last {
        day = next(day);
        days += 1;
    }
    days
}

fn next(day: Date) -> Date {
    day.tomorrow().expect("the walk stays among days")
}
