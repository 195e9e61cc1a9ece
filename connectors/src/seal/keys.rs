//! The public keys that seals are verified with: a JSON Web Key Set of Ed25519 and P-256 keys.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use tongban_core::document::{SealFault, SealRecord};
use tongban_core::error::ErrorClass;

/// Bytes of one coordinate of either curve.
const COORDINATE_BYTES: usize = 32;
/// What begins an uncompressed point.
const UNCOMPRESSED: u8 = 4;

/// The public keys of a seal service, by key id.
#[derive(Clone, Debug)]
pub struct SealKeys {
    keys: BTreeMap<String, Key>,
}

#[derive(Clone, Debug)]
struct Key {
    algorithm: Algorithm,
    public: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Algorithm {
    Ed25519,
    Es256,
}

impl Algorithm {
    /// Returns the name that records call it by.
    fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
        }
    }

    fn verifier(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Ed25519 => &ED25519,
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
        }
    }
}

/// A key set that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// Not a key set.
    #[error(
        "签章公钥不是 JWKS(形如 {{\"keys\":[…]}}) / the public keys of the seals are no JSON Web Key Set"
    )]
    NotAKeySet(#[source] serde_json::Error),
    /// Nothing in it.
    #[error("签章公钥集为空 / the key set of the seals holds no key")]
    Empty,
    /// A key of a kind that is not verified here, or a broken one.
    #[error(
        "签章公钥 {0:?} 不可用:须为 Ed25519(OKP)或 P-256(EC)公钥,并有 kid / the seal key {0:?} cannot be used: it must be an Ed25519 (OKP) or P-256 (EC) public key with a kid"
    )]
    Unusable(String),
    /// Two keys of one name.
    #[error("签章公钥 {0:?} 出现两次 / the seal key {0:?} is there twice")]
    Twice(String),
}

impl KeysError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAKeySet(_) => "SEAL_KEYS_NOT_JWKS",
            Self::Empty => "SEAL_KEYS_EMPTY",
            Self::Unusable(_) => "SEAL_KEY_UNUSABLE",
            Self::Twice(_) => "SEAL_KEY_TWICE",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kid: String,
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

impl SealKeys {
    /// Reads a JSON Web Key Set.
    ///
    /// # Errors
    /// [`KeysError`] when it is none, is empty, or holds a key that cannot verify anything.
    pub fn from_json(text: &[u8]) -> Result<Self, KeysError> {
        let set: KeySet = serde_json::from_slice(text).map_err(KeysError::NotAKeySet)?;
        let mut keys = BTreeMap::new();
        for jwk in set.keys {
            let key = read(&jwk).ok_or_else(|| KeysError::Unusable(jwk.kid.clone()))?;
            if keys.insert(jwk.kid.clone(), key).is_some() {
                return Err(KeysError::Twice(jwk.kid));
            }
        }
        if keys.is_empty() { Err(KeysError::Empty) } else { Ok(Self { keys }) }
    }

    /// Fails unless a known key signed the record as it stands.
    pub(super) fn check(&self, record: &SealRecord) -> Result<(), SealFault> {
        let key = self.keys.get(&record.key_id);
        let Some(key) = key.filter(|key| key.algorithm.name() == record.algorithm) else {
            return Err(SealFault::UnknownKey {
                key_id: record.key_id.clone(),
                algorithm: record.algorithm.clone(),
            });
        };
        UnparsedPublicKey::new(key.algorithm.verifier(), &key.public)
            .verify(&record.signed_bytes(), &record.signature)
            .map_err(|_| SealFault::NotGenuine { document_no: record.document_no.clone() })
    }
}

fn read(jwk: &Jwk) -> Option<Key> {
    let coordinate = |text: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == COORDINATE_BYTES).then_some(bytes)
    };
    let x = coordinate(&jwk.x)?;
    let key = match (jwk.kty.as_str(), jwk.crv.as_str()) {
        ("OKP", "Ed25519") => Key { algorithm: Algorithm::Ed25519, public: x },
        ("EC", "P-256") => {
            let public = [vec![UNCOMPRESSED], x, coordinate(&jwk.y)?].concat();
            Key { algorithm: Algorithm::Es256, public }
        }
        _ => return None,
    };
    (!jwk.kid.is_empty()).then_some(key)
}
