//! A call is sent again as it was: after an update or a change of settings it may render to other
//! bytes, and other bytes never go out under its id. Goal: one effect, and no person needed.
//! Method: a real connector over real HTTP, whose contract is another one after a restart.

use std::sync::Arc;

use tongban_connectors::sandbox::behaviour::{Inject, Match, Rule, Spoil};
use tongban_connectors::sandbox::{Availability, LedgerEvent};
use tongban_connectors::{
    Behaviour, Catalogue, Contract, CxpConnector, CxpOptions, Ledger, Party, Proof, SandboxAgency,
    SandboxOptions,
};
use tongban_core::id::CallId;
use tongban_core::port::Connector;
use tongban_core::summary::CaseState;
use tongban_engine::CaseView;
use tongban_engine::clock::{RealLawfulClock, SystemClock};

use super::world::{Setting, World, incidents};

const OPERATIONS: &str = r#"{ "operations": { "office.issue": {
    "name": "核发", "effect": "irreversible", "output": { "number": "{number}" },
    "documents": [{ "role": "permit", "number": "P-{serial}" }]
} } }"#;

async fn agency(behaviour: Behaviour) -> SandboxAgency {
    let clock: Arc<SystemClock> = Arc::new(SystemClock);
    let options = SandboxOptions {
        party: Party::new("420300", "agencies"),
        operations: Catalogue::parse(OPERATIONS).unwrap(),
        callback_url: None,
        behaviour,
        proof: Proof::Unsigned,
        ledger: Arc::new(Ledger::default()),
        lawful: Arc::new(RealLawfulClock::new(Arc::clone(&clock) as Arc<_>, 0)),
        clock,
    };
    SandboxAgency::start(options).await.unwrap()
}

/// Returns the engine's side of a version of the contract.
fn under(version: &str, agency: &SandboxAgency) -> Arc<dyn Connector> {
    let options = CxpOptions {
        name: "agencies".to_owned(),
        base_url: agency.base_url(),
        from: Party::new("420300", "tongban"),
        to: agency.party().clone(),
        contract: Contract { id: "agencies".to_owned(), version: version.to_owned() },
        proof: Proof::Unsigned,
        clock: Arc::new(SystemClock),
    };
    Arc::new(CxpConnector::new(options).unwrap())
}

async fn begin(agency: &SandboxAgency) -> (World, CallId) {
    let setting = Setting {
        matters: vec![("a", "", r#"grant(ask("office.issue", #{ parcel: "P-1" }))"#)],
        connector: Some(under("1.0.0", agency)),
        ..Setting::default()
    };
    let world = setting.begin().await;
    let view = world.until(|view| !view.case().calls.is_empty()).await;
    let call = *view.case().calls.keys().next().unwrap();
    (world, call)
}

async fn ends(world: &World) -> CaseView {
    let view = world.until(|view| view.state() == CaseState::CompletedAll).await;
    assert_eq!(incidents(&view), Vec::<&str>::new());
    view
}

/// The agency had done its work, and its answer was lost: it used to be sent the call with the
/// new contract under the old id, and answered a conflict for a person to look at.
#[tokio::test]
async fn a_call_whose_settings_changed_is_asked_about_and_its_reply_taken() {
    let lost = Rule {
        matching: Match::default(),
        inject: Inject { answer: Some(Spoil::LostAfterEffect), ..Inject::default() },
    };
    let agency = agency(Behaviour { rules: vec![lost], ..Behaviour::default() }).await;
    let (mut world, call) = begin(&agency).await;
    agency.ledger().until(|ledger| ledger.effects_of(call) == 1).await;
    world.restart_over(under("1.1.0", &agency)).await;
    let view = ends(&world).await;
    assert_eq!(view.case().calls.len(), 1, "what it had done counts");
    assert_eq!(agency.ledger().effects().len(), 1);
    let refused = |event: &LedgerEvent| matches!(event, LedgerEvent::Refused(..));
    assert!(!agency.ledger().events().iter().any(refused), "{:?}", agency.ledger().events());
    agency.shutdown().await;
}

#[tokio::test]
async fn a_call_whose_settings_changed_before_it_arrived_is_made_anew() {
    let agency = agency(Behaviour::default()).await;
    agency.set_availability(Availability::Down);
    let (mut world, call) = begin(&agency).await;
    world.engine.shutdown().await;
    agency.set_availability(Availability::Up);
    world.restart_over(under("1.1.0", &agency)).await;
    let view = ends(&world).await;
    assert_eq!(view.case().calls.len(), 2, "made anew");
    assert_eq!(agency.ledger().effects_of(call), 0, "nothing was sent under the old id");
    assert!(agency.ledger().events().contains(&LedgerEvent::Fenced(call)));
    assert_eq!(agency.ledger().effects().len(), 1);
    agency.shutdown().await;
}

/// The same settings render to the same bytes: the call goes out again under its id.
#[tokio::test]
async fn a_call_whose_settings_stayed_is_sent_again_as_it_was() {
    let agency = agency(Behaviour::default()).await;
    agency.set_availability(Availability::Down);
    let (mut world, call) = begin(&agency).await;
    world.engine.shutdown().await;
    agency.set_availability(Availability::Up);
    world.restart_over(under("1.0.0", &agency)).await;
    let view = ends(&world).await;
    assert_eq!(view.case().calls.len(), 1);
    assert_eq!(agency.ledger().effects_of(call), 1);
    agency.shutdown().await;
}
