//! The gate before the engine of GraphQL: what a document may cost, counted without running it.
//!
//! Validation of a document walks every expansion of its fragments, so a page of text can keep a
//! core busy for hours. Here a document is measured first: tokens by a lexer that allocates
//! nothing, then the parsed document with one measure per fragment, each taken once. Order of
//! the checks: bytes (the transport), tokens and nesting, definitions, spreads, expanded
//! selections, root fields, aliases, depth. A document is parsed once, here.

use std::collections::HashMap;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned};

/// Bytes of a request's body.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Tokens of a document.
pub const TOKENS_MAX: usize = 4_000;
/// Brackets open at once: what the parser may recurse into.
pub const NESTING_MAX: usize = 48;
/// Operations and fragments of a document.
pub const DEFINITIONS_MAX: usize = 50;
/// Fragment spreads of a document, as written.
pub const SPREADS_MAX: usize = 100;
/// Fields of a document after every fragment is put in place.
pub const SELECTIONS_MAX: usize = 2_000;
/// Root fields of a query.
pub const ROOT_FIELDS_MAX: usize = 20;
/// Root fields of a mutation; they run in order, each in its own transaction.
pub const MUTATION_FIELDS_MAX: usize = 5;
/// Aliases of a document after every fragment is put in place.
pub const ALIASES_MAX: usize = 50;
/// Levels of fields.
pub const DEPTH_MAX: usize = 12;
/// Levels of fields below `__schema` and `__type`: what the usual introspection query needs.
pub const INTROSPECTION_DEPTH_MAX: usize = 20;
/// Directives of one field.
pub const DIRECTIVES_MAX: usize = 3;

const _: () = assert!(SELECTIONS_MAX < TOKENS_MAX);
const _: () = assert!(MUTATION_FIELDS_MAX <= ROOT_FIELDS_MAX);

/// Why a document was not let through.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// A count passed its limit.
    #[error("{} / {}", .what.said().0, .what.said().1)]
    Over {
        /// What was counted.
        what: Count,
        /// The limit.
        limit: usize,
        /// The count, or a lower bound of it where counting stopped early.
        actual: usize,
    },
    /// A fragment contains itself.
    #[error("片段 {0} 循环引用自身 / fragment {0} contains itself")]
    Cycle(String),
    /// Not a GraphQL document. Where is told, what was written there is not.
    #[error(
        "GraphQL 文档第 {line} 行第 {column} 列有语法错误 / syntax error at line {line}, column {column}"
    )]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
}

/// What the gate counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Count {
    /// Lexical tokens.
    Tokens,
    /// Open brackets.
    Nesting,
    /// Operations and fragments.
    Definitions,
    /// Fragment spreads.
    Spreads,
    /// Expanded fields.
    Selections,
    /// Fields of the root.
    RootFields,
    /// Expanded aliases.
    Aliases,
    /// Levels.
    Depth,
}

impl Count {
    fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::Tokens => ("文档的词元过多,请拆分", "too many tokens, split the document"),
            Self::Nesting => ("括号嵌套过深", "brackets are nested too deeply"),
            Self::Definitions => ("操作和片段过多", "too many operations and fragments"),
            Self::Spreads => ("片段引用过多", "too many fragment spreads"),
            Self::Selections => ("展开后的字段过多", "too many fields once fragments are expanded"),
            Self::RootFields => ("根字段过多", "too many root fields"),
            Self::Aliases => ("别名过多", "too many aliases"),
            Self::Depth => ("字段层级过深", "fields are nested too deeply"),
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Tokens => "TOO_MANY_TOKENS",
            Self::Definitions | Self::Spreads | Self::Selections | Self::RootFields => {
                "TOO_COMPLEX"
            }
            Self::Aliases => "TOO_MANY_ALIASES",
            Self::Nesting | Self::Depth => "TOO_DEEP",
        }
    }

    fn at_most(self, limit: usize, actual: usize) -> Result<(), GateError> {
        if actual <= limit { Ok(()) } else { Err(GateError::Over { what: self, limit, actual }) }
    }
}

impl GateError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Over { what, .. } => what.code(),
            Self::Cycle(_) => "GRAPHQL_VALIDATION_FAILED",
            Self::Syntax { .. } => "GRAPHQL_PARSE_FAILED",
        }
    }

    /// Returns limit and count, where something was counted.
    pub fn counts(&self) -> Option<(usize, usize)> {
        match self {
            Self::Over { limit, actual, .. } => Some((*limit, *actual)),
            Self::Cycle(_) | Self::Syntax { .. } => None,
        }
    }
}

/// Parses a document, if it costs no more than a document may.
pub fn admit(text: &str) -> Result<ExecutableDocument, GateError> {
    lex(text)?;
    let document = parse_query(text).map_err(|error| {
        let at = error.positions().next().unwrap_or_default();
        GateError::Syntax { line: at.line, column: at.column }
    })?;
    let operations = document.operations.iter().count();
    Count::Definitions.at_most(DEFINITIONS_MAX, operations + document.fragments.len())?;
    Count::Spreads.at_most(SPREADS_MAX, spreads(&document))?;
    let mut scale = Scale { document: &document, known: HashMap::new() };
    for (_, operation) in document.operations.iter() {
        scale.check(&operation.node)?;
    }
    Ok(document)
}

/// Returns the operation that a request means, if it can be told.
pub fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a Positioned<OperationDefinition>> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            all.next().filter(|_| all.next().is_none())
        }
    }
}

/// Tells whether a document asks for the schema. Every operation counts, whichever is run.
pub fn introspects(document: &ExecutableDocument) -> bool {
    let mut scale = Scale { document, known: HashMap::new() };
    document
        .operations
        .iter()
        .any(|(_, found)| scale.set(&found.node.selection_set.node).is_ok_and(Measure::introspects))
}

// ---- tokens -----------------------------------------------------------------------------------

/// Counts tokens and open brackets without keeping any.
fn lex(text: &str) -> Result<(), GateError> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut open) = (0, 0_usize, 0_usize);
    while at < bytes.len() {
        let next = token_end(bytes, at);
        if is_ignored(bytes[at]) {
            at = next;
            continue;
        }
        tokens += 1;
        Count::Tokens.at_most(TOKENS_MAX, tokens)?;
        match bytes[at] {
            b'{' | b'(' | b'[' => open += 1,
            b'}' | b')' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
        Count::Nesting.at_most(NESTING_MAX, open)?;
        at = next;
    }
    Ok(())
}

fn is_ignored(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'#' | 0xEF | 0xBB | 0xBF)
}

fn token_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let while_true = |begins: fn(u8) -> bool| {
        at + rest.iter().position(|byte| !begins(*byte)).unwrap_or(rest.len())
    };
    match rest[0] {
        b'#' => while_true(|byte| byte != b'\n' && byte != b'\r'),
        b'"' if rest.starts_with(b"\"\"\"") => block_string_end(bytes, at + 3),
        b'"' => string_end(bytes, at + 1),
        b'.' if rest.starts_with(b"...") => at + 3,
        byte if is_word(byte) => while_true(is_word),
        _ => at + 1,
    }
}

/// Names and numbers are told apart by the parser; for counting they are words.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' | b'\n' | b'\r' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn block_string_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest.starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

// ---- the parsed document ----------------------------------------------------------------------

fn spreads(document: &ExecutableDocument) -> usize {
    let operations = document.operations.iter().map(|(_, found)| &found.node.selection_set);
    let fragments = document.fragments.values().map(|found| &found.node.selection_set);
    operations.chain(fragments).map(|set| spreads_of(&set.node)).sum()
}

fn spreads_of(set: &SelectionSet) -> usize {
    let count = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => spreads_of(&field.node.selection_set.node),
        Selection::InlineFragment(inline) => spreads_of(&inline.node.selection_set.node),
        Selection::FragmentSpread(_) => 1,
    };
    set.items.iter().map(count).sum()
}

/// What a selection set comes to once every fragment is put in place.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Measure {
    /// Fields of the set itself.
    roots: usize,
    /// Fields of the set and all below.
    selections: usize,
    /// Aliases among them.
    aliases: usize,
    /// Levels outside introspection.
    depth: usize,
    /// Levels below `__schema` and `__type`.
    introspection: usize,
}

impl Measure {
    fn introspects(self) -> bool {
        self.introspection > 0
    }

    fn beside(self, other: Self) -> Self {
        Self {
            roots: self.roots.saturating_add(other.roots),
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            introspection: self.introspection.max(other.introspection),
        }
    }

    /// Wraps the measure of a field's own set into that of the field.
    fn under(self, name: &str, aliases: usize) -> Self {
        let deep = self.depth.saturating_add(1);
        let introspects = matches!(name, "__schema" | "__type");
        Self {
            roots: 1,
            selections: self.selections.saturating_add(1),
            aliases: self.aliases.saturating_add(aliases),
            depth: if introspects { 1 } else { deep },
            introspection: if introspects { deep } else { self.introspection },
        }
    }
}

/// Measures a document; each fragment once.
struct Scale<'a> {
    document: &'a ExecutableDocument,
    /// Measures of fragments; `None` while one is being taken, which finds cycles.
    known: HashMap<&'a Name, Option<Measure>>,
}

impl<'a> Scale<'a> {
    fn check(&mut self, operation: &'a OperationDefinition) -> Result<(), GateError> {
        let measure = self.set(&operation.selection_set.node)?;
        let roots = match operation.ty {
            OperationType::Query => ROOT_FIELDS_MAX,
            OperationType::Mutation => MUTATION_FIELDS_MAX,
            OperationType::Subscription => 1,
        };
        Count::Selections.at_most(SELECTIONS_MAX, measure.selections)?;
        Count::RootFields.at_most(roots, measure.roots)?;
        Count::Aliases.at_most(ALIASES_MAX, measure.aliases)?;
        Count::Depth.at_most(DEPTH_MAX, measure.depth)?;
        Count::Depth.at_most(INTROSPECTION_DEPTH_MAX, measure.introspection)
    }

    fn set(&mut self, set: &'a SelectionSet) -> Result<Measure, GateError> {
        let mut sum = Measure::default();
        for selection in &set.items {
            sum = sum.beside(match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let below = self.set(&field.selection_set.node)?;
                    below.under(&field.name.node, usize::from(field.alias.is_some()))
                }
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node)?
                }
            });
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Measure, GateError> {
        match self.known.get(name) {
            Some(Some(measure)) => return Ok(*measure),
            Some(None) => return Err(GateError::Cycle(name.to_string())),
            None => {}
        }
        // An unknown fragment is for validation to name.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Measure::default());
        };
        self.known.insert(name, None);
        let measure = self.set(&fragment.node.selection_set.node)?;
        self.known.insert(name, Some(measure));
        Ok(measure)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> &'static str {
        admit(text).map_or_else(|error| error.code(), |_| "admitted")
    }

    /// A chain of fragments, each spread twice: 2^levels fields from a few hundred bytes.
    fn fan_out(levels: usize) -> String {
        let mut text = "{ ...f0 }".to_owned();
        for level in 0..levels {
            let next = level + 1;
            write!(text, " fragment f{level} on Query {{ ...f{next} ...f{next} }}").unwrap();
        }
        write!(text, " fragment f{levels} on Query {{ viewer }}").unwrap();
        text
    }

    #[test]
    fn fragments_that_multiply_are_counted_without_being_expanded() {
        assert_eq!(code(&fan_out(4)), "admitted");
        for levels in [12, 20, 24, 40] {
            assert_eq!(code(&fan_out(levels)), "TOO_COMPLEX", "{levels} levels");
        }
        assert_eq!(code("{ ...a } fragment a on Query { ...a }"), "GRAPHQL_VALIDATION_FAILED");
    }

    #[test]
    fn each_limit_refuses_the_first_count_above_it() {
        let fields = |count: usize, field: &str| format!("{{ x {{ {} }} }}", field.repeat(count));
        assert_eq!(code(&fields(SELECTIONS_MAX - 1, "a ")), "admitted");
        assert_eq!(code(&fields(SELECTIONS_MAX, "a ")), "TOO_COMPLEX");
        assert_eq!(code(&fields(ALIASES_MAX, "b:a ")), "admitted");
        assert_eq!(code(&fields(ALIASES_MAX + 1, "b:a ")), "TOO_MANY_ALIASES");
        assert_eq!(code(&fields(TOKENS_MAX, "__typename ")), "TOO_MANY_TOKENS");
        let roots = |kind: &str, count: usize| format!("{kind} {{ {} }}", "a ".repeat(count));
        assert_eq!(code(&roots("query", ROOT_FIELDS_MAX)), "admitted");
        assert_eq!(code(&roots("query", ROOT_FIELDS_MAX + 1)), "TOO_COMPLEX");
        assert_eq!(code(&roots("mutation", MUTATION_FIELDS_MAX)), "admitted");
        assert_eq!(code(&roots("mutation", MUTATION_FIELDS_MAX + 1)), "TOO_COMPLEX");
        let deep = |levels: usize| format!("{}{}", "{a".repeat(levels), "}".repeat(levels));
        assert_eq!(code(&deep(DEPTH_MAX)), "admitted");
        assert_eq!(code(&deep(DEPTH_MAX + 1)), "TOO_DEEP");
        assert_eq!(code(&deep(NESTING_MAX + 1)), "TOO_DEEP");
        let mut named = String::new();
        for no in 0..=DEFINITIONS_MAX {
            write!(named, "query q{no} {{ a }} ").unwrap();
        }
        assert_eq!(code(&named), "TOO_COMPLEX");
        let spread =
            format!("{{ x {{ {} }} }} fragment f on X {{ a }}", "...f ".repeat(SPREADS_MAX + 1));
        assert_eq!(code(&spread), "TOO_COMPLEX");
    }

    #[test]
    fn brackets_in_strings_and_comments_are_text() {
        let text =
            format!("{{ a(x: \"{0}\") b(y: \"\"\"{0}\\\"\"\"{0}\"\"\") }} # {0}", "{".repeat(99));
        assert_eq!(code(&text), "admitted");
        assert_eq!(code("{ a(x: \"\\\"{{{\") }"), "admitted");
    }

    #[test]
    fn a_syntax_error_tells_where_and_never_echoes_the_document() {
        let error = admit("{ secret-420302199001010015 ").unwrap_err();
        assert_eq!(error.code(), "GRAPHQL_PARSE_FAILED");
        assert!(!error.to_string().contains("420302"), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_gate_panic(text in "[\"\\\\{}()a.#\\n $@!:=|&-]{0,200}") {
            let _verdict = admit(&text);
        }
    }
}
