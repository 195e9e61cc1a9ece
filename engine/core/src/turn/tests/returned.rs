//! Papers given back before the acceptance: which days of the office are new, and which are used.

use super::promises::{act_by, amend, ask_correction, give, give_back};
use super::silence::at_window;
use super::*;
use crate::command::ActRequest;
use crate::law::ClockKind;

impl Story {
    fn days_of_intake(&self) -> String {
        let clocks = self.law(1).clocks();
        let own = clocks.iter().rev().find(|clock| clock.kind == ClockKind::Acceptance);
        own.unwrap().budget.to_string()
    }
}

#[test]
fn papers_that_were_returned_by_mistake_bring_no_new_days() {
    let mut story = at_window();
    story.to("2026-03-04T15:00:00+08:00").take(&[give_back(clerk(), 1)]);
    assert_eq!(story.stage(1), "returned");
    story.to("2026-03-11T09:00:00+08:00");
    assert_eq!(story.stage(1), "returned", "the office's clock stands while the papers are out");
    let resubmit = || act_by(applicant(), 1, ActRequest::now(ActKind::Resubmit, ""));
    story.take(&[resubmit()]);
    assert_eq!(story.days_of_intake(), "3 working days");
    story.take(&[give_back(clerk(), 1), resubmit()]);
    assert_eq!(story.days_of_intake(), "3 working days", "the day of the event does not count");
    story.to("2026-03-16T23:00:00+08:00");
    assert_eq!(story.stage(1), "received");
    story.to("2026-03-17T09:00:00+08:00");
    assert_eq!(story.law(1).stage, Stage::Accepted { deemed: true });
}

#[test]
fn an_office_that_used_all_its_days_has_one_left_after_its_return() {
    let mut story = at_window();
    story.to("2026-03-09T15:00:00+08:00").take(&[give_back(clerk(), 1)]);
    story.take(&[act_by(applicant(), 1, ActRequest::now(ActKind::Resubmit, ""))]);
    assert_eq!(story.days_of_intake(), "1 working day");
}

#[test]
fn papers_that_were_mended_are_received_complete_only_then() {
    let mends: [fn() -> Command; 2] =
        [|| amend(applicant(), "x", "mended"), || give(applicant(), "m", b"scan")];
    for mend in mends {
        let mut story = at_window();
        story.to("2026-03-04T15:00:00+08:00").take(&[give_back(clerk(), 1)]);
        story.take(&[mend()]);
        assert_eq!(story.refused(), None);
        story.take(&[act_by(applicant(), 1, ActRequest::now(ActKind::Resubmit, ""))]);
        assert_eq!(story.days_of_intake(), "5 working days");
    }
}

#[test]
fn a_correction_at_intake_has_the_whole_time_run_from_its_receipt() {
    let mut story = at_window();
    story.to("2026-03-04T15:00:00+08:00");
    story.take(&[act_by(clerk(), 1, ask_correction(&[], &["x"]))]);
    story.to("2026-03-06T09:00:00+08:00").take(&[amend(applicant(), "x", "corrected")]);
    assert_eq!((story.stage(1), story.days_of_intake().as_str()), ("received", "5 working days"));
}
