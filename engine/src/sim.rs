//! The production engine without threads, network and real time.
//!
//! `world` (feature `sim`) plays whole engines through faults and crashes, by seeds.
//! `CaseScene` (feature `rehearsal`) is what rehearsals are played in: the same turn, fold and
//! law that a server runs, over a script host that comes in through its port. Agencies do as
//! they are told (`sim/agency.rs`), calls are carried as the runtime carries them
//! (`sim/carrier.rs`), and time is a number that moves only forward. The same words give the same
//! entries, ids included, on every machine.

#[cfg(any(test, feature = "rehearsal"))]
mod agency;
#[cfg(any(test, feature = "rehearsal"))]
mod carrier;
#[cfg(any(test, feature = "rehearsal"))]
mod filling;
#[cfg(any(test, feature = "rehearsal"))]
mod scene;
#[cfg(any(test, feature = "sim"))]
pub mod world;

#[cfg(any(test, feature = "rehearsal"))]
pub use scene::{CaseScene, KEY};
