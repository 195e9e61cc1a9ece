//! One file with the libraries it may call, and the way from an error back to its file.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{AST, EvalAltResult, Position};

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
    pub(crate) fn link(main: Arc<Unit>, libraries: &[Arc<Unit>]) -> Result<Self, Finding> {
        let ast = load::joined(&main.ast, libraries);
        let units: Vec<Arc<Unit>> = std::iter::once(main).chain(libraries.iter().cloned()).collect();
        let mut home: BTreeMap<String, usize> = BTreeMap::new();
        for (index, unit) in units.iter().enumerate() {
            for function in unit.ast.iter_functions() {
                let name = function.name.to_string();
                let anonymous = name.starts_with(ANONYMOUS);
                if let Some(other) = home.insert(name.clone(), index)
                    && other != index
                    && !anonymous
                {
                    return Err(unit.finding(twice(&name, &units[other].file), Position::NONE));
                }
            }
        }
        Ok(Self {
            ast: Arc::new(ast),
            units: Arc::new(units),
            home: Arc::new(home),
        })
    }

    /// Returns the file itself.
    pub(crate) fn main(&self) -> &Unit {
        &self.units[0]
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
    fn unit_of(&self, function: &str) -> &Unit {
        let index = self.home.get(function).copied().unwrap_or(0);
        &self.units[index]
    }

    /// Returns what an error means, at the innermost place that is known.
    pub(crate) fn finding_of(&self, error: &EvalAltResult) -> Finding {
        let (inner, unit, at) = self.innermost(error);
        unit.finding(diagnose::eval_trouble(inner), at)
    }

    /// Follows an error through the calls it came up from.
    pub(crate) fn innermost<'e>(
        &'e self,
        error: &'e EvalAltResult,
    ) -> (&'e EvalAltResult, &'e Unit, Position) {
        let mut unit = self.main();
        let mut at = (unit, error.position());
        let mut error = error;
        while let EvalAltResult::ErrorInFunctionCall(function, _, inner, _) = error {
            unit = self.unit_of(function);
            error = inner;
            if !error.position().is_none() {
                at = (unit, error.position());
            }
        }
        (error, at.0, at.1)
    }
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
