//! A simulated disk under the reference store.
//!
//! What is written lies in a buffer until it is synced; a crash keeps some of the buffer, tears
//! the next record and loses the rest, and opening again reads as far as the records are whole.
//! Readers see what is written, synced or not, except where every store waits for the device
//! first: a case, the memory of a mutation and lists. Each record is one commit, so the disk is
//! also the history that the checks walk over.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tongban_core::audit::Audited;
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{Body, Entry};
use tongban_core::id::{CallId, CaseId, CommitNo, Epoch, RegionCode, Seq};
use tongban_core::port::{
    Commit, Committed, Feed, FeedCursor, Foreign, IdempotencyRecord, KeptClosure, Later, Page,
    ParkedPlace, ParkedReply, Store, StoreError, StoreIdentity, Stored,
};
use tongban_core::publication::Publication;
use tongban_core::summary::{Along, CaseSummary, IndexRow, Search};
use tongban_core::time::Moment;
use tongban_core::wire;

use super::dice::Dice;
use super::plan::Weather;
use super::witness::Witness;
use crate::store::MemoryStore;

/// Bytes of a record's length and of its digest.
const LENGTH_BYTES: usize = 4;
const DIGEST_BYTES: usize = 8;

/// The key that stands for a store's; nothing of a simulation is secret.
pub(super) const SECRET: [u8; 32] = [9; 32];

/// What the disk keeps of one commit.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Written {
    pub(super) case: CaseId,
    pub(super) expected: Seq,
    pub(super) at: Moment,
    pub(super) entries: Vec<Entry>,
    pub(super) summary: CaseSummary,
    pub(super) rows_gone: Vec<IndexRow>,
    pub(super) rows_new: Vec<IndexRow>,
    pub(super) idempotency: Vec<IdempotencyRecord>,
}

impl Written {
    fn of(commit: &Commit) -> Self {
        Self {
            case: commit.case,
            expected: commit.expected,
            at: commit.at,
            entries: commit.entries.clone(),
            summary: commit.summary.clone(),
            rows_gone: commit.rows_gone.clone(),
            rows_new: commit.rows_new.clone(),
            idempotency: commit.idempotency.clone(),
        }
    }

    fn commit(self, epoch: Epoch) -> Commit {
        Commit {
            case: self.case,
            expected: self.expected,
            epoch,
            at: self.at,
            entries: self.entries,
            summary: self.summary,
            rows_gone: self.rows_gone,
            rows_new: self.rows_new,
            idempotency: self.idempotency,
        }
    }
}

/// One record of the disk.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) enum Record {
    /// The store was opened.
    Opened,
    /// A commit.
    Commit(Box<Written>),
    /// The sources of a closure.
    Closure(Digest, Vec<u8>),
    /// What is past its time was dropped.
    Forgot(Moment),
    /// How far the lawful clock is ahead.
    Offset(i64),
    /// A message that no case knows.
    Parked(Box<ParkedReply>),
    /// It was handed in.
    Unparked(ParkedPlace),
    /// A step of a version.
    Publication(Box<Publication>),
    /// A record of the audit log.
    Audited(Box<Audited>),
    /// The memory of a mutation that commits to no case.
    Remembered(Box<IdempotencyRecord>),
}

/// What a test breaks on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum DiskSabotage {
    /// Nothing.
    #[default]
    None,
    /// Commits are acknowledged before they are synced.
    AcknowledgesEarly,
    /// A device that says it has synced, and loses the newest record in a crash.
    LosesSynced,
    /// The memory of mutations is not kept.
    ForgetsMutations,
}

/// A fault that a test has strike once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trip {
    /// A case cannot be read.
    Load,
    /// A commit fails, nothing stored.
    Append,
    /// A commit is stored, and nobody hears so.
    Acknowledge,
}

struct Inner {
    /// Faults that are due.
    trips: Vec<Trip>,
    /// What readers see.
    image: Arc<MemoryStore>,
    /// Bytes that survive.
    device: Vec<u8>,
    /// Records that were written and not synced, each with the calls that it writes down.
    buffer: Vec<(Vec<u8>, Vec<CallId>)>,
    /// Calls that are written down on the device.
    calls: BTreeSet<CallId>,
    /// Records written and records synced since the store was opened.
    written: u64,
    synced: watch::Sender<u64>,
    dice: Dice,
    /// After a failed write nothing more is written until the store is opened again.
    dead: bool,
}

/// The disk with the store on it.
pub(super) struct Disk {
    inner: Mutex<Inner>,
    secret: Secret,
    weather: Arc<Weather>,
    witness: Arc<Witness>,
    sabotage: DiskSabotage,
}

impl Disk {
    /// Builds an empty disk.
    pub(super) fn new(
        dice: Dice,
        weather: Arc<Weather>,
        witness: Arc<Witness>,
        sabotage: DiskSabotage,
    ) -> Arc<Self> {
        let secret = Secret::new(SECRET);
        let inner = Inner {
            trips: Vec::new(),
            image: Arc::new(MemoryStore::new(secret.clone())),
            device: Vec::new(),
            buffer: Vec::new(),
            calls: BTreeSet::new(),
            written: 0,
            synced: watch::Sender::new(0),
            dice,
            dead: false,
        };
        Arc::new(Self { inner: Mutex::new(inner), secret, weather, witness, sabotage })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn image(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.lock().image)
    }

    /// Returns how many mutations are remembered.
    #[cfg(test)]
    pub(super) fn mutations(&self) -> usize {
        now(tongban_core::port::Upkeep::mutations(&*self.image(), None, usize::MAX))
            .map_or(0, |all| all.len())
    }

    /// Lets a fault strike at the next occasion.
    #[cfg(test)]
    pub(super) fn trip(&self, trip: Trip) {
        self.lock().trips.push(trip);
    }

    fn trips(&self, trip: Trip) -> bool {
        let mut inner = self.lock();
        let due = inner.trips.iter().position(|due| *due == trip);
        due.map(|at| inner.trips.remove(at)).is_some()
    }

    /// Checks that all that was promised is there.
    pub(super) fn check_promises(&self, at: Moment) {
        let image = self.image();
        self.witness.recovered(&image);
        self.witness.remembers(&image, at);
    }

    /// Returns what lists show of every case.
    pub(super) fn summaries(&self) -> Vec<CaseSummary> {
        let search = Search {
            along: Along::Region(RegionCode::new("")),
            states: BTreeSet::new(),
            service: None,
            after: None,
            first: tongban_core::limits::PAGE_MAX,
        };
        now(self.image().search(search)).map(|page| page.items).unwrap_or_default()
    }

    /// Tells whether something waits to be synced.
    pub(super) fn is_behind(&self) -> bool {
        !self.lock().buffer.is_empty()
    }

    /// Tells whether the store is of no more use until it is opened again.
    pub(super) fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// Tells whether a call is written down for good.
    pub(super) fn holds_call(&self, call: CallId) -> bool {
        self.lock().calls.contains(&call)
    }

    /// Syncs what is written.
    pub(super) fn sync(&self) {
        let mut inner = self.lock();
        let buffered = std::mem::take(&mut inner.buffer);
        for (record, calls) in buffered {
            inner.device.extend_from_slice(&record);
            inner.calls.extend(calls);
        }
        let written = inner.written;
        inner.synced.send_replace(written);
    }

    /// Cuts the power: some of what was not synced is there, the next of it in part.
    pub(super) fn crash(&self) {
        let mut inner = self.lock();
        let buffered = std::mem::take(&mut inner.buffer);
        let whole = inner.dice.below(buffered.len() + 1);
        let mut survivors = buffered.into_iter();
        for (record, calls) in survivors.by_ref().take(whole) {
            inner.device.extend_from_slice(&record);
            inner.calls.extend(calls);
        }
        if let Some((mut torn, _)) = survivors.next() {
            self.witness.saw("a torn record");
            let length = inner.dice.below(torn.len());
            torn.truncate(length);
            if length > 0 && inner.dice.chance(500) {
                let at = inner.dice.below(length);
                torn[at] ^= 0x40;
            }
            inner.device.extend_from_slice(&torn);
        }
        if self.sabotage == DiskSabotage::LosesSynced {
            let (mut records, _) = read(&inner.device);
            records.pop();
            inner.device = records.iter().flat_map(frame).collect();
        }
    }

    /// Opens the store again, as far as its records are whole.
    pub(super) fn open(&self) {
        let mut inner = self.lock();
        let (records, length) = read(&inner.device);
        inner.device.truncate(length);
        inner.device.extend(frame(&Record::Opened));
        inner.written = 0;
        inner.synced = watch::Sender::new(0);
        inner.buffer.clear();
        inner.dead = false;
        let mut image = MemoryStore::new(self.secret.clone());
        for record in records {
            image = self.redo(image, record);
        }
        inner.image = Arc::new(image.reopen());
        drop(inner);
        self.witness.recovered(&self.image());
    }

    fn redo(&self, image: MemoryStore, record: Record) -> MemoryStore {
        let epoch = image.identity().epoch;
        match record {
            Record::Opened => return image.reopen(),
            Record::Commit(written) => {
                let redone = now(image.append(written.commit(epoch)));
                if let Err(error) = redone {
                    self.witness.wrong(format!("the disk holds an impossible commit: {error}"));
                }
            }
            Record::Closure(digest, sources) => drop(now(image.keep_closure(digest, sources))),
            Record::Forgot(at) => drop(now(image.forget(at))),
            Record::Offset(millis) => drop(now(image.keep_clock_offset(millis))),
            Record::Parked(parked) => drop(now(image.park(*parked))),
            Record::Unparked(place) => drop(now(image.unpark(place))),
            Record::Publication(kept) => drop(now(image.keep_publication(*kept))),
            Record::Audited(kept) => drop(now(image.keep_audited(*kept))),
            Record::Remembered(record) => drop(now(image.remember(*record))),
        }
        image
    }

    /// Returns every commit that survives, in order.
    pub(super) fn history(&self) -> Vec<Written> {
        let mut commits = Vec::new();
        for record in read(&self.lock().device).0 {
            if let Record::Commit(written) = record {
                commits.push(*written);
            }
        }
        commits
    }

    /// Writes a record; returns what to wait for.
    fn write(&self, record: &Record) -> u64 {
        let mut inner = self.lock();
        let commit = if let Record::Commit(written) = record { Some(written) } else { None };
        let calls = commit.map(|written| calls_of(&written.entries)).unwrap_or_default();
        inner.buffer.push((frame(record), calls));
        inner.written += 1;
        inner.written
    }

    /// Writes a record and returns once it is synced.
    async fn keeps(&self, record: &Record) {
        let ticket = self.write(record);
        self.settled(ticket).await;
    }

    async fn settled(&self, ticket: u64) {
        let mut synced = self.lock().synced.subscribe();
        // The sender goes only with the disk, or with a crash that drops whoever waits.
        drop(synced.wait_for(|synced| *synced >= ticket).await);
    }

    async fn append_now(&self, commit: Commit) -> Result<Committed, StoreError> {
        if self.lock().dead {
            return Err(StoreError::Uncertain("the store stopped".to_owned()));
        }
        if self.trips(Trip::Append) || self.weather.strikes(|faults| faults.store_unavailable) {
            return Err(StoreError::Unavailable("simulated".to_owned()));
        }
        let uncertain = self.weather.strikes(|faults| faults.store_uncertain);
        if uncertain && self.weather.flip() {
            self.lock().dead |= self.weather.flip();
            return Err(StoreError::Uncertain("simulated, not stored".to_owned()));
        }
        let mut written = Written::of(&commit);
        let mut kept = commit;
        if self.sabotage == DiskSabotage::ForgetsMutations {
            written.idempotency.clear();
            kept.idempotency.clear();
        }
        let committed = match self.image().append(kept).await {
            Ok(committed) => committed,
            Err(refused) => {
                // A refusal may rest on what is not synced yet.
                let ticket = self.lock().written;
                self.settled(ticket).await;
                return Err(refused);
            }
        };
        let ticket = self.write(&Record::Commit(Box::new(written.clone())));
        if self.trips(Trip::Acknowledge) {
            return Err(StoreError::Uncertain("simulated, stored".to_owned()));
        }
        if uncertain {
            self.lock().dead |= self.weather.flip();
            return Err(StoreError::Uncertain("simulated, stored".to_owned()));
        }
        if self.sabotage != DiskSabotage::AcknowledgesEarly {
            self.settled(ticket).await;
        }
        self.witness.acknowledged(&written);
        Ok(committed)
    }

    fn readable(&self) -> Result<Arc<MemoryStore>, StoreError> {
        if self.weather.strikes(|faults| faults.store_unreadable) {
            return Err(StoreError::Unavailable("simulated".to_owned()));
        }
        Ok(self.image())
    }

    /// Returns what readers see, after the device has it.
    fn settled_image(&self) -> Result<Arc<MemoryStore>, StoreError> {
        if self.sabotage != DiskSabotage::AcknowledgesEarly {
            self.sync();
        }
        self.readable()
    }
}

/// Returns the calls that entries write down.
fn calls_of(entries: &[Entry]) -> Vec<CallId> {
    let mut calls = Vec::new();
    for entry in entries {
        if let Body::Requested(made) = &entry.body {
            calls.extend(made.call.as_ref().map(|call| call.id));
        }
        if let Body::CallRenewed(renewed) = &entry.body {
            calls.push(renewed.call.id);
        }
    }
    calls
}

/// Finishes what never waits.
fn now<T>(later: Later<'_, T>) -> T {
    later.now_or_never().expect("the reference store never waits")
}

fn mark(payload: &[u8]) -> [u8; DIGEST_BYTES] {
    let digest = Digest::of(payload);
    *digest.0.first_chunk().expect("a digest is longer than its mark")
}

fn frame(record: &Record) -> Vec<u8> {
    let payload = wire::encode(record);
    let length = u32::try_from(payload.len()).expect("records are limited");
    [&length.to_be_bytes()[..], &mark(&payload)[..], &payload].concat()
}

/// Reads the whole records from the beginning, and how many bytes they take.
fn read(device: &[u8]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some((record, length)) = read_one(&device[at..]) {
        records.push(record);
        at += length;
    }
    (records, at)
}

fn read_one(bytes: &[u8]) -> Option<(Record, usize)> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let (known, rest) = rest.split_first_chunk::<DIGEST_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let payload = rest.get(..length)?;
    let whole = *known == mark(payload);
    let record = whole.then(|| wire::decode(payload).ok())??;
    Some((record, LENGTH_BYTES + DIGEST_BYTES + length))
}

impl Store for Disk {
    fn append(&self, commit: Commit) -> Later<'_, Result<Committed, StoreError>> {
        Box::pin(self.append_now(commit))
    }

    fn load(&self, case: CaseId) -> Later<'_, Result<Option<Stored>, StoreError>> {
        Box::pin(async move {
            if self.trips(Trip::Load) {
                return Err(StoreError::Unavailable("simulated".to_owned()));
            }
            self.settled_image()?.load(case).await
        })
    }

    fn created_at(&self, at: Moment) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move { self.readable()?.created_at(at).await })
    }

    fn due(&self, until: Moment, most: usize) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move { self.readable()?.due(until, most).await })
    }

    fn next_due(&self) -> Later<'_, Result<Option<Moment>, StoreError>> {
        Box::pin(async move { self.readable()?.next_due().await })
    }

    fn outbox(
        &self,
        after: Option<CaseId>,
        most: usize,
    ) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move { self.readable()?.outbox(after, most).await })
    }

    fn by_number(&self, number: String) -> Later<'_, Result<Option<CaseId>, StoreError>> {
        Box::pin(async move { self.readable()?.by_number(number).await })
    }

    fn last_number(&self, prefix: String) -> Later<'_, Result<Option<String>, StoreError>> {
        Box::pin(async move { self.readable()?.last_number(prefix).await })
    }

    fn search(&self, search: Search) -> Later<'_, Result<Page<CaseSummary>, StoreError>> {
        Box::pin(async move { self.settled_image()?.search(search).await })
    }

    fn feed(&self, cursor: FeedCursor, most: usize) -> Later<'_, Result<Feed, StoreError>> {
        Box::pin(async move { self.readable()?.feed(cursor, most).await })
    }

    fn revision(&self) -> CommitNo {
        self.image().revision()
    }

    fn remembered(&self, key: Digest) -> Later<'_, Result<Option<IdempotencyRecord>, StoreError>> {
        Box::pin(async move { self.settled_image()?.remembered(key).await })
    }

    fn remember(&self, record: IdempotencyRecord) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            if self.weather.strikes(|faults| faults.store_unavailable) {
                return Err(StoreError::Unavailable("simulated".to_owned()));
            }
            if let Err(refused) = self.image().remember(record.clone()).await {
                let ticket = self.lock().written;
                self.settled(ticket).await;
                return Err(refused);
            }
            self.keeps(&Record::Remembered(Box::new(record.clone()))).await;
            self.witness.remembered(&record);
            Ok(())
        })
    }

    fn forget(&self, at: Moment) -> Later<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let dropped = self.readable()?.forget(at).await?;
            self.keeps(&Record::Forgot(at)).await;
            Ok(dropped)
        })
    }

    fn keep_closure(&self, digest: Digest, sources: Vec<u8>) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.image().keep_closure(digest, sources.clone()).await?;
            self.keeps(&Record::Closure(digest, sources)).await;
            Ok(())
        })
    }

    fn keep_publication(&self, kept: Publication) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.image().keep_publication(kept.clone()).await?;
            self.keeps(&Record::Publication(Box::new(kept))).await;
            Ok(())
        })
    }

    fn publications(&self) -> Later<'_, Result<Vec<Publication>, StoreError>> {
        Box::pin(async move { self.readable()?.publications().await })
    }

    fn keep_audited(&self, kept: Audited) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.image().keep_audited(kept.clone()).await?;
            self.keeps(&Record::Audited(Box::new(kept))).await;
            Ok(())
        })
    }

    fn audited(&self, after: u64, most: usize) -> Later<'_, Result<Vec<Audited>, StoreError>> {
        Box::pin(async move { self.readable()?.audited(after, most).await })
    }

    fn last_audited(&self) -> Later<'_, Result<Option<Audited>, StoreError>> {
        Box::pin(async move { self.readable()?.last_audited().await })
    }

    fn park(&self, parked: ParkedReply) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.image().park(parked.clone()).await?;
            self.keeps(&Record::Parked(Box::new(parked))).await;
            Ok(())
        })
    }

    fn parked(&self) -> Later<'_, Result<Vec<ParkedReply>, StoreError>> {
        Box::pin(async move { self.readable()?.parked().await })
    }

    fn unpark(&self, place: ParkedPlace) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.image().unpark(place.clone()).await?;
            self.keeps(&Record::Unparked(place)).await;
            Ok(())
        })
    }

    fn closures(&self) -> Later<'_, Result<Vec<KeptClosure>, StoreError>> {
        Box::pin(async move { self.readable()?.closures().await })
    }

    fn foreign(&self) -> Later<'_, Result<Vec<Foreign>, StoreError>> {
        Box::pin(async move { self.readable()?.foreign().await })
    }

    fn identity(&self) -> StoreIdentity {
        StoreIdentity { kind: "simulated", ..self.image().identity() }
    }

    fn keep_clock_offset(&self, millis: i64) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.image().keep_clock_offset(millis).await?;
            self.keeps(&Record::Offset(millis)).await;
            Ok(())
        })
    }
}
