//! Moving many live cases to another version, page by page.

use async_graphql::{Context, Enum, InputObject, Object};
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_engine::{PageRequest, Rebinding, ReboundOne, Undecided};

use super::incidents::read_closure;
use super::outcome::{read_key, refuse};
use crate::error::{Fault, RebindCasesError, Stop};
use crate::schema::{Asking, asking};
use crate::view::{PageInfo, RebindOfCase, Revision, read_cursor, read_first};

/// 停在审批决定中的办件怎么办 / What becomes of cases that stand in an open decision
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "Undecided")]
pub(crate) enum UndecidedCases {
    /// 留在原版本 / They stay on their version
    Stay,
    /// 也换用;试运行只能证明到此前的记录 / They are moved; a dry run proves only what went before
    Move,
}

/// rebindCases 的输入 / Input of rebindCases
#[derive(InputObject)]
pub(crate) struct RebindCasesInput {
    /// 服务代码 / Code of the service
    service_code: String,
    /// 换用的版本 / The version
    version: String,
    /// 地区,含所辖;默认为本人的第一个地区 / Region with all inside it; the viewer's first by default
    region: Option<String>,
    /// 停在审批决定中的办件怎么办,默认留在原版本 / What becomes of cases in an open decision; they stay by default
    undecided: Option<UndecidedCases>,
    /// 升级报告中看到的在途办件数;开始时已变动则拒绝 / How many live cases the upgrade report showed; refused at the beginning when they are more or fewer
    expected_count: u32,
    /// 本页最多办理多少件,1 到 100 / At most so many cases with this page, 1 to 100
    first: i32,
    /// 从此游标之后接着办 / Go on after this cursor
    after: Option<String>,
    /// 理由 / Why
    reason: String,
    /// 幂等键:各页用同一个键;中断后从头或从游标重来,已换用的不再变动 / Idempotency key, the same for every page; begun again from anywhere, nothing is moved twice
    idempotency_key: String,
}

/// rebindCases 的结果 / What came of rebindCases
pub(crate) struct RebindCasesPayload {
    results: Vec<RebindOfCase>,
    page_info: PageInfo,
    errors: Vec<RebindCasesError>,
}

/// rebindCases 的结果 / What came of rebindCases
#[Object]
impl RebindCasesPayload {
    /// 本页每个办件的结果 / What came of each case of the page
    async fn results(&self) -> &[RebindOfCase] {
        &self.results
    }

    /// 分页信息;有下一页则接着办 / Where the page stands; go on while there is a next one
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// 整个请求的业务错误;单个办件的见 results / Refusals of the whole request; those of a case are in results
    async fn errors(&self) -> &[RebindCasesError] {
        &self.errors
    }

    /// 此变更可读的修订号 / Revision by which the changes can be read
    async fn revision(&self, ctx: &Context<'_>) -> Revision {
        Revision(asking(ctx).engine.revision())
    }
}

/// The field that moves many cases.
#[derive(Default)]
pub(crate) struct RebindMutations;

#[Object]
impl RebindMutations {
    /// 批量换用脚本版本:逐件试运行,一致才换;不一致的留在原版本并列出 / Moves live cases to another version of their scripts: each after a dry run that passes; those that diverge stay and are listed
    async fn rebind_cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: RebindCasesInput,
    ) -> Option<Result<RebindCasesPayload, Fault>> {
        Some(match rebind(asking(ctx), input).await {
            Ok((found, page_info)) => Ok(RebindCasesPayload {
                results: found.into_iter().map(Into::into).collect(),
                page_info,
                errors: Vec::new(),
            }),
            Err(Stop::Denied(denied)) => Ok(RebindCasesPayload {
                results: Vec::new(),
                page_info: PageInfo::before(None),
                errors: vec![refuse(ctx, *denied)],
            }),
            Err(Stop::Fault(fault)) => Err(fault),
        })
    }
}

async fn rebind(
    asking: Asking<'_>,
    input: RebindCasesInput,
) -> Result<(Vec<ReboundOne>, PageInfo), Stop> {
    let key = read_key(input.idempotency_key)?;
    let page = PageRequest { first: read_first(input.first)?, after: read_cursor(input.after)? };
    let rebinding = Rebinding {
        service: ServiceCode::new(input.service_code),
        closure: read_closure(&input.version)?,
        region: input.region.map(RegionCode::new),
        undecided: input.undecided.map_or(Undecided::Stay, Into::into),
        expected: u64::from(input.expected_count),
        reason: input.reason,
    };
    let found = asking.engine.rebind_cases(asking.viewer, &rebinding, page, key).await?;
    Ok((found.items, PageInfo::before(found.next.as_ref())))
}
