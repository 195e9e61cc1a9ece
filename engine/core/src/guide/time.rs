//! How long it takes: the longest path through what comes after what, over the promised limits.
//!
//! Limits are sums of their own units; nothing here turns working days into dates, because that
//! needs a day to begin with and a calendar. Where units mix, paths are compared by a rough
//! weight (a working day is 7/5 of a calendar day) and the sum names each unit. What precedes
//! acceptance is not part of any limit and is not counted.

use serde::Serialize;

use super::labels::{Words, limit_words};
use super::{Chosen, MatterRef, Warning, written};
use crate::definition::{After, Limits};
use crate::time::{Period, Unit};

/// The time of a situation.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimePlan {
    /// The matters on the critical path, in order.
    pub critical_path: Vec<Stretch>,
    /// Sum of the limits along it.
    pub total: Length,
    /// The service's published promise for the whole.
    #[serde(serialize_with = "written::period")]
    pub promise: Option<Period>,
    /// How the promise compares with the path.
    pub check: PromiseCheck,
}

/// A matter on the critical path.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stretch {
    /// The matter.
    pub matter: MatterRef,
    /// The limit that counts.
    #[serde(serialize_with = "written::period")]
    pub limit: Option<Period>,
    /// Which limit that is.
    pub basis: LimitBasis,
}

/// Which limit of a matter counts on a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitBasis {
    /// The published promise.
    Promised,
    /// The law's, because nothing is promised.
    Statutory,
    /// None: the next matter needs only its acceptance.
    Acceptance,
    /// None is published.
    Unknown,
}

/// How a promise for the whole compares with the critical path.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseCheck {
    /// Nothing is promised for the whole.
    NoPromise,
    /// The single promises fit into it.
    Fits,
    /// It holds only when matters end before what each of them promises.
    TooShort,
}

/// A sum of limits, unit by unit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Length {
    /// Working days.
    pub working_days: u32,
    /// Calendar days.
    pub calendar_days: u32,
    /// Hours.
    pub hours: u32,
    /// Minutes.
    pub minutes: u32,
    /// Months.
    pub months: u32,
}

impl Length {
    fn add(&mut self, period: Period) {
        let sum = match period.unit {
            Unit::WorkingDays => &mut self.working_days,
            Unit::CalendarDays => &mut self.calendar_days,
            Unit::Hours => &mut self.hours,
            Unit::Minutes => &mut self.minutes,
            Unit::Months => &mut self.months,
        };
        *sum = sum.saturating_add(period.amount);
    }

    fn parts(self) -> Vec<Period> {
        let all = [
            (self.working_days, Unit::WorkingDays),
            (self.calendar_days, Unit::CalendarDays),
            (self.hours, Unit::Hours),
            (self.minutes, Unit::Minutes),
            (self.months, Unit::Months),
        ];
        let some = all.into_iter().filter(|(amount, _)| *amount > 0);
        some.map(|(amount, unit)| Period { amount, unit }).collect()
    }

    /// Tells whether it is a sum of more than one unit.
    pub fn is_mixed(self) -> bool {
        self.parts().len() > 1
    }

    /// Returns it as one period, if it has one unit.
    pub fn single(self) -> Option<Period> {
        let parts = self.parts();
        if let [only] = parts.as_slice() { Some(*only) } else { None }
    }

    /// Says how long it is, each unit by itself.
    pub fn words(self) -> Words {
        let parts: Vec<Words> = self.parts().into_iter().map(limit_words).collect();
        if parts.is_empty() {
            return Words::new("即办", "at once");
        }
        let (zh, en): (Vec<&str>, Vec<&str>) =
            parts.iter().map(|part| (part.zh.as_str(), part.en.as_str())).unzip();
        Words { zh: zh.join("加"), en: en.join(" and ") }
    }

    fn weight(self) -> u64 {
        self.parts().into_iter().map(weight).sum()
    }
}

/// Returns the rough length in minutes by which paths of different units are compared.
fn weight(period: Period) -> u64 {
    let minutes = match period.unit {
        Unit::WorkingDays => 24 * 60 * 7 / 5,
        Unit::CalendarDays => 24 * 60,
        Unit::Hours => 60,
        Unit::Minutes => 1,
        Unit::Months => 30 * 24 * 60,
    };
    u64::from(period.amount) * minutes
}

fn monitored(limits: &Limits) -> (Option<Period>, LimitBasis) {
    match (limits.promised, limits.statutory) {
        (Some(promised), _) => (Some(promised), LimitBasis::Promised),
        (None, Some(statutory)) => (Some(statutory), LimitBasis::Statutory),
        (None, None) => (None, LimitBasis::Unknown),
    }
}

/// When a matter may begin at the latest, and because of whom.
#[derive(Clone, Copy, Default)]
struct Begin {
    weight: u64,
    /// Index of the matter that it waits for longest, and what of it.
    because: Option<(usize, After)>,
}

pub(super) fn plan(chosen: &[Chosen<'_>], promise: Option<Period>) -> TimePlan {
    let critical_path = critical_path(chosen);
    let mut total = Length::default();
    for limit in critical_path.iter().filter_map(|stretch| stretch.limit) {
        total.add(limit);
    }
    let check = match promise {
        None => PromiseCheck::NoPromise,
        Some(promise) if weight(promise) < total.weight() => PromiseCheck::TooShort,
        Some(_) => PromiseCheck::Fits,
    };
    TimePlan { critical_path, total, promise, check }
}

fn own_weight(one: &Chosen<'_>) -> u64 {
    monitored(&one.matter.limits).0.map_or(0, weight)
}

/// Returns for each matter when it may begin. Declarations have no cycle (a check of the host);
/// should there be one, the rounds end all the same.
fn begins(chosen: &[Chosen<'_>]) -> Vec<Begin> {
    let mut begins = vec![Begin::default(); chosen.len()];
    for _ in chosen {
        for (index, one) in chosen.iter().enumerate() {
            for (code, after) in &one.part.after {
                let Some(earlier) = chosen.iter().position(|other| other.matter.code == *code)
                else {
                    continue;
                };
                let lasts = match after {
                    After::Granted | After::Ended => own_weight(&chosen[earlier]),
                    After::Accepted => 0,
                };
                let ready = begins[earlier].weight + lasts;
                let known = begins[index];
                if ready > known.weight || known.because.is_none() {
                    begins[index] = Begin { weight: ready, because: Some((earlier, *after)) };
                }
            }
        }
    }
    begins
}

fn critical_path(chosen: &[Chosen<'_>]) -> Vec<Stretch> {
    let begins = begins(chosen);
    let ends = |index: usize| begins[index].weight + own_weight(&chosen[index]);
    // Of several that end last, the one that begins last (it may have no limit of its own), then
    // the first that was declared.
    let last = (0..chosen.len()).rev().max_by_key(|index| (ends(*index), begins[*index].weight));
    let mut path = Vec::new();
    let mut next = last.map(|index| (index, After::Ended));
    while let Some((index, after)) = next {
        if path.len() == chosen.len() {
            break;
        }
        let (limit, basis) = match after {
            After::Granted | After::Ended => monitored(&chosen[index].matter.limits),
            After::Accepted => (None, LimitBasis::Acceptance),
        };
        path.push(Stretch { matter: chosen[index].named(), limit, basis });
        next = begins[index].because;
    }
    path.reverse();
    path
}

impl TimePlan {
    /// Says that the promise is shorter than what the matters promise.
    pub(super) fn warning(&self) -> Option<Warning> {
        let promise = self.promise.filter(|_| self.check == PromiseCheck::TooShort)?;
        let (promise, total) = (limit_words(promise), self.total.words());
        Some(Warning {
            code: "PROMISE_SHORTER_THAN_PATH",
            words: Words::new(
                format!(
                    "总承诺时限 {} 短于各事项承诺时限之和 {}(关键路径),须各事项提前办结才能兑现",
                    promise.zh, total.zh
                ),
                format!(
                    "the promise for the whole, {}, is shorter than the critical path of the single promises, {}; it holds only when matters end early",
                    promise.en, total.en
                ),
            ),
        })
    }
}
