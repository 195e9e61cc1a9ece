//! What can be wrong with a calendar, or with several that belong together.

use jiff::civil::Date;

use crate::error::ErrorClass;

/// A calendar that cannot be read, or that says what cannot be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// A line of the table is not `date,kind,name[,source]`.
    #[error(
        "节假日表第 {line} 行无法读取:{text:?},应如 2026-10-01,holiday,国庆节(补班写 workday) / cannot read line {line} of the holiday table: {text:?}; write it like 2026-10-01,holiday,国庆节 (or workday)"
    )]
    Line {
        /// Line, from 1.
        line: usize,
        /// Its text.
        text: String,
    },
    /// The table holds no whole year.
    #[error(
        "节假日表没有一个完整年度(每年至少要有 10 月 1 日) / the holiday table holds no whole year; each year has at least its 1 October"
    )]
    NoYear,
    /// The document is not the JSON of a calendar.
    #[error(
        "日历文件第 {line} 行第 {column} 列无法读取:{detail} / cannot read the calendar at line {line}, column {column}: {detail}"
    )]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the reader said.
        detail: String,
    },
    /// A code that is no code.
    #[error(
        "日历代码 {0:?} 无效,请用小写字母、数字和连字符,最多 64 个 / calendar code {0:?} is not valid; use lower-case letters, digits and hyphens, at most 64"
    )]
    Code(String),
    /// A text that people need is missing.
    #[error("日历 {calendar} 缺少 {field},请补上 / calendar {calendar} has no {field}; add it")]
    Missing {
        /// The calendar.
        calendar: String,
        /// The field.
        field: &'static str,
    },
    /// The years run backwards, or are too many.
    #[error(
        "日历 {calendar} 的年度 {first}–{last} 无效,应从先到后、在 1990 至 2200 之间 / calendar {calendar} cannot cover the years {first} to {last}; give first_year and last_year in order, between 1990 and 2200"
    )]
    Years {
        /// The calendar.
        calendar: String,
        /// The first year.
        first: i16,
        /// The last year.
        last: i16,
    },
    /// A day that lies outside the calendar's years.
    #[error(
        "日历 {calendar} 的 {date} 不在其年度之内,请改日期或 first_year、last_year / {date} of calendar {calendar} lies outside its years; correct the date, or first_year and last_year"
    )]
    OutsideYears {
        /// The calendar.
        calendar: String,
        /// The day.
        date: Date,
    },
    /// A day that is listed twice.
    #[error(
        "日历 {calendar} 的 {date} 出现两次,请只留一条 / calendar {calendar} lists {date} twice; keep one"
    )]
    Twice {
        /// The calendar.
        calendar: String,
        /// The day.
        date: Date,
    },
    /// A year without a holiday that the law fixes, so it was not loaded whole.
    #[error(
        "日历 {calendar} 缺少 {date} 的放假安排,该年度不完整;请补全或缩短年度 / calendar {calendar} does not have {date} as a holiday, so that year is not whole; complete it or claim fewer years"
    )]
    YearNotWhole {
        /// The calendar.
        calendar: String,
        /// The missing day.
        date: Date,
    },
    /// A place that is no region code.
    #[error(
        "日历 {calendar} 的行政区划代码 {region:?} 无效或重复,应为六位数字(大厅可在其后加本地编码) / calendar {calendar} names region {region:?}, which is no code or named twice; six digits, for a centre with a local code behind them"
    )]
    Region {
        /// The calendar.
        calendar: String,
        /// What stands in the region's place.
        region: String,
    },
    /// Regions where none may be, or none where some must be.
    #[error(
        "日历 {0}:全国日历(代码 cn)不写 regions、based_on,其他日历必须写 regions / calendar {0}: the national one (code cn) names no regions and no based_on, every other one names its regions"
    )]
    Place(String),
    /// A week without a working day, or with one named twice.
    #[error(
        "日历 {0} 的 working_weekdays 为空或有重复 / working_weekdays of calendar {0} is empty or names a day twice"
    )]
    Week(String),
    /// The calendar that another is based on does not exist.
    #[error(
        "日历 {calendar} 依据的日历 {base} 不存在,请先导入 / calendar {calendar} is based on {base}, which is not there; import that one first"
    )]
    BaseUnknown {
        /// The calendar.
        calendar: String,
        /// What it is based on.
        base: String,
    },
    /// A calendar that is based on itself by way of others.
    #[error(
        "日历 {0} 的 based_on 绕回自身,请改掉其中一个 / the based_on of calendar {0} leads back to itself; change one of them"
    )]
    Circle(String),
    /// Two calendars of one code, or of one place.
    #[error(
        "{what} 有两个日历:{one} 和 {other},请只留一个 / {what} has two calendars, {one} and {other}; keep one"
    )]
    Shared {
        /// The code or place.
        what: String,
        /// One calendar.
        one: String,
        /// The other.
        other: String,
    },
    /// A version that would leave years between its own and the former ones unknown.
    #[error(
        "日历 {calendar} 已有 {known_first}–{known_last} 年,新版从 {first} 到 {last} 年,中间有缺口,请先导入缺少的年度 / calendar {calendar} knows the years {known_first} to {known_last}; a version for {first} to {last} leaves a gap; import the years between first"
    )]
    Gap {
        /// The calendar.
        calendar: String,
        /// First year that is known.
        known_first: i16,
        /// Last year that is known.
        known_last: i16,
        /// First year of the new version.
        first: i16,
        /// Last year of the new version.
        last: i16,
    },
}

impl CalendarError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Line { .. } | Self::NoYear | Self::Json { .. } => "CALENDAR_UNREADABLE",
            Self::Code(_)
            | Self::Missing { .. }
            | Self::Years { .. }
            | Self::OutsideYears { .. }
            | Self::Twice { .. }
            | Self::YearNotWhole { .. }
            | Self::Region { .. }
            | Self::Place(_)
            | Self::Week(_) => "CALENDAR_WRONG",
            Self::BaseUnknown { .. } | Self::Circle(_) => "CALENDAR_BASE",
            Self::Shared { .. } => "CALENDAR_SHARED",
            Self::Gap { .. } => "CALENDAR_GAP",
        }
    }

    /// Returns the class: the data must be corrected, or be brought in order.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Line { .. }
            | Self::NoYear
            | Self::Json { .. }
            | Self::Code(_)
            | Self::Missing { .. }
            | Self::Years { .. }
            | Self::OutsideYears { .. }
            | Self::Twice { .. }
            | Self::YearNotWhole { .. }
            | Self::Region { .. }
            | Self::Place(_)
            | Self::Week(_)
            | Self::Circle(_) => ErrorClass::Invalid,
            Self::BaseUnknown { .. } | Self::Shared { .. } | Self::Gap { .. } => {
                ErrorClass::Conflict
            }
        }
    }
}
