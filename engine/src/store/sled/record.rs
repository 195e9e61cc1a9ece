//! The records of a case: one head, and journal chunks sealed from its tail.
//!
//! The head record holds the head number, the summary and the newest entries together, because
//! fewer and larger records were the first thing that made commits fast. Its layout is fixed
//! and read in place, so that lists take the summary without touching an entry. When the tail
//! grows past its limit, it moves into numbered chunks; the newest chunk is filled up first.
//!
//! A journal is a row of *items*: kind, length, bytes. An item is an encoded entry, or the name
//! of a blob that holds it.

use tongban_core::digest::Digest;
use tongban_core::id::{CommitNo, Seq};
use tongban_core::limits::{RECORD_BYTES_MAX, RECORD_INLINE_BYTES_MAX};

use crate::store::envelope::OVERHEAD;

/// Bytes of journal that a head record carries before they are sealed.
pub(super) const TAIL_BYTES_MAX: usize = 3 * 1024;
/// Bytes of journal in one chunk.
pub(super) const CHUNK_BYTES_MAX: usize = RECORD_BYTES_MAX - OVERHEAD;
/// Bytes of a summary inside the head record; a larger one has records of its own.
pub(super) const SUMMARY_INLINE_BYTES_MAX: usize = 2 * 1024;

const HEAD_FIXED: usize = 4 + 8 + 4 + 4 + 4;
const ITEM_FIXED: usize = 3;
const ENTRY: u8 = 0;
const BLOB: u8 = 1;
/// A commit's number, before its entries.
const COMMIT: u8 = 2;

const _: () =
    assert!(HEAD_FIXED + SUMMARY_INLINE_BYTES_MAX + TAIL_BYTES_MAX + OVERHEAD <= RECORD_BYTES_MAX);
const _: () = assert!(ITEM_FIXED + RECORD_INLINE_BYTES_MAX <= CHUNK_BYTES_MAX);

/// What a head record says beside summary and tail.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct HeadFacts {
    /// Newest entry.
    pub(super) head: Seq,
    /// Commit that wrote it.
    pub(super) commit: CommitNo,
    /// How many chunks there are.
    pub(super) chunks: u32,
    /// How many records the summary has of its own; 0 when it is inside.
    pub(super) summary_parts: u32,
}

/// A head record, read in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// The numbers.
    pub(super) facts: HeadFacts,
    /// The encoded summary; empty when it has records of its own.
    pub(super) summary: &'a [u8],
    /// The newest items of the journal.
    pub(super) tail: &'a [u8],
}

impl<'a> Head<'a> {
    /// Reads a head record; `None` when the bytes are none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk()?;
        let (commit, rest) = rest.split_first_chunk()?;
        let (chunks, rest) = rest.split_first_chunk()?;
        let (summary_parts, rest) = rest.split_first_chunk()?;
        let (summary_len, rest) = rest.split_first_chunk()?;
        let summary_len = usize::try_from(u32::from_be_bytes(*summary_len)).ok()?;
        let (summary, tail) = rest.split_at_checked(summary_len)?;
        Some(Self {
            facts: HeadFacts {
                head: Seq(u32::from_be_bytes(*head)),
                commit: CommitNo(u64::from_be_bytes(*commit)),
                chunks: u32::from_be_bytes(*chunks),
                summary_parts: u32::from_be_bytes(*summary_parts),
            },
            summary,
            tail,
        })
    }

    /// Writes the record.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_FIXED + self.summary.len() + self.tail.len());
        bytes.extend_from_slice(&self.facts.head.0.to_be_bytes());
        bytes.extend_from_slice(&self.facts.commit.0.to_be_bytes());
        bytes.extend_from_slice(&self.facts.chunks.to_be_bytes());
        bytes.extend_from_slice(&self.facts.summary_parts.to_be_bytes());
        let summary_len = u32::try_from(self.summary.len()).expect("summaries are limited");
        bytes.extend_from_slice(&summary_len.to_be_bytes());
        bytes.extend_from_slice(self.summary);
        bytes.extend_from_slice(self.tail);
        bytes
    }
}

/// One item of a journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Item<'a> {
    /// An encoded entry.
    Entry(&'a [u8]),
    /// An entry in a blob.
    Blob(Digest),
    /// The entries from here on were written by this commit.
    Commit(CommitNo),
}

impl Item<'_> {
    /// Appends the item to a journal.
    pub(super) fn put(&self, journal: &mut Vec<u8>) {
        let number;
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Entry(bytes) => (ENTRY, bytes),
            Self::Blob(digest) => (BLOB, &digest.0),
            Self::Commit(no) => {
                number = no.0.to_be_bytes();
                (COMMIT, &number)
            }
        };
        let len = u16::try_from(bytes.len()).expect("larger entries go to blobs");
        journal.push(kind);
        journal.extend_from_slice(&len.to_be_bytes());
        journal.extend_from_slice(bytes);
    }
}

/// The items of a journal, with their bytes as stored; ends early at bytes that are no item.
pub(super) struct Items<'a> {
    rest: &'a [u8],
}

/// Returns the items of a piece of journal.
pub(super) fn items(journal: &[u8]) -> Items<'_> {
    Items { rest: journal }
}

impl<'a> Items<'a> {
    /// Tells whether bytes are left that are no item.
    pub(super) fn is_torn(&self) -> bool {
        !self.rest.is_empty() && self.clone_next().is_none()
    }

    fn clone_next(&self) -> Option<(Item<'a>, usize)> {
        let (fixed, rest) = self.rest.split_first_chunk::<ITEM_FIXED>()?;
        let len = usize::from(u16::from_be_bytes([fixed[1], fixed[2]]));
        let bytes = rest.get(..len)?;
        let item = match fixed[0] {
            ENTRY => Item::Entry(bytes),
            BLOB => Item::Blob(Digest(bytes.try_into().ok()?)),
            COMMIT => Item::Commit(CommitNo(u64::from_be_bytes(bytes.try_into().ok()?))),
            _ => return None,
        };
        Some((item, ITEM_FIXED + len))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = (Item<'a>, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let (item, len) = self.clone_next()?;
        self.rest = &self.rest[len..];
        Some((item, len))
    }
}

/// How a journal that outgrew its tail is laid out anew.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Sealed {
    /// The newest chunk, filled up, then further ones.
    pub(super) chunks: Vec<Vec<u8>>,
    /// What stays in the head record.
    pub(super) tail: Vec<u8>,
}

/// Moves a journal out of the tail: first into what room `newest` has, then into chunks of their
/// own, until at most half a tail is left.
pub(super) fn seal(newest: Vec<u8>, journal: &[u8]) -> Sealed {
    let mut chunks = vec![newest];
    let mut rest = journal;
    loop {
        let chunk = chunks.last_mut().expect("there is always one");
        let fits = fitting(rest, CHUNK_BYTES_MAX.saturating_sub(chunk.len()));
        let (sealed, left) = rest.split_at(fits);
        chunk.extend_from_slice(sealed);
        rest = left;
        if rest.len() <= TAIL_BYTES_MAX / 2 {
            break;
        }
        chunks.push(Vec::new());
    }
    Sealed { chunks, tail: rest.to_vec() }
}

/// Returns the length of the leading items that fit into `room`.
fn fitting(journal: &[u8], room: usize) -> usize {
    let mut fits = 0;
    for (_, len) in items(journal) {
        if fits + len > room {
            break;
        }
        fits += len;
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(lengths: &[usize]) -> Vec<u8> {
        let mut journal = Vec::new();
        for (no, len) in lengths.iter().enumerate() {
            let byte = u8::try_from(no % 251).expect("small");
            Item::Entry(&vec![byte; *len]).put(&mut journal);
        }
        journal
    }

    #[test]
    fn a_head_record_reads_back() {
        let tail = journal(&[3, 4]);
        let head = Head {
            facts: HeadFacts { head: Seq(9), commit: CommitNo(12), chunks: 2, summary_parts: 0 },
            summary: b"summary",
            tail: &tail,
        };
        let bytes = head.write();
        let read = Head::read(&bytes).unwrap();
        assert_eq!(read.facts, head.facts);
        assert_eq!((read.summary, read.tail), (head.summary, head.tail));
        assert!(Head::read(&bytes[..20]).is_none());
    }

    #[test]
    fn items_read_back_and_torn_ones_show() {
        let mut journal = journal(&[1, 0]);
        Item::Blob(Digest([7; 32])).put(&mut journal);
        let kinds: Vec<_> = items(&journal).map(|(item, _)| item).collect();
        assert_eq!(kinds, [Item::Entry(&[0]), Item::Entry(&[]), Item::Blob(Digest([7; 32]))]);
        let mut torn = items(&journal[..journal.len() - 1]);
        assert_eq!(torn.by_ref().count(), 2);
        assert!(torn.is_torn());
    }

    #[test]
    fn sealing_fills_the_newest_chunk_and_loses_nothing() {
        let old = journal(&[1_000; 5]);
        let new = journal(&[700; 30]);
        let sealed = seal(old.clone(), &new);
        let joined = [sealed.chunks.concat(), sealed.tail.clone()].concat();
        assert_eq!(joined, [old, new].concat());
        assert!(sealed.chunks[0].len() > CHUNK_BYTES_MAX - 703);
        for chunk in &sealed.chunks {
            assert!(chunk.len() <= CHUNK_BYTES_MAX);
        }
        assert!(sealed.tail.len() <= TAIL_BYTES_MAX / 2);
    }

    #[test]
    fn the_largest_inline_entry_is_sealed_at_once() {
        let sealed = seal(Vec::new(), &journal(&[RECORD_INLINE_BYTES_MAX]));
        assert_eq!(sealed.chunks.len(), 1);
        assert!(sealed.tail.is_empty());
    }
}
