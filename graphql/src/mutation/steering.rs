//! Steering the scripts of a case: pause, resume, stop with undoing, another version, a message.
//! None of them is an act of the law; a suspension of the clocks is, and stands with those.

use async_graphql::{Context, ID, InputObject, Object};
use tongban_core::command::Steering;
use tongban_core::id::{CaseId, MatterId, MatterNo};
use tongban_core::value::Value;
use tongban_core::way_out;
use tongban_engine::Receipt;

use super::incidents::read_closure;
use super::outcome::{case_payloads, read_id, read_key, settle};
use crate::error::{
    CancelScriptsError, Denied, Fault, PauseScriptsError, RebindCaseError, ResumeScriptsError,
    SendMessageError, Stop,
};
use crate::schema::{Asking, asking};
use crate::view::{Case, Json, MessageHandling, Revision};

/// pauseScripts 的输入 / Input of pauseScripts
#[derive(InputObject)]
pub(crate) struct PauseScriptsInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 只暂停此事项;不填则整个办件 / Only this matter; the whole case when left out
    case_matter_id: Option<ID>,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// resumeScripts 的输入 / Input of resumeScripts
#[derive(InputObject)]
pub(crate) struct ResumeScriptsInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 只恢复此事项;不填则整个办件 / Only this matter; the whole case when left out
    case_matter_id: Option<ID>,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// cancelScripts 的输入 / Input of cancelScripts
#[derive(InputObject)]
pub(crate) struct CancelScriptsInput {
    /// 办件中事项的标识 / Id of the matter
    case_matter_id: ID,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// rebindCase 的输入 / Input of rebindCase
#[derive(InputObject)]
pub(crate) struct RebindCaseInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 换用的版本 / The version
    version: String,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// sendMessage 的输入 / Input of sendMessage
#[derive(InputObject)]
pub(crate) struct SendMessageInput {
    /// 办件中事项的标识 / Id of the matter
    case_matter_id: ID,
    /// 频道,脚本以此接收 / The channel by which a script receives it
    channel: String,
    /// 内容 / What it says
    body: Json,
    /// 可否不读,默认可以 / Whether it may stay unread; it may by default
    handling: Option<MessageHandling>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

case_payloads! {
    /// pauseScripts 的结果 / What came of pauseScripts
    PauseScriptsPayload(PauseScriptsError);
    /// resumeScripts 的结果 / What came of resumeScripts
    ResumeScriptsPayload(ResumeScriptsError);
    /// cancelScripts 的结果 / What came of cancelScripts
    CancelScriptsPayload(CancelScriptsError);
    /// rebindCase 的结果 / What came of rebindCase
    RebindCasePayload(RebindCaseError);
    /// sendMessage 的结果 / What came of sendMessage
    SendMessagePayload(SendMessageError);
}

/// The fields that steer scripts.
#[derive(Default)]
pub(crate) struct SteeringMutations;

#[Object]
impl SteeringMutations {
    /// 暂停脚本;计时、督办和回执照常,只是脚本不再往下走 / Pauses scripts; clocks, cards and replies go on, only the scripts stand still
    async fn pause_scripts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: PauseScriptsInput,
    ) -> Option<Result<PauseScriptsPayload, Fault>> {
        let PauseScriptsInput { case_id, case_matter_id, reason, idempotency_key } = input;
        let done = match read_at(&case_id, case_matter_id.as_ref()) {
            Ok(at) => steer(asking(ctx), at, (Steering::Pause, reason), idempotency_key).await,
            Err(denied) => Err(denied.into()),
        };
        Some(settle(ctx, done).map(PauseScriptsPayload))
    }

    /// 恢复被暂停的脚本 / Lets paused scripts go on
    async fn resume_scripts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: ResumeScriptsInput,
    ) -> Option<Result<ResumeScriptsPayload, Fault>> {
        let ResumeScriptsInput { case_id, case_matter_id, reason, idempotency_key } = input;
        let done = match read_at(&case_id, case_matter_id.as_ref()) {
            Ok(at) => steer(asking(ctx), at, (Steering::Resume, reason), idempotency_key).await,
            Err(denied) => Err(denied.into()),
        };
        Some(settle(ctx, done).map(ResumeScriptsPayload))
    }

    /// 停止一个事项的脚本,并按登记的次序逆向撤销已办;不撤销法律行为 / Stops the script of a matter and undoes what it registered, the last first; never an act of the law
    async fn cancel_scripts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: CancelScriptsInput,
    ) -> Option<Result<CancelScriptsPayload, Fault>> {
        let CancelScriptsInput { case_matter_id, reason, idempotency_key } = input;
        let done = match read_id::<MatterId>("caseMatterId", &case_matter_id) {
            Ok(MatterId { case, no }) => {
                let at = (case, no);
                steer(asking(ctx), at, (Steering::Cancel, reason), idempotency_key).await
            }
            Err(denied) => Err(denied.into()),
        };
        Some(settle(ctx, done).map(CancelScriptsPayload))
    }

    /// 把办件换到另一脚本版本;先按日志试运行,不通过则拒绝 / Moves a case to another version of its scripts, after a dry run over its log
    async fn rebind_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: RebindCaseInput,
    ) -> Option<Result<RebindCasePayload, Fault>> {
        let done = rebind(asking(ctx), input).await;
        Some(settle(ctx, done).map(RebindCasePayload))
    }

    /// 向事项的信箱发一条消息;保存到脚本接收为止 / Sends a message to a matter's mailbox; it is kept until a script receives it
    async fn send_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: SendMessageInput,
    ) -> Option<Result<SendMessagePayload, Fault>> {
        let done = send(asking(ctx), input).await;
        Some(settle(ctx, done).map(SendMessagePayload))
    }
}

/// Reads what is steered: a matter of the case, or all of it.
fn read_at(case: &ID, matter: Option<&ID>) -> Result<(CaseId, MatterNo), Denied> {
    let case: CaseId = read_id("caseId", case)?;
    let Some(matter) = matter else { return Ok((case, MatterNo::COORDINATOR)) };
    let matter: MatterId = read_id("caseMatterId", matter)?;
    if matter.case != case {
        return Err(Denied::invalid(
            "caseMatterId",
            "该事项不属于这个办件",
            "the matter belongs to another case",
        ));
    }
    Ok((case, matter.no))
}

async fn steer(
    asking: Asking<'_>,
    at: (CaseId, MatterNo),
    steering: (Steering, String),
    key: String,
) -> Result<Receipt, Stop> {
    let key = read_key(key)?;
    Ok(asking.engine.steer(asking.viewer, at, steering, key).await?)
}

async fn rebind(asking: Asking<'_>, input: RebindCaseInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    let closure = read_closure(&input.version)?;
    Ok(asking.engine.rebind_case(asking.viewer, case, (closure, input.reason), key).await?)
}

async fn send(asking: Asking<'_>, input: SendMessageInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let MatterId { case, no } = read_id("caseMatterId", &input.case_matter_id)?;
    let body = Value::from_json(&input.body.0).and_then(Value::check).map_err(|error| {
        let text = error.to_string();
        let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
        Denied::invalid("body", zh, en)
    })?;
    let handling = input.handling.map_or(way_out::Handling::Optional, Into::into);
    let message = way_out::Message { channel: input.channel, body, handling };
    Ok(asking.engine.send_message(asking.viewer, (case, no), message, key).await?)
}
