//! What people do in a case beside claiming and completing: acts of the law, materials and form,
//! tasks handed on, cards, notices, repairs.

use serde::Serialize;
use tongban_core::card::CardAnswerKind;
use tongban_core::command::{ActRequest, Came, Command, Seen, TaskAt, TaskChange, TaskOutcome};
use tongban_core::document::{Attachment, ServiceMode};
use tongban_core::entry::Consent;
use tongban_core::id::{CaseId, MatterNo, Seq, TaskId};
use tongban_core::limits;
use tongban_core::material::MaterialGiven;
use tongban_core::value::Value;
use tongban_core::viewer::Viewer;

use super::Engine;
use crate::api::{IdempotencyKey, Receipt};
use crate::error::EngineError;

/// What a person made of a task, at the version that he saw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decided {
    /// Version of the task.
    pub version: u32,
    /// What he decided.
    pub outcome: TaskOutcome,
    /// Versions of materials and form that he had before him.
    pub seen: Seen,
}

impl Decided {
    /// Builds a decision that names no further versions.
    pub fn at(version: u32, outcome: TaskOutcome) -> Self {
        Self { version, outcome, seen: Seen::default() }
    }
}

/// What a person wants changed in a case. Each is one mutation with its own idempotency key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Change {
    /// Do something with a task short of completing it.
    Task {
        /// Entry that opened it.
        task: Seq,
        /// Version seen.
        version: u32,
        /// What.
        change: TaskChange,
    },
    /// Take over what an absent colleague holds.
    TakeOver {
        /// The colleague.
        from: String,
        /// Why.
        reason: String,
    },
    /// Do an act of the law.
    Act {
        /// On which matter.
        matter: MatterNo,
        /// Which.
        act: ActRequest,
    },
    /// Hand in a material; its bytes are stored already.
    GiveMaterial {
        /// What.
        given: MaterialGiven,
        /// When it really came, if not now.
        came: Came,
    },
    /// Authorise the use of a license.
    Consent(Consent),
    /// Amend or correct the form.
    AmendForm {
        /// The fields with their new values.
        fields: Value,
        /// Why.
        reason: String,
        /// When it really came, if not now.
        came: Came,
        /// Version of the form that the person saw; another one now is a conflict.
        seen: Option<u32>,
    },
    /// Fill what is still open in a draft's form from the sources of its fields.
    Prefill {
        /// Why; a clerk needs it.
        reason: String,
    },
    /// Take back an entry that was recorded by mistake.
    VoidEntry {
        /// Which.
        entry: Seq,
        /// Why.
        reason: String,
    },
    /// Urge those who hold up the case.
    Urge {
        /// What to say.
        reason: String,
    },
    /// Reply to a card, appeal against it, or decide the appeal.
    AnswerCard {
        /// Entry that raised it.
        card: Seq,
        /// What.
        kind: CardAnswerKind,
        /// The words.
        text: String,
    },
    /// Record how a notice reached its addressee.
    ServeDocument {
        /// Its number.
        number: String,
        /// How. A letter or message that is under way is recorded again with its receipt.
        how: ServiceMode,
        /// Files that prove it, which the case's blobs keep.
        files: Vec<Attachment>,
        /// When and by what proof.
        came: Came,
    },
}

impl Change {
    fn command(self, by: Viewer) -> Command {
        match self {
            Self::Task { task, version, change } => {
                Command::ChangeTask { by, task: TaskAt { no: task, version }, change }
            }
            Self::TakeOver { from, reason } => Command::TakeOver { by, from, reason },
            Self::Act { matter, act } => Command::Act { by, matter, act },
            Self::GiveMaterial { given, came } => Command::GiveMaterial { by, given, came },
            Self::Consent(consent) => Command::Consent { by, consent },
            Self::AmendForm { fields, reason, came, seen } => {
                Command::AmendForm { by, fields, reason, came, seen }
            }
            Self::Prefill { reason } => Command::Prefill { by, reason },
            Self::VoidEntry { entry, reason } => Command::VoidEntry { by, entry, reason },
            Self::Urge { reason } => Command::Urge { by, reason },
            Self::AnswerCard { card, kind, text } => Command::AnswerCard { by, card, kind, text },
            Self::ServeDocument { number, how, files, came } => {
                Command::ServeDocument { by, number, how, files, came }
            }
        }
    }
}

impl Engine {
    /// Changes a case for a person, or refuses with the reason.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the law, the viewer's role or a version that changed since
    /// forbids it; nothing of it is recorded then.
    pub async fn change_case(
        &self,
        viewer: &Viewer,
        case: CaseId,
        change: Change,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let record = self.record(viewer, "changeCase", &key, &(case, &change));
        let mut change = change;
        // Held until the commit that names the file, so that no sweep takes it in between.
        let _held = match &mut change {
            Change::GiveMaterial { given, .. } => self.hold_given(viewer, case, given).await?,
            Change::Task { .. }
            | Change::TakeOver { .. }
            | Change::Act { .. }
            | Change::Consent(_)
            | Change::AmendForm { .. }
            | Change::Prefill { .. }
            | Change::VoidEntry { .. }
            | Change::Urge { .. }
            | Change::AnswerCard { .. }
            | Change::ServeDocument { .. } => None,
        };
        self.change(viewer, case, change.command(viewer.clone()), record).await
    }

    /// Has the sources of a draft's form asked for what is still open, and waits a moment for what
    /// they say. What comes later fills the form then.
    ///
    /// # Errors
    /// As [`Engine::change_case`].
    pub async fn prefill(
        &self,
        viewer: &Viewer,
        case: CaseId,
        reason: String,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let mut commits = self.watch_case(case);
        let receipt = self.change_case(viewer, case, Change::Prefill { reason }, key).await?;
        let answered = async {
            loop {
                commits.borrow_and_update();
                let view = self.case(viewer, case).await?;
                let asks = |view: &crate::CaseView| {
                    view.case().prefills.iter().any(|(_, tried)| tried.cause.is_none())
                };
                if !view.as_ref().is_some_and(asks) || commits.changed().await.is_err() {
                    return Ok::<(), EngineError>(());
                }
            }
        };
        tokio::select! {
            answered = answered => answered?,
            () = self.runtime.wire.wait_millis(limits::PREFILL_WAIT_MILLIS) => {}
        }
        Ok(receipt)
    }

    /// Does something with a task short of completing it.
    ///
    /// # Errors
    /// As [`Engine::change_case`].
    pub async fn change_task(
        &self,
        viewer: &Viewer,
        task: TaskId,
        changed: (u32, TaskChange),
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let (version, change) = changed;
        let change = Change::Task { task: task.no, version, change };
        self.change_case(viewer, task.case, change, key).await
    }
}
