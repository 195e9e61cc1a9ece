//! What the lawful clock brings next: consequences of a clock that passes, rungs of cards, and
//! timers of scripts. Derived from the case; only the firing is an entry.

use crate::calendar::Calendar;
use crate::card::CardRaised;
use crate::case::{Case, Matter};
use crate::entry::TaskKind;
use crate::id::{MatterNo, RoleCode};
use crate::law::{Act, ActAnswer, ActKind, Clock, ClockKind, Stage};
use crate::organisation::Organisation;
use crate::organisation::card_rules::{CardClock, CardCondition, CardRule};
use crate::request::Ask;
use crate::time::{Moment, Period, Unit};
use crate::value::Value;

/// What derived times are read from.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The holiday table of the case's place.
    pub calendar: &'a Calendar,
    /// The rules that raise cards.
    pub organisation: &'a Organisation,
    /// Lawful time.
    pub now: Moment,
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
        case.matters.iter().flat_map(|matter| passings_of(matter, reading)).collect();
    all.extend(case.open_tasks().filter_map(|task| {
        let within = silence(case, task)?;
        let due = reading.calendar.due(task.opened_at, within, 0).at;
        let about = task.no.to_string();
        Some(Passing { due, adverse: false, matter: task.matter, clock: ClockKind::Opinion, about })
    }));
    all.sort();
    all
}

fn passings_of(matter: &Matter, reading: Reading<'_>) -> impl Iterator<Item = Passing> {
    let law = &matter.law;
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
                | ClockKind::Opinion => false,
            }
    };
    law.clocks().iter().filter(counts).map(move |clock| Passing {
        due: law.due(clock, reading.calendar, reading.now).at,
        adverse: clock.kind.is_applicants(),
        matter: matter.no,
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

/// A card that is to be raised.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rung {
    /// The matter.
    pub matter: MatterNo,
    /// The card.
    pub card: CardRaised,
}

/// Returns the rungs of every running clock that were not raised yet, past and to come, in the
/// order of their instants. A clock that stands still raises none.
pub fn rungs(case: &Case, reading: Reading<'_>) -> Vec<Rung> {
    let version = reading.organisation.version().to_owned();
    let mut all: Vec<Rung> = Vec::new();
    for matter in case.matters.iter().filter(|matter| matter.filed.is_some()) {
        let stands = matter.law.suspended().is_some();
        for clock in matter.law.clocks().iter().filter(|clock| clock.is_running()) {
            if stands && clock.kind.pauses() {
                continue;
            }
            let rules = reading.organisation.card_rules().iter();
            let rules = rules.filter(|rule| {
                watches(rule.clock, clock.kind)
                    && rule.applies_to(&matter.planned.code, &case.started.region)
            });
            for rule in rules {
                let card = rung(case, matter, clock, rule, reading);
                let card = CardRaised { rules_version: version.clone(), ..card };
                if !is_raised(case, matter.no, &card) {
                    all.push(Rung { matter: matter.no, card });
                }
            }
        }
    }
    all.sort_by(|one, other| {
        let key = |rung: &Rung| (rung.card.at, rung.matter, rung.card.rule.clone());
        key(one).cmp(&key(other))
    });
    all
}

fn is_raised(case: &Case, matter: MatterNo, card: &CardRaised) -> bool {
    case.cards.values().any(|known| {
        known.matter == matter
            && known.raised.rule == card.rule
            && known.raised.clock == card.clock
            && known.raised.about == card.about
            && known.raised.since == card.since
    })
}

fn watches(rule: CardClock, clock: ClockKind) -> bool {
    match rule {
        CardClock::Promised => clock == ClockKind::Promised,
        CardClock::Statutory => clock == ClockKind::Statutory,
        CardClock::Acceptance => clock == ClockKind::Acceptance,
        CardClock::Correction => clock == ClockKind::Correction,
        CardClock::Issuing => clock == ClockKind::Issuing,
        CardClock::Forwarding => clock == ClockKind::FirstReview,
        CardClock::Task => false,
    }
}

fn rung(
    case: &Case,
    matter: &Matter,
    clock: &Clock,
    rule: &CardRule,
    reading: Reading<'_>,
) -> CardRaised {
    let due = matter.law.due(clock, reading.calendar, reading.now).at;
    let at = instant(matter, clock, rule.when, due, reading);
    let reply_due = rule.reply_within.map(|within| reading.calendar.due(at, within, 0).at);
    let office = match clock.kind {
        ClockKind::Acceptance if rule.to == "window" => case.started.lead.as_str(),
        _ => matter.planned.department.as_str(),
    };
    CardRaised {
        rule: rule.id.clone(),
        rules_version: String::new(),
        level: rule.level,
        clock: clock.kind,
        about: clock.about.clone(),
        since: clock.since,
        at,
        due,
        to: format!("{office}.{}", rule.to),
        reply_due,
    }
}

/// Returns when a rule speaks of a clock; never before the clock began.
fn instant(
    matter: &Matter,
    clock: &Clock,
    when: CardCondition,
    due: Moment,
    reading: Reading<'_>,
) -> Moment {
    let at = match when {
        CardCondition::Passed => due.plus_millis(1),
        CardCondition::DueDay => Moment::start_of(due.date()),
        CardCondition::Left(left) => before(due, left, reading.calendar),
        CardCondition::UsedPercent(percent) => {
            let whole = clock.budget.amount.saturating_add(clock.more);
            let used = (u64::from(whole) * u64::from(percent)).div_ceil(100);
            let used = u32::try_from(used).unwrap_or(whole);
            let share =
                Clock { budget: Period { amount: used, ..clock.budget }, more: 0, ..clock.clone() };
            matter.law.due(&share, reading.calendar, reading.now).at.plus_millis(1)
        }
    };
    at.max(clock.since)
}

/// Returns the first moment at which at most `left` remains until `due`.
fn before(due: Moment, left: Period, calendar: &Calendar) -> Moment {
    match left.unit {
        Unit::Hours => due.plus_millis(-i64::from(left.amount) * 3_600_000),
        Unit::Minutes => due.plus_millis(-i64::from(left.amount) * 60_000),
        Unit::WorkingDays | Unit::CalendarDays | Unit::Months => {
            let counts = |date| match left.unit {
                Unit::WorkingDays => calendar.is_working(date),
                Unit::CalendarDays | Unit::Hours | Unit::Minutes | Unit::Months => true,
            };
            let per_unit = if left.unit == Unit::Months { 30 } else { 1 };
            let mut days = left.amount.saturating_mul(per_unit);
            let mut date = due.date();
            // The last day itself is one of the days that are left.
            while days > 0 {
                days -= u32::from(counts(date));
                match date.yesterday() {
                    Ok(earlier) if days > 0 => date = earlier,
                    Ok(_) | Err(_) => break,
                }
            }
            Moment::start_of(date)
        }
    }
}

/// Returns when the case is to be looked at next because of time.
pub fn next(case: &Case, reading: Reading<'_>) -> Option<Moment> {
    if case.submitted.is_none() {
        return None;
    }
    let passing = passings(case, reading).into_iter().map(|passing| passing.due.plus_millis(1));
    let cards = rungs(case, reading).into_iter().map(|rung| rung.card.at);
    let served = services(case, reading.calendar).map(|(at, _)| at);
    passing.chain(cards).chain(served).chain(timers(case).map(|(due, _, _)| due)).min()
}

/// Returns the open corrections whose notice counts as served at some moment, now or when its
/// announcement ends, and whose period begins then.
pub fn services<'a>(
    case: &'a Case,
    calendar: &'a Calendar,
) -> impl Iterator<Item = (Moment, MatterNo)> + 'a {
    case.services().filter(move |(at, no)| {
        let serve = Act::new(ActKind::ServeCorrection, *at, "");
        let answer = case.matter(*no).map(|matter| matter.law.judge(&serve, calendar));
        answer == Some(ActAnswer::Done)
    })
}

/// Returns the open timers of scripts.
pub fn timers(
    case: &Case,
) -> impl Iterator<Item = (Moment, MatterNo, &crate::request::RequestKey)> {
    let open = case.matters.iter().filter(|matter| matter.is_open());
    open.flat_map(|matter| {
        let waiting = matter.run.requests.iter().filter(|request| request.settled.is_none());
        waiting.filter_map(|request| match &request.made.ask {
            Ask::Timer { due, .. } => Some((*due, matter.no, &request.made.key)),
            Ask::Call { .. } | Ask::Decide { .. } | Ask::Act { .. } => None,
        })
    })
}
