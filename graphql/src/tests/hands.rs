//! Tasks in people's hands: assigned, delegated, taken over, sent up, urged, half written.

use serde_json::{Value as Json, json};
use tongban_core::viewer::{Role, Viewer};

use super::desk::{Desk, applicant, approver, clerk, colleague, head, supervisor};

const TASK: &str = "task { id state role assignee assignedUntil version draft
    urged { times lastAt } candidates { subject name } }";

/// Brings a case to its decision and returns the task.
async fn deciding(desk: &Desk) -> Json {
    desk.submitted().await;
    desk.complete(&clerk(), "INTAKE").await;
    desk.open_task(&approver(), "DECIDE").await
}

fn on(task: &Json, key: &str, more: Json) -> Json {
    let Json::Object(more) = more else { panic!("the input of an act is an object") };
    let mut input =
        json!({ "taskId": task["id"], "expectedVersion": task["version"], "idempotencyKey": key });
    input.as_object_mut().unwrap().extend(more);
    input
}

async fn done(desk: &Desk, who: &tongban_core::viewer::Viewer, asked: (&str, Json)) -> Json {
    let (name, input) = asked;
    let done = desk.mutate(who, name, (input, TASK)).await;
    assert_eq!(done["errors"], json!([]), "{name}: {done}");
    done["task"].clone()
}

#[tokio::test]
async fn a_task_is_assigned_to_a_holder_for_a_while_and_falls_back() {
    let desk = Desk::open().await;
    let task = deciding(&desk).await;
    let to = |who: &str, key: &str| {
        on(&task, key, json!({ "to": who, "until": "2026-03-03T18:00:00+08:00", "reason": "培训" }))
    };
    let outsider = desk.refused(&approver(), "assignTask", to("clerk-1", "o")).await;
    assert_eq!((&outsider["code"], &outsider["path"]), (&json!("INVALID_INPUT"), &json!(["to"])));
    let foreign = desk.refused(&clerk(), "assignTask", to("approver-3", "f")).await;
    assert_eq!(foreign["code"], "NOT_PERMITTED", "{foreign}");
    let given = done(&desk, &approver(), ("assignTask", to("approver-3", "a"))).await;
    assert_eq!(
        (&given["assignee"], &given["assignedUntil"]),
        (&json!("approver-3"), &json!("2026-03-03T18:00:00+08:00"))
    );
    let names: Vec<&Json> =
        given["candidates"].as_array().unwrap().iter().map(|one| &one["subject"]).collect();
    assert_eq!(names, [&json!("approver-1"), &json!("approver-3")]);
    let stale = desk.refused(&colleague(), "assignTask", to("approver-1", "s")).await;
    assert_eq!(stale["__typename"], "VersionConflict", "{stale}");
    let taken = on(&given, "t", json!({ "to": "head-1" }));
    let taken = desk.refused(&approver(), "assignTask", taken).await;
    assert_eq!(taken["code"], "TASK_TAKEN", "{taken}");
    desk.advance("2026-03-04T09:00:00+08:00").await;
    let query =
        "query($id: ID!) { node(id: $id) { ... on Task { assignee assignedUntil state } } }";
    let node = desk.data(&approver(), query, json!({ "id": task["id"] })).await["node"].clone();
    assert_eq!(node, json!({ "assignee": null, "assignedUntil": null, "state": "OPEN" }));
    let listed = desk.open_task(&approver(), "DECIDE").await;
    assert_eq!((&listed["assignee"], &listed["state"]), (&json!(null), &json!("OPEN")));
    let mine = "{ queue(view: MINE, first: 10) { nodes { id } } }";
    let mine = desk.data(&colleague(), mine, json!({})).await;
    assert_eq!(mine["queue"]["nodes"], json!([]), "a delegation that has lapsed is nobody's");
    let claimed = done(&desk, &approver(), ("claimTask", on(&given, "c", json!({})))).await;
    assert_eq!(claimed["assignee"], "approver-1", "{claimed}");
}

#[tokio::test]
async fn a_draft_is_for_its_holder_alone_and_changes_no_version() {
    let desk = Desk::open().await;
    let task = deciding(&desk).await;
    let claimed = on(&task, "c", json!({}));
    let claimed = done(&desk, &approver(), ("claimTask", claimed)).await;
    let draft = json!({ "draft": { "opinion": "拟同意,待核尺寸" } });
    let saved = done(&desk, &approver(), ("saveDraft", on(&claimed, "d", draft.clone()))).await;
    assert_eq!(saved["draft"], draft["draft"], "{saved}");
    assert_eq!(saved["version"], claimed["version"]);
    let query = "query($id: ID!) { node(id: $id) { ... on Task { draft assignee } } }";
    for other in [head(), supervisor(), clerk()] {
        let node = desk.data(&other, query, json!({ "id": task["id"] })).await["node"].clone();
        assert_eq!(node["draft"], json!(null), "{other:?}: {node}");
    }
    let hidden = desk.data(&applicant(), query, json!({ "id": task["id"] })).await;
    assert_eq!(hidden["node"], json!(null));
    let foreign = desk.refused(&head(), "saveDraft", on(&claimed, "f", draft)).await;
    assert_eq!(foreign["code"], "TASK_TAKEN", "{foreign}");
    let bad =
        desk.refused(&approver(), "saveDraft", on(&claimed, "b", json!({ "draft": [1] }))).await;
    assert_eq!(bad["path"], json!(["draft"]), "{bad}");
}

#[tokio::test]
async fn a_task_goes_up_within_its_department() {
    let desk = Desk::open().await;
    let task = deciding(&desk).await;
    let up = |role: &str, reason: &str, key: &str| {
        on(&task, key, json!({ "toRole": role, "reason": reason }))
    };
    for (role, reason, path) in
        [("transport.head", "疑难", "toRole"), ("urban-management.head", " ", "reason")]
    {
        let refused = desk.refused(&approver(), "escalateTask", up(role, reason, role)).await;
        assert_eq!(refused["code"], "INVALID_INPUT", "{path}: {refused}");
    }
    let risen =
        done(&desk, &approver(), ("escalateTask", up("urban-management.head", "疑难", "e"))).await;
    assert_eq!(risen["role"], "urban-management.head", "{risen}");
    assert_eq!(risen["candidates"], json!([{ "subject": "head-1", "name": "示例丁" }]));
    desk.complete(&head(), "DECIDE").await;
}

#[tokio::test]
async fn a_task_is_urged_by_those_who_wait_and_not_by_those_who_hold_it() {
    let desk = Desk::open().await;
    let task = deciding(&desk).await;
    let urge = |reason: &str, key: &str| json!({ "taskId": task["id"], "reason": reason, "idempotencyKey": key });
    let silent = desk.refused(&supervisor(), "urgeTask", urge("", "s")).await;
    assert_eq!(silent["path"], json!(["reason"]), "{silent}");
    let urged = done(&desk, &supervisor(), ("urgeTask", urge("请尽快办理", "u"))).await;
    assert_eq!(urged["urged"]["times"], 1, "{urged}");
    let twice = done(&desk, &clerk(), ("urgeTask", urge("请尽快办理", "u2"))).await;
    assert_eq!(twice["urged"]["times"], 2, "{twice}");
}

#[tokio::test]
async fn who_stands_in_takes_over_what_an_absent_colleague_holds() {
    let desk = Desk::open().await;
    let task = deciding(&desk).await;
    done(&desk, &approver(), ("claimTask", on(&task, "c", json!({})))).await;
    let case = task["case"]["id"].clone();
    let take = |from: &str, reason: &str, key: &str| json!({ "caseId": case, "from": from, "reason": reason, "idempotencyKey": key });
    let silent = desk.refused(&colleague(), "takeOverTasks", take("approver-1", "", "s")).await;
    assert_eq!(silent["path"], json!(["reason"]), "{silent}");
    let nothing =
        desk.refused(&colleague(), "takeOverTasks", take("approver-9", "请假", "n")).await;
    assert_eq!(nothing["code"], "NOT_PERMITTED", "{nothing}");
    let select = "case { tasks(open: true) { assignee } }";
    let taken =
        desk.mutate(&colleague(), "takeOverTasks", (take("approver-1", "请假", "t"), select)).await;
    assert_eq!(taken["errors"], json!([]), "{taken}");
    assert_eq!(taken["case"]["tasks"], json!([{ "assignee": "approver-3" }]));
}

#[tokio::test]
async fn a_decision_that_saw_older_materials_is_a_conflict() {
    let desk = Desk::open().await;
    let task = deciding(&desk).await;
    let more =
        json!({ "granted": true, "opinion": "同意", "seen": { "materials": 77, "form": 1 } });
    let stale = desk.refused(&approver(), "completeTask", on(&task, "s", more)).await;
    assert_eq!(stale["__typename"], "VersionConflict", "{stale}");
    let query = "query($id: ID!) { node(id: $id) { ... on Task { caseMatter { materialsVersion } case { formVersion } } } }";
    let node = desk.data(&approver(), query, json!({ "id": task["id"] })).await["node"].clone();
    let seen = json!({ "materials": node["caseMatter"]["materialsVersion"], "form": node["case"]["formVersion"] });
    let more = json!({ "granted": true, "opinion": "同意", "seen": seen });
    let decided = done(&desk, &approver(), ("completeTask", on(&task, "d", more))).await;
    assert_eq!(decided["state"], "COMPLETED", "{decided}");
}

#[tokio::test]
async fn an_applicant_urges_his_case_once_a_working_day_and_learns_nothing_of_tasks() {
    let desk = Desk::open().await;
    let case = desk.submitted().await;
    let urge = |reason: &str, key: &str| json!({ "caseId": case, "reason": reason, "idempotencyKey": key });
    let silent = desk.refused(&applicant(), "urgeCase", urge(" ", "a")).await;
    assert_eq!(silent["path"], json!(["reason"]), "{silent}");
    let foreign = desk.refused(&approver(), "urgeCase", urge("快", "b")).await;
    assert_eq!(foreign["code"], "NOT_PERMITTED", "{foreign}");
    let stranger = Viewer::new("p", Role::Applicant).for_party("91420302MA4DEM020N");
    let unseen = desk.refused(&stranger, "urgeCase", urge("快", "c")).await;
    assert_eq!(unseen["code"], "NOT_FOUND", "{unseen}");
    let select = "case { tasks { id } matters { code urged { times lastAt } } }";
    let done = desk.mutate(&applicant(), "urgeCase", (urge("等了三天", "d"), select)).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    assert_eq!(done["case"]["tasks"], json!([]), "an applicant sees only what asks him");
    let first = &done["case"]["matters"][0];
    assert_eq!(first["urged"]["times"], 1, "{done}");
    assert_eq!(done["case"]["matters"][1]["urged"], json!(null), "it waits for the first");
    let replayed = desk.mutate(&applicant(), "urgeCase", (urge("等了三天", "d"), select)).await;
    assert_eq!(replayed["replayed"], true, "{replayed}");
    let again = desk.refused(&applicant(), "urgeCase", urge("再快", "e")).await;
    assert_eq!(again["rule"], "URGED_BEFORE", "{again}");
    let task = desk.open_task(&clerk(), "INTAKE").await;
    let query = "query($id: ID!) { node(id: $id) { ... on Task { urged { times } } } }";
    let node = desk.data(&clerk(), query, json!({ "id": task["id"] })).await["node"].clone();
    assert_eq!(node["urged"]["times"], 1, "who holds it sees it");
    let query =
        "query($id: ID!) { case(by: { id: $id }) { events(first: 100) { nodes { kind text } } } }";
    let read = desk.data(&clerk(), query, json!({ "id": case })).await;
    let events = read["case"]["events"]["nodes"].as_array().unwrap().clone();
    assert!(events.iter().any(|event| event["kind"] == "matter_urged"), "{events:?}");
    desk.advance("2026-03-03T09:00:00+08:00").await;
    let done = desk.mutate(&applicant(), "urgeCase", (urge("又一天", "f"), select)).await;
    assert_eq!(done["case"]["matters"][0]["urged"]["times"], 2, "{done}");
}
