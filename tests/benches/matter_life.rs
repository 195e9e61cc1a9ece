//! Processor time that one matter of 100 calls in a row takes over its whole life, through the
//! production turn and the real script host; its store and its agencies are left out.
//!
//! `cargo bench -p tongban-tests --bench matter_life`. Each of the calls ends a run and its reply
//! begins the next, so the script is evaluated 101 times over a growing journal. The bar is 10 ms;
//! the disk's sync latency in the same run says what machine it was.

#[expect(dead_code, reason = "the bench plays no random arrivals")]
#[path = "../../engine/core/tests/replay_law/world.rs"]
mod world;

#[path = "../../engine/benches/measure/mod.rs"]
mod measure;

use std::error::Error;
use std::path::Path;

use measure::{Disk, Spread};
use world::{Answers, World};

/// The one that the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Calls of the matter.
const CALLS: usize = 100;
const ROUNDS: usize = 25;
/// Microseconds of processor time that are allowed.
const BAR: f64 = 10_000.0;

const SERVICE: &str = r#"service(#{
    code: "s", name: "服务", lead: "natural-resources", regions: ["420300"], matters: [part("m")],
});
"#;

/// What the script does a hundred times, and what that is called.
const BODIES: [(&str, &str); 2] = [
    ("each call alone", r#"ask("natural-resources.parcel", #{ no: no });"#),
    (
        "each with the answer before it and the place",
        r#"let answer = ask("natural-resources.parcel", #{ no: no, before: before, region: m.region });
        before = answer.n;"#,
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    // Under `cargo test --benches` a bench only has to prove that it runs.
    let tested = !std::env::args().any(|argument| argument == "--bench");
    let rounds = if tested { 1 } else { ROUNDS };
    let folder = tempfile::tempdir()?;
    let mut disk = Disk::under(folder.path())?;
    say(&format!("a matter of {CALLS} calls in a row, processor time over its life:"));
    for (what, body) in BODIES {
        let host = host(folder.path(), body)?;
        let lives = Spread::of((0..rounds).map(|_| live(&host)).collect());
        disk.probe()?;
        let ratio = lives.median() / BAR;
        say(&format!("{lives} µs   bar {BAR:.0}, ratio {ratio:.2}   {what}"));
    }
    say(&disk.to_string());
    Ok(())
}

/// Compiles a service of one matter that does `body` a hundred times.
fn host(folder: &Path, body: &str) -> Result<tongban_scripts::Host, Box<dyn Error>> {
    let matter = format!(
        r#"matter(#{{ code: "m", name: "事项", department: "natural-resources", intake: "auto" }});
fn handle(m) {{
    let before = 0;
    for no in 0..{CALLS} {{
        {body}
    }}
    log(before);
}}
"#
    );
    for (path, text) in [("services/s.rhai", SERVICE), ("matters/m.rhai", &matter)] {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().ok_or("it has a folder")?)?;
        std::fs::write(path, text)?;
    }
    Ok(tongban_scripts::Host::open(folder)?)
}

/// Plays one case to its end; returns the microseconds that it took of the processor.
fn live(host: &tongban_scripts::Host) -> f64 {
    let before = cpu_nanos();
    let mut world = World::begin(host);
    while let Some(batch) = world.batch(&[(0, 0)], Answers::AsTheyCome) {
        world.take(&batch);
    }
    let took = std::time::Duration::from_nanos(cpu_nanos() - before);
    assert!(world.matter().run.finished && world.requests().len() == CALLS);
    took.as_secs_f64() * 1e6
}

/// Returns the processor time of this thread; zero where the system does not tell.
fn cpu_nanos() -> u64 {
    // The system brings its account up to date at its own tick, or when a thread gives way.
    std::thread::yield_now();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "printing is what a bench is for")]
fn say(line: &str) {
    println!("{line}");
}
