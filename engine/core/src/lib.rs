//! The rules of Tongban (通办), pure: no I/O, no clock, no async body, key order everywhere.
//!
//! One log per case is the truth. [`case::Case`] is the one fold from its entries to state,
//! [`law::Law`] the one authority on acts, [`replay::Replay`] the cursor between a script and
//! the journal, and `turn` one pass over a case: commands in, entries and effects out. The
//! shell (`tongban-engine`) loads, commits, and carries out effects.

pub mod agency;
pub mod audit;
pub mod calendar;
pub mod card;
pub mod case;
pub mod codes;
pub mod command;
pub mod definition;
pub mod digest;
pub mod document;
pub mod dry_run;
pub mod entry;
pub mod error;
pub mod figures;
pub mod files;
pub mod guide;
pub mod id;
pub mod identifier;
pub mod law;
pub mod limits;
pub mod material;
pub mod narrative;
pub mod organisation;
pub mod partial;
pub mod port;
pub mod prefill;
pub mod publication;
pub mod read_model;
pub mod recommend;
pub mod rehearsal;
pub mod replay;
pub mod request;
pub mod schedule;
pub mod start;
pub mod summary;
pub mod time;
pub mod turn;
pub mod value;
pub mod viewer;
pub mod waiting;
pub mod way_out;
pub mod wire;
