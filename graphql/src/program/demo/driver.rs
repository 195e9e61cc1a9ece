//! Files one case and brings it to its end, with nothing but the API in hand.
//!
//! Everyone has a token of his own: the applicant files, a supervisor watches, clerks and
//! approvers take what their queues show. The driver looks, does the first step of the plan that
//! can be done, and otherwise waits for the next event of the case.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tongban_core::port::WireClock as _;
use tongban_core::time::Moment;
use tongban_engine::clock::SystemClock;

use super::client::Client;
use super::documents;
use super::live::Live;
use super::plan::{Plan, Step};
use super::snapshot::{Lane, Snapshot};
use crate::program::error::Both;

/// Milliseconds after which the driver looks again even without an event.
const LOOK_AGAIN_MILLIS: u64 = 200;
/// Milliseconds before a jump of lawful time is tried again while calls are under way.
const CLOCK_AGAIN_MILLIS: u64 = 25;
/// Events that may wait for the driver; it empties the queue whenever it looks.
const EVENTS_MAX: usize = 256;

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// The case at the end.
    pub(super) last: Snapshot,
    /// Most matters that were under way at once.
    pub(super) at_once: usize,
    /// Events that came by the subscription.
    pub(super) events: usize,
}

/// Brings one case to its end.
pub(super) struct Driver<'a> {
    plan: &'a Plan,
    people: BTreeMap<String, Client>,
    live: Live,
    /// Id of the case.
    case: String,
    done: Vec<bool>,
    course: Course,
}

/// A task that a step of the plan is about.
struct Found {
    step: usize,
    id: String,
    version: i64,
}

impl<'a> Driver<'a> {
    /// Files the case as its applicant.
    pub(super) async fn file(
        plan: &'a Plan,
        people: BTreeMap<String, Client>,
    ) -> Result<Self, Both> {
        let mut driver = Self {
            plan,
            people,
            live: Live::begin(),
            case: String::new(),
            done: vec![false; plan.steps.len()],
            course: Course::default(),
        };
        let applicant = driver.person("applicant")?;
        let input = json!({
            "serviceCode": plan.service,
            "region": plan.region,
            "applicant": { "id": plan.applicant.id, "name": plan.applicant.name },
            "answers": plan.answers,
            "form": plan.form,
            "materials": plan.materials(),
            "idempotencyKey": key("start"),
        });
        let payload = applicant.change(documents::START_CASE, "startCase", input).await?;
        driver.case = text(&payload["case"]["id"]);
        let input = json!({ "caseId": driver.case, "idempotencyKey": key("submit") });
        applicant.change(documents::SUBMIT_CASE, "submitCase", input).await?;
        Ok(driver)
    }

    /// Returns the case as it was last seen.
    pub(super) fn seen(&self) -> &Snapshot {
        &self.course.last
    }

    /// Does what is to be done until every matter has ended.
    pub(super) async fn finish(&mut self) -> Result<Course, Both> {
        let (sender, mut events) = mpsc::channel(EVENTS_MAX);
        // Dropping the set ends the subscription.
        let mut following = JoinSet::new();
        following.spawn(self.person("supervisor")?.follow(self.case.clone(), sender));
        loop {
            self.look().await?;
            if self.course.last.is_over() {
                self.course.events += drain(&mut events);
                return Ok(self.course.clone());
            }
            if let Some(lane) = self.course.last.matters.iter().find(|lane| lane.is_stuck()) {
                return Err(stuck(lane));
            }
            match self.find().await? {
                Some(found) => self.take(found).await?,
                None => self.wait(&mut events, LOOK_AGAIN_MILLIS).await,
            }
        }
    }

    /// Waits for something to happen, and no longer than so many milliseconds.
    async fn wait(&mut self, events: &mut mpsc::Receiver<Value>, millis: u64) {
        tokio::select! {
            Some(_) = events.recv() => self.course.events += 1,
            () = SystemClock.wait_millis(millis) => {}
        }
        self.course.events += drain(events);
    }

    async fn look(&mut self) -> Result<(), Both> {
        let variables = json!({ "id": self.case });
        let data = self.person("supervisor")?.ask(documents::CASE, variables).await?;
        let snapshot = Snapshot::read(&data, self.plan)
            .ok_or_else(|| Both::new("接口没有返回办件", "the API returned no case"))?;
        self.course.at_once = self.course.at_once.max(snapshot.under_way());
        self.live.show(&snapshot);
        self.course.last = snapshot;
        Ok(())
    }

    /// Finds the first step that can be done now, by looking into the queue of whoever does it.
    async fn find(&self) -> Result<Option<Found>, Both> {
        let mut queues: BTreeMap<&str, Value> = BTreeMap::new();
        for (index, step) in self.plan.steps.iter().enumerate() {
            if self.done[index] || !self.is_time_for(step) {
                continue;
            }
            if !queues.contains_key(step.by.as_str()) {
                let queue = self.person(&step.by)?.ask(documents::QUEUE, json!({})).await?;
                queues.insert(&step.by, queue);
            }
            let nodes = queues[step.by.as_str()]["queue"]["nodes"].as_array();
            let task = nodes.into_iter().flatten().find(|task| self.is_for(step, task));
            if let Some(task) = task {
                let version = task["version"].as_i64().unwrap_or_default();
                return Ok(Some(Found { step: index, id: text(&task["id"]), version }));
            }
        }
        Ok(None)
    }

    fn is_time_for(&self, step: &Step) -> bool {
        let ended = |code: &String| self.course.last.lane(code).is_some_and(Lane::is_over);
        step.after_end_of.as_ref().is_none_or(ended)
    }

    fn is_for(&self, step: &Step, task: &Value) -> bool {
        task["case"]["id"] == self.case.as_str()
            && task["caseMatter"]["code"] == step.matter.as_str()
            && text(&task["kind"]).eq_ignore_ascii_case(&step.task)
    }

    /// Takes a task, lets the time pass that it takes, and does it.
    async fn take(&mut self, found: Found) -> Result<(), Both> {
        let step = &self.plan.steps[found.step];
        if step.minutes > 0 && !self.advance(step.minutes).await? {
            SystemClock.wait_millis(CLOCK_AGAIN_MILLIS).await;
            return Ok(());
        }
        SystemClock.wait_millis(self.live.pause_millis()).await;
        let person = self.person(&step.by)?;
        let input = json!({
            "taskId": found.id,
            "expectedVersion": found.version,
            "idempotencyKey": key("claim"),
        });
        let claimed = person.change(documents::CLAIM_TASK, "claimTask", input).await?;
        let input = json!({
            "taskId": found.id,
            "expectedVersion": claimed["task"]["version"],
            "granted": true,
            "opinion": step.opinion,
            "fields": step.fields(&self.course.last.number),
            "idempotencyKey": key("complete"),
        });
        person.change(documents::COMPLETE_TASK, "completeTask", input).await?;
        self.done[found.step] = true;
        Ok(())
    }

    /// Moves lawful time forward; tells whether it could be moved just now.
    async fn advance(&self, minutes: i64) -> Result<bool, Both> {
        let until = self.course.last.now.plus_millis(minutes * 60_000);
        let input = json!({ "until": until.to_string(), "idempotencyKey": key("clock") });
        let person = self.person("supervisor")?;
        match person.change(documents::ADVANCE_CLOCK, "advanceClock", input).await {
            Ok(_) => Ok(true),
            Err(error) if error.en.starts_with("CLOCK_NOT_MOVABLE") => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn person(&self, name: &str) -> Result<Client, Both> {
        let client = self.people.get(name).cloned();
        client.ok_or_else(|| Both::new(format!("没有人员 {name}"), format!("nobody is {name}")))
    }
}

impl Snapshot {
    /// Reads the answer to [`documents::CASE`].
    fn read(data: &Value, plan: &Plan) -> Option<Self> {
        let case = &data["case"];
        let lanes = case["matters"].as_array()?;
        Some(Self {
            number: text(&case["number"]),
            service: text(&case["serviceCode"]),
            service_name: text(&case["serviceName"]),
            state: text(&case["state"]).to_lowercase(),
            state_label: text(&case["stateLabel"]),
            applicant: plan.applicant.name.clone(),
            submitted_at: moment(&case["submittedAt"])?,
            now: moment(&data["serverInfo"]["lawfulNow"])?,
            revision: text(&case["revision"]),
            matters: lanes.iter().map(|lane| Lane::read(lane, plan)).collect(),
        })
    }
}

impl Lane {
    fn read(lane: &Value, plan: &Plan) -> Self {
        let materials = lane["materials"].as_array().into_iter().flatten();
        let clocks = || lane["clocks"].as_array().into_iter().flatten();
        let mut read = Self {
            code: text(&lane["code"]),
            name: text(&lane["name"]),
            department: text(&lane["department"]),
            state: text(&lane["state"]).to_lowercase(),
            state_label: text(&lane["stateLabel"]),
            since: clocks().filter_map(|clock| moment(&clock["startedAt"])).min(),
            until: None,
            working_days: clocks().filter_map(|clock| clock["usedWorkingDays"].as_u64()).max(),
            result: text(&lane["resultNumber"]),
            waiting: plan.told(&text(&lane["waitingOn"]["nextStep"])),
            waiting_kind: text(&lane["waitingOn"]["kind"]).to_lowercase(),
            materials: materials
                .map(|one| (text(&one["code"]), text(&one["state"]).to_lowercase()))
                .collect(),
        };
        if read.is_over() {
            read.until = clocks().filter_map(|clock| moment(&clock["stoppedAt"])).max();
        }
        read
    }

    /// Tells whether somebody must look at an incident.
    fn is_stuck(&self) -> bool {
        self.waiting_kind == "operator"
    }
}

/// Says which matter goes no further, and whom it waits for.
pub(super) fn stuck(lane: &Lane) -> Both {
    let Lane { code, name, state, state_label, waiting, .. } = lane;
    Both::new(
        format!("{name}({state_label}){waiting}"),
        format!("{code} ({state}) goes no further: {waiting}"),
    )
}

/// Makes an idempotency key; each run is another one.
fn key(what: &str) -> String {
    let mut bytes = [0; 8];
    // Without randomness the time alone makes the key; both never repeat within a run.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = SystemClock.now().millis().to_be_bytes();
    }
    format!("demo-{what}-{:016x}", u64::from_be_bytes(bytes))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn moment(value: &Value) -> Option<Moment> {
    Moment::parse(value.as_str()?)
}

fn drain(events: &mut mpsc::Receiver<Value>) -> usize {
    let mut counted = 0;
    while events.try_recv().is_ok() {
        counted += 1;
    }
    counted
}
