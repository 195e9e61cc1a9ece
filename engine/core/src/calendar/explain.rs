//! The count of a deadline, day by day: what was counted, what was skipped, why and after what.
//!
//! It follows the rule at the head of `count` and ends on the day that `due_with` names. One line
//! stands for one day while the whole spans at most [`EXPLAINED_DAYS_MAX`] days. In a longer list
//! neighbouring days that are counted, or skipped, for the same reason share a line from `date`
//! to `last`, and a suspension is one line however long; so a list is bounded by the amounts and
//! suspensions that were given and not by the years that they reach.

use jiff::civil::Date;

use super::count::{
    FrozenDays, FrozenTime, amount_of, days_between, frozen_days, frozen_time, millis_of,
};
use super::{Calendar, DayKind, Due, Stood, Weekday};
use crate::time::{Moment, Period, Unit};

/// Days that a list may span and still have a line for each.
pub const EXPLAINED_DAYS_MAX: i64 = 400;

/// A deadline and the count behind it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// When it is due; the same as [`Calendar::due_with`] says.
    pub due: Due,
    /// The days in order, from the day of the event to the last one counted.
    pub days: Vec<ExplainedDay>,
}

impl Explanation {
    /// Tells whether neighbouring days share lines.
    pub fn is_merged(&self) -> bool {
        self.days.iter().any(|line| line.date < line.last)
    }
}

/// A day of a count, or several neighbouring ones of one kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExplainedDay {
    /// The day; the first of several.
    pub date: Date,
    /// The last of several; the same as `date` for one.
    pub last: Date,
    /// Whether it was counted.
    pub counted: bool,
    /// Why.
    pub why: Why,
    /// What the line counts, or what a suspension froze in it: working days for budgets in working
    /// days, days for calendar days and months, milliseconds for hours and minutes.
    pub amount: i64,
    /// All that was counted up to the end of the line, as in `amount`.
    pub total: i64,
    /// Whether the day lies outside the loaded years, so that a notice may still change it.
    pub provisional: bool,
    /// The reason in Chinese.
    pub zh: String,
    /// The reason in English.
    pub en: String,
    /// What the reason rests on: the law, the notice, or the calendar with its version.
    pub source: String,
}

/// Why a day was counted or skipped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Why {
    /// The day of the event, which never counts.
    Event,
    /// An ordinary working day: counted.
    Working,
    /// A workday that makes up for a holiday: counted.
    MakeUp {
        /// The holiday.
        name: String,
    },
    /// A day of a budget in calendar days or months: counted.
    Calendar,
    /// A day of a budget in hours or minutes: its running time is counted.
    WallClock,
    /// A weekday on which offices of the place rest: skipped.
    Weekend,
    /// A holiday: skipped.
    Holiday {
        /// Its name.
        name: String,
    },
    /// A suspended day: skipped, whatever it is otherwise.
    Suspended {
        /// Position of the suspension in the list that was given.
        index: usize,
    },
}

impl Why {
    fn is_counted(&self) -> bool {
        match self {
            Self::Working | Self::MakeUp { .. } | Self::Calendar | Self::WallClock => true,
            Self::Event | Self::Weekend | Self::Holiday { .. } | Self::Suspended { .. } => false,
        }
    }
}

/// Days of one kind, before they are put in words.
struct Line {
    date: Date,
    last: Date,
    why: Why,
    amount: i64,
}

/// Whether each day has its line.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Grain {
    Days,
    Runs,
}

impl Calendar {
    /// Returns the count behind [`Calendar::due_with`], day by day.
    #[expect(clippy::too_many_arguments, reason = "the arguments of the count that it explains")]
    pub fn explain(
        &self,
        since: Moment,
        budget: Period,
        more: u32,
        stood: &[Stood],
        now: Moment,
    ) -> Explanation {
        let due = self.due_with(since, budget, more, stood, now);
        let lines = match budget.unit {
            Unit::WorkingDays | Unit::CalendarDays | Unit::Months => {
                let frozen = frozen_days(since.date(), stood, now);
                self.day_lines(since.date(), due.at.date(), budget.unit, &frozen)
            }
            Unit::Hours | Unit::Minutes => {
                let length = i64::from(amount_of(budget, more)) * millis_of(budget.unit);
                time_lines(since, due.at, &frozen_time(since, stood, now), length)
            }
        };
        let mut total = 0;
        let worded = lines.into_iter().map(|line| {
            total += if line.why.is_counted() { line.amount } else { 0 };
            self.worded(line, budget.unit, total)
        });
        Explanation { due, days: worded.collect() }
    }

    fn day_lines(&self, event: Date, due: Date, unit: Unit, frozen: &[FrozenDays]) -> Vec<Line> {
        let mut lines = Lines::from(event, due);
        lines.push(Line { date: event, last: event, why: Why::Event, amount: 0 });
        let mut ahead = frozen.iter().peekable();
        let mut day = event;
        while day < due {
            let Ok(date) = day.tomorrow() else { break };
            while ahead.next_if(|days| days.last < date).is_some() {}
            let line = match ahead.peek().filter(|days| days.first <= date) {
                Some(days) => {
                    let last = lines.end_of(date, days.last);
                    let why = Why::Suspended { index: days.index };
                    Line { date, last, why, amount: self.counted_within(date, last, unit) }
                }
                None => self.running_day(date, unit),
            };
            day = line.last;
            lines.push(line);
        }
        lines.kept
    }

    /// Returns how many days from `first` to `last` would have counted.
    fn counted_within(&self, first: Date, last: Date, unit: Unit) -> i64 {
        match unit {
            Unit::WorkingDays => {
                let before = first.yesterday().unwrap_or(Date::MIN);
                i64::from(self.working_days(before, last))
            }
            Unit::CalendarDays | Unit::Months | Unit::Hours | Unit::Minutes => {
                days_between(first, last) + 1
            }
        }
    }

    fn running_day(&self, date: Date, unit: Unit) -> Line {
        let special = self.days.get(&date).map(|special| (special.kind, special.name.clone()));
        let why = match (unit, special) {
            (Unit::CalendarDays | Unit::Months | Unit::Hours | Unit::Minutes, _) => Why::Calendar,
            (Unit::WorkingDays, Some((DayKind::Holiday, name))) => Why::Holiday { name },
            (Unit::WorkingDays, Some((DayKind::Workday, name))) => Why::MakeUp { name },
            (Unit::WorkingDays, None) if self.is_open_weekday(date) => Why::Working,
            (Unit::WorkingDays, None) => Why::Weekend,
        };
        Line { date, last: date, amount: i64::from(why.is_counted()), why }
    }

    fn worded(&self, line: Line, unit: Unit, total: i64) -> ExplainedDay {
        let provisional = self.is_unknown(line.date) || self.is_unknown(line.last);
        let (mut zh, mut en) = words(&line, unit);
        if provisional {
            zh.push_str(";暂定:放假安排未载入");
            en.push_str("; provisional: no holiday notice loaded");
        }
        ExplainedDay {
            counted: line.why.is_counted(),
            source: self.source_of(&line),
            date: line.date,
            last: line.last,
            why: line.why,
            amount: line.amount,
            total,
            provisional,
            zh,
            en,
        }
    }

    fn source_of(&self, line: &Line) -> String {
        match &line.why {
            Why::Event => "民法典第二百零一条".to_owned(),
            Why::Suspended { index } => format!("中止记录第 {} 条", index + 1),
            Why::MakeUp { .. } | Why::Holiday { .. } => {
                self.days.get(&line.date).map_or_else(String::new, |day| day.source.clone())
            }
            Why::Working | Why::Calendar | Why::WallClock | Why::Weekend => {
                format!("{} {}", self.name, self.version)
            }
        }
    }
}

/// Lines being gathered, each day its own or runs of one kind together.
struct Lines {
    kept: Vec<Line>,
    grain: Grain,
}

impl Lines {
    fn from(first: Date, last: Date) -> Self {
        let each = days_between(first, last) < EXPLAINED_DAYS_MAX;
        Self { kept: Vec::new(), grain: if each { Grain::Days } else { Grain::Runs } }
    }

    /// Returns where a line ends that begins at `first` and could reach to `last`.
    fn end_of(&self, first: Date, last: Date) -> Date {
        match self.grain {
            Grain::Days => first,
            Grain::Runs => last,
        }
    }

    fn push(&mut self, line: Line) {
        match self.kept.last_mut() {
            Some(run) if self.grain == Grain::Runs && run.why == line.why => {
                run.last = line.last;
                run.amount += line.amount;
            }
            _ => self.kept.push(line),
        }
    }
}

/// Lines of a count of `length` milliseconds of wall-clock time.
fn time_lines(since: Moment, due: Moment, frozen: &[FrozenTime], length: i64) -> Vec<Line> {
    let mut lines = Lines::from(since.date(), due.date());
    let mut ahead = frozen.iter().peekable();
    let mut at = since;
    let mut left = length;
    while left > 0 {
        let date = at.date();
        let day_ends = Moment::end_of(date).plus_millis(1);
        while ahead.next_if(|time| time.until <= at).is_some() {}
        let stands = ahead.peek().filter(|time| time.from <= at);
        let line = if let Some(time) = stands {
            let until =
                if lines.grain == Grain::Runs { time.until } else { time.until.min(day_ends) };
            let why = Why::Suspended { index: time.index };
            let last = until.plus_millis(-1).date();
            Line { date, last, why, amount: until.since(at) }
        } else {
            let until = ahead.peek().map_or(day_ends, |time| time.from.min(day_ends));
            let amount = until.since(at).min(left);
            left -= amount;
            Line { date, last: date, why: Why::WallClock, amount }
        };
        at = at.plus_millis(line.amount);
        if line.amount == 0 {
            break;
        }
        lines.push(line);
    }
    lines.kept
}

fn words(line: &Line, unit: Unit) -> (String, String) {
    let (zh, en) = (Weekday::of(line.date).zh(), Weekday::of(line.date).en());
    match &line.why {
        Why::Event => ("发生日,不计入".to_owned(), "day of the event, never counted".to_owned()),
        Why::Working => ("工作日".to_owned(), "working day".to_owned()),
        Why::MakeUp { name } => (format!("调休上班({name})"), format!("make-up workday ({name})")),
        Why::Calendar => ("自然日".to_owned(), "calendar day".to_owned()),
        Why::WallClock => {
            let (zh, en) = duration(line.amount);
            (format!("计入 {zh}"), format!("{en} counted"))
        }
        Why::Weekend if line.date < line.last || is_weekend(line.date) => {
            ("周末".to_owned(), "weekend".to_owned())
        }
        Why::Weekend => (format!("{zh}不办公"), format!("offices rest on {en}")),
        Why::Holiday { name } => (format!("{name}放假"), format!("holiday ({name})")),
        Why::Suspended { index } => suspended(line, unit, index + 1),
    }
}

fn suspended(line: &Line, unit: Unit, number: usize) -> (String, String) {
    let (zh, en) = match unit {
        Unit::Hours | Unit::Minutes => {
            let (zh, en) = duration(line.amount);
            (format!("冻结 {zh}"), format!("{en} frozen"))
        }
        Unit::WorkingDays if line.amount == 0 => {
            ("本非工作日".to_owned(), "no working day anyway".to_owned())
        }
        Unit::WorkingDays => plural(line.amount, "个工作日", "working day"),
        Unit::CalendarDays | Unit::Months => plural(line.amount, "日", "day"),
    };
    (format!("第 {number} 次中止,{zh}"), format!("suspension {number}, {en}"))
}

fn plural(count: i64, zh: &str, en: &str) -> (String, String) {
    let ending = if count == 1 { "" } else { "s" };
    (format!("冻结 {count} {zh}"), format!("{count} {en}{ending} frozen"))
}

/// Returns a length of time in both languages, to the second.
fn duration(millis: i64) -> (String, String) {
    let seconds = millis / 1_000;
    let parts = [
        (seconds / 3_600, "小时", "h"),
        (seconds / 60 % 60, "分", "min"),
        (seconds % 60, "秒", "s"),
    ];
    let some = || parts.iter().filter(|(count, _, _)| *count > 0);
    let zh: Vec<String> = some().map(|(count, zh, _)| format!("{count} {zh}")).collect();
    let en: Vec<String> = some().map(|(count, _, en)| format!("{count} {en}")).collect();
    if zh.is_empty() {
        return ("不足 1 秒".to_owned(), "less than 1 s".to_owned());
    }
    (zh.join(" "), en.join(" "))
}

fn is_weekend(date: Date) -> bool {
    match Weekday::of(date) {
        Weekday::Saturday | Weekday::Sunday => true,
        Weekday::Monday
        | Weekday::Tuesday
        | Weekday::Wednesday
        | Weekday::Thursday
        | Weekday::Friday => false,
    }
}
