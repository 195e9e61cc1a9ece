//! A new holiday notice over many cases: the walk over their deadlines goes on past a case that
//! cannot be read any more, and, cut short, does nothing twice and skips nobody when it goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tongban_core::digest::Secret;
use tongban_core::entry::{Body, Party, TaskKind};
use tongban_core::id::{CaseId, CommitNo, RegionCode, ServiceCode};
use tongban_core::limits;
use tongban_core::port::Store;
use tongban_core::start::StartCase;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::clock::ManualClock;
use tongban_engine::standing::Standing;
use tongban_engine::store::MemoryStore;
use tongban_engine::{CaseView, Engine, IdempotencyKey};

use crate::files::store;
use crate::holidays::with_new_year_2027;
use crate::watching::{PATIENCE, until};

const SERVICE: &str = r#"service(#{ code: "test", name: "测试", lead: "office", target: "person",
    regions: ["420300"], matters: [part("a")] });"#;
const MATTER: &str = r#"matter(#{ code: "a", name: "示例许可", department: "office",
    regime: "licence", basis: "示例办法", intake: "auto", limit: #{ promised: "1 working day" },
    form: [field("note", "说明", text(20000))] });

fn handle(m) { grant(decide("office.approver", #{ title: "审查" })) }
"#;
const APPLICANT: &str = "420302199001010015";

fn applicant() -> Viewer {
    Viewer::new("reader", Role::Applicant).for_party(APPLICANT)
}

/// Writes the scripts of one matter into a folder.
fn write_scripts(folder: &Path) {
    for (path, text) in
        [("scripts/services/test.rhai", SERVICE), ("scripts/matters/office/a.rhai", MATTER)]
    {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The last day of the year whose holidays are known.
fn last_of_2026() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Moment::parse("2026-12-31T10:00:00+08:00").unwrap()))
}

async fn engine(
    store: Arc<dyn Store>,
    folder: &Path,
    (clock, standing): (&Arc<ManualClock>, Standing),
) -> Engine {
    Engine::builder()
        .store(store)
        .scripts(Arc::new(tongban_scripts::Host::open(folder.join("scripts")).unwrap()))
        .lawful_clock(Arc::clone(clock) as Arc<_>)
        .standing(standing)
        .start()
        .await
        .unwrap()
}

/// Waits until the deadlines of a case are those of the new notice.
async fn until_read_anew(engine: &Engine, case: CaseId) {
    let moved = |view: &CaseView| view.case().calendar.is_some();
    let view = until(engine, (&applicant(), case), moved).await;
    let matter = &view.case().matters[0];
    let clock = view.handling_clock(matter).unwrap();
    assert_eq!(view.due(matter, clock).at.date().to_string(), "2027-01-04");
}

/// Files a case and waits until an officer has it before him.
async fn file(engine: &Engine, note: String) -> CaseId {
    let person = Party { id: APPLICANT.to_owned(), name: "测试甲".to_owned() };
    let input = StartCase {
        form: Value::of([("note", note.as_str().into())]),
        ..StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), person)
    };
    let key = |what: &str| IdempotencyKey(format!("{what}-{}", note.len()));
    let case = engine.start_case(&applicant(), input, key("start")).await.unwrap().case;
    engine.submit_case(&applicant(), case, key("submit")).await.unwrap();
    let decides =
        |view: &CaseView| view.case().open_tasks().any(|task| task.opened.kind == TaskKind::Decide);
    until(engine, (&applicant(), case), decides).await;
    case
}

/// Letters without a pattern, so that no packing makes them few.
fn noise(letters: usize) -> String {
    let mut state = 1_u32;
    let draw = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from(state >> 24).unwrap() % 26)
    };
    (0..letters).map(draw).collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// A case whose log is damaged on the disk used to end every walk over the open deadlines: the
/// cases behind it kept those of the old calendar for ever.
#[tokio::test]
async fn a_case_that_is_damaged_on_the_disk_keeps_no_other_from_its_new_deadlines() {
    let folder = tempfile::tempdir().unwrap();
    write_scripts(folder.path());
    let clock = last_of_2026();
    let on_disk = Arc::new(store(folder.path()).await);
    let first = engine(on_disk, folder.path(), (&clock, Standing::default())).await;
    let mut cases = Vec::new();
    // Older and newer than the damaged one, so that one of them comes after it in any walk.
    for note in [noise(10), noise(12_000), noise(11)] {
        cases.push(file(&first, note).await);
        clock.advance(1_000);
    }
    let [older, damaged, newer] = cases[..] else { unreachable!() };
    first.shutdown().await;
    drop(first);

    let logs = files_in(&folder.path().join("data/blobs"));
    assert!(!logs.is_empty(), "what is too large for a record lies in a file");
    for log in logs {
        let mut bytes = std::fs::read(&log).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&log, bytes).unwrap();
    }

    let on_disk = Arc::new(store(folder.path()).await);
    let second = engine(on_disk, folder.path(), (&clock, with_new_year_2027())).await;
    let unreadable = second.case(&applicant(), damaged).await.unwrap_err();
    assert_eq!(unreadable.code(), "STORE_DAMAGED");
    for case in [older, newer] {
        until_read_anew(&second, case).await;
    }
    second.shutdown().await;
}

/// Counts how often the log of each case says that its deadlines were read anew.
async fn read_anew(store: &MemoryStore, cases: &[CaseId]) -> Vec<usize> {
    let mut counts = Vec::new();
    for case in cases {
        let stored = store.load(*case).await.unwrap().unwrap();
        let anew = |body: &Body| matches!(body, Body::CalendarChanged { .. });
        counts.push(stored.entries.iter().filter(|entry| anew(&entry.body)).count());
    }
    counts
}

/// The walk is cut once within its first page and once behind it; each time it goes on where
/// cases still have the old deadlines, and writes nothing to those that have the new ones.
#[tokio::test]
async fn a_walk_that_was_cut_short_goes_on_and_does_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    write_scripts(folder.path());
    let clock = last_of_2026();
    let mut store = Arc::new(MemoryStore::new(Secret::new([5; 32])));
    let before =
        engine(Arc::clone(&store) as _, folder.path(), (&clock, Standing::default())).await;
    let mut cases = Vec::new();
    for letters in 1..=limits::PAGE_MAX + 20 {
        cases.push(file(&before, noise(letters)).await);
    }
    before.shutdown().await;
    let CommitNo(filed) = store.revision();

    for cut in [1, limits::PAGE_MAX + 1] {
        store = Arc::new(store.reopen());
        let walking =
            engine(Arc::clone(&store) as _, folder.path(), (&clock, with_new_year_2027()));
        let walking = walking.await;
        let mut commits = walking.watch();
        let enough = commits.wait_for(|commit| commit.0 >= filed + cut as u64);
        tokio::time::timeout(PATIENCE, enough).await.expect("the walk goes on").unwrap();
        walking.shutdown().await;
        let counts = read_anew(&store, &cases).await;
        let done: usize = counts.iter().sum();
        assert!(counts.iter().all(|count| *count <= 1), "{counts:?}");
        assert!((cut..cases.len()).contains(&done), "it was cut midway: {done}");
        assert_eq!(store.revision(), CommitNo(filed + done as u64), "nothing else was written");
    }

    store = Arc::new(store.reopen());
    let last = engine(Arc::clone(&store) as _, folder.path(), (&clock, with_new_year_2027())).await;
    for case in &cases {
        until_read_anew(&last, *case).await;
    }
    last.shutdown().await;
    assert_eq!(read_anew(&store, &cases).await, vec![1; cases.len()], "each once, none skipped");
    assert_eq!(store.revision(), CommitNo(filed + cases.len() as u64));
}
