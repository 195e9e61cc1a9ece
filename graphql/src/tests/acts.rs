//! Acts of the law over the API: who may do which, what each needs, what the matter shows then.

use serde_json::{Value as Json, json};
use tongban_core::viewer::{Role, Viewer};

use super::desk::{Desk, applicant, approver, clerk, colleague, head, matter_id, supervisor};
use super::tax;

/// Builds the input of an act: the matter, a key of its own, and what the act needs.
fn on(matter: &str, key: &str, more: Json) -> Json {
    let Json::Object(more) = more else { panic!("the input of an act is an object") };
    let mut input = json!({ "matterId": matter, "idempotencyKey": key });
    input.as_object_mut().unwrap().extend(more);
    input
}

fn plain(matter: &str, key: &str) -> Json {
    on(matter, key, json!({}))
}

/// Starts a case whose first matter waits for its intake, and returns that matter's id.
async fn received(desk: &Desk) -> String {
    matter_id(&desk.submitted().await, 1)
}

async fn accepted(desk: &Desk) -> String {
    let matter = received(desk).await;
    desk.act(&clerk(), "acceptMatter", plain(&matter, "accept")).await;
    matter
}

#[tokio::test]
async fn an_act_is_for_those_whom_the_law_names() {
    let desk = Desk::open().await;
    let matter = received(&desk).await;
    for (viewer, act) in [
        (applicant(), "acceptMatter"),
        (supervisor(), "acceptMatter"),
        (clerk(), "resumeMatter"),
        (approver(), "supplyCorrection"),
    ] {
        let refused = desk.refused(&viewer, act, plain(&matter, "no")).await;
        assert_eq!(refused["__typename"], "NotPermitted", "{act}: {refused}");
    }
    let reason = json!({ "reason": "程序违法" });
    let revoked = desk.refused(&approver(), "revokeDecision", on(&matter, "no", reason)).await;
    assert_eq!(revoked["code"], "NOT_PERMITTED", "only the head revokes: {revoked}");
    let stranger = Viewer::new("a", Role::Approver).within("420300").of("fire");
    let unseen = desk.refused(&stranger, "acceptMatter", plain(&matter, "no")).await;
    assert_eq!(unseen["code"], "NOT_FOUND", "{unseen}");
    let bad = desk.refused(&clerk(), "acceptMatter", plain("mtr_x", "no")).await;
    assert_eq!(bad["path"], json!(["matterId"]), "{bad}");
    let none = matter.replace("-1", "-9");
    let none = desk.refused(&clerk(), "acceptMatter", plain(&none, "no")).await;
    assert_eq!(none["code"], "NOT_FOUND", "{none}");
    let done = desk.act(&clerk(), "acceptMatter", plain(&matter, "yes")).await;
    assert_eq!(done["state"], "ACCEPTED", "{done}");
}

#[tokio::test]
async fn an_act_repeated_under_its_key_is_answered_from_the_record() {
    let desk = Desk::open().await;
    let matter = received(&desk).await;
    let input = plain(&matter, "k");
    let first =
        desk.mutate(&clerk(), "acceptMatter", (input.clone(), "caseMatter { state }")).await;
    let again = desk.mutate(&clerk(), "acceptMatter", (input, "caseMatter { state }")).await;
    assert_eq!((&first["replayed"], &again["replayed"]), (&json!(false), &json!(true)), "{again}");
    assert_eq!(first["caseMatter"], again["caseMatter"]);
    let other = on(&matter, "k", json!({ "reasons": ["另有问题"] }));
    let reused = desk.refused(&clerk(), "returnMatter", other).await;
    assert_eq!(reused["code"], "IDEMPOTENCY_KEY_REUSED", "{reused}");
}

#[tokio::test]
async fn a_special_procedure_stops_the_clock_and_no_decision_is_taken_meanwhile() {
    let desk = Desk::open().await;
    let matter = accepted(&desk).await;
    let unknown = on(&matter, "u", json!({ "ground": "holiday" }));
    let unknown = desk.refused(&approver(), "suspendMatter", unknown).await;
    assert_eq!(unknown["code"], "INVALID_INPUT", "{unknown}");
    let expected = json!({ "amount": 3, "unit": "WORKING_DAYS" });
    let hearing = on(&matter, "h", json!({ "ground": "hearing", "expected": expected }));
    let suspended = desk.act(&approver(), "suspendMatter", hearing).await;
    assert_eq!(suspended["suspendedFor"], "hearing", "{suspended}");
    assert_eq!(suspended["suspensions"][0]["groundName"], "听证");
    assert_eq!(suspended["suspensions"][0]["expected"], expected);
    let task = desk.open_task(&approver(), "DECIDE").await;
    let decide = json!({ "taskId": task["id"], "expectedVersion": task["version"], "granted": true,
        "opinion": "同意", "idempotencyKey": "d" });
    let decided = desk.refused(&approver(), "completeTask", decide).await;
    assert_eq!((&decided["code"], &decided["rule"]), (&json!("WRONG_STATE"), &json!("SUSPENDED")));
    desk.advance("2026-03-05T09:00:00+08:00").await;
    let came = |evidence: &str| json!({ "came": { "at": "2026-03-04T16:00:00+08:00", "evidence": evidence } });
    let unproven = desk.refused(&approver(), "resumeMatter", on(&matter, "r", came(" "))).await;
    assert_eq!(unproven["path"], json!(["came", "evidence"]), "{unproven}");
    let future = json!({ "came": { "at": "2026-03-06T09:00:00+08:00", "evidence": "听证笔录" } });
    let future = desk.refused(&approver(), "resumeMatter", on(&matter, "f", future)).await;
    assert_eq!(future["code"], "INVALID_INPUT", "{future}");
    let resumed =
        desk.act(&approver(), "resumeMatter", on(&matter, "r2", came("听证笔录3号"))).await;
    assert_eq!(resumed["suspensions"][0]["until"], "2026-03-04T16:00:00+08:00", "{resumed}");
    let query = "query($id: ID!) { node(id: $id) { ... on CaseMatter {
        clocks { kind kindLabel extendedBy usedWorkingDays dueAt stoppedAt about }
        explainClock(kind: PROMISED) { dueAt provisional merged days { date counted why total text(lang: EN) source } } } } }";
    let shown = desk.data(&applicant(), query, json!({ "id": matter })).await["node"].clone();
    let explained = &shown["explainClock"];
    let days = explained["days"].as_array().unwrap();
    assert_eq!((&days[0]["date"], &days[0]["why"]), (&json!("2026-03-02"), &json!("EVENT")));
    assert!(days.iter().any(|day| day["why"] == "SUSPENDED" && day["counted"] == false), "{shown}");
    assert!(days.iter().any(|day| day["why"] == "WEEKEND"), "{shown}");
    assert_eq!(days.last().unwrap()["total"], 5, "{shown}");
    let promised =
        shown["clocks"].as_array().unwrap().iter().find(|clock| clock["kind"] == "PROMISED");
    assert_eq!(promised.unwrap()["dueAt"], explained["dueAt"]);
    assert_eq!(promised.unwrap()["kindLabel"], "承诺期限");
}

#[tokio::test]
async fn an_officer_proposes_an_extension_and_the_head_extends() {
    let desk = Desk::open().await;
    let matter = accepted(&desk).await;
    let longer = |amount: u32| json!({ "by": { "amount": amount, "unit": "WORKING_DAYS" }, "reason": "案情复杂" });
    let proposed = desk.act(&approver(), "extendMatter", on(&matter, "p", longer(5))).await;
    assert_eq!(proposed["extension"], json!(null), "{proposed}");
    desk.open_task(&head(), "APPROVE_EXTENSION").await;
    let long = desk.refused(&head(), "extendMatter", on(&matter, "l", longer(99))).await;
    assert_eq!(long["code"], "INVALID_INPUT", "{long}");
    let zero = desk.refused(&head(), "extendMatter", on(&matter, "z", longer(0))).await;
    assert_eq!(zero["path"], json!(["by"]), "{zero}");
    let extended = desk.act(&head(), "extendMatter", on(&matter, "e", longer(5))).await;
    assert_eq!(extended["extension"], json!({ "amount": 5, "unit": "WORKING_DAYS" }));
    let again = desk.refused(&head(), "extendMatter", on(&matter, "a", longer(4))).await;
    assert_eq!(again["rule"], "EXTENDED_BEFORE", "{again}");
}

#[tokio::test]
async fn a_matter_is_not_accepted_on_a_lawful_ground_only() {
    let desk = Desk::open().await;
    let matter = received(&desk).await;
    let input = on(&matter, "n", json!({ "ground": "NO_COMPETENCE" }));
    let ended = desk.act(&clerk(), "notAcceptMatter", input).await;
    assert_eq!(ended["state"], "NOT_ACCEPTED", "{ended}");
    let late = desk.refused(&clerk(), "acceptMatter", plain(&matter, "late")).await;
    assert_eq!(late["rule"], "MATTER_ENDED", "{late}");
}

#[tokio::test]
async fn a_returned_matter_is_submitted_again_and_may_be_withdrawn() {
    let desk = Desk::open().await;
    let matter = received(&desk).await;
    let silent = on(&matter, "s", json!({ "reasons": [] }));
    let silent = desk.refused(&clerk(), "returnMatter", silent).await;
    assert_eq!(silent["code"], "INVALID_INPUT", "{silent}");
    let reasons = on(&matter, "r", json!({ "reasons": ["店名与执照不符", "效果图不清"] }));
    let returned = desk.act(&clerk(), "returnMatter", reasons).await;
    assert_eq!(returned["state"], "RETURNED", "{returned}");
    assert_eq!(returned["waitingOn"]["kind"], "APPLICANT");
    let again = desk.act(&applicant(), "resubmitMatter", plain(&matter, "a")).await;
    assert_eq!(again["state"], "RECEIVED", "{again}");
    let why = on(&matter, "w", json!({ "reason": "不办了" }));
    let withdrawn = desk.act(&applicant(), "withdrawMatter", why).await;
    assert_eq!(withdrawn["state"], "WITHDRAWN", "{withdrawn}");
}

#[tokio::test]
async fn a_granted_license_is_made_delivered_and_may_be_revoked_later() {
    let desk = Desk::open().await;
    let matter = accepted(&desk).await;
    let early = desk.refused(&clerk(), "recordDelivery", plain(&matter, "early")).await;
    assert_eq!(early["code"], "WRONG_STATE", "{early}");
    desk.complete(&approver(), "DECIDE").await;
    let made = desk.act(&clerk(), "recordLicenseMade", plain(&matter, "m")).await;
    assert_eq!(made["licenseMadeAt"], "2026-03-02T09:00:00+08:00", "{made}");
    let delivered = desk.act(&clerk(), "recordDelivery", plain(&matter, "d")).await;
    assert_eq!(delivered["deliveredAt"], "2026-03-02T09:00:00+08:00", "{delivered}");
    let why = on(
        &matter,
        "v",
        json!({ "reason": "以欺骗手段取得", "documentNo": "十城管撤〔2026〕1号" }),
    );
    let revoked = desk.act(&head(), "revokeDecision", why).await;
    assert_eq!(revoked["state"], "REVOKED", "{revoked}");
    assert_eq!(revoked["revocation"]["documentNo"], "十城管撤〔2026〕1号");
}

#[tokio::test]
async fn a_matter_is_terminated_with_its_reason_and_never_forwarded_without_a_higher_office() {
    let desk = Desk::open().await;
    let matter = accepted(&desk).await;
    let up = desk.refused(&approver(), "forwardMatter", plain(&matter, "u")).await;
    assert_eq!(up["rule"], "NO_HIGHER_OFFICE", "{up}");
    let silent = on(&matter, "s", json!({ "reason": " " }));
    let silent = desk.refused(&approver(), "terminateMatter", silent).await;
    assert_eq!(silent["code"], "INVALID_INPUT", "{silent}");
    let why = on(&matter, "t", json!({ "reason": "申请人死亡" }));
    let ended = desk.act(&colleague(), "terminateMatter", why).await;
    assert_eq!(ended["state"], "TERMINATED", "{ended}");
}

/// After the decision of the higher office nothing said any more that the matter had been there.
#[tokio::test]
async fn a_matter_that_went_up_tells_when_also_after_the_higher_office_has_decided() {
    const HANDLE: &str = r#"fn handle(m) {
        grant(decide("tax.approver", #{ title: "清税审查" }))
    }"#;
    let reviewed =
        tax::matter(HANDLE).replace("limit: #{", r#"limit: #{ first_review: "5 working days","#);
    let desk = tax::desk(&reviewed, None).await;
    let case = desk.clearance("start").await;
    let matter = matter_id(&case, 1);
    desk.advance("2026-03-05T15:00:00+08:00").await;
    let up = on(&matter, "up", json!({ "opinion": "初审同意", "to": "示例市税务局" }));
    let forwarded = desk.act(&tax::officer(), "forwardMatter", up).await;
    assert_eq!(forwarded["state"], "FORWARDED_UP", "{forwarded}");
    desk.complete(&tax::officer(), "DECIDE").await;
    let query = "... on CaseMatter { state forwardedAt documents { kind } }";
    let seen = desk.until(&matter, (query, |matter| matter["state"] == "GRANTED")).await;
    assert_eq!(seen["forwardedAt"], "2026-03-05T15:00:00+08:00", "{seen}");
    let notes = seen["documents"].as_array().unwrap().iter();
    assert_eq!(notes.filter(|note| note["kind"] == "FORWARDING").count(), 1, "{seen}");
}

#[tokio::test]
async fn an_act_that_saw_an_older_form_is_a_conflict() {
    let desk = Desk::open().await;
    let matter = received(&desk).await;
    let stale = on(&matter, "s", json!({ "seen": { "form": 9, "materials": 0 } }));
    let stale = desk.refused(&clerk(), "acceptMatter", stale).await;
    assert_eq!(stale["__typename"], "VersionConflict", "{stale}");
    assert!(stale["currentVersion"].is_u64(), "{stale}");
}

#[tokio::test]
async fn a_silent_office_has_accepted_and_only_a_timely_notice_undoes_it() {
    let desk = Desk::open().await;
    let matter = received(&desk).await;
    desk.advance("2026-03-10T09:00:00+08:00").await;
    let read = "... on CaseMatter { state isDeemedAccepted }";
    let deemed = desk.until(&matter, (read, |node| node["state"] == "ACCEPTED")).await;
    assert_eq!(deemed["isDeemedAccepted"], true, "{deemed}");
    let proof = |served: &str| {
        json!({ "documentNo": "十城管补〔2026〕7号", "materials": ["sketch"],
        "text": "效果图缺尺寸", "servedAt": served })
    };
    let late = on(&matter, "l", proof("2026-03-10T08:00:00+08:00"));
    let late = desk.refused(&approver(), "rebutDeemedAcceptance", late).await;
    assert_eq!(late["rule"], "NOTICE_NOT_TIMELY", "{late}");
    let timely = on(&matter, "t", proof("2026-03-05T10:00:00+08:00"));
    let undone = desk.act(&approver(), "rebutDeemedAcceptance", timely).await;
    assert_eq!(undone["state"], "CORRECTION_PENDING", "{undone}");
    assert_eq!(undone["isDeemedAccepted"], false);
}
