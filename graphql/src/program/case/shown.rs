//! A case at an entry, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use tongban_core::port::Frame;
use tongban_core::value::Value;
use tongban_engine::travel::{CaseAt, MatterAt, ScriptAt, ScriptStanding, masked};

/// Characters of a value that one line of text shows.
const VALUE_CHARS: usize = 400;

/// Whether personal data is shown.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Seen {
    /// Masked.
    Masked,
    /// As it is; the reason was noted.
    Clear,
}

impl Seen {
    /// Reads the flag.
    pub(super) fn of(reveal: impl Into<bool>) -> Self {
        if reveal.into() { Self::Clear } else { Self::Masked }
    }

    fn show(self, at: &CaseAt, value: &Value) -> Value {
        match self {
            Self::Masked => masked(&at.case, value),
            Self::Clear => value.clone(),
        }
    }
}

fn wanted<'a>(at: &'a CaseAt, matter: Option<&'a str>) -> impl Iterator<Item = &'a MatterAt> {
    let all = at.matters.iter();
    all.filter(move |one| matter.is_none_or(|code| one.code.as_str() == code))
}

/// Writes it for people.
pub(super) fn text(at: &CaseAt, matter: Option<&str>, seen: Seen) -> String {
    let started = &at.case.started;
    let mut out = String::new();
    let mut line = |text: String| {
        // Writing into a text cannot fail.
        let _done = writeln!(out, "{text}");
    };
    line(format!(
        "办件 {}({}),第 {} / {} 条记录 / entry {} of {}",
        started.number, started.service_name, at.entry.seq, at.last, at.entry.seq, at.last
    ));
    line(format!("{}  {}", at.entry.recorded_at, at.told.zh));
    line(format!("{:25}  {}", at.told.kind, at.told.en));
    line(format!("状态 {}({})", at.state.name(), at.state.code()));
    for matter in wanted(at, matter) {
        line(String::new());
        for text in matter_lines(at, matter, seen) {
            line(text);
        }
    }
    out
}

fn matter_lines(at: &CaseAt, matter: &MatterAt, seen: Seen) -> Vec<String> {
    let (stage, name) = matter.stage;
    let mut lines =
        vec![format!("{} {}({}) — {name}({stage})", matter.no, matter.name, matter.code)];
    if let Some((zh, en)) = &matter.waiting {
        lines.push(format!("  等待  {zh} / {en}"));
    }
    for clock in matter.clocks.iter().filter(|clock| clock.runs) {
        let (_, name) = clock.kind;
        lines.push(format!("  期限  {name}:{},已计 {} 个工作日", clock.due, clock.used_days));
    }
    for task in at.tasks.iter().filter(|task| task.matter == matter.no) {
        let holder = task.holder.as_deref().unwrap_or("—");
        lines.push(format!("  待办  #{} {} {} {holder}", task.no, task.role, task.title));
    }
    for call in at.calls.iter().filter(|call| call.matter == matter.no) {
        lines.push(format!("  调用  {} → {}({})", call.operation, call.connector, call.status));
    }
    if let Some(script) = &matter.script {
        lines.extend(script_lines(at, script, seen));
    }
    lines
}

fn script_lines(at: &CaseAt, script: &ScriptAt, seen: Seen) -> Vec<String> {
    let standing = script.standing;
    let mut lines = vec![format!(
        "  脚本  {}({}),已读到第 {} 条记录",
        standing.name(),
        standing.code(),
        script.seen
    )];
    for awaited in &script.waits {
        lines.push(format!("        等 {} {:?} {}", awaited.key, awaited.kind, awaited.target));
    }
    if let Some(fault) = &script.fault {
        lines.push(format!(
            "        {}:{}:{} {}",
            fault.file, fault.line, fault.column, fault.message
        ));
    }
    for frame in shown_frames(script) {
        lines
            .push(format!("    {}:{}:{} {}", frame.file, frame.line, frame.column, frame.function));
        lines.push(format!("    {:>4} | {}", frame.line, frame.excerpt));
        for (name, value) in &frame.variables {
            let value: String =
                seen.show(at, value).to_string().chars().take(VALUE_CHARS).collect();
            lines.push(format!("         {name} = {value}"));
        }
    }
    lines
}

/// A script that has returned stands nowhere.
fn shown_frames(script: &ScriptAt) -> &[Frame] {
    match script.standing {
        ScriptStanding::Returned | ScriptStanding::Uncaught => &[],
        ScriptStanding::Waits | ScriptStanding::Stopped | ScriptStanding::Failed => &script.frames,
    }
}

/// Writes it for programs.
pub(super) fn json(at: &CaseAt, matter: Option<&str>, seen: Seen) -> Json {
    let started = &at.case.started;
    let matters = wanted(at, matter).map(|matter| matter_json(at, matter, seen));
    json!({
        "case": at.case.id.to_string(),
        "number": started.number,
        "service": started.service.to_string(),
        "closure": at.case.closure().to_string(),
        "entry": at.entry.seq.0,
        "entries": at.last.0,
        "at": at.entry.recorded_at.to_string(),
        "kind": at.told.kind,
        "text": { "zh": at.told.zh, "en": at.told.en },
        "state": at.state.code(),
        "matters": matters.collect::<Vec<_>>(),
    })
}

fn matter_json(at: &CaseAt, matter: &MatterAt, seen: Seen) -> Json {
    let clocks = matter.clocks.iter().map(|clock| {
        json!({
            "kind": clock.kind.0,
            "runs": clock.runs,
            "due": clock.due.to_string(),
            "usedDays": clock.used_days,
        })
    });
    let tasks = at.tasks.iter().filter(|task| task.matter == matter.no).map(|task| {
        json!({
            "entry": task.no.0,
            "kind": task.kind,
            "role": task.role.to_string(),
            "title": task.title,
            "holder": task.holder,
        })
    });
    let calls = at.calls.iter().filter(|call| call.matter == matter.no).map(|call| {
        json!({
            "id": call.id.to_string(),
            "operation": call.operation,
            "connector": call.connector,
            "status": call.status,
        })
    });
    json!({
        "no": matter.no.0,
        "code": matter.code.to_string(),
        "stage": matter.stage.0,
        "waiting": matter.waiting.as_ref().map(|(zh, en)| json!({ "zh": zh, "en": en })),
        "clocks": clocks.collect::<Vec<_>>(),
        "tasks": tasks.collect::<Vec<_>>(),
        "calls": calls.collect::<Vec<_>>(),
        "script": matter.script.as_ref().map(|script| script_json(at, script, seen)),
    })
}

fn script_json(at: &CaseAt, script: &ScriptAt, seen: Seen) -> Json {
    let waits = script.waits.iter().map(|awaited| {
        json!({
            "request": awaited.key.to_string(),
            "kind": format!("{:?}", awaited.kind).to_lowercase(),
            "target": awaited.target,
        })
    });
    let frames = shown_frames(script).iter().map(|frame| {
        let variables = frame.variables.iter();
        let held = variables.map(|(name, value)| (name.clone(), seen.show(at, value).to_json()));
        json!({
            "function": frame.function,
            "file": frame.file,
            "line": frame.line,
            "column": frame.column,
            "excerpt": frame.excerpt,
            "variables": held.collect::<serde_json::Map<_, _>>(),
        })
    });
    json!({
        "standing": script.standing.code(),
        "seen": script.seen.0,
        "waits": waits.collect::<Vec<_>>(),
        "frames": frames.collect::<Vec<_>>(),
        "fault": script.fault.as_ref().map(|fault| json!({
            "file": fault.file,
            "line": fault.line,
            "column": fault.column,
            "message": fault.message,
            "expected": fault.expected,
            "got": fault.got,
        })),
    })
}
