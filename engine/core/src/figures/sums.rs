//! What is counted: sums and nothing else. Each says in which month it counts.

use std::collections::BTreeMap;

use crate::card::CardLevel;

/// Sums of one bucket.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sums {
    /// Cases submitted, in the month of submission and in the row of the lead department.
    pub cases: u64,
    /// Matters given to their department, in the month of filing.
    pub filed: u64,
    /// Matters accepted, in the month of acceptance; one whose acceptance was rebutted is none.
    pub accepted: u64,
    /// Matters of these that the law accepted in place of a silent office.
    pub deemed: u64,
    /// Matters ended, in the month of their end, by the code of the end state.
    pub ended: BTreeMap<&'static str, u64>,
    /// Ended matters against the published promise, in the month of their end.
    pub promised: Kept,
    /// Ended matters against the limit of the law, in the month of their end.
    pub statutory: Kept,
    /// Working days that ended matters took, against those promised.
    pub used: Used,
    /// Corrections asked, in the month of asking.
    pub corrections: u64,
    /// Corrections asked so far in any matter of the `cases`, in their month and row.
    pub case_corrections: u64,
    /// Special procedures and other suspensions, in the month of their begin.
    pub suspensions: u64,
    /// Suspensions that began on the day of the acceptance, which supervisors look at.
    pub suspended_at_once: u64,
    /// Working days that suspensions took so far, each day of a matter once.
    pub suspended_days: u64,
    /// Matters whose clocks stand still at the end of the span, in its last month.
    pub suspended_now: u64,
    /// Materials that were not asked of the applicant, in the month of filing.
    pub exemption: Exemption,
    /// Cards by level and office, in the month of the rung.
    pub cards: BTreeMap<(CardLevel, String), CardSums>,
}

impl Sums {
    /// Returns the matters that ended after they were given to their department.
    pub fn completed(&self) -> u64 {
        self.ended.iter().filter(|(code, _)| **code != "not_filed").map(|(_, count)| count).sum()
    }

    /// Returns the corrections asked of the matters filed.
    pub fn corrections_per_matter(&self) -> Share {
        Share { part: self.corrections, whole: self.filed }
    }

    /// Returns the corrections asked of the cases submitted: what befell these very cases,
    /// whichever department asked and whenever.
    pub fn corrections_per_case(&self) -> Share {
        Share { part: self.case_corrections, whole: self.cases }
    }

    /// Adds the sums of another.
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.filed += other.filed;
        self.accepted += other.accepted;
        self.deemed += other.deemed;
        add_all(&mut self.ended, &other.ended);
        self.promised.add(other.promised);
        self.statutory.add(other.statutory);
        self.used.add(other.used);
        self.corrections += other.corrections;
        self.case_corrections += other.case_corrections;
        self.suspensions += other.suspensions;
        self.suspended_at_once += other.suspended_at_once;
        self.suspended_days += other.suspended_days;
        self.suspended_now += other.suspended_now;
        self.exemption.add(&other.exemption);
        for (key, cards) in &other.cards {
            let own = self.cards.entry(key.clone()).or_default();
            own.raised += cards.raised;
            own.answered += cards.answered;
            own.lifted += cards.lifted;
        }
    }
}

fn add_all(own: &mut BTreeMap<&'static str, u64>, other: &BTreeMap<&'static str, u64>) {
    for (key, count) in other {
        *own.entry(key).or_default() += count;
    }
}

/// Matters with a limit, and those of them that ended within it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Kept {
    /// Matters that ended and had the limit.
    pub ended: u64,
    /// Those that ended in time.
    pub on_time: u64,
}

impl Kept {
    fn add(&mut self, other: Self) {
        self.ended += other.ended;
        self.on_time += other.on_time;
    }

    /// Returns the on-time rate.
    pub fn rate(self) -> Share {
        Share { part: self.on_time, whole: self.ended }
    }
}

/// Working days used against working days promised.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Used {
    /// Ended matters whose promise is in working days.
    pub matters: u64,
    /// Working days that they took; suspensions and the day of the acceptance do not count.
    pub days: u64,
    /// Working days that they were promised within, extensions included.
    pub promised_days: u64,
}

impl Used {
    fn add(&mut self, other: Self) {
        self.matters += other.matters;
        self.days += other.days;
        self.promised_days += other.promised_days;
    }

    /// Returns the average of working days that a matter took.
    pub fn average(self) -> Share {
        Share { part: self.days, whole: self.matters }
    }

    /// Returns the average of working days that a matter was promised within.
    pub fn promised_average(self) -> Share {
        Share { part: self.promised_days, whole: self.matters }
    }
}

/// (material, matter) pairs by how they were met (dossier 9.3). Materials whose condition did not
/// apply are in no pair.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Exemption {
    /// All pairs of matters that were filed.
    pub pairs: u64,
    /// Pairs for which the applicant handed in something, now or before.
    pub handed_in: u64,
    /// Pairs that are still missing, promised for later, or being asked for.
    pub open: u64,
    /// Pairs that were met without the applicant handing in anything, by the code of the way.
    pub by_cause: BTreeMap<&'static str, u64>,
    /// Pairs that fell to the applicant because a source failed, by the code of the last cause.
    pub fallbacks: BTreeMap<&'static str, u64>,
    /// Pairs by the declarations of the service, in the month of submission.
    pub design_pairs: u64,
    /// Pairs of these that the service means to have handed in.
    pub design_handed_in: u64,
}

impl Exemption {
    fn add(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.handed_in += other.handed_in;
        self.open += other.open;
        add_all(&mut self.by_cause, &other.by_cause);
        add_all(&mut self.fallbacks, &other.fallbacks);
        self.design_pairs += other.design_pairs;
        self.design_handed_in += other.design_handed_in;
    }

    /// Returns the actual rate: what was met without a hand-in, of everything required.
    pub fn actual(&self) -> Share {
        Share { part: self.by_cause.values().sum(), whole: self.pairs }
    }

    /// Returns the design rate: what the service does not mean to have handed in.
    pub fn design(&self) -> Share {
        let part = self.design_pairs.saturating_sub(self.design_handed_in);
        Share { part, whole: self.design_pairs }
    }
}

/// Cards of one level for one office.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CardSums {
    /// Cards raised that count.
    pub raised: u64,
    /// Those of them that the office answered.
    pub answered: u64,
    /// Cards that an upheld appeal lifted; they are not among those raised.
    pub lifted: u64,
}

/// A part of a whole; what a rate is shown from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    /// The part.
    pub part: u64,
    /// The whole.
    pub whole: u64,
}

impl Share {
    /// Returns the rate in tenths of a percent, rounded down; none of nothing.
    pub fn permille(self) -> Option<u64> {
        self.part.saturating_mul(1_000).checked_div(self.whole)
    }

    /// Returns the ratio in hundredths, rounded to the nearest; none of nothing.
    pub fn hundredths(self) -> Option<u64> {
        let half = self.whole / 2;
        self.part.saturating_mul(100).saturating_add(half).checked_div(self.whole)
    }
}
