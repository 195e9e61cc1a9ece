//! Writing down deeds that stand in no case's log, before they are done.

use tokio::sync::Mutex;
use tongban_core::audit::{Audited, Deed};
use tongban_core::port::{Store, StoreError};

/// Held from reading the newest record until the next one is durable, so that each knows the one
/// before it. A store belongs to one process; so one lock for the process is enough.
static WRITING: Mutex<()> = Mutex::const_new(());

/// Writes a deed into the audit log of a store; returns after it is durable.
///
/// # Errors
/// [`StoreError`] when it could not be written; then the deed is not to be done.
pub async fn note(store: &dyn Store, deed: Deed) -> Result<Audited, StoreError> {
    let _writing = WRITING.lock().await;
    let last = store.last_audited().await?;
    let record = Audited::after(last.as_ref(), deed);
    store.keep_audited(record.clone()).await?;
    Ok(record)
}
