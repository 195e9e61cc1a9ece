//! `tongban case`: looking at one case of a folder or of a bundle, and steering one of a server.
//!
//! Looking writes nothing but the note of who revealed personal data, and no agency is asked. A
//! server that holds the folder does the work through its control door (`upkeep/control`).

pub(crate) mod args;
mod shown;
mod source;
mod steer;

use std::path::Path;

use tongban_core::audit::AuditedAct;
use tongban_core::id::Seq;
use tongban_core::limits;
use tongban_core::port::Upkeep;
use tongban_engine::EngineError;
use tongban_engine::standing::Standing;
use tongban_engine::travel::{CaseAt, Travel, case_at};
use tongban_engine::upkeep::{Which, export as export_bundle};
use tongban_scripts::Host;

use self::args::{CaseTool, ExportArguments, ReplayArguments};
use self::source::Found;
pub(crate) use self::source::{Place, Secrets};
use super::args::Format;
use super::error::{Both, ProgramError, shown as place};
use super::storage::Storage;
use super::upkeep::control::{self, Kept, Wish};
use super::{audit, folder, output, upkeep};

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
    let text = match (Place::open(&arguments.from), &arguments.from.data) {
        (Ok(place), _) => replayed(&place, arguments, &audit::user()).await?,
        (Err(ProgramError::FolderInUse(_)), Some(data)) => {
            control::ask(data, Wish::Replay(arguments.clone()), &mut |_| {}).await?.text()?
        }
        (Err(error), _) => return Err(error),
    };
    output::data(text.trim_end());
    Ok(())
}

/// Looks at a case and writes what is seen.
pub(crate) async fn replayed(
    place: &Place,
    arguments: &ReplayArguments,
    who: &str,
) -> Result<String, ProgramError> {
    let found = place.find(&arguments.case).await?;
    if let Some(reason) = arguments.reason.as_deref().filter(|_| arguments.reveal) {
        place.note((AuditedAct::Revealed, found.id.to_string(), reason), who).await?;
    }
    let (matter, seen) = (arguments.matter.as_deref(), shown::Seen::of(arguments.reveal));
    let at = looked_at(found, arguments.until.map(Seq))?;
    Ok(match arguments.format {
        Format::Text => shown::text(&at, matter, seen),
        Format::Json => format!("{:#}", shown::json(&at, matter, seen)),
    })
}

/// Evaluates the scripts on a thread with the stack that they need.
fn looked_at(found: Found, until: Option<Seq>) -> Result<CaseAt, ProgramError> {
    let Found { host, standing, secret, id, entries } = found;
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

async fn export(arguments: &ExportArguments) -> Result<(), ProgramError> {
    let arguments = ExportArguments { to: upkeep::absolute(&arguments.to)?, ..arguments.clone() };
    folder::must_exist(&arguments.data)?;
    let text = match folder::open(&arguments.data) {
        Ok(store) => {
            let storage = Storage::of(&arguments.data).await?;
            let kept = Kept::of(store, &storage, &arguments.data)?;
            exported(&kept, &arguments, &audit::user()).await?
        }
        Err(ProgramError::FolderInUse(_)) => {
            let wish = Wish::Export(arguments.clone());
            control::ask(&arguments.data, wish, &mut |_| {}).await?.text()?
        }
        Err(error) => return Err(error),
    };
    output::data(&text);
    let to = place(&arguments.to);
    output::tell(&format!("已导出到 {to} / written to {to}"));
    Ok(())
}

/// Writes a case with its files into a bundle, and says what is in it.
pub(crate) async fn exported(
    kept: &Kept,
    arguments: &ExportArguments,
    who: &str,
) -> Result<String, ProgramError> {
    let id = source::id_of(&arguments.case, &kept.store).await?;
    let said = (AuditedAct::Exported, id.to_string(), arguments.reason.as_str());
    audit::note_for(kept.store.as_ref(), who, said).await?;
    let from = (kept.store.as_ref() as &dyn Upkeep, Some(&kept.blobs));
    let which = Which::Cases(vec![id]);
    let carried = export_bundle(from, &which, &arguments.to, &mut |_| {}).await;
    let carried = carried.map_err(upkeep::carry)?;
    let (entries, files, to) = (carried.entries, carried.files, place(&arguments.to));
    Ok(serde_json::json!({ "entries": entries, "files": files, "to": to }).to_string())
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
