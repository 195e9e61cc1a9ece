//! The schema as a whole, and what every resolver asks with.

use async_graphql::{Context, MergedObject, MergedSubscription, Schema};
use tongban_core::viewer::Viewer;
use tongban_engine::Engine;

use crate::error::UserError;
use crate::gate::DIRECTIVES_MAX;
use crate::view::Node;
use crate::{mutation, query, subscription};

/// 查询 / Queries
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    query::AuditQueries,
    query::CatalogueQueries,
    query::CaseQueries,
    query::EventQueries,
    query::FigureQueries,
    query::GuideQueries,
    query::IncidentQueries,
    query::NodeQueries,
    query::QueueQueries,
    query::ServerQueries,
    query::VersionQueries,
);

/// 变更。一次最多 5 项,按顺序执行,各自独立提交。 / Mutations: at most 5 at once, in order, each in a transaction of its own
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(
    mutation::CaseMutations,
    mutation::TaskMutations,
    mutation::HandMutations,
    mutation::BulkMutations,
    mutation::ActMutations,
    mutation::RecordMutations,
    mutation::IncidentMutations,
    mutation::SteeringMutations,
    mutation::RebindMutations,
    mutation::ParkedMutations,
    mutation::ClockMutations,
    mutation::VersionMutations,
);

/// 订阅。均可凭游标续接。 / Subscriptions; every one goes on from a cursor
#[derive(MergedSubscription, Default)]
pub(crate) struct Subscription(subscription::CaseEvents);

/// The executable schema.
pub(crate) type Api = Schema<Query, Mutation, Subscription>;

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .register_output_type::<UserError>()
        .register_output_type::<Node>()
        .limit_directives(DIRECTIVES_MAX)
        .disable_suggestions()
}

/// Builds the schema over an engine.
pub(crate) fn over(engine: Engine) -> Api {
    builder().data(engine).finish()
}

/// Returns the schema in the schema definition language, as `schema.graphql` keeps it.
pub fn sdl() -> String {
    builder().finish().sdl()
}

/// Who asks whom.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    /// The engine; each of its calls takes the viewer.
    pub(crate) engine: &'a Engine,
    /// The viewer whose token came with the request.
    pub(crate) viewer: &'a Viewer,
}

/// Returns who asks whom in this request. The transport puts the viewer in and lets no request
/// through without one.
pub(crate) fn asking<'a>(ctx: &Context<'a>) -> Asking<'a> {
    Asking { engine: ctx.data_unchecked(), viewer: ctx.data_unchecked() }
}
