//! The house: where the engine lives between two crashes, and how the world reaches it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::stage::{Owner, Stage};
use crate::handle::Engine;

/// Where the engine lives.
pub(super) struct House {
    pub(super) stage: Arc<Stage>,
    engine: Mutex<Option<Engine>>,
}

impl House {
    /// Builds an empty house.
    pub(super) fn new(stage: Arc<Stage>) -> Arc<Self> {
        Arc::new(Self { stage, engine: Mutex::new(None) })
    }

    /// Returns the engine, if it is up.
    pub(super) fn engine(&self) -> Option<Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the engine.
    pub(super) fn put(&self, engine: Option<Engine>) {
        let old = std::mem::replace(
            &mut *self.engine.lock().unwrap_or_else(PoisonError::into_inner),
            engine,
        );
        drop(old);
    }

    /// Does something with the engine, as one of its tasks; `None` when it is down, or goes down
    /// before it answers.
    pub(super) async fn with<T, F>(&self, work: impl FnOnce(Engine) -> F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let engine = self.engine()?;
        let (answer, heard) = oneshot::channel();
        let work = work(engine);
        self.stage.begin(Owner::Engine, async move {
            // Who asked may be gone.
            drop(answer.send(work.await));
        });
        heard.await.ok()
    }
}
