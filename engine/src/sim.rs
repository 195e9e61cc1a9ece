//! One case played with the production core, without threads, store, network or real time.
//!
//! [`CaseScene`] is what rehearsals are played in: the same turn, fold and law that a server
//! runs, over a script host that comes in through its port. Agencies do as they are told
//! (`sim/agency.rs`), calls are carried as the runtime carries them (`sim/carrier.rs`), and time
//! is a number that moves only forward. The same words give the same entries, ids included, on
//! every machine.

mod agency;
mod carrier;
mod filling;
mod scene;

pub use scene::CaseScene;
