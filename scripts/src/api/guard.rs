//! The guard at the beginning of every `catch`: only outcomes may be caught.
//!
//! Rhai's `catch` also sees faults of the script itself, such as 1/0. The compiler puts a call of
//! [`GUARD`] first into each catch block (see [`crate::compile`]); whatever is not an outcome sets
//! the latch here, and the run ends as one incident.

use rhai::{Dynamic, Engine, Map, NativeCallContext};
use tongban_core::port::{ScriptFault, ScriptFaultKind};

use crate::api::outcome::OutcomeView;
use crate::diagnose::Trouble;
use crate::suspend::{self, Thrown};

/// Name of the guard. No script may use names that begin like it.
pub(crate) const GUARD: &str = "__only_outcomes";

pub(crate) fn register(engine: &mut Engine) {
    engine.register_fn(GUARD, |_: NativeCallContext<'_>, caught: Dynamic| let_pass(&caught));
}

fn let_pass(caught: &Dynamic) -> Result<(), Thrown> {
    if caught.is::<OutcomeView>() {
        return Ok(());
    }
    let fault = if let Some(trouble) = caught.read_lock::<Trouble>() {
        let text = format!("{} → {}", trouble.message, trouble.advice);
        ScriptFault::new(ScriptFaultKind::Script, text)
    } else if let Some(error) = caught.read_lock::<Map>() {
        rhai_fault(&error)
    } else {
        ScriptFault::new(
            ScriptFaultKind::Script,
            format!("脚本抛出了 {caught} / the script threw {caught}"),
        )
    };
    suspend::fail(fault);
    Err(suspend::terminated())
}

/// Rhai hands its own errors to `catch` as a map of message, line and position.
fn rhai_fault(error: &Map) -> ScriptFault {
    let text = |name: &str| error.get(name).map_or_else(String::new, ToString::to_string);
    let number = |name: &str| {
        let place = error.get(name).and_then(|place| place.as_int().ok());
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or(0)
    };
    let message = text("message");
    let limits = ["Too many operations", "Stack overflow", "Data too large", "exceeds"];
    let kind = if limits.iter().any(|limit| message.contains(limit)) {
        ScriptFaultKind::Limit
    } else {
        ScriptFaultKind::Script
    };
    let mut fault = ScriptFault::new(
        kind,
        format!(
            "脚本出错（catch 只能捕获办理结局）：{message} / the script failed (catch only holds outcomes): {message}"
        ),
    );
    fault.line = number("line");
    fault.column = number("position");
    fault
}
