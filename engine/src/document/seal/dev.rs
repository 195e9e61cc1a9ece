//! A trial seal: an Ed25519 key in the data folder, drawn on first use.
//!
//! Nothing built in could be shared by two installations; the key never leaves its folder. The
//! record and its picture say 试用印章 wherever they go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use tongban_core::digest::Digest;
use tongban_core::document::{Seal, SealFault, SealKind, SealRecord, SealRequest};
use tongban_core::error::ErrorClass;
use tongban_core::port::Later;
use tongban_core::time::Moment;

/// Name of the key's file.
const FILE: &str = "trial-seal.key";
const ALGORITHM: &str = "Ed25519";
/// Hexadecimal digits of the public key's digest that name the key.
const KEY_ID_DIGITS: usize = 16;
/// Bytes that no PKCS#8 form of an Ed25519 key reaches.
const KEY_BYTES_MAX: u64 = 1_024;
/// A trial seal is in force from its sealing for a year: long enough for any trial.
const VALID_MILLIS: i64 = 365 * 24 * 3_600_000;

/// A trial seal of every office; for development and demonstration only.
pub struct DevSeal {
    pair: Ed25519KeyPair,
    key_id: String,
}

/// A trial seal that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevSealError {
    /// The file cannot be read or written.
    #[error("无法读写试用印章密钥 {path} / cannot read or write the trial seal's key {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is readable by others.
    #[error(
        "试用印章密钥 {0} 可被他人读取,请改为 0600 / the trial seal's key {0} can be read by others; make it 0600"
    )]
    Exposed(PathBuf),
    /// The file holds something else.
    #[error(
        "试用印章密钥 {0} 不是 Ed25519 私钥,删除后会重新生成 / the trial seal's key {0} is not an Ed25519 key; delete it to get a new one"
    )]
    NotAKey(PathBuf),
    /// The system gave no random bytes.
    #[error("无法生成试用印章密钥 / cannot draw a key for the trial seal")]
    NoRandomness,
}

impl DevSealError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "TRIAL_SEAL_FILE",
            Self::Exposed(_) => "TRIAL_SEAL_EXPOSED",
            Self::NotAKey(_) => "TRIAL_SEAL_NOT_A_KEY",
            Self::NoRandomness => "TRIAL_SEAL_NO_RANDOMNESS",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NoRandomness => ErrorClass::Transient,
            Self::File { .. } | Self::Exposed(_) | Self::NotAKey(_) => ErrorClass::Permanent,
        }
    }
}

impl DevSeal {
    /// Opens the key in `folder`, or draws one and keeps it there with mode 0600.
    ///
    /// Returns after the new file and its name are on disk.
    pub fn create_or_open(folder: &Path) -> Result<Self, DevSealError> {
        let path = folder.join(FILE);
        let document = match read(&path) {
            Err(DevSealError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let document = draw()?;
                write(folder, &path, &document)
                    .map_err(|source| DevSealError::File { path: path.clone(), source })?;
                document
            }
            other => other?,
        };
        let pair =
            Ed25519KeyPair::from_pkcs8(&document).map_err(|_| DevSealError::NotAKey(path))?;
        let digest = Digest::of(pair.public_key().as_ref()).hex();
        Ok(Self { pair, key_id: format!("trial-{}", &digest[..KEY_ID_DIGITS]) })
    }

    /// Returns the name of its key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    fn record(&self, request: SealRequest) -> SealRecord {
        let mut record = SealRecord {
            version: SealRecord::VERSION,
            kind: SealKind::Trial,
            name: format!("{}({})", SealKind::Trial.name(), request.office),
            office: request.office,
            signer: "通办引擎试用签章 / Tongban trial seal".to_owned(),
            key_id: self.key_id.clone(),
            algorithm: ALGORITHM.to_owned(),
            signed_at: request.at,
            made_at: Moment::start_of(request.at.date()),
            valid_from: Moment::start_of(request.at.date()),
            valid_until: request.at.plus_millis(VALID_MILLIS),
            document_no: request.document_no,
            digest: request.digest,
            signature: Vec::new(),
        };
        record.signature = self.pair.sign(&record.signed_bytes()).as_ref().to_vec();
        record
    }
}

impl Seal for DevSeal {
    fn seal(&self, request: SealRequest) -> Later<'_, Result<SealRecord, SealFault>> {
        Box::pin(async move { Ok(self.record(request)) })
    }

    fn verify(&self, record: &SealRecord, digest: &Digest) -> Result<(), SealFault> {
        if record.key_id != self.key_id || record.algorithm != ALGORITHM {
            return Err(SealFault::UnknownKey {
                key_id: record.key_id.clone(),
                algorithm: record.algorithm.clone(),
            });
        }
        let document_no = || record.document_no.clone();
        UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref())
            .verify(&record.signed_bytes(), &record.signature)
            .map_err(|_| SealFault::NotGenuine { document_no: document_no() })?;
        // What this key signs is for trial, whatever a record with another word for it says.
        if record.kind != SealKind::Trial {
            return Err(SealFault::NotGenuine { document_no: document_no() });
        }
        if record.digest != *digest {
            return Err(SealFault::OtherBytes { expected: *digest, found: record.digest });
        }
        if !record.was_in_force() {
            return Err(SealFault::NotInForce { document_no: document_no() });
        }
        Ok(())
    }
}

impl std::fmt::Debug for DevSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevSeal").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

fn draw() -> Result<Vec<u8>, DevSealError> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| DevSealError::NoRandomness)?;
    Ok(document.as_ref().to_vec())
}

fn read(path: &Path) -> Result<Vec<u8>, DevSealError> {
    let failed = |source| DevSealError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if is_exposed(&metadata) {
        return Err(DevSealError::Exposed(path.to_owned()));
    }
    let mut document = Vec::new();
    file.take(KEY_BYTES_MAX).read_to_end(&mut document).map_err(failed)?;
    Ok(document)
}

/// Writes the key under another name first, so that a crash leaves no half key behind.
fn write(folder: &Path, path: &Path, document: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let fresh = path.with_extension("key.new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = private().open(&fresh)?;
    file.write_all(document)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::sample;

    fn sealed(seal: &DevSeal, bytes: &[u8]) -> SealRecord {
        seal.record(SealRequest {
            office: "十堰市自然资源和规划局".to_owned(),
            document_no: sample::number(),
            digest: Digest::of(bytes),
            at: sample::made_at(),
        })
    }

    #[test]
    fn what_it_sealed_verifies_after_a_restart_and_is_marked_as_trial() {
        let folder = tempfile::tempdir().unwrap();
        let record = sealed(&DevSeal::create_or_open(folder.path()).unwrap(), b"page");
        let again = DevSeal::create_or_open(folder.path()).unwrap();
        assert_eq!(again.verify(&record, &Digest::of(b"page")), Ok(()));
        assert_eq!(record.kind, SealKind::Trial);
        assert!(record.name.starts_with("试用印章"), "{}", record.name);
    }

    #[test]
    fn other_bytes_other_fields_and_other_keys_do_not_verify() {
        let folder = tempfile::tempdir().unwrap();
        let seal = DevSeal::create_or_open(folder.path()).unwrap();
        let (record, digest) = (sealed(&seal, b"page"), Digest::of(b"page"));
        let code =
            |record: &SealRecord, digest: Digest| seal.verify(record, &digest).unwrap_err().code();
        assert_eq!(code(&record, Digest::of(b"other")), "SEAL_OTHER_BYTES");
        let posing = SealRecord { kind: SealKind::Official, ..record.clone() };
        assert_eq!(code(&posing, digest), "SEAL_NOT_GENUINE");
        let other = Digest::of(b"other");
        let moved = SealRecord { digest: other, ..record.clone() };
        assert_eq!(code(&moved, other), "SEAL_NOT_GENUINE");
        let foreign = SealRecord { key_id: "trial-0".to_owned(), ..record.clone() };
        assert_eq!(code(&foreign, digest), "SEAL_KEY_UNKNOWN");

        let elsewhere = tempfile::tempdir().unwrap();
        let stranger = DevSeal::create_or_open(elsewhere.path()).unwrap();
        assert_eq!(stranger.verify(&record, &digest).unwrap_err().code(), "SEAL_KEY_UNKNOWN");
        let posing = SealRecord { key_id: stranger.key_id().to_owned(), ..record };
        assert_eq!(stranger.verify(&posing, &digest).unwrap_err().code(), "SEAL_NOT_GENUINE");
    }

    #[test]
    #[cfg(unix)]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        DevSeal::create_or_open(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = DevSeal::create_or_open(folder.path()).unwrap_err();
        assert_eq!(error.code(), "TRIAL_SEAL_EXPOSED");
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &folder.path().join(FILE), b"not a key").unwrap();
        let error = DevSeal::create_or_open(folder.path()).unwrap_err();
        assert_eq!(error.code(), "TRIAL_SEAL_NOT_A_KEY");
    }
}
