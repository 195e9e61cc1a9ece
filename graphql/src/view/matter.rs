//! A matter of a case: one lane of the application.

use async_graphql::{Context, ID, Object};
use tongban_core::case::Matter;
use tongban_core::id::MatterId;
use tongban_core::summary::MatterSummary;
use tongban_engine::CaseView;

use super::clock::{TimeLimit, matter_light};
use super::code::{Lang, Light, MatterState};
use super::material::{RequiredMaterial, required};
use super::waiting::WaitingOn;
use super::{Case, DateTime, catalogue};
use crate::error::Fault;
use crate::schema::asking;

/// A matter of a case that the viewer may see.
pub(crate) struct CaseMatter {
    case: Case,
    row: MatterSummary,
}

impl CaseMatter {
    /// Puts a matter's row beside its case.
    pub(crate) fn new(case: Case, row: MatterSummary) -> Self {
        Self { case, row }
    }

    async fn read<T>(
        &self,
        ctx: &Context<'_>,
        take: impl FnOnce(&CaseView, &Matter) -> Option<T>,
    ) -> Option<Result<T, Fault>> {
        self.case.read(ctx, |view| take(view, view.case().matter(self.row.no)?)).await
    }
}

/// 办件中的一个事项 / One matter of a case
#[Object]
impl CaseMatter {
    /// 标识 / Id
    pub(crate) async fn id(&self) -> ID {
        let id = MatterId { case: self.case.row().case, no: self.row.no };
        ID(id.to_string())
    }

    /// 所属办件 / Its case
    async fn case(&self) -> &Case {
        &self.case
    }

    /// 事项代码 / Code of the matter
    async fn code(&self) -> &str {
        self.row.code.as_str()
    }

    /// 申请时的事项名称 / Name of the matter, as it was
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// 事项的现行定义;已下线时为空 / The declaration now in force; null when it is no longer offered
    async fn matter(&self, ctx: &Context<'_>) -> Option<catalogue::Matter> {
        let service = self.case.row().service.as_str();
        super::CombinedService::find(asking(ctx), service)?.matter(&self.row.code)
    }

    /// 部门代码 / Code of the department
    async fn department(&self) -> &str {
        self.row.department.as_str()
    }

    /// 状态 / State
    async fn state(&self) -> MatterState {
        MatterState::of_code(&self.row.state)
    }

    /// 状态名称 / Name of the state
    async fn state_label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        MatterState::of_code(&self.row.state).label(lang)
    }

    /// 结果的证照或文书编号 / Number of the license or document that a grant gave
    async fn result_number(&self) -> Option<&str> {
        Some(self.row.result.as_str()).filter(|number| !number.is_empty())
    }

    /// 最近一次行为的理由 / Ground of the last act that has one
    async fn ground(&self, ctx: &Context<'_>) -> Option<Result<String, Fault>> {
        let ground = |_: &CaseView, matter: &Matter| {
            Some(matter.law.ground.clone()).filter(|ground| !ground.is_empty())
        };
        self.read(ctx, ground).await
    }

    /// 中止计时的事由;未中止时为空 / Ground on which the clocks stand still; null when they run
    async fn suspended_for(&self, ctx: &Context<'_>) -> Option<Result<String, Fault>> {
        let ground = |_: &CaseView, matter: &Matter| {
            matter.law.suspended().map(|suspension| suspension.ground.clone())
        };
        self.read(ctx, ground).await
    }

    /// 受监督的时限:承诺期限,无承诺则法定期限;尚未受理时为空 / The limit that is monitored: promised, or else statutory; null before acceptance
    async fn limit(&self, ctx: &Context<'_>) -> Option<Result<TimeLimit, Fault>> {
        self.read(ctx, |view, matter| {
            let clock = view.handling_clock(matter)?;
            Some(TimeLimit::of(view, matter, clock))
        })
        .await
    }

    /// 全部时限 / All its limits
    async fn clocks(&self, ctx: &Context<'_>) -> Option<Result<Vec<TimeLimit>, Fault>> {
        self.read(ctx, |view, matter| {
            let clocks = matter.law.clocks().iter();
            Some(clocks.map(|clock| TimeLimit::of(view, matter, clock)).collect())
        })
        .await
    }

    /// 灯色;尚未计时时为空 / Its light; null while no clock has started
    async fn light(&self, ctx: &Context<'_>) -> Option<Result<Light, Fault>> {
        self.read(ctx, matter_light).await
    }

    /// 正在等谁;办结后为空 / Who is waited for; null once it has ended
    async fn waiting_on(&self, ctx: &Context<'_>) -> Option<Result<WaitingOn, Fault>> {
        self.read(ctx, |view, matter| view.waiting_on(matter).map(WaitingOn)).await
    }

    /// 前置事项 / Matters that come before
    async fn depends_on(&self, ctx: &Context<'_>) -> Option<Result<Vec<CaseMatter>, Fault>> {
        self.read(ctx, |_, matter| {
            let earlier = matter.planned.after.iter();
            Some(earlier.filter_map(|no| self.case.matter(*no)).collect())
        })
        .await
    }

    /// 所需材料的满足情况;送达部门前为空 / How its materials were met; null before it is filed
    async fn materials(&self, ctx: &Context<'_>) -> Option<Result<Vec<RequiredMaterial>, Fault>> {
        self.read(ctx, |_, matter| required(matter)).await
    }

    /// 到期时间;尚未计时时为空 / When it is due; null while no clock runs
    async fn due_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime, Fault>> {
        self.read(ctx, |view, matter| view.waiting_on(matter)?.until.map(DateTime)).await
    }
}
