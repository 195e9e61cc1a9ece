//! Each default rule against the calendar.

use super::story::*;
use crate::command::{ActRequest, Command};
use crate::definition::Regime;
use crate::entry::TaskKind;
use crate::law::ActKind;
use crate::organisation::card_rules::CardLevel;
use crate::organisation::{Organisation, Source};
use crate::schedule;

fn pairs(cards: &[(&str, &str)]) -> Vec<(String, String)> {
    cards.iter().map(|(rule, at)| ((*rule).to_owned(), (*at).to_owned())).collect()
}

#[test]
fn a_promise_climbs_from_reminder_over_yellow_to_red() {
    // Monday; five working days end on Monday the 9th.
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    for day in 3..=13 {
        story.tick(&format!("2026-03-{day:02}T00:00:00"));
    }
    let levels: Vec<_> = story
        .cards()
        .into_iter()
        .map(|(rule, level, at, recorded)| (rule, level, at == recorded))
        .collect();
    assert_eq!(
        levels,
        [
            ("promised-80-percent".to_owned(), "reminder", true),
            ("promised-last-day".to_owned(), "reminder", true),
            ("promised-due-today".to_owned(), "yellow", true),
            ("promised-late".to_owned(), "red", true),
        ]
    );
    let expected = [
        ("promised-80-percent", "2026-03-06"),
        ("promised-last-day", "2026-03-06"),
        ("promised-due-today", "2026-03-09"),
        ("promised-late", "2026-03-10"),
    ];
    assert_eq!(story.rungs(), pairs(&expected));
    let to: Vec<&str> = story.case.cards.values().map(|card| card.raised.to.as_str()).collect();
    assert_eq!(to[0], "natural-resources.approver");
    assert_eq!(to[3], "natural-resources.head");
    let reply = story.case.cards.values().last().unwrap().raised.reply_due.unwrap();
    assert_eq!(reply, crate::time::Moment::end_of(moment("2026-03-11").date()));
}

#[test]
fn days_off_are_no_warning_time_and_make_up_workdays_are() {
    // Dossier 3.2: accepted on Thursday the 12th, five working days end on the 26th, after the
    // Spring Festival; Saturday the 14th works.
    let mut story = Story::accepted(Setting::default(), "2026-02-12");
    story.tick("2026-02-27T00:00:00");
    let expected = [
        ("promised-80-percent", "2026-02-25"),
        ("promised-last-day", "2026-02-25"),
        ("promised-due-today", "2026-02-26"),
        ("promised-late", "2026-02-27"),
    ];
    assert_eq!(story.rungs(), pairs(&expected));
    let short = Setting { promised: "2 working days", ..Setting::default() };
    let mut story = Story::accepted(short, "2026-02-12");
    story.tick("2026-02-14T00:00:00");
    let expected = [
        ("promised-last-day", "2026-02-13"),
        ("promised-80-percent", "2026-02-14"),
        ("promised-due-today", "2026-02-14"),
    ];
    assert_eq!(story.rungs(), pairs(&expected), "a working Saturday is a last day");
}

#[test]
fn silence_at_intake_is_a_card_even_where_the_law_accepts_instead() {
    for regime in [Regime::Licence, Regime::Registration] {
        let setting = Setting { regime, promised: "20 working days", ..Setting::default() };
        let mut story = Story::begin(setting, "2026-03-02");
        story.tick("2026-03-06T00:00:00").tick("2026-03-10T00:00:00");
        let expected = [("acceptance-last-day", "2026-03-06"), ("acceptance-late", "2026-03-10")];
        assert_eq!(story.rungs()[..2], pairs(&expected), "{regime:?}");
        let card = story.case.cards.values().last().unwrap();
        assert_eq!(card.raised.to, "housing-construction.window", "the lead's window");
    }
}

#[test]
fn later_steps_have_their_own_rungs() {
    let setting = Setting { first_review: Some("10 working days"), ..Setting::default() };
    let mut story = Story::accepted(setting, "2026-03-02");
    story.tick("2026-03-17T00:00:00");
    assert!(story.rungs().contains(&("forwarding-late".to_owned(), "2026-03-17".to_owned())));
    let decide = story.completion(TaskKind::Decide, "").unwrap();
    story.does("2026-03-18", decide).tick("2026-04-01T23:00:00");
    assert!(!story.rungs().iter().any(|(rule, _)| rule == "issuing-late"));
    // Ten working days from the 18th end on the 1st of April.
    story.tick("2026-04-02T00:00:00");
    assert!(story.rungs().contains(&("issuing-late".to_owned(), "2026-04-02".to_owned())));
}

#[test]
fn the_statutory_limit_is_the_second_red() {
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    story.tick("2026-03-31T00:00:00");
    let last = story.cards().pop().unwrap();
    assert_eq!((last.0.as_str(), last.1, last.2.as_str()), ("statutory-late", "red", "2026-03-31"));
}

#[test]
fn a_clock_that_stands_raises_nothing_and_its_rungs_move() {
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    story.does("2026-03-05", suspend()).tick("2026-03-31T00:00:00");
    assert_eq!(story.rungs(), [], "a hearing stops the clock");
    let reading = story.reading(moment("2026-03-31"));
    assert_eq!(schedule::rungs(&story.case, reading), []);
    // Two days were used; of the three that are left, the first is Wednesday.
    story.does("2026-03-31", resume()).tick("2026-04-30T00:00:00");
    let promised: Vec<_> =
        story.rungs().into_iter().filter(|(rule, _)| rule.starts_with("promised")).collect();
    let expected = [
        ("promised-80-percent", "2026-04-02"),
        ("promised-last-day", "2026-04-02"),
        ("promised-due-today", "2026-04-03"),
        // The day after is the first of the Qingming holiday; late is late.
        ("promised-late", "2026-04-04"),
    ];
    assert_eq!(promised, pairs(&expected));
}

#[test]
fn an_extension_moves_what_was_not_reached_and_repeats_nothing() {
    let setting = Setting { promised: "5 working days", ..Setting::default() };
    let mut story = Story::accepted(setting, "2026-03-02");
    story.tick("2026-03-06T00:00:00").does("2026-03-06", extend("5 working days"));
    story.tick("2026-03-18T00:00:00");
    let expected = [
        ("promised-80-percent", "2026-03-06"),
        ("promised-last-day", "2026-03-06"),
        ("promised-due-today", "2026-03-16"),
        ("promised-late", "2026-03-17"),
    ];
    assert_eq!(story.rungs(), pairs(&expected));
}

#[test]
fn hours_are_reminded_of_to_the_minute() {
    let setting = Setting { promised: "10 hours", ..Setting::default() };
    let mut story = Story::accepted(setting, "2026-03-02T09:00:00");
    story.tick("2026-03-02T19:00:01");
    let of = |rule: &str| {
        let mut cards = story.case.cards.values();
        cards.find(|card| card.raised.rule == rule).map(|card| card.raised.at)
    };
    assert_eq!(of("promised-80-percent"), Some(moment("2026-03-02T17:00:00")));
    assert_eq!(of("promised-due-today"), Some(moment("2026-03-02T19:00:00")));
    assert_eq!(of("promised-late"), Some(moment("2026-03-02T19:00:00").plus_millis(1)));
}

#[test]
fn a_period_given_anew_begins_its_rungs_anew() {
    let mut story = Story::begin(Setting::default(), "2026-03-02");
    story.does("2026-03-03", ask_correction(moment("2026-03-03")));
    // Fifteen working days from the 3rd end on the 24th.
    story.tick("2026-03-23T00:00:00").tick("2026-03-25T00:00:00");
    assert_eq!(story.rungs(), pairs(&[("correction-last-day", "2026-03-23")]));
    let longer = story.completion(TaskKind::CorrectionMissed, "3 working days").unwrap();
    story.does("2026-03-25", longer).tick("2026-04-01T00:00:00");
    let expected = [("correction-last-day", "2026-03-23"), ("correction-last-day", "2026-03-27")];
    assert_eq!(story.rungs(), pairs(&expected));
    let again =
        schedule::cards_on(story.case.id, &story.entries, story.reading(moment("2026-04-01")));
    let again: Vec<_> = again
        .unwrap()
        .into_iter()
        .map(|rung| (rung.card.rule, rung.card.at.date().to_string()))
        .collect();
    assert_eq!(again, pairs(&expected));
}

#[test]
fn after_downtime_cards_are_raised_late_with_their_own_instant() {
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    // Nobody looked for nine days, and then the decision came first.
    let decide = story.completion(TaskKind::Decide, "").unwrap();
    story.does("2026-03-11", decide).tick("2026-03-11T10:00:00");
    let late: Vec<_> = story.cards().into_iter().map(|(rule, _, at, on)| (rule, at, on)).collect();
    let on = "2026-03-11".to_owned();
    let expected = [
        ("promised-80-percent".to_owned(), "2026-03-06".to_owned(), on.clone()),
        ("promised-last-day".to_owned(), "2026-03-06".to_owned(), on.clone()),
        ("promised-due-today".to_owned(), "2026-03-09".to_owned(), on.clone()),
        ("promised-late".to_owned(), "2026-03-10".to_owned(), on),
    ];
    assert_eq!(late, expected);
}

#[test]
fn a_suspension_after_downtime_takes_no_rung_back() {
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    story.does("2026-03-09", suspend()).tick("2026-03-20");
    let expected = [
        ("promised-80-percent", "2026-03-06"),
        ("promised-last-day", "2026-03-06"),
        ("promised-due-today", "2026-03-09"),
    ];
    assert_eq!(story.rungs(), pairs(&expected));
}

#[test]
fn a_stuck_script_silences_no_card() {
    let mut story = Story::begin(Setting::default(), "2026-03-02").broken();
    let accept = story.completion(TaskKind::Intake, "").unwrap();
    story.does("2026-03-02", accept).tick("2026-03-10T00:00:00");
    assert!(story.case.matters[0].run.stopped.is_some());
    assert_eq!(story.cards().last().unwrap().0, "promised-late");
}

#[test]
fn a_task_with_a_limit_of_its_own_is_late_by_itself() {
    let setting = Setting { within: Some("2 working days"), ..Setting::default() };
    let mut story = Story::accepted(setting, "2026-03-02");
    story.tick("2026-03-05T00:00:00");
    assert_eq!(story.rungs(), pairs(&[("task-late", "2026-03-05")]));
    let card = &story.case.cards.values().next().unwrap().raised;
    assert_eq!((card.level, card.to.as_str()), (CardLevel::Yellow, "natural-resources.approver"));
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    story.tick("2026-03-05T00:00:00");
    assert_eq!(story.rungs(), [], "most tasks have none");
}

#[test]
fn a_card_that_time_brings_is_waited_for_and_only_once() {
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    let reading = story.reading(moment("2026-03-02"));
    assert_eq!(schedule::next(&story.case, reading), Some(moment("2026-03-06T00:00:00")));
    story.tick("2026-03-06T00:00:00").tick("2026-03-06T00:00:00");
    assert_eq!(story.rungs().len(), 2);
    let reading = story.reading(moment("2026-03-06"));
    assert_eq!(schedule::next(&story.case, reading), Some(moment("2026-03-09T00:00:00")));
}

#[test]
fn an_act_that_proves_to_be_earlier_shows_a_card_to_be_unfounded() {
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    story.tick("2026-03-09T00:00:00");
    let came = crate::command::Came {
        at: Some(moment("2026-03-05")),
        evidence: "听证通知 2026-3".to_owned(),
    };
    let request = ActRequest::now(ActKind::Suspend, "hearing");
    let Command::Act { by, matter, act } = suspend() else { unreachable!() };
    let act = ActRequest { came, ..ActRequest { terms: act.terms, ..request } };
    story.does("2026-03-09", Command::Act { by, matter, act });
    assert_eq!(story.rungs().len(), 3, "what was raised stays raised");
    let now = story.reading(moment("2026-03-09T20:00:00"));
    assert_eq!(schedule::cards_on(story.case.id, &story.entries, now).unwrap(), []);
    let then = story.reading(moment("2026-03-09T00:00:00"));
    assert_eq!(schedule::cards_on(story.case.id, &story.entries, then).unwrap().len(), 3);
}

const OWN_RULES: &str = r#"{
    "kind": "card-rules", "code": "420300", "rules": [
        { "id": "halfway", "level": "yellow", "clock": "promised", "when": { "usedPercent": 50 },
          "to": "head", "replyWithin": "2 working days", "basis": "示例市督办办法第三条",
          "matters": ["permit"], "regions": ["420300"] },
        { "id": "three-days-left", "level": "reminder", "clock": "statutory",
          "when": { "left": "3 working days" }, "to": "clerk" },
        { "id": "of-another-matter", "level": "red", "clock": "promised", "when": { "passed": true },
          "to": "head", "matters": ["other"] },
        { "id": "of-another-place", "level": "red", "clock": "promised", "when": { "passed": true },
          "to": "head", "regions": ["411300"] }
    ]
}"#;

#[test]
fn a_city_that_has_rules_of_its_own_is_carded_by_them_and_by_no_others() {
    let source = Source { label: "rules.json", kind: None, bytes: OWN_RULES.as_bytes() };
    let own = Organisation::read(&[source]).unwrap_or_else(|found| panic!("{found}"));
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    story.organisation = own;
    for day in 3..=31 {
        story.tick(&format!("2026-03-{day:02}T00:00:00"));
    }
    // Of five working days after Monday the 2nd, the third is more than half; of twenty, which
    // end on Monday the 30th, three are left when Thursday the 26th begins.
    let on = |day: &str| (day.to_owned(), day.to_owned());
    let (half, left) = (on("2026-03-05"), on("2026-03-25"));
    let expected = [
        ("halfway".to_owned(), "yellow", half.0, half.1),
        ("three-days-left".to_owned(), "reminder", left.0, left.1),
    ];
    assert_eq!(story.cards(), expected);
    let card = &story.case.cards.values().next().unwrap().raised;
    assert_eq!(card.to, "natural-resources.head");
    assert_eq!(card.reply_due, Some(crate::time::Moment::end_of(moment("2026-03-09").date())));
    assert_eq!(card.rules_version, story.organisation.version());
    let again =
        schedule::cards_on(story.case.id, &story.entries, story.reading(moment("2026-03-31")));
    let again: Vec<_> = again.unwrap().into_iter().map(|rung| rung.card.rule).collect();
    assert_eq!(again, ["halfway", "three-days-left"], "any past day is told by the same rules");
}
