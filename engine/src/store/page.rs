//! The order of index rows, and how a page is filled from them.
//!
//! A row's *place* is the bytes by which its family is ordered: the due time for queues, the
//! inverted case id (newest first) elsewhere. Places are the ends of a store's keys and the
//! inside of page cursors, so every store pages alike.

use std::collections::BTreeSet;

use tongban_core::id::CaseId;
use tongban_core::limits::{PAGE_MAX, SCAN_BUDGET};
use tongban_core::port::{Page, StoreError};
use tongban_core::summary::{Along, CaseSummary, IndexRow, Search};

/// Length of a case id, and of a due time before it.
const CASE: usize = 16;
const DUE: usize = 6;

/// Returns the place of a row in its family, or `None` for rows that no search runs along.
pub(super) fn place(row: &IndexRow, case: CaseId) -> Option<Vec<u8>> {
    match row {
        IndexRow::Queue { role, due, task, .. } => {
            let mut place = due.millis_48().to_vec();
            place.extend_from_slice(&case.0);
            place.extend_from_slice(&task.0.to_be_bytes());
            place.extend_from_slice(role.as_str().as_bytes());
            Some(place)
        }
        IndexRow::Region { .. }
        | IndexRow::Department { .. }
        | IndexRow::Applicant { .. }
        | IndexRow::Incident { .. } => Some(case.0.iter().map(|byte| !byte).collect()),
        IndexRow::Number { .. } | IndexRow::Timer { .. } | IndexRow::Outbox => None,
    }
}

/// Reads the case out of a place; `None` when the bytes are no place of this family.
pub(super) fn case_at(along: &Along, place: &[u8]) -> Option<CaseId> {
    match along {
        Along::Queue { .. } => {
            let id = place.get(DUE..DUE + CASE)?;
            Some(CaseId(id.try_into().ok()?))
        }
        Along::Region(_) | Along::Department(..) | Along::Applicant(_) | Along::Incident(_) => {
            let mut id: [u8; CASE] = place.try_into().ok()?;
            for byte in &mut id {
                *byte = !*byte;
            }
            Some(CaseId(id))
        }
    }
}

fn family(along: &Along) -> u8 {
    match along {
        Along::Queue { .. } => 1,
        Along::Region(_) => 2,
        Along::Department(..) => 3,
        Along::Applicant(_) => 4,
        Along::Incident(_) => 5,
    }
}

/// Returns the place after which a search goes on, or `None` for its beginning.
pub(super) fn resume(search: &Search) -> Result<Option<&[u8]>, StoreError> {
    let Some(cursor) = &search.after else {
        return Ok(None);
    };
    match cursor.split_first() {
        Some((tag, place))
            if *tag == family(&search.along) && case_at(&search.along, place).is_some() =>
        {
            Ok(Some(place))
        }
        Some(_) | None => Err(StoreError::NotIndexed("page cursor of another search".to_owned())),
    }
}

/// Fills one page from `places`, which come in order and after the search's cursor.
///
/// Each case stands on a page once. Places are counted against the scan budget whether or not
/// their case passes the filters. A case whose record is damaged is left out and told to the
/// operator: it cannot be opened either, and it must not take every list that it stands in away.
pub(super) fn fill(
    search: &Search,
    places: impl Iterator<Item = Result<Vec<u8>, StoreError>>,
    mut summary_of: impl FnMut(CaseId) -> Result<Option<CaseSummary>, StoreError>,
) -> Result<Page<CaseSummary>, StoreError> {
    let most = search.first.min(PAGE_MAX);
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = search.after.clone();
    for (looked_at, place) in places.enumerate() {
        let place = place?;
        if items.len() == most {
            return Ok(Page { items, next });
        }
        if looked_at == SCAN_BUDGET {
            return Err(StoreError::NotIndexed(format!("{SCAN_BUDGET} rows looked at")));
        }
        let case = case_at(&search.along, &place)
            .ok_or_else(|| StoreError::Damaged { what: "index row without a case".to_owned() })?;
        next = Some([&[family(&search.along)], place.as_slice()].concat());
        if !seen.insert(case) {
            continue;
        }
        let summary = match summary_of(case) {
            Err(StoreError::Damaged { what }) => {
                tracing::error!(
                    case.id = %case,
                    what,
                    "a damaged case is missing from a list; see 'tongban store check'"
                );
                continue;
            }
            summary => summary?,
        };
        // A row may outlive its case's summary for the moment between two reads.
        items.extend(summary.filter(|summary| passes(search, summary)));
    }
    Ok(Page { items, next: None })
}

fn passes(search: &Search, summary: &CaseSummary) -> bool {
    let state = search.states.is_empty() || search.states.contains(&summary.state);
    let service = search.service.as_ref().is_none_or(|service| *service == summary.service);
    state && service
}
