//! Kill loops: this program at work in a child process, SIGKILL at a random moment, and then the
//! folder opened again and compared with what had been acknowledged.
//!
//! The child (`work`) files cases on a real engine and says on standard output what was answered;
//! a line is written after the answer, so whatever was read was acknowledged. Its calls cross
//! real HTTP to agencies that outlive it (`calls`), so that kills fall into calls under way. The
//! parent looks for everything that was acknowledged by its own reading of the store. After some
//! kills the calls of the folder are brought to their end and held against the agencies' books,
//! the whole store is checked (refolded logs against summaries, index rows, feed), and the next
//! folder begins.

mod calls;
mod work;

use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tokio::task::JoinHandle;
use tongban_core::entry::Body;
use tongban_core::id::CaseId;
use tongban_core::port::{Store as _, WireClock as _};
use tongban_core::time::Moment;
use tongban_engine::clock::SystemClock;
use tongban_engine::standing::Standing;
use tongban_engine::store::SledStore;
use tongban_engine::upkeep::{Premises, check};

use self::calls::Agencies;
use super::args::CrashArguments;
use crate::program::args::Format;
use crate::program::error::{Both, ProgramError, shown};
use crate::program::{folder, output};

pub(super) use self::work::run as work;

/// Kills in one folder before it is checked as a whole and another one is begun.
const KILLS_PER_FOLDER: u32 = 50;
/// Kills between two words about the progress.
const TOLD_EVERY: u32 = 25;
/// Milliseconds of work before a kill: at least, and how many more at most.
const WORK_MILLIS: (u64, u64) = (20, 400);

/// What the loops came to.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    /// Kills that left a call under way.
    kills_in_flight: u32,
    /// Kills that left a call whose effect had happened and whose answer was not stored.
    kills_after_effect: u32,
    acknowledged: u64,
    calls: u64,
    lost: u64,
    doubled: u64,
    torn: u64,
    /// From the start of the program on a folder whose process was killed until it serves.
    recovery_millis: Vec<u64>,
    /// Of that, opening the folder.
    opening_millis: Vec<u64>,
}

impl Tally {
    fn wrong(&self) -> u64 {
        self.lost + self.doubled + self.torn
    }
}

/// Runs the loops.
pub(super) async fn run(arguments: &CrashArguments) -> Result<(), ProgramError> {
    let root = arguments.data.clone().unwrap_or_else(std::env::temp_dir);
    let mut tally = Tally::default();
    while tally.kills < arguments.loops {
        let data = root.join(format!("tongban-crash-{}", random()?));
        let agencies = Agencies::start().await?;
        let until = arguments.loops.min(tally.kills + KILLS_PER_FOLDER);
        while tally.kills < until {
            one_kill((&data, &agencies), &mut tally).await?;
            if tally.kills % TOLD_EVERY == 0 {
                output::tell(&told(&tally, arguments.loops));
            }
        }
        finish((&data, &agencies), &mut tally).await?;
        agencies.stop().await;
        if tally.wrong() > 0 {
            output::tell(&format!("数据保留在 / the data is kept in {}", shown(&data)));
            break;
        }
        std::fs::remove_dir_all(&data).map_err(|error| failed(&data, &error))?;
    }
    output::data(&result(&mut tally, arguments.format));
    match tally.wrong() {
        0 => Ok(()),
        wrong => Err(ProgramError::StoreDiffers {
            differences: usize::try_from(wrong).unwrap_or(usize::MAX),
        }),
    }
}

/// What was acknowledged about a case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Said {
    Started,
    Submitted,
}

/// The program at work on a folder, from when it serves.
struct Working {
    child: Child,
    /// What it acknowledges.
    acknowledged: JoinHandle<Vec<(Said, CaseId)>>,
}

async fn one_kill(
    (data, agencies): (&Path, &Agencies),
    tally: &mut Tally,
) -> Result<(), ProgramError> {
    let Working { mut child, acknowledged } = begin((data, agencies), &[], tally).await?;
    let (least, more) = WORK_MILLIS;
    SystemClock.wait_millis(least + random()? % more).await;
    let killed = child.kill().and_then(|()| child.wait());
    killed.map_err(|error| failed(data, &error))?;
    let acknowledged = acknowledged.await.map_err(|error| failed(data, &error))?;
    tally.kills += 1;
    tally.acknowledged += acknowledged.len() as u64;
    let before = SystemClock.now();
    let store = folder::open(data)?;
    tally.opening_millis.push(since(before));
    let left = agencies.under_way(&store).await?;
    tally.kills_in_flight += u32::from(left.calls > 0);
    tally.kills_after_effect += u32::from(left.done > 0);
    for (said, case) in acknowledged {
        tally.lost += u64::from(!is_kept(&store, said, case).await);
    }
    Ok(())
}

async fn is_kept(store: &SledStore, said: Said, case: CaseId) -> bool {
    store.load(case).await.ok().flatten().is_some_and(|stored| {
        let mut bodies = stored.entries.iter().map(|entry| &entry.body);
        said == Said::Started || bodies.any(|body| *body == Body::CaseSubmitted)
    })
}

/// Has every call brought to its end and holds it against the agencies' books, then compares
/// everything beside the logs with the logs.
async fn finish(
    (data, agencies): (&Path, &Agencies),
    tally: &mut Tally,
) -> Result<(), ProgramError> {
    let Working { mut child, acknowledged } = begin((data, agencies), &["--finish"], tally).await?;
    acknowledged.await.map_err(|error| failed(data, &error))?;
    let ended = child.wait().map_err(|error| failed(data, &error))?;
    if !ended.success() {
        return Err(failed(data, &ended));
    }
    let store = folder::open(data)?;
    let ends = agencies.ends(&store).await?;
    tally.calls += ends.calls;
    tally.lost += ends.lost;
    tally.doubled += ends.doubled;
    let standing = Standing::default();
    let premises = Premises { store: store.as_ref(), blobs: None, standing: &standing };
    let report = check(premises, &mut |_| {}).await;
    let report = report.map_err(|error| ProgramError::FolderDamaged(Both::of(&error)))?;
    for one in &report.differences {
        output::tell(&format!("{} {} {}", one.family, one.expected, one.got));
    }
    tally.torn += report.differences.len() as u64;
    Ok(())
}

/// Starts the program on the folder, waits until it serves, and tells the agencies where.
async fn begin(
    (data, agencies): (&Path, &Agencies),
    more: &[&str],
    tally: &mut Tally,
) -> Result<Working, ProgramError> {
    let is_recovery = data.exists();
    let before = SystemClock.now();
    let mut child = start(data, &agencies.url(), more)?;
    let lines = child.stdout.take().map(BufReader::new).map(BufReader::lines);
    let (serving, served) = tokio::sync::oneshot::channel();
    let acknowledged = tokio::task::spawn_blocking(move || {
        let mut lines = lines.into_iter().flatten();
        // Whoever waits is gone only when this program ends.
        drop(lines.next().and_then(Result::ok).map(|url| serving.send(url)));
        read(lines)
    });
    let Ok(url) = served.await else {
        // The end of a process that did not start is all that is left to wait for.
        child.wait().map_err(|error| failed(data, &error))?;
        let told = Both::new("被终止的一方未能启动", "the side that is to be killed did not start");
        return Err(failed(data, &format!("{} / {}", told.zh, told.en)));
    };
    if is_recovery {
        tally.recovery_millis.push(since(before));
    }
    agencies.call_back_to(&url)?;
    Ok(Working { child, acknowledged })
}

/// Reads what was acknowledged; the last line may be cut short by the kill, then it was not said.
fn read(lines: impl Iterator<Item = io::Result<String>>) -> Vec<(Said, CaseId)> {
    let said = lines.map_while(Result::ok);
    said.filter_map(|line| {
        let (what, case) = line.split_once(' ')?;
        let said = if what == "submitted" { Said::Submitted } else { Said::Started };
        Some((said, case.parse().ok()?))
    })
    .collect()
}

fn start(data: &Path, agencies: &str, more: &[&str]) -> Result<Child, ProgramError> {
    let program = std::env::current_exe().map_err(|error| failed(data, &error))?;
    let child = Command::new(program)
        .args(["bench", "crash-work", "--agencies", agencies, "--data"])
        .arg(data)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    child.map_err(|error| failed(data, &error))
}

fn since(before: Moment) -> u64 {
    u64::try_from(SystemClock.now().since(before)).unwrap_or_default()
}

fn random() -> Result<u64, ProgramError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| ProgramError::Engine(Both::of(&error)))?;
    Ok(u64::from_be_bytes(bytes))
}

fn failed(data: &Path, error: &dyn std::fmt::Display) -> ProgramError {
    ProgramError::InputOutput { what: shown(PathBuf::from(data)), detail: Both::of(error) }
}

fn told(tally: &Tally, loops: u32) -> String {
    format!(
        "{0}/{loops} 次,其中 {1} 次有调用在途,已答复 {2},丢失 {3},重复 {4},残缺 {5} / {0} of {loops} kills, {1} with a call in flight, {2} acknowledged, {3} lost, {4} doubled, {5} torn",
        tally.kills,
        tally.kills_in_flight,
        tally.acknowledged,
        tally.lost,
        tally.doubled,
        tally.torn
    )
}

/// Returns the middle, the 99th of a hundred, and the longest.
fn parts(millis: &mut [u64]) -> [u64; 3] {
    millis.sort_unstable();
    let last = millis.len().saturating_sub(1);
    [50, 99, 100].map(|percent| millis.get(last * percent / 100).copied().unwrap_or_default())
}

fn result(tally: &mut Tally, format: Format) -> String {
    let recovery = parts(&mut tally.recovery_millis);
    let opening = parts(&mut tally.opening_millis);
    let of = |[p50, p99, max]: [u64; 3]| json!({ "p50": p50, "p99": p99, "max": max });
    match format {
        Format::Json => format!(
            "{:#}",
            json!({
                "kills": tally.kills,
                "killsInFlight": tally.kills_in_flight,
                "killsAfterEffect": tally.kills_after_effect,
                "acknowledged": tally.acknowledged,
                "calls": tally.calls,
                "lost": tally.lost,
                "doubled": tally.doubled,
                "torn": tally.torn,
                "recoveryMillis": of(recovery),
                "openingMillis": of(opening),
            })
        ),
        Format::Text => format!(
            "{0}\n{1} 个调用;{2} 次终止时部门已办而结果未存 / {1} calls; {2} kills came after an effect and before its answer was stored\n\
             {3}\n{4}",
            told(tally, tally.kills),
            tally.calls,
            tally.kills_after_effect,
            line("恢复服务(毫秒)/ until it serves again, ms", recovery),
            line("其中打开数据(毫秒)/ of that opening, ms", opening),
        ),
    }
}

fn line(what: &str, [p50, p99, max]: [u64; 3]) -> String {
    format!("{what}: p50 {p50}, p99 {p99}, 最长 max {max}")
}
