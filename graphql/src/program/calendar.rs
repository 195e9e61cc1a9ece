//! `tongban calendar`: when a limit ends, how that was counted, and new calendars for a folder.
//!
//! The rules are in `tongban_core::calendar`; here a command line becomes their arguments and
//! their answer a text or a JSON document. `source` finds the calendar that is meant, `import`
//! keeps a new version of one. A result outside the loaded years is printed and warned about.

pub(crate) mod args;
mod import;
mod shown;
mod source;

use std::sync::Arc;

use tongban_core::calendar::{Calendar, Calendars, Due, Explanation, Stood};
use tongban_core::port::WireClock as _;
use tongban_core::time::{Moment, Period, Unit};
use tongban_engine::clock::SystemClock;

use self::args::{CalendarTool, CountArguments, Precision, When};
use super::args::Format;
use super::error::{Both, ProgramError};
use super::output;

/// Runs one of the tools.
pub(crate) async fn run(tool: CalendarTool) -> Result<(), ProgramError> {
    match tool {
        CalendarTool::Due(arguments) => due(&arguments).await,
        CalendarTool::Explain(arguments) => explain(&arguments).await,
        CalendarTool::Import(arguments) => import::run(&arguments).await,
    }
}

/// Reads the calendars in force for a data folder: what it keeps over what ships.
pub(crate) async fn in_force(folder: &std::path::Path) -> Result<Calendars, ProgramError> {
    source::in_force(folder).await
}

/// What is asked of a calendar.
struct Question {
    calendar: Arc<Calendar>,
    since: Moment,
    limit: Period,
    extended: u32,
    stood: Vec<Stood>,
    now: Moment,
}

impl Question {
    async fn of(arguments: &CountArguments) -> Result<Self, ProgramError> {
        must_have_times(arguments)?;
        let stood = arguments.suspended.iter().map(|span| Stood {
            from: span.from.moment,
            until: span.until.map(|until| until.moment),
        });
        Ok(Self {
            since: arguments.from.moment,
            limit: arguments.limit,
            extended: arguments.extended,
            stood: stood.collect(),
            now: arguments.now.map_or_else(|| SystemClock.now(), |now| now.moment),
            calendar: source::calendar(&arguments.place).await?,
        })
    }

    fn due(&self) -> Due {
        self.calendar.due_with(self.since, self.limit, self.extended, &self.stood, self.now)
    }

    fn explanation(&self) -> Explanation {
        self.calendar.explain(self.since, self.limit, self.extended, &self.stood, self.now)
    }
}

async fn due(arguments: &CountArguments) -> Result<(), ProgramError> {
    let question = Question::of(arguments).await?;
    let due = question.due();
    match arguments.format {
        Format::Text => output::data(&shown::due_text(&question, due)),
        Format::Json => output::data(&pretty(&shown::due_json(&question, due))),
    }
    warn(&question, due);
    Ok(())
}

async fn explain(arguments: &CountArguments) -> Result<(), ProgramError> {
    let question = Question::of(arguments).await?;
    let explanation = question.explanation();
    match arguments.format {
        Format::Text => output::data(&shown::explained_text(&question, &explanation)),
        Format::Json => output::data(&pretty(&shown::explained_json(&question, &explanation))),
    }
    if explanation.is_merged() {
        output::tell(
            "列表较长,同类的相邻日期合并为一行 / a long list: neighbouring days of one kind share a line",
        );
    }
    warn(&question, explanation.due);
    Ok(())
}

fn pretty(json: &serde_json::Value) -> String {
    serde_json::to_string_pretty(json).expect("names are text and values are plain")
}

fn warn(question: &Question, due: Due) {
    if due.provisional {
        output::tell(&provisional(&question.calendar));
    }
}

fn provisional(calendar: &Calendar) -> String {
    let (first, last) = (calendar.first_year(), calendar.last_year());
    format!(
        "警告:结果为暂定,{} 的放假安排只载入 {first}–{last} 年,之外按平常的工作日推算\nwarning: provisional: {} knows holidays of {first} to {last} only, beyond them the plain week is counted\n  → 放假通知公布后,用 tongban calendar import 导入新年度\n  → once the holiday notice is out, load the year with tongban calendar import",
        calendar.name(),
        calendar.code(),
    )
}

/// Refuses dates where only a time of day gives an answer.
fn must_have_times(arguments: &CountArguments) -> Result<(), ProgramError> {
    match arguments.limit.unit {
        Unit::WorkingDays | Unit::CalendarDays | Unit::Months => return Ok(()),
        Unit::Hours | Unit::Minutes => {}
    }
    let ends = arguments.suspended.iter().flat_map(|span| [Some(span.from), span.until]);
    // What is still suspended is seen at `--now`; otherwise nothing hangs on it.
    let is_open = arguments.suspended.iter().any(|span| span.until.is_none());
    let now = arguments.now.filter(|_| is_open);
    let mut all = [Some(arguments.from), now].into_iter().chain(ends).flatten();
    match all.find(|when| when.precision == Precision::Date) {
        None => Ok(()),
        Some(When { moment, .. }) => Err(ProgramError::CalendarQuestion(Both::new(
            format!("以小时或分钟计的期限须写明时刻,{} 只有日期", moment.date()),
            format!("a limit in hours or minutes needs times; {} is only a date", moment.date()),
        ))),
    }
}

#[cfg(test)]
mod tests;
