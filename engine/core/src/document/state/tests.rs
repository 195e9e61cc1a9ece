use super::*;
use crate::document::{DocumentKind, DocumentNo, NumberParts, SealKind};
use crate::id::MatterNo;

fn moment(text: &str) -> Moment {
    Moment::parse(&format!("{text}+08:00")).unwrap()
}

fn digest() -> Digest {
    Digest::of(b"page")
}

fn record() -> SealRecord {
    let number = DocumentNo::derive(&NumberParts {
        office_word: "十自规",
        kind: DocumentKind::Denial,
        year: 2026,
        case_number: "420300202603020001237",
        matter: MatterNo(2),
        running: 5,
    });
    SealRecord {
        version: SealRecord::VERSION,
        kind: SealKind::Official,
        name: "十堰市自然资源和规划局行政审批专用章".to_owned(),
        office: "十堰市自然资源和规划局".to_owned(),
        signer: "签章服务".to_owned(),
        key_id: "k1".to_owned(),
        algorithm: "SM2".to_owned(),
        signed_at: moment("2026-03-02T10:00:00"),
        made_at: moment("2025-01-01T00:00:00"),
        valid_from: moment("2025-01-01T00:00:00"),
        valid_until: moment("2030-01-01T00:00:00"),
        document_no: number.unwrap(),
        digest: digest(),
        signature: vec![1, 2, 3],
    }
}

fn draft() -> DocumentState {
    DocumentState::draft(moment("2026-03-02T09:00:00"))
}

fn sealed() -> DocumentState {
    draft().seal(moment("2026-03-02T10:00:00"), record(), digest()).unwrap()
}

fn service(how: ServiceMode) -> Service {
    let copy = Attachment { name: "公告.pdf".to_owned(), digest: Digest::of(b"copy") };
    Service { at: moment("2026-03-03T11:00:00"), how, evidence: vec![copy] }
}

fn post(signed_at: Option<Moment>) -> ServiceMode {
    ServiceMode::Post { waybill: "EX420300001CN".to_owned(), signed_at }
}

fn window() -> ServiceMode {
    ServiceMode::Window { signed_by: "张三".to_owned() }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, DocumentRefusal>, code: &str) {
    let refusal = result.unwrap_err();
    assert_eq!(refusal.code(), code, "{refusal}");
}

#[test]
fn a_document_goes_from_draft_to_sealed_to_served_and_no_other_way() {
    let (draft, sealed) = (draft(), sealed());
    let served = sealed.serve(service(window())).unwrap();
    assert_eq!([draft.code(), sealed.code(), served.code()], ["draft", "sealed", "served"]);

    let now = moment("2026-03-04T09:00:00");
    refused(draft.serve(service(window())), "DOCUMENT_NOT_SEALED");
    refused(draft.received(now, Vec::new()), "DOCUMENT_NOT_SERVED");
    refused(sealed.seal(now, record(), digest()), "DOCUMENT_ALREADY_SEALED");
    refused(sealed.received(now, Vec::new()), "DOCUMENT_NOT_SERVED");
    refused(served.seal(now, record(), digest()), "DOCUMENT_ALREADY_SEALED");
    refused(served.serve(service(window())), "DOCUMENT_ALREADY_SERVED");
    refused(served.received(now, Vec::new()), "SERVICE_AWAITS_NO_RECEIPT");
}

#[test]
fn a_seal_must_cover_these_bytes_and_be_in_force() {
    let at = moment("2026-03-02T10:00:00");
    refused(draft().seal(at, record(), Digest::of(b"other")), "SEAL_OTHER_BYTES");
    let expired = SealRecord { valid_until: moment("2026-01-01T00:00:00"), ..record() };
    refused(draft().seal(at, expired, digest()), "SEAL_NOT_IN_FORCE");
    let early = moment("2026-03-01T10:00:00");
    refused(draft().seal(early, record(), digest()), "DOCUMENT_STEP_TOO_EARLY");
}

#[test]
fn every_field_of_a_record_is_under_its_signature() {
    let bytes = record().signed_bytes();
    let other = |change: fn(&mut SealRecord)| {
        let mut record = record();
        change(&mut record);
        record.signed_bytes()
    };
    for changed in [
        other(|record| record.kind = SealKind::Trial),
        other(|record| record.office.push('x')),
        other(|record| record.name.clear()),
        other(|record| record.signer = "5\n".to_owned()),
        other(|record| record.key_id = "k2".to_owned()),
        other(|record| record.digest = Digest::of(b"other")),
        other(|record| record.signed_at = record.signed_at.plus_millis(1)),
        other(|record| record.valid_until = record.valid_until.plus_millis(1)),
    ] {
        assert_ne!(changed, bytes);
    }
}

#[test]
fn periods_run_from_service_in_each_mode() {
    let arrived = moment("2026-03-05T16:20:00");
    for (how, starts) in [
        (window(), Some(moment("2026-03-03T11:00:00"))),
        (post(None), None),
        (post(Some(arrived)), Some(arrived)),
        (ServiceMode::Electronic { system: "i武当".to_owned(), arrived_at: None }, None),
        (
            ServiceMode::Electronic { system: "i武当".to_owned(), arrived_at: Some(arrived) },
            Some(arrived),
        ),
        (
            ServiceMode::Announcement { place: "市政府门户网站".to_owned(), days: 30 },
            Some(moment("2026-04-02T23:59:59.999")),
        ),
    ] {
        let served = sealed().serve(service(how.clone())).unwrap();
        assert_eq!(served.period_starts(), starts, "{how:?}");
    }
    assert_eq!(sealed().period_starts(), None);
    assert_eq!(draft().period_starts(), None);
}

#[test]
fn a_letter_starts_the_period_once_its_receipt_is_signed() {
    let sent = sealed().serve(service(post(None))).unwrap();
    assert_eq!(sent.period_starts(), None);
    let signed = moment("2026-03-06T09:30:00");
    let arrived = sent.received(signed, Vec::new()).unwrap();
    assert_eq!(arrived.period_starts(), Some(signed));
    refused(arrived.received(signed, Vec::new()), "SERVICE_AWAITS_NO_RECEIPT");
    refused(sent.received(moment("2026-03-01T00:00:00"), Vec::new()), "DOCUMENT_STEP_TOO_EARLY");
}

#[test]
fn a_service_without_its_proof_is_refused() {
    for how in [
        ServiceMode::Window { signed_by: " ".to_owned() },
        ServiceMode::Post { waybill: String::new(), signed_at: None },
        ServiceMode::Electronic { system: String::new(), arrived_at: None },
        ServiceMode::Announcement { place: String::new(), days: 30 },
        ServiceMode::Announcement { place: "市政府门户网站".to_owned(), days: 0 },
    ] {
        refused(sealed().serve(service(how)), "SERVICE_UNPROVEN");
    }
    let how = ServiceMode::Announcement { place: "市政府门户网站".to_owned(), days: 30 };
    let bare = Service { evidence: Vec::new(), ..service(how) };
    refused(sealed().serve(bare), "SERVICE_UNPROVEN");
    let early = post(Some(moment("2026-03-01T00:00:00")));
    refused(sealed().serve(service(early)), "DOCUMENT_STEP_TOO_EARLY");
}
