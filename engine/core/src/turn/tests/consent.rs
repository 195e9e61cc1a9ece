//! On whose word licenses and shared data are asked for, and that it stands in the record.

use super::promises::{give, mat, upload};
use super::*;
use crate::material::{Cause, Found};
use crate::narrative;

/// A matter that wants a paper from the tax office's records; the law tolerates that it comes
/// later, so that a case can be filed without it.
fn taxed() -> (Vec<Part>, Vec<(MatterDef, Handler)>) {
    let sources = vec![Source::Data("tax.deed".to_owned()), upload()];
    let definition = MatterDef {
        intake: Intake::Window,
        materials: vec![mat("deed-tax", sources)],
        ..matter("a")
    };
    let tolerant = Part { tolerates: vec!["deed-tax".to_owned()], ..part("a", &[]) };
    (vec![tolerant], vec![(definition, decide_and_act())])
}

fn causes(story: &Story) -> Vec<Cause> {
    let matter = story.case.matter(MatterNo(1)).unwrap();
    let known = matter.requirement("deed-tax").unwrap();
    known.attempts.iter().map(|(_, attempt)| attempt.cause).collect()
}

/// Shared data used to be asked for in anybody's name, while licenses and forms were not.
/// A grant says itself whether materials are still owed; the law checks that it is so.
#[test]
fn a_grant_tells_the_truth_about_what_is_owed() {
    for (act, given, wanted) in
        [(ActKind::Grant, false, "MATERIALS_OWED"), (ActKind::GrantTolerant, true, "NOTHING_OWED")]
    {
        let body: Handler = Box::new(move |replay| {
            let handle = replay.request(decision())?;
            let Arrived::Decision { key, .. } = replay.wait(handle)? else { unreachable!() };
            replay.act(act, Some(Evidence::Decision(key)), Value::map())?;
            Ok(RunEnd::Finished)
        });
        let mut definition = matter("a");
        definition.materials = vec![mat("m", vec![upload()])];
        let tolerant = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
        let mut story = Story::begin(vec![tolerant], vec![(definition, body)]);
        if given {
            story.take(&[give(applicant(), "m", b"1")]);
        }
        story.decide(1, Said::Yes);
        let answers = story.entries.iter().filter_map(|entry| {
            let Body::Acted { answer: ActAnswer::Refused { code, .. }, .. } = &entry.body else {
                return None;
            };
            Some(code.as_str())
        });
        assert_eq!(answers.collect::<Vec<_>>(), [wanted]);
        assert_eq!(story.stage(1), "accepted");
    }
}

#[test]
fn shared_data_for_a_material_is_not_asked_without_the_holders_word() {
    let (parts, matters) = taxed();
    let story = Story::begin(parts, matters);
    assert!(story.case.calls.is_empty(), "{:?}", story.case.calls);
    assert_eq!(causes(&story), [Cause::NoConsent], "and why stands in the record");
    let (parts, matters) = taxed();
    let story = Story::authorised(parts, matters, &["tax.income"]);
    assert_eq!(causes(&story), [Cause::NoConsent], "his word for one resource is for no other");
}

#[test]
fn shared_data_is_asked_for_the_purpose_that_was_authorised() {
    let (parts, matters) = taxed();
    let mut story = Story::begin(parts, matters);
    let agree =
        |purpose: &str| Command::Consent { by: applicant(), consent: consent("tax.deed", purpose) };
    story.take(&[agree("another-matter")]);
    assert!(story.case.calls.is_empty(), "that was for something else");
    story.take(&[agree("a")]);
    let call = story.open_call(1);
    let matter = story.case.matter(MatterNo(1)).unwrap();
    let Ask::Call { operation, input, .. } = &matter.run.request(&call.request).unwrap().made.ask
    else {
        panic!("{:?}", call.request)
    };
    assert_eq!(operation, "tax.deed");
    assert_eq!(input.get("purpose").and_then(Value::as_text), Some("a"));
    let reply = story.reply_to(1, 9, completed("T-1"));
    story.take(&[reply]);
    assert!(matches!(story.how(1, "deed-tax"), Found::Data { .. }));
}

#[test]
fn a_paper_that_only_data_could_bring_is_missing_while_nobody_may_ask() {
    let sources = vec![Source::Data("tax.deed".to_owned())];
    let definition =
        || MatterDef { materials: vec![mat("deed-tax", sources.clone())], ..matter("a") };
    let begin = || (vec![part("a", &[])], vec![(definition(), decide_and_act())]);
    let (parts, matters) = begin();
    let silent = Story::begin(parts, matters);
    assert_eq!(silent.refused().as_deref(), Some("MATERIALS_INCOMPLETE"));
    let (parts, matters) = begin();
    let agreed = Story::authorised(parts, matters, &["tax.deed"]);
    assert_eq!(agreed.refused(), None);
    assert!(matches!(agreed.how(1, "deed-tax"), Found::Asked { .. }));
}

/// The event used to say only that something was authorised, not for what nor under which text.
#[test]
fn an_authorisation_is_told_with_its_purpose_and_the_version_of_its_text() {
    let (parts, matters) = taxed();
    let mut story = Story::begin(parts, matters);
    let given = |purpose: &str| crate::entry::Consent {
        text_version: "2026-1".to_owned(),
        ..consent("tax.deed", purpose)
    };
    let mut told = |purpose: &str| {
        story.take(&[Command::Consent { by: applicant(), consent: given(purpose) }]);
        let event = story.entries.iter().rev().find_map(|entry| {
            let told = narrative::tell(entry, &story.case);
            (told.kind == "consented").then_some((told.zh, told.en))
        });
        event.unwrap()
    };
    let (zh, en) = told("a");
    assert_eq!(zh, "授权事项 a 使用证照或共享数据 tax.deed(授权书版本 2026-1)");
    assert_eq!(
        en,
        "the use of tax.deed was authorised for matter a, under version 2026-1 of the text"
    );
    let (zh, en) = told("*");
    assert!(zh.starts_with("授权本件各事项使用"), "{zh}");
    assert!(en.contains("every matter of the case"), "{en}");
}
