//! What is wrong with scripts, found without running them.
//!
//! [`check`] reads a folder; the host runs the same checks when it loads one, only without an
//! operations catalogue. Each check is a file: it walks syntax trees or declarations, and adds
//! findings; none stops at the first. What `lawful` and `patches` say are warnings: such scripts are loaded.

mod catalogue;
mod decisions;
mod durable;
mod intake;
mod lawful;
mod members;
pub(crate) mod names;
mod patches;
pub(crate) mod structure;
mod times;
pub(crate) mod walk;

use std::fmt;
use std::path::Path;

use serde::Serialize;

pub use catalogue::{Catalogue, CatalogueError, IssuedDocument, Operation};

use crate::diagnose::{Finding, Severity};
use crate::levels::Levels;
use crate::load::{LoadError, Project};
use crate::rehearsal;
use crate::sources::Sources;

/// Everything that was found, by file and place.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
    /// Services that were read.
    pub services: usize,
    /// Matters that were read.
    pub matters: usize,
}

impl Report {
    pub(crate) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|one, other| one.order().cmp(&other.order()));
        findings.dedup();
        Self { findings, services: 0, matters: 0 }
    }

    /// Tells whether anything was found that keeps the scripts from being loaded.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        if self.findings.is_empty() {
            writeln!(
                f,
                "未发现问题：{} 个服务、{} 个事项 / nothing found: {} services, {} matters",
                self.services, self.matters, self.services, self.matters
            )
        } else {
            let count = self.findings.len();
            let (zh, en) =
                if self.has_errors() { ("问题", "found") } else { ("提醒", "warnings") };
            writeln!(f, "共 {count} 处{zh} / {count} {en}")
        }
    }
}

/// Reads a script folder and reports everything that is wrong with it. Operations are checked
/// when a catalogue is given.
pub fn check(folder: impl AsRef<Path>, catalogue: Option<&Catalogue>) -> Result<Report, LoadError> {
    let sources = Sources::read(folder.as_ref())?;
    let levels = Levels::all();
    let mut read = Project::read(levels.newest(), &sources);
    project(&mut read, &levels, catalogue);
    let warnings = lawful::check(&read, catalogue);
    read.findings.extend(warnings);
    patches::check(&mut read);
    rehearsal::check(&sources, &mut read.findings);
    Ok(Report {
        services: read.services.len(),
        matters: read.matters.len(),
        ..Report::new(read.findings)
    })
}

/// Runs over what a store kept only those checks that the sandbox rests on: what was once let
/// through stays so, whatever later versions check besides.
pub(crate) fn adopted(project: &mut Project, levels: &Levels) {
    let mut found = Vec::new();
    names::check(project, levels, &mut found);
    project.findings.append(&mut found);
}

/// Runs every check over a project and adds what they find.
pub(crate) fn project(project: &mut Project, levels: &Levels, catalogue: Option<&Catalogue>) {
    let mut found = Vec::new();
    names::check(project, levels, &mut found);
    durable::check(project, &mut found);
    members::check(project, &mut found);
    decisions::check(project, &mut found);
    intake::check(project, &mut found);
    structure::check(project, &mut found);
    times::check(project, &mut found);
    if let Some(catalogue) = catalogue {
        catalogue::check(project, catalogue, &mut found);
        intake::effects(project, catalogue, &mut found);
    }
    project.findings.append(&mut found);
}
