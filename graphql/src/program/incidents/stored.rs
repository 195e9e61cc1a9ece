//! Incidents of a folder that no server is using: read from the logs, as an admin would see them.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tongban_core::case::{Case, IncidentState};
use tongban_core::entry::RunPlace;
use tongban_core::id::{CaseId, RegionCode, Seq, ServiceCode, TaskId};
use tongban_core::limits::PAGE_MAX;
use tongban_core::port::Store as _;
use tongban_core::summary::{Along, Search};
use tongban_core::time::Moment;
use tongban_engine::store::SledStore;

use super::args::Meant;
use crate::program::error::{Both, ProgramError};
use crate::program::folder;

fn failed(error: &dyn std::fmt::Display) -> ProgramError {
    ProgramError::Engine(Both::of(&error.to_string()))
}

/// Returns the open incidents of a folder.
pub(super) async fn list(data: &Path, meant: &Meant) -> Result<Vec<Json>, ProgramError> {
    folder::must_exist(data)?;
    let since = meant.since.as_deref().map(|text| {
        Moment::parse(text).ok_or_else(|| {
            ProgramError::CaseQuestion(Both::new(
                format!("{text} 不是 RFC 3339 时间"),
                format!("{text} is no time after RFC 3339"),
            ))
        })
    });
    let since = since.transpose()?;
    let store = folder::open(data)?;
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let search = Search {
            along: Along::Incident(RegionCode::new(meant.region.clone().unwrap_or_default())),
            states: std::collections::BTreeSet::new(),
            service: meant.service.clone().map(ServiceCode::new),
            after: after.take(),
            first: PAGE_MAX,
        };
        let page = store.search(search).await.map_err(|error| failed(&error))?;
        for summary in &page.items {
            let Some(case) = load(&store, summary.case).await? else { continue };
            let open = case.open_incidents().filter(|(_, state)| is_meant(&case, state, meant));
            let open = open.filter(|(_, state)| since.is_none_or(|since| state.raised_at >= since));
            found.extend(open.map(|(seq, state)| shown(&case, seq, state)));
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Returns one incident, open or not.
pub(super) async fn one(data: &Path, id: &str) -> Result<Option<Json>, ProgramError> {
    folder::must_exist(data)?;
    let store = folder::open(data)?;
    let part = id.strip_prefix("inc_").and_then(|rest| format!("tsk_{rest}").parse().ok());
    let Some(TaskId { case, no }) = part else { return Ok(None) };
    let Some(case) = load(&store, case).await? else { return Ok(None) };
    Ok(case.incidents.get(&no).map(|state| shown(&case, no, state)))
}

async fn load(store: &Arc<SledStore>, id: CaseId) -> Result<Option<Case>, ProgramError> {
    let stored = store.load(id).await.map_err(|error| failed(&error))?;
    let case = stored.map(|stored| Case::from_entries(id, &stored.entries));
    case.transpose().map_err(|error| failed(&error))
}

fn is_meant(case: &Case, state: &IncidentState, meant: &Meant) -> bool {
    let code = state.incident.kind.code().to_lowercase().replace('_', "-");
    let kind = meant.kind.as_ref().is_none_or(|kind| *kind == code);
    let matter = case.matter(state.matter).map(|matter| matter.planned.code.as_str());
    kind && meant.matter.as_deref().is_none_or(|wanted| matter == Some(wanted))
}

/// Writes where in its journal a script stopped, with both versions, as the API does.
fn place(place: &RunPlace) -> Json {
    json!({ "request": place.request.to_string(), "seen": place.seen.0,
        "writtenUnder": place.written.closure.to_string(), "writtenLevel": place.written.api_level,
        "replayedUnder": place.replayed.closure.to_string(),
        "replayedLevel": place.replayed.api_level })
}

/// Writes an incident with the members that the API gives it.
fn shown(case: &Case, seq: Seq, state: &IncidentState) -> Json {
    let incident = &state.incident;
    let (zh, en) = incident.message.split_once(" / ").unwrap_or((&incident.message, ""));
    let matter = case.matter(state.matter);
    let known = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let stands = match (&state.end, &state.proposed) {
        (Some(_), _) => "SETTLED",
        (None, Some(_)) => "PROPOSED",
        (None, None) => "OPEN",
    };
    let ways = incident
        .kind
        .ways()
        .iter()
        .filter(|_| state.is_open())
        .map(|way| json!({ "way": way.code().to_uppercase(), "takesTwo": way.takes_two() }));
    let call = incident.call.and_then(|id| case.calls.get(&id)).map(|call| {
        let target = matter.and_then(|matter| matter.run.request(&call.request));
        json!({ "callId": call.made.id.to_string(), "request": call.request.to_string(),
            "target": target.map(|request| request.made.ask.target()),
            "connector": call.made.connector })
    });
    let said = |by: &str, said: &tongban_core::way_out::IncidentSettled| json!({ "way": said.way.kind().code().to_uppercase(), "by": by, "reason": said.reason });
    json!({
        "id": format!("{}-{seq}", case.id.to_string().replacen("case_", "inc_", 1)),
        "kind": incident.kind.code(),
        "kindLabel": incident.kind.name(),
        "stage": stands,
        "message": zh,
        "en": en,
        "raisedAt": state.raised_at.to_string(),
        "entry": seq.0,
        "expected": known(&incident.expected),
        "got": known(&incident.got),
        "file": known(&incident.file),
        "line": Some(incident.line).filter(|line| *line > 0),
        "scriptPlace": state.place.as_deref().map(place),
        "case": { "id": case.id.to_string(), "number": case.started.number,
            "serviceCode": case.started.service.as_str() },
        "caseMatter": matter.map(|matter| json!({ "code": matter.planned.code.as_str() })),
        "call": call,
        "ways": ways.collect::<Vec<_>>(),
        "proposal": state.proposed.as_ref().map(|(by, word)| said(by, word)),
        "end": state.end.as_ref().map(|end| said(&end.by, &end.settled)),
    })
}
