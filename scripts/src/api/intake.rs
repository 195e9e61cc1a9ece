//! What `fn intake(m)` returns: `accept()`, `correct(#{…})` or `not_accept(ground, reason)`.
//!
//! Each is an advice to those who accept, never an act. A list names only what the matter has, and
//! a ground is one of the enumerated ones; both are looked at here, so that a clerk is never shown
//! an advice that he could not follow.

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext};
use tongban_core::law::{CorrectionList, NOT_ACCEPT_GROUNDS};
use tongban_core::recommend::Recommendation;

use crate::api::field::texts;
use crate::api::members::Members;
use crate::diagnose::Trouble;
use crate::suspend::{Thrown, with};

/// The functions whose results `intake` returns.
pub(crate) const ADVICES: [&str; 3] = ["accept", "correct", "not_accept"];

/// Every member of the map that `correct` takes.
pub(crate) const MEMBERS: [&str; 4] = ["materials", "fields", "text", "limit"];

/// An advice, on its way out of the script.
#[derive(Clone, Debug)]
pub(crate) struct Advised(Recommendation);

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Advised>("advice")
        .register_fn("accept", || Advised(Recommendation::Accept))
        .register_fn("correct", |context: NativeCallContext<'_>, list: Map| correct(&context, list))
        .register_fn("not_accept", |ground: &str, reason: &str| not_accept(ground, reason));
}

/// Reads what `intake` returned.
pub(crate) fn advice(returned: &Dynamic) -> Result<Recommendation, Trouble> {
    match returned.read_lock::<Advised>() {
        Some(advised) => Ok(advised.0.clone()),
        None => Err(Trouble::new(
            "INTAKE_RESULT",
            format!("intake 应返回建议，而不是 {}", returned.type_name()),
            format!("intake returns an advice, not {}", returned.type_name()),
        )
        .advise(
            "请以 accept()、correct(#{…}) 或 not_accept(理由代码, 说明) 结束每一条路径。",
            "end every path with accept(), correct(#{…}) or not_accept(ground, reason).",
        )),
    }
}

fn correct(context: &NativeCallContext<'_>, list: Map) -> Result<Advised, Thrown> {
    let mut given = Members::new("CORRECT", "correct", list);
    let mut names = |name| -> Result<Vec<String>, Thrown> {
        let list: Array = given.take(name, "列表", "a list")?.unwrap_or_default();
        texts(list, name)
    };
    let (materials, fields) = (names("materials")?, names("fields")?);
    let (text, limit) = (given.needed("text")?, given.period("limit")?);
    given.end(&MEMBERS)?;
    let def = with(context, |run| Ok(std::sync::Arc::clone(&run.def)))?;
    let codes: Vec<&str> = def.materials.iter().map(|one| one.code.as_str()).collect();
    let known: Vec<&str> = def.form.iter().map(|field| field.name.as_str()).collect();
    for (what, listed, known) in [("材料", &materials, &codes), ("字段", &fields, &known)] {
        if let Some(strange) = listed.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(unlisted(what, strange, known).thrown());
        }
    }
    if materials.is_empty() && fields.is_empty() {
        return Err(Trouble::new(
            "CORRECT",
            "correct 须列明 materials 或 fields",
            "correct names materials or fields",
        )
        .thrown());
    }
    let list = CorrectionList { materials, fields, text, limit, served_at: None };
    Ok(Advised(Recommendation::Correct(list)))
}

/// Says that a correction names what the matter does not have.
pub(crate) fn unlisted(what: &str, name: &str, known: &[&str]) -> Trouble {
    let en = if what == "材料" { "material" } else { "field" };
    Trouble::new(
        "CORRECT",
        format!("本事项没有{what} {name}"),
        format!("the matter has no {en} {name}"),
    )
    .advise_nearest(name, known.iter().copied())
}

fn not_accept(ground: &str, reason: &str) -> Result<Advised, Thrown> {
    if !NOT_ACCEPT_GROUNDS.iter().any(|(known, _)| *known == ground) {
        return Err(unknown_ground(ground).thrown());
    }
    if reason.trim().is_empty() {
        return Err(Trouble::new(
            "NOT_ACCEPT",
            "not_accept 须说明理由",
            "not_accept needs its reason in words",
        )
        .thrown());
    }
    let (ground, reason) = (ground.to_owned(), reason.to_owned());
    Ok(Advised(Recommendation::NotAccept { ground, reason }))
}

/// Says that a ground is none of the enumerated ones.
pub(crate) fn unknown_ground(ground: &str) -> Trouble {
    let known = NOT_ACCEPT_GROUNDS.map(|(code, _)| code);
    Trouble::new(
        "NOT_ACCEPT",
        format!("{ground} 不是不予受理的法定理由"),
        format!("{ground} is no ground of a refusal to accept"),
    )
    .advise(
        format!("可用：{}；不符合条件的应先受理，再不予许可。", known.join("、")),
        format!(
            "grounds are {}; what does not meet the conditions is accepted, then denied.",
            known.join(", ")
        ),
    )
}
