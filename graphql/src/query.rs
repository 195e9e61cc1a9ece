//! Queries, one file per field group. A resolver reads its arguments, calls the engine with the
//! viewer, and wraps what comes back; nothing else.

mod audit;
mod cases;
mod catalogue;
mod events;
mod figures;
mod guide;
mod incidents;
mod nodes;
mod queue;
mod server;
mod versions;

pub(crate) use self::audit::AuditQueries;
pub(crate) use self::cases::CaseQueries;
pub(crate) use self::catalogue::CatalogueQueries;
pub(crate) use self::events::EventQueries;
pub(crate) use self::figures::FigureQueries;
pub(crate) use self::guide::GuideQueries;
pub(crate) use self::incidents::{IncidentFilterInput, IncidentQueries};
pub(crate) use self::nodes::NodeQueries;
pub(crate) use self::queue::QueueQueries;
pub(crate) use self::server::ServerQueries;
pub(crate) use self::versions::{VersionQueries, read_version};
