//! `tongban id check`: what a number in hand is, and whether it is right.
//!
//! The rules are in `tongban_core::identifier`. The number is neither kept nor logged; it is
//! shown in full, since the person who asks has just typed it. With `-` it is read from standard
//! input, which leaves it out of the shell's history.

pub(crate) mod args;
mod shown;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Read as _};
use std::path::Path;

use tongban_core::identifier::{Reader, Regions, Verdict};
use tongban_core::port::WireClock as _;
use tongban_engine::clock::SystemClock;

use self::args::{CheckIdArguments, IdTool};
use super::error::{Both, ProgramError, shown as named};
use super::exit::Exit;
use super::output;

/// What stands for standard input on the command line.
const STANDARD_INPUT: &str = "-";

/// Most bytes that are read from standard input; no identifier is nearly as long.
const INPUT_BYTES_MAX: u64 = 4096;

/// Runs the tool and returns how the program ends: well for a valid number alone.
pub(crate) fn run(tool: &IdTool) -> Exit {
    let IdTool::Check(arguments) = tool;
    match check(arguments, std::io::stdin().lock()) {
        Ok(verdict) => {
            output::data(shown::rendered(&verdict, arguments.format).trim_end());
            exit_of(&verdict)
        }
        Err(error) => output::fail(&error),
    }
}

fn exit_of(verdict: &Verdict) -> Exit {
    if verdict.is_valid() { Exit::Done } else { Exit::Data }
}

fn check(arguments: &CheckIdArguments, input: impl BufRead) -> Result<Verdict, ProgramError> {
    let regions = match &arguments.regions {
        Some(file) => regions(file)?,
        None => Regions::national(),
    };
    let value = match arguments.value.as_str() {
        STANDARD_INPUT => first_line(input)?,
        value => value.to_owned(),
    };
    let reader = Reader::new(&regions, SystemClock.now().date());
    Ok(match arguments.kind {
        Some(kind) => reader.identify_as(kind.into(), &value),
        None => reader.identify(&value),
    })
}

/// Reads the first line that holds anything.
fn first_line(input: impl BufRead) -> Result<String, ProgramError> {
    let mut text = Vec::new();
    input.take(INPUT_BYTES_MAX).read_to_end(&mut text).map_err(|error| {
        ProgramError::InputOutput { what: "标准输入 (stdin)".into(), detail: Both::of(&error) }
    })?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    Ok(line.unwrap_or_default().to_owned())
}

fn regions(file: &Path) -> Result<Regions, ProgramError> {
    let text = std::fs::read_to_string(file).map_err(|error| ProgramError::InputOutput {
        what: named(file),
        detail: Both::of(&error),
    })?;
    let regions = Regions::national().with_local(&text);
    regions
        .map_err(|error| ProgramError::RegionsWrong { file: named(file), detail: Both::of(&error) })
}
