//! Stories of a store that was restored from an older backup.

use std::sync::Arc;

use tongban_core::agency::{Ack, ReplyBody};
use tongban_core::id::CallId;
use tongban_core::summary::CaseState;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::IdempotencyKey;

use super::world::{Agencies, Does, Said, World, completed, incidents, reply};

const DECIDE_AND_ISSUE: &str = r#"
    let opinion = decide("office.approver", #{ title: "审批" });
    if opinion.denied { return deny(opinion); }
    grant(ask("office.issue", #{}))
"#;

fn seen(world: &World) -> Vec<CallId> {
    world.agencies.seen.lock().unwrap().iter().map(|(_, call)| *call).collect()
}

fn supervisor() -> Viewer {
    Viewer::new("s", Role::Supervisor).within("420300")
}

#[tokio::test]
async fn a_callback_to_a_lost_call_is_parked_until_its_case_asks_again() {
    let agencies = Arc::new(Agencies::default());
    for _ in 0..2 {
        agencies.will("office.issue", Does::Accepts);
    }
    let mut world = World::begin_with(r#"part("a")"#, &[("a", DECIDE_AND_ISSUE)], agencies).await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    let backup = world.backup().await;
    world.decide(1, Said::Yes).await;
    world.until(|view| !view.case().calls.is_empty()).await;
    world.until(|view| view.case().calls.values().any(|call| !call.messages.is_empty())).await;
    let call = seen(&world)[0];

    world.restore(&backup).await;
    let view = world.until(|view| view.case().open_tasks().next().is_some()).await;
    assert!(view.case().calls.is_empty(), "the call was lost with what came after the backup");
    let inbox = world.engine.inbox();
    let answer = completed(call, "P-1");
    let told = inbox.deliver("agencies".to_owned(), answer.clone()).await.unwrap();
    assert_eq!(told, Ack::Stored, "nobody would send it again");
    let again = inbox.deliver("agencies".to_owned(), answer).await.unwrap();
    assert_eq!(again, Ack::Duplicate);
    let parked = world.engine.parked_replies(&supervisor()).unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!((parked[0].call, parked[0].kind.as_str()), (call, "completed"));
    assert!(world.engine.parked_replies(&super::world::officer()).is_err());

    world.restart().await;
    assert_eq!(world.engine.parked_replies(&supervisor()).unwrap().len(), 1);
    world.decide(1, Said::Yes).await;
    let view = world.until(|view| view.state() == CaseState::CompletedAll).await;
    assert_eq!(view.case().matters[0].result.as_ref().unwrap().number, "P-1");
    assert!(incidents(&view).is_empty());
    assert!(seen(&world).iter().all(|known| *known == call), "one id before and after");
    world.until_none_is_parked().await;
}

#[tokio::test]
async fn a_store_that_was_never_restored_refuses_what_it_does_not_know() {
    let world = World::begin(r#"part("a")"#, &[("a", DECIDE_AND_ISSUE)]).await;
    let inbox = world.engine.inbox();
    let strange = inbox.deliver("agencies".to_owned(), completed(CallId([4; 16]), "P-1")).await;
    assert_eq!(strange.unwrap(), Ack::UnknownCall);
    assert!(world.engine.parked_replies(&supervisor()).unwrap().is_empty());
}

#[tokio::test]
async fn a_cursor_of_the_lost_time_must_resync_after_a_restore() {
    let mut world = World::begin(r#"part("a")"#, &[("a", DECIDE_AND_ISSUE)]).await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    let backup = world.backup().await;
    let page = world.engine.events(&supervisor(), world.case, None, 100).await.unwrap().unwrap();
    world.restore(&backup).await;
    let stale = world.engine.events(&supervisor(), world.case, Some(&page.cursor), 100).await;
    assert_eq!(stale.unwrap_err().code(), "RESYNC_REQUIRED");
}

#[tokio::test]
async fn a_reply_that_matches_no_call_is_handed_to_one_by_a_person_or_put_aside() {
    let agencies = Arc::new(Agencies::default());
    for _ in 0..2 {
        agencies.will("office.issue", Does::Accepts);
    }
    let mut world = World::begin_with(r#"part("a")"#, &[("a", DECIDE_AND_ISSUE)], agencies).await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    let backup = world.backup().await;
    world.restore(&backup).await;
    let inbox = world.engine.inbox();
    for (call, number) in [(CallId([4; 16]), "P-4"), (CallId([5; 16]), "P-5")] {
        let told = inbox.deliver("agencies".to_owned(), completed(call, number)).await.unwrap();
        assert_eq!(told, Ack::Stored);
    }
    world.decide(1, Said::Yes).await;
    let view =
        world.until(|view| view.case().calls.values().any(|call| !call.messages.is_empty())).await;
    let open = *view.case().calls.keys().next().unwrap();
    let admin = Viewer::new("admin", Role::SystemAdmin).within("420300");
    let place = |byte: u8| (CallId([byte; 16]), 2, "agencies".to_owned());
    let engine = world.engine.clone();
    let code = |error: tongban_engine::EngineError| error.to_string();
    let key = |name: &str| IdempotencyKey(name.to_owned());
    let foreign = engine.deliver_parked(&supervisor(), place(4), (open, "已核实"), key("a")).await;
    assert!(code(foreign.unwrap_err()).contains("系统管理员"));
    let silent = engine.deliver_parked(&admin, place(4), (open, " "), key("b")).await;
    assert!(code(silent.unwrap_err()).contains("理由"));
    let unknown = (CallId([9; 16]), "已核实");
    let nowhere = engine.deliver_parked(&admin, place(4), unknown, key("c")).await;
    assert!(code(nowhere.unwrap_err()).contains("未结调用"));
    assert_eq!(engine.parked_replies(&admin).unwrap().len(), 2, "nothing was lost by the attempts");
    let checked = (open, "与经办人核对");
    let first = engine.deliver_parked(&admin, place(4), checked, key("d")).await.unwrap();
    assert_eq!((first.case, first.replayed), (world.case, false));
    let again = engine.deliver_parked(&admin, place(4), checked, key("d")).await.unwrap();
    assert_eq!((again.case, again.replayed), (world.case, true), "a lost answer is given again");
    let other = engine.deliver_parked(&admin, place(5), checked, key("d")).await;
    assert_eq!(other.unwrap_err().code(), "IDEMPOTENCY_KEY_REUSED");
    let view = world.until(|view| view.state() == CaseState::CompletedAll).await;
    assert_eq!(view.case().matters[0].result.as_ref().unwrap().number, "P-4");
    for replayed in [false, true] {
        let done = engine.dismiss_parked(&admin, place(5), "对方已作废", key("e")).await;
        assert_eq!(done.unwrap(), replayed);
    }
    assert!(engine.parked_replies(&admin).unwrap().is_empty());
    let gone = engine.dismiss_parked(&admin, place(5), "再次", key("f")).await;
    assert_eq!(gone.unwrap_err().code(), "REPLY_NOT_FOUND", "another request is not that one");
    let log = engine.audit_log(&supervisor(), 0, 10).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|record| record.deed.act.code()).collect();
    assert_eq!(acts, ["reply_delivered", "reply_dismissed"]);
    assert_eq!(log[0].deed.reason, "与经办人核对");
}

/// A call that did not take a parked reply was remembered as one that had: once somebody had put
/// the reply aside, a repetition was told that it was delivered.
#[tokio::test]
async fn a_reply_that_its_call_did_not_take_is_never_said_to_be_delivered() {
    let agencies = Arc::new(Agencies::default());
    for _ in 0..2 {
        agencies.will("office.issue", Does::Accepts);
    }
    let mut world = World::begin_with(r#"part("a")"#, &[("a", DECIDE_AND_ISSUE)], agencies).await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    let backup = world.backup().await;
    world.restore(&backup).await;
    let accepted = |call, seq| {
        let ticket = Some(format!("T-{seq}"));
        reply(call, seq, ReplyBody::Accepted { ticket, expect_by: None, next_query_after: None })
    };
    let inbox = world.engine.inbox();
    let lost = CallId([4; 16]);
    let told = inbox.deliver("agencies".to_owned(), accepted(lost, 3)).await.unwrap();
    assert_eq!(told, Ack::Stored);
    world.decide(1, Said::Yes).await;
    let view =
        world.until(|view| view.case().calls.values().any(|call| !call.messages.is_empty())).await;
    let open = *view.case().calls.keys().next().unwrap();
    let later = inbox.deliver("agencies".to_owned(), accepted(open, 9)).await.unwrap();
    assert_eq!(later, Ack::Stored, "the call is further than the parked reply");
    let admin = Viewer::new("admin", Role::SystemAdmin).within("420300");
    let place = || (lost, 3, "agencies".to_owned());
    let key = |name: &str| IdempotencyKey(name.to_owned());
    let engine = world.engine.clone();
    let deliver = async |name: &str| {
        let done = engine.deliver_parked(&admin, place(), (open, "已核实"), key(name)).await;
        done.unwrap_err().code().to_owned()
    };
    assert_eq!(deliver("d").await, "REPLY_NOT_TAKEN");
    assert_eq!(engine.parked_replies(&admin).unwrap().len(), 1, "it stays in the list");
    assert_eq!(deliver("d").await, "REPLY_NOT_TAKEN");
    engine.dismiss_parked(&admin, place(), "对方已作废", key("e")).await.unwrap();
    assert_eq!(deliver("d").await, "REPLY_NOT_TAKEN", "nor once it was put aside");
    assert_eq!(deliver("f").await, "REPLY_NOT_FOUND");
    let log = engine.audit_log(&supervisor(), 0, 10).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|record| record.deed.act.code()).collect();
    assert_eq!(acts, ["reply_delivered", "reply_dismissed"], "each is tried once");
}
