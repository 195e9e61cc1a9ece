//! Drives one matter's script over a journal that a test writes by hand.
//!
//! A [`Desk`] is a case with one accepted matter. `run` evaluates the script over the journal as
//! it is; the other methods append what came of the requests, in the order of the test.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_core::agency::{AgencyReply, DocumentRef, ReplyBody};
use tongban_core::calendar::Calendar;
use tongban_core::case::Case;
use tongban_core::definition::{Closure, DecidesIn, Intake, Limits, Regime};
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{
    Arrival, Body, CallMade, CaseStarted, Entry, MatterFiled, Origin, Party, PlannedMatter,
    Requested,
};
use tongban_core::id::{CallId, CaseId, DepartmentCode, MatterNo, RegionCode, Seq, ServiceCode};
use tongban_core::law::{Act, ActAnswer, ActKind};
use tongban_core::material::{Found, MaterialFound};
use tongban_core::port::{Look, RunEnd, RunFunction, RunJob, Script as _, ScriptFault};
use tongban_core::replay::Replay;
use tongban_core::request::{Ask, Decision, NewRequest, Outcome, OutcomeKind, RequestKey};
use tongban_core::time::Moment;
use tongban_core::value::Value;

use crate::host::Host;
use crate::load::LoadError;

/// A minimal declaration before the functions of a test.
pub(crate) const HEAD: &str = r#"matter(#{
    code: "m", name: "测试事项", department: "natural-resources", gives: license("m"),
    form: [field("no", "编号", text(9)), field("area", "面积", number()).optional()],
});
"#;

const SERVICE: &str = r#"service(#{
    code: "s", name: "测试服务", lead: "natural-resources", regions: ["420300"],
    questions: [question("basement", "地下室", yes_no())],
    matters: [part("m")],
});
"#;

/// Loads a host from these files.
pub(crate) fn host(files: &[(&str, &str)]) -> Result<Host, LoadError> {
    let folder = folder(files);
    Host::open(folder.path())
}

/// Writes files into a folder of their own.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is below the folder")).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// A case with one accepted matter, and the script under test.
pub(crate) struct Desk {
    host: Host,
    closure: Arc<Closure>,
    entries: Vec<Entry>,
    clock: Moment,
}

impl Desk {
    /// Opens a desk for a matter whose file ends with these functions.
    pub(crate) fn new(functions: &str) -> Self {
        let text = format!("{HEAD}{functions}");
        let files = [("services/s.rhai", SERVICE), ("matters/d/m.rhai", text.as_str())];
        Self::with_host(host(&files).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Opens a desk for a `handle` with this body.
    pub(crate) fn handling(body: &str) -> Self {
        Self::new(&format!("fn handle(m) {{\n{body}\n}}\n"))
    }

    /// Opens a desk for the first matter of a host.
    pub(crate) fn with_host(host: Host) -> Self {
        let closure = host.services().remove(0);
        let clock = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        let mut desk = Self { host, closure, entries: Vec::new(), clock };
        desk.begin();
        desk
    }

    fn begin(&mut self) {
        let form = Value::of([("no", Value::from("G-1"))]);
        self.push(0, Body::CaseStarted(Arc::new(started(&self.closure, form))));
        self.push(0, Body::CaseSubmitted);
        let material = |code: &str, how| MaterialFound { code: code.to_owned(), how };
        let filed = MatterFiled {
            rules: tongban_core::law::Rules::of(Regime::Licence, Limits::default()),
            intake: Intake::Window,
            decides_in: DecidesIn::Here,
            calendar: "cn".to_owned(),
            materials: vec![
                material("drawings", Found::Given { digest: Digest::of(b"drawings") }),
                material("permit", Found::Owed { from: None }),
            ],
        };
        self.push(1, Body::MatterFiled(Arc::new(filed)));
        self.act(ActKind::Receive);
        self.act(ActKind::Accept);
    }

    fn act(&mut self, kind: ActKind) {
        let act = Act::new(kind, self.clock, "");
        let body = Body::Acted { act, answer: ActAnswer::Done, request: None };
        self.push(1, body);
    }

    fn push(&mut self, matter: u16, body: Body) {
        self.clock = self.clock.plus_millis(60_000);
        let seq = Seq(u32::try_from(self.entries.len()).unwrap() + 1);
        self.entries.push(Entry {
            seq,
            matter: MatterNo(matter),
            recorded_at: self.clock,
            effective_at: self.clock,
            origin: Origin::Engine,
            body,
        });
    }

    /// Returns the host.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// Sets the guard of the host.
    pub(crate) fn guarded(mut self, guard: crate::Guard) -> Self {
        self.host = self.host.with_guard(guard);
        self
    }

    /// Evaluates the script over the journal as it is; writes nothing.
    pub(crate) fn look(&self) -> (RunEnd, Vec<NewRequest>) {
        let output = self.with_replay(|job, replay| self.host.run(job, replay));
        (output.end, output.asked)
    }

    /// Evaluates the script over the journal as it is, to see where it stands.
    pub(crate) fn look_closely(&self) -> Look {
        self.with_replay(|job, replay| self.host.look(job, replay))
    }

    fn with_replay<T>(&self, act: impl FnOnce(&RunJob<'_>, Replay) -> T) -> T {
        let id = CaseId::new(Moment::from_millis(1_772_413_200_000), [7; 10]);
        let case = Case::from_entries(id, &self.entries).expect("a test writes a lawful log");
        let replay = Replay::new(
            Arc::new(case),
            MatterNo(1),
            Secret::new([1; 32]),
            Arc::new(Calendar::national()),
        );
        let job = RunJob {
            closure: &self.closure,
            matter: &self.closure.service.parts[0].matter,
            function: RunFunction::Handle,
        };
        act(&job, replay)
    }

    /// Evaluates the script and records what it newly asked; returns the verdict and the targets.
    pub(crate) fn run(&mut self) -> (RunEnd, Vec<String>) {
        let (end, requests) = self.look();
        let targets = requests.iter().map(|made| made.ask.target()).collect();
        for made in requests {
            self.record(made);
        }
        (end, targets)
    }

    /// Evaluates a script that must fail, and asks for nothing.
    #[track_caller]
    pub(crate) fn fault(&self) -> ScriptFault {
        match self.look() {
            (RunEnd::Failed(fault), requests) if requests.is_empty() => fault,
            (end, requests) => panic!("expected a fault, got {end:?} with {requests:?}"),
        }
    }

    /// Lets the script of another desk replay this journal; it must fail.
    #[track_caller]
    pub(crate) fn replayed_by(self, other: &Self) -> ScriptFault {
        self.under(other).fault()
    }

    /// Puts the script of another desk over this journal.
    pub(crate) fn under(mut self, other: &Self) -> Self {
        let digest = other.closure.digest;
        let blob = other.host.sources(&digest).expect("it is loaded");
        self.host.adopt(&digest, &blob).expect("it was loaded before");
        self.closure = Arc::clone(&other.closure);
        self
    }

    fn record(&mut self, made: NewRequest) {
        let call = matches!(made.ask, Ask::Call { .. }).then(|| CallMade {
            id: call_id(&made.key),
            generation: 0,
            connector: "test".to_owned(),
            region: RegionCode::new("420300"),
            issued_at: self.clock,
            deadline: self.clock,
            reply_within: None,
            body: None,
        });
        let requested = Requested {
            key: made.key,
            seen: made.seen,
            digest: made.digest,
            ask: made.ask,
            call,
            adopts: made.adopts,
        };
        self.push(1, Body::Requested(Arc::new(requested)));
    }

    fn reply(&mut self, ordinal: u32, body: ReplyBody) {
        let reply = AgencyReply {
            call: call_id(&key(ordinal)),
            seq: 1,
            digest: Digest::of(b"reply"),
            at: self.clock,
            body,
        };
        self.push(1, Body::CallReplied(Arc::new(reply)));
    }

    /// Completes a call with one document, numbered after it.
    pub(crate) fn complete(&mut self, ordinal: u32, output: Value) {
        let documents = vec![DocumentRef {
            role: "permit".to_owned(),
            number: format!("NO-{ordinal}"),
            digest: Digest::of(b"document"),
        }];
        self.reply(ordinal, ReplyBody::Completed { output, documents });
    }

    /// Completes a call so many milliseconds after the minute.
    pub(crate) fn complete_after(&mut self, ordinal: u32, millis: i64) {
        self.clock = self.clock.plus_millis(millis);
        self.complete(ordinal, Value::map());
    }

    /// Ends a call as rejected.
    pub(crate) fn reject(&mut self, ordinal: u32, reason: &str) {
        let outcome =
            Outcome { kind: OutcomeKind::Rejected, reason: reason.to_owned(), detail: Value::Null };
        self.reply(ordinal, ReplyBody::Otherwise(outcome));
    }

    /// Ends a `decide`.
    pub(crate) fn decide(&mut self, ordinal: u32, decision: Decision) {
        let opened = tongban_core::entry::TaskOpened {
            kind: tongban_core::entry::TaskKind::Decide,
            role: tongban_core::id::RoleCode::new("natural-resources.approver"),
            region: RegionCode::new("420300"),
            title: "审查".to_owned(),
            facts: Value::Null,
            request: Some(key(ordinal)),
            call: None,
            before: None,
        };
        self.push(1, Body::TaskOpened(Arc::new(opened)));
        let task = self.entries.last().unwrap().seq;
        self.push(1, Body::TaskCompleted { task, decision });
    }

    /// Lets a timer fire.
    pub(crate) fn fire(&mut self, ordinal: u32) {
        let body = Body::TimerFired { request: key(ordinal), due: self.clock };
        self.push(1, body);
    }

    /// Answers an act.
    pub(crate) fn answer(&mut self, ordinal: u32, kind: ActKind, answer: ActAnswer) {
        let act = Act { document_no: "证-1".to_owned(), ..Act::new(kind, self.clock, "理由") };
        let body = Body::Acted { act, answer, request: Some(key(ordinal)) };
        self.push(1, body);
    }
}

fn started(closure: &Closure, form: Value) -> CaseStarted {
    let part = closure.part(MatterNo(1)).expect("a service has a part");
    CaseStarted {
        number: "420300202603020000019".to_owned(),
        service: ServiceCode::new("s"),
        service_name: "测试服务".to_owned(),
        closure: closure.digest,
        api_level: closure.api_level,
        region: RegionCode::new("420300"),
        lead: DepartmentCode::new("natural-resources"),
        promise: None,
        applicant: Party {
            id: "91420302MA4DEM010M".to_owned(),
            name: "十堰测试有限公司".to_owned(),
        },
        agent: None,
        answers: Value::of([("basement", Value::from(true))]),
        form,
        provenance: Vec::new(),
        materials: Vec::new(),
        consents: Vec::new(),
        arrival: Arrival::default(),
        matters: vec![PlannedMatter {
            code: part.0.matter.clone(),
            name: part.1.name.clone(),
            department: part.1.department.clone(),
            skipped: false,
            after: Vec::new(),
            computed: None,
        }],
    }
}

/// Returns the key of the nth request of the first run.
pub(crate) fn key(ordinal: u32) -> RequestKey {
    RequestKey { run: 1, generation: 0, scope: Vec::new(), ordinal }
}

fn call_id(key: &RequestKey) -> CallId {
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&key.ordinal.to_be_bytes());
    CallId(bytes)
}

/// A yes.
pub(crate) fn yes() -> Decision {
    Decision {
        granted: true,
        opinion: "同意".to_owned(),
        officer: "u-1".to_owned(),
        fields: Value::Map(BTreeMap::new()),
    }
}

/// A no.
pub(crate) fn no() -> Decision {
    Decision { granted: false, opinion: "不符合规划条件".to_owned(), ..yes() }
}
