//! The one form: every field of the situation's matters, asked once.

use serde::Serialize;

use super::labels::Words;
use super::{Chosen, MatterRef, written};
use crate::definition::{Closure, Field, FieldKind};
use crate::start::form_of;

/// A field of the one form, and which matters use it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The field.
    #[serde(serialize_with = "written::field")]
    pub field: Field,
    /// The matters that use what is filled in.
    pub matters: Vec<MatterRef>,
}

pub(super) fn asked(closure: &Closure, selected: &[bool], chosen: &[Chosen<'_>]) -> Vec<Asked> {
    let mut selected = selected.to_vec();
    selected.resize(closure.service.parts.len(), false);
    let fields = form_of(closure, &selected).into_iter();
    fields
        .map(|field| {
            let users = chosen.iter().filter(|one| has(one, &field.name));
            Asked { matters: users.map(Chosen::named).collect(), field }
        })
        .collect()
}

fn has(one: &Chosen<'_>, name: &str) -> bool {
    one.matter.form.iter().any(|field| field.name == name)
}

/// A field as a guide writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shape<'a> {
    name: &'a str,
    label: Words,
    kind: &'static str,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    above: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_values: Option<u32>,
}

impl<'a> Shape<'a> {
    pub(super) fn of(field: &'a Field) -> Self {
        let mut shape = Self {
            name: &field.name,
            label: Words::of_field(field),
            kind: "",
            required: field.required,
            max_length: None,
            above: None,
            at_most: None,
            choices: None,
            of: None,
            max_values: None,
        };
        shape.take(&field.kind);
        shape
    }

    fn take(&mut self, kind: &'a FieldKind) {
        let shape = self;
        match kind {
            FieldKind::Text { max } => {
                shape.kind = "text";
                shape.max_length = Some(*max);
            }
            FieldKind::Number { above, at_most } => {
                shape.kind = "number";
                shape.above = above.map(|bound| bound.to_string());
                shape.at_most = at_most.map(|bound| bound.to_string());
            }
            FieldKind::YesNo => shape.kind = "yes_no",
            FieldKind::Date => shape.kind = "date",
            FieldKind::Choice(choices) => {
                shape.kind = "choice";
                shape.choices = Some(choices);
            }
            FieldKind::List { of, max } => {
                shape.take(of);
                shape.of = Some(std::mem::replace(&mut shape.kind, "list"));
                shape.max_values = Some(*max);
            }
        }
    }
}
