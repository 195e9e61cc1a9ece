//! What a done act changes.

#![expect(clippy::wildcard_enum_match_arm, reason = "each act knows one kind of terms")]

use tongban_core::law::{Act, ActKind, ClockKind, Promised, Terms};
use tongban_core::time::{Moment, Period};

use super::{Cause, Interval, Mark, Model, Round, State, Timer, told};

impl Model<'_> {
    /// Takes an act that was answered with done.
    pub(crate) fn take(&mut self, act: &Act) {
        use ActKind as K;
        let at = act.effective_at;
        // Papers may have been taken at the window days before anybody entered them.
        let is_receipt = act.kind == K::Receive;
        self.latest = self.latest.filter(|latest| !is_receipt && *latest > at).or(Some(at));
        match act.kind {
            K::Receive => self.received(at, &act.terms),
            K::Accept => self.accepted(at, promises(act)),
            K::DeemAccept => self.accepted_by_law(promises(act)),
            K::RebutAcceptance => self.rebutted(act),
            K::NotAccept => self.over("not_accepted", at),
            K::NotFile => self.over("not_filed", at),
            K::Suspend => self.stand(&act.ground, Cause::Procedure, at),
            K::Resume => self.go_on(Cause::Procedure, at),
            K::Grant => self.granted("granted", at),
            K::GrantTolerant => self.granted("granted_tolerant", at),
            K::Deny => self.over("denied", at),
            K::Withdraw => self.over("withdrawn", at),
            K::Terminate => self.over("terminated", at),
            K::Return => {
                self.state = State::Returned;
                self.halt(ClockKind::Acceptance);
            }
            K::Resubmit => self.state = State::Filed,
            K::AskCorrection => self.asked(act),
            K::ServeCorrection => self.served(at),
            K::SupplyCorrection => self.supplied(at),
            K::Extend => self.extended_by(act),
            K::ForwardUp => {
                self.state = State::Forwarded;
                self.marks.insert(Mark::Forwarded);
                self.halt(ClockKind::FirstReview);
            }
            K::Revoke => {
                self.marks.insert(Mark::Revoked);
                self.timers.clear();
            }
            K::MakeLicense => {
                self.marks.insert(Mark::Made);
            }
            K::Deliver => {
                self.marks.insert(Mark::Delivered);
                self.halt(ClockKind::Issuing);
            }
        }
    }

    /// A promised material came.
    pub(crate) fn keep_promise(&mut self, material: &str) -> bool {
        self.timers.retain(|timer| timer.kind != ClockKind::Tolerance || timer.about != material);
        true
    }

    /// An officer gave the applicant his period anew.
    pub(crate) fn renew(&mut self, kind: ClockKind, budget: Period, at: Moment) -> bool {
        for timer in self.timers.iter_mut().filter(|timer| timer.kind == kind) {
            timer.budget = budget;
            timer.more = 0;
            timer.since = at;
            timer.passed = None;
        }
        true
    }

    /// The passing of a timer was recorded; it passes once.
    pub(crate) fn pass(&mut self, kind: ClockKind, about: &str, at: Moment) -> bool {
        let mut timers = self.timers.iter_mut().rev();
        let own = |timer: &&mut Timer| timer.kind == kind && timer.about == about;
        let found = timers.find(|timer| own(timer) && timer.passed.is_none());
        found.map(|timer| timer.passed = Some(at)).is_some()
    }

    /// When the papers were taken whose silence is measured.
    pub(crate) fn receipt(&self) -> Option<Moment> {
        self.timer(ClockKind::Acceptance).map(|timer| timer.since)
    }

    fn start(&mut self, kind: ClockKind, about: &str, budget: Option<Period>, since: Moment) {
        let timer =
            |budget| Timer { kind, about: about.to_owned(), budget, more: 0, since, passed: None };
        self.timers.extend(budget.map(timer));
    }

    fn halt(&mut self, kind: ClockKind) {
        self.timers.retain(|timer| timer.kind != kind);
    }

    fn received(&mut self, at: Moment, terms: &Terms) {
        self.state = State::Received;
        let whole = self.its_rules().acceptance;
        let days = match terms {
            Terms::Remaining { left } => Some(*left),
            _ => whole,
        };
        self.marks.extend(whole.map(|_| Mark::Measured));
        self.start(ClockKind::Acceptance, "", days, at);
    }

    fn accepted(&mut self, since: Moment, promises: &[Promised]) {
        let rules = self.its_rules();
        self.state = State::Accepted;
        self.halt(ClockKind::Acceptance);
        self.start(ClockKind::Statutory, "", rules.limits.statutory, since);
        self.start(ClockKind::Promised, "", rules.limits.promised, since);
        self.start(ClockKind::FirstReview, "", rules.first_review, since);
        for promised in promises {
            self.start(ClockKind::Tolerance, &promised.material, Some(promised.within), since);
        }
    }

    /// Counted from the receipt: the days of silence are used up.
    fn accepted_by_law(&mut self, promises: &[Promised]) {
        let waited = self.timer(ClockKind::Acceptance).expect("silence was measured").clone();
        self.silence = Some((waited.since, self.end(&waited, waited.since).at));
        self.marks.insert(Mark::Deemed);
        self.accepted(waited.since, promises);
    }

    /// The deemed acceptance never was: its clocks are gone, the correction stands in its place.
    fn rebutted(&mut self, act: &Act) {
        self.marks.remove(&Mark::Deemed);
        self.timers.clear();
        self.go_on(Cause::Correction, act.effective_at);
        self.go_on(Cause::Procedure, act.effective_at);
        self.rounds.retain(|round| round.supplied);
        self.marks.remove(&Mark::Extended);
        self.extension = None;
        self.state = State::Received;
        self.asked(act);
    }

    fn asked(&mut self, act: &Act) {
        let Terms::Correction(list) = &act.terms else {
            unreachable!("a correction without a list is refused");
        };
        let rules = self.its_rules();
        let after = self.is_handled();
        let limit = list.limit.unwrap_or(rules.correction.limit);
        let asked = act.effective_at;
        let round = Round { after, asked, served: None, supplied: false, limit, list: told(list) };
        self.rounds.push(round);
        if after {
            if !rules.correction.stops_clock_by.is_empty() {
                self.stand("correction", Cause::Correction, asked);
            }
        } else {
            self.state = State::Correcting;
            self.halt(ClockKind::Acceptance);
        }
        if let Some(served) = list.served_at {
            self.served(served);
        }
    }

    fn served(&mut self, at: Moment) {
        let round = self.rounds.last_mut().expect("a round is open");
        round.served = Some(at);
        let limit = round.limit;
        self.start(ClockKind::Correction, "", Some(limit), at);
    }

    fn supplied(&mut self, at: Moment) {
        let round = self.rounds.last_mut().expect("a round is open");
        round.supplied = true;
        let after = round.after;
        self.halt(ClockKind::Correction);
        if after {
            self.go_on(Cause::Correction, at);
        } else {
            self.received(at, &Terms::None);
        }
    }

    fn stand(&mut self, ground: &str, cause: Cause, from: Moment) {
        self.intervals.push(Interval { ground: ground.to_owned(), cause, from, until: None });
    }

    fn go_on(&mut self, cause: Cause, at: Moment) {
        for one in &mut self.intervals {
            if one.until.is_none() && one.cause == cause {
                one.until = Some(at);
            }
        }
    }

    fn extended_by(&mut self, act: &Act) {
        let Terms::Extension { by, .. } = &act.terms else {
            unreachable!("an extension without a length is refused");
        };
        self.marks.insert(Mark::Extended);
        self.extension = Some((*by, act.effective_at));
        for timer in &mut self.timers {
            let handling = matches!(timer.kind, ClockKind::Statutory | ClockKind::Promised);
            if handling && timer.budget.unit == by.unit {
                timer.more += by.amount;
            }
        }
    }

    /// Nothing stays open past an end: no pair is broken.
    fn over(&mut self, how: &'static str, at: Moment) {
        self.state = State::Ended(how);
        self.timers.clear();
        self.go_on(Cause::Correction, at);
        self.go_on(Cause::Procedure, at);
    }

    fn granted(&mut self, how: &'static str, at: Moment) {
        let mut owed = std::mem::take(&mut self.timers);
        owed.retain(|timer| timer.kind == ClockKind::Tolerance);
        self.over(how, at);
        if how == "granted_tolerant" {
            self.timers = owed;
        }
        self.start(ClockKind::Issuing, "", self.its_rules().issuing, at);
    }
}

fn promises(act: &Act) -> &[Promised] {
    match &act.terms {
        Terms::Promises(promises) => promises,
        _ => &[],
    }
}
