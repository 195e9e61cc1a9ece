//! Timers: sleeps on the lawful clock until the store's next due time, then has the cases
//! looked at. The store is the truth; a missed hint costs nothing but the next look.

use std::sync::Arc;

use tongban_core::command::Command;
use tongban_core::limits;

use super::Runtime;

/// Cases looked at in one go.
const DUE_BATCH: usize = 256;
/// Milliseconds between two clean-ups of what the store need not keep.
const CLEANUP_MILLIS: u64 = 3_600_000;

/// Fires what is due until the engine stops.
pub(super) async fn run(runtime: Arc<Runtime>) {
    drain(&runtime).await;
    let mut fired = None;
    loop {
        let next = match runtime.store.next_due().await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(error.code = error.code(), "timers cannot be read");
                runtime.wire.wait_millis(limits::CALL_BACKOFF_MILLIS_MAX).await;
                continue;
            }
        };
        match next {
            Some(due) if due <= runtime.lawful.now() => {
                if fired.replace(due) == Some(due) {
                    // Still due after its turn: a pause keeps this from spinning.
                    runtime.wire.wait_millis(limits::CALL_BACKOFF_MILLIS_MIN).await;
                }
                fire(&runtime).await;
            }
            Some(due) => tokio::select! {
                biased;
                () = runtime.lawful.wait_until(due) => {}
                () = runtime.timers.notified() => {}
            },
            None => runtime.timers.notified().await,
        }
    }
}

/// After downtime inboxes are drained before timers fire: what an applicant or an agency sent in
/// time and could not deliver comes first.
async fn drain(runtime: &Arc<Runtime>) {
    let overdue = match runtime.store.next_due().await {
        Ok(next) => next.is_some_and(|due| due <= runtime.lawful.now()),
        Err(error) => {
            tracing::warn!(error.code = error.code(), "timers cannot be read");
            true
        }
    };
    if overdue {
        runtime.wire.wait_millis(runtime.drain_millis).await;
    }
}

async fn fire(runtime: &Arc<Runtime>) {
    let due = match runtime.store.due(runtime.lawful.now(), DUE_BATCH).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(error.code = error.code(), "due timers cannot be read");
            Vec::new()
        }
    };
    for case in due {
        if let Err(error) = runtime.ask(case, Command::Tick, None).await {
            tracing::warn!(case.id = %case, error.code = error.code(), "a due case was not looked at");
        }
    }
}

/// Drops what is past its time, now and then, until the engine stops.
pub(super) async fn clean_up(runtime: Arc<Runtime>) {
    loop {
        match runtime.store.forget(runtime.lawful.now()).await {
            Ok(dropped) => tracing::debug!(dropped, "old feed items and mutation records dropped"),
            Err(error) => tracing::warn!(error.code = error.code(), "clean-up failed"),
        }
        runtime.wire.wait_millis(CLEANUP_MILLIS).await;
    }
}
