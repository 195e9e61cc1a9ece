//! Reference documents: what an office publishes and the engine reads, each version kept.
//!
//! Organisation data, bindings, agreements, calendars and card rules are JSON documents with a
//! kind and a name. A version is two objects:
//!
//! ```text
//! reference/<kind>/<name>/00001-<first 12 digits of the digest>.json   the document as it came
//! reference/<kind>/<name>/00001.version.json                          number, digest, time
//! ```
//!
//! The document is written first and the record second, only if absent: the record is the
//! commit, and of two importers one gets the number. Nothing is ever overwritten. What a
//! document means is not known here; whoever imports it checks it first.

mod copy;
mod place;
mod record;

use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutPayload};
use tongban_core::digest::Digest;
use tongban_core::error::ErrorClass;
use tongban_core::limits::REFERENCE_BYTES_MAX;
use tongban_core::time::Moment;

use self::place::Place;
use self::record::Record;
use crate::objects::{self, Attempt, ObjectsError};

/// The kinds of reference documents.
pub const KINDS: [&str; 5] = ["organisation", "bindings", "agreements", "calendar", "card-rules"];

/// Times that a taken number is replaced by the next one before giving up.
const ATTEMPTS_MAX: u32 = 64;

/// One version of a document, without its bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// What it is, of [`KINDS`].
    pub kind: String,
    /// Which one of its kind, such as a region's code.
    pub name: String,
    /// Its number among the versions of this document, from 1.
    pub version: u32,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// When it was published.
    pub at: Moment,
    /// How many bytes it has.
    pub size: u64,
}

/// One version of a document with its bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// What it is, of [`KINDS`].
    pub kind: String,
    /// Which one of its kind, such as a region's code.
    pub name: String,
    /// Its number among the versions of this document, from 1.
    pub version: u32,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// When it was published.
    pub at: Moment,
    /// The JSON as it came.
    pub bytes: Vec<u8>,
}

/// A reference document that could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// A kind that does not exist.
    #[error(
        "没有 {kind:?} 这类参考数据,可用:{} / there is no reference data of kind {kind:?}; use one of {}",
        KINDS.join("、"),
        KINDS.join(", ")
    )]
    UnknownKind {
        /// What came.
        kind: String,
    },
    /// A name that could not be a file's.
    #[error(
        "参考数据名称 {name:?} 须为 1 至 64 个小写字母、数字、点、横线或下划线,且以字母或数字开头 / the name {name:?} must be 1 to 64 lower-case letters, digits, dots, hyphens or underscores and begin with a letter or digit"
    )]
    BadName {
        /// What came.
        name: String,
    },
    /// A document over the limit.
    #[error(
        "参考数据 {document} 有 {found} 字节,超过上限 {limit} / {document} has {found} bytes, more than {limit}; split it"
    )]
    TooLarge {
        /// Kind and name.
        document: String,
        /// The limit.
        limit: usize,
        /// The size.
        found: usize,
    },
    /// Bytes that are not one JSON value.
    #[error(
        "参考数据 {document} 第 {line} 行第 {column} 列不是合法的 JSON / {document} is not JSON at line {line}, column {column}"
    )]
    NotJson {
        /// Kind and name.
        document: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// Others published the same document faster, many times over.
    #[error(
        "参考数据 {document} 正被他人频繁发布,请稍后再试 / others keep publishing {document}, try again in a moment"
    )]
    Contended {
        /// Kind and name.
        document: String,
    },
    /// A stored version that is not what was published.
    #[error(
        "参考数据文件 {key} 与发布时不一致,请从备份恢复 / {key} is not what was published; restore it from a backup"
    )]
    Damaged {
        /// The object.
        key: String,
    },
    /// The file store failed.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}

impl ReferenceError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownKind { .. } => "REFERENCE_KIND",
            Self::BadName { .. } => "REFERENCE_NAME",
            Self::TooLarge { .. } => "REFERENCE_TOO_LARGE",
            Self::NotJson { .. } => "REFERENCE_NOT_JSON",
            Self::Contended { .. } => "REFERENCE_CONTENDED",
            Self::Damaged { .. } => "REFERENCE_DAMAGED",
            Self::Objects(error) => error.code(),
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::UnknownKind { .. }
            | Self::BadName { .. }
            | Self::TooLarge { .. }
            | Self::NotJson { .. } => ErrorClass::Invalid,
            Self::Contended { .. } => ErrorClass::Conflict,
            Self::Damaged { .. } => ErrorClass::Permanent,
            Self::Objects(error) => error.class(),
        }
    }
}

/// The reference documents of an installation. Clones share the store.
#[derive(Clone)]
pub struct References {
    store: Arc<dyn ObjectStore>,
}

impl fmt::Debug for References {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "References({})", self.store)
    }
}

impl References {
    /// Keeps documents in `store`, below `reference/`.
    pub fn open(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Keeps documents in the folder `reference` of `folder`, which is created where missing.
    ///
    /// # Errors
    /// [`ReferenceError::Objects`] when the folder cannot be created or read.
    pub fn in_folder(folder: &FilePath) -> Result<Self, ReferenceError> {
        Ok(Self::open(objects::folder(folder)?))
    }

    /// Publishes a document and returns its version, which is on the device by then. The bytes
    /// of the current version give that version again and nothing new.
    ///
    /// # Errors
    /// [`ReferenceError`] of class `Invalid` for a wrong kind, name, size or form; nothing is
    /// written then. After any other error the document is published or not; publishing it
    /// again does no harm.
    pub async fn publish(
        &self,
        kind: &str,
        name: &str,
        bytes: Vec<u8>,
        at: Moment,
    ) -> Result<Version, ReferenceError> {
        let place = Place::new(kind, name)?;
        check(&place, &bytes)?;
        let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
        let payload = PutPayload::from(bytes);
        for _ in 0..ATTEMPTS_MAX {
            let newest = self.newest(&place).await?;
            let version = newest.as_ref().map_or(0, |newest| newest.version) + 1;
            if let Some(same) = newest.filter(|newest| newest.digest == digest) {
                return Ok(place.version(same));
            }
            let record = Record { version, digest, at, size };
            if self.write(&place, &record, payload.clone()).await? {
                return Ok(place.version(record));
            }
        }
        Err(ReferenceError::Contended { document: place.to_string() })
    }

    /// Returns the newest version of each document of a kind, by name.
    ///
    /// # Errors
    /// [`ReferenceError::UnknownKind`]; [`ReferenceError::Damaged`] when one of them is not what
    /// was published: no set is returned that lacks it silently.
    pub async fn current(&self, kind: &str) -> Result<Vec<Document>, ReferenceError> {
        let prefix = Place::kind_prefix(kind)?;
        let listed = self.store.list_with_delimiter(Some(&prefix)).await;
        let listed = listed.map_err(|why| ObjectsError::new(Attempt::List, &prefix, why))?;
        let names = listed.common_prefixes.iter().filter_map(Path::filename);
        let mut documents = Vec::new();
        for name in names {
            let Ok(place) = Place::new(kind, name) else {
                continue;
            };
            if let Some(newest) = self.newest(&place).await? {
                documents.push(self.read(&place, newest).await?);
            }
        }
        documents.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(documents)
    }

    /// Returns every version of a document, oldest first; none when it was never published.
    ///
    /// # Errors
    /// As [`References::current`].
    pub async fn versions(&self, kind: &str, name: &str) -> Result<Vec<Version>, ReferenceError> {
        let place = Place::new(kind, name)?;
        let mut versions = Vec::new();
        for number in self.numbers(&place).await? {
            versions.extend(self.record(&place, number).await?.map(|one| place.version(one)));
        }
        Ok(versions)
    }

    /// Returns one version of a document, if it exists.
    ///
    /// # Errors
    /// As [`References::current`].
    pub async fn version(
        &self,
        kind: &str,
        name: &str,
        version: u32,
    ) -> Result<Option<Document>, ReferenceError> {
        let place = Place::new(kind, name)?;
        match self.record(&place, version).await? {
            Some(record) => self.read(&place, record).await.map(Some),
            None => Ok(None),
        }
    }

    /// Lists the numbers that records hold, in order. Documents without a record are leftovers
    /// of an importer that stopped half-way; they are no versions.
    async fn numbers(&self, place: &Place) -> Result<Vec<u32>, ReferenceError> {
        let prefix = place.prefix();
        let listed = self.store.list_with_delimiter(Some(&prefix)).await;
        let listed = listed.map_err(|why| ObjectsError::new(Attempt::List, &prefix, why))?;
        let names = listed.objects.iter().filter_map(|object| object.location.filename());
        let mut numbers: Vec<u32> = names.filter_map(place::number_of_record).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    async fn newest(&self, place: &Place) -> Result<Option<Record>, ReferenceError> {
        match self.numbers(place).await?.last() {
            Some(number) => self.record(place, *number).await,
            None => Ok(None),
        }
    }

    async fn record(&self, place: &Place, version: u32) -> Result<Option<Record>, ReferenceError> {
        let key = place.record(version);
        let Some(bytes) = self.get(&key).await? else {
            return Ok(None);
        };
        let record = Record::read(&bytes).filter(|record| record.version == version);
        record.map(Some).ok_or_else(|| ReferenceError::Damaged { key: key.to_string() })
    }

    async fn read(&self, place: &Place, record: Record) -> Result<Document, ReferenceError> {
        let key = place.document(&record);
        let bytes = self.get(&key).await?.filter(|bytes| Digest::of(bytes) == record.digest);
        let bytes = bytes.ok_or_else(|| ReferenceError::Damaged { key: key.to_string() })?;
        Ok(place.with_bytes(record, bytes))
    }

    async fn get(&self, key: &Path) -> Result<Option<Vec<u8>>, ReferenceError> {
        let failed = |why| ObjectsError::new(Attempt::Read, key, why);
        let found = match self.store.get(key).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            other => other.map_err(failed)?,
        };
        Ok(Some(found.bytes().await.map_err(failed)?.into()))
    }

    /// Writes document and record; false when the number was taken meanwhile.
    async fn write(
        &self,
        place: &Place,
        record: &Record,
        payload: PutPayload,
    ) -> Result<bool, ReferenceError> {
        let document = place.document(record);
        let is_there = self.create(&document, payload).await?;
        if !is_there && !self.holds(&document, record).await? {
            return Ok(false);
        }
        let bytes = PutPayload::from(record.write());
        if self.create(&place.record(record.version), bytes).await? {
            return Ok(true);
        }
        self.take_back(place, record).await?;
        Ok(false)
    }

    /// Puts an object unless it exists; tells whether it did.
    async fn create(&self, key: &Path, payload: PutPayload) -> Result<bool, ReferenceError> {
        match self.store.put_opts(key, payload, PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(why) => Err(ObjectsError::new(Attempt::Write, key, why).into()),
        }
    }

    /// Tells whether an object that someone else wrote has the wanted bytes; false when he took
    /// it back meanwhile.
    async fn holds(&self, key: &Path, record: &Record) -> Result<bool, ReferenceError> {
        match self.get(key).await? {
            Some(bytes) if Digest::of(&bytes) == record.digest => Ok(true),
            Some(_) => Err(ReferenceError::Damaged { key: key.to_string() }),
            None => Ok(false),
        }
    }

    /// Deletes a document whose number went to another one, so that a folder shows only what
    /// was published. No record will ever name it: the number is taken for good.
    async fn take_back(&self, place: &Place, record: &Record) -> Result<(), ReferenceError> {
        let winner = self.record(place, record.version).await?;
        if winner.is_none_or(|winner| winner.digest == record.digest) {
            return Ok(());
        }
        let key = place.document(record);
        match self.store.delete(&key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(why) => Err(ObjectsError::new(Attempt::Delete, &key, why).into()),
        }
    }
}

fn check(place: &Place, bytes: &[u8]) -> Result<(), ReferenceError> {
    if bytes.len() > REFERENCE_BYTES_MAX {
        return Err(ReferenceError::TooLarge {
            document: place.to_string(),
            limit: REFERENCE_BYTES_MAX,
            found: bytes.len(),
        });
    }
    let json: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(bytes);
    json.map(drop).map_err(|source| ReferenceError::NotJson {
        document: place.to_string(),
        line: source.line(),
        column: source.column(),
        source,
    })
}

#[cfg(test)]
mod tests;
