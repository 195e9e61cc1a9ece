//! Requests: what a run durably asks for, and how each ends.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agency::AgencyReply;
use crate::digest::Digest;
use crate::entry::Requested;
use crate::id::{CallId, Seq};
use crate::law::{ActAnswer, ActKind};
use crate::prefill::PREFILL_RUN;
use crate::time::Moment;
use crate::value::Value;
use crate::way_out::Message;

/// Names one request of a matter. The ordinal is taken when the handle is built.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RequestKey {
    /// Evaluation of `handle` from the start, from 1; a correction begins the next run. Of
    /// `intake` it is [`crate::recommend::INTAKE_RUN`].
    pub run: u16,
    /// Restart generation within the run, from 0.
    pub generation: u16,
    /// Path of the scope; empty for the script's own top scope.
    pub scope: Vec<u16>,
    /// Order of making within the scope, from 0.
    pub ordinal: u32,
}

/// Scope of the engine's own requests that undo; run 0 is the engine's.
const UNDO: u16 = 1;

impl RequestKey {
    /// Tells whether the engine itself asks a source, for a material or for the form: what does
    /// not answer at once gives way. What it asks to undo something has a scope, and does not.
    pub fn is_of_a_source(&self) -> bool {
        (self.run == 0 && self.scope.is_empty()) || self.run == PREFILL_RUN
    }

    /// Names the engine's call that undoes registration `index`, asked for the `generation`th time.
    pub(crate) fn undoing(index: u32, generation: u16) -> Self {
        Self { run: 0, generation, scope: vec![UNDO], ordinal: index }
    }

    /// Returns which registration this request of the engine undoes, if it is one that does.
    pub(crate) fn undoes(&self) -> Option<u32> {
        (self.run == 0 && self.scope == [UNDO]).then_some(self.ordinal)
    }
}

impl std::fmt::Display for RequestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.run, self.generation)?;
        for step in &self.scope {
            write!(f, "/{step}")?;
        }
        write!(f, "#{}", self.ordinal)
    }
}

/// A text that names no request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("请求须写作 1.0#3 或 1.0/2#3 / a request is written as 1.0#3 or 1.0/2#3")]
pub struct NoRequestKey;

impl std::str::FromStr for RequestKey {
    type Err = NoRequestKey;

    fn from_str(text: &str) -> Result<Self, NoRequestKey> {
        let parts = text.split_once('#').and_then(|(path, ordinal)| {
            let mut steps = path.split('/');
            let (run, generation) = steps.next()?.split_once('.')?;
            let scope: Result<Vec<u16>, _> = steps.map(str::parse).collect();
            Some(Self {
                run: run.parse().ok()?,
                generation: generation.parse().ok()?,
                scope: scope.ok()?,
                ordinal: ordinal.parse().ok()?,
            })
        });
        // Signs and leading zeros read as numbers, but nothing prints them.
        parts.filter(|key: &Self| key.to_string() == text).ok_or(NoRequestKey)
    }
}

/// What kind of thing is asked for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum RequestKind {
    /// A call to an agency; the target is `role.operation`.
    Call,
    /// A decision of a person; the target is the role.
    Decide,
    /// A timer; the target is the period or instant.
    Timer,
    /// An act of the law; the target is the act's code.
    Act,
    /// The marker of a patch of the script; the target is its id.
    Patch,
    /// A message; the target is the channel.
    Receive,
    /// How to undo what follows, registered; the target is `role.operation`.
    Compensate,
}

/// One request as the script made it, before the engine gives it a call id or a task.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRequest {
    /// Its name.
    pub key: RequestKey,
    /// What was consumed in the scope when it was made.
    pub seen: Seq,
    /// The digest that replay compares.
    pub digest: Digest,
    /// What is asked.
    pub ask: Ask,
    /// The request of an earlier generation whose result it takes over.
    pub adopts: Option<RequestKey>,
    /// Whether it may leave; what is asked between a stop and the wait that throws it may not.
    pub leaves: bool,
}

/// What is asked, with all that the engine needs to carry it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// Call an operation of an agency.
    Call {
        /// `role.operation`.
        operation: String,
        /// Place of the agency; `None` is the matter's own region.
        place: Option<String>,
        /// Its input.
        input: Value,
    },
    /// Ask a person to decide.
    Decide {
        /// `department.role`.
        role: String,
        /// What the person reads; not part of the fingerprint.
        title: String,
        /// The facts beside it; not part of the fingerprint.
        facts: Value,
        /// Options that change the meaning; part of the fingerprint.
        options: Value,
    },
    /// Wait for an instant.
    Timer {
        /// The period, for display.
        text: String,
        /// When it is due.
        due: Moment,
    },
    /// Do an act of the law.
    Act {
        /// Which.
        act: ActKind,
        /// On what ground.
        evidence: Option<Evidence>,
        /// What goes with it.
        detail: Value,
    },
    /// Mark that the changed way of a script was taken; nobody is asked for anything.
    Patch {
        /// The patch.
        id: String,
        /// Whether only the changed way is left: a script may stop speaking of it.
        deprecated: bool,
    },
    /// Wait for a message.
    Receive {
        /// The channel.
        channel: String,
    },
    /// Register how to undo what follows. Never sent unless the matter is cancelled.
    Compensate {
        /// `role.operation`.
        operation: String,
        /// Place of the agency; `None` is the matter's own region.
        place: Option<String>,
        /// Its input.
        input: Value,
    },
}

impl Ask {
    /// Returns the kind.
    pub fn kind(&self) -> RequestKind {
        match self {
            Self::Call { .. } => RequestKind::Call,
            Self::Decide { .. } => RequestKind::Decide,
            Self::Timer { .. } => RequestKind::Timer,
            Self::Act { .. } => RequestKind::Act,
            Self::Patch { .. } => RequestKind::Patch,
            Self::Receive { .. } => RequestKind::Receive,
            Self::Compensate { .. } => RequestKind::Compensate,
        }
    }

    /// Returns the target that replay compares and people read.
    pub fn target(&self) -> String {
        match self {
            Self::Call { operation, place: None, .. }
            | Self::Compensate { operation, place: None, .. } => operation.clone(),
            Self::Call { operation, place: Some(place), .. }
            | Self::Compensate { operation, place: Some(place), .. } => {
                format!("{operation}@{place}")
            }
            Self::Decide { role, .. } => role.clone(),
            Self::Timer { text, .. } => text.clone(),
            Self::Act { act, .. } => act.code().to_owned(),
            Self::Patch { id, .. } => id.clone(),
            Self::Receive { channel } => channel.clone(),
        }
    }

    /// Returns the size in bytes that the question adds to its run.
    pub fn weight(&self) -> usize {
        match self {
            Self::Call { input, .. } | Self::Compensate { input, .. } => input.size(),
            Self::Decide { facts, options, .. } => facts.size() + options.size(),
            Self::Timer { .. } | Self::Receive { .. } => 0,
            Self::Act { detail, .. } => detail.size(),
            Self::Patch { id, .. } => id.len(),
        }
    }

    /// Tells whether both have one kind, target and fingerprint.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Call { operation, place, input },
                Self::Call { operation: their_operation, place: their_place, input: theirs },
            )
            | (
                Self::Compensate { operation, place, input },
                Self::Compensate { operation: their_operation, place: their_place, input: theirs },
            ) => operation == their_operation && place == their_place && input == theirs,
            (
                Self::Decide { role, options, .. },
                Self::Decide { role: their_role, options: theirs, .. },
            ) => role == their_role && options == theirs,
            (Self::Timer { text, .. }, Self::Timer { text: theirs, .. }) => text == theirs,
            (
                Self::Act { act, evidence, detail },
                Self::Act { act: their_act, evidence: their_evidence, detail: theirs },
            ) => act == their_act && evidence == their_evidence && detail == theirs,
            (Self::Patch { id, .. }, Self::Patch { id: theirs, .. }) => id == theirs,
            (Self::Receive { channel }, Self::Receive { channel: theirs }) => channel == theirs,
            (
                Self::Call { .. }
                | Self::Decide { .. }
                | Self::Timer { .. }
                | Self::Act { .. }
                | Self::Patch { .. }
                | Self::Receive { .. }
                | Self::Compensate { .. },
                _,
            ) => false,
        }
    }

    /// Returns the value whose digest is the fingerprint.
    pub fn fingerprint(&self) -> Value {
        match self {
            Self::Call { input, .. } | Self::Compensate { input, .. } => input.clone(),
            Self::Decide { options, .. } => options.clone(),
            Self::Timer { .. } | Self::Patch { .. } | Self::Receive { .. } => Value::Null,
            Self::Act { evidence, detail, .. } => Value::List(vec![
                Value::from(evidence.as_ref().map_or_else(String::new, ToString::to_string)),
                detail.clone(),
            ]),
        }
    }
}

/// What a grant rests on: a decision, or the documents of a completed call.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Evidence {
    /// The closing entry of a decision.
    Decision(RequestKey),
    /// A completed call.
    Call(RequestKey),
}

impl Evidence {
    /// Returns the request it rests on.
    pub fn key(&self) -> &RequestKey {
        match self {
            Self::Decision(key) | Self::Call(key) => key,
        }
    }
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decision(key) => write!(f, "decision {key}"),
            Self::Call(key) => write!(f, "call {key}"),
        }
    }
}

/// A request in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// As it was recorded.
    pub made: Arc<Requested>,
    /// Entry that recorded it.
    pub at: Seq,
    /// When it was recorded.
    pub asked_at: Moment,
    /// The call that carries it at present, for calls.
    pub call: Option<CallId>,
    /// How it ended, if it has.
    pub settled: Option<Settled>,
    /// Whether a run went back to before it: no later generation takes it over.
    pub discarded: bool,
    /// The earlier call that its own call amends.
    pub amends: Option<CallId>,
}

/// The end of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The entry that ended it.
    pub seq: Seq,
    /// Time for `now()`: the entry's own, or a timer's due time.
    pub at: Moment,
    /// How.
    pub end: End,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The call completed; the reply holds output and documents.
    Completed(Arc<AgencyReply>),
    /// The call ended otherwise.
    Otherwise(Outcome),
    /// A person decided.
    Decided(Decision),
    /// The timer fired.
    Fired,
    /// The law answered.
    Answered(ActAnswer),
    /// A message came.
    Received(Arc<Message>),
}

/// A terminal outcome of a call that is not `completed`. None of them is an error; each ends the
/// call, never the matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which.
    pub kind: OutcomeKind,
    /// The agency's words.
    pub reason: String,
    /// What the agency sent with it (items to correct, action of the applicant).
    pub detail: Value,
}

impl Outcome {
    /// Builds the outcome of what was called off.
    pub fn cancelled(reason: impl Into<String>) -> Self {
        Self { kind: OutcomeKind::Cancelled, reason: reason.into(), detail: Value::Null }
    }
}

/// The kinds of outcome that are not `completed`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum OutcomeKind {
    /// A lawful no.
    Rejected,
    /// Items must be corrected first.
    NeedsCorrection,
    /// The applicant must do something first.
    NeedsApplicant,
    /// The call was cancelled, or nobody waits for it any more.
    Cancelled,
    /// A `timeout` was due first; the call goes on as an obligation of the case.
    TimedOut,
}

impl OutcomeKind {
    /// Tells whether the call may be made anew once somebody has done what was wanted; the new
    /// one names it.
    pub fn is_amendable(self) -> bool {
        matches!(self, Self::NeedsCorrection | Self::NeedsApplicant)
    }

    /// Returns the code that scripts and the wire use.
    pub fn code(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::NeedsCorrection => "needs_correction",
            Self::NeedsApplicant => "needs_applicant",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

/// What a person decided in a `decide`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it was a yes.
    pub granted: bool,
    /// The reasons or opinion.
    pub opinion: String,
    /// Who decided.
    pub officer: String,
    /// Further fields of the decision form.
    pub fields: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_undoes_is_sent_again_when_its_agency_is_down_and_does_not_give_way() {
        let key = |run, scope: &[u16]| RequestKey {
            run,
            generation: 0,
            scope: scope.to_vec(),
            ordinal: 0,
        };
        assert!(key(0, &[]).is_of_a_source() && key(PREFILL_RUN, &[]).is_of_a_source());
        assert!(!key(0, &[1]).is_of_a_source(), "the engine undoes something");
        assert!(!key(1, &[]).is_of_a_source(), "a script asks");
    }

    #[test]
    fn a_request_reads_back_as_it_prints_and_nothing_else_does() {
        for text in ["1.0#3", "12.2/0/7#0"] {
            assert_eq!(text.parse::<RequestKey>().unwrap().to_string(), text);
        }
        for text in ["", "1.0", "1#3", "1.0#", "+1.0#3", "1.0#03", "1.0/#3", "1.0#3 "] {
            assert_eq!(text.parse::<RequestKey>(), Err(NoRequestKey), "{text}");
        }
    }
}
