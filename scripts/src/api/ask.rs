//! Asking systems: `start`, `ask`, `at`; and waiting for whatever was asked: `wait`, `settle`.

use rhai::{Dynamic, Engine, Map, NativeCallContext};
use tongban_core::replay::Handle;
use tongban_core::request::Ask;
use tongban_core::value::Value;

use crate::api::outcome::{settled, waited};
use crate::convert::{from_script, same_members};
use crate::diagnose::Trouble;
use crate::suspend::{Thrown, with};

/// Something that can be waited for, in the run that made it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited(pub(crate) Handle);

/// Another place, from `at(…)`, whose agencies are called instead of the matter's own.
#[derive(Clone, Debug)]
struct Place(String);

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Awaited>("Handle");
    engine.register_type_with_name::<Place>("Place");
    calls(engine);
    engine
        .register_fn("wait", |context: NativeCallContext<'_>, on: Awaited| wait(&context, on))
        .register_fn("settle", |context: NativeCallContext<'_>, on: Awaited| {
            with(&context, |run| run.replay.wait(on.0)).map(settled)
        });
    for name in ["wait", "settle"] {
        engine.register_fn(name, move |given: Dynamic| not_a_handle(name, &given));
    }
}

fn calls(engine: &mut Engine) {
    engine
        .register_fn("start", |context: NativeCallContext<'_>, op: &str, input: Map| {
            start(&context, None, op, input)
        })
        .register_fn("start", |context: NativeCallContext<'_>, op: &str| {
            start(&context, None, op, Map::new())
        })
        .register_fn("ask", |context: NativeCallContext<'_>, op: &str, input: Map| {
            ask(&context, None, op, input)
        })
        .register_fn("ask", |context: NativeCallContext<'_>, op: &str| {
            ask(&context, None, op, Map::new())
        })
        .register_fn("at", |place: &str| Place(place.to_owned()))
        .register_fn(
            "start",
            |context: NativeCallContext<'_>, place: &mut Place, op: &str, input: Map| {
                start(&context, Some(place.0.clone()), op, input)
            },
        )
        .register_fn(
            "ask",
            |context: NativeCallContext<'_>, place: &mut Place, op: &str, input: Map| {
                ask(&context, Some(place.0.clone()), op, input)
            },
        );
}

/// Waits for a handle; throws the outcome when it is not success.
pub(crate) fn wait(context: &NativeCallContext<'_>, on: Awaited) -> Result<Dynamic, Thrown> {
    waited(with(context, |run| run.replay.wait(on.0))?)
}

/// Registers how a script says what undoes its calls.
pub(crate) fn register_undo(engine: &mut Engine) {
    engine
        .register_fn("compensate_with", |context: NativeCallContext<'_>, op: &str, input: Map| {
            compensate_with(&context, None, op, input)
        })
        .register_fn(
            "compensate_with",
            |context: NativeCallContext<'_>, place: &mut Place, op: &str, input: Map| {
                compensate_with(&context, Some(place.0.clone()), op, input)
            },
        );
}

fn start(
    context: &NativeCallContext<'_>,
    place: Option<String>,
    operation: &str,
    input: Map,
) -> Result<Awaited, Thrown> {
    let same = |ask: &Ask| is_call(ask, place.as_deref(), operation, &input);
    if let Some(handle) = with(context, |run| run.replay.again(same))? {
        return Ok(Awaited(handle));
    }
    start_new(context, place, operation, input)
}

/// Tells whether what the journal holds is this call.
fn is_call(ask: &Ask, place: Option<&str>, operation: &str, input: &Map) -> bool {
    let Ask::Call { operation: own, place: at, input: Value::Map(members) } = ask else {
        return false;
    };
    own == operation && at.as_deref() == place && same_members(members, input)
}

/// Starts a call that the journal does not hold, or holds otherwise.
fn start_new(
    context: &NativeCallContext<'_>,
    place: Option<String>,
    operation: &str,
    input: Map,
) -> Result<Awaited, Thrown> {
    check_operation(operation)?;
    let input = from_script(&input.into(), operation).map_err(Trouble::thrown)?;
    let ask = Ask::Call { operation: operation.to_owned(), place, input };
    with(context, |run| run.replay.request(ask)).map(Awaited)
}

fn check_operation(operation: &str) -> Result<(), Thrown> {
    if operation.split_once('.').is_none_or(|(role, name)| role.is_empty() || name.is_empty()) {
        return Err(Trouble::new(
            "OPERATION",
            format!("{operation} 不是“部门.操作”"),
            format!("{operation} is not of the form role.operation"),
        )
        .advise(
            "例如 \"natural-resources.parcel\"。",
            "write for example \"natural-resources.parcel\".",
        )
        .thrown());
    }
    Ok(())
}

/// Registers how to undo the call that comes next; sent only if the matter is cancelled.
fn compensate_with(
    context: &NativeCallContext<'_>,
    place: Option<String>,
    operation: &str,
    input: Map,
) -> Result<(), Thrown> {
    check_operation(operation)?;
    let input = from_script(&input.into(), operation).map_err(Trouble::thrown)?;
    let ask = Ask::Compensate { operation: operation.to_owned(), place, input };
    with(context, |run| run.replay.request(ask)).map(drop)
}

fn ask(
    context: &NativeCallContext<'_>,
    place: Option<String>,
    operation: &str,
    input: Map,
) -> Result<Dynamic, Thrown> {
    let same = |ask: &Ask| is_call(ask, place.as_deref(), operation, &input);
    let again = with(context, |run| match run.replay.again(same)? {
        Some(handle) => run.replay.wait(handle).map(Some),
        None => Ok(None),
    })?;
    if let Some(arrived) = again {
        return waited(arrived);
    }
    let handle = start_new(context, place, operation, input)?;
    wait(context, handle)
}

fn not_a_handle(name: &str, given: &Dynamic) -> Result<Dynamic, Thrown> {
    Err(Trouble::new(
        "NOT_A_HANDLE",
        format!("{name} 只能等待句柄，而不是 {}", given.type_name()),
        format!("{name} waits for a handle, not for {}", given.type_name()),
    )
    .advise(
        "句柄来自 start、start_decide、timer、all 等；多个句柄请用 wait(all([…]))。",
        "handles come from start, start_decide, timer, all …; for several write wait(all([…])).",
    )
    .thrown())
}
