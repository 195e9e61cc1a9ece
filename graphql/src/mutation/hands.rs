//! Tasks handed from one person to another, urged, and written down half done.

use async_graphql::{Context, ID, InputObject, Object};
use tongban_core::command::TaskChange;
use tongban_core::id::{RoleCode, TaskId};
use tongban_engine::{Change, IdempotencyKey, Receipt};

use super::cases::read_map;
use super::outcome::{case_payloads, read_id, read_key, settle};
use super::tasks::{TaskChanged, change, load, task_payloads};
use crate::error::{
    AssignTaskError, EscalateTaskError, Fault, SaveDraftError, Stop, TakeOverTasksError,
    UrgeTaskError,
};
use crate::schema::{Asking, asking};
use crate::view::{Case, DateTime, Json, Revision, Task};

/// assignTask 的输入 / Input of assignTask
#[derive(InputObject)]
pub(crate) struct AssignTaskInput {
    /// 待办标识 / Id of the task
    task_id: ID,
    /// 看到的版本号;已变动则拒绝 / Version that was seen; refused when it has changed
    expected_version: u32,
    /// 给谁:其身份标识,见 candidates / To whom: the subject of his identity, see candidates
    to: String,
    /// 委派到何时;之后任务回到岗位;不填则一直有效 / Until when; after it the task is again its role's; for good when left out
    until: Option<DateTime>,
    /// 理由 / Why
    reason: Option<String>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// escalateTask 的输入 / Input of escalateTask
#[derive(InputObject)]
pub(crate) struct EscalateTaskInput {
    /// 待办标识 / Id of the task
    task_id: ID,
    /// 看到的版本号;已变动则拒绝 / Version that was seen; refused when it has changed
    expected_version: u32,
    /// 上报给同一部门的哪个角色,如 transport.head / To which role of the department, such as transport.head
    to_role: String,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// urgeTask 的输入 / Input of urgeTask
#[derive(InputObject)]
pub(crate) struct UrgeTaskInput {
    /// 待办标识 / Id of the task
    task_id: ID,
    /// 催办内容 / What to say
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// saveDraft 的输入 / Input of saveDraft
#[derive(InputObject)]
pub(crate) struct SaveDraftInput {
    /// 待办标识 / Id of the task
    task_id: ID,
    /// 看到的版本号;已变动则拒绝。保存草稿不改变版本号 / Version that was seen; refused when it has changed. Saving a draft does not change it
    expected_version: u32,
    /// 草稿 / The draft
    draft: Json,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// takeOverTasks 的输入 / Input of takeOverTasks
#[derive(InputObject)]
pub(crate) struct TakeOverTasksInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 接替谁:其身份标识 / From whom: the subject of his identity
    from: String,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

task_payloads! {
    /// assignTask 的结果 / What came of assignTask
    AssignTaskPayload(AssignTaskError);
    /// escalateTask 的结果 / What came of escalateTask
    EscalateTaskPayload(EscalateTaskError);
    /// urgeTask 的结果 / What came of urgeTask
    UrgeTaskPayload(UrgeTaskError);
    /// saveDraft 的结果 / What came of saveDraft
    SaveDraftPayload(SaveDraftError);
}

case_payloads! {
    /// takeOverTasks 的结果 / What came of takeOverTasks
    TakeOverTasksPayload(TakeOverTasksError);
}

/// The fields that hand tasks on.
#[derive(Default)]
pub(crate) struct HandMutations;

#[Object]
impl HandMutations {
    /// 指派或限期委派待办,只能给担任该职务的人 / Gives a task to a person who holds its role, perhaps for a while
    async fn assign_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: AssignTaskInput,
    ) -> Option<Result<AssignTaskPayload, Fault>> {
        let id = input.task_id.clone();
        let done = assign(asking(ctx), input).await;
        Some(change(ctx, &id, done).await.map(AssignTaskPayload))
    }

    /// 上报给本部门的其他岗位 / Sends a task up to another role of its department
    async fn escalate_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: EscalateTaskInput,
    ) -> Option<Result<EscalateTaskPayload, Fault>> {
        let id = input.task_id.clone();
        let done = escalate(asking(ctx), input).await;
        Some(change(ctx, &id, done).await.map(EscalateTaskPayload))
    }

    /// 催办:牵头部门、窗口、督查人员 / Urges those who hold a task: the lead department, the window, a supervisor
    async fn urge_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: UrgeTaskInput,
    ) -> Option<Result<UrgeTaskPayload, Fault>> {
        let UrgeTaskInput { task_id: id, reason, idempotency_key: key } = input;
        let done = match read_key(key) {
            Ok(key) => urge(asking(ctx), &id, (reason, key)).await,
            Err(denied) => Err(denied.into()),
        };
        Some(change(ctx, &id, done).await.map(UrgeTaskPayload))
    }

    /// 保存办理草稿,只有办理人自己看得到 / Keeps what has been written so far; only its holder sees it
    async fn save_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: SaveDraftInput,
    ) -> Option<Result<SaveDraftPayload, Fault>> {
        let id = input.task_id.clone();
        let done = save(asking(ctx), input).await;
        Some(change(ctx, &id, done).await.map(SaveDraftPayload))
    }

    /// 接手缺席同事在一个办件中的全部待办 / Takes over everything that an absent colleague holds in a case
    async fn take_over_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: TakeOverTasksInput,
    ) -> Option<Result<TakeOverTasksPayload, Fault>> {
        let done = take_over(asking(ctx), input).await;
        Some(settle(ctx, done).map(TakeOverTasksPayload))
    }
}

async fn assign(asking: Asking<'_>, input: AssignTaskInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let task: TaskId = read_id("taskId", &input.task_id)?;
    let what = TaskChange::Assign {
        to: input.to,
        until: input.until.map(|until| until.0),
        reason: input.reason.unwrap_or_default(),
    };
    let changed = (input.expected_version, what);
    Ok(asking.engine.change_task(asking.viewer, task, changed, key).await?)
}

async fn escalate(asking: Asking<'_>, input: EscalateTaskInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let task: TaskId = read_id("taskId", &input.task_id)?;
    let what = TaskChange::Escalate { to: RoleCode::new(input.to_role), reason: input.reason };
    let changed = (input.expected_version, what);
    Ok(asking.engine.change_task(asking.viewer, task, changed, key).await?)
}

/// Urges one task. Whoever urges need not know its version.
pub(super) async fn urge(
    asking: Asking<'_>,
    id: &ID,
    said: (String, IdempotencyKey),
) -> Result<Receipt, Stop> {
    let (reason, key) = said;
    let task: TaskId = read_id("taskId", id)?;
    let urged = (0, TaskChange::Urge { reason });
    Ok(asking.engine.change_task(asking.viewer, task, urged, key).await?)
}

async fn save(asking: Asking<'_>, input: SaveDraftInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let task: TaskId = read_id("taskId", &input.task_id)?;
    let what = TaskChange::Draft(read_map("draft", Some(input.draft))?);
    let changed = (input.expected_version, what);
    Ok(asking.engine.change_task(asking.viewer, task, changed, key).await?)
}

async fn take_over(asking: Asking<'_>, input: TakeOverTasksInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    let change = Change::TakeOver { from: input.from, reason: input.reason };
    Ok(asking.engine.change_case(asking.viewer, case, change, key).await?)
}
