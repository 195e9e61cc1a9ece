//! The departments of the demo: a sandbox agency over real HTTP for each that has a system, and
//! an office where a person is asked for the one that has none.

use std::sync::Arc;

use tongban_connectors::sandbox::behaviour::{Inject, Match, Rule};
use tongban_connectors::{
    Behaviour, Binding, Bindings, CallbackOptions, CallbackParty, Catalogue, Ledger, Party, Proof,
    SandboxAgency, SandboxOptions,
};
use tongban_core::id::RegionCode;
use tongban_core::port::LawfulClock;
use tongban_engine::clock::SystemClock;

use super::plan::Plan;
use crate::program::assemble::{self, Wires};
use crate::program::error::{Both, ProgramError};

const OPERATIONS: &str = include_str!("../../../../scripts/operations.json");

/// The city of the demo.
const CITY: &str = "420300";
/// Name of the office without a system.
const OFFICE: &str = "urban-management";
const OFFICE_ROLE: &str = "urban-management.clerk";

/// Everything outside of the engine.
pub(super) struct Agencies {
    running: Vec<SandboxAgency>,
    catalogue: Catalogue,
}

/// What went over the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Traffic {
    /// Calls that agencies took.
    pub(super) calls: usize,
    /// Messages that agencies sent back by callback.
    pub(super) callbacks: usize,
}

impl Agencies {
    /// Starts an agency for each department that has a system.
    pub(super) async fn start(
        plan: &Plan,
        callback_url: &str,
        lawful: Arc<dyn LawfulClock>,
    ) -> Result<Self, ProgramError> {
        let catalogue = Catalogue::parse(OPERATIONS).map_err(|error| failed(&error))?;
        let mut running = Vec::new();
        for role in catalogue.roles() {
            let operations = catalogue.of_role(role);
            if operations.iter().next().is_none() {
                continue;
            }
            let options = SandboxOptions {
                party: Party::new(CITY, role),
                operations,
                callback_url: Some(callback_url.to_owned()),
                behaviour: behaviour(plan),
                proof: Proof::Unsigned,
                ledger: Arc::new(Ledger::default()),
                clock: Arc::new(SystemClock),
                lawful: Arc::clone(&lawful),
            };
            running.push(SandboxAgency::start(options).await.map_err(|error| failed(&error))?);
        }
        Ok(Self { running, catalogue })
    }

    /// Returns the connectors to them, and which operation each carries.
    pub(super) fn wires(&self) -> Result<Wires, ProgramError> {
        let own = Party::new(CITY, "tongban");
        let mut connectors = vec![(OFFICE.to_owned(), assemble::office(OFFICE_ROLE, ""))];
        let mut parties = Vec::new();
        let mut bindings = Vec::new();
        for agency in &self.running {
            let party = agency.party().clone();
            let name = party.system.clone();
            let sides = (own.clone(), party.clone());
            let connector = assemble::agency(&name, &agency.base_url(), sides, &name)?;
            connectors.push((name.clone(), connector));
            bindings.push(binding(format!("{name}.*"), &name));
            parties.push(CallbackParty { party, connector: name });
        }
        let by_hand = self.catalogue.iter().filter(|(_, operation)| operation.carried_by.is_some());
        bindings.extend(by_hand.map(|(operation, _)| binding(operation.to_owned(), OFFICE)));
        Ok(Wires {
            bindings: Bindings::new(bindings).map_err(|error| failed(&error))?,
            connectors,
            callbacks: CallbackOptions { own, proof: Proof::Unsigned, parties },
        })
    }

    /// Counts what went over the wire so far.
    pub(super) fn traffic(&self) -> Traffic {
        let mut traffic = Traffic::default();
        for agency in &self.running {
            let totals = agency.ledger().totals();
            traffic.calls += totals.invokes;
            traffic.callbacks += totals.callbacks;
        }
        traffic
    }

    /// Stops them all.
    pub(super) async fn stop(self) {
        for agency in self.running {
            agency.shutdown().await;
        }
    }
}

fn binding(operation: String, connector: &str) -> Binding {
    let region = RegionCode::new(CITY);
    Binding { operation, region, connector: connector.to_owned(), reply_within: None }
}

fn behaviour(plan: &Plan) -> Behaviour {
    let rule = |(operation, millis): (&String, &u64)| Rule {
        matching: Match { operation: Some(operation.clone()), ..Match::default() },
        inject: Inject { work_ms: Some(*millis), ..Inject::default() },
    };
    Behaviour { rules: plan.work_millis.iter().map(rule).collect(), ..Behaviour::default() }
}

fn failed(error: &dyn std::fmt::Display) -> ProgramError {
    ProgramError::Engine(Both::of(error))
}
