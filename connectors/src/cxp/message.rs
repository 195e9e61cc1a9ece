//! The messages of CXP/1.
//!
//! A message is one JSON object that names the protocol (`cxp`) and its `kind`; both are checked
//! before anything else is read. Members that are not known here are tolerated, members that are
//! needed are not guessed. Nothing in a message depends on the transport. What a message means
//! for an effect is decided in `answer`, not here.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tongban_core::agency::{Ack, Effect, Fault, FaultClass};
use tongban_core::digest::Digest;
use tongban_core::id::{CallId, RegionCode};
use tongban_core::time::Moment;

use super::text::{Json, Text};

mod convert;

/// The version that is written; every 1.x is read.
pub const CXP: &str = "1.0";

/// One side of an exchange: an office's system at a place.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Party {
    /// The place.
    pub region: RegionCode,
    /// The system, such as `engine` or a department's code.
    pub system: String,
}

impl Party {
    /// Names a party.
    pub fn new(region: impl Into<String>, system: impl Into<String>) -> Self {
        Self { region: RegionCode::new(region), system: system.into() }
    }
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.region, self.system)
    }
}

/// The contract that a call is made under.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// Its name, such as `natural-resources`.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// The case and matter that a call belongs to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CaseRef {
    /// Public number of the case.
    pub case: String,
    /// Code of the matter.
    pub matter: String,
}

/// A message of its own kind.
pub trait Message: Serialize + DeserializeOwned {
    /// The member `kind`.
    const KIND: &'static str;

    /// Writes the message; the same message always gives the same bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let envelope = Envelope { cxp: CXP, kind: Self::KIND, body: self };
        serde_json::to_vec(&envelope).expect("a message has only text names and finite numbers")
    }

    /// Reads the message and checks protocol and kind.
    fn from_bytes(bytes: &[u8]) -> Result<Self, MessageError> {
        let kind = kind_of(bytes)?;
        if kind != Self::KIND {
            return Err(MessageError::Kind {
                wanted: Self::KIND,
                got: kind.chars().take(40).collect(),
            });
        }
        serde_json::from_slice(bytes)
            .map_err(|error| MessageError::Form { kind: Self::KIND, detail: error.to_string() })
    }
}

#[derive(Serialize)]
struct Envelope<'a, M> {
    cxp: &'a str,
    kind: &'a str,
    #[serde(flatten)]
    body: &'a M,
}

#[derive(Deserialize)]
struct Head {
    cxp: String,
    kind: String,
}

/// Returns the kind of a message after checking that it is one of this protocol.
pub fn kind_of(bytes: &[u8]) -> Result<String, MessageError> {
    let head: Head = serde_json::from_slice(bytes).map_err(|_| MessageError::NotCxp)?;
    if !head.cxp.starts_with("1.") {
        return Err(MessageError::Version(head.cxp.chars().take(20).collect()));
    }
    Ok(head.kind)
}

/// Bytes that are not the wanted message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MessageError {
    /// Not a JSON object with `cxp` and `kind`.
    #[error("不是 CXP 报文,请检查地址和网关 / not a CXP message, check the address and gateways")]
    NotCxp,
    /// Another major version.
    #[error("不支持 CXP 版本 {0},请使用 1.x / CXP version {0} is not supported, use 1.x")]
    Version(String),
    /// Another kind.
    #[error("报文类型应为 {wanted},收到 {got} / expected a message of kind {wanted}, got {got}")]
    Kind {
        /// What the place takes.
        wanted: &'static str,
        /// What came.
        got: String,
    },
    /// A member is missing or has the wrong form. The detail may hold data of the sender and is
    /// shown to nobody else.
    #[error("报文 {kind} 不合规:{detail} / malformed message of kind {kind}: {detail}")]
    Form {
        /// The kind.
        kind: &'static str,
        /// Where and how.
        detail: String,
    },
    /// An end of a call that only the engine knows.
    #[error("{0} 不是报文中的状态 / {0} is no status of a message")]
    NotOnWire(&'static str),
}

impl MessageError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCxp => "not_cxp",
            Self::Version(_) => "wrong_version",
            Self::Kind { .. } => "wrong_kind",
            Self::Form { .. } => "malformed",
            Self::NotOnWire(_) => "not_on_wire",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> tongban_core::error::ErrorClass {
        tongban_core::error::ErrorClass::Invalid
    }
}

/// Starts an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invoke {
    /// The call.
    pub call_id: Text<CallId>,
    /// Who calls.
    pub from: Party,
    /// Who is called.
    pub to: Party,
    /// Under which contract.
    pub contract: Contract,
    /// `role.operation`.
    pub operation: String,
    /// The place that the call is about, at or inside the agency's own.
    pub place: RegionCode,
    /// On whose behalf.
    pub case_ref: CaseRef,
    /// Purpose of the data: the matter's code.
    pub purpose: String,
    /// When the call was made.
    pub issued_at: Text<Moment>,
    /// When the agency must have begun.
    pub deadline: Text<Moment>,
    /// Whether the caller takes callbacks.
    pub callback: bool,
    /// Keyed hash of the call id, part of the digest of the input.
    pub salt: String,
    /// Digest over operation, contract, input, attachments and salt.
    pub input_digest: Text<Digest>,
    /// The input.
    pub input: Json,
    /// Files by reference.
    pub attachments: Vec<Json>,
    /// The earlier call that this one amends, after a correction or an act of the applicant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amends: Option<Text<CallId>>,
}

impl Message for Invoke {
    const KIND: &'static str = "invoke";
}

/// Asks for the state of a call.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Who asks.
    pub from: Party,
    /// Who is asked.
    pub to: Party,
    /// The call.
    pub call_id: Text<CallId>,
    /// The highest message that the asker holds, if he wants the next one instead of the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_seq: Option<u32>,
}

impl Message for Query {
    const KIND: &'static str = "query";
}

/// One message of an agency about a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The call.
    pub call_id: Text<CallId>,
    /// Rises per call.
    pub seq: u32,
    /// The agency; a callback must name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Party>,
    /// The caller; a callback must name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Party>,
    /// Digest of the invoke's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<Text<Digest>>,
    /// When the agency made it.
    pub at: Text<Moment>,
    /// What it says.
    #[serde(flatten)]
    pub status: Status,
}

impl Message for Reply {
    const KIND: &'static str = "reply";
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Under way.
    Accepted {
        /// The agency's own number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<String>,
        /// When it expects to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expect_by: Option<Text<Moment>>,
        /// Milliseconds after which to ask.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_query_after_ms: Option<u64>,
    },
    /// Done.
    Completed {
        /// The output.
        #[serde(default)]
        output: Json,
        /// What was issued.
        #[serde(default)]
        documents: Vec<Document>,
    },
    /// A lawful no.
    Rejected {
        /// The reasons.
        #[serde(default)]
        reason: String,
        /// Authority, basis and date.
        #[serde(default, skip_serializing_if = "Json::is_null")]
        decision: Json,
    },
    /// Items must be corrected; the answer is a new call.
    NeedsCorrection {
        /// The notice in words.
        #[serde(default)]
        reason: String,
        /// Number and kind of the notice.
        #[serde(default, skip_serializing_if = "Json::is_null")]
        notice: Json,
        /// What to correct.
        #[serde(default)]
        items: Vec<Json>,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Text<Moment>>,
    },
    /// The applicant must act; the answer is a new call.
    NeedsApplicant {
        /// Why, in words.
        #[serde(default)]
        reason: String,
        /// What he must do.
        #[serde(default)]
        action: Json,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Text<Moment>>,
    },
    /// The call was cancelled.
    Cancelled {
        /// Why, in words.
        #[serde(default)]
        reason: String,
        /// By whom.
        #[serde(default, skip_serializing_if = "Json::is_null")]
        by: Json,
    },
    /// An act of the law by a department that decides in its own system.
    Act {
        /// Which: `accepted`, `suspended`, `decided` …
        act: String,
        /// When it took effect.
        effective_at: Text<Moment>,
        /// Number of the notice or decision.
        #[serde(default)]
        document_no: String,
        /// `granted` or `denied` for a decision, else the ground.
        #[serde(default)]
        ground: String,
        /// Who acted.
        #[serde(default)]
        officer: String,
        /// Further fields.
        #[serde(default, skip_serializing_if = "Json::is_null")]
        detail: Json,
    },
}

impl Status {
    /// Tells whether the call is over.
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Accepted { .. } | Self::Act { .. } => false,
            Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::NeedsCorrection { .. }
            | Self::NeedsApplicant { .. }
            | Self::Cancelled { .. } => true,
        }
    }
}

/// A document by reference.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Its name in this reply.
    #[serde(rename = "ref")]
    pub name: String,
    /// What it is, such as `permit`.
    pub role: String,
    /// Its number; its name stands in where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Media type of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// SHA-256 of its bytes.
    pub digest: Text<Digest>,
}

/// Trouble, as opposed to an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultMessage {
    /// The call, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<Text<CallId>>,
    /// What kind of trouble.
    pub class: Text<FaultClass>,
    /// Whether something happened.
    pub effect: Text<Effect>,
    /// Stable code.
    pub code: String,
    /// Milliseconds to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// For the staff.
    #[serde(default)]
    pub public_text: String,
    /// For a conflict: the input digest of the call that is stored under the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<Text<Digest>>,
    /// The sender's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<Text<Moment>>,
}

impl Message for FaultMessage {
    const KIND: &'static str = "fault";
}

impl FaultMessage {
    /// Builds a fault with nothing but what every fault has.
    pub fn new(class: FaultClass, effect: Effect, code: &str) -> Self {
        Self {
            call_id: None,
            class: Text(class),
            effect: Text(effect),
            code: code.to_owned(),
            retry_after_ms: None,
            public_text: String::new(),
            input_digest: None,
            server_time: None,
        }
    }

    /// Returns the fault as core knows it.
    pub fn into_core(self) -> Fault {
        let most = crate::limits::FAULT_TEXT_MAX;
        Fault {
            class: self.class.0,
            effect: self.effect.0,
            code: self.code.chars().take(most).collect(),
            retry_after: self.retry_after_ms,
            text: self.public_text.chars().take(most).collect(),
        }
    }
}

/// The engine's answer to a callback.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AckMessage {
    /// The call.
    pub call_id: Text<CallId>,
    /// The message that is acknowledged.
    pub seq: u32,
    /// What became of it.
    pub result: Text<Ack>,
}

impl Message for AckMessage {
    const KIND: &'static str = "ack";
}

/// Whether an agency works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`, `degraded` or `down`.
    pub status: String,
    /// The agency's clock.
    pub server_time: Text<Moment>,
    /// Each operation.
    #[serde(default)]
    pub operations: Vec<OperationHealth>,
}

impl Message for Health {
    const KIND: &'static str = "health";
}

/// Whether one operation works.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct OperationHealth {
    /// `role.operation`.
    pub name: String,
    /// `ok` or `down`.
    pub status: String,
    /// Calls that have not ended.
    pub open_calls: u64,
}

/// What an agency offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Who it is.
    pub party: Party,
    /// The contract that its operations belong to.
    pub contract: Contract,
    /// Parts of the protocol that it claims.
    pub claims: Vec<String>,
    /// Its operations.
    pub operations: Vec<OperationOffer>,
}

impl Message for Manifest {
    const KIND: &'static str = "manifest";
}

/// One operation of a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperationOffer {
    /// `role.operation`.
    pub name: String,
    /// `reversible`, `irreversible` or `legal_act`.
    pub effect: String,
    /// Fields of the input with their kinds.
    pub input: std::collections::BTreeMap<String, String>,
    /// Roles of the documents that it issues.
    pub documents: Vec<String>,
    /// Acts that it reports.
    pub acts: Vec<String>,
}

/// Asks for the manifest.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Describe {
    /// Who asks.
    pub from: Party,
    /// Who is asked.
    pub to: Party,
}

impl Message for Describe {
    const KIND: &'static str = "describe";
}

#[cfg(test)]
mod tests;
