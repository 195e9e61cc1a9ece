//! The read model of a case: one summary, and the index rows that lead to it.
//!
//! Both are functions of the folded state and go into the same commit as the entries. The
//! viewer's scope is part of the keys: an [`Along`] names a family *and* the place or person it
//! is read for, so that a search never meets a row that its viewer may not see.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::entry::TaskKind;
use crate::id::{
    CaseId, CommitNo, DepartmentCode, MatterCode, MatterNo, RegionCode, RoleCode, Seq, ServiceCode,
};
use crate::time::Moment;
use crate::viewer::{Addressee, CaseScope};

/// What lists show of a case.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CaseSummary {
    /// The case.
    pub case: CaseId,
    /// Public number.
    pub number: String,
    /// The service.
    pub service: ServiceCode,
    /// Its name.
    pub service_name: String,
    /// Derived state of the whole.
    pub state: CaseState,
    /// Who may see it.
    pub scope: CaseScope,
    /// Name of the applicant, masked.
    pub applicant_masked: String,
    /// When it was started.
    pub created_at: Moment,
    /// When its last entry was recorded.
    pub updated_at: Moment,
    /// The matters.
    pub matters: Vec<MatterSummary>,
    /// Tasks that are open.
    pub tasks: Vec<TaskSummary>,
    /// Incidents that nobody has resolved.
    pub incidents: u32,
    /// When time next brings something: a timer, a clock that passes, a card.
    pub next_due: Option<Moment>,
    /// Version of the calendar that its derived times were read from.
    pub calendar: String,
    /// Whether the case is to be taken up when the store is opened: a call is not over, or a
    /// turn is owed.
    pub outbox: bool,
    /// Commit that wrote this; set by the store on reading.
    #[serde(skip)]
    pub revision: CommitNo,
}

/// Derived state of a case: never stored by itself, never one green light over a red child.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum CaseState {
    /// Not submitted yet.
    Draft,
    /// Submitted, nothing accepted.
    Submitted,
    /// At least one matter is accepted, none has ended.
    InProgress,
    /// Some matters have ended, others not.
    PartiallyCompleted,
    /// Every matter was granted.
    CompletedAll,
    /// Every matter has ended, not every one granted.
    CompletedWithFailures,
    /// Every open matter was withdrawn.
    Withdrawn,
    /// Every open matter was terminated.
    Terminated,
}

impl CaseState {
    /// Every state with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Draft, "draft", "草稿"),
        (Self::Submitted, "submitted", "已提交"),
        (Self::InProgress, "in_progress", "办理中"),
        (Self::PartiallyCompleted, "partially_completed", "部分办结"),
        (Self::CompletedAll, "completed_all", "全部办结"),
        (Self::CompletedWithFailures, "completed_with_failures", "办结(部分未通过)"),
        (Self::Withdrawn, "withdrawn", "已撤回"),
        (Self::Terminated, "terminated", "已终止"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        Self::ALL
            .iter()
            .find(|(state, _, _)| *state == self)
            .map_or(("", ""), |(_, code, name)| (code, name))
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().1
    }
}

/// What lists show of a matter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MatterSummary {
    /// Its number in the case.
    pub no: MatterNo,
    /// The matter.
    pub code: MatterCode,
    /// Its name.
    pub name: String,
    /// The department.
    pub department: DepartmentCode,
    /// Where it is decided.
    pub place: RegionCode,
    /// Code of its state.
    pub state: String,
    /// Whether its department has it and it has not ended.
    pub open: bool,
    /// Number of the license or document that a grant gave; empty without one.
    pub result: String,
}

/// What queues show of a task.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Entry that opened it.
    pub no: Seq,
    /// Its matter.
    pub matter: MatterNo,
    /// What for.
    pub kind: TaskKind,
    /// Who may take it.
    pub role: RoleCode,
    /// Where.
    pub region: RegionCode,
    /// What the person reads.
    pub title: String,
    /// Who has taken it.
    pub assignee: Option<String>,
    /// Rises with every change of the task, from 1.
    pub version: u32,
    /// When it was opened.
    pub opened_at: Moment,
    /// When the matter's monitored clock is due, if one runs.
    pub due_at: Option<Moment>,
    /// Until when it is his who has taken it; `None` for as long as it lasts.
    pub assigned_until: Option<Moment>,
    /// Whether it went up to another role: then only those who hold it there may take it.
    pub escalated: bool,
}

impl TaskSummary {
    /// Returns for whom the task is.
    pub fn addressee(&self) -> Addressee<'_> {
        Addressee { role: &self.role, region: &self.region, escalated: self.escalated }
    }
}

impl CaseSummary {
    /// Returns the summary as it reads at `now`: a delegation lapses by itself, without anything
    /// being written.
    #[must_use]
    pub fn as_of(mut self, now: Moment) -> Self {
        for task in &mut self.tasks {
            if task.assigned_until.is_some_and(|until| until < now) {
                task.assignee = None;
                task.assigned_until = None;
            }
        }
        self
    }
}

/// One row of an index family. A store turns it into a key; equal rows are one key.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum IndexRow {
    /// An open task, for the queue of a role at a place: earliest due first.
    Queue {
        /// Where.
        region: RegionCode,
        /// Which role.
        role: RoleCode,
        /// When it is due; tasks without a running clock come last.
        due: Moment,
        /// Entry that opened the task.
        task: Seq,
    },
    /// The case, for those who see a region, while no department has it open: newest first.
    Region {
        /// Where it was filed.
        region: RegionCode,
    },
    /// The case, for one department of a region that has it open, and for those who see the
    /// region: newest first.
    Department {
        /// The department.
        department: DepartmentCode,
        /// Where it was filed.
        region: RegionCode,
    },
    /// The case, for its applicant: newest first.
    Applicant {
        /// Keyed hash of the identifier.
        hash: Digest,
    },
    /// The public number; unique over the store.
    Number {
        /// The number.
        number: String,
    },
    /// The case must be looked at then.
    Timer {
        /// When.
        due: Moment,
    },
    /// The case has calls that are not over.
    Outbox,
    /// The case has incidents that nobody has ended, for those who look after a region: newest
    /// first.
    Incident {
        /// Where it was filed.
        region: RegionCode,
    },
}

/// Which rows a search runs along: family and scope in one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Along {
    /// [`IndexRow::Queue`] rows of these roles within this region and all inside it.
    Queue {
        /// The region.
        region: RegionCode,
        /// The roles.
        roles: RoleMatch,
    },
    /// [`IndexRow::Region`] rows, and [`IndexRow::Department`] rows of every department, within
    /// this region and all inside it; each case once.
    Region(RegionCode),
    /// [`IndexRow::Department`] rows of this department within this region and all inside it.
    Department(DepartmentCode, RegionCode),
    /// [`IndexRow::Applicant`] rows of this keyed hash.
    Applicant(Digest),
    /// [`IndexRow::Incident`] rows within this region and all inside it.
    Incident(RegionCode),
}

/// Which roles of a queue are meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RoleMatch {
    /// Every `….window` role: a window accepts for all departments.
    Windows,
    /// Every role of these departments but `window`.
    Departments(BTreeSet<DepartmentCode>),
}

impl RoleMatch {
    /// Tells whether `role` is meant.
    pub fn includes(&self, role: &RoleCode) -> bool {
        let window = role.as_str().ends_with(".window");
        match self {
            Self::Windows => window,
            Self::Departments(own) => !window && own.contains(&role.department()),
        }
    }
}

/// A search along one family, with residual filters under a scan budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The family and scope.
    pub along: Along,
    /// Only cases in these states; empty for all.
    pub states: BTreeSet<CaseState>,
    /// Only cases of this service.
    pub service: Option<ServiceCode>,
    /// Where to go on, as a page gave it.
    pub after: Option<Vec<u8>>,
    /// Most hits.
    pub first: usize,
}

/// Returns `name` with only its first and last characters: 张*明, 张*.
pub fn mask_name(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    match letters.as_slice() {
        [] => String::new(),
        [only] => only.to_string(),
        [first, _] => format!("{first}*"),
        [first, middle @ .., last] => format!("{first}{}{last}", "*".repeat(middle.len())),
    }
}

/// Returns `id` with only its first six and last four characters.
pub fn mask_id(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    if letters.len() < 12 {
        return "*".repeat(letters.len());
    }
    let head: String = letters[..6].iter().collect();
    let tail: String = letters[letters.len() - 4..].iter().collect();
    format!("{head}{}{tail}", "*".repeat(letters.len() - 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_masked() {
        assert_eq!(mask_name("张三"), "张*");
        assert_eq!(mask_name("欧阳小明"), "欧**明");
        assert_eq!(mask_id("420302199001010015"), "420302********0015");
        assert_eq!(mask_id("123"), "***");
    }
}
