//! Stories of downtime across a deadline: what was sent while the engine stood still is taken in
//! before any timer fires, and counts from when it took effect. What nobody sent is missed.

use std::sync::Arc;

use tongban_core::command::{ActRequest, Came};
use tongban_core::entry::{Body, Entry, Origin, TaskKind};
use tongban_core::id::MatterNo;
use tongban_core::law::{ActKind, ClockKind, CorrectionList, Terms};
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_engine::{CaseView, Change};

use super::world::{
    Agencies, Does, Drain, Said, Setting, World, clerk, completed, incidents, stages,
};

const DECIDE: &str = r#"
    let opinion = decide("office.approver", #{ title: "审查" });
    if opinion.denied { return deny(opinion); }
    grant(opinion)"#;

/// Returns the first thing in the log that time did by itself.
fn fired(log: &[Entry]) -> Option<&Entry> {
    let by_time = |body: &Body| matches!(body, Body::ClockFired { .. } | Body::TimerFired { .. });
    log.iter().find(|entry| by_time(&entry.body) || entry.origin == Origin::Clock)
}

/// Waits until time did something by itself.
async fn time_speaks(world: &World) {
    let mut commits = world.engine.watch_case(world.case);
    loop {
        commits.borrow_and_update();
        if fired(&world.log().await).is_some() {
            return;
        }
        commits.changed().await.unwrap();
    }
}

/// Stands still until a moment and starts again. Returns while the engine waits for what could
/// not be delivered meanwhile; that time did anything before is a failure.
async fn stands_still_until(world: &mut World, drain: &Drain, at: &str) {
    world.engine.shutdown().await;
    world.reach(at);
    world.restart().await;
    tokio::select! {
        biased;
        () = time_speaks(world) => {}
        () = drain.begun() => {}
    }
    let log = world.log().await;
    assert!(fired(&log).is_none(), "time came before the mail: {:?}", fired(&log));
}

/// Two matters whose forms have mistakes of their own; both are asked of the applicant on 2
/// March, who has until the 23rd.
async fn asked_twice(further: &str, drain: &Arc<Drain>) -> World {
    let form = |field: &str| {
        format!(
            r#"intake: "window", form: [field("{field}", "面积", number().above(0))], {further}"#
        )
    };
    let (area, floors) = (form("area"), form("floors"));
    let setting = Setting {
        parts: r#"part("a"), part("b")"#,
        matters: vec![("a", area.as_str(), DECIDE), ("b", floors.as_str(), DECIDE)],
        form: Value::of([("area", Value::Int(9)), ("floors", Value::Int(3))]),
        drain: Some(Arc::clone(drain)),
        ..Setting::default()
    };
    let mut world = setting.begin().await;
    world.until(|view| stages(view) == ["received", "received"]).await;
    for (matter, field) in [(1, "area"), (2, "floors")] {
        let list = CorrectionList {
            fields: vec![field.to_owned()],
            text: "与图纸不符".to_owned(),
            ..CorrectionList::default()
        };
        let act = ActRequest::now(ActKind::AskCorrection, "").with(Terms::Correction(list));
        world.change(&clerk(), Change::Act { matter: MatterNo(matter), act }).await.unwrap();
    }
    world.until(|view| codes(view) == ["correction_pending", "correction_pending"]).await;
    world
}

fn codes(view: &CaseView) -> Vec<&'static str> {
    view.case().matters.iter().map(|matter| matter.law.code()).collect()
}

/// What the applicant sent to the portal in time, as the portal hands it over.
fn sent_in_time() -> Change {
    let came = Came {
        at: Some(Moment::parse("2026-03-23T16:00:00+08:00").unwrap()),
        evidence: "门户回执 20260323-17".to_owned(),
    };
    let fields = Value::of([("area", Value::Int(12))]);
    Change::AmendForm { fields, reason: "门户补录".to_owned(), came, seen: None }
}

fn missed(log: &[Entry]) -> Vec<u16> {
    let fired = log.iter().filter(|entry| {
        matches!(entry.body, Body::ClockFired { clock: ClockKind::Correction, .. })
    });
    fired.map(|entry| entry.matter.0).collect()
}

#[tokio::test]
async fn a_correction_that_waited_for_the_engine_counts_and_one_that_nobody_sent_is_missed() {
    let drain = Arc::<Drain>::default();
    let mut world = asked_twice("", &drain).await;
    stands_still_until(&mut world, &drain, "2026-03-25T09:00:00+08:00").await;
    world.change(&clerk(), sent_in_time()).await.unwrap();
    drain.end();
    let asked = |view: &CaseView| {
        let mut tasks = view.case().open_tasks();
        tasks.any(|task| task.opened.kind == TaskKind::CorrectionMissed)
    };
    let view = world.until(asked).await;
    let asked: Vec<_> = view
        .case()
        .tasks
        .values()
        .filter(|task| task.opened.kind == TaskKind::CorrectionMissed)
        .map(|task| task.matter.0)
        .collect();
    assert_eq!(asked, [2], "an officer looks at what nobody sent, and at nothing else");
    assert_eq!(missed(&world.log().await), [2], "for the other one no time had passed");
    assert_eq!(codes(&view), ["received", "correction_pending"]);
}

#[tokio::test]
async fn a_correction_that_waited_for_the_engine_saves_a_matter_that_its_rule_would_have_ended() {
    let drain = Arc::<Drain>::default();
    let rule = r#"correction: #{ ends_by: "示例办法第八条" },"#;
    let mut world = asked_twice(rule, &drain).await;
    stands_still_until(&mut world, &drain, "2026-03-25T09:00:00+08:00").await;
    world.change(&clerk(), sent_in_time()).await.unwrap();
    drain.end();
    let view = world.until(|view| stages(view)[1] == "terminated").await;
    assert_eq!(codes(&view), ["received", "terminated"]);
    assert_eq!(missed(&world.log().await), [2]);
    let ended = world.log().await.into_iter().filter_map(|entry| {
        let Body::Acted { act, .. } = entry.body else { return None };
        (act.kind == ActKind::Terminate).then_some((entry.matter.0, entry.origin, act.terms))
    });
    let ended: Vec<_> = ended.collect();
    let by_rule = Terms::ByRule("示例办法第八条".to_owned());
    assert_eq!(ended, [(2, Origin::Clock, by_rule)], "the clock ends only what was missed");
    assert!(incidents(&view).is_empty(), "{:?}", incidents(&view));
}

#[tokio::test]
async fn after_downtime_an_answer_in_the_inbox_comes_before_the_timer_that_it_raced() {
    let drain = Arc::<Drain>::default();
    let agencies = Arc::<Agencies>::default();
    for operation in ["office.one", "office.two"] {
        agencies.will(operation, Does::Accepts);
    }
    let handle = |operation: &str| {
        format!(
            r#"let answer = settle(timeout(start("{operation}", #{{}}), "1 working day"));
            grant(decide("office.approver", #{{ title: "审批", facts: #{{ kind: answer.kind }} }}))"#
        )
    };
    let (one, two) = (handle("office.one"), handle("office.two"));
    let setting = Setting {
        parts: r#"part("a"), part("b")"#,
        matters: vec![("a", "", one.as_str()), ("b", "", two.as_str())],
        agencies,
        drain: Some(Arc::clone(&drain)),
        ..Setting::default()
    };
    let mut world = setting.begin().await;
    let view = world.until(|view| view.case().open_calls().count() == 2).await;
    let call = view.case().open_calls().find(|call| call.matter == MatterNo(1)).unwrap().made.id;
    stands_still_until(&mut world, &drain, "2026-03-05T09:00:00+08:00").await;
    let inbox = world.engine.inbox();
    inbox.deliver("agencies".to_owned(), completed(call, "P-1")).await.unwrap();
    drain.end();
    let told = |view: &CaseView| -> Vec<(u16, Option<String>)> {
        let decides = view.case().open_tasks().filter(|task| task.opened.kind == TaskKind::Decide);
        let told = decides.map(|task| {
            let kind = task.facts.get("kind").and_then(Value::as_text).map(str::to_owned);
            (task.matter.0, kind)
        });
        told.collect()
    };
    let view = world.until(|view| told(view).len() == 2).await;
    let expected = [(1, Some("completed".to_owned())), (2, Some("timed_out".to_owned()))];
    assert_eq!(told(&view), expected);
    world.decide(1, Said::Yes).await;
    world.until(|view| stages(view)[0] == "granted").await;
}
