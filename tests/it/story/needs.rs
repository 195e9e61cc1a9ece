//! An agency over real HTTP that wants a correction, and then the applicant himself, before it
//! goes on: each time the call is made anew and names the one before.

use std::sync::Arc;

use serde_json::json;
use tongban_connectors::cxp::Json;
use tongban_connectors::sandbox::behaviour::{Inject, InjectedOutcome, Match, Rule};
use tongban_connectors::{
    Behaviour, Catalogue, Contract, CxpConnector, CxpOptions, Ledger, Party, Proof, SandboxAgency,
    SandboxOptions,
};
use tongban_core::command::{Came, TaskOutcome};
use tongban_core::digest::Secret;
use tongban_core::entry::{Party as Person, TaskKind};
use tongban_core::id::{CaseId, RegionCode, ServiceCode, TaskId};
use tongban_core::port::{Connector, Wiring};
use tongban_core::start::StartCase;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::Viewer;
use tongban_engine::clock::{ManualClock, SystemClock};
use tongban_engine::store::MemoryStore;
use tongban_engine::{CaseView, Change, Decided, Engine, IdempotencyKey};

use crate::watching::until;

use super::world::{APPLICANT, applicant, officer, stages};

const SERVICE: &str = r#"service(#{ code: "test", name: "测试", lead: "hall", target: "person",
    regions: ["420300"], matters: [part("a")] });"#;

const MATTER: &str = r#"matter(#{ code: "a", name: "事项a", department: "office", intake: "auto",
    regime: "licence", basis: "示例办法", form: [field("account", "账户号", text(20))],
});

fn handle(m) { grant(ask("office.issue", #{ from_account: m.form.account })) }
"#;

const OPERATIONS: &str = r#"{ "operations": { "office.issue": {
    "name": "出证", "input": { "from_account": "text" }, "output": { "number": "{number}" },
    "documents": [ { "role": "permit", "number": "示〔{year}〕{serial}号" } ] } } }"#;

struct OneAgency;

impl Wiring for OneAgency {
    fn connector_for(&self, _: &str, _: &RegionCode) -> Option<String> {
        Some("office".to_owned())
    }
}

/// Wants the account corrected at the first call, and the applicant at the second.
fn behaviour() -> Behaviour {
    let item = json!({ "target": "/input/from_account", "text": "账户号与姓名不一致" });
    let item: Json = serde_json::from_value(item).unwrap();
    let action: Json = serde_json::from_value(json!({ "kind": "appear" })).unwrap();
    let wants = [
        InjectedOutcome::NeedsCorrection { items: vec![item] },
        InjectedOutcome::NeedsApplicant { action },
    ];
    let rules = (1..).zip(wants).map(|(nth, outcome)| Rule {
        matching: Match { nth: Some(nth), ..Match::default() },
        inject: Inject { outcome: Some(outcome), ..Inject::default() },
    });
    Behaviour { rules: rules.collect(), ..Behaviour::default() }
}

async fn agency(clock: &Arc<ManualClock>) -> SandboxAgency {
    let options = SandboxOptions {
        party: Party::new("420300", "office"),
        operations: Catalogue::parse(OPERATIONS).unwrap(),
        callback_url: None,
        behaviour: behaviour(),
        proof: Proof::Unsigned,
        ledger: Arc::new(Ledger::default()),
        clock: Arc::new(SystemClock),
        lawful: Arc::clone(clock) as Arc<_>,
    };
    SandboxAgency::start(options).await.unwrap()
}

fn connector(agency: &SandboxAgency) -> Arc<dyn Connector> {
    let options = CxpOptions {
        name: "office".to_owned(),
        base_url: agency.base_url(),
        from: Party::new("420300", "tongban"),
        to: agency.party().clone(),
        contract: Contract { id: "office".to_owned(), version: "1.0.0".to_owned() },
        proof: Proof::Unsigned,
        clock: Arc::new(SystemClock),
    };
    Arc::new(CxpConnector::new(options).unwrap())
}

struct Hall {
    engine: Engine,
    case: CaseId,
}

impl Hall {
    async fn begin(agency: &SandboxAgency, clock: &Arc<ManualClock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("services")).unwrap();
        std::fs::create_dir_all(folder.path().join("matters/office")).unwrap();
        std::fs::write(folder.path().join("services/test.rhai"), SERVICE).unwrap();
        std::fs::write(folder.path().join("matters/office/a.rhai"), MATTER).unwrap();
        let engine = Engine::builder()
            .store(Arc::new(MemoryStore::new(Secret::new([5; 32]))))
            .scripts(Arc::new(tongban_scripts::Host::open(folder.path()).unwrap()))
            .wiring(Arc::new(OneAgency))
            .connector("office", connector(agency))
            .lawful_clock(Arc::clone(clock) as Arc<_>)
            .start()
            .await
            .unwrap();
        let person = Person { id: APPLICANT.to_owned(), name: "测试甲".to_owned() };
        let input = StartCase {
            form: Value::of([("account", "SI-1".into())]),
            ..StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), person)
        };
        let key = |text: &str| IdempotencyKey(text.to_owned());
        let case = engine.start_case(&applicant(), input, key("start")).await.unwrap().case;
        engine.submit_case(&applicant(), case, key("submit")).await.unwrap();
        Self { engine, case }
    }

    async fn until(&self, holds: impl Fn(&CaseView) -> bool) -> CaseView {
        until(&self.engine, (&applicant(), self.case), holds).await
    }

    /// Waits for a task of a kind, returns its facts, and says yes to it for somebody.
    async fn complete(&self, by: &Viewer, kind: TaskKind) -> Value {
        let open = |view: &CaseView| {
            let mut tasks = view.case().open_tasks();
            tasks.find(|task| task.opened.kind == kind).cloned()
        };
        let view = self.until(|view| open(view).is_some()).await;
        let task = open(&view).unwrap();
        let outcome =
            TaskOutcome { granted: true, opinion: "同意".to_owned(), fields: Value::map() };
        let decided = Decided::at(task.version, outcome);
        let key = IdempotencyKey(format!("{}-{}", kind.code(), task.no));
        let id = TaskId { case: self.case, no: task.no };
        self.engine.complete_task(by, id, decided, key).await.unwrap();
        task.facts
    }
}

#[tokio::test]
async fn an_agency_that_wants_a_correction_and_then_the_applicant_gets_calls_that_amend() {
    let clock = Arc::new(ManualClock::new(Moment::parse("2026-03-02T09:00:00+08:00").unwrap()));
    let agency = agency(&clock).await;
    let hall = Hall::begin(&agency, &clock).await;

    let facts = hall.complete(&officer(), TaskKind::AskCorrection).await;
    assert_eq!(facts.get("fields"), Some(&Value::List(vec!["account".into()])));
    hall.until(|view| view.case().matters[0].law.correction().is_some()).await;
    let change = Change::AmendForm {
        fields: Value::of([("account", "SI-2".into())]),
        reason: String::new(),
        came: Came::default(),
        seen: None,
    };
    let key = IdempotencyKey("corrected".to_owned());
    hall.engine.change_case(&applicant(), hall.case, change, key).await.unwrap();

    let facts = hall.complete(&applicant(), TaskKind::Applicant).await;
    let action = facts.get("action").and_then(|action| action.get("kind"));
    assert_eq!(action, Some(&"appear".into()));

    hall.until(|view| stages(view) == ["granted"]).await;
    let effects = agency.ledger().effects();
    let ids: Vec<_> = effects.iter().map(|effect| effect.call).collect();
    let amended: Vec<_> = effects.iter().map(|effect| effect.amends).collect();
    assert_eq!(amended, [None, Some(ids[0]), Some(ids[1])], "each names the one before");
    assert_eq!(agency.ledger().double_effects(), []);
    hall.engine.shutdown().await;
    agency.shutdown().await;
}
