//! A verdict as text for a person and as JSON for a program.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use tongban_core::identifier::{Flaw, Kind, Part, Verdict, Warning};

use crate::program::args::Format;

/// Writes a verdict in the wanted format.
pub(super) fn rendered(verdict: &Verdict, format: Format) -> String {
    match format {
        Format::Text => text(verdict),
        Format::Json => serde_json::to_string_pretty(&Document::of(verdict))
            .expect("a verdict has only text names"),
    }
}

fn text(verdict: &Verdict) -> String {
    let (zh, en) =
        verdict.kind.map_or(("未知类别", "unknown kind"), |kind| (kind.name(), kind.english()));
    let mut lines = String::new();
    let mut line = |text: String| writeln!(lines, "{text}").expect("text takes text");
    match &verdict.reason {
        None => line(format!("有效:{zh} / valid: {en}")),
        Some(flaw) => {
            line(format!("无效:{zh} / not valid: {en}"));
            line(format!("  原因:{}", flaw.chinese()));
            line(format!("  reason: {}", flaw.english()));
        }
    }
    for part in &verdict.parts {
        let (zh, en) = part.label;
        line(format!("  {zh} / {en}: {}", explained(part)));
    }
    for warning in &verdict.warnings {
        line(format!("  提示:{}", warning.chinese()));
        line(format!("  note: {}", warning.english()));
    }
    lines
}

/// Writes a value with its meaning: a number before it, a word of ours after it.
fn explained(part: &Part) -> String {
    let Part { value, meaning, .. } = part;
    let is_word = value.bytes().all(|byte| byte.is_ascii_lowercase());
    match (meaning.is_empty(), is_word) {
        (true, _) => value.clone(),
        (false, true) => format!("{meaning} / {value}"),
        (false, false) => format!("{value} {meaning}"),
    }
}

/// The JSON form; its names are stable.
#[derive(Serialize)]
struct Document<'a> {
    kind: &'static str,
    valid: bool,
    reason: Option<String>,
    reason_code: Option<&'static str>,
    warnings: Vec<String>,
    warning_codes: Vec<&'static str>,
    value: &'a str,
    parts: BTreeMap<&'static str, &'a str>,
}

impl<'a> Document<'a> {
    fn of(verdict: &'a Verdict) -> Self {
        let both = |flaw: &Flaw| format!("{} / {}", flaw.chinese(), flaw.english());
        Self {
            kind: verdict.kind.map_or("unknown", Kind::code),
            valid: verdict.is_valid(),
            reason: verdict.reason.as_ref().map(both),
            reason_code: verdict.reason.as_ref().map(Flaw::code),
            warnings: verdict.warnings.iter().map(ToString::to_string).collect(),
            warning_codes: verdict.warnings.iter().map(Warning::code).collect(),
            value: &verdict.value,
            parts: verdict.parts.iter().map(|part| (part.code, part.value.as_str())).collect(),
        }
    }
}
