//! The audit log.

use async_graphql::{Context, Object};

use crate::error::Fault;
use crate::schema::{Asking, asking};
use crate::view::{AuditConnection, read_cursor, read_first};

/// The field about the audit log.
#[derive(Default)]
pub(crate) struct AuditQueries;

#[Object]
impl AuditQueries {
    /// 审计日志:不在任何办件日志中的行为;仅供督查人员 / The audit log: deeds that stand in no case's log; for supervisors
    async fn audit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "最多多少条,1 到 100 / At most so many, 1 to 100")] first: i32,
        #[graphql(desc = "从此游标之后 / After this cursor")] after: Option<String>,
    ) -> Option<Result<AuditConnection, Fault>> {
        Some(read(asking(ctx), (first, after)).await)
    }
}

async fn read(asking: Asking<'_>, page: (i32, Option<String>)) -> Result<AuditConnection, Fault> {
    let (first, after) = (read_first(page.0)?, read_cursor(page.1)?);
    let after = after.map(|bytes| {
        let no: Result<[u8; 8], _> = bytes.try_into();
        no.map(u64::from_be_bytes).map_err(|_| {
            Fault::new(
                "BAD_REQUEST",
                "游标无效,请从第一页开始 / the cursor is not valid, begin with the first page",
            )
        })
    });
    let after = after.transpose()?.unwrap_or_default();
    let found = asking.engine.audit_log(asking.viewer, after, first).await?;
    let full = found.len() == first;
    let next = found.last().map(|last| last.no).filter(|_| full);
    Ok(AuditConnection { nodes: found.into_iter().map(Into::into).collect(), next })
}
