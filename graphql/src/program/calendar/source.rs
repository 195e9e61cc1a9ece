//! Where a calendar comes from: shipped, imported into a data folder, or a file at hand.

use std::path::Path;
use std::sync::Arc;

use tongban_core::calendar::{Calendar, CalendarDocument, CalendarError, Calendars};
use tongban_engine::reference::{ReferenceError, References};

use super::args::PlaceArguments;
use crate::program::error::{Both, ProgramError, shown};
use crate::program::output;
use crate::program::storage::Storage;

/// The kind under which calendars are kept.
pub(super) const KIND: &str = "calendar";

/// Finds the calendar of the arguments.
pub(super) async fn calendar(place: &PlaceArguments) -> Result<Arc<Calendar>, ProgramError> {
    let mut documents = match &place.data {
        Some(folder) => kept(folder).await?,
        None => Vec::new(),
    };
    let from_file = place.calendar.as_deref().map(|file| read(file, &shown(file))).transpose()?;
    if let Some(document) = &from_file {
        documents.retain(|other| other.code != document.code);
        documents.push(document.clone());
    }
    let calendars = Calendars::of(&documents).map_err(|error| {
        let file = place.calendar.as_ref().or(place.data.as_ref());
        wrong(file.map_or_else(String::new, shown), &error)
    })?;
    let chosen = match (&place.region, &from_file) {
        (Some(region), _) => calendars.of_place(region),
        (None, Some(document)) => {
            calendars.named(&document.code).unwrap_or_else(|| calendars.national())
        }
        (None, None) => calendars.national(),
    };
    if let (Some(region), Some(document)) = (&place.region, &from_file)
        && document.code != chosen.code()
    {
        output::tell(&format!(
            "注意:日历 {code} 不适用于 {region},按 {used} 推算\nnote: calendar {code} does not hold in {region}; {used} is used",
            code = document.code,
            used = chosen.code(),
        ));
    }
    Ok(Arc::clone(chosen))
}

/// Reads a calendar file; `notice` is the source of a table whose lines name none.
pub(super) fn read(file: &Path, notice: &str) -> Result<CalendarDocument, ProgramError> {
    let bytes = std::fs::read(file).map_err(|error| ProgramError::InputOutput {
        what: shown(file),
        detail: Both::of(&error),
    })?;
    let is_table = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let document = if is_table {
        CalendarDocument::from_csv(&String::from_utf8_lossy(&bytes), notice)
    } else {
        CalendarDocument::from_json(&bytes)
    };
    document.map_err(|error| wrong(shown(file), &error))
}

/// Reads the calendars in force for a data folder, which need not exist yet.
pub(super) async fn in_force(folder: &Path) -> Result<Calendars, ProgramError> {
    let documents = if folder.is_dir() { kept(folder).await? } else { Vec::new() };
    Calendars::of(&documents).map_err(|error| wrong(shown(folder), &error))
}

/// Reads the calendars that a data folder keeps.
async fn kept(folder: &Path) -> Result<Vec<CalendarDocument>, ProgramError> {
    if !folder.is_dir() {
        return Err(ProgramError::InputOutput {
            what: shown(folder),
            detail: Both::new("没有这个数据文件夹", "there is no such data folder"),
        });
    }
    let references = open(folder).await?;
    current(&references, folder).await
}

/// Opens the reference data of a folder, which is created where missing.
pub(super) async fn open(folder: &Path) -> Result<References, ProgramError> {
    Storage::of(folder).await?.references().map_err(|error| unkept(folder, &error))
}

/// Reads the newest version of each calendar.
pub(super) async fn current(
    references: &References,
    folder: &Path,
) -> Result<Vec<CalendarDocument>, ProgramError> {
    let kept = references.current(KIND).await.map_err(|error| unkept(folder, &error))?;
    let read = kept.iter().map(|document| {
        CalendarDocument::from_json(&document.bytes).map_err(|error| {
            wrong(format!("{} {} v{}", shown(folder), document.name, document.version), &error)
        })
    });
    read.collect()
}

/// Turns a calendar that cannot be used into the program's failure.
pub(super) fn wrong(file: String, error: &CalendarError) -> ProgramError {
    ProgramError::CalendarWrong { file, code: error.code(), detail: Both::of(error) }
}

/// Turns reference data that cannot be kept or read into the program's failure.
pub(super) fn unkept(folder: &Path, error: &ReferenceError) -> ProgramError {
    match error {
        ReferenceError::UnknownKind { .. }
        | ReferenceError::BadName { .. }
        | ReferenceError::TooLarge { .. }
        | ReferenceError::NotJson { .. }
        | ReferenceError::Damaged { .. } => ProgramError::CalendarWrong {
            file: shown(folder),
            code: error.code(),
            detail: Both::of(error),
        },
        ReferenceError::Contended { .. } | ReferenceError::Objects(_) | _ => {
            ProgramError::InputOutput { what: shown(folder), detail: Both::of(error) }
        }
    }
}
