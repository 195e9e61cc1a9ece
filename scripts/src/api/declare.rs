//! The two declarations, `service(#{…})` and `matter(#{…})`, read into core's types.
//!
//! They work while a file is loaded and leave what they read in a thread-local slot; during a run
//! they do nothing. Every member is known by name: an unknown one is refused with the nearest.

use std::cell::RefCell;

use rhai::{Array, Dynamic, Engine, FnPtr, INT, Map};
use tongban_core::definition::{
    DecidesIn, Field, Intake, MaterialDef, MatterDef, Regime, ServiceDef, Source,
};
use tongban_core::id::{DepartmentCode, MatterCode, RegionCode, ServiceCode};
use tongban_core::limits;

use crate::api::field::{DeclaredField, DeclaredMaterial, DeclaredPart, DeclaredSource, texts};
use crate::api::members::Members;
use crate::api::procedure;
use crate::api::time::period;
use crate::api::{API_LEVEL_FIRST, COMPUTED_SINCE};
use crate::diagnose::Trouble;
use crate::levels;
use crate::suspend::{self, Thrown};

/// A declared service with the predicates of its parts.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredService {
    pub(crate) def: ServiceDef,
    /// Level of the host functions that its scripts were written for.
    pub(crate) api_level: u32,
    pub(crate) whens: Vec<Option<FnPtr>>,
    /// What computes the set of matters from the answers, where it is not listed.
    pub(crate) computes: Option<FnPtr>,
}

/// What a file has declared.
#[derive(Clone, Debug)]
pub(crate) enum Declared {
    /// By `service(#{…})`.
    Service(Box<DeclaredService>),
    /// By `matter(#{…})`.
    Matter(Box<MatterDef>),
}

thread_local! {
    static DECLARED: RefCell<Vec<Declared>> = const { RefCell::new(Vec::new()) };
}

/// Takes what has been declared on this thread since the last time.
pub(crate) fn take() -> Vec<Declared> {
    DECLARED.take()
}

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("service", |members: Map| {
            declare(|| Ok(Declared::Service(Box::new(service(members)?))))
        })
        .register_fn("matter", |members: Map| {
            declare(|| Ok(Declared::Matter(Box::new(matter(members)?))))
        });
}

fn declare(read: impl FnOnce() -> Result<Declared, Thrown>) -> Result<(), Thrown> {
    if suspend::is_running() {
        return Ok(());
    }
    let declared = read()?;
    DECLARED.with_borrow_mut(|list| list.push(declared));
    Ok(())
}

pub(crate) fn unique<'n>(names: impl Iterator<Item = &'n str>, what: &str) -> Result<(), Thrown> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Trouble::new(
                "DECLARATION",
                format!("{what} 中 {name} 出现了两次"),
                format!("{name} stands twice in {what}"),
            )
            .thrown());
        }
    }
    Ok(())
}

const SERVICE: [&str; 10] = [
    "code",
    "name",
    "name_en",
    "lead",
    "target",
    "regions",
    "promise",
    "questions",
    "matters",
    "api_level",
];

fn service(map: Map) -> Result<DeclaredService, Thrown> {
    let mut members = Members::new("DECLARATION", "service", map);
    let (parts, computes) = matters(&mut members)?;
    let regions: Array = members.take("regions", "列表", "a list")?.unwrap_or_default();
    let promise = members.text("promise")?;
    let level: Option<INT> = members.take("api_level", "整数", "a whole number")?;
    let level = level.unwrap_or_else(|| INT::from(API_LEVEL_FIRST));
    let targets = [("person", "person"), ("enterprise", "enterprise"), ("project", "project")];
    let def = ServiceDef {
        code: ServiceCode::new(code(members.needed("code")?)?),
        name: members.needed("name")?,
        name_en: members.text("name_en")?.unwrap_or_default(),
        lead: DepartmentCode::new(members.needed("lead")?),
        target: members.one_of("target", &targets)?.unwrap_or("person").to_owned(),
        regions: texts(regions, "regions")?.into_iter().map(RegionCode::new).collect(),
        promise: promise.as_deref().map(period).transpose()?,
        questions: fields(&mut members, "questions")?,
        parts: parts.iter().map(|part| part.part.clone()).collect(),
        computed: computes.is_some(),
        // Known once the functions of the file are.
        on_partial: false,
    };
    members.end(&SERVICE)?;
    let whens = parts.into_iter().map(|part| part.when).collect();
    let api_level = levels::known(level).map_err(Trouble::thrown)?;
    if def.computed && api_level < COMPUTED_SINCE {
        return Err(Trouble::new(
            "API_LEVEL",
            "按情形得出事项需要更新的宿主函数级别",
            "computing the matters needs a newer level of the host functions",
        )
        .advise(
            format!("请声明 api_level: {COMPUTED_SINCE}。"),
            format!("declare api_level: {COMPUTED_SINCE}."),
        )
        .thrown());
    }
    Ok(DeclaredService { def, api_level, whens, computes })
}

/// Reads the list of parts, or the closure that computes them; what may come of it is read from
/// the text of the file.
fn matters(members: &mut Members) -> Result<(Vec<DeclaredPart>, Option<FnPtr>), Thrown> {
    let given: Option<Dynamic> = members.take("matters", "列表或闭包", "a list or a closure")?;
    let given = match given.map(Dynamic::try_cast_result::<FnPtr>) {
        Some(Ok(computes)) => return Ok((Vec::new(), Some(computes))),
        Some(Err(given)) => given,
        None => Dynamic::UNIT,
    };
    members.put("matters", given);
    let parts: Vec<DeclaredPart> = members.list("matters", "part(…)", "part(…)")?;
    check_parts(&parts)?;
    Ok((parts, None))
}

fn check_parts(parts: &[DeclaredPart]) -> Result<(), Thrown> {
    let codes = parts.iter().map(|part| part.part.matter.as_str());
    unique(codes, "matters")?;
    if parts.is_empty() || parts.len() > limits::CASE_MATTERS_MAX {
        return Err(Trouble::new(
            "DECLARATION",
            format!("service 需要 1 到 {} 个事项", limits::CASE_MATTERS_MAX),
            format!("a service has 1 to {} matters", limits::CASE_MATTERS_MAX),
        )
        .thrown());
    }
    Ok(())
}

const MATTER: [&str; 16] = [
    "code",
    "name",
    "name_en",
    "department",
    "regime",
    "basis",
    "intake",
    "decides_in",
    "limit",
    "suspends",
    "correction",
    "tolerance",
    "form",
    "materials",
    "fees",
    "gives",
];

fn matter(map: Map) -> Result<MatterDef, Thrown> {
    let mut members = Members::new("DECLARATION", "matter", map);
    let regimes = Regime::ALL.map(|(regime, code, _)| (code, regime));
    let intakes = [("window", Intake::Window), ("auto", Intake::Auto)];
    let places = [
        ("here", DecidesIn::Here),
        ("connector", DecidesIn::Connector),
        ("manual", DecidesIn::Manual),
    ];
    let (limits, procedure) = procedure::read(&mut members)?;
    let def = MatterDef {
        code: MatterCode::new(code(members.needed("code")?)?),
        name: members.needed("name")?,
        name_en: members.text("name_en")?.unwrap_or_default(),
        department: DepartmentCode::new(members.needed("department")?),
        regime: members.one_of("regime", &regimes)?.unwrap_or(Regime::Licence),
        basis: members.text("basis")?.unwrap_or_default(),
        intake: members.one_of("intake", &intakes)?.unwrap_or(Intake::Window),
        decides_in: members.one_of("decides_in", &places)?.unwrap_or(DecidesIn::Here),
        limits,
        form: fields(&mut members, "form")?,
        materials: materials(&mut members)?,
        gives: gives(&mut members)?,
        procedure,
        fees: procedure::fees(&mut members)?,
        // Known once the functions of the file are.
        advises: false,
    };
    members.end(&MATTER)?;
    Ok(def)
}

/// Codes are part of paths and ids: lower-case words with hyphens.
fn code(text: String) -> Result<String, Thrown> {
    let fits =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if text.len() <= 64 && text.chars().all(fits) {
        return Ok(text);
    }
    Err(Trouble::new(
        "DECLARATION",
        format!("code {text:?} 只能用小写字母、数字和连字符，最多 64 个"),
        format!("code {text:?} may only hold lower-case letters, digits and hyphens, at most 64"),
    )
    .thrown())
}

fn fields(members: &mut Members, name: &str) -> Result<Vec<Field>, Thrown> {
    let list: Vec<DeclaredField> =
        members.list(name, "field(…) 或 question(…)", "field(…) or question(…)")?;
    let fields: Vec<Field> = list.into_iter().map(|field| field.0).collect();
    unique(fields.iter().map(|field| field.name.as_str()), name)?;
    check_sources(&fields, name)?;
    Ok(fields)
}

/// A source is asked by another field of the same form, or by the applicant; an answer to a question
/// is given, never looked up.
fn check_sources(fields: &[Field], name: &str) -> Result<(), Thrown> {
    for field in fields {
        let Some(source) = &field.source else { continue };
        let own = |by: &&String| fields.iter().any(|other| other.name == **by);
        let strange = source.by.as_ref().filter(|by| **by == field.name || !own(by));
        if let Some(by) = strange {
            return Err(Trouble::new(
                "DECLARATION",
                format!("字段 {} 的来源按 {by} 查询，但本表单没有其他字段 {by}", field.name),
                format!(
                    "the source of {} is asked by {by}, which is no other field of the form",
                    field.name
                ),
            )
            .advise_nearest(by, fields.iter().map(|other| other.name.as_str()))
            .thrown());
        }
        if name == "questions" || source.path.trim().is_empty() {
            return Err(Trouble::new(
                "DECLARATION",
                format!("{} 不能预填：来源只用于 form 的字段，并须写明取哪个值", field.name),
                format!(
                    "{} cannot be filled: sources are for fields of a form, and name the value",
                    field.name
                ),
            )
            .thrown());
        }
    }
    Ok(())
}

fn materials(members: &mut Members) -> Result<Vec<MaterialDef>, Thrown> {
    let list: Vec<DeclaredMaterial> = members.list("materials", "material(…)", "material(…)")?;
    let materials: Vec<MaterialDef> = list.into_iter().map(|material| material.0).collect();
    unique(materials.iter().map(|one| one.code.as_str()), "materials")?;
    match materials.iter().find(|material| material.sources.is_empty()) {
        None => Ok(materials),
        Some(material) => Err(Trouble::new(
            "DECLARATION",
            format!("材料 {} 没有来源", material.code),
            format!("material {} has no source", material.code),
        )
        .advise(
            "请加 .from(upload(\"pdf\")) 或 .from(result_of(…)) 等。",
            "add .from(upload(\"pdf\")), .from(result_of(…)) or another source.",
        )
        .thrown()),
    }
}

fn gives(members: &mut Members) -> Result<Option<String>, Thrown> {
    let given: Option<Dynamic> = members.take("gives", "license(…)", "license(…)")?;
    let Some(given) = given else { return Ok(None) };
    match given.try_cast::<DeclaredSource>() {
        Some(DeclaredSource(Source::License(kind))) => Ok(Some(kind)),
        _ => Err(Trouble::new("DECLARATION", "gives 应为 license(…)", "gives must be license(…)")
            .thrown()),
    }
}
