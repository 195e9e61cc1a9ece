//! Reads: from the tree, never from memory of our own.
//!
//! Single gets are quick enough for an async body; whatever walks many records is called on a
//! blocking thread. Nothing here takes a snapshot: a walk may meet commits that happen meanwhile,
//! so each piece is read such that a newer one beside it does no harm.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use tongban_core::entry::Entry;
use tongban_core::id::{CaseId, CommitNo, Seq};
use tongban_core::port::{Feed, FeedCursor, Page, StoreError, Stored};
use tongban_core::summary::{CaseSummary, Search};
use tongban_core::time::Moment;
use tongban_core::wire;

use super::committer::FeedRecord;
use super::disk::{self, Disk};
use super::key::{self, Scope, Step};
use super::record::{self, Head, Item};
use crate::store::{feed, page};

/// A case's journal as stored, undecoded.
pub(super) struct Journal {
    case: CaseId,
    head: Seq,
    /// Commit that wrote the newest entry.
    pub(super) commit: CommitNo,
    summary: CaseSummary,
    pieces: Vec<Vec<u8>>,
}

impl Journal {
    /// Tells whether reading it means reading files.
    pub(super) fn has_blobs(&self) -> bool {
        let mut items = self.pieces.iter().flat_map(|piece| record::items(piece));
        items.any(|(item, _)| matches!(item, Item::Blob(_)))
    }
}

impl Disk {
    /// Reads a case's journal.
    pub(super) fn journal(&self, case: CaseId) -> Result<Option<Journal>, StoreError> {
        let head_key = key::head(case);
        let Some(bytes) = self.get(&head_key)? else {
            return Ok(None);
        };
        let head = disk::head(&head_key, &bytes)?;
        let summary = self.summary_in(case, &head)?;
        let Head { facts, tail, .. } = head;
        let mut pieces = Vec::new();
        for no in 0..facts.chunks {
            let key = key::chunk(case, no);
            let chunk = self.get(&key)?;
            pieces.push(chunk.ok_or_else(|| disk::damaged("missing chunk", &key))?);
        }
        pieces.push(tail.to_vec());
        Ok(Some(Journal { case, head: facts.head, commit: facts.commit, summary, pieces }))
    }

    /// Decodes a journal.
    ///
    /// A chunk may have been filled up after the head was read; what it holds beyond the head
    /// is left for the next load, and what the tail repeats is skipped.
    pub(super) fn decode(&self, journal: &Journal) -> Result<Stored, StoreError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut commits = Vec::new();
        let mut commit = CommitNo::default();
        let mut last = Seq::default();
        for piece in &journal.pieces {
            let mut items = record::items(piece);
            for (item, _) in items.by_ref() {
                let Some(entry) = self.entry(journal.case, item, &mut commit)? else { continue };
                if entry.seq <= last || entry.seq > journal.head {
                    continue;
                }
                if entry.seq != last.next() {
                    return Err(gap(journal.case, last));
                }
                last = entry.seq;
                if commits.last().is_none_or(|(known, _)| *known != commit) {
                    commits.push((commit, last));
                }
                entries.push(entry);
            }
            if items.is_torn() {
                return Err(gap(journal.case, last));
            }
        }
        if last != journal.head {
            return Err(gap(journal.case, last));
        }
        Ok(Stored {
            case: journal.case,
            entries,
            commits,
            summary: journal.summary.clone(),
            revision: journal.commit,
        })
    }

    /// Decodes an item: an entry, or the number of the commit that wrote those after it.
    fn entry(
        &self,
        case: CaseId,
        item: Item<'_>,
        commit: &mut CommitNo,
    ) -> Result<Option<Entry>, StoreError> {
        let decoded = match item {
            Item::Commit(no) => {
                *commit = no;
                return Ok(None);
            }
            Item::Entry(bytes) => wire::decode(bytes),
            Item::Blob(digest) => wire::decode(&self.blob(case, digest)?),
        };
        decoded
            .map(Some)
            .map_err(|error| StoreError::Damaged { what: format!("entry of {case}: {error}") })
    }

    /// Reads the summary of a case, without its entries.
    pub(super) fn summary(&self, case: CaseId) -> Result<Option<CaseSummary>, StoreError> {
        let head_key = key::head(case);
        let Some(bytes) = self.get(&head_key)? else {
            return Ok(None);
        };
        self.summary_in(case, &disk::head(&head_key, &bytes)?).map(Some)
    }

    fn summary_in(&self, case: CaseId, head: &Head<'_>) -> Result<CaseSummary, StoreError> {
        let facts = &head.facts;
        let mut encoded = head.summary.to_vec();
        for no in 0..facts.summary_parts {
            let key = key::summary(case, no);
            let part = self.get(&key)?;
            encoded.extend(part.ok_or_else(|| disk::damaged("missing summary", &key))?);
        }
        let mut summary: CaseSummary =
            wire::decode(&encoded).map_err(|_| disk::damaged("summary", &key::head(case)))?;
        summary.revision = facts.commit;
        Ok(summary)
    }

    /// Walks the keys of a range.
    fn keys(
        &self,
        from: Vec<u8>,
        to: Vec<u8>,
    ) -> impl Iterator<Item = Result<::sled::IVec, StoreError>> + use<> {
        let walk = self.db.range(from..to).keys();
        walk.map(|key| key.map_err(|error| disk::broken(&error)))
    }

    /// Reads the cases created in one millisecond.
    pub(super) fn created_at(&self, at: Moment) -> Result<Vec<CaseId>, StoreError> {
        let prefix = key::created_at(at);
        let keys = self.keys(prefix.clone(), key::end_of(&prefix));
        keys.filter_map(|key| key.map(|key| key::case_of_head(&key)).transpose()).collect()
    }

    /// Reads timers, earliest first.
    pub(super) fn timers(&self) -> impl Iterator<Item = Result<(Moment, CaseId), StoreError>> {
        let prefix = key::timers();
        let keys = self.keys(prefix.clone(), key::end_of(&prefix));
        keys.map(|key| {
            let key = key?;
            key::due_of_timer(&key).ok_or_else(|| disk::damaged("timer", &key))
        })
    }

    /// Reads the cases whose timer is due.
    pub(super) fn due(&self, until: Moment, most: usize) -> Result<Vec<CaseId>, StoreError> {
        let mut seen = BTreeSet::new();
        let mut cases = Vec::new();
        for timer in self.timers() {
            let (due, case) = timer?;
            if due > until || cases.len() == most {
                break;
            }
            if seen.insert(case) {
                cases.push(case);
            }
        }
        Ok(cases)
    }

    /// Reads the cases with calls that are not over.
    pub(super) fn outboxes(
        &self,
        after: Option<CaseId>,
        most: usize,
    ) -> Result<Vec<CaseId>, StoreError> {
        let prefix = key::outboxes();
        let from =
            after.map_or_else(|| prefix.clone(), |case| [key::outbox(case), vec![0]].concat());
        let keys = self.keys(from, key::end_of(&prefix)).take(most);
        keys.map(|key| {
            let key = key?;
            key::case_of_outbox(&key).ok_or_else(|| disk::damaged("outbox row", &key))
        })
        .collect()
    }

    /// Reads the case with a public number.
    pub(super) fn by_number(&self, number: &str) -> Result<Option<CaseId>, StoreError> {
        let key = key::number(number);
        let owner = self.get(&key)?;
        owner
            .map(|owner| {
                let id = owner.try_into();
                id.map(CaseId).map_err(|_| disk::damaged("case number", &key))
            })
            .transpose()
    }

    /// Reads the largest public number with a prefix.
    pub(super) fn last_number(&self, prefix: &str) -> Result<Option<String>, StoreError> {
        let from = key::number(prefix);
        let to = key::end_of(&from);
        let Some(last) = self.db.range(from..to).next_back() else {
            return Ok(None);
        };
        let (key, _) = last.map_err(|error| disk::broken(&error))?;
        Ok(key::text_of_number(&key))
    }

    /// Reads the newest commit that the feed has dropped.
    pub(super) fn feed_floor(&self) -> Result<CommitNo, StoreError> {
        let floor = self.get(key::FEED_FLOOR)?;
        let bytes = floor.map_or(Ok([0; 8]), TryInto::try_into);
        bytes
            .map(|bytes| CommitNo(u64::from_be_bytes(bytes)))
            .map_err(|_| disk::damaged("feed floor", key::FEED_FLOOR))
    }

    /// Walks the feed records from the one that holds `from`.
    pub(super) fn feed_records(
        &self,
        from: CommitNo,
    ) -> impl Iterator<Item = Result<(Vec<u8>, FeedRecord), StoreError>> + '_ {
        let walk = self.db.range(key::feed(from)..key::end_of(key::FEED_PREFIX));
        walk.map(|pair| {
            let (key, record) = pair.map_err(|error| disk::broken(&error))?;
            let payload = self.open(&key, &record)?;
            let record = wire::decode(&payload).map_err(|_| disk::damaged("feed record", &key))?;
            Ok((key.to_vec(), record))
        })
    }

    /// Reads the feed, as far as it is on disk.
    pub(super) fn feed(&self, cursor: FeedCursor, most: usize) -> Result<Feed, StoreError> {
        let newest = self.newest();
        if feed::is_stale(cursor, self.feed_floor()?, newest) {
            return Ok(Feed::ResyncRequired(newest));
        }
        let mut shown = Vec::new();
        for record in self.feed_records(cursor.commit) {
            let (_, record) = record?;
            for item in record.items {
                if shown.len() == most || item.commit > newest {
                    return Ok(Feed::Items(shown));
                }
                if feed::is_after(&item, cursor) {
                    shown.push(item);
                }
            }
        }
        Ok(Feed::Items(shown))
    }

    /// Runs a search. Walks many records: call it on a blocking thread.
    pub(super) fn search(&self, search: &Search) -> Result<Page<CaseSummary>, StoreError> {
        let after = page::resume(search)?.unwrap_or_default();
        let mut lanes = Vec::new();
        for scope in key::scopes(&search.along) {
            self.find_lanes(&scope, &mut lanes)?;
        }
        let places = Places::open(self, &lanes, after);
        page::fill(search, places, |case| self.summary(case))
    }

    /// Finds the lanes of a scope that have rows, by seeking from each to the next.
    fn find_lanes(&self, scope: &Scope, lanes: &mut Vec<Vec<u8>>) -> Result<(), StoreError> {
        let end = key::end_of(&scope.prefix);
        let mut from = scope.prefix.clone();
        while let Some(key) = self.keys(from, end.clone()).next() {
            let key = key?;
            match scope.step(&key).ok_or_else(|| disk::damaged("index row", &key))? {
                Step::Lane(lane) => {
                    from = key::end_of(&lane);
                    lanes.push(lane);
                }
                Step::Seek(to) => from = to,
            }
        }
        Ok(())
    }
}

fn gap(case: CaseId, after: Seq) -> StoreError {
    StoreError::Damaged { what: format!("the journal of {case} breaks off after entry {after}") }
}

type Keys = Box<dyn Iterator<Item = Result<::sled::IVec, StoreError>>>;

/// The places of several lanes, merged in order.
struct Places {
    /// What is left of each lane, and how long the lane's own prefix is.
    lanes: Vec<(Keys, usize)>,
    /// The next place of each lane, smallest first.
    next: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    /// The place given last: a case may stand in several lanes at the same place.
    last: Option<Vec<u8>>,
    /// A failure met while looking ahead, told once.
    failed: Option<StoreError>,
}

impl Places {
    fn open(disk: &Disk, lanes: &[Vec<u8>], after: &[u8]) -> Self {
        let mut places =
            Self { lanes: Vec::new(), next: BinaryHeap::new(), last: None, failed: None };
        for (index, lane) in lanes.iter().enumerate() {
            let mut from = [lane.as_slice(), after].concat();
            if !after.is_empty() {
                from.push(0);
            }
            let keys = disk.keys(from, key::end_of(lane));
            places.lanes.push((Box::new(keys), lane.len()));
            places.look_ahead(index);
        }
        places
    }

    fn look_ahead(&mut self, index: usize) {
        let (keys, prefix) = &mut self.lanes[index];
        match keys.next() {
            Some(Ok(key)) => {
                let place = key.get(*prefix..).unwrap_or_default().to_vec();
                self.next.push(Reverse((place, index)));
            }
            Some(Err(error)) => self.failed = Some(error),
            None => {}
        }
    }
}

impl Iterator for Places {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            let Reverse((place, index)) = self.next.pop()?;
            self.look_ahead(index);
            if self.last.as_ref() != Some(&place) {
                self.last = Some(place.clone());
                return Some(Ok(place));
            }
        }
    }
}
