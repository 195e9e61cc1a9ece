//! What a feed cursor has seen, the same for every store.

use tongban_core::id::CommitNo;
use tongban_core::port::{FeedCursor, FeedItem};

/// Tells whether entries of `item` lie after `cursor`. The cursor's own commit is shown again,
/// whole, while some of its entries are unseen.
pub(super) fn is_after(item: &FeedItem, cursor: FeedCursor) -> bool {
    let entries = (item.last.0 + 1).saturating_sub(item.first.0);
    item.commit > cursor.commit || (item.commit == cursor.commit && cursor.index < entries)
}

/// Tells whether a cursor cannot be continued: commits after it are dropped already (`floor` is
/// the newest dropped one), or it comes from a future that this store does not have.
pub(super) fn is_stale(cursor: FeedCursor, floor: CommitNo, newest: CommitNo) -> bool {
    let partly = cursor.commit == floor && floor > CommitNo(0) && cursor.index < u32::MAX;
    cursor.commit < floor || partly || cursor.commit > newest
}
