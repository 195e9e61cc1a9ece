//! The words of `tongban case`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::program::args::{Format, Server};

/// Arguments of `case`.
#[derive(Args, Debug)]
pub(crate) struct CaseArguments {
    /// Which tool.
    #[command(subcommand)]
    pub(crate) tool: CaseTool,
}

/// The tools for one case.
#[derive(Debug, Subcommand)]
pub(crate) enum CaseTool {
    /// 回看:办件在任一记录时的状态、期限、待办,脚本所在的行和变量。 / Time travel: the case at any entry, with the line and the variables of its scripts.
    Replay(ReplayArguments),
    /// 导出一个办件的日志和脚本,供在别处回看。 / Write a case's log and scripts into a file, to be looked at elsewhere.
    Export(ExportArguments),
    /// 暂停脚本;计时、督办和回执照常。 / Pause scripts; clocks, cards and replies go on.
    Pause(SteerArguments),
    /// 恢复被暂停的脚本。 / Let paused scripts go on.
    Resume(SteerArguments),
    /// 停止一个事项的脚本,并逆向撤销其登记的已办。 / Stop the script of a matter and undo what it registered.
    Cancel(CancelArguments),
    /// 换用另一脚本版本;先试运行,不通过则拒绝。 / Move a case to another version, after a dry run that passes.
    Rebind(RebindCaseArguments),
    /// 向事项的信箱发一条消息。 / Send a message to the mailbox of a matter.
    Send(SendArguments),
}

const REPLAY_EXAMPLES: &str = "\
示例 / Examples:
  tongban case replay 420302202603020000018 --data ./data
  tongban case replay 420302202603020000018 --until 17 --data ./data
  tongban case replay case_… --until 17 --bundle case.bundle --matter engineering-planning-permit
  tongban case replay case_… --data ./data --format json
  tongban case replay case_… --data ./data --reveal --reason \"群众投诉核查\"

个人信息默认脱敏;--reveal 须说明原因,并记入审计日志(对导出文件则为其旁的 audit.log)。
Personal data is masked; --reveal needs a reason, which the audit log keeps (for a bundle, audit.log beside it).
正在使用该文件夹的服务会代为回看。 / A server that is using the folder does the work.";

/// Arguments of `case replay`.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct ReplayArguments {
    /// 办件标识或办件编号。 / Id or public number of the case.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// 回看到第几条记录,默认最后一条。 / After which entry; the last one by default.
    #[arg(long, value_name = "N")]
    pub(crate) until: Option<u32>,
    /// Where the case is.
    #[command(flatten)]
    pub(crate) from: From,
    /// 只看此事项。 / Only this matter.
    #[arg(long, value_name = "CODE")]
    pub(crate) matter: Option<String>,
    /// 显示个人信息(须同时给出 --reason)。 / Show personal data (with --reason).
    #[arg(long, requires = "reason")]
    pub(crate) reveal: bool,
    /// 显示个人信息的原因。 / Why personal data is shown.
    #[arg(long, value_name = "TEXT", requires = "reveal")]
    pub(crate) reason: Option<String>,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// Where a case is: exactly one of them.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(required = true, multiple = false)]
pub(crate) struct From {
    /// 数据文件夹;服务可以正在使用。 / Data folder; a server may be using it.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// 导出的办件文件。 / A file that `case export` or `export` wrote.
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
}

const EXPORT_EXAMPLES: &str = "\
示例 / Examples:
  tongban case export 420302202603020000018 --data ./data --to case.bundle --reason 复现问题

文件含申请人的全部信息和办件密钥,请妥善保管;import-cases 也能读取;谁、为何导出记入审计日志。
The file holds everything of the applicant and the key of the case: keep it safe. import-cases reads it too. The audit log keeps who wrote it and why.";

/// Arguments of `case export`.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ExportArguments {
    /// 办件标识或办件编号。 / Id or public number of the case.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// 数据文件夹;服务可以正在使用。 / Data folder; a server may be using it.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 写到哪个新文件,须在本机。 / New file on this computer.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// 导出的原因。 / Why it is written.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

const STEER_EXAMPLES: &str = "\
示例 / Examples:
  tongban case pause 420302202603020000018 --reason 系统升级 --token-file admin.jwt
  tongban case resume 420302202603020000018 --reason 升级完毕 --token-file admin.jwt
  tongban case pause case_… --matter engineering-planning-permit --reason 核查 --token-file head.jwt

谁办理以令牌为准,因此须有服务正在运行。暂停的只是脚本:期限照算,督办照发,回执照收。
Who acts is known by his token, so a server must be running. Only scripts stand still: limits run,
cards are raised, replies are taken.";

/// Arguments of `case pause` and `case resume`.
#[derive(Args, Debug)]
#[command(after_help = STEER_EXAMPLES)]
pub(crate) struct SteerArguments {
    /// 办件标识或办件编号。 / Id or public number of the case.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// 只此事项;不给则整个办件。 / Only this matter; the whole case without it.
    #[arg(long, value_name = "CODE")]
    pub(crate) matter: Option<String>,
    /// 理由。 / Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: Server,
}

const CANCEL_EXAMPLES: &str = "\
示例 / Examples:
  tongban case cancel 420302202603020000018 --matter water-supply --reason 申请人已注销 --token-file head.jwt

由部门负责人办理。法律行为不会被撤销;撤销未成功的成为异常。
For the head of the department. Acts of the law are not undone; what cannot be undone becomes an incident.";

/// Arguments of `case cancel`.
#[derive(Args, Debug)]
#[command(after_help = CANCEL_EXAMPLES)]
pub(crate) struct CancelArguments {
    /// 办件标识或办件编号。 / Id or public number of the case.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// 哪个事项。 / Which matter.
    #[arg(long, value_name = "CODE")]
    pub(crate) matter: String,
    /// 理由。 / Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: Server,
}

const REBIND_EXAMPLES: &str = "\
示例 / Examples:
  tongban case rebind 420302202603020000018 --version sha-256:5b0c… --reason 修正脚本 --token-file admin.jwt

批量换用见 tongban scripts rebind。 / For many cases at once see tongban scripts rebind.";

/// Arguments of `case rebind`.
#[derive(Args, Debug)]
#[command(after_help = REBIND_EXAMPLES)]
pub(crate) struct RebindCaseArguments {
    /// 办件标识或办件编号。 / Id or public number of the case.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// 换用的版本。 / The version.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) version: String,
    /// 理由。 / Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: Server,
}

const SEND_EXAMPLES: &str = "\
示例 / Examples:
  tongban case send 420302202603020000018 --matter fire-safety --channel visit --body '{\"passed\": true}' --token-file clerk.jwt

消息保存到脚本接收为止。 / The message is kept until a script receives it.";

/// Arguments of `case send`.
#[derive(Args, Debug)]
#[command(after_help = SEND_EXAMPLES)]
pub(crate) struct SendArguments {
    /// 办件标识或办件编号。 / Id or public number of the case.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// 哪个事项。 / Which matter.
    #[arg(long, value_name = "CODE")]
    pub(crate) matter: String,
    /// 频道,脚本以此接收。 / The channel by which a script receives it.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: String,
    /// 内容,JSON。 / What it says, as JSON.
    #[arg(long, value_name = "JSON")]
    pub(crate) body: String,
    /// 事项结束前须有人处理。 / The matter may not close over it unread.
    #[arg(long)]
    pub(crate) required: bool,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: Server,
}
