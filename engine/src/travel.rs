//! Time travel: a case as it stood after one of its entries, with its scripts.
//!
//! The log up to that entry is folded and every script that was under way is evaluated over it,
//! only to be looked at. By the prefix law it stands where it stood then. Nothing is written and
//! nobody is asked; the clocks show the time of the entry.

mod mask;

use std::sync::Arc;

use tongban_core::case::{CallStatus, Case, Matter, Task};
use tongban_core::command::Refusal;
use tongban_core::definition::Closure;
use tongban_core::digest::Secret;
use tongban_core::entry::Entry;
use tongban_core::id::{CallId, CaseId, MatterCode, MatterNo, RoleCode, Seq};
use tongban_core::narrative::{self, Told};
use tongban_core::port::{Look, RunEnd, RunFunction, RunJob, Script, ScriptFault};
use tongban_core::read_model;
use tongban_core::replay::Replay;
use tongban_core::request::{RequestKey, RequestKind};
use tongban_core::summary::CaseState;
use tongban_core::time::Moment;
use tongban_core::waiting::waiting_on;

use crate::error::EngineError;
use crate::standing::Standing;

pub use self::mask::masked;

/// What a case is looked at with.
#[derive(Clone, Copy)]
pub struct Travel<'a> {
    /// The script host, which knows the closure of the case.
    pub script: &'a dyn Script,
    /// Calendars and rules.
    pub standing: &'a Standing,
    /// The case's secret.
    pub secret: &'a Secret,
}

/// A case as it stood after an entry.
#[derive(Clone, Debug)]
pub struct CaseAt {
    /// The folded case.
    pub case: Arc<Case>,
    /// Its derived state.
    pub state: CaseState,
    /// The entry.
    pub entry: Entry,
    /// What the entry says.
    pub told: Told,
    /// The last entry that the case has by now.
    pub last: Seq,
    /// Its matters that were not left out.
    pub matters: Vec<MatterAt>,
    /// Tasks that waited for somebody.
    pub tasks: Vec<TaskAt>,
    /// Calls that were under way.
    pub calls: Vec<CallAt>,
}

/// A matter as it stood.
#[derive(Clone, Debug)]
pub struct MatterAt {
    /// Its number.
    pub no: MatterNo,
    /// Its code.
    pub code: MatterCode,
    /// Its name.
    pub name: String,
    /// Code and name of its stage.
    pub stage: (&'static str, &'static str),
    /// Who was waited for, in Chinese and English.
    pub waiting: Option<(String, String)>,
    /// Its clocks.
    pub clocks: Vec<ClockAt>,
    /// Its script, once it had begun.
    pub script: Option<ScriptAt>,
}

/// A clock as it stood.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClockAt {
    /// Code and name.
    pub kind: (&'static str, &'static str),
    /// Whether it ran.
    pub runs: bool,
    /// When it was due.
    pub due: Moment,
    /// Working days that it had counted.
    pub used_days: u32,
}

/// A script as it stood.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptAt {
    /// How it was doing.
    pub standing: ScriptStanding,
    /// The newest entry that it had consumed.
    pub seen: Seq,
    /// What it waited for.
    pub waits: Vec<Awaited>,
    /// Where it stood, the innermost function first.
    pub frames: Vec<tongban_core::port::Frame>,
    /// Why it had failed, with file and line.
    pub fault: Option<ScriptFault>,
}

/// How a script was doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScriptStanding {
    /// It waited.
    Waits,
    /// An incident had stopped it.
    Stopped,
    /// It had returned.
    Returned,
    /// An outcome had reached its end uncaught.
    Uncaught,
    /// It could not be evaluated.
    Failed,
}

impl ScriptStanding {
    /// Every standing with its code and name.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Waits, "waits", "等待"),
        (Self::Stopped, "stopped", "因异常停止"),
        (Self::Returned, "returned", "已执行完"),
        (Self::Uncaught, "uncaught", "结局未处理"),
        (Self::Failed, "failed", "执行失败"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(known, _, _)| *known == self).map_or("", |(_, code, _)| code)
    }

    /// Returns the name in Chinese.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(known, _, _)| *known == self).map_or("", |(_, _, name)| name)
    }
}

/// A request that a script waited for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Awaited {
    /// Its name.
    pub key: RequestKey,
    /// What kind of thing.
    pub kind: RequestKind,
    /// Operation, role or period.
    pub target: String,
}

/// A task that waited for somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TaskAt {
    /// Entry that opened it.
    pub no: Seq,
    /// Its matter.
    pub matter: MatterNo,
    /// What it was for: the code of its kind.
    pub kind: &'static str,
    /// Who might take it.
    pub role: RoleCode,
    /// What the person read.
    pub title: String,
    /// Who had it.
    pub holder: Option<String>,
}

/// A call that was under way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallAt {
    /// Its id.
    pub id: CallId,
    /// Its matter.
    pub matter: MatterNo,
    /// The operation.
    pub operation: String,
    /// The connector.
    pub connector: String,
    /// Where it stood: `open`, `accepted`, `manual`, `failed`.
    pub status: &'static str,
}

/// Shows a case as it stood after entry `until`; after its last one when none is named. Scripts
/// are evaluated on this thread, which needs a stack of `limits::RUN_STACK_BYTES`.
///
/// # Errors
/// [`EngineError::Refused`] for an entry that the case does not have, [`EngineError::Log`] for a
/// damaged log, [`EngineError::ClosureMissing`] when its scripts are not known.
pub fn case_at(
    travel: Travel<'_>,
    id: CaseId,
    entries: &[Entry],
    until: Option<Seq>,
) -> Result<CaseAt, EngineError> {
    let last = entries.last().map(|entry| entry.seq).unwrap_or_default();
    let until = until.unwrap_or(last);
    let known = usize::try_from(until.0).unwrap_or(usize::MAX);
    let entries = entries.get(..known).unwrap_or_default();
    let entry = entries.last().ok_or_else(|| no_entry(until, last))?;
    let case = Arc::new(Case::from_entries(id, entries)?);
    let digest = case.closure();
    let closure = travel.script.closure(&digest);
    let closure = closure.ok_or_else(|| EngineError::ClosureMissing(digest.to_string()))?;
    let closure = closure.of_case(&case.started);
    let reading = travel.standing.reading(case.updated_at);
    let included = case.matters.iter().filter(|matter| matter.is_included());
    let matters = included.map(|matter| matter_at(travel, (&case, matter), &closure));
    Ok(CaseAt {
        state: read_model::summarise(&case, reading).state,
        told: narrative::tell(entry, &case),
        entry: entry.clone(),
        last,
        matters: matters.collect(),
        tasks: case.open_tasks().map(|task| task_at(&case, task)).collect(),
        calls: calls_at(&case),
        case,
    })
}

fn no_entry(until: Seq, last: Seq) -> Refusal {
    Refusal::new(
        "NO_SUCH_ENTRY",
        format!("该办件没有第 {until} 条记录,共 {last} 条"),
        format!("the case has no entry {until}; its entries are 1 to {last}"),
    )
    .at(["until"])
}

fn matter_at(travel: Travel<'_>, of: (&Arc<Case>, &Matter), closure: &Closure) -> MatterAt {
    let (case, matter) = of;
    let calendar = travel.standing.calendar(case.place_of(matter.no));
    let now = case.updated_at;
    let clocks = matter.law.clocks().iter().map(|clock| ClockAt {
        kind: (clock.kind.code(), clock.kind.name()),
        runs: clock.is_running(),
        due: matter.law.due(clock, calendar, now).at,
        used_days: matter.law.used_days(clock, calendar, now),
    });
    let waiting = matter.is_open().then(|| waiting_on(case, matter, calendar, now)).flatten();
    MatterAt {
        no: matter.no,
        code: matter.planned.code.clone(),
        name: matter.planned.name.clone(),
        stage: (matter.law.stage.code(), matter.law.stage.name()),
        waiting: waiting.map(|waiting| (waiting.zh, waiting.en)),
        clocks: clocks.collect(),
        script: matter.run.begun.is_some().then(|| script_at(travel, of, closure)),
    }
}

fn script_at(travel: Travel<'_>, of: (&Arc<Case>, &Matter), closure: &Closure) -> ScriptAt {
    let (case, matter) = of;
    let job = RunJob { closure, matter: &matter.planned.code, function: RunFunction::Handle };
    let calendar = Arc::clone(travel.standing.calendar(case.place_of(matter.no)));
    let replay = Replay::new(Arc::clone(case), matter.no, travel.secret.clone(), calendar);
    let look = travel.script.look(&job, replay);
    let (standing, fault) = standing_of(matter, &look);
    let waits = look.waits.iter().filter_map(|key| awaited(matter, &look, key));
    ScriptAt { standing, seen: look.seen, waits: waits.collect(), frames: look.frames, fault }
}

fn standing_of(matter: &Matter, look: &Look) -> (ScriptStanding, Option<ScriptFault>) {
    let stopped = matter.run.stopped.is_some();
    match &look.end {
        RunEnd::Failed(fault) if stopped => (ScriptStanding::Stopped, Some(fault.clone())),
        RunEnd::Failed(fault) => (ScriptStanding::Failed, Some(fault.clone())),
        RunEnd::Suspended | RunEnd::Finished | RunEnd::Recommended(_) | RunEnd::Uncaught(_)
            if stopped =>
        {
            (ScriptStanding::Stopped, None)
        }
        RunEnd::Suspended => (ScriptStanding::Waits, None),
        RunEnd::Finished | RunEnd::Recommended(_) => (ScriptStanding::Returned, None),
        RunEnd::Uncaught(_) => (ScriptStanding::Uncaught, None),
    }
}

/// What is waited for may be recorded already, or be what the run would ask for next.
fn awaited(matter: &Matter, look: &Look, key: &RequestKey) -> Option<Awaited> {
    let recorded = matter.run.request(key).map(|request| &request.made.ask);
    let fresh = || look.asked.iter().find(|made| made.key == *key).map(|made| &made.ask);
    let ask = recorded.or_else(fresh)?;
    Some(Awaited { key: key.clone(), kind: ask.kind(), target: ask.target() })
}

fn task_at(case: &Case, task: &Task) -> TaskAt {
    TaskAt {
        no: task.no,
        matter: task.matter,
        kind: task.opened.kind.code(),
        role: task.role.clone(),
        title: task.opened.title.clone(),
        holder: task.holder(case.updated_at).map(str::to_owned),
    }
}

fn calls_at(case: &Case) -> Vec<CallAt> {
    let calls = case.open_calls().map(|call| {
        let request = case.matter(call.matter).and_then(|matter| matter.run.request(&call.request));
        let operation = request.map(|request| request.made.ask.target()).unwrap_or_default();
        let status = match call.status {
            CallStatus::Open => "open",
            CallStatus::Accepted { .. } => "accepted",
            CallStatus::Manual { .. } => "manual",
            CallStatus::Failed => "failed",
            CallStatus::Over => "over",
            CallStatus::Abandoned => "abandoned",
        };
        let (id, connector) = (call.made.id, call.made.connector.clone());
        CallAt { id, matter: call.matter, operation, connector, status }
    });
    calls.collect()
}
