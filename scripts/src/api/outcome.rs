//! What a wait gives to a script: outputs, decisions, and outcomes that are thrown.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map, Module, Position};
use tongban_core::agency::{AgencyReply, DocumentRef, ReplyBody};
use tongban_core::replay::Arrived;
use tongban_core::request::{Decision, Outcome, RequestKey};
use tongban_core::value::Value;

use crate::api::decision::is_deemed;
use crate::convert::to_script;
use crate::diagnose::Trouble;
use crate::suspend::Thrown;

/// What a completed call returned: its fields, and its documents. Evidence for a grant.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) key: RequestKey,
    reply: Arc<AgencyReply>,
}

impl Output {
    /// Returns the output fields; an output that is not a map has none.
    pub(crate) fn fields(&self) -> &BTreeMap<String, Value> {
        static NONE: BTreeMap<String, Value> = BTreeMap::new();
        match &self.reply.body {
            ReplyBody::Completed { output: Value::Map(fields), .. } => fields,
            ReplyBody::Completed { .. }
            | ReplyBody::Accepted { .. }
            | ReplyBody::Act(_)
            | ReplyBody::Otherwise(_) => &NONE,
        }
    }

    /// Returns the documents that came with it.
    pub(crate) fn documents(&self) -> &[DocumentRef] {
        if let ReplyBody::Completed { documents, .. } = &self.reply.body { documents } else { &[] }
    }

    /// Returns the fields and documents as plain data.
    pub(crate) fn as_data(&self) -> Value {
        let mut fields = self.fields().clone();
        if !self.documents().is_empty() {
            let documents = self.documents().iter().map(document).collect();
            fields.insert("documents".to_owned(), Value::List(documents));
        }
        Value::Map(fields)
    }

    fn field(&mut self, name: &str) -> Result<Dynamic, Thrown> {
        if name == "documents" {
            let documents = self.documents().iter().map(document);
            let listed: Array = documents.map(|one| to_script(&one)).collect();
            return Ok(listed.into());
        }
        let fields = self.fields();
        match fields.get(name) {
            Some(value) => Ok(to_script(value)),
            None => Err(Trouble::new(
                "UNKNOWN_MEMBER",
                format!("办理结果中没有字段 {name}"),
                format!("the output has no field {name}"),
            )
            .advise_nearest(name, fields.keys().map(String::as_str).chain(["documents"]))
            .thrown()),
        }
    }

    fn contains(&mut self, name: &str) -> bool {
        name == "documents" || self.fields().contains_key(name)
    }
}

fn document(document: &DocumentRef) -> Value {
    Value::of([
        ("role", Value::from(document.role.as_str())),
        ("number", Value::from(document.number.as_str())),
        ("digest", Value::from(document.digest.to_string())),
    ])
}

/// What a person decided. Evidence for a grant or a denial.
#[derive(Clone, Debug)]
pub(crate) struct DecisionView {
    pub(crate) key: RequestKey,
    pub(crate) decision: Decision,
}

impl DecisionView {
    /// Returns it as plain data.
    pub(crate) fn as_data(&self) -> Value {
        Value::of([
            ("granted", Value::from(self.decision.granted)),
            ("opinion", Value::from(self.decision.opinion.as_str())),
            ("officer", Value::from(self.decision.officer.as_str())),
            ("deemed", Value::from(is_deemed(&self.decision))),
            ("fields", self.decision.fields.clone()),
        ])
    }
}

/// An outcome that is not success, as `catch` sees it: the only thing that can be caught.
#[derive(Clone, Debug)]
pub(crate) struct OutcomeView {
    pub(crate) key: RequestKey,
    outcome: Outcome,
}

impl OutcomeView {
    fn thrown(self) -> Thrown {
        EvalAltResult::ErrorRuntime(Dynamic::from(self), Position::NONE).into()
    }
}

/// Turns what arrived into what `wait` returns, or throws the outcome.
pub(crate) fn waited(arrived: Arrived) -> Result<Dynamic, Thrown> {
    if let Arrived::Thrown { key, outcome } = arrived {
        return Err(OutcomeView { key, outcome }.thrown());
    }
    Ok(shown(arrived))
}

/// Turns what arrived into what `settle` returns: a map that never throws.
pub(crate) fn settled(arrived: Arrived) -> Dynamic {
    let mut map = Map::new();
    let (value, kind, reason) = if let Arrived::Thrown { outcome, .. } = arrived {
        let detail = to_script(&outcome.detail);
        (detail, outcome.kind.code(), outcome.reason)
    } else {
        (shown(arrived), "completed", String::new())
    };
    map.insert("ok".into(), (kind == "completed").into());
    map.insert("value".into(), value);
    map.insert("kind".into(), kind.into());
    map.insert("reason".into(), reason.into());
    map.into()
}

fn shown(arrived: Arrived) -> Dynamic {
    match arrived {
        Arrived::Output { key, reply } => Dynamic::from(Output { key, reply }),
        Arrived::Decision { key, decision } => Dynamic::from(DecisionView { key, decision }),
        Arrived::Fired | Arrived::Answer(_) => Dynamic::UNIT,
        Arrived::Message(message) => crate::api::mail::shown(&message),
        Arrived::List(items) => items.into_iter().map(shown).collect::<Array>().into(),
        Arrived::Map(members) => members
            .into_iter()
            .map(|(name, item)| (name.as_str().into(), shown(item)))
            .collect::<Map>()
            .into(),
        Arrived::Settled(inner) => settled(*inner),
        thrown @ Arrived::Thrown { .. } => settled(thrown),
    }
}

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Output>("Output")
        .register_indexer_get(|output: &mut Output, name: &str| output.field(name))
        .register_fn("contains", Output::contains);
    engine
        .register_type_with_name::<DecisionView>("Decision")
        .register_get("granted", |view: &mut DecisionView| view.decision.granted)
        .register_get("denied", |view: &mut DecisionView| !view.decision.granted)
        .register_get("opinion", |view: &mut DecisionView| view.decision.opinion.clone())
        .register_get("deemed", |view: &mut DecisionView| is_deemed(&view.decision))
        .register_get("officer", |view: &mut DecisionView| view.decision.officer.clone())
        .register_get("fields", |view: &mut DecisionView| to_script(&view.decision.fields))
        .register_indexer_get(|_: &mut DecisionView, name: &str| {
            unknown(name, "审批决定", "a decision", &DECISION_MEMBERS)
        });
    engine
        .register_type_with_name::<OutcomeView>("Outcome")
        .register_get("kind", |view: &mut OutcomeView| view.outcome.kind.code())
        .register_get("reason", |view: &mut OutcomeView| view.outcome.reason.clone())
        .register_get("detail", |view: &mut OutcomeView| to_script(&view.outcome.detail))
        .register_indexer_get(|_: &mut OutcomeView, name: &str| {
            unknown(name, "办理结局", "an outcome", &["kind", "reason", "detail"])
        });
    engine.register_type_with_name::<Trouble>("ScriptError");
}

/// Returns getters of these fields of an output, to be linked to the program that reads them.
///
/// The indexer knows every field, but Rhai asks it only after it has written out, for each access,
/// that the type has no such property; and a replay reads the same fields again and again.
pub(crate) fn readers<'n>(fields: impl Iterator<Item = &'n str>) -> Module {
    let mut readers = Module::new();
    for field in fields {
        let name = field.to_owned();
        readers.set_getter_fn(field, move |output: &mut Output| output.field(&name));
    }
    readers
}

const DECISION_MEMBERS: [&str; 6] = ["granted", "denied", "deemed", "opinion", "officer", "fields"];

/// Refuses a member that a host object does not have.
pub(crate) fn unknown(name: &str, zh: &str, en: &str, known: &[&str]) -> Result<Dynamic, Thrown> {
    Err(Trouble::new(
        "UNKNOWN_MEMBER",
        format!("{zh}没有成员 {name}"),
        format!("{en} has no member {name}"),
    )
    .advise_nearest(name, known.iter().copied())
    .thrown())
}
