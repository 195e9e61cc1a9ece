//! Opening a store's folder, and the layout of that folder.
//!
//! ```text
//! <folder>/lock           held by the process that has the store open; its number inside
//! <folder>/store.key      32 random bytes, mode 0600: keys live outside sled
//! <folder>/store.format   version of the layout, written once everything else is there
//! <folder>/store.mark     newest acknowledged commit, not synced: shows a log that lost its end
//! <folder>/sled/          sled's own files
//! <folder>/blobs/         entries too large for a record
//! <folder>/closures/      sources of the scripts that cases are pinned to
//! <folder>/set-aside/     snapshots of sled that could not be read
//! <folder>/files/         uploaded files, see `blob`
//! <folder>/reference/     reference documents, see `reference`
//! ```
//!
//! Nothing in a folder is changed before the lock is held and the folder is known to be ours,
//! and nothing is ever deleted but sled's own torn snapshots.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tongban_core::digest::Secret;
use tongban_core::error::ErrorClass;
use tongban_core::id::CommitNo;

use super::SledOptions;
use super::files::Mark;
use crate::folder;

const LOCK: &str = "lock";
const KEY: &str = "store.key";
const FORMAT: &str = "store.format";
const MARK: &str = "store.mark";
const SLED: &str = "sled";
pub(super) const BLOBS: &str = "blobs";
pub(super) const CLOSURES: &str = "closures";
const SET_ASIDE: &str = "set-aside";
/// What others of the engine keep in the folder, perhaps before the store is there.
const FILES: &str = "files";
const REFERENCE: &str = "reference";
/// What the program writes there, perhaps before: which bucket holds files and documents.
const STORAGE: &str = "storage.json";
const OURS: [&str; 11] =
    [LOCK, KEY, FORMAT, MARK, SLED, BLOBS, CLOSURES, SET_ASIDE, FILES, REFERENCE, STORAGE];

/// Sled's data file inside its folder.
const SLED_DATA: &str = "db";
/// Bytes of a segment of that file.
const SLED_SEGMENT_BYTES: usize = 512 * 1024;
const SNAPSHOT: &str = "snap.";
const TORN_SNAPSHOT: &str = ".generating";

const FORMAT_WORD: &str = "tongban-store";
/// Version of the layout that this program writes and reads.
const FORMAT_VERSION: u32 = 1;

/// Milliseconds between two rounds of sled's own thread: its garbage collection runs only there.
const SLED_ROUND_MILLIS: u64 = 1_000;

/// A folder that could not be opened as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another part of this one, has it open.
    #[error(
        "打开数据目录 {folder} 失败:已被{holder}占用,请先停止它 / cannot open the store {folder}: it is in use by {holder}, stop that first"
    )]
    InUse {
        /// The folder.
        folder: String,
        /// Number of the process that holds it, if it could be read.
        holder: Holder,
    },
    /// It holds something else.
    #[error(
        "打开数据目录 {folder} 失败:{found} 不是本系统的文件,请指定空目录或原有数据目录 / cannot open the store {folder}: {found} is not part of a store, name an empty folder or an existing store"
    )]
    NotOurs {
        /// The folder.
        folder: String,
        /// What was found there.
        found: String,
    },
    /// A newer program wrote it.
    #[error(
        "打开数据目录 {folder} 失败:数据格式版本 {found},本程序支持到 {FORMAT_VERSION},请升级程序 / cannot open the store {folder}: it has format {found}, this program reads up to {FORMAT_VERSION}, use a newer program"
    )]
    Newer {
        /// The folder.
        folder: String,
        /// Version found.
        found: u32,
    },
    /// The store's key is gone.
    #[error(
        "打开数据目录 {folder} 失败:缺少密钥文件 store.key,请从备份恢复该文件 / cannot open the store {folder}: its key file store.key is missing or cut short, restore it from the backup"
    )]
    KeyMissing {
        /// The folder.
        folder: String,
    },
    /// Its content cannot be read.
    #[error(
        "打开数据目录 {folder} 失败:数据损坏({detail});请先复制整个目录,再从备份恢复 / cannot open the store {folder}: its content is damaged ({detail}); copy the whole folder first, then restore a backup"
    )]
    Damaged {
        /// The folder.
        folder: String,
        /// What could not be read.
        detail: String,
    },
    /// The file system refused.
    #[error(
        "打开数据目录 {folder} 失败:无法{attempted},请检查权限和磁盘空间 / cannot open the store {folder}: could not {attempted}, check permissions and free space"
    )]
    Folder {
        /// The folder.
        folder: String,
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// Who holds a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holder {
    /// A process of this number.
    Process(u32),
    /// Nobody could tell.
    Unknown,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process(id) => write!(f, " process {id} "),
            Self::Unknown => f.write_str(" another process "),
        }
    }
}

impl OpenError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "STORE_IN_USE",
            Self::NotOurs { .. } => "STORE_NOT_OURS",
            Self::Newer { .. } => "STORE_NEWER",
            Self::KeyMissing { .. } => "STORE_KEY_MISSING",
            Self::Damaged { .. } => "STORE_DAMAGED",
            Self::Folder { .. } => "STORE_FOLDER",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::InUse { .. } => ErrorClass::Conflict,
            Self::NotOurs { .. } => ErrorClass::Invalid,
            Self::Newer { .. }
            | Self::KeyMissing { .. }
            | Self::Damaged { .. }
            | Self::Folder { .. } => ErrorClass::Permanent,
        }
    }
}

/// A folder that is locked, ours, and open.
pub(super) struct Opened {
    /// Held as long as the store is open.
    pub(super) lock: File,
    /// The store's key.
    pub(super) secret: Secret,
    /// Sled.
    pub(super) db: ::sled::Db,
    /// An own descriptor of sled's data file, because sled's flush is no fsync.
    pub(super) data: File,
    /// Whether the folder has held a store before.
    pub(super) age: Age,
}

/// Whether a store was here before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Age {
    /// It is being created.
    New,
    /// It was complete before.
    Existing,
}

/// One opening of a folder.
pub(super) struct Opening<'a> {
    folder: &'a Path,
}

impl<'a> Opening<'a> {
    /// Begins to open `folder`.
    pub(super) fn of(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// Locks the folder, makes sure that it is ours, and opens sled in it.
    pub(super) fn open(&self, options: SledOptions) -> Result<Opened, OpenError> {
        self.check_is_folder()?;
        folder::create(self.folder).map_err(self.failed("create the folder"))?;
        self.check_is_ours()?;
        let lock = self.lock()?;
        let age = self.check_format()?;
        let secret = self.key(age)?;
        self.check_data_is_there(age)?;
        self.remove_torn_snapshots().map_err(self.failed("remove torn snapshots"))?;
        let db = self.open_sled(options)?;
        let data = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.sled().join(SLED_DATA))
            .map_err(self.failed("open sled's data file"))?;
        folder::sync(&self.sled()).map_err(self.failed("sync sled's folder"))?;
        Ok(Opened { lock, secret, db, data, age })
    }

    /// Opens the mark and makes sure that nothing before it is missing from the log.
    pub(super) fn mark(&self, newest: CommitNo) -> Result<Mark, OpenError> {
        let failed = || self.failed("read store.mark");
        let mut mark = Mark::open(&self.folder.join(MARK)).map_err(failed())?;
        let marked = mark.read().map_err(failed())?;
        if newest < marked {
            let (newest, marked) = (newest.0, marked.0);
            return Err(self.damaged(format!(
                "the log ends at commit {newest}, commit {marked} was acknowledged"
            )));
        }
        Ok(mark)
    }

    /// Marks a new store as complete, once its first records are durable.
    pub(super) fn complete(&self) -> Result<(), OpenError> {
        let text = format!("{FORMAT_WORD} {FORMAT_VERSION}\n");
        folder::write(&self.folder.join(FORMAT), text.as_bytes())
            .map_err(self.failed("write the format file"))
    }

    /// Builds the error for content that cannot be read.
    pub(super) fn damaged(&self, detail: impl Into<String>) -> OpenError {
        OpenError::Damaged { folder: self.name(), detail: detail.into() }
    }

    fn name(&self) -> String {
        self.folder.display().to_string()
    }

    fn sled(&self) -> PathBuf {
        self.folder.join(SLED)
    }

    fn failed(&self, attempted: &'static str) -> impl FnOnce(io::Error) -> OpenError {
        let folder = self.name();
        move |source| OpenError::Folder { folder, attempted, source }
    }

    fn not_ours(&self, found: impl Into<String>) -> OpenError {
        OpenError::NotOurs { folder: self.name(), found: found.into() }
    }

    fn check_is_folder(&self) -> Result<(), OpenError> {
        match fs::metadata(self.folder) {
            Ok(found) if !found.is_dir() => Err(self.not_ours("a file of that name")),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.failed("read the folder")(error)),
        }
    }

    /// Refuses a folder that was never a store and is not empty.
    fn check_is_ours(&self) -> Result<(), OpenError> {
        if self.folder.join(FORMAT).exists() {
            return Ok(());
        }
        let entries = fs::read_dir(self.folder).map_err(self.failed("read the folder"))?;
        for entry in entries {
            let entry = entry.map_err(self.failed("read the folder"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !OURS.contains(&name.as_str()) && !name.ends_with(folder::UNFINISHED) {
                return Err(self.not_ours(name));
            }
        }
        Ok(())
    }

    fn lock(&self) -> Result<File, OpenError> {
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.folder.join(LOCK))
            .map_err(self.failed("open the lock file"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { folder: self.name(), holder: holder(&mut lock) });
            }
            Err(TryLockError::Error(error)) => return Err(self.failed("take the lock")(error)),
        }
        write_holder(&mut lock).map_err(self.failed("write the lock file"))?;
        Ok(lock)
    }

    fn check_format(&self) -> Result<Age, OpenError> {
        let text = match fs::read_to_string(self.folder.join(FORMAT)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Age::New),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(self.not_ours(FORMAT));
            }
            Err(error) => return Err(self.failed("read the format file")(error)),
        };
        let version =
            text.strip_prefix(FORMAT_WORD).and_then(|version| version.trim().parse().ok());
        match version {
            Some(found) if found > FORMAT_VERSION => {
                Err(OpenError::Newer { folder: self.name(), found })
            }
            Some(_) => Ok(Age::Existing),
            None => Err(self.not_ours(FORMAT)),
        }
    }

    fn key(&self, age: Age) -> Result<Secret, OpenError> {
        let path = self.folder.join(KEY);
        let missing = || OpenError::KeyMissing { folder: self.name() };
        match fs::read(&path) {
            Ok(bytes) => bytes.try_into().map(Secret::new).map_err(|_| missing()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("read the key file")(error))
            }
            Err(_) if age == Age::Existing || self.sled().exists() => Err(missing()),
            Err(_) => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes)
                    .map_err(|error| io::Error::other(error.to_string()))
                    .and_then(|()| folder::write(&path, &bytes))
                    .map_err(self.failed("create the key file"))?;
                Ok(Secret::new(bytes))
            }
        }
    }

    /// Refuses what sled would take for an empty database, and overwrite.
    fn check_data_is_there(&self, age: Age) -> Result<(), OpenError> {
        if age == Age::New {
            return Ok(());
        }
        match has_segment(&self.sled().join(SLED_DATA)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.damaged("sled/db holds no data")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(self.damaged("sled/db is missing"))
            }
            Err(error) => Err(self.failed("read sled's data file")(error)),
        }
    }

    fn open_sled(&self, options: SledOptions) -> Result<::sled::Db, OpenError> {
        let config = ::sled::Config::new()
            .path(self.sled())
            .cache_capacity(options.cache_bytes)
            .flush_every_ms(Some(SLED_ROUND_MILLIS));
        folder::create(&self.sled()).map_err(self.failed("create sled's folder"))?;
        match config.open() {
            Ok(db) => Ok(db),
            // Both the log and the snapshot hold everything; without the latter, sled reads the
            // former from its beginning.
            Err(::sled::Error::Corruption { .. }) => {
                self.set_snapshots_aside().map_err(self.failed("set snapshots aside"))?;
                config.open().map_err(|error| self.refused(error))
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    fn refused(&self, error: ::sled::Error) -> OpenError {
        match error {
            ::sled::Error::Io(source) => self.failed("open sled's files")(source),
            error @ (::sled::Error::Corruption { .. }
            | ::sled::Error::CollectionNotFound(_)
            | ::sled::Error::Unsupported(_)
            | ::sled::Error::ReportableBug(_)) => self.damaged(error.to_string()),
        }
    }

    fn snapshots(&self) -> io::Result<Vec<PathBuf>> {
        if !self.sled().is_dir() {
            return Ok(Vec::new());
        }
        let mut snapshots = Vec::new();
        for entry in fs::read_dir(self.sled())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(SNAPSHOT) {
                snapshots.push(entry.path());
            }
        }
        Ok(snapshots)
    }

    /// Removes snapshots that an abrupt stop left half written: sled would take them for whole.
    fn remove_torn_snapshots(&self) -> io::Result<()> {
        for snapshot in self.snapshots()? {
            if snapshot.to_string_lossy().ends_with(TORN_SNAPSHOT) {
                fs::remove_file(snapshot)?;
            }
        }
        Ok(())
    }

    fn set_snapshots_aside(&self) -> io::Result<()> {
        let aside = self.folder.join(SET_ASIDE);
        folder::create(&aside)?;
        for snapshot in self.snapshots()? {
            let name = snapshot.file_name().unwrap_or_default().to_owned();
            fs::rename(&snapshot, aside.join(name))?;
        }
        folder::sync(&aside)
    }
}

/// Tells whether a data file of sled has at least one segment with a whole header: a checksum,
/// inverted, over the sixteen bytes after it.
fn has_segment(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    for start in (0..size).step_by(SLED_SEGMENT_BYTES) {
        let mut header = [0; 20];
        file.seek(io::SeekFrom::Start(start))?;
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            other => other?,
        }
        let (stored, covered) = header.split_at(4);
        if stored == (!crc32(covered)).to_le_bytes() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the CRC-32 that sled uses (IEEE 802.3).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _bit| {
        let low = crc & 1;
        (crc >> 1) ^ (0xEDB8_8320 * low)
    };
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step));
    !crc
}

fn holder(lock: &mut File) -> Holder {
    let mut text = String::new();
    match lock.read_to_string(&mut text) {
        Ok(_) => text.trim().parse().map_or(Holder::Unknown, Holder::Process),
        Err(_) => Holder::Unknown,
    }
}

fn write_holder(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}
