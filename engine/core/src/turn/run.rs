//! Evaluating one matter's script inside a turn, and recording what it asked for.

use std::sync::Arc;

use crate::case::{Asked, FoldError};
use crate::entry::{
    Body, CallMade, Incident, IncidentKind, Origin, Requested, RunFailed, RunPlace, TaskKind,
    TaskOpened,
};
use crate::id::{MatterNo, RegionCode, RoleCode, Seq};
use crate::limits;
use crate::port::{RunEnd, RunFunction, RunJob, RunOutput, ScriptFault, ScriptFaultKind};
use crate::replay::Replay;
use crate::request::{Ask, NewRequest, RequestKey, RequestKind};

use super::acts::Carried;
use super::tasks::DecideOptions;
use super::{Effect, Turn};

impl Turn<'_> {
    /// Evaluates the script of a woken matter, if it is to be evaluated at all.
    pub(super) fn run(&mut self, no: MatterNo) -> Result<(), FoldError> {
        if self.is_advising(no) {
            return self.advise(no);
        }
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let over = matter.law.ending().is_some_and(|end| !end.is_grant());
        if !matter.run.is_live() || over || self.case.is_paused(no) {
            return Ok(());
        }
        let cancelled = matter.run.cancel.is_some();
        let code = matter.planned.code.clone();
        let closure = Arc::clone(&self.closure);
        let job = RunJob { closure: &closure, matter: &code, function: RunFunction::Handle };
        let replay = Replay::new(
            Arc::clone(&self.case),
            no,
            self.context.secret.clone(),
            Arc::clone(self.calendar(no)),
        );
        let output = self.context.script.run(&job, replay);
        if let Some(fault) = self.too_many_tasks(&output.asked) {
            return self.raise_fault(no, fault, output.stood);
        }
        let RunOutput { end, asked, released, unheard, stood } = output;
        self.record(no, asked)?;
        self.let_go(no, released)?;
        self.came_unheard(no, unheard)?;
        match end {
            RunEnd::Suspended => Ok(()),
            RunEnd::Finished | RunEnd::Recommended(_) => {
                if cancelled {
                    return self.finish_cancelled(no);
                }
                let run = self.case.matter(no).map_or(0, |matter| matter.run.no);
                self.push(no, Origin::Script, Body::RunFinished { run })?;
                self.raise_unread(no)?;
                self.drop_old_questions(no)
            }
            RunEnd::Uncaught(_) if cancelled => self.finish_cancelled(no),
            RunEnd::Uncaught(request) => self.take_default(no, request),
            RunEnd::Failed(fault) if fault.kind == ScriptFaultKind::Infrastructure => {
                self.retry.get_or_insert((no, fault));
                Ok(())
            }
            RunEnd::Failed(fault) => self.raise_fault(no, fault, stood),
        }
    }

    /// Begins the script anew as the next generation of its run. One that has begun too often
    /// stops instead, for a person to look at.
    pub(super) fn begin_again(&mut self, no: MatterNo, origin: Origin) -> Result<(), FoldError> {
        let Some(generation) = self.next_generation(no) else {
            let text = format!(
                "脚本重新执行已超过 {0} 次,请人工处理 / the script has begun anew more than {0} times; handle the matter by hand",
                limits::RUN_GENERATIONS_MAX
            );
            self.raise(no, IncidentKind::LimitExceeded, &text)?;
            return Ok(());
        };
        self.push(no, origin, Body::RunRestarted { generation })?;
        Ok(())
    }

    /// Returns the next generation of a run, while there is one.
    pub(super) fn next_generation(&self, no: MatterNo) -> Option<u16> {
        let generation = self.case.matter(no).map_or(0, |matter| matter.run.generation);
        (generation < limits::RUN_GENERATIONS_MAX).then(|| generation + 1)
    }

    /// A script that would open more tasks than a case may have fails, before it opens any.
    fn too_many_tasks(&self, asked: &[NewRequest]) -> Option<ScriptFault> {
        let asks = asked.iter().filter(|one| one.ask.kind() == RequestKind::Decide);
        let new = asks.filter(|one| one.adopts.is_none()).count();
        let most = limits::CASE_TASKS_MAX;
        if new == 0 || self.case.open_tasks().count() + new <= most {
            return None;
        }
        let text =
            format!("一个办件最多同时有 {most} 个待办 / a case may have at most {most} open tasks");
        Some(ScriptFault::new(ScriptFaultKind::Limit, text))
    }

    pub(super) fn record(&mut self, no: MatterNo, fresh: Vec<NewRequest>) -> Result<(), FoldError> {
        for request in fresh {
            self.record_one(no, request)?;
        }
        Ok(())
    }

    fn record_one(&mut self, no: MatterNo, request: NewRequest) -> Result<(), FoldError> {
        let NewRequest { key, seen, digest, ask, adopts, leaves } = request;
        let adopted = adopts.is_some();
        let call = match &ask {
            Ask::Call { .. } if !adopted && leaves => self.place_call(no, &key, &ask),
            Ask::Call { .. }
            | Ask::Decide { .. }
            | Ask::Timer { .. }
            | Ask::Act { .. }
            | Ask::Patch { .. }
            | Ask::Receive { .. }
            | Ask::Compensate { .. } => None,
        };
        let made = Arc::new(Requested { key: key.clone(), seen, digest, ask, call, adopts });
        self.push(no, Origin::Script, Body::Requested(Arc::clone(&made)))?;
        if adopted {
            self.woken.insert(no);
            return self.refresh_task(no, &made);
        }
        if !leaves && made.ask.kind() != RequestKind::Patch {
            // It was asked between a stop and the wait that throws it: written down, never sent,
            // and never undone.
            let by = self.case.head;
            self.push(no, Origin::Engine, Body::RequestReleased { request: key, by })?;
            return Ok(());
        }
        match &made.ask {
            Ask::Call { operation, place, .. } => match &made.call {
                Some(call) => {
                    self.effects.push(Effect::Send(call.id));
                    Ok(())
                }
                None => self.raise_unbound(no, operation, place.as_deref()),
            },
            Ask::Decide { role, title, facts, options } => {
                let opened = TaskOpened {
                    kind: TaskKind::Decide,
                    role: RoleCode::new(role),
                    region: self.case.place_of(no).clone(),
                    title: title.clone(),
                    facts: facts.clone(),
                    request: Some(key),
                    call: None,
                    before: None,
                };
                let main = self.push(no, Origin::Engine, Body::TaskOpened(Arc::new(opened)))?;
                self.ask_countersigns(main, &DecideOptions::of(options))
            }
            Ask::Timer { .. }
            | Ask::Patch { .. }
            | Ask::Receive { .. }
            | Ask::Compensate { .. } => Ok(()),
            Ask::Act { act, evidence, detail } => {
                let asked =
                    super::acts::AskedAct { kind: *act, evidence: evidence.as_ref(), detail, seen };
                self.script_act(no, key, &asked)
            }
        }
    }

    /// A decision that is still open goes on under the next generation; what is shown beside it
    /// is what the script shows now.
    fn refresh_task(&mut self, no: MatterNo, made: &Requested) -> Result<(), FoldError> {
        let Ask::Decide { facts, .. } = &made.ask else {
            return Ok(());
        };
        let root = self.root_of(no, &made.key);
        let task = self.case.open_tasks().find(|task| {
            task.matter == no
                && task.opened.kind == TaskKind::Decide
                && task.opened.request.as_ref() == Some(&root)
        });
        let Some(task) = task.map(|task| task.no) else {
            return Ok(());
        };
        let body = Body::TaskRefreshed { task, facts: facts.clone() };
        self.push(no, Origin::Script, body)?;
        Ok(())
    }

    /// A question of an earlier generation that this one did not ask again has lost its purpose.
    fn drop_old_questions(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let run = &matter.run;
        let asked = run.requests.iter().filter(|own| own.made.key.generation == run.generation);
        let asked: Vec<RequestKey> =
            asked.map(|request| self.root_of(no, &request.made.key)).collect();
        let old = self.case.open_tasks().filter(|task| {
            let request = task.opened.request.as_ref();
            let question = task.matter == no && task.opened.kind == TaskKind::Decide;
            question && request.is_some_and(|request| !asked.contains(request))
        });
        let old: Vec<crate::id::Seq> = old.map(|task| task.no).collect();
        for task in old {
            self.push(no, Origin::Engine, Body::TaskDropped { task })?;
        }
        Ok(())
    }

    /// Follows what a request took over to the one that really asked.
    pub(super) fn root_of(&self, no: MatterNo, key: &RequestKey) -> RequestKey {
        let matter = self.case.matter(no);
        matter.map_or_else(|| key.clone(), |matter| matter.run.root(key).clone())
    }

    /// Makes the call of a request; `None` when no connector is bound.
    pub(super) fn place_call(&self, no: MatterNo, key: &RequestKey, ask: &Ask) -> Option<CallMade> {
        let Ask::Call { operation, place, input } = ask else {
            return None;
        };
        let wiring = self.context.wiring;
        let region =
            place.as_deref().map_or_else(|| self.case.place_of(no).clone(), RegionCode::new);
        let connector = wiring.connector_for(operation, &region)?;
        let reply_within = wiring.reply_within(operation, &region);
        let run = &self.case.matter(no)?.run;
        let known = run.request(key).map(|request| request.amends);
        let amends = known.unwrap_or_else(|| run.amends(key, ask));
        let carried = Carried { connector, region, reply_within };
        Some(self.call_made((no, key, 0), carried, Asked { operation, input, amends }))
    }

    fn raise_unbound(
        &mut self,
        no: MatterNo,
        operation: &str,
        place: Option<&str>,
    ) -> Result<(), FoldError> {
        let region = place.unwrap_or_else(|| self.case.place_of(no).as_str()).to_owned();
        let message = format!(
            "{operation} 在 {region} 没有绑定连接器,请在接线配置中绑定 / {operation} is bound to no connector at {region}; bind it in the wiring"
        );
        self.raise(no, IncidentKind::CallFailed, &message)?;
        Ok(())
    }

    fn raise_fault(
        &mut self,
        no: MatterNo,
        fault: ScriptFault,
        stood: Option<(RequestKey, Seq)>,
    ) -> Result<(), FoldError> {
        let kind = match fault.kind {
            ScriptFaultKind::Script | ScriptFaultKind::Infrastructure => IncidentKind::ScriptFailed,
            ScriptFaultKind::Mismatch => IncidentKind::ReplayMismatch,
            ScriptFaultKind::Limit => IncidentKind::LimitExceeded,
        };
        let incident = Incident {
            kind,
            message: fault.message,
            expected: fault.expected,
            got: fault.got,
            file: fault.file,
            line: fault.line,
            column: fault.column,
            call: None,
        };
        self.raise_at(no, incident, stood)?;
        self.raise_unread(no)
    }

    /// Records that a script failed, with its place in the journal and both versions.
    pub(super) fn raise_at(
        &mut self,
        no: MatterNo,
        incident: Incident,
        stood: Option<(RequestKey, Seq)>,
    ) -> Result<(), FoldError> {
        let incident = Arc::new(incident);
        let body = match stood {
            Some((request, seen)) => {
                let place = Arc::new(self.place_of_run(no, request, seen));
                Body::RunFailed(Arc::new(RunFailed { incident, place }))
            }
            None => Body::IncidentRaised(incident),
        };
        self.push(no, Origin::Engine, body)?;
        Ok(())
    }

    /// What the journal holds of a request was written under the version of its entry; of one
    /// that it does not hold, under that of the newest entry consumed.
    fn place_of_run(&self, no: MatterNo, request: RequestKey, seen: Seq) -> RunPlace {
        let known = self.case.matter(no).and_then(|matter| matter.run.request(&request));
        let written = self.case.version_at(known.map_or(seen, |known| known.at));
        RunPlace { request, seen, written, replayed: self.case.version_at(self.case.head) }
    }
}
