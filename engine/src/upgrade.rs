//! The upgrade report: what a new version of a service would do to its live cases.
//!
//! Each live case is replayed under the candidate ([`tongban_core::dry_run`]): it passes, is
//! opaque inside of an open `decide`, or diverges, with the request, both sides, file and line.
//! The report goes page by page, one case at a time, so that it never holds more than one script
//! thread; nothing is written. It names cases by their numbers and holds no personal data. Cases
//! whose matters have all ended stay on their version and are not in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use tongban_core::case::{Case, FoldError};
use tongban_core::definition::Closure;
use tongban_core::digest::{Digest, Secret};
use tongban_core::dry_run::{Candidate, Outcome, Verdict, dry_run};
use tongban_core::id::{CaseId, RegionCode, ServiceCode};
use tongban_core::limits::PAGE_MAX;
use tongban_core::port::{Page, Script, Store, StoreError, Stored};
use tongban_core::summary::{Along, CaseState, CaseSummary, Search};

use crate::standing::Standing;

/// States of cases in which something can still run.
const LIVE: [CaseState; 4] =
    [CaseState::Draft, CaseState::Submitted, CaseState::InProgress, CaseState::PartiallyCompleted];

/// One case under a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Upgrade {
    /// The case.
    pub case: CaseId,
    /// Its public number.
    pub number: String,
    /// The closure that it is pinned to.
    pub from: Digest,
    /// What the dry run came to.
    pub verdict: Verdict,
}

/// How many cases did how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Everything replays.
    pub passes: u64,
    /// Everything that can be known replays.
    pub opaque: u64,
    /// The machine failed.
    pub unknown: u64,
    /// Something would go another way.
    pub diverges: u64,
}

impl Tally {
    /// Counts one case.
    pub fn add(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Passes => &mut self.passes,
            Outcome::Opaque => &mut self.opaque,
            Outcome::Unknown => &mut self.unknown,
            Outcome::Diverges => &mut self.diverges,
        };
        *count += 1;
    }

    /// Returns how many cases were tried.
    pub fn cases(&self) -> u64 {
        self.passes + self.opaque + self.unknown + self.diverges
    }
}

/// Returns a page of the live cases of a service within a region.
///
/// # Errors
/// [`StoreError`] when the store fails, or does not know the cursor.
pub async fn live_cases(
    store: &dyn Store,
    service: &ServiceCode,
    region: &RegionCode,
    page: (usize, Option<Vec<u8>>),
) -> Result<Page<CaseSummary>, StoreError> {
    let (first, after) = page;
    let search = Search {
        along: Along::Region(region.clone()),
        states: BTreeSet::from(LIVE),
        service: Some(service.clone()),
        after,
        first: first.clamp(1, PAGE_MAX),
    };
    store.search(search).await
}

/// What cases are tried with.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// The script host, which has loaded the candidate.
    pub script: &'a dyn Script,
    /// The candidate.
    pub closure: &'a Closure,
    /// Calendars.
    pub standing: &'a Standing,
    /// The secret of the case that is tried.
    pub secret: &'a Secret,
}

/// Tries one case under a candidate. Scripts are evaluated on this thread, which needs a stack of
/// `limits::RUN_STACK_BYTES`.
///
/// # Errors
/// [`FoldError`] when the log is damaged.
pub fn try_case(trial: Trial<'_>, stored: &Stored) -> Result<Upgrade, FoldError> {
    let case = Arc::new(Case::from_entries(stored.case, &stored.entries)?);
    let Trial { script, closure, secret, standing, .. } = trial;
    let calendars = standing.calendars.as_ref();
    let verdict = dry_run(&case, Candidate { script, closure, secret, calendars });
    let number = case.started.number.clone();
    Ok(Upgrade { case: case.id, number, from: case.closure(), verdict })
}
