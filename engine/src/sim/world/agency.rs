//! Simulated agencies that keep the partner contract over a bad network.
//!
//! They answer an id once and for all, refuse what comes past its deadline, and refuse an id for
//! good after a query that did not find it. Between them and the engine messages are delayed,
//! lost, doubled and overtaken; the tasks on the way belong to the world and outlive a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tongban_core::agency::{
    AgencyAct, AgencyReply, BodyDigest, Call, CallContext, DocumentRef, Effect, Fault, FaultClass,
    Invoked, ManualTask, Queried, ReplyBody,
};
use tongban_core::digest::Digest;
use tongban_core::id::{CallId, RegionCode};
use tongban_core::port::{Connector, Later, Wiring};
use tongban_core::request::{Outcome, OutcomeKind};
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::wire;

use super::disk::Disk;
use super::house::House;
use super::plan::Weather;
use super::program::{ARCHIVE, BUREAU, COURT};
use super::stage::Owner;
use super::witness::Witness;

/// Milliseconds that an agency's clock may differ from the engine's.
const SKEW_MILLIS: i64 = 60_000;
/// Most milliseconds between two deliveries of one callback.
const REDELIVER_MILLIS_MAX: u64 = 600_000;
/// Milliseconds that a dawdling agency takes.
const DAWDLE_MILLIS: u64 = 8 * 24 * 3_600_000;

/// The encoding of bodies.
const ENCODING: u16 = 1;

/// What a test breaks on purpose.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum AgencySabotage {
    /// Nothing.
    #[default]
    None,
    /// An agency that acts again when an id comes again.
    ActsTwice,
    /// An agency that takes a call and says no more of it.
    GoesSilent,
}

/// A call as an agency knows it.
struct Known {
    call: Call,
    connector: &'static str,
    /// What it says, each from then on.
    messages: Vec<AgencyReply>,
}

#[derive(Default)]
struct Ledger {
    known: BTreeMap<CallId, Known>,
    fenced: BTreeSet<CallId>,
}

/// All agencies of a world.
pub(super) struct Agencies {
    pub(super) house: Arc<House>,
    pub(super) weather: Arc<Weather>,
    pub(super) witness: Arc<Witness>,
    pub(super) disk: Arc<Disk>,
    pub(super) sabotage: AgencySabotage,
    /// Settings that go into the body of every call; a restart may bring others.
    wording: AtomicU64,
    ledger: Mutex<Ledger>,
}

/// One connector to them.
pub(super) struct Office {
    name: &'static str,
    agencies: Arc<Agencies>,
}

/// Every operation goes through the connector of its role.
pub(super) struct ByRole;

impl Wiring for ByRole {
    fn connector_for(&self, operation: &str, _: &RegionCode) -> Option<String> {
        operation.split_once('.').map(|(role, _)| role.to_owned())
    }
}

fn fault(class: FaultClass, effect: Effect, code: &str) -> Fault {
    Fault { class, effect, code: code.to_owned(), retry_after: None, text: code.to_owned() }
}

impl Agencies {
    /// Builds the agencies.
    pub(super) fn new(
        house: Arc<House>,
        (weather, witness): (Arc<Weather>, Arc<Witness>),
        disk: Arc<Disk>,
        sabotage: AgencySabotage,
    ) -> Arc<Self> {
        let (wording, ledger) = (AtomicU64::new(1), Mutex::default());
        Arc::new(Self { house, weather, witness, disk, sabotage, wording, ledger })
    }

    /// Changes the settings: what is sent from now on would say something else.
    pub(super) fn reword(&self) {
        self.witness.saw("other settings of the connectors");
        self.wording.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the connectors by name.
    pub(super) fn offices(self: &Arc<Self>) -> [(&'static str, Arc<dyn Connector>); 3] {
        [BUREAU, COURT, ARCHIVE].map(|name| {
            let office = Office { name, agencies: Arc::clone(self) };
            (name, Arc::new(office) as Arc<dyn Connector>)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        self.house.stage.now()
    }

    /// Takes a request in; one transaction with its effect.
    fn receive(self: &Arc<Self>, call: &Call, connector: &'static str) -> Result<Invoked, Fault> {
        let mut ledger = self.lock();
        if ledger.fenced.contains(&call.id) {
            self.witness.saw("a request after its fence");
            return Err(fault(FaultClass::Expired, Effect::None, "fenced"));
        }
        let now = self.now();
        if let Some(known) = ledger.known.get(&call.id) {
            self.witness.saw("a repeated request");
            if known.call != *call {
                self.witness.wrong(format!("call {} was sent with two bodies", call.id));
            }
            if self.sabotage == AgencySabotage::ActsTwice {
                self.witness.effect(call);
            }
            let said = known.messages.iter().rfind(|message| message.at <= now);
            return Ok(Invoked::Replied(said.unwrap_or(&known.messages[0]).clone()));
        }
        if now > call.deadline.plus_millis(SKEW_MILLIS) {
            return Err(fault(FaultClass::Expired, Effect::None, "expired"));
        }
        if self.weather.strikes(|faults| faults.agency_down) {
            let (class, code) = if self.weather.flip() {
                (FaultClass::Unavailable, "down")
            } else {
                (FaultClass::Retryable, "queue_full")
            };
            let retry_after = self.weather.flip().then_some(2_000);
            return Err(Fault { retry_after, ..fault(class, Effect::None, code) });
        }
        self.witness.effect(call);
        let messages = self.think(call, now);
        let first = messages[0].clone();
        let known = Known { call: call.clone(), connector, messages };
        ledger.known.insert(call.id, known);
        drop(ledger);
        self.call_back(call.id);
        Ok(Invoked::Replied(first))
    }

    /// Thinks out all that will be said of a call.
    fn think(&self, call: &Call, now: Moment) -> Vec<AgencyReply> {
        let mut story = Saying { call, at: now, seq: 0, messages: Vec::new() };
        let quiet = self.weather.is_calm();
        let mute = self.sabotage == AgencySabotage::GoesSilent;
        let dawdles = mute || self.weather.strikes(|faults| faults.dawdling);
        let longest = if dawdles { DAWDLE_MILLIS } else { 2 * 3_600_000 };
        self.weather.with(|dice| {
            let acts = call.role.as_str() == COURT;
            if acts || dice.chance(600) {
                let wait = if dawdles { DAWDLE_MILLIS } else { dice.millis(longest) };
                // Who takes long does not want to be asked every second.
                let ask = *dice.pick(&[None, Some(1_000), Some(60_000), Some(600_000)]);
                let ask = ask.map(|millis: u64| millis.max(wait / 20));
                let ask = if dawdles { Some(wait / 20) } else { ask };
                story.say(ReplyBody::Accepted {
                    ticket: None,
                    expect_by: None,
                    next_query_after: ask,
                });
                story.later(wait);
            }
            if acts {
                story.act(("accepted", ""));
                for _ in 0..dice.below(2) {
                    story.later(dice.millis(longest));
                    story.act(("suspended", "expert_review"));
                    story.later(dice.millis(longest));
                    story.act(("resumed", "expert_review"));
                }
                story.later(dice.millis(longest));
                story
                    .act(("decided", if quiet || dice.chance(700) { "granted" } else { "denied" }));
                story.later(dice.millis(1_000));
            }
            story.say(end(call, if quiet || acts { 0 } else { dice.below(12) }));
        });
        if self.weather.strikes(|faults| faults.contradiction) {
            self.witness.saw("a contradiction");
            story.later(5_000);
            story.say(end(call, 8));
        }
        if mute {
            story.messages.truncate(1);
        }
        story.messages
    }

    /// Delivers what was not said in the first answer, in whatever order it gets through.
    fn call_back(self: &Arc<Self>, id: CallId) {
        let (connector, messages) = {
            let ledger = self.lock();
            let known = &ledger.known[&id];
            (known.connector, known.messages.iter().skip(1).cloned().collect::<Vec<_>>())
        };
        for message in messages {
            // Acts are sent until they are taken: a query asks only as long as the call is open.
            let act = matches!(message.body, ReplyBody::Act(_));
            if !act && self.weather.strikes(|faults| faults.callback_lost) {
                self.witness.saw("a lost callback");
                continue;
            }
            let twice = self.weather.strikes(|faults| faults.callback_doubled);
            for copy in 0..=u64::from(twice) {
                let own = Arc::clone(self);
                let message = message.clone();
                let delay = self.weather.with(|dice| dice.millis(3_000)) + copy * 7_000;
                let until = u64::try_from(message.at.since(self.now())).unwrap_or(0) + delay;
                self.house.stage.begin(Owner::World, async move {
                    own.house.stage.sleep(until).await;
                    own.deliver(connector, message).await;
                });
            }
        }
    }

    /// Delivers one message until it is acknowledged.
    async fn deliver(&self, connector: &'static str, message: AgencyReply) {
        let mut pause = 1_000;
        loop {
            let copy = message.clone();
            let told =
                self.house
                    .with(|engine| async move {
                        engine.inbox().deliver(connector.to_owned(), copy).await
                    })
                    .await;
            if let Some(Ok(ack)) = told {
                return self.acknowledged(&message, ack);
            }
            self.witness.saw("a callback that was delivered again");
            self.house.stage.sleep(pause).await;
            pause = (pause * 2).min(REDELIVER_MILLIS_MAX);
        }
    }

    fn acknowledged(&self, message: &AgencyReply, ack: tongban_core::agency::Ack) {
        self.witness.trace(u64::from(message.seq));
        if ack == tongban_core::agency::Ack::UnknownCall {
            self.witness.wrong(format!("the engine does not know call {} it sent", message.call));
        }
    }

    /// Answers a query; an id that was never seen is refused from now on.
    fn ask(&self, call: CallId, after: Option<u32>) -> Queried {
        let now = self.now();
        let mut ledger = self.lock();
        let Some(known) = ledger.known.get(&call) else {
            ledger.fenced.insert(call);
            self.witness.saw("a fence");
            return Queried::UnknownFenced;
        };
        let mut said = known.messages.iter().filter(|message| message.at <= now);
        let next = said.clone().find(|message| Some(message.seq) > after);
        let newest = next.or_else(|| said.next_back());
        Queried::Known(newest.unwrap_or(&known.messages[0]).clone())
    }
}

/// The end of a call, by a throw of the dice.
fn end(call: &Call, thrown: usize) -> ReplyBody {
    let otherwise = |kind| {
        let reason = "模拟".to_owned();
        ReplyBody::Otherwise(Outcome { kind, reason, detail: Value::Null })
    };
    match thrown {
        8 => otherwise(OutcomeKind::Rejected),
        9 => otherwise(OutcomeKind::NeedsCorrection),
        10 => otherwise(OutcomeKind::NeedsApplicant),
        11 => otherwise(OutcomeKind::Cancelled),
        _ => ReplyBody::Completed {
            output: call.input.clone(),
            documents: vec![DocumentRef {
                role: "permit".to_owned(),
                number: format!("P-{}", call.id),
                digest: Digest::of(&call.id.0),
            }],
        },
    }
}

/// What an agency says of one call, in order.
struct Saying<'a> {
    call: &'a Call,
    at: Moment,
    seq: u32,
    messages: Vec<AgencyReply>,
}

impl Saying<'_> {
    fn later(&mut self, millis: u64) {
        self.at = self.at.plus_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    }

    fn say(&mut self, body: ReplyBody) {
        self.seq += 1;
        let digest = Digest::of(&wire::encode(&(self.seq, &body)));
        let reply = AgencyReply { call: self.call.id, seq: self.seq, digest, at: self.at, body };
        self.messages.push(reply);
    }

    fn act(&mut self, (act, ground): (&str, &str)) {
        self.say(ReplyBody::Act(AgencyAct {
            act: act.to_owned(),
            effective_at: self.at,
            document_no: format!("D-{}-{}", self.call.id, self.seq),
            ground: ground.to_owned(),
            officer: "officer".to_owned(),
            detail: Value::of([("reason", "依法".into())]),
        }));
    }
}

impl Office {
    /// Sends a message and waits for what comes back, as long as the engine is patient.
    async fn exchange<T: Send + 'static>(
        &self,
        context: &CallContext,
        serve: impl FnOnce(&Arc<Agencies>) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let agencies = Arc::clone(&self.agencies);
        let stage = Arc::clone(&agencies.house.stage);
        let weather = Arc::clone(&agencies.weather);
        let (there, back) = weather.with(|dice| (dice.millis(3_000), dice.millis(5_000)));
        let lost = weather.strikes(|faults| faults.request_lost);
        let unheard = weather.strikes(|faults| faults.reply_lost);
        let (answer, heard) = oneshot::channel();
        stage.begin(Owner::World, async move {
            let stage = Arc::clone(&agencies.house.stage);
            stage.sleep(there).await;
            if lost {
                return;
            }
            let said = serve(&agencies);
            stage.sleep(back).await;
            if unheard {
                agencies.witness.saw("a lost reply");
                return;
            }
            drop(answer.send(said));
        });
        let unknown = || fault(FaultClass::Unknown, Effect::Unknown, "no_answer");
        let patience = u64::try_from(context.deadline.since(stage.now())).unwrap_or(0);
        let silence = stage.sleep(patience);
        tokio::select! {
            biased;
            said = async { match heard.await { Ok(said) => said, Err(_) => std::future::pending().await } } => Ok(said),
            () = silence => Err(unknown()),
        }
    }

    async fn send(&self, call: &Call, context: &CallContext) -> Result<Invoked, Fault> {
        if self.name == ARCHIVE {
            let role = format!("{ARCHIVE}.keeper");
            return Ok(Invoked::AskPerson(ManualTask { role, title: "查档".to_owned() }));
        }
        let name = self.name;
        if !self.agencies.disk.holds_call(call.id) {
            self.agencies.witness.wrong(format!("call {} left before its commit", call.id));
        }
        if self.body_of(call, None) != call.body {
            self.agencies.witness.wrong(format!("call {} left with another body", call.id));
        }
        if self.agencies.weather.strikes(|faults| faults.request_doubled) {
            let agencies = Arc::clone(&self.agencies);
            let copy = call.clone();
            let delay = agencies.weather.with(|dice| dice.millis(900_000));
            self.agencies.house.stage.begin(Owner::World, async move {
                agencies.house.stage.sleep(delay).await;
                drop(agencies.receive(&copy, name));
            });
        }
        let copy = call.clone();
        self.exchange(context, move |agencies| agencies.receive(&copy, name)).await?
    }
}

impl Connector for Office {
    /// All that a call says and the wording of the day; the archive is told by a person.
    fn body_of(&self, call: &Call, encoding: Option<u16>) -> Option<BodyDigest> {
        let wording = self.agencies.wording.load(Ordering::Relaxed);
        let known = encoding.is_none_or(|encoding| encoding == ENCODING);
        let said = (call.id, &call.operation, &call.input, call.issued_at, call.deadline, wording);
        let digest = Digest::of(&wire::encode(&said));
        (known && self.name != ARCHIVE).then_some(BodyDigest { encoding: ENCODING, digest })
    }

    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        context: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(self.send(call, context))
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        context: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        let (id, after) = (call.id, context.after_seq);
        Box::pin(self.exchange(context, move |agencies| agencies.ask(id, after)))
    }
}
