//! Cases: one, and lists.

use async_graphql::{Context, ID, InputObject, Object, OneofObject};
use tongban_core::id::ServiceCode;
use tongban_engine::{CaseFilter, PageRequest};

use crate::error::Fault;
use crate::schema::{Asking, asking};
use crate::view::{Case, CaseConnection, CaseState, read_cursor, read_first};

/// 办件的查找键,只能给出其中一个 / What finds a case; exactly one of them
#[derive(OneofObject)]
pub(crate) enum CaseKey {
    /// 标识 / Id
    Id(ID),
    /// 办件编号 / Public number
    Number(String),
}

/// 办件列表的筛选条件,全部满足 / Filter of a list of cases; all of it holds
#[derive(Default, InputObject)]
pub(crate) struct CaseFilterInput {
    /// 只要这些状态 / Only in these states
    state: Option<Vec<CaseState>>,
    /// 只要此服务 / Only of this service
    service_code: Option<String>,
}

impl From<CaseFilterInput> for CaseFilter {
    fn from(input: CaseFilterInput) -> Self {
        Self {
            states: input.state.unwrap_or_default().into_iter().map(Into::into).collect(),
            service: input.service_code.map(ServiceCode::new),
        }
    }
}

/// The fields about cases.
#[derive(Default)]
pub(crate) struct CaseQueries;

#[Object]
impl CaseQueries {
    /// 查一个办件;不存在或无权查看时为空 / A case; null when there is none or it is not for this viewer
    async fn case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "按什么查 / What finds it")] by: CaseKey,
    ) -> Option<Result<Case, Fault>> {
        find(asking(ctx), by).await.transpose()
    }

    /// 本人可见的办件,新的在前 / Cases that the viewer may see, newest first
    async fn cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "筛选条件 / Filter")] filter: Option<CaseFilterInput>,
        #[graphql(desc = "最多多少条,1 到 100 / At most so many, 1 to 100")] first: i32,
        #[graphql(desc = "从此游标之后 / After this cursor")] after: Option<String>,
    ) -> Option<Result<CaseConnection, Fault>> {
        let filter = CaseFilter::from(filter.unwrap_or_default());
        Some(list(asking(ctx), filter, (first, after)).await)
    }
}

async fn find(asking: Asking<'_>, by: CaseKey) -> Result<Option<Case>, Fault> {
    let found = match by {
        CaseKey::Id(id) => match id.parse() {
            Ok(id) => asking.engine.case(asking.viewer, id).await?,
            Err(_) => None,
        },
        CaseKey::Number(number) => asking.engine.case_by_number(asking.viewer, &number).await?,
    };
    Ok(found.map(Case::from))
}

async fn list(
    asking: Asking<'_>,
    filter: CaseFilter,
    page: (i32, Option<String>),
) -> Result<CaseConnection, Fault> {
    let page = PageRequest { first: read_first(page.0)?, after: read_cursor(page.1)? };
    let found = asking.engine.cases(asking.viewer, filter.clone(), page).await?;
    let nodes = found.items.into_iter().map(Case::from).collect();
    Ok(CaseConnection { nodes, next: found.next, filter })
}
