//! The script threads: load, turn, commit. The imperative shell around core's pure turn.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use tongban_core::case::Case;
use tongban_core::command::{Answer, Command, Refusal};
use tongban_core::definition::Closure;
use tongban_core::digest::Secret;
use tongban_core::entry::Origin;
use tongban_core::id::{CaseId, CommitNo, MatterNo, Seq};
use tongban_core::limits;
use tongban_core::port::{
    IdempotencyRecord, MutationEnd, ScriptFault, ScriptFaultKind, StoreError, Stored,
};
use tongban_core::time::Moment;
use tongban_core::turn::{self, TurnContext, TurnOutput};
use tongban_core::{read_model, start};

use super::desk::{Held, Job, Starting, Told, Turning, Waiting};
use super::turn::{Before, CommittedEffect, Ledger, PendingTurn};
use super::{Runtime, effects, guide, owed};
use crate::crash::{self, Point};
use crate::error::EngineError;
use crate::standing::Standing;

/// Takes work from the desk until it is closed.
pub(super) fn work(runtime: &Arc<Runtime>) {
    while let Some(job) = runtime.desk.next() {
        perform(runtime, job);
    }
}

/// Does one piece of work that lies ready; tells whether there was any.
#[cfg(any(test, feature = "sim"))]
pub(crate) fn step(runtime: &Arc<Runtime>) -> bool {
    let job = runtime.desk.try_next();
    let Some(job) = job else { return false };
    perform(runtime, job);
    true
}

fn perform(runtime: &Arc<Runtime>, job: Job) {
    match job {
        Job::Turn(turning) => take_turn(runtime, turning),
        Job::Start(starting) => begin(runtime, *starting),
        Job::Guide(guiding) => guide::tell(runtime, *guiding),
        Job::Aside(aside) => aside.carry_out(runtime),
    }
}

/// What a turn was taken with, kept until its commit is known.
struct Underway {
    id: CaseId,
    waiting: Vec<Waiting>,
    answers: Vec<Answer>,
    attempts: u32,
    /// A matter whose script could not be evaluated for a reason of the machine.
    owed: Option<MatterNo>,
    /// What a full turn has not heard or evaluated.
    left: Vec<Waiting>,
}

fn take_turn(runtime: &Arc<Runtime>, turning: Turning) {
    let Turning { id, waiting, held, attempts } = turning;
    let mut waiting = alone_after_panics(runtime, id, waiting);
    let held = match held.map_or_else(|| load(runtime, id), |held| Ok(Some((held, Loaded::AtHand))))
    {
        Ok(Some((held, loaded))) => {
            if loaded == Loaded::FromStore && !waiting.iter().any(wakes_or_must_not) {
                let wake = Waiting { command: Command::Wake, record: None, reply: None };
                waiting.insert(0, wake);
            }
            held
        }
        Ok(None) => return give_up(runtime, id, waiting, &not_there()),
        Err(error) => return give_up(runtime, id, waiting, &error),
    };
    let waiting = without_repetitions(runtime, id, waiting);
    let commands: Vec<Command> = waiting.iter().map(|waiting| waiting.command.clone()).collect();
    let (before, revision, cut) = (held.rows, held.revision, held.cut);
    let turned = catch_unwind(AssertUnwindSafe(|| evaluate(runtime, held.case, &commands)));
    let output = match turned {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return give_up(runtime, id, waiting, &error),
        Err(_) => {
            tracing::error!(case.id = %id, "a turn panicked");
            runtime.panicked.fetch_add(1, Ordering::Relaxed);
            return panicked(runtime, Underway::lost(id, waiting, attempts));
        }
    };
    let owed = output.retry.as_ref().map(|(matter, _)| *matter);
    let attempts = if owed.is_some() { attempts + 1 } else { 0 };
    let answers = output.answers.clone();
    let (waiting, left) = heard(waiting, &output);
    let underway = Underway { id, waiting, answers, attempts, owed, left };
    if output.entries.is_empty() {
        let again = CommittedEffect::of_stored(&output, &runtime.case_secret(id), cut);
        let held = Held { case: output.case, rows: before, revision, cut };
        return unchanged(runtime, underway, held, again);
    }
    let records = underway.memories().flatten().collect();
    let secret = runtime.case_secret(id);
    let before = Before { rows: &before, cut, secret: &secret };
    let pending =
        PendingTurn::new(output, before, records, &runtime.ledger(&runtime.standing.now()));
    store(runtime, underway, pending);
}

/// Takes the word that turns have panicked before everything else that waits, which may be what
/// made them panic.
fn alone_after_panics(runtime: &Runtime, id: CaseId, waiting: Vec<Waiting>) -> Vec<Waiting> {
    if !waiting.iter().any(|waiting| waiting.command == panics_told()) {
        return waiting;
    }
    let (alone, others) = waiting.into_iter().partition(|waiting| waiting.command == panics_told());
    runtime.desk.put_back(id, others);
    alone
}

/// Tells whether a turn over a loaded case needs no further wake: it has one, or says that turns
/// have panicked, perhaps over what is live.
fn wakes_or_must_not(waiting: &Waiting) -> bool {
    waiting.command == Command::Wake || waiting.command == panics_told()
}

/// Says of the case as a whole that its turns panic.
fn panics_told() -> Command {
    Command::TurnFailed {
        matter: MatterNo::COORDINATOR,
        reason:
            "执行异常中止,请联系技术支持 / turns over this case panicked; have the log looked at"
                .to_owned(),
    }
}

/// Answers the commands that were done before, and leaves for the next turn those that share
/// their key with another one of this turn. Both may have been sent before the first was stored.
fn without_repetitions(runtime: &Runtime, id: CaseId, waiting: Vec<Waiting>) -> Vec<Waiting> {
    let mut keys = BTreeSet::new();
    let (mut fresh, mut later) = (Vec::with_capacity(waiting.len()), Vec::new());
    for waiting in waiting {
        let Some(key) = waiting.record.as_ref().map(|record| record.key) else {
            fresh.push(waiting);
            continue;
        };
        if !keys.insert(key) {
            later.push(waiting);
            continue;
        }
        match runtime.tasks.block_on(runtime.store.remembered(key)) {
            Ok(None) => fresh.push(waiting),
            Ok(Some(known)) => refuse(vec![waiting], &StoreError::Remembered(known).into()),
            Err(error) => refuse(vec![waiting], &error.into()),
        }
    }
    if !later.is_empty() {
        runtime.desk.put_back(id, later);
    }
    fresh
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Loaded {
    AtHand,
    FromStore,
}

fn not_there() -> EngineError {
    Refusal::new("CASE_NOT_FOUND", "没有这个办件", "there is no such case").into()
}

fn load(runtime: &Runtime, id: CaseId) -> Result<Option<(Held, Loaded)>, EngineError> {
    let stored = runtime.tasks.block_on(runtime.store.load(id))?;
    let Some(stored) = stored else { return Ok(None) };
    let case = Case::from_entries(id, &stored.entries)?;
    let rows = read_model::rows(&stored.summary, &runtime.identity.secret);
    let restored = runtime.identity.restored;
    let kept = restored.and_then(|restored| head_at(&stored, restored.cut));
    // What came from elsewhere may have been gone on with there.
    let foreign = runtime.foreign(id).map(|foreign| foreign.head);
    let cut = kept.max(foreign);
    let held = Held { case: Arc::new(case), rows, revision: stored.revision, cut };
    Ok(Some((held, Loaded::FromStore)))
}

/// Returns the head that a case had after a commit; `None` for a case that began later.
fn head_at(stored: &Stored, cut: CommitNo) -> Option<Seq> {
    stored.commits.first().filter(|(first, _)| *first <= cut)?;
    let later = stored.commits.iter().find(|(no, _)| *no > cut);
    let last = stored.entries.last().map(|entry| entry.seq);
    later.map(|(_, first)| Seq(first.0 - 1)).or(last)
}

fn evaluate(
    runtime: &Runtime,
    case: Arc<Case>,
    commands: &[Command],
) -> Result<TurnOutput, EngineError> {
    let digest = case.closure();
    let closure = runtime
        .scripts
        .closure(&digest)
        .ok_or_else(|| EngineError::ClosureMissing(digest.to_string()))?
        .of_case(&case.started);
    let secret = runtime.case_secret(case.id);
    let now = runtime.lawful.now().max(case.updated_at);
    let standing = runtime.standing.now();
    let pinned = Pinned { secret: &secret, closure: &closure };
    let context = runtime.turn_context(now, &standing, pinned);
    Ok(turn::take(case, commands, &context)?)
}

impl Underway {
    /// A turn that panicked: nothing is known of it.
    fn lost(id: CaseId, waiting: Vec<Waiting>, attempts: u32) -> Self {
        Self { id, waiting, answers: Vec::new(), attempts, owed: None, left: Vec::new() }
    }

    /// Returns what is to be remembered of each command, in order.
    fn memories(&self) -> impl Iterator<Item = Option<IdempotencyRecord>> {
        let both = self.waiting.iter().zip(&self.answers);
        both.map(|(waiting, answer)| memory(self.id, waiting.record.as_ref()?, answer))
    }
}

/// Returns what to remember of a command: that it was done, or that it was weighed and refused.
fn memory(case: CaseId, record: &IdempotencyRecord, answer: &Answer) -> Option<IdempotencyRecord> {
    match answer {
        Answer::Done => Some(record.clone()),
        Answer::Refused(refusal) if refusal.is_answer() => {
            let result = MutationEnd::refused(Some(case), refusal);
            Some(IdempotencyRecord { result, ..record.clone() })
        }
        Answer::Refused(_) | Answer::Acked(_) => None,
    }
}

/// A turn that wrote nothing needs no commit. What was answered is remembered all the same, before
/// anybody is told and before the next turn may look for it.
fn unchanged(runtime: &Arc<Runtime>, underway: Underway, held: Held, again: Vec<CommittedEffect>) {
    effects::carry_out(runtime, again);
    if underway.memories().all(|memory| memory.is_none()) {
        return at_rest(runtime, underway, held);
    }
    let runtime = Arc::clone(runtime);
    let tasks = runtime.tasks.clone();
    tasks.spawn(async move {
        let underway = remember(&runtime, underway).await;
        at_rest(&runtime, underway, held);
    });
}

/// Remembers what was answered; whose answer cannot be remembered is told that instead.
async fn remember(runtime: &Runtime, underway: Underway) -> Underway {
    let stored = underway.memories().map(async |memory| match memory {
        Some(memory) => runtime.store.remember(memory).await,
        None => Ok(()),
    });
    let stored = join_all(stored).await;
    let mut kept = Underway { waiting: Vec::new(), answers: Vec::new(), ..underway };
    let both = underway.waiting.into_iter().zip(underway.answers);
    for ((waiting, answer), stored) in both.zip(stored) {
        match stored {
            Ok(()) => {
                kept.waiting.push(waiting);
                kept.answers.push(answer);
            }
            Err(error) => refuse(vec![waiting], &error.into()),
        }
    }
    kept
}

fn at_rest(runtime: &Arc<Runtime>, underway: Underway, held: Held) {
    tell(underway.id, underway.waiting, underway.answers, held.revision);
    let attempts = underway.attempts;
    retry_later(runtime, underway.id, attempts, underway.owed);
    runtime.desk.give_back(underway.id, Some(held), attempts);
}

fn tell(
    id: CaseId,
    waiting: Vec<Waiting>,
    answers: Vec<Answer>,
    revision: tongban_core::id::CommitNo,
) {
    for (waiting, answer) in waiting.into_iter().zip(answers) {
        if let Some(reply) = waiting.reply {
            // A caller that went away needs no answer; what it asked for is stored.
            let _gone = reply.send(Ok(Told { answer, case: id, revision }));
        }
    }
}

/// Stores a turn and finishes it once the outcome is known; the script thread goes on meanwhile.
fn store(runtime: &Arc<Runtime>, underway: Underway, pending: PendingTurn) {
    let runtime = Arc::clone(runtime);
    let timer = pending.has_new_timer();
    let tasks = runtime.tasks.clone();
    tasks.spawn(async move {
        match pending.commit(runtime.store.as_ref()).await {
            Ok(committed) => {
                let (id, revision) = (committed.case_id(), committed.revision());
                let (effects, held) = committed.into_parts();
                // The carriers begin before the case is given back, so that it never looks quiet
                // in between; watchers and callers hear last, so that what they read next is at
                // hand.
                crash::pass(Point::BeforeEffects);
                effects::carry_out(&runtime, effects);
                crash::pass(Point::BeforeTold);
                retry_later(&runtime, id, underway.attempts, underway.owed);
                if !underway.left.is_empty() {
                    runtime.desk.put_back(id, underway.left);
                }
                runtime.desk.give_back(id, Some(held), underway.attempts);
                runtime.publish(id, revision);
                tell(id, underway.waiting, underway.answers, revision);
                if timer {
                    runtime.timers.notify_one();
                }
            }
            Err(error) => not_stored(&runtime, underway, error),
        }
    });
}

/// Tells what a turn has heard from what comes first in the next one: what it has not heard, and
/// a wake for what it has not evaluated.
fn heard(waiting: Vec<Waiting>, output: &TurnOutput) -> (Vec<Waiting>, Vec<Waiting>) {
    let unheard: BTreeSet<usize> = output.unheard.iter().copied().collect();
    let (mut heard, mut left) = (Vec::with_capacity(waiting.len()), Vec::new());
    if output.unfinished {
        left.push(Waiting { command: Command::Wake, record: None, reply: None });
    }
    for (place, waiting) in waiting.into_iter().enumerate() {
        if unheard.contains(&place) { left.push(waiting) } else { heard.push(waiting) }
    }
    (heard, left)
}

/// Nothing of the turn has happened; what can be tried again is, over the state in the store.
fn not_stored(runtime: &Arc<Runtime>, underway: Underway, error: StoreError) {
    let Underway { id, mut waiting, left, attempts, .. } = underway;
    waiting.extend(left);
    if let StoreError::Remembered(record) = error {
        let (same, others): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|waiting| waiting.record.as_ref().is_some_and(|own| own.key == record.key));
        refuse(same, &StoreError::Remembered(record).into());
        runtime.desk.put_back(id, others);
        return runtime.desk.give_back(id, None, attempts);
    }
    let moved = matches!(error, StoreError::Conflict { .. });
    if moved && attempts < limits::TURN_ATTEMPTS_MAX {
        runtime.desk.put_back(id, waiting);
        return runtime.desk.give_back(id, None, attempts + 1);
    }
    tracing::warn!(case.id = %id, error.code = error.code(), "a turn was not stored");
    give_up(runtime, id, waiting, &error.into());
}

fn refuse(waiting: Vec<Waiting>, error: &EngineError) {
    for waiting in waiting {
        if let Some(reply) = waiting.reply {
            let _gone = reply.send(Err(error.clone()));
        }
    }
}

fn give_up(runtime: &Arc<Runtime>, id: CaseId, waiting: Vec<Waiting>, error: &EngineError) {
    refuse(waiting, error);
    runtime.desk.give_back(id, None, 0);
    if owed::is_owed(error) {
        owed::wake_later(runtime, id);
    }
}

/// A panic is a bug: tried again a few times, then an incident of the case as a whole, for nobody
/// knows which matter it was about.
fn panicked(runtime: &Arc<Runtime>, underway: Underway) {
    let Underway { id, waiting, attempts, .. } = underway;
    if attempts < limits::TURN_ATTEMPTS_MAX {
        runtime.desk.put_back(id, waiting);
        return runtime.desk.give_back(id, None, attempts + 1);
    }
    let told = waiting.iter().any(|waiting| waiting.command == panics_told());
    refuse(waiting, &broken());
    if !told {
        let word = Waiting { command: panics_told(), record: None, reply: None };
        runtime.desk.put_back(id, vec![word]);
    }
    runtime.desk.give_back(id, None, 0);
}

/// A turn that panicked: a bug, told as such, that takes down nothing but itself.
pub(super) fn broken() -> EngineError {
    EngineError::Script(ScriptFault::new(
        ScriptFaultKind::Infrastructure,
        "执行异常中止,未保存任何内容 / the turn panicked; nothing of it was stored",
    ))
}

/// Infrastructure errors are retried a bounded number of times, then become an incident.
fn retry_later(runtime: &Arc<Runtime>, id: CaseId, attempts: u32, owed: Option<MatterNo>) {
    let Some(matter) = owed else { return };
    let command = if attempts > limits::TURN_ATTEMPTS_MAX {
        Command::TurnFailed {
            matter,
            reason: "脚本执行超时 / the wall-clock guard stopped the run".to_owned(),
        }
    } else {
        Command::Wake
    };
    let runtime = Arc::clone(runtime);
    let wait = limits::CALL_BACKOFF_MILLIS_MIN << attempts.min(6);
    let tasks = runtime.tasks.clone();
    tasks.spawn(async move {
        runtime.wire.wait_millis(wait).await;
        let again = Waiting { command, record: None, reply: None };
        if let Err(error) = runtime.desk.submit(id, again) {
            tracing::debug!(case.id = %id, error.code = error.code(), "a turn waits for the next start");
        }
    });
}

/// Starts a case: selects its matters, checks the input, commits the first entry.
fn begin(runtime: &Arc<Runtime>, starting: Starting) {
    let Starting { by, input, number, mut record, reply } = starting;
    let begun = catch_unwind(AssertUnwindSafe(|| first_turn(runtime, &by, input, number)))
        .unwrap_or_else(|_| Err(broken()));
    let output = match begun {
        Ok(output) => output,
        Err(error) => {
            let _gone = reply.send(Err(error));
            return runtime.desk.started();
        }
    };
    let id = output.case.id;
    let digest = output.case.started.closure;
    record.result = MutationEnd::Done(vec![id.to_string()]);
    let secret = runtime.case_secret(id);
    let pending = PendingTurn::new(
        output,
        Before { rows: &BTreeSet::new(), cut: None, secret: &secret },
        vec![record],
        &runtime.ledger(&runtime.standing.now()),
    );
    let runtime = Arc::clone(runtime);
    let tasks = runtime.tasks.clone();
    tasks.spawn(async move {
        let stored = async {
            runtime.keep_closure(digest).await?;
            pending.commit(runtime.store.as_ref()).await.map_err(EngineError::from)
        };
        let told = stored.await.map(|committed| {
            runtime.publish(committed.case_id(), committed.revision());
            Told { answer: Answer::Done, case: committed.case_id(), revision: committed.revision() }
        });
        let _gone = reply.send(told);
        runtime.desk.started();
    });
}

fn first_turn(
    runtime: &Runtime,
    by: &tongban_core::viewer::Viewer,
    input: start::StartCase,
    number: String,
) -> Result<TurnOutput, EngineError> {
    let closure = runtime.active(&input.service, &input.region)?;
    let (closure, selected) = start::choose(runtime.scripts.as_ref(), &closure, &input.answers)?;
    let started = start::start(&closure, input, number, &selected)?;
    let now = runtime.lawful.now();
    let id = runtime.new_case_id(now);
    let secret = runtime.case_secret(id);
    let standing = runtime.standing.now();
    let pinned = Pinned { secret: &secret, closure: &closure };
    let context = runtime.turn_context(now, &standing, pinned);
    let origin = Origin::Person { subject: by.subject.clone(), role: by.role.code().to_owned() };
    Ok(turn::begin(id, started, origin, &context)?)
}

/// What belongs to one case and stays with it.
#[derive(Clone, Copy)]
struct Pinned<'a> {
    secret: &'a Secret,
    closure: &'a Arc<Closure>,
}

impl Runtime {
    /// Gives a turn all that it reads beside the case.
    fn turn_context<'a>(
        &'a self,
        now: Moment,
        standing: &'a Standing,
        pinned: Pinned<'a>,
    ) -> TurnContext<'a> {
        TurnContext {
            now,
            wire_now: self.wire.now(),
            script: self.scripts.as_ref(),
            wiring: self,
            calendars: &standing.calendars,
            organisation: &standing.organisation,
            secret: pinned.secret,
            closure: pinned.closure,
            issuing: self.issuing(),
        }
    }

    fn ledger<'a>(&'a self, standing: &'a Standing) -> Ledger<'a> {
        Ledger {
            secret: &self.identity.secret,
            epoch: self.identity.epoch,
            standing,
            now: self.lawful.now(),
            issuing: self.issuing(),
        }
    }
}
