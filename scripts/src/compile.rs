//! From a file to what Rhai runs, with the holes of the language closed on the way.
//!
//! Every `catch (e) {` gets a call of the guard as its first statement, because Rhai's `catch`
//! would also hold faults of the script itself. The text is changed on the same line, places are
//! mapped back, and the syntax tree is checked afterwards: a `catch` without its guard does not
//! load. Index assignment does not load either, since Rhai does not check what it grows.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Rhai's syntax tree and errors are open enums of which few variants matter here"
)]

use std::sync::Arc;

use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt, Token};
use tongban_core::limits::SCRIPT_BYTES_MAX;

use crate::api::guard::GUARD;
use crate::diagnose::{Finding, Trouble, parse_trouble};

/// A compiled file.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) file: String,
    pub(crate) text: Arc<str>,
    pub(crate) ast: AST,
    guards: Vec<Inserted>,
}

/// Characters that were put into a line.
#[derive(Clone, Copy, Debug)]
struct Inserted {
    line: usize,
    column: usize,
    length: usize,
}

impl Unit {
    /// Compiles one file.
    pub(crate) fn compile(engine: &Engine, file: &str, text: &str) -> Result<Self, Box<Finding>> {
        if text.len() > SCRIPT_BYTES_MAX {
            let trouble = Trouble::new(
                "TOO_LARGE",
                format!("文件有 {} 字节，上限 {SCRIPT_BYTES_MAX}", text.len()),
                format!("the file has {} bytes, the limit is {SCRIPT_BYTES_MAX}", text.len()),
            );
            return Err(Box::new(Finding::new(trouble, file, text, Position::NONE)));
        }
        let catches = catches(engine, text)
            .map_err(|(trouble, at)| Box::new(Finding::new(trouble, file, text, at)))?;
        let (guarded, guards) = with_guards(text, &catches);
        let compiled = engine.compile(&guarded);
        let mut unit = Self { file: file.to_owned(), text: text.into(), ast: AST::empty(), guards };
        unit.ast = compiled.map_err(|error| {
            let trouble = parse_trouble(&error.0);
            Box::new(Finding::new(trouble, file, text, unit.restored(error.1)))
        })?;
        unit.verify()?;
        Ok(unit)
    }

    /// Maps a place in the compiled text back to the file.
    pub(crate) fn restored(&self, place: Position) -> Position {
        let (Some(line), Some(column)) = (place.line(), place.position()) else {
            return place;
        };
        let before: usize = self
            .guards
            .iter()
            .filter(|inserted| inserted.line == line && inserted.column < column)
            .map(|inserted| inserted.length)
            .sum();
        at(line, column.saturating_sub(before))
    }

    /// Builds a finding in this file; `at` is a place in the compiled text.
    pub(crate) fn finding(&self, trouble: Trouble, at: Position) -> Finding {
        Finding::new(trouble, &self.file, &self.text, self.restored(at))
    }

    /// Finds where a function is defined, in the file; Rhai keeps no place for it.
    pub(crate) fn definition(&self, name: &str) -> Position {
        for (index, line) in self.text.lines().enumerate() {
            let Some(start) = line.find("fn ") else {
                continue;
            };
            let rest = line[start + 3..].trim_start();
            let after = rest.strip_prefix(name).map(str::trim_start);
            if after.is_some_and(|after| after.starts_with('(')) {
                let before = line.len() - rest.len();
                return at(index + 1, line[..before].chars().count() + 1);
            }
        }
        Position::NONE
    }

    /// Checks in the syntax tree that every `catch` is guarded and nothing is assigned by index.
    fn verify(&self) -> Result<(), Box<Finding>> {
        let mut guarded = 0;
        let mut wrong = None;
        self.ast.walk(&mut |path: &[ASTNode<'_>]| {
            let Some(ASTNode::Stmt(statement)) = path.last() else {
                return true;
            };
            match statement {
                Stmt::TryCatch(flow, at) => {
                    let first = flow.branch.statements().first();
                    if first.is_some_and(|first| is_guard(first, &flow.expr)) {
                        guarded += 1;
                    } else {
                        wrong = Some((unguarded(), *at));
                    }
                }
                Stmt::Assignment(assignment) if is_indexed(&assignment.1.lhs) => {
                    wrong = Some((indexed(), assignment.1.lhs.start_position()));
                }
                _ => {}
            }
            wrong.is_none()
        });
        if wrong.is_none() && guarded != self.guards.len() {
            wrong = Some((unguarded(), Position::NONE));
        }
        match wrong {
            None => Ok(()),
            Some((trouble, at)) => Err(Box::new(self.finding(trouble, at))),
        }
    }
}

/// Builds a place, none for line 0; Rhai counts lines and columns up to 65,535.
pub(crate) fn at(line: usize, column: usize) -> Position {
    if line == 0 {
        return Position::NONE;
    }
    let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    Position::new(narrow(line), narrow(column))
}

/// A catch block: where its brace is, and the name that holds what was caught.
struct Catch {
    name: String,
    brace: Position,
}

fn catches(engine: &Engine, text: &str) -> Result<Vec<Catch>, (Trouble, Position)> {
    let (tokens, _) = engine.lex([&text]);
    let mut tokens = tokens.take_while(|(token, _)| !matches!(token, Token::EOF));
    let mut found = Vec::new();
    while let Some((token, at)) = tokens.next() {
        if !matches!(token, Token::Catch) {
            continue;
        }
        let next: Vec<(Token, Position)> = tokens.by_ref().take(4).collect();
        let [
            (Token::LeftParen, _),
            (Token::Identifier(name), _),
            (Token::RightParen, _),
            (Token::LeftBrace, brace),
        ] = next.as_slice()
        else {
            return Err((nameless(), at));
        };
        found.push(Catch { name: name.to_string(), brace: *brace });
    }
    Ok(found)
}

fn with_guards(text: &str, catches: &[Catch]) -> (String, Vec<Inserted>) {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let mut guards = Vec::new();
    for catch in catches.iter().rev() {
        let (Some(line), Some(column)) = (catch.brace.line(), catch.brace.position()) else {
            continue;
        };
        let Some(shown) = lines.get_mut(line - 1) else {
            continue;
        };
        let guard = format!("{GUARD}({});", catch.name);
        let at = shown.char_indices().nth(column).map_or(shown.len(), |(offset, _)| offset);
        shown.insert_str(at, &guard);
        for earlier in guards.iter_mut().filter(|earlier: &&mut Inserted| earlier.line == line) {
            earlier.column += guard.chars().count();
        }
        guards.push(Inserted { line, column, length: guard.chars().count() });
    }
    (lines.join("\n"), guards)
}

fn is_guard(statement: &Stmt, caught: &Expr) -> bool {
    let call = match statement {
        Stmt::FnCall(call, _) => call,
        Stmt::Expr(expr) => match &**expr {
            Expr::FnCall(call, _) => call,
            _ => return false,
        },
        _ => return false,
    };
    let name = |expr: &Expr| match expr {
        Expr::Variable(variable, ..) => Some(variable.1.clone()),
        _ => None,
    };
    call.name == GUARD
        && call.args.len() == 1
        && name(&call.args[0]).is_some()
        && name(&call.args[0]) == name(caught)
}

fn is_indexed(target: &Expr) -> bool {
    match target {
        Expr::Index(..) => true,
        Expr::Dot(link, ..) => is_indexed(&link.lhs) || is_indexed(&link.rhs),
        _ => false,
    }
}

fn nameless() -> Trouble {
    Trouble::new("CATCH_NAME", "catch 必须写出变量名", "a catch must name what it holds")
        .advise("请写 catch (e) { … }。", "write catch (e) { … }.")
}

fn unguarded() -> Trouble {
    Trouble::new(
        "CATCH_PLACE",
        "此处不能使用 try … catch（例如在字符串插值中）",
        "try … catch cannot stand here, such as inside of an interpolated string",
    )
    .advise("请把它移到单独的语句。", "make it a statement of its own.")
}

fn indexed() -> Trouble {
    Trouble::new("INDEX_ASSIGNMENT", "不支持下标赋值", "assignment by index is not supported")
        .advise(
            "请写 x.set(键, 值)；列表追加请用 x.push(值)。",
            "write x.set(key, value); to add to a list write x.push(value).",
        )
}
