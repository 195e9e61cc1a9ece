//! Commands: what someone outside wants of a case. Each gets one [`Answer`], in order.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agency::{Ack, AgencyReply, Fault, ManualTask};
use crate::card::CardAnswerKind;
use crate::definition::Closure;
use crate::document::{Attachment, DocumentNo, ServiceMode};
use crate::entry::{Consent, DocumentSealed};
use crate::id::{CallId, MatterNo, RoleCode, Seq};
use crate::law::{ActKind, Terms};
use crate::material::MaterialGiven;
use crate::time::Moment;
use crate::value::Value;
use crate::viewer::Viewer;
use crate::way_out::{Message, WayOut};

/// What someone wants of an existing case.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Submit the draft.
    Submit {
        /// Who.
        by: Viewer,
    },
    /// Take the application back.
    Withdraw {
        /// Who.
        by: Viewer,
        /// Why.
        reason: String,
    },
    /// Take a task.
    ClaimTask {
        /// Who.
        by: Viewer,
        /// Which.
        task: TaskAt,
    },
    /// Give a task back.
    ReleaseTask {
        /// Who.
        by: Viewer,
        /// Which.
        task: TaskAt,
    },
    /// Do what a task asks.
    CompleteTask {
        /// Who.
        by: Viewer,
        /// Which.
        task: TaskAt,
        /// What he decided.
        outcome: TaskOutcome,
        /// What he had before him.
        seen: Seen,
    },
    /// Do something with a task short of completing it.
    ChangeTask {
        /// Who.
        by: Viewer,
        /// Which.
        task: TaskAt,
        /// What.
        change: TaskChange,
    },
    /// Take over what a colleague who is absent holds in this case.
    TakeOver {
        /// Who.
        by: Viewer,
        /// From whom: the subject of the identity.
        from: String,
        /// Why.
        reason: String,
    },
    /// Do an act of the law.
    Act {
        /// Who.
        by: Viewer,
        /// On which matter.
        matter: MatterNo,
        /// Which act.
        act: ActRequest,
    },
    /// Hand in a material, or its next version.
    GiveMaterial {
        /// Who.
        by: Viewer,
        /// What; its bytes are in the case's blobs already.
        given: MaterialGiven,
        /// When and how it came, if not now.
        came: Came,
    },
    /// Authorise the use of a license.
    Consent {
        /// Who.
        by: Viewer,
        /// What for.
        consent: Consent,
    },
    /// Amend or correct fields of the form.
    AmendForm {
        /// Who.
        by: Viewer,
        /// The fields with their new values.
        fields: Value,
        /// Why; a clerk's amendment needs it.
        reason: String,
        /// When and how it came, if not now.
        came: Came,
        /// Version of the form that the person saw; another one in the log is a conflict.
        seen: Option<u32>,
    },
    /// Fill what is still open in a draft's form from the sources of its fields.
    Prefill {
        /// Who.
        by: Viewer,
        /// Why; a clerk needs it.
        reason: String,
    },
    /// Take back an entry that was recorded by mistake.
    VoidEntry {
        /// Who.
        by: Viewer,
        /// Which.
        entry: Seq,
        /// Why.
        reason: String,
    },
    /// Urge those who hold up the case.
    Urge {
        /// Who.
        by: Viewer,
        /// What to say.
        reason: String,
    },
    /// Reply to a card, appeal against it, or decide the appeal.
    AnswerCard {
        /// Who.
        by: Viewer,
        /// Which.
        card: Seq,
        /// What.
        kind: CardAnswerKind,
        /// His words.
        text: String,
    },
    /// Record how a notice reached its addressee.
    ServeDocument {
        /// Who.
        by: Viewer,
        /// Its number.
        number: String,
        /// How. A letter or message that is under way is recorded again with its receipt.
        how: ServiceMode,
        /// Files that prove it.
        files: Vec<Attachment>,
        /// When and by what proof, if not now.
        came: Came,
    },
    /// A notice was rendered and sealed.
    DocumentSealed(DocumentSealed),
    /// A notice cannot be made or sealed as things stand.
    DocumentFailed {
        /// Its number.
        number: DocumentNo,
        /// What is missing or wrong, for people.
        why: String,
    },
    /// Take a way out of an incident.
    SettleIncident {
        /// Who.
        by: Viewer,
        /// Entry that raised it.
        incident: Seq,
        /// Which way.
        way: WayTaken,
        /// Why.
        reason: String,
    },
    /// Move the pin of a healthy case to another closure.
    Rebind {
        /// Who.
        by: Viewer,
        /// Which closure.
        closure: Arc<Closure>,
        /// Why.
        reason: String,
    },
    /// Stop or resume evaluating scripts, cancel one.
    Steer {
        /// Who.
        by: Viewer,
        /// Of which matter; 0 for every matter of the case.
        matter: MatterNo,
        /// What.
        steering: Steering,
        /// Why.
        reason: String,
    },
    /// Send a message to a matter's mailbox.
    SendMessage {
        /// Who.
        by: Viewer,
        /// To which matter.
        matter: MatterNo,
        /// What.
        message: Message,
    },
    /// A new calendar is in force; open deadlines are read anew.
    CalendarChanged,
    /// An agency said something about a call.
    Reply {
        /// The connector it came through.
        connector: String,
        /// What it said.
        reply: AgencyReply,
    },
    /// The agency of a call has no system.
    AskPerson {
        /// The call.
        call: CallId,
        /// What to ask.
        task: ManualTask,
    },
    /// A call came to no usable end.
    CallFailed {
        /// The call.
        call: CallId,
        /// The last fault.
        fault: Fault,
    },
    /// The agency never saw the call and refuses it from now on.
    CallFenced {
        /// The call.
        call: CallId,
    },
    /// Timers may be due.
    Tick,
    /// Nothing came; evaluate what is live, because this case was loaded or its turn failed.
    Wake,
    /// The turn failed for reasons of the machine, too often.
    TurnFailed {
        /// The matter whose script could not be evaluated; 0 when turns over the whole case fail.
        matter: MatterNo,
        /// The last reason.
        reason: String,
    },
}

impl Command {
    /// Returns the person who wants it, if a person does.
    pub fn by(&self) -> Option<&Viewer> {
        match self {
            Self::Submit { by }
            | Self::Withdraw { by, .. }
            | Self::ClaimTask { by, .. }
            | Self::ReleaseTask { by, .. }
            | Self::CompleteTask { by, .. }
            | Self::ChangeTask { by, .. }
            | Self::TakeOver { by, .. }
            | Self::Act { by, .. }
            | Self::GiveMaterial { by, .. }
            | Self::Consent { by, .. }
            | Self::AmendForm { by, .. }
            | Self::Prefill { by, .. }
            | Self::VoidEntry { by, .. }
            | Self::Urge { by, .. }
            | Self::AnswerCard { by, .. }
            | Self::ServeDocument { by, .. }
            | Self::SettleIncident { by, .. }
            | Self::Rebind { by, .. }
            | Self::Steer { by, .. }
            | Self::SendMessage { by, .. } => Some(by),
            Self::Reply { .. }
            | Self::AskPerson { .. }
            | Self::CallFailed { .. }
            | Self::CallFenced { .. }
            | Self::DocumentSealed(_)
            | Self::DocumentFailed { .. }
            | Self::CalendarChanged
            | Self::Tick
            | Self::Wake
            | Self::TurnFailed { .. } => None,
        }
    }
}

/// A way out as it is taken: a closure comes with what it declares.
#[derive(Clone, Debug, PartialEq)]
pub enum WayTaken {
    /// Go on under this closure.
    Rebind(Arc<Closure>),
    /// Any other way.
    Other(WayOut),
}

impl WayTaken {
    /// Returns the way as the log keeps it.
    pub fn way(&self) -> WayOut {
        match self {
            Self::Rebind(closure) => WayOut::Rebind { closure: closure.digest },
            Self::Other(way) => way.clone(),
        }
    }
}

/// What a person does with the evaluation of scripts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Steering {
    /// Do not evaluate until resumed.
    Pause,
    /// Evaluate again.
    Resume,
    /// Stop for good, and undo what was registered for undoing.
    Cancel,
}

/// A task at the version that the person saw.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TaskAt {
    /// Entry that opened it.
    pub no: Seq,
    /// Version seen; another one in the log is a conflict.
    pub version: u32,
}

/// What can be done with a task short of completing it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum TaskChange {
    /// Give it to a person, perhaps for a while (delegation).
    Assign {
        /// To whom: the subject of the identity.
        to: String,
        /// Until when; after it the task is again for everyone of its role.
        until: Option<Moment>,
        /// Why.
        reason: String,
    },
    /// Send it up to another role.
    Escalate {
        /// To which.
        to: RoleCode,
        /// Why.
        reason: String,
    },
    /// Urge those who hold it.
    Urge {
        /// What to say.
        reason: String,
    },
    /// Keep what has been written so far.
    Draft(Value),
}

/// An act of the law that a person asks for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActRequest {
    /// Which.
    pub kind: ActKind,
    /// Ground, reason or opinion.
    pub ground: String,
    /// Number of the notice or decision, if it has one.
    pub document_no: String,
    /// What the law needs to know of it.
    pub terms: Terms,
    /// Further fields.
    pub detail: Value,
    /// When it took effect and what proves it, if not now.
    pub came: Came,
    /// What the person had before him.
    pub seen: Seen,
}

impl ActRequest {
    /// Builds a request that takes effect now.
    pub fn now(kind: ActKind, ground: impl Into<String>) -> Self {
        Self {
            kind,
            ground: ground.into(),
            document_no: String::new(),
            terms: Terms::None,
            detail: Value::Null,
            came: Came::default(),
            seen: Seen::default(),
        }
    }

    /// Adds terms.
    #[must_use]
    pub fn with(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }
}

/// When something really came, if before it was recorded: paper intake, an outage, the post.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Came {
    /// When it took effect; now when none is given.
    pub at: Option<Moment>,
    /// What proves that time; needed whenever a time is given.
    pub evidence: String,
}

/// The versions that a person had before him; one that changed since is a conflict.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Seen {
    /// Of the matter's materials.
    pub materials: Option<u32>,
    /// Of the case's form.
    pub form: Option<u32>,
}

/// What a person made of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskOutcome {
    /// Yes or no: accepted, approved, done.
    pub granted: bool,
    /// Reasons or opinion.
    pub opinion: String,
    /// Further fields: the ground of a refusal, the number of a document.
    pub fields: Value,
}

/// The answer to one command.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It was done.
    Done,
    /// It is refused; nothing of it was recorded.
    Refused(Refusal),
    /// A reply of an agency was taken in so.
    Acked(Ack),
}

/// Why a command was refused: a domain outcome, not a fault.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("{zh} / {en}")]
pub struct Refusal {
    /// Stable code, such as `VERSION_CONFLICT`.
    pub code: String,
    /// What was wrong and what to do, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Where in the input, from its root.
    pub path: Vec<String>,
    /// The version in force, for a conflict.
    pub current: Option<u32>,
}

/// Codes of refusals that say nothing about the case: a right that may be given meanwhile, input
/// that is wrong in itself, and what whoever asks has only to wait for.
const JUDGED_ANEW: [&str; 28] = [
    "NOT_PERMITTED",
    "SECOND_PERSON_NEEDED",
    "FOUR_EYES",
    "UNKNOWN_SERVICE",
    "INVALID_INPUT",
    "INVALID_FIELD",
    "UNKNOWN_FIELD",
    "UNKNOWN_MATERIAL",
    "VALUE_TOO_LARGE",
    "MESSAGE_TOO_LARGE",
    "PARTY_INCOMPLETE",
    "REASON_MISSING",
    "REASONS_MISSING",
    "LIST_MISSING",
    "EVIDENCE_MISSING",
    "EXPECTED_MISSING",
    "PROOF_MISSING",
    "FIELDS_MISSING",
    "EXTENSION_MISSING",
    "EXTENSION_UNIT",
    "TERMS_WRONG",
    "EFFECTIVE_IN_FUTURE",
    "NOT_YET_DUE",
    "GROUND_UNKNOWN",
    "NO_PLACE",
    "FILE_TYPE_NOT_ACCEPTED",
    "DRY_RUN_UNKNOWN",
    "MAILBOX_FULL",
];

impl Refusal {
    /// Builds a refusal.
    pub fn new(code: &str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            zh: zh.into(),
            en: en.into(),
            path: Vec::new(),
            current: None,
        }
    }

    /// Tells whether this is an answer about the case: it was weighed and refused, and a
    /// repetition under the same key is refused alike. Who may ask, whether there is such a thing,
    /// what the input lacks in itself, and what only has to wait are judged anew each time.
    pub fn is_answer(&self) -> bool {
        !self.code.ends_with("_NOT_FOUND") && !JUDGED_ANEW.contains(&self.code.as_str())
    }

    /// Says where in the input.
    #[must_use]
    pub fn at<const N: usize>(mut self, path: [&str; N]) -> Self {
        self.path = path.map(ToOwned::to_owned).into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_the_request_itself_is_judged_anew() {
        let is_answer = |code: &str| Refusal::new(code, "", "").is_answer();
        for code in ["WRONG_STATE", "VERSION_CONFLICT", "MATERIALS_INCOMPLETE", "COUNT_DIFFERS"] {
            assert!(is_answer(code), "{code} is weighed and stays");
        }
        let lacking = ["FIELDS_MISSING", "EVIDENCE_MISSING", "TERMS_WRONG", "EFFECTIVE_IN_FUTURE"];
        let others =
            ["NOT_PERMITTED", "FOUR_EYES", "CASE_NOT_FOUND", "NOT_YET_DUE", "MAILBOX_FULL"];
        for code in lacking.into_iter().chain(others).chain(["INVALID_INPUT"]) {
            assert!(!is_answer(code), "{code} may be otherwise the next time");
        }
    }
}
