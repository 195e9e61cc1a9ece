//! What every payload holds, and reading what every input holds.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{Context, ID};
use tongban_core::id::{CaseId, CommitNo};
use tongban_engine::{IdempotencyKey, Receipt};

use crate::error::{Denied, Fault, Stop};
use crate::schema::asking;

/// Characters of the longest idempotency key.
const KEY_CHARS_MAX: usize = 128;

/// Counts the refusals of one request, for `extensions.userErrorCount`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<AtomicUsize>);

impl Tally {
    /// Returns how many mutations of the request were refused.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// What came of a mutation.
pub(crate) struct Outcome<E> {
    /// The case that it changed; none when it was refused.
    pub(crate) case: Option<CaseId>,
    /// The refusal, if it was refused.
    pub(crate) errors: Vec<E>,
    /// Revision by which the change can be read.
    pub(crate) revision: CommitNo,
    /// Whether an earlier call with the same key did it.
    pub(crate) replayed: bool,
}

/// Turns what came of a call into a payload's content; faults stay faults.
pub(crate) fn settle<E: From<Denied>>(
    ctx: &Context<'_>,
    result: Result<Receipt, Stop>,
) -> Result<Outcome<E>, Fault> {
    match result {
        Ok(receipt) => Ok(Outcome {
            case: Some(receipt.case),
            errors: Vec::new(),
            revision: receipt.revision,
            replayed: receipt.replayed,
        }),
        Err(Stop::Denied(denied)) => Ok(Outcome {
            case: None,
            errors: vec![refuse(ctx, *denied)],
            revision: asking(ctx).engine.revision(),
            replayed: false,
        }),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

/// Makes a refusal the member of a union, and counts it.
pub(crate) fn refuse<E: From<Denied>>(ctx: &Context<'_>, denied: Denied) -> E {
    if let Some(tally) = ctx.data_opt::<Tally>() {
        tally.0.fetch_add(1, Ordering::Relaxed);
    }
    denied.into()
}

/// Reads an idempotency key.
pub(crate) fn read_key(key: String) -> Result<IdempotencyKey, Denied> {
    if key.trim().is_empty() || key.chars().count() > KEY_CHARS_MAX {
        return Err(Denied::invalid(
            "idempotencyKey",
            "幂等键须为 1 到 128 个字符",
            "an idempotency key has 1 to 128 characters",
        ));
    }
    Ok(IdempotencyKey(key))
}

/// Reads an id of the input.
pub(crate) fn read_id<T: FromStr>(path: &str, id: &ID) -> Result<T, Denied> {
    id.parse().map_err(|_| Denied::invalid(path, "标识无法识别", "this is not such an id"))
}

/// Declares payload types over [`Outcome`], each with its own union of refusals.
macro_rules! case_payloads {
    ($($(#[doc = $doc:literal])+ $name:ident($error:ident);)*) => {$(
        $(#[doc = $doc])+
        pub(crate) struct $name(pub(crate) $crate::mutation::outcome::Outcome<$error>);

        $(#[doc = $doc])+
        #[Object]
        impl $name {
            /// 变更后的办件;被拒绝时为空 / The case afterwards; null when refused
            async fn case(&self, ctx: &Context<'_>) -> Option<Result<Case, Fault>> {
                Case::load(ctx, self.0.case?).await.transpose()
            }

            /// 业务错误;空则成功 / Refusals; none means it was done
            async fn errors(&self) -> &[$error] {
                &self.0.errors
            }

            /// 此变更可读的修订号 / Revision by which the change can be read
            async fn revision(&self) -> Revision {
                Revision(self.0.revision)
            }

            /// 是否由同一幂等键的先前请求完成 / Whether an earlier request with the same key did it
            async fn replayed(&self) -> bool {
                self.0.replayed
            }
        }
    )*};
}

pub(crate) use case_payloads;
