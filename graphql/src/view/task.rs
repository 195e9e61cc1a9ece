//! A task: a decision or an act asked of a person.

use async_graphql::{Context, ID, Object, SimpleObject};
use tongban_core::case::{self, TaskEnd};
use tongban_core::id::TaskId;
use tongban_core::organisation::directory::Person;
use tongban_core::request::Decision;
use tongban_core::summary::TaskSummary;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::Role;

use super::clock::light;
use super::code::{Lang, Light, TaskKind, TaskState};
use super::{Case, CaseMatter, DateTime, Json};
use crate::error::Fault;
use crate::schema::{Asking, asking};

/// A task of a case that the viewer may see. Applicants are given only what they do themselves.
#[derive(Clone)]
pub(crate) struct Task {
    case: Case,
    row: TaskSummary,
    end: Option<TaskEnd>,
}

impl Task {
    /// Puts a task's row beside its case and its end.
    pub(crate) fn of(case: Case, row: TaskSummary, end: Option<TaskEnd>) -> Self {
        Self { case, row, end }
    }

    /// Returns the version in force.
    pub(crate) fn version_now(&self) -> u32 {
        self.row.version
    }

    async fn read<T>(
        &self,
        ctx: &Context<'_>,
        take: impl FnOnce(&case::Task) -> Option<T>,
    ) -> Option<Result<T, Fault>> {
        self.case.read(ctx, |view| take(view.case().tasks.get(&self.row.no)?)).await
    }

    /// Tells whether the viewer sees what the task is about: he may take it, or supervises.
    fn is_open_to(&self, asking: Asking<'_>) -> bool {
        let (viewer, engine) = (asking.viewer, asking.engine);
        let standing = engine.standing();
        viewer.role == Role::Supervisor
            || standing.organisation.lets_take(viewer, self.row.addressee(), engine.lawful_now())
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("no", &self.row.no).finish_non_exhaustive()
    }
}

/// 待办的办理结果 / What became of a task
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct TaskDecision {
    /// 是否同意 / Whether it was a yes
    granted: bool,
    /// 意见 / Reasons or opinion
    opinion: String,
    /// 办理人 / Who decided
    officer: String,
}

impl From<&Decision> for TaskDecision {
    fn from(decision: &Decision) -> Self {
        Self {
            granted: decision.granted,
            opinion: decision.opinion.clone(),
            officer: decision.officer.clone(),
        }
    }
}

/// 催办的情况 / How a task was urged
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Urged {
    /// 次数 / How often
    times: u32,
    /// 最近一次 / When last
    last_at: DateTime,
}

impl From<(u32, Moment)> for Urged {
    fn from((times, last): (u32, Moment)) -> Self {
        Self { times, last_at: last.into() }
    }
}

/// 工作人员 / Somebody who works in an office
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Officer {
    /// 身份标识 / Subject of the identity
    subject: String,
    /// 姓名 / The name that colleagues see
    name: String,
}

impl From<&Person> for Officer {
    fn from(person: &Person) -> Self {
        Self { subject: person.subject.clone(), name: person.name.clone() }
    }
}

/// 待办:请人作出的决定或办理的事务 / A task: a decision or an act asked of a person
#[Object]
impl Task {
    /// 标识 / Id
    pub(crate) async fn id(&self) -> ID {
        let id = TaskId { case: self.case.row().case, no: self.row.no };
        ID(id.to_string())
    }

    /// 类别 / What it is for
    async fn kind(&self) -> TaskKind {
        self.row.kind.into()
    }

    /// 类别名称 / Name of the kind
    async fn kind_label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        TaskKind::label(self.row.kind, lang)
    }

    /// 标题 / What the person reads
    async fn title(&self) -> &str {
        &self.row.title
    }

    /// 状态 / State
    async fn state(&self) -> TaskState {
        match &self.end {
            Some(TaskEnd::Completed(_)) => TaskState::Completed,
            Some(TaskEnd::Dropped) => TaskState::Dropped,
            None if self.row.assignee.is_some() => TaskState::Claimed,
            None => TaskState::Open,
        }
    }

    /// 所属办件 / Its case
    async fn case(&self) -> &Case {
        &self.case
    }

    /// 所属事项 / Its matter
    async fn case_matter(&self) -> Option<CaseMatter> {
        self.case.matter(self.row.matter)
    }

    /// 现由哪个角色办理,上报后会变,如 natural-resources.approver / The role that may take it, such as natural-resources.approver
    async fn role(&self) -> &str {
        self.row.role.as_str()
    }

    /// 办理地区代码 / Code of the region
    async fn region(&self) -> &str {
        self.row.region.as_str()
    }

    /// 认领人 / Who has taken it
    async fn assignee(&self) -> Option<&str> {
        self.row.assignee.as_deref()
    }

    /// 是否由我认领 / Whether I have taken it
    async fn is_mine(&self, ctx: &Context<'_>) -> bool {
        self.row.assignee.as_ref() == Some(&asking(ctx).viewer.subject)
    }

    /// 产生时间 / When it was opened
    async fn opened_at(&self) -> DateTime {
        self.row.opened_at.into()
    }

    /// 到期时间;无计时则为空 / When it is due; null when no clock runs
    async fn due_at(&self) -> Option<DateTime> {
        self.row.due_at.map(DateTime)
    }

    /// 灯色;无计时或已结束则为空 / Its light; null when no clock runs or it is over
    async fn light(&self, ctx: &Context<'_>) -> Option<Light> {
        let due = self.row.due_at.filter(|_| self.end.is_none())?;
        Some(light(self.row.opened_at, due, asking(ctx).engine.lawful_now()))
    }

    /// 供判断的事实;无权办理者为空 / The facts beside it; null for those who may not take it
    async fn facts(&self, ctx: &Context<'_>) -> Option<Result<Json, Fault>> {
        if !self.is_open_to(asking(ctx)) {
            return None;
        }
        self.case
            .read(ctx, |view| {
                let task = view.case().tasks.get(&self.row.no)?;
                Some(Json::from(&task.facts))
            })
            .await
    }

    /// 限期委派到何时;之后任务回到岗位 / Until when it was given to its holder; after it the task is again its role's
    async fn assigned_until(&self, ctx: &Context<'_>) -> Option<Result<DateTime, Fault>> {
        self.read(ctx, |task| {
            self.row.assignee.as_ref()?;
            task.assigned_until.map(DateTime)
        })
        .await
    }

    /// 办理草稿;只给办理人自己 / What has been written so far; only for its holder
    async fn draft(&self, ctx: &Context<'_>) -> Option<Result<Json, Fault>> {
        if self.row.assignee.as_ref() != Some(&asking(ctx).viewer.subject) {
            return None;
        }
        let draft = |task: &case::Task| {
            Some(&task.draft).filter(|draft| **draft != Value::Null).map(Json::from)
        };
        self.read(ctx, draft).await
    }

    /// 四眼复核:第一名审批人的意见;无权办理者为空 / Where two must decide: the first officer's word; null for those who may not take it
    async fn proposed(&self, ctx: &Context<'_>) -> Option<Result<TaskDecision, Fault>> {
        if !self.is_open_to(asking(ctx)) {
            return None;
        }
        self.read(ctx, |task| task.proposed.as_ref().map(|(_, proposed)| proposed.into())).await
    }

    /// 被催办的情况;未催办为空 / How it was urged; null when it was not
    async fn urged(&self, ctx: &Context<'_>) -> Option<Result<Urged, Fault>> {
        self.read(ctx, |task| task.urged.map(Urged::from)).await
    }

    /// 当前担任该职务、可以指派的人 / Those who hold its role now, to whom it can be assigned
    async fn candidates(&self, ctx: &Context<'_>) -> Option<Result<Vec<Officer>, Fault>> {
        self.case
            .read(ctx, |view| {
                let reading = view.reading();
                let (role, region, today) = (&self.row.role, &self.row.region, reading.now.date());
                let holders = reading.organisation.holders(role, region, today);
                Some(holders.map(Officer::from).collect())
            })
            .await
    }

    /// 办理结果;未结束或无权办理者为空 / What became of it; null while open and for those who may not take it
    async fn outcome(&self, ctx: &Context<'_>) -> Option<TaskDecision> {
        match &self.end {
            Some(TaskEnd::Completed(decision)) if self.is_open_to(asking(ctx)) => {
                Some(decision.into())
            }
            Some(TaskEnd::Completed(_) | TaskEnd::Dropped) | None => None,
        }
    }

    /// 版本号:认领、退回、办理时须带上 / Version: give it when claiming, releasing or completing
    async fn version(&self) -> u32 {
        self.row.version
    }
}
