//! Ways out: what a person does about an incident, and about the evaluation of scripts.
//!
//! Technical ways (try again, another closure, back to an entry) are for the system's admin or
//! the head of the office; ways that put somebody's word in the place of an agency's are for the
//! department and take two persons. Each is an entry with who, why and when.

use std::sync::Arc;

use crate::case::{FoldError, IncidentState};
use crate::command::{Answer, Refusal, Steering, WayTaken};
use crate::definition::Closure;
use crate::dry_run::{Candidate, dry_run};
use crate::entry::{Body, CallMade, Incident, IncidentKind, Origin, TaskKind};
use crate::id::{CallId, MatterNo, Seq};
use crate::limits;
use crate::request::{Ask, RequestKey};
use crate::viewer::{Role, Viewer};
use crate::way_out::{
    CaseRebound, IncidentSettled, Overriding, ResultOverridden, RunRewound, Tail, WayOut,
    may_settle, sees_incidents,
};

use super::accept::person;
use super::{Effect, Turn};

fn not_permitted(what: &str) -> Refusal {
    Refusal::new(
        "NOT_PERMITTED",
        format!("您的身份不能办理“{what}”"),
        format!("your role may not do this: {what}"),
    )
}

fn check_reason(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() {
        return Err(Refusal::new("REASONS_MISSING", "请填写理由", "say why").at(["reason"]));
    }
    Ok(())
}

impl Turn<'_> {
    /// Ends an incident by a way out, or proposes one that takes two.
    pub(super) fn settle_incident(
        &mut self,
        by: &Viewer,
        no: Seq,
        asked: (&WayTaken, &str),
    ) -> Result<Answer, FoldError> {
        let (taken, reason) = asked;
        let state = match self.check_way(by, no, asked) {
            Ok(state) => state,
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        let way = taken.way();
        let settled =
            Arc::new(IncidentSettled { incident: no, way: way.clone(), reason: reason.to_owned() });
        let seconded = state.proposed.as_ref().is_some_and(|(_, first)| first.way == way);
        if way.kind().takes_two() && !seconded {
            self.push(state.matter, person(by), Body::WayOutProposed(settled))?;
            return Ok(Answer::Done);
        }
        self.push(state.matter, person(by), Body::IncidentSettled(settled))?;
        self.carry_out(by, &state, (taken, reason))?;
        Ok(Answer::Done)
    }

    fn check_way(
        &self,
        by: &Viewer,
        no: Seq,
        asked: (&WayTaken, &str),
    ) -> Result<IncidentState, Refusal> {
        let (taken, reason) = asked;
        let way = taken.way();
        let known = self.case.incidents.get(&no).cloned();
        let state = known.filter(|state| self.sees_incident(by, state)).ok_or_else(|| {
            Refusal::new("INCIDENT_NOT_FOUND", "没有这个异常", "there is no such incident")
        })?;
        if let Some(end) = &state.end {
            let how = end.settled.way.kind();
            return Err(Refusal::new(
                "INCIDENT_SETTLED",
                format!("该异常已由 {} 以“{}”处理", end.by, how.name()),
                format!("{} has ended this incident by {}", end.by, how.code()),
            ));
        }
        let kind = way.kind();
        let offered = state.incident.kind.ways();
        if !offered.contains(&kind) {
            let names: Vec<&str> = offered.iter().map(|way| way.name()).collect();
            let codes: Vec<&str> = offered.iter().map(|way| way.code()).collect();
            return Err(Refusal::new(
                "WAY_NOT_OFFERED",
                format!("“{}”不适用于该异常,可选:{}", kind.name(), names.join("、")),
                format!("{} is no way out of this incident: {}", kind.code(), codes.join(", ")),
            )
            .at(["way"]));
        }
        if !may_settle(by, self.case.answers_for(state.matter), kind) {
            return Err(not_permitted(kind.name()));
        }
        check_reason(reason)?;
        if let Some((first, proposal)) = &state.proposed
            && proposal.way == way
            && *first == by.subject
        {
            return Err(Refusal::new(
                "SECOND_PERSON_NEEDED",
                "须由另一人确认您提出的处理",
                "somebody else must confirm what you proposed",
            ));
        }
        self.check_possible(&state, taken)?;
        Ok(state)
    }

    fn sees_incident(&self, by: &Viewer, state: &IncidentState) -> bool {
        sees_incidents(by, self.case.answers_for(state.matter))
    }

    /// Refuses a way that would lead nowhere, before anything is recorded.
    fn check_possible(&self, state: &IncidentState, taken: &WayTaken) -> Result<(), Refusal> {
        let way = match taken {
            WayTaken::Rebind(closure) => return self.check_rebind(closure),
            WayTaken::Other(way) => way,
        };
        match way {
            WayOut::Rebind { closure } => Err(Refusal::new(
                "CLOSURE_NOT_FOUND",
                format!("未加载摘要为 {closure} 的脚本版本"),
                format!("the scripts of digest {closure} are not loaded"),
            )),
            WayOut::Restart { .. } | WayOut::Override { .. }
                if self.next_generation(state.matter).is_none() =>
            {
                Err(Refusal::new(
                    "TOO_MANY_GENERATIONS",
                    "脚本重新执行次数已达上限;请停止执行后人工办理",
                    "the script has begun anew too often; cancel it and handle the matter by hand",
                ))
            }
            WayOut::Restart { from } => self.check_restart(state.matter, *from),
            WayOut::Override { request, with } => {
                self.check_override(state.matter, (request, with))
            }
            WayOut::Skip if state.incident.call.is_none() => Err(Refusal::new(
                "NO_CALL",
                "该异常没有可跳过的调用;请先绑定连接器后重试",
                "there is no call to skip; bind the operation and retry",
            )),
            WayOut::Cancel => self.check_cancel(state.matter),
            WayOut::Retry => self.check_retry(state),
            WayOut::Skip | WayOut::Acknowledge => Ok(()),
        }
    }

    fn check_retry(&self, state: &IncidentState) -> Result<(), Refusal> {
        let kind = state.incident.kind;
        let calls = matches!(kind, IncidentKind::CallFailed | IncidentKind::CompensationFailed);
        let unbound = calls && state.incident.call.is_none();
        if unbound && self.bound_now(state.matter).is_empty() {
            return Err(Refusal::new(
                "NOT_BOUND",
                "该操作仍未绑定连接器,请先在接线配置中绑定",
                "the operation is still bound to no connector; bind it in the wiring first",
            ));
        }
        Ok(())
    }

    fn check_restart(&self, no: MatterNo, from: Seq) -> Result<(), Refusal> {
        let begun = self.case.matter(no).and_then(|matter| matter.run.begun);
        let within = begun.is_some() && from > Seq(1) && from <= self.case.head;
        let first = self.case.matter(no).map(|matter| &matter.run.requests);
        let own = first.is_some_and(|requests| {
            requests.iter().any(|request| request.made.key.run != 0 && request.at >= from)
        });
        if within && own {
            return Ok(());
        }
        Err(Refusal::new(
            "NOTHING_TO_RESTART",
            format!("该事项在第 {from} 条记录之后没有脚本请求,无从重新执行"),
            format!("the matter's script asked for nothing at or after entry {from}"),
        )
        .at(["from"]))
    }

    fn check_override(
        &self,
        no: MatterNo,
        what: (&RequestKey, &Overriding),
    ) -> Result<(), Refusal> {
        let (key, with) = what;
        let request = self.case.matter(no).and_then(|matter| matter.run.request(key));
        let call = request.filter(|request| {
            key.run != 0 && matches!(request.made.ask, Ask::Call { .. }) && !request.discarded
        });
        let Some(call) = call else {
            return Err(Refusal::new(
                "NO_CALL",
                format!("请求 {key} 不是脚本的调用,不能更正其结果"),
                format!("request {key} is no call of the script; its result cannot be replaced"),
            )
            .at(["request"]));
        };
        let state = call.call.and_then(|id| self.case.calls.get(&id));
        let under_way = state
            .is_some_and(|call| call.is_open() && call.status != crate::case::CallStatus::Failed);
        if under_way {
            return Err(Refusal::new(
                "CALL_UNDER_WAY",
                "该调用仍在进行,请等其回执或失败后再更正",
                "the call is still under way; wait for its end before you replace it",
            ));
        }
        let size = match with {
            Overriding::Output(output) => output.size(),
            Overriding::Outcome(outcome) => outcome.detail.size(),
        };
        if size > limits::VALUE_BYTES_MAX {
            return Err(Refusal::new("VALUE_TOO_LARGE", "结果过大", "the result is too large"));
        }
        Ok(())
    }

    /// The dry run: every script that is under way must replay to its journal.
    fn check_rebind(&self, closure: &Arc<Closure>) -> Result<(), Refusal> {
        let candidate = Candidate {
            script: self.context.script,
            closure,
            secret: self.context.secret,
            calendars: self.context.calendars,
        };
        let verdict = dry_run(&self.case, candidate);
        if verdict.may_rebind() {
            return Ok(());
        }
        let Some((matter, divergence)) = verdict.divergence() else {
            return Err(Refusal::new(
                "DRY_RUN_UNKNOWN",
                "试运行未能完成,请稍后重试",
                "the dry run could not be finished; try again later",
            ));
        };
        let fault = &divergence.fault;
        let place = if fault.file.is_empty() {
            String::new()
        } else {
            format!("({}:{})", fault.file, fault.line)
        };
        Err(Refusal::new(
            "DRY_RUN_FAILED",
            format!("事项 {} 试运行未通过{place}:{}", matter.code, fault.message),
            format!("{} does not pass the dry run {place}", matter.code),
        )
        .at(["closure"]))
    }

    fn carry_out(
        &mut self,
        by: &Viewer,
        state: &IncidentState,
        asked: (&WayTaken, &str),
    ) -> Result<(), FoldError> {
        let (taken, reason) = asked;
        let no = state.matter;
        let way = match taken {
            WayTaken::Rebind(closure) => return self.rebind(by, closure, reason),
            WayTaken::Other(way) => way,
        };
        match way {
            WayOut::Retry => self.try_again(state),
            WayOut::Restart { from } => {
                let Some(generation) = self.next_generation(no) else { return Ok(()) };
                let rewound = RunRewound { generation, keep: *from, tail: Tail::Discarded };
                self.push(no, person(by), Body::RunRewound(rewound))?;
                self.drop_discarded(no)
            }
            WayOut::Override { request, with } => {
                self.put_in_place(by, no, (request, with, reason))
            }
            WayOut::Cancel if state.incident.kind.stops_script() => {
                self.cancel_stopped(no, person(by), reason)
            }
            WayOut::Cancel => self.cancel(no, person(by), reason),
            WayOut::Skip => {
                self.woken.insert(no);
                Ok(())
            }
            WayOut::Acknowledge if state.incident.kind == IncidentKind::MessageUnread => {
                self.ask_again_after_mail(by, no)?;
                self.raise_unread(no)
            }
            WayOut::Acknowledge | WayOut::Rebind { .. } => Ok(()),
        }
    }

    fn put_in_place(
        &mut self,
        by: &Viewer,
        no: MatterNo,
        what: (&RequestKey, &Overriding, &str),
    ) -> Result<(), FoldError> {
        let (request, with, reason) = what;
        let made_at = self.case.matter(no).and_then(|matter| matter.run.request(request));
        let keep = made_at.map_or(self.case.head, |request| request.at).next();
        let overridden = ResultOverridden {
            request: request.clone(),
            with: with.clone(),
            reason: reason.to_owned(),
        };
        self.push(no, person(by), Body::ResultOverridden(Arc::new(overridden)))?;
        let Some(generation) = self.next_generation(no) else { return Ok(()) };
        let rewound = RunRewound { generation, keep, tail: Tail::Adopted };
        self.push(no, Origin::Engine, Body::RunRewound(rewound))?;
        Ok(())
    }

    fn try_again(&mut self, state: &IncidentState) -> Result<(), FoldError> {
        let no = state.matter;
        match state.incident.kind {
            IncidentKind::CallFailed | IncidentKind::CompensationFailed => {
                match state.incident.call {
                    Some(call) => self.reopen(call),
                    None => self.place_bound(no),
                }
            }
            IncidentKind::NoticeNotIssued => {
                let drafts = self.case.drafts().map(|draft| draft.number().clone());
                self.effects.extend(drafts.map(Effect::Issue));
                Ok(())
            }
            IncidentKind::IntakeFailed => self.intake_again(no),
            IncidentKind::TurnFailed if no == MatterNo::COORDINATOR => {
                self.wake();
                Ok(())
            }
            IncidentKind::ScriptFailed
            | IncidentKind::ReplayMismatch
            | IncidentKind::LimitExceeded
            | IncidentKind::TurnFailed
            | IncidentKind::TerminalConflict
            | IncidentKind::UnlawfulAct
            | IncidentKind::Stalled
            | IncidentKind::DeemedAccepted
            | IncidentKind::MessageUnread => {
                self.woken.insert(no);
                Ok(())
            }
        }
    }

    /// Carries a call on under its own id: it is asked for first, and sent again only if the
    /// agency never saw it.
    fn reopen(&mut self, id: CallId) -> Result<(), FoldError> {
        let Some(call) = self.case.calls.get(&id).cloned() else {
            return Ok(());
        };
        if !call.is_open() {
            return self.undo_again(&call);
        }
        let deadline = self.context.wire_now.plus_millis(limits::CALL_PATIENCE_MILLIS);
        self.push(call.matter, Origin::Engine, Body::CallReopened { call: id, deadline })?;
        self.effects.push(Effect::Query { call: id, after_millis: 0 });
        Ok(())
    }

    /// Returns the requests that waited for a connector and have one now, with their calls.
    fn bound_now(&self, no: MatterNo) -> Vec<(RequestKey, CallMade)> {
        let requests = self.case.matter(no).into_iter().flat_map(|matter| &matter.run.requests);
        let unbound = requests.filter(|request| {
            request.call.is_none() && request.settled.is_none() && !request.discarded
        });
        unbound
            .filter_map(|request| {
                let key = &request.made.key;
                let call = self.place_call(no, key, &request.made.ask)?;
                Some((key.clone(), call))
            })
            .collect()
    }

    fn place_bound(&mut self, no: MatterNo) -> Result<(), FoldError> {
        for (request, call) in self.bound_now(no) {
            self.effects.push(Effect::Send(call.id));
            self.push(no, Origin::Engine, Body::CallPlaced { request, call })?;
        }
        Ok(())
    }

    /// Questions of the part that no longer counts have lost their purpose.
    fn drop_discarded(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let discarded =
            |key: &RequestKey| matter.run.request(key).is_some_and(|request| request.discarded);
        let open = self.case.open_tasks().filter(|task| task.matter == no);
        let gone: Vec<Seq> = open
            .filter(|task| matches!(task.opened.kind, TaskKind::Decide | TaskKind::Rejected))
            .filter(|task| task.opened.request.as_ref().is_some_and(discarded))
            .map(|task| task.no)
            .collect();
        for task in gone {
            self.push(no, Origin::Engine, Body::TaskDropped { task })?;
        }
        Ok(())
    }

    fn rebind(
        &mut self,
        by: &Viewer,
        closure: &Arc<Closure>,
        reason: &str,
    ) -> Result<(), FoldError> {
        let rebound = CaseRebound {
            from: self.case.closure(),
            closure: closure.digest,
            api_level: closure.api_level,
            reason: reason.to_owned(),
        };
        let body = Body::CaseRebound(Arc::new(rebound));
        self.push(MatterNo::COORDINATOR, person(by), body)?;
        self.closure = closure.of_case(&self.case.started);
        let live = self.case.matters.iter().filter(|matter| matter.run.is_live());
        self.woken.extend(live.map(|matter| matter.no));
        Ok(())
    }

    /// Moves the pin of a case that no incident stops.
    pub(super) fn rebind_case(
        &mut self,
        by: &Viewer,
        closure: &Arc<Closure>,
        reason: &str,
    ) -> Result<Answer, FoldError> {
        let lead = by.departments.contains(&self.case.started.lead);
        let may = by.role == Role::SystemAdmin || (by.role == Role::OfficeHead && lead);
        let checked =
            if may { check_reason(reason) } else { Err(not_permitted("换用新版本")) };
        if let Err(refusal) = checked.and_then(|()| self.check_rebind(closure)) {
            return Ok(Answer::Refused(refusal));
        }
        if self.case.closure() != closure.digest {
            self.rebind(by, closure, reason)?;
        }
        Ok(Answer::Done)
    }

    /// Pauses, resumes or cancels the scripts of a matter, or of the whole case (0).
    pub(super) fn steer(
        &mut self,
        by: &Viewer,
        no: MatterNo,
        asked: (Steering, &str),
    ) -> Result<Answer, FoldError> {
        let (steering, reason) = asked;
        if let Err(refusal) = self.check_steering(by, no, asked) {
            return Ok(Answer::Refused(refusal));
        }
        let reason = reason.to_owned();
        match steering {
            Steering::Pause => {
                self.push(no, person(by), Body::Paused { reason })?;
            }
            Steering::Resume => {
                self.push(no, person(by), Body::Resumed { reason })?;
                let live = self.case.matters.iter().filter(|matter| matter.run.is_live());
                let live: Vec<MatterNo> = live.map(|matter| matter.no).collect();
                self.woken.extend(live);
            }
            Steering::Cancel => self.cancel(no, person(by), &reason)?,
        }
        Ok(Answer::Done)
    }

    fn check_steering(
        &self,
        by: &Viewer,
        no: MatterNo,
        asked: (Steering, &str),
    ) -> Result<(), Refusal> {
        let (steering, reason) = asked;
        if no != MatterNo::COORDINATOR && self.case.matter(no).is_none() {
            return Err(Refusal::new(
                "MATTER_NOT_FOUND",
                "没有这个事项",
                "there is no such matter",
            ));
        }
        let own = by.departments.contains(self.case.answers_for(no));
        let may = match by.role {
            Role::SystemAdmin => steering != Steering::Cancel,
            Role::OfficeHead => own,
            Role::Applicant
            | Role::WindowClerk
            | Role::Approver
            | Role::Integrator
            | Role::Supervisor => false,
        };
        if !may {
            return Err(not_permitted("暂停、恢复或停止执行"));
        }
        check_reason(reason)?;
        let paused = self.case.paused.contains_key(&no);
        match steering {
            Steering::Pause if paused => {
                Err(Refusal::new("ALREADY_PAUSED", "已经暂停", "it is paused already"))
            }
            Steering::Resume if !paused => {
                Err(Refusal::new("NOT_PAUSED", "未被暂停", "it is not paused"))
            }
            Steering::Pause | Steering::Resume => Ok(()),
            Steering::Cancel => self.check_cancel(no),
        }
    }

    /// What was mended by itself needs nobody any more.
    pub(super) fn settle_by_itself(
        &mut self,
        which: impl Fn(&Incident, MatterNo) -> bool,
        reason: &str,
    ) -> Result<(), FoldError> {
        let open = self.case.open_incidents();
        let over: Vec<(Seq, MatterNo)> = open
            .filter(|(_, state)| which(&state.incident, state.matter))
            .map(|(at, state)| (at, state.matter))
            .collect();
        for (incident, matter) in over {
            let settled =
                IncidentSettled { incident, way: WayOut::Acknowledge, reason: reason.to_owned() };
            self.push(matter, Origin::Engine, Body::IncidentSettled(Arc::new(settled)))?;
        }
        Ok(())
    }
}
