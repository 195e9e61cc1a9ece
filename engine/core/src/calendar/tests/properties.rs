//! What holds for every clock, against a count that walks day by day over a set.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000;
/// 2025-01-01T00:00:00+08:00.
const YEAR_2025: i64 = 1_735_660_800_000;

fn national() -> &'static Calendar {
    static NATIONAL: LazyLock<Calendar> = LazyLock::new(Calendar::national);
    &NATIONAL
}

#[derive(Clone, Debug)]
struct Clock {
    since: Moment,
    budget: Period,
    more: u32,
    stood: Vec<Stood>,
    now: Moment,
}

impl Clock {
    fn due(&self) -> Due {
        let Self { since, budget, more, stood, now } = self;
        national().due_with(*since, *budget, *more, stood, *now)
    }

    fn explained(&self) -> Explanation {
        let Self { since, budget, more, stood, now } = self;
        national().explain(*since, *budget, *more, stood, *now)
    }

    fn amount(&self) -> u32 {
        self.budget.amount + self.more
    }
}

fn moments() -> impl Strategy<Value = Moment> {
    (0..600 * DAY).prop_map(|millis| Moment::from_millis(YEAR_2025 + millis))
}

fn suspensions() -> impl Strategy<Value = Stood> {
    (moments(), proptest::option::weighted(0.8, 0..40 * DAY)).prop_map(|(from, length)| Stood {
        from,
        until: length.map(|length| from.plus_millis(length)),
    })
}

fn units() -> impl Strategy<Value = Unit> {
    use Unit::{CalendarDays, Hours, Minutes, Months, WorkingDays};
    prop_oneof![
        5 => Just(WorkingDays),
        1 => prop_oneof![Just(CalendarDays), Just(Hours), Just(Minutes), Just(Months)],
    ]
}

fn clocks() -> impl Strategy<Value = Clock> {
    let budget = (0_u32..60, units()).prop_map(|(amount, unit)| Period { amount, unit });
    let stood = proptest::collection::vec(suspensions(), 0..5);
    (moments(), budget, 0_u32..20, stood, moments())
        .prop_map(|(since, budget, more, stood, now)| Clock { since, budget, more, stood, now })
}

fn working_clocks() -> impl Strategy<Value = Clock> {
    clocks().prop_map(|mut clock| {
        clock.budget.unit = Unit::WorkingDays;
        clock
    })
}

/// Every date that a suspension touches.
fn touched(clock: &Clock) -> BTreeSet<Date> {
    let mut dates = BTreeSet::new();
    for stood in &clock.stood {
        let until = stood.until.unwrap_or(clock.now);
        let mut day = stood.from.date();
        while day <= until.date() && (stood.until.is_some() || stood.from <= clock.now) {
            dates.insert(day);
            day = day.tomorrow().unwrap();
        }
    }
    dates
}

/// Walks over working days that no suspension touches.
fn walked(clock: &Clock) -> Date {
    let (calendar, touched) = (national(), touched(clock));
    let mut day = clock.since.date();
    let mut counted = 0;
    while counted < clock.amount() {
        day = day.tomorrow().unwrap();
        counted += u32::from(calendar.is_working(day) && !touched.contains(&day));
    }
    day
}

proptest! {
    #[test]
    fn working_days_are_those_that_no_suspension_touches(clock in working_clocks()) {
        prop_assert_eq!(clock.due().at, Moment::end_of(walked(&clock)));
    }

    #[test]
    fn a_suspended_clock_is_due_its_suspended_working_days_later(clock in working_clocks()) {
        let calendar = national();
        let due = clock.due();
        let from = clock.since.date();
        let inside = |date: &&Date| **date > from && **date <= due.at.date();
        let stood = touched(&clock).iter().filter(inside).filter(|date| calendar.is_working(**date)).count();
        let whole = Period { amount: clock.amount(), unit: Unit::WorkingDays };
        prop_assert_eq!(calendar.due(clock.since, whole, u32::try_from(stood).unwrap()), due);
    }

    #[test]
    fn a_larger_budget_is_never_due_earlier(clock in clocks(), more in 0_u32..5) {
        let mut larger = clock.clone();
        larger.budget.amount += more;
        prop_assert!(clock.due().at <= larger.due().at);
        prop_assert_eq!(larger.due(), Clock { more: clock.more + more, ..clock }.due());
    }

    // A month has as many days as its start gives it, and a suspension may touch a day that only
    // the longer one counts: the order of starts then says nothing.
    #[test]
    fn a_later_start_is_never_due_earlier(clock in clocks(), later in 0..50 * DAY) {
        prop_assume!(clock.budget.unit != Unit::Months || clock.stood.is_empty());
        let moved = Clock { since: clock.since.plus_millis(later), ..clock.clone() };
        prop_assert!(clock.due().at <= moved.due().at);
    }

    #[test]
    fn a_further_suspension_never_makes_it_due_earlier(clock in clocks(), further in suspensions()) {
        let mut longer = clock.clone();
        longer.stood.push(further);
        prop_assert!(clock.due().at <= longer.due().at);
    }

    #[test]
    fn the_order_of_suspensions_does_not_matter(clock in clocks()) {
        let mut turned = clock.clone();
        turned.stood.reverse();
        prop_assert_eq!(clock.due(), turned.due());
    }

    #[test]
    fn what_is_explained_adds_up_to_the_budget(clock in clocks()) {
        let explained = clock.explained();
        prop_assert_eq!(explained.due, clock.due());
        let counted: i64 = explained.days.iter().filter(|day| day.counted).map(|day| day.amount).sum();
        let amount = i64::from(clock.amount());
        let from = clock.since.date();
        let wanted = match clock.budget.unit {
            Unit::WorkingDays | Unit::CalendarDays => amount,
            Unit::Months => count::length_in_days(from, clock.amount(), Unit::Months),
            Unit::Hours => amount * 3_600_000,
            Unit::Minutes => amount * 60_000,
        };
        prop_assert_eq!(counted, wanted);
        prop_assert_eq!(explained.days.last().map_or(0, |day| day.total), wanted);
    }

    #[test]
    fn explained_days_follow_each_other_without_a_gap(clock in clocks()) {
        let days = clock.explained().days;
        for (day, next) in days.iter().zip(days.iter().skip(1)) {
            prop_assert!(day.last.tomorrow().unwrap() == next.date || day.last == next.date);
            prop_assert!(day.date <= day.last);
        }
    }

    #[test]
    fn used_and_left_make_up_the_budget(clock in clocks(), until in moments()) {
        let calendar = national();
        let budget = Period { amount: clock.amount(), ..clock.budget };
        let used = calendar.used(clock.since, budget, &clock.stood, until);
        let left = calendar.remaining(clock.since, budget, &clock.stood, until);
        prop_assert_eq!(used.min(budget.amount) + left, budget.amount);
    }

    #[test]
    fn a_clock_is_used_up_on_the_day_that_it_is_due(clock in clocks()) {
        let calendar = national();
        let closed: Vec<_> = clock.stood.iter().copied().filter(|stood| stood.until.is_some()).collect();
        let clock = Clock { stood: closed, ..clock };
        let budget = Period { amount: clock.amount(), ..clock.budget };
        prop_assume!(budget.amount > 0);
        let at = clock.due().at;
        prop_assert_eq!(calendar.used(clock.since, budget, &clock.stood, at), budget.amount);
        let before = calendar.used(clock.since, budget, &clock.stood, at.plus_millis(-DAY.min(at.since(clock.since))));
        prop_assert!(before < budget.amount);
    }
}
