//! Stories of matters that a higher office decides: the lower office reviews, sends them up with
//! its opinion, and its own clock ends there, not that of the matter.

use std::sync::Arc;

use tongban_core::agency::{AgencyAct, ReplyBody};
use tongban_core::command::ActRequest;
use tongban_core::document::DocumentKind;
use tongban_core::entry::TaskKind;
use tongban_core::law::{ActKind, Clock, ClockKind};
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_engine::CaseView;

use super::world::{
    Agencies, Does, Said, Setting, World, applicant, clerk, completed, incidents, officer, reply,
    says, stages,
};

const LIMIT: &str = r#"limit: #{ promised: "10 working days", first_review: "5 working days" },"#;

/// The office reviews and sends up; the province decides.
const REVIEW_THEN_UP: &str = r#"
    let review = decide("office.approver", #{ title: "初审" });
    if review.denied { return deny(review); }
    forward_up(review);
    grant(ask("province.decide", #{ opinion: review.opinion }))"#;

fn clock(view: &CaseView, kind: ClockKind) -> Clock {
    let clocks = view.case().matters[0].law.clocks();
    clocks.iter().find(|clock| clock.kind == kind).unwrap().clone()
}

fn due(view: &CaseView, kind: ClockKind) -> String {
    view.due(&view.case().matters[0], &clock(view, kind)).at.date().to_string()
}

fn moment(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

/// Kinds of the notices that were drafted, in order.
fn notices(view: &CaseView) -> Vec<&'static str> {
    let mut drafted: Vec<_> = view.case().documents.values().collect();
    drafted.sort_by_key(|document| document.at);
    drafted.into_iter().map(|document| document.kind().code()).collect()
}

/// Waits until the matter is with the higher office since `at`, its first review over and every
/// other clock running.
async fn went_up(world: &World, at: &str) -> CaseView {
    let view = world.until(|view| stages(view) == ["forwarded_up"]).await;
    let law = &view.case().matters[0].law;
    assert_eq!(law.forwarded, Some(moment(at)));
    assert_eq!(clock(&view, ClockKind::FirstReview).stopped, Some(moment(at)));
    assert_eq!(due(&view, ClockKind::Promised), "2026-03-16", "the matter goes on");
    assert!(law.running(ClockKind::Statutory).is_some());
    assert_eq!(view.state().code(), "in_progress", "it is no end");
    assert!(incidents(&view).is_empty(), "{:?}", incidents(&view));
    view
}

#[tokio::test]
async fn a_script_sends_a_matter_up_and_the_higher_office_decides() {
    let agencies = Arc::<Agencies>::default();
    agencies.will("province.decide", Does::Accepts);
    let matters = vec![("a", LIMIT, REVIEW_THEN_UP)];
    let mut world = Setting { matters, agencies, ..Setting::default() }.begin().await;
    let view = world.until(|view| view.case().open_tasks().next().is_some()).await;
    assert_eq!(due(&view, ClockKind::FirstReview), "2026-03-09");
    world.reach("2026-03-05T15:00:00+08:00");
    world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();

    let view = went_up(&world, "2026-03-05T15:00:00+08:00").await;
    assert_eq!(notices(&view), ["receipt", "acceptance", "forwarding"]);
    assert_eq!(view.case().matters[0].law.ground, "理由", "the opinion of the review goes along");
    assert_eq!(view.waiting_on(&view.case().matters[0]).unwrap().party.code(), "agency");
    world.reach("2026-03-12T08:00:00+08:00");
    let view = world.until(|_| true).await;
    assert!(view.case().cards.is_empty(), "nobody was late: {:?}", view.case().cards);
    world.restart().await;
    let call = view.case().open_calls().next().unwrap().made.id;
    let inbox = world.engine.inbox();
    inbox.deliver("agencies".to_owned(), completed(call, "省准-1")).await.unwrap();
    let view = world.until(|view| stages(view) == ["granted"]).await;
    assert_eq!(view.state().code(), "completed_all");
    assert_eq!(view.case().matters[0].law.forwarded, Some(moment("2026-03-05T15:00:00+08:00")));
    assert_eq!(notices(&view), ["receipt", "acceptance", "forwarding", "grant"]);
    assert_eq!(view.case().matters[0].result.as_ref().unwrap().number, "省准-1");
}

#[tokio::test]
async fn an_office_that_reviews_too_long_gets_a_card_and_may_still_send_up() {
    let agencies = Arc::<Agencies>::default();
    agencies.will("province.decide", Does::Accepts);
    let matters = vec![("a", LIMIT, REVIEW_THEN_UP)];
    let mut world = Setting { matters, agencies, ..Setting::default() }.begin().await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    world.reach("2026-03-10T08:00:00+08:00");
    let view = world.until(|view| !view.case().cards.is_empty()).await;
    let rules: Vec<&str> =
        view.case().cards.values().map(|card| card.raised.rule.as_str()).collect();
    assert_eq!(rules, ["forwarding-late"]);
    world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();
    went_up(&world, "2026-03-10T08:00:00+08:00").await;
}

#[tokio::test]
async fn an_officer_sends_a_matter_up_himself_and_nobody_else_may() {
    let handle = r#"grant(decide("office.approver", #{ title: "审查" }))"#;
    let matters = vec![("a", LIMIT, handle)];
    let mut world = Setting { matters, ..Setting::default() }.begin().await;
    world.until(|view| view.case().open_tasks().next().is_some()).await;
    let up = || ActRequest::now(ActKind::ForwardUp, "初审同意");
    for stranger in [applicant(), clerk()] {
        let refused = world.act(&stranger, up()).await.unwrap_err();
        assert_eq!(refused.code(), "NOT_PERMITTED", "{stranger:?}");
    }
    world.act(&officer(), up()).await.unwrap();
    let view = went_up(&world, "2026-03-02T09:00:00+08:00").await;
    assert_eq!(notices(&view), ["receipt", "acceptance", "forwarding"]);
    world.act(&officer(), up()).await.unwrap();
    world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();
    let view = world.until(|view| stages(view) == ["granted"]).await;
    assert_eq!(notices(&view).iter().filter(|kind| **kind == "forwarding").count(), 1, "once");
}

fn act(name: &str, ground: &str, (at, number): (&str, &str)) -> ReplyBody {
    ReplyBody::Act(AgencyAct {
        act: name.to_owned(),
        effective_at: moment(at),
        document_no: number.to_owned(),
        ground: ground.to_owned(),
        officer: "示例丁".to_owned(),
        detail: Value::map(),
    })
}

#[tokio::test]
async fn a_department_reports_from_its_own_system_that_it_sent_a_matter_up() {
    let agencies = Arc::<Agencies>::default();
    agencies.will("office.handle", Does::Accepts);
    let further = format!(r#"decides_in: "connector", {LIMIT}"#);
    let matters = vec![("a", further.as_str(), r#"ask("office.handle", #{});"#)];
    let world = Setting { matters, agencies, ..Setting::default() }.begin().await;
    let view = world.until(|view| view.case().open_calls().next().is_some()).await;
    let call = view.case().open_calls().next().unwrap().made.id;
    let inbox = world.engine.inbox();
    let report = async |seq: u32, body: ReplyBody| {
        inbox.deliver("agencies".to_owned(), reply(call, seq, body)).await.unwrap();
    };
    report(2, act("accepted", "", ("2026-03-02T09:00:00+08:00", "受-1"))).await;
    let view = world.until(|view| stages(view) == ["accepted"]).await;
    assert_eq!(due(&view, ClockKind::FirstReview), "2026-03-09");
    world.reach("2026-03-06T09:00:00+08:00");
    let at = "2026-03-05T16:30:00+08:00";
    for seq in [3, 3, 4] {
        report(seq, act("forwarded_up", "", (at, "示规转报〔2026〕5号"))).await;
        let view = went_up(&world, at).await;
        let own = DocumentKind::Forwarding.code();
        assert!(!notices(&view).contains(&own), "the department wrote its note itself");
    }
    report(5, act("decided", "granted", ("2026-03-06T08:00:00+08:00", "省准-1"))).await;
    world.until(|view| stages(view) == ["granted"]).await;
    report(6, completed(call, "省准-1").body).await;
    let view = world.until(|view| view.state().code() == "completed_all").await;
    assert!(incidents(&view).is_empty(), "{:?}", incidents(&view));
}
