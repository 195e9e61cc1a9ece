//! `tongban scripts rehearse`: plays the rehearsals beside scripts, and says what differs.
//!
//! The words are read by the scripts package, the scenes are the engine's, with given time and
//! without a store. Only here real time is looked at: it is what each rehearsal took.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use serde::Serialize;
use tongban_core::calendar::Calendar;
use tongban_core::limits::RUN_STACK_BYTES;
use tongban_core::port::WireClock as _;
use tongban_core::time::Moment;
use tongban_engine::clock::SystemClock;
use tongban_engine::sim::CaseScene;
use tongban_scripts::rehearsal::{Failure, Histories, Rehearsals, Rewrite, rewrite};
use tongban_scripts::{Catalogue, LoadError};

use super::args::{Format, RehearseArguments};
use super::error::{Both, ProgramError, shown};
use super::{check, output};

/// When a rehearsal begins that does not say when: a Monday at nine.
const BEGIN: &str = "2026-03-02T09:00:00+08:00";
/// A rehearsal and the run that it plays lie on one stack.
const STACK_BYTES: usize = 2 * RUN_STACK_BYTES;

/// What came of every rehearsal.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    rehearsals: Vec<Outcome>,
    passed: usize,
    failed: usize,
    /// Histories that were written into their files.
    updated: usize,
    millis: i64,
    /// Services and matters of the folder without a rehearsal.
    unrehearsed: Vec<String>,
}

/// What came of one.
#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    file: String,
    line: u32,
    passed: bool,
    millis: i64,
    failure: Option<Failure>,
}

/// Plays what was asked for and prints what came of it; any failure is one of the program.
pub(crate) fn run(arguments: &RehearseArguments) -> Result<(), ProgramError> {
    let summary = on_stage(arguments)?;
    output::data(rendered(&summary, arguments.format).trim_end());
    if summary.failed > 0 {
        let (failed, all) = (summary.failed, summary.rehearsals.len());
        return Err(ProgramError::RehearsalsFailed { failed, all });
    }
    Ok(())
}

/// Rehearses on a thread whose stack holds a rehearsal and the run that it plays.
fn on_stage(arguments: &RehearseArguments) -> Result<Summary, ProgramError> {
    std::thread::scope(|scope| {
        let stage = std::thread::Builder::new().stack_size(STACK_BYTES);
        let playing = stage.spawn_scoped(scope, || rehearse(arguments));
        let playing = playing.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
        playing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn rehearse(arguments: &RehearseArguments) -> Result<Summary, ProgramError> {
    let catalogue = catalogue(arguments)?;
    let rehearsals = Rehearsals::open(&arguments.path, &catalogue)
        .map_err(|error| unusable(arguments, &error))?;
    let unrehearsed = rehearsals.unrehearsed().iter().map(ToString::to_string).collect();
    let calendar = Arc::new(Calendar::national());
    let begin = Moment::parse(BEGIN).expect("it is written in RFC 3339");
    let histories = if arguments.update { Histories::Update } else { Histories::Compare };
    let mut summary = Summary { unrehearsed, ..Summary::default() };
    let mut rewrites: BTreeMap<String, Vec<Rewrite>> = BTreeMap::new();
    let wanted = |name: &str| arguments.filter.as_deref().is_none_or(|text| name.contains(text));
    for play in rehearsals.plays().iter().filter(|play| wanted(&play.name)) {
        let scene = CaseScene::new(rehearsals.host(), Arc::clone(&calendar), begin);
        let started = SystemClock.now();
        let played = rehearsals.play(play, Box::new(scene), histories);
        let millis = SystemClock.now().since(started);
        rewrites.entry(play.file.clone()).or_default().extend(played.rewrites);
        summary.add(Outcome {
            name: play.name.clone(),
            file: play.file.clone(),
            line: play.line,
            passed: played.failure.is_none(),
            millis,
            failure: played.failure,
        });
    }
    for (file, rewrites) in rewrites.into_iter().filter(|(_, rewrites)| !rewrites.is_empty()) {
        summary.updated += update(&rehearsals, &file, rewrites)?;
    }
    Ok(summary)
}

impl Summary {
    fn add(&mut self, outcome: Outcome) {
        if outcome.passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        self.millis += outcome.millis;
        self.rehearsals.push(outcome);
    }
}

fn catalogue(arguments: &RehearseArguments) -> Result<Catalogue, ProgramError> {
    let root = tongban_scripts::rehearsal::root_of(&arguments.path);
    let folder = root.unwrap_or_else(|| arguments.path.clone());
    check::catalogue(&folder, arguments.operations.as_deref())
}

fn unusable(arguments: &RehearseArguments, error: &LoadError) -> ProgramError {
    if let LoadError::NoRehearsal(_) = error {
        return ProgramError::NoRehearsal(Both::of(error));
    }
    check::refused(&arguments.path, error)
}

/// Writes new histories into a file; returns how many.
fn update(
    rehearsals: &Rehearsals,
    file: &str,
    mut rewrites: Vec<Rewrite>,
) -> Result<usize, ProgramError> {
    // Two rehearsals may share the words that print; what the first of them saw stands.
    rewrites.sort_by_key(|one| (one.line, one.column));
    rewrites.dedup_by_key(|one| (one.line, one.column));
    let path = rehearsals.path_of(file);
    let failed = |error: std::io::Error| ProgramError::InputOutput {
        what: shown(&path),
        detail: Both::of(&error),
    };
    let text = fs::read_to_string(&path).map_err(failed)?;
    fs::write(&path, rewrite(&text, &rewrites)).map_err(failed)?;
    Ok(rewrites.len())
}

fn rendered(summary: &Summary, format: Format) -> String {
    match format {
        Format::Text => text(summary),
        Format::Json => serde_json::to_string_pretty(summary)
            .expect("a summary has only text names and numbers"),
    }
}

fn text(summary: &Summary) -> String {
    let mut text = String::new();
    for outcome in &summary.rehearsals {
        told(&mut text, outcome);
    }
    let Summary { passed, failed, updated, millis, rehearsals, unrehearsed } = summary;
    let all = rehearsals.len();
    let mut end = format!(
        "{all} 个排练:{passed} 个通过,{failed} 个未通过,{millis} 毫秒 / {all} rehearsals: {passed} passed, {failed} failed, {millis} ms"
    );
    if *updated > 0 {
        let more = format!("\n改写了 {updated} 处经过 / {updated} histories were rewritten");
        end.push_str(&more);
    }
    for file in unrehearsed {
        let more = format!("\n没有排练:{file} / no rehearsal: {file}");
        end.push_str(&more);
    }
    text.push_str(&end);
    text
}

fn told(text: &mut String, outcome: &Outcome) {
    let Outcome { name, file, line, passed, millis, failure } = outcome;
    let mark = if *passed { "通过  " } else { "未通过" };
    // Writing into a text does not fail.
    let _written = writeln!(text, "{mark} {millis:>4} ms  {file}:{line}  {name}");
    let Some(failure) = failure else { return };
    for line in failure.finding.to_string().lines() {
        let _written = writeln!(text, "    {line}");
    }
    let lists = [
        ("差异 / difference", &failure.diff),
        ("至此的经过 / so far", &failure.history),
        ("还在等待 / still waited for", &failure.waiting),
    ];
    // A difference shows the part of the history that matters.
    let shown =
        lists.into_iter().filter(|(name, _)| failure.diff.is_empty() || !name.contains("so far"));
    for (name, lines) in shown.filter(|(_, lines)| !lines.is_empty()) {
        let _written = writeln!(text, "    {name}:");
        for line in lines {
            let _written = writeln!(text, "      {line}");
        }
    }
}

#[cfg(test)]
mod tests;
