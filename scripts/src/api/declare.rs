//! The two declarations, `service(#{…})` and `matter(#{…})`, read into core's types.
//!
//! They work while a file is loaded and leave what they read in a thread-local slot; during a run
//! they do nothing. Every member is known by name: an unknown one is refused with the nearest.

use std::cell::RefCell;

use rhai::{Array, Dynamic, Engine, FnPtr, Map};
use tongban_core::definition::{
    DecidesIn, Field, Intake, Limits, MaterialDef, MatterDef, Regime, ServiceDef, Source,
};
use tongban_core::id::{DepartmentCode, MatterCode, RegionCode, ServiceCode};
use tongban_core::limits;
use tongban_core::time::Period;

use crate::api::field::{DeclaredField, DeclaredMaterial, DeclaredPart, DeclaredSource, texts};
use crate::api::time::period;
use crate::diagnose::Trouble;
use crate::suspend::{self, Thrown};

/// A declared service with the predicates of its parts.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredService {
    pub(crate) def: ServiceDef,
    pub(crate) whens: Vec<Option<FnPtr>>,
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

/// Takes the members of a declaration one by one.
struct Members {
    what: &'static str,
    map: Map,
}

impl Members {
    fn take<T: Clone + Send + Sync + 'static>(
        &mut self,
        name: &str,
        zh: &str,
        en: &str,
    ) -> Result<Option<T>, Thrown> {
        let Some(given) = self.map.remove(name).filter(|given| !given.is_unit()) else {
            return Ok(None);
        };
        let kind = given.type_name();
        given.try_cast::<T>().map(Some).ok_or_else(|| {
            Trouble::new(
                "DECLARATION",
                format!("{} 的 {name} 应为{zh}，而不是 {kind}", self.what),
                format!("{name} of {} must be {en}, not {kind}", self.what),
            )
            .thrown()
        })
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Thrown> {
        let text: Option<rhai::ImmutableString> = self.take(name, "文字", "a text")?;
        Ok(text.map(|text| text.to_string()))
    }

    fn needed(&mut self, name: &str) -> Result<String, Thrown> {
        let what = self.what;
        let text = self.text(name)?.filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| {
            Trouble::new(
                "DECLARATION",
                format!("{what} 缺少 {name}"),
                format!("{what} lacks {name}"),
            )
            .thrown()
        })
    }

    fn list<T: Clone + Send + Sync + 'static>(
        &mut self,
        name: &str,
        zh: &str,
        en: &str,
    ) -> Result<Vec<T>, Thrown> {
        let what = self.what;
        let list: Array = self.take(name, "列表", "a list")?.unwrap_or_default();
        list.into_iter()
            .map(|item| {
                let kind = item.type_name();
                item.try_cast::<T>().ok_or_else(|| {
                    Trouble::new(
                        "DECLARATION",
                        format!("{what} 的 {name} 只能含 {zh}，而不是 {kind}"),
                        format!("{name} of {what} holds {en}, not {kind}"),
                    )
                    .thrown()
                })
            })
            .collect()
    }

    fn fields(&mut self, name: &str) -> Result<Vec<Field>, Thrown> {
        let list: Vec<DeclaredField> =
            self.list(name, "field(…) 或 question(…)", "field(…) or question(…)")?;
        let fields: Vec<Field> = list.into_iter().map(|field| field.0).collect();
        unique(fields.iter().map(|field| field.name.as_str()), name)?;
        Ok(fields)
    }

    fn one_of<T: Copy>(
        &mut self,
        name: &str,
        known: &[(&'static str, T)],
    ) -> Result<Option<T>, Thrown> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let found = known.iter().find(|(code, _)| *code == text);
        found.map(|(_, value)| Some(*value)).ok_or_else(|| {
            Trouble::new(
                "DECLARATION",
                format!("{} 的 {name} 不能是 {text}", self.what),
                format!("{name} of {} cannot be {text}", self.what),
            )
            .advise_nearest(&text, known.iter().map(|(code, _)| *code))
            .thrown()
        })
    }

    /// Refuses members that nobody took.
    fn end(self, known: &[&str]) -> Result<(), Thrown> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(Trouble::new(
                "DECLARATION",
                format!("{} 没有成员 {name}", self.what),
                format!("{} has no member {name}", self.what),
            )
            .advise_nearest(name, known.iter().copied())
            .thrown()),
        }
    }
}

fn unique<'n>(names: impl Iterator<Item = &'n str>, what: &str) -> Result<(), Thrown> {
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

const SERVICE: [&str; 9] =
    ["code", "name", "name_en", "lead", "target", "regions", "promise", "questions", "matters"];

fn service(map: Map) -> Result<DeclaredService, Thrown> {
    let mut members = Members { what: "service", map };
    let parts: Vec<DeclaredPart> = members.list("matters", "part(…)", "part(…)")?;
    check_parts(&parts)?;
    let regions: Array = members.take("regions", "列表", "a list")?.unwrap_or_default();
    let promise = members.text("promise")?;
    let targets = [("person", "person"), ("enterprise", "enterprise"), ("project", "project")];
    let def = ServiceDef {
        code: ServiceCode::new(code(members.needed("code")?)?),
        name: members.needed("name")?,
        name_en: members.text("name_en")?.unwrap_or_default(),
        lead: DepartmentCode::new(members.needed("lead")?),
        target: members.one_of("target", &targets)?.unwrap_or("person").to_owned(),
        regions: texts(regions, "regions")?.into_iter().map(RegionCode::new).collect(),
        promise: promise.as_deref().map(period).transpose()?,
        questions: members.fields("questions")?,
        parts: parts.iter().map(|part| part.part.clone()).collect(),
    };
    members.end(&SERVICE)?;
    let whens = parts.into_iter().map(|part| part.when).collect();
    Ok(DeclaredService { def, whens })
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

const MATTER: [&str; 12] = [
    "code",
    "name",
    "name_en",
    "department",
    "regime",
    "basis",
    "intake",
    "decides_in",
    "limit",
    "form",
    "materials",
    "gives",
];

fn matter(map: Map) -> Result<MatterDef, Thrown> {
    let mut members = Members { what: "matter", map };
    let regimes = Regime::ALL.map(|(regime, code, _)| (code, regime));
    let intakes = [("window", Intake::Window), ("auto", Intake::Auto)];
    let places = [
        ("here", DecidesIn::Here),
        ("connector", DecidesIn::Connector),
        ("manual", DecidesIn::Manual),
    ];
    let def = MatterDef {
        code: MatterCode::new(code(members.needed("code")?)?),
        name: members.needed("name")?,
        name_en: members.text("name_en")?.unwrap_or_default(),
        department: DepartmentCode::new(members.needed("department")?),
        regime: members.one_of("regime", &regimes)?.unwrap_or(Regime::Licence),
        basis: members.text("basis")?.unwrap_or_default(),
        intake: members.one_of("intake", &intakes)?.unwrap_or(Intake::Window),
        decides_in: members.one_of("decides_in", &places)?.unwrap_or(DecidesIn::Here),
        limits: time_limits(&mut members)?,
        form: members.fields("form")?,
        materials: materials(&mut members)?,
        gives: gives(&mut members)?,
        procedure: tongban_core::law::Procedure::default(),
        fees: Vec::new(),
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

fn time_limits(members: &mut Members) -> Result<Limits, Thrown> {
    let map: Map = members.take("limit", "映射", "a map")?.unwrap_or_default();
    let mut limit = Members { what: "limit", map };
    let mut read = |name: &str| -> Result<Option<Period>, Thrown> {
        limit.text(name)?.as_deref().map(period).transpose()
    };
    let limits = Limits { statutory: read("statutory")?, promised: read("promised")? };
    limit.end(&["statutory", "promised"])?;
    Ok(limits)
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
