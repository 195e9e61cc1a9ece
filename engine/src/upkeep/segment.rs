//! Segments: files of records, each told by its length, the whole by its digest.
//!
//! A segment begins with a line that says what it is, so that it can be told apart in ten years.
//! The records are the store's own wire form.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tongban_core::audit::Audited;
use tongban_core::digest::Digest;
use tongban_core::entry::Entry;
use tongban_core::id::{CaseId, CommitNo, Seq};
use tongban_core::port::{Foreign, KeptClosure, KeptMutation};
use tongban_core::publication::Publication;
use tongban_core::wire;

use crate::folder;

/// The first line of every segment.
const HEAD: &[u8] = b"tongban-segment 1\n";
/// Bytes after which a further segment is begun.
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// No record is larger; a length beyond it is damage.
const RECORD_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// One record of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Record {
    /// A case.
    Case(PackedCase),
    /// A remembered mutation.
    Mutation(KeptMutation),
    /// The scripts that cases are pinned to.
    Closure(KeptClosure),
    /// What belongs to a case that came from another store.
    Foreign(Foreign),
    /// A step of a version of a service.
    Publication(Publication),
    /// A record of the audit log.
    Audited(Audited),
}

/// The log of a case, as far as it is carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PackedCase {
    /// The case.
    pub(super) case: CaseId,
    /// Its entries, in order.
    pub(super) entries: Vec<Entry>,
    /// The first entry of each commit.
    pub(super) commits: Vec<(CommitNo, Seq)>,
    /// Whether it was to be taken up when its store is opened.
    pub(super) owed: bool,
}

/// A file of a backup, as its manifest knows it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMark {
    /// Path inside the backup, parts joined by `/`.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// SHA-256 of them, in hexadecimal digits.
    pub sha256: String,
}

/// Writes records into segments of a folder.
pub(super) struct Writer {
    folder: PathBuf,
    open: Option<Open>,
    done: Vec<FileMark>,
}

struct Open {
    name: String,
    file: BufWriter<File>,
    hasher: Sha256,
    bytes: u64,
}

impl Open {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

impl Writer {
    /// Begins to write segments into a folder that exists.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: None, done: Vec::new() }
    }

    /// Writes one record.
    pub(super) fn put(&mut self, record: &Record) -> io::Result<()> {
        let bytes = wire::encode(record);
        let too_large = || io::Error::new(io::ErrorKind::InvalidInput, "a record is too large");
        let len = u32::try_from(bytes.len()).map_err(|_| too_large())?;
        if self.open.as_ref().is_some_and(|open| open.bytes >= SEGMENT_BYTES) {
            self.close()?;
        }
        let open = if let Some(open) = &mut self.open {
            open
        } else {
            let name = format!("{:06}.segment", self.done.len() + 1);
            let file = BufWriter::new(folder::create_private(&self.folder.join(&name))?);
            let mut open = Open { name, file, hasher: Sha256::new(), bytes: 0 };
            open.put(HEAD)?;
            self.open.insert(open)
        };
        open.put(&len.to_be_bytes())?;
        open.put(&bytes)
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(Open { name, file, hasher, bytes }) = self.open.take() else { return Ok(()) };
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let sha256 = Digest(hasher.finalize().into()).hex();
        self.done.push(FileMark { name, bytes, sha256 });
        Ok(())
    }

    /// Ends the last segment; everything is on the device when it returns.
    pub(super) fn finish(mut self) -> io::Result<Vec<FileMark>> {
        self.close()?;
        folder::sync(&self.folder)?;
        Ok(self.done)
    }
}

/// Reads the records of one segment.
pub(super) struct Reader<R> {
    input: R,
}

impl Reader<BufReader<File>> {
    /// Opens a segment.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut input = BufReader::new(File::open(path)?);
        let mut head = [0; HEAD.len()];
        input.read_exact(&mut head)?;
        if head != HEAD {
            return Err(damaged("it does not begin as a segment"));
        }
        Ok(Self { input })
    }
}

impl<R: Read> Reader<R> {
    fn next_record(&mut self) -> io::Result<Option<Record>> {
        let mut len = [0; 4];
        match self.input.read(&mut len)? {
            0 => return Ok(None),
            some => self.input.read_exact(&mut len[some..])?,
        }
        let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
        if len > RECORD_BYTES_MAX {
            return Err(damaged("a record has an impossible length"));
        }
        let mut bytes = vec![0; len];
        self.input.read_exact(&mut bytes)?;
        wire::decode(&bytes).map(Some).map_err(|error| damaged(&error.to_string()))
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Reads a file to its end and returns its size and digest.
pub(super) fn mark_of(path: &Path) -> io::Result<(u64, Digest)> {
    let mut input = BufReader::new(File::open(path)?);
    let mut hasher = Sha256::new();
    let bytes = io::copy(&mut input, &mut hasher)?;
    Ok((bytes, Digest(hasher.finalize().into())))
}
