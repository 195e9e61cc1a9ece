//! `waitingOn`: who holds up a matter, since when, until when, and what comes next. Derived for
//! every matter; it drives queues, cards and the applicant's page.

use crate::calendar::Calendar;
use crate::case::{CallState, CallStatus, Case, Matter, Task};
use crate::entry::TaskKind;
use crate::law::{ClockKind, Stage};
use crate::material::Found;
use crate::request::{Ask, RequestKind};
use crate::time::Moment;
use crate::value::Value;

/// Who is waited for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WaitingOn {
    /// The kind of party.
    pub party: WaitingParty,
    /// Who it is: a role, a connector, names of matters; empty for the applicant.
    pub who: String,
    /// Since when.
    pub since: Moment,
    /// Until when, if a clock runs.
    pub until: Option<Moment>,
    /// One plain sentence in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// The kinds of party that a matter can wait for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum WaitingParty {
    /// The applicant.
    Applicant,
    /// A window clerk.
    Window,
    /// A decider in a department.
    Department,
    /// An agency's system.
    Agency,
    /// Earlier matters of the same case.
    EarlierMatters,
    /// Somebody who must look at an incident.
    Operator,
    /// The clock.
    Time,
    /// Nobody: the engine is about to go on.
    Engine,
}

impl WaitingParty {
    /// Returns the code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Applicant => "applicant",
            Self::Window => "window",
            Self::Department => "department",
            Self::Agency => "agency",
            Self::EarlierMatters => "earlier_matters",
            Self::Operator => "operator",
            Self::Time => "time",
            Self::Engine => "engine",
        }
    }
}

/// Returns who holds up `matter`, its times by the calendar of the place where it is decided;
/// `None` once it has ended or when it is left out.
pub fn waiting_on(
    case: &Case,
    matter: &Matter,
    calendar: &Calendar,
    now: Moment,
) -> Option<WaitingOn> {
    if !matter.is_open() {
        return None;
    }
    let on = who(case, matter, Times { calendar, now });
    let until = on.until.or_else(|| monitored(matter, calendar, now));
    Some(WaitingOn { until, ..on })
}

/// What times are read from.
#[derive(Clone, Copy)]
struct Times<'a> {
    calendar: &'a Calendar,
    now: Moment,
}

impl Times<'_> {
    /// Returns when the agency of a call is to have answered, if it agreed to a limit.
    fn due(self, call: &CallState) -> Option<Moment> {
        let clock = call.clock.as_ref()?;
        Some(self.calendar.due(clock.since, clock.budget, 0).at)
    }
}

/// Returns when the matter's monitored clock is due: the promise, else the law, else intake.
pub fn monitored(matter: &Matter, calendar: &Calendar, now: Moment) -> Option<Moment> {
    let running = |kind| {
        let mut clocks = matter.law.clocks().iter();
        clocks.find(|clock| clock.kind == kind && clock.stopped.is_none())
    };
    let clock = running(ClockKind::Correction)
        .or_else(|| running(ClockKind::Promised))
        .or_else(|| running(ClockKind::Statutory))
        .or_else(|| running(ClockKind::Acceptance))?;
    Some(matter.law.due(clock, calendar, now).at)
}

fn who(case: &Case, matter: &Matter, times: Times<'_>) -> WaitingOn {
    if case.submitted.is_none() {
        let at = case.created_at;
        return on(
            WaitingParty::Applicant,
            "",
            at,
            ("等申请人提交", "waiting for the applicant to submit"),
        );
    }
    if matter.law.stage == Stage::Planned {
        return earlier(case, matter);
    }
    if let Some(seq) = matter.run.stopped {
        let zh = format!("脚本异常(第 {seq} 条记录),等负责人处理");
        let en = format!("stopped by incident {seq}; someone must act");
        let raised = case.incidents.get(&seq).map(|state| state.raised_at);
        let since = raised.unwrap_or(matter.changed_at);
        return on(WaitingParty::Operator, "", since, (&zh, &en));
    }
    by_law(case, matter).unwrap_or_else(|| by_work(case, matter, times))
}

/// Returns who is waited for by the standing of the matter in law, if it says.
fn by_law(case: &Case, matter: &Matter) -> Option<WaitingOn> {
    if let Some(round) = matter.law.correction().filter(|round| round.served_at.is_none()) {
        let text = ("等窗口送达补正告知书", "waiting for the correction notice to be served");
        let lead = case.started.lead.as_str();
        return Some(on(WaitingParty::Window, lead, round.asked_at, text));
    }
    if let Some(round) = matter.law.correction() {
        let list = [round.list.materials.join("、"), round.list.fields.join("、")].concat();
        let zh = format!("等申请人补正:{list}");
        let en = format!("waiting for the applicant to correct {list}");
        // Before the notice reached him he could not know.
        let since = round.served_at.unwrap_or(round.asked_at);
        return Some(on(WaitingParty::Applicant, "", since, (&zh, &en)));
    }
    if let Some(suspension) = matter.law.special_procedure() {
        let zh = format!("特别程序进行中:{}", suspension.ground);
        let en = format!("a special procedure goes on: {}", suspension.ground);
        let department = matter.planned.department.as_str();
        return Some(on(WaitingParty::Department, department, suspension.from, (&zh, &en)));
    }
    if matter.law.stage == Stage::Returned {
        let at = matter.law.since;
        let text = ("已退回,等申请人修改后重新提交", "returned; the applicant submits again");
        return Some(on(WaitingParty::Applicant, "", at, text));
    }
    let missing = |known: &&crate::material::Requirement| known.how == Found::Missing;
    let lacks = || matter.requirements.iter().filter(missing);
    let first = lacks().map(|known| known.changed.1).min();
    if let Some(since) = first.filter(|_| matter.law.stage == Stage::Received) {
        let lacks: Vec<&str> = lacks().map(|known| known.code.as_str()).collect();
        let zh = format!("等申请人上传:{}", lacks.join("、"));
        let en = format!("waiting for the applicant to upload {}", lacks.join(", "));
        return Some(on(WaitingParty::Applicant, "", since, (&zh, &en)));
    }
    None
}

/// Returns who is waited for by what is under way.
fn by_work(case: &Case, matter: &Matter, times: Times<'_>) -> WaitingOn {
    // Who asks a late agency, or handles what came too late, is not whom the matter waits for.
    let is_work = |task: &&Task| {
        let aside = [TaskKind::AgencyLate, TaskKind::LateReply, TaskKind::Obligation];
        !aside.contains(&task.opened.kind)
    };
    let mut tasks = case.open_tasks().filter(|task| task.matter == matter.no);
    if let Some(task) = tasks.find(is_work) {
        if task.opened.kind == TaskKind::Applicant {
            return applicant_acts(task);
        }
        let party = party_of(task);
        let role = task.role.as_str();
        let zh = format!("等 {role}:{}", task.opened.title);
        let en = format!("waiting for {role}: {}", task.opened.kind.code());
        return on(party, role, task.opened_at, (&zh, &en));
    }
    calls(case, matter, times)
}

fn party_of(task: &Task) -> WaitingParty {
    let window = task.role.as_str().ends_with(".window");
    match task.opened.kind {
        TaskKind::Intake => WaitingParty::Window,
        TaskKind::CorrectionMissed if window => WaitingParty::Window,
        TaskKind::Applicant => WaitingParty::Applicant,
        TaskKind::Partial if task.role.is_applicant() => WaitingParty::Applicant,
        TaskKind::Partial
        | TaskKind::Decide
        | TaskKind::Manual
        | TaskKind::Rejected
        | TaskKind::ConfirmDenial
        | TaskKind::CorrectionMissed
        | TaskKind::PromiseMissed
        | TaskKind::ApproveExtension
        | TaskKind::Countersign
        | TaskKind::Amendment
        | TaskKind::AgencyLate
        | TaskKind::LateReply
        | TaskKind::Obligation
        | TaskKind::AfterCancel
        | TaskKind::AskCorrection => WaitingParty::Department,
    }
}

/// Says what an agency wants the applicant to do.
fn applicant_acts(task: &Task) -> WaitingOn {
    let reason = task.facts.get("reason").and_then(Value::as_text).unwrap_or_default();
    let zh = format!("等申请人办理:{reason}");
    let en = format!("waiting for the applicant: {reason}");
    on(WaitingParty::Applicant, "", task.opened_at, (&zh, &en))
}

/// Of the calls that are open, one that failed waits for a person; else the one that is due, or
/// was made, first is waited for.
fn calls(case: &Case, matter: &Matter, times: Times<'_>) -> WaitingOn {
    let open = case.open_calls().filter(|call| call.matter == matter.no);
    let first = open.min_by_key(|call| {
        let due = times.due(call);
        (call.status != CallStatus::Failed, due.is_none(), due, call.opened_at)
    });
    if let Some(call) = first {
        let connector = call.made.connector.as_str();
        if call.status == CallStatus::Failed {
            let zh = format!("调用 {connector} 未成功,等负责人核实");
            let en = format!("a call through {connector} failed; someone must check");
            return on(WaitingParty::Operator, connector, call.opened_at, (&zh, &en));
        }
        let until = times.due(call);
        let late = if until.is_some_and(|until| until < times.now) {
            ("(已逾期)", " (overdue)")
        } else {
            ("", "")
        };
        let zh = format!("等 {connector} 回执{}", late.0);
        let en = format!("waiting for {connector}{}", late.1);
        let asked = on(WaitingParty::Agency, connector, call.opened_at, (&zh, &en));
        return WaitingOn { until, ..asked };
    }
    let own = case.open_incidents().filter(|(_, state)| state.matter == matter.no);
    if let Some(since) = own.map(|(_, state)| state.raised_at).min() {
        let text = ("等负责人处理异常", "someone must look at an incident");
        return on(WaitingParty::Operator, "", since, text);
    }
    let open = matter.run.requests.iter().filter(|request| request.settled.is_none());
    let is_timer = |ask: &Ask| ask.kind() == RequestKind::Timer;
    let asked = open.filter(|request| is_timer(&request.made.ask));
    if let Some(since) = asked.map(|request| matter.run.asked_at(request)).min() {
        return on(WaitingParty::Time, "", since, ("等约定时间", "waiting for a timer"));
    }
    let filed = matter.filed.as_ref();
    if filed.is_some_and(|filed| filed.decides_in == crate::definition::DecidesIn::Connector) {
        let department = matter.planned.department.as_str();
        let zh = format!("等 {department} 在其系统中办理");
        let en = format!("waiting for {department} to act in its own system");
        return on(WaitingParty::Agency, department, matter.law.since, (&zh, &en));
    }
    on(WaitingParty::Engine, "", matter.changed_at, ("系统处理中", "the engine goes on"))
}

fn earlier(case: &Case, matter: &Matter) -> WaitingOn {
    let open: Vec<&Matter> = case
        .matters
        .iter()
        .filter(|other| other.is_open() && matter.planned.after.contains(&other.no))
        .collect();
    let names: Vec<&str> = open.iter().map(|other| other.planned.name.as_str()).collect();
    let codes: Vec<&str> = open.iter().map(|other| other.planned.code.as_str()).collect();
    let zh = format!("等前置事项:{}", names.join("、"));
    let en = format!("waiting for earlier matters: {}", codes.join(", "));
    let since = case.submitted.map_or(case.created_at, |(_, at)| at);
    on(WaitingParty::EarlierMatters, &codes.join(", "), since, (&zh, &en))
}

fn on(party: WaitingParty, who: &str, since: Moment, text: (&str, &str)) -> WaitingOn {
    WaitingOn {
        party,
        who: who.to_owned(),
        since,
        until: None,
        zh: text.0.to_owned(),
        en: text.1.to_owned(),
    }
}
