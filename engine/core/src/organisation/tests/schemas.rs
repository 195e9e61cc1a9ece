//! The published schemas say what the types say, in words that our check knows.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::super::agreements::AgreementsDocument;
use super::super::bindings::BindingsDocument;
use super::super::card_rules::CardRulesDocument;
use super::super::change::changes;
use super::super::directory::{Duty, OrganisationDocument};
use super::super::{DocumentKind, schema};
use super::Set;
use crate::calendar::CalendarDocument;

/// Keywords that the check carries out, and those that only tell people something.
const KEYWORDS: [&str; 21] = [
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "title",
    "description",
    "type",
    "const",
    "enum",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "uniqueItems",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "maxLength",
    "pattern",
    "format",
];
const NUMBERS: [&str; 2] = ["minimum", "maximum"];

fn parsed(kind: DocumentKind) -> Json {
    serde_json::from_str(schema::text(kind)).unwrap()
}

/// Visits every schema inside of a schema.
fn visit(schema: &Json, look: &mut impl FnMut(&Json)) {
    look(schema);
    for name in ["properties", "$defs"] {
        let members = schema.get(name).and_then(Json::as_object).into_iter().flatten();
        members.for_each(|(_, inside)| visit(inside, look));
    }
    if let Some(items) = schema.get("items") {
        visit(items, look);
    }
}

#[test]
fn schemas_use_only_what_the_check_knows() {
    for kind in DocumentKind::ALL {
        let root = parsed(kind);
        visit(&root, &mut |schema| {
            for (keyword, value) in schema.as_object().unwrap() {
                let known =
                    KEYWORDS.contains(&keyword.as_str()) || NUMBERS.contains(&keyword.as_str());
                assert!(known, "{kind}: {keyword}");
                let text = value.as_str().unwrap_or_default();
                match keyword.as_str() {
                    "$ref" => assert!(root.pointer(&text[1..]).is_some(), "{kind}: {text}"),
                    "pattern" => {
                        regex::Regex::new(text).unwrap();
                        let told = schema.get("description").and_then(Json::as_str);
                        assert!(told.is_some_and(|told| told.contains(" / ")), "{kind}: {text}");
                    }
                    "format" => assert_eq!(text, "date"),
                    "additionalProperties" => assert_eq!(value, false),
                    "type" => assert!(["object", "array", "string", "integer"].contains(&text)),
                    _ => {}
                }
            }
            if schema.get("properties").is_some() {
                assert_eq!(schema["additionalProperties"], false, "{kind}");
            }
        });
    }
}

fn reads_back<D: DeserializeOwned + Serialize>(document: &Json) {
    let read: D = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), *document);
}

#[test]
fn types_hold_every_member_of_a_whole_document() {
    reads_back::<OrganisationDocument>(&super::organisation());
    reads_back::<BindingsDocument>(&super::bindings());
    reads_back::<AgreementsDocument>(&super::agreements());
    reads_back::<CalendarDocument>(&super::calendar());
    reads_back::<CardRulesDocument>(&super::card_rules());
}

fn members(json: &Json, names: &mut BTreeSet<String>) {
    match json {
        Json::Object(members_of) => {
            for (name, value) in members_of {
                names.insert(name.clone());
                members(value, names);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| members(item, names)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[test]
fn whole_documents_have_every_member_of_their_schema() {
    let set = Set::whole();
    for (kind, (_, document)) in DocumentKind::ALL.into_iter().zip(&set.0) {
        let mut used = BTreeSet::new();
        members(document, &mut used);
        visit(&parsed(kind), &mut |schema| {
            let properties = schema.get("properties").and_then(Json::as_object);
            for name in properties.into_iter().flatten().map(|(name, _)| name) {
                assert!(used.contains(name), "{kind}: no example of {name}");
            }
        });
        assert!(schema::check(kind, document).is_empty(), "{kind}");
    }
}

#[test]
fn every_duty_stands_in_the_schema() {
    let root = parsed(DocumentKind::Organisation);
    let known = root.pointer("/$defs/roleEntry/properties/may/items/enum").unwrap();
    let known: Vec<&str> = known.as_array().unwrap().iter().filter_map(Json::as_str).collect();
    assert_eq!(known, Duty::ALL.map(Duty::code));
    for duty in Duty::ALL {
        assert_eq!(serde_json::to_value(duty).unwrap(), duty.code());
    }
}

#[test]
fn the_shipped_card_rules_pass_their_schema() {
    let shipped: Json = serde_json::from_str(CardRulesDocument::shipped_text()).unwrap();
    assert_eq!(schema::check(DocumentKind::CardRules, &shipped), []);
}

#[test]
fn a_new_version_tells_what_it_changes() {
    let before = super::organisation();
    let mut after = before.clone();
    after["people"][0]["name"] = Json::from("示例甲甲");
    after["people"].as_array_mut().unwrap().remove(2);
    after["offices"][2]["place"] = Json::from("420302");
    let (before, after) = (before.to_string(), after.to_string());
    let found = changes(DocumentKind::Organisation, Some(before.as_bytes()), after.as_bytes());
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].list, found[0].added.as_slice()),
        ("offices", &["data@420302".to_owned()][..])
    );
    assert_eq!(found[0].removed, ["data@420300"]);
    assert_eq!((found[1].list, found[1].changed.as_slice()), ("people", &["one".to_owned()][..]));
    assert_eq!(found[1].removed, ["three"]);
    let first = changes(DocumentKind::Organisation, None, after.as_bytes());
    assert_eq!(first.iter().map(|one| one.added.len()).sum::<usize>(), 1 + 3 + 5 + 4 + 1);
    assert_eq!(changes(DocumentKind::Organisation, Some(after.as_bytes()), after.as_bytes()), []);
}
