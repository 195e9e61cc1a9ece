//! Who asks, and whom.

use async_graphql::{Context, Object};

use crate::error::Fault;
use crate::schema::asking;
use crate::view::{ParkedReply, ServerInfo, ViewerView};

/// The fields about viewer and server.
#[derive(Default)]
pub(crate) struct ServerQueries;

#[Object]
impl ServerQueries {
    /// 当前用户 / Who asks
    async fn viewer(&self, ctx: &Context<'_>) -> ViewerView {
        ViewerView(asking(ctx).viewer.clone())
    }

    /// 服务器信息 / Facts about the server
    async fn server_info(&self, ctx: &Context<'_>) -> ServerInfo {
        ServerInfo::of(asking(ctx).engine)
    }

    /// 恢复备份后对不上的部门回执;供督查、集成人员和系统管理员查看 / Replies that match no call since a restore, for supervisors, integrators and admins
    async fn parked_replies(&self, ctx: &Context<'_>) -> Option<Result<Vec<ParkedReply>, Fault>> {
        let asking = asking(ctx);
        let parked = asking.engine.parked_replies(asking.viewer).map_err(Fault::from);
        Some(parked.map(|parked| parked.into_iter().map(ParkedReply::from).collect()))
    }
}
