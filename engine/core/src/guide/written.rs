//! How the members of a guide are written: enums as a stable code with its text, periods as
//! scripts write them.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::ref_option,
    reason = "serde hands every member over by reference"
)]

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::form::Shape;
use super::labels::{self, Label};
use crate::definition::{After, DecidesIn, Fee, Field, Intake, Limits, Regime, Source};
use crate::digest::Digest;
use crate::time::Period;
use crate::value::Value;

#[derive(Serialize)]
struct Labelled {
    code: &'static str,
    zh: String,
    en: String,
}

impl From<Label> for Labelled {
    fn from((code, words): Label) -> Self {
        Self { code, zh: words.zh, en: words.en }
    }
}

pub(super) fn regime<S: Serializer>(regime: &Regime, to: S) -> Result<S::Ok, S::Error> {
    Labelled::from(labels::regime_label(*regime)).serialize(to)
}

pub(super) fn intake<S: Serializer>(intake: &Intake, to: S) -> Result<S::Ok, S::Error> {
    Labelled::from(labels::intake_label(*intake)).serialize(to)
}

pub(super) fn decides_in<S: Serializer>(place: &DecidesIn, to: S) -> Result<S::Ok, S::Error> {
    Labelled::from(labels::decides_in_label(*place)).serialize(to)
}

pub(super) fn after<S: Serializer>(after: &After, to: S) -> Result<S::Ok, S::Error> {
    Labelled::from(labels::after_label(*after)).serialize(to)
}

pub(super) fn sources<S: Serializer>(sources: &[Source], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        sources.iter().map(|source| {
            Labelled::from((labels::source_code(source), labels::source_words(source)))
        }),
    )
}

pub(super) fn digest<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&digest.hex())
}

pub(super) fn value<S: Serializer>(value: &Value, to: S) -> Result<S::Ok, S::Error> {
    value.to_json().serialize(to)
}

/// Writes fees with their amounts as texts: money is no binary number.
pub(super) fn fees<S: Serializer>(fees: &[Fee], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Form<'a> {
        name: &'a str,
        amount: String,
        basis: &'a str,
    }
    to.collect_seq(fees.iter().map(|fee| Form {
        name: &fee.name,
        amount: fee.amount.to_string(),
        basis: &fee.basis,
    }))
}

/// Writes an amount in yuan as a text.
pub(super) fn amount<S: Serializer>(amount: &Option<Decimal>, to: S) -> Result<S::Ok, S::Error> {
    amount.map(|amount| amount.to_string()).serialize(to)
}

/// Writes a period as people and scripts write it: `5 working days`.
pub(super) fn period<S: Serializer>(period: &Option<Period>, to: S) -> Result<S::Ok, S::Error> {
    period.map(|period| period.to_string()).serialize(to)
}

pub(super) fn limits<S: Serializer>(limits: &Limits, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Form {
        statutory: Option<String>,
        promised: Option<String>,
    }
    let text = |period: Option<Period>| period.map(|period| period.to_string());
    Form { statutory: text(limits.statutory), promised: text(limits.promised) }.serialize(to)
}

pub(super) fn field<S: Serializer>(field: &Field, to: S) -> Result<S::Ok, S::Error> {
    Shape::of(field).serialize(to)
}
