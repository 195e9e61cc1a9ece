//! What a run came to: a table and numbers for people, one JSON document for programs.

use serde_json::{Value, json};

use super::agencies::Traffic;
use super::driver::Course;
use super::plan::Plan;
use super::snapshot::{Lane, Snapshot};
use super::text::{columns, fit, minutes};

/// What a run came to.
pub(super) struct Summary<'a> {
    pub(super) plan: &'a Plan,
    pub(super) course: &'a Course,
    pub(super) traffic: Traffic,
    /// Milliseconds of real time.
    pub(super) wall_millis: i64,
    /// Folder of the store.
    pub(super) data: String,
}

impl Summary<'_> {
    /// Renders it for programs.
    pub(super) fn json(&self) -> Value {
        let case = &self.course.last;
        let matter = |lane: &Lane| {
            json!({
                "code": lane.code,
                "name": lane.name,
                "department": lane.department,
                "state": lane.state,
                "result": lane.result,
                "workingDays": lane.working_days,
                "lawfulMinutes": lane.elapsed(case.now).map(|millis| millis / 60_000),
            })
        };
        let exemption = Exemption::of(case);
        json!({
            "cases": [{
                "service": case.service,
                "state": case.state,
                "number": case.number,
                "matters": case.matters.iter().map(matter).collect::<Vec<_>>(),
            }],
            "numbers": {
                "calls": self.traffic.calls,
                "callbacks": self.traffic.callbacks,
                "revision": case.revision,
                "events": self.course.events,
                "mattersAtOnce": self.course.at_once,
                "materialsExempted": exemption.exempted,
                "materialsRequired": exemption.required,
                "lawfulMinutes": case.now.since(case.submitted_at) / 60_000,
                "wallMillis": self.wall_millis,
            },
            "data": self.data,
        })
    }

    /// Renders it for people.
    pub(super) fn text(&self) -> String {
        let case = &self.course.last;
        let rows = case.matters.iter().map(|lane| {
            [
                lane.name.clone(),
                self.plan.department(&lane.department).to_owned(),
                lane.state_label.clone(),
                lane.result.clone(),
                lane.elapsed(case.now).map(took).unwrap_or_default(),
            ]
        });
        let head = ["事项 matter", "部门 department", "结果 result", "文号 number", "用时 time"];
        let rows: Vec<[String; 5]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
        let title = format!("{} {} {}", case.service_name, case.number, case.state_label);
        format!("{title}\n\n{}\n{}", table(&rows), self.numbers())
    }

    fn numbers(&self) -> String {
        let case = &self.course.last;
        let exemption = Exemption::of(case);
        let lawful = minutes(case.now.since(case.submitted_at));
        let wall = self.wall_millis / 1_000;
        let tenths = self.wall_millis % 1_000 / 100;
        [
            format!("法定用时 lawful time      {lawful}"),
            format!("真实用时 wall time        {wall}.{tenths} s"),
            format!("同时办理 at once          {} 项 matters", self.course.at_once),
            format!(
                "免提交 exempted           {} / {} 份材料 materials",
                exemption.exempted, exemption.required
            ),
            format!(
                "调用 calls                {} (回调 callbacks {})",
                self.traffic.calls, self.traffic.callbacks
            ),
            format!(
                "事件 events               {} (修订号 revision {})",
                self.course.events, case.revision
            ),
        ]
        .join("\n")
    }
}

/// How many materials nobody had to hand in (免提交).
struct Exemption {
    exempted: usize,
    required: usize,
}

impl Exemption {
    /// A material that the service tolerated and that came later as a result counts as exempted.
    fn of(case: &Snapshot) -> Self {
        let states = || case.matters.iter().flat_map(|lane| lane.materials.values());
        let is_exempted = |state: &&String| matches!(state.as_str(), "exempted" | "owed");
        Self { exempted: states().filter(is_exempted).count(), required: states().count() }
    }
}

fn took(millis: i64) -> String {
    if millis < 60_000 { "当场".to_owned() } else { minutes(millis) }
}

fn table(rows: &[[String; 5]]) -> String {
    let widths: Vec<usize> = (0..5)
        .map(|column| rows.iter().map(|row| columns(&row[column])).max().unwrap_or_default())
        .collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| fit(cell, *width));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect();
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    lines.insert(1.min(lines.len()), rule.join("  "));
    lines.join("\n") + "\n"
}
