//! The form on disk: a version byte, then postcard.
//!
//! Entries are their own wire form. Golden files hold the bytes of every released form; when one
//! changes, the old types move here under their version and convert on reading.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version that is written.
pub const VERSION: u8 = 1;

/// Bytes that are not a record of a known version.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WireError {
    /// Nothing there.
    #[error("the record is empty")]
    Empty,
    /// Written by a newer program.
    #[error("the record has version {0}, this program reads up to {VERSION}")]
    Version(u8),
    /// Not decodable.
    #[error("the record cannot be decoded: {0}")]
    Form(postcard::Error),
}

/// Writes a record.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![VERSION]).expect("memory is the only limit of a buffer")
}

/// Reads a record.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    match bytes.split_first() {
        None => Err(WireError::Empty),
        Some((&VERSION, body)) => postcard::from_bytes(body).map_err(WireError::Form),
        Some((version, _)) => Err(WireError::Version(*version)),
    }
}
