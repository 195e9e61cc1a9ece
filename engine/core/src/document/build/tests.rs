use super::*;
use crate::document::{
    ConcernedDocument, Ground, IssuingOffice, MaterialLine, MaterialStatus, MatterLine,
    MissingLine, PromisedEnd,
};
use crate::entry::Party;
use crate::id::{MatterCode, MatterNo, RegionCode};
use crate::time::Moment;

fn moment(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

fn subject() -> DocumentSubject {
    DocumentSubject {
        case_number: "420300202603020001237".to_owned(),
        service_name: "开工审批一件事".to_owned(),
        matter: MatterLine {
            no: MatterNo(3),
            code: MatterCode::new("engineering-planning-permit"),
            name: "建设工程规划许可证核发".to_owned(),
        },
        regime: Regime::Licence,
        office: IssuingOffice {
            name: "十堰市自然资源和规划局".to_owned(),
            word: "十自规".to_owned(),
            address: String::new(),
            phone: String::new(),
        },
        recipient: Party {
            id: "91420302MA4DEM010M".to_owned(), name: "十堰某某公司".to_owned()
        },
        agent: None,
        region: RegionCode::new("420300"),
        region_name: "十堰市".to_owned(),
        running: 5,
        made_at: moment("2026-03-02T09:00:00+08:00"),
        effective_at: moment("2026-03-02T09:00:00+08:00"),
    }
}

/// Facts with which every kind can be built.
fn facts() -> DocumentFacts {
    let detail = DocumentDetail {
        ground: Some(Ground { code: "hearing".to_owned(), text: "听证".to_owned() }),
        reasons: "设计方案不符合规划条件".to_owned(),
        promised_end: Some(PromisedEnd {
            at: moment("2026-03-03T23:59:59+08:00"),
            provisional: false,
        }),
        expected: "20 working days".parse().ok(),
        materials: vec![MaterialLine {
            code: "design-drawings".to_owned(),
            name: "设计方案图纸".to_owned(),
            status: MaterialStatus::Given,
            note: String::new(),
        }],
        missing: vec![missing("design-drawings")],
        correction_limit: "10 working days".parse().ok(),
        remedies: Some(Remedies::general("十堰市人民政府", "十堰市茅箭区人民法院")),
        query_code: Some("7K2M9P".to_owned()),
        forwarded_to: Some("湖北省自然资源厅".to_owned()),
        concerns: vec![ConcernedDocument {
            name: "准予决定书".to_owned(),
            number: "十自规〔2025〕1号".to_owned(),
        }],
        ..DocumentDetail::default()
    };
    DocumentFacts { subject: subject(), detail }
}

fn missing(material: &str) -> MissingLine {
    MissingLine {
        material: material.to_owned(),
        name: "设计方案图纸".to_owned(),
        defect: "缺少总平面图".to_owned(),
        wanted: "补交总平面图".to_owned(),
    }
}

#[track_caller]
fn lacks(kind: DocumentKind, lacking: &str, spoil: impl FnOnce(&mut DocumentFacts)) {
    let mut facts = facts();
    spoil(&mut facts);
    let error = content_for(kind, &facts).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Invalid);
    assert!(
        matches!(&error, ContentError::Lacking { lacking: found, .. } if *found == lacking),
        "{error}"
    );
}

#[test]
fn every_kind_is_built_from_full_facts() {
    for row in DocumentKind::ALL {
        let content = content_for(row.kind, &facts()).unwrap();
        assert_eq!(content.number.kind(), row.kind);
        assert_eq!(content.recipient.id_masked, "914203********010M");
    }
}

#[test]
fn a_document_says_nothing_that_its_kind_does_not_say() {
    for row in DocumentKind::ALL {
        let detail = content_for(row.kind, &facts()).unwrap().detail;
        assert_eq!(detail.query_code.is_some(), row.kind == DocumentKind::Receipt, "{}", row.code);
        assert_eq!(detail.remedies.is_some(), row.kind.is_adverse(), "{}", row.code);
        let corrects = row.kind == DocumentKind::CorrectionNotice;
        assert_eq!(!detail.missing.is_empty(), corrects, "{}", row.code);
    }
}

#[test]
fn adverse_documents_need_reasons_basis_and_remedies() {
    for row in DocumentKind::ALL.iter().filter(|row| row.kind.is_adverse()) {
        lacks(row.kind, "reasons", |facts| facts.detail.reasons = " \n".to_owned());
        lacks(row.kind, "remedies", |facts| facts.detail.remedies = None);
        lacks(row.kind, "remedies", |facts| {
            facts.detail.remedies = Some(Remedies::general("十堰市人民政府", ""));
        });
        lacks(row.kind, "legal basis", |facts| facts.subject.regime = Regime::Registration);
    }
}

#[test]
fn a_correction_notice_needs_one_complete_list_and_a_limit() {
    let kind = DocumentKind::CorrectionNotice;
    lacks(kind, "list of missing items", |facts| facts.detail.missing.clear());
    lacks(kind, "correction limit", |facts| facts.detail.correction_limit = None);
    lacks(kind, "correction limit", |facts| {
        facts.detail.correction_limit = "0 working days".parse().ok();
    });
    lacks(kind, "defect of a listed item", |facts| facts.detail.missing[0].defect.clear());
    let mut twice = facts();
    twice.detail.missing.push(missing("design-drawings"));
    let error = content_for(kind, &twice).unwrap_err();
    assert_eq!(error.code(), "CORRECTION_LISTED_TWICE");
}

#[test]
fn each_notice_tells_what_its_rule_asks_for() {
    lacks(DocumentKind::Receipt, "query code", |facts| facts.detail.query_code = None);
    lacks(DocumentKind::Acceptance, "promised end", |facts| facts.detail.promised_end = None);
    lacks(DocumentKind::Extension, "extended end", |facts| facts.detail.promised_end = None);
    lacks(DocumentKind::Extension, "reasons", |facts| facts.detail.reasons.clear());
    lacks(DocumentKind::SpecialProcedure, "ground", |facts| facts.detail.ground = None);
    lacks(DocumentKind::SpecialProcedure, "expected length", |facts| facts.detail.expected = None);
    lacks(DocumentKind::NotAccepted, "ground", |facts| facts.detail.ground = None);
    lacks(DocumentKind::Revocation, "document concerned", |facts| facts.detail.concerns.clear());
    lacks(DocumentKind::DeliveryNote, "document concerned", |facts| facts.detail.concerns.clear());
    lacks(DocumentKind::Forwarding, "deciding office", |facts| facts.detail.forwarded_to = None);
    lacks(DocumentKind::Termination, "reasons", |facts| facts.detail.reasons.clear());
    lacks(DocumentKind::ReturnNotice, "reasons", |facts| facts.detail.reasons.clear());
    lacks(DocumentKind::Grant, "recipient's name", |facts| facts.subject.recipient.name.clear());
}

#[test]
fn outside_licensing_law_a_matter_may_have_no_limit() {
    let mut facts = facts();
    facts.subject.regime = Regime::Filing;
    facts.detail.promised_end = None;
    assert!(content_for(DocumentKind::Acceptance, &facts).is_ok());
}

#[test]
fn the_general_rule_stands_before_the_matters_own() {
    let mut facts = facts();
    facts.detail.basis = vec!["《中华人民共和国城乡规划法》第四十条".to_owned(), " ".to_owned()];
    let content = content_for(DocumentKind::Denial, &facts).unwrap();
    assert_eq!(
        content.detail.basis,
        ["《中华人民共和国行政许可法》第三十八条第二款", "《中华人民共和国城乡规划法》第四十条"]
    );
}

#[test]
fn contents_keep_their_bytes_through_storage() {
    for row in DocumentKind::ALL {
        let content = content_for(row.kind, &facts()).unwrap();
        let bytes = postcard::to_allocvec(&content).unwrap();
        assert_eq!(postcard::from_bytes::<DocumentContent>(&bytes), Ok(content));
    }
}
