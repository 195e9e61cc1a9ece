//! Fencing: an owner that was replaced cannot commit.

use tongban_core::port::StoreError;

use super::StorePlace;
use super::sample::Draft;

/// The epoch rises with every opening, and commits of earlier ones are refused.
pub async fn each_opening_fences_the_one_before(place: &dyn StorePlace) {
    let store = place.open();
    let first = store.identity();
    Draft::start(&*store, 1).commit(&*store).await;
    drop(store);
    let store = place.open();
    let second = store.identity();
    assert!(second.epoch > first.epoch);
    assert_eq!(second.secret, first.secret, "the store is the same");
    let mut late = Draft::go_on(&*store, 1, 2).0;
    late.epoch = first.epoch;
    assert_eq!(
        store.append(late).await,
        Err(StoreError::Fenced { ours: first.epoch, current: second.epoch })
    );
    Draft::go_on(&*store, 1, 2).commit(&*store).await;
}
