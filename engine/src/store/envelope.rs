//! What every stored value is wrapped in: a version byte, the id of its key, the payload.
//!
//! A payload that gets smaller by it is packed with LZ4 before it is sealed: journals repeat
//! codes and names, and a case's head record is written again with each of its commits.
//! The key id says which cipher opens the payload, so that ciphers can change while old records
//! stay readable. Key 0 is the null cipher. A record's place in the store goes into sealing and
//! opening: bytes that were moved elsewhere do not open there.

use std::borrow::Cow;

/// The payload as it is.
const PLAIN: u8 = 1;
/// The payload's length in four bytes, then the payload packed.
const PACKED: u8 = 2;
const HEADER: usize = 5;
/// Payloads below this are not worth packing.
const PACKING_BYTES_MIN: usize = 128;
/// No payload is larger; a length beyond it is damage.
const PAYLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;

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
    let packed = pack(payload);
    let (version, payload) = match &packed {
        Some(packed) => (PACKED, packed.as_slice()),
        None => (PLAIN, payload),
    };
    let mut record = Vec::with_capacity(payload.len() + OVERHEAD);
    record.push(version);
    record.extend_from_slice(&cipher.key_id().to_be_bytes());
    cipher.seal(place, payload, &mut record);
    record
}

/// Packs a payload; `None` when that would not make it smaller.
fn pack(payload: &[u8]) -> Option<Vec<u8>> {
    if !(PACKING_BYTES_MIN..=PAYLOAD_BYTES_MAX).contains(&payload.len()) {
        return None;
    }
    let packed = lz4_flex::block::compress_prepend_size(payload);
    (packed.len() < payload.len()).then_some(packed)
}

/// Unpacks what [`pack`] made; `None` when it is damaged.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (len, packed) = lz4_flex::block::uncompressed_size(packed).ok()?;
    if len > PAYLOAD_BYTES_MAX {
        return None;
    }
    lz4_flex::block::decompress(packed, len).ok()
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
    match *version {
        PLAIN => cipher.open(key_id, place, sealed),
        PACKED => Some(Cow::Owned(unpack(&cipher.open(key_id, place, sealed)?)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_packed_and_what_does_not_is_left() {
        let text = "natural-resources.issue_planning_permit ".repeat(20);
        let record = wrap(&NullCipher, b"place", text.as_bytes());
        assert!(record.len() < text.len() / 4, "{}", record.len());
        let opened = unwrap(&NullCipher, b"place", &record);
        assert_eq!(opened.as_deref(), Some(text.as_bytes()));
        assert_eq!(unwrap(&NullCipher, b"place", &record[..record.len() - 3]), None);
        let noise: Vec<u8> =
            (0..200_u32).map(|no| u8::try_from((no * no * 7 + no / 3) % 251).unwrap()).collect();
        let record = wrap(&NullCipher, b"place", &noise);
        assert_eq!(unwrap(&NullCipher, b"place", &record).as_deref(), Some(noise.as_slice()));
    }

    #[test]
    fn a_wrapped_payload_opens_and_foreign_bytes_do_not() {
        let record = wrap(&NullCipher, b"place", b"payload");
        assert_eq!(unwrap(&NullCipher, b"place", &record).as_deref(), Some(&b"payload"[..]));
        assert_eq!(unwrap(&NullCipher, b"place", b""), None);
        assert_eq!(unwrap(&NullCipher, b"place", &[9; 20]), None, "version");
        assert_eq!(unwrap(&NullCipher, b"place", &[PACKED, 0, 0, 0, 0, 255, 255, 255, 255]), None);
        let mut other_key = record;
        other_key[4] = 7;
        assert_eq!(unwrap(&NullCipher, b"place", &other_key), None, "key id");
    }
}
