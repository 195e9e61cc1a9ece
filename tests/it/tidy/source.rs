//! Just enough reading of Rust for the house rules: what is code, where functions are.
//!
//! [`Source::code`] has the layout of the file with comments and the insides of literals blanked
//! out, so that a rule can look for words without being fooled by a text that mentions them.
//! This is no parser: it knows literals, comments and brackets, and nothing about types.

/// A Rust file as the rules see it.
pub(crate) struct Source {
    /// Path from the root of the repository, with forward slashes.
    pub(crate) path: String,
    /// Its lines with comments and the insides of literals blanked out.
    pub(crate) code: Vec<String>,
}

/// A function with a body.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Line of `fn`, from 1.
    pub(crate) line: usize,
    /// Lines from `fn` to the closing brace.
    pub(crate) length: usize,
}

impl Source {
    /// Reads `text` as the file at `path`.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), code: blank(text).lines().map(str::to_owned).collect() }
    }

    /// Lists the places where the code holds `words`, as (line from 1, text before them).
    /// Blanks beside `::`, `(`, `!` and `[` do not matter.
    pub(crate) fn places<'a>(&'a self, words: &'a str) -> impl Iterator<Item = (usize, String)> {
        self.code.iter().enumerate().flat_map(move |(index, line)| {
            let line = squeeze(line);
            let starts: Vec<usize> = line.match_indices(words).map(|(at, _)| at).collect();
            starts
                .into_iter()
                .filter(|at| is_whole(&line, *at, words))
                .map(|at| (index + 1, line[..at].to_owned()))
                .collect::<Vec<_>>()
        })
    }

    /// Returns the line from which the file is test code; `None` when it has none.
    pub(crate) fn tests_from(&self) -> Option<usize> {
        let is_test_file = self.path.starts_with("tests/") || self.path.ends_with("/tests.rs");
        if is_test_file {
            return Some(1);
        }
        self.places("#[cfg(test)]").map(|(line, _)| line).next()
    }

    /// Lists the functions that have a body, inner ones included.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let code: Vec<char> = self.code.join("\n").chars().collect();
        let mut found = Vec::new();
        let mut line = 1;
        for at in 0..code.len() {
            line += usize::from(code[at] == '\n');
            let Some(name) = function_name(&code, at) else {
                continue;
            };
            if let Some(length) = body_lines(&code[at..]) {
                found.push(Function { name, line, length });
            }
        }
        found
    }
}

impl Source {
    /// Lists the names of the functions that a test runner runs.
    pub(crate) fn tests(&self) -> Vec<String> {
        let is_test = |line: usize| {
            let above = self.code[..line - 1].iter().rev().map(|line| line.trim());
            let mut attributes = above.take_while(|line| line.is_empty() || line.starts_with("#["));
            attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
        };
        let functions = self.functions().into_iter();
        functions.filter(|own| is_test(own.line)).map(|own| own.name).collect()
    }
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Tells whether `words` at `at` are no part of longer words.
fn is_whole(line: &str, at: usize, words: &str) -> bool {
    let (before, after) = (&line[..at], &line[at + words.len()..]);
    !joins(before, words) && !joins(words, after)
}

/// Tells whether the end of `left` and the start of `right` make one word.
fn joins(left: &str, right: &str) -> bool {
    left.ends_with(is_word) && right.starts_with(is_word)
}

/// Removes every blank that does not stand between two words.
fn squeeze(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for part in line.split_whitespace() {
        if joins(&out, part) {
            out.push(' ');
        }
        out.push_str(part);
    }
    out
}

/// Returns the name when `fn name` stands at `at`.
fn function_name(code: &[char], at: usize) -> Option<String> {
    let is_start = at == 0 || !is_word(code[at - 1]);
    if !is_start || code.get(at..at + 2)? != ['f', 'n'] || !code.get(at + 2)?.is_whitespace() {
        return None;
    }
    let rest = code[at + 2..].iter().skip_while(|char| char.is_whitespace());
    let name: String = rest.take_while(|char| is_word(**char)).collect();
    (!name.is_empty()).then_some(name)
}

/// Counts the lines from the start of `code` to the brace that closes its first block; `None`
/// when a `;` ends the item first, as in a trait.
fn body_lines(code: &[char]) -> Option<usize> {
    let mut lines = 1;
    let mut nested = 0_usize;
    let mut depth = 0_usize;
    for char in code {
        match char {
            '\n' => lines += 1,
            '(' | '[' => nested += 1,
            ')' | ']' => nested = nested.saturating_sub(1),
            ';' if depth == 0 && nested == 0 => return None,
            '{' => depth += 1,
            '}' if depth == 1 => return Some(lines),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Blanks comments and the insides of literals; line breaks stay.
fn blank(text: &str) -> String {
    let mut reader =
        Reader { chars: text.chars().collect(), at: 0, out: String::with_capacity(text.len()) };
    while reader.at < reader.chars.len() {
        reader.step();
    }
    reader.out
}

/// Walks over a text once, copying code and blanking the rest.
struct Reader {
    chars: Vec<char>,
    at: usize,
    out: String,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn copy(&mut self, count: usize) {
        let end = self.chars.len().min(self.at + count);
        self.out.extend(&self.chars[self.at..end]);
        self.at = end;
    }

    fn blank(&mut self, count: usize) {
        let end = self.chars.len().min(self.at + count);
        let kept = self.chars[self.at..end].iter().map(|char| match char {
            '\n' => '\n',
            _ => ' ',
        });
        self.out.extend(kept);
        self.at = end;
    }

    fn step(&mut self) {
        let char = self.chars[self.at];
        match (char, self.peek(1)) {
            ('/', Some('/')) => self.line_comment(),
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            _ if is_word(char) => self.word(),
            _ => self.copy(1),
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|char| char != '\n') {
            self.blank(1);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.blank(1);
                    continue;
                }
            }
            self.blank(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.copy(1);
        while let Some(char) = self.peek(0) {
            match char {
                '\\' => self.blank(2),
                '"' => return self.copy(1),
                _ => self.blank(1),
            }
        }
    }

    /// A word, and the raw string that it may introduce (`r"`, `br#"`, `cr##"`).
    fn word(&mut self) {
        let rest = &self.chars[self.at..];
        let length = rest.iter().take_while(|char| is_word(**char)).count();
        let is_raw = matches!(rest[..length], ['r'] | ['b' | 'c', 'r']);
        self.copy(length);
        if is_raw {
            self.raw_string();
        }
    }

    fn raw_string(&mut self) {
        let rest = &self.chars[self.at..];
        let hashes = rest.iter().take_while(|char| **char == '#').count();
        if rest.get(hashes) != Some(&'"') {
            return;
        }
        let mut end = vec!['"'];
        end.resize(hashes + 1, '#');
        self.copy(hashes + 1);
        while self.at < self.chars.len() {
            if self.chars[self.at..].starts_with(&end) {
                return self.copy(end.len());
            }
            self.blank(1);
        }
    }

    /// A character literal, or the quote of a lifetime or label.
    fn quote(&mut self) {
        let inside = match (self.peek(1), self.peek(2)) {
            (Some('\\'), _) => self.escape_len(),
            (Some(_), Some('\'')) => 1,
            _ => return self.copy(1),
        };
        self.copy(1);
        self.blank(inside);
        self.copy(1);
    }

    /// Characters of an escape inside a character literal, up to its closing quote.
    fn escape_len(&self) -> usize {
        let after = &self.chars[self.at + 1..];
        let rest = after.iter().skip(2).take_while(|char| **char != '\'');
        2 + rest.count()
    }
}
