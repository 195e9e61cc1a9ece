//! Commits per second of the sled store, beside the disk's own sync latency.
//!
//! `cargo bench -p tongban-engine --bench commit --features conformance`. The folder is
//! `BENCH_FOLDER`, or one under the system's folder for temporary files; it must lie on the disk
//! that is meant. Every commit is one entry of about 1 KiB on one of many cases, acknowledged
//! after the sync. Each rate is the median of its rounds, with the slowest and the fastest; the
//! ratio is to the disk alone, which syncs one commit at a time, probed in the same run.
#![expect(clippy::print_stdout, reason = "printing is what a bench is for")]

mod measure;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tongban_core::id::Seq;
use tongban_core::port::Store;
use tongban_engine::conformance::sample::{Draft, region_row, timer_row};
use tongban_engine::store::{SledOptions, SledStore};

use measure::{Disk, Spread, now, percentile};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const ENTRY_BYTES: usize = 1_000;
/// Entries after which a committer goes on to its next case.
const ENTRIES_PER_CASE: u32 = 20;

fn main() {
    // Under `cargo test --benches` a bench only has to prove that it runs.
    let tested = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, round) = if tested { (1, Duration::from_millis(20)) } else { (ROUNDS, ROUND) };
    let base = std::env::var_os("BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = base.join(format!("tongban-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder is writable");
    let mut disk = Disk::under(&folder).expect("the disk works");
    println!("commits a second, each on the device; ratio to one fdatasync at a time");
    for committers in [1, 8, 64, 256, 512] {
        let store = SledStore::open(folder.join(committers.to_string()), SledOptions::default());
        let store: Arc<dyn Store> = Arc::new(store.expect("the folder is writable"));
        let mut latencies = Vec::new();
        let mut rates = Vec::new();
        for no in 0..rounds {
            disk.probe().expect("the disk works");
            let first_case = committers * u32::try_from(no).expect("there are few rounds");
            let took = commit_all(&store, (committers, first_case), round);
            let count = u32::try_from(took.len()).expect("a round is short");
            rates.push(f64::from(count) / round.as_secs_f64());
            latencies.extend(took);
        }
        latencies.sort_unstable();
        let rates = Spread::of(rates);
        println!(
            "{committers:>4} committers {rates}   p50 {:.2?}, p99 {:.2?}   ratio {:.2}",
            percentile(&latencies, 50),
            percentile(&latencies, 99),
            rates.median() * disk.percentile(50).as_secs_f64(),
        );
    }
    println!("{disk}");
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
}

/// Commits for one round, on cases of their own from `first_case` on.
fn commit_all(
    store: &Arc<dyn Store>,
    (committers, first_case): (u32, u32),
    round: Duration,
) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("the system has room for threads");
    let until = now() + round;
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for committer in 0..committers {
            let store = Arc::clone(store);
            tasks.spawn(async move { commit_until(&*store, first_case + committer, until).await });
        }
        tasks.join_all().await.concat()
    })
}

async fn commit_until(store: &dyn Store, committer: u32, until: Instant) -> Vec<Duration> {
    let mut latencies = Vec::new();
    let mut case = committer;
    let mut head = 0;
    while now() < until {
        let draft = if head == 0 {
            let row = region_row("420302");
            let mut draft = Draft::start(store, case).row(row).row(timer_row(1));
            draft.0.entries.truncate(1);
            draft
        } else {
            Draft::empty(case, Seq(head), store.identity().epoch).entry_of_size(ENTRY_BYTES)
        };
        let begun = now();
        draft.commit(store).await;
        latencies.push(begun.elapsed());
        head = (head + 1) % ENTRIES_PER_CASE;
        if head == 0 {
            case += 10_000;
        }
    }
    latencies
}
