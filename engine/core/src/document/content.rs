//! What a document says, as data: the facts that go in and the content that comes out.
//!
//! Whoever holds the case fills [`DocumentFacts`]; only [`super::content_for`] makes a
//! [`DocumentContent`] of them. The content carries no clear identifier of a person.

use serde::{Deserialize, Serialize};

use super::kind::DocumentKind;
use super::number::DocumentNo;
use crate::definition::Regime;
use crate::digest::Digest;
use crate::entry::Party;
use crate::id::{MatterCode, MatterNo, RegionCode};
use crate::summary::mask_id;
use crate::time::{Moment, Period};

/// Everything that a document may be built from.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentFacts {
    /// Whom and what it is about; every document has all of it.
    pub subject: DocumentSubject,
    /// What only some kinds say; the builder takes what the kind needs.
    pub detail: DocumentDetail,
}

/// Whom and what a document is about.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentSubject {
    /// Public number of the case.
    pub case_number: String,
    /// Name of the service.
    pub service_name: String,
    /// The matter; number 0 with the service's code and name for the whole case.
    pub matter: MatterLine,
    /// The body of rules that the matter follows.
    pub regime: Regime,
    /// The office that issues it.
    pub office: IssuingOffice,
    /// The applicant.
    pub recipient: Party,
    /// Who files for him.
    pub agent: Option<Party>,
    /// Where the case was filed.
    pub region: RegionCode,
    /// Name of that place.
    pub region_name: String,
    /// The document's number among all documents of the case, from 1.
    pub running: u16,
    /// When it is made; its year is the number's, its date stands at the end.
    pub made_at: Moment,
    /// When the act that it tells of takes effect.
    pub effective_at: Moment,
}

/// A document's content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentContent {
    /// What it is.
    pub kind: DocumentKind,
    /// Its number.
    pub number: DocumentNo,
    /// Public number of the case.
    pub case_number: String,
    /// Name of the service.
    pub service_name: String,
    /// The matter.
    pub matter: MatterLine,
    /// The office that issues it.
    pub office: IssuingOffice,
    /// The applicant.
    pub recipient: Recipient,
    /// Who files for him.
    pub agent: Option<Recipient>,
    /// Where the case was filed.
    pub region: RegionCode,
    /// Name of that place.
    pub region_name: String,
    /// When it is made.
    pub made_at: Moment,
    /// When the act takes effect.
    pub effective_at: Moment,
    /// What only this kind says.
    pub detail: DocumentDetail,
}

/// What only some kinds of documents say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DocumentDetail {
    /// The rules it rests on: the matter's own; the builder puts the general one first.
    pub basis: Vec<String>,
    /// The enumerated ground.
    pub ground: Option<Ground>,
    /// The reasons, in words.
    pub reasons: String,
    /// The limit that was promised.
    pub limit: Option<Period>,
    /// The day on which it ends.
    pub promised_end: Option<PromisedEnd>,
    /// How long a special procedure is expected to take.
    pub expected: Option<Period>,
    /// The materials and how each stands.
    pub materials: Vec<MaterialLine>,
    /// Everything that is missing: one complete list.
    pub missing: Vec<MissingLine>,
    /// The limit for the correction, from service.
    pub correction_limit: Option<Period>,
    /// Which round of correction it is, from 1.
    pub correction_round: Option<u16>,
    /// Facts found, or fields that the document shows.
    pub facts: Vec<FactLine>,
    /// Where the recipient may turn.
    pub remedies: Option<Remedies>,
    /// The officer in charge.
    pub officer: Option<Officer>,
    /// The short secret with which the applicant looks his case up; on the receipt only.
    pub query_code: Option<String>,
    /// The license or other result of a grant.
    pub result: Option<ResultLine>,
    /// The office that a case is sent up to.
    pub forwarded_to: Option<String>,
    /// Documents that this one serves or revokes.
    pub concerns: Vec<ConcernedDocument>,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
}

/// A matter, as a document names it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MatterLine {
    /// Its number in the case; 0 for the whole case.
    pub no: MatterNo,
    /// Its code.
    pub code: MatterCode,
    /// Its name.
    pub name: String,
}

/// The office that issues a document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct IssuingOffice {
    /// Its full name, as on its seal.
    pub name: String,
    /// Its word in document numbers (机关代字).
    pub word: String,
    /// Where to find it; empty when nothing is known.
    pub address: String,
    /// Its telephone; empty when none is known.
    pub phone: String,
}

/// A party, as a document shows it: name in full, identifier masked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// Name.
    pub name: String,
    /// Identifier with its middle masked.
    pub id_masked: String,
}

impl Recipient {
    /// Masks a party.
    pub fn of(party: &Party) -> Self {
        Self { name: party.name.clone(), id_masked: mask_id(&party.id) }
    }
}

/// An enumerated ground.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Ground {
    /// Its code.
    pub code: String,
    /// What it says.
    pub text: String,
}

/// The day on which an office's limit ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PromisedEnd {
    /// The last moment that is still in time.
    pub at: Moment,
    /// Whether it was counted past the last published holiday notice.
    pub provisional: bool,
}

/// A material, as a document lists it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MaterialLine {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub status: MaterialStatus,
    /// Copies, form, until when it is owed; empty when there is nothing to say.
    pub note: String,
}

/// How a material stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum MaterialStatus {
    /// 已提交: the applicant gave it.
    Given,
    /// 免提交: the offices fetched it.
    Exempt,
    /// 内部产生: the result of an earlier matter of the case.
    Produced,
    /// 告知承诺: a promise replaces it.
    Commitment,
    /// 容缺: it may come later.
    Owed,
    /// 缺少: it is not there.
    Missing,
}

impl MaterialStatus {
    /// Every status with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Given, "given", "已提交"),
        (Self::Exempt, "exempt", "免提交（数据共享或电子证照）"),
        (Self::Produced, "produced", "免提交（本件其他事项产生）"),
        (Self::Commitment, "commitment", "告知承诺"),
        (Self::Owed, "owed", "容缺后补"),
        (Self::Missing, "missing", "缺少"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(status, _, _)| *status == self).map_or("", |(_, code, _)| code)
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(status, _, _)| *status == self).map_or("", |(_, _, name)| name)
    }
}

/// One item of a correction list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MissingLine {
    /// Code of the material; materials that no line names stay closed.
    pub material: String,
    /// Its name.
    pub name: String,
    /// What is wrong with it or missing in it.
    pub defect: String,
    /// What the applicant is to do.
    pub wanted: String,
}

/// One fact with its label.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FactLine {
    /// The label.
    pub label: String,
    /// The value, as it is to be printed.
    pub value: String,
}

/// Where the recipient of an adverse document may turn, and until when.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Remedies {
    /// The authority that reviews (复议机关).
    pub review_body: String,
    /// Calendar days for the application, from service.
    pub review_days: u16,
    /// The court.
    pub court: String,
    /// Months for the suit, from service.
    pub suit_months: u8,
    /// Whether he may choose.
    pub order: RemedyOrder,
}

impl Remedies {
    /// 行政复议法 §20.
    pub const REVIEW_DAYS: u16 = 60;
    /// 行政诉讼法 §46.
    pub const SUIT_MONTHS: u8 = 6;

    /// Builds the general remedies: review within 60 days or suit within six months, as the
    /// recipient likes.
    pub fn general(review_body: impl Into<String>, court: impl Into<String>) -> Self {
        Self {
            review_body: review_body.into(),
            review_days: Self::REVIEW_DAYS,
            court: court.into(),
            suit_months: Self::SUIT_MONTHS,
            order: RemedyOrder::Either,
        }
    }
}

/// In which order remedies are open.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum RemedyOrder {
    /// Review or suit, as the recipient likes.
    Either,
    /// 复议前置 (行政复议法 §23): suit only after review; he must be told.
    ReviewFirst,
}

/// The officer in charge of a document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Officer {
    /// His name.
    pub name: String,
    /// His role or post, in words.
    pub post: String,
}

/// What a grant gave.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ResultLine {
    /// Name of the license or document.
    pub name: String,
    /// Its number; empty while it is being made.
    pub number: String,
    /// Until when it holds, in words; empty when it does not end.
    pub valid_until: String,
}

/// A document that another one serves or revokes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ConcernedDocument {
    /// Its title.
    pub name: String,
    /// Its number; not always one of ours.
    pub number: String,
}

/// A file, by the digest of its bytes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}
