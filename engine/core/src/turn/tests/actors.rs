//! Who may ask for which act: everybody of the law, everybody who can sign in, and scripts.

use super::notices::reviewed;
use super::promises::{act_by, head};
use super::*;
use crate::command::ActRequest;
use crate::law::Actor;

#[test]
fn every_act_has_those_who_may_ask_for_it() {
    let everybody = [
        (Actor::Engine, "engine"),
        (Actor::Clock, "clock"),
        (Actor::Script, "script"),
        (Actor::Applicant, "applicant"),
        (Actor::Window, "window"),
        (Actor::Department, "department"),
        (Actor::Head, "head"),
        (Actor::Agency, "agency"),
    ];
    let lines = ActKind::ALL.map(|(kind, code, _)| {
        let his = everybody.iter().filter(|(actor, _)| kind.actors().contains(actor));
        let names: Vec<&str> = his.map(|(_, name)| *name).collect();
        assert_eq!(names.len(), kind.actors().len(), "{code} names nobody twice");
        format!("{code}: {}\n", names.join(" "))
    });
    expect_test::expect![[r#"
        receive: engine window agency
        accept: engine window department agency
        not_accept: engine window department agency
        not_file: engine
        suspend: department agency
        resume: department agency
        grant: script department agency
        grant_tolerant: script department agency
        deny: script department agency
        withdraw: applicant window
        terminate: clock department agency
        return: window department
        resubmit: applicant window
        deem_accept: clock
        rebut_acceptance: department agency
        ask_correction: engine window department agency
        serve_correction: engine window department agency
        supply_correction: applicant window agency
        extend: head agency
        forward_up: script department agency
        revoke: head agency
        make_license: engine window department agency
        deliver: engine window department agency
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn what_goes_against_the_applicant_no_script_and_no_clock_does_of_its_own_accord() {
    for (kind, code, _) in ActKind::ALL.into_iter().filter(|(kind, ..)| kind.is_adverse()) {
        let machines = [Actor::Script, Actor::Clock];
        let may = machines.into_iter().filter(|machine| kind.actors().contains(machine));
        let may: Vec<Actor> = may.collect();
        // Only an officer's no becomes a script's denial; only the matter's own rule ends it.
        let known = [(ActKind::Deny, Actor::Script), (ActKind::Terminate, Actor::Clock)];
        let wanted = known.into_iter().filter(|(adverse, _)| *adverse == kind);
        assert_eq!(may, wanted.map(|(_, machine)| machine).collect::<Vec<_>>(), "{code}");
    }
}

/// Tells whether somebody is refused an act for who he is, and not for where the matter stands.
fn may_ask(by: &Viewer, kind: ActKind) -> bool {
    let mut story = reviewed();
    story.take(&[act_by(by.clone(), 1, ActRequest::now(kind, "理由"))]);
    // Who does not see the case is not told that it is there.
    !matches!(story.refused().as_deref(), Some("NOT_PERMITTED" | "CASE_NOT_FOUND"))
}

#[test]
fn people_ask_for_the_acts_of_their_role_and_only_in_their_own_department() {
    let people = [
        ("applicant", applicant()),
        ("clerk", clerk()),
        ("approver", approver()),
        ("head", head()),
        ("another", Viewer::new("a", Role::Approver).within("420300").of("fire")),
        ("their-head", Viewer::new("h", Role::OfficeHead).within("420300").of("fire")),
        ("integrator", Viewer::new("i", Role::Integrator).within("420300")),
        ("supervisor", Viewer::new("s", Role::Supervisor).within("420300")),
        ("admin", Viewer::new("x", Role::SystemAdmin).within("420300")),
    ];
    let lines = ActKind::ALL.map(|(kind, code, _)| {
        let his = people.iter().filter(|(_, person)| may_ask(person, kind));
        let names: Vec<&str> = his.map(|(name, _)| *name).collect();
        format!(
            "{code}: {}\n",
            if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
        )
    });
    // Deciding is done in its task. An officer's wish to extend becomes the head's task, and the
    // head may do what his officers may.
    expect_test::expect![[r#"
        receive: clerk
        accept: clerk approver head
        not_accept: clerk approver head
        not_file: nobody
        suspend: approver head
        resume: approver head
        grant: nobody
        grant_tolerant: nobody
        deny: nobody
        withdraw: applicant clerk
        terminate: approver head
        return: clerk approver head
        resubmit: applicant clerk
        deem_accept: nobody
        rebut_acceptance: approver head
        ask_correction: clerk approver head
        serve_correction: clerk approver head
        supply_correction: applicant clerk
        extend: approver head
        forward_up: approver head
        revoke: head
        make_license: clerk approver head
        deliver: clerk approver head
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn a_script_asks_for_decisions_and_for_no_other_act() {
    let lines = ActKind::ALL.map(|(kind, code, _)| {
        let story = one(Box::new(move |replay| {
            replay.act(kind, None, Value::of([("reason", "理由".into())]))?;
            Ok(RunEnd::Finished)
        }));
        let mut asked = story.entries.iter().filter(|entry| entry.origin == Origin::Script);
        let answer = asked.find_map(|entry| {
            let Body::Acted { answer, .. } = &entry.body else { return None };
            let ActAnswer::Refused { code, .. } = answer else { panic!("{kind:?}: {answer:?}") };
            Some(code.clone())
        });
        let tasks: Vec<&str> =
            story.case.open_tasks().map(|task| task.opened.kind.code()).collect();
        assert_eq!(story.stage(1), "accepted", "{code}");
        format!("{code}: {}\n", answer.unwrap_or_else(|| tasks.join(" ")))
    });
    expect_test::expect![[r#"
        receive: NOT_A_SCRIPTS_ACT
        accept: NOT_A_SCRIPTS_ACT
        not_accept: NOT_A_SCRIPTS_ACT
        not_file: NOT_A_SCRIPTS_ACT
        suspend: NOT_A_SCRIPTS_ACT
        resume: NOT_A_SCRIPTS_ACT
        grant: EVIDENCE_MISSING
        grant_tolerant: EVIDENCE_MISSING
        deny: confirm_denial
        withdraw: NOT_A_SCRIPTS_ACT
        terminate: confirm_denial
        return: NOT_A_SCRIPTS_ACT
        resubmit: NOT_A_SCRIPTS_ACT
        deem_accept: NOT_A_SCRIPTS_ACT
        rebut_acceptance: NOT_A_SCRIPTS_ACT
        ask_correction: NOT_A_SCRIPTS_ACT
        serve_correction: NOT_A_SCRIPTS_ACT
        supply_correction: NOT_A_SCRIPTS_ACT
        extend: NOT_A_SCRIPTS_ACT
        forward_up: NO_HIGHER_OFFICE
        revoke: NOT_A_SCRIPTS_ACT
        make_license: NOT_A_SCRIPTS_ACT
        deliver: NOT_A_SCRIPTS_ACT
    "#]]
    .assert_eq(&lines.concat());
}
