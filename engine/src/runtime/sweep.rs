//! Sweeping away files that no log names, soon after the start and then once a day.
//!
//! How old a file is, its store tells by real time, so the wire clock says what is old: a lawful
//! clock that jumps must not make a young upload an old one. The first sweep looks at everything
//! and waits between cases, so that it crowds out nobody's work; a later one looks at what has
//! become old since, because what a log names stays named.

use std::sync::Arc;

use tongban_core::limits::FILE_GRACE_MILLIS;

use super::Runtime;
use crate::blob::{StoredLogs, Strays, Sweep};

/// Milliseconds before the first sweep: a start has better things to do.
const FIRST_MILLIS: u64 = 60_000;
/// Milliseconds between two sweeps.
const EVERY_MILLIS: u64 = 24 * 3_600_000;
/// Milliseconds between two cases of a sweep.
const PAUSE_MILLIS: u64 = 20;

/// Sweeps until the engine stops, if it keeps files at all.
pub(super) async fn run(runtime: Arc<Runtime>) {
    let Some(blobs) = runtime.blobs.clone() else { return };
    let wire = runtime.wire.as_ref();
    let logs = StoredLogs::of(runtime.store.as_ref()).paced(wire, PAUSE_MILLIS);
    let mut since = None;
    wire.wait_millis(FIRST_MILLIS).await;
    loop {
        let before = wire.now().plus_millis(-FILE_GRACE_MILLIS);
        match blobs.sweep(Sweep { before, since, strays: Strays::Delete }, &logs).await {
            Ok(swept) => {
                tracing::info!(
                    files.kept = swept.kept,
                    files.deleted = swept.strays,
                    files.bytes = swept.bytes,
                    "files that no log names were swept away"
                );
                since = Some(before);
            }
            // The next sweep looks at the same files again.
            Err(error) => {
                tracing::warn!(
                    error.code = error.code(),
                    "a sweep of files was cut short: {error}"
                );
            }
        }
        wire.wait_millis(EVERY_MILLIS).await;
    }
}
