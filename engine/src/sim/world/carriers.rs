//! What a carrier does with its call, played on the runtime itself in a world whose time is given:
//! how long it sends, when it only asks, and what ends it.

use std::sync::Mutex;

use tongban_core::agency::{
    Ack, AgencyReply, Call, CallContext, Effect, Fault, FaultClass, Invoked, Queried, ReplyBody,
};
use tongban_core::definition::DecidesIn;
use tongban_core::digest::Digest;
use tongban_core::id::CallId;
use tongban_core::limits::CALL_PATIENCE_MILLIS;
use tongban_core::port::{InboxError, Later};
use tongban_core::value::Value;

use super::program::{Node, Step};
use super::symptoms::{ask, pass_days, quiet_with, settle, submit};
use super::*;

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
}

impl BadLine {
    fn new(answer: Result<ReplyBody, FaultClass>) -> Arc<Self> {
        Arc::new(Self { answer, did: Mutex::default() })
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
