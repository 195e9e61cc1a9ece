//! What the tests of this package share: calls, sides, clocks, a catalogue, a recording inbox.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tongban_core::agency::{Ack, AgencyReply, Call, CallContext};
use tongban_core::digest::Secret;
use tongban_core::id::{CallId, DepartmentCode, MatterCode, RegionCode};
use tongban_core::port::{Inbox, InboxError, Later, LawfulClock, WireClock};
use tongban_core::time::Moment;
use tongban_core::value::Value;

use super::{Behaviour, Catalogue, Ledger, SandboxAgency, SandboxOptions};
use crate::callback::{CallbackOptions, CallbackParty, router};
use crate::cxp::message::{Contract, Invoke, Message as _, Party};
use crate::cxp::render::{Sides, render_invoke};
use crate::cxp::{CxpConnector, CxpOptions, Proof};

const CATALOGUE: &str = r#"{
    "about": "for other readers", "version": 1,
    "operations": {
        "natural-resources.parcel": {
            "name": "宗地信息查询", "effect": "reversible",
            "input": {"no": "text"}, "output": {"no": "{input.no}", "area": "26840.50"},
            "documents": [], "acts": [], "defaults": {"rejected": "task"}
        },
        "natural-resources.issue_planning_permit": {
            "effect": "legal_act",
            "input": {"parcel": "text"}, "output": {"parcel": "{input.parcel}"},
            "documents": [{"role": "permit", "number": "建字第420300{year}{serial}号"}], "acts": []
        },
        "natural-resources.register_title": {
            "effect": "legal_act",
            "input": {"parcel": "text"}, "output": {"number": "{number}"},
            "documents": [{"role": "title", "number": "鄂({year})十堰市不动产权第{serial}号"}],
            "acts": ["accepted", "decided"]
        },
        "urban-management.approve_waste_disposal": {
            "effect": "legal_act", "input": {}, "output": {}, "carried_by": "manual"
        }
    }
}"#;

pub(crate) fn start_of_demo() -> Moment {
    Moment::parse("2026-03-02T09:00:00+08:00").unwrap()
}

pub(crate) fn catalogue() -> Catalogue {
    Catalogue::parse(CATALOGUE).unwrap()
}

pub(crate) fn sides() -> Sides {
    Sides {
        from: Party::new("420300", "engine"),
        to: Party::new("420300", "natural-resources"),
        contract: Contract { id: "natural-resources".to_owned(), version: "1.0.0".to_owned() },
    }
}

/// The `n`-th call of a case, asking for a parcel.
pub(crate) fn call(n: u8) -> Call {
    call_of("parcel", n)
}

pub(crate) fn call_of(operation: &str, n: u8) -> Call {
    let secret = Secret::new([7; 32]);
    let issued_at = start_of_demo();
    let id = CallId::derive(issued_at, &secret, &[n]);
    Call {
        id,
        operation: operation.to_owned(),
        role: DepartmentCode::new("natural-resources"),
        region: RegionCode::new("420302"),
        case_no: "42030020260302000001X".to_owned(),
        matter: MatterCode::new("engineering-planning-permit"),
        issued_at,
        deadline: issued_at.plus_millis(300_000),
        input: Value::of([
            ("no", Value::from("P-2026-001")),
            ("parcel", Value::from("P-2026-001")),
            ("area", Value::Decimal("26840.50".parse().unwrap())),
        ]),
        salt: secret.keyed(b"salt", &id.0),
        amends: None,
        body: None,
    }
}

pub(crate) fn context() -> CallContext {
    CallContext {
        deadline: start_of_demo().plus_millis(30_000),
        attempt: 1,
        purpose: "engineering-planning-permit".to_owned(),
        after_seq: None,
    }
}

pub(crate) fn invoke(n: u8) -> Invoke {
    Invoke::from_bytes(&render_invoke(&call(n), &sides()).body).unwrap()
}

/// A clock that stands still until a test moves it, and tells which waits it was asked for.
pub(crate) struct StillClock {
    now: watch::Sender<Moment>,
    asked: watch::Sender<Vec<u64>>,
}

impl StillClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { now: watch::Sender::new(start_of_demo()), asked: watch::Sender::default() })
    }

    pub(crate) fn advance(&self, millis: i64) {
        self.now.send_modify(|now| *now = now.plus_millis(millis));
    }

    /// Waits until someone waits for so many milliseconds.
    pub(crate) async fn until_asked(&self, millis: u64) {
        let mut asked = self.asked.subscribe();
        asked.wait_for(|asked| asked.contains(&millis)).await.unwrap();
    }

    /// Waits until so many waits were begun.
    pub(crate) async fn until_waits(&self, count: usize) {
        let mut asked = self.asked.subscribe();
        asked.wait_for(|asked| asked.len() >= count).await.unwrap();
    }

    async fn reached(&self, until: Moment) {
        let mut now = self.now.subscribe();
        now.wait_for(|now| *now >= until).await.unwrap();
    }
}

impl WireClock for StillClock {
    fn now(&self) -> Moment {
        *self.now.borrow()
    }

    fn wait_millis(&self, millis: u64) -> Later<'_, ()> {
        let until = WireClock::now(self).plus_millis(i64::try_from(millis).unwrap());
        self.asked.send_modify(|asked| asked.push(millis));
        Box::pin(self.reached(until))
    }
}

impl LawfulClock for StillClock {
    fn now(&self) -> Moment {
        *self.now.borrow()
    }

    fn wait_until(&self, until: Moment) -> Later<'_, ()> {
        Box::pin(self.reached(until))
    }
}

/// Takes what agencies deliver, and answers as told; `Stored` when nothing is told.
pub(crate) struct RecordingInbox {
    pub(crate) taken: watch::Sender<Vec<(String, AgencyReply)>>,
    answers: Mutex<VecDeque<Result<Ack, InboxError>>>,
}

impl RecordingInbox {
    pub(crate) fn answering(
        answers: impl IntoIterator<Item = Result<Ack, InboxError>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            taken: watch::Sender::default(),
            answers: Mutex::new(answers.into_iter().collect()),
        })
    }

    pub(crate) fn replies(&self) -> Vec<AgencyReply> {
        let taken = self.taken.borrow();
        taken.iter().map(|(_, reply)| reply.clone()).collect()
    }

    /// Waits until `count` messages came.
    pub(crate) async fn until(&self, count: usize) {
        let mut taken = self.taken.subscribe();
        taken.wait_for(|taken| taken.len() >= count).await.unwrap();
    }
}

impl Inbox for RecordingInbox {
    fn deliver(&self, connector: String, reply: AgencyReply) -> Later<'_, Result<Ack, InboxError>> {
        let next = self.answers.lock().unwrap().pop_front();
        self.taken.send_modify(|taken| taken.push((connector, reply)));
        Box::pin(std::future::ready(next.unwrap_or(Ok(Ack::Stored))))
    }
}

/// An agency, a connector to it, and an inbox behind the callback route.
pub(crate) struct Town {
    pub(crate) agency: SandboxAgency,
    pub(crate) connector: Arc<CxpConnector>,
    pub(crate) inbox: Arc<RecordingInbox>,
    pub(crate) callback_url: String,
    /// The engine's clock.
    pub(crate) engine_clock: Arc<StillClock>,
    /// The agency's clock, for both of its times.
    pub(crate) agency_clock: Arc<StillClock>,
    /// Holds the callback server.
    pub(crate) _servers: JoinSet<()>,
}

pub(crate) fn callback_options() -> CallbackOptions {
    CallbackOptions {
        own: sides().from,
        proof: Proof::Unsigned,
        parties: vec![CallbackParty {
            party: sides().to,
            connector: "natural-resources".to_owned(),
        }],
    }
}

impl Town {
    pub(crate) async fn with(rules: &str) -> Self {
        Self::answering(rules, []).await
    }

    /// Builds a town whose agency follows `rules` and whose inbox gives `answers`.
    pub(crate) async fn answering(
        rules: &str,
        answers: impl IntoIterator<Item = Result<Ack, InboxError>>,
    ) -> Self {
        let inbox = RecordingInbox::answering(answers);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let callback_url = format!("http://{}/cxp/1/callback", listener.local_addr().unwrap());
        let routes = router(Arc::clone(&inbox) as Arc<dyn Inbox>, callback_options());
        let mut servers = JoinSet::new();
        servers.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let agency_clock = StillClock::new();
        let options = options(rules, &callback_url, &agency_clock);
        let agency = SandboxAgency::start(options).await.unwrap();
        let engine_clock = StillClock::new();
        Self {
            connector: connector(&agency.base_url(), &engine_clock),
            agency,
            inbox,
            callback_url,
            engine_clock,
            agency_clock,
            _servers: servers,
        }
    }

    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        self.agency.ledger()
    }
}

/// Options of an agency with these rules, as a JSON list.
pub(crate) fn options(rules: &str, callback_url: &str, clock: &Arc<StillClock>) -> SandboxOptions {
    let behaviour = format!(r#"{{"seed": 42, "rules": [{rules}]}}"#);
    SandboxOptions {
        party: sides().to,
        operations: catalogue().of_role("natural-resources"),
        callback_url: Some(callback_url.to_owned()),
        behaviour: serde_json::from_str::<Behaviour>(&behaviour).unwrap(),
        proof: Proof::Unsigned,
        ledger: Arc::default(),
        clock: Arc::clone(clock) as Arc<dyn WireClock>,
        lawful: Arc::clone(clock) as Arc<dyn LawfulClock>,
    }
}

pub(crate) fn connector(base_url: &str, clock: &Arc<StillClock>) -> Arc<CxpConnector> {
    let Sides { from, to, contract } = sides();
    let options = CxpOptions {
        name: "natural-resources".to_owned(),
        base_url: base_url.to_owned(),
        from,
        to,
        contract,
        proof: Proof::Unsigned,
        clock: Arc::clone(clock) as Arc<dyn WireClock>,
    };
    Arc::new(CxpConnector::new(options).unwrap())
}
