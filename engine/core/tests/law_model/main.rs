//! The law against a second one: random acts, lawful and not, on the engine's fold and on a
//! model that was written from the same sources without looking at it.
//!
//! `model.rs` is the law as a table, `days.rs` counts with a finger on a wall calendar,
//! `story.rs` draws what is tried. Where the two disagree, proptest shrinks to the shortest
//! history; what was found so is kept as a named case in the law's own tests.

mod days;
mod examples;
mod model;
mod story;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tongban_core::calendar::Calendar;
use tongban_core::law::{Act, ActAnswer, ActKind, Actor, ClockKind, Law, Rules, Terms};
use tongban_core::time::Moment;

use days::Days;
use model::{Answer, Mark, Model};
use story::{EVERYBODY, Seed, Step, stories};

static DAYS: LazyLock<Days> = LazyLock::new(Days::of_the_notices);
static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::national);

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_law_does_what_the_model_does((rules, start, seeds) in stories()) {
        let mut pair = Pair::planned(&rules, start);
        let mut latest = start;
        let mut told = Vec::new();
        for seed in &seeds {
            let step = pair.step(seed, &mut latest);
            told.push(step.clone());
            let told = || format!("after {told:#?}");
            pair.take(&step, latest, &told)?;
        }
        pair.check_whole()?;
    }
}

#[test]
fn the_stories_reach_every_act_everybody_and_every_kind_of_terms() {
    let mut runner = TestRunner::deterministic();
    let (mut done, mut refused) = (BTreeSet::new(), BTreeSet::new());
    let mut terms = BTreeSet::new();
    for _ in 0..1_000 {
        let drawn = stories().new_tree(&mut runner).expect("a story is drawn").current();
        let (rules, start, seeds) = drawn;
        let mut pair = Pair::planned(&rules, start);
        let mut latest = start;
        for seed in &seeds {
            let step = pair.step(seed, &mut latest);
            if let Step::Act(who, act) = &step {
                match pair.model.answer_to(*who, act) {
                    Answer::Done => {
                        done.insert((act.kind, *who));
                        terms.insert(code_of(&act.terms));
                    }
                    Answer::NotHis => drop(refused.insert((act.kind, *who))),
                    Answer::Already | Answer::Refused => {}
                }
            }
            pair.take(&step, latest, &String::new).expect("the other test compares");
        }
    }
    for (kind, code, _) in ActKind::ALL {
        assert!(done.iter().any(|(reached, _)| *reached == kind), "{code} is never done");
        for who in EVERYBODY {
            let reached = if kind.actors().contains(&who) { &done } else { &refused };
            assert!(reached.contains(&(kind, who)), "{code} by {who:?} is never reached");
        }
    }
    let all = ["by_rule", "correction", "extension", "none", "promises", "remaining", "suspension"];
    assert_eq!(terms.into_iter().collect::<Vec<_>>(), all);
}

fn code_of(terms: &Terms) -> &'static str {
    match terms {
        Terms::None => "none",
        Terms::Correction(_) => "correction",
        Terms::Suspension { .. } => "suspension",
        Terms::Extension { .. } => "extension",
        Terms::Promises(_) => "promises",
        Terms::ByRule(_) => "by_rule",
        Terms::Remaining { .. } => "remaining",
    }
}

/// Tells what was tried so far, once something is wrong.
type Told<'a> = &'a dyn Fn() -> String;

/// One matter, twice.
struct Pair<'a> {
    rules: &'a Rules,
    start: Moment,
    law: Law,
    model: Model<'a>,
    /// What was folded, to fold it again.
    taken: Vec<Step>,
}

impl<'a> Pair<'a> {
    fn planned(rules: &'a Rules, start: Moment) -> Self {
        let (law, model) = (Law::planned(start), Model::planned(&DAYS));
        Self { rules, start, law, model, taken: Vec::new() }
    }

    fn step(&self, seed: &Seed, latest: &mut Moment) -> Step {
        seed.step(&self.model, latest)
    }

    /// Takes a step on both sides, and compares them as they are seen at `now`.
    fn take(&mut self, step: &Step, now: Moment, told: Told<'_>) -> Result<(), TestCaseError> {
        if let Step::Act(who, act) = step {
            let done = self.act(*who, act, told)?;
            return if done { self.compare(now, told) } else { Ok(()) };
        }
        let folds = fold(&mut self.law, step, self.rules);
        let known = match step {
            Step::File(at) => self.model.file(*at, self.rules.clone()),
            Step::KeepPromise(material, _) => self.model.keep_promise(material),
            Step::Renew(budget, at) => self.model.renew(ClockKind::Correction, *budget, *at),
            Step::Fire(kind, about, at) => self.model.pass(*kind, about, *at),
            Step::Act(..) => folds,
        };
        prop_assert_eq!(folds, known, "{:?}, {}", step, told());
        self.taken.extend(folds.then(|| step.clone()));
        self.compare(now, told)
    }

    /// Asks both about an act; folds it, and returns `true`, when it holds.
    fn act(&mut self, who: Actor, act: &Act, told: Told<'_>) -> Result<bool, TestCaseError> {
        let said = self.law.judge(act, &CALENDAR);
        let his = act.kind.actors().contains(&who);
        let expected = self.model.answer_to(who, act);
        let about = || format!("{:?} on {}: {said:?}, {}", act.kind, self.law.code(), told());
        let answered = if his { answer(&said) } else { Answer::NotHis };
        prop_assert_eq!(answered, expected, "{:?} asks for {}", who, about());
        let later = [ActKind::Revoke, ActKind::MakeLicense, ActKind::Deliver];
        if self.law.ending().is_some() && !later.contains(&act.kind) {
            prop_assert_ne!(expected, Answer::Done, "after the end, {}", about());
            let mut damaged = self.law.clone();
            prop_assert!(!damaged.apply(act), "a damaged log folds, {}", about());
            prop_assert_eq!(&damaged, &self.law, "a damaged log changes it, {}", about());
        }
        if expected != Answer::Done {
            return Ok(false);
        }
        prop_assert!(self.law.apply(act), "a done act folds, {}", told());
        self.model.take(act);
        self.taken.push(Step::Act(who, act.clone()));
        Ok(true)
    }

    fn compare(&self, now: Moment, told: Told<'_>) -> Result<(), TestCaseError> {
        let (law, model) = (&self.law, &self.model);
        prop_assert_eq!(law.code(), model.code(), "state, {}", told());
        prop_assert_eq!(law.suspended().is_some(), model.is_suspended(), "suspended, {}", told());
        prop_assert_eq!(
            law.correction().is_some(),
            model.is_correcting(),
            "correcting, {}",
            told()
        );
        prop_assert_eq!(law.is_extended(), model.has(Mark::Extended), "extended, {}", told());
        let forwarded = law.forwarded.is_some();
        prop_assert_eq!(forwarded, model.has(Mark::Forwarded), "forwarded, {}", told());
        prop_assert_eq!(law.revoked.is_some(), model.has(Mark::Revoked), "revoked, {}", told());
        prop_assert_eq!(law.license_made.is_some(), model.has(Mark::Made), "made, {}", told());
        prop_assert_eq!(
            law.delivered.is_some(),
            model.has(Mark::Delivered),
            "delivered, {}",
            told()
        );
        prop_assert_eq!(due_dates(law, now), wall_dates(model, now), "clocks, {}", told());
        Ok(())
    }

    /// What must hold of any history that was folded.
    fn check_whole(&self) -> Result<(), TestCaseError> {
        let mut again = Law::planned(self.start);
        for step in &self.taken {
            fold(&mut again, step, self.rules);
        }
        prop_assert_eq!(&again, &self.law, "folded twice");
        check_pairs(&self.taken)
    }
}

fn fold(law: &mut Law, step: &Step, rules: &Rules) -> bool {
    match step {
        Step::File(at) => law.file(*at, rules.clone()),
        Step::Act(_, act) => law.apply(act),
        Step::KeepPromise(material, at) => {
            law.keep_promise(material, *at);
            true
        }
        Step::Renew(budget, at) => {
            law.renew_period(ClockKind::Correction, "", *budget, *at);
            true
        }
        Step::Fire(kind, about, at) => law.fire(*kind, about, *at),
    }
}

/// The supervisors' query: what began and never ended, ended and never began.
fn check_pairs(taken: &[Step]) -> Result<(), TestCaseError> {
    use ActKind as K;
    let (mut standing, mut correcting, mut returned) = (0_i32, 0_i32, 0_i32);
    for step in taken {
        let Step::Act(_, act) = step else { continue };
        if matches!(act.kind, K::Suspend) {
            standing += 1;
        } else if act.kind == K::Resume {
            standing -= 1;
        } else if act.kind == K::AskCorrection {
            correcting += 1;
        } else if act.kind == K::RebutAcceptance {
            // What a silent acceptance had begun never was; the proven notice begins.
            (standing, correcting) = (0, 1);
        } else if act.kind == K::SupplyCorrection {
            correcting -= 1;
        } else if act.kind == K::Return {
            returned += 1;
        } else if act.kind == K::Resubmit {
            returned -= 1;
        }
        prop_assert!((0..=1).contains(&standing), "special procedures at {:?}", act);
        prop_assert!((0..=1).contains(&correcting), "corrections at {:?}", act);
        prop_assert!((0..=1).contains(&returned), "returns at {:?}", act);
    }
    Ok(())
}

fn answer(said: &ActAnswer) -> Answer {
    match said {
        ActAnswer::Done => Answer::Done,
        ActAnswer::Already => Answer::Already,
        ActAnswer::Refused { .. } => Answer::Refused,
    }
}

type DueDate = (ClockKind, String, Moment, bool);

fn due_dates(law: &Law, now: Moment) -> Vec<DueDate> {
    let running = law.clocks().iter().filter(|clock| clock.is_running());
    let mut dates: Vec<DueDate> = running
        .map(|clock| {
            let due = law.due(clock, &CALENDAR, now);
            (clock.kind, clock.about.clone(), due.at, due.provisional)
        })
        .collect();
    dates.sort();
    dates
}

fn wall_dates(model: &Model<'_>, now: Moment) -> Vec<DueDate> {
    let mut dates: Vec<DueDate> = model
        .timers
        .iter()
        .map(|timer| {
            let end = model.end(timer, now);
            (timer.kind, timer.about.clone(), end.at, end.provisional)
        })
        .collect();
    dates.sort();
    dates
}
