//! Stories of the law: silence, corrections, suspensions, promises, absence, sources that fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_core::agency::Ack;
use tongban_core::command::{ActRequest, Came, TaskOutcome};
use tongban_core::digest::Digest;
use tongban_core::entry::{Body, Consent, Entry, TaskKind};
use tongban_core::figures::{Exemption, Share};
use tongban_core::id::MatterNo;
use tongban_core::law::{ActAnswer, ActKind, ClockKind, CorrectionList, Stage, Terms};
use tongban_core::material::{Cause, Found, MaterialGiven};
use tongban_core::organisation::Organisation;
use tongban_core::request::Ask;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::figures::FigureQuery;
use tongban_engine::standing::Standing;
use tongban_engine::{CaseView, Change, EngineError};

use crate::holidays::with_new_year_2027;

use super::world::{
    APPLICANT, Agencies, Does, Said, Setting, World, applicant, clerk, completed, head, incidents,
    officer, rejected, reply, says,
};

const DECIDE_AND_GRANT: &str = r#"
    let opinion = decide("office.approver", #{ title: "审查", facts: #{ area: m.form.area } });
    if opinion.denied { return deny(opinion); }
    let permit = ask("office.issue", #{ area: m.form.area });
    grant(permit)"#;

const FORM: &str = r#"form: [field("area", "面积", number().above(0))],"#;

fn area(square_metres: i64) -> Value {
    Value::of([("area", Value::Int(square_metres))])
}

fn refusal(result: Result<(), EngineError>) -> String {
    match result {
        Err(EngineError::Refused(refusal)) => refusal.code,
        other => format!("{other:?}"),
    }
}

fn correct(materials: &[&str], fields: &[&str]) -> ActRequest {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    ActRequest::now(ActKind::AskCorrection, "").with(Terms::Correction(CorrectionList {
        materials: owned(materials),
        fields: owned(fields),
        text: "面积与图纸不符".to_owned(),
        ..CorrectionList::default()
    }))
}

fn stage(view: &CaseView) -> &'static str {
    view.case().matters[0].law.code()
}

fn due(view: &CaseView, kind: ClockKind) -> String {
    let matter = &view.case().matters[0];
    let clock = matter.law.clocks().iter().rev().find(|clock| clock.kind == kind).unwrap();
    view.due(matter, clock).at.date().to_string()
}

fn has_task(view: &CaseView, kind: TaskKind) -> bool {
    view.case().open_tasks().any(|task| task.opened.kind == kind)
}

#[tokio::test]
async fn silence_at_the_window_accepts_a_licence_as_of_its_receipt() {
    let matters = vec![("a", r#"intake: "window", form: [],"#, r#"ask("office.issue", #{});"#)];
    let world = Setting { matters, ..Setting::default() }.begin().await;
    let view = world.until(|view| stage(view) == "received").await;
    assert_eq!(due(&view, ClockKind::Acceptance), "2026-03-09");
    world.reach("2026-03-09T23:59:59+08:00");
    assert_eq!(stage(&world.until(|_| true).await), "received", "the last day is in time");
    world.reach("2026-03-10T00:00:01+08:00");
    let deemed =
        |view: &CaseView| view.case().matters[0].law.stage == Stage::Accepted { deemed: true };
    let view = world.until(deemed).await;
    // The days that the window let pass are consumed: one working day after 2 March.
    assert_eq!(due(&view, ClockKind::Promised), "2026-03-03");
    assert!(incidents(&view).contains(&"DEEMED_ACCEPTED"), "the department is told");
    assert!(!has_task(&view, TaskKind::Intake));
    // And handle runs, though agencies and window had been silent past day five.
    world.until(|view| !view.case().calls.is_empty()).await;
}

const LOOK_FIRST: &str = r#"
fn intake(m) {
    let company = settle(start("register.company", #{}));
    if company.ok { return accept(); }
    not_accept("no_competence", "查无此企业")
}

fn handle(m) {
    let opinion = decide("office.approver", #{ title: "审查" });
    if opinion.denied { return deny(opinion); }
    grant(ask("office.issue", #{}))
}"#;

fn opened(log: &[Entry]) -> Vec<TaskKind> {
    let opened = log.iter().filter_map(|entry| {
        let Body::TaskOpened(task) = &entry.body else { return None };
        Some(task.kind)
    });
    opened.collect()
}

fn accepted_how_often(log: &[Entry]) -> usize {
    let accepts = log.iter().filter(|entry| {
        let Body::Acted { act, answer, .. } = &entry.body else { return false };
        matches!(act.kind, ActKind::Accept | ActKind::DeemAccept) && *answer == ActAnswer::Done
    });
    accepts.count()
}

#[tokio::test]
async fn an_agency_silent_past_day_five_is_heard_too_late_to_advise_what_the_law_has_accepted() {
    for late in [None, Some(rejected())] {
        let agencies = Arc::<Agencies>::default();
        agencies.will("register.company", Does::Accepts);
        let matters = vec![("a", r#"intake: "window","#, LOOK_FIRST)];
        let mut world = Setting { matters, agencies, ..Setting::default() }.begin().await;
        let asked = |view: &CaseView| view.case().open_calls().count() == 1;
        let view = world.until(asked).await;
        let call = view.case().open_calls().next().unwrap().made.id;
        assert!(has_task(&view, TaskKind::Intake), "the window waits for no advice");
        world.reach("2026-03-10T00:00:01+08:00");
        let view = world.until(|view| has_task(view, TaskKind::Decide)).await;
        assert_eq!(view.case().matters[0].law.stage, Stage::Accepted { deemed: true });
        assert!(view.case().calls[&call].is_open(), "handle runs though the agency is silent");

        let said = late.map_or_else(|| completed(call, "C-1"), |no| reply(call, 2, no));
        let inbox = world.engine.inbox();
        for ack in [Ack::Stored, Ack::Duplicate] {
            assert_eq!(inbox.deliver("agencies".to_owned(), said.clone()).await, Ok(ack));
        }
        let view = world.until(|view| !view.case().calls[&call].is_open()).await;
        let log = world.log().await;
        assert_eq!(opened(&log), [TaskKind::Intake, TaskKind::Decide], "it opens nothing");
        assert_eq!(accepted_how_often(&log), 1, "and decides nothing twice");
        let advised = |entry: &Entry| matches!(entry.body, Body::IntakeRecommended(_));
        assert!(!log.iter().any(advised));
        assert_eq!(incidents(&view), ["DEEMED_ACCEPTED"]);
        world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();
        let view = world.until(|view| stage(view) == "granted").await;
        assert_eq!(view.state().code(), "completed_all", "nobody is owed an answer");
        assert_eq!(opened(&world.log().await).len(), 2);
    }
}

#[tokio::test]
async fn silence_accepts_no_registration() {
    let matters = vec![("a", r#"regime: "registration", intake: "window","#, "")];
    let world = Setting { matters, ..Setting::default() }.begin().await;
    world.until(|view| stage(view) == "received").await;
    world.reach("2026-03-20T09:00:00+08:00");
    let view = world.until(|view| !view.case().cards.is_empty()).await;
    assert_eq!(stage(&view), "received");
    assert!(has_task(&view, TaskKind::Intake), "it stays with the window, under a card");
}

#[tokio::test]
async fn a_missed_correction_becomes_an_officers_task_and_nothing_ends_by_itself() {
    let further = format!(r#"intake: "window", {FORM}"#);
    let matters = vec![("a", further.as_str(), DECIDE_AND_GRANT)];
    let mut world = Setting { matters, form: area(9), ..Setting::default() }.begin().await;
    world.until(|view| has_task(view, TaskKind::Intake)).await;
    world.act(&clerk(), correct(&[], &["area"])).await.unwrap();
    let view = world.until(|view| stage(view) == "correction_pending").await;
    // Fifteen working days from the service of the notice, which online is its sending.
    assert_eq!(due(&view, ClockKind::Correction), "2026-03-23");
    assert_eq!(view.waiting_on(&view.case().matters[0]).unwrap().party.code(), "applicant");
    let elsewhere = Change::AmendForm {
        fields: Value::of([("area", Value::Int(3))]),
        reason: String::new(),
        came: Came { at: Some(Moment::default()), evidence: "x".to_owned() },
        seen: None,
    };
    assert_eq!(refusal(world.change(&applicant(), elsewhere).await), "NOT_PERMITTED");
    world.reach("2026-03-24T08:00:00+08:00");
    let view = world.until(|view| has_task(view, TaskKind::CorrectionMissed)).await;
    assert_eq!(stage(&view), "correction_pending", "no adverse act by machine");
    world.complete(&officer(), TaskKind::CorrectionMissed, says(Said::No)).await.unwrap();
    let view = world.until(|view| stage(view) == "terminated").await;
    assert_eq!(view.case().matters[0].law.ground, "理由");
}

#[tokio::test]
async fn a_hearing_stops_the_clock_across_the_spring_festival() {
    let further = format!(r#"limit: #{{ promised: "5 working days" }}, {FORM}"#);
    let matters = vec![("a", further.as_str(), DECIDE_AND_GRANT)];
    let filed_at = "2026-02-09T10:00:00+08:00";
    let setting = Setting { matters, form: area(9), filed_at, ..Setting::default() };
    let mut world = setting.begin().await;
    world.until(|view| has_task(view, TaskKind::Decide)).await;
    world.reach("2026-02-12T09:00:00+08:00");
    let unknown = ActRequest::now(ActKind::Suspend, "busy");
    assert_eq!(refusal(world.act(&officer(), unknown).await), "GROUND_UNKNOWN");
    world.act(&officer(), ActRequest::now(ActKind::Suspend, "hearing")).await.unwrap();
    let no = world.complete(&officer(), TaskKind::Decide, says(Said::No)).await;
    assert_eq!(refusal(no), "SUSPENDED", "nothing is decided while the hearing goes on");
    world.reach("2026-02-25T17:00:00+08:00");
    world.act(&officer(), ActRequest::now(ActKind::Resume, "")).await.unwrap();
    let view = world.until(|view| view.case().matters[0].law.suspended().is_none()).await;
    // Two of five days were used before; 26, 27 and 28 February (a make-up workday) are left.
    assert_eq!(due(&view, ClockKind::Promised), "2026-02-28");
    assert!(view.case().cards.is_empty(), "a clock that stands raises no card");
    world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();
    world.until(|view| stage(view) == "granted").await;
}

#[tokio::test]
async fn one_denial_among_eight_leaves_the_other_seven() {
    let codes = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let parts: Vec<String> = codes.iter().map(|code| format!(r#"part("{code}")"#)).collect();
    let handle = r#"let opinion = decide("office.approver", #{ title: "审查" });
        if opinion.denied { deny(opinion) } else { grant(opinion) }"#;
    let matters = codes.iter().map(|code| (*code, "", handle)).collect();
    let parts = parts.join(", ");
    let mut world = Setting { parts: &parts, matters, ..Setting::default() }.begin().await;
    for no in 1..=8 {
        world.decide(no, if no == 5 { Said::No } else { Said::Yes }).await;
    }
    let mut wanted = ["granted"; 8];
    wanted[4] = "denied";
    world.stands(&wanted).await;
    let view = world.until(|_| true).await;
    assert_eq!(view.state().code(), "completed_with_failures");
}

const TOLERANT: &str = r#"materials: [material("paper", "鉴定报告").from(upload("pdf"))],"#;

#[tokio::test]
async fn a_promise_that_is_missed_after_a_tolerant_grant_goes_to_an_officer() {
    let handle = r#"let opinion = decide("office.approver", #{ title: "审查" });
        grant_tolerant(opinion)"#;
    let matters = vec![("a", TOLERANT, handle)];
    let parts = r#"part("a").tolerant("paper")"#;
    let mut world = Setting { parts, matters, ..Setting::default() }.begin().await;
    world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();
    let view = world.until(|view| stage(view) == "granted_tolerant").await;
    assert_eq!(due(&view, ClockKind::Tolerance), "2026-03-09");
    world.reach("2026-03-10T08:00:00+08:00");
    let view = world.until(|view| has_task(view, TaskKind::PromiseMissed)).await;
    assert_eq!(stage(&view), "granted_tolerant");
    let more =
        TaskOutcome { fields: Value::of([("longer", "5 working days".into())]), ..says(Said::Yes) };
    world.complete(&officer(), TaskKind::PromiseMissed, more).await.unwrap();
    let view = world.until(|view| !has_task(view, TaskKind::PromiseMissed)).await;
    assert_eq!(due(&view, ClockKind::Tolerance), "2026-03-17", "he gave five days more");
    world.reach("2026-03-18T08:00:00+08:00");
    let by_officer = world.complete(&officer(), TaskKind::PromiseMissed, says(Said::No)).await;
    assert_eq!(refusal(by_officer), "NOT_PERMITTED", "the head of the office revokes");
    world.complete(&head(), TaskKind::PromiseMissed, says(Said::No)).await.unwrap();
    let view = world.until(|view| stage(view) == "revoked").await;
    assert!(view.case().matters[0].law.ending().unwrap().is_grant(), "history stays");
}

#[tokio::test]
async fn a_promise_that_is_kept_closes_its_clock() {
    let handle = r#"let opinion = decide("office.approver", #{ title: "审查" });
        grant_tolerant(opinion)"#;
    let matters = vec![("a", TOLERANT, handle)];
    let parts = r#"part("a").tolerant("paper")"#;
    let mut world = Setting { parts, matters, ..Setting::default() }.begin().await;
    world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();
    world.until(|view| stage(view) == "granted_tolerant").await;
    let given = MaterialGiven::file("paper", "报告.pdf", Digest::of(b"paper"));
    let change = Change::GiveMaterial { given, came: Came::default() };
    world.change(&applicant(), change).await.unwrap();
    world.reach("2026-03-20T08:00:00+08:00");
    let view = world.until(|_| true).await;
    assert!(view.case().matters[0].law.running(ClockKind::Tolerance).is_none());
    assert!(!has_task(&view, TaskKind::PromiseMissed));
}

const STAFF: &str = r#"{
    "kind": "organisation", "code": "test",
    "offices": [
        { "code": "office", "place": "420300", "creditCode": "1142030000DEM00156", "name": "示例局" }
    ],
    "roles": [{ "code": "office.approver", "name": "审批人", "may": ["approve"] }],
    "people": [
        { "subject": "officer", "name": "示例甲", "office": "office@420300",
          "holds": [{ "role": "office.approver", "region": "420300", "from": "2026-01-01" }] },
        { "subject": "deputy", "name": "示例乙", "office": "office@420300",
          "holds": [{ "role": "office.approver", "region": "420300", "from": "2026-01-01" }] }
    ],
    "standIns": [
        { "for": "officer", "by": "deputy", "from": "2026-03-03", "until": "2026-03-06", "reason": "休假" }
    ]
}"#;

fn staffed() -> Standing {
    let source =
        tongban_core::organisation::Source { label: "test", kind: None, bytes: STAFF.as_bytes() };
    let organisation = Organisation::read(&[source]).unwrap_or_else(|found| panic!("{found}"));
    Standing { organisation: Arc::new(organisation), ..Standing::default() }
}

#[tokio::test]
async fn a_deputy_acts_for_an_absent_approver_only_while_he_stands_in() {
    let handle = r#"grant(decide("office.approver", #{ title: "审查" }))"#;
    let setting =
        Setting { matters: vec![("a", "", handle)], standing: staffed(), ..Setting::default() };
    let mut world = setting.begin().await;
    let view = world.until(|view| has_task(view, TaskKind::Decide)).await;
    let task = view.case().open_tasks().next().unwrap().no;
    let task_id = tongban_core::id::TaskId { case: world.case, no: task };
    let key = tongban_engine::IdempotencyKey("claim".to_owned());
    world.engine.claim_task(&officer(), task_id, 1, key).await.unwrap();
    let deputy = Viewer::new("deputy", Role::Approver).within("420300").of("office");
    let early = world.complete(&deputy, TaskKind::Decide, says(Said::Yes)).await;
    assert_eq!(refusal(early), "TASK_TAKEN", "on 2 March nobody stands in");
    world.reach("2026-03-04T09:00:00+08:00");
    let over = Change::TakeOver { from: "officer".to_owned(), reason: "休假代理".to_owned() };
    world.change(&deputy, over).await.unwrap();
    world.complete(&deputy, TaskKind::Decide, says(Said::Yes)).await.unwrap();
    let view = world.until(|view| stage(view) == "granted").await;
    let ended = view.case().tasks[&task].end.clone();
    assert!(
        format!("{ended:?}").contains("deputy"),
        "the record names who really decided: {ended:?}"
    );
}

#[tokio::test]
async fn a_license_service_that_is_down_asks_for_the_upload_at_once() {
    let agencies = Arc::<Agencies>::default();
    agencies.will("e-license.fetch", Does::IsDown);
    let further =
        r#"materials: [material("id", "营业执照").from(license("business")).or(upload("pdf"))],"#;
    let handle = r#"grant(decide("office.approver", #{ title: "审查" }))"#;
    let consent = Consent {
        license: "business".to_owned(),
        holder: APPLICANT.to_owned(),
        purpose: "*".to_owned(),
        text_version: "1".to_owned(),
    };
    let setting = Setting {
        matters: vec![("a", further, handle)],
        agencies: Arc::clone(&agencies),
        consents: vec![consent],
        ..Setting::default()
    };
    let mut world = setting.begin().await;
    let missing = |view: &CaseView| {
        view.case().matters[0].requirement("id").is_some_and(|id| id.how == Found::Missing)
    };
    let view = world.until(missing).await;
    let id = view.case().matters[0].requirement("id").unwrap();
    assert_eq!(id.attempts[0].1.cause, Cause::Unavailable, "never read as: no record");
    assert_eq!(view.waiting_on(&view.case().matters[0]).unwrap().party.code(), "applicant");
    assert!(incidents(&view).is_empty(), "a source that gives way is no incident");
    let given = MaterialGiven::file("id", "执照.pdf", Digest::of(b"id"));
    world
        .change(&applicant(), Change::GiveMaterial { given, came: Came::default() })
        .await
        .unwrap();
    let view = world.until(|view| stage(view) == "accepted").await;
    let id = view.case().matters[0].requirement("id").unwrap();
    assert!(!id.how.is_exempted(), "an upload after a failed call is no exemption");
    let exemption = exemption(&world).await;
    assert_eq!((exemption.pairs, exemption.handed_in, exemption.open), (1, 1, 0));
    assert_eq!(exemption.fallbacks, BTreeMap::from([("unavailable", 1)]));
    assert_eq!(exemption.by_cause, BTreeMap::new());
    assert_eq!(exemption.actual(), Share { part: 0, whole: 1 }, "he had to hand it in");
    assert_eq!(exemption.design().permille(), Some(1_000), "though the service means him not to");
}

/// What a supervisor of the place is told of materials.
async fn exemption(world: &World) -> Exemption {
    let supervisor = Viewer::new("s", Role::Supervisor).within("420300");
    let counted = world.engine.figures(&supervisor, &FigureQuery::default()).await.unwrap();
    assert_eq!(counted.cases, 1);
    counted.figures.total().exemption
}

#[tokio::test]
async fn a_license_that_is_found_is_not_asked_of_the_applicant() {
    let further =
        r#"materials: [material("id", "营业执照").from(license("business")).or(upload("pdf"))],"#;
    let handle = r#"grant(decide("office.approver", #{ title: "审查" }))"#;
    let consent = Consent {
        license: "business".to_owned(),
        holder: APPLICANT.to_owned(),
        purpose: "a".to_owned(),
        text_version: "1".to_owned(),
    };
    let setting = Setting {
        matters: vec![("a", further, handle)],
        consents: vec![consent],
        ..Setting::default()
    };
    let world = setting.begin().await;
    let view = world.until(|view| stage(view) == "accepted").await;
    let id = view.case().matters[0].requirement("id").unwrap();
    assert!(matches!(id.how, Found::License { .. }), "{:?}", id.how);
    let exemption = exemption(&world).await;
    assert_eq!((exemption.pairs, exemption.handed_in, exemption.open), (1, 0, 0));
    assert_eq!(exemption.by_cause, BTreeMap::from([("license", 1)]));
    assert_eq!(exemption.fallbacks, BTreeMap::new());
    assert_eq!(exemption.actual().permille(), Some(1_000));
}

const LOOK_THEN_DECIDE: &str = r#"
    let parcel = ask("office.parcel", #{ no: "G-1" });
    let room = ask("office.room", #{ area: m.form.area });
    let opinion = decide("office.approver", #{ title: "审查", facts: #{ area: m.form.area } });
    if opinion.denied { return deny(opinion); }
    grant(ask("office.issue", #{ area: m.form.area }))"#;

#[tokio::test]
async fn a_correction_changes_a_form_field_during_decide() {
    let matters = vec![("a", FORM, LOOK_THEN_DECIDE)];
    let mut world = Setting { matters, form: area(9), ..Setting::default() }.begin().await;
    world.until(|view| has_task(view, TaskKind::Decide)).await;
    world.act(&officer(), correct(&[], &["area"])).await.unwrap();
    let open = world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await;
    assert_eq!(refusal(open), "CORRECTION_OPEN", "the applicant still has his period");
    let change = Change::AmendForm {
        fields: area(12),
        reason: String::new(),
        came: Came::default(),
        seen: None,
    };
    world.change(&applicant(), change).await.unwrap();
    let refreshed = |view: &CaseView| {
        let mut tasks = view.case().open_tasks();
        tasks.any(|task| task.facts.get("area") == Some(&Value::Int(12)))
    };
    world.until(refreshed).await;
    let seen: Vec<String> = world
        .agencies
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|(operation, _)| operation.clone())
        .collect();
    // The parcel was asked once and is taken over; the room is asked again for the new area.
    assert_eq!(seen, ["office.parcel", "office.room", "office.room"]);
    world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();
    let view = world.until(|view| stage(view) == "granted").await;
    let issued = view.case().matters[0].run.requests.iter().rev().find_map(|request| {
        let Ask::Call { operation, input, .. } = &request.made.ask else { return None };
        (operation == "office.issue").then(|| input.clone())
    });
    assert_eq!(issued.unwrap().get("area"), Some(&Value::Int(12)));
    assert!(incidents(&view).is_empty());
}

#[tokio::test]
async fn three_days_down_across_the_deadline_with_the_correction_already_sent() {
    let further = format!(r#"intake: "window", {FORM}"#);
    let matters = vec![("a", further.as_str(), DECIDE_AND_GRANT)];
    let mut world = Setting { matters, form: area(9), ..Setting::default() }.begin().await;
    world.until(|view| has_task(view, TaskKind::Intake)).await;
    world.act(&clerk(), correct(&[], &["area"])).await.unwrap();
    world.until(|view| stage(view) == "correction_pending").await;
    // The period ends on 23 March. The engine is down from the 22nd to the 25th; the applicant
    // sent his correction on the 23rd, and the portal delivers it after the restart.
    world.engine.shutdown().await;
    world.reach("2026-03-25T09:00:00+08:00");
    world.restart().await;
    let came = Came {
        at: Some(Moment::parse("2026-03-23T16:00:00+08:00").unwrap()),
        evidence: "门户回执 20260323-17".to_owned(),
    };
    let change =
        Change::AmendForm { fields: area(12), reason: "门户补录".to_owned(), came, seen: None };
    world.change(&clerk(), change).await.unwrap();
    let view = world.until(|view| stage(view) == "received").await;
    assert!(!has_task(&view, TaskKind::CorrectionMissed), "sent in time is in time");
    assert!(has_task(&view, TaskKind::Intake));
    let late = Came { at: None, evidence: String::new() };
    let again =
        Change::AmendForm { fields: area(13), reason: String::new(), came: late, seen: None };
    assert_eq!(refusal(world.change(&applicant(), again).await), "NOT_OPEN");
}

#[tokio::test]
async fn an_extension_is_proposed_by_an_officer_and_approved_by_the_head() {
    let matters = vec![("a", FORM, DECIDE_AND_GRANT)];
    let mut world = Setting { matters, form: area(9), ..Setting::default() }.begin().await;
    world.until(|view| has_task(view, TaskKind::Decide)).await;
    let terms =
        Terms::Extension { by: "10 working days".parse().unwrap(), approved_by: "me".to_owned() };
    let extend = ActRequest::now(ActKind::Extend, "案情复杂").with(terms);
    world.act(&officer(), extend).await.unwrap();
    let view = world.until(|view| has_task(view, TaskKind::ApproveExtension)).await;
    assert_eq!(due(&view, ClockKind::Statutory), "2026-03-30");
    let self_made = world.complete(&officer(), TaskKind::ApproveExtension, says(Said::Yes)).await;
    assert_eq!(refusal(self_made), "NOT_PERMITTED", "an officer does not approve his own");
    world.complete(&head(), TaskKind::ApproveExtension, says(Said::Yes)).await.unwrap();
    let view = world.until(|view| view.case().matters[0].law.is_extended()).await;
    assert_eq!(due(&view, ClockKind::Statutory), "2026-04-14");
}

#[tokio::test]
async fn one_upload_serves_two_matters_and_a_new_version_tells_the_other() {
    let further = r#"materials: [material("plan", "图纸").from(upload("pdf"))],"#;
    let handle = r#"grant(decide("office.approver", #{ title: "审查" }))"#;
    let setting = Setting {
        parts: r#"part("a"), part("b")"#,
        matters: vec![("a", further, handle), ("b", further, handle)],
        materials: vec![MaterialGiven::file("plan", "图纸.pdf", Digest::of(b"one"))],
        ..Setting::default()
    };
    let mut world = setting.begin().await;
    world.until(|view| view.case().open_tasks().count() == 2).await;
    world.act(&officer(), correct(&["plan"], &[])).await.unwrap();
    let given = MaterialGiven::file("plan", "图纸-改.pdf", Digest::of(b"two"));
    world
        .change(&applicant(), Change::GiveMaterial { given, came: Came::default() })
        .await
        .unwrap();
    let view = world.until(|view| has_task(view, TaskKind::Amendment)).await;
    let digest = |no: usize| view.case().matters[no].requirement("plan").unwrap().how.clone();
    assert_eq!(digest(0), Found::Given { digest: Digest::of(b"two") });
    assert_eq!(digest(1), Found::Given { digest: Digest::of(b"one") }, "never a silent swap");
    let other = view.case().open_tasks().find(|task| task.opened.kind == TaskKind::Amendment);
    assert_eq!(other.unwrap().matter, MatterNo(2));
}

#[tokio::test]
async fn a_clerk_voids_what_he_entered_by_mistake() {
    let matters = vec![("a", FORM, DECIDE_AND_GRANT)];
    let mut world = Setting { matters, form: area(9), ..Setting::default() }.begin().await;
    world.until(|view| has_task(view, TaskKind::Decide)).await;
    let silent = Change::AmendForm {
        fields: area(90),
        reason: " ".to_owned(),
        came: Came::default(),
        seen: None,
    };
    assert_eq!(refusal(world.change(&clerk(), silent).await), "REASONS_MISSING");
    let amend = Change::AmendForm {
        fields: area(90),
        reason: "录入更正".to_owned(),
        came: Came::default(),
        seen: None,
    };
    world.change(&clerk(), amend).await.unwrap();
    let view = world.until(|view| view.case().form() == area(90)).await;
    let (entry, _) = view.case().form_changes[0].clone();
    let void = Change::VoidEntry { entry, reason: "录错办件".to_owned() };
    world.change(&clerk(), void.clone()).await.unwrap();
    let view = world.until(|view| view.case().form() == area(9)).await;
    assert!(view.case().voided.contains_key(&entry), "the entry stays in the log");
    assert_eq!(refusal(world.change(&clerk(), void).await), "NOT_VOIDABLE");
    assert_eq!(view.case().form_changes.len(), 1);
}

#[tokio::test]
async fn an_agency_that_breaks_its_word_is_carded_until_it_answers() {
    let handle = r#"grant(ask("tax.clearance", #{ area: m.form.area }));"#;
    let matters = vec![("a", FORM, handle)];
    let agencies = Arc::new(Agencies::default());
    agencies.will("tax.clearance", Does::Accepts);
    let mut world =
        Setting { matters, agencies, form: area(120), ..Setting::default() }.begin().await;
    let asked = world.until(|view| view.case().open_calls().next().is_some()).await;
    let call = asked.case().open_calls().next().unwrap().made.id;
    world.reach("2026-03-05T09:00:00+08:00");
    let late = world.until(|view| has_task(view, TaskKind::AgencyLate)).await;
    let cards = late.case().cards.values().map(|card| card.raised.to.as_str());
    assert!(cards.into_iter().any(|to| to == "tax.approver"), "{:?}", late.case().cards);
    let more =
        TaskOutcome { fields: Value::of([("longer", "1 working day".into())]), ..says(Said::Yes) };
    world.complete(&officer(), TaskKind::AgencyLate, more).await.unwrap();
    world.restart().await;
    world.reach("2026-03-09T09:00:00+08:00");
    world.until(|view| has_task(view, TaskKind::AgencyLate)).await;
    let inbox = world.engine.inbox();
    inbox.deliver("agencies".to_owned(), completed(call, "清-1")).await.unwrap();
    let ended = world.until(|view| stage(view) == "granted").await;
    assert!(!has_task(&ended, TaskKind::AgencyLate));
}

#[tokio::test]
async fn a_new_holiday_notice_moves_the_due_day_of_an_open_case_and_stays_moved() {
    let matters = vec![("a", FORM, DECIDE_AND_GRANT)];
    let filed_at = "2026-12-31T10:00:00+08:00";
    let setting = Setting { matters, form: area(9), filed_at, ..Setting::default() };
    let mut world = setting.begin().await;
    let view = world.until(|view| has_task(view, TaskKind::Decide)).await;
    assert_eq!(
        due(&view, ClockKind::Promised),
        "2027-01-01",
        "nobody has said yet that it is a holiday"
    );
    let standing = with_new_year_2027();
    let integrator = Viewer::new("integrator", Role::Integrator);
    world.engine.replace_standing(&integrator, standing.clone()).await.unwrap();
    let supervisor = Viewer::new("s", Role::Supervisor).within("420300");
    let log = world.engine.audit_log(&supervisor, 0, 10).await.unwrap();
    let noted = log.iter().map(|one| (one.deed.act.code(), one.deed.by.as_str()));
    assert_eq!(noted.collect::<Vec<_>>(), [("standing_replaced", "integrator")], "it says who");
    let view = world.until(|view| view.case().calendar.is_some()).await;
    assert_eq!(
        due(&view, ClockKind::Promised),
        "2027-01-04",
        "a holiday and a weekend lie between"
    );
    let version = standing.calendar(&view.case().started.region).version().to_owned();
    assert_eq!(view.case().calendar.as_deref(), Some(version.as_str()));
    world.restart_with(standing).await;
    world.complete(&officer(), TaskKind::Decide, says(Said::Yes)).await.unwrap();
    let view = world.until(|view| stage(view) == "granted").await;
    assert_eq!(view.case().calendar.as_deref(), Some(version.as_str()), "and is read anew once");
}
