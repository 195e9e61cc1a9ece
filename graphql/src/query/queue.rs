//! The work queue.

use async_graphql::{Context, Object};
use tongban_engine::{self as engine, PageRequest};

use crate::error::Fault;
use crate::schema::{Asking, asking};
use crate::view::{QueueView, Task, TaskConnection, read_cursor, read_first};

/// The fields about work queues.
#[derive(Default)]
pub(crate) struct QueueQueries;

#[Object]
impl QueueQueries {
    /// 工作台:本人可办理的待办 / The work queue: tasks that the viewer may take
    async fn queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "视图 / Which view")] view: QueueView,
        #[graphql(
            desc = "最多取多少个办件的待办,1 到 100 / Tasks of at most so many cases, 1 to 100"
        )]
        first: i32,
        #[graphql(desc = "从此游标之后 / After this cursor")] after: Option<String>,
    ) -> Option<Result<TaskConnection, Fault>> {
        Some(read(asking(ctx), view.into(), (first, after)).await)
    }
}

async fn read(
    asking: Asking<'_>,
    view: engine::QueueView,
    page: (i32, Option<String>),
) -> Result<TaskConnection, Fault> {
    let page = PageRequest { first: read_first(page.0)?, after: read_cursor(page.1)? };
    let found = asking.engine.queue(asking.viewer, view, page).await?;
    let nodes = found.items.into_iter().map(|item| Task::of(item.case.into(), item.task, None));
    Ok(TaskConnection { nodes: nodes.collect(), next: found.next, view })
}
