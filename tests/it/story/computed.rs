//! Stories of services whose set of matters is computed from the answers: an oversize transport
//! needs a permit in each district of its route.

use tongban_core::id::{MatterNo, RegionCode};
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::{CaseFilter, PageRequest};

use super::world::{Said, Setting, World, applicant, stages};

const PARTS: &str = r#"|q| {
    let parts = q.route.map(|place| part("permit").at(place).key(place));
    parts.push(part("plan").when(|q| q.plan == true));
    parts.push(part("pass").after("permit", "plan"));
    parts
}"#;

const DECIDE: &str = r#"
    let opinion = decide("office.approver", #{ title: "审查" });
    if opinion.denied { return deny(opinion); }
    let permit = ask("office.issue", #{ place: m.place, key: m.key, filed: m.region });
    grant(permit)"#;

/// Asks with the numbers of both permits, which it reads by their keys.
const PASS: &str = r#"
    let permits = m.results["permit"];
    let pass = ask("office.pass", #{ one: permits["420302"].number, two: permits["420303"].number });
    grant(pass)"#;

const ROUTE: [&str; 2] = ["420302", "420303"];

fn route(places: &[&str]) -> Value {
    let places = places.iter().map(|place| Value::text(*place)).collect();
    Value::of([("route", Value::List(places)), ("plan", false.into())])
}

async fn on_its_way(places: &[&str]) -> World {
    let matters = vec![("permit", "", DECIDE), ("plan", "", DECIDE), ("pass", "", PASS)];
    Setting { parts: PARTS, matters, answers: route(places), ..Setting::default() }.begin().await
}

fn officer_at(place: &str) -> Viewer {
    Viewer::new(format!("officer-{place}"), Role::Approver).within(place).of("office")
}

#[tokio::test]
async fn each_place_of_the_route_decides_its_own_permit() {
    let mut world = on_its_way(&ROUTE).await;
    let open = |place: &'static str| {
        move |view: &tongban_engine::CaseView| {
            view.case().open_tasks().any(|task| task.opened.region.as_str() == place)
        }
    };
    let view = world.until(|view| open("420302")(view) && open("420303")(view)).await;
    assert_eq!(
        stages(&view),
        ["accepted", "accepted", "planned"],
        "what the answers leave out is not there"
    );
    let names: Vec<&str> =
        view.case().matters.iter().map(|one| one.planned.name.as_str()).collect();
    assert_eq!(names, ["事项permit(420302)", "事项permit(420303)", "事项pass"]);
    for (no, place) in (1..).zip(ROUTE) {
        world.say(&officer_at(place), MatterNo(no), Said::Yes).await.unwrap();
    }
    world.stands(&["granted", "granted", "granted"]).await;
    let view = world.until(|_| true).await;
    let requests = view.case().matters.iter().flat_map(|matter| &matter.run.requests);
    let called: Vec<(String, &str)> = requests
        .filter_map(|request| {
            let call = request.made.call.as_ref()?;
            Some((request.made.ask.target(), call.region.as_str()))
        })
        .collect();
    assert!(called.contains(&("office.issue".to_owned(), "420303")), "{called:?}");
    assert!(
        called.contains(&("office.pass".to_owned(), "420302")),
        "the rest goes where it was filed"
    );
}

#[tokio::test]
async fn a_district_sees_the_case_and_takes_only_its_own_task() {
    let mut world = on_its_way(&ROUTE).await;
    world.until(|view| view.case().open_tasks().count() == 2).await;
    let (here, there) = (officer_at("420302"), officer_at("420303"));
    for officer in [&here, &there] {
        let page = PageRequest { after: None, first: 10 };
        let listed = world.engine.cases(officer, CaseFilter::default(), page).await.unwrap();
        assert_eq!(listed.items.len(), 1, "{}", officer.subject);
        assert!(world.engine.case(officer, world.case).await.unwrap().is_some());
    }
    let stranger = officer_at("420304");
    assert!(world.engine.case(&stranger, world.case).await.unwrap().is_none());
    let refused = world.say(&here, MatterNo(2), Said::Yes).await;
    assert!(refused.is_err(), "the other place decides");
    world.say(&there, MatterNo(2), Said::Yes).await.unwrap();
}

#[tokio::test]
async fn a_computed_set_stays_after_a_restart_and_goes_on() {
    let mut world = on_its_way(&ROUTE).await;
    world.until(|view| view.case().open_tasks().count() == 2).await;
    world.restart().await;
    for (no, place) in (1..).zip(ROUTE) {
        world.say(&officer_at(place), MatterNo(no), Said::Yes).await.unwrap();
    }
    world.stands(&["granted", "granted", "granted"]).await;
    let view = world.until(|_| true).await;
    let places: Vec<&RegionCode> = (1..=3).map(|no| view.case().place_of(MatterNo(no))).collect();
    assert_eq!(
        places,
        [&RegionCode::new("420302"), &RegionCode::new("420303"), &RegionCode::new("420302")]
    );
}

#[tokio::test]
async fn one_denied_permit_leaves_the_pass_not_filed() {
    let mut world = on_its_way(&ROUTE).await;
    world.say(&officer_at("420302"), MatterNo(1), Said::Yes).await.unwrap();
    world.say(&officer_at("420303"), MatterNo(2), Said::No).await.unwrap();
    world.stands(&["granted", "denied", "not_filed"]).await;
}

#[tokio::test]
async fn answers_that_lead_to_two_matters_alike_are_refused_and_nothing_starts() {
    let mut world = on_its_way(&ROUTE).await;
    for (places, code) in [
        (vec!["420302", "420302"], "INVALID_FIELD"),
        (vec!["1", "2", "3", "4", "5", "6"], "INVALID_FIELD"),
    ] {
        let refused = world.start_another(route(&places)).await.unwrap_err();
        let tongban_engine::EngineError::Refused(refusal) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(refusal.code, code, "{places:?}");
    }
    let page = PageRequest { after: None, first: 10 };
    let listed = world.engine.cases(&applicant(), CaseFilter::default(), page).await.unwrap();
    assert_eq!(listed.items.len(), 1);
}
