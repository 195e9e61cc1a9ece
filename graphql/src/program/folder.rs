//! The data folder: opened, or refused in the program's words.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tongban_core::document::Seal;
use tongban_core::port::Store as _;
use tongban_engine::blob::Blobs;
use tongban_engine::document::DevSeal;
use tongban_engine::standing::Standing;
use tongban_engine::store::{OpenError, SledOptions, SledStore};

use super::error::{Both, ProgramError, shown};
use super::{calendar, import};

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

/// Refuses a folder that is not there.
pub(crate) fn must_exist(folder: &Path) -> Result<(), ProgramError> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(ProgramError::InputOutput {
        what: shown(folder),
        detail: Both::new("没有这个数据文件夹", "there is no such data folder"),
    })
}

/// Refuses a folder that holds something; one that is not there is as good as an empty one.
pub(crate) fn must_be_empty(folder: &Path) -> Result<(), ProgramError> {
    let empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if empty {
        return Ok(());
    }
    Err(ProgramError::InputOutput {
        what: shown(folder),
        detail: Both::new("须为新的或空的文件夹", "it must be new or empty"),
    })
}

/// Gives a folder that was filled its name, in the place of an empty one.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), ProgramError> {
    let failed = |source| ProgramError::CannotCreate { path: shown(to), source };
    if to.is_dir() {
        std::fs::remove_dir(to).map_err(failed)?;
    }
    std::fs::rename(from, to).map_err(failed)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = std::fs::File::open(parent.unwrap_or_else(|| Path::new(".")));
    parent.and_then(|parent| parent.sync_all()).map_err(failed)
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), ProgramError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|source| ProgramError::CannotCreate { path: shown(path), source })
}

/// Reads calendars and organisation of a folder.
pub(crate) async fn standing(folder: &Path) -> Result<Standing, ProgramError> {
    Ok(Standing {
        calendars: Arc::new(calendar::in_force(folder).await?),
        organisation: Arc::new(import::stored(folder).await?),
    })
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
