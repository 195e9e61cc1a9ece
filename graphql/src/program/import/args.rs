//! The words of `tongban import` and `tongban schema`. Nothing is done here.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tongban_core::organisation::DocumentKind;

use crate::program::args::Format;

const IMPORT_EXAMPLES: &str = "\
示例 / Examples:
  tongban import organisation.json agreements.json --data ./data
  tongban import bindings.json --data ./data --dry-run
  tongban import calendar.json --data ./data --kind calendar --format json
  tongban import --list --data ./data
  tongban schema --of organisation > organisation.schema.json

文件为 JSON,以 \"kind\" 写明种类、以 \"code\" 写明是哪一份;同类多份并用,同一份的新版本取代旧版本,各版本都保留。
Each file is JSON with its \"kind\" and \"code\"; several of a kind add up, a new version of one takes the place of
the former, and every version is kept.

与文件夹中现有的数据一并校验,有误时逐条列出,退出码为 65,什么也不保存。正在运行的服务在下次启动时采用。
Checked together with what the folder holds; mistakes are listed, exit code 65, nothing kept. A running server
takes new versions up at its next start.";

/// Arguments of `import`.
#[derive(Args, Debug)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(crate) struct ImportArguments {
    /// 要导入的文件,一次可多份。 / The files; several at a time.
    #[arg(value_name = "FILE", required_unless_present = "list", conflicts_with = "list")]
    pub(crate) files: Vec<PathBuf>,
    /// 数据文件夹,没有则新建。 / Data folder; created when it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 首次导入早于首次启动、且文件要存入 S3 时,给出服务的配置文件。 / Configuration of `serve`, where it names
    /// a bucket and has not been used yet.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// 文件的种类,默认看其 "kind"。 / What the files are; their "kind" says so by default.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<KindName>,
    /// 只校验并列出变化,不保存。 / Check and tell what would change, keep nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 列出已导入的全部版本。 / List every version that was imported.
    #[arg(long)]
    pub(crate) list: bool,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

const SCHEMA_EXAMPLES: &str = "\
示例 / Examples:
  tongban schema > schema.graphql
  tongban schema --of organisation > organisation.schema.json";

/// Arguments of `schema`.
#[derive(Args, Debug)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub(crate) struct SchemaArguments {
    /// 改为输出该种导入文件的 JSON Schema。 / Print the JSON Schema of documents of this kind instead.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) of: Option<KindName>,
}

/// The kinds of documents, as the command line spells them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum KindName {
    /// 机构、岗位、人员 / offices, roles, people
    Organisation,
    /// 连接器绑定 / which connector carries what
    Bindings,
    /// 跨省通办协议 / agreements between places
    Agreements,
    /// 工作日历 / holidays and opening days
    Calendar,
    /// 督办规则 / when cards are raised
    CardRules,
}

impl KindName {
    /// Returns the kind.
    pub(crate) fn kind(self) -> DocumentKind {
        match self {
            Self::Organisation => DocumentKind::Organisation,
            Self::Bindings => DocumentKind::Bindings,
            Self::Agreements => DocumentKind::Agreements,
            Self::Calendar => DocumentKind::Calendar,
            Self::CardRules => DocumentKind::CardRules,
        }
    }
}
