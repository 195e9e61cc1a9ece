//! One mistake at a time: each is named with its document and its place.

use serde_json::{Value as Json, json};

use super::super::{DocumentKind, Organisation, Source};
use super::Set;

const ORGANISATION: &str = "organisation.json";
const AGREEMENTS: &str = "agreements.json";
const BINDINGS: &str = "bindings.json";
const RULES: &str = "card-rules.json";

#[track_caller]
fn refused(set: &Set, expected: &[(&str, &str, &str)]) {
    let findings = set.read().unwrap_err();
    assert_eq!(findings.code(), "DOCUMENTS_WRONG");
    let found: Vec<(&str, &str, &str)> = findings
        .0
        .iter()
        .map(|one| (one.document.as_str(), one.pointer.as_str(), one.fault.code()))
        .collect();
    assert_eq!(found, expected, "{findings}");
    for line in findings.to_string().lines() {
        let (zh, en) = line.split_once(" / ").unwrap_or_else(|| panic!("one language: {line}"));
        assert!(!zh.is_ascii() && !en.is_empty(), "{line}");
    }
}

#[track_caller]
fn one(document: &'static str, pointer: &str, value: Json, at: &str, code: &str) {
    refused(&Set::whole().with(document, pointer, value), &[(document, at, code)]);
}

#[test]
fn a_whole_set_is_read() {
    let organisation = Set::whole().organisation();
    assert_eq!(organisation.offices().count(), 3);
    assert_eq!(organisation.card_rules().len(), 4);
    assert_eq!(organisation.bindings().len(), 2);
}

#[test]
fn the_form_of_every_member_is_checked() {
    let table = [
        ("/offices/0/creditCode", json!("114203"), "FORM"),
        ("/offices/0/phones/0", json!("13800000000"), "FORM"),
        ("/offices/0/place", json!("4203"), "FORM"),
        ("/offices/1/parent", json!("natural-resources"), "FORM"),
        ("/roles/0/code", json!("window"), "FORM"),
        ("/roles/0/may/0", json!("everything"), "NOT_ONE_OF"),
        ("/roles/0/may", json!([]), "SIZE"),
        ("/people/0/holds/0/from", json!("2026-02-30"), "FORM"),
        ("/people/0/holds/0/from", json!("1 March"), "FORM"),
        ("/people/0/holds/0/from", json!(20_260_301), "TYPE"),
        ("/people/0/subject", json!("a b"), "FORM"),
        ("/people/0/phone", json!("0719-8000000"), "UNKNOWN_MEMBER"),
        ("/about", json!(1), "TYPE"),
    ];
    for (pointer, value, code) in table {
        one(ORGANISATION, pointer, value, pointer, code);
    }
    let twice = json!(["window", "window"]);
    one(ORGANISATION, "/roles/0/may", twice, "/roles/0/may/1", "TWICE");
    one(RULES, "/rules/1/when/usedPercent", json!(101), "/rules/1/when/usedPercent", "SIZE");
    one(RULES, "/rules/1/when/usedPercent", json!(0), "/rules/1/when/usedPercent", "SIZE");
    one(RULES, "/rules/2/when", json!({}), "/rules/2/when", "SIZE");
    let both = json!({ "dueDay": true, "passed": true });
    one(RULES, "/rules/2/when", both, "/rules/2/when", "SIZE");
    one(RULES, "/rules/3/when/passed", json!(false), "/rules/3/when/passed", "NOT_ONE_OF");
    one(RULES, "/rules/0/when/left", json!("soon"), "/rules/0/when/left", "FORM");
    one(BINDINGS, "/bindings/0/operation", json!("*.*"), "/bindings/0/operation", "FORM");
    one(BINDINGS, "/bindings/0/connector", json!(" "), "/bindings/0/connector", "FORM");
    refused(
        &Set::whole().without(ORGANISATION, "/people/0/office"),
        &[(ORGANISATION, "/people/0", "MISSING")],
    );
}

#[test]
fn everything_wrong_is_told_at_once() {
    let set = Set::whole()
        .with(ORGANISATION, "/offices/0/place", json!("999999"))
        .with(ORGANISATION, "/people/0/office", json!("nobody@420300"))
        .with(BINDINGS, "/bindings/0/region", json!("999999"));
    refused(
        &set,
        &[
            (ORGANISATION, "/offices/0/place", "UNKNOWN_REGION"),
            (ORGANISATION, "/offices/1/parent", "UNKNOWN_OFFICE"),
            (ORGANISATION, "/people/0/office", "UNKNOWN_OFFICE"),
            (ORGANISATION, "/people/1/office", "UNKNOWN_OFFICE"),
            (BINDINGS, "/bindings/0/region", "UNKNOWN_REGION"),
        ],
    );
}

#[test]
fn names_lead_somewhere() {
    let table = [
        ("/regions/0/parent", json!("429999"), "/regions/0/parent", "UNKNOWN_REGION"),
        ("/offices/0/place", json!("420399"), "/offices/0/place", "UNKNOWN_REGION"),
        ("/offices/0/calendar", json!("none"), "/offices/0/calendar", "UNKNOWN_CALENDAR"),
        (
            "/offices/0/creditCode",
            json!("1142030000DEM00157"),
            "/offices/0/creditCode",
            "CREDIT_CODE",
        ),
        ("/offices/1/parent", json!("data@420302"), "/offices/1/parent", "UNKNOWN_OFFICE"),
        ("/people/0/holds/0/role", json!("data.none"), "/people/0/holds/0/role", "UNKNOWN_ROLE"),
        ("/people/0/holds/0/region", json!("999999"), "/people/0/holds/0/region", "UNKNOWN_REGION"),
        ("/standIns/0/by", json!("nobody"), "/standIns/0/by", "UNKNOWN_PERSON"),
    ];
    for (pointer, value, at, code) in table {
        let set = Set::whole().with(ORGANISATION, pointer, value);
        let findings = set.read().unwrap_err().0;
        let found = findings.iter().any(|one| one.pointer == at && one.fault.code() == code);
        assert!(found, "{pointer}: {findings:?}");
    }
    let role = json!({ "code": "fire.approver", "name": "审批人", "may": ["approve"] });
    one(ORGANISATION, "/roles/5", role, "/roles/5/code", "ROLE_WITHOUT_OFFICE");
    one(RULES, "/rules/3/to", json!("mayor"), "/rules/3/to", "UNKNOWN_ADDRESSEE");
    one(RULES, "/rules/3/regions/0", json!("999999"), "/rules/3/regions/0", "UNKNOWN_REGION");
}

#[test]
fn codes_name_one_thing() {
    let office = super::organisation()["offices"][0].clone();
    one(ORGANISATION, "/offices/3", office, "/offices/3", "DUPLICATE_CODE");
    let role = json!({ "code": "data.audit", "name": "审计", "may": ["audit"] });
    one(ORGANISATION, "/roles/5", role, "/roles/5", "DUPLICATE_CODE");
    let person = json!({ "subject": "one", "name": "示例己", "office": "data@420300" });
    one(ORGANISATION, "/people/5", person, "/people/5", "DUPLICATE_CODE");
    one(RULES, "/rules/1/id", json!("one-day"), "/rules/1", "DUPLICATE_CODE");
    one(AGREEMENTS, "/agreements/1/code", json!("A-1"), "/agreements/1", "DUPLICATE_CODE");
}

#[test]
fn local_codes_lie_in_their_parent() {
    let outside = json!({ "code": "420491", "name": "别处", "parent": "420300" });
    one(ORGANISATION, "/regions/1", outside, "/regions/1/code", "LOCAL_REGION_OUTSIDE");
}

#[test]
fn no_office_is_above_itself() {
    let parent = json!("natural-resources@420302");
    let set = Set::whole().with(ORGANISATION, "/offices/0/parent", parent);
    refused(
        &set,
        &[
            (ORGANISATION, "/offices/0/parent", "OFFICE_CYCLE"),
            (ORGANISATION, "/offices/1/parent", "OFFICE_CYCLE"),
        ],
    );
}

#[test]
fn periods_begin_before_they_end() {
    let hold = "/people/0/holds/0/until";
    one(ORGANISATION, hold, json!("2025-12-31"), hold, "PERIOD");
    let stand_in = "/standIns/0/until";
    one(ORGANISATION, stand_in, json!("2026-03-01"), stand_in, "PERIOD");
    let agreement = "/agreements/0/until";
    one(AGREEMENTS, agreement, json!("2025-12-31"), agreement, "PERIOD");
}

fn stand_in(absent: &str, by: &str, from: &str, until: &str) -> Json {
    json!({ "for": absent, "by": by, "from": from, "until": until, "reason": "出差" })
}

#[test]
fn one_person_is_stood_in_for_by_one() {
    let touching = stand_in("one", "three", "2026-03-06", "2026-03-10");
    one(ORGANISATION, "/standIns/1", touching, "/standIns/1", "STAND_IN_OVERLAP");
    let next = stand_in("one", "three", "2026-03-07", "2026-03-10");
    Set::whole().with(ORGANISATION, "/standIns/1", next).organisation();
    let oneself = stand_in("two", "two", "2026-05-01", "2026-05-02");
    one(ORGANISATION, "/standIns/1", oneself, "/standIns/1/by", "STAND_IN_FOR_ONESELF");
}

#[test]
fn people_do_not_stand_in_for_each_other_in_a_circle() {
    let back = |from, until| stand_in("three", "one", from, until);
    let set = |from, until| {
        Set::whole()
            .with(ORGANISATION, "/standIns/1", stand_in("two", "three", "2026-03-01", "2026-03-03"))
            .with(ORGANISATION, "/standIns/2", back(from, until))
    };
    refused(&set("2026-03-03", "2026-03-09"), &[(ORGANISATION, "/standIns/2", "STAND_IN_CYCLE")]);
    set("2026-03-04", "2026-03-09").organisation();
}

#[test]
fn the_three_administrators_are_never_one_person() {
    let hold = |from: &str| json!({ "role": "data.audit", "region": "420300", "from": from });
    let (pointer, at) = ("/people/3/holds/1", "/people/3/holds/1/role");
    one(ORGANISATION, pointer, hold("2026-02-01"), at, "ADMINISTRATORS_JOINED");
    Set::whole()
        .with(ORGANISATION, "/people/3/holds/0/until", json!("2026-01-31"))
        .with(ORGANISATION, pointer, hold("2026-02-01"))
        .organisation();
    let both =
        json!({ "code": "data.all", "name": "全部", "may": ["system_admin", "security_admin"] });
    one(ORGANISATION, "/roles/5", both, "/roles/5/may", "ADMINISTRATORS_JOINED");
    let by = stand_in("four", "five", "2026-05-01", "2026-05-02");
    one(ORGANISATION, "/standIns/1", by, "/standIns/1/by", "ADMINISTRATORS_JOINED");
}

#[test]
fn a_window_clerk_may_be_approver_too() {
    let hold =
        json!({ "role": "natural-resources.window", "region": "420300", "from": "2026-01-01" });
    Set::whole().with(ORGANISATION, "/people/0/holds/2", hold).organisation();
}

#[test]
fn an_operation_is_bound_once_at_a_place() {
    let again = json!({ "operation": "natural-resources.*", "region": "420300", "connector": "b" });
    one(BINDINGS, "/bindings/2", again, "/bindings/2", "BINDING_CONFLICT");
}

#[test]
fn parties_are_different_places_with_codes_of_their_own() {
    let region = "/agreements/0/parties/1/region";
    let set = Set::whole().with(AGREEMENTS, region, json!("420300"));
    refused(
        &set,
        &[
            (AGREEMENTS, region, "SAME_PARTY"),
            (AGREEMENTS, "/agreements/0/matters/0/implementations/1/region", "NO_PARTY"),
        ],
    );
    let first = "/agreements/0/matters/0/implementations/0/region";
    let set = Set::whole().with(AGREEMENTS, first, json!("610900"));
    refused(
        &set,
        &[
            (AGREEMENTS, "/agreements/0/matters/0/implementations", "NO_IMPLEMENTATION"),
            (AGREEMENTS, first, "NO_PARTY"),
        ],
    );
    let code = "/agreements/0/parties/0/creditCode";
    one(AGREEMENTS, code, json!("1142030000DEM00157"), code, "CREDIT_CODE");
    let one_party = json!([super::agreements()["agreements"][0]["parties"][0]]);
    one(AGREEMENTS, "/agreements/0/parties", one_party, "/agreements/0/parties", "SIZE");
}

#[test]
fn two_agreements_never_compete() {
    let mut again = super::agreements()["agreements"][0].clone();
    again["code"] = json!("A-3");
    let at = "/agreements/2/matters/0";
    one(AGREEMENTS, "/agreements/2", again.clone(), at, "AGREEMENT_OVERLAP");
    again["from"] = json!("2029-01-01");
    again["until"] = json!("2029-12-31");
    Set::whole().with(AGREEMENTS, "/agreements/2", again).organisation();
}

#[test]
fn calendars_are_held_to_their_own_rules() {
    let set = Set::whole().with("calendar.json", "/last_year", json!(2025));
    refused(&set, &[("calendar.json", "", "CALENDAR_RULES")]);
    let set = Set::whole().with("calendar.json", "/based_on", json!("none"));
    refused(&set, &[("calendar.json", "", "CALENDAR_RULES")]);
}

fn fault(text: &str, kind: Option<DocumentKind>) -> (String, &'static str) {
    let source = Source { label: "x.json", kind, bytes: text.as_bytes() };
    let finding = Organisation::read(&[source]).unwrap_err().0.remove(0);
    (finding.pointer, finding.fault.code())
}

#[test]
fn a_document_says_what_it_is() {
    assert_eq!(fault("{", None), (String::new(), "NOT_JSON"));
    assert_eq!(fault("{}", None), ("/kind".to_owned(), "NO_KIND"));
    assert_eq!(fault("[]", None), ("/kind".to_owned(), "NO_KIND"));
    assert_eq!(fault(r#"{"kind":"people"}"#, None), ("/kind".to_owned(), "NO_KIND"));
    let bindings = r#"{"kind":"bindings"}"#;
    let (at, code) = fault(bindings, Some(DocumentKind::Agreements));
    assert_eq!((at.as_str(), code), ("/kind", "OTHER_KIND"));
    let source = Source { label: "c.json", kind: None, bytes: br#"{"first_year": 2026}"# };
    assert_eq!(Organisation::identify(&source).unwrap().kind, DocumentKind::Calendar);
}
