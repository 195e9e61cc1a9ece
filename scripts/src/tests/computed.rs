//! Sets of matters that a service computes from the answers.

use tongban_core::id::ServiceCode;
use tongban_core::port::Script as _;
use tongban_core::start::{self, Unchosen};
use tongban_core::value::Value;

use crate::testing::host;

const MATTER: &str = r#"matter(#{ code: "permit", name: "许可", department: "d", form: [] });
fn handle(m) { grant(decide("d.approver", #{ title: m.key })) }"#;

const PASS: &str = r#"matter(#{ code: "pass", name: "通行", department: "d", form: [] });
fn handle(m) { grant(decide("d.approver", #{ title: "通行" })) }"#;

/// What a service with this closure makes of answers: matters with place and key, or the code.
fn parts(closure: &str, answers: &Value) -> Result<Vec<String>, String> {
    let service = format!(
        r#"service(#{{ code: "s", name: "示例", lead: "d", regions: ["420300"], api_level: 2,
            questions: [question("route", "途经地", list(text(6), 5)), question("heavy", "超重", yes_no())],
            matters: {closure} }});"#
    );
    let files = [
        ("services/s.rhai", service.as_str()),
        ("matters/d/permit.rhai", MATTER),
        ("matters/d/pass.rhai", PASS),
    ];
    let host = host(&files).unwrap_or_else(|error| panic!("{error}"));
    let closure = host.active(&ServiceCode::new("s")).unwrap();
    match start::choose(&host, &closure, answers) {
        Ok((chosen, selected)) => {
            assert!(selected.iter().all(|included| *included));
            assert_eq!(chosen.digest, closure.digest, "the scripts are the same");
            let parts = chosen.service.parts.iter();
            Ok(parts
                .map(|part| {
                    let place = part.place.as_ref().map_or("-", |place| place.as_str());
                    format!("{} {place} {} after {}", part.matter, part.key, part.after.len())
                })
                .collect())
        }
        Err(Unchosen::Refused(refusal)) => Err(refusal.code),
        Err(Unchosen::Script(fault)) => Err(format!("{} {}", fault.file, fault.message)),
    }
}

fn route(places: &[&str]) -> Value {
    let places = places.iter().map(|place| Value::text(*place)).collect();
    Value::of([("route", Value::List(places)), ("heavy", true.into())])
}

const BY_PLACE: &str = r#"|q| {
    let parts = q.route.map(|place| part("permit").at(place).key(place));
    parts.push(part("pass").after("permit").when(|q| q.heavy == true));
    parts
}"#;

#[test]
fn a_list_of_places_gives_a_part_for_each() {
    let found = parts(BY_PLACE, &route(&["420302", "420303"])).unwrap();
    assert_eq!(
        found,
        ["permit 420302 420302 after 0", "permit 420303 420303 after 0", "pass -  after 1"]
    );
}

#[test]
fn what_is_waited_for_and_not_in_the_set_passes_through() {
    assert_eq!(parts(BY_PLACE, &route(&[])).unwrap(), ["pass -  after 0"]);
}

#[test]
fn an_open_list_is_empty_and_a_when_within_the_set_holds_it_back() {
    let open = Value::of([("route", Value::Null)]);
    assert_eq!(parts(BY_PLACE, &open).unwrap_err(), "MATTERS_COMPUTED", "no matter is left");
}

#[test]
fn two_matters_that_nothing_tells_apart_are_refused() {
    let twice = r#"|q| [part("permit"), part("permit")]"#;
    assert_eq!(parts(twice, &route(&[])).unwrap_err(), "MATTERS_COMPUTED");
    let keyed = r#"|q| [part("permit"), part("permit").key("甲")]"#;
    assert_eq!(parts(keyed, &route(&[])).unwrap().len(), 2);
}

#[test]
fn a_circle_is_refused_before_anything_waits_for_it() {
    let circle = r#"|q| [part("permit").after("pass"), part("pass").after("permit")]"#;
    assert_eq!(parts(circle, &route(&[])).unwrap_err(), "MATTERS_COMPUTED");
}

#[test]
fn more_matters_than_a_case_holds_are_refused() {
    let many = r#"|q| {
        let parts = [];
        for n in 0..129 { parts.push(part("permit").key(`${n}`)); }
        parts
    }"#;
    assert_eq!(parts(many, &route(&[])).unwrap_err(), "MATTERS_COMPUTED");
}

#[test]
fn a_closure_that_fails_loops_or_returns_something_else_says_where() {
    for (closure, wanted) in [
        (r#"|q| { part("permit"); 5 }"#, "must return a list of part(…), not i64"),
        (r#"|q| { part("permit"); q.route.nowhere }"#, "services/s.rhai"),
        (r#"|q| { part("permit"); loop { } }"#, "services/s.rhai"),
    ] {
        let message = parts(closure, &route(&[])).unwrap_err();
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn the_same_answers_give_the_same_set_again() {
    let one = parts(BY_PLACE, &route(&["420303", "420302"]));
    assert_eq!(one, parts(BY_PLACE, &route(&["420303", "420302"])));
}
