//! Queries, one file per field group. A resolver reads its arguments, calls the engine with the
//! viewer, and wraps what comes back; nothing else.

mod cases;
mod catalogue;
mod events;
mod nodes;
mod queue;
mod server;

pub(crate) use self::cases::Cases;
pub(crate) use self::catalogue::Catalogue;
pub(crate) use self::events::Events;
pub(crate) use self::nodes::Nodes;
pub(crate) use self::queue::Queue;
pub(crate) use self::server::Server;
