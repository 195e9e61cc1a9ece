//! Matter 0 when a matter ends against the applicant while others are open: what the service's
//! `on_partial` says, the question to a person, and what his word means.

use std::sync::Arc;

use crate::case::{FoldError, Matter, Task};
use crate::command::Refusal;
use crate::entry::{Body, Incident, IncidentKind, Origin, TaskKind, TaskOpened};
use crate::id::{MatterNo, RoleCode, Seq};
use crate::partial::{self, Partial, PartialOutcome};
use crate::request::Decision;
use crate::value::Value;
use crate::viewer::Viewer;

use super::Turn;

impl Turn<'_> {
    /// Looks for matters that have ended against the applicant. Returns whether anything moved.
    pub(super) fn partial(&mut self) -> Result<bool, FoldError> {
        let rests = self.case.paused.contains_key(&MatterNo::COORDINATOR);
        if !self.closure.service.on_partial || rests {
            return Ok(false);
        }
        let asked = self.case.open_tasks().find(|task| task.opened.kind == TaskKind::Partial);
        let asked: Option<Seq> = asked.map(|task| task.no);
        let goes_on = self.case.matters.iter().any(Matter::is_open);
        match asked {
            Some(task) if !goes_on => {
                self.push(MatterNo::COORDINATOR, Origin::Engine, Body::TaskDropped { task })?;
                return Ok(true);
            }
            // One question at a time; what ends meanwhile is asked about with the next.
            Some(_) => return Ok(false),
            None => {}
        }
        let ended = partial::fresh(&self.case);
        if ended.is_empty() || !goes_on {
            return Ok(false);
        }
        self.ask_partial(ended)?;
        Ok(true)
    }

    fn ask_partial(&mut self, ended: Vec<MatterNo>) -> Result<(), FoldError> {
        let facts = partial::facts(&self.case, &ended);
        let closure = Arc::clone(&self.closure);
        let (said, fault) = match self.context.script.on_partial(&closure, &facts) {
            Ok(said) => (said, None),
            Err(fault) => (Partial::GoOn, Some(fault)),
        };
        let outcome = PartialOutcome { ended, said: said.clone() };
        let body = Body::PartialOutcome(Arc::new(outcome));
        self.push(MatterNo::COORDINATOR, Origin::Script, body)?;
        if let Some(fault) = fault {
            let incident = Incident {
                file: fault.file,
                line: fault.line,
                column: fault.column,
                ..Incident::new(IncidentKind::ScriptFailed, fault.message)
            };
            let body = Body::IncidentRaised(Arc::new(incident));
            self.push(MatterNo::COORDINATOR, Origin::Engine, body)?;
        }
        match said {
            Partial::GoOn => Ok(()),
            Partial::AskApplicant { title } => {
                self.open_partial(RoleCode::applicant(), title, facts)
            }
            Partial::AskLead { title } => {
                let lead = RoleCode::new(format!("{}.approver", self.case.started.lead));
                self.open_partial(lead, title, facts)
            }
        }
    }

    fn open_partial(
        &mut self,
        role: RoleCode,
        title: String,
        facts: Value,
    ) -> Result<(), FoldError> {
        let opened = TaskOpened {
            kind: TaskKind::Partial,
            role,
            region: self.case.started.region.clone(),
            title,
            facts,
            request: None,
            call: None,
            before: None,
        };
        let body = Body::TaskOpened(Arc::new(opened));
        self.push(MatterNo::COORDINATOR, Origin::Engine, body)?;
        Ok(())
    }

    /// The applicant's no gives up what is open.
    pub(super) fn check_partial(&self, task: &Task, opinion: &str) -> Result<(), Refusal> {
        if task.role.is_applicant() { self.check_withdrawal(opinion) } else { Ok(()) }
    }

    /// Carries out a no: the applicant's withdraws what is open; the lead department's asks him.
    pub(super) fn partial_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        if said.granted {
            return Ok(());
        }
        if !task.role.is_applicant() {
            let mut facts = task.facts.clone();
            facts.overlay(&Value::of([("lead_opinion", said.opinion.as_str().into())]));
            return self.open_partial(RoleCode::applicant(), task.opened.title.clone(), facts);
        }
        self.withdraw_open(by, &said.opinion)
    }
}
