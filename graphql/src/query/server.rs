//! Who asks, and whom.

use async_graphql::{Context, Object};

use crate::schema::asking;
use crate::view::{ServerInfo, ViewerView};

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
}
