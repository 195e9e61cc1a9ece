//! What an agency wants before it goes on: a correction, or the applicant himself.

use super::*;
use crate::command::{Came, Seen};
use crate::request::{End, Settled};

const REASON: &str = "宗地编号与登记不一致";

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

fn wants(kind: OutcomeKind, detail: Value) -> ReplyBody {
    ReplyBody::Otherwise(Outcome { kind, reason: REASON.to_owned(), detail })
}

/// An agency's words on one member of what it was sent.
fn wrong(target: &str) -> ReplyBody {
    let item = Value::of([("target", target.into()), ("text", "请核对".into())]);
    let notice = Value::of([("no", "BZ-1".into())]);
    let detail = Value::of([("items", Value::List(vec![item])), ("notice", notice)]);
    wants(OutcomeKind::NeedsCorrection, detail)
}

fn call_with(operation: &str, input: Value) -> Ask {
    Ask::Call { operation: operation.to_owned(), place: None, input }
}

/// Looks up the company, then has `operation` done with the parcel of the form.
fn look_up_and(operation: &'static str) -> Handler {
    Box::new(move |replay| {
        let company = replay.request(call("register.company"))?;
        or_end!(get(replay, company));
        let parcel = replay.form().get("parcel").cloned().unwrap_or_default();
        let handle = replay.request(call_with(operation, Value::of([("no", parcel)])))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

fn story(operation: &'static str, decides_in: DecidesIn) -> Story {
    let form = vec![field("parcel"), field("other")];
    let definition = MatterDef { decides_in, form, ..matter("a") };
    let mut story = Story::begin(vec![part("a", &[])], vec![(definition, look_up_and(operation))]);
    amend(&mut story, clerk(), ("parcel", "P-1"));
    story.completes(1);
    story
}

fn amend(story: &mut Story, by: Viewer, what: (&str, &str)) {
    let (name, value) = what;
    story.take(&[Command::AmendForm {
        by,
        fields: Value::of([(name, value.into())]),
        reason: "更正".to_owned(),
        came: Came::default(),
        seen: None,
    }]);
    assert_eq!(story.answers, [Answer::Done]);
}

fn answers(story: &mut Story, body: ReplyBody) {
    let reply = story.reply_to(1, 9, body);
    story.take(&[reply]);
}

fn kinds(story: &Story) -> Vec<TaskKind> {
    story.case.open_tasks().map(|task| task.opened.kind).collect()
}

fn complete(story: &mut Story, by: Viewer, said: Said, fields: Value) {
    let task = story.case.open_tasks().next().expect("a task is open").clone();
    story.take(&[Command::CompleteTask {
        by,
        task: TaskAt { no: task.no, version: task.version },
        outcome: TaskOutcome { granted: said == Yes, opinion: "理由".to_owned(), fields },
        seen: Seen::default(),
    }]);
}

/// Calls that left for agencies, with what each amends.
fn calls_of(story: &Story) -> Vec<(crate::id::CallId, Option<crate::id::CallId>)> {
    let mut calls: Vec<_> = story.case.calls.values().map(|call| (call.opened_at, call)).collect();
    calls.sort_by_key(|(at, _)| *at);
    calls.into_iter().map(|(_, call)| (call.made.id, call.amends)).collect()
}

#[test]
fn an_agencys_need_for_a_correction_is_signed_by_an_officer_and_then_the_call_is_made_anew() {
    let mut story = story("agency.issue", DecidesIn::Here);
    let first = story.open_call(1).made.id;
    answers(&mut story, wrong("/input/no"));
    assert_eq!(kinds(&story), [TaskKind::AskCorrection]);
    let task = story.case.open_tasks().next().unwrap();
    let listed = Value::List(vec!["parcel".into()]);
    assert_eq!(task.facts.get("fields"), Some(&listed), "the form's field, by what it carried");
    assert!(story.case.matter(MatterNo(1)).unwrap().law.correction().is_none(), "no machine asks");

    complete(&mut story, approver(), Yes, Value::map());
    assert_eq!(story.answers, [Answer::Done]);
    let law = &story.case.matter(MatterNo(1)).unwrap().law;
    let round = law.correction().expect("the applicant is asked");
    assert_eq!(round.list.fields, ["parcel"]);
    assert_eq!(round.list.text, format!("{REASON};请核对"));

    amend(&mut story, applicant(), ("parcel", "P-2"));
    let second = story.open_call(1);
    assert_ne!(second.made.id, first);
    assert_eq!(second.amends, Some(first), "the new call names the earlier one");
    let asked = &story.case.matter(MatterNo(1)).unwrap().run;
    let input = asked.request(&second.request).unwrap().made.ask.fingerprint();
    assert_eq!(input.get("no"), Some(&"P-2".into()));
    assert_eq!(calls_of(&story).len(), 3, "the company is not looked up again");
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn what_an_agency_refused_or_wants_is_never_taken_over_by_the_next_generation() {
    for kind in [OutcomeKind::Rejected, OutcomeKind::NeedsCorrection, OutcomeKind::NeedsApplicant] {
        let mut story = story("agency.issue", DecidesIn::Here);
        answers(&mut story, wants(kind, Value::Null));
        amend(&mut story, clerk(), ("other", "x"));
        let run = &story.case.matter(MatterNo(1)).unwrap().run;
        let taken = run.requests.iter().filter(|request| request.made.adopts.is_some());
        let ended = taken.filter(|request| {
            matches!(&request.settled, Some(Settled { end: End::Otherwise(_), .. }))
        });
        assert_eq!(ended.count(), 0, "{kind:?}");
        assert!(kinds(&story).is_empty(), "{kind:?}: the old question lost its purpose");
        assert_eq!(story.open_call(1).amends.is_some(), kind.is_amendable(), "{kind:?}");
    }
}

#[test]
fn a_departments_own_numbered_notice_asks_the_applicant_at_once() {
    let mut story = story("natural-resources.issue", DecidesIn::Connector);
    let call = story.open_call(1);
    let accepted = AgencyAct {
        act: "accepted".to_owned(),
        effective_at: story.now,
        document_no: String::new(),
        ground: String::new(),
        officer: String::new(),
        detail: Value::Null,
    };
    story.take(&[reply_as(&call, 2, ReplyBody::Act(accepted))]);
    answers(&mut story, wrong("/input/no"));
    assert!(kinds(&story).is_empty());
    let law = &story.case.matter(MatterNo(1)).unwrap().law;
    assert_eq!(law.correction().expect("asked").list.fields, ["parcel"]);
    amend(&mut story, applicant(), ("parcel", "P-2"));
    assert_eq!(story.open_call(1).amends, Some(call.made.id));
}

#[test]
fn an_item_that_names_nothing_on_the_form_is_for_an_officer_even_under_a_notice() {
    let mut story = story("natural-resources.issue", DecidesIn::Connector);
    answers(&mut story, wrong("/input/elsewhere"));
    assert_eq!(kinds(&story), [TaskKind::AskCorrection]);
    complete(&mut story, approver(), Yes, Value::map());
    let Some(Answer::Refused(refusal)) = story.answers.first() else {
        panic!("{:?}", story.answers)
    };
    assert_eq!(refusal.code, "LIST_MISSING");
    let fields = Value::of([("fields", Value::List(vec!["other".into()]))]);
    complete(&mut story, approver(), Yes, fields);
    assert_eq!(story.answers, [Answer::Done]);
}

#[test]
fn an_officer_who_asks_nobody_has_the_agency_asked_again_or_denies() {
    let mut story = story("agency.issue", DecidesIn::Here);
    let first = story.open_call(1).made.id;
    answers(&mut story, wrong("/input/no"));
    complete(&mut story, approver(), No, Value::map());
    assert_eq!(kinds(&story), [TaskKind::Rejected]);
    complete(&mut story, approver(), Yes, Value::map());
    assert_eq!(story.open_call(1).amends, Some(first));
}

#[test]
fn a_correction_that_the_law_does_not_allow_any_more_goes_to_the_approver() {
    let mut story = story("agency.issue", DecidesIn::Here);
    answers(&mut story, wrong("/input/no"));
    complete(&mut story, approver(), Yes, Value::map());
    amend(&mut story, applicant(), ("parcel", "P-2"));
    answers(&mut story, wrong("/input/no"));
    assert_eq!(kinds(&story), [TaskKind::Rejected], "told once");
    complete(&mut story, approver(), No, Value::map());
    assert_eq!(story.stage(1), "denied");
}

#[test]
fn what_only_the_applicant_can_do_is_his_task_and_the_call_goes_on_after_it() {
    let mut story = story("agency.issue", DecidesIn::Here);
    let first = story.open_call(1).made.id;
    let action = Value::of([("action", Value::of([("kind", "appear".into())]))]);
    answers(&mut story, wants(OutcomeKind::NeedsApplicant, action));
    let task = story.case.open_tasks().next().unwrap();
    assert_eq!((task.opened.kind, task.role.is_applicant()), (TaskKind::Applicant, true));
    assert!(task.facts.get("action").is_some());
    let matter = story.case.matter(MatterNo(1)).unwrap();
    let calendar = Calendar::national();
    let on = crate::waiting::waiting_on(&story.case, matter, &calendar, story.now).unwrap();
    assert_eq!(on.party.code(), "applicant");
    let scope = read_model::scope(&story.case);
    assert!(!scope.departments.contains(&DepartmentCode::new("applicant")));

    complete(&mut story, approver(), Yes, Value::map());
    assert!(matches!(story.answers[..], [Answer::Refused(_)]), "not the officer's to say");
    complete(&mut story, applicant(), Yes, Value::map());
    assert_eq!(story.answers, [Answer::Done]);
    assert_eq!(story.open_call(1).amends, Some(first));
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn an_applicant_who_will_not_act_is_the_approvers_to_judge() {
    let mut story = story("agency.issue", DecidesIn::Here);
    answers(&mut story, wants(OutcomeKind::NeedsApplicant, Value::Null));
    complete(&mut story, clerk(), No, Value::map());
    assert_eq!(kinds(&story), [TaskKind::Rejected]);
    assert_eq!(story.stage(1), "accepted", "no adverse act by machine");
}

#[test]
fn a_script_that_begins_anew_without_end_stops_before_its_count_runs_over() {
    let mut story = story("bureau.enter", DecidesIn::Here);
    let entry = Entry {
        seq: story.case.head.next(),
        matter: MatterNo(1),
        recorded_at: story.now,
        effective_at: story.now,
        origin: Origin::Engine,
        body: Body::RunRestarted { generation: crate::limits::RUN_GENERATIONS_MAX },
    };
    Arc::make_mut(&mut story.case).fold(&entry).unwrap();
    story.entries.push(entry);
    amend(&mut story, clerk(), ("parcel", "P-2"));
    assert_eq!(story.incidents(), ["LIMIT_EXCEEDED"]);
}
