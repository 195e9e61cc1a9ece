//! Versions of services, and what one would do to the live cases.

use async_graphql::{ID, SimpleObject};
use tongban_core::dry_run::{Found, MatterVerdict};
use tongban_core::publication::{Standing, Step, Version};
use tongban_engine::upgrade::Upgrade;
use tongban_engine::{Rebound, ReboundOne};

use super::{DateTime, PageInfo};

/// 服务的一个版本 / A version of a service
#[derive(SimpleObject)]
pub(crate) struct ServiceVersion {
    /// 版本:脚本的摘要 / The version: digest of its scripts
    version: String,
    /// 状态:draft、pilot、active、retired / Where it stands: draft, pilot, active, retired
    standing: &'static str,
    /// 状态名称 / Name of where it stands
    standing_name: &'static str,
    /// 试点地区 / Places of the pilot
    regions: Vec<String>,
    /// 发布人;试点和启用须由另一人办理 / Who published it; another one lets it be used
    author: String,
    /// 经过,从早到晚 / What happened to it, oldest first
    steps: Vec<VersionStep>,
}

/// 版本经过中的一步 / A step in the history of a version
#[derive(SimpleObject)]
pub(crate) struct VersionStep {
    /// 第几步,在本服务内连续 / Its number, within the service
    no: u32,
    /// drafted、piloted、activated 或 retired / drafted, piloted, activated or retired
    step: &'static str,
    /// 谁 / Who
    by: String,
    /// 以何角色 / In which role
    role: String,
    /// 为什么 / Why
    reason: String,
    /// 何时 / When
    at: DateTime,
}

impl From<Version> for ServiceVersion {
    fn from(version: Version) -> Self {
        let regions = match &version.standing {
            Standing::Pilot(regions) => regions.iter().map(ToString::to_string).collect(),
            Standing::Draft | Standing::Active | Standing::Retired => Vec::new(),
        };
        Self {
            version: version.closure.to_string(),
            standing: version.standing.code(),
            standing_name: version.standing.name(),
            regions,
            author: version.author().to_owned(),
            steps: version
                .steps
                .into_iter()
                .map(|step| VersionStep {
                    no: step.no,
                    step: match step.step {
                        Step::Drafted => "drafted",
                        Step::Piloted { .. } => "piloted",
                        Step::Activated => "activated",
                        Step::Retired => "retired",
                    },
                    by: step.by,
                    role: step.role,
                    reason: step.reason,
                    at: step.at.into(),
                })
                .collect(),
        }
    }
}

/// 升级报告的一页 / A page of an upgrade report
#[derive(SimpleObject)]
pub(crate) struct UpgradeReport {
    /// 在途办件 / Live cases
    nodes: Vec<UpgradeOfCase>,
    /// 分页信息 / Where the page stands
    page_info: PageInfo,
}

impl UpgradeReport {
    /// Shows a page.
    pub(crate) fn of(items: &[Upgrade], page_info: PageInfo) -> Self {
        Self { nodes: items.iter().map(UpgradeOfCase::of).collect(), page_info }
    }
}

/// 一个在途办件改用新版本会怎样 / What a new version would do to a live case
#[derive(SimpleObject)]
pub(crate) struct UpgradeOfCase {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 办件编号 / Public number
    number: String,
    /// 现用版本 / The version that it is on
    from: String,
    /// passes、opaque、unknown 或 diverges / passes, opaque, unknown or diverges
    outcome: &'static str,
    /// 各事项 / Its matters
    matters: Vec<UpgradeOfMatter>,
}

impl UpgradeOfCase {
    fn of(upgrade: &Upgrade) -> Self {
        Self {
            case_id: ID(upgrade.case.to_string()),
            number: upgrade.number.clone(),
            from: upgrade.from.to_string(),
            outcome: upgrade.verdict.outcome().code(),
            matters: upgrade.verdict.matters.iter().map(UpgradeOfMatter::of).collect(),
        }
    }
}

/// 一个事项改用新版本会怎样 / What a new version would do to a matter
#[derive(Default, SimpleObject)]
pub(crate) struct UpgradeOfMatter {
    /// 事项代码 / Code of the matter
    matter: String,
    /// passes、opaque、unknown 或 diverges / passes, opaque, unknown or diverges
    outcome: &'static str,
    /// 已确认到第几条记录;没有在途脚本时为空 / Proven up to this entry; null when no script is under way
    proven_up_to: Option<u32>,
    /// 会立即新提出的请求 / What it would newly ask for at once
    asks: Vec<String>,
    /// 不一致的请求 / The request at which it goes another way
    request: Option<String>,
    /// 日志中的内容 / What the journal holds
    expected: Option<String>,
    /// 新脚本提出的内容 / What the new scripts ask
    got: Option<String>,
    /// 说明 / What is wrong
    message: Option<String>,
    /// 文件 / File
    file: Option<String>,
    /// 行 / Line
    line: Option<u32>,
}

impl UpgradeOfMatter {
    fn of(verdict: &MatterVerdict) -> Self {
        let own = Self {
            matter: verdict.code.to_string(),
            outcome: verdict.found.outcome().code(),
            ..Self::default()
        };
        match &verdict.found {
            Found::Idle => own,
            Found::Passes(proof) | Found::Opaque(proof) => Self {
                proven_up_to: Some(proof.upto.0),
                asks: proof.asks.iter().map(|(_, target)| target.clone()).collect(),
                ..own
            },
            Found::Unknown(fault) => Self { message: Some(fault.message.clone()), ..own },
            Found::Diverges(divergence) => {
                let fault = &divergence.fault;
                let known = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
                Self {
                    proven_up_to: Some(divergence.upto.0),
                    request: divergence.request.as_ref().map(ToString::to_string),
                    expected: known(&fault.expected),
                    got: known(&fault.got),
                    message: Some(fault.message.clone()),
                    file: known(&fault.file),
                    line: Some(fault.line).filter(|line| *line > 0),
                    ..own
                }
            }
        }
    }
}

/// 一个在途办件换用版本的结果 / What came of moving a live case
#[derive(SimpleObject)]
pub(crate) struct RebindOfCase {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 办件编号 / Public number
    number: String,
    /// 此前所用的版本 / The version that it was on
    from: String,
    /// already、rebound、opaque、unknown、diverges 或 refused / already, rebound, opaque, unknown, diverges or refused
    outcome: &'static str,
    /// 被拒绝的原因 / Why it was refused
    refusal: Option<String>,
    /// 各事项的试运行结果;不一致的给出记录、请求、文件和行 / What the dry run found about its matters; where it diverges, with entry, request, file and line
    matters: Vec<UpgradeOfMatter>,
}

impl From<ReboundOne> for RebindOfCase {
    fn from(one: ReboundOne) -> Self {
        let refusal = match &one.outcome {
            Rebound::Refused(refusal) => Some(format!("{} / {}", refusal.zh, refusal.en)),
            Rebound::Already | Rebound::Moved(_) | Rebound::Stays => None,
        };
        Self {
            case_id: ID(one.case.to_string()),
            outcome: one.outcome.code(&one.verdict),
            number: one.number,
            from: one.from.to_string(),
            refusal,
            matters: one.verdict.matters.iter().map(UpgradeOfMatter::of).collect(),
        }
    }
}
