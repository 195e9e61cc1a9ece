//! Tasks that went up, and cases that are urged.

use super::promises::{act_by, ask_correction, field, head};
use super::*;
use crate::command::TaskChange;
use crate::organisation::Source as Document;

const OFFICE: &str = r#"{
  "kind": "organisation", "code": "420300",
  "offices": [ { "code": "natural-resources", "place": "420300",
    "creditCode": "1142030000DEM00156", "name": "示例市自然资源和规划局" } ],
  "roles": [
    { "code": "natural-resources.approver", "name": "审批人", "may": ["approve"] },
    { "code": "natural-resources.chief", "name": "科长", "may": ["approve"] },
    { "code": "natural-resources.head", "name": "负责人", "may": ["head"] } ],
  "people": [
    { "subject": "approver", "name": "示例甲", "office": "natural-resources@420300", "holds": [
      { "role": "natural-resources.approver", "region": "420300", "from": "2025-01-01" } ] },
    { "subject": "chief", "name": "示例乙", "office": "natural-resources@420300", "holds": [
      { "role": "natural-resources.chief", "region": "420300", "from": "2025-01-01" } ] },
    { "subject": "deputy", "name": "示例丙", "office": "natural-resources@420300", "holds": [
      { "role": "natural-resources.approver", "region": "420300", "from": "2025-01-01" } ] },
    { "subject": "head", "name": "示例丁", "office": "natural-resources@420300", "holds": [
      { "role": "natural-resources.head", "region": "420300", "from": "2025-01-01" } ] } ],
  "standIns": [
    { "for": "chief", "by": "deputy", "from": "2026-03-09", "until": "2026-03-13", "reason": "培训" } ]
}"#;

/// A decision that its approver has sent up to the chief of his section.
fn sent_up() -> Story {
    let mut story = one(decide_and_act());
    let source = Document { label: "office", kind: None, bytes: OFFICE.as_bytes() };
    story.organisation = Organisation::read(&[source]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let at = at(&story);
    let up = TaskChange::Escalate {
        to: RoleCode::new("natural-resources.chief"),
        reason: "疑难".to_owned(),
    };
    story.take(&[Command::ChangeTask { by: approver(), task: at, change: up }]);
    assert_eq!(story.refused(), None);
    story
}

fn at(story: &Story) -> TaskAt {
    let task = story.task(TaskKind::Decide).expect("a decision is open");
    TaskAt { no: task.no, version: task.version }
}

fn officer(subject: &str) -> Viewer {
    Viewer::new(subject, Role::Approver).within("420300").of("natural-resources")
}

#[test]
fn a_task_that_went_up_is_for_those_who_hold_its_new_role() {
    let mut story = sent_up();
    for passed_on in ["approver", "deputy", "nobody"] {
        let task = at(&story);
        story.take(&[Command::ClaimTask { by: officer(passed_on), task }]);
        assert_eq!(story.refused().as_deref(), Some("NOT_PERMITTED"), "{passed_on}");
        let outcome = super::promises::outcome(Yes);
        let seen = crate::command::Seen::default();
        story.take(&[Command::CompleteTask { by: officer(passed_on), task, outcome, seen }]);
        assert_eq!(story.refused().as_deref(), Some("NOT_PERMITTED"), "{passed_on}");
    }
    let task = at(&story);
    story.take(&[Command::ClaimTask { by: officer("chief"), task }]);
    assert_eq!(story.refused(), None);
}

#[test]
fn who_stands_in_for_the_new_role_and_the_head_may_take_what_went_up() {
    let mut story = sent_up();
    story.to("2026-03-10T09:00:00+08:00");
    let task = at(&story);
    story.take(&[Command::ClaimTask { by: officer("deputy"), task }]);
    assert_eq!(story.refused(), None, "in the week in which he stands in");
    let mut story = sent_up();
    let task = at(&story);
    story.take(&[Command::ClaimTask { by: head(), task }]);
    assert_eq!(story.refused(), None);
}

fn urge(by: Viewer) -> Command {
    Command::Urge { by, reason: "请尽快".to_owned() }
}

#[test]
fn a_matter_is_urged_once_a_working_day_and_its_holders_see_it() {
    let mut story = one(decide_and_act());
    story.to("2026-03-06T09:00:00+08:00").take(&[urge(applicant())]);
    assert_eq!(story.refused(), None);
    let task = story.task(TaskKind::Decide).unwrap();
    assert_eq!(task.urged, Some((1, story.now)));
    assert_eq!(story.case.matters[0].urged, Some((1, story.now)));
    for again in ["2026-03-06T17:00:00+08:00", "2026-03-08T17:00:00+08:00"] {
        story.to(again).take(&[urge(applicant())]);
        assert_eq!(story.refused().as_deref(), Some("URGED_BEFORE"), "{again}");
    }
    story.to("2026-03-09T09:00:00+08:00").take(&[urge(clerk())]);
    assert_eq!(story.refused(), None, "Monday is a new working day");
    assert_eq!(story.case.matters[0].urged.unwrap().0, 2);
    story.take(&[urge(approver())]);
    assert_eq!(story.refused().as_deref(), Some("NOT_PERMITTED"));
    let stranger = Viewer::new("p", Role::Applicant).for_party("91420302MA4DEM020N");
    story.take(&[urge(stranger)]);
    assert_eq!(story.refused().as_deref(), Some("CASE_NOT_FOUND"));
}

#[test]
fn nobody_is_urged_while_the_applicant_is_waited_for() {
    let mut definition = matter("a");
    definition.form = vec![field("x")];
    definition.intake = Intake::Window;
    let mut story = Story::begin(vec![part("a", &[])], vec![(definition, decide_and_act())]);
    story.take(&[act_by(clerk(), 1, ask_correction(&[], &["x"]))]);
    story.take(&[urge(applicant())]);
    assert_eq!(story.refused().as_deref(), Some("NOTHING_TO_URGE"));
}
