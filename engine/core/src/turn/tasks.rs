//! Tasks in people's hands: who may take one, what may be done with it, and how a decision by
//! several people comes about.

use std::sync::Arc;

use crate::case::{FoldError, Task, TaskEnd};
use crate::command::{Answer, Refusal, Seen, TaskAt, TaskChange, TaskOutcome};
use crate::entry::{Body, Origin, TaskAssigned, TaskKind, TaskOpened};
use crate::id::{MatterNo, RoleCode, Seq};
use crate::law::ActKind;
use crate::request::{Ask, Decision};
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::Turn;
use super::accept::person;

/// Options of a `decide` that the engine itself carries out.
pub(super) struct DecideOptions {
    /// Roles that give their word first (会签).
    pub(super) countersign: Vec<RoleCode>,
    /// Whether they do so one after the other.
    pub(super) in_order: bool,
    /// Whether two officers must decide alike (四眼).
    pub(super) four_eyes: bool,
}

impl DecideOptions {
    /// Reads the options of a request.
    pub(super) fn of(options: &Value) -> Self {
        let roles = match options.get("countersign") {
            Some(Value::List(roles)) => {
                roles.iter().filter_map(Value::as_text).map(RoleCode::new).collect()
            }
            Some(Value::Text(role)) => vec![RoleCode::new(role)],
            Some(
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::Decimal(_) | Value::Map(_),
            )
            | None => Vec::new(),
        };
        let yes = |name: &str| options.get(name).and_then(Value::as_bool).unwrap_or(false);
        Self { countersign: roles, in_order: yes("in_order"), four_eyes: yes("four_eyes") }
    }
}

fn taken() -> Refusal {
    Refusal::new("TASK_TAKEN", "任务已由他人认领", "the task was taken by someone else")
}

/// Refuses an outdated version.
pub(super) fn check_version(what: (&str, &str), seen: u32, now: u32) -> Result<(), Refusal> {
    if seen == now {
        return Ok(());
    }
    let (zh, en) = what;
    let mut refusal = Refusal::new(
        "VERSION_CONFLICT",
        format!("{zh}已被更新(当前版本 {now}),请刷新后再试"),
        format!("the {en} was changed by someone else and is at version {now} now"),
    );
    refusal.current = Some(now);
    Err(refusal)
}

impl Turn<'_> {
    /// Finds an open task that the person may take.
    fn task_of(&self, by: &Viewer, no: Seq) -> Result<&Task, Refusal> {
        let gone = || {
            Refusal::new(
                "TASK_CLOSED",
                "任务已结束或不存在,请刷新列表",
                "the task is closed or does not exist; refresh the list",
            )
        };
        let task = self.case.tasks.get(&no).filter(|task| task.end.is_none()).ok_or_else(gone)?;
        if !self.may_take(by, task) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                format!("该任务由 {} 在 {} 办理", task.role, task.opened.region),
                format!("this task is for {} at {}", task.role, task.opened.region),
            ));
        }
        Ok(task)
    }

    /// Finds an open task at the version that the person saw, for someone who may act in it:
    /// nobody else holds it, or he stands in for the one who does.
    pub(super) fn task_for(&self, by: &Viewer, at: TaskAt) -> Result<&Task, Refusal> {
        let task = self.task_of(by, at.no)?;
        check_version(("任务", "task"), at.version, task.version)?;
        match task.holder(self.context.now) {
            Some(holder) if holder != by.subject && !self.stands_in(by, holder) => Err(taken()),
            Some(_) | None => Ok(task),
        }
    }

    fn may_take(&self, by: &Viewer, task: &Task) -> bool {
        self.context.organisation.lets_take(by, task.addressee(), self.context.now)
    }

    fn stands_in(&self, by: &Viewer, absent: &str) -> bool {
        let organisation = self.context.organisation;
        organisation.may_stand_in(&by.subject, absent, self.context.now).is_some()
    }

    pub(super) fn claim(&mut self, by: &Viewer, at: TaskAt) -> Result<Answer, FoldError> {
        let (matter, holder) = match self.task_for(by, at) {
            Ok(task) => (task.matter, task.holder(self.context.now).map(ToOwned::to_owned)),
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        match holder {
            Some(holder) if holder == by.subject => {}
            Some(absent) => self.assign_instead(by, at.no, (absent, ""))?,
            None => {
                let claimed = Body::TaskClaimed { task: at.no, by: by.subject.clone() };
                self.push(matter, person(by), claimed)?;
            }
        }
        Ok(Answer::Done)
    }

    /// Records that someone acts in place of an absent colleague.
    fn assign_instead(
        &mut self,
        by: &Viewer,
        no: Seq,
        absent: (String, &str),
    ) -> Result<(), FoldError> {
        let (absent, reason) = absent;
        let matter = self.case.tasks.get(&no).map_or(MatterNo::COORDINATOR, |task| task.matter);
        let assigned = TaskAssigned {
            task: no,
            to: by.subject.clone(),
            until: None,
            instead_of: Some(absent),
            reason: if reason.is_empty() {
                format!("代理({}) / stands in", self.context.organisation.version())
            } else {
                reason.to_owned()
            },
        };
        self.push(matter, person(by), Body::TaskAssigned(Arc::new(assigned)))?;
        Ok(())
    }

    pub(super) fn release(&mut self, by: &Viewer, at: TaskAt) -> Result<Answer, FoldError> {
        let (matter, held) = match self.task_for(by, at) {
            Ok(task) => (task.matter, task.assignee.is_some()),
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        if held {
            self.push(matter, person(by), Body::TaskReleased { task: at.no })?;
        }
        Ok(Answer::Done)
    }

    /// Does something with a task short of completing it.
    pub(super) fn change_task(
        &mut self,
        by: &Viewer,
        at: TaskAt,
        change: &TaskChange,
    ) -> Result<Answer, FoldError> {
        match self.changed_task(by, at, change) {
            Ok((matter, body)) => {
                self.push(matter, person(by), body)?;
                Ok(Answer::Done)
            }
            Err(refusal) => Ok(Answer::Refused(refusal)),
        }
    }

    fn changed_task(
        &self,
        by: &Viewer,
        at: TaskAt,
        change: &TaskChange,
    ) -> Result<(MatterNo, Body), Refusal> {
        if let TaskChange::Urge { reason } = change {
            let matter = self.check_urge(by, at.no, reason)?;
            return Ok((matter, Body::TaskUrged { task: at.no, reason: reason.clone() }));
        }
        let task = self.task_for(by, at)?;
        let body = match change {
            TaskChange::Assign { to, until, reason } => {
                self.check_assign(by, task, to)?;
                if until.is_some_and(|until| until < self.context.now) {
                    return Err(Refusal::new(
                        "PERIOD_PASSED",
                        "委派的截止时间已过",
                        "the delegation would have ended already",
                    )
                    .at(["until"]));
                }
                Body::TaskAssigned(Arc::new(TaskAssigned {
                    task: at.no,
                    to: to.clone(),
                    until: *until,
                    instead_of: None,
                    reason: reason.clone(),
                }))
            }
            TaskChange::Escalate { to, reason } => {
                check_escalate(task, to, reason)?;
                Body::TaskEscalated { task: at.no, to: to.clone(), reason: reason.clone() }
            }
            TaskChange::Draft(draft) => Body::DraftSaved { task: at.no, draft: draft.clone() },
            TaskChange::Urge { .. } => unreachable!("answered above"),
        };
        Ok((task.matter, body))
    }

    /// A task is given only to someone of whom the directory says that he holds its role there.
    fn check_assign(&self, by: &Viewer, task: &Task, to: &str) -> Result<(), Refusal> {
        let region = &task.opened.region;
        let (organisation, now) = (self.context.organisation, self.context.now);
        if to == by.subject || organisation.standing(to, &task.role, region, now).is_some() {
            return Ok(());
        }
        Err(Refusal::new(
            "NOT_A_HOLDER",
            format!("{to} 当前不担任 {} ({region})的职务,不能指派", task.role),
            format!("{to} does not hold {} at {region} now; assign someone who does", task.role),
        )
        .at(["to"]))
    }

    /// The lead department, the window and the supervisor may urge; none of them may decide.
    fn check_urge(&self, by: &Viewer, no: Seq, reason: &str) -> Result<MatterNo, Refusal> {
        let leads = by.departments.contains(&self.case.started.lead);
        let may = match by.role {
            Role::WindowClerk | Role::Supervisor | Role::Applicant => true,
            Role::Approver | Role::OfficeHead => leads,
            Role::Integrator | Role::SystemAdmin => false,
        };
        if !may {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "催办由牵头部门、窗口、申请人或督查人员发起",
                "the lead department, the window, the applicant or a supervisor urges",
            ));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::new("REASONS_MISSING", "请填写催办内容", "say what to urge")
                .at(["reason"]));
        }
        let open = self.case.tasks.get(&no).filter(|task| task.end.is_none());
        open.map(|task| task.matter)
            .ok_or_else(|| Refusal::new("TASK_CLOSED", "任务已结束或不存在", "the task is closed"))
    }

    /// Takes over what an absent colleague holds in this case.
    pub(super) fn take_over(
        &mut self,
        by: &Viewer,
        from: &str,
        reason: &str,
    ) -> Result<Answer, FoldError> {
        let now = self.context.now;
        let held: Vec<Seq> = self
            .case
            .open_tasks()
            .filter(|task| task.holder(now) == Some(from))
            .filter(|task| self.may_take(by, task))
            .map(|task| task.no)
            .collect();
        let chief = by.role == Role::OfficeHead;
        if held.is_empty() || !(chief || self.stands_in(by, from)) {
            return Ok(Answer::Refused(Refusal::new(
                "NOT_PERMITTED",
                format!("只有 {from} 的代理人或其机关负责人可以接手,且须有其在办任务"),
                format!(
                    "only one who stands in for {from}, or the head of the office, takes over what {from} holds"
                ),
            )));
        }
        if reason.trim().is_empty() {
            return Ok(Answer::Refused(
                Refusal::new("REASONS_MISSING", "接手须说明理由", "say why you take over")
                    .at(["reason"]),
            ));
        }
        for no in held {
            self.assign_instead(by, no, (from.to_owned(), reason))?;
        }
        Ok(Answer::Done)
    }

    /// Completes a task, or gives the first of two words.
    pub(super) fn complete(
        &mut self,
        by: &Viewer,
        at: TaskAt,
        said: (&TaskOutcome, Seen),
    ) -> Result<Answer, FoldError> {
        let (outcome, seen) = said;
        let task = match self.task_for(by, at) {
            Ok(task) => task.clone(),
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        if let Err(refusal) = self.check_seen(task.matter, seen) {
            return Ok(Answer::Refused(refusal));
        }
        if let Err(refusal) = self.check_outcome(by, &task, outcome) {
            return Ok(Answer::Refused(refusal));
        }
        let holder = task.holder(self.context.now);
        if let Some(absent) = holder.filter(|holder| *holder != by.subject) {
            self.assign_instead(by, at.no, (absent.to_owned(), ""))?;
        }
        let mut decision = Decision {
            granted: outcome.granted,
            opinion: outcome.opinion.clone(),
            officer: by.subject.clone(),
            fields: outcome.fields.clone(),
        };
        if self.takes_two(&task) {
            match &task.proposed {
                None => {
                    let proposed = Body::DecisionProposed { task: at.no, decision };
                    self.push(task.matter, person(by), proposed)?;
                    return Ok(Answer::Done);
                }
                Some((first, proposal)) if proposal.granted == outcome.granted => {
                    let both = [Value::from(first.as_str()), Value::from(by.subject.as_str())];
                    let officers = Value::of([("officers", Value::List(both.into()))]);
                    decision.fields.overlay(&officers);
                }
                Some(_) => return self.disagree(&task, by, outcome),
            }
        }
        let done = Body::TaskCompleted { task: at.no, decision: decision.clone() };
        self.push(task.matter, person(by), done)?;
        self.follow_up(&task, by, &decision)?;
        Ok(Answer::Done)
    }

    /// Tells whether a second officer must say the same.
    fn takes_two(&self, task: &Task) -> bool {
        match task.opened.kind {
            TaskKind::Obligation => true,
            TaskKind::Decide => self.options_of(task).four_eyes,
            TaskKind::Intake
            | TaskKind::Manual
            | TaskKind::Rejected
            | TaskKind::ConfirmDenial
            | TaskKind::CorrectionMissed
            | TaskKind::PromiseMissed
            | TaskKind::ApproveExtension
            | TaskKind::Countersign
            | TaskKind::Amendment
            | TaskKind::AgencyLate
            | TaskKind::LateReply
            | TaskKind::AfterCancel
            | TaskKind::AskCorrection
            | TaskKind::Applicant
            | TaskKind::Partial => false,
        }
    }

    /// Two officers do not decide alike: both words are shown, and it begins anew.
    fn disagree(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &TaskOutcome,
    ) -> Result<Answer, FoldError> {
        let mut facts = task.facts.clone();
        let word = |who: &str, granted: bool, opinion: &str| {
            Value::of([
                ("officer", who.into()),
                ("granted", granted.into()),
                ("opinion", opinion.into()),
            ])
        };
        let mut words = Vec::new();
        if let Some((first, proposal)) = &task.proposed {
            words.push(word(first, proposal.granted, &proposal.opinion));
        }
        words.push(word(&by.subject, said.granted, &said.opinion));
        facts.overlay(&Value::of([("disagreement", Value::List(words))]));
        let refreshed = Body::TaskRefreshed { task: task.no, facts };
        self.push(task.matter, person(by), refreshed)?;
        Ok(Answer::Done)
    }

    /// A decision names the versions it saw; what changed since must be seen first.
    pub(super) fn check_seen(&self, matter: MatterNo, seen: Seen) -> Result<(), Refusal> {
        if let (Some(seen), Some(matter)) = (seen.materials, self.case.matter(matter)) {
            check_version(("材料", "set of materials"), seen, matter.materials_version)?;
        }
        if let Some(seen) = seen.form {
            check_version(("表单", "form"), seen, self.case.form_version())?;
        }
        Ok(())
    }

    /// Refuses an outcome that could not become a lawful act, before anything is recorded.
    fn check_outcome(
        &self,
        by: &Viewer,
        task: &Task,
        outcome: &TaskOutcome,
    ) -> Result<(), Refusal> {
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
                let act = self.intake_act(task.matter, outcome);
                self.would_hold(task.matter, &act)
            }
            TaskKind::Manual if outcome.granted => check_number(outcome),
            TaskKind::Rejected | TaskKind::ConfirmDenial
                if no == (task.opened.kind == TaskKind::Rejected) =>
            {
                let act = self.act_now(self.proposed_end(task), &outcome.opinion);
                self.would_hold(task.matter, &act)
            }
            TaskKind::Decide => self.check_decision(by, task, outcome),
            TaskKind::Countersign => {
                let main = task.opened.before.unwrap_or(task.no);
                self.check_first_word(by, main)
            }
            TaskKind::CorrectionMissed | TaskKind::PromiseMissed => {
                self.check_missed(by, task, outcome)
            }
            TaskKind::AgencyLate => Self::check_late(outcome),
            TaskKind::ApproveExtension if outcome.granted => {
                let act = self.extension_of(task, by);
                self.would_hold(task.matter, &act)
            }
            TaskKind::Obligation => check_second_word(by, task),
            TaskKind::Partial if !outcome.granted => self.check_partial(task, &outcome.opinion),
            TaskKind::AskCorrection if outcome.granted => {
                self.check_needed(task, &outcome.opinion, &outcome.fields)
            }
            TaskKind::Manual
            | TaskKind::Rejected
            | TaskKind::ConfirmDenial
            | TaskKind::ApproveExtension
            | TaskKind::Amendment
            | TaskKind::LateReply
            | TaskKind::AskCorrection
            | TaskKind::Partial
            | TaskKind::Applicant => Ok(()),
            TaskKind::AfterCancel if outcome.granted => Ok(()),
            TaskKind::AfterCancel => {
                let act = self.act_now(ActKind::Terminate, &outcome.opinion);
                self.would_hold(task.matter, &act)
            }
        }
    }

    fn check_decision(
        &self,
        by: &Viewer,
        task: &Task,
        outcome: &TaskOutcome,
    ) -> Result<(), Refusal> {
        let waiting = self.case.open_tasks().find(|other| other.opened.before == Some(task.no));
        if let Some(waiting) = waiting {
            return Err(Refusal::new(
                "COUNTERSIGN_OPEN",
                format!("会签尚未完成:{}", waiting.role),
                format!("{} has not given its word yet", waiting.role),
            ));
        }
        self.check_first_word(by, task.no)?;
        check_second_word(by, task)?;
        let kind = if outcome.granted { ActKind::Grant } else { ActKind::Deny };
        self.would_decide(task.matter, &self.act_now(kind, &outcome.opinion))
    }

    /// One officer gives one word: who countersigned a decision neither countersigns it again nor
    /// takes it.
    fn check_first_word(&self, by: &Viewer, main: Seq) -> Result<(), Refusal> {
        let mut given = self.case.tasks.values().filter(|other| other.opened.before == Some(main));
        let own = given.any(|other| {
            matches!(&other.end, Some(TaskEnd::Completed(word)) if word.officer == by.subject)
        });
        if own {
            return Err(Refusal::new(
                "COUNTERSIGNED_BEFORE",
                "您已会签,须由其他人员办理",
                "you countersigned this decision; someone else must act",
            ));
        }
        Ok(())
    }

    /// Returns the options of the decision that a task is for.
    pub(super) fn options_of(&self, task: &Task) -> DecideOptions {
        let request = task.opened.request.as_ref();
        let matter = self.case.matter(task.matter);
        let made = matter.zip(request).and_then(|(matter, key)| matter.run.request(key));
        match made.map(|request| &request.made.ask) {
            Some(Ask::Decide { options, .. }) => DecideOptions::of(options),
            Some(
                Ask::Call { .. }
                | Ask::Timer { .. }
                | Ask::Act { .. }
                | Ask::Receive { .. }
                | Ask::Compensate { .. }
                | Ask::Patch { .. },
            )
            | None => DecideOptions::of(&Value::Null),
        }
    }

    /// Opens the tasks of those who give their word before the decision: all at once, or the
    /// next one.
    pub(super) fn ask_countersigns(
        &mut self,
        main: Seq,
        options: &DecideOptions,
    ) -> Result<(), FoldError> {
        let Some(task) = self.case.tasks.get(&main).cloned() else {
            return Ok(());
        };
        let asked = |turn: &Self, role: &RoleCode| {
            let mut tasks = turn.case.tasks.values();
            tasks.any(|other| other.opened.before == Some(main) && other.opened.role == *role)
        };
        let open = self.case.open_tasks().any(|other| other.opened.before == Some(main));
        let mut next: Vec<RoleCode> =
            options.countersign.iter().filter(|role| !asked(self, role)).cloned().collect();
        if options.in_order {
            next.truncate(usize::from(!open));
        }
        for role in next {
            let opened = TaskOpened {
                kind: TaskKind::Countersign,
                role,
                region: task.opened.region.clone(),
                title: format!("会签:{}", task.opened.title),
                facts: task.facts.clone(),
                request: None,
                call: None,
                before: Some(main),
            };
            self.push(task.matter, Origin::Engine, Body::TaskOpened(Arc::new(opened)))?;
        }
        Ok(())
    }

    /// Shows a countersigner's word beside the decision and asks the next one.
    pub(super) fn countersigned(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        let main = task.opened.before.and_then(|no| self.case.tasks.get(&no)).cloned();
        let Some(main) = main.filter(|main| main.end.is_none()) else {
            return Ok(());
        };
        let mut words = match main.facts.get("countersigned") {
            Some(Value::List(words)) => words.clone(),
            Some(_) | None => Vec::new(),
        };
        words.push(Value::of([
            ("role", task.role.as_str().into()),
            ("officer", by.subject.as_str().into()),
            ("granted", said.granted.into()),
            ("opinion", said.opinion.as_str().into()),
        ]));
        let mut facts = main.facts.clone();
        facts.overlay(&Value::of([("countersigned", Value::List(words))]));
        self.push(task.matter, person(by), Body::TaskRefreshed { task: main.no, facts })?;
        let options = self.options_of(&main);
        self.ask_countersigns(main.no, &options)
    }
}

/// What a person carried out for an agency has a document, and the document a number.
fn check_number(outcome: &TaskOutcome) -> Result<(), Refusal> {
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

/// The second of two words is another officer's.
fn check_second_word(by: &Viewer, task: &Task) -> Result<(), Refusal> {
    if task.proposed.as_ref().is_some_and(|(first, _)| *first == by.subject) {
        return Err(Refusal::new(
            "FOUR_EYES",
            "须由另一名审批人复核",
            "a second officer must decide; you gave the first word",
        ));
    }
    Ok(())
}

/// A task goes up within its own department, with a reason.
fn check_escalate(task: &Task, to: &RoleCode, reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() {
        return Err(Refusal::new(
            "REASONS_MISSING",
            "上报须说明理由",
            "an escalation needs a reason",
        )
        .at(["reason"]));
    }
    let duty = |role: &RoleCode| role.as_str().split_once('.').map(|(_, duty)| duty.to_owned());
    let down = duty(to).as_deref() == Some("window") || duty(&task.role).as_deref() == Some("head");
    if down || to.department() != task.role.department() || *to == task.role {
        return Err(Refusal::new(
            "ESCALATION_OUTSIDE",
            format!("只能上报给 {} 的其他岗位", task.role.department()),
            format!("a task goes up within {} only", task.role.department()),
        )
        .at(["to"]));
    }
    Ok(())
}
