//! Outcomes that nothing caught: the declared default takes over.
//!
//! A rejection is an officer's task. Where an agency wants something corrected, the applicant is
//! asked for it by the law's own act, with one list of everything that is known to be wrong; where
//! it wants the applicant himself, he gets a task. Either way `handle` begins anew afterwards, and
//! the call is made again with the corrected input, naming the earlier one.
//!
//! Who asks: a department that acts in its own system has asked by its numbered notice. Any other
//! need is signed by an officer of the deciding department, with the list prefilled; an agency's
//! need is no notice, and the machine issues none against anybody.

use std::sync::Arc;

use crate::case::{FoldError, Matter, Task};
use crate::command::Refusal;
use crate::definition::MatterDef;
use crate::entry::{Body, Origin, TaskKind, TaskOpened};
use crate::id::{MatterNo, RoleCode};
use crate::law::{Act, ActKind, CorrectionList, Terms};
use crate::request::{Ask, Decision, End, Outcome, OutcomeKind, Request, RequestKey};
use crate::value::Value;
use crate::viewer::Viewer;

use super::Turn;
use super::accept::person;

/// What agencies want corrected on a matter.
#[derive(Default)]
struct Needed {
    list: CorrectionList,
    /// What was said of each item, as it came.
    items: Vec<Value>,
    /// Whether the list names every item.
    whole: bool,
}

impl Turn<'_> {
    /// Nothing caught an outcome: its declared default takes over.
    pub(super) fn take_default(
        &mut self,
        no: MatterNo,
        request: RequestKey,
    ) -> Result<(), FoldError> {
        let outcome = self.outcome_of(no, &request);
        self.push(no, Origin::Script, Body::OutcomeUncaught { request: request.clone() })?;
        match outcome.as_ref().map(|outcome| outcome.kind) {
            Some(OutcomeKind::NeedsCorrection) => self.ask_needed(no, request),
            Some(OutcomeKind::NeedsApplicant) => self.ask_applicant(no, request),
            Some(OutcomeKind::Rejected | OutcomeKind::Cancelled | OutcomeKind::TimedOut) | None => {
                let said = outcome.map(|one| format!("{}:{}", one.kind.code(), one.reason));
                self.ask_approver(no, Some(request), &said.unwrap_or_default())
            }
        }
    }

    fn outcome_of(&self, no: MatterNo, request: &RequestKey) -> Option<Outcome> {
        let request = self.case.matter(no)?.run.request(request)?;
        ended(request).cloned()
    }

    /// The approver denies, or has the agency asked again.
    fn ask_approver(
        &mut self,
        no: MatterNo,
        request: Option<RequestKey>,
        reason: &str,
    ) -> Result<(), FoldError> {
        let facts = Value::of([("reason", reason.into())]);
        let title = "部门系统退回,请处理";
        self.open_need(no, (TaskKind::Rejected, title), (request, facts))
    }

    fn open_need(
        &mut self,
        no: MatterNo,
        what: (TaskKind, &str),
        with: (Option<RequestKey>, Value),
    ) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let ((kind, title), (request, facts)) = (what, with);
        let (role, place) = if kind == TaskKind::Applicant {
            (RoleCode::applicant(), &self.case.started.region)
        } else {
            let role = RoleCode::new(format!("{}.approver", matter.planned.department));
            (role, self.case.place_of(no))
        };
        let opened = TaskOpened {
            kind,
            role,
            region: place.clone(),
            title: format!("{}:{title}", matter.planned.name),
            facts,
            request,
            call: None,
            before: None,
        };
        self.push(no, Origin::Engine, Body::TaskOpened(Arc::new(opened)))?;
        Ok(())
    }

    /// The applicant must do something himself; a window may note for him that he did.
    fn ask_applicant(&mut self, no: MatterNo, request: RequestKey) -> Result<(), FoldError> {
        let Some(outcome) = self.outcome_of(no, &request) else {
            return Ok(());
        };
        let mut facts = Value::of([
            ("reason", outcome.reason.as_str().into()),
            ("operation", self.operation_of(no, &request).into()),
        ]);
        facts.overlay(&outcome.detail);
        let what = (TaskKind::Applicant, "请申请人办理");
        self.open_need(no, what, (Some(request), facts))
    }

    fn operation_of(&self, no: MatterNo, request: &RequestKey) -> String {
        let request = self.case.matter(no).and_then(|matter| matter.run.request(request));
        request.map(|request| request.made.ask.target()).unwrap_or_default()
    }

    /// Everything that agencies want corrected is asked for at once: by the department's own
    /// notice, or by an officer with the list before him.
    fn ask_needed(&mut self, no: MatterNo, request: RequestKey) -> Result<(), FoldError> {
        let Some(needed) = self.needed(no) else {
            return Ok(());
        };
        if let Some((origin, act)) = self.noticed(no, &request, &needed) {
            return self.request_act(no, origin, act, None);
        }
        let act = correction(self.act_now(ActKind::AskCorrection, ""), needed.list.clone());
        if let Err(refusal) = self.would_hold(no, &act)
            && refusal.code == "CORRECTION_ROUNDS_USED"
        {
            let reason = format!("needs_correction:{};{refusal}", needed.list.text);
            return self.ask_approver(no, Some(request), &reason);
        }
        let texts = |list: &[String]| {
            Value::List(list.iter().map(|text| Value::from(text.as_str())).collect())
        };
        let facts = Value::of([
            ("operation", self.operation_of(no, &request).into()),
            ("text", needed.list.text.as_str().into()),
            ("materials", texts(&needed.list.materials)),
            ("fields", texts(&needed.list.fields)),
            ("items", Value::List(needed.items)),
        ]);
        let what = (TaskKind::AskCorrection, "部门系统要求补正,请核定清单");
        self.open_need(no, what, (Some(request), facts))
    }

    /// Collects what the calls of this generation want corrected.
    fn needed(&self, no: MatterNo) -> Option<Needed> {
        let matter = self.case.matter(no)?;
        let definition = self.definition(no)?;
        let run = &matter.run;
        let own = run.requests.iter().filter(|request| {
            request.made.key.run == run.no && request.made.key.generation == run.generation
        });
        let mut needed = Needed { whole: true, ..Needed::default() };
        let mut words: Vec<String> = Vec::new();
        for request in own {
            let wants = ended(request).filter(|one| one.kind == OutcomeKind::NeedsCorrection);
            let (Some(outcome), Ask::Call { input, .. }) = (wants, &request.made.ask) else {
                continue;
            };
            if !outcome.reason.is_empty() {
                words.push(outcome.reason.clone());
            }
            let items = match outcome.detail.get("items") {
                Some(Value::List(items)) => items.clone(),
                Some(_) | None => Vec::new(),
            };
            needed.whole &= !items.is_empty();
            for item in items {
                let form = self.case.form();
                let meant = Meant { matter, definition: &definition, input, form: &form };
                needed.whole &= meant.add(&item, &mut needed.list);
                words.extend(text_of(&item, "text"));
                needed.items.push(item);
            }
        }
        words.dedup();
        needed.list.text = words.join(";");
        Some(needed)
    }

    /// Returns the notice that a department issued in its own system, if this is one: its own
    /// call, a number, and a list that names everything.
    fn noticed(
        &self,
        no: MatterNo,
        request: &RequestKey,
        needed: &Needed,
    ) -> Option<(Origin, Act)> {
        let matter = self.case.matter(no).filter(|matter| matter.decides_elsewhere())?;
        let asked = matter.run.request(request)?;
        let connector = &self.case.calls.get(&asked.call?)?.made.connector;
        let target = asked.made.ask.target();
        let own = target.split_once('.').map(|(department, _)| department);
        if own != Some(matter.planned.department.as_str()) || !needed.whole {
            return None;
        }
        let notice = ended(asked)?.detail.get("notice")?.clone();
        let number = text_of(&notice, "no").filter(|number| !number.trim().is_empty())?;
        let mut list = needed.list.clone();
        list.served_at = Some(self.context.now);
        let mut act = correction(self.act_now(ActKind::AskCorrection, ""), list);
        act.document_no = number;
        self.would_hold(no, &act).ok()?;
        Some((Origin::Agency { connector: connector.clone() }, act))
    }

    /// Returns the correction that an officer signs: the list prefilled, as he changed it.
    fn signed(&self, task: &Task, opinion: &str, fields: &Value) -> Act {
        let either = |name: &str| fields.get(name).or_else(|| task.facts.get(name));
        let texts = |name: &str| match either(name) {
            Some(Value::List(list)) => {
                list.iter().filter_map(Value::as_text).map(ToOwned::to_owned).collect()
            }
            Some(_) | None => Vec::new(),
        };
        let own = text_of(fields, "text").or_else(|| text_of(&task.facts, "text"));
        let list = CorrectionList {
            materials: texts("materials"),
            fields: texts("fields"),
            text: own.filter(|text| !text.is_empty()).unwrap_or_else(|| opinion.to_owned()),
            limit: text_of(fields, "limit").and_then(|limit| limit.parse().ok()),
            served_at: None,
        };
        correction(self.act_now(ActKind::AskCorrection, ""), list)
    }

    /// A correction that an officer signs must be lawful before it is recorded.
    pub(super) fn check_needed(
        &self,
        task: &Task,
        opinion: &str,
        fields: &Value,
    ) -> Result<(), Refusal> {
        let act = self.signed(task, opinion, fields);
        if let Terms::Correction(list) = &act.terms {
            self.check_list(task.matter, list)?;
        }
        self.would_hold(task.matter, &act)
    }

    /// The officer asks the applicant, or does not: then the approver denies or asks the agency
    /// again.
    pub(super) fn need_signed(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        if said.granted {
            let act = self.signed(task, &said.opinion, &said.fields);
            return self.request_act(task.matter, person(by), act, None);
        }
        let text = text_of(&task.facts, "text").unwrap_or_default();
        let reason = format!("needs_correction:{text};{}", said.opinion);
        self.ask_approver(task.matter, task.opened.request.clone(), &reason)
    }

    /// The applicant did what the agency wanted, and it is asked again; or he will not, and the
    /// approver decides what that means.
    pub(super) fn applicant_acted(
        &mut self,
        task: &Task,
        by: &Viewer,
        said: &Decision,
    ) -> Result<(), FoldError> {
        if !said.granted {
            let wanted = text_of(&task.facts, "reason").unwrap_or_default();
            let reason = format!("needs_applicant:{wanted};{}", said.opinion);
            return self.ask_approver(task.matter, task.opened.request.clone(), &reason);
        }
        self.begin_again(task.matter, person(by))
    }
}

fn correction(act: Act, list: CorrectionList) -> Act {
    act.with(Terms::Correction(list))
}

fn ended(request: &Request) -> Option<&Outcome> {
    match request.settled.as_ref().map(|settled| &settled.end) {
        Some(End::Otherwise(outcome)) => Some(outcome),
        Some(
            End::Completed(_) | End::Decided(_) | End::Fired | End::Answered(_) | End::Received(_),
        )
        | None => None,
    }
}

fn text_of(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_text).map(ToOwned::to_owned)
}

/// What an agency's words about a call can be about.
struct Meant<'a> {
    matter: &'a Matter,
    definition: &'a MatterDef,
    input: &'a Value,
    form: &'a Value,
}

impl Meant<'_> {
    /// Adds what an item is about; `false` when it is neither a material nor a field.
    fn add(&self, item: &Value, list: &mut CorrectionList) -> bool {
        let Some(target) = item.get("target").and_then(Value::as_text) else {
            return false;
        };
        let material = target.strip_prefix("attachment:").unwrap_or(target);
        let (names, name) = if self.matter.requirement(material).is_some() {
            (&mut list.materials, material.to_owned())
        } else if let Some(field) = self.field(target) {
            (&mut list.fields, field)
        } else {
            return false;
        };
        if !names.contains(&name) {
            names.push(name);
        }
        true
    }

    /// Finds the field of the form that an agency means: by its own name, or as the one whose
    /// value the call carried there.
    fn field(&self, target: &str) -> Option<String> {
        let path = target.strip_prefix("/input/").or_else(|| target.strip_prefix("/form/"));
        let name = path.unwrap_or(target).split('/').next()?;
        let known = |name: &str| self.definition.form.iter().any(|field| field.name == name);
        if known(name) {
            return Some(name.to_owned());
        }
        let sent = self.input.get(name).filter(|sent| !sent.is_blank())?;
        let mut fields = self.definition.form.iter().map(|field| field.name.as_str());
        let carried = |field: &&str| self.form.get(field) == Some(sent);
        let found = fields.by_ref().find(carried)?;
        // Two fields with the same value: nobody can tell which is meant.
        fields.all(|other| !carried(&other)).then(|| found.to_owned())
    }
}
