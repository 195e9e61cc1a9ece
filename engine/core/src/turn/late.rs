//! An agency that has not answered within the time that it agreed to: somebody of the office that
//! asked looks, until the answer comes.

use std::sync::Arc;

use crate::case::{FoldError, Task};
use crate::command::{Refusal, TaskOutcome};
use crate::entry::{Body, Incident, IncidentKind, TaskKind};
use crate::id::{CallId, Seq};
use crate::law::ClockKind;
use crate::request::Decision;
use crate::time::Moment;
use crate::value::Value;
use crate::viewer::Viewer;

use super::Turn;
use super::accept::person;
use super::correction::longer;

/// Returns the call that a task about a late agency names.
fn call_of(task: &Task) -> Option<CallId> {
    task.facts.get("call").and_then(Value::as_text)?.parse().ok()
}

impl Turn<'_> {
    /// The agency's time has passed: nothing ends by it, and the office that asked sees it.
    pub(super) fn agency_late(&mut self, call: &str, due: Moment) -> Result<(), FoldError> {
        let late = call.parse().ok().and_then(|id: CallId| self.case.calls.get(&id));
        let Some(late) = late.cloned() else {
            return Ok(());
        };
        let operation = self.case.operation_of(&late).unwrap_or_default().to_owned();
        let facts = Value::of([
            ("operation", operation.into()),
            ("connector", late.made.connector.as_str().into()),
            ("region", late.made.region.as_str().into()),
            ("call", call.into()),
            ("since", late.opened_at.to_string().into()),
            ("due", due.to_string().into()),
        ]);
        self.open_task(late.matter, TaskKind::AgencyLate, "approver", facts)?;
        Ok(())
    }

    /// What was late has come, or was given up: nobody needs to look any more.
    pub(super) fn drop_answered(&mut self) -> Result<(), FoldError> {
        let waits = |id| self.case.calls.get(&id).is_some_and(|call| call.is_open());
        let answered: Vec<(Seq, crate::id::MatterNo)> = self
            .case
            .open_tasks()
            .filter(|task| task.opened.kind == TaskKind::AgencyLate)
            .filter(|task| !call_of(task).is_some_and(waits))
            .map(|task| (task.no, task.matter))
            .collect();
        for (task, matter) in answered {
            self.push(matter, crate::entry::Origin::Engine, Body::TaskDropped { task })?;
        }
        Ok(())
    }

    /// More time must be said; giving the answer up needs its reasons, as every no does.
    pub(super) fn check_late(outcome: &TaskOutcome) -> Result<(), Refusal> {
        if !outcome.granted || longer(&outcome.fields).is_some() {
            return Ok(());
        }
        Err(Refusal::new(
            "FIELDS_MISSING",
            "请填写再等多久 fields.longer,例如 \"2 working days\"",
            "say how much longer to wait as fields.longer, such as \"2 working days\"",
        )
        .at(["fields", "longer"]))
    }

    /// The officer gives the agency more time, or does not wait any more: then the call counts as
    /// failed until somebody sees to it, and an answer that comes still is taken in.
    pub(super) fn late_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        let call = call_of(task).and_then(|id| self.case.calls.get(&id));
        let Some(call) = call.filter(|call| call.is_open()).cloned() else {
            return Ok(());
        };
        if let Some(budget) = longer(&said.fields).filter(|_| said.granted) {
            let renewed = Body::PeriodRenewed {
                clock: ClockKind::Connector,
                about: call.made.id.to_string(),
                budget,
                reason: said.opinion.clone(),
            };
            self.push(task.matter, person(by), renewed)?;
            return Ok(());
        }
        let message = format!(
            "{0} 逾期未答复,不再等待:{1} / {0} did not answer in time and is not waited for any more: {1}",
            call.made.connector, said.opinion
        );
        let incident = Incident {
            call: Some(call.made.id),
            ..Incident::new(IncidentKind::CallFailed, message)
        };
        self.push(task.matter, person(by), Body::IncidentRaised(Arc::new(incident)))?;
        Ok(())
    }
}
