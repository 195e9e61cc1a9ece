//! The worked examples of the sources, counted twice: by the wall calendar and by the engine.

use jiff::civil::{Date, date};
use tongban_core::definition::{Limits, Regime};
use tongban_core::law::{Act, ActKind, ClockKind, Law, Rules};
use tongban_core::time::{Moment, Period, Unit};

use crate::{CALENDAR, DAYS};

fn working(amount: u32) -> Period {
    Period { amount, unit: Unit::WorkingDays }
}

/// At ten in the morning.
fn morning(day: Date) -> Moment {
    Moment::at(day, jiff::civil::time(10, 0, 0, 0))
}

#[test]
fn the_wall_calendar_has_as_many_working_days_as_the_notices_give() {
    assert_eq!([2024, 2025, 2026].map(|year| DAYS.of_year(year)), [251, 248, 248]);
}

#[test]
fn worked_examples_are_counted_alike() {
    let examples = [
        (date(2026, 2, 12), 5, date(2026, 2, 26)),
        (date(2026, 9, 18), 5, date(2026, 9, 24)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 20, date(2026, 11, 3)),
        (date(2025, 9, 26), 3, date(2025, 9, 30)),
    ];
    for (accepted, days, due) in examples {
        let end = DAYS.end(morning(accepted), working(days), 0, &[]);
        assert_eq!(end.at.date(), due, "by the wall, from {accepted}");
        let limits = Limits { statutory: None, promised: Some(working(days)) };
        let mut law = Law::planned(morning(accepted));
        assert!(law.file(morning(accepted), Rules::of(Regime::Registration, limits)));
        for kind in [ActKind::Receive, ActKind::Accept] {
            assert!(law.apply(&Act::new(kind, morning(accepted), "")));
        }
        let clock = law.running(ClockKind::Promised).expect("accepted matters have a promise");
        let counted = law.due(clock, &CALENDAR, morning(accepted));
        assert_eq!((counted.at, counted.provisional), (end.at, end.provisional), "{accepted}");
        assert_eq!(
            counted.at,
            Moment::parse(&format!("{due}T23:59:59.999+08:00")).expect("a time")
        );
    }
}
