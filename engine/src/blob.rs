//! Blobs: the files of a case, kept by the digest of their bytes and never in its log.
//!
//! ```text
//! files/<case id>/<SHA-256 of the bytes>   a file as it came
//! files/unfinished/<random>                an upload under way
//! ```
//!
//! A file is streamed to an unfinished object while it is counted, hashed and looked at, and
//! gets its name only when it is whole, accepted and on the device: a torn upload is never seen.
//! Cases share no files. A commit that names a blob comes after the blob; what no commit names
//! is [swept](Blobs::sweep) once it is old. Nothing is ever unpacked, so no archive can swell.

mod error;
mod intake;
mod kind;
mod logs;
mod sweep;
mod wanted;
mod zip;

use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload};
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedRwLockReadGuard, RwLock, Semaphore};
use tongban_core::digest::Digest;
use tongban_core::id::CaseId;
use tongban_core::limits::{CASE_FILES_BYTES_MAX, UPLOADS_AT_ONCE_MAX};

pub use self::error::BlobError;
use self::intake::{Intake, Received};
pub use self::kind::{EXTENSIONS, Kind};
use self::kind::{HEAD_BYTES, TAIL_BYTES};
pub use self::logs::{StoredLogs, SweepError};
pub use self::sweep::{Logs, Strays, Sweep, Swept};
pub use self::wanted::Wanted;
use crate::objects::{self, Attempt, ObjectsError, key};

/// The prefix of everything here. A folder's `blobs` belongs to its store of cases.
const ROOT: &str = "files";
const UNFINISHED: &str = "unfinished";
/// Bytes of the parts that go to a service: the least that S3 takes.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// Bytes of the parts that go to a folder.
const PART_BYTES_LOCAL: usize = 256 * 1024;

/// A blob that is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredBlob {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it is, by its own bytes.
    pub media_type: &'static str,
}

/// A blob that is being read.
pub struct BlobReader {
    /// Which one.
    pub blob: StoredBlob,
    /// Its bytes. The last stretch comes only if all of them have the blob's digest; otherwise
    /// an error comes in its place, so that nobody takes a damaged file for a whole one.
    pub stream: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobReader({:?})", self.blob)
    }
}

/// While it lives, no blob is deleted.
#[derive(Debug)]
#[must_use = "blobs are held only while this lives"]
pub struct Held {
    _names: OwnedRwLockReadGuard<()>,
}

/// The files of cases. Clones share the store and its limits.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    part_bytes: usize,
    /// One permit per upload under way, so that they cannot fill the memory.
    uploads: Arc<Semaphore>,
    /// Read while a blob gets its name or is named by a commit, written while one is deleted: a
    /// sweep must not take a blob that is just being used.
    names: Arc<RwLock<()>>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blobs({})", self.store)
    }
}

impl Blobs {
    /// Keeps blobs in `store`, below `files/`.
    pub fn open(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            part_bytes: PART_BYTES,
            uploads: Arc::new(Semaphore::new(UPLOADS_AT_ONCE_MAX)),
            names: Arc::default(),
        }
    }

    /// Keeps blobs in the folder `files` of `folder`, for its owner's eyes only, and clears away
    /// what uploads left there when the process ended. The caller holds the folder: nobody else
    /// may have uploads under way in it.
    ///
    /// # Errors
    /// [`BlobError::Objects`] when the folder cannot be created or read.
    pub fn in_folder(folder: &FilePath) -> Result<Self, BlobError> {
        let store = objects::folder(folder)?;
        objects::private_folder(&folder.join(ROOT))?;
        objects::clear(&folder.join(ROOT).join(UNFINISHED))?;
        Ok(Self { part_bytes: PART_BYTES_LOCAL, ..Self::open(store) })
    }

    /// Keeps a file of a case. When this returns, the whole file is on the device under its
    /// digest; the same bytes again change nothing but its age. When it fails, or is dropped,
    /// nothing of the file can be seen.
    ///
    /// # Errors
    /// [`BlobError`] of class `Invalid` when the file is not wanted: its name, size, or type;
    /// [`BlobError::Torn`] when `bytes` broke off; [`BlobError::Busy`] when too many uploads are
    /// under way.
    pub async fn put<S, E>(
        &self,
        case: CaseId,
        wanted: &Wanted,
        bytes: S,
    ) -> Result<StoredBlob, BlobError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let intake = Intake::new(wanted)?;
        let _permit = self.uploads.try_acquire().map_err(|_| BlobError::Busy)?;
        self.must_have_room(case, wanted).await?;
        let unfinished = unfinished_key()?;
        let failed = |why| ObjectsError::new(Attempt::Write, &unfinished, why);
        let mut upload = self.store.put_multipart(&unfinished).await.map_err(failed)?;
        let received = match self.receive(upload.as_mut(), intake, bytes).await {
            Ok(received) => received,
            Err(error) => {
                abandon(upload.abort().await, &unfinished);
                return Err(error);
            }
        };
        upload.complete().await.map_err(failed)?;
        let named = self.name(case, &received, &unfinished).await;
        if named.is_err() {
            abandon(self.store.delete(&unfinished).await, &unfinished);
        }
        named.map(|()| received.blob())
    }

    /// Keeps a page that the engine itself made, such as a notice. It comes whole and is never
    /// refused for its type or for want of room: what an applicant sent keeps no decision from
    /// him. The same page again changes nothing but its age.
    ///
    /// # Errors
    /// [`BlobError::Objects`] when the store fails.
    pub async fn put_page(&self, case: CaseId, page: Vec<u8>) -> Result<StoredBlob, BlobError> {
        let (digest, bytes) = (Digest::of(&page), page.len() as u64);
        let key = blob_key(case, digest);
        let _names = self.names.read().await;
        let stored = self.store.put(&key, PutPayload::from(page)).await;
        stored.map_err(|why| ObjectsError::new(Attempt::Write, &key, why))?;
        Ok(StoredBlob { digest, bytes, media_type: kind::UNKNOWN })
    }

    /// Refuses a case that holds too much already; what no commit names counts until a sweep.
    async fn must_have_room(&self, case: CaseId, wanted: &Wanted) -> Result<(), BlobError> {
        let found: u64 = self.of_case(case).await?.iter().map(|object| object.size).sum();
        if found < CASE_FILES_BYTES_MAX {
            return Ok(());
        }
        let (file, limit) = (wanted.file_name.clone(), CASE_FILES_BYTES_MAX);
        Err(BlobError::CaseFull { file, limit, found })
    }

    async fn of_case(&self, case: CaseId) -> Result<Vec<ObjectMeta>, BlobError> {
        let prefix = key([ROOT, &case.to_string()]);
        let listed = self.store.list(Some(&prefix)).try_collect().await;
        listed.map_err(|why| listing(&prefix, why))
    }

    /// Takes in a stream, part by part.
    async fn receive<S, E>(
        &self,
        upload: &mut dyn MultipartUpload,
        mut intake: Intake<'_>,
        bytes: S,
    ) -> Result<Received, BlobError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let failed = |why| ObjectsError::new(Attempt::Write, UNFINISHED, why);
        let mut bytes = std::pin::pin!(bytes);
        let mut part = Vec::new();
        let mut part_bytes = 0;
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk.map_err(|why| intake.torn(why.into()))?;
            intake.take(&chunk)?;
            part_bytes += chunk.len();
            part.push(chunk);
            if part_bytes >= self.part_bytes {
                upload.put_part(payload(&mut part)).await.map_err(failed)?;
                part_bytes = 0;
            }
        }
        let received = intake.finish()?;
        if !part.is_empty() {
            upload.put_part(payload(&mut part)).await.map_err(failed)?;
        }
        Ok(received)
    }

    /// Gives a whole upload its name. An older blob of the same bytes is replaced, so that its
    /// age begins anew and no sweep takes it before a commit can name it.
    async fn name(&self, case: CaseId, received: &Received, from: &Path) -> Result<(), BlobError> {
        let to = blob_key(case, received.digest);
        let _names = self.names.read().await;
        let renamed = self.store.rename(from, &to).await;
        Ok(renamed.map_err(|why| ObjectsError::new(Attempt::Write, &to, why))?)
    }

    /// Returns what is known of a blob, if the case has it. Whoever is about to commit its name
    /// [holds](Blobs::hold) and asks this first.
    ///
    /// # Errors
    /// [`BlobError::Objects`] when the store fails.
    pub async fn find(
        &self,
        case: CaseId,
        digest: Digest,
    ) -> Result<Option<StoredBlob>, BlobError> {
        let key = blob_key(case, digest);
        let failed = |why| ObjectsError::new(Attempt::Read, &key, why);
        let found = match self.store.head(&key).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            other => other.map_err(failed)?,
        };
        let size = found.size;
        let tail = size.saturating_sub(TAIL_BYTES as u64)..size;
        let ranges = [0..size.min(HEAD_BYTES as u64), tail];
        let ends = self.store.get_ranges(&key, &ranges).await.map_err(failed)?;
        let media_type = match ends.as_slice() {
            [head, tail] => Kind::of(head, tail).map_or(kind::UNKNOWN, Kind::media_type),
            _ => kind::UNKNOWN,
        };
        Ok(Some(StoredBlob { digest, bytes: size, media_type }))
    }

    /// Keeps every blob where it is while the guard lives. Hold it from [`Blobs::find`] until the
    /// commit that names the blob; of one process it keeps off sweeps, of others the age does.
    pub async fn hold(&self) -> Held {
        Held { _names: Arc::clone(&self.names).read_owned().await }
    }

    /// Opens a blob for reading, if the case has it.
    ///
    /// # Errors
    /// [`BlobError::Objects`] when the store fails. Damage shows at the end of the stream.
    pub async fn get(&self, case: CaseId, digest: Digest) -> Result<Option<BlobReader>, BlobError> {
        let Some(blob) = self.find(case, digest).await? else { return Ok(None) };
        let key = blob_key(case, digest);
        let found = match self.store.get(&key).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            other => other.map_err(|why| ObjectsError::new(Attempt::Read, &key, why))?,
        };
        let stream = Reading {
            key,
            digest,
            hasher: Sha256::new(),
            held: None,
            rest: Some(found.into_stream()),
        };
        Ok(Some(BlobReader { blob, stream: stream.checked() }))
    }

    /// Deletes every blob of a case and returns how many there were: files go with their case. On
    /// a folder a power cut soon after may bring one back; the next sweep finds it.
    ///
    /// # Errors
    /// [`BlobError::Objects`] when the store fails; calling it again goes on.
    pub async fn delete_case(&self, case: CaseId) -> Result<u64, BlobError> {
        let objects = self.of_case(case).await?;
        let _names = self.names.write().await;
        for object in &objects {
            self.delete(&object.location).await?;
        }
        Ok(objects.len() as u64)
    }

    async fn delete(&self, key: &Path) -> Result<(), BlobError> {
        match self.store.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(why) => Err(ObjectsError::new(Attempt::Delete, key, why).into()),
        }
    }
}

/// A blob on its way out, with what is known of it so far.
struct Reading {
    key: Path,
    digest: Digest,
    hasher: Sha256,
    /// The newest stretch, held back until another one or a right digest follows.
    held: Option<Bytes>,
    rest: Option<BoxStream<'static, object_store::Result<Bytes>>>,
}

impl Reading {
    fn checked(self) -> BoxStream<'static, Result<Bytes, BlobError>> {
        stream::try_unfold(self, |mut reading| async move {
            Ok(reading.next().await?.map(|chunk| (chunk, reading)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        while let Some(rest) = &mut self.rest {
            let Some(chunk) = rest.next().await else {
                self.rest = None;
                return self.last().map(Some);
            };
            let chunk = chunk.map_err(|why| ObjectsError::new(Attempt::Read, &self.key, why))?;
            self.hasher.update(&chunk);
            if let Some(ready) = self.held.replace(chunk) {
                return Ok(Some(ready));
            }
        }
        Ok(None)
    }

    fn last(&mut self) -> Result<Bytes, BlobError> {
        let digest = Digest(self.hasher.finalize_reset().into());
        let held = self.held.take().filter(|_| digest == self.digest);
        held.ok_or_else(|| BlobError::Damaged { key: self.key.to_string() })
    }
}

/// What an object below the prefix is.
enum Place {
    Blob(CaseId, Digest),
    Unfinished,
    /// Not ours: never touched.
    Foreign,
}

impl Place {
    fn of(key: &Path) -> Self {
        let mut parts = key.as_ref().split('/').skip(1);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(UNFINISHED), Some(_), None) => Self::Unfinished,
            (Some(case), Some(digest), None) => match (case.parse(), Digest::from_hex(digest)) {
                (Ok(case), Some(digest)) => Self::Blob(case, digest),
                _ => Self::Foreign,
            },
            _ => Self::Foreign,
        }
    }
}

fn blob_key(case: CaseId, digest: Digest) -> Path {
    key([ROOT, &case.to_string(), &digest.hex()])
}

fn unfinished_key() -> Result<Path, BlobError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| BlobError::NoRandomness)?;
    Ok(key([ROOT, UNFINISHED, &Digest(random).hex()]))
}

fn payload(part: &mut Vec<Bytes>) -> PutPayload {
    std::mem::take(part).into_iter().collect()
}

fn listing(prefix: &Path, why: object_store::Error) -> BlobError {
    ObjectsError::new(Attempt::List, prefix, why).into()
}

/// Leaves what could not be cleared away to the next sweep.
fn abandon(cleared: object_store::Result<()>, key: &Path) {
    if let Err(error) = cleared {
        tracing::warn!(%key, %error, "an unfinished upload stays until the next sweep");
    }
}

#[cfg(test)]
mod tests;
