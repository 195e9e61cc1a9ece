//! What outlives the wait for it: losers of combinators, and calls whose matter is over.
//!
//! A timer or question that lost is over, and its task is dropped. A call that lost goes on, and
//! its case is not over before it is: a completion that comes then is a message that a person
//! handles, and a call without an end is settled by two persons.

use std::sync::Arc;

use crate::agency::ReplyBody;
use crate::case::{CallState, CallStatus, FoldError, Task};
use crate::entry::{Body, Origin, TaskKind, TaskOpened};
use crate::id::{CallId, MatterNo, RoleCode, Seq};
use crate::prefill::PREFILL_RUN;
use crate::recommend::INTAKE_RUN;
use crate::request::{Decision, End, RequestKey, RequestKind};
use crate::value::Value;
use crate::viewer::Viewer;

use super::Turn;
use super::accept::person;

impl Turn<'_> {
    /// Records what a run no longer waits for.
    pub(super) fn let_go(
        &mut self,
        no: MatterNo,
        released: Vec<(RequestKey, Seq)>,
    ) -> Result<(), FoldError> {
        for (key, by) in released {
            let request = self.root_of(no, &key);
            let known = self.case.matter(no).and_then(|matter| matter.run.request(&request));
            // An act in between may have ended the matter, and its questions with it.
            let received = |known: &&crate::request::Request| {
                let end = known.settled.as_ref().map(|settled| &settled.end);
                matches!(end, None | Some(End::Received(_)))
            };
            let Some(known) = known.filter(received) else {
                continue;
            };
            let (kind, call) = (known.made.ask.kind(), known.call);
            if kind == RequestKind::Call && call.is_none() {
                continue;
            }
            let body = Body::RequestReleased { request: request.clone(), by };
            self.push(no, Origin::Engine, body)?;
            self.drop_question(no, &request)?;
            if let Some(call) = call {
                self.settle_if_failed(call)?;
            }
        }
        Ok(())
    }

    /// Drops the task of a question that nobody waits for, with the words asked for it.
    fn drop_question(&mut self, no: MatterNo, request: &RequestKey) -> Result<(), FoldError> {
        let main = self.case.open_tasks().find(|task| {
            task.matter == no
                && task.opened.kind == TaskKind::Decide
                && task.opened.request.as_ref() == Some(request)
        });
        let Some(main) = main.map(|task| task.no) else {
            return Ok(());
        };
        let before = self.case.open_tasks().filter(|task| task.opened.before == Some(main));
        let tasks: Vec<Seq> = before.map(|task| task.no).chain([main]).collect();
        for task in tasks {
            self.push(no, Origin::Engine, Body::TaskDropped { task })?;
        }
        Ok(())
    }

    /// Gives to a person what came for a call that had lost, once.
    pub(super) fn came_unheard(
        &mut self,
        no: MatterNo,
        unheard: Vec<RequestKey>,
    ) -> Result<(), FoldError> {
        for key in unheard {
            let request = self.case.matter(no).and_then(|matter| matter.run.request(&key));
            if let Some(call) = request.and_then(|request| request.call) {
                self.open_about(call, TaskKind::LateReply)?;
            }
        }
        Ok(())
    }

    /// A call has ended: nothing is left to find out about it, and its completion is given to a
    /// person if no script will read it.
    pub(super) fn call_ended(
        &mut self,
        call: &CallState,
        body: &ReplyBody,
    ) -> Result<(), FoldError> {
        let id = Some(call.made.id);
        let asked = self
            .case
            .open_tasks()
            .find(|task| task.opened.kind == TaskKind::Obligation && task.opened.call == id);
        if let Some(task) = asked.map(|task| task.no) {
            self.push(call.matter, Origin::Engine, Body::TaskDropped { task })?;
        }
        if matches!(body, ReplyBody::Completed { .. }) && self.is_orphan(call) {
            return self.open_about(call.made.id, TaskKind::LateReply);
        }
        Ok(())
    }

    /// Lets two persons find out what became of a call that failed and that no script waits for.
    pub(super) fn settle_if_failed(&mut self, call: CallId) -> Result<(), FoldError> {
        let Some(call) = self.case.calls.get(&call) else {
            return Ok(());
        };
        if call.status != CallStatus::Failed || !self.is_orphan(call) {
            return Ok(());
        }
        self.open_about(call.made.id, TaskKind::Obligation)
    }

    /// The same for every call of a matter that has just ended.
    pub(super) fn settle_failed(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let own = self.case.open_calls().filter(|call| call.matter == no);
        let own: Vec<CallId> = own.map(|call| call.made.id).collect();
        own.into_iter().try_for_each(|call| self.settle_if_failed(call))
    }

    /// Tells whether no script will read what comes of a call.
    fn is_orphan(&self, call: &CallState) -> bool {
        // What the engine or `intake` asked had no effect that somebody would have to settle.
        let asks = [0, INTAKE_RUN, PREFILL_RUN].contains(&call.request.run);
        let Some(matter) = self.case.matter(call.matter).filter(|_| !asks) else {
            return false;
        };
        if matter.decides_elsewhere() {
            return false;
        }
        let ended = matter.law.ending().is_some_and(|ending| !ending.is_grant());
        ended
            || call.released.is_some() && (matter.run.finished || call.status == CallStatus::Failed)
    }

    fn open_about(&mut self, call: CallId, kind: TaskKind) -> Result<(), FoldError> {
        let known = |task: &Task| task.opened.kind == kind && task.opened.call == Some(call);
        let Some(state) =
            self.case.calls.get(&call).filter(|_| !self.case.tasks.values().any(known))
        else {
            return Ok(());
        };
        let Some(matter) = self.case.matter(state.matter) else {
            return Ok(());
        };
        let request = matter.run.request(&state.request);
        let operation = request.map_or_else(String::new, |request| request.made.ask.target());
        let mut facts = Value::of([
            ("operation", operation.as_str().into()),
            ("connector", state.made.connector.as_str().into()),
        ]);
        let end = request.and_then(|request| request.settled.as_ref()).map(|settled| &settled.end);
        if let Some(End::Completed(reply)) = end
            && let ReplyBody::Completed { output, documents } = &reply.body
        {
            let numbers = documents.iter().map(|document| document.number.as_str().into());
            let numbers = Value::List(numbers.collect());
            facts.overlay(&Value::of([("output", output.clone()), ("documents", numbers)]));
        }
        let what = if kind == TaskKind::LateReply {
            "处理迟到的办理结果"
        } else {
            "核实未了结的调用"
        };
        let title = format!("{what}:{operation}");
        let opened = TaskOpened {
            kind,
            role: RoleCode::new(format!("{}.approver", matter.planned.department)),
            region: self.case.place_of(state.matter).clone(),
            title,
            facts,
            request: Some(state.request.clone()),
            call: Some(call),
            before: None,
        };
        let no = state.matter;
        self.push(no, Origin::Engine, Body::TaskOpened(Arc::new(opened)))?;
        Ok(())
    }

    /// Two officers agree: nothing is owed any more, or the agency is asked anew.
    pub(super) fn obligation_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        let call = task.opened.call.and_then(|call| self.case.calls.get(&call));
        let Some(call) = call.filter(|call| call.is_open()).cloned() else {
            return Ok(());
        };
        if !said.granted {
            return self.renew(&call, person(by));
        }
        let first = task.proposed.iter().map(|(first, _)| first.clone());
        let body = Body::ObligationResolved {
            call: call.made.id,
            reason: said.opinion.clone(),
            officers: first.chain([by.subject.clone()]).collect(),
        };
        self.push(call.matter, person(by), body)?;
        Ok(())
    }
}
