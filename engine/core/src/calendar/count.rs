//! The one rule by which time is counted (dossier 3.2).
//!
//! * The day of the event does not count; a limit in days or months ends with its last day at
//!   24:00 Beijing time. A month ends on the day of the same number, or on the month's last day
//!   (民法典 §§201–202).
//! * A suspension freezes what is left: the day of the suspension is not consumed, and counting
//!   goes on with the next day after the day of the resumption. For a budget in working days
//!   that is the next working day; calendar days and months freeze calendar days; hours and
//!   minutes freeze exactly the time between the two moments.
//! * What several suspensions cover counts once. An open one counts as if it ended now; one that
//!   has not begun by now does not count yet. One that begins after the limit changes nothing.

use jiff::civil::Date;

use super::{Calendar, Due, days_after};
use crate::limits;
use crate::time::{Moment, Period, Unit};

/// A suspension of a clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stood {
    /// When it began.
    pub from: Moment,
    /// When it ended; nothing while it lasts.
    pub until: Option<Moment>,
}

impl Stood {
    /// Returns both ends as seen at `now`, or nothing when it has not begun.
    fn ends(self, now: Moment) -> Option<(Moment, Moment)> {
        match self.until {
            Some(until) => Some((self.from, until.max(self.from))),
            None => (self.from <= now).then_some((self.from, now)),
        }
    }
}

/// Whole days that a suspension freezes and that no earlier one froze.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FrozenDays {
    pub(super) first: Date,
    pub(super) last: Date,
    /// Position of the suspension in the caller's list.
    pub(super) index: usize,
}

/// Wall-clock time that a suspension freezes and that no earlier one froze.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FrozenTime {
    pub(super) from: Moment,
    pub(super) until: Moment,
    /// Position of the suspension in the caller's list.
    pub(super) index: usize,
}

impl Calendar {
    /// Returns when a clock is due that started at `since` with `budget`, was extended by `more`
    /// of the budget's own unit and was suspended as `stood` says, seen at `now`.
    ///
    /// The rule is at the head of this module. Amounts past the engine's limit count as the limit.
    #[expect(clippy::too_many_arguments, reason = "what the law names for one deadline")]
    pub fn due_with(
        &self,
        since: Moment,
        budget: Period,
        more: u32,
        stood: &[Stood],
        now: Moment,
    ) -> Due {
        let amount = amount_of(budget, more);
        let from = since.date();
        let at = match budget.unit {
            Unit::WorkingDays => {
                let frozen = frozen_days(from, stood, now);
                Moment::end_of(self.working_day_beside(from, amount, &frozen))
            }
            Unit::CalendarDays | Unit::Months => {
                let length = length_in_days(from, amount, budget.unit);
                Moment::end_of(day_beside(from, length, &frozen_days(from, stood, now)))
            }
            Unit::Hours | Unit::Minutes => {
                let millis = i64::from(amount) * millis_of(budget.unit);
                moment_beside(since, millis, &frozen_time(since, stood, now))
            }
        };
        self.due_at(since, at)
    }

    /// Returns how many units of `budget` are used up at `until`, which counts whole: the day of
    /// `until` is used. Open suspensions are seen at `until`. An overdue clock has used more than
    /// its budget.
    pub fn used(&self, since: Moment, budget: Period, stood: &[Stood], until: Moment) -> u32 {
        let (from, last) = (since.date(), until.date());
        match budget.unit {
            Unit::WorkingDays => {
                let frozen = frozen_days(from, stood, until);
                let stood = frozen.iter().map(|days| self.working_within(days, last)).sum();
                self.working_days(from, last).saturating_sub(stood)
            }
            Unit::CalendarDays => whole(running_days(from, last, &frozen_days(from, stood, until))),
            Unit::Months => {
                let days = running_days(from, last, &frozen_days(from, stood, until));
                months_within(from, days)
            }
            Unit::Hours | Unit::Minutes => {
                let frozen = frozen_time(since, stood, until);
                let stood: i64 =
                    frozen.iter().map(|time| time.until.min(until).since(time.from).max(0)).sum();
                whole((until.since(since).max(0) - stood) / millis_of(budget.unit))
            }
        }
    }

    /// Returns how many units of `budget`, extensions included, are left at `until`.
    pub fn remaining(&self, since: Moment, budget: Period, stood: &[Stood], until: Moment) -> u32 {
        budget.amount.saturating_sub(self.used(since, budget, stood, until))
    }

    /// Counts the working days among frozen ones, up to and including `until`.
    fn working_within(&self, days: &FrozenDays, until: Date) -> u32 {
        let before = days.first.yesterday().unwrap_or(Date::MIN);
        self.working_days(before, days.last.min(until))
    }

    /// Returns the `n`th working day after `from` that is not frozen; for 0, `from` itself.
    fn working_day_beside(&self, from: Date, n: u32, frozen: &[FrozenDays]) -> Date {
        if frozen.is_empty() {
            return self.nth_working_day(from, n);
        }
        let mut day = from;
        let mut left = n;
        let mut ahead = frozen.iter().peekable();
        while left > 0 {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            match ahead.next_if(|days| days.first <= day) {
                Some(days) => day = days.last,
                None => left -= u32::from(self.is_working(day)),
            }
        }
        day
    }
}

/// Returns the whole amount of a budget and its extension, within the engine's limits.
pub(super) fn amount_of(budget: Period, more: u32) -> u32 {
    budget.amount.min(limits::PERIOD_AMOUNT_MAX) + more.min(limits::PERIOD_AMOUNT_MAX)
}

/// Returns the days from `from` to the last day of that many days or months.
pub(super) fn length_in_days(from: Date, amount: u32, unit: Unit) -> i64 {
    match unit {
        Unit::Months => days_between(from, months_after(from, amount)),
        Unit::WorkingDays | Unit::CalendarDays | Unit::Hours | Unit::Minutes => i64::from(amount),
    }
}

/// Returns the milliseconds of one hour or minute, and of a day for the other units.
pub(super) fn millis_of(unit: Unit) -> i64 {
    match unit {
        Unit::Minutes => 60_000,
        Unit::Hours => 3_600_000,
        Unit::WorkingDays | Unit::CalendarDays | Unit::Months => 86_400_000,
    }
}

/// Returns the days that `stood` freezes after `from`, in order, each day once.
pub(super) fn frozen_days(from: Date, stood: &[Stood], now: Moment) -> Vec<FrozenDays> {
    let mut frozen = Vec::new();
    let mut covered = from;
    for (begins, ends, index) in in_order(stood, now) {
        let Ok(free) = covered.tomorrow() else { break };
        let (first, last) = (begins.date().max(free), ends.date());
        if first <= last {
            frozen.push(FrozenDays { first, last, index });
            covered = last;
        }
    }
    frozen
}

/// Returns the time that `stood` freezes after `since`, in order, each instant once.
pub(super) fn frozen_time(since: Moment, stood: &[Stood], now: Moment) -> Vec<FrozenTime> {
    let mut frozen = Vec::new();
    let mut covered = since;
    for (begins, until, index) in in_order(stood, now) {
        let from = begins.max(covered);
        if from < until {
            frozen.push(FrozenTime { from, until, index });
            covered = until;
        }
    }
    frozen
}

fn in_order(stood: &[Stood], now: Moment) -> Vec<(Moment, Moment, usize)> {
    let ends = stood
        .iter()
        .enumerate()
        .filter_map(|(index, stood)| stood.ends(now).map(|(from, until)| (from, until, index)));
    let mut ends: Vec<_> = ends.collect();
    ends.sort_unstable_by_key(|(from, _, index)| (*from, *index));
    ends
}

/// Returns the `n`th day after `from` that is not frozen.
fn day_beside(from: Date, n: i64, frozen: &[FrozenDays]) -> Date {
    let mut last = days_after(from, n);
    for days in frozen.iter().take_while(|_| n > 0) {
        if days.first > last {
            break;
        }
        last = days_after(last, days_between(days.first, days.last) + 1);
    }
    last
}

/// Returns the moment `millis` of running time after `since`.
fn moment_beside(since: Moment, millis: i64, frozen: &[FrozenTime]) -> Moment {
    let mut at = since.plus_millis(millis);
    for time in frozen {
        if time.from >= at {
            break;
        }
        at = at.plus_millis(time.until.since(time.from));
    }
    at
}

/// Counts the days after `from`, up to and including `until`, that are not frozen.
fn running_days(from: Date, until: Date, frozen: &[FrozenDays]) -> i64 {
    let stood: i64 = frozen
        .iter()
        .filter(|days| days.first <= until)
        .map(|days| days_between(days.first, days.last.min(until)) + 1)
        .sum();
    (days_between(from, until).max(0) - stood).max(0)
}

fn months_after(from: Date, months: u32) -> Date {
    let span = jiff::Span::new().try_months(i64::from(months));
    span.and_then(|span| from.checked_add(span)).unwrap_or(Date::MAX)
}

/// Returns how many whole months end within `days` days after `from`.
fn months_within(from: Date, days: i64) -> u32 {
    let until = days_after(from, days);
    let apart = 12 * (i32::from(until.year()) - i32::from(from.year()))
        + (i32::from(until.month()) - i32::from(from.month()));
    let months = u32::try_from(apart).unwrap_or(0);
    if months_after(from, months) <= until { months } else { months.saturating_sub(1) }
}

pub(super) fn days_between(from: Date, until: Date) -> i64 {
    i64::from((until - from).get_days())
}

fn whole(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(if count < 0 { 0 } else { u32::MAX })
}
