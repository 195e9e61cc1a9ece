//! What passes between the engine and an agency, free of transport: calls, replies, acts,
//! faults.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{CallId, DepartmentCode, MatterCode, RegionCode};
use crate::limits;
use crate::request::Outcome;
use crate::time::Moment;
use crate::value::Value;

/// Digest of the body of a call, and the encoding that rendered it. The journal keeps both in
/// place of the bytes, so that a call that is sent again is known to say what it said.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct BodyDigest {
    /// Version of the encoding, by the connector's own count.
    pub encoding: u16,
    /// SHA-256 of the bytes.
    pub digest: Digest,
}

/// One call to an agency. It renders to the same body whenever it is sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The derived id; the same over retries, crashes and nodes.
    pub id: CallId,
    /// The operation, without the role.
    pub operation: String,
    /// The role that the operation belongs to.
    pub role: DepartmentCode,
    /// Place of the agency.
    pub region: RegionCode,
    /// The public number of the case.
    pub case_no: String,
    /// The matter on whose behalf the call is made; also its purpose.
    pub matter: MatterCode,
    /// When the call was made, by the wire clock; part of the body.
    pub issued_at: Moment,
    /// When the agency must have begun, by the wire clock; part of the body.
    pub deadline: Moment,
    /// The input.
    pub input: Value,
    /// Keyed hash of the call id, so that digests of the body cannot be guessed.
    pub salt: Digest,
    /// The earlier call that this one amends, after a correction or an act of the applicant.
    pub amends: Option<CallId>,
    /// What the journal says of its body; nothing where a connector sends no bytes, and never part
    /// of the body itself.
    pub body: Option<BodyDigest>,
}

/// What a connector is told beside the call itself.
#[derive(Clone, Debug, PartialEq)]
pub struct CallContext {
    /// When the engine stops waiting for this attempt.
    pub deadline: Moment,
    /// From 1; for diagnosis only, never part of the body.
    pub attempt: u32,
    /// Purpose of the data: the matter's code.
    pub purpose: String,
    /// Highest message of the agency about this call that is stored; a query asks for what comes
    /// after it.
    pub after_seq: Option<u32>,
}

/// One message of an agency about a call, whichever way it came: in the reply to an invoke or a
/// query, by callback, or from a person who acts for the agency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgencyReply {
    /// The call it is about.
    pub call: CallId,
    /// Rises per call, gaps allowed; a lower one after a higher is ignored.
    pub seq: u32,
    /// Digest of the message, to tell a repetition from a contradiction.
    pub digest: Digest,
    /// When the agency made it.
    pub at: Moment,
    /// What it says.
    pub body: ReplyBody,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReplyBody {
    /// Under way; the end comes by callback or query.
    Accepted {
        /// The agency's own number.
        ticket: Option<String>,
        /// When it expects to be done.
        expect_by: Option<Moment>,
        /// Milliseconds after which to ask.
        next_query_after: Option<u64>,
    },
    /// A department that decides in its own system reports an act of the law.
    Act(AgencyAct),
    /// Done.
    Completed {
        /// The typed output.
        output: Value,
        /// Documents by reference.
        documents: Vec<DocumentRef>,
    },
    /// Ended otherwise.
    Otherwise(Outcome),
}

impl ReplyBody {
    /// Tells whether the call is over.
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Accepted { .. } | Self::Act(_) => false,
            Self::Completed { .. } | Self::Otherwise(_) => true,
        }
    }

    /// Tells whether a log may hold it: no more data than a value has, no name without bounds.
    pub(crate) fn fits(&self) -> bool {
        let (names, bytes): (Vec<&str>, usize) = match self {
            Self::Accepted { ticket, .. } => (ticket.iter().map(String::as_str).collect(), 0),
            Self::Act(act) => (
                vec![&act.act, &act.document_no, &act.officer],
                act.ground.len() + act.detail.size(),
            ),
            Self::Completed { output, documents } => {
                let names = documents.iter().flat_map(|one| [one.role.as_str(), &one.number]);
                let names: Vec<&str> = names.collect();
                let listed: usize = names.iter().map(|name| name.len() + 32).sum();
                (names, output.size() + listed)
            }
            Self::Otherwise(outcome) => (Vec::new(), outcome.reason.len() + outcome.detail.size()),
        };
        names.iter().all(|name| name.len() <= limits::NAME_BYTES_MAX)
            && bytes <= limits::VALUE_BYTES_MAX
    }
}

/// A document that an agency issued, by reference; the bytes stay outside the journal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DocumentRef {
    /// What it is, such as `permit`.
    pub role: String,
    /// Its number.
    pub number: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// An act of the law as a department reports it. The legal fold decides whether it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgencyAct {
    /// Code of the act: `accepted`, `decided`, `suspended` …
    pub act: String,
    /// When it took effect; clocks count this.
    pub effective_at: Moment,
    /// Number of the notice or decision.
    pub document_no: String,
    /// For `decided`: `granted` or `denied`; for others the ground.
    pub ground: String,
    /// Who acted, as the department names him.
    pub officer: String,
    /// Further fields, such as the license's data.
    pub detail: Value,
}

/// The answer of [`crate::port::Connector::invoke`].
#[derive(Clone, Debug, PartialEq)]
pub enum Invoked {
    /// The agency answered.
    Replied(AgencyReply),
    /// The agency has no system: a person of this office must be asked, in a task.
    AskPerson(ManualTask),
}

/// A task for a person in an office that has no system.
#[derive(Clone, Debug, PartialEq)]
pub struct ManualTask {
    /// `department.role` of the person.
    pub role: String,
    /// What the person reads.
    pub title: String,
}

/// The answer of [`crate::port::Connector::query`].
#[derive(Clone, Debug, PartialEq)]
pub enum Queried {
    /// The newest reply.
    Known(AgencyReply),
    /// The agency never saw the call and will refuse it from now on (the fence).
    UnknownFenced,
    /// The agency knew the call once and has dropped its reply; a new call is never allowed.
    Forgotten,
}

/// A call that went wrong, as opposed to one that was answered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{class:?}/{effect:?} {code}: {text}")]
pub struct Fault {
    /// What kind of trouble.
    pub class: FaultClass,
    /// Whether something happened at the agency.
    pub effect: Effect,
    /// Stable code, such as `queue_full`.
    pub code: String,
    /// Milliseconds to wait, if the agency said so.
    pub retry_after: Option<u64>,
    /// For the staff; no host names, no personal data.
    pub text: String,
}

/// Classes of faults; the engine's action follows from the class alone.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum FaultClass {
    /// Told so by the agency, nothing done.
    Retryable,
    /// No answer before sending.
    Unavailable,
    /// Not allowed.
    Refused,
    /// A message breaks the contract.
    ContractViolation,
    /// Same call id, other content.
    Conflict,
    /// The deadline passed before work began.
    Expired,
    /// Sent, and no usable answer.
    Unknown,
}

impl FaultClass {
    /// Every class with its code on the wire.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Retryable, "retryable"),
        (Self::Unavailable, "unavailable"),
        (Self::Refused, "refused"),
        (Self::ContractViolation, "contract_violation"),
        (Self::Conflict, "conflict"),
        (Self::Expired, "expired"),
        (Self::Unknown, "unknown"),
    ];

    /// Returns the code on the wire.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(class, _)| *class == self).map_or("unknown", |(_, code)| code)
    }
}

/// Whether something happened at the agency.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Nothing.
    None,
    /// The effect took place.
    Applied,
    /// Nobody can tell yet.
    Unknown,
}

/// The engine's answer to a message that an agency delivered, given after the commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ack {
    /// Stored.
    Stored,
    /// The same message was stored before.
    Duplicate,
    /// A higher one is stored already.
    Superseded,
    /// Another terminal reply is stored; this one is kept and a person looks.
    TerminalConflict,
    /// No such call.
    UnknownCall,
}

impl Ack {
    /// Returns the code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Superseded => "superseded",
            Self::TerminalConflict => "terminal_conflict",
            Self::UnknownCall => "unknown_call",
        }
    }
}
