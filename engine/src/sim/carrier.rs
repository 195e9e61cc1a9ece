//! Where each call of a scene stands on its way, as the runtime's carriers would have it: sent
//! until its deadline with growing pauses, only asked about after it, answered in messages.

use std::collections::VecDeque;

use tongban_core::limits;
use tongban_core::rehearsal::Said;
use tongban_core::time::Moment;
use tongban_core::value::Value;

/// Queries of a call past its deadline before a person must look; the runtime asks as often.
pub(super) const LATE_QUERIES_MAX: u32 = 10;

/// One call on its way.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    /// `role.operation`.
    pub(super) operation: String,
    /// The connector it goes through.
    pub(super) connector: String,
    /// Its input.
    pub(super) input: Value,
    /// When the agency must have begun.
    pub(super) deadline: Moment,
    /// Attempts so far.
    pub(super) attempt: u32,
    /// Queries after the deadline so far.
    pub(super) late: u32,
    /// Number of the newest message.
    pub(super) seq: u32,
    /// Serial number of what the agency issues for it, once it has one.
    pub(super) serial: Option<u32>,
    /// What comes next.
    pub(super) next: Next,
}

/// What happens to a call next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// It is sent, again perhaps.
    Send(Moment),
    /// It was sent, and the agency was told nothing.
    Silence,
    /// The agency has it and will say this; the first of it then.
    Hear(Moment, VecDeque<Said>),
    /// The agency has it and was told to say nothing more.
    Kept,
}

impl Carrier {
    /// Returns when something happens by itself.
    pub(super) fn due(&self) -> Option<Moment> {
        match self.next {
            Next::Send(at) | Next::Hear(at, _) => Some(at),
            Next::Silence | Next::Kept => None,
        }
    }
}

/// Returns the milliseconds before attempt `attempt` + 1: doubled each time, up to the limit.
pub(super) fn back_off(attempt: u32) -> i64 {
    let doubled = limits::CALL_BACKOFF_MILLIS_MIN.saturating_mul(1 << attempt.min(16));
    i64::try_from(doubled.min(limits::CALL_BACKOFF_MILLIS_MAX)).unwrap_or(i64::MAX)
}
