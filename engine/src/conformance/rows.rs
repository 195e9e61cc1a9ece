//! Index rows and searches: scope in the key, order, pages, filters, budget.

use std::collections::BTreeSet;

use tongban_core::digest::Digest;
use tongban_core::id::{DepartmentCode, Seq, ServiceCode};
use tongban_core::limits::SCAN_BUDGET;
use tongban_core::port::{Store, StoreError};
use tongban_core::summary::{Along, CaseState, CaseSummary, IndexRow, RoleMatch, Search};

use super::sample::{Draft, case_number, nine_o_clock, queue_row, region, region_row};
use super::{StorePlace, numbers};

/// Returns the scope of a region.
pub fn along_region(code: &str) -> Along {
    Along::Region(region(code))
}

fn along_queue(code: &str, roles: RoleMatch) -> Along {
    Along::Queue { region: region(code), roles }
}

fn departments<const N: usize>(codes: [&str; N]) -> RoleMatch {
    RoleMatch::Departments(codes.map(DepartmentCode::new).into())
}

fn search(along: Along) -> Search {
    Search { along, states: BTreeSet::new(), service: None, after: None, first: 100 }
}

/// Returns everything along one scope.
pub async fn find(store: &dyn Store, along: Along) -> Vec<CaseSummary> {
    let page = store.search(search(along)).await.expect("readable");
    assert_eq!(page.next, None);
    page.items
}

fn of(nos: &[u32]) -> Vec<String> {
    nos.iter().map(|no| case_number(*no)).collect()
}

async fn start_in(store: &dyn Store, no: u32, code: &str) {
    let draft = Draft::start(store, no).row(region_row(code));
    draft.commit(store).await;
}

/// A region's code finds its cases and those of all places inside it, newest first, whatever
/// the place; a neighbour's code finds none of them.
pub async fn a_city_sees_its_districts_newest_first(place: &dyn StorePlace) {
    let store = place.open();
    let places = ["420302", "420303", "420300", "420302", "420602", "420302001"];
    for (no, code) in (1..).zip(places) {
        start_in(&*store, no, code).await;
    }
    for (code, expected) in [
        ("420300", &[6, 4, 3, 2, 1][..]),
        ("420302", &[6, 4, 1]),
        ("420303", &[2]),
        ("420000", &[6, 5, 4, 3, 2, 1]),
        ("420600", &[5]),
        ("420302001", &[6]),
        ("110000", &[]),
    ] {
        let found = find(&*store, along_region(code)).await;
        assert_eq!(numbers(&found), of(expected), "{code}");
    }
}

/// A region also finds the cases that departments have open, each once, in the same order and on
/// pages of any size; a case that moves from one kind of row to the other stays where it was.
pub async fn a_region_finds_what_its_departments_have_open(place: &dyn StorePlace) {
    let store = place.open();
    let open = |department: &str, code: &str| IndexRow::Department {
        department: DepartmentCode::new(department),
        region: region(code),
    };
    start_in(&*store, 1, "420302").await;
    let rows = [
        (2, vec![open("fire", "420302")]),
        (3, vec![open("housing", "420303"), open("fire", "420303")]),
        (4, vec![open("transport", "420602")]),
        (5, vec![open("fire-rescue", "420300"), region_row("420300")]),
        (6, vec![open("housing", "411300")]),
    ];
    for (no, rows) in rows {
        let draft = rows.into_iter().fold(Draft::start(&*store, no), Draft::row);
        draft.commit(&*store).await;
    }
    for (code, expected) in [
        ("420300", &[5, 3, 2, 1][..]),
        ("420302", &[2, 1]),
        ("420303", &[3]),
        ("420000", &[5, 4, 3, 2, 1]),
        ("411300", &[6]),
        ("", &[6, 5, 4, 3, 2, 1]),
        ("110000", &[]),
    ] {
        let found = find(&*store, along_region(code)).await;
        assert_eq!(numbers(&found), of(expected), "{code}");
        for first in 1..=3 {
            let paged = pages(&*store, Search { first, ..search(along_region(code)) }).await;
            assert_eq!(numbers(&paged.concat()), of(expected), "{code} by {first}");
        }
    }
    let ended = Draft::go_on(&*store, 2, 2).gone(open("fire", "420302"));
    ended.row(region_row("420302")).commit(&*store).await;
    let found = find(&*store, along_region("420300")).await;
    assert_eq!(numbers(&found), of(&[5, 3, 2, 1]));
}

/// A department's rows are its own, within its place.
pub async fn a_department_sees_its_own_cases_only(place: &dyn StorePlace) {
    let store = place.open();
    let row = |department: &str, code: &str| IndexRow::Department {
        department: DepartmentCode::new(department),
        region: region(code),
    };
    for (no, department, code) in [
        (1, "fire", "420302"),
        (2, "fire-rescue", "420302"),
        (3, "fire", "420303"),
        (4, "fire", "420602"),
    ] {
        let draft = Draft::start(&*store, no).row(row(department, code));
        draft.commit(&*store).await;
    }
    let both = Draft::start(&*store, 5).row(row("fire", "420302"));
    both.row(row("fire-rescue", "420302")).commit(&*store).await;
    for (department, code, expected) in [
        ("fire", "420300", &[5, 3, 1][..]),
        ("fire", "420302", &[5, 1]),
        ("fire-rescue", "420300", &[5, 2]),
        ("urban-management", "420300", &[]),
    ] {
        let along = Along::Department(DepartmentCode::new(department), region(code));
        let found = find(&*store, along).await;
        assert_eq!(numbers(&found), of(expected), "{department} {code}");
    }
}

/// An applicant's hash finds his cases, newest first.
pub async fn an_applicant_sees_his_own_cases_only(place: &dyn StorePlace) {
    let store = place.open();
    let hash = |name: &str| Digest::of(name.as_bytes());
    for (no, name) in [(1, "张"), (2, "李"), (3, "张")] {
        let row = IndexRow::Applicant { hash: hash(name) };
        Draft::start(&*store, no).row(row).commit(&*store).await;
    }
    let found = find(&*store, Along::Applicant(hash("张"))).await;
    assert_eq!(numbers(&found), of(&[3, 1]));
    let nobody = find(&*store, Along::Applicant(hash("王"))).await;
    assert_eq!(numbers(&nobody), of(&[]));
}

/// A queue begins with what is due first, whichever district it lies in; a case with two tasks
/// stands in it once.
pub async fn a_queue_is_ordered_by_due_time_over_all_places(place: &dyn StorePlace) {
    let store = place.open();
    for (no, code, due) in
        [(1, "420302", 300), (2, "420303", 100), (3, "420302", 200), (4, "420602", 50)]
    {
        let row = queue_row(code, "fire.approver", due);
        Draft::start(&*store, no).row(row).commit(&*store).await;
    }
    let second_task = IndexRow::Queue {
        region: region("420302"),
        role: "fire.director".parse_role(),
        due: nine_o_clock().plus_millis(400),
        task: Seq(9),
    };
    let draft = Draft::go_on(&*store, 2, 2).row(second_task);
    draft.commit(&*store).await;
    let queue = |code| along_queue(code, departments(["fire", "unknown"]));
    let city = find(&*store, queue("420300")).await;
    assert_eq!(numbers(&city), of(&[2, 3, 1]));
    let province = find(&*store, queue("420000")).await;
    assert_eq!(numbers(&province), of(&[4, 2, 3, 1]));
}

/// Spells a role in the few places that need one.
trait ParseRole {
    fn parse_role(&self) -> tongban_core::id::RoleCode;
}

impl ParseRole for str {
    fn parse_role(&self) -> tongban_core::id::RoleCode {
        tongban_core::id::RoleCode::new(self)
    }
}

/// A window sees the window tasks of all departments; a department sees its own others.
pub async fn windows_and_departments_have_queues_apart(place: &dyn StorePlace) {
    let store = place.open();
    for (no, role) in
        [(1, "fire.window"), (2, "fire.approver"), (3, "housing.window"), (4, "housing.approver")]
    {
        let row = queue_row("420302", role, i64::from(no));
        Draft::start(&*store, no).row(row).commit(&*store).await;
    }
    for (roles, expected) in [
        (RoleMatch::Windows, &[1, 3][..]),
        (departments(["fire"]), &[2]),
        (departments(["housing", "fire"]), &[2, 4]),
        (departments([]), &[]),
    ] {
        let found = find(&*store, along_queue("420300", roles.clone())).await;
        assert_eq!(numbers(&found), of(expected), "{roles:?}");
    }
}

async fn pages(store: &dyn Store, mut search: Search) -> Vec<Vec<CaseSummary>> {
    let mut pages = Vec::new();
    loop {
        let page = store.search(search.clone()).await.expect("readable");
        pages.push(page.items);
        search.after = page.next;
        if search.after.is_none() {
            return pages;
        }
        assert!(pages.len() < 50, "the pages have no end");
    }
}

/// Whatever the page size, the pages make up the whole, in order and without repetition.
pub async fn pages_join_to_the_whole(place: &dyn StorePlace) {
    let store = place.open();
    for no in 1..=11 {
        let code = ["420302", "420303", "420381"][no as usize % 3];
        let role = ["fire.window", "housing.window"][no as usize % 2];
        let queue = queue_row(code, role, i64::from(no % 4));
        let draft = Draft::start(&*store, no).row(region_row(code));
        draft.row(queue).commit(&*store).await;
    }
    for along in [along_region("420300"), along_queue("420300", RoleMatch::Windows)] {
        let whole = find(&*store, along.clone()).await;
        assert_eq!(whole.len(), 11);
        for first in [1, 2, 3, 10, 11] {
            let search = Search { first, ..search(along.clone()) };
            let pages = pages(&*store, search).await;
            assert!(pages.iter().all(|page| page.len() <= first));
            assert_eq!(pages.concat(), whole, "pages of {first} along {along:?}");
        }
    }
}

/// Filters on state and service only leave out.
pub async fn filters_leave_out_and_never_add(place: &dyn StorePlace) {
    let store = place.open();
    let states = [CaseState::Draft, CaseState::InProgress, CaseState::Withdrawn];
    for no in 1..=9 {
        let mut draft = Draft::start(&*store, no).row(region_row("420302"));
        draft = draft.state(states[no as usize % 3]);
        if no > 6 {
            draft.0.summary.service = ServiceCode::new("newborn");
        }
        draft.commit(&*store).await;
    }
    let in_progress =
        Search { states: [CaseState::InProgress].into(), ..search(along_region("420302")) };
    let found = store.search(in_progress.clone()).await.expect("readable");
    assert_eq!(numbers(&found.items), of(&[7, 4, 1]));
    let newborn = Search { service: Some(ServiceCode::new("newborn")), ..in_progress.clone() };
    let found = store.search(newborn).await.expect("readable");
    assert_eq!(numbers(&found.items), of(&[7]));
    let small = Search { first: 2, ..in_progress };
    let pages = pages(&*store, small).await.concat();
    assert_eq!(numbers(&pages), of(&[7, 4, 1]));
}

/// A row that a commit took back is not found, and its successor is.
pub async fn a_row_that_is_gone_is_not_found(place: &dyn StorePlace) {
    let store = place.open();
    let before = queue_row("420302", "fire.approver", 100);
    let after = queue_row("420302", "housing.approver", 100);
    let draft = Draft::start(&*store, 1).row(before.clone());
    draft.commit(&*store).await;
    let draft = Draft::go_on(&*store, 1, 2).gone(before).row(after);
    let no = draft.commit(&*store).await;
    let fire = find(&*store, along_queue("420302", departments(["fire"]))).await;
    assert_eq!(numbers(&fire), of(&[]));
    let housing = find(&*store, along_queue("420302", departments(["housing"]))).await;
    assert_eq!(numbers(&housing), of(&[1]));
    assert_eq!(housing[0].revision, no);
}

/// A search that would look at too many rows is refused, not answered slowly.
pub async fn a_search_past_its_budget_is_refused(place: &dyn StorePlace) {
    let store = place.open();
    let mut draft = Draft::start(&*store, 1);
    for task in 0..=SCAN_BUDGET {
        draft = draft.row(IndexRow::Queue {
            region: region("420302"),
            role: "fire.window".parse_role(),
            due: nine_o_clock(),
            task: Seq(u32::try_from(task).expect("few")),
        });
    }
    draft.commit(&*store).await;
    let refused = store.search(search(along_queue("420302", RoleMatch::Windows))).await;
    assert!(matches!(refused, Err(StoreError::NotIndexed(_))));
}

/// A cursor works only for the family that gave it.
pub async fn a_cursor_of_another_search_is_refused(place: &dyn StorePlace) {
    let store = place.open();
    for no in 1..=2 {
        start_in(&*store, no, "420302").await;
    }
    let first = Search { first: 1, ..search(along_region("420302")) };
    let page = store.search(first).await.expect("readable");
    let foreign = Search { after: page.next, ..search(along_queue("420302", RoleMatch::Windows)) };
    let garbage = Search { after: Some(vec![2, 9]), ..search(along_region("420302")) };
    for search in [foreign, garbage] {
        let refused = store.search(search).await;
        assert!(matches!(refused, Err(StoreError::NotIndexed(_))));
    }
}
