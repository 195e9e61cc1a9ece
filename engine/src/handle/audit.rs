//! The audit log, and how the engine's own deeds get into it.

use tongban_core::audit::{Audited, AuditedAct, Deed};
use tongban_core::command::Refusal;
use tongban_core::limits;
use tongban_core::viewer::{Role, Viewer};

use super::Engine;
use crate::audit;
use crate::error::EngineError;

impl Engine {
    /// Returns records of the audit log after number `after`, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless a supervisor asks: who is written down there does not
    /// also watch over it.
    pub async fn audit_log(
        &self,
        viewer: &Viewer,
        after: u64,
        most: usize,
    ) -> Result<Vec<Audited>, EngineError> {
        if viewer.role != Role::Supervisor {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "审计日志由督查人员查看",
                "supervisors read the audit log",
            )
            .into());
        }
        Ok(self.runtime.store.audited(after, most.clamp(1, limits::PAGE_MAX)).await?)
    }

    /// Writes down what a viewer is about to do.
    pub(super) async fn note(
        &self,
        viewer: &Viewer,
        act: AuditedAct,
        said: (String, &str),
    ) -> Result<(), EngineError> {
        let (target, reason) = said;
        let deed = Deed {
            at: self.runtime.wire.now(),
            by: viewer.subject.clone(),
            role: viewer.role.code().to_owned(),
            act,
            target,
            reason: reason.to_owned(),
        };
        audit::note(self.runtime.store.as_ref(), deed).await?;
        Ok(())
    }
}

/// Refuses what is to be written down without a reason.
pub(super) fn must_say_why(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() {
        return Err(Refusal::new("REASONS_MISSING", "请填写理由", "say why").at(["reason"]));
    }
    Ok(())
}
