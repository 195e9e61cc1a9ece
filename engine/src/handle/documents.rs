//! Pages of documents: the draft, the view of a sealed one, and the kept bytes.
//!
//! Whoever may see the case may see its documents; the applicant sees what was sealed. The view
//! is made anew each time and says so; evidence are the kept bytes alone.

use futures_util::TryStreamExt as _;
use tongban_core::case::Document;
use tongban_core::digest::Digest;
use tongban_core::document::{Seal as _, Sealed};
use tongban_core::error::ErrorClass;
use tongban_core::id::CaseId;
use tongban_core::viewer::Viewer;

use super::Engine;
use crate::blob::BlobError;
use crate::document::{Face, NoSeal, render, render_sealed};
use crate::error::EngineError;
pub use crate::runtime::issue::Unmade;

/// Which page of a document is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Show {
    /// What a reader on a screen sees: the draft, or the sealed document with its verification.
    View,
    /// The bytes that the seal covers, exactly.
    Kept,
}

/// A page of a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DocumentPage {
    /// HTML, in UTF-8.
    pub html: Vec<u8>,
    /// Digest of the kept bytes, once the document is sealed.
    pub digest: Option<Digest>,
}

/// A page that cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The case cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The kept bytes cannot be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The kept bytes are not there.
    #[error(
        "文书的存档原件 {0} 不在文件存储中,请联系管理员 / the kept bytes {0} of the document are gone; tell the operator"
    )]
    Gone(Digest),
    /// The document lacks something.
    #[error(transparent)]
    Unmade(#[from] Unmade),
}

impl DocumentError {
    /// Returns the stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Engine(error) => error.code(),
            Self::Blob(error) => error.code(),
            Self::Gone(_) => "DOCUMENT_BYTES_GONE",
            Self::Unmade(error) => error.code(),
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Engine(error) => error.class(),
            Self::Blob(error) => error.class(),
            Self::Gone(_) => ErrorClass::Permanent,
            Self::Unmade(error) => error.class(),
        }
    }
}

impl Engine {
    /// Returns a page of a document of a case, or `None` when the viewer may not see it or there
    /// is no such page: a draft has no kept bytes.
    ///
    /// # Errors
    /// [`DocumentError`] when the page cannot be read, or a draft lacks what its kind must say.
    pub async fn document(
        &self,
        viewer: &Viewer,
        case: CaseId,
        named: (&str, Show),
    ) -> Result<Option<DocumentPage>, DocumentError> {
        let (number, show) = named;
        let Some(view) = self.case(viewer, case).await? else { return Ok(None) };
        let mut shown = view.documents().into_iter();
        let Some(document) = shown.find(|document| document.number().to_string() == number) else {
            return Ok(None);
        };
        match (document.sealed(), show) {
            (None, Show::Kept) => Ok(None),
            (None, Show::View) => {
                let content = self.content(case, document).await?;
                Ok(Some(DocumentPage { html: render(&content, Face::Draft), digest: None }))
            }
            (Some(sealed), Show::Kept) => {
                let html = self.kept(case, sealed.digest).await?;
                Ok(Some(DocumentPage { html, digest: Some(sealed.digest) }))
            }
            (Some(sealed), Show::View) => self.sealed(case, document, sealed).await.map(Some),
        }
    }

    async fn sealed(
        &self,
        case: CaseId,
        document: &Document,
        sealed: &Sealed,
    ) -> Result<DocumentPage, DocumentError> {
        let digest = Digest::of(&self.kept(case, sealed.digest).await?);
        let verified = match &self.runtime.issuer {
            Some(issuer) => issuer.seal.verify(&sealed.seal, &digest),
            None => NoSeal.verify(&sealed.seal, &digest),
        };
        let content = self.content(case, document).await?;
        let html = render_sealed(&content, sealed, &verified);
        Ok(DocumentPage { html, digest: Some(sealed.digest) })
    }

    async fn content(
        &self,
        case: CaseId,
        document: &Document,
    ) -> Result<tongban_core::document::DocumentContent, DocumentError> {
        let stored = self.runtime.store.load(case).await.map_err(EngineError::from)?;
        let entries = stored.map(|stored| stored.entries).unwrap_or_default();
        Ok(self.runtime.content(case, &entries, document.number())?)
    }

    async fn kept(&self, case: CaseId, digest: Digest) -> Result<Vec<u8>, DocumentError> {
        let gone = || DocumentError::Gone(digest);
        let blobs = self.runtime.blobs.as_ref().ok_or_else(gone)?;
        let reader = blobs.get(case, digest).await?.ok_or_else(gone)?;
        let join = |mut page: Vec<u8>, piece: bytes::Bytes| async move {
            page.extend_from_slice(&piece);
            Ok(page)
        };
        Ok(reader.stream.try_fold(Vec::new(), join).await?)
    }
}
