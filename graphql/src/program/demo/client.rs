//! A client of the API, as any city's app would write one: GraphQL over HTTP, and a
//! subscription over a WebSocket that goes on from its cursor when the connection breaks.

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::documents::CASE_EVENTS;
use crate::program::error::Both;

/// Times that a broken subscription is begun again before giving up.
const RECONNECTS_MAX: u32 = 5;

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// One person's access.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    /// Builds the access of whoever holds `token`.
    pub(super) fn new(http: &reqwest::Client, url: &str, token: String) -> Self {
        Self { http: http.clone(), url: url.to_owned(), token }
    }

    /// Sends one operation and returns its data; an entry of `errors` is a failure.
    pub(super) async fn ask(&self, document: &str, variables: Value) -> Result<Value, Both> {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let request = self
            .http
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .body(body);
        let response = request.send().await.map_err(|error| Both::of(&error))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| Both::of(&error))?;
        let mut answer: Value = serde_json::from_slice(&bytes).map_err(|_| {
            Both::of(&format!("HTTP {status}, 不是 JSON / HTTP {status}, not JSON"))
        })?;
        match answer["errors"].as_array().and_then(|errors| errors.first()) {
            Some(error) => Err(fault(error)),
            None => Ok(answer["data"].take()),
        }
    }

    /// Sends a mutation and returns its payload; a domain error in it is a failure.
    pub(super) async fn change(
        &self,
        document: &str,
        name: &str,
        input: Value,
    ) -> Result<Value, Both> {
        let mut data = self.ask(document, json!({ "input": input })).await?;
        let payload = data[name].take();
        match payload["errors"].as_array().and_then(|errors| errors.first()) {
            Some(error) => Err(refusal(error)),
            None => Ok(payload),
        }
    }

    /// Follows a case's events from its beginning, and sends each to `events`. Ends when nobody
    /// listens any more, or when the server is gone for good.
    pub(super) async fn follow(self, case: String, events: mpsc::Sender<Value>) {
        let mut after: Option<String> = None;
        for _ in 0..RECONNECTS_MAX {
            match self.subscribe(&case, after.as_deref()).await {
                Ok(mut socket) => {
                    if relay(&mut socket, &events, &mut after).await == Relay::NobodyListens {
                        return;
                    }
                }
                Err(error) => tracing::debug!("the demo's subscription failed: {error}"),
            }
        }
    }

    async fn subscribe(&self, case: &str, after: Option<&str>) -> Result<Socket, String> {
        let url = format!("{}/ws", self.url.replacen("http", "ws", 1));
        let uri = url.parse().map_err(|_| format!("{url} is no address"))?;
        let request = ClientRequestBuilder::new(uri).with_sub_protocol("graphql-transport-ws");
        let (mut socket, _) = connect_async(request).await.map_err(|error| error.to_string())?;
        let authorization = format!("Bearer {}", self.token);
        let init =
            json!({ "type": "connection_init", "payload": { "authorization": authorization } });
        send(&mut socket, &init).await?;
        let answer = receive(&mut socket).await.ok_or("no connection_ack")?;
        if answer["type"] != "connection_ack" {
            return Err(format!("{answer} instead of connection_ack"));
        }
        let variables = json!({ "case": case, "after": after });
        let payload = json!({ "query": CASE_EVENTS, "variables": variables });
        send(&mut socket, &json!({ "id": "1", "type": "subscribe", "payload": payload })).await?;
        Ok(socket)
    }
}

/// Why a subscription was not followed any further.
#[derive(Eq, PartialEq)]
enum Relay {
    NobodyListens,
    Broken,
}

async fn relay(
    socket: &mut Socket,
    events: &mpsc::Sender<Value>,
    after: &mut Option<String>,
) -> Relay {
    while let Some(mut message) = receive(socket).await {
        match message["type"].as_str() {
            Some("next") => {
                let delta = message["payload"]["data"]["caseEvents"].take();
                if let Some(cursor) = delta["cursor"].as_str() {
                    *after = Some(cursor.to_owned());
                }
                if events.send(delta).await.is_err() {
                    return Relay::NobodyListens;
                }
            }
            Some("ping") => {
                if send(socket, &json!({ "type": "pong" })).await.is_err() {
                    return Relay::Broken;
                }
            }
            Some("error" | "complete") => return Relay::Broken,
            Some(_) | None => {}
        }
    }
    Relay::Broken
}

async fn send(socket: &mut Socket, message: &Value) -> Result<(), String> {
    let sent = socket.send(Message::text(message.to_string())).await;
    sent.map_err(|error| error.to_string())
}

/// Returns the next JSON message; `None` when the connection is over.
async fn receive(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => return serde_json::from_str(&text).ok(),
            Message::Close(_) => return None,
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

fn fault(error: &Value) -> Both {
    let text = error["message"].as_str().unwrap_or_default();
    let code = error["extensions"]["code"].as_str().unwrap_or("GRAPHQL");
    let Both { zh, en } = Both::of(&text);
    Both::new(format!("{code}:{zh}"), format!("{code}: {en}"))
}

fn refusal(error: &Value) -> Both {
    let code = error["code"].as_str().unwrap_or("REFUSED");
    let zh = error["zh"].as_str().unwrap_or_default();
    let en = error["en"].as_str().unwrap_or_default();
    Both::new(format!("{code}:{zh}"), format!("{code}: {en}"))
}
