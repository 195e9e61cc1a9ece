//! Turns driven as a conversation: commands in, entries out. Scripts are Rust closures over the
//! replay cursor, so that the rules are tested without any language.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::agency::{AgencyAct, AgencyReply, DocumentRef, ReplyBody};
use crate::command::{TaskAt, TaskOutcome};
use crate::definition::{After, DecidesIn, Intake, Limits, MatterDef, Part, Regime, ServiceDef};
use crate::definition::{MaterialDef, Source};
use crate::digest::Digest;
use crate::entry::{Party, TaskKind};
use crate::id::{DepartmentCode, MatterCode, RegionCode, RoleCode, ServiceCode};
use crate::law::{ActAnswer, ActKind, Ending, Stage};
use crate::port::{Look, RunEnd, RunFunction, RunJob, RunOutput, ScriptFaultKind};
use crate::read_model;
use crate::replay::{Arrived, Handle, Join, Members, Replay, Stop};
use crate::request::{Ask, Evidence, Outcome, OutcomeKind};
use crate::start::StartCase;
use crate::summary::CaseState;
use crate::value::Value;
use crate::viewer::{Role, Viewer};

type Handler = Box<dyn Fn(&mut Replay) -> Result<RunEnd, Stop> + Send + Sync>;

/// A script host of closures, one for each matter.
#[derive(Default)]
struct Closures {
    closure: Option<Arc<Closure>>,
    bodies: BTreeMap<MatterCode, Handler>,
    advices: BTreeMap<MatterCode, Handler>,
    broken: Mutex<bool>,
}

impl Script for Closures {
    fn services(&self) -> Vec<Arc<Closure>> {
        self.closure.iter().cloned().collect()
    }
    fn active(&self, _service: &ServiceCode) -> Option<Arc<Closure>> {
        self.closure.clone()
    }
    fn closure(&self, _digest: &Digest) -> Option<Arc<Closure>> {
        self.closure.clone()
    }
    fn sources(&self, _digest: &Digest) -> Option<Vec<u8>> {
        Some(Vec::new())
    }
    fn adopt(&self, _digest: &Digest, _sources: &[u8]) -> Result<(), ScriptFault> {
        Ok(())
    }
    fn select(&self, closure: &Closure, _answers: &Value) -> Result<Vec<bool>, ScriptFault> {
        Ok(vec![true; closure.service.parts.len()])
    }
    fn run(&self, job: &RunJob<'_>, mut replay: Replay) -> RunOutput {
        if *self.broken.lock().unwrap() {
            let fault = ScriptFault::new(ScriptFaultKind::Infrastructure, "out of time");
            return RunOutput::of(RunEnd::Failed(fault));
        }
        let bodies = match job.function {
            RunFunction::Handle => &self.bodies,
            RunFunction::Intake => &self.advices,
        };
        let said = bodies[job.matter](&mut replay).unwrap_or(RunEnd::Suspended);
        replay.conclude(said)
    }
    fn look(&self, job: &RunJob<'_>, mut replay: Replay) -> Look {
        let said = self.bodies[job.matter](&mut replay).unwrap_or(RunEnd::Suspended);
        replay.shown(said)
    }
}

/// Carries everything but what nobody knows, until everything is bound.
struct Bound {
    all: bool,
}

impl Wiring for Bound {
    fn connector_for(&self, operation: &str, _region: &RegionCode) -> Option<String> {
        (self.all || !operation.starts_with("nobody."))
            .then(|| operation.split('.').next().unwrap().to_owned())
    }

    fn reply_within(&self, operation: &str, _region: &RegionCode) -> Option<crate::time::Period> {
        operation.starts_with("tax.").then(|| "2 working days".parse().unwrap())
    }
}

fn matter(code: &str) -> MatterDef {
    MatterDef {
        code: MatterCode::new(code),
        name: format!("事项{code}"),
        name_en: String::new(),
        department: DepartmentCode::new("natural-resources"),
        regime: Regime::Licence,
        basis: String::new(),
        intake: Intake::Auto,
        decides_in: DecidesIn::Here,
        limits: Limits { statutory: None, promised: Some("1 working day".parse().unwrap()) },
        form: Vec::new(),
        materials: Vec::new(),
        gives: None,
        procedure: crate::law::Procedure::default(),
        fees: Vec::new(),
        advises: false,
    }
}

fn part(code: &str, after: &[&str]) -> Part {
    Part {
        after: after.iter().map(|code| (MatterCode::new(*code), After::Granted)).collect(),
        ..Part::new(MatterCode::new(code))
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Said {
    Yes,
    No,
}
use Said::{No, Yes};

/// A case with its script host, driven by commands.
struct Story {
    scripts: Closures,
    case: Arc<Case>,
    entries: Vec<Entry>,
    now: Moment,
    answers: Vec<Answer>,
    effects: Vec<Effect>,
    bound_all: bool,
    unheard: Vec<usize>,
    unfinished: bool,
    organisation: crate::organisation::Organisation,
}

fn clerk() -> Viewer {
    Viewer::new("clerk", Role::WindowClerk).within("420302")
}

fn approver() -> Viewer {
    Viewer::new("approver", Role::Approver).within("420300").of("natural-resources")
}

fn applicant() -> Viewer {
    Viewer::new("boss", Role::Applicant).for_party("91420302MA4DEM010M")
}

/// The applicant's authorisation to ask a source for a purpose.
fn consent(source: &str, purpose: &str) -> crate::entry::Consent {
    crate::entry::Consent {
        license: source.to_owned(),
        holder: "91420302MA4DEM010M".to_owned(),
        purpose: purpose.to_owned(),
        text_version: "1".to_owned(),
    }
}

const SECRET: [u8; 32] = [9; 32];

impl Story {
    fn begin(parts: Vec<Part>, matters: Vec<(MatterDef, Handler)>) -> Self {
        Self::advised(parts, matters, BTreeMap::new())
    }

    /// Begins after the applicant has authorised these licenses and data resources.
    fn authorised(parts: Vec<Part>, matters: Vec<(MatterDef, Handler)>, sources: &[&str]) -> Self {
        let mut story = Self::drafted(parts, matters, BTreeMap::new());
        let consents = sources.iter().map(|source| consent(source, "*"));
        let consents = consents.map(|consent| Command::Consent { by: applicant(), consent });
        story.take(&consents.collect::<Vec<_>>());
        story.take(&[Command::Submit { by: applicant() }]);
        story
    }

    fn advised(
        parts: Vec<Part>,
        matters: Vec<(MatterDef, Handler)>,
        advices: BTreeMap<MatterCode, Handler>,
    ) -> Self {
        let mut story = Self::drafted(parts, matters, advices);
        story.take(&[Command::Submit { by: applicant() }]);
        story
    }

    fn drafted(
        parts: Vec<Part>,
        matters: Vec<(MatterDef, Handler)>,
        advices: BTreeMap<MatterCode, Handler>,
    ) -> Self {
        let mut scripts = Closures { advices, ..Closures::default() };
        let mut definitions = BTreeMap::new();
        for (definition, body) in matters {
            scripts.bodies.insert(definition.code.clone(), body);
            definitions.insert(definition.code.clone(), definition);
        }
        let closure = Arc::new(Closure {
            digest: Digest([1; 32]),
            api_level: 1,
            service: ServiceDef {
                code: ServiceCode::new("test"),
                name: "测试".to_owned(),
                name_en: String::new(),
                lead: DepartmentCode::new("natural-resources"),
                target: "project".to_owned(),
                regions: vec![RegionCode::new("420300")],
                promise: None,
                questions: Vec::new(),
                parts,
                computed: false,
                on_partial: false,
            },
            matters: definitions,
        });
        scripts.closure = Some(Arc::clone(&closure));
        let boss = Party { id: "91420302MA4DEM010M".to_owned(), name: "示例".to_owned() };
        let input = StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), boss);
        let selected = vec![true; closure.service.parts.len()];
        let started = crate::start::start(&closure, input, "N1".to_owned(), &selected).unwrap();
        let now = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
        let id = CaseId::new(now, [3; 10]);
        let secret = Secret::new(SECRET);
        let calendars = Calendars::shipped();
        let organisation = crate::organisation::Organisation::default();
        let context = TurnContext {
            now,
            wire_now: now,
            script: &scripts,
            wiring: &Bound { all: false },
            calendars: &calendars,
            organisation: &organisation,
            secret: &secret,
            closure: &closure,
            issuing: super::Issuing::Drafts,
        };
        let output = super::begin(id, started, Origin::Engine, &context).unwrap();
        Self {
            case: output.case,
            entries: output.entries,
            now,
            answers: Vec::new(),
            effects: Vec::new(),
            organisation: crate::organisation::Organisation::default(),
            scripts,
            bound_all: false,
            unheard: Vec::new(),
            unfinished: false,
        }
    }

    fn take(&mut self, commands: &[Command]) -> &mut Self {
        self.now = self.now.plus_millis(60_000);
        let secret = Secret::new(SECRET);
        let calendars = Calendars::shipped();
        let closure = self.scripts.closure.clone().unwrap();
        let context = TurnContext {
            now: self.now,
            wire_now: self.now,
            script: &self.scripts,
            wiring: &Bound { all: self.bound_all },
            calendars: &calendars,
            organisation: &self.organisation,
            secret: &secret,
            closure: &closure,
            issuing: super::Issuing::Drafts,
        };
        let output = super::take(Arc::clone(&self.case), commands, &context).unwrap();
        self.case = output.case;
        self.entries.extend(output.entries);
        self.answers = output.answers;
        self.effects = output.effects;
        self.unheard = output.unheard;
        self.unfinished = output.unfinished;
        let again = Case::from_entries(self.case.id, &self.entries).unwrap();
        assert_eq!(*self.case, again, "the log folds to the state of the turn");
        self
    }

    fn stage(&self, no: u16) -> &'static str {
        self.case.matter(MatterNo(no)).unwrap().law.stage.code()
    }

    fn open_call(&self, no: u16) -> crate::case::CallState {
        let mut open = self.case.open_calls().filter(|call| call.matter == MatterNo(no));
        open.next().expect("a call is open").clone()
    }

    fn reply_to(&self, no: u16, seq: u32, body: ReplyBody) -> Command {
        let call = self.open_call(no);
        reply_as(&call, seq, body)
    }

    fn completes(&mut self, no: u16) -> &mut Self {
        let reply = self.reply_to(no, 9, completed("P-1"));
        self.take(&[reply])
    }

    fn decide(&mut self, no: u16, said: Said) -> &mut Self {
        let granted = said == Said::Yes;
        let task = self.case.open_tasks().find(|task| task.matter == MatterNo(no)).unwrap();
        let command = Command::CompleteTask {
            by: if task.opened.kind == TaskKind::Intake { clerk() } else { approver() },
            task: TaskAt { no: task.no, version: task.version },
            outcome: TaskOutcome { granted, opinion: "理由".to_owned(), fields: Value::map() },
            seen: crate::command::Seen::default(),
        };
        self.take(&[command])
    }

    /// What goes out to agencies; notices are rendered after every commit.
    fn calls_out(&self) -> usize {
        self.effects.iter().filter(|effect| !matches!(effect, Effect::Issue(_))).count()
    }

    fn incidents(&self) -> Vec<&'static str> {
        self.case.incidents.values().map(|state| state.incident.kind.code()).collect()
    }
}

fn reply_as(call: &crate::case::CallState, seq: u32, body: ReplyBody) -> Command {
    let digest = Digest::of(format!("{seq}{body:?}").as_bytes());
    let at = Moment::parse("2026-03-02T09:30:00+08:00").unwrap();
    let connector = call.made.connector.clone();
    Command::Reply { connector, reply: AgencyReply { call: call.made.id, seq, digest, at, body } }
}

fn completed(number: &str) -> ReplyBody {
    let document = DocumentRef {
        role: "permit".to_owned(),
        number: number.to_owned(),
        digest: Digest::of(number.as_bytes()),
    };
    ReplyBody::Completed { output: Value::of([("no", number.into())]), documents: vec![document] }
}

fn rejected() -> ReplyBody {
    ReplyBody::Otherwise(Outcome {
        kind: OutcomeKind::Rejected,
        reason: "不符合条件".to_owned(),
        detail: Value::Null,
    })
}

fn call(operation: &str) -> Ask {
    Ask::Call { operation: operation.to_owned(), place: None, input: Value::map() }
}

fn decision() -> Ask {
    Ask::Decide {
        role: "natural-resources.approver".to_owned(),
        title: "审批".to_owned(),
        facts: Value::Null,
        options: Value::Null,
    }
}

/// Waits, and ends the run as a script does that catches nothing.
fn get(replay: &mut Replay, handle: Handle) -> Result<Result<Arrived, RunEnd>, Stop> {
    let arrived = replay.wait(handle)?;
    if let Arrived::Thrown { key, .. } = arrived {
        return Ok(Err(RunEnd::Uncaught(key)));
    }
    Ok(Ok(arrived))
}

macro_rules! or_end {
    ($got:expr) => {
        match $got? {
            Ok(arrived) => arrived,
            Err(end) => return Ok(end),
        }
    };
}

mod actors;
mod advice;
mod consent;
mod dry_run;
mod durable;
mod full;
mod hands;
mod late;
mod losers;
mod needs;
mod notices;
mod patched;
mod prefill;
mod promises;
mod reports;
mod returned;
mod silence;
mod timers;
mod ways;
mod words;

/// Asks one agency and grants on its documents.
fn ask_and_grant() -> Handler {
    Box::new(|replay| {
        let handle = replay.request(call("agency.issue"))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, handle)) else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

/// Asks a person; grants on yes, denies on no.
fn decide_and_act() -> Handler {
    Box::new(|replay| {
        let handle = replay.request(decision())?;
        let Arrived::Decision { key, decision } = replay.wait(handle)? else { unreachable!() };
        let act = if decision.granted { ActKind::Grant } else { ActKind::Deny };
        replay.act(act, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    })
}

fn one(body: Handler) -> Story {
    Story::begin(vec![part("a", &[])], vec![(matter("a"), body)])
}

#[test]
fn a_call_then_a_grant_ends_the_case() {
    let mut story = one(ask_and_grant());
    assert_eq!(story.stage(1), "accepted");
    assert_eq!(story.calls_out(), 1);
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
    assert_eq!(read_model::state(&story.case), CaseState::CompletedAll);
    assert!(story.incidents().is_empty());
}

#[test]
fn a_predecessor_denied_leaves_its_dependants_not_filed() {
    let parts = vec![part("a", &[]), part("b", &["a"]), part("c", &["b"]), part("d", &[])];
    let matters = ["a", "b", "c", "d"].map(|code| (matter(code), decide_and_act()));
    let mut story = Story::begin(parts, matters.into());
    story.decide(1, No);
    let stages = [1, 2, 3, 4].map(|no| story.stage(no));
    assert_eq!(stages, ["denied", "not_filed", "not_filed", "accepted"]);
    let ground = &story.case.matters[1].law.ground;
    assert!(ground.contains("事项a"), "{ground}");
    // No clock ever ran for what was not filed.
    assert!(story.case.matters[1].law.clocks().is_empty());
    story.decide(4, Yes);
    assert_eq!(read_model::state(&story.case), CaseState::CompletedWithFailures);
}

#[test]
fn a_script_error_after_a_decision_keeps_the_decision() {
    let mut story = one(Box::new(|replay| {
        let handle = replay.request(decision())?;
        replay.wait(handle)?;
        let _unused = replay.request(call("agency.issue"))?;
        Ok(RunEnd::Failed(ScriptFault::new(ScriptFaultKind::Script, "boom")))
    }));
    story.decide(1, Yes);
    assert_eq!(story.incidents(), ["SCRIPT_FAILED"]);
    assert!(story.effects.is_empty(), "none of the failed run's requests counts");
    let decided = story.entries.iter().any(
        |entry| matches!(&entry.body, Body::TaskCompleted { decision, .. } if decision.granted),
    );
    assert!(decided);
    let journal = &story.case.matters[0].run.requests;
    assert_eq!(journal.len(), 1);
    assert!(journal[0].settled.is_some());
}

#[test]
fn a_rejected_call_does_not_flow_into_a_grant() {
    let mut story = one(ask_and_grant());
    let reply = story.reply_to(1, 1, rejected());
    story.take(&[reply]);
    assert_eq!(story.stage(1), "accepted");
    let task = story.case.open_tasks().next().unwrap();
    assert_eq!(task.opened.kind, TaskKind::Rejected);
    story.decide(1, No);
    assert_eq!(story.stage(1), "denied");
}

#[test]
fn asking_again_after_a_rejection_makes_a_new_call_and_keeps_what_was_got() {
    let mut story = one(Box::new(|replay| {
        let first = replay.request(call("agency.look"))?;
        or_end!(get(replay, first));
        let second = replay.request(call("agency.issue"))?;
        let Arrived::Output { key, .. } = or_end!(get(replay, second)) else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    }));
    story.completes(1);
    let refused = story.open_call(1);
    let reply = reply_as(&refused, 1, rejected());
    story.take(&[reply]).decide(1, Yes);
    let again = story.open_call(1);
    assert_ne!(again.made.id, refused.made.id);
    let calls = story.case.calls.len();
    assert_eq!(calls, 3, "the look was adopted, not called again");
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
    assert!(story.incidents().is_empty(), "{:?}", story.incidents());
}

#[test]
fn a_grant_without_evidence_is_refused() {
    let mut story = one(Box::new(|replay| {
        let handle = replay.request(call("agency.issue"))?;
        let arrived = replay.wait(handle)?;
        let Arrived::Thrown { key, .. } = arrived else { unreachable!() };
        let answer = replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        assert!(matches!(answer, Arrived::Answer(ActAnswer::Refused { .. })));
        Ok(RunEnd::Finished)
    }));
    let reply = story.reply_to(1, 1, rejected());
    story.take(&[reply]);
    assert_eq!(story.stage(1), "accepted");
    assert_eq!(story.incidents(), ["STALLED"]);
}

#[test]
fn a_scripted_refusal_becomes_an_officers_task() {
    let mut story = one(Box::new(|replay| {
        let detail = Value::of([("reason", "面积超限".into())]);
        replay.act(ActKind::Deny, None, detail)?;
        Ok(RunEnd::Finished)
    }));
    assert_eq!(story.stage(1), "accepted");
    let task = story.case.open_tasks().next().unwrap();
    assert_eq!(task.opened.kind, TaskKind::ConfirmDenial);
    story.decide(1, Yes);
    assert_eq!(story.stage(1), "denied");
}

#[test]
fn a_script_cannot_terminate_a_matter() {
    let mut story = one(Box::new(|replay| {
        let answer = replay.act(ActKind::Terminate, None, Value::map())?;
        assert!(matches!(answer, Arrived::Answer(ActAnswer::Refused { .. })));
        Ok(RunEnd::Finished)
    }));
    assert_eq!(story.stage(1), "accepted");
    story.take(&[Command::Tick]);
    assert_eq!(story.stage(1), "accepted");
}

#[test]
fn a_reply_through_another_connector_is_unknown() {
    let mut story = one(ask_and_grant());
    let Command::Reply { reply, .. } = story.reply_to(1, 1, completed("P")) else { unreachable!() };
    story.take(&[Command::Reply { connector: "evil".to_owned(), reply }]);
    assert_eq!(story.answers, [Answer::Acked(crate::agency::Ack::UnknownCall)]);
    assert_eq!(story.stage(1), "accepted");
}

#[test]
fn replies_twice_and_contradictions_are_told_apart() {
    use crate::agency::Ack;
    let mut story = one(ask_and_grant());
    let first = story.reply_to(1, 1, completed("P-1"));
    let call = story.open_call(1);
    story.take(&[first.clone(), first]);
    assert_eq!(story.answers, [Answer::Acked(Ack::Stored), Answer::Acked(Ack::Duplicate)]);
    let other = reply_as(&call, 2, completed("P-2"));
    story.take(&[other]);
    assert_eq!(story.answers, [Answer::Acked(Ack::TerminalConflict)]);
    assert_eq!(story.case.matters[0].result.as_ref().unwrap().number, "N1-1");
    assert_eq!(story.incidents(), ["TERMINAL_CONFLICT"]);
}

fn elsewhere() -> Story {
    let mut definition = matter("a");
    definition.decides_in = DecidesIn::Connector;
    let body: Handler = Box::new(|replay| {
        let handle = replay.request(call("title.register"))?;
        or_end!(get(replay, handle));
        Ok(RunEnd::Finished)
    });
    Story::begin(vec![part("a", &[])], vec![(definition, body)])
}

fn act(name: &str, ground: &str, at: &str) -> ReplyBody {
    ReplyBody::Act(AgencyAct {
        act: name.to_owned(),
        effective_at: Moment::parse(at).unwrap(),
        document_no: "T-1".to_owned(),
        ground: ground.to_owned(),
        officer: "officer".to_owned(),
        detail: Value::map(),
    })
}

#[test]
fn a_department_that_decides_elsewhere_reports_its_acts() {
    let mut story = elsewhere();
    assert_eq!(story.stage(1), "received");
    let accepted = story.reply_to(1, 1, act("accepted", "", "2026-03-02T09:00:30+08:00"));
    let decided = story.reply_to(1, 2, act("decided", "granted", "2026-03-02T09:05:00+08:00"));
    story.take(&[accepted]).take(&[decided]);
    assert_eq!(story.stage(1), "granted");
    assert_eq!(story.case.matters[0].result.as_ref().unwrap().number, "T-1");
    assert_eq!(read_model::state(&story.case), CaseState::PartiallyCompleted, "the call is open");
    story.completes(1);
    assert_eq!(read_model::state(&story.case), CaseState::CompletedAll);
    assert!(story.incidents().is_empty());
}

#[test]
fn nobody_is_told_when_a_department_that_decides_elsewhere_never_acts() {
    let mut definition = matter("a");
    definition.decides_in = DecidesIn::Connector;
    definition.regime = Regime::PublicService;
    definition.limits = Limits { statutory: None, promised: None };
    let mut story = Story::begin(
        vec![part("a", &[])],
        vec![(
            definition,
            Box::new(|replay| {
                let handle = replay.request(call("title.register"))?;
                or_end!(get(replay, handle));
                Ok(RunEnd::Finished)
            }),
        )],
    );
    let accepted = story.reply_to(1, 1, act("accepted", "", "2026-03-02T09:00:30+08:00"));
    story.take(&[accepted]);
    assert!(story.incidents().is_empty(), "the call is under way: {:?}", story.incidents());
    let asked = story.open_call(1);
    story.completes(1);
    assert_eq!(story.incidents(), ["STALLED"], "no clock would ever notice the silence");
    let decided = act("decided", "granted", "2026-03-02T09:05:00+08:00");
    story.take(&[reply_as(&asked, 20, decided)]);
    assert_eq!(story.stage(1), "granted", "{:?}", story.incidents());
    assert_eq!(story.case.open_incidents().count(), 0, "what went on by itself needs nobody");
}

#[test]
fn a_department_that_was_never_told_of_a_matter_is_a_stall() {
    let mut definition = matter("a");
    definition.decides_in = DecidesIn::Connector;
    let body: Handler = Box::new(|_| Ok(RunEnd::Finished));
    let story = Story::begin(vec![part("a", &[])], vec![(definition, body)]);
    assert_eq!(story.incidents(), ["STALLED"], "acts come through calls, and there was none");
}

#[test]
fn a_decision_that_overtakes_its_acceptance_waits_for_it() {
    let mut story = elsewhere();
    let decided = story.reply_to(1, 2, act("decided", "granted", "2026-03-02T09:05:00+08:00"));
    let accepted = story.reply_to(1, 1, act("accepted", "", "2026-03-02T09:00:30+08:00"));
    story.take(&[decided]);
    assert_eq!(story.stage(1), "received");
    story.take(&[accepted]);
    assert_eq!(story.stage(1), "granted");
    assert!(story.incidents().is_empty());
}

#[test]
fn acts_of_the_future_and_of_strangers_are_raised_not_applied() {
    let mut story = elsewhere();
    let future = story.reply_to(1, 1, act("accepted", "", "2099-01-01T00:00:00+08:00"));
    story.take(&[future]);
    assert_eq!(story.stage(1), "received");
    assert_eq!(story.incidents(), ["UNLAWFUL_ACT"]);
    let mut here = one(ask_and_grant());
    let act = here.reply_to(1, 1, act("decided", "granted", "2026-03-02T09:05:00+08:00"));
    here.take(&[act]);
    assert_eq!(here.stage(1), "accepted");
    assert_eq!(here.incidents(), ["UNLAWFUL_ACT"]);
}

#[test]
fn a_tolerated_material_is_owed_until_the_earlier_matter_gives_it() {
    let mut late = matter("late");
    late.materials.push(MaterialDef {
        code: "permit-of-a".to_owned(),
        name: "许可".to_owned(),
        sources: vec![Source::ResultOf(MatterCode::new("a"))],
    });
    let body = || -> Handler {
        Box::new(|replay| {
            let handle = replay.request(decision())?;
            let Arrived::Decision { key, .. } = replay.wait(handle)? else { unreachable!() };
            let owed = !replay.owed().is_empty();
            let act = if owed { ActKind::GrantTolerant } else { ActKind::Grant };
            replay.act(act, Some(Evidence::Decision(key)), Value::map())?;
            Ok(RunEnd::Finished)
        })
    };
    let tolerant = || Part { tolerates: vec!["permit-of-a".to_owned()], ..part("late", &[]) };
    let begin = || {
        let matters = vec![(matter("a"), decide_and_act()), (late.clone(), body())];
        Story::begin(vec![part("a", &[]), tolerant()], matters)
    };
    let mut early = begin();
    early.decide(2, Yes);
    assert_eq!(early.stage(2), "granted_tolerant");
    let mut patient = begin();
    patient.decide(1, Yes).decide(2, Yes);
    assert_eq!(patient.stage(2), "granted");
}

#[test]
fn the_window_accepts_what_is_not_automatic_and_needs_a_ground_to_refuse() {
    let mut definition = matter("a");
    definition.intake = Intake::Window;
    let mut story = Story::begin(vec![part("a", &[])], vec![(definition, decide_and_act())]);
    assert_eq!(story.stage(1), "received");
    story.decide(1, No);
    assert!(matches!(&story.answers[0], Answer::Refused(why) if why.code == "GROUND_UNKNOWN"));
    assert_eq!(story.stage(1), "received");
    story.decide(1, Yes);
    assert_eq!(story.stage(1), "accepted");
}

#[test]
fn nobody_acts_on_a_case_that_he_does_not_see() {
    let mut story = one(decide_and_act());
    let stranger = Viewer::new("other", Role::Applicant).for_party("91411300MA9DEM028R");
    story.take(&[Command::Withdraw { by: stranger, reason: "x".to_owned() }]);
    assert!(matches!(&story.answers[0], Answer::Refused(why) if why.code == "CASE_NOT_FOUND"));
    assert_eq!(story.stage(1), "accepted");
    story.take(&[Command::Withdraw { by: applicant(), reason: "不办了".to_owned() }]);
    assert_eq!(story.stage(1), "withdrawn");
    assert_eq!(story.case.open_tasks().count(), 0);
    assert_eq!(read_model::state(&story.case), CaseState::Withdrawn);
}

#[test]
fn a_stale_task_version_is_refused_with_the_current_one() {
    let mut story = one(decide_and_act());
    let task = story.case.open_tasks().next().unwrap().no;
    let claim = Command::ClaimTask { by: approver(), task: TaskAt { no: task, version: 1 } };
    let second = Viewer { subject: "second".to_owned(), ..approver() };
    let late = Command::ClaimTask { by: second, task: TaskAt { no: task, version: 1 } };
    story.take(&[claim, late]);
    assert_eq!(story.answers[0], Answer::Done);
    assert!(matches!(&story.answers[1], Answer::Refused(why) if why.current == Some(2)));
}

#[test]
fn combinators_follow_entry_order() {
    let body: Handler = Box::new(|replay| {
        let calls = ["x.one", "x.two"].map(call);
        let [one, two] = calls;
        let (one, two) = (replay.request(one)?, replay.request(two)?);
        let race = replay.join(Join::Race(Members::List(vec![one, two])))?;
        let Arrived::Output { key, .. } = replay.wait(race)? else { unreachable!() };
        assert_eq!(key.ordinal, 1, "the second call's entry came first");
        let all = replay.join(Join::All(Members::List(vec![one, two])))?;
        replay.wait(all)?;
        replay.act(ActKind::Grant, Some(Evidence::Call(key)), Value::map())?;
        Ok(RunEnd::Finished)
    });
    let mut story = one(body);
    let calls: Vec<_> = story.case.open_calls().cloned().collect();
    let at = |ordinal| calls.iter().find(|call| call.request.ordinal == ordinal).unwrap();
    let (one, two) = (at(0), at(1));
    story.take(&[reply_as(two, 1, completed("2"))]);
    story.take(&[reply_as(one, 1, completed("1"))]);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn a_timeout_that_is_due_first_leaves_the_call_as_an_obligation() {
    let body: Handler = Box::new(|replay| {
        let slow = replay.request(call("x.slow"))?;
        let timer = replay.timer("2 hours".parse().unwrap())?;
        let limited = replay.join(Join::Timeout { handle: slow, timer })?;
        let Arrived::Thrown { outcome, .. } = replay.wait(limited)? else { unreachable!() };
        assert_eq!(outcome.kind, OutcomeKind::TimedOut);
        let handle = replay.request(decision())?;
        let Arrived::Decision { key, .. } = replay.wait(handle)? else { unreachable!() };
        replay.act(ActKind::Grant, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    });
    let mut story = one(body);
    story.take(&[Command::Tick]);
    assert_eq!(story.case.open_tasks().count(), 0, "not due yet");
    story.now = story.now.plus_millis(3 * 3_600_000);
    story.take(&[Command::Tick]).decide(1, Yes);
    assert_eq!(story.stage(1), "granted");
    assert_eq!(read_model::state(&story.case), CaseState::PartiallyCompleted);
    story.completes(1);
    assert_eq!(read_model::state(&story.case), CaseState::PartiallyCompleted, "it came too late");
    story.decide(1, Yes);
    assert_eq!(read_model::state(&story.case), CaseState::CompletedAll);
}

#[test]
fn a_tower_of_combinators_is_one_incident() {
    let story = one(Box::new(|replay| {
        let mut handle = replay.request(call("x.y"))?;
        for _ in 0..60_000 {
            handle = replay.join(Join::All(Members::List(vec![handle, handle])))?;
        }
        replay.wait(handle)?;
        Ok(RunEnd::Finished)
    }));
    assert_eq!(story.incidents(), ["LIMIT_EXCEEDED"]);
    assert_eq!(story.calls_out(), 0);
}

#[test]
fn a_changed_script_is_a_mismatch_with_both_sides() {
    for changed in ["other operation", "asks no more"] {
        let mut story = one(ask_and_grant());
        let body: Handler = match changed {
            "asks no more" => Box::new(|_| Ok(RunEnd::Finished)),
            _ => Box::new(|replay| {
                let handle = replay.request(call("agency.other"))?;
                replay.wait(handle)?;
                Ok(RunEnd::Finished)
            }),
        };
        story.scripts.bodies.insert(MatterCode::new("a"), body);
        story.completes(1);
        assert_eq!(story.incidents(), ["REPLAY_MISMATCH"], "{changed}");
        let incident = &story.case.incidents.values().next().unwrap().incident;
        assert!(incident.expected.contains("agency.issue"), "{}", incident.expected);
        assert_eq!(story.stage(1), "accepted");
    }
}

#[test]
fn a_fault_of_the_machine_takes_nothing_from_what_was_accepted() {
    let mut story = one(decide_and_act());
    *story.scripts.broken.lock().unwrap() = true;
    story.decide(1, Yes);
    assert!(story.incidents().is_empty());
    assert_eq!(story.stage(1), "accepted");
    *story.scripts.broken.lock().unwrap() = false;
    story.take(&[Command::Wake]);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn a_failed_turn_stops_only_its_own_matter() {
    let parts = vec![part("a", &[]), part("b", &[])];
    let matters = ["a", "b"].map(|code| (matter(code), decide_and_act()));
    let mut story = Story::begin(parts, matters.into());
    let failed = Command::TurnFailed { matter: MatterNo(1), reason: "x".to_owned() };
    story.take(&[failed]);
    assert_eq!(story.incidents(), ["TURN_FAILED"]);
    story.decide(2, Yes);
    assert_eq!(story.stage(2), "granted");
}

#[test]
fn an_operation_without_connector_is_an_incident_and_no_call() {
    let story = one(Box::new(|replay| {
        let handle = replay.request(call("nobody.answers"))?;
        replay.wait(handle)?;
        Ok(RunEnd::Finished)
    }));
    assert_eq!(story.incidents(), ["CALL_FAILED"]);
    assert_eq!(story.calls_out(), 0);
}

#[test]
fn many_matters_are_submitted_in_one_turn() {
    let codes: Vec<String> = (0..100).map(|no| format!("m{no:03}")).collect();
    let parts = codes.iter().map(|code| part(code, &[])).collect();
    let matters = codes.iter().map(|code| (matter(code), decide_and_act())).collect();
    let story = Story::begin(parts, matters);
    assert!(story.incidents().is_empty());
    assert_eq!(story.case.open_tasks().count(), 100);
}

#[test]
fn a_call_that_the_agency_forgot_is_raised_though_it_was_accepted() {
    let mut story = one(ask_and_grant());
    let accepted = ReplyBody::Accepted { ticket: None, expect_by: None, next_query_after: None };
    let reply = story.reply_to(1, 1, accepted);
    let call = story.open_call(1).made.id;
    story.take(&[reply]);
    let fault = crate::agency::Fault {
        class: crate::agency::FaultClass::Conflict,
        effect: crate::agency::Effect::Unknown,
        code: "forgotten".to_owned(),
        retry_after: None,
        text: String::new(),
    };
    story.take(&[Command::CallFailed { call, fault }]);
    assert_eq!(story.incidents(), ["CALL_FAILED"]);
    // A late genuine reply still wins over the presumption.
    story.completes(1);
    assert_eq!(story.stage(1), "granted");
}

#[test]
fn a_fenced_call_is_made_anew_and_gives_up_after_a_few() {
    let mut story = one(ask_and_grant());
    let first = story.open_call(1).made.id;
    story.take(&[Command::CallFenced { call: first }]);
    let second = story.open_call(1).made.id;
    assert_ne!(first, second);
    assert_eq!(story.effects, [Effect::Send(second)]);
    story.take(&[Command::CallFenced { call: second }]);
    let third = story.open_call(1).made.id;
    assert_ne!(second, third);
    assert!(story.incidents().is_empty(), "{:?}", story.incidents());
    story.take(&[Command::CallFenced { call: third }]);
    assert_eq!(story.calls_out(), 0, "no fourth one");
    assert_eq!(story.incidents(), ["CALL_FAILED"]);
}

#[test]
fn a_damaged_log_is_an_error_that_names_the_entry() {
    let story = one(decide_and_act());
    let mut entries = story.entries.clone();
    let last = entries.last().unwrap().seq;
    entries.push(Entry {
        seq: last.next(),
        matter: MatterNo(1),
        recorded_at: story.now,
        effective_at: story.now,
        origin: Origin::Engine,
        body: Body::Acted {
            act: crate::law::Act::new(ActKind::Resume, story.now, ""),
            answer: ActAnswer::Done,
            request: None,
        },
    });
    let error = Case::from_entries(story.case.id, &entries).unwrap_err();
    assert_eq!(error.seq, last.next());
    let gap = &story.entries[..2];
    let error = Case::from_entries(story.case.id, &[gap[0].clone(), story.entries[3].clone()]);
    assert!(error.unwrap_err().what.contains("follows entry 1"));
}

#[test]
fn stages_name_their_endings() {
    assert_eq!(Stage::Ended(Ending::NotFiled).code(), "not_filed");
    assert_eq!(RoleCode::new("a.b").department(), DepartmentCode::new("a"));
}

#[test]
fn a_departments_row_leads_the_region_while_a_matter_is_open() {
    use crate::summary::IndexRow;
    let kinds = |story: &Story| {
        let (calendars, organisation) = (Calendars::shipped(), Organisation::default());
        let reading = schedule::Reading {
            calendars: &calendars,
            organisation: &organisation,
            now: story.now,
        };
        let summary = read_model::summarise(&story.case, reading);
        let rows = read_model::rows(&summary, &Secret::new(SECRET));
        let has = |wanted: fn(&IndexRow) -> bool| rows.iter().any(wanted);
        (
            has(|row| matches!(row, IndexRow::Department { .. })),
            has(|row| matches!(row, IndexRow::Region { .. })),
            rows.len(),
        )
    };
    let mut story = one(decide_and_act());
    // Department, queue, timer, applicant and number; with head and journal a parked case has 7.
    assert_eq!(kinds(&story), (true, false, 5));
    story.decide(1, No);
    let (department, region, _) = kinds(&story);
    assert_eq!((department, region), (false, true), "an ended case stays in its region");
}
