//! The words of `scripts explain`, `scripts graph` and `scripts new`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use super::Format;

const EXPLAIN_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts explain construction-start
  tongban scripts explain construction-start --answers '{\"basement\": true, \"waste\": false}'
  tongban scripts explain construction-start --answers answers.json --format html > guide.html

还有问题没有回答时,列出问题,退出码为 65。 / Lists the questions that are open and ends with 65.";

/// Arguments of `scripts explain`.
#[derive(Args, Debug)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// 哪个服务的哪种情形。 / Which service, and which situation.
    #[command(flatten)]
    pub(crate) situation: SituationArguments,
    /// 结果的格式。 / How the guide is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: GuideFormat,
    /// 文字的语言,用于 text 格式。 / Language of the text format.
    #[arg(long, value_enum, default_value_t, value_name = "LANG")]
    pub(crate) lang: Language,
}

/// A service, and an applicant's answers.
#[derive(Args, Debug)]
pub(crate) struct SituationArguments {
    /// 服务代码。 / Code of the service.
    #[arg(value_name = "SERVICE")]
    pub(crate) service: String,
    /// 情形引导问题的答案:JSON 对象或 JSON 文件。 / Answers to the questions: a JSON object or a file of one.
    #[arg(long, value_name = "JSON|FILE")]
    pub(crate) answers: Option<String>,
    /// 脚本文件夹;默认用内置脚本。 / Folder of scripts; the shipped ones by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
}

/// How a guide is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum GuideFormat {
    /// 供人阅读 / for people
    #[default]
    Text,
    /// 供程序读取 / for programs
    Json,
    /// 可打印的一次告知单 / a sheet to print
    Html,
}

/// A language.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Language {
    /// 中文 / Chinese
    #[default]
    Zh,
    /// 英文 / English
    En,
}

const GRAPH_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts graph construction-start > construction-start.mmd
  tongban scripts graph construction-start --format svg > construction-start.svg
  tongban scripts graph construction-start --format svg --answers '{\"basement\": true, \"waste\": false}' > graph.svg

粗线为关键路径,虚线为可容缺的材料;给出答案时,不需要的事项显示为灰色。
Bold is the critical path, dashed what may come later; with answers, matters that are not needed are grey.";

/// Arguments of `scripts graph`.
#[derive(Args, Debug)]
#[command(after_help = GRAPH_EXAMPLES)]
pub(crate) struct GraphArguments {
    /// 哪个服务的哪种情形。 / Which service, and which situation.
    #[command(flatten)]
    pub(crate) situation: SituationArguments,
    /// 结果的格式。 / How the graph is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: GraphFormat,
}

/// How a graph is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Mermaid 流程图 / a Mermaid flowchart
    #[default]
    Mermaid,
    /// 图片 / a picture
    Svg,
    /// 供程序读取 / for programs
    Json,
}

const NEW_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts new service shop-opening --name 开店一件事
  tongban scripts new matter signboard --name 店招设置 --department urban-management --regime licence
  tongban scripts new service shop-opening --name 开店一件事 --matters signboard,road-use --path ./scripts

已有的文件不会被覆盖。 / Nothing that exists is overwritten.";

/// Arguments of `scripts new`.
#[derive(Args, Debug)]
#[command(after_help = NEW_EXAMPLES)]
pub(crate) struct NewArguments {
    /// What to write.
    #[command(subcommand)]
    pub(crate) what: NewScript,
}

/// What `scripts new` writes.
#[derive(Debug, Subcommand)]
pub(crate) enum NewScript {
    /// 新建一件事服务;不给 --matters 时附带一个同名事项。 / A service; without --matters also a first matter of its code.
    Service(NewServiceArguments),
    /// 新建事项。 / A matter.
    Matter(NewMatterArguments),
}

/// Arguments of `scripts new service`.
#[derive(Args, Debug)]
pub(crate) struct NewServiceArguments {
    /// 服务代码:小写字母、数字和连字符。 / Code: lower-case letters, digits and hyphens.
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
    /// 名称。 / Name.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// 事项代码,按先后,以逗号分隔。 / Codes of its matters in order, separated by commas.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) matters: Vec<String>,
    /// 牵头部门代码。 / Code of the department that leads.
    #[arg(long, value_name = "CODE", default_value = "lead-department")]
    pub(crate) lead: String,
    /// 开通地区的行政区划代码。 / Region code of the place where it is offered.
    #[arg(long, value_name = "CODE", default_value = "420300")]
    pub(crate) region: String,
    /// 脚本文件夹。 / Folder of scripts.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) path: PathBuf,
}

/// Arguments of `scripts new matter`.
#[derive(Args, Debug)]
pub(crate) struct NewMatterArguments {
    /// 事项代码:小写字母、数字和连字符。 / Code: lower-case letters, digits and hyphens.
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
    /// 名称,默认为代码。 / Name; the code by default.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// 主管部门代码。 / Code of the department that decides.
    #[arg(long, value_name = "CODE")]
    pub(crate) department: String,
    /// 规则体系。 / Body of rules.
    #[arg(long, value_name = "REGIME", default_value = "licence", value_parser = regimes())]
    pub(crate) regime: String,
    /// 脚本文件夹。 / Folder of scripts.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) path: PathBuf,
}

fn regimes() -> clap::builder::PossibleValuesParser {
    let known = tongban_core::definition::Regime::ALL;
    known.map(|(_, code, name)| clap::builder::PossibleValue::new(code).help(name)).into()
}

const UPGRADE_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts upgrade-report --service construction-start --to ./scripts --data ./data
  tongban scripts upgrade-report --service construction-start --to 5b0c… --data ./data --format json

passes 全部一致;opaque 停在审批决定中,只能确认到此前的记录;diverges 与日志不一致,给出请求、文件和行。
passes: everything replays. opaque: inside an open decision, proven up to the entry before it.
diverges: it would go another way, at this request, file and line.
有不一致时退出码为 65。正在使用该文件夹的服务会代为重放;接口的 upgradeReport 与此相同。
Exit code 65 when a case diverges. A server that is using the folder does the work; its query upgradeReport says the same.";

/// Arguments of `scripts upgrade-report`.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[command(after_help = UPGRADE_EXAMPLES)]
pub(crate) struct UpgradeArguments {
    /// 服务代码。 / Code of the service.
    #[arg(long, value_name = "CODE")]
    pub(crate) service: String,
    /// 新版本:脚本文件夹,或数据文件夹中已有版本的摘要。 / The new version: a folder of scripts, or the digest of one that the data folder knows.
    #[arg(long, value_name = "DIR|DIGEST")]
    pub(crate) to: String,
    /// 数据文件夹;服务可以正在使用。 / Data folder; a server may be using it.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 只看此地区的办件,含所辖区县;默认全部。 / Only cases of this region and all inside it; all by default.
    #[arg(long, value_name = "CODE", default_value = "")]
    pub(crate) region: String,
    /// 结果的格式。 / How the report is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

const REBIND_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts upgrade-report --service construction-start --to sha-256:5b0c… --data ./data
  tongban scripts rebind --service construction-start --to sha-256:5b0c… --expect 128 --reason 修正税务脚本 --token-file admin.jwt

逐件试运行,一致才换;不一致的留在原版本并列出从哪条记录起不同。中断后再运行一次即接着办。
Each case is tried first and moved only if it replays; one that diverges stays, and the entry is named.
Cut short, run it again: it goes on. Exit code 65 when a case diverges or is refused.";

/// Arguments of `scripts rebind`.
#[derive(Args, Debug)]
#[command(after_help = REBIND_EXAMPLES)]
pub(crate) struct RebindArguments {
    /// 服务代码。 / Code of the service.
    #[arg(long, value_name = "CODE")]
    pub(crate) service: String,
    /// 新版本的摘要,须已发布到服务器。 / Digest of the new version, which the server must know.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) to: String,
    /// 升级报告中看到的在途办件数;已变动则拒绝。 / How many live cases the report showed; refused when they are more or fewer.
    #[arg(long, value_name = "N")]
    pub(crate) expect: u32,
    /// 地区,含所辖区县;默认为令牌的第一个地区。 / Region with all inside it; the token's first by default.
    #[arg(long, value_name = "CODE")]
    pub(crate) region: Option<String>,
    /// 停在审批决定中的办件也换用。 / Also move cases that stand in an open decision.
    #[arg(long)]
    pub(crate) undecided: bool,
    /// 为什么。 / Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: Server,
    /// 结果的格式。 / How the report is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

const PUBLISH_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts publish ./scripts --service construction-start --reason 新流程 --token-file wang.jwt
  tongban scripts publish --service construction-start --reason 首次上线 --token-file wang.jwt
  tongban scripts publish --service construction-start --version sha-256:5b0c… --to pilot --region 420302 --reason 试点 --token-file li.jwt
  tongban scripts publish --service construction-start --version sha-256:5b0c… --to active --reason 验收通过 --token-file li.jwt

不给文件夹时,发布服务器已加载的该服务。试点和启用须由发布人以外的另一人办理。
Without a folder, what the server has loaded is published. Who published a version does not let it be used.";

/// Arguments of `scripts publish`.
#[derive(Args, Debug)]
#[command(after_help = PUBLISH_EXAMPLES)]
pub(crate) struct PublishArguments {
    /// 脚本文件夹。 / Folder of scripts.
    #[arg(value_name = "PATH", conflicts_with = "to")]
    pub(crate) path: Option<PathBuf>,
    /// 服务代码。 / Code of the service.
    #[arg(long, value_name = "CODE")]
    pub(crate) service: String,
    /// 版本,与 --to 同用。 / The version, with --to.
    #[arg(long, value_name = "DIGEST", requires = "to")]
    pub(crate) version: Option<String>,
    /// 改为什么状态。 / What it is moved to.
    #[arg(long, value_enum, value_name = "STATE", requires = "version")]
    pub(crate) to: Option<VersionState>,
    /// 试点地区,可重复。 / Place of a pilot, repeatable.
    #[arg(long, value_name = "CODE")]
    pub(crate) region: Vec<String>,
    /// 为什么。 / Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: Server,
}

/// What a version is moved to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum VersionState {
    /// 试点 / in use at some places
    Pilot,
    /// 启用 / in use
    Active,
    /// 停用 / not in use any more
    Retired,
}

impl VersionState {
    /// Returns the name that the API uses.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Pilot => "PILOT",
            Self::Active => "ACTIVE",
            Self::Retired => "RETIRED",
        }
    }
}

/// A server, and who asks it.
#[derive(Args, Debug)]
pub(crate) struct Server {
    /// 服务地址。 / Address of the API.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7400/graphql")]
    pub(crate) server: String,
    /// 令牌文件。 / File with a token.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

const VERSIONS_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts versions --service construction-start --token-file wang.jwt
  tongban scripts versions --service construction-start --data ./data --format json";

/// Arguments of `scripts versions`.
#[derive(Args, Debug)]
#[command(after_help = VERSIONS_EXAMPLES)]
pub(crate) struct VersionsArguments {
    /// 服务代码。 / Code of the service.
    #[arg(long, value_name = "CODE")]
    pub(crate) service: String,
    /// 数据文件夹,须没有服务正在使用;不给则问服务器。 / Data folder that no server is using; without it the server is asked.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: Server,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}
