//! The published schemas (JSON Schema 2020-12), and the check of a document against its own.
//!
//! Reading a document begins here, so that a schema refuses exactly what the loader refuses
//! wherever a schema can say it. The check knows the keywords that our schemas use; a test holds
//! that they use no others. `description` beside a `pattern` is what a person is told.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::finding::Fault;
use super::kind::DocumentKind;

/// Returns the published schema of a kind.
pub fn text(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Organisation => {
            include_str!("../../data/schemas/organisation.schema.json")
        }
        DocumentKind::Bindings => include_str!("../../data/schemas/bindings.schema.json"),
        DocumentKind::Agreements => include_str!("../../data/schemas/agreements.schema.json"),
        DocumentKind::Calendar => include_str!("../../data/schemas/calendar.schema.json"),
        DocumentKind::CardRules => include_str!("../../data/schemas/card-rules.schema.json"),
    }
}

/// A schema that was read, with its patterns.
struct Compiled {
    root: Json,
    patterns: BTreeMap<String, Regex>,
}

static SCHEMAS: LazyLock<BTreeMap<DocumentKind, Compiled>> =
    LazyLock::new(|| DocumentKind::ALL.map(|kind| (kind, Compiled::of(kind))).into());

impl Compiled {
    fn of(kind: DocumentKind) -> Self {
        let root = serde_json::from_str(text(kind)).expect("the published schemas are tested");
        let mut patterns = BTreeMap::new();
        compile(&root, &mut patterns);
        Self { root, patterns }
    }
}

/// Compiles every pattern inside of a schema.
fn compile(json: &Json, patterns: &mut BTreeMap<String, Regex>) {
    match json {
        Json::Object(members) => {
            if let Some(pattern) = members.get("pattern").and_then(Json::as_str) {
                let compiled = Regex::new(pattern).expect("the published patterns are tested");
                patterns.insert(pattern.to_owned(), compiled);
            }
            members.values().for_each(|inside| compile(inside, patterns));
        }
        Json::Array(items) => items.iter().for_each(|inside| compile(inside, patterns)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Checks a document against the schema of its kind and returns each fault with its pointer.
pub(super) fn check(kind: DocumentKind, document: &Json) -> Vec<(String, Fault)> {
    let compiled = SCHEMAS.get(&kind).expect("every kind has a schema");
    let mut checker = Checker { compiled, faults: Vec::new() };
    checker.value(&compiled.root, document, "");
    checker.faults
}

struct Checker<'a> {
    compiled: &'a Compiled,
    faults: Vec<(String, Fault)>,
}

impl<'a> Checker<'a> {
    fn value(&mut self, schema: &'a Json, value: &Json, at: &str) {
        let schema = match schema.get("$ref").and_then(Json::as_str) {
            Some(reference) => self.resolved(reference),
            None => schema,
        };
        if let Some(expected) = schema.get("type").and_then(Json::as_str)
            && !is_of(expected, value)
        {
            return self.fault(at, Fault::Type { expected: expected.to_owned() });
        }
        self.listed(schema, value, at);
        match value {
            Json::Object(members) => self.object(schema, members, at),
            Json::Array(items) => self.array(schema, items, at),
            Json::String(text) => self.string(schema, text, at),
            Json::Number(number) => self.number(schema, number, at),
            Json::Null | Json::Bool(_) => {}
        }
    }

    fn resolved(&self, reference: &str) -> &'a Json {
        let pointer = reference.strip_prefix('#').expect("the schemas refer to themselves");
        self.compiled.root.pointer(pointer).expect("what the schemas refer to is tested")
    }

    fn fault(&mut self, at: &str, fault: Fault) {
        self.faults.push((at.to_owned(), fault));
    }

    /// `const` and `enum`.
    fn listed(&mut self, schema: &Json, value: &Json, at: &str) {
        let one = schema.get("const").map(std::slice::from_ref);
        let many = schema.get("enum").and_then(Json::as_array).map(Vec::as_slice);
        if let Some(known) = one.or(many)
            && !known.contains(value)
        {
            let known = known.iter().map(Json::to_string).collect::<Vec<_>>().join(", ");
            self.fault(at, Fault::NotOneOf { got: value.to_string(), known });
        }
    }

    fn object(&mut self, schema: &'a Json, members: &Map<String, Json>, at: &str) {
        let required = schema.get("required").and_then(Json::as_array).into_iter().flatten();
        for name in required.filter_map(Json::as_str) {
            if !members.contains_key(name) {
                self.fault(at, Fault::Missing { name: name.to_owned() });
            }
        }
        self.bounds(schema, ("minProperties", "maxProperties"), members.len(), at);
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
        for (name, value) in members {
            let inside = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            if let Some(schema) = properties.get(name) {
                self.value(schema, value, &inside);
            } else {
                let known = properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                self.fault(&inside, Fault::Unknown { name: name.clone(), known });
            }
        }
    }

    fn array(&mut self, schema: &'a Json, items: &[Json], at: &str) {
        self.bounds(schema, ("minItems", "maxItems"), items.len(), at);
        if schema.get("uniqueItems") == Some(&Json::Bool(true)) {
            for (index, item) in items.iter().enumerate() {
                if let Some(first) = items[..index].iter().position(|other| other == item) {
                    self.fault(&format!("{at}/{index}"), Fault::Twice { first });
                }
            }
        }
        let Some(each) = schema.get("items") else { return };
        for (index, item) in items.iter().enumerate() {
            self.value(each, item, &format!("{at}/{index}"));
        }
    }

    fn string(&mut self, schema: &'a Json, text: &str, at: &str) {
        self.bounds(schema, ("minLength", "maxLength"), text.chars().count(), at);
        let pattern = schema.get("pattern").and_then(Json::as_str);
        let pattern = pattern.and_then(|pattern| self.compiled.patterns.get(pattern));
        let spelt = pattern.is_none_or(|pattern| pattern.is_match(text));
        let is_date = schema.get("format").and_then(Json::as_str) == Some("date");
        if !spelt || (is_date && text.parse::<Date>().is_err()) {
            let (zh, en) = described(schema);
            self.fault(at, Fault::Form { got: text.chars().take(80).collect(), zh, en });
        }
    }

    fn number(&mut self, schema: &Json, number: &serde_json::Number, at: &str) {
        let Some(value) = number.as_i64() else { return };
        let bound = |name: &str| schema.get(name).and_then(Json::as_i64);
        let low = bound("minimum").filter(|low| value < *low);
        let high = bound("maximum").filter(|high| value > *high);
        if let Some(fault) = size(low, high) {
            self.fault(at, fault);
        }
    }

    /// A count between two bounds of the schema.
    fn bounds(&mut self, schema: &Json, names: (&str, &str), count: usize, at: &str) {
        let bound = |name: &str| schema.get(name).and_then(Json::as_u64);
        let count = count as u64;
        let low = bound(names.0).filter(|low| count < *low);
        let high = bound(names.1).filter(|high| count > *high);
        if let Some(fault) = size(low, high) {
            self.fault(at, fault);
        }
    }
}

fn size<N: std::fmt::Display>(low: Option<N>, high: Option<N>) -> Option<Fault> {
    let (zh, en) = match (low, high) {
        (Some(low), _) => (format!("不少于 {low}"), format!("{low} or more")),
        (None, Some(high)) => (format!("不超过 {high}"), format!("{high} or less")),
        (None, None) => return None,
    };
    Some(Fault::Size { zh, en })
}

fn is_of(expected: &str, value: &Json) -> bool {
    match expected {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

/// Returns the description of a schema in both languages.
fn described(schema: &Json) -> (String, String) {
    let text = schema.get("description").and_then(Json::as_str).unwrap_or_default();
    let (zh, en) = text.split_once(" / ").unwrap_or((text, text));
    (zh.to_owned(), en.to_owned())
}
