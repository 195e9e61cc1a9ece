//! What can be wrong with an identifier, said so that a person can put it right.
//!
//! Neither text nor error holds the identifier itself: errors reach logs, and most identifiers
//! are personal data.

use crate::error::ErrorClass;

use super::check::Alphabet;
use super::kind::Kind;

/// Why a text is not an identifier of the wanted kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// There is no text.
    Empty,
    /// Too short or too long.
    Length {
        /// How many characters the kind has.
        wanted: usize,
        /// How many there are.
        got: usize,
    },
    /// Longer than such a text may be.
    TooLong {
        /// Most characters.
        max: usize,
        /// How many there are.
        got: usize,
    },
    /// A character that may not stand there.
    Character {
        /// Its position, from 1.
        position: usize,
        /// What stands there.
        found: char,
        /// What may stand there.
        wanted: Alphabet,
    },
    /// A small letter in place of a capital.
    LowerCase {
        /// Its position, from 1.
        position: usize,
        /// The letter.
        found: char,
    },
    /// The date in it is not in the calendar.
    NoSuchDate,
    /// The date in it lies before 1900.
    DateTooEarly,
    /// The date in it lies after today.
    DateInFuture,
    /// The check character does not belong to the rest.
    Check {
        /// What stands there.
        found: char,
        /// What belongs to the rest.
        wanted: char,
    },
    /// A citizen number of 15 digits, out of use since 2013; good for looking up alone.
    OldNumber {
        /// Its form of today, for looking up.
        lookup: String,
    },
    /// The parts are not divided as they should be.
    Shape {
        /// The form, by example.
        form: &'static str,
    },
    /// The region is in no table that was loaded.
    NoSuchRegion,
    /// The text has the form of no known kind.
    Unrecognised,
}

impl Flaw {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::Length { .. } => "LENGTH",
            Self::TooLong { .. } => "TOO_LONG",
            Self::Character { .. } => "CHARACTER",
            Self::LowerCase { .. } => "LOWER_CASE",
            Self::NoSuchDate => "NO_SUCH_DATE",
            Self::DateTooEarly => "DATE_TOO_EARLY",
            Self::DateInFuture => "DATE_IN_FUTURE",
            Self::Check { .. } => "CHECK_CHARACTER",
            Self::OldNumber { .. } => "OLD_NUMBER",
            Self::Shape { .. } => "SHAPE",
            Self::NoSuchRegion => "NO_SUCH_REGION",
            Self::Unrecognised => "UNRECOGNISED",
        }
    }

    /// Says in Chinese what is wrong and what to do.
    pub fn chinese(&self) -> String {
        match self {
            Self::Empty => "没有内容,请输入号码".into(),
            Self::Length { wanted, got } => {
                format!("应为 {wanted} 个字符,实际为 {got} 个,请核对是否漏写或多写")
            }
            Self::TooLong { max, got } => {
                format!("最多 {max} 个字符,实际为 {got} 个,请核对是否多写")
            }
            Self::Character { position, found, wanted } => {
                let wanted = match wanted {
                    Alphabet::Digits => "数字",
                    Alphabet::DigitsAndLetters => "数字或大写字母",
                    Alphabet::Credit => "数字或大写字母(不含 I、O、S、V、Z)",
                };
                format!("第 {position} 个字符 {found:?} 不应出现,此处应为{wanted}")
            }
            Self::LowerCase { position, found } => {
                let capital = found.to_ascii_uppercase();
                format!("第 {position} 个字符 {found:?} 应为大写 {capital:?}")
            }
            Self::NoSuchDate => "其中的日期不存在,请核对年月日".into(),
            Self::DateTooEarly => "其中的日期早于 1900 年,请核对年月日".into(),
            Self::DateInFuture => "其中的日期晚于今天,请核对年月日".into(),
            Self::Check { found, wanted } => format!(
                "校验码为 {found:?},按前面各位计算应为 {wanted:?},至少有一位写错,请逐位核对"
            ),
            Self::OldNumber { lookup } => {
                format!("15 位旧号码已停用,只可用于查询(对应 {lookup}),请填写现行 18 位号码")
            }
            Self::Shape { form } => format!("格式应如 {form},请核对各段和分隔符"),
            Self::NoSuchRegion => {
                "区划代码表中没有此代码,请核对;本地自定代码须先载入并注明上级".into()
            }
            Self::Unrecognised => {
                "看不出是哪一类号码,请核对,或指明类别(--kind)以得到具体原因".into()
            }
        }
    }

    /// Says in English what is wrong and what to do.
    pub fn english(&self) -> String {
        match self {
            Self::Empty => "there is nothing in it; give a number".into(),
            Self::Length { wanted, got } => {
                format!("it has {got} characters, not {wanted}; look for one left out or doubled")
            }
            Self::TooLong { max, got } => {
                format!("it has {got} characters, more than {max}; look for some too many")
            }
            Self::Character { position, found, wanted } => {
                let wanted = match wanted {
                    Alphabet::Digits => "a digit",
                    Alphabet::DigitsAndLetters => "a digit or a capital letter",
                    Alphabet::Credit => "a digit or a capital letter, but none of I, O, S, V, Z",
                };
                format!("character {position} is {found:?}; there belongs {wanted}")
            }
            Self::LowerCase { position, found } => {
                let capital = found.to_ascii_uppercase();
                format!("character {position} is {found:?}; write the capital {capital:?}")
            }
            Self::NoSuchDate => "its date is not in the calendar; check year, month, day".into(),
            Self::DateTooEarly => "its date lies before 1900; check the year".into(),
            Self::DateInFuture => "its date lies after today; check year, month, day".into(),
            Self::Check { found, wanted } => format!(
                "the check character is {found:?}, the rest gives {wanted:?}: at least one \
                 character is wrong; compare them one by one"
            ),
            Self::OldNumber { lookup } => format!(
                "numbers of 15 digits are out of use and serve for looking up alone (as {lookup}); \
                 give the number of 18 characters"
            ),
            Self::Shape { form } => format!("its form is that of {form}; check parts and dividers"),
            Self::NoSuchRegion => {
                "no region has this code; check it, or load a local code with its parent".into()
            }
            Self::Unrecognised => {
                "it has the form of no known kind; check it, or name the kind (--kind) to learn more"
                    .into()
            }
        }
    }
}

/// A text that is not an identifier of the wanted kind.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{}不正确:{} / not a valid {}: {}",
    .kind.name(), .flaw.chinese(), .kind.english(), .flaw.english()
)]
pub struct IdentifierError {
    /// What it was read as.
    pub kind: Kind,
    /// What is wrong.
    pub flaw: Flaw,
}

impl IdentifierError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        self.flaw.code()
    }

    /// Returns the class: the same text will always be wrong.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

/// Says of what kind the flawed text was to be.
pub(super) fn of(kind: Kind) -> impl Fn(Flaw) -> IdentifierError {
    move |flaw| IdentifierError { kind, flaw }
}
