//! One case in a file: its log, and the sources of the closures that it is pinned to.
//!
//! What is in it replays anywhere, by this release and every later one: the tests keep bundles of
//! every release. It holds everything that the log holds, personal data included.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::entry::{Body, Entry};
use crate::id::CaseId;
use crate::wire::{self, WireError};

/// First bytes of a file that holds a bundle.
const MARK: &[u8] = b"tongban case\n";

/// One case in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// Release of the program that wrote it.
    pub release: String,
    /// The case.
    pub case: CaseId,
    /// The closures that it is or was pinned to, with their sources.
    pub closures: Vec<(Digest, Vec<u8>)>,
    /// Its log.
    pub entries: Vec<Entry>,
}

/// A file that holds no bundle.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BundleError {
    /// It begins otherwise.
    #[error("该文件不是导出的办件 / the file holds no exported case")]
    Foreign,
    /// It cannot be read.
    #[error("导出的办件无法读取:{0} / the exported case cannot be read: {0}")]
    Form(WireError),
}

impl Bundle {
    /// Writes the bundle.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MARK.to_vec();
        bytes.extend_from_slice(&wire::encode(self));
        bytes
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// [`BundleError`] for other files, and for those of a newer release.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let body = bytes.strip_prefix(MARK).ok_or(BundleError::Foreign)?;
        wire::decode(body).map_err(BundleError::Form)
    }

    /// Returns the public number of the case.
    pub fn number(&self) -> Option<&str> {
        let Body::CaseStarted(started) = &self.entries.first()?.body else { return None };
        Some(&started.number)
    }
}
