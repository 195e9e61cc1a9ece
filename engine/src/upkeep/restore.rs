//! Verifying a backup, and filling a new store from it.
//!
//! The target is a store that nobody uses yet. Files come before the case that names them, cases
//! before the declaration; a store without the declaration is not taken for a restored one. The
//! read model is made from the logs by the rules of this program.

use std::path::{Path, PathBuf};

use tongban_core::case::Case;
use tongban_core::digest::Digest;
use tongban_core::files::{Named, named};
use tongban_core::id::{CaseId, CommitNo, Generation};
use tongban_core::port::{Declared, Planted, Restored, Upkeep};
use tongban_core::read_model;
use tongban_core::summary::{CaseSummary, IndexRow};
use tongban_core::time::Moment;

use super::backup::FILES;
use super::check::Progress;
use super::error::{CarryError, READ, WRITE};
use super::manifest::{Counts, FORMAT, KIND, MANIFEST, Manifest};
use super::segment::{FileMark, PackedCase, Reader, Record, mark_of};
use crate::blob::Blobs;
use crate::folder;
use crate::reference::References;
use crate::standing::Standing;

/// Cases between two words about the progress.
const TOLD_EVERY: u64 = 100;

/// A backup that was verified: every file is there and is what was written.
#[derive(Clone, Debug)]
pub struct Backup {
    folder: PathBuf,
    manifest: Manifest,
}

/// Where a backup is restored to.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// A new store, opened with the backup's key.
    pub store: &'a dyn Upkeep,
    /// Where its files are to be.
    pub blobs: &'a Blobs,
    /// Calendars and organisation of the backup.
    pub standing: &'a Standing,
    /// When the restore is declared, by the wire clock.
    pub at: Moment,
}

impl Backup {
    /// Reads a backup from end to end and makes sure that it is whole.
    ///
    /// # Errors
    /// [`CarryError::NotOurs`] for a folder without a manifest, [`CarryError::Damaged`] for a
    /// file that is missing or is not what was written.
    pub fn verify(
        folder: &Path,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Self, CarryError> {
        let backup = Self { folder: folder.to_owned(), manifest: read_manifest(folder)? };
        for marked in backup.manifest.segments.iter().chain(&backup.manifest.others) {
            backup.must_be(marked)?;
        }
        let mut found = Counts::default();
        let mut newest = CommitNo::default();
        backup.records(|record| {
            count(&mut found, &record);
            if let Record::Case(packed) = record {
                Case::from_entries(packed.case, &packed.entries)?;
                newest = packed.commits.last().map_or(newest, |(no, _)| newest.max(*no));
                backup.count_files(&packed, &mut found)?;
                if found.cases.is_multiple_of(TOLD_EVERY) {
                    progress(Progress { cases: found.cases, differences: 0 });
                }
            }
            Ok(())
        })?;
        let told = backup.manifest.counts;
        // Every number up to the cut belongs to exactly one case.
        if found != told || newest.0 != told.commits || newest.0 != backup.manifest.revision {
            return Err(backup.damaged(MANIFEST, format!("it counts {told:?}, found {found:?}")));
        }
        Ok(backup)
    }

    /// Returns what the backup says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Copies keys whose names are wanted into the folder of the new store.
    ///
    /// # Errors
    /// [`CarryError::Folder`].
    pub fn lay_out(&self, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<(), CarryError> {
        let keys = |marked: &&FileMark| !is_document(marked) && wanted(&marked.name);
        for marked in self.manifest.others.iter().filter(keys) {
            let (bytes, path) = (self.bytes_of(marked)?, to.join(&marked.name));
            let failed = || CarryError::at(WRITE, &path);
            path.parent().map_or(Ok(()), folder::create).map_err(failed())?;
            folder::write(&path, &bytes).map_err(failed())?;
        }
        Ok(())
    }

    /// Copies the documents of offices to where the new store's are to be.
    ///
    /// # Errors
    /// [`CarryError`].
    pub async fn lay_out_documents(&self, to: &References) -> Result<(), CarryError> {
        for marked in self.manifest.others.iter().filter(|marked| is_document(marked)) {
            to.put_copy(&marked.name, self.bytes_of(marked)?).await?;
        }
        Ok(())
    }

    fn bytes_of(&self, marked: &FileMark) -> Result<Vec<u8>, CarryError> {
        let from = self.folder.join(&marked.name);
        std::fs::read(&from).map_err(CarryError::at(READ, &from))
    }

    /// Fills a new store and declares it restored. Open it anew before it is used.
    ///
    /// # Errors
    /// [`CarryError`]; the target is of no use then.
    pub async fn fill(
        &self,
        target: Target<'_>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), CarryError> {
        let mut cases = 0;
        for marked in &self.manifest.segments {
            let path = self.folder.join(&marked.name);
            let reader = Reader::open(&path).map_err(CarryError::at(READ, &path))?;
            for record in reader {
                match record.map_err(CarryError::at(READ, &path))? {
                    Record::Case(packed) => {
                        self.fill_case(target, packed).await?;
                        cases += 1;
                        tell(cases, progress);
                    }
                    Record::Foreign(foreign) => target.store.keep_foreign(foreign).await?,
                    Record::Mutation(kept) => target.store.keep_mutations(vec![kept]).await?,
                    Record::Publication(kept) => target.store.keep_publication(kept).await?,
                    Record::Audited(kept) => target.store.keep_audited(kept).await?,
                    Record::Closure((digest, sources)) => {
                        target.store.keep_closure(digest, sources).await?;
                    }
                }
            }
        }
        let declared = Declared {
            generation: Generation(self.manifest.generation).next(),
            restored: Restored { cut: CommitNo(self.manifest.revision), at: target.at },
            clock_offset: self.manifest.clock_offset,
        };
        Ok(target.store.declare_restored(declared).await?)
    }

    async fn fill_case(&self, target: Target<'_>, packed: PackedCase) -> Result<(), CarryError> {
        for digest in named(&packed.entries).into_keys() {
            let path = self.file(packed.case, digest);
            if path.is_file() {
                let bytes = std::fs::read(&path).map_err(CarryError::at(READ, &path))?;
                target.blobs.put_page(packed.case, bytes).await?;
            }
        }
        let case = Case::from_entries(packed.case, &packed.entries)?;
        let owed = if packed.owed { Owed::Perhaps } else { Owed::Nothing };
        let (summary, rows) = read_model_of(&case, owed, target);
        let PackedCase { case, entries, commits, owed: _ } = packed;
        let planted = Planted { case, entries, commits, summary, rows };
        Ok(target.store.plant(planted).await?)
    }

    fn file(&self, case: CaseId, digest: Digest) -> PathBuf {
        self.folder.join(FILES).join(case.to_string()).join(digest.hex())
    }

    fn damaged(&self, name: &str, what: impl Into<String>) -> CarryError {
        let path = self.folder.join(name).display().to_string();
        CarryError::Damaged { path, what: what.into() }
    }

    /// Makes sure that a file is what the manifest says.
    fn must_be(&self, marked: &FileMark) -> Result<(), CarryError> {
        let path = self.folder.join(&marked.name);
        if !path.is_file() {
            return Err(self.damaged(&marked.name, "it is missing"));
        }
        let (bytes, digest) = mark_of(&path).map_err(CarryError::at(READ, &path))?;
        if bytes != marked.bytes || digest.hex() != marked.sha256 {
            return Err(self.damaged(&marked.name, "its bytes are not what was written"));
        }
        Ok(())
    }

    fn records(
        &self,
        mut take: impl FnMut(Record) -> Result<(), CarryError>,
    ) -> Result<(), CarryError> {
        for marked in &self.manifest.segments {
            let path = self.folder.join(&marked.name);
            let reader = Reader::open(&path).map_err(CarryError::at(READ, &path))?;
            for record in reader {
                take(record.map_err(CarryError::at(READ, &path))?)?;
            }
        }
        Ok(())
    }

    fn count_files(&self, packed: &PackedCase, found: &mut Counts) -> Result<(), CarryError> {
        for (digest, sure) in named(&packed.entries) {
            let path = self.file(packed.case, digest);
            if !path.is_file() {
                // A manifest that counts more files than there are tells the rest.
                if sure == Named::Kept && self.has_files() {
                    let name = format!("{FILES}/{}/{}", packed.case, digest.hex());
                    return Err(self.damaged(&name, "it is missing"));
                }
                continue;
            }
            let (bytes, own) = mark_of(&path).map_err(CarryError::at(READ, &path))?;
            if own != digest {
                let name = format!("{FILES}/{}/{}", packed.case, digest.hex());
                return Err(self.damaged(&name, "its bytes are not what was written"));
            }
            found.files += 1;
            found.file_bytes += bytes;
        }
        Ok(())
    }

    /// An engine without a place for files has none in its backups.
    fn has_files(&self) -> bool {
        self.manifest.counts.files > 0
    }
}

/// Tells whether a file is a document of an office and no key.
fn is_document(marked: &FileMark) -> bool {
    References::has_key(&marked.name)
}

/// Tells how far a filling has come, now and then.
fn tell(cases: u64, progress: &mut (dyn FnMut(Progress) + Send)) {
    if cases.is_multiple_of(TOLD_EVERY) {
        progress(Progress { cases, differences: 0 });
    }
}

fn count(found: &mut Counts, record: &Record) {
    match record {
        Record::Case(packed) => {
            found.cases += 1;
            found.entries += packed.entries.len() as u64;
            found.commits += packed.commits.len() as u64;
        }
        Record::Mutation(_) => found.mutations += 1,
        Record::Closure(_) => found.closures += 1,
        Record::Foreign(_) | Record::Publication(_) | Record::Audited(_) => {}
    }
}

/// Whether something may be owed to a case that comes from elsewhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owed {
    /// It was not where it comes from.
    Nothing,
    /// It was, or nobody knows.
    Perhaps,
}

/// Makes the read model of a case that comes from elsewhere. What may be owed to it is looked at
/// once, when the engine takes up its work.
pub(super) fn read_model_of(
    case: &Case,
    owed: Owed,
    target: Target<'_>,
) -> (CaseSummary, Vec<IndexRow>) {
    let reading = target.standing.reading(case.updated_at);
    let mut summary = read_model::summarise(case, reading);
    summary.outbox |= owed == Owed::Perhaps;
    let rows = read_model::rows(&summary, &target.store.identity().secret);
    (summary, rows.into_iter().collect())
}

fn read_manifest(folder: &Path) -> Result<Manifest, CarryError> {
    let path = folder.join(MANIFEST);
    let not_ours = || CarryError::NotOurs(folder.display().to_string());
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(not_ours()),
        Err(error) => return Err(CarryError::at(READ, &path)(error)),
    };
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|_| not_ours())?;
    if value["kind"] != KIND {
        return Err(not_ours());
    }
    let found = value["format"].as_u64().and_then(|found| u32::try_from(found).ok());
    if let Some(found) = found.filter(|found| *found > FORMAT) {
        return Err(CarryError::Newer { path: path.display().to_string(), found });
    }
    serde_json::from_value(value).map_err(|error| CarryError::Damaged {
        path: path.display().to_string(),
        what: error.to_string(),
    })
}
