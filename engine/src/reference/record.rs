//! The record of a version: the commit that makes a document one, legible for an operator.

use serde::{Deserialize, Serialize};
use tongban_core::digest::Digest;
use tongban_core::time::Moment;

/// The form that is written; another one is refused rather than guessed at.
const FORMAT: u32 = 1;

/// What a record says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) digest: Digest,
    pub(super) at: Moment,
    pub(super) size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    version: u32,
    digest: String,
    at: String,
    size: u64,
}

impl Record {
    pub(super) fn write(&self) -> Vec<u8> {
        let written = Written {
            format: FORMAT,
            version: self.version,
            digest: self.digest.hex(),
            at: self.at.to_string(),
            size: self.size,
        };
        let mut bytes =
            serde_json::to_vec_pretty(&written).expect("numbers and texts are always JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads what [`Record::write`] wrote.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(bytes).ok()?;
        (written.format == FORMAT).then_some(())?;
        Some(Self {
            version: written.version,
            digest: Digest::from_hex(&written.digest)?,
            at: Moment::parse(&written.at)?,
            size: written.size,
        })
    }
}
