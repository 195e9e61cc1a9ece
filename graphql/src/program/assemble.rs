//! Where everything is wired: store, scripts, connectors and clocks become one engine.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tongban_connectors::{
    Bindings, CallbackOptions, CallbackParty, Contract, CxpConnector, CxpOptions, ManualConnector,
    ManualOffice, Party, Proof,
};
use tongban_core::document::Seal;
use tongban_core::port::{Connector, Store, WireClock as _};
use tongban_engine::blob::Blobs;
use tongban_engine::clock::{RealLawfulClock, SystemClock};
use tongban_engine::standing::Standing;
use tongban_engine::store::SledStore;
use tongban_engine::{Engine, Publishing};
use tongban_scripts::Host;

use super::check;
use super::config::{self, Config};
use super::error::{Both, ProgramError};

/// Version of the contracts that agencies are spoken to under.
const CONTRACT_VERSION: &str = "1.0.0";

/// The connectors, which of them carries what, and who may call back.
pub(crate) struct Wires {
    /// Which connector carries which operation.
    pub(crate) bindings: Bindings,
    /// The connectors by name.
    pub(crate) connectors: Vec<(String, Arc<dyn Connector>)>,
    /// Who may deliver replies.
    pub(crate) callbacks: CallbackOptions,
}

/// The time that an engine lives in.
pub(crate) enum Time {
    /// Real time.
    Real,
    /// Lawful time that can be moved.
    Movable(Arc<RealLawfulClock>),
}

/// Where files of cases are kept, and who seals the notices among them.
pub(crate) struct Papers {
    /// The files.
    pub(crate) blobs: Blobs,
    /// The seal service; without one notices stay drafts.
    pub(crate) seal: Option<Arc<dyn Seal>>,
}

/// Loads scripts: those of a folder, or the shipped ones.
pub(crate) fn scripts(folder: Option<&Path>) -> Result<Host, ProgramError> {
    let host = match folder {
        Some(folder) => Host::open(folder),
        None => Host::shipped(),
    };
    let host =
        host.map_err(|error| check::refused(folder.unwrap_or_else(|| Path::new("-")), &error))?;
    let clock = || u64::try_from(SystemClock.now().millis()).unwrap_or_default();
    Ok(host.with_guard(Arc::new(clock)))
}

/// Builds a connector to an agency that speaks CXP/1.
pub(crate) fn agency(
    name: &str,
    base_url: &str,
    sides: (Party, Party),
    contract: &str,
) -> Result<Arc<dyn Connector>, ProgramError> {
    let (from, to) = sides;
    let options = CxpOptions {
        name: name.to_owned(),
        base_url: base_url.to_owned(),
        from,
        to,
        contract: Contract { id: contract.to_owned(), version: CONTRACT_VERSION.to_owned() },
        proof: Proof::Unsigned,
        clock: Arc::new(SystemClock),
    };
    let connector = CxpConnector::new(options).map_err(|error| wrong(name, Both::of(&error)))?;
    Ok(Arc::new(connector))
}

/// Builds the connector of an office without a system.
pub(crate) fn office(role: &str, title: &str) -> Arc<dyn Connector> {
    let title = if title.is_empty() { "人工办理" } else { title };
    Arc::new(ManualConnector::new(ManualOffice { role: role.to_owned(), title: title.to_owned() }))
}

impl Wires {
    /// Builds what a configuration file says.
    pub(crate) fn configured(config: &Config) -> Result<Self, ProgramError> {
        let own = config.party.as_deref().map(party).transpose()?;
        let mut wires = Self {
            bindings: Bindings::new(config.bindings.clone())
                .map_err(|error| wrong("bindings", Both::of(&error)))?,
            connectors: Vec::new(),
            callbacks: CallbackOptions {
                own: own.clone().unwrap_or_else(|| Party::new("000000", "tongban")),
                proof: Proof::Unsigned,
                parties: Vec::new(),
            },
        };
        for (name, connector) in &config.connectors {
            wires.add(name, connector, own.as_ref())?;
        }
        let defined: BTreeSet<&str> = config.connectors.keys().map(String::as_str).collect();
        let checked = wires.bindings.check_connectors(&defined);
        checked.map_err(|error| wrong("bindings", Both::of(&error)))?;
        Ok(wires)
    }

    fn add(
        &mut self,
        name: &str,
        connector: &config::Connector,
        own: Option<&Party>,
    ) -> Result<(), ProgramError> {
        let built = match connector {
            config::Connector::Manual(form) => office(&form.role, &form.title),
            config::Connector::Cxp(form) => {
                let config::Trust::Unsigned = form.trust;
                let own = own.ok_or_else(|| {
                    let zh = "连接部门系统时须写明本方名称 party,如 \"420300/engine\"";
                    let en = "agencies must know who calls: give party, such as \"420300/engine\"";
                    wrong(name, Both::new(zh, en))
                })?;
                let to = party(&form.party)?;
                let contract = form.contract.as_deref().unwrap_or(&to.system);
                self.callbacks
                    .parties
                    .push(CallbackParty { party: to.clone(), connector: name.to_owned() });
                agency(name, &form.base_url, (own.clone(), to.clone()), contract)?
            }
        };
        self.connectors.push((name.to_owned(), built));
        Ok(())
    }
}

/// Starts an engine. Must be called inside a tokio runtime.
pub(crate) async fn engine(
    store: Arc<SledStore>,
    papers: Papers,
    host: impl Into<Arc<Host>>,
    wires: &Wires,
    (time, standing, publishing): (Time, Standing, Publishing),
) -> Result<Engine, ProgramError> {
    let store: Arc<dyn Store> = store;
    let mut builder = Engine::builder()
        .store(store)
        .standing(standing)
        .publishing(publishing)
        .blobs(papers.blobs)
        .scripts(host.into())
        .wiring(Arc::new(wires.bindings.clone()));
    if let Some(seal) = papers.seal {
        builder = builder.seal(seal);
    }
    for (name, connector) in &wires.connectors {
        builder = builder.connector(name, Arc::clone(connector));
    }
    builder = match time {
        Time::Real => builder,
        Time::Movable(clock) => builder.virtual_clock(clock),
    };
    builder.start().await.map_err(|error| ProgramError::Engine(Both::of(&error)))
}

fn party(text: &str) -> Result<Party, ProgramError> {
    match text.split_once('/') {
        Some((region, system)) if !region.is_empty() && !system.is_empty() => {
            Ok(Party::new(region, system))
        }
        Some(_) | None => Err(wrong(
            "party",
            Both::new(
                format!("{text:?} 应写作 行政区划/系统,如 \"420300/engine\""),
                format!("{text:?} must be region/system, such as \"420300/engine\""),
            ),
        )),
    }
}

/// Says that the configuration cannot be used, and where.
pub(crate) fn wrong(place: &str, what: Both) -> ProgramError {
    ProgramError::ConfigWrong { place: place.to_owned(), what, nearest: None }
}
