//! Appending: all or nothing, on the expected head, one winner.

use std::sync::atomic::{AtomicBool, Ordering};

use tongban_core::id::{CommitNo, Seq};
use tongban_core::port::{Store, StoreError};
use tongban_core::summary::CaseState;

use super::rows::{along_region, find};
use super::sample::{
    Draft, case_id, case_number, mutation_key, nine_o_clock, region_row, timer_row,
};
use super::{StorePlace, race};

/// Everything in a commit is seen after it, under one commit number: entries, summary, index
/// rows that come and go, number, and the remembered mutation.
pub async fn a_commit_is_seen_whole(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(store.load(case_id(1)).await, Ok(None));
    let draft = Draft::start(&*store, 1).row(region_row("420302")).row(timer_row(100));
    let first = draft.remember("start");
    first.clone().commit(&*store).await;
    let moved = Draft::go_on(&*store, 1, 2).gone(timer_row(100)).row(timer_row(900));
    let second = moved.state(CaseState::Withdrawn).remember("withdraw");
    let no = second.clone().commit(&*store).await;
    let stored = store.load(case_id(1)).await.expect("readable");
    let stored = stored.expect("the case exists");
    assert_eq!(stored.case, case_id(1));
    assert_eq!(stored.entries, [first.0.entries, second.0.entries].concat());
    assert_eq!(stored.summary.state, CaseState::Withdrawn);
    assert_eq!((stored.revision, store.revision()), (no, no));
    let listed = find(&*store, along_region("420302")).await;
    assert_eq!(listed, [stored.summary], "lists show what the case is");
    assert_eq!(store.next_due().await, Ok(Some(nine_o_clock().plus_millis(900))));
    assert_eq!(store.by_number(case_number(1)).await, Ok(Some(case_id(1))));
    for record in [&first.0.idempotency[0], &second.0.idempotency[0]] {
        assert_eq!(store.remembered(record.key).await, Ok(Some(record.clone())));
    }
}

/// Cases that are begun while others read.
const READ_BESIDE: u32 = 400;
/// Those who read.
const READERS: usize = 3;

/// Whoever reads beside a commit sees all of it or nothing, whichever part he reads first.
pub async fn who_reads_beside_a_commit_sees_it_whole_or_not_at_all(place: &dyn StorePlace) {
    let store = place.open();
    let over = AtomicBool::new(false);
    let read = async || {
        for pair in 0.. {
            if over.load(Ordering::Relaxed) {
                return;
            }
            // Every ordered pair of two parts.
            let (first, more) = (pair % Part::ALL.len(), pair / Part::ALL.len());
            let second = (first + 1 + more % (Part::ALL.len() - 1)) % Part::ALL.len();
            must_be_whole(&*store, (Part::ALL[first], Part::ALL[second])).await;
        }
    };
    let write = async || {
        for no in 1..=READ_BESIDE {
            let draft = Draft::start(&*store, no).row(region_row(&own_region(no)));
            let draft = draft.row(timer_row(own_due(no))).remember(&case_number(no));
            draft.commit(&*store).await;
        }
    };
    std::thread::scope(|scope| {
        let readers = [(); READERS].map(|()| scope.spawn(|| runtime().block_on(read())));
        let written = scope.spawn(|| runtime().block_on(write())).join();
        over.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().expect("what was read was whole");
        }
        written.expect("every commit stands");
    });
    assert_eq!(store.next_due().await, Ok(Some(nine_o_clock())), "the last one is due first");
}

fn runtime() -> tokio::runtime::Runtime {
    let built = tokio::runtime::Builder::new_current_thread().build();
    built.expect("a test may start a runtime")
}

/// What belongs to one commit.
#[derive(Clone, Copy, Debug)]
enum Part {
    Log,
    Number,
    Region,
    Timer,
    Mutation,
}

impl Part {
    const ALL: [Self; 5] = [Self::Log, Self::Number, Self::Region, Self::Timer, Self::Mutation];

    async fn is_seen(self, store: &dyn Store, no: u32) -> bool {
        match self {
            Self::Log => store.load(case_id(no)).await.expect("readable").is_some(),
            Self::Number => store.by_number(case_number(no)).await.expect("readable").is_some(),
            Self::Region => !find(store, along_region(&own_region(no))).await.is_empty(),
            Self::Timer => {
                let until = nine_o_clock().plus_millis(own_due(no));
                store.due(until, usize::MAX).await.expect("readable").contains(&case_id(no))
            }
            Self::Mutation => {
                let known = store.remembered(mutation_key(&case_number(no))).await;
                known.expect("readable").is_some()
            }
        }
    }
}

fn own_region(no: u32) -> String {
    format!("420302{no:03}")
}

/// Later cases are due earlier, so that a search for what is due stays short.
fn own_due(no: u32) -> i64 {
    i64::from(READ_BESIDE - no)
}

/// Looks for two parts of the commit that comes next, the one after the other.
async fn must_be_whole(store: &dyn Store, (first, second): (Part, Part)) {
    let no = u32::try_from(store.revision().0 + 1).expect("there are few").min(READ_BESIDE);
    if first.is_seen(store, no).await {
        let whole = second.is_seen(store, no).await;
        assert!(whole, "case {no} is seen by its {first:?} and not by its {second:?}");
    }
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
