//! Filling the form of a draft from the sources that its fields declare.
//!
//! Each source is asked once for all its fields, as a call of the case with the matter as its
//! purpose and only under the holder's authorisation. What comes is checked as if it had been
//! typed, fills only what is still open, and names its call. What does not come leaves a cause.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agency::ReplyBody;
use crate::case::{CallState, FoldError};
use crate::command::{Answer, Refusal};
use crate::definition::{Field, FieldKind};
use crate::entry::{Body, FormChanged, Origin};
use crate::id::MatterNo;
use crate::identifier::CreditCode;
use crate::limits::PREFILL_QUESTIONS_MAX;
use crate::material::Cause;
use crate::prefill::{Authority, FieldSource, FieldsTried, PREFILL_RUN};
use crate::request::Ask;
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::Turn;
use super::accept::person;

/// One question to one source, and the fields that its answer fills.
struct Question {
    matter: MatterNo,
    resource: String,
    /// Whose record is wanted.
    holder: Value,
    input: Value,
    fields: Vec<String>,
}

impl Turn<'_> {
    /// Asks the sources of what is still open in a draft's form.
    pub(super) fn prefill(&mut self, by: &Viewer, reason: &str) -> Result<Answer, FoldError> {
        if let Err(refusal) = self.check_prefill(by, reason) {
            return Ok(Answer::Refused(refusal));
        }
        for question in self.questions() {
            let fields = question.fields.clone();
            let no = question.matter;
            let mut tried = FieldsTried {
                fields,
                source: question.resource.clone(),
                request: None,
                cause: None,
                authority: self.authority(&question),
                reason: reason.to_owned(),
            };
            if tried.authority.is_some() {
                tried.request = self.ask_as_source(
                    no,
                    PREFILL_RUN,
                    (&question.resource, question.input.clone()),
                )?;
                tried.cause = tried.request.is_none().then_some(Cause::NotConnected);
            } else {
                tried.cause = Some(Cause::NoConsent);
            }
            // What cannot be asked is written down once, however often it is tried.
            let known = |(past, standing): &(MatterNo, Arc<FieldsTried>)| {
                *past == no && tried.request.is_none() && **standing == tried
            };
            if !self.case.prefills.iter().any(known) {
                self.push(no, person(by), Body::FieldsTried(Arc::new(tried)))?;
            }
        }
        Ok(Answer::Done)
    }

    fn check_prefill(&self, by: &Viewer, reason: &str) -> Result<(), Refusal> {
        if !matches!(by.role, Role::Applicant | Role::WindowClerk) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "表单由申请人或窗口预填",
                "the applicant or a window fills the form",
            ));
        }
        if by.role == Role::WindowClerk && reason.trim().is_empty() {
            return Err(Refusal::new(
                "REASONS_MISSING",
                "窗口代为查询共享数据须说明理由",
                "a window asks for shared data with a reason",
            )
            .at(["reason"]));
        }
        if self.case.submitted.is_some() {
            return Err(Refusal::new(
                "ALREADY_SUBMITTED",
                "该办件已经提交,不能再预填",
                "the case was submitted; its form is not filled any more",
            ));
        }
        if !self.case.matters.iter().any(crate::case::Matter::is_open) {
            return Err(Refusal::new("CASE_ENDED", "该办件已撤回", "the case was withdrawn"));
        }
        let asked = self.case.prefills.iter().filter(|(_, tried)| tried.request.is_some());
        if asked.count() >= PREFILL_QUESTIONS_MAX {
            return Err(Refusal::new(
                "TOO_MANY_ATTEMPTS",
                "数据来源已查询多次,请直接填写",
                "the sources were asked too often for this form; fill it in by hand",
            ));
        }
        Ok(())
    }

    /// Collects what to ask: for every open field whose source's question can be asked and is
    /// not being asked already.
    fn questions(&self) -> Vec<Question> {
        let form = self.case.form();
        let open = |name: &str| form.get(name).is_none_or(Value::is_blank);
        let mut asked: BTreeMap<(String, Vec<u8>), Question> = BTreeMap::new();
        for (matter, field, source) in self.sourced_fields() {
            if !open(&field.name) || self.is_asked(&field.name) {
                continue;
            }
            let holder = match &source.by {
                None => Some(Value::from(self.case.started.applicant.id.as_str())),
                Some(name) => form.get(name).filter(|held| !held.is_blank()).cloned(),
            };
            let Some(holder) = holder else { continue };
            let input = Value::of([(source.member.as_str(), holder.clone())]);
            let key = (source.resource.clone(), input.canonical());
            let question = asked.entry(key).or_insert_with(|| Question {
                matter,
                resource: source.resource.clone(),
                holder,
                input,
                fields: Vec::new(),
            });
            if !question.fields.contains(&field.name) {
                question.fields.push(field.name.clone());
            }
        }
        asked.into_values().collect()
    }

    /// Returns every field of the included matters that declares a source.
    fn sourced_fields(&self) -> Vec<(MatterNo, Field, FieldSource)> {
        let included = self.case.matters.iter().filter(|matter| matter.is_included());
        let fields = included.filter_map(|matter| {
            let (_, definition) = self.context.closure.part(matter.no)?;
            let fields = definition.form.iter();
            let own =
                fields.filter_map(|field| Some((matter.no, field.clone(), field.source.clone()?)));
            Some(own.collect::<Vec<_>>())
        });
        fields.flatten().collect()
    }

    fn is_asked(&self, field: &str) -> bool {
        self.case.prefills.iter().any(|(_, tried)| {
            tried.cause.is_none() && tried.fields.iter().any(|asked| asked == field)
        })
    }

    /// Returns on whose word a question may be asked: the holder's own, or for an organisation,
    /// whose registration is public, the applicant's.
    fn authority(&self, question: &Question) -> Option<Authority> {
        let holder = question.holder.as_text()?;
        let purpose = self.case.matter(question.matter)?.planned.code.as_str();
        let applicant = self.case.started.applicant.id.as_str();
        let is_public = CreditCode::parse(holder).is_ok();
        let consent = self.case.consents.iter().rev().find(|consent| {
            consent.license == question.resource
                && (consent.holder == holder || (is_public && consent.holder == applicant))
                && (consent.purpose == "*" || consent.purpose == purpose)
        })?;
        Some(Authority {
            by: consent.holder.clone(),
            purpose: purpose.to_owned(),
            text_version: consent.text_version.clone(),
        })
    }

    /// Takes in what a source answered.
    pub(super) fn prefilled(
        &mut self,
        call: &CallState,
        body: &ReplyBody,
    ) -> Result<(), FoldError> {
        match body {
            ReplyBody::Accepted { .. } | ReplyBody::Act(_) => Ok(()),
            ReplyBody::Otherwise(_) => self.fields_tried(call, Cause::Refused),
            ReplyBody::Completed { output, .. } => match self.read_asked(call, output) {
                Cause::Found => self.fill(call, output),
                cause @ (Cause::NoRecord
                | Cause::Ambiguous
                | Cause::Refused
                | Cause::Unavailable
                | Cause::Mismatch
                | Cause::NoConsent
                | Cause::NotConnected) => self.fields_tried(call, cause),
            },
        }
    }

    /// Reads what a source said of the record that it was asked for. A register may have a
    /// `status` of its own, such as that of an enterprise: only the words for a cause are one.
    fn read_asked(&self, call: &CallState, output: &Value) -> Cause {
        let run = self.case.matter(call.matter).map(|matter| &matter.run);
        let made = run.and_then(|run| run.request(&call.request)).map(|request| &request.made.ask);
        let Some(Ask::Call { input: Value::Map(input), .. }) = made else {
            return Cause::Refused;
        };
        let holder = input.values().find_map(Value::as_text).unwrap_or_default();
        let status = output.get("status").and_then(Value::as_text).unwrap_or_default();
        let mut causes = Cause::ALL.into_iter();
        let said = causes.find(|(_, code, _)| *code == status).map(|(cause, _, _)| cause);
        match said.filter(|cause| *cause != Cause::Found) {
            Some(cause) => cause,
            None => self.read_record(output, holder),
        }
    }

    /// A source that could not be reached leaves its fields open.
    pub(super) fn prefill_failed(&mut self, call: &CallState) -> Result<(), FoldError> {
        let abandoned = Body::CallAbandoned { call: call.made.id };
        self.push(call.matter, Origin::Engine, abandoned)?;
        self.fields_tried(call, Cause::Unavailable)
    }

    fn asked_fields(&self, call: &CallState) -> Option<FieldsTried> {
        let mut asked = self.case.prefills.iter();
        let own = asked.find(|(no, tried)| {
            *no == call.matter
                && tried.cause.is_none()
                && tried.request.as_ref() == Some(&call.request)
        });
        own.map(|(_, tried)| FieldsTried::clone(tried))
    }

    fn fields_tried(&mut self, call: &CallState, cause: Cause) -> Result<(), FoldError> {
        let Some(asked) = self.asked_fields(call) else {
            return Ok(());
        };
        let tried = FieldsTried { cause: Some(cause), ..asked };
        self.push(call.matter, Origin::Engine, Body::FieldsTried(Arc::new(tried)))?;
        Ok(())
    }

    /// Fills what is still open with what fits its field. What was typed meanwhile stays, and a
    /// form that was submitted is as it was submitted.
    fn fill(&mut self, call: &CallState, output: &Value) -> Result<(), FoldError> {
        let Some(asked) = self.asked_fields(call) else {
            return Ok(());
        };
        let form = self.case.form();
        let mut filled = Value::map();
        let mut cause = Cause::Found;
        for (_, field, source) in self.sourced_fields() {
            if source.resource != asked.source || !asked.fields.contains(&field.name) {
                continue;
            }
            let Some(value) = source.read(output).map(|value| fitting(&field, value)) else {
                cause = Cause::NoRecord;
                continue;
            };
            if crate::start::check_value(&field, &value).is_err() {
                cause = Cause::Mismatch;
            } else if form.get(&field.name).is_none_or(Value::is_blank) {
                filled.overlay(&Value::of([(field.name.as_str(), value)]));
            }
        }
        if self.case.submitted.is_none() && filled != Value::map() {
            let change = FormChanged {
                fields: filled,
                source: asked.source,
                reason: String::new(),
                evidence: call.made.id.to_string(),
            };
            let body = Body::FormChanged(Arc::new(change));
            self.push(MatterNo::COORDINATOR, Origin::Engine, body)?;
        }
        self.fields_tried(call, cause)
    }
}

/// Brings a value into the kind of its field where nothing is lost: numbers come as texts.
fn fitting(field: &Field, value: &Value) -> Value {
    match (&field.kind, value) {
        (FieldKind::Number { .. }, Value::Text(text)) => {
            text.parse().map_or_else(|_| value.clone(), Value::Decimal)
        }
        (
            FieldKind::Text { .. }
            | FieldKind::Number { .. }
            | FieldKind::YesNo
            | FieldKind::Date
            | FieldKind::Choice(_)
            | FieldKind::List { .. },
            _,
        ) => value.clone(),
    }
}
