//! The guide (一次告知): what an applicant is told, once and completely, before he files.
//!
//! [`guide`] is a pure function of a service's declarations, the parts that the answers select,
//! and the answers themselves (情形引导). It tells which matters there are and how they join
//! (this file), which materials are needed and who brings them (`materials`), what the one form
//! asks (`form`), and how long it takes (`time`). `answers` says what is still to be asked.
//!
//! It never decides: intake and law hold whatever the guide said. Start reading at [`Guide`].

pub mod answers;
mod form;
mod labels;
mod materials;
mod time;
mod written;

use rust_decimal::Decimal;
use serde::Serialize;

pub use form::Asked;
pub use labels::{Words, limit_words, list_words};
pub use materials::{Bring, Exemption, Requirement, Supply};
pub use time::{Length, LimitBasis, PromiseCheck, Stretch, TimePlan};

use crate::definition::{After, Closure, DecidesIn, Fee, Intake, Limits, MatterDef, Part, Regime};
use crate::digest::Digest;
use crate::id::{DepartmentCode, MatterCode, ServiceCode};
use crate::value::Value;

/// Everything an applicant is told for his situation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Guide {
    /// The service.
    pub service: ServiceCode,
    /// Its version: the closure's digest.
    #[serde(serialize_with = "written::digest")]
    pub version: Digest,
    /// Its name.
    pub name: Words,
    /// The department that coordinates (牵头部门).
    pub lead: DepartmentCode,
    /// The questions with what was answered.
    pub situation: Vec<Answered>,
    /// The matters of this situation, in the service's order.
    pub matters: Vec<GuidedMatter>,
    /// The matters that this situation does not need.
    pub skipped: Vec<MatterRef>,
    /// Each (material, matter) pair.
    pub requirements: Vec<Requirement>,
    /// What the applicant has to hand in, each once.
    pub bring: Vec<Bring>,
    /// What the declared fees come to, in yuan; none when no matter declares any.
    #[serde(serialize_with = "written::amount")]
    pub fees: Option<Decimal>,
    /// The one form: each field once.
    pub form: Vec<Asked>,
    /// How long it takes.
    pub time: TimePlan,
    /// How much of what single matters would demand need not be handed in.
    pub exemption: Exemption,
    /// What the applicant, or whoever wrote the service, should know.
    pub warnings: Vec<Warning>,
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// Its name in the answers.
    pub name: String,
    /// The question.
    pub label: Words,
    /// The answer; null when the question was left open.
    #[serde(serialize_with = "written::value")]
    pub answer: Value,
    /// The answer in words.
    pub words: Words,
}

/// A matter by code and name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MatterRef {
    /// Its code.
    pub code: MatterCode,
    /// Its name.
    pub name: Words,
}

/// A matter of the situation, and how it joins.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuidedMatter {
    /// Its number in the service, from 1; numbers of skipped matters are left out.
    pub no: usize,
    /// Which matter.
    pub matter: MatterRef,
    /// The department that decides.
    pub department: DepartmentCode,
    /// The body of rules that it follows.
    #[serde(serialize_with = "written::regime")]
    pub regime: Regime,
    /// Legal basis; empty when none is declared.
    pub basis: String,
    /// Who accepts it.
    #[serde(serialize_with = "written::intake")]
    pub intake: Intake,
    /// Where it is decided.
    #[serde(serialize_with = "written::decides_in")]
    pub decides_in: DecidesIn,
    /// Its limits.
    #[serde(serialize_with = "written::limits")]
    pub limits: Limits,
    /// What it comes after, of the matters of this situation.
    pub after: Vec<Predecessor>,
    /// Type of the license that a grant gives.
    pub gives: Option<String>,
    /// What the applicant pays; empty when nothing is declared.
    #[serde(serialize_with = "written::fees")]
    pub fees: Vec<Fee>,
}

impl GuidedMatter {
    /// Says what each fee is: name, yuan and the rule that fixes it.
    pub fn fee_words(&self) -> Vec<Words> {
        let words = |fee: &Fee| {
            Words::new(
                format!("{} {} 元({})", fee.name, fee.amount, fee.basis),
                format!("{} {} yuan ({})", fee.name, fee.amount, fee.basis),
            )
        };
        self.fees.iter().map(words).collect()
    }

    /// Says who accepts it.
    pub fn intake_words(&self) -> Words {
        labels::intake_label(self.intake).1
    }

    /// Says where it is decided.
    pub fn decides_in_words(&self) -> Words {
        labels::decides_in_label(self.decides_in).1
    }

    /// Names the body of rules that it follows.
    pub fn regime_words(&self) -> Words {
        labels::regime_label(self.regime).1
    }
}

/// An earlier matter, and what of it is awaited.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Predecessor {
    /// The earlier matter.
    pub matter: MatterRef,
    /// What of it is awaited.
    #[serde(serialize_with = "written::after")]
    pub awaits: After,
}

impl Predecessor {
    /// Says what of it is awaited.
    pub fn awaits_words(&self) -> Words {
        labels::after_label(self.awaits).1
    }
}

/// Something that should be known.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// Stable code.
    pub code: &'static str,
    /// What it is.
    pub words: Words,
}

/// A matter of the service together with whether the situation needs it.
#[derive(Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub(crate) no: usize,
    pub(crate) part: &'a Part,
    pub(crate) matter: &'a MatterDef,
}

impl Chosen<'_> {
    pub(crate) fn named(&self) -> MatterRef {
        MatterRef { code: self.matter.code.clone(), name: Words::of_matter(self.matter) }
    }

    /// Tells whether a material of it may come later (容缺).
    pub(crate) fn tolerates(&self, material: &str) -> bool {
        self.part.tolerates.iter().any(|tolerated| tolerated == material)
    }
}

/// Returns the guide of a service for a situation. `selected` tells for each part whether it is
/// in, as [`crate::port::Script::select`] found for these answers; a part without a word is out.
pub fn guide(closure: &Closure, selected: &[bool], answers: &Value) -> Guide {
    let (chosen, skipped) = divide(closure, selected);
    let requirements = materials::requirements(&chosen);
    let bring = materials::bring(&requirements);
    let time = time::plan(&chosen, closure.service.promise);
    let exemption = Exemption::of(&requirements, &bring);
    let situation = answers::told(closure, answers);
    let warnings = warnings(&chosen, &situation, &time);
    Guide {
        service: closure.service.code.clone(),
        version: closure.digest,
        name: Words::new(&closure.service.name, &closure.service.name_en),
        lead: closure.service.lead.clone(),
        situation,
        matters: chosen.iter().map(|one| joined(one, &chosen)).collect(),
        skipped: skipped.iter().map(Chosen::named).collect(),
        requirements,
        bring,
        fees: fees(&chosen),
        form: form::asked(closure, selected, &chosen),
        time,
        exemption,
        warnings,
    }
}

fn fees(chosen: &[Chosen<'_>]) -> Option<Decimal> {
    let all = chosen.iter().flat_map(|one| &one.matter.fees);
    all.map(|fee| fee.amount).reduce(|one, other| one + other)
}

/// Divides the parts of a service into those of the situation and the others.
fn divide<'a>(closure: &'a Closure, selected: &[bool]) -> (Vec<Chosen<'a>>, Vec<Chosen<'a>>) {
    let parts = closure.service.parts.iter().zip(1..);
    let known = parts.filter_map(|(part, no)| {
        let matter = closure.matters.get(&part.matter)?;
        Some(Chosen { no, part, matter })
    });
    known.partition(|one| selected.get(one.no - 1).copied().unwrap_or_default())
}

fn joined(one: &Chosen<'_>, chosen: &[Chosen<'_>]) -> GuidedMatter {
    let matter = one.matter;
    let after = one.part.after.iter().filter_map(|(code, awaits)| {
        let earlier = chosen.iter().find(|other| other.matter.code == *code)?;
        Some(Predecessor { matter: earlier.named(), awaits: *awaits })
    });
    GuidedMatter {
        no: one.no,
        matter: one.named(),
        department: matter.department.clone(),
        regime: matter.regime,
        basis: matter.basis.clone(),
        intake: matter.intake,
        decides_in: matter.decides_in,
        limits: matter.limits,
        after: after.collect(),
        gives: matter.gives.clone(),
        fees: matter.fees.clone(),
    }
}

fn warnings(chosen: &[Chosen<'_>], situation: &[Answered], time: &TimePlan) -> Vec<Warning> {
    let mut found = Vec::new();
    for open in situation.iter().filter(|question| question.answer.is_blank()) {
        found.push(Warning {
            code: "QUESTION_OPEN",
            words: Words::new(
                format!("“{}”未回答,按“否”处理", open.label.zh),
                format!("\"{}\" was not answered and counts as no", open.label.en),
            ),
        });
    }
    let limitless = chosen.iter().filter(|one| one.matter.limits == Limits::default());
    for one in limitless {
        let name = Words::of_matter(one.matter);
        found.push(Warning {
            code: "LIMIT_MISSING",
            words: Words::new(
                format!("“{}”没有公布办理时限", name.zh),
                format!("{} has no published limit", name.en),
            ),
        });
    }
    found.extend(time.warning());
    found
}

#[cfg(test)]
mod tests;
