//! CXP/1, the partner contract, over HTTP.
//!
//! Begin with [`message`], the words of the protocol. `render` makes the bytes of a call, which
//! are the same whenever it is sent; `client` sends them, and `answer` reads what came back,
//! which is where every doubt about an effect is decided. Messages are not signed yet: [`Proof`]
//! is the seam, and its only value must be written down wherever trust is given.

mod answer;
mod client;
pub mod message;
pub mod render;
mod text;

pub use client::{ClientError, CxpConnector, CxpOptions, http_client};
pub use message::{Contract, Party};
pub use text::{Json, Text, WireText};

pub(crate) use client::{endpoint, http_builder};

use serde::{Deserialize, Serialize};

/// How a message proves who sent it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Not at all: the network between both sides is trusted, by explicit configuration.
    Unsigned,
}
