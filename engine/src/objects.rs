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
use object_store::{ObjectStoreExt as _, PutMode, PutPayload};
use tongban_core::error::ErrorClass;

pub use object_store::ObjectStore;

/// Key of the mark by which a store is known to belong to somebody.
const OWNER: &str = "owner";

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

    /// Tells whether a service does not know who asks, or does not let him.
    pub fn is_forbidden(&self) -> bool {
        use object_store::Error;
        matches!(self.source, Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
    }

    /// Tells whether there is no such object, or no such bucket.
    pub fn is_missing(&self) -> bool {
        matches!(self.source, object_store::Error::NotFound { .. })
    }

    /// Returns the class: missing rights and missing objects do not heal by themselves.
    pub fn class(&self) -> ErrorClass {
        use object_store::Error;
        let stays = matches!(
            self.source,
            Error::InvalidPath { .. }
                | Error::NotSupported { .. }
                | Error::NotImplemented { .. }
                | Error::UnknownConfigurationKey { .. }
        );
        if stays || self.is_forbidden() || self.is_missing() {
            ErrorClass::Permanent
        } else {
            ErrorClass::Transient
        }
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

/// To whom a store belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Owned {
    /// To the one who asked, perhaps since now.
    ByUs,
    /// To somebody else.
    ByOthers,
    /// To nobody who could be sure: what exists is overwritten although only something new was
    /// to be put.
    Unsafely,
}

/// Leaves a mark in a store that several installations could reach by mistake, or finds it
/// there. Blobs and documents know no owner; a sweep of the wrong one would take everything.
///
/// # Errors
/// [`ObjectsError`] when the store cannot be read or written.
pub async fn claim(store: &dyn ObjectStore, mark: &str) -> Result<Owned, ObjectsError> {
    let key = key([OWNER]);
    let put = || store.put_opts(&key, PutPayload::from(mark.to_owned()), PutMode::Create.into());
    let failed = |attempt| {
        let key = key.clone();
        move |why| ObjectsError::new(attempt, &key, why)
    };
    match put().await {
        Err(object_store::Error::AlreadyExists { .. }) => {
            let found = store.get(&key).await.map_err(failed(Attempt::Read))?;
            let found = found.bytes().await.map_err(failed(Attempt::Read))?;
            Ok(if found == mark.as_bytes() { Owned::ByUs } else { Owned::ByOthers })
        }
        Err(why) => Err(failed(Attempt::Write)(why)),
        // It was not there, or the store does not look; a second time tells.
        Ok(_) => match put().await {
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Owned::ByUs),
            Err(why) => Err(failed(Attempt::Write)(why)),
            Ok(_) => Ok(Owned::Unsafely),
        },
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_belongs_to_the_first_who_claims_it() {
        let store = memory();
        for _ in 0..2 {
            assert_eq!(claim(store.as_ref(), "one").await.unwrap(), Owned::ByUs);
        }
        assert_eq!(claim(store.as_ref(), "other").await.unwrap(), Owned::ByOthers);
        assert_eq!(claim(store.as_ref(), "one").await.unwrap(), Owned::ByUs);
    }
}
