//! The witness: keeps what was promised to whom, and says when a promise is broken.
//!
//! It stands outside the engine and the disk, so that a crash takes nothing from it. The first
//! thing that is wrong is kept; what follows from it is noise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use tongban_core::agency::Call;
use tongban_core::digest::Digest;
use tongban_core::id::{CallId, CaseId, MatterNo, Seq};
use tongban_core::limits::IDEMPOTENCY_MILLIS;
use tongban_core::port::{IdempotencyRecord, Store as _};
use tongban_core::time::Moment;
use tongban_core::wire;

use super::disk::Written;
use crate::error::EngineError;
use crate::store::MemoryStore;

#[derive(Default)]
struct Inner {
    wrong: Option<String>,
    seen: BTreeSet<&'static str>,
    /// Digest of every entry whose commit was acknowledged.
    entries: BTreeMap<(CaseId, Seq), Digest>,
    /// When each mutation was remembered by an acknowledged commit.
    mutations: BTreeMap<Digest, Moment>,
    /// Mutations that were answered as done, and not as done before.
    done: BTreeMap<String, u32>,
    /// Mutations that were refused for a reason that stays, with its code.
    refused: BTreeMap<String, String>,
    /// Calls that had an effect at an agency, each with how often.
    effects: BTreeMap<CallId, u32>,
    /// Cases that people know of, and where they had scripts pause.
    cases: Vec<CaseId>,
    paused: BTreeSet<(CaseId, MatterNo)>,
    /// Sums up all that happened, to compare two plays of one seed.
    trace: u64,
}

impl Inner {
    /// What is refused for good cannot have been done under the same key.
    fn done_and_refused(&mut self, key: &str) {
        if self.done.contains_key(key) && self.refused.contains_key(key) {
            let both = format!("mutation {key} was done, and a copy of it refused");
            self.wrong.get_or_insert(both);
        }
    }
}

/// The witness.
#[derive(Default)]
pub(super) struct Witness {
    inner: Mutex<Inner>,
}

impl Witness {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that something is wrong.
    pub(super) fn wrong(&self, what: impl Into<String>) {
        self.lock().wrong.get_or_insert_with(|| what.into());
    }

    /// Returns what is wrong.
    pub(super) fn verdict(&self) -> Option<String> {
        self.lock().wrong.clone()
    }

    /// Notes that something rare happened.
    pub(super) fn saw(&self, what: &'static str) {
        self.lock().seen.insert(what);
    }

    /// Returns the rare things that happened.
    pub(super) fn seen(&self) -> BTreeSet<&'static str> {
        self.lock().seen.clone()
    }

    /// Adds to the sum of what happened.
    pub(super) fn trace(&self, what: u64) {
        let mut inner = self.lock();
        inner.trace = (inner.trace ^ what).wrapping_mul(0x0100_0000_01b3).rotate_left(7);
    }

    /// Returns the sum of what happened.
    pub(super) fn sum(&self) -> u64 {
        self.lock().trace
    }

    /// A commit was acknowledged: it must never be lost.
    pub(super) fn acknowledged(&self, written: &Written) {
        let mut inner = self.lock();
        for entry in &written.entries {
            let digest = Digest::of(&wire::encode(entry));
            if inner.entries.insert((written.case, entry.seq), digest).is_some() {
                let twice = format!("{} {} was acknowledged twice", written.case, entry.seq);
                inner.wrong.get_or_insert(twice);
            }
        }
        for record in &written.idempotency {
            inner.mutations.insert(record.key, record.at);
        }
    }

    /// A mutation without a commit was remembered: it must never be forgotten before its time.
    pub(super) fn remembered(&self, record: &IdempotencyRecord) {
        self.lock().mutations.insert(record.key, record.at);
    }

    /// The store was opened again: all that was acknowledged must be there.
    pub(super) fn recovered(&self, image: &MemoryStore) {
        let (promised, cases) = {
            let inner = self.lock();
            let cases: BTreeSet<CaseId> = inner.entries.keys().map(|(case, _)| *case).collect();
            (inner.entries.clone(), cases)
        };
        for case in cases {
            let stored = image.load(case).now_or_never().and_then(Result::ok).flatten();
            let stored = stored.map(|stored| stored.entries).unwrap_or_default();
            for ((_, seq), digest) in promised.range((case, Seq(0))..=(case, Seq(u32::MAX))) {
                let found = stored.get((seq.0 as usize).saturating_sub(1));
                if found.map(|entry| Digest::of(&wire::encode(entry))) != Some(*digest) {
                    self.wrong(format!("acknowledged entry {seq} of {case} is lost or another"));
                }
            }
        }
    }

    /// Checks at the end that no acknowledged mutation is forgotten before its time.
    pub(super) fn remembers(&self, image: &MemoryStore, now: Moment) {
        let mutations = self.lock().mutations.clone();
        for (key, at) in mutations {
            let known = image.remembered(key).now_or_never().and_then(Result::ok).flatten();
            if known.is_none() && now.since(at) <= IDEMPOTENCY_MILLIS {
                self.wrong("an acknowledged mutation is not remembered");
            }
        }
    }

    /// A case was started.
    pub(super) fn started(&self, case: CaseId) {
        self.lock().cases.push(case);
    }

    /// Returns the cases that were started.
    pub(super) fn cases(&self) -> Vec<CaseId> {
        self.lock().cases.clone()
    }

    /// Scripts were perhaps paused.
    pub(super) fn paused(&self, case: CaseId, matter: MatterNo) {
        self.lock().paused.insert((case, matter));
    }

    /// Returns where scripts were perhaps paused.
    pub(super) fn pauses(&self) -> BTreeSet<(CaseId, MatterNo)> {
        self.lock().paused.clone()
    }

    /// A mutation was answered as done now.
    pub(super) fn done(&self, key: &str) {
        let mut inner = self.lock();
        let times = inner.done.entry(key.to_owned()).or_default();
        *times += 1;
        if *times > 1 {
            inner.wrong.get_or_insert_with(|| format!("mutation {key} was done twice"));
        }
        inner.done_and_refused(key);
    }

    /// A mutation failed; a refusal that is an answer about the case stays.
    pub(super) fn refused(&self, key: &str, error: &EngineError) {
        let EngineError::Refused(refusal) = error else { return };
        if !refusal.is_answer() {
            return;
        }
        let mut inner = self.lock();
        let before = inner.refused.insert(key.to_owned(), refusal.code.clone());
        if before.is_some_and(|before| before != refusal.code) {
            let both = format!("mutation {key} was refused in two ways");
            inner.wrong.get_or_insert(both);
        }
        inner.done_and_refused(key);
    }

    /// A call took effect at an agency.
    pub(super) fn effect(&self, call: &Call) {
        let mut inner = self.lock();
        let times = inner.effects.entry(call.id).or_default();
        *times += 1;
        if *times > 1 {
            inner.wrong.get_or_insert_with(|| format!("call {} took effect twice", call.id));
        }
    }

    /// Returns the calls that took effect.
    pub(super) fn effects(&self) -> Vec<CallId> {
        self.lock().effects.keys().copied().collect()
    }
}
