//! The application: `file`, `draft`, `file_refused`, and `file_matter` for a matter alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{Engine, Map, NativeCallContext};
use tongban_core::command::{Answer, Command, Refusal};
use tongban_core::definition::{Closure, MatterDef, Source};
use tongban_core::digest::Digest;
use tongban_core::entry::{Consent, Party};
use tongban_core::id::{MatterNo, RegionCode, ServiceCode};
use tongban_core::material::MaterialGiven;
use tongban_core::port::Script as _;
use tongban_core::rehearsal::{Said, SceneError};
use tongban_core::start::{self, StartCase};
use tongban_core::value::Value;

use crate::diagnose::Trouble;
use crate::rehearsal::alone::{self, Alone};
use crate::rehearsal::current::{Current, of_scene, refused, with};

use super::R;
use super::given::Given;
use super::people::applicant;

/// Who applies when a rehearsal names nobody: an enterprise that does not exist.
const APPLICANT: (&str, &str) = ("91420302MA4DEM010M", "示例建设有限公司");

const FILE: [&str; 9] = [
    "service",
    "region",
    "applicant",
    "agent",
    "answers",
    "form",
    "consents",
    "materials",
    "without",
];
const FILE_MATTER: [&str; 12] = [
    "matter",
    "region",
    "applicant",
    "agent",
    "answers",
    "form",
    "consents",
    "materials",
    "without",
    "results",
    "later",
    "tolerant",
];

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("file", |context: NativeCallContext<'_>, _: &mut R, given: Map| {
            with(&context, |current| {
                start(current, given)?.map_err(|refusal| refused(&refusal))?;
                submit(current)?.map_err(|refusal| refused(&refusal))
            })
        })
        .register_fn("draft", |context: NativeCallContext<'_>, _: &mut R, given: Map| {
            with(&context, |current| start(current, given)?.map_err(|refusal| refused(&refusal)))
        })
        .register_fn(
            "file_refused",
            |context: NativeCallContext<'_>, _: &mut R, code: &str, given: Map| {
                with(&context, |current| {
                    let answer = match start(current, given)? {
                        Ok(()) => submit(current)?,
                        Err(refusal) => Err(refusal),
                    };
                    super::people::expect_refusal(current, code, answer.err().as_ref())
                })
            },
        )
        .register_fn("file_matter", |context: NativeCallContext<'_>, _: &mut R, given: Map| {
            with(&context, |current| {
                file_matter(current, given)?.map_err(|refusal| refused(&refusal))
            })
        })
        .register_fn(
            "file_matter_refused",
            |context: NativeCallContext<'_>, _: &mut R, code: &str, given: Map| {
                with(&context, |current| {
                    let answer = file_matter(current, given)?;
                    super::people::expect_refusal(current, code, answer.err().as_ref())
                })
            },
        )
        .register_fn("result", |context: NativeCallContext<'_>, _: &mut R, earlier: &str| {
            with(&context, |current| result(current, earlier, None))
        })
        .register_fn(
            "result",
            |context: NativeCallContext<'_>, _: &mut R, earlier: &str, number: &str| {
                with(&context, |current| result(current, earlier, Some(Value::from(number))))
            },
        );
}

/// Starts the case of a service as a draft.
fn start(current: &mut Current, given: Map) -> Result<Result<(), Refusal>, Trouble> {
    let mut given = Given::new("file", given)?;
    let code = given.needed("service")?;
    let services = current.host.services();
    let known = services.iter().find(|closure| closure.service.code.as_str() == code);
    let closure = known.cloned().ok_or_else(|| {
        let codes = services.iter().map(|closure| closure.service.code.as_str());
        Trouble::new(
            "UNKNOWN_SERVICE",
            format!("没有服务 {code}"),
            format!("there is no service {code}"),
        )
        .advise_nearest(&code, codes)
    })?;
    let offered = closure.service.regions.first().map_or("", RegionCode::as_str).to_owned();
    let input = application(current, &mut given, &closure, &offered)?;
    given.end(&FILE)?;
    begin(current, closure, input)
}

fn begin(
    current: &mut Current,
    closure: Arc<Closure>,
    input: StartCase,
) -> Result<Result<(), Refusal>, Trouble> {
    match current.scene.start(closure, input) {
        Ok(()) => Ok(Ok(())),
        Err(SceneError::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(of_scene(&error)),
    }
}

fn submit(current: &mut Current) -> Result<Result<(), Refusal>, Trouble> {
    let by = applicant(current)?;
    let answer = current.scene.give(Command::Submit { by }).map_err(|error| of_scene(&error))?;
    Ok(match answer {
        Answer::Refused(refusal) => Err(refusal),
        Answer::Done | Answer::Acked(_) => Ok(()),
    })
}

/// Reads what every application has; `region` is where it is filed unless it says otherwise.
fn application(
    current: &Current,
    given: &mut Given,
    closure: &Arc<Closure>,
    region: &str,
) -> Result<StartCase, Trouble> {
    let region = given.text("region")?.unwrap_or_else(|| region.to_owned());
    let person = party(given, "applicant")?
        .unwrap_or_else(|| Party { id: APPLICANT.0.to_owned(), name: APPLICANT.1.to_owned() });
    let answers = given.take("answers").unwrap_or_else(Value::map);
    let chosen = start::choose(current.host.as_ref(), closure, &answers);
    let (closure, selected) = chosen.map_err(|error| of_scene(&error.into()))?;
    let consents: Vec<Consent> = codes(&given.list("consents")?.unwrap_or_default())
        .into_iter()
        .map(|license| Consent {
            license,
            holder: person.id.clone(),
            purpose: "*".to_owned(),
            text_version: "1".to_owned(),
        })
        .collect();
    let materials = materials(given, &consents, (&closure, &selected))?;
    let service = ServiceCode::new(closure.service.code.as_str());
    Ok(StartCase {
        agent: party(given, "agent")?,
        answers,
        form: given.take("form").unwrap_or_else(Value::map),
        materials,
        consents,
        ..StartCase::new(service, RegionCode::new(region), person)
    })
}

fn party(given: &mut Given, name: &str) -> Result<Option<Party>, Trouble> {
    let Some(members) = given.map(name)? else { return Ok(None) };
    let text = |member: &str| {
        members.get(member).and_then(Value::as_text).map(str::to_owned).unwrap_or_default()
    };
    Ok(Some(Party { id: text("id"), name: text("name") }))
}

/// Reads `materials`, a list of codes. Left out, it is everything that only the applicant can
/// bring (a license or record that he authorises comes by itself), but for what `without` names.
fn materials(
    given: &mut Given,
    consents: &[Consent],
    of: (&Closure, &[bool]),
) -> Result<Vec<MaterialGiven>, Trouble> {
    let listed = given.list("materials")?;
    let without = codes(&given.list("without")?.unwrap_or_default());
    let codes = match listed {
        Some(listed) => codes(&listed),
        None => own_materials(of, consents),
    };
    let wanted = codes.into_iter().filter(|code| !without.contains(code));
    Ok(wanted
        .map(|code| {
            let file_name = format!("{code}.pdf");
            MaterialGiven::file(&code, &file_name, Digest::of(file_name.as_bytes()))
        })
        .collect())
}

fn codes(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(Value::as_text).map(str::to_owned).collect()
}

/// Returns the materials of the selected matters that only the applicant can bring.
fn own_materials(of: (&Closure, &[bool]), consents: &[Consent]) -> Vec<String> {
    let (closure, selected) = of;
    let parts = closure.service.parts.iter().zip(selected).filter(|(_, included)| **included);
    let matters = parts.filter_map(|(part, _)| closure.matters.get(&part.matter));
    let own = |sources: &[Source]| {
        let uploaded = sources.iter().any(|source| matches!(source, Source::Upload(_)));
        let comes = |source: &Source| {
            let of = source.authorised_as();
            matches!(source, Source::ResultOf(_))
                || of.is_some_and(|of| consents.iter().any(|given| given.license == of))
        };
        uploaded && !sources.iter().any(comes)
    };
    let all = matters.flat_map(|def| &def.materials).filter(|material| own(&material.sources));
    let codes: BTreeSet<String> = all.map(|material| material.code.clone()).collect();
    codes.into_iter().collect()
}

fn file_matter(current: &mut Current, given: Map) -> Result<Result<(), Refusal>, Trouble> {
    let mut given = Given::new("file_matter", given)?;
    let code = given.needed("matter")?;
    let known = Arc::clone(&current.known);
    let Some((file, def)) = known.matters.get(&code) else {
        let codes = known.matters.keys().map(String::as_str);
        return Err(Trouble::new(
            "UNKNOWN_MATTER",
            format!("没有事项 {code}"),
            format!("there is no matter {code}"),
        )
        .advise_nearest(&code, codes));
    };
    let region = given.text("region")?.unwrap_or_else(|| "420300".to_owned());
    let answers = given.peek("answers").unwrap_or_else(Value::map);
    let (results, later) = earlier(&mut given, def)?;
    let tolerant: BTreeSet<String> =
        codes(&given.list("tolerant")?.unwrap_or_default()).into_iter().collect();
    check_materials(def, &tolerant)?;
    let stand_ins: BTreeSet<String> = results.keys().cloned().chain(later.clone()).collect();
    let alone = Alone { def, file, region: &region, answers: &answers, results, later, tolerant };
    let closure = alone::closure(&alone, &known, &current.host)?;
    let mut input = application(current, &mut given, &closure, &region)?;
    input.materials.retain(|material| !alone.tolerant.contains(&material.code));
    given.end(&FILE_MATTER)?;
    for (earlier, result) in &alone.results {
        grant(current, earlier, result.clone())?;
    }
    let stand_ins = (1..).map(MatterNo).take(stand_ins.len());
    current.hidden.extend(stand_ins);
    match begin(current, closure, input)? {
        Ok(()) => submit(current),
        refused @ Err(_) => Ok(refused),
    }
}

fn check_materials(def: &MatterDef, codes: &BTreeSet<String>) -> Result<(), Trouble> {
    let known = || def.materials.iter().map(|material| material.code.as_str());
    match codes.iter().find(|code| !known().any(|own| own == code.as_str())) {
        None => Ok(()),
        Some(strange) => Err(Trouble::new(
            "UNKNOWN_MATERIAL",
            format!("事项 {} 没有材料 {strange}", def.code),
            format!("matter {} has no material {strange}", def.code),
        )
        .advise_nearest(strange, known())),
    }
}

/// Reads the results of earlier matters, and which of them come later. Those that the matter
/// needs and nobody names come at once, under a number of their own.
fn earlier(
    given: &mut Given,
    def: &MatterDef,
) -> Result<(BTreeMap<String, Value>, BTreeSet<String>), Trouble> {
    let mut results = given.map("results")?.unwrap_or_default();
    let later: BTreeSet<String> =
        codes(&given.list("later")?.unwrap_or_default()).into_iter().collect();
    let needed = alone::earlier(def);
    if let Some(strange) = later.iter().find(|code| !needed.contains(*code)) {
        return Err(Trouble::new(
            "UNKNOWN_MATTER",
            format!("事项 {} 的材料不来自 {strange}", def.code),
            format!("no material of {} is the result of {strange}", def.code),
        )
        .advise_nearest(strange, needed.iter().map(String::as_str)));
    }
    for code in needed {
        if !later.contains(&code) && !results.contains_key(&code) {
            let number = Value::text(format!("示例〔{code}〕1号"));
            results.insert(code, number);
        }
    }
    Ok((results, later))
}

/// Lets the stand-in of an earlier matter grant.
fn grant(current: &mut Current, earlier: &str, result: Value) -> Result<(), Trouble> {
    let output =
        if matches!(result, Value::Map(_)) { result } else { Value::of([("number", result)]) };
    let what = current.known.completion("", Some(output));
    let conduct = vec![Said { what, after: None }];
    let operation = alone::operation(earlier);
    current.scene.instruct(&operation, vec![conduct]).map_err(|error| of_scene(&error))
}

/// The result of an earlier matter comes while the matter is handled.
fn result(current: &mut Current, earlier: &str, number: Option<Value>) -> Result<(), Trouble> {
    let case = current.case()?;
    let hidden = || case.matters.iter().filter(|matter| current.hidden.contains(&matter.no));
    if !hidden().any(|matter| matter.planned.code.as_str() == earlier) {
        let codes: Vec<String> = hidden().map(|matter| matter.planned.code.to_string()).collect();
        return Err(Trouble::new(
            "UNKNOWN_MATTER",
            format!("{earlier} 不是本次排练中的前置事项"),
            format!("{earlier} is no earlier matter of this rehearsal"),
        )
        .advise_nearest(earlier, codes.iter().map(String::as_str)));
    }
    let number = number.unwrap_or_else(|| Value::text(format!("示例〔{earlier}〕1号")));
    grant(current, earlier, number)
}
