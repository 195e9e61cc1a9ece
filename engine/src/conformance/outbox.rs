//! The outbox: cases whose calls are not over.

use tongban_core::summary::IndexRow;

use super::StorePlace;
use super::sample::{Draft, case_id};

/// Pages follow the order of ids and leave nobody out; a case without calls is not in it.
pub async fn the_outbox_is_paged_in_case_order(place: &dyn StorePlace) {
    let store = place.open();
    for no in [4, 2, 5, 1, 3] {
        let draft = Draft::start(&*store, no).row(IndexRow::Outbox);
        draft.commit(&*store).await;
    }
    let over = Draft::go_on(&*store, 3, 2).gone(IndexRow::Outbox);
    over.commit(&*store).await;
    let first = store.outbox(None, 2).await.expect("readable");
    assert_eq!(first, [case_id(1), case_id(2)]);
    let rest = store.outbox(Some(case_id(2)), 9).await;
    assert_eq!(rest, Ok(vec![case_id(4), case_id(5)]));
    let between = store.outbox(Some(case_id(3)), 1).await;
    assert_eq!(between, Ok(vec![case_id(4)]));
    assert_eq!(store.outbox(Some(case_id(5)), 9).await, Ok(Vec::new()));
}
