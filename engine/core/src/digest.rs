//! Digests: SHA-256 for content that others see, keyed (HMAC-SHA-256) for what stands in a
//! journal, so that a digest of personal data cannot be guessed.

use std::fmt;

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A 256-bit digest.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Returns the SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the digest as 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha-256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex()[..12])
    }
}

/// A key for digests. A store's secret makes the secrets of its cases; neither is ever printed.
#[derive(Clone)]
pub struct Secret {
    bytes: [u8; 32],
    /// HMAC with the key taken in; taking it in costs as much as a short message.
    keyed: Hmac<Sha256>,
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Secret {}

impl Secret {
    /// Wraps 32 bytes of a good random source.
    pub fn new(bytes: [u8; 32]) -> Self {
        let keyed = Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any size");
        Self { bytes, keyed }
    }

    /// Returns the digest of `bytes` under this key, separated by `purpose`.
    pub fn keyed(&self, purpose: &[u8], bytes: &[u8]) -> Digest {
        let mut mac = self.keyed.clone();
        mac.update(purpose);
        mac.update(&[0]);
        mac.update(bytes);
        Digest(mac.finalize().into_bytes().into())
    }

    /// Derives the secret of one thing, such as a case, from this one.
    #[must_use]
    pub fn derive(&self, purpose: &[u8], bytes: &[u8]) -> Self {
        Self::new(self.keyed(purpose, bytes).0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_reads_back() {
        let digest = Digest::of(b"abc");
        assert_eq!(Digest::from_hex(&digest.hex()), Some(digest));
        assert_eq!(Digest::from_hex("zz"), None);
        // FIPS 180-2, appendix B.1.
        assert!(digest.hex().starts_with("ba7816bf8f01cfea"));
    }

    #[test]
    fn keyed_digests_differ_by_key_and_purpose() {
        let one = Secret::new([1; 32]);
        assert_ne!(one.keyed(b"a", b"x"), one.keyed(b"b", b"x"));
        assert_ne!(one.keyed(b"a", b"x"), Secret::new([2; 32]).keyed(b"a", b"x"));
        assert_eq!(format!("{one:?}"), "[redacted]");
    }
}
