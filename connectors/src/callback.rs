//! Where agencies deliver later replies: `POST /cxp/1/callback`.
//!
//! The acknowledgement is given only after [`Inbox::deliver`] returned, which is after the
//! durable commit. Who may deliver is configuration: a sender that is not listed is refused, and
//! that unsigned messages count at all is a value somebody had to write down.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use tongban_core::agency::{Ack, Effect, FaultClass};
use tongban_core::digest::Digest;
use tongban_core::port::Inbox;

use crate::cxp::message::{AckMessage, FaultMessage, Message, Party, Reply};
use crate::cxp::{Proof, Text};
use crate::limits;

/// Who may deliver replies, and on what proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackOptions {
    /// The engine's own name; messages to anyone else are refused.
    pub own: Party,
    /// How a message proves its sender.
    pub proof: Proof,
    /// The senders that are listened to.
    pub parties: Vec<CallbackParty>,
}

/// A sender and the connector that its replies belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackParty {
    /// The agency.
    pub party: Party,
    /// Name of the connector.
    pub connector: String,
}

struct Door {
    inbox: Arc<dyn Inbox>,
    own: Party,
    connectors: BTreeMap<Party, String>,
}

/// Returns the routes that take callbacks and give them to `inbox`.
pub fn router(inbox: Arc<dyn Inbox>, trusted: CallbackOptions) -> Router {
    let CallbackOptions { own, proof: Proof::Unsigned, parties } = trusted;
    let connectors = parties.into_iter().map(|listed| (listed.party, listed.connector)).collect();
    let door = Arc::new(Door { inbox, own, connectors });
    Router::new()
        .route("/cxp/1/callback", post(take))
        .layer(DefaultBodyLimit::max(limits::MESSAGE_BYTES_MAX))
        .with_state(door)
}

async fn take(State(door): State<Arc<Door>>, body: Result<Bytes, BytesRejection>) -> Response {
    match body {
        Ok(bytes) => match door.deliver(&bytes).await {
            Ok(ack) => answer_ack(&ack),
            Err(refusal) => refusal.answer(),
        },
        Err(rejection) => {
            let fault =
                FaultMessage::new(FaultClass::ContractViolation, Effect::None, "body_not_readable");
            answer(rejection.status(), &fault)
        }
    }
}

/// Why a message was not taken.
struct Refusal {
    status: StatusCode,
    fault: Box<FaultMessage>,
}

impl Refusal {
    fn new(status: StatusCode, class: FaultClass, code: &str, text: String) -> Self {
        let mut fault = FaultMessage::new(class, Effect::None, code);
        fault.public_text = text;
        Self { status, fault: Box::new(fault) }
    }

    fn answer(&self) -> Response {
        tracing::debug!(error.code = %self.fault.code, "a callback was refused");
        answer(self.status, &*self.fault)
    }
}

impl Door {
    async fn deliver(&self, bytes: &[u8]) -> Result<AckMessage, Refusal> {
        let reply = Reply::from_bytes(bytes).map_err(|error| {
            let class = FaultClass::ContractViolation;
            Refusal::new(StatusCode::BAD_REQUEST, class, error.code(), error.to_string())
        })?;
        let connector = self.connector_of(&reply)?;
        let (call_id, seq) = (reply.call_id, reply.seq);
        let message = reply.into_core(Digest::of(bytes));
        match self.inbox.deliver(connector, message).await {
            Ok(ack) => Ok(AckMessage { call_id, seq, result: Text(ack) }),
            Err(error) => {
                let mut refusal = Refusal::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    FaultClass::Retryable,
                    "not_stored",
                    "回执未能保存,请稍后重发 / the reply was not stored, send it again later"
                        .to_owned(),
                );
                tracing::warn!(%error, "a callback could not be stored");
                refusal.fault.call_id = Some(call_id);
                refusal.fault.retry_after_ms = Some(limits::INBOX_RETRY_MILLIS);
                Err(refusal)
            }
        }
    }

    /// Default deny: the sender must be listed and must mean us.
    fn connector_of(&self, reply: &Reply) -> Result<String, Refusal> {
        let refused = |code: &str, text: String| {
            Refusal::new(StatusCode::FORBIDDEN, FaultClass::Refused, code, text)
        };
        let from = reply.from.as_ref().ok_or_else(|| {
            let text = "回调缺少发送方 from / the callback names no sender in from";
            refused("no_sender", text.to_owned())
        })?;
        let connector = self.connectors.get(from).ok_or_else(|| {
            let text = format!(
                "发送方 {from} 未登记,请联系管理员登记 / sender {from} is not registered, ask the operator"
            );
            refused("unknown_sender", text)
        })?;
        if reply.to.as_ref() != Some(&self.own) {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                FaultClass::ContractViolation,
                "wrong_receiver",
                format!("接收方 to 应为 {} / to must be {}", self.own, self.own),
            ));
        }
        Ok(connector.clone())
    }
}

fn answer_ack(ack: &AckMessage) -> Response {
    let status = match ack.result.0 {
        Ack::Stored | Ack::Duplicate | Ack::Superseded => StatusCode::OK,
        Ack::TerminalConflict => StatusCode::CONFLICT,
        Ack::UnknownCall => StatusCode::NOT_FOUND,
    };
    answer(status, ack)
}

fn answer<M: Message>(status: StatusCode, message: &M) -> Response {
    let mut response =
        (status, [(CONTENT_TYPE, "application/json")], message.to_bytes()).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = limits::INBOX_RETRY_MILLIS.div_ceil(1_000);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests;
