//! What every store demands of a commit before it looks at anything stored.
//!
//! Sizes are refused as errors, because they come from outside; wrong numbering is a bug of the
//! caller and stops it. The entries are encoded here, on the caller's thread, once.

use tongban_core::id::Seq;
use tongban_core::limits::{
    CASE_TASKS_MAX, NAME_BYTES_MAX, RECORD_INLINE_BYTES_MAX, TITLE_BYTES_MAX, VALUE_BYTES_MAX,
};
use tongban_core::port::{Commit, Planted, StoreError};
use tongban_core::summary::{CaseSummary, IndexRow};
use tongban_core::wire;

/// Bytes of one encoded entry: a case start holds answers, form and names together.
pub(super) const ENTRY_BYTES_MAX: usize = 4 * VALUE_BYTES_MAX;
/// Bytes of an encoded summary: 128 matters with long names, and all the tasks that a case may
/// have open, with long titles, roles and places.
pub(super) const SUMMARY_BYTES_MAX: usize =
    96 * 1024 + CASE_TASKS_MAX * (TITLE_BYTES_MAX + 2 * NAME_BYTES_MAX);
/// Bytes of one text in an index key.
const KEY_TEXT_BYTES_MAX: usize = NAME_BYTES_MAX;

/// The encoded parts of a commit.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "sled"),
    expect(dead_code, reason = "the reference store keeps values as they are")
)]
pub(super) struct Encoded {
    /// The entries, in order.
    pub(super) entries: Vec<Vec<u8>>,
    /// The summary.
    pub(super) summary: Vec<u8>,
    /// The idempotency records, in the order of the commit.
    pub(super) idempotency: Vec<Vec<u8>>,
}

/// Encodes a commit and checks its sizes.
///
/// # Panics
///
/// When the entries are not numbered from `expected` on, or a case would begin without one.
pub(super) fn encode(commit: &Commit) -> Result<Encoded, StoreError> {
    check_numbering(commit);
    check_rows(commit.rows_gone.iter().chain(&commit.rows_new))?;
    let entries = commit
        .entries
        .iter()
        .map(|entry| sized("entry", ENTRY_BYTES_MAX, wire::encode(entry)))
        .collect::<Result<_, _>>()?;
    let idempotency = commit
        .idempotency
        .iter()
        .map(|record| sized("idempotency record", RECORD_INLINE_BYTES_MAX, wire::encode(record)))
        .collect::<Result<_, _>>()?;
    Ok(Encoded { entries, summary: encode_summary(&commit.summary)?, idempotency })
}

/// Encodes entries and summary of a case of a backup and checks their sizes.
///
/// # Panics
///
/// When its entries are not numbered from the first on, or its commits do not begin with it.
pub(super) fn encode_planted(planted: &Planted) -> Result<Encoded, StoreError> {
    let in_order = (1..).map(Seq).zip(&planted.entries).all(|(seq, entry)| entry.seq == seq);
    let first = planted.commits.first().map(|(_, seq)| *seq);
    assert!(
        in_order && first == Some(Seq(1)) && !planted.entries.is_empty(),
        "the log of {} does not begin with its first entry, or has a gap",
        planted.case
    );
    check_rows(planted.rows.iter())?;
    let entries = planted.entries.iter();
    Ok(Encoded {
        entries: entries
            .map(|entry| sized("entry", ENTRY_BYTES_MAX, wire::encode(entry)))
            .collect::<Result<_, _>>()?,
        summary: encode_summary(&planted.summary)?,
        idempotency: Vec::new(),
    })
}

/// Encodes a summary and checks its size.
pub(super) fn encode_summary(summary: &CaseSummary) -> Result<Vec<u8>, StoreError> {
    sized("summary", SUMMARY_BYTES_MAX, wire::encode(summary))
}

fn check_numbering(commit: &Commit) {
    assert!(
        commit.expected > Seq(0) || !commit.entries.is_empty(),
        "case {} would begin without an entry",
        commit.case
    );
    let mut expected = commit.expected;
    for entry in &commit.entries {
        expected = expected.next();
        assert_eq!(
            entry.seq, expected,
            "entries of {} are not numbered from the expected head on",
            commit.case
        );
    }
}

fn check_rows<'a>(rows: impl Iterator<Item = &'a IndexRow>) -> Result<(), StoreError> {
    for row in rows {
        let texts: [&str; 2] = match row {
            IndexRow::Queue { region, role, .. } => [region.as_str(), role.as_str()],
            IndexRow::Region { region } | IndexRow::Incident { region } => [region.as_str(), ""],
            IndexRow::Department { department, region } => [department.as_str(), region.as_str()],
            IndexRow::Number { number } => [number, ""],
            IndexRow::Applicant { .. } | IndexRow::Timer { .. } | IndexRow::Outbox => continue,
        };
        for text in texts {
            within("index key", KEY_TEXT_BYTES_MAX, text.len())?;
        }
    }
    Ok(())
}

fn sized(what: &str, most: usize, bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    within(what, most, bytes.len())?;
    Ok(bytes)
}

fn within(what: &str, most: usize, bytes: usize) -> Result<(), StoreError> {
    if bytes > most {
        return Err(StoreError::TooLarge { what: what.to_owned(), bytes });
    }
    Ok(())
}
