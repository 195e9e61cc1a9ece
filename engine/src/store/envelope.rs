//! What every stored value is wrapped in: a version byte, the id of its key, the payload.
//!
//! The key id says which cipher opens the payload, so that ciphers can change while old records
//! stay readable. Key 0 is the null cipher. A record's place in the store goes into sealing and
//! opening: bytes that were moved elsewhere do not open there.

use std::borrow::Cow;

const VERSION: u8 = 1;
const HEADER: usize = 5;

/// Bytes that wrapping may add to a payload, with room for a cipher's nonce and tag.
pub(super) const OVERHEAD: usize = 64;

/// Turns payloads into what is stored, and back.
pub(super) trait Cipher: Send + Sync {
    /// Returns the id of the key that it seals with.
    fn key_id(&self) -> u32;

    /// Appends the sealed payload to `record`.
    fn seal(&self, place: &[u8], payload: &[u8], record: &mut Vec<u8>);

    /// Opens a payload that was sealed with the key `key_id`; `None` when it does not open.
    fn open<'a>(&self, key_id: u32, place: &[u8], sealed: &'a [u8]) -> Option<Cow<'a, [u8]>>;
}

/// The cipher of key 0: payloads are stored as they are.
pub(super) struct NullCipher;

impl Cipher for NullCipher {
    fn key_id(&self) -> u32 {
        0
    }

    fn seal(&self, _place: &[u8], payload: &[u8], record: &mut Vec<u8>) {
        record.extend_from_slice(payload);
    }

    fn open<'a>(&self, key_id: u32, _place: &[u8], sealed: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        (key_id == 0).then_some(Cow::Borrowed(sealed))
    }
}

/// Wraps a payload that is stored at `place`.
pub(super) fn wrap(cipher: &dyn Cipher, place: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(payload.len() + OVERHEAD);
    record.push(VERSION);
    record.extend_from_slice(&cipher.key_id().to_be_bytes());
    cipher.seal(place, payload, &mut record);
    record
}

/// Opens what [`wrap`] made at the same place; `None` when it is none of ours.
pub(super) fn unwrap<'a>(
    cipher: &dyn Cipher,
    place: &[u8],
    record: &'a [u8],
) -> Option<Cow<'a, [u8]>> {
    let (header, sealed) = record.split_at_checked(HEADER)?;
    let (version, key_id) = header.split_first()?;
    let key_id = u32::from_be_bytes(key_id.try_into().ok()?);
    if *version != VERSION {
        return None;
    }
    cipher.open(key_id, place, sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_payload_opens_and_foreign_bytes_do_not() {
        let record = wrap(&NullCipher, b"place", b"payload");
        assert_eq!(unwrap(&NullCipher, b"place", &record).as_deref(), Some(&b"payload"[..]));
        assert_eq!(unwrap(&NullCipher, b"place", b""), None);
        assert_eq!(unwrap(&NullCipher, b"place", &[9; 20]), None, "version");
        let mut other_key = record;
        other_key[4] = 7;
        assert_eq!(unwrap(&NullCipher, b"place", &other_key), None, "key id");
    }
}
