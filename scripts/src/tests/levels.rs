//! Levels of the host functions, and scripts that are changed while cases run on them.

use tongban_core::definition::Closure;
use tongban_core::port::{RunEnd, Script as _};
use tongban_core::request::Ask;
use tongban_core::value::Value;

use crate::host::Host;
use crate::load::LoadError;
use crate::testing::{Desk, HEAD, folder, host};

const ONE: &str = r#"service(#{ code: "s", name: "测试", lead: "d", regions: ["420300"], matters: [part("m")] });"#;
const TWO: &str = r#"service(#{ code: "s", name: "测试", lead: "d", regions: ["420300"], matters: [part("m")], api_level: 2 });"#;

fn with(service: &str, functions: &str) -> Result<Host, LoadError> {
    let matter = format!("{HEAD}{functions}");
    host(&[("services/s.rhai", service), ("matters/d/m.rhai", &matter)])
}

fn desk(service: &str, body: &str) -> Desk {
    let host = with(service, &format!("fn handle(m) {{\n{body}\n}}\n"));
    Desk::with_host(host.unwrap_or_else(|error| panic!("{error}")))
}

fn closure(host: &Host) -> std::sync::Arc<Closure> {
    host.services().remove(0)
}

/// Puts `now()` into a call a part of a second after the minute.
const ASKS_AT: &str = r#"let first = ask("a.b"); ask("c.d", #{ at: now() });"#;

fn asked_at(mut desk: Desk) -> Value {
    desk.run();
    desk.complete_after(0, 123);
    let (_, requests) = desk.look();
    let Ask::Call { input, .. } = &requests[0].ask else { panic!("{requests:?}") };
    input.get("at").cloned().unwrap()
}

#[test]
fn a_function_that_changed_stays_what_it_was_for_older_closures() {
    let at = |text: &str| Value::from(text);
    assert_eq!(asked_at(desk(ONE, ASKS_AT)), at("2026-03-02T09:07:00.123+08:00"));
    assert_eq!(asked_at(desk(TWO, ASKS_AT)), at("2026-03-02T09:07:00+08:00"));
}

#[test]
fn both_levels_run_side_by_side_in_one_host() {
    let old = with(ONE, "fn handle(m) { ask(\"a.b\") }").unwrap();
    let digest = closure(&old).digest;
    let new = with(TWO, "fn handle(m) { if patched(\"p\") { ask(\"a.b\") } }").unwrap();
    new.adopt(&digest, &old.sources(&digest).unwrap()).unwrap();
    assert_eq!(new.closure(&digest).unwrap().api_level, 1);
    assert_eq!(closure(&new).api_level, 2);
    assert_ne!(closure(&new).digest, digest);
}

#[test]
fn a_service_that_names_no_level_keeps_the_first() {
    assert_eq!(closure(&with(ONE, "fn handle(m) { }").unwrap()).api_level, 1);
    assert_eq!(Host::shipped().unwrap().services()[0].api_level, 1);
}

#[test]
fn a_level_that_the_host_does_not_know_is_refused_with_what_there_is() {
    let newer = TWO.replace("api_level: 2", "api_level: 3");
    let error = with(&newer, "fn handle(m) { }").err().unwrap();
    assert_eq!(error.code(), "SCRIPT_INVALID");
    let said = error.to_string();
    assert!(said.contains("API_LEVEL") && said.contains("1 to 2"), "{said}");
}

#[test]
fn kept_scripts_of_a_newer_level_are_refused_by_an_older_program() {
    let new = with(TWO, "fn handle(m) { }").unwrap();
    let digest = closure(&new).digest;
    let mut blob = new.sources(&digest).unwrap();
    // The level stands right after the version of the record.
    assert_eq!(blob[1], 2);
    blob[1] = 9;
    let digest = tongban_core::digest::Digest::of(&blob);
    let fault = new.adopt(&digest, &blob).unwrap_err();
    assert!(fault.message.contains("ask for another one: 9"), "{fault}");
}

#[test]
fn a_function_of_a_newer_level_is_named_as_such() {
    let error = with(ONE, "fn handle(m) { if patched(\"p\") { } }").err().unwrap();
    let said = error.to_string();
    assert!(said.contains("API_LEVEL") && said.contains("api_level: 2"), "{said}");
}

#[test]
fn an_older_script_may_have_a_function_under_a_newer_name() {
    let own = "fn patched(x) { x + 1 }\nfn handle(m) { ask(\"a.b\", #{ n: patched(1) }) }";
    let host = with(ONE, own).unwrap_or_else(|error| panic!("{error}"));
    let mut desk = Desk::with_host(host);
    assert_eq!(desk.run().1, ["a.b"]);
    assert!(with(TWO, own).err().unwrap().to_string().contains("HOST_NAME"));
}

const BEFORE: &str = r#"let a = ask("a.one"); let b = ask("a.three"); deny(b.x);"#;
const PATCHED: &str = r#"let a = ask("a.one");
if patched("p") { ask("a.two"); }
let b = ask("a.three"); deny(b.x);"#;
const DEPRECATED: &str = r#"let a = ask("a.one");
deprecate_patch("p");
ask("a.two");
let b = ask("a.three"); deny(b.x);"#;
const GONE: &str = r#"let a = ask("a.one"); ask("a.two"); let b = ask("a.three"); deny(b.x);"#;

fn one() -> Value {
    Value::of([("x", Value::from("一"))])
}

#[test]
fn a_journal_from_before_the_patch_replays_and_a_fresh_one_is_changed() {
    let mut old = desk(TWO, BEFORE);
    old.run();
    old.complete(0, one());
    assert_eq!(old.run().1, ["a.three"]);
    let mut again = old.under(&desk(TWO, PATCHED));
    assert_eq!(again.run(), (RunEnd::Suspended, vec![]), "the old way, and no marker");
    let mut fresh = desk(TWO, PATCHED);
    fresh.run();
    fresh.complete(0, one());
    assert_eq!(fresh.run().1, ["p", "a.two"]);
    assert_eq!(fresh.run(), (RunEnd::Suspended, vec![]), "the marker is found again");
}

#[test]
fn a_patch_is_deprecated_and_then_removed() {
    let mut old = desk(TWO, PATCHED);
    old.run();
    old.complete(0, one());
    old.run();
    old.complete(2, one());
    let mut deprecated = old.under(&desk(TWO, DEPRECATED));
    assert_eq!(deprecated.run().1, ["a.three"]);
    let fault = deprecated.replayed_by(&desk(TWO, GONE));
    assert!(fault.expected.contains("Patch p"), "{fault:?}");

    let mut marked = desk(TWO, DEPRECATED);
    marked.run();
    marked.complete(0, one());
    assert_eq!(marked.run().1, ["p", "a.two"]);
    let mut gone = marked.under(&desk(TWO, GONE));
    assert_eq!(gone.run(), (RunEnd::Suspended, vec![]));
}

fn findings(functions: &str) -> Vec<(&'static str, u32)> {
    let matter = format!("{HEAD}{functions}");
    let folder = folder(&[("services/s.rhai", TWO), ("matters/d/m.rhai", &matter)]);
    let report = crate::check(&folder, None).unwrap();
    let head = u32::try_from(HEAD.lines().count()).unwrap();
    let found = report.findings.iter().filter(|found| found.code.starts_with("PATCH"));
    found.map(|found| (found.code, found.line - head)).collect()
}

#[test]
fn patches_without_use_and_ids_that_stand_twice_are_warned_of() {
    let unused = "fn handle(m) {\npatched(\"a\");\nask(\"a.b\");\n}";
    assert_eq!(findings(unused), [("PATCH_UNUSED", 2)]);
    let twice = "fn handle(m) {\nif patched(\"a\") { ask(\"a.b\"); }\nif patched(\"a\") { ask(\"a.c\"); }\n}";
    assert_eq!(findings(twice), [("PATCH_TWICE", 3)]);
    let both = "fn handle(m) {\ndeprecate_patch(\"a\");\nif patched(\"a\") { ask(\"a.b\"); }\n}";
    assert_eq!(findings(both), [("PATCH_TWICE", 3)]);
    let computed = "fn handle(m) {\nlet id = \"a\";\nif patched(id) { ask(\"a.b\"); }\n}";
    assert_eq!(findings(computed), [("PATCH_ID", 3)]);
    let fine =
        "fn handle(m) {\nlet new = patched(\"a\");\nif new || patched(\"b\") { ask(\"a.b\"); }\n}";
    assert_eq!(findings(fine), []);
}

#[test]
fn patches_stand_neither_in_comparers_nor_in_conditions() {
    let error = with(TWO, "fn handle(m) { [2, 1].sort(|a, b| patched(\"p\")); }").err().unwrap();
    assert!(error.to_string().contains("DURABLE_IN_CLOSURE"), "{error}");
}
