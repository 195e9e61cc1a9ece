//! Simulated people: they apply, look at their queue, claim, decide, correct, withdraw, and send
//! again what they got no answer to, under the same key.

use std::sync::Arc;

use tongban_core::command::{Came, TaskChange, TaskOutcome};
use tongban_core::entry::{Consent, Party, TaskKind};
use tongban_core::error::ErrorClass;
use tongban_core::id::{CaseId, RegionCode, ServiceCode};
use tongban_core::port::Later;
use tongban_core::start::StartCase;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};

use super::dice::Dice;
use super::house::House;
use super::plan::Weather;
use super::program::{ARCHIVE, BUREAU, COURT, REGION, REGISTER};
use super::witness::Witness;
use crate::api::{IdempotencyKey, PageRequest, QueueItem, QueueView, Receipt};
use crate::error::EngineError;
use crate::handle::{Change, Decided, Engine};

/// The applicant of every case.
const PARTY: &str = "91420302MA4DEM010M";
/// Milliseconds that a person thinks at most, while faults last.
const THINK_MILLIS: u64 = 900_000;

/// How much less often an idle person looks into his queue, at most.
const IDLE_MAX: u64 = 64;

/// How the keys of mutations begin that move a pin, by which their entries are found in the logs.
pub(super) const REBINDING: &str = "rebind:";

/// A mutation that can be sent again.
pub(super) type Mutation =
    Arc<dyn Fn(Engine) -> Later<'static, Result<Receipt, EngineError>> + Send + Sync>;

/// A person.
pub(super) struct Person {
    pub(super) house: Arc<House>,
    pub(super) weather: Arc<Weather>,
    pub(super) witness: Arc<Witness>,
    pub(super) viewer: Viewer,
    pub(super) dice: Dice,
    sent: u32,
}

/// Returns the staff of a world.
pub(super) fn staff() -> Vec<Viewer> {
    let officer = |name: &str, department: &str| {
        Viewer::new(name, Role::Approver).within(REGION).of(department)
    };
    let head = |name: &str, department: &str| {
        Viewer::new(name, Role::OfficeHead).within(REGION).of(department)
    };
    vec![
        Viewer::new("clerk-1", Role::WindowClerk).within(REGION),
        Viewer::new("clerk-2", Role::WindowClerk).within(REGION),
        officer("officer-1", BUREAU),
        officer("officer-2", BUREAU),
        officer("keeper", ARCHIVE),
        officer("judge", COURT),
        head("head", BUREAU),
        head("head-of-court", COURT),
    ]
}

/// Returns the applicant.
pub(super) fn applicant() -> Viewer {
    Viewer::new("applicant", Role::Applicant).for_party(PARTY)
}

impl Person {
    /// Puts a person into a world.
    pub(super) fn new(
        house: Arc<House>,
        (weather, witness): (Arc<Weather>, Arc<Witness>),
        viewer: Viewer,
        dice: Dice,
    ) -> Self {
        Self { house, weather, witness, viewer, dice, sent: 0 }
    }

    async fn think(&mut self, most: u64) {
        let millis = self.dice.millis(most);
        self.house.stage.sleep(millis).await;
    }

    pub(super) fn key(&mut self) -> String {
        self.sent += 1;
        format!("{}:{}", self.viewer.subject, self.sent)
    }

    /// Sends a mutation until it is answered; sometimes twice at once, sometimes once more.
    pub(super) async fn mutate(&mut self, key: &str, mutation: Mutation) -> Option<Receipt> {
        if self.weather.strikes(|faults| faults.person_doubles) {
            let (house, witness) = (Arc::clone(&self.house), Arc::clone(&self.witness));
            let (copy, key) = (Arc::clone(&mutation), key.to_owned());
            let delay = self.dice.millis(30_000);
            self.house.stage.begin(super::stage::Owner::World, async move {
                house.stage.sleep(delay).await;
                match house.with(|engine| copy(engine)).await {
                    Some(Ok(receipt)) => note(&witness, &key, &receipt),
                    Some(Err(error)) => witness.refused(&key, &error),
                    None => {}
                }
            });
        }
        loop {
            match self.house.with(|engine| mutation(engine)).await {
                Some(Ok(receipt)) => {
                    note(&self.witness, key, &receipt);
                    return Some(receipt);
                }
                Some(Err(refusal @ EngineError::Refused(_))) => {
                    self.witness.saw("a refusal");
                    self.witness.refused(key, &refusal);
                    return None;
                }
                Some(Err(error)) if !comes_back(&error) => {
                    self.witness.wrong(format!("mutation {key} failed: {error}"));
                    return None;
                }
                Some(Err(_)) | None => {
                    self.witness.saw("a mutation that was sent again");
                    let pause = self.dice.between(500, 20_000);
                    self.house.stage.sleep(pause).await;
                }
            }
        }
    }

    /// Applies for a service, and perhaps changes his mind.
    pub(super) async fn apply(mut self, service: ServiceCode, when: u64) {
        self.house.stage.sleep(when).await;
        let Some(case) = self.start(service).await else { return };
        if self.dice.chance(30) {
            return;
        }
        self.think(THINK_MILLIS).await;
        let (viewer, key) = (self.viewer.clone(), self.key());
        let id = IdempotencyKey(key.clone());
        let submit: Mutation = Arc::new(move |engine| {
            let (viewer, id) = (viewer.clone(), id.clone());
            Box::pin(async move { engine.submit_case(&viewer, case, id).await })
        });
        self.mutate(&key, submit).await;
        while !self.weather.is_calm() {
            self.think(24 * 3_600_000).await;
            match self.dice.below(12) {
                0 => self.withdraw(case).await,
                1 => self.amend(case).await,
                _ => self.read(case).await,
            }
        }
    }

    async fn start(&mut self, service: ServiceCode) -> Option<CaseId> {
        let key = self.key();
        let party = Party { id: PARTY.to_owned(), name: "示例公司".to_owned() };
        let consent = Consent {
            license: REGISTER.to_owned(),
            holder: party.id.clone(),
            purpose: "*".to_owned(),
            text_version: "1".to_owned(),
        };
        let mut input = StartCase::new(service, RegionCode::new(REGION), party);
        input.consents.push(consent);
        input.form = Value::of([("note", key.as_str().into())]);
        let (viewer, id) = (self.viewer.clone(), IdempotencyKey(key.clone()));
        let start: Mutation = Arc::new(move |engine| {
            let (viewer, input, id) = (viewer.clone(), input.clone(), id.clone());
            Box::pin(async move { engine.start_case(&viewer, input, id).await })
        });
        let case = self.mutate(&key, start).await?.case;
        self.witness.started(case);
        Some(case)
    }

    async fn withdraw(&mut self, case: CaseId) {
        let (viewer, key) = (self.viewer.clone(), self.key());
        let id = IdempotencyKey(key.clone());
        let withdraw: Mutation = Arc::new(move |engine| {
            let (viewer, id, reason) = (viewer.clone(), id.clone(), id.0.clone());
            Box::pin(async move { engine.withdraw_case(&viewer, case, reason, id).await })
        });
        if self.mutate(&key, withdraw).await.is_some() {
            self.witness.saw("a withdrawal");
        }
    }

    pub(super) async fn amend(&mut self, case: CaseId) {
        let key = self.key();
        let change = Change::AmendForm {
            fields: Value::of([("note", key.as_str().into())]),
            reason: key.clone(),
            came: Came::default(),
            seen: None,
        };
        if self.change(case, key, change).await.is_some() {
            self.witness.saw("an amended form");
        }
    }

    async fn change(&mut self, case: CaseId, key: String, change: Change) -> Option<Receipt> {
        let (viewer, id) = (self.viewer.clone(), IdempotencyKey(key.clone()));
        let mutation: Mutation = Arc::new(move |engine| {
            let (viewer, change, id) = (viewer.clone(), change.clone(), id.clone());
            Box::pin(async move { engine.change_case(&viewer, case, change, id).await })
        });
        self.mutate(&key, mutation).await
    }

    /// What was answered can be read at once.
    async fn read(&mut self, case: CaseId) {
        let viewer = self.viewer.clone();
        let read = self.house.with(|engine| async move { engine.case(&viewer, case).await });
        if let Some(Ok(None)) = read.await {
            self.witness.wrong(format!("the applicant does not find case {case}"));
        }
    }

    /// Works through his queue, for ever.
    pub(super) async fn work(mut self) {
        let mut idle = 1;
        loop {
            let calm = self.weather.is_calm();
            let pause = self.dice.between(60_000, 3_600_000);
            self.house.stage.sleep(pause * if calm { idle } else { 1 }).await;
            let Some(item) = self.choose().await else {
                // Who finds nothing looks less often once the world is calm.
                idle = (idle * 2).min(IDLE_MAX);
                continue;
            };
            if self.weather.strikes(|faults| faults.person_stale) {
                self.think(6 * 3_600_000).await;
            }
            let done = match self.dice.below(if calm { 1 } else { 5 }) {
                1 => self.claim(&item).await,
                2 => self.hand_on(&item).await,
                _ => self.complete(&item).await,
            };
            idle = if done { 1 } else { (idle * 2).min(IDLE_MAX) };
        }
    }

    async fn choose(&mut self) -> Option<QueueItem> {
        let viewer = self.viewer.clone();
        let page = PageRequest { first: 20, after: None };
        let queue = self
            .house
            .with(|engine| async move { engine.queue(&viewer, QueueView::Open, page).await });
        let items = queue.await?.ok()?.items;
        let own = |item: &&QueueItem| {
            item.task.assignee.as_ref().is_none_or(|holder| *holder == self.viewer.subject)
        };
        let items: Vec<&QueueItem> = items.iter().filter(own).collect();
        if items.is_empty() {
            return None;
        }
        Some((*self.dice.pick(&items)).clone())
    }

    async fn claim(&mut self, item: &QueueItem) -> bool {
        let (viewer, key) = (self.viewer.clone(), self.key());
        let (id, task, version) = (IdempotencyKey(key.clone()), item.id, item.task.version);
        let release = item.task.assignee.is_some();
        let claim: Mutation = Arc::new(move |engine| {
            let (viewer, id) = (viewer.clone(), id.clone());
            Box::pin(async move {
                if release {
                    engine.release_task(&viewer, task, version, id).await
                } else {
                    engine.claim_task(&viewer, task, version, id).await
                }
            })
        });
        self.mutate(&key, claim).await.is_some()
    }

    async fn hand_on(&mut self, item: &QueueItem) -> bool {
        let key = self.key();
        let change = TaskChange::Draft(Value::of([("draft", key.as_str().into())]));
        let change = Change::Task { task: item.id.no, version: item.task.version, change };
        self.change(item.id.case, key, change).await.is_some()
    }

    async fn complete(&mut self, item: &QueueItem) -> bool {
        let key = self.key();
        let again = item.task.kind == TaskKind::Rejected;
        let often = match (self.weather.is_calm(), again) {
            // Asking again what is refused again would never end.
            (true, true) => 0,
            (true, false) => 900,
            (false, _) => 750,
        };
        let granted = self.dice.chance(often);
        let fields = Value::of([("number", key.as_str().into())]);
        let outcome = TaskOutcome { granted, opinion: key.clone(), fields };
        let decided = Decided::at(item.task.version, outcome);
        let (viewer, id, task) = (self.viewer.clone(), IdempotencyKey(key.clone()), item.id);
        let complete: Mutation = Arc::new(move |engine| {
            let (viewer, decided, id) = (viewer.clone(), decided.clone(), id.clone());
            Box::pin(async move { engine.complete_task(&viewer, task, decided, id).await })
        });
        self.mutate(&key, complete).await.is_some()
    }
}

/// Tells whether a failure is one after which people try again.
fn comes_back(error: &EngineError) -> bool {
    matches!(error, EngineError::Store(_)) || error.class() == ErrorClass::Transient
}

fn note(witness: &Witness, key: &str, receipt: &Receipt) {
    if receipt.replayed {
        witness.saw("a repeated mutation");
    } else {
        witness.done(key);
    }
}
