//! Entries told to people: a stable kind, who did it, and one sentence in Chinese and English.

mod way_out;

use crate::agency::ReplyBody;
use crate::case::Case;
use crate::entry::{Body, Consent, Entry, Incident, Origin};
use crate::id::Seq;
use crate::law::ActAnswer;
use crate::partial::Partial;
use crate::request::Ask;

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
        | Body::FormChanged(_)
        | Body::MaterialHanded(_)
        | Body::Consented(_)
        | Body::MaterialMet(_)
        | Body::PeriodRenewed { .. }
        | Body::DocumentSealed(_)
        | Body::DocumentServed(_)
        | Body::EntryVoided { .. }
        | Body::MatterUrged { .. }
        | Body::Acted { answer: ActAnswer::Done, .. } => false,
        Body::MaterialTried(_)
        | Body::InputSuperseded { .. }
        | Body::ClockFired { .. }
        | Body::TaskAssigned(_)
        | Body::TaskEscalated { .. }
        | Body::TaskUrged { .. }
        | Body::DraftSaved { .. }
        | Body::DecisionProposed { .. }
        | Body::TaskRefreshed { .. }
        | Body::CardRaised(_)
        | Body::CardAnswered(_)
        | Body::DocumentDrafted(_)
        | Body::CallAbandoned { .. }
        | Body::CalendarChanged { .. }
        | Body::RequestReleased { .. }
        | Body::ObligationResolved { .. }
        | Body::Acted { .. }
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
        | Body::RunRestarted { .. }
        | Body::IncidentSettled(_)
        | Body::WayOutProposed(_)
        | Body::CaseRebound(_)
        | Body::RunRewound(_)
        | Body::ResultOverridden(_)
        | Body::Paused { .. }
        | Body::Resumed { .. }
        | Body::CancelRequested { .. }
        | Body::CompensationEnded
        | Body::CallReopened { .. }
        | Body::CallPlaced { .. }
        | Body::MessageArrived(_)
        | Body::MessageTaken { .. }
        | Body::IntakeBegun { .. }
        | Body::IntakeRecommended(_)
        | Body::FieldsTried(_)
        | Body::PartialOutcome(_)
        | Body::RunFailed(_) => true,
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
        Body::Requested(made) => requested(&made.ask),
        Body::CallReplied(reply) => replied(&reply.body),
        Body::InputArrived { .. }
        | Body::CallRenewed(_)
        | Body::TimerFired { .. }
        | Body::IncidentRaised(_)
        | Body::RunFinished { .. }
        | Body::OutcomeUncaught { .. }
        | Body::RunRestarted { .. }
        | Body::RequestReleased { .. }
        | Body::ObligationResolved { .. }
        | Body::IntakeBegun { .. }
        | Body::IntakeRecommended(_)
        | Body::PartialOutcome(_)
        | Body::RunFailed(_) => about_the_run(&entry.body),
        Body::TaskOpened(_)
        | Body::TaskClaimed { .. }
        | Body::TaskReleased { .. }
        | Body::TaskCompleted { .. }
        | Body::TaskDropped { .. }
        | Body::TaskAssigned(_)
        | Body::TaskEscalated { .. }
        | Body::MatterUrged { .. }
        | Body::TaskUrged { .. }
        | Body::DraftSaved { .. }
        | Body::DecisionProposed { .. }
        | Body::TaskRefreshed { .. } => around_a_task(&entry.body),
        Body::FormChanged(_)
        | Body::MaterialHanded(_)
        | Body::Consented(_)
        | Body::MaterialTried(_)
        | Body::MaterialMet(_)
        | Body::InputSuperseded { .. }
        | Body::CallAbandoned { .. }
        | Body::FieldsTried(_) => about_materials(&entry.body),
        Body::ClockFired { .. }
        | Body::PeriodRenewed { .. }
        | Body::CardRaised(_)
        | Body::CardAnswered(_)
        | Body::DocumentDrafted(_)
        | Body::DocumentSealed(_)
        | Body::DocumentServed(_)
        | Body::EntryVoided { .. }
        | Body::CalendarChanged { .. } => on_record(&entry.body),
        Body::IncidentSettled(_)
        | Body::WayOutProposed(_)
        | Body::CaseRebound(_)
        | Body::RunRewound(_)
        | Body::ResultOverridden(_)
        | Body::CallReopened { .. }
        | Body::CallPlaced { .. } => way_out::about_a_way_out(&entry.body),
        Body::Paused { .. }
        | Body::Resumed { .. }
        | Body::CancelRequested { .. }
        | Body::CompensationEnded
        | Body::MessageArrived(_)
        | Body::MessageTaken { .. } => way_out::about_steering(&entry.body),
    }
}

fn raised(incident: &Incident) -> (&'static str, String, String) {
    let (code, message) = (incident.kind.code(), &incident.message);
    ("incident_raised", format!("异常 {code}:{message}"), format!("incident {code}: {message}"))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
fn about_the_run(body: &Body) -> Sentence {
    match body {
        Body::InputArrived { from, .. } => (
            "input_arrived",
            format!("取得第 {from} 项的结果"),
            format!("got the result of matter {from}"),
        ),
        Body::CallRenewed(renewed) => (
            "call_renewed",
            format!("重新发出调用 {}", renewed.call.id),
            format!("call {} takes the place of {}", renewed.call.id, renewed.old),
        ),
        Body::TimerFired { due, .. } => {
            ("timer_fired", format!("到时 {due}"), format!("timer due at {due}"))
        }
        Body::IncidentRaised(incident) => raised(incident),
        Body::RunFailed(failed) => raised(&failed.incident),
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
        Body::RequestReleased { request, by: _ } => (
            "request_released",
            format!("不再等待请求 {request}"),
            format!("request {request} is no longer waited for"),
        ),
        Body::ObligationResolved { call, reason, officers } => (
            "obligation_resolved",
            format!("{}核实调用 {call}:{reason}", officers.join("、")),
            format!("{} settled call {call}: {reason}", officers.join(" and ")),
        ),
        Body::IntakeBegun { generation } => (
            "intake_begun",
            format!("预审(第 {generation} 次)"),
            format!("intake begins, evaluation {generation}"),
        ),
        Body::IntakeRecommended(recommended) => (
            "intake_recommended",
            format!("预审意见:{}", recommended.what.name()),
            format!("intake advises {}", recommended.what.code()),
        ),
        Body::PartialOutcome(outcome) => {
            let (zh, en) = match outcome.said {
                Partial::GoOn => ("其余事项继续办理", "the rest goes on"),
                Partial::AskApplicant { .. } => ("请申请人决定其余事项", "the applicant is asked"),
                Partial::AskLead { .. } => ("请牵头部门研判", "the lead department is asked"),
            };
            let ended = outcome.ended.len();
            (
                "partial_outcome",
                format!("{ended} 个事项未通过:{zh}"),
                format!("{ended} matters ended against the applicant: {en}"),
            )
        }
        other => unexpected(other),
    }
}

type Sentence = (&'static str, String, String);

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
fn around_a_task(body: &Body) -> Sentence {
    match body {
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
        Body::TaskAssigned(assigned) => (
            "task_assigned",
            format!("待办 {} 交由 {} 办理", assigned.task, assigned.to),
            format!("task {} was given to {}", assigned.task, assigned.to),
        ),
        Body::TaskEscalated { task, to, reason } => (
            "task_escalated",
            format!("待办 {task} 上报 {to}:{reason}"),
            format!("task {task} went up to {to}: {reason}"),
        ),
        Body::MatterUrged { reason } => {
            ("matter_urged", format!("已催办:{reason}"), format!("urged: {reason}"))
        }
        Body::TaskUrged { task, reason } => (
            "task_urged",
            format!("催办 {task}:{reason}"),
            format!("task {task} was urged: {reason}"),
        ),
        Body::DraftSaved { task, .. } => {
            task_told("draft_saved", *task, ("已存草稿", "draft kept"))
        }
        Body::DecisionProposed { task, decision } => {
            let what = if decision.granted {
                ("初审同意,待复核", "first word yes, a second one is awaited")
            } else {
                ("初审不同意,待复核", "first word no, a second one is awaited")
            };
            task_told("decision_proposed", *task, what)
        }
        Body::TaskRefreshed { task, .. } => {
            task_told("task_refreshed", *task, ("所附材料已更新", "shows new facts"))
        }
        other => unexpected(other),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
fn about_materials(body: &Body) -> Sentence {
    match body {
        Body::FormChanged(change) => {
            let names: Vec<&str> = match &change.fields {
                crate::value::Value::Map(fields) => fields.keys().map(String::as_str).collect(),
                _ => Vec::new(),
            };
            (
                "form_changed",
                format!("更正表单:{}", names.join("、")),
                format!("the form was corrected: {}", names.join(", ")),
            )
        }
        Body::MaterialHanded(given) => (
            "material_handed",
            format!("提交材料 {}({})", given.code, given.file_name),
            format!("material {} was handed in", given.code),
        ),
        Body::Consented(consent) => consented(consent),
        Body::MaterialTried(attempt) => (
            "material_tried",
            format!(
                "材料 {} 从 {} 获取:{}",
                attempt.material,
                attempt.source,
                attempt.cause.name()
            ),
            format!(
                "material {} from {}: {}",
                attempt.material,
                attempt.source,
                attempt.cause.code()
            ),
        ),
        Body::MaterialMet(found) => (
            "material_met",
            format!("材料 {}:{}", found.code, found.how.name()),
            format!("material {}: {}", found.code, found.how.code()),
        ),
        Body::InputSuperseded { material, version } => (
            "input_superseded",
            format!("材料 {material} 有了第 {version} 版"),
            format!("material {material} has version {version} now"),
        ),
        Body::FieldsTried(tried) => {
            let names = tried.fields.join(if tried.fields.len() > 1 { "、" } else { "" });
            let (zh, en) =
                tried.cause.map_or(("查询中", "is asked"), |cause| (cause.name(), cause.code()));
            (
                "fields_tried",
                format!("预填 {names}({}):{zh}", tried.source),
                format!("form fields {} from {}: {en}", tried.fields.join(", "), tried.source),
            )
        }
        Body::CallAbandoned { call } => (
            "call_abandoned",
            format!("不再等待调用 {call}"),
            format!("call {call} is not waited for any more"),
        ),
        other => unexpected(other),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
fn on_record(body: &Body) -> Sentence {
    match body {
        Body::ClockFired { clock, about: _, due } => (
            "clock_fired",
            format!("{}已届满({due})", clock.name()),
            format!("the {} clock passed at {due}", clock.code()),
        ),
        Body::PeriodRenewed { clock, budget, reason, .. } => (
            "period_renewed",
            format!("{}重新给予 {budget}:{reason}", clock.name()),
            format!("the {} period runs anew, {budget}: {reason}", clock.code()),
        ),
        Body::CardRaised(card) => (
            "card_raised",
            format!(
                "{}:{}应于 {} 前办结 → {}",
                card.level.name(),
                card.clock.name(),
                card.due,
                card.to
            ),
            format!(
                "{} card on the {} clock due {} for {}",
                card.level.code(),
                card.clock.code(),
                card.due,
                card.to
            ),
        ),
        Body::CardAnswered(answer) => (
            "card_answered",
            format!("督办牌 {} 的答复或申诉:{}", answer.card, answer.text),
            format!("card {} was answered: {}", answer.card, answer.text),
        ),
        Body::DocumentDrafted(drafted) => (
            "document_drafted",
            format!("拟制文书 {}", drafted.number),
            format!("document {} ({}) was drafted", drafted.number, drafted.number.kind().code()),
        ),
        Body::DocumentSealed(sealed) => (
            "document_sealed",
            format!("文书 {} 已盖章", sealed.number),
            format!("document {} was sealed", sealed.number),
        ),
        Body::DocumentServed(served) => (
            "document_served",
            format!("文书 {} {}", served.number, served.service.how.name()),
            format!("document {} was served by {}", served.number, served.service.how.code()),
        ),
        Body::EntryVoided { entry, reason } => (
            "entry_voided",
            format!("第 {entry} 条记录作废:{reason}"),
            format!("entry {entry} was voided: {reason}"),
        ),
        Body::CalendarChanged { version } => (
            "calendar_changed",
            format!("按新节假日表 {version} 重算期限"),
            format!("deadlines are read from calendar {version}"),
        ),
        other => unexpected(other),
    }
}

/// The callers above name every kind that comes here.
fn unexpected(body: &Body) -> Sentence {
    ("recorded", format!("{body:?}"), format!("{body:?}"))
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

fn requested(ask: &Ask) -> (&'static str, String, String) {
    let target = ask.target();
    match ask {
        Ask::Call { .. }
        | Ask::Decide { .. }
        | Ask::Timer { .. }
        | Ask::Act { .. }
        | Ask::Receive { .. } => {
            ("requested", format!("发出请求 {target}"), format!("requested {target}"))
        }
        Ask::Compensate { .. } => (
            "undo_registered",
            format!("登记撤销操作 {target}"),
            format!("registered {target} for undoing"),
        ),
        Ask::Patch { .. } => (
            "patched",
            format!("按补丁 {target} 之后的脚本办理"),
            format!("goes on by the script as patched by {target}"),
        ),
    }
}

/// An authorisation is for a purpose and under a text: both are told with it.
fn consented(consent: &Consent) -> (&'static str, String, String) {
    let Consent { license, purpose, text_version, holder: _ } = consent;
    let (zh, en) = match purpose.as_str() {
        "*" => ("本件各事项".to_owned(), "every matter of the case".to_owned()),
        code => (format!("事项 {code} "), format!("matter {code}")),
    };
    (
        "consented",
        format!("授权{zh}使用证照或共享数据 {license}(授权书版本 {text_version})"),
        format!(
            "the use of {license} was authorised for {en}, under version {text_version} of the text"
        ),
    )
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
