//! Reading: one case, lists, queues, events. The viewer's scope is compiled into the rows that
//! are read; a list never meets a row that its viewer may not see.

use tongban_core::case::Case;
use tongban_core::id::{CaseId, CommitNo, RegionCode, Seq, TaskId};
use tongban_core::limits;
use tongban_core::port::Page;
use tongban_core::read_model::{self, applicant_hash};
use tongban_core::summary::{Along, CaseSummary, RoleMatch, Search};
use tongban_core::viewer::{Role, Viewer};
use tongban_core::wire;

use super::Engine;
use crate::api::{
    CaseFilter, CaseView, EventPage, EventPlace, EventView, PageRequest, QueueItem, QueueView,
};
use crate::error::EngineError;

impl Engine {
    /// Returns a case, if there is one that the viewer may see.
    pub async fn case(&self, viewer: &Viewer, id: CaseId) -> Result<Option<CaseView>, EngineError> {
        let Some((case, revision)) = self.runtime.snapshot(id).await? else { return Ok(None) };
        let scope = read_model::scope(&case);
        let reading = (self.runtime.standing.now(), self.runtime.lawful.now());
        Ok(CaseView::reveal(viewer, &scope, (case, revision), reading))
    }

    /// Returns the case with a public number, if the viewer may see it.
    pub async fn case_by_number(
        &self,
        viewer: &Viewer,
        number: &str,
    ) -> Result<Option<CaseView>, EngineError> {
        match self.runtime.store.by_number(number.to_owned()).await? {
            Some(id) => self.case(viewer, id).await,
            None => Ok(None),
        }
    }

    /// Returns the cases in the viewer's scope, newest first. An approver's list holds the cases
    /// in which his department has an open matter.
    pub async fn cases(
        &self,
        viewer: &Viewer,
        filter: CaseFilter,
        page: PageRequest,
    ) -> Result<Page<CaseSummary>, EngineError> {
        self.walk(&self.scopes(viewer), &filter, page).await
    }

    fn scopes(&self, viewer: &Viewer) -> Vec<Along> {
        let regions = outermost(viewer);
        match viewer.role {
            Role::Applicant => {
                let secret = &self.runtime.identity.secret;
                let party = viewer.party.iter();
                party.map(|id| Along::Applicant(applicant_hash(secret, id))).collect()
            }
            Role::WindowClerk | Role::Supervisor | Role::SystemAdmin => {
                regions.into_iter().map(Along::Region).collect()
            }
            Role::Approver | Role::OfficeHead => viewer
                .departments
                .iter()
                .flat_map(|department| {
                    let along =
                        |region: &RegionCode| Along::Department(department.clone(), region.clone());
                    regions.iter().map(along).collect::<Vec<_>>()
                })
                .collect(),
            Role::Integrator => Vec::new(),
        }
    }

    /// Walks along one scope after the other. A cursor is the scope's number before the store's
    /// own. A case that an earlier scope has shown is not shown again.
    pub(super) async fn walk(
        &self,
        scopes: &[Along],
        filter: &CaseFilter,
        page: PageRequest,
    ) -> Result<Page<CaseSummary>, EngineError> {
        let first = page.first.clamp(1, limits::PAGE_MAX);
        let unread = || self.resync();
        let (mut at, mut after) = read_cursor(page.after).ok_or_else(unread)?;
        let mut items: Vec<CaseSummary> = Vec::new();
        while let Some(along) = scopes.get(at) {
            let search = Search {
                along: along.clone(),
                states: filter.states.clone(),
                service: filter.service.clone(),
                after: after.take(),
                first: first - items.len(),
            };
            let found = self.runtime.store.search(search).await?;
            let shown = |summary: &CaseSummary| {
                scopes[..at].iter().any(|earlier| is_along(summary, earlier))
            };
            let now = self.runtime.lawful.now();
            let fresh = found.items.into_iter().filter(|summary| !shown(summary));
            items.extend(fresh.map(|summary| summary.as_of(now)));
            match found.next {
                Some(next) if items.len() >= first => {
                    return Ok(Page { items, next: Some(write_cursor(at, &next)) });
                }
                Some(next) => after = Some(next),
                None => at += 1,
            }
            if items.len() >= first && at < scopes.len() {
                return Ok(Page { items, next: Some(write_cursor(at, &[])) });
            }
        }
        Ok(Page { items, next: None })
    }

    /// Returns open tasks that the viewer may take or has taken, of at most `page.first` cases,
    /// earliest due first within the page.
    pub async fn queue(
        &self,
        viewer: &Viewer,
        view: QueueView,
        page: PageRequest,
    ) -> Result<Page<QueueItem>, EngineError> {
        let roles = match viewer.role {
            Role::WindowClerk => RoleMatch::Windows,
            Role::Approver | Role::OfficeHead => RoleMatch::Departments(viewer.departments.clone()),
            Role::Applicant | Role::Integrator | Role::Supervisor | Role::SystemAdmin => {
                return Ok(Page { items: Vec::new(), next: None });
            }
        };
        let along = |region| Along::Queue { region, roles: roles.clone() };
        let scopes: Vec<Along> = outermost(viewer).into_iter().map(along).collect();
        let found = self.walk(&scopes, &CaseFilter::default(), page).await?;
        let mut items = Vec::new();
        let (standing, now) = (self.runtime.standing.now(), self.runtime.lawful.now());
        for case in found.items {
            let tasks = case.tasks.iter().filter(|task| {
                standing.organisation.lets_take(viewer, task.addressee(), now)
                    && match view {
                        QueueView::Open => true,
                        QueueView::Mine => task.assignee.as_ref() == Some(&viewer.subject),
                    }
            });
            for task in tasks {
                let id = TaskId { case: case.case, no: task.no };
                items.push(QueueItem { id, task: task.clone(), case: case.clone() });
            }
        }
        items.sort_by_key(|item| (item.task.due_at.is_none(), item.task.due_at, item.id));
        Ok(Page { items, next: found.next })
    }

    /// Returns what happened in a case after a cursor, oldest first; without a cursor, from the
    /// beginning. `None` when there is no such case or the viewer may not see it.
    ///
    /// # Errors
    /// [`EngineError::ResyncRequired`] for a cursor of another store or case, with the revision of
    /// a snapshot and the cursor after it: who reads the case now and goes on from there misses
    /// nothing.
    pub async fn events(
        &self,
        viewer: &Viewer,
        id: CaseId,
        after: Option<&str>,
        most: usize,
    ) -> Result<Option<EventPage>, EngineError> {
        let Some(stored) = self.runtime.store.load(id).await? else { return Ok(None) };
        let case = Case::from_entries(id, &stored.entries)?;
        if !viewer.sees(&read_model::scope(&case)) {
            return Ok(None);
        }
        let seen = match after.map(|cursor| self.read_event_cursor(cursor)) {
            None => Seq(0),
            Some(Some((commit, seq))) if commit_of(&stored.commits, seq).0 == commit => seq,
            Some(_) => {
                // The snapshot of the case: whoever reads it now sees this revision or a later
                // one, and what is recorded after it comes after this cursor.
                let newest = commit_of(&stored.commits, case.head).0;
                let newest = self.event_cursor(newest, case.head);
                let (revision, cursor) = (stored.revision, Some(newest));
                return Err(EngineError::ResyncRequired { revision, cursor });
            }
        };
        let fresh = stored.entries.iter().skip(seen.0 as usize);
        let page: Vec<_> = fresh.take(most.clamp(1, 1_000)).collect();
        let last = page.last().map_or(seen, |entry| entry.seq);
        let events = page.into_iter().filter_map(|entry| {
            let (commit, first) = commit_of(&stored.commits, entry.seq);
            let cursor = self.event_cursor(commit, entry.seq);
            let place = EventPlace { cursor, commit, index: entry.seq.0 - first.0 };
            EventView::of(entry, &case, viewer.role, place)
        });
        Ok(Some(EventPage {
            events: events.collect(),
            cursor: self.event_cursor(commit_of(&stored.commits, last).0, last),
            revision: stored.revision,
        }))
    }

    /// A list is read again from its beginning.
    fn resync(&self) -> EngineError {
        EngineError::ResyncRequired { revision: self.runtime.store.revision(), cursor: None }
    }

    /// Marks cursors of this store, so that one of another store is noticed, or of what a store
    /// was before it was restored.
    fn store_mark(&self) -> u32 {
        let identity = &self.runtime.identity;
        let life = wire::encode(&(identity.generation, identity.restored));
        let mark = identity.secret.keyed(b"event-cursor", &life);
        u32::from_be_bytes([mark.0[0], mark.0[1], mark.0[2], mark.0[3]])
    }

    /// Writes a cursor: the store's mark, the commit, and the entry after which to go on.
    fn event_cursor(&self, commit: CommitNo, seq: Seq) -> String {
        format!("{:08x}{:016x}{:08x}", self.store_mark(), commit.0, seq.0)
    }

    fn read_event_cursor(&self, cursor: &str) -> Option<(CommitNo, Seq)> {
        let own = cursor.strip_prefix(&format!("{:08x}", self.store_mark()))?;
        let (commit, seq) = own.split_at_checked(16)?;
        let commit = u64::from_str_radix(commit, 16).ok()?;
        Some((CommitNo(commit), Seq(u32::from_str_radix(seq, 16).ok()?)))
    }
}

/// Returns the commit that wrote an entry, and the first entry that it wrote.
fn commit_of(commits: &[(CommitNo, Seq)], seq: Seq) -> (CommitNo, Seq) {
    let after = commits.partition_point(|(_, first)| *first <= seq);
    after.checked_sub(1).map_or((CommitNo(0), Seq(0)), |index| commits[index])
}

/// Returns the viewer's regions without those inside another of them.
pub(crate) fn outermost(viewer: &Viewer) -> Vec<RegionCode> {
    let regions = viewer.regions.iter();
    regions
        .filter(|region| {
            !viewer.regions.iter().any(|other| other != *region && other.covers(region))
        })
        .cloned()
        .collect()
}

/// Tells whether an earlier scope has shown this case already.
fn is_along(summary: &CaseSummary, along: &Along) -> bool {
    match along {
        Along::Department(department, region) => {
            let mut open = summary.matters.iter().filter(|matter| {
                matter.department == *department
                    && region.covers(&matter.place)
                    && matches!(matter.state.as_str(), "filed" | "received" | "accepted")
            });
            open.next().is_some()
        }
        Along::Region(region) => {
            let mut elsewhere = summary.scope.elsewhere.iter();
            region.covers(&summary.scope.region) || elsewhere.any(|(_, at)| region.covers(at))
        }
        Along::Incident(region) => region.covers(&summary.scope.region) && summary.incidents > 0,
        Along::Queue { .. } | Along::Applicant(_) => false,
    }
}

fn write_cursor(at: usize, inner: &[u8]) -> Vec<u8> {
    let mut cursor = u16::try_from(at).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    cursor.extend_from_slice(inner);
    cursor
}

fn read_cursor(cursor: Option<Vec<u8>>) -> Option<(usize, Option<Vec<u8>>)> {
    let Some(cursor) = cursor else { return Some((0, None)) };
    let (head, inner) = cursor.split_at_checked(2)?;
    let at = usize::from(u16::from_be_bytes([head[0], head[1]]));
    Some((at, (!inner.is_empty()).then(|| inner.to_vec())))
}
