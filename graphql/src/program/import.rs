//! `tongban import`: offices, people, bindings, agreements, calendars and card rules, each kept
//! as a version in the data folder.
//!
//! The files are checked together with what the folder holds, and nothing is kept unless the
//! whole is in order. What a document may say is `tongban_core::organisation`'s; `kept` reads
//! and writes the folder, `shown` makes the text that people read and the JSON that programs do.

pub(crate) mod args;
mod kept;
mod shown;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use tongban_connectors::Binding;
use tongban_core::calendar::{CalendarDocument, NATIONAL_CODE};
use tongban_core::id::RegionCode;
use tongban_core::organisation::change::{Change, changes};
use tongban_core::organisation::{
    DocumentKind, Fault, Finding, Findings, Identity, Organisation, Source, schema,
};
use tongban_engine::reference::{References, Version};

use self::args::{ImportArguments, KindName};
use super::args::Format;
use super::config::Config;
use super::error::{Both, ProgramError, shown as path};
use super::storage::Storage;
use super::{audit, output};

/// A file that is to become a version.
struct Incoming {
    label: String,
    identity: Identity,
    bytes: Vec<u8>,
}

impl Incoming {
    /// Names the document, for the audit log.
    fn told(&self) -> String {
        let Identity { kind, code } = &self.identity;
        audit::document(kind.code(), code, &self.bytes)
    }
}

/// What became of a file.
struct Imported {
    identity: Identity,
    changes: Vec<Change>,
    /// None in a dry run.
    version: Option<Version>,
    /// Whether the folder held the very same document already.
    is_same: bool,
}

/// Prints the schema of a kind of documents.
pub(crate) fn print_schema(of: KindName) {
    output::data(schema::text(of.kind()).trim_end());
}

/// Imports files, or lists what was imported.
pub(crate) async fn run(arguments: &ImportArguments) -> Result<(), ProgramError> {
    if let Some(file) = &arguments.config {
        Storage::configured(&Config::read(file)?, &arguments.data).await?;
    }
    if arguments.list {
        let versions = kept::versions(&arguments.data).await?;
        output::data(&shown::list(&versions, arguments.format));
        return Ok(());
    }
    match import(arguments).await {
        Ok(imported) => {
            output::data(&shown::imported(&imported, arguments));
            Ok(())
        }
        Err(Refused::Documents(findings)) => {
            output::data(&shown::findings(&findings, arguments.format));
            Err(ProgramError::DocumentsWrong { findings: findings.0.len() })
        }
        Err(Refused::Program(error)) => Err(error),
    }
}

/// Why nothing was imported.
enum Refused {
    Documents(Findings),
    Program(ProgramError),
}

impl From<Findings> for Refused {
    fn from(findings: Findings) -> Self {
        Self::Documents(findings)
    }
}

impl From<ProgramError> for Refused {
    fn from(error: ProgramError) -> Self {
        Self::Program(error)
    }
}

async fn import(arguments: &ImportArguments) -> Result<Vec<Imported>, Refused> {
    let kind = arguments.kind.map(KindName::kind);
    let mut incoming = read(&arguments.files, kind)?;
    let references = if arguments.dry_run {
        kept::existing(&arguments.data).await?
    } else {
        Some(kept::open(&arguments.data).await?)
    };
    let before = match &references {
        Some(references) => kept::current(references, &arguments.data).await?,
        None => Vec::new(),
    };
    for one in incoming.iter_mut().filter(|one| one.identity.kind == DocumentKind::Calendar) {
        whole_calendar(one, &before);
    }
    check(&incoming, &before)?;
    incoming.sort_by_key(|one| one.identity.kind);
    if !arguments.dry_run {
        let known = |one: &&Incoming| {
            before.iter().any(|other| other.identity == one.identity && other.bytes == one.bytes)
        };
        let replaced = incoming.iter().filter(|one| !known(one)).map(Incoming::told);
        audit::note_replaced(&arguments.data, replaced.collect()).await?;
    }
    let mut imported = Vec::new();
    for one in incoming {
        let former = before.iter().find(|other| other.identity == one.identity);
        let former = former.map(|former| former.bytes.as_slice());
        let changes = changes(one.identity.kind, former, &one.bytes);
        let is_same = former == Some(one.bytes.as_slice());
        let version = match &references {
            Some(references) if !arguments.dry_run => {
                Some(keep(references, &one, arguments).await?)
            }
            Some(_) | None => None,
        };
        imported.push(Imported { identity: one.identity, changes, version, is_same });
    }
    Ok(imported)
}

async fn keep(
    references: &References,
    one: &Incoming,
    arguments: &ImportArguments,
) -> Result<Version, Refused> {
    let kept = kept::publish(references, &one.identity, one.bytes.clone()).await;
    Ok(kept.map_err(|error| kept::failed(&arguments.data, &error))?)
}

/// Reads the files and what each says that it is.
fn read(files: &[impl AsRef<Path>], kind: Option<DocumentKind>) -> Result<Vec<Incoming>, Refused> {
    let mut incoming: Vec<Incoming> = Vec::new();
    let mut findings = Vec::new();
    for file in files.iter().map(AsRef::as_ref) {
        let label = path(file);
        let bytes = std::fs::read(file).map_err(|source| ProgramError::InputOutput {
            what: label.clone(),
            detail: Both::of(&source),
        })?;
        let source = Source { label: &label, kind, bytes: &bytes };
        match Organisation::identify(&source) {
            Ok(identity) => incoming.push(Incoming { label, identity, bytes }),
            Err(wrong) => findings.extend(wrong.0),
        }
    }
    for (index, one) in incoming.iter().enumerate() {
        if let Some(first) = incoming[..index].iter().find(|other| other.identity == one.identity) {
            let (code, first) = (one.identity.code.clone(), first.label.clone());
            let fault = Fault::Duplicate { code, first };
            let (document, pointer) = (one.label.clone(), "/code".to_owned());
            findings.push(Finding { document, pointer, fault });
        }
    }
    if findings.is_empty() { Ok(incoming) } else { Err(Findings(findings).into()) }
}

/// A calendar keeps the years of its former version that the file does not claim, as
/// `tongban calendar import` does. What cannot be read is left for the check to tell.
fn whole_calendar(one: &mut Incoming, before: &[Incoming]) {
    let former = before.iter().find(|other| other.identity == one.identity);
    let former = former.and_then(|former| CalendarDocument::from_json(&former.bytes).ok());
    let national = || (one.identity.code == NATIONAL_CODE).then(CalendarDocument::national);
    let (Some(former), Ok(document)) =
        (former.or_else(national), CalendarDocument::from_json(&one.bytes))
    else {
        return;
    };
    if let Ok(whole) = document.over(&former)
        && whole != document
    {
        one.bytes = serde_json::to_vec_pretty(&whole).expect("a calendar is plain data");
    }
}

/// Checks the files with what stays of the folder.
fn check(incoming: &[Incoming], before: &[Incoming]) -> Result<Organisation, Findings> {
    let replaced = |one: &&Incoming| incoming.iter().any(|other| other.identity == one.identity);
    let stays = before.iter().filter(|one| !replaced(one));
    organisation(incoming.iter().chain(stays))
}

fn organisation<'a>(
    documents: impl Iterator<Item = &'a Incoming>,
) -> Result<Organisation, Findings> {
    let sources: Vec<Source<'_>> = documents
        .map(|one| Source { label: &one.label, kind: Some(one.identity.kind), bytes: &one.bytes })
        .collect();
    Organisation::read(&sources)
}

/// Reads the organisation that a data folder holds; the default one where nothing was imported.
pub(crate) async fn stored(folder: &Path) -> Result<Organisation, ProgramError> {
    let Some(references) = kept::existing(folder).await? else {
        return Ok(Organisation::default());
    };
    let documents = kept::current(&references, folder).await?;
    organisation(documents.iter()).map_err(|findings| {
        output::tell(&shown::findings(&findings, Format::Text));
        ProgramError::DocumentsWrong { findings: findings.0.len() }
    })
}

/// Adds the bindings that a data folder holds to a configuration, whose own win. One that names a
/// connector which the configuration does not define is left out, and said so.
pub(crate) async fn bind(config: &mut Config, folder: &Path) -> Result<(), ProgramError> {
    let organisation = stored(folder).await?;
    let own = config.bindings.clone();
    let is_own = |operation: &str, region: &RegionCode| {
        let mut own = own.iter();
        own.any(|one| one.operation == operation && one.region.prefix() == region.prefix())
    };
    let mut undefined = BTreeSet::new();
    for entry in organisation.bindings() {
        if !config.connectors.contains_key(&entry.connector) {
            undefined.insert(entry.connector.as_str());
        } else if !is_own(&entry.operation, &entry.region) {
            config.bindings.push(Binding {
                operation: entry.operation.clone(),
                region: entry.region.clone(),
                connector: entry.connector.clone(),
                reply_within: entry.reply_within,
            });
        }
    }
    if !undefined.is_empty() {
        let names = undefined.into_iter().collect::<Vec<_>>().join(", ");
        output::tell(&format!(
            "警告:导入的绑定用到配置中没有的连接器,未采用:{names}\nwarning: imported bindings use connectors that the configuration does not define; left out: {names}"
        ));
    }
    Ok(())
}
