//! 公民身份号码 (GB 11643): region, birth date, serial, check character.

use std::fmt;

use jiff::civil::Date;

use crate::summary::mask_id;

use super::check::{self, Alphabet};
use super::flaw::{self, Flaw, IdentifierError};
use super::kind::Kind;

const LENGTH: usize = 18;
const OLD_LENGTH: usize = 15;
const YEAR_MIN: i16 = 1900;
/// The century that numbers of 15 digits leave out.
const OLD_CENTURY: &str = "19";

/// The sex that a citizen number tells.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Sex {
    /// 男: the serial is odd.
    Male,
    /// 女: the serial is even.
    Female,
}

/// A citizen number with a right check character and a real birth date.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
pub struct CitizenId {
    text: String,
    born: Date,
}

impl CitizenId {
    /// Reads 18 characters; a final `x` is taken and kept as `X`. The birth date lies between
    /// 1900 and `today`.
    pub fn parse(text: &str, today: Date) -> Result<Self, IdentifierError> {
        Self::read(text, today).map_err(flaw::of(Kind::CitizenId))
    }

    /// Converts a number of 15 digits, in use until 2013, to what it is today. Good for looking
    /// a person up, never for filing.
    pub fn for_lookup(text: &str, today: Date) -> Result<Self, IdentifierError> {
        Self::read_old(text, today).map_err(flaw::of(Kind::CitizenId))
    }

    fn read(text: &str, today: Date) -> Result<Self, Flaw> {
        if text.is_empty() {
            return Err(Flaw::Empty);
        }
        if text.len() == OLD_LENGTH && Alphabet::Digits.spells(text, 0).is_ok() {
            let lookup = Self::read_old(text, today)?.text;
            return Err(Flaw::OldNumber { lookup });
        }
        check::length(text, LENGTH)?;
        let first: String = text.chars().take(LENGTH - 1).collect();
        Alphabet::Digits.spells(&first, 0)?;
        let text = text.replace('x', "X");
        if !text.ends_with('X') {
            Alphabet::Digits.spells(&text[LENGTH - 1..], LENGTH - 1)?;
        }
        let born = birth_date(&first[6..14], today)?;
        check::last(&text, check::citizen(&first))?;
        Ok(Self { text, born })
    }

    fn read_old(text: &str, today: Date) -> Result<Self, Flaw> {
        check::length(text, OLD_LENGTH)?;
        Alphabet::Digits.spells(text, 0)?;
        let first = format!("{}{OLD_CENTURY}{}", &text[..6], &text[6..]);
        let born = birth_date(&first[6..14], today)?;
        let check = check::citizen(&first).ok_or(Flaw::Empty)?;
        Ok(Self { text: format!("{first}{check}"), born })
    }

    /// Returns the 18 characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the code of the region that gave the number, as it was called then.
    pub fn region(&self) -> &str {
        &self.text[..6]
    }

    /// Returns the birth date.
    pub fn birth_date(&self) -> Date {
        self.born
    }

    /// Returns the sex.
    pub fn sex(&self) -> Sex {
        match self.text.as_bytes()[LENGTH - 2] % 2 {
            0 => Sex::Female,
            _ => Sex::Male,
        }
    }
}

impl fmt::Debug for CitizenId {
    /// Masked: debug output reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CitizenId({})", mask_id(&self.text))
    }
}

fn birth_date(digits: &str, today: Date) -> Result<Date, Flaw> {
    let date = date_of(digits).ok_or(Flaw::NoSuchDate)?;
    if date.year() < YEAR_MIN {
        return Err(Flaw::DateTooEarly);
    }
    if date > today {
        return Err(Flaw::DateInFuture);
    }
    Ok(date)
}

/// Reads eight digits `YYYYMMDD`.
pub(super) fn date_of(digits: &str) -> Option<Date> {
    let year = digits.get(..4)?.parse().ok()?;
    let month = digits.get(4..6)?.parse().ok()?;
    let day = digits.get(6..8)?.parse().ok()?;
    Date::new(year, month, day).ok()
}
