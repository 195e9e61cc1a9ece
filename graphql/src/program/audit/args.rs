//! The words of `tongban audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::program::args::Format;

/// Arguments of `audit`.
#[derive(Args, Debug)]
pub(crate) struct AuditArguments {
    /// Which tool.
    #[command(subcommand)]
    pub(crate) tool: AuditTool,
}

/// The tools for the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditTool {
    /// 列出审计日志;json 格式每行一条,可离线核验。 / List the audit log; as json one record a line, which can be verified elsewhere.
    List(ListArguments),
    /// 核验审计日志没有被改动、删去或插入。 / Verify that no record was changed, left out or put in between.
    Verify(VerifyArguments),
}

const LIST_EXAMPLES: &str = "\
示例 / Examples:
  tongban audit list --data ./data
  tongban audit list --data ./data --format json > audit.jsonl

服务运行时请用接口的 audit 查询(督查人员)。 / While a server runs, ask its query audit, as a supervisor.";

/// Arguments of `audit list`.
#[derive(Args, Debug)]
#[command(after_help = LIST_EXAMPLES)]
pub(crate) struct ListArguments {
    /// 数据文件夹;须没有服务正在使用。 / Data folder that no server is using.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

const VERIFY_EXAMPLES: &str = "\
示例 / Examples:
  tongban audit verify --data ./data
  tongban audit verify --file audit.jsonl

每条记录含前一条的摘要。摘要为 SHA-256,依次取序号、前一条摘要、时间、谁、角色、行为、对象、理由,
各写作“字节数:文字,”。最后一条的摘要可另行保管,用以发现整体替换。完好时退出码为 0,否则为 65。
Every record holds the digest of the one before. A digest is SHA-256 over number, digest before, time,
who, role, act, target and reason, each as `bytes:text,`. Keep the last digest elsewhere to notice that
the whole was replaced. Exit code 0 when all hold, 65 otherwise.";

/// Arguments of `audit verify`.
#[derive(Args, Debug)]
#[command(after_help = VERIFY_EXAMPLES)]
#[group(required = true, multiple = false)]
pub(crate) struct VerifyArguments {
    /// 数据文件夹;须没有服务正在使用。 / Data folder that no server is using.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// `audit list --format json` 的输出,或导出文件旁的 audit.log。 / What `audit list --format json` wrote, or an audit.log.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}
