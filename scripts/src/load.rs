//! From files to closures: compile, declare, check, and pin each service by its digest.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rhai::{AST, Engine, FnPtr, Position, Scope};
use tongban_core::definition::{Closure, MatterDef};
use tongban_core::digest::Digest;
use tongban_core::error::ErrorClass;
use tongban_core::id::MatterCode;

use crate::api::API_LEVEL;
use crate::api::declare::{self, Declared, DeclaredService};
use crate::check::{self, Report, structure};
use crate::compile::Unit;
use crate::diagnose::{Both, Finding, Trouble};
use crate::levels::{self, Levels};
use crate::program::Program;
use crate::sources::{Kind, Sources};
use crate::suspend;

/// Scripts that could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no such folder.
    #[error("没有脚本目录 {0:?}，请检查路径 / there is no script folder {0:?}, check the path")]
    NoFolder(PathBuf),
    /// The folder holds no script.
    #[error(
        "目录 {0:?} 中没有脚本，应有 services/*.rhai、matters/<部门>/*.rhai、lib/*.rhai / folder {0:?} holds no script; expected are services/*.rhai, matters/<department>/*.rhai, lib/*.rhai"
    )]
    Empty(PathBuf),
    /// The folder holds scripts, but no rehearsal.
    #[error(
        "{0:?} 中没有排练，请在脚本旁写 <脚本名>.rehearsal.rhai / there is no rehearsal in {0:?}; write <script>.rehearsal.rhai beside a script"
    )]
    NoRehearsal(PathBuf),
    /// A file or folder cannot be read.
    #[error("无法读取 {path:?} / cannot read {path:?}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is larger than the limit.
    #[error(
        "脚本文件 {path:?} 过大（{bytes} 字节）/ script file {path:?} is too large ({bytes} bytes)"
    )]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The scripts have mistakes.
    #[error("脚本有误 / the scripts have mistakes\n{0}")]
    Scripts(Report),
    /// Kept sources are not those of the digest, or cannot be read.
    #[error(
        "保存的脚本与摘要 {wanted} 不符：{what} / the kept scripts do not fit digest {wanted}: {what}"
    )]
    Kept {
        /// The digest that was asked for.
        wanted: Digest,
        /// What is wrong.
        what: String,
    },
}

impl LoadError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoFolder(_) => "SCRIPT_FOLDER_MISSING",
            Self::Empty(_) => "SCRIPT_FOLDER_EMPTY",
            Self::NoRehearsal(_) => "REHEARSAL_MISSING",
            Self::Read { .. } => "SCRIPT_UNREADABLE",
            Self::TooLarge { .. } => "SCRIPT_TOO_LARGE",
            Self::Scripts(_) => "SCRIPT_INVALID",
            Self::Kept { .. } => "SCRIPT_DIGEST_MISMATCH",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NoFolder(_)
            | Self::Empty(_)
            | Self::NoRehearsal(_)
            | Self::TooLarge { .. }
            | Self::Scripts(_) => ErrorClass::Invalid,
            Self::Read { .. } | Self::Kept { .. } => ErrorClass::Permanent,
        }
    }
}

/// A service that can be run: its closure, its programs, its sources.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) closure: Arc<Closure>,
    pub(crate) blob: Vec<u8>,
    pub(crate) service: Program,
    pub(crate) whens: Vec<Option<FnPtr>>,
    pub(crate) computes: Option<FnPtr>,
    pub(crate) questions: Arc<Vec<String>>,
    pub(crate) matters: BTreeMap<MatterCode, (Program, Arc<MatterDef>)>,
}

/// A script folder, compiled and declared, with everything that was found wrong in it.
#[derive(Debug, Default)]
pub(crate) struct Project {
    pub(crate) libraries: Vec<Arc<Unit>>,
    pub(crate) services: Vec<(Program, DeclaredService)>,
    pub(crate) matters: Vec<(Program, MatterDef)>,
    pub(crate) findings: Vec<Finding>,
    /// Files that could not be read, so that what they declare is not known.
    pub(crate) broken: Vec<String>,
}

impl Project {
    /// Compiles and declares every file; goes on after a mistake.
    pub(crate) fn read(engine: &Engine, sources: &Sources) -> Self {
        let mut project = Self::default();
        for (file, text) in sources.of_kind(Kind::Library) {
            if let Some(unit) = project.compiled(engine, file, text) {
                project.add_library(unit);
            }
        }
        for kind in [Kind::Service, Kind::Matter] {
            for (file, text) in sources.of_kind(kind) {
                if let Some(unit) = project.compiled(engine, file, text) {
                    project.add_declaring(engine, unit, kind);
                }
            }
        }
        project
    }

    fn compiled(&mut self, engine: &Engine, file: &str, text: &str) -> Option<Arc<Unit>> {
        match Unit::compile(engine, file, text) {
            Ok(unit) => Some(Arc::new(unit)),
            Err(finding) => {
                self.broken.push(file.to_owned());
                self.findings.push(*finding);
                None
            }
        }
    }

    fn add_library(&mut self, unit: Arc<Unit>) {
        if let Some(first) = unit.ast.statements().first() {
            let trouble = Trouble::new(
                "LIBRARY_STATEMENT",
                "lib 文件只能定义函数",
                "a library file only defines functions",
            );
            self.findings.push(unit.finding(trouble, first.position()));
            return;
        }
        self.libraries.push(unit);
    }

    fn add_declaring(&mut self, engine: &Engine, unit: Arc<Unit>, kind: Kind) {
        let file = unit.file.clone();
        match self.declared(engine, unit, kind) {
            Ok((program, Declared::Service(mut service))) => {
                let is_partial = |one: rhai::ScriptFnMetadata<'_>| one.name == "on_partial";
                service.def.on_partial = program.main().ast.iter_functions().any(is_partial);
                if service.def.computed {
                    service.def.parts = structure::may_come(program.main());
                }
                self.services.push((program, *service));
            }
            Ok((program, Declared::Matter(mut matter))) => {
                let is_intake = |one: rhai::ScriptFnMetadata<'_>| one.name == "intake";
                matter.advises = program.main().ast.iter_functions().any(is_intake);
                self.matters.push((program, *matter));
            }
            Err(finding) => {
                self.broken.push(file);
                self.findings.push(*finding);
            }
        }
    }

    /// Runs the top level of a file and takes its one declaration.
    fn declared(
        &self,
        engine: &Engine,
        unit: Arc<Unit>,
        kind: Kind,
    ) -> Result<(Program, Declared), Box<Finding>> {
        let program = Program::link(unit, &self.libraries)?;
        drop(declare::take());
        let ran = suspend::counted(|| engine.run_ast_with_scope(&mut Scope::new(), &program.ast));
        let mut declared = declare::take();
        ran.map_err(|error| Box::new(program.finding_of(&error)))?;
        match (kind, declared.pop(), declared.pop()) {
            (Kind::Service, Some(only @ Declared::Service(_)), None)
            | (Kind::Matter, Some(only @ Declared::Matter(_)), None) => Ok((program, only)),
            (Kind::Service | Kind::Matter | Kind::Library | Kind::Rehearsal, _, _) => {
                let trouble = one_declaration(kind);
                let finding = program.main().finding(trouble, Position::NONE);
                Err(Box::new(finding))
            }
        }
    }

    /// Returns the level that a file is written for: that of the oldest service that uses it, or
    /// the newest level when none does. Every closure holds all libraries.
    pub(crate) fn level_of(&self, file: &str) -> u32 {
        let uses = |(program, service): &&(Program, DeclaredService)| {
            let is_part =
                |code: &MatterCode| service.def.parts.iter().any(|part| part.matter == *code);
            let matter = self.matters.iter().find(|(matter, _)| matter.main().file == file);
            let library = self.libraries.iter().any(|library| library.file == file);
            library
                || program.main().file == file
                || matter.is_some_and(|(_, def)| is_part(&def.code))
        };
        let using = self.services.iter().filter(uses).map(|(_, service)| service.api_level);
        using.min().unwrap_or(API_LEVEL)
    }

    /// Returns the closure of each service, or everything that is wrong.
    pub(crate) fn close(
        mut self,
        sources: &Sources,
        levels: &Levels,
    ) -> Result<Vec<Loaded>, LoadError> {
        check::project(&mut self, levels, None);
        self.closed(sources)
    }

    /// Returns the closure of each service, of sources that were checked when they came.
    fn close_again(mut self, sources: &Sources, levels: &Levels) -> Result<Vec<Loaded>, LoadError> {
        check::adopted(&mut self, levels);
        self.closed(sources)
    }

    fn closed(mut self, sources: &Sources) -> Result<Vec<Loaded>, LoadError> {
        let report = Report::new(std::mem::take(&mut self.findings));
        if report.has_errors() {
            return Err(LoadError::Scripts(report));
        }
        let matters: BTreeMap<MatterCode, (Program, Arc<MatterDef>)> = self
            .matters
            .into_iter()
            .map(|(program, def)| (def.code.clone(), (program, Arc::new(def))))
            .collect();
        let services = self.services.into_iter();
        Ok(services.map(|(program, service)| close(program, service, &matters, sources)).collect())
    }
}

fn close(
    service: Program,
    declared: DeclaredService,
    all: &BTreeMap<MatterCode, (Program, Arc<MatterDef>)>,
    sources: &Sources,
) -> Loaded {
    let parts = declared.def.parts.iter();
    let matters: BTreeMap<MatterCode, (Program, Arc<MatterDef>)> = parts
        .filter_map(|part| all.get_key_value(&part.matter))
        .map(|(code, matter)| (code.clone(), matter.clone()))
        .collect();
    let mut files: Vec<&str> =
        matters.values().map(|(program, _)| program.main().file.as_str()).collect();
    files.push(&service.main().file);
    let api_level = declared.api_level;
    let (blob, digest) = sources.only(&files).keep(&service.main().file, api_level);
    let questions = declared.def.questions.iter();
    let questions = questions.map(|question| question.name.clone()).collect();
    let closure = Closure {
        digest,
        api_level,
        service: declared.def,
        matters: matters
            .iter()
            .map(|(code, (_, def))| (code.clone(), MatterDef::clone(def)))
            .collect(),
    };
    Loaded {
        closure: Arc::new(closure),
        blob,
        service,
        whens: declared.whens,
        computes: declared.computes,
        questions: Arc::new(questions),
        matters,
    }
}

/// Builds again what a blob holds, and checks that its digest is the one that was asked for.
pub(crate) fn adopt(levels: &Levels, digest: &Digest, blob: &[u8]) -> Result<Loaded, LoadError> {
    let refused = |what: String| LoadError::Kept { wanted: *digest, what };
    let found = Digest::of(blob);
    if found != *digest {
        return Err(refused(format!("实际为 {found} / it is {found}")));
    }
    let (_, api_level, sources) =
        Sources::unkeep(blob).map_err(|error| refused(error.to_string()))?;
    if let Err(trouble) = levels::known(api_level.into()) {
        let Both { zh, en } = trouble.message;
        let both = Both::new(format!("{zh} {api_level}"), format!("{en}: {api_level}"));
        return Err(refused(both.to_string()));
    }
    let mut loaded = Project::read(levels.newest(), &sources).close_again(&sources, levels)?;
    match (loaded.pop(), loaded.pop()) {
        (Some(only), None) if only.closure.digest == *digest => Ok(only),
        _ => Err(refused("其中应恰有一个服务 / it must hold one service".to_owned())),
    }
}

fn one_declaration(kind: Kind) -> Trouble {
    let word = match kind {
        Kind::Service => "service",
        Kind::Matter | Kind::Library | Kind::Rehearsal => "matter",
    };
    Trouble::new(
        "ONE_DECLARATION",
        format!("文件必须恰好声明一次 {word}(#{{…}})"),
        format!("the file must declare {word}(#{{…}}) exactly once"),
    )
}

/// Joins the functions of libraries to a program.
pub(crate) fn joined(main: &AST, libraries: &[Arc<Unit>]) -> AST {
    let mut ast = main.clone();
    for library in libraries {
        ast.combine(library.ast.clone());
    }
    ast
}
