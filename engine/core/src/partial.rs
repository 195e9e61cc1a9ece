//! What a service's `on_partial` says when a matter has ended against the applicant while others
//! are open: that the rest goes on, or which person is asked whether it does.
//!
//! One denial stops no independent matter, and nobody but the applicant gives up what he applied
//! for: the function advises whom to ask, and a person's word is what counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::{Case, Matter};
use crate::id::MatterNo;
use crate::law::Ending;
use crate::value::Value;

/// What `on_partial` said.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Partial {
    /// The open matters go on; nobody is asked.
    GoOn,
    /// The applicant is asked.
    AskApplicant {
        /// What he is asked.
        title: String,
    },
    /// The lead department is asked first. Its no is put to the applicant.
    AskLead {
        /// What it is asked.
        title: String,
    },
}

/// What `on_partial` said of matters that had ended, as it was recorded.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PartialOutcome {
    /// The matters that had ended.
    pub ended: Vec<MatterNo>,
    /// What it said; going on when it failed, beside an incident.
    pub said: Partial,
}

/// Returns the matters that ended against the applicant and that nothing was said of yet. Those
/// that he withdrew himself, and those that only follow from another's end, are no news.
pub fn fresh(case: &Case) -> Vec<MatterNo> {
    let adverse = |matter: &&Matter| match matter.law.ending() {
        Some(Ending::Denied | Ending::NotAccepted | Ending::Terminated) => true,
        Some(Ending::Granted | Ending::GrantedTolerant | Ending::NotFiled | Ending::Withdrawn)
        | None => false,
    };
    let ended = case.matters.iter().filter(|matter| matter.is_included()).filter(adverse);
    ended.map(|matter| matter.no).filter(|no| !case.partial.contains(no)).collect()
}

/// Returns what `on_partial(c)` is told: the matters that ended just now, those that are open,
/// answers, form and applicant.
pub fn facts(case: &Case, ended: &[MatterNo]) -> Value {
    let ended = ended.iter().filter_map(|no| case.matter(*no)).map(told);
    let open = case.matters.iter().filter(|matter| matter.is_open()).map(told);
    let applicant = &case.started.applicant;
    Value::of([
        ("ended", Value::List(ended.collect())),
        ("open", Value::List(open.collect())),
        ("answers", case.started.answers.clone()),
        ("form", case.form()),
        (
            "applicant",
            Value::of([
                ("id", applicant.id.as_str().into()),
                ("name", applicant.name.as_str().into()),
            ]),
        ),
    ])
}

fn told(matter: &Matter) -> Value {
    let part = matter.planned.computed.as_deref();
    let members = [
        ("code", matter.planned.code.as_str()),
        ("key", part.map_or("", |part| part.key.as_str())),
        ("name", matter.planned.name.as_str()),
        ("state", matter.law.stage.code()),
        ("reason", matter.law.ground.as_str()),
    ];
    let members = members.map(|(name, text)| (name.to_owned(), Value::from(text)));
    Value::Map(BTreeMap::from(members))
}
