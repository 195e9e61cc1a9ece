//! A case. It carries the row that lists show; the whole is loaded when a field needs it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use tokio::sync::OnceCell;
use tongban_core::id::{CaseId, MatterNo, RoleCode};
use tongban_core::summary::CaseSummary;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::CaseView;

use super::card::Card;
use super::clock::{Period, case_light};
use super::code::{CaseState, Channel, Lang, Light, label};
use super::document::{self, Document};
use super::event::events_of;
use super::form::{FormSource, FormValue, form_sources, form_values};
use super::material::{Material, handed_in};
use super::person::{Consent, Party};
use super::waiting::{WaitingOn, case_waiting};
use super::{
    CaseMatter, CombinedService, DateTime, EventConnection, Incident, Revision, ScriptPause, Task,
};
use crate::error::Fault;
use crate::schema::asking;

/// Tells whether a task is shown to a viewer: staff see all of a case, an applicant his own.
fn is_for(viewer: &Viewer, role: &RoleCode) -> bool {
    viewer.role != Role::Applicant || role.is_applicant()
}

/// A case that the viewer may see.
#[derive(Clone)]
pub(crate) struct Case {
    row: Arc<CaseSummary>,
    /// The whole, once a field has asked for it; `None` when it may not be seen any more.
    whole: Arc<OnceCell<Option<CaseView>>>,
}

impl From<CaseSummary> for Case {
    fn from(row: CaseSummary) -> Self {
        Self { row: Arc::new(row), whole: Arc::default() }
    }
}

impl From<CaseView> for Case {
    fn from(view: CaseView) -> Self {
        let row = Arc::new(view.summary());
        Self { row, whole: Arc::new(OnceCell::new_with(Some(Some(view)))) }
    }
}

impl Case {
    /// Loads a case for the viewer of a request.
    pub(crate) async fn load(ctx: &Context<'_>, id: CaseId) -> Result<Option<Self>, Fault> {
        let asking = asking(ctx);
        Ok(asking.engine.case(asking.viewer, id).await?.map(Self::from))
    }

    /// Returns the row.
    pub(crate) fn row(&self) -> &CaseSummary {
        &self.row
    }

    /// Returns matter `no`, if it is part of the case.
    pub(crate) fn matter(&self, no: tongban_core::id::MatterNo) -> Option<CaseMatter> {
        let row = self.row.matters.iter().find(|matter| matter.no == no)?;
        Some(CaseMatter::new(self.clone(), row.clone()))
    }

    /// Returns a task of the whole case, open or not.
    pub(crate) async fn task(
        &self,
        ctx: &Context<'_>,
        no: tongban_core::id::Seq,
    ) -> Option<Result<Task, Fault>> {
        let viewer = asking(ctx).viewer;
        self.read(ctx, |view| {
            let task = view.case().tasks.get(&no).filter(|task| is_for(viewer, &task.role))?;
            Some(Task::of(self.clone(), view.task_summary(task), task.end.clone()))
        })
        .await
    }

    /// Returns an incident of the case, settled or not, if the viewer may see it.
    pub(crate) async fn incident(
        &self,
        ctx: &Context<'_>,
        seq: tongban_core::id::Seq,
    ) -> Option<Result<Incident, Fault>> {
        let viewer = asking(ctx).viewer;
        self.read(ctx, |view| {
            let item = view.incidents(viewer).into_iter().find(|item| item.seq == seq)?;
            Some(Incident::new(self.clone(), item))
        })
        .await
    }

    /// Takes something out of the whole case, which is loaded at most once.
    pub(crate) async fn read<T>(
        &self,
        ctx: &Context<'_>,
        take: impl FnOnce(&CaseView) -> Option<T>,
    ) -> Option<Result<T, Fault>> {
        let load = || async {
            let asking = asking(ctx);
            Ok(asking.engine.case(asking.viewer, self.row.case).await?)
        };
        match self.whole.get_or_try_init(load).await {
            Ok(Some(view)) => take(view).map(Ok),
            Ok(None) => None,
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Returns the other open cases of the same applicant and service that the viewer may see.
    pub(crate) async fn others(&self, ctx: &Context<'_>) -> Option<Result<Vec<Self>, Fault>> {
        let asking = asking(ctx);
        let view = match self.read(ctx, |view| Some(view.clone())).await? {
            Ok(view) => view,
            Err(fault) => return Some(Err(fault)),
        };
        let found = asking.engine.duplicates(asking.viewer, &view).await;
        Some(found.map(|rows| rows.into_iter().map(Self::from).collect()).map_err(Fault::from))
    }

    fn open_tasks(&self, viewer: &Viewer) -> Vec<Task> {
        let tasks = self.row.tasks.iter().filter(|task| is_for(viewer, &task.role));
        tasks.map(|row| Task::of(self.clone(), row.clone(), None)).collect()
    }
}

/// 办件:一次申请,含各部门的事项 / A case: one application with the matters of several departments
#[Object]
impl Case {
    /// 标识 / Id
    pub(crate) async fn id(&self) -> ID {
        ID(self.row.case.to_string())
    }

    /// 办件编号 / Public number
    async fn number(&self) -> &str {
        &self.row.number
    }

    /// 一件事服务;已下线时为空 / The combined service; null when it is no longer offered
    async fn service(&self, ctx: &Context<'_>) -> Option<CombinedService> {
        CombinedService::find(asking(ctx), self.row.service.as_str())
    }

    /// 一件事服务代码 / Code of the service
    async fn service_code(&self) -> &str {
        self.row.service.as_str()
    }

    /// 申请时的服务名称 / Name of the service, as it was
    async fn service_name(&self) -> &str {
        &self.row.service_name
    }

    /// 状态,由各事项推导 / State, derived from its matters
    async fn state(&self) -> CaseState {
        self.row.state.into()
    }

    /// 状态名称 / Name of the state
    async fn state_label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        label(lang, self.row.state.code(), self.row.state.name())
    }

    /// 申请人 / The applicant
    async fn applicant(&self) -> Party {
        Party::masked(self.row.applicant_masked.clone(), &self.row.scope.applicant)
    }

    /// 代办人 / Who files for the applicant
    async fn agent(&self, ctx: &Context<'_>) -> Option<Result<Party, Fault>> {
        self.read(ctx, |view| view.case().started.agent.as_ref().map(Party::of)).await
    }

    /// 受理地区代码 / Code of the region where it was filed
    async fn region(&self) -> &str {
        self.row.scope.region.as_str()
    }

    /// 承诺总时限 / The promise for the whole
    async fn promise(&self, ctx: &Context<'_>) -> Option<Result<Period, Fault>> {
        self.read(ctx, |view| view.case().started.promise.map(Period::declared)).await
    }

    /// 并联事项 / Its matters
    async fn matters(&self) -> Vec<CaseMatter> {
        let matters = self.row.matters.iter();
        matters.map(|row| CaseMatter::new(self.clone(), row.clone())).collect()
    }

    /// 申请人提交的材料,含各版本 / Materials that the applicant gave, every version
    async fn materials(&self, ctx: &Context<'_>) -> Option<Result<Vec<Material>, Fault>> {
        self.read(ctx, |view| Some(handed_in(view.case()))).await
    }

    /// 用证和用数授权,按作出的次序 / Authorisations to use licenses and data, in the order in which they were given
    async fn consents(&self, ctx: &Context<'_>) -> Option<Result<Vec<Consent>, Fault>> {
        self.read(ctx, |view| {
            Some(view.case().consents.iter().map(|consent| Consent::of(view, consent)).collect())
        })
        .await
    }

    /// 表单,每个值附来源;部门只看本部门事项的字段 / The form, each value with its source; an office reads the fields of its own matters
    async fn form(&self, ctx: &Context<'_>) -> Option<Result<Vec<FormValue>, Fault>> {
        let asking = asking(ctx);
        self.read(ctx, |view| {
            let closure = asking.engine.declarations(view);
            Some(form_values(view, closure.as_deref(), asking.viewer))
        })
        .await
    }

    /// 预填表单时查询的数据来源及结果 / The data sources that were asked to fill the form, with what came of each
    async fn form_sources(&self, ctx: &Context<'_>) -> Option<Result<Vec<FormSource>, Fault>> {
        self.read(ctx, |view| Some(form_sources(view))).await
    }

    /// 表单版本号,随更正递增;办理时可带上所见版本 / Version of the form, rises with every amendment; a decision may name the one it saw
    async fn form_version(&self, ctx: &Context<'_>) -> Option<Result<u32, Fault>> {
        self.read(ctx, |view| Some(view.case().form_version())).await
    }

    /// 申请渠道;未登记为空 / Channel of the application; null when none was recorded
    async fn channel(&self, ctx: &Context<'_>) -> Option<Result<Channel, Fault>> {
        self.read(ctx, |view| Channel::of_code(view.case().started.arrival.channel)).await
    }

    /// 补录的实际收件时间;非补录为空 / When the papers were really taken; null unless they were recorded later
    async fn received_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime, Fault>> {
        self.read(ctx, |view| view.case().started.arrival.received_at.map(DateTime)).await
    }

    /// 文书,按拟制先后;申请人只看到已签章的 / Its documents in the order of their drafting; an applicant sees those that are sealed
    async fn documents(&self, ctx: &Context<'_>) -> Option<Result<Vec<Document>, Fault>> {
        self.read(ctx, |view| Some(document::documents(self, view, None))).await
    }

    /// 督办牌;申请人看不到 / Supervision cards; not shown to applicants
    async fn cards(&self, ctx: &Context<'_>) -> Option<Result<Vec<Card>, Fault>> {
        if asking(ctx).viewer.role == Role::Applicant {
            return None;
        }
        self.read(ctx, |view| {
            let cards = view.case().cards.values();
            Some(cards.map(|card| Card::of(self.clone(), card.clone())).collect())
        })
        .await
    }

    /// 同一申请人同一服务的其他未结办件:仅提示,不妨碍办理 / Other open cases of the same applicant and service: a warning, never a refusal
    async fn duplicates(&self, ctx: &Context<'_>) -> Option<Result<Vec<Case>, Fault>> {
        self.others(ctx).await
    }

    /// 待办;申请人只看到请其本人办理的 / Its tasks; an applicant sees those that ask something of him
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "true 只看未结,false 只看已结,默认全部 / true for open ones, false for ended ones, both by default"
        )]
        open: Option<bool>,
    ) -> Option<Result<Vec<Task>, Fault>> {
        let viewer = asking(ctx).viewer;
        if open == Some(true) {
            return Some(Ok(self.open_tasks(viewer)));
        }
        self.read(ctx, |view| {
            let tasks = view.case().tasks.values().filter(|task| is_for(viewer, &task.role));
            let wanted = tasks.filter(|task| open.is_none() || task.end.is_some());
            let shown = |task| Task::of(self.clone(), view.task_summary(task), task.end.clone());
            Some(wanted.map(shown).collect())
        })
        .await
    }

    /// 正在等谁 / Who is waited for
    async fn waiting_on(&self, ctx: &Context<'_>) -> Option<Result<WaitingOn, Fault>> {
        self.read(ctx, case_waiting).await
    }

    /// 灯色:取各事项中最严重者 / The gravest light of its matters
    async fn light(&self, ctx: &Context<'_>) -> Option<Result<Light, Fault>> {
        self.read(ctx, case_light).await
    }

    /// 尚未处理的异常数;申请人看不到 / Incidents that nobody has resolved; not shown to applicants
    async fn incidents(&self, ctx: &Context<'_>) -> Option<u32> {
        (asking(ctx).viewer.role != Role::Applicant).then_some(self.row.incidents)
    }

    /// 异常;部门只看本部门事项的,牵头部门看整个办件的 / Its incidents: an office sees those of its own matters
    async fn incident_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "true 只看未处理,false 只看已处理,默认全部 / true for open ones, false for settled ones, both by default"
        )]
        open: Option<bool>,
    ) -> Option<Result<Vec<Incident>, Fault>> {
        let viewer = asking(ctx).viewer;
        self.read(ctx, |view| {
            let all = view.incidents(viewer).into_iter();
            let wanted = all.filter(|item| open.is_none_or(|open| open == item.state.is_open()));
            Some(wanted.map(|item| Incident::new(self.clone(), item)).collect())
        })
        .await
    }

    /// 所用的脚本版本;申请人看不到 / The version of the scripts that it is on; not shown to applicants
    async fn script_version(&self, ctx: &Context<'_>) -> Option<Result<String, Fault>> {
        let applicant = asking(ctx).viewer.role == Role::Applicant;
        self.read(ctx, |view| (!applicant).then(|| view.case().closure().to_string())).await
    }

    /// 整个办件的脚本被谁暂停;计时和督办照常 / Who has paused the scripts of the whole case; clocks and cards go on
    async fn paused(&self, ctx: &Context<'_>) -> Option<Result<ScriptPause, Fault>> {
        let applicant = asking(ctx).viewer.role == Role::Applicant;
        self.read(ctx, |view| {
            let paused = view.case().paused.get(&MatterNo::COORDINATOR);
            paused.filter(|_| !applicant).map(ScriptPause::of)
        })
        .await
    }

    /// 事件,从早到晚 / What happened, oldest first
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "最多多少条,1 到 100 / At most so many, 1 to 100")] first: i32,
        #[graphql(desc = "从此游标之后 / After this cursor")] after: Option<String>,
    ) -> Option<Result<EventConnection, Fault>> {
        events_of(asking(ctx), self.row.case, (first, after)).await.transpose()
    }

    /// 提交时间 / When it was submitted
    async fn submitted_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime, Fault>> {
        self.read(ctx, |view| view.case().submitted.map(|(_, at)| DateTime(at))).await
    }

    /// 建立时间 / When it was started
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// 最近变动时间 / When it last changed
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }

    /// 本对象所反映的修订号 / The revision that this object shows
    async fn revision(&self) -> Revision {
        Revision(self.row.revision)
    }
}
