//! [`Engine`]: what the outside may ask. Every call takes a [`Viewer`].

mod audit;
mod documents;
mod duplicates;
mod figures;
mod files;
mod guide;
mod incidents;
mod parked;
mod read;
mod rebind;
mod travel;
mod versions;
mod work;

use std::sync::Arc;

use serde::Serialize;
use tongban_core::audit::AuditedAct;
use tongban_core::command::{Answer, Command, Refusal, TaskAt};
use tongban_core::definition::Closure;
use tongban_core::entry::Arrival;
use tongban_core::id::{CaseId, CommitNo, TaskId};
use tongban_core::port::{IdempotencyRecord, Inbox, MutationEnd, StoreError};
use tongban_core::read_model;
use tongban_core::start::StartCase;
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};
use tongban_core::wire;

use crate::api::{IdempotencyKey, Receipt};
use crate::builder::EngineBuilder;
use crate::clock::RealLawfulClock;
use crate::error::EngineError;
use crate::number::Numbers;
use crate::runtime::desk::{Starting, Told};
use crate::runtime::{Door, Runtime};
use crate::standing::Standing;

pub use self::documents::{DocumentError, DocumentPage, Show, Unmade};
pub use self::files::{CaseFile, FileError, Upload};
pub use self::incidents::{
    CallConcerned, IncidentFilter, IncidentItem, IncidentStage, LeftBehind, SettledOne,
};
pub use self::parked::ParkedView;
pub(crate) use self::read::outermost;
pub use self::rebind::{Rebinding, Rebound, ReboundOne, Undecided};
pub use self::versions::{MoveVersion, MovedVersion};
pub use self::work::{Change, Decided};

/// Channels in which papers came to an office (GB/T 39046).
const CHANNEL_WINDOW: u8 = 1;
const CHANNEL_POST: u8 = 4;

/// Times that a taken case number is replaced by the next one before giving up.
const NUMBER_ATTEMPTS: u32 = 8;

/// A running engine. Clones share it.
#[derive(Clone)]
pub struct Engine {
    runtime: Arc<Runtime>,
    movable: Option<Arc<RealLawfulClock>>,
    numbers: Arc<Numbers>,
}

impl Engine {
    /// Begins to build an engine.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    pub(crate) fn new(runtime: Arc<Runtime>, movable: Option<Arc<RealLawfulClock>>) -> Self {
        Self { runtime, movable, numbers: Arc::default() }
    }

    /// Returns what the engine runs with.
    pub(crate) fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Returns the services that new cases may use. Declarations are public.
    pub fn services(&self, _viewer: &Viewer) -> Vec<Arc<Closure>> {
        self.runtime.offer.services(self.runtime.scripts.as_ref())
    }

    /// Starts a case as a draft.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the input does not fit the service or the viewer may not
    /// file for this applicant here.
    pub async fn start_case(
        &self,
        viewer: &Viewer,
        input: StartCase,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        Self::may_start(viewer, &input)?;
        let record = self.record(viewer, "startCase", &key, &input);
        if let Some(receipt) = self.replayed(&record).await? {
            return Ok(receipt);
        }
        if let Err(error) = self.may_arrive(viewer, &input.arrival) {
            return self.replay(&self.keep_refusal(&record, error).await?);
        }
        for _ in 0..NUMBER_ATTEMPTS {
            let at = self.runtime.lawful.now();
            let store = self.runtime.store.as_ref();
            let number = self.numbers.next(store, &input.region, at).await?;
            let (reply, told) = tokio::sync::oneshot::channel();
            self.runtime.desk.start(Box::new(Starting {
                by: viewer.clone(),
                input: input.clone(),
                number,
                record: record.clone(),
                reply,
            }))?;
            match told.await.unwrap_or(Err(EngineError::Stopped)) {
                Err(EngineError::Store(StoreError::NumberTaken(_))) => self.numbers.reset().await,
                Err(error @ EngineError::Refused(_)) => {
                    return self.replay(&self.keep_refusal(&record, error).await?);
                }
                outcome => return self.receipt(outcome, &record),
            }
        }
        Err(EngineError::Busy)
    }

    fn may_start(viewer: &Viewer, input: &StartCase) -> Result<(), EngineError> {
        let may = match viewer.role {
            Role::Applicant => viewer.party.as_ref() == Some(&input.applicant.id),
            Role::WindowClerk => viewer.covers(&input.region),
            Role::Approver
            | Role::Integrator
            | Role::Supervisor
            | Role::OfficeHead
            | Role::SystemAdmin => false,
        };
        if may {
            return Ok(());
        }
        Err(Refusal::new(
            "NOT_PERMITTED",
            "只能为本人(本单位)申请,或由当地窗口人员代为申请",
            "one files for oneself, or a window clerk of the place does",
        )
        .into())
    }

    /// Papers that were taken earlier are recorded by a window, with what proves it. What an
    /// applicant says of his channel changes nothing that the law counts.
    fn may_arrive(&self, viewer: &Viewer, arrival: &Arrival) -> Result<(), EngineError> {
        let refuse = |code: &str, member: &str, (zh, en): (&str, &str)| {
            Err(Refusal::new(code, zh, en).at(["arrival", member]).into())
        };
        let on_paper = matches!(arrival.channel, CHANNEL_WINDOW | CHANNEL_POST);
        let clerk = viewer.role == Role::WindowClerk;
        if on_paper && !clerk {
            let text = (
                "窗口或邮寄渠道由窗口人员登记",
                "a clerk records what came at a window or by post",
            );
            return refuse("NOT_PERMITTED", "channel", text);
        }
        let Some(at) = arrival.received_at else { return Ok(()) };
        if !clerk {
            let text = (
                "只有窗口人员可以补录较早的收件时间",
                "only a window clerk records an earlier receipt",
            );
            return refuse("NOT_PERMITTED", "receivedAt", text);
        }
        if arrival.evidence.trim().is_empty() {
            let text = (
                "补录较早的收件时间须注明凭证(收件凭证编号、邮戳、停机编号等)",
                "an earlier receipt needs what proves it: number of a receipt, a postmark, an outage",
            );
            return refuse("EVIDENCE_MISSING", "evidence", text);
        }
        if at > self.runtime.lawful.now() {
            let text = ("收件时间不能晚于现在", "papers cannot have been taken in the future");
            return refuse("EFFECTIVE_IN_FUTURE", "receivedAt", text);
        }
        Ok(())
    }

    /// Submits a draft.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when something is missing; everything is named at once.
    pub async fn submit_case(
        &self,
        viewer: &Viewer,
        case: CaseId,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let record = self.record(viewer, "submitCase", &key, &case);
        self.change(viewer, case, Command::Submit { by: viewer.clone() }, record).await
    }

    /// Withdraws every matter of a case that has not ended.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when nothing is left to withdraw.
    pub async fn withdraw_case(
        &self,
        viewer: &Viewer,
        case: CaseId,
        reason: String,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let record = self.record(viewer, "withdrawCase", &key, &(case, &reason));
        self.change(viewer, case, Command::Withdraw { by: viewer.clone(), reason }, record).await
    }

    /// Takes a task, at the version that the viewer saw.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when it is closed, changed, taken or not the viewer's to take.
    pub async fn claim_task(
        &self,
        viewer: &Viewer,
        task: TaskId,
        version: u32,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let record = self.record(viewer, "claimTask", &key, &(task, version));
        let at = TaskAt { no: task.no, version };
        self.change(viewer, task.case, Command::ClaimTask { by: viewer.clone(), task: at }, record)
            .await
    }

    /// Gives a task back.
    ///
    /// # Errors
    /// As [`Engine::claim_task`].
    pub async fn release_task(
        &self,
        viewer: &Viewer,
        task: TaskId,
        version: u32,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let record = self.record(viewer, "releaseTask", &key, &(task, version));
        let at = TaskAt { no: task.no, version };
        let command = Command::ReleaseTask { by: viewer.clone(), task: at };
        self.change(viewer, task.case, command, record).await
    }

    /// Does what a task asks.
    ///
    /// # Errors
    /// As [`Engine::claim_task`], when something that the viewer saw has changed since, and when
    /// the outcome could not become a lawful act.
    pub async fn complete_task(
        &self,
        viewer: &Viewer,
        task: TaskId,
        decided: Decided,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let record = self.record(viewer, "completeTask", &key, &(task, &decided));
        let Decided { version, outcome, seen } = decided;
        let at = TaskAt { no: task.no, version };
        let command = Command::CompleteTask { by: viewer.clone(), task: at, outcome, seen };
        self.change(viewer, task.case, command, record).await
    }

    /// Puts a person's command before a case that he may see.
    pub(crate) async fn change(
        &self,
        viewer: &Viewer,
        case: CaseId,
        command: Command,
        record: IdempotencyRecord,
    ) -> Result<Receipt, EngineError> {
        if let Some(receipt) = self.replayed(&record).await? {
            return Ok(receipt);
        }
        self.must_see(viewer, case).await?;
        let result = MutationEnd::Done(vec![case.to_string()]);
        let record = IdempotencyRecord { result, ..record };
        let outcome = self.runtime.ask(case, command, Some(record.clone())).await;
        self.receipt(outcome, &record)
    }

    /// Absent and invisible cases are told apart by nobody.
    async fn must_see(&self, viewer: &Viewer, case: CaseId) -> Result<(), EngineError> {
        let visible = self
            .runtime
            .snapshot(case)
            .await?
            .is_some_and(|(case, _)| viewer.sees(&read_model::scope(&case)));
        if visible {
            return Ok(());
        }
        Err(Refusal::new("CASE_NOT_FOUND", "没有这个办件", "there is no such case").into())
    }

    /// Makes what remembers a mutation: keyed by caller, mutation and key, with the input's
    /// digest beside.
    pub(crate) fn record<T: Serialize>(
        &self,
        viewer: &Viewer,
        mutation: &str,
        key: &IdempotencyKey,
        input: &T,
    ) -> IdempotencyRecord {
        let secret = &self.runtime.identity.secret;
        let name = wire::encode(&(&viewer.subject, mutation, &key.0));
        IdempotencyRecord {
            key: secret.keyed(b"idempotency-key", &name),
            input: secret.keyed(b"idempotency-input", &wire::encode(input)),
            result: MutationEnd::Done(Vec::new()),
            at: self.runtime.lawful.now(),
        }
    }

    /// Returns the answer to a mutation on a case whose key was used before.
    pub(super) async fn replayed(
        &self,
        wanted: &IdempotencyRecord,
    ) -> Result<Option<Receipt>, EngineError> {
        let known = self.known(wanted).await?;
        known.map(|result| self.replay(&result)).transpose()
    }

    /// Answers a repeated mutation: the payload is resolved afresh, only ids are kept.
    fn replay(&self, result: &[String]) -> Result<Receipt, EngineError> {
        let case = result.first().and_then(|id| id.parse().ok());
        let case = case.ok_or_else(|| StoreError::Damaged {
            what: "an idempotency record names no case".to_owned(),
        })?;
        Ok(Receipt { case, revision: self.runtime.store.revision(), replayed: true })
    }

    /// Returns what a mutation came to whose key was used before.
    pub(super) async fn known(
        &self,
        wanted: &IdempotencyRecord,
    ) -> Result<Option<Vec<String>>, EngineError> {
        let known = self.runtime.store.remembered(wanted.key).await?;
        known.map(|known| result_of(known, wanted)).transpose()
    }

    /// Remembers a mutation that commits to no case, before it is done: whoever repeats it after a
    /// crash has done what was left. Of two at once, both learn what the first one is to do.
    pub(super) async fn remember(
        &self,
        record: IdempotencyRecord,
        result: Vec<String>,
    ) -> Result<Vec<String>, EngineError> {
        let record = IdempotencyRecord { result: MutationEnd::Done(result.clone()), ..record };
        match self.runtime.store.remember(record.clone()).await {
            Ok(()) => Ok(result),
            Err(StoreError::Remembered(known)) => result_of(known, &record),
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers a mutation that is refused without a turn, if it is to stay refused.
    ///
    /// # Errors
    /// The refusal, or that it could not be remembered. A copy of the mutation that was done
    /// meanwhile is no error: its ids are returned.
    pub(super) async fn keep_refusal(
        &self,
        record: &IdempotencyRecord,
        error: EngineError,
    ) -> Result<Vec<String>, EngineError> {
        let EngineError::Refused(refusal) = &error else { return Err(error) };
        if !refusal.is_answer() {
            return Err(error);
        }
        let result = MutationEnd::refused(None, refusal);
        let refused = IdempotencyRecord { result, ..record.clone() };
        match self.runtime.store.remember(refused).await {
            Ok(()) => Err(error),
            Err(StoreError::Remembered(known)) => result_of(known, record),
            Err(failed) => Err(failed.into()),
        }
    }

    fn receipt(
        &self,
        outcome: Result<Told, EngineError>,
        record: &IdempotencyRecord,
    ) -> Result<Receipt, EngineError> {
        match outcome {
            Ok(Told { answer: Answer::Refused(refusal), .. }) => Err(refusal.into()),
            Ok(Told { case, revision, answer: Answer::Done | Answer::Acked(_) }) => {
                Ok(Receipt { case, revision, replayed: false })
            }
            Err(EngineError::Store(StoreError::Remembered(known))) => {
                self.replay(&result_of(known, record)?)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns a receiver of the newest revision: a hint to read again from one's cursor.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<CommitNo> {
        self.runtime.watch()
    }

    /// Returns a receiver that changes with each commit of one case. It tells nothing about the
    /// case; what may be read is decided by the call that reads.
    pub fn watch_case(&self, case: CaseId) -> tokio::sync::watch::Receiver<CommitNo> {
        self.runtime.watch_case(case)
    }

    /// Returns the newest revision.
    pub fn revision(&self) -> CommitNo {
        self.runtime.store.revision()
    }

    /// Returns lawful time.
    pub fn lawful_now(&self) -> Moment {
        self.runtime.lawful.now()
    }

    /// Tells whether lawful time can be moved.
    pub fn clock_is_virtual(&self) -> bool {
        self.movable.is_some()
    }

    /// Moves lawful time forward. The store remembers the offset before anyone sees it.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless an integrator or a supervisor asks;
    /// [`EngineError::Clock`] on a real clock, and while a call is under way: an agency must not
    /// see time jump inside its answer.
    pub async fn advance_clock(&self, viewer: &Viewer, millis: u64) -> Result<Moment, EngineError> {
        if !matches!(viewer.role, Role::Integrator | Role::Supervisor) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "只有集成人员或督查人员可以拨动时钟",
                "only an integrator or a supervisor moves the clock",
            )
            .into());
        }
        let Some(clock) = &self.movable else {
            return Err(EngineError::Clock(
                "法定时钟是真实时间,不能拨动 / lawful time is real time here and cannot be moved"
                    .to_owned(),
            ));
        };
        let issues = !self.runtime.issued.is_empty();
        let carried = !self.runtime.carried.is_empty();
        if millis > 0 && (issues || carried || !self.runtime.desk.is_quiet()) {
            return Err(EngineError::Clock(
                "有调用尚未结束,稍后再拨动时钟 / calls are under way; move the clock when they are over".to_owned(),
            ));
        }
        if millis > 0 {
            let target = format!("+{millis} ms");
            self.note(viewer, AuditedAct::ClockMoved, (target, "")).await?;
        }
        let offset = clock.offset().saturating_add(i64::try_from(millis).unwrap_or(i64::MAX));
        self.runtime.store.keep_clock_offset(offset).await?;
        clock.jump(millis);
        Ok(self.lawful_now())
    }

    /// Puts calendars and organisation into force, for every turn from now on. Open deadlines are
    /// read anew in the background, one case after the other. The audit log keeps who and when.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless an integrator asks.
    pub async fn replace_standing(
        &self,
        viewer: &Viewer,
        standing: Standing,
    ) -> Result<(), EngineError> {
        if viewer.role != Role::Integrator {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "只有集成人员可以更换日历和组织数据",
                "only an integrator replaces calendars and organisation",
            )
            .into());
        }
        self.note(viewer, AuditedAct::StandingReplaced, (standing.told(), "")).await?;
        self.runtime.standing.replace(standing);
        self.runtime.calendars_changed.notify_one();
        Ok(())
    }

    /// Returns the calendars and the organisation in force.
    pub fn standing(&self) -> Arc<Standing> {
        self.runtime.standing.now()
    }

    /// Returns the door for replies of agencies.
    pub fn inbox(&self) -> Arc<dyn Inbox> {
        Arc::new(Door(Arc::clone(&self.runtime)))
    }

    /// Stops: takes nothing new, finishes queued turns, leaves calls in the outbox.
    pub async fn shutdown(&self) {
        self.runtime.stop().await;
    }
}

/// Returns what a remembered mutation came to, if it is the one that is wanted again. One that was
/// refused is refused again.
fn result_of(
    known: IdempotencyRecord,
    wanted: &IdempotencyRecord,
) -> Result<Vec<String>, EngineError> {
    if known.input != wanted.input {
        return Err(EngineError::KeyReused);
    }
    match known.result {
        MutationEnd::Done(ids) => Ok(ids),
        MutationEnd::Refused { refusal, .. } => Err((*refusal).into()),
    }
}
