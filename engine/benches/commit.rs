//! Commits per second of the sled store, beside the disk's own sync latency.
//!
//! `cargo bench -p tongban-engine --bench commit --features conformance`. The folder is
//! `BENCH_FOLDER`, or one under the system's folder for temporary files; it must lie on the disk
//! that is meant. Every commit is one entry of about 1 KiB on one of many cases, acknowledged
//! after the sync.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time and prints it"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tongban_core::id::Seq;
use tongban_core::port::Store;
use tongban_engine::conformance::sample::{Draft, region_row, timer_row};
use tongban_engine::store::{SledOptions, SledStore};

const ROUND: Duration = Duration::from_secs(5);
const ENTRY_BYTES: usize = 1_000;
/// Entries after which a committer goes on to its next case.
const ENTRIES_PER_CASE: u32 = 20;

fn main() {
    let base = std::env::var_os("BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = base.join(format!("tongban-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder is writable");
    let syncs = sync_latencies(&folder);
    println!("disk: fdatasync p50 {:?}, p99 {:?}", part(&syncs, 50), part(&syncs, 99));
    for committers in [1, 8, 64, 256, 512] {
        let store = SledStore::open(folder.join(committers.to_string()), SledOptions::default());
        let store: Arc<dyn Store> = Arc::new(store.expect("the folder is writable"));
        let mut latencies = commit_all(&store, committers);
        latencies.sort_unstable();
        let rate = latencies.len() as u64 / ROUND.as_secs();
        println!(
            "{committers:>4} committers: {rate:>6} commits/s, p50 {:?}, p99 {:?}",
            part(&latencies, 50),
            part(&latencies, 99),
        );
    }
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
}

/// Times syncs of a file that grows by 4 KiB each time.
fn sync_latencies(folder: &Path) -> Vec<Duration> {
    let mut file = File::create(folder.join("probe")).expect("the folder is writable");
    let mut latencies: Vec<Duration> = (0..200)
        .map(|_| {
            file.write_all(&[7; 4096]).expect("there is space");
            let begun = Instant::now();
            file.sync_data().expect("the disk works");
            begun.elapsed()
        })
        .collect();
    latencies.sort_unstable();
    latencies
}

fn part(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

fn commit_all(store: &Arc<dyn Store>, committers: u32) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("the system has room for threads");
    let until = Instant::now() + ROUND;
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for committer in 0..committers {
            let store = Arc::clone(store);
            tasks.spawn(async move { commit_until(&*store, committer, until).await });
        }
        tasks.join_all().await.concat()
    })
}

async fn commit_until(store: &dyn Store, committer: u32, until: Instant) -> Vec<Duration> {
    let mut latencies = Vec::new();
    let mut case = committer;
    let mut head = 0;
    while Instant::now() < until {
        let draft = if head == 0 {
            let row = region_row("420302");
            let mut draft = Draft::start(store, case).row(row).row(timer_row(1));
            draft.0.entries.truncate(1);
            draft
        } else {
            Draft::empty(case, Seq(head), store.identity().epoch).entry_of_size(ENTRY_BYTES)
        };
        let begun = Instant::now();
        draft.commit(store).await;
        latencies.push(begun.elapsed());
        head = (head + 1) % ENTRIES_PER_CASE;
        if head == 0 {
            case += 10_000;
        }
    }
    latencies
}
