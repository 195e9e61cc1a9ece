//! The scene: case, time, agencies and the calls between them, moved step by step.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tongban_core::agency::{
    AgencyAct, AgencyReply, DocumentRef, Effect as CallEffect, Fault, FaultClass, ReplyBody,
};
use tongban_core::calendar::{Calendar, Calendars};
use tongban_core::case::{CallStatus, Case};
use tongban_core::command::{Answer, Command};
use tongban_core::definition::Closure;
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{Entry, Origin};
use tongban_core::id::{CallId, CaseId, RegionCode};
use tongban_core::limits;
use tongban_core::organisation::Organisation;
use tongban_core::port::{Script, Wiring};
use tongban_core::read_model;
use tongban_core::rehearsal::{Conduct, Said, Saying, Scene, SceneError, later};
use tongban_core::request::Ask;
use tongban_core::schedule::Reading;
use tongban_core::start::{self, StartCase};
use tongban_core::summary::IndexRow;
use tongban_core::time::{Moment, Period};
use tongban_core::turn::{self, Effect, TurnContext, TurnOutput};
use tongban_core::viewer::Role;

use super::agency::Agencies;
use super::carrier::{Carrier, LATE_QUERIES_MAX, Next, back_off};
use super::filling::Filling;
use crate::number;

/// Steps that may follow from one thing before it counts as going round without end.
const STEPS_MAX: u32 = 10_000;
/// The part of the case's id that is random elsewhere.
const CASE_TAIL: [u8; 10] = [7; 10];
/// The key that stands for a store's; nothing of a rehearsal is secret.
pub const KEY: [u8; 32] = [7; 32];

/// One case under the production rules, with agencies that do as they are told.
pub struct CaseScene {
    script: Arc<dyn Script>,
    calendars: Calendars,
    organisation: Arc<Organisation>,
    now: Moment,
    play: Option<Play>,
    entries: Vec<Entry>,
    agencies: Agencies,
    carriers: BTreeMap<CallId, Carrier>,
    /// Documents that agencies have issued.
    issued: u32,
}

/// A case that was started.
struct Play {
    case: Arc<Case>,
    closure: Arc<Closure>,
    secret: Secret,
}

/// Every operation goes through a connector that is named after its role.
struct ByRole;

impl Wiring for ByRole {
    fn connector_for(&self, operation: &str, _: &RegionCode) -> Option<String> {
        operation.split_once('.').map(|(role, _)| role.to_owned())
    }
}

/// What happens next by itself.
enum Event {
    /// The case's earliest timer.
    Timer,
    /// A call goes on.
    Call(CallId),
}

impl CaseScene {
    /// Opens an empty scene at `now`.
    pub fn new(script: Arc<dyn Script>, calendar: Arc<Calendar>, now: Moment) -> Self {
        Self {
            script,
            calendars: Calendars::everywhere(calendar),
            organisation: Arc::default(),
            now,
            play: None,
            entries: Vec::new(),
            agencies: Agencies::default(),
            carriers: BTreeMap::new(),
            issued: 0,
        }
    }

    fn turn(&mut self, command: &Command) -> Result<Answer, SceneError> {
        let mut answer = self.take(command)?;
        // A run that the machine failed is tried again, as the runtime does.
        for _ in 0..limits::TURN_ATTEMPTS_MAX {
            match answer {
                (done, None) => return Ok(done),
                (done, Some(_)) => answer = (done, self.take(&Command::Wake)?.1),
            }
        }
        Err(answer.1.map_or(SceneError::Restless, SceneError::Script))
    }

    fn take(
        &mut self,
        command: &Command,
    ) -> Result<(Answer, Option<tongban_core::port::ScriptFault>), SceneError> {
        let play = self.play.as_ref().ok_or(SceneError::NotStarted)?;
        let context = self.context(&play.secret, &play.closure);
        let output = turn::take(Arc::clone(&play.case), std::slice::from_ref(command), &context)?;
        let answer = output.answers.first().cloned().unwrap_or(Answer::Done);
        let mut fault = output.retry.as_ref().map(|(_, fault)| fault.clone());
        let unfinished = output.unfinished;
        self.take_in(output);
        if unfinished {
            fault = self.take(&Command::Wake)?.1.or(fault);
        }
        Ok((answer, fault))
    }

    /// Gives a turn all that it reads beside the case; both clocks are one here.
    fn context<'a>(&'a self, secret: &'a Secret, closure: &'a Arc<Closure>) -> TurnContext<'a> {
        TurnContext {
            now: self.now,
            wire_now: self.now,
            script: self.script.as_ref(),
            wiring: &ByRole,
            calendars: &self.calendars,
            organisation: &self.organisation,
            secret,
            closure,
            issuing: tongban_core::turn::Issuing::Drafts,
        }
    }

    /// Keeps what a turn came to; its effects become calls on their way.
    fn take_in(&mut self, output: TurnOutput) {
        let TurnOutput { case, entries, effects, .. } = output;
        self.entries.extend(entries);
        for effect in effects {
            match effect {
                Effect::Send(id) => self.send(&case, id),
                // Agencies here speak when they are told to, so nobody need ask them; nobody
                // prints either, the draft is in the history.
                Effect::Query { .. } | Effect::Issue(_) => {}
            }
        }
        if let Some(play) = &mut self.play {
            play.case = case;
        }
    }

    fn send(&mut self, case: &Case, id: CallId) {
        if self.carriers.contains_key(&id) {
            return;
        }
        let Some(call) = case.calls.get(&id) else { return };
        let request = case.matter(call.matter).and_then(|matter| matter.run.request(&call.request));
        let Some(Ask::Call { operation, input, .. }) = request.map(|request| &request.made.ask)
        else {
            return;
        };
        let carrier = Carrier {
            operation: operation.clone(),
            connector: call.made.connector.clone(),
            input: input.clone(),
            deadline: call.made.deadline,
            attempt: 0,
            late: 0,
            seq: 0,
            serial: None,
            next: Next::Send(self.now),
        };
        self.carriers.insert(id, carrier);
    }

    /// Does what is due, and what an agency has news for, until nothing is left of either.
    fn settle(&mut self) -> Result<(), SceneError> {
        for _ in 0..STEPS_MAX {
            let ready = self.events().filter(|(at, event)| *at <= self.now || self.is_news(event));
            let Some((at, event)) = ready.min_by_key(|(at, _)| *at) else {
                return Ok(());
            };
            self.now = self.now.max(at);
            self.perform(&event)?;
        }
        Err(SceneError::Restless)
    }

    /// A new attempt of which something new will come is not waited for by hand.
    fn is_news(&self, event: &Event) -> bool {
        match event {
            Event::Timer => false,
            Event::Call(id) => self.carriers.get(id).is_some_and(|carrier| {
                matches!(carrier.next, Next::Send(_)) && self.agencies.has_news(&carrier.operation)
            }),
        }
    }

    /// Returns everything that happens by itself, with its time.
    fn events(&self) -> impl Iterator<Item = (Moment, Event)> {
        let timer = self.next_timer().map(|at| (at, Event::Timer));
        let calls = self.carriers.iter();
        let calls = calls.filter_map(|(id, carrier)| Some((carrier.due()?, Event::Call(*id))));
        timer.into_iter().chain(calls)
    }

    fn reading(&self) -> Reading<'_> {
        let (calendars, organisation) = (&self.calendars, &self.organisation);
        Reading { calendars, organisation, now: self.now }
    }

    /// Reads the timer where the store would find it.
    fn next_timer(&self) -> Option<Moment> {
        let play = self.play.as_ref()?;
        let summary = read_model::summarise(&play.case, self.reading());
        let rows = read_model::rows(&summary, &play.secret);
        let due =
            |row: &IndexRow| if let IndexRow::Timer { due } = row { Some(*due) } else { None };
        rows.iter().find_map(due)
    }

    fn perform(&mut self, event: &Event) -> Result<(), SceneError> {
        match event {
            Event::Timer => self.tick(),
            Event::Call(id) => self.carry(*id),
        }
    }

    fn tick(&mut self) -> Result<(), SceneError> {
        let before = self.entries.len();
        self.turn(&Command::Tick)?;
        // A timer that stays due after its turn would be looked at for ever.
        if self.entries.len() == before { Err(SceneError::Restless) } else { Ok(()) }
    }

    fn carry(&mut self, id: CallId) -> Result<(), SceneError> {
        let Some(carrier) = self.carriers.get_mut(&id) else { return Ok(()) };
        match &mut carrier.next {
            Next::Send(_) if self.now >= carrier.deadline => self.ask_late(id),
            Next::Send(_) => self.attempt(id),
            Next::Hear(_, messages) => match messages.pop_front() {
                Some(said) => self.hear(id, said.what),
                None => Ok(()),
            },
            Next::Silence | Next::Kept => Ok(()),
        }
    }

    /// Sends a call, and hears what the agency says at once.
    fn attempt(&mut self, id: CallId) -> Result<(), SceneError> {
        let Some(carrier) = self.carriers.get_mut(&id) else { return Ok(()) };
        carrier.attempt += 1;
        let Some(conduct) = self.agencies.conduct(&carrier.operation) else {
            carrier.next = Next::Silence;
            return Ok(());
        };
        let at_once = conduct.first().filter(|first| first.after.is_none());
        match at_once.map(|first| &first.what) {
            Some(Saying::Fails(class)) => self.failed(id, *class),
            Some(Saying::AsksPerson(task)) => {
                let task = task.clone();
                self.carriers.remove(&id);
                self.turn(&Command::AskPerson { call: id, task }).map(drop)
            }
            Some(what) if what.is_last() => {
                let what = what.clone();
                self.hear(id, what)
            }
            Some(_) | None => {
                let accepted =
                    ReplyBody::Accepted { ticket: None, expect_by: None, next_query_after: None };
                self.reply(id, accepted)?;
                self.listen(id, conduct.into());
                Ok(())
            }
        }
    }

    /// Puts down what an agency will say about a call that it has.
    fn listen(&mut self, id: CallId, messages: VecDeque<Said>) {
        let at = messages.front().map(|first| self.after(first.after));
        if let Some(carrier) = self.carriers.get_mut(&id) {
            carrier.next = at.map_or(Next::Kept, |at| Next::Hear(at, messages));
        }
    }

    fn after(&self, period: Option<Period>) -> Moment {
        period.map_or(self.now, |period| later(self.calendars.national(), self.now, period))
    }

    fn hear(&mut self, id: CallId, what: Saying) -> Result<(), SceneError> {
        let over = what.is_last();
        let Some(filling) = self.filling(id, &what) else { return Ok(()) };
        let body = match what {
            Saying::Fails(class) => return self.failed(id, class),
            Saying::AsksPerson(task) => {
                self.carriers.remove(&id);
                return self.turn(&Command::AskPerson { call: id, task }).map(drop);
            }
            Saying::Ends(outcome) => ReplyBody::Otherwise(outcome),
            Saying::Completes { output, documents } => completed(&output, &documents, &filling),
            Saying::Reports { act, ground, number, detail } => {
                let number = filling.text(&number);
                ReplyBody::Act(AgencyAct {
                    act,
                    effective_at: self.now,
                    document_no: number.clone(),
                    ground,
                    officer: "经办人".to_owned(),
                    detail: Filling { number, ..filling }.value(&detail),
                })
            }
        };
        self.reply(id, body)?;
        if over {
            self.carriers.remove(&id);
            return Ok(());
        }
        let rest = match self.carriers.get_mut(&id).map(|carrier| &mut carrier.next) {
            Some(Next::Hear(_, messages)) => std::mem::take(messages),
            Some(Next::Send(_) | Next::Silence | Next::Kept) | None => VecDeque::new(),
        };
        self.listen(id, rest);
        Ok(())
    }

    /// Returns what the marks in a message stand for. The document that an act names is the one
    /// that completes the call, so a call has one serial.
    fn filling(&mut self, id: CallId, what: &Saying) -> Option<Filling> {
        let carrier = self.carriers.get_mut(&id)?;
        let issues = match what {
            Saying::Completes { documents, .. } => !documents.is_empty(),
            Saying::Reports { number, .. } => !number.is_empty(),
            Saying::Ends(_) | Saying::Fails(_) | Saying::AsksPerson(_) => false,
        };
        if issues && carrier.serial.is_none() {
            self.issued += 1;
            carrier.serial = Some(self.issued);
        }
        let serial = carrier.serial.unwrap_or(self.issued);
        Some(Filling { input: carrier.input.clone(), at: self.now, serial, number: String::new() })
    }

    fn reply(&mut self, id: CallId, body: ReplyBody) -> Result<(), SceneError> {
        let Some(carrier) = self.carriers.get_mut(&id) else { return Ok(()) };
        carrier.seq += 1;
        let digest = Digest::of(format!("{} {body:?}", carrier.seq).as_bytes());
        let connector = carrier.connector.clone();
        let reply = AgencyReply { call: id, seq: carrier.seq, digest, at: self.now, body };
        self.turn(&Command::Reply { connector, reply }).map(drop)
    }

    /// An attempt went wrong: the class alone decides what follows.
    fn failed(&mut self, id: CallId, class: FaultClass) -> Result<(), SceneError> {
        let Some(carrier) = self.carriers.get_mut(&id) else { return Ok(()) };
        match class {
            FaultClass::Retryable | FaultClass::Unavailable | FaultClass::Unknown => {
                carrier.next = Next::Send(self.now.plus_millis(back_off(carrier.attempt)));
                Ok(())
            }
            FaultClass::Expired => self.fenced(id),
            FaultClass::Refused | FaultClass::ContractViolation | FaultClass::Conflict => {
                self.give_up(id, class)
            }
        }
    }

    /// After the deadline the call is only asked about. An agency that has news never saw it.
    fn ask_late(&mut self, id: CallId) -> Result<(), SceneError> {
        let Some(carrier) = self.carriers.get_mut(&id) else { return Ok(()) };
        if self.agencies.has_news(&carrier.operation) {
            return self.fenced(id);
        }
        carrier.late += 1;
        if carrier.late >= LATE_QUERIES_MAX {
            return self.give_up(id, FaultClass::Unavailable);
        }
        carrier.next = Next::Send(self.now.plus_millis(back_off(carrier.late)));
        Ok(())
    }

    fn fenced(&mut self, id: CallId) -> Result<(), SceneError> {
        self.carriers.remove(&id);
        self.turn(&Command::CallFenced { call: id }).map(drop)
    }

    fn give_up(&mut self, id: CallId, class: FaultClass) -> Result<(), SceneError> {
        self.carriers.remove(&id);
        let fault = Fault {
            class,
            effect: CallEffect::None,
            code: class.code().to_owned(),
            retry_after: None,
            text: "排练中设定的故障 / a fault that the rehearsal asked for".to_owned(),
        };
        self.turn(&Command::CallFailed { call: id, fault }).map(drop)
    }

    /// Has the open calls of an operation go on by what its agency was told last.
    fn resume(&mut self, operation: &str) {
        let calls: Vec<CallId> = self
            .carriers
            .iter()
            .filter(|(_, carrier)| carrier.operation == operation)
            .map(|(id, _)| *id)
            .collect();
        for id in calls {
            let is_taken = self.play.as_ref().and_then(|play| play.case.calls.get(&id));
            let is_taken =
                is_taken.is_some_and(|call| matches!(call.status, CallStatus::Accepted { .. }));
            if is_taken {
                let conduct = self.agencies.conduct(operation).unwrap_or_default();
                self.listen(id, conduct.into());
            } else if let Some(carrier) = self.carriers.get_mut(&id) {
                carrier.next = Next::Send(self.now);
            }
        }
    }
}

fn completed(
    output: &tongban_core::value::Value,
    documents: &[(String, String)],
    filling: &Filling,
) -> ReplyBody {
    let documents: Vec<DocumentRef> = documents
        .iter()
        .map(|(role, number)| {
            let number = filling.text(number);
            let digest = Digest::of(number.as_bytes());
            DocumentRef { role: role.clone(), number, digest }
        })
        .collect();
    let number = documents.first().map(|document| document.number.clone()).unwrap_or_default();
    let output = Filling { number, ..filling.clone() }.value(output);
    ReplyBody::Completed { output, documents }
}

impl Scene for CaseScene {
    fn now(&self) -> Moment {
        self.now
    }

    fn calendar(&self) -> &Calendar {
        self.calendars.national()
    }

    fn advance(&mut self, until: Moment) -> Result<(), SceneError> {
        if self.play.is_none() {
            self.now = until;
            return Ok(());
        }
        if until < self.now {
            return Err(SceneError::Backwards { now: self.now, until });
        }
        self.settle()?;
        for _ in 0..STEPS_MAX {
            let due = self.events().filter(|(at, _)| *at <= until);
            let Some((at, event)) = due.min_by_key(|(at, _)| *at) else {
                self.now = self.now.max(until);
                return self.settle();
            };
            self.now = self.now.max(at);
            self.perform(&event)?;
            self.settle()?;
        }
        Err(SceneError::Restless)
    }

    fn start(&mut self, closure: Arc<Closure>, input: StartCase) -> Result<(), SceneError> {
        if self.play.is_some() {
            return Err(SceneError::StartedBefore);
        }
        let date = self.now.date();
        let number = number::with_check(&format!(
            "{}{:04}{:02}{:02}000001",
            input.region,
            date.year(),
            date.month(),
            date.day()
        ));
        let subject = input.applicant.id.clone();
        let (closure, selected) = start::choose(self.script.as_ref(), &closure, &input.answers)?;
        let started = start::start(&closure, input, number, &selected)?;
        let id = CaseId::new(self.now, CASE_TAIL);
        let secret = Secret::new(KEY).derive(b"case", &id.0);
        let origin = Origin::Person { subject, role: Role::Applicant.code().to_owned() };
        let context = self.context(&secret, &closure);
        let output = turn::begin(id, started, origin, &context)?;
        let case = Arc::clone(&output.case);
        self.play = Some(Play { case, closure, secret });
        self.take_in(output);
        Ok(())
    }

    fn give(&mut self, command: Command) -> Result<Answer, SceneError> {
        self.settle()?;
        let answer = self.turn(&command)?;
        self.settle()?;
        Ok(answer)
    }

    fn instruct(&mut self, operation: &str, conducts: Vec<Conduct>) -> Result<(), SceneError> {
        self.agencies.tell(operation, conducts);
        self.resume(operation);
        self.settle()
    }

    fn case(&self) -> Option<&Arc<Case>> {
        self.play.as_ref().map(|play| &play.case)
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
