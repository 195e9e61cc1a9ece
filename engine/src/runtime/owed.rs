//! Turns that are owed: one that failed for a reason of the store is made good.
//!
//! What was under way when a load or a commit failed (calls of a case that a start could not
//! read, a script that the machine had stopped, the effects of a commit that is stored although
//! nobody heard so) has nobody else who asks again. So the case is woken after a while, until a
//! turn over it succeeds; loading it finds what is to be carried on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tongban_core::command::Command;
use tongban_core::error::ErrorClass;
use tongban_core::id::CaseId;

use super::Runtime;
use super::effects::back_off;
use crate::error::EngineError;

/// Cases that are owed a turn, each with whether another one failed since it was last woken.
#[derive(Default)]
pub(crate) struct Owed {
    /// Protects the map; held for one operation at a time.
    cases: Mutex<BTreeMap<CaseId, Since>>,
}

/// What happened to a case since it was last woken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Since {
    Nothing,
    AnotherFailure,
}

impl Owed {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<CaseId, Since>> {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a failure; tells whether it is the first that nobody takes care of yet.
    fn note(&self, id: CaseId) -> bool {
        let mut cases = self.lock();
        if let Some(since) = cases.get_mut(&id) {
            *since = Since::AnotherFailure;
            return false;
        }
        cases.insert(id, Since::Nothing);
        true
    }

    fn forget_failures(&self, id: CaseId) {
        if let Some(since) = self.lock().get_mut(&id) {
            *since = Since::Nothing;
        }
    }

    /// Ends the care for a case, unless another turn over it has failed meanwhile.
    fn end(&self, id: CaseId) -> bool {
        let mut cases = self.lock();
        let over = cases.get(&id) != Some(&Since::AnotherFailure);
        if over {
            cases.remove(&id);
        }
        over
    }
}

/// Tells whether a turn that failed so is owed: what the store could not do now it may do later.
pub(super) fn is_owed(error: &EngineError) -> bool {
    let EngineError::Store(error) = error else { return false };
    matches!(error.class(), ErrorClass::Transient | ErrorClass::Conflict)
}

/// Wakes a case, later, until a turn over it succeeds.
pub(super) fn wake_later(runtime: &Arc<Runtime>, id: CaseId) {
    if !runtime.owed.note(id) {
        return;
    }
    let own = Arc::clone(runtime);
    runtime.tasks.spawn(async move {
        tokio::select! {
            biased;
            () = own.stopping.cancelled() => {}
            () = wake(&own, id) => {}
        }
    });
}

async fn wake(runtime: &Arc<Runtime>, id: CaseId) {
    let mut attempt = 0;
    loop {
        attempt += 1;
        runtime.wire.wait_millis(back_off(attempt)).await;
        runtime.owed.forget_failures(id);
        let told = runtime.ask(id, Command::Wake, None).await;
        if let Err(error) = &told {
            tracing::debug!(case.id = %id, error.code = error.code(), "a case waits to be taken up");
        }
        let busy = matches!(told, Err(EngineError::Busy));
        if !busy && runtime.owed.end(id) {
            return;
        }
    }
}
