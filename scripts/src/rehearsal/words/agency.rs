//! Agencies: what they answer, in which order, after how long, and how they fail.
//!
//! `r.agency("role.operation")` begins a sentence, each word after it adds to what the agency
//! does with a call. A word with `then_` is about the next call; the last one stays for all calls
//! after it. The sentence counts from the next word on `r` on.

use rhai::{Dynamic, Engine, Map, NativeCallContext};
use tongban_core::agency::{FaultClass, ManualTask};
use tongban_core::rehearsal::{Conduct, Said, Saying};
use tongban_core::request::{Outcome, OutcomeKind};
use tongban_core::value::Value;

use crate::convert::from_script;
use crate::diagnose::Trouble;
use crate::rehearsal::current::{Current, editing, with};
use crate::suspend::Thrown;

use super::R;
use super::given::Given;
use super::time::period;

/// The agency that a sentence is about.
#[derive(Clone, Debug)]
struct Agency(String);

/// Which call a word is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Which {
    /// The one that the sentence is at.
    This,
    /// The next one.
    Next,
}

/// Words in both forms: about this call, and about the next.
const FORMS: [(Which, &str); 2] = [(Which::This, ""), (Which::Next, "then_")];

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Agency>("agency");
    engine
        .register_fn("agency", |context: NativeCallContext<'_>, _: &mut R, operation: &str| {
            with(&context, |current| {
                check_operation(current, operation)?;
                current.telling = Some((operation.to_owned(), Vec::new()));
                Ok(Agency(operation.to_owned()))
            })
        })
        .register_fn("agencies_answer", |context: NativeCallContext<'_>, _: &mut R| {
            with(&context, all_answer)
        })
        .register_fn(
            "after",
            |context: NativeCallContext<'_>, agency: &mut Agency, how_long: &str| {
                after(&context, agency, how_long)
            },
        );
    for (which, prefix) in FORMS {
        ends(engine, which, prefix);
        fails(engine, which, prefix);
    }
    reports(engine);
}

fn ends(engine: &mut Engine, which: Which, prefix: &str) {
    let completes = format!("{prefix}completes");
    engine
        .register_fn(
            completes.as_str(),
            move |context: NativeCallContext<'_>, agency: &mut Agency| {
                complete(&context, agency, which, None)
            },
        )
        .register_fn(
            completes.as_str(),
            move |context: NativeCallContext<'_>, agency: &mut Agency, output: Map| {
                let output =
                    from_script(&Dynamic::from_map(output), &agency.0).map_err(Trouble::thrown)?;
                complete(&context, agency, which, Some(output))
            },
        )
        .register_fn(
            format!("{prefix}keeps_silent"),
            move |context: NativeCallContext<'_>, agency: &mut Agency| {
                say(&context, agency, which, |conduct, _| {
                    conduct.clear();
                    Ok(())
                })
            },
        );
    let outcomes = [
        ("rejects", OutcomeKind::Rejected),
        ("needs_correction", OutcomeKind::NeedsCorrection),
        ("needs_applicant", OutcomeKind::NeedsApplicant),
        ("cancels", OutcomeKind::Cancelled),
    ];
    for (name, kind) in outcomes {
        engine.register_fn(
            format!("{prefix}{name}"),
            move |context: NativeCallContext<'_>, agency: &mut Agency, reason: &str| {
                let outcome = Outcome { kind, reason: reason.to_owned(), detail: Value::Null };
                add(&context, agency, which, Saying::Ends(outcome))
            },
        );
        engine.register_fn(
            format!("{prefix}{name}"),
            move |context: NativeCallContext<'_>, agency: &mut Agency, reason: &str, with: Map| {
                let detail =
                    from_script(&Dynamic::from_map(with), name).map_err(Trouble::thrown)?;
                let outcome = Outcome { kind, reason: reason.to_owned(), detail };
                add(&context, agency, which, Saying::Ends(outcome))
            },
        );
    }
}

fn fails(engine: &mut Engine, which: Which, prefix: &str) {
    engine
        .register_fn(
            format!("{prefix}fails"),
            move |context: NativeCallContext<'_>, agency: &mut Agency, class: &str| {
                let class = fault(class).map_err(Trouble::thrown)?;
                add(&context, agency, which, Saying::Fails(class))
            },
        )
        .register_fn(
            format!("{prefix}asks_person"),
            move |context: NativeCallContext<'_>, agency: &mut Agency, role: &str| {
                let task = ManualTask { role: role.to_owned(), title: agency.0.clone() };
                add(&context, agency, which, Saying::AsksPerson(task))
            },
        );
}

fn reports(engine: &mut Engine) {
    engine
        .register_fn("reports", |context: NativeCallContext<'_>, agency: &mut Agency, act: &str| {
            report(&context, agency, act, Map::new())
        })
        .register_fn(
            "reports",
            |context: NativeCallContext<'_>, agency: &mut Agency, act: &str, with: Map| {
                report(&context, agency, act, with)
            },
        );
}

pub(super) fn check_operation(current: &Current, operation: &str) -> Result<(), Trouble> {
    if current.known.operations.contains_key(operation) {
        return Ok(());
    }
    Err(Trouble::new(
        "UNKNOWN_OPERATION",
        format!("脚本和操作目录中都没有操作 {operation}"),
        format!("neither the scripts nor the catalogue have an operation {operation}"),
    )
    .advise_nearest(operation, current.known.operations.keys().map(String::as_str)))
}

/// Every operation that was told nothing does as the catalogue's example.
fn all_answer(current: &mut Current) -> Result<(), Trouble> {
    let known = std::sync::Arc::clone(&current.known);
    for operation in known.operations.keys().filter(|name| !current.told.contains(*name)) {
        let conduct = known.example(operation, None);
        let told = current.scene.instruct(operation, vec![conduct]);
        told.map_err(|error| crate::rehearsal::current::of_scene(&error))?;
    }
    Ok(())
}

/// Edits what the agency of the sentence does with this or the next call.
fn say(
    context: &NativeCallContext<'_>,
    agency: &Agency,
    which: Which,
    edit: impl FnOnce(&mut Conduct, &Current) -> Result<(), Trouble>,
) -> Result<Agency, Thrown> {
    editing(context, |current| {
        let telling = current.telling.take();
        let Some((operation, mut conducts)) = telling.filter(|(told, _)| *told == agency.0) else {
            return Err(late(&agency.0));
        };
        if conducts.is_empty() || which == Which::Next {
            conducts.push(Conduct::new());
        }
        if let Some(conduct) = conducts.last_mut() {
            edit(conduct, current)?;
        }
        current.telling = Some((operation, conducts));
        Ok(agency.clone())
    })
}

fn late(operation: &str) -> Trouble {
    Trouble::new(
        "SENTENCE",
        format!("对 {operation} 的安排已经结束"),
        format!("what {operation} does was said already"),
    )
    .advise(
        "请在一句话里写完:r.agency(\"…\").fails(\"…\").then_completes(#{…});",
        "say it in one sentence: r.agency(\"…\").fails(\"…\").then_completes(#{…});",
    )
}

fn add(
    context: &NativeCallContext<'_>,
    agency: &Agency,
    which: Which,
    what: Saying,
) -> Result<Agency, Thrown> {
    say(context, agency, which, |conduct, _| push(conduct, what))
}

fn push(conduct: &mut Conduct, what: Saying) -> Result<(), Trouble> {
    if conduct.last().is_some_and(|last| last.what.is_last()) {
        return Err(Trouble::new(
            "SENTENCE",
            "该次调用已经答复完毕",
            "this call has been answered to its end",
        )
        .advise(
            "关于下一次调用请用 then_ 开头的词,如 then_completes。",
            "for the next call use a word with then_, such as then_completes.",
        ));
    }
    conduct.push(Said { what, after: None });
    Ok(())
}

fn complete(
    context: &NativeCallContext<'_>,
    agency: &Agency,
    which: Which,
    output: Option<Value>,
) -> Result<Agency, Thrown> {
    let name = agency.0.clone();
    say(context, agency, which, |conduct, current| {
        let what = current.known.completion(&name, output);
        push(conduct, what)
    })
}

fn after(
    context: &NativeCallContext<'_>,
    agency: &Agency,
    how_long: &str,
) -> Result<Agency, Thrown> {
    say(context, agency, Which::This, |conduct, _| match conduct.last_mut() {
        Some(last) => {
            last.after = Some(period(how_long)?);
            Ok(())
        }
        None => Err(Trouble::new(
            "SENTENCE",
            "after 前须先说明答复什么",
            "before after, say what is answered",
        )),
    })
}

fn report(
    context: &NativeCallContext<'_>,
    agency: &Agency,
    act: &str,
    with: Map,
) -> Result<Agency, Thrown> {
    let read = || -> Result<Saying, Trouble> {
        let mut given = Given::new("reports", with)?;
        let ground = given.text("ground")?.unwrap_or_default();
        let number = given.text("number")?.unwrap_or_default();
        let reason = given.text("reason")?;
        let mut detail = given.map("detail")?.unwrap_or_default();
        detail.extend(reason.map(|reason| ("reason".to_owned(), Value::Text(reason))));
        given.end(&["ground", "number", "reason", "detail"])?;
        Ok(Saying::Reports { act: act.to_owned(), ground, number, detail: Value::Map(detail) })
    };
    let what = read().map_err(Trouble::thrown)?;
    add(context, agency, Which::This, what)
}

fn fault(class: &str) -> Result<FaultClass, Trouble> {
    let known = FaultClass::ALL.iter().find(|(_, code)| *code == class);
    known.map(|(class, _)| *class).ok_or_else(|| {
        Trouble::new(
            "UNKNOWN_FAULT",
            format!("没有故障类别 {class}"),
            format!("there is no class of fault {class}"),
        )
        .advise_nearest(class, FaultClass::ALL.iter().map(|(_, code)| *code))
    })
}
