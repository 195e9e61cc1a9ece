//! GraphQL over WebSocket, message by message.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use tongban_core::digest::Secret;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::store::MemoryStore;

use super::desk::{Desk, approver, clerk, desk_over, restored};

const EVENTS: &str = "subscription($id: ID!, $after: String) { caseEvents(caseId: $id, after: $after) { cursor event { seq kind } } }";

struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn open(desk: &Desk) -> Self {
        Self::speaking(desk, Some("graphql-transport-ws")).await
    }

    async fn speaking(desk: &Desk, protocol: Option<&str>) -> Self {
        let headers = protocol.map(|protocol| ("sec-websocket-protocol", protocol.to_owned()));
        Self::with_headers(desk, headers.as_slice()).await
    }

    async fn with_headers(desk: &Desk, headers: &[(&'static str, String)]) -> Self {
        let url = format!("ws://{}/graphql/ws", desk.address);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(desk.address).await.unwrap();
        Self(client_async(request, stream).await.unwrap().0)
    }

    /// Opens a socket and begins its session.
    async fn begun(desk: &Desk, who: &Viewer) -> Self {
        let mut socket = Self::open(desk).await;
        socket.init(&desk.token(who)).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    async fn init(&mut self, token: &str) {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
    }

    async fn say(&mut self, message: Json) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str, variables: Json) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    async fn hear(&mut self) -> Json {
        let heard = self.0.next().await.expect("the socket is open").unwrap();
        serde_json::from_str(heard.to_text().expect("a text message")).unwrap()
    }

    /// Hears the next event of an operation, and returns its place and cursor.
    async fn event(&mut self, id: &str) -> (u64, String) {
        let heard = self.hear().await;
        assert_eq!((&heard["type"], &heard["id"]), (&json!("next"), &json!(id)), "{heard}");
        let delta = &heard["payload"]["data"]["caseEvents"];
        let cursor = delta["cursor"].as_str().expect("a cursor").to_owned();
        (delta["event"]["seq"].as_u64().unwrap(), cursor)
    }

    async fn closed_with(&mut self) -> u16 {
        loop {
            match self.0.next().await.expect("a close frame").unwrap() {
                Message::Close(frame) => return frame.expect("a code").code.into(),
                Message::Text(_)
                | Message::Binary(_)
                | Message::Ping(_)
                | Message::Pong(_)
                | Message::Frame(_) => {}
            }
        }
    }
}

#[tokio::test]
async fn queries_and_mutations_run_over_a_socket_too() {
    let desk = Desk::open().await;
    let mut socket = Socket::begun(&desk, &clerk()).await;
    socket.subscribe("1", "{ viewer { subject } }", json!({})).await;
    let next = socket.hear().await;
    assert_eq!(
        next,
        json!({ "type": "next", "id": "1", "payload": { "data": { "viewer": { "subject": "clerk-1" } } } })
    );
    assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "1" }));
    socket.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong", "payload": { "n": 1 } }));
}

#[tokio::test]
async fn a_broken_subscription_goes_on_with_nothing_lost_or_twice() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let mut seen = Vec::new();
    let mut first = Socket::begun(&desk, &clerk()).await;
    first.subscribe("a", EVENTS, json!({ "id": id })).await;
    let (seq, cursor) = first.event("a").await;
    seen.push(seq);
    drop(first);
    // This happens while nobody listens.
    desk.complete(&clerk(), "INTAKE").await;
    let mut second = Socket::begun(&desk, &clerk()).await;
    second.subscribe("b", EVENTS, json!({ "id": id, "after": cursor })).await;
    let page = "query($id: ID!) { events(caseId: $id, first: 100) { nodes { seq } } }";
    let all = |page: &Json| -> Vec<u64> {
        let nodes = page["events"]["nodes"].as_array().unwrap();
        nodes.iter().map(|event| event["seq"].as_u64().unwrap()).collect()
    };
    let before = all(&desk.data(&clerk(), page, json!({ "id": id })).await);
    while seen.len() < before.len() {
        seen.push(second.event("b").await.0);
    }
    assert_eq!(seen, before);
    // And this while somebody does.
    desk.complete(&approver(), "DECIDE").await;
    let after = all(&desk.data(&clerk(), page, json!({ "id": id })).await);
    assert!(after.len() > before.len());
    while seen.len() < after.len() {
        seen.push(second.event("b").await.0);
    }
    assert_eq!(seen, after);
    second.say(json!({ "type": "complete", "id": "b" })).await;
    second.subscribe("b", "{ __typename }", json!({})).await;
    assert_eq!(second.hear().await["payload"]["data"]["__typename"], "Query");
}

#[tokio::test]
async fn an_operation_that_cannot_run_ends_with_an_error() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let stranger = Viewer::new("c", Role::WindowClerk).within("420303");
    let mut socket = Socket::begun(&desk, &stranger).await;
    for (query, code) in [
        ("{ noSuchField }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ __schema { queryType { name } } }", "FORBIDDEN"),
        (EVENTS, "NOT_FOUND"),
    ] {
        let variables = if query == EVENTS { json!({ "id": id }) } else { json!({}) };
        socket.subscribe("x", query, variables).await;
        let heard = socket.hear().await;
        assert_eq!(heard["type"], "error", "{heard}");
        assert_eq!(heard["payload"][0]["extensions"]["code"], code, "{heard}");
    }
    socket.subscribe("x", "{ __typename }", json!({})).await;
    assert_eq!(socket.hear().await["type"], "next");
}

#[tokio::test]
async fn every_misuse_closes_with_its_own_code() {
    let desk = Desk::open().await;
    let mut socket = Socket::open(&desk).await;
    socket.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(socket.closed_with().await, 4401);

    for text in [
        "{",
        "{}",
        r#"{"type":"hello"}"#,
        r#"{"type":"subscribe","id":""}"#,
        r#"{"type":"complete"}"#,
    ] {
        let mut socket = Socket::begun(&desk, &clerk()).await;
        socket.0.send(Message::text(text)).await.unwrap();
        assert_eq!(socket.closed_with().await, 4400, "{text}");
    }
    let mut socket = Socket::begun(&desk, &clerk()).await;
    socket.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(socket.closed_with().await, 4400);

    let mut socket = Socket::begun(&desk, &clerk()).await;
    socket.init(&desk.token(&clerk())).await;
    assert_eq!(socket.closed_with().await, 4429);

    let mut socket = Socket::open(&desk).await;
    socket.init("not.a.token").await;
    assert_eq!(socket.closed_with().await, 4403);

    let mut socket = Socket::open(&desk).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed_with().await, 4403);

    let mut socket = Socket::speaking(&desk, None).await;
    assert_eq!(socket.closed_with().await, 4406);

    let id = desk.submitted().await;
    let mut socket = Socket::begun(&desk, &clerk()).await;
    socket.subscribe("same", EVENTS, json!({ "id": id })).await;
    socket.subscribe("same", EVENTS, json!({ "id": id })).await;
    assert_eq!(socket.closed_with().await, 4409);
}

#[tokio::test]
async fn the_token_may_come_with_the_upgrade() {
    let desk = Desk::open().await;
    let headers = [
        ("sec-websocket-protocol", "graphql-transport-ws".to_owned()),
        ("authorization", format!("Bearer {}", desk.token(&clerk()))),
    ];
    let mut socket = Socket::with_headers(&desk, &headers).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
}

#[tokio::test]
async fn a_session_that_never_begins_is_closed() {
    let desk = Desk::open().await;
    let mut socket = Socket::open(&desk).await;
    // An answered ping proves that the session's clocks are running.
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    desk.wire.advance(3_000);
    assert_eq!(socket.closed_with().await, 4408);
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let desk = Desk::open().await;
    let mut socket = Socket::open(&desk).await;
    socket.init(&desk.token_for(&clerk(), 10)).await;
    assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    desk.wire.advance(70_000);
    assert_eq!(socket.closed_with().await, 4403);
}

#[tokio::test]
async fn a_socket_carries_so_many_operations_and_no_more() {
    let desk = Desk::open().await;
    let id = desk.submitted().await;
    let all = "query($id: ID!) { events(caseId: $id, first: 100) { pageInfo { endCursor } } }";
    let end = desk.data(&clerk(), all, json!({ "id": id })).await;
    let after = end["events"]["pageInfo"]["endCursor"].clone();
    let mut socket = Socket::begun(&desk, &clerk()).await;
    for number in 0..50 {
        let variables = json!({ "id": id, "after": after });
        socket.subscribe(&number.to_string(), EVENTS, variables).await;
    }
    socket.subscribe("one more", "{ __typename }", json!({})).await;
    let heard = socket.hear().await;
    assert_eq!((&heard["type"], &heard["id"]), (&json!("error"), &json!("one more")));
    assert_eq!(heard["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    socket.say(json!({ "type": "complete", "id": "7" })).await;
    socket.subscribe("one more", "{ __typename }", json!({})).await;
    assert_eq!(socket.hear().await["type"], "next");
}

#[tokio::test]
async fn a_server_that_stops_says_so_on_its_sockets() {
    let mut desk = Desk::open().await;
    let mut socket = Socket::begun(&desk, &clerk()).await;
    desk.begin_to_stop();
    assert_eq!(socket.closed_with().await, 1001);
    drop(socket);
    desk.stop().await;
}

#[tokio::test]
async fn a_client_whose_cursor_was_lost_with_a_restore_goes_on_from_a_snapshot_without_a_gap() {
    const PAGE: &str = "query($id: ID!, $after: String) {
        events(caseId: $id, after: $after, first: 100) { nodes { seq kind } pageInfo { endCursor } } }";
    let store = Arc::new(MemoryStore::new(Secret::new([7; 32])));
    let before = desk_over(Arc::clone(&store)).await;
    let id = before.submitted().await;
    let lost = async { drop(before.complete(&clerk(), "INTAKE").await) };
    let again = restored(&store, lost).await;
    let page = before.data(&clerk(), PAGE, json!({ "id": id })).await["events"].clone();
    let stale = page["pageInfo"]["endCursor"].clone();

    let desk = desk_over(Arc::new(again.reopen())).await;
    let refused = desk.ask(&clerk(), PAGE, json!({ "id": id, "after": stale })).await;
    let told = refused["errors"][0]["extensions"].clone();
    assert_eq!(told["code"], "RESYNC_REQUIRED", "{refused}");
    let stranger = Viewer::new("c", Role::WindowClerk).within("420303");
    let hidden = desk.data(&stranger, PAGE, json!({ "id": id, "after": stale })).await;
    assert_eq!(hidden["events"], Json::Null, "who may not see the case learns no cursor of it");
    let mut socket = Socket::begun(&desk, &clerk()).await;
    socket.subscribe("s", EVENTS, json!({ "id": id, "after": stale })).await;
    let heard = socket.hear().await;
    let same = &heard["payload"]["errors"][0]["extensions"];
    assert_eq!((&same["code"], &same["revision"]), (&told["code"], &told["revision"]), "{heard}");

    // Somebody acts before the client has read its snapshot: it sees that, in the snapshot or
    // after the cursor.
    desk.complete(&clerk(), "INTAKE").await;
    let snapshot = "query($id: ID!) { case(by: { id: $id }) { revision matters { state } } }";
    let read = desk.data(&clerk(), snapshot, json!({ "id": id })).await["case"].clone();
    let number = |revision: &Json| revision.as_str().unwrap().parse::<u64>().unwrap();
    assert!(number(&read["revision"]) >= number(&told["revision"]), "{read} {told}");
    let resumed = desk.data(&clerk(), PAGE, json!({ "id": id, "after": told["cursor"] })).await;
    let all = desk.data(&clerk(), PAGE, json!({ "id": id })).await["events"]["nodes"].clone();
    let all = all.as_array().unwrap().clone();
    let since = resumed["events"]["nodes"].as_array().unwrap().clone();
    assert!(!since.is_empty() && all.ends_with(&since), "{since:?} of {all:?}");
    let (known, _) = all.split_at(all.len() - since.len());
    assert_eq!(known.last().unwrap()["kind"], "task_opened", "the snapshot was before the act");

    let mut socket = Socket::begun(&desk, &clerk()).await;
    socket.subscribe("r", EVENTS, json!({ "id": id, "after": told["cursor"] })).await;
    for event in &since {
        assert_eq!(socket.event("r").await.0, event["seq"].as_u64().unwrap());
    }
    desk.complete(&approver(), "DECIDE").await;
    let next = all.last().unwrap()["seq"].as_u64().unwrap() + 1;
    assert_eq!(socket.event("r").await.0, next, "and goes on as it happens");
}
