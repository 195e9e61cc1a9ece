//! Random histories of one matter: what is tried, when, and in which words.
//!
//! A history is a list of seeds, and a seed becomes an act only when it is reached: half of them
//! look for an act that the model allows at that point, since acts drawn blindly would hardly
//! ever leave the first states. Seeds are plain numbers, so that a failure shrinks to the
//! shortest history that still shows it.

#![expect(clippy::wildcard_enum_match_arm, reason = "most kinds of act need no terms")]

use jiff::civil::date;
use proptest::prelude::*;
use tongban_core::definition::{Limits, Regime};
use tongban_core::law::{
    Act, ActKind, Actor, ClockKind, CorrectionList, CorrectionRule, Ground, Procedure, Promised,
    Rules, Terms,
};
use tongban_core::time::{Moment, Period, Unit};

use crate::model::{Answer, Model, State};

/// How many shapes an act of one kind can have.
const SHAPES: usize = 12;
const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

/// What ends nothing, in the order in which a lawful act is looked for, round and round: what
/// leads on comes first after what does not.
const STEPS: [ActKind; 15] = [
    ActKind::Receive,
    ActKind::Return,
    ActKind::Resubmit,
    ActKind::AskCorrection,
    ActKind::ServeCorrection,
    ActKind::SupplyCorrection,
    ActKind::Accept,
    ActKind::DeemAccept,
    ActKind::RebutAcceptance,
    ActKind::Suspend,
    ActKind::Resume,
    ActKind::Extend,
    ActKind::ForwardUp,
    ActKind::MakeLicense,
    ActKind::Deliver,
];

/// One thing to try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    pick: Pick,
    /// Which words, grounds and terms, of [`SHAPES`].
    shape: usize,
    /// Minutes after the latest time so far; before it when negative.
    gap: i64,
    /// Who asks; where it is nobody in particular, one of those who may.
    who: Option<usize>,
}

/// Everybody who may stand behind an act.
pub(crate) const EVERYBODY: [Actor; 8] = [
    Actor::Engine,
    Actor::Clock,
    Actor::Script,
    Actor::Applicant,
    Actor::Window,
    Actor::Department,
    Actor::Head,
    Actor::Agency,
];

/// What to look for.
#[derive(Clone, Copy, Debug)]
enum Pick {
    /// An act of this kind, lawful or not.
    Any(usize),
    /// The first lawful act that ends nothing, from this one of [`STEPS`] on.
    Lawful(usize),
    /// The first lawful act, also one that ends the matter, from this kind on.
    End(usize),
    /// What an office's silence brings: the limit passes, the law accepts, the office proves.
    Silence,
    /// What an applicant's silence brings: his period passes, and a rule may end the matter.
    Missed,
    /// The filing, at its time or again.
    File,
    /// A promised material comes, or one that nobody promised.
    KeepPromise,
    /// An officer gives the applicant's period anew.
    Renew,
    /// The passing of a clock is recorded.
    Fire(usize),
}

/// One step of a history, once its seed was reached.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    File(Moment),
    Act(Actor, Act),
    KeepPromise(&'static str, Moment),
    Renew(Period, Moment),
    Fire(ClockKind, String, Moment),
}

/// Draws the rules and the seeds of one history.
pub(crate) fn stories() -> impl Strategy<Value = (Rules, Moment, Vec<Seed>)> {
    (rules(), starts(), proptest::collection::vec(seeds(), 1..=40))
}

fn seeds() -> impl Strategy<Value = Seed> {
    let kinds = 0..ActKind::ALL.len();
    let pick = prop_oneof![
        8 => kinds.clone().prop_map(Pick::Any),
        10 => (0..STEPS.len()).prop_map(Pick::Lawful),
        1 => kinds.prop_map(Pick::End),
        3 => Just(Pick::Silence),
        2 => Just(Pick::Missed),
        1 => Just(Pick::File),
        1 => Just(Pick::KeepPromise),
        1 => Just(Pick::Renew),
        1 => (0_usize..4).prop_map(Pick::Fire),
    ];
    let gap = prop_oneof![
        6 => 0_i64..600,
        6 => 600_i64..4 * 1_440,
        2 => 4 * 1_440_i64..25 * 1_440,
        2 => -8 * 1_440_i64..0,
    ];
    let who = prop_oneof![3 => Just(None), 1 => (0..EVERYBODY.len()).prop_map(Some)];
    (pick, 0..SHAPES, gap, who).prop_map(|(pick, shape, gap, who)| Seed { pick, shape, gap, who })
}

/// Around the long holidays, and anywhere in the loaded years and past them.
fn starts() -> impl Strategy<Value = Moment> {
    let days = prop_oneof![
        4 => (0_i64..30).prop_map(|day| (date(2026, 2, 1), day)),
        2 => (0_i64..25).prop_map(|day| (date(2026, 9, 15), day)),
        3 => (0_i64..1_000).prop_map(|day| (date(2024, 1, 1), day)),
        1 => (0_i64..60).prop_map(|day| (date(2026, 11, 1), day)),
    ];
    (days, 0_i64..1_440).prop_map(|((from, day), minute)| {
        Moment::start_of(from).plus_millis(day * DAY + minute * MINUTE)
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let regime = prop_oneof![
        3 => Just(Regime::Licence),
        3 => (0..Regime::ALL.len()).prop_map(|index| Regime::ALL[index].0),
    ];
    let limits = (periods(), periods());
    let procedure = (periods(), periods(), periods(), short_periods(), short_periods());
    (regime, limits, procedure, corrections()).prop_map(
        |(
            regime,
            (statutory, promised),
            (acceptance, issuing, first_review, longest, tolerance),
            correction,
        )| {
            let own = |code: &str| Ground { code: code.to_owned(), ..publicity() };
            let procedure = Procedure {
                acceptance,
                issuing,
                first_review,
                extension: longest,
                suspensions: vec![own("publicity")],
                correction,
                tolerance,
            };
            Rules::resolve(regime, Limits { statutory, promised }, &procedure)
        },
    )
}

fn publicity() -> Ground {
    Ground {
        code: String::new(), name: "公示".to_owned(), basis: "本事项办法第六条".to_owned()
    }
}

fn corrections() -> impl Strategy<Value = CorrectionRule> {
    let rule = || prop_oneof![Just(String::new()), Just("本事项办法第八条".to_owned())];
    (1_u32..20, 0_u8..3, 0_u8..3, rule(), rule()).prop_map(
        |(days, rounds, rounds_after, stops_clock_by, ends_by)| CorrectionRule {
            limit: Period { amount: days, unit: Unit::WorkingDays },
            rounds,
            rounds_after,
            stops_clock_by,
            ends_by,
        },
    )
}

fn periods() -> impl Strategy<Value = Option<Period>> {
    let some = prop_oneof![
        6 => (0_u32..25).prop_map(|amount| Period { amount, unit: Unit::WorkingDays }),
        2 => (0_u32..40).prop_map(|amount| Period { amount, unit: Unit::CalendarDays }),
        1 => (1_u32..50).prop_map(|amount| Period { amount, unit: Unit::Hours }),
        1 => (1_u32..3).prop_map(|amount| Period { amount, unit: Unit::Months }),
    ];
    proptest::option::of(some)
}

fn short_periods() -> impl Strategy<Value = Option<Period>> {
    let unit = prop_oneof![4 => Just(Unit::WorkingDays), 1 => Just(Unit::CalendarDays)];
    proptest::option::of((1_u32..12, unit).prop_map(|(amount, unit)| Period { amount, unit }))
}

impl Seed {
    /// Makes the seed a step at this point of the model's life; moves the latest time on.
    pub(crate) fn step(&self, model: &Model<'_>, latest: &mut Moment) -> Step {
        let at = latest.plus_millis(self.gap * MINUTE);
        *latest = at.max(*latest);
        match self.pick {
            Pick::Any(kind) => self.asked(model, self.act(model, ActKind::ALL[kind].0, at)),
            Pick::Lawful(_) | Pick::Silence | Pick::Missed if model.state == State::Planned => {
                Step::File(at)
            }
            Pick::Lawful(first) => self.asked(model, self.lawful(model, &STEPS, first, at)),
            Pick::End(first) => {
                let all = ActKind::ALL.map(|(kind, ..)| kind);
                self.asked(model, self.lawful(model, &all, first, at))
            }
            Pick::Silence => self.silence(model, at, latest),
            Pick::Missed => self.missed(model, at, latest),
            Pick::File => Step::File(at),
            Pick::KeepPromise => Step::KeepPromise(material(self.shape), at),
            Pick::Renew => Step::Renew(working(self.shape + 1), at),
            Pick::Fire(index) => match model.timers.get(index) {
                Some(timer) => Step::Fire(timer.kind, timer.about.clone(), at),
                None => Step::Fire(ClockKind::Promised, String::new(), at),
            },
        }
    }

    fn silence(&self, model: &Model<'_>, at: Moment, latest: &mut Moment) -> Step {
        use ActKind as K;
        let mut timers = model.timers.iter();
        match timers.find(|timer| timer.kind == ClockKind::Acceptance) {
            Some(timer) if timer.passed.is_none() => {
                let due = model.end(timer, at).at;
                *latest = due.plus_millis(MINUTE).max(*latest);
                Step::Fire(timer.kind, String::new(), due)
            }
            Some(_) => self.asked(model, self.lawful(model, &[K::DeemAccept, K::Accept], 0, at)),
            None => self.asked(model, self.lawful(model, &[K::Receive, K::RebutAcceptance], 0, at)),
        }
    }

    fn missed(&self, model: &Model<'_>, at: Moment, latest: &mut Moment) -> Step {
        use ActKind as K;
        let mut timers = model.timers.iter();
        match timers.find(|timer| timer.kind == ClockKind::Correction) {
            Some(timer) if timer.passed.is_none() => {
                let due = model.end(timer, at).at;
                *latest = due.plus_millis(MINUTE).max(*latest);
                Step::Fire(timer.kind, String::new(), due)
            }
            // The shape that cites the rule of a matter that has one.
            Some(_) => {
                let cites = Self { shape: 10, ..*self };
                self.asked(model, cites.lawful(model, &[K::Terminate], 0, at))
            }
            None => {
                let asks = [K::Receive, K::AskCorrection, K::ServeCorrection];
                self.asked(model, self.lawful(model, &asks, 1, at))
            }
        }
    }

    /// Has somebody ask for the act: whoever was drawn, or one who may.
    fn asked(&self, model: &Model<'_>, act: Act) -> Step {
        let may = |who: &Actor| model.answer_to(*who, &act) != Answer::NotHis;
        let his: Vec<Actor> = EVERYBODY.into_iter().filter(may).collect();
        let who = self.who.map_or_else(|| his[self.shape % his.len()], |who| EVERYBODY[who]);
        Step::Act(who, act)
    }

    /// The first lawful act of `kinds` from `first` on, in some shape; else whatever was asked.
    fn lawful(&self, model: &Model<'_>, kinds: &[ActKind], first: usize, at: Moment) -> Act {
        let in_turn = kinds.iter().cycle().skip(first).take(kinds.len());
        let shapes = |kind| {
            let shaped = (self.shape..self.shape + SHAPES).map(|shape| shape % SHAPES);
            shaped.map(move |shape| Seed { shape, ..*self }.act(model, kind, at))
        };
        let mut acts = in_turn.flat_map(|kind| shapes(*kind));
        let found = acts.find(|act| model.answer(act) == Answer::Done);
        found.unwrap_or_else(|| self.act(model, kinds[first], at))
    }

    /// Silence accepts as of the receipt; everything else takes effect when it is done.
    fn act(&self, model: &Model<'_>, kind: ActKind, at: Moment) -> Act {
        let of_receipt = (kind == ActKind::DeemAccept && self.shape > 1).then(|| model.receipt());
        act(kind, self.shape, of_receipt.flatten().unwrap_or(at))
    }
}

/// An act of `kind`: each shape has other words and terms, some of them wrong.
fn act(kind: ActKind, shape: usize, at: Moment) -> Act {
    use ActKind as K;
    let reason = if shape.is_multiple_of(4) { "" } else { "依据事项办法" };
    match kind {
        K::Receive if shape > 5 => {
            let unit = if shape == 6 { Unit::CalendarDays } else { Unit::WorkingDays };
            let amount = working(shape - 6).amount;
            Act::new(kind, at, reason).with(Terms::Remaining { left: Period { amount, unit } })
        }
        K::NotAccept => Act::new(kind, at, not_accept_ground(shape)),
        K::Suspend => Act::new(kind, at, suspension_ground(shape))
            .with(Terms::Suspension { expected: (shape > 5).then(|| working(shape)) }),
        K::Extend => Act::new(kind, at, reason).with(extension(shape)),
        K::AskCorrection | K::RebutAcceptance => {
            let document_no = if shape == 8 { "" } else { "补〔2026〕1号" }.to_owned();
            Act { document_no, ..Act::new(kind, at, reason).with(correction(kind, shape, at)) }
        }
        K::Accept | K::DeemAccept if shape > 4 => {
            Act::new(kind, at, reason).with(Terms::Promises(promised(shape)))
        }
        K::Terminate if shape > 8 => Act::new(kind, at, reason)
            .with(Terms::ByRule(["", "本事项办法第八条", "别的规则"][shape % 3].to_owned())),
        _ => Act::new(kind, at, reason),
    }
}

fn not_accept_ground(shape: usize) -> &'static str {
    ["no_competence", "no_licence_needed", "outside_list", "", "papers_missing"][shape % 5]
}

fn suspension_ground(shape: usize) -> &'static str {
    ["hearing", "publicity", "inspection", "", "system_down", "expert_review", "correction"]
        [shape % 7]
}

fn extension(shape: usize) -> Terms {
    let unit = if shape == 3 { Unit::CalendarDays } else { Unit::WorkingDays };
    let by = Period { amount: u32::try_from(shape).expect("shapes are few"), unit };
    Terms::Extension { by, approved_by: if shape == 7 { "" } else { "局长甲" }.to_owned() }
}

fn correction(kind: ActKind, shape: usize, at: Moment) -> Terms {
    if shape == 11 {
        return Terms::None;
    }
    // Proof turns up when the law has spoken already: it tells of an earlier day.
    let proof = kind == ActKind::RebutAcceptance;
    let days = if proof { i64::try_from(2 * shape).expect("shapes are few") } else { 0 };
    let served = (proof && shape != 9) || shape.is_multiple_of(3);
    Terms::Correction(CorrectionList {
        materials: if shape == 4 { Vec::new() } else { vec![material(shape).to_owned()] },
        fields: if shape == 5 { vec!["name".to_owned()] } else { Vec::new() },
        text: "请补正".to_owned(),
        limit: (shape > 7).then(|| working(shape)),
        served_at: served.then(|| at.plus_millis(-DAY * days)),
    })
}

fn promised(shape: usize) -> Vec<Promised> {
    (5..shape.min(8))
        .map(|number| Promised { material: material(number).to_owned(), within: working(number) })
        .collect()
}

fn material(shape: usize) -> &'static str {
    ["drawing", "title-deed", "fire-plan"][shape % 3]
}

fn working(days: usize) -> Period {
    let amount = u32::try_from(days).expect("shapes are few");
    Period { amount, unit: Unit::WorkingDays }
}
