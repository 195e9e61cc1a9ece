//! Notices on the real engine: from an act to a page that is sealed, kept and served.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::Semaphore;
use tongban_core::command::{ActRequest, Came, TaskOutcome};
use tongban_core::digest::{Digest, Secret};
use tongban_core::document::{
    DocumentKind, DocumentState, Seal, SealFault, SealRecord, SealRequest, ServiceMode,
};
use tongban_core::entry::{Arrival, Body, Party, TaskKind};
use tongban_core::id::{CaseId, MatterNo, RegionCode, ServiceCode, TaskId};
use tongban_core::law::{ActKind, CorrectionList, Terms};
use tongban_core::organisation::{Organisation, Source};
use tongban_core::port::{Later, Store as _};
use tongban_core::start::StartCase;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::blob::Blobs;
use tongban_engine::clock::ManualClock;
use tongban_engine::document::DevSeal;
use tongban_engine::standing::Standing;
use tongban_engine::store::MemoryStore;
use tongban_engine::{
    CaseView, Change, Decided, DocumentPage, Engine, EngineError, IdempotencyKey, Show,
};

use crate::watching::until;

pub(crate) const APPLICANT: &str = "91420302MA4DEM010M";
pub(crate) const OFFICES: &str = r#"{
    "kind": "organisation", "code": "demo",
    "offices": [
        {"code": "office", "place": "420300", "creditCode": "1142030000DEM1034C",
         "name": "示例市规划局", "word": "示规", "reviewBody": "示例市人民政府",
         "court": "示例区人民法院", "parent": "office@420000"},
        {"code": "office", "place": "420000", "creditCode": "1142000000DEM1042P",
         "name": "示例省规划厅"}
    ],
    "roles": [{"code": "office.approver", "name": "审批人", "may": ["approve"]}],
    "people": [{"subject": "officer", "name": "示例丙", "office": "office@420300"}]
}"#;
const SERVICE: &str = r#"service(#{ code: "test", name: "测试", lead: "office", target: "enterprise",
    regions: ["420300"], matters: [part("a")] });"#;
const HANDLE: &str = r#"fn handle(m) {
    let word = decide("office.approver", #{ title: "审查", facts: #{} });
    if word.denied { return deny(word); }
    grant(word)
}"#;
const LIMIT: &str = r#"limit: #{ promised: "3 working days" },"#;
const LICENCE: &str = r#"regime: "licence", basis: "示例条例第八条", intake: "auto","#;

/// A seal service that answers as often as it was given a permit.
struct Gate {
    seal: DevSeal,
    asked: Semaphore,
    open: Semaphore,
}

impl Seal for Gate {
    fn seal(&self, request: SealRequest) -> Later<'_, Result<SealRecord, SealFault>> {
        Box::pin(async move {
            self.asked.add_permits(1);
            self.open.acquire().await.unwrap().forget();
            self.seal.seal(request).await
        })
    }

    fn verify(&self, record: &SealRecord, digest: &Digest) -> Result<(), SealFault> {
        self.seal.verify(record, digest)
    }
}

/// An office with a seal service, and one case before it.
struct Office {
    engine: Engine,
    gate: Arc<Gate>,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    folder: TempDir,
    case: CaseId,
    keys: u32,
}

/// What an officer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Said {
    Yes,
    No,
}

/// Whether the seal service answers.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Service {
    Answers,
    IsSilent,
}

pub(crate) fn applicant() -> Viewer {
    Viewer::new("boss", Role::Applicant).for_party(APPLICANT)
}

pub(crate) fn clerk() -> Viewer {
    Viewer::new("clerk", Role::WindowClerk).within("420300")
}

fn officer() -> Viewer {
    Viewer::new("officer", Role::Approver).within("420300").of("office")
}

async fn engine(
    folder: &Path,
    store: &Arc<MemoryStore>,
    clock: &Arc<ManualClock>,
    service: Service,
) -> (Engine, Arc<Gate>) {
    let permits = if service == Service::Answers { 1_000 } else { 0 };
    let seal = DevSeal::create_or_open(folder).unwrap();
    let gate = Gate { seal, asked: Semaphore::new(0), open: Semaphore::new(permits) };
    let gate = Arc::new(gate);
    let source = Source { label: "organisation.json", kind: None, bytes: OFFICES.as_bytes() };
    let organisation = Arc::new(Organisation::read(&[source]).unwrap());
    let engine = Engine::builder()
        .store(Arc::clone(store) as Arc<_>)
        .scripts(Arc::new(tongban_scripts::Host::open(folder.join("scripts")).unwrap()))
        .lawful_clock(Arc::clone(clock) as Arc<_>)
        .standing(Standing { organisation, ..Standing::default() })
        .blobs(Blobs::in_folder(folder).unwrap())
        .seal(Arc::clone(&gate) as Arc<_>)
        .start()
        .await
        .unwrap();
    (engine, gate)
}

impl Office {
    /// Files a case of one matter that declares `members`.
    async fn begin(members: &str, service: Service, channel: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scripts = folder.path().join("scripts");
        std::fs::create_dir_all(scripts.join("services")).unwrap();
        std::fs::create_dir_all(scripts.join("matters/office")).unwrap();
        std::fs::write(scripts.join("services/test.rhai"), SERVICE).unwrap();
        let limit = if members.contains("limit:") { "" } else { LIMIT };
        let matter = format!(
            r#"matter(#{{ code: "a", name: "示例许可", department: "office", {members} {limit}
                form: [ field("size", "面积", text(10)) ] }});

{HANDLE}
"#
        );
        std::fs::write(scripts.join("matters/office/a.rhai"), matter).unwrap();
        let now = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let store = Arc::new(MemoryStore::new(Secret::new([5; 32])));
        let (engine, gate) = engine(folder.path(), &store, &clock, service).await;
        let party = Party { id: APPLICANT.to_owned(), name: "示例公司".to_owned() };
        let input = StartCase {
            form: Value::of([("size", "20".into())]),
            arrival: Arrival { channel, ..Arrival::default() },
            ..StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), party)
        };
        let key = |text: &str| IdempotencyKey(text.to_owned());
        let case = engine.start_case(&clerk(), input, key("start")).await.unwrap().case;
        engine.submit_case(&clerk(), case, key("submit")).await.unwrap();
        Self { engine, gate, clock, store, folder, case, keys: 0 }
    }

    async fn restart(&mut self, service: Service) {
        self.engine.shutdown().await;
        self.store = Arc::new(self.store.reopen());
        let (engine, gate) = engine(self.folder.path(), &self.store, &self.clock, service).await;
        self.engine = engine;
        self.gate = gate;
    }

    async fn until(&self, holds: impl Fn(&CaseView) -> bool) -> CaseView {
        until(&self.engine, (&clerk(), self.case), holds).await
    }

    fn key(&mut self) -> IdempotencyKey {
        self.keys += 1;
        IdempotencyKey(format!("key-{}", self.keys))
    }

    async fn decide(&mut self, said: Said) {
        let open =
            |view: &CaseView| view.case().open_tasks().next().map(|task| (task.no, task.version));
        let view = self.until(|view| open(view).is_some()).await;
        let (no, version) = open(&view).unwrap();
        let granted = said == Said::Yes;
        let outcome =
            TaskOutcome { granted, opinion: "不符合规划".to_owned(), fields: Value::map() };
        let (task, key) = (TaskId { case: self.case, no }, self.key());
        let decided = Decided::at(version, outcome);
        self.engine.complete_task(&officer(), task, decided, key).await.unwrap();
    }

    async fn change(&mut self, by: &Viewer, change: Change) -> Result<(), EngineError> {
        let key = self.key();
        self.engine.change_case(by, self.case, change, key).await.map(|_| ())
    }

    async fn serve(&mut self, number: &str, how: ServiceMode) -> Result<(), EngineError> {
        let number = number.to_owned();
        let change =
            Change::ServeDocument { number, how, files: Vec::new(), came: Came::default() };
        self.change(&clerk(), change).await
    }

    async fn page(&self, by: &Viewer, number: &str, show: Show) -> Option<DocumentPage> {
        self.engine.document(by, self.case, (number, show)).await.unwrap()
    }

    fn file(&self, digest: Digest) -> PathBuf {
        self.folder.path().join("files").join(self.case.to_string()).join(digest.hex())
    }

    async fn seals(&self) -> usize {
        let stored = self.store.load(self.case).await.unwrap().unwrap();
        let sealed = |body: &Body| matches!(body, Body::DocumentSealed(_));
        stored.entries.iter().filter(|entry| sealed(&entry.body)).count()
    }
}

/// Returns the number of a document of a kind that has come at least so far.
fn numbered(view: &CaseView, kind: DocumentKind, state: &str) -> Option<String> {
    let documents = view.documents();
    let mut found = documents.iter().filter(|document| document.kind() == kind);
    let found = found.find(|document| document.state.code() == state);
    found.map(|document| document.number().to_string())
}

#[tokio::test]
async fn receipt_acceptance_and_decision_are_sealed_kept_and_served() {
    let mut office = Office::begin(LICENCE, Service::Answers, 2).await;
    office.decide(Said::Yes).await;
    let served = |view: &CaseView| {
        let documents = view.documents();
        documents.len() == 3 && documents.iter().all(|one| one.service().is_some())
    };
    let view = office.until(served).await;
    for document in view.documents() {
        let digest = document.sealed().unwrap().digest;
        let kept = std::fs::read(office.file(digest)).unwrap();
        assert_eq!(Digest::of(&kept), digest);
        let number = document.number().to_string();
        let print = office.page(&applicant(), &number, Show::Kept).await.unwrap();
        assert_eq!(print.html, kept, "the evidence, byte for byte");
        let shown = office.page(&applicant(), &number, Show::View).await.unwrap();
        let page = String::from_utf8(shown.html).unwrap();
        for words in ["试用印章", "验证通过", number.as_str(), "示例市规划局"] {
            assert!(page.contains(words), "{number} does not say {words}");
        }
    }
    assert!(view.case().incidents.is_empty());
}

/// Waits until a notice of a kind is sealed and served; returns its number and its page, which is
/// what was kept, with what the seal says of it.
async fn served_page(office: &Office, kind: DocumentKind) -> (String, String) {
    let view = office.until(|view| numbered(view, kind, "served").is_some()).await;
    let number = numbered(&view, kind, "served").unwrap();
    let documents = view.documents();
    let document = documents.iter().find(|one| one.number().to_string() == number).unwrap();
    let kept = std::fs::read(office.file(document.sealed().unwrap().digest)).unwrap();
    assert_eq!(Digest::of(&kept), document.sealed().unwrap().digest);
    let print = office.page(&applicant(), &number, Show::Kept).await.unwrap();
    assert_eq!(print.html, kept, "the evidence, byte for byte");
    let shown = office.page(&applicant(), &number, Show::View).await.unwrap();
    assert!(view.case().incidents.is_empty(), "{:?}", view.case().incidents);
    (number, String::from_utf8(shown.html).unwrap())
}

fn says(page: &str, words: &[&str]) {
    for words in words {
        assert!(page.contains(words), "the page does not say {words}");
    }
}

#[tokio::test]
async fn an_extension_is_approved_by_the_head_and_told_on_paper() {
    let mut office = Office::begin(LICENCE, Service::Answers, 2).await;
    let terms = Terms::Extension {
        by: "10 working days".parse().unwrap(),
        approved_by: "whoever".to_owned(),
    };
    let act = ActRequest::now(ActKind::Extend, "案情复杂,需要现场核查").with(terms);
    office.change(&officer(), Change::Act { matter: MatterNo(1), act }).await.unwrap();
    let view = office.until(|_| true).await;
    assert_eq!(numbered(&view, DocumentKind::Extension, "draft"), None, "nobody has approved it");
    let kind = TaskKind::ApproveExtension;
    let task = view.case().open_tasks().find(|task| task.opened.kind == kind).unwrap();
    let outcome = TaskOutcome { granted: true, opinion: "同意".to_owned(), fields: Value::map() };
    let (decided, task) =
        (Decided::at(task.version, outcome), TaskId { case: office.case, no: task.no });
    let (head, key) =
        (Viewer::new("head", Role::OfficeHead).within("420300").of("office"), office.key());
    office.engine.complete_task(&head, task, decided, key).await.unwrap();

    let (number, page) = served_page(&office, DocumentKind::Extension).await;
    assert!(number.starts_with("示规"), "{number}");
    let end = "延长后的办结日期：<b>2026年3月19日</b>";
    says(&page, &["延期告知书", &number, "10个工作日", end, "案情复杂,需要现场核查", "验证通过"]);
}

#[tokio::test]
async fn a_forwarding_note_names_the_office_that_decides_and_says_what_the_review_found() {
    let reviewed = format!(
        r#"{LICENCE} limit: #{{ promised: "3 working days", first_review: "2 working days" }},"#
    );
    for (to, named) in [(None, "示例省规划厅"), (Some("示例部规划司"), "示例部规划司")]
    {
        let mut office = Office::begin(&reviewed, Service::Answers, 2).await;
        let mut act = ActRequest::now(ActKind::ForwardUp, "退让距离符合规划条件,同意上报");
        act.detail = to.map_or(Value::Null, |to| Value::of([("to", to.into())]));
        office.change(&officer(), Change::Act { matter: MatterNo(1), act }).await.unwrap();
        let (number, page) = served_page(&office, DocumentKind::Forwarding).await;
        assert!(number.starts_with("示规转报"), "{number}");
        says(&page, &["转报单", &number, named, "退让距离符合规划条件,同意上报", "验证通过"]);
        office.decide(Said::Yes).await;
        served_page(&office, DocumentKind::Grant).await;
    }
}

fn head() -> Viewer {
    Viewer::new("head", Role::OfficeHead).within("420300").of("office")
}

/// Does an act of somebody on a case that waits at the window, or with an officer.
async fn told(members: &str, (by, act): (Viewer, ActRequest), kind: DocumentKind) -> String {
    let mut office = Office::begin(members, Service::Answers, 2).await;
    if act.kind == ActKind::Revoke {
        office.decide(Said::Yes).await;
        served_page(&office, DocumentKind::Grant).await;
    }
    office.change(&by, Change::Act { matter: MatterNo(1), act }).await.unwrap();
    // What goes against him a person serves, so that it reaches him.
    let state = if kind.is_adverse() { "sealed" } else { "served" };
    let view = office.until(|view| numbered(view, kind, state).is_some()).await;
    let number = numbered(&view, kind, state).unwrap();
    let page = office.page(&clerk(), &number, Show::View).await.unwrap();
    assert!(view.case().incidents.is_empty(), "{kind:?}: {:?}", view.case().incidents);
    String::from_utf8(page.html).unwrap()
}

#[tokio::test]
async fn what_ends_or_stops_a_matter_is_told_on_paper_with_its_ground() {
    let window = LICENCE.replace(r#""auto""#, r#""window""#);
    let asks = |kind, ground: &str| ActRequest::now(kind, ground);
    let expected = Terms::Suspension { expected: "15 working days".parse().ok() };
    let review = asks(ActKind::Suspend, "expert_review").with(expected);
    let unfit = asks(ActKind::NotAccept, "no_competence");
    let fraud = asks(ActKind::Revoke, "以欺骗手段取得");
    for (who, act, kind, words) in [
        (clerk(), unfit, DocumentKind::NotAccepted, ["依法不属于本行政机关职权范围", ""]),
        (
            clerk(),
            asks(ActKind::Return, "图纸不一致"),
            DocumentKind::ReturnNotice,
            ["图纸不一致", ""],
        ),
        (officer(), review, DocumentKind::SpecialProcedure, ["专家评审", "15个工作日"]),
        (
            applicant(),
            asks(ActKind::Withdraw, "项目取消"),
            DocumentKind::WithdrawalConfirmation,
            ["项目取消", ""],
        ),
        (
            officer(),
            asks(ActKind::Terminate, "申请人已注销"),
            DocumentKind::Termination,
            ["申请人已注销", ""],
        ),
        (head(), fraud, DocumentKind::Revocation, ["以欺骗手段取得", "准予决定书"]),
    ] {
        let before = matches!(kind, DocumentKind::NotAccepted | DocumentKind::ReturnNotice);
        let members = if before { window.as_str() } else { LICENCE };
        let page = told(members, (who, act), kind).await;
        says(&page, &[kind.name(), kind.english(), "验证通过"]);
        says(&page, &words);
        if kind.is_adverse() {
            says(&page, &["行政复议", "示例市人民政府", "示例区人民法院"]);
        }
    }
}

/// Its notice could never be made, and nobody could say any more what it lacked.
#[tokio::test]
async fn a_special_procedure_of_unknown_length_is_not_begun() {
    let mut office = Office::begin(LICENCE, Service::Answers, 2).await;
    let asks = |expected: Option<&str>| {
        let expected = expected.map(|expected| expected.parse().unwrap());
        let act = ActRequest::now(ActKind::Suspend, "hearing");
        Change::Act { matter: MatterNo(1), act: act.with(Terms::Suspension { expected }) }
    };
    let refused = office.change(&officer(), asks(None)).await.unwrap_err();
    assert_eq!(refused.code(), "EXPECTED_MISSING");
    office.change(&officer(), asks(Some("20 working days"))).await.unwrap();
    let (_, page) = served_page(&office, DocumentKind::SpecialProcedure).await;
    says(&page, &["听证", "20个工作日"]);
}

#[tokio::test]
async fn a_delivery_note_names_the_decision_and_leaves_room_to_sign() {
    let mut office = Office::begin(LICENCE, Service::Answers, 2).await;
    office.decide(Said::Yes).await;
    let (grant, _) = served_page(&office, DocumentKind::Grant).await;
    let act = ActRequest::now(ActKind::Deliver, "");
    office.change(&clerk(), Change::Act { matter: MatterNo(1), act }).await.unwrap();
    let (number, page) = served_page(&office, DocumentKind::DeliveryNote).await;
    assert_ne!(number, grant);
    says(&page, &["送达回证", &number, "准予决定书", &grant, "受送达人", "验证通过"]);
}

#[tokio::test]
async fn a_restart_between_draft_and_seal_issues_once() {
    let mut office = Office::begin(LICENCE, Service::IsSilent, 2).await;
    office.gate.asked.acquire_many(2).await.unwrap().forget();
    let view = office.until(|_| true).await;
    let number = numbered(&view, DocumentKind::Receipt, "draft").unwrap();
    let hidden = office.page(&applicant(), &number, Show::View).await;
    assert_eq!(hidden, None, "a draft is the office's own business");
    let draft = office.page(&clerk(), &number, Show::View).await.unwrap();
    let draft = String::from_utf8(draft.html).unwrap();
    assert!(draft.contains("草稿"));

    office.restart(Service::Answers).await;
    office.until(|view| view.case().drafts().next().is_none()).await;
    office.restart(Service::Answers).await;
    office.until(|view| view.case().drafts().next().is_none()).await;
    assert_eq!(office.seals().await, 2, "receipt and acceptance, each once");
}

fn ask_correction() -> Change {
    let list = CorrectionList {
        fields: vec!["size".to_owned()],
        text: "面积与图纸不符".to_owned(),
        ..CorrectionList::default()
    };
    let act = ActRequest::now(ActKind::AskCorrection, "").with(Terms::Correction(list));
    Change::Act { matter: MatterNo(1), act }
}

fn served_at(view: &CaseView) -> Option<Moment> {
    view.case().matters[0].law.corrections.last().and_then(|round| round.served_at)
}

#[tokio::test]
async fn the_applicants_period_runs_from_the_receipt_of_a_letter() {
    let members = LICENCE.replace("auto", "window");
    let mut office = Office::begin(&members, Service::IsSilent, 1).await;
    office.change(&clerk(), ask_correction()).await.unwrap();
    let view = office.until(|_| true).await;
    let number = numbered(&view, DocumentKind::CorrectionNotice, "draft").unwrap();
    let letter = |signed_at| ServiceMode::Post { waybill: "EMS 1".to_owned(), signed_at };
    let refused = office.serve(&number, letter(None)).await.unwrap_err();
    assert_eq!(refused.code(), "DOCUMENT_NOT_SEALED", "a draft binds nobody");

    office.gate.open.add_permits(10);
    office.until(|view| view.case().drafts().next().is_none()).await;
    office.serve(&number, letter(None)).await.unwrap();
    let view = office.until(|_| true).await;
    assert_eq!(served_at(&view), None, "the letter is on its way");

    let signed = Moment::parse("2026-03-05T15:00:00+08:00").unwrap();
    office.clock.advance_to(Moment::parse("2026-03-06T09:00:00+08:00").unwrap());
    office.serve(&number, letter(Some(signed))).await.unwrap();
    let view = office.until(|view| served_at(view).is_some()).await;
    assert_eq!(served_at(&view), Some(signed));
    let again = office.serve(&number, letter(Some(signed))).await.unwrap_err();
    assert_eq!(again.code(), "DOCUMENT_ALREADY_SERVED");
}

#[tokio::test]
async fn an_announcement_counts_as_served_when_its_period_ends() {
    use tongban_core::document::Attachment;

    let members = LICENCE.replace("auto", "window");
    let mut office = Office::begin(&members, Service::Answers, 1).await;
    office.change(&clerk(), ask_correction()).await.unwrap();
    let sealed = |view: &CaseView| numbered(view, DocumentKind::CorrectionNotice, "sealed");
    let view = office.until(|view| sealed(view).is_some()).await;
    let number = sealed(&view).unwrap();
    let how = ServiceMode::Announcement { place: "公告栏".to_owned(), days: 30 };
    let copy = Attachment { name: "公告.pdf".to_owned(), digest: Digest::of(b"copy") };
    let change = Change::ServeDocument { number, how, files: vec![copy], came: Came::default() };
    office.change(&clerk(), change).await.unwrap();
    let view = office.until(|_| true).await;
    assert_eq!(served_at(&view), None);

    office.clock.advance_to(Moment::parse("2026-04-02T09:00:00+08:00").unwrap());
    let view = office.until(|view| served_at(view).is_some()).await;
    assert_eq!(served_at(&view).unwrap().date().to_string(), "2026-04-01");
}

#[tokio::test]
async fn online_a_correction_is_served_with_its_seal() {
    let members = LICENCE.replace("auto", "window");
    let mut office = Office::begin(&members, Service::IsSilent, 2).await;
    office.change(&clerk(), ask_correction()).await.unwrap();
    let view = office.until(|_| true).await;
    assert_eq!(served_at(&view), None, "a draft binds nobody");
    office.gate.open.add_permits(10);
    let view = office.until(|view| served_at(view).is_some()).await;
    assert!(numbered(&view, DocumentKind::CorrectionNotice, "served").is_some());
}

#[tokio::test]
async fn a_denial_without_basis_stays_a_draft_and_is_raised_once() {
    let members = r#"regime: "registration", intake: "auto","#;
    let mut office = Office::begin(members, Service::Answers, 2).await;
    office.decide(Said::No).await;
    let raised = |view: &CaseView| {
        let incidents = view.case().incidents.values();
        incidents.filter(|one| one.incident.kind.code() == "NOTICE_NOT_ISSUED").count()
    };
    let view = office.until(|view| raised(view) > 0).await;
    let told = view.case().incidents.values().find(|one| one.incident.message.contains("法律依据"));
    assert!(told.is_some(), "{:?}", view.case().incidents);
    let number = numbered(&view, DocumentKind::Denial, "draft").unwrap();
    let lacks = office.engine.document(&officer(), office.case, (&number, Show::View)).await;
    assert_eq!(lacks.unwrap_err().code(), "DOCUMENT_INCOMPLETE");

    office.restart(Service::Answers).await;
    let view = office.until(|_| true).await;
    let denials = view.documents();
    let mut denials = denials.iter().filter(|one| one.kind() == DocumentKind::Denial);
    assert!(denials.all(|one| matches!(*one.state, DocumentState::Draft { .. })));
    assert_eq!(raised(&view), 1);
}
