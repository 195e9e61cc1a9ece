//! Upkeep: everything stored is met by a walk, derived data is put right, a store is filled from
//! a backup. And parking, which a restored store needs.

use std::collections::BTreeSet;

use tongban_core::agency::{AgencyReply, ReplyBody};
use tongban_core::digest::Digest;
use tongban_core::id::{CallId, CaseId, CommitNo, Generation, Seq};
use tongban_core::port::{
    Declared, Feed, FeedCursor, FiledRow, Foreign, KeptMutation, Mend, ParkedReply, Planted,
    Restored, StoreError, Upkeep,
};
use tongban_core::request::{Outcome, OutcomeKind};
use tongban_core::summary::{CaseState, IndexRow};
use tongban_core::time::Moment;
use tongban_core::value::Value;

use super::rows::along_region;
use super::sample::{
    Draft, case_id, case_number, mutation_key, nine_o_clock, number_row, queue_row, region_row,
    summary, timer_row,
};
use super::{MemoryPlace, StorePlace, numbers, rows};

async fn walk_cases(store: &dyn Upkeep, step: usize) -> Vec<CaseId> {
    let mut all: Vec<CaseId> = Vec::new();
    loop {
        let page = store.cases(all.last().copied(), step).await.expect("readable");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

async fn walk_rows(store: &dyn Upkeep, step: usize) -> Vec<FiledRow> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = store.filed(after, step).await.expect("readable");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn walk_mutations(store: &dyn Upkeep, step: usize) -> Vec<KeptMutation> {
    let mut all: Vec<KeptMutation> = Vec::new();
    loop {
        let after = all.last().map(|(_, record)| record.key);
        let page = store.mutations(after, step).await.expect("readable");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// A walk meets every case once, in id order, whatever the step, and cases of many records too.
pub async fn a_walk_meets_every_case_once(place: &dyn StorePlace) {
    let store = place.open();
    for no in [4, 2, 5, 1, 3] {
        let draft = Draft::start(&*store, no).entry_of_size(3_900).entry_of_size(9_000);
        draft.entry_of_size(3_900).commit(&*store).await;
    }
    let wanted: Vec<CaseId> = (1..=5).map(case_id).collect();
    for step in [1, 2, 5, 9] {
        assert_eq!(walk_cases(&*store, step).await, wanted, "step {step}");
    }
}

/// A walk meets every index row of every family once, and no other record.
pub async fn a_walk_meets_every_index_row_once(place: &dyn StorePlace) {
    let store = place.open();
    let hash = Digest::of(b"applicant");
    let of_case = |no: u32| {
        vec![
            number_row(&case_number(no)),
            region_row("420302"),
            queue_row("420302", "fire.window", i64::from(no)),
            queue_row("420302", "fire.approver", i64::MAX),
            IndexRow::Department {
                department: tongban_core::id::DepartmentCode::new("fire"),
                region: super::sample::region("420302"),
            },
            IndexRow::Applicant { hash },
            timer_row(i64::from(no)),
            IndexRow::Outbox,
        ]
    };
    let mut wanted = BTreeSet::new();
    for no in 1..=3 {
        let mut draft = Draft::start(&*store, no).remember("start-of-").at(nine_o_clock());
        draft.0.idempotency[0].key = mutation_key(&no.to_string());
        draft.0.rows_new = of_case(no);
        draft.commit(&*store).await;
        wanted.extend(of_case(no).into_iter().map(|row| (row, case_id(no))));
    }
    for step in [1, 3, 100] {
        let met = walk_rows(&*store, step).await;
        assert_eq!(met.len(), wanted.len(), "step {step}");
        assert_eq!(met.into_iter().collect::<BTreeSet<_>>(), wanted, "step {step}");
    }
}

/// Every remembered mutation is met, with the commit that wrote it.
pub async fn a_walk_meets_every_mutation_with_its_commit(place: &dyn StorePlace) {
    let store = place.open();
    let mut wanted = BTreeSet::new();
    for no in 1..=4 {
        let name = format!("mutation {no}");
        let commit = Draft::start(&*store, no).remember(&name).commit(&*store).await;
        wanted.insert((commit, mutation_key(&name)));
    }
    for step in [1, 3, 9] {
        let met = walk_mutations(&*store, step).await;
        let met: BTreeSet<_> = met.iter().map(|(no, record)| (*no, record.key)).collect();
        assert_eq!(met, wanted, "step {step}");
    }
}

/// Mending replaces summary and rows at the head it names, and leaves log and numbering alone.
pub async fn mending_puts_derived_data_right_and_nothing_else(place: &dyn StorePlace) {
    let store = place.open();
    let wrong = queue_row("420302", "fire.approver", 100);
    let right = queue_row("420303", "housing.approver", 200);
    let draft = Draft::start(&*store, 1).row(wrong.clone()).row(region_row("420302"));
    let no = draft.commit(&*store).await;
    let before = store.load(case_id(1)).await.expect("readable").expect("there");
    let mend = |expected| Mend {
        case: case_id(1),
        expected: Seq(expected),
        epoch: store.identity().epoch,
        summary: Some(tongban_core::summary::CaseSummary {
            state: CaseState::Withdrawn,
            ..summary(1)
        }),
        rows_gone: vec![wrong.clone()],
        rows_new: vec![right.clone()],
    };
    let stale = store.mend(mend(1)).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })), "{stale:?}");
    assert_eq!(store.mend(mend(2)).await, Ok(()));
    let after = store.load(case_id(1)).await.expect("readable").expect("there");
    assert_eq!((after.entries, after.commits), (before.entries, before.commits));
    assert_eq!((after.revision, store.revision()), (no, no));
    assert_eq!(after.summary.state, CaseState::Withdrawn);
    assert_eq!(after.summary.revision, no);
    let found = rows::find(&*store, along_region("420302")).await;
    assert_eq!(found[0].state, CaseState::Withdrawn);
    let filed: BTreeSet<IndexRow> =
        walk_rows(&*store, 9).await.into_iter().map(|(row, _)| row).collect();
    assert!(filed.contains(&right) && !filed.contains(&wrong), "{filed:?}");
    Draft::go_on(&*store, 1, 2).commit(&*store).await;
}

/// Rows of a case that does not exist can be removed; a number is taken from its owner alone.
pub async fn rows_without_a_case_can_be_removed(place: &dyn StorePlace) {
    let store = place.open();
    let draft = Draft::start(&*store, 1).row(region_row("420302"));
    draft.commit(&*store).await;
    let orphan = Mend {
        case: case_id(2),
        expected: Seq(0),
        epoch: store.identity().epoch,
        summary: None,
        rows_gone: Vec::new(),
        rows_new: vec![region_row("420303"), IndexRow::Outbox],
    };
    assert_eq!(store.mend(orphan.clone()).await, Ok(()));
    assert_eq!(store.outbox(None, 9).await, Ok(vec![case_id(2)]));
    let gone = Mend {
        rows_gone: vec![region_row("420303"), IndexRow::Outbox, number_row(&case_number(1))],
        rows_new: Vec::new(),
        ..orphan
    };
    assert_eq!(store.mend(gone).await, Ok(()));
    assert_eq!(store.outbox(None, 9).await, Ok(Vec::new()));
    assert_eq!(store.by_number(case_number(1)).await, Ok(Some(case_id(1))));
    let mut fenced = Mend {
        case: case_id(1),
        expected: Seq(2),
        epoch: store.identity().epoch,
        summary: None,
        rows_gone: Vec::new(),
        rows_new: Vec::new(),
    };
    fenced.epoch.0 += 1;
    let fenced = store.mend(fenced).await;
    assert!(matches!(fenced, Err(StoreError::Fenced { .. })), "{fenced:?}");
}

/// A feed that begins anew makes every cursor resync, and tells what comes after.
pub async fn a_feed_that_begins_anew_makes_cursors_resync(place: &dyn StorePlace) {
    let store = place.open();
    for no in 1..=3 {
        Draft::start(&*store, no).commit(&*store).await;
    }
    assert_eq!(store.begin_feed_anew().await, Ok(()));
    let old = FeedCursor { commit: CommitNo(1), index: u32::MAX };
    assert_eq!(store.feed(old, 9).await, Ok(Feed::ResyncRequired(CommitNo(3))));
    Draft::start(&*store, 4).commit(&*store).await;
    let now = FeedCursor { commit: CommitNo(3), index: u32::MAX };
    let Ok(Feed::Items(items)) = store.feed(now, 9).await else { panic!("no items") };
    assert_eq!(items.len(), 1);
}

/// A store that is filled from another and declared restored holds the same cases under the same
/// commit numbers, goes on after the cut, and never reaches an epoch of the other again.
pub async fn a_planted_store_holds_what_the_other_held(place: &dyn StorePlace) {
    let other = MemoryPlace::new();
    let other = other.open();
    Draft::start(&*other, 1).entry_of_size(9_000).remember("one").commit(&*other).await;
    Draft::start(&*other, 2).row(timer_row(7)).row(region_row("420302")).commit(&*other).await;
    let last = Draft::go_on(&*other, 1, 3).entry_of_size(3_000).commit(&*other).await;
    let store = place.open();
    for case in walk_cases(&*other, 9).await.into_iter().rev() {
        let stored = other.load(case).await.expect("readable").expect("there");
        let rows = walk_rows(&*other, 9).await.into_iter().filter(|(_, of)| *of == case);
        let planted = Planted {
            case,
            entries: stored.entries,
            commits: stored.commits,
            summary: stored.summary,
            rows: rows.map(|(row, _)| row).collect(),
        };
        assert_eq!(store.plant(planted.clone()).await, Ok(()));
        let twice = store.plant(planted).await;
        assert!(matches!(twice, Err(StoreError::Conflict { .. })), "{twice:?}");
    }
    let mutations = walk_mutations(&*other, 9).await;
    assert_eq!(store.keep_mutations(mutations).await, Ok(()));
    let restored = Restored { cut: last, at: nine_o_clock() };
    let declared = Declared { generation: Generation(2), restored, clock_offset: 77 };
    assert_eq!(store.declare_restored(declared).await, Ok(()));
    let epoch = store.identity().epoch;
    drop(store);
    let store = place.open();
    let identity = store.identity();
    assert_eq!((identity.generation, identity.restored), (Generation(2), Some(restored)));
    assert_eq!(identity.clock_offset, 77);
    assert!(identity.epoch > epoch && identity.epoch > Generation(2).first_epoch());
    for no in [1, 2] {
        assert_eq!(store.load(case_id(no)).await, other.load(case_id(no)).await);
    }
    assert_eq!(store.revision(), last);
    assert_eq!(store.by_number(case_number(2)).await, Ok(Some(case_id(2))));
    assert_eq!(store.next_due().await, other.next_due().await);
    assert_eq!(numbers(&rows::find(&*store, along_region("420302")).await), [case_number(2)]);
    assert!(store.remembered(mutation_key("one")).await.expect("readable").is_some());
    let old = FeedCursor { commit: CommitNo(1), index: u32::MAX };
    assert_eq!(store.feed(old, 9).await, Ok(Feed::ResyncRequired(last)));
    let next = Draft::go_on(&*store, 1, 5).commit(&*store).await;
    assert_eq!(next, CommitNo(last.0 + 1));
}

fn parked(seq: u32, reason: &str) -> ParkedReply {
    let outcome =
        Outcome { kind: OutcomeKind::Rejected, reason: reason.to_owned(), detail: Value::Null };
    let reply = AgencyReply {
        call: CallId([4; 16]),
        seq,
        digest: Digest::of(reason.as_bytes()),
        at: Moment::default(),
        body: ReplyBody::Otherwise(outcome),
    };
    ParkedReply { connector: "land".to_owned(), reply, at: nine_o_clock() }
}

/// What is parked survives a restart, whatever its size, once; what is unparked is gone.
pub async fn parked_messages_survive_until_they_are_taken(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(store.parked().await, Ok(Vec::new()));
    let (small, large) = (parked(1, "缺件"), parked(2, &"长".repeat(30_000)));
    for message in [&large, &small, &small] {
        assert_eq!(store.park(message.clone()).await, Ok(()));
    }
    drop(store);
    let store = place.open();
    assert_eq!(store.parked().await, Ok(vec![small.clone(), large.clone()]));
    assert_eq!(store.unpark(large.place()).await, Ok(()));
    assert_eq!(store.unpark(large.place()).await, Ok(()), "twice is once");
    assert_eq!(store.parked().await, Ok(vec![small]));
}

/// What belongs to a case from another store survives a restart.
pub async fn what_came_from_elsewhere_is_known(place: &dyn StorePlace) {
    let store = place.open();
    let foreign = Foreign { case: case_id(1), secret: Digest::of(b"elsewhere"), head: Seq(9) };
    assert_eq!(store.keep_foreign(foreign).await, Ok(()));
    drop(store);
    assert_eq!(place.open().foreign().await, Ok(vec![foreign]));
}
