//! What the engine's calls take and give, beside the types of core.

use std::collections::BTreeSet;
use std::sync::Arc;

use tongban_core::calendar::{Calendar, Due, Explanation};
use tongban_core::case::{Case, Document, Matter, Task};
use tongban_core::entry::Entry;
use tongban_core::id::{CaseId, CommitNo, Seq, ServiceCode, TaskId};
use tongban_core::law::{Clock, ClockKind};
use tongban_core::narrative;
use tongban_core::schedule::Reading;
use tongban_core::summary::{CaseState, CaseSummary, TaskSummary};
use tongban_core::time::Moment;
use tongban_core::viewer::{CaseScope, Role, Viewer};
use tongban_core::waiting::{WaitingOn, waiting_on};

use crate::standing::Standing;

/// What a mutation came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The case it changed.
    pub case: CaseId,
    /// Revision by which the change can be read.
    pub revision: CommitNo,
    /// Whether an earlier call with the same key did it.
    pub replayed: bool,
}

/// Names one mutation of one caller, so that its repetition changes nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdempotencyKey(pub String);

/// Which cases a list shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseFilter {
    /// Only in these states; empty for all.
    pub states: BTreeSet<CaseState>,
    /// Only of this service.
    pub service: Option<ServiceCode>,
}

/// Which tasks of a queue are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueView {
    /// Every open task that the viewer may take.
    Open,
    /// Those that the viewer has taken.
    Mine,
}

/// A stretch of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRequest {
    /// Most items, 1 to [`tongban_core::limits::PAGE_MAX`].
    pub first: usize,
    /// Where to go on, as a page gave it.
    pub after: Option<Vec<u8>>,
}

/// A task in a queue, with the case around it.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueItem {
    /// The task's id.
    pub id: TaskId,
    /// The task.
    pub task: TaskSummary,
    /// Its case.
    pub case: CaseSummary,
}

/// A case that its viewer may see. There is no other way to come by one than through a call of
/// the engine that takes a [`Viewer`].
#[derive(Clone, Debug)]
pub struct CaseView {
    case: Arc<Case>,
    revision: CommitNo,
    standing: Arc<Standing>,
    now: Moment,
    viewer: Role,
}

impl CaseView {
    /// Lets a viewer see a case, or not.
    pub(crate) fn reveal(
        viewer: &Viewer,
        scope: &CaseScope,
        parts: (Arc<Case>, CommitNo),
        reading: (Arc<Standing>, Moment),
    ) -> Option<Self> {
        let (case, revision) = parts;
        let (standing, now) = reading;
        viewer.sees(scope).then_some(Self { case, revision, standing, now, viewer: viewer.role })
    }

    /// Returns what derived times are read from.
    pub fn reading(&self) -> Reading<'_> {
        self.standing.reading(self.now)
    }

    /// Returns the calendar by which a matter counts: that of the place where it is decided.
    pub fn calendar_of(&self, matter: &Matter) -> &Calendar {
        self.reading().calendar(&self.case, matter.no)
    }

    /// Lists each counted and each skipped day of a clock.
    pub fn explain(&self, matter: &Matter, clock: &Clock) -> Explanation {
        matter.law.explain(clock, self.calendar_of(matter), self.now)
    }

    /// Returns the documents that the viewer may see, in the order of their drafting: what is
    /// only drafted is the offices' own business.
    pub fn documents(&self) -> Vec<&Document> {
        let applicant = self.viewer == Role::Applicant;
        let all = self.case.documents.values();
        let mut shown: Vec<&Document> =
            all.filter(|document| !applicant || document.sealed().is_some()).collect();
        shown.sort_by_key(|document| document.at);
        shown
    }

    /// Returns the folded case.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// Returns the revision at which it was read.
    pub fn revision(&self) -> CommitNo {
        self.revision
    }

    /// Returns what lists show of the case.
    pub fn summary(&self) -> CaseSummary {
        let summary = tongban_core::read_model::summarise(&self.case, self.reading());
        CaseSummary { revision: self.revision, ..summary }
    }

    /// Returns what queues show of a task of the case, open or ended.
    pub fn task_summary(&self, task: &Task) -> TaskSummary {
        tongban_core::read_model::summarise_task(&self.case, task, self.reading())
    }

    /// Returns the derived state of the whole.
    pub fn state(&self) -> CaseState {
        tongban_core::read_model::state(&self.case)
    }

    /// Returns whether the viewer is the applicant: he sees no names of staff.
    pub fn is_for_applicant(&self) -> bool {
        self.viewer == Role::Applicant
    }

    /// Returns who holds up a matter.
    pub fn waiting_on(&self, matter: &Matter) -> Option<WaitingOn> {
        waiting_on(&self.case, matter, self.calendar_of(matter), self.now)
    }

    /// Returns the clock of a matter that is monitored: the promise, or else the statutory one,
    /// running or stopped.
    pub fn handling_clock<'a>(&self, matter: &'a Matter) -> Option<&'a Clock> {
        let find = |kind| matter.law.clocks().iter().find(|clock| clock.kind == kind);
        find(ClockKind::Promised).or_else(|| find(ClockKind::Statutory))
    }

    /// Returns when a clock of a matter is due.
    pub fn due(&self, matter: &Matter, clock: &Clock) -> Due {
        matter.law.due(clock, self.calendar_of(matter), self.now)
    }

    /// Returns the working days that a clock has counted so far.
    pub fn used_days(&self, matter: &Matter, clock: &Clock) -> u32 {
        matter.law.used_days(clock, self.calendar_of(matter), self.now)
    }

    /// Returns the lawful time at which the view was taken.
    pub fn now(&self) -> Moment {
        self.now
    }
}

/// Something that happened in a case, as its viewer may read it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventView {
    /// Opaque place after this event, for going on later.
    pub cursor: String,
    /// Commit that recorded it; with the index the event's id.
    pub commit: CommitNo,
    /// Its place among the entries of that commit, from 0.
    pub index: u32,
    /// Its place in the case.
    pub seq: Seq,
    /// Number of the matter; 0 for the case.
    pub matter: u16,
    /// When it was recorded.
    pub at: Moment,
    /// When it took effect.
    pub effective_at: Moment,
    /// Stable code of what happened.
    pub kind: &'static str,
    /// Who caused it; empty where the viewer is not to know.
    pub actor: String,
    /// One sentence in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl EventView {
    /// Tells an entry to a viewer; `None` when it is internal and he is not to see it.
    pub(crate) fn of(entry: &Entry, case: &Case, viewer: Role, place: EventPlace) -> Option<Self> {
        let told = narrative::tell(entry, case);
        if viewer == Role::Applicant && told.internal {
            return None;
        }
        let actor = match viewer {
            Role::Applicant => String::new(),
            Role::WindowClerk
            | Role::Approver
            | Role::Integrator
            | Role::Supervisor
            | Role::OfficeHead
            | Role::SystemAdmin => told.actor,
        };
        Some(Self {
            cursor: place.cursor,
            commit: place.commit,
            index: place.index,
            seq: entry.seq,
            matter: entry.matter.0,
            at: entry.recorded_at,
            effective_at: entry.effective_at,
            kind: told.kind,
            actor,
            zh: told.zh,
            en: told.en,
        })
    }
}

/// Where an event stands in the store.
pub(crate) struct EventPlace {
    pub(crate) cursor: String,
    pub(crate) commit: CommitNo,
    pub(crate) index: u32,
}

/// Events of one case after a cursor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<EventView>,
    /// Where to go on, even when no event was visible.
    pub cursor: String,
    /// Revision up to which the page is complete.
    pub revision: CommitNo,
}
