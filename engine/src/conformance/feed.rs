//! The feed: every commit, in order, from any cursor it still covers.

use tongban_core::id::{CommitNo, Seq};
use tongban_core::limits::FEED_MILLIS;
use tongban_core::port::{Feed, FeedCursor, FeedItem, Store};

use super::StorePlace;
use super::sample::{Draft, case_id, nine_o_clock};

fn cursor(commit: u64, index: u32) -> FeedCursor {
    FeedCursor { commit: CommitNo(commit), index }
}

async fn items(store: &dyn Store, cursor: FeedCursor, most: usize) -> Vec<FeedItem> {
    match store.feed(cursor, most).await {
        Ok(Feed::Items(items)) => items,
        other => panic!("expected items after {cursor:?}, got {other:?}"),
    }
}

/// Each commit is one item with the entries that it wrote.
pub async fn the_feed_tells_every_commit_in_order(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(items(&*store, FeedCursor::default(), 9).await, []);
    Draft::start(&*store, 1).commit(&*store).await;
    Draft::start(&*store, 2).commit(&*store).await;
    let third = Draft::go_on(&*store, 1, 2).entry_of_size(10);
    third.commit(&*store).await;
    let item = |commit, case, first, last| FeedItem {
        commit: CommitNo(commit),
        case: case_id(case),
        first: Seq(first),
        last: Seq(last),
    };
    let all = [item(1, 1, 1, 2), item(2, 2, 1, 2), item(3, 1, 3, 4)];
    assert_eq!(items(&*store, FeedCursor::default(), 9).await, all);
    assert_eq!(items(&*store, FeedCursor::default(), 2).await, all[..2]);
    assert_eq!(items(&*store, cursor(1, u32::MAX), 9).await, all[1..]);
    assert_eq!(items(&*store, cursor(3, u32::MAX), 9).await, []);
    drop(store);
    let store = place.open();
    assert_eq!(items(&*store, cursor(1, u32::MAX), 9).await, all[1..]);
}

/// A cursor that has not seen all entries of its commit gets this commit first, whole.
pub async fn a_cursor_inside_a_commit_sees_that_commit_again(place: &dyn StorePlace) {
    let store = place.open();
    Draft::start(&*store, 1).commit(&*store).await;
    Draft::go_on(&*store, 1, 2).commit(&*store).await;
    for (index, begins_at) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
        let items = items(&*store, cursor(1, index), 9).await;
        assert_eq!(items[0].commit, CommitNo(begins_at), "index {index}");
        assert_eq!(items.len(), if begins_at == 1 { 2 } else { 1 });
    }
}

/// What the feed has dropped cannot be told; the subscriber begins anew at the revision.
pub async fn a_cursor_older_than_the_feed_must_resync(place: &dyn StorePlace) {
    let store = place.open();
    for no in 1..=3 {
        let draft = Draft::start(&*store, no);
        let day = i64::from(no) * 24 * 3_600_000;
        draft.at(nine_o_clock().plus_millis(day)).commit(&*store).await;
    }
    let now = nine_o_clock().plus_millis(FEED_MILLIS + 2 * 24 * 3_600_000 + 1);
    assert_eq!(store.forget(now).await, Ok(2));
    assert_eq!(store.forget(now).await, Ok(0), "twice is once");
    for stale in [FeedCursor::default(), cursor(1, u32::MAX), cursor(2, 0)] {
        assert_eq!(store.feed(stale, 9).await, Ok(Feed::ResyncRequired(CommitNo(3))), "{stale:?}");
    }
    assert_eq!(items(&*store, cursor(2, u32::MAX), 9).await.len(), 1);
}

/// A commit number that the store has not reached belongs to another store, or to a past that a
/// restored backup does not have.
pub async fn a_cursor_from_another_future_must_resync(place: &dyn StorePlace) {
    let store = place.open();
    Draft::start(&*store, 1).commit(&*store).await;
    assert_eq!(store.feed(cursor(2, 0), 9).await, Ok(Feed::ResyncRequired(CommitNo(1))));
}
