//! The laws of replay, over generated programs and random arrivals.
//!
//! *Prefix law*: a replay over a longer log asks for everything that a replay over a shorter one
//! asked for, in the same order. *Order*: what a program asks for follows from the order of
//! arrivals, not from how they were batched into turns; and not even from their order where no
//! wait tells one order from another.

mod program;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use tongban_core::definition::{
    Closure, DecidesIn, Intake, Limits, MatterDef, Part, Regime, ServiceDef,
};
use tongban_core::digest::Digest;
use tongban_core::id::{DepartmentCode, MatterCode, RegionCode, ServiceCode};
use tongban_core::law::Procedure;
use tongban_core::port::{Look, RunEnd, RunJob, RunOutput, Script, ScriptFault};
use tongban_core::replay::Replay;
use tongban_core::request::{Ask, End, Request};
use tongban_core::value::Value;
use tongban_core::way_out::Message;

use program::{Program, Shape, play, programs};
use world::{Answers, Batch, World, ask_the_same};

/// Plays one program as the script of the only matter.
struct Interpreter {
    closure: Arc<Closure>,
    program: Program,
}

impl Interpreter {
    fn new(program: Program) -> Self {
        let matter = MatterDef {
            code: MatterCode::new("m"),
            name: "事项".to_owned(),
            name_en: String::new(),
            department: DepartmentCode::new("natural-resources"),
            regime: Regime::Licence,
            basis: String::new(),
            intake: Intake::Auto,
            decides_in: DecidesIn::Here,
            limits: Limits::default(),
            form: Vec::new(),
            materials: Vec::new(),
            gives: None,
            procedure: Procedure {
                first_review: "20 working days".parse().ok(),
                ..Procedure::default()
            },
            fees: Vec::new(),
            advises: false,
        };
        let part = Part::new(matter.code.clone());
        let service = ServiceDef {
            code: ServiceCode::new("s"),
            name: "服务".to_owned(),
            name_en: String::new(),
            lead: DepartmentCode::new("natural-resources"),
            target: "project".to_owned(),
            regions: vec![RegionCode::new("420300")],
            promise: None,
            questions: Vec::new(),
            parts: vec![part],
            computed: false,
            on_partial: false,
        };
        let closure = Closure {
            digest: Digest([1; 32]),
            api_level: 1,
            service,
            matters: BTreeMap::from([(matter.code.clone(), matter)]),
        };
        Self { closure: Arc::new(closure), program }
    }
}

impl Script for Interpreter {
    fn services(&self) -> Vec<Arc<Closure>> {
        vec![Arc::clone(&self.closure)]
    }
    fn active(&self, _service: &ServiceCode) -> Option<Arc<Closure>> {
        Some(Arc::clone(&self.closure))
    }
    fn closure(&self, _digest: &Digest) -> Option<Arc<Closure>> {
        Some(Arc::clone(&self.closure))
    }
    fn sources(&self, _digest: &Digest) -> Option<Vec<u8>> {
        Some(Vec::new())
    }
    fn adopt(&self, _digest: &Digest, _sources: &[u8]) -> Result<(), ScriptFault> {
        Ok(())
    }
    fn select(&self, closure: &Closure, _answers: &Value) -> Result<Vec<bool>, ScriptFault> {
        Ok(vec![true; closure.service.parts.len()])
    }
    fn run(&self, job: &RunJob<'_>, replay: Replay) -> RunOutput {
        self.look(job, replay).into()
    }
    fn look(&self, _job: &RunJob<'_>, mut replay: Replay) -> Look {
        let (said, _) = play(&self.program, &mut replay);
        replay.shown(said)
    }
}

/// What arrives: which of the open things, and how it ends; in batches.
fn arrivals() -> impl Strategy<Value = Vec<Vec<(u8, u8)>>> {
    let batch = proptest::collection::vec(any::<(u8, u8)>(), 1..7);
    proptest::collection::vec(batch, 1..16)
}

/// Lets everything arrive in batches; returns them as they were taken.
fn run(world: &mut World<'_>, arrivals: &[Vec<(u8, u8)>], answers: Answers) -> Vec<Batch> {
    let mut taken = Vec::new();
    for arrivals in arrivals {
        let Some(batch) = world.batch(arrivals, answers) else {
            break;
        };
        world.take(&batch);
        taken.push(batch);
    }
    taken
}

/// Lets things arrive until nothing is open.
fn run_to_rest(world: &mut World<'_>, picks: &[u8]) {
    for pick in picks.iter().cycle().take(400) {
        let Some(batch) = world.batch(&[(*pick, 0)], Answers::ByRequest) else {
            return;
        };
        world.take(&batch);
    }
}

/// Returns the message that a request received.
fn received(request: &Request) -> Option<&Message> {
    match &request.settled.as_ref()?.end {
        End::Received(message) => Some(message),
        End::Completed(_) | End::Otherwise(_) | End::Decided(_) | End::Fired | End::Answered(_) => {
            None
        }
    }
}

#[track_caller]
fn assert_same_requests(one: &World<'_>, other: &World<'_>) {
    let (ours, theirs) = (one.requests(), other.requests());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!(ask_the_same(ours, theirs), "{:#?}\n{:#?}", ours.made, theirs.made);
        assert_eq!(received(ours), received(theirs), "{}", ours.made.key);
    }
    assert_eq!(ours.len(), theirs.len());
    let (ours, theirs) = (&one.matter().run, &other.matter().run);
    assert_eq!((ours.finished, &ours.uncaught), (theirs.finished, &theirs.uncaught));
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_longer_log_only_adds(program in programs(Shape::Any), arrivals in arrivals()) {
        let script = Interpreter::new(program);
        let mut world = World::begin(&script);
        run(&mut world, &arrivals, Answers::AsTheyCome);
        assert_eq!(world.incidents(), Vec::<&str>::new(), "{:#?}", world.entries);
        let mut asked: Vec<Ask> = Vec::new();
        for entries in 1..=world.entries.len() {
            let Some(mut replay) = world.replay_at(entries) else {
                continue;
            };
            let (said, asks) = play(&script.program, &mut replay);
            let output = replay.conclude(said);
            assert!(!matches!(output.end, RunEnd::Failed(_)), "{:?}", output.end);
            assert!(asks.starts_with(&asked), "at entry {entries}: {asked:#?}\n{asks:#?}");
            if world.commits.contains(&entries) {
                assert!(output.asked.is_empty(), "the commit holds what the run asked");
                assert!(output.released.is_empty(), "and what it let go of: {:?}", output.released);
            }
            asked = asks;
        }
    }

    #[test]
    fn batches_do_not_matter(program in programs(Shape::Any), arrivals in arrivals()) {
        let script = Interpreter::new(program);
        let (mut batched, mut single) = (World::begin(&script), World::begin(&script));
        for batch in run(&mut batched, &arrivals, Answers::AsTheyCome) {
            single.take_singly(&batch);
        }
        assert_same_requests(&batched, &single);
    }

    #[test]
    fn an_order_that_no_wait_tells_apart_does_not_matter(
        program in programs(Shape::Orderless),
        picks in any::<([u8; 24], [u8; 24])>(),
    ) {
        let script = Interpreter::new(program);
        let (mut one, mut other) = (World::begin(&script), World::begin(&script));
        run_to_rest(&mut one, &picks.0);
        run_to_rest(&mut other, &picks.1);
        assert_same_requests(&one, &other);
    }
}
