//! A dry run: would the scripts of a case go on under another closure?
//!
//! Nothing is written and nothing is asked. Every script of the case that is under way is
//! evaluated from its start over the journal as it stands, with the scripts of the candidate. It
//! *passes* when it asks again for everything that the journal holds; it is *opaque* when it
//! stands in an open `decide`, whose rounds no script replays: proven only up to the last entry
//! that it consumed; it *diverges* where it asks for something else. Only a case in which nothing
//! diverges may be bound to the candidate.

use std::sync::Arc;

use crate::calendar::Calendars;
use crate::case::{Case, Matter};
use crate::definition::Closure;
use crate::digest::{Digest, Secret};
use crate::id::{MatterCode, MatterNo, Seq};
use crate::port::{Look, RunEnd, RunFunction, RunJob, Script, ScriptFault, ScriptFaultKind};
use crate::replay::Replay;
use crate::request::{RequestKey, RequestKind};

/// A closure that a case might be bound to, with what its evaluation reads.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// The script host; it has loaded the closure.
    pub script: &'a dyn Script,
    /// The closure.
    pub closure: &'a Closure,
    /// The case's secret.
    pub secret: &'a Secret,
    /// The holiday tables of all places.
    pub calendars: &'a Calendars,
}

/// What a dry run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The closure that was tried.
    pub closure: Digest,
    /// Head of the case at which it was tried.
    pub head: Seq,
    /// Every matter of the case, in order.
    pub matters: Vec<MatterVerdict>,
}

/// What a dry run found about one matter.
#[derive(Clone, Debug, PartialEq)]
pub struct MatterVerdict {
    /// Its number.
    pub no: MatterNo,
    /// Its code.
    pub code: MatterCode,
    /// What was found.
    pub found: Found,
}

/// What a dry run found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// No script of the matter is under way: it has not begun or is over.
    Idle,
    /// It asks again for everything that the journal holds.
    Passes(Proof),
    /// So far as can be known: it stands in an open `decide`.
    Opaque(Proof),
    /// It asks for something else, or fails.
    Diverges(Box<Divergence>),
    /// The machine failed the evaluation; ask again.
    Unknown(Box<ScriptFault>),
}

/// How far a dry run was good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// The newest entry that the script consumed.
    pub upto: Seq,
    /// What it would newly ask for at once, as kind and target.
    pub asks: Vec<(RequestKind, String)>,
    /// Whether the script would come to its end.
    pub ends: bool,
    /// The open decision in which it stands.
    pub decision: Option<RequestKey>,
}

/// Where a dry run went another way.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// The request of the journal, when one is concerned.
    pub request: Option<RequestKey>,
    /// The newest entry up to which everything was the same.
    pub upto: Seq,
    /// Expected and got, with file and line of the candidate.
    pub fault: ScriptFault,
}

/// How a whole case does under a candidate.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// Everything replays.
    Passes,
    /// Everything that can be known replays.
    Opaque,
    /// The machine failed; ask again.
    Unknown,
    /// Something would go another way.
    Diverges,
}

impl Outcome {
    /// Every outcome with its code and its name.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Passes, "passes", "通过"),
        (Self::Opaque, "opaque", "决定中,无法预判"),
        (Self::Unknown, "unknown", "未能判断"),
        (Self::Diverges, "diverges", "不一致"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(known, _, _)| *known == self).map_or("", |(_, code, _)| code)
    }

    /// Returns the name in Chinese.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(known, _, _)| *known == self).map_or("", |(_, _, name)| name)
    }
}

impl Found {
    /// Returns what it means for the case as a whole.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Idle | Self::Passes(_) => Outcome::Passes,
            Self::Opaque(_) => Outcome::Opaque,
            Self::Unknown(_) => Outcome::Unknown,
            Self::Diverges(_) => Outcome::Diverges,
        }
    }
}

impl Verdict {
    /// Returns the outcome of the whole: that of its worst matter.
    pub fn outcome(&self) -> Outcome {
        let all = self.matters.iter().map(|matter| matter.found.outcome());
        all.max().unwrap_or(Outcome::Passes)
    }

    /// Tells whether the case may be bound to the candidate: nothing that is recorded
    /// contradicts it.
    pub fn may_rebind(&self) -> bool {
        match self.outcome() {
            Outcome::Passes | Outcome::Opaque => true,
            Outcome::Unknown | Outcome::Diverges => false,
        }
    }

    /// Returns the first divergence.
    pub fn divergence(&self) -> Option<(&MatterVerdict, &Divergence)> {
        self.matters.iter().find_map(|matter| match &matter.found {
            Found::Diverges(divergence) => Some((matter, &**divergence)),
            Found::Idle | Found::Passes(_) | Found::Opaque(_) | Found::Unknown(_) => None,
        })
    }
}

/// Evaluates every script of a case that is under way with the scripts of a candidate, and tells
/// what would become of each. Pure: the case stays as it is.
///
/// ```text
/// let verdict = dry_run(&case, candidate);
/// if !verdict.may_rebind() { … verdict.divergence() … }
/// ```
pub fn dry_run(case: &Arc<Case>, candidate: Candidate<'_>) -> Verdict {
    let matters = case.matters.iter().map(|matter| MatterVerdict {
        no: matter.no,
        code: matter.planned.code.clone(),
        found: try_matter(case, matter, candidate),
    });
    Verdict { closure: candidate.closure.digest, head: case.head, matters: matters.collect() }
}

fn try_matter(case: &Arc<Case>, matter: &Matter, candidate: Candidate<'_>) -> Found {
    if let Err(fault) = fits(case, matter, candidate.closure) {
        let divergence = Divergence { request: None, upto: Seq(0), fault };
        return Found::Diverges(Box::new(divergence));
    }
    if !is_under_way(matter) {
        return Found::Idle;
    }
    let replay = Replay::new(
        Arc::clone(case),
        matter.no,
        candidate.secret.clone(),
        Arc::clone(candidate.calendars.of_place(case.place_of(matter.no))),
    );
    let job = RunJob {
        closure: candidate.closure,
        matter: &matter.planned.code,
        function: RunFunction::Handle,
    };
    found(matter, candidate.script.look(&job, replay))
}

/// A script is under way until it returned, left an outcome uncaught, or its matter ended without
/// a grant; one that an incident stopped is, since a candidate may be its way out.
fn is_under_way(matter: &Matter) -> bool {
    let over = matter.law.ending().is_some_and(|end| !end.is_grant());
    let run = &matter.run;
    run.begun.is_some() && !run.finished && run.uncaught.is_none() && !over
}

fn found(matter: &Matter, look: Look) -> Found {
    let ends = match look.end {
        RunEnd::Suspended => false,
        RunEnd::Finished | RunEnd::Recommended(_) | RunEnd::Uncaught(_) => true,
        RunEnd::Failed(fault) if fault.kind == ScriptFaultKind::Infrastructure => {
            return Found::Unknown(Box::new(fault));
        }
        RunEnd::Failed(fault) => {
            let divergence = Divergence { request: look.differs_at, upto: look.seen, fault };
            return Found::Diverges(Box::new(divergence));
        }
    };
    let asks = look.asked.iter().map(|made| (made.ask.kind(), made.ask.target())).collect();
    let decision = open_decision(matter);
    let is_opaque = decision.is_some();
    let proof = Proof { upto: look.seen, asks, ends, decision };
    if is_opaque { Found::Opaque(proof) } else { Found::Passes(proof) }
}

/// Returns the decision of the current generation that nobody has taken yet.
fn open_decision(matter: &Matter) -> Option<RequestKey> {
    let generation = matter.run.generation;
    let mut requests = matter.run.requests.iter();
    let open = requests.find(|request| {
        request.made.key.generation == generation
            && request.made.ask.kind() == RequestKind::Decide
            && request.settled.is_none()
    });
    open.map(|request| request.made.key.clone())
}

/// Matters are known by their number: a candidate must hold the same ones at the same places, and
/// what is still to be filed must come after the same ones.
fn fits(case: &Case, matter: &Matter, closure: &Closure) -> Result<(), ScriptFault> {
    let planned = &matter.planned;
    if closure.service.code != case.started.service {
        return Err(structure(
            &format!("{} 不是服务 {} 的版本", closure.service.code, case.started.service),
            &format!("this is service {}, not {}", closure.service.code, case.started.service),
        ));
    }
    let own = closure.computed_for(&case.started);
    if own.is_some() != closure.service.computed {
        return Err(structure(
            "新版本改变了事项清单的产生方式(列明或按情形得出)",
            "the new version lists its matters where the old one computed them, or the other way",
        ));
    }
    let closure = own.as_ref().unwrap_or(closure);
    let Some((part, _)) = closure.part(matter.no).filter(|(part, _)| part.matter == planned.code)
    else {
        return Err(structure(
            &format!("新版本的第 {} 个事项不是 {}", matter.no, planned.code),
            &format!("matter {} of the new version is not {}", matter.no, planned.code),
        ));
    };
    let code = |no: &MatterNo| case.matter(*no).map(|earlier| &earlier.planned.code);
    let mut before: Vec<&MatterCode> = planned.after.iter().filter_map(code).collect();
    let mut now: Vec<&MatterCode> = part.after.iter().map(|(earlier, _)| earlier).collect();
    before.sort();
    before.dedup();
    now.sort();
    now.dedup();
    if matter.filed.is_none() && matter.is_open() && before != now {
        return Err(structure(
            &format!("事项 {} 的前置事项与办件计划不同", planned.code),
            &format!("{} comes after other matters than the case planned", planned.code),
        ));
    }
    Ok(())
}

fn structure(zh: &str, en: &str) -> ScriptFault {
    ScriptFault::new(ScriptFaultKind::Mismatch, format!("{zh} / {en}"))
}
