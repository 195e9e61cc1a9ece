//! Sentences about incidents' ways out, about scripts that are stopped or resumed, and mail.

use super::{Sentence, unexpected};
use crate::entry::Body;
use crate::way_out::{Tail, WayKind};

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
pub(super) fn about_a_way_out(body: &Body) -> Sentence {
    match body {
        Body::IncidentSettled(settled) => {
            let way = settled.way.kind();
            way_told("incident_settled", ("异常已处理", "incident ended"), (way, &settled.reason))
        }
        Body::WayOutProposed(settled) => {
            let way = settled.way.kind();
            let what =
                ("提议处理异常,待另一人确认", "way out proposed, a second person is awaited");
            way_told("way_out_proposed", what, (way, &settled.reason))
        }
        Body::CaseRebound(rebound) => (
            "case_rebound",
            format!("换用脚本版本 {}:{}", rebound.closure, rebound.reason),
            format!("goes on under closure {}: {}", rebound.closure, rebound.reason),
        ),
        Body::RunRewound(rewound) => {
            let (zh, en) = match rewound.tail {
                Tail::Discarded => ("其后重新办理", "what came since is asked anew"),
                Tail::Adopted => ("其后沿用未变者", "what did not change since is taken over"),
            };
            (
                "run_rewound",
                format!("回到第 {} 条记录(第 {} 次执行),{zh}", rewound.keep, rewound.generation),
                format!("back to entry {}, generation {}; {en}", rewound.keep, rewound.generation),
            )
        }
        Body::ResultOverridden(overridden) => (
            "result_overridden",
            format!("更正请求 {} 的结果:{}", overridden.request, overridden.reason),
            format!("result of request {} replaced: {}", overridden.request, overridden.reason),
        ),
        Body::CallReopened { call, .. } => (
            "call_reopened",
            format!("继续查询调用 {call}"),
            format!("call {call} is asked for again"),
        ),
        Body::CallPlaced { request, call } => (
            "call_placed",
            format!("请求 {request} 已绑定 {}", call.connector),
            format!("request {request} goes through {} now", call.connector),
        ),
        other => unexpected(other),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
pub(super) fn about_steering(body: &Body) -> Sentence {
    match body {
        Body::Paused { reason } => {
            ("paused", format!("暂停执行:{reason}"), format!("paused: {reason}"))
        }
        Body::Resumed { reason } => {
            ("resumed", format!("恢复执行:{reason}"), format!("resumed: {reason}"))
        }
        Body::CancelRequested { reason } => {
            ("cancel_requested", format!("停止执行:{reason}"), format!("told to stop: {reason}"))
        }
        Body::CompensationEnded => {
            ("compensation_ended", "撤销已办结".into(), "everything is undone".into())
        }
        Body::MessageArrived(message) => (
            "message_arrived",
            format!("收到消息({})", message.channel),
            format!("a message came on {}", message.channel),
        ),
        Body::MessageTaken { request, message } => (
            "message_taken",
            format!("消息 {message} 交给请求 {request}"),
            format!("message {message} given to request {request}"),
        ),
        other => unexpected(other),
    }
}

fn way_told(code: &'static str, what: (&str, &str), how: (WayKind, &str)) -> Sentence {
    let ((zh, en), (way, reason)) = (what, how);
    (code, format!("{zh}:{}({reason})", way.name()), format!("{en}: {} ({reason})", way.code()))
}
