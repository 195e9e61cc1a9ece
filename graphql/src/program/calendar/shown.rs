//! What a count looks like: a few lines or a table for people, one JSON document for programs.

use serde_json::{Map, Value, json};
use tongban_core::calendar::{Due, ExplainedDay, Explanation, Weekday, Why};
use tongban_core::time::{Moment, Unit};
use unicode_width::UnicodeWidthStr as _;

use super::Question;

/// Columns between two cells of a table.
const GAP: &str = "  ";

/// Renders a due date for people.
pub(super) fn due_text(question: &Question, due: Due) -> String {
    let date = due.at.date();
    let weekday = Weekday::of(date);
    let mark = if due.provisional { "(暂定 / provisional)" } else { "" };
    let mut lines = vec![format!(
        "{date} {}  {} {}{mark}",
        time_of_day(question, due.at),
        weekday.zh(),
        weekday.en(),
    )];
    lines.extend(asked(question));
    lines.join("\n")
}

/// Renders a due date for programs.
pub(super) fn due_json(question: &Question, due: Due) -> Value {
    let calendar = &question.calendar;
    let stood = question.stood.iter().map(|stood| {
        json!({ "from": stood.from.to_string(), "until": stood.until.map(|until| until.to_string()) })
    });
    json!({
        "due": due.at.date().to_string(),
        "timeOfDay": time_of_day(question, due.at),
        "dueAt": due.at.to_string(),
        "provisional": due.provisional,
        "from": question.since.to_string(),
        "limit": question.limit.to_string(),
        "extended": question.extended,
        "suspended": stood.collect::<Vec<_>>(),
        "calendar": {
            "code": calendar.code(),
            "name": calendar.name(),
            "version": calendar.version(),
            "firstYear": calendar.first_year(),
            "lastYear": calendar.last_year(),
        },
    })
}

/// Renders a count for people: a line for each day, columns by the width of their letters.
pub(super) fn explained_text(question: &Question, explanation: &Explanation) -> String {
    let head = ["日期 date", "星期", "计入", "累计", "原因 why", "依据 source"].map(str::to_owned);
    let rows = explanation.days.iter().map(|day| row(question.limit.unit, day));
    let table: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let widest = |column: usize| table.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(widest).collect();
    let lines = table.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    });
    let mut lines: Vec<String> = lines.collect();
    lines.push(String::new());
    lines.push(format!("届满 / due: {}", due_text(question, explanation.due)));
    lines.join("\n")
}

/// Renders a count for programs.
pub(super) fn explained_json(question: &Question, explanation: &Explanation) -> Value {
    let mut whole = due_json(question, explanation.due);
    let members: &mut Map<String, Value> = whole.as_object_mut().expect("a due date is an object");
    let unit = if is_wall_clock(question.limit.unit) { "milliseconds" } else { "days" };
    members.insert("amountUnit".to_owned(), json!(unit));
    members.insert("merged".to_owned(), json!(explanation.is_merged()));
    members.insert("days".to_owned(), explanation.days.iter().map(day_json).collect());
    whole
}

fn day_json(day: &ExplainedDay) -> Value {
    let (why, holiday, suspension) = match &day.why {
        Why::Event => ("event", None, None),
        Why::Working => ("working", None, None),
        Why::MakeUp { name } => ("make_up", Some(name), None),
        Why::Calendar => ("calendar", None, None),
        Why::WallClock => ("wall_clock", None, None),
        Why::Weekend => ("weekend", None, None),
        Why::Holiday { name } => ("holiday", Some(name), None),
        Why::Suspended { index } => ("suspended", None, Some(index + 1)),
    };
    json!({
        "date": day.date.to_string(),
        "last": day.last.to_string(),
        "weekday": Weekday::of(day.date),
        "counted": day.counted,
        "why": why,
        "holiday": holiday,
        "suspension": suspension,
        "amount": day.amount,
        "total": day.total,
        "provisional": day.provisional,
        "zh": day.zh,
        "en": day.en,
        "source": day.source,
    })
}

fn row(unit: Unit, day: &ExplainedDay) -> [String; 6] {
    let is_run = day.date < day.last;
    [
        if is_run { format!("{}..{}", day.date, day.last) } else { day.date.to_string() },
        if is_run { String::new() } else { Weekday::of(day.date).zh().to_owned() },
        if day.counted { format!("+{}", amount(unit, day.amount)) } else { "-".to_owned() },
        amount(unit, day.total),
        format!("{} / {}", day.zh, day.en),
        day.source.clone(),
    ]
}

/// Writes days as a number, and wall-clock time as hours and minutes.
fn amount(unit: Unit, amount: i64) -> String {
    if !is_wall_clock(unit) {
        return amount.to_string();
    }
    let minutes = amount / 60_000;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// Says what was asked, below the answer.
fn asked(question: &Question) -> Vec<String> {
    let calendar = &question.calendar;
    let more = match question.extended {
        0 => String::new(),
        more => format!(" + {more}"),
    };
    let mut lines = vec![
        format!("  期限 / limit      {}{more}", question.limit),
        format!(
            "  日历 / calendar   {} {} ({}–{})",
            calendar.name(),
            calendar.version(),
            calendar.first_year(),
            calendar.last_year(),
        ),
    ];
    let days_alone = !is_wall_clock(question.limit.unit);
    let plain = |at: Moment| if days_alone { at.date().to_string() } else { at.to_string() };
    for stood in &question.stood {
        let until = stood.until.map_or_else(String::new, plain);
        lines.push(format!("  中止 / suspended  {}..{until}", plain(stood.from)));
    }
    lines
}

/// Writes the end of the last day as 24:00, and a moment as its time of day.
fn time_of_day(question: &Question, at: Moment) -> String {
    if !is_wall_clock(question.limit.unit) {
        return "24:00".to_owned();
    }
    let time = at.time_of_day();
    match time.second() {
        0 => format!("{:02}:{:02}", time.hour(), time.minute()),
        second => format!("{:02}:{:02}:{second:02}", time.hour(), time.minute()),
    }
}

fn is_wall_clock(unit: Unit) -> bool {
    match unit {
        Unit::Hours | Unit::Minutes => true,
        Unit::WorkingDays | Unit::CalendarDays | Unit::Months => false,
    }
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}
