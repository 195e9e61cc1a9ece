//! Versions of a service on a real folder: who lets one be used where, which one a case gets, what
//! a restart keeps, and what a newer one would do to the cases that are under way.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tongban_core::command::TaskOutcome;
use tongban_core::digest::Digest;
use tongban_core::dry_run::{Divergence, Found, Outcome};
use tongban_core::entry::Party;
use tongban_core::id::{CaseId, RegionCode, ServiceCode, TaskId};
use tongban_core::publication::{Standing, Step};
use tongban_core::start::StartCase;
use tongban_core::summary::CaseState;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::clock::ManualClock;
use tongban_engine::store::{OpenError, SledOptions, SledStore};
use tongban_engine::upgrade::{Tally, Upgrade};
use tongban_engine::{
    CaseView, Decided, Engine, EngineError, IdempotencyKey, MoveVersion, Options, PageRequest,
    Publishing,
};

use super::world::{APPLICANT, Agencies, Does, ToAgencies, applicant, officer};
use crate::watching::until;

const SERVICE: &str = r#"
service(#{ code: "test", name: "测试", lead: "hall", target: "person", regions: ["420300"],
    api_level: 2, matters: [part("a")] });
"#;
const MATTER: &str = r#"
matter(#{ code: "a", name: "事项甲", department: "office", basis: "示例办法", regime: "licence",
    intake: "auto", limit: #{ promised: "1 working day" } });
fn handle(m) {
    let held = ask("office.hold", #{});
    let opinion = decide("office.approver", #{ title: "原版审查" });
    grant(ask("office.issue", #{}))
}
"#;

/// Returns the scripts with `was` in the matter's text replaced.
fn scripts(was: &str, now: &str) -> BTreeMap<String, String> {
    let matter = MATTER.replace(was, now);
    [("services/test.rhai", SERVICE.to_owned()), ("matters/office/a.rhai", matter)]
        .map(|(path, text)| (path.to_owned(), text))
        .into()
}

/// Who publishes.
fn wang() -> Viewer {
    Viewer::new("wang", Role::Integrator).within("420300")
}

/// The head of the department that leads the service.
fn li() -> Viewer {
    Viewer::new("li", Role::OfficeHead).within("420300").of("hall")
}

/// Who stands in for the head.
fn tang() -> Viewer {
    Viewer::new("tang", Role::OfficeHead).within("420300").of("hall")
}

fn service() -> ServiceCode {
    ServiceCode::new("test")
}

fn pilot(region: &str) -> Step {
    Step::Piloted { regions: vec![RegionCode::new(region)] }
}

/// A hall where only approved versions are used, on a folder of its own.
struct Hall {
    folder: TempDir,
    clock: Arc<ManualClock>,
    agencies: Arc<Agencies>,
    engine: Engine,
    keys: u32,
}

/// Opens the folder of cases; an engine that has just stopped lets go of it in a moment.
async fn store(folder: &Path) -> SledStore {
    loop {
        match SledStore::open(folder.join("data"), SledOptions::default()) {
            Ok(store) => return store,
            Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn engine(folder: &Path, clock: &Arc<ManualClock>, agencies: &Arc<Agencies>) -> Engine {
    let host = tongban_scripts::Host::open(folder.join("scripts")).unwrap();
    Engine::builder()
        .store(Arc::new(store(folder).await))
        .scripts(Arc::new(host))
        .wiring(Arc::new(ToAgencies))
        .connector("agencies", Arc::clone(agencies) as Arc<_>)
        .lawful_clock(Arc::clone(clock) as Arc<_>)
        .publishing(Publishing::Approved)
        .options(Options { drain_millis: 0, ..Options::default() })
        .start()
        .await
        .unwrap()
}

impl Hall {
    /// Opens a hall whose program has loaded scripts that nobody has published.
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in scripts("原版", "未发布") {
            let path = folder.path().join("scripts").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let clock = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        let (clock, agencies) = (Arc::new(ManualClock::new(clock)), Arc::default());
        let engine = engine(folder.path(), &clock, &agencies).await;
        Self { folder, clock, agencies, engine, keys: 0 }
    }

    /// Stops the engine and starts another on the same folder.
    async fn restart(self) -> Self {
        let Self { folder, clock, agencies, engine: stopped, keys } = self;
        stopped.shutdown().await;
        drop(stopped);
        let engine = engine(folder.path(), &clock, &agencies).await;
        Self { folder, clock, agencies, engine, keys }
    }

    fn key(&mut self) -> IdempotencyKey {
        self.keys += 1;
        IdempotencyKey(format!("hall-{}", self.keys))
    }

    async fn publish(&self, files: BTreeMap<String, String>) -> Digest {
        let published = self.engine.publish_scripts(&wang(), files, "新版".to_owned()).await;
        let mut published = published.unwrap();
        assert_eq!(published.len(), 1);
        let (of, version) = published.remove(0);
        assert_eq!((of, &version.standing), (service(), &Standing::Draft));
        version.closure
    }

    /// Moves a version for somebody, and returns where it stands or the code of the refusal.
    async fn move_to(
        &self,
        by: &Viewer,
        closure: Digest,
        step: Step,
    ) -> Result<&'static str, String> {
        let moved =
            MoveVersion { service: service(), closure, step, reason: "按计划上线".to_owned() };
        let key = IdempotencyKey(format!("{} {closure} {:?}", by.subject, moved.step));
        let moved = self.engine.move_version(by, moved, key).await;
        moved.map(|moved| moved.version.standing.code()).map_err(|error| error.code().to_owned())
    }

    /// Files a case at a place; tells the code of the refusal where none can be.
    async fn file(&mut self, region: &str) -> Result<CaseId, String> {
        let person = Party { id: APPLICANT.to_owned(), name: "测试甲".to_owned() };
        let input = StartCase::new(service(), RegionCode::new(region), person);
        let (start, submit) = (self.key(), self.key());
        let code = |error: EngineError| error.code().to_owned();
        let started = self.engine.start_case(&applicant(), input, start).await.map_err(code)?;
        self.engine.submit_case(&applicant(), started.case, submit).await.map_err(code)?;
        Ok(started.case)
    }

    async fn until(&self, case: CaseId, holds: impl Fn(&CaseView) -> bool) -> CaseView {
        until(&self.engine, (&applicant(), case), holds).await
    }

    /// Waits until somebody is asked to decide, and returns what he reads.
    async fn asked(&self, case: CaseId) -> (TaskId, u32, String) {
        let asked = |view: &CaseView| {
            let task = view.case().open_tasks().next()?;
            let id = TaskId { case, no: task.no };
            Some((id, task.version, task.opened.title.clone()))
        };
        asked(&self.until(case, |view| asked(view).is_some()).await).unwrap()
    }

    async fn decide(&mut self, case: CaseId) {
        let (task, version, _) = self.asked(case).await;
        let outcome =
            TaskOutcome { granted: true, opinion: "同意".to_owned(), fields: Value::map() };
        let (decided, key) = (Decided::at(version, outcome), self.key());
        self.engine.complete_task(&officer(), task, decided, key).await.unwrap();
    }

    /// Returns where each version stands, with who did what to it, oldest first.
    fn shelf(&self) -> Vec<(Digest, &'static str, Vec<String>)> {
        let versions = self.engine.versions(&li(), &service()).unwrap();
        let told = versions.into_iter().map(|version| {
            let steps = version.steps.iter().map(|step| format!("{} {}", step.no, step.by));
            (version.closure, version.standing.code(), steps.collect())
        });
        told.collect()
    }

    async fn report(&self, closure: Digest) -> Vec<Upgrade> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest { first: 2, after };
            let wanted = (&service(), &closure);
            let found = self.engine.upgrade_report(&li(), wanted, None, page).await.unwrap();
            assert!(found.items.len() <= 2, "a page holds no more than was asked for");
            all.extend(found.items);
            after = found.next;
            if after.is_none() {
                return all;
            }
        }
    }
}

fn refused<T>(code: &str) -> Result<T, String> {
    Err(code.to_owned())
}

#[tokio::test]
async fn a_version_goes_from_draft_to_retired_by_two_persons_and_a_restart_keeps_it_all() {
    let mut hall = Hall::open().await;
    assert_eq!(hall.file("420302").await, refused("UNKNOWN_SERVICE"), "loaded is not approved");
    let old = hall.publish(scripts("", "")).await;
    assert_eq!(hall.file("420302").await, refused("NO_ACTIVE_VERSION"), "a draft binds nobody");
    let alone = hall.move_to(&wang(), old, Step::Activated).await;
    assert_eq!(alone, refused("SECOND_PERSON_NEEDED"));
    assert_eq!(hall.file("420302").await, refused("NO_ACTIVE_VERSION"));
    assert_eq!(hall.move_to(&li(), old, Step::Activated).await, Ok("active"));

    let new = hall.publish(scripts("原版", "新版")).await;
    let early = hall.file("420302").await.unwrap();
    assert_eq!(hall.move_to(&wang(), new, pilot("420302")).await, refused("SECOND_PERSON_NEEDED"));
    let nowhere = Step::Piloted { regions: Vec::new() };
    assert_eq!(hall.move_to(&li(), new, nowhere).await, refused("NO_PLACE"));
    assert_eq!(hall.move_to(&officer(), new, pilot("420302")).await, refused("NOT_PERMITTED"));
    assert_eq!(hall.move_to(&li(), new, pilot("420302")).await, Ok("pilot"));
    assert_eq!(hall.move_to(&li(), old, pilot("420303")).await, refused("WRONG_STATE"));

    // The pilot place has the new version, every other place the old one; who was there before
    // stays where he was.
    let piloted = hall.file("420302").await.unwrap();
    let other = hall.file("420303").await.unwrap();
    let mut hall = hall.restart().await;
    for (case, closure, title) in
        [(early, old, "原版审查"), (piloted, new, "新版审查"), (other, old, "原版审查")]
    {
        let (_, _, asked) = hall.asked(case).await;
        let view = hall.until(case, |_| true).await;
        assert_eq!((view.case().closure(), asked.as_str()), (closure, title));
    }
    let again = hall.file("420302").await.unwrap();
    assert_eq!(hall.until(again, |_| true).await.case().closure(), new, "a restart keeps pilots");

    assert_eq!(hall.move_to(&li(), new, Step::Activated).await, Ok("active"));
    let everywhere = hall.file("420303").await.unwrap();
    assert_eq!(hall.until(everywhere, |_| true).await.case().closure(), new);
    assert_eq!(hall.move_to(&wang(), new, Step::Retired).await, Ok("retired"));
    assert_eq!(hall.file("420302").await, refused("NO_ACTIVE_VERSION"), "nothing is in use");

    let shelf = hall.shelf();
    let steps = |steps: [&str; 2]| steps.map(str::to_owned).to_vec();
    let known = |no: usize| (shelf[no].0, shelf[no].1);
    assert_eq!((known(0), known(1)), ((old, "retired"), (new, "retired")));
    assert_eq!(shelf[0].2, steps(["1 wang", "2 li"]), "replaced by the next one, not by a word");
    let mut hall = hall.restart().await;
    assert_eq!(hall.shelf(), shelf, "who did what is kept");
    assert_eq!(hall.file("420302").await, refused("NO_ACTIVE_VERSION"));
    for case in [early, piloted, other] {
        hall.decide(case).await;
        hall.until(case, |view| view.state() == CaseState::CompletedAll).await;
    }
    // The same request once more is the one that was made before anything replaced the version.
    assert_eq!(hall.move_to(&li(), old, Step::Activated).await, Ok("retired"));
    assert_eq!(hall.shelf(), shelf, "a request that comes late brings nothing back");
    assert_eq!(hall.move_to(&tang(), old, Step::Activated).await, Ok("active"), "back to the old");
    let last = hall.file("420302").await.unwrap();
    assert_eq!(hall.until(last, |_| true).await.case().closure(), old);
}

/// Returns what a report says of a case, by its only matter.
fn told(report: &[Upgrade], case: CaseId) -> (&Upgrade, &Found) {
    let one = report.iter().find(|one| one.case == case);
    let one = one.unwrap_or_else(|| panic!("{case} is live: {report:?}"));
    (one, &one.verdict.matters[0].found)
}

#[tokio::test]
async fn an_upgrade_report_tells_of_live_cases_which_pass_which_diverge_and_which_nobody_can_tell()
{
    let mut hall = Hall::open().await;
    let old = hall.publish(scripts("", "")).await;
    hall.move_to(&li(), old, Step::Activated).await.unwrap();
    // One waits for the first answer, one for a decision, and one has asked for what the new
    // version asks otherwise; a fourth is over.
    let over = hall.file("420302").await.unwrap();
    hall.decide(over).await;
    hall.until(over, |view| view.state() == CaseState::CompletedAll).await;
    hall.agencies.will("office.issue", Does::Accepts);
    let ahead = hall.file("420303").await.unwrap();
    hall.decide(ahead).await;
    hall.until(ahead, |view| view.case().calls.len() == 2).await;
    let deciding = hall.file("420302").await.unwrap();
    hall.asked(deciding).await;
    hall.agencies.will("office.hold", Does::Accepts);
    let early = hall.file("420302").await.unwrap();
    hall.until(early, |view| view.case().calls.values().any(|call| !call.messages.is_empty()))
        .await;

    let new = hall.publish(scripts("office.issue", "office.print")).await;
    let revision = hall.engine.revision();
    let report = hall.report(new).await;
    assert_eq!(report.len(), 3, "what is over is in no report: {report:?}");
    let mut tally = Tally::default();
    for one in &report {
        tally.add(one.verdict.outcome());
        assert_eq!((one.from, one.verdict.closure), (old, new));
    }
    assert_eq!(tally, Tally { passes: 1, opaque: 1, unknown: 0, diverges: 1 });

    let (one, found) = told(&report, early);
    assert_eq!(one.verdict.outcome(), Outcome::Passes);
    assert!(matches!(found, Found::Passes(proof) if !proof.ends && proof.asks.is_empty()));
    let (one, found) = told(&report, deciding);
    assert!(one.verdict.may_rebind());
    let Found::Opaque(proof) = found else { panic!("{found:?}") };
    assert_eq!(proof.decision.as_ref().unwrap().to_string(), "1.0#1");
    let (one, found) = told(&report, ahead);
    assert!(!one.verdict.may_rebind());
    let Found::Diverges(divergence) = found else { panic!("{found:?}") };
    let Divergence { request, fault, .. } = &**divergence;
    assert_eq!(request.as_ref().unwrap().to_string(), "1.0#2");
    assert_eq!((fault.file.as_str(), fault.line), ("matters/office/a.rhai", 7));
    assert!(fault.expected.contains("office.issue") && fault.got.contains("office.print"));

    assert_eq!(hall.engine.revision(), revision, "a report writes nothing");
    let itself = hall.report(old).await;
    assert!(itself.iter().all(|one| one.verdict.may_rebind()), "its own version: {itself:?}");
    let wanted = (&service(), &new);
    let page = PageRequest { first: 10, after: None };
    let stranger = hall.engine.upgrade_report(&officer(), wanted, None, page.clone()).await;
    assert_eq!(stranger.unwrap_err().code(), "NOT_PERMITTED");
    let abroad = RegionCode::new("420600");
    let abroad = hall.engine.upgrade_report(&li(), wanted, Some(&abroad), page).await;
    assert_eq!(abroad.unwrap_err().code(), "NOT_PERMITTED");
}
