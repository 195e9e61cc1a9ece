//! Stories of waiting, restarting and time.

use std::sync::Arc;

use tongban_core::agency::Ack;
use tongban_core::case::CallStatus;
use tongban_core::summary::CaseState;

use super::world::{Agencies, Does, Said, World, completed, incidents};

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
    world.restart().await;
    world.stands(&["granted"]).await;
    let calls = world.agencies.seen.lock().unwrap().clone();
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
