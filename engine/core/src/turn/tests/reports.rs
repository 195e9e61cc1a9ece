//! What departments report from their own systems: each act with its effect in law, or with the
//! reason for which it has none and the incident that says so.

use std::fmt::Write as _;

use super::promises::field;
use super::*;
use crate::law::{Actor, ClockKind, Procedure};

/// A licence that its department decides in its own system, after a review for a higher office.
fn department() -> Story {
    let mut definition = matter("a");
    definition.decides_in = DecidesIn::Connector;
    definition.form = vec![field("x")];
    definition.procedure =
        Procedure { first_review: "20 working days".parse().ok(), ..Procedure::default() };
    let body: Handler = Box::new(|replay| {
        let handle = replay.request(call("title.register"))?;
        or_end!(get(replay, handle));
        Ok(RunEnd::Finished)
    });
    Story::begin(vec![part("a", &[])], vec![(definition, body)])
}

/// What is usually said with an act: its code, ground, officer and details. A word behind the code
/// takes something away or puts something wrong in its place.
fn said(report: &str) -> AgencyAct {
    let (code, wrong) = report.split_once('-').unwrap_or((report, ""));
    let list = |names: &[&str]| Value::List(names.iter().map(|name| (*name).into()).collect());
    let (act, ground, detail) = match code {
        "granted" | "denied" => ("decided", code, Value::of([("reason", "示例理由".into())])),
        "not_accepted" => (code, "no_competence", Value::map()),
        "correction" => {
            let detail = [("fields", list(&["x"])), ("reason", "缺页".into())];
            (code, "", Value::of(detail))
        }
        "suspended" => (code, "hearing", Value::of([("expected", "5 working days".into())])),
        "extended" => (code, "案情复杂", Value::of([("by", "10 working days".into())])),
        "terminated" | "revoked" => (code, "示例理由", Value::map()),
        _ => (code, "", Value::map()),
    };
    let reported = AgencyAct {
        act: act.to_owned(),
        effective_at: Moment::default(),
        document_no: "示-1".to_owned(),
        ground: ground.to_owned(),
        officer: "示例丁".to_owned(),
        detail,
    };
    let by = |longer: &str| Value::of([("by", longer.into())]);
    match wrong {
        "" => reported,
        "groundless" => AgencyAct { ground: String::new(), ..reported },
        "elsewhere" => AgencyAct { ground: "too_busy".to_owned(), ..reported },
        "bare" => AgencyAct { detail: Value::map(), ..reported },
        "long" => AgencyAct { detail: by("11 working days"), ..reported },
        "unread" => AgencyAct { detail: by("a while"), ..reported },
        "nobody" => AgencyAct { officer: String::new(), ..reported },
        "reasoned" => {
            let detail = Value::of([("reason", "示例理由".into())]);
            AgencyAct { ground: String::new(), detail, ..reported }
        }
        wrong => panic!("nothing is known as {wrong}"),
    }
}

/// The same, with effect since the story's beginning.
fn said_now(report: &str) -> AgencyAct {
    let effective_at = Moment::parse("2026-03-02T09:01:00+08:00").unwrap();
    AgencyAct { effective_at, ..said(report) }
}

impl Story {
    /// Reports an act that takes effect now, in a message of its own.
    fn report(&mut self, report: &str) -> &mut Self {
        let effective_at = self.now.plus_millis(60_000);
        self.report_of(AgencyAct { effective_at, ..said(report) })
    }

    fn report_of(&mut self, act: AgencyAct) -> &mut Self {
        let seq = u32::try_from(self.entries.len()).unwrap();
        let reply = self.reply_to(1, seq, ReplyBody::Act(act));
        self.take(&[reply])
    }

    /// Returns how the law answered last, and to which act.
    fn answered(&self) -> (ActKind, String) {
        let acted = self.entries.iter().rev().find_map(|entry| {
            let Body::Acted { act, answer, .. } = &entry.body else { return None };
            let answer = match answer {
                ActAnswer::Done => "done",
                ActAnswer::Already => "already",
                ActAnswer::Refused { code, .. } => code.as_str(),
            };
            Some((act.kind, answer.to_owned()))
        });
        acted.expect("an act was answered")
    }

    /// Returns the clocks that run.
    fn running(&self) -> String {
        let clocks = self.law(1).clocks().iter().filter(|clock| clock.is_running());
        let kinds: Vec<&str> = clocks.map(|clock| clock.kind.code()).collect();
        if kinds.is_empty() { "no clock".to_owned() } else { kinds.join(" ") }
    }
}

/// What was reported before, and what is reported then.
const TABLE: &[(&str, &[&str])] = &[
    ("", &["accepted", "not_accepted", "correction", "terminated", "correction_supplied"]),
    ("", &["not_accepted-elsewhere", "correction-bare", "terminated-groundless"]),
    ("correction", &["correction_supplied", "served", "terminated", "not_accepted"]),
    ("accepted", &["suspended", "resumed", "extended", "forwarded_up", "granted", "denied"]),
    ("accepted", &["terminated", "terminated-reasoned", "correction", "not_accepted"]),
    ("accepted", &["license_made", "delivered", "served", "revoked", "correction_supplied"]),
    ("accepted", &["extended-bare", "extended-unread", "extended-long", "extended-nobody"]),
    ("accepted", &["extended-groundless", "suspended-elsewhere", "denied-bare", "signed"]),
    ("accepted suspended", &["resumed", "granted", "forwarded_up", "extended"]),
    ("accepted forwarded_up", &["granted", "denied", "suspended", "extended", "terminated"]),
    ("accepted granted", &["license_made", "delivered", "served", "revoked", "terminated"]),
    ("accepted granted", &["revoked-groundless", "forwarded_up", "extended", "denied"]),
    ("accepted granted revoked", &["license_made", "delivered", "revoked"]),
    ("accepted denied", &["delivered", "license_made", "revoked", "terminated"]),
    ("accepted terminated", &["delivered", "license_made", "granted", "correction_supplied"]),
];

#[test]
fn every_act_that_a_department_reports_has_its_effect_or_its_reason() {
    let mut table = String::new();
    for (before, reports) in TABLE {
        let since = if before.is_empty() { "its receipt" } else { before };
        writeln!(table, "after {since}").unwrap();
        for report in *reports {
            let mut story = department();
            for earlier in before.split_whitespace() {
                story.report(earlier);
                assert_eq!(story.answered().1, "done", "{before}");
            }
            let entries = story.entries.len();
            story.report(report);
            let fresh = &story.entries[entries..];
            let acted = fresh.iter().find_map(|entry| {
                let Body::Acted { act, .. } = &entry.body else { return None };
                Some(act.kind)
            });
            let its = acted.is_none_or(|kind| kind.actors().contains(&Actor::Agency));
            assert!(its, "{report} is no act of an agency");
            let acted = acted.is_some();
            let answer = if acted { story.answered().1 } else { "unknown".to_owned() };
            let unlawful = story.incidents().contains(&"UNLAWFUL_ACT");
            assert_eq!(unlawful, answer != "done" && answer != "already", "{before}, {report}");
            let (code, running) = (story.law(1).code(), story.running());
            writeln!(table, "  {report}: {answer}; {code}; {running}").unwrap();
            assert!(story.case.documents.is_empty(), "the department writes its own notices");
        }
    }
    expect_test::expect_file!["reports.txt"].assert_eq(&table);
}

#[test]
fn what_a_department_reports_a_second_time_holds_already() {
    let histories = [
        "correction correction_supplied accepted",
        "accepted suspended resumed extended forwarded_up granted license_made delivered revoked",
        "not_accepted",
        "accepted denied delivered",
        "accepted terminated",
    ];
    for history in histories {
        let mut story = department();
        for report in history.split_whitespace() {
            let effective_at = story.now.plus_millis(60_000);
            let act = AgencyAct { effective_at, ..said(report) };
            story.report_of(act.clone());
            assert_eq!(story.answered().1, "done", "{report} in {history}");
            let law = story.law(1).clone();
            story.report_of(act);
            assert_eq!(story.answered().1, "already", "{report} in {history}");
            assert_eq!(*story.law(1), law, "{report} changes nothing twice");
        }
        assert!(story.incidents().is_empty(), "{history}: {:?}", story.incidents());
    }
}

#[test]
fn an_extension_says_how_long_why_and_who_approved_it() {
    use crate::law::Terms;
    let mut story = department();
    story.report("accepted");
    let due = |story: &Story| {
        let law = story.law(1);
        let clock = law.running(ClockKind::Statutory).unwrap();
        law.due(clock, &crate::calendar::Calendar::national(), story.now).at.date().to_string()
    };
    assert_eq!(due(&story), "2026-03-30");
    story.report("extended");
    assert_eq!(due(&story), "2026-04-14");
    let Some(Body::Acted { act, .. }) = story.entries.last().map(|entry| &entry.body) else {
        panic!("the act is the last that was recorded")
    };
    let by = "10 working days".parse().unwrap();
    assert_eq!(act.terms, Terms::Extension { by, approved_by: "示例丁".to_owned() });
    assert_eq!((act.ground.as_str(), act.document_no.as_str()), ("案情复杂", "示-1"));
}

#[test]
fn what_follows_a_grant_is_kept_with_its_time() {
    let mut story = department();
    story.report("accepted").report("granted");
    assert_eq!(story.running(), "issuing");
    story.report("license_made");
    assert_eq!(story.law(1).license_made, Some(story.now));
    assert_eq!(story.running(), "issuing", "made is not delivered");
    story.report("delivered");
    assert_eq!(story.law(1).delivered, Some(story.now));
    assert_eq!(story.running(), "no clock");
    story.report("revoked");
    let revoked = story.law(1).revoked.as_ref().unwrap();
    assert_eq!(
        (revoked.at, revoked.ground.as_str(), revoked.document_no.as_str()),
        (story.now, "示例理由", "示-1")
    );
    assert_eq!(story.law(1).ending(), Some(Ending::Granted), "history stays");
}

/// The reports were heard in the order in which they had come in, so that the decision was taken
/// and what had led to it was refused.
#[test]
fn reports_that_all_overtook_the_acceptance_are_heard_in_the_order_of_their_effect() {
    let mut story = department();
    let at = |minute: u32| Moment::parse(&format!("2026-03-02T09:{minute:02}:00+08:00")).unwrap();
    story.now = at(50);
    for (report, minute) in [("granted", 40), ("resumed", 30), ("suspended", 20)] {
        story.report_of(AgencyAct { effective_at: at(minute), ..said(report) });
        assert_eq!(story.stage(1), "received");
    }
    story.report_of(AgencyAct { effective_at: at(10), ..said("accepted") });
    assert_eq!(story.stage(1), "granted");
    assert_eq!(story.law(1).suspensions().len(), 1, "the hearing is on record");
    assert!(story.incidents().is_empty(), "{:?}", story.incidents());
}

/// A period that nobody could read was left out, and nobody was told.
#[test]
fn a_period_that_cannot_be_read_is_told_and_the_matters_own_counts() {
    let with = |report: &str, name: &str, said: Value| {
        let mut act = said_now(report);
        act.detail.overlay(&Value::of([(name, said)]));
        act
    };
    for said in ["十五天".into(), Value::Int(15)] {
        let mut story = department();
        story.report_of(with("correction", "limit", said));
        assert_eq!(story.answered().1, "done");
        let clock = story.law(1).running(ClockKind::Correction).unwrap();
        assert_eq!(clock.budget.to_string(), "15 working days");
        assert_eq!(story.incidents(), ["UNLAWFUL_ACT"]);
        let raised = story.case.incidents.values().next().unwrap();
        assert!(raised.incident.message.contains("limit"), "{}", raised.incident.message);
    }
    let mut story = department();
    story.report_of(with("correction", "limit", "7 calendar days".into()));
    let clock = story.law(1).running(ClockKind::Correction).unwrap();
    assert_eq!(
        (clock.budget.to_string().as_str(), story.incidents().len()),
        ("7 calendar days", 0)
    );
    let mut story = department();
    story.report("accepted").report_of(with("suspended", "expected", "soon".into()));
    assert_eq!(story.law(1).suspended().unwrap().expected, None);
    assert_eq!(story.incidents(), ["UNLAWFUL_ACT"]);
}

/// An act by an unknown name that came before the acceptance was raised again with it.
#[test]
fn an_unknown_act_before_the_acceptance_is_raised_once() {
    let mut story = department();
    story.report("signed").report("accepted");
    assert_eq!((story.stage(1), story.incidents()), ("accepted", vec!["UNLAWFUL_ACT"]));
}
