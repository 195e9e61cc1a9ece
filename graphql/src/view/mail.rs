//! What a matter's script is told from outside: messages, a pause, a stop.

use async_graphql::{Enum, SimpleObject};
use tongban_core::case::{Cancelled, Case, Mail, Paused};
use tongban_core::way_out::Handling;
use tongban_engine::travel::masked;

use super::{DateTime, Json};

/// 消息可否不读 / Whether a message may stay unread
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "Handling")]
pub(crate) enum MessageHandling {
    /// 可以不读 / It may
    Optional,
    /// 须由脚本读取或由人查看 / A script receives it, or a person looks at it
    Required,
}

/// 发给事项脚本的一条消息 / A message in a matter's mailbox
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Message {
    /// 第几条记录 / Entry by which it came
    entry: u32,
    /// 频道 / The channel
    channel: String,
    /// 内容;个人信息已脱敏 / What it says; personal data is masked
    body: Json,
    /// 可否不读 / Whether it may stay unread
    handling: MessageHandling,
    /// 是否已由脚本读取 / Whether a script has received it
    taken: bool,
}

impl Message {
    /// Shows a message of a case.
    pub(crate) fn of(case: &Case, mail: &Mail) -> Self {
        Self {
            entry: mail.at.0,
            channel: mail.message.channel.clone(),
            body: Json::from(&masked(case, &mail.message.body)),
            handling: mail.message.handling.into(),
            taken: mail.taken.is_some(),
        }
    }
}

/// 脚本的暂停 / A pause of scripts
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct ScriptPause {
    /// 自何时 / Since when
    since: DateTime,
    /// 谁 / Who
    by: String,
    /// 理由 / Why
    reason: String,
}

impl ScriptPause {
    /// Shows a pause.
    pub(crate) fn of(paused: &Paused) -> Self {
        Self { since: paused.since.into(), by: paused.by.clone(), reason: paused.reason.clone() }
    }
}

/// 脚本的停止 / A stop of a script
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct ScriptStop {
    /// 何时 / When it was told to stop
    at: DateTime,
    /// 理由 / Why
    reason: String,
    /// 已办的是否已撤销完毕 / Whether what it registered for undoing has been undone or given up
    undone: bool,
}

impl ScriptStop {
    /// Shows a stop.
    pub(crate) fn of(cancelled: &Cancelled) -> Self {
        Self {
            at: cancelled.at.1.into(),
            reason: cancelled.reason.clone(),
            undone: cancelled.undone,
        }
    }
}
