//! Restarts: what was acknowledged is there.

use tongban_core::limits::{FEED_MILLIS, IDEMPOTENCY_MILLIS};
use tongban_core::summary::IndexRow;

use super::sample::{
    Draft, case_id, case_number, mutation_key, nine_o_clock, parked_case, region_row, timer_row,
};
use super::{StorePlace, numbers, rows};

/// Entries, rows, numbers, records and offsets are there after the store was opened again.
pub async fn what_was_committed_survives_a_restart(place: &dyn StorePlace) {
    let store = place.open();
    let mut draft = Draft::start(&*store, 1).remember("start");
    draft.0.entries = parked_case(1);
    let entries = draft.0.entries.clone();
    let head = u32::try_from(entries.len()).expect("few");
    let rows = draft.row(region_row("420302")).row(timer_row(50));
    rows.row(IndexRow::Outbox).commit(&*store).await;
    let last = Draft::go_on(&*store, 1, head).commit(&*store).await;
    let kept = store.keep_clock_offset(86_400_000).await;
    kept.expect("nothing is in the way");
    assert_eq!(store.identity().clock_offset, 86_400_000);
    drop(store);

    let store = place.open();
    assert_eq!(store.identity().clock_offset, 86_400_000);
    assert_eq!(store.revision(), last);
    let stored = store.load(case_id(1)).await.expect("readable");
    let stored = stored.expect("the case exists");
    assert!(stored.entries[..entries.len()] == entries);
    assert_eq!(stored.revision, last);
    assert_eq!(store.by_number(case_number(1)).await, Ok(Some(case_id(1))));
    let due = store.due(nine_o_clock().plus_millis(50), 9).await;
    assert_eq!(due, Ok(vec![case_id(1)]));
    assert_eq!(store.outbox(None, 9).await, Ok(vec![case_id(1)]));
    let found = rows::find(&*store, rows::along_region("420300")).await;
    assert_eq!(numbers(&found), [case_number(1)]);
    let remembered = store.remembered(mutation_key("start")).await;
    assert!(remembered.expect("readable").is_some());
    let next = Draft::start(&*store, 2).commit(&*store).await;
    assert_eq!(next.0, last.0 + 1);
}

/// Commit numbers never go back, even when nothing of the feed is left to count from.
pub async fn commit_numbers_go_on_after_the_feed_was_forgotten(place: &dyn StorePlace) {
    let store = place.open();
    Draft::start(&*store, 1).commit(&*store).await;
    let last = Draft::start(&*store, 2).commit(&*store).await;
    let much_later = nine_o_clock().plus_millis(FEED_MILLIS + IDEMPOTENCY_MILLIS);
    assert_eq!(store.forget(much_later).await, Ok(2));
    drop(store);
    let store = place.open();
    assert_eq!(store.revision(), last);
    let next = Draft::start(&*store, 3).commit(&*store).await;
    assert_eq!(next.0, last.0 + 1);
}
