//! Comparing what is stored beside a log with what the log says, and putting it right.
//!
//! A first walk goes over the cases: fold, summary, files, scripts. A second goes over the index
//! rows and a third over the feed, each against short marks of what the first one expects, so
//! that a store of a million cases is checked within some hundred bytes per case. Every case is
//! mended by itself and at once; a rebuild that was cut short is simply begun again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures_util::StreamExt as _;
use tongban_core::case::Case;
use tongban_core::digest::Digest;
use tongban_core::files::{Named, named};
use tongban_core::id::{CaseId, CommitNo, Seq};
use tongban_core::limits::PAGE_MAX;
use tongban_core::port::{Feed, FeedCursor, FeedItem, FiledRow, Mend, StoreError, Stored, Upkeep};
use tongban_core::read_model;
use tongban_core::summary::{CaseSummary, IndexRow, mask_id};
use tongban_core::wire;

use crate::blob::{BlobError, Blobs};
use crate::standing::Standing;

/// Rows and feed items of one step of a walk.
const STEP: usize = 1_000;

/// What a check rests on.
#[derive(Clone, Copy)]
pub struct Premises<'a> {
    /// The store; nobody else writes to it meanwhile.
    pub store: &'a dyn Upkeep,
    /// Where the files of cases are; without it they are not looked at.
    pub blobs: Option<&'a Blobs>,
    /// Calendars and organisation in force.
    pub standing: &'a Standing,
}

/// A kind of stored rows.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Family {
    /// The log itself; only a backup mends it.
    Log,
    /// The summary of a case.
    Summary,
    /// Queues of open tasks.
    Queue,
    /// Lists by region.
    Region,
    /// Lists by department.
    Department,
    /// Lists by applicant.
    Applicant,
    /// Public numbers.
    Number,
    /// Times at which cases are looked at.
    Timer,
    /// Cases with calls that are not over.
    Outbox,
    /// Cases with incidents that nobody has ended.
    Incident,
    /// The event feed.
    Feed,
    /// Commit numbers; only a backup mends them.
    Counter,
    /// Files that a log names; only a backup mends them.
    File,
    /// Scripts that a case is pinned to; only a backup mends them.
    Closure,
}

impl Family {
    /// Every family with its code.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::Log, "log"),
        (Self::Summary, "summary"),
        (Self::Queue, "queue"),
        (Self::Region, "region"),
        (Self::Department, "department"),
        (Self::Applicant, "applicant"),
        (Self::Number, "number"),
        (Self::Timer, "timer"),
        (Self::Outbox, "outbox"),
        (Self::Incident, "incident"),
        (Self::Feed, "feed"),
        (Self::Counter, "counter"),
        (Self::File, "file"),
        (Self::Closure, "closure"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(family, _)| *family == self).map_or("", |(_, code)| code)
    }

    /// Tells whether a rebuild can put it right.
    pub fn is_derived(self) -> bool {
        !matches!(self, Self::Log | Self::Counter | Self::File | Self::Closure)
    }

    fn of(row: &IndexRow) -> Self {
        match row {
            IndexRow::Queue { .. } => Self::Queue,
            IndexRow::Region { .. } => Self::Region,
            IndexRow::Department { .. } => Self::Department,
            IndexRow::Applicant { .. } => Self::Applicant,
            IndexRow::Number { .. } => Self::Number,
            IndexRow::Timer { .. } => Self::Timer,
            IndexRow::Outbox => Self::Outbox,
            IndexRow::Incident { .. } => Self::Incident,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Something that is stored otherwise than the log says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// The case; none for what belongs to the whole store.
    pub case: Option<CaseId>,
    /// The kind of row.
    pub family: Family,
    /// What the log says; empty for a row that should not be.
    pub expected: String,
    /// What is stored; empty for a row that is missing.
    pub got: String,
}

/// What a check came to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Cases that were folded.
    pub cases: u64,
    /// Entries of them.
    pub entries: u64,
    /// Index rows that were looked at.
    pub rows: u64,
    /// Feed items that were looked at.
    pub feed_items: u64,
    /// Files that were read.
    pub files: u64,
    /// Open cases whose times were read from another calendar than the one in force; the engine
    /// reads them anew by itself.
    pub behind: u64,
    /// What differs.
    pub differences: Vec<Difference>,
    /// Cases that a rebuild has put right.
    pub mended: u64,
}

impl Report {
    /// Tells whether nothing differs that a rebuild has not put right.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }
}

/// How far a walk has come, told now and then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// Cases so far.
    pub cases: u64,
    /// Differences so far.
    pub differences: usize,
}

/// Whether what differs is put right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    Compare,
    PutRight,
}

/// Compares everything that is stored beside the logs with what the logs say.
///
/// # Errors
/// [`StoreError`] when the store cannot be read; a damaged case is a difference.
pub async fn check(
    premises: Premises<'_>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, StoreError> {
    Walk::new(premises, Mode::Compare).run(progress).await
}

/// Puts derived data right, one case after the other, and returns what it found wrong. Begin it
/// again after an interruption: what is right already is passed by.
///
/// # Errors
/// As [`check`], and when the store cannot be written.
pub async fn rebuild(
    premises: Premises<'_>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, StoreError> {
    Walk::new(premises, Mode::PutRight).run(progress).await
}

/// A short mark of a row or feed item that is expected.
type Mark = [u8; 16];

fn mark<T: serde::Serialize>(of: &T) -> Mark {
    let digest = Digest::of(&wire::encode(of));
    let (mark, _) = digest.0.split_first_chunk().expect("a digest is longer than a mark");
    *mark
}

struct Walk<'a> {
    premises: Premises<'a>,
    mode: Mode,
    report: Report,
    /// Rows that the logs lead to, and whose they are.
    rows: BTreeMap<Mark, CaseId>,
    /// Feed items that the logs lead to, by commit.
    items: BTreeMap<CommitNo, Mark>,
    commits: u64,
    newest: CommitNo,
    closures: BTreeSet<Digest>,
    /// What the second walk wants to be mended.
    mends: BTreeMap<CaseId, (Vec<IndexRow>, Vec<IndexRow>)>,
}

impl<'a> Walk<'a> {
    fn new(premises: Premises<'a>, mode: Mode) -> Self {
        Self {
            premises,
            mode,
            report: Report::default(),
            rows: BTreeMap::new(),
            items: BTreeMap::new(),
            commits: 0,
            newest: CommitNo::default(),
            closures: BTreeSet::new(),
            mends: BTreeMap::new(),
        }
    }

    async fn run(
        mut self,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Report, StoreError> {
        let kept = self.premises.store.closures().await;
        match kept {
            Ok(kept) => self.closures.extend(kept.into_iter().map(|(digest, _)| digest)),
            Err(error) => self.damaged(None, Family::Closure, error)?,
        }
        let mut after = None;
        loop {
            let page = self.premises.store.cases(after, PAGE_MAX).await?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            for case in page {
                self.look_at(case).await?;
            }
            progress(Progress {
                cases: self.report.cases,
                differences: self.report.differences.len(),
            });
        }
        self.look_at_rows().await?;
        self.look_at_feed().await?;
        self.look_at_counters();
        if self.mode == Mode::PutRight {
            self.mend_rows().await?;
        }
        Ok(self.report)
    }

    fn differs(&mut self, case: Option<CaseId>, family: Family, (expected, got): (String, String)) {
        self.report.differences.push(Difference { case, family, expected, got });
    }

    /// Notes damage as a difference; any other failure ends the walk.
    fn damaged(
        &mut self,
        case: Option<CaseId>,
        family: Family,
        error: StoreError,
    ) -> Result<(), StoreError> {
        let StoreError::Damaged { what } = error else { return Err(error) };
        self.differs(case, family, (String::new(), what));
        Ok(())
    }

    async fn look_at(&mut self, id: CaseId) -> Result<(), StoreError> {
        let stored = match self.premises.store.load(id).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Ok(()),
            Err(error) => return self.damaged(Some(id), Family::Log, error),
        };
        self.report.cases += 1;
        self.report.entries += stored.entries.len() as u64;
        self.expect_items(&stored);
        let case = match Case::from_entries(id, &stored.entries) {
            Ok(case) => case,
            Err(error) => {
                self.differs(Some(id), Family::Log, (String::new(), error.to_string()));
                return Ok(());
            }
        };
        let digest = case.started.closure;
        if !self.closures.contains(&digest) {
            self.differs(Some(id), Family::Closure, (digest.to_string(), String::new()));
        }
        let expected = self.summary(&case, &stored.summary);
        let secret = &self.premises.store.identity().secret;
        let rows = read_model::rows(&expected, secret);
        self.rows.extend(rows.iter().map(|row| (mark(&(row, id)), id)));
        self.compare_summary(&stored, expected, &rows).await?;
        self.look_at_files(&stored).await
    }

    /// Returns the summary that the log leads to.
    fn summary(&mut self, case: &Case, stored: &CaseSummary) -> CaseSummary {
        let reading = self.premises.standing.reading(case.updated_at);
        let mut expected = read_model::summarise(case, reading);
        expected.revision = stored.revision;
        // A turn that is owed for a reason of the machine leaves no entry, and a notice is issued
        // only where there is a seal: a row too many costs one look.
        expected.outbox |= stored.outbox;
        if expected.calendar != stored.calendar {
            self.report.behind += u64::from(expected.matters.iter().any(|matter| matter.open));
            expected.calendar.clone_from(&stored.calendar);
            expected.next_due = stored.next_due;
            for task in &mut expected.tasks {
                let known = stored.tasks.iter().find(|known| known.no == task.no);
                task.due_at = known.and_then(|known| known.due_at);
            }
        }
        expected
    }

    async fn compare_summary(
        &mut self,
        stored: &Stored,
        expected: CaseSummary,
        rows: &BTreeSet<IndexRow>,
    ) -> Result<(), StoreError> {
        if stored.summary == expected {
            return Ok(());
        }
        for (member, wanted, got) in members(&expected, &stored.summary) {
            let told = (format!("{member}: {wanted}"), format!("{member}: {got}"));
            self.differs(Some(stored.case), Family::Summary, told);
        }
        if self.mode == Mode::Compare {
            return Ok(());
        }
        let store = self.premises.store;
        let identity = store.identity();
        let before = read_model::rows(&stored.summary, &identity.secret);
        let mend = Mend {
            case: stored.case,
            expected: head(stored),
            epoch: identity.epoch,
            summary: Some(expected),
            rows_gone: before.difference(rows).cloned().collect(),
            rows_new: rows.difference(&before).cloned().collect(),
        };
        store.mend(mend).await?;
        self.report.mended += 1;
        Ok(())
    }

    async fn look_at_files(&mut self, stored: &Stored) -> Result<(), StoreError> {
        let Some(blobs) = self.premises.blobs else { return Ok(()) };
        for (digest, sure) in named(&stored.entries) {
            let found = whole(blobs, stored.case, digest).await;
            match found {
                Ok(true) => self.report.files += 1,
                Ok(false) if sure == Named::ByDigest => {}
                Ok(false) => {
                    let told = (digest.to_string(), String::new());
                    self.differs(Some(stored.case), Family::File, told);
                }
                Err(error @ BlobError::Damaged { .. }) => {
                    let told = (digest.to_string(), error.to_string());
                    self.differs(Some(stored.case), Family::File, told);
                }
                Err(error) => return Err(StoreError::Unavailable(error.to_string())),
            }
        }
        Ok(())
    }

    fn expect_items(&mut self, stored: &Stored) {
        let last = head(stored);
        let ends = stored.commits.iter().skip(1).map(|(_, first)| Seq(first.0 - 1));
        for ((no, first), last) in stored.commits.iter().zip(ends.chain([last])) {
            let item = FeedItem { commit: *no, case: stored.case, first: *first, last };
            self.items.insert(*no, mark(&item));
            self.commits += 1;
            self.newest = self.newest.max(*no);
        }
    }

    async fn look_at_rows(&mut self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = match self.premises.store.filed(after, STEP).await {
                Ok(page) => page,
                Err(error) => return self.damaged(None, Family::Log, error),
            };
            for filed in &page.items {
                self.report.rows += 1;
                if self.rows.remove(&mark(filed)).is_none() {
                    let (row, case) = filed;
                    let told = (String::new(), shown(row));
                    self.differs(Some(*case), Family::of(row), told);
                    self.mends.entry(*case).or_default().0.push(row.clone());
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.look_for_missing().await
    }

    /// What nothing was filed for: each case is read once more to say which row it is.
    async fn look_for_missing(&mut self) -> Result<(), StoreError> {
        let missing = std::mem::take(&mut self.rows);
        let cases: BTreeSet<CaseId> = missing.values().copied().collect();
        for id in cases {
            let Some(stored) = self.premises.store.load(id).await? else { continue };
            let Ok(case) = Case::from_entries(id, &stored.entries) else { continue };
            let behind = self.report.behind;
            let expected = self.summary(&case, &stored.summary);
            self.report.behind = behind;
            let secret = &self.premises.store.identity().secret;
            for row in read_model::rows(&expected, secret) {
                let filed: FiledRow = (row, id);
                if missing.contains_key(&mark(&filed)) {
                    let told = (shown(&filed.0), String::new());
                    self.differs(Some(id), Family::of(&filed.0), told);
                    self.mends.entry(id).or_default().1.push(filed.0);
                }
            }
        }
        Ok(())
    }

    async fn look_at_feed(&mut self) -> Result<(), StoreError> {
        let store = self.premises.store;
        let floor = floor(store).await?;
        let mut cursor = FeedCursor { commit: floor, index: u32::MAX };
        let before = self.report.differences.len();
        self.items.retain(|no, _| *no > floor);
        loop {
            let items = match store.feed(cursor, STEP).await {
                Ok(Feed::Items(items)) => items,
                Ok(Feed::ResyncRequired(_)) => Vec::new(),
                Err(error) => {
                    self.damaged(None, Family::Feed, error)?;
                    break;
                }
            };
            let Some(last) = items.last() else { break };
            cursor = FeedCursor { commit: last.commit, index: u32::MAX };
            for item in &items {
                self.report.feed_items += 1;
                let expected = self.items.remove(&item.commit);
                if expected != Some(mark(item)) {
                    let got = format!("commit {} {}..{}", item.commit.0, item.first, item.last);
                    self.differs(Some(item.case), Family::Feed, (String::new(), got));
                }
            }
        }
        for no in std::mem::take(&mut self.items).into_keys() {
            self.differs(None, Family::Feed, (format!("commit {}", no.0), String::new()));
        }
        if self.mode == Mode::PutRight && self.report.differences.len() > before {
            store.begin_feed_anew().await?;
            self.report.mended += 1;
        }
        Ok(())
    }

    /// Commit numbers have no gap, and the store's revision is the last of them.
    fn look_at_counters(&mut self) {
        let revision = self.premises.store.revision();
        if revision != self.newest {
            let told = (format!("revision {}", self.newest.0), format!("revision {}", revision.0));
            self.differs(None, Family::Counter, told);
        }
        if self.commits != self.newest.0 {
            let told = (format!("{} commits", self.newest.0), format!("{} commits", self.commits));
            self.differs(None, Family::Counter, told);
        }
    }

    async fn mend_rows(&mut self) -> Result<(), StoreError> {
        let mends = std::mem::take(&mut self.mends);
        // What should not be goes first: a number must be free before its case can have it.
        for (case, (gone, _)) in mends.iter().filter(|(_, (gone, _))| !gone.is_empty()) {
            self.mend_case(*case, (gone.clone(), Vec::new())).await?;
        }
        for (case, (_, new)) in mends.iter().filter(|(_, (_, new))| !new.is_empty()) {
            self.mend_case(*case, (Vec::new(), new.clone())).await?;
        }
        self.report.mended += mends.len() as u64;
        Ok(())
    }

    async fn mend_case(
        &self,
        case: CaseId,
        (rows_gone, rows_new): (Vec<IndexRow>, Vec<IndexRow>),
    ) -> Result<(), StoreError> {
        let store = self.premises.store;
        let stored = match store.load(case).await {
            Ok(stored) => stored,
            // Its log has to come from a backup first.
            Err(StoreError::Damaged { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mend = Mend {
            case,
            expected: stored.as_ref().map(head).unwrap_or_default(),
            epoch: store.identity().epoch,
            summary: None,
            rows_gone,
            rows_new,
        };
        store.mend(mend).await
    }
}

fn head(stored: &Stored) -> Seq {
    stored.entries.last().map(|entry| entry.seq).unwrap_or_default()
}

/// Finds the newest commit that the feed has dropped.
async fn floor(store: &dyn Upkeep) -> Result<CommitNo, StoreError> {
    let (mut low, mut high) = (0, store.revision().0);
    while low < high {
        let middle = low.midpoint(high);
        let cursor = FeedCursor { commit: CommitNo(middle), index: u32::MAX };
        match store.feed(cursor, 0).await? {
            Feed::Items(_) => high = middle,
            Feed::ResyncRequired(_) => low = middle + 1,
        }
    }
    Ok(CommitNo(low))
}

/// Reads a file to its end; `false` when the case has none of that digest.
async fn whole(blobs: &Blobs, case: CaseId, digest: Digest) -> Result<bool, BlobError> {
    let Some(mut reader) = blobs.get(case, digest).await? else { return Ok(false) };
    while let Some(chunk) = reader.stream.next().await {
        chunk?;
    }
    Ok(true)
}

/// Returns the members of two summaries that differ, in a form that names nobody.
fn members(expected: &CaseSummary, got: &CaseSummary) -> Vec<(String, String, String)> {
    let (expected, got) = (plain(expected), plain(got));
    let names: BTreeSet<&String> = expected.keys().chain(got.keys()).collect();
    let text = |map: &serde_json::Map<String, serde_json::Value>, name: &str| {
        map.get(name).map_or_else(String::new, ToString::to_string)
    };
    let mut members: Vec<_> = names
        .into_iter()
        .filter(|name| expected.get(*name) != got.get(*name))
        .map(|name| (name.clone(), text(&expected, name), text(&got, name)))
        .collect();
    if members.is_empty() {
        // The two differ in what is masked here.
        members.push(("applicant".to_owned(), "*".to_owned(), "*".to_owned()));
    }
    members
}

fn plain(summary: &CaseSummary) -> serde_json::Map<String, serde_json::Value> {
    let mut summary = summary.clone();
    summary.scope.applicant = mask_id(&summary.scope.applicant);
    match serde_json::to_value(&summary) {
        Ok(serde_json::Value::Object(members)) => members,
        Ok(_) | Err(_) => serde_json::Map::new(),
    }
}

fn shown(row: &IndexRow) -> String {
    match row {
        IndexRow::Queue { region, role, due, task } => format!("{role} {region} {due} {task}"),
        IndexRow::Region { region } | IndexRow::Incident { region } => region.to_string(),
        IndexRow::Department { department, region } => format!("{department} {region}"),
        IndexRow::Applicant { hash } => hash.to_string(),
        IndexRow::Number { number } => number.clone(),
        IndexRow::Timer { due } => due.to_string(),
        IndexRow::Outbox => "outbox".to_owned(),
    }
}
