//! Connectors of Tongban: how a call leaves the engine and how its replies come back.
//!
//! [`cxp`] speaks CXP/1 over HTTP, [`manual`] hands a call to a person in an office that has no
//! system, [`bindings`] says which connector carries an operation at a place, [`callback`] is
//! where agencies deliver later replies, [`seal`] has notices sealed by a service over HTTP, [`s3`]
//! keeps files with one, and [`sandbox`] plays agencies over real HTTP. Nothing here retries a call of the engine, decides
//! an act, or knows scripts, stores and GraphQL.

pub mod bindings;
pub mod callback;
pub mod cxp;
pub mod limits;
pub mod manual;
pub mod s3;
pub mod sandbox;
pub mod seal;

pub use bindings::{Binding, BindingError, Bindings};
pub use callback::{CallbackOptions, CallbackParty};
pub use cxp::{Contract, CxpConnector, CxpOptions, Party, Proof};
pub use manual::{ManualConnector, ManualOffice};
pub use sandbox::{Behaviour, Catalogue, Ledger, SandboxAgency, SandboxOptions};
pub use seal::{HttpSeal, SealKeys, SealOptions};
