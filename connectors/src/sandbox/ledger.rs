//! The books of a sandbox agency: which calls it holds, what it did, and in which order.
//!
//! One lock guards everything, so that the first insert of a call, its effect and its reply are
//! one step, and a query is either before or after that step. The effects are a list of their
//! own that nothing but the first insert writes to; tests count in it. The books may outlive the
//! agency's server: a new one goes on where the old one stopped.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::watch;
use tongban_core::agency::Ack;
use tongban_core::digest::Digest;
use tongban_core::id::CallId;

use super::behaviour::{Inject, InjectedOutcome};
use crate::cxp::message::Invoke;

/// The books; shared between an agency and those who check it.
#[derive(Debug)]
pub struct Ledger {
    books: Mutex<Books>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Books {
    calls: BTreeMap<CallId, StoredCall>,
    fenced: BTreeSet<CallId>,
    forgotten: BTreeSet<CallId>,
    attempts: BTreeMap<CallId, u32>,
    arrivals: BTreeMap<String, u32>,
    effects: Vec<EffectRecord>,
    events: Vec<LedgerEvent>,
}

/// One thing that an agency did in the world.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EffectRecord {
    /// For which call.
    pub call: CallId,
    /// `role.operation`.
    pub operation: String,
    /// Public number of the case.
    pub case: String,
    /// Code of the matter.
    pub matter: String,
    /// The earlier call that it amends.
    pub amends: Option<CallId>,
}

/// One line of the books, in the order of happening.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LedgerEvent {
    /// A call came for the first time and took effect.
    First(CallId),
    /// A call came again and got the stored reply.
    Repeated(CallId),
    /// A call was refused with this code; nothing was done.
    Refused(CallId, String),
    /// Somebody asked about a call.
    Queried(CallId),
    /// Somebody asked about a call that never came; it is refused from here on.
    Fenced(CallId),
    /// A message was sent by callback.
    CallbackSent(CallId, u32),
    /// The callback was answered.
    CallbackAnswered(CallId, u32, Option<Ack>),
}

/// Counts over the books.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Invokes that were answered from the books, first ones included.
    pub invokes: usize,
    /// Invokes that were refused.
    pub refusals: usize,
    /// Queries.
    pub queries: usize,
    /// Callbacks sent, repetitions included.
    pub callbacks: usize,
    /// Effects.
    pub effects: usize,
}

/// How often something came before, this time included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Arrival {
    /// Invokes of the operation.
    pub(super) nth: u32,
    /// Invokes with the call id.
    pub(super) attempt: u32,
}

/// A call as the agency keeps it.
#[derive(Clone, Debug)]
pub(super) struct StoredCall {
    pub(super) request: Invoke,
    pub(super) body: Digest,
    pub(super) inject: Inject,
    /// The answer to the invoke, byte for byte, and its status.
    pub(super) reply: Stored,
    /// Later messages, in order.
    pub(super) later: Vec<Stored>,
    /// Messages that are still to be made.
    pub(super) plan: VecDeque<Planned>,
    /// Whether later messages are sent by callback.
    pub(super) sending: Sending,
}

/// Who brings later messages to the caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sending {
    /// Nobody: the caller asks.
    Never,
    /// A delivery is under way or about to begin.
    UnderWay,
    /// No delivery runs: done, or given up.
    Resting,
}

/// A message that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stored {
    pub(super) seq: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) acknowledged: bool,
}

/// A message that is still to be made.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Planned {
    /// An act of the law.
    Act(String),
    /// The end of the call.
    End,
    /// An end that contradicts the first.
    SecondEnd(InjectedOutcome),
}

/// The result of an invoke.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Begun {
    /// It is new; this is its reply.
    First(Vec<u8>),
    /// It came before; this is its reply.
    Again(Vec<u8>),
    /// The id stands for other content.
    Conflict(Digest),
    /// Somebody asked about it before it came.
    Fenced,
    /// Its reply was dropped.
    Forgotten,
    /// Its deadline has passed.
    Expired,
}

/// The result of a query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// A message about the call.
    Known(Vec<u8>),
    /// It never came, and never may from here on.
    Unknown,
    /// Its reply was dropped.
    Forgotten,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { books: Mutex::default(), changes: watch::Sender::new(0) }
    }
}

impl Ledger {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("no holder of the books panics")
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn note(&self, event: LedgerEvent) {
        self.books().events.push(event);
        self.changed();
    }

    // ---- for those who check ------------------------------------------------------------------

    /// Returns every effect, in order.
    pub fn effects(&self) -> Vec<EffectRecord> {
        self.books().effects.clone()
    }

    /// Returns how often a call took effect.
    pub fn effects_of(&self, call: CallId) -> usize {
        let books = self.books();
        let all = books.effects.iter();
        all.filter(|effect| effect.call == call).count()
    }

    /// Returns the calls that took effect more than once.
    pub fn double_effects(&self) -> Vec<CallId> {
        let mut seen = BTreeSet::new();
        let books = self.books();
        let calls = books.effects.iter().map(|effect| effect.call);
        calls.filter(|call| !seen.insert(*call)).collect()
    }

    /// Returns every line of the books, in order.
    pub fn events(&self) -> Vec<LedgerEvent> {
        self.books().events.clone()
    }

    /// Returns counts over the books.
    pub fn totals(&self) -> Totals {
        let books = self.books();
        let mut totals = Totals { effects: books.effects.len(), ..Totals::default() };
        for event in &books.events {
            match event {
                LedgerEvent::First(_) | LedgerEvent::Repeated(_) => totals.invokes += 1,
                LedgerEvent::Refused(..) => totals.refusals += 1,
                LedgerEvent::Queried(_) | LedgerEvent::Fenced(_) => totals.queries += 1,
                LedgerEvent::CallbackSent(..) => totals.callbacks += 1,
                LedgerEvent::CallbackAnswered(..) => {}
            }
        }
        totals
    }

    /// Returns how many calls of an operation have not ended or not been reported to the end.
    pub fn open_calls(&self, operation: &str) -> u64 {
        let books = self.books();
        let all = books.calls.values();
        let open = all.filter(|call| call.request.operation == operation && call.is_open());
        open.map(|_| 1).sum()
    }

    /// Waits until the books fulfil `condition`. Dropping the future stops the wait.
    pub async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.subscribe();
        while !condition(self) && changes.changed().await.is_ok() {}
    }

    /// Drops the replies of a call, as an agency does after the time of keeping.
    pub fn forget(&self, call: CallId) {
        let mut books = self.books();
        if books.calls.remove(&call).is_some() {
            books.forgotten.insert(call);
        }
        drop(books);
        self.changed();
    }

    // ---- for the agency -----------------------------------------------------------------------

    pub(super) fn arrive(&self, request: &Invoke) -> Arrival {
        let mut books = self.books();
        let count = |counter: &mut u32| {
            *counter += 1;
            *counter
        };
        let operation = request.operation.clone();
        Arrival {
            nth: count(books.arrivals.entry(operation).or_default()),
            attempt: count(books.attempts.entry(request.call_id.0).or_default()),
        }
    }

    /// Inserts a call unless its id is known. `make` runs under the lock, so that the insert, the
    /// effect and the reply are one step; `None` from it means that the deadline has passed.
    pub(super) fn begin(
        &self,
        request: &Invoke,
        body: Digest,
        make: impl FnOnce() -> Option<StoredCall>,
    ) -> Begun {
        let id = request.call_id.0;
        let mut books = self.books();
        let (event, begun) = if books.fenced.contains(&id) {
            (LedgerEvent::Refused(id, "fenced".to_owned()), Begun::Fenced)
        } else if books.forgotten.contains(&id) {
            let event = LedgerEvent::Refused(id, "forgotten".to_owned());
            (event, Begun::Forgotten)
        } else if let Some(call) = books.calls.get(&id) {
            if call.body == body {
                let bytes = call.reply.bytes.clone();
                (LedgerEvent::Repeated(id), Begun::Again(bytes))
            } else {
                let event = LedgerEvent::Refused(id, "conflict".to_owned());
                (event, Begun::Conflict(call.request.input_digest.0))
            }
        } else if let Some(call) = make() {
            books.effects.push(EffectRecord {
                call: id,
                operation: request.operation.clone(),
                case: request.case_ref.case.clone(),
                matter: request.case_ref.matter.clone(),
                amends: request.amends.map(|earlier| earlier.0),
            });
            let bytes = call.reply.bytes.clone();
            books.calls.insert(id, call);
            (LedgerEvent::First(id), Begun::First(bytes))
        } else {
            let event = LedgerEvent::Refused(id, "expired".to_owned());
            (event, Begun::Expired)
        };
        books.events.push(event);
        drop(books);
        self.changed();
        begun
    }

    /// Answers a query. An id that never came is fenced in the same step. Where the caller must
    /// ask, each question brings the next message; where callbacks run, it brings the oldest one
    /// that is not acknowledged, so that acts arrive in order on either way.
    pub(super) fn ask(
        &self,
        id: CallId,
        after: Option<u32>,
        make: impl FnOnce(&StoredCall, &Planned, u32) -> Vec<u8>,
    ) -> Asked {
        let mut books = self.books();
        let (event, asked) = if let Some(call) = books.calls.get_mut(&id) {
            if call.sending == Sending::Never && call.newest().seq <= after.unwrap_or(u32::MAX) {
                call.make_next(make);
            }
            let message = call.message_for(after).bytes.clone();
            (LedgerEvent::Queried(id), Asked::Known(message))
        } else if books.forgotten.contains(&id) {
            (LedgerEvent::Queried(id), Asked::Forgotten)
        } else {
            books.fenced.insert(id);
            (LedgerEvent::Fenced(id), Asked::Unknown)
        };
        books.events.push(event);
        drop(books);
        self.changed();
        asked
    }

    /// Returns the oldest message that is not acknowledged, making the next planned one if all
    /// are; `None` ends the delivery.
    pub(super) fn next_message(
        &self,
        id: CallId,
        make: impl FnOnce(&StoredCall, &Planned, u32) -> Vec<u8>,
    ) -> Option<Stored> {
        let mut books = self.books();
        let call = books.calls.get_mut(&id)?;
        if call.first_open().is_none() {
            call.make_next(make);
        }
        let message = call.first_open().cloned();
        if message.is_none() {
            call.sending = Sending::Resting;
        }
        drop(books);
        self.changed();
        message
    }

    /// Tells whether a delivery of the call has something to make or send.
    pub(super) fn has_work(&self, id: CallId) -> bool {
        let books = self.books();
        let call = books.calls.get(&id);
        call.is_some_and(|call| call.first_open().is_some() || !call.plan.is_empty())
    }

    /// Tells whether a new call owes its caller messages by callback.
    pub(super) fn is_owed(&self, id: CallId) -> bool {
        let books = self.books();
        let call = books.calls.get(&id);
        call.is_some_and(|call| call.sending == Sending::UnderWay)
    }

    pub(super) fn sent(&self, id: CallId, seq: u32) {
        self.note(LedgerEvent::CallbackSent(id, seq));
    }

    /// Notes the answer to a callback; with `Some` the message needs no further attempt.
    pub(super) fn answered(&self, id: CallId, seq: u32, ack: Option<Ack>) {
        let mut books = self.books();
        if let Some(call) = books.calls.get_mut(&id)
            && ack.is_some()
        {
            for message in call.later.iter_mut().filter(|message| message.seq == seq) {
                message.acknowledged = true;
            }
        }
        books.events.push(LedgerEvent::CallbackAnswered(id, seq, ack));
        drop(books);
        self.changed();
    }

    pub(super) fn refused(&self, id: CallId, code: &str) {
        self.note(LedgerEvent::Refused(id, code.to_owned()));
    }

    /// Marks the delivery as given up; the messages stay for those who ask.
    pub(super) fn rest(&self, id: CallId) {
        if let Some(call) = self.books().calls.get_mut(&id) {
            call.sending = Sending::Resting;
        }
        self.changed();
    }

    #[cfg(test)]
    pub(super) fn is_resting(&self, id: CallId) -> bool {
        let books = self.books();
        let call = books.calls.get(&id);
        call.is_some_and(|call| call.sending == Sending::Resting)
    }

    /// Takes up the delivery of a call that rests with messages left; `true` when the caller is
    /// the one to carry it out.
    pub(super) fn take_up(&self, id: CallId) -> bool {
        let mut books = self.books();
        let Some(call) = books.calls.get_mut(&id) else {
            return false;
        };
        let left = call.first_open().is_some() || !call.plan.is_empty();
        let free = call.sending == Sending::Resting && left;
        if free {
            call.sending = Sending::UnderWay;
        }
        free
    }

    /// Returns the calls whose deliveries a former server left behind.
    pub(super) fn left_behind(&self) -> Vec<CallId> {
        let mut books = self.books();
        let mut left = Vec::new();
        for (id, call) in &mut books.calls {
            let open = call.first_open().is_some() || !call.plan.is_empty();
            if call.sending != Sending::Never && open {
                call.sending = Sending::UnderWay;
                left.push(*id);
            }
        }
        left
    }

    /// Tells whether a call may be amended: nothing is known of it, or it ended because somebody
    /// had to do something first.
    pub(super) fn may_be_amended(&self, id: CallId) -> bool {
        let books = self.books();
        books.calls.get(&id).is_none_or(|call| {
            matches!(
                call.inject.outcome,
                Some(
                    InjectedOutcome::NeedsCorrection { .. }
                        | InjectedOutcome::NeedsApplicant { .. }
                )
            )
        })
    }

    pub(super) fn call(&self, id: CallId) -> Option<StoredCall> {
        self.books().calls.get(&id).cloned()
    }
}

impl StoredCall {
    fn is_open(&self) -> bool {
        !self.plan.is_empty() || self.first_open().is_some()
    }

    fn newest(&self) -> &Stored {
        self.later.last().unwrap_or(&self.reply)
    }

    fn first_open(&self) -> Option<&Stored> {
        if self.sending == Sending::Never {
            return None;
        }
        self.later.iter().find(|message| !message.acknowledged)
    }

    fn message_for(&self, after: Option<u32>) -> &Stored {
        let mut later = self.later.iter();
        let wanted = match after {
            Some(after) => later.find(|message| message.seq > after),
            None => self.first_open(),
        };
        wanted.unwrap_or_else(|| self.newest())
    }

    fn make_next(&mut self, make: impl FnOnce(&Self, &Planned, u32) -> Vec<u8>) {
        let Some(planned) = self.plan.pop_front() else {
            return;
        };
        let seq = self.newest().seq + 1;
        let bytes = make(self, &planned, seq);
        self.later.push(Stored { seq, bytes, acknowledged: false });
    }
}
