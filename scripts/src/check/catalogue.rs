//! The operations catalogue: which operations agencies offer, and whether scripts call them so.

use std::collections::BTreeMap;
use std::path::Path;

use rhai::Expr;
use serde::Deserialize;
use tongban_core::value::Value;

use crate::check::walk::{self, Call};
use crate::compile::Unit;
use crate::diagnose::{Finding, Trouble};
use crate::load::Project;
use crate::program::Program;

const SHIPPED: &str = include_str!("../../operations.json");

/// The operations that agencies offer, by `role.operation`.
#[derive(Clone, Debug, Deserialize)]
pub struct Catalogue {
    /// The operations.
    pub operations: BTreeMap<String, Operation>,
}

/// One operation.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation {
    /// Name in Chinese.
    #[serde(default)]
    pub name: String,
    /// Input fields with their kinds.
    #[serde(default)]
    pub input: BTreeMap<String, String>,
    /// An example of the output.
    #[serde(default)]
    pub output: serde_json::Value,
    /// Documents that it issues.
    #[serde(default)]
    pub documents: Vec<IssuedDocument>,
    /// What it does in the world: `reversible`, `irreversible`, `legal_act`.
    #[serde(default)]
    pub effect: String,
    /// Acts that are reported before the end.
    #[serde(default)]
    pub acts: Vec<String>,
    /// The connector that carries it, when not the department's own.
    #[serde(default)]
    pub carried_by: Option<String>,
}

impl Operation {
    /// Returns the example of the output as the engine's data; an unfit one counts as empty.
    pub(crate) fn example_output(&self) -> Value {
        match Value::from_json(&self.output) {
            Ok(Value::Null) | Err(_) => Value::map(),
            Ok(output) => output,
        }
    }
}

/// A document that an operation issues.
#[derive(Clone, Debug, Deserialize)]
pub struct IssuedDocument {
    /// What it is, such as `permit`.
    pub role: String,
    /// Its number, with marks such as `{year}` and `{serial}`.
    pub number: String,
}

/// A catalogue that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("无法读取操作目录 {path} / cannot read the operations catalogue {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a catalogue.
    #[error("操作目录 {path} 的格式不正确 / {path} is not an operations catalogue")]
    Form {
        /// The file.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl CatalogueError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "CATALOGUE_UNREADABLE",
            Self::Form { .. } => "CATALOGUE_INVALID",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> tongban_core::error::ErrorClass {
        match self {
            Self::Read { .. } => tongban_core::error::ErrorClass::Permanent,
            Self::Form { .. } => tongban_core::error::ErrorClass::Invalid,
        }
    }
}

impl Catalogue {
    /// Returns the catalogue that ships with the program.
    ///
    /// # Panics
    ///
    /// Never: the shipped catalogue is read by a test.
    pub fn shipped() -> Self {
        serde_json::from_str(SHIPPED).expect("the shipped catalogue is tested")
    }

    /// Reads a catalogue file.
    pub fn read(path: &Path) -> Result<Self, CatalogueError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| CatalogueError::Read { path: shown.clone(), source })?;
        serde_json::from_str(&text).map_err(|source| CatalogueError::Form { path: shown, source })
    }
}

/// Checks every call of an agency whose operation is written as a literal.
pub(crate) fn check(project: &Project, catalogue: &Catalogue, found: &mut Vec<Finding>) {
    let programs = crate::check::names::programs(project).map(Program::main);
    let libraries = project.libraries.iter().map(AsRef::as_ref);
    for unit in programs.chain(libraries) {
        walk::calls(&unit.ast, &mut |call| check_call(unit, &call, catalogue, found));
    }
}

fn check_call(unit: &Unit, call: &Call<'_>, catalogue: &Catalogue, found: &mut Vec<Finding>) {
    if !matches!(call.expr.name.as_str(), "ask" | "start") {
        return;
    }
    let Some(first) = call.expr.args.first() else { return };
    let Some(name) = walk::text(first) else { return };
    let Some(operation) = catalogue.operations.get(name) else {
        let trouble = Trouble::new(
            "UNKNOWN_OPERATION",
            format!("操作目录中没有 {name}"),
            format!("the operations catalogue has no {name}"),
        )
        .advise_nearest(name, catalogue.operations.keys().map(String::as_str));
        found.push(unit.finding(trouble, first.position()));
        return;
    };
    if let Some(Expr::Map(members, at)) = call.expr.args.get(1) {
        let known: Vec<&str> = operation.input.keys().map(String::as_str).collect();
        for (given, _) in &members.0 {
            if !known.contains(&given.as_str()) {
                let trouble = input(name, given.as_str(), Side::Unknown);
                let trouble = trouble.advise_nearest(given.as_str(), known.iter().copied());
                found.push(unit.finding(trouble, given.pos));
            }
        }
        let given: Vec<&str> = members.0.iter().map(|(name, _)| name.as_str()).collect();
        for lacking in known.iter().filter(|field| !given.contains(field)) {
            found.push(unit.finding(input(name, lacking, Side::Lacking), *at));
        }
    }
}

/// Which side has a field that the other has not.
#[derive(Clone, Copy)]
enum Side {
    Unknown,
    Lacking,
}

fn input(operation: &str, field: &str, side: Side) -> Trouble {
    match side {
        Side::Unknown => Trouble::new(
            "UNKNOWN_INPUT",
            format!("{operation} 没有输入字段 {field}"),
            format!("{operation} has no input field {field}"),
        ),
        Side::Lacking => Trouble::new(
            "MISSING_INPUT",
            format!("{operation} 缺少输入字段 {field}"),
            format!("{operation} lacks the input field {field}"),
        ),
    }
}
