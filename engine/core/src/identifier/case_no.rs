//! 办件编号 in the engine's own form: place, date, serial, check character.
//!
//! There is no national structure. Numbers that other systems give are kept as they stand, with
//! their issuer, in at most [`CASE_NO_MAX`] characters; only our own have parts.

use std::fmt;

use jiff::civil::Date;

use super::check::{self, Alphabet, mod_37_36};
use super::citizen::date_of;
use super::flaw::{self, Flaw, IdentifierError};
use super::kind::Kind;
use super::region::Regions;
use super::warning::Warning;

/// Most characters of a case number, whoever gives it (GB/T 39046).
pub const CASE_NO_MAX: usize = 50;

const DATE: usize = 8;
const SERIAL: usize = 6;
const REGION_MIN: usize = 6;
const REGION_MAX: usize = 12;
/// What follows the region: date, serial, check character.
const TAIL: usize = DATE + SERIAL + 1;
pub(super) const FORM: &str = "420300202603020000014";

/// A case number of the engine's own form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaseNo {
    region: String,
    date: Date,
    serial: u32,
}

impl CaseNo {
    /// Builds the number of the `serial`th case of a place on a day.
    pub fn new(region: impl Into<String>, date: Date, serial: u32) -> Self {
        Self { region: region.into(), date, serial }
    }

    /// Reads a number of the engine's own form.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        Self::read(text).map_err(flaw::of(Kind::CaseNo))
    }

    fn read(text: &str) -> Result<Self, Flaw> {
        if text.is_empty() {
            return Err(Flaw::Empty);
        }
        let got = text.chars().count();
        if got > REGION_MAX + TAIL {
            return Err(Flaw::TooLong { max: REGION_MAX + TAIL, got });
        }
        if got < REGION_MIN + TAIL {
            return Err(Flaw::Length { wanted: REGION_MIN + TAIL, got });
        }
        Alphabet::DigitsAndLetters.spells(text, 0)?;
        let (region, tail) = text.split_at(text.len() - TAIL);
        Alphabet::Digits.spells(&tail[..TAIL - 1], region.len())?;
        let date = date_of(&tail[..DATE]).ok_or(Flaw::NoSuchDate)?;
        let serial = tail[DATE..TAIL - 1].parse().map_err(|_| Flaw::Shape { form: FORM })?;
        check::last(text, Some(mod_37_36(&text[..text.len() - 1])))?;
        Ok(Self::new(region, date, serial))
    }

    /// Returns what the numbers of a place on a day begin with.
    pub fn prefix(region: &str, date: Date) -> String {
        format!("{region}{:04}{:02}{:02}", date.year(), date.month(), date.day())
    }

    /// Returns the code of the place.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the date.
    pub fn date(&self) -> Date {
        self.date
    }

    /// Returns the serial within place and date.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// Returns what is worth a second look.
    pub fn warnings(&self, regions: &Regions, today: Date) -> Vec<Warning> {
        let future = (self.date > today).then_some(Warning::FutureDate);
        [regions.prefix(&self.region).1, future].into_iter().flatten().collect()
    }
}

impl fmt::Display for CaseNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}{:0SERIAL$}", Self::prefix(&self.region, self.date), self.serial);
        write!(f, "{text}{}", mod_37_36(&text))
    }
}
