//! Waiting for a case by its commits, as a client does: no clock, no polling.

use std::time::Duration;

use tongban_core::id::CaseId;
use tongban_core::viewer::Viewer;
use tongban_engine::{CaseView, Engine};

/// Longest that nothing may be committed while something is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until a case is as wanted, as somebody sees it. Where nothing more is committed and it is
/// not, the test fails instead of standing still.
pub(crate) async fn until(
    engine: &Engine,
    (viewer, case): (&Viewer, CaseId),
    holds: impl Fn(&CaseView) -> bool,
) -> CaseView {
    let mut commits = engine.watch_case(case);
    loop {
        commits.borrow_and_update();
        let seen = engine.case(viewer, case).await.expect("the case can be read");
        let view = seen.expect("the viewer sees the case");
        if holds(&view) {
            return view;
        }
        let Ok(next) = tokio::time::timeout(PATIENCE, commits.changed()).await else {
            let stages = view.case().matters.iter().map(|matter| matter.law.code());
            let (stages, head) = (stages.collect::<Vec<_>>(), view.case().head);
            panic!("{case} never becomes as wanted; at entry {head} its matters are {stages:?}");
        };
        next.expect("the engine runs");
    }
}
