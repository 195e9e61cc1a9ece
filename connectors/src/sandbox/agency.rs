//! The routes of a sandbox agency.
//!
//! Each handler reads, asks the books once, and answers; everything that must be one step is one
//! step in the [`Ledger`]. Injected trouble happens around the books, never inside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::stream;
use tokio::sync::mpsc::{self, Permit};
use tokio::sync::{oneshot, watch};
use tongban_core::agency::{Effect, FaultClass};
use tongban_core::digest::Digest;
use tongban_core::id::CallId;
use tongban_core::port::WireClock;

use super::author::Author;
use super::behaviour::{Behaviour, Inject, Mode, Spoil};
use super::ledger::{Asked, Begun, Ledger};
use crate::cxp::message::{
    Contract, Describe, FaultMessage, Health, Invoke, Manifest, Message as _, MessageError,
    OperationHealth, OperationOffer, Query,
};
use crate::cxp::{Proof, Text};
use crate::limits;

/// What the tasks of one agency share.
pub(super) struct Agency {
    pub(super) author: Author,
    pub(super) behaviour: Behaviour,
    pub(super) clock: Arc<dyn WireClock>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) http: reqwest::Client,
    pub(super) proof: Proof,
    /// Where the engine takes callbacks; set at onboarding, never taken from a message.
    pub(super) callback_url: watch::Sender<Option<reqwest::Url>>,
    /// Deliveries for the owner task to carry out.
    pub(super) deliveries: mpsc::Sender<Delivery>,
    pub(super) down: AtomicBool,
}

/// A delivery to carry out, and whom to tell when it is over.
pub(super) struct Delivery {
    pub(super) call: CallId,
    pub(super) over: Option<oneshot::Sender<()>>,
}

pub(super) fn router(agency: Arc<Agency>) -> Router {
    Router::new()
        .route("/cxp/1/invoke", post(invoke))
        .route("/cxp/1/query", post(query))
        .route("/cxp/1/health", post(health).get(health))
        .route("/cxp/1/describe", post(describe))
        .layer(DefaultBodyLimit::max(limits::MESSAGE_BYTES_MAX))
        .with_state(agency)
}

async fn invoke(State(agency): State<Arc<Agency>>, body: Bytes) -> Response {
    if agency.is_down() {
        return gateway_page(StatusCode::SERVICE_UNAVAILABLE);
    }
    let request = match agency.read_invoke(&body) {
        Ok(request) => request,
        Err(response) => return *response,
    };
    let arrival = agency.ledger.arrive(&request);
    let inject = agency.behaviour.inject_for(&request, arrival);
    agency.take(&request, Digest::of(&body), &inject).await
}

async fn query(State(agency): State<Arc<Agency>>, body: Bytes) -> Response {
    if agency.is_down() {
        return gateway_page(StatusCode::SERVICE_UNAVAILABLE);
    }
    let query = match Query::from_bytes(&body) {
        Ok(query) if query.to == agency.author.party => query,
        Ok(_) => return agency.violation("wrong_receiver"),
        Err(error) => return agency.malformed(&error),
    };
    let id = query.call_id.0;
    let make = |call: &_, planned: &_, seq| agency.author.later(call, planned, seq);
    let asked = agency.ledger.ask(id, query.after_seq, make);
    agency.take_up(id);
    match asked {
        Asked::Known(bytes) => json(StatusCode::OK, bytes),
        Asked::Unknown => {
            let fault = FaultMessage::new(FaultClass::Refused, Effect::None, "unknown_call");
            agency.fault(StatusCode::NOT_FOUND, Some(id), fault)
        }
        Asked::Forgotten => agency.forgotten(id),
    }
}

async fn health(State(agency): State<Arc<Agency>>) -> Response {
    let up = if agency.is_down() { "down" } else { "ok" };
    let operations = agency.author.catalogue.iter();
    let health = Health {
        status: up.to_owned(),
        server_time: Text(agency.clock.now()),
        operations: operations
            .map(|(name, _)| OperationHealth {
                name: name.to_owned(),
                status: up.to_owned(),
                open_calls: agency.ledger.open_calls(name),
            })
            .collect(),
    };
    json(StatusCode::OK, health.to_bytes())
}

async fn describe(State(agency): State<Arc<Agency>>, body: Bytes) -> Response {
    match Describe::from_bytes(&body) {
        Ok(describe) if describe.to == agency.author.party => {}
        Ok(_) => return agency.violation("wrong_receiver"),
        Err(error) => return agency.malformed(&error),
    }
    let party = agency.author.party.clone();
    let offers = agency.author.catalogue.iter();
    let manifest = Manifest {
        contract: Contract { id: party.system.clone(), version: "1.0.0".to_owned() },
        party,
        claims: ["core", "async", "callback"].map(str::to_owned).to_vec(),
        operations: offers
            .map(|(name, operation)| OperationOffer {
                name: name.to_owned(),
                effect: operation.effect.clone(),
                input: operation.input.clone(),
                documents: operation.documents.iter().map(|offer| offer.role.clone()).collect(),
                acts: operation.acts.clone(),
            })
            .collect(),
    };
    json(StatusCode::OK, manifest.to_bytes())
}

impl Agency {
    fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    pub(super) fn callback_url(&self) -> Option<reqwest::Url> {
        self.callback_url.borrow().clone()
    }

    fn read_invoke(&self, body: &[u8]) -> Result<Invoke, Box<Response>> {
        let Proof::Unsigned = self.proof;
        let request = Invoke::from_bytes(body).map_err(|error| Box::new(self.malformed(&error)))?;
        if request.to != self.author.party {
            return Err(Box::new(self.violation("wrong_receiver")));
        }
        if self.author.catalogue.get(&request.operation).is_none() {
            let fault = FaultMessage::new(FaultClass::Refused, Effect::None, "unknown_operation");
            let id = Some(request.call_id.0);
            return Err(Box::new(self.fault(StatusCode::NOT_FOUND, id, fault)));
        }
        if request.amends.is_some_and(|earlier| !self.ledger.may_be_amended(earlier.0)) {
            return Err(Box::new(self.violation("not_amendable")));
        }
        Ok(request)
    }

    async fn take(&self, request: &Invoke, body: Digest, inject: &Inject) -> Response {
        let id = request.call_id.0;
        if let Some(refusal) = self.before_effect(id, inject) {
            return refusal;
        }
        // The place in the queue comes first: after the insert nothing waits, so that a caller who
        // hangs up cannot leave a call without its delivery.
        let Ok(place) = self.deliveries.reserve().await else {
            return gateway_page(StatusCode::SERVICE_UNAVAILABLE);
        };
        let begun = self.ledger.begin(request, body, || {
            let late = self.clock.now().since(request.deadline.0);
            let on_time = late <= limits::DEADLINE_GRACE_MILLIS;
            on_time.then(|| self.author.open(request, body, inject))
        });
        let bytes = match begun {
            Begun::First(bytes) => {
                if self.ledger.is_owed(id) {
                    self.begin_delivery(id, place, inject).await;
                }
                bytes
            }
            Begun::Again(bytes) => {
                drop(place);
                self.take_up(id);
                bytes
            }
            Begun::Conflict(stored) => {
                let mut fault =
                    FaultMessage::new(FaultClass::Conflict, Effect::Applied, "conflict");
                fault.input_digest = Some(Text(stored));
                return self.fault(StatusCode::CONFLICT, Some(id), fault);
            }
            Begun::Fenced => return self.expired(id, "fenced"),
            Begun::Expired => return self.expired(id, "expired"),
            Begun::Forgotten => return self.forgotten(id),
        };
        self.after_effect(id, bytes, inject).await
    }

    /// Trouble that comes before anything is done.
    fn before_effect(&self, id: CallId, inject: &Inject) -> Option<Response> {
        if let Some(spoil) = inject.answer.filter(|spoil| spoil.is_before_effect()) {
            self.ledger.refused(id, "injected");
            return Some(if spoil == Spoil::Down {
                gateway_page(StatusCode::BAD_GATEWAY)
            } else {
                cut()
            });
        }
        let fault = inject.fault.as_ref()?;
        if fault.effect.0 != Effect::None {
            return None;
        }
        self.ledger.refused(id, &fault.code);
        self.injected(id, inject)
    }

    /// The answer, or what becomes of it on its way.
    async fn after_effect(&self, id: CallId, bytes: Vec<u8>, inject: &Inject) -> Response {
        let latency = inject.latency_ms.unwrap_or(self.behaviour.latency_ms);
        if latency > 0 {
            self.clock.wait_millis(latency).await;
        }
        if let Some(fault) = self.injected(id, inject) {
            return fault;
        }
        match inject.answer {
            None => json(status_of(&bytes), bytes),
            Some(Spoil::Html200) => gateway_page(StatusCode::OK),
            Some(Spoil::TruncatedJson) => {
                let half = bytes.len() / 2;
                json(StatusCode::OK, bytes[..half].to_vec())
            }
            Some(Spoil::LostAfterEffect | Spoil::LostBeforeEffect | Spoil::Down) => cut(),
        }
    }

    /// Gives a call to the owner task; where callbacks go first, waits for their end.
    async fn begin_delivery(&self, call: CallId, place: Permit<'_, Delivery>, inject: &Inject) {
        let (over, end) = oneshot::channel();
        let first = inject.mode == Some(Mode::CallbackBefore202);
        place.send(Delivery { call, over: first.then_some(over) });
        if first {
            tokio::select! {
                _ = end => {}
                () = self.clock.wait_millis(limits::DELIVERY_FIRST_MILLIS) => {}
            }
        }
    }

    /// Takes up deliveries that were given up: whoever calls again can be reached again. With no
    /// place in the queue they rest until the next call.
    fn take_up(&self, call: CallId) {
        if let Ok(place) = self.deliveries.try_reserve()
            && self.ledger.take_up(call)
        {
            place.send(Delivery { call, over: None });
        }
    }

    fn injected(&self, id: CallId, inject: &Inject) -> Option<Response> {
        let injected = inject.fault.as_ref()?;
        let mut fault =
            FaultMessage::new(injected.class.0, injected.effect.0, injected.code.as_str());
        fault.retry_after_ms = injected.retry_after_ms;
        Some(self.fault(status_of_class(injected.class.0), Some(id), fault))
    }

    fn expired(&self, id: CallId, code: &str) -> Response {
        let fault = FaultMessage::new(FaultClass::Expired, Effect::None, code);
        self.fault(StatusCode::GONE, Some(id), fault)
    }

    fn forgotten(&self, id: CallId) -> Response {
        let fault = FaultMessage::new(FaultClass::Conflict, Effect::Applied, "forgotten");
        self.fault(StatusCode::GONE, Some(id), fault)
    }

    fn violation(&self, code: &str) -> Response {
        let fault = FaultMessage::new(FaultClass::ContractViolation, Effect::None, code);
        self.fault(StatusCode::BAD_REQUEST, None, fault)
    }

    fn malformed(&self, error: &MessageError) -> Response {
        let class = FaultClass::ContractViolation;
        let mut fault = FaultMessage::new(class, Effect::None, error.code());
        fault.public_text = error.to_string();
        self.fault(StatusCode::BAD_REQUEST, None, fault)
    }

    fn fault(&self, status: StatusCode, call: Option<CallId>, mut fault: FaultMessage) -> Response {
        fault.call_id = call.map(Text);
        fault.server_time = Some(Text(self.clock.now()));
        json(status, fault.to_bytes())
    }
}

fn status_of(reply: &[u8]) -> StatusCode {
    let accepted = crate::cxp::message::Reply::from_bytes(reply)
        .is_ok_and(|reply| !reply.status.is_terminal());
    if accepted { StatusCode::ACCEPTED } else { StatusCode::OK }
}

fn status_of_class(class: FaultClass) -> StatusCode {
    match class {
        FaultClass::Retryable | FaultClass::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        FaultClass::Refused => StatusCode::FORBIDDEN,
        FaultClass::ContractViolation => StatusCode::BAD_REQUEST,
        FaultClass::Conflict => StatusCode::CONFLICT,
        FaultClass::Expired => StatusCode::GONE,
        FaultClass::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], bytes).into_response()
}

fn gateway_page(status: StatusCode) -> Response {
    let page = "<html><body>系统维护</body></html>";
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// An answer whose connection breaks before a byte of its body.
fn cut() -> Response {
    let broken = stream::once(async { Err::<Bytes, _>(std::io::ErrorKind::ConnectionReset) });
    let broken = stream::StreamExt::map(broken, |chunk| chunk.map_err(std::io::Error::from));
    (StatusCode::OK, Body::from_stream(broken)).into_response()
}
