//! The command line: its words, defaults and help. Nothing is done here.

mod tools;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

pub(crate) use self::tools::{
    ExplainArguments, GraphArguments, GraphFormat, GuideFormat, Language, NewArguments,
    NewMatterArguments, NewScript, NewServiceArguments, PublishArguments, RebindArguments, Server,
    SituationArguments, UpgradeArguments, VersionsArguments,
};
use super::audit::args::AuditArguments;
use super::bench::args::BenchArguments;
use super::blobs::args::BlobsArguments;
use super::calendar::args::CalendarArguments;
use super::case::args::CaseArguments;
use super::figures::args::FiguresArguments;
use super::id::args::IdArguments;
use super::import::args::{ImportArguments, SchemaArguments};
use super::incidents::args::IncidentsArguments;
use super::upkeep::args::{
    BackupArguments, ExportArguments, ImportCasesArguments, RestoreArguments, StoreArguments,
};

const EXAMPLES: &str = "\
示例 / Examples:
  tongban demo                                   看一件办件走完八个许可 / see eight permits in one case
  tongban demo --exit --format json              办完即退出,只输出一份汇总 / one summary, then end
  tongban serve --dev --data ./data              本机试用 / try it on this computer
  tongban token --dev --data ./data --role approver --region 420300 --department natural-resources
  tongban scripts check ./scripts                上线前检查脚本 / check scripts before deploying
  tongban calendar due --from 2026-02-12 --limit \"5 working days\" --region 420300
  tongban id check 420302199001010015            核对号码 / check a number
  tongban schema > schema.graphql                输出接口定义 / print the schema

退出码 / Exit codes: 0 完成 done, 1 程序缺陷 bug, 2 用法 usage, 65 数据或脚本 data or scripts,
  69 不可用 unavailable, 70 演示未办成 demo not finished, 73 无法创建 cannot create, 74 读写失败 I/O,
  75 稍后再试 try later, 78 配置 configuration";

/// 通办:高效办成一件事的引擎。 / Tongban: the engine for one-thing-one-go government services.
#[derive(Debug, Parser)]
#[command(name = "tongban", version, max_term_width = 110, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 演示:自动办完“开工审批一件事”。 / Run one case of eight permits, live.
    Demo(DemoArguments),
    /// 启动服务。 / Serve the GraphQL API.
    Serve(ServeArguments),
    /// 签发本机试用令牌。 / Sign a token for a server started with --dev.
    Token(TokenArguments),
    /// 脚本工具。 / Tools for those who write services.
    Scripts(ScriptsArguments),
    /// 单个办件:回看、导出、暂停、恢复、停止、换版本。 / One case: time travel, export, pause, resume, cancel, rebind.
    Case(CaseArguments),
    /// 异常:列出、查看、处理。 / Incidents: list, show, settle.
    Incidents(IncidentsArguments),
    /// 审计日志:列出、核验。 / The audit log: list, verify.
    Audit(AuditArguments),
    /// 期限与日历。 / Limits and calendars.
    Calendar(CalendarArguments),
    /// 号码。 / Identifiers that people bring.
    Id(IdArguments),
    /// 统计:按时率、减免率、补正、中止、督办、卡点。 / Figures: on time, exempted, corrected, stuck.
    Figures(FiguresArguments),
    /// 导入机构人员、绑定、协议、日历、督办规则。 / Import offices, people, agreements, rules.
    Import(ImportArguments),
    /// 办件文件的维护。 / Upkeep of the files of cases.
    Blobs(BlobsArguments),
    /// 核对与重建。 / Check what is stored against the logs, put it right.
    Store(StoreArguments),
    /// 备份数据文件夹,服务可以正在运行。 / Back up a data folder, served or not.
    Backup(BackupArguments),
    /// 把备份恢复到新的数据文件夹。 / Restore a backup into a new data folder.
    Restore(RestoreArguments),
    /// 把办件导出为一个文件。 / Export cases into one file.
    Export(ExportArguments),
    /// 导入导出的办件。 / Import exported cases into another data folder.
    ImportCases(ImportCasesArguments),
    /// 在本机自测。 / Measure this program on this machine.
    Bench(BenchArguments),
    /// 输出 GraphQL 接口定义。 / Print the GraphQL schema (SDL).
    Schema(SchemaArguments),
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
pub(crate) enum Format {
    /// 供人阅读 / for people
    #[default]
    Text,
    /// 供程序读取 / for programs
    Json,
}

const DEMO_EXAMPLES: &str = "\
示例 / Examples:
  tongban demo
  tongban demo --exit --format json > summary.json
  tongban demo --data ./demo        再次运行会在同一文件夹中再办一件 / run it again for a second case";

/// Arguments of `demo`.
#[derive(Args, Debug)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct DemoArguments {
    /// 办完后退出,全部如期办结时状态为 0。 / End after the run; status 0 only if all ended well.
    #[arg(long)]
    pub(crate) exit: bool,
    /// 结果的格式。 / How the result is written to standard output.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// 数据文件夹,默认新建在系统临时目录。 / Data folder; a new one among the temporary files by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// 监听地址,端口 0 由系统选择。 / Where to listen; port 0 lets the system choose.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
}

const SERVE_EXAMPLES: &str = "\
示例 / Examples:
  tongban serve --dev --data ./data
  tongban serve --data /var/lib/tongban --listen 0.0.0.0:7400 --config tongban.toml

配置文件 / Configuration file (TOML):
  party = \"420300/tongban\"                # 本方名称,有 cxp 连接器时必填 / our name, needed for cxp
  scripts = \"scripts\"                     # 省略则用内置脚本 / shipped scripts when left out
  publishing = \"approved\"                 # 默认须另一人启用;loaded 加载即启用 / two persons; loaded: at once
  [identity]
  jwks_file = \"jwks.json\"                 # 统一身份认证的公钥 / public keys of your identity provider
  issuer = \"https://id.example.org\"
  audience = \"tongban\"
  [storage.s3]                              # 文件和参考数据存入 S3,默认在数据文件夹 / a bucket instead of the folder
  endpoint = \"https://s3.example.org\"     # 密钥取自 AWS_ACCESS_KEY_ID 等环境变量或 credentials_file
  bucket = \"tongban\"
  region = \"cn-1\"
  [seal.http]                               # 电子印章服务;不设则文书只有草稿 / who seals; drafts only without
  base_url = \"https://seal.example.org\"
  keys_file = \"seal-keys.json\"            # 印章的公钥 (JWKS) / public keys of its seals
  secret_env = \"SEAL_SECRET\"              # 或 secret_file;口令不写在这里 / or secret_file; never the secret itself
  [connectors.natural-resources.cxp]        # 部门业务系统 / an agency with a system
  base_url = \"http://10.0.0.8:8080\"
  party = \"420300/natural-resources\"
  trust = \"unsigned\"                      # 尚无签名,须明确写出 / no signatures yet; say so
  [connectors.counter.manual]               # 没有系统的部门 / an office without a system
  role = \"urban-management.clerk\"
  [[bindings]]                              # 哪个连接器承接哪些操作 / which connector carries what
  operation = \"natural-resources.*\"
  region = \"420300\"
  connector = \"natural-resources\"
  reply_within = \"2 working days\"           # 约定的答复期限,可省略 / agreed time to answer; may be left out";

/// Arguments of `serve`.
#[derive(Args, Debug)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct ServeArguments {
    /// 数据文件夹,没有则新建。 / Data folder; created when it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 监听地址。 / Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7400")]
    pub(crate) listen: SocketAddr,
    /// 试用:密钥写入数据文件夹,仅本机可访问。 / Try it out: a key in the data folder, this computer alone.
    #[arg(long)]
    pub(crate) dev: bool,
    /// 配置文件。 / Configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// 脚本文件夹,优先于配置文件。 / Folder of scripts; wins over the configuration file.
    #[arg(long, value_name = "DIR")]
    pub(crate) scripts: Option<PathBuf>,
    /// 脚本文件改动后自动检查,无误即对新办件生效(须同时给出 --dev)。 / Check scripts when they change, and use them for new cases (with --dev).
    #[arg(long, requires = "dev")]
    pub(crate) watch: bool,
}

const TOKEN_EXAMPLES: &str = "\
示例 / Examples:
  tongban token --dev --data ./data --role applicant --party 91420302MA4DEM010M
  tongban token --dev --data ./data --role window-clerk --region 420300
  tongban token --dev --data ./data --role approver --region 420300 --department natural-resources
  tongban token --dev --data ./data --role supervisor --region 420300 --hours 1";

/// Arguments of `token`.
#[derive(Args, Debug)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(crate) struct TokenArguments {
    /// 用数据文件夹中的试用密钥签名(必填,别无其他密钥)。 / Sign with the folder's key; there is no other.
    #[arg(long)]
    pub(crate) dev: bool,
    /// 曾以 `serve --dev` 启动的数据文件夹。 / Data folder of a `serve --dev`.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 角色。 / The role.
    #[arg(long, value_enum, value_name = "ROLE")]
    pub(crate) role: RoleName,
    /// 行政区划代码,可重复;市含所辖区县。 / Region code, repeatable; a city includes its districts.
    #[arg(long, value_name = "CODE")]
    pub(crate) region: Vec<String>,
    /// 部门代码,可重复。 / Department code, repeatable.
    #[arg(long, value_name = "CODE")]
    pub(crate) department: Vec<String>,
    /// 申请人的证件号码或统一社会信用代码。 / For an applicant: the identifier he files for.
    #[arg(long, value_name = "ID")]
    pub(crate) party: Option<String>,
    /// 人员标识,默认 dev:角色。 / Who it is; `dev:ROLE` by default.
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,
    /// 有效小时数,1 至 720。 / Hours of validity, 1 to 720.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=720))]
    pub(crate) hours: u32,
}

/// The roles, as the command line spells them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum RoleName {
    /// 申请人 / files for himself or his enterprise
    Applicant,
    /// 窗口人员 / receives and accepts in a region
    WindowClerk,
    /// 审批人员 / decides for a department
    Approver,
    /// 集成人员 / writes and publishes services
    Integrator,
    /// 督查人员 / sees everything of a region, changes nothing
    Supervisor,
    /// 机关负责人 / heads an office: approves extensions and revocations
    OfficeHead,
    /// 系统管理员 / keeps the engine running in a region, decides nothing
    SystemAdmin,
}

/// Arguments of `scripts`.
#[derive(Args, Debug)]
pub(crate) struct ScriptsArguments {
    /// Which tool.
    #[command(subcommand)]
    pub(crate) tool: ScriptsTool,
}

/// The tools for scripts.
#[derive(Debug, Subcommand)]
pub(crate) enum ScriptsTool {
    /// 检查脚本:逐条给出文件、行、原文和建议。 / Check scripts; each finding with file, line and advice.
    Check(CheckArguments),
    /// 排练:用虚拟时间和假想部门试办一件事。 / Play cases with given time and make-believe agencies.
    Rehearse(RehearseArguments),
    /// 一次告知:给定答案时,申请人会看到的事项、材料、表单和时限。 / The guide that an applicant gets for given answers.
    Explain(ExplainArguments),
    /// 画出事项先后、时限和关键路径。 / Draw the matters, their order, limits and critical path.
    Graph(GraphArguments),
    /// 新建带注释的脚本。 / Write a new, commented script.
    New(NewArguments),
    /// 发布脚本为草稿版本,或试点、启用、停用一个版本。 / Publish scripts as drafts; pilot, activate or retire a version.
    Publish(PublishArguments),
    /// 服务的各版本及其经过。 / Versions of a service with their history.
    Versions(VersionsArguments),
    /// 升级报告:在途办件改用新版本会怎样。 / What a new version would do to the live cases.
    UpgradeReport(UpgradeArguments),
    /// 批量换用:把一致的在途办件换到新版本。 / Move the live cases that replay to a new version.
    Rebind(RebindArguments),
}

const CHECK_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts check ./scripts
  tongban scripts check ./scripts --operations ./operations.json --format json

没有问题时退出码为 0,有问题时为 65。 / Exit code 0 when nothing is wrong, 65 otherwise.";

/// Arguments of `scripts check`.
#[derive(Args, Debug)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct CheckArguments {
    /// 含 services、matters、lib 的文件夹。 / Folder with services, matters and lib.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// 部门操作目录;默认用文件夹中的 operations.json,再没有则用内置的。 / Catalogue of operations;
    /// by default operations.json in the folder, else the shipped one.
    #[arg(long, value_name = "FILE")]
    pub(crate) operations: Option<PathBuf>,
    /// 结果的格式。 / How the findings are written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

const REHEARSE_EXAMPLES: &str = "\
示例 / Examples:
  tongban scripts rehearse ./scripts
  tongban scripts rehearse ./scripts/services/construction-start.rehearsal.rhai
  tongban scripts rehearse ./scripts --filter 撤回 --format json
  tongban scripts rehearse ./scripts --update    改写文件中打印的经过 / rewrite printed histories

全部通过时退出码为 0,否则为 65。 / Exit code 0 when every one passes, 65 otherwise.";

/// Arguments of `scripts rehearse`.
#[derive(Args, Debug)]
#[command(after_help = REHEARSE_EXAMPLES)]
pub(crate) struct RehearseArguments {
    /// 脚本文件夹,或其中的文件夹或 *.rehearsal.rhai。 / Folder of scripts, or a folder or file in it.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// 只排练名称含此文字的。 / Only rehearsals whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// 将打印的经过改写为实际的经过,不改其他。 / Rewrite printed histories to what happens, and nothing else.
    #[arg(long)]
    pub(crate) update: bool,
    /// 部门操作目录,默认与 scripts check 相同。 / Catalogue of operations; as for scripts check.
    #[arg(long, value_name = "FILE")]
    pub(crate) operations: Option<PathBuf>,
    /// 结果的格式。 / How the results are written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}
