//! The reference store: plain collections under one lock.
//!
//! It is written to be read, and the other stores are compared with it; searches look at every
//! row. What it holds lives as long as its last handle: [`MemoryStore::reopen`] plays a restart.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map};
use std::sync::{Arc, Mutex, MutexGuard};

use tongban_core::audit::Audited;
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::Entry;
use tongban_core::id::{CaseId, CommitNo, Epoch, Generation, Seq, ServiceCode};
use tongban_core::limits::{FEED_MILLIS, IDEMPOTENCY_MILLIS};
use tongban_core::port::{
    Commit, Committed, Declared, Feed, FeedCursor, FeedItem, FiledRow, Foreign, IdempotencyRecord,
    KeptMutation, Later, Mend, Page, ParkedPlace, ParkedReply, Planted, Restored, Store,
    StoreError, StoreIdentity, Stored, Upkeep,
};
use tongban_core::publication::Publication;
use tongban_core::summary::{Along, CaseSummary, IndexRow, Search};
use tongban_core::time::Moment;

use super::{check, feed, page};

/// A store in memory.
pub struct MemoryStore {
    secret: Secret,
    epoch: Epoch,
    /// Guards everything that is stored; never held across a wait.
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    epoch: Epoch,
    generation: Option<Generation>,
    restored: Option<Restored>,
    clock_offset: i64,
    revision: CommitNo,
    cases: BTreeMap<CaseId, CaseRow>,
    /// Rows of the families that searches run along.
    rows: BTreeSet<(IndexRow, CaseId)>,
    timers: BTreeSet<(Moment, CaseId)>,
    outbox: BTreeSet<CaseId>,
    numbers: BTreeMap<String, CaseId>,
    idempotency: BTreeMap<Digest, KeptMutation>,
    parked: BTreeMap<ParkedPlace, ParkedReply>,
    foreign: BTreeMap<CaseId, Foreign>,
    /// Steps of versions, by service and number.
    publications: BTreeMap<(ServiceCode, u32), Publication>,
    audited: BTreeMap<u64, Audited>,
    feed: VecDeque<(Moment, FeedItem)>,
    /// Newest commit that the feed has dropped.
    feed_floor: CommitNo,
    closures: BTreeMap<Digest, Vec<u8>>,
}

struct CaseRow {
    entries: Vec<Entry>,
    /// First entry of each commit that wrote some.
    commits: Vec<(CommitNo, Seq)>,
    summary: CaseSummary,
    revision: CommitNo,
}

impl MemoryStore {
    /// Builds an empty store.
    pub fn new(secret: Secret) -> Self {
        Self::open(secret, Arc::default())
    }

    /// Opens the same content again, as after a restart: this handle's epoch is replaced.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self::open(self.secret.clone(), Arc::clone(&self.state))
    }

    fn open(secret: Secret, state: Arc<Mutex<State>>) -> Self {
        let epoch = {
            let mut state = lock(&state);
            state.epoch = Epoch(state.epoch.0 + 1);
            state.epoch
        };
        Self { secret, epoch, state }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("nothing panics under this lock")
}

impl State {
    fn append(&mut self, commit: Commit) -> Result<Committed, StoreError> {
        self.admit(&commit)?;
        self.revision = CommitNo(self.revision.0 + 1);
        let case = commit.case;
        for row in commit.rows_gone {
            self.remove_row(row, case);
        }
        for row in commit.rows_new {
            self.insert_row(row, case);
        }
        for record in commit.idempotency {
            self.idempotency.insert(record.key, (self.revision, record));
        }
        let item = FeedItem {
            commit: self.revision,
            case,
            first: commit.expected.next(),
            last: commit.entries.last().map_or(commit.expected, |entry| entry.seq),
        };
        self.feed.push_back((commit.at, item));
        self.write_case(case, commit.entries, commit.summary);
        Ok(Committed { no: self.revision })
    }

    fn admit(&self, commit: &Commit) -> Result<(), StoreError> {
        if commit.epoch != self.epoch {
            return Err(StoreError::Fenced { ours: commit.epoch, current: self.epoch });
        }
        for record in &commit.idempotency {
            if let Some((_, known)) = self.idempotency.get(&record.key) {
                return Err(StoreError::Remembered(known.clone()));
            }
        }
        self.must_stand_at(commit.case, commit.expected)?;
        self.must_be_free(commit.case, &commit.rows_new)
    }

    fn must_stand_at(&self, case: CaseId, expected: Seq) -> Result<(), StoreError> {
        let found = self.cases.get(&case).map(CaseRow::head);
        if found.unwrap_or_default() == expected {
            return Ok(());
        }
        Err(StoreError::Conflict { case, expected, found })
    }

    fn must_be_free(&self, case: CaseId, rows: &[IndexRow]) -> Result<(), StoreError> {
        for row in rows {
            if let IndexRow::Number { number } = row
                && let Some(owner) = self.numbers.get(number)
                && *owner != case
            {
                return Err(StoreError::NumberTaken(number.clone()));
            }
        }
        Ok(())
    }

    fn write_case(&mut self, case: CaseId, entries: Vec<Entry>, summary: CaseSummary) {
        let summary = CaseSummary { revision: self.revision, ..summary };
        let first = entries.first().map(|entry| (self.revision, entry.seq));
        let commits = first.into_iter().collect();
        let row = CaseRow { entries, commits, summary, revision: self.revision };
        if let Some(known) = self.cases.get_mut(&case) {
            known.entries.extend(row.entries);
            known.commits.extend(row.commits);
            known.summary = row.summary;
            known.revision = row.revision;
        } else {
            self.cases.insert(case, row);
        }
    }

    fn remove_row(&mut self, row: IndexRow, case: CaseId) {
        match row {
            IndexRow::Number { number } => {
                if self.numbers.get(&number) == Some(&case) {
                    self.numbers.remove(&number);
                }
            }
            IndexRow::Timer { due } => {
                self.timers.remove(&(due, case));
            }
            IndexRow::Outbox => {
                self.outbox.remove(&case);
            }
            row @ (IndexRow::Queue { .. }
            | IndexRow::Region { .. }
            | IndexRow::Department { .. }
            | IndexRow::Applicant { .. }
            | IndexRow::Incident { .. }) => {
                self.rows.remove(&(row, case));
            }
        }
    }

    fn insert_row(&mut self, row: IndexRow, case: CaseId) {
        match row {
            IndexRow::Number { number } => {
                self.numbers.insert(number, case);
            }
            IndexRow::Timer { due } => {
                self.timers.insert((due, case));
            }
            IndexRow::Outbox => {
                self.outbox.insert(case);
            }
            row @ (IndexRow::Queue { .. }
            | IndexRow::Region { .. }
            | IndexRow::Department { .. }
            | IndexRow::Applicant { .. }
            | IndexRow::Incident { .. }) => {
                self.rows.insert((row, case));
            }
        }
    }

    fn due(&self, until: Moment, most: usize) -> Vec<CaseId> {
        let mut seen = BTreeSet::new();
        self.timers
            .iter()
            .take_while(|(due, _)| *due <= until)
            .map(|(_, case)| *case)
            .filter(|case| seen.insert(*case))
            .take(most)
            .collect()
    }

    fn search(&self, search: &Search) -> Result<Page<CaseSummary>, StoreError> {
        let after = page::resume(search)?.unwrap_or_default();
        let places: BTreeSet<Vec<u8>> = self
            .rows
            .iter()
            .filter(|(row, _)| runs_along(&search.along, row))
            .filter_map(|(row, case)| page::place(row, *case))
            .filter(|place| place.as_slice() > after)
            .collect();
        page::fill(search, places.into_iter().map(Ok), |case| {
            Ok(self.cases.get(&case).map(|row| row.summary.clone()))
        })
    }

    fn feed(&self, cursor: FeedCursor, most: usize) -> Feed {
        if feed::is_stale(cursor, self.feed_floor, self.revision) {
            return Feed::ResyncRequired(self.revision);
        }
        let items = self.feed.iter().map(|(_, item)| item);
        Feed::Items(items.filter(|item| feed::is_after(item, cursor)).take(most).cloned().collect())
    }

    fn forget(&mut self, now: Moment) -> u64 {
        let feed_before = self.feed.len();
        while let Some((at, item)) = self.feed.front()
            && now.since(*at) > FEED_MILLIS
        {
            self.feed_floor = item.commit;
            self.feed.pop_front();
        }
        let known_before = self.idempotency.len();
        self.idempotency.retain(|_, (_, record)| now.since(record.at) <= IDEMPOTENCY_MILLIS);
        (feed_before - self.feed.len() + known_before - self.idempotency.len()) as u64
    }
}

impl CaseRow {
    fn head(&self) -> Seq {
        self.entries.last().map(|entry| entry.seq).unwrap_or_default()
    }
}

fn runs_along(along: &Along, row: &IndexRow) -> bool {
    match along {
        Along::Queue { region, roles } => matches!(row, IndexRow::Queue { region: at, role, .. }
            if region.covers(at) && roles.includes(role)),
        Along::Region(region) => matches!(row,
            IndexRow::Region { region: at } | IndexRow::Department { region: at, .. }
                if region.covers(at)),
        Along::Department(department, region) => {
            matches!(row, IndexRow::Department { department: of, region: at }
                if department == of && region.covers(at))
        }
        Along::Incident(region) => matches!(row, IndexRow::Incident { region: at }
            if region.covers(at)),
        Along::Applicant(hash) => matches!(row, IndexRow::Applicant { hash: of } if hash == of),
    }
}

impl Store for MemoryStore {
    fn append(&self, commit: Commit) -> Later<'_, Result<Committed, StoreError>> {
        Box::pin(async move {
            check::encode(&commit)?;
            lock(&self.state).append(commit)
        })
    }

    fn load(&self, case: CaseId) -> Later<'_, Result<Option<Stored>, StoreError>> {
        Box::pin(async move {
            let state = lock(&self.state);
            Ok(state.cases.get(&case).map(|row| Stored {
                case,
                entries: row.entries.clone(),
                commits: row.commits.clone(),
                summary: row.summary.clone(),
                revision: row.revision,
            }))
        })
    }

    fn created_at(&self, at: Moment) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move {
            let range = CaseId::new(at, [0; 10])..=CaseId::new(at, [u8::MAX; 10]);
            let state = lock(&self.state);
            Ok(state.cases.range(range).map(|(case, _)| *case).collect())
        })
    }

    fn due(&self, until: Moment, most: usize) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.state).due(until, most)) })
    }

    fn next_due(&self) -> Later<'_, Result<Option<Moment>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.state).timers.first().map(|(due, _)| *due)) })
    }

    fn outbox(
        &self,
        after: Option<CaseId>,
        most: usize,
    ) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move {
            let state = lock(&self.state);
            let later = state.outbox.iter().filter(|case| Some(**case) > after);
            Ok(later.take(most).copied().collect())
        })
    }

    fn by_number(&self, number: String) -> Later<'_, Result<Option<CaseId>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.state).numbers.get(&number).copied()) })
    }

    fn last_number(&self, prefix: String) -> Later<'_, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let state = lock(&self.state);
            let numbers = state.numbers.range(prefix.clone()..);
            Ok(numbers
                .map(|(number, _)| number)
                .take_while(|number| number.starts_with(&prefix))
                .last()
                .cloned())
        })
    }

    fn search(&self, search: Search) -> Later<'_, Result<Page<CaseSummary>, StoreError>> {
        Box::pin(async move { lock(&self.state).search(&search) })
    }

    fn feed(&self, cursor: FeedCursor, most: usize) -> Later<'_, Result<Feed, StoreError>> {
        Box::pin(async move { Ok(lock(&self.state).feed(cursor, most)) })
    }

    fn revision(&self) -> CommitNo {
        lock(&self.state).revision
    }

    fn remembered(&self, key: Digest) -> Later<'_, Result<Option<IdempotencyRecord>, StoreError>> {
        Box::pin(async move {
            let state = lock(&self.state);
            Ok(state.idempotency.get(&key).map(|(_, record)| record.clone()))
        })
    }

    fn remember(&self, record: IdempotencyRecord) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut state = lock(&self.state);
            if let Some((_, known)) = state.idempotency.get(&record.key) {
                return Err(StoreError::Remembered(known.clone()));
            }
            let newest = state.revision;
            state.idempotency.insert(record.key, (newest, record));
            Ok(())
        })
    }

    fn forget(&self, now: Moment) -> Later<'_, Result<u64, StoreError>> {
        Box::pin(async move { Ok(lock(&self.state).forget(now)) })
    }

    fn keep_closure(&self, digest: Digest, sources: Vec<u8>) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.state).closures.entry(digest).or_insert(sources);
            Ok(())
        })
    }

    fn closures(&self) -> Later<'_, Result<Vec<(Digest, Vec<u8>)>, StoreError>> {
        Box::pin(async move {
            let state = lock(&self.state);
            let closures = state.closures.iter();
            Ok(closures.map(|(digest, sources)| (*digest, sources.clone())).collect())
        })
    }

    fn foreign(&self) -> Later<'_, Result<Vec<Foreign>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.state).foreign.values().copied().collect()) })
    }

    fn keep_publication(&self, kept: Publication) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut state = lock(&self.state);
            match state.publications.entry((kept.service.clone(), kept.no)) {
                btree_map::Entry::Vacant(vacant) => {
                    vacant.insert(kept);
                    Ok(())
                }
                btree_map::Entry::Occupied(_) => {
                    Err(StoreError::NumberTaken(format!("{} {}", kept.service, kept.no)))
                }
            }
        })
    }

    fn publications(&self) -> Later<'_, Result<Vec<Publication>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.state).publications.values().cloned().collect()) })
    }

    fn keep_audited(&self, kept: Audited) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            match lock(&self.state).audited.entry(kept.no) {
                btree_map::Entry::Vacant(vacant) => {
                    vacant.insert(kept);
                    Ok(())
                }
                btree_map::Entry::Occupied(_) => Err(StoreError::NumberTaken(kept.no.to_string())),
            }
        })
    }

    fn audited(&self, after: u64, most: usize) -> Later<'_, Result<Vec<Audited>, StoreError>> {
        Box::pin(async move {
            let state = lock(&self.state);
            let later = state.audited.range(after.saturating_add(1)..);
            Ok(later.take(most).map(|(_, kept)| kept.clone()).collect())
        })
    }

    fn last_audited(&self) -> Later<'_, Result<Option<Audited>, StoreError>> {
        Box::pin(async move {
            Ok(lock(&self.state).audited.last_key_value().map(|(_, kept)| kept.clone()))
        })
    }

    fn park(&self, parked: ParkedReply) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.state).parked.entry(parked.place()).or_insert(parked);
            Ok(())
        })
    }

    fn parked(&self) -> Later<'_, Result<Vec<ParkedReply>, StoreError>> {
        Box::pin(async move { Ok(lock(&self.state).parked.values().cloned().collect()) })
    }

    fn unpark(&self, place: ParkedPlace) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.state).parked.remove(&place);
            Ok(())
        })
    }

    fn identity(&self) -> StoreIdentity {
        let state = lock(&self.state);
        StoreIdentity {
            kind: "memory",
            secret: self.secret.clone(),
            epoch: self.epoch,
            clock_offset: state.clock_offset,
            generation: state.generation.unwrap_or(Generation::FIRST),
            restored: state.restored,
        }
    }

    fn keep_clock_offset(&self, millis: i64) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.state).clock_offset = millis;
            Ok(())
        })
    }
}

impl State {
    /// Returns every index row as it is filed, the queues and lists first.
    fn filed(&self) -> Vec<FiledRow> {
        let lists = self.rows.iter().cloned();
        let numbers = self.numbers.iter();
        let numbers =
            numbers.map(|(number, case)| (IndexRow::Number { number: number.clone() }, *case));
        let timers = self.timers.iter().map(|(due, case)| (IndexRow::Timer { due: *due }, *case));
        let outbox = self.outbox.iter().map(|case| (IndexRow::Outbox, *case));
        lists.chain(numbers).chain(timers).chain(outbox).collect()
    }

    fn mend(&mut self, mend: Mend) -> Result<(), StoreError> {
        if mend.epoch != self.epoch {
            return Err(StoreError::Fenced { ours: mend.epoch, current: self.epoch });
        }
        self.must_stand_at(mend.case, mend.expected)?;
        self.must_be_free(mend.case, &mend.rows_new)?;
        for row in mend.rows_gone {
            self.remove_row(row, mend.case);
        }
        for row in mend.rows_new {
            self.insert_row(row, mend.case);
        }
        if let (Some(summary), Some(row)) = (mend.summary, self.cases.get_mut(&mend.case)) {
            row.summary = CaseSummary { revision: row.revision, ..summary };
        }
        Ok(())
    }

    fn plant(&mut self, planted: Planted) -> Result<(), StoreError> {
        self.must_stand_at(planted.case, Seq(0))?;
        self.must_be_free(planted.case, &planted.rows)?;
        let revision = planted.commits.last().map(|(no, _)| *no).unwrap_or_default();
        for row in planted.rows {
            self.insert_row(row, planted.case);
        }
        self.revision = self.revision.max(revision);
        let summary = CaseSummary { revision, ..planted.summary };
        let Planted { case, entries, commits, .. } = planted;
        self.cases.insert(case, CaseRow { entries, commits, summary, revision });
        Ok(())
    }
}

impl Upkeep for MemoryStore {
    fn cases(
        &self,
        after: Option<CaseId>,
        most: usize,
    ) -> Later<'_, Result<Vec<CaseId>, StoreError>> {
        Box::pin(async move {
            let state = lock(&self.state);
            let later = state.cases.keys().filter(|case| Some(**case) > after);
            Ok(later.take(most).copied().collect())
        })
    }

    fn filed(
        &self,
        after: Option<Vec<u8>>,
        most: usize,
    ) -> Later<'_, Result<Page<FiledRow>, StoreError>> {
        Box::pin(async move {
            let place = after.map(|after| after.try_into().map(usize::from_be_bytes));
            let start = place
                .transpose()
                .map_err(|_| StoreError::NotIndexed("page cursor of another walk".to_owned()))?;
            let start = start.unwrap_or_default();
            let rows = lock(&self.state).filed();
            let end = rows.len().min(start.saturating_add(most));
            let next = (end < rows.len()).then(|| end.to_be_bytes().to_vec());
            Ok(Page { items: rows[start.min(end)..end].to_vec(), next })
        })
    }

    fn mutations(
        &self,
        after: Option<Digest>,
        most: usize,
    ) -> Later<'_, Result<Vec<KeptMutation>, StoreError>> {
        Box::pin(async move {
            let state = lock(&self.state);
            let later = state.idempotency.iter().filter(|(key, _)| Some(**key) > after);
            Ok(later.take(most).map(|(_, kept)| kept.clone()).collect())
        })
    }

    fn mend(&self, mend: Mend) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move { lock(&self.state).mend(mend) })
    }

    fn begin_feed_anew(&self) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut state = lock(&self.state);
            state.feed_floor = state.revision;
            state.feed.clear();
            Ok(())
        })
    }

    fn plant(&self, planted: Planted) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            check::encode_planted(&planted)?;
            lock(&self.state).plant(planted)
        })
    }

    fn keep_mutations(&self, kept: Vec<KeptMutation>) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut state = lock(&self.state);
            for (commit, record) in kept {
                state.idempotency.insert(record.key, (commit, record));
            }
            Ok(())
        })
    }

    fn keep_foreign(&self, foreign: Foreign) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            lock(&self.state).foreign.insert(foreign.case, foreign);
            Ok(())
        })
    }

    fn declare_restored(&self, declared: Declared) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut state = lock(&self.state);
            let Declared { generation, restored, clock_offset } = declared;
            state.generation = Some(generation);
            state.restored = Some(restored);
            state.clock_offset = clock_offset;
            state.revision = state.revision.max(restored.cut);
            state.feed_floor = state.revision;
            state.feed.clear();
            state.epoch = state.epoch.max(generation.first_epoch());
            Ok(())
        })
    }
}
