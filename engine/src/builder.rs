//! Building an engine: a store and a script host are required, by type.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_core::document::Seal;
use tongban_core::error::ErrorClass;
use tongban_core::id::RegionCode;
use tongban_core::port::{Connector, LawfulClock, Script, Store, StoreError, WireClock, Wiring};

use crate::blob::Blobs;
use crate::clock::{RealLawfulClock, SystemClock};
use crate::handle::Engine;
use crate::runtime::issue::Issuer;
use crate::runtime::tasks::Tasks;
use crate::runtime::{Parts, Runtime};
use crate::standing::Standing;

/// Settings of an engine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// Threads that run scripts. Since 0.1.
    pub script_threads: usize,
    /// Idle cases kept in memory; others are read again when needed. Since 0.1.
    pub cases_held_max: usize,
    /// Milliseconds of wire time after a start with something overdue, in which what waited
    /// outside may be delivered before anything fires. Since 0.1.
    pub drain_millis: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { script_threads: 2, cases_held_max: 2_000, drain_millis: 5_000 }
    }
}

/// On which version of its service a new case begins.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Publishing {
    /// On the one that the script host has loaded: whoever starts the program decides.
    #[default]
    AsLoaded,
    /// On the one that a second person activated or piloted there; on none before that.
    Approved,
}

/// An engine that could not be started.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store failed while the engine took up its work.
    #[error("引擎启动时读取存储失败 / the store failed while the engine started: {0}")]
    Store(#[from] StoreError),
    /// A script thread could not be started.
    #[error("无法启动脚本线程 / a script thread could not be started: {0}")]
    Thread(String),
    /// There is a seal service but no place for what it seals.
    #[error(
        "已配置签章服务,但没有文件存储来保存盖章后的文书 / a seal service is given, but no place for files to keep what it seals; give the builder blobs"
    )]
    NoPlaceForDocuments,
}

impl StartError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Thread(_) => "START_THREAD",
            Self::NoPlaceForDocuments => "NO_PLACE_FOR_DOCUMENTS",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Store(error) => error.class(),
            Self::Thread(_) => ErrorClass::Transient,
            Self::NoPlaceForDocuments => ErrorClass::Permanent,
        }
    }
}

/// Nothing has been given for a required part yet.
#[derive(Clone, Copy, Debug)]
pub struct Missing;

/// Binds nothing: every operation is an incident until wiring is given.
struct NoWiring;

impl Wiring for NoWiring {
    fn connector_for(&self, _operation: &str, _region: &RegionCode) -> Option<String> {
        None
    }
}

/// Which lawful clock the engine counts by.
#[derive(Clone)]
enum Lawful {
    /// The wire clock itself.
    Real,
    /// A given one.
    Given(Arc<dyn LawfulClock>),
    /// One that can be moved.
    Virtual(Arc<RealLawfulClock>),
}

/// Collects the parts of an engine.
#[must_use = "an engine runs only after start"]
pub struct EngineBuilder<S = Missing, H = Missing> {
    store: S,
    scripts: H,
    wiring: Arc<dyn Wiring>,
    connectors: BTreeMap<String, Arc<dyn Connector>>,
    lawful: Lawful,
    wire: Arc<dyn WireClock>,
    standing: Standing,
    blobs: Option<Blobs>,
    seal: Option<Arc<dyn Seal>>,
    options: Options,
    publishing: Publishing,
}

impl EngineBuilder {
    pub(crate) fn new() -> Self {
        Self {
            store: Missing,
            scripts: Missing,
            wiring: Arc::new(NoWiring),
            connectors: BTreeMap::new(),
            lawful: Lawful::Real,
            wire: Arc::new(SystemClock),
            standing: Standing::default(),
            blobs: None,
            seal: None,
            options: Options::default(),
            publishing: Publishing::default(),
        }
    }
}

impl<S, H> EngineBuilder<S, H> {
    /// Sets where cases are kept.
    pub fn store(self, store: Arc<dyn Store>) -> EngineBuilder<Arc<dyn Store>, H> {
        EngineBuilder {
            store,
            scripts: self.scripts,
            wiring: self.wiring,
            connectors: self.connectors,
            lawful: self.lawful,
            wire: self.wire,
            standing: self.standing,
            blobs: self.blobs,
            seal: self.seal,
            options: self.options,
            publishing: self.publishing,
        }
    }

    /// Sets the script host.
    pub fn scripts(self, scripts: Arc<dyn Script>) -> EngineBuilder<S, Arc<dyn Script>> {
        EngineBuilder {
            store: self.store,
            scripts,
            wiring: self.wiring,
            connectors: self.connectors,
            lawful: self.lawful,
            wire: self.wire,
            standing: self.standing,
            blobs: self.blobs,
            seal: self.seal,
            options: self.options,
            publishing: self.publishing,
        }
    }

    /// Sets which connector carries which operation.
    pub fn wiring(mut self, wiring: Arc<dyn Wiring>) -> Self {
        self.wiring = wiring;
        self
    }

    /// Adds a connector under the name that the wiring uses.
    pub fn connector(mut self, name: &str, connector: Arc<dyn Connector>) -> Self {
        self.connectors.insert(name.to_owned(), connector);
        self
    }

    /// Sets the clock that the law counts by; without it lawful time is real time.
    pub fn lawful_clock(mut self, clock: Arc<dyn LawfulClock>) -> Self {
        self.lawful = Lawful::Given(clock);
        self
    }

    /// Sets a lawful clock that [`Engine::advance_clock`] can move.
    pub fn virtual_clock(mut self, clock: Arc<RealLawfulClock>) -> Self {
        self.lawful = Lawful::Virtual(clock);
        self
    }

    /// Sets the clock of tokens, deadlines and back-off.
    pub fn wire_clock(mut self, clock: Arc<dyn WireClock>) -> Self {
        self.wire = clock;
        self
    }

    /// Sets calendars and organisation; without them the national calendar and the card rules
    /// that ship with the engine are used, and nobody stands in for anybody.
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }

    /// Sets where files of cases are kept; without it the engine takes none. What no log names
    /// is swept from there once it is older than
    /// [`FILE_GRACE_MILLIS`](tongban_core::limits::FILE_GRACE_MILLIS), so that only this
    /// engine's store may keep its files there.
    pub fn blobs(mut self, blobs: Blobs) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// Sets who seals notices; without it, or where no office is known, they stay drafts, and the
    /// offices issue their papers elsewhere. What is sealed is kept among the files, so a place
    /// for them is needed too.
    pub fn seal(mut self, seal: Arc<dyn Seal>) -> Self {
        self.seal = Some(seal);
        self
    }

    /// Sets on which version of its service a new case begins; without it, on what the script host
    /// has loaded.
    pub fn publishing(mut self, publishing: Publishing) -> Self {
        self.publishing = publishing;
        self
    }

    /// Sets the options.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }
}

impl EngineBuilder<Arc<dyn Store>, Arc<dyn Script>> {
    /// Starts the engine: takes up pinned scripts, calls under way and timers of the store. Must
    /// be called inside a tokio runtime.
    pub async fn start(self) -> Result<Engine, StartError> {
        let threads = self.options.script_threads.max(1);
        let engine = self.assemble(Tasks::Tokio(tokio::runtime::Handle::current()))?;
        engine.runtime().start(threads).await?;
        Ok(engine)
    }

    /// Puts an engine together; nothing runs yet.
    pub(crate) fn assemble(self, tasks: Tasks) -> Result<Engine, StartError> {
        let (lawful, movable): (Arc<dyn LawfulClock>, _) = match self.lawful {
            Lawful::Real => (Arc::new(RealLawfulClock::new(Arc::clone(&self.wire), 0)), None),
            Lawful::Given(clock) => (clock, None),
            Lawful::Virtual(clock) => (Arc::clone(&clock) as Arc<dyn LawfulClock>, Some(clock)),
        };
        let issuer = match (self.seal, &self.blobs) {
            (None, _) => None,
            (Some(seal), Some(blobs)) => Some(Issuer { seal, blobs: blobs.clone() }),
            (Some(_), None) => return Err(StartError::NoPlaceForDocuments),
        };
        let parts = Parts {
            store: self.store,
            scripts: self.scripts,
            wiring: self.wiring,
            connectors: self.connectors,
            lawful,
            wire: self.wire,
            standing: self.standing,
            issuer,
            blobs: self.blobs,
            cases_held_max: self.options.cases_held_max,
            drain_millis: self.options.drain_millis,
            publishing: self.publishing,
        };
        let runtime = Runtime::new(parts, tasks);
        Ok(Engine::new(runtime, movable))
    }
}
