//! The events of one case, as they happen.

use std::collections::VecDeque;

use async_graphql::{Context, ID, Subscription};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;
use tongban_core::id::{CaseId, CommitNo};
use tongban_core::viewer::Viewer;
use tongban_engine::{Engine, EventView};

use crate::error::Fault;
use crate::schema::asking;
use crate::view::{Event, EventDelta, Revision};

/// Entries that are read at once; what a slow reader has not taken stays in the log.
const READ_AT_ONCE: usize = 64;
const NO_SUCH_CASE: &str =
    "没有该办件,或无权查看 / there is no such case, or it is not for this viewer";

/// The field about events of a case.
#[derive(Default)]
pub(crate) struct CaseEvents;

#[Subscription]
impl CaseEvents {
    /// 办件的事件,先补发游标之后的,再逐条送达 / Events of a case: first those after the cursor, then each as it happens
    async fn case_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "办件标识 / Id of the case")] case_id: ID,
        #[graphql(
            desc = "从此游标之后,默认从头 / After this cursor, from the beginning by default"
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Option<Result<EventDelta, Fault>>> + use<>, Fault> {
        let asking = asking(ctx);
        let case = case_id.parse().map_err(|_| Fault::not_found(NO_SUCH_CASE))?;
        if asking.engine.case(asking.viewer, case).await?.is_none() {
            return Err(Fault::not_found(NO_SUCH_CASE));
        }
        let reader = Reader {
            commits: asking.engine.watch_case(case),
            engine: asking.engine.clone(),
            viewer: asking.viewer.clone(),
            case,
            cursor: after,
            unread: VecDeque::new(),
            revision: CommitNo::default(),
        };
        Ok(unfold(Some(reader), step))
    }
}

/// Reads on from a cursor. Dropping it at any point loses nothing: the log is the truth.
struct Reader {
    engine: Engine,
    viewer: Viewer,
    case: CaseId,
    cursor: Option<String>,
    /// Events that were read and not handed over yet.
    unread: VecDeque<EventView>,
    revision: CommitNo,
    commits: watch::Receiver<CommitNo>,
}

/// Hands over the next event; a fault is handed over once and ends the stream.
async fn step(
    reader: Option<Reader>,
) -> Option<(Option<Result<EventDelta, Fault>>, Option<Reader>)> {
    let mut reader = reader?;
    match reader.next().await {
        Ok(Some(delta)) => Some((Some(Ok(delta)), Some(reader))),
        Ok(None) => None,
        Err(fault) => Some((Some(Err(fault)), None)),
    }
}

impl Reader {
    /// Returns the next event; `None` once the engine has stopped.
    async fn next(&mut self) -> Result<Option<EventDelta>, Fault> {
        loop {
            if let Some(view) = self.unread.pop_front() {
                return Ok(Some(EventDelta {
                    cursor: view.cursor.clone(),
                    event: Event::of(self.case, view),
                    revision: Revision(self.revision),
                }));
            }
            // Seen before reading: a commit during the read wakes the wait below at once.
            self.commits.borrow_and_update();
            if !self.read().await? && self.commits.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// Reads a stretch of the log; tells whether the cursor moved. Who may see is asked anew with
    /// every stretch.
    async fn read(&mut self) -> Result<bool, Fault> {
        let cursor = self.cursor.as_deref();
        let page = self.engine.events(&self.viewer, self.case, cursor, READ_AT_ONCE).await?;
        let page = page.ok_or_else(|| Fault::not_found(NO_SUCH_CASE))?;
        let moved = self.cursor.as_ref() != Some(&page.cursor);
        self.unread.extend(page.events);
        self.cursor = Some(page.cursor);
        self.revision = page.revision;
        Ok(moved)
    }
}
