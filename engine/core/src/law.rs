//! The legal fold of one matter: the only authority on which act holds.
//!
//! Scripts, people, clocks and agencies only *request* acts. [`Law::judge`] answers done,
//! already, or refused with the reason; [`Law::apply`] folds an act that was answered done.
//! Business state ([`Stage`]) and suspension are two axes (dossier 14.2). Clocks hold budgets
//! and a ledger; the due time is derived where it is asked for.

mod act;
mod clock;
mod judge;
mod rules;
mod stage;
#[cfg(test)]
mod tests;

pub use act::{Act, ActAnswer, ActKind, Actor, CorrectionList, Promised, Terms};
pub use clock::{Clock, ClockKind, Suspension};
pub use rules::{
    CORRECTION_GROUND, CorrectionRule, Ground, NOT_ACCEPT_GROUNDS, Procedure, REGIMES,
    RegimeDefaults, Rules, SUSPENSION_GROUNDS,
};
pub use stage::{Ending, Stage};

use crate::calendar::{Calendar, Due, Explanation};
use crate::definition::{Limits, Regime};
use crate::time::{Moment, Period};

/// The standing of one matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// Business state.
    pub stage: Stage,
    /// The rules it follows.
    pub rules: Rules,
    /// Effective time of the last act.
    pub since: Moment,
    /// Ground of the last act that has one.
    pub ground: String,
    /// Rounds of correction, in order.
    pub corrections: Vec<Correction>,
    /// When the first review ended and the higher office got the matter; stays after its decision.
    pub forwarded: Option<Moment>,
    /// What a revocation did, after the end.
    pub revoked: Option<Revocation>,
    /// When the license was made.
    pub license_made: Option<Moment>,
    /// When decision and license were delivered.
    pub delivered: Option<Moment>,
    clocks: Vec<Clock>,
    suspensions: Vec<Suspension>,
}

/// One round of correction: a complete list, the applicant's period, what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// What was listed.
    pub list: CorrectionList,
    /// When it was asked.
    pub asked_at: Moment,
    /// When the notice reached the applicant.
    pub served_at: Option<Moment>,
    /// When the applicant supplied it.
    pub supplied_at: Option<Moment>,
    /// Whether it was asked after the acceptance.
    pub after_acceptance: bool,
}

impl Correction {
    /// Tells whether the applicant has yet to supply.
    pub fn is_open(&self) -> bool {
        self.supplied_at.is_none()
    }
}

/// A decision taken back by the authority: a later act; the decision stays in history.
#[derive(Clone, Debug, PartialEq)]
pub struct Revocation {
    /// When it took effect.
    pub at: Moment,
    /// Why.
    pub ground: String,
    /// Number of the revoking decision.
    pub document_no: String,
}

impl Law {
    /// Returns the standing of a matter that is only planned.
    pub fn planned(at: Moment) -> Self {
        Self {
            stage: Stage::Planned,
            rules: Rules::of(Regime::PublicService, Limits::default()),
            since: at,
            ground: String::new(),
            corrections: Vec::new(),
            forwarded: None,
            revoked: None,
            license_made: None,
            delivered: None,
            clocks: Vec::new(),
            suspensions: Vec::new(),
        }
    }

    /// Folds the filing of the matter: its inputs exist, its legal parameters are fixed.
    /// Returns `false`, and changes nothing, when the matter is not planned any more.
    #[must_use]
    pub fn file(&mut self, at: Moment, rules: Rules) -> bool {
        if self.stage != Stage::Planned {
            return false;
        }
        self.stage = Stage::Filed;
        self.rules = rules;
        self.since = at;
        true
    }

    /// Returns the code of the state, a revocation included.
    pub fn code(&self) -> &'static str {
        if self.revoked.is_some() { "revoked" } else { self.stage.code() }
    }

    /// Returns the Chinese name of the state, a revocation included.
    pub fn name(&self) -> &'static str {
        if self.revoked.is_some() { "已撤销" } else { self.stage.name() }
    }

    /// Returns the open suspension, if the clocks stand still.
    pub fn suspended(&self) -> Option<&Suspension> {
        self.suspensions.iter().rev().find(|suspension| suspension.until.is_none())
    }

    /// Returns every interval in which the clocks stood still, in order.
    pub fn suspensions(&self) -> &[Suspension] {
        &self.suspensions
    }

    /// Returns the open special procedure; a correction that stops the clock is none.
    pub fn special_procedure(&self) -> Option<&Suspension> {
        let mut open = self.suspensions.iter().rev();
        open.find(|open| open.until.is_none() && open.ground != CORRECTION_GROUND)
    }

    /// Returns the round of correction that the applicant has yet to supply; after an end, none.
    pub fn correction(&self) -> Option<&Correction> {
        let asked = self.corrections.last().filter(|_| self.ending().is_none());
        asked.filter(|round| round.is_open())
    }

    /// Returns the ending, if the matter has ended.
    pub fn ending(&self) -> Option<Ending> {
        if let Stage::Ended(ending) = self.stage { Some(ending) } else { None }
    }

    /// Returns the clocks, in the order in which they started.
    pub fn clocks(&self) -> &[Clock] {
        &self.clocks
    }

    /// Returns the running clock of a kind.
    pub fn running(&self, kind: ClockKind) -> Option<&Clock> {
        self.clocks.iter().rev().find(|clock| clock.kind == kind && clock.is_running())
    }

    /// Folds the passing of a clock. Returns `false` when no such clock runs.
    #[must_use]
    pub fn fire(&mut self, kind: ClockKind, about: &str, due: Moment) -> bool {
        let mut clocks = self.clocks.iter_mut().rev();
        let found = clocks.find(|clock| {
            clock.kind == kind
                && clock.about == about
                && clock.is_running()
                && clock.fired.is_none()
        });
        let Some(clock) = found else {
            return false;
        };
        clock.fired = Some(due);
        true
    }

    /// Folds the arrival of a promised material: its clock stops.
    pub fn keep_promise(&mut self, material: &str, at: Moment) {
        for clock in &mut self.clocks {
            let own = clock.kind == ClockKind::Tolerance && clock.about == material;
            if own && clock.is_running() {
                clock.stopped = Some(at);
            }
        }
    }

    /// Gives the applicant's period anew, because an officer extended it after it had passed.
    pub fn renew_period(&mut self, kind: ClockKind, about: &str, budget: Period, at: Moment) {
        for clock in &mut self.clocks {
            if clock.kind == kind && clock.about == about && clock.is_running() {
                *clock = Clock { about: about.to_owned(), ..Clock::running(kind, budget, at) };
            }
        }
    }

    /// Folds an act that [`Law::judge`] answered with done. Returns `false`, and changes
    /// nothing, when the standing makes the act impossible: the log is damaged.
    #[must_use]
    pub fn apply(&mut self, act: &Act) -> bool {
        if !self.is_possible(act) {
            return false;
        }
        let at = act.effective_at;
        // A receipt may have been given on paper before the matter was entered here.
        let first = act.kind == ActKind::Receive;
        self.since = if first { at } else { self.since.max(at) };
        if !act.ground.is_empty() {
            self.ground.clone_from(&act.ground);
        }
        match act.kind {
            ActKind::Receive => self.receive(at, &act.terms),
            ActKind::Accept => self.accept(at, act),
            ActKind::DeemAccept => {
                self.accept(at, act);
                self.stage = Stage::Accepted { deemed: true };
            }
            ActKind::RebutAcceptance => self.rebut(act),
            ActKind::Return => {
                self.stage = Stage::Returned;
                self.stop(at);
            }
            ActKind::Resubmit => self.stage = Stage::Filed,
            ActKind::AskCorrection => self.ask_correction(act),
            ActKind::ServeCorrection => self.serve_correction(at),
            ActKind::SupplyCorrection => self.supply_correction(at),
            ActKind::Suspend => self.suspend(act),
            ActKind::Resume => self.resume(at, |ground| ground != CORRECTION_GROUND),
            ActKind::Extend => self.extend(act),
            ActKind::ForwardUp => {
                self.stage = Stage::ForwardedUp;
                self.forwarded = Some(at);
                self.stop_kind(ClockKind::FirstReview, at);
            }
            ActKind::Grant => self.grant(Ending::Granted, at),
            ActKind::GrantTolerant => self.grant(Ending::GrantedTolerant, at),
            ActKind::Deny => self.end(Ending::Denied, at),
            ActKind::NotAccept => self.end(Ending::NotAccepted, at),
            ActKind::NotFile => self.end(Ending::NotFiled, at),
            ActKind::Withdraw => self.end(Ending::Withdrawn, at),
            ActKind::Terminate => self.end(Ending::Terminated, at),
            ActKind::Revoke => {
                self.revoked = Some(Revocation {
                    at,
                    ground: act.ground.clone(),
                    document_no: act.document_no.clone(),
                });
                // Nothing more is owed: no license by the office, no material by the applicant.
                self.stop(at);
                self.stop_kind(ClockKind::Tolerance, at);
            }
            ActKind::MakeLicense => self.license_made = Some(at),
            ActKind::Deliver => {
                self.delivered = Some(at);
                self.stop_kind(ClockKind::Issuing, at);
            }
        }
        true
    }

    /// Tells whether a recorded act can be folded at all.
    fn is_possible(&self, act: &Act) -> bool {
        use ActKind as K;
        let after_the_end = matches!(act.kind, K::Revoke | K::MakeLicense | K::Deliver);
        if after_the_end != self.ending().is_some() {
            return false;
        }
        let needs_round = matches!(act.kind, K::ServeCorrection | K::SupplyCorrection);
        (act.kind != K::Resume || self.special_procedure().is_some())
            && (!needs_round || self.correction().is_some())
            && (act.kind != K::RebutAcceptance || self.stage == Stage::Accepted { deemed: true })
    }

    /// The office's days run from the receipt of the complete papers. Papers that it returned and
    /// that came back as they were had been complete before: what it has used of its days stays
    /// used.
    fn receive(&mut self, at: Moment, terms: &Terms) {
        self.stage = Stage::Received;
        let Some(whole) = self.rules.acceptance else {
            return;
        };
        let limit = if let Terms::Remaining { left } = terms { *left } else { whole };
        self.start(ClockKind::Acceptance, limit, at);
    }

    fn accept(&mut self, at: Moment, act: &Act) {
        self.stage = Stage::ACCEPTED;
        self.stop(at);
        let Rules { limits, first_review, .. } = self.rules.clone();
        let starts = [
            (ClockKind::Statutory, limits.statutory),
            (ClockKind::Promised, limits.promised),
            (ClockKind::FirstReview, first_review),
        ];
        for (kind, limit) in starts {
            if let Some(limit) = limit {
                self.start(kind, limit, at);
            }
        }
        if let Terms::Promises(promises) = &act.terms {
            for promise in promises {
                let clock = Clock::running(ClockKind::Tolerance, promise.within, at);
                self.clocks.push(Clock { about: promise.material.clone(), ..clock });
            }
        }
    }

    /// The office proved that its notice went out in time: the acceptance by silence, and all
    /// that it had set going, never were. What was asked since gives way to that notice.
    fn rebut(&mut self, act: &Act) {
        self.clocks.retain(|clock| !clock.is_running());
        self.corrections.retain(|round| !round.is_open());
        self.stand_no_longer(act.effective_at);
        self.stage = Stage::Correcting;
        self.ask_correction(act);
    }

    fn ask_correction(&mut self, act: &Act) {
        let Terms::Correction(list) = &act.terms else {
            return;
        };
        let at = act.effective_at;
        let after_acceptance = self.stage.is_handled();
        self.corrections.push(Correction {
            list: list.clone(),
            asked_at: at,
            served_at: None,
            supplied_at: None,
            after_acceptance,
        });
        if after_acceptance && !self.rules.correction.stops_clock_by.is_empty() {
            self.suspensions.push(Suspension {
                ground: CORRECTION_GROUND.to_owned(),
                expected: list.limit,
                from: at,
                until: None,
            });
        }
        if !after_acceptance {
            self.stage = Stage::Correcting;
            self.stop_kind(ClockKind::Acceptance, at);
        }
        if let Some(served_at) = list.served_at {
            self.serve_correction(served_at);
        }
    }

    fn serve_correction(&mut self, at: Moment) {
        let own = self.rules.correction.limit;
        let Some(round) = self.corrections.last_mut() else {
            return;
        };
        round.served_at = Some(at);
        let limit = round.list.limit.unwrap_or(own);
        self.start(ClockKind::Correction, limit, at);
    }

    fn supply_correction(&mut self, at: Moment) {
        let Some(round) = self.corrections.last_mut() else {
            return;
        };
        round.supplied_at = Some(at);
        let after_acceptance = round.after_acceptance;
        self.stop_kind(ClockKind::Correction, at);
        if after_acceptance {
            self.resume(at, |ground| ground == CORRECTION_GROUND);
        } else {
            self.receive(at, &Terms::None);
        }
    }

    fn suspend(&mut self, act: &Act) {
        let expected = match &act.terms {
            Terms::Suspension { expected } => *expected,
            Terms::None
            | Terms::Correction(_)
            | Terms::Extension { .. }
            | Terms::Promises(_)
            | Terms::ByRule(_)
            | Terms::Remaining { .. } => None,
        };
        self.suspensions.push(Suspension {
            ground: act.ground.clone(),
            expected,
            from: act.effective_at,
            until: None,
        });
    }

    fn resume(&mut self, at: Moment, which: impl Fn(&str) -> bool) {
        let mut open = self.suspensions.iter_mut().rev();
        if let Some(last) = open.find(|last| last.until.is_none() && which(&last.ground)) {
            last.until = Some(at);
        }
    }

    /// The announced end moves: the limit of the law, and the promise with it.
    fn extend(&mut self, act: &Act) {
        let Terms::Extension { by, .. } = &act.terms else {
            return;
        };
        for clock in &mut self.clocks {
            let handling = matches!(clock.kind, ClockKind::Statutory | ClockKind::Promised);
            if handling && clock.is_running() && clock.budget.unit == by.unit {
                clock.more = clock.more.saturating_add(by.amount);
                clock.extended_at = Some(act.effective_at);
            }
        }
    }

    /// Tells whether this very extension was granted before: a message that comes twice.
    fn was_extended(&self, by: Period, at: Moment) -> bool {
        let mut clocks = self.clocks.iter().filter(|clock| clock.kind == ClockKind::Statutory);
        clocks.any(|clock| {
            let same = Period { amount: clock.more, ..clock.budget } == by;
            same && clock.extended_at == Some(at)
        })
    }

    /// Tells whether an extension was granted before.
    pub fn is_extended(&self) -> bool {
        self.clocks.iter().any(|clock| clock.more > 0)
    }

    fn start(&mut self, kind: ClockKind, budget: Period, since: Moment) {
        self.clocks.push(Clock::running(kind, budget, since));
    }

    fn stop_kind(&mut self, kind: ClockKind, at: Moment) {
        for clock in self.clocks.iter_mut().filter(|clock| clock.kind == kind) {
            clock.stopped.get_or_insert(at);
        }
    }

    /// Stops every clock but those of promised materials, which outlive a tolerant grant.
    fn stop(&mut self, at: Moment) {
        for clock in self.clocks.iter_mut().filter(|clock| clock.kind != ClockKind::Tolerance) {
            clock.stopped.get_or_insert(at);
        }
    }

    fn grant(&mut self, ending: Ending, at: Moment) {
        self.end(ending, at);
        if let Some(limit) = self.rules.issuing {
            self.start(ClockKind::Issuing, limit, at);
        }
    }

    fn end(&mut self, ending: Ending, at: Moment) {
        self.stage = Stage::Ended(ending);
        self.stop(at);
        if ending != Ending::GrantedTolerant {
            self.stop_kind(ClockKind::Tolerance, at);
        }
        self.stand_no_longer(at);
    }

    fn stand_no_longer(&mut self, at: Moment) {
        for suspension in &mut self.suspensions {
            suspension.until.get_or_insert(at);
        }
    }

    /// Returns when `clock` is due. While a suspension is open the result counts it as if it
    /// ended at `now`.
    pub fn due(&self, clock: &Clock, calendar: &Calendar, now: Moment) -> Due {
        clock::due(clock, &self.suspensions, calendar, now)
    }

    /// Lists each counted and each skipped day of `clock` with its source.
    pub fn explain(&self, clock: &Clock, calendar: &Calendar, now: Moment) -> Explanation {
        let stood = clock::standing(clock, &self.suspensions);
        calendar.explain(clock.since, clock.budget, clock.more, &stood, now)
    }

    /// Returns the whole working days that `clock` has counted until it stopped, or until `now`.
    pub fn used_days(&self, clock: &Clock, calendar: &Calendar, now: Moment) -> u32 {
        clock::used_days(clock, &self.suspensions, calendar, now)
    }
}
