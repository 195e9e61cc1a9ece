//! Public numbers: unique over the store, and findable.

use tongban_core::port::StoreError;

use super::sample::{Draft, case_id, case_number, number_row};
use super::{StorePlace, race};

/// A number that another case has cannot be taken, not even at the same moment.
pub async fn a_number_belongs_to_one_case(place: &dyn StorePlace) {
    let store = place.open();
    Draft::start(&*store, 1).commit(&*store).await;
    let thief = Draft::start(&*store, 2).row(number_row(&case_number(1))).0;
    let taken = Err(StoreError::NumberTaken(case_number(1)));
    assert_eq!(store.append(thief).await, taken);
    assert_eq!(store.load(case_id(2)).await, Ok(None));
    assert_eq!(store.by_number(case_number(2)).await, Ok(None));
    let own = Draft::go_on(&*store, 1, 2).row(number_row(&case_number(1)));
    own.commit(&*store).await;
    let commits =
        (10..18).map(|no| Draft::start(&*store, no).row(number_row("420302-X")).0).collect();
    let outcomes = race(&*store, commits);
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(won, 1, "{outcomes:?}");
}

/// Only its owner gives a number back; then another case may take it.
pub async fn a_number_that_was_given_back_is_free(place: &dyn StorePlace) {
    let store = place.open();
    Draft::start(&*store, 1).commit(&*store).await;
    let number = number_row(&case_number(1));
    let stranger = Draft::start(&*store, 2).gone(number.clone());
    stranger.commit(&*store).await;
    let found = store.by_number(case_number(1)).await;
    assert_eq!(found, Ok(Some(case_id(1))), "a stranger cannot give it back");
    let owner = Draft::go_on(&*store, 1, 2).gone(number.clone());
    owner.commit(&*store).await;
    assert_eq!(store.by_number(case_number(1)).await, Ok(None));
    let taker = Draft::go_on(&*store, 2, 2).row(number);
    taker.commit(&*store).await;
    let found = store.by_number(case_number(1)).await;
    assert_eq!(found, Ok(Some(case_id(2))));
}

/// Numbers of a day go on after the largest one.
pub async fn the_last_number_of_a_prefix_is_the_largest(place: &dyn StorePlace) {
    let store = place.open();
    let today = || "420302-20260302-".to_owned();
    assert_eq!(store.last_number(today()).await, Ok(None));
    for no in [2, 11, 3] {
        Draft::start(&*store, no).commit(&*store).await;
    }
    let other_day = Draft::start(&*store, 1).row(number_row("420302-20260303-000009"));
    other_day.commit(&*store).await;
    let last = store.last_number(today()).await;
    assert_eq!(last, Ok(Some(case_number(11))));
    let none = store.last_number("420303-".to_owned()).await;
    assert_eq!(none, Ok(None));
}
