//! The messages of the `graphql-transport-ws` subprotocol, and the codes that it closes with.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// What a client says.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    /// Begins the session.
    ConnectionInit {
        /// May hold `authorization`.
        #[serde(default)]
        payload: Option<serde_json::Map<String, Json>>,
    },
    /// Wants a pong.
    Ping {
        /// Comes back with the pong.
        #[serde(default)]
        payload: Option<serde_json::Map<String, Json>>,
    },
    /// Answers a ping.
    Pong {},
    /// Begins an operation.
    Subscribe {
        /// Unique among the running ones.
        id: String,
        /// The request.
        payload: serde_json::Map<String, Json>,
    },
    /// Ends an operation.
    Complete {
        /// Its id.
        id: String,
    },
}

impl Said {
    /// Reads a message; `None` when it is none of the protocol.
    pub(super) fn read(text: &str) -> Option<Self> {
        let said: Self = serde_json::from_str(text).ok()?;
        match &said {
            Self::Subscribe { id, .. } | Self::Complete { id } if id.is_empty() => None,
            Self::ConnectionInit { .. }
            | Self::Ping { .. }
            | Self::Pong {}
            | Self::Subscribe { .. }
            | Self::Complete { .. } => Some(said),
        }
    }
}

fn text(json: &Json) -> Message {
    Message::text(json.to_string())
}

pub(super) fn ack() -> Message {
    text(&json!({ "type": "connection_ack" }))
}

pub(super) fn ping() -> Message {
    text(&json!({ "type": "ping" }))
}

pub(super) fn pong(payload: Option<serde_json::Map<String, Json>>) -> Message {
    match payload {
        Some(payload) => text(&json!({ "type": "pong", "payload": payload })),
        None => text(&json!({ "type": "pong" })),
    }
}

pub(super) fn next(id: &str, response: &async_graphql::Response) -> Message {
    text(&json!({ "type": "next", "id": id, "payload": response }))
}

pub(super) fn error(id: &str, errors: &Json) -> Message {
    text(&json!({ "type": "error", "id": id, "payload": errors }))
}

pub(super) fn complete(id: &str) -> Message {
    text(&json!({ "type": "complete", "id": id }))
}

/// Why the server ends a socket. Reasons stay below the 123 bytes that a close frame holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Closing {
    /// The client has gone.
    Gone,
    /// The server stops.
    Stopping,
    /// A message larger than the limit.
    TooBig,
    /// The client takes nothing.
    Slow,
    /// Not a message of the protocol.
    BadMessage,
    /// An operation before the session has begun.
    TooEarly,
    /// No token, a bad one, or one that has ended.
    Forbidden,
    /// Another subprotocol.
    BadProtocol,
    /// No `connection_init` in time.
    InitTimeout,
    /// An id that is in use.
    IdInUse,
    /// A second `connection_init`.
    TooManyInits,
}

impl Closing {
    fn said(self) -> (u16, &'static str) {
        match self {
            Self::Gone => (1000, ""),
            Self::Stopping => (1001, "Server is stopping"),
            Self::TooBig => (1009, "Message too big"),
            Self::Slow => (1008, "Client does not read"),
            Self::BadMessage => (4400, "Invalid message"),
            Self::TooEarly => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::BadProtocol => (4406, "Subprotocol not acceptable"),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::IdInUse => (4409, "Subscriber already exists"),
            Self::TooManyInits => (4429, "Too many initialisation requests"),
        }
    }

    /// Returns the close frame.
    pub(super) fn message(self) -> Message {
        let (code, reason) = self.said();
        Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))
    }
}
