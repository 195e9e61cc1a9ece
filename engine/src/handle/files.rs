//! Files of a case: who may give one, what it may be, who may read it.
//!
//! A file is kept before any command names it; giving it to a material is a command of its own,
//! which asks [`Blobs::find`] first. Here it is only decided whether the viewer may keep a file
//! with this case at all.

use bytes::Bytes;
use futures_util::Stream;
use tongban_core::case::Case;
use tongban_core::command::Refusal;
use tongban_core::definition::{Closure, MaterialDef, Source};
use tongban_core::digest::Digest;
use tongban_core::error::ErrorClass;
use tongban_core::id::CaseId;
use tongban_core::material::{Form, MaterialGiven};
use tongban_core::viewer::{Role, Viewer};

use super::Engine;
use crate::api::CaseView;
use crate::blob::{BlobError, BlobReader, Blobs, EXTENSIONS, Held, StoredBlob, Wanted};
use crate::error::EngineError;

/// Types that any material takes when the source that it names fails: what a scanner gives.
const SCANS: [&str; 5] = ["pdf", "ofd", "jpg", "jpeg", "png"];

/// A file that someone sends for a material of a case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upload {
    /// The case.
    pub case: CaseId,
    /// Code of the material.
    pub material: String,
    /// Name of the file.
    pub file_name: String,
}

/// A file of a case that is being read.
#[derive(Debug)]
pub struct CaseFile {
    /// Its bytes.
    pub reader: BlobReader,
    /// What it was called when it was given, if an entry says so.
    pub file_name: Option<String>,
}

/// A file that was not kept, or could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The case or the viewer stands against it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The file or its store does.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The engine was built without a place for files.
    #[error(
        "本系统未启用文件存储,请联系管理员 / this engine keeps no files; ask the operator to give it a place for them"
    )]
    NoPlace,
}

impl FileError {
    /// Returns the stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Engine(error) => error.code(),
            Self::Blob(error) => error.code(),
            Self::NoPlace => "NO_PLACE_FOR_FILES",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Engine(error) => error.class(),
            Self::Blob(error) => error.class(),
            Self::NoPlace => ErrorClass::Permanent,
        }
    }
}

impl Engine {
    /// Returns where the engine keeps files, if it was given a place.
    pub fn blobs(&self) -> Option<&Blobs> {
        self.runtime.blobs.as_ref()
    }

    /// Keeps a file for a material of a case. No entry names it yet.
    ///
    /// # Errors
    /// [`FileError::Engine`] unless the applicant of the case or a window clerk of its place
    /// asks, and when no matter of the case requires the material; [`FileError::Blob`] when the
    /// file is not what the material accepts, or does not come whole.
    pub async fn keep_file<S, E>(
        &self,
        viewer: &Viewer,
        upload: &Upload,
        bytes: S,
    ) -> Result<StoredBlob, FileError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let blobs = self.runtime.blobs.as_ref().ok_or(FileError::NoPlace)?;
        let view = self.visible(viewer, upload.case).await?;
        may_give(viewer).map_err(EngineError::Refused)?;
        let extensions = self.accepted(view.case(), &upload.material)?;
        let wanted = Wanted::new(&upload.file_name, &extensions);
        Ok(blobs.put(upload.case, &wanted, bytes).await?)
    }

    /// Opens a file of a case, if the viewer may see the case and the case has it.
    ///
    /// # Errors
    /// [`FileError`] when case or file cannot be read.
    pub async fn file(
        &self,
        viewer: &Viewer,
        case: CaseId,
        digest: Digest,
    ) -> Result<Option<CaseFile>, FileError> {
        let blobs = self.runtime.blobs.as_ref().ok_or(FileError::NoPlace)?;
        let Some(view) = self.case(viewer, case).await? else { return Ok(None) };
        let mut handed = view.case().handed.iter().map(|handed| &handed.given);
        let given = handed.find(|given| given.digest == digest);
        let file_name = given.map(|given| given.file_name.clone());
        let reader = blobs.get(case, digest).await?;
        Ok(reader.map(|reader| CaseFile { reader, file_name }))
    }

    /// Makes sure that a file which is about to be named is kept with the case and is what the
    /// material accepts; notes its size. An engine without a place for files knows digests only.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the case has no such file, or one of another type.
    pub(super) async fn hold_given(
        &self,
        viewer: &Viewer,
        case: CaseId,
        given: &mut MaterialGiven,
    ) -> Result<Option<Held>, EngineError> {
        let Some(blobs) = self.runtime.blobs.as_ref().filter(|_| given.form == Form::File) else {
            return Ok(None);
        };
        let view = self.visible(viewer, case).await?;
        let accepted = self.accepted(view.case(), &given.code)?;
        let held = blobs.hold().await;
        let found = blobs.find(case, given.digest).await.map_err(|error| store_failed(&error))?;
        let Some(found) = found else {
            return Err(Refusal::new(
                "FILE_NOT_FOUND",
                format!("该办件没有内容摘要为 {} 的文件,请先上传", given.digest),
                format!("the case has no file with the digest {}; upload it first", given.digest),
            )
            .at(["file", "sha256"])
            .into());
        };
        if !fits(&accepted, found.media_type) {
            let list = accepted.join(", ");
            return Err(Refusal::new(
                "FILE_TYPE_NOT_ACCEPTED",
                format!("材料 {} 只接受 {list},该文件是 {}", given.code, found.media_type),
                format!("{} takes {list}, this file is {}", given.code, found.media_type),
            )
            .at(["file"])
            .into());
        }
        given.bytes = found.bytes;
        Ok(Some(held))
    }

    async fn visible(&self, viewer: &Viewer, case: CaseId) -> Result<CaseView, EngineError> {
        let refusal = || Refusal::new("CASE_NOT_FOUND", "没有这个办件", "there is no such case");
        self.case(viewer, case).await?.ok_or_else(|| refusal().into())
    }

    /// Returns the extensions that a material of a case accepts: those of every matter that
    /// takes an upload for it, and those of scans where no matter names any.
    fn accepted(&self, case: &Case, material: &str) -> Result<Vec<String>, EngineError> {
        let digest = case.closure();
        let closure = self.runtime.scripts.closure(&digest);
        let closure = closure.ok_or_else(|| EngineError::ClosureMissing(digest.to_string()))?;
        let closure = closure.of_case(&case.started);
        let required: Vec<&MaterialDef> = required(case, &closure, material).collect();
        if required.is_empty() {
            return Err(Refusal::new(
                "UNKNOWN_MATERIAL",
                format!("该办件不需要材料 {material}"),
                format!("no matter of this case asks for material {material}"),
            )
            .at(["material"])
            .into());
        }
        let uploads =
            required.iter().flat_map(|one| &one.sources).filter_map(|source| match source {
                Source::Upload(extensions) => Some(extensions),
                Source::ResultOf(_) | Source::License(_) | Source::Data(_) | Source::Commitment => {
                    None
                }
            });
        let mut extensions: Vec<String> = uploads.flatten().cloned().collect();
        if extensions.is_empty() {
            extensions = SCANS.map(str::to_owned).to_vec();
        }
        extensions.sort();
        extensions.dedup();
        Ok(extensions)
    }
}

/// Tells whether a file of this type may have one of these extensions.
fn fits(extensions: &[String], media_type: &str) -> bool {
    let accepted = EXTENSIONS.iter().filter(|(known, _)| extensions.iter().any(|one| one == known));
    accepted.flat_map(|(_, kinds)| *kinds).any(|kind| kind.media_type() == media_type)
}

/// The store of files is asked again later, like any other.
fn store_failed(error: &BlobError) -> EngineError {
    tracing::warn!(%error, "a file that is to be named cannot be looked up");
    EngineError::Busy
}

/// Returns a material as each matter of the case declares it.
fn required<'a>(
    case: &'a Case,
    closure: &'a Closure,
    material: &'a str,
) -> impl Iterator<Item = &'a MaterialDef> {
    let matters = case.matters.iter().filter(|matter| !matter.planned.skipped);
    matters
        .filter_map(|matter| closure.matters.get(&matter.planned.code))
        .flat_map(|matter| &matter.materials)
        .filter(move |required| required.code == material)
}

/// Whoever sees the case is its applicant or acts for its place; of these, not all give files.
fn may_give(viewer: &Viewer) -> Result<(), Refusal> {
    match viewer.role {
        Role::Applicant | Role::WindowClerk => Ok(()),
        Role::Approver
        | Role::Integrator
        | Role::Supervisor
        | Role::OfficeHead
        | Role::SystemAdmin => Err(Refusal::new(
            "NOT_PERMITTED",
            "只有申请人和当地窗口人员可以上传材料",
            "only the applicant and window clerks of the place send files",
        )),
    }
}
