//! Which act brings which notice: every act of the law is played, and what it left is looked at.

use super::promises::{act_by, amend, ask_correction, field, give_back, head};
use super::silence::at_window;
use super::*;
use crate::command::ActRequest;
use crate::law::{CorrectionList, Procedure, Terms};

/// A licence of a window that a higher office decides after a review of its own.
pub(super) fn reviewed() -> Story {
    let mut definition = matter("a");
    definition.intake = Intake::Window;
    definition.form = vec![field("x")];
    definition.procedure =
        Procedure { first_review: "20 working days".parse().ok(), ..Procedure::default() };
    Story::begin(vec![part("a", &[])], vec![(definition, decide_and_act())])
}

fn asks(kind: ActKind, ground: &str) -> ActRequest {
    ActRequest::now(kind, ground)
}

/// From a return to the revocation of what was granted, with all that can come between.
fn long_way() -> Story {
    let by = "10 working days".parse().unwrap();
    let longer = Terms::Extension { by, approved_by: String::new() };
    let mut story = reviewed();
    story.take(&[give_back(clerk(), 1)]);
    story.take(&[act_by(applicant(), 1, asks(ActKind::Resubmit, ""))]);
    story.take(&[act_by(clerk(), 1, ask_correction(&[], &["x"]))]);
    story.take(&[amend(applicant(), "x", "corrected")]);
    story.complete_as(clerk(), TaskKind::Intake, Yes);
    for (by, act) in [
        (approver(), asks(ActKind::Suspend, "hearing")),
        (approver(), asks(ActKind::Resume, "")),
        (head(), asks(ActKind::Extend, "案情复杂").with(longer)),
        (approver(), asks(ActKind::ForwardUp, "初审同意")),
    ] {
        story.take(&[act_by(by, 1, act)]);
        assert_eq!(story.refused(), None);
    }
    story.complete_as(approver(), TaskKind::Decide, Yes);
    for (by, kind) in [(clerk(), ActKind::MakeLicense), (clerk(), ActKind::Deliver)] {
        story.take(&[act_by(by, 1, asks(kind, ""))]);
    }
    story.take(&[act_by(head(), 1, asks(ActKind::Revoke, "以欺骗手段取得"))]);
    assert_eq!(story.law(1).code(), "revoked");
    story
}

/// What the law accepts for a silent office, and the notice that proves that it had spoken.
fn rebutted() -> Story {
    let mut story = at_window();
    story.to("2026-03-10T09:00:00+08:00");
    let list = CorrectionList {
        fields: vec!["x".to_owned()],
        text: "缺页".to_owned(),
        served_at: Some(Moment::parse("2026-03-06T09:00:00+08:00").unwrap()),
        ..CorrectionList::default()
    };
    let rebut = asks(ActKind::RebutAcceptance, "").with(Terms::Correction(list));
    let rebut = ActRequest { document_no: "示补正〔2026〕7号".to_owned(), ..rebut };
    story.take(&[act_by(approver(), 1, rebut)]);
    story
}

/// One matter is denied, so that the one after it is never filed.
fn denied() -> Story {
    let bodies = [("a", decide_and_act()), ("b", decide_and_act())];
    let matters = bodies.into_iter().map(|(code, body)| (matter(code), body)).collect();
    let mut story = Story::begin(vec![part("a", &[]), part("b", &["a"])], matters);
    story.decide(1, No);
    story
}

fn tolerantly() -> Story {
    let mut definition = matter("a");
    definition.materials = vec![super::promises::mat("m", vec![super::promises::upload()])];
    let body: Handler = Box::new(|replay| {
        let handle = replay.request(decision())?;
        let Arrived::Decision { key, .. } = replay.wait(handle)? else { unreachable!() };
        replay.act(ActKind::GrantTolerant, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    });
    let tolerant = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let mut story = Story::begin(vec![tolerant], vec![(definition, body)]);
    story.decide(1, Yes);
    story
}

fn ended_by(by: Viewer, act: ActRequest) -> Story {
    let mut story = reviewed();
    story.take(&[act_by(by, 1, act)]);
    story
}

/// Adds what each act that was done left behind: the notice that tells of it, or nothing.
fn tell(story: &Story, told: &mut BTreeMap<&'static str, &'static str>) {
    for entry in &story.entries {
        let Body::Acted { act, answer: ActAnswer::Done, .. } = &entry.body else { continue };
        let notice = story.entries.iter().find_map(|later| {
            let Body::DocumentDrafted(drafted) = &later.body else { return None };
            (drafted.about == entry.seq).then_some(&drafted.number)
        });
        let kind = notice.map_or("-", |number| number.kind().code());
        let known = told.insert(act.kind.code(), kind);
        assert!(known.is_none_or(|known| known == kind), "{}: {known:?}", act.kind.code());
    }
}

#[test]
fn every_act_brings_the_notice_that_the_law_asks_for_and_no_other() {
    let stories = [
        long_way(),
        rebutted(),
        denied(),
        tolerantly(),
        ended_by(clerk(), asks(ActKind::NotAccept, "no_competence")),
        ended_by(applicant(), asks(ActKind::Withdraw, "")),
        ended_by(approver(), asks(ActKind::Terminate, "申请人死亡")),
    ];
    let mut told = BTreeMap::new();
    for story in &stories {
        tell(story, &mut told);
    }
    let lines = ActKind::ALL.map(|(_, code, _)| {
        let kind = told.get(code).unwrap_or_else(|| panic!("{code} was never done"));
        format!("{code}: {kind}\n")
    });
    // A rebuttal is proven by a notice that is out already, under its number.
    expect_test::expect![[r#"
        receive: receipt
        accept: acceptance
        not_accept: not_accepted
        not_file: -
        suspend: special_procedure
        resume: -
        grant: grant
        grant_tolerant: grant
        deny: denial
        withdraw: withdrawal_confirmation
        terminate: termination
        return: return_notice
        resubmit: -
        deem_accept: acceptance
        rebut_acceptance: -
        ask_correction: correction_notice
        serve_correction: -
        supply_correction: -
        extend: extension
        forward_up: forwarding
        revoke: revocation
        make_license: -
        deliver: delivery_note
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn a_notice_that_is_out_under_a_number_of_its_own_is_not_written_again() {
    for (by, kind) in [(approver(), ActKind::Suspend), (approver(), ActKind::ForwardUp)] {
        let mut story = reviewed();
        story.complete_as(clerk(), TaskKind::Intake, Yes);
        let known = story.case.documents.len();
        let numbered =
            ActRequest { document_no: "示〔2026〕7号".to_owned(), ..asks(kind, "hearing") };
        story.take(&[act_by(by, 1, numbered)]);
        assert_eq!((story.refused(), story.case.documents.len()), (None, known), "{kind:?}");
    }
}
