//! The upgrade report, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use tongban_core::definition::Closure;
use tongban_core::dry_run::{Divergence, Found, MatterVerdict, Proof};
use tongban_engine::upgrade::Upgrade;

use super::Report;

/// Writes it for people: the sums, then every case that does not simply pass.
pub(super) fn text(closure: &Closure, report: &Report) -> String {
    let tally = report.tally;
    let mut out = format!(
        "服务 {}({}) → 版本 {}\n共 {} 个在途办件:通过 {},决定中 {},不一致 {},未能判断 {}\n",
        closure.service.name,
        closure.service.code,
        closure.digest,
        tally.cases(),
        tally.passes,
        tally.opaque,
        tally.diverges,
        tally.unknown,
    );
    for upgrade in &report.cases {
        let outcome = upgrade.verdict.outcome();
        let head = format!("\n{} {}({})", upgrade.number, outcome.name(), outcome.code());
        // Writing into a text cannot fail.
        let _done = writeln!(out, "{head}");
        for matter in &upgrade.verdict.matters {
            for line in matter_lines(matter) {
                let _done = writeln!(out, "{line}");
            }
        }
    }
    out
}

fn matter_lines(matter: &MatterVerdict) -> Vec<String> {
    let code = &matter.code;
    match &matter.found {
        Found::Idle | Found::Passes(_) => Vec::new(),
        Found::Opaque(proof) => {
            let upto = proof.upto;
            vec![format!(
                "  {code}: 停在审批决定中,已确认到第 {upto} 条记录 / in an open decision, proven up to entry {upto}"
            )]
        }
        Found::Unknown(fault) => vec![format!("  {code}: {fault}")],
        Found::Diverges(divergence) => diverged(code.as_str(), divergence),
    }
}

fn diverged(code: &str, divergence: &Divergence) -> Vec<String> {
    let Divergence { request, upto, fault } = divergence;
    let request = request.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut lines = vec![format!("  {code}: {}", fault.message)];
    if !fault.file.is_empty() {
        let (file, line, column) = (&fault.file, fault.line, fault.column);
        lines.push(format!("    {file}:{line}:{column}  {request}  (第 {upto} 条记录之前一致)"));
    }
    if !fault.expected.is_empty() {
        lines.push(format!("    日志 / journal: {}", fault.expected));
        lines.push(format!("    脚本 / script:  {}", fault.got));
    }
    lines
}

/// Writes it for programs.
pub(super) fn json(closure: &Closure, report: &Report) -> Json {
    let tally = report.tally;
    json!({
        "service": closure.service.code.to_string(),
        "closure": closure.digest.to_string(),
        "cases": tally.cases(),
        "passes": tally.passes,
        "opaque": tally.opaque,
        "diverges": tally.diverges,
        "unknown": tally.unknown,
        "found": report.cases.iter().map(case_json).collect::<Vec<_>>(),
    })
}

fn case_json(upgrade: &Upgrade) -> Json {
    let matters = upgrade.verdict.matters.iter().filter_map(matter_json);
    json!({
        "case": upgrade.case.to_string(),
        "number": upgrade.number,
        "from": upgrade.from.to_string(),
        "outcome": upgrade.verdict.outcome().code(),
        "matters": matters.collect::<Vec<_>>(),
    })
}

fn matter_json(matter: &MatterVerdict) -> Option<Json> {
    let code = matter.code.to_string();
    let outcome = matter.found.outcome().code();
    match &matter.found {
        Found::Idle => None,
        Found::Passes(Proof { upto, asks, .. }) | Found::Opaque(Proof { upto, asks, .. }) => {
            let asks = asks.iter().map(|(_, target)| target).collect::<Vec<_>>();
            Some(json!({ "matter": code, "outcome": outcome, "upto": upto.0, "asks": asks }))
        }
        Found::Unknown(fault) => {
            Some(json!({ "matter": code, "outcome": outcome, "message": fault.message }))
        }
        Found::Diverges(divergence) => Some(json!({
            "matter": code,
            "outcome": outcome,
            "upto": divergence.upto.0,
            "request": divergence.request.as_ref().map(ToString::to_string),
            "message": divergence.fault.message,
            "expected": divergence.fault.expected,
            "got": divergence.fault.got,
            "file": divergence.fault.file,
            "line": divergence.fault.line,
            "column": divergence.fault.column,
        })),
    }
}
