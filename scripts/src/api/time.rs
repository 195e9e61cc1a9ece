//! Recorded time: `timer`, `sleep`, `now`, `today`. Never the machine's clock.

use rhai::{Engine, NativeCallContext};
use tongban_core::time::Period;

use crate::api::ask::{Awaited, wait};
use crate::diagnose::Trouble;
use crate::suspend::{Thrown, with};

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("timer", |context: NativeCallContext<'_>, limit: &str| timer(&context, limit))
        .register_fn("sleep", |context: NativeCallContext<'_>, limit: &str| {
            let handle = timer(&context, limit)?;
            wait(&context, handle).map(drop)
        })
        .register_fn("now", |context: NativeCallContext<'_>| {
            with(&context, |run| run.replay.now()).map(|now| now.to_string())
        })
        .register_fn("today", |context: NativeCallContext<'_>| {
            with(&context, |run| run.replay.now()).map(|now| now.date().to_string())
        });
}

fn timer(context: &NativeCallContext<'_>, limit: &str) -> Result<Awaited, Thrown> {
    let period = period(limit)?;
    with(context, |run| run.replay.timer(period)).map(Awaited)
}

/// Reads a period such as "3 working days".
pub(crate) fn period(text: &str) -> Result<Period, Thrown> {
    text.parse::<Period>().map_err(|error| {
        let said = error.to_string();
        let (zh, en) = said.split_once(" / ").unwrap_or((&said, &said));
        Trouble::new("PERIOD", zh, en).thrown()
    })
}
