//! Clearing away what no log names: uploads that nobody gave to a material, pages whose seal
//! never came, and the files of cases that are gone.
//!
//! A file is kept before the commit that names it, so a young one is left alone however unnamed
//! it is. An old one is looked at twice: once in passing, and once while nothing can be named,
//! right before it goes. What this module does not know as its own it never touches.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt as _};
use tongban_core::digest::Digest;
use tongban_core::id::CaseId;
use tongban_core::time::Moment;

use super::{BlobError, Blobs, Place, ROOT, listing};
use crate::objects::{Attempt, ObjectsError, key};

/// Which objects a sweep looks at, and what becomes of the strays among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sweep {
    /// Only objects written before this moment. Choose it so that whoever has uploaded had time
    /// to commit: a day, not a minute.
    pub before: Moment,
    /// Only objects not written before this one, because an earlier sweep has looked at those;
    /// all when none is given.
    pub since: Option<Moment>,
    /// What becomes of strays.
    pub strays: Strays,
}

impl Sweep {
    /// Sweeps everything written before a moment.
    pub fn all_before(before: Moment) -> Self {
        Self { before, since: None, strays: Strays::Delete }
    }

    fn looks_at(&self, object: &ObjectMeta) -> bool {
        let written = object.last_modified.timestamp_millis();
        let is_new = self.since.is_none_or(|since| since.millis() <= written);
        is_new && self.is_old(object)
    }

    fn is_old(&self, object: &ObjectMeta) -> bool {
        object.last_modified.timestamp_millis() < self.before.millis()
    }
}

/// What becomes of objects that no log names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Strays {
    /// They are deleted.
    Delete,
    /// They are counted and stay.
    Count,
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Swept {
    /// Objects looked at that stay, because a log names them.
    pub kept: u64,
    /// Strays: deleted, or only counted.
    pub strays: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Whom a sweep asks what is named.
pub trait Logs: Sync {
    /// How asking fails.
    type Error: From<BlobError>;

    /// Returns the digests that the log of a case names, or `None` when there is no such case.
    fn named(
        &self,
        case: CaseId,
    ) -> impl Future<Output = Result<Option<BTreeSet<Digest>>, Self::Error>> + Send;

    /// Waits before the next case is asked about, so that a sweep crowds out nobody's work.
    fn pause(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

impl<F, Fut, E> Logs for F
where
    F: Fn(CaseId) -> Fut + Sync,
    Fut: Future<Output = Result<Option<BTreeSet<Digest>>, E>> + Send,
    E: From<BlobError>,
{
    type Error = E;

    fn named(&self, case: CaseId) -> impl Future<Output = Fut::Output> + Send {
        self(case)
    }
}

impl Blobs {
    /// Looks for old blobs and unfinished uploads that no log names, and deletes them if so
    /// asked. An error of `logs` ends the sweep, for nothing is deleted on a guess.
    ///
    /// # Errors
    /// Those of `logs` and of the store. What was deleted stays deleted.
    pub async fn sweep<L: Logs>(&self, sweep: Sweep, logs: &L) -> Result<Swept, L::Error> {
        let prefix = key([ROOT]);
        let mut objects = self.store.list(Some(&prefix));
        let mut sweeper =
            Sweeper { blobs: self, sweep, logs, asked: None, swept: Swept::default() };
        while let Some(object) = objects.next().await {
            let object = object.map_err(|why| listing(&prefix, why))?;
            if sweep.looks_at(&object) {
                sweeper.look_at(&object).await?;
            }
        }
        Ok(sweeper.swept)
    }
}

/// A sweep under way.
struct Sweeper<'a, L> {
    blobs: &'a Blobs,
    sweep: Sweep,
    logs: &'a L,
    /// The case asked about last and what its log names: objects of a case come together, so
    /// that each case is asked about once.
    asked: Option<(CaseId, Option<BTreeSet<Digest>>)>,
    swept: Swept,
}

impl<L: Logs> Sweeper<'_, L> {
    async fn look_at(&mut self, object: &ObjectMeta) -> Result<(), L::Error> {
        match Place::of(&object.location) {
            Place::Foreign => Ok(()),
            Place::Unfinished => self.stray(object).await,
            Place::Blob(case, digest) => self.blob(case, digest, object).await,
        }
    }

    async fn blob(
        &mut self,
        case: CaseId,
        digest: Digest,
        object: &ObjectMeta,
    ) -> Result<(), L::Error> {
        if self.asked.as_ref().is_none_or(|(known, _)| *known != case) {
            self.logs.pause().await;
            let named = self.logs.named(case).await?;
            let is_gone = named.is_none();
            self.asked = Some((case, named));
            if is_gone {
                self.case_is_gone(case).await?;
            }
        }
        match &self.asked {
            Some((_, Some(named))) if named.contains(&digest) => {
                self.swept.kept += 1;
                Ok(())
            }
            Some((_, Some(_))) => self.stray(object).await,
            // The case and its files were dealt with when it was asked about.
            Some((_, None)) | None => Ok(()),
        }
    }

    /// Takes the files of a case that is no more, all at once and only when all are old.
    async fn case_is_gone(&mut self, case: CaseId) -> Result<(), L::Error> {
        let objects = self.blobs.of_case(case).await?;
        if !objects.iter().all(|object| self.sweep.is_old(object)) {
            return Ok(());
        }
        self.swept.strays += objects.len() as u64;
        self.swept.bytes += objects.iter().map(|object| object.size).sum::<u64>();
        if self.sweep.strays == Strays::Delete {
            self.blobs.delete_case(case).await?;
        }
        Ok(())
    }

    async fn stray(&mut self, object: &ObjectMeta) -> Result<(), L::Error> {
        if self.sweep.strays == Strays::Delete {
            // From here on nobody can name it: whoever wants to must hold it first.
            let _names = self.blobs.names.write().await;
            if !self.is_free(&object.location).await? {
                self.swept.kept += 1;
                return Ok(());
            }
            self.blobs.delete(&object.location).await?;
        }
        self.swept.strays += 1;
        self.swept.bytes += object.size;
        Ok(())
    }

    /// Tells whether an object is still old and unnamed, now that neither can change.
    async fn is_free(&self, key: &Path) -> Result<bool, L::Error> {
        let failed = |why| BlobError::from(ObjectsError::new(Attempt::Read, key, why));
        match self.blobs.store.head(key).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Ok(object) if !self.sweep.is_old(&object) => return Ok(false),
            other => other.map(drop).map_err(failed)?,
        }
        match Place::of(key) {
            Place::Blob(case, digest) => {
                let named = self.logs.named(case).await?;
                Ok(!named.is_some_and(|named| named.contains(&digest)))
            }
            Place::Unfinished => Ok(true),
            Place::Foreign => Ok(false),
        }
    }
}
