//! What is particular to a store in a folder; the promises of all stores are in the suite.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tongban_core::digest::Digest;
use tongban_core::error::ErrorClass;
use tongban_core::id::{DepartmentCode, RegionCode, Seq};
use tongban_core::limits::{PARKED_RECORDS_MAX, RECORD_BYTES_MAX};
use tongban_core::port::{Commit, IdempotencyRecord, MutationEnd, Store as _, StoreError, Upkeep};
use tongban_core::summary::{Along, IndexRow, Search};

use super::committer::Write;
use super::{Holder, OpenError, SledOptions, SledStore, key};
use crate::conformance::StorePlace;
use crate::conformance::sample::{
    Draft, case_id, mutation_key, nine_o_clock, number_row, parked_case, queue_row, region_row,
    timer_row,
};

/// A folder that is removed when the test ends.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn sled(&self) -> PathBuf {
        self.path().join("sled")
    }

    fn try_open(&self) -> Result<SledStore, OpenError> {
        let cache_bytes = 16 * 1024 * 1024;
        SledStore::open(self.path(), SledOptions { cache_bytes })
    }

    fn open_sled(&self) -> SledStore {
        self.try_open().unwrap()
    }
}

impl StorePlace for Folder {
    fn open(&self) -> Arc<dyn Upkeep> {
        Arc::new(self.open_sled())
    }
}

crate::store_conformance!(suite, Folder::new());

async fn has_case(store: &SledStore, no: u32) -> bool {
    store.load(case_id(no)).await.unwrap().is_some()
}

fn refusal(folder: &Folder) -> OpenError {
    match folder.try_open() {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_second_opener_is_told_who_holds_the_folder() {
    let folder = Folder::new();
    let _held = folder.open_sled();
    let error = refusal(&folder);
    assert_eq!((error.code(), error.class()), ("STORE_IN_USE", ErrorClass::Conflict));
    let OpenError::InUse { holder, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*holder, Holder::Process(std::process::id()));
    assert!(error.to_string().contains("store"), "{error}");
}

#[test]
fn a_lock_that_someone_else_holds_is_respected_before_anything_is_touched() {
    let folder = Folder::new();
    fs::create_dir(folder.path()).unwrap();
    let lock = fs::File::create(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(refusal(&folder).code(), "STORE_IN_USE");
    assert_eq!(names(&folder.path()), ["lock"]);
    drop(lock);
    folder.open_sled();
}

#[test]
fn what_is_not_a_store_is_refused_and_left_alone() {
    let folder = Folder::new();
    fs::create_dir(folder.path()).unwrap();
    fs::write(folder.path().join("论文.docx"), "mine").unwrap();
    let error = refusal(&folder);
    assert_eq!(error.code(), "STORE_NOT_OURS");
    assert!(error.to_string().contains("论文.docx"), "{error}");
    assert_eq!(names(&folder.path()), ["论文.docx"]);

    let file = Folder::new();
    fs::write(file.path(), "a file").unwrap();
    assert_eq!(refusal(&file).code(), "STORE_NOT_OURS");
    assert_eq!(fs::read(file.path()).unwrap(), b"a file");
}

#[test]
fn a_newer_format_is_refused() {
    let folder = Folder::new();
    drop(folder.open_sled());
    fs::write(folder.path().join("store.format"), "tongban-store 2\n").unwrap();
    assert!(matches!(refusal(&folder), OpenError::Newer { found: 2, .. }));
}

#[test]
fn a_store_without_its_key_is_refused() {
    let folder = Folder::new();
    drop(folder.open_sled());
    fs::remove_file(folder.path().join("store.key")).unwrap();
    assert_eq!(refusal(&folder).code(), "STORE_KEY_MISSING");
}

#[test]
#[cfg(unix)]
fn only_the_owner_reads_the_key() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    drop(folder.open_sled());
    let key = fs::metadata(folder.path().join("store.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_torn_snapshot_does_not_keep_the_store_closed() {
    let folder = Folder::new();
    let store = folder.open_sled();
    Draft::start(&store, 1).commit(&store).await;
    drop(store);
    let torn = folder.sled().join("snap.FFFFFFFFFFFFFFFF.generating");
    fs::write(&torn, "torn").unwrap();
    assert!(has_case(&folder.open_sled(), 1).await);
    assert!(!torn.exists());
}

#[tokio::test]
async fn a_damaged_snapshot_is_set_aside_and_everything_read_from_the_log() {
    let folder = Folder::new();
    let store = folder.open_sled();
    Draft::start(&store, 1).commit(&store).await;
    drop(store);
    let snapshot = "snap.FFFFFFFFFFFFFFFF";
    fs::write(folder.sled().join(snapshot), "not a snapshot, long enough").unwrap();
    assert!(has_case(&folder.open_sled(), 1).await);
    let aside = names(&folder.path().join("set-aside"));
    assert!(aside.iter().any(|name| name == snapshot), "{aside:?}");
}

#[tokio::test]
async fn a_data_file_without_data_is_refused_and_left_as_it_is() {
    for content in ["x".repeat(700_000), "\0".repeat(700_000), String::new()] {
        let folder = Folder::new();
        let store = folder.open_sled();
        Draft::start(&store, 1).commit(&store).await;
        drop(store);
        let before = names(&folder.sled());
        fs::write(folder.sled().join("db"), &content).unwrap();
        let error = refusal(&folder);
        assert_eq!(error.code(), "STORE_DAMAGED", "{error:?}");
        let place = folder.path().display().to_string();
        assert!(error.to_string().contains(&place), "{error}");
        assert_eq!(names(&folder.sled()), before);
        assert!(fs::read(folder.sled().join("db")).unwrap() == content.as_bytes());
    }
}

#[tokio::test]
async fn a_log_that_lost_acknowledged_commits_is_refused() {
    let folder = Folder::new();
    let store = folder.open_sled();
    for no in 0..40 {
        Draft::start(&store, no).commit(&store).await;
    }
    drop(store);
    let data = folder.sled().join("db");
    let whole = fs::read(&data).unwrap();
    for damaged_at in [30, 200, 2_000, 20_000] {
        let mut bytes = whole.clone();
        bytes[damaged_at..damaged_at + 100].fill(b'x');
        fs::write(&data, bytes).unwrap();
        let error = refusal(&folder);
        assert_eq!(error.code(), "STORE_DAMAGED", "{error}");
    }
}

#[test]
fn a_missing_data_file_is_not_taken_for_an_empty_store() {
    let folder = Folder::new();
    drop(folder.open_sled());
    fs::remove_file(folder.sled().join("db")).unwrap();
    assert_eq!(refusal(&folder).code(), "STORE_DAMAGED");
    assert!(!folder.sled().join("db").exists());
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_finished_by_the_next_opening() {
    let folder = Folder::new();
    drop(folder.open_sled());
    fs::remove_file(folder.path().join("store.format")).unwrap();
    let store = folder.open_sled();
    Draft::start(&store, 1).commit(&store).await;
    assert!(folder.path().join("store.format").exists());
}

/// A copy of the folder taken while the store is open is what a crash would leave behind.
#[tokio::test]
async fn what_was_acknowledged_is_in_the_files_at_once() {
    let folder = Folder::new();
    let store = folder.open_sled();
    for no in 0..20 {
        let draft = Draft::start(&store, no).entry_of_size(9_000);
        draft.commit(&store).await;
        let crashed = Folder::new();
        copy(&folder.path(), &crashed.path());
        let reopened = crashed.open_sled();
        for committed in 0..=no {
            assert!(has_case(&reopened, committed).await, "{committed} of {no}");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_blob_that_changed_is_noticed() {
    let folder = Folder::new();
    let store = folder.open_sled();
    let draft = Draft::start(&store, 1).entry_of_size(9_000);
    draft.commit(&store).await;
    let mut blob = folder.path().join("blobs");
    while blob.is_dir() {
        blob = fs::read_dir(&blob).unwrap().next().unwrap().unwrap().path();
    }
    let mut bytes = fs::read(&blob).unwrap();
    bytes[100] ^= 1;
    fs::write(&blob, bytes).unwrap();
    let damaged = store.load(case_id(1)).await;
    assert!(matches!(damaged, Err(StoreError::Damaged { .. })), "{damaged:?}");
}

/// One that was read between the writing of its batch and the sync was told, and lost in a crash.
#[tokio::test]
async fn a_memory_without_a_commit_is_told_only_once_it_is_surely_on_disk() {
    let folder = Folder::new();
    let mut store = folder.open_sled();
    let record = IdempotencyRecord {
        key: mutation_key("settle"),
        input: Digest([2; 32]),
        result: MutationEnd::Done(Vec::new()),
        at: nine_o_clock(),
    };
    store.remember(record.clone()).await.unwrap();
    assert_eq!(store.remembered(record.key).await.unwrap(), Some(record.clone()));
    // The record is seen still; but nobody is left to say that it was synced.
    drop(store.jobs.take());
    let told = store.remembered(record.key).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_) | StoreError::Uncertain(_))), "{told:?}");
}

/// It used to take away every list in which it stood.
#[tokio::test]
async fn a_damaged_case_is_missing_from_a_list_and_takes_no_other_from_it() {
    let folder = Folder::new();
    let store = folder.open_sled();
    for no in 1..=5 {
        Draft::start(&store, no).row(region_row("420302")).commit(&store).await;
    }
    store.disk.db.insert(key::head(case_id(3)), b"torn").unwrap();
    let load = store.load(case_id(3)).await;
    assert!(matches!(load, Err(StoreError::Damaged { .. })), "{load:?}");
    let search = |after| Search {
        along: Along::Region(RegionCode::new("420302")),
        states: [].into(),
        service: None,
        after,
        first: 2,
    };
    let newest = store.search(search(None)).await.unwrap();
    let rest = store.search(search(newest.next)).await.unwrap();
    let cases = newest.items.iter().chain(&rest.items).map(|summary| summary.case);
    assert_eq!(cases.collect::<Vec<_>>(), [5, 4, 2, 1].map(case_id));
    assert_eq!(rest.next, None);
}

#[tokio::test]
async fn dropping_an_append_does_not_tear_it() {
    let folder = Folder::new();
    let store = folder.open_sled();
    for no in 0..50 {
        let append = store.append(Draft::start(&store, no).0);
        tokio::select! {
            biased;
            _ = append => {}
            () = std::future::ready(()) => {}
        }
    }
    drop(store);
    let store = folder.open_sled();
    for no in 0..50 {
        if has_case(&store, no).await {
            Draft::go_on(&store, no, 2).commit(&store).await;
        } else {
            Draft::start(&store, no).commit(&store).await;
        }
    }
}

fn parked(store: &SledStore, no: u32) -> Vec<Commit> {
    let entries = parked_case(no);
    let mut commits = vec![Draft::start(store, no).0];
    let mut head = Seq(2);
    for turn in entries[2..].chunks(4) {
        let mut draft = Draft::empty(no, head, store.identity().epoch);
        draft.0.entries = turn.to_vec();
        head = turn.last().unwrap().seq;
        commits.push(draft.0);
    }
    let last = commits.last_mut().unwrap();
    last.summary.matters[7].open = true;
    let (department, region) = ("housing-construction", "420302");
    last.rows_new = vec![
        IndexRow::Department {
            department: DepartmentCode::new(department),
            region: RegionCode::new(region),
        },
        IndexRow::Applicant { hash: tongban_core::digest::Digest::of(b"applicant") },
        queue_row("420302", "housing-construction.approver", 86_400_000),
        timer_row(86_400_000),
        number_row(&crate::conformance::sample::case_number(no)),
    ];
    commits
}

/// Returns size and key of every record that belongs to a case for as long as it is parked; the
/// feed is kept for days and forgotten.
fn records(store: &SledStore) -> Vec<(usize, Vec<u8>)> {
    store
        .disk
        .db
        .iter()
        .map(|pair| pair.unwrap())
        .filter(|(key, _)| !key.starts_with(key::FEED_PREFIX) && key[..] != *key::EPOCH)
        .map(|(key, record)| (record.len(), key.to_vec()))
        .collect()
}

#[tokio::test]
async fn a_parked_case_with_a_timer_a_department_and_a_task_takes_seven_records() {
    let folder = Folder::new();
    let store = folder.open_sled();
    let entries = parked_case(1).len();
    for commit in parked(&store, 1) {
        store.append(commit).await.unwrap();
    }
    let records = records(&store);
    let bytes: usize = records.iter().map(|(size, key)| size + key.len()).sum();
    let sizes: Vec<usize> = records.iter().map(|(size, _)| *size).collect();
    let told = format!("{entries} entries in {} records, {bytes} bytes: {sizes:?}", records.len());
    assert!(entries >= 60, "{told}");
    assert!(records.len() <= PARKED_RECORDS_MAX, "{told}");
    assert!(sizes.iter().all(|size| *size <= RECORD_BYTES_MAX), "{told}");
    assert!(!folder.path().join("blobs").exists(), "{told}");
    // Packed bytes differ by a few with the keys of the store; the number of records does not.
    assert_eq!(records.len(), PARKED_RECORDS_MAX, "{told}");
    assert!(sizes.iter().sum::<usize>() <= RECORD_BYTES_MAX, "{told}");
}

#[tokio::test]
async fn no_record_passes_the_limit() {
    let folder = Folder::new();
    let store = folder.open_sled();
    let mut head = 2;
    Draft::start(&store, 1).commit(&store).await;
    for turn in 0..80_usize {
        let mut draft = Draft::empty(1, Seq(head), store.identity().epoch);
        for no in 0..=turn % 5 {
            draft = draft.entry_of_size((turn * 977 + no * 331) % 5_000);
        }
        head = draft.0.entries.last().unwrap().seq.0;
        draft.commit(&store).await;
        for (size, key) in records(&store) {
            assert!(size <= RECORD_BYTES_MAX, "{size} bytes at {key:?}");
        }
    }
}

/// Bytes that do not get smaller by packing.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(|| next(&mut state)).take(len).collect()
}

/// Only a debug build used to notice: sled keeps a larger record in a file that it never syncs.
#[tokio::test]
async fn a_record_above_the_limit_is_refused_and_leaves_nothing() {
    let folder = Folder::new();
    let store = folder.open_sled();
    let key = |no: u8| [b"\x01test", [no].as_slice()].concat();
    let write = |no: u8, len: usize| Write { key: key(no), payload: Some(noise(len)) };
    // A version byte and the id of a key come before a payload.
    let most = RECORD_BYTES_MAX - 5;
    for (no, len) in [(1, most - 1), (2, most)] {
        store.write(vec![write(no, len)]).await.unwrap();
        assert_eq!(store.disk.get(&key(no)).unwrap(), Some(noise(len)));
    }
    let refused = store.write(vec![write(3, 10), write(2, 20), write(4, most + 1)]).await;
    let bytes = RECORD_BYTES_MAX + 1;
    assert_eq!(refused, Err(StoreError::TooLarge { what: "record".to_owned(), bytes }));
    assert_eq!(store.disk.get(&key(3)).unwrap(), None, "all or nothing");
    assert_eq!(store.disk.get(&key(2)).unwrap(), Some(noise(most)), "what was there stays");
    assert!(records(&store).into_iter().all(|(size, _)| size <= RECORD_BYTES_MAX));
    store.write(vec![write(5, 10)]).await.unwrap();
    Draft::start(&store, 1).commit(&store).await;
    drop(store);
    assert!(has_case(&folder.open_sled(), 1).await, "the store goes on");
}
