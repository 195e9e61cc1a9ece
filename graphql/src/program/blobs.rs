//! `tongban blobs sweep`: clears files that no log names from a data folder that no server is
//! using. What is named, the logs say; how old a file is, its store.

pub(crate) mod args;

use tongban_core::port::WireClock as _;
use tongban_engine::blob::{StoredLogs, Strays, Sweep, Swept};
use tongban_engine::clock::SystemClock;

use self::args::{BlobsTool, SweepArguments};
use super::args::Format;
use super::error::{Both, ProgramError, shown as place};
use super::storage::Storage;
use super::{folder, output};

const DAY_MILLIS: i64 = 24 * 3_600_000;

/// Runs a tool.
pub(crate) async fn run(tool: &BlobsTool) -> Result<(), ProgramError> {
    match tool {
        BlobsTool::Sweep(arguments) => {
            let swept = sweep(arguments).await?;
            output::data(&shown(swept, arguments));
            Ok(())
        }
    }
}

async fn sweep(arguments: &SweepArguments) -> Result<Swept, ProgramError> {
    let data = &arguments.data;
    if !data.is_dir() {
        return Err(ProgramError::InputOutput {
            what: place(data),
            detail: Both::new("没有这个数据文件夹", "there is no such data folder"),
        });
    }
    // The store is opened first: its lock keeps servers and their uploads away.
    let store = folder::open(data)?;
    let blobs = Storage::of(data).await?.blobs()?;
    let before = SystemClock.now().plus_millis(-DAY_MILLIS * i64::from(arguments.days));
    let strays = if arguments.dry_run { Strays::Count } else { Strays::Delete };
    let sweep = Sweep { before, since: None, strays };
    let swept = blobs.sweep(sweep, &StoredLogs::of(store.as_ref())).await;
    swept.map_err(|error| ProgramError::InputOutput { what: place(data), detail: Both::of(&error) })
}

fn shown(swept: Swept, arguments: &SweepArguments) -> String {
    let Swept { kept, strays, bytes } = swept;
    let dry = arguments.dry_run;
    if arguments.format == Format::Json {
        let deleted = if dry { 0 } else { strays };
        let report = serde_json::json!({ "kept": kept, "strays": strays, "bytes": bytes, "deleted": deleted });
        return format!("{report:#}");
    }
    let (zh, en) = if dry { ("可清理", "could go") } else { ("已清理", "deleted") };
    format!(
        "有引用的文件 {kept} 个;{zh} {strays} 个,共 {bytes} 字节\n{kept} files are named; {strays} {en}, {bytes} bytes"
    )
}
