//! Many incidents settled by one request, with a crash in the middle of it: nothing is done twice,
//! nothing is left undone, and the repetition is answered like the request.

use std::sync::Mutex;

use tongban_core::agency::{Call, CallContext, Effect, Fault, FaultClass, Invoked, Queried};
use tongban_core::definition::DecidesIn;
use tongban_core::entry::{Body, Party};
use tongban_core::id::{CaseId, RegionCode, Seq};
use tongban_core::port::Later;
use tongban_core::start::StartCase;
use tongban_core::viewer::{Role, Viewer};
use tongban_core::way_out::WayOut;

use super::program::{Node, Step};
use super::symptoms::{ask, quiet_with, settle};
use super::*;
use crate::api::IdempotencyKey;
use crate::error::EngineError;
use crate::handle::{IncidentFilter, SettledOne};

/// More incidents than one record names.
const MORE_THAN_A_RECORD: usize = 82;

/// A court that refuses every call.
struct Refuses;

impl Connector for Refuses {
    fn invoke<'a>(&'a self, _: &'a Call, _: &'a CallContext) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(async {
            let (class, code) = (FaultClass::Refused, "refused".to_owned());
            Err(Fault { class, effect: Effect::None, code, retry_after: None, text: String::new() })
        })
    }

    fn query<'a>(&'a self, _: &'a Call, _: &'a CallContext) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(async { Ok(Queried::UnknownFenced) })
    }
}

/// A quiet world with so many cases that stand with an incident.
fn stuck(cases: usize) -> World {
    let asks = vec![Step::Try(Node::Call("court.decide"))];
    let service = program::single(DecidesIn::Here, asks);
    let court: Arc<dyn Connector> = Arc::new(Refuses);
    let mut world = quiet_with(service, [("court", court)], Sabotage::default());
    for no in 0..cases {
        one_more(&mut world, no);
    }
    assert_eq!(open(&world).len(), cases);
    world
}

fn one_more(world: &mut World, no: usize) {
    let service = world.troupe.services()[0].service.code.clone();
    let started = ask(world, move |engine| async move {
        let viewer = people::applicant();
        let party = Party { id: viewer.party.clone().unwrap(), name: "示例".to_owned() };
        let input = StartCase::new(service, RegionCode::new(program::REGION), party);
        let case = engine.start_case(&viewer, input, key(&format!("start {no}"))).await?.case;
        engine.submit_case(&viewer, case, key(&format!("submit {no}"))).await
    });
    settle(world);
    started.lock().unwrap().take().unwrap().unwrap();
}

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey(name.to_owned())
}

fn head() -> Viewer {
    Viewer::new("head", Role::OfficeHead).within(program::REGION).of(program::BUREAU)
}

type Answer = Result<Vec<SettledOne>, EngineError>;

/// Where an incident stands.
type Place = (CaseId, Seq);

/// Sends the request; a crash takes it with the process.
fn begin_batch(world: &World, expected: usize) -> Arc<Mutex<Option<Answer>>> {
    let answer = Arc::new(Mutex::new(None));
    let (told, house) = (Arc::clone(&answer), Arc::clone(&world.house));
    world.stage.begin(Owner::World, async move {
        let asked = house.with(move |engine| async move {
            let which = (&IncidentFilter::default(), expected);
            let way = (WayOut::Cancel, "成批".to_owned());
            engine.settle_incidents(&head(), which, way, key("batch")).await
        });
        let said = asked.await;
        *told.lock().unwrap() = said;
    });
    answer
}

/// Sends the request again and returns which incidents it was about, and which were refused.
fn repeat(world: &mut World, expected: usize) -> (BTreeSet<Place>, usize) {
    let answer = begin_batch(world, expected);
    settle(world);
    let items = answer.lock().unwrap().take().unwrap().unwrap();
    let refused = items.iter().filter(|item| item.outcome.is_err()).count();
    let places: BTreeSet<_> = items.iter().map(|item| (item.case, item.incident)).collect();
    assert_eq!(places.len(), items.len(), "each is named once");
    (places, refused)
}

/// The incidents that nobody has settled, and those that were settled, by the log.
fn tally(world: &World) -> (BTreeSet<Place>, Vec<Place>) {
    let (mut open, mut settled) = (BTreeSet::new(), Vec::new());
    for commit in world.disk.history() {
        for entry in &commit.entries {
            if let Body::IncidentRaised(_) = &entry.body {
                open.insert((commit.case, entry.seq));
            }
            if let Body::IncidentSettled(end) = &entry.body {
                open.remove(&(commit.case, end.incident));
                settled.push((commit.case, end.incident));
            }
        }
    }
    (open, settled)
}

fn open(world: &World) -> BTreeSet<Place> {
    tally(world).0
}

#[test]
fn a_batch_that_a_crash_cuts_at_any_step_is_done_once_and_answered_alike() {
    let cases = 2;
    for steps in 0.. {
        let mut world = stuck(cases);
        let all = open(&world);
        let answer = begin_batch(&world, cases);
        for _ in 0..steps {
            world.step(world.stage.now());
        }
        let over = answer.lock().unwrap().is_some();
        world.crash();
        settle(&mut world);
        let first = repeat(&mut world, cases);
        assert_eq!(first, (all.clone(), 0), "cut after {steps} steps");
        assert_eq!(repeat(&mut world, cases), first, "cut after {steps} steps");
        let (left, mut settled) = tally(&world);
        settled.sort();
        assert!(left.is_empty(), "cut after {steps} steps: {left:?} are left");
        assert_eq!(settled, Vec::from_iter(all), "each once; cut after {steps} steps");
        if over {
            assert!(steps > 10, "the crash came at every step in between");
            return;
        }
    }
}

/// The parts in which a batch is remembered used to be taken over by the next attempt, though it
/// had found others: some were left, and some were named that it had not found.
#[test]
fn what_a_dead_attempt_left_is_no_part_of_the_next() {
    let mut world = stuck(MORE_THAN_A_RECORD);
    let remembered = |world: &World| world.disk.mutations();
    let before = remembered(&world);
    drop(begin_batch(&world, MORE_THAN_A_RECORD));
    while remembered(&world) == before {
        world.step(world.stage.now());
    }
    world.disk.sync();
    world.crash();
    settle(&mut world);
    assert_eq!(remembered(&world), before + 1, "one part, and not which parts there are");
    let (case, incident) = *open(&world).first().unwrap();
    let by_another = ask(&world, move |engine| async move {
        let way = (WayOut::Cancel, "单独".to_owned());
        engine.settle_incident(&head(), (case, incident), way, key("single")).await
    });
    settle(&mut world);
    by_another.lock().unwrap().take().unwrap().unwrap();
    one_more(&mut world, MORE_THAN_A_RECORD);
    let all = open(&world);
    assert_eq!(repeat(&mut world, MORE_THAN_A_RECORD), (all, 0));
    assert_eq!(open(&world), BTreeSet::new(), "nothing is left");
}
