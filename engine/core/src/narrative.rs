//! Entries told to people: a stable kind, who did it, and one sentence in Chinese and English.

use crate::agency::ReplyBody;
use crate::case::Case;
use crate::entry::{Body, Entry, Origin};
use crate::id::Seq;
use crate::law::ActAnswer;

/// An entry, told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// Stable code of what happened.
    pub kind: &'static str,
    /// Who or what caused it.
    pub actor: String,
    /// One sentence in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Whether the applicant need not see it.
    pub internal: bool,
}

/// Tells an entry of a case.
pub fn tell(entry: &Entry, case: &Case) -> Told {
    let (kind, zh, en) = sentence(entry);
    let matter = case.matter(entry.matter).map(|matter| &matter.planned);
    let (zh, en) = match matter {
        Some(planned) => (format!("{}:{zh}", planned.name), format!("{}: {en}", planned.code)),
        None => (zh, en),
    };
    Told { kind, actor: actor(&entry.origin), zh, en, internal: is_internal(&entry.body) }
}

fn actor(origin: &Origin) -> String {
    match origin {
        Origin::Engine => "engine".to_owned(),
        Origin::Script => "script".to_owned(),
        Origin::Clock => "clock".to_owned(),
        Origin::Person { subject, role } => format!("{subject} ({role})"),
        Origin::Agency { connector } => connector.clone(),
    }
}

fn is_internal(body: &Body) -> bool {
    match body {
        Body::CaseStarted(_)
        | Body::CaseSubmitted
        | Body::MatterFiled(_)
        | Body::Acted { answer: ActAnswer::Done, .. } => false,
        Body::Acted { .. }
        | Body::InputArrived { .. }
        | Body::Requested(_)
        | Body::CallReplied(_)
        | Body::CallRenewed(_)
        | Body::TimerFired { .. }
        | Body::TaskOpened(_)
        | Body::TaskClaimed { .. }
        | Body::TaskReleased { .. }
        | Body::TaskCompleted { .. }
        | Body::TaskDropped { .. }
        | Body::IncidentRaised(_)
        | Body::RunFinished { .. }
        | Body::OutcomeUncaught { .. }
        | Body::RunRestarted { .. } => true,
    }
}

fn sentence(entry: &Entry) -> (&'static str, String, String) {
    match &entry.body {
        Body::CaseStarted(started) => (
            "case_started",
            format!("建立办件 {}({})", started.number, started.service_name),
            format!("case {} of {} started", started.number, started.service),
        ),
        Body::CaseSubmitted => ("case_submitted", "申请已提交".into(), "submitted".into()),
        Body::MatterFiled(_) => ("matter_filed", "已送达部门".into(), "filed".into()),
        Body::Acted { act, answer, request: _ } => acted(act, answer),
        Body::InputArrived { from, .. } => (
            "input_arrived",
            format!("取得第 {from} 项的结果"),
            format!("got the result of matter {from}"),
        ),
        Body::Requested(made) => (
            "requested",
            format!("发出请求 {}", made.ask.target()),
            format!("requested {}", made.ask.target()),
        ),
        Body::CallReplied(reply) => replied(&reply.body),
        Body::CallRenewed(renewed) => (
            "call_renewed",
            format!("重新发出调用 {}", renewed.call.id),
            format!("call {} takes the place of {}", renewed.call.id, renewed.old),
        ),
        Body::TimerFired { due, .. } => {
            ("timer_fired", format!("到时 {due}"), format!("timer due at {due}"))
        }
        Body::TaskOpened(task) => (
            "task_opened",
            format!("待办“{}”→ {}", task.title, task.role),
            format!("task {} for {}", task.kind.code(), task.role),
        ),
        Body::TaskClaimed { task, .. } => task_told("task_claimed", *task, ("已认领", "taken")),
        Body::TaskReleased { task } => task_told("task_released", *task, ("已退回", "given back")),
        Body::TaskCompleted { task, decision } if decision.granted => {
            task_told("task_completed", *task, ("办结:同意", "done: yes"))
        }
        Body::TaskCompleted { task, .. } => {
            task_told("task_completed", *task, ("办结:不同意", "done: no"))
        }
        Body::TaskDropped { task } => task_told("task_dropped", *task, ("取消", "dropped")),
        Body::IncidentRaised(incident) => (
            "incident_raised",
            format!("异常 {}:{}", incident.kind.code(), incident.message),
            format!("incident {}: {}", incident.kind.code(), incident.message),
        ),
        Body::RunFinished { .. } => ("run_finished", "脚本执行完毕".into(), "script ended".into()),
        Body::OutcomeUncaught { request } => (
            "outcome_uncaught",
            format!("请求 {request} 的结果转人工处理"),
            format!("the outcome of request {request} goes to a person"),
        ),
        Body::RunRestarted { generation } => (
            "run_restarted",
            format!("重新办理(第 {generation} 次)"),
            format!("begins again, generation {generation}"),
        ),
    }
}

fn task_told(kind: &'static str, task: Seq, what: (&str, &str)) -> (&'static str, String, String) {
    (kind, format!("待办 {task} {}", what.0), format!("task {task} {}", what.1))
}

fn acted(act: &crate::law::Act, answer: &ActAnswer) -> (&'static str, String, String) {
    let (name, code) = (act.kind.name(), act.kind.code());
    match answer {
        ActAnswer::Done => {
            let number = if act.document_no.is_empty() { "" } else { " " };
            (
                "acted",
                format!("{name}{number}{}", act.document_no),
                format!("{code}{number}{}", act.document_no),
            )
        }
        ActAnswer::Already => {
            ("act_repeated", format!("{name}(此前已生效)"), format!("{code} held already"))
        }
        ActAnswer::Refused { code: why, reason } => (
            "act_refused",
            format!("{name}不成立({why}):{reason}"),
            format!("{code} refused ({why}): {reason}"),
        ),
    }
}

fn replied(body: &ReplyBody) -> (&'static str, String, String) {
    match body {
        ReplyBody::Accepted { .. } => {
            ("call_accepted", "对方已接收,办理中".into(), "the agency works on it".into())
        }
        ReplyBody::Act(act) => (
            "agency_act",
            format!("部门报告行为 {} {}", act.act, act.ground),
            format!("the department reports {} {}", act.act, act.ground),
        ),
        ReplyBody::Completed { .. } => ("call_completed", "对方已办结".into(), "completed".into()),
        ReplyBody::Otherwise(outcome) => (
            "call_ended",
            format!("对方回复 {}:{}", outcome.kind.code(), outcome.reason),
            format!("the agency answered {}: {}", outcome.kind.code(), outcome.reason),
        ),
    }
}
