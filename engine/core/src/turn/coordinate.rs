//! The coordinator, matter 0: files matters whose inputs exist, ends those that will never have
//! them, and takes filed matters to their intake.

use std::sync::Arc;

use crate::case::{FoldError, Matter};
use crate::definition::{After, DecidesIn, Intake, MatterDef, Part, Source};
use crate::entry::{Body, Found, MaterialFound, MatterFiled, Origin, TaskKind, TaskOpened};
use crate::id::{MatterCode, MatterNo, RoleCode};
use crate::law::{ActKind, Stage};
use crate::value::Value;

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
        if self.case.submitted.is_none() {
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
        let closure = Arc::clone(self.context.closure);
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

    fn by_code(&self, code: &MatterCode) -> Option<&Matter> {
        self.case.matters.iter().find(|matter| matter.planned.code == *code)
    }

    /// A skipped predecessor passes through.
    fn readiness(&self, part: &Part) -> Readiness {
        let mut ready = Readiness::Ready;
        for (code, after) in &part.after {
            let Some(earlier) = self.by_code(code).filter(|earlier| earlier.is_included()) else {
                continue;
            };
            let ending = earlier.law.ending();
            let accepted = earlier.law.stage == Stage::Accepted;
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
                "前置事项“{name}”{state} / {code} ended as {}",
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
                how: self.find_material(part, &material.code, &material.sources),
            })
            .collect();
        let complete = materials.iter().all(|found| found.how != Found::Missing);
        let filed = MatterFiled {
            regime: definition.regime,
            limits: definition.limits,
            intake: definition.intake,
            decides_in: definition.decides_in,
            calendar: self.context.calendar.version().to_owned(),
            materials,
        };
        self.push(no, Origin::Engine, Body::MatterFiled(Arc::new(filed)))?;
        let receive = self.act_now(ActKind::Receive, "");
        self.request_act(no, Origin::Engine, receive, None)?;
        if definition.decides_in == DecidesIn::Connector {
            return Ok(());
        }
        if definition.intake == Intake::Auto && complete {
            let accept = self.act_now(ActKind::Accept, "");
            return self.request_act(no, Origin::Engine, accept, None);
        }
        self.open_intake(no, definition)
    }

    /// Tries the sources of a material in order.
    fn find_material(&self, part: &Part, code: &str, sources: &[Source]) -> Found {
        let given = self.case.started.materials.iter().find(|given| given.code == code);
        let mut to_come = None;
        for source in sources {
            match source {
                Source::ResultOf(earlier) => {
                    let Some(earlier) = self.by_code(earlier) else {
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
                Source::Upload(_) | Source::License(_) | Source::Data(_) | Source::Commitment => {
                    if let Some(given) = given {
                        return Found::Given { digest: given.digest };
                    }
                }
            }
        }
        if part.tolerates.iter().any(|tolerated| tolerated == code) {
            return Found::Owed { from: to_come };
        }
        given.map_or(Found::Missing, |given| Found::Given { digest: given.digest })
    }

    fn open_intake(&mut self, no: MatterNo, definition: &MatterDef) -> Result<(), FoldError> {
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let found = matter.filed.iter().flat_map(|filed| &filed.materials);
        let facts = found.map(|found| (found.code.clone(), Value::from(how_text(&found.how))));
        let opened = TaskOpened {
            kind: TaskKind::Intake,
            role: RoleCode::new(format!("{}.window", self.case.started.lead)),
            region: self.case.started.region.clone(),
            title: format!("受理:{}", definition.name),
            facts: Value::of([("materials", Value::Map(facts.collect()))]),
            request: None,
            call: None,
        };
        self.push(no, Origin::Engine, Body::TaskOpened(Arc::new(opened)))?;
        Ok(())
    }
}

/// Tells whether a matter reads the result of `code`: it comes after it, or a material is it.
fn needs(part: &Part, definition: &MatterDef, code: &MatterCode) -> bool {
    let after = part.after.iter().any(|(earlier, _)| earlier == code);
    let sources = definition.materials.iter().flat_map(|material| &material.sources);
    let mut sources = sources;
    after || sources.any(|source| matches!(source, Source::ResultOf(earlier) if earlier == code))
}

/// Says in one word how a material was met.
fn how_text(how: &Found) -> String {
    match how {
        Found::ResultOf { number, .. } => format!("免提交 {number}"),
        Found::Given { .. } => "已提交".to_owned(),
        Found::Owed { .. } => "容缺".to_owned(),
        Found::Missing => "缺".to_owned(),
    }
}
