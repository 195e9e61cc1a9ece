//! The embedded store: one folder, one process, sled 0.34.7 inside.
//!
//! One tree holds everything; `key` builds its keys and `record` the records of a case. All
//! writes go through one thread (`committer`), which answers after the data is synced; reads
//! (`read`) go to the tree. `open` locks the folder and guards what is in it. Nothing outside
//! this module may know sled: its maintenance is uncertain, and its flush is no sync.

mod audited;
mod committer;
mod disk;
mod files;
mod key;
mod open;
mod parked;
mod published;
mod read;
mod record;
#[cfg(test)]
mod tests;
mod upkeep;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};
use tongban_core::audit::Audited;
use tongban_core::digest::{Digest, Secret};
use tongban_core::id::{CaseId, CommitNo, Epoch, Generation};
use tongban_core::limits::{FEED_MILLIS, IDEMPOTENCY_MILLIS, RECORD_INLINE_BYTES_MAX};
use tongban_core::port::{
    Commit, Committed, Feed, FeedCursor, Foreign, IdempotencyRecord, Later, Page, ParkedPlace,
    ParkedReply, Restored, Store, StoreError, StoreIdentity, Stored,
};
use tongban_core::publication::Publication;
use tongban_core::summary::{CaseSummary, IndexRow, Search};
use tongban_core::time::Moment;
use tongban_core::wire;

pub use self::open::{Holder, OpenError};

use self::committer::{Append, Committer, Job, Rows, WAITING_MAX, Write};
use self::disk::Disk;
use self::files::{Blobs, Closures};
use self::open::{Age, Opened, Opening};
use self::record::Item;
use super::check::{self, Encoded};
use super::envelope::NullCipher;

/// Records that one step of forgetting removes.
const FORGET_STEP: usize = 1_000;

/// Options of a sled store.
#[derive(Clone, Copy, Debug)]
pub struct SledOptions {
    /// Bytes of sled's cache; the process takes two to three times as much.
    pub cache_bytes: u64,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self { cache_bytes: 256 * 1024 * 1024 }
    }
}

/// A store in a folder.
///
/// An `append` whose future is dropped may still be committed. Dropping the store waits until
/// what was sent is on disk, and frees the folder.
pub struct SledStore {
    /// Where the committer takes its requests; gone when the store closes.
    jobs: Option<mpsc::Sender<Job>>,
    committer: Option<JoinHandle<()>>,
    disk: Arc<Disk>,
    secret: Secret,
    epoch: Epoch,
    generation: Generation,
    restored: Option<Restored>,
    clock_offset: AtomicI64,
}

impl SledStore {
    /// Opens the store in `folder`, or creates it there. Blocks: opening reads sled's log.
    pub fn open(folder: impl AsRef<Path>, options: SledOptions) -> Result<Self, OpenError> {
        let folder = folder.as_ref();
        let opening = Opening::of(folder);
        let Opened { lock, secret, db, data, age } = opening.open(options)?;
        let (durable, durable_seen) = watch::channel(CommitNo::default());
        let disk = Arc::new(Disk {
            db,
            cipher: Box::new(NullCipher),
            blobs: Blobs::new(folder.join(open::BLOBS), secret.clone()),
            closures: Closures::new(folder.join(open::CLOSURES)),
            durable: durable_seen,
            _lock: lock,
        });
        let damaged = |error: StoreError| opening.damaged(error.to_string());
        let epoch = disk.next_epoch(age).map_err(damaged)?;
        let newest = disk.newest_stored().map_err(damaged)?;
        let mark = opening.mark(newest)?;
        durable.send_replace(newest);
        let clock_offset = disk.clock_offset().map_err(damaged)?;
        let (generation, restored) = disk.generation().map_err(damaged)?;
        let committer = Committer { disk: Arc::clone(&disk), data, mark, epoch, durable };
        committer.write_alone(epoch_record(epoch)).map_err(damaged)?;
        if age == Age::New {
            opening.complete()?;
        }
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let committer = std::thread::Builder::new()
            .name("tongban-commit".to_owned())
            .spawn(move || committer.run(waiting))
            .expect("the system has room for one more thread");
        Ok(Self {
            jobs: Some(jobs),
            committer: Some(committer),
            disk,
            secret,
            epoch,
            generation,
            restored,
            clock_offset: AtomicI64::new(clock_offset),
        })
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.as_ref().ok_or_else(disk::stopped)?;
        jobs.send(job).await.map_err(|_| disk::stopped())
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Write(writes, reply)).await?;
        answer.await.map_err(|_| lost())?
    }

    /// Encodes a commit; entries too large for a record are on disk when it returns.
    async fn prepare(&self, commit: Commit) -> Result<Box<Append>, StoreError> {
        let encoded = check::encode(&commit)?;
        let is_large = |entry: &Vec<u8>| entry.len() > RECORD_INLINE_BYTES_MAX;
        if encoded.entries.iter().any(is_large) {
            let disk = Arc::clone(&self.disk);
            return blocking(move || disk.append_of(commit, encoded)).await;
        }
        self.disk.append_of(commit, encoded)
    }

    async fn append_now(&self, commit: Commit) -> Result<Committed, StoreError> {
        let append = self.prepare(commit).await?;
        let (reply, answer) = oneshot::channel();
        self.send(Job::Append(append, reply)).await?;
        answer.await.map_err(|_| lost())?
    }

    async fn load_now(&self, case: CaseId) -> Result<Option<Stored>, StoreError> {
        let Some(journal) = self.disk.journal(case)? else {
            return Ok(None);
        };
        self.disk.settled(journal.commit).await?;
        let stored = if journal.has_blobs() {
            let disk = Arc::clone(&self.disk);
            blocking(move || disk.decode(&journal)).await
        } else {
            self.disk.decode(&journal)
        };
        stored.map(Some)
    }

    async fn search_now(&self, search: Search) -> Result<Page<CaseSummary>, StoreError> {
        let disk = Arc::clone(&self.disk);
        let page = blocking(move || disk.search(&search)).await?;
        let newest = page.items.iter().map(|summary| summary.revision).max();
        self.disk.settled(newest.unwrap_or_default()).await?;
        Ok(page)
    }

    async fn remembered_now(&self, key: Digest) -> Result<Option<IdempotencyRecord>, StoreError> {
        let key = key::idempotency(&key);
        let Some(payload) = self.disk.get(&key)? else {
            return Ok(None);
        };
        let (commit, record) = committer::remembered(&key, &payload)?;
        self.disk.settled(commit).await?;
        // A memory without a commit bears the number of the one before it, and is seen before it
        // is on disk. Whatever comes back from the committer comes after it.
        if self.disk.newest() <= commit {
            self.write(Vec::new()).await?;
        }
        Ok(Some(record))
    }

    async fn remember_now(&self, record: IdempotencyRecord) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Remember(record, reply)).await?;
        answer.await.map_err(|_| lost())?
    }

    async fn forget_now(&self, now: Moment) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        let disk = Arc::clone(&self.disk);
        let steps = blocking(move || disk.forgettable(now)).await?;
        for step in steps {
            self.write(step.writes).await?;
            forgotten += step.count;
        }
        Ok(forgotten)
    }

    async fn keep_closure_now(&self, digest: Digest, sources: Vec<u8>) -> Result<(), StoreError> {
        let disk = Arc::clone(&self.disk);
        blocking(move || {
            disk.closures
                .keep(&*disk.cipher, digest, &sources)
                .map_err(|error| StoreError::Unavailable(error.to_string()))
        })
        .await
    }

    async fn closures_now(&self) -> Result<Vec<(Digest, Vec<u8>)>, StoreError> {
        let disk = Arc::clone(&self.disk);
        let closures = blocking(move || {
            disk.closures
                .read_all(&*disk.cipher)
                .map_err(|error| StoreError::Unavailable(error.to_string()))
        })
        .await?;
        let whole = |(digest, sources): (Digest, Option<Vec<u8>>)| match sources {
            Some(sources) => Ok((digest, sources)),
            None => Err(StoreError::Damaged { what: format!("sources of closure {digest:?}") }),
        };
        closures.into_iter().map(whole).collect()
    }

    async fn keep_clock_offset_now(&self, millis: i64) -> Result<(), StoreError> {
        let write =
            Write { key: key::CLOCK_OFFSET.to_vec(), payload: Some(millis.to_be_bytes().to_vec()) };
        self.write(vec![write]).await?;
        self.clock_offset.store(millis, Ordering::Release);
        Ok(())
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(committer) = self.committer.take() {
            // A committer that panicked has told those who waited.
            drop(committer.join());
        }
    }
}

/// A step of forgetting: what to remove at once, and how many things that is.
struct Step {
    writes: Vec<Write>,
    count: u64,
}

impl Disk {
    fn next_epoch(&self, age: Age) -> Result<Epoch, StoreError> {
        let stored = self.get(key::EPOCH)?;
        if age == Age::Existing && stored.is_none() {
            return Err(StoreError::Damaged {
                what: "sled came up empty in a folder that held a store".to_owned(),
            });
        }
        let bytes = stored.map_or(Ok([0; 8]), TryInto::try_into);
        let epoch = bytes.map_err(|_| disk::damaged("epoch", key::EPOCH))?;
        Ok(Epoch(u64::from_be_bytes(epoch) + 1))
    }

    fn newest_stored(&self) -> Result<CommitNo, StoreError> {
        let last = self.db.scan_prefix(key::FEED_PREFIX).next_back();
        let Some(last) = last else {
            return self.feed_floor();
        };
        let (key, _) = last.map_err(|error| disk::broken(&error))?;
        key::commit_of_feed(&key).ok_or_else(|| disk::damaged("feed record", &key))
    }

    /// Reads which life of the store this is. A store that says nothing is in its first.
    fn generation(&self) -> Result<(Generation, Option<Restored>), StoreError> {
        let Some(record) = self.get(key::GENERATION)? else {
            return Ok((Generation::FIRST, None));
        };
        wire::decode(&record).map_err(|_| disk::damaged("generation", key::GENERATION))
    }

    fn clock_offset(&self) -> Result<i64, StoreError> {
        let stored = self.get(key::CLOCK_OFFSET)?;
        let bytes = stored.map_or(Ok([0; 8]), TryInto::try_into);
        bytes.map(i64::from_be_bytes).map_err(|_| disk::damaged("clock offset", key::CLOCK_OFFSET))
    }

    fn append_of(&self, commit: Commit, encoded: Encoded) -> Result<Box<Append>, StoreError> {
        let case = commit.case;
        let rows = rows_of(commit.rows_gone, commit.rows_new, case);
        let keys = commit.idempotency.iter().map(|record| record.key);
        Ok(Box::new(Append {
            case,
            expected: commit.expected,
            last: commit.entries.last().map_or(commit.expected, |entry| entry.seq),
            epoch: commit.epoch,
            at: commit.at,
            journal: self.journal_of(case, &encoded.entries)?,
            summary: encoded.summary,
            rows,
            idempotency: keys.zip(encoded.idempotency).collect(),
        }))
    }

    fn journal_of(&self, case: CaseId, entries: &[Vec<u8>]) -> Result<Vec<u8>, StoreError> {
        let mut journal = Vec::new();
        for entry in entries {
            if entry.len() <= RECORD_INLINE_BYTES_MAX {
                Item::Entry(entry).put(&mut journal);
                continue;
            }
            let digest = self.blobs.write(&*self.cipher, case, entry);
            let digest = digest.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            Item::Blob(digest).put(&mut journal);
        }
        Ok(journal)
    }

    /// Finds what is past its time. Walks many records: call it on a blocking thread.
    fn forgettable(&self, now: Moment) -> Result<Vec<Step>, StoreError> {
        let mut steps = Vec::new();
        let mut step = Step { writes: Vec::new(), count: 0 };
        for record in self.feed_records(CommitNo::default()) {
            let (key, record) = record?;
            if now.since(record.at) <= FEED_MILLIS {
                break;
            }
            let floor = record.items.last().map(|item| item.commit);
            step.remove(key, record.items.len());
            step.writes.push(Write {
                key: key::FEED_FLOOR.to_vec(),
                payload: Some(floor.unwrap_or_default().0.to_be_bytes().to_vec()),
            });
            step.end_if_full(&mut steps);
        }
        for pair in self.db.scan_prefix(key::idempotencies()) {
            let (key, record) = pair.map_err(|error| disk::broken(&error))?;
            let payload = self.open(&key, &record)?;
            let (_, record) = committer::remembered(&key, &payload)?;
            if now.since(record.at) > IDEMPOTENCY_MILLIS {
                step.remove(key.to_vec(), 1);
                step.end_if_full(&mut steps);
            }
        }
        steps.push(step);
        Ok(steps)
    }
}

impl Step {
    fn remove(&mut self, key: Vec<u8>, count: usize) {
        self.writes.push(Write { key, payload: None });
        self.count += count as u64;
    }

    fn end_if_full(&mut self, steps: &mut Vec<Self>) {
        if self.writes.len() >= FORGET_STEP {
            steps.push(Self {
                writes: std::mem::take(&mut self.writes),
                count: std::mem::take(&mut self.count),
            });
        }
    }
}

fn rows_of(gone: Vec<IndexRow>, new: Vec<IndexRow>, case: CaseId) -> Rows {
    let (numbers_gone, gone) = split_rows(gone, case);
    let (numbers_new, new) = split_rows(new, case);
    Rows { gone, new, numbers_gone, numbers_new }
}

/// Splits rows into the numbers, which have an owner, and the keys of all others.
fn split_rows(rows: Vec<IndexRow>, case: CaseId) -> (Vec<String>, Vec<Vec<u8>>) {
    let mut numbers = Vec::new();
    let mut keys = Vec::new();
    for row in rows {
        if let IndexRow::Number { number } = row {
            numbers.push(number);
        } else {
            keys.push(key::row(&row, case));
        }
    }
    (numbers, keys)
}

fn epoch_record(epoch: Epoch) -> Vec<Write> {
    vec![Write { key: key::EPOCH.to_vec(), payload: Some(epoch.0.to_be_bytes().to_vec()) }]
}

/// Builds the error for a request that was sent and never answered.
fn lost() -> StoreError {
    StoreError::Uncertain(
        "提交线程在应答前停止 / the committer stopped before it answered".to_owned(),
    )
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Unavailable(error.to_string()))?
}

impl Store for SledStore {
    fn append(&self, commit: Commit) -> Later<'_, Result<Committed, StoreError>> {
        Box::pin(self.append_now(commit))
    }

    fn load(&self, case: CaseId) -> Later<'_, Result<Option<Stored>, StoreError>> {
        Box::pin(self.load_now(case))
    }

    fn created_at(&self, at: Moment) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move { self.disk.created_at(at) })
    }

    fn due(&self, until: Moment, most: usize) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move { self.disk.due(until, most) })
    }

    fn next_due(&self) -> Later<'_, Result<Option<Moment>, StoreError>> {
        Box::pin(async move {
            let first = self.disk.timers().next().transpose()?;
            Ok(first.map(|(due, _)| due))
        })
    }

    fn outbox(
        &self,
        after: Option<CaseId>,
        most: usize,
    ) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move { self.disk.outboxes(after, most) })
    }

    fn by_number(&self, number: String) -> Later<'_, Result<Option<CaseId>, StoreError>> {
        Box::pin(async move { self.disk.by_number(&number) })
    }

    fn last_number(&self, prefix: String) -> Later<'_, Result<Option<String>, StoreError>> {
        Box::pin(async move { self.disk.last_number(&prefix) })
    }

    fn search(&self, search: Search) -> Later<'_, Result<Page<CaseSummary>, StoreError>> {
        Box::pin(self.search_now(search))
    }

    fn feed(&self, cursor: FeedCursor, most: usize) -> Later<'_, Result<Feed, StoreError>> {
        Box::pin(async move { self.disk.feed(cursor, most) })
    }

    fn revision(&self) -> CommitNo {
        self.disk.newest()
    }

    fn remembered(&self, key: Digest) -> Later<'_, Result<Option<IdempotencyRecord>, StoreError>> {
        Box::pin(self.remembered_now(key))
    }

    fn remember(&self, record: IdempotencyRecord) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.remember_now(record))
    }

    fn forget(&self, now: Moment) -> Later<'_, Result<u64, StoreError>> {
        Box::pin(self.forget_now(now))
    }

    fn keep_closure(&self, digest: Digest, sources: Vec<u8>) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.keep_closure_now(digest, sources))
    }

    fn closures(&self) -> Later<'_, Result<Vec<(Digest, Vec<u8>)>, StoreError>> {
        Box::pin(self.closures_now())
    }

    fn foreign(&self) -> Later<'_, Result<Vec<Foreign>, StoreError>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(blocking(move || disk.foreign()))
    }

    fn keep_publication(&self, kept: Publication) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.keep_publication_now(kept))
    }

    fn publications(&self) -> Later<'_, Result<Vec<Publication>, StoreError>> {
        Box::pin(self.publications_now())
    }

    fn keep_audited(&self, kept: Audited) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.keep_audited_now(kept))
    }

    fn audited(&self, after: u64, most: usize) -> Later<'_, Result<Vec<Audited>, StoreError>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(blocking(move || disk.audited(after, most)))
    }

    fn last_audited(&self) -> Later<'_, Result<Option<Audited>, StoreError>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(blocking(move || disk.last_audited()))
    }

    fn park(&self, parked: ParkedReply) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.park_now(parked))
    }

    fn parked(&self) -> Later<'_, Result<Vec<ParkedReply>, StoreError>> {
        Box::pin(self.parked_now())
    }

    fn unpark(&self, place: ParkedPlace) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.unpark_now(place))
    }

    fn identity(&self) -> StoreIdentity {
        StoreIdentity {
            kind: "sled",
            secret: self.secret.clone(),
            epoch: self.epoch,
            clock_offset: self.clock_offset.load(Ordering::Acquire),
            generation: self.generation,
            restored: self.restored,
        }
    }

    fn keep_clock_offset(&self, millis: i64) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.keep_clock_offset_now(millis))
    }
}
