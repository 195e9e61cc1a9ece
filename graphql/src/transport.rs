//! How requests come in and answers go out: HTTP and WebSocket, made by us to the specifications.
//!
//! Both read a request ([`request`]), put it through the gate, run it with the viewer of its
//! token, and clean the response of everything that is not the client's business. The order is
//! the same everywhere: method, media types, token, size, shape, gate, introspection, run.

pub(crate) mod accept;
pub(crate) mod document;
pub(crate) mod failure;
pub(crate) mod http;
mod message;
pub(crate) mod request;
pub(crate) mod upload;
pub(crate) mod websocket;

use std::fmt::Write as _;
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Response, ServerError};
use tokio::sync::watch;
use tongban_core::port::WireClock;
use tongban_core::viewer::Role;
use tongban_engine::{Engine, EngineError};

use self::failure::Failure;
use self::request::Asked;
use crate::auth::{Admitted, Authority, Trust};
use crate::error::INTERNAL;
use crate::gate;
use crate::mutation::Tally;
use crate::schema::Api;

/// Milliseconds that one query or mutation may take.
const REQUEST_MILLIS_MAX: u64 = 10_000;
/// Characters of a message that async-graphql wrote.
const MESSAGE_CHARS_MAX: usize = 200;

/// What every request needs. One per server.
pub(crate) struct Front {
    pub(crate) api: Api,
    /// For what is not GraphQL: the files of cases.
    pub(crate) engine: Engine,
    pub(crate) authority: Authority,
    /// Becomes true when the server stops; each open socket holds a receiver.
    pub(crate) stop: watch::Sender<bool>,
}

/// A request that may run, with the count of its refusals.
pub(crate) struct Prepared {
    pub(crate) request: async_graphql::Request,
    tally: Tally,
    id: String,
}

impl Front {
    /// Returns the clock of the wire.
    pub(crate) fn clock(&self) -> &Arc<dyn WireClock> {
        self.authority.clock()
    }

    /// Puts a request through the gate and gives it its viewer.
    pub(crate) fn prepare(&self, asked: Asked, admitted: &Admitted) -> Result<Prepared, Failure> {
        let document = asked.document;
        let viewer = admitted.viewer.clone();
        let may_introspect =
            viewer.role == Role::Integrator || self.authority.trust() == Trust::Development;
        if gate::introspects(&document) && !may_introspect {
            return Err(Failure::introspection());
        }
        let tally = Tally::default();
        let mut request = async_graphql::Request::new("")
            .variables(asked.variables)
            .data(viewer)
            .data(tally.clone());
        request.operation_name = asked.operation_name;
        request.set_parsed_query(document);
        Ok(Prepared { request, tally, id: request_id() })
    }

    /// Runs a query or mutation within its deadline.
    pub(crate) async fn run(&self, prepared: Prepared) -> Result<Response, Failure> {
        let Prepared { request, tally, id } = prepared;
        tokio::select! {
            response = self.api.execute(request) => Ok(clean(response, &id, &tally)),
            () = self.clock().wait_millis(REQUEST_MILLIS_MAX) => Err(Failure::timeout()),
        }
    }
}

impl Prepared {
    /// Splits off the request from what cleans its responses.
    pub(crate) fn split(self) -> (async_graphql::Request, impl Fn(Response) -> Response + Send) {
        let Self { request, tally, id } = self;
        (request, move |response| clean(response, &id, &tally))
    }
}

/// Tells whether a response says that nothing ran: the request itself was wrong.
pub(crate) fn is_request_error(response: &Response) -> bool {
    let wrong = |error: &ServerError| error.path.is_empty();
    response.data == async_graphql::Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(wrong)
}

fn clean(mut response: Response, id: &str, tally: &Tally) -> Response {
    for error in &mut response.errors {
        clean_error(error, id);
    }
    match tally.count() {
        0 => response,
        refused => response.extension("userErrorCount", refused.into()),
    }
}

/// Gives every error a code and takes from it what is not the client's business.
fn clean_error(error: &mut ServerError, id: &str) {
    let is_request_error = error.path.is_empty();
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    match extensions.get("code") {
        Some(code) if *code == INTERNAL.into() => {
            extensions.set("requestId", id);
            let source = error.source.take();
            let source = source.as_ref().and_then(|source| source.downcast_ref::<EngineError>());
            let detail = source.map(ToString::to_string).unwrap_or_default();
            tracing::error!(request = id, error = detail, "a field failed");
        }
        Some(_) => {}
        // Ours always have a code; this one is async-graphql's about the client's own input.
        None => {
            let code = if is_request_error { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_VARIABLES" };
            extensions.set("code", code);
            error.message = error.message.chars().take(MESSAGE_CHARS_MAX).collect();
        }
    }
}

/// Draws an id that client and log share.
fn request_id() -> String {
    let mut bytes = [0_u8; 8];
    // Without randomness an id is still shown; it only finds nothing.
    if getrandom::fill(&mut bytes).is_err() {
        return "unknown".to_owned();
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
