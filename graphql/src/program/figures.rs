//! `tongban figures`: what leaders ask, counted from a data folder that no server is using.
//!
//! Nothing runs and no case is changed: logs are read as they are. While a server runs, the same
//! figures come from its `figures` query.

pub(crate) mod args;
mod shown;
#[cfg(test)]
mod tests;

use tongban_core::id::{DepartmentCode, RegionCode, ServiceCode};
use tongban_core::port::{Script as _, Store as _, WireClock as _};
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::clock::SystemClock;
use tongban_engine::figures::{Counted, FigureQuery, FigureSource, count};

use self::args::FiguresArguments;
use super::args::Format;
use super::error::{Both, ProgramError};
use super::{assemble, folder, output};

/// Cases between two words about the progress.
const TOLD_EVERY: u64 = 5_000;

/// Counts and prints.
pub(crate) async fn run(arguments: &FiguresArguments) -> Result<(), ProgramError> {
    let counted = counted(arguments).await?;
    let text = match arguments.format {
        Format::Text => shown::text(&counted),
        Format::Json => format!("{:#}", shown::json(&counted)),
    };
    output::data(&text);
    Ok(())
}

async fn counted(arguments: &FiguresArguments) -> Result<Counted, ProgramError> {
    let data = &arguments.data;
    folder::must_exist(data)?;
    let store = folder::open(data)?;
    let host = assemble::scripts(None)?;
    let closures =
        store.closures().await.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
    for (digest, sources) in closures {
        // Scripts that cannot be read any more have no design rate; the log still counts.
        if let Err(fault) = host.adopt(&digest, &sources) {
            output::tell(&fault.to_string());
        }
    }
    let standing = folder::standing(data).await?;
    let source = FigureSource {
        store: store.as_ref(),
        scripts: &host,
        standing: &standing,
        now: SystemClock.now().plus_millis(store.identity().clock_offset),
    };
    let viewer = Viewer::new("tongban figures", Role::Supervisor).within(&arguments.region);
    let mut told = 0;
    let mut progress = |cases: u64| {
        if cases >= told + TOLD_EVERY {
            told = cases;
            output::tell(&format!("已统计 {cases} 个办件 / {cases} cases counted"));
        }
    };
    let counted = count(source, &viewer, &query(arguments), &mut progress).await;
    counted.map_err(|error| ProgramError::Engine(Both::of(&error)))
}

fn query(arguments: &FiguresArguments) -> FigureQuery {
    let until = |day: Moment| Moment::end_of(day.date());
    FigureQuery {
        region: Some(RegionCode::new(&arguments.region)),
        department: arguments.department.as_ref().map(DepartmentCode::new),
        service: arguments.service.as_ref().map(ServiceCode::new),
        from: arguments.from,
        until: arguments.until.map(until),
    }
}
