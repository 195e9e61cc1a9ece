//! Where the runtime's tasks run: on tokio, or one at a time in an order that a seed chooses.
//!
//! Everything else of the runtime is written against this, so that the simulator plays the same
//! carriers, timers and commits that a server runs. Nothing here knows what a task does.

#[cfg(any(test, feature = "sim"))]
use std::sync::Arc;

#[cfg(any(test, feature = "sim"))]
use tongban_core::port::Later;

/// Runs tasks on one thread, in an order of its own.
#[cfg(any(test, feature = "sim"))]
pub(crate) trait Stage: Send + Sync {
    /// Takes a task, to be run to its end.
    fn spawn(&self, task: Later<'static, ()>);
}

/// Where tasks run.
#[derive(Clone)]
pub(crate) enum Tasks {
    /// On a tokio runtime, with script threads beside it.
    Tokio(tokio::runtime::Handle),
    /// On a stage, whose one thread does the script threads' work too.
    #[cfg(any(test, feature = "sim"))]
    Staged(Arc<dyn Stage>),
}

impl Tasks {
    /// Runs a task to its end, beside what goes on.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::Tokio(handle) => drop(handle.spawn(task)),
            #[cfg(any(test, feature = "sim"))]
            Self::Staged(stage) => stage.spawn(Box::pin(task)),
        }
    }

    /// Waits for a read on a script thread.
    pub(super) fn block_on<T>(&self, read: impl Future<Output = T>) -> T {
        match self {
            Self::Tokio(handle) => handle.block_on(read),
            #[cfg(any(test, feature = "sim"))]
            Self::Staged(_) => {
                let read = futures_util::FutureExt::now_or_never(read);
                read.expect("a staged store loads without waiting")
            }
        }
    }
}
