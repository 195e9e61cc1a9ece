//! The manifest of a backup: written last, so that a folder without one is no backup.

use serde::{Deserialize, Serialize};

use super::segment::FileMark;

/// Name of the manifest in its folder.
pub(super) const MANIFEST: &str = "manifest.json";
/// What the manifest says that it is.
pub(super) const KIND: &str = "tongban-backup";
/// Version of the layout that this program writes, and the highest that it reads.
pub(super) const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `tongban-backup`.
    pub kind: String,
    /// Version of the layout.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// When it was begun, by the wire clock.
    pub taken_at: String,
    /// The cut: every commit up to this one is in it, none after.
    pub revision: u64,
    /// Generation of the store that it was taken from.
    pub generation: u32,
    /// How far the lawful clock was ahead of the wire clock, in milliseconds.
    pub clock_offset: i64,
    /// How much it holds.
    pub counts: Counts,
    /// The segments, in order.
    pub segments: Vec<FileMark>,
    /// Keys and documents beside them.
    pub others: Vec<FileMark>,
}

/// How much a backup holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Cases.
    pub cases: u64,
    /// Entries of their logs.
    pub entries: u64,
    /// Commits that wrote them.
    pub commits: u64,
    /// Remembered mutations.
    pub mutations: u64,
    /// Versions of scripts.
    pub closures: u64,
    /// Files of cases.
    pub files: u64,
    /// Bytes of those files.
    pub file_bytes: u64,
}
