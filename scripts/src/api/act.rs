//! Acts of the law: `grant`, `grant_tolerant`, `deny`, `terminate`, `forward_up`. They are asked of
//! the legal fold, which answers; a refusal is a fault of the script. Also `log`.
//!
//! A script denies only on an officer's no. Its own reason to deny or to terminate becomes an
//! officer's task, and the script goes on when he has agreed.

use rhai::{Dynamic, Engine, NativeCallContext};
use tongban_core::law::{ActAnswer, ActKind};
use tongban_core::replay::Arrived;
use tongban_core::request::Evidence;
use tongban_core::value::Value;

use crate::api::decision::{is_deemed, rests_on_silence};
use crate::api::outcome::{DecisionView, Output, waited};
use crate::diagnose::Trouble;
use crate::suspend::{Current, Thrown, with};

/// Characters of a `log` text that are kept.
const LOG_CHARS_MAX: usize = 200;

pub(crate) fn register(engine: &mut Engine) {
    for (name, act) in [("grant", ActKind::Grant), ("grant_tolerant", ActKind::GrantTolerant)] {
        engine.register_fn(name, move |context: NativeCallContext<'_>, on: Dynamic| {
            grant(&context, act, &on)
        });
    }
    for (name, act) in [
        ("deny", ActKind::Deny),
        ("forward_up", ActKind::ForwardUp),
        ("terminate", ActKind::Terminate),
    ] {
        engine.register_fn(name, move |context: NativeCallContext<'_>, reason: &str| {
            let detail = Value::of([("reason", Value::from(reason))]);
            answered(&context, act, None, detail)
        });
    }
    engine
        .register_fn("deny", |context: NativeCallContext<'_>, on: DecisionView| {
            deny_decided(&context, on)
        })
        .register_fn("forward_up", |context: NativeCallContext<'_>, on: DecisionView| {
            let detail = Value::of([("reason", Value::from(on.decision.opinion.as_str()))]);
            answered(&context, ActKind::ForwardUp, Some(Evidence::Decision(on.key)), detail)
        })
        .register_fn("log", |context: NativeCallContext<'_>, what: Dynamic| log(&context, &what));
}

fn grant(context: &NativeCallContext<'_>, act: ActKind, on: &Dynamic) -> Result<(), Thrown> {
    if let Some(view) = on.read_lock::<DecisionView>() {
        if !view.decision.granted {
            return Err(Trouble::new(
                "GRANT_ON_DENIAL",
                "不能凭一个不同意的决定准予",
                "a decision that says no cannot be granted on",
            )
            .advise(
                "请先判断 if opinion.denied { return deny(opinion); }。",
                "write if opinion.denied { return deny(opinion); } first.",
            )
            .thrown());
        }
        if is_deemed(&view.decision) {
            return Err(rests_on_silence().thrown());
        }
        let evidence = Evidence::Decision(view.key.clone());
        return answered(context, act, Some(evidence), Value::map());
    }
    if let Some(output) = on.read_lock::<Output>() {
        let evidence = Evidence::Call(output.key.clone());
        let gives = with(context, |run| Ok(run.def.gives.clone()))?;
        return answered(context, act, Some(evidence), license_of(&output, gives));
    }
    Err(Trouble::new(
        "GRANT_WITHOUT_EVIDENCE",
        format!("{} 不能作为准予的依据", on.type_name()),
        format!("{} is no ground to grant on", on.type_name()),
    )
    .advise(
        "准予只能凭 decide 的决定，或 ask / wait 得到的办理结果；settle 的结果请先看 ok，再用 value。",
        "grant takes what decide returned, or the output of ask or wait; of what settle returned look at ok, then use value.",
    )
    .thrown())
}

/// The license's data: its type, its number, and every field of the output.
fn license_of(output: &Output, gives: Option<String>) -> Value {
    let mut fields = output.fields().clone();
    let number = output
        .documents()
        .first()
        .map(|document| Value::from(document.number.as_str()))
        .or_else(|| fields.get("number").cloned())
        .or_else(|| fields.get("no").cloned());
    if let Some(number) = number {
        fields.insert("number".to_owned(), number);
    }
    if let Some(license) = gives {
        fields.insert("license".to_owned(), Value::from(license));
    }
    Value::Map(fields)
}

fn deny_decided(context: &NativeCallContext<'_>, on: DecisionView) -> Result<(), Thrown> {
    if on.decision.granted {
        return Err(Trouble::new(
            "DENY_ON_GRANT",
            "不能凭一个同意的决定不予许可",
            "a decision that says yes cannot be denied on",
        )
        .thrown());
    }
    let detail = Value::of([("reason", Value::from(on.decision.opinion))]);
    answered(context, ActKind::Deny, Some(Evidence::Decision(on.key)), detail)
}

fn answered(
    context: &NativeCallContext<'_>,
    act: ActKind,
    evidence: Option<Evidence>,
    detail: Value,
) -> Result<(), Thrown> {
    let detail = detail.check().map_err(|error| {
        let text = error.to_string();
        Trouble::new("VALUE", text.clone(), text).thrown()
    })?;
    match with(context, |run| run.replay.act(act, evidence, detail))? {
        Arrived::Answer(ActAnswer::Refused { code, reason }) => Err(refused(act, &code, &reason)),
        Arrived::Answer(ActAnswer::Done | ActAnswer::Already)
        | Arrived::Output { .. }
        | Arrived::Message(_)
        | Arrived::Decision { .. }
        | Arrived::Fired
        | Arrived::List(_)
        | Arrived::Map(_)
        | Arrived::Settled(_) => Ok(()),
        stopped @ Arrived::Thrown { .. } => waited(stopped).map(drop),
    }
}

fn refused(act: ActKind, code: &str, reason: &str) -> Thrown {
    let (zh, en) = reason.split_once(" / ").unwrap_or((reason, reason));
    Trouble::new(
        "ACT_REFUSED",
        format!("{}不成立（{code}）：{zh}", act.name()),
        format!("{} does not hold ({code}): {en}", act.code()),
    )
    .thrown()
}

/// Logs for the integrator. A replayed line is logged again, so it stays at the debug level.
fn log(context: &NativeCallContext<'_>, what: &Dynamic) -> Result<(), Thrown> {
    let text: String = what.to_string().chars().take(LOG_CHARS_MAX).collect();
    with(context, |run: &mut Current| {
        let case = run.replay.case().id;
        let matter = &run.replay.matter().planned.code;
        tracing::debug!(%case, %matter, text, "script log");
        Ok(())
    })
}
