//! The seal port: who can put an office's electronic seal on a digest, and tell a genuine one.
//!
//! The record keeps the fields that GB/T 39046 asks for. What is signed is the whole record, so
//! that no field of it can be changed later; the document is in it by number and by the digest of
//! its bytes.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::number::DocumentNo;
use crate::digest::Digest;
use crate::error::ErrorClass;
use crate::port::Later;
use crate::time::Moment;

/// A service that holds the electronic seals of offices.
pub trait Seal: Send + Sync {
    /// Seals a digest in the name of an office. Safe to repeat: the same request may give a new
    /// record, and each of them verifies.
    fn seal(&self, request: SealRequest) -> Later<'_, Result<SealRecord, SealFault>>;

    /// Checks that `record` is genuine and covers `digest`. Whether the seal was in force when
    /// it was used is part of the answer; whether it still is, is not.
    fn verify(&self, record: &SealRecord, digest: &Digest) -> Result<(), SealFault>;
}

/// What is to be sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealRequest {
    /// Full name of the office.
    pub office: String,
    /// Number of the document.
    pub document_no: DocumentNo,
    /// SHA-256 of the document's bytes.
    pub digest: Digest,
    /// When, by the lawful clock.
    pub at: Moment,
}

/// What a seal left behind (签章记录).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SealRecord {
    /// Version of the record's form.
    pub version: u16,
    /// What the seal is worth.
    pub kind: SealKind,
    /// Name of the seal (印章名称).
    pub name: String,
    /// The office whose seal it is.
    pub office: String,
    /// Who sealed (签章人): the service or person that held the key.
    pub signer: String,
    /// Names the key.
    pub key_id: String,
    /// The signature's algorithm, such as `Ed25519` or `SM2`.
    pub algorithm: String,
    /// When it was sealed (签章时间).
    pub signed_at: Moment,
    /// When the seal was made (制章日期).
    pub made_at: Moment,
    /// From when the seal is in force.
    pub valid_from: Moment,
    /// Until when.
    pub valid_until: Moment,
    /// Number of the sealed document.
    pub document_no: DocumentNo,
    /// SHA-256 of the sealed bytes.
    pub digest: Digest,
    /// The signature over [`SealRecord::signed_bytes`].
    pub signature: Vec<u8>,
}

impl SealRecord {
    /// The form that this program writes.
    pub const VERSION: u16 = 1;

    /// Returns what the signature covers: every other field, each with its length before it, so
    /// that no two records have the same bytes.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut text = format!("tongban-seal {}\n", self.version);
        let moments = [self.signed_at, self.made_at, self.valid_from, self.valid_until];
        let fields = [
            self.kind.code().to_owned(),
            self.name.clone(),
            self.office.clone(),
            self.signer.clone(),
            self.key_id.clone(),
            self.algorithm.clone(),
            self.document_no.to_string(),
            self.digest.to_string(),
        ];
        let moments = moments.iter().map(ToString::to_string);
        for field in fields.into_iter().chain(moments) {
            writeln!(text, "{} {field}", field.len()).expect("writing to a string cannot fail");
        }
        text.into_bytes()
    }

    /// Tells whether the seal was in force when it was used.
    pub fn was_in_force(&self) -> bool {
        (self.valid_from..=self.valid_until).contains(&self.signed_at)
    }
}

/// What a seal is worth.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum SealKind {
    /// The office's own electronic seal.
    Official,
    /// For trial only; binds nobody.
    Trial,
}

impl SealKind {
    /// Every kind with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 2] =
        [(Self::Official, "official", "电子印章"), (Self::Trial, "trial", "试用印章")];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _, _)| *kind == self).map_or("", |(_, code, _)| code)
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _, _)| *kind == self).map_or("", |(_, _, name)| name)
    }
}

/// A seal that could not be put, or that does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealFault {
    /// The service did not answer.
    #[error(
        "为“{office}”加盖印章时签章服务不可用,将稍后重试:{why} / the seal service could not be reached to seal for {office:?}, try again later: {why}"
    )]
    Unavailable {
        /// The office.
        office: String,
        /// What went wrong.
        why: String,
    },
    /// The service holds no seal of this office.
    #[error(
        "没有“{office}”的电子印章,请先登记 / no electronic seal of {office:?} is held; register it first"
    )]
    NotHeld {
        /// The office.
        office: String,
    },
    /// The service will not seal this.
    #[error(
        "签章服务拒绝为文书 {document_no} 加盖印章:{why} / the seal service refused to seal {document_no}: {why}"
    )]
    Refused {
        /// The document.
        document_no: DocumentNo,
        /// Why.
        why: String,
    },
    /// The record covers other bytes.
    #[error(
        "签章覆盖的内容不是这份文书:应为 {expected},实为 {found} / the seal covers {found}, not {expected}: these are not the sealed bytes"
    )]
    OtherBytes {
        /// Digest of the bytes in hand.
        expected: Digest,
        /// Digest in the record.
        found: Digest,
    },
    /// The record is about another document, or another office's.
    #[error(
        "签章记录不是这份文书的:应为“{expected}”,实为“{found}” / the seal is on {found:?}, not on {expected:?}"
    )]
    OtherDocument {
        /// Office and number that were asked for.
        expected: String,
        /// Office and number in the record.
        found: String,
    },
    /// The key is not known.
    #[error(
        "无法验证签章:不认识密钥 {key_id}(算法 {algorithm}) / cannot verify the seal: key {key_id} ({algorithm}) is not known"
    )]
    UnknownKey {
        /// The key.
        key_id: String,
        /// The algorithm.
        algorithm: String,
    },
    /// The signature does not belong to the record.
    #[error(
        "文书 {document_no} 的签章验证不通过:记录或签名被改动过 / the seal on {document_no} is not genuine: record or signature was altered"
    )]
    NotGenuine {
        /// The document.
        document_no: DocumentNo,
    },
    /// The seal was used before or after it was in force.
    #[error(
        "文书 {document_no} 加盖印章时该印章不在有效期内 / the seal on {document_no} was not in force when it was used"
    )]
    NotInForce {
        /// The document.
        document_no: DocumentNo,
    },
}

impl SealFault {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "SEAL_UNAVAILABLE",
            Self::NotHeld { .. } => "SEAL_NOT_HELD",
            Self::Refused { .. } => "SEAL_REFUSED",
            Self::OtherBytes { .. } => "SEAL_OTHER_BYTES",
            Self::OtherDocument { .. } => "SEAL_OTHER_DOCUMENT",
            Self::UnknownKey { .. } => "SEAL_KEY_UNKNOWN",
            Self::NotGenuine { .. } => "SEAL_NOT_GENUINE",
            Self::NotInForce { .. } => "SEAL_NOT_IN_FORCE",
        }
    }

    /// Returns the class; only an unavailable service is asked again.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable { .. } => ErrorClass::Transient,
            Self::OtherBytes { .. } | Self::OtherDocument { .. } => ErrorClass::Invalid,
            Self::NotHeld { .. }
            | Self::Refused { .. }
            | Self::UnknownKey { .. }
            | Self::NotGenuine { .. }
            | Self::NotInForce { .. } => ErrorClass::Permanent,
        }
    }
}
