//! What agencies said about calls that a restored store does not know: a list for a person.

use tongban_core::agency::ReplyBody;
use tongban_core::command::Refusal;
use tongban_core::id::CallId;
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};

use super::Engine;
use crate::error::EngineError;

/// A parked message, without what it says about people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParkedView {
    /// The call that it is about; its id tells when the case was started.
    pub call: CallId,
    /// Number of the message.
    pub seq: u32,
    /// The connector that it came through.
    pub connector: String,
    /// When it came, by the lawful clock.
    pub at: Moment,
    /// What it is: `accepted`, `act`, `completed` or the kind of another outcome.
    pub kind: String,
}

impl Engine {
    /// Returns what agencies reported about calls that this store does not know, because they
    /// were made between a backup and its restore. Each is handed in once its case asks again.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless an integrator or a supervisor asks.
    pub fn parked_replies(&self, viewer: &Viewer) -> Result<Vec<ParkedView>, EngineError> {
        if !matches!(viewer.role, Role::Integrator | Role::Supervisor) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "只有集成人员或督查人员可以查看未匹配的回执",
                "only an integrator or a supervisor sees replies that match no call",
            )
            .into());
        }
        let parked = self.runtime.parked.all().into_iter();
        Ok(parked
            .map(|parked| ParkedView {
                call: parked.reply.call,
                seq: parked.reply.seq,
                kind: kind(&parked.reply.body).to_owned(),
                connector: parked.connector,
                at: parked.at,
            })
            .collect())
    }
}

fn kind(body: &ReplyBody) -> &'static str {
    match body {
        ReplyBody::Accepted { .. } => "accepted",
        ReplyBody::Act(_) => "act",
        ReplyBody::Completed { .. } => "completed",
        ReplyBody::Otherwise(outcome) => outcome.kind.code(),
    }
}
