//! Materials as (material, matter) pairs: what a matter requires, which sources were tried, and
//! how each was met. The log of attempts feeds the exemption rate (dossier 9.3).

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{MatterNo, Seq};
use crate::request::RequestKey;
use crate::time::Moment;

/// A material that the applicant gave, by reference.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MaterialGiven {
    /// Code of the material.
    pub code: String,
    /// Name of the file.
    pub file_name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Size in bytes; 0 when only the digest is known.
    pub bytes: u64,
    /// What it is: a file, or the applicant's commitment in its place.
    pub form: Form,
    /// What proves when it came, if it came before it was recorded.
    pub evidence: String,
}

impl MaterialGiven {
    /// Builds a file of which only the digest is known.
    pub fn file(code: &str, file_name: &str, digest: Digest) -> Self {
        Self {
            code: code.to_owned(),
            file_name: file_name.to_owned(),
            digest,
            bytes: 0,
            form: Form::File,
            evidence: String::new(),
        }
    }
}

/// What an applicant hands in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Form {
    /// A file.
    File,
    /// 告知承诺: he commits to the conditions under this version of the text.
    Commitment {
        /// Version of the text.
        text_version: String,
    },
}

/// How one required material was met when a matter was filed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MaterialFound {
    /// Code of the material.
    pub code: String,
    /// How.
    pub how: Found,
}

/// How a material was met.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Found {
    /// By the result of an earlier matter of the case: nothing to hand in (免提交).
    ResultOf {
        /// The earlier matter.
        matter: MatterNo,
        /// Number of its license or document.
        number: String,
    },
    /// By a file of the applicant.
    Given {
        /// SHA-256 of its bytes.
        digest: Digest,
    },
    /// Not there, and the service tolerates it for now (容缺).
    Owed {
        /// The matter of this case whose result will be it, if one is.
        from: Option<MatterNo>,
    },
    /// Not there.
    Missing,
    /// By an electronic license that was fetched (免提交).
    License {
        /// Its number.
        number: String,
        /// Digest of what came, for reference.
        digest: Digest,
    },
    /// By shared data (免提交).
    Data {
        /// The resource.
        resource: String,
        /// Digest of what came.
        digest: Digest,
    },
    /// By the applicant's commitment (告知承诺).
    Committed {
        /// Version of the text.
        text_version: String,
    },
    /// A source is being asked.
    Asked {
        /// The engine's request.
        request: RequestKey,
    },
}

impl Found {
    /// Tells whether the requirement is met, now or by a tolerated promise.
    pub fn is_met(&self) -> bool {
        !matches!(self, Self::Missing | Self::Asked { .. } | Self::Owed { .. })
    }

    /// Tells whether it was met without the applicant handing anything in.
    pub fn is_exempted(&self) -> bool {
        matches!(
            self,
            Self::ResultOf { .. }
                | Self::License { .. }
                | Self::Data { .. }
                | Self::Committed { .. }
        )
    }

    /// Returns the Chinese name of the way.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ResultOf { .. } => "由前置事项产生,免提交",
            Self::Given { .. } => "已提交",
            Self::Owed { .. } => "容缺后补",
            Self::Missing => "待提交",
            Self::License { .. } => "电子证照,免提交",
            Self::Data { .. } => "数据共享,免提交",
            Self::Committed { .. } => "告知承诺",
            Self::Asked { .. } => "核验中",
        }
    }

    /// Returns the code of the way, as figures group it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ResultOf { .. } => "result",
            Self::Given { .. } => "upload",
            Self::Owed { .. } => "owed",
            Self::Missing => "missing",
            Self::License { .. } => "license",
            Self::Data { .. } => "data",
            Self::Committed { .. } => "commitment",
            Self::Asked { .. } => "asked",
        }
    }
}

/// One try of one source.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Code of the material.
    pub material: String,
    /// What was tried: `license:TYPE`, `data:RESOURCE`, `result:MATTER`, `upload`, `commitment`.
    pub source: String,
    /// What came of it.
    pub cause: Cause,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Cause {
    /// It was there.
    Found,
    /// The source answered that it has none for this holder.
    NoRecord,
    /// More than one fits.
    Ambiguous,
    /// What came does not fit the holder, or is not valid any more.
    Mismatch,
    /// The source refused.
    Refused,
    /// The source could not be reached: never to be read as "no record".
    Unavailable,
    /// The holder has not authorised it.
    NoConsent,
    /// No connector is bound for the source.
    NotConnected,
}

impl Cause {
    /// Every cause with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Found, "found", "已获取"),
        (Self::NoRecord, "no_record", "无记录"),
        (Self::Ambiguous, "ambiguous", "多条记录"),
        (Self::Mismatch, "mismatch", "信息不符"),
        (Self::Refused, "refused", "被拒绝"),
        (Self::Unavailable, "unavailable", "服务不可用"),
        (Self::NoConsent, "no_consent", "未授权"),
        (Self::NotConnected, "not_connected", "未接入"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(cause, _, _)| *cause == self).map_or("", |(_, code, _)| code)
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(cause, _, _)| *cause == self).map_or("", |(_, _, name)| name)
    }
}

/// A required material of a matter, as the log has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// Code of the material.
    pub code: String,
    /// How it stands.
    pub how: Found,
    /// How it stood before, each with the entry that changed it next.
    pub before: Vec<(Seq, Found)>,
    /// Every try so far, with the entry that recorded it.
    pub attempts: Vec<(Seq, Attempt)>,
    /// Entry and time of its last change.
    pub changed: (Seq, Moment),
}

impl Requirement {
    /// Returns how the requirement stood after entry `seen`.
    pub fn how_at(&self, seen: Seq) -> &Found {
        let earlier = self.before.iter().find(|(changed, _)| *changed > seen);
        earlier.map_or(&self.how, |(_, how)| how)
    }
}

/// A file that the applicant handed in, as the log has it; the last version of a code counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Handed {
    /// What he gave.
    pub given: MaterialGiven,
    /// Version of this material, from 1.
    pub version: u32,
    /// Entry by which it came; 1 when it came with the application.
    pub at: Seq,
}
