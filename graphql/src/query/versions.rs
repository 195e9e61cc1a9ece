//! Versions of services, what they would do, and cases as they stood.

#![expect(clippy::too_many_arguments, reason = "each is an argument of a field of the schema")]

use async_graphql::{Context, ID, Object};
use tongban_core::command::Refusal;
use tongban_core::digest::Digest;
use tongban_core::id::{RegionCode, Seq, ServiceCode};
use tongban_engine::{EngineError, PageRequest};

use crate::error::Fault;
use crate::schema::{Asking, asking};
use crate::view::{CaseAt, PageInfo, ServiceVersion, UpgradeReport, read_cursor, read_first};

/// The fields about versions.
#[derive(Default)]
pub(crate) struct VersionQueries;

#[Object]
impl VersionQueries {
    /// 服务的各版本及其经过;供集成人员和牵头部门负责人 / Versions of a service with their history, for integrators and the leading head
    async fn service_versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "服务代码 / Code of the service")] service_code: String,
    ) -> Option<Result<Vec<ServiceVersion>, Fault>> {
        let asking = asking(ctx);
        let found = asking.engine.versions(asking.viewer, &ServiceCode::new(service_code));
        Some(found.map(|all| all.into_iter().map(Into::into).collect()).map_err(Fault::from))
    }

    /// 升级报告:在途办件改用某版本会怎样,逐页 / What a version would do to the live cases, page by page
    async fn upgrade_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "服务代码 / Code of the service")] service_code: String,
        #[graphql(desc = "版本 / The version")] version: String,
        #[graphql(
            desc = "地区,含所辖;默认为本人的第一个地区 / Region with all inside it; the viewer's first by default"
        )]
        region: Option<String>,
        #[graphql(desc = "最多多少条,1 到 100 / At most so many, 1 to 100")] first: i32,
        #[graphql(desc = "从此游标之后 / After this cursor")] after: Option<String>,
    ) -> Option<Result<UpgradeReport, Fault>> {
        let asked = (ServiceCode::new(service_code), version, region.map(RegionCode::new));
        Some(report(asking(ctx), asked, (first, after)).await)
    }

    /// 回看:办件在某条记录之后的状态、脚本所在的行和变量;无权查看时为空 / Time travel: the case after an entry, with the line and variables of its scripts; null when it is not for this viewer
    async fn case_at(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "办件标识 / Id of the case")] case_id: ID,
        #[graphql(desc = "第几条记录,默认最后一条 / After which entry; the last one by default")]
        until: Option<u32>,
    ) -> Option<Result<CaseAt, Fault>> {
        let asking = asking(ctx);
        let id = case_id.parse().ok()?;
        let found = asking.engine.case_at(asking.viewer, id, until.map(Seq)).await;
        found.map(|at| at.map(CaseAt::from)).map_err(Fault::from).transpose()
    }
}

async fn report(
    asking: Asking<'_>,
    asked: (ServiceCode, String, Option<RegionCode>),
    page: (i32, Option<String>),
) -> Result<UpgradeReport, Fault> {
    let (service, version, region) = asked;
    let closure = read_version(&version).ok_or_else(|| unknown(&version))?;
    let page = PageRequest { first: read_first(page.0)?, after: read_cursor(page.1)? };
    let found =
        asking.engine.upgrade_report(asking.viewer, (&service, &closure), region.as_ref(), page);
    let found = found.await?;
    Ok(UpgradeReport::of(&found.items, PageInfo::before(found.next.as_ref())))
}

/// Reads a version as it is shown.
pub(crate) fn read_version(text: &str) -> Option<Digest> {
    Digest::from_hex(text.strip_prefix("sha-256:").unwrap_or(text))
}

fn unknown(version: &str) -> EngineError {
    Refusal::new(
        "VERSION_NOT_FOUND",
        format!("没有版本 {version}"),
        format!("there is no version {version}"),
    )
    .at(["version"])
    .into()
}
