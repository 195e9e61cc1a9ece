//! Where a case is read from: the store of a data folder, or a bundle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::Entry;
use tongban_core::id::CaseId;
use tongban_core::port::{Store as _, StoreError};
use tongban_engine::standing::Standing;
use tongban_engine::store::SledStore;
use tongban_engine::upkeep::Bundle;
use tongban_scripts::Host;

use super::args::From;
use super::{host_with, standing_of};
use crate::program::audit::Said;
use crate::program::error::{Both, ProgramError};
use crate::program::{audit, folder, upkeep};

/// A case with all that looking at it needs.
pub(super) struct Found {
    pub(super) host: Host,
    pub(super) standing: Standing,
    pub(super) secret: Secret,
    pub(super) id: CaseId,
    pub(super) entries: Vec<Entry>,
}

/// The secrets of the cases of a store: its own, and those that came with cases from elsewhere.
pub(crate) struct Secrets {
    store: Secret,
    foreign: BTreeMap<CaseId, Digest>,
}

impl Secrets {
    /// Reads what a store keeps.
    pub(crate) async fn of(store: &SledStore) -> Result<Self, StoreError> {
        let foreign = store.foreign().await?.into_iter();
        let foreign = foreign.map(|foreign| (foreign.case, foreign.secret)).collect();
        Ok(Self { store: store.identity().secret, foreign })
    }

    /// Returns the secret of a case.
    pub(crate) fn of_case(&self, case: CaseId) -> Secret {
        let foreign = self.foreign.get(&case).map(|foreign| Secret::new(foreign.0));
        foreign.unwrap_or_else(|| self.store.derive(b"case", &case.0))
    }
}

/// Where a case is.
pub(crate) enum Place {
    /// In a store that this process has open, of this folder.
    Store(Arc<SledStore>, PathBuf),
    /// In a bundle.
    Bundle(PathBuf),
}

impl Place {
    /// Opens what the command line names.
    pub(super) fn open(from: &From) -> Result<Self, ProgramError> {
        match (&from.data, &from.bundle) {
            (Some(data), _) => {
                folder::must_exist(data)?;
                Ok(Self::Store(folder::open(data)?, data.clone()))
            }
            (None, Some(file)) => Ok(Self::Bundle(file.clone())),
            // The command line demands one of them.
            (None, None) => {
                Err(ProgramError::Engine(Both::new("缺少参数", "an argument is missing")))
            }
        }
    }

    /// Returns the folder in which notes of a bundle are kept.
    fn folder(&self) -> &Path {
        match self {
            Self::Store(_, folder) => folder,
            Self::Bundle(file) => {
                let beside = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                beside.unwrap_or_else(|| Path::new("."))
            }
        }
    }

    /// Writes down who saw or took whose data, before it is shown: in the store's audit log, or
    /// beside the bundle.
    pub(super) async fn note(&self, said: Said<'_>, who: &str) -> Result<(), ProgramError> {
        match self {
            Self::Store(store, _) => audit::note_for(store.as_ref(), who, said).await,
            Self::Bundle(_) => audit::note_beside(self.folder(), said),
        }
    }

    /// Finds a case by id or number.
    pub(super) async fn find(&self, case: &str) -> Result<Found, ProgramError> {
        match self {
            Self::Store(store, folder) => in_store(case, store, folder).await,
            Self::Bundle(file) => in_bundle(case, file),
        }
    }
}

fn unknown(case: &str) -> ProgramError {
    ProgramError::CaseQuestion(Both::new(
        format!("没有办件 {case}"),
        format!("there is no case {case}"),
    ))
}

/// Finds the id of a case that is named by id or number.
pub(super) async fn id_of(case: &str, store: &SledStore) -> Result<CaseId, ProgramError> {
    let known = match case.parse() {
        Ok(id) => Some(id),
        Err(_) => store.by_number(case.to_owned()).await.map_err(|error| failed(&error))?,
    };
    known.ok_or_else(|| unknown(case))
}

async fn in_store(case: &str, store: &SledStore, data: &Path) -> Result<Found, ProgramError> {
    let id = id_of(case, store).await?;
    let stored = store.load(id).await.map_err(|error| failed(&error))?;
    let stored = stored.ok_or_else(|| unknown(case))?;
    let secrets = Secrets::of(store).await.map_err(|error| failed(&error))?;
    Ok(Found {
        host: host_with(&store.closures().await.map_err(|error| failed(&error))?)?,
        standing: standing_of(Some(data)).await?,
        secret: secrets.of_case(id),
        id,
        entries: stored.entries,
    })
}

fn in_bundle(case: &str, file: &Path) -> Result<Found, ProgramError> {
    let bundle = Bundle::open(file).map_err(upkeep::carry)?;
    for carried in bundle.cases().map_err(upkeep::carry)? {
        let carried = carried.map_err(upkeep::carry)?;
        if carried.number() == Some(case) || carried.case.to_string() == case {
            return Ok(Found {
                host: host_with(bundle.closures())?,
                standing: Standing::default(),
                secret: carried.secret(),
                id: carried.case,
                entries: carried.entries,
            });
        }
    }
    Err(unknown(case))
}

fn failed(error: &StoreError) -> ProgramError {
    ProgramError::Engine(Both::of(error))
}
