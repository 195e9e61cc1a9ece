//! Rungs of cards: when each rule speaks of each clock, read from the ledger and nothing else.
//!
//! A rung is reached at the first instant at which its condition holds, by what had taken effect
//! until then: a suspension, an extension or an end that came later takes no rung back and moves
//! none. Therefore it does not matter when somebody looks. A card that is raised late, after the
//! engine stood still, carries the rung's own instant, and the cards of any past day follow from
//! the log again ([`cards_on`], dossier 14.16).
//!
//! A day counts as used from its beginning, as everywhere in [`crate::calendar`]: with one working
//! day left, the working day before the last one has come.

use std::collections::{BTreeMap, BTreeSet};

use super::Reading;
use crate::calendar::{Calendar, Stood};
use crate::card::CardRaised;
use crate::case::{Case, FoldError, Matter, Task};
use crate::entry::{Body, Entry};
use crate::id::{CaseId, MatterNo, RoleCode, Seq};
use crate::law::{Clock, ClockKind};
use crate::limits::PERIOD_AMOUNT_MAX;
use crate::organisation::card_rules::{CardClock, CardCondition, CardRule};
use crate::request::Ask;
use crate::time::{Moment, Period, Unit};
use crate::value::Value;

/// A card that is to be raised.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rung {
    /// The matter.
    pub matter: MatterNo,
    /// The card.
    pub card: CardRaised,
}

/// Names one clock of a case: a clock that starts anew is another one.
pub(crate) type ClockKey = (MatterNo, ClockKind, String, Moment);

/// Returns the rungs of every running clock that were not raised yet, past and to come, in the
/// order of their instants. A clock that stands still raises none until it runs again.
pub fn rungs(case: &Case, reading: Reading<'_>) -> Vec<Rung> {
    let watched = watched(case, |_| None);
    let running = watched.iter().filter(|watched| watched.clock.is_running());
    let all = running.flat_map(|watched| watched.rungs(reading));
    in_order(all.filter(|rung| !is_raised(case, rung)).collect())
}

/// Returns when the next of [`rungs`] is reached, without making the cards: it is asked at every
/// commit of a case.
pub(crate) fn next_rung(case: &Case, reading: Reading<'_>) -> Option<Moment> {
    let watched = watched(case, |_| None);
    let running = watched.iter().filter(|watched| watched.clock.is_running());
    let instants = running.flat_map(|watched| {
        let changes = watched.changes();
        watched.rules(reading).filter_map(move |rule| {
            let raised = case.cards.values().any(|card| {
                card.matter == watched.matter.no
                    && card.raised.rule == rule.id
                    && card.raised.clock == watched.clock.kind
                    && card.raised.about == watched.clock.about
                    && card.raised.since == watched.clock.since
            });
            let instant = watched.instant(rule.when, &changes, watched.calendar(reading));
            instant.filter(|_| !raised).map(|(at, _)| at)
        })
    });
    instants.min()
}

/// Returns the clocks that have stopped for good.
pub(crate) fn over(case: &Case) -> BTreeSet<ClockKey> {
    let watched = watched(case, |_| Some(case.updated_at));
    watched.iter().filter(|watched| !watched.clock.is_running()).map(Watched::key).collect()
}

/// Returns the rungs that were reached, and not raised, by clocks that stopped since `over`.
pub(crate) fn missed(case: &Case, reading: Reading<'_>, over: &BTreeSet<ClockKey>) -> Vec<Rung> {
    let watched = watched(case, |_| Some(reading.now));
    let fresh = watched
        .iter()
        .filter(|watched| !watched.clock.is_running() && !over.contains(&watched.key()));
    let all = fresh.flat_map(|watched| watched.reached(reading));
    in_order(all.filter(|rung| !is_raised(case, rung)).collect())
}

/// Computes the cards of a case again from its log: every rung that was reached by the end of
/// `reading.now`, by what was recorded until then. Cards in the log are not looked at.
///
/// What the log holds beside it was raised before somebody proved an earlier effective time; that
/// is what an appeal against a card is for.
///
/// # Errors
/// When the log is impossible.
pub fn cards_on(
    id: CaseId,
    entries: &[Entry],
    reading: Reading<'_>,
) -> Result<Vec<Rung>, FoldError> {
    let mut known = entries.iter().take_while(|entry| entry.recorded_at <= reading.now);
    let Some(first) = known.next() else {
        return Ok(Vec::new());
    };
    let mut case = Case::begin(id, first)?;
    let mut ended: BTreeMap<Seq, Moment> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in known {
        if let Body::TaskCompleted { task, .. } | Body::TaskDropped { task } = &entry.body {
            ended.insert(*task, entry.recorded_at);
        }
        if let Body::PeriodRenewed { .. } = &entry.body {
            // The period before it is not in the case any more.
            let then = Reading { now: entry.recorded_at, ..reading };
            add_new(&mut found, reached(&case, then, &ended));
        }
        case.fold(entry)?;
    }
    add_new(&mut found, reached(&case, reading, &ended));
    Ok(in_order(found))
}

fn add_new(found: &mut Vec<Rung>, rungs: Vec<Rung>) {
    for rung in rungs {
        if !found.iter().any(|known| is_same(known, rung.matter, &rung.card)) {
            found.push(rung);
        }
    }
}

fn reached(case: &Case, reading: Reading<'_>, ended: &BTreeMap<Seq, Moment>) -> Vec<Rung> {
    let watched = watched(case, |task| ended.get(&task.no).copied());
    watched.iter().flat_map(|watched| watched.reached(reading)).collect()
}

fn in_order(mut rungs: Vec<Rung>) -> Vec<Rung> {
    rungs.sort_by(|one, other| {
        let key = |rung: &Rung| (rung.card.at, rung.matter, rung.card.rule.clone());
        key(one).cmp(&key(other))
    });
    rungs
}

/// Each rung is climbed once.
fn is_raised(case: &Case, rung: &Rung) -> bool {
    case.cards.values().any(|known| is_same(rung, known.matter, &known.raised))
}

fn is_same(rung: &Rung, matter: MatterNo, card: &CardRaised) -> bool {
    rung.matter == matter
        && rung.card.rule == card.rule
        && rung.card.clock == card.clock
        && rung.card.about == card.about
        && rung.card.since == card.since
}

/// A clock as the rules of cards see it.
struct Watched<'a> {
    case: &'a Case,
    matter: &'a Matter,
    clock: Clock,
    /// Whether special procedures of the matter stop it.
    pauses: bool,
    /// The office that must look.
    office: String,
}

/// Returns the clocks of a case, running and stopped. Tasks with a limit of their own have one
/// too; when one ended, `ended` knows, and without its word it is left out. So has a call whose
/// agency agreed to a limit; what is late there is the agency's, whoever asked.
fn watched(case: &Case, ended: impl Fn(&Task) -> Option<Moment>) -> Vec<Watched<'_>> {
    let of_law = case.matters.iter().flat_map(|matter| {
        matter.law.clocks().iter().map(move |clock| Watched {
            case,
            matter,
            pauses: clock.kind.pauses(),
            office: matter.planned.department.as_str().to_owned(),
            clock: clock.clone(),
        })
    });
    let of_tasks = case.tasks.values().filter_map(|task| {
        let matter = case.matter(task.matter)?;
        let stopped = match task.end {
            None => None,
            // Who decides in the very instant of the limit is not in time.
            Some(_) => Some(ended(task)?.plus_millis(1)),
        };
        let department = RoleCode::new(task.opened.role.as_str()).department();
        let running = Clock::running(ClockKind::Task, within(matter, task)?, task.opened_at);
        Some(Watched {
            case,
            matter,
            pauses: department == matter.planned.department,
            office: department.as_str().to_owned(),
            clock: Clock { about: task.no.to_string(), stopped, ..running },
        })
    });
    let of_calls = case.calls.values().filter_map(|call| {
        // Most calls have no limit, and every turn of a case comes by here.
        let clock = call.clock.clone()?;
        Some(Watched {
            case,
            matter: case.matter(call.matter)?,
            pauses: false,
            office: case.operation_of(call)?.split('.').next()?.to_owned(),
            clock,
        })
    });
    of_law.chain(of_tasks).chain(of_calls).collect()
}

/// Returns a task's own limit: the `within` of the script's question.
fn within(matter: &Matter, task: &Task) -> Option<Period> {
    let request = matter.run.request(task.opened.request.as_ref()?)?;
    let Ask::Decide { options, .. } = &request.made.ask else {
        return None;
    };
    options.get("within").and_then(Value::as_text)?.parse().ok()
}

fn watches(rule: CardClock, clock: ClockKind) -> bool {
    match rule {
        CardClock::Promised => clock == ClockKind::Promised,
        CardClock::Statutory => clock == ClockKind::Statutory,
        CardClock::Acceptance => clock == ClockKind::Acceptance,
        CardClock::Correction => clock == ClockKind::Correction,
        CardClock::Issuing => clock == ClockKind::Issuing,
        CardClock::Forwarding => clock == ClockKind::FirstReview,
        CardClock::Task => clock == ClockKind::Task,
        CardClock::Connector => clock == ClockKind::Connector,
    }
}

/// What changed a clock's course, in the order in which it took effect.
enum Change {
    Longer(u32),
    Stood(Stood),
}

/// What had taken effect by some instant.
#[derive(Default)]
struct Course {
    more: u32,
    stood: Vec<Stood>,
}

impl Course {
    fn stands(&self) -> bool {
        self.stood.iter().any(|stood| stood.until.is_none())
    }
}

impl Watched<'_> {
    fn key(&self) -> ClockKey {
        (self.matter.no, self.clock.kind, self.clock.about.clone(), self.clock.since)
    }

    /// Returns the rungs that were climbed by now, while the clock ran.
    fn reached(&self, reading: Reading<'_>) -> impl Iterator<Item = Rung> {
        let rungs = self.rungs(reading).into_iter();
        rungs.filter(move |rung| rung.card.at <= reading.now && self.ran_at(rung.card.at))
    }

    /// A clock whose passing had a consequence ran until then, whatever the consequence says
    /// about the past: an acceptance by silence takes effect with the receipt.
    fn ran_at(&self, at: Moment) -> bool {
        let passed = self.clock.fired.is_some_and(|due| at <= due.plus_millis(1));
        passed || self.clock.stopped.is_none_or(|stopped| at < stopped)
    }

    /// Returns the calendar of the place where the matter is decided.
    fn calendar<'a>(&self, reading: Reading<'a>) -> &'a Calendar {
        reading.calendar(self.case, self.matter.no)
    }

    /// Returns the rules that watch this clock here.
    fn rules<'a>(&'a self, reading: Reading<'a>) -> impl Iterator<Item = &'a CardRule> {
        reading.organisation.card_rules().iter().filter(|rule| {
            watches(rule.clock, self.clock.kind)
                && rule.applies_to(&self.matter.planned.code, self.case.place_of(self.matter.no))
        })
    }

    fn rungs(&self, reading: Reading<'_>) -> Vec<Rung> {
        let changes = self.changes();
        self.rules(reading)
            .filter_map(|rule| {
                let (at, due) = self.instant(rule.when, &changes, self.calendar(reading))?;
                let card = self.card(rule, (at, due), reading);
                Some(Rung { matter: self.matter.no, card })
            })
            .collect()
    }

    fn card(
        &self,
        rule: &CardRule,
        (at, due): (Moment, Moment),
        reading: Reading<'_>,
    ) -> CardRaised {
        let calendar = self.calendar(reading);
        let reply_due = rule.reply_within.map(|within| calendar.due(at, within, 0).at);
        let intake = self.clock.kind == ClockKind::Acceptance && rule.to == "window";
        let office = if intake { self.case.started.lead.as_str() } else { self.office.as_str() };
        CardRaised {
            rule: rule.id.clone(),
            rules_version: reading.organisation.version().to_owned(),
            level: rule.level,
            clock: self.clock.kind,
            about: self.clock.about.clone(),
            since: self.clock.since,
            at,
            due,
            to: format!("{office}.{}", rule.to),
            reply_due,
        }
    }

    fn changes(&self) -> Vec<(Moment, Change)> {
        let suspensions = self.matter.law.suspensions().iter().filter(|_| self.pauses);
        let stood = suspensions.map(|suspension| {
            let from = suspension.from.max(self.clock.since);
            (from, Change::Stood(Stood { from, until: suspension.until }))
        });
        // What ended before the clock began never stopped it.
        let stood = stood.filter(|(_, change)| match change {
            Change::Stood(stood) => stood.until.is_none_or(|until| until > self.clock.since),
            Change::Longer(_) => true,
        });
        let longer = self.clock.extended_at.map(|at| (at, Change::Longer(self.clock.more)));
        let mut changes: Vec<(Moment, Change)> = stood.chain(longer).collect();
        changes.sort_by_key(|(at, _)| *at);
        changes
    }

    /// Returns when a condition holds first, and when the clock was due as seen then; nothing
    /// while it stands still.
    fn instant(
        &self,
        when: CardCondition,
        changes: &[(Moment, Change)],
        calendar: &Calendar,
    ) -> Option<(Moment, Moment)> {
        let mut course = Course::default();
        let mut ahead = changes.iter().peekable();
        loop {
            if course.stands() {
                return None;
            }
            let due = self.due(self.clock.budget, course.more, &course, calendar);
            let at = self.at(when, due, &course, calendar).max(self.clock.since);
            match ahead.next_if(|(from, _)| *from < at) {
                None => return Some((at, due)),
                Some((_, Change::Longer(more))) => course.more = *more,
                Some((_, Change::Stood(stood))) => course.stood.push(*stood),
            }
        }
    }

    fn due(&self, budget: Period, more: u32, course: &Course, calendar: &Calendar) -> Moment {
        let since = self.clock.since;
        // No suspension in the course is open, so that the time of asking does not matter.
        calendar.due_with(since, budget, more, &course.stood, since).at
    }

    fn at(&self, when: CardCondition, due: Moment, course: &Course, calendar: &Calendar) -> Moment {
        let budget = self.clock.budget;
        let whole = budget.amount.saturating_add(course.more);
        match when {
            CardCondition::Passed => due.plus_millis(1),
            // A limit in hours has no last day when it starts and ends on one.
            CardCondition::DueDay
                if is_wall_clock(budget.unit) && due.date() == self.clock.since.date() =>
            {
                due
            }
            CardCondition::DueDay => Moment::start_of(due.date()),
            CardCondition::Left(left) if left.unit == budget.unit => {
                // With the whole budget left nothing is to be reminded of yet.
                let used = whole.saturating_sub(left.amount).max(1);
                self.used(Period { amount: used, ..budget }, course, calendar)
            }
            CardCondition::Left(left) => before(due, left, calendar),
            CardCondition::UsedPercent(percent) => {
                let share = self.share(whole, percent, calendar);
                self.used(share, course, calendar)
            }
        }
    }

    /// Returns when so much is used: a day counts from its beginning.
    fn used(&self, share: Period, course: &Course, calendar: &Calendar) -> Moment {
        let end = self.due(share, 0, course, calendar);
        if is_wall_clock(share.unit) { end } else { Moment::start_of(end.date()) }
    }

    /// Returns `percent` of `whole` units, rounded up, in the finest unit that is counted alike.
    fn share(&self, whole: u32, percent: u8, calendar: &Calendar) -> Period {
        let of = |whole: u64| {
            let share = whole.saturating_mul(u64::from(percent)).div_ceil(100);
            u32::try_from(share).unwrap_or(u32::MAX)
        };
        let unit = self.clock.budget.unit;
        let minutes = of(u64::from(whole) * 60);
        match unit {
            Unit::Hours if minutes <= PERIOD_AMOUNT_MAX => {
                Period { amount: minutes, unit: Unit::Minutes }
            }
            Unit::Months => {
                let budget = Period { amount: whole, unit };
                let end = self.due(budget, 0, &Course::default(), calendar);
                let days = (end.date() - self.clock.since.date()).get_days();
                let days = u64::try_from(days).unwrap_or(0);
                Period { amount: of(days), unit: Unit::CalendarDays }
            }
            Unit::WorkingDays | Unit::CalendarDays | Unit::Hours | Unit::Minutes => {
                Period { amount: of(u64::from(whole)), unit }
            }
        }
    }
}

fn is_wall_clock(unit: Unit) -> bool {
    match unit {
        Unit::Hours | Unit::Minutes => true,
        Unit::WorkingDays | Unit::CalendarDays | Unit::Months => false,
    }
}

/// Returns the first moment at which at most `left` remains until `due`, for a budget that is
/// counted in another unit. Days end at midnight; a limit in hours keeps its time of day.
fn before(due: Moment, left: Period, calendar: &Calendar) -> Moment {
    let days = match left.unit {
        Unit::Hours => return due.plus_millis(-i64::from(left.amount) * 3_600_000),
        Unit::Minutes => return due.plus_millis(-i64::from(left.amount) * 60_000),
        Unit::WorkingDays | Unit::CalendarDays => left.amount,
        Unit::Months => left.amount.saturating_mul(30),
    };
    let counts = |date| left.unit != Unit::WorkingDays || calendar.is_working(date);
    let ends_with_its_day = due == Moment::end_of(due.date());
    let mut date = due.date();
    let mut missing = days;
    while missing > 0 {
        let Ok(earlier) = date.yesterday() else { break };
        date = earlier;
        missing -= u32::from(counts(date));
    }
    if ends_with_its_day { Moment::start_of(date) } else { Moment::at(date, due.time_of_day()) }
}
