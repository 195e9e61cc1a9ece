//! `tongban case`: looking at one case of a folder or of a bundle, and steering one of a server.
//!
//! Looking writes nothing but the note of who revealed personal data, and no agency is asked.
//! While a server runs on the folder, the same is shown by the query `caseAt`.

pub(crate) mod args;
mod shown;
mod source;
mod steer;

use std::path::Path;

use tongban_core::audit::AuditedAct;
use tongban_core::bundle::Bundle;
use tongban_core::id::Seq;
use tongban_core::limits;
use tongban_engine::EngineError;
use tongban_engine::standing::Standing;
use tongban_engine::travel::{CaseAt, Travel, case_at};
use tongban_scripts::Host;

use self::args::{CaseTool, ExportArguments, ReplayArguments};
use self::source::Found;
use super::args::Format;
use super::error::{Both, ProgramError, shown as place};
use super::{audit, output};

/// Runs one of the tools.
pub(crate) async fn run(tool: CaseTool) -> Result<(), ProgramError> {
    match tool {
        CaseTool::Replay(arguments) => replay(&arguments).await,
        CaseTool::Export(arguments) => export(&arguments).await,
        CaseTool::Pause(arguments) => steer::steer(steer::Steer::Pause, &arguments).await,
        CaseTool::Resume(arguments) => steer::steer(steer::Steer::Resume, &arguments).await,
        CaseTool::Cancel(arguments) => steer::cancel(&arguments).await,
        CaseTool::Rebind(arguments) => steer::rebind(&arguments).await,
        CaseTool::Send(arguments) => steer::send(&arguments).await,
    }
}

async fn replay(arguments: &ReplayArguments) -> Result<(), ProgramError> {
    let found = source::find(&arguments.case, &arguments.from).await?;
    if let Some(reason) = arguments.reason.as_deref().filter(|_| arguments.reveal) {
        note(&arguments.from, (AuditedAct::Revealed, &found), reason).await?;
    }
    let (matter, seen) = (arguments.matter.as_deref(), shown::Seen::of(arguments.reveal));
    let at = looked_at(found, arguments.until.map(Seq))?;
    let text = match arguments.format {
        Format::Text => shown::text(&at, matter, seen),
        Format::Json => format!("{:#}", shown::json(&at, matter, seen)),
    };
    output::data(text.trim_end());
    Ok(())
}

/// Evaluates the scripts on a thread with the stack that they need.
fn looked_at(found: Found, until: Option<Seq>) -> Result<CaseAt, ProgramError> {
    let Found { host, standing, secret, id, entries, store: _ } = found;
    let look = move || {
        let travel = Travel { script: &host, standing: &standing, secret: &secret };
        case_at(travel, id, &entries, until)
    };
    on_script_thread(look)?
        .map_err(|error: EngineError| ProgramError::CaseQuestion(Both::of(&error)))
}

/// Does something on a thread with the stack of one that runs scripts.
pub(crate) fn on_script_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ProgramError> {
    let failed = |what: &str| ProgramError::Engine(Both::of(&what.to_owned()));
    let thread = std::thread::Builder::new().stack_size(limits::RUN_STACK_BYTES).spawn(work);
    let thread = thread.map_err(|error| failed(&error.to_string()))?;
    thread.join().map_err(|_| failed("脚本线程异常中止 / the script thread panicked"))
}

/// Keeps who saw or took whose data, when and why, before it is shown: in the store's audit log, or
/// beside the bundle.
async fn note(
    from: &args::From,
    (act, found): (AuditedAct, &Found),
    reason: &str,
) -> Result<(), ProgramError> {
    let said = (act, found.id.to_string(), reason);
    match &found.store {
        Some(store) => audit::note(store.as_ref(), said).await,
        None => audit::note_beside(&from.folder(), said),
    }
}

async fn export(arguments: &ExportArguments) -> Result<(), ProgramError> {
    let found = source::find(&arguments.case, &arguments.from).await?;
    note(&arguments.from, (AuditedAct::Exported, &found), &arguments.reason).await?;
    let bundle = bundle_of(&found);
    let written = std::fs::write(&arguments.to, bundle.encode());
    written.map_err(|source| ProgramError::CannotCreate { path: place(&arguments.to), source })?;
    let (entries, to) = (bundle.entries.len(), place(&arguments.to));
    output::data(&serde_json::json!({ "entries": entries, "to": to }).to_string());
    output::tell(&format!("已导出 {entries} 条记录到 {to} / {entries} entries written to {to}"));
    Ok(())
}

fn bundle_of(found: &Found) -> Bundle {
    use tongban_core::port::Script as _;
    let case = tongban_core::case::Case::from_entries(found.id, &found.entries);
    let own = case.iter().flat_map(|case| [case.started.closure, case.closure()]);
    let closures: std::collections::BTreeSet<tongban_core::digest::Digest> = own.collect();
    Bundle {
        release: env!("CARGO_PKG_VERSION").to_owned(),
        case: found.id,
        closures: closures
            .into_iter()
            .filter_map(|digest| Some((digest, found.host.sources(&digest)?)))
            .collect(),
        entries: found.entries.clone(),
    }
}

/// Builds a host that knows these closures besides the shipped ones.
pub(crate) fn host_with(
    closures: &[(tongban_core::digest::Digest, Vec<u8>)],
) -> Result<Host, ProgramError> {
    use tongban_core::port::Script as _;
    let host = super::assemble::scripts(None)?;
    for (digest, sources) in closures {
        if let Err(fault) = host.adopt(digest, sources) {
            output::tell(&fault.to_string());
        }
    }
    Ok(host)
}

/// Calendars and organisation of a folder, or those that ship with the program.
pub(crate) async fn standing_of(data: Option<&Path>) -> Result<Standing, ProgramError> {
    let Some(data) = data else { return Ok(Standing::default()) };
    Ok(Standing {
        calendars: std::sync::Arc::new(super::calendar::in_force(data).await?),
        organisation: std::sync::Arc::new(super::import::stored(data).await?),
    })
}
