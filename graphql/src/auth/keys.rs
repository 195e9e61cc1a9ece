//! The keys that signatures are checked with, read from a JWK set.
//!
//! Today the set comes from a file (or from [`super::DevIdentity`]) and stays as it is. A set
//! that is fetched and rotated belongs here too: the rest of the crate only calls
//! [`KeySet::find`].

use std::path::Path;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};

/// Public keys by id, each with the one algorithm that it may be used with.
pub struct KeySet {
    keys: Vec<PinnedKey>,
}

/// A key with its algorithm.
pub(super) struct PinnedKey {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// A key set that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The file cannot be read.
    #[error("无法读取公钥文件 {path} / cannot read the key set {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a JWK set.
    #[error("公钥文件不是 JWK Set / the key set is not a JWK set")]
    Syntax(#[source] serde_json::Error),
    /// A key of a kind that is not accepted.
    #[error(
        "公钥 {0:?} 的类型不受支持,可用 EdDSA(Ed25519)、ES256、RS256 / key {0:?} is of a kind that is not accepted; use EdDSA (Ed25519), ES256 or RS256"
    )]
    Unsupported(String),
    /// It holds no key.
    #[error("公钥文件中没有公钥 / the key set holds no key")]
    Empty,
}

impl KeySet {
    /// Reads a JWK set from a file.
    pub fn open(path: &Path) -> Result<Self, KeySetError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| KeySetError::Read { path: path.display().to_string(), source })?;
        Self::from_json(&text)
    }

    /// Reads a JWK set.
    pub fn from_json(text: &str) -> Result<Self, KeySetError> {
        let set: JwkSet = serde_json::from_str(text).map_err(KeySetError::Syntax)?;
        let keys = set.keys.iter().map(pin).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    /// Builds a set of one Ed25519 key.
    pub(super) fn ed25519(id: &str, public: &[u8]) -> Self {
        let id = Some(id.to_owned());
        let key = DecodingKey::from_ed_der(public);
        Self { keys: vec![PinnedKey { id, algorithm: Algorithm::EdDSA, key }] }
    }

    /// Finds the key for a token: by its id when it names one, and only if the key's own
    /// algorithm is the token's.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&PinnedKey> {
        let mut fitting = self.keys.iter().filter(|key| key.algorithm == algorithm);
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)),
            None => fitting.next(),
        }
    }
}

fn pin(jwk: &Jwk) -> Result<PinnedKey, KeySetError> {
    let id = jwk.common.key_id.clone();
    let unsupported = || KeySetError::Unsupported(id.clone().unwrap_or_default());
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        AlgorithmParameters::EllipticCurve(_)
        | AlgorithmParameters::OctetKeyPair(_)
        | AlgorithmParameters::OctetKey(_) => return Err(unsupported()),
    };
    let declared = jwk.common.key_algorithm;
    if declared.is_some_and(|name| name.to_string() != format!("{algorithm:?}")) {
        return Err(unsupported());
    }
    let key = DecodingKey::from_jwk(jwk).map_err(|_| unsupported())?;
    Ok(PinnedKey { id, algorithm, key })
}
