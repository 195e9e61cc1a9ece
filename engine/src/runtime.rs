//! The async shell around core's turn.
//!
//! ```text
//!   callers, inbox ──► Desk (one turn per case) ──► script threads ──► Store::append
//!        ▲                ▲                           pure turn            │ fsync
//!        │                │                                                ▼
//!        └── answers ─────┼──────────────────────────────── CommittedTurn: revision, effects
//!                         │                                                │
//!                         └── replies ◄── carriers (one per call, notice) ◄┘
//!                              timers ──┘   permits, back-off, fence
//! ```
//!
//! Cases live in the store; the desk only keeps the ones at hand. Everything that waits ends when
//! the engine stops, and leaves in the outbox what was under way.

pub(crate) mod aside;
pub(crate) mod desk;
pub(crate) mod effects;
pub(crate) mod guide;
pub(crate) mod issue;
pub(crate) mod offer;
mod owed;
pub(crate) mod parked;
mod reproject;
mod sweep;
pub(crate) mod tasks;
mod timers;
mod turn;
pub(crate) mod worker;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tongban_core::agency::{Ack, AgencyReply, BodyDigest, Call};
use tongban_core::case::Case;
use tongban_core::command::Command;
use tongban_core::definition::Closure;
use tongban_core::digest::{Digest, Secret};
use tongban_core::id::{CallId, CaseId, CommitNo, RegionCode, ServiceCode};
use tongban_core::limits;
use tongban_core::port::{
    Connector, Foreign, IdempotencyRecord, Inbox, InboxError, Later, LawfulClock, Script, Store,
    StoreIdentity, WireClock, Wiring,
};
use tongban_core::time::{Moment, Period};

use crate::blob::Blobs;
use crate::builder::Publishing;
use crate::error::EngineError;
use crate::standing::{InForce, Standing};
use desk::{Desk, Told, Waiting};
use effects::Carried;
use offer::Offer;
use tasks::Tasks;

/// Tells every waiting task that the engine stops.
pub(crate) struct Stopping(watch::Sender<bool>);

impl Stopping {
    /// Waits until the engine stops.
    pub(crate) async fn cancelled(&self) {
        let mut stopped = self.0.subscribe();
        // The sender lives as long as the runtime; an error means that it is gone, too.
        let _stopped = stopped.wait_for(|stopped| *stopped).await;
    }
}

/// Everything the engine runs with.
pub(crate) struct Runtime {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scripts: Arc<dyn Script>,
    pub(crate) wiring: Arc<dyn Wiring>,
    pub(crate) connectors: BTreeMap<String, Arc<dyn Connector>>,
    pub(crate) lawful: Arc<dyn LawfulClock>,
    pub(crate) wire: Arc<dyn WireClock>,
    pub(crate) standing: InForce,
    pub(crate) offer: Offer,
    pub(crate) identity: StoreIdentity,
    pub(crate) tasks: Tasks,
    pub(crate) desk: Desk,
    pub(crate) carried: Carried,
    owed: owed::Owed,
    /// Cases that came from other stores.
    foreign: OnceLock<BTreeMap<CaseId, Foreign>>,
    /// Messages about calls that a restored store does not know.
    pub(crate) parked: parked::Parked,
    pub(crate) issued: issue::Issued,
    pub(crate) issuer: Option<issue::Issuer>,
    /// Where files of cases are kept, if anywhere.
    pub(crate) blobs: Option<Blobs>,
    pub(crate) timers: Notify,
    /// Told when calendars were replaced.
    pub(crate) calendars_changed: Notify,
    /// Milliseconds for which callers and agencies may deliver what waited while the engine was
    /// down, before anything that is overdue fires.
    pub(crate) drain_millis: u64,
    pub(crate) stopping: Stopping,
    revision: watch::Sender<CommitNo>,
    /// Who watches single cases; senders without receivers are dropped as they are met.
    watchers: Mutex<HashMap<CaseId, watch::Sender<CommitNo>>>,
    permits: BTreeMap<String, Arc<Semaphore>>,
    ids: AtomicU64,
    /// Turns that panicked: each is a bug.
    panicked: AtomicU64,
    /// Closures that the store is known to keep.
    kept: Mutex<std::collections::BTreeSet<Digest>>,
}

/// What a runtime is built from.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scripts: Arc<dyn Script>,
    pub(crate) wiring: Arc<dyn Wiring>,
    pub(crate) connectors: BTreeMap<String, Arc<dyn Connector>>,
    pub(crate) lawful: Arc<dyn LawfulClock>,
    pub(crate) wire: Arc<dyn WireClock>,
    pub(crate) standing: Standing,
    pub(crate) issuer: Option<issue::Issuer>,
    pub(crate) blobs: Option<Blobs>,
    pub(crate) cases_held_max: usize,
    pub(crate) drain_millis: u64,
    pub(crate) publishing: Publishing,
}

/// What is bound where, and what connectors would send.
impl Wiring for Runtime {
    fn connector_for(&self, operation: &str, region: &RegionCode) -> Option<String> {
        self.wiring.connector_for(operation, region)
    }

    fn reply_within(&self, operation: &str, region: &RegionCode) -> Option<Period> {
        self.wiring.reply_within(operation, region)
    }

    fn body_of(&self, connector: &str, call: &Call) -> Option<BodyDigest> {
        effects::body_of(self.connectors.get(connector)?.as_ref(), call, None)
    }
}

impl Runtime {
    /// Builds a runtime; nothing runs yet.
    pub(crate) fn new(parts: Parts, tasks: Tasks) -> Arc<Self> {
        let permits = parts.connectors.keys();
        let permits = permits
            .map(|name| (name.clone(), Arc::new(Semaphore::new(limits::CALLS_IN_FLIGHT_MAX))));
        Arc::new(Self {
            permits: permits.collect(),
            identity: parts.store.identity(),
            revision: watch::Sender::new(parts.store.revision()),
            offer: Offer::new(parts.publishing),
            desk: Desk::new(parts.cases_held_max),
            carried: Carried::default(),
            owed: owed::Owed::default(),
            foreign: OnceLock::new(),
            parked: parked::Parked::default(),
            issued: issue::Issued::default(),
            issuer: parts.issuer,
            blobs: parts.blobs,
            timers: Notify::new(),
            calendars_changed: Notify::new(),
            drain_millis: parts.drain_millis,
            stopping: Stopping(watch::Sender::new(false)),
            watchers: Mutex::default(),
            ids: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            kept: Mutex::default(),
            store: parts.store,
            scripts: parts.scripts,
            wiring: parts.wiring,
            connectors: parts.connectors,
            lawful: parts.lawful,
            wire: parts.wire,
            standing: InForce::new(parts.standing),
            tasks,
        })
    }

    /// Takes back the scripts of pinned cases and the calls that were under way, then starts the
    /// script threads and the timers.
    pub(crate) async fn start(self: &Arc<Self>, threads: usize) -> Result<(), crate::StartError> {
        for (digest, sources) in self.store.closures().await? {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
            if let Err(fault) = self.scripts.adopt(&digest, &sources) {
                tracing::error!(closure.digest = %digest, "stored scripts cannot be used: {fault}");
            }
        }
        let foreign = self.store.foreign().await?.into_iter();
        let foreign = foreign.map(|foreign| (foreign.case, foreign)).collect();
        assert!(self.foreign.set(foreign).is_ok(), "a runtime starts once");
        self.parked.fill(self.store.parked().await?);
        for record in self.store.publications().await? {
            self.offer.take_in(record)?;
        }
        for number in 0..threads {
            let own = Arc::clone(self);
            std::thread::Builder::new()
                .name(format!("script-{number}"))
                .stack_size(limits::RUN_STACK_BYTES)
                .spawn(move || worker::work(&own))
                .map_err(|error| crate::StartError::Thread(error.to_string()))?;
        }
        self.recover().await?;
        for background in [0, 1, 2, 3] {
            let own = Arc::clone(self);
            self.tasks.spawn(async move {
                let stopping = Arc::clone(&own);
                let work = async move {
                    match background {
                        0 => timers::run(own).await,
                        1 => reproject::run(own).await,
                        2 => sweep::run(own).await,
                        _ => timers::clean_up(own).await,
                    }
                };
                tokio::select! {
                    biased;
                    () = stopping.stopping.cancelled() => {}
                    () = work => {}
                }
            });
        }
        Ok(())
    }

    /// Wakes every case whose calls were under way when the store was last used.
    async fn recover(self: &Arc<Self>) -> Result<(), crate::StartError> {
        let mut after = None;
        loop {
            let page = self.store.outbox(after, limits::PAGE_MAX).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for case in page {
                // Loading it wakes it; the answer is of no interest. What the store cannot read
                // now is owed a turn, and woken until it is taken up.
                if let Err(error) = self.ask(case, Command::Wake, None).await {
                    tracing::error!(case.id = %case, error.code = error.code(), "a case cannot be taken up: {error}");
                }
            }
        }
    }

    /// Returns how many turns have panicked.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn panicked(&self) -> u64 {
        self.panicked.load(Ordering::Relaxed)
    }

    /// Tells everyone that a commit is on disk. Commits of other cases may be told out of order;
    /// the number only rises.
    pub(crate) fn publish(&self, case: CaseId, revision: CommitNo) {
        self.tell_watchers(case, revision);
        self.revision.send_if_modified(|known| {
            let newer = revision > *known;
            if newer {
                *known = revision;
            }
            newer
        });
    }

    fn tell_watchers(&self, case: CaseId, revision: CommitNo) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watcher) = watchers.get(&case) {
            if watcher.receiver_count() == 0 {
                watchers.remove(&case);
            } else {
                watcher.send_replace(revision);
            }
        }
    }

    /// Returns a receiver of the newest revision of one case.
    pub(crate) fn watch_case(&self, case: CaseId) -> watch::Receiver<CommitNo> {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if watchers.len().is_power_of_two() {
            watchers.retain(|_, watcher| watcher.receiver_count() > 0);
        }
        let new = || watch::Sender::new(self.store.revision());
        watchers.entry(case).or_insert_with(new).subscribe()
    }

    /// Returns a receiver of the newest revision.
    pub(crate) fn watch(&self) -> watch::Receiver<CommitNo> {
        self.revision.subscribe()
    }

    /// Returns the secret of one case.
    pub(crate) fn case_secret(&self, id: CaseId) -> Secret {
        match self.foreign(id) {
            Some(foreign) => Secret::new(foreign.secret.0),
            None => self.identity.secret.derive(b"case", &id.0),
        }
    }

    /// Returns what belongs to a case that came from another store.
    pub(crate) fn foreign(&self, id: CaseId) -> Option<&Foreign> {
        self.foreign.get()?.get(&id)
    }

    /// Makes the id of a new case: its time, and a keyed hash of epoch and counter.
    pub(crate) fn new_case_id(&self, now: Moment) -> CaseId {
        let count = self.ids.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.identity.epoch.0.to_be_bytes());
        bytes[8..16].copy_from_slice(&count.to_be_bytes());
        bytes[16..].copy_from_slice(&now.millis().to_be_bytes());
        let hash = self.identity.secret.keyed(b"case-id", &bytes);
        let mut random = [0; 10];
        random.copy_from_slice(&hash.0[..10]);
        CaseId::new(now, random)
    }

    /// Returns the closure for a new case of a service at a place.
    pub(crate) fn active(
        &self,
        service: &ServiceCode,
        region: &RegionCode,
    ) -> Result<Arc<Closure>, EngineError> {
        self.offer.closure(self.scripts.as_ref(), (service, region))
    }

    /// Makes sure that the store keeps a closure before a case is pinned to it.
    pub(crate) async fn keep_closure(&self, digest: Digest) -> Result<(), EngineError> {
        if self.kept.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
            return Ok(());
        }
        let sources = self
            .scripts
            .sources(&digest)
            .ok_or_else(|| EngineError::ClosureMissing(digest.to_string()))?;
        self.store.keep_closure(digest, sources).await?;
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        Ok(())
    }

    /// Puts a command before a case and waits for the answer, which comes after the commit.
    pub(crate) async fn ask(
        &self,
        case: CaseId,
        command: Command,
        record: Option<IdempotencyRecord>,
    ) -> Result<Told, EngineError> {
        let (reply, told) = oneshot::channel();
        self.desk.submit(case, Waiting { command, record, reply: Some(reply) })?;
        told.await.unwrap_or(Err(EngineError::Stopped))
    }

    /// Returns the committed state of a case.
    pub(crate) async fn snapshot(
        &self,
        id: CaseId,
    ) -> Result<Option<(Arc<Case>, CommitNo)>, EngineError> {
        if let Some(held) = self.desk.peek(id) {
            return Ok(Some(held));
        }
        let Some(stored) = self.store.load(id).await? else { return Ok(None) };
        let case = Case::from_entries(id, &stored.entries)?;
        Ok(Some((Arc::new(case), stored.revision)))
    }

    /// Finds the case of a call: call ids carry the creation time of their case. A call of
    /// another connector counts as unknown.
    pub(crate) async fn case_of_call(
        &self,
        call: CallId,
        connector: &str,
    ) -> Result<Option<CaseId>, EngineError> {
        for id in self.store.created_at(call.case_created_at()).await? {
            let Some((case, _)) = self.snapshot(id).await? else { continue };
            if case.calls.get(&call).is_some_and(|known| known.made.connector == connector) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Tells whether a call is still an obligation of its case.
    async fn is_call_open(&self, case: CaseId, call: CallId) -> bool {
        match self.snapshot(case).await {
            Ok(Some((case, _))) => case.calls.get(&call).is_some_and(|call| call.is_open()),
            Ok(None) => false,
            // Not known: asking once more does no harm.
            Err(_) => true,
        }
    }

    /// Returns the highest message about a call that is stored.
    async fn last_message(&self, case: CaseId, call: CallId) -> Option<u32> {
        let (case, _) = self.snapshot(case).await.ok()??;
        case.calls.get(&call)?.messages.last_key_value().map(|(seq, _)| *seq)
    }

    /// Waits for a permit of a connector.
    async fn permit(&self, connector: &str) -> Option<OwnedSemaphorePermit> {
        let permits = self.permits.get(connector).map(Arc::clone)?;
        permits.acquire_owned().await.ok()
    }

    /// Ends everything that waits. Turns that are queued are finished first.
    pub(crate) async fn stop(&self) {
        self.desk.close();
        self.desk.until_quiet().await;
        self.stopping.0.send_replace(true);
    }
}

/// The door for replies of agencies.
pub(crate) struct Door(pub(crate) Arc<Runtime>);

impl Inbox for Door {
    fn deliver(&self, connector: String, reply: AgencyReply) -> Later<'_, Result<Ack, InboxError>> {
        Box::pin(async move {
            effects::take_in(&self.0, connector, reply)
                .await
                .map_err(|error| InboxError(error.to_string()))
        })
    }
}
