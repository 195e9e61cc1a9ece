//! Random operations on a store and on the reference end alike.
//!
//! Cases, rows, numbers and mutations are few, so that operations meet. After each operation the
//! outcomes are equal; after all of them everything that can be read is equal.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tongban_core::digest::Digest;
use tongban_core::id::{CommitNo, DepartmentCode, Seq};
use tongban_core::limits::{FEED_MILLIS, IDEMPOTENCY_MILLIS};
use tongban_core::port::{Commit, FeedCursor, Store};
use tongban_core::summary::{Along, IndexRow, RoleMatch, Search};

use super::sample::{
    Draft, case_id, mutation_key, nine_o_clock, number_row, queue_row, region, region_row,
    timer_row,
};
use super::{MemoryPlace, StorePlace};

const CASES: u32 = 4;
const RUNS: u32 = 16;
const HOUR: i64 = 3_600_000;

/// One operation of a random run.
#[derive(Clone, Debug)]
enum Operation {
    /// Appends to a case, perhaps on a stale head.
    Append(Append),
    /// Forgets what is past its time so many hours after nine o'clock.
    Forget(i64),
    /// Restarts both.
    Reopen,
}

#[derive(Clone, Debug)]
struct Append {
    case: u32,
    /// How far the expected head is behind the real one.
    behind: u32,
    sizes: Vec<usize>,
    new: Vec<IndexRow>,
    gone: Vec<IndexRow>,
    mutation: Option<u8>,
    /// Lawful time in hours after nine o'clock.
    hour: i64,
}

fn any_row() -> impl Strategy<Value = IndexRow> {
    let code = prop_oneof![Just("420302"), Just("420303"), Just("420300"), Just("420602")];
    let role = prop_oneof![
        Just("fire.window"),
        Just("fire.approver"),
        Just("housing.window"),
        Just("housing.approver"),
    ];
    prop_oneof![
        (code.clone(), role, 0..4_i64).prop_map(|(code, role, due)| queue_row(code, role, due)),
        code.clone().prop_map(region_row),
        code.clone().prop_map(|code| IndexRow::Incident { region: region(code) }),
        code.prop_map(|code| IndexRow::Department {
            department: DepartmentCode::new("fire"),
            region: region(code),
        }),
        (0..2_u8).prop_map(|who| IndexRow::Applicant { hash: Digest::of(&[who]) }),
        (0..3_u8).prop_map(|no| number_row(&format!("no-{no}"))),
        (0..4_i64).prop_map(timer_row),
        Just(IndexRow::Outbox),
    ]
}

fn any_append() -> impl Strategy<Value = Append> {
    let size = prop_oneof![4 => 0..400_usize, 2 => 400..3_000_usize, 1 => 3_900..9_000_usize];
    let behind = prop_oneof![6 => Just(0_u32), 1 => 1..3_u32];
    let rows = || prop::collection::vec(any_row(), 0..4);
    (
        0..CASES,
        behind,
        prop::collection::vec(size, 1..5),
        rows(),
        rows(),
        prop::option::weighted(0.4, 0..6_u8),
        0..400_i64,
    )
        .prop_map(|(case, behind, sizes, new, gone, mutation, hour)| Append {
            case,
            behind,
            sizes,
            new,
            gone,
            mutation,
            hour,
        })
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let spread = (FEED_MILLIS + IDEMPOTENCY_MILLIS) / HOUR;
    prop_oneof![
        20 => any_append().prop_map(Operation::Append),
        1 => (0..spread).prop_map(Operation::Forget),
        1 => Just(Operation::Reopen),
    ]
}

/// Checks that stores of fresh places behave like the reference.
pub fn check<P: StorePlace>(fresh: impl Fn() -> P) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a test may start threads");
    let config = Config { cases: RUNS, failure_persistence: None, ..Config::default() };
    let operations = prop::collection::vec(any_operation(), 1..50);
    TestRunner::new(config)
        .run(&operations, |operations| {
            runtime.block_on(compare(fresh(), operations));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

async fn compare<P: StorePlace>(place: P, operations: Vec<Operation>) {
    let reference_place = MemoryPlace::new();
    let mut store = place.open();
    let mut reference = reference_place.open();
    let mut heads = [0; CASES as usize];
    for operation in operations {
        match operation {
            Operation::Append(append) => {
                let commit = draft(&*store, &append, &heads).0;
                let head = commit.entries.last().map_or(0, |entry| entry.seq.0);
                let epoch = reference.identity().epoch;
                let same = Commit { epoch, ..commit.clone() };
                let outcome = store.append(commit).await;
                assert_eq!(outcome, reference.append(same).await);
                if outcome.is_ok() {
                    heads[append.case as usize] = head;
                }
            }
            Operation::Forget(hour) => {
                let now = nine_o_clock().plus_millis(hour * HOUR);
                assert_eq!(store.forget(now).await, reference.forget(now).await);
            }
            Operation::Reopen => {
                drop(store);
                store = place.open();
                reference = reference_place.open();
            }
        }
        assert_eq!(store.revision(), reference.revision());
    }
    same_cases(&*store, &*reference).await;
    same_rows(&*store, &*reference).await;
    same_feed(&*store, &*reference).await;
}

fn draft(store: &dyn Store, append: &Append, heads: &[u32]) -> Draft {
    let head = heads[append.case as usize].saturating_sub(append.behind);
    let mut draft = Draft::empty(append.case, Seq(head), store.identity().epoch);
    draft = draft.at(nine_o_clock().plus_millis(append.hour * HOUR));
    for size in &append.sizes {
        draft = draft.entry_of_size(*size);
    }
    draft.0.rows_new.clone_from(&append.new);
    draft.0.rows_gone.clone_from(&append.gone);
    match append.mutation {
        Some(no) => draft.remember(&format!("mutation {no}")),
        None => draft,
    }
}

async fn same_cases(store: &dyn Store, reference: &dyn Store) {
    for no in 0..CASES {
        let case = case_id(no);
        assert_eq!(store.load(case).await, reference.load(case).await);
        let at = case.created_at();
        assert_eq!(store.created_at(at).await, reference.created_at(at).await);
    }
    for no in 0..6 {
        let key = mutation_key(&format!("mutation {no}"));
        assert_eq!(store.remembered(key).await, reference.remembered(key).await);
    }
    for no in 0..3 {
        let number = format!("no-{no}");
        let found = store.by_number(number.clone()).await;
        assert_eq!(found, reference.by_number(number).await);
    }
    let prefix = || "no-".to_owned();
    let last = store.last_number(prefix()).await;
    assert_eq!(last, reference.last_number(prefix()).await);
}

async fn same_rows(store: &dyn Store, reference: &dyn Store) {
    assert_eq!(store.next_due().await, reference.next_due().await);
    for millis in 0..4 {
        let until = nine_o_clock().plus_millis(millis);
        let due = store.due(until, 9).await;
        assert_eq!(sorted(due), sorted(reference.due(until, 9).await));
    }
    assert_eq!(store.outbox(None, 9).await, reference.outbox(None, 9).await);
    for along in scopes() {
        let mut after = None;
        loop {
            let search =
                Search { along: along.clone(), states: [].into(), service: None, after, first: 2 };
            let page = store.search(search.clone()).await;
            assert_eq!(page, reference.search(search).await);
            after = page.expect("searches of few rows are within budget").next;
            if after.is_none() {
                break;
            }
        }
    }
}

/// Cases that are due at the same moment may come in any order.
fn sorted<T: Ord, E>(list: Result<Vec<T>, E>) -> Result<Vec<T>, E> {
    list.map(|mut list| {
        list.sort();
        list
    })
}

fn scopes() -> Vec<Along> {
    let mut scopes = Vec::new();
    let departments = |codes: &[&str]| {
        RoleMatch::Departments(codes.iter().copied().map(DepartmentCode::new).collect())
    };
    for code in ["420000", "420300", "420302", "420602"] {
        let region = region(code);
        scopes.push(Along::Region(region.clone()));
        scopes.push(Along::Incident(region.clone()));
        let fire = DepartmentCode::new("fire");
        scopes.push(Along::Department(fire, region.clone()));
        for roles in [RoleMatch::Windows, departments(&["fire"]), departments(&["fire", "housing"])]
        {
            let region = region.clone();
            scopes.push(Along::Queue { region, roles });
        }
    }
    scopes.extend((0..2_u8).map(|who| Along::Applicant(Digest::of(&[who]))));
    scopes
}

async fn same_feed(store: &dyn Store, reference: &dyn Store) {
    let newest = store.revision().0;
    for commit in 0..=newest + 1 {
        for index in [0, 1, u32::MAX] {
            let cursor = FeedCursor { commit: CommitNo(commit), index };
            let feed = store.feed(cursor, 5).await;
            assert_eq!(feed, reference.feed(cursor, 5).await);
        }
    }
}
