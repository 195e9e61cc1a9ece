//! Dry runs of cases under other scripts: what passes, where another way is taken, what nobody
//! can know.

use super::*;
use crate::dry_run::{Candidate, Found, Outcome as Came, Verdict, dry_run};
use crate::request::RequestKind;

/// Asks for a parcel, then for a decision on it.
fn parcel_then_opinion(replay: &mut Replay) -> Result<RunEnd, Stop> {
    let parcel = replay.request(call("natural-resources.parcel"))?;
    replay.wait(parcel)?;
    let opinion = replay.request(decision())?;
    replay.wait(opinion)?;
    Ok(RunEnd::Finished)
}

fn story() -> Story {
    let body: Handler = Box::new(parcel_then_opinion);
    Story::begin(vec![part("a", &[])], vec![(matter("a"), body)])
}

/// Tries the case of a story under another `handle`.
fn tried(
    story: &Story,
    body: impl Fn(&mut Replay) -> Result<RunEnd, Stop> + Send + Sync + 'static,
) -> Verdict {
    let closure = story.scripts.closure.clone().unwrap();
    let mut other = Closures { closure: Some(Arc::clone(&closure)), ..Closures::default() };
    other.bodies.insert(MatterCode::new("a"), Box::new(body));
    under(story, &other, &closure)
}

fn under(story: &Story, script: &Closures, closure: &Closure) -> Verdict {
    let secret = Secret::new(SECRET);
    let calendars = Calendars::shipped();
    let candidate = Candidate { script, closure, secret: &secret, calendars: &calendars };
    dry_run(&story.case, candidate)
}

#[test]
fn the_same_scripts_pass_and_would_ask_for_nothing() {
    let story = story();
    let verdict = tried(&story, parcel_then_opinion);
    assert_eq!(verdict.outcome(), Came::Passes);
    let Found::Passes(proof) = &verdict.matters[0].found else { panic!("{verdict:?}") };
    assert!(proof.asks.is_empty() && !proof.ends, "{proof:?}");
    assert_eq!(verdict.head, story.case.head);
}

#[test]
fn a_change_beyond_what_happened_passes() {
    let story = story();
    let verdict = tried(&story, |replay| {
        let parcel = replay.request(call("natural-resources.parcel"))?;
        replay.wait(parcel)?;
        let other = replay.request(call("fire.review"))?;
        replay.wait(other)?;
        Ok(RunEnd::Finished)
    });
    assert!(verdict.may_rebind(), "{verdict:?}");
}

#[test]
fn what_a_candidate_would_ask_at_once_is_told() {
    let story = story();
    let verdict = tried(&story, |replay| {
        let parcel = replay.request(call("natural-resources.parcel"))?;
        replay.request(call("market-regulation.enterprise"))?;
        replay.wait(parcel)?;
        Ok(RunEnd::Finished)
    });
    let Found::Passes(proof) = &verdict.matters[0].found else { panic!("{verdict:?}") };
    assert_eq!(proof.asks, [(RequestKind::Call, "market-regulation.enterprise".to_owned())]);
}

#[test]
fn another_request_diverges_with_both_sides_and_its_key() {
    let story = story();
    let verdict = tried(&story, |replay| {
        let parcel = replay.request(call("natural-resources.land"))?;
        replay.wait(parcel)?;
        Ok(RunEnd::Finished)
    });
    assert_eq!(verdict.outcome(), Came::Diverges);
    assert!(!verdict.may_rebind());
    let (matter, divergence) = verdict.divergence().unwrap();
    assert_eq!(matter.code.as_str(), "a");
    assert_eq!(divergence.request.as_ref().map(ToString::to_string).as_deref(), Some("1.0#0"));
    assert!(divergence.fault.expected.contains("natural-resources.parcel"), "{divergence:?}");
    assert!(divergence.fault.got.contains("natural-resources.land"), "{divergence:?}");
}

#[test]
fn a_request_that_is_not_made_any_more_diverges() {
    let story = story();
    let verdict = tried(&story, |_| Ok(RunEnd::Finished));
    let (_, divergence) = verdict.divergence().unwrap();
    assert!(divergence.fault.message.contains("1.0#0"), "{divergence:?}");
    assert!(divergence.request.is_some());
}

#[test]
fn an_open_decision_is_opaque_and_proven_up_to_what_was_consumed() {
    let mut story = story();
    let asked = story.case.head;
    story.completes(1);
    let verdict = tried(&story, |replay| {
        let parcel = replay.request(call("natural-resources.parcel"))?;
        replay.wait(parcel)?;
        let opinion = replay.request(decision())?;
        replay.wait(opinion)?;
        Ok(RunEnd::Finished)
    });
    assert_eq!(verdict.outcome(), Came::Opaque);
    assert!(verdict.may_rebind());
    let Found::Opaque(proof) = &verdict.matters[0].found else { panic!("{verdict:?}") };
    assert_eq!(proof.upto, Seq(asked.0 + 1), "the reply was consumed");
    assert!(proof.decision.is_some());
}

#[test]
fn a_stopped_script_is_tried_so_that_it_can_be_rescued() {
    let body: Handler = Box::new(|replay: &mut Replay| {
        let parcel = replay.request(call("natural-resources.parcel"))?;
        replay.wait(parcel)?;
        Err(replay.fail(ScriptFault::new(ScriptFaultKind::Script, "1/0")))
    });
    let mut story = Story::begin(vec![part("a", &[])], vec![(matter("a"), body)]);
    story.completes(1);
    assert!(story.case.matters[0].run.stopped.is_some());
    assert!(tried(&story, parcel_then_opinion).may_rebind());
}

#[test]
fn matters_at_other_places_are_no_version_of_the_case() {
    let story = story();
    let closure = story.scripts.closure.clone().unwrap();
    let mut moved = (*closure).clone();
    moved.service.parts.insert(0, part("b", &[]));
    moved.matters.insert(MatterCode::new("b"), matter("b"));
    let verdict = under(&story, &story.scripts, &moved);
    assert_eq!(verdict.outcome(), Came::Diverges);
    let mut added = (*closure).clone();
    added.service.parts.push(part("b", &[]));
    added.matters.insert(MatterCode::new("b"), matter("b"));
    assert!(under(&story, &story.scripts, &added).may_rebind());
}

#[test]
fn a_machine_that_fails_proves_nothing() {
    let story = story();
    let verdict = tried(&story, |replay| {
        Err(replay.fail(ScriptFault::new(ScriptFaultKind::Infrastructure, "out of time")))
    });
    assert_eq!(verdict.outcome(), Came::Unknown);
    assert!(!verdict.may_rebind());
}

#[test]
fn what_is_over_is_not_tried() {
    let story = Story::begin(
        vec![part("a", &[])],
        vec![(matter("a"), Box::new(|_: &mut Replay| Ok(RunEnd::Finished)) as Handler)],
    );
    let verdict = tried(&story, parcel_then_opinion);
    assert_eq!(verdict.matters[0].found, Found::Idle);
}
