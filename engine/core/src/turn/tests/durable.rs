//! What durable execution promises, one promise at a time: what a replay compares, what a restart
//! takes over, what is undone, and what no record could hold.

use super::ways::{compensate, head};
use super::*;
use crate::command::Steering;
use crate::way_out::WayOut;

/// Asks `first`, and after that for a permit; the other script asks otherwise.
fn asks(first: Ask) -> Handler {
    Box::new(move |replay| {
        let handle = replay.request(first.clone())?;
        if !matches!(first, Ask::Compensate { .. }) {
            or_end!(get(replay, handle));
        }
        let permit = replay.request(call("agency.issue"))?;
        or_end!(get(replay, permit));
        Ok(RunEnd::Finished)
    })
}

fn call_with(operation: &str, input: Value) -> Ask {
    Ask::Call { operation: operation.to_owned(), place: None, input }
}

impl Story {
    /// Puts another script in the place of the one that the case runs on.
    fn changes_to(&mut self, body: Handler) -> &mut Self {
        self.scripts.bodies.insert(MatterCode::new("a"), body);
        self
    }

    /// Returns what the newest incident says: kind, message, both sides.
    fn told(&self) -> (IncidentKind, String, String, String) {
        let state = self.case.incidents.values().next_back().expect("an incident was raised");
        let incident = &state.incident;
        (incident.kind, incident.message.clone(), incident.expected.clone(), incident.got.clone())
    }

    fn steers(&mut self, steering: Steering) {
        let (by, matter, reason) = (head(), MatterNo(1), "系统升级".to_owned());
        self.take(&[Command::Steer { by, matter, steering, reason }]);
    }

    fn asked_of(&self, operation: &str) -> usize {
        let calls = self.case.calls.values();
        calls.filter(|call| self.case.operation_of(call) == Some(operation)).count()
    }
}

/// Runs one script up to its first reply, then another over the journal of the first.
fn replayed_as(before: Handler, after: Handler) -> (IncidentKind, String, String, String) {
    let mut story = one(before);
    let before = story.case.matters[0].run.requests.len();
    story.changes_to(after).completes(1);
    assert_eq!(story.calls_out(), 0, "nothing leaves");
    assert_eq!(story.case.matters[0].run.requests.len(), before, "nothing is recorded");
    story.told()
}

#[test]
fn a_request_of_another_kind_is_a_mismatch_that_names_the_kind() {
    let (kind, message, expected, got) =
        replayed_as(asks(compensate("agency.look")), asks(call("agency.look")));
    assert_eq!(kind, IncidentKind::ReplayMismatch);
    assert!(message.ends_with("at request 1.0#0: another kind"), "{message}");
    assert!(expected.starts_with("Compensate agency.look"), "{expected}");
    assert!(got.starts_with("Call agency.look"), "{got}");
}

#[test]
fn a_request_of_another_target_is_a_mismatch_that_names_the_target() {
    let (kind, message, expected, got) =
        replayed_as(asks(call("agency.look")), asks(call("agency.peek")));
    assert_eq!(kind, IncidentKind::ReplayMismatch);
    assert!(message.ends_with("at request 1.0#0: another target"), "{message}");
    assert!(expected.starts_with("Call agency.look"), "{expected}");
    assert!(got.starts_with("Call agency.peek"), "{got}");
}

#[test]
fn a_request_with_other_arguments_is_a_mismatch_that_names_their_digest() {
    let with = |area: i64| asks(call_with("agency.look", Value::of([("area", Value::Int(area))])));
    let (kind, message, expected, got) = replayed_as(with(41_987_654), with(41_987_655));
    assert_eq!(kind, IncidentKind::ReplayMismatch);
    assert!(message.ends_with("at request 1.0#0: another digest of arguments"), "{message}");
    assert_ne!(expected, got);
    let before_digest = |side: &str| side.split(" (").next().unwrap().to_owned();
    assert_eq!(before_digest(&expected), before_digest(&got));
    assert!(!expected.contains("4198765") && !got.contains("4198765"), "no argument is shown");
}

#[test]
fn a_wait_that_moved_is_a_mismatch_that_names_what_was_seen() {
    let waits = |early: bool| -> Handler {
        Box::new(move |replay| {
            let first = replay.request(call("agency.first"))?;
            if early {
                or_end!(get(replay, first));
            }
            let second = replay.request(call("agency.second"))?;
            or_end!(get(replay, second));
            or_end!(get(replay, first));
            Ok(RunEnd::Finished)
        })
    };
    let mut story = one(waits(false));
    let first = story.case.open_calls().find(|call| call.request.ordinal == 0).unwrap().clone();
    story.changes_to(waits(true)).take(&[reply_as(&first, 9, completed("P-1"))]);
    let (kind, message, expected, got) = story.told();
    assert_eq!(kind, IncidentKind::ReplayMismatch);
    assert!(message.contains("at request 1.0#1: another entry seen"), "{message}");
    let (left, right) = (expected.split("seen").next(), got.split("seen").next());
    assert_eq!(left, right, "kind, target and digest are the same");
    assert_ne!(expected, got);
}

#[test]
fn what_differs_in_nothing_replays() {
    let mut story = one(asks(call("agency.look")));
    story.changes_to(asks(call("agency.look"))).completes(1).completes(1);
    assert!(!story.incidents().contains(&"REPLAY_MISMATCH"), "{:?}", story.incidents());
}

#[test]
fn digests_of_equal_arguments_differ_between_cases() {
    let store = Secret::new(SECRET);
    let ask = call_with("agency.look", Value::of([("no", "420302199001010015".into())]));
    let of = |case: u8| crate::replay::fingerprint(&store.derive(b"case", &[case; 16]), &ask);
    assert_eq!(of(1), of(1), "a case compares with itself");
    assert_ne!(of(1), of(2), "what one case asked tells nothing about another");
    let plain = Digest::of(&ask.fingerprint().canonical());
    assert_ne!(of(1), plain, "without the key nobody can guess");
}

/// Looks something up, asks with what this generation holds right, then for what is refused.
fn looks_and_asks() -> Handler {
    Box::new(|replay| {
        let area = Value::Int(100 + i64::from(replay.matter().run.generation));
        let look = replay.request(call("agency.look"))?;
        or_end!(get(replay, look));
        let sized = replay.request(call_with("agency.size", Value::of([("area", area)])))?;
        or_end!(get(replay, sized));
        let asked = replay.request(call("agency.refuses"))?;
        or_end!(get(replay, asked));
        Ok(RunEnd::Finished)
    })
}

#[test]
fn a_restarted_run_takes_over_what_had_the_same_target_and_arguments_and_nothing_else() {
    let mut story = one(looks_and_asks());
    story.completes(1).completes(1);
    let refused = story.reply_to(1, 1, rejected());
    story.take(&[refused]).decide(1, Yes);
    assert_eq!(story.case.matters[0].run.generation, 1);
    assert_eq!(story.asked_of("agency.look"), 1, "taken over");
    assert_eq!(story.asked_of("agency.size"), 2, "other arguments are another question");
    let taken = story.case.matters[0].run.requests.iter();
    let taken: Vec<String> = taken
        .filter(|request| request.made.adopts.is_some())
        .map(|request| request.made.ask.target())
        .collect();
    assert_eq!(taken, ["agency.look"]);
}

/// Reserves something, with how to free it, then asks a person.
fn reserves() -> Handler {
    Box::new(|replay| {
        let look = replay.request(call("agency.look"))?;
        or_end!(get(replay, look));
        replay.request(compensate("agency.free"))?;
        let taken = replay.request(call("agency.take"))?;
        or_end!(get(replay, taken));
        let asked = replay.request(decision())?;
        or_end!(get(replay, asked));
        Ok(RunEnd::Finished)
    })
}

/// A script stopped, undone and handled anew used to go on with the reservation it had given up.
#[test]
fn what_was_undone_is_done_again_when_the_matter_is_handled_anew() {
    let mut story = one(reserves());
    story.completes(1).completes(1);
    story.steers(Steering::Cancel);
    assert_eq!(story.asked_of("agency.free"), 1);
    story.completes(1);
    story.decide(1, Yes);
    assert_eq!(story.asked_of("agency.look"), 1, "reading was not undone and is taken over");
    assert_eq!(story.asked_of("agency.take"), 2, "what was freed is taken again");
    story.completes(1);
    story.steers(Steering::Cancel);
    assert_eq!(story.asked_of("agency.free"), 2, "and freed again");
}

/// A person who gave an undoing up leaves the effect standing: taking again would double it.
#[test]
fn what_could_not_be_undone_is_not_done_twice() {
    let mut story = one(reserves());
    story.completes(1).completes(1);
    story.steers(Steering::Cancel);
    let refused = story.reply_to(1, 9, rejected());
    story.take(&[refused]);
    for by in [head(), approver()] {
        let incident = story.case.open_incidents().next().unwrap().0;
        let way = crate::command::WayTaken::Other(WayOut::Skip);
        let reason = "已线下处理".to_owned();
        story.take(&[Command::SettleIncident { by, incident, way, reason }]);
    }
    story.decide(1, Yes);
    assert_eq!(story.case.matters[0].run.generation, 1, "the matter is handled anew");
    assert_eq!(story.asked_of("agency.take"), 1);
}

/// An agency used to be asked to free what had never been taken.
#[test]
fn what_was_registered_between_a_stop_and_its_throw_is_not_undone() {
    let mut story = one(reserves());
    let stop = Command::Steer {
        by: head(),
        matter: MatterNo(1),
        steering: Steering::Cancel,
        reason: "停".to_owned(),
    };
    let reply = story.reply_to(1, 9, completed("P-1"));
    story.take(&[reply, stop]);
    assert_eq!(story.asked_of("agency.take"), 0, "it never left");
    assert_eq!(story.asked_of("agency.free"), 0, "so there is nothing to free");
    let cancel = story.case.matters[0].run.cancel.clone().unwrap();
    assert!(cancel.undone);
}

/// A restart used to send a retried call at once, with another deadline in its body.
#[test]
fn a_retried_call_is_asked_for_first_after_a_restart_too() {
    let mut story = one(ask_and_grant());
    let id = story.open_call(1).made.id;
    let fault = crate::agency::Fault {
        class: crate::agency::FaultClass::Conflict,
        effect: crate::agency::Effect::Unknown,
        code: "gone".to_owned(),
        retry_after: None,
        text: String::new(),
    };
    story.take(&[Command::CallFailed { call: id, fault }]);
    let incident = story.case.open_incidents().next().unwrap().0;
    let way = crate::command::WayTaken::Other(WayOut::Retry);
    let reason = "已联系".to_owned();
    story.take(&[Command::SettleIncident { by: head(), incident, way, reason }]);
    let asks = [Effect::Query { call: id, after_millis: 0 }];
    assert_eq!(story.effects, asks);
    story.take(&[Command::Wake]);
    story.effects.retain(|effect| !matches!(effect, Effect::Issue(_)));
    assert_eq!(story.effects, asks);
}

fn decides(title: &str, role: &str) -> Handler {
    let (title, role) = (title.to_owned(), role.to_owned());
    Box::new(move |replay| {
        let ask = Ask::Decide {
            role: role.clone(),
            title: title.clone(),
            facts: Value::Null,
            options: Value::Null,
        };
        let handle = replay.request(ask)?;
        or_end!(get(replay, handle));
        Ok(RunEnd::Finished)
    })
}

/// Texts that lists and index rows carry used to make a commit that no store takes.
#[test]
fn a_title_or_a_role_without_bounds_is_one_incident() {
    let role = "natural-resources.approver";
    let bounds = [limits::TITLE_BYTES_MAX - 1, limits::TITLE_BYTES_MAX];
    for length in bounds {
        assert!(one(decides(&"t".repeat(length), role)).incidents().is_empty(), "{length}");
    }
    let long = one(decides(&"t".repeat(limits::TITLE_BYTES_MAX + 1), role));
    assert_eq!(long.incidents(), ["LIMIT_EXCEEDED"]);
    assert_eq!(long.case.open_tasks().count(), 0);
    let fits = format!("natural-resources.{}", "r".repeat(limits::NAME_BYTES_MAX - 18));
    assert!(one(decides("审批", &fits)).incidents().is_empty());
    let long = one(decides("审批", &format!("{fits}r")));
    assert_eq!(long.incidents(), ["LIMIT_EXCEEDED"]);
}

#[test]
fn a_request_at_the_limit_of_a_value_is_made_and_a_larger_one_is_an_incident() {
    let asks_with = |bytes: usize| {
        // A text counts its bytes and eight more.
        one(asks(call_with("agency.look", Value::text("x".repeat(bytes - 8)))))
    };
    for bytes in [limits::VALUE_BYTES_MAX - 1, limits::VALUE_BYTES_MAX] {
        let story = asks_with(bytes);
        assert!(story.incidents().is_empty(), "{bytes}");
        assert_eq!(story.calls_out(), 1, "{bytes}");
    }
    let story = asks_with(limits::VALUE_BYTES_MAX + 1);
    assert_eq!(story.calls_out(), 0);
    let (kind, message, ..) = story.told();
    assert_eq!(kind, IncidentKind::LimitExceeded);
    assert!(message.contains("agency.look") && message.contains("262144"), "{message}");
}

#[test]
fn a_reply_at_the_limit_of_a_value_is_taken_and_a_larger_one_is_refused_with_nothing_recorded() {
    let says = |bytes: usize| ReplyBody::Completed {
        output: Value::text("x".repeat(bytes - 8)),
        documents: Vec::new(),
    };
    for bytes in [limits::VALUE_BYTES_MAX - 1, limits::VALUE_BYTES_MAX] {
        let mut story = one(asks(call("agency.look")));
        let reply = story.reply_to(1, 1, says(bytes));
        story.take(&[reply]);
        assert_eq!(story.answers, [Answer::Acked(crate::agency::Ack::Stored)], "{bytes}");
    }
    let mut story = one(asks(call("agency.look")));
    let (reply, before) =
        (story.reply_to(1, 1, says(limits::VALUE_BYTES_MAX + 1)), story.entries.len());
    story.take(&[reply]);
    let Answer::Refused(refusal) = &story.answers[0] else { panic!("{:?}", story.answers) };
    assert_eq!(refusal.code, "REPLY_TOO_LARGE");
    assert_eq!(story.entries.len(), before);
}

#[test]
fn a_document_number_without_bounds_is_refused() {
    let mut story = one(asks(call("agency.look")));
    let number = "9".repeat(limits::NAME_BYTES_MAX + 1);
    let reply = story.reply_to(1, 1, completed(&number));
    story.take(&[reply]);
    assert!(
        matches!(&story.answers[0], Answer::Refused(refusal) if refusal.code == "REPLY_TOO_LARGE")
    );
}

#[test]
fn a_script_that_opens_tasks_without_end_is_one_incident() {
    let asks: Handler = Box::new(|replay| {
        for _ in 0..=limits::CASE_TASKS_MAX {
            replay.request(decision())?;
        }
        let last = replay.request(decision())?;
        or_end!(get(replay, last));
        Ok(RunEnd::Finished)
    });
    let story = one(asks);
    assert_eq!(story.incidents(), ["LIMIT_EXCEEDED"]);
    assert_eq!(story.case.open_tasks().count(), 0, "none of its requests counts");
}
