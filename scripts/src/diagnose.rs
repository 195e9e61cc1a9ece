//! What is wrong with a script, where, and what to do: one type for load, check and run.
//!
//! Every text exists in Chinese and English. Columns count characters, as Rhai does; the caret
//! below an excerpt is placed by full-width spaces under full-width characters.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Rhai's syntax tree and errors are open enums of which few variants matter here"
)]

use std::fmt;

use rhai::{EvalAltResult, ParseErrorType, Position};
use serde::Serialize;
use tongban_core::port::{ScriptFault, ScriptFaultKind};

/// One text in two languages.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Both {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Both {
    pub(crate) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    fn is_empty(&self) -> bool {
        self.zh.is_empty() && self.en.is_empty()
    }
}

impl fmt::Display for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
    }
}

/// A trouble as host functions throw it: what is wrong and what to do, without a place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Trouble {
    pub(crate) code: &'static str,
    pub(crate) message: Both,
    pub(crate) advice: Both,
}

impl Trouble {
    pub(crate) fn new(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code, message: Both::new(zh, en), advice: Both::default() }
    }

    pub(crate) fn advise(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.advice = Both::new(zh, en);
        self
    }

    /// Turns it into what a host function returns; Rhai adds the place of the call.
    pub(crate) fn thrown(self) -> Box<EvalAltResult> {
        EvalAltResult::ErrorRuntime(rhai::Dynamic::from(self), Position::NONE).into()
    }

    /// Advises the nearest of the known names.
    pub(crate) fn advise_nearest<'n>(
        self,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(nearest) = nearest(name, known.iter().copied()) {
            return self
                .advise(format!("是否想写 {nearest}？"), format!("did you mean {nearest}?"));
        }
        if known.is_empty() {
            return self;
        }
        self.advise(
            format!("可用的有：{}", known.join("、")),
            format!("known are: {}", known.join(", ")),
        )
    }
}

/// Returns the known name that is most like `name`, the first of equals, if one is like it at all.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let typing = strsim::normalized_damerau_levenshtein(name, candidate);
        let beginning = strsim::jaro_winkler(name, candidate);
        if typing < 0.6 && beginning < 0.88 {
            continue;
        }
        let likeness = typing.max(beginning);
        if best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The scripts are not loaded.
    Error,
    /// They are loaded, and somebody should look.
    Warning,
}

/// Something that is wrong with a script, at its place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// Stable code, such as `UNDEFINED_FUNCTION`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// File, relative to the script folder.
    pub file: String,
    /// Line, from 1; 0 when it concerns the whole file.
    pub line: u32,
    /// Column in characters, from 1; 0 when it concerns the whole line.
    pub column: u32,
    /// The line, and a caret below the place.
    pub excerpt: String,
    /// What is wrong.
    pub message: Both,
    /// What to do about it.
    pub advice: Both,
}

impl Finding {
    pub(crate) fn new(trouble: Trouble, file: &str, text: &str, at: Position) -> Self {
        let (line, column) = place(at);
        Self {
            code: trouble.code,
            severity: Severity::Error,
            file: file.to_owned(),
            line,
            column,
            excerpt: excerpt(text, line, column),
            message: trouble.message,
            advice: trouble.advice,
        }
    }

    /// Lets it keep nothing from being loaded.
    pub(crate) fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Points it at another place.
    pub(crate) fn move_to(&mut self, text: &str, at: Position) {
        (self.line, self.column) = place(at);
        self.excerpt = excerpt(text, self.line, self.column);
    }

    /// Returns the order in which findings are shown.
    pub(crate) fn order(&self) -> (&str, u32, u32, &str) {
        (&self.file, self.line, self.column, self.code)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        let mark = match self.severity {
            Severity::Error => "",
            Severity::Warning => " 提醒 / warning",
        };
        writeln!(f, " {}{mark}", self.code)?;
        for line in self.excerpt.lines() {
            writeln!(f, "    | {line}")?;
        }
        writeln!(f, "    {}", self.message.zh)?;
        writeln!(f, "    {}", self.message.en)?;
        if !self.advice.is_empty() {
            writeln!(f, "    → {}", self.advice.zh)?;
            writeln!(f, "    → {}", self.advice.en)?;
        }
        Ok(())
    }
}

fn place(at: Position) -> (u32, u32) {
    let number = |part: Option<usize>| part.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    (number(at.line()), number(at.position()))
}

fn excerpt(text: &str, line: u32, column: u32) -> String {
    let index = (line as usize).checked_sub(1);
    let Some(shown) = index.and_then(|index| text.lines().nth(index)) else {
        return String::new();
    };
    let Some(before) = (column as usize).checked_sub(1) else {
        return shown.to_owned();
    };
    let blank = |letter: char| match letter {
        '\t' => '\t',
        wide if wide as u32 >= 0x1100 => '\u{3000}',
        _ => ' ',
    };
    let gap: String = shown.chars().take(before).map(blank).collect();
    format!("{shown}\n{gap}^")
}

/// Returns what Rhai could not read, in our words.
pub(crate) fn parse_trouble(error: &ParseErrorType) -> Trouble {
    if let ParseErrorType::Reserved(word) = error {
        return reserved(word);
    }
    if let ParseErrorType::VariableUndefined(name) = error {
        return undefined_variable(name);
    }
    let text = error.to_string();
    if let Some(word) = text.split('\'').nth(1).filter(|word| RESERVED.contains(word))
        && text.contains("reserved")
    {
        return reserved(word);
    }
    Trouble::new("SYNTAX", format!("脚本语法错误：{text}"), format!("syntax error: {text}")).advise(
        "请检查此处的括号、逗号和分号是否成对、齐全。",
        "look for a missing bracket, comma or semicolon at or before this place.",
    )
}

fn undefined_variable(name: &str) -> Trouble {
    Trouble::new(
        "UNDEFINED_VARIABLE",
        format!("没有变量 {name}"),
        format!("there is no variable {name}"),
    )
    .advise(
        "请先用 let 定义；函数看不到文件顶层的 let，顶层的 const 要写 global::名字。",
        "define it with let; functions do not see a let of the file, and a const of it is written global::name.",
    )
}

fn reserved(word: &str) -> Trouble {
    Trouble::new(
        "RESERVED_WORD",
        format!("“{word}”是保留字，不能用作函数名、变量名或属性名"),
        format!(
            "'{word}' is a reserved word: no function, variable or property can have this name"
        ),
    )
    .advise(
        format!("若它是数据中的字段名，请用下标写法 x[\"{word}\"]；否则请换一个名字。"),
        format!("if it is a field of data write x[\"{word}\"]; otherwise choose another name."),
    )
}

/// Words that Rhai keeps for itself.
pub(crate) const RESERVED: [&str; 52] = [
    "case",
    "is",
    "with",
    "use",
    "public",
    "match",
    "default",
    "void",
    "null",
    "async",
    "await",
    "yield",
    "thread",
    "go",
    "sync",
    "static",
    "var",
    "shared",
    "goto",
    "protected",
    "package",
    "super",
    "spawn",
    "nil",
    "module",
    "continue",
    "until",
    "do",
    "in",
    "as",
    "this",
    "try",
    "catch",
    "throw",
    "return",
    "private",
    "import",
    "export",
    "print",
    "debug",
    "eval",
    "curry",
    "type_of",
    "is_shared",
    "is_def_var",
    "is_def_fn",
    "Fn",
    "exit",
    "each",
    "then",
    "exec",
    "new",
];

/// Returns what went wrong in a script, without its place.
pub(crate) fn eval_trouble(error: &EvalAltResult) -> Trouble {
    use EvalAltResult as E;
    match error {
        E::ErrorRuntime(thrown, _) => match thrown.read_lock::<Trouble>() {
            Some(trouble) => trouble.clone(),
            None => thrown_trouble(thrown),
        },
        E::ErrorPropertyNotFound(name, _) => Trouble::new(
            "UNKNOWN_MEMBER",
            format!("没有成员 {name}"),
            format!("there is no member {name}"),
        ),
        E::ErrorFunctionNotFound(name, _) => Trouble::new(
            "UNDEFINED_FUNCTION",
            format!("没有接受这些参数的函数：{name}"),
            format!("no function takes these arguments: {name}"),
        ),
        E::ErrorVariableNotFound(name, _) => undefined_variable(name),
        E::ErrorParsing(kind, _) => parse_trouble(kind),
        other => limit_trouble(other).unwrap_or_else(|| {
            let bare = without_place(other);
            Trouble::new(
                "SCRIPT_ERROR",
                format!("脚本出错：{bare}"),
                format!("the script failed: {bare}"),
            )
        }),
    }
}

/// Returns Rhai's own text without the place, which a finding shows by itself.
fn without_place(error: &EvalAltResult) -> String {
    let text = error.to_string();
    match text.rsplit_once(" (line ") {
        Some((bare, _)) => bare.to_owned(),
        None => text,
    }
}

fn thrown_trouble(thrown: &rhai::Dynamic) -> Trouble {
    Trouble::new(
        "SCRIPT_THREW",
        format!("脚本抛出了 {thrown}"),
        format!("the script threw {thrown}"),
    )
    .advise(
        "要不予许可请用 deny(…)；throw 只表示脚本自身有错。",
        "use deny(…) to refuse; throw only says that the script itself is wrong.",
    )
}

fn limit_trouble(error: &EvalAltResult) -> Option<Trouble> {
    use EvalAltResult as E;
    let (zh, en) = match error {
        E::ErrorTooManyOperations(_) | E::ErrorTerminated(..) => (
            "脚本执行的操作过多，可能是死循环".to_owned(),
            "the script takes too many operations, perhaps in an endless loop".to_owned(),
        ),
        E::ErrorStackOverflow(_) => (
            "函数嵌套过深，可能是无限递归".to_owned(),
            "functions call each other too deeply, perhaps without end".to_owned(),
        ),
        E::ErrorDataTooLarge(what, _) => {
            (format!("数据过大：{what}"), format!("data too large: {what}"))
        }
        E::ErrorTooManyVariables(_) => ("变量过多".to_owned(), "too many variables".to_owned()),
        _ => return None,
    };
    Some(Trouble::new("LIMIT_EXCEEDED", zh, en))
}

/// Tells whether an error is a limit that was passed.
pub(crate) fn kind_of(error: &EvalAltResult) -> ScriptFaultKind {
    if limit_trouble(error).is_some() { ScriptFaultKind::Limit } else { ScriptFaultKind::Script }
}

/// Turns a finding into the fault that the engine records.
pub(crate) fn fault(kind: ScriptFaultKind, finding: &Finding) -> ScriptFault {
    let advice =
        if finding.advice.is_empty() { String::new() } else { format!(" → {}", finding.advice) };
    let mut fault = ScriptFault::new(kind, format!("{}{advice}", finding.message));
    fault.file.clone_from(&finding.file);
    fault.line = finding.line;
    fault.column = finding.column;
    fault
}
