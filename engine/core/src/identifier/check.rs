//! The check algorithms, each once: GB 11643, GB 32100, GB 11714 and ISO 7064 MOD 37,36.
//!
//! All of them find every single changed character. They take characters that were checked
//! before; a character outside the alphabet yields no check character at all.

use super::flaw::Flaw;

/// Digits, then capital letters.
const DIGITS_AND_LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The alphabet of credit codes: I, O, S, V and Z are left out as too like a digit or each other.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

const CITIZEN_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CITIZEN_CHECKS: &[u8; 11] = b"10X98765432";
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

fn value_in(alphabet: &[u8], byte: u8) -> Option<u32> {
    let index = alphabet.iter().position(|known| *known == byte)?;
    u32::try_from(index).ok()
}

fn weighted_sum(alphabet: &[u8], text: &str, weights: &[u32]) -> Option<u32> {
    if text.len() != weights.len() {
        return None;
    }
    text.bytes().zip(weights).map(|(byte, weight)| Some(value_in(alphabet, byte)? * weight)).sum()
}

fn character(alphabet: &[u8], index: u32) -> Option<char> {
    alphabet.get(usize::try_from(index).ok()?).map(|byte| char::from(*byte))
}

/// Returns the last character of a citizen number from its first 17 digits.
pub(super) fn citizen(first: &str) -> Option<char> {
    let sum = weighted_sum(&DIGITS_AND_LETTERS[..10], first, &CITIZEN_WEIGHTS)?;
    character(CITIZEN_CHECKS, sum % 11)
}

/// Returns the last character of a credit code from its first 17 characters.
pub(super) fn credit(first: &str) -> Option<char> {
    let mut weights = [1; 17];
    for index in 1..weights.len() {
        weights[index] = weights[index - 1] * 3 % 31;
    }
    let sum = weighted_sum(CREDIT_ALPHABET, first, &weights)?;
    character(CREDIT_ALPHABET, (31 - sum % 31) % 31)
}

/// Returns the last character of an organisation code (GB 11714) from its first eight.
pub(super) fn organisation(first: &str) -> Option<char> {
    let sum = weighted_sum(DIGITS_AND_LETTERS, first, &ORGANISATION_WEIGHTS)?;
    match 11 - sum % 11 {
        10 => Some('X'),
        11 => Some('0'),
        digit => char::from_digit(digit, 10),
    }
}

/// Returns the check character of ISO 7064 MOD 37,36 over the digits and capital letters of
/// `text`. Anything else, such as the dots of a licence identifier, does not count.
pub fn mod_37_36(text: &str) -> char {
    let values = text.bytes().filter_map(|byte| value_in(DIGITS_AND_LETTERS, byte));
    let product = values.fold(36, |product, value| match (product + value) % 36 {
        0 => 36 * 2 % 37,
        sum => sum * 2 % 37,
    });
    character(DIGITS_AND_LETTERS, (37 - product) % 36).expect("a value below 36 has a character")
}

/// Which characters may stand somewhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Alphabet {
    /// 0 to 9.
    Digits,
    /// 0 to 9 and A to Z.
    DigitsAndLetters,
    /// The 31 characters of GB 32100.
    Credit,
}

impl Alphabet {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Digits => &DIGITS_AND_LETTERS[..10],
            Self::DigitsAndLetters => DIGITS_AND_LETTERS,
            Self::Credit => CREDIT_ALPHABET,
        }
    }

    /// Tells whether `letter` is one of them.
    pub(super) fn holds(self, letter: char) -> bool {
        u8::try_from(letter).is_ok_and(|byte| self.bytes().contains(&byte))
    }

    /// Checks that `text` has no other character; the first one is named with its position
    /// in the whole, of which `text` begins after `offset` characters.
    pub(super) fn spells(self, text: &str, offset: usize) -> Result<(), Flaw> {
        let strange = text.chars().enumerate().find(|(_, letter)| !self.holds(*letter));
        let Some((index, found)) = strange else { return Ok(()) };
        let position = offset + index + 1;
        if self.holds(found.to_ascii_uppercase()) {
            return Err(Flaw::LowerCase { position, found });
        }
        Err(Flaw::Character { position, found, wanted: self })
    }
}

/// Checks that `text` has exactly `wanted` characters.
pub(super) fn length(text: &str, wanted: usize) -> Result<(), Flaw> {
    match text.chars().count() {
        got if got == wanted => Ok(()),
        got => Err(Flaw::Length { wanted, got }),
    }
}

/// Checks the last character of a text against the computed one.
pub(super) fn last(text: &str, wanted: Option<char>) -> Result<(), Flaw> {
    let found = text.chars().next_back();
    match (found, wanted) {
        (Some(found), Some(wanted)) if found == wanted => Ok(()),
        (Some(found), Some(wanted)) => Err(Flaw::Check { found, wanted }),
        (None, _) | (_, None) => Err(Flaw::Empty),
    }
}
