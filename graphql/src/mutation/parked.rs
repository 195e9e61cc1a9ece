//! Replies that match no call since a restore: handed to one by a person, or put aside.

use async_graphql::{Context, InputObject, Object};
use tongban_core::id::CallId;
use tongban_core::port::ParkedPlace;
use tongban_engine::Receipt;

use super::outcome::{case_payloads, read_key, refuse, settle};
use crate::error::{DeliverParkedReplyError, Denied, DismissParkedReplyError, Fault, Stop};
use crate::schema::{Asking, asking};
use crate::view::{Case, Revision};

/// 哪份未匹配的回执,见 parkedReplies / Which parked reply, as parkedReplies names it
#[derive(InputObject)]
pub(crate) struct ParkedReplyInput {
    /// 回执所称的调用标识 / Id of the call that it names
    call_id: String,
    /// 回执序号 / Number of the message
    seq: u32,
    /// 连接器 / The connector that it came through
    connector: String,
}

/// deliverParkedReply 的输入 / Input of deliverParkedReply
#[derive(InputObject)]
pub(crate) struct DeliverParkedReplyInput {
    /// 哪份回执 / Which reply
    reply: ParkedReplyInput,
    /// 交付给哪个未结调用;须经同一连接器 / The open call that it answers, of the same connector
    to_call_id: String,
    /// 理由:如何核实它回复的是该调用 / Why: how it was made sure that it answers that call
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// dismissParkedReply 的输入 / Input of dismissParkedReply
#[derive(InputObject)]
pub(crate) struct DismissParkedReplyInput {
    /// 哪份回执 / Which reply
    reply: ParkedReplyInput,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

case_payloads! {
    /// deliverParkedReply 的结果 / What came of deliverParkedReply
    DeliverParkedReplyPayload(DeliverParkedReplyError);
}

/// dismissParkedReply 的结果 / What came of dismissParkedReply
pub(crate) struct DismissParkedReplyPayload {
    errors: Vec<DismissParkedReplyError>,
    replayed: bool,
}

/// dismissParkedReply 的结果 / What came of dismissParkedReply
#[Object]
impl DismissParkedReplyPayload {
    /// 业务错误;空则成功 / Refusals; none means it was done
    async fn errors(&self) -> &[DismissParkedReplyError] {
        &self.errors
    }

    /// 是否由同一幂等键的先前请求完成 / Whether an earlier request with the same key did it
    async fn replayed(&self) -> bool {
        self.replayed
    }
}

/// The fields that settle parked replies.
#[derive(Default)]
pub(crate) struct ParkedMutations;

#[Object]
impl ParkedMutations {
    /// 把未匹配的回执人工交付给一个未结调用;谁、为何记入审计日志。同一份只能交付一次 / Hands a parked reply to an open call; the audit log keeps who and why. Each is handed in once
    async fn deliver_parked_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: DeliverParkedReplyInput,
    ) -> Option<Result<DeliverParkedReplyPayload, Fault>> {
        let done = deliver(asking(ctx), input).await;
        Some(settle(ctx, done).map(DeliverParkedReplyPayload))
    }

    /// 搁置未匹配的回执,不再列出;谁、为何记入审计日志 / Puts a parked reply aside for good; the audit log keeps who and why
    async fn dismiss_parked_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: DismissParkedReplyInput,
    ) -> Option<Result<DismissParkedReplyPayload, Fault>> {
        Some(match dismiss(asking(ctx), input).await {
            Ok(replayed) => Ok(DismissParkedReplyPayload { errors: Vec::new(), replayed }),
            Err(Stop::Denied(denied)) => {
                let errors = vec![refuse(ctx, *denied)];
                Ok(DismissParkedReplyPayload { errors, replayed: false })
            }
            Err(Stop::Fault(fault)) => Err(fault),
        })
    }
}

fn read_call(path: &str, text: &str) -> Result<CallId, Denied> {
    text.parse().map_err(|_| Denied::invalid(path, "调用标识无法识别", "this is no id of a call"))
}

fn read_place(input: ParkedReplyInput) -> Result<ParkedPlace, Denied> {
    Ok((read_call("callId", &input.call_id)?, input.seq, input.connector))
}

async fn deliver(asking: Asking<'_>, input: DeliverParkedReplyInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let place = read_place(input.reply)?;
    let to = (read_call("toCallId", &input.to_call_id)?, input.reason.as_str());
    Ok(asking.engine.deliver_parked(asking.viewer, place, to, key).await?)
}

async fn dismiss(asking: Asking<'_>, input: DismissParkedReplyInput) -> Result<bool, Stop> {
    let key = read_key(input.idempotency_key)?;
    let place = read_place(input.reply)?;
    Ok(asking.engine.dismiss_parked(asking.viewer, place, &input.reason, key).await?)
}
