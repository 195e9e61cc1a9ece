//! Sample cases for tests: realistic in size and shape, synthetic in every identifier.

use std::sync::Arc;

use tongban_core::agency::{AgencyReply, DocumentRef, ReplyBody};
use tongban_core::definition::{DecidesIn, Intake, Limits, Regime};
use tongban_core::digest::Digest;
use tongban_core::entry::{
    Arrival, Body, CallMade, CaseStarted, Entry, MatterFiled, Origin, Party, PlannedMatter,
    Requested, TaskKind, TaskOpened,
};
use tongban_core::id::{
    CallId, CaseId, DepartmentCode, Epoch, MatterCode, MatterNo, RegionCode, RoleCode, Seq,
    ServiceCode,
};
use tongban_core::law::{Act, ActAnswer, ActKind, Rules};
use tongban_core::material::{Found, MaterialFound, MaterialGiven};
use tongban_core::port::{Commit, IdempotencyRecord, MutationEnd, Store};
use tongban_core::request::{Ask, Evidence, RequestKey};
use tongban_core::summary::{
    CaseState, CaseSummary, IndexRow, MatterSummary, TaskSummary, mask_name,
};
use tongban_core::time::{Moment, Period, Unit};
use tongban_core::value::Value;
use tongban_core::viewer::CaseScope;

/// Code, name, department and role of the eight permits of the construction service.
const MATTERS: [(&str, &str, &str); 8] = [
    ("investment-filing", "企业投资项目备案", "development-reform"),
    ("land-use-planning-permit", "建设用地规划许可证核发", "natural-resources"),
    ("engineering-planning-permit", "建设工程规划许可证核发", "natural-resources"),
    ("construction-drawing-review", "施工图设计文件审查", "housing-construction"),
    ("civil-air-defence-review", "人防工程审查", "civil-air-defence"),
    ("fire-design-review", "消防设计审查", "housing-construction"),
    ("road-occupation-permit", "占用、挖掘城市道路审批", "urban-management"),
    ("construction-permit", "建筑工程施工许可证核发", "housing-construction"),
];
const APPLICANT: &str = "91420302MA4DEM010M";
const COMPANY: &str = "十堰示例建设有限公司";
const REGION: &str = "420302";

/// Returns the moment at which the samples begin.
pub fn nine_o_clock() -> Moment {
    Moment::parse("2026-03-02T09:00:00+08:00").expect("the text is a moment")
}

/// Returns the id of sample case `no`; later numbers are created later.
pub fn case_id(no: u32) -> CaseId {
    let mut random = [0; 10];
    random[6..].copy_from_slice(&no.to_be_bytes());
    CaseId::new(nine_o_clock().plus_millis(i64::from(no)), random)
}

/// Returns the public number of sample case `no`.
pub fn case_number(no: u32) -> String {
    format!("420302-20260302-{no:06}")
}

/// Returns a region.
pub fn region(code: &str) -> RegionCode {
    RegionCode::new(code)
}

/// Returns a [`IndexRow::Region`].
pub fn region_row(code: &str) -> IndexRow {
    IndexRow::Region { region: region(code) }
}

/// Returns a [`IndexRow::Queue`] that is due so many milliseconds after nine o'clock.
pub fn queue_row(code: &str, role: &str, due_millis: i64) -> IndexRow {
    IndexRow::Queue {
        region: region(code),
        role: RoleCode::new(role),
        due: nine_o_clock().plus_millis(due_millis),
        task: Seq(2),
    }
}

/// Returns a [`IndexRow::Timer`] that is due so many milliseconds after nine o'clock.
pub fn timer_row(due_millis: i64) -> IndexRow {
    IndexRow::Timer { due: nine_o_clock().plus_millis(due_millis) }
}

/// Returns a [`IndexRow::Number`].
pub fn number_row(number: &str) -> IndexRow {
    IndexRow::Number { number: number.to_owned() }
}

/// Returns the start of sample case `no`, with eight matters.
pub fn case_started(no: u32) -> CaseStarted {
    CaseStarted {
        number: case_number(no),
        service: ServiceCode::new("construction-start"),
        service_name: "开工审批一件事".to_owned(),
        closure: Digest::of(b"construction-start"),
        api_level: 1,
        region: region(REGION),
        lead: DepartmentCode::new("housing-construction"),
        promise: Some(Period { amount: 1, unit: Unit::WorkingDays }),
        applicant: Party { id: APPLICANT.to_owned(), name: COMPANY.to_owned() },
        agent: None,
        answers: Value::of([("basement", true.into()), ("roadwork", true.into())]),
        form: form(no),
        provenance: Vec::new(),
        materials: ["design-drawings", "title", "fire-design", "road-plan"]
            .map(|code| {
                let digest = Digest::of(code.as_bytes());
                MaterialGiven::file(code, &format!("{code}.pdf"), digest)
            })
            .into(),
        consents: Vec::new(),
        arrival: Arrival::default(),
        matters: MATTERS.map(planned).into(),
    }
}

fn form(no: u32) -> Value {
    Value::of([
        ("project_code", Value::text(format!("2603-420302-04-01-{no:06}"))),
        ("project_name", "东岳大道示例厂房新建项目".into()),
        ("parcel_no", "420302001001GB00017".into()),
        ("floor_area", Value::Int(12_500)),
        ("site", "十堰市茅箭区东岳大道 88 号".into()),
        ("contact", "13800000000".into()),
    ])
}

fn planned((code, name, department): (&str, &str, &str)) -> PlannedMatter {
    PlannedMatter {
        code: MatterCode::new(code),
        name: name.to_owned(),
        department: DepartmentCode::new(department),
        skipped: false,
        after: Vec::new(),
        computed: None,
    }
}

/// Returns an entry of the engine at nine o'clock.
pub fn entry(seq: u32, matter: u16, body: Body) -> Entry {
    let at = nine_o_clock().plus_millis(i64::from(seq) * 250);
    Entry {
        seq: Seq(seq),
        matter: MatterNo(matter),
        recorded_at: at,
        effective_at: at,
        origin: Origin::Engine,
        body,
    }
}

/// Returns an entry whose encoded form has about so many bytes.
pub fn entry_of_size(seq: u32, bytes: usize) -> Entry {
    let facts = "事".repeat(bytes / 3);
    entry(seq, 1, task_opened(1, facts))
}

fn task_opened(matter: u16, facts: String) -> Body {
    let (_, name, department) = MATTERS[usize::from(matter) - 1];
    Body::TaskOpened(Arc::new(TaskOpened {
        kind: TaskKind::Decide,
        role: RoleCode::new(format!("{department}.approver")),
        region: region(REGION),
        title: format!("{name}：审查"),
        facts: Value::of([("facts", facts.into())]),
        request: Some(request(1)),
        call: None,
        before: None,
    }))
}

fn request(ordinal: u32) -> RequestKey {
    RequestKey { run: 1, generation: 0, scope: Vec::new(), ordinal }
}

/// Returns the entries of a whole parked case: filed, accepted and called for in all matters,
/// answered in all, decided in all but the last, whose task is open.
pub fn parked_case(no: u32) -> Vec<Entry> {
    let mut bodies =
        vec![(0, Body::CaseStarted(Arc::new(case_started(no)))), (0, Body::CaseSubmitted)];
    for matter in 1..=8 {
        bodies.extend(life_of_matter(no, matter).map(|body| (matter, body)));
    }
    bodies.truncate(bodies.len() - 3);
    bodies.push((8, task_opened(8, "图纸审查合格,现场已具备开工条件".to_owned())));
    (1..).zip(bodies).map(|(seq, (matter, body))| entry(seq, matter, body)).collect()
}

fn life_of_matter(no: u32, matter: u16) -> [Body; 8] {
    let (code, _, department) = MATTERS[usize::from(matter) - 1];
    let call = CallId([matter.to_be_bytes()[1]; 16]);
    [
        Body::MatterFiled(Arc::new(matter_filed(matter))),
        acted(ActKind::Receive, None, Value::Null),
        acted(ActKind::Accept, None, Value::Null),
        Body::Requested(Arc::new(requested(department, call))),
        Body::CallReplied(Arc::new(replied(no, code, call))),
        acted(
            ActKind::Grant,
            Some(request(2)),
            Value::of([("number", format!("鄂示 {no:06} 号").into())]),
        ),
        Body::InputArrived {
            from: MatterNo(matter.saturating_sub(1)),
            version: 1,
            digest: Digest::of(code.as_bytes()),
        },
        Body::RunFinished { run: 1 },
    ]
}

fn acted(kind: ActKind, request: Option<RequestKey>, detail: Value) -> Body {
    Body::Acted {
        act: Act { detail, ..Act::new(kind, nine_o_clock(), "") },
        answer: ActAnswer::Done,
        request,
    }
}

fn matter_filed(matter: u16) -> MatterFiled {
    MatterFiled {
        rules: Rules::of(
            Regime::Licence,
            Limits {
                statutory: Some(Period { amount: 20, unit: Unit::WorkingDays }),
                promised: Some(Period { amount: 1, unit: Unit::WorkingDays }),
            },
        ),
        intake: Intake::Window,
        decides_in: DecidesIn::Here,
        calendar: "cn-2026".to_owned(),
        materials: vec![MaterialFound {
            code: "land-use-permit".to_owned(),
            how: Found::ResultOf {
                matter: MatterNo(matter.saturating_sub(1)),
                number: "地字第 4203022026000017 号".to_owned(),
            },
        }],
    }
}

fn requested(department: &str, call: CallId) -> Requested {
    Requested {
        key: request(0),
        seen: Seq(4),
        digest: Digest::of(department.as_bytes()),
        ask: Ask::Call {
            operation: format!("{department}.issue_permit"),
            place: None,
            input: Value::of([("parcel", "420302001001GB00017".into())]),
        },
        call: Some(CallMade {
            id: call,
            generation: 0,
            connector: department.to_owned(),
            region: region(REGION),
            issued_at: nine_o_clock(),
            deadline: nine_o_clock().plus_millis(30_000),
            reply_within: None,
            body: None,
        }),
        adopts: None,
    }
}

fn replied(no: u32, code: &str, call: CallId) -> AgencyReply {
    AgencyReply {
        call,
        seq: 1,
        digest: Digest::of(code.as_bytes()),
        at: nine_o_clock(),
        body: ReplyBody::Completed {
            output: Value::of([("number", format!("{code}-{no:06}").into())]),
            documents: vec![DocumentRef {
                role: "permit".to_owned(),
                number: format!("鄂示 {no:06} 号"),
                digest: Digest::of(code.as_bytes()),
            }],
        },
    }
}

/// Returns evidence of a decision, as grants rest on.
pub fn evidence() -> Evidence {
    Evidence::Decision(request(1))
}

/// Returns the summary of sample case `no`, with eight matters and one open task.
pub fn summary(no: u32) -> CaseSummary {
    let at = nine_o_clock();
    CaseSummary {
        case: case_id(no),
        number: case_number(no),
        service: ServiceCode::new("construction-start"),
        service_name: "开工审批一件事".to_owned(),
        state: CaseState::InProgress,
        scope: CaseScope {
            region: region(REGION),
            applicant: APPLICANT.to_owned(),
            departments: MATTERS.map(|(_, _, department)| DepartmentCode::new(department)).into(),
            elsewhere: std::collections::BTreeSet::new(),
        },
        applicant_masked: mask_name(COMPANY),
        created_at: at,
        updated_at: at,
        matters: (1..).zip(MATTERS).map(matter_summary).collect(),
        tasks: vec![task_summary()],
        incidents: 0,
        next_due: None,
        calendar: "cn@0123456789abcdef".to_owned(),
        outbox: false,
        revision: tongban_core::id::CommitNo(0),
    }
}

fn matter_summary((no, (code, name, department)): (u16, (&str, &str, &str))) -> MatterSummary {
    MatterSummary {
        no: MatterNo(no),
        code: MatterCode::new(code),
        name: name.to_owned(),
        department: DepartmentCode::new(department),
        place: region(REGION),
        state: "granted".to_owned(),
        open: false,
        result: "鄂示 000001 号".to_owned(),
    }
}

fn task_summary() -> TaskSummary {
    TaskSummary {
        no: Seq(2),
        matter: MatterNo(8),
        kind: TaskKind::Decide,
        role: RoleCode::new("housing-construction.approver"),
        region: region(REGION),
        title: "建筑工程施工许可证核发：审查".to_owned(),
        assignee: None,
        version: 1,
        opened_at: nine_o_clock(),
        due_at: Some(nine_o_clock().plus_millis(86_400_000)),
        assigned_until: None,
        escalated: false,
    }
}

/// A commit being written.
#[derive(Clone, Debug)]
pub struct Draft(pub Commit);

impl Draft {
    /// Begins the first commit of sample case `no` at the epoch of `store`: two entries and the
    /// case's number.
    pub fn start(store: &dyn Store, no: u32) -> Self {
        let started = Body::CaseStarted(Arc::new(case_started(no)));
        let mut draft = Self::empty(no, Seq(0), store.identity().epoch);
        draft.0.entries = vec![entry(1, 0, started), entry(2, 0, Body::CaseSubmitted)];
        draft.row(number_row(&case_number(no)))
    }

    /// Begins a later commit of sample case `no`: one entry after `head`.
    pub fn go_on(store: &dyn Store, no: u32, head: u32) -> Self {
        let draft = Self::empty(no, Seq(head), store.identity().epoch);
        draft.entry_of_size(60)
    }

    /// Begins a commit without entries.
    pub fn empty(no: u32, expected: Seq, epoch: Epoch) -> Self {
        Self(Commit {
            case: case_id(no),
            expected,
            epoch,
            at: nine_o_clock(),
            entries: Vec::new(),
            summary: summary(no),
            rows_gone: Vec::new(),
            rows_new: Vec::new(),
            idempotency: Vec::new(),
        })
    }

    /// Adds an entry of about so many bytes.
    #[must_use]
    pub fn entry_of_size(mut self, bytes: usize) -> Self {
        let last = self.0.entries.last().map(|entry| entry.seq);
        let seq = last.unwrap_or(self.0.expected).next();
        self.0.entries.push(entry_of_size(seq.0, bytes));
        self
    }

    /// Adds a row that becomes true.
    #[must_use]
    pub fn row(mut self, row: IndexRow) -> Self {
        self.0.rows_new.push(row);
        self
    }

    /// Adds a row that is no longer true.
    #[must_use]
    pub fn gone(mut self, row: IndexRow) -> Self {
        self.0.rows_gone.push(row);
        self
    }

    /// Sets the lawful time of the commit.
    #[must_use]
    pub fn at(mut self, at: Moment) -> Self {
        self.0.at = at;
        self
    }

    /// Sets the state in the summary.
    #[must_use]
    pub fn state(mut self, state: CaseState) -> Self {
        self.0.summary.state = state;
        self
    }

    /// Adds the idempotency record of the mutation `name`, made at the commit's time.
    #[must_use]
    pub fn remember(mut self, name: &str) -> Self {
        self.0.idempotency.push(IdempotencyRecord {
            key: mutation_key(name),
            input: Digest::of(name.as_bytes()),
            result: MutationEnd::Done(vec![self.0.case.to_string()]),
            at: self.0.at,
        });
        self
    }

    /// Appends it, which must succeed.
    pub async fn commit(self, store: &dyn Store) -> tongban_core::id::CommitNo {
        let case = self.0.case;
        let committed = store.append(self.0).await;
        committed.unwrap_or_else(|error| panic!("cannot append to {case}: {error}")).no
    }
}

/// Returns the idempotency key of the mutation `name`.
pub fn mutation_key(name: &str) -> Digest {
    Digest::of(format!("key of {name}").as_bytes())
}
