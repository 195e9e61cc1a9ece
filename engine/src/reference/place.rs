//! Where a document's versions lie: keys are built here and nowhere else.

use std::fmt;

use object_store::path::Path;

use super::record::Record;
use super::{Document, KINDS, ReferenceError, Version};
use crate::objects::key;

const ROOT: &str = "reference";
const RECORD: &str = ".version.json";
const NAME_CHARS_MAX: usize = 64;
/// Digits of the digest in a document's key: enough to compare by eye.
const DIGEST_DIGITS: usize = 12;

/// A kind and a name that can be parts of a key.
#[derive(Clone, Debug)]
pub(super) struct Place {
    kind: &'static str,
    name: String,
}

impl Place {
    pub(super) fn new(kind: &str, name: &str) -> Result<Self, ReferenceError> {
        let kind = known(kind)?;
        let fits = (1..=NAME_CHARS_MAX).contains(&name.len());
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let begins = name.bytes().next().is_some_and(plain);
        if fits && begins && name.bytes().all(|byte| plain(byte) || b"._-".contains(&byte)) {
            return Ok(Self { kind, name: name.to_owned() });
        }
        Err(ReferenceError::BadName { name: name.chars().take(80).collect() })
    }

    /// Returns the prefix of every document.
    pub(super) fn root() -> Path {
        key([ROOT])
    }

    /// Returns the prefix of every document of a kind.
    pub(super) fn kind_prefix(kind: &str) -> Result<Path, ReferenceError> {
        Ok(key([ROOT, known(kind)?]))
    }

    pub(super) fn prefix(&self) -> Path {
        key([ROOT, self.kind, &self.name])
    }

    pub(super) fn record(&self, version: u32) -> Path {
        key([ROOT, self.kind, &self.name, &format!("{version:05}{RECORD}")])
    }

    pub(super) fn document(&self, record: &Record) -> Path {
        let digest = &record.digest.hex()[..DIGEST_DIGITS];
        key([ROOT, self.kind, &self.name, &format!("{:05}-{digest}.json", record.version)])
    }

    pub(super) fn version(&self, record: Record) -> Version {
        Version {
            kind: self.kind.to_owned(),
            name: self.name.clone(),
            version: record.version,
            digest: record.digest,
            at: record.at,
            size: record.size,
        }
    }

    pub(super) fn with_bytes(&self, record: Record, bytes: Vec<u8>) -> Document {
        Document {
            kind: self.kind.to_owned(),
            name: self.name.clone(),
            version: record.version,
            digest: record.digest,
            at: record.at,
            bytes,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// Returns the number of a record by the last part of its key.
pub(super) fn number_of_record(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(RECORD)?;
    let number = digits.parse().ok()?;
    // Any other spelling of the number is not ours.
    (format!("{number:05}") == digits && number > 0).then_some(number)
}

fn known(kind: &str) -> Result<&'static str, ReferenceError> {
    let found = KINDS.into_iter().find(|known| *known == kind);
    found.ok_or_else(|| ReferenceError::UnknownKind { kind: kind.chars().take(80).collect() })
}
