//! A calendar as it is published and imported: JSON, or the table of a holiday notice as CSV.
//!
//! A document claims whole years. A national one lists every holiday and make-up workday of
//! them; a local one is based on another and lists only what differs, such as Saturdays on
//! which a hall is open. What a document says is checked here; how several fit together is
//! the matter of `set`.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{CalendarError, NATIONAL, NATIONAL_CODE};
use crate::id::RegionCode;

const FIRST_YEAR_MIN: i16 = 1990;
const LAST_YEAR_MAX: i16 = 2200;
const CODE_BYTES_MAX: usize = 64;
const REGION_BYTES_MAX: usize = 24;

/// Holidays that fall on the same date every year (全国年节及纪念日放假办法, article 2): month
/// and day. A year without one of them was not loaded whole.
const FIXED_HOLIDAYS: [(i8, i8); 3] = [(1, 1), (5, 1), (10, 1)];

/// A calendar as a document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarDocument {
    /// Its code; `cn` is the national one.
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// Where it holds: regions with all inside them, or centres. Empty for the national one.
    #[serde(default)]
    pub regions: Vec<RegionCode>,
    /// Code of the calendar whose days and week hold where this one says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub based_on: Option<String>,
    /// The weekdays on which offices work; left out, those of the base, or Monday to Friday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_weekdays: Option<Vec<Weekday>>,
    /// The first year it is complete for.
    pub first_year: i16,
    /// The last year it is complete for; beyond it every result is provisional.
    pub last_year: i16,
    /// The notice or rule that it rests on.
    pub source: String,
    /// The days that differ from the plain week.
    #[serde(default)]
    pub days: Vec<SpecialDay>,
}

/// A day that differs from the plain week.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialDay {
    /// The date, `2026-10-01`.
    #[serde(with = "civil_date")]
    pub date: Date,
    /// Whether offices rest or work.
    pub kind: DayKind,
    /// The holiday, also for the workday that makes up for it.
    pub name: String,
    /// The notice, where it is not the one of the whole document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What a special day is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// 放假: offices rest, whatever the weekday.
    Holiday,
    /// 调休上班: offices work, whatever the weekday.
    Workday,
}

/// A day of the week, as documents spell it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// 周一
    Monday,
    /// 周二
    Tuesday,
    /// 周三
    Wednesday,
    /// 周四
    Thursday,
    /// 周五
    Friday,
    /// 周六
    Saturday,
    /// 周日
    Sunday,
}

impl Weekday {
    /// All seven, from Monday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Returns the weekday of a date.
    pub fn of(date: Date) -> Self {
        let index = usize::try_from(date.weekday().to_monday_zero_offset());
        Self::ALL[index.expect("offsets from Monday are 0 to 6")]
    }

    /// Returns its name in Chinese: `周一`.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Monday => "周一",
            Self::Tuesday => "周二",
            Self::Wednesday => "周三",
            Self::Thursday => "周四",
            Self::Friday => "周五",
            Self::Saturday => "周六",
            Self::Sunday => "周日",
        }
    }

    /// Returns its name in English: `Monday`.
    pub fn en(self) -> &'static str {
        match self {
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }
}

impl CalendarDocument {
    /// Returns the national calendar that ships with the engine.
    pub fn national() -> Self {
        Self::from_csv(NATIONAL, "国务院办公厅历年部分节假日安排的通知")
            .expect("the shipped table is tested")
    }

    /// Reads and checks the JSON form.
    pub fn from_json(json: &[u8]) -> Result<Self, CalendarError> {
        let document: Self = serde_json::from_slice(json).map_err(|error| CalendarError::Json {
            line: error.line(),
            column: error.column(),
            detail: error.to_string(),
        })?;
        document.check()?;
        Ok(document)
    }

    /// Reads and checks the table of a State Council notice: `date,kind,name` lines under a
    /// header, with the notice as fourth cell where it is not `source`; an empty `source` takes
    /// the notice of the last line. The result is national and claims every year of which the
    /// table has the 1 October.
    pub fn from_csv(csv: &str, source: &str) -> Result<Self, CalendarError> {
        let mut days = Vec::new();
        for (index, text) in csv.lines().enumerate().skip(1) {
            if text.trim().is_empty() {
                continue;
            }
            let error = || CalendarError::Line { line: index + 1, text: text.to_owned() };
            days.push(special_day(text).ok_or_else(error)?);
        }
        let years = || days.iter().filter(|day| is_fixed_holiday(day, (10, 1)));
        let first_year = years().map(|day| day.date.year()).min().ok_or(CalendarError::NoYear)?;
        let last_year = years().map(|day| day.date.year()).max().ok_or(CalendarError::NoYear)?;
        let document = Self {
            code: NATIONAL_CODE.to_owned(),
            name: "全国".to_owned(),
            regions: Vec::new(),
            based_on: None,
            working_weekdays: None,
            first_year,
            last_year,
            source: if source.is_empty() { last_source(&days) } else { source.to_owned() },
            days,
        };
        document.check()?;
        Ok(document)
    }

    /// Returns this document with the years of `earlier` that it does not claim itself, so that a
    /// version for the coming year keeps the years before.
    pub fn over(&self, earlier: &Self) -> Result<Self, CalendarError> {
        if self.first_year > earlier.last_year + 1 || self.last_year + 1 < earlier.first_year {
            return Err(CalendarError::Gap {
                calendar: self.code.clone(),
                known_first: earlier.first_year,
                known_last: earlier.last_year,
                first: self.first_year,
                last: self.last_year,
            });
        }
        let own: BTreeSet<Date> = self.days.iter().map(|day| day.date).collect();
        let kept = earlier.days.iter().filter(|day| {
            let claimed = (self.first_year..=self.last_year).contains(&day.date.year());
            !claimed && !own.contains(&day.date)
        });
        let mut whole = self.clone();
        whole.days.extend(kept.map(|day| SpecialDay {
            source: day.source.clone().or_else(|| Some(earlier.source.clone())),
            ..day.clone()
        }));
        whole.days.sort_by_key(|day| day.date);
        whole.first_year = self.first_year.min(earlier.first_year);
        whole.last_year = self.last_year.max(earlier.last_year);
        Ok(whole)
    }

    /// Checks what the document says by itself.
    pub fn check(&self) -> Result<(), CalendarError> {
        if !is_code(&self.code) {
            return Err(CalendarError::Code(self.code.clone()));
        }
        let calendar = || self.code.clone();
        for (field, text) in [("name", &self.name), ("source", &self.source)] {
            if text.trim().is_empty() {
                return Err(CalendarError::Missing { calendar: calendar(), field });
            }
        }
        let is_national = self.code == NATIONAL_CODE;
        if is_national != self.regions.is_empty() || (is_national && self.based_on.is_some()) {
            return Err(CalendarError::Place(calendar()));
        }
        if self.first_year < FIRST_YEAR_MIN
            || self.first_year > self.last_year
            || self.last_year > LAST_YEAR_MAX
        {
            let (first, last) = (self.first_year, self.last_year);
            return Err(CalendarError::Years { calendar: calendar(), first, last });
        }
        self.check_regions()?;
        self.check_week()?;
        self.check_days()
    }

    fn check_regions(&self) -> Result<(), CalendarError> {
        let mut seen = BTreeSet::new();
        match self.regions.iter().find(|region| !is_region(region) || !seen.insert(*region)) {
            None => Ok(()),
            Some(region) => Err(CalendarError::Region {
                calendar: self.code.clone(),
                region: region.as_str().to_owned(),
            }),
        }
    }

    fn check_week(&self) -> Result<(), CalendarError> {
        let Some(week) = &self.working_weekdays else { return Ok(()) };
        let distinct: BTreeSet<_> = week.iter().collect();
        if week.is_empty() || distinct.len() < week.len() {
            return Err(CalendarError::Week(self.code.clone()));
        }
        Ok(())
    }

    fn check_days(&self) -> Result<(), CalendarError> {
        let calendar = || self.code.clone();
        let mut seen = BTreeSet::new();
        for day in &self.days {
            let date = day.date;
            if !self.may_list(date) {
                return Err(CalendarError::OutsideYears { calendar: calendar(), date });
            }
            if !seen.insert(date) {
                return Err(CalendarError::Twice { calendar: calendar(), date });
            }
            if day.name.trim().is_empty() {
                return Err(CalendarError::Missing { calendar: calendar(), field: "days.name" });
            }
        }
        match self.missing_holiday() {
            Some(date) => Err(CalendarError::YearNotWhole { calendar: calendar(), date }),
            None => Ok(()),
        }
    }

    /// Tells whether a day may stand in the table: New Year reaches into the years beside.
    fn may_list(&self, date: Date) -> bool {
        let year = match date.month() {
            12 => (date.year() + 1).min(self.last_year).max(date.year()),
            1 => (date.year() - 1).max(self.first_year).min(date.year()),
            _ => date.year(),
        };
        (self.first_year..=self.last_year).contains(&year)
    }

    /// Returns the first holiday fixed by law that a document without a base leaves out.
    fn missing_holiday(&self) -> Option<Date> {
        if self.based_on.is_some() {
            return None;
        }
        let holidays: BTreeSet<Date> = self
            .days
            .iter()
            .filter(|day| day.kind == DayKind::Holiday)
            .map(|day| day.date)
            .collect();
        (self.first_year..=self.last_year)
            .flat_map(|year| FIXED_HOLIDAYS.map(|(month, day)| Date::new(year, month, day)))
            .filter_map(Result::ok)
            .find(|date| !holidays.contains(date))
    }

    /// Returns the bytes that the version's digest is taken of: the same for documents that say
    /// the same in another order.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut sorted = self.clone();
        sorted.regions.sort_unstable();
        sorted.days.sort_by_key(|day| day.date);
        if let Some(week) = &mut sorted.working_weekdays {
            week.sort_unstable();
        }
        serde_json::to_vec(&sorted).expect("a calendar has only text, numbers and lists")
    }
}

fn special_day(text: &str) -> Option<SpecialDay> {
    let mut cells = text.splitn(4, ',').map(str::trim);
    let date = civil_date::read(cells.next()?)?;
    let kind = match cells.next()? {
        "holiday" => DayKind::Holiday,
        "workday" => DayKind::Workday,
        _ => return None,
    };
    let name = cells.next().filter(|name| !name.is_empty())?.to_owned();
    let source = cells.next().filter(|source| !source.is_empty()).map(str::to_owned);
    Some(SpecialDay { date, kind, name, source })
}

fn last_source(days: &[SpecialDay]) -> String {
    days.last().and_then(|day| day.source.clone()).unwrap_or_default()
}

fn is_fixed_holiday(day: &SpecialDay, (month, number): (i8, i8)) -> bool {
    day.kind == DayKind::Holiday && (day.date.month(), day.date.day()) == (month, number)
}

fn is_code(text: &str) -> bool {
    let plain =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    (1..=CODE_BYTES_MAX).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(plain)
}

fn is_region(region: &RegionCode) -> bool {
    let code = region.as_str().as_bytes();
    (6..=REGION_BYTES_MAX).contains(&code.len())
        && code[..6].iter().all(u8::is_ascii_digit)
        && code[6..].iter().all(u8::is_ascii_alphanumeric)
}

/// Dates as `2026-10-01` and in no other form.
mod civil_date {
    use jiff::civil::Date;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn read(text: &str) -> Option<Date> {
        let date: Date = text.parse().ok()?;
        (date.to_string() == text).then_some(date)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        let error = || de::Error::custom(format!("{text:?} is no date such as 2026-10-01"));
        read(&text).ok_or_else(error)
    }
}
