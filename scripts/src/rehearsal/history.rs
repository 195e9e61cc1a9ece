//! The printed history of a case: one line per entry, told as people are told it.

use std::collections::BTreeSet;
use std::fmt;

use tongban_core::case::CallStatus;
use tongban_core::id::MatterNo;
use tongban_core::narrative;
use tongban_core::rehearsal::Scene;
use tongban_core::request::Ask;
use tongban_core::time::Moment;

/// One line of a history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// When it was recorded.
    pub at: Moment,
    /// What happened, in one sentence.
    pub told: String,
    /// Whether only the staff sees it.
    pub internal: bool,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.told.replace(['\n', '\r'], " ").replace("${", "$ {").replace('`', "'");
        write!(f, "{} {}", minute(self.at), told.trim_end())
    }
}

/// Prints a moment to the minute: `2026-09-30 09:00`.
pub(crate) fn minute(at: Moment) -> String {
    let time = at.time_of_day();
    format!("{} {:02}:{:02}", at.date(), time.hour(), time.minute())
}

/// Tells everything that has happened, but for the matters in `hidden`.
pub(crate) fn lines(scene: &dyn Scene, hidden: &BTreeSet<MatterNo>) -> Vec<Line> {
    let Some(case) = scene.case() else { return Vec::new() };
    let entries = scene.entries().iter().filter(|entry| !hidden.contains(&entry.matter));
    entries
        .map(|entry| {
            let told = narrative::tell(entry, case);
            Line { at: entry.recorded_at, told: told.zh, internal: told.internal }
        })
        .collect()
}

/// Names everyone who is still waited for: agencies without an answer, people with a task.
pub(crate) fn waiting(scene: &dyn Scene) -> Vec<String> {
    let Some(case) = scene.case() else { return Vec::new() };
    let calls = case.open_calls().filter_map(|call| {
        let request = case.matter(call.matter)?.run.request(&call.request)?;
        let Ask::Call { operation, input, .. } = &request.made.ask else { return None };
        let how = match call.status {
            CallStatus::Accepted { .. } => "已接收,未办结 / taken, not ended",
            CallStatus::Failed => "未成功 / failed",
            CallStatus::Manual { .. } => "人工办理 / by hand",
            CallStatus::Open | CallStatus::Over | CallStatus::Abandoned => "未答复 / no answer",
        };
        Some(format!("{operation} {input}: {how}"))
    });
    let tasks = case.open_tasks().map(|task| {
        let matter = case.matter(task.matter).map_or("", |matter| matter.planned.code.as_str());
        format!("{}「{}」: {matter}", task.role, task.opened.title)
    });
    calls.chain(tasks).collect()
}

/// Brings a history in a file into the form that is compared: its lines without the spaces around.
pub(crate) fn plain(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}
