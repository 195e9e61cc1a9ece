//! The Tongban engine: the async shell around the rules of `tongban-core`.
//!
//! [`Engine`] is what the outside asks; every call takes a viewer. `runtime` draws how a command
//! becomes a commit and a commit becomes effects. The stores keep cases durably ([`store`]), the
//! clock adapter is the only place that reads system time ([`clock`]), and the conformance suite
//! holds every store to the same promises. Scripts and connectors come in through ports.

mod api;
pub mod audit;
pub mod blob;
mod builder;
pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod crash;
pub mod document;
mod error;
pub mod figures;
mod folder;
mod handle;
mod number;
pub mod objects;
pub mod reference;
mod runtime;
#[cfg(any(test, feature = "rehearsal", feature = "sim"))]
pub mod sim;
pub mod standing;
pub mod store;
pub mod travel;
pub mod upgrade;
pub mod upkeep;

pub use api::{
    CaseFilter, CaseView, EventPage, EventView, IdempotencyKey, PageRequest, QueueItem, QueueView,
    Receipt,
};
pub use builder::{EngineBuilder, Missing, Options, Publishing, StartError};
pub use error::EngineError;
pub use handle::{
    CallConcerned, CaseFile, Change, Decided, DocumentError, DocumentPage, Engine, FileError,
    IncidentFilter, IncidentItem, IncidentStage, LeftBehind, MoveVersion, MovedVersion, ParkedView,
    Rebinding, Rebound, ReboundOne, SettledOne, Show, Undecided, Unmade, Upload,
};
