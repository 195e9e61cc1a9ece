//! Documents (文书): what an office tells an applicant in writing, with a number and a seal.
//!
//! A document is data first: [`document_facts`] reads what a case says, [`content_for`] builds
//! its [`DocumentContent`] from these plain facts and refuses what the law would not let out of
//! the door, such as a denial without remedies. The shell renders the content once, hashes and
//! keeps the bytes; from then on [`DocumentState`] goes one way, draft → sealed → served. A seal
//! covers the digest of the bytes, so a page that is rendered again is not evidence. Periods of
//! the applicant run from service and from nothing else ([`period_starts`]). Start reading at
//! [`DocumentKind::ALL`]. Only `facts` knows cases; nothing here reads a clock or puts a seal.

mod build;
mod content;
mod facts;
mod kind;
mod number;
mod seal;
mod state;

pub use build::{ContentError, content_for};
pub use content::{
    Attachment, ConcernedDocument, DocumentContent, DocumentDetail, DocumentFacts, DocumentSubject,
    FactLine, Ground, IssuingOffice, MaterialLine, MaterialStatus, MatterLine, MissingLine,
    Officer, PromisedEnd, Recipient, Remedies, RemedyOrder, ResultLine,
};
pub use facts::{Told, document_facts, query_code};
pub use kind::{ApplicantPeriod, DocumentKind, KindRow};
pub use number::{DocumentNo, NumberError, NumberParts};
pub use seal::{Seal, SealFault, SealKind, SealRecord, SealRequest};
pub use state::{
    DocumentRefusal, DocumentState, Sealed, Served, Service, ServiceMode, period_starts,
};
