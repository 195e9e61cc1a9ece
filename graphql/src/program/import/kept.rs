//! The documents of a data folder: opened, read, published.

use std::path::Path;

use tongban_core::organisation::{DocumentKind, Identity};
use tongban_core::port::WireClock as _;
use tongban_engine::clock::SystemClock;
use tongban_engine::reference::{ReferenceError, References, Version};

use super::Incoming;
use crate::program::error::{Both, ProgramError, shown};
use crate::program::storage::Storage;

/// Opens the documents of a folder, which is created where missing.
pub(super) async fn open(folder: &Path) -> Result<References, ProgramError> {
    Storage::of(folder).await?.references().map_err(|error| failed(folder, &error))
}

/// Opens the documents of a folder, if there is such a folder.
pub(super) async fn existing(folder: &Path) -> Result<Option<References>, ProgramError> {
    if !folder.is_dir() {
        return Ok(None);
    }
    open(folder).await.map(Some)
}

/// Reads the newest version of every document.
pub(super) async fn current(
    references: &References,
    folder: &Path,
) -> Result<Vec<Incoming>, ProgramError> {
    let mut documents = Vec::new();
    for kind in DocumentKind::ALL {
        let kept = references.current(kind.code()).await;
        for document in kept.map_err(|error| failed(folder, &error))? {
            documents.push(Incoming {
                label: format!("{kind}/{}", document.name),
                identity: Identity { kind, code: document.name },
                bytes: document.bytes,
            });
        }
    }
    Ok(documents)
}

/// Keeps a document as the newest version.
pub(super) async fn publish(
    references: &References,
    identity: &Identity,
    bytes: Vec<u8>,
) -> Result<Version, ReferenceError> {
    references.publish(identity.kind.code(), &identity.code, bytes, SystemClock.now()).await
}

/// Lists every version of every document, oldest first.
pub(super) async fn versions(folder: &Path) -> Result<Vec<Version>, ProgramError> {
    let references = existing(folder).await?.ok_or_else(|| ProgramError::InputOutput {
        what: shown(folder),
        detail: Both::new("没有这个数据文件夹", "there is no such data folder"),
    })?;
    let mut versions = Vec::new();
    for document in current(&references, folder).await? {
        let (kind, code) = (document.identity.kind.code(), &document.identity.code);
        let kept = references.versions(kind, code).await;
        versions.extend(kept.map_err(|error| failed(folder, &error))?);
    }
    Ok(versions)
}

/// Turns what the folder refuses into the program's failure.
pub(super) fn failed(folder: &Path, error: &ReferenceError) -> ProgramError {
    if let ReferenceError::Damaged { .. } = error {
        return ProgramError::FolderDamaged(Both::of(error));
    }
    if let ReferenceError::Contended { .. } = error {
        return ProgramError::FolderInUse(Both::of(error));
    }
    ProgramError::InputOutput { what: shown(folder), detail: Both::of(error) }
}
