//! A world of one engine, scripts written in place, and agencies that answer as told.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::sync::Semaphore;
use tongban_core::agency::{
    AgencyReply, Call, CallContext, DocumentRef, Effect, Fault, FaultClass, Invoked, Queried,
    ReplyBody,
};
use tongban_core::command::{ActRequest, TaskOutcome};
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{Consent, Entry, Party, TaskKind};
use tongban_core::id::{CallId, CaseId, MatterNo, RegionCode, ServiceCode, TaskId};
use tongban_core::material::MaterialGiven;
use tongban_core::port::{Connector, Later, Store as _, WireClock, Wiring};
use tongban_core::request::{Outcome, OutcomeKind};
use tongban_core::start::StartCase;
use tongban_core::time::{Moment, Period};
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::blob::Blobs;
use tongban_engine::clock::{ManualClock, SystemClock};
use tongban_engine::standing::Standing;
use tongban_engine::store::MemoryStore;
use tongban_engine::upkeep::{self, Backup, Source, Target};
use tongban_engine::{CaseView, Change, Decided, Engine, EngineError, IdempotencyKey, Options};

use crate::watching::until;

/// What an agency does with a call.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// Completes it with this document number.
    Completes(&'static str),
    /// Rejects it.
    Rejects,
    /// Takes it and says nothing more.
    Accepts,
    /// Cannot be reached.
    IsDown,
    /// Its connector panics.
    Breaks,
    /// Completes it with this output.
    Gives(Value),
}

/// Agencies in one connector; each operation answers from its own list, then completes.
#[derive(Default)]
pub(super) struct Agencies {
    told: Mutex<BTreeMap<String, VecDeque<Does>>>,
    /// Every call that arrived, in order, repetitions too.
    pub(super) seen: Mutex<Vec<(String, CallId)>>,
}

impl Agencies {
    /// Says what the next call of an operation gets.
    pub(super) fn will(&self, operation: &str, does: Does) {
        self.told.lock().unwrap().entry(operation.to_owned()).or_default().push_back(does);
    }

    fn answer(&self, call: &Call) -> Result<AgencyReply, Fault> {
        let operation = format!("{}.{}", call.role, call.operation);
        self.seen.lock().unwrap().push((operation.clone(), call.id));
        let next = self.told.lock().unwrap().get_mut(&operation).and_then(VecDeque::pop_front);
        match next.unwrap_or(Does::Completes("")) {
            Does::Completes(number) => Ok(completed(call.id, number)),
            Does::Breaks => panic!("a connector with a mistake"),
            Does::Gives(output) => {
                Ok(reply(call.id, 1, ReplyBody::Completed { output, documents: Vec::new() }))
            }
            Does::Rejects => Ok(reply(call.id, 1, rejected())),
            Does::Accepts => {
                let body =
                    ReplyBody::Accepted { ticket: None, expect_by: None, next_query_after: None };
                Ok(reply(call.id, 1, body))
            }
            Does::IsDown => Err(Fault {
                class: FaultClass::Unavailable,
                effect: Effect::None,
                code: "down".to_owned(),
                retry_after: None,
                text: "对方系统暂不可用".to_owned(),
            }),
        }
    }
}

/// Builds what an agency says that refuses.
pub(super) fn rejected() -> ReplyBody {
    let reason = "不符合条件".to_owned();
    ReplyBody::Otherwise(Outcome { kind: OutcomeKind::Rejected, reason, detail: Value::Null })
}

/// Builds a message about a call.
pub(super) fn reply(call: CallId, seq: u32, body: ReplyBody) -> AgencyReply {
    let digest = Digest::of(format!("{seq} {body:?}").as_bytes());
    AgencyReply { call, seq, digest, at: Moment::default(), body }
}

/// Builds the completion of a call with one document.
pub(super) fn completed(call: CallId, number: &str) -> AgencyReply {
    let number = if number.is_empty() { call.to_string() } else { number.to_owned() };
    let document = DocumentRef {
        role: "permit".to_owned(),
        number: number.clone(),
        digest: Digest::of(number.as_bytes()),
    };
    let output = Value::of([("number", number.into())]);
    reply(call, 2, ReplyBody::Completed { output, documents: vec![document] })
}

impl Connector for Agencies {
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(async { self.answer(call).map(Invoked::Replied) })
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(async { self.answer(call).map(Queried::Known) })
    }
}

/// Binds every operation to the agencies.
pub(super) struct ToAgencies;

impl Wiring for ToAgencies {
    fn connector_for(&self, _: &str, _: &RegionCode) -> Option<String> {
        Some("agencies".to_owned())
    }

    fn reply_within(&self, operation: &str, _: &RegionCode) -> Option<Period> {
        operation.starts_with("tax.").then(|| "2 working days".parse().unwrap())
    }
}

/// The wire's time, in which what could not be delivered during a downtime has until the story
/// ends the wait for it; any other wait is a real one.
pub(super) struct Drain {
    begun: Semaphore,
    over: Semaphore,
}

/// How long the engine waits for what could not be delivered; no other wait is of this length.
const DRAIN_MILLIS: u64 = 4_321;

impl Default for Drain {
    fn default() -> Self {
        Self { begun: Semaphore::new(0), over: Semaphore::new(0) }
    }
}

impl Drain {
    /// Waits until the engine waits.
    pub(super) async fn begun(&self) {
        self.begun.acquire().await.unwrap().forget();
    }

    /// Ends the wait.
    pub(super) fn end(&self) {
        self.over.add_permits(1);
    }
}

impl WireClock for Drain {
    fn now(&self) -> Moment {
        SystemClock.now()
    }

    fn wait_millis(&self, millis: u64) -> Later<'_, ()> {
        if millis != DRAIN_MILLIS {
            return SystemClock.wait_millis(millis);
        }
        Box::pin(async {
            self.begun.add_permits(1);
            self.over.acquire().await.unwrap().forget();
        })
    }
}

/// The world.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) agencies: Arc<Agencies>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) case: CaseId,
    /// What carries the calls, where it is not the agencies themselves.
    connector: Arc<dyn Connector>,
    store: Arc<MemoryStore>,
    scripts: TempDir,
    standing: Standing,
    drain: Option<Arc<Drain>>,
    keys: u32,
}

/// How a story begins.
pub(super) struct Setting<'a> {
    /// The service's parts.
    pub(super) parts: &'a str,
    /// Functions of the service's script.
    pub(super) functions: &'a str,
    /// Code, further members of the declaration, body of `handle` or all functions.
    pub(super) matters: Vec<(&'a str, &'a str, &'a str)>,
    pub(super) agencies: Arc<Agencies>,
    /// What carries the calls, if not the agencies themselves.
    pub(super) connector: Option<Arc<dyn Connector>>,
    /// When the applicant files.
    pub(super) filed_at: &'a str,
    /// Answers to the questions.
    pub(super) answers: Value,
    /// The form.
    pub(super) form: Value,
    /// Materials that come with the application.
    pub(super) materials: Vec<MaterialGiven>,
    /// Licenses whose use is authorised.
    pub(super) consents: Vec<Consent>,
    /// Calendars and organisation.
    pub(super) standing: Standing,
    /// What ends the wait for undelivered things after a downtime; without one there is none.
    pub(super) drain: Option<Arc<Drain>>,
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self {
            parts: r#"part("a")"#,
            functions: "",
            matters: Vec::new(),
            agencies: Arc::default(),
            connector: None,
            filed_at: "2026-03-02T09:00:00+08:00",
            answers: Value::Null,
            form: Value::Null,
            materials: Vec::new(),
            consents: Vec::new(),
            standing: Standing::default(),
            drain: None,
        }
    }
}

impl Setting<'_> {
    /// Starts and submits the case.
    pub(super) async fn begin(self) -> World {
        let scripts = tempfile::tempdir().unwrap();
        write_scripts(scripts.path(), (self.parts, self.functions), &self.matters);
        let clock = Arc::new(ManualClock::new(Moment::parse(self.filed_at).unwrap()));
        let store = Arc::new(MemoryStore::new(Secret::new([5; 32])));
        let Self { agencies, standing, connector, drain, .. } = self;
        let connector = connector.unwrap_or_else(|| Arc::clone(&agencies) as Arc<_>);
        let parts = Parts {
            connector: &connector,
            clock: &clock,
            standing: &standing,
            drain: drain.as_ref(),
        };
        let engine = engine(&store, scripts.path(), parts).await;
        let person = Party { id: APPLICANT.to_owned(), name: "测试甲".to_owned() };
        let input = StartCase {
            answers: self.answers,
            form: self.form,
            materials: self.materials,
            consents: self.consents,
            ..StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), person)
        };
        let key = IdempotencyKey("start".to_owned());
        let case = engine.start_case(&applicant(), input, key).await.unwrap().case;
        let key = IdempotencyKey("submit".to_owned());
        engine.submit_case(&applicant(), case, key).await.unwrap();
        World { engine, agencies, clock, case, connector, store, scripts, standing, drain, keys: 0 }
    }
}

/// Identifier of the applicant of every story.
pub(super) const APPLICANT: &str = "420302199001010015";

const SERVICE_HEAD: &str =
    r#"code: "test", name: "测试", lead: "hall", target: "person", regions: ["420300"],"#;

const COMPUTING_QUESTIONS: &str = r#"questions: [question("route", "途经地", list(text(6), 5)), question("plan", "计划", yes_no())],"#;

impl World {
    /// Starts and submits a case of a service with these parts and `(code, handle)` matters.
    pub(super) async fn begin(parts: &str, matters: &[(&str, &str)]) -> Self {
        Self::begin_with(parts, matters, Arc::default()).await
    }

    /// As [`World::begin`], with agencies that know what to answer.
    pub(super) async fn begin_with(
        parts: &str,
        matters: &[(&str, &str)],
        agencies: Arc<Agencies>,
    ) -> Self {
        let declared = matters.iter().map(|(code, handle)| (*code, "", *handle)).collect();
        Setting { parts, matters: declared, agencies, ..Setting::default() }.begin().await
    }

    /// Stops the engine and starts another on what the store holds.
    pub(super) async fn restart(&mut self) {
        self.engine.shutdown().await;
        self.store = Arc::new(self.store.reopen());
        self.engine = engine(&self.store, self.scripts.path(), self.parts()).await;
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            connector: &self.connector,
            clock: &self.clock,
            standing: &self.standing,
            drain: self.drain.as_ref(),
        }
    }

    /// Returns the case's log as it is stored.
    pub(super) async fn log(&self) -> Vec<Entry> {
        self.store.load(self.case).await.unwrap().unwrap().entries
    }

    /// As [`World::restart`], with calls carried by another connector.
    pub(super) async fn restart_over(&mut self, connector: Arc<dyn Connector>) {
        self.connector = connector;
        self.restart().await;
    }

    /// As [`World::restart`], with other calendars and organisation.
    pub(super) async fn restart_with(&mut self, standing: Standing) {
        self.standing = standing;
        self.restart().await;
    }

    /// Takes a backup of the store as it stands.
    pub(super) async fn backup(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let source = Source {
            store: self.store.as_ref(),
            blobs: None,
            references: None,
            folder: folder.path(),
            others: &[],
            now: Moment::default(),
        };
        upkeep::backup(source, &folder.path().join("backup"), &mut |_| {}).await.unwrap();
        folder
    }

    /// Stops the engine and starts another on a store that is restored from a backup.
    pub(super) async fn restore(&mut self, from: &TempDir) {
        self.engine.shutdown().await;
        let backup = Backup::verify(&from.path().join("backup"), &mut |_| {}).unwrap();
        let store = MemoryStore::new(Secret::new([5; 32]));
        let blobs = Blobs::in_folder(from.path()).unwrap();
        let (standing, at) = (&self.standing, Moment::default());
        let target = Target { store: &store, blobs: &blobs, standing, at };
        backup.fill(target, &mut |_| {}).await.unwrap();
        self.store = Arc::new(store.reopen());
        self.engine = engine(&self.store, self.scripts.path(), self.parts()).await;
    }

    /// Waits until no message is parked.
    pub(super) async fn until_none_is_parked(&self) {
        let supervisor = Viewer::new("s", Role::Supervisor).within("420300");
        while !self.engine.parked_replies(&supervisor).unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Starts another case of the same service.
    pub(super) async fn start_another(&mut self, answers: Value) -> Result<(), EngineError> {
        let person = Party { id: APPLICANT.to_owned(), name: "测试甲".to_owned() };
        let service = ServiceCode::new("test");
        let input =
            StartCase { answers, ..StartCase::new(service, RegionCode::new("420302"), person) };
        let key = self.key();
        self.engine.start_case(&applicant(), input, key).await.map(|_| ())
    }

    fn key(&mut self) -> IdempotencyKey {
        self.keys += 1;
        IdempotencyKey(format!("story-{}", self.keys))
    }

    /// Changes the case for somebody.
    pub(super) async fn change(&mut self, by: &Viewer, change: Change) -> Result<(), EngineError> {
        let key = self.key();
        self.engine.change_case(by, self.case, change, key).await.map(|_| ())
    }

    /// Has somebody do an act on the first matter.
    pub(super) async fn act(&mut self, by: &Viewer, act: ActRequest) -> Result<(), EngineError> {
        self.change(by, Change::Act { matter: MatterNo(1), act }).await
    }

    /// Waits for an open task of a kind and completes it for somebody.
    pub(super) async fn complete(
        &mut self,
        by: &Viewer,
        kind: TaskKind,
        outcome: TaskOutcome,
    ) -> Result<(), EngineError> {
        let open = |view: &CaseView| {
            let mut tasks = view.case().open_tasks();
            tasks.find(|task| task.opened.kind == kind).map(|task| (task.no, task.version))
        };
        let view = self.until(|view| open(view).is_some()).await;
        let (no, version) = open(&view).unwrap();
        let (task, key) = (TaskId { case: self.case, no }, self.key());
        self.engine.complete_task(by, task, Decided::at(version, outcome), key).await.map(|_| ())
    }

    /// Starts and submits another case, for the same applicant, and looks at it from here on.
    pub(super) async fn begin_another(&mut self) {
        let person = Party { id: APPLICANT.to_owned(), name: "测试甲".to_owned() };
        let input = StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), person);
        let (start, submit) = (self.key(), self.key());
        self.case = self.engine.start_case(&applicant(), input, start).await.unwrap().case;
        self.engine.submit_case(&applicant(), self.case, submit).await.unwrap();
    }

    /// Moves lawful time to a moment.
    pub(super) fn reach(&self, moment: &str) {
        self.clock.advance_to(Moment::parse(moment).unwrap());
    }

    /// Waits until the case is as wanted.
    pub(super) async fn until(&self, holds: impl Fn(&CaseView) -> bool) -> CaseView {
        until(&self.engine, (&applicant(), self.case), holds).await
    }

    /// Waits until the matters stand as wanted, in order.
    pub(super) async fn stands(&self, wanted: &[&str]) {
        self.until(|view| stages(view) == wanted).await;
    }

    /// Waits for an open task of a matter and does it.
    pub(super) async fn decide(&mut self, matter: u16, said: Said) {
        self.say(&officer(), MatterNo(matter), said).await.unwrap();
    }

    /// Waits for an open task of a matter and has somebody do it.
    pub(super) async fn say(
        &mut self,
        by: &Viewer,
        matter: MatterNo,
        said: Said,
    ) -> Result<(), EngineError> {
        let open = |view: &CaseView| {
            let mut tasks = view.case().open_tasks();
            tasks.find(|task| task.matter == matter).map(|task| (task.no, task.version))
        };
        let view = self.until(|view| open(view).is_some()).await;
        let (no, version) = open(&view).unwrap();
        self.keys += 1;
        let outcome = TaskOutcome {
            granted: said == Said::Yes,
            opinion: "理由".to_owned(),
            fields: Value::map(),
        };
        let key = IdempotencyKey(format!("decide-{}", self.keys));
        let task = TaskId { case: self.case, no };
        self.engine.complete_task(by, task, Decided::at(version, outcome), key).await.map(|_| ())
    }

    /// Returns the kinds of tasks that are open.
    pub(super) async fn tasks(&self) -> Vec<TaskKind> {
        let view = self.until(|_| true).await;
        view.case().open_tasks().map(|task| task.opened.kind).collect()
    }

    /// Moves lawful time.
    pub(super) fn pass(&self, hours: u64) {
        let now = tongban_core::port::LawfulClock::now(self.clock.as_ref());
        self.clock.advance_to(now.plus_millis(i64::try_from(hours).unwrap() * 3_600_000));
    }
}

/// What an officer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Said {
    Yes,
    No,
}

/// Returns how the matters stand.
pub(super) fn stages(view: &CaseView) -> Vec<&'static str> {
    view.case().matters.iter().map(|matter| matter.law.stage.code()).collect()
}

/// Returns the codes of the incidents.
pub(super) fn incidents(view: &CaseView) -> Vec<&'static str> {
    view.case().incidents.values().map(|one| one.incident.kind.code()).collect()
}

/// The applicant of every story.
pub(super) fn applicant() -> Viewer {
    Viewer::new("reader", Role::Applicant).for_party(APPLICANT)
}

/// A window clerk of the place.
pub(super) fn clerk() -> Viewer {
    Viewer::new("clerk", Role::WindowClerk).within("420300")
}

/// An approver of the department.
pub(super) fn officer() -> Viewer {
    Viewer::new("officer", Role::Approver).within("420300").of("office")
}

/// The head of the department's office.
pub(super) fn head() -> Viewer {
    Viewer::new("head", Role::OfficeHead).within("420300").of("office")
}

/// What somebody says, with a reason.
pub(super) fn says(said: Said) -> TaskOutcome {
    TaskOutcome { granted: said == Said::Yes, opinion: "理由".to_owned(), fields: Value::map() }
}

#[derive(Clone, Copy)]
struct Parts<'a> {
    connector: &'a Arc<dyn Connector>,
    clock: &'a Arc<ManualClock>,
    standing: &'a Standing,
    drain: Option<&'a Arc<Drain>>,
}

async fn engine(store: &Arc<MemoryStore>, scripts: &Path, parts: Parts<'_>) -> Engine {
    let Parts { connector, clock, standing, drain } = parts;
    let host = tongban_scripts::Host::open(scripts).unwrap();
    let (wire, drain_millis): (Arc<dyn WireClock>, u64) = match drain {
        Some(drain) => (Arc::clone(drain) as Arc<_>, DRAIN_MILLIS),
        None => (Arc::new(SystemClock), 0),
    };
    Engine::builder()
        .store(Arc::clone(store) as Arc<_>)
        .scripts(Arc::new(host))
        .wiring(Arc::new(ToAgencies))
        .connector("agencies", Arc::clone(connector))
        .lawful_clock(Arc::clone(clock) as Arc<_>)
        .wire_clock(wire)
        .standing(standing.clone())
        .options(Options { drain_millis, ..Options::default() })
        .start()
        .await
        .unwrap()
}

fn write_scripts(folder: &Path, (parts, functions): (&str, &str), matters: &[(&str, &str, &str)]) {
    let services = folder.join("services");
    let office = folder.join("matters/office");
    std::fs::create_dir_all(&services).unwrap();
    std::fs::create_dir_all(&office).unwrap();
    // A closure computes the matters; it comes with the questions that it reads.
    let set = if parts.starts_with('|') {
        format!("api_level: 2, {COMPUTING_QUESTIONS} matters: {parts}")
    } else {
        let level = if functions.is_empty() { 1 } else { 2 };
        format!("api_level: {level}, matters: [{parts}]")
    };
    let service = format!("service(#{{ {SERVICE_HEAD} {set} }});\n\n{functions}\n");
    std::fs::write(services.join("test.rhai"), service).unwrap();
    for (code, further, handle) in matters {
        let usual = [
            ("regime", r#"regime: "licence","#),
            ("intake", r#"intake: "auto","#),
            ("limit", r#"limit: #{ promised: "1 working day" },"#),
        ];
        let usual = usual.into_iter().filter(|(name, _)| !further.contains(&format!("{name}:")));
        let usual: String = usual.map(|(_, member)| member).collect();
        let head = format!(
            r#"matter(#{{ code: "{code}", name: "事项{code}", department: "office", basis: "示例办法",
                {usual} {further} }});"#
        );
        let functions = if handle.contains("fn handle(m)") {
            (*handle).to_owned()
        } else {
            format!("fn handle(m) {{\n{handle}\n}}")
        };
        let text = format!("{head}\n\n{functions}\n");
        std::fs::write(office.join(format!("{code}.rhai")), text).unwrap();
    }
}
