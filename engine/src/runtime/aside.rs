//! Work beside the turns that evaluates scripts: only the script threads have the stack for it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::{Runtime, worker};
use crate::error::EngineError;

/// Something to be done on a script thread, which reads and commits nothing.
pub(crate) struct Aside(Box<dyn FnOnce(&Runtime) + Send>);

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aside")
    }
}

impl Aside {
    /// Packs work with the way back for what comes of it.
    pub(crate) fn new<T: Send + 'static>(
        work: impl FnOnce(&Runtime) -> Result<T, EngineError> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, EngineError>>) {
        let (reply, told) = oneshot::channel();
        let packed = move |runtime: &Runtime| {
            let came = catch_unwind(AssertUnwindSafe(|| work(runtime)));
            let _gone = reply.send(came.unwrap_or_else(|_| Err(worker::broken())));
        };
        (Self(Box::new(packed)), told)
    }

    /// Does it.
    pub(super) fn carry_out(self, runtime: &Runtime) {
        (self.0)(runtime);
        runtime.desk.started();
    }
}

impl Runtime {
    /// Does something on a script thread and waits for what comes of it.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (aside, told) = Aside::new(work);
        self.desk.aside(aside)?;
        told.await.unwrap_or(Err(EngineError::Stopped))
    }
}
