//! Where a matter stands, and how it can end.

use serde::{Deserialize, Serialize};

/// Where a matter stands. Suspension is not among these: it is an axis of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Known to the case, not yet received by its department; no clock runs.
    Planned,
    /// Its inputs exist and it was given to its department.
    Filed,
    /// 已退回: the applicant mends it and submits again.
    Returned,
    /// 已收件.
    Received,
    /// 待补正, before acceptance.
    Correcting,
    /// 已受理.
    Accepted {
        /// Whether the law accepted in place of a silent office.
        deemed: bool,
    },
    /// 已转报: accepted, and the higher office decides.
    ForwardedUp,
    /// Ended.
    Ended(Ending),
}

/// How a matter ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Ending {
    /// 准予.
    Granted,
    /// 容缺准予.
    GrantedTolerant,
    /// 不予.
    Denied,
    /// 不予受理.
    NotAccepted,
    /// Never given to its department.
    NotFiled,
    /// 撤回.
    Withdrawn,
    /// 终止.
    Terminated,
}

impl Ending {
    /// Tells whether the applicant got what he asked for.
    pub fn is_grant(self) -> bool {
        matches!(self, Self::Granted | Self::GrantedTolerant)
    }
}

impl Stage {
    /// The stage of a matter that its department accepted.
    pub const ACCEPTED: Self = Self::Accepted { deemed: false };

    /// Tells whether the department handles the matter: accepted and not yet decided.
    pub fn is_handled(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::ForwardedUp)
    }

    /// Tells whether the matter is with its department and not yet accepted.
    pub fn is_before_acceptance(&self) -> bool {
        matches!(self, Self::Filed | Self::Returned | Self::Received | Self::Correcting)
    }

    /// Returns the code of the state, as API and summaries show it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Filed => "filed",
            Self::Returned => "returned",
            Self::Received => "received",
            Self::Correcting => "correction_pending",
            Self::Accepted { .. } => "accepted",
            Self::ForwardedUp => "forwarded_up",
            Self::Ended(Ending::Granted) => "granted",
            Self::Ended(Ending::GrantedTolerant) => "granted_tolerant",
            Self::Ended(Ending::Denied) => "denied",
            Self::Ended(Ending::NotAccepted) => "not_accepted",
            Self::Ended(Ending::NotFiled) => "not_filed",
            Self::Ended(Ending::Withdrawn) => "withdrawn",
            Self::Ended(Ending::Terminated) => "terminated",
        }
    }

    /// Returns the Chinese name of the state.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Planned => "待启动",
            Self::Filed => "已提交",
            Self::Returned => "已退回",
            Self::Received => "已收件",
            Self::Correcting => "待补正",
            Self::Accepted { deemed: false } => "已受理",
            Self::Accepted { deemed: true } => "视为受理",
            Self::ForwardedUp => "已转报",
            Self::Ended(Ending::Granted) => "准予",
            Self::Ended(Ending::GrantedTolerant) => "容缺准予",
            Self::Ended(Ending::Denied) => "不予",
            Self::Ended(Ending::NotAccepted) => "不予受理",
            Self::Ended(Ending::NotFiled) => "未提交",
            Self::Ended(Ending::Withdrawn) => "已撤回",
            Self::Ended(Ending::Terminated) => "已终止",
        }
    }
}
