//! Guides, told on the script threads: the `when` predicates of a service are scripts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;
use tongban_core::guide::{Guide, answers, guide};
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::start;
use tongban_core::value::Value;

use super::{Runtime, worker};
use crate::error::EngineError;

/// Somebody who wants to be told what his situation needs.
#[derive(Debug)]
pub(crate) struct Guiding {
    /// Of which service.
    pub(crate) service: ServiceCode,
    /// Where.
    pub(crate) region: RegionCode,
    /// His answers so far.
    pub(crate) answers: Value,
    /// Who is told.
    pub(crate) reply: oneshot::Sender<Result<Guide, EngineError>>,
}

/// Tells one guide. It reads declarations only, so nothing is kept and nothing is committed.
pub(super) fn tell(runtime: &Runtime, guiding: Guiding) {
    let told = catch_unwind(AssertUnwindSafe(|| found(runtime, &guiding)));
    let _gone = guiding.reply.send(told.unwrap_or_else(|_| Err(worker::broken())));
    runtime.desk.started();
}

fn found(runtime: &Runtime, guiding: &Guiding) -> Result<Guide, EngineError> {
    let closure = runtime.active(&guiding.service, &guiding.region)?;
    start::check_offered(&closure, &guiding.region)?;
    answers::check(&closure, &guiding.answers)?;
    let (closure, selected) =
        start::choose_so_far(runtime.scripts.as_ref(), &closure, &guiding.answers)?;
    Ok(guide(&closure, &selected, &guiding.answers))
}
