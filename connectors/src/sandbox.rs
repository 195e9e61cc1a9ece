//! Sandbox agencies: real HTTP servers that play a department's system.
//!
//! They keep the contract's promises (the first insert wins, the same id gets the same bytes, a
//! query fences, messages are delivered until acknowledged) and break them only where a rule of
//! their [`Behaviour`] says so. Time is given in: legal times by the lawful clock, waits by the
//! wire clock. The [`Ledger`] is what tests read. Begin with [`SandboxAgency::start`].

mod agency;
mod author;
pub mod behaviour;
pub mod catalogue;
mod delivery;
#[cfg(test)]
pub(crate) mod fixture;
pub mod ledger;
mod seal;
#[cfg(test)]
mod tests;

pub use behaviour::Behaviour;
pub use catalogue::{Catalogue, CatalogueError};
pub use ledger::{Ledger, LedgerEvent};
pub use seal::{SandboxSeal, SealBehaviour};

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tongban_core::error::ErrorClass;
use tongban_core::port::{LawfulClock, WireClock};

use crate::cxp::{ClientError, Party, Proof, http_client};
use crate::limits;
use agency::{Agency, Delivery};
use author::Author;

/// What a sandbox agency is made of.
#[derive(Clone)]
pub struct SandboxOptions {
    /// Who it is.
    pub party: Party,
    /// What it can do.
    pub operations: Catalogue,
    /// Where the engine takes callbacks, such as `http://127.0.0.1:8080/cxp/1/callback`; may be
    /// told later by [`SandboxAgency::call_back_to`].
    pub callback_url: Option<String>,
    /// How it behaves.
    pub behaviour: Behaviour,
    /// How messages are proven.
    pub proof: Proof,
    /// Its books; new, or those of a former server.
    pub ledger: Arc<Ledger>,
    /// The clock of waits and deadlines.
    pub clock: Arc<dyn WireClock>,
    /// The clock of legal times.
    pub lawful: Arc<dyn LawfulClock>,
}

/// A sandbox agency that does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// No port.
    #[error("模拟部门 {party} 无法监听端口 / sandbox agency {party} cannot listen")]
    Listen {
        /// Which agency.
        party: Party,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The callback address is none.
    #[error(
        "模拟部门 {party} 的回调地址 {url:?} 不正确 / sandbox agency {party} has a bad callback address {url:?}"
    )]
    CallbackUrl {
        /// Which agency.
        party: Party,
        /// The address.
        url: String,
    },
    /// No HTTP client for callbacks.
    #[error("模拟部门无法建立 HTTP 客户端 / a sandbox agency has no HTTP client")]
    Client(#[from] ClientError),
}

impl SandboxError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "SANDBOX_LISTEN",
            Self::CallbackUrl { .. } => "SANDBOX_CALLBACK_URL",
            Self::Client(_) => "SANDBOX_CLIENT",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Listen { .. } | Self::Client(_) => ErrorClass::Permanent,
            Self::CallbackUrl { .. } => ErrorClass::Invalid,
        }
    }
}

/// Whether an agency answers at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Availability {
    /// It works.
    Up,
    /// Its gateway answers 503 to calls and queries.
    Down,
}

/// A running sandbox agency. Dropping it stops it at once.
pub struct SandboxAgency {
    agency: Arc<Agency>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    /// Holds the owner task, and so everything below it.
    owner: JoinSet<()>,
}

impl SandboxAgency {
    /// Starts an agency on a free port of 127.0.0.1.
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        let callback = parse_callback(&options.party, options.callback_url.as_deref())?;
        let listen = |source| SandboxError::Listen { party: options.party.clone(), source };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (deliveries, queue) = mpsc::channel(limits::DELIVERIES_QUEUED_MAX);
        let agency = Arc::new(Agency {
            author: Author {
                party: options.party.clone(),
                catalogue: options.operations,
                seed: options.behaviour.seed,
                lawful: options.lawful,
            },
            behaviour: options.behaviour,
            clock: options.clock,
            ledger: options.ledger,
            http: http_client()?,
            proof: options.proof,
            callback_url: watch::Sender::new(callback),
            deliveries,
            down: AtomicBool::new(false),
        });
        let stop = watch::Sender::new(false);
        let mut owner = JoinSet::new();
        owner.spawn(own(Arc::clone(&agency), listener, queue, stop.subscribe()));
        Ok(Self { agency, address, stop, owner })
    }

    /// Returns its address, without `/cxp/1`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns who it is.
    pub fn party(&self) -> &Party {
        &self.agency.author.party
    }

    /// Returns its books.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.agency.ledger
    }

    /// Tells it where the engine takes callbacks. Messages that wait are sent there.
    pub fn call_back_to(&self, url: &str) -> Result<(), SandboxError> {
        let callback = parse_callback(self.party(), Some(url))?;
        self.agency.callback_url.send_replace(callback);
        Ok(())
    }

    /// Makes it answer, or not.
    pub fn set_availability(&self, availability: Availability) {
        let down = availability == Availability::Down;
        self.agency.down.store(down, Ordering::Relaxed);
    }

    /// Stops it: no new connections, deliveries end where they are, the books stay.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.owner.join_next().await.is_some() {}
    }
}

fn parse_callback(party: &Party, url: Option<&str>) -> Result<Option<reqwest::Url>, SandboxError> {
    let Some(url) = url else {
        return Ok(None);
    };
    let error = || SandboxError::CallbackUrl { party: party.clone(), url: url.to_owned() };
    let parsed = reqwest::Url::parse(url).map_err(|_| error())?;
    match parsed.scheme() {
        "http" | "https" => Ok(Some(parsed)),
        _ => Err(error()),
    }
}

/// The owner task: serves, carries out deliveries, and ends both on `stop`.
///
/// ```text
/// own ─┬─ axum::serve (a task per connection, ended by its own graceful shutdown)
///      └─ one task per call that owes messages
/// ```
async fn own(
    agency: Arc<Agency>,
    listener: TcpListener,
    mut queue: mpsc::Receiver<Delivery>,
    mut stop: watch::Receiver<bool>,
) {
    let mut tasks = JoinSet::new();
    let mut serving = stop.clone();
    let routes = agency::router(Arc::clone(&agency));
    let served = axum::serve(listener, routes).with_graceful_shutdown(async move {
        stopped(&mut serving).await;
    });
    tasks.spawn(async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "a sandbox agency stopped serving");
        }
    });
    for call in agency.ledger.left_behind() {
        tasks.spawn(carry_out(Arc::clone(&agency), Delivery { call, over: None }));
    }
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(delivery) = queue.recv() => {
                tasks.spawn(carry_out(Arc::clone(&agency), delivery));
            }
            Some(_) = tasks.join_next() => {}
        }
    }
    tasks.shutdown().await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the agency was dropped, which is a stop as well.
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("a sandbox agency was dropped");
    }
}

async fn carry_out(agency: Arc<Agency>, delivery: Delivery) {
    delivery::deliver(agency, delivery.call).await;
    if let Some(over) = delivery.over {
        // The caller may have hung up; nobody else listens.
        over.send(()).unwrap_or_default();
    }
}
