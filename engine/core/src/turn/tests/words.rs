//! On whose word: officers who sign a decision side by side, holders who let a license be used.

use super::promises::{mat, upload};
use super::*;
use crate::command::Seen;
use crate::entry::Consent;
use crate::material::{Cause, Found};

const HOLDER: &str = "91420302MA4DEM010M";

fn signer(subject: &str, department: &str) -> Viewer {
    Viewer::new(subject, Role::Approver).within("420300").of(department)
}

fn signs(story: &mut Story, by: Viewer, role: &str, said: Said) -> Option<String> {
    let open = story.case.open_tasks().find(|task| task.role.as_str() == role);
    let task = open.map(|task| TaskAt { no: task.no, version: task.version });
    let task = task.expect("it is asked");
    let outcome = TaskOutcome {
        granted: said == Yes,
        opinion: format!("{role}的意见"),
        fields: Value::map(),
    };
    story.take(&[Command::CompleteTask { by, task, outcome, seen: Seen::default() }]);
    story.refused()
}

fn countersigned_in_parallel() -> Handler {
    Box::new(|replay| {
        let roles = vec!["fire.approver".into(), "water.approver".into()];
        let handle = replay.request(Ask::Decide {
            role: "natural-resources.approver".to_owned(),
            title: "审批".to_owned(),
            facts: Value::map(),
            options: Value::of([("countersign", Value::List(roles))]),
        })?;
        let Arrived::Decision { key, .. } = replay.wait(handle)? else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

#[test]
fn those_who_countersign_in_parallel_sign_in_any_order_and_before_the_decision() {
    let mut story =
        Story::begin(vec![part("a", &[])], vec![(matter("a"), countersigned_in_parallel())]);
    let asked = story.kinds().into_iter().filter(|kind| *kind == TaskKind::Countersign);
    assert_eq!(asked.count(), 2, "both at once");
    let decides = "natural-resources.approver";
    let early = signs(&mut story, approver(), decides, Yes);
    assert_eq!(early.as_deref(), Some("COUNTERSIGN_OPEN"));
    assert_eq!(signs(&mut story, signer("w", "water"), "water.approver", No), None);
    let early = signs(&mut story, approver(), decides, Yes);
    assert_eq!(early.as_deref(), Some("COUNTERSIGN_OPEN"), "one word is missing");
    assert_eq!(signs(&mut story, signer("f", "fire"), "fire.approver", Yes), None);
    let task = story.task(TaskKind::Decide).unwrap();
    let Some(Value::List(words)) = task.facts.get("countersigned") else {
        panic!("the words stand beside the decision")
    };
    let said = |word: &Value| word.get("granted").cloned();
    let said: Vec<_> = words.iter().filter_map(said).collect();
    assert_eq!(said, [Value::Bool(false), Value::Bool(true)]);
    assert_eq!(signs(&mut story, approver(), decides, Yes), None);
    assert_eq!(story.stage(1), "granted", "a countersigner advises; the department decides");
}

#[test]
fn an_authorisation_holds_for_the_matter_that_it_names_and_its_purpose_goes_along() {
    let definition = |code: &str| MatterDef {
        intake: Intake::Window,
        materials: vec![mat("m", vec![Source::License("lic".to_owned()), upload()])],
        ..matter(code)
    };
    let tolerant = |code: &str| Part { tolerates: vec!["m".to_owned()], ..part(code, &[]) };
    let mut story = Story::begin(
        vec![tolerant("a"), tolerant("b")],
        vec![
            (definition("a"), countersigned_in_parallel()),
            (definition("b"), countersigned_in_parallel()),
        ],
    );
    let consent = Consent {
        license: "lic".to_owned(),
        holder: HOLDER.to_owned(),
        purpose: "b".to_owned(),
        text_version: "2026-1".to_owned(),
    };
    story.take(&[Command::Consent { by: applicant(), consent: consent.clone() }]);
    assert_eq!(story.case.consents, [consent]);
    let first = story.case.matter(MatterNo(1)).unwrap().requirement("m").unwrap();
    assert_eq!(first.attempts.last().unwrap().1.cause, Cause::NoConsent);
    assert!(matches!(story.how(2, "m"), Found::Asked { .. }));
    let call = story.open_call(2);
    let run = &story.case.matter(MatterNo(2)).unwrap().run;
    let Ask::Call { input, .. } = &run.request(&call.request).unwrap().made.ask else {
        panic!("a license is called for")
    };
    let sent = |name: &str| input.get(name).and_then(Value::as_text);
    assert_eq!((sent("purpose"), sent("holder")), (Some("b"), Some(HOLDER)));
}
