//! Stories that broke other engines, with real scripts.

use std::sync::Arc;

use tongban_core::entry::TaskKind;
use tongban_core::summary::CaseState;
use tongban_core::viewer::{Role, Viewer};

use super::world::{Agencies, Does, Said, World, incidents, stages};

const DECIDE: &str = r#"
    let opinion = decide("office.approver", #{ title: "审批" });
    if opinion.denied { return deny(opinion); }
    grant(opinion)
"#;

#[tokio::test]
async fn a_script_error_right_after_an_acknowledged_decision_keeps_the_decision() {
    let handle = r#"
    let opinion = decide("office.approver", #{ title: "审批" });
    let parts = [opinion.opinion];
    start("office.issue", #{});
    grant(parts[7])
"#;
    let mut world = World::begin(r#"part("a")"#, &[("a", handle)]).await;
    world.decide(1, Said::Yes).await;
    let view = world.until(|view| !view.case().incidents.is_empty()).await;
    assert_eq!(incidents(&view), ["SCRIPT_FAILED"]);
    assert_eq!(stages(&view), ["accepted"]);
    let incident = &view.case().incidents.values().next().unwrap().incident;
    assert!(incident.file.ends_with("a.rhai") && incident.line > 0, "{incident:?}");
    assert!(world.agencies.seen.lock().unwrap().is_empty(), "no request of the failed run left");
    let supervisor = Viewer::new("s", Role::Supervisor).within("420300");
    let events = world.engine.events(&supervisor, world.case, None, 100).await.unwrap().unwrap();
    assert!(events.events.iter().any(|event| event.kind == "task_completed"));
}

#[tokio::test]
async fn a_rejected_call_that_flows_towards_a_grant_is_stopped() {
    let agencies = Arc::new(Agencies::default());
    agencies.will("office.issue", Does::Rejects);
    let handle = r#"
    let answer = settle(start("office.issue", #{}));
    grant(answer)
"#;
    let world = World::begin_with(r#"part("a")"#, &[("a", handle)], agencies).await;
    let view = world.until(|view| !view.case().incidents.is_empty()).await;
    assert_eq!((stages(&view), incidents(&view)), (vec!["accepted"], vec!["SCRIPT_FAILED"]));
}

#[tokio::test]
async fn an_uncaught_rejection_becomes_the_approvers_task() {
    let agencies = Arc::new(Agencies::default());
    agencies.will("office.issue", Does::Rejects);
    let handle = r#"grant(ask("office.issue", #{}))"#;
    let mut world = World::begin_with(r#"part("a")"#, &[("a", handle)], agencies).await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    assert_eq!(world.tasks().await, [TaskKind::Rejected]);
    // Asking again is a new call; this time the agency completes it.
    world.decide(1, Said::Yes).await;
    world.stands(&["granted"]).await;
    let calls = world.agencies.seen.lock().unwrap().clone();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0].1, calls[1].1);
}

#[tokio::test]
async fn a_denied_predecessor_leaves_dependants_not_filed_and_siblings_alone() {
    let parts = r#"part("a"), part("b").after("a"), part("c").after("b"), part("d")"#;
    let matters = [("a", DECIDE), ("b", DECIDE), ("c", DECIDE), ("d", DECIDE)];
    let mut world = World::begin(parts, &matters).await;
    world.decide(1, Said::No).await;
    world.stands(&["denied", "not_filed", "not_filed", "accepted"]).await;
    // Five working days and more pass: nothing is deemed accepted that was never filed.
    world.pass(24 * 14);
    world.decide(4, Said::Yes).await;
    let view = world.until(|view| view.state() == CaseState::CompletedWithFailures).await;
    assert_eq!(stages(&view), ["denied", "not_filed", "not_filed", "granted"]);
    assert!(view.case().matters[1].law.clocks().is_empty());
}

#[tokio::test]
async fn a_scripted_denial_is_confirmed_by_an_officer_or_not_at_all() {
    let mut world = World::begin(r#"part("a")"#, &[("a", r#"deny("面积超限")"#)]).await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    assert_eq!(world.tasks().await, [TaskKind::ConfirmDenial]);
    world.decide(1, Said::Yes).await;
    world.stands(&["denied"]).await;
}

#[tokio::test]
async fn a_fault_that_a_script_swallows_still_stops_it() {
    let handle = r#"
    try { let x = 1 / 0; } catch (error) { }
    grant(ask("office.issue", #{}))
"#;
    let world = World::begin(r#"part("a")"#, &[("a", handle)]).await;
    let view = world.until(|view| !view.case().incidents.is_empty()).await;
    assert_eq!((stages(&view), incidents(&view)), (vec!["accepted"], vec!["SCRIPT_FAILED"]));
}
