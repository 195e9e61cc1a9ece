//! The words of `tongban calendar`. Nothing is done here.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use tongban_core::id::RegionCode;
use tongban_core::limits::PERIOD_AMOUNT_MAX;
use tongban_core::time::{Moment, Period};

use crate::program::args::Format;

/// Arguments of `calendar`.
#[derive(Args, Debug)]
pub(crate) struct CalendarArguments {
    /// Which tool.
    #[command(subcommand)]
    pub(crate) tool: CalendarTool,
}

/// The tools for calendars.
#[derive(Debug, Subcommand)]
pub(crate) enum CalendarTool {
    /// 推算期限届满日。 / Tell when a limit ends.
    #[command(after_help = DUE_EXAMPLES)]
    Due(CountArguments),
    /// 逐日说明期限如何推算。 / Show the count of a limit day by day.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(CountArguments),
    /// 校验并保存日历的新版本。 / Check a calendar and keep it as a new version.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArguments),
}

const DUE_EXAMPLES: &str = "\
示例 / Examples:
  tongban calendar due --from 2026-02-12 --limit \"5 working days\" --region 420300
  tongban calendar due --from 2026-09-30 --limit \"20 working days\" --extended 10 --format json
  tongban calendar due --from 2026-03-02 --limit \"5 working days\" --suspended 2026-03-04..2026-03-06
  tongban calendar due --from 2026-03-02T22:30:00+08:00 --limit \"4 hours\"

规则 / The rule:
  发生当日不计入;以日、月计的期限到最后一日 24:00(北京时间)为止。
  中止当日不消耗,从恢复的次一工作日继续;重叠的中止只算一次;未结束的中止算到 --now。
  The day of the event does not count; limits in days or months end with their last day at 24:00,
  Beijing time. The day of a suspension is not consumed, and counting goes on with the working day
  after the resumption. What suspensions share counts once; an open one counts up to --now.
  超出已载入年度的结果为暂定(provisional),并在标准错误输出警告。
  Outside the loaded years a result is provisional, with a warning on standard error.";

const EXPLAIN_EXAMPLES: &str = "\
示例 / Examples:
  tongban calendar explain --from 2026-02-12 --limit \"5 working days\" --region 420300
  tongban calendar explain --from 2026-02-10 --limit \"5 working days\" --extended 3
  tongban calendar explain --from 2026-09-30 --limit \"20 working days\" --format json

跨度超过 400 天时,同类的相邻日期合并为一行。规则见 tongban calendar due --help。
Past 400 days neighbouring days of one kind share a line. The rule: tongban calendar due --help.";

const IMPORT_EXAMPLES: &str = "\
示例 / Examples:
  tongban calendar import holidays-2027.csv --source \"国务院办公厅关于2027年部分节假日安排的通知\" --data ./data
  tongban calendar import hall.json --data ./data --dry-run

放假安排表 / A holiday table (CSV, national; --source may stand for its last column):
  date,kind,name,source
  2027-01-01,holiday,元旦,国务院办公厅关于2027年部分节假日安排的通知
  …                                  每年至少有 1 月 1 日、5 月 1 日、10 月 1 日;补班写 workday

本地日历 / A local calendar (JSON):
  { \"code\": \"shiyan-hall\", \"name\": \"十堰市政务服务大厅\", \"regions\": [\"420300\"], \"based_on\": \"cn\",
    \"working_weekdays\": [\"monday\", \"tuesday\", \"wednesday\", \"thursday\", \"friday\", \"saturday\"],
    \"first_year\": 2026, \"last_year\": 2027, \"source\": \"大厅周六延时服务公告\",
    \"days\": [{ \"date\": \"2026-03-07\", \"kind\": \"holiday\", \"name\": \"大厅检修\" }] }

新版本没有涉及的年度沿用前一版本;各版本都保留。数据有误时退出码为 65,什么也不保存。
Years that the new version does not claim stay as they were; every version is kept.
Wrong data: exit code 65, and nothing is kept.";

/// Arguments of `calendar due` and `calendar explain`.
#[derive(Args, Debug)]
pub(crate) struct CountArguments {
    /// 起算事项发生的日期或时刻(RFC 3339),如受理日。 / Date or time of the event, such as the acceptance.
    #[arg(long, value_name = "DATE|TIME")]
    pub(crate) from: When,
    /// 期限:working days、calendar days、months、hours、minutes。 / The limit, amount and unit.
    #[arg(long, value_name = "LIMIT")]
    pub(crate) limit: Period,
    /// 经批准延长的数量,单位同期限。 / Approved extension, in the unit of the limit.
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=i64::from(PERIOD_AMOUNT_MAX)))]
    pub(crate) extended: u32,
    /// 中止区间,可重复;未恢复的写 FROM..。 / A suspension, repeatable; FROM.. while it lasts.
    #[arg(long, value_name = "FROM..UNTIL")]
    pub(crate) suspended: Vec<Span>,
    /// 未结束的中止算到何时,默认此刻。 / When open suspensions are looked at; now by default.
    #[arg(long, value_name = "DATE|TIME")]
    pub(crate) now: Option<When>,
    /// Which calendar.
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// Where a calendar comes from.
#[derive(Args, Debug)]
pub(crate) struct PlaceArguments {
    /// 行政区划或大厅代码,按其日历推算,没有则用上级的、直至全国的。 / Region or centre; its calendar,
    /// else that of the region around it, else the national one.
    #[arg(long, value_name = "CODE", value_parser = region)]
    pub(crate) region: Option<RegionCode>,
    /// 另用一份日历文件(JSON 或 CSV)。 / A calendar file besides (JSON or CSV).
    #[arg(long, value_name = "FILE")]
    pub(crate) calendar: Option<PathBuf>,
    /// 用数据文件夹中已导入的日历。 / Use the calendars imported into this data folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Arguments of `calendar import`.
#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// 日历文件:JSON,或放假安排表 CSV。 / The calendar: JSON, or a holiday table as CSV.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// 数据文件夹,没有则新建。 / Data folder; created when it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 放假安排表所依据的通知。 / The notice that a CSV table is taken from.
    #[arg(long, value_name = "TEXT")]
    pub(crate) source: Option<String>,
    /// 只校验,不保存。 / Check only, keep nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// The last year whose dates can be counted on.
const YEAR_MAX: i16 = 9_998;

/// How exactly a moment was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Precision {
    /// A date: its first moment stands for it.
    Date,
    /// A time of day.
    Time,
}

/// A date or a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct When {
    /// The moment; for a date the first one.
    pub(crate) moment: Moment,
    /// Which of both was given.
    pub(crate) precision: Precision,
}

/// A suspension as it is written: `FROM..UNTIL`, or `FROM..` while it lasts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    /// When it began.
    pub(crate) from: When,
    /// When it ended.
    pub(crate) until: Option<When>,
}

/// A word of the command line that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum WordError {
    /// No date and no moment.
    #[error(
        "应为日期或带时区的时刻,如 2026-02-12 或 2026-02-12T09:00:00+08:00 / give a date or a time with its offset, such as 2026-02-12 or 2026-02-12T09:00:00+08:00"
    )]
    When,
    /// No two ends.
    #[error(
        "应为 FROM..UNTIL,如 2026-03-04..2026-03-06,未恢复的写 2026-03-04.. / give FROM..UNTIL, such as 2026-03-04..2026-03-06, or 2026-03-04.. while it lasts"
    )]
    Span,
    /// The end before the beginning.
    #[error("中止的恢复早于开始 / the suspension ends before it begins")]
    Backwards,
    /// No region code.
    #[error(
        "应为六位行政区划代码,如 420300;大厅可在其后加本地编码 / give a region code of six digits, such as 420300; for a centre with its local code behind"
    )]
    Region,
}

impl FromStr for When {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let first = Moment::parse(&format!("{text}T00:00:00+08:00"));
        let date = first.filter(|moment| moment.date().to_string() == text);
        let in_range = |moment: &Moment| (1970..=YEAR_MAX).contains(&moment.date().year());
        let moment =
            date.or_else(|| Moment::parse(text)).filter(in_range).ok_or(WordError::When)?;
        let precision = if date.is_some() { Precision::Date } else { Precision::Time };
        Ok(Self { moment, precision })
    }
}

impl FromStr for Span {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let (from, until) = text.split_once("..").ok_or(WordError::Span)?;
        let until = if until.is_empty() { None } else { Some(until.parse::<When>()?) };
        let from: When = from.parse()?;
        match until {
            Some(until) if until.moment < from.moment => Err(WordError::Backwards),
            _ => Ok(Self { from, until }),
        }
    }
}

fn region(text: &str) -> Result<RegionCode, WordError> {
    let code = text.as_bytes();
    let is_code = (6..=24).contains(&code.len())
        && code[..6].iter().all(u8::is_ascii_digit)
        && code[6..].iter().all(u8::is_ascii_alphanumeric);
    if is_code { Ok(RegionCode::new(text)) } else { Err(WordError::Region) }
}
