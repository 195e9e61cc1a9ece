//! Claiming, releasing and completing a task, each at the version that the person saw.

use async_graphql::{Context, ID, InputObject, Object};
use tongban_core::command::TaskOutcome;
use tongban_core::id::TaskId;
use tongban_engine::{Decided, Receipt};

use super::came::{SeenInput, read_seen};
use super::cases::read_map;
use super::outcome::{Outcome, read_id, read_key, settle};
use crate::error::{
    ClaimTaskError, CompleteTaskError, Denied, Fault, ReleaseTaskError, Stop, UserErrorCode,
};
use crate::schema::{Asking, asking};
use crate::view::{Case, Json, Revision, Task};

/// claimTask 的输入 / Input of claimTask
#[derive(InputObject)]
pub(crate) struct ClaimTaskInput {
    /// 待办标识 / Id of the task
    task_id: ID,
    /// 看到的版本号;已变动则拒绝 / Version that was seen; refused when it has changed
    expected_version: u32,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// releaseTask 的输入 / Input of releaseTask
#[derive(InputObject)]
pub(crate) struct ReleaseTaskInput {
    /// 待办标识 / Id of the task
    task_id: ID,
    /// 看到的版本号;已变动则拒绝 / Version that was seen; refused when it has changed
    expected_version: u32,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// completeTask 的输入 / Input of completeTask
#[derive(InputObject)]
pub(crate) struct CompleteTaskInput {
    /// 待办标识 / Id of the task
    task_id: ID,
    /// 看到的版本号;已变动则拒绝 / Version that was seen; refused when it has changed
    expected_version: u32,
    /// 是否同意 / Yes or no
    granted: bool,
    /// 意见;不同意时必填 / Opinion; needed for a no
    opinion: Option<String>,
    /// 其他字段,如不予受理的理由 ground、文书编号 / Further fields, such as the ground of a refusal, the number of a document
    fields: Option<Json>,
    /// 看到的材料和表单版本号;已变动则拒绝 / Versions of materials and form that were seen; refused when one has changed
    seen: Option<SeenInput>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// What came of a mutation of a task.
pub(crate) struct TaskChanged<E> {
    pub(super) task: Option<TaskId>,
    pub(super) outcome: Outcome<E>,
}

/// Declares payload types over [`TaskChanged`], each with its own union of refusals.
macro_rules! task_payloads {
    ($($(#[doc = $doc:literal])+ $name:ident($error:ident);)*) => {$(
        $(#[doc = $doc])+
        pub(crate) struct $name(TaskChanged<$error>);

        $(#[doc = $doc])+
        #[Object]
        impl $name {
            /// 变更后的待办;被拒绝时为空 / The task afterwards; null when refused
            async fn task(&self, ctx: &Context<'_>) -> Option<Result<Task, Fault>> {
                self.0.outcome.case?;
                load(ctx, self.0.task?).await
            }

            /// 变更后的办件;被拒绝时为空 / The case afterwards; null when refused
            async fn case(&self, ctx: &Context<'_>) -> Option<Result<Case, Fault>> {
                Case::load(ctx, self.0.outcome.case?).await.transpose()
            }

            /// 业务错误;空则成功 / Refusals; none means it was done
            async fn errors(&self) -> &[$error] {
                &self.0.outcome.errors
            }

            /// 此变更可读的修订号 / Revision by which the change can be read
            async fn revision(&self) -> Revision {
                Revision(self.0.outcome.revision)
            }

            /// 是否由同一幂等键的先前请求完成 / Whether an earlier request with the same key did it
            async fn replayed(&self) -> bool {
                self.0.outcome.replayed
            }
        }
    )*};
}

pub(super) use task_payloads;

task_payloads! {
    /// claimTask 的结果 / What came of claimTask
    ClaimTaskPayload(ClaimTaskError);
    /// releaseTask 的结果 / What came of releaseTask
    ReleaseTaskPayload(ReleaseTaskError);
    /// completeTask 的结果 / What came of completeTask
    CompleteTaskPayload(CompleteTaskError);
}

/// The fields that change tasks.
#[derive(Default)]
pub(crate) struct TaskMutations;

#[Object]
impl TaskMutations {
    /// 认领待办 / Takes a task
    async fn claim_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: ClaimTaskInput,
    ) -> Option<Result<ClaimTaskPayload, Fault>> {
        let id = input.task_id.clone();
        let done = claim(asking(ctx), input).await;
        Some(change(ctx, &id, done).await.map(ClaimTaskPayload))
    }

    /// 退回已认领的待办 / Gives a task back
    async fn release_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: ReleaseTaskInput,
    ) -> Option<Result<ReleaseTaskPayload, Fault>> {
        let id = input.task_id.clone();
        let done = release(asking(ctx), input).await;
        Some(change(ctx, &id, done).await.map(ReleaseTaskPayload))
    }

    /// 办理待办:受理、审批等 / Does what a task asks: accept, decide, and so on
    async fn complete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: CompleteTaskInput,
    ) -> Option<Result<CompleteTaskPayload, Fault>> {
        let id = input.task_id.clone();
        let done = complete(asking(ctx), input).await;
        Some(change(ctx, &id, done).await.map(CompleteTaskPayload))
    }
}

async fn claim(asking: Asking<'_>, input: ClaimTaskInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let task = read_id("taskId", &input.task_id)?;
    Ok(asking.engine.claim_task(asking.viewer, task, input.expected_version, key).await?)
}

async fn release(asking: Asking<'_>, input: ReleaseTaskInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let task = read_id("taskId", &input.task_id)?;
    Ok(asking.engine.release_task(asking.viewer, task, input.expected_version, key).await?)
}

async fn complete(asking: Asking<'_>, input: CompleteTaskInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let task = read_id("taskId", &input.task_id)?;
    let outcome = TaskOutcome {
        granted: input.granted,
        opinion: input.opinion.unwrap_or_default(),
        fields: read_map("fields", input.fields)?,
    };
    let seen = read_seen(input.seen);
    let decided = Decided { seen, ..Decided::at(input.expected_version, outcome) };
    Ok(asking.engine.complete_task(asking.viewer, task, decided, key).await?)
}

/// Makes a payload's content; a conflict carries the task as it is now.
pub(super) async fn change<E: From<Denied>>(
    ctx: &Context<'_>,
    id: &ID,
    done: Result<Receipt, Stop>,
) -> Result<TaskChanged<E>, Fault> {
    let task = id.parse().ok();
    let done = match (done, task) {
        (Err(Stop::Denied(denied)), Some(task))
            if denied.code == UserErrorCode::VersionConflict =>
        {
            let current = load(ctx, task).await.transpose()?;
            Err(denied.beside(current).into())
        }
        (done, _) => done,
    };
    Ok(TaskChanged { task, outcome: settle(ctx, done)? })
}

/// Loads a task for the viewer of a request.
pub(super) async fn load(ctx: &Context<'_>, id: TaskId) -> Option<Result<Task, Fault>> {
    match Case::load(ctx, id.case).await.transpose()? {
        Ok(case) => case.task(ctx, id.no).await,
        Err(fault) => Some(Err(fault)),
    }
}
