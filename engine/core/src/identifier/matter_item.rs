//! 事项编码: an opaque text for programs, taken apart for display alone.
//!
//! The standard of 2020 and the practice differ in length, so nothing may rest on the parts.
//! In practice a basic code has 12 digits, an implementation code puts the implementer's credit
//! code and the exercise level before it (31), and a business code two more after it (33).

use std::fmt;

use crate::codes;

use super::check::Alphabet;
use super::credit::{self, CreditCode};
use super::flaw::{self, Flaw, IdentifierError};
use super::kind::Kind;
use super::warning::Warning;

/// Most characters of a matter item code.
pub const MATTER_ITEM_CODE_MAX: usize = 50;

const BASIC: usize = 12;
const IMPLEMENTATION: usize = credit::LENGTH + 1 + BASIC;
const BUSINESS: usize = IMPLEMENTATION + 2;

/// A matter item code as it stands.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct MatterItemCode(String);

/// The parts of a matter item code, for display.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MatterItemParts<'a> {
    /// 基本编码.
    Basic(&'a str),
    /// 实施编码, or with a variant 业务办理项编码.
    Implementation {
        /// Credit code of the office that implements the matter.
        implementer: &'a str,
        /// Exercise level after GB/T 39046.
        level: &'a str,
        /// The basic code.
        basic: &'a str,
        /// The business variant; empty for the implementation code itself.
        variant: &'a str,
    },
    /// None of the known forms.
    Opaque,
}

impl MatterItemCode {
    /// Reads a code: 1 to 50 characters without blanks.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        Self::read(text).map_err(flaw::of(Kind::MatterItemCode))
    }

    fn read(text: &str) -> Result<Self, Flaw> {
        let got = text.chars().count();
        if got == 0 {
            return Err(Flaw::Empty);
        }
        if got > MATTER_ITEM_CODE_MAX {
            return Err(Flaw::TooLong { max: MATTER_ITEM_CODE_MAX, got });
        }
        let blank = |letter: char| letter.is_whitespace() || letter.is_control();
        match text.chars().enumerate().find(|(_, letter)| blank(*letter)) {
            Some((index, found)) => Err(Flaw::Character {
                position: index + 1,
                found,
                wanted: Alphabet::DigitsAndLetters,
            }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the parts, for display.
    pub fn parts(&self) -> MatterItemParts<'_> {
        let text = self.0.as_str();
        let is_spelt = Alphabet::DigitsAndLetters.spells(text, 0).is_ok();
        match text.len() {
            BASIC if Alphabet::Digits.spells(text, 0).is_ok() => MatterItemParts::Basic(text),
            IMPLEMENTATION | BUSINESS if is_spelt => MatterItemParts::Implementation {
                implementer: &text[..credit::LENGTH],
                level: &text[credit::LENGTH..=credit::LENGTH],
                basic: &text[credit::LENGTH + 1..IMPLEMENTATION],
                variant: &text[IMPLEMENTATION..],
            },
            _ => MatterItemParts::Opaque,
        }
    }

    /// Returns the two digits of the matter type (GB/T 39046), if the form is a known one.
    pub fn matter_type(&self) -> Option<&str> {
        match self.parts() {
            MatterItemParts::Basic(basic) | MatterItemParts::Implementation { basic, .. } => {
                Some(&basic[2..4])
            }
            MatterItemParts::Opaque => None,
        }
    }

    /// Returns what is worth a second look.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        match self.parts() {
            MatterItemParts::Opaque => warnings.push(Warning::Opaque),
            MatterItemParts::Basic(_) => {}
            MatterItemParts::Implementation { implementer, level, .. } => {
                if CreditCode::parse(implementer).is_err() {
                    let part = ("实施主体代码", "implementer's code");
                    warnings.push(Warning::InnerCreditCode { part });
                }
                if !codes::EXERCISE_LEVEL.read(level).is_known() {
                    warnings.push(Warning::UnknownExerciseLevel { code: level.to_owned() });
                }
            }
        }
        if let Some(code) = self.matter_type()
            && !codes::MATTER_TYPE.read(code).is_known()
        {
            warnings.push(Warning::UnknownMatterType { code: code.to_owned() });
        }
        warnings
    }
}

impl fmt::Display for MatterItemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
