//! Walking syntax trees: calls with their place, closures, texts.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Rhai's syntax tree and errors are open enums of which few variants matter here"
)]

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Engine, Expr, FnCallExpr, FnPtr, Position, Stmt};

/// How a function is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// `f(a, b)`.
    Plain,
    /// `x.f(a, b)`.
    Method,
}

/// One call in a syntax tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) expr: &'a FnCallExpr,
    pub(crate) at: Position,
    pub(crate) form: Form,
}

/// Visits every call of a tree, operators left out.
pub(crate) fn calls(ast: &AST, visit: &mut dyn FnMut(Call<'_>)) {
    nodes(ast, &mut |node| {
        let call = match node {
            ASTNode::Stmt(Stmt::FnCall(expr, at)) | ASTNode::Expr(Expr::FnCall(expr, at)) => {
                Call { expr, at: *at, form: Form::Plain }
            }
            ASTNode::Expr(Expr::MethodCall(expr, at)) => Call { expr, at: *at, form: Form::Method },
            _ => return,
        };
        if call.expr.op_token.is_none() {
            visit(call);
        }
    });
}

/// Returns the names of the properties that a tree reads or writes, of whatever they are.
pub(crate) fn properties(ast: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    nodes(ast, &mut |node| {
        if let ASTNode::Expr(Expr::Property(property, _)) = node {
            names.insert(property.2.to_string());
        }
    });
    names
}

/// Returns where a function is first called.
pub(crate) fn call_of(ast: &AST, wanted: &str) -> Position {
    let mut found = Position::NONE;
    calls(ast, &mut |call| {
        if call.expr.name == wanted && found.is_none() {
            found = call.at;
        }
    });
    found
}

/// Visits every node of a tree, functions included.
pub(crate) fn nodes(ast: &AST, visit: &mut dyn FnMut(&ASTNode<'_>)) {
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(node) = path.last() {
            visit(node);
        }
        true
    });
}

/// Returns only the bodies of the functions of this name.
///
/// Rhai filters functions only on the way into a tree that has some already; hence the seed.
pub(crate) fn function(ast: &AST, name: &str) -> AST {
    let mut only = Engine::new_raw().compile("fn seed() {}").expect("the seed is a script");
    only.combine_filtered(ast.clone_functions_only(), |_, _, _, function, _| function == name);
    only
}

/// Returns the name of the function that a closure expression stands for.
pub(crate) fn closure_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::DynamicConstant(constant, _) => {
            constant.read_lock::<FnPtr>().map(|pointer| pointer.fn_name().to_owned())
        }
        Expr::FnCall(call, _) if call.name == "curry" => closure_name(call.args.first()?),
        _ => None,
    }
}

/// Returns the text of a literal.
pub(crate) fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringConstant(text, _) => Some(text),
        _ => None,
    }
}

/// Returns where a text stands as a literal, to point at a name in a declaration.
pub(crate) fn place_of(ast: &AST, wanted: &str) -> Position {
    let mut found = Position::NONE;
    nodes(ast, &mut |node| {
        if let ASTNode::Expr(Expr::StringConstant(text, at)) = node
            && text == wanted
            && found.is_none()
        {
            found = *at;
        }
    });
    found
}
