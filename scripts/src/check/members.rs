//! Members of `m` in `handle` and `intake`: `m.foo`, `m.form.foo`, `m.answers.foo`, `m.results["foo"]`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Rhai's syntax tree and errors are open enums of which few variants matter here"
)]

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, BinaryExpr, Expr, Position, Stmt};
use tongban_core::definition::MatterDef;

use crate::api::matter_view;
use crate::check::walk;
use crate::diagnose::{Finding, Trouble};
use crate::load::Project;
use crate::program::Program;

pub(crate) fn check(project: &Project, found: &mut Vec<Finding>) {
    for (program, def) in &project.matters {
        let answers = answers(project, def);
        for function in ["handle", "intake"] {
            check_function((program, function), def, answers.as_ref(), found);
        }
    }
}

/// Returns the questions that every service with this matter asks, or `None` without a service.
fn answers(project: &Project, def: &MatterDef) -> Option<BTreeSet<String>> {
    let asking = project.services.iter().filter(|(_, service)| {
        let mut parts = service.def.parts.iter();
        parts.any(|part| part.matter == def.code)
    });
    asking
        .map(|(_, service)| {
            let questions = service.def.questions.iter();
            questions.map(|question| question.name.clone()).collect::<BTreeSet<_>>()
        })
        .reduce(|one, other| &one & &other)
}

fn check_function(
    (program, name): (&Program, &str),
    def: &MatterDef,
    answers: Option<&BTreeSet<String>>,
    found: &mut Vec<Finding>,
) {
    let unit = program.main();
    let Some(function) = unit.ast.iter_functions().find(|function| function.name == name) else {
        return;
    };
    let Some(me) = function.params.first().map(|name| (*name).to_owned()) else {
        return;
    };
    let body = walk::function(&unit.ast, name);
    if is_hidden(&body, &me) {
        return;
    }
    walk::nodes(&body, &mut |node| {
        let ASTNode::Expr(Expr::Dot(link, ..)) = node else {
            return;
        };
        if let Some((at, trouble)) = member(link, &me, def, answers) {
            found.push(unit.finding(trouble, at));
        }
    });
}

/// Tells whether the body gives the name of its parameter to something else.
fn is_hidden(body: &AST, me: &str) -> bool {
    let mut hidden = false;
    walk::nodes(body, &mut |node| {
        hidden |= match node {
            ASTNode::Stmt(Stmt::Var(variable, ..)) => variable.0.name == me,
            ASTNode::Stmt(Stmt::For(each, _)) => each.0.name == me,
            _ => false,
        };
    });
    hidden
}

fn member(
    link: &BinaryExpr,
    me: &str,
    def: &MatterDef,
    answers: Option<&BTreeSet<String>>,
) -> Option<(Position, Trouble)> {
    match &link.lhs {
        Expr::Variable(variable, ..) if variable.1 == me => {}
        _ => return None,
    }
    let (name, at, below) = match &link.rhs {
        Expr::Property(property, at) => (property.2.as_str(), *at, None),
        Expr::Dot(further, ..) => match (&further.lhs, &further.rhs) {
            (Expr::Property(property, at), below) => (property.2.as_str(), *at, first(below)),
            _ => return None,
        },
        Expr::Index(further, ..) => match &further.lhs {
            Expr::Property(property, at) => (property.2.as_str(), *at, None),
            _ => return None,
        },
        _ => return None,
    };
    if !matter_view::members().any(|member| member == name) {
        let known: Vec<&str> = matter_view::members().collect();
        return Some((at, unknown("m", name, &known)));
    }
    let (below, below_at) = below?;
    let known: Vec<&str> = match name {
        "form" => def.form.iter().map(|field| field.name.as_str()).collect(),
        "answers" => answers?.iter().map(String::as_str).collect(),
        "applicant" => vec!["id", "name"],
        _ => return None,
    };
    if known.contains(&below) {
        return None;
    }
    Some((below_at, unknown(&format!("m.{name}"), below, &known)))
}

/// Returns the first property of what follows, if it is one.
fn first(rest: &Expr) -> Option<(&str, Position)> {
    match rest {
        Expr::Property(property, at) => Some((property.2.as_str(), *at)),
        Expr::Dot(further, ..) | Expr::Index(further, ..) => first(&further.lhs),
        _ => None,
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> Trouble {
    Trouble::new(
        "UNKNOWN_MEMBER",
        format!("{what} 没有成员 {name}"),
        format!("{what} has no member {name}"),
    )
    .advise_nearest(name, known.iter().copied())
}
