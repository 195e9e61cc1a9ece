//! Rehearsals: tests of services and matters in the language of the scripts.
//!
//! A file `x.rehearsal.rhai` beside a script says `rehearse("what happens", |r| { … })` as often
//! as it likes. The words on `r` (`rehearsal/words/`) file an application, tell agencies what to
//! answer, let people decide, move time, and expect states, clocks, calls and the printed
//! history. Where a case is played is not known here: a [`Scene`] comes in through its port.
//! A matter alone gets a service of its own (`rehearsal/alone.rs`).

mod alone;
mod current;
mod diff;
mod history;
mod known;
mod literal;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhai::{Dynamic, Engine, FnPtr, Position, Scope};
use serde::Serialize;
use tongban_core::port::Script;
use tongban_core::rehearsal::Scene;

use crate::check::{Catalogue, names};
use crate::compile::Unit;
use crate::diagnose::Finding;
use crate::host::Host;
use crate::load::LoadError;
use crate::program::Program;
use crate::sandbox;
use crate::sources::{FOLDERS, Kind, Sources};
use crate::suspend;

use current::{Current, Ended};
use known::Known;

pub use history::Line;
pub use literal::{Rewrite, rewrite};

/// The rehearsals of a script folder, with its scripts loaded.
pub struct Rehearsals {
    engine: Engine,
    host: Arc<Host>,
    known: Arc<Known>,
    plays: Vec<Play>,
    root: PathBuf,
    /// What of the folder is rehearsed; empty for all of it.
    below: String,
}

/// One `rehearse(…)`.
#[derive(Clone, Debug)]
pub struct Play {
    /// What it is called.
    pub name: String,
    /// File, relative to the script folder.
    pub file: String,
    /// Line on which it begins, from 1.
    pub line: u32,
    program: Program,
    body: FnPtr,
    at: Position,
}

/// What to do with a printed history that differs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Histories {
    /// Fail.
    Compare,
    /// Hand over what it should say.
    Update,
}

/// What came of a rehearsal.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// What went wrong, if anything did.
    pub failure: Option<Failure>,
    /// Histories to write into its file, when they are to be updated.
    pub rewrites: Vec<Rewrite>,
}

/// What went wrong in a rehearsal, and how things stood then.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// What and where.
    pub finding: Finding,
    /// What was expected, for an expectation.
    pub expected: String,
    /// What was there instead.
    pub got: String,
    /// The lines of two histories that differ, with those around them.
    pub diff: Vec<String>,
    /// What had happened, printed.
    pub history: Vec<String>,
    /// Who was still waited for.
    pub waiting: Vec<String>,
}

impl Rehearsals {
    /// Reads the rehearsals at `path`: a script folder, or a file or folder inside one.
    pub fn open(path: &Path, catalogue: &Catalogue) -> Result<Self, LoadError> {
        let root = root_of(path).ok_or_else(|| LoadError::NoFolder(path.to_owned()))?;
        let below = below(&root, path);
        let sources = Sources::read(&root)?;
        let host = Arc::new(Host::of(&sources)?);
        let known = Arc::new(Known::new(&sources, catalogue));
        let engine = words::engine();
        let mut rehearsals = Self { engine, host, known, plays: Vec::new(), root, below };
        let (mut plays, mut found) = (Vec::new(), Vec::new());
        let files = sources.of_kind(Kind::Rehearsal);
        for (file, text) in files.filter(|(file, _)| rehearsals.covers(file)) {
            match rehearsals.read(file, text) {
                Ok(read) => plays.extend(read),
                Err(mut findings) => found.append(&mut findings),
            }
        }
        if !found.is_empty() {
            return Err(LoadError::Scripts(crate::Report::new(found)));
        }
        if plays.is_empty() {
            return Err(LoadError::NoRehearsal(path.to_owned()));
        }
        rehearsals.plays = plays;
        Ok(rehearsals)
    }

    fn read(&self, file: &str, text: &str) -> Result<Vec<Play>, Vec<Finding>> {
        let program = compiled(&self.engine, file, text)?;
        let listed = words::listed(|| {
            suspend::counted(|| self.engine.run_ast_with_scope(&mut Scope::new(), &program.ast))
        });
        let listed = listed.map_err(|error| vec![program.finding_of(&error)])?;
        let plays = listed.into_iter().map(|(name, body, at)| {
            let line = at.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
            Play { name, file: file.to_owned(), line, program: program.clone(), body, at }
        });
        Ok(plays.collect())
    }

    /// Returns the script host that scenes play with.
    pub fn host(&self) -> Arc<dyn Script> {
        let host: Arc<Host> = Arc::clone(&self.host);
        host
    }

    /// Returns the rehearsals, by file and line.
    pub fn plays(&self) -> &[Play] {
        &self.plays
    }

    fn covers(&self, file: &str) -> bool {
        is_below(file, &self.below)
    }

    /// Returns the services and matters that have no rehearsal beside them.
    pub fn unrehearsed(&self) -> Vec<&str> {
        let has = |file: &str| {
            let wanted = file.replace(".rhai", sandbox::REHEARSAL);
            self.plays.iter().any(|play| play.file == wanted)
        };
        self.known.files().filter(|file| self.covers(file) && !has(file)).collect()
    }

    /// Returns where a file of a rehearsal lies.
    pub fn path_of(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// Plays one rehearsal in an empty scene.
    pub fn play(&self, play: &Play, scene: Box<dyn Scene>, histories: Histories) -> Played {
        let program = &play.program;
        let unit = program.main_shared();
        let begun =
            Current::new(scene, (Arc::clone(&self.host), Arc::clone(&self.known)), unit, histories);
        let (result, ended) = current::during(begun, || {
            let asked = (words::R,);
            suspend::counted(|| play.body.call::<Dynamic>(&self.engine, &program.ast, asked))
                .map_err(|error| Box::new(program.finding_in(&error, "", play.at)))
        });
        let found = result.err().or_else(|| {
            let trouble = ended.unfinished.clone()?;
            Some(Box::new(program.main().finding(trouble, play.at)))
        });
        let failure = found.map(|finding| failure(*finding, &ended));
        Played { failure, rewrites: ended.rewrites }
    }
}

fn failure(finding: Finding, ended: &Ended) -> Failure {
    let detail = ended.detail.clone().unwrap_or_default();
    Failure {
        finding,
        expected: detail.expected,
        got: detail.got,
        diff: detail.diff,
        history: ended.history.clone(),
        waiting: ended.waiting.clone(),
    }
}

/// Checks the rehearsals of a folder as far as that is possible without playing them.
pub(crate) fn check(sources: &Sources, found: &mut Vec<Finding>) {
    let engine = words::engine();
    for (file, text) in sources.of_kind(Kind::Rehearsal) {
        if let Err(mut findings) = compiled(&engine, file, text) {
            found.append(&mut findings);
        }
    }
}

fn compiled(engine: &Engine, file: &str, text: &str) -> Result<Program, Vec<Finding>> {
    let unit = Unit::compile(engine, file, text).map_err(|finding| vec![*finding])?;
    let mut found = Vec::new();
    names::check_unit(&unit, engine, &mut found);
    if !found.is_empty() {
        return Err(found);
    }
    Program::link(Arc::new(unit), &[]).map_err(|finding| vec![*finding])
}

/// Returns the script folder that `path` is, or lies in.
pub fn root_of(path: &Path) -> Option<PathBuf> {
    let is_root = |folder: &&Path| FOLDERS.iter().any(|name| folder.join(name).is_dir());
    let path = path.canonicalize().ok()?;
    path.ancestors().find(is_root).map(Path::to_owned)
}

/// Returns the path inside of the folder, with `/` between its parts.
fn below(root: &Path, path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_default();
    let below = path.strip_prefix(root).unwrap_or_else(|_| Path::new(""));
    let parts = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("/")
}

fn is_below(file: &str, below: &str) -> bool {
    let rest = file.strip_prefix(below);
    below.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
