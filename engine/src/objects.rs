//! Where files lie: an object store is a folder of this machine, or whatever else speaks the trait.
//!
//! Blobs ([`crate::blob`]) and reference documents ([`crate::reference`]) may share one store,
//! each below a prefix of its own. A folder syncs every file and the names above it before a
//! write returns; services do the same by contract. Nothing here knows what the objects mean.

use std::fmt;
use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use tongban_core::error::ErrorClass;

pub use object_store::ObjectStore;

/// What was attempted with an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attempt {
    /// Opening the store itself.
    Open,
    /// Reading an object.
    Read,
    /// Writing an object.
    Write,
    /// Listing the objects below a prefix.
    List,
    /// Deleting an object.
    Delete,
}

impl Attempt {
    fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("打开", "open"),
            Self::Read => ("读取", "read"),
            Self::Write => ("写入", "write"),
            Self::List => ("列出", "list"),
            Self::Delete => ("删除", "delete"),
        }
    }
}

/// An object store that failed.
#[derive(Debug, thiserror::Error)]
#[error(
    "文件存储无法{} {place},请检查磁盘或存储服务 / the file store could not {} {place}; check the disk or the storage service",
    .attempt.said().0,
    .attempt.said().1
)]
pub struct ObjectsError {
    /// What was attempted.
    pub attempt: Attempt,
    /// On which object, prefix or folder.
    pub place: String,
    /// What the store says.
    #[source]
    pub source: object_store::Error,
}

impl ObjectsError {
    pub(crate) fn new(
        attempt: Attempt,
        place: impl fmt::Display,
        why: object_store::Error,
    ) -> Self {
        Self { attempt, place: place.to_string(), source: why }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        "OBJECTS_FAILED"
    }

    /// Returns the class: missing rights and missing objects do not heal by themselves.
    pub fn class(&self) -> ErrorClass {
        use object_store::Error;
        let stays = matches!(
            self.source,
            Error::NotFound { .. }
                | Error::PermissionDenied { .. }
                | Error::Unauthenticated { .. }
                | Error::InvalidPath { .. }
                | Error::NotSupported { .. }
                | Error::NotImplemented { .. }
                | Error::UnknownConfigurationKey { .. }
        );
        if stays { ErrorClass::Permanent } else { ErrorClass::Transient }
    }
}

/// Opens a folder as an object store, or creates it. What is written is on the device when the
/// write returns.
///
/// # Errors
/// [`ObjectsError`] when the folder cannot be created or read.
pub fn folder(folder: &FilePath) -> Result<Arc<dyn ObjectStore>, ObjectsError> {
    let failed = |why| ObjectsError::new(Attempt::Open, folder.display(), why);
    create(folder).map_err(|why| failed(generic(why)))?;
    let store = LocalFileSystem::new_with_prefix(folder).map_err(failed)?;
    Ok(Arc::new(store.with_fsync(true)))
}

/// Creates a folder that only its owner may look into.
pub(crate) fn private_folder(folder: &FilePath) -> Result<(), ObjectsError> {
    let failed = |why| ObjectsError::new(Attempt::Open, folder.display(), generic(why));
    create(folder).map_err(failed)?;
    #[cfg(unix)]
    {
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder, owner_only).map_err(failed)?;
    }
    Ok(())
}

/// Deletes the files in a folder, if there is one.
pub(crate) fn clear(folder: &FilePath) -> Result<(), ObjectsError> {
    let failed = |why| ObjectsError::new(Attempt::Delete, folder.display(), generic(why));
    let files = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed)?,
    };
    for file in files {
        std::fs::remove_file(file.map_err(failed)?.path()).map_err(failed)?;
    }
    Ok(())
}

/// Opens a store that ends with the process: for tests, examples and rehearsals.
pub fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

/// Creates a folder with those above it, each durable in its parent.
fn create(folder: &FilePath) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or_else(|| FilePath::new(""));
    create(parent)?;
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        other => other?,
    }
    let parent = if parent.as_os_str().is_empty() { FilePath::new(".") } else { parent };
    // Only Unix opens folders as files; elsewhere the system keeps their names by itself.
    if cfg!(unix) { std::fs::File::open(parent)?.sync_all() } else { Ok(()) }
}

/// Wraps a fault of the file system as the store would.
fn generic(why: io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(why) }
}

/// Joins parts to a key. The parts are of our own alphabet, so none is escaped.
pub(crate) fn key<'a>(parts: impl IntoIterator<Item = &'a str>) -> Path {
    Path::from_iter(parts)
}
