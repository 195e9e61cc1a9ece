//! What must not happen to a matter in law: each test is a history that once broke a promise.

use super::*;
use crate::command::{ActRequest, Came, Seen, TaskChange};
use crate::entry::Consent;
use crate::law::{ClockKind, CorrectionList, Promised, Terms};
use crate::material::{Form, Found, MaterialGiven};

pub(super) fn mat(code: &str, sources: Vec<Source>) -> MaterialDef {
    MaterialDef { code: code.to_owned(), name: code.to_owned(), sources }
}
pub(super) fn upload() -> Source {
    Source::Upload(vec![])
}
pub(super) fn field(name: &str) -> crate::definition::Field {
    crate::definition::Field {
        name: name.to_owned(),
        label: name.to_owned(),
        kind: crate::definition::FieldKind::Text { max: 50 },
        required: false,
        source: None,
        label_en: String::new(),
    }
}
pub(super) fn ask_correction(materials: &[&str], fields: &[&str]) -> ActRequest {
    let list = CorrectionList {
        materials: materials.iter().map(ToString::to_string).collect(),
        fields: fields.iter().map(ToString::to_string).collect(),
        text: "补".to_owned(),
        limit: None,
        served_at: None,
    };
    ActRequest::now(ActKind::AskCorrection, "补").with(Terms::Correction(list))
}
pub(super) fn act_by(by: Viewer, no: u16, act: ActRequest) -> Command {
    Command::Act { by, matter: MatterNo(no), act }
}
pub(super) fn give(by: Viewer, code: &str, bytes: &[u8]) -> Command {
    Command::GiveMaterial {
        by,
        given: MaterialGiven::file(code, "f.pdf", Digest::of(bytes)),
        came: Came::default(),
    }
}
pub(super) fn amend(by: Viewer, name: &str, value: &str) -> Command {
    Command::AmendForm {
        by,
        fields: Value::of([(name, value.into())]),
        reason: "改".to_owned(),
        came: Came::default(),
        seen: None,
    }
}
pub(super) fn outcome(said: Said) -> TaskOutcome {
    TaskOutcome { granted: said == Yes, opinion: "理由".to_owned(), fields: Value::map() }
}
pub(super) fn give_back(by: Viewer, no: u16) -> Command {
    act_by(by, no, ActRequest::now(ActKind::Return, "退回"))
}
pub(super) fn head() -> Viewer {
    Viewer::new("head", Role::OfficeHead).within("420300").of("natural-resources")
}
impl Story {
    pub(super) fn to(&mut self, at: &str) -> &mut Self {
        self.now = Moment::parse(at).unwrap();
        self.take(&[Command::Tick])
    }
    pub(super) fn task(&self, kind: TaskKind) -> Option<crate::case::Task> {
        self.case.open_tasks().find(|t| t.opened.kind == kind).cloned()
    }
    pub(super) fn complete_as(&mut self, by: Viewer, kind: TaskKind, said: Said) -> &mut Self {
        let t = self.task(kind).expect("task");
        self.take(&[Command::CompleteTask {
            by,
            task: TaskAt { no: t.no, version: t.version },
            outcome: outcome(said),
            seen: Seen::default(),
        }])
    }
    pub(super) fn law(&self, no: u16) -> &crate::law::Law {
        &self.case.matter(MatterNo(no)).unwrap().law
    }
    pub(super) fn kinds(&self) -> Vec<TaskKind> {
        self.case.open_tasks().map(|t| t.opened.kind).collect()
    }
    pub(super) fn how(&self, no: u16, code: &str) -> Found {
        self.case.matter(MatterNo(no)).unwrap().requirement(code).unwrap().how.clone()
    }
    pub(super) fn refused(&self) -> Option<String> {
        self.answers.iter().find_map(|a| match a {
            Answer::Refused(w) => Some(w.code.clone()),
            Answer::Done | Answer::Acked(_) => None,
        })
    }
}
fn decide_with(options: Value) -> Handler {
    Box::new(move |replay| {
        let handle = replay.request(Ask::Decide {
            role: "natural-resources.approver".to_owned(),
            title: "审批".to_owned(),
            facts: Value::Null,
            options: options.clone(),
        })?;
        let Arrived::Decision { key, decision } = replay.wait(handle)? else { unreachable!() };
        let act = if decision.granted { ActKind::Grant } else { ActKind::Deny };
        replay.act(act, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

#[test]
fn silence_of_another_department_is_no_evidence_for_a_grant() {
    let mut story = one(Box::new(|replay| {
        let options = Value::of([
            ("silence", "agree".into()),
            ("basis", "x".into()),
            ("within", "3 working days".into()),
        ]);
        let handle = replay.request(Ask::Decide {
            role: "fire.approver".to_owned(),
            title: "征求意见".to_owned(),
            facts: Value::Null,
            options,
        })?;
        let Arrived::Decision { key, .. } = replay.wait(handle)? else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    }));
    story.to("2026-03-10T09:00:00+08:00");
    assert_eq!(story.stage(1), "accepted");
}
#[test]
fn a_consulted_department_may_answer() {
    let mut story = one(Box::new(|replay| {
        let handle = replay.request(Ask::Decide {
            role: "fire.approver".to_owned(),
            title: "征求意见".to_owned(),
            facts: Value::Null,
            options: Value::Null,
        })?;
        replay.wait(handle)?;
        let handle = replay.request(decision())?;
        replay.wait(handle)?;
        Ok(RunEnd::Finished)
    }));
    let fire = Viewer::new("fire", Role::Approver).within("420300").of("fire");
    story.complete_as(fire, TaskKind::Decide, Yes);
    assert_eq!(story.refused(), None);
}
#[test]
fn a_decision_before_a_deemed_acceptance_is_not_lost() {
    let mut story = elsewhere();
    let call = story.open_call(1);
    story.take(&[reply_as(&call, 2, act("decided", "granted", "2026-03-03T09:05:00+08:00"))]);
    story.to("2026-03-10T09:00:00+08:00");
    story.take(&[reply_as(&call, 1, act("accepted", "", "2026-03-02T09:00:30+08:00"))]);
    assert_eq!(story.stage(1), "granted", "{:?}", story.incidents());
}
#[test]
fn a_grant_refused_in_a_hearing_is_possible_after_it() {
    let mut story = one(Box::new(|replay| {
        let handle = replay.request(decision())?;
        replay.wait(handle)?;
        let handle = replay.request(call("agency.issue"))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    }));
    story.decide(1, Yes);
    story.take(&[act_by(approver(), 1, ActRequest::now(ActKind::Suspend, "hearing"))]);
    assert_eq!(story.refused(), None);
    story.completes(1);
    assert_eq!(story.stage(1), "accepted");
    story.take(&[act_by(approver(), 1, ActRequest::now(ActKind::Resume, ""))]);
    assert_eq!(story.stage(1), "granted", "{:?} {:?}", story.incidents(), story.kinds());
}
#[test]
fn a_grant_refused_in_a_correction_is_possible_after_it() {
    let mut def = matter("a");
    def.form = vec![field("x")];
    let mut story = Story::begin(
        vec![part("a", &[])],
        vec![(
            def,
            Box::new(|replay| {
                let handle = replay.request(decision())?;
                replay.wait(handle)?;
                let handle = replay.request(call("agency.issue"))?;
                let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else {
                    unreachable!()
                };
                replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
                Ok(RunEnd::Finished)
            }),
        )],
    );
    story.decide(1, Yes);
    story.take(&[act_by(approver(), 1, ask_correction(&[], &["x"]))]);
    assert_eq!(story.refused(), None);
    story.completes(1);
    story.take(&[amend(applicant(), "x", "new")]);
    assert_eq!(story.refused(), None);
    story.decide(1, Yes);
    assert_eq!(story.stage(1), "granted", "{:?} {:?}", story.incidents(), story.kinds());
}
#[test]
fn an_act_on_adopted_evidence_replays() {
    let mut def = matter("a");
    def.form = vec![field("x")];
    let mut story = Story::begin(
        vec![part("a", &[])],
        vec![(
            def,
            Box::new(|replay| {
                let handle = replay.request(call("agency.issue"))?;
                let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else {
                    unreachable!()
                };
                let answer = replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
                if matches!(answer, Arrived::Answer(ActAnswer::Refused { .. })) {
                    let timer = replay.timer("30 working days".parse().unwrap())?;
                    replay.wait(timer)?;
                }
                Ok(RunEnd::Finished)
            }),
        )],
    );
    story.take(&[act_by(approver(), 1, ask_correction(&[], &["x"]))]);
    story.completes(1);
    story.take(&[amend(applicant(), "x", "new")]);
    assert_eq!(story.stage(1), "granted");
    assert!(story.incidents().is_empty(), "{:?}", story.incidents());
}
#[test]
fn a_correction_the_agency_asked_for_reaches_it() {
    let mut def = matter("a");
    def.decides_in = DecidesIn::Connector;
    def.form = vec![field("x")];
    let mut story = Story::begin(
        vec![part("a", &[])],
        vec![(
            def,
            Box::new(|replay| {
                let input = replay.form();
                let handle = replay.request(Ask::Call {
                    operation: "title.register".to_owned(),
                    place: None,
                    input,
                })?;
                or_end!(get(replay, handle));
                Ok(RunEnd::Finished)
            }),
        )],
    );
    let call = story.open_call(1);
    let body = ReplyBody::Act(AgencyAct {
        act: "correction".to_owned(),
        effective_at: Moment::parse("2026-03-02T09:03:00+08:00").unwrap(),
        document_no: String::new(),
        ground: String::new(),
        officer: "o".to_owned(),
        detail: Value::of([("fields", Value::List(vec!["x".into()])), ("reason", "x".into())]),
    });
    story.take(&[reply_as(&call, 1, body)]);
    assert_eq!(story.stage(1), "correction_pending", "{:?}", story.incidents());
    story.take(&[amend(applicant(), "x", "new")]);
    assert_eq!(story.stage(1), "received");
    assert!(story.case.calls.len() > 1, "the agency is told what was corrected");
}
fn deemed() -> Story {
    let mut def = matter("a");
    def.intake = Intake::Window;
    def.form = vec![field("x")];
    def.materials = vec![mat("m", vec![upload()])];
    let p = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let mut story = Story::begin(vec![p], vec![(def, decide_and_act())]);
    story.to("2026-03-10T09:00:00+08:00");
    assert_eq!(story.law(1).stage, Stage::Accepted { deemed: true });
    story
}
fn rebut() -> ActRequest {
    let at = Moment::parse("2026-03-04T09:00:00+08:00").unwrap();
    let list = CorrectionList {
        materials: vec![],
        fields: vec!["x".to_owned()],
        text: "补".to_owned(),
        limit: None,
        served_at: Some(at),
    };
    let mut act = ActRequest::now(ActKind::RebutAcceptance, "补").with(Terms::Correction(list));
    act.document_no = "D-1".to_owned();
    act.came = Came { at: Some(at), evidence: "e".to_owned() };
    act
}
#[test]
fn a_rebutted_acceptance_leaves_no_decision_open() {
    let mut story = deemed();
    story.take(&[act_by(approver(), 1, rebut())]);
    assert_eq!(story.refused(), None);
    assert_eq!(story.stage(1), "correction_pending");
    assert!(
        story.law(1).clocks().iter().all(|c| c.kind != ClockKind::Tolerance || !c.is_running()),
        "promise of an acceptance that never was"
    );
}
#[test]
fn a_decision_cannot_be_taken_before_reacceptance() {
    let mut story = deemed();
    story.take(&[act_by(approver(), 1, rebut())]);
    if story.task(TaskKind::Decide).is_some() {
        story.complete_as(approver(), TaskKind::Decide, Yes);
    }
    story.take(&[give(applicant(), "m", b"1")]);
    story.take(&[amend(applicant(), "x", "new")]);
    assert_eq!(story.stage(1), "received");
    story.complete_as(clerk(), TaskKind::Intake, Yes);
    assert_eq!(story.stage(1), "accepted");
    if story.task(TaskKind::Decide).is_some() {
        story.complete_as(approver(), TaskKind::Decide, Yes);
    }
    assert!(
        story.stage(1).starts_with("granted"),
        "{} {:?} {:?}",
        story.stage(1),
        story.incidents(),
        story.kinds()
    );
}
#[test]
fn ticks_come_to_rest_after_a_second_acceptance() {
    let mut story = deemed();
    story.take(&[act_by(approver(), 1, rebut())]);
    story.take(&[amend(applicant(), "x", "new")]);
    story.complete_as(clerk(), TaskKind::Intake, Yes);
    assert_eq!(story.stage(1), "accepted");
    story.to("2026-04-20T09:00:00+08:00");
    let n = story.case.head;
    story.take(&[Command::Tick]).take(&[Command::Tick]);
    assert_eq!(story.case.head, n, "{:?}", story.kinds());
}
#[test]
fn promises_named_twice() {
    let mut def = matter("a");
    def.intake = Intake::Window;
    def.materials = vec![mat("m", vec![upload()])];
    let p = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let mut story = Story::begin(vec![p], vec![(def, decide_and_act())]);
    let pr = |w: &str| Promised { material: "m".to_owned(), within: w.parse().unwrap() };
    story.take(&[act_by(
        clerk(),
        1,
        ActRequest::now(ActKind::Accept, "")
            .with(Terms::Promises(vec![pr("3 working days"), pr("5 working days")])),
    )]);
    if story.refused().is_some() {
        return;
    }
    story.to("2026-04-20T09:00:00+08:00");
    let n = story.case.head;
    story.take(&[Command::Tick]).take(&[Command::Tick]);
    assert_eq!(story.case.head, n, "{:?}", story.kinds());
}
#[test]
fn a_time_out_counts_from_the_recorded_acceptance() {
    let mut def = matter("a");
    def.intake = Intake::Window;
    let mut story = Story::begin(
        vec![part("a", &[])],
        vec![(
            def,
            Box::new(|replay| {
                let slow = replay.request(call("x.slow"))?;
                let timer = replay.timer("3 working days".parse().unwrap())?;
                let limited = replay.join(Join::Timeout { handle: slow, timer })?;
                if let Arrived::Thrown { key, .. } = replay.wait(limited)? {
                    return Ok(RunEnd::Uncaught(key));
                }
                Ok(RunEnd::Finished)
            }),
        )],
    );
    story.to("2026-03-10T09:00:00+08:00");
    story.take(&[Command::Tick]);
    assert!(story.task(TaskKind::Rejected).is_none(), "timed out at once");
}
fn licensed() -> (MatterDef, Handler) {
    let mut def = matter("a");
    def.regime = Regime::Registration;
    def.materials = vec![mat(
        "m",
        vec![Source::Data("data.get".to_owned()), Source::Data("other.get".to_owned()), upload()],
    )];
    (def, decide_and_act())
}
fn licensed_story() -> Story {
    Story::authorised(vec![part("a", &[])], vec![licensed()], &["data.get", "other.get"])
}
fn fault() -> crate::agency::Fault {
    crate::agency::Fault {
        class: crate::agency::FaultClass::Conflict,
        effect: crate::agency::Effect::Unknown,
        code: "f".to_owned(),
        retry_after: None,
        text: String::new(),
    }
}
#[test]
fn a_source_that_is_fenced_falls_back() {
    let mut story = licensed_story();
    for _ in 0..3 {
        let call = story.open_call(1).made.id;
        story.take(&[Command::CallFenced { call }]);
    }
    assert!(matches!(story.how(1, "m"), Found::Asked { .. }));
    assert_eq!(story.open_call(1).made.connector, "other", "{:?}", story.incidents());
}
#[test]
fn a_manual_source_answers() {
    let mut story = licensed_story();
    let call = story.open_call(1).made.id;
    let task = crate::agency::ManualTask {
        role: "natural-resources.clerk".to_owned(),
        title: "t".to_owned(),
    };
    story.take(&[Command::AskPerson { call, task }]);
    let t = story.task(TaskKind::Manual).unwrap();
    let outcome = TaskOutcome {
        granted: true,
        opinion: String::new(),
        fields: Value::of([("number", "Z-1".into())]),
    };
    story.take(&[Command::CompleteTask {
        by: approver(),
        task: TaskAt { no: t.no, version: t.version },
        outcome,
        seen: Seen::default(),
    }]);
    assert_eq!(story.refused(), None);
    assert!(story.how(1, "m").is_met(), "{:?}", story.how(1, "m"));
}
#[test]
fn nothing_is_asked_after_the_withdrawal() {
    let mut story = licensed_story();
    let call = story.open_call(1).made.id;
    story.take(&[Command::Withdraw { by: applicant(), reason: "x".to_owned() }]);
    story.take(&[Command::CallFailed { call, fault: fault() }]);
    assert_eq!(story.case.calls.len(), 1, "a new source was asked for a withdrawn matter");
}
#[test]
fn a_late_consent_asks_the_license() {
    let mut def = matter("a");
    def.materials = vec![mat("m", vec![Source::License("lic".to_owned()), upload()])];
    let mut other = matter("b");
    other.materials = vec![];
    let p = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let mut def2 = def;
    def2.intake = Intake::Window;
    let mut story = Story::begin(vec![p], vec![(def2, decide_and_act())]);
    let consent = Consent {
        license: "lic".to_owned(),
        holder: "91420302MA4DEM010M".to_owned(),
        purpose: "*".to_owned(),
        text_version: "1".to_owned(),
    };
    story.take(&[Command::Consent { by: applicant(), consent }]);
    assert_eq!(story.refused(), None);
    assert!(story.case.open_calls().next().is_some(), "{:?}", story.how(1, "m"));
}
#[test]
fn a_commitment_needs_to_be_allowed_at_the_start_too() {
    let mut def = matter("a");
    def.materials = vec![mat("m", vec![upload()])];
    let mut given = MaterialGiven::file("m", "f", Digest::of(b"x"));
    given.form = Form::Commitment { text_version: "1".to_owned() };
    let story = Story::begin(
        vec![Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) }],
        vec![(def, decide_and_act())],
    );
    let closure = story.scripts.closure.unwrap();
    let boss = Party { id: "91420302MA4DEM010M".to_owned(), name: "示例".to_owned() };
    let mut input = StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), boss);
    input.materials = vec![given];
    assert!(crate::start::start(&closure, input, "N1".to_owned(), &[true]).is_err());
}
#[test]
fn a_commitment_meets_only_the_matter_that_allows_it() {
    let mut a = matter("a");
    a.intake = Intake::Window;
    a.materials = vec![mat("m", vec![Source::Commitment, upload()])];
    let mut b = matter("b");
    b.intake = Intake::Window;
    b.materials = vec![mat("m", vec![upload()])];
    let t = |c: &str| Part { tolerates: vec!["m".to_owned()], ..part(c, &[]) };
    let mut story =
        Story::begin(vec![t("a"), t("b")], vec![(a, decide_and_act()), (b, decide_and_act())]);
    let mut given = MaterialGiven::file("m", "f", Digest::of(b"x"));
    given.form = Form::Commitment { text_version: "1".to_owned() };
    story.take(&[Command::GiveMaterial { by: applicant(), given, came: Came::default() }]);
    assert_eq!(story.refused(), None);
    assert!(story.how(1, "m").is_met());
    assert!(!story.how(2, "m").is_met(), "{:?}", story.how(2, "m"));
}
#[test]
fn an_unlisted_material_stays_closed_though_a_later_matter_is_planned() {
    let mut a = matter("a");
    a.intake = Intake::Window;
    a.materials = vec![mat("m", vec![upload()]), mat("n", vec![upload()])];
    let t = Part { tolerates: vec!["m".to_owned(), "n".to_owned()], ..part("a", &[]) };
    let mut story = Story::begin(
        vec![t, part("b", &["a"])],
        vec![(a, decide_and_act()), (matter("b"), decide_and_act())],
    );
    story.take(&[give(applicant(), "m", b"1"), give(applicant(), "n", b"1")]);
    assert_eq!(story.refused(), None);
    story.take(&[act_by(clerk(), 1, ask_correction(&["m"], &[]))]);
    assert_eq!(story.stage(1), "correction_pending");
    story.take(&[give(applicant(), "n", b"2")]);
    assert_eq!(story.how(1, "n"), Found::Given { digest: Digest::of(b"1") }, "{:?}", story.answers);
}
#[test]
fn a_returned_application_can_be_mended() {
    let mut a = matter("a");
    a.intake = Intake::Window;
    a.form = vec![field("x")];
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    story.take(&[act_by(clerk(), 1, ActRequest::now(ActKind::Return, "错误"))]);
    assert_eq!(story.stage(1), "returned");
    story.take(&[amend(applicant(), "x", "mended")]);
    assert_eq!(story.refused(), None);
}
#[test]
fn a_correction_is_not_supplied_by_saying_so() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    a.intake = Intake::Window;
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    story.take(&[act_by(clerk(), 1, ask_correction(&[], &["x"]))]);
    story.take(&[act_by(applicant(), 1, ActRequest::now(ActKind::SupplyCorrection, ""))]);
    assert_eq!(story.stage(1), "correction_pending");
}
#[test]
fn a_kept_promise_ends_its_task_during_a_correction() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    a.materials = vec![mat("m", vec![upload()])];
    let p = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let mut story = Story::begin(vec![p], vec![(a, decide_and_act())]);
    story.to("2026-03-20T09:00:00+08:00");
    assert!(story.task(TaskKind::PromiseMissed).is_some());
    story.take(&[act_by(approver(), 1, ask_correction(&[], &["x"]))]);
    story.take(&[give(applicant(), "m", b"1")]);
    story.take(&[amend(applicant(), "x", "1")]);
    assert!(story.how(1, "m").is_met());
    assert!(story.task(TaskKind::PromiseMissed).is_none(), "{:?}", story.kinds());
}
#[test]
fn only_the_head_revokes_after_a_missed_promise() {
    let mut a = matter("a");
    a.materials = vec![mat("m", vec![upload()])];
    let p = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let body: Handler = Box::new(|replay| {
        let handle = replay.request(decision())?;
        let Arrived::Decision { key, .. } = replay.wait(handle)? else { unreachable!() };
        replay.act(ActKind::GrantTolerant, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    });
    let mut story = Story::begin(vec![p], vec![(a, body)]);
    story.decide(1, Yes);
    assert_eq!(story.stage(1), "granted_tolerant");
    story.take(&[act_by(approver(), 1, ActRequest::now(ActKind::Revoke, "x"))]);
    assert_eq!(story.refused().as_deref(), Some("NOT_PERMITTED"));
    story.to("2026-03-20T09:00:00+08:00");
    story.complete_as(approver(), TaskKind::PromiseMissed, No);
    assert!(story.law(1).revoked.is_none(), "an approver revoked");
}
#[test]
fn a_window_clerk_does_not_terminate() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    a.intake = Intake::Window;
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    story.take(&[act_by(clerk(), 1, ask_correction(&[], &["x"]))]);
    story.take(&[act_by(clerk(), 1, ActRequest::now(ActKind::Terminate, "x"))]);
    assert_eq!(story.refused().as_deref(), Some("NOT_PERMITTED"));
    story.to("2026-04-20T09:00:00+08:00");
    story.complete_as(clerk(), TaskKind::CorrectionMissed, No);
    assert_eq!(story.stage(1), "correction_pending");
}
#[test]
fn one_officer_does_not_countersign_his_own_decision() {
    let options = Value::of([(
        "countersign",
        Value::List(vec!["natural-resources.legal".into(), "natural-resources.safety".into()]),
    )]);
    let mut story = one(decide_with(options));
    story.complete_as(approver(), TaskKind::Countersign, Yes);
    story.complete_as(approver(), TaskKind::Countersign, Yes);
    story.complete_as(approver(), TaskKind::Decide, Yes);
    assert_ne!(story.stage(1), "granted");
}
#[test]
fn a_decision_does_not_go_down_to_the_window() {
    let mut story = one(decide_and_act());
    let t = story.task(TaskKind::Decide).unwrap();
    story.take(&[Command::ChangeTask {
        by: approver(),
        task: TaskAt { no: t.no, version: t.version },
        change: TaskChange::Escalate {
            to: RoleCode::new("natural-resources.window"),
            reason: "x".to_owned(),
        },
    }]);
    if story.refused().is_some() {
        return;
    }
    story.complete_as(clerk(), TaskKind::Decide, Yes);
    assert_ne!(story.stage(1), "granted");
}
#[test]
fn an_extension_is_not_approved_by_an_approver() {
    let mut story = one(decide_and_act());
    let act = ActRequest::now(ActKind::Extend, "x").with(Terms::Extension {
        by: "5 working days".parse().unwrap(),
        approved_by: String::new(),
    });
    story.take(&[act_by(approver(), 1, act)]);
    let t = story.task(TaskKind::ApproveExtension).unwrap();
    story.take(&[Command::ChangeTask {
        by: head(),
        task: TaskAt { no: t.no, version: t.version },
        change: TaskChange::Escalate {
            to: RoleCode::new("natural-resources.approver"),
            reason: "x".to_owned(),
        },
    }]);
    if story.refused().is_some() {
        return;
    }
    story.complete_as(approver(), TaskKind::ApproveExtension, Yes);
    assert!(!story.law(1).is_extended());
}
#[test]
fn a_denial_proposed_on_old_facts_is_not_confirmed() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    let mut story = Story::begin(
        vec![part("a", &[])],
        vec![(
            a,
            Box::new(|replay| {
                if replay.form().get("x").is_none() {
                    replay.act(ActKind::Deny, None, Value::of([("reason", "面积超限".into())]))?;
                    return Ok(RunEnd::Finished);
                }
                let handle = replay.request(decision())?;
                replay.wait(handle)?;
                Ok(RunEnd::Finished)
            }),
        )],
    );
    story.take(&[amend(clerk(), "x", "new")]);
    assert_eq!(story.kinds(), [TaskKind::Decide]);
}
#[test]
fn a_rejection_on_old_facts_loses_its_task() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, ask_and_grant())]);
    let reply = story.reply_to(1, 1, rejected());
    story.take(&[reply]);
    story.take(&[amend(clerk(), "x", "new")]);
    assert_eq!(story.kinds(), []);
}
#[test]
fn a_decision_on_an_older_form_is_not_taken_over() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    let mut story = Story::begin(
        vec![part("a", &[])],
        vec![(
            a,
            Box::new(|replay| {
                let handle = replay.request(decision())?;
                replay.wait(handle)?;
                let handle = replay.request(call("agency.issue"))?;
                let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else {
                    unreachable!()
                };
                replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
                Ok(RunEnd::Finished)
            }),
        )],
    );
    story.decide(1, Yes);
    story.take(&[amend(clerk(), "x", "new")]);
    story.completes(1);
    assert_ne!(story.stage(1), "granted");
    assert_eq!(story.kinds(), [TaskKind::Decide], "the officer is asked about the new form");
}
fn paper() -> Story {
    let mut a = matter("a");
    a.form = vec![field("x"), field("y")];
    a.intake = Intake::Window;
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    let mut case = (*story.case).clone();
    let mut started = (*case.started).clone();
    started.arrival.channel = 1;
    case.started = Arc::new(started.clone());
    story.case = Arc::new(case);
    story.entries[0].body = Body::CaseStarted(Arc::new(started));
    story
}
#[test]
fn a_list_does_not_say_itself_when_it_was_served() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    a.intake = Intake::Window;
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    let mut act = ask_correction(&[], &["x"]);
    if let Terms::Correction(list) = &mut act.terms {
        list.served_at = Some(Moment::parse("2026-01-02T09:00:00+08:00").unwrap());
    }
    story.take(&[act_by(clerk(), 1, act)]);
    if story.refused().is_some() {
        return;
    }
    story.take(&[Command::Tick]);
    assert!(story.task(TaskKind::CorrectionMissed).is_none());
}
#[test]
fn voiding_a_form_change_is_a_new_version() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    story.take(&[amend(clerk(), "x", "1")]);
    let v = story.case.form_version();
    let entry = story.case.form_changes[0].0;
    story.take(&[Command::VoidEntry { by: clerk(), entry, reason: "x".to_owned() }]);
    assert_eq!(story.refused(), None);
    assert_ne!(story.case.form_version(), v);
}
#[test]
fn what_is_owed_is_read_as_of_the_horizon() {
    let mut a = matter("a");
    a.form = vec![field("z")];
    a.materials = vec![mat("m", vec![upload()])];
    let p = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let mut story = Story::begin(
        vec![p],
        vec![(
            a,
            Box::new(|replay| {
                let one = replay.request(call("x.one"))?;
                or_end!(get(replay, one));
                let two = if replay.owed().is_empty() { call("x.full") } else { call("x.owed") };
                let two = replay.request(two)?;
                or_end!(get(replay, two));
                Ok(RunEnd::Suspended)
            }),
        )],
    );
    story.take(&[give(applicant(), "m", b"1")]);
    story.completes(1);
    story.take(&[act_by(approver(), 1, ask_correction(&["m"], &["z"]))]);
    assert_eq!(story.refused(), None);
    story.take(&[give(applicant(), "m", b"2")]);
    story.completes(1);
    assert!(!story.incidents().contains(&"REPLAY_MISMATCH"), "{:?}", story.incidents());
}
#[test]
fn what_follows_a_grant_survives_a_fault() {
    let mut story = one(Box::new(|replay| {
        let handle = replay.request(decision())?;
        let Arrived::Decision { key, .. } = replay.wait(handle)? else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Decision(key)), Value::map())?;
        let handle = replay.timer("2 hours".parse().unwrap())?;
        replay.wait(handle)?;
        let handle = replay.request(call("post.mail"))?;
        replay.wait(handle)?;
        Ok(RunEnd::Finished)
    }));
    story.decide(1, Yes);
    assert_eq!(story.stage(1), "granted");
    story.to("2026-03-03T09:00:00+08:00");
    assert_eq!(story.case.calls.len(), 1);
}
#[test]
fn a_voided_commitment_meets_nothing() {
    let mut a = matter("a");
    a.intake = Intake::Window;
    a.materials = vec![mat("m", vec![Source::Commitment, upload()])];
    let p = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let mut story = Story::begin(vec![p], vec![(a, decide_and_act())]);
    let mut given = MaterialGiven::file("m", "f", Digest::of(b"x"));
    given.form = Form::Commitment { text_version: "1".to_owned() };
    story.take(&[Command::GiveMaterial { by: clerk(), given, came: Came::default() }]);
    let entry = story.case.handed[0].at;
    story.take(&[Command::VoidEntry { by: clerk(), entry, reason: "x".to_owned() }]);
    assert_eq!(story.refused(), None);
    assert!(!story.how(1, "m").is_met(), "{:?}", story.how(1, "m"));
}
#[test]
fn a_license_source_does_not_decide() {
    let (mut def, _) = licensed();
    def.decides_in = DecidesIn::Connector;
    let tells: Handler = Box::new(|replay| {
        let handle = replay.request(call("title.register"))?;
        or_end!(get(replay, handle));
        Ok(RunEnd::Finished)
    });
    let mut story = Story::authorised(vec![part("a", &[])], vec![(def, tells)], &["data.get"]);
    let source = story.case.open_calls().find(|c| c.made.connector == "data").unwrap().clone();
    story.take(&[reply_as(&source, 1, act("accepted", "", "2026-03-02T09:00:30+08:00"))]);
    story.take(&[reply_as(&source, 2, act("decided", "granted", "2026-03-02T09:05:00+08:00"))]);
    assert_ne!(story.stage(1), "granted");
}
#[test]
fn a_resumption_that_overtakes_its_suspension() {
    let mut story = elsewhere();
    let c = story.open_call(1);
    story.take(&[reply_as(&c, 1, act("accepted", "", "2026-03-02T09:00:30+08:00"))]);
    story.now = Moment::parse("2026-03-06T10:00:00+08:00").unwrap();
    story.take(&[reply_as(&c, 3, act("resumed", "hearing", "2026-03-05T09:00:00+08:00"))]);
    story.take(&[reply_as(&c, 2, act("suspended", "hearing", "2026-03-04T09:00:00+08:00"))]);
    assert!(
        story.law(1).suspended().is_none() || !story.incidents().is_empty(),
        "stands still for good, silently"
    );
}
#[test]
fn a_window_does_not_accept_for_the_departments_system() {
    let mut story = elsewhere();
    story.take(&[act_by(clerk(), 1, ActRequest::now(ActKind::Accept, ""))]);
    assert_eq!(story.stage(1), "received");
}
#[test]
fn the_reason_of_a_take_over_is_kept() {
    let mut story = one(decide_and_act());
    let t = story.task(TaskKind::Decide).unwrap();
    story.take(&[Command::ClaimTask {
        by: approver(),
        task: TaskAt { no: t.no, version: t.version },
    }]);
    story.take(&[Command::TakeOver {
        by: head(),
        from: "approver".to_owned(),
        reason: "出差在外".to_owned(),
    }]);
    assert_eq!(story.refused(), None);
    assert!(story.entries.iter().any(|e| format!("{:?}", e.body).contains("出差在外")));
}
#[test]
fn an_unserved_notice_waits_for_the_office() {
    let mut story = paper();
    story.take(&[act_by(clerk(), 1, ask_correction(&[], &["x"]))]);
    let on = crate::waiting::waiting_on(
        &story.case,
        story.case.matter(MatterNo(1)).unwrap(),
        &Calendar::national(),
        story.now,
    )
    .unwrap();
    assert_ne!(on.party, crate::waiting::WaitingParty::Applicant);
}
#[test]
fn an_extension_that_moves_nothing_is_refused() {
    let mut a = matter("a");
    a.limits.statutory = Some("30 calendar days".parse().unwrap());
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    let act = ActRequest::now(ActKind::Extend, "x").with(Terms::Extension {
        by: "5 working days".parse().unwrap(),
        approved_by: String::new(),
    });
    let due = |s: &Story| {
        let c = s.law(1).running(ClockKind::Statutory).unwrap();
        s.law(1).due(c, &Calendar::national(), s.now).at
    };
    let before = due(&story);
    story.take(&[act_by(head(), 1, act)]);
    assert!(story.refused().is_some() || due(&story) > before);
}
#[test]
fn stall_is_seen_though_an_old_task_is_open() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    let mut story = Story::begin(
        vec![part("a", &[])],
        vec![(
            a,
            Box::new(|replay| {
                if replay.form().get("x").is_none() {
                    let handle = replay.request(decision())?;
                    replay.wait(handle)?;
                }
                Ok(RunEnd::Finished)
            }),
        )],
    );
    story.take(&[amend(clerk(), "x", "new")]);
    assert_eq!(story.kinds(), [], "the old question is not asked any more");
    assert_eq!(story.incidents(), ["STALLED"]);
}
#[test]
fn renewed_call_keeps_agency_limit() {
    let mut story = one(ask_and_grant());
    let first = story.open_call(1).made;
    story.take(&[Command::CallFenced { call: first.id }]);
    assert_eq!(story.open_call(1).made.reply_within, first.reply_within);
}
#[test]
fn correction_due_after_service_and_fired_then_supplied_late() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    story.take(&[act_by(approver(), 1, ask_correction(&[], &["x"]))]);
    story.to("2026-04-20T09:00:00+08:00");
    assert!(story.task(TaskKind::CorrectionMissed).is_some());
    story.take(&[amend(applicant(), "x", "late")]);
    let n = story.case.head;
    story.take(&[Command::Tick]);
    assert_eq!(story.case.head, n);
}
#[test]
fn a_result_that_came_meets_its_requirement() {
    let mut late = matter("late");
    late.materials.push(mat("permit-of-a", vec![Source::ResultOf(MatterCode::new("a"))]));
    let p = Part { tolerates: vec!["permit-of-a".to_owned()], ..part("late", &[]) };
    let mut story = Story::begin(
        vec![part("a", &[]), p],
        vec![(matter("a"), decide_and_act()), (late, decide_and_act())],
    );
    story.decide(1, Yes);
    assert!(story.how(2, "permit-of-a").is_met(), "{:?}", story.how(2, "permit-of-a"));
}
#[test]
fn an_officer_who_disagrees_with_a_denial_leaves_somebody_to_decide() {
    let mut story = one(Box::new(|replay| {
        replay.act(ActKind::Deny, None, Value::of([("reason", "x".into())]))?;
        Ok(RunEnd::Finished)
    }));
    story.decide(1, No);
    assert!(!story.kinds().is_empty(), "{} {:?}", story.stage(1), story.incidents());
}
#[test]
fn a_withdrawn_draft_is_not_submitted() {
    let mut story = one(decide_and_act());
    let mut case = Case::from_entries(story.case.id, &story.entries[..1]).unwrap();
    case.submitted = None;
    story.entries.truncate(1);
    story.case = Arc::new(case);
    story.take(&[Command::Withdraw { by: applicant(), reason: "x".to_owned() }]);
    story.take(&[Command::Submit { by: applicant() }]);
    assert!(story.refused().is_some());
}
#[test]
fn another_department_does_not_record_the_service() {
    let (mut a, mut b) = (matter("a"), matter("b"));
    a.form = vec![field("x")];
    a.intake = Intake::Window;
    b.department = DepartmentCode::new("fire");
    let mut story = Story::begin(
        vec![part("a", &[]), part("b", &[])],
        vec![(a, decide_and_act()), (b, decide_and_act())],
    );
    let fire = Viewer::new("fire", Role::Approver).within("420300").of("fire");
    story.take(&[act_by(fire, 1, ask_correction(&[], &["x"]))]);
    assert_eq!(story.refused().as_deref(), Some("NOT_PERMITTED"));
}
#[test]
fn an_amendment_that_saw_an_older_form_is_a_conflict() {
    let mut a = matter("a");
    a.form = vec![field("x")];
    let mut story = Story::begin(vec![part("a", &[])], vec![(a, decide_and_act())]);
    let seen = |value: &str, version: u32| {
        let Command::AmendForm { by, fields, reason, came, .. } = amend(clerk(), "x", value) else {
            unreachable!()
        };
        Command::AmendForm { by, fields, reason, came, seen: Some(version) }
    };
    story.take(&[seen("one", 1), seen("other", 1)]);
    let [Answer::Done, Answer::Refused(conflict)] = &story.answers[..] else {
        panic!("{:?}", story.answers)
    };
    assert_eq!((conflict.code.as_str(), conflict.current), ("VERSION_CONFLICT", Some(2)));
    assert_eq!(story.case.form().get("x").and_then(Value::as_text), Some("one"));
    story.take(&[seen("other", 2)]);
    assert_eq!(story.refused(), None);
}
