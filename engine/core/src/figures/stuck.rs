//! Who waits for whom, and since when.

use crate::case::{Case, Matter};
use crate::id::{CaseId, DepartmentCode, MatterNo};
use crate::schedule::Reading;
use crate::time::Moment;
use crate::waiting::{WaitingParty, waiting_on};

/// A matter that waits for somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stuck {
    /// Its case.
    pub case: CaseId,
    /// Public number of the case.
    pub number: String,
    /// The matter.
    pub matter: MatterNo,
    /// Its name.
    pub name: String,
    /// Its department.
    pub department: DepartmentCode,
    /// The kind of party that is waited for.
    pub party: WaitingParty,
    /// Who it is: a role, a connector, matters; empty for the applicant.
    pub who: String,
    /// Since when.
    pub since: Moment,
    /// Working days since then, the first one not counted.
    pub days: u32,
    /// When the monitored clock is due, if one runs.
    pub until: Option<Moment>,
    /// One plain sentence in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Stuck {
    /// Returns what a matter waits for; nothing once it has ended.
    pub(super) fn of(case: &Case, matter: &Matter, reading: Reading<'_>) -> Option<Self> {
        let calendar = reading.calendar(case, matter.no);
        let on = waiting_on(case, matter, calendar, reading.now)?;
        Some(Self {
            case: case.id,
            number: case.started.number.clone(),
            matter: matter.no,
            name: matter.planned.name.clone(),
            department: matter.planned.department.clone(),
            party: on.party,
            who: on.who,
            since: on.since,
            days: calendar.working_days(on.since.date(), reading.now.date()),
            until: on.until,
            zh: on.zh,
            en: on.en,
        })
    }
}

/// What waits for one party.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Waiting {
    /// Matters.
    pub matters: u64,
    /// Working days that they wait, added up.
    pub days: u64,
    /// The longest of them.
    pub longest: u32,
}

impl Waiting {
    pub(super) fn of(stuck: &Stuck) -> Self {
        Self { matters: 1, days: u64::from(stuck.days), longest: stuck.days }
    }

    /// Adds what waits in another shard.
    pub fn add(&mut self, other: &Self) {
        self.matters += other.matters;
        self.days += other.days;
        self.longest = self.longest.max(other.longest);
    }
}
