//! What a call of the engine can fail with, each with a stable code and a class.

use tongban_core::case::FoldError;
use tongban_core::command::Refusal;
use tongban_core::error::ErrorClass;
use tongban_core::id::CommitNo;
use tongban_core::port::{ScriptFault, StoreError};
use tongban_core::start::Unchosen;

/// A failed call of the engine. A [`Refusal`] is the domain's answer, not a fault; it travels
/// here so that `?` carries it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The law or the rules of the case say no.
    #[error("{0}")]
    Refused(Refusal),
    /// The same idempotency key was used with other input.
    #[error(
        "幂等键已用于不同的内容,请换一个新的键 / the idempotency key was used with other input; use a new key"
    )]
    KeyReused,
    /// The case has too many commands waiting.
    #[error("该办件正忙,请稍后再试 / the case is busy, try again in a moment")]
    Busy,
    /// The engine is shutting down.
    #[error("引擎正在停止,请稍后再试 / the engine is stopping, try again later")]
    Stopped,
    /// A cursor that this engine did not make, or that is older than what is kept.
    #[error(
        "游标无效或已过期,请从最新状态重新开始 / the cursor is not valid any more; begin anew from a snapshot"
    )]
    ResyncRequired {
        /// A snapshot of this revision can be read now.
        revision: CommitNo,
        /// Where the events go on after it, for a cursor of events.
        cursor: Option<String>,
    },
    /// The closure that the case is pinned to is not available.
    #[error(
        "办件固定的脚本版本 {0} 不可用 / the scripts {0} that the case is pinned to are not available"
    )]
    ClosureMissing(String),
    /// A script failed outside of a run, such as in a `when` predicate.
    #[error("脚本出错:{0} / a script failed: {0}")]
    Script(ScriptFault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored log that cannot have been written by this engine.
    #[error(transparent)]
    Log(#[from] FoldError),
    /// Lawful time cannot be moved now.
    #[error("{0}")]
    Clock(String),
}

impl EngineError {
    /// Returns the stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(refusal) => &refusal.code,
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::Busy => "BUSY",
            Self::Stopped => "STOPPED",
            Self::ResyncRequired { .. } => "RESYNC_REQUIRED",
            Self::ClosureMissing(_) => "CLOSURE_MISSING",
            Self::Script(_) => "SCRIPT_FAILED",
            Self::Store(error) => error.code(),
            Self::Log(_) => "LOG_IMPOSSIBLE",
            Self::Clock(_) => "CLOCK_NOT_MOVABLE",
        }
    }

    /// Returns the class; retries are decided from it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused(_) | Self::KeyReused | Self::ResyncRequired { .. } | Self::Clock(_) => {
                ErrorClass::Invalid
            }
            Self::Busy | Self::Stopped => ErrorClass::Transient,
            Self::ClosureMissing(_) | Self::Script(_) | Self::Log(_) => ErrorClass::Permanent,
            Self::Store(error) => error.class(),
        }
    }
}

impl From<Unchosen> for EngineError {
    fn from(unchosen: Unchosen) -> Self {
        match unchosen {
            Unchosen::Script(fault) => Self::Script(fault),
            Unchosen::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
