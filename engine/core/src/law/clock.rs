//! Clocks: budgets of time with a ledger of suspensions, never instants.

use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Due, Stood};
use crate::time::{Moment, Period, Unit};

/// What a clock measures.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ClockKind {
    /// From receipt: the office must say what is missing.
    Acceptance,
    /// From acceptance: the limit of the law.
    Statutory,
    /// From acceptance: the published promise.
    Promised,
    /// From acceptance: the review of a lower office before it forwards.
    FirstReview,
    /// From service of the correction notice: the applicant's period.
    Correction,
    /// From acceptance: materials that were promised for later.
    Tolerance,
    /// From the decision: making and delivering.
    Issuing,
    /// From a call: the agency's own limit.
    Connector,
    /// From the question: an opinion of another department.
    Opinion,
    /// From its opening: a task's own limit.
    Task,
}

impl ClockKind {
    /// Every kind with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 10] = [
        (Self::Acceptance, "acceptance", "受理期限"),
        (Self::Statutory, "statutory", "法定期限"),
        (Self::Promised, "promised", "承诺期限"),
        (Self::FirstReview, "forwarding", "初审转报期限"),
        (Self::Correction, "correction", "补正期限"),
        (Self::Tolerance, "tolerance", "容缺补交期限"),
        (Self::Issuing, "issuing", "制证送达期限"),
        (Self::Connector, "connector", "系统办理期限"),
        (Self::Opinion, "opinion", "征求意见期限"),
        (Self::Task, "task", "待办时限"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        let found = Self::ALL.iter().find(|(kind, _, _)| *kind == self);
        found.map_or(("", ""), |(_, code, name)| (code, name))
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Finds a kind by its code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map(|(kind, _, _)| *kind)
    }

    /// Tells whether a special procedure stops the clock: only the handling itself stands still.
    pub fn pauses(self) -> bool {
        matches!(self, Self::Statutory | Self::Promised | Self::FirstReview)
    }

    /// Tells whether the clock counts against the applicant.
    pub fn is_applicants(self) -> bool {
        matches!(self, Self::Correction | Self::Tolerance)
    }
}

/// A time budget, not an instant: the due time is derived from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// What it measures.
    pub kind: ClockKind,
    /// What it is about: the material promised, the call; empty otherwise.
    pub about: String,
    /// How long.
    pub budget: Period,
    /// Units added by an extension.
    pub more: u32,
    /// Effective time of that extension.
    pub extended_at: Option<Moment>,
    /// Effective time of the act that started it; the day itself does not count.
    pub since: Moment,
    /// Effective time of the act that stopped it for good.
    pub stopped: Option<Moment>,
    /// When its passing was recorded, with the due time of that moment.
    pub fired: Option<Moment>,
}

impl Clock {
    /// Builds a running clock.
    pub fn running(kind: ClockKind, budget: Period, since: Moment) -> Self {
        Self {
            kind,
            about: String::new(),
            budget,
            more: 0,
            extended_at: None,
            since,
            stopped: None,
            fired: None,
        }
    }

    /// Tells whether it still runs.
    pub fn is_running(&self) -> bool {
        self.stopped.is_none()
    }
}

/// An interval in which the clocks stood still.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspension {
    /// The lawful ground.
    pub ground: String,
    /// How long it was expected to take.
    pub expected: Option<Period>,
    /// Effective begin.
    pub from: Moment,
    /// Effective end, once known.
    pub until: Option<Moment>,
}

/// Returns the intervals that count for `clock`: only the handling itself stands still, and only
/// since the clock began.
pub(super) fn standing(clock: &Clock, suspensions: &[Suspension]) -> Vec<Stood> {
    let own = suspensions.iter().filter(|_| clock.kind.pauses());
    own.map(|suspension| Stood { from: suspension.from.max(clock.since), until: suspension.until })
        .collect()
}

/// Returns when `clock` is due: what was left when a suspension began is left when it ends
/// (dossier 3.2). An open suspension counts as if it ended at `now`.
pub(super) fn due(clock: &Clock, stood: &[Suspension], calendar: &Calendar, now: Moment) -> Due {
    calendar.due_with(clock.since, clock.budget, clock.more, &standing(clock, stood), now)
}

/// Returns the whole working days that `clock` has counted until it stopped, or until `now`.
pub(super) fn used_days(
    clock: &Clock,
    stood: &[Suspension],
    calendar: &Calendar,
    now: Moment,
) -> u32 {
    let until = clock.stopped.unwrap_or(now).max(clock.since);
    let days = Period { amount: 1, unit: Unit::WorkingDays };
    calendar.used(clock.since, days, &standing(clock, stood), until)
}
