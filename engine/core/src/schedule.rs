//! What the lawful clock brings next: consequences of a clock that passes, rungs of cards, and
//! timers of scripts. Derived from the case; only the firing is an entry.

mod rungs;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use crate::calendar::{Calendar, Calendars};
use crate::case::{CallState, Case, Matter};
use crate::entry::TaskKind;
use crate::id::{MatterNo, RoleCode};
use crate::law::{Act, ActAnswer, ActKind, Clock, ClockKind, Stage};
use crate::organisation::Organisation;
use crate::request::Ask;
use crate::time::{Moment, Period};
use crate::value::Value;

pub(crate) use self::rungs::{ClockKey, missed, over};
pub use self::rungs::{Rung, cards_on, rungs};

/// What derived times are read from.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The holiday tables of all places.
    pub calendars: &'a Calendars,
    /// The rules that raise cards.
    pub organisation: &'a Organisation,
    /// Lawful time.
    pub now: Moment,
}

impl<'a> Reading<'a> {
    /// Returns the calendar by which a matter counts: that of the place where it is decided.
    pub fn calendar(self, case: &Case, no: MatterNo) -> &'a Arc<Calendar> {
        self.calendars.of_place(case.place_of(no))
    }
}

/// A clock whose passing has a consequence.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Passing {
    /// When it is due: the last moment that is still in time.
    pub due: Moment,
    /// Whether the consequence goes against the applicant; such ones come last.
    pub adverse: bool,
    /// The matter.
    pub matter: MatterNo,
    /// Which clock.
    pub clock: ClockKind,
    /// What it is about.
    pub about: String,
}

/// Returns the clocks whose passing has a consequence that is not recorded yet.
pub fn passings(case: &Case, reading: Reading<'_>) -> Vec<Passing> {
    let mut all: Vec<Passing> =
        case.matters.iter().flat_map(|matter| passings_of(case, matter, reading)).collect();
    all.extend(case.open_tasks().filter_map(|task| {
        let within = silence(case, task)?;
        let due = reading.calendar(case, task.matter).due(task.opened_at, within, 0).at;
        let about = task.no.to_string();
        Some(Passing { due, adverse: false, matter: task.matter, clock: ClockKind::Opinion, about })
    }));
    let calls = case.calls.values();
    all.extend(calls.filter_map(|call| passing_of(call, reading.calendar(case, call.matter))));
    all.sort();
    all
}

/// Returns what silence has brought about on a matter by `at` without being recorded yet: the
/// law accepted for the office, a consulted department is deemed to agree. Nothing of it goes
/// against the applicant.
pub(crate) fn silences(
    case: &Case,
    matter: &Matter,
    (reading, at): (Reading<'_>, Moment),
) -> Vec<Passing> {
    let may_speak = (matter.law.stage == Stage::Received && matter.law.rules.deemed_acceptance)
        || case.open_tasks().any(|task| task.matter == matter.no && silence(case, task).is_some());
    if !may_speak {
        return Vec::new();
    }
    let mut all = passings(case, reading);
    all.retain(|passing| {
        let deemed = matches!(passing.clock, ClockKind::Acceptance | ClockKind::Opinion);
        deemed && passing.matter == matter.no && passing.due < at
    });
    all
}

fn passings_of(
    case: &Case,
    matter: &Matter,
    reading: Reading<'_>,
) -> impl Iterator<Item = Passing> {
    let law = &matter.law;
    let calendar = reading.calendar(case, matter.no);
    let counts = move |clock: &&Clock| {
        clock.is_running()
            && clock.fired.is_none()
            && match clock.kind {
                ClockKind::Acceptance => {
                    law.rules.deemed_acceptance && law.stage == Stage::Received
                }
                ClockKind::Correction | ClockKind::Tolerance => true,
                ClockKind::Statutory
                | ClockKind::Promised
                | ClockKind::FirstReview
                | ClockKind::Issuing
                | ClockKind::Connector
                | ClockKind::Opinion
                | ClockKind::Task => false,
            }
    };
    law.clocks().iter().filter(counts).map(move |clock| Passing {
        due: law.due(clock, calendar, reading.now).at,
        adverse: clock.kind.is_applicants(),
        matter: matter.no,
        clock: clock.kind,
        about: clock.about.clone(),
    })
}

/// An agency that is late has somebody look, also where the matter has ended meanwhile: its
/// answer is still owed.
fn passing_of(call: &CallState, calendar: &Calendar) -> Option<Passing> {
    let clock = call.clock.as_ref()?;
    let waits = clock.is_running() && clock.fired.is_none();
    waits.then(|| Passing {
        due: calendar.due(clock.since, clock.budget, 0).at,
        adverse: false,
        matter: call.matter,
        clock: clock.kind,
        about: clock.about.clone(),
    })
}

/// Returns within which time an opinion that was asked of another department is deemed an
/// agreement; only where the question says so and names its basis, and never of the deciding
/// department itself.
pub fn silence(case: &Case, task: &crate::case::Task) -> Option<Period> {
    if task.opened.kind != TaskKind::Decide {
        return None;
    }
    let matter = case.matter(task.matter)?;
    let request = matter.run.request(task.opened.request.as_ref()?)?;
    let Ask::Decide { role, options, .. } = &request.made.ask else {
        return None;
    };
    let text = |name: &str| options.get(name).and_then(Value::as_text);
    let other = RoleCode::new(role).department() != matter.planned.department;
    let agrees = text("silence") == Some("agree") && text("basis").is_some();
    text("within").filter(|_| other && agrees)?.parse().ok()
}

/// Returns when the case is to be looked at next because of time.
pub fn next(case: &Case, reading: Reading<'_>) -> Option<Moment> {
    case.submitted?;
    let passing = passings(case, reading).into_iter().map(|passing| passing.due.plus_millis(1));
    let cards = rungs::next_rung(case, reading);
    let served = services(case, reading).map(|(at, _)| at);
    passing.chain(cards).chain(served).chain(timers(case).map(|(due, _, _)| due)).min()
}

/// Returns the open corrections whose notice counts as served at some moment, now or when its
/// announcement ends, and whose period begins then.
pub fn services<'a>(
    case: &'a Case,
    reading: Reading<'a>,
) -> impl Iterator<Item = (Moment, MatterNo)> + 'a {
    case.services().filter(move |(at, no)| {
        let serve = Act::new(ActKind::ServeCorrection, *at, "");
        let calendar = reading.calendar(case, *no);
        let answer = case.matter(*no).map(|matter| matter.law.judge(&serve, calendar));
        answer == Some(ActAnswer::Done)
    })
}

/// Returns the open timers of scripts.
pub fn timers(
    case: &Case,
) -> impl Iterator<Item = (Moment, MatterNo, &crate::request::RequestKey)> {
    let open = case.matters.iter().filter(|matter| matter.may_run());
    open.flat_map(|matter| {
        let requests = matter.run.requests.iter();
        let waiting = requests.filter(|own| own.settled.is_none() && !own.discarded);
        waiting.filter_map(|request| match &request.made.ask {
            Ask::Timer { due, .. } => Some((*due, matter.no, &request.made.key)),
            Ask::Call { .. }
            | Ask::Decide { .. }
            | Ask::Act { .. }
            | Ask::Receive { .. }
            | Ask::Compensate { .. }
            | Ask::Patch { .. } => None,
        })
    })
}
