//! Expectations: states, clocks, calls, tasks, incidents. Each compares two texts.

use std::sync::Arc;

use rhai::{Dynamic, Engine, INT, Map, NativeCallContext};
use tongban_core::case::{Case, Matter};
use tongban_core::entry::{Body, IncidentKind};
use tongban_core::law::Clock;
use tongban_core::read_model;
use tongban_core::request::Ask;
use tongban_core::value::Value;
use tongban_core::waiting::waiting_on;

use crate::convert::from_script;
use crate::diagnose::Trouble;
use crate::rehearsal::current::{Current, Detail, with};
use crate::rehearsal::history::minute;

use super::{R, meant};

/// Characters of a date.
const DATE_LENGTH: usize = 10;

pub(crate) fn register(engine: &mut Engine) {
    states(engine);
    clocks(engine);
    calls(engine);
    others(engine);
}

fn states(engine: &mut Engine) {
    engine
        .register_fn(
            "expect",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, state: &str| {
                with(&context, |current| {
                    let case = current.case()?;
                    let got = matter_of(current, &case, matter)?.law.stage.code();
                    same(
                        current,
                        (&format!("{matter} 的状态"), &format!("state of {matter}")),
                        state,
                        got,
                    )
                })
            },
        )
        .register_fn("expect_case", |context: NativeCallContext<'_>, _: &mut R, state: &str| {
            with(&context, |current| {
                let got = read_model::state(&*current.case()?).code();
                same(current, ("办件状态", "state of the case"), state, got)
            })
        })
        .register_fn(
            "expect_number",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, number: &str| {
                with(&context, |current| {
                    let case = current.case()?;
                    let result = matter_of(current, &case, matter)?.result.as_ref();
                    let got = result.map_or("", |result| result.number.as_str());
                    same(
                        current,
                        (&format!("{matter} 的文号"), &format!("number of {matter}")),
                        number,
                        got,
                    )
                })
            },
        )
        .register_fn(
            "expect_waiting",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, party: &str| {
                with(&context, |current| expect_waiting(current, Some(matter), party))
            },
        )
        .register_fn(
            "expect_advice",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, advice: &str| {
                with(&context, |current| expect_advice(current, matter, advice))
            },
        )
        .register_fn(
            "expect_field",
            |context: NativeCallContext<'_>, _: &mut R, field: &str, value: Dynamic, from: &str| {
                let wanted = from_script(&value, field).map_err(Trouble::thrown)?;
                with(&context, |current| expect_field(current, field, (&wanted, from)))
            },
        )
        .register_fn("expect_waiting", |context: NativeCallContext<'_>, _: &mut R, party: &str| {
            with(&context, |current| expect_waiting(current, None, party))
        });
}

fn expect_waiting(current: &mut Current, matter: Option<&str>, party: &str) -> Result<(), Trouble> {
    let no = meant(current, matter)?;
    let case = current.case()?;
    let Some(matter) = case.matter(no) else { return Ok(()) };
    let on = waiting_on(&case, matter, current.scene.calendar(), current.scene.now());
    let got = on.as_ref().map_or("nobody", |on| on.party.code());
    let code = &matter.planned.code;
    same(current, (&format!("{code} 等待谁"), &format!("whom {code} waits for")), party, got)
}

/// Compares a value of the form and the source that it came from; blank for what was typed.
fn expect_field(current: &mut Current, field: &str, wanted: (&Value, &str)) -> Result<(), Trouble> {
    let case = current.case()?;
    let value = case.form().get(field).cloned().unwrap_or_default();
    let source = case.provenance(field).map(|provenance| provenance.source).unwrap_or_default();
    let shown = |value: &Value, source: &str| format!("{value}({source})");
    let (expected, got) = (shown(wanted.0, wanted.1), shown(&value, &source));
    same(current, (&format!("表单 {field}"), &format!("form field {field}")), &expected, &got)
}

/// Compares what `intake` advises: `accept`, `correct`, `not_accept`, `pending`, `failed`, `none`.
fn expect_advice(current: &mut Current, matter: &str, advice: &str) -> Result<(), Trouble> {
    let case = current.case()?;
    let facts = matter_of(current, &case, matter)?.advice.facts();
    let kind = facts.as_ref().and_then(|facts| facts.get("kind")).and_then(Value::as_text);
    let got = kind.unwrap_or("none");
    same(current, (&format!("{matter} 的预审建议"), &format!("advice on {matter}")), advice, got)
}

fn clocks(engine: &mut Engine) {
    engine
        .register_fn(
            "expect_due",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, clock: &str, when: &str| {
                with(&context, |current| {
                    let case = current.case()?;
                    let of = matter_of(current, &case, matter)?;
                    let found = clock_of(of, clock)?;
                    let due = of.law.due(found, current.scene.calendar(), current.scene.now());
                    let mut got = minute(due.at);
                    if when.len() <= DATE_LENGTH {
                        got.truncate(DATE_LENGTH);
                    }
                    let what =
                        (format!("{matter} 的 {clock} 期限"), format!("{clock} of {matter} due"));
                    same(current, (&what.0, &what.1), when, &got)
                })
            },
        )
        .register_fn(
            "expect_used",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, clock: &str, days: INT| {
                with(&context, |current| {
                    let case = current.case()?;
                    let of = matter_of(current, &case, matter)?;
                    let found = clock_of(of, clock)?;
                    let used =
                        of.law.used_days(found, current.scene.calendar(), current.scene.now());
                    let what = (
                        format!("{matter} 的 {clock} 已用工作日"),
                        format!("working days used of {clock} of {matter}"),
                    );
                    same(current, (&what.0, &what.1), &days.to_string(), &used.to_string())
                })
            },
        );
}

fn calls(engine: &mut Engine) {
    engine
        .register_fn(
            "expect_calls",
            |context: NativeCallContext<'_>, _: &mut R, operation: &str, times: INT| {
                with(&context, |current| {
                    check_operation(current, operation)?;
                    let got = inputs(current, operation).len();
                    let what =
                        (format!("调用 {operation} 的次数"), format!("calls of {operation}"));
                    same(current, (&what.0, &what.1), &times.to_string(), &got.to_string())
                })
            },
        )
        .register_fn(
            "expect_call",
            |context: NativeCallContext<'_>, _: &mut R, operation: &str, input: Map| {
                let wanted = from_script(&Dynamic::from_map(input), "expect_call")
                    .map_err(Trouble::thrown)?;
                with(&context, |current| {
                    check_operation(current, operation)?;
                    let last = inputs(current, operation).pop();
                    let got = last.map_or_else(
                        || "未调用 / not called".to_owned(),
                        |last| shared(&wanted, &last).to_string(),
                    );
                    let what = (format!("{operation} 的输入"), format!("input of {operation}"));
                    same(current, (&what.0, &what.1), &wanted.to_string(), &got)
                })
            },
        );
}

fn others(engine: &mut Engine) {
    engine
        .register_fn(
            "expect_tasks",
            |context: NativeCallContext<'_>, _: &mut R, role: &str, count: INT| {
                with(&context, |current| {
                    let case = current.case()?;
                    let open = case.open_tasks().filter(|task| task.role.as_str() == role);
                    let got = open.count().to_string();
                    let what = (format!("{role} 的待办数"), format!("open tasks of {role}"));
                    same(current, (&what.0, &what.1), &count.to_string(), &got)
                })
            },
        )
        .register_fn("expect_incident", |context: NativeCallContext<'_>, _: &mut R, kind: &str| {
            with(&context, |current| expect_incident(current, kind))
        });
}

/// Compares; a difference is kept for those who read the failure as data.
pub(super) fn same(
    current: &mut Current,
    what: (&str, &str),
    expected: &str,
    got: &str,
) -> Result<(), Trouble> {
    if expected == got {
        return Ok(());
    }
    current.detail =
        Some(Detail { expected: expected.to_owned(), got: got.to_owned(), diff: Vec::new() });
    let (zh, en) = what;
    Err(Trouble::new(
        "EXPECTATION",
        format!("{zh}:预期 {expected},实际 {got}"),
        format!("{en}: expected {expected}, got {got}"),
    ))
}

pub(super) fn matter_of<'c>(
    current: &Current,
    case: &'c Arc<Case>,
    code: &str,
) -> Result<&'c Matter, Trouble> {
    let known = || case.matters.iter().filter(|matter| !current.hidden.contains(&matter.no));
    known().find(|matter| matter.planned.code.as_str() == code).ok_or_else(|| {
        Trouble::new(
            "UNKNOWN_MATTER",
            format!("办件中没有事项 {code}"),
            format!("the case has no matter {code}"),
        )
        .advise_nearest(code, known().map(|matter| matter.planned.code.as_str()))
    })
}

/// Returns the newest clock of a kind.
fn clock_of<'m>(matter: &'m Matter, kind: &str) -> Result<&'m Clock, Trouble> {
    let clocks = matter.law.clocks();
    clocks.iter().rev().find(|clock| clock.kind.code() == kind).ok_or_else(|| {
        let code = &matter.planned.code;
        Trouble::new(
            "NO_CLOCK",
            format!("{code} 没有 {kind} 期限"),
            format!("{code} has no {kind} clock"),
        )
        .advise_nearest(kind, clocks.iter().map(|clock| clock.kind.code()))
    })
}

fn check_operation(current: &Current, operation: &str) -> Result<(), Trouble> {
    super::agency::check_operation(current, operation)
}

/// Returns the inputs of every call of an operation, in order; what a restarted run took over
/// from an earlier one is no call.
fn inputs(current: &Current, operation: &str) -> Vec<Value> {
    let asked = current.scene.entries().iter().filter_map(|entry| {
        let Body::Requested(made) = &entry.body else { return None };
        let Ask::Call { operation: asked, input, .. } = &made.ask else { return None };
        (made.call.is_some() && asked == operation).then(|| input.clone())
    });
    asked.collect()
}

/// Returns the members of `input` that `wanted` names.
fn shared(wanted: &Value, input: &Value) -> Value {
    match (wanted, input) {
        (Value::Map(wanted), Value::Map(members)) => {
            let named = members.iter().filter(|(name, _)| wanted.contains_key(*name));
            Value::Map(named.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        (_, other) => other.clone(),
    }
}

fn expect_incident(current: &mut Current, kind: &str) -> Result<(), Trouble> {
    if !IncidentKind::ALL.iter().any(|(_, code)| *code == kind) {
        let trouble = Trouble::new(
            "UNKNOWN_INCIDENT",
            format!("没有异常类别 {kind}"),
            format!("there is no kind of incident {kind}"),
        );
        return Err(trouble.advise_nearest(kind, IncidentKind::ALL.iter().map(|(_, code)| *code)));
    }
    let case = current.case()?;
    let raised: Vec<&str> =
        case.incidents.values().map(|state| state.incident.kind.code()).collect();
    current.expected_incidents.insert(kind.to_owned());
    let got = if raised.contains(&kind) { kind.to_owned() } else { raised.join("、") };
    same(current, ("异常", "incidents"), kind, &got)
}
