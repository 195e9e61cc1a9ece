//! Ways out of an incident, and what a person says when he takes one.
//!
//! An incident stops a script or asks for a look; it never goes away by itself. A person ends it
//! by one of the ways that its kind allows, with a reason, and the log keeps who, why and when.
//! Ways that put a person's word in the place of an agency's take two persons.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::entry::IncidentKind;
use crate::id::{DepartmentCode, Seq};
use crate::request::{Outcome, RequestKey};
use crate::value::Value;
use crate::viewer::{Role, Viewer};

/// How an incident is ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum WayOut {
    /// Try again what failed: the evaluation, the call under its own id, the notice.
    Retry,
    /// Go on under another closure, which passed a dry run over the whole journal.
    Rebind {
        /// Digest of the closure.
        closure: Digest,
    },
    /// Begin `handle` again as the next generation; what was asked before the entry is kept.
    Restart {
        /// The first entry that no longer counts.
        from: Seq,
    },
    /// Put another result in the place of a call's, and go on from there. Takes two persons.
    Override {
        /// The request of the call.
        request: RequestKey,
        /// What it gave instead.
        with: Overriding,
    },
    /// Stop the script and undo what it registered for undoing.
    Cancel,
    /// Let the matter go on without the call that failed. Takes two persons.
    Skip,
    /// It was looked at and needs nothing more.
    Acknowledge,
}

/// What takes the place of a call's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Overriding {
    /// The call completed with this output.
    Output(Value),
    /// The call ended so.
    Outcome(Outcome),
}

/// The kinds of way out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum WayKind {
    /// [`WayOut::Retry`].
    Retry,
    /// [`WayOut::Rebind`].
    Rebind,
    /// [`WayOut::Restart`].
    Restart,
    /// [`WayOut::Override`].
    Override,
    /// [`WayOut::Cancel`].
    Cancel,
    /// [`WayOut::Skip`].
    Skip,
    /// [`WayOut::Acknowledge`].
    Acknowledge,
}

impl WayKind {
    /// Every kind with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Retry, "retry", "重试"),
        (Self::Rebind, "rebind", "换用新版本"),
        (Self::Restart, "restart", "从某条记录重新执行"),
        (Self::Override, "override", "更正某次调用的结果"),
        (Self::Cancel, "cancel", "停止并撤销已办"),
        (Self::Skip, "skip", "跳过该调用"),
        (Self::Acknowledge, "acknowledge", "已阅"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        let row = Self::ALL.iter().find(|(kind, _, _)| *kind == self);
        row.map_or(("", ""), |(_, code, name)| (*code, *name))
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Tells whether a second person must say the same before it happens: it puts an officer's
    /// word in the place of an agency's.
    pub fn takes_two(self) -> bool {
        matches!(self, Self::Override | Self::Skip)
    }
}

impl WayOut {
    /// Returns the kind.
    pub fn kind(&self) -> WayKind {
        match self {
            Self::Retry => WayKind::Retry,
            Self::Rebind { .. } => WayKind::Rebind,
            Self::Restart { .. } => WayKind::Restart,
            Self::Override { .. } => WayKind::Override,
            Self::Cancel => WayKind::Cancel,
            Self::Skip => WayKind::Skip,
            Self::Acknowledge => WayKind::Acknowledge,
        }
    }
}

/// What a person said about an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentSettled {
    /// Entry that raised it.
    pub incident: Seq,
    /// The way out.
    pub way: WayOut,
    /// Why.
    pub reason: String,
}

/// The pin of a case moved to another closure.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CaseRebound {
    /// The closure before.
    pub from: Digest,
    /// The closure now.
    pub closure: Digest,
    /// Level of the host functions that it was written for.
    pub api_level: u32,
    /// Why.
    pub reason: String,
}

/// `handle` begins again and keeps what was asked before an entry.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RunRewound {
    /// The new generation.
    pub generation: u16,
    /// Requests recorded before this entry are kept as they are.
    pub keep: Seq,
    /// What becomes of those recorded since.
    pub tail: Tail,
}

/// What becomes of the requests after the point that a run goes back to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Tail {
    /// They are asked again; what they did outside stays done and is listed.
    Discarded,
    /// They are taken over where they are asked again unchanged.
    Adopted,
}

/// The result of a call was replaced by the word of two persons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultOverridden {
    /// The request.
    pub request: RequestKey,
    /// What it gives from now on.
    pub with: Overriding,
    /// Why.
    pub reason: String,
}

/// Something that was sent to a matter, kept until a script receives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The channel.
    pub channel: String,
    /// What it says.
    pub body: Value,
    /// Whether the matter may not close over it unread.
    pub handling: Handling,
}

/// Whether a message may stay unread.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Handling {
    /// It may.
    Optional,
    /// A script receives it, or a person looks at it.
    Required,
}

impl IncidentKind {
    /// Returns the ways out that a person may take.
    pub fn ways(self) -> &'static [WayKind] {
        use WayKind::{Acknowledge, Cancel, Override, Rebind, Restart, Retry, Skip};
        match self {
            Self::ScriptFailed | Self::LimitExceeded => &[Retry, Rebind, Restart, Override, Cancel],
            Self::ReplayMismatch => &[Rebind, Restart, Override, Cancel],
            Self::TurnFailed => &[Retry, Rebind, Restart, Cancel],
            Self::CallFailed => &[Retry, Override, Skip, Cancel],
            Self::TerminalConflict => &[Acknowledge, Override],
            Self::UnlawfulAct | Self::DeemedAccepted | Self::MessageUnread => &[Acknowledge],
            Self::Stalled => &[Retry, Rebind, Restart, Cancel, Acknowledge],
            Self::NoticeNotIssued | Self::IntakeFailed => &[Retry, Acknowledge],
            Self::CompensationFailed => &[Retry, Skip],
        }
    }
}

/// Tells whether a viewer sees the incidents of the department that answers for them: an office
/// those of its own matters, the lead department those of the case.
pub fn sees_incidents(viewer: &Viewer, office: &DepartmentCode) -> bool {
    match viewer.role {
        Role::SystemAdmin | Role::Supervisor => true,
        Role::Approver | Role::OfficeHead => viewer.departments.contains(office),
        Role::Applicant | Role::WindowClerk | Role::Integrator => false,
    }
}

/// Tells whether a viewer may take a way out of an incident that `office` answers for. Technical
/// ways are the system's admin's too; the department's word is the department's alone.
pub fn may_settle(viewer: &Viewer, office: &DepartmentCode, way: WayKind) -> bool {
    let own = viewer.departments.contains(office);
    match (way, viewer.role) {
        (
            WayKind::Retry | WayKind::Rebind | WayKind::Restart | WayKind::Acknowledge,
            Role::SystemAdmin,
        ) => true,
        (WayKind::Acknowledge | WayKind::Override | WayKind::Skip, Role::Approver)
        | (_, Role::OfficeHead) => own,
        (
            _,
            Role::Applicant
            | Role::WindowClerk
            | Role::Approver
            | Role::Integrator
            | Role::Supervisor
            | Role::SystemAdmin,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_incident_has_a_way_out() {
        for (kind, code) in IncidentKind::ALL {
            assert!(!kind.ways().is_empty(), "{code}");
        }
    }

    #[test]
    fn what_stops_a_script_can_be_ended_without_the_script_too() {
        let stopping = IncidentKind::ALL.iter().filter(|(kind, _)| kind.stops_script());
        for (kind, code) in stopping {
            assert!(kind.ways().contains(&WayKind::Cancel), "{code}");
        }
    }
}
