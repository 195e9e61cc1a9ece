//! Filling a form from shared data before it is filed (免填): which field comes from where, what
//! was asked, and what came of it.
//!
//! A value that a source gave is written by the engine itself, with the call that brought it, so
//! that nobody can claim a source for what he typed. A source that does not answer leaves its
//! fields open and says why; it blocks nothing.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::CallId;
use crate::material::Cause;
use crate::request::RequestKey;
use crate::time::Moment;
use crate::value::Value;

/// Number of the run under which the engine's questions for a form are recorded.
pub const PREFILL_RUN: u16 = u16::MAX - 1;

/// Where a field's value comes from, as its declaration says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldSource {
    /// The data resource: `role.operation`.
    pub resource: String,
    /// Where in its output the value stands, members joined by dots.
    pub path: String,
    /// The member of its input that says whose record is wanted.
    pub member: String,
    /// The field of the form that holds it; the applicant's own identifier when none is named.
    pub by: Option<String>,
}

impl FieldSource {
    /// Reads the value from what the source gave.
    pub fn read<'v>(&self, output: &'v Value) -> Option<&'v Value> {
        let mut at = output;
        for name in self.path.split('.') {
            at = at.get(name)?;
        }
        Some(at).filter(|value| !value.is_blank())
    }
}

/// A source that was asked for fields, or could not be, or what came of the asking.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FieldsTried {
    /// The fields.
    pub fields: Vec<String>,
    /// The resource.
    pub source: String,
    /// The engine's request; none where nothing was asked.
    pub request: Option<RequestKey>,
    /// What came of it; none while it is being asked.
    pub cause: Option<Cause>,
    /// Under which authorisation it was asked; none where there was none.
    pub authority: Option<Authority>,
    /// Why a clerk asked for the applicant.
    pub reason: String,
}

/// On whose word, and what for, a source was asked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Authority {
    /// Identifier of whoever authorised it.
    pub by: String,
    /// What for: the code of the matter.
    pub purpose: String,
    /// Version of the text that he agreed to.
    pub text_version: String,
}

/// Where a value of the form came from, as the engine itself recorded it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Provenance {
    /// The resource.
    pub source: String,
    /// When it was got.
    pub at: Moment,
    /// On which authority it was asked.
    pub authority: Option<Authority>,
    /// The call that brought it.
    pub call: CallId,
    /// Digest of the message that brought it.
    pub digest: Digest,
}
