//! Taking a backup of a store that may be at work.
//!
//! ```text
//! <backup>/manifest.json        written last: revision, generation, counts, digest of every file
//! <backup>/000001.segment …     logs of cases, remembered mutations, scripts
//! <backup>/files/<case>/<sha>   the files that the logs name
//! <backup>/store.key …          keys and documents of the folder
//! ```
//!
//! The cut is one commit number. Logs only grow, so a case that is read later is cut where it
//! stood then: all commits up to the cut are in the backup and none after. Read model and index
//! rows are not carried; a restore makes them from the logs.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use tongban_core::digest::Digest;
use tongban_core::files::{Named, named};
use tongban_core::id::{CaseId, CommitNo, Seq};
use tongban_core::limits::PAGE_MAX;
use tongban_core::port::{Stored, Upkeep};
use tongban_core::time::Moment;

use super::check::Progress;
use super::error::{CarryError, READ, WRITE};
use super::manifest::{Counts, FORMAT, KIND, MANIFEST, Manifest};
use super::segment::{FileMark, PackedCase, Record, Writer, mark_of};
use crate::blob::Blobs;
use crate::folder;
use crate::reference::References;

/// The folder of case files inside a backup.
pub(super) const FILES: &str = "files";
/// Mutations of one step of the walk.
const STEP: usize = 1_000;

/// What a backup is taken of.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The store; it may be at work.
    pub store: &'a dyn Upkeep,
    /// Where the files of cases are, if anywhere.
    pub blobs: Option<&'a Blobs>,
    /// Where the documents of offices are, if anywhere.
    pub references: Option<&'a References>,
    /// The folder that holds what stands beside the store.
    pub folder: &'a Path,
    /// Files in it that belong to a backup, such as keys; one that is not there is left out.
    pub others: &'a [&'a str],
    /// Wire time.
    pub now: Moment,
}

/// Writes a backup into `to`, which must be new or empty, and returns its manifest.
///
/// # Errors
/// [`CarryError`]; what was written until then is no backup, for it has no manifest.
pub async fn backup(
    source: Source<'_>,
    to: &Path,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Manifest, CarryError> {
    must_be_empty(to)?;
    folder::create(to).map_err(CarryError::at(WRITE, to))?;
    let identity = source.store.identity();
    let mut taking = Taking {
        source,
        to: to.to_owned(),
        cut: source.store.revision(),
        writer: Writer::new(to),
        counts: Counts::default(),
    };
    taking.cases(progress).await?;
    taking.mutations().await?;
    taking.closures().await?;
    let mut others = taking.others()?;
    others.extend(taking.documents().await?);
    let Taking { cut, writer, counts, .. } = taking;
    let manifest = Manifest {
        kind: KIND.to_owned(),
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: source.now.to_string(),
        revision: cut.0,
        generation: identity.generation.0,
        clock_offset: identity.clock_offset,
        counts,
        segments: writer.finish().map_err(CarryError::at(WRITE, to))?,
        others,
    };
    let text = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
    let path = to.join(MANIFEST);
    folder::write(&path, &text).map_err(CarryError::at(WRITE, &path))?;
    Ok(manifest)
}

/// Refuses a place that holds something.
pub(super) fn must_be_empty(folder: &Path) -> Result<(), CarryError> {
    let refused = || CarryError::NotEmpty(folder.display().to_string());
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(refused()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Err(refused()),
        Err(error) => Err(CarryError::at(READ, folder)(error)),
    }
}

struct Taking<'a> {
    source: Source<'a>,
    to: PathBuf,
    cut: CommitNo,
    writer: Writer,
    counts: Counts,
}

impl Taking<'_> {
    fn put(&mut self, record: &Record) -> Result<(), CarryError> {
        self.writer.put(record).map_err(CarryError::at(WRITE, &self.to))
    }

    async fn cases(
        &mut self,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), CarryError> {
        let mut after = None;
        loop {
            let page = self.source.store.cases(after, PAGE_MAX).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for case in page {
                self.case(case).await?;
            }
            progress(Progress { cases: self.counts.cases, differences: 0 });
        }
    }

    async fn case(&mut self, id: CaseId) -> Result<(), CarryError> {
        let Some(stored) = self.source.store.load(id).await? else { return Ok(()) };
        let Some(packed) = cut_at(stored, self.cut) else { return Ok(()) };
        if let Some(blobs) = self.source.blobs {
            for (digest, sure) in named(&packed.entries) {
                self.file(blobs, (id, digest), sure).await?;
            }
        }
        self.counts.cases += 1;
        self.counts.entries += packed.entries.len() as u64;
        self.counts.commits += packed.commits.len() as u64;
        self.put(&Record::Case(packed))
    }

    async fn file(
        &mut self,
        blobs: &Blobs,
        (case, digest): (CaseId, Digest),
        sure: Named,
    ) -> Result<(), CarryError> {
        let path = self.to.join(FILES).join(case.to_string()).join(digest.hex());
        match copy_out(blobs, (case, digest), &path).await? {
            Some(bytes) => {
                self.counts.files += 1;
                self.counts.file_bytes += bytes;
                Ok(())
            }
            None if sure == Named::ByDigest => Ok(()),
            None => Err(CarryError::Damaged {
                path: case.to_string(),
                what: format!("file {digest} is missing"),
            }),
        }
    }

    async fn mutations(&mut self) -> Result<(), CarryError> {
        let mut after = None;
        loop {
            let page = self.source.store.mutations(after, STEP).await?;
            let Some((_, last)) = page.last() else { return Ok(()) };
            after = Some(last.key);
            let cut = self.cut;
            for kept in page.into_iter().filter(|(commit, _)| *commit <= cut) {
                self.counts.mutations += 1;
                self.put(&Record::Mutation(kept))?;
            }
        }
    }

    async fn closures(&mut self) -> Result<(), CarryError> {
        for foreign in self.source.store.foreign().await? {
            self.put(&Record::Foreign(foreign))?;
        }
        for closure in self.source.store.closures().await? {
            self.counts.closures += 1;
            self.put(&Record::Closure(closure))?;
        }
        for publication in self.source.store.publications().await? {
            self.put(&Record::Publication(publication))?;
        }
        self.audited().await
    }

    async fn audited(&mut self) -> Result<(), CarryError> {
        let mut after = 0;
        loop {
            let page = self.source.store.audited(after, STEP).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.no;
            for kept in page {
                self.put(&Record::Audited(kept))?;
            }
        }
    }

    fn others(&self) -> Result<Vec<FileMark>, CarryError> {
        let mut copied = Vec::new();
        for name in self.source.others {
            let from = self.source.folder.join(name);
            if from.is_file() {
                let bytes = std::fs::read(&from).map_err(CarryError::at(READ, &from))?;
                copied.push(self.beside(name, &bytes)?);
            }
        }
        Ok(copied)
    }

    /// Copies the documents of offices, every version.
    async fn documents(&self) -> Result<Vec<FileMark>, CarryError> {
        let mut copied = Vec::new();
        let Some(references) = self.source.references else { return Ok(copied) };
        for key in references.keys().await? {
            if let Some(bytes) = references.copy(&key).await? {
                copied.push(self.beside(key.as_ref(), &bytes)?);
            }
        }
        Ok(copied)
    }

    /// Writes what stands beside the segments.
    fn beside(&self, name: &str, bytes: &[u8]) -> Result<FileMark, CarryError> {
        let path = self.to.join(name);
        let failed = || CarryError::at(WRITE, &path);
        path.parent().map_or(Ok(()), folder::create).map_err(failed())?;
        folder::write(&path, bytes).map_err(failed())?;
        let (bytes, digest) = mark_of(&path).map_err(failed())?;
        Ok(FileMark { name: name.to_owned(), bytes, sha256: digest.hex() })
    }
}

/// Copies a file of a case out of the store of files; `None` when it is not there.
pub(super) async fn copy_out(
    blobs: &Blobs,
    (case, digest): (CaseId, Digest),
    path: &Path,
) -> Result<Option<u64>, CarryError> {
    let Some(mut reader) = blobs.get(case, digest).await? else { return Ok(None) };
    let failed = || CarryError::at(WRITE, path);
    path.parent().map_or(Ok(()), folder::create).map_err(failed())?;
    let mut file = folder::create_private(path).map_err(failed())?;
    while let Some(chunk) = reader.stream.next().await {
        file.write_all(&chunk?).map_err(failed())?;
    }
    file.sync_all().map_err(failed())?;
    path.parent().map_or(Ok(()), folder::sync).map_err(failed())?;
    Ok(Some(reader.blob.bytes))
}

/// Cuts a case at a commit; `None` when it began after it.
pub(super) fn cut_at(stored: Stored, cut: CommitNo) -> Option<PackedCase> {
    let Stored { case, mut entries, mut commits, summary, revision } = stored;
    let later = commits.iter().find(|(no, _)| *no > cut).map(|(_, first)| *first);
    commits.retain(|(no, _)| *no <= cut);
    commits.first()?;
    if let Some(Seq(first)) = later {
        entries.retain(|entry| entry.seq < Seq(first));
    }
    // What a case was owed at the cut may have been done since: it is looked at once.
    Some(PackedCase { case, entries, commits, owed: summary.outbox || revision > cut })
}
