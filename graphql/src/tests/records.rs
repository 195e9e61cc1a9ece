//! What is added to a case and repaired in it: corrections, materials, the form, cards, paper.

use serde_json::{Value as Json, json};
use tongban_core::digest::Digest;
use tongban_core::viewer::{Role, Viewer};

use super::desk::{
    Desk, PARTY, START, applicant, approver, clerk, head, matter_id, start_input, supervisor,
};
use super::upload::{PDF, sketch};

fn list(matter: &str, more: Json) -> Json {
    let Json::Object(more) = more else { panic!("the input of an act is an object") };
    let mut input = json!({ "matterId": matter, "materials": ["sketch"], "fields": ["shop"],
        "text": "效果图缺尺寸,店名有误", "idempotencyKey": "ask" });
    input.as_object_mut().unwrap().extend(more);
    input
}

fn given(case: &str, key: &str) -> Json {
    json!({ "caseId": case, "code": "sketch", "idempotencyKey": key,
        "handedIn": { "file": { "fileName": "效果图.pdf", "sha256": Digest::of(PDF).hex() } } })
}

#[tokio::test]
async fn a_correction_lists_everything_once_and_is_supplied_piece_by_piece() {
    let desk = Desk::open().await;
    let case = desk.submitted().await;
    let matter = matter_id(&case, 1);
    for (more, path) in [
        (json!({ "text": " " }), json!(null)),
        (json!({ "materials": ["deed"] }), json!(["materials", "deed"])),
        (json!({ "fields": ["owner"] }), json!(["fields", "owner"])),
        (json!({ "limit": { "amount": 0, "unit": "WORKING_DAYS" } }), json!(["limit"])),
    ] {
        let refused = desk.refused(&clerk(), "askCorrection", list(&matter, more)).await;
        assert_eq!((&refused["code"], &refused["path"]), (&json!("INVALID_INPUT"), &path));
    }
    let limit = json!({ "limit": { "amount": 10, "unit": "WORKING_DAYS" } });
    let asked = desk.act(&clerk(), "askCorrection", list(&matter, limit)).await;
    assert_eq!(asked["state"], "CORRECTION_PENDING", "{asked}");
    let round = &asked["corrections"][0];
    assert_eq!((&round["open"], &round["limit"]["amount"]), (&json!(true), &json!(10)));
    assert_eq!(round["dueAt"], "2026-03-16T23:59:59.999+08:00", "{round}");
    assert_eq!(asked["waitingOn"]["kind"], "APPLICANT");
    let absent = desk.refused(&applicant(), "giveMaterial", given(&case, "absent")).await;
    assert_eq!(absent["path"], json!(["file", "sha256"]), "{absent}");
    let kept = desk.upload(&applicant(), &sketch(&case, "a.pdf"), PDF).await;
    assert_eq!(kept.status, 200, "{}", kept.body);
    let select = "case { formVersion materials { code version eventId voided }
        matters { state materialsVersion materials { code state way version attempts { source } } } }";
    let handed = desk.mutate(&applicant(), "giveMaterial", (given(&case, "give"), select)).await;
    assert_eq!(handed["errors"], json!([]), "{handed}");
    let materials = handed["case"]["materials"].as_array().unwrap();
    assert_eq!(materials.last().unwrap()["version"], 2, "{handed}");
    assert_eq!(handed["case"]["matters"][0]["materials"][0]["attempts"], json!(null));
    assert_eq!(handed["case"]["matters"][0]["state"], "CORRECTION_PENDING", "the field is open");
    let amend = |fields: Json, key: &str| json!({ "caseId": case, "expectedVersion": 1, "fields": fields, "idempotencyKey": key });
    let closed = amend(json!({ "phone": "13800000000" }), "closed");
    let closed = desk.refused(&applicant(), "amendForm", closed).await;
    assert_eq!(closed["rule"], "NOT_OPEN", "{closed}");
    let amended = amend(json!({ "shop": "新示例书店" }), "amend");
    let amended = desk.mutate(&applicant(), "amendForm", (amended, select)).await;
    assert_eq!(amended["case"]["matters"][0]["state"], "RECEIVED", "{amended}");
    assert_eq!(amended["case"]["formVersion"], 2);
    let second = desk
        .refused(&clerk(), "askCorrection", list(&matter, json!({ "idempotencyKey": "2" })))
        .await;
    assert_eq!(second["rule"], "CORRECTION_ROUNDS_USED", "{second}");
}

#[tokio::test]
async fn each_reads_of_the_form_what_is_his_and_numbers_of_people_are_masked() {
    let desk = Desk::open().await;
    let mut input = start_input("s");
    input["form"] = json!({ "shop": PARTY, "phone": "13800000000" });
    let started = desk.data(&applicant(), START, json!({ "input": input })).await;
    let case = started["startCase"]["case"]["id"].clone();
    let query = "query($id: ID!) { case(by: { id: $id }) { form { field label value masked source amendedBy } } }";
    let own = desk.data(&applicant(), query, json!({ "id": case })).await["case"]["form"].clone();
    assert_eq!(own[0]["value"], "13800000000", "{own}");
    assert_eq!(own[1]["source"], "typed");
    assert_eq!(own[1]["label"], "店名");
    let clerks = desk.data(&clerk(), query, json!({ "id": case })).await["case"]["form"].clone();
    assert_eq!(clerks[0]["value"], "138****0000", "{clerks}");
    assert_eq!(
        (&clerks[1]["value"], &clerks[1]["masked"]),
        (&json!("914203********010M"), &json!(true))
    );
    let offices =
        desk.data(&approver(), query, json!({ "id": case })).await["case"]["form"].clone();
    let fields: Vec<&Json> =
        offices.as_array().unwrap().iter().map(|value| &value["field"]).collect();
    assert_eq!(fields, [&json!("shop")], "the telephone is another department's");
}

#[tokio::test]
async fn a_clerk_amends_with_a_reason_and_takes_a_mistake_back() {
    let desk = Desk::open().await;
    let case = desk.submitted().await;
    let amend = |reason: &str, key: &str| {
        json!({ "caseId": case, "expectedVersion": 1, "fields": { "shop": "错字店" },
        "reason": reason, "idempotencyKey": key })
    };
    let silent = desk.refused(&clerk(), "amendForm", amend("", "silent")).await;
    assert_eq!(silent["path"], json!(["reason"]), "{silent}");
    let select = "case { formVersion form { field value source amendedBy } }";
    let done = desk.mutate(&clerk(), "amendForm", (amend("录入有误", "a"), select)).await;
    let stale = desk.refused(&clerk(), "amendForm", amend("又一处", "stale")).await;
    assert_eq!(
        (&stale["__typename"], &stale["currentVersion"]),
        (&json!("VersionConflict"), &json!(2)),
        "{stale}"
    );
    let shop = done["case"]["form"][0].clone();
    assert_eq!((&shop["value"], &shop["source"]), (&json!("错字店"), &json!("clerk")), "{done}");
    let void = |event: &Json, key: &str| json!({ "eventId": event, "reason": "改错了", "idempotencyKey": key });
    let foreign = desk.refused(&applicant(), "voidEntry", void(&shop["amendedBy"], "f")).await;
    assert_eq!(foreign["code"], "NOT_PERMITTED", "{foreign}");
    let bad = desk.refused(&clerk(), "voidEntry", void(&json!("evt_1"), "b")).await;
    assert_eq!(bad["path"], json!(["eventId"]), "{bad}");
    let done = desk.mutate(&clerk(), "voidEntry", (void(&shop["amendedBy"], "v"), select)).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    assert_eq!(done["case"]["form"][0]["value"], "示例书店");
    let again = desk.refused(&clerk(), "voidEntry", void(&shop["amendedBy"], "v2")).await;
    assert_eq!(again["code"], "INVALID_INPUT", "{again}");
}

#[tokio::test]
async fn paper_that_came_earlier_counts_from_its_day_if_a_clerk_proves_it() {
    let desk = Desk::open().await;
    let paper = |evidence: &str, key: &str| {
        let mut input = start_input(key);
        input["arrival"] = json!({ "channel": "WINDOW", "receivedAt": "2026-02-27T15:00:00+08:00", "evidence": evidence });
        input
    };
    let start = async |who: Viewer, input: Json| {
        desk.data(&who, START, json!({ "input": input })).await["startCase"].clone()
    };
    let refused = start(clerk(), paper(" ", "a")).await;
    assert_eq!(refused["errors"][0]["path"], json!(["arrival", "evidence"]), "{refused}");
    let refused = start(applicant(), paper("收0001", "b")).await;
    assert_eq!(refused["errors"][0]["code"], "NOT_PERMITTED", "{refused}");
    let mut future = paper("收0001", "c");
    future["arrival"]["receivedAt"] = json!("2026-03-03T09:00:00+08:00");
    let refused = start(clerk(), future).await;
    assert_eq!(refused["errors"][0]["path"], json!(["arrival", "receivedAt"]), "{refused}");
    let started = start(clerk(), paper("收0001", "d")).await;
    let case = started["case"]["id"].clone();
    let input = json!({ "caseId": case, "idempotencyKey": "s" });
    let select = "case { channel receivedAt matters { clocks { kind startedAt } } }";
    let done = desk.mutate(&clerk(), "submitCase", (input, select)).await;
    assert_eq!(
        (&done["case"]["channel"], &done["case"]["receivedAt"]),
        (&json!("WINDOW"), &json!("2026-02-27T15:00:00+08:00"))
    );
    let clock = &done["case"]["matters"][0]["clocks"][0];
    assert_eq!(
        *clock,
        json!({ "kind": "ACCEPTANCE", "startedAt": "2026-02-27T15:00:00+08:00" }),
        "{done}"
    );
}

#[tokio::test]
async fn who_files_twice_is_warned_and_not_refused() {
    let desk = Desk::open().await;
    let first = desk.submitted().await;
    let select = "case { id duplicates { id } } duplicates { id number }";
    let again = desk.mutate(&applicant(), "startCase", (start_input("again"), select)).await;
    assert_eq!(again["errors"], json!([]), "{again}");
    assert_eq!(again["duplicates"][0]["id"], first);
    assert_eq!(again["case"]["duplicates"][0]["id"], first);
    let elsewhere = Viewer::new("clerk-9", Role::WindowClerk).within("420303");
    let mut input = start_input("elsewhere");
    input["region"] = json!("420303");
    let third = desk.mutate(&elsewhere, "startCase", (input, select)).await;
    assert_eq!(third["duplicates"], json!([]), "he may not see the others: {third}");
}

#[tokio::test]
async fn a_card_is_answered_by_its_office_and_never_shown_to_the_applicant() {
    let desk = Desk::open().await;
    let case = desk.submitted().await;
    desk.complete(&clerk(), "INTAKE").await;
    desk.advance("2026-03-20T09:00:00+08:00").await;
    let is_red =
        |case: &Json| case["cards"].as_array().unwrap().iter().any(|card| card["level"] == "RED");
    desk.until(&case, ("... on Case { cards { level } }", is_red)).await;
    let query = "query($id: ID!) { case(by: { id: $id }) { cards { id level levelLabel rule clock at dueAt to replyDueAt counts isAppealed
        caseMatter { code } answers { by kind text } } } }";
    let cards =
        desk.data(&supervisor(), query, json!({ "id": case })).await["case"]["cards"].clone();
    let red = cards.as_array().unwrap().iter().find(|card| card["level"] == "RED");
    let red = red.unwrap_or_else(|| panic!("no red card: {cards}"));
    assert_eq!(
        (&red["rule"], &red["to"]),
        (&json!("promised-late"), &json!("urban-management.head"))
    );
    let hidden = desk.data(&applicant(), query, json!({ "id": case })).await;
    assert_eq!(hidden["case"]["cards"], json!(null));
    let said = |kind: &str, key: &str| json!({ "cardId": red["id"], "kind": kind, "text": "系统故障", "idempotencyKey": key });
    let foreign = desk.refused(&clerk(), "answerCard", said("REPLY", "f")).await;
    assert_eq!(foreign["code"], "NOT_PERMITTED", "{foreign}");
    let early = desk.refused(&supervisor(), "answerCard", said("APPEAL_UPHELD", "e")).await;
    assert_eq!(early["rule"], "NO_APPEAL_OPEN", "{early}");
    for (who, kind) in [(approver(), "APPEAL"), (supervisor(), "APPEAL_UPHELD")] {
        let done = desk.mutate(&who, "answerCard", (said(kind, kind), "case { id }")).await;
        assert_eq!(done["errors"], json!([]), "{done}");
    }
    let cards =
        desk.data(&supervisor(), query, json!({ "id": case })).await["case"]["cards"].clone();
    let card = cards.as_array().unwrap().iter().find(|card| card["id"] == red["id"]).unwrap();
    assert_eq!((&card["counts"], &card["isAppealed"]), (&json!(false), &json!(false)), "{card}");
    assert_eq!(
        card["answers"][0],
        json!({ "by": "approver-1", "kind": "APPEAL", "text": "系统故障" })
    );
}

const CARDS: &str = "query($id: ID!, $input: FiguresInput!) {
    case(by: { id: $id }) { cards { id level counts isAppealed answers { kind text } } }
    figures(input: $input) { total { cards { level raised answered lifted } } } }";

impl Desk {
    /// Returns the red card of a case, and how its level stands in the figures.
    async fn red_card(&self, case: &str) -> (Json, Json) {
        let input = json!({ "id": case, "input": { "region": "420300" } });
        let seen = self.data(&supervisor(), CARDS, input).await;
        let one = |all: &Json, level: &str| {
            let mut all = all.as_array().unwrap().iter();
            let found = all.find(|card| card["level"] == level).cloned();
            found.unwrap_or_else(|| panic!("no {level} card: {seen}"))
        };
        (one(&seen["case"]["cards"], "RED"), one(&seen["figures"]["total"]["cards"], "red"))
    }
}

/// What the office wrote behind its appeal took the appeal away: nobody could decide it any more.
#[tokio::test]
async fn an_appeal_that_is_rejected_leaves_the_card_and_is_not_made_again() {
    let desk = Desk::open().await;
    let case = desk.submitted().await;
    desk.complete(&clerk(), "INTAKE").await;
    desk.advance("2026-03-20T09:00:00+08:00").await;
    let is_red =
        |case: &Json| case["cards"].as_array().unwrap().iter().any(|card| card["level"] == "RED");
    desk.until(&case, ("... on Case { cards { level } }", is_red)).await;
    let (card, _) = desk.red_card(&case).await;
    let said = |kind: &str, text: &str| {
        json!({ "cardId": card["id"], "kind": kind, "text": text,
        "idempotencyKey": format!("{kind} {text}") })
    };
    let done = async |who: &Viewer, (kind, text): (&str, &str)| {
        let done = desk.mutate(who, "answerCard", (said(kind, text), "case { id }")).await;
        assert_eq!(done["errors"], json!([]), "{kind}: {done}");
        desk.red_card(&case).await.0
    };
    let appealed = done(&approver(), ("APPEAL", "系统故障")).await;
    assert_eq!((&appealed["counts"], &appealed["isAppealed"]), (&json!(true), &json!(true)));
    let added = done(&approver(), ("REPLY", "附停机记录")).await;
    assert_eq!(added["isAppealed"], true, "{added}");
    for who in [applicant(), clerk(), approver(), head()] {
        let refused = desk.refused(&who, "answerCard", said("APPEAL_REJECTED", "他人")).await;
        assert!(["NOT_PERMITTED", "NOT_FOUND"].contains(&refused["code"].as_str().unwrap()));
    }
    let silent = desk.refused(&supervisor(), "answerCard", said("APPEAL_REJECTED", " ")).await;
    assert_eq!(silent["code"], "INVALID_INPUT", "{silent}");
    let rejected = done(&supervisor(), ("APPEAL_REJECTED", "停机不足一小时")).await;
    assert_eq!((&rejected["counts"], &rejected["isAppealed"]), (&json!(true), &json!(false)));
    assert_eq!(
        rejected["answers"],
        json!([{ "kind": "APPEAL", "text": "系统故障" }, { "kind": "REPLY", "text": "附停机记录" },
            { "kind": "APPEAL_REJECTED", "text": "停机不足一小时" }])
    );
    for (who, kind) in
        [(approver(), "APPEAL"), (supervisor(), "APPEAL_UPHELD"), (supervisor(), "APPEAL_REJECTED")]
    {
        let refused = desk.refused(&who, "answerCard", said(kind, "再来一次")).await;
        assert_eq!(refused["rule"], "NO_APPEAL_OPEN", "{kind}: {refused}");
    }
    let replied = done(&approver(), ("REPLY", "已办结")).await;
    assert_eq!((&replied["counts"], &replied["isAppealed"]), (&json!(true), &json!(false)));
    let (_, figure) = desk.red_card(&case).await;
    assert_eq!(figure, json!({ "level": "red", "raised": 1, "answered": 1, "lifted": 0 }));
}

#[tokio::test]
async fn the_holder_authorises_the_use_of_his_license() {
    let desk = Desk::open().await;
    let case = desk.submitted().await;
    let consent = |version: &str, key: &str| {
        json!({ "caseId": case, "license": "business-license",
        "textVersion": version, "idempotencyKey": key })
    };
    let unversioned = desk.refused(&applicant(), "consentToLicense", consent(" ", "u")).await;
    assert_eq!(unversioned["code"], "NOT_PERMITTED", "{unversioned}");
    let officer = desk.refused(&approver(), "consentToLicense", consent("1", "o")).await;
    assert_eq!(officer["code"], "NOT_PERMITTED", "{officer}");
    let select = "case { consents { license holder purpose textVersion } }";
    let done = desk.mutate(&applicant(), "consentToLicense", (consent("1", "c"), select)).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    let given = &done["case"]["consents"][0];
    assert_eq!((&given["holder"], &given["purpose"]), (&json!(PARTY), &json!("*")));
    let query =
        "query($id: ID!) { case(by: { id: $id }) { consents { license holder textVersion } } }";
    let seen = desk.data(&clerk(), query, json!({ "id": case })).await["case"]["consents"].clone();
    assert_eq!(
        seen,
        json!([{ "license": "business-license", "holder": "914203********010M", "textVersion": "1" }])
    );
    let stranger = Viewer::new("p", Role::Applicant).for_party("91420302MA4DEM020N");
    let unseen = desk.refused(&stranger, "consentToLicense", consent("1", "s")).await;
    assert_eq!(unseen["code"], "NOT_FOUND", "{unseen}");
}

#[tokio::test]
async fn the_service_of_a_notice_that_is_not_there_is_refused() {
    let desk = Desk::open().await;
    let case = desk.submitted().await;
    let input = json!({ "caseId": case, "number": "无此文号", "idempotencyKey": "s",
        "how": { "post": { "waybill": "EA123456789CN" } } });
    let refused = desk.refused(&clerk(), "serveDocument", input.clone()).await;
    assert_eq!(refused["code"], "NOT_FOUND", "{refused}");
    let refused = desk.refused(&applicant(), "serveDocument", input).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "{refused}");
}
