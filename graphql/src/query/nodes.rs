//! Anything by its id.

use async_graphql::{Context, ID, Object};
use tongban_core::id::{CaseId, MatterId, TaskId};

use crate::error::Fault;
use crate::schema::asking;
use crate::view::{Case, EntryKind, Node, read_entry_id};

/// The field that finds anything with an id.
#[derive(Default)]
pub(crate) struct NodeQueries;

#[Object]
impl NodeQueries {
    /// 按标识查对象;不存在或无权查看时为空 / Anything by its id; null when there is none or it is not for this viewer
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "标识 / Id")] id: ID,
    ) -> Option<Result<Node, Fault>> {
        find(ctx, &id).await
    }
}

async fn find(ctx: &Context<'_>, id: &ID) -> Option<Result<Node, Fault>> {
    if let Ok(id) = id.parse::<CaseId>() {
        return found(ctx, id).await.map(|case| case.map(Node::Case));
    }
    if let Ok(id) = id.parse::<MatterId>() {
        return match found(ctx, id.case).await? {
            Ok(case) => case.matter(id.no).map(|matter| Ok(Node::CaseMatter(matter))),
            Err(fault) => Some(Err(fault)),
        };
    }
    if let Some((case, seq)) = read_entry_id(EntryKind::Incident, id) {
        return match found(ctx, case).await? {
            Ok(case) => case.incident(ctx, seq).await.map(|incident| incident.map(Node::Incident)),
            Err(fault) => Some(Err(fault)),
        };
    }
    let id = id.parse::<TaskId>().ok()?;
    match found(ctx, id.case).await? {
        Ok(case) => case.task(ctx, id.no).await.map(|task| task.map(Node::Task)),
        Err(fault) => Some(Err(fault)),
    }
}

async fn found(ctx: &Context<'_>, id: CaseId) -> Option<Result<Case, Fault>> {
    let asking = asking(ctx);
    match asking.engine.case(asking.viewer, id).await {
        Ok(view) => view.map(|view| Ok(view.into())),
        Err(error) => Some(Err(error.into())),
    }
}
