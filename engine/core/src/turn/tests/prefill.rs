//! Filling a draft's form from shared data.

use super::*;
use crate::agency::{Effect as AtAgency, Fault, FaultClass};
use crate::command::Came;
use crate::definition::{Field, FieldKind};
use crate::entry::Consent;
use crate::material::Cause;
use crate::prefill::FieldSource;

const REGISTER: &str = "register.enterprise";

fn field(name: &str, kind: FieldKind, path: &str, by: Option<&str>) -> Field {
    let source = FieldSource {
        resource: REGISTER.to_owned(),
        path: path.to_owned(),
        member: "uscc".to_owned(),
        by: by.map(str::to_owned),
    };
    Field {
        name: name.to_owned(),
        label: name.to_owned(),
        label_en: String::new(),
        kind,
        required: false,
        source: (!path.is_empty()).then_some(source),
    }
}

fn text() -> FieldKind {
    FieldKind::Text { max: 20 }
}

fn number() -> FieldKind {
    FieldKind::Number { above: None, at_most: None }
}

/// A draft whose form takes name and capital of the applicant, and the name of a contractor.
fn draft() -> Story {
    let form = vec![
        field("name", text(), "base.name", None),
        field("capital", number(), "capital", None),
        field("contractor", text(), "", None),
        field("contractor_name", text(), "base.name", Some("contractor")),
    ];
    let definition = MatterDef { form, ..matter("a") };
    let matters = vec![(definition, ask_and_grant())];
    Story::drafted(vec![part("a", &[])], matters, BTreeMap::new())
}

fn consent(story: &mut Story) {
    let consent = Consent {
        license: REGISTER.to_owned(),
        holder: "91420302MA4DEM010M".to_owned(),
        purpose: "*".to_owned(),
        text_version: "1".to_owned(),
    };
    story.take(&[Command::Consent { by: applicant(), consent }]);
}

fn prefill(story: &mut Story) {
    story.take(&[Command::Prefill { by: applicant(), reason: String::new() }]);
    assert_eq!(story.answers, [Answer::Done]);
}

fn types(story: &mut Story, name: &str, value: impl Into<Value>) {
    story.take(&[Command::AmendForm {
        by: applicant(),
        fields: Value::of([(name, value.into())]),
        reason: String::new(),
        came: Came::default(),
        seen: None,
    }]);
    assert_eq!(story.answers, [Answer::Done]);
}

fn record(capital: &str) -> ReplyBody {
    let base = Value::of([("name", "示例置业".into())]);
    let output = Value::of([("base", base), ("capital", capital.into())]);
    ReplyBody::Completed { output, documents: Vec::new() }
}

fn answers(story: &mut Story, body: ReplyBody) {
    let reply = story.reply_to(1, 1, body);
    story.take(&[reply]);
}

fn value(story: &Story, name: &str) -> Value {
    story.case.form().get(name).cloned().unwrap_or_default()
}

fn causes(story: &Story) -> Vec<Option<Cause>> {
    story.case.prefills.iter().map(|(_, tried)| tried.cause).collect()
}

#[test]
fn a_source_fills_what_is_open_and_the_engine_says_where_it_came_from() {
    let mut story = draft();
    consent(&mut story);
    prefill(&mut story);
    assert_eq!(story.calls_out(), 1, "one question for both fields");
    let call = story.open_call(1);
    answers(&mut story, record("3000.50"));
    assert_eq!(value(&story, "name"), "示例置业".into());
    assert_eq!(value(&story, "capital"), Value::Decimal("3000.50".parse().unwrap()));
    let provenance = story.case.provenance("name").expect("a source gave it");
    assert_eq!((provenance.source.as_str(), provenance.call), (REGISTER, call.made.id));
    assert_eq!(causes(&story), [Some(Cause::Found)]);

    let authority = provenance.authority.expect("it was asked on somebody's word");
    assert_eq!((authority.by.as_str(), authority.purpose.as_str()), ("91420302MA4DEM010M", "a"));
    assert_eq!(authority.text_version, "1");

    types(&mut story, "name", "示例置业二");
    assert_eq!(story.case.provenance("name"), None, "what was typed has no source");
    assert_eq!(story.case.form_changes.len(), 2, "the earlier value is kept");
    let corrected = story.case.form_changes[1].0;
    let voided = Command::VoidEntry { by: clerk(), entry: corrected, reason: "误录".to_owned() };
    story.take(&[voided]);
    assert_eq!(story.answers, [Answer::Done]);
    assert_eq!(value(&story, "name"), "示例置业".into());
    assert_eq!(story.case.provenance("name").map(|got| got.call), Some(call.made.id));
    prefill(&mut story);
    assert_eq!(story.calls_out(), 0, "nothing is open that can be asked");
}

#[test]
fn a_field_can_be_asked_by_another_field_once_that_is_there() {
    let mut story = draft();
    consent(&mut story);
    types(&mut story, "contractor", "91420302MA4DEM020N");
    prefill(&mut story);
    assert_eq!(story.calls_out(), 2);
    answers(&mut story, record("1"));
    answers(&mut story, record("1"));
    assert_eq!(value(&story, "contractor_name"), "示例置业".into());
}

#[test]
fn a_record_that_another_field_names_is_held_against_that_field() {
    let mut story = draft();
    consent(&mut story);
    types(&mut story, "contractor", "91420302MA4DEM020N");
    types(&mut story, "name", "自己填的");
    types(&mut story, "capital", Value::Int(1));
    prefill(&mut story);
    let base = Value::of([("name", "示例建设".into())]);
    let output = Value::of([("base", base), ("holder", "91420302MA4DEM020N".into())]);
    answers(&mut story, ReplyBody::Completed { output, documents: Vec::new() });
    assert_eq!(value(&story, "contractor_name"), "示例建设".into());
}

#[test]
fn without_the_holders_consent_nothing_is_asked() {
    let mut story = draft();
    prefill(&mut story);
    assert_eq!((story.calls_out(), causes(&story)), (0, vec![Some(Cause::NoConsent)]));
    let head = story.case.head;
    prefill(&mut story);
    assert_eq!((story.case.head, causes(&story).len()), (head, 1), "it is written down once");
}

#[test]
fn a_persons_record_is_asked_only_on_his_own_word() {
    let person = "420302199001011239";
    let mut story = draft();
    consent(&mut story);
    types(&mut story, "contractor", person);
    prefill(&mut story);
    assert_eq!(story.calls_out(), 1, "the applicant's own record only");
    assert_eq!(causes(&story), [Some(Cause::NoConsent), None]);
    let consent = Consent {
        license: REGISTER.to_owned(),
        holder: person.to_owned(),
        purpose: "a".to_owned(),
        text_version: "1".to_owned(),
    };
    story.take(&[Command::Consent { by: clerk(), consent }]);
    prefill(&mut story);
    assert_eq!(story.calls_out(), 1);
    let words = story.case.prefills.iter().filter_map(|(_, tried)| tried.authority.as_ref());
    let by: Vec<&str> = words.map(|authority| authority.by.as_str()).collect();
    assert_eq!(by, ["91420302MA4DEM010M", person]);
}

#[test]
fn a_form_is_not_filled_without_end() {
    let mut story = draft();
    consent(&mut story);
    for _ in 0..crate::limits::PREFILL_QUESTIONS_MAX {
        prefill(&mut story);
        answers(
            &mut story,
            ReplyBody::Otherwise(Outcome {
                kind: OutcomeKind::Rejected,
                reason: "不予提供".to_owned(),
                detail: Value::Null,
            }),
        );
    }
    story.take(&[Command::Prefill { by: applicant(), reason: String::new() }]);
    assert!(
        matches!(&story.answers[..], [Answer::Refused(one)] if one.code == "TOO_MANY_ATTEMPTS")
    );
}

#[test]
fn a_source_that_is_down_leaves_the_field_open_and_blocks_nothing() {
    let mut story = draft();
    consent(&mut story);
    prefill(&mut story);
    let fault = Fault {
        class: FaultClass::Unavailable,
        effect: AtAgency::None,
        code: "down".to_owned(),
        retry_after: None,
        text: "停机".to_owned(),
    };
    let asked = story.open_call(1).made.id;
    story.take(&[Command::CallFailed { call: asked, fault }]);
    assert_eq!(causes(&story), [Some(Cause::Unavailable)]);
    assert_eq!(value(&story, "name"), Value::Null);
    assert_eq!((story.incidents(), story.case.open_calls().count()), (vec![], 0));
    story.take(&[Command::Submit { by: applicant() }]);
    assert_eq!(story.stage(1), "accepted");
}

#[test]
fn what_was_typed_or_submitted_meanwhile_stays() {
    let mut story = draft();
    consent(&mut story);
    prefill(&mut story);
    types(&mut story, "name", "自己填的");
    answers(&mut story, record("1"));
    assert_eq!(value(&story, "name"), "自己填的".into());
    assert_eq!(value(&story, "capital"), Value::Decimal(1.into()));

    let mut story = draft();
    consent(&mut story);
    prefill(&mut story);
    let reply = story.reply_to(1, 1, record("1"));
    story.take(&[Command::Submit { by: applicant() }]);
    story.take(&[reply]);
    assert_eq!(value(&story, "name"), Value::Null, "the form is as it was submitted");
    story.take(&[Command::Prefill { by: applicant(), reason: String::new() }]);
    assert!(
        matches!(&story.answers[..], [Answer::Refused(one)] if one.code == "ALREADY_SUBMITTED")
    );
}

#[test]
fn a_value_that_does_not_fit_its_field_is_not_written() {
    let mut story = draft();
    consent(&mut story);
    prefill(&mut story);
    answers(&mut story, record("许多"));
    assert_eq!(value(&story, "capital"), Value::Null);
    assert_eq!(value(&story, "name"), "示例置业".into());
    assert_eq!(causes(&story), [Some(Cause::Mismatch)]);
}

#[test]
fn a_registers_own_status_is_data_and_the_words_for_a_cause_are_one() {
    for (status, name, cause) in [
        ("存续", "示例置业", Cause::Found),
        ("no_record", "", Cause::NoRecord),
        ("ambiguous", "", Cause::Ambiguous),
        ("unavailable", "", Cause::Unavailable),
    ] {
        let mut story = draft();
        consent(&mut story);
        prefill(&mut story);
        let ReplyBody::Completed { mut output, documents } = record("1") else {
            panic!("a record is complete");
        };
        output.overlay(&Value::of([("status", status.into())]));
        answers(&mut story, ReplyBody::Completed { output, documents });
        let filled = value(&story, "name").as_text().unwrap_or_default().to_owned();
        assert_eq!((filled.as_str(), causes(&story)), (name, vec![Some(cause)]), "{status}");
    }
}

#[test]
fn a_record_of_somebody_else_fills_nothing() {
    let mut story = draft();
    consent(&mut story);
    prefill(&mut story);
    let base = Value::of([("name", "别家".into())]);
    let output = Value::of([("base", base), ("holder", "91420302MA4DEM020N".into())]);
    answers(&mut story, ReplyBody::Completed { output, documents: Vec::new() });
    assert_eq!((value(&story, "name"), causes(&story)), (Value::Null, vec![Some(Cause::Mismatch)]));
}

#[test]
fn a_window_asks_with_a_reason_and_an_approver_not_at_all() {
    let mut story = draft();
    for (by, code) in [(clerk(), "REASONS_MISSING"), (approver(), "NOT_PERMITTED")] {
        story.take(&[Command::Prefill { by, reason: String::new() }]);
        assert!(matches!(&story.answers[..], [Answer::Refused(one)] if one.code == code));
    }
    story.take(&[Command::Prefill { by: clerk(), reason: "申请人在窗口".to_owned() }]);
    assert_eq!(story.answers, [Answer::Done]);
    assert_eq!(story.case.prefills[0].1.reason, "申请人在窗口");
}
