//! A new holiday notice over a store of which one case cannot be read any more: every other case
//! has its new deadlines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tongban_core::calendar::{CalendarDocument, Calendars, DayKind, SpecialDay};
use tongban_core::entry::{Party, TaskKind};
use tongban_core::id::{CaseId, RegionCode, ServiceCode};
use tongban_core::start::StartCase;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::clock::ManualClock;
use tongban_engine::standing::Standing;
use tongban_engine::{CaseView, Engine, IdempotencyKey};

use crate::files::store;
use crate::watching::until;

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

async fn engine(folder: &Path, clock: &Arc<ManualClock>, standing: Standing) -> Engine {
    Engine::builder()
        .store(Arc::new(store(folder).await))
        .scripts(Arc::new(tongban_scripts::Host::open(folder.join("scripts")).unwrap()))
        .lawful_clock(Arc::clone(clock) as Arc<_>)
        .standing(standing)
        .start()
        .await
        .unwrap()
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

fn with_new_year_2027() -> Standing {
    let mut national = CalendarDocument::national();
    national.last_year = 2027;
    let days = [("2027-01-01", "元旦"), ("2027-05-01", "劳动节"), ("2027-10-01", "国庆节")];
    national.days.extend(days.map(|(date, name)| SpecialDay {
        date: date.parse().unwrap(),
        kind: DayKind::Holiday,
        name: name.to_owned(),
        source: Some("示例通知".to_owned()),
    }));
    let calendars = Arc::new(Calendars::of(&[national]).unwrap());
    Standing { calendars, ..Standing::default() }
}

/// A case whose log is damaged on the disk used to end every walk over the open deadlines: the
/// cases behind it kept those of the old calendar for ever.
#[tokio::test]
async fn a_case_that_is_damaged_on_the_disk_keeps_no_other_from_its_new_deadlines() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in
        [("scripts/services/test.rhai", SERVICE), ("scripts/matters/office/a.rhai", MATTER)]
    {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let clock = Arc::new(ManualClock::new(Moment::parse("2026-12-31T10:00:00+08:00").unwrap()));
    let first = engine(folder.path(), &clock, Standing::default()).await;
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

    let second = engine(folder.path(), &clock, with_new_year_2027()).await;
    let unreadable = second.case(&applicant(), damaged).await.unwrap_err();
    assert_eq!(unreadable.code(), "STORE_DAMAGED");
    for case in [older, newer] {
        let moved = |view: &CaseView| view.case().calendar.is_some();
        let view = until(&second, (&applicant(), case), moved).await;
        let matter = &view.case().matters[0];
        let clock = view.handling_clock(matter).unwrap();
        assert_eq!(view.due(matter, clock).at.date().to_string(), "2027-01-04");
    }
    second.shutdown().await;
}
