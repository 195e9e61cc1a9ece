//! What a client may know about the server.

use async_graphql::SimpleObject;
use tongban_engine::Engine;

use super::{DateTime, Revision};

/// 服务器信息 / Facts about the server
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct ServerInfo {
    /// 程序版本 / Version of the program
    version: &'static str,
    /// 最新修订号 / Newest revision
    revision: Revision,
    /// 法定时间:期限按它计算 / Lawful time: what limits are counted by
    lawful_now: DateTime,
    /// 法定时间是否为虚拟时钟(仅用于演示) / Whether lawful time is virtual, as in a demonstration
    clock_is_virtual: bool,
}

impl ServerInfo {
    /// Reads the facts.
    pub(crate) fn of(engine: &Engine) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            revision: Revision(engine.revision()),
            lawful_now: engine.lawful_now().into(),
            clock_is_virtual: engine.clock_is_virtual(),
        }
    }
}
