//! What a number in hand is, and whether it is right.
//!
//! The kind is guessed from the form alone, so that a number with one wrong character is still
//! called what it was meant to be. Where two kinds are possible, the one that checks wins.

use jiff::civil::Date;

use super::case_no::CaseNo;
use super::check::Alphabet;
use super::citizen::{CitizenId, Sex, date_of};
use super::credit::{CreditCode, names_body};
use super::flaw::{Flaw, IdentifierError};
use super::kind::Kind;
use super::license::{self, LicenseId};
use super::matter_item::{MatterItemCode, MatterItemParts};
use super::project::ProjectCode;
use super::region::Regions;
use super::warning::Warning;
use crate::codes;

/// What a part of an identifier says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// Stable code of the part.
    pub code: &'static str,
    /// What it is called, in Chinese and English.
    pub label: (&'static str, &'static str),
    /// Its value.
    pub value: String,
    /// What the value means, in Chinese; empty when it speaks for itself.
    pub meaning: String,
}

/// The judgement on a number in hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// What it is, or was meant to be; none when that cannot be told.
    pub kind: Option<Kind>,
    /// The form in which it is to be kept; the text as it came when it is not valid.
    pub value: String,
    /// Why it is not valid; none when it is.
    pub reason: Option<Flaw>,
    /// What is worth a second look.
    pub warnings: Vec<Warning>,
    /// What its parts say.
    pub parts: Vec<Part>,
}

impl Verdict {
    /// Tells whether the number is right.
    pub fn is_valid(&self) -> bool {
        self.reason.is_none()
    }
}

/// Judges `value`, whose kind is guessed, with the national region table.
pub fn identify(value: &str, today: Date) -> Verdict {
    Reader::new(&Regions::national(), today).identify(value)
}

/// Judges numbers against one region table, as of one day.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    regions: &'a Regions,
    today: Date,
}

impl<'a> Reader<'a> {
    /// Builds it from the known regions and the date of today.
    pub fn new(regions: &'a Regions, today: Date) -> Self {
        Self { regions, today }
    }

    /// Judges `value`, whose kind is guessed. Blanks around it do not count.
    pub fn identify(&self, value: &str) -> Verdict {
        let value = value.trim();
        let candidates = self.candidates(value);
        let verdicts: Vec<Verdict> =
            candidates.iter().map(|kind| self.identify_as(*kind, value)).collect();
        let best = verdicts.iter().find(|verdict| verdict.is_valid()).or_else(|| verdicts.first());
        let Some(best) = best else {
            let flaw = if value.is_empty() { Flaw::Empty } else { Flaw::Unrecognised };
            return refused(None, value, flaw);
        };
        let mut best = best.clone();
        let others = verdicts.iter().filter(|other| other.kind != best.kind);
        let also = others.filter(|other| other.is_valid()).find_map(|other| other.kind);
        let also = also.or_else(|| self.unlisted_village(&best).then_some(Kind::RegionCode));
        best.warnings.extend(also.map(|also| Warning::Ambiguous { also }));
        best
    }

    /// Tells whether a basic matter code may be the village of a county that no table has.
    fn unlisted_village(&self, verdict: &Verdict) -> bool {
        let is_basic = verdict.kind == Some(Kind::MatterItemCode) && verdict.value.len() == 12;
        is_basic && self.regions.find(&format!("{}00", &verdict.value[..4])).is_ok()
    }

    /// Judges `value` as one kind. Blanks around it do not count.
    pub fn identify_as(&self, kind: Kind, value: &str) -> Verdict {
        let value = value.trim();
        let verdict = match kind {
            Kind::CitizenId => self.citizen(value),
            Kind::CreditCode => self.credit(value),
            Kind::RegionCode => self.region(value),
            Kind::MatterItemCode => matter_item(value),
            Kind::CaseNo => self.case_no(value),
            Kind::LicenseId => license(value),
            Kind::ProjectCode => self.project(value),
        };
        verdict.unwrap_or_else(|error| refused(Some(kind), value, error.flaw))
    }

    fn citizen(&self, value: &str) -> Result<Verdict, IdentifierError> {
        let citizen = CitizenId::parse(value, self.today)?;
        let (region, warning) = self.region_part(citizen.region());
        let (sex, sex_name) = match citizen.sex() {
            Sex::Male => ("male", "男"),
            Sex::Female => ("female", "女"),
        };
        let born = citizen.birth_date().to_string();
        let parts = vec![
            region,
            part("birth_date", ("出生日期", "birth date"), born),
            part("sex", ("性别", "sex"), sex).meaning(sex_name),
        ];
        Ok(good(Kind::CitizenId, citizen.as_str(), warning.into_iter().collect(), parts))
    }

    fn credit(&self, value: &str) -> Result<Verdict, IdentifierError> {
        let credit = CreditCode::parse(value)?;
        let registrar = credit.registrar().unwrap_or_default();
        let parts = vec![
            part("registrar", ("登记管理部门", "registrar"), &value[..1]).meaning(registrar),
            part("body", ("机构类别", "kind of body"), credit.body())
                .meaning(credit.body_name().unwrap_or_default()),
            self.region_part(credit.region()).0,
            part(
                "organisation_code",
                ("组织机构代码", "organisation code"),
                credit.organisation_code(),
            ),
        ];
        Ok(good(Kind::CreditCode, value, credit.warnings(self.regions), parts))
    }

    fn region(&self, value: &str) -> Result<Verdict, IdentifierError> {
        let region = self.regions.find(value)?;
        let level = region.level;
        let mut parts = vec![
            part("name", ("名称", "name"), self.regions.full_name(&region)),
            part("level", ("级别", "level"), level.code()).meaning(level.name()),
        ];
        if let Some(parent) = &region.parent {
            parts.push(part("parent", ("上级", "parent"), parent));
        }
        Ok(good(Kind::RegionCode, value, region.warning().into_iter().collect(), parts))
    }

    fn case_no(&self, value: &str) -> Result<Verdict, IdentifierError> {
        let number = CaseNo::parse(value)?;
        let parts = vec![
            self.region_part(number.region()).0,
            part("date", ("日期", "date"), number.date().to_string()),
            part("serial", ("流水号", "serial"), number.serial().to_string()),
        ];
        Ok(good(Kind::CaseNo, value, number.warnings(self.regions, self.today), parts))
    }

    fn project(&self, value: &str) -> Result<Verdict, IdentifierError> {
        let project = ProjectCode::parse(value)?;
        let parts = vec![
            part("period", ("赋码时间", "given in"), project.period().to_string()),
            self.region_part(project.region()).0,
            part("serial", ("流水号", "serial"), project.serial()),
        ];
        Ok(good(Kind::ProjectCode, value, project.warnings(self.regions, self.today), parts))
    }

    fn region_part(&self, code: &str) -> (Part, Option<Warning>) {
        let (name, warning) = self.regions.prefix(code);
        (part("region", ("行政区划", "region"), code).meaning(name), warning)
    }

    /// Lists what `value` may have been meant to be, the likeliest first.
    fn candidates(&self, value: &str) -> Vec<Kind> {
        if value.starts_with(license::ROOT) || value.matches('.').count() >= 5 {
            return vec![Kind::LicenseId];
        }
        if value.contains('-') {
            return vec![Kind::ProjectCode];
        }
        let is_letter =
            |letter: char| Alphabet::DigitsAndLetters.holds(letter.to_ascii_uppercase());
        if !value.chars().all(is_letter) {
            return by_length_alone(value);
        }
        let letters = value.chars().filter(|letter| !letter.is_ascii_digit()).count();
        match (value.len(), letters) {
            (6 | 9, 0) => vec![Kind::RegionCode],
            (12, 0) => vec![Kind::RegionCode, Kind::MatterItemCode],
            (15, 0) => vec![Kind::CitizenId],
            (17..=19, 0) => self.person_or_body(value),
            (17..=19, 1) if value.ends_with(['x', 'X']) || has_birth_date(value) => {
                self.person_or_body(value)
            }
            (17..=19, _) => vec![Kind::CreditCode],
            (21..=27, _) if value.bytes().take(6).all(|byte| byte.is_ascii_digit()) => {
                vec![Kind::CaseNo]
            }
            (31 | 33, _) => vec![Kind::MatterItemCode],
            _ => Vec::new(),
        }
    }

    fn person_or_body(&self, value: &str) -> Vec<Kind> {
        match (names_body(value, self.regions), has_birth_date(value)) {
            (false, _) => vec![Kind::CitizenId],
            (true, true) => vec![Kind::CitizenId, Kind::CreditCode],
            (true, false) => vec![Kind::CreditCode, Kind::CitizenId],
        }
    }
}

fn license(value: &str) -> Result<Verdict, IdentifierError> {
    let license = LicenseId::parse(value)?;
    let parts = vec![
        part("type_code", ("证照类型", "licence type"), license.type_code()),
        part("issuer", ("颁发机构", "issuer"), license.issuer()),
        part("serial", ("流水号", "serial"), license.serial()),
        part("version", ("版本", "version"), license.version()),
    ];
    Ok(good(Kind::LicenseId, value, license.warnings(), parts))
}

fn matter_item(value: &str) -> Result<Verdict, IdentifierError> {
    let code = MatterItemCode::parse(value)?;
    let mut parts = Vec::new();
    if let MatterItemParts::Implementation { implementer, level, basic, variant } = code.parts() {
        parts.push(part("implementer", ("实施主体", "implementer"), implementer));
        parts.push(
            part("exercise_level", ("行使层级", "exercise level"), level)
                .meaning(codes::EXERCISE_LEVEL.read(level).label().unwrap_or_default()),
        );
        parts.push(part("basic_code", ("基本编码", "basic code"), basic));
        if !variant.is_empty() {
            parts.push(part("variant", ("业务办理项", "business variant"), variant));
        }
    }
    if let Some(of) = code.matter_type() {
        parts.push(
            part("matter_type", ("事项类型", "matter type"), of)
                .meaning(codes::MATTER_TYPE.read(of).label().unwrap_or_default()),
        );
    }
    Ok(good(Kind::MatterItemCode, value, code.warnings(), parts))
}

fn part(code: &'static str, label: (&'static str, &'static str), value: impl Into<String>) -> Part {
    Part { code, label, value: value.into(), meaning: String::new() }
}

impl Part {
    fn meaning(self, meaning: impl Into<String>) -> Self {
        Self { meaning: meaning.into(), ..self }
    }
}

fn good(kind: Kind, value: &str, warnings: Vec<Warning>, parts: Vec<Part>) -> Verdict {
    Verdict { kind: Some(kind), value: value.to_owned(), reason: None, warnings, parts }
}

fn refused(kind: Option<Kind>, value: &str, flaw: Flaw) -> Verdict {
    let mut parts = Vec::new();
    if let Flaw::OldNumber { lookup } = &flaw {
        parts.push(part("lookup", ("查询用号码", "for looking up"), lookup));
    }
    Verdict { kind, value: value.to_owned(), reason: Some(flaw), warnings: Vec::new(), parts }
}

/// Guesses from the length, for a text with characters that no kind has.
fn by_length_alone(value: &str) -> Vec<Kind> {
    match value.chars().count() {
        18 if has_birth_date(value) => vec![Kind::CitizenId],
        18 => vec![Kind::CreditCode],
        _ => Vec::new(),
    }
}

/// Tells whether a birth date stands where a citizen number has it. Letters that are easily
/// taken for digits count as those.
fn has_birth_date(value: &str) -> bool {
    let digit = |letter: char| match letter {
        'O' | 'o' => '0',
        'I' | 'l' => '1',
        other => other,
    };
    let middle: String = value.chars().skip(6).take(8).map(digit).collect();
    date_of(&middle).is_some_and(|date| (1900..2100).contains(&date.year()))
}
