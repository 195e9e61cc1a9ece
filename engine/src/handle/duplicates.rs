//! Open cases that say the same as another one. They are a warning: who files twice may mean it.

use std::sync::Arc;

use tongban_core::definition::Closure;
use tongban_core::limits;
use tongban_core::read_model::applicant_hash;
use tongban_core::summary::{Along, CaseState, CaseSummary, Search};
use tongban_core::viewer::Viewer;

use super::Engine;
use crate::api::CaseView;
use crate::error::EngineError;

/// The states of a case that somebody still works on.
const OPEN: [CaseState; 4] =
    [CaseState::Draft, CaseState::Submitted, CaseState::InProgress, CaseState::PartiallyCompleted];

impl Engine {
    /// Returns the other open cases of the same applicant and service, newest first, as far as
    /// the viewer may see them.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the store fails.
    pub async fn duplicates(
        &self,
        viewer: &Viewer,
        of: &CaseView,
    ) -> Result<Vec<CaseSummary>, EngineError> {
        let case = of.case();
        let hash = applicant_hash(&self.runtime.identity.secret, &case.started.applicant.id);
        let search = Search {
            along: Along::Applicant(hash),
            states: OPEN.into(),
            service: Some(case.started.service.clone()),
            after: None,
            first: limits::PAGE_MAX,
        };
        let found = self.runtime.store.search(search).await?.items.into_iter();
        let others = found.filter(|other| other.case != case.id && viewer.sees(&other.scope));
        Ok(others.collect())
    }

    /// Returns the declarations that a case is pinned to, if they are available.
    pub fn declarations(&self, of: &CaseView) -> Option<Arc<Closure>> {
        let closure = self.runtime.scripts.closure(&of.case().closure())?;
        Some(closure.of_case(&of.case().started))
    }
}
