//! What happened in a case, as a plain query beside the subscription.

use async_graphql::{Context, ID, Object};

use crate::error::Fault;
use crate::schema::asking;
use crate::view::{EventConnection, events_of};

/// The fields about events.
#[derive(Default)]
pub(crate) struct EventQueries;

#[Object]
impl EventQueries {
    /// 办件的事件,从早到晚;不存在或无权查看时为空 / Events of a case, oldest first; null when there is none or it is not for this viewer
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "办件标识 / Id of the case")] case_id: ID,
        #[graphql(
            desc = "从此游标之后,默认从头 / After this cursor, from the beginning by default"
        )]
        after: Option<String>,
        #[graphql(desc = "最多多少条,1 到 100 / At most so many, 1 to 100")] first: i32,
    ) -> Option<Result<EventConnection, Fault>> {
        let case = case_id.parse().ok()?;
        events_of(asking(ctx), case, (first, after)).await.transpose()
    }
}
