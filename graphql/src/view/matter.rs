//! A matter of a case: one lane of the application.

use async_graphql::{Context, ID, Object};
use tongban_core::case::{Mail, Matter};
use tongban_core::id::{MatterId, MatterNo};
use tongban_core::summary::MatterSummary;
use tongban_core::viewer::Role;
use tongban_engine::CaseView;

use super::clock::{Period, TimeLimit, matter_light};
use super::code::{ClockKind, Lang, Light, MatterState};
use super::document::{self, Document};
use super::explain::ClockExplanation;
use super::material::{RequiredMaterial, required};
use super::stage::{self, Correction, Revocation, Suspension};
use super::task::Urged;
use super::waiting::WaitingOn;
use super::{Case, DateTime, Message, ScriptPause, ScriptStop, catalogue};
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

    /// 决定地的行政区划代码 / Code of the region where it is decided
    async fn region(&self) -> &str {
        self.row.place.as_str()
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

    /// 脚本被谁暂停,含整个办件的暂停;计时和督办照常 / Who has paused its script, or those of the whole case; clocks and cards go on
    async fn paused(&self, ctx: &Context<'_>) -> Option<Result<ScriptPause, Fault>> {
        let applicant = asking(ctx).viewer.role == Role::Applicant;
        self.read(ctx, |view, matter| {
            let paused = &view.case().paused;
            let own = paused.get(&matter.no).or_else(|| paused.get(&MatterNo::COORDINATOR));
            own.filter(|_| !applicant).map(ScriptPause::of)
        })
        .await
    }

    /// 脚本是否被停止,已办的是否撤销完毕 / Whether its script was told to stop, and how far the undoing has come
    async fn stopped(&self, ctx: &Context<'_>) -> Option<Result<ScriptStop, Fault>> {
        let applicant = asking(ctx).viewer.role == Role::Applicant;
        self.read(ctx, |_, matter| {
            matter.run.cancel.as_ref().filter(|_| !applicant).map(ScriptStop::of)
        })
        .await
    }

    /// 收到的消息,按到达先后;供窗口和承办部门 / Messages in its mailbox in the order of their coming; for windows and the department
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "true 只看尚未读取的 / true for those that wait to be received")]
        waiting: Option<bool>,
    ) -> Option<Result<Vec<Message>, Fault>> {
        let viewer = asking(ctx).viewer;
        self.read(ctx, |view, matter| {
            let own = viewer.departments.contains(&matter.planned.department);
            let may = match viewer.role {
                Role::WindowClerk | Role::Supervisor => true,
                Role::Approver | Role::OfficeHead => own,
                Role::Applicant | Role::Integrator | Role::SystemAdmin => false,
            };
            let wanted =
                |mail: &&Mail| waiting.is_none_or(|waiting| waiting == mail.taken.is_none());
            let mail = matter.mail.iter().filter(wanted);
            may.then(|| mail.map(|mail| Message::of(view.case(), mail)).collect())
        })
        .await
    }

    /// 全部时限 / All its limits
    async fn clocks(&self, ctx: &Context<'_>) -> Option<Result<Vec<TimeLimit>, Fault>> {
        self.read(ctx, |view, matter| {
            let clocks = view.case().clocks_of(matter);
            Some(clocks.map(|clock| TimeLimit::of(view, matter, clock)).collect())
        })
        .await
    }

    /// 逐日说明一个期限如何计算;无此期限时为空 / How a clock was counted, day by day; null when there is none of the kind
    async fn explain_clock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "期限类别 / Kind of the clock")] kind: ClockKind,
        #[graphql(
            desc = "针对什么,同 TimeLimit.about:容缺材料代码或调用标识 / What it is about, as TimeLimit.about says: the promised material, the call"
        )]
        about: Option<String>,
    ) -> Option<Result<ClockExplanation, Fault>> {
        self.read(ctx, |view, matter| {
            let clocks = view.case().clocks_of(matter).filter(|clock| {
                clock.kind == kind.into()
                    && about.as_ref().is_none_or(|about| clock.about == *about)
            });
            let clock = clocks.last()?;
            let explanation = view.explain(matter, clock);
            Some(ClockExplanation::of(explanation, view.calendar_of(matter).version()))
        })
        .await
    }

    /// 各轮补正 / Its rounds of correction
    async fn corrections(&self, ctx: &Context<'_>) -> Option<Result<Vec<Correction>, Fault>> {
        self.read(ctx, |view, matter| Some(stage::corrections(view, matter))).await
    }

    /// 历次计时中止 / Every interval in which its clocks stood still
    async fn suspensions(&self, ctx: &Context<'_>) -> Option<Result<Vec<Suspension>, Fault>> {
        self.read(ctx, |_, matter| Some(stage::suspensions(matter))).await
    }

    /// 法定期限延长了多少;未延期为空 / By how much the limit of the law was extended; null when it was not
    async fn extension(&self, ctx: &Context<'_>) -> Option<Result<Period, Fault>> {
        self.read(ctx, |_, matter| stage::extension(matter)).await
    }

    /// 是否因机关逾期未告知而视为受理 / Whether the law accepted it, because the office was silent
    async fn is_deemed_accepted(&self, ctx: &Context<'_>) -> Option<Result<bool, Fault>> {
        self.read(ctx, |_, matter| Some(stage::is_deemed_accepted(matter))).await
    }

    /// 转报上级机关的时间;未转报为空 / When it was forwarded to the higher office; null when it was not
    async fn forwarded_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime, Fault>> {
        self.read(ctx, |_, matter| stage::forwarded_at(matter)).await
    }

    /// 决定被撤销的情况;未撤销为空 / How its decision was revoked; null when it was not
    async fn revocation(&self, ctx: &Context<'_>) -> Option<Result<Revocation, Fault>> {
        self.read(ctx, |_, matter| stage::revocation(matter)).await
    }

    /// 制证时间 / When the license was made
    async fn license_made_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime, Fault>> {
        self.read(ctx, |_, matter| matter.law.license_made.map(DateTime)).await
    }

    /// 决定和证照的送达时间 / When decision and license were delivered
    async fn delivered_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime, Fault>> {
        self.read(ctx, |_, matter| matter.law.delivered.map(DateTime)).await
    }

    /// 文书,按拟制先后;申请人只看到已签章的 / Its documents in the order of their drafting; an applicant sees those that are sealed
    async fn documents(&self, ctx: &Context<'_>) -> Option<Result<Vec<Document>, Fault>> {
        self.read(ctx, |view, matter| Some(document::documents(&self.case, view, Some(matter.no))))
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

    /// 被催办的情况;未催办为空 / How it was urged; null when it was not
    async fn urged(&self, ctx: &Context<'_>) -> Option<Result<Urged, Fault>> {
        self.read(ctx, |_, matter| matter.urged.map(Urged::from)).await
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
        self.read(ctx, required).await
    }

    /// 材料版本号,随材料变动递增;办理时可带上所见版本 / Version of its materials, rises with every change; a decision may name the one it saw
    async fn materials_version(&self, ctx: &Context<'_>) -> Option<Result<u32, Fault>> {
        self.read(ctx, |_, matter| Some(matter.materials_version)).await
    }

    /// 到期时间;尚未计时时为空 / When it is due; null while no clock runs
    async fn due_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime, Fault>> {
        self.read(ctx, |view, matter| view.waiting_on(matter)?.until.map(DateTime)).await
    }
}
