//! The coordinator, matter 0: files matters whose inputs exist, ends those that will never have
//! them, and hands filed matters to their intake.

use std::sync::Arc;

use crate::case::{FoldError, Matter};
use crate::definition::{After, MatterDef, Part, Source};
use crate::entry::{Body, MatterFiled, Origin};
use crate::id::{MatterCode, MatterNo};
use crate::law::{ActKind, Stage};
use crate::material::{Form, Found, MaterialFound};
use crate::time::Moment;

use super::Turn;

/// What the coordinator knows about a planned matter's inputs.
enum Readiness {
    /// Something it needs has not ended yet.
    NotYet,
    /// Everything is there.
    Ready,
    /// Something it needs will never come; the reason.
    Never(String),
}

impl Turn<'_> {
    /// Moves the case's matters as far as they go without their scripts. Returns whether
    /// anything moved.
    pub(super) fn coordinate(&mut self) -> Result<bool, FoldError> {
        // A paused case is not filed further.
        if self.case.submitted.is_none() || self.case.paused.contains_key(&MatterNo::COORDINATOR) {
            return Ok(false);
        }
        let planned: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|matter| matter.is_included() && matter.law.stage == Stage::Planned)
            .map(|matter| matter.no)
            .collect();
        let mut moved = false;
        let closure = Arc::clone(&self.closure);
        for no in planned {
            let Some((part, definition)) = closure.part(no) else {
                continue;
            };
            match self.readiness(part) {
                Readiness::NotYet => {}
                Readiness::Ready => {
                    self.file(no, part, definition)?;
                    moved = true;
                }
                Readiness::Never(reason) => {
                    let act = self.act_now(ActKind::NotFile, &reason);
                    self.request_act(no, Origin::Engine, act, None)?;
                    moved = true;
                }
            }
        }
        Ok(moved)
    }

    fn by_code<'a>(&'a self, code: &'a MatterCode) -> impl Iterator<Item = &'a Matter> {
        self.case.matters.iter().filter(move |matter| matter.planned.code == *code)
    }

    /// A skipped predecessor passes through; of one that came several times, each is waited for.
    fn readiness(&self, part: &Part) -> Readiness {
        let mut ready = Readiness::Ready;
        let awaited = part.after.iter().flat_map(|(code, after)| {
            self.by_code(code).filter(|earlier| earlier.is_included()).map(move |one| (one, after))
        });
        for (earlier, after) in awaited {
            let ending = earlier.law.ending();
            let accepted = earlier.law.stage.is_handled();
            let there = match after {
                After::Granted => ending.is_some_and(crate::law::Ending::is_grant),
                After::Ended => ending.is_some(),
                After::Accepted => accepted || ending.is_some_and(crate::law::Ending::is_grant),
            };
            if there {
                continue;
            }
            if ending.is_none() {
                ready = Readiness::NotYet;
                continue;
            }
            let (name, state) = (&earlier.planned.name, earlier.law.stage.name());
            return Readiness::Never(format!(
                "前置事项“{name}”{state} / {} ended as {}",
                earlier.planned.code,
                earlier.law.stage.code()
            ));
        }
        ready
    }

    fn file(&mut self, no: MatterNo, part: &Part, definition: &MatterDef) -> Result<(), FoldError> {
        let earlier: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|matter| {
                matter.result.is_some() && needs(part, definition, &matter.planned.code)
            })
            .map(|matter| matter.no)
            .collect();
        for from in earlier {
            self.give_input(no, from)?;
        }
        let materials: Vec<MaterialFound> = definition
            .materials
            .iter()
            .map(|material| MaterialFound {
                code: material.code.clone(),
                how: self.found_here(part, &material.code, &material.sources),
            })
            .collect();
        let filed = MatterFiled {
            rules: definition.rules(),
            intake: definition.intake,
            decides_in: definition.decides_in,
            calendar: self.calendar(no).version().to_owned(),
            materials,
        };
        self.push(no, Origin::Engine, Body::MatterFiled(Arc::new(filed)))?;
        let mut receive = self.act_now(ActKind::Receive, "");
        if let Some(earlier) = self.received_earlier(no) {
            receive.effective_at = earlier;
        }
        self.request_act(no, Origin::Engine, receive, None)?;
        self.ask_sources(no, definition)?;
        self.go_to_intake(no)
    }

    /// Papers that were really taken before they were recorded (paper intake, an outage) were
    /// received then: the office's limit runs from that day.
    fn received_earlier(&self, no: MatterNo) -> Option<Moment> {
        let first = self.case.matter(no)?.planned.after.is_empty();
        self.case.started.arrival.received_at.filter(|_| first)
    }

    /// Finds a material among what is here, its sources in order; those that must be asked come
    /// afterwards.
    fn found_here(&self, part: &Part, code: &str, sources: &[Source]) -> Found {
        let given = self.case.handed(code).map(|handed| &handed.given);
        let mut to_come = None;
        for source in sources {
            match source {
                Source::ResultOf(earlier) => {
                    // Of a matter that came several times, the one under the same key is meant.
                    let same = |matter: &&Matter| key_of(matter) == part.key;
                    let of_key = self.by_code(earlier).find(same);
                    let Some(earlier) = of_key.or_else(|| self.by_code(earlier).next()) else {
                        continue;
                    };
                    if let Some(result) = &earlier.result {
                        return Found::ResultOf {
                            matter: earlier.no,
                            number: result.number.clone(),
                        };
                    }
                    if earlier.is_open() {
                        to_come = Some(earlier.no);
                    }
                }
                Source::Upload(_) | Source::Commitment | Source::License(_) | Source::Data(_) => {}
            }
        }
        let commits = sources.contains(&Source::Commitment);
        let usable = |given: &&crate::material::MaterialGiven| commits || given.form == Form::File;
        if let Some(given) = given.filter(usable) {
            return match &given.form {
                Form::File => Found::Given { digest: given.digest },
                Form::Commitment { text_version } => {
                    Found::Committed { text_version: text_version.clone() }
                }
            };
        }
        if part.tolerates.iter().any(|tolerated| tolerated == code) {
            return Found::Owed { from: to_come };
        }
        Found::Missing
    }
}

/// Returns what tells a matter from its like in the same case.
fn key_of(matter: &Matter) -> &str {
    matter.planned.computed.as_deref().map_or("", |part| part.key.as_str())
}

/// Tells whether a matter reads the result of `code`: it comes after it, or a material is it.
fn needs(part: &Part, definition: &MatterDef, code: &MatterCode) -> bool {
    let after = part.after.iter().any(|(earlier, _)| earlier == code);
    let sources = definition.materials.iter().flat_map(|material| &material.sources);
    let mut sources = sources;
    after || sources.any(|source| matches!(source, Source::ResultOf(earlier) if earlier == code))
}
