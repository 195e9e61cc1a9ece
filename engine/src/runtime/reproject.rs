//! Reading open deadlines anew after a new calendar came into force.
//!
//! Derived times in queues and timers are those of the calendar that was read when a case was
//! last written; its summary says which one that was. The job walks over the summaries and has
//! every open case with another calendar looked at, one after the other, so that it never
//! crowds out people's work. A restart walks again and passes by what is done: nothing is kept
//! about how far it came.

use std::collections::BTreeSet;
use std::sync::Arc;

use tongban_core::command::Command;
use tongban_core::id::RegionCode;
use tongban_core::limits;
use tongban_core::port::StoreError;
use tongban_core::read_model;
use tongban_core::summary::{Along, CaseSummary, Search};

use super::Runtime;
use crate::error::EngineError;

/// What a walk did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Walked {
    /// Summaries that were looked at.
    pub(super) seen: u64,
    /// Cases whose deadlines were read anew.
    pub(super) read_anew: u64,
}

/// Walks once at the start and again whenever calendars are replaced, until the engine stops.
pub(super) async fn run(runtime: Arc<Runtime>) {
    loop {
        match walk(&runtime).await {
            Ok(walked) => tracing::debug!(
                cases.seen = walked.seen,
                cases.read_anew = walked.read_anew,
                "open deadlines follow the calendars in force"
            ),
            Err(error) => {
                tracing::warn!(error.code = error.code(), "reading deadlines anew was cut short");
                runtime.wire.wait_millis(limits::CALL_BACKOFF_MILLIS_MAX).await;
                continue;
            }
        }
        runtime.calendars_changed.notified().await;
    }
}

async fn walk(runtime: &Arc<Runtime>) -> Result<Walked, EngineError> {
    let mut walked = Walked::default();
    let mut after = None;
    loop {
        let search = Search {
            along: Along::Region(RegionCode::new("")),
            states: BTreeSet::new(),
            service: None,
            after,
            first: limits::PAGE_MAX,
        };
        let page = runtime.store.search(search).await?;
        for summary in &page.items {
            walked.seen += 1;
            if !is_behind(runtime, summary) {
                continue;
            }
            match runtime.ask(summary.case, Command::CalendarChanged, None).await {
                Ok(_) => walked.read_anew += 1,
                Err(error) if ends_walk(&error) => return Err(error),
                Err(error) => tracing::warn!(
                    case.id = %summary.case,
                    error.code = error.code(),
                    "the deadlines of a case were not read anew"
                ),
            }
        }
        let Some(next) = page.next else { return Ok(walked) };
        after = Some(next);
    }
}

/// Tells whether what befell one case would befall the next. A case that cannot be read, or whose
/// scripts are missing, keeps no other from its new deadlines.
fn ends_walk(error: &EngineError) -> bool {
    match error {
        EngineError::Store(error) => is_of_the_store(error),
        EngineError::Stopped => true,
        EngineError::Refused(_)
        | EngineError::KeyReused
        | EngineError::Busy
        | EngineError::ResyncRequired { .. }
        | EngineError::ClosureMissing(_)
        | EngineError::Script(_)
        | EngineError::Log(_)
        | EngineError::Clock(_) => false,
    }
}

/// Tells whether a store fails as a whole, and not at what it keeps of one case.
fn is_of_the_store(error: &StoreError) -> bool {
    use StoreError as E;
    matches!(error, E::Fenced { .. } | E::Unavailable(_) | E::Uncertain(_))
}

fn is_behind(runtime: &Runtime, summary: &CaseSummary) -> bool {
    let standing = runtime.standing.now();
    let open = summary.matters.iter().any(|matter| matter.open);
    open && summary.calendar != read_model::calendars_of_summary(summary, &standing.calendars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_cannot_be_read_keeps_no_later_one_from_the_new_calendar() {
        assert!(!ends_walk(&EngineError::ClosureMissing("0".to_owned())));
        let torn = StoreError::Damaged { what: "chunk".to_owned() };
        assert!(!ends_walk(&EngineError::Store(torn)));
        assert!(ends_walk(&EngineError::Stopped));
        assert!(ends_walk(&EngineError::Store(StoreError::Unavailable("gone".to_owned()))));
        assert!(ends_walk(&EngineError::Store(StoreError::Uncertain("full".to_owned()))));
    }
}
