//! The organisation as data: who may do what where, under which agreements and rules.
//!
//! Each part is a JSON document with a published schema and a `kind` member. Documents are read
//! as they were imported, never changed; whoever reads one journals its version.

pub mod card_rules;
mod kind;
pub(crate) mod text;

pub use self::kind::DocumentKind;
