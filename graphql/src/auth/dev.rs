//! An identity for development: a key of its own in the data folder, and tokens signed with it.
//!
//! The key is drawn on first use and never leaves the folder; there is nothing built in that
//! two installations could share. [`crate::server::Server`] serves it on loopback addresses only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use tongban_core::time::Moment;
use tongban_core::viewer::Viewer;

use super::claims::Claims;
use super::{Expected, KeySet};

/// Name of the key's file.
const FILE: &str = "dev.key";
const KEY_ID: &str = "dev";
const ISSUER: &str = "tongban-dev";
const AUDIENCE: &str = "tongban";
/// Bytes that no PKCS#8 form of an Ed25519 key reaches.
const KEY_BYTES_MAX: u64 = 1_024;

/// A key pair in a data folder.
pub struct DevIdentity {
    document: Vec<u8>,
    pub(super) public: Vec<u8>,
}

/// When a token is valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// From when, by the wire clock.
    pub from: Moment,
    /// For how many seconds.
    pub seconds: u32,
}

/// A development identity that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevIdentityError {
    /// The file cannot be read or written.
    #[error("无法读写开发密钥 {path} / cannot read or write the development key {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is readable by others.
    #[error(
        "开发密钥 {0} 可被他人读取,请改为 0600 / the development key {0} can be read by others; make it 0600"
    )]
    Exposed(PathBuf),
    /// The file holds something else.
    #[error(
        "开发密钥 {0} 不是 Ed25519 私钥,删除后会重新生成 / the development key {0} is not an Ed25519 key; delete it to get a new one"
    )]
    NotAKey(PathBuf),
    /// The system gave no random bytes.
    #[error("无法生成开发密钥 / cannot draw a development key")]
    NoRandomness,
    /// A token could not be signed.
    #[error("无法签发令牌 / cannot sign a token")]
    Signing,
}

impl DevIdentity {
    /// Opens the key in `folder`, or draws one and keeps it there with mode 0600.
    ///
    /// Returns after the new file and its name are on disk.
    pub fn create_or_open(folder: &Path) -> Result<Self, DevIdentityError> {
        let path = folder.join(FILE);
        match read(&path) {
            Ok(document) => Self::from_document(document, &path),
            Err(DevIdentityError::File { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                let document = draw()?;
                write(folder, &path, &document)
                    .map_err(|source| DevIdentityError::File { path: path.clone(), source })?;
                Self::from_document(document, &path)
            }
            Err(error) => Err(error),
        }
    }

    fn from_document(document: Vec<u8>, path: &Path) -> Result<Self, DevIdentityError> {
        let pair = Ed25519KeyPair::from_pkcs8(&document)
            .map_err(|_| DevIdentityError::NotAKey(path.to_owned()))?;
        let public = pair.public_key().as_ref().to_vec();
        Ok(Self { document, public })
    }

    /// Signs a token for `viewer`.
    pub fn issue(&self, viewer: &Viewer, validity: Validity) -> Result<String, DevIdentityError> {
        let from = validity.from.millis() / 1_000;
        let claims = Claims {
            iss: Some(ISSUER.to_owned()),
            aud: Some(AUDIENCE.into()),
            nbf: Some(from),
            exp: Some(from + i64::from(validity.seconds)),
            ..Claims::of(viewer)
        };
        self.sign(&claims)
    }

    /// Signs claims as they stand.
    pub(super) fn sign(&self, claims: &Claims) -> Result<String, DevIdentityError> {
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_der(&self.document);
        encode(&header, claims, &key).map_err(|_| DevIdentityError::Signing)
    }

    /// Returns the public key as a set.
    pub(super) fn key_set(&self) -> KeySet {
        KeySet::ed25519(KEY_ID, &self.public)
    }

    /// Returns the public key as the text of a JWK set, as a host's identity would publish it.
    #[cfg(test)]
    pub(crate) fn jwks(&self) -> String {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        // Bits from the front, six to a letter; the last letter is filled up with zeros.
        let (mut x, mut bits, mut count) = (String::new(), 0_usize, 0_u32);
        for byte in self.public.iter().chain([&0]) {
            bits = (bits << 8 | usize::from(*byte)) & 0xffff;
            count += 8;
            while count >= 6 {
                count -= 6;
                x.push(char::from(LETTERS[bits >> count & 0x3f]));
            }
        }
        x.truncate((self.public.len() * 8).div_ceil(6));
        serde_json::json!({
            "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": KEY_ID, "x": x }]
        })
        .to_string()
    }

    /// Returns what the tokens of every development identity claim.
    pub(crate) fn expected() -> Expected {
        Expected { issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned() }
    }
}

fn draw() -> Result<Vec<u8>, DevIdentityError> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| DevIdentityError::NoRandomness)?;
    Ok(document.as_ref().to_vec())
}

fn read(path: &Path) -> Result<Vec<u8>, DevIdentityError> {
    let failed = |source| DevIdentityError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if is_exposed(&metadata) {
        return Err(DevIdentityError::Exposed(path.to_owned()));
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
