//! What is asked, held against the limits of a run and against its journal.

use std::sync::Arc;

use super::{Handle, Node, Replay, Stop, fingerprint};
use crate::digest::Digest;
use crate::entry::Requested;
use crate::id::Seq;
use crate::limits;
use crate::port::{ScriptFault, ScriptFaultKind};
use crate::request::Ask;

impl Replay {
    /// Stops a run whose requests, with one more of this weight, would pass a limit.
    pub(super) fn within_limits(&mut self, weight: usize) -> Result<(), Stop> {
        if self.ordinal > limits::RUN_REQUESTS_MAX {
            return Err(self.over_limit(&format!(
                "一次执行最多 {} 个请求 / a run may make at most {} requests",
                limits::RUN_REQUESTS_MAX,
                limits::RUN_REQUESTS_MAX
            )));
        }
        self.bytes += weight;
        if self.bytes > limits::RUN_REQUEST_BYTES_MAX {
            return Err(self.over_limit(&format!(
                "一次执行的请求数据最多 {} 字节 / the requests of a run may hold at most {} bytes",
                limits::RUN_REQUEST_BYTES_MAX,
                limits::RUN_REQUEST_BYTES_MAX
            )));
        }
        Ok(())
    }

    /// Stops a run that asks for something new which no record could hold. What an older program
    /// recorded is replayed whatever its size.
    pub(super) fn must_fit(&mut self, ask: &Ask) -> Result<(), Stop> {
        let weight = ask.weight();
        if weight > limits::VALUE_BYTES_MAX {
            return Err(self.over_limit(&format!(
                "请求 {0} 的数据有 {weight} 字节,上限 {1};大的内容请作为文件提交 / request {0} holds {weight} bytes, the limit is {1}; hand large contents in as files",
                shortened(&ask.target()),
                limits::VALUE_BYTES_MAX
            )));
        }
        for (text, most) in ask.texts() {
            if text.len() > most {
                return Err(self.over_limit(&format!(
                    "“{0}…”有 {1} 字节,上限 {most} / “{0}…” has {1} bytes, the limit is {most}",
                    shortened(text),
                    text.len()
                )));
            }
        }
        Ok(())
    }

    /// Compares what is asked with what the journal holds. The fingerprints themselves are
    /// compared, not their digests: the journal has both, and a replay makes many.
    pub(super) fn replayed(&mut self, index: usize, ask: &Ask) -> Result<Handle, Stop> {
        let made = Arc::clone(&self.matter().run.requests[index].made);
        if made.seen == self.seen && made.ask.asks_the_same(ask) {
            return Ok(self.node(Node::Journal(index)));
        }
        let side = |kind, target: &str, digest: Digest, seen: Seq| {
            format!("{kind:?} {target} (digest {digest:?}, seen {seen})")
        };
        let (zh, en) = differing(&made, ask, self.seen);
        let mut fault = ScriptFault::new(
            ScriptFaultKind::Mismatch,
            format!(
                "重放与日志不一致:请求 {0} 的{zh}不同 / the replay asked for something else than the journal holds, at request {0}: another {en}",
                made.key
            ),
        );
        fault.expected = side(made.ask.kind(), &made.ask.target(), made.digest, made.seen);
        let digest = fingerprint(&self.secret, ask);
        fault.got = side(ask.kind(), &ask.target(), digest, self.seen);
        self.differs_at = Some(made.key.clone());
        Err(self.fail(fault))
    }
}

/// Names what a replay asked for otherwise, in Chinese and in English.
fn differing(made: &Requested, ask: &Ask, seen: Seq) -> (String, String) {
    let (kind, target) = (made.ask.kind() != ask.kind(), made.ask.target() != ask.target());
    let arguments = made.ask.fingerprint() != ask.fingerprint();
    let awaited = made.seen != seen;
    let all = [
        (kind, "种类", "kind"),
        (target, "对象", "target"),
        (arguments, "参数摘要", "digest of arguments"),
        (awaited, "已读位置(等待的增删或移动)", "entry seen (a wait was added, removed or moved)"),
    ];
    let differing = all.into_iter().filter(|(differs, _, _)| *differs);
    let (zh, en): (Vec<&str>, Vec<&str>) = differing.map(|(_, zh, en)| (zh, en)).unzip();
    (zh.join("、"), en.join(", another "))
}

/// Returns the first characters of a text, for messages.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Ask {
    /// Returns the texts that lists and index rows carry, each with the most bytes it may have.
    fn texts(&self) -> Vec<(&str, usize)> {
        let name = limits::NAME_BYTES_MAX;
        match self {
            Self::Call { operation, place, .. } | Self::Compensate { operation, place, .. } => {
                let place = place.iter().map(|place| (place.as_str(), name));
                place.chain([(operation.as_str(), name)]).collect()
            }
            Self::Decide { role, title, .. } => {
                vec![(role, name), (title, limits::TITLE_BYTES_MAX)]
            }
            Self::Patch { id, .. } => vec![(id, name)],
            Self::Receive { channel } => vec![(channel, limits::CHANNEL_BYTES_MAX)],
            Self::Timer { .. } | Self::Act { .. } => Vec::new(),
        }
    }
}
