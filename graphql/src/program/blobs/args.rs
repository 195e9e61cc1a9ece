//! The words of `tongban blobs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::program::args::Format;

const EXAMPLES: &str = "\
示例 / Examples:
  tongban blobs sweep --data ./data --dry-run      只统计,不删除 / count, delete nothing
  tongban blobs sweep --data ./data
  tongban blobs sweep --data ./data --days 30 --format json

服务运行时每天自行清理,不必使用本命令。
A running server sweeps by itself once a day; this is for a folder that no server is using.";

/// Arguments of `blobs`.
#[derive(Args, Debug)]
pub(crate) struct BlobsArguments {
    /// Which tool.
    #[command(subcommand)]
    pub(crate) tool: BlobsTool,
}

/// The tools for files of cases.
#[derive(Debug, Subcommand)]
pub(crate) enum BlobsTool {
    /// 清理没有任何办件记录引用的旧文件。 / Delete old files that no case's log names.
    Sweep(SweepArguments),
}

/// Arguments of `blobs sweep`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SweepArguments {
    /// 数据文件夹;须没有服务正在使用。 / Data folder that no server is using.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// 只统计,不删除。 / Count, delete nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 不动最近几天的文件:可能还会提交。 / Leave files of so many days alone: they may yet be handed in.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) days: u16,
    /// 结果的格式。 / How the result is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}
