//! The shipped notices, written down a second time: the ranges as the State Council gives them.

use super::*;

/// Year, days off as `MM-DD` or `MM-DD…MM-DD`, days worked instead.
const NOTICES: [(i16, &str, &str); 3] = [
    (
        2024,
        "01-01 02-10…02-17 04-04…04-06 05-01…05-05 06-10 09-15…09-17 10-01…10-07",
        "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    ),
    (
        2025,
        "01-01 01-28…02-04 04-04…04-06 05-01…05-05 05-31…06-02 10-01…10-08",
        "01-26 02-08 04-27 09-28 10-11",
    ),
    (
        2026,
        "01-01…01-03 02-15…02-23 04-04…04-06 05-01…05-05 06-19…06-21 09-25…09-27 10-01…10-07",
        "01-04 02-14 02-28 05-09 09-20 10-10",
    ),
];

/// Reads days and ranges of days of a year.
fn days(year: i16, texts: &str) -> Vec<Date> {
    let day = |text: &str| -> Date { format!("{year}-{text}").parse().unwrap() };
    let all = texts.split_whitespace().flat_map(|text| {
        let (from, until) = text.split_once('…').unwrap_or((text, text));
        let (from, until) = (day(from), day(until));
        assert!(from <= until, "{text}");
        std::iter::successors(Some(from), |day| day.tomorrow().ok())
            .take_while(move |day| *day <= until)
    });
    all.collect()
}

#[test]
fn offices_work_and_rest_on_the_days_that_the_notices_name_and_on_no_other_day_than_usual() {
    let calendar = Calendar::national();
    for (year, off, instead) in NOTICES {
        let (off, instead) = (days(year, off), days(year, instead));
        let mut day = Date::constant(year, 1, 1);
        while day.year() == year {
            let weekend = matches!(
                day.weekday(),
                jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
            );
            let works = instead.contains(&day) || (!weekend && !off.contains(&day));
            assert_eq!(calendar.is_working(day), works, "{day}");
            day = day.tomorrow().unwrap();
        }
        assert!(instead.iter().all(|day| !off.contains(day)), "{year}");
    }
}

#[test]
fn the_shipped_table_names_exactly_those_days() {
    let document = CalendarDocument::national();
    let named = |kind: DayKind| -> Vec<Date> {
        document.days.iter().filter(|day| day.kind == kind).map(|day| day.date).collect()
    };
    let told = |which: fn(&(i16, &'static str, &'static str)) -> &'static str| -> Vec<Date> {
        NOTICES.iter().flat_map(|notice| days(notice.0, which(notice))).collect()
    };
    assert_eq!(named(DayKind::Holiday), told(|notice| notice.1));
    assert_eq!(named(DayKind::Workday), told(|notice| notice.2));
}
