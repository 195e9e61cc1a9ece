//! Nobody sees more than his own: not by id, not by number, not in lists, counts or events.

use serde_json::json;
use tongban_core::viewer::{Role, Viewer};

use super::desk::{Desk, QUEUE, applicant, approver, clerk};

const SEEN: &str = "query($id: ID!, $node: ID!) {
    case(by: { id: $id }) { id }
    node(id: $node) { id }
    cases(first: 10) { nodes { id } totalCount { value exact } }
    events(caseId: $id, first: 10) { nodes { id } } }";

#[tokio::test]
async fn strangers_see_nothing_and_counts_are_the_lists() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let insiders =
        [applicant(), clerk(), approver(), Viewer::new("s", Role::Supervisor).within("420300")];
    let strangers = [
        Viewer::new("p", Role::Applicant).for_party("91420302MA4DEM020N"),
        Viewer::new("c", Role::WindowClerk).within("420303"),
        Viewer::new("a", Role::Approver).within("420300").of("fire"),
        Viewer::new("b", Role::Approver).within("420600").of("urban-management"),
        Viewer::new("i", Role::Integrator),
        Viewer::new("s", Role::Supervisor).within("420600"),
    ];
    let matter = format!("{}-1", id.replace("case_", "mtr_"));
    for (viewers, count) in [(&insiders[..], 1), (&strangers[..], 0)] {
        for viewer in viewers {
            let variables = json!({ "id": id, "node": matter });
            let seen = desk.data(viewer, SEEN, variables).await;
            let nodes = seen["cases"]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), count, "{viewer:?}: {seen}");
            assert_eq!(seen["cases"]["totalCount"], json!({ "value": count, "exact": true }));
            for field in ["case", "node", "events"] {
                assert_eq!(seen[field].is_null(), count == 0, "{field} for {viewer:?}: {seen}");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_given_to_another_shows_him_nothing() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let query = "query($id: ID!, $after: String) { events(caseId: $id, first: 100, after: $after) { nodes { id } pageInfo { endCursor } } }";
    let mine = desk.data(&clerk(), query, json!({ "id": id })).await;
    let cursor = mine["events"]["pageInfo"]["endCursor"].clone();
    assert!(cursor.is_string(), "{mine}");
    let stranger = Viewer::new("c", Role::WindowClerk).within("420303");
    let his = desk.data(&stranger, query, json!({ "id": id, "after": cursor })).await;
    assert_eq!(his["events"], json!(null));
}

#[tokio::test]
async fn a_queue_holds_what_its_viewer_may_take() {
    let desk = Desk::open().await;
    desk.submitted().await;
    let queue = desk.data(&clerk(), QUEUE, json!({})).await["queue"].clone();
    assert_eq!(queue["totalCount"], json!({ "value": 1, "exact": true }));
    let task = &queue["nodes"][0];
    assert_eq!(task["kindLabel"], "受理");
    assert_eq!(task["light"], "GREEN");
    assert_eq!(task["caseMatter"]["code"], "signboard");
    for other in [applicant(), approver(), Viewer::new("i", Role::Integrator)] {
        let queue = desk.data(&other, QUEUE, json!({})).await["queue"].clone();
        assert_eq!(queue["nodes"], json!([]), "{other:?}");
    }
}

#[tokio::test]
async fn personal_data_is_masked_and_staff_is_not_named_to_applicants() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    desk.complete(&clerk(), "INTAKE").await;
    let query = "query($id: ID!) { case(by: { id: $id }) { applicant { nameMasked idMasked } incidents
        tasks { id assignee } events(first: 100) { nodes { kind actor text en: text(lang: EN) } } } }";
    let clerks = desk.data(&clerk(), query, json!({ "id": id })).await["case"].clone();
    assert_eq!(
        clerks["applicant"],
        json!({ "nameMasked": "十********司", "idMasked": "914203********010M" })
    );
    assert!(!clerks["tasks"].as_array().unwrap().is_empty());
    let applicants = desk.data(&applicant(), query, json!({ "id": id })).await["case"].clone();
    assert_eq!(applicants["tasks"], json!([]));
    assert_eq!(applicants["incidents"], json!(null));
    let text = applicants.to_string();
    assert!(!text.contains("clerk-1"), "{text}");
    assert!(!text.contains(super::desk::PARTY), "{text}");
    let events = applicants["events"]["nodes"].as_array().unwrap();
    assert!(events.iter().any(|event| event["kind"] == "case_submitted"), "{text}");
    assert!(events.iter().all(|event| event["actor"].is_null()));
}

#[tokio::test]
async fn facts_are_for_those_who_may_take_the_task() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    desk.complete(&clerk(), "INTAKE").await;
    let task = desk.open_task(&approver(), "DECIDE").await;
    assert_eq!(task["facts"], json!({ "shop": "示例书店" }));
    let query = "query($id: ID!) { case(by: { id: $id }) { tasks(open: true) { facts } } }";
    let clerks = desk.data(&clerk(), query, json!({ "id": id })).await;
    assert_eq!(clerks["case"]["tasks"], json!([{ "facts": null }]));
}

#[tokio::test]
async fn pages_of_events_join_without_a_gap() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let query = "query($id: ID!, $n: Int!, $after: String) { events(caseId: $id, first: $n, after: $after) {
        nodes { seq cursor } pageInfo { hasNextPage endCursor } } }";
    let all = desk.data(&clerk(), query, json!({ "id": id, "n": 100 })).await["events"].clone();
    assert_eq!(all["pageInfo"]["hasNextPage"], false);
    let all = all["nodes"].as_array().unwrap().clone();
    let (mut joined, mut after) = (Vec::new(), json!(null));
    loop {
        let page =
            desk.data(&clerk(), query, json!({ "id": id, "n": 2, "after": after })).await["events"]
                .clone();
        joined.extend(page["nodes"].as_array().unwrap().iter().cloned());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(joined, all);
    let stale =
        desk.ask(&clerk(), query, json!({ "id": id, "n": 2, "after": "00000000ffffffff" })).await;
    assert_eq!(stale["errors"][0]["extensions"]["code"], "RESYNC_REQUIRED", "{stale}");
    assert_eq!(stale["data"], json!({ "events": null }));
}
