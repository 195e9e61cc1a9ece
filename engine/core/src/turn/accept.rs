//! Accepting commands: each becomes entries, or is refused and leaves none.

use std::sync::Arc;

use crate::agency::{Ack, AgencyReply, Fault, ManualTask, ReplyBody};
use crate::case::{CallState, CallStatus, FoldError, Matter, Task};
use crate::command::{Answer, Command, Refusal};
use crate::digest::Digest;
use crate::entry::{Body, Incident, IncidentKind, Origin, TaskKind, TaskOpened};
use crate::id::{CallId, MatterNo, RoleCode};
use crate::law::{Act, ActAnswer, ActKind};
use crate::limits::{NAME_BYTES_MAX, TITLE_BYTES_MAX};
use crate::prefill::PREFILL_RUN;
use crate::recommend::INTAKE_RUN;
use crate::request::{Ask, Decision, Outcome, OutcomeKind};
use crate::time::Moment;
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::notice::Serving;
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
        if let Some((matter, at)) = self.takes_effect(command) {
            self.hear_silence(matter, at)?;
        }
        match command {
            Command::Submit { by } => self.submit(by),
            Command::Withdraw { by, reason } => self.withdraw(by, reason),
            Command::ClaimTask { by, task } => self.claim(by, *task),
            Command::ReleaseTask { by, task } => self.release(by, *task),
            Command::CompleteTask { by, task, outcome, seen } => {
                self.complete(by, *task, (outcome, *seen))
            }
            Command::ChangeTask { by, task, change } => self.change_task(by, *task, change),
            Command::TakeOver { by, from, reason } => self.take_over(by, from, reason),
            Command::Act { by, matter, act } => self.person_act(by, *matter, act),
            Command::GiveMaterial { by, given, came } => self.give_material(by, given, came),
            Command::Consent { by, consent } => self.consent(by, consent),
            Command::AmendForm { by, fields, reason, came, seen } => {
                self.amend_form(by, fields, (reason, came), *seen)
            }
            Command::Prefill { by, reason } => self.prefill(by, reason),
            Command::VoidEntry { by, entry, reason } => self.void_entry(by, *entry, reason),
            Command::Urge { by, reason } => self.urge(by, reason),
            Command::AnswerCard { by, card, kind, text } => {
                self.answer_card(by, *card, (*kind, text))
            }
            Command::ServeDocument { by, number, how, files, came } => {
                self.serve_document(by, number, &Serving { how, files, came })
            }
            Command::SettleIncident { by, incident, way, reason } => {
                self.settle_incident(by, *incident, (way, reason))
            }
            Command::Rebind { by, closure, reason } => self.rebind_case(by, closure, reason),
            Command::Steer { by, matter, steering, reason } => {
                self.steer(by, *matter, (*steering, reason))
            }
            Command::SendMessage { by, matter, message } => self.send_message(by, *matter, message),
            Command::DocumentSealed(sealed) => self.document_sealed(sealed),
            Command::DocumentFailed { number, why } => self.document_failed(number, why),
            Command::CalendarChanged => self.calendar_changed(),
            Command::Reply { connector, reply } => self.reply(connector, reply),
            Command::AskPerson { call, task } => self.ask_person(*call, task),
            Command::CallFailed { call, fault } => self.call_failed(*call, fault),
            Command::CallFenced { call } => self.call_fenced(*call),
            Command::Tick => self.tick(),
            Command::Wake => Ok(self.wake()),
            Command::TurnFailed { matter, reason } => self.turn_failed(*matter, reason),
        }
    }

    /// Returns on which matter, and when, a command would have its effect in law.
    fn takes_effect(&self, command: &Command) -> Option<(MatterNo, Moment)> {
        if let Command::Act { by, matter, act } = command {
            // Who rebuts an acceptance by silence speaks of it as it stands now.
            let rebuts = act.kind == ActKind::RebutAcceptance;
            let at = if rebuts { self.context.now } else { self.came_at(by, &act.came).ok()? };
            return Some((*matter, at));
        }
        if let Command::CompleteTask { task, .. } = command {
            let task = self.case.tasks.get(&task.no).filter(|task| task.end.is_none())?;
            return Some((task.matter, self.context.now));
        }
        if let Command::Reply { connector, reply } = command
            && let ReplyBody::Act(act) = &reply.body
        {
            let call = self.case.calls.get(&reply.call)?;
            let own = call.made.connector == *connector;
            return own.then_some((call.matter, act.effective_at));
        }
        None
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
        if !self.case.matters.iter().any(crate::case::Matter::is_open) {
            return Ok(refuse(
                "CASE_ENDED",
                "该办件已撤回,不能再提交",
                "the case was withdrawn, nothing is left to submit",
            ));
        }
        if let Err(refusal) = crate::start::check_complete(&self.closure, &self.case) {
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
        if !self.case.matters.iter().any(Matter::is_open) {
            return Ok(refuse(
                "CASE_ENDED",
                "全部事项已办结,不能撤回",
                "every matter has ended, nothing is left to withdraw",
            ));
        }
        if let Err(refusal) = self.check_withdrawal(reason) {
            return Ok(Answer::Refused(refusal));
        }
        self.withdraw_open(by, reason)?;
        Ok(Answer::Done)
    }

    /// What is open is given up as a whole, so the law must allow it of every open matter.
    pub(super) fn check_withdrawal(&self, reason: &str) -> Result<(), Refusal> {
        let act = self.act_now(ActKind::Withdraw, reason);
        let mut open = self.case.matters.iter().filter(|matter| matter.is_open());
        open.try_for_each(|matter| self.would_hold(matter.no, &act))
    }

    /// Withdraws every open matter for somebody.
    pub(super) fn withdraw_open(&mut self, by: &Viewer, reason: &str) -> Result<(), FoldError> {
        let open = self.case.matters.iter().filter(|matter| matter.is_open());
        let open: Vec<MatterNo> = open.map(|matter| matter.no).collect();
        for no in open {
            let act = self.act_now(ActKind::Withdraw, reason);
            self.request_act(no, person(by), act, None)?;
        }
        Ok(())
    }

    /// Builds an act that takes effect now.
    pub(super) fn act_now(&self, kind: ActKind, ground: &str) -> Act {
        Act::new(kind, self.context.now, ground)
    }

    /// What a person did for an agency without a system is that agency's reply.
    pub(super) fn manual_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        let call = task.opened.call.and_then(|id| self.case.calls.get(&id));
        let Some(call) = call.filter(|call| call.is_open()).cloned() else {
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
            call: call.made.id,
            seq: 1,
            digest: Digest::of(&said.fields.canonical()),
            at: self.context.now,
            body: body.clone(),
        };
        self.push(task.matter, person(by), Body::CallReplied(Arc::new(reply)))?;
        self.source_answered(&call, &body)?;
        self.undo_answered(&call, &body)
    }

    /// The officer denies, or has the agency asked again.
    pub(super) fn rejected_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        if !said.granted {
            let act = self.act_now(ActKind::Deny, &said.opinion);
            return self.request_act(task.matter, person(by), act, None);
        }
        self.begin_again(task.matter, person(by))
    }

    pub(super) fn denial_confirmed(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        let request = task.opened.request.clone();
        let act = self.act_now(self.proposed_end(task), &said.opinion);
        if said.granted {
            return self.request_act(task.matter, person(by), act, request);
        }
        let answer = ActAnswer::Refused {
            code: "OFFICER_DISAGREES".to_owned(),
            reason: format!(
                "审批人不同意{1}:{0} / the officer disagrees with {2}: {0}",
                said.opinion,
                act.kind.name(),
                act.kind.code(),
            ),
        };
        self.push(task.matter, person(by), Body::Acted { act, answer, request })?;
        // Somebody still decides: the script anew, or an officer's denial with his own reasons.
        let facts = Value::of([("reason", said.opinion.as_str().into())]);
        self.open_task(task.matter, TaskKind::Rejected, "approver", facts)?;
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
        if !reply.body.fits() {
            return Ok(refuse(
                "REPLY_TOO_LARGE",
                "回执超过大小上限,未保存;大的内容请以文件引用传递",
                "the reply is larger than what is kept, and was not stored; pass large contents by reference",
            ));
        }
        let origin = Origin::Agency { connector: connector.to_owned() };
        self.push(call.matter, origin.clone(), Body::CallReplied(Arc::new(reply.clone())))?;
        match &reply.body {
            ReplyBody::Accepted { next_query_after, .. } => self.effects.push(Effect::Query {
                call: reply.call,
                after_millis: next_query_after.unwrap_or(QUERY_MILLIS_DEFAULT),
            }),
            ReplyBody::Act(act) => self.agency_act(&call, origin, act)?,
            ReplyBody::Completed { .. } | ReplyBody::Otherwise(_) => {
                self.source_answered(&call, &reply.body)?;
                self.call_ended(&call, &reply.body)?;
                self.undo_answered(&call, &reply.body)?;
                self.settle_by_itself(
                    |incident, _| {
                        incident.kind == IncidentKind::CallFailed
                            && incident.call == Some(reply.call)
                    },
                    "对方已回执 / the agency has replied after all",
                )?;
            }
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
        if call.status == CallStatus::Abandoned {
            return Ok(Some(Ack::Superseded));
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
        let known = self.case.incidents.values().any(|state| {
            let incident = &state.incident;
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
        if call.request.run == PREFILL_RUN {
            // Nobody is troubled for what the applicant can type himself.
            self.prefill_failed(&call)?;
            return Ok(Answer::Acked(Ack::Stored));
        }
        if task.role.len() > NAME_BYTES_MAX || task.title.len() > TITLE_BYTES_MAX {
            return Ok(refuse(
                "TASK_TOO_LARGE",
                "连接器给出的待办角色或标题过长",
                "the role or title that the connector gave the task is too long",
            ));
        }
        let input = self.case.matter(call.matter).and_then(|matter| {
            match &matter.run.request(&call.request)?.made.ask {
                Ask::Call { input, .. } => Some(input.clone()),
                Ask::Decide { .. }
                | Ask::Timer { .. }
                | Ask::Act { .. }
                | Ask::Receive { .. }
                | Ask::Compensate { .. }
                | Ask::Patch { .. } => None,
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
            before: None,
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
            if call.request.is_of_a_source() {
                self.source_failed(&call)?;
                return Ok(Answer::Done);
            }
            if call.request.undoes().is_some() {
                self.undo_failed(&call, &fault.to_string())?;
                return Ok(Answer::Done);
            }
            if call.request.run == INTAKE_RUN {
                let text = format!(
                    "预审查询未成功:{fault};请人工审查 / what intake asked came to no usable end: {fault}; judge by hand"
                );
                self.advice_unanswered(&call, &text)?;
                return Ok(Answer::Done);
            }
            let message = format!(
                "调用 {} 未成功:{fault};请核实后重试或人工处理 / call {} came to no usable end: {fault}; check with the agency",
                call.made.id, call.made.id
            );
            self.raise_for_call(&call, IncidentKind::CallFailed, &message)?;
            self.settle_if_failed(call.made.id)?;
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
            if call.request.is_of_a_source() {
                self.source_failed(&call)?;
                return Ok(Answer::Done);
            }
            if call.request.undoes().is_some() {
                self.undo_failed(&call, "对方多次未收到 / the agency never saw it")?;
                return Ok(Answer::Done);
            }
            if call.request.run == INTAKE_RUN {
                let text = "对方多次未收到预审查询;请人工审查 / the agency never saw what intake asked; judge by hand";
                self.advice_unanswered(&call, text)?;
                return Ok(Answer::Done);
            }
            let text = "对方多次未收到该调用;请人工核实 / the agency never saw this call, several times over; check by hand";
            self.raise_for_call(&call, IncidentKind::CallFailed, text)?;
            self.settle_if_failed(call.made.id)?;
            return Ok(Answer::Done);
        }
        self.renew(&call, Origin::Engine)?;
        Ok(Answer::Done)
    }

    pub(super) fn wake(&mut self) -> Answer {
        let live = self.case.matters.iter().filter(|matter| matter.may_run());
        let live = live.filter(|matter| matter.run.is_live()).map(|matter| matter.no);
        self.woken.extend(live);
        let received = self.case.matters.iter().map(|matter| matter.no);
        let advising: Vec<MatterNo> = received.filter(|no| self.is_advising(*no)).collect();
        self.woken.extend(advising);
        for call in self.case.open_calls() {
            match call.status {
                // Its outcome is not known, and its body would be another one.
                CallStatus::Open if call.reopened => {
                    self.effects.push(Effect::Query { call: call.made.id, after_millis: 0 });
                }
                CallStatus::Open => self.effects.push(Effect::Send(call.made.id)),
                CallStatus::Accepted { next_query_after, .. } => self.effects.push(Effect::Query {
                    call: call.made.id,
                    after_millis: next_query_after.unwrap_or(QUERY_MILLIS_DEFAULT),
                }),
                CallStatus::Manual { .. }
                | CallStatus::Failed
                | CallStatus::Over
                | CallStatus::Abandoned => {}
            }
        }
        let drafts = self.case.drafts();
        self.effects.extend(drafts.map(|draft| Effect::Issue(draft.number().clone())));
        Answer::Done
    }

    fn turn_failed(&mut self, matter: MatterNo, reason: &str) -> Result<Answer, FoldError> {
        if self.is_advising(matter) {
            let text = format!("预审多次执行失败:{reason} / intake failed too often: {reason}");
            self.advice_given_up(matter, &text)?;
            return Ok(Answer::Done);
        }
        if matter == MatterNo::COORDINATOR {
            return self.turns_failed(reason);
        }
        let live =
            self.case.matter(matter).is_some_and(|matter| matter.may_run() && matter.run.is_live());
        if live {
            let message = format!("多次执行失败:{reason} / the turn failed too often: {reason}");
            self.raise(matter, IncidentKind::TurnFailed, &message)?;
        }
        Ok(Answer::Done)
    }

    /// Turns over the case as a whole fail; one open incident says so.
    fn turns_failed(&mut self, reason: &str) -> Result<Answer, FoldError> {
        let known = self.case.open_incidents().any(|(_, state)| {
            state.matter == MatterNo::COORDINATOR && state.incident.kind == IncidentKind::TurnFailed
        });
        if !known {
            self.raise(MatterNo::COORDINATOR, IncidentKind::TurnFailed, reason)?;
        }
        Ok(Answer::Done)
    }
}
