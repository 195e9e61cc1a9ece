//! `tongban bench`: what this program does on this machine, measured by itself.

pub(crate) mod args;
mod crash;
#[cfg(feature = "sim")]
mod sim;

use self::args::BenchTool;
use super::error::ProgramError;

/// Runs a measurement.
pub(crate) async fn run(tool: BenchTool) -> Result<(), ProgramError> {
    match tool {
        BenchTool::Crash(arguments) => crash::run(&arguments).await,
        #[cfg(feature = "sim")]
        BenchTool::Sim(arguments) => sim::run(&arguments),
        BenchTool::CrashWork(arguments) => crash::work(&arguments).await,
    }
}
