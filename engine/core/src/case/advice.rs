//! Folding what comes before a decision: what sources say of the form, what `intake` advises, and
//! which earlier call a call amends.

use std::sync::Arc;

use super::{CallState, Case, FoldError, Run};
use crate::entry::{Body, Entry};
use crate::id::{CallId, MatterNo};
use crate::prefill::{Authority, FieldsTried, PREFILL_RUN, Provenance};
use crate::recommend::Advice;
use crate::request::{Ask, End, Request, RequestKey, RequestKind, Settled};

impl Case {
    /// Folds an evaluation of `intake` and what it came to, or what a source said of the form.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
    pub(super) fn fold_advice(&mut self, entry: &Entry) -> Result<(), FoldError> {
        let advice = match &entry.body {
            Body::FieldsTried(tried) => {
                self.fold_tried(entry.matter, tried);
                return Ok(());
            }
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

    /// Folds that a source of the form is being asked, or what came of it in its place.
    fn fold_tried(&mut self, matter: MatterNo, tried: &Arc<FieldsTried>) {
        self.prefills.retain(|(no, past)| {
            let same = *no == matter && past.source == tried.source && past.fields == tried.fields;
            !(same && (past.request.is_none() || past.request == tried.request))
        });
        self.prefills.push((matter, Arc::clone(tried)));
    }

    /// Returns where the value of a field came from, if a source gave it and nobody changed it.
    pub fn provenance(&self, field: &str) -> Option<Provenance> {
        let mut changes = self.form_changes.iter().rev();
        let (_, change) = changes.find(|(at, change)| {
            change.fields.get(field).is_some() && !self.voided.contains_key(at)
        })?;
        let mut calls = self.calls.values();
        let call = calls.find(|call| {
            call.request.run == PREFILL_RUN && call.made.id.to_string() == change.evidence
        })?;
        let request = self.matter(call.matter)?.run.request(&call.request)?;
        match request.settled.as_ref()? {
            Settled { at, end: End::Completed(reply), .. } => Some(Provenance {
                source: change.source.clone(),
                at: *at,
                call: call.made.id,
                digest: reply.digest,
                authority: self.authority_of(call),
            }),
            Settled { .. } => None,
        }
    }

    fn authority_of(&self, call: &CallState) -> Option<Authority> {
        let mut tried = self.prefills.iter();
        let own = tried.find(|(no, tried)| {
            *no == call.matter && tried.request.as_ref() == Some(&call.request)
        });
        own.and_then(|(_, tried)| tried.authority.clone())
    }
}

impl Run {
    /// Returns the call that a new request asks anew: one of an earlier generation to the same
    /// place, which ended because somebody had to do something first. Each is amended once; of
    /// several the one in the same position comes first.
    pub(crate) fn amends(&self, own: &RequestKey, ask: &Ask) -> Option<CallId> {
        let earlier = self.requests.iter().filter(|request| {
            let key = &request.made.key;
            let ended = request.settled.as_ref().map(|settled| &settled.end);
            key.run == own.run
                && key.generation < own.generation
                && request.made.ask.kind() == RequestKind::Call
                && request.made.ask.target() == ask.target()
                && matches!(ended, Some(End::Otherwise(outcome)) if outcome.kind.is_amendable())
        });
        let taken = |call: Option<CallId>| self.requests.iter().any(|other| other.amends == call);
        let free = earlier.filter(|request| !taken(request.call));
        let same = |request: &&Request| request.made.key.ordinal == own.ordinal;
        let found: Vec<&Request> = free.collect();
        found.iter().copied().find(same).or_else(|| found.first().copied())?.call
    }
}
