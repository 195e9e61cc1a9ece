//! Replies of agencies that match no call, after a restore.

use async_graphql::SimpleObject;
use tongban_engine::ParkedView;

use super::DateTime;

/// 恢复备份后,对不上任何调用的部门回执;办件再次发起同一调用时自动并入 / A reply that matches no call since a backup was restored; handed in once its case asks again
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct ParkedReply {
    /// 调用标识 / Id of the call
    call_id: String,
    /// 回执序号 / Number of the message
    seq: u32,
    /// 连接器 / The connector that it came through
    connector: String,
    /// 收到时间 / When it came
    received_at: DateTime,
    /// 回执种类,如 completed / What it is, such as completed
    kind: String,
}

impl From<ParkedView> for ParkedReply {
    fn from(parked: ParkedView) -> Self {
        let ParkedView { call, seq, connector, at, kind } = parked;
        Self { call_id: call.to_string(), seq, connector, received_at: at.into(), kind }
    }
}
