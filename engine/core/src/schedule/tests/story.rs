//! One matter under the production turn, with a script of one question and given times.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::calendar::Calendars;
use crate::card::CardRaised;
use crate::case::Case;
use crate::command::{ActRequest, Answer, Command, Seen, TaskAt, TaskOutcome};
use crate::definition::{
    Closure, DecidesIn, Field, FieldKind, Intake, Limits, MatterDef, Part, Regime, ServiceDef,
};
use crate::digest::{Digest, Secret};
use crate::entry::{Body, Entry, Origin, Party, TaskKind};
use crate::id::{CaseId, DepartmentCode, MatterCode, MatterNo, RegionCode, ServiceCode};
use crate::law::{ActKind, CorrectionList, Procedure, Terms};
use crate::organisation::Organisation;
use crate::port::{Look, RunEnd, RunJob, RunOutput, Script, ScriptFault, ScriptFaultKind, Wiring};
use crate::replay::{Arrived, Replay, Stop};
use crate::request::{Ask, Evidence};
use crate::schedule::Reading;
use crate::start::StartCase;
use crate::time::Moment;
use crate::turn::{self, Issuing, TurnContext};
use crate::value::Value;
use crate::viewer::{Role, Viewer};

/// Asks an approver, perhaps within a limit, and grants what he grants.
pub(crate) struct Question {
    closure: Arc<Closure>,
    within: Option<&'static str>,
    broken: bool,
}

impl Question {
    fn play(&self, replay: &mut Replay) -> Result<RunEnd, Stop> {
        let options =
            self.within.map_or(Value::Null, |within| Value::of([("within", within.into())]));
        let handle = replay.request(Ask::Decide {
            role: "natural-resources.approver".to_owned(),
            title: "审批".to_owned(),
            facts: Value::Null,
            options,
        })?;
        let Arrived::Decision { key, decision } = replay.wait(handle)? else { unreachable!() };
        let act = if decision.granted { ActKind::Grant } else { ActKind::Deny };
        replay.act(act, Some(Evidence::Decision(key)), Value::map())?;
        Ok(RunEnd::Finished)
    }
}

impl Script for Question {
    fn services(&self) -> Vec<Arc<Closure>> {
        vec![Arc::clone(&self.closure)]
    }
    fn active(&self, _service: &ServiceCode) -> Option<Arc<Closure>> {
        Some(Arc::clone(&self.closure))
    }
    fn closure(&self, _digest: &Digest) -> Option<Arc<Closure>> {
        Some(Arc::clone(&self.closure))
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
    fn run(&self, _job: &RunJob<'_>, mut replay: Replay) -> RunOutput {
        if self.broken {
            let fault = ScriptFault::new(ScriptFaultKind::Script, "no such function");
            return RunOutput::of(RunEnd::Failed(fault));
        }
        let said = self.play(&mut replay).unwrap_or(RunEnd::Suspended);
        replay.conclude(said)
    }
    fn look(&self, _job: &RunJob<'_>, mut replay: Replay) -> Look {
        let said = self.play(&mut replay).unwrap_or(RunEnd::Suspended);
        replay.shown(said)
    }
}

struct Unbound;

impl Wiring for Unbound {
    fn connector_for(&self, _operation: &str, _region: &RegionCode) -> Option<String> {
        None
    }
}

pub(crate) fn clerk() -> Viewer {
    Viewer::new("clerk", Role::WindowClerk).within("420302")
}

pub(crate) fn approver() -> Viewer {
    Viewer::new("approver", Role::Approver).within("420300").of("natural-resources")
}

pub(crate) fn head() -> Viewer {
    Viewer::new("head", Role::OfficeHead).within("420300").of("natural-resources")
}

pub(crate) fn applicant() -> Viewer {
    Viewer::new("boss", Role::Applicant).for_party("91420302MA4DEM010M")
}

pub(crate) fn moment(text: &str) -> Moment {
    let text = if text.len() == 10 { format!("{text}T09:30:00") } else { text.to_owned() };
    Moment::parse(&format!("{text}+08:00")).unwrap()
}

/// What a story is told with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) regime: Regime,
    pub(crate) promised: &'static str,
    pub(crate) first_review: Option<&'static str>,
    pub(crate) within: Option<&'static str>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            regime: Regime::Licence,
            promised: "5 working days",
            first_review: None,
            within: None,
        }
    }
}

/// A case of one matter, driven by commands at given times.
pub(crate) struct Story {
    pub(crate) script: Question,
    pub(crate) case: Arc<Case>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) organisation: Organisation,
    pub(crate) calendars: Calendars,
}

fn definition(setting: Setting) -> MatterDef {
    MatterDef {
        code: MatterCode::new("permit"),
        name: "许可".to_owned(),
        name_en: String::new(),
        department: DepartmentCode::new("natural-resources"),
        regime: setting.regime,
        basis: String::new(),
        intake: Intake::Window,
        decides_in: DecidesIn::Here,
        limits: Limits { statutory: None, promised: setting.promised.parse().ok() },
        form: vec![Field {
            name: "area".to_owned(),
            label: "面积".to_owned(),
            label_en: String::new(),
            kind: FieldKind::Text { max: 20 },
            required: false,
            source: None,
        }],
        materials: Vec::new(),
        gives: None,
        procedure: Procedure {
            first_review: setting.first_review.and_then(|limit| limit.parse().ok()),
            ..Procedure::default()
        },
        fees: Vec::new(),
        advises: false,
    }
}

fn closure(setting: Setting) -> Arc<Closure> {
    let definition = definition(setting);
    Arc::new(Closure {
        digest: Digest([1; 32]),
        api_level: 1,
        service: ServiceDef {
            code: ServiceCode::new("test"),
            name: "测试".to_owned(),
            name_en: String::new(),
            lead: DepartmentCode::new("housing-construction"),
            target: "project".to_owned(),
            regions: vec![RegionCode::new("420300")],
            promise: None,
            questions: Vec::new(),
            parts: vec![Part::new(definition.code.clone())],
            computed: false,
            on_partial: false,
        },
        matters: BTreeMap::from([(definition.code.clone(), definition)]),
    })
}

impl Story {
    /// Begins and submits a case; its papers are received then.
    pub(crate) fn begin(setting: Setting, at: &str) -> Self {
        let closure = closure(setting);
        let script =
            Question { closure: Arc::clone(&closure), within: setting.within, broken: false };
        let boss = Party { id: "91420302MA4DEM010M".to_owned(), name: "示例".to_owned() };
        let input = StartCase::new(ServiceCode::new("test"), RegionCode::new("420302"), boss);
        let started = crate::start::start(&closure, input, "N1".to_owned(), &[true]).unwrap();
        let now = moment(at);
        let id = CaseId::new(now, [3; 10]);
        let secret = Secret::new([9; 32]);
        let (calendars, organisation) = (Calendars::shipped(), Organisation::default());
        let context = TurnContext {
            now,
            wire_now: now,
            script: &script,
            wiring: &Unbound,
            calendars: &calendars,
            organisation: &organisation,
            secret: &secret,
            closure: &closure,
            issuing: Issuing::Drafts,
        };
        let output = turn::begin(id, started, Origin::Engine, &context).unwrap();
        let (case, entries) = (output.case, output.entries);
        let mut story = Self { script, case, entries, organisation, calendars };
        story.take(now, &[Command::Submit { by: applicant() }]);
        story
    }

    pub(crate) fn take(&mut self, now: Moment, commands: &[Command]) -> Vec<Answer> {
        let secret = Secret::new([9; 32]);
        let closure = Arc::clone(&self.script.closure);
        let context = TurnContext {
            now,
            wire_now: now,
            script: &self.script,
            wiring: &Unbound,
            calendars: &self.calendars,
            organisation: &self.organisation,
            secret: &secret,
            closure: &closure,
            issuing: Issuing::Drafts,
        };
        let output = turn::take(Arc::clone(&self.case), commands, &context).unwrap();
        self.case = output.case;
        self.entries.extend(output.entries);
        output.answers
    }

    /// Does something that must be done.
    #[track_caller]
    pub(crate) fn does(&mut self, at: &str, command: Command) -> &mut Self {
        let answers = self.take(moment(at), &[command]);
        assert_eq!(answers, [Answer::Done], "at {at}");
        self
    }

    pub(crate) fn accepted(setting: Setting, at: &str) -> Self {
        let mut story = Self::begin(setting, at);
        let accept = story.completion(TaskKind::Intake, "").expect("an intake task is open");
        story.does(at, accept);
        story
    }

    pub(crate) fn tick(&mut self, at: &str) -> &mut Self {
        self.does(at, Command::Tick)
    }

    /// Breaks the script: every later run fails.
    pub(crate) fn broken(mut self) -> Self {
        self.script.broken = true;
        self
    }

    pub(crate) fn reading(&self, now: Moment) -> Reading<'_> {
        Reading { calendars: &self.calendars, organisation: &self.organisation, now }
    }

    /// Returns a yes to the open task of a kind.
    pub(crate) fn completion(&self, kind: TaskKind, longer: &str) -> Option<Command> {
        let task = self.case.open_tasks().find(|task| task.opened.kind == kind)?;
        let by = if task.role.as_str().ends_with(".window") { clerk() } else { approver() };
        let fields =
            if longer.is_empty() { Value::map() } else { Value::of([("longer", longer.into())]) };
        let outcome = TaskOutcome { granted: true, opinion: "理由".to_owned(), fields };
        let task = TaskAt { no: task.no, version: task.version };
        Some(Command::CompleteTask { by, task, outcome, seen: Seen::default() })
    }

    /// Returns the cards in the log: rule, level, day of the rung, day of recording.
    pub(crate) fn cards(&self) -> Vec<(String, &'static str, String, String)> {
        let cards = self.entries.iter();
        cards
            .filter_map(|entry| Some((raised(entry)?, entry.recorded_at)))
            .map(|(card, recorded)| {
                let at = card.at.date().to_string();
                (card.rule.clone(), card.level.code(), at, recorded.date().to_string())
            })
            .collect()
    }

    /// Returns the cards in the log as rule and day.
    pub(crate) fn rungs(&self) -> Vec<(String, String)> {
        self.cards().into_iter().map(|(rule, _, at, _)| (rule, at)).collect()
    }
}

pub(crate) fn raised(entry: &Entry) -> Option<&CardRaised> {
    if let Body::CardRaised(card) = &entry.body { Some(card) } else { None }
}

pub(crate) fn act(by: Viewer, act: ActRequest) -> Command {
    Command::Act { by, matter: MatterNo(1), act }
}

pub(crate) fn suspend() -> Command {
    let ground = ActRequest::now(ActKind::Suspend, "hearing");
    act(approver(), ground.with(Terms::Suspension { expected: None }))
}

pub(crate) fn resume() -> Command {
    act(approver(), ActRequest::now(ActKind::Resume, ""))
}

pub(crate) fn extend(by: &str) -> Command {
    let terms = Terms::Extension { by: by.parse().unwrap(), approved_by: String::new() };
    act(head(), ActRequest::now(ActKind::Extend, "案情复杂").with(terms))
}

pub(crate) fn ask_correction(now: Moment) -> Command {
    let list = CorrectionList {
        materials: Vec::new(),
        fields: vec!["area".to_owned()],
        text: "面积有误".to_owned(),
        limit: None,
        served_at: Some(now),
    };
    act(clerk(), ActRequest::now(ActKind::AskCorrection, "").with(Terms::Correction(list)))
}

pub(crate) fn supply() -> Command {
    Command::AmendForm {
        by: applicant(),
        fields: Value::of([("area", "120".into())]),
        reason: String::new(),
        came: crate::command::Came::default(),
        seen: None,
    }
}
