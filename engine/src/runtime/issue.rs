//! Issuing notices: a draft that is on disk is rendered, kept, sealed, and its seal recorded.
//!
//! The page is a function of the log up to its draft and of the organisation, so a repetition
//! after a crash keeps and seals the same bytes, and the law takes the first seal only. What
//! does not get better soon becomes one incident, and the notice stays a draft. Where waiting
//! helps it is tried again every few minutes; otherwise when its case is loaded next, perhaps
//! after the organisation was completed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tongban_core::case::{Case, FoldError};
use tongban_core::command::{Answer, Command};
use tongban_core::definition::Closure;
use tongban_core::document::{
    ContentError, DocumentContent, DocumentNo, Seal, SealFault, SealRequest, Told, content_for,
    document_facts,
};
use tongban_core::entry::{Body, DocumentSealed, Entry};
use tongban_core::error::ErrorClass;
use tongban_core::id::CaseId;
use tongban_core::turn::Issuing;

use super::Runtime;
use super::effects::{back_off, deliver};
use super::turn::CommittedDraft;
use crate::blob::{BlobError, Blobs};
use crate::crash::{self, Point};
use crate::document::{Face, render};
use crate::error::EngineError;

/// Attempts before a person must look; the waits between them add up to more than a minute.
const ATTEMPTS_MAX: u32 = 10;
/// Milliseconds before a notice is tried again that a person was told about.
const LATER_MILLIS: u64 = 600_000;

/// Who seals notices, and where they are kept.
pub(crate) struct Issuer {
    pub(crate) seal: Arc<dyn Seal>,
    pub(crate) blobs: Blobs,
}

/// A notice that could not be issued.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Content(#[from] Unmade),
    #[error(transparent)]
    Seal(#[from] SealFault),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Fault {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Content(error) => error.class(),
            Self::Seal(error) => error.class(),
            Self::Blob(error) => error.class(),
            Self::Engine(error) => error.class(),
        }
    }
}

/// A document that cannot be made from what is known.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unmade {
    /// The law would not let it out like this.
    #[error("{0}")]
    Content(#[from] ContentError),
    /// The log names no such document, or it tells of nothing.
    #[error(
        "办件记录中没有文书 {0} 的依据 / the log holds nothing that document {0} could tell of"
    )]
    NotInLog(DocumentNo),
    /// The log cannot be folded.
    #[error(transparent)]
    Log(#[from] FoldError),
    /// The scripts of the case are gone.
    #[error(
        "找不到办件所用的脚本版本 {0} / the scripts {0} that the case is pinned to are missing"
    )]
    ClosureMissing(String),
}

impl Unmade {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Content(error) => error.code(),
            Self::NotInLog(_) => "DOCUMENT_NOT_FOUND",
            Self::Log(_) => "LOG_DAMAGED",
            Self::ClosureMissing(_) => "CLOSURE_MISSING",
        }
    }

    /// Returns the class; waiting alone mends none of it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Content(error) => error.class(),
            Self::NotInLog(_) | Self::Log(_) | Self::ClosureMissing(_) => ErrorClass::Permanent,
        }
    }
}

/// Issues a notice, if there is a seal service; each has one carrier at a time.
pub(super) fn carry_out(runtime: &Arc<Runtime>, draft: CommittedDraft) {
    if runtime.issuing() == Issuing::Drafts {
        return;
    }
    let Some(carrying) = Carrying::begin(runtime, draft) else { return };
    let own = Arc::clone(runtime);
    runtime.tasks.spawn(async move {
        tokio::select! {
            biased;
            () = own.stopping.cancelled() => {}
            () = carry_on(carrying) => {}
        }
    });
}

async fn carry_on(mut carrying: Carrying) {
    loop {
        let (runtime, draft) = (Arc::clone(&carrying.runtime), carrying.draft.clone());
        if carry(&runtime, &draft).await == Came::ToAnEnd {
            return;
        }
        // Nothing is under way while it waits, so that lawful time may be moved.
        drop(carrying);
        runtime.wire.wait_millis(LATER_MILLIS).await;
        match Carrying::begin(&runtime, draft) {
            Some(again) => carrying = again,
            // The case was loaded meanwhile, and another carrier took the notice up.
            None => return,
        }
    }
}

/// What came of some attempts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Came {
    /// The notice is issued, or waiting alone will not help it.
    ToAnEnd,
    /// To nothing yet.
    ToNothing,
}

async fn carry(runtime: &Arc<Runtime>, draft: &CommittedDraft) -> Came {
    let Some(issuer) = &runtime.issuer else { return Came::ToAnEnd };
    let mut attempt = 0;
    let fault = loop {
        let fault = match issue(runtime, issuer, draft).await {
            Ok(()) | Err(Fault::Engine(EngineError::Stopped)) => return Came::ToAnEnd,
            Err(fault) => fault,
        };
        attempt += 1;
        tracing::debug!(document.no = %draft.number, step.attempt = attempt, "a notice was not issued: {fault}");
        if fault.class() != ErrorClass::Transient || attempt >= ATTEMPTS_MAX {
            break fault;
        }
        runtime.wire.wait_millis(back_off(attempt)).await;
    };
    tracing::warn!(document.no = %draft.number, "a notice stays a draft: {fault}");
    let failed = Command::DocumentFailed { number: draft.number.clone(), why: fault.to_string() };
    deliver(runtime, draft.case, failed).await;
    if fault.class() == ErrorClass::Transient { Came::ToNothing } else { Came::ToAnEnd }
}

/// Renders, keeps and seals one notice, and has its seal recorded.
async fn issue(runtime: &Runtime, issuer: &Issuer, draft: &CommittedDraft) -> Result<(), Fault> {
    let stored = runtime.store.load(draft.case).await.map_err(EngineError::from)?;
    let entries = stored.map(|stored| stored.entries).unwrap_or_default();
    if is_sealed(&entries, &draft.number) {
        return Ok(());
    }
    let content = runtime.content(draft.case, &entries, &draft.number)?;
    let page = render(&content, Face::Final);
    // Held until the commit that names the page, so that no sweep takes it in between.
    let _held = issuer.blobs.hold().await;
    let digest = issuer.blobs.put_page(draft.case, page).await?.digest;
    crash::pass(Point::AfterPage);
    let request = SealRequest {
        office: content.office.name,
        document_no: draft.number.clone(),
        digest,
        at: runtime.lawful.now(),
    };
    let seal = issuer.seal.seal(request).await?;
    issuer.seal.verify(&seal, &digest)?;
    crash::pass(Point::AfterSeal);
    let sealed = DocumentSealed { number: draft.number.clone(), digest, seal };
    let told = runtime.ask(draft.case, Command::DocumentSealed(sealed), None).await?;
    match told.answer {
        Answer::Refused(refusal) if refusal.code != "DOCUMENT_ALREADY_SEALED" => {
            Err(EngineError::Refused(refusal).into())
        }
        Answer::Done | Answer::Acked(_) | Answer::Refused(_) => Ok(()),
    }
}

fn is_sealed(entries: &[Entry], number: &DocumentNo) -> bool {
    entries.iter().any(
        |entry| matches!(&entry.body, Body::DocumentSealed(sealed) if sealed.number == *number),
    )
}

impl Runtime {
    /// Returns what becomes of notices here: where no office is known, none can issue any.
    pub(super) fn issuing(&self) -> Issuing {
        let issues = |_: &Issuer| self.standing.now().organisation.offices().next().is_some();
        if self.issuer.as_ref().is_some_and(issues) { Issuing::Sealed } else { Issuing::Drafts }
    }

    /// Builds the content of a document from the log up to its draft.
    pub(crate) fn content(
        &self,
        id: CaseId,
        entries: &[Entry],
        number: &DocumentNo,
    ) -> Result<DocumentContent, Unmade> {
        let missing = || Unmade::NotInLog(number.clone());
        let drafted = entries.iter().position(|entry| {
            matches!(&entry.body, Body::DocumentDrafted(drafted) if drafted.number == *number)
        });
        let until = drafted.and_then(|at| entries.get(..=at)).ok_or_else(missing)?;
        let case = Case::from_entries(id, until)?;
        let closure = self.closure_of(&case)?;
        let document = case.documents.get(&number.to_string()).ok_or_else(missing)?;
        let about = document.drafted.about;
        let about = until.iter().find(|entry| entry.seq == about).ok_or_else(missing)?;
        let standing = self.standing.now();
        let secret = self.case_secret(id);
        let told = Told {
            case: &case,
            closure: &closure,
            about,
            reading: standing.reading(document.drafted_at()),
            secret: &secret,
        };
        let facts = document_facts(document, &told).ok_or_else(missing)?;
        Ok(content_for(number.kind(), &facts)?)
    }

    fn closure_of(&self, case: &Case) -> Result<Arc<Closure>, Unmade> {
        let digest = case.closure();
        let closure = self.scripts.closure(&digest);
        let closure = closure.ok_or_else(|| Unmade::ClosureMissing(digest.to_string()))?;
        Ok(closure.of_case(&case.started))
    }
}

/// Notices that have a carrier.
#[derive(Default)]
pub(crate) struct Issued {
    /// Protects the set; held for one operation at a time.
    drafts: Mutex<BTreeSet<CommittedDraft>>,
}

impl Issued {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<CommittedDraft>> {
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether no notice is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

/// A notice that is under way for as long as this lives.
struct Carrying {
    runtime: Arc<Runtime>,
    draft: CommittedDraft,
}

impl Carrying {
    /// Takes a notice up, unless somebody has.
    fn begin(runtime: &Arc<Runtime>, draft: CommittedDraft) -> Option<Self> {
        let is_new = runtime.issued.lock().insert(draft.clone());
        is_new.then(|| Self { runtime: Arc::clone(runtime), draft })
    }
}

impl Drop for Carrying {
    fn drop(&mut self) {
        self.runtime.issued.lock().remove(&self.draft);
    }
}
