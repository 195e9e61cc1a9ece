//! Waiting until a date: what is asked, what time it is afterwards, and what is no date.

use tongban_core::port::ScriptFaultKind;
use tongban_core::request::Ask;
use tongban_core::time::Moment;
use tongban_core::value::Value;

use crate::host::Host;
use crate::load::LoadError;
use crate::testing::{Desk, HEAD, host};

const SERVICE: &str = r#"service(#{ code: "s", name: "测试", lead: "d", regions: ["420300"], matters: [part("m")], api_level: 2 });"#;

fn with(body: &str) -> Result<Host, LoadError> {
    let matter = format!("{HEAD}fn handle(m) {{\n{body}\n}}\n");
    host(&[("services/s.rhai", SERVICE), ("matters/d/m.rhai", &matter)])
}

fn desk(body: &str) -> Desk {
    Desk::with_host(with(body).unwrap_or_else(|error| panic!("{error}")))
}

fn moment(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

/// Returns when the timer is due that the script has just asked for.
fn due(desk: &Desk) -> Moment {
    let (_, requests) = desk.look();
    let Ask::Timer { due, .. } = &requests[0].ask else { panic!("{requests:?}") };
    *due
}

/// Returns what time the script says that it is, once its timer has fired.
fn time_after(mut desk: Desk) -> Value {
    desk.run();
    desk.fire(0);
    let (_, requests) = desk.look();
    let Ask::Call { input, .. } = &requests[0].ask else { panic!("{requests:?}") };
    input.get("at").cloned().unwrap()
}

#[test]
fn a_date_begins_at_midnight_in_beijing() {
    let waiting = desk(r#"wait_until("2026-03-09"); ask("a.b", #{ at: now() });"#);
    assert_eq!(due(&waiting), moment("2026-03-09T00:00:00+08:00"));
    assert_eq!(time_after(waiting), Value::from("2026-03-09T00:00:00+08:00"));
}

#[test]
fn a_moment_is_written_with_its_offset() {
    let waiting = desk(r#"wait_until("2026-03-09T06:30:00Z"); ask("a.b", #{ at: now() });"#);
    assert_eq!(due(&waiting), moment("2026-03-09T14:30:00+08:00"));
    assert_eq!(time_after(waiting), Value::from("2026-03-09T14:30:00+08:00"));
}

/// A due time in the past would have turned the script's time back.
#[test]
fn a_date_that_is_over_is_due_at_once_and_turns_no_time_back() {
    let waiting = desk(r#"wait_until("2026-01-05"); ask("a.b", #{ at: now() });"#);
    assert_eq!(due(&waiting), moment("2026-03-02T09:05:00+08:00"));
    assert_eq!(time_after(waiting), Value::from("2026-03-02T09:05:00+08:00"));
}

#[test]
fn another_date_is_a_mismatch() {
    let mut before = desk(r#"wait_until("2026-03-09");"#);
    before.run();
    let fault = before.replayed_by(&desk(r#"wait_until("2026-03-10");"#));
    assert_eq!(fault.kind, ScriptFaultKind::Mismatch);
    assert!(fault.expected.contains("2026-03-09") && fault.got.contains("2026-03-10"), "{fault:?}");
}

#[test]
fn a_date_or_period_that_nobody_can_read_is_found_before_there_is_a_case() {
    for (body, code) in [
        (r#"wait_until("2026-02-30");"#, "MOMENT"),
        (r#"wait_until("3 working days");"#, "MOMENT"),
        (r#"wait_until("2026-03-09T14:30:00");"#, "MOMENT"),
        (r#"sleep("3 workdays");"#, "PERIOD"),
        (r#"wait(timer("soon"));"#, "PERIOD"),
        (r#"wait(timeout(start("a.b"), "2026-03-09"));"#, "PERIOD"),
    ] {
        let said = with(body).err().unwrap_or_else(|| panic!("{body} was loaded")).to_string();
        assert!(said.contains(code), "{body}: {said}");
    }
}

#[test]
fn a_date_that_was_put_together_wrongly_is_a_fault_of_the_script() {
    let fault = desk(r#"wait_until("2026-" + m.form.no);"#).fault();
    assert!(fault.message.contains("2026-G-1"), "{fault}");
}

#[test]
fn intake_waits_for_no_date() {
    let matter = format!(
        "{HEAD}fn intake(m) {{ wait_until(\"2026-03-09\"); accept() }}\nfn handle(m) {{ }}\n"
    );
    let files = [("services/s.rhai", SERVICE), ("matters/d/m.rhai", matter.as_str())];
    assert!(host(&files).err().unwrap().to_string().contains("NOT_IN_INTAKE"));
}
