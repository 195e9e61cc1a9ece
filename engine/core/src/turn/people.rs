//! Acts of the law that people ask for: who may, since when, and what follows.

use std::sync::Arc;

use crate::case::{FoldError, Matter, Task};
use crate::command::{ActRequest, Answer, Came, Refusal};
use crate::definition::MatterDef;
use crate::entry::{Body, Origin, TaskKind, TaskOpened};
use crate::id::{MatterNo, RoleCode, Seq};
use crate::law::{
    Act, ActAnswer, ActKind, Actor, ClockKind, CorrectionList, Promised, Stage, Terms,
};
use crate::material::Found;
use crate::request::Decision;
use crate::time::{Moment, Period};
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::accept::person;
use super::{Issuing, Turn};

fn not_permitted(kind: ActKind) -> Refusal {
    Refusal::new(
        "NOT_PERMITTED",
        format!("您的身份不能办理“{}”", kind.name()),
        format!("your role cannot {}", kind.code()),
    )
}

impl Turn<'_> {
    /// Does an act of the law for a person, or refuses it with the reason.
    pub(super) fn person_act(
        &mut self,
        by: &Viewer,
        no: MatterNo,
        asked: &ActRequest,
    ) -> Result<Answer, FoldError> {
        let act = match self.lawful_act(by, no, asked) {
            Ok(act) => act,
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        let approves = self.actor(by, no) == Some(Actor::Head);
        if act.kind == ActKind::Extend && !approves {
            return self.propose_extension(by, no, &act);
        }
        self.request_act(no, person(by), act, None)?;
        Ok(Answer::Done)
    }

    fn lawful_act(&self, by: &Viewer, no: MatterNo, asked: &ActRequest) -> Result<Act, Refusal> {
        let Some(matter) = self.case.matter(no).filter(|matter| matter.is_included()) else {
            return Err(Refusal::new(
                "MATTER_NOT_FOUND",
                "没有这个事项",
                "there is no such matter",
            ));
        };
        let actor = self.actor(by, no).ok_or_else(|| not_permitted(asked.kind))?;
        // A department decides in its task, with the facts beside it, never past its script.
        let decides = matches!(asked.kind, ActKind::Grant | ActKind::GrantTolerant | ActKind::Deny);
        let proposes = asked.kind == ActKind::Extend && actor == Actor::Department;
        let heads = actor == Actor::Head && asked.kind.actors().contains(&Actor::Department);
        if decides || !(asked.kind.actors().contains(&actor) || proposes || heads) {
            return Err(not_permitted(asked.kind));
        }
        self.check_seen(no, asked.seen)?;
        let effective_at = self.came_at(by, &asked.came)?;
        let mut act = Act {
            kind: asked.kind,
            effective_at,
            ground: asked.ground.clone(),
            document_no: asked.document_no.clone(),
            terms: asked.terms.clone(),
            detail: asked.detail.clone(),
        };
        if !asked.came.evidence.is_empty() {
            let evidence = Value::of([("evidence", asked.came.evidence.as_str().into())]);
            act.detail.overlay(&evidence);
        }
        if let (ActKind::Extend, Terms::Extension { by: longer, .. }) = (act.kind, &act.terms) {
            act.terms = Terms::Extension { by: *longer, approved_by: by.subject.clone() };
        }
        if let Terms::Correction(list) = &mut act.terms {
            if act.kind == ActKind::AskCorrection {
                // Service is an act of its own, with its own proof.
                list.served_at = None;
            }
            self.check_list(no, list)?;
        }
        self.check_place(actor, matter, act.kind)?;
        self.check_expected(&act)?;
        if act.kind == ActKind::Accept && act.terms == Terms::None {
            act.terms = self.promises(matter.no);
        }
        self.would_hold(no, &act)?;
        Ok(act)
    }

    /// Refuses what a person says where it is not his to say: an applicant that everything was
    /// corrected, anybody what the department's own system reports.
    fn check_place(&self, actor: Actor, matter: &Matter, kind: ActKind) -> Result<(), Refusal> {
        let open = matter.law.correction().is_some();
        let claims = kind == ActKind::SupplyCorrection && actor == Actor::Applicant;
        if claims && open && !self.is_supplied(matter.no) {
            return Err(Refusal::new(
                "CORRECTION_INCOMPLETE",
                "清单所列材料和内容尚未全部补正",
                "not everything that was listed has been corrected yet",
            ));
        }
        let reported = matches!(
            kind,
            ActKind::Accept
                | ActKind::NotAccept
                | ActKind::Suspend
                | ActKind::Resume
                | ActKind::Extend
                | ActKind::ForwardUp
        );
        if reported && matter.decides_elsewhere() {
            return Err(Refusal::new(
                "DECIDES_ELSEWHERE",
                "该事项由部门在其自有系统中办理",
                "the department acts on this matter in its own system",
            ));
        }
        Ok(())
    }

    /// A notice of a special procedure that goes out from here says how long it will take
    /// (行政许可法 §45); without that it could never be made.
    fn check_expected(&self, act: &Act) -> Result<(), Refusal> {
        let says = matches!(act.terms, Terms::Suspension { expected: Some(_) });
        let ours = act.document_no.is_empty() && self.context.issuing == Issuing::Sealed;
        if act.kind != ActKind::Suspend || says || !ours {
            return Ok(());
        }
        Err(Refusal::new(
            "EXPECTED_MISSING",
            "须说明特别程序预计所需时间,告知书须写明",
            "say how long the special procedure is expected to take; its notice tells the applicant",
        )
        .at(["expected"]))
    }

    /// Returns in which capacity a person acts on a matter.
    pub(super) fn actor(&self, by: &Viewer, no: MatterNo) -> Option<Actor> {
        let matter = self.case.matter(no)?;
        let own = by.departments.contains(&matter.planned.department);
        match by.role {
            Role::Applicant => Some(Actor::Applicant),
            Role::WindowClerk => Some(Actor::Window),
            Role::Approver => own.then_some(Actor::Department),
            Role::OfficeHead => own.then_some(Actor::Head),
            Role::Integrator | Role::Supervisor | Role::SystemAdmin => None,
        }
    }

    /// Returns when something that a person records took effect. Only staff record what came
    /// earlier, and only with what proves it.
    pub(super) fn came_at(&self, by: &Viewer, came: &Came) -> Result<Moment, Refusal> {
        let Some(at) = came.at else {
            return Ok(self.context.now);
        };
        if !matches!(by.role, Role::WindowClerk | Role::Approver | Role::OfficeHead) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "只有工作人员可以补录较早的时间",
                "only staff record an earlier time",
            )
            .at(["came", "at"]));
        }
        if came.evidence.trim().is_empty() {
            return Err(Refusal::new(
                "EVIDENCE_MISSING",
                "补录较早的时间须注明凭证(收件凭证编号、邮戳、停机编号等)",
                "an earlier time needs what proves it: number of a receipt, a postmark, an outage",
            )
            .at(["came", "evidence"]));
        }
        if at > self.context.now {
            return Err(Refusal::new(
                "EFFECTIVE_IN_FUTURE",
                "生效时间不能晚于现在",
                "it cannot take effect in the future",
            )
            .at(["came", "at"]));
        }
        Ok(at)
    }

    /// A list names materials and fields that the matter really has.
    pub(super) fn check_list(&self, no: MatterNo, list: &CorrectionList) -> Result<(), Refusal> {
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let definition = self.definition(no);
        for code in &list.materials {
            if matter.requirement(code).is_none() {
                let known: Vec<&str> =
                    matter.requirements.iter().map(|known| known.code.as_str()).collect();
                return Err(Refusal::new(
                    "UNKNOWN_MATERIAL",
                    format!("该事项没有材料 {code},可用:{}", known.join("、")),
                    format!("the matter has no material {code}; it has {}", known.join(", ")),
                )
                .at(["materials", code]));
            }
        }
        for name in &list.fields {
            let mut fields = definition.iter().flat_map(|definition| &definition.form);
            if !fields.any(|field| field.name == *name) {
                return Err(Refusal::new(
                    "UNKNOWN_FIELD",
                    format!("该事项的表单没有字段 {name}"),
                    format!("the matter's form has no field {name}"),
                )
                .at(["fields", name]));
            }
        }
        Ok(())
    }

    /// Returns the declaration of a matter.
    pub(super) fn definition(&self, no: MatterNo) -> Option<Arc<MatterDef>> {
        let (_, definition) = self.closure.part(no)?;
        Some(Arc::new(definition.clone()))
    }

    /// Returns the promises that an acceptance makes for what is owed by the applicant himself;
    /// the result of a sibling comes when it comes.
    pub(super) fn promises(&self, no: MatterNo) -> Terms {
        let Some(matter) = self.case.matter(no) else {
            return Terms::None;
        };
        let owed =
            matter.requirements.iter().filter(|known| known.how == Found::Owed { from: None }).map(
                |known| Promised {
                    material: known.code.clone(),
                    within: matter.law.rules.tolerance,
                },
            );
        let promises: Vec<Promised> = owed.collect();
        if promises.is_empty() { Terms::None } else { Terms::Promises(promises) }
    }

    /// An officer proposes, the head of the office approves (行政许可法 §42).
    fn propose_extension(
        &mut self,
        by: &Viewer,
        no: MatterNo,
        act: &Act,
    ) -> Result<Answer, FoldError> {
        let Terms::Extension { by: longer, .. } = &act.terms else {
            return Ok(Answer::Done);
        };
        let waits = self
            .case
            .open_tasks()
            .any(|task| task.matter == no && task.opened.kind == TaskKind::ApproveExtension);
        if waits {
            return Ok(Answer::Refused(Refusal::new(
                "ALREADY_PROPOSED",
                "延期申请已在审批中",
                "an extension waits for approval already",
            )));
        }
        let facts = Value::of([
            ("by", longer.to_string().into()),
            ("reason", act.ground.as_str().into()),
            ("proposed_by", by.subject.as_str().into()),
        ]);
        self.open_task(no, TaskKind::ApproveExtension, "head", facts)?;
        Ok(Answer::Done)
    }

    /// Returns the extension that a task asks the head to approve.
    pub(super) fn extension_of(&self, task: &Task, by: &Viewer) -> Act {
        let text = |name: &str| task.facts.get(name).and_then(Value::as_text).unwrap_or_default();
        let mut act = self.act_now(ActKind::Extend, text("reason"));
        if let Ok(longer) = text("by").parse() {
            act.terms = Terms::Extension { by: longer, approved_by: by.subject.clone() };
        }
        act
    }

    /// Opens a task for a role of the matter's own department; the window's for `window`.
    pub(super) fn open_task(
        &mut self,
        no: MatterNo,
        kind: TaskKind,
        role: &str,
        facts: Value,
    ) -> Result<Seq, FoldError> {
        let (department, name) = match self.case.matter(no) {
            Some(matter) if role != "window" => {
                (matter.planned.department.clone(), matter.planned.name.clone())
            }
            Some(matter) => (self.case.started.lead.clone(), matter.planned.name.clone()),
            None => (self.case.started.lead.clone(), self.case.started.service_name.clone()),
        };
        // The window is where the case was filed, whoever decides elsewhere.
        let place =
            if role == "window" { &self.case.started.region } else { self.case.place_of(no) };
        let label = TaskKind::ALL.iter().find(|(known, _, _)| *known == kind);
        let opened = TaskOpened {
            kind,
            role: RoleCode::new(format!("{department}.{role}")),
            region: place.clone(),
            title: format!("{}:{name}", label.map_or("", |(_, _, label)| label)),
            facts,
            request: None,
            call: None,
            before: None,
        };
        self.push(no, Origin::Engine, Body::TaskOpened(Arc::new(opened)))
    }

    /// Asks the law about an act without recording it.
    pub(super) fn would_hold(&self, matter: MatterNo, act: &Act) -> Result<(), Refusal> {
        let Some(matter) = self.case.matter(matter) else {
            return Ok(());
        };
        match matter.law.judge(act, self.calendar(matter.no)) {
            ActAnswer::Done | ActAnswer::Already => Ok(()),
            ActAnswer::Refused { code, reason } => {
                let (zh, en) =
                    reason.split_once(" / ").unwrap_or((reason.as_str(), reason.as_str()));
                Err(Refusal::new(&code, zh, en))
            }
        }
    }

    /// Asks the law whether a decision could be taken now: not during a special procedure, not
    /// while the applicant may still correct.
    pub(super) fn would_decide(&self, matter: MatterNo, act: &Act) -> Result<(), Refusal> {
        let judged = self
            .case
            .matter(matter)
            .is_some_and(|matter| matter.law.stage.is_handled() || !matter.decides_elsewhere());
        if judged { self.would_hold(matter, act) } else { Ok(()) }
    }

    /// Returns the act that an intake outcome asks for.
    pub(super) fn intake_act(&self, no: MatterNo, outcome: &crate::command::TaskOutcome) -> Act {
        if outcome.granted {
            return self.act_now(ActKind::Accept, "").with(self.promises(no));
        }
        let ground = outcome.fields.get("ground").and_then(Value::as_text).unwrap_or_default();
        let mut act = self.act_now(ActKind::NotAccept, ground);
        if !outcome.opinion.trim().is_empty() {
            act.detail = Value::of([("reason", outcome.opinion.as_str().into())]);
        }
        act
    }

    /// Carries out what a person's word on a task means for its matter.
    pub(super) fn follow_up(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        match task.opened.kind {
            TaskKind::Decide | TaskKind::LateReply => Ok(()),
            TaskKind::Obligation => self.obligation_done(task, by, said),
            TaskKind::ApproveExtension if !said.granted => Ok(()),
            TaskKind::Intake => {
                let outcome = crate::command::TaskOutcome {
                    granted: said.granted,
                    opinion: said.opinion.clone(),
                    fields: said.fields.clone(),
                };
                let act = self.intake_act(task.matter, &outcome);
                self.request_act(task.matter, person(by), act, None)
            }
            TaskKind::Manual => self.manual_done(task, by, said),
            TaskKind::Rejected => self.rejected_done(task, by, said),
            TaskKind::ConfirmDenial => self.denial_confirmed(task, by, said),
            TaskKind::CorrectionMissed | TaskKind::PromiseMissed => {
                self.missed_done(task, by, said)
            }
            TaskKind::ApproveExtension => {
                let act = self.extension_of(task, by);
                self.request_act(task.matter, person(by), act, None)
            }
            TaskKind::Countersign => self.countersigned(task, by, said),
            TaskKind::Amendment => self.amendment_done(task, by, said),
            TaskKind::AgencyLate => self.late_done(task, by, said),
            TaskKind::AfterCancel => self.after_cancel_done(task, by, said),
            TaskKind::AskCorrection => self.need_signed(task, by, said),
            TaskKind::Applicant => self.applicant_acted(task, by, said),
            TaskKind::Partial => self.partial_done(task, by, said),
        }
    }

    /// What follows from an act that was just done, whoever did it.
    pub(super) fn acted(&mut self, no: MatterNo, act: &Act) -> Result<(), FoldError> {
        let at = self.case.head;
        self.draft_notice(no, act)?;
        match act.kind {
            ActKind::Accept | ActKind::DeemAccept => {
                self.drop_tasks(no, &[TaskKind::Intake])?;
                // Accepted again after a rebuttal: what was done before rests on other papers.
                let again = self.case.matter(no).is_some_and(|matter| {
                    !matter.decides_elsewhere()
                        && matter.run.begun.is_some_and(|(begun, _)| begun != at)
                });
                if again { self.restart(no) } else { Ok(()) }
            }
            ActKind::Return => self.drop_tasks(no, &[TaskKind::Intake]),
            ActKind::RebutAcceptance => {
                self.drop_tasks(no, &[TaskKind::PromiseMissed])?;
                self.correction_asked(no, act)
            }
            ActKind::AskCorrection => self.correction_asked(no, act),
            ActKind::Resume => {
                // An act that was refused during the procedure is asked for again.
                let ended = self.case.matter(no).is_some_and(|matter| matter.run.finished);
                if ended { self.restart(no) } else { Ok(()) }
            }
            ActKind::SupplyCorrection => self.correction_supplied(no, act),
            ActKind::Resubmit => self.receive_again(no),
            ActKind::Extend => self.drop_tasks(no, &[TaskKind::ApproveExtension]),
            ActKind::Receive
            | ActKind::NotAccept
            | ActKind::NotFile
            | ActKind::Suspend
            | ActKind::Grant
            | ActKind::GrantTolerant
            | ActKind::Deny
            | ActKind::Withdraw
            | ActKind::Terminate
            | ActKind::ServeCorrection
            | ActKind::ForwardUp
            | ActKind::Revoke
            | ActKind::MakeLicense
            | ActKind::Deliver => Ok(()),
        }
    }

    /// Drops the open tasks of these kinds: they lost their purpose.
    pub(super) fn drop_tasks(&mut self, no: MatterNo, kinds: &[TaskKind]) -> Result<(), FoldError> {
        let tasks: Vec<Seq> = self
            .case
            .open_tasks()
            .filter(|task| task.matter == no && kinds.contains(&task.opened.kind))
            .map(|task| task.no)
            .collect();
        for task in tasks {
            self.push(no, Origin::Engine, Body::TaskDropped { task })?;
        }
        Ok(())
    }

    /// A returned matter that was submitted again is received and goes to its intake anew.
    fn receive_again(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let mut receive = self.act_now(ActKind::Receive, "");
        if let Some(left) = self.left_of_intake(no) {
            receive.terms = Terms::Remaining { left };
        }
        self.request_act(no, Origin::Engine, receive, None)?;
        self.go_to_intake(no)
    }

    /// Returns what is left of the office's days where papers come back as they were returned:
    /// they had been complete, and a return by mistake gives nobody new days. At least one day is
    /// left. Papers that were mended are received complete only now.
    fn left_of_intake(&self, no: MatterNo) -> Option<Period> {
        let matter = self.case.matter(no).filter(|_| !self.was_mended(no))?;
        let mut clocks = matter.law.clocks().iter().rev();
        let clock = clocks.find(|clock| clock.kind == ClockKind::Acceptance)?;
        let calendar = self.calendar(no);
        let left = calendar.remaining(clock.since, clock.budget, &[], clock.stopped?);
        Some(Period { amount: left.max(1), ..clock.budget })
    }

    /// Tells whether a field or a material of the matter is another since its papers were
    /// returned.
    fn was_mended(&self, no: MatterNo) -> bool {
        let Some(matter) = self.case.matter(no) else {
            return false;
        };
        let returned = matter.returned_at;
        let (before, now) = (self.case.form_at(returned), self.case.form());
        let definition = self.definition(no);
        let mut fields = definition.iter().flat_map(|definition| &definition.form);
        fields.any(|field| before.get(&field.name) != now.get(&field.name))
            || matter.requirements.iter().any(|known| known.how_at(returned) != &known.how)
    }

    /// Tells whether the matter waits for its intake.
    pub(super) fn is_received(&self, no: MatterNo) -> bool {
        self.case.matter(no).is_some_and(|matter| matter.law.stage == Stage::Received)
    }
}
