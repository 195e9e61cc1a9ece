//! Ways out of incidents, stopping and undoing, pausing, and mailboxes.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::agency::{Effect as Done, Fault, FaultClass};
use crate::card::CardLevel;
use crate::case::CallStatus;
use crate::command::{Steering, WayTaken};
use crate::entry::ScriptVersion;
use crate::way_out::{Handling, Message, Overriding, WayOut};

fn admin() -> Viewer {
    Viewer::new("admin", Role::SystemAdmin).within("420300")
}

pub(super) fn head() -> Viewer {
    Viewer::new("head", Role::OfficeHead).within("420300").of("natural-resources")
}

fn second() -> Viewer {
    Viewer::new("second", Role::Approver).within("420300").of("natural-resources")
}

/// A switch that a test throws while its scripts go on.
#[derive(Clone, Default)]
struct Switch(Arc<AtomicBool>);

impl Switch {
    fn on() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
    fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
    fn off(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

fn fault() -> RunEnd {
    RunEnd::Failed(ScriptFault::new(ScriptFaultKind::Script, "除以零 / division by zero"))
}

/// Asks an agency, then fails while the switch is on, then decides.
fn fails_after_a_call(broken: Switch) -> Handler {
    Box::new(move |replay| {
        let handle = replay.request(call("agency.issue"))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else { unreachable!() };
        if broken.is_on() {
            return Ok(fault());
        }
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

impl Story {
    fn open_incident(&self) -> Seq {
        let mut open = self.case.open_incidents();
        open.next().expect("an incident is open").0
    }

    fn way(&mut self, by: &Viewer, way: WayOut) -> &Answer {
        let incident = self.open_incident();
        self.way_of(by, incident, WayTaken::Other(way))
    }

    fn way_of(&mut self, by: &Viewer, incident: Seq, way: WayTaken) -> &Answer {
        let reason = "已核实".to_owned();
        self.take(&[Command::SettleIncident { by: by.clone(), incident, way, reason }]);
        &self.answers[0]
    }

    fn steer(&mut self, by: &Viewer, no: u16, steering: Steering) -> &Answer {
        let (by, matter, reason) = (by.clone(), MatterNo(no), "系统升级".to_owned());
        self.take(&[Command::Steer { by, matter, steering, reason }]);
        &self.answers[0]
    }

    fn send(&mut self, channel: &str, text: &str, handling: Handling) -> &Answer {
        let message = Message { channel: channel.to_owned(), body: text.into(), handling };
        self.take(&[Command::SendMessage { by: clerk(), matter: MatterNo(1), message }]);
        &self.answers[0]
    }

    fn call_fails(&mut self, no: u16) {
        let fault = Fault {
            class: FaultClass::Conflict,
            effect: Done::Unknown,
            code: "gone".to_owned(),
            retry_after: None,
            text: String::new(),
        };
        let call = self.open_call(no).made.id;
        self.take(&[Command::CallFailed { call, fault }]);
    }

    fn targets(&self, no: u16) -> Vec<String> {
        let matter = self.case.matter(MatterNo(no)).unwrap();
        matter.run.requests.iter().map(|request| request.made.ask.target()).collect()
    }

    fn open_targets(&self, no: u16) -> Vec<String> {
        let matter = self.case.matter(MatterNo(no)).unwrap();
        let mut open = self.case.open_calls().filter(|call| call.matter == MatterNo(no));
        let target = |key| matter.run.request(key).unwrap().made.ask.target();
        let mut all: Vec<String> = open.by_ref().map(|call| target(&call.request)).collect();
        all.sort();
        all
    }

    fn code(&self) -> &str {
        match &self.answers[0] {
            Answer::Refused(refusal) => &refusal.code,
            Answer::Done => "done",
            Answer::Acked(_) => "acked",
        }
    }
}

#[test]
fn a_script_that_failed_goes_on_after_a_retry() {
    let broken = Switch::on();
    let mut story = one(fails_after_a_call(broken.clone()));
    story.completes(1);
    assert_eq!(story.incidents(), ["SCRIPT_FAILED"]);
    broken.off();
    assert_eq!(story.way(&admin(), WayOut::Retry), &Answer::Done);
    assert_eq!(story.stage(1), "granted");
    assert_eq!(story.case.open_incidents().count(), 0);
    let end = story.case.incidents.values().next().unwrap().end.clone().unwrap();
    assert_eq!((end.by.as_str(), end.settled.reason.as_str()), ("admin", "已核实"));
}

#[test]
fn a_retry_that_fails_again_is_a_new_incident() {
    let mut story = one(fails_after_a_call(Switch::on()));
    story.completes(1);
    story.way(&admin(), WayOut::Retry);
    assert_eq!(story.incidents(), ["SCRIPT_FAILED", "SCRIPT_FAILED"]);
    assert_eq!(story.case.open_incidents().count(), 1);
}

#[test]
fn only_those_who_answer_for_a_matter_take_its_ways_out() {
    let mut story = one(fails_after_a_call(Switch::on()));
    story.completes(1);
    let before = story.entries.len();
    let elsewhere = Viewer::new("x", Role::OfficeHead).within("420300").of("fire");
    for (by, way, code) in [
        (applicant(), WayOut::Retry, "INCIDENT_NOT_FOUND"),
        (clerk(), WayOut::Retry, "INCIDENT_NOT_FOUND"),
        (elsewhere, WayOut::Retry, "CASE_NOT_FOUND"),
        (second(), WayOut::Retry, "NOT_PERMITTED"),
        (admin(), WayOut::Cancel, "NOT_PERMITTED"),
        (head(), WayOut::Skip, "WAY_NOT_OFFERED"),
        (Viewer::new("s", Role::Supervisor).within("420300"), WayOut::Retry, "NOT_PERMITTED"),
    ] {
        story.way(&by, way);
        assert_eq!(story.code(), code, "{}", by.subject);
    }
    let incident = story.open_incident();
    let way = WayTaken::Other(WayOut::Retry);
    let nothing = Command::SettleIncident { by: head(), incident, way, reason: " ".to_owned() };
    story.take(&[nothing]);
    assert_eq!(story.code(), "REASONS_MISSING");
    assert_eq!(story.entries.len(), before, "a refused way out leaves no entry");
}

#[test]
fn an_incident_is_ended_once() {
    let broken = Switch::on();
    let mut story = one(fails_after_a_call(broken.clone()));
    story.completes(1);
    let incident = story.open_incident();
    broken.off();
    story.way(&admin(), WayOut::Retry);
    story.way_of(&head(), incident, WayTaken::Other(WayOut::Retry));
    assert_eq!(story.code(), "INCIDENT_SETTLED");
}

#[test]
fn a_skipped_call_takes_two_persons_and_is_an_outcome_for_the_script() {
    let mut story = one(ask_and_grant());
    story.call_fails(1);
    assert_eq!(story.incidents(), ["CALL_FAILED"]);
    story.way(&head(), WayOut::Skip);
    assert_eq!(story.case.open_incidents().count(), 1, "a second word is awaited");
    story.way(&head(), WayOut::Skip);
    assert_eq!(story.code(), "SECOND_PERSON_NEEDED");
    assert_eq!(story.way(&second(), WayOut::Skip), &Answer::Done);
    assert_eq!(story.case.open_incidents().count(), 0);
    assert_eq!(story.case.open_calls().count(), 0);
    let kinds: Vec<TaskKind> = story.case.open_tasks().map(|task| task.opened.kind).collect();
    assert_eq!(kinds, [TaskKind::Rejected], "nothing caught it: an officer goes on");
}

#[test]
fn a_second_person_who_says_something_else_confirms_nothing() {
    let mut story = one(ask_and_grant());
    story.call_fails(1);
    let key = story.open_call(1).request;
    let with = Overriding::Output(Value::of([("no", "7".into())]));
    story.way(&head(), WayOut::Override { request: key.clone(), with });
    let with = Overriding::Output(Value::of([("no", "8".into())]));
    story.way(&second(), WayOut::Override { request: key, with });
    assert_eq!(story.case.open_incidents().count(), 1);
}

#[test]
fn a_call_that_failed_is_asked_for_before_it_is_sent_again() {
    let mut story = one(ask_and_grant());
    let before = story.open_call(1).made;
    story.call_fails(1);
    assert_eq!(story.way(&admin(), WayOut::Retry), &Answer::Done);
    let call = story.open_call(1);
    assert_eq!(call.made.id, before.id, "the id stays");
    assert!(call.made.deadline > before.deadline);
    assert_eq!(call.status, CallStatus::Open);
    assert_eq!(story.effects, [Effect::Query { call: before.id, after_millis: 0 }]);
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn a_reply_after_all_ends_the_incident_of_its_call() {
    let mut story = one(ask_and_grant());
    story.call_fails(1);
    story.completes(1);
    assert_eq!(story.case.open_incidents().count(), 0);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn a_call_that_nothing_carries_goes_out_once_it_is_bound() {
    let mut story = one(Box::new(|replay| {
        let handle = replay.request(call("nobody.knows"))?;
        or_end!(get(replay, handle));
        Ok(RunEnd::Finished)
    }));
    assert_eq!(story.incidents(), ["CALL_FAILED"]);
    story.way(&admin(), WayOut::Retry);
    assert_eq!(story.code(), "NOT_BOUND");
    story.bound_all = true;
    assert_eq!(story.way(&admin(), WayOut::Retry), &Answer::Done);
    assert_eq!(story.calls_out(), 1);
    assert_eq!(story.case.open_incidents().count(), 0);
    story.completes(1);
    assert!(story.case.matter(MatterNo(1)).unwrap().run.finished);
}

/// Asks twice, then a timer, then a third time, and fails while the switch is on.
fn three_calls(broken: Switch) -> Handler {
    Box::new(move |replay| {
        for operation in ["agency.first", "agency.second"] {
            let handle = replay.request(call(operation))?;
            or_end!(get(replay, handle));
        }
        let handle = replay.request(call("agency.third"))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else { unreachable!() };
        if broken.is_on() {
            return Ok(fault());
        }
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

#[test]
fn a_restart_from_an_entry_keeps_what_came_before_and_asks_the_rest_anew() {
    let broken = Switch::on();
    let mut story = one(three_calls(broken.clone()));
    story.completes(1).completes(1).completes(1);
    assert_eq!(story.incidents(), ["SCRIPT_FAILED"]);
    let requests = &story.case.matter(MatterNo(1)).unwrap().run.requests;
    let (second_at, calls) = (requests[1].at, story.case.calls.len());
    broken.off();
    assert_eq!(story.way(&head(), WayOut::Restart { from: second_at }), &Answer::Done);
    assert_eq!(story.open_targets(1), ["agency.second"], "asked anew, under a new id");
    assert_eq!(story.case.calls.len(), calls + 1, "the first is kept");
    story.completes(1);
    assert_eq!(story.open_targets(1), ["agency.third"]);
    story.completes(1);
    let matter = story.case.matter(MatterNo(1)).unwrap();
    assert!(matter.run.finished);
    assert_eq!(matter.run.generation, 1);
    story.take(&[Command::Wake]);
    assert_eq!(story.case.open_incidents().count(), 0);
}

#[test]
fn a_restart_needs_something_to_ask_anew() {
    let mut story = one(three_calls(Switch::on()));
    story.completes(1).completes(1).completes(1);
    let from = story.case.head;
    story.way(&head(), WayOut::Restart { from });
    assert_eq!(story.code(), "NOTHING_TO_RESTART");
    story.way(&head(), WayOut::Restart { from: Seq(9_999) });
    assert_eq!(story.code(), "NOTHING_TO_RESTART");
}

/// Fails unless the agency's number is `right`; asks a second time after that.
fn needs_a_number() -> Handler {
    Box::new(|replay| {
        let timer = replay.timer("1 hour".parse().unwrap())?;
        replay.wait(timer)?;
        let handle = replay.request(call("agency.number"))?;
        let Arrived::Output { reply, .. } = or_end!(get(replay, handle)) else { unreachable!() };
        let ReplyBody::Completed { output, .. } = &reply.body else { unreachable!() };
        if output.get("no").and_then(Value::as_text) != Some("right") {
            return Ok(fault());
        }
        let handle = replay.request(call("agency.after"))?;
        or_end!(get(replay, handle));
        Ok(RunEnd::Finished)
    })
}

#[test]
fn an_overridden_result_is_what_the_script_sees_and_nothing_before_is_asked_again() {
    let mut story = one(needs_a_number());
    story.now = story.now.plus_millis(7_200_000);
    story.take(&[Command::Tick]);
    story.completes(1);
    assert_eq!(story.incidents(), ["SCRIPT_FAILED"]);
    let request = story.case.matter(MatterNo(1)).unwrap().run.requests[1].made.key.clone();
    let with = Overriding::Output(Value::of([("no", "right".into())]));
    let way = WayOut::Override { request, with };
    story.way(&second(), way.clone());
    assert_eq!(story.way(&head(), way), &Answer::Done);
    assert_eq!(story.open_targets(1), ["agency.after"]);
    assert_eq!(crate::schedule::timers(&story.case).count(), 0, "the hour has passed before");
    story.completes(1);
    assert!(story.case.matter(MatterNo(1)).unwrap().run.finished);
    assert_eq!(story.case.calls.len(), 2, "the agency was not asked again");
}

#[test]
fn a_call_that_is_under_way_is_not_overridden() {
    let broken = Switch::on();
    let mut story = one(Box::new(move |replay| {
        let slow = replay.request(call("agency.slow"))?;
        let quick = replay.request(call("agency.quick"))?;
        or_end!(get(replay, quick));
        if broken.is_on() {
            return Ok(fault());
        }
        or_end!(get(replay, slow));
        Ok(RunEnd::Finished)
    }));
    let calls: Vec<_> = story.case.open_calls().cloned().collect();
    let quick = calls.iter().find(|call| call.request.ordinal == 1).unwrap();
    story.take(&[reply_as(quick, 9, completed("P-1"))]);
    let slow = calls.iter().find(|call| call.request.ordinal == 0).unwrap().request.clone();
    let with = Overriding::Output(Value::map());
    story.way(&head(), WayOut::Override { request: slow, with });
    assert_eq!(story.code(), "CALL_UNDER_WAY");
}

pub(super) fn compensate(operation: &str) -> Ask {
    let (operation, input) = (operation.to_owned(), Value::map());
    Ask::Compensate { operation, place: None, input }
}

/// Reserves two things, each with how to undo it, then asks a person.
fn reserves_twice() -> Handler {
    Box::new(|replay| {
        for (undo, forward) in
            [("agency.free_a", "agency.take_a"), ("agency.free_b", "agency.take_b")]
        {
            replay.request(compensate(undo))?;
            let handle = replay.request(call(forward))?;
            or_end!(get(replay, handle));
        }
        let handle = replay.request(decision())?;
        or_end!(get(replay, handle));
        Ok(RunEnd::Finished)
    })
}

#[test]
fn a_cancelled_script_undoes_what_it_registered_last_first() {
    let mut story = one(reserves_twice());
    story.completes(1).completes(1);
    assert_eq!(story.steer(&head(), 1, Steering::Cancel), &Answer::Done);
    assert_eq!(story.open_targets(1), ["agency.free_b"]);
    story.completes(1);
    assert_eq!(story.open_targets(1), ["agency.free_a"]);
    story.completes(1);
    let matter = story.case.matter(MatterNo(1)).unwrap();
    assert!(matter.run.cancel.as_ref().unwrap().undone);
    let kinds: Vec<TaskKind> = story.case.open_tasks().map(|task| task.opened.kind).collect();
    assert_eq!(kinds, [TaskKind::AfterCancel], "the question is gone, an officer ends the matter");
    story.decide(1, No);
    assert_eq!(story.stage(1), "terminated");
}

#[test]
fn a_cancelled_matter_may_be_handled_anew() {
    let mut story = one(reserves_twice());
    story.completes(1).completes(1);
    story.steer(&head(), 1, Steering::Cancel);
    story.completes(1).completes(1);
    story.decide(1, Yes);
    let matter = story.case.matter(MatterNo(1)).unwrap();
    assert_eq!((matter.run.generation, matter.run.cancel.clone()), (1, None));
    assert!(matter.run.is_live());
}

#[test]
fn nothing_is_undone_while_a_call_may_still_have_its_effect() {
    let mut story = one(reserves_twice());
    story.completes(1);
    story.steer(&head(), 1, Steering::Cancel);
    assert_eq!(story.open_targets(1), ["agency.take_b"]);
    story.completes(1);
    assert_eq!(story.open_targets(1), ["agency.free_b"]);
}

#[test]
fn what_cannot_be_undone_is_a_persons_to_settle() {
    let mut story = one(reserves_twice());
    story.completes(1).completes(1);
    story.steer(&head(), 1, Steering::Cancel);
    let reply = story.reply_to(1, 9, rejected());
    story.take(&[reply]);
    assert_eq!(story.incidents(), ["COMPENSATION_FAILED"]);
    assert!(story.open_targets(1).is_empty(), "the rest waits");
    story.way(&admin(), WayOut::Retry);
    assert_eq!(story.open_targets(1), ["agency.free_b"]);
    story.call_fails(1);
    story.way(&head(), WayOut::Skip);
    story.way(&second(), WayOut::Skip);
    assert_eq!(story.open_targets(1), ["agency.free_a"]);
    story.completes(1);
    assert_eq!(story.case.open_incidents().count(), 0);
}

#[test]
fn a_matter_that_is_withdrawn_undoes_what_its_script_registered() {
    let mut story = one(reserves_twice());
    story.completes(1).completes(1);
    story.take(&[Command::Withdraw { by: applicant(), reason: "不办了".to_owned() }]);
    assert_eq!(story.stage(1), "withdrawn");
    assert_eq!(story.open_targets(1), ["agency.free_b"]);
    assert_ne!(read_model::state(&story.case), CaseState::Withdrawn, "it is not over yet");
    story.completes(1).completes(1);
    assert_eq!(read_model::state(&story.case), CaseState::Withdrawn);
}

#[test]
fn a_stop_is_thrown_once_and_what_cleans_up_goes_out() {
    let mut story = one(Box::new(|replay| {
        let handle = replay.request(decision())?;
        let Arrived::Thrown { outcome, .. } = replay.wait(handle)? else {
            return Ok(RunEnd::Finished);
        };
        assert_eq!(outcome.kind, OutcomeKind::Cancelled);
        let tidy = replay.request(call("agency.tidy"))?;
        or_end!(get(replay, tidy));
        Ok(RunEnd::Finished)
    }));
    story.steer(&head(), 1, Steering::Cancel);
    assert_eq!(story.open_targets(1), ["agency.tidy"]);
    story.completes(1);
    assert!(story.case.matter(MatterNo(1)).unwrap().run.finished);
}

#[test]
fn what_is_asked_between_a_stop_and_its_throw_never_leaves() {
    let mut story = one(Box::new(|replay| {
        let first = replay.request(call("agency.first"))?;
        or_end!(get(replay, first));
        let never = replay.request(call("agency.never"))?;
        or_end!(get(replay, never));
        Ok(RunEnd::Finished)
    }));
    let reply = story.reply_to(1, 9, completed("P-1"));
    let stop = Command::Steer {
        by: head(),
        matter: MatterNo(1),
        steering: Steering::Cancel,
        reason: "停".to_owned(),
    };
    story.take(&[reply, stop]);
    assert_eq!(story.targets(1), ["agency.first", "agency.never"], "it is written down");
    assert!(story.open_targets(1).is_empty());
    assert_eq!(story.calls_out(), 0);
    assert!(story.case.matter(MatterNo(1)).unwrap().run.finished);
}

#[test]
fn a_script_that_was_told_to_stop_decides_nothing() {
    let mut story = one(Box::new(|replay| {
        let issued = replay.request(call("agency.issue"))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, issued)) else { unreachable!() };
        let question = replay.request(decision())?;
        replay.wait(question)?;
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    }));
    story.completes(1);
    story.steer(&head(), 1, Steering::Cancel);
    assert_eq!(story.stage(1), "accepted");
}

#[test]
fn a_stopped_script_is_cancelled_without_being_evaluated() {
    let mut story = one(fails_after_a_call(Switch::on()));
    story.completes(1);
    assert_eq!(story.way(&head(), WayOut::Cancel), &Answer::Done);
    assert_eq!(story.incidents().len(), 1, "it did not fail again");
    assert_eq!(story.case.open_incidents().count(), 0);
    let kinds: Vec<TaskKind> = story.case.open_tasks().map(|task| task.opened.kind).collect();
    assert_eq!(kinds, [TaskKind::AfterCancel]);
}

#[test]
fn a_granted_matter_is_not_cancelled() {
    let mut story = one(ask_and_grant());
    story.completes(1);
    story.steer(&head(), 1, Steering::Cancel);
    assert_eq!(story.code(), "NOTHING_TO_CANCEL");
}

#[test]
fn a_paused_matter_is_not_evaluated_until_it_is_resumed() {
    let mut story = one(ask_and_grant());
    assert_eq!(story.steer(&admin(), 1, Steering::Pause), &Answer::Done);
    story.completes(1);
    assert_eq!(story.stage(1), "accepted", "the reply is kept, the script waits");
    assert!(story.incidents().is_empty(), "a pause is no stall");
    story.steer(&admin(), 1, Steering::Pause);
    assert_eq!(story.code(), "ALREADY_PAUSED");
    story.steer(&admin(), 1, Steering::Resume);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn cards_go_on_while_a_matter_is_paused() {
    let mut story = one(ask_and_grant());
    story.steer(&admin(), 1, Steering::Pause);
    story.now = Moment::parse("2026-03-31T09:00:00+08:00").unwrap();
    story.take(&[Command::Tick]);
    assert!(story.case.is_paused(MatterNo(1)));
    let levels: Vec<CardLevel> = story.case.cards.values().map(|card| card.raised.level).collect();
    assert!(levels.contains(&CardLevel::Red), "{levels:?}");
}

#[test]
fn a_paused_case_files_nothing_further() {
    let parts = vec![part("a", &[]), part("b", &["a"])];
    let matters = vec![(matter("a"), ask_and_grant()), (matter("b"), ask_and_grant())];
    let mut story = Story::begin(parts, matters);
    story.steer(&admin(), 0, Steering::Pause);
    story.completes(1);
    assert_eq!((story.stage(1), story.stage(2)), ("accepted", "planned"));
    story.steer(&admin(), 0, Steering::Resume);
    assert_eq!((story.stage(1), story.stage(2)), ("granted", "accepted"));
}

/// Receives one message and asks an agency about it.
fn receives() -> Handler {
    Box::new(|replay| {
        let handle = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
        let Arrived::Message(message) = replay.wait(handle)? else { unreachable!() };
        let operation = format!("agency.{}", message.body.as_text().unwrap());
        let asked = replay.request(call(&operation))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, asked)) else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

#[test]
fn a_message_that_comes_before_its_wait_is_kept() {
    let mut story = one(Box::new(|replay| {
        let first = replay.request(call("agency.first"))?;
        or_end!(get(replay, first));
        let handle = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
        let Arrived::Message(message) = replay.wait(handle)? else { unreachable!() };
        let said = replay.request(call(&format!("agency.{}", message.body.as_text().unwrap())))?;
        or_end!(get(replay, said));
        Ok(RunEnd::Finished)
    }));
    story.send("visit", "early", Handling::Optional);
    story.completes(1);
    assert_eq!(story.open_targets(1), ["agency.early"]);
}

#[test]
fn a_script_that_only_waits_for_a_message_is_no_stall() {
    let mut story = one(receives());
    assert!(story.incidents().is_empty());
    story.send("other", "no", Handling::Optional);
    assert!(story.open_targets(1).is_empty(), "another channel is not its own");
    story.send("visit", "came", Handling::Optional);
    assert_eq!(story.open_targets(1), ["agency.came"]);
}

#[test]
fn messages_are_received_in_the_order_in_which_they_came() {
    let mut story = one(Box::new(|replay| {
        for _ in 0..2 {
            let handle = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
            let Arrived::Message(message) = replay.wait(handle)? else { unreachable!() };
            replay.request(call(&format!("agency.{}", message.body.as_text().unwrap())))?;
        }
        Ok(RunEnd::Finished)
    }));
    story.send("visit", "one", Handling::Optional);
    story.send("visit", "two", Handling::Optional);
    let asked: Vec<String> =
        story.targets(1).into_iter().filter(|target| target.starts_with("agency")).collect();
    assert_eq!(asked, ["agency.one", "agency.two"]);
}

#[test]
fn a_receive_that_lost_gives_its_message_back() {
    let mut story = one(Box::new(|replay| {
        let mail = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
        let found = replay.request(call("agency.record"))?;
        let race = replay.join(Join::Race(Members::List(vec![mail, found])))?;
        assert!(matches!(replay.wait(race)?, Arrived::Output { .. }));
        let again = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
        let Arrived::Message(message) = replay.wait(again)? else { unreachable!() };
        replay.request(call(&format!("agency.{}", message.body.as_text().unwrap())))?;
        Ok(RunEnd::Finished)
    }));
    let message =
        Message { channel: "visit".to_owned(), body: "late".into(), handling: Handling::Required };
    let send = Command::SendMessage { by: clerk(), matter: MatterNo(1), message };
    let reply = story.reply_to(1, 9, completed("R-1"));
    story.take(&[reply, send]);
    assert_eq!(story.targets(1).last().unwrap(), "agency.late");
    assert_eq!(story.case.matter(MatterNo(1)).unwrap().unread().count(), 0);
}

/// A message was given to a request whose race had ended before it in the same batch, and the
/// next one overtook it.
#[test]
fn a_message_is_not_overtaken_by_the_next_of_its_batch() {
    let script = || -> Handler {
        Box::new(|replay| {
            let asked = replay.request(call("agency.first"))?;
            let lost = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
            let next = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
            let race = replay.join(Join::Race(Members::List(vec![asked, lost])))?;
            replay.wait(race)?;
            let Arrived::Message(message) = replay.wait(next)? else { unreachable!() };
            replay.request(call(&format!("agency.{}", message.body.as_text().unwrap())))?;
            Ok(RunEnd::Finished)
        })
    };
    let send = |text: &str| Command::SendMessage {
        by: clerk(),
        matter: MatterNo(1),
        message: Message {
            channel: "visit".to_owned(),
            body: text.into(),
            handling: Handling::Optional,
        },
    };
    let mut story = one(script());
    let done = story.reply_to(1, 9, completed("P-1"));
    story.take(&[done, send("one"), send("two")]);
    assert_eq!(story.targets(1).last().unwrap(), "agency.one");
}

#[test]
fn a_message_that_came_before_the_clock_was_looked_at_wins_over_its_timer() {
    let mut story = one(Box::new(|replay| {
        let mail = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
        let hour = replay.timer("1 hour".parse().unwrap())?;
        let race = replay.join(Join::Race(Members::List(vec![mail, hour])))?;
        assert!(matches!(replay.wait(race)?, Arrived::Message(_)));
        replay.request(call("agency.heard"))?;
        Ok(RunEnd::Finished)
    }));
    story.now = story.now.plus_millis(7_200_000);
    let message =
        Message { channel: "visit".to_owned(), body: "x".into(), handling: Handling::Required };
    let send = Command::SendMessage { by: clerk(), matter: MatterNo(1), message };
    story.take(&[Command::Tick, send]);
    assert_eq!(story.targets(1).last().unwrap(), "agency.heard");
}

#[test]
fn nothing_closes_over_a_message_that_must_be_handled() {
    let mut story = one(ask_and_grant());
    story.send("visit", "objection", Handling::Required);
    story.completes(1);
    assert_eq!(story.stage(1), "accepted", "the grant is refused");
    assert_eq!(story.incidents(), ["MESSAGE_UNREAD"]);
}

/// A withdrawal used to close silently over what the script had not received.
#[test]
fn what_must_be_handled_is_shown_however_a_matter_ends() {
    let mut withdrawn = one(ask_and_grant());
    withdrawn.send("visit", "objection", Handling::Required);
    withdrawn.take(&[Command::Withdraw { by: applicant(), reason: "不办了".to_owned() }]);
    assert_eq!((withdrawn.stage(1), withdrawn.incidents()), ("withdrawn", vec!["MESSAGE_UNREAD"]));
    let mut stopped = one(ask_and_grant());
    stopped.send("visit", "objection", Handling::Required);
    assert_eq!(stopped.steer(&head(), 1, Steering::Cancel), &Answer::Done);
    assert!(stopped.incidents().contains(&"MESSAGE_UNREAD"), "{:?}", stopped.incidents());
}

/// Who said that he had looked at one message used to have looked at those that came later too.
#[test]
fn a_message_that_came_after_the_incident_is_shown_by_another_one() {
    let mut story = one(ask_and_grant());
    story.send("visit", "objection", Handling::Required);
    story.completes(1);
    story.send("visit", "another", Handling::Required);
    assert_eq!(story.way(&second(), WayOut::Acknowledge), &Answer::Done);
    assert_eq!(story.stage(1), "accepted", "nobody has seen the other one");
    assert_eq!(story.incidents(), ["MESSAGE_UNREAD", "MESSAGE_UNREAD"]);
    assert_eq!(story.way(&second(), WayOut::Acknowledge), &Answer::Done);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn a_grant_that_a_message_held_up_is_given_once_somebody_has_looked_at_it() {
    let mut story = one(ask_and_grant());
    story.send("visit", "objection", Handling::Required);
    story.completes(1);
    assert_eq!(story.way(&second(), WayOut::Acknowledge), &Answer::Done);
    assert_eq!(story.stage(1), "granted");
    assert_eq!(story.incidents(), ["MESSAGE_UNREAD"]);
    assert_eq!(story.case.open_incidents().count(), 0);
    assert_eq!(story.case.calls.len(), 1, "what was got is taken over");
}

#[test]
fn a_script_that_failed_for_an_unread_message_goes_on_once_somebody_has_looked_at_it() {
    let mut story = one(Box::new(|replay: &mut Replay| {
        let handle = replay.request(call("agency.issue"))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else { unreachable!() };
        let answered = replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        let refused = matches!(answered, Arrived::Answer(ActAnswer::Refused { .. }));
        Ok(if refused { fault() } else { RunEnd::Finished })
    }));
    story.send("visit", "objection", Handling::Required);
    story.completes(1);
    assert_eq!(story.incidents(), ["SCRIPT_FAILED", "MESSAGE_UNREAD"]);
    let unread = *story.case.incidents.keys().last().unwrap();
    story.way_of(&second(), unread, WayTaken::Other(WayOut::Acknowledge));
    assert_eq!((story.code(), story.stage(1)), ("done", "granted"));
    assert_eq!(story.case.open_incidents().count(), 0);
}

#[test]
fn only_staff_send_messages_and_none_without_bounds() {
    let mut story = one(receives());
    let message = |body: &str| Message {
        channel: "visit".to_owned(),
        body: body.into(),
        handling: Handling::Optional,
    };
    let send = |by: Viewer, body: &str| Command::SendMessage {
        by,
        matter: MatterNo(1),
        message: message(body),
    };
    story.take(&[send(applicant(), "x")]);
    assert_eq!(story.code(), "NOT_PERMITTED");
    let long = "长".repeat(crate::limits::MESSAGE_BYTES_MAX);
    story.take(&[send(clerk(), &long)]);
    assert_eq!(story.code(), "MESSAGE_TOO_LARGE");
}

#[test]
fn a_case_moves_to_another_closure_only_after_a_dry_run() {
    let broken = Switch::on();
    let mut story = one(fails_after_a_call(broken.clone()));
    story.completes(1);
    let mut other = (**story.scripts.closure.as_ref().unwrap()).clone();
    other.digest = Digest([2; 32]);
    let other = Arc::new(other);
    let incident = story.open_incident();
    story.way_of(&admin(), incident, WayTaken::Rebind(Arc::clone(&other)));
    assert_eq!(story.code(), "DRY_RUN_FAILED");
    assert_eq!(story.case.closure(), Digest([1; 32]));
    broken.off();
    story.way_of(&admin(), incident, WayTaken::Rebind(Arc::clone(&other)));
    assert_eq!(story.code(), "done");
    assert_eq!(story.case.closure(), Digest([2; 32]));
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn a_closure_of_another_service_is_refused() {
    let mut story = one(fails_after_a_call(Switch::on()));
    story.completes(1);
    let mut other = (**story.scripts.closure.as_ref().unwrap()).clone();
    other.service.code = ServiceCode::new("other");
    let incident = story.open_incident();
    story.way_of(&admin(), incident, WayTaken::Rebind(Arc::new(other)));
    assert_eq!(story.code(), "DRY_RUN_FAILED");
}

#[test]
fn a_stall_that_was_tried_again_in_vain_is_told_again() {
    let mut story = one(Box::new(|_: &mut Replay| Ok(RunEnd::Finished)));
    assert_eq!(story.incidents(), ["STALLED"]);
    story.way(&head(), WayOut::Retry);
    assert_eq!(story.incidents(), ["STALLED", "STALLED"]);
    story.way(&head(), WayOut::Acknowledge);
    assert_eq!(story.incidents(), ["STALLED", "STALLED"], "somebody looked, and has it in hand");
}

/// Asks for a parcel and waits; while the switch is on, for another thing.
fn asks_otherwise(changed: Switch) -> Handler {
    Box::new(move |replay| {
        let target = if changed.is_on() { "agency.other" } else { "agency.parcel" };
        let handle = replay.request(call(target))?;
        let Arrived::Output { .. } = or_end!(get(replay, handle)) else { unreachable!() };
        Ok(fault())
    })
}

#[test]
fn a_failed_run_names_its_request_and_the_versions_that_wrote_and_replayed_its_journal() {
    let changed = Switch::default();
    let mut story = one(asks_otherwise(changed.clone()));
    let mut other = (**story.scripts.closure.as_ref().unwrap()).clone();
    (other.digest, other.api_level) = (Digest([2; 32]), 7);
    let closure = Arc::new(other);
    let (by, reason) = (admin(), "更正".to_owned());
    story.take(&[Command::Rebind { by, closure, reason }]);
    changed.0.store(true, Ordering::SeqCst);
    story.completes(1);
    assert_eq!(story.incidents(), ["REPLAY_MISMATCH"]);
    let mismatch = story.open_incident();
    let state = &story.case.incidents[&mismatch];
    let place = state.place.as_ref().expect("a script failed").clone();
    let version = |version: &ScriptVersion| (version.closure, version.api_level);
    assert_eq!(place.request.to_string(), "1.0#0");
    assert_eq!(version(&place.written), (Digest([1; 32]), story.case.started.api_level));
    assert_eq!(version(&place.replayed), (Digest([2; 32]), 7));
    assert!(state.incident.expected.contains("agency.parcel"));
    assert!(state.incident.got.contains("agency.other"));

    changed.off();
    story.way(&admin(), WayOut::Restart { from: story.case.matters[0].run.requests[0].at });
    story.completes(1);
    assert_eq!(story.incidents(), ["REPLAY_MISMATCH", "SCRIPT_FAILED"]);
    let failed = story.open_incident();
    let place = story.case.incidents[&failed].place.as_ref().expect("a script failed");
    assert_eq!(place.request.to_string(), "1.1#1", "the one that would have come next");
    assert_eq!(place.written, place.replayed, "asked and replayed under the same version");
    assert_eq!(place.seen, story.case.matters[0].run.requests[1].settled.as_ref().unwrap().seq);
}
