//! Generated services: what a script could be, as a tree that a seed grows.
//!
//! Every combinator appears, nested; calls, decisions and timers; handles that are waited for
//! late or never; branches on what arrived; ends that grant, deny or forget to decide.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_core::definition::{
    After, Closure, DecidesIn, Field, FieldKind, Intake, Limits, MaterialDef, MatterDef, Part,
    Regime, ServiceDef, Source,
};
use tongban_core::digest::Digest;
use tongban_core::id::{DepartmentCode, MatterCode, RegionCode, ServiceCode};
use tongban_core::law::Procedure;
use tongban_core::time::Period;

use super::dice::Dice;

/// The place of every world.
pub(super) const REGION: &str = "420300";
/// The department that decides here.
pub(super) const BUREAU: &str = "bureau";
/// What the bureau's register is asked for under the applicant's authorisation.
pub(super) const REGISTER: &str = "bureau.register";
/// The department that decides in its own system.
pub(super) const COURT: &str = "court";
/// The department without a system.
pub(super) const ARCHIVE: &str = "archive";

/// Something that can be waited for.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A call.
    Call(&'static str),
    /// A decision; by two officers, perhaps.
    Decide(Eyes),
    /// A timer.
    Timer(Period),
    /// A message on a channel.
    Receive(&'static str),
    /// All of several.
    All(Vec<Node>),
    /// The ends of several.
    AllSettled(Vec<Node>),
    /// The first of several.
    Race(Vec<Node>),
    /// Something, within a time.
    Timeout(Box<Node>, Period),
}

/// How many officers decide.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Eyes {
    /// One.
    Two,
    /// Two.
    Four,
}

/// One step of a program.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Waits; an outcome that is no success ends the program.
    Wait(Node),
    /// Waits and goes on whatever comes.
    Try(Node),
    /// Asks and waits for it later, or never.
    Begin(Node),
    /// Waits for the oldest thing that was begun.
    Await,
    /// Registers how to undo what follows.
    Register,
    /// What a later version of the program does beside, where a run was not past it.
    Patched(Vec<Step>),
    /// Goes one way or the other by what arrived last.
    Branch(Vec<Step>, Vec<Step>),
}

/// How a program ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Finish {
    /// By what it has in hand.
    Decides,
    /// Without a decision: somebody else's, or nobody's.
    Leaves,
}

/// The script of one matter.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) finish: Finish,
}

/// The channel on which people send messages.
pub(super) const CHANNEL: &str = "mail";
/// The patch of a later version.
pub(super) const PATCH: &str = "later";

/// A service with the programs of its matters.
pub(super) struct Service {
    pub(super) closure: Arc<Closure>,
    pub(super) programs: BTreeMap<MatterCode, Program>,
}

fn period(text: &str) -> Period {
    text.parse().expect("a period of this file")
}

fn some_period(dice: &mut Dice) -> Period {
    const PERIODS: [&str; 6] =
        ["1 minutes", "5 minutes", "30 minutes", "2 hours", "1 calendar days", "1 working days"];
    period(PERIODS[dice.below(PERIODS.len())])
}

fn grow_node(dice: &mut Dice, depth: usize) -> Node {
    let kinds = if depth == 0 { 5 } else { 10 };
    match dice.below(kinds) {
        0..=2 => Node::Call(if dice.chance(700) { "bureau.check" } else { "archive.look" }),
        3 => Node::Decide(if dice.chance(200) { Eyes::Four } else { Eyes::Two }),
        4 => Node::Timer(some_period(dice)),
        5 => Node::All(grow_nodes(dice, depth)),
        6 => Node::AllSettled(grow_nodes(dice, depth)),
        7 => Node::Race(grow_nodes(dice, depth)),
        // Nobody promises to write: what waits for a message waits for a time.
        8 => Node::Timeout(Box::new(Node::Receive(CHANNEL)), some_period(dice)),
        _ => Node::Timeout(Box::new(grow_node(dice, depth - 1)), some_period(dice)),
    }
}

fn grow_nodes(dice: &mut Dice, depth: usize) -> Vec<Node> {
    (0..=dice.below(3)).map(|_| grow_node(dice, depth - 1)).collect()
}

fn grow_step(dice: &mut Dice, depth: usize) -> Step {
    match dice.below(if depth == 0 { 9 } else { 10 }) {
        0..=2 => Step::Wait(grow_node(dice, 2)),
        3 | 4 => Step::Try(grow_node(dice, 2)),
        5 | 6 => Step::Begin(grow_node(dice, 1)),
        7 => Step::Await,
        8 => Step::Register,
        _ => Step::Branch(grow_steps(dice, depth - 1, 2), grow_steps(dice, depth - 1, 2)),
    }
}

fn grow_steps(dice: &mut Dice, depth: usize, most: usize) -> Vec<Step> {
    (0..=dice.below(most)).map(|_| grow_step(dice, depth)).collect()
}

fn grow_program(dice: &mut Dice, decides_in: DecidesIn) -> Program {
    let mut steps = grow_steps(dice, 1, 3);
    if decides_in == DecidesIn::Connector {
        steps.push(Step::Try(Node::Call("court.decide")));
        return Program { steps, finish: Finish::Leaves };
    }
    if dice.chance(700) {
        steps.push(Step::Wait(Node::Decide(Eyes::Two)));
    }
    let finish = if dice.chance(950) { Finish::Decides } else { Finish::Leaves };
    Program { steps, finish }
}

fn grow_matter(dice: &mut Dice, no: usize) -> MatterDef {
    let elsewhere = dice.chance(250);
    let decides_in = if elsewhere { DecidesIn::Connector } else { DecidesIn::Here };
    let regimes = [Regime::Licence, Regime::Registration, Regime::Benefit, Regime::PublicService];
    let promised = *dice.pick(&[None, Some("1 working days"), Some("5 working days")]);
    let plain = plain_matter(no, decides_in);
    MatterDef {
        regime: *dice.pick(&regimes),
        intake: if dice.chance(600) { Intake::Auto } else { Intake::Window },
        limits: Limits { promised: promised.map(period), ..plain.limits },
        materials: grow_materials(dice, no),
        ..plain
    }
}

/// A matter that is accepted by itself and needs no material.
fn plain_matter(no: usize, decides_in: DecidesIn) -> MatterDef {
    let department = match decides_in {
        DecidesIn::Here | DecidesIn::Manual => BUREAU,
        DecidesIn::Connector => COURT,
    };
    MatterDef {
        code: matter_code(no),
        name: format!("事项{no}"),
        name_en: String::new(),
        department: DepartmentCode::new(department),
        regime: Regime::Licence,
        basis: String::new(),
        intake: Intake::Auto,
        decides_in,
        limits: Limits { statutory: Some(period("20 working days")), promised: None },
        form: vec![Field {
            name: "note".to_owned(),
            label: "备注".to_owned(),
            label_en: String::new(),
            kind: FieldKind::Text { max: 64 },
            required: false,
            source: None,
        }],
        materials: Vec::new(),
        gives: None,
        procedure: Procedure::default(),
        fees: Vec::new(),
        advises: false,
    }
}

fn grow_materials(dice: &mut Dice, no: usize) -> Vec<MaterialDef> {
    if !dice.chance(300) {
        return Vec::new();
    }
    let mut sources = vec![Source::Data(REGISTER.to_owned())];
    if no > 1 {
        sources.insert(0, Source::ResultOf(matter_code(dice.below(no - 1) + 1)));
    }
    sources.push(Source::Commitment);
    vec![MaterialDef { code: format!("paper-{no}"), name: "材料".to_owned(), sources }]
}

fn matter_code(no: usize) -> MatterCode {
    MatterCode::new(format!("matter-{no}"))
}

fn grow_part(dice: &mut Dice, no: usize, materials: &[MaterialDef]) -> Part {
    let mut after = Vec::new();
    if no > 1 && dice.chance(400) {
        let how = *dice.pick(&[After::Granted, After::Granted, After::Ended, After::Accepted]);
        after.push((matter_code(dice.below(no - 1) + 1), how));
    }
    let later = materials.iter().filter(|_| dice.chance(700));
    let tolerates = later.map(|material| material.code.clone()).collect();
    Part { after, tolerates, ..Part::new(matter_code(no)) }
}

/// Grows a service.
pub(super) fn grow(dice: &mut Dice, no: usize) -> Service {
    let mut matters = BTreeMap::new();
    let mut programs = BTreeMap::new();
    let mut parts = Vec::new();
    for matter in 1..=dice.below(3) + 1 {
        let definition = grow_matter(dice, matter);
        parts.push(grow_part(dice, matter, &definition.materials));
        programs.insert(definition.code.clone(), grow_program(dice, definition.decides_in));
        matters.insert(definition.code.clone(), definition);
    }
    assemble(no, (parts, matters), programs)
}

/// Makes a later version of a service: most change what is still to come behind a patch, some
/// change what may be past.
pub(super) fn revise(dice: &mut Dice, service: &Service) -> Service {
    let mut programs = service.programs.clone();
    for program in programs.values_mut() {
        let changed = Step::Patched(grow_steps(dice, 0, 2));
        let at = dice.below(program.steps.len() + 1);
        program.steps.insert(at, changed);
        if dice.chance(150) {
            program.steps.remove(0);
        }
    }
    let digest = digest_of(&service.closure.service.code, &programs);
    let closure = Closure { digest, ..(*service.closure).clone() };
    Service { closure: Arc::new(closure), programs }
}

fn digest_of(service: &ServiceCode, programs: &BTreeMap<MatterCode, Program>) -> Digest {
    Digest::of(format!("{service} {programs:?}").as_bytes())
}

/// Builds a service of one matter.
#[cfg(test)]
pub(super) fn single(decides_in: DecidesIn, steps: Vec<Step>) -> Service {
    let matter = plain_matter(1, decides_in);
    let finish = match decides_in {
        DecidesIn::Here | DecidesIn::Manual => Finish::Decides,
        DecidesIn::Connector => Finish::Leaves,
    };
    let part = Part::new(matter.code.clone());
    let programs = [(matter.code.clone(), Program { steps, finish })];
    assemble(0, (vec![part], [(matter.code.clone(), matter)].into()), programs.into())
}

fn assemble(
    no: usize,
    (parts, matters): (Vec<Part>, BTreeMap<MatterCode, MatterDef>),
    programs: BTreeMap<MatterCode, Program>,
) -> Service {
    let closure = Closure {
        digest: Digest::of(format!("{no} {programs:?} {parts:?}").as_bytes()),
        api_level: 1,
        service: ServiceDef {
            code: ServiceCode::new(format!("service-{no}")),
            name: format!("一件事{no}"),
            name_en: String::new(),
            lead: DepartmentCode::new(BUREAU),
            target: "enterprise".to_owned(),
            regions: vec![RegionCode::new(REGION)],
            promise: None,
            questions: Vec::new(),
            parts,
            computed: false,
            on_partial: false,
        },
        matters,
    };
    Service { closure: Arc::new(closure), programs }
}
