//! The run, live: a lane per matter.
//!
//! On a terminal the lanes are drawn again in place; elsewhere each change of a lane is one
//! line. Both go to standard error, so that standard output holds the result alone.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use super::snapshot::{Lane, Progress, Snapshot};
use super::text::{fit, minutes};
use crate::program::output;

const NAME_COLUMNS: usize = 30;
const STATE_COLUMNS: usize = 10;
const TIME_COLUMNS: usize = 14;

/// Milliseconds between two decisions on a terminal.
const PAUSE_MILLIS: u64 = 500;

/// Lines are cut at the terminal's edge instead of wrapping, which would spoil the redrawing.
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";

/// Shows a run.
pub(super) enum Live {
    /// In place, after so many lines drawn before.
    InPlace(usize),
    /// As lines, after what was told of each matter before.
    Lines(BTreeMap<String, String>),
}

impl Live {
    /// Begins to show on standard error, in the way that fits it.
    pub(super) fn begin() -> Self {
        if std::io::stderr().is_terminal() {
            Self::InPlace(0)
        } else {
            Self::Lines(BTreeMap::new())
        }
    }

    /// Returns the milliseconds to wait before each decision, so that eyes can follow.
    pub(super) fn pause_millis(&self) -> u64 {
        match self {
            Self::InPlace(_) => PAUSE_MILLIS,
            Self::Lines(_) => 0,
        }
    }

    /// Shows the case as it is.
    pub(super) fn show(&mut self, snapshot: &Snapshot) {
        match self {
            Self::InPlace(drawn) => {
                let lines = picture(snapshot);
                let back =
                    if *drawn == 0 { String::new() } else { format!("\x1b[{drawn}A\r\x1b[J") };
                *drawn = lines.len();
                output::tell(&format!("{back}{WRAP_OFF}{}{WRAP_ON}", lines.join("\n")));
            }
            Self::Lines(told) => {
                for line in news(told, snapshot) {
                    output::tell(&line);
                }
            }
        }
    }
}

/// Draws the whole case.
fn picture(snapshot: &Snapshot) -> Vec<String> {
    let elapsed = minutes(snapshot.now.since(snapshot.submitted_at));
    let mut lines = vec![
        format!("{} {} · {}", snapshot.service_name, snapshot.number, snapshot.applicant),
        format!("法定时间 {} · 已用 {elapsed} · {}", clock(snapshot), snapshot.state_label),
    ];
    lines.extend(snapshot.matters.iter().map(|lane| {
        let took = lane.elapsed(snapshot.now).map(minutes).unwrap_or_default();
        let name = fit(&lane.name, NAME_COLUMNS);
        let state = fit(&lane.state_label, STATE_COLUMNS);
        format!("{} {name} {state} {} {}", mark(lane), fit(&took, TIME_COLUMNS), last(lane))
    }));
    lines
}

/// Tells the lanes that changed.
fn news(told: &mut BTreeMap<String, String>, snapshot: &Snapshot) -> Vec<String> {
    let mut lines = Vec::new();
    for lane in &snapshot.matters {
        let now = format!("{} {}", fit(&lane.state_label, STATE_COLUMNS), last(lane));
        if told.get(&lane.code) == Some(&now) {
            continue;
        }
        let name = fit(&lane.name, NAME_COLUMNS);
        lines.push(format!("{} {} {name} {now}", clock(snapshot), mark(lane)));
        told.insert(lane.code.clone(), now);
    }
    lines
}

fn clock(snapshot: &Snapshot) -> String {
    let text = snapshot.now.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

fn mark(lane: &Lane) -> &'static str {
    match lane.progress() {
        Progress::Planned => "○",
        Progress::UnderWay => "▶",
        Progress::Granted => "✔",
        Progress::Otherwise => "✘",
    }
}

/// The result of a matter that has ended, or who is waited for.
fn last(lane: &Lane) -> &str {
    match lane.progress() {
        Progress::Planned | Progress::UnderWay => &lane.waiting,
        Progress::Granted | Progress::Otherwise => &lane.result,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use tongban_core::time::Moment;

    use super::*;

    fn snapshot() -> Snapshot {
        let nine = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        let lane = |code: &str, name: &str, state: (&str, &str)| Lane {
            code: code.to_owned(),
            name: name.to_owned(),
            state: state.0.to_owned(),
            state_label: state.1.to_owned(),
            ..Lane::default()
        };
        Snapshot {
            number: "420302-20260302-000001".to_owned(),
            service_name: "开工审批一件事".to_owned(),
            state: "partially_completed".to_owned(),
            state_label: "部分办结".to_owned(),
            applicant: "十堰示例置业有限公司".to_owned(),
            submitted_at: nine,
            now: nine.plus_millis(95 * 60_000),
            matters: vec![
                Lane {
                    since: Some(nine),
                    until: Some(nine.plus_millis(12 * 60_000)),
                    result: "2603-420302-04-01-000001".to_owned(),
                    ..lane("investment-filing", "企业投资项目备案", ("granted", "准予"))
                },
                Lane {
                    since: Some(nine),
                    waiting: "等 natural-resources.approver:审查".to_owned(),
                    ..lane(
                        "engineering-planning-permit",
                        "建设工程规划许可证核发",
                        ("accepted", "已受理"),
                    )
                },
                Lane {
                    waiting: "等前置事项:建设工程规划许可证核发".to_owned(),
                    ..lane("construction-permit", "建筑工程施工许可证核发", ("planned", "待前置"))
                },
            ],
            ..Snapshot::default()
        }
    }

    #[test]
    fn every_matter_has_a_lane_that_lines_up() {
        expect![[r"
            开工审批一件事 420302-20260302-000001 · 十堰示例置业有限公司
            法定时间 2026-03-02 10:35 · 已用 1 小时 35 分 · 部分办结
            ✔ 企业投资项目备案               准予       12 分          2603-420302-04-01-000001
            ▶ 建设工程规划许可证核发         已受理     1 小时 35 分   等 natural-resources.approver:审查
            ○ 建筑工程施工许可证核发         待前置                    等前置事项:建设工程规划许可证核发"]].assert_eq(&picture(&snapshot()).join("\n"));
    }

    #[test]
    fn without_a_terminal_only_changes_are_told() {
        let mut told = BTreeMap::new();
        let mut snapshot = snapshot();
        assert_eq!(news(&mut told, &snapshot).len(), 3);
        assert!(news(&mut told, &snapshot).is_empty());
        snapshot.matters[2].state_label = "已送达".to_owned();
        assert_eq!(news(&mut told, &snapshot).len(), 1);
    }
}
