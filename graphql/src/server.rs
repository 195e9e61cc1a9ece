//! The server: one listener, the GraphQL transports, and whatever routes the program adds.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tongban_core::port::WireClock;
use tongban_engine::Engine;

use crate::auth::{Authority, Trust};
use crate::gate::BODY_BYTES_MAX;
use crate::schema;
use crate::transport::{Front, document, http, upload, websocket};

/// Milliseconds that open requests and sockets have to end once the server stops.
const GRACE_MILLIS: u64 = 10_000;

/// What a server needs beside its engine.
pub struct Options {
    authority: Authority,
    routes: Router,
}

impl Options {
    /// Builds options for a server that believes `authority`.
    pub fn new(authority: Authority) -> Self {
        Self { authority, routes: Router::new() }
    }

    /// Adds routes, such as those on which agencies call back. They check their callers
    /// themselves, and their bodies are theirs to limit.
    #[must_use]
    pub fn with_routes(self, routes: Router) -> Self {
        Self { routes: self.routes.merge(routes), ..self }
    }
}

/// A server that cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A development identity on an address that others can reach.
    #[error(
        "开发身份只能监听本机回环地址,而不是 {0} / a development identity serves loopback addresses only, not {0}"
    )]
    NotLoopback(std::net::SocketAddr),
    /// The listener failed.
    #[error("HTTP 服务中断 / the HTTP service broke off")]
    Listener(#[source] std::io::Error),
}

impl ServeError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLoopback(_) => "DEV_NOT_LOOPBACK",
            Self::Listener(_) => "LISTENER_FAILED",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> tongban_core::error::ErrorClass {
        match self {
            Self::NotLoopback(_) => tongban_core::error::ErrorClass::Invalid,
            Self::Listener(_) => tongban_core::error::ErrorClass::Permanent,
        }
    }
}

/// Serves `engine` on `listener` until `shutdown` resolves, then lets open requests end and
/// closes sockets with 1001. The engine itself goes on; stopping it is the caller's next step.
///
/// # Errors
/// [`ServeError::NotLoopback`] before anything is served; [`ServeError::Listener`] when the
/// listener fails.
pub async fn serve(
    engine: Engine,
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    if options.authority.trust() == Trust::Development && !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let clock = Arc::clone(options.authority.clock());
    let front = Arc::new(Front {
        api: schema::over(engine.clone()),
        engine,
        authority: options.authority,
        stop: watch::Sender::new(false),
    });
    let router = routes(Arc::clone(&front)).merge(options.routes);
    let stopping = Arc::clone(&front);
    let graceful = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        stopping.stop.send_replace(true);
    });
    let served = tokio::select! {
        served = graceful => served.map_err(ServeError::Listener),
        () = patience(&front, clock.as_ref()) => Ok(()),
    };
    tokio::select! {
        () = front.stop.closed() => {}
        () = clock.wait_millis(GRACE_MILLIS) => {}
    }
    served
}

/// Returns once the server has been stopping for long enough.
async fn patience(front: &Front, clock: &dyn WireClock) {
    let mut stops = front.stop.subscribe();
    // The sender lives in `front`, so the wait cannot fail.
    drop(stops.wait_for(|stops| *stops).await);
    drop(stops);
    clock.wait_millis(GRACE_MILLIS).await;
}

fn routes(front: Arc<Front>) -> Router {
    let graphql = get(http::get).post(http::post).fallback(http::other_method);
    Router::new()
        .route("/graphql", graphql)
        .route("/graphql/ws", any(websocket::upgrade))
        .route("/upload", post(upload::post).fallback(upload::not_post))
        .route("/blob/{case}/{digest}", get(upload::get).fallback(upload::not_get))
        .route("/document/{case}/{number}", get(document::get).fallback(upload::not_get))
        .route("/health", get(health))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(front)
}

/// Tells that the process answers. It tells nothing else: anyone may ask.
async fn health() -> axum::Json<serde_json::Value> {
    axum::Json(serde_json::json!({ "status": "ok" }))
}
