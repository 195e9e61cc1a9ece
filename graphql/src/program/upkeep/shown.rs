//! What checks and backups look like, for people and for programs.

use serde_json::{Value, json};
use tongban_engine::upkeep::{Carried, Manifest, Report};

use crate::program::args::Format;

/// Differences that a terminal shows before it says that there are more.
const SHOWN_MAX: usize = 200;

/// Renders a report.
pub(super) fn report(report: &Report, format: Format) -> String {
    match format {
        Format::Text => text(report),
        Format::Json => format!("{:#}", value(report)),
    }
}

fn text(report: &Report) -> String {
    let mut lines: Vec<String> = report
        .differences
        .iter()
        .take(SHOWN_MAX)
        .map(|one| {
            let case = one.case.map_or_else(|| "-".to_owned(), |case| case.to_string());
            let (expected, got) = (or_none(&one.expected), or_none(&one.got));
            format!("{case} {}\n  应为 expected {expected}\n  实有 got      {got}", one.family)
        })
        .collect();
    if let Some(more) = report.differences.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        lines.push(format!("另有 {more} 处,见 --format json / {more} more, see --format json"));
    }
    lines.push(format!(
        "办件 {} 个、记录 {} 条、索引 {} 行、事件 {} 项、文件 {} 个;差异 {} 处,已改正 {} 件\n{} cases, {} entries, {} index rows, {} feed items, {} files; {} differences, {} mended",
        report.cases, report.entries, report.rows, report.feed_items, report.files,
        report.differences.len(), report.mended,
        report.cases, report.entries, report.rows, report.feed_items, report.files,
        report.differences.len(), report.mended,
    ));
    if report.behind > 0 {
        lines.push(format!(
            "{0} 个在办办件的期限按旧日历推算,服务启动后自动重算 / {0} open cases were read by another calendar; a server reads them anew by itself",
            report.behind
        ));
    }
    lines.join("\n")
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "—" } else { text }
}

fn value(report: &Report) -> Value {
    let differences = report.differences.iter().map(|one| {
        json!({
            "case": one.case.map(|case| case.to_string()),
            "family": one.family.code(),
            "expected": one.expected,
            "got": one.got,
        })
    });
    json!({
        "cases": report.cases,
        "entries": report.entries,
        "rows": report.rows,
        "feedItems": report.feed_items,
        "files": report.files,
        "behind": report.behind,
        "mended": report.mended,
        "differences": differences.collect::<Vec<_>>(),
    })
}

/// Renders what a backup holds.
pub(super) fn manifest(manifest: &Manifest) -> String {
    format!(
        "{:#}",
        json!({
            "revision": manifest.revision,
            "generation": manifest.generation,
            "takenAt": manifest.taken_at,
            "counts": manifest.counts,
            "segments": manifest.segments.len(),
        })
    )
}

/// Renders what was carried.
pub(super) fn carried(carried: &Carried) -> String {
    format!("{:#}", json!(carried))
}
