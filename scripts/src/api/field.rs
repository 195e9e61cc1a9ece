//! What declarations are made of: fields, materials, sources, parts. Plain values, no effects.

use std::str::FromStr as _;

use rhai::{Array, Dynamic, Engine, FnPtr, INT, ImmutableString};
use rust_decimal::Decimal;
use tongban_core::definition::{After, Field, FieldKind, MaterialDef, Part, Source};
use tongban_core::id::{MatterCode, RegionCode};
use tongban_core::limits;
use tongban_core::prefill::FieldSource;

use crate::diagnose::Trouble;
use crate::suspend::Thrown;

/// A field or question, with its kind.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredField(pub(crate) Field);

/// A kind of field, before it has a name.
#[derive(Clone, Debug)]
struct DeclaredKind(FieldKind);

/// A material with its sources.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredMaterial(pub(crate) MaterialDef);

/// One source of a material; `license(…)` also names what a matter gives.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredSource(pub(crate) Source);

/// A shared data resource and where in its output a field's value stands.
#[derive(Clone, Debug)]
struct DeclaredFieldSource(FieldSource);

/// A matter's place in a service.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredPart {
    pub(crate) part: Part,
    pub(crate) when: Option<FnPtr>,
}

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<DeclaredField>("field")
        .register_type_with_name::<DeclaredKind>("field kind")
        .register_type_with_name::<DeclaredMaterial>("material")
        .register_type_with_name::<DeclaredSource>("source")
        .register_type_with_name::<DeclaredPart>("part");
    kinds(engine);
    fields(engine);
    materials(engine);
    parts(engine);
}

/// What computes a set of matters needs: questions with several values, and parts that differ in
/// place and key.
pub(crate) fn register_computed(engine: &mut Engine) {
    engine
        .register_fn("list", |of: DeclaredKind| {
            listed(&of, LIST_MAX.try_into().unwrap_or(INT::MAX))
        })
        .register_fn("list", |of: DeclaredKind, max: INT| listed(&of, max))
        .register_fn("at", |mut part: DeclaredPart, place: &str| {
            part.part.place = Some(RegionCode::new(place));
            part
        })
        .register_fn("key", |mut part: DeclaredPart, key: &str| {
            let plain = key.chars().all(|letter| !letter.is_control());
            if key.is_empty() || key.chars().count() > KEY_MAX || !plain {
                let (zh, en) =
                    (format!("1 到 {KEY_MAX} 个字"), format!("1 to {KEY_MAX} characters"));
                return Err(bound("key", &zh, &en));
            }
            key.clone_into(&mut part.part.key);
            Ok(part)
        });
}

/// Most characters of a part's key, which stands in the name of its matter.
const KEY_MAX: usize = 32;

/// Most values of a list: as many as a case has matters.
const LIST_MAX: usize = limits::CASE_MATTERS_MAX;

fn listed(of: &DeclaredKind, max: INT) -> Result<DeclaredKind, Thrown> {
    let within = |max: &u32| (1..=LIST_MAX).contains(&(*max as usize));
    let max = u32::try_from(max).ok().filter(within);
    match (&of.0, max) {
        (FieldKind::List { .. }, _) => {
            Err(bound("list", "单个值的类型", "a kind of single values"))
        }
        (_, None) => {
            Err(bound("list", &format!("1 到 {LIST_MAX} 项"), &format!("1 to {LIST_MAX} values")))
        }
        (of, Some(max)) => Ok(DeclaredKind(FieldKind::List { of: Box::new(of.clone()), max })),
    }
}

fn kinds(engine: &mut Engine) {
    engine
        .register_fn("text", |max: INT| {
            let max = u32::try_from(max).ok().filter(|max| *max > 0);
            max.map(|max| DeclaredKind(FieldKind::Text { max }))
                .ok_or_else(|| bound("text", "正整数", "a positive whole number"))
        })
        .register_fn("number", || DeclaredKind(FieldKind::Number { above: None, at_most: None }))
        .register_fn("yes_no", || DeclaredKind(FieldKind::YesNo))
        .register_fn("date", || DeclaredKind(FieldKind::Date))
        .register_fn("choice", |values: Array| {
            let values = texts(values, "choice")?;
            Ok::<_, Thrown>(DeclaredKind(FieldKind::Choice(values)))
        })
        .register_fn("above", |kind: DeclaredKind, bound: Dynamic| {
            bounded(&kind, Some(&bound), None)
        })
        .register_fn("at_most", |kind: DeclaredKind, bound: Dynamic| {
            bounded(&kind, None, Some(&bound))
        });
    for count in 2..=8 {
        choices(engine, count);
    }
}

/// `choice("a", "b")` needs one overload for each number of values.
fn choices(engine: &mut Engine, count: usize) {
    let types = vec![std::any::TypeId::of::<ImmutableString>(); count];
    engine.register_raw_fn("choice", types, |_, args| {
        let values = args.iter().map(ToString::to_string).collect();
        Ok(DeclaredKind(FieldKind::Choice(values)))
    });
}

fn bounded(
    kind: &DeclaredKind,
    above: Option<&Dynamic>,
    at_most: Option<&Dynamic>,
) -> Result<DeclaredKind, Thrown> {
    let FieldKind::Number { above: lower, at_most: upper } = kind.0 else {
        return Err(bound("above、at_most", "number() 之后", "a number() before it"));
    };
    let read = |given: Option<&Dynamic>| given.map(decimal).transpose();
    Ok(DeclaredKind(FieldKind::Number {
        above: read(above)?.or(lower),
        at_most: read(at_most)?.or(upper),
    }))
}

fn decimal(given: &Dynamic) -> Result<Decimal, Thrown> {
    let text = given.to_string();
    Decimal::from_str(&text).map_err(|_| bound("above、at_most", "数字", "a number"))
}

fn bound(what: &str, zh: &str, en: &str) -> Thrown {
    Trouble::new("FIELD", format!("{what} 需要{zh}"), format!("{what} needs {en}")).thrown()
}

fn fields(engine: &mut Engine) {
    for name in ["field", "question"] {
        engine.register_fn(name, |name: &str, label: &str, kind: DeclaredKind| {
            DeclaredField(Field {
                name: name.to_owned(),
                label: label.to_owned(),
                label_en: String::new(),
                kind: kind.0,
                required: true,
                source: None,
            })
        });
    }
    engine
        .register_fn("optional", |mut field: DeclaredField| {
            field.0.required = false;
            field
        })
        .register_fn("label_en", |mut field: DeclaredField, label: &str| {
            label.clone_into(&mut field.0.label_en);
            field
        });
    field_sources(engine);
}

/// Member of a source's input that says whose record is wanted, when a field says nothing else.
const HOLDER: &str = "holder";

fn field_sources(engine: &mut Engine) {
    engine
        .register_type_with_name::<DeclaredFieldSource>("field source")
        .register_fn("data", |resource: &str, path: &str| {
            DeclaredFieldSource(FieldSource {
                resource: resource.to_owned(),
                path: path.to_owned(),
                member: HOLDER.to_owned(),
                by: None,
            })
        })
        .register_fn("by", |mut source: DeclaredFieldSource, member: &str| {
            member.clone_into(&mut source.0.member);
            source
        })
        .register_fn("by", |mut source: DeclaredFieldSource, member: &str, field: &str| {
            member.clone_into(&mut source.0.member);
            source.0.by = Some(field.to_owned());
            source
        })
        .register_fn("from", |mut field: DeclaredField, source: DeclaredFieldSource| {
            field.0.source = Some(source.0);
            field
        });
}

fn materials(engine: &mut Engine) {
    engine
        .register_fn("material", |code: &str, name: &str| {
            DeclaredMaterial(MaterialDef {
                code: code.to_owned(),
                name: name.to_owned(),
                sources: Vec::new(),
            })
        })
        .register_fn("result_of", |matter: &str| {
            DeclaredSource(Source::ResultOf(MatterCode::new(matter)))
        })
        .register_fn("license", |kind: &str| DeclaredSource(Source::License(kind.to_owned())))
        .register_fn("data", |resource: &str| DeclaredSource(Source::Data(resource.to_owned())))
        .register_fn("commitment", || DeclaredSource(Source::Commitment));
    for count in 1..=6 {
        let types = vec![std::any::TypeId::of::<ImmutableString>(); count];
        engine.register_raw_fn("upload", types, |_, args| {
            let kinds = args.iter().map(ToString::to_string).collect();
            Ok(DeclaredSource(Source::Upload(kinds)))
        });
    }
    for name in ["from", "or"] {
        engine.register_fn(name, |mut material: DeclaredMaterial, source: DeclaredSource| {
            material.0.sources.push(source.0);
            material
        });
    }
}

fn parts(engine: &mut Engine) {
    engine
        .register_fn("part", |code: &str| DeclaredPart {
            part: Part::new(MatterCode::new(code)),
            when: None,
        })
        .register_fn("when", |mut part: DeclaredPart, predicate: FnPtr| {
            part.part.conditional = true;
            part.when = Some(predicate);
            part
        });
    for (name, after) in [
        ("after", After::Granted),
        ("after_end", After::Ended),
        ("after_accepted", After::Accepted),
    ] {
        part_method(engine, name, move |part, code| {
            part.after.push((MatterCode::new(code), after));
        });
    }
    part_method(engine, "tolerant", |part, code| part.tolerates.push(code));
}

/// Registers a method of a part that takes one to eight codes, or a list of them.
fn part_method(
    engine: &mut Engine,
    name: &'static str,
    add: impl Fn(&mut Part, String) + Clone + Send + Sync + 'static,
) {
    for count in 1..=8 {
        let mut types = vec![std::any::TypeId::of::<DeclaredPart>()];
        types.resize(count + 1, std::any::TypeId::of::<ImmutableString>());
        let add = add.clone();
        engine.register_raw_fn(name, types, move |_, args| {
            let mut part = args[0].take().cast::<DeclaredPart>();
            for code in &args[1..] {
                add(&mut part.part, code.to_string());
            }
            Ok(part)
        });
    }
    engine.register_fn(name, move |mut part: DeclaredPart, codes: Array| {
        for code in texts(codes, name)? {
            add(&mut part.part, code);
        }
        Ok::<_, Thrown>(part)
    });
}

/// Reads a list of texts.
pub(crate) fn texts(list: Array, what: &str) -> Result<Vec<String>, Thrown> {
    list.into_iter()
        .map(|item| {
            item.into_string().map_err(|kind| {
                Trouble::new(
                    "DECLARATION",
                    format!("{what} 的列表只能含文字，而不是 {kind}"),
                    format!("the list of {what} holds texts, not {kind}"),
                )
                .thrown()
            })
        })
        .collect()
}
