//! The words of `tongban figures`.

use std::path::PathBuf;

use clap::Args;
use tongban_core::time::Moment;

use crate::program::args::Format;

const EXAMPLES: &str = "\
示例 / Examples:
  tongban figures --data ./data --region 420300
  tongban figures --data ./data --region 420300 --from 2026-03-01 --until 2026-03-31
  tongban figures --data ./data --region 420302 --department natural-resources --format json

过去的日子按当时所知统计,结果可复算。服务运行时请用接口的 figures 查询。
A past day is told as it was known then. While a server runs, ask its figures query.";

/// Arguments of `figures`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FiguresArguments {
    /// 数据文件夹;须没有服务正在使用。 / Data folder that no server is using.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 行政区划代码,含所辖区县。 / Region code; a city includes its districts.
    #[arg(long, value_name = "CODE")]
    pub(crate) region: String,
    /// 自何日起。 / From which day.
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub(crate) from: Option<Moment>,
    /// 至何日止,默认至今。 / Until which day; until now by default.
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub(crate) until: Option<Moment>,
    /// 只统计此部门的事项。 / Only matters of this department.
    #[arg(long, value_name = "CODE")]
    pub(crate) department: Option<String>,
    /// 只统计此服务。 / Only cases of this service.
    #[arg(long, value_name = "CODE")]
    pub(crate) service: Option<String>,
    /// 结果的格式。 / How the figures are written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// Reads a day as its first moment.
fn day(text: &str) -> Result<Moment, &'static str> {
    Moment::parse(&format!("{text}T00:00:00+08:00"))
        .ok_or("请写成 2026-03-31 这样的日期 / write a day as 2026-03-31")
}
