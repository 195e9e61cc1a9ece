//! Recorded time: `timer`, `sleep`, `wait_until`, `now`, `today`. Never the machine's clock.
//!
//! At level 1 `now()` shows milliseconds, but only when there are some; systems that want one
//! written form of a time choke on it, so from level 2 on it is in whole seconds.

use rhai::{Engine, NativeCallContext};
use tongban_core::time::{Moment, Period};

use crate::api::UNTIL_SINCE;
use crate::api::ask::{Awaited, wait};
use crate::diagnose::Trouble;
use crate::suspend::{Thrown, with};

/// The level from which on `now()` is in whole seconds.
const WHOLE_SECONDS_SINCE: u32 = 2;

pub(crate) fn register(engine: &mut Engine, level: u32) {
    let shown = if level < WHOLE_SECONDS_SINCE { exact } else { in_seconds };
    engine
        .register_fn("timer", |context: NativeCallContext<'_>, limit: &str| timer(&context, limit))
        .register_fn("sleep", |context: NativeCallContext<'_>, limit: &str| {
            let handle = timer(&context, limit)?;
            wait(&context, handle).map(drop)
        })
        .register_fn("now", move |context: NativeCallContext<'_>| {
            with(&context, |run| run.replay.now()).map(shown)
        })
        .register_fn("today", |context: NativeCallContext<'_>| {
            with(&context, |run| run.replay.now()).map(|now| now.date().to_string())
        });
    if level >= UNTIL_SINCE {
        engine.register_fn("wait_until", |context: NativeCallContext<'_>, when: &str| {
            let at = moment(when).map_err(Trouble::thrown)?;
            let handle = with(&context, |run| run.replay.timer_at(at)).map(Awaited)?;
            wait(&context, handle).map(drop)
        });
    }
}

fn exact(now: Moment) -> String {
    now.to_string()
}

fn in_seconds(now: Moment) -> String {
    now.plus_millis(-now.millis().rem_euclid(1_000)).to_string()
}

fn timer(context: &NativeCallContext<'_>, limit: &str) -> Result<Awaited, Thrown> {
    let period = period(limit)?;
    with(context, |run| run.replay.timer(period)).map(Awaited)
}

/// Reads a date, which begins at midnight in Beijing, or a moment with its offset.
pub(crate) fn moment(text: &str) -> Result<Moment, Trouble> {
    let day = || Moment::parse(&format!("{text}T00:00:00+08:00"));
    Moment::parse(text).or_else(day).ok_or_else(|| {
        Trouble::new(
            "MOMENT",
            format!("无法理解日期或时间 {text:?}"),
            format!("cannot read {text:?} as a date or a time"),
        )
        .advise(
            "请写 \"2026-09-30\"（当日零时）或 \"2026-09-30T14:00:00+08:00\"。",
            "write \"2026-09-30\" (when that day begins) or \"2026-09-30T14:00:00+08:00\".",
        )
    })
}

/// Reads a period such as "3 working days".
pub(crate) fn period(text: &str) -> Result<Period, Thrown> {
    read_period(text).map_err(Trouble::thrown)
}

/// As [`period`], for whoever is no run.
pub(crate) fn read_period(text: &str) -> Result<Period, Trouble> {
    text.parse::<Period>().map_err(|error| {
        let said = error.to_string();
        let (zh, en) = said.split_once(" / ").unwrap_or((&said, &said));
        Trouble::new("PERIOD", zh, en)
    })
}
