//! 电子证照标识 (GB/T 36904): root, licence type, issuer, serial, version, check character.

use std::fmt;

use super::check::{self, Alphabet, mod_37_36};
use super::credit::{self, CreditCode};
use super::flaw::{self, Flaw, IdentifierError};
use super::kind::Kind;
use super::warning::Warning;

/// The object identifier under which all licences are named.
pub(super) const ROOT: &str = "1.2.156.3005.2.";
const TYPE_LENGTH: usize = 21;
const VERSION_LENGTH: usize = 3;
const SERIAL_MAX: usize = 50;
const FORM: &str = "1.2.156.3005.2.<21>.<18>.<serial>.<3>.<1>";

/// An identifier of an electronic licence with a right check character.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LicenseId {
    type_code: String,
    issuer: String,
    serial: String,
    version: String,
}

impl LicenseId {
    /// Reads an identifier with its dots.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        Self::read(text).map_err(flaw::of(Kind::LicenseId))
    }

    fn read(text: &str) -> Result<Self, Flaw> {
        if text.is_empty() {
            return Err(Flaw::Empty);
        }
        let shape = Flaw::Shape { form: FORM };
        let rest = text.strip_prefix(ROOT).ok_or_else(|| shape.clone())?;
        let parts: Vec<&str> = rest.split('.').collect();
        let [type_code, issuer, serial, version, check] = parts.as_slice() else {
            return Err(shape);
        };
        let mut offset = ROOT.len();
        for part in &parts {
            Alphabet::DigitsAndLetters.spells(part, offset)?;
            offset += part.len() + 1;
        }
        check::length(type_code, TYPE_LENGTH)?;
        check::length(issuer, credit::LENGTH)?;
        check::length(version, VERSION_LENGTH)?;
        check::length(check, 1)?;
        if serial.is_empty() {
            return Err(shape);
        }
        if serial.len() > SERIAL_MAX {
            return Err(Flaw::TooLong { max: SERIAL_MAX, got: serial.len() });
        }
        let [type_code, issuer, serial, version] =
            [type_code, issuer, serial, version].map(|part| (*part).to_owned());
        let license = Self { type_code, issuer, serial, version };
        check::last(text, Some(license.check()))?;
        Ok(license)
    }

    /// Returns the code of the licence type: its defining body and three digits.
    pub fn type_code(&self) -> &str {
        &self.type_code
    }

    /// Returns the credit code of the body that issued the licence.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the serial.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Returns the version.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn check(&self) -> char {
        mod_37_36(&format!("{}{}{}{}", self.type_code, self.issuer, self.serial, self.version))
    }

    /// Returns what is worth a second look.
    pub fn warnings(&self) -> Vec<Warning> {
        let defining = ("定义机构代码", "defining body's code");
        let issuing = ("颁发机构代码", "issuer's code");
        [(&self.type_code[..credit::LENGTH], defining), (&self.issuer, issuing)]
            .into_iter()
            .filter(|(code, _)| CreditCode::parse(code).is_err())
            .map(|(_, part)| Warning::InnerCreditCode { part })
            .collect()
    }
}

impl fmt::Display for LicenseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { type_code, issuer, serial, version } = self;
        write!(f, "{ROOT}{type_code}.{issuer}.{serial}.{version}.{}", self.check())
    }
}
