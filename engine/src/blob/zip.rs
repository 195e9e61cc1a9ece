//! The names in a zip archive, read from its two ends without unpacking anything.
//!
//! The central directory at the end names every entry; of a very long one the newest names are
//! seen. The first entries are also named by their own headers at the beginning.

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// Bytes of the record that ends an archive, without its comment.
const END_BYTES: usize = 22;

/// Tells whether bytes begin as an archive with at least one entry does.
pub(super) fn begins(head: &[u8]) -> bool {
    head.starts_with(LOCAL)
}

/// Tells whether bytes end as an archive does: its last record, with a comment of the length
/// that it gives.
pub(super) fn is_whole(tail: &[u8]) -> bool {
    places(tail, END).any(|at| {
        number(tail, at + 20).is_some_and(|comment| at + END_BYTES + comment == tail.len())
    })
}

/// Returns the names that can be seen.
pub(super) fn names<'a>(head: &'a [u8], tail: &'a [u8]) -> Vec<&'a [u8]> {
    let central = places(tail, CENTRAL).filter_map(|at| name(tail, at + 28, at + 46));
    let local = places(head, LOCAL).filter_map(|at| name(head, at + 26, at + 30));
    central.chain(local).collect()
}

fn places<'a>(bytes: &'a [u8], signature: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = bytes.windows(signature.len()).enumerate();
    windows.filter(move |(_, window)| *window == signature).map(|(at, _)| at)
}

fn name(bytes: &[u8], length_at: usize, name_at: usize) -> Option<&[u8]> {
    bytes.get(name_at..name_at + number(bytes, length_at)?)
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let pair = bytes.get(at..at + 2)?;
    Some(usize::from(u16::from_le_bytes([pair[0], pair[1]])))
}
