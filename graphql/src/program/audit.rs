//! `tongban audit`: who saw or took what stands in no case's log, and whether the log is whole.
//!
//! The program writes its own user's deeds here too: of a folder into its store, of a bundle into
//! a file of the same chain beside it.

pub(crate) mod args;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value as Json, json};
use tongban_core::audit::{Audited, AuditedAct, ChainCheck, Deed};
use tongban_core::digest::Digest;
use tongban_core::limits::PAGE_MAX;
use tongban_core::port::{Store, WireClock as _};
use tongban_core::time::Moment;
use tongban_engine::clock::SystemClock;

use self::args::{AuditTool, ListArguments, VerifyArguments};
use super::args::Format;
use super::error::{Both, ProgramError, shown};
use super::upkeep::control::{self, Wish};
use super::{folder, output};

/// File beside a bundle in which deeds are kept.
const FILE: &str = "audit.log";

/// What is written down: the act, to what, and why.
pub(crate) type Said<'a> = (AuditedAct, String, &'a str);

/// Runs one of the tools.
pub(crate) async fn run(tool: &AuditTool) -> Result<(), ProgramError> {
    match tool {
        AuditTool::List(arguments) => list(arguments).await,
        AuditTool::Verify(arguments) => verify(arguments).await,
    }
}

/// Writes down a deed of the program's user in the audit log of a store.
pub(crate) async fn note(store: &dyn Store, said: Said<'_>) -> Result<(), ProgramError> {
    let noted = tongban_engine::audit::note(store, deed(said)).await;
    noted.map(drop).map_err(|error| ProgramError::Engine(Both::of(&error)))
}

/// Writes down that the program's user replaces documents of a data folder, through the server
/// that holds the folder where one does. Each is named by kind, code and digest.
pub(crate) async fn note_replaced(data: &Path, documents: Vec<String>) -> Result<(), ProgramError> {
    if documents.is_empty() {
        return Ok(());
    }
    match folder::open(data) {
        Ok(store) => note_documents(store.as_ref(), &user(), documents).await,
        Err(ProgramError::FolderInUse(_)) => {
            control::ask(data, Wish::Replaced(documents), &mut |_| {}).await.map(drop)
        }
        Err(error) => Err(error),
    }
}

/// Names a document that is replaced.
pub(crate) fn document(kind: &str, code: &str, bytes: &[u8]) -> String {
    format!("{kind}/{code} {}", Digest::of(bytes))
}

/// Writes down which documents somebody replaces.
pub(crate) async fn note_documents(
    store: &dyn Store,
    who: &str,
    documents: Vec<String>,
) -> Result<(), ProgramError> {
    for document in documents {
        note_for(store, who, (AuditedAct::StandingReplaced, document, "")).await?;
    }
    Ok(())
}

/// Writes down a deed of whoever asked this server at its control door.
pub(crate) async fn note_for(
    store: &dyn Store,
    who: &str,
    said: Said<'_>,
) -> Result<(), ProgramError> {
    let noted = tongban_engine::audit::note(store, Deed { by: who.to_owned(), ..deed(said) });
    noted.await.map(drop).map_err(|error| ProgramError::Engine(Both::of(&error)))
}

/// Writes down a deed of the program's user beside a bundle.
pub(crate) fn note_beside(folder: &Path, said: Said<'_>) -> Result<(), ProgramError> {
    let path = folder.join(FILE);
    let failed = |source: std::io::Error| ProgramError::CannotCreate { path: shown(&path), source };
    let known = if path.exists() { read(&path)? } else { Vec::new() };
    let record = Audited::after(known.last(), deed(said));
    let mut file =
        std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
    writeln!(file, "{}", line(&record)).and_then(|()| file.sync_all()).map_err(failed)
}

/// Makes the deed of the program's user.
pub(crate) fn deed((act, target, reason): Said<'_>) -> Deed {
    let (at, by) = (SystemClock.now(), user());
    Deed { at, by, role: "operator".to_owned(), act, target, reason: reason.to_owned() }
}

/// Returns the program's user, as the system knows him.
pub(crate) fn user() -> String {
    let known = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    known.unwrap_or_else(|| "?".to_owned())
}

async fn list(arguments: &ListArguments) -> Result<(), ProgramError> {
    let records = stored(&arguments.data).await?;
    let lines = records.iter().map(|record| match arguments.format {
        Format::Json => line(record).to_string(),
        Format::Text => text(record),
    });
    output::data(&lines.collect::<Vec<_>>().join("\n"));
    Ok(())
}

async fn verify(arguments: &VerifyArguments) -> Result<(), ProgramError> {
    let (records, place) = match (&arguments.data, &arguments.file) {
        (Some(data), _) => (stored(data).await?, shown(data)),
        (None, Some(file)) => (read(file)?, shown(file)),
        // The command line demands one of them.
        (None, None) => (Vec::new(), String::new()),
    };
    let mut check = ChainCheck::default();
    for record in records {
        check.take(record).map_err(|broken| ProgramError::AuditBroken {
            what: place.clone(),
            detail: Both::of(&broken),
        })?;
    }
    let count = check.count();
    let last = check.last().map(|last| last.digest.hex()).unwrap_or_default();
    output::data(&json!({ "records": count, "last": last }).to_string());
    output::tell(&format!("{count} 条记录,完好 / {count} records, all hold"));
    Ok(())
}

async fn stored(data: &Path) -> Result<Vec<Audited>, ProgramError> {
    folder::must_exist(data)?;
    let store = folder::open(data)?;
    let mut records: Vec<Audited> = Vec::new();
    loop {
        let after = records.last().map_or(0, |last| last.no);
        let page = store.audited(after, PAGE_MAX).await;
        let page = page.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
        if page.is_empty() {
            return Ok(records);
        }
        records.extend(page);
    }
}

fn text(record: &Audited) -> String {
    let Audited { no, deed, .. } = record;
    let (code, name) = (deed.act.code(), deed.act.name());
    format!(
        "{no}  {}  {}({})  {name}({code})  {}  {}",
        deed.at, deed.by, deed.role, deed.target, deed.reason
    )
}

/// Writes a record with everything that its digest takes.
fn line(record: &Audited) -> Json {
    let deed = &record.deed;
    json!({
        "no": record.no,
        "prev": record.before.hex(),
        "at": deed.at.to_string(),
        "by": deed.by,
        "role": deed.role,
        "act": deed.act.code(),
        "target": deed.target,
        "reason": deed.reason,
        "hash": record.digest.hex(),
    })
}

/// Reads the records of a file.
fn read(path: &Path) -> Result<Vec<Audited>, ProgramError> {
    let wrong = |detail: Both| ProgramError::InputOutput { what: shown(path), detail };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(Both::of(&error)))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            record(line).ok_or_else(|| {
                let no = at + 1;
                wrong(Both::new(
                    format!("第 {no} 行不是审计记录"),
                    format!("line {no} is no audit record"),
                ))
            })
        })
        .collect()
}

fn record(line: &str) -> Option<Audited> {
    let json: Json = serde_json::from_str(line).ok()?;
    let said = |name: &str| json[name].as_str().map(str::to_owned);
    let deed = Deed {
        at: Moment::parse(&said("at")?)?,
        by: said("by")?,
        role: said("role")?,
        act: AuditedAct::from_code(&said("act")?)?,
        target: said("target")?,
        reason: said("reason")?,
    };
    let (before, digest) = (Digest::from_hex(&said("prev")?)?, Digest::from_hex(&said("hash")?)?);
    Some(Audited { no: json["no"].as_u64()?, deed, before, digest })
}
