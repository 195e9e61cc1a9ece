//! The life of a document: draft → sealed → served, one way, each step once.
//!
//! A notice that is not served binds nobody: the applicant's periods run from service, and each
//! mode of service has its own moment ([`period_starts`]).

use serde::{Deserialize, Serialize};

use super::content::Attachment;
use super::seal::SealRecord;
use crate::digest::Digest;
use crate::error::ErrorClass;
use crate::time::Moment;

/// Where a document stands, with what brought it there.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum DocumentState {
    /// Made, not signed; it may be made anew.
    Draft {
        /// When it was made.
        drafted_at: Moment,
    },
    /// Its bytes are fixed.
    Sealed(Sealed),
    /// On its way to the recipient, or with him.
    Served(Served),
}

/// A sealed document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// When it was made.
    pub drafted_at: Moment,
    /// When it was sealed.
    pub at: Moment,
    /// The seal's record.
    pub seal: SealRecord,
    /// SHA-256 of the bytes, which are kept.
    pub digest: Digest,
}

/// A document that was served.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Served {
    /// How it was sealed.
    pub sealed: Sealed,
    /// The service.
    pub service: Service,
}

/// A service: when, how, and what proves it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// When the office handed it over, posted, sent or published it.
    pub at: Moment,
    /// How.
    pub how: ServiceMode,
    /// Signed notes, postal receipts, screen copies, by digest.
    pub evidence: Vec<Attachment>,
}

/// How a document was served.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum ServiceMode {
    /// 窗口直接送达: picked up at a window and signed for.
    Window {
        /// Who signed for it.
        signed_by: String,
    },
    /// 邮寄送达.
    Post {
        /// Number of the waybill.
        waybill: String,
        /// When the receipt was signed; none while it is on its way.
        signed_at: Option<Moment>,
    },
    /// 电子送达, with the recipient's consent.
    Electronic {
        /// The recipient's system or address, in words.
        system: String,
        /// When it arrived there; none while that is not known.
        arrived_at: Option<Moment>,
    },
    /// 公告送达: for recipients who cannot be found.
    Announcement {
        /// Where it was published.
        place: String,
        /// Calendar days after which it counts as served.
        days: u16,
    },
}

impl ServiceMode {
    /// Returns the code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Window { .. } => "window",
            Self::Post { .. } => "post",
            Self::Electronic { .. } => "electronic",
            Self::Announcement { .. } => "announcement",
        }
    }

    /// Returns the Chinese name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Window { .. } => "窗口送达",
            Self::Post { .. } => "邮寄送达",
            Self::Electronic { .. } => "电子送达",
            Self::Announcement { .. } => "公告送达",
        }
    }

    /// Returns when the letter was signed for or the message arrived, where that is known.
    pub fn received_at(&self) -> Option<Moment> {
        match self {
            Self::Post { signed_at: at, .. } | Self::Electronic { arrived_at: at, .. } => *at,
            Self::Window { .. } | Self::Announcement { .. } => None,
        }
    }

    /// Tells whether `other` is this very service, which is still under way.
    fn awaits_receipt_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Post { waybill, signed_at: None }, Self::Post { waybill: same, .. }) => {
                waybill == same
            }
            (
                Self::Electronic { system, arrived_at: None },
                Self::Electronic { system: same, .. },
            ) => system == same,
            (
                Self::Window { .. }
                | Self::Post { .. }
                | Self::Electronic { .. }
                | Self::Announcement { .. },
                _,
            ) => false,
        }
    }
}

/// A step that a document cannot take.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentRefusal {
    /// It is sealed already; its bytes are fixed.
    #[error(
        "文书已于 {at} 加盖印章,不能再改或重盖 / the document was sealed at {at}; it can neither be changed nor sealed again"
    )]
    AlreadySealed {
        /// When.
        at: Moment,
    },
    /// It was served already.
    #[error(
        "文书已于 {at} 送达,不能再次送达 / the document was served at {at}; it is not served again"
    )]
    AlreadyServed {
        /// When.
        at: Moment,
    },
    /// A draft cannot be served.
    #[error("文书尚未加盖印章,不能送达 / a draft cannot be served; seal it first")]
    NotSealed,
    /// It was not served yet, so nothing can have arrived.
    #[error(
        "文书尚未送达,没有可以签收的内容 / the document was not sent, so nothing can have arrived"
    )]
    NotServed,
    /// The seal's record covers other bytes.
    #[error(
        "印章覆盖的摘要 {found} 不是文书的摘要 {expected} / the seal covers {found}, the document is {expected}"
    )]
    OtherBytes {
        /// Digest of the document.
        expected: Digest,
        /// Digest in the record.
        found: Digest,
    },
    /// The seal was not in force.
    #[error(
        "印章“{name}”在加盖时不在有效期内 / the seal {name:?} was not in force when it was used"
    )]
    SealNotInForce {
        /// Name of the seal.
        name: String,
    },
    /// A step before the one that it follows.
    #[error(
        "时间 {at} 早于前一步 {before} / {at} lies before the step that it follows at {before}"
    )]
    TooEarly {
        /// When the step was.
        at: Moment,
        /// When the earlier one was.
        before: Moment,
    },
    /// The service lacks what proves it.
    #[error(
        "{how}须有{lacking_name} / a service by {code} needs {lacking}",
        how = how.name(),
        code = how.code()
    )]
    Unproven {
        /// The mode.
        how: ServiceMode,
        /// What is missing.
        lacking: &'static str,
        /// Its Chinese name.
        lacking_name: &'static str,
    },
    /// The mode of service has no receipt of its own, or it is here already.
    #[error("{}没有待登记的签收或到达时间 / a service by {} awaits no receipt", how.name(), how.code())]
    NoReceiptAwaited {
        /// The mode.
        how: ServiceMode,
    },
}

impl DocumentRefusal {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadySealed { .. } => "DOCUMENT_ALREADY_SEALED",
            Self::AlreadyServed { .. } => "DOCUMENT_ALREADY_SERVED",
            Self::NotSealed => "DOCUMENT_NOT_SEALED",
            Self::NotServed => "DOCUMENT_NOT_SERVED",
            Self::OtherBytes { .. } => "SEAL_OTHER_BYTES",
            Self::SealNotInForce { .. } => "SEAL_NOT_IN_FORCE",
            Self::TooEarly { .. } => "DOCUMENT_STEP_TOO_EARLY",
            Self::Unproven { .. } => "SERVICE_UNPROVEN",
            Self::NoReceiptAwaited { .. } => "SERVICE_AWAITS_NO_RECEIPT",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::AlreadySealed { .. } | Self::AlreadyServed { .. } => ErrorClass::Conflict,
            Self::NotSealed
            | Self::NotServed
            | Self::OtherBytes { .. }
            | Self::SealNotInForce { .. }
            | Self::TooEarly { .. }
            | Self::Unproven { .. }
            | Self::NoReceiptAwaited { .. } => ErrorClass::Invalid,
        }
    }
}

impl DocumentState {
    /// Begins a document.
    pub fn draft(drafted_at: Moment) -> Self {
        Self::Draft { drafted_at }
    }

    /// Returns the code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Draft { .. } => "draft",
            Self::Sealed(_) => "sealed",
            Self::Served(_) => "served",
        }
    }

    /// Returns the Chinese name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Draft { .. } => "草稿",
            Self::Sealed(_) => "已签章",
            Self::Served(_) => "已送达",
        }
    }

    /// Returns when it was made.
    pub fn drafted_at(&self) -> Moment {
        match self {
            Self::Draft { drafted_at } => *drafted_at,
            Self::Sealed(sealed) | Self::Served(Served { sealed, .. }) => sealed.drafted_at,
        }
    }

    /// Seals a draft: `digest` is that of its final bytes, `seal` what the seal service gave.
    pub fn seal(
        &self,
        at: Moment,
        seal: SealRecord,
        digest: Digest,
    ) -> Result<Self, DocumentRefusal> {
        let drafted_at = match self {
            Self::Draft { drafted_at } => *drafted_at,
            Self::Sealed(sealed) | Self::Served(Served { sealed, .. }) => {
                return Err(DocumentRefusal::AlreadySealed { at: sealed.at });
            }
        };
        if seal.digest != digest {
            return Err(DocumentRefusal::OtherBytes { expected: digest, found: seal.digest });
        }
        if !seal.was_in_force() {
            return Err(DocumentRefusal::SealNotInForce { name: seal.name });
        }
        in_order(drafted_at, at)?;
        Ok(Self::Sealed(Sealed { drafted_at, at, seal, digest }))
    }

    /// Serves a sealed document.
    pub fn serve(&self, service: Service) -> Result<Self, DocumentRefusal> {
        let sealed = match self {
            Self::Draft { .. } => return Err(DocumentRefusal::NotSealed),
            Self::Sealed(sealed) => sealed.clone(),
            Self::Served(served) => {
                return Err(DocumentRefusal::AlreadyServed { at: served.service.at });
            }
        };
        in_order(sealed.at, service.at)?;
        prove(&service)?;
        Ok(Self::Served(Served { sealed, service }))
    }

    /// Records a service, or the receipt of one that was under way: the same mode again, with the
    /// moment of its receipt.
    pub fn record_service(&self, service: Service) -> Result<Self, DocumentRefusal> {
        match (self, service.how.received_at()) {
            (Self::Served(known), Some(at))
                if known.service.how.awaits_receipt_of(&service.how) =>
            {
                self.received(at, service.evidence)
            }
            (Self::Draft { .. } | Self::Sealed(_) | Self::Served(_), _) => self.serve(service),
        }
    }

    /// Records that the recipient signed for the letter, or that the message reached his system,
    /// with what proves it.
    pub fn received(&self, at: Moment, evidence: Vec<Attachment>) -> Result<Self, DocumentRefusal> {
        let Self::Served(served) = self else { return Err(DocumentRefusal::NotServed) };
        in_order(served.service.at, at)?;
        let how = match &served.service.how {
            ServiceMode::Post { waybill, signed_at: None } => {
                ServiceMode::Post { waybill: waybill.clone(), signed_at: Some(at) }
            }
            ServiceMode::Electronic { system, arrived_at: None } => {
                ServiceMode::Electronic { system: system.clone(), arrived_at: Some(at) }
            }
            how @ (ServiceMode::Window { .. }
            | ServiceMode::Post { .. }
            | ServiceMode::Electronic { .. }
            | ServiceMode::Announcement { .. }) => {
                return Err(DocumentRefusal::NoReceiptAwaited { how: how.clone() });
            }
        };
        let mut served = served.clone();
        served.service.how = how;
        served.service.evidence.extend(evidence);
        Ok(Self::Served(served))
    }

    /// Returns the moment from which the applicant's periods run, once there is one.
    pub fn period_starts(&self) -> Option<Moment> {
        match self {
            Self::Draft { .. } | Self::Sealed(_) => None,
            Self::Served(served) => period_starts(served),
        }
    }
}

/// Returns the moment of service in the eyes of the law, from which the applicant's periods run;
/// none while a letter or message is on its way. The day itself does not count.
///
/// At the window it is when he signed; by post, the signing date of the receipt; electronically,
/// when it arrived in his system; by announcement, the end of the last day of its period.
pub fn period_starts(served: &Served) -> Option<Moment> {
    let service = &served.service;
    match &service.how {
        ServiceMode::Window { .. } => Some(service.at),
        ServiceMode::Post { signed_at, .. } => *signed_at,
        ServiceMode::Electronic { arrived_at, .. } => *arrived_at,
        ServiceMode::Announcement { days, .. } => {
            let last = jiff::Span::new().days(i64::from(*days));
            service.at.date().checked_add(last).ok().map(Moment::end_of)
        }
    }
}

fn in_order(before: Moment, at: Moment) -> Result<(), DocumentRefusal> {
    // By date: the clocks of window, post and seal service differ, and periods count days.
    if at.date() < before.date() {
        return Err(DocumentRefusal::TooEarly { at, before });
    }
    Ok(())
}

fn prove(service: &Service) -> Result<(), DocumentRefusal> {
    let refuse = |lacking, lacking_name| {
        Err(DocumentRefusal::Unproven { how: service.how.clone(), lacking, lacking_name })
    };
    match &service.how {
        ServiceMode::Window { signed_by } if signed_by.trim().is_empty() => {
            refuse("the name of who signed for it", "签收人")
        }
        ServiceMode::Post { waybill, .. } if waybill.trim().is_empty() => {
            refuse("a waybill", "邮件运单号")
        }
        ServiceMode::Electronic { system, .. } if system.trim().is_empty() => {
            refuse("the recipient's system", "受送达人的接收系统")
        }
        ServiceMode::Announcement { days: 0, .. } => refuse("a period", "公告期"),
        ServiceMode::Announcement { place, .. } if place.trim().is_empty() => {
            refuse("the place of publication", "公告处所")
        }
        ServiceMode::Announcement { .. } if service.evidence.is_empty() => {
            refuse("a copy of the announcement", "公告留存件")
        }
        ServiceMode::Post { signed_at: Some(at), .. }
        | ServiceMode::Electronic { arrived_at: Some(at), .. } => in_order(service.at, *at),
        ServiceMode::Window { .. }
        | ServiceMode::Post { .. }
        | ServiceMode::Electronic { .. }
        | ServiceMode::Announcement { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests;
