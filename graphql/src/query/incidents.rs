//! Incidents: the list of what people must look at.

use async_graphql::{Context, InputObject, Object};
use tongban_core::id::{MatterCode, RegionCode, ServiceCode};
use tongban_engine::{IncidentFilter, PageRequest};

use crate::error::Fault;
use crate::schema::{Asking, asking};
use crate::view::{
    Case, DateTime, Incident, IncidentConnection, IncidentKind, IncidentStage, read_cursor,
    read_first,
};

/// 哪些异常;各条件须同时满足 / Which incidents; everything that is given must hold
#[derive(Default, InputObject)]
pub(crate) struct IncidentFilterInput {
    /// 类别 / Of this kind
    kind: Option<IncidentKind>,
    /// 进展:待处理,或待另一人确认 / As far as this: open, or proposed by a first person
    stage: Option<IncidentStage>,
    /// 服务代码 / Of cases of this service
    service_code: Option<String>,
    /// 事项代码 / Of this matter
    matter_code: Option<String>,
    /// 行政区划代码,含所辖区县 / Of cases filed in this region or inside it
    region: Option<String>,
    /// 自此时间起发生 / Raised at or after this time
    since: Option<DateTime>,
}

impl From<IncidentFilterInput> for IncidentFilter {
    fn from(input: IncidentFilterInput) -> Self {
        Self {
            kind: input.kind.map(Into::into),
            stage: input.stage.map(Into::into),
            service: input.service_code.map(ServiceCode::new),
            matter: input.matter_code.map(MatterCode::new),
            region: input.region.map(RegionCode::new),
            since: input.since.map(|since| since.0),
        }
    }
}

/// The field that lists incidents.
#[derive(Default)]
pub(crate) struct IncidentQueries;

#[Object]
impl IncidentQueries {
    /// 未处理的异常:部门看本部门事项的,督查和系统管理员看本地区的;已处理的见办件 / Open incidents: an office sees those of its matters, supervisors and admins those of their regions; settled ones are with their case
    async fn incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "哪些异常 / Which incidents")] filter: Option<IncidentFilterInput>,
        #[graphql(
            desc = "最多取多少个办件的异常,1 到 100 / Incidents of at most so many cases, 1 to 100"
        )]
        first: i32,
        #[graphql(desc = "从此游标之后 / After this cursor")] after: Option<String>,
    ) -> Option<Result<IncidentConnection, Fault>> {
        Some(read(asking(ctx), filter.unwrap_or_default().into(), (first, after)).await)
    }
}

async fn read(
    asking: Asking<'_>,
    filter: IncidentFilter,
    page: (i32, Option<String>),
) -> Result<IncidentConnection, Fault> {
    let Asking { engine, viewer } = asking;
    let page = PageRequest { first: read_first(page.0)?, after: read_cursor(page.1)? };
    let found = engine.incidents(viewer, &filter, page).await?;
    let mut nodes: Vec<Incident> = Vec::with_capacity(found.items.len());
    let mut case: Option<Case> = None;
    for item in found.items {
        // Incidents of one case stand beside each other.
        let known = case.take().filter(|case| case.row().case == item.case);
        let of = match known {
            Some(case) => case,
            None => match engine.case(viewer, item.case).await? {
                Some(view) => view.into(),
                None => continue,
            },
        };
        nodes.push(Incident::new(of.clone(), item));
        case = Some(of);
    }
    Ok(IncidentConnection { nodes, next: found.next, filter })
}
