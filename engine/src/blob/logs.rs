//! The logs of a store, as a sweep of files asks them.

use std::collections::BTreeSet;

use tongban_core::digest::Digest;
use tongban_core::error::ErrorClass;
use tongban_core::files;
use tongban_core::id::CaseId;
use tongban_core::port::{Store, StoreError, WireClock};

use super::{BlobError, Logs};

/// The logs of the cases in a store.
#[derive(Clone, Copy)]
pub struct StoredLogs<'a> {
    store: &'a dyn Store,
    pace: Option<(&'a dyn WireClock, u64)>,
}

impl<'a> StoredLogs<'a> {
    /// Asks the logs of `store`, one after the other without a pause.
    pub fn of(store: &'a dyn Store) -> Self {
        Self { store, pace: None }
    }

    /// Waits so many milliseconds of `clock` before each case.
    #[must_use]
    pub fn paced(self, clock: &'a dyn WireClock, millis: u64) -> Self {
        Self { pace: Some((clock, millis)), ..self }
    }
}

impl Logs for StoredLogs<'_> {
    type Error = SweepError;

    async fn named(&self, case: CaseId) -> Result<Option<BTreeSet<Digest>>, SweepError> {
        let stored = self.store.load(case).await?;
        Ok(stored.map(|stored| files::named(&stored.entries).into_keys().collect()))
    }

    async fn pause(&self) {
        if let Some((clock, millis)) = self.pace {
            clock.wait_millis(millis).await;
        }
    }
}

/// A sweep that was cut short.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The files cannot be listed or deleted.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A log cannot be read, so that nobody can tell what it names.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SweepError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Blob(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Blob(error) => error.class(),
            Self::Store(error) => error.class(),
        }
    }
}
