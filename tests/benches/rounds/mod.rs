//! Rounds in processes of their own: what one leaves in memory is not there in the next.

use std::error::Error;
use std::process::Command;

/// Set in the process of one round.
const ROUND: &str = "TONGBAN_BENCH_ROUND";

/// Tells whether this process is one round: it prints its figures, and nothing else.
pub(crate) fn is_one() -> bool {
    std::env::var_os(ROUND).is_some()
}

/// Runs this bench again so many times, and returns the figures that each round printed.
pub(crate) fn run(count: usize) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let round = || -> Result<Vec<f64>, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let output = command.args(&arguments).env(ROUND, "1").output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let printed = String::from_utf8(output.stdout)?;
        printed.split_whitespace().map(|figure| Ok(figure.parse()?)).collect()
    };
    (0..count).map(|_| round()).collect()
}
