//! Stories of partial outcomes: one permit is denied while others are open, and the service says
//! whom to ask whether they go on.

use tongban_core::entry::TaskKind;
use tongban_core::id::MatterNo;
use tongban_core::law::Stage;
use tongban_core::viewer::Viewer;
use tongban_engine::CaseView;

use super::world::{Said, Setting, World, applicant, incidents, says, stages};

const DECIDE: &str = r#"
    let opinion = decide("office.approver", #{ title: "审查" });
    if opinion.denied { return deny(opinion); }
    grant(opinion)"#;

const THREE: &str = r#"part("a"), part("b"), part("c").after("a")"#;

const ASK_APPLICANT: &str = r#"fn on_partial(c) {
    let names = c.ended.map(|one| one.name);
    let left = c.open.len;
    let_applicant_choose(`${names}未通过，其余 ${left} 项是否继续？`)
}"#;

async fn filed(functions: &str) -> World {
    let matters = vec![("a", "", DECIDE), ("b", "", DECIDE), ("c", "", DECIDE)];
    let setting = Setting { parts: THREE, matters, functions, ..Setting::default() };
    let world = setting.begin().await;
    world.until(|view| view.case().open_tasks().count() == 2).await;
    world
}

fn question(view: &CaseView) -> Option<(String, String)> {
    let mut open = view.case().open_tasks();
    let task = open.find(|task| task.opened.kind == TaskKind::Partial)?;
    Some((task.role.as_str().to_owned(), task.opened.title.clone()))
}

async fn answered(world: &mut World, by: &Viewer, said: Said) {
    world.complete(by, TaskKind::Partial, says(said)).await.unwrap();
}

#[tokio::test]
async fn one_denial_asks_the_applicant_and_his_yes_lets_the_rest_go_on() {
    let mut world = filed(ASK_APPLICANT).await;
    world.decide(2, Said::No).await;
    let view = world.until(|view| question(view).is_some()).await;
    let (role, title) = question(&view).unwrap();
    assert_eq!(
        (role.as_str(), title.as_str()),
        ("applicant.self", "[\"事项b\"]未通过，其余 2 项是否继续？")
    );
    // Meanwhile nothing stands still.
    world.decide(1, Said::Yes).await;
    world.stands(&["granted", "denied", "accepted"]).await;
    answered(&mut world, &applicant(), Said::Yes).await;
    world.decide(3, Said::Yes).await;
    world.stands(&["granted", "denied", "granted"]).await;
    let view = world.until(|_| true).await;
    assert_eq!(question(&view), None, "he is asked once");
}

#[tokio::test]
async fn the_applicants_no_withdraws_what_is_open_and_takes_back_nothing_that_was_given() {
    let mut world = filed(ASK_APPLICANT).await;
    world.decide(1, Said::Yes).await;
    world.decide(2, Said::No).await;
    world.until(|view| question(view).is_some()).await;
    answered(&mut world, &applicant(), Said::No).await;
    world.stands(&["granted", "denied", "withdrawn"]).await;
    let view = world.until(|view| view.case().open_tasks().count() == 0).await;
    assert!(view.case().matters[2].law.stage != Stage::Planned);
}

#[tokio::test]
async fn the_leads_no_is_put_to_the_applicant_and_withdraws_nothing_by_itself() {
    let ask_lead = r#"fn on_partial(c) { let_lead_choose("研判其余事项") }"#;
    let mut world = filed(ask_lead).await;
    world.decide(2, Said::No).await;
    let view = world.until(|view| question(view).is_some()).await;
    assert_eq!(question(&view).unwrap().0, "hall.approver");
    let lead =
        Viewer::new("lead", tongban_core::viewer::Role::Approver).within("420300").of("hall");
    answered(&mut world, &lead, Said::No).await;
    let asked = |view: &CaseView| question(view).is_some_and(|(role, _)| role == "applicant.self");
    let view = world.until(asked).await;
    assert_eq!(stages(&view), ["accepted", "denied", "planned"], "only the applicant gives up");
    let facts = view.case().open_tasks().find(|task| task.opened.kind == TaskKind::Partial);
    let facts = facts.unwrap().opened.facts.clone();
    assert_eq!(facts.get("lead_opinion"), Some(&"理由".into()));
    answered(&mut world, &applicant(), Said::Yes).await;
    world.decide(1, Said::Yes).await;
    world.decide(3, Said::Yes).await;
    world.stands(&["granted", "denied", "granted"]).await;
}

#[tokio::test]
async fn a_function_that_fails_is_an_incident_and_the_rest_goes_on() {
    let broken = r#"fn on_partial(c) { c.nowhere.further }"#;
    let mut world = filed(broken).await;
    world.decide(2, Said::No).await;
    let view = world.until(|view| !incidents(view).is_empty()).await;
    assert_eq!(incidents(&view), ["SCRIPT_FAILED"]);
    let raised = view.case().incidents.values().next().unwrap();
    assert_eq!((raised.matter, raised.incident.file.as_str()), (MatterNo(0), "services/test.rhai"));
    world.decide(1, Said::Yes).await;
    world.decide(3, Said::Yes).await;
    world.stands(&["granted", "denied", "granted"]).await;
}

#[tokio::test]
async fn a_question_without_anything_left_to_go_on_is_dropped() {
    let mut world = filed(ASK_APPLICANT).await;
    world.decide(2, Said::No).await;
    world.until(|view| question(view).is_some()).await;
    world.decide(1, Said::No).await;
    world.stands(&["denied", "denied", "not_filed"]).await;
    let view = world.until(|view| view.case().open_tasks().count() == 0).await;
    assert_eq!(question(&view), None);
}

#[tokio::test]
async fn without_the_function_nobody_is_asked() {
    let mut world = filed("").await;
    world.decide(2, Said::No).await;
    world.decide(1, Said::Yes).await;
    world.stands(&["granted", "denied", "accepted"]).await;
    let view = world.until(|_| true).await;
    assert_eq!(question(&view), None);
}
