//! Timers: who is due, earliest first.

use super::StorePlace;
use super::sample::{Draft, case_id, nine_o_clock, timer_row};

/// Due cases come in the order of their due times, each once, and never one that is not due.
pub async fn due_cases_come_earliest_first(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(store.next_due().await, Ok(None));
    for (no, due) in [(1, 300), (2, 100), (3, 200), (4, 400)] {
        let draft = Draft::start(&*store, no).row(timer_row(due));
        draft.commit(&*store).await;
    }
    let second = Draft::go_on(&*store, 2, 2).row(timer_row(250));
    second.commit(&*store).await;
    let at = |millis| nine_o_clock().plus_millis(millis);
    assert_eq!(store.next_due().await, Ok(Some(at(100))));
    assert_eq!(store.due(at(99), 9).await, Ok(Vec::new()));
    let due = store.due(at(300), 9).await.expect("readable");
    assert_eq!(due, [case_id(2), case_id(3), case_id(1)]);
    let first = store.due(at(300), 1).await.expect("readable");
    assert_eq!(first, [case_id(2)]);
}

/// A timer that moved is due at its new time only.
pub async fn a_timer_that_moved_is_due_at_its_new_time(place: &dyn StorePlace) {
    let store = place.open();
    let draft = Draft::start(&*store, 1).row(timer_row(100));
    draft.commit(&*store).await;
    let moved = Draft::go_on(&*store, 1, 2).gone(timer_row(100));
    moved.row(timer_row(900)).commit(&*store).await;
    let at = |millis| nine_o_clock().plus_millis(millis);
    assert_eq!(store.due(at(899), 9).await, Ok(Vec::new()));
    assert_eq!(store.due(at(900), 9).await, Ok(vec![case_id(1)]));
    let both = Draft::go_on(&*store, 1, 3).gone(timer_row(900));
    both.row(timer_row(900)).commit(&*store).await;
    assert_eq!(store.next_due().await, Ok(Some(at(900))), "gone, then new");
}
