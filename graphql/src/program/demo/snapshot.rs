//! A case as the demo sees it at one moment.

use std::collections::BTreeMap;

use tongban_core::time::Moment;

/// A case at one moment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Snapshot {
    pub(super) number: String,
    pub(super) service: String,
    pub(super) service_name: String,
    /// Code of the state, in lower case.
    pub(super) state: String,
    pub(super) state_label: String,
    pub(super) applicant: String,
    pub(super) submitted_at: Moment,
    /// Lawful time.
    pub(super) now: Moment,
    pub(super) revision: String,
    pub(super) matters: Vec<Lane>,
}

/// One matter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Lane {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) department: String,
    /// Code of the state, in lower case.
    pub(super) state: String,
    pub(super) state_label: String,
    /// When its first clock started.
    pub(super) since: Option<Moment>,
    /// When its last clock stopped for good.
    pub(super) until: Option<Moment>,
    /// Working days that it took.
    pub(super) working_days: Option<u64>,
    /// Number of the license or document; empty without one.
    pub(super) result: String,
    /// Who is waited for, in one sentence.
    pub(super) waiting: String,
    /// Kind of who is waited for.
    pub(super) waiting_kind: String,
    /// How each material was met.
    pub(super) materials: BTreeMap<String, String>,
}

/// How far a matter has come, as its lane shows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// Not with its department yet.
    Planned,
    /// Under way.
    UnderWay,
    /// Ended with a grant.
    Granted,
    /// Ended otherwise.
    Otherwise,
}

impl Lane {
    /// Returns how far it has come.
    pub(super) fn progress(&self) -> Progress {
        match self.state.as_str() {
            "planned" => Progress::Planned,
            "granted" | "granted_tolerant" => Progress::Granted,
            "filed" | "received" | "accepted" => Progress::UnderWay,
            _ => Progress::Otherwise,
        }
    }

    /// Tells whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        !matches!(self.progress(), Progress::Planned | Progress::UnderWay)
    }

    /// Returns the lawful milliseconds from its filing to its end, or to `now`.
    pub(super) fn elapsed(&self, now: Moment) -> Option<i64> {
        self.since.map(|since| self.until.unwrap_or(now).since(since))
    }
}

impl Snapshot {
    /// Tells whether every matter has ended.
    pub(super) fn is_over(&self) -> bool {
        !self.matters.is_empty() && self.matters.iter().all(Lane::is_over)
    }

    /// Tells whether every matter was granted, in full or tolerantly.
    pub(super) fn is_granted(&self) -> bool {
        self.is_over() && self.matters.iter().all(|lane| lane.progress() == Progress::Granted)
    }

    /// Returns how many matters are under way.
    pub(super) fn under_way(&self) -> usize {
        self.matters.iter().filter(|lane| lane.progress() == Progress::UnderWay).count()
    }

    /// Returns a matter.
    pub(super) fn lane(&self, code: &str) -> Option<&Lane> {
        self.matters.iter().find(|lane| lane.code == code)
    }
}
