//! Idempotency: one mutation, one effect, for as long as it is remembered.

use tongban_core::command::Refusal;
use tongban_core::digest::Digest;
use tongban_core::limits::IDEMPOTENCY_MILLIS;
use tongban_core::port::{IdempotencyRecord, MutationEnd, StoreError};

use super::sample::{Draft, case_id, mutation_key, nine_o_clock};
use super::{StorePlace, race};

/// The second commit of a mutation is refused whole, with the record of the first.
pub async fn a_repeated_mutation_is_remembered_and_not_done_again(place: &dyn StorePlace) {
    let store = place.open();
    let draft = Draft::start(&*store, 1).remember("open");
    let record = draft.0.idempotency[0].clone();
    draft.commit(&*store).await;
    let again = Draft::start(&*store, 2).remember("open").0;
    let remembered = Err(StoreError::Remembered(record.clone()));
    assert_eq!(store.append(again).await, remembered);
    assert_eq!(store.load(case_id(2)).await, Ok(None));
    // The repetition of a mutation usually comes with a stale head: it must still be recognised.
    let stale = Draft::go_on(&*store, 1, 1).remember("open").0;
    let remembered = Err(StoreError::Remembered(record));
    assert_eq!(store.append(stale).await, remembered);
}

/// Of the same mutation sent many times at once, one is done and the others learn of it.
pub async fn of_equal_mutations_at_once_exactly_one_is_done(place: &dyn StorePlace) {
    let store = place.open();
    for round in 0..5 {
        let name = format!("round {round}");
        let commits =
            (0..8).map(|no| Draft::start(&*store, round * 8 + no).remember(&name).0).collect();
        let outcomes = race(&*store, commits);
        let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(done, 1, "{outcomes:?}");
        for outcome in &outcomes {
            assert!(matches!(outcome, Ok(_) | Err(StoreError::Remembered(_))));
        }
        let record = store.remembered(mutation_key(&name)).await;
        assert!(record.expect("readable").is_some());
    }
}

/// A record is kept for its time and may then be dropped; afterwards the key is free.
pub async fn a_mutation_is_forgotten_after_its_time(place: &dyn StorePlace) {
    let store = place.open();
    let draft = Draft::start(&*store, 1).remember("old");
    draft.commit(&*store).await;
    let kept_until = nine_o_clock().plus_millis(IDEMPOTENCY_MILLIS);
    let young = Draft::start(&*store, 2).at(kept_until).remember("young");
    young.commit(&*store).await;
    assert_eq!(store.forget(kept_until).await, Ok(0));
    assert_eq!(store.forget(kept_until.plus_millis(1)).await, Ok(1));
    assert_eq!(store.remembered(mutation_key("old")).await, Ok(None));
    let young = store.remembered(mutation_key("young")).await;
    assert!(young.expect("readable").is_some());
    let again = Draft::start(&*store, 3).remember("old");
    again.commit(&*store).await;
}

/// A mutation that commits to no case is remembered like one that does, and no case can take its
/// key.
pub async fn a_mutation_without_a_commit_is_remembered_too(place: &dyn StorePlace) {
    let store = place.open();
    Draft::start(&*store, 1).commit(&*store).await;
    let (revision, record) = (store.revision(), record("aside"));
    assert_eq!(store.remember(record.clone()).await, Ok(()));
    assert_eq!(store.revision(), revision, "it is no commit");
    let result = MutationEnd::Done(vec!["other".to_owned()]);
    let other = IdempotencyRecord { result, ..record.clone() };
    let remembered = StoreError::Remembered(record.clone());
    assert_eq!(store.remember(other).await, Err(remembered.clone()));
    let draft = Draft::start(&*store, 2).remember("aside").0;
    assert_eq!(store.append(draft).await, Err(remembered));
    drop(store);
    let store = place.open();
    assert_eq!(store.remembered(record.key).await, Ok(Some(record.clone())));
    let late = record.at.plus_millis(IDEMPOTENCY_MILLIS + 1);
    store.forget(late).await.expect("old records can be dropped");
    assert_eq!(store.remembered(record.key).await, Ok(None));
}

/// A refusal is remembered with its words, for a mutation of a case and for one of none, and keeps
/// its key like what was done.
pub async fn a_refused_mutation_is_remembered_with_its_answer(place: &dyn StorePlace) {
    let store = place.open();
    let refusal = Refusal {
        current: Some(3),
        ..Refusal::new("VERSION_CONFLICT", "已被修改", "changed").at(["expectedVersion"])
    };
    let refused = |name: &str, case| {
        let result = MutationEnd::refused(case, &refusal);
        IdempotencyRecord { result, ..record(name) }
    };
    let (aside, within) = (refused("aside", None), refused("within", Some(case_id(1))));
    assert_eq!(store.remember(aside.clone()).await, Ok(()));
    let mut draft = Draft::start(&*store, 1);
    draft.0.idempotency.push(within.clone());
    draft.commit(&*store).await;
    let late = Draft::start(&*store, 2).remember("within").0;
    assert_eq!(store.append(late).await, Err(StoreError::Remembered(within.clone())));
    drop(store);
    let store = place.open();
    for refused in [aside, within] {
        assert_eq!(store.remembered(refused.key).await, Ok(Some(refused)));
    }
}

fn record(name: &str) -> IdempotencyRecord {
    let result = MutationEnd::Done(vec!["one".to_owned(), "two".to_owned()]);
    let input = Digest::of(name.as_bytes());
    IdempotencyRecord { key: mutation_key(name), input, result, at: nine_o_clock() }
}
