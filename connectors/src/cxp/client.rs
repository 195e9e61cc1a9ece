//! The client of CXP/1: one agency, over HTTP.
//!
//! It sends, reads at most so many bytes, and gives the answer to `answer`. It never tries a
//! second time, follows no redirect, uses no proxy of the environment, and waits no longer than
//! the context's deadline by the wire clock. Whether a byte had left is what separates
//! "unavailable" from "unknown"; in doubt it had.

use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::Url;
use tongban_core::agency::{
    BodyDigest, Call, CallContext, Effect, Fault, FaultClass, Invoked, Queried,
};
use tongban_core::error::ErrorClass;
use tongban_core::port::{Connector, Later, WireClock};
use tongban_core::time::Moment;

use super::Proof;
use super::answer::{Answer, InvokeAnswer, Sent, read_invoke, read_query, unknown};
use super::message::{Contract, Party};
use super::render::{ENCODING, Sides, render_invoke, render_query};
use crate::limits;

/// What a [`CxpConnector`] needs to know.
#[derive(Clone)]
pub struct CxpOptions {
    /// Name of the connector, as bindings use it.
    pub name: String,
    /// Where the agency listens, without `/cxp/1`.
    pub base_url: String,
    /// The engine's own name.
    pub from: Party,
    /// The agency.
    pub to: Party,
    /// The contract between both.
    pub contract: Contract,
    /// How messages are proven.
    pub proof: Proof,
    /// The clock that deadlines of attempts are measured by.
    pub clock: Arc<dyn WireClock>,
}

/// A connector that cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is not usable.
    #[error(
        "连接器 {name} 的地址 {url:?} 不可用:须为不含账号、参数的 http(s) 地址 / connector {name} has the address {url:?}; it must be http(s) without user, query and fragment"
    )]
    Address {
        /// The connector.
        name: String,
        /// Its address.
        url: String,
    },
    /// The HTTP client cannot be set up.
    #[error("无法建立 HTTP 客户端 / the HTTP client cannot be set up")]
    Http(#[source] reqwest::Error),
}

impl ClientError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "CONNECTOR_ADDRESS",
            Self::Http(_) => "CONNECTOR_HTTP",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Address { .. } => ErrorClass::Invalid,
            Self::Http(_) => ErrorClass::Permanent,
        }
    }
}

/// Speaks CXP/1 with one agency.
pub struct CxpConnector {
    name: String,
    invoke_url: Url,
    query_url: Url,
    sides: Sides,
    clock: Arc<dyn WireClock>,
    http: reqwest::Client,
}

impl CxpConnector {
    /// Builds the connector; nothing is sent yet.
    pub fn new(options: CxpOptions) -> Result<Self, ClientError> {
        let CxpOptions { name, base_url, from, to, contract, proof: Proof::Unsigned, clock } =
            options;
        let endpoint = |path: &str| {
            endpoint(&base_url, path)
                .ok_or_else(|| ClientError::Address { name: name.clone(), url: base_url.clone() })
        };
        Ok(Self {
            invoke_url: endpoint("cxp/1/invoke")?,
            query_url: endpoint("cxp/1/query")?,
            name,
            sides: Sides { from, to, contract },
            clock,
            http: http_client()?,
        })
    }

    async fn send_invoke(&self, call: &Call, context: &CallContext) -> Result<Invoked, Fault> {
        let rendered = render_invoke(call, &self.sides);
        let sent = Sent {
            call: call.id,
            digest: rendered.digest,
            input_digest: rendered.input_digest,
            sides: &self.sides,
        };
        let answer = self.post(&self.invoke_url, rendered.body, context).await;
        let answer = answer.map_err(Trouble::into_invoke_fault)?;
        match read_invoke(&answer, &sent)? {
            InvokeAnswer::Reply(reply) => Ok(Invoked::Replied(reply)),
            InvokeAnswer::Adopt => match self.send_query(call, context).await? {
                Queried::Known(reply) => Ok(Invoked::Replied(reply)),
                Queried::UnknownFenced | Queried::Forgotten => Err(unknown("stored_reply_missing")),
            },
        }
    }

    async fn send_query(&self, call: &Call, context: &CallContext) -> Result<Queried, Fault> {
        let rendered = render_invoke(call, &self.sides);
        let sent = Sent {
            call: call.id,
            // Its answer is about the bytes that left, whatever would leave now.
            digest: call.body.map_or(rendered.digest, |left| left.digest),
            input_digest: rendered.input_digest,
            sides: &self.sides,
        };
        let body = render_query(call.id, context.after_seq, &self.sides);
        let answer = self.post(&self.query_url, body, context).await;
        read_query(&answer.map_err(Trouble::into_query_fault)?, &sent)
    }

    async fn post(
        &self,
        url: &Url,
        body: Vec<u8>,
        context: &CallContext,
    ) -> Result<Answer, Trouble> {
        let left = time_left(context.deadline, self.clock.now()).ok_or(Trouble::NotSent)?;
        let exchange = exchange(&self.http, url, body, context.attempt);
        let answer = tokio::select! {
            biased;
            answer = exchange => answer,
            () = self.clock.wait_millis(left) => Err(Trouble::TimedOut),
        };
        if let Err(trouble) = &answer {
            tracing::debug!(
                connector.name = %self.name,
                error.code = trouble.code(),
                "an agency gave no answer"
            );
        }
        answer
    }
}

impl Connector for CxpConnector {
    fn body_of(&self, call: &Call, encoding: Option<u16>) -> Option<BodyDigest> {
        let known = encoding.is_none_or(|encoding| encoding == ENCODING);
        known.then(|| BodyDigest {
            encoding: ENCODING,
            digest: render_invoke(call, &self.sides).digest,
        })
    }

    /// Dropping the future leaves the outcome unknown: the call may have arrived.
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        context: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(self.send_invoke(call, context))
    }

    /// Dropping the future is harmless, except that the agency may have fenced the id.
    fn query<'a>(
        &'a self,
        call: &'a Call,
        context: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(self.send_query(call, context))
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trouble {
    /// No time was left before sending.
    NotSent,
    /// No connection, hence nothing sent.
    Unreachable,
    /// Sent perhaps, and no answer in time.
    TimedOut,
    /// Sent perhaps, and the connection broke.
    Broken,
    /// The answer is longer than any message may be.
    TooLarge,
}

impl Trouble {
    fn code(self) -> &'static str {
        match self {
            Self::NotSent => "no_time_left",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Broken => "connection_broken",
            Self::TooLarge => "reply_too_large",
        }
    }

    fn into_invoke_fault(self) -> Fault {
        match self {
            Self::NotSent | Self::Unreachable => Fault {
                class: FaultClass::Unavailable,
                effect: Effect::None,
                code: self.code().to_owned(),
                retry_after: None,
                text: "对方系统暂不可用 / the agency's system is unavailable".to_owned(),
            },
            Self::TimedOut | Self::Broken | Self::TooLarge => unknown(self.code()),
        }
    }

    /// A question that did not get through says nothing about the call it was about.
    fn into_query_fault(self) -> Fault {
        Fault { effect: Effect::Unknown, ..self.into_invoke_fault() }
    }
}

fn time_left(deadline: Moment, now: Moment) -> Option<u64> {
    u64::try_from(deadline.since(now)).ok().filter(|left| *left > 0)
}

async fn exchange(
    http: &reqwest::Client,
    url: &Url,
    body: Vec<u8>,
    attempt: u32,
) -> Result<Answer, Trouble> {
    let request = http
        .post(url.clone())
        .header("content-type", "application/json")
        .header("cxp-attempt", attempt.to_string())
        .body(body);
    let mut response = request.send().await.map_err(|error| {
        if error.is_connect() || error.is_builder() {
            Trouble::Unreachable
        } else {
            Trouble::Broken
        }
    })?;
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .map(|seconds| seconds.saturating_mul(1_000));
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Trouble::Broken)? {
        if bytes.len() + chunk.len() > limits::MESSAGE_BYTES_MAX {
            return Err(Trouble::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Answer { status, retry_after, bytes })
}

/// Returns the address of an endpoint below `base`, if `base` is a plain http(s) address.
pub(crate) fn endpoint(base: &str, path: &str) -> Option<Url> {
    let url = Url::parse(&format!("{}/{path}", base.trim_end_matches('/'))).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

/// Builds an HTTP client that does exactly what it is told: no redirects, no retries, no proxy.
///
/// # Errors
/// [`ClientError::Http`] when the machine has no trusted roots, or no memory.
pub fn http_client() -> Result<reqwest::Client, ClientError> {
    http_builder().build().map_err(ClientError::Http)
}

/// Begins such a client, for whoever has one thing more to say.
pub(crate) fn http_builder() -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let installed = rustls::crypto::ring::default_provider().install_default();
        if installed.is_err() {
            tracing::debug!("a cryptography provider is installed already");
        }
    });
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(Duration::from_millis(limits::CONNECT_MILLIS_MAX))
        .pool_max_idle_per_host(limits::IDLE_CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;
    use crate::sandbox::fixture::{self, StillClock};

    #[test]
    fn only_plain_addresses_are_taken() {
        let good = endpoint("http://127.0.0.1:7101/", "cxp/1/invoke").unwrap();
        assert_eq!(good.as_str(), "http://127.0.0.1:7101/cxp/1/invoke");
        for base in [
            "127.0.0.1:7101",
            "ftp://agency.example",
            "http://user@agency.example",
            "http://agency.example?x=1",
            "file:///tmp",
        ] {
            assert_eq!(endpoint(base, "cxp/1/invoke"), None, "{base}");
        }
    }

    /// Asks a server that gives this answer to everything.
    async fn ask(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Fault {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(move || std::future::ready(answer.clone()));
        let mut servers = JoinSet::new();
        servers.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let connector = fixture::connector(&url, &StillClock::new());
        let (call, context) = (fixture::call(1), fixture::context());
        connector.invoke(&call, &context).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_reply_without_end_is_cut_off() {
        let fault = ask(" ".repeat(limits::MESSAGE_BYTES_MAX + 1)).await;
        assert_eq!(fault.code, "reply_too_large");
        assert_eq!(fault.class, FaultClass::Unknown);
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let fault = ask((StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")])).await;
        assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Unknown, "not_cxp"));
    }

    #[test]
    fn no_time_is_left_at_the_deadline() {
        let at = Moment::from_millis(1_000);
        assert_eq!(time_left(at, at), None);
        assert_eq!(time_left(at.plus_millis(5), at), Some(5));
    }
}
