//! A matter rehearsed by itself: a service of one matter is made around it.
//!
//! Matters whose results it needs are stood in for by small ones of the same code, which grant
//! what the rehearsal says. They are part of the case but not of the printed history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tongban_core::definition::{Closure, MatterDef, Source};
use tongban_core::port::Script as _;
use tongban_core::value::Value;

use crate::diagnose::Trouble;
use crate::host::Host;
use crate::sources::{Kind, Sources};

use super::current::both;
use super::known::Known;

const SERVICE: &str = "services/rehearsal.rhai";

/// What a rehearsal says about a matter by itself.
pub(crate) struct Alone<'a> {
    pub(crate) def: &'a MatterDef,
    pub(crate) file: &'a str,
    pub(crate) region: &'a str,
    pub(crate) answers: &'a Value,
    /// Results of earlier matters, by code.
    pub(crate) results: BTreeMap<String, Value>,
    /// Earlier matters whose results come while the matter is handled (容缺).
    pub(crate) later: BTreeSet<String>,
    /// Materials of the applicant's own that may come later (容缺).
    pub(crate) tolerant: BTreeSet<String>,
}

/// Returns the operation by which the stand-in of an earlier matter gets its result.
pub(crate) fn operation(earlier: &str) -> String {
    format!("rehearsal.{earlier}")
}

/// Returns the matters whose results are materials of `def`.
pub(crate) fn earlier(def: &MatterDef) -> BTreeSet<String> {
    let sources = def.materials.iter().flat_map(|material| &material.sources);
    sources
        .filter_map(|source| match source {
            Source::ResultOf(code) => Some(code.to_string()),
            Source::License(_) | Source::Data(_) | Source::Upload(_) | Source::Commitment => None,
        })
        .collect()
}

/// Makes the service around a matter and loads it into the host.
pub(crate) fn closure(
    alone: &Alone<'_>,
    known: &Known,
    host: &Host,
) -> Result<Arc<Closure>, Trouble> {
    let mut texts: BTreeMap<String, String> = known
        .sources
        .of_kind(Kind::Library)
        .map(|(file, text)| (file.to_owned(), text.to_owned()))
        .collect();
    let text = known.sources.0.get(alone.file).cloned().unwrap_or_default();
    texts.insert(alone.file.to_owned(), text);
    for code in alone.results.keys().chain(&alone.later) {
        let name = known.matters.get(code).map_or(code.as_str(), |(_, def)| def.name.as_str());
        texts.insert(format!("matters/rehearsal/{code}.rhai"), stand_in(code, name));
    }
    let level = known.level_of(alone.file);
    texts.insert(SERVICE.to_owned(), service(alone, level));
    let (blob, digest) = Sources(texts).keep(SERVICE, level);
    host.adopt(&digest, &blob).map_err(|fault| {
        let said = both(&fault.message);
        Trouble::new(
            "MATTER_ALONE",
            format!("无法单独排练事项 {}:{}", alone.def.code, said.zh),
            format!("matter {} cannot be rehearsed alone: {}", alone.def.code, said.en),
        )
    })?;
    host.closure(&digest)
        .ok_or_else(|| Trouble::new("MATTER_ALONE", "脚本未能加载", "the scripts were not loaded"))
}

fn stand_in(code: &str, name: &str) -> String {
    let operation = operation(code);
    format!(
        "matter(#{{ code: {code:?}, name: {name:?}, department: \"rehearsal\", regime: \"filing\", intake: \"auto\" }});\n\
         fn handle(m) {{ grant(ask({operation:?}, #{{}})) }}\n"
    )
}

fn service(alone: &Alone<'_>, level: u32) -> String {
    let def = alone.def;
    let questions = match alone.answers {
        Value::Map(answers) => {
            answers.iter().map(|(name, answer)| question(name, answer)).collect()
        }
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Text(_)
        | Value::List(_) => Vec::new(),
    };
    let before: Vec<String> = alone.results.keys().map(|code| format!("{code:?}")).collect();
    let owed = |source: &Source| matches!(source, Source::ResultOf(code) if alone.later.contains(code.as_str()));
    let tolerated = def.materials.iter().filter(|material| {
        alone.tolerant.contains(&material.code) || material.sources.iter().any(owed)
    });
    let tolerated: Vec<String> = tolerated.map(|material| format!("{:?}", material.code)).collect();
    let earlier = alone.results.keys().chain(&alone.later);
    let mut parts: Vec<String> = earlier.map(|code| format!("part({code:?})")).collect();
    let chained = |name: &str, codes: &[String]| match codes {
        [] => String::new(),
        codes => format!(".{name}({})", codes.join(", ")),
    };
    parts.push(format!(
        "part({:?}){}{}",
        def.code.as_str(),
        chained("after", &before),
        chained("tolerant", &tolerated)
    ));
    format!(
        "service(#{{ code: \"rehearsal\", name: {:?}, lead: {:?}, target: \"project\", regions: [{:?}], api_level: {level}, questions: [{}], matters: [{}] }});\n",
        def.name,
        def.department.as_str(),
        alone.region,
        questions.join(", "),
        parts.join(", ")
    )
}

fn question(name: &str, answer: &Value) -> String {
    let kind = match answer {
        Value::Bool(_) => "yes_no()",
        Value::Int(_) | Value::Decimal(_) => "number()",
        Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_) => "text(1000)",
    };
    format!("question({name:?}, {name:?}, {kind})")
}
