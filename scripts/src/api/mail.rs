//! Mailboxes: `inbox` gives a handle to the next message of a channel, `receive` waits for it.

use rhai::{Dynamic, Engine, NativeCallContext};
use tongban_core::limits;
use tongban_core::request::Ask;

use crate::api::ask::{Awaited, wait};
use crate::diagnose::Trouble;
use crate::suspend::{Thrown, with};

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("inbox", |context: NativeCallContext<'_>, channel: &str| {
            inbox(&context, channel)
        })
        .register_fn("receive", |context: NativeCallContext<'_>, channel: &str| {
            let handle = inbox(&context, channel)?;
            wait(&context, handle)
        });
}

fn inbox(context: &NativeCallContext<'_>, channel: &str) -> Result<Awaited, Thrown> {
    if channel.trim().is_empty() || channel.len() > limits::CHANNEL_BYTES_MAX {
        return Err(Trouble::new(
            "CHANNEL",
            format!("频道名须为 1–{} 字节", limits::CHANNEL_BYTES_MAX),
            format!("a channel has a name of 1 to {} bytes", limits::CHANNEL_BYTES_MAX),
        )
        .advise("例如 inbox(\"site-visit\")。", "write for example inbox(\"site-visit\").")
        .thrown());
    }
    let ask = Ask::Receive { channel: channel.to_owned() };
    with(context, |run| run.replay.request(ask)).map(Awaited)
}

/// Shows a message to a script.
pub(crate) fn shown(message: &tongban_core::way_out::Message) -> Dynamic {
    crate::convert::to_script(&message.body)
}
