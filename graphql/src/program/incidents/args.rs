//! The words of `tongban incidents`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::program::args::{Format, Server};

/// Arguments of `incidents`.
#[derive(Args, Debug)]
pub(crate) struct IncidentsArguments {
    /// Which tool.
    #[command(subcommand)]
    pub(crate) tool: IncidentsTool,
}

/// The tools for incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum IncidentsTool {
    /// 列出未处理的异常。 / List what nobody has ended yet.
    List(ListArguments),
    /// 一个异常的全部情况和可用的处理方式。 / One incident with its ways out.
    Show(ShowArguments),
    /// 处理一个异常,或按条件批量处理。 / Take a way out of one incident, or of many.
    Settle(SettleArguments),
}

const LIST_EXAMPLES: &str = "\
示例 / Examples:
  tongban incidents list --token-file admin.jwt
  tongban incidents list --kind call-failed --service construction-start --token-file admin.jwt
  tongban incidents list --data ./data --format json

给出 --data 时直接读文件夹(须没有服务正在使用),否则问服务器。
With --data the folder is read, which no server may be using; without it the server is asked.";

/// Which incidents are meant.
#[derive(Args, Debug)]
pub(crate) struct Meant {
    /// 异常类别,如 call-failed。 / Kind, such as call-failed.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Option<String>,
    /// 服务代码。 / Code of the service.
    #[arg(long, value_name = "CODE")]
    pub(crate) service: Option<String>,
    /// 事项代码。 / Code of the matter.
    #[arg(long, value_name = "CODE")]
    pub(crate) matter: Option<String>,
    /// 行政区划代码,含所辖区县。 / Region code, with all inside it.
    #[arg(long, value_name = "CODE")]
    pub(crate) region: Option<String>,
    /// 自此时间起发生,RFC 3339。 / Raised at or after this time, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
}

/// Reads a kind as the command line spells it.
fn kind(text: &str) -> Result<String, String> {
    let words: Vec<String> = tongban_core::entry::IncidentKind::ALL
        .iter()
        .map(|(_, code)| code.to_lowercase().replace('_', "-"))
        .collect();
    if words.iter().any(|word| word == text) {
        return Ok(text.to_owned());
    }
    Err(format!("可选 / one of: {}", words.join(", ")))
}

/// Arguments of `incidents list`.
#[derive(Args, Debug)]
#[command(after_help = LIST_EXAMPLES)]
pub(crate) struct ListArguments {
    /// Which incidents.
    #[command(flatten)]
    pub(crate) meant: Meant,
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

const SHOW_EXAMPLES: &str = "\
示例 / Examples:
  tongban incidents show inc_01ARZ3NDEKTSV4RRFFQ69G5FAV-12 --token-file admin.jwt
  tongban incidents show inc_01ARZ3NDEKTSV4RRFFQ69G5FAV-12 --data ./data";

/// Arguments of `incidents show`.
#[derive(Args, Debug)]
#[command(after_help = SHOW_EXAMPLES)]
pub(crate) struct ShowArguments {
    /// 异常标识,见 incidents list。 / Id of the incident, see incidents list.
    #[arg(value_name = "INCIDENT")]
    pub(crate) incident: String,
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

const SETTLE_EXAMPLES: &str = "\
示例 / Examples:
  tongban incidents settle inc_…-12 --way retry --reason 对方系统已恢复 --token-file admin.jwt
  tongban incidents settle inc_…-12 --way rebind --version sha-256:5b0c… --reason 修正脚本 --token-file admin.jwt
  tongban incidents settle inc_…-12 --way restart --from 17 --reason 从勘验起重办 --token-file admin.jwt
  tongban incidents settle inc_…-12 --way override --output '{\"number\": \"GZ-7\"}' --reason 已电话核实 --token-file head.jwt
  tongban incidents settle --all --kind call-failed --expect 7 --way retry --reason 网络已恢复 --token-file admin.jwt

谁处理以令牌为准,因此须有服务正在运行。override 和 skip 须两人先后提出同一处理。
Who acts is known by his token, so a server must be running. override and skip hold once two persons have said the same.
restart 不撤销已在外部发生的事;先用 show 查看。 / A restart undoes nothing outside; look with show first.";

/// A way out, as the command line spells it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Way {
    /// 重试 / try again what failed
    Retry,
    /// 换用新版本 / go on under another version
    Rebind,
    /// 从某条记录重新执行 / begin the script again from an entry
    Restart,
    /// 更正某次调用的结果 / put another result in the place of a call's
    Override,
    /// 停止并撤销已办 / stop the script and undo what it registered
    Cancel,
    /// 跳过该调用 / go on without the call that failed
    Skip,
    /// 已阅 / it needs nothing more
    Acknowledge,
}

/// Arguments of `incidents settle`.
#[derive(Args, Debug)]
#[command(after_help = SETTLE_EXAMPLES)]
pub(crate) struct SettleArguments {
    /// 异常标识,见 incidents list。 / Id of the incident, see incidents list.
    #[arg(value_name = "INCIDENT", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) incident: Option<String>,
    /// 批量处理条件所及的全部异常(须同时给出 --expect)。 / Every incident that the filters find (with --expect).
    #[arg(long, requires = "expect")]
    pub(crate) all: bool,
    /// 看到的总数;已变动则拒绝。 / How many were seen; refused when they are more or fewer.
    #[arg(long, value_name = "N", requires = "all")]
    pub(crate) expect: Option<u32>,
    /// Which incidents, with --all.
    #[command(flatten)]
    pub(crate) meant: Meant,
    /// 处理方式。 / The way out.
    #[arg(long, value_enum, value_name = "WAY")]
    pub(crate) way: Way,
    /// 换用的版本(rebind)。 / The version, for rebind.
    #[arg(long, value_name = "DIGEST", required_if_eq("way", "rebind"))]
    pub(crate) version: Option<String>,
    /// 从第几条记录起重新执行(restart)。 / The first entry that no longer counts, for restart.
    #[arg(long, value_name = "N", required_if_eq("way", "restart"))]
    pub(crate) from: Option<u32>,
    /// 更正哪个请求(override);默认为异常涉及的调用。 / Which request, for override; the incident's call by default.
    #[arg(long, value_name = "REQUEST")]
    pub(crate) request: Option<String>,
    /// 更正后的输出,JSON 对象(override)。 / What it gives instead, a JSON object, for override.
    #[arg(long, value_name = "JSON", required_if_eq("way", "override"))]
    pub(crate) output: Option<String>,
    /// 理由。 / Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: Server,
}
