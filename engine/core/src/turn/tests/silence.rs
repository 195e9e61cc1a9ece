//! What silence brings, and in which order: by when things took effect, not by who looked first.

use super::promises::{act_by, amend, ask_correction, field, give_back, mat, upload};
use super::*;
use crate::command::{ActRequest, Came};
use crate::law::{ClockKind, Terms};
use crate::material::MaterialGiven;

/// A licence that a window accepts, received on Monday 2 March: silence accepts it once the 9th
/// has passed.
pub(super) fn at_window() -> Story {
    let mut definition = matter("a");
    definition.intake = Intake::Window;
    definition.form = vec![field("x")];
    definition.materials = vec![mat("m", vec![upload()])];
    let tolerant = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    Story::begin(vec![tolerant], vec![(definition, decide_and_act())])
}

fn accept() -> ActRequest {
    ActRequest::now(ActKind::Accept, "")
}

fn came(at: &str) -> Came {
    Came { at: Some(Moment::parse(at).unwrap()), evidence: "回执 7 号".to_owned() }
}

impl Story {
    /// Lets time pass without anybody looking at the clock.
    fn unseen(&mut self, at: &str) -> &mut Self {
        self.now = Moment::parse(at).unwrap();
        self
    }

    fn last_answer(&self) -> Option<&ActAnswer> {
        self.entries.iter().rev().find_map(|entry| {
            let Body::Acted { act, answer, .. } = &entry.body else { return None };
            (act.kind == ActKind::Accept).then_some(answer)
        })
    }
}

#[test]
fn an_acceptance_after_the_silent_limit_comes_after_that_of_the_law() {
    let mut story = at_window();
    let received = story.law(1).clocks()[0].since;
    story.unseen("2026-03-10T09:00:00+08:00").take(&[act_by(clerk(), 1, accept())]);
    assert_eq!(story.answers, [Answer::Done]);
    assert_eq!(story.last_answer(), Some(&ActAnswer::Already));
    assert_eq!(story.law(1).stage, Stage::Accepted { deemed: true });
    assert_eq!(story.incidents(), ["DEEMED_ACCEPTED"], "the department is told");
    let promised = story.law(1).running(ClockKind::Promised).unwrap();
    assert_eq!(promised.since, received, "the days of silence are consumed");
}

#[test]
fn an_acceptance_that_took_effect_in_time_holds_however_late_it_is_recorded() {
    let mut story = at_window();
    let timely = ActRequest { came: came("2026-03-09T16:00:00+08:00"), ..accept() };
    story.unseen("2026-03-10T09:00:00+08:00").take(&[act_by(clerk(), 1, timely)]);
    assert_eq!(story.law(1).stage, Stage::ACCEPTED);
    assert!(story.incidents().is_empty(), "{:?}", story.incidents());
}

#[test]
fn a_clerk_who_is_too_late_finds_his_task_closed() {
    let mut story = at_window();
    story.unseen("2026-03-10T09:00:00+08:00").complete_as(clerk(), TaskKind::Intake, Yes);
    assert_eq!(story.refused().as_deref(), Some("TASK_CLOSED"));
    assert_eq!(story.law(1).stage, Stage::Accepted { deemed: true });
}

#[test]
fn what_an_office_refuses_after_its_silence_is_refused_itself() {
    for late in [give_back(clerk(), 1), act_by(clerk(), 1, refusal())] {
        let mut story = at_window();
        story.unseen("2026-03-10T09:00:00+08:00").take(&[late]);
        assert_eq!(story.refused().as_deref(), Some("ACCEPTED_BY_SILENCE"));
        assert_eq!(story.law(1).stage, Stage::Accepted { deemed: true });
    }
}

fn refusal() -> ActRequest {
    ActRequest::now(ActKind::NotAccept, "no_competence")
}

#[test]
fn a_departments_report_is_judged_by_when_its_act_took_effect() {
    let table = [("2026-03-05T09:00:00+08:00", false), ("2026-03-10T08:00:00+08:00", true)];
    for (effective, deemed) in table {
        let mut story = elsewhere();
        let call = story.open_call(1);
        let report = reply_as(&call, 1, act("accepted", "", effective));
        story.unseen("2026-03-10T09:00:00+08:00").take(&[report]);
        assert_eq!(story.law(1).stage, Stage::Accepted { deemed }, "{effective}");
    }
}

#[test]
fn an_opinion_after_its_time_does_not_undo_that_silence_agreed() {
    let mut story = one(Box::new(|replay| {
        let options = Value::of([
            ("silence", "agree".into()),
            ("basis", "示例办法第五条".into()),
            ("within", "3 working days".into()),
        ]);
        let handle = replay.request(Ask::Decide {
            role: "fire.approver".to_owned(),
            title: "征求意见".to_owned(),
            facts: Value::Null,
            options,
        })?;
        let Arrived::Decision { decision, .. } = replay.wait(handle)? else { unreachable!() };
        assert!(decision.granted);
        Ok(RunEnd::Finished)
    }));
    let fire = Viewer::new("fire", Role::Approver).within("420300").of("fire");
    story.unseen("2026-03-06T09:00:00+08:00").complete_as(fire, TaskKind::Decide, No);
    assert_eq!(story.refused().as_deref(), Some("TASK_CLOSED"));
}

/// An accepted matter that a missed correction ends by its own rule; the applicant is asked at
/// nine on Monday 2 March and has until the 23rd.
fn ends_by_rule() -> Story {
    let mut definition = matter("a");
    definition.form = vec![field("x")];
    definition.procedure.correction.ends_by = "示例办法第八条".to_owned();
    let mut story = Story::begin(vec![part("a", &[])], vec![(definition, decide_and_act())]);
    story.take(&[act_by(approver(), 1, ask_correction(&[], &["x"]))]);
    story
}

fn ended_by(story: &Story) -> Option<(&Origin, &Terms)> {
    story.entries.iter().find_map(|entry| {
        let Body::Acted { act, .. } = &entry.body else { return None };
        (act.kind == ActKind::Terminate).then_some((&entry.origin, &act.terms))
    })
}

#[test]
fn what_goes_against_the_applicant_waits_for_the_tick() {
    let mut story = ends_by_rule();
    story.unseen("2026-04-20T09:00:00+08:00").take(&[amend(applicant(), "x", "late")]);
    assert_eq!(story.refused(), None);
    story.take(&[Command::Tick]);
    assert_eq!(story.stage(1), "accepted", "what was under way came first");
}

#[test]
fn a_missed_correction_ends_the_matter_by_its_own_rule_and_asks_no_officer() {
    let mut story = ends_by_rule();
    story.to("2026-03-23T23:58:00+08:00");
    assert_eq!(story.stage(1), "accepted", "the last day is in time");
    story.to("2026-03-24T00:00:00+08:00");
    assert_eq!(story.stage(1), "terminated");
    let by_rule = Terms::ByRule("示例办法第八条".to_owned());
    assert_eq!(ended_by(&story), Some((&Origin::Clock, &by_rule)));
    assert!(story.task(TaskKind::CorrectionMissed).is_none());
    assert!(story.law(1).ground.contains("示例办法第八条"), "the applicant is told why");
}

#[test]
fn without_a_rule_of_its_own_a_missed_correction_is_an_officers_to_judge() {
    let mut definition = matter("a");
    definition.form = vec![field("x")];
    let mut story = Story::begin(vec![part("a", &[])], vec![(definition, decide_and_act())]);
    story.take(&[act_by(approver(), 1, ask_correction(&[], &["x"]))]);
    story.to("2026-03-24T00:00:00+08:00");
    assert_eq!((story.stage(1), ended_by(&story)), ("accepted", None));
    assert!(story.task(TaskKind::CorrectionMissed).is_some());
}

#[test]
fn a_correction_and_the_clock_in_one_turn_end_nothing_whichever_was_queued_first() {
    let timely = Command::AmendForm {
        by: clerk(),
        fields: Value::of([("x", "mended".into())]),
        reason: "门户补录".to_owned(),
        came: came("2026-03-23T16:00:00+08:00"),
        seen: None,
    };
    for queued in [[timely.clone(), Command::Tick], [Command::Tick, timely]] {
        let mut story = ends_by_rule();
        story.unseen("2026-03-25T09:00:00+08:00").take(&queued);
        assert_eq!(story.answers, [Answer::Done, Answer::Done]);
        assert_eq!((story.stage(1), ended_by(&story)), ("accepted", None), "{queued:?}");
        assert!(story.law(1).correction().is_none(), "it counts");
        assert_eq!(story.kinds(), [TaskKind::Decide]);
    }
}

#[test]
fn a_refusal_stays_with_its_command_though_time_is_heard_last() {
    let mut story = at_window();
    story.take(&[Command::Tick, act_by(approver(), 9, accept())]);
    let [time, person] = story.answers.as_slice() else { panic!("{:?}", story.answers) };
    assert_eq!(*time, Answer::Done);
    assert!(matches!(person, Answer::Refused(_)), "{person:?}");
}

/// The drain comes before the clock, so that what was under way when the period passed has been
/// heard. What a window records after the end finds the first end of the matter, which stays; the
/// office is told, because what came in time is timely however late it is recorded.
#[test]
fn what_came_in_time_and_is_recorded_after_the_matter_was_ended_by_its_rule_is_told_to_the_office()
{
    let recorded = |at: &str| Command::AmendForm {
        by: clerk(),
        fields: Value::of([("x", at.into())]),
        reason: "窗口补录".to_owned(),
        came: came(at),
        seen: None,
    };
    let mut story = ends_by_rule();
    story.to("2026-03-24T00:00:00+08:00");
    assert_eq!(story.stage(1), "terminated");
    for too_late in ["2026-03-24T00:00:00+08:00", "2026-03-01T09:00:00+08:00"] {
        story.take(&[recorded(too_late)]);
        assert!(story.task(TaskKind::Amendment).is_none(), "{too_late}");
    }
    for in_time in ["2026-03-23T16:00:00+08:00", "2026-03-23T17:00:00+08:00"] {
        story.take(&[recorded(in_time)]);
        assert_eq!(story.answers, [Answer::Done], "it is kept as evidence");
    }
    let by_rule = Terms::ByRule("示例办法第八条".to_owned());
    assert_eq!(
        (story.stage(1), ended_by(&story)),
        ("terminated", Some((&Origin::Clock, &by_rule)))
    );
    assert_eq!(story.kinds(), [TaskKind::Amendment], "the office is told once");
    story.complete_as(approver(), TaskKind::Amendment, Yes);
    assert_eq!(story.answers, [Answer::Done]);
    assert_eq!(story.kinds(), []);
}

/// A listed material used to be refused as one that nobody had asked for.
#[test]
fn a_listed_material_that_came_in_time_is_kept_though_its_matter_was_ended_by_rule() {
    let mut definition = matter("a");
    definition.materials = vec![mat("m", vec![upload()])];
    definition.procedure.correction.ends_by = "示例办法第八条".to_owned();
    let tolerant = Part { tolerates: vec!["m".to_owned()], ..part("a", &[]) };
    let mut story = Story::begin(vec![tolerant], vec![(definition, decide_and_act())]);
    story.take(&[act_by(approver(), 1, ask_correction(&["m"], &[]))]);
    story.to("2026-03-24T00:00:00+08:00");
    assert_eq!(story.stage(1), "terminated");
    let hand = |at: &str| Command::GiveMaterial {
        by: clerk(),
        given: MaterialGiven::file("m", "f.pdf", Digest::of(b"mended")),
        came: came(at),
    };
    story.take(&[hand("2026-03-24T00:00:00+08:00")]);
    assert_eq!(story.refused().as_deref(), Some("NOT_OPEN"), "that was too late");
    story.take(&[hand("2026-03-23T16:00:00+08:00")]);
    assert_eq!(story.answers, [Answer::Done]);
    assert!(story.case.handed("m").is_some());
    assert_eq!((story.stage(1), story.kinds()), ("terminated", vec![TaskKind::Amendment]));
}
