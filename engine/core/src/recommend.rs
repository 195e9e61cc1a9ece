//! What a matter's `intake` function advises on a filed matter: accept it, ask for one complete
//! correction, or refuse on an enumerated ground.
//!
//! An advice never acts against the applicant. Accepting is not adverse, so the engine may follow
//! an advice to accept; anything else is shown to a clerk, who acts or does not.

use serde::{Deserialize, Serialize};

use crate::id::Seq;
use crate::law::CorrectionList;
use crate::time::Moment;
use crate::value::Value;

/// Number of the run under which what `intake` asks is recorded; `handle` counts from 1, and the
/// engine's own requests on a matter are those of run 0.
pub const INTAKE_RUN: u16 = u16::MAX;

/// What `intake` advises.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Recommendation {
    /// Everything is in order.
    Accept,
    /// Something is to be corrected first: all of it, told once.
    Correct(CorrectionList),
    /// It is not to be accepted.
    NotAccept {
        /// One of the enumerated grounds.
        ground: String,
        /// Why, in words.
        reason: String,
    },
}

impl Recommendation {
    /// Returns the code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Correct(_) => "correct",
            Self::NotAccept { .. } => "not_accept",
        }
    }

    /// Returns the Chinese name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accept => "建议受理",
            Self::Correct(_) => "建议一次性告知补正",
            Self::NotAccept { .. } => "建议不予受理",
        }
    }

    /// Returns it as the facts that a clerk sees beside his task.
    pub fn facts(&self) -> Value {
        let texts = |list: &[String]| {
            Value::List(list.iter().map(|text| Value::from(text.as_str())).collect())
        };
        let mut facts = Value::of([("kind", self.code().into()), ("name", self.name().into())]);
        match self {
            Self::Accept => {}
            Self::Correct(list) => facts.overlay(&Value::of([
                ("materials", texts(&list.materials)),
                ("fields", texts(&list.fields)),
                ("text", list.text.as_str().into()),
            ])),
            Self::NotAccept { ground, reason } => facts.overlay(&Value::of([
                ("ground", ground.as_str().into()),
                ("reason", reason.as_str().into()),
            ])),
        }
        facts
    }
}

/// An advice as it was recorded.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Recommended {
    /// The evaluation that came to it.
    pub generation: u16,
    /// The advice.
    pub what: Recommendation,
}

/// Where the advice on a matter stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Advice {
    /// Evaluations so far; each begins with what is filed then.
    pub generation: u16,
    /// Entry that the newest begins with, and its time.
    pub begun: Option<(Seq, Moment)>,
    /// What it came to.
    pub recommended: Option<Recommendation>,
    /// Whether it came to nothing: the incident says why.
    pub failed: bool,
}

impl Advice {
    /// Tells whether an advice is still to come.
    pub fn is_pending(&self) -> bool {
        self.begun.is_some() && self.recommended.is_none() && !self.failed
    }

    /// Returns what a clerk sees of it; nothing where the matter advises nothing.
    pub fn facts(&self) -> Option<Value> {
        self.begun?;
        let state =
            |kind: &str, name: &str| Value::of([("kind", kind.into()), ("name", name.into())]);
        Some(match &self.recommended {
            Some(recommended) => recommended.facts(),
            None if self.failed => state("failed", "预审未能完成,请人工审查"),
            None => state("pending", "预审进行中"),
        })
    }
}
