//! Folding what comes before a decision: what `intake` advises, and which earlier call a call
//! amends.

use super::{Case, FoldError, Run};
use crate::entry::{Body, Entry};
use crate::id::CallId;
use crate::recommend::Advice;
use crate::request::{End, Request, RequestKind};

impl Case {
    /// Folds an evaluation of `intake` and what it came to.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
    pub(super) fn fold_advice(&mut self, entry: &Entry) -> Result<(), FoldError> {
        let advice = match &entry.body {
            Body::IntakeBegun { generation } => Advice {
                generation: *generation,
                begun: Some((entry.seq, entry.recorded_at)),
                ..Advice::default()
            },
            Body::IntakeRecommended(recommended) => {
                let advice = self.matter_mut(entry)?.advice.clone();
                Advice { recommended: Some(recommended.what.clone()), ..advice }
            }
            other => return Err(self.at(entry).wrong(format!("{other:?} is no advice"))),
        };
        self.matter_mut(entry)?.advice = advice;
        Ok(())
    }
}

impl Run {
    /// Returns the call that the request at `index` asks anew: one of an earlier generation to the
    /// same place, which ended because somebody had to do something first. Each is amended once;
    /// of several the one in the same position comes first.
    pub(super) fn amended_by(&self, index: usize) -> Option<CallId> {
        let own = &self.requests[index].made;
        let earlier = self.requests[..index].iter().filter(|request| {
            let key = &request.made.key;
            let ended = request.settled.as_ref().map(|settled| &settled.end);
            key.run == own.key.run
                && key.generation < own.key.generation
                && request.made.ask.kind() == RequestKind::Call
                && request.made.ask.target() == own.ask.target()
                && matches!(ended, Some(End::Otherwise(outcome)) if outcome.kind.is_amendable())
        });
        let free = earlier.filter(|request| {
            self.requests[..index].iter().all(|other| other.amends != request.call)
        });
        let same = |request: &&Request| request.made.key.ordinal == own.key.ordinal;
        let found: Vec<&Request> = free.collect();
        found.iter().copied().find(same).or_else(|| found.first().copied())?.call
    }
}
