//! `tongban scripts check`: what is wrong with scripts, before anybody deploys them.

use std::path::Path;

use tongban_scripts::check::CatalogueError;
use tongban_scripts::{Catalogue, LoadError, Report};

use super::args::{CheckArguments, Format};
use super::error::{Both, ProgramError, shown};
use super::output;

/// Name of the catalogue that a script folder may hold.
const CATALOGUE_FILE: &str = "operations.json";

/// Prints the findings; any finding is a failure.
pub(crate) fn run(arguments: &CheckArguments) -> Result<(), ProgramError> {
    let catalogue = catalogue(&arguments.path, arguments.operations.as_deref())?;
    let report = tongban_scripts::check(&arguments.path, Some(&catalogue))
        .map_err(|error| unreadable(&arguments.path, &error))?;
    output::data(rendered(&report, arguments.format).trim_end());
    if report.has_errors() {
        return Err(wrong(&arguments.path, &report));
    }
    Ok(())
}

/// Turns scripts that do not load into the program's failure; the findings are told first.
pub(crate) fn refused(folder: &Path, error: &LoadError) -> ProgramError {
    if let LoadError::Scripts(report) = error {
        output::tell(report.to_string().trim_end());
        return wrong(folder, report);
    }
    unreadable(folder, error)
}

fn wrong(folder: &Path, report: &Report) -> ProgramError {
    ProgramError::ScriptsWrong { folder: shown(folder), findings: report.findings.len() }
}

fn unreadable(folder: &Path, error: &LoadError) -> ProgramError {
    ProgramError::ScriptsUnreadable { what: shown(folder), detail: Both::of(error) }
}

/// Reads the catalogue that is named, or that of the folder, or the shipped one.
pub(crate) fn catalogue(folder: &Path, named: Option<&Path>) -> Result<Catalogue, ProgramError> {
    let beside = folder.join(CATALOGUE_FILE);
    let file = match named {
        Some(file) => file.to_owned(),
        None if beside.is_file() => beside,
        None => return Ok(Catalogue::shipped()),
    };
    Catalogue::read(&file).map_err(|error: CatalogueError| ProgramError::ScriptsUnreadable {
        what: shown(file),
        detail: Both::of(&error),
    })
}

fn rendered(report: &Report, format: Format) -> String {
    match format {
        Format::Text => report.to_string(),
        Format::Json => {
            serde_json::to_string_pretty(report).expect("a report has only text names and numbers")
        }
    }
}
