//! Folding the ways out of incidents, and what persons say about the evaluation of scripts.

use std::sync::Arc;

use super::{
    CallStatus, Cancelled, Case, FoldError, IncidentEnd, IncidentState, Paused, Request, Settled,
};
use crate::entry::{Body, Entry, IncidentKind, Origin};
use crate::id::{DepartmentCode, MatterNo, Seq};
use crate::request::{End, Outcome, OutcomeKind, RequestKey};
use crate::way_out::{IncidentSettled, Overriding, ResultOverridden, RunRewound, Tail, WayOut};

/// Names the person behind an entry; the engine has no name.
fn subject(entry: &Entry) -> String {
    match &entry.origin {
        Origin::Person { subject, .. } => subject.clone(),
        Origin::Engine | Origin::Script | Origin::Clock | Origin::Agency { .. } => String::new(),
    }
}

impl Case {
    /// Returns the department that answers for a matter, or for the case as a whole (0).
    pub fn answers_for(&self, no: MatterNo) -> &DepartmentCode {
        let matter = self.matter(no);
        matter.map_or(&self.started.lead, |matter| &matter.planned.department)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
    pub(super) fn fold_way_out(&mut self, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::IncidentSettled(settled) => self.fold_settled(entry, settled),
            Body::WayOutProposed(settled) => {
                let by = subject(entry);
                self.incident_mut(entry, settled.incident)?.proposed =
                    Some((by, Arc::clone(settled)));
                Ok(())
            }
            Body::CaseRebound(rebound) => {
                self.rebound.push((entry.seq, Arc::clone(rebound)));
                Ok(())
            }
            Body::RunRewound(rewound) => self.fold_rewound(entry, rewound),
            Body::ResultOverridden(overridden) => self.fold_overridden(entry, overridden),
            Body::Paused { reason } => {
                let paused =
                    Paused { since: entry.recorded_at, by: subject(entry), reason: reason.clone() };
                self.paused.insert(entry.matter, paused);
                Ok(())
            }
            Body::Resumed { reason: _ } => {
                self.paused.remove(&entry.matter);
                Ok(())
            }
            Body::CancelRequested { reason } => {
                let cancel = Cancelled {
                    at: (entry.seq, entry.recorded_at),
                    reason: reason.clone(),
                    undone: false,
                };
                self.matter_mut(entry)?.run.cancel = Some(cancel);
                Ok(())
            }
            Body::CompensationEnded => self.fold_compensated(entry),
            Body::CallReopened { call, deadline } => {
                let at = self.at(entry);
                let error = || at.wrong(format!("there is no call {call}"));
                let call = self.call_mut(call).ok_or_else(error)?;
                call.status = CallStatus::Open;
                call.reopened = true;
                call.made.deadline = *deadline;
                Ok(())
            }
            Body::CallPlaced { request, call } => {
                self.request_mut(entry, request)?.call = Some(call.id);
                self.open_call(entry, request, call);
                Ok(())
            }
            other => Err(self.at(entry).wrong(format!("{other:?} is no way out"))),
        }
    }

    fn incident_mut(
        &mut self,
        entry: &Entry,
        incident: Seq,
    ) -> Result<&mut IncidentState, FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no open incident {incident}"));
        self.incidents.get_mut(&incident).filter(|known| known.is_open()).ok_or_else(error)
    }

    pub(super) fn request_mut(
        &mut self,
        entry: &Entry,
        key: &RequestKey,
    ) -> Result<&mut Request, FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no request {key}"));
        self.matter_mut(entry)?.run.request_mut(key).ok_or_else(error)
    }

    fn fold_settled(
        &mut self,
        entry: &Entry,
        settled: &Arc<IncidentSettled>,
    ) -> Result<(), FoldError> {
        let end = IncidentEnd {
            at: entry.seq,
            when: entry.recorded_at,
            by: subject(entry),
            settled: Arc::clone(settled),
        };
        let known = self.incident_mut(entry, settled.incident)?;
        known.end = Some(end);
        let (matter, call) = (known.matter, known.incident.call);
        let unread = known.incident.kind == IncidentKind::MessageUnread;
        if matter != MatterNo::COORDINATOR {
            let run = &mut self.matter_mut(entry)?.run;
            if run.stopped == Some(settled.incident) {
                run.stopped = None;
            }
            if unread {
                self.matter_mut(entry)?.look_at_mail(settled.incident);
            }
        }
        match (&settled.way, call) {
            (WayOut::Skip, Some(call)) => self.fold_skipped(entry, call, &settled.reason),
            (
                WayOut::Skip
                | WayOut::Retry
                | WayOut::Rebind { .. }
                | WayOut::Restart { .. }
                | WayOut::Override { .. }
                | WayOut::Cancel
                | WayOut::Acknowledge,
                _,
            ) => Ok(()),
        }
    }

    /// Officers let the matter go on without a call: for the script it was cancelled.
    fn fold_skipped(
        &mut self,
        entry: &Entry,
        call: crate::id::CallId,
        reason: &str,
    ) -> Result<(), FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no call {call}"));
        let call = self.call_mut(&call).ok_or_else(error)?;
        call.end(CallStatus::Over, entry.recorded_at);
        let key = call.request.clone();
        if self.request_mut(entry, &key)?.settled.is_some() {
            return Ok(());
        }
        let outcome = Outcome {
            kind: OutcomeKind::Cancelled,
            reason: reason.to_owned(),
            detail: crate::value::Value::Null,
        };
        self.settle(entry, &key, End::Otherwise(outcome))
    }

    fn fold_rewound(&mut self, entry: &Entry, rewound: &RunRewound) -> Result<(), FoldError> {
        let run = &mut self.matter_mut(entry)?.run;
        if rewound.tail == Tail::Discarded {
            let script = run.requests.iter_mut().filter(|request| request.made.key.run != 0);
            for request in script.filter(|request| request.at >= rewound.keep) {
                request.discarded = true;
            }
        }
        self.restart(entry, rewound.generation, Some(rewound.keep))
    }

    fn fold_overridden(
        &mut self,
        entry: &Entry,
        overridden: &ResultOverridden,
    ) -> Result<(), FoldError> {
        let key = &overridden.request;
        let end = match &overridden.with {
            Overriding::Outcome(outcome) => End::Otherwise(outcome.clone()),
            Overriding::Output(output) => {
                let request = self.request_mut(entry, key)?;
                let call = request.call.unwrap_or(crate::id::CallId([0; 16]));
                End::Completed(Arc::new(crate::agency::AgencyReply {
                    call,
                    seq: 0,
                    digest: crate::digest::Digest::of(&output.canonical()),
                    at: entry.recorded_at,
                    body: crate::agency::ReplyBody::Completed {
                        output: output.clone(),
                        documents: Vec::new(),
                    },
                }))
            }
        };
        let call = self.request_mut(entry, key)?.call;
        if let Some(call) = call.and_then(|id| self.call_mut(&id)) {
            call.end(CallStatus::Over, entry.recorded_at);
        }
        let run = &mut self.matter_mut(entry)?.run;
        let before = run.request(key).and_then(|request| request.settled.clone());
        let (seq, at) = before.map_or((entry.seq, entry.recorded_at), |old| (old.seq, old.at));
        let settled = Settled { seq, at, end };
        // Those that took the result over have it corrected too.
        let mut chain = vec![key.clone()];
        for request in &mut run.requests {
            let own = request.made.key == *key;
            let adopted =
                request.made.adopts.as_ref().is_some_and(|adopted| chain.contains(adopted));
            if own || adopted {
                request.settled = Some(settled.clone());
                chain.push(request.made.key.clone());
            }
        }
        Ok(())
    }
}
