//! The words of `tongban store`, `tongban backup` and `tongban restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tongban_core::id::CaseId;

use crate::program::args::Format;

const STORE_EXAMPLES: &str = "\
示例 / Examples:
  tongban store check --data ./data
  tongban store check --data ./data --format json
  tongban store rebuild --data ./data     列表、队列、计时、编号按日志重建 / derived rows anew from the logs

须没有服务正在使用该文件夹。没有差异时退出码为 0,否则为 65。
No server may be using the folder. Exit code 0 when nothing differs, 65 otherwise.";

/// Arguments of `store`.
#[derive(Args, Debug)]
#[command(after_help = STORE_EXAMPLES)]
pub(crate) struct StoreArguments {
    /// Which tool.
    #[command(subcommand)]
    pub(crate) tool: StoreTool,
}

/// The tools for a store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreTool {
    /// 核对:重读每个办件的日志,逐条列出与所存不一致之处。 / Refold every log and list what is stored otherwise.
    Check(FolderArguments),
    /// 重建:按日志改正不一致的列表、队列、计时、编号;可中断后重来。 / Put derived rows right from the logs.
    Rebuild(FolderArguments),
}

/// Which folder, and how the result is written.
#[derive(Args, Debug)]
pub(crate) struct FolderArguments {
    /// 数据文件夹;须没有服务正在使用。 / Data folder that no server is using.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

const BACKUP_EXAMPLES: &str = "\
示例 / Examples:
  tongban backup --data ./data --to /backup/2026-11-22     服务可以正在运行 / a server may be running
  tongban backup verify /backup/2026-11-22
  tongban restore --from /backup/2026-11-22 --data ./new

备份含密钥文件,须与数据文件夹同样保管。 / A backup holds the keys; guard it like the data folder.";

/// Arguments of `backup`.
#[derive(Args, Debug)]
#[command(
    after_help = BACKUP_EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct BackupArguments {
    /// Which tool; a backup is taken without one.
    #[command(subcommand)]
    pub(crate) tool: Option<BackupTool>,
    /// 数据文件夹。 / Data folder.
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) data: Option<PathBuf>,
    /// 备份写入的新文件夹,须在本机。 / New folder on this computer for the backup.
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) to: Option<PathBuf>,
}

/// The tools for a backup.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupTool {
    /// 核验备份是否完整、未被改动。 / Make sure that a backup is whole and was not touched.
    Verify(VerifyArguments),
}

/// Arguments of `backup verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    /// 备份文件夹。 / Folder of the backup.
    #[arg(value_name = "DIR")]
    pub(crate) backup: PathBuf,
}

const RESTORE_EXAMPLES: &str = "\
示例 / Examples:
  tongban restore --from /backup/2026-11-22 --data ./new
  tongban restore --from /backup/2026-11-22 --data ./new --config tongban.toml   文件放入其中的新存储桶 / files go into its new bucket

恢复后,备份之后可能已发出的调用都会先查询、再发送;对不上的回执会留存待查。
After a restore every call that may have been made since is asked about before it is sent, and
replies that match no call are kept for a person.";

/// Arguments of `restore`.
#[derive(Args, Debug)]
#[command(after_help = RESTORE_EXAMPLES)]
pub(crate) struct RestoreArguments {
    /// 备份文件夹。 / Folder of the backup.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// 新的数据文件夹。 / New data folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 服务的配置文件;文件要放入存储桶(须为新的)时给出。 / Configuration of `serve`, where files are to lie in a bucket; a new one.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

const EXPORT_EXAMPLES: &str = "\
示例 / Examples:
  tongban export --data ./data --all --to cases.bundle
  tongban export --data ./data --case case_01KJP0Y9M10000000000000001 --to one.bundle
  tongban import-cases one.bundle --data ./other

导出文件含办件密钥,须妥善保管;导入后请勿在原处继续办理同一办件。
A bundle holds the keys of its cases; guard it, and do not go on with a case in both places.";

/// Arguments of `export`.
#[derive(Args, Debug)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ExportArguments {
    /// 数据文件夹;须没有服务正在使用。 / Data folder that no server is using.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 办件标识,可重复。 / Id of a case, repeatable.
    #[arg(long, value_name = "ID", required_unless_present = "all")]
    pub(crate) case: Vec<CaseId>,
    /// 全部办件。 / Every case.
    #[arg(long, conflicts_with = "case")]
    pub(crate) all: bool,
    /// 写入的新文件。 / New file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}

/// Arguments of `import-cases`.
#[derive(Args, Debug)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ImportCasesArguments {
    /// 导出的文件。 / File that was exported.
    #[arg(value_name = "FILE")]
    pub(crate) bundle: PathBuf,
    /// 数据文件夹;须没有服务正在使用。 / Data folder that no server is using.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
}
