//! Sizes: whatever the limits allow reads back; whatever they do not leaves nothing.

use tongban_core::id::{CommitNo, DepartmentCode, MatterCode, MatterNo, Seq};
use tongban_core::limits::VALUE_BYTES_MAX;
use tongban_core::port::{MutationEnd, StoreError};
use tongban_core::summary::{CaseSummary, MatterSummary, Search};

use super::StorePlace;
use super::rows::along_region;
use super::sample::{Draft, case_id, region_row, summary};

/// Entries below, at and far above every inner limit read back, beside each other.
pub async fn entries_of_every_size_read_back(place: &dyn StorePlace) {
    let store = place.open();
    let mut draft = Draft::start(&*store, 1);
    for size in [0, 1_000, 3_800, 3_990, 4_096, 4_100, 6_100, 70_000, 250_000, 30] {
        draft = draft.entry_of_size(size);
    }
    let entries = draft.0.entries.clone();
    draft.commit(&*store).await;
    let mut store = Some(store);
    for _opening in 0..2 {
        let open = store.take().unwrap_or_else(|| place.open());
        let stored = open.load(case_id(1)).await.expect("readable");
        assert!(stored.expect("the case exists").entries == entries);
    }
}

fn summary_of_matters(count: u16) -> CaseSummary {
    let matter = |no| MatterSummary {
        no: MatterNo(no),
        code: MatterCode::new(format!("matter-{no}")),
        name: "示例事项".repeat(12),
        department: DepartmentCode::new("housing-construction"),
        place: tongban_core::id::RegionCode::new("420302"),
        state: "accepted".to_owned(),
        open: true,
        result: String::new(),
    };
    CaseSummary { matters: (1..=count).map(matter).collect(), ..summary(1) }
}

/// A summary of more matters than a record holds is found, and so is its smaller successor.
pub async fn a_large_summary_is_found_and_may_shrink(place: &dyn StorePlace) {
    let store = place.open();
    let start = Draft::start(&*store, 1).row(region_row("420302"));
    start.commit(&*store).await;
    let search = Search {
        along: along_region("420302"),
        states: [].into(),
        service: None,
        after: None,
        first: 9,
    };
    for (head, matters) in [(2, 128), (3, 40), (4, 3), (5, 128)] {
        let mut draft = Draft::go_on(&*store, 1, head);
        draft.0.summary = summary_of_matters(matters);
        let no = draft.commit(&*store).await;
        let page = store.search(search.clone()).await.expect("readable");
        let expected = CaseSummary { revision: no, ..summary_of_matters(matters) };
        assert!(page.items == [expected], "{matters} matters");
    }
}

/// Too large an entry, index text or record is refused, and the case does not exist.
pub async fn what_is_too_large_is_refused_and_leaves_nothing(place: &dyn StorePlace) {
    let store = place.open();
    let start = || Draft::start(&*store, 1);
    let mut long_memory = start().remember("x");
    long_memory.0.idempotency[0].result = MutationEnd::Done(vec!["case".repeat(2_000)]);
    let drafts = [
        start().entry_of_size(5 * VALUE_BYTES_MAX),
        start().row(region_row(&"4".repeat(300))),
        long_memory,
    ];
    for draft in drafts {
        let outcome = store.append(draft.0).await;
        assert!(matches!(outcome, Err(StoreError::TooLarge { .. })));
        assert_eq!(store.load(case_id(1)).await, Ok(None));
    }
    assert_eq!(store.revision(), CommitNo(0));
    let first = start().commit(&*store).await;
    assert_eq!(store.revision(), first);
    let go_on = Draft::go_on(&*store, 1, 2);
    assert_eq!(go_on.0.expected, Seq(2));
    go_on.commit(&*store).await;
}
