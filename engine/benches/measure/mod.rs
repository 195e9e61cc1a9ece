//! What benches print beside their figures: the disk's own sync latency in the same run, and the
//! spread of each figure over its rounds.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Syncs of one probe.
const SYNCS: usize = 100;

/// The disk under the work: a file that grows by 4 KiB and is synced, over and over.
pub(crate) struct Disk {
    file: File,
    latencies: Vec<Duration>,
}

impl Disk {
    /// Makes the file in a folder that lies on the disk that is meant, and probes it.
    pub(crate) fn under(folder: &Path) -> io::Result<Self> {
        let file = File::create(folder.join("fdatasync"))?;
        let mut disk = Self { file, latencies: Vec::new() };
        disk.probe()?;
        Ok(disk)
    }

    /// Times some more syncs: between and after what is measured, never beside it.
    pub(crate) fn probe(&mut self) -> io::Result<()> {
        for _ in 0..SYNCS {
            self.file.write_all(&[7; 4096])?;
            let begun = now();
            self.file.sync_data()?;
            self.latencies.push(begun.elapsed());
        }
        self.latencies.sort_unstable();
        Ok(())
    }

    /// Returns the latency that so many percent of the syncs did not pass.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        percentile(&self.latencies, percent)
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99) = (self.percentile(50), self.percentile(99));
        let count = self.latencies.len();
        write!(f, "disk: fdatasync p50 {p50:.2?}, p99 {p99:.2?} ({count} syncs in this run)")
    }
}

/// Returns the duration that so many percent of the sorted ones do not pass.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// One figure over several rounds.
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    /// Takes the figure of each round.
    pub(crate) fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        Self(rounds)
    }

    /// Returns the middle one.
    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        let median = self.median();
        let digits = if median < 100.0 { 2 } else { 0 };
        write!(f, "{median:>10.digits$}   from {least:.digits$} to {most:.digits$}")
    }
}

/// Returns the time of the machine.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
