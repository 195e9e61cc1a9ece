//! What goes wrong, as those who answer for it see it and end it.

mod ways;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value as Json, json};
use tongban_core::agency::{
    AgencyReply, Call, CallContext, DocumentRef, Effect, Fault, FaultClass, Invoked, Queried,
    ReplyBody,
};
use tongban_core::digest::Digest;
use tongban_core::port::{Connector, Later};
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};

use super::desk::{Desk, applicant, matter_id};
use super::tax::{self, Agency, head, integrator, officer};

const HANDLE: &str = r#"fn handle(m) {
    compensate_with("tax.release", #{});
    let held = ask("tax.hold", #{});
    let seen = receive("visit");
    grant(ask("tax.clearance", #{ visit: seen }))
}
"#;

/// An agency that refuses `hold` until it is mended, and completes the rest.
#[derive(Default)]
struct Office(AtomicBool);

impl Office {
    fn completes(call: &Call) -> AgencyReply {
        let output = Value::of([("operation", call.operation.as_str().into())]);
        let digest = Digest::of(call.operation.as_bytes());
        let (role, number) = ("certificate".to_owned(), "QS-7".to_owned());
        let documents = vec![DocumentRef { role, number, digest }];
        let body = ReplyBody::Completed { output, documents };
        AgencyReply { call: call.id, seq: 1, digest, at: Moment::default(), body }
    }

    fn mend(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Connector for Office {
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(async move {
            if call.operation != "hold" || self.0.load(Ordering::SeqCst) {
                return Ok(Invoked::Replied(Self::completes(call)));
            }
            Err(Fault {
                class: FaultClass::Refused,
                effect: Effect::None,
                code: "not_open".to_owned(),
                retry_after: None,
                text: "系统未对接".to_owned(),
            })
        })
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(async move {
            if self.0.load(Ordering::SeqCst) {
                return Ok(Queried::Known(Self::completes(call)));
            }
            Ok(Queried::UnknownFenced)
        })
    }
}

fn admin() -> Viewer {
    Viewer::new("admin-1", Role::SystemAdmin).within("420300")
}

fn clerk() -> Viewer {
    Viewer::new("clerk-1", Role::WindowClerk).within("420302")
}

/// Opens a desk whose tax office refuses what it is asked.
async fn desk() -> (Desk, Arc<Office>) {
    let office = Arc::new(Office::default());
    let agency = Agency::of(Arc::clone(&office) as _);
    (tax::desk(&tax::matter(HANDLE), Some(agency)).await, office)
}

const LIST: &str = "query($filter: IncidentFilterInput) { incidents(filter: $filter, first: 50) {
    totalCount { value exact } nodes { id kind kindLabel stage message(lang: EN) raisedAt
      case { id number } caseMatter { code } call { request target connector }
      ways { way takesTwo } proposal { way by reason request output } } } }";
const SETTLED: &str =
    "incident { id stage ways { way } proposal { by way } end { way by reason } } case { id }";

impl Desk {
    /// Files a case and waits until its matter is stopped by an incident.
    async fn stuck(&self, key: &str) -> String {
        let case = self.clearance(key).await;
        let raised = |case: &Json| case["incidents"] == 1;
        self.until(&case, ("... on Case { incidents }", raised)).await;
        case
    }

    async fn listed(&self, who: &Viewer, filter: Json) -> Vec<Json> {
        let found = self.data(who, LIST, json!({ "filter": filter })).await["incidents"].clone();
        let nodes = found["nodes"].as_array().unwrap().clone();
        let count = json!({ "value": nodes.len(), "exact": true });
        assert_eq!(found["totalCount"], count, "a count tells of nothing that the list hides");
        nodes
    }
}

fn settling(incident: &Json, way: &Json, key: &str) -> Json {
    json!({ "incidentId": incident["id"], "way": way, "reason": "已电话核实", "idempotencyKey": key })
}

/// Tells whether a matter has come as far as waiting for its visit.
const MAILBOX: &str =
    "... on Case { stateLabel matters { state stopped { undone reason } paused { by reason }
    waitingOn { nextStep(lang: EN) } messages { channel taken } } incidentList { stage } }";

#[tokio::test]
async fn an_incident_is_shown_to_those_who_answer_for_it_and_to_nobody_else() {
    let (desk, _) = desk().await;
    let case = desk.stuck("a").await;
    for who in [admin(), head(), officer(), Viewer::new("s", Role::Supervisor).within("420300")] {
        let nodes = desk.listed(&who, json!(null)).await;
        assert_eq!(nodes.len(), 1, "{who:?}");
        assert_eq!(
            (&nodes[0]["kind"], &nodes[0]["case"]["id"]),
            (&json!("CALL_FAILED"), &json!(case))
        );
    }
    let strangers = [
        applicant(),
        clerk(),
        Viewer::new("i", Role::Integrator),
        Viewer::new("a", Role::Approver).within("420300").of("transport"),
        Viewer::new("x", Role::SystemAdmin).within("420600"),
    ];
    let incident = desk.listed(&admin(), json!(null)).await.remove(0);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    for who in strangers {
        assert_eq!(desk.listed(&who, json!(null)).await, Vec::<Json>::new(), "{who:?}");
        let seen = desk.data(&who, node, json!({ "id": incident["id"] })).await;
        assert_eq!(seen["node"], Json::Null, "{who:?}");
        let input = settling(&incident, &json!({ "plain": "RETRY" }), "stranger");
        let refused = desk.refused(&who, "settleIncident", input).await;
        assert_eq!(refused["code"], "NOT_FOUND", "{who:?}: {refused}");
    }
    assert_eq!(
        (&incident["kindLabel"], &incident["call"]["target"], &incident["call"]["connector"]),
        (&json!("调用未成功"), &json!("tax.hold"), &json!("tax"))
    );
    let ways = |of: &Json| -> Vec<String> {
        let ways = of["ways"].as_array().unwrap().iter();
        ways.map(|way| way["way"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ways(&incident), ["RETRY"], "an admin takes technical ways only");
    let officers = desk.listed(&officer(), json!(null)).await.remove(0);
    assert_eq!(ways(&officers), ["OVERRIDE", "SKIP"]);
    let heads = desk.listed(&head(), json!(null)).await.remove(0);
    assert_eq!(ways(&heads), ["RETRY", "OVERRIDE", "SKIP", "CANCEL"]);
    for (filter, count) in [
        (json!({ "kind": "CALL_FAILED", "region": "420302", "serviceCode": "tax-clearance" }), 1),
        (json!({ "stage": "OPEN", "since": "2026-03-02T08:00:00+08:00" }), 1),
        (json!({ "matterCode": "clearance", "region": "420000" }), 1),
        (json!({ "kind": "SCRIPT_FAILED" }), 0),
        (json!({ "stage": "PROPOSED" }), 0),
        (json!({ "region": "420303" }), 0),
        (json!({ "serviceCode": "shop-opening" }), 0),
        (json!({ "since": "2026-03-02T10:00:00+08:00" }), 0),
    ] {
        assert_eq!(desk.listed(&head(), filter.clone()).await.len(), count, "{filter}");
    }
}

#[tokio::test]
async fn a_call_that_failed_is_retried_once_the_agency_is_mended() {
    let (desk, office) = desk().await;
    let case = desk.stuck("a").await;
    let incident = desk.listed(&admin(), json!(null)).await.remove(0);
    let silent = json!({ "incidentId": incident["id"], "way": { "plain": "RETRY" }, "reason": " ",
        "idempotencyKey": "silent" });
    let refused = desk.refused(&admin(), "settleIncident", silent).await;
    assert_eq!((&refused["code"], &refused["path"]), (&json!("INVALID_INPUT"), &json!(["reason"])));
    office.mend();
    let input = settling(&incident, &json!({ "plain": "RETRY" }), "retry");
    let done = desk.mutate(&admin(), "settleIncident", (input.clone(), SETTLED)).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    assert_eq!(done["incident"]["stage"], "SETTLED");
    assert_eq!(
        done["incident"]["end"],
        json!({ "way": "RETRY", "by": "admin-1", "reason": "已电话核实" })
    );
    assert_eq!(done["incident"]["ways"], json!([]));
    let again = desk.mutate(&admin(), "settleIncident", (input, SETTLED)).await;
    assert_eq!((&again["replayed"], &again["errors"]), (&json!(true), &json!([])), "{again}");
    let input = settling(&incident, &json!({ "plain": "RETRY" }), "late");
    let late = desk.refused(&admin(), "settleIncident", input).await;
    assert_eq!(late["rule"], "INCIDENT_SETTLED", "{late}");
    let message = json!({ "caseMatterId": matter_id(&case, 1), "channel": "visit",
        "body": { "seen": true }, "idempotencyKey": "visit" });
    let sent = desk.mutate(&clerk(), "sendMessage", (message, "case { id }")).await;
    assert_eq!(sent["errors"], json!([]), "{sent}");
    let granted = |case: &Json| case["matters"][0]["state"] == "GRANTED";
    desk.until(&case, (MAILBOX, granted)).await;
}

#[tokio::test]
async fn a_result_is_overridden_by_the_word_of_two_persons_and_not_of_one() {
    let (desk, _) = desk().await;
    let case = desk.stuck("a").await;
    let incident = desk.listed(&head(), json!(null)).await.remove(0);
    let way = |text: &str| json!({ "override": { "with": { "output": { "held": text } } } });
    let refused =
        desk.refused(&admin(), "settleIncident", settling(&incident, &way("yes"), "admin")).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "no admin speaks for an agency: {refused}");
    let first = settling(&incident, &way("yes"), "first");
    let first = desk.mutate(&officer(), "settleIncident", (first, SETTLED)).await;
    assert_eq!(first["incident"]["stage"], "PROPOSED", "{first}");
    assert_eq!(first["incident"]["proposal"], json!({ "by": "tax-1", "way": "OVERRIDE" }));
    let alone = settling(&incident, &way("yes"), "alone");
    let alone = desk.refused(&officer(), "settleIncident", alone).await;
    assert_eq!(alone["code"], "NOT_PERMITTED", "{alone}");
    let proposed = desk.listed(&head(), json!({ "stage": "PROPOSED" })).await.remove(0);
    assert_eq!(proposed["proposal"]["output"], json!({ "held": "yes" }), "{proposed}");
    assert_eq!(proposed["proposal"]["request"], proposed["call"]["request"]);
    let other = settling(&incident, &way("no"), "other");
    let other = desk.mutate(&head(), "settleIncident", (other, SETTLED)).await;
    assert_eq!(other["incident"]["stage"], "PROPOSED", "another word is another proposal: {other}");
    let second = settling(&incident, &way("no"), "second");
    let second = desk.mutate(&officer(), "settleIncident", (second, SETTLED)).await;
    assert_eq!(second["incident"]["stage"], "SETTLED", "{second}");
    let waits = |case: &Json| case["matters"][0]["waitingOn"]["nextStep"] != Json::Null;
    desk.until(&case, (MAILBOX, waits)).await;
}

#[tokio::test]
async fn many_incidents_are_settled_at_once_when_they_are_as_many_as_were_seen() {
    let (desk, office) = desk().await;
    for key in ["a", "b"] {
        desk.stuck(key).await;
    }
    office.mend();
    let many = |count: u32, way: Json, key: &str| {
        json!({ "filter": { "kind": "CALL_FAILED" }, "expectedCount": count, "way": way,
            "reason": "对方系统已恢复", "idempotencyKey": key })
    };
    let select = "results { incidentId done incident { stage } errors { ... on UserError { code } } } doneCount failedCount";
    let retry = json!({ "plain": "RETRY" });
    let moved = many(3, retry.clone(), "moved");
    let moved = desk.mutate(&admin(), "settleIncidents", (moved, select)).await;
    assert_eq!(moved["errors"][0]["path"], json!(["expectedCount"]), "{moved}");
    assert_eq!((&moved["results"], &moved["doneCount"]), (&json!([]), &json!(0)));
    let way = json!({ "override": { "with": { "output": {} } } });
    let one_by_one = desk.mutate(&head(), "settleIncidents", (many(2, way, "o"), select)).await;
    assert_eq!(one_by_one["errors"][0]["path"], json!(["way"]), "{one_by_one}");
    let cancel = many(2, json!({ "plain": "CANCEL" }), "cancel");
    let refused = desk.mutate(&admin(), "settleIncidents", (cancel, select)).await;
    assert_eq!((&refused["doneCount"], &refused["failedCount"]), (&json!(0), &json!(2)));
    assert_eq!(refused["results"][0]["errors"][0]["code"], "NOT_PERMITTED", "{refused}");
    let all = many(2, retry, "do");
    let done = desk.mutate(&admin(), "settleIncidents", (all.clone(), select)).await;
    assert_eq!((&done["doneCount"], &done["failedCount"]), (&json!(2), &json!(0)), "{done}");
    assert_eq!(desk.listed(&admin(), json!(null)).await, Vec::<Json>::new());
    let again = desk.mutate(&admin(), "settleIncidents", (all.clone(), select)).await;
    assert_eq!((&again["errors"], &again["results"]), (&json!([]), &done["results"]), "{again}");
    assert_eq!((&done["replayed"], &again["replayed"]), (&json!(false), &json!(true)));
    let mut other = all;
    other["reason"] = json!("另一理由");
    let other = desk.mutate(&admin(), "settleIncidents", (other, select)).await;
    assert_eq!(other["errors"][0]["code"], "IDEMPOTENCY_KEY_REUSED", "{other}");
}

#[tokio::test]
async fn paused_scripts_stand_still_until_they_are_resumed() {
    let (desk, office) = desk().await;
    let case = desk.stuck("a").await;
    office.mend();
    let input = |key: &str| json!({ "caseId": case, "reason": "系统升级", "idempotencyKey": key });
    let select = "case { paused { by reason } matters { paused { by } } }";
    let refused = desk.refused(&clerk(), "pauseScripts", input("clerk")).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "{refused}");
    let paused = desk.mutate(&admin(), "pauseScripts", (input("pause"), select)).await;
    assert_eq!(
        paused["case"]["paused"],
        json!({ "by": "admin-1", "reason": "系统升级" }),
        "{paused}"
    );
    assert_eq!(paused["case"]["matters"][0]["paused"]["by"], "admin-1", "the whole case stands");
    let twice = desk.refused(&admin(), "pauseScripts", input("twice")).await;
    assert_eq!(twice["rule"], "ALREADY_PAUSED", "{twice}");
    let query = "query($id: ID!) { case(by: { id: $id }) { paused { by } scriptVersion } }";
    let hidden = desk.data(&applicant(), query, json!({ "id": case })).await;
    assert_eq!(hidden["case"], json!({ "paused": null, "scriptVersion": null }));
    let mut foreign = input("foreign");
    foreign["caseMatterId"] = json!(matter_id("case_01ARZ3NDEKTSV4RRFFQ69G5FAV", 1));
    let foreign = desk.refused(&admin(), "resumeScripts", foreign).await;
    assert_eq!(foreign["path"], json!(["caseMatterId"]), "{foreign}");
    let resumed = desk.mutate(&admin(), "resumeScripts", (input("resume"), select)).await;
    assert_eq!(resumed["case"]["paused"], Json::Null, "{resumed}");
}

#[tokio::test]
async fn a_script_that_is_stopped_undoes_what_it_registered() {
    let (desk, office) = desk().await;
    let case = desk.stuck("a").await;
    office.mend();
    let incident = desk.listed(&head(), json!(null)).await.remove(0);
    let retry = settling(&incident, &json!({ "plain": "RETRY" }), "retry");
    desk.mutate(&head(), "settleIncident", (retry, SETTLED)).await;
    let quiet = |case: &Json| case["incidentList"][0]["stage"] == "SETTLED";
    desk.until(&case, (MAILBOX, quiet)).await;
    let input = json!({ "caseMatterId": matter_id(&case, 1), "reason": "申请人已注销",
        "idempotencyKey": "cancel" });
    let refused = desk.refused(&admin(), "cancelScripts", input.clone()).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "stopping is the department's: {refused}");
    let done = desk.mutate(&head(), "cancelScripts", (input, "case { id }")).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    let undone = |case: &Json| case["matters"][0]["stopped"]["undone"] == true;
    let case = desk.until(&case, (MAILBOX, undone)).await;
    assert_eq!(case["matters"][0]["stopped"]["reason"], "申请人已注销");
}

#[tokio::test]
async fn a_message_waits_in_the_mailbox_until_the_script_asks_for_it() {
    let (desk, office) = desk().await;
    let case = desk.stuck("a").await;
    let message = |channel: &str, key: &str| {
        json!({ "caseMatterId": matter_id(&case, 1), "channel": channel,
            "body": { "phone": "13800000000" }, "handling": "REQUIRED", "idempotencyKey": key })
    };
    let refused = desk.refused(&admin(), "sendMessage", message("visit", "admin")).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "{refused}");
    let refused = desk.refused(&clerk(), "sendMessage", message(&"x".repeat(65), "long")).await;
    assert_eq!(refused["code"], "INVALID_INPUT", "{refused}");
    let select = "case { matters { messages(waiting: true) { channel handling taken } } }";
    let sent = desk.mutate(&clerk(), "sendMessage", (message("visit", "one"), select)).await;
    assert_eq!(
        sent["case"]["matters"][0]["messages"],
        json!([{ "channel": "visit", "handling": "REQUIRED", "taken": false }])
    );
    let query = "query($id: ID!) { case(by: { id: $id }) { matters { messages { channel } } } }";
    let hidden = desk.data(&admin(), query, json!({ "id": case })).await;
    assert_eq!(hidden["case"]["matters"][0]["messages"], Json::Null, "an admin reads no mail");
    office.mend();
    let incident = desk.listed(&head(), json!(null)).await.remove(0);
    let retry = settling(&incident, &json!({ "plain": "RETRY" }), "retry");
    desk.mutate(&head(), "settleIncident", (retry, SETTLED)).await;
    let granted = |case: &Json| case["matters"][0]["state"] == "GRANTED";
    desk.until(&case, (MAILBOX, granted)).await;
}

#[tokio::test]
async fn a_case_is_moved_to_a_version_that_replays_its_log_and_to_no_other() {
    let (desk, _) = desk().await;
    let case = desk.stuck("a").await;
    let matter = tax::matter(HANDLE);
    let other = desk.publish(&matter.replace("tax.hold", "tax.lock")).await;
    let later = desk.publish(&matter.replace("tax.clearance\", #{", "tax.clear\", #{")).await;
    let to = |version: &str, key: &str| json!({ "caseId": case, "version": version, "reason": "修正脚本", "idempotencyKey": key });
    let unknown = desk.refused(&admin(), "rebindCase", to(&"0".repeat(64), "u")).await;
    assert_eq!(unknown["code"], "NOT_FOUND", "{unknown}");
    let diverges = desk.refused(&admin(), "rebindCase", to(&other, "d")).await;
    assert_eq!(diverges["rule"], "DRY_RUN_FAILED", "{diverges}");
    let refused = desk.refused(&officer(), "rebindCase", to(&later, "o")).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "{refused}");
    let done =
        desk.mutate(&admin(), "rebindCase", (to(&later, "r"), "case { scriptVersion }")).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    assert_eq!(done["case"]["scriptVersion"], json!(later));
}

#[tokio::test]
async fn live_cases_are_moved_together_and_those_that_diverge_stay_and_are_named() {
    let (desk, _) = desk().await;
    for key in ["a", "b"] {
        desk.stuck(key).await;
    }
    let matter = tax::matter(HANDLE);
    let other = desk.publish(&matter.replace("tax.hold", "tax.lock")).await;
    let later = desk.publish(&matter.replace("tax.clearance\", #{", "tax.clear\", #{")).await;
    let document = "mutation($input: RebindCasesInput!) { rebindCases(input: $input) {
        results { caseId number outcome matters { outcome provenUpTo request } }
        pageInfo { hasNextPage endCursor }
        errors { __typename ... on UserError { code path } } } }";
    let move_to = async |who: &Viewer, version: &str, more: Json| {
        let mut input = json!({ "serviceCode": "tax-clearance", "version": version,
            "expectedCount": 2, "first": 50, "reason": "修正脚本", "idempotencyKey": "bulk" });
        let Json::Object(more) = more else { panic!("members of the input") };
        input.as_object_mut().unwrap().extend(more);
        desk.data(who, document, json!({ "input": input })).await["rebindCases"].clone()
    };
    let outcomes = |done: &Json| -> Vec<String> {
        let results = done["results"].as_array().unwrap().iter();
        results.map(|one| one["outcome"].as_str().unwrap().to_owned()).collect()
    };
    for who in [applicant(), officer(), integrator(), clerk()] {
        let refused = move_to(&who, &later, json!({})).await;
        assert_eq!(refused["errors"][0]["code"], "NOT_PERMITTED", "{who:?}: {refused}");
    }
    let elsewhere = move_to(&admin(), &later, json!({ "region": "420600" })).await;
    assert_eq!(elsewhere["errors"][0]["path"], json!(["region"]), "{elsewhere}");
    let silent = move_to(&admin(), &later, json!({ "reason": " " })).await;
    assert_eq!(silent["errors"][0]["path"], json!(["reason"]), "{silent}");
    let moved = json!({ "expectedCount": 3, "idempotencyKey": "three" });
    let moved = move_to(&admin(), &later, moved).await;
    assert_eq!(moved["errors"][0]["path"], json!(["expectedCount"]), "{moved}");
    let diverge = move_to(&admin(), &other, json!({ "idempotencyKey": "o" })).await;
    assert_eq!(outcomes(&diverge), ["diverges", "diverges"], "{diverge}");
    assert_eq!(diverge["results"][0]["matters"][0]["request"], "1.0#1", "{diverge}");
    let first = move_to(&admin(), &later, json!({ "first": 1 })).await;
    assert_eq!(outcomes(&first), ["rebound"], "{first}");
    let after = json!({ "after": first["pageInfo"]["endCursor"] });
    let rest = move_to(&admin(), &later, after).await;
    assert_eq!(outcomes(&rest), ["rebound"], "{rest}");
    let again = move_to(&admin(), &later, json!({})).await;
    assert_eq!(outcomes(&again), ["already", "already"], "begun again, nothing moves: {again}");
    let query = "{ audit(first: 10) { nodes { no by role act target reason prevHash hash } } }";
    let supervisor = Viewer::new("s", Role::Supervisor).within("420300");
    let log = desk.data(&supervisor, query, json!({})).await["audit"]["nodes"].clone();
    assert_eq!(log.as_array().map(Vec::len), Some(2), "once for a key: {log}");
    assert_eq!(
        (&log[0]["act"], &log[0]["by"], &log[0]["reason"]),
        (&json!("cases_rebound"), &json!("admin-1"), &json!("修正脚本"))
    );
    assert_eq!(log[1]["prevHash"], log[0]["hash"]);
    let hidden = desk.ask(&admin(), query, json!({})).await;
    assert_eq!(hidden["errors"][0]["extensions"]["code"], "FORBIDDEN", "{hidden}");
}
