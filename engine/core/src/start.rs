//! Starting a case: from what the applicant said to the first entry.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::case::Case;
use crate::command::Refusal;
use crate::definition::{Closure, Field, FieldKind, MatterDef, Part, Source};
use crate::entry::{Arrival, CaseStarted, Consent, Party, PlannedMatter};
use crate::id::{MatterCode, MatterNo, RegionCode};
use crate::limits::CASE_MATTERS_MAX;
use crate::material::MaterialGiven;
use crate::port::{Script, ScriptFault};
use crate::value::Value;

/// Bytes of a date, `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;

/// What the applicant, or a clerk for him, starts a case with.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct StartCase {
    /// Code of the service.
    pub service: crate::id::ServiceCode,
    /// Where.
    pub region: RegionCode,
    /// Who.
    pub applicant: Party,
    /// Who files for him.
    pub agent: Option<Party>,
    /// Answers to the questions.
    pub answers: Value,
    /// The form.
    pub form: Value,
    /// Materials, by reference.
    pub materials: Vec<MaterialGiven>,
    /// Authorisations to fetch licenses.
    pub consents: Vec<Consent>,
    /// How it reached the engine.
    pub arrival: Arrival,
}

impl StartCase {
    /// Builds an application without answers, form or materials.
    pub fn new(service: crate::id::ServiceCode, region: RegionCode, applicant: Party) -> Self {
        Self {
            service,
            region,
            applicant,
            agent: None,
            answers: Value::Null,
            form: Value::Null,
            materials: Vec::new(),
            consents: Vec::new(),
            arrival: Arrival::default(),
        }
    }
}

/// Checks the input against the service and returns the first entry's content. `selected` holds,
/// for each part, whether it is in.
pub fn start(
    closure: &Closure,
    input: StartCase,
    number: String,
    selected: &[bool],
) -> Result<CaseStarted, Refusal> {
    let service = &closure.service;
    check_offered(closure, &input.region)?;
    check_party(&input.applicant, "applicant")?;
    if let Some(agent) = &input.agent {
        check_party(agent, "agent")?;
    }
    check_fields(&service.questions, &input.answers, "answers", Completeness::Draft)?;
    check_fields(&form_of(closure, selected), &input.form, "form", Completeness::Draft)?;
    check_materials(closure, selected, &input.materials)?;
    let matters = service.parts.iter().zip(selected).map(|(part, included)| {
        let matter = &closure.matters[&part.matter];
        PlannedMatter {
            code: part.matter.clone(),
            name: name_of(matter, part),
            department: matter.department.clone(),
            skipped: !included,
            after: numbers_of(closure, part),
            computed: service.computed.then(|| Box::new(part.clone())),
        }
    });
    Ok(CaseStarted {
        number,
        service: service.code.clone(),
        service_name: service.name.clone(),
        closure: closure.digest,
        api_level: closure.api_level,
        region: input.region,
        lead: service.lead.clone(),
        promise: service.promise,
        applicant: input.applicant,
        agent: input.agent,
        answers: input.answers,
        form: input.form,
        // Only the engine itself says of a value that a source gave it.
        provenance: Vec::new(),
        materials: input.materials,
        consents: input.consents,
        arrival: input.arrival,
        matters: matters.collect(),
    })
}

/// Names a matter so that people can tell it from its like in the same case.
fn name_of(matter: &MatterDef, part: &Part) -> String {
    match part.key.as_str() {
        "" => matter.name.clone(),
        key => format!("{}({key})", matter.name),
    }
}

/// Why the matters of a situation are not known.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unchosen {
    /// A predicate of the service failed.
    #[error("{0}")]
    Script(ScriptFault),
    /// The answers lead to no set of matters that can be.
    #[error("{0}")]
    Refused(Refusal),
}

/// Returns the service as these answers have it, and which of its parts are in.
///
/// # Errors
/// [`Unchosen::Script`] when a predicate fails, [`Unchosen::Refused`] when the answers lead to no
/// set that can be.
pub fn choose(
    script: &dyn Script,
    closure: &Arc<Closure>,
    answers: &Value,
) -> Result<(Arc<Closure>, Vec<bool>), Unchosen> {
    chosen(script, closure, answers, computed(script, closure, answers)?)
}

/// Computes the set of matters where the service does; its closure sees only answers that its
/// questions take.
fn computed(
    script: &dyn Script,
    closure: &Closure,
    answers: &Value,
) -> Result<Option<Vec<Part>>, Unchosen> {
    if !closure.service.computed {
        return Ok(None);
    }
    let checked = check_fields(&closure.service.questions, answers, "answers", Completeness::Draft);
    checked.map_err(Unchosen::Refused)?;
    let parts = script.compute(closure, answers).map_err(Unchosen::Script)?;
    Ok(Some(parts.unwrap_or_default()))
}

/// Returns the service as answers that may still be open have it. A set that cannot be computed
/// yet shows what may come, and none of it as chosen.
///
/// # Errors
/// [`Unchosen`] as [`choose`], but for a set that is empty.
pub fn choose_so_far(
    script: &dyn Script,
    closure: &Arc<Closure>,
    answers: &Value,
) -> Result<(Arc<Closure>, Vec<bool>), Unchosen> {
    match computed(script, closure, answers)? {
        Some(parts) if parts.is_empty() => {
            Ok((Arc::clone(closure), vec![false; closure.service.parts.len()]))
        }
        computed => chosen(script, closure, answers, computed),
    }
}

fn chosen(
    script: &dyn Script,
    closure: &Arc<Closure>,
    answers: &Value,
    computed: Option<Vec<Part>>,
) -> Result<(Arc<Closure>, Vec<bool>), Unchosen> {
    let Some(parts) = computed else {
        let selected = script.select(closure, answers).map_err(Unchosen::Script)?;
        return Ok((Arc::clone(closure), selected));
    };
    let resolved = with_computed(closure, parts).map_err(Unchosen::Refused)?;
    let all = vec![true; resolved.service.parts.len()];
    Ok((Arc::new(resolved), all))
}

/// Checks a set of matters that was computed from the answers, and returns the service with it.
///
/// # Errors
/// Refuses an empty set, one that is too large, a matter that the service does not hold, two that
/// nothing tells apart, and a circle of matters that wait for each other.
pub fn with_computed(closure: &Closure, parts: Vec<Part>) -> Result<Closure, Refusal> {
    if parts.is_empty() || parts.len() > CASE_MATTERS_MAX {
        return Err(Refusal::new(
            "MATTERS_COMPUTED",
            format!("按所填情形得出 {} 个事项,应为 1 到 {CASE_MATTERS_MAX} 个", parts.len()),
            format!(
                "these answers lead to {} matters; 1 to {CASE_MATTERS_MAX} may be",
                parts.len()
            ),
        )
        .at(["answers"]));
    }
    let mut seen = BTreeSet::new();
    for part in &parts {
        let known = closure.matters.contains_key(&part.matter);
        if !known || !seen.insert((&part.matter, part.key.as_str())) {
            let (zh, en) = if known { ("重复", "twice") } else { ("未声明", "undeclared") };
            let (code, key) = (&part.matter, &part.key);
            return Err(Refusal::new(
                "MATTERS_COMPUTED",
                format!("按所填情形得出的事项 {code}({key}){zh}"),
                format!("the matter {code} ({key}) that the answers lead to is {en}"),
            )
            .at(["answers"]));
        }
    }
    let resolved = closure.with_parts(parts);
    match circle_in(&resolved.service.parts) {
        None => Ok(resolved),
        Some(code) => Err(Refusal::new(
            "MATTERS_COMPUTED",
            format!("按所填情形得出的事项互相等待,如 {code}"),
            format!("the matters that the answers lead to wait for each other, such as {code}"),
        )
        .at(["answers"])),
    }
}

/// Returns a matter that can never begin, because what it waits for waits for it.
fn circle_in(parts: &[Part]) -> Option<&MatterCode> {
    let mut open: Vec<&Part> = parts.iter().collect();
    loop {
        let codes: BTreeSet<&MatterCode> = open.iter().map(|part| &part.matter).collect();
        let waits = |part: &&Part| part.after.iter().any(|(earlier, _)| codes.contains(earlier));
        let left: Vec<&Part> = open.iter().copied().filter(waits).collect();
        if left.len() == open.len() {
            return left.first().map(|part| &part.matter);
        }
        open = left;
    }
}

/// Checks that the service is offered at a place.
pub fn check_offered(closure: &Closure, region: &RegionCode) -> Result<(), Refusal> {
    let service = &closure.service;
    if service.parts.len() > CASE_MATTERS_MAX {
        return Err(Refusal::new(
            "SERVICE_TOO_LARGE",
            format!("“{}”的事项超过 {CASE_MATTERS_MAX} 个", service.name),
            format!("{} has more than {CASE_MATTERS_MAX} matters", service.code),
        ));
    }
    if service.regions.iter().any(|offered| offered.covers(region)) {
        return Ok(());
    }
    let offered: Vec<&str> = service.regions.iter().map(RegionCode::as_str).collect();
    let offered = offered.join(", ");
    Err(Refusal::new(
        "SERVICE_NOT_OFFERED_HERE",
        format!("“{}”未在 {region} 开通,开通地区:{offered}", service.name),
        format!("{} is not offered at {region}; it is at {offered}", service.code),
    )
    .at(["region"]))
}

/// Checks that a draft can be submitted: every required answer, field and own material is there.
/// All that is missing is told at once (一次告知).
pub fn check_complete(closure: &Closure, case: &Case) -> Result<(), Refusal> {
    let started = &case.started;
    let selected = selection(started);
    let questions = &closure.service.questions;
    check_fields(questions, &started.answers, "answers", Completeness::Submitted)?;
    let form = form_of(closure, &selected);
    check_fields(&form, &case.form(), "form", Completeness::Submitted)?;
    let mut missing = Vec::new();
    for (part, matter) in included(closure, &selected) {
        for material in &matter.materials {
            let here = case.handed(&material.code).is_some();
            let later = material.sources.iter().any(|source| comes_by_itself(case, source));
            if !here && !later && !part.tolerates.contains(&material.code) {
                missing.push(format!("{}({})", material.name, material.code));
            }
        }
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join("、");
    Err(Refusal::new(
        "MATERIALS_INCOMPLETE",
        format!("还缺以下材料:{list}"),
        format!("these materials are missing: {list}"),
    )
    .at(["materials"]))
}

/// Tells whether a source may bring the material without the applicant. One that fails leaves
/// the upload, asked for at once.
fn comes_by_itself(case: &Case, source: &Source) -> bool {
    match source {
        Source::ResultOf(code) => {
            case.started.matters.iter().any(|planned| planned.code == *code && !planned.skipped)
        }
        Source::License(_) | Source::Data(_) | Source::Upload(_) | Source::Commitment => {
            let of = source.authorised_as();
            of.is_some_and(|of| case.consents.iter().any(|consent| consent.license == of))
        }
    }
}

fn selection(started: &CaseStarted) -> Vec<bool> {
    started.matters.iter().map(|matter| !matter.skipped).collect()
}

/// Checks fields that are to change in a case's form: each must be known and right.
pub fn check_form(closure: &Closure, started: &CaseStarted, fields: &Value) -> Result<(), Refusal> {
    let form = form_of(closure, &selection(started));
    check_fields(&form, fields, "fields", Completeness::Draft)
}

/// Returns the numbers of the matters that `part` comes after.
fn numbers_of(closure: &Closure, part: &Part) -> Vec<MatterNo> {
    let parts = (1..).map(MatterNo).zip(&closure.service.parts);
    parts
        .filter(|(_, other)| part.after.iter().any(|(code, _)| *code == other.matter))
        .map(|(no, _)| no)
        .collect()
}

fn check_party(party: &Party, path: &str) -> Result<(), Refusal> {
    if party.id.trim().is_empty() || party.name.trim().is_empty() {
        return Err(Refusal::new(
            "PARTY_INCOMPLETE",
            "须填写姓名(名称)和证件号码",
            "name and identifier are both needed",
        )
        .at([path]));
    }
    Ok(())
}

fn included<'a>(
    closure: &'a Closure,
    selected: &'a [bool],
) -> impl Iterator<Item = (&'a Part, &'a MatterDef)> {
    closure
        .service
        .parts
        .iter()
        .zip(selected)
        .filter(|(_, included)| **included)
        .map(|(part, _)| (part, &closure.matters[&part.matter]))
}

/// Returns the union of the included matters' fields, each asked once.
pub fn form_of(closure: &Closure, selected: &[bool]) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for (_, matter) in included(closure, selected) {
        for field in &matter.form {
            match fields.iter_mut().find(|known| known.name == field.name) {
                Some(known) => {
                    known.required |= field.required;
                    known.source = known.source.take().or_else(|| field.source.clone());
                }
                None => fields.push(field.clone()),
            }
        }
    }
    fields
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Completeness {
    /// What is there must be right.
    Draft,
    /// And nothing required may be missing.
    Submitted,
}

fn check_fields(
    fields: &[Field],
    data: &Value,
    path: &str,
    completeness: Completeness,
) -> Result<(), Refusal> {
    let empty = std::collections::BTreeMap::new();
    let members = match data {
        Value::Map(members) => members,
        Value::Null => &empty,
        Value::Bool(_) | Value::Int(_) | Value::Decimal(_) | Value::Text(_) | Value::List(_) => {
            return Err(Refusal::new("INVALID_INPUT", "应为对象", "must be an object").at([path]));
        }
    };
    for (name, value) in members {
        let Some(field) = fields.iter().find(|field| field.name == *name) else {
            return Err(unknown_field(fields, name).at([path, name]));
        };
        if !value.is_blank() {
            check_value(field, value).map_err(|refusal| refusal.at([path, name]))?;
        }
    }
    let missing = fields
        .iter()
        .filter(|field| field.required && members.get(&field.name).is_none_or(Value::is_blank));
    let missing: Vec<&Field> = missing.collect();
    match missing.first() {
        Some(first) if completeness == Completeness::Submitted => {
            let labels: Vec<&str> = missing.iter().map(|field| field.label.as_str()).collect();
            let names: Vec<&str> = missing.iter().map(|field| field.name.as_str()).collect();
            Err(Refusal::new(
                "FIELDS_MISSING",
                format!("还需填写:{}", labels.join("、")),
                format!("these fields are missing: {}", names.join(", ")),
            )
            .at([path, &first.name]))
        }
        Some(_) | None => Ok(()),
    }
}

fn unknown_field(fields: &[Field], name: &str) -> Refusal {
    let mut known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    known.sort_by_key(|candidate| distance(candidate, name));
    known.truncate(3);
    let nearest = known.join(", ");
    Refusal::new(
        "UNKNOWN_FIELD",
        format!("没有字段 {name},相近的有:{nearest}"),
        format!("there is no field {name}; near it are: {nearest}"),
    )
}

/// Counts the characters that differ by position; enough to put the likely name first.
fn distance(one: &str, other: &str) -> usize {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    one.chars().count().max(other.chars().count()) - same
}

fn wrong(field: &Field, zh: &str, en: &str) -> Refusal {
    Refusal::new("INVALID_FIELD", format!("“{}”{zh}", field.label), format!("{} {en}", field.name))
}

fn must_be(kind: &FieldKind) -> (&'static str, &'static str) {
    match kind {
        FieldKind::Text { .. } => ("须为文字", "must be text"),
        FieldKind::Number { .. } => ("须为数字", "must be a number"),
        FieldKind::YesNo => ("须为是或否", "must be true or false"),
        FieldKind::Date => ("须为日期 YYYY-MM-DD", "must be a date YYYY-MM-DD"),
        FieldKind::Choice(_) => ("须为所列选项之一", "must be one of the choices"),
        FieldKind::List { .. } => ("须为列表", "must be a list"),
    }
}

/// Checks the values of a list: so many, each right, each once.
fn check_list(
    field: &Field,
    (of, max): (&FieldKind, u32),
    values: &[Value],
) -> Result<(), Refusal> {
    if values.len() > max as usize {
        let (zh, en) = (format!("最多 {max} 项"), format!("takes at most {max} values"));
        return Err(wrong(field, &zh, &en));
    }
    let each = Field { kind: of.clone(), ..field.clone() };
    for (at, value) in values.iter().enumerate() {
        check_value(&each, value)?;
        if values[..at].contains(value) {
            return Err(wrong(field, "每项只能出现一次", "takes each value once"));
        }
    }
    Ok(())
}

/// Checks one value of a field.
pub fn check_value(field: &Field, value: &Value) -> Result<(), Refusal> {
    let wrong = |zh: String, en: String| Err(wrong(field, &zh, &en));
    match (&field.kind, value) {
        (FieldKind::Text { max }, Value::Text(text)) => {
            if text.chars().count() > *max as usize {
                return wrong(
                    format!("最多 {max} 个字"),
                    format!("takes at most {max} characters"),
                );
            }
        }
        (FieldKind::Number { above, at_most }, Value::Int(_) | Value::Decimal(_)) => {
            let number = match value {
                Value::Decimal(number) => *number,
                Value::Int(whole) => rust_decimal::Decimal::from(*whole),
                Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                    unreachable!("matched as a number")
                }
            };
            if let Some(bound) = above.filter(|bound| number <= *bound) {
                return wrong(format!("须大于 {bound}"), format!("must be above {bound}"));
            }
            if let Some(bound) = at_most.filter(|bound| number > *bound) {
                return wrong(format!("不得大于 {bound}"), format!("must be at most {bound}"));
            }
        }
        (FieldKind::YesNo, Value::Bool(_)) => {}
        (FieldKind::Date, Value::Text(text)) => {
            // The parser also takes times, and days without hyphens.
            if text.len() != DATE_BYTES || text.parse::<jiff::civil::Date>().is_err() {
                return wrong(
                    "须为日期 YYYY-MM-DD".to_owned(),
                    "must be a date YYYY-MM-DD".to_owned(),
                );
            }
        }
        (FieldKind::Choice(choices), Value::Text(text)) => {
            if !choices.contains(text) {
                let (zh, en) = (choices.join("、"), choices.join(", "));
                return wrong(format!("须为其中之一:{zh}"), format!("must be one of {en}"));
            }
        }
        (FieldKind::List { of, max }, Value::List(values)) => {
            return check_list(field, (of, *max), values);
        }
        (kind, _) => {
            let (zh, en) = must_be(kind);
            return wrong(zh.to_owned(), en.to_owned());
        }
    }
    Ok(())
}

fn check_materials(
    closure: &Closure,
    selected: &[bool],
    given: &[MaterialGiven],
) -> Result<(), Refusal> {
    for material in given {
        let mut known = included(closure, selected)
            .flat_map(|(_, matter)| &matter.materials)
            .filter(|required| required.code == material.code)
            .peekable();
        let asked = known.peek().is_some();
        let commits = matches!(material.form, crate::material::Form::Commitment { .. });
        if asked && commits && !known.any(|known| known.sources.contains(&Source::Commitment)) {
            return Err(Refusal::new(
                "NO_COMMITMENT",
                format!("材料 {} 不适用告知承诺", material.code),
                format!("{} cannot be replaced by a commitment", material.code),
            )
            .at(["materials", &material.code]));
        }
        if !asked {
            return Err(Refusal::new(
                "UNKNOWN_MATERIAL",
                format!("该办件不需要材料 {}", material.code),
                format!("no matter of this case asks for material {}", material.code),
            )
            .at(["materials", &material.code]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
