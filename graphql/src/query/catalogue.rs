//! What is on offer.

use async_graphql::{Context, Object};

use crate::schema::asking;
use crate::view::CombinedService;

/// The fields about services.
#[derive(Default)]
pub(crate) struct CatalogueQueries;

#[Object]
impl CatalogueQueries {
    /// 已开通的一件事服务 / Services that are offered
    async fn services(&self, ctx: &Context<'_>) -> Vec<CombinedService> {
        CombinedService::all(asking(ctx))
    }

    /// 按代码查一件事服务 / A service by its code
    async fn service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "服务代码,如 construction-start / Code, such as construction-start")]
        code: String,
    ) -> Option<CombinedService> {
        CombinedService::find(asking(ctx), &code)
    }
}
