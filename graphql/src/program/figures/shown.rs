//! What figures look like: a few tables for people, one JSON document for programs.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tongban_core::figures::{Bucket, Exemption, Share, Sums};
use tongban_engine::figures::Counted;
use unicode_width::UnicodeWidthStr as _;

/// Columns between two cells of a table.
const GAP: &str = "  ";

/// Parties and matters that a terminal shows before it says that there are more.
const STUCK_SHOWN: usize = 10;

/// Renders figures for people.
pub(super) fn text(counted: &Counted) -> String {
    let span = counted.span;
    let from = span.from.map_or_else(|| "—".to_owned(), |from| from.date().to_string());
    let head = format!(
        "统计 {from} 至 {until},读取办件 {cases} 个,修订号 {revision}\nfigures from {from} until {until}, {cases} cases read at revision {revision}",
        until = span.until,
        cases = counted.cases,
        revision = counted.revision.0,
    );
    let total = table(&whole(&counted.figures.total()));
    let departments = counted.figures.by(|bucket: &Bucket| bucket.department.as_str().to_owned());
    let mut parts = vec![head, total, table(&by_department(&departments))];
    if !counted.figures.waiting.is_empty() {
        parts.push(table(&waiting(counted)));
    }
    parts.join("\n\n")
}

fn whole(sums: &Sums) -> Vec<Vec<String>> {
    let days = |share: Share| share.hundredths().map_or_else(none, decimal);
    let line = |zh: &str, en: &str, value: String| vec![zh.to_owned(), value, en.to_owned()];
    let exemption = &sums.exemption;
    let mut lines = vec![
        line("办件提交", "cases submitted", sums.cases.to_string()),
        line("事项受理", "matters accepted", sums.accepted.to_string()),
        line("其中视为受理", "of these by silence", sums.deemed.to_string()),
        line("事项办结", "matters ended", sums.completed().to_string()),
        line("承诺时限内", "ended within the promise", rate(sums.promised.rate())),
        line("法定时限内", "ended within the law's limit", rate(sums.statutory.rate())),
        line("平均工作日", "working days used, average", days(sums.used.average())),
        line("平均承诺", "working days promised, average", days(sums.used.promised_average())),
        line("每办件补正", "corrections for each case", days(sums.corrections_per_case())),
        line("每事项补正", "corrections for each matter", days(sums.corrections_per_matter())),
        line("正在中止", "suspended now", sums.suspended_now.to_string()),
        line("中止工作日", "working days suspended", sums.suspended_days.to_string()),
        line("实际减免率", "materials exempted", rate(exemption.actual())),
        line("设计减免率", "exempted by design", rate(exemption.design())),
    ];
    lines.extend(exemption.by_cause.iter().map(|(way, count)| {
        line(&format!("免提交 {way}"), &format!("exempted by {way}"), count.to_string())
    }));
    lines.extend(exemption.fallbacks.iter().map(|(cause, count)| {
        let (zh, en) = (format!("改为上传 {cause}"), format!("uploaded after all: {cause}"));
        line(&zh, &en, count.to_string())
    }));
    for ((level, office), cards) in &sums.cards {
        let zh = format!("{} {office}", level.name());
        lines.push(vec![zh, cards.raised.to_string(), format!("{} cards", level.code())]);
    }
    lines
}

fn by_department(departments: &BTreeMap<String, Sums>) -> Vec<Vec<String>> {
    let head = ["部门 department", "受理 accepted", "办结 ended", "按时 on time", "补正", "中止"];
    let rows = departments.iter().map(|(department, sums)| {
        vec![
            department.clone(),
            sums.accepted.to_string(),
            sums.completed().to_string(),
            rate(sums.promised.rate()),
            sums.corrections.to_string(),
            sums.suspended_now.to_string(),
        ]
    });
    std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect()
}

fn waiting(counted: &Counted) -> Vec<Vec<String>> {
    let mut parties: Vec<_> = counted.figures.waiting.iter().collect();
    parties.sort_by_key(|(who, waiting)| (std::cmp::Reverse(waiting.longest), *who));
    let head = ["等谁 waiting for", "事项 matters", "最长工作日 longest"];
    let rows = parties.into_iter().take(STUCK_SHOWN).map(|((party, who), waiting)| {
        let name = format!("{party} {who}").trim_end().to_owned();
        vec![name, waiting.matters.to_string(), waiting.longest.to_string()]
    });
    std::iter::once(head.map(str::to_owned).to_vec()).chain(rows).collect()
}

/// Sets cells under each other by the width of their letters.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let missing = width.saturating_sub(cell.width());
            format!("{cell}{}", " ".repeat(missing))
        });
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn none() -> String {
    "—".to_owned()
}

fn rate(share: Share) -> String {
    let Some(permille) = share.permille() else { return none() };
    format!("{}.{}% ({}/{})", permille / 10, permille % 10, share.part, share.whole)
}

fn decimal(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Renders figures for programs.
pub(super) fn json(counted: &Counted) -> Value {
    let figures = &counted.figures;
    let rows = figures.rows.iter().map(|(bucket, sums)| {
        json!({
            "region": bucket.region.as_str(),
            "department": bucket.department.as_str(),
            "service": bucket.service.as_str(),
            "month": bucket.month.to_string(),
            "sums": sums_json(sums),
        })
    });
    let stuck = counted.stuck.iter().map(|stuck| {
        json!({
            "case": stuck.case.to_string(), "number": stuck.number, "matter": stuck.matter.0,
            "name": stuck.name, "department": stuck.department.as_str(),
            "party": stuck.party.code(), "who": stuck.who, "since": stuck.since.to_string(),
            "days": stuck.days, "until": stuck.until.map(|until| until.to_string()),
            "zh": stuck.zh, "en": stuck.en,
        })
    });
    json!({
        "revision": counted.revision.0,
        "casesRead": counted.cases,
        "from": counted.span.from.map(|from| from.to_string()),
        "until": counted.span.until.to_string(),
        "total": sums_json(&figures.total()),
        "rows": rows.collect::<Vec<_>>(),
        "stuck": stuck.collect::<Vec<_>>(),
    })
}

fn sums_json(sums: &Sums) -> Value {
    let cards = sums.cards.iter().map(|((level, office), cards)| {
        json!({
            "level": level.code(), "office": office, "raised": cards.raised,
            "answered": cards.answered, "lifted": cards.lifted,
        })
    });
    json!({
        "cases": sums.cases,
        "filed": sums.filed,
        "accepted": sums.accepted,
        "deemed": sums.deemed,
        "completed": sums.completed(),
        "endings": sums.ended,
        "promised": { "ended": sums.promised.ended, "onTime": sums.promised.on_time },
        "statutory": { "ended": sums.statutory.ended, "onTime": sums.statutory.on_time },
        "used": {
            "matters": sums.used.matters, "days": sums.used.days,
            "promisedDays": sums.used.promised_days,
        },
        "corrections": sums.corrections,
        "caseCorrections": sums.case_corrections,
        "suspensions": sums.suspensions,
        "suspendedAtOnce": sums.suspended_at_once,
        "suspendedDays": sums.suspended_days,
        "suspendedNow": sums.suspended_now,
        "exemption": exemption_json(&sums.exemption),
        "cards": cards.collect::<Vec<_>>(),
    })
}

fn exemption_json(exemption: &Exemption) -> Value {
    json!({
        "required": exemption.pairs,
        "handedIn": exemption.handed_in,
        "open": exemption.open,
        "byCause": exemption.by_cause,
        "fallbacks": exemption.fallbacks,
        "designRequired": exemption.design_pairs,
        "designHandedIn": exemption.design_handed_in,
    })
}
