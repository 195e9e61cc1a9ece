//! What cases take that wait for a person: memory while their engine has worked on them, and
//! memory of an engine that has only opened their store.
//!
//! `cargo bench -p tongban-tests --bench parked`; `TONGBAN_BENCH_CASES` sets how many cases
//! (5,000). Every case is submitted and waits for an approval, each commit on the device. Each
//! figure is the median of rounds in processes of their own; the bar is a million parked cases in
//! 500 MB and ten seconds to open their store. The disk's sync latency is of the same run.

#[path = "../../engine/benches/measure/mod.rs"]
mod measure;
mod rounds;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use tongban_core::entry::Party;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::port::Wiring;
use tongban_core::start::StartCase;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::store::{OpenError, SledOptions, SledStore};
use tongban_engine::{Engine, IdempotencyKey, Options};

use measure::{Disk, Spread, now};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Applicants who file at the same time.
const DRIVERS: usize = 128;
const ROUNDS: usize = 5;
/// Bytes that a parked case may take: 500 MB for a million.
const BAR_BYTES: f64 = 500.0;
/// Milliseconds in which a store may be opened.
const BAR_MILLIS: f64 = 10_000.0;

const SERVICE: &str = r#"service(#{
    code: "s", name: "服务", lead: "d", regions: ["420300"], matters: [part("m")],
});
"#;
const MATTER: &str = r#"matter(#{ code: "m", name: "事项", department: "d", intake: "auto" });
fn handle(m) { grant(decide("d.approver", #{ title: "审批" })) }
"#;

struct Nobody;

impl Wiring for Nobody {
    fn connector_for(&self, _: &str, _: &RegionCode) -> Option<String> {
        None
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Under `cargo test --benches` a bench only has to prove that it runs.
    let tested = !std::env::args().any(|argument| argument == "--bench");
    let cases = std::env::var("TONGBAN_BENCH_CASES").ok().and_then(|text| text.parse().ok());
    let cases = cases.unwrap_or(if tested { 20 } else { 5_000 });
    if rounds::is_one() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        return runtime.block_on(measure_once(cases));
    }
    let folder = tempfile::tempdir()?;
    let mut disk = Disk::under(folder.path())?;
    let rounds = rounds::run(if tested { 1 } else { ROUNDS })?;
    disk.probe()?;
    let figure = |no: usize| Spread::of(rounds.iter().map(|round| round[no]).collect());
    let (alone, worked, parked, opening) = (figure(0), figure(1), figure(2), figure(3));
    let (bytes, millis) = (parked.median() / BAR_BYTES, opening.median() / BAR_MILLIS);
    say(&format!("{cases} cases that wait for an approval, {} rounds", rounds.len()));
    say(&format!("engine and store alone       {alone} KiB"));
    say(&format!("after work, still held       {worked} bytes a case"));
    say(&format!(
        "parked, store opened again   {parked} bytes a case   bar {BAR_BYTES:.0}, ratio {bytes:.2}"
    ));
    say(&format!(
        "until it serves again        {opening} ms   bar {BAR_MILLIS:.0} (of a million cases), ratio {millis:.2}"
    ));
    say(&disk.to_string());
    Ok(())
}

/// Prints the figures of one round.
async fn measure_once(cases: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    for (path, text) in [("scripts/services/s.rhai", SERVICE), ("scripts/matters/m.rhai", MATTER)] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().ok_or("it has a folder")?)?;
        std::fs::write(path, text)?;
    }
    let nothing = resident_kib();
    let engine = open(folder.path()).await?;
    let before = resident_kib();
    drive(&engine, cases).await?;
    let worked = resident_kib();
    engine.shutdown().await;
    drop(engine);
    let closed = resident_kib();
    let begun = now();
    let engine = open(folder.path()).await?;
    let took = begun.elapsed();
    let parked = resident_kib();
    engine.shutdown().await;
    let alone = before.saturating_sub(nothing);
    let worked = each(worked.saturating_sub(before), cases)?;
    let parked = each(parked.saturating_sub(closed), cases)?;
    say(&format!("{alone} {worked} {parked} {}", took.as_secs_f64() * 1e3));
    Ok(())
}

/// Returns bytes a case.
fn each(kib: u64, cases: usize) -> Result<f64, Box<dyn Error>> {
    Ok(f64::from(u32::try_from(kib)?) * 1024.0 / f64::from(u32::try_from(cases)?))
}

async fn open(folder: &Path) -> Result<Engine, Box<dyn Error>> {
    // An engine that has just stopped lets go of its folder on another thread.
    let store = loop {
        match SledStore::open(folder.join("data"), SledOptions::default()) {
            Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
            opened => break opened?,
        }
    };
    let engine = Engine::builder()
        .store(Arc::new(store))
        .scripts(Arc::new(tongban_scripts::Host::open(folder.join("scripts"))?))
        .wiring(Arc::new(Nobody))
        .options(Options::default())
        .start()
        .await?;
    Ok(engine)
}

/// Files every case, `DRIVERS` at a time.
async fn drive(engine: &Engine, cases: usize) -> Result<(), Box<dyn Error>> {
    let mut drivers = tokio::task::JoinSet::new();
    for driver in 0..DRIVERS.min(cases) {
        let engine = engine.clone();
        drivers.spawn(async move {
            let viewer = Viewer::new("boss", Role::Applicant).for_party("91420302MA4DEM010M");
            for number in (driver..cases).step_by(DRIVERS) {
                let key = |step: &str| IdempotencyKey(format!("{number}-{step}"));
                let party =
                    Party { id: "91420302MA4DEM010M".to_owned(), name: "示例".to_owned() };
                let input = StartCase::new(ServiceCode::new("s"), RegionCode::new("420302"), party);
                let told = |error: tongban_engine::EngineError| error.to_string();
                let case =
                    engine.start_case(&viewer, input, key("start")).await.map_err(told)?.case;
                engine.submit_case(&viewer, case, key("submit")).await.map_err(told)?;
            }
            Ok::<(), String>(())
        });
    }
    while let Some(driven) = drivers.join_next().await {
        driven??;
    }
    Ok(())
}

/// Returns the process's resident memory in KiB; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[expect(clippy::print_stdout, reason = "printing is what a bench is for")]
fn say(line: &str) {
    println!("{line}");
}
