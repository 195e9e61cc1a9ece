//! The production engine without threads, network and real time.
//!
//! [`world`] plays whole engines through faults and crashes, by seeds.
//! [`CaseScene`] is what rehearsals are played in: the same turn, fold and law that a server
//! runs, over a script host that comes in through its port. Agencies do as they are told
//! (`sim/agency.rs`), calls are carried as the runtime carries them (`sim/carrier.rs`), and time
//! is a number that moves only forward. The same words give the same entries, ids included, on
//! every machine.

mod agency;
mod carrier;
mod filling;
mod scene;
pub mod world;

pub use scene::{CaseScene, KEY};
