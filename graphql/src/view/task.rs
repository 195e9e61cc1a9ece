//! A task: a decision or an act asked of a person.

use async_graphql::{Context, ID, Object, SimpleObject};
use tongban_core::case::TaskEnd;
use tongban_core::id::TaskId;
use tongban_core::summary::TaskSummary;
use tongban_core::viewer::{Role, Viewer};

use super::clock::light;
use super::code::{Lang, Light, TaskKind, TaskState};
use super::{Case, CaseMatter, DateTime, Json};
use crate::error::Fault;
use crate::schema::asking;

/// A task of a case that the viewer may see. Applicants are never given one.
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

    /// Tells whether the viewer sees what the task is about: he may take it, or supervises.
    fn is_open_to(&self, viewer: &Viewer) -> bool {
        viewer.role == Role::Supervisor || viewer.may_take(&self.row.role, &self.row.region)
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

    /// 可办理的角色,如 natural-resources.approver / The role that may take it, such as natural-resources.approver
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
        if !self.is_open_to(asking(ctx).viewer) {
            return None;
        }
        self.case
            .read(ctx, |view| {
                let task = view.case().tasks.get(&self.row.no)?;
                Some(Json::from(&task.opened.facts))
            })
            .await
    }

    /// 办理结果;未结束或无权办理者为空 / What became of it; null while open and for those who may not take it
    async fn outcome(&self, ctx: &Context<'_>) -> Option<TaskDecision> {
        match &self.end {
            Some(TaskEnd::Completed(decision)) if self.is_open_to(asking(ctx).viewer) => {
                Some(TaskDecision {
                    granted: decision.granted,
                    opinion: decision.opinion.clone(),
                    officer: decision.officer.clone(),
                })
            }
            Some(TaskEnd::Completed(_) | TaskEnd::Dropped) | None => None,
        }
    }

    /// 版本号:认领、退回、办理时须带上 / Version: give it when claiming, releasing or completing
    async fn version(&self) -> u32 {
        self.row.version
    }
}
