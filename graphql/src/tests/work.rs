//! An application from its start to its end, through the eyes of the people who work on it.

use serde_json::json;
use tongban_core::calendar::Calendar;
use tongban_core::viewer::{Role, Viewer};

use super::desk::{COMPLETE, Desk, START, SUBMIT, applicant, approver, clerk, start_input};

const CLAIM: &str = "mutation($input: ClaimTaskInput!) { claimTask(input: $input) {
    task { id state version assignee } replayed
    errors { __typename ... on UserError { code } ... on VersionConflict { currentVersion current { version state } } } } }";

#[tokio::test]
async fn an_application_goes_from_draft_to_completed() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    desk.complete(&clerk(), "INTAKE").await;
    desk.complete(&approver(), "DECIDE").await;
    desk.complete(&clerk(), "INTAKE").await;
    let transport = Viewer::new("approver-2", Role::Approver).within("420300").of("transport");
    desk.complete(&transport, "DECIDE").await;
    let query = "query($id: ID!) { case(by: { id: $id }) { number state stateLabel en: stateLabel(lang: EN) light
        waitingOn { kind } service { title } matters { code state stateLabel light
          limit { kind period { amount unit calendar } dueAt stoppedAt usedWorkingDays }
          materials { code state } dependsOn { code } waitingOn { kind } } materials { code sha256 } } }";
    let case = desk.data(&applicant(), query, json!({ "id": id })).await["case"].clone();
    assert_eq!(case["state"], "COMPLETED_ALL", "{case}");
    assert_eq!(case["stateLabel"], "全部办结");
    assert_eq!(case["en"], "completed all");
    assert_eq!(case["light"], "BLUE");
    assert_eq!(case["waitingOn"], json!(null));
    assert_eq!(case["service"]["title"], "开店一件事");
    let matter = &case["matters"][0];
    assert_eq!(matter["state"], "GRANTED");
    assert_eq!(
        matter["limit"]["period"],
        json!({ "amount": 5, "unit": "WORKING_DAYS", "calendar": Calendar::national().version() })
    );
    assert_eq!(matter["materials"], json!([{ "code": "sketch", "state": "GIVEN" }]));
    assert_eq!(case["matters"][1]["dependsOn"], json!([{ "code": "signboard" }]));
    let by_number = desk
        .data(
            &applicant(),
            "query($n: String!) { case(by: { number: $n }) { id } }",
            json!({ "n": case["number"] }),
        )
        .await;
    assert_eq!(by_number["case"]["id"], id);
}

#[tokio::test]
async fn what_counts_time_is_null_while_a_matter_is_planned() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let query = "query($id: ID!) { case(by: { id: $id }) { waitingOn { kind party nextStep en: nextStep(lang: EN) }
        matters { state limit { dueAt } light dueAt waitingOn { kind } clocks { kind } } } }";
    let case = desk.data(&applicant(), query, json!({ "id": id })).await["case"].clone();
    assert_eq!(case["waitingOn"]["kind"], "WINDOW", "{case}");
    assert_eq!(case["waitingOn"]["party"], "urban-management.window");
    assert_eq!(case["matters"][0]["light"], "GREEN");
    assert_eq!(
        case["matters"][1],
        json!({ "state": "PLANNED", "limit": null, "light": null, "dueAt": null,
                "waitingOn": { "kind": "EARLIER_MATTERS" }, "clocks": [] })
    );
}

#[tokio::test]
async fn a_repeated_mutation_changes_nothing_and_says_so() {
    let desk = Desk::open().await;
    let input = json!({ "input": start_input("k") });
    let first = desk.data(&applicant(), START, input.clone()).await;
    let second = desk.data(&applicant(), START, input).await;
    assert_eq!(first["startCase"]["replayed"], false);
    assert_eq!(second["startCase"]["replayed"], true);
    assert_eq!(first["startCase"]["case"], second["startCase"]["case"]);
    let mut other = start_input("k");
    other["form"]["shop"] = json!("另一家店");
    let answer = desk.ask(&applicant(), START, json!({ "input": other })).await;
    let payload = &answer["data"]["startCase"];
    assert_eq!(payload["errors"][0]["code"], "IDEMPOTENCY_KEY_REUSED", "{answer}");
    assert_eq!(payload["case"], json!(null));
    assert_eq!(answer["extensions"]["userErrorCount"], 1);
}

#[tokio::test]
async fn a_stale_version_is_refused_with_the_task_as_it_is_now() {
    let desk = Desk::open().await;
    desk.submitted().await;
    let task = desk.open_task(&clerk(), "INTAKE").await;
    let input = |version: u64, key: &str| json!({ "input": { "taskId": task["id"], "expectedVersion": version, "idempotencyKey": key } });
    let version = task["version"].as_u64().unwrap();
    let claimed = desk.data(&clerk(), CLAIM, input(version, "a")).await;
    assert_eq!(claimed["claimTask"]["task"]["state"], "CLAIMED", "{claimed}");
    let stale = desk.data(&clerk(), CLAIM, input(version, "b")).await;
    let error = &stale["claimTask"]["errors"][0];
    assert_eq!(error["__typename"], "VersionConflict", "{stale}");
    assert_eq!(error["currentVersion"], version + 1);
    assert_eq!(error["current"], json!({ "version": version + 1, "state": "CLAIMED" }));
    let colleague = Viewer::new("clerk-2", Role::WindowClerk).within("420302");
    let taken = desk.data(&colleague, CLAIM, input(version + 1, "c")).await;
    assert_eq!(taken["claimTask"]["errors"][0]["__typename"], "TaskTaken", "{taken}");
    let release = "mutation($input: ReleaseTaskInput!) { releaseTask(input: $input) { task { state assignee } } }";
    let released = desk.data(&clerk(), release, input(version + 1, "d")).await;
    assert_eq!(released["releaseTask"]["task"], json!({ "state": "OPEN", "assignee": null }));
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_in_the_payload() {
    let desk = Desk::open().await;
    let mut incomplete = start_input("a");
    incomplete["form"] = json!({});
    incomplete["materials"] = json!([]);
    let started = desk.data(&applicant(), START, json!({ "input": incomplete })).await;
    let id = &started["startCase"]["case"]["id"];
    let submit = json!({ "input": { "caseId": id, "idempotencyKey": "s" } });
    let submitted = desk.data(&applicant(), SUBMIT, submit).await;
    let error = &submitted["submitCase"]["errors"][0];
    assert_eq!(error["path"][0], "form", "{submitted}");
    let code = |input: serde_json::Value| {
        let desk = &desk;
        async move {
            let answer = desk.data(&applicant(), START, json!({ "input": input })).await;
            answer["startCase"]["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
        }
    };
    let with = |member: &str, value: serde_json::Value| {
        let mut input = start_input("z");
        input[member] = value;
        input
    };
    assert_eq!(code(with("serviceCode", json!("no-such"))).await, "UNKNOWN_SERVICE");
    assert_eq!(code(with("region", json!("110101"))).await, "SERVICE_NOT_OFFERED");
    assert_eq!(code(with("form", json!([1]))).await, "INVALID_INPUT");
    assert_eq!(code(with("idempotencyKey", json!(" "))).await, "INVALID_INPUT");
    assert_eq!(
        code(with("applicant", json!({ "id": "91420302MA4DEM020N", "name": "别家" }))).await,
        "NOT_PERMITTED"
    );
}

#[tokio::test]
async fn a_completed_task_shows_its_outcome_and_a_closed_one_refuses() {
    let desk = Desk::open().await;
    desk.submitted().await;
    let done = desk.complete(&clerk(), "INTAKE").await;
    assert_eq!(done["task"]["state"], "COMPLETED");
    assert_eq!(done["task"]["outcome"]["officer"], "clerk-1");
    let input = json!({ "input": {
        "taskId": done["task"]["id"], "expectedVersion": done["task"]["version"], "granted": true,
        "opinion": "", "idempotencyKey": "again" } });
    let again = desk.data(&clerk(), COMPLETE, input).await;
    assert_eq!(again["completeTask"]["errors"][0]["__typename"], "TaskClosed", "{again}");
    let bad = json!({ "input": {
        "taskId": "tsk_x", "expectedVersion": 1, "granted": true, "idempotencyKey": "bad" } });
    let bad = desk.data(&clerk(), COMPLETE, bad).await;
    assert_eq!(bad["completeTask"]["errors"][0]["path"], json!(["taskId"]));
}

#[tokio::test]
async fn a_case_can_be_withdrawn() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let withdraw = "mutation($input: WithdrawCaseInput!) { withdrawCase(input: $input) { case { state } errors { __typename } } }";
    let input = json!({ "input": { "caseId": id, "reason": "不开了", "idempotencyKey": "w" } });
    let done = desk.data(&applicant(), withdraw, input).await;
    assert_eq!(done["withdrawCase"]["case"]["state"], "WITHDRAWN", "{done}");
}

#[tokio::test]
async fn lawful_time_moves_to_a_moment_and_lights_follow() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let advance = "mutation($input: AdvanceClockInput!) { advanceClock(input: $input) { lawfulNow replayed errors { __typename ... on UserError { code } } } }";
    let input = json!({ "input": { "until": "2026-03-20T09:00:00+08:00", "idempotencyKey": "t" } });
    let supervisor = Viewer::new("s", Role::Supervisor).within("420300");
    let refused = desk.data(&clerk(), advance, input.clone()).await;
    assert_eq!(refused["advanceClock"]["errors"][0]["code"], "NOT_PERMITTED", "{refused}");
    let moved = desk.data(&supervisor, advance, input.clone()).await;
    assert_eq!(moved["advanceClock"]["errors"], json!([]), "{moved}");
    assert_eq!(moved["advanceClock"]["lawfulNow"], "2026-03-20T09:00:00+08:00");
    let again = desk.data(&supervisor, advance, input).await;
    assert_eq!(again["advanceClock"]["replayed"], true);
    let query = "query($id: ID!) { case(by: { id: $id }) { light } serverInfo { lawfulNow clockIsVirtual } }";
    let seen = desk.data(&supervisor, query, json!({ "id": id })).await;
    assert_eq!(seen["case"]["light"], "RED", "{seen}");
    assert_eq!(seen["serverInfo"]["clockIsVirtual"], true);
}
