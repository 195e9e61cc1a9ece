//! `tongban store`, `tongban backup`, `tongban restore`: is what is stored right, and where is it
//! twice.
//!
//! Checking, backing up and restoring are the engine's; here folders are opened, progress is told
//! and results are printed. A backup of a folder that a server holds is taken by that server,
//! through `control`.

pub(crate) mod args;
pub(crate) mod control;
mod shown;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tongban_core::audit::AuditedAct;
use tongban_core::port::{Upkeep, WireClock as _};
use tongban_engine::blob::Blobs;
use tongban_engine::clock::SystemClock;
use tongban_engine::store::SledStore;
use tongban_engine::upkeep::{
    self, Backup, CarryError, Manifest, Premises, Progress, Source, Target, Which,
};

use self::args::{
    BackupArguments, BackupTool, ExportArguments, FolderArguments, ImportCasesArguments,
    RestoreArguments, StoreTool, VerifyArguments,
};
use self::control::{Kept, Wish};
use super::config::Config;
use super::error::{Both, ProgramError, shown as shown_path};
use super::storage::Storage;
use super::{audit, folder, output};

/// Files that belong to a backup beside the store: its key, keys for trial.
const OTHERS: [&str; 3] = [STORE_KEY, "dev.key", "trial-seal.key"];
const STORE_KEY: &str = "store.key";

/// Cases between two words about the progress.
const TOLD_EVERY: u64 = 5_000;

/// Ending of the folder that a restore fills before it gets its name.
const RESTORING: &str = "restoring";

/// Checks a store, or puts it right.
pub(crate) async fn store(tool: StoreTool) -> Result<(), ProgramError> {
    match tool {
        StoreTool::Check(arguments) => check(&arguments).await,
        StoreTool::Rebuild(arguments) => rebuild(&arguments).await,
    }
}

async fn check(arguments: &FolderArguments) -> Result<(), ProgramError> {
    let kept = Opened::at(&arguments.data).await?;
    let mut told = told("已核对", "checked");
    let report = upkeep::check(kept.premises(), &mut told).await.map_err(|error| failed(&error))?;
    output::data(&shown::report(&report, arguments.format));
    match report.differences.len() {
        0 => Ok(()),
        differences => Err(ProgramError::StoreDiffers { differences }),
    }
}

async fn rebuild(arguments: &FolderArguments) -> Result<(), ProgramError> {
    let kept = Opened::at(&arguments.data).await?;
    let mut told = told("已重建", "rebuilt");
    let report =
        upkeep::rebuild(kept.premises(), &mut told).await.map_err(|error| failed(&error))?;
    output::data(&shown::report(&report, arguments.format));
    let left = report.differences.iter().filter(|one| !one.family.is_derived()).count();
    if left == 0 { Ok(()) } else { Err(ProgramError::StoreDiffers { differences: left }) }
}

/// A folder that is open and that nobody else uses.
struct Opened {
    store: Arc<SledStore>,
    blobs: Blobs,
    standing: tongban_engine::standing::Standing,
}

impl Opened {
    async fn at(data: &Path) -> Result<Self, ProgramError> {
        folder::must_exist(data)?;
        let store = folder::open(data)?;
        let blobs = Storage::of(data).await?.blobs()?;
        let standing = folder::standing(data).await?;
        Ok(Self { store, blobs, standing })
    }

    fn premises(&self) -> Premises<'_> {
        Premises { store: self.store.as_ref(), blobs: Some(&self.blobs), standing: &self.standing }
    }
}

/// Takes a backup, or verifies one.
pub(crate) async fn backup(arguments: BackupArguments) -> Result<(), ProgramError> {
    let BackupArguments { tool, data, to } = arguments;
    if let Some(BackupTool::Verify(VerifyArguments { backup })) = tool {
        let verified = Backup::verify(&backup, &mut told("已核验", "verified")).map_err(carry)?;
        output::data(&shown::manifest(verified.manifest()));
        return Ok(());
    }
    let (Some(data), Some(to)) = (data, to) else {
        // The command line demands both where there is no tool.
        return Err(ProgramError::Engine(Both::new("缺少参数", "an argument is missing")));
    };
    folder::must_exist(&data)?;
    let mut told = told("已备份", "backed up");
    let manifest = match folder::open(&data) {
        Ok(store) => {
            let kept = Kept::of(store, &Storage::of(&data).await?, &data)?;
            take(&kept, &to, &mut told).await.map_err(carry)?
        }
        Err(ProgramError::FolderInUse(_)) => {
            let wish = Wish::Backup { to: absolute(&to)? };
            control::ask(&data, wish, &mut told).await?.manifest()?
        }
        Err(error) => return Err(error),
    };
    output::data(&shown::manifest(&manifest));
    Ok(())
}

/// Takes a backup of a folder that this process has open.
async fn take(
    kept: &Kept,
    to: &Path,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Manifest, CarryError> {
    let said = (AuditedAct::BackedUp, shown_path(to), "");
    tongban_engine::audit::note(kept.store.as_ref(), audit::deed(said)).await?;
    let source = Source {
        store: kept.store.as_ref(),
        blobs: Some(&kept.blobs),
        references: Some(&kept.references),
        folder: &kept.folder,
        others: &OTHERS,
        now: SystemClock.now(),
    };
    upkeep::backup(source, to, progress).await
}

/// Restores a backup into a new folder. It is filled under another name, so that a restore that
/// was cut short is never taken for a whole one.
pub(crate) async fn restore(arguments: &RestoreArguments) -> Result<(), ProgramError> {
    let RestoreArguments { from, data, config } = arguments;
    let config = config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    let backup = Backup::verify(from, &mut told("已核验", "verified")).map_err(carry)?;
    folder::must_be_empty(data)?;
    let filling = beside(data);
    folder::must_be_empty(&filling)?;
    backup.lay_out(&filling, |name| name == STORE_KEY).map_err(carry)?;
    let store = folder::open(&filling)?;
    backup.lay_out(&filling, |name| name != STORE_KEY).map_err(carry)?;
    let storage = Storage::configured(&config, &filling).await?;
    let kept = Kept::of(Arc::clone(&store), &storage, &filling)?;
    backup.lay_out_documents(&kept.references).await.map_err(carry)?;
    let standing = folder::standing(&filling).await?;
    let target = Target {
        store: store.as_ref(),
        blobs: &kept.blobs,
        standing: &standing,
        at: SystemClock.now(),
    };
    backup.fill(target, &mut told("已恢复", "restored")).await.map_err(carry)?;
    drop((store, kept));
    folder::rename(&filling, data)?;
    output::data(&shown::manifest(backup.manifest()));
    output::tell(
        "已恢复;备份之后可能已发出的调用会先查询、再发送\nrestored; calls that may have been made since the backup are asked about before they are sent",
    );
    Ok(())
}

/// Writes cases into one file.
pub(crate) async fn export(arguments: &ExportArguments) -> Result<(), ProgramError> {
    let kept = Opened::at(&arguments.data).await?;
    let said = (AuditedAct::Exported, shown_path(&arguments.to), "");
    audit::note(kept.store.as_ref(), said).await?;
    let which = if arguments.all { Which::All } else { Which::Cases(arguments.case.clone()) };
    let from = (kept.store.as_ref() as &dyn Upkeep, Some(&kept.blobs));
    let mut words = told("已导出", "exported");
    let carried = upkeep::export(from, &which, &arguments.to, &mut words).await.map_err(carry)?;
    output::data(&shown::carried(&carried));
    Ok(())
}

/// Puts exported cases into another folder, and checks it.
pub(crate) async fn import_cases(arguments: &ImportCasesArguments) -> Result<(), ProgramError> {
    let kept = Opened::at(&arguments.data).await?;
    let said = (AuditedAct::Imported, shown_path(&arguments.bundle), "");
    audit::note(kept.store.as_ref(), said).await?;
    let target = Target {
        store: kept.store.as_ref(),
        blobs: &kept.blobs,
        standing: &kept.standing,
        at: SystemClock.now(),
    };
    let mut words = told("已导入", "imported");
    let carried = upkeep::import(&arguments.bundle, target, &mut words).await.map_err(carry)?;
    output::data(&shown::carried(&carried));
    Ok(())
}

/// A server has another working folder than whoever asks it.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, ProgramError> {
    std::path::absolute(path).map_err(|error| ProgramError::InputOutput {
        what: shown_path(path),
        detail: Both::of(&error),
    })
}

fn beside(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(RESTORING);
    data.with_file_name(name)
}

/// Tells how far a walk has come, now and then.
fn told(zh: &'static str, en: &'static str) -> impl FnMut(Progress) + Send {
    let mut told = 0;
    move |progress| {
        if progress.cases >= told + TOLD_EVERY {
            told = progress.cases;
            output::tell(&format!("{zh} {told} 个办件 / {told} cases {en}"));
        }
    }
}

fn failed(error: &tongban_core::port::StoreError) -> ProgramError {
    ProgramError::FolderDamaged(Both::of(error))
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
pub(crate) fn carry(error: CarryError) -> ProgramError {
    ProgramError::Carry { code: error.code().to_owned(), what: Both::of(&error) }
}
