//! What the client sees: output types made from the engine's types.
//!
//! No rules live here. A [`Case`] comes only from calls of the engine that take a viewer, so that
//! there is no way to show one that he may not see. Whatever counts time or needs the whole case
//! is nullable; whatever a list's row holds is not.

mod audit;
mod card;
mod case;
mod case_at;
mod catalogue;
mod clock;
mod code;
mod document;
mod entry_id;
mod event;
mod explain;
mod figures;
mod form;
mod guide;
mod incident;
mod mail;
mod material;
mod matter;
mod node;
mod page;
mod parked;
mod person;
mod scalar;
mod server;
mod stage;
mod task;
mod version;
mod waiting;

pub(crate) use self::audit::AuditConnection;
pub(crate) use self::case::Case;
pub(crate) use self::case_at::CaseAt;
pub(crate) use self::catalogue::CombinedService;
pub(crate) use self::code::{
    CardAnswerKind, CaseState, Channel, Lang, PeriodUnit, QueueView, in_lang,
};
pub(crate) use self::entry_id::{EntryKind, read_entry_id, write_entry_id};
pub(crate) use self::event::{Event, EventConnection, EventDelta, events_of};
pub(crate) use self::figures::{Figures, StuckMatters};
pub(crate) use self::guide::Guide;
pub(crate) use self::incident::{Incident, IncidentConnection, IncidentKind, IncidentStage};
pub(crate) use self::mail::{Message, MessageHandling, ScriptPause, ScriptStop};
pub(crate) use self::matter::CaseMatter;
pub(crate) use self::node::Node;
pub(crate) use self::page::{CaseConnection, PageInfo, TaskConnection, read_cursor, read_first};
pub(crate) use self::parked::ParkedReply;
pub(crate) use self::person::ViewerView;
pub(crate) use self::scalar::{Date, DateTime, Json, Revision};
pub(crate) use self::server::ServerInfo;
pub(crate) use self::task::Task;
pub(crate) use self::version::{RebindOfCase, ServiceVersion, UpgradeReport};
