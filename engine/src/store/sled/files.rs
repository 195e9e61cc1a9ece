//! Files beside sled: written whole or not at all, and on disk before they are named anywhere.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tongban_core::digest::{Digest, Secret};
use tongban_core::id::{CaseId, CommitNo};

use crate::folder;
use crate::store::envelope::{self, Cipher};

/// Returns bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).expect("half a byte is a digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The newest acknowledged commit, written beside sled after each batch and never synced.
///
/// Damage inside sled's log makes sled open with an earlier state, as if nothing were missing.
/// The mark is never ahead of the log, so a log that ends before it has lost commits.
pub(super) struct Mark(File);

impl Mark {
    /// Opens the mark, or creates it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.open(path).map(Self)
    }

    /// Returns what was marked; the first commit when a crash left the mark unreadable.
    pub(super) fn read(&mut self) -> io::Result<CommitNo> {
        let mut bytes = Vec::new();
        self.0.rewind()?;
        self.0.read_to_end(&mut bytes)?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        Ok(CommitNo(text.trim().parse().unwrap_or_default()))
    }

    /// Marks a commit that is durable.
    pub(super) fn write(&mut self, commit: CommitNo) -> io::Result<()> {
        self.0.rewind()?;
        // Always the same length, so that the file's size never changes.
        self.0.write_all(format!("{:020}\n", commit.0).as_bytes())
    }
}

/// The entries that are too large for a record, one file each: `<2 hex>/<case>/<digest>`.
///
/// A file is named by the keyed digest of its content, so that a name tells nothing and a file
/// that changed is noticed. A commit that is refused may leave its blobs behind; they go with
/// the case.
pub(super) struct Blobs {
    root: PathBuf,
    secret: Secret,
}

impl Blobs {
    /// Names the folder; it is created with the first blob.
    pub(super) fn new(root: PathBuf, secret: Secret) -> Self {
        Self { root, secret }
    }

    fn digest(&self, case: CaseId, bytes: &[u8]) -> Digest {
        self.secret.derive(b"case-blobs", &case.0).keyed(b"blob", bytes)
    }

    fn path(&self, case: CaseId, digest: Digest) -> PathBuf {
        let hex = hex(&case.0);
        // The end of an id is random, so the folders fill evenly.
        let (_, shard) = hex.split_at(hex.len() - 2);
        self.root.join(shard).join(&hex).join(digest.hex())
    }

    /// Writes a blob durably and returns its name.
    pub(super) fn write(
        &self,
        cipher: &dyn Cipher,
        case: CaseId,
        bytes: &[u8],
    ) -> io::Result<Digest> {
        let digest = self.digest(case, bytes);
        let path = self.path(case, digest);
        path.parent().map_or(Ok(()), folder::create)?;
        folder::write(&path, &envelope::wrap(cipher, &digest.0, bytes))?;
        Ok(digest)
    }

    /// Reads a blob back; `None` when its content is not what was written.
    pub(super) fn read(
        &self,
        cipher: &dyn Cipher,
        case: CaseId,
        digest: Digest,
    ) -> io::Result<Option<Vec<u8>>> {
        let record = fs::read(self.path(case, digest))?;
        let bytes = envelope::unwrap(cipher, &digest.0, &record);
        Ok(bytes
            .filter(|bytes| self.digest(case, bytes) == digest)
            .map(std::borrow::Cow::into_owned))
    }
}

/// The sources of closures, one file each, named by the closure's digest.
pub(super) struct Closures {
    root: PathBuf,
}

impl Closures {
    /// Names the folder; it is created with the first closure.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Keeps the sources durably, unless they are kept already.
    pub(super) fn keep(
        &self,
        cipher: &dyn Cipher,
        digest: Digest,
        sources: &[u8],
    ) -> io::Result<()> {
        let path = self.root.join(digest.hex());
        if path.exists() {
            // An earlier writer may have been stopped before the name was durable.
            return folder::sync(&self.root);
        }
        folder::create(&self.root)?;
        folder::write(&path, &envelope::wrap(cipher, &digest.0, sources))
    }

    /// Returns every kept closure; `None` for one that does not open.
    pub(super) fn read_all(
        &self,
        cipher: &dyn Cipher,
    ) -> io::Result<Vec<(Digest, Option<Vec<u8>>)>> {
        let mut closures = Vec::new();
        if !self.root.is_dir() {
            return Ok(closures);
        }
        for file in fs::read_dir(&self.root)? {
            let file = file?;
            let name = file.file_name();
            let Some(digest) = name.to_str().and_then(Digest::from_hex) else {
                continue;
            };
            let record = fs::read(file.path())?;
            let sources = envelope::unwrap(cipher, &digest.0, &record);
            closures.push((digest, sources.map(std::borrow::Cow::into_owned)));
        }
        closures.sort();
        Ok(closures)
    }
}
