//! What checkers, backups and restores ask of a store, beside what running cases need of it.
//!
//! The log is the truth; summary, index rows and feed follow from it. So these calls walk over
//! everything that is stored, put derived data right, and fill a store from a backup. None of
//! them changes an entry.

use serde::{Deserialize, Serialize};

use super::{IdempotencyRecord, Later, Page, Store, StoreError};
use crate::agency::AgencyReply;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::id::{CallId, CaseId, CommitNo, Epoch, Generation, Seq};
use crate::summary::{CaseSummary, IndexRow};
use crate::time::Moment;

/// The store is one that was restored from a backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Restored {
    /// Newest commit of the backup. What another store had after it is lost here, though the
    /// agencies may have seen it.
    pub cut: CommitNo,
    /// When the restore was declared, by the wire clock.
    pub at: Moment,
}

/// An index row as it is filed, with the case that it leads to.
pub type FiledRow = (IndexRow, CaseId);

/// A remembered mutation, with the commit that wrote it.
pub type KeptMutation = (CommitNo, IdempotencyRecord);

/// Derived data of one case that is to be put right.
#[derive(Clone, Debug, PartialEq)]
pub struct Mend {
    /// The case.
    pub case: CaseId,
    /// Head that the case must have; `Seq(0)` when it does not exist and only rows name it.
    pub expected: Seq,
    /// Epoch of the owner.
    pub epoch: Epoch,
    /// The summary as it should be; `None` when it is right.
    pub summary: Option<CaseSummary>,
    /// Rows that should not be.
    pub rows_gone: Vec<IndexRow>,
    /// Rows that are missing.
    pub rows_new: Vec<IndexRow>,
}

/// A whole case of a backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Planted {
    /// The case.
    pub case: CaseId,
    /// Every entry, in order.
    pub entries: Vec<Entry>,
    /// The first entry of each commit that wrote some, in order; kept as they are.
    pub commits: Vec<(CommitNo, Seq)>,
    /// The read model.
    pub summary: CaseSummary,
    /// The index rows.
    pub rows: Vec<IndexRow>,
}

/// A case that came from another store, alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Foreign {
    /// The case.
    pub case: CaseId,
    /// Its own secret: digests in its log and ids of its calls are keyed by it.
    pub secret: Digest,
    /// Its head when it came. The other store may have gone on with it.
    pub head: Seq,
}

/// What makes a filled store one that was restored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Declared {
    /// Its generation, higher than that of the store the backup was taken from.
    pub generation: Generation,
    /// The restore.
    pub restored: Restored,
    /// How far the lawful clock is ahead of the wire clock, in milliseconds.
    pub clock_offset: i64,
}

/// A message of an agency about a call that the store does not know, or not yet again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParkedReply {
    /// The connector that it came through.
    pub connector: String,
    /// The message.
    pub reply: AgencyReply,
    /// When it came, by the lawful clock.
    pub at: Moment,
}

impl ParkedReply {
    /// Returns what tells it from every other.
    pub fn place(&self) -> ParkedPlace {
        (self.reply.call, self.reply.seq, self.connector.clone())
    }
}

/// Call, number of the message, connector.
pub type ParkedPlace = (CallId, u32, String);

/// Walking, mending, filling: a store as those who keep it see it.
pub trait Upkeep: Store {
    /// Returns the cases after `after`, in id order. A case that exists when the walk begins is
    /// met; one that begins meanwhile may be.
    fn cases(
        &self,
        after: Option<CaseId>,
        most: usize,
    ) -> Later<'_, Result<Vec<CaseId>, StoreError>>;

    /// Returns index rows as they are filed, in the store's own order. A row that cannot be read
    /// is [`StoreError::Damaged`].
    fn filed(
        &self,
        after: Option<Vec<u8>>,
        most: usize,
    ) -> Later<'_, Result<Page<FiledRow>, StoreError>>;

    /// Returns remembered mutations after `after`, in the order of their keys.
    fn mutations(
        &self,
        after: Option<Digest>,
        most: usize,
    ) -> Later<'_, Result<Vec<KeptMutation>, StoreError>>;

    /// Puts derived data of one case right, if its head is `mend.expected`: all or nothing, as an
    /// append. It writes no entry and takes no commit number.
    fn mend(&self, mend: Mend) -> Later<'_, Result<(), StoreError>>;

    /// Drops the whole feed; every cursor must resync from here on.
    fn begin_feed_anew(&self) -> Later<'_, Result<(), StoreError>>;

    /// Puts a whole case into a store that is being filled, under the commit numbers that it had.
    /// A case, number or commit that the store has already is a conflict.
    fn plant(&self, planted: Planted) -> Later<'_, Result<(), StoreError>>;

    /// Keeps mutations of a backup, as they were.
    fn keep_mutations(&self, kept: Vec<KeptMutation>) -> Later<'_, Result<(), StoreError>>;

    /// Keeps what belongs to a case that comes from another store; before its first commit.
    fn keep_foreign(&self, foreign: Foreign) -> Later<'_, Result<(), StoreError>>;

    /// Declares a filled store restored. Nothing of its feed is kept, commit numbers go on after
    /// the cut, and no epoch of the lost store comes again. Open the store anew afterwards.
    fn declare_restored(&self, declared: Declared) -> Later<'_, Result<(), StoreError>>;
}
