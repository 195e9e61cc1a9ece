//! The intake of a received matter: what its `intake` function advises, and who follows it.
//!
//! The function is evaluated over the journal as `handle` is, from what is filed; it may ask
//! agencies for facts, and nothing else. With `intake: "auto"` the engine follows an advice to
//! accept, because accepting is never adverse; everything else goes to a clerk with the advice
//! beside his task. An advice that does not come leaves the clerk alone with the papers: it stops
//! neither him nor the clock of the acceptance.

use std::sync::Arc;

use crate::case::{CallState, FoldError, Matter, Task};
use crate::definition::{DecidesIn, Intake, MatterDef};
use crate::entry::{Body, Incident, IncidentKind, Origin, TaskKind, TaskOpened};
use crate::id::{MatterNo, RoleCode};
use crate::law::ActKind;
use crate::material::{Found, Requirement};
use crate::port::{RunEnd, RunFunction, RunJob, RunOutput, ScriptFault, ScriptFaultKind};
use crate::recommend::{INTAKE_RUN, Recommendation, Recommended};
use crate::replay::Replay;
use crate::value::Value;

use super::Turn;

impl Turn<'_> {
    /// Takes a received matter to its acceptance: at once where its rules let the engine accept
    /// what is complete, by a clerk otherwise. A source that is still being asked is waited for.
    pub(super) fn go_to_intake(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no).filter(|_| self.is_received(no)) else {
            return Ok(());
        };
        let Some(filed) = matter.filed.as_ref() else {
            return Ok(());
        };
        let asked = |known: &Requirement| matches!(known.how, Found::Asked { .. });
        if filed.decides_in == DecidesIn::Connector || matter.requirements.iter().any(asked) {
            return Ok(());
        }
        self.ask_advice(no)?;
        self.follow_advice(no)
    }

    /// Something came for a received matter: a clerk sees it beside his task, and what needs no
    /// clerk goes on.
    pub(super) fn intake_again(&mut self, no: MatterNo) -> Result<(), FoldError> {
        if self.intake_task(no).is_some() {
            self.ask_advice(no)?;
            return self.follow_advice(no);
        }
        self.go_to_intake(no)
    }

    fn intake_task(&self, no: MatterNo) -> Option<&Task> {
        let intake = |task: &&Task| task.matter == no && task.opened.kind == TaskKind::Intake;
        self.case.open_tasks().find(intake)
    }

    /// Begins the matter's `intake` on what is filed now, if it has one.
    fn ask_advice(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let advises = self.context.closure.part(no).is_some_and(|(_, own)| own.advises);
        let Some(matter) = self.case.matter(no).filter(|_| advises) else {
            return Ok(());
        };
        let generation = matter.advice.generation.saturating_add(1);
        self.push(no, Origin::Engine, Body::IntakeBegun { generation })?;
        self.evaluate_advice(no)
    }

    /// Tells whether the matter's `intake` is what its news are for.
    pub(super) fn is_advising(&self, no: MatterNo) -> bool {
        self.is_received(no) && self.case.matter(no).is_some_and(|own| own.advice.is_pending())
    }

    /// Goes on with an advice that waited.
    pub(super) fn advise(&mut self, no: MatterNo) -> Result<(), FoldError> {
        self.evaluate_advice(no)?;
        self.follow_advice(no)
    }

    fn evaluate_advice(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(code) = self.case.matter(no).map(|matter| matter.planned.code.clone()) else {
            return Ok(());
        };
        let closure = Arc::clone(self.context.closure);
        let job = RunJob { closure: &closure, matter: &code, function: RunFunction::Intake };
        let case = Arc::clone(&self.case);
        let secret = self.context.secret.clone();
        let replay = Replay::of_intake(case, no, secret, Arc::clone(self.calendar(no)));
        let RunOutput { end, asked: fresh, stood, .. } = self.context.script.run(&job, replay);
        match end {
            RunEnd::Suspended => {
                self.record(no, fresh)?;
                self.look_for_answers(no)
            }
            RunEnd::Recommended(what) => {
                self.record(no, fresh)?;
                let generation = self.case.matter(no).map_or(0, |own| own.advice.generation);
                let recommended = Recommended { generation, what };
                self.push(no, Origin::Script, Body::IntakeRecommended(Arc::new(recommended)))?;
                Ok(())
            }
            RunEnd::Uncaught(request) => {
                self.record(no, fresh)?;
                let asked = self.case.matter(no).and_then(|matter| matter.run.request(&request));
                let target = asked.map(|asked| asked.made.ask.target()).unwrap_or_default();
                let text = format!(
                    "预审未处理 {target} 的答复,无法给出建议;请用 settle 取得答复并判断 / intake did not handle what {target} answered and advises nothing; look at the answer through settle"
                );
                self.advice_failed(no, Incident::new(IncidentKind::IntakeFailed, text))
            }
            RunEnd::Finished => {
                let text = "预审没有给出建议 / intake advised nothing";
                self.advice_failed(no, Incident::new(IncidentKind::IntakeFailed, text))
            }
            RunEnd::Failed(fault) if fault.kind == ScriptFaultKind::Infrastructure => {
                self.retry.get_or_insert((no, fault));
                Ok(())
            }
            RunEnd::Failed(fault) => self.raise_at(no, of_fault(fault), stood),
        }
    }

    /// An advice that waits for no call waits for ever.
    fn look_for_answers(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let asked = |call: &CallState| call.matter == no && call.request.run == INTAKE_RUN;
        if self.case.open_calls().any(asked) {
            return Ok(());
        }
        let text = "预审查询的部门没有绑定连接器,无法给出建议 / what intake asks is bound to no connector; it advises nothing";
        self.advice_failed(no, Incident::new(IncidentKind::IntakeFailed, text))
    }

    fn advice_failed(&mut self, no: MatterNo, incident: Incident) -> Result<(), FoldError> {
        self.push(no, Origin::Engine, Body::IncidentRaised(Arc::new(incident)))?;
        Ok(())
    }

    /// The machine failed an evaluation too often: a clerk goes on without the advice.
    pub(super) fn advice_given_up(&mut self, no: MatterNo, why: &str) -> Result<(), FoldError> {
        self.advice_failed(no, Incident::new(IncidentKind::IntakeFailed, why))?;
        self.follow_advice(no)
    }

    /// An agency that `intake` asked came to no usable end. Asking had no effect to settle.
    pub(super) fn advice_unanswered(
        &mut self,
        call: &CallState,
        why: &str,
    ) -> Result<(), FoldError> {
        let (no, id) = (call.matter, call.made.id);
        self.push(no, Origin::Engine, Body::CallAbandoned { call: id })?;
        let incident = Incident::new(IncidentKind::IntakeFailed, why);
        if !self.is_advising(no) {
            return self.advice_failed(no, Incident { call: Some(id), ..incident });
        }
        self.advice_failed(no, Incident { call: Some(id), ..incident })?;
        self.follow_advice(no)
    }

    /// Accepts what may be accepted without a clerk; shows him everything else.
    fn follow_advice(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no).filter(|_| self.is_received(no)) else {
            return Ok(());
        };
        let complete = matter.requirements.iter().all(|known| known.how != Found::Missing);
        let auto = matter.filed.as_ref().is_some_and(|filed| filed.intake == Intake::Auto);
        if auto && complete && is_fine(matter) {
            let accept = self.act_now(ActKind::Accept, "").with(self.promises(no));
            return self.request_act(no, Origin::Engine, accept, None);
        }
        if auto && complete && matter.advice.is_pending() {
            return Ok(());
        }
        let facts = self.intake_facts(no);
        match self.intake_task(no).map(|task| (task.no, task.facts == facts)) {
            Some((_, true)) => Ok(()),
            Some((task, false)) => {
                self.push(no, Origin::Engine, Body::TaskRefreshed { task, facts })?;
                Ok(())
            }
            None => match self.definition(no) {
                Some(definition) => self.open_intake(no, &definition, facts),
                None => Ok(()),
            },
        }
    }

    /// Says how each material stands, and what is advised, for those who accept.
    fn intake_facts(&self, no: MatterNo) -> Value {
        let Some(matter) = self.case.matter(no) else {
            return Value::Null;
        };
        let known = matter.requirements.iter();
        let stands = known.map(|known| (known.code.clone(), Value::from(how_text(&known.how))));
        let mut facts = Value::of([("materials", Value::Map(stands.collect()))]);
        if let Some(advice) = matter.advice.facts() {
            facts.overlay(&Value::of([("recommendation", advice)]));
        }
        facts
    }

    fn open_intake(
        &mut self,
        no: MatterNo,
        definition: &MatterDef,
        facts: Value,
    ) -> Result<(), FoldError> {
        let opened = TaskOpened {
            kind: TaskKind::Intake,
            role: RoleCode::new(format!("{}.window", self.case.started.lead)),
            region: self.case.started.region.clone(),
            title: format!("受理:{}", definition.name),
            facts,
            request: None,
            call: None,
            before: None,
        };
        self.push(no, Origin::Engine, Body::TaskOpened(Arc::new(opened)))?;
        Ok(())
    }
}

/// Tells whether nothing is advised against an acceptance.
fn is_fine(matter: &Matter) -> bool {
    let advice = &matter.advice;
    advice.begun.is_none() || advice.recommended == Some(Recommendation::Accept)
}

fn of_fault(fault: ScriptFault) -> Incident {
    Incident {
        expected: fault.expected,
        got: fault.got,
        file: fault.file,
        line: fault.line,
        column: fault.column,
        ..Incident::new(IncidentKind::IntakeFailed, fault.message)
    }
}

/// Says in a word how a material stands.
fn how_text(how: &Found) -> String {
    match how {
        Found::ResultOf { number, .. } | Found::License { number, .. } => {
            format!("免提交 {number}")
        }
        Found::Data { resource, .. } => format!("免提交 {resource}"),
        Found::Committed { text_version } => format!("告知承诺 {text_version}"),
        Found::Given { .. } => "已提交".to_owned(),
        Found::Owed { .. } => "容缺".to_owned(),
        Found::Missing => "缺".to_owned(),
        Found::Asked { .. } => "核验中".to_owned(),
    }
}
