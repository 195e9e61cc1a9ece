//! Accepting commands: each becomes entries, or is refused and leaves none.

use std::sync::Arc;

use crate::agency::{Ack, AgencyReply, Fault, ManualTask, ReplyBody};
use crate::case::{CallState, CallStatus, FoldError, Task};
use crate::command::{Answer, Command, Refusal, TaskAt, TaskOutcome};
use crate::digest::Digest;
use crate::entry::{Body, Incident, IncidentKind, Origin, TaskKind, TaskOpened};
use crate::id::{CallId, MatterNo, RoleCode};
use crate::law::{Act, ActAnswer, ActKind};
use crate::request::{Ask, Decision, Outcome, OutcomeKind};
use crate::time::Moment;
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::{Effect, QUERY_MILLIS_DEFAULT, Turn};

/// Names a viewer as the cause of an entry.
pub(super) fn person(by: &Viewer) -> Origin {
    Origin::Person { subject: by.subject.clone(), role: by.role.code().to_owned() }
}

fn refuse(code: &str, zh: &str, en: &str) -> Answer {
    Answer::Refused(Refusal::new(code, zh, en))
}

impl Turn<'_> {
    /// Accepts one command.
    pub(super) fn accept(&mut self, command: &Command) -> Result<Answer, FoldError> {
        if let Some(by) = command.by()
            && !by.sees(&crate::read_model::scope(&self.case))
        {
            return Ok(refuse("CASE_NOT_FOUND", "没有这个办件", "there is no such case"));
        }
        match command {
            Command::Submit { by } => self.submit(by),
            Command::Withdraw { by, reason } => self.withdraw(by, reason),
            Command::ClaimTask { by, task } => self.claim(by, *task),
            Command::ReleaseTask { by, task } => self.release(by, *task),
            Command::CompleteTask { by, task, outcome } => self.complete(by, *task, outcome),
            Command::Reply { connector, reply } => self.reply(connector, reply),
            Command::AskPerson { call, task } => self.ask_person(*call, task),
            Command::CallFailed { call, fault } => self.call_failed(*call, fault),
            Command::CallFenced { call } => self.call_fenced(*call),
            Command::Tick => self.tick(),
            Command::Wake => Ok(self.wake()),
            Command::TurnFailed { matter, reason } => self.turn_failed(*matter, reason),
        }
    }

    fn submit(&mut self, by: &Viewer) -> Result<Answer, FoldError> {
        if !matches!(by.role, Role::Applicant | Role::WindowClerk) {
            return Ok(refuse(
                "NOT_PERMITTED",
                "只有申请人或窗口人员可以提交",
                "only the applicant or a window clerk submits",
            ));
        }
        if self.case.submitted.is_some() {
            return Ok(refuse(
                "ALREADY_SUBMITTED",
                "该办件已经提交",
                "the case was submitted before",
            ));
        }
        if let Err(refusal) = crate::start::check_complete(self.context.closure, &self.case.started)
        {
            return Ok(Answer::Refused(refusal));
        }
        self.push(MatterNo::COORDINATOR, person(by), Body::CaseSubmitted)?;
        Ok(Answer::Done)
    }

    fn withdraw(&mut self, by: &Viewer, reason: &str) -> Result<Answer, FoldError> {
        if !matches!(by.role, Role::Applicant | Role::WindowClerk) {
            return Ok(refuse(
                "NOT_PERMITTED",
                "只有申请人或其委托的窗口可以撤回",
                "only the applicant, or a window for him, withdraws",
            ));
        }
        let open: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|matter| matter.is_open())
            .map(|matter| matter.no)
            .collect();
        if open.is_empty() {
            return Ok(refuse(
                "CASE_ENDED",
                "全部事项已办结,不能撤回",
                "every matter has ended, nothing is left to withdraw",
            ));
        }
        for no in &open {
            let act = self.act_now(ActKind::Withdraw, reason);
            if let Err(refusal) = self.would_hold(*no, &act) {
                return Ok(Answer::Refused(refusal));
            }
        }
        for no in open {
            let act = self.act_now(ActKind::Withdraw, reason);
            self.request_act(no, person(by), act, None)?;
        }
        Ok(Answer::Done)
    }

    /// Builds an act that takes effect now.
    pub(super) fn act_now(&self, kind: ActKind, ground: &str) -> Act {
        Act {
            kind,
            effective_at: self.context.now,
            ground: ground.to_owned(),
            document_no: String::new(),
            detail: Value::Null,
        }
    }

    /// Finds an open task at the version that the person saw, for someone who may take it.
    fn task_for(&self, by: &Viewer, at: TaskAt) -> Result<&Task, Refusal> {
        let gone = || {
            Refusal::new(
                "TASK_CLOSED",
                "任务已结束或不存在,请刷新列表",
                "the task is closed or does not exist; refresh the list",
            )
        };
        let task =
            self.case.tasks.get(&at.no).filter(|task| task.end.is_none()).ok_or_else(gone)?;
        if !by.may_take(&task.opened.role, &task.opened.region) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                format!("该任务由 {} 在 {} 办理", task.opened.role, task.opened.region),
                format!("this task is for {} at {}", task.opened.role, task.opened.region),
            ));
        }
        if task.version != at.version {
            let mut refusal = Refusal::new(
                "VERSION_CONFLICT",
                format!("任务已被他人更新(当前版本 {}),请刷新后再试", task.version),
                format!(
                    "the task was changed by someone else and is at version {} now",
                    task.version
                ),
            );
            refusal.current = Some(task.version);
            return Err(refusal);
        }
        if task.assignee.as_ref().is_some_and(|assignee| *assignee != by.subject) {
            return Err(Refusal::new(
                "TASK_TAKEN",
                "任务已由他人认领",
                "the task was taken by someone else",
            ));
        }
        Ok(task)
    }

    fn claim(&mut self, by: &Viewer, at: TaskAt) -> Result<Answer, FoldError> {
        let (matter, taken) = match self.task_for(by, at) {
            Ok(task) => (task.matter, task.assignee.is_some()),
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        if !taken {
            let claimed = Body::TaskClaimed { task: at.no, by: by.subject.clone() };
            self.push(matter, person(by), claimed)?;
        }
        Ok(Answer::Done)
    }

    fn release(&mut self, by: &Viewer, at: TaskAt) -> Result<Answer, FoldError> {
        let (matter, taken) = match self.task_for(by, at) {
            Ok(task) => (task.matter, task.assignee.is_some()),
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        if taken {
            self.push(matter, person(by), Body::TaskReleased { task: at.no })?;
        }
        Ok(Answer::Done)
    }

    fn complete(
        &mut self,
        by: &Viewer,
        at: TaskAt,
        outcome: &TaskOutcome,
    ) -> Result<Answer, FoldError> {
        let task = match self.task_for(by, at) {
            Ok(task) => task.clone(),
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        if let Err(refusal) = self.check_outcome(&task, outcome) {
            return Ok(Answer::Refused(refusal));
        }
        let decision = Decision {
            granted: outcome.granted,
            opinion: outcome.opinion.clone(),
            officer: by.subject.clone(),
            fields: outcome.fields.clone(),
        };
        let done = Body::TaskCompleted { task: at.no, decision: decision.clone() };
        self.push(task.matter, person(by), done)?;
        match task.opened.kind {
            TaskKind::Decide => {}
            TaskKind::Intake => self.intake_done(&task, by, outcome)?,
            TaskKind::Manual => self.manual_done(&task, by, &decision)?,
            TaskKind::Rejected => self.rejected_done(&task, by, &decision)?,
            TaskKind::ConfirmDenial => self.denial_confirmed(&task, by, &decision)?,
        }
        Ok(Answer::Done)
    }

    /// Refuses an outcome that could not become a lawful act, before anything is recorded.
    fn check_outcome(&self, task: &Task, outcome: &TaskOutcome) -> Result<(), Refusal> {
        let no = !outcome.granted;
        if no && outcome.opinion.trim().is_empty() {
            return Err(Refusal::new(
                "REASONS_MISSING",
                "不同意时必须填写理由",
                "a no needs its reasons",
            )
            .at(["opinion"]));
        }
        match task.opened.kind {
            TaskKind::Intake => {
                let act = self.intake_act(outcome);
                self.would_hold(task.matter, &act)
            }
            TaskKind::Manual if outcome.granted => {
                let number = outcome.fields.get("number").and_then(Value::as_text);
                if number.is_none_or(|number| number.trim().is_empty()) {
                    return Err(Refusal::new(
                        "FIELDS_MISSING",
                        "请填写批准文书编号 number",
                        "fill in the number of the document as fields.number",
                    )
                    .at(["fields", "number"]));
                }
                Ok(())
            }
            TaskKind::Rejected if no => {
                let act = self.act_now(ActKind::Deny, &outcome.opinion);
                self.would_hold(task.matter, &act)
            }
            TaskKind::Manual | TaskKind::Decide | TaskKind::Rejected | TaskKind::ConfirmDenial => {
                Ok(())
            }
        }
    }

    /// Asks the law about an act without recording it.
    fn would_hold(&self, matter: MatterNo, act: &Act) -> Result<(), Refusal> {
        let Some(matter) = self.case.matter(matter) else {
            return Ok(());
        };
        match matter.law.judge(act) {
            ActAnswer::Done | ActAnswer::Already => Ok(()),
            ActAnswer::Refused { code, reason } => {
                let (zh, en) =
                    reason.split_once(" / ").unwrap_or((reason.as_str(), reason.as_str()));
                Err(Refusal::new(&code, zh, en))
            }
        }
    }

    /// Returns the act that an intake outcome asks for.
    fn intake_act(&self, outcome: &TaskOutcome) -> Act {
        if outcome.granted {
            return self.act_now(ActKind::Accept, "");
        }
        let ground = outcome.fields.get("ground").and_then(Value::as_text).unwrap_or_default();
        self.act_now(ActKind::NotAccept, ground)
    }

    fn intake_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &TaskOutcome,
    ) -> Result<(), FoldError> {
        let act = self.intake_act(said);
        self.request_act(task.matter, person(by), act, None)
    }

    /// What a person did for an agency without a system is that agency's reply.
    fn manual_done(&mut self, task: &Task, by: &Viewer, said: &Decision) -> Result<(), FoldError> {
        let call = task.opened.call.and_then(|id| self.case.calls.get(&id));
        let Some(call) = call.filter(|call| call.is_open()).map(|call| call.made.id) else {
            return Ok(());
        };
        let body = if said.granted {
            let number = said.fields.get("number").and_then(Value::as_text).unwrap_or_default();
            let document = crate::agency::DocumentRef {
                role: "permit".to_owned(),
                number: number.to_owned(),
                digest: Digest::of(&said.fields.canonical()),
            };
            ReplyBody::Completed { output: said.fields.clone(), documents: vec![document] }
        } else {
            ReplyBody::Otherwise(Outcome {
                kind: OutcomeKind::Rejected,
                reason: said.opinion.clone(),
                detail: said.fields.clone(),
            })
        };
        let reply = AgencyReply {
            call,
            seq: 1,
            digest: Digest::of(&said.fields.canonical()),
            at: self.context.now,
            body,
        };
        self.push(task.matter, person(by), Body::CallReplied(Arc::new(reply)))?;
        Ok(())
    }

    /// The officer denies, or has the agency asked again.
    fn rejected_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        if !said.granted {
            let act = self.act_now(ActKind::Deny, &said.opinion);
            return self.request_act(task.matter, person(by), act, None);
        }
        let generation = self.case.matter(task.matter).map_or(0, |matter| matter.run.generation);
        let again = Body::RunRestarted { generation: generation + 1 };
        self.push(task.matter, person(by), again)?;
        Ok(())
    }

    fn denial_confirmed(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        let request = task.opened.request.clone();
        if said.granted {
            let act = self.act_now(ActKind::Deny, &said.opinion);
            return self.request_act(task.matter, person(by), act, request);
        }
        let answer = ActAnswer::Refused {
            code: "OFFICER_DISAGREES".to_owned(),
            reason: format!(
                "审批人不同意不予决定:{0} / the officer disagrees with the denial: {0}",
                said.opinion
            ),
        };
        let act = self.act_now(ActKind::Deny, &said.opinion);
        self.push(task.matter, person(by), Body::Acted { act, answer, request })?;
        Ok(())
    }

    fn reply(&mut self, connector: &str, reply: &AgencyReply) -> Result<Answer, FoldError> {
        let own = self.case.calls.get(&reply.call);
        let Some(call) = own.filter(|call| call.made.connector == connector).cloned() else {
            return Ok(Answer::Acked(Ack::UnknownCall));
        };
        if let Some(known) = call.messages.get(&reply.seq) {
            if *known == reply.digest {
                return Ok(Answer::Acked(Ack::Duplicate));
            }
            return self.contradiction(
                &call,
                "同一序号的两份不同回执 / two different replies under one number",
            );
        }
        if let Some(ack) = self.out_of_turn(&call, reply)? {
            return Ok(Answer::Acked(ack));
        }
        let origin = Origin::Agency { connector: connector.to_owned() };
        self.push(call.matter, origin.clone(), Body::CallReplied(Arc::new(reply.clone())))?;
        match &reply.body {
            ReplyBody::Accepted { next_query_after, .. } => self.effects.push(Effect::Query {
                call: reply.call,
                after_millis: next_query_after.unwrap_or(QUERY_MILLIS_DEFAULT),
            }),
            ReplyBody::Act(act) => self.agency_act(&call, origin, act)?,
            ReplyBody::Completed { .. } | ReplyBody::Otherwise(_) => {}
        }
        Ok(Answer::Acked(Ack::Stored))
    }

    /// Acts are facts of the law and always go to the fold; every other message that comes after
    /// the end, or after a later one, says nothing new.
    fn out_of_turn(
        &mut self,
        call: &CallState,
        reply: &AgencyReply,
    ) -> Result<Option<Ack>, FoldError> {
        if matches!(reply.body, ReplyBody::Act(_)) {
            return Ok(None);
        }
        if !call.is_open() {
            if reply.body.is_terminal() {
                self.contradiction(
                    call,
                    "办结后又收到另一份终局回执 / another terminal reply after the end",
                )?;
                return Ok(Some(Ack::TerminalConflict));
            }
            return Ok(Some(Ack::Superseded));
        }
        let later = call.messages.last_key_value().is_some_and(|(last, _)| *last > reply.seq);
        let superseded = later && !reply.body.is_terminal();
        Ok(superseded.then_some(Ack::Superseded))
    }

    fn contradiction(&mut self, call: &CallState, what: &str) -> Result<Answer, FoldError> {
        let known = self.case.incidents.values().any(|(_, incident)| {
            incident.kind == IncidentKind::TerminalConflict && incident.call == Some(call.made.id)
        });
        if !known {
            self.raise_for_call(call, IncidentKind::TerminalConflict, what)?;
        }
        Ok(Answer::Acked(Ack::TerminalConflict))
    }

    /// Records something about a call that a person must look at.
    pub(super) fn raise_for_call(
        &mut self,
        call: &CallState,
        kind: IncidentKind,
        message: &str,
    ) -> Result<(), FoldError> {
        let incident = Incident { call: Some(call.made.id), ..Incident::new(kind, message) };
        self.push(call.matter, Origin::Engine, Body::IncidentRaised(Arc::new(incident)))?;
        Ok(())
    }

    fn ask_person(&mut self, call: CallId, task: &ManualTask) -> Result<Answer, FoldError> {
        let Some(call) = self.case.calls.get(&call).cloned() else {
            return Ok(Answer::Acked(Ack::UnknownCall));
        };
        if call.status != CallStatus::Open {
            return Ok(Answer::Acked(Ack::Duplicate));
        }
        let input = self.case.matter(call.matter).and_then(|matter| {
            match &matter.run.request(&call.request)?.made.ask {
                Ask::Call { input, .. } => Some(input.clone()),
                Ask::Decide { .. } | Ask::Timer { .. } | Ask::Act { .. } => None,
            }
        });
        let opened = TaskOpened {
            kind: TaskKind::Manual,
            role: RoleCode::new(&task.role),
            region: call.made.region.clone(),
            title: task.title.clone(),
            facts: input.unwrap_or_default(),
            request: Some(call.request.clone()),
            call: Some(call.made.id),
        };
        self.push(call.matter, Origin::Engine, Body::TaskOpened(Arc::new(opened)))?;
        Ok(Answer::Acked(Ack::Stored))
    }

    fn call_failed(&mut self, call: CallId, fault: &Fault) -> Result<Answer, FoldError> {
        let open =
            self.case.calls.get(&call).filter(|call| {
                matches!(call.status, CallStatus::Open | CallStatus::Accepted { .. })
            });
        if let Some(call) = open.cloned() {
            let message = format!(
                "调用 {} 未成功:{fault};请核实后重试或人工处理 / call {} came to no usable end: {fault}; check with the agency",
                call.made.id, call.made.id
            );
            self.raise_for_call(&call, IncidentKind::CallFailed, &message)?;
        }
        Ok(Answer::Done)
    }

    fn call_fenced(&mut self, call: CallId) -> Result<Answer, FoldError> {
        let Some(call) = self
            .case
            .calls
            .get(&call)
            .filter(|call| matches!(call.status, CallStatus::Open | CallStatus::Accepted { .. }))
            .cloned()
        else {
            return Ok(Answer::Done);
        };
        if call.made.generation + 1 >= crate::limits::CALL_GENERATIONS_MAX {
            let text = "对方多次未收到该调用;请人工核实 / the agency never saw this call, several times over; check by hand";
            self.raise_for_call(&call, IncidentKind::CallFailed, text)?;
            return Ok(Answer::Done);
        }
        self.renew(&call, Origin::Engine)?;
        Ok(Answer::Done)
    }

    fn tick(&mut self) -> Result<Answer, FoldError> {
        let now = self.context.now;
        let mut due: Vec<(Moment, MatterNo, crate::request::RequestKey)> = Vec::new();
        for matter in self.case.matters.iter().filter(|matter| matter.is_open()) {
            for request in matter.run.requests.iter().filter(|request| request.settled.is_none()) {
                if let Ask::Timer { due: at, .. } = &request.made.ask
                    && *at <= now
                {
                    due.push((*at, matter.no, request.made.key.clone()));
                }
            }
        }
        due.sort();
        for (due, matter, request) in due {
            self.push(matter, Origin::Clock, Body::TimerFired { request, due })?;
        }
        Ok(Answer::Done)
    }

    fn wake(&mut self) -> Answer {
        let live = self.case.matters.iter().filter(|matter| matter.is_open());
        let live = live.filter(|matter| matter.run.is_live()).map(|matter| matter.no);
        self.woken.extend(live);
        for call in self.case.open_calls() {
            match call.status {
                CallStatus::Open => self.effects.push(Effect::Send(call.made.id)),
                CallStatus::Accepted { next_query_after, .. } => self.effects.push(Effect::Query {
                    call: call.made.id,
                    after_millis: next_query_after.unwrap_or(QUERY_MILLIS_DEFAULT),
                }),
                CallStatus::Manual { .. } | CallStatus::Failed | CallStatus::Over => {}
            }
        }
        Answer::Done
    }

    fn turn_failed(&mut self, matter: MatterNo, reason: &str) -> Result<Answer, FoldError> {
        let live =
            self.case.matter(matter).is_some_and(|matter| matter.is_open() && matter.run.is_live());
        if live {
            let message = format!("多次执行失败:{reason} / the turn failed too often: {reason}");
            self.raise(matter, IncidentKind::TurnFailed, &message)?;
        }
        Ok(Answer::Done)
    }
}
