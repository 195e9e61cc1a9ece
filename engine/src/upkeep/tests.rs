//! Checks find exactly what is wrong, rebuilds mend it, backups carry everything.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tongban_core::case::Case;
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{Body, Entry};
use tongban_core::id::{CaseId, CommitNo, DepartmentCode, Generation, MatterNo, Seq};
use tongban_core::law::ActKind;
use tongban_core::material::MaterialGiven;
use tongban_core::port::{Commit, Feed, FeedCursor, Mend, Upkeep};
use tongban_core::read_model;
use tongban_core::summary::{CaseState, IndexRow};
use tongban_core::time::Moment;

use super::*;
use crate::blob::Blobs;
use crate::conformance::sample::{
    Draft, case_id, case_number, entry, nine_o_clock, parked_case, queue_row, region_row, timer_row,
};
use crate::reference::References;
use crate::standing::Standing;
use crate::store::MemoryStore;

fn memory() -> Arc<dyn Upkeep> {
    Arc::new(MemoryStore::new(Secret::new([7; 32])))
}

fn silent() -> impl FnMut(Progress) + Send {
    |_| {}
}

/// Commits entries with the read model that they lead to, as a turn does.
async fn commit(store: &dyn Upkeep, id: CaseId, new: &[Entry]) -> CommitNo {
    let standing = Standing::default();
    let stored = store.load(id).await.unwrap();
    let mut entries = stored.as_ref().map(|stored| stored.entries.clone()).unwrap_or_default();
    let expected = entries.last().map(|entry| entry.seq).unwrap_or_default();
    entries.extend_from_slice(new);
    let case = Case::from_entries(id, &entries).unwrap();
    let summary = read_model::summarise(&case, standing.reading(case.updated_at));
    let secret = store.identity().secret;
    let before = stored.map(|stored| read_model::rows(&stored.summary, &secret));
    let (before, after) = (before.unwrap_or_default(), read_model::rows(&summary, &secret));
    let committed = store.append(Commit {
        case: id,
        expected,
        epoch: store.identity().epoch,
        at: case.updated_at,
        entries: new.to_vec(),
        summary,
        rows_gone: before.difference(&after).cloned().collect(),
        rows_new: after.difference(&before).cloned().collect(),
        idempotency: Vec::new(),
    });
    committed.await.unwrap().no
}

/// Returns a log that folds: eight matters accepted and called for, one call not answered, one
/// task open.
#[expect(clippy::wildcard_enum_match_arm, reason = "a log without what two kinds of entry say")]
fn log(no: u32) -> Vec<Entry> {
    let last = |entry: &Entry| entry.matter == MatterNo(8);
    let is_kept = |entry: &Entry| match &entry.body {
        Body::Acted { act, .. } => act.kind != ActKind::Grant,
        Body::CallReplied(_) => !last(entry),
        body => !matches!(body, Body::InputArrived { .. } | Body::RunFinished { .. }),
    };
    let kept = parked_case(no).into_iter().filter(is_kept);
    (1..).map(Seq).zip(kept).map(|(seq, entry)| Entry { seq, ..entry }).collect()
}

/// Returns the head that [`log`] leaves.
fn head() -> u32 {
    u32::try_from(log(1).len()).unwrap()
}

/// Starts a parked case.
async fn park(store: &dyn Upkeep, no: u32) {
    let entries = log(no);
    for turn in entries.chunks(7) {
        commit(store, case_id(no), turn).await;
    }
}

async fn checked(store: &dyn Upkeep) -> Report {
    let standing = Standing::default();
    let premises = Premises { store, blobs: None, standing: &standing };
    check(premises, &mut silent()).await.unwrap()
}

async fn rebuilt(store: &dyn Upkeep) -> Report {
    let standing = Standing::default();
    let premises = Premises { store, blobs: None, standing: &standing };
    rebuild(premises, &mut silent()).await.unwrap()
}

/// Returns family and case of what differs but for scripts, which the samples do not have.
fn found(report: &Report) -> Vec<(&'static str, Option<CaseId>)> {
    let differences = report.differences.iter().filter(|one| one.family != Family::Closure);
    differences.map(|one| (one.family.code(), one.case)).collect()
}

async fn filled() -> Arc<dyn Upkeep> {
    let store = memory();
    store.keep_closure(Digest::of(b"construction-start"), b"sources".to_vec()).await.unwrap();
    for no in 1..=3 {
        park(&*store, no).await;
    }
    store
}

fn mending(store: &dyn Upkeep, no: u32, head: u32) -> Mend {
    Mend {
        case: case_id(no),
        expected: Seq(head),
        epoch: store.identity().epoch,
        summary: None,
        rows_gone: Vec::new(),
        rows_new: Vec::new(),
    }
}

async fn rows_of(store: &dyn Upkeep, no: u32) -> Vec<IndexRow> {
    let page = store.filed(None, 1_000).await.unwrap();
    page.items.into_iter().filter(|(_, case)| *case == case_id(no)).map(|(row, _)| row).collect()
}

#[tokio::test]
async fn a_store_that_only_turns_wrote_to_is_clean() {
    let store = filled().await;
    let report = checked(&*store).await;
    assert!(report.is_clean(), "{:?}", report.differences);
    assert_eq!((report.cases, report.entries), (3, 3 * u64::from(head())));
    assert!(report.rows >= 3 * 5 && report.feed_items == store.revision().0, "{report:?}");
}

#[tokio::test]
async fn every_row_that_is_missing_is_found_and_put_back() {
    let store = filled().await;
    let head = head();
    let rows = rows_of(&*store, 2).await;
    let families: Vec<&str> = rows.iter().map(|row| family(row)).collect();
    for wanted in ["queue", "department", "applicant", "number", "timer", "outbox"] {
        assert!(families.contains(&wanted), "the sample has a {wanted} row: {families:?}");
    }
    for row in rows {
        let gone = Mend { rows_gone: vec![row.clone()], ..mending(&*store, 2, head) };
        store.mend(gone).await.unwrap();
        let expected = vec![(family(&row), Some(case_id(2)))];
        assert_eq!(found(&checked(&*store).await), expected, "{row:?}");
        assert_eq!(found(&rebuilt(&*store).await), expected, "{row:?}");
        assert_eq!(found(&checked(&*store).await), [], "{row:?}");
    }
}

fn family(row: &IndexRow) -> &'static str {
    match row {
        IndexRow::Queue { .. } => "queue",
        IndexRow::Region { .. } => "region",
        IndexRow::Department { .. } => "department",
        IndexRow::Applicant { .. } => "applicant",
        IndexRow::Number { .. } => "number",
        IndexRow::Timer { .. } => "timer",
        IndexRow::Outbox => "outbox",
        IndexRow::Incident { .. } => "incident",
    }
}

#[tokio::test]
async fn every_row_too_many_is_found_and_removed() {
    let store = filled().await;
    let head = head();
    for row in [
        queue_row("420302", "fire.approver", 5),
        region_row("420304"),
        IndexRow::Department {
            department: DepartmentCode::new("fire"),
            region: tongban_core::id::RegionCode::new("420302"),
        },
        IndexRow::Applicant { hash: Digest::of(b"somebody else") },
        IndexRow::Number { number: "420302-20260302-000099".to_owned() },
        timer_row(99),
    ] {
        let new = Mend { rows_new: vec![row.clone()], ..mending(&*store, 2, head) };
        store.mend(new).await.unwrap();
        let expected = vec![(family(&row), Some(case_id(2)))];
        assert_eq!(found(&checked(&*store).await), expected, "{row:?}");
        assert_eq!(found(&rebuilt(&*store).await), expected, "{row:?}");
        assert_eq!(found(&checked(&*store).await), [], "{row:?}");
    }
}

#[tokio::test]
async fn a_wrong_summary_is_found_member_by_member_and_rewritten() {
    let store = filled().await;
    let head = head();
    let right = store.load(case_id(2)).await.unwrap().unwrap().summary;
    let mut wrong = right.clone();
    wrong.state = CaseState::Withdrawn;
    wrong.scope.applicant = "420302199001010015".to_owned();
    let mend = Mend { summary: Some(wrong), ..mending(&*store, 2, head) };
    store.mend(mend).await.unwrap();
    let report = checked(&*store).await;
    let told: Vec<&str> = report.differences.iter().map(|one| one.got.as_str()).collect();
    assert!(told.iter().any(|told| told.contains("Withdrawn")), "{told:?}");
    assert!(!told.iter().any(|told| told.contains("420302199001010015")), "{told:?}");
    assert!(report.differences.iter().all(|one| one.case == Some(case_id(2))), "{report:?}");
    rebuilt(&*store).await;
    assert_eq!(found(&checked(&*store).await), []);
    assert_eq!(store.load(case_id(2)).await.unwrap().unwrap().summary, right);
}

#[tokio::test]
async fn a_number_that_leads_elsewhere_is_given_back_to_its_case() {
    let store = filled().await;
    let head = head();
    let number = IndexRow::Number { number: case_number(2) };
    let gone = Mend { rows_gone: vec![number.clone()], ..mending(&*store, 2, head) };
    store.mend(gone).await.unwrap();
    let stolen = Mend { rows_new: vec![number], ..mending(&*store, 9, 0) };
    store.mend(stolen).await.unwrap();
    let expected = [("number", Some(case_id(9))), ("number", Some(case_id(2)))];
    assert_eq!(found(&checked(&*store).await), expected);
    rebuilt(&*store).await;
    assert_eq!(found(&checked(&*store).await), []);
    assert_eq!(store.by_number(case_number(2)).await, Ok(Some(case_id(2))));
}

#[tokio::test]
async fn a_feed_that_lost_commits_is_found_and_begun_anew() {
    let standing = Standing::default();
    let store = filled().await;
    // A case that is planted has commits which the feed never told.
    let other = filled().await;
    commit(&*other, case_id(1), &[entry(head() + 1, 1, Body::RunFinished { run: 1 })]).await;
    let stored = other.load(case_id(1)).await.unwrap().unwrap();
    let target = memory();
    let planted = tongban_core::port::Planted {
        case: case_id(1),
        rows: rows_of(&*other, 1).await,
        entries: stored.entries,
        commits: stored.commits,
        summary: stored.summary,
    };
    target.plant(planted).await.unwrap();
    let report = checked(&*target).await;
    assert!(report.differences.iter().any(|one| one.family == Family::Feed), "{report:?}");
    assert!(report.differences.iter().any(|one| one.family == Family::Counter), "{report:?}");
    let premises = Premises { store: &*target, blobs: None, standing: &standing };
    rebuild(premises, &mut silent()).await.unwrap();
    let report = checked(&*target).await;
    assert!(report.differences.iter().all(|one| one.family != Family::Feed), "{report:?}");
    let old = FeedCursor { commit: CommitNo(1), index: u32::MAX };
    assert_eq!(target.feed(old, 9).await, Ok(Feed::ResyncRequired(target.revision())));
    assert!(checked(&*store).await.is_clean());
}

/// A folder with the files of cases.
struct Files {
    folder: TempDir,
    blobs: Blobs,
}

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        Self { folder, blobs }
    }

    fn references(&self) -> References {
        References::in_folder(self.folder.path()).unwrap()
    }

    fn path(&self, case: CaseId, digest: Digest) -> std::path::PathBuf {
        self.folder.path().join("files").join(case.to_string()).join(digest.hex())
    }
}

/// Hands in a file that is kept with the case.
async fn hand_in(store: &dyn Upkeep, files: &Files, no: u32, seq: u32) -> Digest {
    let bytes = format!("%PDF-1.7 {no}").into_bytes();
    let kept = files.blobs.put_page(case_id(no), bytes).await.unwrap();
    let given = MaterialGiven {
        bytes: kept.bytes,
        ..MaterialGiven::file("design-drawings", "图.pdf", kept.digest)
    };
    let handed = entry(seq, 0, Body::MaterialHanded(Arc::new(given)));
    commit(store, case_id(no), &[handed]).await;
    kept.digest
}

#[tokio::test]
async fn a_file_that_is_named_must_be_there_and_whole() {
    let (store, files) = (filled().await, Files::new());
    let digest = hand_in(&*store, &files, 1, head() + 1).await;
    let standing = Standing::default();
    let premises = Premises { store: &*store, blobs: Some(&files.blobs), standing: &standing };
    let report = check(premises, &mut silent()).await.unwrap();
    assert!(report.is_clean() && report.files == 1, "{report:?}");
    let path = files.path(case_id(1), digest);
    std::fs::write(&path, "%PDF-1.7 9").unwrap();
    let report = check(premises, &mut silent()).await.unwrap();
    assert_eq!(found(&report), [("file", Some(case_id(1)))]);
    std::fs::remove_file(&path).unwrap();
    let report = check(premises, &mut silent()).await.unwrap();
    assert_eq!(found(&report), [("file", Some(case_id(1)))]);
}

async fn take(store: &dyn Upkeep, files: &Files, to: &Path) -> Manifest {
    std::fs::write(files.folder.path().join("store.key"), [7; 32]).unwrap();
    let source = Source {
        store,
        blobs: Some(&files.blobs),
        references: Some(&files.references()),
        folder: files.folder.path(),
        others: &["store.key"],
        now: nine_o_clock(),
    };
    backup(source, to, &mut silent()).await.unwrap()
}

#[tokio::test]
async fn a_backup_is_restored_as_it_was_at_its_cut() {
    let (store, files) = (filled().await, Files::new());
    let digest = hand_in(&*store, &files, 1, head() + 1).await;
    Draft::start(&*store, 8).remember("start").commit(&*store).await;
    let to = TempDir::new().unwrap();
    let folder = to.path().join("backup");
    let notice = b"{\"first_year\":2026}".to_vec();
    let published = files.references().publish("calendar", "cn", notice, nine_o_clock()).await;
    let manifest = take(&*store, &files, &folder).await;
    assert_eq!((manifest.revision, manifest.counts.files), (store.revision().0, 1));
    let verified = Backup::verify(&folder, &mut silent()).unwrap();
    let (target, kept, standing) = (memory(), Files::new(), Standing::default());
    verified.lay_out(kept.folder.path(), |_| true).unwrap();
    assert_eq!(std::fs::read(kept.folder.path().join("store.key")).unwrap(), [7; 32]);
    assert_eq!(kept.references().versions("calendar", "cn").await.unwrap(), []);
    verified.lay_out_documents(&kept.references()).await.unwrap();
    let documents = kept.references().versions("calendar", "cn").await.unwrap();
    assert_eq!(documents, [published.unwrap()]);
    let into =
        Target { store: &*target, blobs: &kept.blobs, standing: &standing, at: nine_o_clock() };
    verified.fill(into, &mut silent()).await.unwrap();
    let identity = target.identity();
    assert_eq!(identity.generation, Generation(2));
    assert_eq!(identity.restored.map(|restored| restored.cut), Some(store.revision()));
    assert_eq!(target.revision(), store.revision());
    for no in [1, 2, 3, 8] {
        let (one, other) = (store.load(case_id(no)).await, target.load(case_id(no)).await);
        let (one, other) = (one.unwrap().unwrap(), other.unwrap().unwrap());
        assert_eq!((one.entries, one.commits), (other.entries, other.commits), "{no}");
    }
    assert!(kept.blobs.find(case_id(1), digest).await.unwrap().is_some());
    let premises = Premises { store: &*target, blobs: Some(&kept.blobs), standing: &standing };
    let report = check(premises, &mut silent()).await.unwrap();
    assert_eq!(found(&report), [], "{report:?}");
    assert_eq!(report.files, 1);
}

#[tokio::test]
async fn what_is_committed_while_a_backup_is_taken_is_not_in_it() {
    let store = filled().await;
    let files = Files::new();
    let to = TempDir::new().unwrap();
    let cut = store.revision();
    // The progress is told between two pages: a case grows and another begins meanwhile.
    let writer = Arc::clone(&store);
    let mut busy = false;
    let mut meanwhile = move |_: Progress| {
        if std::mem::replace(&mut busy, true) {
            return;
        }
        let writer = Arc::clone(&writer);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                commit(&*writer, case_id(3), &[entry(head() + 1, 1, Body::RunFinished { run: 1 })])
                    .await;
                park(&*writer, 4).await;
            });
        })
        .join()
        .unwrap();
    };
    let source = Source {
        store: &*store,
        blobs: None,
        references: None,
        folder: files.folder.path(),
        others: &[],
        now: nine_o_clock(),
    };
    let manifest = backup(source, to.path(), &mut meanwhile).await.unwrap();
    assert!(store.revision() > cut);
    assert_eq!((manifest.revision, manifest.counts.cases), (cut.0, 3));
    assert_eq!(manifest.counts.commits, cut.0);
    Backup::verify(to.path(), &mut silent()).unwrap();
}

#[tokio::test]
async fn a_case_that_grew_after_the_cut_is_cut_where_it_stood() {
    let store = memory();
    let cut = commit(&*store, case_id(1), &log(1)[..2]).await;
    commit(&*store, case_id(1), &log(1)[2..9]).await;
    let stored = || async { store.load(case_id(1)).await.unwrap().unwrap() };
    let packed = super::backup::cut_at(stored().await, cut).unwrap();
    assert_eq!((packed.entries.len(), packed.commits.len()), (2, 1));
    assert!(packed.owed, "what it was owed at the cut is looked at once");
    assert!(super::backup::cut_at(stored().await, CommitNo(0)).is_none());
}

#[tokio::test]
async fn a_backup_that_was_touched_does_not_verify() {
    let (store, files) = (filled().await, Files::new());
    let digest = hand_in(&*store, &files, 1, head() + 1).await;
    let to = TempDir::new().unwrap();
    let whole = to.path().join("whole");
    take(&*store, &files, &whole).await;
    let file = format!("files/{}/{}", case_id(1), digest.hex());
    for (no, name) in ["000001.segment", "store.key", &file].into_iter().enumerate() {
        let path = whole.join(name);
        let bytes = std::fs::read(&path).unwrap();
        let mut touched = bytes.clone();
        let middle = touched.len() / 2;
        touched[middle] ^= 1;
        std::fs::write(&path, &touched).unwrap();
        let error = Backup::verify(&whole, &mut silent()).unwrap_err();
        assert_eq!(error.code(), "CARRY_DAMAGED", "{no} {name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
        std::fs::remove_file(&path).unwrap();
        let error = Backup::verify(&whole, &mut silent()).unwrap_err();
        assert_eq!(error.code(), "CARRY_DAMAGED", "{no} {name}: {error}");
        std::fs::write(&path, &bytes).unwrap();
    }
    Backup::verify(&whole, &mut silent()).unwrap();
    std::fs::remove_file(whole.join("manifest.json")).unwrap();
    assert_eq!(Backup::verify(&whole, &mut silent()).unwrap_err().code(), "CARRY_NOT_OURS");
    let source = Source {
        store: &*store,
        blobs: None,
        references: None,
        folder: to.path(),
        others: &[],
        now: Moment::default(),
    };
    let again = backup(source, &whole, &mut silent()).await;
    assert_eq!(again.unwrap_err().code(), "CARRY_NOT_EMPTY");
}

#[tokio::test]
async fn cases_are_carried_between_stores_with_their_files_and_secrets() {
    let (store, files) = (filled().await, Files::new());
    let digest = hand_in(&*store, &files, 1, head() + 1).await;
    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("cases.bundle");
    let from = (&*store, Some(&files.blobs));
    let carried = export(from, &Which::All, &bundle, &mut silent()).await.unwrap();
    assert_eq!((carried.cases, carried.files), (3, 1));
    let again = export(from, &Which::All, &bundle, &mut silent()).await;
    assert_eq!(again.unwrap_err().code(), "CARRY_EXISTS");
    let (kept, standing) = (Files::new(), Standing::default());
    let other: Arc<dyn Upkeep> = Arc::new(MemoryStore::new(Secret::new([9; 32])));
    let target =
        Target { store: &*other, blobs: &kept.blobs, standing: &standing, at: nine_o_clock() };
    let came = import(&bundle, target, &mut silent()).await.unwrap();
    assert_eq!((came.cases, came.known), (3, 0));
    let came = import(&bundle, target, &mut silent()).await.unwrap();
    assert_eq!((came.cases, came.known), (0, 3), "twice is once");
    for no in 1..=3 {
        let one = store.load(case_id(no)).await.unwrap().unwrap();
        assert_eq!(one.entries, other.load(case_id(no)).await.unwrap().unwrap().entries);
    }
    let secret = store.identity().secret.keyed(b"case", &case_id(1).0);
    assert_eq!(other.foreign().await.unwrap()[0].secret, secret);
    assert!(kept.blobs.find(case_id(1), digest).await.unwrap().is_some());
    let premises = Premises { store: &*other, blobs: Some(&kept.blobs), standing: &standing };
    assert_eq!(found(&check(premises, &mut silent()).await.unwrap()), []);

    commit(&*other, case_id(2), &[entry(head() + 1, 1, Body::RunFinished { run: 1 })]).await;
    let refused = import(&bundle, target, &mut silent()).await.unwrap_err();
    assert_eq!(refused.code(), "CARRY_OTHER_HISTORY");
}

#[tokio::test]
async fn a_bundle_that_was_cut_short_brings_nothing() {
    let store = filled().await;
    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("one.bundle");
    let which = Which::Cases(vec![case_id(2)]);
    export((&*store, None), &which, &bundle, &mut silent()).await.unwrap();
    let missing = Which::Cases(vec![case_id(77)]);
    let nowhere = folder.path().join("none.bundle");
    let none = export((&*store, None), &missing, &nowhere, &mut silent()).await;
    assert_eq!(none.unwrap_err().code(), "CASE_NOT_FOUND");
    assert!(!nowhere.exists());
    let whole = std::fs::read(&bundle).unwrap();
    let (other, kept, standing) = (memory(), Files::new(), Standing::default());
    let target =
        Target { store: &*other, blobs: &kept.blobs, standing: &standing, at: nine_o_clock() };
    for (left, code) in [
        (whole.len() - 1, "CARRY_DAMAGED"),
        (whole.len() / 2, "CARRY_DAMAGED"),
        (5, "CARRY_NOT_OURS"),
    ] {
        std::fs::write(&bundle, &whole[..left]).unwrap();
        let refused = import(&bundle, target, &mut silent()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{left} bytes: {refused}");
    }
    assert_eq!(other.cases(None, 9).await, Ok(Vec::new()));
    let mut newer = whole.clone();
    newer[15] = b'2';
    std::fs::write(&bundle, newer).unwrap();
    let refused = import(&bundle, target, &mut silent()).await.unwrap_err();
    assert_eq!(refused.code(), "CARRY_NEWER");
}
