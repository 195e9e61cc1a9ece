//! Commands: what someone outside wants of a case. Each gets one [`Answer`], in order.

use serde::{Deserialize, Serialize};

use crate::agency::{Ack, AgencyReply, Fault, ManualTask};
use crate::id::{CallId, MatterNo, Seq};
use crate::value::Value;
use crate::viewer::Viewer;

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
    },
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
        /// The matter whose script could not be evaluated.
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
            | Self::CompleteTask { by, .. } => Some(by),
            Self::Reply { .. }
            | Self::AskPerson { .. }
            | Self::CallFailed { .. }
            | Self::CallFenced { .. }
            | Self::Tick
            | Self::Wake
            | Self::TurnFailed { .. } => None,
        }
    }
}

/// A task at the version that the person saw.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TaskAt {
    /// Entry that opened it.
    pub no: Seq,
    /// Version seen; another one in the log is a conflict.
    pub version: u32,
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

    /// Says where in the input.
    #[must_use]
    pub fn at<const N: usize>(mut self, path: [&str; N]) -> Self {
        self.path = path.map(ToOwned::to_owned).into();
        self
    }
}
