//! `m`: what a script may see of its case, as of the newest entry that it has consumed.
//!
//! The value in the script is empty; each member is read from the run when it is used, so that
//! results of earlier matters appear where the journal says they arrived.

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext};
use tongban_core::case::MatterResult;
use tongban_core::entry::Party;
use tongban_core::id::MatterNo;
use tongban_core::material::Found;
use tongban_core::value::Value;

use crate::api::outcome::unknown;
use crate::convert::to_script;
use crate::suspend::{Current, Thrown, with};

/// The host object `m`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MatterView;

/// Reads one member of `m`.
type Member = fn(&Current) -> Dynamic;

/// Every member of `m`.
const MEMBERS: [(&str, Member); 11] = [
    ("form", form),
    ("answers", answers),
    ("applicant", applicant),
    ("agent", agent),
    ("region", region),
    ("place", place),
    ("key", key),
    ("case_no", case_no),
    ("materials", materials),
    ("missing", missing),
    ("results", results),
];

/// Returns the names of the members.
pub(crate) fn members() -> impl Iterator<Item = &'static str> {
    MEMBERS.iter().map(|(name, _)| *name)
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<MatterView>("m");
    for (name, read) in MEMBERS {
        engine.register_get(
            name,
            move |context: NativeCallContext<'_>, _: &mut MatterView| -> Result<Dynamic, Thrown> {
                with(&context, |run| Ok(read(run)))
            },
        );
    }
    engine.register_indexer_get(|_: &mut MatterView, name: &str| {
        unknown(name, "m", "m", &members().collect::<Vec<_>>())
    });
}

/// Picks the declared names; what was left open is `()`, what is not declared does not exist.
fn picked<'n>(data: &Value, names: impl Iterator<Item = &'n str>) -> Dynamic {
    names
        .map(|name| (name.into(), data.get(name).map_or(Dynamic::UNIT, to_script)))
        .collect::<Map>()
        .into()
}

fn form(run: &Current) -> Dynamic {
    let declared = run.def.form.iter().map(|field| field.name.as_str());
    picked(&run.replay.form(), declared)
}

fn answers(run: &Current) -> Dynamic {
    let asked = run.questions.iter().map(String::as_str);
    picked(&run.replay.case().started.answers, asked)
}

fn party(party: &Party) -> Dynamic {
    to_script(&Value::of([
        ("id", Value::from(party.id.as_str())),
        ("name", Value::from(party.name.as_str())),
    ]))
}

fn applicant(run: &Current) -> Dynamic {
    party(&run.replay.case().started.applicant)
}

fn agent(run: &Current) -> Dynamic {
    let agent = run.replay.case().started.agent.as_ref();
    agent.map_or(Dynamic::UNIT, party)
}

fn region(run: &Current) -> Dynamic {
    run.replay.case().started.region.as_str().into()
}

/// Where the matter is decided.
fn place(run: &Current) -> Dynamic {
    run.replay.case().place_of(run.replay.matter().no).as_str().into()
}

/// What tells the matter from its like in the same case.
fn key(run: &Current) -> Dynamic {
    let part = run.replay.matter().planned.computed.as_deref();
    part.map_or_else(String::new, |part| part.key.clone()).into()
}

fn case_no(run: &Current) -> Dynamic {
    run.replay.case().started.number.as_str().into()
}

fn materials(run: &Current) -> Dynamic {
    let owed = run.replay.owed();
    run.replay
        .materials()
        .map(|(code, how)| {
            let shown = if let Found::Owed { from: Some(no) } = how
                && !owed.contains(&code)
            {
                came(run, *no)
            } else {
                material(how)
            };
            (code.into(), to_script(&shown))
        })
        .collect::<Map>()
        .into()
}

fn shown(how: &str, name: &str, what: String) -> Value {
    Value::of([("how", Value::from(how)), (name, Value::from(what))])
}

fn material(how: &Found) -> Value {
    match how {
        Found::ResultOf { number, .. } => shown("result", "number", number.clone()),
        Found::Given { digest } => shown("given", "digest", digest.to_string()),
        Found::Owed { .. } => shown("owed", "number", String::new()),
        Found::Missing | Found::Asked { .. } => shown("missing", "number", String::new()),
        Found::License { number, .. } => shown("license", "number", number.clone()),
        Found::Data { digest, .. } => shown("data", "digest", digest.to_string()),
        Found::Committed { text_version } => shown("commitment", "text", text_version.clone()),
    }
}

/// An owed material that has come since: the result of an earlier matter.
fn came(run: &Current, from: MatterNo) -> Value {
    let earlier = run.replay.case().matter(from);
    let result = earlier.and_then(|earlier| earlier.result.as_ref());
    let number = result.map_or_else(String::new, |result| result.number.clone());
    shown("result", "number", number)
}

fn missing(run: &Current) -> Dynamic {
    let owed = run.replay.owed();
    run.replay
        .materials()
        .filter(|(code, how)| owed.contains(code) || matches!(how, Found::Missing))
        .map(|(code, _)| Dynamic::from(code.to_owned()))
        .collect::<Array>()
        .into()
}

/// Results by matter; of a matter that came several times, by its key within.
fn results(run: &Current) -> Dynamic {
    let mut all = Map::new();
    for (earlier, result) in run.replay.results() {
        let shown = shown_result(result);
        let code = earlier.planned.code.as_str();
        match earlier.planned.computed.as_deref().map(|part| part.key.as_str()) {
            None | Some("") => {
                all.insert(code.into(), shown);
            }
            Some(key) => {
                let of_code = all.entry(code.into()).or_insert_with(|| Map::new().into());
                if let Some(mut by_key) = of_code.write_lock::<Map>() {
                    by_key.insert(key.into(), shown);
                }
            }
        }
    }
    all.into()
}

fn shown_result(result: &MatterResult) -> Dynamic {
    let mut fields = match &result.fields {
        Value::Map(fields) => fields.clone(),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Text(_)
        | Value::List(_) => std::collections::BTreeMap::new(),
    };
    fields.insert("number".to_owned(), Value::from(result.number.as_str()));
    to_script(&Value::Map(fields))
}
