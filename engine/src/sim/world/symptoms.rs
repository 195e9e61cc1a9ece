//! Bugs that the simulator found, each played again in a world without people and faults.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use tongban_core::agency::{
    AgencyAct, AgencyReply, Call, CallContext, Fault, Invoked, Queried, ReplyBody,
};
use tongban_core::definition::DecidesIn;
use tongban_core::digest::Digest;
use tongban_core::entry::{Body, IncidentKind, Party};
use tongban_core::id::{CallId, CaseId, MatterNo, RegionCode};
use tongban_core::port::{Later, StoreError};
use tongban_core::start::StartCase;
use tongban_core::value::Value;

use super::disk::Trip;
use super::program::{Node, Step};
use super::*;
use crate::api::{IdempotencyKey, Receipt};
use crate::error::EngineError;

/// A world without people and faults, up and idle, with one service of one matter.
fn quiet(service: Service) -> World {
    quiet_with(service, [], Sabotage::default())
}

/// The same, with some connectors of a test's own.
pub(super) fn quiet_with<const N: usize>(
    service: Service,
    connectors: [(&'static str, Arc<dyn Connector>); N],
    sabotage: Sabotage,
) -> World {
    // Only where a test lets it storm.
    let faults = Faults { script_stopped: 1_000, ..Faults::default() };
    let mut world = World::with(1, vec![service], faults, sabotage);
    world.connectors.extend(connectors);
    world.weather.calm();
    world.boot();
    settle(&mut world);
    world
}

/// Does what can be done without time passing.
pub(super) fn settle(world: &mut World) {
    while world.step(world.stage.now()) {}
}

/// Lets days pass, with all that happens in them.
pub(super) fn pass_days(world: &mut World, days: i64) {
    let until = world.stage.now().plus_millis(days * DAY_MILLIS);
    while world.step(until) {}
}

/// Does something with the engine; the answer is there once the world has settled.
pub(super) fn ask<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    world: &World,
    work: impl FnOnce(Engine) -> F,
) -> Arc<Mutex<Option<T>>> {
    let answer = Arc::new(Mutex::new(None));
    let told = Arc::clone(&answer);
    let work = work(world.house.engine().unwrap());
    world.stage.begin(Owner::World, async move {
        let said = work.await;
        *told.lock().unwrap() = Some(said);
    });
    answer
}

fn draft(world: &mut World) -> CaseId {
    let service = world.troupe.services()[0].service.code.clone();
    let started = ask(world, |engine| async move {
        let viewer = people::applicant();
        let party = viewer.party.clone().unwrap();
        let party = Party { id: party, name: "示例".to_owned() };
        let input = StartCase::new(service, RegionCode::new(program::REGION), party);
        engine.start_case(&viewer, input, IdempotencyKey("start".to_owned())).await
    });
    settle(world);
    started.lock().unwrap().take().unwrap().unwrap().case
}

pub(super) fn submit(world: &mut World) -> CaseId {
    let case = draft(world);
    send_in(world, case).unwrap();
    case
}

fn send_in(world: &mut World, case: CaseId) -> Result<Receipt, EngineError> {
    let submitted = ask(world, |engine| async move {
        let key = IdempotencyKey("submit".to_owned());
        engine.submit_case(&people::applicant(), case, key).await
    });
    settle(world);
    submitted.lock().unwrap().take().unwrap()
}

#[test]
fn two_copies_of_a_mutation_that_share_a_turn_are_done_once() {
    let mut world = quiet(program::single(DecidesIn::Here, Vec::new()));
    let case = draft(&mut world);
    let copies = [0, 1].map(|_| {
        ask(&world, |engine| async move {
            let key = IdempotencyKey("submit".to_owned());
            engine.submit_case(&people::applicant(), case, key).await
        })
    });
    while world.stage.ready() > 0 {
        world.stage.poll(0);
    }
    settle(&mut world);
    let mut replayed: Vec<bool> =
        copies.map(|copy| copy.lock().unwrap().take().unwrap().unwrap().replayed).into();
    replayed.sort_unstable();
    assert_eq!(replayed, [false, true]);
}

/// A court that wants to be asked once a day, and has suspended the matter meanwhile.
#[derive(Default)]
struct SlowCourt {
    invoked: AtomicUsize,
    asked: AtomicUsize,
}

impl SlowCourt {
    fn reply(call: CallId, seq: u32, body: ReplyBody) -> AgencyReply {
        let at = Moment::parse("2026-03-10T08:00:00+08:00").unwrap();
        AgencyReply { call, seq, digest: Digest::of(&seq.to_be_bytes()), at, body }
    }
}

impl Connector for SlowCourt {
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        self.invoked.fetch_add(1, Ordering::Relaxed);
        let next_query_after = Some(DAY_MILLIS.cast_unsigned());
        let body = ReplyBody::Accepted { ticket: None, expect_by: None, next_query_after };
        Box::pin(async move { Ok(Invoked::Replied(Self::reply(call.id, 1, body))) })
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let act = ReplyBody::Act(AgencyAct {
            act: "accepted".to_owned(),
            effective_at: Moment::parse("2026-03-10T08:00:00+08:00").unwrap(),
            document_no: "受字1号".to_owned(),
            ground: String::new(),
            officer: "officer".to_owned(),
            detail: Value::Null,
        });
        Box::pin(async move { Ok(Queried::Known(Self::reply(call.id, 2, act))) })
    }
}

/// A quiet world whose only matter is decided by a slow court.
fn before_a_slow_court() -> (World, Arc<SlowCourt>) {
    before_a_slow_court_with(Sabotage::default())
}

fn before_a_slow_court_with(sabotage: Sabotage) -> (World, Arc<SlowCourt>) {
    let court = Arc::new(SlowCourt::default());
    let asks = vec![Step::Try(Node::Call("court.decide"))];
    let service = program::single(DecidesIn::Connector, asks);
    let own: [(_, Arc<dyn Connector>); 1] = [("court", Arc::clone(&court) as _)];
    let world = quiet_with(service, own, sabotage);
    (world, court)
}

#[test]
fn a_case_that_cannot_be_read_at_the_start_is_taken_up_later() {
    let (mut world, court) = before_a_slow_court();
    submit(&mut world);
    world.disk.trip(Trip::Load);
    world.crash();
    pass_days(&mut world, 3);
    let asked = court.asked.load(Ordering::Relaxed);
    assert!(asked >= 2, "asked {asked} times in three days");
}

#[test]
fn a_script_that_the_machine_stopped_goes_on_after_a_commit_has_failed() {
    let (mut world, court) = before_a_slow_court();
    let case = draft(&mut world);
    world.weather.storm();
    send_in(&mut world, case).unwrap();
    world.weather.calm();
    world.disk.trip(Trip::Append);
    pass_days(&mut world, 1);
    assert_eq!(court.invoked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_commit_that_is_stored_without_an_answer_sends_its_calls() {
    let (mut world, court) = before_a_slow_court();
    let case = draft(&mut world);
    world.disk.trip(Trip::Acknowledge);
    let told = send_in(&mut world, case);
    assert!(matches!(told, Err(EngineError::Store(StoreError::Uncertain(_)))), "{told:?}");
    pass_days(&mut world, 1);
    assert_eq!(court.invoked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_turn_that_panics_over_and_over_is_shown_to_somebody() {
    let script = ScriptSabotage::Panics;
    let (mut world, _) = before_a_slow_court_with(Sabotage { script, ..Sabotage::default() });
    submit(&mut world);
    pass_days(&mut world, 1);
    let history = world.disk.history();
    let bodies = history.iter().flat_map(|commit| &commit.entries).map(|entry| &entry.body);
    let is_told = |body: &&Body| matches!(body, Body::IncidentRaised(raised) if raised.kind == IncidentKind::TurnFailed);
    assert_eq!(bodies.filter(is_told).count(), 1, "told once: {}", world.restless());
}

#[test]
fn an_act_in_between_does_not_make_the_engine_ask_every_minute() {
    let (mut world, court) = before_a_slow_court();
    submit(&mut world);
    pass_days(&mut world, 10);
    let asked = court.asked.load(Ordering::Relaxed);
    assert!((9..=10).contains(&asked), "asked {asked} times in ten days");
}

/// So many messages used to share one turn, and stopped the script that read them.
#[test]
fn messages_that_one_turn_cannot_hold_are_all_answered_and_read() {
    const SENT: usize = 240;
    let long = || Node::Timer("30 working days".parse().unwrap());
    let one = || [Step::Wait(Node::Receive(program::CHANNEL)), Step::Begin(long())];
    let steps = (0..SENT).flat_map(|_| one().into_iter().chain([long(), long()].map(Step::Begin)));
    let mut steps: Vec<Step> = steps.collect();
    steps.push(Step::Wait(Node::Receive(program::CHANNEL)));
    let mut world = quiet(program::single(DecidesIn::Here, steps));
    let case = submit(&mut world);
    let answers: Vec<_> = (0..SENT)
        .map(|no| {
            let key = IdempotencyKey(format!("message {no}"));
            let handling = tongban_core::way_out::Handling::Required;
            let (channel, body) = (program::CHANNEL.to_owned(), Value::from(no.to_string()));
            let message = tongban_core::way_out::Message { channel, body, handling };
            ask(&world, move |engine| async move {
                let clerk = people::staff().remove(0);
                engine.send_message(&clerk, (case, MatterNo(1)), message, key).await
            })
        })
        .collect();
    while world.stage.ready() > 0 {
        world.stage.poll(0);
    }
    settle(&mut world);
    for answer in answers {
        assert!(!answer.lock().unwrap().take().unwrap().unwrap().replayed);
    }
    let history = world.disk.history();
    let longest = history.iter().map(|commit| commit.entries.len()).max().unwrap();
    let full = tongban_core::limits::TURN_ENTRIES_FULL;
    assert!((full..full + 100).contains(&longest), "the turn was full: {longest} entries");
    let bodies = history.iter().flat_map(|commit| &commit.entries).map(|entry| &entry.body);
    let read = bodies.clone().filter(|body| matches!(body, Body::MessageTaken { .. })).count();
    assert_eq!(read, SENT);
    assert!(
        !bodies.clone().any(|body| matches!(body, Body::IncidentRaised(_) | Body::RunFailed(_)))
    );
}
