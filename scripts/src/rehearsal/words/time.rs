//! Time: `at`, `wait`. It moves only forward, and only when a rehearsal says so.

use rhai::{Engine, NativeCallContext};
use tongban_core::rehearsal::later;
use tongban_core::time::{Moment, Period};

use crate::diagnose::Trouble;
use crate::rehearsal::current::{both, of_scene, with};

use super::R;

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("at", |context: NativeCallContext<'_>, _: &mut R, when: &str| {
            with(&context, |current| {
                let until = moment(when)?;
                current.scene.advance(until).map_err(|error| of_scene(&error))
            })
        })
        .register_fn("wait", |context: NativeCallContext<'_>, _: &mut R, how_long: &str| {
            with(&context, |current| {
                let period = period(how_long)?;
                let now = current.scene.now();
                let until = later(current.scene.calendar(), now, period);
                current.scene.advance(until).map_err(|error| of_scene(&error))
            })
        });
}

/// Reads a moment in Beijing, to the minute: `2026-09-30 09:00`.
pub(crate) fn moment(text: &str) -> Result<Moment, Trouble> {
    let read = text.trim().split_once(' ').and_then(|(date, time)| {
        Moment::parse(&format!("{date}T{time}:00+08:00"))
            .or_else(|| Moment::parse(&format!("{date}T{time}+08:00")))
    });
    read.ok_or_else(|| {
        Trouble::new(
            "MOMENT",
            format!("无法理解时间 {text:?}"),
            format!("cannot read {text:?} as a time"),
        )
        .advise("请写 \"2026-09-30 09:00\"。", "write \"2026-09-30 09:00\".")
    })
}

/// Reads a period such as "3 working days".
pub(crate) fn period(text: &str) -> Result<Period, Trouble> {
    text.parse::<Period>().map_err(|error| {
        let said = both(&error.to_string());
        Trouble::new("PERIOD", said.zh, said.en)
    })
}
