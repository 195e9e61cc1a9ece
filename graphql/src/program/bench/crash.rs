//! Kill loops: this program at work in a child process, SIGKILL at a random moment, and then the
//! folder opened again and compared with what had been acknowledged.
//!
//! The child starts and submits cases on a real engine and says on standard output what was
//! answered; a line is written after the answer, so whatever was read was acknowledged. The
//! parent looks for each of them by its own reading of the store, and checks the whole store
//! (refolded logs against summaries, index rows, feed) before it goes on to a new folder.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value as Json, json};
use tokio::task::JoinSet;
use tongban_core::entry::{Body, Party as Applicant};
use tongban_core::id::{CaseId, RegionCode, ServiceCode};
use tongban_core::port::{Store as _, WireClock as _};
use tongban_core::start::StartCase;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::Publishing;
use tongban_engine::clock::SystemClock;
use tongban_engine::standing::Standing;
use tongban_engine::upkeep::{Premises, check};
use tongban_engine::{Engine, IdempotencyKey};

use super::args::{CrashArguments, CrashWorkArguments};
use crate::program::args::Format;
use crate::program::assemble::{self, Papers, Time, Wires};
use crate::program::config::Config;
use crate::program::error::{Both, ProgramError, shown};
use crate::program::storage::Storage;
use crate::program::{folder, output};

/// Kills in one folder before it is checked as a whole and another one is begun.
const KILLS_PER_FOLDER: u32 = 50;
/// Kills between two words about the progress.
const TOLD_EVERY: u32 = 25;
/// Milliseconds of work before a kill: at least, and how many more at most.
const WORK_MILLIS: (u64, u64) = (20, 400);
/// Applicants at work at once.
const APPLICANTS: u32 = 16;

const PLAN: &str = include_str!("../../../demo/construction-start.json");

/// What the loops came to.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    acknowledged: u64,
    lost: u64,
    torn: u64,
    recovery_millis: Vec<u64>,
}

/// Runs the loops.
pub(super) async fn run(arguments: &CrashArguments) -> Result<(), ProgramError> {
    let root = arguments.data.clone().unwrap_or_else(std::env::temp_dir);
    let mut tally = Tally::default();
    while tally.kills < arguments.loops {
        let data = root.join(format!("tongban-crash-{}", random()?));
        let until = arguments.loops.min(tally.kills + KILLS_PER_FOLDER);
        while tally.kills < until {
            one_kill(&data, &mut tally).await?;
            if tally.kills % TOLD_EVERY == 0 {
                output::tell(&told(&tally, arguments.loops));
            }
        }
        whole(&data, &mut tally).await?;
        if tally.lost + tally.torn > 0 {
            output::tell(&format!("数据保留在 / the data is kept in {}", shown(&data)));
            break;
        }
        std::fs::remove_dir_all(&data).map_err(|error| failed(&data, &error))?;
    }
    output::data(&result(&mut tally, arguments.format));
    match tally.lost + tally.torn {
        0 => Ok(()),
        wrong => Err(ProgramError::StoreDiffers {
            differences: usize::try_from(wrong).unwrap_or(usize::MAX),
        }),
    }
}

async fn one_kill(data: &Path, tally: &mut Tally) -> Result<(), ProgramError> {
    let mut child = begin(data)?;
    let lines = child.stdout.take().map(BufReader::new).map(BufReader::lines);
    let (ready, begun) = tokio::sync::oneshot::channel();
    let mut ready = Some(ready);
    let reading = tokio::task::spawn_blocking(move || {
        let mut acknowledged = Vec::new();
        // The last line may be cut short by the kill; then it was not said.
        for line in lines.into_iter().flatten().map_while(Result::ok) {
            match line.split_once(' ') {
                Some((what, case)) => {
                    acknowledged
                        .extend(case.parse().ok().map(|case: CaseId| (what == "submitted", case)));
                }
                None => drop(ready.take().map(|ready| ready.send(()))),
            }
        }
        acknowledged
    });
    let begun = begun.await.is_ok();
    if begun {
        let (least, more) = WORK_MILLIS;
        SystemClock.wait_millis(least + random()? % more).await;
    }
    let killed = child.kill().and_then(|()| child.wait());
    killed.map_err(|error| failed(data, &error))?;
    let acknowledged = reading.await.map_err(|error| failed(data, &error))?;
    if !begun {
        let told = Both::new("被终止的一方未能启动", "the side that is to be killed did not start");
        return Err(failed(data, &format!("{} / {}", told.zh, told.en)));
    }
    tally.kills += 1;
    tally.acknowledged += acknowledged.len() as u64;
    let before = SystemClock.now();
    let store = folder::open(data)?;
    let took = SystemClock.now().since(before);
    tally.recovery_millis.push(u64::try_from(took).unwrap_or_default());
    for (submitted, case) in acknowledged {
        let stored = store.load(case).await.ok().flatten();
        let kept = stored.is_some_and(|stored| {
            let mut bodies = stored.entries.iter().map(|entry| &entry.body);
            !submitted || bodies.any(|body| *body == Body::CaseSubmitted)
        });
        tally.lost += u64::from(!kept);
    }
    Ok(())
}

/// Compares everything beside the logs with the logs.
async fn whole(data: &Path, tally: &mut Tally) -> Result<(), ProgramError> {
    let store = folder::open(data)?;
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

fn begin(data: &Path) -> Result<Child, ProgramError> {
    let program = std::env::current_exe().map_err(|error| failed(data, &error))?;
    let child = Command::new(program)
        .args(["bench", "crash-work", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    child.map_err(|error| failed(data, &error))
}

/// Works until it is killed.
pub(super) async fn work(arguments: &CrashWorkArguments) -> Result<(), ProgramError> {
    let data = &arguments.data;
    let store = folder::open(data)?;
    let papers = Papers { blobs: Storage::of(data).await?.blobs()?, seal: None };
    let wires = Wires::configured(&Config::default())?;
    let scripts = assemble::scripts(None)?;
    let engine = assemble::engine(
        store,
        papers,
        scripts,
        &wires,
        (Time::Real, Standing::default(), Publishing::AsLoaded),
    )
    .await?;
    output::data("ready");
    let mut applicants = JoinSet::new();
    for _ in 0..APPLICANTS {
        let engine = engine.clone();
        applicants.spawn(async move { file_for_ever(&engine).await });
    }
    while let Some(ended) = applicants.join_next().await {
        ended.map_err(|error| failed(data, &error))??;
    }
    Ok(())
}

async fn file_for_ever(engine: &Engine) -> Result<(), ProgramError> {
    let refused = |error: tongban_engine::EngineError| ProgramError::Engine(Both::of(&error));
    let application = application();
    let applicant = Viewer::new("bench", Role::Applicant).for_party(&application.applicant.id);
    loop {
        let key = || random().map(|random| IdempotencyKey(format!("bench-{random}")));
        let input = application.clone();
        let begun = engine.start_case(&applicant, input, key()?).await.map_err(refused)?;
        output::data(&format!("started {}", begun.case));
        let submitted = engine.submit_case(&applicant, begun.case, key()?).await;
        output::data(&format!("submitted {}", submitted.map_err(refused)?.case));
    }
}

/// The application of the demo.
fn application() -> StartCase {
    let plan: Json = serde_json::from_str(PLAN).expect("the demo's plan is read by its own tests");
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let value = |json: &Json| Value::from_json(json).unwrap_or_default();
    let applicant =
        Applicant { id: text(&plan["applicant"]["id"]), name: text(&plan["applicant"]["name"]) };
    let service = ServiceCode::new(text(&plan["service"]));
    let materials = plan["materials"].as_array().into_iter().flatten().map(|material| {
        let (code, file) = (text(&material["code"]), text(&material["fileName"]));
        let digest = tongban_core::digest::Digest::of(file.as_bytes());
        tongban_core::material::MaterialGiven::file(&code, &file, digest)
    });
    StartCase {
        answers: value(&plan["answers"]),
        form: value(&plan["form"]),
        materials: materials.collect(),
        ..StartCase::new(service, RegionCode::new(text(&plan["region"])), applicant)
    }
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
        "{0}/{loops} 次,已答复 {1},丢失 {2},残缺 {3} / {0} of {loops} kills, {1} acknowledged, {2} lost, {3} torn",
        tally.kills, tally.acknowledged, tally.lost, tally.torn
    )
}

fn result(tally: &mut Tally, format: Format) -> String {
    tally.recovery_millis.sort_unstable();
    let at = |percent: usize| {
        let last = tally.recovery_millis.len().saturating_sub(1);
        tally.recovery_millis.get(last * percent / 100).copied().unwrap_or_default()
    };
    let (median, most_of, longest) = (at(50), at(99), at(100));
    match format {
        Format::Json => format!(
            "{:#}",
            json!({
                "kills": tally.kills,
                "acknowledged": tally.acknowledged,
                "lost": tally.lost,
                "torn": tally.torn,
                "recoveryMillis": { "p50": median, "p99": most_of, "max": longest },
            })
        ),
        Format::Text => format!(
            "{}\n打开数据(毫秒)/ opening, ms: p50 {median}, p99 {most_of}, 最长 max {longest}",
            told(tally, tally.kills)
        ),
    }
}
