//! Patches that say nothing, and two that share one id: warnings, since a run goes its way with
//! them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Rhai's syntax tree and errors are open enums of which few variants matter here"
)]

use std::collections::BTreeMap;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::check::walk;
use crate::compile::Unit;
use crate::diagnose::{Finding, Severity, Trouble};
use crate::load::Project;

/// Words about a patch, each with the place of the first that speaks of an id.
const WORDS: [&str; 2] = ["patched", "deprecate_patch"];

pub(crate) fn check(project: &mut Project) {
    let mut found = Vec::new();
    let programs = crate::check::names::programs(project).map(crate::program::Program::main);
    for unit in programs.chain(project.libraries.iter().map(AsRef::as_ref)) {
        check_unit(unit, &mut found);
    }
    project.findings.append(&mut found);
}

fn check_unit(unit: &Unit, found: &mut Vec<Finding>) {
    let mut first: BTreeMap<String, (&str, Position)> = BTreeMap::new();
    walk::nodes(&unit.ast, &mut |node| {
        if let Some(at) = alone(node) {
            found.push(warned(unit, unused(), at));
        }
        let (ASTNode::Stmt(Stmt::FnCall(call, at)) | ASTNode::Expr(Expr::FnCall(call, at))) = node
        else {
            return;
        };
        let at = *at;
        let Some(word) = WORDS.into_iter().find(|word| call.name == *word) else { return };
        let Some(id) = id_of(call) else {
            found.push(warned(unit, not_literal(word), at));
            return;
        };
        match first.get(id) {
            None => {
                first.insert(id.to_owned(), (word, at));
            }
            Some((earlier, place)) => {
                found.push(warned(unit, twice(id, (earlier, word), unit.restored(*place)), at));
            }
        }
    });
}

/// Returns where a `patched` stands that is a statement by itself.
fn alone(node: &ASTNode<'_>) -> Option<Position> {
    let (call, at) = match node {
        ASTNode::Stmt(Stmt::FnCall(call, at)) => (call, at),
        ASTNode::Stmt(Stmt::Expr(expr)) => match &**expr {
            Expr::FnCall(call, at) => (call, at),
            _ => return None,
        },
        _ => return None,
    };
    (call.name == "patched").then_some(*at)
}

fn id_of(call: &FnCallExpr) -> Option<&str> {
    call.args.first().and_then(walk::text)
}

fn warned(unit: &Unit, trouble: Trouble, at: Position) -> Finding {
    Finding { severity: Severity::Warning, ..unit.finding(trouble, at) }
}

fn unused() -> Trouble {
    Trouble::new(
        "PATCH_UNUSED",
        "patched(…) 的结果没有用到",
        "what patched(…) says is not used",
    )
    .advise(
        "请写 if patched(\"…\") { 新做法 } else { 旧做法 }；旧做法已删除时用 deprecate_patch。",
        "write if patched(\"…\") { the new way } else { the old one }; once the old one is gone, deprecate_patch.",
    )
}

fn not_literal(word: &str) -> Trouble {
    Trouble::new(
        "PATCH_ID",
        format!("{word} 的名称应直接写成文字"),
        format!("the id of {word} should be a literal"),
    )
    .advise(
        "这样检查和升级报告才能找到它。",
        "only then can the checks and the upgrade report find it.",
    )
}

fn twice(id: &str, (earlier, word): (&str, &str), place: Position) -> Trouble {
    let line = place.line().unwrap_or_default();
    if earlier == word {
        return Trouble::new(
            "PATCH_TWICE",
            format!("补丁 {id} 在第 {line} 行已经用过"),
            format!("patch {id} stands in line {line} too"),
        )
        .advise(
            "一次执行中同名补丁的结果不变；另一处改动请另取名称，同一处改动请先存入变量。",
            "within a run the answer for one id stays the same: give another change another id, or keep the answer in a variable.",
        );
    }
    Trouble::new(
        "PATCH_TWICE",
        format!("补丁 {id} 既有 patched 又有 deprecate_patch（第 {line} 行）"),
        format!("patch {id} is both asked for and deprecated (line {line})"),
    )
    .advise(
        "弃用后请删除旧做法和 patched。",
        "after deprecating it remove the old way and patched.",
    )
}
