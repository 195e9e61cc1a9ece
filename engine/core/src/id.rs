//! Identifiers, one newtype each.
//!
//! Everything that names something in a case is derived, never drawn twice: a matter and a
//! task are named by their case and a number, a call by a keyed hash. Only [`CaseId`] holds
//! fresh randomness, which the shell gives in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Secret;
use crate::time::Moment;

/// A text that is not an identifier of the wanted kind.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("cannot read {text:?} as {wanted}")]
pub struct IdError {
    /// What was to be read, such as `case id`.
    pub wanted: &'static str,
    /// What came.
    pub text: String,
}

impl IdError {
    fn new(wanted: &'static str, text: &str) -> Self {
        Self { wanted, text: text.chars().take(80).collect() }
    }
}

/// A case. Its first 48 bits are the creation time in milliseconds, so that cases of one time
/// lie together in a store; the rest is seeded randomness.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct CaseId(pub [u8; 16]);

impl CaseId {
    /// Builds the id of a case created at `at` from 80 random bits.
    pub fn new(at: Moment, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&at.millis_48());
        bytes[6..].copy_from_slice(&random);
        Self(bytes)
    }

    /// Returns the creation time that the id carries.
    pub fn created_at(self) -> Moment {
        Moment::from_millis_48([self.0[0], self.0[1], self.0[2], self.0[3], self.0[4], self.0[5]])
    }
}

/// Crockford's base 32, as ULIDs use it.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_LEN: usize = 26;

fn write_ulid(bytes: [u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let number = u128::from_be_bytes(bytes);
    for digit in (0..ULID_LEN).rev() {
        let index = usize::try_from((number >> (5 * digit)) & 31).expect("five bits fit");
        write!(f, "{}", char::from(CROCKFORD[index]))?;
    }
    Ok(())
}

fn read_ulid(text: &str) -> Option<[u8; 16]> {
    if text.len() != ULID_LEN || text.as_bytes()[0] > b'7' {
        return None;
    }
    let mut number: u128 = 0;
    for byte in text.bytes() {
        let digit = CROCKFORD.iter().position(|known| *known == byte)?;
        number = (number << 5) | digit as u128;
    }
    Some(number.to_be_bytes())
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("case_")?;
        write_ulid(self.0, f)
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CaseId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.strip_prefix("case_")
            .and_then(read_ulid)
            .map(Self)
            .ok_or_else(|| IdError::new("case id", text))
    }
}

/// The number of a matter in its case; 0 is the coordinator, matters begin at 1.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct MatterNo(pub u16);

impl MatterNo {
    /// The engine's own lane of every case.
    pub const COORDINATOR: Self = Self(0);
}

impl fmt::Display for MatterNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an entry in its case's log, from 1; 0 stands before the first.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct Seq(pub u32);

impl Seq {
    /// Returns the next place.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A commit's number, total per store: the public *revision* for read-your-writes.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct CommitNo(pub u64);

/// Fencing number of a store's owner; a commit of an older epoch is refused.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct Epoch(pub u64);

/// Generation of a store: 1 when it was created as an empty one, one more with every restore.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub struct Generation(pub u32);

impl Generation {
    /// The generation of a store that was created empty.
    pub const FIRST: Self = Self(1);

    /// Returns the generation after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns an epoch that no store of an earlier generation reaches.
    pub fn first_epoch(self) -> Epoch {
        Epoch(u64::from(self.0) << 32)
    }
}

macro_rules! part_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $wanted:literal, $number:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        pub struct $name {
            /// The case it belongs to.
            pub case: CaseId,
            /// Its number in that case.
            pub no: $number,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                write_ulid(self.case.0, f)?;
                write!(f, "-{}", self.no)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let parts = text.strip_prefix($prefix).and_then(|rest| rest.split_once('-'));
                parts
                    .and_then(|(case, no)| {
                        let case = CaseId(read_ulid(case)?);
                        Some(Self { case, no: <$number>::from(no.parse::<u32>().ok()?) })
                    })
                    .ok_or_else(|| IdError::new($wanted, text))
            }
        }
    };
}

impl From<u32> for Seq {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<u32> for MatterNo {
    /// Numbers past the type's range become the largest, which no case has.
    fn from(number: u32) -> Self {
        Self(u16::try_from(number).unwrap_or(u16::MAX))
    }
}

part_id! {
    /// A matter of a case (`mtr_<case>-<matter no.>`).
    MatterId, "mtr_", "matter id", MatterNo
}
part_id! {
    /// A task of a case (`tsk_<case>-<seq of the entry that opened it>`).
    TaskId, "tsk_", "task id", Seq
}

/// A call to an agency: a UUID of version 8, derived from the case's creation time and a keyed
/// hash, so that retries, crashes and other nodes arrive at the same id.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct CallId(pub [u8; 16]);

impl CallId {
    /// Derives the id of one call. `path` is the canonical form of (case, matter, run,
    /// generation, scope, ordinal).
    pub fn derive(created: Moment, secret: &Secret, path: &[u8]) -> Self {
        let hash = secret.keyed(b"call-id", path);
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&created.millis_48());
        bytes[6..].copy_from_slice(&hash.0[..10]);
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    /// Returns the creation time of the case that the call belongs to.
    pub fn case_created_at(self) -> Moment {
        CaseId(self.0).created_at()
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CallId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError::new("call id (a UUID)", text);
        let hex: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
        if hex.len() != 32 || text.len() != 36 {
            return Err(error());
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| error())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| error())?;
        }
        Ok(Self(bytes))
    }
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Wraps a code as it stands.
            pub fn new(code: impl Into<String>) -> Self {
                Self(code.into())
            }

            /// Returns the code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

code! {
    /// Code of a combined service (一件事), such as `construction-start`.
    ServiceCode
}
code! {
    /// Code of a matter (事项), such as `investment-filing`.
    MatterCode
}
code! {
    /// Code of a department (部门), such as `natural-resources`.
    DepartmentCode
}
code! {
    /// Administrative division after GB/T 2260 or a local code with a parent; six digits or more.
    RegionCode
}
code! {
    /// A role of people in a department, `department.role`, such as `natural-resources.approver`.
    RoleCode
}

impl RoleCode {
    /// The role of a task that the applicant does himself, or a window for him.
    pub fn applicant() -> Self {
        Self::new("applicant.self")
    }

    /// Tells whether the applicant is meant.
    pub fn is_applicant(&self) -> bool {
        self.0 == "applicant.self"
    }

    /// Returns the department part of the role.
    pub fn department(&self) -> DepartmentCode {
        DepartmentCode::new(self.0.split_once('.').map_or(self.0.as_str(), |(head, _)| head))
    }
}

impl RegionCode {
    /// Returns the digits that every place inside this region begins with: two for a province,
    /// four for a city, all for anything smaller.
    pub fn prefix(&self) -> &str {
        let code = self.0.as_str();
        match code.len() {
            6 if code.ends_with("0000") => &code[..2],
            6 if code.ends_with("00") => &code[..4],
            _ => code,
        }
    }

    /// Tells whether `other` is this region or lies inside it.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(self.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> CaseId {
        CaseId::new(Moment::from_millis(1_772_413_200_123), [7; 10])
    }

    #[test]
    fn ids_read_back_what_they_print() {
        let case = case();
        assert_eq!(case.to_string().parse::<CaseId>(), Ok(case));
        let task = TaskId { case, no: Seq(17) };
        assert_eq!(task.to_string().parse::<TaskId>(), Ok(task));
        let matter = MatterId { case, no: MatterNo(3) };
        assert_eq!(matter.to_string().parse::<MatterId>(), Ok(matter));
    }

    #[test]
    fn foreign_text_is_refused_with_its_kind() {
        for text in ["", "case_", "case_81234567890123456789012345", "tsk_1-2", "caſe_x"] {
            let error = text.parse::<CaseId>().unwrap_err();
            assert!(error.to_string().contains("case id"), "{error}");
        }
    }

    #[test]
    fn call_ids_are_version_8_and_carry_the_cases_time() {
        let secret = Secret::new([1; 32]);
        let created = case().created_at();
        let id = CallId::derive(created, &secret, b"path");
        assert_eq!(id, CallId::derive(created, &secret, b"path"));
        assert_ne!(id, CallId::derive(created, &secret, b"other"));
        assert_eq!(id.case_created_at(), created);
        let text = id.to_string();
        assert_eq!(&text[14..15], "8");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"));
        assert_eq!(text.parse::<CallId>(), Ok(id));
    }

    #[test]
    fn a_city_covers_its_districts_only() {
        let shiyan = RegionCode::new("420300");
        assert!(shiyan.covers(&RegionCode::new("420302")));
        assert!(!shiyan.covers(&RegionCode::new("420600")));
        assert!(RegionCode::new("420000").covers(&shiyan));
        assert!(!RegionCode::new("420302").covers(&shiyan));
    }
}
