//! Which materials the situation needs, and who brings each.
//!
//! A requirement is a (material, matter) pair. Its sources are tried in order; the first that
//! this situation can have is what the applicant is told. Whatever fails when it is tried falls
//! back to an upload, so a source that is not the applicant's own is a plan, not a promise.

use std::collections::BTreeMap;

use serde::Serialize;

use super::labels::{self, Words};
use super::{Chosen, MatterRef, written};
use crate::definition::{MaterialDef, Source};

/// A (material, matter) pair, and how it is met in this situation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// Code of the material.
    pub material: String,
    /// Its name in this matter.
    pub name: String,
    /// The matter that requires it.
    pub matter: MatterRef,
    /// Who brings it.
    pub supply: Supply,
    /// Where it may come from, tried in order.
    #[serde(serialize_with = "written::sources")]
    pub sources: Vec<Source>,
    /// Whether it may come later (容缺).
    pub may_come_later: bool,
}

impl Requirement {
    /// Says who brings it.
    pub fn supply_words(&self) -> Words {
        let by = self.supply.words();
        if !self.may_come_later {
            return by;
        }
        Words::new(format!("{},可容缺后补", by.zh), format!("{}; may come later", by.en))
    }
}

/// Who brings a material.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Supply {
    /// The applicant hands it in.
    HandIn {
        /// The file types that are taken; empty when none is prescribed.
        types: Vec<String>,
    },
    /// It is the result of an earlier matter of this case.
    EarlierMatter {
        /// Which matter.
        matter: MatterRef,
    },
    /// It is fetched as an electronic licence.
    License {
        /// Type of the licence.
        license: String,
    },
    /// It is fetched as shared data.
    Data {
        /// The resource.
        resource: String,
    },
    /// The applicant commits himself instead (告知承诺).
    Commitment,
}

impl Supply {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HandIn { .. } => "hand_in",
            Self::EarlierMatter { .. } => "earlier_matter",
            Self::License { .. } => "license",
            Self::Data { .. } => "data",
            Self::Commitment => "commitment",
        }
    }

    /// Says who brings it.
    pub fn words(&self) -> Words {
        match self {
            Self::HandIn { types } => labels::source_words(&Source::Upload(types.clone())),
            Self::EarlierMatter { matter } => Words::new(
                format!("由“{}”产生,无需提交", matter.name.zh),
                format!("comes from {}; nothing to hand in", matter.name.en),
            ),
            Self::License { license } => Words::new(
                format!("调用电子证照({license}),无需提交"),
                format!("fetched as an electronic licence ({license}); nothing to hand in"),
            ),
            Self::Data { resource } => Words::new(
                format!("数据共享({resource}),无需提交"),
                format!("fetched as shared data ({resource}); nothing to hand in"),
            ),
            Self::Commitment => Words::new("以告知承诺代替", "replaced by a commitment"),
        }
    }

    /// Tells whether the applicant has to hand something in.
    pub fn is_handed_in(&self) -> bool {
        match self {
            Self::HandIn { .. } => true,
            Self::EarlierMatter { .. }
            | Self::License { .. }
            | Self::Data { .. }
            | Self::Commitment => false,
        }
    }
}

/// A material that the applicant hands in, once for all its matters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bring {
    /// Code of the material.
    pub material: String,
    /// What its matters call it, each name once.
    pub names: Vec<String>,
    /// The file types that every matter takes, or all when they have none in common; empty when
    /// none is prescribed.
    pub types: Vec<String>,
    /// The matters that it serves.
    pub matters: Vec<MatterRef>,
    /// Whether every one of them lets it come later (容缺).
    pub may_come_later: bool,
}

/// How much need not be handed in, by design (dossier 9.3: pairs, not files).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exemption {
    /// Pairs that the single matters would demand in this situation.
    pub pairs: usize,
    /// Pairs for which the applicant hands in something.
    pub handed_in: usize,
    /// What he really hands in, each material once.
    pub brought: usize,
    /// Exempted pairs by cause, under the codes of [`Supply`].
    pub by_cause: BTreeMap<&'static str, usize>,
    /// Design rate in whole percent, rounded down; none when nothing is required.
    pub percent: Option<usize>,
}

impl Exemption {
    pub(super) fn of(requirements: &[Requirement], bring: &[Bring]) -> Self {
        let mut by_cause = BTreeMap::new();
        for requirement in requirements.iter().filter(|one| !one.supply.is_handed_in()) {
            *by_cause.entry(requirement.supply.code()).or_default() += 1;
        }
        let pairs = requirements.len();
        let exempted: usize = by_cause.values().sum();
        Self {
            pairs,
            handed_in: pairs - exempted,
            brought: bring.len(),
            by_cause,
            percent: (exempted * 100).checked_div(pairs),
        }
    }
}

pub(super) fn requirements(chosen: &[Chosen<'_>]) -> Vec<Requirement> {
    let pairs = chosen.iter().flat_map(|one| one.matter.materials.iter().map(move |of| (one, of)));
    pairs
        .map(|(one, material)| Requirement {
            material: material.code.clone(),
            name: material.name.clone(),
            matter: one.named(),
            supply: supply(material, chosen),
            sources: material.sources.clone(),
            may_come_later: one.tolerates(&material.code),
        })
        .collect()
}

/// Returns the first source that this situation can have; the result of a matter that is not in
/// it cannot come, and without any source the applicant hands it in.
fn supply(material: &MaterialDef, chosen: &[Chosen<'_>]) -> Supply {
    let possible = material.sources.iter().find_map(|source| match source {
        Source::ResultOf(code) => {
            let earlier = chosen.iter().find(|one| one.matter.code == *code)?;
            Some(Supply::EarlierMatter { matter: earlier.named() })
        }
        Source::License(of) => Some(Supply::License { license: of.clone() }),
        Source::Data(of) => Some(Supply::Data { resource: of.clone() }),
        Source::Upload(types) => Some(Supply::HandIn { types: types.clone() }),
        Source::Commitment => Some(Supply::Commitment),
    });
    possible.unwrap_or(Supply::HandIn { types: Vec::new() })
}

/// Merges what is handed in: one upload serves every matter that asks for the material.
pub(super) fn bring(requirements: &[Requirement]) -> Vec<Bring> {
    let mut merged: Vec<Bring> = Vec::new();
    for requirement in requirements {
        let Supply::HandIn { types } = &requirement.supply else { continue };
        match merged.iter_mut().find(|known| known.material == requirement.material) {
            Some(known) => known.join(requirement, types),
            None => merged.push(Bring {
                material: requirement.material.clone(),
                names: vec![requirement.name.clone()],
                types: types.clone(),
                matters: vec![requirement.matter.clone()],
                may_come_later: requirement.may_come_later,
            }),
        }
    }
    merged
}

impl Bring {
    fn join(&mut self, requirement: &Requirement, types: &[String]) {
        if !self.names.contains(&requirement.name) {
            self.names.push(requirement.name.clone());
        }
        self.matters.push(requirement.matter.clone());
        self.may_come_later &= requirement.may_come_later;
        self.types = common(&self.types, types);
    }
}

/// Returns the types that both take; where one prescribes none the other's hold, and where they
/// have none in common each is named, because one of them must be converted anyway.
fn common(one: &[String], other: &[String]) -> Vec<String> {
    if one.is_empty() || other.is_empty() {
        return [one, other].concat();
    }
    let both: Vec<String> = one.iter().filter(|kind| other.contains(kind)).cloned().collect();
    if both.is_empty() { [one, other].concat() } else { both }
}
