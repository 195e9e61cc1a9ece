//! A server on a port of its own, and the people who use it. Time stands still until a test
//! moves it.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tongban_core::digest::Secret;
use tongban_core::document::Seal;
use tongban_core::organisation::{Organisation, Source};
use tongban_core::port::{Script, Store};
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::blob::Blobs;
use tongban_engine::clock::{ManualClock, RealLawfulClock};
use tongban_engine::standing::Standing;
use tongban_engine::store::MemoryStore;
use tongban_engine::upkeep::{self, Backup, Target};
use tongban_engine::{Engine, EngineBuilder, objects};
use tongban_scripts::Host;

use crate::auth::{Authority, DevIdentity, Expected, KeySet, Validity};
use crate::server::{self, Options, ServeError};

/// Longest that nothing may be committed while something is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

/// The enterprise that files.
pub(super) const PARTY: &str = "91420302MA4DEM010M";

const SERVICE: &str = r#"
service(#{
    code: "shop-opening", name: "开店一件事", lead: "urban-management",
    target: "enterprise", regions: ["420300"], promise: "5 working days",
    matters: [ part("signboard"), part("road-use").after("signboard") ],
});
"#;
const SIGNBOARD: &str = r#"
matter(#{
    code: "signboard", name: "店招设置", department: "urban-management",
    intake: "window",
    limit: #{ statutory: "20 working days", promised: "5 working days" },
    form: [ field("shop", "店名", text(40)) ],
    materials: [ material("sketch", "效果图").from(upload("pdf")) ],
    fees: [ fee("工本费", 12, "示例收费标准一"), fee("勘验费", 80, "示例收费标准二") ],
    gives: license("signboard"),
});
fn handle(m) {
    let opinion = decide("urban-management.approver", #{ title: "店招审查", facts: #{ shop: m.form.shop } });
    if opinion.denied { return deny(opinion); }
    grant(opinion)
}
"#;
const ROAD_USE: &str = r#"
matter(#{
    code: "road-use", name: "占道", department: "transport",
    intake: "window",
    limit: #{ statutory: "20 working days", promised: "3 working days" },
    form: [ field("phone", "联系电话", text(20)).optional() ], materials: [],
});
fn handle(m) {
    let opinion = decide("transport.approver", #{ title: "占道审查", facts: #{} });
    if opinion.denied { return deny(opinion); }
    grant(opinion)
}
"#;

/// Offices, and who holds which role in them: the approver, a colleague who stands in for him in
/// one week of March, and the head.
const ORGANISATION: &str = r#"{
  "kind": "organisation", "code": "shiyan",
  "offices": [
    { "code": "urban-management", "place": "420300", "creditCode": "1142030000DEM1069Y",
      "name": "十堰市城市管理执法委员会(示例)", "word": "十城管",
      "reviewBody": "十堰市人民政府(示例)", "court": "十堰市茅箭区人民法院(示例)" }
  ],
  "roles": [
    { "code": "urban-management.window", "name": "窗口", "may": ["window"] },
    { "code": "urban-management.approver", "name": "审批人", "may": ["approve"] },
    { "code": "urban-management.head", "name": "负责人", "may": ["head", "approve"] }
  ],
  "people": [
    { "subject": "clerk-1", "name": "示例甲", "office": "urban-management@420300",
      "holds": [ { "role": "urban-management.window", "region": "420300", "from": "2025-01-01" } ] },
    { "subject": "approver-1", "name": "示例乙", "office": "urban-management@420300",
      "holds": [ { "role": "urban-management.approver", "region": "420300", "from": "2025-01-01" } ] },
    { "subject": "approver-3", "name": "示例丙", "office": "urban-management@420300",
      "holds": [ { "role": "urban-management.approver", "region": "420300", "from": "2025-01-01" } ] },
    { "subject": "head-1", "name": "示例丁", "office": "urban-management@420300",
      "holds": [ { "role": "urban-management.head", "region": "420300", "from": "2025-01-01" } ] }
  ],
  "standIns": [
    { "for": "approver-1", "by": "approver-3", "from": "2026-03-02", "until": "2026-03-06", "reason": "培训" }
  ]
}"#;

fn standing() -> Standing {
    let source = Source { label: "organisation", kind: None, bytes: ORGANISATION.as_bytes() };
    let organisation = Organisation::read(&[source]).unwrap_or_else(|wrong| panic!("{wrong}"));
    Standing { organisation: Arc::new(organisation), ..Standing::default() }
}

/// A running server.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) wire: Arc<ManualClock>,
    pub(super) address: std::net::SocketAddr,
    identity: DevIdentity,
    stop: Option<oneshot::Sender<()>>,
    served: JoinSet<Result<(), ServeError>>,
    _folders: [TempDir; 2],
}

/// How a server trusts.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Mode {
    Development,
    Production,
}

pub(super) fn scripts() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("services/shop-opening.rhai", SERVICE);
    write("matters/urban-management/signboard.rhai", SIGNBOARD);
    write("matters/transport/road-use.rhai", ROAD_USE);
    folder
}

pub(super) async fn engine(scripts: &TempDir, wire: &Arc<ManualClock>) -> Engine {
    builder(scripts, wire).start().await.unwrap()
}

/// Begins the engine of a desk, without any agency.
pub(super) fn builder(
    scripts: &TempDir,
    wire: &Arc<ManualClock>,
) -> EngineBuilder<Arc<dyn Store>, Arc<dyn Script>> {
    let store = Arc::new(MemoryStore::new(Secret::new([7; 32])));
    let lawful = Arc::new(RealLawfulClock::new(wire.clone(), 0));
    Engine::builder()
        .store(store)
        .scripts(Arc::new(Host::open(scripts.path()).unwrap()))
        .wire_clock(wire.clone())
        .virtual_clock(lawful)
        .standing(standing())
        .blobs(Blobs::open(objects::memory()))
}

impl Desk {
    pub(super) async fn open() -> Self {
        Self::open_in(Mode::Production).await
    }

    pub(super) async fn open_in(mode: Mode) -> Self {
        let nine = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        let wire = Arc::new(ManualClock::new(nine));
        let scripts = scripts();
        let engine = engine(&scripts, &wire).await;
        Self::over(engine, scripts, (wire, mode)).await
    }

    /// Opens a server whose notices are sealed by `seal`.
    pub(super) async fn sealing(seal: Arc<dyn Seal>) -> Self {
        let nine = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        let wire = Arc::new(ManualClock::new(nine));
        let scripts = scripts();
        let engine = builder(&scripts, &wire).seal(seal).start().await.unwrap();
        Self::over(engine, scripts, (wire, Mode::Production)).await
    }

    /// Serves an engine that a test has built itself.
    pub(super) async fn over(
        engine: Engine,
        scripts: TempDir,
        (wire, mode): (Arc<ManualClock>, Mode),
    ) -> Self {
        let folders = [tempfile::tempdir().unwrap(), scripts];
        let identity = DevIdentity::create_or_open(folders[0].path()).unwrap();
        let authority = match mode {
            Mode::Development => Authority::dev(&identity, wire.clone()),
            Mode::Production => {
                let keys = KeySet::from_json(&identity.jwks()).unwrap();
                let Expected { issuer, audience } = DevIdentity::expected();
                Authority::new(keys, Expected { issuer, audience }, wire.clone())
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut served = JoinSet::new();
        let options = Options::new(authority);
        served.spawn(server::serve(engine.clone(), options, listener, async {
            drop(stopped.await);
        }));
        let stop = Some(stop);
        Self { engine, wire, address, identity, stop, served, _folders: folders }
    }

    /// Stops the server and waits until it has stopped.
    pub(super) async fn stop(&mut self) {
        drop(self.stop.take());
        self.served.join_next().await.unwrap().unwrap().unwrap();
    }

    /// Tells the server to stop, without waiting.
    pub(super) fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Returns a token that lasts for ten minutes.
    pub(super) fn token(&self, viewer: &Viewer) -> String {
        self.token_for(viewer, 600)
    }

    pub(super) fn token_for(&self, viewer: &Viewer, seconds: u32) -> String {
        let validity = Validity { from: self.wire.now(), seconds };
        self.identity.issue(viewer, validity).unwrap()
    }

    /// Sends a raw request and returns status, head and body.
    pub(super) async fn send(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP response");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
        Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Posts a body with headers of the test's own making.
    pub(super) async fn post(&self, headers: &str, body: &str) -> Reply {
        let length = body.len();
        self.send(&format!(
            "POST /graphql HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
        .await
    }

    /// Runs an operation as someone and returns the whole answer.
    pub(super) async fn ask(&self, who: &Viewer, query: &str, variables: Json) -> Json {
        let token = self.token(who);
        let headers = format!(
            "Authorization: Bearer {token}\r\nContent-Type: application/json\r\nAccept: application/graphql-response+json\r\n"
        );
        let body = json!({ "query": query, "variables": variables }).to_string();
        let reply = self.post(&headers, &body).await;
        serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("not JSON: {}", reply.body))
    }

    /// Runs an operation that must have no errors, and returns its data.
    pub(super) async fn data(&self, who: &Viewer, query: &str, variables: Json) -> Json {
        let answer = self.ask(who, query, variables).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"].clone()
    }
}

/// Opens a desk over a store that a test keeps in its hand.
pub(super) async fn desk_over(store: Arc<MemoryStore>) -> Desk {
    let nine = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
    let wire = Arc::new(ManualClock::new(nine));
    let scripts = scripts();
    let engine = builder(&scripts, &wire).store(store).start().await.unwrap();
    Desk::over(engine, scripts, (wire, Mode::Production)).await
}

/// Backs a store up, lets something happen that the backup does not have, and restores it.
pub(super) async fn restored(
    store: &MemoryStore,
    meanwhile: impl Future<Output = ()>,
) -> MemoryStore {
    let folder = tempfile::tempdir().unwrap();
    let (place, now) = (folder.path().join("backup"), Moment::default());
    let (blobs, references) = (None, None);
    let folder = folder.path();
    let source = upkeep::Source { store, blobs, references, folder, others: &[], now };
    upkeep::backup(source, &place, &mut |_| {}).await.unwrap();
    meanwhile.await;
    let backup = Backup::verify(&place, &mut |_| {}).unwrap();
    let again = MemoryStore::new(Secret::new([7; 32]));
    let (blobs, standing) = (Blobs::in_folder(folder).unwrap(), Standing::default());
    let target = Target { store: &again, blobs: &blobs, standing: &standing, at: now };
    backup.fill(target, &mut |_| {}).await.unwrap();
    again
}

/// An HTTP response.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(super) fn code(&self) -> String {
        let json = self.json();
        assert_eq!(json.get("data"), None, "a request error has no data: {json}");
        json["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned()
    }
}

pub(super) fn applicant() -> Viewer {
    Viewer::new("applicant-1", Role::Applicant).for_party(PARTY)
}

pub(super) fn clerk() -> Viewer {
    Viewer::new("clerk-1", Role::WindowClerk).within("420302")
}

pub(super) fn approver() -> Viewer {
    Viewer::new("approver-1", Role::Approver).within("420300").of("urban-management")
}

/// A colleague of the approver, who stands in for him.
pub(super) fn colleague() -> Viewer {
    Viewer::new("approver-3", Role::Approver).within("420300").of("urban-management")
}

pub(super) fn head() -> Viewer {
    Viewer::new("head-1", Role::OfficeHead).within("420300").of("urban-management")
}

pub(super) fn supervisor() -> Viewer {
    Viewer::new("supervisor-1", Role::Supervisor).within("420300")
}

pub(super) fn start_input(key: &str) -> Json {
    json!({
        "serviceCode": "shop-opening",
        "region": "420302",
        "applicant": { "id": PARTY, "name": "十堰示例商贸有限公司" },
        "form": { "shop": "示例书店" },
        "materials": [{ "code": "sketch", "fileName": "效果图.pdf", "sha256": "0".repeat(64) }],
        "idempotencyKey": key,
    })
}

pub(super) const START: &str = "mutation($input: StartCaseInput!) { startCase(input: $input) {
    case { id number state } replayed revision errors { ... on UserError { code message path } } } }";
pub(super) const SUBMIT: &str = "mutation($input: SubmitCaseInput!) { submitCase(input: $input) {
    case { id state } replayed errors { ... on UserError { code message(lang: EN) path } } } }";

impl Desk {
    /// Starts and submits a case as its applicant, and returns its id.
    pub(super) async fn submitted(&self) -> String {
        let started =
            self.data(&applicant(), START, json!({ "input": start_input("start") })).await;
        let id = started["startCase"]["case"]["id"].as_str().expect("a case").to_owned();
        let input = json!({ "caseId": id, "idempotencyKey": "submit" });
        let submitted = self.data(&applicant(), SUBMIT, json!({ "input": input })).await;
        assert_eq!(submitted["submitCase"]["errors"], json!([]));
        id
    }

    /// Completes an open task of a kind with a yes, whoever's queue it is in.
    pub(super) async fn complete(&self, who: &Viewer, kind: &str) -> Json {
        let task = self.open_task(who, kind).await;
        let input = json!({
            "taskId": task["id"], "expectedVersion": task["version"], "granted": true,
            "opinion": "同意", "idempotencyKey": format!("complete-{}", task["id"]),
        });
        let done = self.data(who, COMPLETE, json!({ "input": input })).await;
        assert_eq!(done["completeTask"]["errors"], json!([]), "{done}");
        done["completeTask"].clone()
    }

    /// Runs a mutation `name` with an input and returns its payload. What it selects beside the
    /// errors is the caller's.
    pub(super) async fn mutate(&self, who: &Viewer, name: &str, asked: (Json, &str)) -> Json {
        let (input, select) = asked;
        let (first, rest) = name.split_at(1);
        let document = format!(
            "mutation($input: {}{rest}Input!) {{ {name}(input: $input) {{ {select} replayed revision
               errors {{ __typename ... on UserError {{ code message(lang: EN) path }} }} }} }}",
            first.to_uppercase()
        );
        self.data(who, &document, json!({ "input": input })).await[name].clone()
    }

    /// Does an act on the first matter of a case, which must hold, and returns the matter.
    pub(super) async fn act(&self, who: &Viewer, name: &str, input: Json) -> Json {
        let done = self.mutate(who, name, (input, MATTER)).await;
        assert_eq!(done["errors"], json!([]), "{name}: {done}");
        done["caseMatter"].clone()
    }

    /// Asks for an act that must be refused, and returns the refusal.
    pub(super) async fn refused(&self, who: &Viewer, name: &str, input: Json) -> Json {
        let done = self.mutate(who, name, (input, REFUSED)).await;
        assert_eq!(done["case"], Json::Null, "{name}: {done}");
        assert_eq!(done["errors"].as_array().map(Vec::len), Some(1), "{name}: {done}");
        done["errors"][0].clone()
    }

    /// Moves lawful time to a moment. What is under way, such as a notice that is being sealed,
    /// holds it up and is asked past.
    pub(super) async fn advance(&self, until: &str) {
        loop {
            let input = json!({ "until": until, "idempotencyKey": until });
            let moved = self.mutate(&supervisor(), "advanceClock", (input, "lawfulNow")).await;
            match moved["errors"][0]["code"].as_str() {
                None => return,
                Some("CLOCK_NOT_MOVABLE") => {}
                Some(_) => panic!("{moved}"),
            }
        }
    }

    /// Reads a node until it is as it should be, and returns it: timers act in their own time.
    /// Commits are waited for; where none comes any more the test fails.
    pub(super) async fn until(&self, id: &str, read: (&str, fn(&Json) -> bool)) -> Json {
        let (select, is_so) = read;
        let query = format!("query($id: ID!) {{ node(id: $id) {{ {select} }} }}");
        let mut commits = self.engine.watch();
        loop {
            let node = self.data(&supervisor(), &query, json!({ "id": id })).await["node"].clone();
            if is_so(&node) {
                return node;
            }
            let next = tokio::time::timeout(PATIENCE, commits.changed()).await;
            next.unwrap_or_else(|_| panic!("it never becomes as wanted: {node}")).unwrap();
        }
    }

    /// Returns the first open task of a kind in someone's queue.
    pub(super) async fn open_task(&self, who: &Viewer, kind: &str) -> Json {
        let queue = self.data(who, QUEUE, json!({})).await;
        let nodes = queue["queue"]["nodes"].as_array().unwrap().clone();
        let found = nodes.into_iter().find(|task| task["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {queue}"))
    }
}

/// What tests read of a refusal beside what every one has.
const REFUSED: &str =
    "case { id } errors { ... on WrongState { rule } ... on VersionConflict { currentVersion } }";

/// What tests read of a matter.
const MATTER: &str = "caseMatter { id state materialsVersion suspendedFor isDeemedAccepted
    suspensions { ground groundName expected { amount unit } from until }
    corrections { materials fields text open limit { amount unit } askedAt servedAt dueAt suppliedAt }
    extension { amount unit } revocation { at ground documentNo } licenseMadeAt deliveredAt
    waitingOn { kind nextStep(lang: EN) } }";

/// Returns the id of a matter of a case.
pub(super) fn matter_id(case: &str, no: u16) -> String {
    format!("{}-{no}", case.replacen("case_", "mtr_", 1))
}

pub(super) const QUEUE: &str = "{ queue(view: OPEN, first: 50) { totalCount { value exact }
    nodes { id kind kindLabel title version state assignee isMine light dueAt facts
      case { id number stateLabel applicant { nameMasked idMasked } } caseMatter { code } } } }";
pub(super) const COMPLETE: &str = "mutation($input: CompleteTaskInput!) { completeTask(input: $input) {
    task { id state version outcome { granted opinion officer } } case { id state } replayed
    errors { __typename ... on UserError { code message path } ... on VersionConflict { currentVersion current { version } } } } }";
