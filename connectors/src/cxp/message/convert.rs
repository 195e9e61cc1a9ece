//! Replies between the wire and core.
//!
//! Core keeps less than a reply may carry: what a terminal outcome brings beside its reason is
//! kept as the outcome's detail under the wire's own names, and members that say nothing are left
//! out.

use tongban_core::agency::{AgencyAct, AgencyReply, DocumentRef, ReplyBody};
use tongban_core::digest::Digest;
use tongban_core::request::{Outcome, OutcomeKind};
use tongban_core::time::Moment;
use tongban_core::value::Value;

use super::{Document, MessageError, Reply, Status};
use crate::cxp::text::{Json, Text};

impl Reply {
    /// Returns the reply as core knows it; `digest` is that of the bytes that came.
    pub fn into_core(self, digest: Digest) -> AgencyReply {
        AgencyReply {
            call: self.call_id.0,
            seq: self.seq,
            digest,
            at: self.at.0,
            body: self.status.into_core(),
        }
    }

    /// Builds the message that says what `reply` says; its digest is made anew from the bytes.
    pub fn from_core(reply: &AgencyReply) -> Result<Self, MessageError> {
        Ok(Self {
            call_id: Text(reply.call),
            seq: reply.seq,
            from: None,
            to: None,
            request_digest: None,
            at: Text(reply.at),
            status: Status::from_core(&reply.body)?,
        })
    }
}

impl Status {
    fn into_core(self) -> ReplyBody {
        match self {
            Self::Accepted { ticket, expect_by, next_query_after_ms } => ReplyBody::Accepted {
                ticket,
                expect_by: expect_by.map(|at| at.0),
                next_query_after: next_query_after_ms,
            },
            Self::Completed { output, documents } => ReplyBody::Completed {
                output: output.0,
                documents: documents.into_iter().map(Document::into_core).collect(),
            },
            Self::Act { act, effective_at, document_no, ground, officer, detail } => {
                ReplyBody::Act(AgencyAct {
                    act,
                    effective_at: effective_at.0,
                    document_no,
                    ground,
                    officer,
                    detail: detail.0,
                })
            }
            Self::Rejected { reason, decision } => {
                otherwise(OutcomeKind::Rejected, reason, [("decision", decision.0)])
            }
            Self::NeedsCorrection { reason, notice, items, due } => {
                let items = Value::List(items.into_iter().map(|item| item.0).collect());
                let detail = [("notice", notice.0), ("items", items), ("due", moment_value(due))];
                otherwise(OutcomeKind::NeedsCorrection, reason, detail)
            }
            Self::NeedsApplicant { reason, action, expires } => {
                let detail = [("action", action.0), ("expires", moment_value(expires))];
                otherwise(OutcomeKind::NeedsApplicant, reason, detail)
            }
            Self::Cancelled { reason, by } => {
                otherwise(OutcomeKind::Cancelled, reason, [("by", by.0)])
            }
        }
    }

    fn from_core(body: &ReplyBody) -> Result<Self, MessageError> {
        Ok(match body {
            ReplyBody::Accepted { ticket, expect_by, next_query_after } => Self::Accepted {
                ticket: ticket.clone(),
                expect_by: expect_by.map(Text),
                next_query_after_ms: *next_query_after,
            },
            ReplyBody::Act(act) => Self::Act {
                act: act.act.clone(),
                effective_at: Text(act.effective_at),
                document_no: act.document_no.clone(),
                ground: act.ground.clone(),
                officer: act.officer.clone(),
                detail: Json(act.detail.clone()),
            },
            ReplyBody::Completed { output, documents } => Self::Completed {
                output: Json(output.clone()),
                documents: documents.iter().map(Document::from_core).collect(),
            },
            ReplyBody::Otherwise(outcome) => Self::from_outcome(outcome)?,
        })
    }

    fn from_outcome(outcome: &Outcome) -> Result<Self, MessageError> {
        let reason = outcome.reason.clone();
        let member = |name: &str| Json(outcome.detail.get(name).cloned().unwrap_or_default());
        let moment = |name: &str| {
            let text = outcome.detail.get(name).and_then(Value::as_text);
            text.and_then(Moment::parse).map(Text)
        };
        Ok(match outcome.kind {
            OutcomeKind::Rejected => Self::Rejected { reason, decision: member("decision") },
            OutcomeKind::NeedsCorrection => Self::NeedsCorrection {
                reason,
                notice: member("notice"),
                items: match member("items").0 {
                    Value::List(items) => items.into_iter().map(Json).collect(),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Int(_)
                    | Value::Decimal(_)
                    | Value::Text(_)
                    | Value::Map(_) => Vec::new(),
                },
                due: moment("due"),
            },
            OutcomeKind::NeedsApplicant => Self::NeedsApplicant {
                reason,
                action: member("action"),
                expires: moment("expires"),
            },
            OutcomeKind::Cancelled => Self::Cancelled { reason, by: member("by") },
            OutcomeKind::TimedOut => return Err(MessageError::NotOnWire("timed_out")),
        })
    }
}

fn moment_value(moment: Option<Text<Moment>>) -> Value {
    moment.map_or(Value::Null, |at| Value::text(at.0.to_string()))
}

/// Keeps what came with an outcome; members that say nothing are left out.
pub(super) fn otherwise<const N: usize>(
    kind: OutcomeKind,
    reason: String,
    detail: [(&str, Value); N],
) -> ReplyBody {
    let said = detail.into_iter().filter(|(_, value)| !value.is_blank());
    ReplyBody::Otherwise(Outcome {
        kind,
        reason,
        detail: Value::Map(said.map(|(name, value)| (name.to_owned(), value)).collect()),
    })
}

impl Document {
    fn into_core(self) -> DocumentRef {
        DocumentRef {
            role: self.role,
            number: self.number.unwrap_or(self.name),
            digest: self.digest.0,
        }
    }

    fn from_core(document: &DocumentRef) -> Self {
        Self {
            name: document.role.clone(),
            role: document.role.clone(),
            number: Some(document.number.clone()),
            media_type: None,
            digest: Text(document.digest),
        }
    }
}
