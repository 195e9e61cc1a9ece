//! The words of `tongban id`. Nothing is done here.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tongban_core::identifier::Kind;

use crate::program::args::Format;

/// Arguments of `id`.
#[derive(Args, Debug)]
pub(crate) struct IdArguments {
    /// Which tool.
    #[command(subcommand)]
    pub(crate) tool: IdTool,
}

/// The tools for identifiers.
#[derive(Debug, Subcommand)]
pub(crate) enum IdTool {
    /// 核对号码:是哪一类、对不对、错在哪里。 / Tell what a number is, whether it is right, and if not, why.
    Check(CheckIdArguments),
}

const CHECK_EXAMPLES: &str = "\
示例 / Examples:
  tongban id check 420302199001010015                       公民身份号码 / citizen number
  tongban id check 91420302MA4DEM010M                       统一社会信用代码 / credit code
  tongban id check 420300                                   行政区划代码 / region code
  tongban id check 000117002000 --kind matter-item-code     指明类别 / name the kind
  tongban id check 2604-420302-04-01-123456 --format json   供程序读取 / for programs
  tongban id check -                                        从标准输入读取 / read standard input
  tongban id check 4203A1 --kind region-code --regions local-regions.csv

本地区划代码表 / Local region codes (CSV):
  code,name,level,parent
  4203A1,示例开发区,county,420300

号码不会被记录;命令行会留在终端历史中,真实号码请用 - 从标准输入读取。
The number is recorded nowhere; but a shell keeps its history, so give real ones through standard input (-).
以往的区划代码、校验不符的旧组织机构代码只是提示,不影响有效性。
Region codes of the past and broken inner organisation codes are warnings; the number stays valid.

退出码 / Exit codes: 0 有效 valid, 65 无效 not valid.";

/// Arguments of `id check`.
#[derive(Args, Debug)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct CheckIdArguments {
    /// 号码;写 - 则从标准输入读取第一行。 / The number; `-` reads the first line of standard input.
    #[arg(value_name = "VALUE")]
    pub(crate) value: String,
    /// 类别;省略则由号码的形式判断。 / Its kind; told from its form when left out.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<KindName>,
    /// 本地区划代码表。 / Local region codes beside those of the nation.
    #[arg(long, value_name = "FILE")]
    pub(crate) regions: Option<PathBuf>,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// The kinds, as the command line spells them; the codes of the result are taken too.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum KindName {
    /// 公民身份号码 / citizen identity number
    #[value(alias = "citizen_id")]
    CitizenId,
    /// 统一社会信用代码 / unified social credit code
    #[value(alias = "credit_code")]
    CreditCode,
    /// 行政区划代码 / region code
    #[value(alias = "region_code")]
    RegionCode,
    /// 事项编码 / matter item code
    #[value(alias = "matter_item_code")]
    MatterItemCode,
    /// 办件编号(本系统形式) / case number of our own form
    #[value(alias = "case_no")]
    CaseNo,
    /// 电子证照标识 / electronic licence identifier
    #[value(alias = "license_id")]
    LicenseId,
    /// 投资项目代码 / investment project code
    #[value(alias = "project_code")]
    ProjectCode,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::CitizenId => Self::CitizenId,
            KindName::CreditCode => Self::CreditCode,
            KindName::RegionCode => Self::RegionCode,
            KindName::MatterItemCode => Self::MatterItemCode,
            KindName::CaseNo => Self::CaseNo,
            KindName::LicenseId => Self::LicenseId,
            KindName::ProjectCode => Self::ProjectCode,
        }
    }
}
