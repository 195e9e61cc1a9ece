//! Figures for supervisors and offices.

use async_graphql::{Context, InputObject, Object};
use tongban_core::id::{DepartmentCode, RegionCode, ServiceCode};
use tongban_engine::figures::FigureQuery;

use crate::error::Fault;
use crate::schema::asking;
use crate::view::{DateTime, Figures, StuckMatters};

/// 统计范围,全部满足 / What figures are asked for; all of it holds
#[derive(Default, InputObject)]
pub(crate) struct FiguresInput {
    /// 地区代码,含所辖;默认为本人的全部地区 / Region with all inside it; all of the viewer's by default
    region: Option<String>,
    /// 部门代码;部门人员只能统计本部门 / Department; an office sees its own only
    department: Option<String>,
    /// 服务代码 / Service
    service_code: Option<String>,
    /// 自何时起 / From when
    from: Option<DateTime>,
    /// 至何时;默认为现在。过去的日子按当时所知统计。 / Until when, now by default. A past day is told as it was known then.
    until: Option<DateTime>,
}

impl From<FiguresInput> for FigureQuery {
    fn from(input: FiguresInput) -> Self {
        Self {
            region: input.region.map(RegionCode::new),
            department: input.department.map(DepartmentCode::new),
            service: input.service_code.map(ServiceCode::new),
            from: input.from.map(|from| from.0),
            until: input.until.map(|until| until.0),
        }
    }
}

/// The fields about figures.
#[derive(Default)]
pub(crate) struct FigureQueries;

#[Object]
impl FigureQueries {
    /// 统计:受理、办结、按时率、补正、中止、减免、督办;供督查人员和本部门 / Figures, for supervisors and for an office about itself
    async fn figures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "统计范围 / What is asked for")] input: FiguresInput,
    ) -> Option<Result<Figures, Fault>> {
        let asking = asking(ctx);
        let counted = asking.engine.figures(asking.viewer, &input.into()).await;
        Some(counted.map(Figures).map_err(Fault::from))
    }

    /// 卡点:谁在等谁,等了几天 / Who waits for whom, and for how long
    async fn stuck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "统计范围 / What is asked for")] input: FiguresInput,
    ) -> Option<Result<StuckMatters, Fault>> {
        let asking = asking(ctx);
        let counted = asking.engine.figures(asking.viewer, &input.into()).await;
        Some(counted.map(StuckMatters).map_err(Fault::from))
    }
}
