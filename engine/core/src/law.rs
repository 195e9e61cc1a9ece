//! The legal fold of one matter: the only authority on which act holds.
//!
//! Scripts, people, clocks and agencies only *request* acts. [`Law::judge`] answers done,
//! already, or refused with the reason; [`Law::apply`] folds an act that was answered done.
//! Business state ([`Stage`]) and suspension are two axes (dossier 14.2). Clocks hold budgets
//! and a ledger; the due time is derived where it is asked for.

use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Due};
use crate::definition::{Limits, Regime};
use crate::time::{Moment, Period, Unit};
use crate::value::Value;

#[cfg(test)]
mod tests;

/// Days within which an office must say what is missing (行政许可法 §32).
pub const ACCEPTANCE_LIMIT: Period = Period { amount: 5, unit: Unit::WorkingDays };

/// The kinds of act that change a matter's standing in law.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ActKind {
    /// 收件: the papers are taken, nothing is decided.
    Receive,
    /// 受理: formal acceptance; the handling clocks start.
    Accept,
    /// 不予受理, on an enumerated ground.
    NotAccept,
    /// The inputs of a planned matter will never exist.
    NotFile,
    /// Start of a special procedure (听证、检验 …): the clocks stop.
    Suspend,
    /// End of a special procedure.
    Resume,
    /// 准予.
    Grant,
    /// 容缺通过: granted with materials still owed.
    GrantTolerant,
    /// 不予.
    Deny,
    /// 撤回, by the applicant.
    Withdraw,
    /// 终止, by the department.
    Terminate,
}

impl ActKind {
    /// Every kind with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 11] = [
        (Self::Receive, "receive", "收件"),
        (Self::Accept, "accept", "受理"),
        (Self::NotAccept, "not_accept", "不予受理"),
        (Self::NotFile, "not_file", "不再提交"),
        (Self::Suspend, "suspend", "特别程序开始"),
        (Self::Resume, "resume", "特别程序结束"),
        (Self::Grant, "grant", "准予"),
        (Self::GrantTolerant, "grant_tolerant", "容缺准予"),
        (Self::Deny, "deny", "不予"),
        (Self::Withdraw, "withdraw", "撤回"),
        (Self::Terminate, "terminate", "终止"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        Self::ALL
            .iter()
            .find(|(kind, _, _)| *kind == self)
            .map_or(("", ""), |(_, code, name)| (code, name))
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Tells whether the act goes against the applicant; a machine never does such an act.
    pub fn is_adverse(self) -> bool {
        matches!(self, Self::NotAccept | Self::Deny | Self::Terminate)
    }
}

/// The enumerated grounds of a refusal to accept (行政许可法 §32). Unmet conditions are not
/// among them: they mean accept, then deny with reasons.
pub const NOT_ACCEPT_GROUNDS: [(&str, &str); 3] = [
    ("no_licence_needed", "依法不需要取得行政许可"),
    ("no_competence", "依法不属于本行政机关职权范围"),
    ("outside_list", "不在事项清单内"),
];

/// Grounds on which licensing law stops the clock (行政许可法 §45).
pub const SUSPENSION_GROUNDS: [(&str, &str); 8] = [
    ("hearing", "听证"),
    ("bidding", "招标"),
    ("auction", "拍卖"),
    ("inspection", "检验"),
    ("testing", "检测"),
    ("quarantine", "检疫"),
    ("appraisal", "鉴定"),
    ("expert_review", "专家评审"),
];

/// An act, as requested and, once answered, as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// Which.
    pub kind: ActKind,
    /// When it takes effect; clocks count this, not the time of recording.
    pub effective_at: Moment,
    /// Ground, reason or opinion.
    pub ground: String,
    /// Number of the notice or decision, if it has one yet.
    pub document_no: String,
    /// What goes with it: the license's fields, the materials still owed.
    pub detail: Value,
}

/// The law's answer to a requested act.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum ActAnswer {
    /// It holds.
    Done,
    /// It held before.
    Already,
    /// It does not hold.
    Refused {
        /// Stable code.
        code: String,
        /// The reason, Chinese first.
        reason: String,
    },
}

impl ActAnswer {
    fn refused(code: &str, reason: String) -> Self {
        Self::Refused { code: code.to_owned(), reason }
    }
}

/// Where a matter stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Known to the case, not yet received by its department; no clock runs.
    Planned,
    /// Its inputs exist and it was given to its department.
    Filed,
    /// 已收件.
    Received,
    /// 已受理.
    Accepted,
    /// Ended.
    Ended(Ending),
}

/// How a matter ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Ending {
    /// 准予.
    Granted,
    /// 容缺准予.
    GrantedTolerant,
    /// 不予.
    Denied,
    /// 不予受理.
    NotAccepted,
    /// Never given to its department.
    NotFiled,
    /// 撤回.
    Withdrawn,
    /// 终止.
    Terminated,
}

impl Ending {
    /// Tells whether the applicant got what he asked for.
    pub fn is_grant(self) -> bool {
        matches!(self, Self::Granted | Self::GrantedTolerant)
    }
}

impl Stage {
    /// Returns the code of the state, as API and summaries show it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Filed => "filed",
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Ended(Ending::Granted) => "granted",
            Self::Ended(Ending::GrantedTolerant) => "granted_tolerant",
            Self::Ended(Ending::Denied) => "denied",
            Self::Ended(Ending::NotAccepted) => "not_accepted",
            Self::Ended(Ending::NotFiled) => "not_filed",
            Self::Ended(Ending::Withdrawn) => "withdrawn",
            Self::Ended(Ending::Terminated) => "terminated",
        }
    }

    /// Returns the Chinese name of the state.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Planned => "待启动",
            Self::Filed => "已提交",
            Self::Received => "已收件",
            Self::Accepted => "已受理",
            Self::Ended(Ending::Granted) => "准予",
            Self::Ended(Ending::GrantedTolerant) => "容缺准予",
            Self::Ended(Ending::Denied) => "不予",
            Self::Ended(Ending::NotAccepted) => "不予受理",
            Self::Ended(Ending::NotFiled) => "未提交",
            Self::Ended(Ending::Withdrawn) => "已撤回",
            Self::Ended(Ending::Terminated) => "已终止",
        }
    }
}

/// What a clock measures.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ClockKind {
    /// From receipt: the office must say what is missing.
    Acceptance,
    /// From acceptance: the limit of the law.
    Statutory,
    /// From acceptance: the published promise.
    Promised,
}

impl ClockKind {
    /// Returns the code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Acceptance => "acceptance",
            Self::Statutory => "statutory",
            Self::Promised => "promised",
        }
    }
}

/// A time budget, not an instant: the due time is derived from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// What it measures.
    pub kind: ClockKind,
    /// How long.
    pub budget: Period,
    /// Effective time of the act that started it; the day itself does not count.
    pub since: Moment,
    /// Effective time of the act that stopped it for good.
    pub stopped: Option<Moment>,
}

/// An interval in which the clocks stood still.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspension {
    /// The lawful ground.
    pub ground: String,
    /// Effective begin.
    pub from: Moment,
    /// Effective end, once known.
    pub until: Option<Moment>,
}

/// The standing of one matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// Business state.
    pub stage: Stage,
    /// The body of rules.
    pub regime: Regime,
    limits: Limits,
    /// Effective time of the last act.
    pub since: Moment,
    /// Ground of the last act that has one.
    pub ground: String,
    clocks: Vec<Clock>,
    suspensions: Vec<Suspension>,
}

impl Law {
    /// Returns the standing of a matter that is only planned.
    pub fn planned(at: Moment) -> Self {
        Self {
            stage: Stage::Planned,
            regime: Regime::Licence,
            limits: Limits::default(),
            since: at,
            ground: String::new(),
            clocks: Vec::new(),
            suspensions: Vec::new(),
        }
    }

    /// Folds the filing of the matter: its inputs exist, its legal parameters are fixed.
    /// Returns `false`, and changes nothing, when the matter is not planned any more.
    #[must_use]
    pub fn file(&mut self, at: Moment, regime: Regime, limits: Limits) -> bool {
        if self.stage != Stage::Planned {
            return false;
        }
        self.stage = Stage::Filed;
        self.regime = regime;
        self.limits = limits;
        self.since = at;
        true
    }

    /// Returns the open suspension, if the clocks stand still.
    pub fn suspended(&self) -> Option<&Suspension> {
        self.suspensions.last().filter(|last| last.until.is_none())
    }

    /// Returns the ending, if the matter has ended.
    pub fn ending(&self) -> Option<Ending> {
        if let Stage::Ended(ending) = self.stage { Some(ending) } else { None }
    }

    /// Returns the clocks, in the order in which they started.
    pub fn clocks(&self) -> &[Clock] {
        &self.clocks
    }

    /// Answers whether `act` would hold; changes nothing.
    pub fn judge(&self, act: &Act) -> ActAnswer {
        use ActKind as K;
        if let Some(answer) = self.judge_order(act) {
            return answer;
        }
        match (&self.stage, act.kind) {
            (Stage::Planned, K::NotFile | K::Withdraw)
            | (Stage::Filed, K::Receive | K::Withdraw | K::Terminate)
            | (Stage::Received, K::Accept | K::Withdraw | K::Terminate)
            | (Stage::Accepted, K::Withdraw | K::Terminate) => ActAnswer::Done,
            (Stage::Received, K::NotAccept) => Self::judge_ground(act, &NOT_ACCEPT_GROUNDS),
            (Stage::Received | Stage::Accepted | Stage::Ended(_), K::Receive)
            | (Stage::Accepted, K::Accept) => ActAnswer::Already,
            (Stage::Accepted, K::Suspend) => self.judge_suspend(act),
            (Stage::Accepted, K::Resume) => self.judge_resume(),
            (Stage::Accepted, K::Grant | K::GrantTolerant | K::Deny) => self.judge_decision(act),
            (Stage::Ended(ending), kind) => Self::judge_ended(*ending, kind),
            (stage, kind) => ActAnswer::refused(
                "WRONG_STATE",
                format!(
                    "事项处于“{}”,不能{} / the matter is {}, it cannot {}",
                    stage.name(),
                    kind.name(),
                    stage.code(),
                    kind.code()
                ),
            ),
        }
    }

    /// An act that takes effect before the one it builds on is out of order.
    fn judge_order(&self, act: &Act) -> Option<ActAnswer> {
        let handled = matches!(self.stage, Stage::Received | Stage::Accepted);
        // By date: the clocks of two offices differ by seconds, and limits count days.
        (handled && act.effective_at.date() < self.since.date()).then(|| {
            ActAnswer::refused(
                "EFFECTIVE_TOO_EARLY",
                format!(
                    "{}的生效时间{}早于前一行为{} / {} takes effect at {}, before the act it follows at {}",
                    act.kind.name(),
                    act.effective_at,
                    self.since,
                    act.kind.code(),
                    act.effective_at,
                    self.since
                ),
            )
        })
    }

    fn judge_ground(act: &Act, grounds: &[(&str, &str)]) -> ActAnswer {
        if grounds.iter().any(|(code, _)| *code == act.ground) {
            return ActAnswer::Done;
        }
        let known: Vec<&str> = grounds.iter().map(|(code, _)| *code).collect();
        ActAnswer::refused(
            "GROUND_UNKNOWN",
            format!(
                "{}须有法定事由,可用:{} / {} needs one of the grounds {}",
                act.kind.name(),
                known.join("、"),
                act.kind.code(),
                known.join(", ")
            ),
        )
    }

    fn judge_suspend(&self, act: &Act) -> ActAnswer {
        if self.suspended().is_some() {
            return ActAnswer::Already;
        }
        Self::judge_ground(act, &SUSPENSION_GROUNDS)
    }

    fn judge_resume(&self) -> ActAnswer {
        if self.suspended().is_some() { ActAnswer::Done } else { ActAnswer::Already }
    }

    fn judge_decision(&self, act: &Act) -> ActAnswer {
        if let Some(suspension) = self.suspended() {
            return ActAnswer::refused(
                "SUSPENDED",
                format!(
                    "特别程序({})尚未结束,不能{} / the special procedure ({}) has not ended, so {} is refused",
                    suspension.ground,
                    act.kind.name(),
                    suspension.ground,
                    act.kind.code()
                ),
            );
        }
        if act.kind == ActKind::Deny && act.ground.trim().is_empty() {
            return ActAnswer::refused(
                "REASONS_MISSING",
                "不予许可必须说明理由 / a denial needs its reasons".to_owned(),
            );
        }
        ActAnswer::Done
    }

    fn judge_ended(ending: Ending, kind: ActKind) -> ActAnswer {
        let same = match kind {
            ActKind::Grant => Ending::Granted,
            ActKind::GrantTolerant => Ending::GrantedTolerant,
            ActKind::Deny => Ending::Denied,
            ActKind::NotAccept => Ending::NotAccepted,
            ActKind::NotFile => Ending::NotFiled,
            ActKind::Withdraw => Ending::Withdrawn,
            ActKind::Terminate => Ending::Terminated,
            ActKind::Receive | ActKind::Accept | ActKind::Suspend | ActKind::Resume => {
                return Self::refuse_ended(ending, kind);
            }
        };
        if same == ending { ActAnswer::Already } else { Self::refuse_ended(ending, kind) }
    }

    fn refuse_ended(ending: Ending, kind: ActKind) -> ActAnswer {
        let stage = Stage::Ended(ending);
        ActAnswer::refused(
            "MATTER_ENDED",
            format!(
                "事项已经“{}”,不能再{} / the matter has ended as {}, {} is refused",
                stage.name(),
                kind.name(),
                stage.code(),
                kind.code()
            ),
        )
    }

    /// Folds an act that [`Law::judge`] answered with done. Returns `false`, and changes
    /// nothing, when the standing makes the act impossible: the log is damaged.
    #[must_use]
    pub fn apply(&mut self, act: &Act) -> bool {
        let at = act.effective_at;
        let open = self.suspended().is_some();
        if self.ending().is_some() || (act.kind == ActKind::Resume && !open) {
            return false;
        }
        self.since = at;
        if !act.ground.is_empty() {
            self.ground.clone_from(&act.ground);
        }
        match act.kind {
            ActKind::Receive => {
                self.stage = Stage::Received;
                self.start(ClockKind::Acceptance, ACCEPTANCE_LIMIT, at);
            }
            ActKind::Accept => {
                self.stage = Stage::Accepted;
                self.stop(at);
                if let Some(limit) = self.limits.statutory {
                    self.start(ClockKind::Statutory, limit, at);
                }
                if let Some(limit) = self.limits.promised {
                    self.start(ClockKind::Promised, limit, at);
                }
            }
            ActKind::Suspend => self.suspensions.push(Suspension {
                ground: act.ground.clone(),
                from: at,
                until: None,
            }),
            ActKind::Resume => {
                if let Some(last) = self.suspensions.last_mut() {
                    last.until = Some(at);
                }
            }
            ActKind::Grant => self.end(Ending::Granted, at),
            ActKind::GrantTolerant => self.end(Ending::GrantedTolerant, at),
            ActKind::Deny => self.end(Ending::Denied, at),
            ActKind::NotAccept => self.end(Ending::NotAccepted, at),
            ActKind::NotFile => self.end(Ending::NotFiled, at),
            ActKind::Withdraw => self.end(Ending::Withdrawn, at),
            ActKind::Terminate => self.end(Ending::Terminated, at),
        }
        true
    }

    fn start(&mut self, kind: ClockKind, budget: Period, since: Moment) {
        self.clocks.push(Clock { kind, budget, since, stopped: None });
    }

    fn stop(&mut self, at: Moment) {
        for clock in self.clocks.iter_mut().filter(|clock| clock.stopped.is_none()) {
            clock.stopped = Some(at);
        }
    }

    fn end(&mut self, ending: Ending, at: Moment) {
        self.stage = Stage::Ended(ending);
        self.stop(at);
        if let Some(last) = self.suspensions.last_mut().filter(|last| last.until.is_none()) {
            last.until = Some(at);
        }
    }

    /// Returns when `clock` is due: counted days of the calendar, suspended working days added
    /// (dossier 2.1 and 3.2). While a suspension is open the result counts it as if it ended at
    /// `now`.
    pub fn due(&self, clock: &Clock, calendar: &Calendar, now: Moment) -> Due {
        let stood: u32 = self
            .suspensions
            .iter()
            .filter(|suspension| suspension.from >= clock.since)
            .map(|suspension| {
                let until = suspension.until.unwrap_or(now);
                calendar.working_days(suspension.from.date(), until.date())
            })
            .sum();
        calendar.due(clock.since, clock.budget, stood)
    }

    /// Returns the whole working days that `clock` has counted until it stopped, or until `now`.
    pub fn used_days(&self, clock: &Clock, calendar: &Calendar, now: Moment) -> u32 {
        let until = clock.stopped.unwrap_or(now).max(clock.since);
        let all = calendar.working_days(clock.since.date(), until.date());
        let stood: u32 = self
            .suspensions
            .iter()
            .filter(|suspension| suspension.from >= clock.since)
            .map(|suspension| {
                let end = suspension.until.unwrap_or(now).min(until);
                calendar.working_days(suspension.from.date(), end.date())
            })
            .sum();
        all.saturating_sub(stood)
    }
}
