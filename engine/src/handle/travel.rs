//! Looking at a case as it stood.

use tongban_core::case::Case;
use tongban_core::command::Refusal;
use tongban_core::id::{CaseId, Seq};
use tongban_core::read_model;
use tongban_core::viewer::{Role, Viewer};

use super::Engine;
use crate::error::EngineError;
use crate::travel::{CaseAt, Travel, case_at};

impl Engine {
    /// Returns a case as it stood after entry `until`, or after its last one, with what its
    /// scripts waited for, where they stood, and what their variables held. `None` when there is
    /// no such case or the viewer may not see it.
    ///
    /// # Errors
    /// [`EngineError::Refused`] for an applicant, who is told by other means, and for an entry
    /// that the case does not have.
    pub async fn case_at(
        &self,
        viewer: &Viewer,
        id: CaseId,
        until: Option<Seq>,
    ) -> Result<Option<CaseAt>, EngineError> {
        if viewer.role == Role::Applicant {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "脚本位置和变量只供工作人员查看",
                "where scripts stand is shown to staff only",
            )
            .into());
        }
        let Some(stored) = self.runtime.store.load(id).await? else { return Ok(None) };
        let case = Case::from_entries(id, &stored.entries)?;
        if !viewer.sees(&read_model::scope(&case)) {
            return Ok(None);
        }
        let standing = self.runtime.standing.now();
        let secret = self.runtime.case_secret(id);
        let looked = self.runtime.aside(move |runtime| {
            let script = runtime.scripts.as_ref();
            let travel = Travel { script, standing: &standing, secret: &secret };
            case_at(travel, id, &stored.entries, until)
        });
        looked.await.map(Some)
    }
}
