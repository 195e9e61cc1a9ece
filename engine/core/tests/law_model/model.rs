//! The law of one matter, written a second time and as plainly as can be: from the transition
//! table, the clock table and the rules of silence, not from the engine.
//!
//! One flat struct, one question (`model/answer.rs`) and one consequence (`model/take.rs`). Where
//! the sources leave something open, the comment at the rule says what was chosen and why.

mod answer;
mod take;
mod who;

use std::collections::BTreeSet;

use tongban_core::law::{ClockKind, CorrectionList, Rules};
use tongban_core::time::{Moment, Period};

use crate::days::{Days, End, Still};

/// What becomes of an act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Done,
    Already,
    Refused,
    /// Not his to ask for, whatever the law would say.
    NotHis,
}

/// The business state; suspension is not part of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Planned,
    Filed,
    Returned,
    Received,
    Correcting,
    Accepted,
    Forwarded,
    Ended(&'static str),
}

/// What is true of a matter beside its state.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Mark {
    Deemed,
    Extended,
    Forwarded,
    Revoked,
    Made,
    Delivered,
    /// The office's days for looking at the papers were counted once.
    Measured,
}

/// Why a clock stands still.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cause {
    Procedure,
    Correction,
}

/// One round of correction.
#[derive(Clone, Debug)]
struct Round {
    after: bool,
    asked: Moment,
    served: Option<Moment>,
    supplied: bool,
    limit: Period,
    list: Vec<String>,
}

/// An interval without counting.
#[derive(Clone, Debug)]
struct Interval {
    ground: String,
    cause: Cause,
    from: Moment,
    until: Option<Moment>,
}

/// A budget that is being used up.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    pub(crate) kind: ClockKind,
    pub(crate) about: String,
    budget: Period,
    more: u32,
    since: Moment,
    /// When its passing was recorded.
    pub(crate) passed: Option<Moment>,
}

/// A matter.
pub(crate) struct Model<'a> {
    days: &'a Days,
    pub(crate) state: State,
    marks: BTreeSet<Mark>,
    pub(crate) timers: Vec<Timer>,
    rules: Option<Rules>,
    rounds: Vec<Round>,
    intervals: Vec<Interval>,
    /// From when until when the office was silent, once the law answered for it.
    silence: Option<(Moment, Moment)>,
    /// By how much the limit was extended, and when.
    extension: Option<(Period, Moment)>,
    /// The latest time at which something took effect since the receipt.
    latest: Option<Moment>,
}

impl<'a> Model<'a> {
    /// A matter that is only planned.
    pub(crate) fn planned(days: &'a Days) -> Self {
        Self {
            days,
            state: State::Planned,
            marks: BTreeSet::new(),
            timers: Vec::new(),
            rules: None,
            rounds: Vec::new(),
            intervals: Vec::new(),
            silence: None,
            extension: None,
            latest: None,
        }
    }

    /// The matter's inputs exist.
    pub(crate) fn file(&mut self, at: Moment, rules: Rules) -> bool {
        if self.state != State::Planned {
            return false;
        }
        self.latest = Some(at);
        self.state = State::Filed;
        self.rules = Some(rules);
        true
    }

    /// The name of the state, in the normalised table's words.
    pub(crate) fn code(&self) -> &'static str {
        match self.state {
            State::Ended("granted" | "granted_tolerant") if self.has(Mark::Revoked) => "revoked",
            State::Planned => "planned",
            State::Filed => "filed",
            State::Returned => "returned",
            State::Received => "received",
            State::Correcting => "correction_pending",
            State::Accepted => "accepted",
            State::Forwarded => "forwarded_up",
            State::Ended(how) => how,
        }
    }

    pub(crate) fn has(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.intervals.iter().any(|interval| interval.until.is_none())
    }

    pub(crate) fn is_correcting(&self) -> bool {
        self.rounds.last().is_some_and(|round| !round.supplied) && !self.is_over()
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    /// When a timer ends, seen at `now`.
    pub(crate) fn end(&self, timer: &Timer, now: Moment) -> End {
        let paused = matches!(
            timer.kind,
            ClockKind::Statutory | ClockKind::Promised | ClockKind::FirstReview
        );
        let stills: Vec<Still> = self
            .intervals
            .iter()
            .filter(|one| paused && one.from <= now)
            .map(|one| Still { from: one.from, until: one.until.unwrap_or(now) })
            .collect();
        self.days.end(timer.since, timer.budget, timer.more, &stills)
    }

    fn timer(&self, kind: ClockKind) -> Option<&Timer> {
        self.timers.iter().find(|timer| timer.kind == kind)
    }

    /// Whether `at` is past the end of the timer of that kind.
    fn is_past(&self, kind: ClockKind, at: Moment) -> bool {
        self.timer(kind).is_some_and(|timer| at > self.end(timer, at).at)
    }

    /// Whether the law has answered for the silent office by `at`.
    fn law_has_spoken(&self, at: Moment) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.deemed_acceptance)
            && self.is_past(ClockKind::Acceptance, at)
    }

    fn its_rules(&self) -> Rules {
        self.rules.clone().expect("what acts are done on was filed")
    }

    fn open_procedure(&self) -> Option<&Interval> {
        self.intervals.iter().find(|one| one.until.is_none() && one.cause == Cause::Procedure)
    }

    fn is_handled(&self) -> bool {
        matches!(self.state, State::Accepted | State::Forwarded)
    }

    /// A decision waits for the special procedure, and for the correction it asked for or the
    /// recorded end of the applicant's time.
    fn has_open_questions(&self) -> bool {
        let timer = self.timer(ClockKind::Correction);
        let waits = self.is_correcting() && timer.is_none_or(|timer| timer.passed.is_none());
        self.open_procedure().is_some() || waits
    }
}

fn told(list: &CorrectionList) -> Vec<String> {
    [&list.materials[..], &["/".to_owned()], &list.fields[..]].concat()
}
