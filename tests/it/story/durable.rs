//! Stories of waiting, restarting and time.

use std::sync::Arc;

use tongban_core::agency::{Ack, AgencyReply, ReplyBody};
use tongban_core::case::CallStatus;
use tongban_core::id::CallId;
use tongban_core::request::End;
use tongban_core::summary::CaseState;
use tongban_core::value::Value;
use tongban_engine::CaseView;

use super::world::{Agencies, Does, Said, World, completed, incidents, reply};

#[tokio::test]
async fn a_restart_goes_on_where_the_store_stands() {
    let handle = r#"
    let facts = wait(all(#{ one: start("office.one", #{}), two: start("office.two", #{}) }));
    let opinion = decide("office.approver", #{ title: "审批", facts: facts });
    if opinion.denied { return deny(opinion); }
    grant(ask("office.issue", #{ one: facts.one.number, two: facts.two.number }))
"#;
    let mut world = World::begin(r#"part("a")"#, &[("a", handle)]).await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    world.restart().await;
    world.decide(1, Said::Yes).await;
    world.until(|view| view.state() == CaseState::CompletedAll).await;
    world.restart().await;
    let view = world.until(|view| view.state() == CaseState::CompletedAll).await;
    assert!(incidents(&view).is_empty());
    assert_eq!(world.agencies.seen.lock().unwrap().len(), 3, "nothing was called twice");
}

#[tokio::test]
async fn a_call_under_way_at_a_restart_is_carried_on_under_its_id() {
    let agencies = Arc::new(Agencies::default());
    agencies.will("office.issue", Does::IsDown);
    let mut world =
        World::begin_with(r#"part("a")"#, &[("a", r#"grant(ask("office.issue", #{}))"#)], agencies)
            .await;
    while world.agencies.seen.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let before = world.agencies.seen.lock().unwrap().len();
    world.restart().await;
    world.stands(&["granted"]).await;
    let calls = world.agencies.seen.lock().unwrap().clone();
    assert!(calls.len() > before, "it was sent before and after the restart: {calls:?}");
    assert!(calls.iter().all(|(_, id)| *id == calls[0].1), "{calls:?}");
}

#[tokio::test]
async fn a_callback_before_and_after_the_end_is_acknowledged_for_what_it_is() {
    let agencies = Arc::new(Agencies::default());
    agencies.will("office.issue", Does::Accepts);
    let world =
        World::begin_with(r#"part("a")"#, &[("a", r#"grant(ask("office.issue", #{}))"#)], agencies)
            .await;
    let accepted = |status: &CallStatus| matches!(status, CallStatus::Accepted { .. });
    let view =
        world.until(|view| view.case().calls.values().any(|call| accepted(&call.status))).await;
    let call = *view.case().calls.keys().next().unwrap();
    let inbox = world.engine.inbox();
    let reply = completed(call, "P-1");
    let stored = inbox.deliver("agencies".to_owned(), reply.clone()).await.unwrap();
    assert_eq!(stored, Ack::Stored);
    let again = inbox.deliver("agencies".to_owned(), reply).await.unwrap();
    assert_eq!(again, Ack::Duplicate);
    let other = completed(call, "P-2");
    let strange = inbox.deliver("elsewhere".to_owned(), other).await.unwrap();
    assert_eq!(strange, Ack::UnknownCall);
    let view = world.until(|view| view.state() == CaseState::CompletedAll).await;
    assert_eq!(view.case().matters[0].result.as_ref().unwrap().number, "P-1");
}

#[tokio::test]
async fn a_timeout_fires_on_lawful_time_and_the_late_call_stays_an_obligation() {
    let agencies = Arc::new(Agencies::default());
    agencies.will("office.slow", Does::Accepts);
    let handle = r#"
    let answer = settle(timeout(start("office.slow", #{}), "1 working day"));
    let opinion = decide("office.approver", #{ title: "审批", facts: #{ kind: answer.kind } });
    grant(opinion)
"#;
    let mut world = World::begin_with(r#"part("a")"#, &[("a", handle)], agencies).await;
    let view = world.until(|view| view.case().calls.len() == 1).await;
    let call = *view.case().calls.keys().next().unwrap();
    world.clock.sleepers_reach(1).await;
    world.pass(48);
    world.decide(1, Said::Yes).await;
    world.stands(&["granted"]).await;
    let view = world.until(|_| true).await;
    assert_eq!(view.state(), CaseState::PartiallyCompleted);
    let late = completed(call, "late");
    world.engine.inbox().deliver("agencies".to_owned(), late).await.unwrap();
    // What came too late is somebody's to look at before the case is over.
    world.decide(1, Said::Yes).await;
    world.until(|view| view.state() == CaseState::CompletedAll).await;
}

/// A connector that panicked used to take its carrier with it: the call was open until the next
/// restart, and nobody was told.
#[tokio::test]
async fn a_connector_that_panics_is_an_unknown_outcome_and_the_call_goes_on() {
    let agencies = Arc::new(Agencies::default());
    agencies.will("office.issue", Does::Breaks);
    let world =
        World::begin_with(r#"part("a")"#, &[("a", r#"grant(ask("office.issue", #{}))"#)], agencies)
            .await;
    world.stands(&["granted"]).await;
    let calls = world.agencies.seen.lock().unwrap().clone();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0], calls[1], "the same id");
}

/// A reply that no store takes used to be handed in again for ever, and nobody was told.
#[tokio::test]
async fn a_reply_too_large_for_a_log_is_an_incident_and_not_stored() {
    let agencies = Arc::new(Agencies::default());
    let most = tongban_core::limits::VALUE_BYTES_MAX;
    agencies.will("office.look", Does::Gives(Value::text("x".repeat(4 * most))));
    let world =
        World::begin_with(r#"part("a")"#, &[("a", r#"grant(ask("office.look", #{}))"#)], agencies)
            .await;
    let view = world.until(|view| !incidents(view).is_empty()).await;
    assert_eq!(incidents(&view), ["CALL_FAILED"]);
    let told = &view.case().incidents.values().next().unwrap().incident.message;
    assert!(told.contains("reply_unusable"), "{told}");
    let call = *view.case().calls.keys().next().unwrap();
    let inbox = world.engine.inbox();
    let reply = large(call, most + 1);
    assert!(inbox.deliver("agencies".to_owned(), reply).await.is_err(), "by callback as well");
    let whole = large(call, most);
    assert_eq!(inbox.deliver("agencies".to_owned(), whole).await, Ok(Ack::Stored));
}

fn large(call: CallId, bytes: usize) -> AgencyReply {
    let output = Value::text("x".repeat(bytes - 8));
    reply(call, 3, ReplyBody::Completed { output, documents: Vec::new() })
}

/// Gives pages of ten kibibytes each, which the script counts before a person decides.
async fn gives_pages(count: usize) -> World {
    let agencies = Arc::new(Agencies::default());
    let pages = (0..count).map(|_| Value::text("页".repeat(3_400)));
    agencies.will("office.look", Does::Gives(Value::of([("pages", Value::List(pages.collect()))])));
    let handle = r#"
    let found = ask("office.look", #{});
    if found.pages[0].len() != 3400 { throw "not whole"; }
    let opinion = decide("office.approver", #{ title: "审批", facts: #{ pages: found.pages.len() } });
    grant(opinion)
"#;
    World::begin_with(r#"part("a")"#, &[("a", handle)], agencies).await
}

fn stands(view: &CaseView) -> bool {
    !incidents(view).is_empty() || view.case().open_tasks().next().is_some()
}

#[tokio::test]
async fn an_output_of_thirty_kibibytes_reaches_the_script_and_survives_a_restart() {
    let mut world = gives_pages(3).await;
    world.until(stands).await;
    world.restart().await;
    world.decide(1, Said::Yes).await;
    world.stands(&["granted"]).await;
    let view = world.until(|_| true).await;
    assert!(incidents(&view).is_empty(), "{:?}", incidents(&view));
}

#[tokio::test]
async fn an_output_of_two_hundred_kibibytes_is_kept_whole_and_is_one_incident_of_its_script() {
    let mut world = gives_pages(20).await;
    for _ in 0..2 {
        let view = world.until(stands).await;
        assert_eq!(incidents(&view), ["LIMIT_EXCEEDED"]);
        let asked = &view.case().matters[0].run.requests[0];
        let Some(End::Completed(reply)) = asked.settled.as_ref().map(|settled| &settled.end) else {
            panic!("{:?}", asked.settled)
        };
        let ReplyBody::Completed { output, .. } = &reply.body else { panic!("{reply:?}") };
        assert!(output.size() > 200_000);
        world.restart().await;
    }
}

#[tokio::test]
async fn two_cases_that_ask_the_same_share_no_digest_and_no_call_id() {
    let handle = r#"grant(ask("office.issue", #{ no: m.applicant.id }))"#;
    let mut world = World::begin(r#"part("a")"#, &[("a", handle)]).await;
    let mut known = Vec::new();
    for _ in 0..2 {
        world.stands(&["granted"]).await;
        let view = world.until(|_| true).await;
        let asked = &view.case().matters[0].run.requests[0];
        known.push((asked.made.ask.clone(), asked.made.digest, asked.call.unwrap()));
        world.begin_another().await;
    }
    assert_eq!(known[0].0, known[1].0, "the same question");
    assert_ne!(known[0].1, known[1].1);
    assert_ne!(known[0].2, known[1].2);
}
