//! What was answered once is answered again under the same key, also when the answer was no, or
//! when nothing had to be written down: a belated copy of a request does nothing more.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tongban_core::digest::Secret;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::store::MemoryStore;

use super::desk::{Desk, START, applicant, approver, clerk, desk_over, matter_id, start_input};

/// A store, and the desk over it with a submitted case.
async fn begun() -> (Arc<MemoryStore>, Desk, String) {
    let store = Arc::new(MemoryStore::new(Secret::new([7; 32])));
    let desk = desk_over(Arc::clone(&store)).await;
    let case = desk.submitted().await;
    (store, desk, case)
}

/// Opens the desk again over what the store holds, as after a restart.
async fn again(store: &MemoryStore, mut desk: Desk) -> Desk {
    desk.stop().await;
    desk_over(Arc::new(store.reopen())).await
}

fn hearing(matter: &str, key: &str) -> Json {
    json!({ "matterId": matter, "ground": "hearing", "idempotencyKey": key })
}

#[tokio::test]
async fn a_refused_mutation_stays_refused_under_its_key_though_it_could_be_done_now() {
    let (store, desk, case) = begun().await;
    let matter = matter_id(&case, 1);
    let early = desk.refused(&approver(), "suspendMatter", hearing(&matter, "k")).await;
    assert_eq!(early["__typename"], "WrongState", "nothing is accepted yet: {early}");
    desk.act(&clerk(), "acceptMatter", json!({ "matterId": matter, "idempotencyKey": "a" })).await;
    let late = desk.refused(&approver(), "suspendMatter", hearing(&matter, "k")).await;
    assert_eq!(late, early, "the copy of a request that was refused");
    let desk = again(&store, desk).await;
    let later = desk.refused(&approver(), "suspendMatter", hearing(&matter, "k")).await;
    assert_eq!(later, early, "after a restart too");
    let other = json!({ "matterId": matter, "ground": "expert_review", "idempotencyKey": "k" });
    let reused = desk.refused(&approver(), "suspendMatter", other).await;
    assert_eq!(reused["code"], "IDEMPOTENCY_KEY_REUSED", "{reused}");
    let done = desk.act(&approver(), "suspendMatter", hearing(&matter, "k2")).await;
    assert_eq!(done["suspendedFor"], "hearing", "who wants to try again takes another key: {done}");
}

#[tokio::test]
async fn what_is_said_of_the_request_itself_is_judged_anew() {
    let (_, desk, case) = begun().await;
    let matter = matter_id(&case, 1);
    let accept = || json!({ "matterId": matter, "idempotencyKey": "k" });
    let elsewhere = Viewer::new("clerk-1", Role::WindowClerk).within("420600");
    let unseen = desk.refused(&elsewhere, "acceptMatter", accept()).await;
    assert_eq!(unseen["code"], "NOT_FOUND", "{unseen}");
    let supervises = Viewer::new("clerk-1", Role::Supervisor).within("420300");
    let may_not = desk.refused(&supervises, "acceptMatter", accept()).await;
    assert_eq!(may_not["code"], "NOT_PERMITTED", "{may_not}");
    let done = desk.act(&clerk(), "acceptMatter", accept()).await;
    assert_eq!(done["state"], "ACCEPTED", "once he may: {done}");
}

#[tokio::test]
async fn a_start_that_was_refused_stays_refused() {
    let (store, desk, _) = begun().await;
    let mut elsewhere = start_input("k");
    elsewhere["region"] = json!("420602");
    let start = async |desk: &Desk, input: &Json| {
        let told = desk.data(&applicant(), START, json!({ "input": input })).await;
        told["startCase"]["errors"][0].clone()
    };
    let first = start(&desk, &elsewhere).await;
    assert_eq!(first["code"], "SERVICE_NOT_OFFERED", "{first}");
    let reused = start(&desk, &start_input("k")).await;
    assert_eq!(reused["code"], "IDEMPOTENCY_KEY_REUSED", "{reused}");
    let desk = again(&store, desk).await;
    assert_eq!(start(&desk, &elsewhere).await, first);
}

/// It used to leave no record: other input was taken under its key, and no copy of it was known
/// for one.
#[tokio::test]
async fn a_mutation_that_had_nothing_to_change_is_remembered() {
    let (store, desk, case) = begun().await;
    let admin = Viewer::new("admin-1", Role::SystemAdmin).within("420300");
    let query = "query($id: ID!) { case(by: { id: $id }) { scriptVersion } }";
    let version = desk.data(&admin, query, json!({ "id": case })).await["case"].clone();
    let stay = |reason: &str| json!({ "caseId": case, "version": version["scriptVersion"], "reason": reason, "idempotencyKey": "k" });
    let first = desk.mutate(&admin, "rebindCase", (stay("核对"), "case { scriptVersion }")).await;
    assert_eq!((&first["errors"], &first["replayed"]), (&json!([]), &json!(false)), "{first}");
    let other = desk.refused(&admin, "rebindCase", stay("另一个理由")).await;
    assert_eq!(other["code"], "IDEMPOTENCY_KEY_REUSED", "{other}");
    let desk = again(&store, desk).await;
    let copy = desk.mutate(&admin, "rebindCase", (stay("核对"), "case { scriptVersion }")).await;
    assert_eq!((&copy["errors"], &copy["replayed"]), (&json!([]), &json!(true)), "{copy}");
    assert_eq!((&copy["case"], &copy["revision"]), (&version, &first["revision"]));
}
