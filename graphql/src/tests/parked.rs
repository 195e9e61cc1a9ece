//! Replies that match no call since a restore, as an admin settles them.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tongban_core::agency::{Ack, AgencyReply, ReplyBody};
use tongban_core::digest::{Digest, Secret};
use tongban_core::id::CallId;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::store::MemoryStore;

use super::desk::{Desk, clerk, desk_over, restored, supervisor};

const DISMISS: &str =
    "mutation($input: DismissParkedReplyInput!) { dismissParkedReply(input: $input) {
    replayed errors { __typename ... on UserError { code path } } } }";
const DELIVER: &str = "mutation($input: DeliverParkedReplyInput!) { deliverParkedReply(input: $input) {
    case { id } replayed errors { __typename ... on UserError { code path } ... on WrongState { rule } } } }";

fn admin() -> Viewer {
    Viewer::new("admin-1", Role::SystemAdmin).within("420300")
}

fn reply(call: CallId) -> AgencyReply {
    let body = ReplyBody::Completed { output: Value::map(), documents: Vec::new() };
    AgencyReply { call, seq: 1, digest: Digest::of(&call.0), at: Moment::default(), body }
}

impl Desk {
    async fn dismissed(&self, who: &Viewer, input: &Json) -> Json {
        self.data(who, DISMISS, json!({ "input": input })).await["dismissParkedReply"].clone()
    }
}

#[tokio::test]
async fn a_reply_is_put_aside_once_however_often_the_request_comes() {
    let store = MemoryStore::new(Secret::new([7; 32]));
    let store = Arc::new(restored(&store, async {}).await.reopen());
    let desk = desk_over(store).await;
    let (call, other) = (CallId([4; 16]), CallId([5; 16]));
    for call in [call, other] {
        let told = desk.engine.inbox().deliver("tax".to_owned(), reply(call)).await.unwrap();
        assert_eq!(told, Ack::Stored);
    }
    let which = |call: CallId| json!({ "callId": call.to_string(), "seq": 1, "connector": "tax" });
    let input = |call: CallId, key: &str| json!({ "reply": which(call), "reason": "对方已作废", "idempotencyKey": key });
    let unkeyed = desk.dismissed(&admin(), &input(call, " ")).await;
    assert_eq!(unkeyed["errors"][0]["path"], json!(["idempotencyKey"]), "{unkeyed}");
    for who in [clerk(), supervisor()] {
        let refused = desk.dismissed(&who, &input(call, "x")).await;
        assert_eq!(refused["errors"][0]["code"], "NOT_PERMITTED", "{who:?}: {refused}");
    }
    let mut delivering = input(call, "to");
    delivering["toCallId"] = json!(other.to_string());
    let nowhere = desk.data(&admin(), DELIVER, json!({ "input": delivering })).await;
    assert_eq!(nowhere["deliverParkedReply"]["errors"][0]["rule"], "CALL_NOT_OPEN", "{nowhere}");

    for replayed in [false, true] {
        let done = desk.dismissed(&admin(), &input(call, "one")).await;
        assert_eq!((&done["errors"], &done["replayed"]), (&json!([]), &json!(replayed)), "{done}");
    }
    let reused = desk.dismissed(&admin(), &input(other, "one")).await;
    assert_eq!(reused["errors"][0]["code"], "IDEMPOTENCY_KEY_REUSED", "{reused}");
    let gone = desk.dismissed(&admin(), &input(call, "two")).await;
    assert_eq!(gone["errors"][0]["code"], "NOT_FOUND", "{gone}");
    let listed = "{ parkedReplies { callId } }";
    let listed = desk.data(&supervisor(), listed, json!({})).await;
    assert_eq!(listed["parkedReplies"], json!([{ "callId": other.to_string() }]));
}
