//! The suite that every store must pass: what [`tongban_core::port::Store`] promises, as tests.
//!
//! Each file is one family of promises, each function in it one property, named by the sentence
//! it proves. [`store_conformance!`](crate::store_conformance) stamps all of them out for one
//! store. A property gets a [`StorePlace`], opens the store there as often as it likes, and fails
//! by panicking. [`sample`] builds the commits; other tests may use it too.
#![expect(
    clippy::missing_panics_doc,
    reason = "a property that does not hold panics; that is its only outcome"
)]

pub mod append;
pub mod audited;
pub mod closures;
pub mod differential;
pub mod feed;
pub mod fencing;
pub mod idempotency;
pub mod large;
pub mod number;
pub mod outbox;
pub mod publications;
pub mod restart;
pub mod rows;
pub mod sample;
pub mod timer;
pub mod upkeep;

use std::sync::{Arc, Barrier};

use tongban_core::port::{Commit, Committed, Store, StoreError, Upkeep};
use tongban_core::summary::CaseSummary;

use crate::store::MemoryStore;

/// Where a store lives, so that it can be opened again.
pub trait StorePlace: Send + Sync {
    /// Opens the store. Earlier handles of this place have been dropped.
    fn open(&self) -> Arc<dyn Upkeep>;
}

/// The place of a [`MemoryStore`].
pub struct MemoryPlace(MemoryStore);

impl MemoryPlace {
    /// Builds an empty place.
    #[expect(clippy::new_without_default, reason = "a place is made on purpose, never by default")]
    pub fn new() -> Self {
        Self(MemoryStore::new(tongban_core::digest::Secret::new([7; 32])))
    }
}

impl StorePlace for MemoryPlace {
    fn open(&self) -> Arc<dyn Upkeep> {
        Arc::new(self.0.reopen())
    }
}

/// Checks one property on a runtime of its own.
pub fn check(place: &dyn StorePlace, property: impl AsyncFnOnce(&dyn StorePlace)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a test may start threads");
    runtime.block_on(property(place));
}

/// Appends every commit on a thread of its own, all at once, and returns the outcomes in order.
fn race(store: &dyn Store, commits: Vec<Commit>) -> Vec<Result<Committed, StoreError>> {
    let start = Barrier::new(commits.len());
    let append = |commit| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a test may start a runtime");
        start.wait();
        runtime.block_on(store.append(commit))
    };
    std::thread::scope(|scope| {
        let racers: Vec<_> =
            commits.into_iter().map(|commit| scope.spawn(|| append(commit))).collect();
        racers.into_iter().map(|racer| racer.join().expect("appending does not panic")).collect()
    })
}

/// Returns the public numbers of summaries, which is how properties name cases.
fn numbers(summaries: &[CaseSummary]) -> Vec<&str> {
    summaries.iter().map(|case| case.number.as_str()).collect()
}

/// Stamps the whole suite out for one store.
///
/// `$place` is an expression that builds a fresh [`StorePlace`](crate::conformance::StorePlace).
#[macro_export]
macro_rules! store_conformance {
    ($name:ident, $place:expr) => {
        mod $name {
            use super::*;

            $crate::store_conformance! { @stamp $place,
                append: [
                    a_commit_is_seen_whole,
                    who_reads_beside_a_commit_sees_it_whole_or_not_at_all,
                    a_commit_on_a_stale_head_changes_nothing,
                    a_case_begins_once,
                    a_case_that_does_not_exist_cannot_go_on,
                    of_commits_with_one_head_exactly_one_wins,
                    commits_of_many_cases_at_once_all_stand,
                    a_long_journal_reads_back_in_order,
                    cases_are_found_by_the_millisecond_of_their_creation,
                ],
                closures: [kept_closures_are_listed_once],
                audited: [the_audit_log_stays_in_order_and_is_never_replaced],
                publications: [publications_stay_in_order_and_are_never_replaced],
                feed: [
                    the_feed_tells_every_commit_in_order,
                    a_cursor_inside_a_commit_sees_that_commit_again,
                    a_cursor_older_than_the_feed_must_resync,
                    a_cursor_from_another_future_must_resync,
                ],
                fencing: [each_opening_fences_the_one_before],
                idempotency: [
                    a_repeated_mutation_is_remembered_and_not_done_again,
                    of_equal_mutations_at_once_exactly_one_is_done,
                    a_mutation_is_forgotten_after_its_time,
                    a_mutation_without_a_commit_is_remembered_too,
                    a_refused_mutation_is_remembered_with_its_answer,
                ],
                large: [
                    entries_of_every_size_read_back,
                    a_large_summary_is_found_and_may_shrink,
                    what_is_too_large_is_refused_and_leaves_nothing,
                ],
                number: [
                    a_number_belongs_to_one_case,
                    a_number_that_was_given_back_is_free,
                    the_last_number_of_a_prefix_is_the_largest,
                ],
                outbox: [the_outbox_is_paged_in_case_order],
                restart: [
                    what_was_committed_survives_a_restart,
                    commit_numbers_go_on_after_the_feed_was_forgotten,
                ],
                rows: [
                    a_city_sees_its_districts_newest_first,
                    a_region_finds_what_its_departments_have_open,
                    a_department_sees_its_own_cases_only,
                    an_applicant_sees_his_own_cases_only,
                    a_queue_is_ordered_by_due_time_over_all_places,
                    windows_and_departments_have_queues_apart,
                    pages_join_to_the_whole,
                    filters_leave_out_and_never_add,
                    a_row_that_is_gone_is_not_found,
                    a_search_past_its_budget_is_refused,
                    a_cursor_of_another_search_is_refused,
                ],
                timer: [
                    due_cases_come_earliest_first,
                    a_timer_that_moved_is_due_at_its_new_time,
                ],
                upkeep: [
                    a_walk_meets_every_case_once,
                    a_walk_meets_every_index_row_once,
                    a_walk_meets_every_mutation_with_its_commit,
                    mending_puts_derived_data_right_and_nothing_else,
                    rows_without_a_case_can_be_removed,
                    a_feed_that_begins_anew_makes_cursors_resync,
                    a_planted_store_holds_what_the_other_held,
                    parked_messages_survive_until_they_are_taken,
                    what_came_from_elsewhere_is_known,
                ],
            }

            #[test]
            fn random_operations_end_as_in_the_reference() {
                $crate::conformance::differential::check(|| $place);
            }
        }
    };
    (@stamp $place:expr, $($family:ident: [$($property:ident),* $(,)?]),* $(,)?) => {
        $($(
            #[test]
            fn $property() {
                $crate::conformance::check(&$place, $crate::conformance::$family::$property);
            }
        )*)*
    };
}

#[cfg(test)]
mod tests {
    use super::MemoryPlace;

    crate::store_conformance!(memory, MemoryPlace::new());
}
