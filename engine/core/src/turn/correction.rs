//! Corrections: one complete list, the applicant's period from service, what he supplies, and
//! what happens when he does not. What is not listed stays closed.

use std::sync::Arc;

use crate::case::{FoldError, Task};
use crate::command::{Answer, Came, Refusal, TaskOutcome};
use crate::entry::{Body, FormChanged, Origin, TaskKind};
use crate::id::{MatterNo, Seq};
use crate::law::{Act, ActKind, ClockKind, Ending};
use crate::material::{Form, Found, MaterialFound, MaterialGiven};
use crate::request::Decision;
use crate::time::Moment;
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::accept::person;
use super::tasks::check_version;
use super::{Issuing, Turn};

fn closed(what: &str) -> Refusal {
    Refusal::new(
        "NOT_OPEN",
        format!("“{what}”不在补正清单内,也不缺,不能更换"),
        format!("{what} is neither missing nor listed for correction; it stays as it is"),
    )
}

impl Turn<'_> {
    /// The notice is drafted. With a seal service it is served once it is sealed; a draft binds
    /// nobody. Without one the office issues its papers elsewhere: online the list arrives as it
    /// is sent, from a window somebody records the act of service.
    pub(super) fn correction_asked(&mut self, no: MatterNo, act: &Act) -> Result<(), FoldError> {
        self.drop_tasks(no, &[TaskKind::Intake, TaskKind::AskCorrection])?;
        let unserved = self
            .case
            .matter(no)
            .and_then(|matter| matter.law.correction())
            .is_some_and(|round| round.served_at.is_none());
        if unserved && self.is_online() && self.context.issuing == Issuing::Drafts {
            let mut serve = self.act_now(ActKind::ServeCorrection, "");
            serve.effective_at = act.effective_at.max(self.context.now);
            self.request_act(no, Origin::Engine, serve, None)?;
        }
        Ok(())
    }

    /// Hands in a material, or its next version: for every matter that wants it, at once.
    pub(super) fn give_material(
        &mut self,
        by: &Viewer,
        given: &MaterialGiven,
        came: &Came,
    ) -> Result<Answer, FoldError> {
        let effective_at = match self.check_given(by, given, came) {
            Ok(at) => at,
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        let given = MaterialGiven { evidence: came.evidence.clone(), ..given.clone() };
        let code = given.code.clone();
        let how = match &given.form {
            Form::File => Found::Given { digest: given.digest },
            Form::Commitment { text_version } => {
                Found::Committed { text_version: text_version.clone() }
            }
        };
        let handed = Body::MaterialHanded(Arc::new(given));
        self.push_at(MatterNo::COORDINATOR, person(by), effective_at, handed)?;
        let affected: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|matter| matter.requirement(&code).is_some() && matter.filed.is_some())
            .filter(|matter| matter.is_open() || matter.is_wanted(&code))
            .filter(|matter| self.takes(matter.no, &code, &how))
            .map(|matter| matter.no)
            .collect();
        for no in affected {
            self.material_came(no, by, (&code, &how), effective_at)?;
        }
        self.supply_if_complete(by, effective_at)?;
        self.tell_of_timely(effective_at)?;
        Ok(Answer::Done)
    }

    /// Tells whether a matter takes a material in this form: a commitment only where its own
    /// declaration allows one.
    fn takes(&self, no: MatterNo, code: &str, how: &Found) -> bool {
        let definition = self.definition(no);
        let mut own = definition.iter().flat_map(|definition| &definition.materials);
        own.any(|own| {
            own.code == code
                && (!matches!(how, Found::Committed { .. })
                    || own.sources.contains(&crate::definition::Source::Commitment))
        })
    }

    fn check_given(
        &self,
        by: &Viewer,
        given: &MaterialGiven,
        came: &Came,
    ) -> Result<Moment, Refusal> {
        if !matches!(by.role, Role::Applicant | Role::WindowClerk) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "材料由申请人或窗口提交",
                "the applicant or a window hands in materials",
            ));
        }
        let at = self.came_at(by, came)?;
        let definitions = self.closure.matters.values();
        let known = definitions.flat_map(|matter| &matter.materials);
        let known: Vec<_> = known.filter(|material| material.code == given.code).collect();
        let Some(definition) = known.first() else {
            return Err(Refusal::new(
                "UNKNOWN_MATERIAL",
                format!("该办件不需要材料 {}", given.code),
                format!("no matter of this case asks for material {}", given.code),
            )
            .at(["code"]));
        };
        let commits = matches!(given.form, Form::Commitment { .. });
        let commitment = crate::definition::Source::Commitment;
        if commits && !known.iter().any(|material| material.sources.contains(&commitment)) {
            return Err(Refusal::new(
                "NO_COMMITMENT",
                format!("“{}”不适用告知承诺", definition.name),
                format!("{} cannot be replaced by a commitment", given.code),
            )
            .at(["form"]));
        }
        let draft = self.case.submitted.is_none();
        let how = Found::Given { digest: given.digest };
        let wanted = self.case.matters.iter().any(|matter| {
            let later = matter.is_open() && matter.filed.is_none();
            matter.is_wanted(&given.code) || (later && self.takes(matter.no, &given.code, &how))
        });
        let mut ended = self.ended_before(at).into_iter();
        if draft || wanted || ended.any(|no| self.takes(no, &given.code, &how)) {
            Ok(at)
        } else {
            Err(closed(&definition.name))
        }
    }

    /// Meets a matter's requirement by what came. A matter that had used the version before is
    /// told, and an officer looks: never a silent swap.
    fn material_came(
        &mut self,
        no: MatterNo,
        by: &Viewer,
        came: (&str, &Found),
        at: Moment,
    ) -> Result<(), FoldError> {
        let (code, how) = came;
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let wanted = matter.is_wanted(code);
        let used = matter.requirement(code).is_some_and(|known| known.how.is_met());
        let begun = matter.run.begun.is_some();
        if used && !wanted && (begun || matter.law.correction().is_some()) {
            let version = self.case.handed(code).map_or(1, |handed| handed.version);
            let body = Body::InputSuperseded { material: code.to_owned(), version };
            self.push(no, Origin::Engine, body)?;
            let facts =
                Value::of([("material", code.into()), ("version", i64::from(version).into())]);
            self.open_task(no, TaskKind::Amendment, "approver", facts)?;
            return Ok(());
        }
        let found = MaterialFound { code: code.to_owned(), how: how.clone() };
        self.push_at(no, person(by), at, Body::MaterialMet(Arc::new(found)))?;
        self.drop_promise_task(no, code)?;
        if begun && self.case.matter(no).is_some_and(|matter| matter.law.correction().is_none()) {
            self.restart(no)?;
        }
        if self.is_received(no) {
            self.intake_again(no)?;
        }
        Ok(())
    }

    fn drop_promise_task(&mut self, no: MatterNo, code: &str) -> Result<(), FoldError> {
        let own = |task: &&Task| {
            task.matter == no
                && task.opened.kind == TaskKind::PromiseMissed
                && task.facts.get("material").and_then(Value::as_text) == Some(code)
        };
        let task = self.case.open_tasks().find(own).map(|task| task.no);
        match task {
            Some(task) => self.push(no, Origin::Engine, Body::TaskDropped { task }).map(|_| ()),
            None => Ok(()),
        }
    }

    /// An officer has the matter's script look at the new version, or lets the old one stand.
    pub(super) fn amendment_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        let code = task.facts.get("material").and_then(Value::as_text).unwrap_or_default();
        let newest =
            self.case.handed(code).map(|handed| Found::Given { digest: handed.given.digest });
        let Some(how) = newest.filter(|_| said.granted) else {
            return Ok(());
        };
        let found = MaterialFound { code: code.to_owned(), how };
        self.push(task.matter, person(by), Body::MaterialMet(Arc::new(found)))?;
        self.restart(task.matter)
    }

    /// Changes fields of the form: the applicant what was listed, a clerk with a reason. Who saw
    /// an older form looks again before he writes over what another one wrote.
    pub(super) fn amend_form(
        &mut self,
        by: &Viewer,
        fields: &Value,
        why: (&str, &Came),
        seen: Option<u32>,
    ) -> Result<Answer, FoldError> {
        let (reason, came) = why;
        let effective_at = match self.check_amend(by, fields, reason, came) {
            Ok(at) => at,
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        let now = self.case.form_version();
        if let Err(refusal) = check_version(("表单", "form"), seen.unwrap_or(now), now) {
            return Ok(Answer::Refused(refusal));
        }
        let Value::Map(members) = fields else {
            return Ok(Answer::Done);
        };
        let form = self.case.form();
        let changed = members.iter().filter(|(name, value)| form.get(name) != Some(value));
        let names: Vec<String> = changed.map(|(name, _)| name.clone()).collect();
        let source = if by.role == Role::Applicant { "applicant" } else { "clerk" };
        let change = FormChanged {
            fields: fields.clone(),
            source: source.to_owned(),
            reason: reason.to_owned(),
            evidence: came.evidence.clone(),
        };
        let body = Body::FormChanged(Arc::new(change));
        self.push_at(MatterNo::COORDINATOR, person(by), effective_at, body)?;
        for no in self.readers(&names) {
            let open = self.case.matter(no).is_some_and(|matter| matter.law.correction().is_some());
            if !open {
                self.restart(no)?;
            }
            if self.is_received(no) {
                self.intake_again(no)?;
            }
        }
        self.supply_if_complete(by, effective_at)?;
        self.tell_of_timely(effective_at)?;
        Ok(Answer::Done)
    }

    /// Returns the open matters whose form has one of these fields.
    fn readers(&self, names: &[String]) -> Vec<MatterNo> {
        let open = self.case.matters.iter().filter(|matter| matter.is_open());
        let reads = |no: MatterNo| {
            self.closure.part(no).is_some_and(|(_, definition)| {
                definition.form.iter().any(|field| names.contains(&field.name))
            })
        };
        open.map(|matter| matter.no).filter(|no| reads(*no)).collect()
    }

    fn check_amend(
        &self,
        by: &Viewer,
        fields: &Value,
        reason: &str,
        came: &Came,
    ) -> Result<Moment, Refusal> {
        let at = self.came_at(by, came)?;
        crate::start::check_form(&self.closure, &self.case.started, fields)?;
        let Value::Map(members) = fields else {
            return Err(
                Refusal::new("INVALID_INPUT", "应为对象", "must be an object").at(["fields"])
            );
        };
        let staff = matches!(by.role, Role::WindowClerk);
        if staff && reason.trim().is_empty() && self.case.submitted.is_some() {
            return Err(Refusal::new(
                "REASONS_MISSING",
                "更正已提交的表单须说明理由",
                "amending a submitted form needs a reason",
            )
            .at(["reason"]));
        }
        if staff {
            return Ok(at);
        }
        if by.role != Role::Applicant {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "表单由申请人或窗口更正",
                "the applicant or a window amends the form",
            ));
        }
        let listed = |name: &String| {
            self.case
                .matters
                .iter()
                .filter_map(|matter| matter.law.correction())
                .any(|round| round.list.fields.contains(name))
                || self.readers(std::slice::from_ref(name)).into_iter().any(|no| {
                    let matter = self.case.matter(no);
                    matter.is_some_and(|matter| matter.law.stage == crate::law::Stage::Returned)
                })
        };
        match members.keys().find(|name| self.case.submitted.is_some() && !listed(name)) {
            Some(name) => Err(closed(name).at(["fields", name])),
            None => Ok(at),
        }
    }

    /// Supplies each open correction of which everything listed has come.
    fn supply_if_complete(&mut self, by: &Viewer, at: Moment) -> Result<(), FoldError> {
        let open: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|matter| matter.law.correction().is_some())
            .map(|matter| matter.no)
            .collect();
        for no in open {
            if self.is_supplied(no) {
                let mut supply = self.act_now(ActKind::SupplyCorrection, "");
                supply.effective_at = at;
                self.request_act(no, person(by), supply, None)?;
            }
        }
        Ok(())
    }

    pub(super) fn is_supplied(&self, no: MatterNo) -> bool {
        let Some(matter) = self.case.matter(no) else {
            return false;
        };
        let Some(round) = matter.law.correction() else {
            return false;
        };
        let since = matter.asked_at;
        let came = |code: &String| self.case.handed(code).is_some_and(|last| last.at > since);
        let changed = |name: &String| {
            let counts = |at: &Seq| *at > since && !self.case.voided.contains_key(at);
            let mut changes = self.case.form_changes.iter().filter(|(at, _)| counts(at));
            changes.any(|(_, change)| change.fields.get(name).is_some())
        };
        round.list.materials.iter().all(came) && round.list.fields.iter().all(changed)
    }

    /// The correction came: in time, the officer's task about the missed period is over. Before
    /// the acceptance the matter goes to its intake again; after it the script begins anew and
    /// takes over every call whose question is the same.
    pub(super) fn correction_supplied(&mut self, no: MatterNo, act: &Act) -> Result<(), FoldError> {
        let timely = self.case.matter(no).is_none_or(|matter| {
            let mut clocks = matter.law.clocks().iter().rev();
            let last = clocks.find(|clock| clock.kind == ClockKind::Correction);
            last.is_none_or(|clock| {
                act.effective_at <= matter.law.due(clock, self.calendar(no), act.effective_at).at
            })
        });
        if timely {
            self.drop_tasks(no, &[TaskKind::CorrectionMissed])?;
        }
        if self.is_received(no) {
            self.go_to_intake(no)?;
            // Where the department decides in its own system, the script brings it what came.
            let elsewhere =
                self.case.matter(no).is_some_and(crate::case::Matter::decides_elsewhere);
            return if elsewhere { self.restart(no) } else { Ok(()) };
        }
        self.restart(no)
    }

    /// Begins the script anew as the next generation of its run, if it has begun and not ended.
    pub(super) fn restart(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no).filter(|matter| matter.is_open()) else {
            return Ok(());
        };
        if matter.run.begun.is_none() {
            return Ok(());
        }
        // What was asked on the old facts has lost its purpose.
        let old = [TaskKind::Rejected, TaskKind::ConfirmDenial];
        self.drop_tasks(no, &old)?;
        self.drop_tasks(no, &[TaskKind::AskCorrection, TaskKind::Applicant])?;
        self.begin_again(no, Origin::Engine)
    }

    /// The applicant's period has passed: by the matter's own rule the clock ends it, otherwise
    /// an officer decides.
    pub(super) fn correction_missed(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let rule = matter.law.rules.correction.ends_by.clone();
        if !rule.is_empty() {
            let act = self
                .act_now(ActKind::Terminate, &format!("补正超时 / correction missed: {rule}"))
                .with(crate::law::Terms::ByRule(rule));
            return self.request_act(no, Origin::Clock, act, None);
        }
        let list = matter.law.correction().map(|round| round.list.clone()).unwrap_or_default();
        let facts =
            Value::of([("materials", texts(&list.materials)), ("fields", texts(&list.fields))]);
        self.open_task(no, TaskKind::CorrectionMissed, "approver", facts)?;
        Ok(())
    }

    /// Returns the matters that their own rule has ended for want of a correction, though by then
    /// its period was still to pass: what took effect at `at` and is recorded only now was in time.
    fn ended_before(&self, at: Moment) -> Vec<MatterNo> {
        let ended = self.case.matters.iter().filter(|matter| {
            let by_rule = !matter.law.rules.correction.ends_by.is_empty();
            let mut clocks = matter.law.clocks().iter().rev();
            let last = clocks.find(|clock| clock.kind == ClockKind::Correction);
            let in_time = last.filter(|clock| clock.fired.is_some()).is_some_and(|clock| {
                let due = matter.law.due(clock, self.calendar(matter.no), at);
                (clock.since..=due.at).contains(&at)
            });
            by_rule && in_time && matter.law.ending() == Some(Ending::Terminated)
        });
        ended.map(|matter| matter.no).collect()
    }

    /// An office whose matter was ended too soon is told, once: the end stays until it acts.
    fn tell_of_timely(&mut self, at: Moment) -> Result<(), FoldError> {
        for no in self.ended_before(at) {
            let told = self.case.open_tasks().any(|task| {
                task.matter == no
                    && task.opened.kind == TaskKind::Amendment
                    && task.facts.get("in_time").is_some()
            });
            if !told {
                let facts = Value::of([("in_time", at.to_string().into())]);
                self.open_task(no, TaskKind::Amendment, "approver", facts)?;
            }
        }
        Ok(())
    }

    /// A promised material has not come: an officer decides what that means.
    pub(super) fn promise_missed(&mut self, no: MatterNo, code: &str) -> Result<(), FoldError> {
        let facts = Value::of([("material", code.into())]);
        self.open_task(no, TaskKind::PromiseMissed, "approver", facts)?;
        Ok(())
    }

    /// An officer's no to a missed period must be lawful before it is recorded.
    pub(super) fn check_missed(
        &self,
        by: &Viewer,
        task: &Task,
        outcome: &TaskOutcome,
    ) -> Result<(), Refusal> {
        if outcome.granted {
            return match longer(&outcome.fields) {
                Some(_) => Ok(()),
                None => Err(Refusal::new(
                    "FIELDS_MISSING",
                    "请填写新的期限 fields.longer,例如 \"5 working days\"",
                    "give the new period as fields.longer, such as \"5 working days\"",
                )
                .at(["fields", "longer"])),
            };
        }
        let act = self.missed_act(task.matter, &outcome.opinion);
        if act.kind == ActKind::Revoke && by.role != Role::OfficeHead {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "撤销由机关负责人决定",
                "the head of the office decides a revocation",
            ));
        }
        self.would_hold(task.matter, &act)
    }

    /// After a grant the promise's failure revokes it; before, the matter ends.
    fn missed_act(&self, no: MatterNo, opinion: &str) -> Act {
        let ended = self.case.matter(no).is_some_and(|matter| matter.law.ending().is_some());
        let kind = if ended { ActKind::Revoke } else { ActKind::Terminate };
        self.act_now(kind, opinion)
    }

    /// The officer gives the applicant more time, or ends the matter.
    pub(super) fn missed_done(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        if !said.granted {
            let act = self.missed_act(task.matter, &said.opinion);
            return self.request_act(task.matter, person(by), act, None);
        }
        let Some(budget) = longer(&said.fields) else {
            return Ok(());
        };
        let about = task.facts.get("material").and_then(Value::as_text).unwrap_or_default();
        let clock = if task.opened.kind == TaskKind::PromiseMissed {
            ClockKind::Tolerance
        } else {
            ClockKind::Correction
        };
        let renewed = Body::PeriodRenewed {
            clock,
            about: about.to_owned(),
            budget,
            reason: said.opinion.clone(),
        };
        self.push(task.matter, person(by), renewed)?;
        Ok(())
    }

    /// Takes back an entry that was recorded by mistake: a form change or a file, nothing that
    /// the law counts.
    pub(super) fn void_entry(
        &mut self,
        by: &Viewer,
        entry: Seq,
        reason: &str,
    ) -> Result<Answer, FoldError> {
        if by.role != Role::WindowClerk {
            return Ok(Answer::Refused(Refusal::new(
                "NOT_PERMITTED",
                "误录由窗口人员作废",
                "a window clerk voids what was recorded by mistake",
            )));
        }
        if reason.trim().is_empty() {
            return Ok(Answer::Refused(
                Refusal::new("REASONS_MISSING", "作废须说明理由", "voiding needs a reason")
                    .at(["reason"]),
            ));
        }
        let change = self.case.form_changes.iter().find(|(at, _)| *at == entry).cloned();
        let handed = self.case.handed.iter().find(|handed| handed.at == entry).cloned();
        let known = change.is_some() || (handed.is_some() && entry != Seq(1));
        if !known || self.case.voided.contains_key(&entry) {
            return Ok(Answer::Refused(Refusal::new(
                "NOT_VOIDABLE",
                format!("第 {entry} 条记录不能作废:只有表单更正和材料提交可以"),
                format!("entry {entry} cannot be voided: only amendments of the form and materials can"),
            )
            .at(["entry"])));
        }
        let body = Body::EntryVoided { entry, reason: reason.to_owned() };
        self.push(MatterNo::COORDINATOR, person(by), body)?;
        if let Some((_, change)) = change
            && let Value::Map(members) = &change.fields
        {
            let names: Vec<String> = members.keys().cloned().collect();
            for no in self.readers(&names) {
                self.restart(no)?;
                if self.is_received(no) {
                    self.intake_again(no)?;
                }
            }
        }
        if let Some(handed) = handed {
            self.fall_back(by, &handed.given.code)?;
        }
        Ok(Answer::Done)
    }

    /// A voided file gives way to the version before it, or leaves the requirement open.
    fn fall_back(&mut self, by: &Viewer, code: &str) -> Result<(), FoldError> {
        let how = match self.case.handed(code) {
            Some(earlier) => match &earlier.given.form {
                Form::File => Found::Given { digest: earlier.given.digest },
                Form::Commitment { text_version } => {
                    Found::Committed { text_version: text_version.clone() }
                }
            },
            None => Found::Missing,
        };
        let affected: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|matter| matter.is_open())
            .filter(|matter| {
                let own = matter.requirement(code);
                own.is_some_and(|own| {
                    matches!(own.how, Found::Given { .. } | Found::Committed { .. })
                })
            })
            .map(|matter| matter.no)
            .collect();
        for no in affected {
            let found = MaterialFound { code: code.to_owned(), how: how.clone() };
            self.push(no, person(by), Body::MaterialMet(Arc::new(found)))?;
            self.restart(no)?;
        }
        Ok(())
    }
}

fn texts(list: &[String]) -> Value {
    Value::List(list.iter().map(|text| Value::from(text.as_str())).collect())
}

/// Reads the new period that an officer gives.
pub(super) fn longer(fields: &Value) -> Option<crate::time::Period> {
    fields.get("longer").and_then(Value::as_text)?.parse().ok()
}
