//! The committed schema, and its descriptions.

use std::path::Path;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, ServiceDocument, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};

const BUILT_IN: [&str; 5] = ["ID", "Int", "Float", "String", "Boolean"];

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let sdl = crate::sdl();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &sdl).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == sdl,
        "graphql/schema.graphql is stale; run this test with UPDATE_SCHEMA=1"
    );
}

/// Describes every part of the schema by its path.
fn described() -> Vec<(String, Option<String>)> {
    let document: ServiceDocument = parse_schema(crate::sdl()).unwrap();
    let mut all = Vec::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(found) = definition else { continue };
        let found = found.node;
        let name = found.name.node.to_string();
        if BUILT_IN.contains(&name.as_str()) {
            continue;
        }
        all.push((name.clone(), text(found.description.as_ref())));
        match found.kind {
            TypeKind::Object(object) => fields(&name, &object.fields, &mut all),
            TypeKind::Interface(interface) => fields(&name, &interface.fields, &mut all),
            TypeKind::InputObject(input) => values(&name, &input.fields, &mut all),
            TypeKind::Enum(names) => {
                for value in names.values {
                    let path = format!("{name}.{}", value.node.value.node);
                    all.push((path, text(value.node.description.as_ref())));
                }
            }
            TypeKind::Union(_) | TypeKind::Scalar => {}
        }
    }
    all
}

fn fields(
    owner: &str,
    fields: &[Positioned<FieldDefinition>],
    all: &mut Vec<(String, Option<String>)>,
) {
    for field in fields {
        let path = path(owner, &field.node.name.node);
        all.push((path.clone(), text(field.node.description.as_ref())));
        values(&path, &field.node.arguments, all);
    }
}

fn values(
    owner: &str,
    values: &[Positioned<InputValueDefinition>],
    all: &mut Vec<(String, Option<String>)>,
) {
    for value in values {
        let path = path(owner, &value.node.name.node);
        all.push((path, text(value.node.description.as_ref())));
    }
}

fn path(owner: &str, name: &Name) -> String {
    format!("{owner}.{name}")
}

fn text(description: Option<&Positioned<String>>) -> Option<String> {
    description.map(|description| description.node.clone())
}

#[test]
fn everything_is_described_in_chinese_and_then_in_english() {
    let all = described();
    assert!(all.len() > 200, "the walk finds the schema: {}", all.len());
    for (path, description) in all {
        let description = description.unwrap_or_default();
        let (zh, en) = description.split_once(" / ").unwrap_or_default();
        let is_chinese = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
        assert!(zh.contains(is_chinese), "{path}: {description:?}");
        assert!(
            en.contains(|letter: char| letter.is_ascii_alphabetic()),
            "{path}: {description:?}"
        );
        assert!(!en.contains(is_chinese), "{path}: {description:?}");
    }
}

#[test]
fn nothing_public_is_a_head_or_a_clear_identifier() {
    let sdl = crate::sdl();
    for word in ["\thead:", "idNumber", "queryCode", "Float"] {
        assert!(!sdl.contains(word), "{word}");
    }
}
