//! Walking over everything, putting derived data right, filling the store from a backup.
//!
//! Walks read in steps on blocking threads and take no snapshot: the logs that they lead to only
//! grow, so whoever needs one moment of the whole store cuts each log at a commit number.

use std::sync::Arc;

use tokio::sync::oneshot;
use tongban_core::digest::Digest;
use tongban_core::id::{CaseId, CommitNo, Epoch};
use tongban_core::port::{
    Declared, FiledRow, Foreign, KeptMutation, Later, Mend, Page, Planted, StoreError, Upkeep,
};
use tongban_core::wire;

use super::committer::{self, Job, Mending, Planting, Write};
use super::disk::{self, Disk};
use super::record::Item;
use super::{FORGET_STEP, SledStore, Step, blocking, key, lost, rows_of};
use crate::store::check;

impl SledStore {
    async fn order(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<(), StoreError>>) -> Job,
    ) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(job(reply)).await?;
        answer.await.map_err(|_| lost())?
    }

    async fn mend_now(&self, mend: Mend) -> Result<(), StoreError> {
        let mending = Mending {
            case: mend.case,
            expected: mend.expected,
            epoch: mend.epoch,
            summary: mend.summary.as_ref().map(check::encode_summary).transpose()?,
            rows: rows_of(mend.rows_gone, mend.rows_new, mend.case),
        };
        self.order(|reply| Job::Mend(Box::new(mending), reply)).await
    }

    async fn plant_now(&self, planted: Planted) -> Result<(), StoreError> {
        let disk = Arc::clone(&self.disk);
        let planting = blocking(move || disk.planting_of(planted)).await?;
        self.order(|reply| Job::Plant(Box::new(planting), reply)).await
    }

    async fn keep_mutations_now(&self, kept: Vec<KeptMutation>) -> Result<(), StoreError> {
        let write = |(commit, record): &KeptMutation| Write {
            key: key::idempotency(&record.key),
            payload: Some([&commit.0.to_be_bytes(), wire::encode(record).as_slice()].concat()),
        };
        for step in kept.chunks(FORGET_STEP) {
            self.write(step.iter().map(write).collect()).await?;
        }
        Ok(())
    }

    async fn begin_feed_anew_now(&self) -> Result<(), StoreError> {
        let floor = self.disk.newest();
        // The floor first: what is removed after it is not asked for any more.
        self.write(vec![floor_record(floor)]).await?;
        let disk = Arc::clone(&self.disk);
        let steps = blocking(move || disk.feed_until(floor)).await?;
        for step in steps {
            self.write(step.writes).await?;
        }
        Ok(())
    }

    async fn declare_restored_now(&self, declared: Declared) -> Result<(), StoreError> {
        let Declared { generation, restored, clock_offset } = declared;
        let epoch = Epoch(generation.first_epoch().0.max(self.epoch.0));
        let newest = restored.cut.max(self.disk.newest());
        let record =
            |key: &[u8], payload: Vec<u8>| Write { key: key.to_vec(), payload: Some(payload) };
        self.write(vec![
            record(key::GENERATION, wire::encode(&(generation, Some(restored)))),
            record(key::EPOCH, epoch.0.to_be_bytes().to_vec()),
            record(key::CLOCK_OFFSET, clock_offset.to_be_bytes().to_vec()),
            floor_record(newest),
        ])
        .await
    }
}

fn floor_record(floor: CommitNo) -> Write {
    Write { key: key::FEED_FLOOR.to_vec(), payload: Some(floor.0.to_be_bytes().to_vec()) }
}

impl Disk {
    fn cases(&self, after: Option<CaseId>, most: usize) -> Result<Vec<CaseId>, StoreError> {
        let all = key::all_cases();
        let end = key::end_of(&all);
        let mut from = after.map_or(all, key::after_case);
        let mut cases = Vec::new();
        // Each seek passes over the other records of the case before it.
        while cases.len() < most
            && let Some(key) = self.db.range(from..end.clone()).keys().next()
        {
            let key = key.map_err(|error| disk::broken(&error))?;
            let case = key::case_of_head(&key);
            let case = case.ok_or_else(|| disk::damaged("record without a head", &key))?;
            from = key::after_case(case);
            cases.push(case);
        }
        Ok(cases)
    }

    fn filed(&self, after: Option<&[u8]>, most: usize) -> Result<Page<FiledRow>, StoreError> {
        let mut items = Vec::new();
        let mut last = None;
        for (start, end) in key::index_rows() {
            // One byte more than a key is the next key there can be.
            let from = after.map_or_else(|| start.clone(), |after| [after, &[0]].concat());
            if from >= end {
                continue;
            }
            for pair in self.db.range(from.max(start)..end) {
                let (key, record) = pair.map_err(|error| disk::broken(&error))?;
                if items.len() == most {
                    return Ok(Page { items, next: last });
                }
                let payload = self.open(&key, &record)?;
                let row = key::row_of(&key, &payload);
                items.push(row.ok_or_else(|| disk::damaged("index row", &key))?);
                last = Some(key.to_vec());
            }
        }
        Ok(Page { items, next: None })
    }

    fn mutations(
        &self,
        after: Option<Digest>,
        most: usize,
    ) -> Result<Vec<KeptMutation>, StoreError> {
        let all = key::idempotencies();
        let end = key::end_of(&all);
        let from = after.map_or(all, |after| [key::idempotency(&after), vec![0]].concat());
        let pairs = self.db.range(from..end).take(most);
        pairs
            .map(|pair| {
                let (key, record) = pair.map_err(|error| disk::broken(&error))?;
                committer::remembered(&key, &self.open(&key, &record)?)
            })
            .collect()
    }

    /// Reads what belongs to cases from other stores.
    pub(super) fn foreign(&self) -> Result<Vec<Foreign>, StoreError> {
        let pairs = self.db.scan_prefix(key::all_foreign());
        pairs
            .map(|pair| {
                let (key, record) = pair.map_err(|error| disk::broken(&error))?;
                let payload = self.open(&key, &record)?;
                wire::decode(&payload).map_err(|_| disk::damaged("case from elsewhere", &key))
            })
            .collect()
    }

    /// Finds the feed records up to a commit, to be removed.
    fn feed_until(&self, floor: CommitNo) -> Result<Vec<Step>, StoreError> {
        let mut steps = Vec::new();
        let mut step = Step { writes: Vec::new(), count: 0 };
        for record in self.feed_records(CommitNo::default()) {
            let (key, record) = record?;
            if record.items.last().is_some_and(|item| item.commit > floor) {
                break;
            }
            step.remove(key, record.items.len());
            step.end_if_full(&mut steps);
        }
        steps.push(step);
        Ok(steps)
    }

    fn planting_of(&self, planted: Planted) -> Result<Planting, StoreError> {
        let encoded = check::encode_planted(&planted)?;
        let case = planted.case;
        let mut journal = Vec::new();
        let mut commits = planted.commits.iter().peekable();
        for (entry, bytes) in planted.entries.iter().zip(encoded.entries) {
            if let Some((no, _)) = commits.next_if(|(_, first)| *first == entry.seq) {
                Item::Commit(*no).put(&mut journal);
            }
            journal.extend(self.journal_of(case, &[bytes])?);
        }
        let last = planted.entries.last().map(|entry| entry.seq);
        Ok(Planting {
            case,
            last: last.unwrap_or_default(),
            commit: planted.commits.last().map(|(no, _)| *no).unwrap_or_default(),
            journal,
            summary: encoded.summary,
            rows: rows_of(Vec::new(), planted.rows, case),
        })
    }
}

impl Upkeep for SledStore {
    fn cases(
        &self,
        after: Option<CaseId>,
        most: usize,
    ) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(blocking(move || disk.cases(after, most)))
    }

    fn filed(
        &self,
        after: Option<Vec<u8>>,
        most: usize,
    ) -> Later<'_, Result<Page<FiledRow>, StoreError>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(blocking(move || disk.filed(after.as_deref(), most)))
    }

    fn mutations(
        &self,
        after: Option<Digest>,
        most: usize,
    ) -> Later<'_, Result<Vec<KeptMutation>, StoreError>> {
        let disk = Arc::clone(&self.disk);
        Box::pin(blocking(move || disk.mutations(after, most)))
    }

    fn mend(&self, mend: Mend) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.mend_now(mend))
    }

    fn begin_feed_anew(&self) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.begin_feed_anew_now())
    }

    fn plant(&self, planted: Planted) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.plant_now(planted))
    }

    fn keep_mutations(&self, kept: Vec<KeptMutation>) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.keep_mutations_now(kept))
    }

    fn keep_foreign(&self, foreign: Foreign) -> Later<'_, Result<(), StoreError>> {
        let write =
            Write { key: key::foreign(foreign.case), payload: Some(wire::encode(&foreign)) };
        Box::pin(async move { self.write(vec![write]).await })
    }

    fn declare_restored(&self, declared: Declared) -> Later<'_, Result<(), StoreError>> {
        Box::pin(self.declare_restored_now(declared))
    }
}
