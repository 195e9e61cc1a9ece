//! A case: the one fold from entries to state.
//!
//! The same fold runs when an entry is recorded and when a case is loaded, so that recovery is
//! not a second implementation. An impossible log is found on load, with both sides named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::agency::AgencyReply;
use crate::card::Card;
use crate::digest::Digest;
use crate::document::DocumentState;
use crate::entry::{
    Body, CallMade, CaseStarted, Consent, DocumentDrafted, Entry, Incident, IncidentKind,
    MatterFiled, PlannedMatter, RunPlace, ScriptVersion, TaskKind, TaskOpened,
};
use crate::id::{CallId, CaseId, MatterNo, RegionCode, RoleCode, Seq};
use crate::law::{ActAnswer, Clock, Law};
use crate::material::{Handed, MaterialGiven, Requirement};
use crate::prefill::FieldsTried;
use crate::recommend::Advice;
use crate::request::{Ask, Decision, End, Request, RequestKey, Settled};
use crate::time::Moment;
use crate::value::Value;
use crate::viewer::Addressee;
use crate::way_out::{CaseRebound, IncidentSettled, Message};

mod advice;
mod call;
mod mail;
mod matter;
mod record;
mod undo;
mod way_out;

pub(crate) use call::Asked;

/// A log that cannot have been written by this engine.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("办件 {case} 的第 {seq} 条记录不合法:{what} / entry {seq} of {case} is impossible: {what}")]
pub struct FoldError {
    /// The case.
    pub case: CaseId,
    /// The entry.
    pub seq: Seq,
    /// What is wrong with it.
    pub what: String,
}

/// Names an entry for an error.
#[derive(Clone, Copy)]
struct Place {
    case: CaseId,
    seq: Seq,
}

impl Place {
    fn wrong(self, what: impl Into<String>) -> FoldError {
        FoldError { case: self.case, seq: self.seq, what: what.into() }
    }
}

/// A case as its entries make it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Its last entry.
    pub head: Seq,
    /// How it was started.
    pub started: Arc<CaseStarted>,
    /// Entry by which it was submitted, and when.
    pub submitted: Option<(Seq, Moment)>,
    /// When its first entry was recorded.
    pub created_at: Moment,
    /// When its last entry was recorded.
    pub updated_at: Moment,
    /// Its matters; number *n* stands at *n* - 1.
    pub matters: Vec<Matter>,
    /// Its tasks, by the entry that opened them.
    pub tasks: BTreeMap<Seq, Task>,
    /// Its calls; shared between a case and the case after its next turn.
    pub calls: BTreeMap<CallId, Arc<CallState>>,
    /// What people must look at, by the entry that raised it.
    pub incidents: BTreeMap<Seq, IncidentState>,
    /// Changes of the form, each with its entry; the last one of a field counts.
    pub form_changes: Vec<(Seq, Arc<crate::entry::FormChanged>)>,
    /// Sources of the form's fields: those being asked, and what came of each, by matter.
    pub prefills: Vec<(MatterNo, Arc<FieldsTried>)>,
    /// What the applicant handed in, the newest version of each material last.
    pub handed: Vec<Handed>,
    /// Authorisations to fetch licenses.
    pub consents: Vec<Consent>,
    /// Cards, by the entry that raised them.
    pub cards: BTreeMap<Seq, Card>,
    /// Notices, by number.
    pub documents: BTreeMap<String, Document>,
    /// Entries that a clerk took back, each with the entry that says so.
    pub voided: BTreeMap<Seq, Seq>,
    /// Version of the calendar that was last read for the open deadlines, once it changed.
    pub calendar: Option<String>,
    /// The closures that it was moved to, in order, each with its entry.
    pub rebound: Vec<(Seq, Arc<CaseRebound>)>,
    /// Since when and why scripts are not evaluated: of a matter, or of all (0).
    pub paused: BTreeMap<MatterNo, Paused>,
    /// Matters whose ending against the applicant `on_partial` has spoken of.
    pub partial: BTreeSet<MatterNo>,
}

/// An incident and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentState {
    /// Its matter; 0 for the case as a whole.
    pub matter: MatterNo,
    /// What happened.
    pub incident: Arc<Incident>,
    /// Where in its journal a script failed, and under which versions.
    pub place: Option<Arc<RunPlace>>,
    /// When it was raised.
    pub raised_at: Moment,
    /// What a first person proposed, where two are needed: who, and what.
    pub proposed: Option<(String, Arc<IncidentSettled>)>,
    /// How it was ended.
    pub end: Option<IncidentEnd>,
}

impl IncidentState {
    /// Tells whether nobody has ended it.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }
}

/// How an incident was ended.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentEnd {
    /// The entry.
    pub at: Seq,
    /// When.
    pub when: Moment,
    /// Who: subject of the identity.
    pub by: String,
    /// The way out and its reason.
    pub settled: Arc<IncidentSettled>,
}

/// Why scripts are not evaluated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Paused {
    /// Since when.
    pub since: Moment,
    /// Who paused it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A message in a matter's mailbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// Entry by which it came.
    pub at: Seq,
    /// What it says.
    pub message: Arc<Message>,
    /// The request that received it.
    pub taken: Option<RequestKey>,
    /// Whether a person has looked at it, because its script ended without it.
    pub looked_at: bool,
}

/// A notice of the case.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its matter; 0 for the case as a whole.
    pub matter: MatterNo,
    /// Number, kind and what it tells of.
    pub drafted: Arc<DocumentDrafted>,
    /// Entry by which it was drafted.
    pub at: Seq,
    /// How far it has come.
    pub state: Arc<DocumentState>,
}

/// A matter of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Matter {
    /// Its number.
    pub no: MatterNo,
    /// As it was planned.
    pub planned: PlannedMatter,
    /// Its standing in law.
    pub law: Law,
    /// How it was filed, once it is.
    pub filed: Option<Arc<MatterFiled>>,
    /// Results of earlier matters, by arrival.
    pub inputs: Vec<Input>,
    /// The current run of its script.
    pub run: Run,
    /// What its grant gave.
    pub result: Option<MatterResult>,
    /// Acts that a department reported before its acceptance came; they are judged after it.
    pub early: Vec<Arc<AgencyReply>>,
    /// Its materials, since it was filed.
    pub requirements: Vec<Requirement>,
    /// Rises with every change of its materials; a decision names the one it saw.
    pub materials_version: u32,
    /// Entry by which the last correction was asked.
    pub asked_at: Seq,
    /// Entry by which the papers were last given back.
    pub returned_at: Seq,
    /// Its mailbox, in order of arrival.
    pub mail: Vec<Mail>,
    /// When its last entry was recorded.
    pub changed_at: Moment,
    /// How often the applicant or a window for him urged it, and when last.
    pub urged: Option<(u32, Moment)>,
    /// What its `intake` advises.
    pub advice: Advice,
}

/// A result of an earlier matter that became an input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Input {
    /// Entry by which it arrived.
    pub at: Seq,
    /// The earlier matter.
    pub from: MatterNo,
    /// Version of its result.
    pub version: u32,
}

/// What a grant gave.
#[derive(Clone, Debug, PartialEq)]
pub struct MatterResult {
    /// Number of the license or document.
    pub number: String,
    /// Version, from 1.
    pub version: u32,
    /// Typed fields.
    pub fields: Value,
    /// When it took effect.
    pub effective_at: Moment,
}

/// One evaluation of a matter's `handle`, across all its turns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Its number; 0 before the first.
    pub no: u16,
    /// Restart generation.
    pub generation: u16,
    /// Entry that it begins with, and the time it begins at.
    pub begun: Option<(Seq, Moment)>,
    /// What it asked for, in the order of the log.
    pub requests: Vec<Request>,
    by_key: BTreeMap<RequestKey, usize>,
    /// Whether `handle` has returned.
    pub finished: bool,
    /// The incident that stopped it.
    pub stopped: Option<Seq>,
    /// The request whose outcome nothing caught.
    pub uncaught: Option<RequestKey>,
    /// Requests recorded before this entry are kept as they are by the present generation.
    pub kept: Option<Seq>,
    /// Whether it was told to stop, and how far the undoing has come.
    pub cancel: Option<Cancelled>,
}

/// A run that was told to stop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cancelled {
    /// The entry, and its time.
    pub at: (Seq, Moment),
    /// Why.
    pub reason: String,
    /// Whether everything registered for undoing has been undone or given up.
    pub undone: bool,
}

impl Run {
    /// Returns the request `key`.
    pub fn request(&self, key: &RequestKey) -> Option<&Request> {
        self.by_key.get(key).map(|index| &self.requests[*index])
    }

    /// Returns where a request stands among all.
    pub(crate) fn index_of(&self, key: &RequestKey) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// Follows what a request took over to the one that really asked.
    pub fn root<'a>(&'a self, key: &'a RequestKey) -> &'a RequestKey {
        let mut root = key;
        while let Some(earlier) = self.request(root).and_then(|known| known.made.adopts.as_ref()) {
            root = earlier;
        }
        root
    }

    /// Returns when a request was made first, by whichever generation.
    pub fn asked_at(&self, request: &Request) -> Moment {
        let first = self.request(self.root(&request.made.key));
        first.map_or(request.asked_at, |first| first.asked_at)
    }

    fn request_mut(&mut self, key: &RequestKey) -> Option<&mut Request> {
        self.by_key.get(key).map(|index| &mut self.requests[*index])
    }

    /// Tells whether the script may be evaluated.
    pub fn is_live(&self) -> bool {
        self.begun.is_some() && !self.finished && self.stopped.is_none() && self.uncaught.is_none()
    }
}

/// A task of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Entry that opened it.
    pub no: Seq,
    /// Its matter.
    pub matter: MatterNo,
    /// What it asks.
    pub opened: Arc<TaskOpened>,
    /// When it was opened.
    pub opened_at: Moment,
    /// The role that may take it; an escalation changes it.
    pub role: RoleCode,
    /// The facts beside it; a correction refreshes them.
    pub facts: Value,
    /// Who has taken it.
    pub assignee: Option<String>,
    /// Until when it is his; `None` for as long as it lasts.
    pub assigned_until: Option<Moment>,
    /// What he has written so far.
    pub draft: Value,
    /// What a first officer proposed, where two must decide: who, and what.
    pub proposed: Option<(String, Decision)>,
    /// How often it was urged, and when last.
    pub urged: Option<(u32, Moment)>,
    /// Rises with every change, from 1.
    pub version: u32,
    /// How it ended.
    pub end: Option<TaskEnd>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskEnd {
    /// Somebody did it.
    Completed(Decision),
    /// It lost its purpose.
    Dropped,
}

/// A call of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct CallState {
    /// Its id and times.
    pub made: CallMade,
    /// The matter.
    pub matter: MatterNo,
    /// The request that it carries.
    pub request: RequestKey,
    /// Entry that made it.
    pub at: Seq,
    /// When it was made, by lawful time.
    pub opened_at: Moment,
    /// What the agency agreed to answer within, where a limit is agreed; from the opening until
    /// the call is over.
    pub clock: Option<Clock>,
    /// Where it stands.
    pub status: CallStatus,
    /// Whether it was taken up again after it had failed: it is asked for, and never sent again
    /// under this id, for its deadline is another one.
    pub reopened: bool,
    /// Messages stored so far: number and digest.
    pub messages: BTreeMap<u32, Digest>,
    /// Entry since which no script waits for it: it is an obligation only.
    pub released: Option<Seq>,
    /// The earlier call that this one amends: it ended because something was to be corrected, or
    /// the applicant had to act.
    pub amends: Option<CallId>,
}

/// Where a call stands.
#[derive(Clone, Debug, PartialEq)]
pub enum CallStatus {
    /// Written down; it may or may not have left.
    Open,
    /// The agency works on it.
    Accepted {
        /// Since when.
        since: Moment,
        /// Milliseconds after which to ask.
        next_query_after: Option<u64>,
    },
    /// A person carries it out.
    Manual {
        /// The task.
        task: Seq,
    },
    /// A person must look at it.
    Failed,
    /// Over.
    Over,
    /// A question whose answer is not waited for any more; asking had no effect to settle.
    Abandoned,
}

impl CallState {
    /// Tells whether the call is still an obligation of the case.
    pub fn is_open(&self) -> bool {
        !matches!(self.status, CallStatus::Over | CallStatus::Abandoned)
    }

    /// Ends it for good; nobody waits for the agency any more.
    fn end(&mut self, status: CallStatus, at: Moment) {
        self.status = status;
        if let Some(clock) = &mut self.clock {
            clock.stopped.get_or_insert(at);
        }
    }
}

impl Case {
    /// Folds a whole log.
    pub fn from_entries(id: CaseId, entries: &[Entry]) -> Result<Self, FoldError> {
        let error = |what: &str| FoldError { case: id, seq: Seq(1), what: what.to_owned() };
        let (first, rest) = entries.split_first().ok_or_else(|| error("the log is empty"))?;
        let mut case = Self::begin(id, first)?;
        for entry in rest {
            case.fold(entry)?;
        }
        Ok(case)
    }

    /// Returns where a matter is decided: its own place, or where the case was filed.
    pub fn place_of(&self, no: MatterNo) -> &RegionCode {
        let part = self.matter(no).and_then(|matter| matter.planned.computed.as_deref());
        part.and_then(|part| part.place.as_ref()).unwrap_or(&self.started.region)
    }

    /// Folds the first entry of a log.
    pub fn begin(id: CaseId, first: &Entry) -> Result<Self, FoldError> {
        let error = |what: &str| FoldError { case: id, seq: first.seq, what: what.to_owned() };
        let Body::CaseStarted(started) = &first.body else {
            return Err(error("a log begins with the start of the case"));
        };
        if first.seq != Seq(1) {
            return Err(error("a log begins with entry 1"));
        }
        let at = first.recorded_at;
        let matters = (1..).map(MatterNo).zip(&started.matters);
        Ok(Self {
            id,
            head: first.seq,
            started: Arc::clone(started),
            submitted: None,
            created_at: at,
            updated_at: at,
            matters: matters.map(|(no, planned)| Matter::planned(no, planned, at)).collect(),
            tasks: BTreeMap::new(),
            calls: BTreeMap::new(),
            incidents: BTreeMap::new(),
            form_changes: Vec::new(),
            prefills: Vec::new(),
            handed: handed_at_first(&started.materials),
            consents: started.consents.clone(),
            cards: BTreeMap::new(),
            documents: BTreeMap::new(),
            voided: BTreeMap::new(),
            calendar: None,
            rebound: Vec::new(),
            paused: BTreeMap::new(),
            partial: BTreeSet::new(),
        })
    }

    /// Returns the form as it stood after entry `seen`.
    pub fn form_at(&self, seen: Seq) -> Value {
        let mut form = self.started.form.clone();
        for (at, change) in self.form_changes.iter().filter(|(at, _)| *at <= seen) {
            if self.voided.get(at).is_none_or(|voided| *voided > seen) {
                form.overlay(&change.fields);
            }
        }
        form
    }

    /// Returns the form as it stands.
    pub fn form(&self) -> Value {
        self.form_at(self.head)
    }

    /// Returns the version of the form, from 1.
    pub fn form_version(&self) -> u32 {
        let voided = self.form_changes.iter().filter(|(at, _)| self.voided.contains_key(at));
        let changes = self.form_changes.len() + voided.count();
        1 + u32::try_from(changes).unwrap_or(u32::MAX - 1)
    }

    /// Returns the newest version of a material that the applicant handed in.
    pub fn handed(&self, code: &str) -> Option<&Handed> {
        let mut newest = self.handed.iter().rev().filter(|handed| handed.given.code == code);
        newest.find(|handed| !self.voided.contains_key(&handed.at))
    }

    /// Returns the closure that the case is pinned to.
    pub fn closure(&self) -> Digest {
        self.version_at(self.head).closure
    }

    /// Returns the version that the case was pinned to once an entry was recorded.
    pub fn version_at(&self, seq: Seq) -> ScriptVersion {
        let mut before = self.rebound.iter().rev().filter(|(at, _)| *at <= seq);
        let Some((_, rebound)) = before.next() else {
            let CaseStarted { closure, api_level, .. } = *self.started;
            return ScriptVersion { closure, api_level };
        };
        ScriptVersion { closure: rebound.closure, api_level: rebound.api_level }
    }

    /// Returns the incidents that nobody has ended.
    pub fn open_incidents(&self) -> impl Iterator<Item = (Seq, &IncidentState)> {
        let open = self.incidents.iter().filter(|(_, incident)| incident.is_open());
        open.map(|(at, incident)| (*at, incident))
    }

    /// Tells whether the scripts of a matter are not to be evaluated now.
    pub fn is_paused(&self, no: MatterNo) -> bool {
        self.paused.contains_key(&no) || self.paused.contains_key(&MatterNo::COORDINATOR)
    }

    /// Returns a matter by number.
    pub fn matter(&self, no: MatterNo) -> Option<&Matter> {
        self.matters.get(usize::from(no.0).checked_sub(1)?)
    }

    /// Returns the tasks that wait for a person.
    pub fn open_tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values().filter(|task| task.end.is_none())
    }

    /// Returns the clocks of a matter: those of the law, then those of its calls.
    pub fn clocks_of<'a>(&'a self, matter: &'a Matter) -> impl Iterator<Item = &'a Clock> {
        let calls = self.calls.values().filter(|call| call.matter == matter.no);
        matter.law.clocks().iter().chain(calls.filter_map(|call| call.clock.as_ref()))
    }

    /// Returns `role.operation` of a call.
    pub fn operation_of(&self, call: &CallState) -> Option<&str> {
        let request = self.matter(call.matter)?.run.request(&call.request)?;
        let Ask::Call { operation, .. } = &request.made.ask else {
            return None;
        };
        Some(operation)
    }

    /// Returns the calls that are not over.
    pub fn open_calls(&self) -> impl Iterator<Item = &CallState> {
        self.calls.values().map(Arc::as_ref).filter(|call| call.is_open())
    }

    /// Tells whether something that outlives a matter is not settled: a call under way, or a
    /// person's task about one.
    pub fn has_obligations(&self) -> bool {
        let settles =
            |task: &Task| matches!(task.opened.kind, TaskKind::LateReply | TaskKind::Obligation);
        self.open_calls().next().is_some() || self.open_tasks().any(settles)
    }

    fn at(&self, entry: &Entry) -> Place {
        Place { case: self.id, seq: entry.seq }
    }

    fn matter_mut(&mut self, entry: &Entry) -> Result<&mut Matter, FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no matter {}", entry.matter));
        let index = usize::from(entry.matter.0).checked_sub(1);
        index.and_then(|index| self.matters.get_mut(index)).ok_or_else(error)
    }

    fn task_mut(&mut self, entry: &Entry, task: Seq) -> Result<&mut Task, FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no open task {task}"));
        self.tasks.get_mut(&task).filter(|task| task.end.is_none()).ok_or_else(error)
    }

    /// Folds one entry.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), FoldError> {
        if entry.seq != self.head.next() {
            return Err(self.at(entry).wrong(format!("it follows entry {}", self.head)));
        }
        self.fold_body(entry)?;
        self.head = entry.seq;
        self.updated_at = self.updated_at.max(entry.recorded_at);
        if entry.matter != MatterNo::COORDINATOR {
            self.matter_mut(entry)?.changed_at = entry.recorded_at;
        }
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`fold_around` names every kind that is left"
    )]
    fn fold_body(&mut self, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::CaseStarted(_) => Err(self.at(entry).wrong("a case starts once")),
            Body::CaseSubmitted => {
                self.submitted = Some((entry.seq, entry.effective_at));
                Ok(())
            }
            Body::MatterFiled(filed) => self.fold_filed(entry, filed),
            Body::Acted { act, answer, request } => {
                self.fold_act(entry, act, (answer, request.as_ref()))
            }
            Body::InputArrived { from, version, digest: _ } => {
                let input = Input { at: entry.seq, from: *from, version: *version };
                self.matter_mut(entry)?.inputs.push(input);
                Ok(())
            }
            Body::Requested(made) => self.fold_requested(entry, made),
            Body::CallReplied(reply) => self.fold_reply(entry, reply),
            Body::CallRenewed(renewed) => self.fold_renewed(entry, renewed),
            Body::CallAbandoned { call } => {
                let at = self.at(entry);
                let error = || at.wrong(format!("there is no call {call}"));
                let call = self.call_mut(call).ok_or_else(error)?;
                call.end(CallStatus::Abandoned, entry.recorded_at);
                Ok(())
            }
            Body::RequestReleased { request, by: _ } => self.fold_released(entry, request),
            Body::ObligationResolved { call, reason, officers: _ } => {
                self.fold_resolved(entry, *call, reason)
            }
            Body::TimerFired { request, due: _ } => self.settle(entry, request, End::Fired),
            Body::TaskOpened(opened) => self.fold_task(entry, opened),
            Body::TaskClaimed { task, by } => self.fold_assigned(entry, *task, Some(by)),
            Body::TaskReleased { task } => self.fold_assigned(entry, *task, None),
            Body::TaskCompleted { task, decision } => self.fold_done(entry, *task, decision),
            Body::TaskDropped { task } => self.fold_dropped(entry, *task),
            Body::IncidentRaised(incident) => self.fold_incident(entry, incident, None),
            Body::RunFailed(failed) => {
                self.fold_incident(entry, &failed.incident, Some(Arc::clone(&failed.place)))
            }
            Body::RunFinished { run: _ } => {
                self.matter_mut(entry)?.run.finished = true;
                Ok(())
            }
            Body::OutcomeUncaught { request } => {
                self.matter_mut(entry)?.run.uncaught = Some(request.clone());
                Ok(())
            }
            Body::RunRestarted { generation } => self.fold_restart(entry, *generation),
            Body::IntakeBegun { .. } | Body::IntakeRecommended(_) | Body::FieldsTried(_) => {
                self.fold_advice(entry)
            }
            Body::PartialOutcome(outcome) => {
                self.partial.extend(outcome.ended.iter().copied());
                Ok(())
            }
            _ => self.fold_around(entry),
        }
    }

    /// Folds what happens around the course of a case; [`Case::fold_body`] folds the rest.
    fn fold_around(&mut self, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::TaskAssigned(_)
            | Body::TaskEscalated { .. }
            | Body::TaskUrged { .. }
            | Body::MatterUrged { .. }
            | Body::DraftSaved { .. }
            | Body::DecisionProposed { .. }
            | Body::TaskRefreshed { .. } => self.fold_task_change(entry),
            Body::FormChanged(_)
            | Body::MaterialHanded(_)
            | Body::Consented(_)
            | Body::MaterialTried(_)
            | Body::MaterialMet(_)
            | Body::InputSuperseded { .. } => self.fold_material(entry),
            Body::ClockFired { .. } | Body::PeriodRenewed { .. } => self.fold_clock(entry),
            Body::CardRaised(_)
            | Body::CardAnswered(_)
            | Body::DocumentDrafted(_)
            | Body::DocumentSealed(_)
            | Body::DocumentServed(_)
            | Body::EntryVoided { .. }
            | Body::CalendarChanged { .. } => self.fold_record(entry),
            Body::IncidentSettled(_)
            | Body::WayOutProposed(_)
            | Body::CaseRebound(_)
            | Body::RunRewound(_)
            | Body::ResultOverridden(_)
            | Body::Paused { .. }
            | Body::Resumed { .. }
            | Body::CancelRequested { .. }
            | Body::CompensationEnded
            | Body::CallReopened { .. }
            | Body::CallPlaced { .. } => self.fold_way_out(entry),
            Body::MessageArrived(_) | Body::MessageTaken { .. } => self.fold_mail(entry),
            Body::CaseStarted(_)
            | Body::CaseSubmitted
            | Body::MatterFiled(_)
            | Body::Acted { .. }
            | Body::InputArrived { .. }
            | Body::Requested(_)
            | Body::CallReplied(_)
            | Body::CallRenewed(_)
            | Body::CallAbandoned { .. }
            | Body::RequestReleased { .. }
            | Body::ObligationResolved { .. }
            | Body::TimerFired { .. }
            | Body::TaskOpened(_)
            | Body::TaskClaimed { .. }
            | Body::TaskReleased { .. }
            | Body::TaskCompleted { .. }
            | Body::TaskDropped { .. }
            | Body::IncidentRaised(_)
            | Body::RunFinished { .. }
            | Body::OutcomeUncaught { .. }
            | Body::RunRestarted { .. }
            | Body::IntakeBegun { .. }
            | Body::IntakeRecommended(_)
            | Body::FieldsTried(_)
            | Body::PartialOutcome(_)
            | Body::RunFailed(_) => {
                Err(self.at(entry).wrong("it belongs to the course of the case"))
            }
        }
    }

    fn fold_act(
        &mut self,
        entry: &Entry,
        act: &crate::law::Act,
        answered: (&ActAnswer, Option<&RequestKey>),
    ) -> Result<(), FoldError> {
        let (answer, request) = answered;
        let at = self.at(entry);
        if *answer == ActAnswer::Done
            && !self.matter_mut(entry)?.act((entry.seq, entry.recorded_at), act)
        {
            return Err(at.wrong(format!("{} cannot hold here", act.kind.code())));
        }
        match request {
            Some(key) => self.settle(entry, key, End::Answered(answer.clone())),
            None => Ok(()),
        }
    }

    fn fold_assigned(
        &mut self,
        entry: &Entry,
        task: Seq,
        to: Option<&String>,
    ) -> Result<(), FoldError> {
        let task = self.task_mut(entry, task)?;
        task.assignee = to.cloned();
        task.assigned_until = None;
        task.version += 1;
        Ok(())
    }

    fn fold_dropped(&mut self, entry: &Entry, task: Seq) -> Result<(), FoldError> {
        let task = self.task_mut(entry, task)?;
        task.end = Some(TaskEnd::Dropped);
        task.version += 1;
        Ok(())
    }

    fn fold_restart(&mut self, entry: &Entry, generation: u16) -> Result<(), FoldError> {
        self.restart(entry, generation, None)
    }

    /// Begins `handle` again as `generation`; what it had received goes back to the mailbox,
    /// but for what is kept.
    fn restart(
        &mut self,
        entry: &Entry,
        generation: u16,
        kept: Option<Seq>,
    ) -> Result<(), FoldError> {
        let matter = self.matter_mut(entry)?;
        let run = &mut matter.run;
        run.generation = generation;
        run.begun = Some((entry.seq, entry.recorded_at));
        run.finished = false;
        run.uncaught = None;
        run.stopped = None;
        run.cancel = None;
        run.kept = kept;
        matter.give_back_mail(kept);
        Ok(())
    }

    fn fold_filed(&mut self, entry: &Entry, filed: &Arc<MatterFiled>) -> Result<(), FoldError> {
        let at = self.at(entry);
        let error = || at.wrong("the matter was filed before");
        let matter = self.matter_mut(entry)?;
        if matter.filed.is_some() {
            return Err(error());
        }
        if !matter.law.file(entry.effective_at, filed.rules.clone()) {
            return Err(error());
        }
        if filed.decides_in == crate::definition::DecidesIn::Connector {
            matter.begin_run(entry.seq, entry.effective_at);
        }
        matter.requirements = filed
            .materials
            .iter()
            .map(|found| Requirement {
                code: found.code.clone(),
                how: found.how.clone(),
                before: Vec::new(),
                attempts: Vec::new(),
                changed: (entry.seq, entry.effective_at),
            })
            .collect();
        matter.filed = Some(Arc::clone(filed));
        Ok(())
    }

    fn fold_task(&mut self, entry: &Entry, opened: &Arc<TaskOpened>) -> Result<(), FoldError> {
        if let Some(call) = opened.call
            && opened.kind == TaskKind::Manual
        {
            let at = self.at(entry);
            let error = || at.wrong(format!("there is no call {call}"));
            self.call_mut(&call).ok_or_else(error)?.status = CallStatus::Manual { task: entry.seq };
        }
        self.tasks.insert(
            entry.seq,
            Task {
                no: entry.seq,
                matter: entry.matter,
                opened: Arc::clone(opened),
                opened_at: entry.recorded_at,
                role: opened.role.clone(),
                facts: opened.facts.clone(),
                assignee: None,
                assigned_until: None,
                draft: Value::Null,
                proposed: None,
                urged: None,
                version: 1,
                end: None,
            },
        );
        Ok(())
    }

    fn fold_done(&mut self, entry: &Entry, no: Seq, by: &Decision) -> Result<(), FoldError> {
        let task = self.task_mut(entry, no)?;
        task.end = Some(TaskEnd::Completed(by.clone()));
        task.version += 1;
        let answers = match task.opened.kind {
            TaskKind::Decide => task.opened.request.clone(),
            TaskKind::Intake
            | TaskKind::Manual
            | TaskKind::Rejected
            | TaskKind::ConfirmDenial
            | TaskKind::CorrectionMissed
            | TaskKind::PromiseMissed
            | TaskKind::ApproveExtension
            | TaskKind::Countersign
            | TaskKind::Amendment
            | TaskKind::AgencyLate
            | TaskKind::LateReply
            | TaskKind::Obligation
            | TaskKind::AfterCancel
            | TaskKind::AskCorrection
            | TaskKind::Applicant
            | TaskKind::Partial => None,
        };
        match answers {
            Some(key) => self.settle(entry, &key, End::Decided(by.clone())),
            None => Ok(()),
        }
    }

    fn fold_incident(
        &mut self,
        entry: &Entry,
        incident: &Arc<Incident>,
        place: Option<Arc<RunPlace>>,
    ) -> Result<(), FoldError> {
        let state = IncidentState {
            matter: entry.matter,
            incident: Arc::clone(incident),
            place,
            raised_at: entry.recorded_at,
            proposed: None,
            end: None,
        };
        self.incidents.insert(entry.seq, state);
        if let Some(call) = incident.call.and_then(|id| self.call_mut(&id))
            && call.is_open()
            && matches!(incident.kind, IncidentKind::CallFailed | IncidentKind::CompensationFailed)
        {
            call.status = CallStatus::Failed;
        }
        if incident.kind == IncidentKind::IntakeFailed {
            self.matter_mut(entry)?.advice.failed = true;
        }
        if incident.kind.stops_script() && entry.matter != MatterNo::COORDINATOR {
            self.matter_mut(entry)?.run.stopped = Some(entry.seq);
        }
        Ok(())
    }

    /// Ends a request; the first end stays, because nothing is decided twice.
    fn settle(&mut self, entry: &Entry, key: &RequestKey, end: End) -> Result<(), FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no request {key}"));
        let at = self.at(entry);
        let twice = || at.wrong(format!("request {key} ended before"));
        let run = &mut self.matter_mut(entry)?.run;
        let request = run.request_mut(key).ok_or_else(error)?;
        if request.settled.is_some() {
            return Err(twice());
        }
        let at = match (&end, &request.made.ask) {
            (End::Fired, Ask::Timer { due, .. }) => *due,
            _ => entry.recorded_at,
        };
        let settled = Settled { seq: entry.seq, at, end };
        request.settled = Some(settled.clone());
        // A later generation may have taken over what an earlier one had taken over.
        let mut chain = vec![key.clone()];
        for request in run.requests.iter_mut().filter(|request| request.settled.is_none()) {
            if request.made.adopts.as_ref().is_some_and(|adopted| chain.contains(adopted)) {
                request.settled = Some(settled.clone());
                chain.push(request.made.key.clone());
            }
        }
        Ok(())
    }
}

impl Task {
    /// Tells whether it went up to another role than it was opened for.
    pub fn is_escalated(&self) -> bool {
        self.role != self.opened.role
    }

    /// Returns for whom the task is now.
    pub fn addressee(&self) -> Addressee<'_> {
        let region = &self.opened.region;
        Addressee { role: &self.role, region, escalated: self.is_escalated() }
    }

    /// Returns who holds the task at `now`: a delegation lapses by itself.
    pub fn holder(&self, now: Moment) -> Option<&str> {
        let lapsed = self.assigned_until.is_some_and(|until| until < now);
        self.assignee.as_deref().filter(|_| !lapsed)
    }
}

/// Returns what came with the application as the first versions.
fn handed_at_first(materials: &[MaterialGiven]) -> Vec<Handed> {
    let first = |given: &MaterialGiven| Handed { given: given.clone(), version: 1, at: Seq(1) };
    materials.iter().map(first).collect()
}
