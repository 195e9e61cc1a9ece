//! Cancelling a script, and undoing what it registered for undoing.
//!
//! A stop is an entry; the script's next wait throws it. When the script has ended, what it
//! registered with `compensate_with` is called, last first, one at a time, and nothing stops
//! that. What cannot be undone is an incident for a person; legal acts are never undone here.

use std::sync::Arc;

use crate::agency::ReplyBody;
use crate::case::{CallState, FoldError, Task};
use crate::command::Refusal;
use crate::entry::{Body, IncidentKind, Origin, Requested, TaskKind};
use crate::id::{CallId, MatterNo};
use crate::law::{ActKind, Ending};
use crate::request::{Ask, Decision, End, OutcomeKind, Request, RequestKey};
use crate::value::Value;
use crate::viewer::Viewer;
use crate::way_out::WayKind;

use super::accept::person;
use super::{Effect, Turn};

/// What is to be done about one registration.
enum Undone {
    /// It was undone, or given up by a person.
    Yes,
    /// Somebody or something is at it.
    UnderWay,
    /// It is to be asked, as this generation of the question.
    Ask(u16),
}

impl Turn<'_> {
    /// Refuses to stop what has nothing to stop.
    pub(super) fn check_cancel(&self, no: MatterNo) -> Result<(), Refusal> {
        let matter = self.case.matter(no);
        let granted =
            matter.is_some_and(|matter| matter.law.ending().is_some_and(Ending::is_grant));
        let begun = matter.is_some_and(|matter| matter.run.begun.is_some());
        let before = matter.is_some_and(|matter| matter.run.cancel.is_some());
        let stopped = matter.is_some_and(|matter| matter.run.stopped.is_some());
        if granted || !begun || (before && !stopped) {
            return Err(Refusal::new(
                "NOTHING_TO_CANCEL",
                "该事项没有可停止的执行:尚未开始、已经停止,或已作出准予决定",
                "there is no script to stop: it has not begun, was stopped before, or its matter is granted",
            ));
        }
        Ok(())
    }

    /// Tells a script to stop. One that an incident has stopped is not evaluated any more.
    pub(super) fn cancel(
        &mut self,
        no: MatterNo,
        origin: Origin,
        reason: &str,
    ) -> Result<(), FoldError> {
        let stopped = self.case.matter(no).is_some_and(|matter| !matter.run.is_live());
        self.push(no, origin, Body::CancelRequested { reason: reason.to_owned() })?;
        if stopped {
            self.finish_cancelled(no)?;
        }
        Ok(())
    }

    /// Cancels a script that an incident had stopped: it is not evaluated any more.
    pub(super) fn cancel_stopped(
        &mut self,
        no: MatterNo,
        origin: Origin,
        reason: &str,
    ) -> Result<(), FoldError> {
        self.push(no, origin, Body::CancelRequested { reason: reason.to_owned() })?;
        self.finish_cancelled(no)
    }

    /// The script of a cancelled run has ended, however it did; its questions lose their purpose.
    pub(super) fn finish_cancelled(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let (run, finished) = (matter.run.no, matter.run.finished);
        let open = self.case.open_tasks().filter(|task| task.matter == no);
        let questions = open.filter(|task| {
            matches!(
                task.opened.kind,
                TaskKind::Decide
                    | TaskKind::Rejected
                    | TaskKind::ConfirmDenial
                    | TaskKind::Countersign
            )
        });
        let questions: Vec<_> = questions.map(|task| task.no).collect();
        for task in questions {
            self.push(no, Origin::Engine, Body::TaskDropped { task })?;
        }
        if !finished {
            self.push(no, Origin::Script, Body::RunFinished { run })?;
        }
        self.settle_by_itself(
            |incident, matter| matter == no && incident.kind.stops_script(),
            "执行已停止 / the script was stopped",
        )?;
        self.raise_unread(no)
    }

    /// A matter that ends against its script has undone what the script registered.
    pub(super) fn undo_after(&mut self, no: MatterNo, ending: Ending) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let own = matter.run.cancel.is_some() || matter.run.registered().next().is_none();
        if own || ending.is_grant() {
            return Ok(());
        }
        let reason =
            format!("事项{} / the matter ended as {}", matter.law.stage.name(), matter.law.code());
        self.push(no, Origin::Engine, Body::CancelRequested { reason })?;
        self.finish_cancelled(no)
    }

    /// Goes on with undoing wherever it is due. Returns whether anything moved.
    pub(super) fn undo(&mut self) -> Result<bool, FoldError> {
        let cancelled = self.case.matters.iter().filter(|matter| {
            let due = matter.run.cancel.as_ref().is_some_and(|cancel| !cancel.undone);
            due && matter.run.finished && !self.case.is_paused(matter.no)
        });
        let cancelled: Vec<MatterNo> = cancelled.map(|matter| matter.no).collect();
        let mut moved = false;
        for no in cancelled {
            moved |= self.undo_next(no)?;
        }
        Ok(moved)
    }

    /// What is under way may still have its effect: it is waited for before anything is undone.
    fn undo_next(&mut self, no: MatterNo) -> Result<bool, FoldError> {
        let own = |call: &&CallState| call.matter == no && call.request.run != 0;
        if self.case.open_calls().any(|call| own(&call)) {
            return Ok(false);
        }
        let Some(matter) = self.case.matter(no) else {
            return Ok(false);
        };
        let known: Vec<(u32, Ask)> = (0..)
            .zip(matter.run.registered())
            .map(|(index, request)| (index, request.made.ask.clone()))
            .collect();
        for (index, ask) in known.into_iter().rev() {
            match self.undone(no, index) {
                Undone::Yes => {}
                Undone::UnderWay => return Ok(false),
                Undone::Ask(generation) => {
                    let key = RequestKey::undoing(index, generation);
                    self.ask_undo(no, key, ask)?;
                    return Ok(true);
                }
            }
        }
        self.push(no, Origin::Engine, Body::CompensationEnded)?;
        self.ask_what_now(no)?;
        Ok(true)
    }

    fn undone(&self, no: MatterNo, index: u32) -> Undone {
        let requests = self.case.matter(no).into_iter().flat_map(|matter| &matter.run.requests);
        let asked = requests.filter(|request| request.made.key.undoes() == Some(index));
        let Some(last) = asked.max_by_key(|request| request.made.key.generation) else {
            return Undone::Ask(0);
        };
        let Some(settled) = &last.settled else {
            return Undone::UnderWay;
        };
        match &settled.end {
            End::Completed(_) => Undone::Yes,
            End::Otherwise(outcome) if outcome.kind == OutcomeKind::Cancelled => Undone::Yes,
            End::Otherwise(_)
            | End::Decided(_)
            | End::Fired
            | End::Answered(_)
            | End::Received(_) => self.after_failure(last),
        }
    }

    /// An agency that would not undo is a person's to deal with: he has it asked again, or gives
    /// it up.
    fn after_failure(&self, last: &Request) -> Undone {
        let about = |call: Option<CallId>| call.is_some() && call == last.call;
        let mut known =
            self.case.incidents.values().filter(|state| about(state.incident.call)).rev();
        match known.next().map(|state| state.end.as_ref().map(|end| end.settled.way.kind())) {
            Some(None) => Undone::UnderWay,
            Some(Some(WayKind::Retry)) => Undone::Ask(last.made.key.generation.saturating_add(1)),
            Some(Some(_)) | None => Undone::Yes,
        }
    }

    fn ask_undo(&mut self, no: MatterNo, key: RequestKey, ask: Ask) -> Result<(), FoldError> {
        let Ask::Compensate { operation, place, input } = ask else {
            return Ok(());
        };
        let ask = Ask::Call { operation: operation.clone(), place, input };
        let call = self.place_call(no, &key, &ask);
        let sent = call.as_ref().map(|call| call.id);
        let digest = crate::replay::fingerprint(self.context.secret, &ask);
        let seen = self.case.head;
        let made = Requested { key, seen, digest, ask, call, adopts: None };
        self.push(no, Origin::Engine, Body::Requested(Arc::new(made)))?;
        if let Some(id) = sent {
            self.effects.push(Effect::Send(id));
            return Ok(());
        }
        let text = format!(
            "撤销操作 {operation} 没有绑定连接器,请绑定后重试 / {operation}, which undoes, is bound to no connector; bind it and retry"
        );
        self.raise(no, IncidentKind::CompensationFailed, &text)?;
        Ok(())
    }

    /// Takes in what an agency said about undoing.
    pub(super) fn undo_answered(
        &mut self,
        call: &CallState,
        body: &ReplyBody,
    ) -> Result<(), FoldError> {
        if call.request.undoes().is_none() {
            return Ok(());
        }
        let ReplyBody::Otherwise(outcome) = body else {
            return Ok(());
        };
        let text = format!(
            "撤销未成({}):{};请联系部门处理后重试或跳过 / the agency would not undo it ({}): {}; settle it with the agency, then retry or skip",
            outcome.kind.code(),
            outcome.reason,
            outcome.kind.code(),
            outcome.reason
        );
        self.raise_for_call(call, IncidentKind::CompensationFailed, &text)
    }

    /// A call that undoes came to no usable end.
    pub(super) fn undo_failed(&mut self, call: &CallState, why: &str) -> Result<(), FoldError> {
        let text = format!(
            "撤销调用 {} 结果不明:{why};请核实 / call {}, which undoes, has no known end: {why}; check with the agency",
            call.made.id, call.made.id
        );
        self.raise_for_call(call, IncidentKind::CompensationFailed, &text)
    }

    /// Wakes the undoing after its incident was settled; the next pass asks again.
    pub(super) fn undo_again(&mut self, call: &CallState) -> Result<(), FoldError> {
        self.undo_next(call.matter)?;
        Ok(())
    }

    /// Nothing decides any more: an officer ends the matter, or has it handled anew.
    fn ask_what_now(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no).filter(|matter| matter.is_open()) else {
            return Ok(());
        };
        let reason = matter.run.cancel.as_ref().map(|cancel| cancel.reason.clone());
        let facts = Value::of([("reason", reason.unwrap_or_default().into())]);
        self.open_task(no, TaskKind::AfterCancel, "approver", facts)?;
        Ok(())
    }

    /// The officer ends the matter, or has it handled anew.
    pub(super) fn after_cancel_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        let no = task.matter;
        if said.granted {
            return self.begin_again(no, person(by));
        }
        let act = self.act_now(ActKind::Terminate, &said.opinion);
        self.request_act(no, person(by), act, None)
    }
}
