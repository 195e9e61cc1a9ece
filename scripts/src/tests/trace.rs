//! Where a script stands and what its variables hold when somebody looks.

use tongban_core::port::{Frame, RunEnd};
use tongban_core::value::Value;

use crate::testing::{Desk, HEAD};

/// Places below the declaration of the matter.
fn place(frame: &Frame) -> (String, u32, u32) {
    let head = u32::try_from(HEAD.lines().count()).unwrap();
    (frame.function.clone(), frame.line - head, frame.column)
}

fn held<'f>(frame: &'f Frame, name: &str) -> Option<&'f Value> {
    frame.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

const SCRIPT: &str = r#"fn second(first, n) {
    let doubled = n * 2;
    ask("a.two", #{ n: doubled })
}
fn handle(m) {
    let first = ask("a.one");
    let facts = #{ no: m.form.no, n: 7 };
    if first.ok {
        let inner = "在内";
        let got = second(first, facts.n);
        deny(got.reason);
    }
}
"#;

#[test]
fn a_look_says_where_each_function_stands_and_what_it_holds() {
    let mut desk = Desk::new(SCRIPT);
    desk.run();
    let look = desk.look_closely();
    assert_eq!(look.end, RunEnd::Suspended);
    assert_eq!(look.waits.len(), 1);
    assert_eq!(look.frames.iter().map(place).collect::<Vec<_>>(), [("handle".to_owned(), 6, 17)]);
    assert_eq!(look.frames[0].excerpt, r#"    let first = ask("a.one");"#);
    assert_eq!(look.frames[0].file, "matters/d/m.rhai");
    assert!(look.frames[0].variables.is_empty());

    desk.complete(0, Value::of([("ok", Value::from(true))]));
    desk.run();
    let look = desk.look_closely();
    let places: Vec<_> = look.frames.iter().map(place).collect();
    assert_eq!(places, [("second".to_owned(), 3, 5), ("handle".to_owned(), 10, 19)]);
    let (second, handle) = (&look.frames[0], &look.frames[1]);
    assert_eq!(held(second, "doubled"), Some(&Value::Int(14)));
    assert_eq!(held(second, "n"), Some(&Value::Int(7)));
    assert_eq!(held(handle, "inner"), Some(&Value::from("在内")));
    assert_eq!(held(handle, "got"), None, "it is what is waited for");
    let facts = Value::of([("no", Value::from("G-1")), ("n", Value::Int(7))]);
    assert_eq!(held(handle, "facts"), Some(&facts));
    let first = held(handle, "first").unwrap();
    assert_eq!(first.get("ok"), Some(&Value::from(true)));
}

#[test]
fn handles_are_shown_as_their_requests_and_a_wait_without_variables_keeps_them() {
    let mut desk = Desk::handling(
        "let one = start(\"a.one\");\nlet both = all([one, start(\"a.two\")]);\nsleep(\"2 calendar days\");",
    );
    desk.run();
    let look = desk.look_closely();
    let frame = &look.frames[0];
    assert_eq!(held(frame, "one"), Some(&Value::from("(handle of request 1.0#0)")));
    assert_eq!(held(frame, "both"), Some(&Value::from("(combined handles)")));
    assert_eq!(place(frame).1, 4);
    assert_eq!(look.waits.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1.0#2"]);
}

#[test]
fn a_wait_inside_of_a_closure_shows_its_function_too() {
    let mut desk = Desk::handling(
        "let list = [\"a.one\"];\nlist.map(|op| {\n    let tried = op;\n    ask(tried)\n});",
    );
    desk.run();
    let look = desk.look_closely();
    let places: Vec<_> = look.frames.iter().map(place).collect();
    assert_eq!(places[0], ("(closure)".to_owned(), 5, 5));
    assert_eq!(held(&look.frames[0], "tried"), Some(&Value::from("a.one")));
    assert_eq!(places[1].1, 3, "{places:?}");
    assert_eq!(look.frames.len(), 2);
}

#[test]
fn what_functions_held_that_have_returned_is_not_shown() {
    let mut desk = Desk::new(
        "fn early() { let gone = 1; log(gone); gone }\nfn handle(m) {\n    let kept = early();\n    ask(\"a.one\", #{ n: early() });\n}\n",
    );
    desk.run();
    let look = desk.look_closely();
    assert_eq!(look.frames.len(), 1, "{:?}", look.frames);
    assert_eq!(place(&look.frames[0]).1, 4);
    assert_eq!(held(&look.frames[0], "kept"), Some(&Value::Int(1)));
    assert_eq!(held(&look.frames[0], "gone"), None);
}

#[test]
fn a_look_comes_to_what_a_run_comes_to() {
    let mut desk = Desk::new(SCRIPT);
    for step in 0..2 {
        let (end, asked) = desk.look();
        let look = desk.look_closely();
        assert_eq!((look.end, look.asked), (end, asked), "at step {step}");
        desk.run();
        if step == 0 {
            desk.complete(0, Value::of([("ok", Value::from(true))]));
        }
    }
}
