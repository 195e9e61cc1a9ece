//! Document numbers (文号): `十自规受理〔2026〕420300202603020001237-02-05-K号`.
//!
//! Office word and kind word, year in 〔〕, then the case number, the matter, the document's
//! running number in the case, and a check character. Offices elsewhere count documents per
//! office and year; that takes a counter which every case of the office must write, leaves gaps
//! when a commit fails, and cannot be told apart after two places merge their counts. The case
//! number is unique already and the running number is given out by the case's own log, so
//! together they are unique without a counter, the same again in every replay, and lead whoever
//! holds the paper straight to the case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::kind::DocumentKind;
use crate::error::ErrorClass;
use crate::id::MatterNo;
use crate::identifier::mod_37_36;

/// What registers of documents have room for (GB/T 39046 gives numbers 50 characters).
const CHARS_MAX: usize = 50;
/// An office word such as 十自规.
const OFFICE_WORD_CHARS_MAX: usize = 8;
const YEARS: std::ops::RangeInclusive<i16> = 2000..=9999;

/// The number of a document; parsed, so that it cannot hold a bad one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentNo {
    office_word: String,
    kind: DocumentKind,
    year: i16,
    case_number: String,
    matter: MatterNo,
    running: u16,
}

/// What a number is derived from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NumberParts<'a> {
    /// The office's word in numbers (机关代字), such as 十自规.
    pub office_word: &'a str,
    /// The kind.
    pub kind: DocumentKind,
    /// The year in which it is made, Beijing time.
    pub year: i16,
    /// The case's public number: digits and capital letters.
    pub case_number: &'a str,
    /// The matter; 0 for the whole case.
    pub matter: MatterNo,
    /// Its number among all documents of the case, from 1.
    pub running: u16,
}

/// A document number that cannot be made or read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// The office has no usable word.
    #[error(
        "机关代字 {0:?} 不能用于文号,请在机构数据中登记 1 至 8 个汉字 / the office word {0:?} cannot stand in a document number; register one to eight Chinese characters with the office"
    )]
    OfficeWord(String),
    /// The case number has other characters than digits and capital letters.
    #[error(
        "办件编号 {0:?} 不能用于文号,只能含数字和大写字母 / the case number {0:?} cannot stand in a document number; it takes digits and capital letters"
    )]
    CaseNumber(String),
    /// The year or the running number is out of range.
    #[error(
        "文号的年份 {year} 或序号 {running} 超出范围 / year {year} or running number {running} of a document number is out of range"
    )]
    OutOfRange {
        /// The year.
        year: i16,
        /// The running number.
        running: u16,
    },
    /// The whole is too long.
    #[error(
        "文号 {0:?} 超过 50 个字符,请缩短机关代字 / the document number {0:?} has more than 50 characters; give the office a shorter word"
    )]
    TooLong(String),
    /// The text has another form.
    #[error(
        "无法读取文号 {0:?},形如“十自规受理〔2026〕420300202603020001237-02-05-K号” / cannot read {0:?} as a document number"
    )]
    Form(String),
    /// The check character is another one: something was mistyped.
    #[error(
        "文号 {text:?} 的校验码应为 {expected},请核对有无抄错 / the check character of document number {text:?} should be {expected}; look for a mistyped one"
    )]
    Check {
        /// The text.
        text: String,
        /// What the check character should be.
        expected: char,
    },
}

impl NumberError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OfficeWord(_) => "OFFICE_WORD_UNUSABLE",
            Self::CaseNumber(_) => "CASE_NUMBER_UNUSABLE",
            Self::OutOfRange { .. } => "DOCUMENT_NUMBER_OUT_OF_RANGE",
            Self::TooLong(_) => "DOCUMENT_NUMBER_TOO_LONG",
            Self::Form(_) => "DOCUMENT_NUMBER_FORM",
            Self::Check { .. } => "DOCUMENT_NUMBER_CHECK",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

impl DocumentNo {
    /// Derives the number of a document.
    pub fn derive(parts: &NumberParts<'_>) -> Result<Self, NumberError> {
        if !is_office_word(parts.office_word) {
            return Err(NumberError::OfficeWord(parts.office_word.to_owned()));
        }
        if !is_case_number(parts.case_number) {
            return Err(NumberError::CaseNumber(parts.case_number.to_owned()));
        }
        if !YEARS.contains(&parts.year) || parts.running == 0 {
            return Err(NumberError::OutOfRange { year: parts.year, running: parts.running });
        }
        let number = Self {
            office_word: parts.office_word.to_owned(),
            kind: parts.kind,
            year: parts.year,
            case_number: parts.case_number.to_owned(),
            matter: parts.matter,
            running: parts.running,
        };
        let text = number.to_string();
        if text.chars().count() > CHARS_MAX {
            return Err(NumberError::TooLong(text));
        }
        Ok(number)
    }

    /// Returns the kind of document it names.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// Returns the office's word.
    pub fn office_word(&self) -> &str {
        &self.office_word
    }

    /// Returns the year.
    pub fn year(&self) -> i16 {
        self.year
    }

    /// Returns the number of its case.
    pub fn case_number(&self) -> &str {
        &self.case_number
    }

    /// Returns its matter; 0 for the whole case.
    pub fn matter(&self) -> MatterNo {
        self.matter
    }

    /// Returns its number among the documents of the case.
    pub fn running(&self) -> u16 {
        self.running
    }

    /// The kind goes in as one character, its place in the table, so that a wrong kind word is
    /// noticed as surely as one wrong digit. The office word is Chinese and outside the
    /// algorithm's alphabet.
    fn check(&self) -> char {
        let kind = char::from_digit(self.kind as u32, 36).expect("there are fewer than 36 kinds");
        let text = format!(
            "{}{}{}{:02}{:02}",
            kind.to_ascii_uppercase(),
            self.year,
            self.case_number,
            self.matter.0,
            self.running
        );
        mod_37_36(&text)
    }

    fn read(text: &str) -> Option<(Self, char)> {
        let (head, rest) = text.split_once('〔')?;
        let (year, rest) = rest.split_once('〕')?;
        let mut tail = rest.strip_suffix('号')?.split('-');
        let (case_number, matter, running) = (tail.next()?, tail.next()?, tail.next()?);
        let mut check = tail.next()?.chars();
        let written = check.next()?;
        if tail.next().is_some() || check.next().is_some() {
            return None;
        }
        let row = DocumentKind::ALL.iter().find(|row| head.ends_with(row.word))?;
        let number = Self::derive(&NumberParts {
            office_word: head.strip_suffix(row.word)?,
            kind: row.kind,
            year: year.parse().ok()?,
            case_number,
            matter: MatterNo(matter.parse().ok()?),
            running: running.parse().ok()?,
        });
        Some((number.ok()?, written))
    }
}

fn is_office_word(word: &str) -> bool {
    let chars = word.chars().count();
    (1..=OFFICE_WORD_CHARS_MAX).contains(&chars)
        && word.chars().all(|letter| letter.is_alphanumeric() && !letter.is_ascii())
}

fn is_case_number(number: &str) -> bool {
    !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

impl fmt::Display for DocumentNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}〔{}〕{}-{:02}-{:02}-{}号",
            self.office_word,
            self.kind.row().word,
            self.year,
            self.case_number,
            self.matter.0,
            self.running,
            self.check()
        )
    }
}

impl FromStr for DocumentNo {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let shown = || text.chars().take(2 * CHARS_MAX).collect::<String>();
        let (number, written) = Self::read(text).ok_or_else(|| NumberError::Form(shown()))?;
        let expected = number.check();
        if written != expected {
            return Err(NumberError::Check { text: shown(), expected });
        }
        // One number, one spelling: `-2-` is not `-02-`.
        if number.to_string() != text {
            return Err(NumberError::Form(shown()));
        }
        Ok(number)
    }
}

impl TryFrom<String> for DocumentNo {
    type Error = NumberError;

    fn try_from(text: String) -> Result<Self, NumberError> {
        text.parse()
    }
}

impl From<DocumentNo> for String {
    fn from(number: DocumentNo) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> NumberParts<'static> {
        NumberParts {
            office_word: "十自规",
            kind: DocumentKind::Acceptance,
            year: 2026,
            case_number: "420300202603020001237",
            matter: MatterNo(2),
            running: 5,
        }
    }

    #[test]
    fn a_number_reads_back_what_it_prints() {
        for row in DocumentKind::ALL {
            let number = DocumentNo::derive(&NumberParts { kind: row.kind, ..parts() }).unwrap();
            let text = number.to_string();
            assert!(text.chars().count() <= CHARS_MAX, "{text}");
            assert_eq!(text.parse::<DocumentNo>(), Ok(number));
        }
        let number = DocumentNo::derive(&parts()).unwrap();
        expect_test::expect!["十自规受理〔2026〕420300202603020001237-02-05-7号"]
            .assert_eq(&number.to_string());
    }

    #[test]
    fn documents_of_one_case_differ_by_their_running_number() {
        let one = DocumentNo::derive(&parts()).unwrap();
        let two = DocumentNo::derive(&NumberParts { running: 6, ..parts() }).unwrap();
        assert_ne!(one.to_string(), two.to_string());
    }

    #[test]
    fn every_mistyped_digit_and_kind_is_noticed() {
        let text = DocumentNo::derive(&parts()).unwrap().to_string();
        for (at, letter) in text.char_indices().filter(|(_, letter)| letter.is_ascii_digit()) {
            let other = if letter == '7' { '8' } else { '7' };
            let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(wrong.parse::<DocumentNo>().is_err(), "{wrong}");
        }
        for row in DocumentKind::ALL.iter().filter(|row| row.kind != DocumentKind::Acceptance) {
            let wrong = text.replace("受理", row.word);
            let error = wrong.parse::<DocumentNo>().unwrap_err();
            assert_eq!(error.code(), "DOCUMENT_NUMBER_CHECK", "{wrong}");
        }
    }

    #[test]
    fn what_cannot_stand_in_a_number_is_refused() {
        for (parts, code) in [
            (NumberParts { office_word: "", ..parts() }, "OFFICE_WORD_UNUSABLE"),
            (NumberParts { office_word: "十〔", ..parts() }, "OFFICE_WORD_UNUSABLE"),
            (NumberParts { case_number: "4203-1", ..parts() }, "CASE_NUMBER_UNUSABLE"),
            (NumberParts { running: 0, ..parts() }, "DOCUMENT_NUMBER_OUT_OF_RANGE"),
            (NumberParts { year: 26, ..parts() }, "DOCUMENT_NUMBER_OUT_OF_RANGE"),
        ] {
            assert_eq!(DocumentNo::derive(&parts).unwrap_err().code(), code);
        }
        let long = "1".repeat(40);
        let error = DocumentNo::derive(&NumberParts { case_number: &long, ..parts() });
        assert_eq!(error.unwrap_err().code(), "DOCUMENT_NUMBER_TOO_LONG");
    }

    #[test]
    fn other_spellings_are_other_numbers() {
        let text = DocumentNo::derive(&parts()).unwrap().to_string();
        for wrong in ["", "号", &text.replace("-02-", "-2-"), &format!("{text} "), "〔〕---号"]
        {
            assert!(wrong.parse::<DocumentNo>().is_err(), "{wrong}");
        }
    }
}
