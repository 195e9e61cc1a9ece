//! What cases take that wait for a person: memory while their engine has worked on them, and
//! memory of an engine that has only opened their store.
//!
//! `cargo bench -p tongban-tests --bench parked`; `TONGBAN_BENCH_CASES` sets how many cases
//! (5,000). Every case is submitted and waits for an approval, each commit on the device; the
//! disk's own fdatasync time is printed beside it.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tongban_core::entry::Party;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::port::Wiring;
use tongban_core::start::StartCase;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::store::{SledOptions, SledStore};
use tongban_engine::{Engine, IdempotencyKey, Options};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Applicants who file at the same time.
const DRIVERS: usize = 128;

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
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(cases))
}

async fn measure(cases: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (p50, p99) = fdatasync(folder.path())?;
    for (path, text) in [("scripts/services/s.rhai", SERVICE), ("scripts/matters/m.rhai", MATTER)] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().ok_or("it has a folder")?)?;
        std::fs::write(path, text)?;
    }
    say(&format!(
        "disk: fdatasync p50 {p50:.2?}, p99 {p99:.2?}; {cases} cases that wait for an approval"
    ));
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
    say(&format!("engine and store alone      {:>8} KiB", before.saturating_sub(nothing)));
    each("after work, still held      ", worked.saturating_sub(before), cases)?;
    each("parked, store opened again  ", parked.saturating_sub(closed), cases)?;
    say(&format!("opening took {took:.2?}"));
    Ok(())
}

fn each(what: &str, kib: u64, cases: usize) -> Result<(), Box<dyn Error>> {
    let bytes = f64::from(u32::try_from(kib)?) * 1024.0 / f64::from(u32::try_from(cases)?);
    say(&format!("{what}{kib:>8} KiB, {bytes:.0} bytes a case"));
    Ok(())
}

async fn open(folder: &Path) -> Result<Engine, Box<dyn Error>> {
    let store = SledStore::open(folder.join("data"), SledOptions::default())?;
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

/// Measures the disk itself: 4 KiB appended and synced, over and over; the middle and the worst.
fn fdatasync(folder: &Path) -> Result<(Duration, Duration), Box<dyn Error>> {
    let mut file = std::fs::File::create(folder.join("fdatasync"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let begun = now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok((times[times.len() / 2], times[(times.len() - 1) * 99 / 100]))
}

/// Returns the process's resident memory in KiB; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "printing is what a bench is for")]
fn say(line: &str) {
    println!("{line}");
}
