//! Files of a folder: written whole or not at all, and durable before anything names them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ending of files that are still being written; leftovers of a crash carry it too.
pub(crate) const UNFINISHED: &str = "unfinished";

/// Tells the unfinished files of one process apart.
static NEXT_UNFINISHED: AtomicU64 = AtomicU64::new(0);

/// Creates a folder with those above it, each durable in its parent.
pub(crate) fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        other => other?,
    }
    folder.parent().map_or(Ok(()), sync)
}

/// Makes the names in a folder durable.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Opens a file for writing that only its owner may read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a file; after it returns, the whole content survives a power cut, and before that no
/// file of that name shows other content than its old one. Only the owner may read it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let no = NEXT_UNFINISHED.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{no}.{UNFINISHED}"));
    let mut file = create_private(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), sync)
}
