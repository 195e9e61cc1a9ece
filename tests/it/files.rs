//! Files of cases on the real engine: what a sweep takes, and what it must leave.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream;
use tempfile::TempDir;
use tongban_core::digest::Digest;
use tongban_core::document::Seal;
use tongban_core::entry::Party;
use tongban_core::id::{CaseId, RegionCode, ServiceCode};
use tongban_core::limits::FILE_GRACE_MILLIS;
use tongban_core::material::MaterialGiven;
use tongban_core::organisation::{Organisation, Source};
use tongban_core::start::StartCase;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_engine::blob::Blobs;
use tongban_engine::clock::ManualClock;
use tongban_engine::document::DevSeal;
use tongban_engine::standing::Standing;
use tongban_engine::store::{OpenError, SledOptions, SledStore};
use tongban_engine::{CaseView, Engine, IdempotencyKey, Show, Upload};
use tongban_tests::{Ended, Tongban};

use crate::watching::until;

use crate::document::{APPLICANT, OFFICES, applicant, clerk};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));
const TRY_LATER: i32 = 75;
const DAY_MILLIS: i64 = 24 * 3_600_000;

/// The scripts, by their path.
pub(crate) const SCRIPTS: [(&str, &str); 2] =
    [("services/test.rhai", SERVICE), ("matters/office/a.rhai", MATTER)];
const SERVICE: &str = r#"service(#{ code: "test", name: "测试", lead: "office", target: "enterprise",
    regions: ["420300"], matters: [part("a")] });"#;
const MATTER: &str = r#"matter(#{ code: "a", name: "示例许可", department: "office",
    regime: "licence", basis: "示例条例第八条", intake: "auto",
    limit: #{ promised: "3 working days" },
    materials: [ material("plan", "方案").from(upload("pdf")) ],
    form: [ field("size", "面积", text(10)) ] });

fn handle(m) { grant(decide("office.approver", #{ title: "审查", facts: #{} })) }
"#;

/// An engine over a folder, with one case that was filed online and accepted.
pub(crate) struct Shelf {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    folder: TempDir,
    pub(crate) case: CaseId,
}

/// A document that no other one is.
pub(crate) fn pdf(words: &str) -> Vec<u8> {
    format!("%PDF-1.7\n% {words}\n1 0 obj\n<< >>\nendobj\n%%EOF\n").into_bytes()
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey(text.to_owned())
}

/// Opens the folder of cases; an engine that has just stopped lets go of it in a moment.
pub(crate) async fn store(folder: &Path) -> SledStore {
    loop {
        match SledStore::open(folder.join("data"), SledOptions::default()) {
            Ok(store) => return store,
            Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn engine(folder: &Path, clock: &Arc<ManualClock>, seal: Arc<dyn Seal>) -> Engine {
    let source = Source { label: "organisation.json", kind: None, bytes: OFFICES.as_bytes() };
    let organisation = Arc::new(Organisation::read(&[source]).unwrap());
    let host = tongban_scripts::Host::open(folder.join("scripts")).unwrap();
    Engine::builder()
        .store(Arc::new(store(folder).await))
        .scripts(Arc::new(host))
        .lawful_clock(Arc::clone(clock) as Arc<_>)
        .wire_clock(Arc::clone(clock) as Arc<_>)
        .standing(Standing { organisation, ..Standing::default() })
        .blobs(Blobs::in_folder(&folder.join("data")).unwrap())
        .seal(seal)
        .start()
        .await
        .unwrap()
}

fn trial_seal(folder: &Path) -> Arc<dyn Seal> {
    Arc::new(DevSeal::create_or_open(folder).unwrap())
}

impl Shelf {
    /// Files the case and waits until its receipt and acceptance are sealed.
    async fn set_up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seal = trial_seal(folder.path());
        let shelf = Self::file_in(folder, seal).await;
        let sealed = |view: &CaseView| {
            let documents = view.documents();
            documents.len() == 2 && documents.iter().all(|one| one.sealed().is_some())
        };
        shelf.until(sealed).await;
        shelf
    }

    /// Files the case before an engine whose notices go to `seal`.
    pub(crate) async fn filed(seal: Arc<dyn Seal>) -> Self {
        Self::file_in(tempfile::tempdir().unwrap(), seal).await
    }

    async fn file_in(folder: TempDir, seal: Arc<dyn Seal>) -> Self {
        for (name, text) in SCRIPTS {
            let path = folder.path().join("scripts").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let now = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let engine = engine(folder.path(), &clock, seal).await;
        let party = Party { id: APPLICANT.to_owned(), name: "示例公司".to_owned() };
        let plan = MaterialGiven::file("plan", "方案.pdf", Digest::of(&pdf("plan")));
        let input = StartCase {
            form: Value::of([("size", "20".into())]),
            materials: vec![plan],
            ..StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), party)
        };
        let case = engine.start_case(&applicant(), input, key("start")).await.unwrap().case;
        let shelf = Self { engine, clock, folder, case };
        shelf.upload("plan").await;
        shelf.engine.submit_case(&applicant(), case, key("submit")).await.unwrap();
        shelf
    }

    /// Stops the engine and starts another one over the same folder.
    pub(crate) async fn restart(self, seal: Arc<dyn Seal>) -> Self {
        let Self { engine, clock, folder, case } = self;
        engine.shutdown().await;
        drop(engine);
        let engine = self::engine(folder.path(), &clock, seal).await;
        Self { engine, clock, folder, case }
    }

    /// Waits for commits until it is so.
    pub(crate) async fn until(&self, holds: impl Fn(&CaseView) -> bool) -> CaseView {
        until(&self.engine, (&clerk(), self.case), holds).await
    }

    async fn upload(&self, words: &str) {
        let upload = Upload {
            case: self.case,
            material: "plan".to_owned(),
            file_name: format!("{words}.pdf"),
        };
        let bytes = stream::iter([Ok::<_, std::io::Error>(Bytes::from(pdf(words)))]);
        self.engine.keep_file(&applicant(), &upload, bytes).await.unwrap();
    }

    /// Returns every file of the case.
    fn files(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join("data/files").join(self.case.to_string());
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn file(&self, words: &str) -> PathBuf {
        let name = Digest::of(&pdf(words)).hex();
        self.folder.path().join("data/files").join(self.case.to_string()).join(name)
    }

    /// Lets every file of the case be so many days old.
    fn age(&self, days: i64) {
        for file in self.files() {
            age(&file, self.clock.now().plus_millis(-days * DAY_MILLIS));
        }
    }

    /// Fails unless the material and both notices are there, whole.
    async fn holds_what_is_named(&self) {
        let view = self.engine.case(&applicant(), self.case).await.unwrap().unwrap();
        assert_eq!(view.documents().len(), 2);
        for document in view.documents() {
            let number = document.number().to_string();
            let page = self.engine.document(&applicant(), self.case, (&number, Show::Kept)).await;
            let page = page.unwrap().unwrap();
            assert_eq!(Some(Digest::of(&page.html)), document.sealed().map(|one| one.digest));
        }
        assert_eq!(std::fs::read(self.file("plan")).unwrap(), pdf("plan"));
    }

    /// Lets time pass from one wait to the next, for so many minutes at most, until it is so.
    pub(crate) async fn minutes_until(&self, is_so: impl Fn() -> bool, minutes: i64) {
        let end = self.clock.now().plus_millis(minutes * 60_000);
        while !is_so() {
            if let Some(next) = self.clock.next_wake().filter(|next| *next <= end) {
                self.clock.advance_to(next);
            }
            tokio::task::yield_now().await;
        }
    }
}

fn age(file: &Path, written: Moment) {
    let since = Duration::from_millis(u64::try_from(written.millis()).unwrap());
    let file = File::options().append(true).open(file).unwrap();
    file.set_modified(UNIX_EPOCH + since).unwrap();
}

/// Runs `tongban blobs sweep` once the engine has let go of the folder.
fn sweep(data: &Path, more: &[&str]) -> Ended {
    let mut arguments = vec!["blobs", "sweep", "--data", data.to_str().unwrap()];
    arguments.extend(more);
    loop {
        let ended = PROGRAM.run(&arguments);
        if ended.code != Some(TRY_LATER) {
            return ended;
        }
    }
}

#[tokio::test]
async fn the_engine_sweeps_old_strays_and_leaves_what_is_named_or_young() {
    let shelf = Shelf::set_up().await;
    shelf.upload("nobody hands it in").await;
    shelf.age(30);
    shelf.upload("still being filled in").await;
    let young = shelf.clock.now().plus_millis(DAY_MILLIS - FILE_GRACE_MILLIS);
    age(&shelf.file("still being filled in"), young);

    shelf.minutes_until(|| !shelf.file("nobody hands it in").exists(), 10).await;
    shelf.holds_what_is_named().await;
    assert!(shelf.file("still being filled in").exists(), "its applicant may yet hand it in");
    assert_eq!(shelf.files().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_counts_strays_first_and_deletes_them_when_it_is_told_to() {
    let shelf = Shelf::set_up().await;
    shelf.upload("nobody hands it in").await;
    shelf.age(30);
    let data = shelf.folder.path().join("data");
    let Shelf { engine, clock, folder, case } = shelf;
    engine.shutdown().await;
    drop(engine);

    let bytes = pdf("nobody hands it in").len();
    let ended = sweep(&data, &["--dry-run", "--format", "json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let counted: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let expected = serde_json::json!({ "kept": 3, "strays": 1, "bytes": bytes, "deleted": 0 });
    assert_eq!(counted, expected);
    let ended = sweep(&data, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("已清理 1 个"), "{}", ended.stdout);
    let engine = self::engine(folder.path(), &clock, trial_seal(folder.path())).await;
    let shelf = Shelf { engine, clock, folder, case };
    assert_eq!(shelf.files().len(), 3);
    shelf.holds_what_is_named().await;
}

#[test]
fn a_folder_that_is_not_there_is_not_made_by_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("nothing");
    let ended = sweep(&data, &[]);
    assert_eq!(ended.code, Some(74), "{}", ended.stderr);
    assert!(ended.stderr.contains("没有这个数据文件夹"), "{}", ended.stderr);
    assert!(!data.exists());
}
