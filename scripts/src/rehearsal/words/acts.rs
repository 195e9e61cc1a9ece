//! Acts of the law that people ask for.
//!
//! `does(act, #{ … })` says any act by its code; the words for the frequent ones are the same
//! with less to write. Which matter is meant says `.on("code")`; a case of one needs none.

use rhai::{Engine, Map, NativeCallContext};
use tongban_core::command::{ActRequest, Came, Command};
use tongban_core::law::{ActKind, CorrectionList, Terms};
use tongban_core::value::Value;

use crate::diagnose::Trouble;
use crate::rehearsal::current::{Current, with};
use crate::suspend::Thrown;

use super::given::Given;
use super::meant;
use super::people::{Person, give, viewer};
use super::time::{moment, period};

const MEMBERS: [&str; 11] = [
    "ground",
    "number",
    "at",
    "evidence",
    "materials",
    "fields",
    "text",
    "limit",
    "served",
    "expected",
    "by",
];

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("does", |context: NativeCallContext<'_>, person: &mut Person, act: &str| {
            does(&context, person, act, Map::new())
        })
        .register_fn(
            "does",
            |context: NativeCallContext<'_>, person: &mut Person, act: &str, given: Map| {
                does(&context, person, act, given)
            },
        )
        .register_fn(
            "asks_correction",
            |context: NativeCallContext<'_>, person: &mut Person, list: Map| {
                does(&context, person, "ask_correction", list)
            },
        )
        .register_fn(
            "asks_correction",
            |context: NativeCallContext<'_>, person: &mut Person, matter: &str, list: Map| {
                let person = Person { on: Some(matter.to_owned()), ..person.clone() };
                does(&context, &person, "ask_correction", list)
            },
        )
        .register_fn("resumes", |context: NativeCallContext<'_>, person: &mut Person| {
            does(&context, person, "resume", Map::new())
        });
    let by_ground = [
        ("suspends", "suspend"),
        ("terminates", "terminate"),
        ("revokes", "revoke"),
        ("forwards_up", "forward_up"),
    ];
    for (word, act) in by_ground {
        engine.register_fn(
            word,
            move |context: NativeCallContext<'_>, person: &mut Person, ground: &str| {
                does(&context, person, act, Map::from([("ground".into(), ground.into())]))
            },
        );
    }
    engine.register_fn(
        "extends",
        |context: NativeCallContext<'_>, person: &mut Person, by: &str, reason: &str| {
            let given = [("by".into(), by.into()), ("ground".into(), reason.into())];
            does(&context, person, "extend", Map::from(given))
        },
    );
}

fn does(
    context: &NativeCallContext<'_>,
    person: &Person,
    act: &str,
    given: Map,
) -> Result<(), Thrown> {
    with(context, |current| {
        let kind = ActKind::parse(act).ok_or_else(|| {
            Trouble::new("UNKNOWN_ACT", format!("没有行为 {act}"), format!("there is no act {act}"))
                .advise_nearest(act, ActKind::ALL.iter().map(|(_, code, _)| *code))
        })?;
        let request = request(current, kind, given)?;
        let matter = meant(current, person.matter())?;
        let by = viewer(current, person)?;
        give(current, person, Command::Act { by, matter, act: request })
    })
}

fn request(current: &Current, kind: ActKind, given: Map) -> Result<ActRequest, Trouble> {
    let mut given = Given::new("does", given)?;
    let ground = given.text("ground")?.unwrap_or_default();
    let document_no = given.text("number")?.unwrap_or_default();
    let at = given.text("at")?.as_deref().map(moment).transpose()?;
    let evidence = given.text("evidence")?.unwrap_or_default();
    let terms = terms(current, kind, &mut given)?;
    given.end(&MEMBERS)?;
    let came = Came { at, evidence };
    Ok(ActRequest { document_no, terms, came, ..ActRequest::now(kind, ground) })
}

/// Reads what the law needs to know of an act. A correction counts as served at once unless
/// `served` is false.
fn terms(current: &Current, kind: ActKind, given: &mut Given) -> Result<Terms, Trouble> {
    let codes = |list: Option<Vec<Value>>| -> Vec<String> {
        let list = list.unwrap_or_default();
        list.iter().filter_map(Value::as_text).map(str::to_owned).collect()
    };
    if matches!(kind, ActKind::AskCorrection | ActKind::RebutAcceptance) {
        let is_served = given.take("served") != Some(Value::Bool(false));
        return Ok(Terms::Correction(CorrectionList {
            materials: codes(given.list("materials")?),
            fields: codes(given.list("fields")?),
            text: given.text("text")?.unwrap_or_default(),
            limit: given.text("limit")?.as_deref().map(period).transpose()?,
            served_at: is_served.then(|| current.scene.now()),
        }));
    }
    if kind == ActKind::Suspend {
        let expected = given.text("expected")?.as_deref().map(period).transpose()?;
        return Ok(Terms::Suspension { expected });
    }
    if kind == ActKind::Extend {
        let by = period(&given.needed("by")?)?;
        return Ok(Terms::Extension { by, approved_by: String::new() });
    }
    Ok(Terms::None)
}
