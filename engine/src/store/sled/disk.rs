//! What reads and commits share: the tree, the envelope, the blobs, and what is durable.
//!
//! Sled shows a batch to readers before it is on disk. [`Disk::settled`] closes that gap: a read
//! that met a commit waits until this commit is durable before it answers.

use std::io;

use tokio::sync::watch;
use tongban_core::id::{CaseId, CommitNo};
use tongban_core::port::StoreError;

use super::files::{self, Blobs, Closures};
use super::record::{Head, HeadFacts};
use crate::store::envelope::{self, Cipher};

/// The open store, as every part of it sees it.
pub(super) struct Disk {
    /// Sled with its one tree.
    pub(super) db: ::sled::Db,
    /// Seals and opens what is stored.
    pub(super) cipher: Box<dyn Cipher>,
    /// Entries too large for a record.
    pub(super) blobs: Blobs,
    /// Sources of scripts.
    pub(super) closures: Closures,
    /// Newest commit that is on disk.
    pub(super) durable: watch::Receiver<CommitNo>,
    /// Keeps other processes out; released after sled, which is declared before it, is closed.
    pub(super) _lock: std::fs::File,
}

impl Disk {
    /// Opens a record that is stored under `key`.
    pub(super) fn open(&self, key: &[u8], record: &[u8]) -> Result<Vec<u8>, StoreError> {
        envelope::unwrap(&*self.cipher, key, record)
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| damaged("record that does not open", key))
    }

    /// Reads the record under `key`.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let record = self.db.get(key).map_err(|error| broken(&error))?;
        record.map(|record| self.open(key, &record)).transpose()
    }

    /// Returns the newest commit that is on disk.
    pub(super) fn newest(&self) -> CommitNo {
        *self.durable.borrow()
    }

    /// Waits until `commit` is on disk.
    pub(super) async fn settled(&self, commit: CommitNo) -> Result<(), StoreError> {
        if self.newest() >= commit {
            return Ok(());
        }
        let mut durable = self.durable.clone();
        let waited = durable.wait_for(|newest| *newest >= commit).await;
        waited.map(drop).map_err(|_| stopped())
    }

    /// Reads a case's blob.
    pub(super) fn blob(
        &self,
        case: CaseId,
        digest: tongban_core::digest::Digest,
    ) -> Result<Vec<u8>, StoreError> {
        match self.blobs.read(&*self.cipher, case, digest) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(StoreError::Damaged {
                what: format!("blob {digest:?} of {case} has other content"),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::Damaged { what: format!("blob {digest:?} of {case} is missing") })
            }
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }
}

/// Reads a head record, or tells that it is damaged.
pub(super) fn head<'a>(key: &[u8], bytes: &'a [u8]) -> Result<Head<'a>, StoreError> {
    Head::read(bytes).ok_or_else(|| damaged("head record", key))
}

/// Returns the facts of a stored head, if there is one.
pub(super) fn facts(key: &[u8], bytes: Option<&[u8]>) -> Result<Option<HeadFacts>, StoreError> {
    bytes.map(|bytes| head(key, bytes).map(|head| head.facts)).transpose()
}

/// Builds the error for stored bytes that cannot be read.
pub(super) fn damaged(what: &str, key: &[u8]) -> StoreError {
    StoreError::Damaged { what: format!("{what} at {}", files::hex(key)) }
}

/// Turns a failed read of sled into our error.
pub(super) fn broken(error: &::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Io(error) => StoreError::Unavailable(error.to_string()),
        ::sled::Error::Corruption { .. }
        | ::sled::Error::CollectionNotFound(_)
        | ::sled::Error::Unsupported(_)
        | ::sled::Error::ReportableBug(_) => StoreError::Damaged { what: error.to_string() },
    }
}

/// Builds the error for a store whose committer has stopped.
pub(super) fn stopped() -> StoreError {
    StoreError::Unavailable(
        "提交线程已停止,请重新打开数据目录 / the committer has stopped, open the store again"
            .to_owned(),
    )
}
