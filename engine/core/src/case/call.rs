//! Folding what scripts ask for and what agencies say: requests, calls, replies, and what is no
//! longer waited for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{CallState, CallStatus, Case, FoldError};
use crate::agency::{AgencyReply, Call, ReplyBody};
use crate::digest::Secret;
use crate::entry::{CallMade, CallRenewed, Entry, Requested};
use crate::id::{CallId, DepartmentCode, MatterNo};
use crate::law::{Clock, ClockKind};
use crate::request::{Ask, End, Outcome, Request, RequestKey, RequestKind};
use crate::value::Value;

/// What a call asks, as far as its request says it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// `role.operation`.
    pub(crate) operation: &'a str,
    /// The input.
    pub(crate) input: &'a Value,
    /// The earlier call that it amends.
    pub(crate) amends: Option<CallId>,
}

impl Case {
    /// Returns a call as it is sent: the same journal gives the same call. `None` when the case
    /// has no such call.
    pub fn call_to_send(&self, id: CallId, secret: &Secret) -> Option<Call> {
        let state = self.calls.get(&id)?;
        let request = self.matter(state.matter)?.run.request(&state.request)?;
        let Ask::Call { operation, input, place: _ } = &request.made.ask else { return None };
        self.call_of(
            state.matter,
            &state.made,
            Asked { operation, input, amends: state.amends },
            secret,
        )
    }

    /// Puts a call together.
    pub(crate) fn call_of(
        &self,
        no: MatterNo,
        made: &CallMade,
        asked: Asked<'_>,
        secret: &Secret,
    ) -> Option<Call> {
        let (role, operation) = asked.operation.split_once('.')?;
        Some(Call {
            id: made.id,
            operation: operation.to_owned(),
            role: DepartmentCode::new(role),
            region: made.region.clone(),
            case_no: self.started.number.clone(),
            matter: self.matter(no)?.planned.code.clone(),
            issued_at: made.issued_at,
            deadline: made.deadline,
            input: asked.input.clone(),
            salt: secret.keyed(b"call-salt", &made.id.0),
            amends: asked.amends,
            body: made.body,
        })
    }

    pub(super) fn fold_requested(
        &mut self,
        entry: &Entry,
        made: &Arc<Requested>,
    ) -> Result<(), FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("request {} was made before", made.key));
        let matter = self.matter_mut(entry)?;
        let index = matter.run.requests.len();
        if matter.run.by_key.insert(made.key.clone(), index).is_some() {
            return Err(error());
        }
        matter.run.requests.push(Request {
            made: Arc::clone(made),
            at: entry.seq,
            asked_at: entry.recorded_at,
            call: made.call.as_ref().map(|call| call.id),
            settled: None,
            discarded: false,
            amends: None,
        });
        if made.call.is_some() {
            let run = &mut self.matter_mut(entry)?.run;
            let amends = run.amends(&made.key, &made.ask);
            run.requests[index].amends = amends;
        }
        if let Some(earlier) = &made.adopts {
            let at = self.at(entry);
            let error = || at.wrong(format!("there is no request {earlier} to adopt"));
            let run = &mut self.matter_mut(entry)?.run;
            let adopted = run.request(earlier).cloned().ok_or_else(error)?;
            let own = &mut run.requests[index];
            own.settled = adopted.settled;
            own.call = adopted.call;
        }
        if let Some(call) = &made.call {
            self.open_call(entry, &made.key, call);
        }
        Ok(())
    }

    pub(super) fn open_call(&mut self, entry: &Entry, key: &RequestKey, made: &CallMade) {
        let matter = self.matter(entry.matter);
        let request = matter.and_then(|matter| matter.run.request(key));
        let amends = request.and_then(|request| request.amends);
        let call = CallState {
            made: made.clone(),
            matter: entry.matter,
            request: key.clone(),
            at: entry.seq,
            opened_at: entry.recorded_at,
            clock: made.reply_within.map(|within| Clock {
                about: made.id.to_string(),
                ..Clock::running(ClockKind::Connector, within, entry.recorded_at)
            }),
            status: CallStatus::Open,
            reopened: false,
            messages: BTreeMap::new(),
            released: None,
            amends,
        };
        self.calls.insert(made.id, Arc::new(call));
    }

    pub(super) fn call_mut(&mut self, id: &CallId) -> Option<&mut CallState> {
        self.calls.get_mut(id).map(Arc::make_mut)
    }

    pub(super) fn fold_reply(
        &mut self,
        entry: &Entry,
        reply: &Arc<AgencyReply>,
    ) -> Result<(), FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no call {}", reply.call));
        let call = self.call_mut(&reply.call).ok_or_else(error)?;
        call.messages.insert(reply.seq, reply.digest);
        let key = call.request.clone();
        let end = match &reply.body {
            ReplyBody::Accepted { next_query_after, .. } => {
                call.status = CallStatus::Accepted {
                    since: entry.recorded_at,
                    next_query_after: *next_query_after,
                };
                return Ok(());
            }
            ReplyBody::Act(act) => {
                let early = Arc::clone(reply);
                let comes_after = !matches!(
                    act.act.as_str(),
                    "accepted"
                        | "not_accepted"
                        | "correction"
                        | "correction_supplied"
                        | "terminated"
                );
                let matter = self.matter_mut(entry)?;
                let of_correction = act.act == "served" && matter.law.correction().is_some();
                if comes_after && !of_correction && matter.law.stage.is_before_acceptance() {
                    matter.early.push(early);
                }
                return Ok(());
            }
            ReplyBody::Completed { .. } => End::Completed(Arc::clone(reply)),
            ReplyBody::Otherwise(outcome) => End::Otherwise(outcome.clone()),
        };
        call.end(CallStatus::Over, entry.recorded_at);
        self.settle(entry, &key, end)
    }

    pub(super) fn fold_renewed(
        &mut self,
        entry: &Entry,
        renewed: &CallRenewed,
    ) -> Result<(), FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no call {}", renewed.old));
        let old = self.call_mut(&renewed.old).ok_or_else(error)?;
        old.end(CallStatus::Over, entry.recorded_at);
        let released = old.released;
        self.open_call(entry, &renewed.request, &renewed.call);
        if let Some(call) = self.call_mut(&renewed.call.id) {
            call.released = released;
        }
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no request {}", renewed.request));
        let at = self.at(entry);
        let ended = || at.wrong(format!("request {} has ended", renewed.request));
        let run = &mut self.matter_mut(entry)?.run;
        let request = run.request_mut(&renewed.request).ok_or_else(error)?;
        if request.settled.is_some() {
            return Err(ended());
        }
        request.call = Some(renewed.call.id);
        Ok(())
    }

    pub(super) fn fold_released(
        &mut self,
        entry: &Entry,
        key: &RequestKey,
    ) -> Result<(), FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no request {key}"));
        let request = self.matter_mut(entry)?.run.request(key).ok_or_else(error)?;
        match (request.made.ask.kind(), request.call) {
            (RequestKind::Receive, _) => self.give_back(entry, key),
            (RequestKind::Call, Some(call)) => {
                let call = self.call_mut(&call);
                call.ok_or_else(|| at.wrong(format!("request {key} has no call")))?.released =
                    Some(entry.seq);
                Ok(())
            }
            (RequestKind::Patch, _) => Err(at.wrong("nothing waits for a patch")),
            (
                RequestKind::Timer
                | RequestKind::Decide
                | RequestKind::Act
                | RequestKind::Call
                | RequestKind::Compensate,
                _,
            ) => {
                let outcome = crate::replay::no_longer_waited_for();
                self.settle(entry, key, End::Otherwise(outcome))
            }
        }
    }

    pub(super) fn fold_resolved(
        &mut self,
        entry: &Entry,
        call: CallId,
        reason: &str,
    ) -> Result<(), FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no open call {call}"));
        let open = self.call_mut(&call).filter(|call| call.is_open()).ok_or_else(error)?;
        open.end(CallStatus::Over, entry.recorded_at);
        let key = open.request.clone();
        let request = self.matter_mut(entry)?.run.request(&key);
        if request.is_some_and(|request| request.settled.is_none()) {
            return self.settle(entry, &key, End::Otherwise(Outcome::cancelled(reason)));
        }
        Ok(())
    }
}
