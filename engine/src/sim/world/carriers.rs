//! What a carrier does with its call, played on the runtime itself in a world whose time is given:
//! how long it sends, when it only asks, and what ends it.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use tongban_core::agency::{
    Ack, AgencyReply, BodyDigest, Call, CallContext, Effect, Fault, FaultClass, Invoked, Queried,
    ReplyBody,
};
use tongban_core::definition::{DecidesIn, MaterialDef, Source};
use tongban_core::digest::Digest;
use tongban_core::entry::{Body, Consent, Party};
use tongban_core::id::{CallId, RegionCode};
use tongban_core::limits::CALL_PATIENCE_MILLIS;
use tongban_core::material::Cause;
use tongban_core::port::{InboxError, Later};
use tongban_core::start::StartCase;
use tongban_core::value::Value;

use super::program::{Node, Step};
use super::symptoms::{ask, pass_days, quiet_with, settle, submit};
use super::*;
use crate::api::IdempotencyKey;

/// What a carrier did: sent or asked, for which call, how long before its deadline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Did {
    Sent(CallId, i64),
    Asked(CallId, i64),
}

/// A court whose line is bad, and what it saw all the same.
struct BadLine {
    /// What comes back of a request.
    answer: Result<ReplyBody, FaultClass>,
    did: Mutex<Vec<Did>>,
    /// The oldest and the newest encoding of bodies that its connector knows.
    encodings: Mutex<(u16, u16)>,
}

impl BadLine {
    fn new(answer: Result<ReplyBody, FaultClass>) -> Arc<Self> {
        Arc::new(Self { answer, did: Mutex::default(), encodings: Mutex::new((1, 1)) })
    }

    /// Puts another program in the place of the connector's, as an update does.
    fn knows(&self, oldest: u16, newest: u16) {
        *self.encodings.lock().unwrap() = (oldest, newest);
    }

    fn did(&self) -> Vec<Did> {
        self.did.lock().unwrap().clone()
    }

    fn note(&self, did: impl Fn(CallId, i64) -> Did, call: &Call, context: &CallContext) {
        let now = context.deadline.plus_millis(-CALL_PATIENCE_MILLIS / 10);
        self.did.lock().unwrap().push(did(call.id, call.deadline.since(now)));
    }
}

impl Connector for BadLine {
    fn body_of(&self, call: &Call, encoding: Option<u16>) -> Option<BodyDigest> {
        let (oldest, newest) = *self.encodings.lock().unwrap();
        let encoding = encoding.unwrap_or(newest);
        let digest = Digest::of(format!("{encoding} {}", call.id).as_bytes());
        (oldest..=newest).contains(&encoding).then_some(BodyDigest { encoding, digest })
    }

    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        context: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        self.note(Did::Sent, call, context);
        Box::pin(async {
            let fault = |class| Fault {
                class,
                effect: Effect::Unknown,
                code: "bad_line".to_owned(),
                retry_after: None,
                text: String::new(),
            };
            let body = self.answer.clone().map_err(fault)?;
            Ok(Invoked::Replied(says(call.id, 1, body)))
        })
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        context: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        self.note(Did::Asked, call, context);
        Box::pin(async { Ok(Queried::UnknownFenced) })
    }
}

fn says(call: CallId, seq: u32, body: ReplyBody) -> AgencyReply {
    let digest = Digest::of(format!("{seq} {body:?}").as_bytes());
    AgencyReply { call, seq, digest, at: Moment::default(), body }
}

fn done() -> ReplyBody {
    ReplyBody::Completed { output: Value::map(), documents: Vec::new() }
}

/// Submits a case that asks the court, and lets it be carried for as long as no time passes.
fn under_way(court: &Arc<BadLine>) -> World {
    let asks = vec![Step::Try(Node::Call("court.decide"))];
    let service = program::single(DecidesIn::Here, asks);
    let mut world = quiet_with(
        service,
        [("court", Arc::clone(court) as Arc<dyn Connector>)],
        Sabotage::default(),
    );
    submit(&mut world);
    world
}

fn called_back(world: &mut World, reply: AgencyReply) -> Result<Ack, InboxError> {
    let told =
        ask(world, |engine| async move { engine.inbox().deliver("court".to_owned(), reply).await });
    settle(world);
    told.lock().unwrap().take().unwrap()
}

#[test]
fn a_call_is_sent_under_one_id_until_its_deadline_then_asked_about_and_then_made_anew() {
    let court = BadLine::new(Err(FaultClass::Unknown));
    let mut world = under_way(&court);
    pass_days(&mut world, 1);
    let did = court.did();
    let Did::Sent(first, _) = did[0] else { panic!("{did:?}") };
    let own = |did: &&Did| matches!(did, Did::Sent(id, _) | Did::Asked(id, _) if *id == first);
    let first: Vec<Did> = did.iter().filter(own).copied().collect();
    let (last, sent) = first.split_last().unwrap();
    assert!(sent.len() > 5, "it was sent again and again: {first:?}");
    assert!(sent.iter().all(|did| matches!(did, Did::Sent(_, left) if *left > 0)), "{first:?}");
    assert!(matches!(last, Did::Asked(_, left) if *left <= 0), "{first:?}");
    let next = did.get(first.len()).expect("it was made anew");
    assert!(matches!(next, Did::Sent(..)), "{next:?}");
}

/// A carrier used to go on sending until the deadline, though the end had come by callback.
#[test]
fn a_callback_ends_the_sending_of_its_call() {
    let court = BadLine::new(Err(FaultClass::Unknown));
    let mut world = under_way(&court);
    let Did::Sent(call, _) = court.did()[0] else { panic!("{:?}", court.did()) };
    assert_eq!(called_back(&mut world, says(call, 1, done())), Ok(Ack::Stored));
    let before = court.did().len();
    pass_days(&mut world, 1);
    assert_eq!(court.did().len(), before);
}

/// A message that contradicted another used to end the asking, and with it the call's only way
/// to an end.
#[test]
fn a_message_that_contradicts_another_does_not_end_the_asking() {
    let accepted = ReplyBody::Accepted { ticket: None, expect_by: None, next_query_after: None };
    let court = BadLine::new(Ok(accepted));
    let mut world = under_way(&court);
    let Did::Sent(call, _) = court.did()[0] else { panic!("{:?}", court.did()) };
    assert_eq!(called_back(&mut world, says(call, 1, done())), Ok(Ack::TerminalConflict));
    let before = court.did().len();
    pass_days(&mut world, 1);
    let asked = |did: &Did| matches!(did, Did::Asked(id, _) if *id == call);
    assert!(court.did()[before..].iter().any(asked), "{:?}", court.did());
}

/// The encodings under which the journal speaks of each call, in the order of their making.
fn journaled(world: &World) -> Vec<(CallId, Option<u16>)> {
    let history = world.disk.history();
    let bodies = history.iter().flat_map(|commit| &commit.entries).map(|entry| &entry.body);
    let made = bodies.filter_map(|body| {
        if let Body::CallRenewed(renewed) = body {
            return Some(&renewed.call);
        }
        if let Body::Requested(made) = body { made.call.as_ref() } else { None }
    });
    made.map(|call| (call.id, call.body.map(|body| body.encoding))).collect()
}

fn sent(court: &BadLine, call: CallId) -> usize {
    court.did().iter().filter(|did| matches!(did, Did::Sent(id, _) if *id == call)).count()
}

#[test]
fn a_call_of_an_older_encoding_is_sent_again_in_it_as_long_as_the_connector_knows_it() {
    let court = BadLine::new(Err(FaultClass::Unknown));
    let mut world = under_way(&court);
    court.knows(1, 2);
    pass_days(&mut world, 1);
    let calls = journaled(&world);
    assert_eq!((calls[0].1, calls[1].1), (Some(1), Some(2)), "the next one is of the newest");
    assert!(sent(&court, calls[0].0) > 5, "{:?}", court.did());
}

#[test]
fn a_call_of_an_encoding_that_the_connector_has_dropped_is_asked_about_and_made_anew() {
    let court = BadLine::new(Err(FaultClass::Unknown));
    let mut world = under_way(&court);
    court.knows(2, 2);
    pass_days(&mut world, 1);
    let calls = journaled(&world);
    assert_eq!((calls[0].1, calls[1].1), (Some(1), Some(2)), "made anew in the newest");
    assert_eq!(sent(&court, calls[0].0), 1, "other bytes never go out under its id");
    let asked = |did: &Did| matches!(did, Did::Asked(id, _) if *id == calls[0].0);
    assert!(court.did().iter().any(asked), "{:?}", court.did());
}

/// A register that never answers, and whose settings change.
#[derive(Default)]
struct Hangs {
    wording: AtomicU64,
    sent: AtomicU64,
}

impl Connector for Hangs {
    fn body_of(&self, call: &Call, _: Option<u16>) -> Option<BodyDigest> {
        let said = format!("{} {}", call.id, self.wording.load(Ordering::Relaxed));
        Some(BodyDigest { encoding: 1, digest: Digest::of(said.as_bytes()) })
    }

    fn invoke<'a>(&'a self, _: &'a Call, _: &'a CallContext) -> Later<'a, Result<Invoked, Fault>> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }

    fn query<'a>(&'a self, _: &'a Call, _: &'a CallContext) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(async { Ok(Queried::UnknownFenced) })
    }
}

/// A quiet world whose matter wants a paper of the register, before the applicant commits himself.
fn asks_the_register(register: &Arc<Hangs>) -> World {
    let mut service = program::single(DecidesIn::Here, Vec::new());
    let closure = Arc::make_mut(&mut service.closure);
    let sources = vec![Source::Data(program::REGISTER.to_owned()), Source::Commitment];
    let paper = MaterialDef { code: "paper".to_owned(), name: "材料".to_owned(), sources };
    closure.matters.values_mut().for_each(|matter| matter.materials.push(paper.clone()));
    let own: [(_, Arc<dyn Connector>); 1] = [(program::BUREAU, Arc::clone(register) as _)];
    let mut world = quiet_with(service, own, Sabotage::default());
    let service = world.troupe.services()[0].service.code.clone();
    let begun = ask(&world, |engine| async move {
        let viewer = people::applicant();
        let party = Party { id: viewer.party.clone().unwrap(), name: "示例".to_owned() };
        let consent = Consent {
            license: program::REGISTER.to_owned(),
            holder: party.id.clone(),
            purpose: "*".to_owned(),
            text_version: "1".to_owned(),
        };
        let mut input = StartCase::new(service, RegionCode::new(program::REGION), party);
        input.consents.push(consent);
        let key = |name: &str| IdempotencyKey(name.to_owned());
        let case = engine.start_case(&viewer, input, key("start")).await?.case;
        engine.submit_case(&viewer, case, key("submit")).await
    });
    settle(&mut world);
    begun.lock().unwrap().take().unwrap().unwrap();
    world
}

/// How often the register was sent its question, and what came of asking sources.
fn came(world: &World, register: &Hangs) -> (u64, Vec<Cause>) {
    let history = world.disk.history();
    let bodies = history.iter().flat_map(|commit| &commit.entries).map(|entry| &entry.body);
    let causes = bodies.filter_map(|body| {
        if let Body::MaterialTried(tried) = body { Some(tried.cause) } else { None }
    });
    (register.sent.load(Ordering::Relaxed), causes.collect())
}

#[test]
fn a_question_to_a_source_that_would_say_something_else_gives_way_to_the_next() {
    for (reworded, sent) in [(0, 2), (1, 1)] {
        let register = Arc::new(Hangs::default());
        let mut world = asks_the_register(&register);
        assert_eq!(came(&world, &register), (1, Vec::new()), "it is asked, and does not answer");
        register.wording.fetch_add(reworded, Ordering::Relaxed);
        // Before its patience is over, and before its deadline.
        world.house.put(None);
        world.engine = None;
        world.stage.crash();
        world.disk.sync();
        world.boot();
        settle(&mut world);
        let expected = if reworded == 0 { Vec::new() } else { vec![Cause::Unavailable] };
        assert_eq!(came(&world, &register), (sent, expected), "reworded: {reworded}");
    }
}
