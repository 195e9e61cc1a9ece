//! Stories of services whose set of matters is computed from the answers: an oversize transport
//! needs a permit in each district of its route.

use std::sync::Arc;

use tongban_core::calendar::{CalendarDocument, Calendars, DayKind, SpecialDay};
use tongban_core::card::CardLevel;
use tongban_core::entry::Body;
use tongban_core::id::{MatterNo, RegionCode};
use tongban_core::law::ClockKind;
use tongban_core::request::Ask;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::standing::Standing;
use tongban_engine::{CaseFilter, CaseView, PageRequest};

use super::world::{Said, Setting, World, applicant, incidents, stages};

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

/// The shipped calendar, and places that rest on days of their own.
fn resting(places: &[(&str, &[&str])]) -> Standing {
    let documents = places.iter().map(|(place, dates)| CalendarDocument {
        code: format!("hall-{place}"),
        name: "示例大厅".to_owned(),
        regions: vec![RegionCode::new(*place)],
        based_on: Some("cn".to_owned()),
        working_weekdays: None,
        first_year: 2026,
        last_year: 2026,
        source: "示例通知".to_owned(),
        days: dates.iter().map(|date| rest(date)).collect(),
    });
    let calendars = Calendars::of(&documents.collect::<Vec<_>>());
    let calendars = calendars.unwrap_or_else(|error| panic!("{error}"));
    Standing { calendars: Arc::new(calendars), ..Standing::default() }
}

fn rest(date: &str) -> SpecialDay {
    let (kind, name) = (DayKind::Holiday, "大厅检修".to_owned());
    SpecialDay { date: date.parse().unwrap(), kind, name, source: None }
}

/// Returns the days on which the promises of the matters that were accepted end.
fn promised(view: &CaseView) -> Vec<String> {
    let promised = view.case().matters.iter().filter_map(|matter| {
        let mut clocks = matter.law.clocks().iter();
        let clock = clocks.find(|clock| clock.kind == ClockKind::Promised)?;
        Some(view.due(matter, clock).at.date().to_string())
    });
    promised.collect()
}

/// Returns on which days the scripts' timers are due.
fn timers(view: &CaseView) -> Vec<String> {
    let requests = view.case().matters.iter().flat_map(|matter| &matter.run.requests);
    let due = requests.filter_map(|request| match &request.made.ask {
        Ask::Timer { due, .. } => Some(due.date().to_string()),
        Ask::Call { .. }
        | Ask::Decide { .. }
        | Ask::Act { .. }
        | Ask::Receive { .. }
        | Ask::Compensate { .. }
        | Ask::Patch { .. } => None,
    });
    due.collect()
}

fn red_cards(view: &CaseView) -> Vec<u16> {
    let cards = view.case().cards.values();
    let red = cards.filter(|card| card.raised.level == CardLevel::Red);
    red.map(|card| card.matter.0).collect()
}

async fn on_its_way_past(standing: Standing, decide: &str) -> World {
    let matters = vec![("permit", "", decide), ("plan", "", DECIDE), ("pass", "", PASS)];
    let setting =
        Setting { parts: PARTS, matters, answers: route(&ROUTE), standing, ..Setting::default() };
    setting.begin().await
}

/// A matter at a place with a calendar of its own used to be refused with the whole case.
#[tokio::test]
async fn each_matter_counts_by_the_calendar_of_the_place_that_decides_it() {
    let world = on_its_way_past(resting(&[("420303", &["2026-03-03"])]), DECIDE).await;
    let view = world.until(|view| view.case().open_tasks().count() == 2).await;
    assert_eq!(promised(&view), ["2026-03-03", "2026-03-04"], "filed on Monday, one day promised");
    let kept: Vec<_> = view.case().matters[..2]
        .iter()
        .map(|matter| {
            matter.filed.as_ref().unwrap().calendar.as_str() == view.calendar_of(matter).version()
        })
        .collect();
    assert_eq!(kept, [true, true], "and each remembers by which one it was given its days");
    let due = |no: u16| {
        let view = &view;
        let mut tasks = view.case().open_tasks();
        let task = tasks.find(|task| task.matter == MatterNo(no)).unwrap();
        view.task_summary(task).due_at.unwrap().date().to_string()
    };
    assert_eq!((due(1).as_str(), due(2).as_str()), ("2026-03-03", "2026-03-04"), "in the queues");
    world.reach("2026-03-04T08:00:00+08:00");
    let view = world.until(|view| !red_cards(view).is_empty()).await;
    assert_eq!(red_cards(&view), [1], "the other place has rested and has its last day today");
    world.reach("2026-03-05T08:00:00+08:00");
    let view = world.until(|view| red_cards(view).len() == 2).await;
    assert_eq!(red_cards(&view), [1, 2]);
}

#[tokio::test]
async fn a_case_at_a_place_with_a_calendar_of_its_own_counts_by_it() {
    let setting = Setting {
        matters: vec![(
            "a",
            "",
            r#"sleep("1 working day"); grant(decide("office.approver", #{ title: "审查" }))"#,
        )],
        standing: resting(&[("420302", &["2026-03-03", "2026-03-04"])]),
        ..Setting::default()
    };
    let mut world = setting.begin().await;
    let view = world.until(|view| !timers(view).is_empty()).await;
    assert_eq!(
        (promised(&view), timers(&view)),
        (vec!["2026-03-05".to_owned()], vec!["2026-03-05".to_owned()])
    );
    let explained = view.explain(&view.case().matters[0], &view.case().matters[0].law.clocks()[1]);
    assert!(format!("{explained:?}").contains("大厅检修"), "and it says why: {explained:?}");
    world.reach("2026-03-06T08:00:00+08:00");
    world.decide(1, Said::Yes).await;
    world.stands(&["granted"]).await;
}

#[tokio::test]
async fn a_new_calendar_of_one_place_moves_what_is_decided_there_and_nothing_else() {
    let sleeps = r#"sleep("1 working day"); grant(decide("office.approver", #{ title: "审查" }))"#;
    let mut world = on_its_way_past(Standing::default(), sleeps).await;
    let view = world.until(|view| timers(view).len() == 2).await;
    assert_eq!(promised(&view), ["2026-03-03", "2026-03-03"]);
    let standing = resting(&[("420303", &["2026-03-03", "2026-03-04"])]);
    let integrator = Viewer::new("integrator", Role::Integrator);
    world.engine.replace_standing(&integrator, standing.clone()).await.unwrap();
    let view = world.until(|view| view.case().calendar.is_some()).await;
    assert_eq!(promised(&view), ["2026-03-03", "2026-03-05"]);
    assert_eq!(timers(&view), ["2026-03-03", "2026-03-03"], "what a script was told stays");
    world.restart_with(standing).await;
    world.reach("2026-03-04T08:00:00+08:00");
    let view = world.until(|view| view.case().open_tasks().count() == 2).await;
    assert_eq!(red_cards(&view), [1]);
    assert!(incidents(&view).is_empty(), "{:?}", incidents(&view));
    let log = world.log().await;
    let read_anew = log.iter().filter(|entry| matches!(entry.body, Body::CalendarChanged { .. }));
    assert_eq!(read_anew.count(), 1, "and was read anew once");
}
