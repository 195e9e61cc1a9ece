//! 统一社会信用代码 (GB 32100): registrar, kind, region, organisation code, check character.

use std::fmt;

use super::check::{self, Alphabet};
use super::flaw::{self, Flaw, IdentifierError};
use super::kind::Kind;
use super::region::Regions;
use super::warning::Warning;

pub(super) const LENGTH: usize = 18;

/// Registering departments, by the first character.
const REGISTRARS: [(char, &str); 12] = [
    ('1', "机构编制"),
    ('2', "外交"),
    ('3', "司法行政"),
    ('4', "文化"),
    ('5', "民政"),
    ('6', "旅游"),
    ('7', "宗教"),
    ('8', "工会"),
    ('9', "市场监管"),
    ('A', "军队编制"),
    ('N', "农业"),
    ('Y', "其他"),
];

/// Kinds of body, by the first two characters; not all kinds have a name here.
const BODIES: [(&str, &str); 12] = [
    ("11", "机关"),
    ("12", "事业单位"),
    ("13", "群众团体"),
    ("19", "其他机构编制单位"),
    ("51", "社会团体"),
    ("52", "民办非企业单位"),
    ("53", "基金会"),
    ("59", "其他民政登记单位"),
    ("81", "基层工会"),
    ("91", "企业"),
    ("92", "个体工商户"),
    ("93", "农民专业合作社"),
];

/// A credit code with a right check character.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CreditCode(String);

impl CreditCode {
    /// Reads 18 characters of the 31 that the standard uses.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        Self::read(text).map_err(flaw::of(Kind::CreditCode))
    }

    fn read(text: &str) -> Result<Self, Flaw> {
        if text.is_empty() {
            return Err(Flaw::Empty);
        }
        check::length(text, LENGTH)?;
        Alphabet::Credit.spells(text, 0)?;
        check::last(text, check::credit(&text[..LENGTH - 1]))?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the 18 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the registering department in Chinese, if it is a known one.
    pub fn registrar(&self) -> Option<&'static str> {
        let first = self.0.chars().next()?;
        REGISTRARS.iter().find(|(code, _)| *code == first).map(|(_, name)| *name)
    }

    /// Returns the two characters of registrar and kind, such as 91 for an enterprise.
    pub fn body(&self) -> &str {
        &self.0[..2]
    }

    /// Returns the kind in Chinese, if it has a name here.
    pub fn body_name(&self) -> Option<&'static str> {
        BODIES.iter().find(|(code, _)| *code == self.body()).map(|(_, name)| *name)
    }

    /// Returns the code of the region of registration.
    pub fn region(&self) -> &str {
        &self.0[2..8]
    }

    /// Returns the nine characters of the organisation code (GB 11714).
    pub fn organisation_code(&self) -> &str {
        &self.0[8..17]
    }

    /// Returns what is worth a second look.
    pub fn warnings(&self, regions: &Regions) -> Vec<Warning> {
        let found = self.0.chars().next().unwrap_or_default();
        let registrar = match self.registrar() {
            Some(_) => None,
            None => Some(Warning::UnknownRegistrar { found }),
        };
        let inner = self.organisation_code();
        let is_right = check::last(inner, check::organisation(&inner[..8])).is_ok();
        let organisation = (!is_right).then_some(Warning::OrganisationCheck);
        let region = regions.prefix(self.region()).1;
        [registrar, region, organisation].into_iter().flatten().collect()
    }
}

/// Tells whether `text` begins as a credit code does: a kind of body, and a known region.
/// Every thirty-first wrong citizen number has the check character of a credit code, so the
/// check alone does not tell the two apart.
pub(super) fn names_body(text: &str, regions: &Regions) -> bool {
    let body = text.get(..2).is_some_and(|body| BODIES.iter().any(|(code, _)| *code == body));
    body && text.get(2..8).is_some_and(|region| regions.find(region).is_ok())
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
