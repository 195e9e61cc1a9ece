//! What a combinator leaves behind: timers and questions that lost are over, calls that lost are
//! obligations, and a late completion is somebody's to handle.

use super::*;
use crate::agency::{Effect as Done, Fault, FaultClass};
use crate::case::CallStatus;

fn list(handles: &[Handle]) -> Members {
    Members::List(handles.to_vec())
}

fn timer(replay: &mut Replay, period: &str) -> Result<Handle, Stop> {
    replay.timer(period.parse().unwrap())
}

/// Tells how a wait ended in one word.
fn word(arrived: &Arrived) -> &'static str {
    match arrived {
        Arrived::Thrown { outcome, .. } => outcome.kind.code(),
        Arrived::Output { .. } => "completed",
        Arrived::Decision { .. } => "decided",
        Arrived::Fired => "fired",
        Arrived::Answer(_) => "answered",
        Arrived::Message(_) => "message",
        Arrived::List(_) => "list",
        Arrived::Map(_) => "map",
        Arrived::Settled(_) => "settled",
    }
}

/// Asks an agency that carries the words as its operation, so that a test can read them.
fn say(replay: &mut Replay, words: &[&Arrived]) -> Result<Handle, Stop> {
    let words: Vec<&str> = words.iter().map(|arrived| word(arrived)).collect();
    replay.request(call(&format!("agency.{}", words.join("_"))))
}

/// What a script does with a question that lost.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Then {
    GoesOn,
    WaitsForIt,
}

/// Races a call against a question and an hour.
fn race_then(then: Then) -> Handler {
    Box::new(move |replay| {
        let slow = replay.request(call("agency.slow"))?;
        let question = replay.request(decision())?;
        let hour = timer(replay, "1 hour")?;
        let race = replay.join(Join::Race(list(&[slow, question, hour])))?;
        let first = replay.wait(race)?;
        let waits = then == Then::WaitsForIt;
        let again = if waits { replay.wait(question)? } else { first.clone() };
        let said = say(replay, &[&first, &again])?;
        replay.wait(said)?;
        Ok(RunEnd::Finished)
    })
}

impl Story {
    fn asked(&self, no: u16) -> Vec<String> {
        let matter = self.case.matter(MatterNo(no)).unwrap();
        matter.run.requests.iter().map(|request| request.made.ask.target()).collect()
    }

    fn released(&self) -> Vec<String> {
        let bodies = self.entries.iter().map(|entry| &entry.body);
        bodies
            .filter_map(|body| {
                let Body::RequestReleased { request, .. } = body else { return None };
                Some(request.to_string())
            })
            .collect()
    }

    fn fails(&mut self, no: u16) -> &mut Self {
        let fault = Fault {
            class: FaultClass::Conflict,
            effect: Done::Unknown,
            code: "gone".to_owned(),
            retry_after: None,
            text: String::new(),
        };
        let call = self.open_call(no).made.id;
        self.take(&[Command::CallFailed { call, fault }])
    }

    fn word_of(&mut self, who: &str, kind: TaskKind, said: Said) -> &mut Self {
        let task = self.case.open_tasks().find(|task| task.opened.kind == kind).unwrap().clone();
        let by = Viewer::new(who, Role::Approver).within("420300").of("natural-resources");
        self.take(&[Command::CompleteTask {
            by,
            task: TaskAt { no: task.no, version: task.version },
            outcome: TaskOutcome {
                granted: said == Yes,
                opinion: "已电话核实".to_owned(),
                fields: Value::map(),
            },
            seen: crate::command::Seen::default(),
        }])
    }

    fn open_kinds(&self) -> Vec<TaskKind> {
        self.case.open_tasks().map(|task| task.opened.kind).collect()
    }
}

#[test]
fn the_losers_of_a_race_are_released_in_the_same_commit() {
    let mut story = one(race_then(Then::GoesOn));
    assert_eq!(story.open_kinds(), [TaskKind::Decide]);
    let commit = story.entries.len();
    story.completes(1);
    assert_eq!(story.asked(1)[3], "agency.completed_completed");
    let kinds: Vec<String> =
        story.entries[commit..].iter().map(|entry| kind(&entry.body)).collect();
    assert_eq!(
        kinds,
        ["CallReplied", "Requested", "RequestReleased", "TaskDropped", "RequestReleased"]
    );
    assert_eq!(story.released(), ["1.0#1", "1.0#2"]);
    assert!(story.open_kinds().is_empty(), "the question has lost its purpose");
    assert_eq!(crate::schedule::timers(&story.case).count(), 0, "the timer will not fire");
}

fn kind(body: &Body) -> String {
    let text = format!("{body:?}");
    text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

#[test]
fn a_question_that_lost_is_cancelled_for_whoever_waits_for_it_later() {
    let mut story = one(race_then(Then::WaitsForIt));
    story.completes(1);
    assert_eq!(story.asked(1)[3], "agency.completed_cancelled");
}

#[test]
fn an_answer_in_the_same_batch_as_the_winner_comes_too_late() {
    let mut story = one(race_then(Then::WaitsForIt));
    let reply = story.reply_to(1, 9, completed("P-1"));
    let task = story.case.open_tasks().next().unwrap().clone();
    let answer = Command::CompleteTask {
        by: approver(),
        task: TaskAt { no: task.no, version: task.version },
        outcome: TaskOutcome { granted: true, opinion: String::new(), fields: Value::map() },
        seen: crate::command::Seen::default(),
    };
    story.take(&[reply, answer]);
    assert_eq!(story.asked(1)[3], "agency.completed_cancelled", "as if they came one by one");
}

#[test]
fn a_call_that_lost_is_an_obligation_and_its_late_completion_is_handled_by_a_person() {
    let mut story = one(Box::new(|replay| {
        let slow = replay.request(call("agency.slow"))?;
        let hour = timer(replay, "1 hour")?;
        let limited = replay.join(Join::Timeout { handle: slow, timer: hour })?;
        let first = replay.wait(limited)?;
        let opinion = replay.request(decision())?;
        let Arrived::Decision { key, .. } = replay.wait(opinion)? else { unreachable!() };
        assert_eq!(word(&first), "timed_out");
        replay.act(ActKind::Grant, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    }));
    story.now = story.now.plus_millis(3_600_000);
    story.take(&[Command::Tick]);
    let call = story.open_call(1);
    assert!(call.released.is_some(), "nobody waits for it");
    story.decide(1, Yes);
    assert_eq!(story.stage(1), "granted");
    let state = |story: &Story| read_model::state(&story.case);
    assert_eq!(state(&story), CaseState::PartiallyCompleted, "the call is not over");
    story.completes(1);
    assert_eq!(story.open_kinds(), [TaskKind::LateReply]);
    assert_eq!(state(&story), CaseState::PartiallyCompleted, "nobody has looked at it");
    story.word_of("a", TaskKind::LateReply, Yes);
    assert_eq!(state(&story), CaseState::CompletedAll);
}

#[test]
fn a_lost_call_that_is_waited_for_again_is_nobody_elses_message() {
    let mut story = one(Box::new(|replay| {
        let slow = replay.request(call("agency.slow"))?;
        let hour = timer(replay, "1 hour")?;
        let limited = replay.join(Join::Timeout { handle: slow, timer: hour })?;
        let first = replay.wait(limited)?;
        let reminded = replay.request(call("agency.remind"))?;
        replay.wait(reminded)?;
        let then = replay.wait(slow)?;
        let said = say(replay, &[&first, &then])?;
        replay.wait(said)?;
        Ok(RunEnd::Finished)
    }));
    story.now = story.now.plus_millis(3_600_000);
    story.take(&[Command::Tick]);
    let calls: Vec<_> = story.case.open_calls().cloned().collect();
    let remind = calls.iter().find(|call| call.request.ordinal == 2).unwrap();
    story.take(&[reply_as(remind, 1, completed("R"))]);
    let slow = calls.iter().find(|call| call.request.ordinal == 0).unwrap();
    story.take(&[reply_as(slow, 1, completed("S"))]);
    assert_eq!(story.asked(1)[3], "agency.timed_out_completed");
    assert!(story.open_kinds().is_empty(), "{:?}", story.open_kinds());
}

#[test]
fn a_lost_call_without_an_end_is_settled_by_two_persons() {
    let mut story = one(race_then(Then::GoesOn));
    story.word_of("a", TaskKind::Decide, Yes);
    assert_eq!(story.asked(1)[3], "agency.decided_decided");
    story.fails(1);
    assert_eq!(story.open_kinds(), [TaskKind::Obligation]);
    story.word_of("a", TaskKind::Obligation, Yes);
    assert!(story.case.has_obligations(), "one word is not enough");
    story.word_of("a", TaskKind::Obligation, Yes);
    assert!(matches!(&story.answers[0], Answer::Refused(why) if why.code == "FOUR_EYES"));
    story.word_of("b", TaskKind::Obligation, Yes);
    let resolved = story.entries.iter().find_map(|entry| {
        let Body::ObligationResolved { officers, .. } = &entry.body else { return None };
        Some(officers.clone())
    });
    assert_eq!(resolved, Some(vec!["a".to_owned(), "b".to_owned()]));
    let lost = story.case.calls.values().find(|call| call.request.ordinal == 0).unwrap();
    assert_eq!(lost.status, CallStatus::Over);
}

#[test]
fn two_persons_may_have_the_agency_asked_anew() {
    let mut story = one(race_then(Then::GoesOn));
    story.word_of("a", TaskKind::Decide, Yes);
    story.fails(1);
    story.word_of("a", TaskKind::Obligation, No).word_of("b", TaskKind::Obligation, No);
    let again = story.open_call(1);
    assert_eq!((again.made.generation, again.request.ordinal), (1, 0));
    assert!(again.released.is_some(), "still nobody waits for it");
    assert_eq!(story.calls_out(), 1);
}

#[test]
fn an_agency_that_answers_after_all_leaves_nothing_to_find_out() {
    let mut story = one(race_then(Then::GoesOn));
    story.word_of("a", TaskKind::Decide, Yes);
    let lost = story.open_call(1);
    story.fails(1);
    story.take(&[reply_as(&lost, 4, completed("P-9"))]);
    assert_eq!(story.open_kinds(), [TaskKind::LateReply]);
}

#[test]
fn what_completes_after_a_withdrawal_is_handled_by_a_person() {
    let mut story = one(ask_and_grant());
    let call = story.open_call(1);
    let by = applicant();
    story.take(&[Command::Withdraw { by, reason: "不办了".to_owned() }]);
    assert_eq!(read_model::state(&story.case), CaseState::PartiallyCompleted);
    story.take(&[reply_as(&call, 1, completed("P-1"))]);
    assert_eq!(story.open_kinds(), [TaskKind::LateReply]);
    story.word_of("a", TaskKind::LateReply, Yes);
    assert_eq!(read_model::state(&story.case), CaseState::Withdrawn);
}

#[test]
fn a_rejection_after_a_withdrawal_is_nothing_to_handle() {
    let mut story = one(ask_and_grant());
    let call = story.open_call(1);
    story.take(&[Command::Withdraw { by: applicant(), reason: "不办了".to_owned() }]);
    story.take(&[reply_as(&call, 1, rejected())]);
    assert_eq!(read_model::state(&story.case), CaseState::Withdrawn);
}

#[test]
fn another_combinator_keeps_a_question_open_after_a_time_out() {
    let mut story = one(Box::new(|replay| {
        let question = replay.request(decision())?;
        let kept = replay.join(Join::AllSettled(list(&[question])))?;
        let hour = timer(replay, "1 hour")?;
        let limited = replay.join(Join::Timeout { handle: question, timer: hour })?;
        let first = replay.wait(limited)?;
        replay.wait(kept)?;
        let then = replay.wait(question)?;
        let said = say(replay, &[&first, &then])?;
        replay.wait(said)?;
        Ok(RunEnd::Finished)
    }));
    story.now = story.now.plus_millis(3_600_000);
    story.take(&[Command::Tick]);
    assert_eq!(story.open_kinds(), [TaskKind::Decide]);
    story.decide(1, Yes);
    assert_eq!(story.asked(1)[2], "agency.timed_out_decided");
}

#[test]
fn the_first_failure_of_all_releases_the_others() {
    let mut story = one(Box::new(|replay| {
        let first = replay.request(call("agency.first"))?;
        let question = replay.request(decision())?;
        let both = replay.join(Join::All(list(&[first, question])))?;
        let ended = replay.wait(both)?;
        let said = say(replay, &[&ended])?;
        replay.wait(said)?;
        Ok(RunEnd::Finished)
    }));
    let reply = story.reply_to(1, 1, rejected());
    story.take(&[reply]);
    assert_eq!(story.asked(1)[2], "agency.rejected");
    assert_eq!(story.released(), ["1.0#1"]);
}

#[test]
fn a_race_inside_another_wait_lets_go_when_it_ends() {
    let mut story = one(Box::new(|replay| {
        let slow = replay.request(call("agency.slow"))?;
        let question = replay.request(decision())?;
        let hour = timer(replay, "1 hour")?;
        let race = replay.join(Join::Race(list(&[question, hour])))?;
        let both = replay.join(Join::All(list(&[slow, race])))?;
        let ended = replay.wait(both)?;
        let question = replay.wait(question)?;
        let said = say(replay, &[&ended, &question])?;
        replay.wait(said)?;
        Ok(RunEnd::Finished)
    }));
    story.now = story.now.plus_millis(3_600_000);
    story.take(&[Command::Tick]);
    assert_eq!(story.released(), ["1.0#1"], "though the outer one still waits");
    story.completes(1);
    assert_eq!(story.asked(1)[3], "agency.list_cancelled");
}

#[test]
fn a_finished_script_leaves_no_timer_and_no_question_behind() {
    let mut story = one(Box::new(|replay| {
        replay.request(decision())?;
        timer(replay, "1 hour")?;
        Ok(RunEnd::Finished)
    }));
    assert_eq!(story.released(), ["1.0#0", "1.0#1"]);
    assert!(story.open_kinds().is_empty());
    assert_eq!(story.incidents(), ["STALLED"], "and nothing can wake the matter");
    story.take(&[Command::Wake]);
    assert_eq!(story.released().len(), 2);
}

#[test]
fn combinators_of_nothing_and_of_one_thing_twice() {
    let story = one(Box::new(|replay| {
        let none = replay.join(Join::All(list(&[])))?;
        assert_eq!(replay.wait(none)?, Arrived::List(vec![]));
        let none = replay.join(Join::AllSettled(Members::Map(vec![])))?;
        assert_eq!(replay.wait(none)?, Arrived::Map(vec![]));
        let call = replay.request(call("agency.once"))?;
        let twice = replay.join(Join::All(list(&[call, call])))?;
        let raced = replay.join(Join::Race(list(&[call, call, twice])))?;
        let deep = replay.join(Join::AllSettled(list(&[twice, raced, call])))?;
        let Arrived::List(ends) = replay.wait(deep)? else { unreachable!() };
        assert_eq!(ends.len(), 3);
        let again = replay.wait(deep)?;
        assert_eq!(again, Arrived::List(ends), "a handle gives the same each time");
        assert_eq!(replay.wait(call)?, replay.wait(raced)?);
        let none = replay.join(Join::Race(list(&[])))?;
        replay.wait(none)?;
        unreachable!("a race of nothing never ends")
    }));
    let mut story = story;
    story.completes(1);
    assert!(story.released().is_empty());
    assert_eq!(story.incidents(), ["STALLED"], "a race of nothing is waited for in vain");
}
