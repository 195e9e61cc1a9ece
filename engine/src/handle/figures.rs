//! Figures for supervisors, and for an office about itself.

use tongban_core::viewer::Viewer;

use super::Engine;
use crate::error::EngineError;
use crate::figures::{Counted, FigureQuery, FigureSource, count};

impl Engine {
    /// Counts the cases that a supervisor, an office head or an approver asks about. An office
    /// sees its own matters only.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the question goes beyond what the viewer supervises, and
    /// when it covers too many cases.
    pub async fn figures(
        &self,
        viewer: &Viewer,
        query: &FigureQuery,
    ) -> Result<Counted, EngineError> {
        let standing = self.runtime.standing.now();
        let source = FigureSource {
            store: self.runtime.store.as_ref(),
            scripts: self.runtime.scripts.as_ref(),
            standing: &standing,
            now: self.runtime.lawful.now(),
        };
        let told = |cases| tracing::debug!(cases, "figures are being counted");
        count(source, viewer, query, &mut { told }).await
    }
}
