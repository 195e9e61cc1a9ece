//! The interface of everything that has an id. It holds the id and nothing else: a field guard
//! would be skipped when its field is selected through an interface.

use async_graphql::{ID, Interface};

use super::{Case, CaseMatter, Incident, Task};

/// 有标识的对象 / Anything with an id
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "标识 / Id"))]
pub(crate) enum Node {
    Case(Case),
    CaseMatter(CaseMatter),
    Task(Task),
    Incident(Incident),
}
