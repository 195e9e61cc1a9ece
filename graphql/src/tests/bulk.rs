//! Many tasks in one request: each item stands for itself.

use serde_json::{Value as Json, json};

use super::desk::{Desk, QUEUE, START, SUBMIT, applicant, clerk, start_input, supervisor};

const ITEMS: &str = "results { taskId done replayed task { state assignee urged { times } }
    errors { __typename ... on UserError { code path } } } doneCount failedCount";

/// Submits so many cases and returns the intake tasks.
async fn intakes(desk: &Desk, count: usize) -> Vec<Json> {
    for no in 0..count {
        let started = desk
            .data(&applicant(), START, json!({ "input": start_input(&format!("s{no}")) }))
            .await;
        let case = &started["startCase"]["case"]["id"];
        let input = json!({ "caseId": case, "idempotencyKey": format!("u{no}") });
        desk.data(&applicant(), SUBMIT, json!({ "input": input })).await;
    }
    let queue = desk.data(&clerk(), QUEUE, json!({})).await;
    queue["queue"]["nodes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn one_stale_item_of_a_list_leaves_the_others_claimed() {
    let desk = Desk::open().await;
    let tasks = intakes(&desk, 3).await;
    let item = |task: &Json, more: u64| json!({ "taskId": task["id"], "expectedVersion": task["version"].as_u64().unwrap() + more });
    let items = json!([item(&tasks[0], 0), item(&tasks[1], 7), { "taskId": "tsk_x", "expectedVersion": 1 }, item(&tasks[2], 0)]);
    let input = json!({ "items": items, "idempotencyKey": "k".repeat(128) });
    let done = desk.mutate(&clerk(), "claimTasks", (input.clone(), ITEMS)).await;
    assert_eq!((&done["doneCount"], &done["failedCount"]), (&json!(2), &json!(2)), "{done}");
    let results = done["results"].as_array().unwrap();
    assert_eq!(results[0]["task"]["assignee"], "clerk-1");
    assert_eq!(results[1]["errors"][0]["__typename"], "VersionConflict", "{done}");
    assert_eq!(results[2]["errors"][0]["path"], json!(["taskId"]), "{done}");
    assert_eq!(results[3]["task"]["state"], "CLAIMED");
    assert_eq!((&done["errors"], &done["replayed"]), (&json!([]), &json!(false)));
    let again = desk.mutate(&clerk(), "claimTasks", (input, ITEMS)).await;
    assert_eq!(again["results"][0]["replayed"], true, "{again}");
    assert_eq!(again["doneCount"], 2);
}

#[tokio::test]
async fn many_tasks_are_urged_at_once() {
    let desk = Desk::open().await;
    let tasks = intakes(&desk, 2).await;
    let ids: Vec<&Json> = tasks.iter().map(|task| &task["id"]).collect();
    let input = json!({ "taskIds": ids, "reason": "今日办结", "idempotencyKey": "u" });
    let urged = desk.mutate(&supervisor(), "urgeTasks", (input.clone(), ITEMS)).await;
    assert_eq!(urged["doneCount"], 2, "{urged}");
    assert_eq!(urged["results"][0]["task"]["urged"]["times"], 1);
    let none = json!({ "taskIds": [], "reason": "今日办结", "idempotencyKey": "n" });
    let none = desk.mutate(&supervisor(), "urgeTasks", (none, ITEMS)).await;
    assert_eq!(none["errors"][0]["path"], json!(["taskIds"]), "{none}");
}
