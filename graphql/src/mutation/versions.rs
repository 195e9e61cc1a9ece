//! Publishing versions of services, and letting them be used: the second by another person.

use std::collections::BTreeMap;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::publication::{Step, Version};
use tongban_engine::{EngineError, MoveVersion, MovedVersion};

use super::outcome::{read_key, refuse};
use crate::error::{Denied, Fault, MoveVersionError, PublishScriptsError, Stop};
use crate::query::read_version;
use crate::schema::{Asking, asking};
use crate::view::ServiceVersion;

/// Files of one publication.
const FILES_MAX: usize = 500;

/// 一个脚本文件 / A script file
#[derive(InputObject)]
pub(crate) struct ScriptFile {
    /// 路径,如 services/construction-start.rhai / Path, such as services/construction-start.rhai
    path: String,
    /// 内容 / Its text
    text: String,
}

/// publishScripts 的输入:上传脚本,或指明服务器已加载的服务 / Input of publishScripts: scripts, or a service that the server has loaded
#[derive(InputObject)]
pub(crate) struct PublishScriptsInput {
    /// 脚本文件,含用到的事项和库 / Script files, with the matters and libraries that they use
    files: Option<Vec<ScriptFile>>,
    /// 服务器已加载的服务的代码 / Code of a service that the server has loaded
    service_code: Option<String>,
    /// 为什么 / Why
    reason: String,
    /// 幂等键:重复发布同样的脚本无害 / Idempotency key; publishing the same scripts again does no harm
    idempotency_key: String,
}

/// publishScripts 的结果 / What came of publishScripts
#[derive(SimpleObject)]
pub(crate) struct PublishScriptsPayload {
    /// 发布的版本,均为草稿 / The versions, as drafts
    versions: Vec<ServiceVersion>,
    /// 业务错误;空则成功 / Refusals; none means it was done
    errors: Vec<PublishScriptsError>,
}

/// moveVersion 的输入 / Input of moveVersion
#[derive(InputObject)]
pub(crate) struct MoveVersionInput {
    /// 服务代码 / Code of the service
    service_code: String,
    /// 版本 / The version
    version: String,
    /// 改为:PILOT、ACTIVE 或 RETIRED / To what
    to: VersionMove,
    /// 试点地区,仅用于 PILOT / Places of a pilot
    regions: Option<Vec<String>>,
    /// 为什么 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// 版本改为什么状态 / What a version is moved to
#[derive(Clone, Copy, Eq, PartialEq, async_graphql::Enum)]
pub(crate) enum VersionMove {
    /// 在若干地区试点 / In use at some places
    Pilot,
    /// 启用;原启用的版本停用 / In use; the one before is retired
    Active,
    /// 停用;在途办件不受影响 / Not in use any more; running cases go on
    Retired,
}

/// moveVersion 的结果 / What came of moveVersion
#[derive(SimpleObject)]
pub(crate) struct MoveVersionPayload {
    /// 改后的版本;被拒绝时为空 / The version afterwards; null when refused
    version: Option<ServiceVersion>,
    /// 业务错误;空则成功 / Refusals; none means it was done
    errors: Vec<MoveVersionError>,
    /// 是否由同一幂等键的先前请求完成 / Whether an earlier request with the same key did it
    replayed: bool,
}

/// The fields that move versions.
#[derive(Default)]
pub(crate) struct VersionMutations;

#[Object]
impl VersionMutations {
    /// 发布脚本为草稿版本:先检查,有误则都不发布 / Publishes scripts as drafts; they are checked first, and none is published when one is wrong
    async fn publish_scripts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: PublishScriptsInput,
    ) -> Option<Result<PublishScriptsPayload, Fault>> {
        let (versions, errors) = match publish(asking(ctx), input).await {
            Ok(versions) => (versions.into_iter().map(Into::into).collect(), Vec::new()),
            Err(Stop::Denied(denied)) => (Vec::new(), vec![refuse(ctx, *denied)]),
            Err(Stop::Fault(fault)) => return Some(Err(fault)),
        };
        Some(Ok(PublishScriptsPayload { versions, errors }))
    }

    /// 试点、启用或停用一个版本;试点和启用须由发布人以外的另一人办理 / Pilots, activates or retires a version; who published it does not let it be used
    async fn move_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: MoveVersionInput,
    ) -> Option<Result<MoveVersionPayload, Fault>> {
        Some(match moved(asking(ctx), input).await {
            Ok(MovedVersion { version, replayed }) => {
                let version = Some(version.into());
                Ok(MoveVersionPayload { version, errors: Vec::new(), replayed })
            }
            Err(Stop::Denied(denied)) => {
                let errors = vec![refuse(ctx, *denied)];
                Ok(MoveVersionPayload { version: None, errors, replayed: false })
            }
            Err(Stop::Fault(fault)) => Err(fault),
        })
    }
}

async fn publish(asking: Asking<'_>, input: PublishScriptsInput) -> Result<Vec<Version>, Stop> {
    read_key(input.idempotency_key)?;
    let Asking { engine, viewer } = asking;
    match (input.files, input.service_code) {
        (Some(files), None) if !files.is_empty() && files.len() <= FILES_MAX => {
            let files: BTreeMap<String, String> =
                files.into_iter().map(|file| (file.path, file.text)).collect();
            let published = engine.publish_scripts(viewer, files, input.reason).await;
            let published = published.map_err(as_stop)?;
            Ok(published.into_iter().map(|(_, version)| version).collect())
        }
        (None, Some(service)) => {
            let service = ServiceCode::new(service);
            Ok(vec![engine.publish_loaded(viewer, &service, input.reason).await?])
        }
        (Some(_), _) | (None, None) => Err(Denied::invalid(
            "files",
            "请给出 1 到 500 个脚本文件,或者一个服务代码",
            "give 1 to 500 script files, or the code of a service",
        )
        .into()),
    }
}

/// Scripts with mistakes are the publisher's to mend, not a fault of the server.
fn as_stop(error: EngineError) -> Stop {
    if let EngineError::Script(fault) = &error {
        let (zh, en) = (&fault.message, &fault.message);
        return Denied::invalid("files", zh, en).into();
    }
    error.into()
}

async fn moved(asking: Asking<'_>, input: MoveVersionInput) -> Result<MovedVersion, Stop> {
    let key = read_key(input.idempotency_key)?;
    let closure = read_version(&input.version).ok_or_else(|| {
        Denied::invalid(
            "version",
            "版本应为 64 位十六进制摘要",
            "a version is a digest of 64 digits",
        )
    })?;
    let regions = input.regions.unwrap_or_default();
    let step = match input.to {
        VersionMove::Pilot => {
            Step::Piloted { regions: regions.into_iter().map(RegionCode::new).collect() }
        }
        VersionMove::Active => Step::Activated,
        VersionMove::Retired => Step::Retired,
    };
    let service = ServiceCode::new(input.service_code);
    let moved = MoveVersion { service, closure, step, reason: input.reason };
    Ok(asking.engine.move_version(asking.viewer, moved, key).await?)
}
