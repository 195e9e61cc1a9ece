//! A file on its way in: counted, hashed and looked at as it passes, never held whole.

use sha2::{Digest as _, Sha256};
use tongban_core::digest::Digest;
use tongban_core::limits::UPLOAD_BYTES_MAX;

use super::kind::{self, HEAD_BYTES, TAIL_BYTES};
use super::{BlobError, Kind, StoredBlob, Wanted, zip};

/// What is known of a file so far.
pub(super) struct Intake<'a> {
    wanted: &'a Wanted,
    extension: String,
    hasher: Sha256,
    count: u64,
    head: Vec<u8>,
    /// The newest bytes, up to twice [`TAIL_BYTES`] between two trimmings.
    tail: Vec<u8>,
}

/// A file that came whole and is wanted.
pub(super) struct Received {
    pub(super) digest: Digest,
    bytes: u64,
    kind: Kind,
}

impl Received {
    pub(super) fn blob(&self) -> StoredBlob {
        let media_type = self.kind.media_type();
        StoredBlob { digest: self.digest, bytes: self.bytes, media_type }
    }
}

impl<'a> Intake<'a> {
    /// Begins with what can be refused before the first byte.
    pub(super) fn new(wanted: &'a Wanted) -> Result<Self, BlobError> {
        let extension = wanted.extension()?;
        let (hasher, head, tail) = (Sha256::new(), Vec::new(), Vec::new());
        Ok(Self { wanted, extension, hasher, count: 0, head, tail })
    }

    /// Takes the next bytes, or refuses the file as early as can be told.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Result<(), BlobError> {
        let limit = self.wanted.bytes_max.min(UPLOAD_BYTES_MAX);
        self.count += chunk.len() as u64;
        if self.count > limit {
            let (file, found) = (self.file(), self.count);
            return Err(BlobError::TooLarge { file, limit, found });
        }
        self.hasher.update(chunk);
        let was_short = self.head.len() < HEAD_BYTES;
        self.keep_ends(chunk);
        // An archive shows what it is at its end; everything else need not be awaited.
        if was_short && self.head.len() == HEAD_BYTES && !zip::begins(&self.head) {
            return self.kind().map(drop);
        }
        Ok(())
    }

    fn keep_ends(&mut self, chunk: &[u8]) {
        let missing = HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&chunk[..chunk.len().min(missing)]);
        self.tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL_BYTES)..]);
        if self.tail.len() > 2 * TAIL_BYTES {
            self.tail.drain(..self.tail.len() - TAIL_BYTES);
        }
    }

    /// Ends the file.
    pub(super) fn finish(self) -> Result<Received, BlobError> {
        if self.count == 0 {
            return Err(BlobError::Empty { file: self.file() });
        }
        let kind = self.kind()?;
        Ok(Received { digest: Digest(self.hasher.finalize().into()), bytes: self.count, kind })
    }

    /// Returns what the file is, if that agrees with its extension.
    fn kind(&self) -> Result<Kind, BlobError> {
        let tail = &self.tail[self.tail.len().saturating_sub(TAIL_BYTES)..];
        let kind = Kind::of(&self.head, tail).filter(|kind| kind.agrees_with(&self.extension));
        kind.ok_or_else(|| BlobError::Mismatch {
            file: self.file(),
            declared: self.extension.clone(),
            found: kind::describe(&self.head, tail),
        })
    }

    /// Builds the error for a stream that broke off.
    pub(super) fn torn(&self, source: Box<dyn std::error::Error + Send + Sync>) -> BlobError {
        BlobError::Torn { file: self.file(), received: self.count, source }
    }

    fn file(&self) -> String {
        self.wanted.file_name.clone()
    }
}
