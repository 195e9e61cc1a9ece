//! The data groups that GB/T 39046 expects of one case, field by field.
//!
//! Each row says what form a value must have and what of our model fills it. A row without a
//! source is one that nothing here holds yet. The standard allows an implementation code of 24
//! characters while the practice uses 31: what does not fit is for the connector to settle.

use std::sync::LazyLock;

use jiff::civil::Time;

use super::table::CodeTable;
use crate::time::Moment;

const CSV: &str = include_str!("../../data/codes/case-fields.csv");
const DATE: &str = "YYYYMMDD";
const TIME: &str = "YYYYMMDDThhmmss";

static FIELDS: LazyLock<Vec<CaseField>> =
    LazyLock::new(|| CSV.lines().skip(1).filter_map(CaseField::from_row).collect());

/// The form of a value, as data standards write it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Text whose length is not known here.
    Text,
    /// `an18`, `an..50`: characters, at least and at most so many.
    Characters {
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
    },
    /// `n..9`, `n..16|2`: at most so many digits, of which so many behind the point.
    Number {
        /// Most digits.
        digits: usize,
        /// Most digits behind the point.
        decimals: usize,
    },
    /// `YYYYMMDD`.
    Date,
    /// `YYYYMMDDThhmmss`, Beijing time.
    Time,
    /// A code of a table.
    Code(CodeTable),
}

impl Form {
    fn from_cell(cell: &str) -> Option<Self> {
        if let Some(table) = cell.strip_prefix("code:") {
            return CodeTable::named(table).map(Self::Code);
        }
        if let Some(length) = cell.strip_prefix("an") {
            let max = length.trim_start_matches('.').parse().ok()?;
            let min = if length.starts_with("..") { 1 } else { max };
            return Some(Self::Characters { min, max });
        }
        if let Some(length) = cell.strip_prefix("n..") {
            let (digits, decimals) = length.split_once('|').unwrap_or((length, "0"));
            let [digits, decimals] = [digits.parse().ok()?, decimals.parse().ok()?];
            return Some(Self::Number { digits, decimals });
        }
        match cell {
            "" => Some(Self::Text),
            "date" => Some(Self::Date),
            "time" => Some(Self::Time),
            _ => None,
        }
    }

    /// Tells whether `value` has the form.
    pub fn fits(self, value: &str) -> bool {
        match self {
            Self::Text => !value.is_empty(),
            Self::Characters { min, max } => (min..=max).contains(&value.chars().count()),
            Self::Number { digits, decimals } => {
                let (whole, rest) = value.split_once('.').unwrap_or((value, ""));
                let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                let is_short = whole.len() + rest.len() <= digits && rest.len() <= decimals;
                !whole.is_empty() && is_short && is_digits(whole) && is_digits(rest)
            }
            Self::Date => {
                value.len() == DATE.len() && read_compact_time(&format!("{value}T000000")).is_some()
            }
            Self::Time => read_compact_time(value).is_some(),
            Self::Code(table) => table.read(value).is_known(),
        }
    }
}

/// One field of the standard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CaseField {
    /// Its group: `application`, `material`, `acceptance`, ….
    pub group: &'static str,
    /// Its name within the group.
    pub field: &'static str,
    /// Its name in Chinese.
    pub label: &'static str,
    /// The form of its value.
    pub form: Form,
    /// What of our model fills it, such as `case.number`; empty where nothing here holds it.
    pub filled_by: &'static str,
}

impl CaseField {
    fn from_row(line: &'static str) -> Option<Self> {
        let cells: Vec<&str> = line.split(',').collect();
        let [group, field, label, form, filled_by] = *cells.as_slice() else { return None };
        Some(Self { group, field, label, form: Form::from_cell(form)?, filled_by })
    }
}

/// Returns the fields in the order of the standard's groups.
pub fn case_fields() -> &'static [CaseField] {
    &FIELDS
}

/// Writes a moment as `YYYYMMDDThhmmss` in Beijing time.
pub fn compact_time(at: Moment) -> String {
    let (date, time) = (at.date(), at.time_of_day());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Reads `YYYYMMDDThhmmss` as Beijing time.
pub fn read_compact_time(text: &str) -> Option<Moment> {
    let is_spelt = text.len() == TIME.len()
        && text.bytes().zip(TIME.bytes()).all(|(byte, form)| match form {
            b'T' => byte == b'T',
            _ => byte.is_ascii_digit(),
        });
    if !is_spelt {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i8>().ok();
    let year = text[..4].parse().ok()?;
    let date = jiff::civil::Date::new(year, number(4, 6)?, number(6, 8)?).ok()?;
    let time = Time::new(number(9, 11)?, number(11, 13)?, number(13, 15)?, 0).ok()?;
    Some(Moment::at(date, time))
}
