//! The whole commit path with in-process agencies: eight requests at once, three in a row, an
//! approval and a grant, on sled with every commit on the device.
//!
//! Prints cases and durable steps a second, bytes on disk and memory a case, and the disk's own
//! sync latency in the same run, beside the bar and the figures of a throw-away prototype, which
//! were measured on a machine of this kind, not in this run. Each figure is the median of rounds
//! in processes of their own. `cargo bench -p tongban-tests` runs it; `TONGBAN_BENCH_CASES` sets
//! how many cases (2,000).

#[path = "../../engine/benches/measure/mod.rs"]
mod measure;
mod rounds;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tongban_core::agency::{
    AgencyReply, Call, CallContext, DocumentRef, Fault, Invoked, Queried, ReplyBody,
};
use tongban_core::command::TaskOutcome;
use tongban_core::digest::Digest;
use tongban_core::entry::Party;
use tongban_core::id::{CaseId, RegionCode, ServiceCode, TaskId};
use tongban_core::port::{Connector, Later, Wiring};
use tongban_core::start::StartCase;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::store::{SledOptions, SledStore};
use tongban_engine::{Decided, Engine, IdempotencyKey, Options};

use measure::{Disk, Spread, now};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Durable steps of one case: eleven calls asked and answered, an approval asked and answered.
const STEPS: u32 = 11 + 1;
/// Applicants who file at the same time.
const DRIVERS: usize = 256;
const ROUNDS: usize = 5;
/// What is measured, the prototype's figure, and the bar where there is one.
const FIGURES: [(&str, f64, Option<f64>); 5] = [
    ("cases/s          ", 1_890.0, None),
    ("durable steps/s  ", 20_800.0, Some(30_000.0)),
    ("steps/CPU-second ", 18_000.0, None),
    ("KiB on disk/case ", 5.2, None),
    ("KiB resident/case", 0.7, None),
];

struct Agency;

impl Agency {
    fn reply(call: &Call) -> AgencyReply {
        let number = call.id.to_string();
        let digest = Digest(call.salt.0);
        let document = DocumentRef { role: "paper".to_owned(), number: number.clone(), digest };
        let output = Value::of([("number", number.into())]);
        let body = ReplyBody::Completed { output, documents: vec![document] };
        AgencyReply { call: call.id, seq: 1, digest, at: call.issued_at, body }
    }
}

impl Connector for Agency {
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(async { Ok(Invoked::Replied(Self::reply(call))) })
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(async { Ok(Queried::Known(Self::reply(call))) })
    }
}

struct OneAgency;

impl Wiring for OneAgency {
    fn connector_for(&self, _: &str, _: &RegionCode) -> Option<String> {
        Some("agency".to_owned())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Under `cargo test --benches` a bench only has to prove that it runs.
    let tested = !std::env::args().any(|argument| argument == "--bench");
    let cases = std::env::var("TONGBAN_BENCH_CASES").ok().and_then(|text| text.parse().ok());
    let cases = cases.unwrap_or(if tested { 20 } else { 2_000 });
    if rounds::is_one() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        return runtime.block_on(measure_once(cases));
    }
    let folder = tempfile::tempdir()?;
    let mut disk = Disk::under(folder.path())?;
    let rounds = rounds::run(if tested { 1 } else { ROUNDS })?;
    disk.probe()?;
    say(&format!("{cases} cases of {STEPS} steps each, {} rounds", rounds.len()));
    for (no, (what, prototype, bar)) in FIGURES.into_iter().enumerate() {
        let figure = Spread::of(rounds.iter().map(|round| round[no]).collect());
        let ratio = |of: f64| figure.median() / of;
        let bar = bar.map(|bar| format!("   bar {bar:.0}, ratio {:.2}", ratio(bar)));
        let bar = bar.unwrap_or_default();
        say(&format!(
            "{what} {figure}   prototype {prototype}, ratio {:.2}{bar}",
            ratio(prototype)
        ));
    }
    say(&disk.to_string());
    Ok(())
}

/// Prints the figures of one round, in the order of [`FIGURES`].
async fn measure_once(cases: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SledStore::open(folder.path().join("data"), SledOptions::default())?);
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/case_path");
    let engine = Engine::builder()
        .store(store)
        .scripts(Arc::new(tongban_scripts::Host::open(scripts)?))
        .wiring(Arc::new(OneAgency))
        .connector("agency", Arc::new(Agency))
        .options(Options::default())
        .start()
        .await?;
    let memory_before = resident_kib();
    let cpu_before = cpu_time();
    let begun = now();
    drive(&engine, cases).await?;
    let took = begun.elapsed();
    let cpu = cpu_time().saturating_sub(cpu_before);
    let memory = resident_kib().saturating_sub(memory_before);
    engine.shutdown().await;
    let count = f64::from(u32::try_from(cases)?);
    let steps = count * f64::from(STEPS);
    let on_disk = f64::from(u32::try_from(size_of(folder.path())? / 1024)?);
    let figures = [
        count / took.as_secs_f64(),
        steps / took.as_secs_f64(),
        steps / cpu.as_secs_f64(),
        on_disk / count,
        f64::from(u32::try_from(memory)?) / count,
    ];
    say(&figures.map(|figure| figure.to_string()).join(" "));
    Ok(())
}

/// Files every case and brings it to its grant, `DRIVERS` at a time.
async fn drive(engine: &Engine, cases: usize) -> Result<(), Box<dyn Error>> {
    let mut drivers = tokio::task::JoinSet::new();
    for driver in 0..DRIVERS.min(cases) {
        let engine = engine.clone();
        drivers.spawn(async move {
            let mut number = driver;
            while number < cases {
                one_case(&engine, number).await.map_err(|error| error.to_string())?;
                number += DRIVERS;
            }
            Ok::<(), String>(())
        });
    }
    while let Some(driven) = drivers.join_next().await {
        driven??;
    }
    Ok(())
}

async fn one_case(engine: &Engine, number: usize) -> Result<(), Box<dyn Error>> {
    let viewer = Viewer::new("boss", Role::Applicant).for_party("91420302MA4DEM010M");
    let key = |step: &str| IdempotencyKey(format!("{number}-{step}"));
    let party = Party { id: "91420302MA4DEM010M".to_owned(), name: "示例".to_owned() };
    let input = StartCase {
        form: Value::of([("parcel", "420302-2026-001".into())]),
        ..StartCase::new(ServiceCode::new("bench"), RegionCode::new("420302"), party)
    };
    let case = engine.start_case(&viewer, input, key("start")).await?.case;
    engine.submit_case(&viewer, case, key("submit")).await?;
    let approver = Viewer::new("approver", Role::Approver).within("420300").of("bench");
    let (task, version) = task_of(engine, &approver, case).await?;
    let yes = TaskOutcome { granted: true, opinion: "同意".to_owned(), fields: Value::map() };
    engine.complete_task(&approver, task, Decided::at(version, yes), key("decide")).await?;
    until(engine, &viewer, case, |view| view.case().matters[0].result.is_some()).await
}

async fn task_of(
    engine: &Engine,
    viewer: &Viewer,
    case: CaseId,
) -> Result<(TaskId, u32), Box<dyn Error>> {
    until(engine, viewer, case, |view| view.case().open_tasks().next().is_some()).await?;
    let view = engine.case(viewer, case).await?.ok_or("the case is gone")?;
    let task = view.case().open_tasks().next().ok_or("the task is gone")?;
    Ok((TaskId { case, no: task.no }, task.version))
}

async fn until(
    engine: &Engine,
    viewer: &Viewer,
    case: CaseId,
    holds: impl Fn(&tongban_engine::CaseView) -> bool,
) -> Result<(), Box<dyn Error>> {
    let mut commits = engine.watch_case(case);
    loop {
        commits.borrow_and_update();
        if engine.case(viewer, case).await?.is_some_and(|view| holds(&view)) {
            return Ok(());
        }
        commits.changed().await?;
    }
}

fn size_of(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        size += if kind.is_dir() { size_of(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(size)
}

/// Returns the process's resident memory in KiB; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Returns the process's CPU time; zero where the system does not tell.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<i64> =
        after_name.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    // User and system time, fields 14 and 15 of proc(5), in ticks of 10 ms.
    let ticks = fields.get(10).unwrap_or(&0) + fields.get(11).unwrap_or(&0);
    Duration::from_millis(u64::try_from(ticks).unwrap_or(0) * 10)
}

#[expect(clippy::print_stdout, reason = "printing is what a bench is for")]
fn say(line: &str) {
    println!("{line}");
}
