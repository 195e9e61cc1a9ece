//! The words of `tongban bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::program::args::Format;

const EXAMPLES: &str = "\
示例 / Examples:
  tongban bench crash --loops 1000
  tongban bench crash --loops 50 --data ./crash --format json

每一轮启动本程序办件、经 HTTP 调用模拟部门,在随机时刻以 SIGKILL 终止,再打开数据逐件核对已答复的内容;
最后让在途调用全部了结,与部门的台账逐一核对。丢失、重复或残缺不为 0 时退出码为 65。
Each loop starts this program at work, calling sandbox agencies over HTTP, kills it at a random
moment, opens the folder again and looks for everything that was acknowledged; in the end all calls
are brought to their end and held against the agencies' books. Exit code 65 if anything was lost,
doubled or torn.";

/// Arguments of `bench`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchArguments {
    /// What to measure.
    #[command(subcommand)]
    pub(crate) tool: BenchTool,
}

/// The measurements.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchTool {
    /// 反复强行终止并核对:终止次数、在途调用、已答复、丢失、重复、残缺、恢复时间。 / Kill again and again; count what was lost.
    Crash(CrashArguments),
    /// 在模拟的世界里运行整个引擎:故障、崩溃、乱序,逐一核对承诺。 / Play whole engines in simulated worlds and check every promise.
    #[cfg(feature = "sim")]
    Sim(SimArguments),
    /// 被终止的一方。 / The side that is killed.
    #[command(hide = true)]
    CrashWork(CrashWorkArguments),
}

/// Arguments of `bench crash`.
#[derive(Args, Debug)]
pub(crate) struct CrashArguments {
    /// 终止多少次。 / How many kills.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) loops: u32,
    /// 在此文件夹下新建数据,默认系统临时目录。 / Where data folders are made; among the temporary files by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// Arguments of the side that is killed.
#[derive(Args, Debug)]
pub(crate) struct CrashWorkArguments {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Where the agencies listen.
    #[arg(long, value_name = "URL")]
    pub(crate) agencies: String,
    /// Files nothing: ends when no call is under way.
    #[arg(long)]
    pub(crate) finish: bool,
}

/// Arguments of `bench sim`.
#[cfg(feature = "sim")]
#[derive(Args, Debug)]
pub(crate) struct SimArguments {
    /// 第一个种子。 / The first seed.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub(crate) from: u64,
    /// 最后一个种子。 / The last seed.
    #[arg(long, value_name = "SEED", default_value_t = 1_999)]
    pub(crate) to: u64,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}
