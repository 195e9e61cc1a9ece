//! The desk: which case is being worked on, what waits for it, and which cases are at hand.
//!
//! One turn per case at a time. Commands that arrive while a turn is under way wait and share the
//! next one. Nothing here decides about cases; it is plain bookkeeping under one short lock,
//! which is never held across a wait, a turn or a commit.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tongban_core::case::Case;
use tongban_core::command::{Answer, Command};
use tongban_core::id::{CaseId, CommitNo, Seq};
use tongban_core::limits;
use tongban_core::port::IdempotencyRecord;
use tongban_core::start::StartCase;
use tongban_core::summary::IndexRow;
use tongban_core::viewer::Viewer;

use super::aside::Aside;
use super::guide::Guiding;
use crate::error::EngineError;

/// What a waiting caller is told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The answer of the turn.
    pub(crate) answer: Answer,
    /// The case.
    pub(crate) case: CaseId,
    /// Revision by which the change can be read.
    pub(crate) revision: CommitNo,
}

/// Where an answer goes.
pub(crate) type Reply = oneshot::Sender<Result<Told, EngineError>>;

/// A command with whoever waits for its answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// What is wanted.
    pub(crate) command: Command,
    /// What remembers it, if it came with a key.
    pub(crate) record: Option<IdempotencyRecord>,
    /// Who is told; nobody for the engine's own.
    pub(crate) reply: Option<Reply>,
}

/// A case to be started.
#[derive(Debug)]
pub(crate) struct Starting {
    /// Who starts it.
    pub(crate) by: Viewer,
    /// With what.
    pub(crate) input: StartCase,
    /// Its public number.
    pub(crate) number: String,
    /// What remembers it; its result is filled in with the case's id.
    pub(crate) record: IdempotencyRecord,
    /// Who is told.
    pub(crate) reply: Reply,
}

/// Work for a script thread.
#[derive(Debug)]
pub(crate) enum Job {
    /// Take a turn over a case.
    Turn(Turning),
    /// Start a case.
    Start(Box<Starting>),
    /// Tell an applicant what his situation needs.
    Guide(Box<Guiding>),
    /// Evaluate scripts beside the turns.
    Aside(Aside),
}

/// A case that is taken from the desk for one turn.
#[derive(Debug)]
pub(crate) struct Turning {
    /// The case.
    pub(crate) id: CaseId,
    /// What waits for it.
    pub(crate) waiting: Vec<Waiting>,
    /// Its state, if it is at hand.
    pub(crate) held: Option<Held>,
    /// Turns that failed in a row for reasons of the machine.
    pub(crate) attempts: u32,
}

/// A committed state of a case.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The folded case.
    pub(crate) case: Arc<Case>,
    /// Its index rows in the store.
    pub(crate) rows: BTreeSet<IndexRow>,
    /// The commit that wrote it.
    pub(crate) revision: CommitNo,
    /// Its head in the backup that the store was restored from, if it was in one.
    pub(crate) cut: Option<Seq>,
}

#[derive(Default)]
struct Slot {
    inbox: Vec<Waiting>,
    busy: bool,
    attempts: u32,
    held: Option<Held>,
    /// Place in `Inner::idle`, while the slot is idle.
    idle_since: u64,
}

#[derive(Default)]
struct Inner {
    slots: HashMap<CaseId, Slot>,
    ready: VecDeque<Ready>,
    idle: BTreeMap<u64, CaseId>,
    ticks: u64,
    closed: bool,
    /// Turns taken from the desk and not given back.
    out: usize,
}

enum Ready {
    Case(CaseId),
    Start(Box<Starting>),
    Guide(Box<Guiding>),
    Aside(Aside),
}

/// The desk.
pub(crate) struct Desk {
    /// Protects the bookkeeping; held for a few map operations at a time.
    inner: Mutex<Inner>,
    /// Wakes script threads when `ready` grows or the desk closes.
    work: Condvar,
    /// Told when the last job of a closed desk has ended.
    quiet: Notify,
    cases_held_max: usize,
}

impl Desk {
    /// Builds an empty desk that keeps at most so many idle cases at hand.
    pub(crate) fn new(cases_held_max: usize) -> Self {
        Self { inner: Mutex::default(), work: Condvar::new(), quiet: Notify::new(), cases_held_max }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command before a case.
    pub(crate) fn submit(&self, id: CaseId, waiting: Waiting) -> Result<(), EngineError> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(EngineError::Stopped);
        }
        let slot = inner.slots.entry(id).or_default();
        if slot.inbox.len() >= limits::CASE_INBOX_MAX {
            return Err(EngineError::Busy);
        }
        slot.inbox.push(waiting);
        if !slot.busy {
            slot.busy = true;
            let since = slot.idle_since;
            inner.idle.remove(&since);
            inner.ready.push_back(Ready::Case(id));
            self.work.notify_one();
        }
        Ok(())
    }

    /// Asks for a case to be started.
    pub(crate) fn start(&self, starting: Box<Starting>) -> Result<(), EngineError> {
        self.queue(Ready::Start(starting))
    }

    /// Asks for a guide to be told.
    pub(crate) fn guide(&self, guiding: Box<Guiding>) -> Result<(), EngineError> {
        self.queue(Ready::Guide(guiding))
    }

    /// Asks for work beside the turns.
    pub(crate) fn aside(&self, aside: Aside) -> Result<(), EngineError> {
        self.queue(Ready::Aside(aside))
    }

    fn queue(&self, ready: Ready) -> Result<(), EngineError> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(EngineError::Stopped);
        }
        inner.ready.push_back(ready);
        self.work.notify_one();
        Ok(())
    }

    /// Waits for work; `None` once the desk is closed and nothing is left. A turn that is out may
    /// still bring back what has to be done.
    pub(crate) fn next(&self) -> Option<Job> {
        let mut inner = self.lock();
        loop {
            if let Some(job) = inner.next() {
                return Some(job);
            }
            if inner.closed && inner.out == 0 {
                return None;
            }
            inner = self.work.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes work, if some lies ready.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn try_next(&self) -> Option<Job> {
        self.lock().next()
    }

    /// Tells whether work lies ready.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn has_work(&self) -> bool {
        !self.lock().ready.is_empty()
    }

    /// Gives a case back after its turn, with its state if that is known to be committed.
    pub(crate) fn give_back(&self, id: CaseId, held: Option<Held>, attempts: u32) {
        let mut inner = self.lock();
        self.end_one(&mut inner);
        let tick = inner.ticks;
        inner.ticks += 1;
        let slot = inner.slots.entry(id).or_default();
        slot.held = held;
        slot.attempts = attempts;
        if !slot.inbox.is_empty() {
            inner.ready.push_back(Ready::Case(id));
            self.work.notify_one();
            return;
        }
        if slot.held.is_none() {
            inner.slots.remove(&id);
            return;
        }
        slot.busy = false;
        slot.idle_since = tick;
        inner.idle.insert(tick, id);
        while inner.idle.len() > self.cases_held_max {
            if let Some((_, oldest)) = inner.idle.pop_first() {
                inner.slots.remove(&oldest);
            }
        }
    }

    /// Puts commands back before a case whose turn could not be committed.
    pub(crate) fn put_back(&self, id: CaseId, waiting: Vec<Waiting>) {
        let mut inner = self.lock();
        let slot = inner.slots.entry(id).or_default();
        slot.inbox.splice(0..0, waiting);
    }

    /// Ends a job that was not a turn.
    pub(crate) fn started(&self) {
        self.end_one(&mut self.lock());
    }

    /// The last job of a closed desk lets the script threads go.
    fn end_one(&self, inner: &mut Inner) {
        inner.out -= 1;
        if inner.closed && inner.out == 0 {
            self.work.notify_all();
            self.quiet.notify_waiters();
        }
    }

    /// Returns the committed state of a case that is at hand and idle.
    pub(crate) fn peek(&self, id: CaseId) -> Option<(Arc<Case>, CommitNo)> {
        let inner = self.lock();
        let held = inner.slots.get(&id)?.held.as_ref()?;
        Some((Arc::clone(&held.case), held.revision))
    }

    /// Takes no more work; what is queued is still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
    }

    /// Waits until a closed desk has nothing left to do. By what happens at the desk and not by a
    /// clock: whoever moves time by hand stops an engine too.
    pub(crate) async fn until_quiet(&self) {
        loop {
            let mut told = pin!(self.quiet.notified());
            told.as_mut().enable();
            if self.is_quiet() {
                return;
            }
            told.await;
        }
    }

    /// Tells whether no turn is queued or under way.
    pub(crate) fn is_quiet(&self) -> bool {
        let inner = self.lock();
        inner.out == 0 && inner.ready.is_empty()
    }
}

impl Inner {
    fn next(&mut self) -> Option<Job> {
        let ready = self.ready.pop_front()?;
        self.out += 1;
        Some(match ready {
            Ready::Start(starting) => Job::Start(starting),
            Ready::Guide(guiding) => Job::Guide(guiding),
            Ready::Aside(aside) => Job::Aside(aside),
            Ready::Case(id) => Job::Turn(self.take(id)),
        })
    }

    fn take(&mut self, id: CaseId) -> Turning {
        let slot = self.slots.entry(id).or_default();
        Turning {
            id,
            waiting: std::mem::take(&mut slot.inbox),
            held: slot.held.take(),
            attempts: slot.attempts,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn wake() -> Waiting {
        Waiting { command: Command::Wake, record: None, reply: None }
    }

    /// Takes the last turn of a closed desk, as a script thread does; says for how many.
    fn take_last(desk: &Desk) -> usize {
        let Some(Job::Turn(last)) = desk.next() else { return 0 };
        desk.give_back(last.id, None, 0);
        assert!(desk.next().is_none(), "then the thread may go");
        last.waiting.len()
    }

    /// Script threads used to leave while a commit was under way: what waited for the same case
    /// was never taken up, and the engine never stopped.
    #[test]
    fn what_waits_behind_a_commit_is_done_though_the_desk_was_closed_meanwhile() {
        // Often enough that the script thread comes first at least once.
        for _ in 0..50 {
            let (desk, case) = (Desk::new(4), CaseId([7; 16]));
            desk.submit(case, wake()).unwrap();
            let Some(Job::Turn(first)) = desk.next() else { panic!("a turn is ready") };
            desk.submit(case, wake()).unwrap();
            desk.close();
            assert!(desk.submit(case, wake()).is_err(), "nothing new is taken");
            let taken = std::thread::scope(|threads| {
                let script_thread = threads.spawn(|| take_last(&desk));
                std::thread::yield_now();
                desk.give_back(first.id, None, 0);
                script_thread.join().unwrap()
            });
            assert_eq!(taken, 1);
            assert!(desk.is_quiet());
        }
    }

    /// An engine on a clock that is moved by hand used to wait for that clock while it stopped,
    /// and never did when a turn was under way.
    #[tokio::test]
    async fn a_closed_desk_tells_that_it_is_quiet_without_a_clock() {
        let (desk, case) = (Desk::new(4), CaseId([7; 16]));
        desk.submit(case, wake()).unwrap();
        let Some(Job::Turn(first)) = desk.next() else { panic!("a turn is ready") };
        desk.submit(case, wake()).unwrap();
        desk.close();
        let mut quiet = pin!(desk.until_quiet());
        assert_eq!(quiet.as_mut().now_or_never(), None, "a turn is under way");
        desk.give_back(first.id, None, 0);
        assert_eq!(quiet.as_mut().now_or_never(), None, "and another is queued");
        take_last(&desk);
        quiet.await;
    }

    #[test]
    fn every_thread_leaves_a_closed_desk() {
        let desk = Desk::new(4);
        desk.submit(CaseId([7; 16]), wake()).unwrap();
        let Some(Job::Turn(turning)) = desk.next() else { panic!("a turn is ready") };
        std::thread::scope(|threads| {
            let others = [0, 1, 2].map(|_| threads.spawn(|| desk.next().is_none()));
            desk.close();
            desk.give_back(turning.id, None, 0);
            assert!(others.into_iter().all(|thread| thread.join().unwrap()));
        });
    }
}
