//! The program `tongban`: the one place where store, scripts, connectors and API are wired.
//!
//! [`main`] reads the command line and hands over to one module per command; `assemble` builds
//! the engine, `error` and `output` hold everything that a person is told when something cannot
//! be done, [`exit`] the codes that the program ends with. No rule of a case is here.

mod args;
mod assemble;
mod audit;
mod bench;
mod blobs;
mod calendar;
mod case;
mod check;
mod config;
mod demo;
mod error;
pub mod exit;
mod figures;
mod folder;
mod id;
mod import;
mod incidents;
mod output;
mod remote;
mod scripts_explain;
mod scripts_graph;
mod scripts_new;
mod scripts_publish;
mod scripts_rebind;
mod scripts_rehearse;
mod scripts_situation;
mod scripts_upgrade;
mod seal;
mod secret;
mod serve;
mod signal;
mod storage;
mod telemetry;
mod token;
mod upkeep;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use self::args::{Arguments, Command, ScriptsTool};
use self::error::{Both, ProgramError};
use self::exit::Exit;

/// Runs the program with the arguments of the process, and returns how it ends.
pub fn main() -> ExitCode {
    let exit = match Arguments::try_parse() {
        Ok(arguments) => run(arguments.command),
        Err(error) => told(&error),
    };
    exit.into()
}

/// Shows help and version as data, and anything else as a mistake in the command line.
fn told(error: &clap::Error) -> Exit {
    if let ErrorKind::DisplayHelp | ErrorKind::DisplayVersion = error.kind() {
        output::data(error.to_string().trim_end());
        return Exit::Done;
    }
    output::tell(error.to_string().trim_end());
    output::tell("命令有误,用 --help 查看用法和示例 / see --help for usage and examples");
    Exit::Usage
}

fn run(command: Command) -> Exit {
    telemetry::begin();
    let done = match command {
        Command::Demo(arguments) => wait_for(demo::run(arguments)),
        Command::Serve(arguments) => wait_for(serve::run(arguments)),
        Command::Token(arguments) => token::run(arguments),
        Command::Scripts(tools) => match tools.tool {
            ScriptsTool::Check(arguments) => check::run(&arguments),
            ScriptsTool::Rehearse(arguments) => scripts_rehearse::run(&arguments),
            ScriptsTool::Explain(arguments) => scripts_explain::run(&arguments),
            ScriptsTool::Graph(arguments) => scripts_graph::run(&arguments),
            ScriptsTool::New(arguments) => scripts_new::run(&arguments.what),
            ScriptsTool::Publish(arguments) => wait_for(scripts_publish::publish(&arguments)),
            ScriptsTool::Versions(arguments) => wait_for(scripts_publish::versions(&arguments)),
            ScriptsTool::UpgradeReport(arguments) => wait_for(scripts_upgrade::run(&arguments)),
            ScriptsTool::Rebind(arguments) => wait_for(scripts_rebind::run(&arguments)),
        },
        Command::Case(tools) => wait_for(case::run(tools.tool)),
        Command::Incidents(tools) => wait_for(incidents::run(tools.tool)),
        Command::Audit(tools) => wait_for(audit::run(&tools.tool)),
        Command::Id(tools) => return id::run(&tools.tool),
        Command::Calendar(tools) => wait_for(calendar::run(tools.tool)),
        Command::Figures(arguments) => wait_for(figures::run(&arguments)),
        Command::Blobs(tools) => wait_for(blobs::run(&tools.tool)),
        Command::Import(arguments) => wait_for(import::run(&arguments)),
        Command::Store(arguments) => wait_for(upkeep::store(arguments.tool)),
        Command::Backup(arguments) => wait_for(upkeep::backup(arguments)),
        Command::Restore(arguments) => wait_for(upkeep::restore(&arguments)),
        Command::Export(arguments) => wait_for(upkeep::export(&arguments)),
        Command::ImportCases(arguments) => wait_for(upkeep::import_cases(&arguments)),
        Command::Bench(arguments) => wait_for(bench::run(arguments.tool)),
        Command::Schema(arguments) => {
            match arguments.of {
                Some(kind) => import::print_schema(kind),
                None => output::data(crate::schema::sdl().trim_end()),
            }
            Ok(())
        }
    };
    done.map_or_else(|error| output::fail(&error), |()| Exit::Done)
}

/// Runs what waits, on a runtime of its own.
fn wait_for(work: impl Future<Output = Result<(), ProgramError>>) -> Result<(), ProgramError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests;
