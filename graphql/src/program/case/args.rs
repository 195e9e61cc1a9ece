//! The words of `tongban case`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::program::args::Format;

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
}

const REPLAY_EXAMPLES: &str = "\
示例 / Examples:
  tongban case replay 420302202603020000018 --data ./data
  tongban case replay 420302202603020000018 --until 17 --data ./data
  tongban case replay case_… --until 17 --bundle case.bundle --matter engineering-planning-permit
  tongban case replay case_… --data ./data --format json
  tongban case replay case_… --data ./data --reveal --reason \"群众投诉核查\"

个人信息默认脱敏;--reveal 须说明原因,并记入数据文件夹的 reveals.log。
Personal data is masked; --reveal needs a reason, which reveals.log of the folder keeps.
服务运行时请用接口的 caseAt 查询。 / While a server runs, ask its query caseAt.";

/// Arguments of `case replay`.
#[derive(Args, Debug)]
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
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct From {
    /// 数据文件夹;须没有服务正在使用。 / Data folder that no server is using.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// 导出的办件文件。 / A file that `case export` wrote.
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
}

impl From {
    /// Returns the folder in which notes are kept: the data folder, or that of the bundle.
    pub(crate) fn folder(&self) -> PathBuf {
        let beside = self.bundle.as_deref().and_then(Path::parent);
        let folder = self.data.as_deref().or(beside);
        folder
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or_else(|| Path::new("."))
            .to_owned()
    }
}

const EXPORT_EXAMPLES: &str = "\
示例 / Examples:
  tongban case export 420302202603020000018 --data ./data --to case.bundle

文件含申请人的全部信息,请妥善保管。 / The file holds everything of the applicant; keep it safe.";

/// Arguments of `case export`.
#[derive(Args, Debug)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ExportArguments {
    /// 办件标识或办件编号。 / Id or public number of the case.
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// Where the case is.
    #[command(flatten)]
    pub(crate) from: From,
    /// 写到哪个文件。 / Which file is written.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}
