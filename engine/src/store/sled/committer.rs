//! The one thread that writes: group commit.
//!
//! It takes whatever requests wait, checks each against the tree *and* the batch being built,
//! applies one batch, flushes, syncs sled's file, and only then answers all of them, refusals
//! included: a refusal may rest on a commit of the same batch. While it syncs, the next requests
//! gather; so the batch adapts to the disk by itself. Nobody else batches or flushes.
//!
//! After a failed write nothing more is written: what is on disk is unknown until the folder is
//! opened again.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use tongban_core::digest::Digest;
use tongban_core::id::{CaseId, CommitNo, Epoch, Seq};
use tongban_core::limits::RECORD_BYTES_MAX;
use tongban_core::port::{Committed, FeedItem, IdempotencyRecord, StoreError};
use tongban_core::time::Moment;
use tongban_core::wire;

use super::disk::{self, Disk};
use super::files::Mark;
use super::key;
use super::record::{self, Head, HeadFacts, Item, SUMMARY_INLINE_BYTES_MAX, TAIL_BYTES_MAX};
use crate::crash::{self, Point};
use crate::store::envelope;

/// Requests that may wait: far more than one batch takes, so that senders seldom wait.
pub(super) const WAITING_MAX: usize = 4_096;
/// Requests of one batch. A batch blocks readers while it is applied.
const BATCH_JOBS_MAX: usize = 512;
/// Staged bytes after which a batch is written even if more requests wait.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Commits in one feed record, so that none passes the record limit.
const FEED_ITEMS_MAX: usize = 128;

/// A request to the committer.
pub(super) enum Job {
    /// Appends to a case.
    Append(Box<Append>, oneshot::Sender<Result<Committed, StoreError>>),
    /// Writes or removes records as they are, all or nothing.
    Write(Vec<Write>, oneshot::Sender<Result<(), StoreError>>),
    /// Keeps the memory of a mutation that commits to no case, unless it is known.
    Remember(IdempotencyRecord, oneshot::Sender<Result<(), StoreError>>),
    /// Puts derived data of a case right.
    Mend(Box<Mending>, oneshot::Sender<Result<(), StoreError>>),
    /// Puts in a whole case of a backup.
    Plant(Box<Planting>, oneshot::Sender<Result<(), StoreError>>),
}

/// One record to write, or to remove when there is no payload.
pub(super) struct Write {
    pub(super) key: Vec<u8>,
    pub(super) payload: Option<Vec<u8>>,
}

/// A commit, encoded on its sender's thread.
pub(super) struct Append {
    pub(super) case: CaseId,
    pub(super) expected: Seq,
    pub(super) last: Seq,
    pub(super) epoch: Epoch,
    pub(super) at: Moment,
    /// The new entries as journal items.
    pub(super) journal: Vec<u8>,
    pub(super) summary: Vec<u8>,
    pub(super) rows: Rows,
    pub(super) idempotency: Vec<(Digest, Vec<u8>)>,
}

/// Index rows that change.
#[derive(Default)]
pub(super) struct Rows {
    /// Keys of the rows that go.
    pub(super) gone: Vec<Vec<u8>>,
    /// Keys of the rows that come.
    pub(super) new: Vec<Vec<u8>>,
    /// Numbers that the case gives up.
    pub(super) numbers_gone: Vec<String>,
    /// Numbers that it takes.
    pub(super) numbers_new: Vec<String>,
}

/// Derived data of a case as it should be, encoded.
pub(super) struct Mending {
    pub(super) case: CaseId,
    pub(super) expected: Seq,
    pub(super) epoch: Epoch,
    pub(super) summary: Option<Vec<u8>>,
    pub(super) rows: Rows,
}

/// A whole case, encoded.
pub(super) struct Planting {
    pub(super) case: CaseId,
    /// Newest entry.
    pub(super) last: Seq,
    /// Commit that wrote it.
    pub(super) commit: CommitNo,
    /// All entries as journal items, with the numbers of their commits.
    pub(super) journal: Vec<u8>,
    pub(super) summary: Vec<u8>,
    pub(super) rows: Rows,
}

/// The commits of one batch, or a part of them, as the feed keeps them.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct FeedRecord {
    /// Lawful time of the latest of them.
    pub(super) at: Moment,
    /// The commits, in order.
    pub(super) items: Vec<FeedItem>,
}

/// The committer and what only it may touch.
pub(super) struct Committer {
    pub(super) disk: Arc<Disk>,
    /// An own descriptor of sled's data file.
    pub(super) data: File,
    pub(super) mark: Mark,
    pub(super) epoch: Epoch,
    pub(super) durable: watch::Sender<CommitNo>,
}

/// A batch being built.
struct Batch {
    /// Records as they will be; `None` is removed.
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
    newest: CommitNo,
    feed: Vec<(Moment, FeedItem)>,
    answers: Vec<Answer>,
    /// What the request that is being staged has replaced, so that it can be taken back.
    replaced: Vec<Replaced>,
    /// Size of a record of that request which no leaf may hold.
    oversize: Option<usize>,
}

/// A key of the batch, and what the batch held for it; `None` when it held nothing.
type Replaced = (Vec<u8>, Option<Option<Vec<u8>>>);

/// Who waits for the batch, with what he will be told.
enum Answer {
    Append(oneshot::Sender<Result<Committed, StoreError>>, Result<Committed, StoreError>),
    Other(oneshot::Sender<Result<(), StoreError>>, Result<(), StoreError>),
}

impl Committer {
    /// Serves requests until the last sender is gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut taken = Vec::with_capacity(BATCH_JOBS_MAX);
        while jobs.blocking_recv_many(&mut taken, BATCH_JOBS_MAX) > 0 {
            let mut waiting = taken.drain(..).peekable();
            while waiting.peek().is_some() {
                let batch = self.gather(&mut waiting);
                if let Err(error) = self.write(&batch) {
                    tracing::error!(store.kind = "sled", "the store stops after a failed write");
                    batch.answer_failed(&error);
                    // Ending here drops all who wait; they learn that the committer stopped.
                    return;
                }
                if let Err(error) = self.mark.write(batch.newest) {
                    tracing::warn!(store.kind = "sled", %error, "the mark was not written");
                }
                crash::pass(Point::AfterMark);
                self.durable.send_replace(batch.newest);
                batch.answer();
            }
        }
    }

    fn gather(&self, jobs: &mut impl Iterator<Item = Job>) -> Batch {
        let mut batch = Batch::new(*self.durable.borrow());
        while batch.bytes < BATCH_BYTES_MAX
            && let Some(job) = jobs.next()
        {
            match job {
                Job::Append(append, reply) => {
                    let outcome = batch.wholly(|batch| self.stage(batch, *append));
                    batch.answers.push(Answer::Append(reply, outcome));
                }
                Job::Write(writes, reply) => {
                    let outcome = batch.wholly(|batch| {
                        self.stage_writes(batch, writes);
                        Ok(())
                    });
                    batch.answers.push(Answer::Other(reply, outcome));
                }
                Job::Remember(record, reply) => {
                    let outcome = batch.wholly(|batch| self.stage_remembered(batch, &record));
                    batch.answers.push(Answer::Other(reply, outcome));
                }
                Job::Mend(mending, reply) => {
                    let outcome = batch.wholly(|batch| self.stage_mend(batch, &mending));
                    batch.answers.push(Answer::Other(reply, outcome));
                }
                Job::Plant(planting, reply) => {
                    let outcome = batch.wholly(|batch| self.stage_plant(batch, &planting));
                    batch.answers.push(Answer::Other(reply, outcome));
                }
            }
        }
        self.stage_feed(&mut batch);
        batch
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        crash::pass(Point::BeforeBatch);
        let mut writes = ::sled::Batch::default();
        for (key, record) in &batch.writes {
            match record {
                Some(record) => writes.insert(key.as_slice(), record.as_slice()),
                None => writes.remove(key.as_slice()),
            }
        }
        let uncertain = |error: String| StoreError::Uncertain(error);
        self.disk.db.apply_batch(writes).map_err(|error| uncertain(error.to_string()))?;
        crash::pass(Point::AfterBatch);
        // The flush hands sled's buffers to the system, the sync hands them to the disk.
        self.disk.db.flush().map_err(|error| uncertain(error.to_string()))?;
        crash::pass(Point::AfterFlush);
        self.data.sync_data().map_err(|error| uncertain(error.to_string()))?;
        crash::pass(Point::AfterSync);
        Ok(())
    }

    /// Writes records while nobody else can send any: for opening.
    pub(super) fn write_alone(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut batch = Batch::new(*self.durable.borrow());
        batch.wholly(|batch| {
            self.stage_writes(batch, writes);
            Ok(())
        })?;
        self.write(&batch)
    }

    fn stage_writes(&self, batch: &mut Batch, writes: Vec<Write>) {
        for Write { key, payload } in writes {
            self.set(batch, key, payload.as_deref());
        }
    }

    /// Checks one commit and stages what it writes. Nothing is staged after a refusal.
    fn stage(&self, batch: &mut Batch, append: Append) -> Result<Committed, StoreError> {
        let old = self.admit(batch, &append)?;
        let numbers_gone = self.own_numbers(batch, append.case, &append.rows)?;
        let no = CommitNo(batch.newest.0 + 1);
        self.stage_case(batch, &append, no, old.as_deref())?;
        batch.newest = no;
        self.stage_rows(batch, append.case, &append.rows, numbers_gone);
        for (digest, record) in append.idempotency {
            self.set_remembered(batch, &digest, (no, &record));
        }
        let item = FeedItem {
            commit: no,
            case: append.case,
            first: append.expected.next(),
            last: append.last,
        };
        batch.feed.push((append.at, item));
        Ok(Committed { no })
    }

    /// Checks one memory and stages it, under the newest commit. Nothing is staged after a refusal.
    fn stage_remembered(
        &self,
        batch: &mut Batch,
        record: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        self.must_be_new(batch, &record.key)?;
        let no = batch.newest;
        self.set_remembered(batch, &record.key, (no, &wire::encode(record)));
        Ok(())
    }

    fn set_remembered(&self, batch: &mut Batch, digest: &Digest, (no, record): (CommitNo, &[u8])) {
        let payload = [&no.0.to_be_bytes(), record].concat();
        self.set(batch, key::idempotency(digest), Some(&payload));
    }

    /// Refuses a mutation that is remembered.
    fn must_be_new(&self, batch: &Batch, digest: &Digest) -> Result<(), StoreError> {
        let key = key::idempotency(digest);
        let Some(payload) = self.get(batch, &key)? else { return Ok(()) };
        let (_, known) = remembered(&key, &payload)?;
        Err(StoreError::Remembered(known))
    }

    /// Checks one mending and stages it. Nothing is staged after a refusal.
    fn stage_mend(&self, batch: &mut Batch, mending: &Mending) -> Result<(), StoreError> {
        self.must_own(mending.epoch)?;
        let head_key = key::head(mending.case);
        let old = self.must_stand_at(batch, mending.case, mending.expected)?;
        self.must_be_free(batch, mending.case, &mending.rows.numbers_new)?;
        let numbers_gone = self.own_numbers(batch, mending.case, &mending.rows)?;
        if let (Some(summary), Some(old)) = (&mending.summary, &old) {
            let Head { mut facts, tail, .. } = disk::head(&head_key, old)?;
            let parts = facts.summary_parts;
            facts.summary_parts = self.stage_summary(batch, mending.case, summary, parts);
            self.stage_head(batch, head_key, (facts, summary, tail));
        }
        self.stage_rows(batch, mending.case, &mending.rows, numbers_gone);
        Ok(())
    }

    /// Checks one whole case and stages it. Nothing is staged after a refusal.
    fn stage_plant(&self, batch: &mut Batch, planting: &Planting) -> Result<(), StoreError> {
        let Planting { case, last, commit, journal, summary, rows } = planting;
        self.must_stand_at(batch, *case, Seq(0))?;
        self.must_be_free(batch, *case, &rows.numbers_new)?;
        let mut facts = HeadFacts { head: *last, commit: *commit, chunks: 0, summary_parts: 0 };
        let tail = if journal.len() > TAIL_BYTES_MAX {
            self.seal(batch, *case, &mut facts, journal)?
        } else {
            journal.clone()
        };
        facts.summary_parts = self.stage_summary(batch, *case, summary, 0);
        self.stage_head(batch, key::head(*case), (facts, summary, &tail));
        self.stage_rows(batch, *case, rows, Vec::new());
        batch.newest = batch.newest.max(*commit);
        Ok(())
    }

    fn stage_rows(&self, batch: &mut Batch, case: CaseId, rows: &Rows, numbers_gone: Vec<Vec<u8>>) {
        for key in numbers_gone.into_iter().chain(rows.gone.iter().cloned()) {
            self.set(batch, key, None);
        }
        for key in &rows.new {
            self.set(batch, key.clone(), Some(&[]));
        }
        for number in &rows.numbers_new {
            self.set(batch, key::number(number), Some(&case.0));
        }
    }

    /// Returns the keys of the numbers that the case gives up and really has.
    fn own_numbers(
        &self,
        batch: &Batch,
        case: CaseId,
        rows: &Rows,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut own = Vec::new();
        for number in &rows.numbers_gone {
            let key = key::number(number);
            if self.get(batch, &key)?.as_deref() == Some(&case.0) {
                own.push(key);
            }
        }
        Ok(own)
    }

    fn must_own(&self, epoch: Epoch) -> Result<(), StoreError> {
        if epoch == self.epoch {
            return Ok(());
        }
        Err(StoreError::Fenced { ours: epoch, current: self.epoch })
    }

    /// Makes sure that a case stands at this head; returns its head record.
    fn must_stand_at(
        &self,
        batch: &Batch,
        case: CaseId,
        expected: Seq,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let head_key = key::head(case);
        let old = self.get(batch, &head_key)?;
        let found = disk::facts(&head_key, old.as_deref())?.map(|facts| facts.head);
        if found.unwrap_or_default() == expected {
            return Ok(old);
        }
        Err(StoreError::Conflict { case, expected, found })
    }

    /// Makes sure that no other case has one of these numbers.
    fn must_be_free(
        &self,
        batch: &Batch,
        case: CaseId,
        numbers: &[String],
    ) -> Result<(), StoreError> {
        for number in numbers {
            let owner = self.get(batch, &key::number(number))?;
            if owner.is_some_and(|owner| owner != case.0) {
                return Err(StoreError::NumberTaken(number.clone()));
            }
        }
        Ok(())
    }

    /// Makes sure that a commit may be made; returns the case's old head record.
    fn admit(&self, batch: &Batch, append: &Append) -> Result<Option<Vec<u8>>, StoreError> {
        self.must_own(append.epoch)?;
        for (digest, _) in &append.idempotency {
            self.must_be_new(batch, digest)?;
        }
        let old = self.must_stand_at(batch, append.case, append.expected)?;
        self.must_be_free(batch, append.case, &append.rows.numbers_new)?;
        Ok(old)
    }

    /// Stages head record, chunks and summary of a case; stages nothing when it fails.
    fn stage_case(
        &self,
        batch: &mut Batch,
        append: &Append,
        no: CommitNo,
        old: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let head_key = key::head(append.case);
        let old = old.map(|bytes| disk::head(&head_key, bytes)).transpose()?;
        let old_facts = old.map(|old| old.facts).unwrap_or_default();
        let mut facts = HeadFacts { head: append.last, commit: no, ..old_facts };
        let mut tail = old.map(|old| old.tail.to_vec()).unwrap_or_default();
        if !append.journal.is_empty() {
            Item::Commit(no).put(&mut tail);
        }
        tail.extend_from_slice(&append.journal);
        if tail.len() > TAIL_BYTES_MAX {
            tail = self.seal(batch, append.case, &mut facts, &tail)?;
        }
        let parts = old_facts.summary_parts;
        facts.summary_parts = self.stage_summary(batch, append.case, &append.summary, parts);
        self.stage_head(batch, head_key, (facts, &append.summary, &tail));
        Ok(())
    }

    /// Stages a head record; a summary that has records of its own stays outside.
    fn stage_head(
        &self,
        batch: &mut Batch,
        key: Vec<u8>,
        (facts, summary, tail): (HeadFacts, &[u8], &[u8]),
    ) {
        let summary = match facts.summary_parts {
            0 => summary,
            _ => &[],
        };
        let head = Head { facts, summary, tail };
        self.set(batch, key, Some(&head.write()));
    }

    /// Moves a journal that outgrew its tail into chunks; returns what stays.
    fn seal(
        &self,
        batch: &mut Batch,
        case: CaseId,
        facts: &mut HeadFacts,
        journal: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let newest_no = facts.chunks.saturating_sub(1);
        let newest_key = key::chunk(case, newest_no);
        let newest = match facts.chunks {
            0 => Vec::new(),
            _ => self
                .get(batch, &newest_key)?
                .ok_or_else(|| disk::damaged("missing chunk", &newest_key))?,
        };
        let sealed = record::seal(newest, journal);
        facts.chunks = newest_no;
        for chunk in sealed.chunks {
            self.set(batch, key::chunk(case, facts.chunks), Some(&chunk));
            facts.chunks += 1;
        }
        Ok(sealed.tail)
    }

    /// Stages a summary that does not fit into the head record; returns its number of records.
    fn stage_summary(
        &self,
        batch: &mut Batch,
        case: CaseId,
        summary: &[u8],
        parts_before: u32,
    ) -> u32 {
        let mut parts = 0;
        if summary.len() > SUMMARY_INLINE_BYTES_MAX {
            for part in summary.chunks(record::CHUNK_BYTES_MAX) {
                self.set(batch, key::summary(case, parts), Some(part));
                parts += 1;
            }
        }
        for gone in parts..parts_before {
            self.set(batch, key::summary(case, gone), None);
        }
        parts
    }

    fn stage_feed(&self, batch: &mut Batch) {
        let feed = std::mem::take(&mut batch.feed);
        for part in feed.chunks(FEED_ITEMS_MAX) {
            let Some((_, last)) = part.last() else {
                continue;
            };
            let key = key::feed(last.commit);
            let record = FeedRecord {
                at: part.iter().map(|(at, _)| *at).max().unwrap_or_default(),
                items: part.iter().map(|(_, item)| item.clone()).collect(),
            };
            self.set(batch, key, Some(&wire::encode(&record)));
        }
    }

    /// Reads a record as the batch leaves it.
    fn get(&self, batch: &Batch, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match batch.writes.get(key) {
            Some(Some(record)) => self.disk.open(key, record).map(Some),
            Some(None) => Ok(None),
            None => self.disk.get(key),
        }
    }

    fn set(&self, batch: &mut Batch, key: Vec<u8>, payload: Option<&[u8]>) {
        let record = payload.map(|payload| envelope::wrap(&*self.disk.cipher, &key, payload));
        let size = record.as_ref().map_or(0, Vec::len);
        if size > RECORD_BYTES_MAX {
            batch.oversize = Some(size);
        }
        batch.bytes += key.len() + size;
        let before = batch.writes.insert(key.clone(), record);
        batch.replaced.push((key, before));
    }
}

/// Reads an idempotency record, with the commit that wrote it.
pub(super) fn remembered(
    key: &[u8],
    payload: &[u8],
) -> Result<(CommitNo, IdempotencyRecord), StoreError> {
    let damaged = || disk::damaged("idempotency record", key);
    let (no, record) = payload.split_first_chunk().ok_or_else(damaged)?;
    let record = wire::decode(record).map_err(|_| damaged())?;
    Ok((CommitNo(u64::from_be_bytes(*no)), record))
}

impl Batch {
    fn new(newest: CommitNo) -> Self {
        Self {
            writes: BTreeMap::new(),
            bytes: 0,
            newest,
            feed: Vec::new(),
            answers: Vec::new(),
            replaced: Vec::new(),
            oversize: None,
        }
    }

    /// Stages one request, all of it or nothing: sled would put a record above the limit into a
    /// file that it never syncs, so that one refuses its request and leaves the others alone.
    fn wholly<T>(
        &mut self,
        stage: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let before = (self.bytes, self.newest, self.feed.len());
        self.replaced.clear();
        let staged = stage(self);
        let outcome = match self.oversize.take() {
            Some(bytes) => Err(StoreError::TooLarge { what: "record".to_owned(), bytes }),
            None => staged,
        };
        if outcome.is_err() {
            for (key, record) in self.replaced.drain(..).rev() {
                match record {
                    Some(record) => self.writes.insert(key, record),
                    None => self.writes.remove(&key),
                };
            }
            (self.bytes, self.newest) = (before.0, before.1);
            self.feed.truncate(before.2);
        }
        outcome
    }

    /// Tells everyone what came of his request. Who has gone away is not told.
    fn answer(self) {
        for answer in self.answers {
            match answer {
                Answer::Append(reply, outcome) => drop(reply.send(outcome)),
                Answer::Other(reply, outcome) => drop(reply.send(outcome)),
            }
        }
    }

    fn answer_failed(self, error: &StoreError) {
        for answer in self.answers {
            match answer {
                Answer::Append(reply, _) => drop(reply.send(Err(error.clone()))),
                Answer::Other(reply, _) => drop(reply.send(Err(error.clone()))),
            }
        }
    }
}
