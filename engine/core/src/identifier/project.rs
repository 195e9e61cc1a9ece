//! 投资项目代码: period, region, two groups of kind, serial; 24 characters with hyphens.
//!
//! The first group is year and month (`2604`) today; the numbers of the first years carry the
//! year alone (`2017`), which is told apart by the month that it would be.

use std::fmt;

use jiff::civil::Date;

use super::check::{self, Alphabet};
use super::flaw::{self, Flaw, IdentifierError};
use super::kind::Kind;
use super::region::Regions;
use super::warning::Warning;

const FORM: &str = "2604-420302-04-01-123456";
const GROUPS: [usize; 5] = [4, 6, 2, 2, 6];

/// When a project was given its code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProjectPeriod {
    /// A month, as codes say it today.
    Month {
        /// Year with its century.
        year: i16,
        /// Month, 1 to 12.
        month: i8,
    },
    /// A year, as the first codes said it.
    Year(i16),
}

impl ProjectPeriod {
    fn read(digits: &str) -> Option<Self> {
        let whole: i16 = digits.parse().ok()?;
        let month = i8::try_from(whole % 100).ok()?;
        match month {
            1..=12 => Some(Self::Month { year: 2000 + whole / 100, month }),
            _ if (2013..2100).contains(&whole) => Some(Self::Year(whole)),
            _ => None,
        }
    }

    fn first_day(self) -> Option<Date> {
        match self {
            Self::Month { year, month } => Date::new(year, month, 1).ok(),
            Self::Year(year) => Date::new(year, 1, 1).ok(),
        }
    }
}

impl fmt::Display for ProjectPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month { year, month } => write!(f, "{year}-{month:02}"),
            Self::Year(year) => write!(f, "{year}"),
        }
    }
}

/// An investment project code; it has no check character.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProjectCode {
    text: String,
    period: ProjectPeriod,
}

impl ProjectCode {
    /// Reads a code with its hyphens.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        Self::read(text).map_err(flaw::of(Kind::ProjectCode))
    }

    fn read(text: &str) -> Result<Self, Flaw> {
        if text.is_empty() {
            return Err(Flaw::Empty);
        }
        check::length(text, FORM.len())?;
        let groups: Vec<&str> = text.split('-').collect();
        if groups.iter().map(|group| group.chars().count()).ne(GROUPS) {
            return Err(Flaw::Shape { form: FORM });
        }
        let mut offset = 0;
        for group in &groups {
            Alphabet::Digits.spells(group, offset)?;
            offset += group.len() + 1;
        }
        let period = ProjectPeriod::read(groups[0]).ok_or(Flaw::NoSuchDate)?;
        Ok(Self { text: text.to_owned(), period })
    }

    /// Returns the 24 characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns when the code was given.
    pub fn period(&self) -> ProjectPeriod {
        self.period
    }

    /// Returns the code of the region.
    pub fn region(&self) -> &str {
        &self.text[5..11]
    }

    /// Returns the last six digits.
    pub fn serial(&self) -> &str {
        &self.text[18..]
    }

    /// Returns what is worth a second look.
    pub fn warnings(&self, regions: &Regions, today: Date) -> Vec<Warning> {
        let is_future = self.period.first_day().is_some_and(|day| day > today);
        let future = is_future.then_some(Warning::FutureDate);
        [regions.prefix(self.region()).1, future].into_iter().flatten().collect()
    }
}

impl fmt::Display for ProjectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
