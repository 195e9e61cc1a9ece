//! The GraphQL API of Tongban (通办) and the program `tongban`.
//!
//! [`server::serve`] puts an engine behind HTTP and WebSocket; [`auth`] decides who asks; [`sdl`]
//! is the schema, committed as `schema.graphql`. Everything between a request and the engine goes
//! one way: [`gate`] counts what a document costs, the transports run it with the viewer of its
//! token, resolvers call the engine with that viewer, views show what comes back, and `error` is
//! the only place where the engine's errors become the client's.

pub mod auth;
mod error;
pub mod gate;
mod mutation;
pub mod program;
mod query;
mod schema;
pub mod server;
mod subscription;
mod transport;
mod view;

pub use self::schema::sdl;

#[cfg(test)]
mod tests;
