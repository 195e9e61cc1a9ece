use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::calendar::Calendars;
use crate::definition::{DecidesIn, Intake, Limits, MaterialDef, Part, Regime, ServiceDef, Source};
use crate::digest::Digest;
use crate::document::{DocumentContent, DocumentNo, NumberParts, content_for};
use crate::entry::{Arrival, CaseStarted, DocumentDrafted, MatterFiled, Party, PlannedMatter};
use crate::id::{CaseId, DepartmentCode, MatterCode, MatterNo, RegionCode, Seq, ServiceCode};
use crate::law::{ActAnswer, Procedure, Rules};
use crate::material::MaterialFound;
use crate::organisation::{Organisation, Source as Written};
use crate::time::Moment;

const OFFICES: &str = r#"{
    "kind": "organisation", "code": "demo",
    "offices": [
        {"code": "natural-resources", "place": "420300", "creditCode": "1142030000DEM1034C",
         "name": "示例市自然资源和规划局", "word": "示自规", "hall": "示例市民中心",
         "reviewBody": "示例市人民政府", "court": "示例区人民法院", "phones": ["0719-0000003"]}
    ],
    "roles": [{"code": "natural-resources.approver", "name": "审批人", "may": ["approve"]}],
    "people": [{"subject": "demo:approver", "name": "示例丙", "office": "natural-resources@420300"}]
}"#;

/// A case of one matter, whose log grows act by act.
struct Log {
    case: Case,
    closure: Closure,
    organisation: Organisation,
    calendars: Calendars,
    secret: Secret,
    last: Option<Entry>,
}

fn at() -> Moment {
    Moment::parse("2026-03-02T09:00:00+08:00").unwrap()
}

fn definition(basis: &str, regime: Regime) -> MatterDef {
    let limits = Limits { statutory: None, promised: "3 working days".parse().ok() };
    MatterDef {
        code: MatterCode::new("planning-permit"),
        name: "规划许可".to_owned(),
        name_en: String::new(),
        department: DepartmentCode::new("natural-resources"),
        regime,
        basis: basis.to_owned(),
        intake: Intake::Window,
        decides_in: DecidesIn::Here,
        limits,
        form: Vec::new(),
        materials: vec![MaterialDef {
            code: "title".to_owned(),
            name: "不动产权证书".to_owned(),
            sources: vec![Source::Upload(vec!["pdf".to_owned()])],
        }],
        gives: None,
        procedure: Procedure::default(),
        fees: Vec::new(),
        advises: false,
    }
}

fn closure(definition: MatterDef) -> Closure {
    let part = Part::new(definition.code.clone());
    Closure {
        digest: Digest([1; 32]),
        api_level: 1,
        service: ServiceDef {
            code: ServiceCode::new("test"),
            name: "测试".to_owned(),
            name_en: String::new(),
            lead: DepartmentCode::new("natural-resources"),
            target: "project".to_owned(),
            regions: vec![RegionCode::new("420300")],
            promise: None,
            questions: Vec::new(),
            parts: vec![part],
            computed: false,
            on_partial: false,
        },
        matters: BTreeMap::from([(definition.code.clone(), definition)]),
    }
}

impl Log {
    fn of(definition: MatterDef, organisation: Organisation) -> Self {
        let started = CaseStarted {
            number: "420302202603020000018".to_owned(),
            service: ServiceCode::new("test"),
            service_name: "测试".to_owned(),
            closure: Digest([1; 32]),
            api_level: 1,
            region: RegionCode::new("420302"),
            lead: DepartmentCode::new("natural-resources"),
            promise: None,
            applicant: Party {
                id: "91420302MA4DEM010M".to_owned(), name: "示例公司".to_owned()
            },
            agent: None,
            answers: Value::Null,
            form: Value::Null,
            provenance: Vec::new(),
            materials: Vec::new(),
            consents: Vec::new(),
            arrival: Arrival::default(),
            matters: vec![PlannedMatter {
                code: definition.code.clone(),
                name: definition.name.clone(),
                department: definition.department.clone(),
                skipped: false,
                after: Vec::new(),
                computed: None,
            }],
        };
        let filed = MatterFiled {
            rules: Rules::resolve(definition.regime, definition.limits, &definition.procedure),
            intake: Intake::Window,
            decides_in: DecidesIn::Here,
            calendar: String::new(),
            materials: vec![MaterialFound { code: "title".to_owned(), how: Found::Missing }],
        };
        let first = entry(Seq(1), MatterNo::COORDINATOR, Body::CaseStarted(Arc::new(started)));
        let case = Case::begin(CaseId::new(at(), [3; 10]), &first).unwrap();
        let mut log = Self {
            case,
            closure: closure(definition),
            organisation,
            calendars: Calendars::shipped(),
            secret: Secret::new([9; 32]),
            last: None,
        };
        log.push(Body::MatterFiled(Arc::new(filed)));
        log
    }

    fn begin(basis: &str, regime: Regime) -> Self {
        let source = Written { label: "organisation.json", kind: None, bytes: OFFICES.as_bytes() };
        Self::of(definition(basis, regime), Organisation::read(&[source]).unwrap())
    }

    fn push(&mut self, body: Body) {
        let entry = entry(self.case.head.next(), MatterNo(1), body);
        self.case.fold(&entry).unwrap();
        self.last = Some(entry);
    }

    /// Does an act and drafts its document.
    fn tell(&mut self, act: Act, kind: DocumentKind) -> Result<DocumentContent, String> {
        self.push(Body::Acted { act, answer: ActAnswer::Done, request: None });
        let about = self.last.clone().unwrap();
        let number = DocumentNo::derive(&NumberParts {
            office_word: "旧字",
            kind,
            year: 2026,
            case_number: &self.case.started.number,
            matter: MatterNo(1),
            running: u16::try_from(self.case.documents.len() + 1).unwrap(),
        });
        let drafted = DocumentDrafted { number: number.unwrap(), about: about.seq };
        let number = drafted.number.to_string();
        self.push(Body::DocumentDrafted(Arc::new(drafted)));
        let reading =
            Reading { calendars: &self.calendars, organisation: &self.organisation, now: at() };
        let told = Told {
            case: &self.case,
            closure: &self.closure,
            about: &about,
            reading,
            secret: &self.secret,
        };
        let facts = document_facts(&self.case.documents[&number], &told).unwrap();
        let content = content_for(kind, &facts).map_err(|error| error.to_string())?;
        assert_eq!(content.number.to_string(), number, "a page bears the number of its draft");
        Ok(content)
    }
}

fn entry(seq: Seq, matter: MatterNo, body: Body) -> Entry {
    let origin =
        Origin::Person { subject: "demo:approver".to_owned(), role: "approver".to_owned() };
    Entry { seq, matter, recorded_at: at(), effective_at: at(), origin, body }
}

fn act(kind: ActKind, ground: &str) -> Act {
    Act::new(kind, at(), ground)
}

#[test]
fn the_life_of_a_matter_is_told_with_names_limits_and_officers() {
    let mut log = Log::begin("《示例条例》第八条", Regime::Licence);
    let receipt = log.tell(act(ActKind::Receive, ""), DocumentKind::Receipt).unwrap();
    let code = receipt.detail.query_code.unwrap();
    assert_eq!(code, query_code(&log.case, &log.secret));
    assert_eq!(code.len(), 8);
    assert_eq!(receipt.detail.materials[0].name, "不动产权证书");
    assert_eq!(receipt.region_name, "湖北省十堰市茅箭区");

    let acceptance = log.tell(act(ActKind::Accept, ""), DocumentKind::Acceptance).unwrap();
    let end = acceptance.detail.promised_end.unwrap();
    assert_eq!(end.at.date().to_string(), "2026-03-05");
    assert!(!end.provisional);
    assert_eq!(acceptance.detail.officer.unwrap().name, "示例丙");
    assert_eq!(acceptance.office.name, "示例市自然资源和规划局");

    let denial =
        log.tell(act(ActKind::Deny, "不符合控制性详细规划"), DocumentKind::Denial).unwrap();
    assert_eq!(denial.detail.reasons, "不符合控制性详细规划");
    assert_eq!(denial.detail.remedies.unwrap().court, "示例区人民法院");
    assert_eq!(denial.detail.basis.len(), 2, "the general rule and the matter's own");
}

#[test]
fn a_correction_names_what_is_missing_and_the_period() {
    let mut log = Log::begin("", Regime::Licence);
    log.tell(act(ActKind::Receive, ""), DocumentKind::Receipt).unwrap();
    let list = CorrectionList {
        materials: vec!["title".to_owned()],
        fields: Vec::new(),
        text: "缺少第三页".to_owned(),
        limit: None,
        served_at: None,
    };
    let ask = act(ActKind::AskCorrection, "").with(Terms::Correction(list));
    let notice = log.tell(ask, DocumentKind::CorrectionNotice).unwrap();
    assert_eq!(notice.detail.missing[0].name, "不动产权证书");
    assert_eq!(notice.detail.correction_limit, "15 working days".parse().ok());
    assert_eq!(notice.detail.correction_round, Some(1));
}

#[test]
fn an_extension_says_how_much_longer_until_when_and_why() {
    let mut log = Log::begin("《示例条例》第八条", Regime::Licence);
    log.tell(act(ActKind::Receive, ""), DocumentKind::Receipt).unwrap();
    log.tell(act(ActKind::Accept, ""), DocumentKind::Acceptance).unwrap();
    let by = "10 working days".parse().unwrap();
    let terms = Terms::Extension { by, approved_by: "demo:head".to_owned() };
    let extend = act(ActKind::Extend, "案情复杂").with(terms);
    let notice = log.tell(extend, DocumentKind::Extension).unwrap();
    assert_eq!(notice.detail.limit, Some(by));
    // Three working days were promised; ten more end on Thursday the 19th.
    assert_eq!(notice.detail.promised_end.unwrap().at.date().to_string(), "2026-03-19");
    assert_eq!(notice.detail.reasons, "案情复杂");
    let mut silent = Log::begin("《示例条例》第八条", Regime::Licence);
    silent.tell(act(ActKind::Receive, ""), DocumentKind::Receipt).unwrap();
    silent.tell(act(ActKind::Accept, ""), DocumentKind::Acceptance).unwrap();
    let terms = Terms::Extension { by, approved_by: "demo:head".to_owned() };
    let extend = act(ActKind::Extend, "").with(terms);
    let error = silent.tell(extend, DocumentKind::Extension).unwrap_err();
    assert!(error.contains("reasons"), "{error}");
}

#[test]
fn a_delivery_note_lists_the_decision_that_it_brings() {
    let mut log = Log::begin("《示例条例》第八条", Regime::Licence);
    log.tell(act(ActKind::Receive, ""), DocumentKind::Receipt).unwrap();
    log.tell(act(ActKind::Accept, ""), DocumentKind::Acceptance).unwrap();
    let grant = log.tell(act(ActKind::Grant, ""), DocumentKind::Grant).unwrap();
    let note = log.tell(act(ActKind::Deliver, ""), DocumentKind::DeliveryNote).unwrap();
    let listed = note.detail.concerns;
    assert_eq!(listed.len(), 1, "the receipt and the acceptance are no decisions: {listed:?}");
    assert_eq!(listed[0].name, "准予决定书");
    assert_eq!(listed[0].number, grant.number.to_string());
    assert_ne!(note.number, grant.number);
}

#[test]
fn a_refusal_on_a_listed_ground_says_its_words_and_the_officers() {
    let mut log = Log::begin("", Regime::Licence);
    log.tell(act(ActKind::Receive, ""), DocumentKind::Receipt).unwrap();
    let mut refuse = act(ActKind::NotAccept, "no_competence");
    refuse.detail = Value::of([("reason", "应向省厅申请".into())]);
    let told = log.tell(refuse, DocumentKind::NotAccepted).unwrap();
    assert_eq!(told.detail.ground.unwrap().text, "依法不属于本行政机关职权范围");
    assert_eq!(told.detail.reasons, "应向省厅申请");
}

#[test]
fn a_denial_without_a_basis_is_not_made() {
    let mut log = Log::begin(" ", Regime::Registration);
    log.tell(act(ActKind::Receive, ""), DocumentKind::Receipt).unwrap();
    log.tell(act(ActKind::Accept, ""), DocumentKind::Acceptance).unwrap();
    let error = log.tell(act(ActKind::Deny, "材料虚假"), DocumentKind::Denial).unwrap_err();
    assert!(error.contains("legal basis"), "{error}");
}

#[test]
fn an_unknown_office_makes_no_document() {
    let definition = definition("《示例条例》", Regime::Licence);
    let mut log = Log::of(definition, Organisation::default());
    let error = log.tell(act(ActKind::Receive, ""), DocumentKind::Receipt).unwrap_err();
    assert!(error.contains("office name"), "{error}");
}
