//! Appending: all or nothing, on the expected head, one winner.

use tongban_core::id::{CommitNo, Seq};
use tongban_core::port::StoreError;

use super::sample::{Draft, case_id, case_number, nine_o_clock};
use super::{StorePlace, race};

/// Everything in a commit is seen after it, under one commit number.
pub async fn a_commit_is_seen_whole(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(store.load(case_id(1)).await, Ok(None));
    let draft = Draft::start(&*store, 1).remember("start");
    let entries = draft.0.entries.clone();
    let record = draft.0.idempotency[0].clone();
    let no = draft.commit(&*store).await;
    let stored = store.load(case_id(1)).await.expect("readable");
    let stored = stored.expect("the case exists");
    assert_eq!(stored.case, case_id(1));
    assert_eq!(stored.entries, entries);
    assert_eq!(stored.revision, no);
    assert_eq!(store.revision(), no);
    assert_eq!(store.by_number(case_number(1)).await, Ok(Some(case_id(1))));
    assert_eq!(store.remembered(record.key).await, Ok(Some(record)));
}

/// A commit that expects another head is a conflict that tells the head, and leaves no trace.
pub async fn a_commit_on_a_stale_head_changes_nothing(place: &dyn StorePlace) {
    let store = place.open();
    let no = Draft::start(&*store, 1).commit(&*store).await;
    for expected in [1, 3] {
        let stale = Draft::go_on(&*store, 1, expected).remember("stale");
        let key = stale.0.idempotency[0].key;
        assert_eq!(
            store.append(stale.0).await,
            Err(StoreError::Conflict {
                case: case_id(1),
                expected: Seq(expected),
                found: Some(Seq(2)),
            })
        );
        assert_eq!(store.remembered(key).await, Ok(None));
    }
    let stored = store.load(case_id(1)).await.expect("readable");
    let stored = stored.expect("the case exists");
    assert_eq!(stored.entries.len(), 2);
    assert_eq!((stored.revision, store.revision()), (no, no));
}

/// A case cannot be created twice.
pub async fn a_case_begins_once(place: &dyn StorePlace) {
    let store = place.open();
    Draft::start(&*store, 1).commit(&*store).await;
    assert_eq!(
        store.append(Draft::start(&*store, 1).0).await,
        Err(StoreError::Conflict { case: case_id(1), expected: Seq(0), found: Some(Seq(2)) })
    );
}

/// A later commit needs an earlier one.
pub async fn a_case_that_does_not_exist_cannot_go_on(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(
        store.append(Draft::go_on(&*store, 1, 2).0).await,
        Err(StoreError::Conflict { case: case_id(1), expected: Seq(2), found: None })
    );
    assert_eq!(store.load(case_id(1)).await, Ok(None));
}

/// Of commits with one expected head, made on many threads at once, exactly one wins.
pub async fn of_commits_with_one_head_exactly_one_wins(place: &dyn StorePlace) {
    let store = place.open();
    Draft::start(&*store, 1).commit(&*store).await;
    for head in 2..12 {
        let commits = (1..=8).map(|size| {
            let draft = Draft::empty(1, Seq(head), store.identity().epoch);
            draft.entry_of_size(size * 30).0
        });
        let commits: Vec<_> = commits.collect();
        let outcomes = race(&*store, commits.clone());
        let won: Vec<_> = (0..8).filter(|no| outcomes[*no].is_ok()).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        let stored = store.load(case_id(1)).await.expect("readable");
        let stored = stored.expect("the case exists");
        assert_eq!(stored.entries.last(), commits[won[0]].entries.last());
        assert_eq!(stored.entries.len(), head as usize + 1);
    }
}

/// Commits of different cases do not disturb each other, and each gets a number of its own.
pub async fn commits_of_many_cases_at_once_all_stand(place: &dyn StorePlace) {
    let store = place.open();
    let commits = (0..16).map(|no| Draft::start(&*store, no).0).collect();
    let mut numbers: Vec<CommitNo> = race(&*store, commits)
        .into_iter()
        .map(|outcome| outcome.expect("nothing is in the way").no)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=16).map(CommitNo).collect::<Vec<_>>());
    for no in 0..16 {
        assert!(store.load(case_id(no)).await.expect("readable").is_some());
    }
}

/// A journal of hundreds of entries reads back in order, whatever its layout on disk.
pub async fn a_long_journal_reads_back_in_order(place: &dyn StorePlace) {
    let store = place.open();
    let mut entries = Draft::start(&*store, 1).0.entries;
    Draft::start(&*store, 1).commit(&*store).await;
    let mut head = 2;
    for turn in 1_usize..=60 {
        let mut draft = Draft::empty(1, Seq(head), store.identity().epoch);
        for no in 0..turn % 7 {
            draft = draft.entry_of_size((turn * 37 + no * 101) % 900);
        }
        entries.extend(draft.0.entries.clone());
        head = entries.last().expect("two at least").seq.0;
        let no = draft.commit(&*store).await;
        let stored = store.load(case_id(1)).await.expect("readable");
        let stored = stored.expect("the case exists");
        assert!(stored.entries == entries, "after turn {turn}");
        assert_eq!(stored.revision, no);
    }
}

/// The time in an id leads to the case.
pub async fn cases_are_found_by_the_millisecond_of_their_creation(place: &dyn StorePlace) {
    let store = place.open();
    for no in [1, 2, 3] {
        // Enough to have more records than a head.
        let draft = Draft::start(&*store, no).entry_of_size(3_900);
        draft.entry_of_size(3_900).commit(&*store).await;
    }
    let at = nine_o_clock().plus_millis(2);
    assert_eq!(store.created_at(at).await, Ok(vec![case_id(2)]));
    let later = nine_o_clock().plus_millis(9);
    assert_eq!(store.created_at(later).await, Ok(Vec::new()));
}
