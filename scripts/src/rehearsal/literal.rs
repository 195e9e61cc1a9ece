//! Finding a text literal in a file, and writing another in its place.

use rhai::{ASTNode, Expr, Position};

use crate::check::walk;
use crate::compile::Unit;

/// A history to be written into a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rewrite {
    /// Line of the literal, from 1.
    pub line: usize,
    /// Column of the literal in characters, from 1.
    pub column: usize,
    /// The lines it should hold.
    pub lines: Vec<String>,
}

/// Finds the text that is the argument of the call at `at`; `None` when it is no plain literal.
pub(crate) fn argument(unit: &Unit, at: Position) -> Option<(usize, usize)> {
    let mut found = None;
    walk::nodes(&unit.ast, &mut |node| {
        if let ASTNode::Expr(Expr::MethodCall(call, place)) = node
            && *place == at
            && let Some(Expr::StringConstant(_, start)) = call.args.first()
        {
            found = Some(unit.restored(*start));
        }
    });
    let start = found?;
    Some((start.line()?, start.position()?))
}

/// Returns `text` with the literals of `rewrites` replaced; nothing else changes.
pub fn rewrite(text: &str, rewrites: &[Rewrite]) -> String {
    let mut ordered: Vec<&Rewrite> = rewrites.iter().collect();
    ordered.sort_by_key(|one| std::cmp::Reverse((one.line, one.column)));
    let mut text = text.to_owned();
    for one in ordered {
        if let Some((start, end, indent)) = place(&text, one) {
            text.replace_range(start..end, &literal(one, &indent));
        }
    }
    text
}

fn literal(one: &Rewrite, indent: &str) -> String {
    let mut text = "`\n".to_owned();
    for line in &one.lines {
        text.extend([indent, "    ", line, "\n"]);
    }
    text + indent + "`"
}

/// Returns begin and end of a literal in bytes, and the indent of its line.
fn place(text: &str, one: &Rewrite) -> Option<(usize, usize, String)> {
    let before: usize = text.split_inclusive('\n').take(one.line - 1).map(str::len).sum();
    let line = text.get(before..)?;
    let column = line.char_indices().nth(one.column - 1)?.0;
    let start = before + column;
    let quote = text.get(start..)?.chars().next().filter(|quote| "`\"".contains(*quote))?;
    let indent = line.chars().take_while(|letter| *letter == ' ' || *letter == '\t').collect();
    Some((start, start + length(&text[start..], quote)?, indent))
}

/// Returns the bytes of the literal that `text` begins with. A backtick stands twice for itself,
/// a quotation mark after a backslash.
fn length(text: &str, quote: char) -> Option<usize> {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' && quote == '"' {
            letters.next();
        } else if letter == quote {
            if quote == '`' && letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
                continue;
            }
            return Some(at + quote.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_literal_changes() {
        let text = "// 历史\n    r.history(\"a\\\"b\"); // \"c\"\n  r.history(`x\ny`);\n";
        let lines = vec!["一".to_owned(), "二".to_owned()];
        let one = Rewrite { line: 2, column: 15, lines: lines.clone() };
        let other = Rewrite { line: 3, column: 13, lines };
        let changed = rewrite(text, &[one, other]);
        assert_eq!(
            changed,
            "// 历史\n    r.history(`\n        一\n        二\n    `); // \"c\"\n  r.history(`\n      一\n      二\n  `);\n"
        );
    }
}
