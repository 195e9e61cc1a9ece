//! What a sandbox agency can do, read from the operations catalogue of the shipped matters.
//!
//! Only what an agency needs is read; other members belong to other readers of the same file and
//! are passed over.

use std::collections::BTreeMap;

use serde::Deserialize;
use tongban_core::error::ErrorClass;

use crate::cxp::Json;

/// Operations by `role.operation`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Catalogue {
    operations: BTreeMap<String, Operation>,
}

/// One operation.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Operation {
    /// Chinese name.
    #[serde(default)]
    pub name: String,
    /// `reversible`, `irreversible` or `legal_act`.
    #[serde(default)]
    pub effect: String,
    /// Fields of the input with their kinds.
    #[serde(default)]
    pub input: BTreeMap<String, String>,
    /// Example of the output; `{number}`, `{input.x}` and the marks of numbers are filled.
    #[serde(default)]
    pub output: Json,
    /// Documents that are issued.
    #[serde(default)]
    pub documents: Vec<DocumentOffer>,
    /// Acts that are reported before the end.
    #[serde(default)]
    pub acts: Vec<String>,
    /// The connector that carries it, when not the department's own.
    #[serde(default)]
    pub carried_by: Option<String>,
}

/// A document that an operation issues.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DocumentOffer {
    /// What it is, such as `permit`.
    pub role: String,
    /// Its number, with marks such as `{year}` and `{serial}`.
    pub number: String,
}

/// A text that is not a catalogue.
#[derive(Debug, thiserror::Error)]
#[error(
    "无法读取操作目录:第 {line} 行第 {column} 列,{source} / cannot read the operations catalogue at line {line} column {column}"
)]
pub struct CatalogueError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong there.
    #[source]
    pub source: serde_json::Error,
}

impl CatalogueError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        "CATALOGUE_FORM"
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

impl Catalogue {
    /// Reads a catalogue.
    pub fn parse(json: &str) -> Result<Self, CatalogueError> {
        serde_json::from_str(json).map_err(|source| CatalogueError {
            line: source.line(),
            column: source.column(),
            source,
        })
    }

    /// Returns an operation.
    pub fn get(&self, operation: &str) -> Option<&Operation> {
        self.operations.get(operation)
    }

    /// Returns every operation with its name, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Operation)> {
        let all = self.operations.iter();
        all.map(|(name, operation)| (name.as_str(), operation))
    }

    /// Returns the roles that have operations, in order, each once.
    pub fn roles(&self) -> Vec<&str> {
        let mut roles: Vec<&str> = self.iter().filter_map(|(name, _)| role_of(name)).collect();
        roles.dedup();
        roles
    }

    /// Returns the part of the catalogue that belongs to one role and is carried by its own
    /// system.
    #[must_use]
    pub fn of_role(&self, role: &str) -> Self {
        let own = self.operations.iter().filter(|(name, operation)| {
            role_of(name) == Some(role) && operation.carried_by.is_none()
        });
        Self {
            operations: own.map(|(name, operation)| (name.clone(), operation.clone())).collect(),
        }
    }
}

fn role_of(operation: &str) -> Option<&str> {
    operation.split_once('.').map(|(role, _)| role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::fixture;

    #[test]
    fn a_catalogue_is_read_with_what_it_says_beside() {
        let catalogue = fixture::catalogue();
        let title = catalogue.get("natural-resources.register_title").unwrap();
        assert_eq!(title.acts, ["accepted", "decided"]);
        assert_eq!(catalogue.roles(), ["natural-resources", "urban-management"]);
        let own = catalogue.of_role("urban-management");
        assert_eq!(own.iter().count(), 0, "it is carried by hand");
        assert_eq!(catalogue.of_role("natural-resources").iter().count(), 3);
    }

    #[test]
    fn a_broken_catalogue_names_the_place() {
        let error = Catalogue::parse("{\n \"operations\": 3}").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
