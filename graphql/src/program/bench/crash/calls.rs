//! Agencies that outlive the kills, and what became of the calls that were made of them.
//!
//! One sandbox agency over real HTTP plays every department that has a system. It takes a few
//! milliseconds for each answer, so that kills fall into calls that are under way, and its books
//! say which calls took effect. Those are held against the journals in the folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_connectors::{
    Behaviour, Binding, Bindings, CallbackOptions, CallbackParty, Catalogue, Ledger, Party, Proof,
    SandboxAgency, SandboxOptions,
};
use tongban_core::case::{CallState, CallStatus, Case};
use tongban_core::id::{CallId, CaseId, RegionCode};
use tongban_core::port::{Store as _, Upkeep as _};
use tongban_engine::clock::{RealLawfulClock, SystemClock};
use tongban_engine::store::SledStore;

use crate::program::assemble::{self, Wires};
use crate::program::error::{Both, ProgramError};

const OPERATIONS: &str = include_str!("../../../../../scripts/operations.json");
const CITY: &str = "420300";
/// Who plays the departments.
const AGENCIES: &str = "agencies";
/// The office that has no system, and who does its work.
const OFFICE: &str = "urban-management";
const OFFICE_ROLE: &str = "urban-management.clerk";
/// Milliseconds before each answer, and of work before each later message.
const LATENCY_MILLIS: u64 = 10;
const WORK_MILLIS: u64 = 15;
/// Cases that are read at a time.
const PAGE: usize = 500;

/// Departments that go on while the engine dies.
pub(super) struct Agencies {
    running: SandboxAgency,
}

/// Calls that were journaled and not over when the process died.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct UnderWay {
    /// All of them.
    pub(super) calls: u64,
    /// Those that had taken effect already: the answer was on its way or still to be stored.
    pub(super) done: u64,
}

/// What became of every call of a folder after all had come to their end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Ends {
    /// Calls in the journals.
    pub(super) calls: u64,
    /// Calls that did not end, or ended without an effect.
    pub(super) lost: u64,
    /// Effects beyond the first of a call, and effects of calls that no journal holds.
    pub(super) doubled: u64,
}

impl Agencies {
    /// Starts them with empty books.
    pub(super) async fn start() -> Result<Self, ProgramError> {
        let behaviour =
            Behaviour { latency_ms: LATENCY_MILLIS, work_ms: WORK_MILLIS, ..Behaviour::default() };
        let options = SandboxOptions {
            party: Party::new(CITY, AGENCIES),
            operations: catalogue()?,
            callback_url: None,
            behaviour,
            proof: Proof::Unsigned,
            ledger: Arc::new(Ledger::default()),
            clock: Arc::new(SystemClock),
            lawful: Arc::new(RealLawfulClock::new(Arc::new(SystemClock), 0)),
        };
        let running = SandboxAgency::start(options).await.map_err(|error| failed(&error))?;
        Ok(Self { running })
    }

    /// Returns where they listen.
    pub(super) fn url(&self) -> String {
        self.running.base_url()
    }

    /// Tells them where the engine takes callbacks now.
    pub(super) fn call_back_to(&self, url: &str) -> Result<(), ProgramError> {
        self.running.call_back_to(url).map_err(|error| failed(&error))
    }

    /// Stops them.
    pub(super) async fn stop(self) {
        self.running.shutdown().await;
    }

    /// Counts the calls that a process left under way when it died.
    pub(super) async fn under_way(&self, store: &SledStore) -> Result<UnderWay, ProgramError> {
        let mut found = UnderWay::default();
        each_call(store, Cases::WithCalls, &mut |call| {
            if is_under_way(call) {
                found.calls += 1;
                found.done += u64::from(self.running.ledger().effects_of(call.made.id) > 0);
            }
        })
        .await?;
        Ok(found)
    }

    /// Holds what the agencies did against what the journals say, once nothing is under way.
    pub(super) async fn ends(&self, store: &SledStore) -> Result<Ends, ProgramError> {
        let mut effects: BTreeMap<CallId, u64> = BTreeMap::new();
        for effect in self.running.ledger().effects() {
            *effects.entry(effect.call).or_default() += 1;
        }
        let mut ends = Ends::default();
        each_call(store, Cases::All, &mut |call| {
            ends.calls += 1;
            let times = effects.remove(&call.made.id).unwrap_or_default();
            ends.doubled += times.saturating_sub(1);
            // Nobody waits for the answer of an abandoned call; asking it had nothing to settle.
            let is_well = match call.status {
                CallStatus::Over => times > 0,
                CallStatus::Abandoned => true,
                CallStatus::Open
                | CallStatus::Accepted { .. }
                | CallStatus::Manual { .. }
                | CallStatus::Failed => false,
            };
            ends.lost += u64::from(!is_well);
        })
        .await?;
        ends.doubled += effects.into_values().sum::<u64>();
        Ok(ends)
    }
}

/// Tells whether a store has a call under way.
pub(super) async fn any_under_way(store: &SledStore) -> Result<bool, ProgramError> {
    let mut any = false;
    each_call(store, Cases::WithCalls, &mut |call| any |= is_under_way(call)).await?;
    Ok(any)
}

/// Tells whether an agency is to be heard about a call.
pub(super) fn is_under_way(call: &CallState) -> bool {
    call.made.connector == AGENCIES
        && matches!(call.status, CallStatus::Open | CallStatus::Accepted { .. })
}

/// Which cases are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cases {
    All,
    /// Those with calls that are not over.
    WithCalls,
}

/// Reads cases from the store and visits their calls of agencies.
async fn each_call(
    store: &SledStore,
    which: Cases,
    visit: &mut (dyn FnMut(&CallState) + Send),
) -> Result<(), ProgramError> {
    let mut after = None;
    loop {
        let page = match which {
            Cases::All => store.cases(after, PAGE).await,
            Cases::WithCalls => store.outbox(after, PAGE).await,
        };
        let page = page.map_err(|error| failed(&error))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(*last);
        for id in page {
            let case = folded(store, id).await?;
            case.calls
                .values()
                .map(Arc::as_ref)
                .filter(|call| call.made.connector == AGENCIES)
                .for_each(&mut *visit);
        }
    }
}

async fn folded(store: &SledStore, id: CaseId) -> Result<Case, ProgramError> {
    let stored = store.load(id).await.map_err(|error| failed(&error))?;
    let entries = stored.map(|stored| stored.entries).unwrap_or_default();
    Case::from_entries(id, &entries).map_err(|error| failed(&error))
}

/// Builds the connectors to agencies that listen there.
pub(super) fn wires(url: &str) -> Result<Wires, ProgramError> {
    let (own, party) = (Party::new(CITY, "tongban"), Party::new(CITY, AGENCIES));
    let sides = (own.clone(), party.clone());
    let agency = assemble::agency(AGENCIES, url, sides, AGENCIES)?;
    let office = assemble::office(OFFICE_ROLE, "");
    let catalogue = catalogue()?;
    let bindings = catalogue.iter().map(|(operation, offer)| Binding {
        operation: operation.to_owned(),
        region: RegionCode::new(CITY),
        connector: if offer.carried_by.is_some() { OFFICE } else { AGENCIES }.to_owned(),
        reply_within: None,
    });
    Ok(Wires {
        bindings: Bindings::new(bindings.collect()).map_err(|error| failed(&error))?,
        connectors: vec![(AGENCIES.to_owned(), agency), (OFFICE.to_owned(), office)],
        callbacks: CallbackOptions {
            own,
            proof: Proof::Unsigned,
            parties: vec![CallbackParty { party, connector: AGENCIES.to_owned() }],
        },
    })
}

fn catalogue() -> Result<Catalogue, ProgramError> {
    Catalogue::parse(OPERATIONS).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> ProgramError {
    ProgramError::Engine(Both::of(error))
}
