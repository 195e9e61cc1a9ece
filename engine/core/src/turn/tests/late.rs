//! Agencies that agreed to answer within a time: what is watched, and who is told when it passes.

use super::promises::{act_by, amend, ask_correction, field, give_back, outcome};
use super::*;
use crate::card::CardAnswerKind;
use crate::command::Seen;
use crate::law::ClockKind;
use crate::waiting::{WaitingParty, waiting_on};

/// Asks an agency that agreed to answer within two working days, and grants on its documents.
fn asks_tax() -> Handler {
    Box::new(|replay| {
        let handle = replay.request(call("tax.clearance"))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

impl Story {
    fn cards_of(&self, clock: ClockKind) -> Vec<(&str, &str)> {
        let cards = self.case.cards.values().filter(|card| card.raised.clock == clock);
        cards.map(|card| (card.raised.rule.as_str(), card.raised.to.as_str())).collect()
    }

    fn waits(&self) -> crate::waiting::WaitingOn {
        let matter = self.case.matter(MatterNo(1)).unwrap();
        waiting_on(&self.case, matter, &Calendar::national(), self.now).unwrap()
    }

    fn says(&mut self, said: Said, fields: Value) -> &mut Self {
        let task = self.task(TaskKind::AgencyLate).expect("somebody looks");
        self.take(&[Command::CompleteTask {
            by: approver(),
            task: TaskAt { no: task.no, version: task.version },
            outcome: TaskOutcome { fields, ..outcome(said) },
            seen: Seen::default(),
        }])
    }
}

#[test]
fn an_agency_that_is_late_is_carded_and_the_office_that_asked_looks() {
    let mut story = one(asks_tax());
    let due = Moment::parse("2026-03-04T23:59:59.999+08:00").unwrap();
    let clock = story.open_call(1).clock.expect("a limit was agreed");
    assert_eq!((clock.kind, clock.since), (ClockKind::Connector, story.open_call(1).opened_at));
    story.to("2026-03-04T23:00:00+08:00");
    assert_eq!((story.waits().party, story.waits().until), (WaitingParty::Agency, Some(due)));
    assert!(!story.waits().zh.contains("逾期"), "{}", story.waits().zh);
    assert_eq!((story.kinds(), story.cards_of(ClockKind::Connector)), (vec![], vec![]));
    story.to("2026-03-05T09:00:00+08:00");
    let task = story.task(TaskKind::AgencyLate).expect("somebody looks");
    assert_eq!(task.role.as_str(), "natural-resources.approver");
    assert_eq!(task.facts.get("operation").and_then(Value::as_text), Some("tax.clearance"));
    assert_eq!(story.cards_of(ClockKind::Connector), [("connector-late", "tax.approver")]);
    let waits = story.waits();
    assert_eq!((waits.party, waits.who.as_str()), (WaitingParty::Agency, "tax"));
    assert!(waits.zh.contains("已逾期") && waits.en.contains("overdue"), "{waits:?}");
    let head = story.case.head;
    story.take(&[Command::Tick]);
    assert_eq!(story.case.head, head, "the passing is recorded once");
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
    assert_eq!(story.kinds(), [], "the answer came: nobody needs to look");
    let call = story.case.calls.values().next().unwrap();
    assert_eq!(call.clock.as_ref().unwrap().stopped, Some(story.now));
}

#[test]
fn an_agency_that_answers_in_time_leaves_no_trace() {
    let mut story = one(asks_tax());
    story.to("2026-03-04T23:00:00+08:00").completes(1);
    story.to("2026-03-09T09:00:00+08:00");
    assert_eq!(story.cards_of(ClockKind::Connector), []);
    let fired = |entry: &Entry| matches!(entry.body, Body::ClockFired { .. });
    assert!(!story.entries.iter().any(fired));
}

#[test]
fn an_answer_before_the_tick_does_not_take_back_that_it_is_late() {
    let mut story = one(asks_tax());
    story.now = Moment::parse("2026-03-05T00:00:00+08:00").unwrap();
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
    assert_eq!(story.cards_of(ClockKind::Connector), [("connector-late", "tax.approver")]);
}

#[test]
fn a_late_agency_is_given_more_time_or_is_given_up() {
    let mut story = one(asks_tax());
    story.to("2026-03-05T09:00:00+08:00").says(Yes, Value::map());
    assert_eq!(story.refused().as_deref(), Some("FIELDS_MISSING"));
    story.says(Yes, Value::of([("longer", "1 working day".into())]));
    assert_eq!(story.refused(), None);
    assert_eq!(story.kinds(), []);
    story.to("2026-03-06T23:00:00+08:00");
    assert_eq!(story.kinds(), [], "the new time has not passed");
    story.to("2026-03-09T09:00:00+08:00");
    assert_eq!(story.cards_of(ClockKind::Connector).len(), 2, "a clock that began anew");
    story.says(No, Value::map());
    assert_eq!(story.incidents(), ["CALL_FAILED"]);
    assert_eq!(story.waits().party, WaitingParty::Operator);
    story.completes(1);
    assert_eq!(story.stage(1), "granted", "an answer that comes still is taken in");
}

#[test]
fn an_answer_is_owed_after_the_matter_has_ended() {
    let mut story = one(asks_tax());
    story.take(&[Command::Withdraw { by: applicant(), reason: "不办了".to_owned() }]);
    story.to("2026-03-05T09:00:00+08:00");
    assert!(story.task(TaskKind::AgencyLate).is_some());
    story.completes(1);
    assert_eq!(story.kinds(), [TaskKind::LateReply], "nobody asks any more, somebody reads it");
}

#[test]
fn a_card_against_an_agency_is_answered_by_that_agencys_department() {
    let mut story = one(asks_tax());
    story.to("2026-03-05T09:00:00+08:00");
    let card = story.case.cards.values().find(|card| card.raised.clock == ClockKind::Connector);
    let card = card.unwrap().no;
    let reply = |by: Viewer| Command::AnswerCard {
        by,
        card,
        kind: CardAnswerKind::Reply,
        text: "系统维护".to_owned(),
    };
    story.take(&[reply(approver())]);
    assert_eq!(story.refused().as_deref(), Some("NOT_PERMITTED"), "it is not his to answer");
    let tax = |region: &str| Viewer::new("tax", Role::Approver).within(region).of("tax");
    story.take(&[reply(tax("411300"))]);
    assert_eq!(story.refused().as_deref(), Some("CASE_NOT_FOUND"), "another place");
    story.take(&[reply(tax("420300"))]);
    assert_eq!(story.refused(), None);
    story.take(&[give_back(tax("420300"), 1)]);
    assert!(story.refused().is_some(), "who answers a card has no say in the matter");
}

#[test]
fn a_call_that_the_agency_never_saw_has_its_time_from_the_new_one() {
    let mut story = one(asks_tax());
    let first = story.open_call(1);
    story.to("2026-03-04T09:00:00+08:00");
    story.take(&[Command::CallFenced { call: first.made.id }]);
    let second = story.open_call(1);
    assert_eq!(second.clock.unwrap().since, second.opened_at);
    assert!(!story.case.calls[&first.made.id].clock.as_ref().unwrap().is_running());
    story.to("2026-03-05T09:00:00+08:00");
    assert_eq!(story.kinds(), []);
}

#[test]
fn who_is_waited_for_is_told_with_the_time_since_when() {
    let mut definition = matter("a");
    definition.intake = Intake::Window;
    definition.form = vec![field("x")];
    let timed: Handler = Box::new(|replay| {
        let handle = replay.timer("3 working days".parse().unwrap())?;
        replay.wait(handle)?;
        let handle = replay.request(decision())?;
        replay.wait(handle)?;
        Ok(RunEnd::Finished)
    });
    let parts = vec![part("a", &[]), part("b", &["a"])];
    let mut story = Story::begin(parts, vec![(definition, timed), (matter("b"), decide_and_act())]);
    let submitted = story.now;
    let told = |story: &Story, no: u16| {
        let matter = story.case.matter(MatterNo(no)).unwrap();
        let waits = waiting_on(&story.case, matter, &Calendar::national(), story.now).unwrap();
        (waits.party, waits.since)
    };
    story.to("2026-03-03T09:00:00+08:00");
    story.take(&[amend(clerk(), "x", "something else happens in the case")]);
    assert_eq!(told(&story, 1), (WaitingParty::Window, submitted));
    assert_eq!(told(&story, 2), (WaitingParty::EarlierMatters, submitted));
    story.take(&[act_by(clerk(), 1, ask_correction(&[], &["x"]))]);
    assert_eq!(told(&story, 1), (WaitingParty::Applicant, story.now));
    let asked = story.now;
    story.take(&[amend(clerk(), "x", "corrected")]).complete_as(clerk(), TaskKind::Intake, Yes);
    assert!(story.now > asked);
    let accepted = story.now;
    story.to("2026-03-04T09:00:00+08:00").take(&[amend(clerk(), "x", "again")]);
    assert_eq!(told(&story, 1), (WaitingParty::Time, accepted), "{:?}", story.answers);
}
