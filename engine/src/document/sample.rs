//! Facts of one made-up case, with which a document of every kind can be built; tests only.

use tongban_core::definition::Regime;
use tongban_core::digest::Digest;
use tongban_core::document::{
    Attachment, ConcernedDocument, DocumentContent, DocumentDetail, DocumentFacts, DocumentKind,
    DocumentNo, DocumentSubject, FactLine, Ground, IssuingOffice, MaterialLine, MaterialStatus,
    MatterLine, MissingLine, Officer, PromisedEnd, Remedies, ResultLine, content_for,
};
use tongban_core::entry::Party;
use tongban_core::id::{MatterCode, MatterNo, RegionCode};
use tongban_core::time::Moment;

fn moment(text: &str) -> Moment {
    Moment::parse(&format!("{text}+08:00")).expect("the sample's moments are written out")
}

/// Returns when the sample's documents are made.
pub(super) fn made_at() -> Moment {
    moment("2026-03-02T09:30:00")
}

/// Returns the number of the sample's acceptance.
pub(super) fn number() -> DocumentNo {
    content(DocumentKind::Acceptance).number
}

/// Returns the sample's document of this kind.
pub(super) fn content(kind: DocumentKind) -> DocumentContent {
    content_for(kind, &facts()).expect("the sample has what every kind needs")
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
            address: "十堰市茅箭区市民中心二楼".to_owned(),
            phone: "0719-0000000".to_owned(),
        },
        recipient: Party {
            id: "91420302MA4DEM010M".to_owned(),
            name: "十堰示例置业有限公司".to_owned(),
        },
        agent: Some(Party { id: "420302199001010015".to_owned(), name: "张小明".to_owned() }),
        region: RegionCode::new("420300"),
        region_name: "十堰市".to_owned(),
        running: 5,
        made_at: made_at(),
        effective_at: made_at(),
    }
}

/// Returns the sample's facts.
pub(super) fn facts() -> DocumentFacts {
    DocumentFacts { subject: subject(), detail: detail() }
}

fn detail() -> DocumentDetail {
    DocumentDetail {
        basis: vec!["《中华人民共和国城乡规划法》第四十条".to_owned()],
        ground: Some(Ground { code: "expert_review".to_owned(), text: "专家评审".to_owned() }),
        reasons: "设计方案的建筑退让距离为 4.5 米,不符合规划条件要求的 6 米。".to_owned(),
        limit: "1 working day".parse().ok(),
        promised_end: Some(PromisedEnd { at: moment("2026-03-03T23:59:59"), provisional: false }),
        expected: "20 working days".parse().ok(),
        materials: materials(),
        missing: vec![MissingLine {
            material: "design-drawings".to_owned(),
            name: "设计方案图纸".to_owned(),
            defect: "缺少总平面图,其余图纸未加盖设计单位印章".to_owned(),
            wanted: "补交总平面图,全部图纸加盖印章".to_owned(),
        }],
        correction_limit: "10 working days".parse().ok(),
        correction_round: Some(1),
        facts: vec![FactLine {
            label: "宗地编号".to_owned(),
            value: "420302-2026-0017".to_owned(),
        }],
        remedies: Some(Remedies::general("十堰市人民政府", "十堰市茅箭区人民法院")),
        officer: Some(Officer { name: "李审核".to_owned(), post: "规划审批科".to_owned() }),
        query_code: Some("7K2M9P".to_owned()),
        result: Some(ResultLine {
            name: "建设工程规划许可证".to_owned(),
            number: "建字第420300202600017号".to_owned(),
            valid_until: "2027年3月1日".to_owned(),
        }),
        forwarded_to: Some("湖北省自然资源厅".to_owned()),
        concerns: vec![ConcernedDocument {
            name: DocumentKind::Grant.name().to_owned(),
            number: "十自规准予〔2026〕420300202603020001237-03-04-X号".to_owned(),
        }],
        attachments: vec![Attachment {
            name: "审查意见.pdf".to_owned(),
            digest: Digest::of(b"opinion"),
        }],
    }
}

fn materials() -> Vec<MaterialLine> {
    let line = |code: &str, name: &str, status, note: &str| MaterialLine {
        code: code.to_owned(),
        name: name.to_owned(),
        status,
        note: note.to_owned(),
    };
    vec![
        line("title", "不动产权证书", MaterialStatus::Exempt, ""),
        line("land-use-permit", "建设用地规划许可证", MaterialStatus::Produced, ""),
        line("design-drawings", "设计方案图纸", MaterialStatus::Given, "电子件 1 份"),
        line("deed", "授权委托书", MaterialStatus::Owed, "2026年3月10日前补交"),
    ]
}
