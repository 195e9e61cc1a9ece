//! Figures over a store: the cases of a viewer, page by page, each counted by its log.
//!
//! A count is of one revision: what is committed while it goes on is not in it, so that the same
//! question at the same revision has the same answer. It reads logs only; nothing runs and
//! nothing is written. What is counted stands in [`tongban_core::figures`].

use std::collections::BTreeSet;

use tongban_core::command::Refusal;
use tongban_core::entry::Body;
use tongban_core::figures::{Basis, CaseFigures, Figures, Span, Stuck};
use tongban_core::id::{CaseId, CommitNo, DepartmentCode, RegionCode, ServiceCode};
use tongban_core::limits::{FIGURES_CASES_MAX, FIGURES_STUCK_MAX, PAGE_MAX};
use tongban_core::port::{Feed, FeedCursor, Script, Store, Stored};
use tongban_core::summary::{Along, CaseState, CaseSummary, Search};
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};

use crate::error::EngineError;
use crate::handle::outermost;
use crate::standing::Standing;

/// Which figures are asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FigureQuery {
    /// Only cases of this region and all inside it; the viewer's regions when none is given.
    pub region: Option<RegionCode>,
    /// Only matters of this department.
    pub department: Option<DepartmentCode>,
    /// Only cases of this service.
    pub service: Option<ServiceCode>,
    /// Only what took effect from then on.
    pub from: Option<Moment>,
    /// Only what was known and took effect by then; now when none is given.
    pub until: Option<Moment>,
}

/// What a count came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// The sums.
    pub figures: Figures,
    /// The matters that wait longest, at most [`FIGURES_STUCK_MAX`], longest first.
    pub stuck: Vec<Stuck>,
    /// How many cases were read.
    pub cases: u64,
    /// The revision that was read.
    pub revision: CommitNo,
    /// The span that was asked about.
    pub span: Span,
}

/// Where a count reads.
#[derive(Clone, Copy)]
pub struct FigureSource<'a> {
    /// The cases.
    pub store: &'a dyn Store,
    /// The declarations that cases are pinned to, for the design rate.
    pub scripts: &'a dyn Script,
    /// Calendars and rules.
    pub standing: &'a Standing,
    /// What time it is.
    pub now: Moment,
}

/// Counts what a viewer asks about; `progress` is told how many cases were read, page by page.
///
/// # Errors
/// [`EngineError::Refused`] when the question goes beyond what the viewer supervises, and when
/// it covers too many cases; [`EngineError::Store`] when the store fails.
pub async fn count(
    source: FigureSource<'_>,
    viewer: &Viewer,
    query: &FigureQuery,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Counted, EngineError> {
    let (regions, departments) = scope(viewer, query)?;
    let mut count = Count {
        source,
        viewer,
        query,
        departments,
        seen: BTreeSet::new(),
        counted: Counted {
            figures: Figures::default(),
            stuck: Vec::new(),
            cases: 0,
            revision: source.store.revision(),
            span: Span { from: query.from, until: query.until.unwrap_or(source.now) },
        },
    };
    for region in &regions {
        count.walk(region.clone(), progress).await?;
    }
    count.read_what_moved(&regions).await?;
    Ok(count.counted)
}

/// Returns where to look, and whose matters count; none means everybody's.
fn scope(
    viewer: &Viewer,
    query: &FigureQuery,
) -> Result<(Vec<RegionCode>, Option<BTreeSet<DepartmentCode>>), Refusal> {
    let departments = match viewer.role {
        Role::Supervisor => query.department.clone().map(|one| BTreeSet::from([one])),
        Role::Approver | Role::OfficeHead => match &query.department {
            None => Some(viewer.departments.clone()),
            Some(one) if viewer.departments.contains(one) => Some(BTreeSet::from([one.clone()])),
            Some(_) => return Err(beyond("department")),
        },
        Role::Applicant | Role::WindowClerk | Role::Integrator | Role::SystemAdmin => {
            return Err(beyond("viewer"));
        }
    };
    match &query.region {
        None => Ok((outermost(viewer), departments)),
        Some(region) if viewer.covers(region) => Ok((vec![region.clone()], departments)),
        Some(_) => Err(beyond("region")),
    }
}

fn beyond(what: &str) -> Refusal {
    Refusal::new(
        "NOT_PERMITTED",
        "只能统计本人督查的地区,或本部门的事项",
        "one sees figures of the regions one supervises, or of one's own department",
    )
    .at([what])
}

/// A count under way.
struct Count<'a> {
    source: FigureSource<'a>,
    viewer: &'a Viewer,
    query: &'a FigureQuery,
    departments: Option<BTreeSet<DepartmentCode>>,
    /// Cases that were looked at.
    seen: BTreeSet<CaseId>,
    counted: Counted,
}

impl Count<'_> {
    async fn walk(
        &mut self,
        region: RegionCode,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), EngineError> {
        let mut after = None;
        loop {
            let search = Search {
                along: Along::Region(region.clone()),
                states: BTreeSet::new(),
                service: self.query.service.clone(),
                after: after.take(),
                first: PAGE_MAX,
            };
            let page = self.source.store.search(search).await?;
            for summary in &page.items {
                self.read(summary).await?;
            }
            progress(self.counted.cases);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    /// A case that is written while rows are walked may move from one of them to another behind
    /// the walk's back. Whatever was written meanwhile stands in the feed.
    async fn read_what_moved(&mut self, regions: &[RegionCode]) -> Result<(), EngineError> {
        let store = self.source.store;
        let newest = store.revision();
        let mut commit = self.counted.revision;
        while commit < newest {
            let after = FeedCursor { commit, index: u32::MAX };
            let Feed::Items(items) = store.feed(after, PAGE_MAX).await? else { return Ok(()) };
            let Some(last) = items.last() else { return Ok(()) };
            commit = last.commit;
            for item in items.iter().filter(|item| item.commit <= newest) {
                if self.seen.contains(&item.case) {
                    continue;
                }
                let Some(stored) = store.load(item.case).await? else { continue };
                let summary = stored.summary;
                let service = self.query.service.as_ref();
                let asked = regions.iter().any(|region| region.covers(&summary.scope.region))
                    && service.is_none_or(|service| *service == summary.service);
                if asked {
                    self.read(&summary).await?;
                }
            }
        }
        Ok(())
    }

    async fn read(&mut self, summary: &CaseSummary) -> Result<(), EngineError> {
        if !self.seen.insert(summary.case) {
            return Ok(());
        }
        if !self.viewer.sees(&summary.scope) || !self.may_matter(summary) {
            return Ok(());
        }
        if self.counted.cases >= FIGURES_CASES_MAX {
            return Err(too_many().into());
        }
        let Some(stored) = self.source.store.load(summary.case).await? else { return Ok(()) };
        let closure = self.closure(&stored);
        let basis = Basis {
            reading: self.source.standing.reading(self.counted.span.until),
            span: self.counted.span,
            closure: closure.as_deref(),
        };
        let known = known(&stored, self.counted.revision);
        let Some(case) = CaseFigures::of_log(stored.case, &stored.entries[..known], &basis)? else {
            return Ok(());
        };
        self.add(case);
        Ok(())
    }

    fn add(&mut self, case: CaseFigures) {
        let departments = self.departments.as_ref();
        let wanted = |department: &DepartmentCode| {
            departments.is_none_or(|wanted| wanted.contains(department))
        };
        let counted = &mut self.counted;
        counted.cases += 1;
        counted.figures.add_case(&case, wanted);
        let stuck = case.stuck.into_iter();
        counted.stuck.extend(stuck.filter(|stuck| wanted(&stuck.department)));
        counted.stuck.sort_by(|one, other| {
            (one.since, &one.number, one.matter).cmp(&(other.since, &other.number, other.matter))
        });
        counted.stuck.truncate(FIGURES_STUCK_MAX);
    }

    /// A case that was over before the span has nothing in it, and one that came after it neither.
    fn may_matter(&self, summary: &CaseSummary) -> bool {
        let span = self.counted.span;
        let is_over = match summary.state {
            CaseState::CompletedAll
            | CaseState::CompletedWithFailures
            | CaseState::Withdrawn
            | CaseState::Terminated => true,
            CaseState::Draft
            | CaseState::Submitted
            | CaseState::InProgress
            | CaseState::PartiallyCompleted => false,
        };
        let before = is_over && span.from.is_some_and(|from| summary.updated_at < from);
        summary.created_at <= span.until && !before
    }

    fn closure(
        &self,
        stored: &Stored,
    ) -> Option<std::sync::Arc<tongban_core::definition::Closure>> {
        let first = stored.entries.first()?;
        let Body::CaseStarted(started) = &first.body else { return None };
        let rebound = stored.entries.iter().rev().find_map(|entry| {
            if let Body::CaseRebound(rebound) = &entry.body { Some(rebound.closure) } else { None }
        });
        let closure = self.source.scripts.closure(&rebound.unwrap_or(started.closure))?;
        Some(closure.of_case(started))
    }
}

/// Returns how many entries were committed by a revision.
fn known(stored: &Stored, revision: CommitNo) -> usize {
    let later = stored.commits.iter().find(|(commit, _)| *commit > revision);
    let later = later.and_then(|(_, first)| usize::try_from(first.0).ok());
    later.map_or(stored.entries.len(), |first| first.saturating_sub(1))
}

fn too_many() -> Refusal {
    Refusal::new(
        "TOO_MANY_CASES",
        format!("一次最多统计 {FIGURES_CASES_MAX} 个办件,请缩小地区、服务或时间范围"),
        format!(
            "at most {FIGURES_CASES_MAX} cases are counted at once; narrow region, service or time"
        ),
    )
}
