//! A deterministic simulator: the production engine in a world that a seed rules.
//!
//! ```text
//!   people ──► Engine: desk, turns, commits, carriers, timers ──► agencies over a bad network
//!                 ▲ │  (production code, every task on one stage)      │
//!                 │ ▼                                                  ▼
//!        a clock that jumps   a disk that loses what was not synced   callbacks, twice, late
//!                          witness and checks
//! ```
//!
//! Nothing reads real time, no thread is started, and which task goes on next is a throw of the
//! dice; so a seed is a whole story, and the same seed is the same story. While the storm lasts,
//! faults strike and the process is killed between any two steps. Then the weather is calm, and
//! everything must come to rest: ended, or shown to somebody who can act.

mod agency;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod carriers;
mod check;
mod dice;
mod disk;
mod house;
mod meddlers;
mod people;
mod plan;
mod program;
mod script;
mod stage;
#[cfg(test)]
mod symptoms;
#[cfg(test)]
mod tests;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tongban_core::digest::Secret;
use tongban_core::port::{Connector, Script as _, Store};
use tongban_core::summary::CaseState;
use tongban_core::time::Moment;

use self::agency::{Agencies, AgencySabotage, ByRole};
use self::check::Check;
use self::dice::Dice;
use self::disk::{Disk, DiskSabotage};
use self::house::House;
use self::people::Person;
use self::plan::{Faults, Weather};
use self::program::Service;
use self::script::{ScriptSabotage, Troupe};
use self::stage::{Owner, Stage, StageClock};
use self::witness::Witness;
use crate::builder::Options;
use crate::handle::Engine;
use crate::runtime::tasks::Tasks;
use crate::runtime::worker;
use crate::standing::Standing;

/// Milliseconds of a simulated day.
const DAY_MILLIS: i64 = 24 * 3_600_000;
/// Steps of the storm, at most.
const STORM_STEPS: u64 = 1_500;
/// Steps after which a world that does not come to rest goes round without end.
const STEPS_MAX: u64 = 60_000;
/// Milliseconds without a commit after which a calm world is at rest.
const REST_MILLIS: i64 = 15 * DAY_MILLIS;
/// How often the settings of the connectors are others after a crash, in a thousand.
const REWORDED: u32 = 300;
/// Crashes of one world, at most.
const CRASHES_MAX: u32 = 8;

/// What a test breaks on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, Default)]
struct Sabotage {
    disk: DiskSabotage,
    agency: AgencySabotage,
    script: ScriptSabotage,
}

/// How a world went.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Steps that were taken.
    pub steps: u64,
    /// Times that the process was killed.
    pub crashes: u32,
    /// Commits that survived.
    pub commits: usize,
    /// Cases by state, and incidents by kind.
    pub ends: BTreeMap<&'static str, u32>,
    /// Rare things that happened.
    pub seen: BTreeSet<&'static str>,
    /// A sum over all steps: two plays of one seed give the same.
    pub trace: u64,
}

/// A world in which a promise was broken.
#[derive(Clone, Debug, thiserror::Error)]
#[error("seed {seed} after {steps} steps at {at}: {what}")]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Steps that were taken.
    pub steps: u64,
    /// Simulated time.
    pub at: Moment,
    /// Which promise.
    pub what: String,
}

/// Plays the world of a seed.
///
/// # Errors
/// The first promise that was broken.
pub fn play(seed: u64) -> Result<Report, Failure> {
    World::new(seed, Sabotage::default()).play()
}

struct World {
    seed: u64,
    dice: Dice,
    stage: Arc<Stage>,
    house: Arc<House>,
    disk: Arc<Disk>,
    weather: Arc<Weather>,
    witness: Arc<Witness>,
    troupe: Arc<Troupe>,
    agencies: Arc<Agencies>,
    connectors: Vec<(&'static str, Arc<dyn Connector>)>,
    standing: Standing,
    engine: Option<Engine>,
    /// A process that does not know yet that it lost the store.
    ghost: Option<Engine>,
    broken_start: Arc<AtomicBool>,
    steps: u64,
    crashes: u32,
}

impl World {
    fn new(seed: u64, sabotage: Sabotage) -> Self {
        let mut seeds = Dice::new(seed).fork("services");
        let services = (0..2).map(|no| program::grow(&mut seeds, no));
        let services = services.collect();
        let faults = Faults::draw(&mut Dice::new(seed).fork("faults"));
        Self::with(seed, services, faults, sabotage)
    }

    fn with(seed: u64, services: Vec<Service>, faults: Faults, sabotage: Sabotage) -> Self {
        let mut dice = Dice::new(seed);
        let start = Moment::parse("2026-03-02T08:00:00+08:00").expect("a moment of this file");
        let stage = Stage::new(start.plus_millis(dice.millis(7 * 86_400_000).cast_signed()));
        let house = House::new(Arc::clone(&stage));
        let weather = Weather::new(faults, dice.fork("weather"));
        let witness = Arc::new(Witness::default());
        let disk =
            Disk::new(dice.fork("disk"), Arc::clone(&weather), Arc::clone(&witness), sabotage.disk);
        let mut later = dice.fork("later");
        let services = services.into_iter().map(|service| {
            let revised = program::revise(&mut later, &service);
            [service, revised]
        });
        let troupe = Troupe::new(services.collect(), Arc::clone(&weather), sabotage.script);
        let agencies = Agencies::new(
            Arc::clone(&house),
            (Arc::clone(&weather), Arc::clone(&witness)),
            Arc::clone(&disk),
            sabotage.agency,
        );
        Self {
            seed,
            dice,
            stage,
            house,
            disk,
            weather,
            witness,
            troupe,
            connectors: agencies.offices().into(),
            agencies,
            standing: Standing::default(),
            engine: None,
            ghost: None,
            broken_start: Arc::default(),
            steps: 0,
            crashes: 0,
        }
    }

    fn play(mut self) -> Result<Report, Failure> {
        self.populate();
        self.boot();
        let played = self.storm().and_then(|()| self.calm()).and_then(|()| self.judge());
        let told = played.map_err(|what| Failure {
            seed: self.seed,
            steps: self.steps,
            at: self.stage.now(),
            what,
        });
        self.house.put(None);
        self.engine = None;
        self.ghost = None;
        self.stage.close();
        told
    }

    /// Lets people in.
    fn populate(&mut self) {
        let person = |world: &Self, viewer, name: &str| {
            let both = (Arc::clone(&world.weather), Arc::clone(&world.witness));
            Person::new(Arc::clone(&world.house), both, viewer, world.dice.fork(name))
        };
        for viewer in people::staff() {
            let name = viewer.subject.clone();
            let work = person(self, viewer, &name).work();
            self.stage.begin(Owner::World, work);
        }
        for viewer in meddlers::all() {
            let name = viewer.subject.clone();
            let newest = self.troupe.later();
            let meddle = person(self, viewer, &name).meddle(newest);
            self.stage.begin(Owner::World, meddle);
        }
        let services = self.troupe.services();
        let services: Vec<_> = services.iter().map(|known| known.service.code.clone()).collect();
        for no in 0..=self.dice.below(4) {
            let name = format!("applicant-{no}");
            let mut viewer = people::applicant();
            viewer.subject.clone_from(&name);
            let when = self.dice.millis(3_600_000);
            let service = self.dice.pick(&services).clone();
            let apply = person(self, viewer, &name).apply(service, when);
            self.stage.begin(Owner::World, apply);
        }
    }

    /// Starts the process over what the disk holds.
    fn boot(&mut self) {
        self.disk.open();
        let mut builder = Engine::builder()
            .store(Arc::clone(&self.disk) as Arc<dyn Store>)
            .scripts(Arc::clone(&self.troupe) as Arc<dyn tongban_core::port::Script>)
            .wiring(Arc::new(ByRole))
            .wire_clock(Arc::new(StageClock(Arc::clone(&self.stage))))
            .options(Options { cases_held_max: 1 + self.dice.below(3), ..Options::default() });
        for (name, connector) in &self.connectors {
            builder = builder.connector(name, Arc::clone(connector));
        }
        let tasks = Tasks::Staged(Arc::clone(&self.stage) as Arc<dyn crate::runtime::tasks::Stage>);
        let engine = builder.assemble(tasks).expect("a world needs no place for documents");
        self.engine = Some(engine.clone());
        let (house, broken) = (Arc::clone(&self.house), Arc::clone(&self.broken_start));
        self.stage.begin(Owner::Engine, async move {
            match engine.runtime().start(0).await {
                Ok(()) => house.put(Some(engine)),
                Err(_) => broken.store(true, Ordering::Relaxed),
            }
        });
    }

    /// Kills the process and, after a while, starts it again.
    fn crash(&mut self) {
        self.crashes += 1;
        self.witness.saw("a crash");
        self.house.put(None);
        self.engine = None;
        self.ghost = None;
        self.stage.crash();
        self.disk.crash();
        if self.dice.chance(REWORDED) {
            self.agencies.reword();
        }
        let down = self.dice.millis(4 * 86_400_000);
        self.stage.pass(down);
        self.broken_start.store(false, Ordering::Relaxed);
        self.boot();
    }

    /// Starts another process over the same store; this one goes on, and must not write any more.
    fn take_over(&mut self) {
        self.witness.saw("a takeover");
        self.house.put(None);
        self.ghost = self.engine.take();
        self.stage.lay();
        self.stage.haunt();
        self.disk.sync();
        self.boot();
    }

    fn must_restart(&self) -> bool {
        self.disk.is_dead() || self.broken_start.load(Ordering::Relaxed)
    }

    /// Lets one thing go on; `false` when nothing is left to do until then.
    fn step(&mut self, until: Moment) -> bool {
        self.steps += 1;
        let ready = self.stage.ready();
        let runtime = self.engine.as_ref().map(Engine::runtime);
        let job = runtime.is_some_and(|runtime| runtime.desk.has_work());
        let behind = self.disk.is_behind();
        let ghost = self.ghost.as_ref().map(Engine::runtime);
        let haunts = ghost.is_some_and(|runtime| runtime.desk.has_work());
        let most = ready + usize::from(job) + usize::from(behind) + usize::from(haunts);
        if most == 0 || self.weather.strikes(|faults| faults.slow) {
            return self.stage.advance(until) || most > 0;
        }
        let place = self.dice.below(most);
        self.witness.trace((place as u64) << 32 | most as u64);
        if place < ready {
            self.stage.poll(place);
        } else if job && place == ready {
            runtime.map(worker::step);
        } else if haunts && place == most - 1 {
            ghost.map(worker::step);
        } else {
            self.disk.sync();
        }
        true
    }

    fn verdict(&self) -> Result<(), String> {
        let panicked = self.engine.as_ref().map_or(0, |engine| engine.runtime().panicked());
        if panicked > 0 {
            return Err("a turn panicked".to_owned());
        }
        self.witness.verdict().map_or(Ok(()), Err)
    }

    /// Faults strike.
    fn storm(&mut self) -> Result<(), String> {
        let days = i64::try_from(1 + self.dice.below(6)).unwrap_or(1);
        let until = self.stage.now().plus_millis(days * DAY_MILLIS);
        while self.stage.now() < until && self.steps < STORM_STEPS {
            let crashes = self.crashes < CRASHES_MAX && self.weather.strikes(|faults| faults.crash);
            if crashes || self.must_restart() {
                self.crash();
            }
            if self.weather.strikes(|faults| faults.release) {
                self.troupe.release();
            }
            let takeover = self.crashes < CRASHES_MAX && !self.disk.is_dead();
            if takeover && self.weather.strikes(|faults| faults.takeover) {
                self.crashes += 1;
                self.take_over();
            }
            if !self.step(until) {
                break;
            }
            self.verdict()?;
        }
        Ok(())
    }

    /// Nothing goes wrong any more, and all comes to rest.
    fn calm(&mut self) -> Result<(), String> {
        self.weather.calm();
        if self.must_restart() {
            self.crash();
        }
        self.ghost = None;
        self.stage.lay();
        let mut last = (self.disk.revision(), self.stage.now());
        while self.steps < STEPS_MAX {
            let until = self.stage.now().plus_millis(REST_MILLIS);
            self.step(until);
            self.verdict()?;
            let revision = self.disk.revision();
            if revision != last.0 {
                last = (revision, self.stage.now());
            }
            let ended = self.steps.is_multiple_of(64) && self.is_over();
            if ended || self.stage.now().since(last.1) > REST_MILLIS {
                return Ok(());
            }
        }
        Err(format!("the world does not come to rest: {}", self.restless()))
    }

    /// Says what keeps a world busy, for those who look for the reason.
    fn restless(&self) -> String {
        use std::fmt::Write as _;
        let mut told = String::new();
        for summary in self.disk.summaries() {
            let (state, due) = (summary.state, summary.next_due);
            let outbox = if summary.outbox { ", owes calls or turns" } else { "" };
            let line = write!(told, "\n  {} {state:?}, due {due:?}{outbox}", summary.case);
            line.expect("a string takes everything");
        }
        for entry in self.disk.history().iter().rev().take(6).flat_map(|commit| &commit.entries) {
            let body: String = format!("{:?}", entry.body).chars().take(160).collect();
            let line = write!(told, "\n  {} {} {body}", entry.matter, entry.seq);
            line.expect("a string takes everything");
        }
        told
    }

    fn is_over(&self) -> bool {
        self.disk.summaries().iter().all(|summary| {
            matches!(
                summary.state,
                CaseState::Draft
                    | CaseState::CompletedAll
                    | CaseState::CompletedWithFailures
                    | CaseState::Withdrawn
                    | CaseState::Terminated
            )
        })
    }

    /// Returns what checks a history of this world.
    fn check(&self) -> Check<'_> {
        Check {
            troupe: &self.troupe,
            witness: &self.witness,
            standing: &self.standing,
            secret: Secret::new(disk::SECRET),
            owes_turns: self.weather.has(|faults| faults.script_stopped),
        }
    }

    /// Checks all that survived.
    fn judge(&mut self) -> Result<Report, String> {
        self.disk.sync();
        self.disk.check_promises(self.stage.now());
        self.verdict()?;
        let history = self.disk.history();
        let check = self.check();
        let cases = check.history(&history)?;
        check.at_rest(&cases)?;
        Ok(Report {
            seed: self.seed,
            steps: self.steps,
            crashes: self.crashes,
            commits: history.len(),
            ends: check::ends(&cases),
            seen: self.witness.seen(),
            trace: self.witness.sum(),
        })
    }
}
