//! The port between the words of a rehearsal and the scene that they are played in.
//!
//! A rehearsal is one case under the production rules, with given time, agencies that do as they
//! are told, and people who decide when the rehearsal says so. Whoever reads the words
//! (`tongban-scripts`) and whoever plays the scene (`tongban-engine`, feature `sim`) know only
//! this. Acts of people are ordinary commands, so a new command needs nothing here.

use std::sync::Arc;

use crate::agency::{FaultClass, ManualTask};
use crate::calendar::Calendar;
use crate::case::{Case, FoldError};
use crate::command::{Answer, Command, Refusal};
use crate::definition::Closure;
use crate::entry::Entry;
use crate::error::ErrorClass;
use crate::port::ScriptFault;
use crate::request::Outcome;
use crate::start::{StartCase, Unchosen};
use crate::time::{Moment, Period, Unit};
use crate::value::Value;

/// One case on stage: production rules, given time, agencies that do as told.
pub trait Scene {
    /// Returns the time.
    fn now(&self) -> Moment;

    /// Returns the holiday table that the scene counts by.
    fn calendar(&self) -> &Calendar;

    /// Moves time to `until`. What becomes due on the way happens in order, each at its time.
    /// Before the case is started time may be set to any moment.
    fn advance(&mut self, until: Moment) -> Result<(), SceneError>;

    /// Starts the case as a draft; a scene has one.
    fn start(&mut self, closure: Arc<Closure>, input: StartCase) -> Result<(), SceneError>;

    /// Takes a turn for one command, and lets agencies answer what comes of it.
    fn give(&mut self, command: Command) -> Result<Answer, SceneError>;

    /// Says what the agency of an operation does with its next calls, one conduct each; the last
    /// stays. Calls that wait for an answer get it at once.
    fn instruct(&mut self, operation: &str, conducts: Vec<Conduct>) -> Result<(), SceneError>;

    /// Returns the case, once it is started.
    fn case(&self) -> Option<&Arc<Case>>;

    /// Returns every entry so far.
    fn entries(&self) -> &[Entry];
}

/// Returns the moment one period after `from`: on the last day of a period in days, at the same
/// time of day.
pub fn later(calendar: &Calendar, from: Moment, period: Period) -> Moment {
    let due = calendar.due(from, period, 0).at;
    if matches!(period.unit, Unit::Hours | Unit::Minutes) {
        return due;
    }
    Moment::at(due.date(), from.time_of_day())
}

/// What an agency does with one call: its messages in order. Without any it takes the call and
/// says nothing more.
pub type Conduct = Vec<Said>;

/// One message of an agency, and how long after the one before it comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// What it says.
    pub what: Saying,
    /// How long after the call, or the message before; `None` is at once.
    pub after: Option<Period>,
}

/// What an agency says. Texts may hold the marks of the operations catalogue, such as
/// `{input.x}`, `{number}`, `{year}` and `{serial}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Saying {
    /// Done.
    Completes {
        /// The output.
        output: Value,
        /// Documents: role and number.
        documents: Vec<(String, String)>,
    },
    /// Ended otherwise.
    Ends(Outcome),
    /// A department that decides in its own system reports an act.
    Reports {
        /// Code of the act, such as `accepted`.
        act: String,
        /// For `decided`: `granted` or `denied`; for others the ground.
        ground: String,
        /// Number of the notice or decision.
        number: String,
        /// Further fields.
        detail: Value,
    },
    /// The attempt goes wrong.
    Fails(FaultClass),
    /// There is no system: a person is asked.
    AsksPerson(ManualTask),
}

impl Saying {
    /// Tells whether nothing can come after it.
    pub fn is_last(&self) -> bool {
        match self {
            Self::Reports { .. } => false,
            Self::Completes { .. } | Self::Ends(_) | Self::Fails(_) | Self::AsksPerson(_) => true,
        }
    }
}

/// Why a scene cannot go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// Something needs a case before there is one.
    #[error("排练中还没有办件,请先提交申请 / the rehearsal has no case yet; file one first")]
    NotStarted,
    /// A second case.
    #[error(
        "一次排练只办一件,请另写一个 rehearse / a rehearsal has one case; write another rehearse"
    )]
    StartedBefore,
    /// Time only goes forward.
    #[error(
        "时间不能倒退:现在是 {now},不能回到 {until} / it is {now}; time cannot go back to {until}"
    )]
    Backwards {
        /// The time.
        now: Moment,
        /// Where it was to go.
        until: Moment,
    },
    /// The application was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A predicate of the service failed.
    #[error(transparent)]
    Script(#[from] ScriptFault),
    /// The log became impossible: a defect of the engine.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// Calls and answers go round without end.
    #[error(
        "调用与答复往复不止,请检查脚本或部门的答复 / calls and answers go round without end; look at the script or at what the agencies say"
    )]
    Restless,
}

impl From<Unchosen> for SceneError {
    fn from(unchosen: Unchosen) -> Self {
        match unchosen {
            Unchosen::Script(fault) => Self::Script(fault),
            Unchosen::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl SceneError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotStarted => "REHEARSAL_NO_CASE",
            Self::StartedBefore => "REHEARSAL_SECOND_CASE",
            Self::Backwards { .. } => "REHEARSAL_TIME",
            Self::Refused(_) => "REHEARSAL_REFUSED",
            Self::Script(_) => "REHEARSAL_SCRIPT",
            Self::Fold(_) => "REHEARSAL_LOG",
            Self::Restless => "REHEARSAL_RESTLESS",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Fold(_) => ErrorClass::Permanent,
            Self::NotStarted
            | Self::StartedBefore
            | Self::Backwards { .. }
            | Self::Refused(_)
            | Self::Script(_)
            | Self::Restless => ErrorClass::Invalid,
        }
    }
}
