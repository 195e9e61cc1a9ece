//! Where a case is read from: a data folder, or a bundle.

use std::path::Path;
use std::sync::Arc;

use tongban_core::bundle::Bundle;
use tongban_core::digest::Secret;
use tongban_core::entry::Entry;
use tongban_core::id::CaseId;
use tongban_core::port::Store as _;
use tongban_engine::standing::Standing;
use tongban_engine::store::SledStore;
use tongban_scripts::Host;

use super::args::From;
use super::{host_with, standing_of};
use crate::program::error::{Both, ProgramError, shown};
use crate::program::folder;

/// A case with all that looking at it needs.
pub(super) struct Found {
    pub(super) host: Host,
    pub(super) standing: Standing,
    pub(super) secret: Secret,
    pub(super) id: CaseId,
    pub(super) entries: Vec<Entry>,
    /// The store that it came from; held open, so that deeds can be written down there.
    pub(super) store: Option<Arc<SledStore>>,
}

/// Finds a case by id or number.
pub(super) async fn find(case: &str, from: &From) -> Result<Found, ProgramError> {
    match (&from.data, &from.bundle) {
        (Some(data), _) => in_folder(case, data).await,
        (None, Some(file)) => in_bundle(case, file),
        (None, None) => Err(unknown(case)),
    }
}

fn unknown(case: &str) -> ProgramError {
    ProgramError::CaseQuestion(Both::new(
        format!("没有办件 {case}"),
        format!("there is no case {case}"),
    ))
}

async fn in_folder(case: &str, data: &Path) -> Result<Found, ProgramError> {
    if !data.is_dir() {
        return Err(ProgramError::InputOutput {
            what: shown(data),
            detail: Both::new("没有这个数据文件夹", "there is no such data folder"),
        });
    }
    let store = folder::open(data)?;
    let failed = |error| ProgramError::Engine(Both::of(&error));
    let id = match case.parse() {
        Ok(id) => Some(id),
        Err(_) => store.by_number(case.to_owned()).await.map_err(failed)?,
    };
    let id = id.ok_or_else(|| unknown(case))?;
    let stored = store.load(id).await.map_err(failed)?.ok_or_else(|| unknown(case))?;
    Ok(Found {
        host: host_with(&store.closures().await.map_err(failed)?)?,
        standing: standing_of(Some(data)).await?,
        secret: store.identity().secret.derive(b"case", &id.0),
        id,
        entries: stored.entries,
        store: Some(store),
    })
}

fn in_bundle(case: &str, file: &Path) -> Result<Found, ProgramError> {
    let wrong = |detail: Both| ProgramError::InputOutput { what: shown(file), detail };
    let bytes = std::fs::read(file).map_err(|error| wrong(Both::of(&error)))?;
    let bundle = Bundle::decode(&bytes).map_err(|error| wrong(Both::of(&error)))?;
    let number = bundle.number().unwrap_or_default();
    if number != case && bundle.case.to_string() != case {
        return Err(unknown(case));
    }
    Ok(Found {
        host: host_with(&bundle.closures)?,
        standing: Standing::default(),
        // Digests of a journal are compared with nothing while it is only read.
        secret: Secret::new([0; 32]),
        id: bundle.case,
        entries: bundle.entries,
        store: None,
    })
}
