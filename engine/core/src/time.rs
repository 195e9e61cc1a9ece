//! Time as it is given: moments, local dates, periods. Nothing here reads a clock.

use std::fmt;

use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// Beijing time; no daylight saving since 1991.
const BEIJING_HOURS: i8 = 8;
const MILLIS_MAX: i64 = (1 << 48) - 1;

/// A point in time in milliseconds since 1970-01-01T00:00:00Z, between 1970 and 10889.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct Moment(i64);

impl Moment {
    /// Builds a moment; values outside the range are moved to its nearest end.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, MILLIS_MAX))
    }

    /// Returns the milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Returns the milliseconds as six big-endian bytes, as ids carry them.
    pub fn millis_48(self) -> [u8; 6] {
        let bytes = self.0.to_be_bytes();
        [bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]
    }

    /// Reads what [`Moment::millis_48`] wrote.
    pub fn from_millis_48(bytes: [u8; 6]) -> Self {
        let mut wide = [0; 8];
        wide[2..].copy_from_slice(&bytes);
        Self(i64::from_be_bytes(wide))
    }

    /// Returns the moment `millis` later (or earlier, when negative).
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// Returns the milliseconds from `earlier` to this moment; negative when it is later.
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    fn civil(self) -> jiff::civil::DateTime {
        let stamp = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        Offset::constant(BEIJING_HOURS).to_datetime(stamp)
    }

    /// Returns the date in Beijing.
    pub fn date(self) -> Date {
        self.civil().date()
    }

    /// Returns the wall-clock time in Beijing.
    pub fn time_of_day(self) -> Time {
        self.civil().time()
    }

    /// Returns the first moment of `date` in Beijing.
    pub fn start_of(date: Date) -> Self {
        Self::at(date, Time::midnight())
    }

    /// Returns the moment of a Beijing date and time.
    pub fn at(date: Date, time: Time) -> Self {
        let stamp = Offset::constant(BEIJING_HOURS).to_timestamp(date.to_datetime(time));
        Self::from_millis(stamp.map_or(MILLIS_MAX, jiff::Timestamp::as_millisecond))
    }

    /// Returns the last moment of `date` in Beijing: limits in days end there (dossier 3.2).
    pub fn end_of(date: Date) -> Self {
        date.tomorrow().map_or(Self(MILLIS_MAX), |next| Self::start_of(next).plus_millis(-1))
    }

    /// Reads RFC 3339 with an offset.
    pub fn parse(text: &str) -> Option<Self> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        Some(Self::from_millis(stamp.as_millisecond()))
    }
}

impl fmt::Display for Moment {
    /// Writes RFC 3339 in Beijing time: `2026-03-02T09:00:00+08:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        write!(
            f,
            "{}T{:02}:{:02}:{:02}",
            civil.date(),
            civil.hour(),
            civil.minute(),
            civil.second()
        )?;
        match civil.millisecond() {
            0 => {}
            millis => write!(f, ".{millis:03}")?,
        }
        f.write_str("+08:00")
    }
}

/// What a period is counted in. The unit is data of the rule, never code.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Unit {
    /// 工作日: days on which offices work, by the calendar of the place.
    WorkingDays,
    /// 自然日: every day counts.
    CalendarDays,
    /// Hours of the wall clock.
    Hours,
    /// Minutes of the wall clock.
    Minutes,
    /// 月: to the day of the same number, or to the last day of a shorter month.
    Months,
}

/// A length of time in its own unit, such as "5 working days".
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// How many units.
    pub amount: u32,
    /// The unit.
    pub unit: Unit,
}

/// A text that is not a period.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "无法理解期限 {0:?},例如 \"5 working days\"、\"10 calendar days\"、\"2 hours\"、\"3 months\" / cannot read {0:?} as a period such as \"5 working days\", \"10 calendar days\", \"2 hours\", \"3 months\""
)]
pub struct PeriodError(pub String);

impl std::str::FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let error = || PeriodError(text.chars().take(60).collect());
        let (amount, unit) = text.trim().split_once(' ').ok_or_else(error)?;
        let amount: u32 = amount.parse().map_err(|_| error())?;
        if amount > crate::limits::PERIOD_AMOUNT_MAX {
            return Err(error());
        }
        let unit = match unit.trim() {
            "working day" | "working days" | "工作日" | "个工作日" => Unit::WorkingDays,
            "calendar day" | "calendar days" | "自然日" | "个自然日" => Unit::CalendarDays,
            "hour" | "hours" | "小时" => Unit::Hours,
            "minute" | "minutes" | "分钟" => Unit::Minutes,
            "month" | "months" | "个月" => Unit::Months,
            _ => return Err(error()),
        };
        Ok(Self { amount, unit })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, many) = match self.unit {
            Unit::WorkingDays => ("working day", "working days"),
            Unit::CalendarDays => ("calendar day", "calendar days"),
            Unit::Hours => ("hour", "hours"),
            Unit::Minutes => ("minute", "minutes"),
            Unit::Months => ("month", "months"),
        };
        write!(f, "{} {}", self.amount, if self.amount == 1 { one } else { many })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn moments_print_and_read_beijing_time() {
        let moment = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        assert_eq!(moment.to_string(), "2026-03-02T09:00:00+08:00");
        assert_eq!(moment.date(), date(2026, 3, 2));
        assert_eq!(Moment::from_millis_48(moment.millis_48()), moment);
        assert_eq!(Moment::end_of(date(2026, 3, 2)).to_string(), "2026-03-02T23:59:59.999+08:00");
    }

    #[test]
    fn late_evening_in_london_is_the_next_day_in_beijing() {
        assert_eq!(Moment::parse("2026-03-01T16:00:00Z").unwrap().date(), date(2026, 3, 2));
    }

    #[test]
    fn periods_read_and_print() {
        for text in [
            "1 working day",
            "20 working days",
            "3 calendar days",
            "2 hours",
            "1 month",
            "3 months",
        ] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for text in ["", "5", "five days", "-1 working days", "5 days", "9999999 calendar days"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
