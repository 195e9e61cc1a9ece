//! What `intake` advises, and who follows it.

use super::*;
use crate::agency::{Effect as AtAgency, Fault, FaultClass};
use crate::command::Came;
use crate::law::CorrectionList;
use crate::recommend::Recommendation;

fn field(name: &str) -> crate::definition::Field {
    crate::definition::Field {
        name: name.to_owned(),
        label: name.to_owned(),
        label_en: String::new(),
        kind: crate::definition::FieldKind::Text { max: 50 },
        required: false,
        source: None,
    }
}

/// One matter that decides by an agency's document, with this intake.
fn story(intake: Intake, advice: Handler) -> Story {
    let form = vec![field("parcel")];
    let definition = MatterDef { form, intake, advises: true, ..matter("a") };
    let advices = [(MatterCode::new("a"), advice)].into();
    Story::advised(vec![part("a", &[])], vec![(definition, ask_and_grant())], advices)
}

/// Looks up the company, then advises this.
fn after_a_look(what: Recommendation) -> Handler {
    Box::new(move |replay| {
        let company = replay.request(call("register.company"))?;
        or_end!(get(replay, company));
        Ok(RunEnd::Recommended(what.clone()))
    })
}

fn correct() -> Recommendation {
    Recommendation::Correct(CorrectionList {
        fields: vec!["parcel".to_owned()],
        text: "宗地编号格式不对".to_owned(),
        ..CorrectionList::default()
    })
}

fn advised(story: &Story) -> Option<String> {
    let task = story.case.open_tasks().find(|task| task.opened.kind == TaskKind::Intake)?;
    let advice = task.facts.get("recommendation")?;
    advice.get("kind").and_then(Value::as_text).map(str::to_owned)
}

fn amend(story: &mut Story, parcel: &str) {
    story.take(&[Command::AmendForm {
        by: clerk(),
        fields: Value::of([("parcel", parcel.into())]),
        reason: "更正".to_owned(),
        came: Came::default(),
        seen: None,
    }]);
    assert_eq!(story.answers, [Answer::Done]);
}

#[test]
fn an_advice_to_accept_is_followed_at_once_where_the_engine_accepts() {
    let mut story = story(Intake::Auto, after_a_look(Recommendation::Accept));
    assert_eq!((story.stage(1), story.case.open_tasks().count()), ("received", 0));
    story.completes(1);
    assert_eq!(story.stage(1), "accepted");
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn an_advice_against_the_applicant_becomes_a_clerks_task_and_no_act() {
    let refuse = Recommendation::NotAccept {
        ground: "no_competence".to_owned(),
        reason: "不在本市".to_owned(),
    };
    for what in [correct(), refuse] {
        let code = what.code();
        let mut story = story(Intake::Auto, after_a_look(what));
        story.completes(1);
        assert_eq!(story.stage(1), "received", "{code}");
        assert!(story.case.matter(MatterNo(1)).unwrap().law.correction().is_none(), "{code}");
        assert_eq!(advised(&story).as_deref(), Some(code));
        story.decide(1, Yes);
        assert_eq!(story.stage(1), "accepted", "the clerk may see it otherwise");
    }
}

#[test]
fn a_clerk_sees_that_an_advice_is_under_way_and_then_what_it_is() {
    let mut story = story(Intake::Window, after_a_look(Recommendation::Accept));
    assert_eq!(advised(&story).as_deref(), Some("pending"));
    story.completes(1);
    assert_eq!((story.stage(1), advised(&story).as_deref()), ("received", Some("accept")));
    let task = story.case.open_tasks().next().unwrap();
    assert_eq!(task.version, 2, "who decides on the old facts is told");
}

#[test]
fn what_changes_before_the_acceptance_is_looked_at_anew_and_nothing_is_asked_twice() {
    let by_parcel: Handler = Box::new(|replay| {
        let company = replay.request(call("register.company"))?;
        or_end!(get(replay, company));
        let right = replay.form().get("parcel") == Some(&"P-1".into());
        Ok(RunEnd::Recommended(if right { Recommendation::Accept } else { correct() }))
    });
    let mut story = story(Intake::Auto, by_parcel);
    story.completes(1);
    assert_eq!(advised(&story).as_deref(), Some("correct"));
    amend(&mut story, "P-1");
    assert_eq!(story.stage(1), "accepted");
    assert_eq!(story.case.matter(MatterNo(1)).unwrap().advice.generation, 2);
    let looks = story.case.calls.values().filter(|call| call.made.connector == "register");
    assert_eq!(looks.count(), 1);
}

#[test]
fn an_intake_that_fails_leaves_the_papers_to_a_clerk_and_the_clock_alone() {
    let fails: Handler = Box::new(|replay| {
        let fault = ScriptFault::new(ScriptFaultKind::Script, "脚本有误");
        Err(replay.fail(fault))
    });
    let mut story = story(Intake::Auto, fails);
    assert_eq!(advised(&story).as_deref(), Some("failed"));
    assert_eq!(story.incidents(), ["INTAKE_FAILED"]);
    story.now = Moment::parse("2026-03-10T00:00:01+08:00").unwrap();
    story.take(&[Command::Tick]);
    let law = &story.case.matter(MatterNo(1)).unwrap().law;
    assert_eq!(law.stage, Stage::Accepted { deemed: true });
    assert_eq!(story.open_call(1).made.connector, "agency", "and handle runs");
}

#[test]
fn an_agency_that_cannot_be_asked_leaves_the_papers_to_a_clerk() {
    let mut story = story(Intake::Auto, after_a_look(Recommendation::Accept));
    let fault = Fault {
        class: FaultClass::Refused,
        effect: AtAgency::None,
        code: "down".to_owned(),
        retry_after: None,
        text: "停机".to_owned(),
    };
    let asked = story.open_call(1).made.id;
    story.take(&[Command::CallFailed { call: asked, fault }]);
    assert_eq!(advised(&story).as_deref(), Some("failed"));
    assert_eq!(story.case.open_calls().count(), 0, "asking had no effect to settle");

    let nobody: Handler = Box::new(|replay| {
        let handle = replay.request(call("nobody.knows"))?;
        or_end!(get(replay, handle));
        Ok(RunEnd::Recommended(Recommendation::Accept))
    });
    let story = self::story(Intake::Auto, nobody);
    assert_eq!(advised(&story).as_deref(), Some("failed"));
}

#[test]
fn an_answer_that_intake_does_not_handle_is_no_advice() {
    let mut story = story(Intake::Auto, after_a_look(Recommendation::Accept));
    let reply = story.reply_to(1, 1, rejected());
    story.take(&[reply]);
    assert_eq!(advised(&story).as_deref(), Some("failed"));
}

#[test]
fn intake_decides_nothing_and_waits_for_no_time() {
    type Asks = fn(&mut Replay) -> Result<Handle, Stop>;
    let asks: [Asks; 2] = [
        |replay| replay.request(decision()),
        |replay| replay.timer("1 working day".parse().unwrap()),
    ];
    for ask in asks {
        let advice: Handler = Box::new(move |replay| {
            ask(replay)?;
            Ok(RunEnd::Recommended(Recommendation::Accept))
        });
        let story = story(Intake::Auto, advice);
        assert_eq!(advised(&story).as_deref(), Some("failed"));
        assert!(story.case.open_tasks().all(|task| task.opened.kind == TaskKind::Intake));
    }
}

#[test]
fn a_machine_that_fails_takes_the_advice_up_again() {
    let mut story = story(Intake::Auto, after_a_look(Recommendation::Accept));
    *story.scripts.broken.lock().unwrap() = true;
    story.completes(1);
    assert_eq!(story.stage(1), "received");
    *story.scripts.broken.lock().unwrap() = false;
    story.take(&[Command::Wake]);
    assert_eq!(story.stage(1), "accepted");
}

#[test]
fn two_sources_of_materials_that_were_asked_are_no_questions_of_the_script() {
    let material = |code: &str| MaterialDef {
        code: code.to_owned(),
        name: code.to_owned(),
        sources: vec![Source::Data(format!("register.{code}"))],
    };
    let materials = vec![material("one"), material("two")];
    let definition = MatterDef { materials, ..matter("a") };
    let matters = vec![(definition, ask_and_grant())];
    let authorised = ["register.one", "register.two"];
    let mut story = Story::authorised(vec![part("a", &[])], matters, &authorised);
    story.completes(1).completes(1);
    assert_eq!(story.incidents(), Vec::<&str>::new(), "no request of the script is missing");
    assert_eq!(story.stage(1), "accepted");
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
}
