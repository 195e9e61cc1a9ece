//! What the law answers to an act.

#![expect(clippy::wildcard_enum_match_arm, reason = "what the table does not allow is refused")]

use tongban_core::law::{Act, ActKind, ClockKind, CorrectionList, Terms};
use tongban_core::time::Moment;

use super::Answer::{self, Already, Done, Refused};
use super::{Cause, Mark, Model, State, Timer, told};

/// The grounds on which acceptance may be refused (§32).
const NOT_ACCEPT: [&str; 3] = ["no_licence_needed", "no_competence", "outside_list"];

/// What stops the clock of a licence by law (§45).
const SPECIAL: [&str; 8] = [
    "hearing",
    "bidding",
    "auction",
    "inspection",
    "testing",
    "quarantine",
    "appraisal",
    "expert_review",
];

impl Model<'_> {
    /// Answers an act; changes nothing.
    pub(crate) fn answer(&self, act: &Act) -> Answer {
        let answer = self.answer_by_state(act);
        if answer == Done && self.is_out_of_order(act) { Refused } else { answer }
    }

    /// By date, since the clocks of two offices differ: an act does not take effect before the
    /// one it follows. The sources leave this open; a notice's service and a correction are facts
    /// that are proven later, and silence is counted back to the receipt.
    fn is_out_of_order(&self, act: &Act) -> bool {
        let is_fact = matches!(
            act.kind,
            ActKind::DeemAccept | ActKind::ServeCorrection | ActKind::SupplyCorrection
        );
        let follows = !matches!(self.state, State::Planned | State::Filed) && !is_fact;
        follows && self.latest.is_some_and(|latest| act.effective_at.date() < latest.date())
    }

    fn answer_by_state(&self, act: &Act) -> Answer {
        use ActKind as K;
        match act.kind {
            K::Receive => self.receive(act),
            K::Accept => self.accept(),
            K::NotAccept => self.not_accept(act),
            K::NotFile => self.not_file(act),
            K::Suspend => self.suspend(act),
            K::Resume => self.resume(),
            K::Grant => self.decide("granted", Done),
            // Whether materials are owed is known where materials are kept.
            K::GrantTolerant => self.decide("granted_tolerant", Done),
            K::Deny => self.decide("denied", needs(&act.ground)),
            K::Withdraw => self.stop("withdrawn", Done),
            K::Terminate => self.stop("terminated", self.may_terminate(act)),
            K::Return => self.give_back(act),
            K::Resubmit => self.resubmit(),
            K::DeemAccept => self.deem(act),
            K::RebutAcceptance => self.rebut(act),
            K::AskCorrection => self.ask(act),
            K::ServeCorrection => self.serve(act),
            K::SupplyCorrection => self.supply(act),
            K::Extend => self.extend(act),
            K::ForwardUp => self.forward(),
            K::Revoke => self.revoke(act),
            K::MakeLicense => self.make(),
            K::Deliver => self.deliver(),
        }
    }

    fn receive(&self, act: &Act) -> Answer {
        match self.state {
            State::Filed => self.may_count_on(&act.terms),
            State::Received
            | State::Correcting
            | State::Accepted
            | State::Forwarded
            | State::Ended(_) => Already,
            State::Planned | State::Returned => Refused,
        }
    }

    /// A return by mistake gives the office no new days. What is said to be left must be some of
    /// its days, and some must have been used before.
    fn may_count_on(&self, terms: &Terms) -> Answer {
        let Terms::Remaining { left } = terms else {
            return Done;
        };
        let whole = self.its_rules().acceptance;
        let fits = whole.is_some_and(|whole| {
            whole.unit == left.unit && left.amount > 0 && left.amount <= whole.amount
        });
        if fits && self.has(Mark::Measured) { Done } else { Refused }
    }

    fn accept(&self) -> Answer {
        match self.state {
            State::Received => Done,
            State::Accepted | State::Forwarded => Already,
            State::Planned
            | State::Filed
            | State::Returned
            | State::Correcting
            | State::Ended(_) => Refused,
        }
    }

    fn not_accept(&self, act: &Act) -> Answer {
        match self.state {
            State::Ended("not_accepted") => Already,
            State::Received
                if NOT_ACCEPT.contains(&act.ground.as_str())
                    && !self.law_has_spoken(act.effective_at) =>
            {
                Done
            }
            _ => Refused,
        }
    }

    fn not_file(&self, act: &Act) -> Answer {
        match self.state {
            State::Planned => needs(&act.ground),
            State::Ended("not_filed") => Already,
            _ => Refused,
        }
    }

    fn give_back(&self, act: &Act) -> Answer {
        match self.state {
            State::Filed => needs(&act.ground),
            // "Before acceptance": also what was taken already, as long as the office may speak.
            State::Received if !self.law_has_spoken(act.effective_at) => needs(&act.ground),
            State::Returned => Already,
            _ => Refused,
        }
    }

    fn resubmit(&self) -> Answer {
        match self.state {
            State::Returned => Done,
            State::Filed => Already,
            _ => Refused,
        }
    }

    fn suspend(&self, act: &Act) -> Answer {
        if !self.is_handled() {
            return Refused;
        }
        if let Some(open) = self.open_procedure() {
            return if open.ground == act.ground { Already } else { Refused };
        }
        let rules = self.rules.as_ref().expect("what is handled was filed");
        let by_law = rules.special_procedures && SPECIAL.contains(&act.ground.as_str());
        let by_rule = rules.suspensions.iter().any(|own| own.code == act.ground);
        if by_law || by_rule { Done } else { Refused }
    }

    fn resume(&self) -> Answer {
        let begun = self.intervals.iter().any(|one| one.cause == Cause::Procedure);
        if !self.is_handled() || !begun {
            return Refused;
        }
        if self.open_procedure().is_some() { Done } else { Already }
    }

    fn decide(&self, how: &'static str, answer: Answer) -> Answer {
        match self.state {
            State::Ended(end) if end == how => Already,
            State::Accepted | State::Forwarded if !self.has_open_questions() => answer,
            _ => Refused,
        }
    }

    fn stop(&self, how: &'static str, answer: Answer) -> Answer {
        match self.state {
            State::Ended(end) if end == how => Already,
            State::Ended(_) => Refused,
            // What no department has is not terminated, it is not filed.
            State::Planned if how == "terminated" => Refused,
            _ => answer,
        }
    }

    /// An officer needs a reason; the clock needs the matter's own rule and a missed correction.
    fn may_terminate(&self, act: &Act) -> Answer {
        let Terms::ByRule(rule) = &act.terms else {
            return needs(&act.ground);
        };
        let Some(rules) = &self.rules else {
            return Refused;
        };
        let by_rule = !rule.is_empty() && *rule == rules.correction.ends_by;
        let missed = self.is_past(ClockKind::Correction, act.effective_at);
        if by_rule && missed { Done } else { Refused }
    }

    fn deem(&self, act: &Act) -> Answer {
        match self.state {
            State::Accepted | State::Forwarded => Already,
            State::Received if self.is_silence_over(act.effective_at) => Done,
            _ => Refused,
        }
    }

    /// Silence is over when its passing was recorded; the acceptance is as of the receipt.
    fn is_silence_over(&self, receipt: Moment) -> bool {
        let deemed = self.rules.as_ref().is_some_and(|rules| rules.deemed_acceptance);
        let over = |timer: &Timer| {
            timer.since == receipt && timer.passed.is_some_and(|at| at >= self.end(timer, at).at)
        };
        deemed && self.timer(ClockKind::Acceptance).is_some_and(over)
    }

    /// Proof, by number and date of service, that a complete list was told before the law spoke.
    fn rebut(&self, act: &Act) -> Answer {
        let Terms::Correction(list) = &act.terms else {
            return Refused;
        };
        let Some((from, until)) = self.silence else {
            return Refused;
        };
        let told = |served: Moment| from.date() <= served.date() && served <= until;
        let proven = !act.document_no.is_empty() && list.served_at.is_some_and(told);
        let deemed = self.has(Mark::Deemed) && self.state == State::Accepted;
        if deemed && proven && names_something(list) { Done } else { Refused }
    }

    fn ask(&self, act: &Act) -> Answer {
        let (Terms::Correction(list), Some(rules)) = (&act.terms, &self.rules) else {
            return Refused;
        };
        let after = self.is_handled();
        if self.is_correcting() {
            let open = self.rounds.last().expect("a round is open");
            return if open.list == told(list) { Already } else { Refused };
        }
        let allowed = if after { rules.correction.rounds_after } else { rules.correction.rounds };
        let used = self.rounds.iter().filter(|round| round.after == after).count();
        let may =
            after || (self.state == State::Received && !self.law_has_spoken(act.effective_at));
        if may && used < usize::from(allowed) && names_something(list) { Done } else { Refused }
    }

    fn serve(&self, act: &Act) -> Answer {
        match self.rounds.last() {
            Some(round) if self.is_correcting() => match round.served {
                Some(_) => Already,
                None if act.effective_at.date() >= round.asked.date() => Done,
                None => Refused,
            },
            _ => Refused,
        }
    }

    fn supply(&self, act: &Act) -> Answer {
        match self.rounds.last() {
            Some(round) if self.is_correcting() => {
                // Late is not lost: nobody has ended the matter, and no machine may.
                if act.effective_at >= round.asked { Done } else { Refused }
            }
            Some(_) if !self.is_over() => Already,
            _ => Refused,
        }
    }

    fn extend(&self, act: &Act) -> Answer {
        let Terms::Extension { by, approved_by } = &act.terms else {
            return Refused;
        };
        // The same message again says nothing new.
        if self.is_handled() && self.extension == Some((*by, act.effective_at)) {
            return Already;
        }
        // Once, and of the limit of the law: the sources know no second one, nor one that comes
        // when the limit has passed.
        let limit = self.timer(ClockKind::Statutory).filter(|timer| timer.budget.unit == by.unit);
        let late = self.is_past(ClockKind::Statutory, act.effective_at);
        if !self.is_handled() || self.has(Mark::Extended) || limit.is_none() || late {
            return Refused;
        }
        let longest = self.rules.as_ref().and_then(|rules| rules.extension);
        let within = longest.is_some_and(|longest| {
            by.unit == longest.unit && by.amount > 0 && by.amount <= longest.amount
        });
        if within && !approved_by.is_empty() { needs(&act.ground) } else { Refused }
    }

    fn forward(&self) -> Answer {
        match self.state {
            // A first review is only there where a higher office decides.
            State::Accepted if !self.has_open_questions() => {
                if self.its_rules().first_review.is_some() { Done } else { Refused }
            }
            State::Forwarded => Already,
            _ => Refused,
        }
    }

    fn is_granted(&self) -> bool {
        matches!(self.state, State::Ended("granted" | "granted_tolerant"))
    }

    fn revoke(&self, act: &Act) -> Answer {
        match self.state {
            State::Ended("granted" | "granted_tolerant") if self.has(Mark::Revoked) => Already,
            State::Ended("granted" | "granted_tolerant") => needs(&act.ground),
            _ => Refused,
        }
    }

    fn make(&self) -> Answer {
        match (self.is_granted(), self.has(Mark::Made)) {
            (true, true) => Already,
            (true, false) if !self.has(Mark::Revoked) => Done,
            _ => Refused,
        }
    }

    fn deliver(&self) -> Answer {
        match (self.is_granted() || self.state == State::Ended("denied"), self.has(Mark::Delivered))
        {
            (true, true) => Already,
            // That it was delivered is a fact, also when the grant was taken back meanwhile.
            (true, false) => Done,
            (false, _) => Refused,
        }
    }
}

fn needs(reason: &str) -> Answer {
    if reason.is_empty() { Refused } else { Done }
}

fn names_something(list: &CorrectionList) -> bool {
    !(list.materials.is_empty() && list.fields.is_empty())
}
