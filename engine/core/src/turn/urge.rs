//! Urging (催办): the applicant reminds those who hold up his case, once a working day.

use crate::case::{FoldError, Matter};
use crate::command::{Answer, Refusal};
use crate::entry::Body;
use crate::id::MatterNo;
use crate::time::{Period, Unit};
use crate::viewer::{Role, Viewer};
use crate::waiting::{WaitingParty, waiting_on};

use super::Turn;
use super::accept::person;

/// How long an urged matter is not urged again: until the next working day.
const AGAIN_AFTER: Period = Period { amount: 1, unit: Unit::WorkingDays };

impl Turn<'_> {
    /// Urges every matter that waits for somebody else than the applicant. Whoever holds a task
    /// of it sees that beside the task; the applicant learns nothing of tasks.
    pub(super) fn urge(&mut self, by: &Viewer, reason: &str) -> Result<Answer, FoldError> {
        match self.urged_now(by, reason) {
            Err(refusal) => Ok(Answer::Refused(refusal)),
            Ok(matters) => {
                for no in matters {
                    self.push(no, person(by), Body::MatterUrged { reason: reason.to_owned() })?;
                }
                Ok(Answer::Done)
            }
        }
    }

    fn urged_now(&self, by: &Viewer, reason: &str) -> Result<Vec<MatterNo>, Refusal> {
        if !matches!(by.role, Role::Applicant | Role::WindowClerk) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "办件由申请人或代其办理的窗口催办;工作人员请催办具体待办",
                "the applicant, or a window for him, urges a case; staff urge a task",
            ));
        }
        if reason.trim().is_empty() {
            return Err(Refusal::new("REASONS_MISSING", "请填写催办内容", "say what to urge")
                .at(["reason"]));
        }
        let waiting: Vec<&Matter> =
            self.case.matters.iter().filter(|matter| self.is_held_up(matter)).collect();
        if waiting.is_empty() {
            return Err(Refusal::new(
                "NOTHING_TO_URGE",
                "没有在等部门或窗口的事项",
                "no matter waits for an office",
            ));
        }
        let free: Vec<MatterNo> = waiting
            .into_iter()
            .filter(|matter| self.may_be_urged(matter))
            .map(|matter| matter.no)
            .collect();
        if free.is_empty() {
            return Err(Refusal::new(
                "URGED_BEFORE",
                "每个事项每个工作日可催办一次,今日已催办",
                "a matter is urged once a working day, and was",
            ));
        }
        Ok(free)
    }

    /// Tells whether the matter waits for somebody who could hurry.
    fn is_held_up(&self, matter: &Matter) -> bool {
        let on = waiting_on(&self.case, matter, self.calendar(matter.no), self.context.now);
        on.is_some_and(|on| match on.party {
            WaitingParty::Window
            | WaitingParty::Department
            | WaitingParty::Agency
            | WaitingParty::Operator => true,
            WaitingParty::Applicant
            | WaitingParty::EarlierMatters
            | WaitingParty::Time
            | WaitingParty::Engine => false,
        })
    }

    fn may_be_urged(&self, matter: &Matter) -> bool {
        let calendar = self.calendar(matter.no);
        matter.urged.is_none_or(|(_, last)| {
            calendar.used(last, AGAIN_AFTER, &[], self.context.now) >= AGAIN_AFTER.amount
        })
    }
}
