//! The data folder: opened, or refused in the program's words.

use std::path::Path;
use std::sync::Arc;

use tongban_core::document::Seal;
use tongban_core::port::Store as _;
use tongban_engine::blob::Blobs;
use tongban_engine::document::DevSeal;
use tongban_engine::store::{OpenError, SledOptions, SledStore};

use super::error::{Both, ProgramError, shown};

/// Opens the store in a folder, or creates it there. Blocks while sled reads its log.
pub(crate) fn open(folder: &Path) -> Result<Arc<SledStore>, ProgramError> {
    let store = SledStore::open(folder, SledOptions::default());
    store.map(Arc::new).map_err(|error| refused(folder, error))
}

/// Opens the files of cases in a folder whose store is open: nobody else sends files into it.
pub(crate) fn blobs(folder: &Path) -> Result<Blobs, ProgramError> {
    Blobs::in_folder(folder).map_err(|error| ProgramError::InputOutput {
        what: shown(folder),
        detail: Both::of(&error),
    })
}

/// Opens the trial seal in a folder, or draws its key there. What it seals says that it binds
/// nobody.
pub(crate) fn trial_seal(folder: &Path) -> Result<Arc<dyn Seal>, ProgramError> {
    let seal = DevSeal::create_or_open(folder).map_err(|error| ProgramError::InputOutput {
        what: shown(folder),
        detail: Both::of(&error),
    })?;
    Ok(Arc::new(seal))
}

/// Refuses a folder whose lawful time was moved.
pub(crate) fn must_be_real_time(folder: &Path, store: &SledStore) -> Result<(), ProgramError> {
    match store.identity().clock_offset {
        0 => Ok(()),
        offset => Err(ProgramError::VirtualTime { folder: shown(folder), seconds: offset / 1_000 }),
    }
}

fn refused(folder: &Path, error: OpenError) -> ProgramError {
    let detail = Both::of(&error);
    if let OpenError::InUse { .. } = error {
        return ProgramError::FolderInUse(detail);
    }
    if let OpenError::Folder { source, .. } = error {
        return ProgramError::CannotCreate { path: shown(folder), source };
    }
    ProgramError::FolderDamaged(detail)
}
