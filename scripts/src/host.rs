//! The script host: core's port, implemented with one shared Rhai engine.
//!
//! A closure is compiled once and shared; a run has no state outside the cursor. Runs are
//! synchronous and belong on threads with a stack of `limits::RUN_STACK_BYTES`.

mod reload;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rhai::{CallFnOptions, Dynamic, Engine, EvalAltResult, FnPtr, Map, Position, Scope};
use tongban_core::definition::{Closure, FieldKind, Part};
use tongban_core::digest::Digest;
use tongban_core::id::ServiceCode;
use tongban_core::partial::Partial;
use tongban_core::port::{
    Look, RunEnd, RunFunction, RunJob, RunOutput, Script, ScriptFault, ScriptFaultKind,
};
use tongban_core::replay::Replay;
use tongban_core::value::Value;

use crate::api::field::DeclaredPart;
use crate::api::intake;
use crate::api::matter_view::MatterView;
use crate::api::outcome::OutcomeView;
use crate::api::partial;
use crate::compile;
use crate::convert::to_script;
use crate::diagnose::{self, Finding, Trouble};
use crate::levels::Levels;
use crate::load::{self, LoadError, Loaded, Project};
use crate::program::Program;
use crate::sources::Sources;
use crate::suspend::{self, Current, Guard};
use crate::trace;

pub use reload::ServiceChange;

/// The services that new cases may use.
type Active = BTreeMap<ServiceCode, Arc<Loaded>>;

/// Runs Rhai scripts over journals.
pub struct Host {
    levels: Levels,
    guard: Guard,
    /// Replaced as a whole by a reload, so that a reader sees one version of everything.
    active: RwLock<Arc<Active>>,
    /// Every closure by digest: the active ones, and those that running cases are pinned to.
    known: RwLock<BTreeMap<Digest, Arc<Loaded>>>,
}

impl Host {
    /// Loads the services and matters that are part of the program.
    pub fn shipped() -> Result<Self, LoadError> {
        Self::of(&Sources::shipped())
    }

    /// Loads the services and matters of a folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::of(&Sources::read(folder.as_ref())?)
    }

    /// Loads the services and matters of these texts.
    pub(crate) fn of(sources: &Sources) -> Result<Self, LoadError> {
        let levels = Levels::all();
        let active = compiled(&levels, sources)?;
        let known = active.values().map(|one| (one.closure.digest, Arc::clone(one))).collect();
        Ok(Self {
            levels,
            guard: Arc::new(|| 0),
            active: RwLock::new(Arc::new(active)),
            known: RwLock::new(known),
        })
    }

    /// Sets the monotonic clock, in milliseconds, by which a run that hangs is stopped. Without
    /// one only the operation limit stops it.
    #[must_use]
    pub fn with_guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// Returns every closure that the host knows, active or not.
    pub fn known(&self) -> Vec<Arc<Closure>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().map(|loaded| Arc::clone(&loaded.closure)).collect()
    }

    /// Returns what is loaded under a digest.
    fn needed(&self, digest: &Digest) -> Result<Arc<Loaded>, ScriptFault> {
        self.loaded(digest).ok_or_else(|| {
            ScriptFault::new(
                ScriptFaultKind::Infrastructure,
                format!(
                    "未加载摘要为 {digest} 的脚本 / the scripts of digest {digest} are not loaded"
                ),
            )
        })
    }

    /// Returns the engine of a closure's level.
    fn engine_of(&self, loaded: &Loaded) -> &Engine {
        let engine = self.levels.engine(loaded.closure.api_level);
        engine.expect("only closures of known levels are loaded")
    }

    /// Calls a closure of a declaration with the answers. Pure, with limits.
    fn predicate(
        &self,
        loaded: &Loaded,
        closure: &FnPtr,
        questions: &Map,
    ) -> Result<Dynamic, ScriptFault> {
        let engine = self.engine_of(loaded);
        let (service, questions) = (&loaded.service, questions.clone());
        let answer =
            suspend::counted(|| closure.call::<Dynamic>(engine, &service.ast, (questions,)));
        answer.map_err(|error| {
            let inner = service.innermost(&error);
            diagnose::fault(diagnose::kind_of(inner), &service.finding_of(&error))
        })
    }

    /// Tells whether a `when` predicate holds.
    fn holds(&self, loaded: &Loaded, when: &FnPtr, questions: &Map) -> Result<bool, ScriptFault> {
        answered(&loaded.service, &self.predicate(loaded, when, questions)?)
    }

    fn offered(&self) -> Arc<Active> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn loaded(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).cloned()
    }

    /// Evaluates a matter's script with the engine of its closure's level, or with its recorder.
    fn evaluate(&self, view: View, job: &RunJob<'_>, replay: Replay) -> Look {
        let Some(loaded) = self.loaded(&job.closure.digest) else {
            return replay.shown(RunEnd::Failed(not_loaded(job)));
        };
        let Some((program, def)) = loaded.matters.get(job.matter) else {
            return replay.shown(RunEnd::Failed(not_loaded(job)));
        };
        let name = match job.function {
            RunFunction::Handle => "handle",
            RunFunction::Intake => "intake",
        };
        let level = loaded.closure.api_level;
        let engine = match view {
            View::Run => self.levels.engine(level),
            View::Look => self.levels.looking(level),
        };
        let engine = engine.expect("only closures of known levels are loaded");
        let questions = Arc::clone(&loaded.questions);
        let current = Current::new(replay, Arc::clone(def), questions, &self.guard);
        // What a panic takes with it is this run alone, not what its turn has accepted.
        let evaluated = catch_unwind(AssertUnwindSafe(|| {
            suspend::during(current, || called(engine, program, name))
        }));
        let Ok((result, current)) = evaluated else {
            return Look::failed(panicked(job));
        };
        let called_at = current.called_at;
        match result {
            Ok(returned) => {
                let (said, place) = match job.function {
                    RunFunction::Handle => (RunEnd::Finished, None),
                    RunFunction::Intake => advised(program, &returned),
                };
                conclude(program, current, said, || place)
            }
            Err(error) => {
                // A run that waits comes by here as well; then only its latch speaks, and nobody
                // asks where.
                let stopped = current.replay.is_stopped();
                let said = if stopped { RunEnd::Suspended } else { said(program, name, &error) };
                conclude(program, current, said, || {
                    Some(program.finding_in(&error, name, called_at))
                })
            }
        }
    }
}

/// What an evaluation is for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum View {
    /// To go on.
    Run,
    /// To be looked at.
    Look,
}

fn called(
    engine: &Engine,
    program: &Program,
    function: &str,
) -> Result<Dynamic, Box<EvalAltResult>> {
    engine.call_fn_with_options::<Dynamic>(
        CallFnOptions::new().eval_ast(program.needs_top_level()),
        &mut Scope::new(),
        &program.ast,
        function,
        (MatterView,),
    )
}

/// Compiles and checks sources, and closes each service.
fn compiled(levels: &Levels, sources: &Sources) -> Result<Active, LoadError> {
    let loaded = Project::read(levels.newest(), sources).close(sources, levels)?;
    let named = loaded.into_iter().map(|one| (one.closure.service.code.clone(), Arc::new(one)));
    Ok(named.collect())
}

/// Returns what the script itself came to, by its innermost error.
fn said(program: &Program, function: &str, error: &EvalAltResult) -> RunEnd {
    let inner = program.innermost(error);
    if let EvalAltResult::ErrorRuntime(thrown, _) = inner
        && let Some(outcome) = thrown.read_lock::<OutcomeView>()
    {
        return RunEnd::Uncaught(outcome.key.clone());
    }
    let kind = diagnose::kind_of(inner);
    RunEnd::Failed(diagnose::fault(kind, &program.finding_in(error, function, Position::NONE)))
}

/// Returns what `intake` advises; something else that it returned is a fault of the script.
fn advised(program: &Program, returned: &Dynamic) -> (RunEnd, Option<Finding>) {
    match intake::advice(returned) {
        Ok(advice) => (RunEnd::Recommended(advice), None),
        Err(trouble) => {
            let unit = program.main();
            let place = unit.finding(trouble, unit.definition("intake"));
            (RunEnd::Failed(diagnose::fault(ScriptFaultKind::Script, &place)), Some(place))
        }
    }
}

/// Lets the latch decide. A fault of the latch gets the place it knows, or that of the error by
/// which Rhai stopped, or (when the script held the stop) that of the newest host call.
fn conclude(
    program: &Program,
    current: Current,
    said: RunEnd,
    place: impl FnOnce() -> Option<Finding>,
) -> Look {
    let called_at = current.called_at;
    let mut look = current.replay.shown(said);
    if let RunEnd::Failed(fault) = &mut look.end
        && fault.file.is_empty()
    {
        let main = program.main();
        let trouble = || Trouble::new("", "", "");
        let known = compile::at(fault.line as usize, fault.column as usize);
        let place = match place() {
            _ if fault.line > 0 => main.finding(trouble(), known),
            Some(place) => place,
            None => main.finding(trouble(), called_at),
        };
        fault.file = place.file;
        fault.line = place.line;
        fault.column = place.column;
    }
    look
}

fn panicked(job: &RunJob<'_>) -> ScriptFault {
    ScriptFault::new(
        ScriptFaultKind::Infrastructure,
        format!(
            "执行事项 {} 的脚本时程序异常，稍后重试 / the program failed while it ran the script of matter {}, it is tried again later",
            job.matter, job.matter
        ),
    )
}

fn not_loaded(job: &RunJob<'_>) -> ScriptFault {
    ScriptFault::new(
        ScriptFaultKind::Infrastructure,
        format!(
            "未加载摘要为 {} 的脚本（事项 {}），请先恢复其来源 / the scripts of digest {} (matter {}) are not loaded, adopt their sources first",
            job.closure.digest, job.matter, job.closure.digest, job.matter
        ),
    )
}

impl Script for Host {
    fn services(&self) -> Vec<Arc<Closure>> {
        let active = self.offered();
        active.values().map(|loaded| Arc::clone(&loaded.closure)).collect()
    }

    fn active(&self, service: &ServiceCode) -> Option<Arc<Closure>> {
        let active = self.offered();
        let loaded = active.get(service)?;
        Some(Arc::clone(&loaded.closure))
    }

    fn closure(&self, digest: &Digest) -> Option<Arc<Closure>> {
        self.loaded(digest).map(|loaded| Arc::clone(&loaded.closure))
    }

    fn sources(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.loaded(digest).map(|loaded| loaded.blob.clone())
    }

    fn adopt(&self, digest: &Digest, sources: &[u8]) -> Result<(), ScriptFault> {
        if self.loaded(digest).is_some() {
            return Ok(());
        }
        let adopted = load::adopt(&self.levels, digest, sources)
            .map_err(|error| ScriptFault::new(ScriptFaultKind::Script, error.to_string()))?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(*digest, Arc::new(adopted));
        Ok(())
    }

    fn take_in(&self, files: &BTreeMap<String, String>) -> Result<Vec<Arc<Closure>>, ScriptFault> {
        let sources = Sources(files.clone());
        let wrong = |error: LoadError| ScriptFault::new(ScriptFaultKind::Script, error.to_string());
        sources.check_sizes().map_err(wrong)?;
        let taken = compiled(&self.levels, &sources).map_err(wrong)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for one in taken.values() {
            known.entry(one.closure.digest).or_insert_with(|| Arc::clone(one));
        }
        Ok(taken.values().map(|one| Arc::clone(&one.closure)).collect())
    }

    fn select(&self, closure: &Closure, answers: &Value) -> Result<Vec<bool>, ScriptFault> {
        let loaded = self.needed(&closure.digest)?;
        let questions = asked(&loaded, answers);
        let whens = loaded.whens.iter();
        whens
            .map(|when| {
                when.as_ref().map_or(Ok(true), |when| self.holds(&loaded, when, &questions))
            })
            .collect()
    }

    fn compute(
        &self,
        closure: &Closure,
        answers: &Value,
    ) -> Result<Option<Vec<Part>>, ScriptFault> {
        let loaded = self.needed(&closure.digest)?;
        let Some(computes) = &loaded.computes else { return Ok(None) };
        let questions = asked(&loaded, answers);
        let given = self.predicate(&loaded, computes, &questions)?;
        let mut parts = Vec::new();
        for DeclaredPart { part, when } in parts_of(&loaded.service, given)? {
            let holds = when.map_or(Ok(true), |when| self.holds(&loaded, &when, &questions))?;
            if holds {
                parts.push(part);
            }
        }
        Ok(Some(parts))
    }

    fn on_partial(&self, closure: &Closure, facts: &Value) -> Result<Partial, ScriptFault> {
        let loaded = self.needed(&closure.digest)?;
        let service = &loaded.service;
        let engine = self.engine_of(&loaded);
        let called = suspend::counted(|| {
            engine.call_fn_with_options::<Dynamic>(
                CallFnOptions::new().eval_ast(false),
                &mut Scope::new(),
                &service.ast,
                "on_partial",
                (to_script(facts),),
            )
        });
        let said = called.map_err(|error| {
            let inner = service.innermost(&error);
            let place = service.finding_in(&error, "on_partial", Position::NONE);
            diagnose::fault(diagnose::kind_of(inner), &place)
        })?;
        partial::said(&said).map_err(|trouble| {
            let unit = service.main();
            let place = unit.finding(trouble, unit.definition("on_partial"));
            diagnose::fault(ScriptFaultKind::Script, &place)
        })
    }

    fn run(&self, job: &RunJob<'_>, replay: Replay) -> RunOutput {
        self.evaluate(View::Run, job, replay).into()
    }

    fn look(&self, job: &RunJob<'_>, replay: Replay) -> Look {
        let (look, steps) = trace::recorded(|| self.evaluate(View::Look, job, replay));
        let program = self.loaded(&job.closure.digest);
        let program = program.as_ref().and_then(|loaded| loaded.matters.get(job.matter));
        match program {
            Some((program, _)) => Look { frames: trace::frames(program, steps), ..look },
            None => look,
        }
    }
}

/// Returns the answers by question, as predicates read them. A list that is open is empty, any
/// other open answer is `()`.
fn asked(loaded: &Loaded, answers: &Value) -> Map {
    let questions = loaded.closure.service.questions.iter();
    questions
        .map(|question| {
            let open = || match question.kind {
                FieldKind::List { .. } => Dynamic::from(rhai::Array::new()),
                FieldKind::Text { .. }
                | FieldKind::Number { .. }
                | FieldKind::YesNo
                | FieldKind::Date
                | FieldKind::Choice(_) => Dynamic::UNIT,
            };
            let answer = answers.get(&question.name).filter(|answer| **answer != Value::Null);
            (question.name.as_str().into(), answer.map_or_else(open, to_script))
        })
        .collect()
}

/// Reads the set of matters that a service computed.
fn parts_of(service: &Program, given: Dynamic) -> Result<Vec<DeclaredPart>, ScriptFault> {
    let refused = |kind: &str| {
        let trouble = Trouble::new(
            "MATTERS_COMPUTED",
            format!("matters 闭包应返回 part(…) 的列表，而不是 {kind}"),
            format!("the closure of matters must return a list of part(…), not {kind}"),
        );
        let finding = service.main().finding(trouble, Position::NONE);
        diagnose::fault(ScriptFaultKind::Script, &finding)
    };
    let list = given.into_array().map_err(&refused)?;
    let parts = list.into_iter().map(|item| {
        let kind = item.type_name();
        item.try_cast::<DeclaredPart>().ok_or_else(|| refused(kind))
    });
    parts.collect()
}

/// Reads what a predicate said. A question that was left open counts as no.
fn answered(service: &Program, answer: &Dynamic) -> Result<bool, ScriptFault> {
    if answer.is_unit() {
        return Ok(false);
    }
    answer.as_bool().map_err(|kind| {
        let trouble = Trouble::new(
            "PREDICATE",
            format!("when 条件必须是 true 或 false，而不是 {kind}"),
            format!("a when predicate must be true or false, not {kind}"),
        );
        let finding = service.main().finding(trouble, Position::NONE);
        diagnose::fault(ScriptFaultKind::Script, &finding)
    })
}
