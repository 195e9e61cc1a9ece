//! The read model of a case as a function of its folded state: the summary that lists show and
//! the index rows that lead to it. It goes into the same commit as the entries.

use std::collections::BTreeSet;

use crate::calendar::Calendars;
use crate::case::{Case, Matter, Task};
use crate::digest::{Digest, Secret};
use crate::id::{CommitNo, RoleCode};
use crate::law::Ending;
use crate::schedule::{self, Reading};
use crate::summary::{CaseState, CaseSummary, IndexRow, MatterSummary, TaskSummary, mask_name};
use crate::time::Moment;
use crate::viewer::CaseScope;
use crate::waiting::monitored;

/// Returns the keyed hash under which an applicant's cases are found.
pub fn applicant_hash(store: &Secret, id: &str) -> Digest {
    store.keyed(b"applicant", id.as_bytes())
}

/// Returns the state of the whole, derived from its matters.
pub fn state(case: &Case) -> CaseState {
    let included: Vec<&Matter> =
        case.matters.iter().filter(|matter| matter.is_included()).collect();
    let endings: Vec<Ending> = included.iter().filter_map(|matter| matter.law.ending()).collect();
    let all = |wanted: Ending| endings.iter().all(|ending| *ending == wanted);
    if endings.len() == included.len() && !included.is_empty() {
        // A call that is still under way, or whose late outcome nobody has looked at, is an
        // obligation: the case is not over before it is settled.
        if case.has_obligations() {
            return CaseState::PartiallyCompleted;
        }
        return match () {
            () if endings.iter().all(|ending| ending.is_grant()) => CaseState::CompletedAll,
            () if all(Ending::Withdrawn) => CaseState::Withdrawn,
            () if all(Ending::Terminated) => CaseState::Terminated,
            () => CaseState::CompletedWithFailures,
        };
    }
    if case.submitted.is_none() {
        return CaseState::Draft;
    }
    if !endings.is_empty() {
        return CaseState::PartiallyCompleted;
    }
    if included.iter().any(|matter| matter.law.stage.is_handled()) {
        return CaseState::InProgress;
    }
    CaseState::Submitted
}

/// Returns who may see the case: the departments that decide its matters, those that were asked
/// for their word on one, and those that a card asks for an answer.
pub fn scope(case: &Case) -> CaseScope {
    let matters = case.matters.iter().filter(|matter| matter.is_included());
    let deciding =
        matters.map(|matter| (matter.planned.department.clone(), case.place_of(matter.no).clone()));
    let office = |role: &RoleCode| !role.is_applicant() && !role.as_str().ends_with(".window");
    let asked = case.tasks.values().filter(|task| office(&task.role));
    let asked = asked.map(|task| (task.role.department(), task.opened.region.clone()));
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        deciding.chain(asked).partition(|(_, place)| *place == case.started.region);
    let carded = case.cards.values().map(|card| RoleCode::new(card.raised.to.as_str()));
    let carded = carded.filter(office);
    let here = here.into_iter().map(|(department, _)| department);
    let departments = here.chain(carded.map(|role| role.department()));
    CaseScope {
        region: case.started.region.clone(),
        applicant: case.started.applicant.id.clone(),
        departments: departments.collect(),
        elsewhere: elsewhere.into_iter().collect(),
    }
}

/// Returns what lists show of the case, its derived times read from `reading`.
pub fn summarise(case: &Case, reading: Reading<'_>) -> CaseSummary {
    let matters = case.matters.iter().filter(|matter| matter.is_included());
    let tasks = case.open_tasks().map(|task| summarise_task(case, task, reading));
    CaseSummary {
        case: case.id,
        number: case.started.number.clone(),
        service: case.started.service.clone(),
        service_name: case.started.service_name.clone(),
        state: state(case),
        scope: scope(case),
        applicant_masked: mask_name(&case.started.applicant.name),
        created_at: case.created_at,
        updated_at: case.updated_at,
        matters: matters.map(|matter| summarise_matter(case, matter)).collect(),
        tasks: tasks.collect(),
        incidents: u32::try_from(case.open_incidents().count()).unwrap_or(u32::MAX),
        next_due: schedule::next(case, reading),
        calendar: calendars_of(case, reading.calendars),
        outbox: case.open_calls().next().is_some(),
        revision: CommitNo::default(),
    }
}

/// Names the calendars that the times of a case are read from.
pub(crate) fn calendars_of(case: &Case, calendars: &Calendars) -> String {
    let included = case.matters.iter().filter(|matter| matter.is_included());
    let places = included.map(|matter| case.place_of(matter.no));
    calendars.version_of(&case.started.region, places)
}

/// Names the calendars that the times of a summary would be read from now.
pub fn calendars_of_summary(summary: &CaseSummary, calendars: &Calendars) -> String {
    let places = summary.matters.iter().map(|matter| &matter.place);
    calendars.version_of(&summary.scope.region, places)
}

/// Returns what queues show of a task, open or ended.
pub fn summarise_task(case: &Case, task: &Task, reading: Reading<'_>) -> TaskSummary {
    let matter = case.matter(task.matter);
    let (calendar, now) = (reading.calendar(case, task.matter), reading.now);
    TaskSummary {
        no: task.no,
        matter: task.matter,
        kind: task.opened.kind,
        role: task.role.clone(),
        region: task.opened.region.clone(),
        title: task.opened.title.clone(),
        assignee: task.holder(now).map(ToOwned::to_owned),
        version: task.version,
        opened_at: task.opened_at,
        due_at: matter.and_then(|matter| monitored(matter, calendar, now)),
        assigned_until: task.assigned_until.filter(|_| task.holder(now).is_some()),
        escalated: task.is_escalated(),
    }
}

fn summarise_matter(case: &Case, matter: &Matter) -> MatterSummary {
    MatterSummary {
        no: matter.no,
        code: matter.planned.code.clone(),
        name: matter.planned.name.clone(),
        department: matter.planned.department.clone(),
        place: case.place_of(matter.no).clone(),
        state: matter.law.code().to_owned(),
        open: matter.is_open() && matter.filed.is_some(),
        result: matter.result.as_ref().map(|result| result.number.clone()).unwrap_or_default(),
    }
}

/// Returns the index rows that a summary leads to. They follow from what was written and from
/// nothing else, so that the next commit knows exactly which rows are no longer true. `store` is
/// the store's own secret, under which applicants are hashed alike in every case.
pub fn rows(summary: &CaseSummary, store: &Secret) -> BTreeSet<IndexRow> {
    let mut rows = BTreeSet::from([
        IndexRow::Applicant { hash: applicant_hash(store, &summary.scope.applicant) },
        IndexRow::Number { number: summary.number.clone() },
    ]);
    for matter in summary.matters.iter().filter(|matter| matter.open) {
        let (department, region) = (matter.department.clone(), matter.place.clone());
        rows.insert(IndexRow::Department { department, region });
    }
    // A department's row leads to its place as well.
    let elsewhere = summary.scope.elsewhere.iter().map(|(_, place)| place.clone());
    for region in elsewhere.chain([summary.scope.region.clone()]) {
        if !summary.matters.iter().any(|matter| matter.open && matter.place == region) {
            rows.insert(IndexRow::Region { region });
        }
    }
    for task in &summary.tasks {
        rows.insert(IndexRow::Queue {
            region: task.region.clone(),
            role: task.role.clone(),
            due: task.due_at.unwrap_or_else(|| Moment::from_millis(i64::MAX)),
            task: task.no,
        });
    }
    if summary.incidents > 0 {
        let region = summary.scope.region.clone();
        rows.insert(IndexRow::Incident { region });
    }
    rows.extend(summary.next_due.map(|due| IndexRow::Timer { due }));
    if summary.outbox {
        rows.insert(IndexRow::Outbox);
    }
    rows
}
