//! Incidents: what people must look at, and the ways out that they take, one by one or many at
//! once. Who may take which way is decided by the turn, with the case before it.

use tongban_core::case::{Case, IncidentState};
use tongban_core::command::{Command, Refusal, Steering, WayTaken};
use tongban_core::digest::Digest;
use tongban_core::entry::IncidentKind;
use tongban_core::id::{
    CallId, CaseId, CommitNo, MatterCode, MatterNo, RegionCode, Seq, ServiceCode,
};
use tongban_core::limits;
use tongban_core::port::{IdempotencyRecord, Page, StoreError};
use tongban_core::request::{Ask, RequestKey};
use tongban_core::summary::{Along, CaseSummary};
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};
use tongban_core::way_out::{WayKind, WayOut, may_settle, sees_incidents};
use tongban_core::wire;

use super::Engine;
use super::read::outermost;
use crate::api::{CaseFilter, CaseView, IdempotencyKey, PageRequest, Receipt};
use crate::error::EngineError;

/// Incidents that one idempotency record names, so that none passes what a store takes.
const PLACES_REMEMBERED: usize = 80;

/// Which incidents are meant. Everything that is set must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct IncidentFilter {
    /// Only of this kind.
    pub kind: Option<IncidentKind>,
    /// Only of cases of this service.
    pub service: Option<ServiceCode>,
    /// Only of this matter.
    pub matter: Option<MatterCode>,
    /// Only raised at or after this time.
    pub since: Option<Moment>,
    /// Only of cases filed in this region or inside it.
    pub region: Option<RegionCode>,
    /// Only as far as this.
    pub stage: Option<IncidentStage>,
}

/// How far an incident has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub enum IncidentStage {
    /// Nobody has said anything.
    Open,
    /// A first person has proposed a way out that takes two.
    Proposed,
    /// Somebody has ended it, or it was mended by itself.
    Settled,
}

/// An incident, with the ways out that its viewer has.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentItem {
    /// The case.
    pub case: CaseId,
    /// Its public number.
    pub number: String,
    /// The service.
    pub service: ServiceCode,
    /// Entry that raised it.
    pub seq: Seq,
    /// Its matter; `None` for the case as a whole.
    pub matter: Option<MatterCode>,
    /// What happened, what was proposed, and how it was ended.
    pub state: IncidentState,
    /// The call concerned.
    pub call: Option<CallConcerned>,
    /// The ways out that its kind offers and this viewer may take; none once it is settled.
    pub ways: Vec<WayKind>,
}

/// The call that an incident is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallConcerned {
    /// Its id.
    pub id: CallId,
    /// The request that it carries.
    pub request: RequestKey,
    /// `role.operation`, with the place if it is another one.
    pub target: String,
    /// The connector that it went through.
    pub connector: String,
}

impl IncidentItem {
    fn of(viewer: &Viewer, case: &Case, seq: Seq, state: &IncidentState) -> Self {
        let office = case.answers_for(state.matter);
        let offered = state.incident.kind.ways().iter().copied();
        let open = offered.filter(|way| state.is_open() && may_settle(viewer, office, *way));
        let matter = case.matter(state.matter);
        let call = state.incident.call.and_then(|id| case.calls.get(&id));
        Self {
            case: case.id,
            number: case.started.number.clone(),
            service: case.started.service.clone(),
            seq,
            matter: matter.map(|matter| matter.planned.code.clone()),
            state: state.clone(),
            call: call.map(|call| CallConcerned {
                id: call.made.id,
                request: call.request.clone(),
                target: matter
                    .and_then(|matter| matter.run.request(&call.request))
                    .map(|request| request.made.ask.target())
                    .unwrap_or_default(),
                connector: call.made.connector.clone(),
            }),
            ways: open.collect(),
        }
    }

    /// Returns how far it has come.
    pub fn stage(&self) -> IncidentStage {
        stage_of(&self.state)
    }
}

fn stage_of(state: &IncidentState) -> IncidentStage {
    match (&state.end, &state.proposed) {
        (Some(_), _) => IncidentStage::Settled,
        (None, Some(_)) => IncidentStage::Proposed,
        (None, None) => IncidentStage::Open,
    }
}

impl CaseView {
    /// Returns the incidents of the case that the viewer may see, settled ones too, in the order
    /// in which they were raised.
    pub fn incidents(&self, viewer: &Viewer) -> Vec<IncidentItem> {
        let case = self.case();
        let all = case.incidents.iter();
        let own = all.filter(|(_, state)| answers_for(viewer, case, state.matter));
        own.map(|(seq, state)| IncidentItem::of(viewer, case, *seq, state)).collect()
    }
}

/// What a way out has come to for one of many incidents.
#[derive(Clone, Debug)]
pub struct SettledOne {
    /// The case.
    pub case: CaseId,
    /// Entry that raised the incident.
    pub incident: Seq,
    /// Whether it was done, or why not.
    pub outcome: Result<Receipt, EngineError>,
}

/// What a restart would leave behind: calls that were made after the point it goes back to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftBehind {
    /// The request.
    pub request: RequestKey,
    /// `role.operation`, with the place if it is another one.
    pub target: String,
    /// Whether the call has ended, in any way.
    pub ended: bool,
}

impl Engine {
    /// Returns the open incidents in the viewer's scope, of at most `page.first` cases. Settled
    /// ones are shown with their case.
    pub async fn incidents(
        &self,
        viewer: &Viewer,
        filter: &IncidentFilter,
        page: PageRequest,
    ) -> Result<Page<IncidentItem>, EngineError> {
        let scopes = along(viewer, filter);
        let cases = CaseFilter { service: filter.service.clone(), ..CaseFilter::default() };
        let found = self.walk(&scopes, &cases, page).await?;
        let mut items = Vec::new();
        for summary in found.items {
            items.extend(self.incidents_of(viewer, &summary, filter).await?);
        }
        Ok(Page { items, next: found.next })
    }

    async fn incidents_of(
        &self,
        viewer: &Viewer,
        summary: &CaseSummary,
        filter: &IncidentFilter,
    ) -> Result<Vec<IncidentItem>, EngineError> {
        let Some((case, _)) = self.runtime.snapshot(summary.case).await? else {
            return Ok(Vec::new());
        };
        let open = case.open_incidents().filter(|(_, state)| is_meant(filter, &case, state));
        let own = open.filter(|(_, state)| answers_for(viewer, &case, state.matter));
        let item = |(seq, state)| IncidentItem::of(viewer, &case, seq, state);
        Ok(own.map(item).collect())
    }

    /// Takes a way out of an incident, or proposes one that takes two persons.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when there is no such open incident, when its kind does not offer
    /// the way or the viewer may not take it, and when the way would lead nowhere: a closure that
    /// fails its dry run, an entry with nothing after it, an operation that is still unbound.
    pub async fn settle_incident(
        &self,
        viewer: &Viewer,
        at: (CaseId, Seq),
        settling: (WayOut, String),
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let ((case, incident), (way, reason)) = (at, settling);
        let record = self.record(viewer, "settleIncident", &key, &(case, incident, &way, &reason));
        let way = self.taken(way);
        let by = viewer.clone();
        let command = Command::SettleIncident { by, incident, way, reason };
        self.change(viewer, case, command, record).await
    }

    /// A closure that is not loaded stays a digest, and the turn says so.
    fn taken(&self, way: WayOut) -> WayTaken {
        let closure = match &way {
            WayOut::Rebind { closure } => self.runtime.scripts.closure(closure),
            WayOut::Retry
            | WayOut::Restart { .. }
            | WayOut::Override { .. }
            | WayOut::Cancel
            | WayOut::Skip
            | WayOut::Acknowledge => None,
        };
        closure.map_or(WayTaken::Other(way), WayTaken::Rebind)
    }

    /// Takes one way out of every open incident that a filter finds, if they are as many as
    /// expected. Each is a change of its own; one that is refused takes nothing from the others.
    /// Which ones they are is remembered before the first is touched: a repetition answers for the
    /// same ones, and does what was left undone.
    ///
    /// # Errors
    /// [`EngineError::Refused`] with `COUNT_DIFFERS` when they are more or fewer, before anything
    /// is done; `TOO_MANY` when they are more than one request settles.
    pub async fn settle_incidents(
        &self,
        viewer: &Viewer,
        which: (&IncidentFilter, usize),
        settling: (WayOut, String),
        key: IdempotencyKey,
    ) -> Result<Vec<SettledOne>, EngineError> {
        let (filter, expected) = which;
        let record = |name: &str| self.record(viewer, name, &key, &(filter, expected, &settling));
        let whole = record("settleIncidents");
        let meant = match self.known(&whole).await? {
            Some(index) => self.remembered_places(&index, record).await?,
            None => match self.as_many_as_expected(viewer, filter, expected).await {
                Ok(found) => self.remember_places(whole, &found, record).await?,
                Err(error) => {
                    let index = self.keep_refusal(&whole, error).await?;
                    self.remembered_places(&index, record).await?
                }
            },
        };
        let mut settled = Vec::with_capacity(meant.len());
        for place in &meant {
            let (case, incident) = read_place(place)?;
            let own = IdempotencyKey(format!("{}:{place}", key.0));
            let outcome =
                self.settle_incident(viewer, (case, incident), settling.clone(), own).await;
            settled.push(SettledOne { case, incident, outcome });
        }
        Ok(settled)
    }

    /// Remembers which incidents a request is about: in parts, since there may be more than one
    /// record holds, and last of all in the record of the whole, which names the parts. What an
    /// attempt left that died in between has another name, unless it is the same. Returns the
    /// incidents of the attempt that was first.
    async fn remember_places(
        &self,
        whole: IdempotencyRecord,
        found: &[String],
        record: impl Fn(&str) -> IdempotencyRecord,
    ) -> Result<Vec<String>, EngineError> {
        let set = Digest::of(&wire::encode(&(found, whole.at)));
        let parts = found.chunks(PLACES_REMEMBERED);
        let names: Vec<String> =
            (0..parts.len()).map(|part| format!("settleIncidents#{set}#{part}")).collect();
        for (name, places) in names.iter().zip(parts) {
            let part = IdempotencyRecord { at: whole.at, ..record(name) };
            self.remember(part, places.to_vec()).await?;
        }
        let index = self.remember(whole, vec![set.to_string(), names.len().to_string()]).await?;
        self.remembered_places(&index, record).await
    }

    /// Reads back which incidents a request was about.
    async fn remembered_places(
        &self,
        index: &[String],
        record: impl Fn(&str) -> IdempotencyRecord,
    ) -> Result<Vec<String>, EngineError> {
        let [set, parts] = index else { return Err(unremembered().into()) };
        let parts: usize = parts.parse().map_err(|_| unremembered())?;
        let mut places = Vec::new();
        for part in 0..parts {
            let part = record(&format!("settleIncidents#{set}#{part}"));
            places.extend(self.known(&part).await?.ok_or_else(unremembered)?);
        }
        Ok(places)
    }

    /// Returns the places of the incidents that a filter finds.
    async fn as_many_as_expected(
        &self,
        viewer: &Viewer,
        filter: &IncidentFilter,
        expected: usize,
    ) -> Result<Vec<String>, EngineError> {
        let found = self.all_incidents(viewer, filter).await?;
        if found.len() != expected {
            return Err(count_differs((found.len(), expected)).into());
        }
        Ok(found.iter().map(|item| format!("{}:{}", item.case, item.seq)).collect())
    }

    async fn all_incidents(
        &self,
        viewer: &Viewer,
        filter: &IncidentFilter,
    ) -> Result<Vec<IncidentItem>, EngineError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = PageRequest { first: limits::PAGE_MAX, after };
            let found = self.incidents(viewer, filter, page).await?;
            all.extend(found.items);
            if all.len() > limits::INCIDENTS_AT_ONCE_MAX {
                return Err(Refusal::new(
                    "TOO_MANY",
                    format!("一次最多处理 {} 个异常,请缩小范围", limits::INCIDENTS_AT_ONCE_MAX),
                    format!(
                        "at most {} incidents are settled at once; narrow the filter",
                        limits::INCIDENTS_AT_ONCE_MAX
                    ),
                )
                .into());
            }
            match found.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Pauses, resumes or cancels the scripts of a matter, or pauses those of a whole case
    /// (matter 0).
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the viewer may not, or there is nothing to do.
    pub async fn steer(
        &self,
        viewer: &Viewer,
        at: (CaseId, MatterNo),
        steering: (Steering, String),
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let ((case, matter), (steering, reason)) = (at, steering);
        let record = self.record(viewer, "steer", &key, &(case, matter, steering, &reason));
        let command = Command::Steer { by: viewer.clone(), matter, steering, reason };
        self.change(viewer, case, command, record).await
    }

    /// Moves the pin of a case to another closure, after a dry run over its whole journal.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the closure is unknown, is another service's, or fails the
    /// dry run.
    pub async fn rebind_case(
        &self,
        viewer: &Viewer,
        case: CaseId,
        rebinding: (tongban_core::digest::Digest, String),
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let (closure, reason) = rebinding;
        let record = self.record(viewer, "rebindCase", &key, &(case, closure, &reason));
        let closure = self.runtime.scripts.closure(&closure).ok_or_else(|| {
            Refusal::new(
                "CLOSURE_NOT_FOUND",
                format!("未加载摘要为 {closure} 的脚本版本"),
                format!("the scripts of digest {closure} are not loaded"),
            )
        })?;
        let command = Command::Rebind { by: viewer.clone(), closure, reason };
        self.change(viewer, case, command, record).await
    }

    /// Sends a message to a matter's mailbox; it is kept until a script receives it.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the viewer may not, the matter has ended, or the message or
    /// its mailbox is too large.
    pub async fn send_message(
        &self,
        viewer: &Viewer,
        at: (CaseId, MatterNo),
        message: tongban_core::way_out::Message,
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let (case, matter) = at;
        let record = self.record(viewer, "sendMessage", &key, &(case, matter, &message));
        let command = Command::SendMessage { by: viewer.clone(), matter, message };
        self.change(viewer, case, command, record).await
    }

    /// Returns the calls that a restart from `from` would leave behind: what they did outside
    /// stays done. `None` when the viewer sees no such matter.
    pub async fn left_behind(
        &self,
        viewer: &Viewer,
        at: (CaseId, MatterNo),
        from: Seq,
    ) -> Result<Option<Vec<LeftBehind>>, EngineError> {
        let (case, no) = at;
        let Some((case, _)) = self.runtime.snapshot(case).await? else { return Ok(None) };
        let seen = viewer.sees(&tongban_core::read_model::scope(&case));
        if !seen || !answers_for(viewer, &case, no) {
            return Ok(None);
        }
        Ok(case.matter(no).map(|matter| {
            let tail = matter.run.requests.iter().filter(|request| {
                request.made.key.run != 0
                    && request.at >= from
                    && request.call.is_some()
                    && matches!(request.made.ask, Ask::Call { .. })
            });
            tail.map(|request| LeftBehind {
                request: request.made.key.clone(),
                target: request.made.ask.target(),
                ended: request.settled.is_some(),
            })
            .collect()
        }))
    }
}

/// Reads the place of an incident, as it is remembered.
fn read_place(place: &str) -> Result<(CaseId, Seq), EngineError> {
    let read = || {
        let (case, seq) = place.split_once(':')?;
        Some((case.parse().ok()?, Seq(seq.parse().ok()?)))
    };
    read().ok_or_else(|| unremembered().into())
}

fn unremembered() -> StoreError {
    StoreError::Damaged { what: "an idempotency record names no incident".to_owned() }
}

fn count_differs((found, expected): (usize, usize)) -> Refusal {
    Refusal::new(
        "COUNT_DIFFERS",
        format!("符合条件的异常现有 {found} 个,而非 {expected} 个;请核对后重试"),
        format!("{found} incidents match, not {expected}; look again and repeat"),
    )
    .at(["expectedCount"])
}

fn is_meant(filter: &IncidentFilter, case: &Case, state: &IncidentState) -> bool {
    let kind = filter.kind.is_none_or(|kind| state.incident.kind == kind);
    let since = filter.since.is_none_or(|since| state.raised_at >= since);
    let code = case.matter(state.matter).map(|matter| &matter.planned.code);
    let matter = filter.matter.as_ref().is_none_or(|wanted| code == Some(wanted));
    let stands = filter.stage.is_none_or(|wanted| stage_of(state) == wanted);
    kind && since && matter && stands
}

/// An office sees the incidents of its own matters; the lead department those of the case.
fn answers_for(viewer: &Viewer, case: &Case, no: MatterNo) -> bool {
    sees_incidents(viewer, case.answers_for(no))
}

/// Returns the rows that are read: of the viewer's regions, or the part of them that is meant.
fn along(viewer: &Viewer, filter: &IncidentFilter) -> Vec<Along> {
    match viewer.role {
        Role::SystemAdmin | Role::Supervisor | Role::Approver | Role::OfficeHead => {}
        Role::Applicant | Role::WindowClerk | Role::Integrator => return Vec::new(),
    }
    let own = outermost(viewer);
    let meant = match &filter.region {
        None => own,
        Some(region) if viewer.covers(region) => vec![region.clone()],
        Some(region) => own.into_iter().filter(|own| region.covers(own)).collect(),
    };
    meant.into_iter().map(Along::Incident).collect()
}

impl SettledOne {
    /// Returns the revision by which the change can be read, if there was one.
    pub fn revision(&self) -> Option<CommitNo> {
        self.outcome.as_ref().ok().map(|receipt| receipt.revision)
    }
}
