//! Waiting for a case by its commits, as a client does: no clock, no polling.

use tongban_core::id::CaseId;
use tongban_core::viewer::Viewer;
use tongban_engine::{CaseView, Engine};

/// Waits until a case is as wanted, as somebody sees it.
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
        commits.changed().await.expect("the engine runs");
    }
}
