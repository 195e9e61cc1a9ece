//! When clocks are due, and what they have used.

use super::*;

const NOW: &str = "2026-03-31";

/// Checks the due date of a budget, by the plain count and by the one with suspensions.
#[track_caller]
fn check(since: &str, budget: &str, due: &str) {
    let calendar = Calendar::national();
    let plain = calendar.due(at(since), period(budget), 0);
    assert_eq!(plain.at.date().to_string(), due, "{since} + {budget}");
    assert!(!plain.provisional);
    assert_eq!(calendar.due_with(at(since), period(budget), 0, &[], at(NOW)), plain);
}

/// Checks the due moment of a clock that was suspended.
#[track_caller]
fn check_stood(since: &str, budget: &str, suspensions: &[&str], due: &str) {
    let calendar = Calendar::national();
    let got = calendar.due_with(at(since), period(budget), 0, &stood(suspensions), at(NOW));
    let got = got.at.to_string();
    let got = got.strip_suffix("T23:59:59.999+08:00").unwrap_or(&got);
    assert_eq!(got, due, "{since} + {budget} beside {suspensions:?}");
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
fn an_event_on_a_holiday_counts_from_the_next_working_day() {
    check("2026-10-03", "1 working day", "2026-10-08");
    check("2026-02-21", "1 working day", "2026-02-24");
    check("2026-02-14", "1 working day", "2026-02-24");
}

#[test]
fn the_hour_of_the_event_does_not_matter_to_days() {
    for hour in ["00:00:00", "23:59:59"] {
        check(&format!("2026-03-02T{hour}+08:00"), "1 working day", "2026-03-03");
    }
    check("2026-03-01T16:00:00Z", "1 working day", "2026-03-03");
}

#[test]
fn months_end_on_their_day_or_on_the_last_of_a_shorter_month() {
    check("2026-01-15", "1 month", "2026-02-15");
    check("2026-01-31", "1 month", "2026-02-28");
    check("2024-01-31", "1 month", "2024-02-29");
    check("2025-12-31", "6 months", "2026-06-30");
    check("2024-02-29", "12 months", "2025-02-28");
}

#[test]
fn hours_run_over_midnight_and_holidays() {
    check_stood("2026-09-30T22:30:00+08:00", "4 hours", &[], "2026-10-01T02:30:00+08:00");
    check_stood("2026-09-30T23:45:00+08:00", "30 minutes", &[], "2026-10-01T00:15:00+08:00");
}

#[test]
fn a_suspension_freezes_its_first_day_and_the_day_of_the_resumption() {
    check_stood("2026-03-02", "5 working days", &["2026-03-04..2026-03-06"], "2026-03-12");
    check_stood("2026-03-02", "5 working days", &["2026-03-04..2026-03-04"], "2026-03-10");
    // Accepted and suspended on one day: nothing was consumed.
    check_stood("2026-03-02", "5 working days", &["2026-03-02..2026-03-03"], "2026-03-10");
}

#[test]
fn a_hearing_over_the_spring_festival_keeps_what_was_left() {
    // Two of five days were used when the hearing began; three are left from 02-26, the last of
    // them a make-up Saturday.
    check_stood("2026-02-10", "5 working days", &["2026-02-13..2026-02-25"], "2026-02-28");
}

#[test]
fn a_resumption_on_a_day_of_rest_counts_from_the_next_working_day() {
    check_stood("2026-03-02", "5 working days", &["2026-03-05..2026-03-07"], "2026-03-11");
    check_stood("2026-02-10", "3 working days", &["2026-02-12..2026-02-20"], "2026-02-25");
}

#[test]
fn overlapping_and_nested_suspensions_count_once() {
    let nested = ["2026-03-04..2026-03-10", "2026-03-05..2026-03-06"];
    check_stood("2026-03-02", "5 working days", &nested, "2026-03-16");
    let overlapping = ["2026-03-05..2026-03-10", "2026-03-04..2026-03-06"];
    check_stood("2026-03-02", "5 working days", &overlapping, "2026-03-16");
    let touching = ["2026-03-04..2026-03-06", "2026-03-06..2026-03-10"];
    check_stood("2026-03-02", "5 working days", &touching, "2026-03-16");
}

#[test]
fn an_open_suspension_counts_as_if_it_ended_now() {
    check_stood("2026-03-25", "5 working days", &["2026-03-26.."], "2026-04-08");
    // It has not begun yet.
    check_stood("2026-03-30", "5 working days", &["2026-04-01.."], "2026-04-07");
}

#[test]
fn suspensions_outside_the_count_change_nothing() {
    check_stood("2026-03-02", "2 working days", &["2026-03-05..2026-03-20"], "2026-03-04");
    check_stood("2026-03-02", "2 working days", &["2026-02-02..2026-03-02"], "2026-03-04");
    // Ends before it begins: as if it ended at once.
    check_stood("2026-03-02", "2 working days", &["2026-03-03..2026-02-01"], "2026-03-05");
}

#[test]
fn calendar_days_and_months_freeze_calendar_days() {
    check_stood("2026-03-02", "10 calendar days", &["2026-03-05..2026-03-07"], "2026-03-15");
    check_stood("2026-01-31", "1 month", &["2026-02-02..2026-02-03"], "2026-03-02");
}

#[test]
fn hours_freeze_exactly_the_time_between() {
    let hearing = "2026-03-02T11:00:00+08:00..2026-03-03T09:30:00+08:00";
    check_stood("2026-03-02T09:00:00+08:00", "4 hours", &[hearing], "2026-03-03T11:30:00+08:00");
    let inside = "2026-03-02T23:00:00+08:00..2026-03-03T01:00:00+08:00";
    let both = [hearing, inside];
    check_stood("2026-03-02T09:00:00+08:00", "4 hours", &both, "2026-03-03T11:30:00+08:00");
}

#[test]
fn an_extension_is_in_the_unit_of_the_budget() {
    let calendar = Calendar::national();
    let due = |budget, more| {
        let due = calendar.due_with(at("2026-02-10"), period(budget), more, &[], at(NOW));
        due.at.date().to_string()
    };
    assert_eq!(due("20 working days", 10), due("30 working days", 0));
    assert_eq!(due("20 calendar days", 10), "2026-03-12");
    assert_eq!(due("1 month", 1), "2026-04-10");
}

#[test]
fn past_the_last_loaded_year_results_are_provisional() {
    let calendar = Calendar::national();
    let due = |since, budget| calendar.due_with(at(since), period(budget), 0, &[], at(NOW));
    assert!(due("2026-12-30", "5 working days").provisional);
    assert!(!due("2026-12-30", "1 working day").provisional);
    assert!(due("2023-12-28", "1 working day").provisional, "before the first year, too");
    // Falls back to Monday to Friday.
    assert_eq!(due("2026-12-31", "1 working day").at.date().to_string(), "2027-01-01");
}

#[test]
fn used_and_left_are_told_in_units_of_the_budget() {
    let calendar = Calendar::national();
    let hearing = stood(&["2026-03-04..2026-03-06"]);
    let used = |budget, until| {
        let (since, budget) = (at("2026-03-02"), period(budget));
        let used = calendar.used(since, budget, &hearing, at(until));
        (used, calendar.remaining(since, budget, &hearing, at(until)))
    };
    assert_eq!(used("5 working days", "2026-03-02"), (0, 5));
    assert_eq!(used("5 working days", "2026-03-03"), (1, 4));
    assert_eq!(used("5 working days", "2026-03-06"), (1, 4));
    assert_eq!(used("5 working days", "2026-03-12"), (5, 0));
    assert_eq!(used("5 working days", "2026-03-13"), (6, 0));
    assert_eq!(used("10 calendar days", "2026-03-08"), (3, 7));
    assert_eq!(used("1 month", "2026-04-04"), (0, 1));
    assert_eq!(used("1 month", "2026-04-05"), (1, 0));
    assert_eq!(used("2 hours", "2026-03-02T16:29:59+08:00"), (0, 2));
    assert_eq!(used("2 hours", "2026-03-02T16:30:00+08:00"), (1, 1));
    assert_eq!(used("5 working days", "2026-02-20"), (0, 5));
}

#[test]
fn no_amount_and_no_date_is_too_far() {
    let calendar = Calendar::national();
    let last = Moment::from_millis(i64::MAX);
    for unit in [Unit::WorkingDays, Unit::CalendarDays, Unit::Months, Unit::Hours, Unit::Minutes] {
        let budget = Period { amount: u32::MAX, unit };
        let ages = [Stood { from: Moment::from_millis(0), until: Some(last) }];
        let due = calendar.due_with(last, budget, u32::MAX, &ages, last);
        assert!(due.provisional, "{unit:?}");
        let explained = calendar.explain(Moment::from_millis(0), budget, u32::MAX, &ages, last);
        assert!(explained.days.len() < 10, "{unit:?}");
    }
}
