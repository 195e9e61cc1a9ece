//! The Tongban engine: the async shell around the rules of `tongban-core`.
//!
//! The stores keep cases durably ([`store`]), and the clock adapter is the only place that reads
//! system time ([`clock`]).

pub mod clock;
pub mod store;
