//! The simulator by the thousand: whole engines in seeded worlds, on every core.
//!
//! A world follows from its seed alone, so it comes out the same on every machine; what this
//! measures is how many were played, how fast, and which faults struck in them.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value as Json, json};
use tongban_core::port::WireClock as _;
use tongban_engine::clock::SystemClock;
use tongban_engine::sim::world::{Report, play};

use super::args::SimArguments;
use crate::program::args::Format;
use crate::program::error::ProgramError;
use crate::program::output;

/// Worlds between two words about the progress.
const TOLD_EVERY: u64 = 500;

/// What the worlds came to.
#[derive(Debug, Default)]
struct Tally {
    worlds: u64,
    steps: u64,
    commits: u64,
    crashes: u64,
    /// In how many worlds each rare thing happened.
    seen: BTreeMap<&'static str, u64>,
    /// Seeds that broke a promise, and which.
    broken: BTreeMap<u64, String>,
}

impl Tally {
    /// Tells how far it is, now and then.
    fn tell(&self) {
        if self.worlds.is_multiple_of(TOLD_EVERY) {
            output::tell(&format!(
                "{0} 个世界,{1} 次崩溃 / {0} worlds, {1} crashes",
                self.worlds, self.crashes
            ));
        }
    }

    fn add(&mut self, seed: u64, told: Result<Report, String>) {
        self.worlds += 1;
        match told {
            Ok(report) => {
                self.steps += report.steps;
                self.commits += report.commits as u64;
                self.crashes += u64::from(report.crashes);
                for what in report.seen {
                    *self.seen.entry(what).or_default() += 1;
                }
            }
            Err(what) => {
                self.broken.insert(seed, what);
            }
        }
    }
}

/// Plays the worlds.
pub(super) fn run(arguments: &SimArguments) -> Result<(), ProgramError> {
    let before = SystemClock.now();
    let tally = play_all(arguments);
    let millis = u64::try_from(SystemClock.now().since(before)).unwrap_or_default();
    for (seed, what) in &tally.broken {
        output::tell(&format!("{what}\n  tongban bench sim --from {seed} --to {seed}"));
    }
    output::data(&result(&tally, millis, arguments.format));
    match tally.broken.len() {
        0 => Ok(()),
        worlds => Err(ProgramError::PromiseBroken { worlds }),
    }
}

/// Plays seeds on as many threads as there are cores, until one of them breaks a promise.
fn play_all(arguments: &SimArguments) -> Tally {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (tally, next) = (Mutex::new(Tally::default()), AtomicU64::new(arguments.from));
    let broken = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let seeds = std::iter::from_fn(|| {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let goes_on = seed <= arguments.to && !broken.load(Ordering::Relaxed);
                    goes_on.then_some(seed)
                });
                for seed in seeds {
                    let told = play_one(seed);
                    broken.fetch_or(told.is_err(), Ordering::Relaxed);
                    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                    tally.add(seed, told);
                    tally.tell();
                }
            });
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn play_one(seed: u64) -> Result<Report, String> {
    match catch_unwind(|| play(seed)) {
        Ok(told) => told.map_err(|failure| failure.to_string()),
        Err(_) => Err(format!(
            "种子 {seed} 的世界崩溃,信息见上 / the world of seed {seed} panicked, as said above"
        )),
    }
}

fn result(tally: &Tally, millis: u64, format: Format) -> String {
    let per_second = tally.worlds * 1_000 / millis.max(1);
    match format {
        Format::Json => {
            let told: Json = json!({
                "worlds": tally.worlds,
                "steps": tally.steps,
                "commits": tally.commits,
                "crashes": tally.crashes,
                "seen": tally.seen,
                "broken": tally.broken,
                "millis": millis,
                "worlds_per_second": per_second,
            });
            told.to_string()
        }
        Format::Text => {
            let seen = tally.seen.iter();
            let seen: Vec<String> =
                seen.map(|(what, worlds)| format!("\n  {worlds:>6}  {what}")).collect();
            let seen = seen.concat();
            format!(
                "世界 / worlds {}\n步 / steps {}\n提交 / commits {}\n崩溃 / crashes {}\n违背承诺 / broken promises {}\n用时 / took {millis} ms\n每秒 / per second {per_second}\n各有多少世界 / worlds that saw{seen}",
                tally.worlds,
                tally.steps,
                tally.commits,
                tally.crashes,
                tally.broken.len(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worlds_are_played_and_counted() {
        let arguments = SimArguments { from: 3, to: 6, format: Format::Json };
        let tally = play_all(&arguments);
        assert_eq!((tally.worlds, tally.broken.len()), (4, 0), "{:?}", tally.broken);
        let told: Json = serde_json::from_str(&result(&tally, 2_000, Format::Json)).unwrap();
        assert_eq!(told["worlds_per_second"], 2);
        assert!(told["commits"].as_u64().unwrap() > 0);
    }
}
