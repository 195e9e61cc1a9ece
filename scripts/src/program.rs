//! One file with the libraries it may call, and the way from an error back to its file.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{AST, EvalAltResult, Position};

use crate::api::outcome;
use crate::check::walk;
use crate::compile::Unit;
use crate::diagnose::{self, Finding, Trouble};
use crate::load;

/// A file linked with the libraries.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) ast: Arc<AST>,
    /// The file itself first, then the libraries.
    units: Arc<Vec<Arc<Unit>>>,
    /// Which unit defines a function.
    home: Arc<BTreeMap<String, usize>>,
}

impl Program {
    /// Links a file with the libraries; two functions of one name are refused.
    pub(crate) fn link(main: Arc<Unit>, libraries: &[Arc<Unit>]) -> Result<Self, Box<Finding>> {
        let mut ast = load::joined(&main.ast, libraries);
        let read = walk::properties(&ast);
        ast.combine(AST::new_from_module(outcome::readers(read.iter().map(String::as_str))));
        let units: Vec<Arc<Unit>> =
            std::iter::once(main).chain(libraries.iter().cloned()).collect();
        let mut home: BTreeMap<String, usize> = BTreeMap::new();
        for (index, unit) in units.iter().enumerate() {
            for function in unit.ast.iter_functions() {
                let name = function.name.to_owned();
                let anonymous = name.starts_with(ANONYMOUS);
                if let Some(other) = home.insert(name.clone(), index)
                    && other != index
                    && !anonymous
                {
                    let trouble = twice(&name, &units[other].file);
                    return Err(Box::new(unit.finding(trouble, unit.definition(&name))));
                }
            }
        }
        Ok(Self { ast: Arc::new(ast), units: Arc::new(units), home: Arc::new(home) })
    }

    /// Returns the file itself.
    pub(crate) fn main(&self) -> &Unit {
        &self.units[0]
    }

    /// Returns the file itself, to be kept.
    pub(crate) fn main_shared(&self) -> Arc<Unit> {
        Arc::clone(&self.units[0])
    }

    /// Tells whether functions may use constants of the file, so that a run begins with its top.
    pub(crate) fn needs_top_level(&self) -> bool {
        self.main().ast.statements().len() > 1
    }

    /// Returns the libraries it is linked with.
    pub(crate) fn libraries(&self) -> &[Arc<Unit>] {
        &self.units[1..]
    }

    /// Returns the unit that defines `function`; the file itself when it is not known.
    pub(crate) fn unit(&self, function: &str) -> &Unit {
        let index = self.home.get(function).copied().unwrap_or(0);
        &self.units[index]
    }

    /// Returns what an error means, at the innermost place that is known.
    pub(crate) fn finding_of(&self, error: &EvalAltResult) -> Finding {
        self.finding_in(error, "", Position::NONE)
    }

    /// Like [`Program::finding_of`], for an error that came out of `function`. When Rhai names no
    /// place, the finding points at `else_at`, or at the innermost function.
    pub(crate) fn finding_in(
        &self,
        error: &EvalAltResult,
        function: &str,
        else_at: Position,
    ) -> Finding {
        let trace = self.trace(error, function);
        let trouble = diagnose::eval_trouble(trace.error);
        if !trace.at.is_none() || !else_at.is_none() {
            let at = trace.at.or_else(else_at);
            return trace.unit.finding(trouble, at);
        }
        let mut finding = trace.unit.finding(trouble, Position::NONE);
        finding.move_to(&trace.unit.text, trace.unit.definition(trace.function));
        finding
    }

    /// Returns the error that lies at the bottom of the calls it came up from.
    pub(crate) fn innermost<'e>(&'e self, error: &'e EvalAltResult) -> &'e EvalAltResult {
        self.trace(error, "").error
    }

    fn trace<'e>(&'e self, error: &'e EvalAltResult, function: &'e str) -> Trace<'e> {
        let mut trace = Trace { error, unit: self.main(), function, at: error.position() };
        while let EvalAltResult::ErrorInFunctionCall(function, _, inner, _) = trace.error {
            trace =
                Trace { error: inner, unit: self.unit(function), function, at: inner.position() };
        }
        trace
    }
}

/// Where an error comes from.
struct Trace<'e> {
    error: &'e EvalAltResult,
    unit: &'e Unit,
    function: &'e str,
    at: Position,
}

/// How the names of closures begin.
pub(crate) const ANONYMOUS: &str = "anon$";

fn twice(name: &str, other: &str) -> Trouble {
    Trouble::new(
        "FUNCTION_TWICE",
        format!("函数 {name} 已在 {other} 中定义"),
        format!("function {name} is defined in {other} too"),
    )
    .advise("请改名。", "rename one of them.")
}
