//! The stage: one thread, one clock, and tasks that run in an order which the dice choose.
//!
//! Whichever task is ready may be next, so that every interleaving of the runtime's tasks can be
//! met, and the same dice meet the same one. Time stands still while a task runs; it moves to
//! the next sleeper when nothing else is done. A crash drops the tasks of the engine and leaves
//! those of the world around it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tongban_core::port::{Later, WireClock};
use tongban_core::time::Moment;

use crate::runtime::tasks;

/// Whose a task is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    /// The process that a crash ends.
    Engine,
    /// A process that another one took the store from, and that goes on all the same.
    Ghost,
    /// Agencies, people, the network between.
    World,
}

struct Task {
    owner: Owner,
    work: Later<'static, ()>,
}

#[derive(Default)]
struct Inner {
    tasks: BTreeMap<u64, Task>,
    started: u64,
    /// Who sleeps until when; the number tells equal moments apart.
    sleepers: BTreeMap<(Moment, u64), Waker>,
    lain_down: u64,
    now: Moment,
}

/// Tasks that can go on.
#[derive(Default)]
struct Ready(Mutex<BTreeSet<u64>>);

impl Ready {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a task among those that can go on.
struct Bell {
    task: u64,
    ready: Arc<Ready>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ready.lock().insert(self.task);
    }
}

/// The stage.
pub(super) struct Stage {
    inner: Mutex<Inner>,
    ready: Arc<Ready>,
}

impl Stage {
    /// Opens an empty stage at `now`.
    pub(super) fn new(now: Moment) -> Arc<Self> {
        let inner = Inner { now, ..Inner::default() };
        Arc::new(Self { inner: Mutex::new(inner), ready: Arc::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a task.
    pub(super) fn begin(&self, owner: Owner, work: impl Future<Output = ()> + Send + 'static) {
        let mut inner = self.lock();
        let no = inner.started;
        inner.started += 1;
        inner.tasks.insert(no, Task { owner, work: Box::pin(work) });
        drop(inner);
        self.ready.lock().insert(no);
    }

    /// Returns how many tasks can go on.
    pub(super) fn ready(&self) -> usize {
        self.ready.lock().len()
    }

    /// Lets the task at this place among the ready ones go on.
    pub(super) fn poll(&self, place: usize) {
        let no = {
            let mut ready = self.ready.lock();
            let Some(no) = ready.iter().nth(place).copied() else { return };
            ready.remove(&no);
            no
        };
        let Some(mut task) = self.lock().tasks.remove(&no) else { return };
        let waker = Waker::from(Arc::new(Bell { task: no, ready: Arc::clone(&self.ready) }));
        let polled = task.work.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            self.lock().tasks.insert(no, task);
        }
    }

    /// Drops every task of the engine, in the middle of whatever it does.
    pub(super) fn crash(&self) {
        let mut inner = self.lock();
        let all = std::mem::take(&mut inner.tasks);
        let (gone, left) =
            all.into_iter().partition(|(_, task): &(u64, Task)| task.owner != Owner::World);
        inner.tasks = left;
        drop(inner);
        // Outside the lock: what is dropped may wake others, or end their sleep.
        let gone: BTreeMap<u64, Task> = gone;
        drop(gone);
    }

    /// Makes the engine's tasks those of a ghost.
    pub(super) fn haunt(&self) {
        for task in self.lock().tasks.values_mut().filter(|task| task.owner == Owner::Engine) {
            task.owner = Owner::Ghost;
        }
    }

    /// Drops the tasks of the ghost.
    pub(super) fn lay(&self) {
        let mut inner = self.lock();
        let all = std::mem::take(&mut inner.tasks);
        let (gone, left) =
            all.into_iter().partition(|(_, task): &(u64, Task)| task.owner == Owner::Ghost);
        inner.tasks = left;
        drop(inner);
        let gone: BTreeMap<u64, Task> = gone;
        drop(gone);
    }

    /// Drops everything.
    pub(super) fn close(&self) {
        let all = std::mem::take(&mut self.lock().tasks);
        drop(all);
    }

    /// Moves time to the next moment that somebody waits for, but not past `until`. Tells
    /// whether it moved.
    pub(super) fn advance(&self, until: Moment) -> bool {
        let mut inner = self.lock();
        let Some(((due, _), _)) = inner.sleepers.first_key_value() else { return false };
        let due = *due;
        if due > until {
            return false;
        }
        inner.now = inner.now.max(due);
        let mut woken = Vec::new();
        while let Some(first) = inner.sleepers.first_entry()
            && first.key().0 <= due
        {
            woken.push(first.remove());
        }
        drop(inner);
        woken.into_iter().for_each(Waker::wake);
        true
    }

    /// Lets so much time pass at once, as when the machine was off.
    pub(super) fn pass(&self, millis: u64) {
        let mut inner = self.lock();
        inner.now = inner.now.plus_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    }

    /// Returns the time.
    pub(super) fn now(&self) -> Moment {
        self.lock().now
    }

    /// Waits for so many milliseconds.
    pub(super) fn sleep(self: &Arc<Self>, millis: u64) -> Sleep {
        let until = self.now().plus_millis(i64::try_from(millis).unwrap_or(i64::MAX));
        Sleep { stage: Arc::clone(self), until, place: None }
    }
}

impl tasks::Stage for Stage {
    fn spawn(&self, task: Later<'static, ()>) {
        self.begin(Owner::Engine, task);
    }
}

/// The stage as the clock of the wire.
pub(super) struct StageClock(pub(super) Arc<Stage>);

impl WireClock for StageClock {
    fn now(&self) -> Moment {
        self.0.now()
    }

    fn wait_millis(&self, millis: u64) -> Later<'_, ()> {
        Box::pin(self.0.sleep(millis))
    }
}

/// A wait on the stage's clock.
pub(super) struct Sleep {
    stage: Arc<Stage>,
    until: Moment,
    place: Option<(Moment, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let stage = Arc::clone(&self.stage);
        let mut inner = stage.lock();
        if inner.now >= self.until {
            return Poll::Ready(());
        }
        let place = self.place.unwrap_or_else(|| {
            inner.lain_down += 1;
            (self.until, inner.lain_down)
        });
        inner.sleepers.insert(place, context.waker().clone());
        drop(inner);
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.stage.lock().sleepers.remove(&place);
        }
    }
}
