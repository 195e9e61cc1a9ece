//! The cursor between a script and its journal.
//!
//! A run is a pure function of closure digest, seed and its entries in order. The script asks;
//! the cursor answers from the journal, or notes a new request and stops the run by its *latch*.
//! The latch is set first and decides the verdict; whatever a script does after that (swallow
//! the stop in a `try`, return early) changes nothing, because every further call stops again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::agency::AgencyReply;
use crate::calendar::Calendar;
use crate::case::{Case, Matter, MatterResult};
use crate::digest::{Digest, Secret};
use crate::entry::Requested;
use crate::id::{MatterNo, Seq};
use crate::law::{ActAnswer, ActKind};
use crate::limits;
use crate::material::Found;
use crate::port::{Look, RunEnd, RunOutput, ScriptFault, ScriptFaultKind};
use crate::recommend::INTAKE_RUN;
use crate::request::{
    Ask, Decision, End, Evidence, NewRequest, Outcome, OutcomeKind, Request, RequestKey,
    RequestKind, Settled,
};
use crate::time::{Moment, Period};
use crate::value::Value;
use crate::way_out::Message;

mod compare;
mod patch;
mod release;

use self::release::Losers;
pub(crate) use self::release::no_longer_waited_for;

/// A thing that can be waited for. Only valid in the run that made it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Handle(u32);

impl Handle {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The run must end now; the latch knows why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stop;

/// Handles joined by a combinator, as a list or by name.
#[derive(Clone, Debug, PartialEq)]
pub enum Members {
    /// In order.
    List(Vec<Handle>),
    /// By name.
    Map(Vec<(String, Handle)>),
}

impl Members {
    fn handles(&self) -> impl Iterator<Item = Handle> {
        let (list, map) = match self {
            Self::List(list) => (list.as_slice(), [].as_slice()),
            Self::Map(map) => ([].as_slice(), map.as_slice()),
        };
        list.iter().copied().chain(map.iter().map(|(_, handle)| *handle))
    }
}

/// A combinator. Each is a function of entry order, never of what is ready.
#[derive(Clone, Debug, PartialEq)]
pub enum Join {
    /// Ends with the last completion, or with the first failure.
    All(Members),
    /// Ends with the last end; failures are values.
    AllSettled(Members),
    /// Ends with the first end, and as that one did.
    Race(Members),
    /// Ends as the handle does, or timed out when the timer is first.
    Timeout {
        /// What is awaited.
        handle: Handle,
        /// The timer.
        timer: Handle,
    },
}

impl Join {
    /// Returns what it joins; a handle that is named twice comes twice.
    fn handles(&self) -> impl Iterator<Item = Handle> {
        let (members, timeout) = match self {
            Self::All(members) | Self::AllSettled(members) | Self::Race(members) => {
                (Some(members), None)
            }
            Self::Timeout { handle, timer } => (None, Some([*handle, *timer])),
        };
        members.into_iter().flat_map(Members::handles).chain(timeout.into_iter().flatten())
    }
}

/// What a wait gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrived {
    /// A call completed; output and documents, with the request as evidence.
    Output {
        /// The request.
        key: RequestKey,
        /// The reply.
        reply: Arc<AgencyReply>,
    },
    /// A typed outcome that is not success.
    Thrown {
        /// The request.
        key: RequestKey,
        /// The outcome.
        outcome: Outcome,
    },
    /// A person decided.
    Decision {
        /// The request, as evidence.
        key: RequestKey,
        /// The decision.
        decision: Decision,
    },
    /// A timer was due.
    Fired,
    /// The law answered an act.
    Answer(ActAnswer),
    /// A message was received.
    Message(Arc<Message>),
    /// Members of a combinator, in order.
    List(Vec<Arrived>),
    /// Members of a combinator, by name.
    Map(Vec<(String, Arrived)>),
    /// A member of `all_settled`: to be shown as `#{ ok, value, kind, reason }`.
    Settled(Box<Arrived>),
}

enum Node {
    Journal(usize),
    /// What an earlier generation got, under the key of this one.
    Adopted(usize, RequestKey),
    /// Asked for the first time.
    Fresh(RequestKey),
    Join(Join),
}

/// What a handle costs to look at.
#[derive(Clone, Copy)]
struct Cost {
    /// Requests below it, counted once for each way to reach them.
    weight: usize,
    /// Combinators inside combinators.
    depth: usize,
}

struct Arrival {
    seq: Seq,
    at: Moment,
    what: Arrived,
}

#[derive(Clone, Debug, PartialEq)]
enum Latch {
    Suspended,
    Failed(ScriptFault),
}

/// One evaluation of a matter's script over its journal. It owns what it reads, so that a
/// script host can put it where its functions find it, and give it back at the end.
pub struct Replay {
    case: Arc<Case>,
    index: usize,
    /// Number and generation of the run that is evaluated.
    run: (u16, u16),
    secret: Secret,
    calendar: Arc<Calendar>,
    seen: Seq,
    seen_at: Moment,
    ordinal: u32,
    bytes: usize,
    nodes: Vec<Node>,
    costs: Vec<Cost>,
    fresh: Vec<NewRequest>,
    losers: Losers,
    latch: Option<Latch>,
    /// What was said about each patch.
    patches: BTreeMap<String, bool>,
    /// What the wait that set the latch was for.
    waits: Vec<RequestKey>,
    /// The recorded request at which the script went another way.
    differs_at: Option<RequestKey>,
    /// Whether the stop that somebody asked for was thrown to the script.
    told_to_stop: bool,
}

impl Replay {
    /// Begins an evaluation. The matter must be in the case, and its run must have begun.
    pub fn new(case: Arc<Case>, matter: MatterNo, secret: Secret, calendar: Arc<Calendar>) -> Self {
        let index = usize::from(matter.0).checked_sub(1).expect("the coordinator runs no script");
        let own = &case.matters[index].run;
        let run = (own.no, own.generation);
        let begun = own.begun.expect("only a begun run is evaluated");
        Self::from(case, (index, run, begun), secret, calendar)
    }

    /// Begins an evaluation of the matter's `intake`, which must have begun.
    pub fn of_intake(
        case: Arc<Case>,
        matter: MatterNo,
        secret: Secret,
        calendar: Arc<Calendar>,
    ) -> Self {
        let index = usize::from(matter.0).checked_sub(1).expect("the coordinator runs no script");
        let advice = &case.matters[index].advice;
        let run = (INTAKE_RUN, advice.generation);
        let begun = advice.begun.expect("only a begun intake is evaluated");
        Self::from(case, (index, run, begun), secret, calendar)
    }

    fn from(
        case: Arc<Case>,
        what: (usize, (u16, u16), (Seq, Moment)),
        secret: Secret,
        calendar: Arc<Calendar>,
    ) -> Self {
        let (index, run, (seen, seen_at)) = what;
        let known = case.matters[index].run.requests.len();
        Self {
            case,
            index,
            run,
            secret,
            calendar,
            seen,
            seen_at,
            ordinal: 0,
            bytes: 0,
            nodes: Vec::with_capacity(known),
            costs: Vec::with_capacity(known),
            fresh: Vec::new(),
            losers: Losers::with_room(known),
            latch: None,
            patches: BTreeMap::new(),
            waits: Vec::new(),
            differs_at: None,
            told_to_stop: false,
        }
    }

    /// Returns the case as the script may see it.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// Returns the matter as the script may see it.
    pub fn matter(&self) -> &Matter {
        &self.case.matters[self.index]
    }

    /// Returns the form as it stood at the newest consumed entry.
    pub fn form(&self) -> Value {
        self.case.form_at(self.seen)
    }

    /// Returns the results of earlier matters that had arrived at the newest consumed entry.
    pub fn results(&self) -> impl Iterator<Item = (&Matter, &MatterResult)> {
        self.matter()
            .inputs
            .iter()
            .filter(|input| input.at <= self.seen)
            .filter_map(|input| self.case.matter(input.from))
            .filter_map(|earlier| Some((earlier, earlier.result.as_ref()?)))
    }

    /// Returns the materials as they stood at the newest consumed entry.
    pub fn materials(&self) -> impl Iterator<Item = (&str, &Found)> {
        let known = self.matter().requirements.iter();
        known.map(|known| (known.code.as_str(), known.how_at(self.seen)))
    }

    /// Returns the codes of the materials still owed at the newest consumed entry.
    pub fn owed(&self) -> Vec<&str> {
        self.matter().owed(self.seen)
    }

    /// Returns the time of the newest consumed entry: the script's `now()`.
    pub fn now(&mut self) -> Result<Moment, Stop> {
        self.running()?;
        Ok(self.seen_at)
    }

    /// Tells whether the run has been stopped; asked by the host's progress callback.
    pub fn is_stopped(&self) -> bool {
        self.latch.is_some()
    }

    /// Stops the run with a failure. The first stop stays.
    pub fn fail(&mut self, fault: ScriptFault) -> Stop {
        self.latch.get_or_insert(Latch::Failed(fault));
        Stop
    }

    fn running(&self) -> Result<(), Stop> {
        if self.latch.is_some() { Err(Stop) } else { Ok(()) }
    }

    fn over_limit(&mut self, what: &str) -> Stop {
        self.fail(ScriptFault::new(ScriptFaultKind::Limit, what))
    }

    /// Asks for something; the ordinal is taken now.
    pub fn request(&mut self, ask: Ask) -> Result<Handle, Stop> {
        self.running()?;
        let (run, _) = self.run;
        if run == INTAKE_RUN && !matches!(ask.kind(), RequestKind::Call | RequestKind::Patch) {
            return Err(self.fail(ScriptFault::new(
                ScriptFaultKind::Script,
                "预审(intake)只能用 ask、start 查询事实,不能请人决定、等待时间或作出行为 / intake only asks agencies for facts; it has no decisions, timers or acts",
            )));
        }
        self.skip_deprecated(&ask);
        let key = self.next_key();
        self.ordinal += 1;
        self.within_limits(ask.weight())?;
        if let Some(index) = self.recorded(&key) {
            return self.replayed(index, &ask);
        }
        self.must_fit(&ask)?;
        let digest = fingerprint(&self.secret, &ask);
        let adopts = self.adoptable(&ask, digest);
        let node = match &adopts {
            Some((index, _)) => Node::Adopted(*index, key.clone()),
            None => Node::Fresh(key.clone()),
        };
        let leaves = self.told_to_stop || self.matter().run.cancel.is_none();
        self.fresh.push(NewRequest {
            key,
            seen: self.seen,
            digest,
            ask,
            adopts: adopts.map(|(_, key)| key),
            leaves,
        });
        Ok(self.node(node))
    }

    /// Asks for what the journal holds at this place, if `same` says that it is what is asked: as
    /// [`Replay::request`] does, for a host that can tell without building the request. `None`
    /// where the journal has nothing here or something else; then it is to be built.
    pub fn again(&mut self, same: impl FnOnce(&Ask) -> bool) -> Result<Option<Handle>, Stop> {
        self.running()?;
        let Some(index) = self.recorded(&self.next_key()) else {
            return Ok(None);
        };
        let made = &self.matter().run.requests[index].made;
        if made.seen != self.seen || !same(&made.ask) {
            return Ok(None);
        }
        let weight = made.ask.weight();
        self.ordinal += 1;
        self.within_limits(weight)?;
        Ok(Some(self.node(Node::Journal(index))))
    }

    fn next_key(&self) -> RequestKey {
        let (run, generation) = self.run;
        RequestKey { run, generation, scope: Vec::new(), ordinal: self.ordinal }
    }

    /// Finds what an earlier generation of this run got for the same question: a call that
    /// completed or is still under way, a decision; anything, where the run went back to a point
    /// and it was asked before that. Each is adopted once, the newest generation's first.
    fn adoptable(&self, ask: &Ask, digest: Digest) -> Option<(usize, RequestKey)> {
        let run = &self.matter().run;
        let (no, generation) = self.run;
        if generation == 0 {
            return None;
        }
        let taken = self.adopted_roots();
        let same = run.requests.iter().enumerate().filter(|(_, request)| {
            request.made.key.run == no
                && request.made.key.generation < generation
                && request.made.ask.kind() == ask.kind()
                && request.made.digest == digest
                && !request.discarded
                && !taken.contains(run.root(&request.made.key))
                && self.may_be_taken_over(request, ask)
        });
        // Of several alike the earliest comes first, as it did then.
        let newest = same.clone().map(|(_, request)| request.made.key.generation).max()?;
        let mut same = same.filter(|(_, request)| request.made.key.generation == newest);
        same.next().map(|(index, request)| (index, request.made.key.clone()))
    }

    /// Returns what this generation has taken over already, by the request that really asked.
    fn adopted_roots(&self) -> BTreeSet<&RequestKey> {
        let run = &self.matter().run;
        let evaluated = self.run;
        let own = run.requests.iter();
        let own = own.filter(|own| (own.made.key.run, own.made.key.generation) == evaluated);
        let journal = own.filter_map(|request| request.made.adopts.as_ref());
        let fresh = self.fresh.iter().filter_map(|request| request.adopts.as_ref());
        journal.chain(fresh).map(|adopted| run.root(adopted)).collect()
    }

    fn may_be_taken_over(&self, request: &Request, ask: &Ask) -> bool {
        let kept = self.matter().run.kept.is_some_and(|kept| request.at < kept);
        (is_adoptable(request) || (kept && request.settled.is_some()))
            && shows_the_same(request, ask)
            && self.still_stands(request)
            && self.is_still_asked(request)
    }

    /// A question whose task was dropped is nobody's to answer any more.
    fn is_still_asked(&self, request: &Request) -> bool {
        if request.settled.is_some() || request.made.ask.kind() != RequestKind::Decide {
            return true;
        }
        let root = self.matter().run.root(&request.made.key);
        let mut open = self.case.open_tasks();
        open.any(|task| task.opened.request.as_ref() == Some(root))
    }

    /// A decision stands for the form and the materials on which it was taken.
    fn still_stands(&self, request: &Request) -> bool {
        let Some(Settled { seq, end: End::Decided(_), .. }) = &request.settled else {
            return true;
        };
        let mut materials = self.matter().requirements.iter();
        self.case.form_at(*seq) == self.case.form()
            && materials.all(|known| known.how_at(*seq) == &known.how)
    }

    fn recorded(&self, key: &RequestKey) -> Option<usize> {
        let run = &self.matter().run;
        // Most runs are their matter's first.
        let guess = key.ordinal as usize;
        if run.requests.get(guess).is_some_and(|request| request.made.key == *key) {
            return Some(guess);
        }
        run.index_of(key)
    }

    fn node(&mut self, node: Node) -> Handle {
        let handle = Handle(u32::try_from(self.nodes.len()).expect("requests are limited"));
        let cost = self.cost(&node);
        self.losers.add(&node);
        self.nodes.push(node);
        self.costs.push(cost);
        handle
    }

    fn cost(&self, node: &Node) -> Cost {
        let below = |handles: &mut dyn Iterator<Item = Handle>| {
            let nothing = Cost { weight: 0, depth: 0 };
            handles.filter_map(|handle| self.costs.get(handle.index())).fold(
                nothing,
                |sum, cost| Cost {
                    weight: sum.weight.saturating_add(cost.weight),
                    depth: sum.depth.max(cost.depth + 1),
                },
            )
        };
        match node {
            Node::Journal(_) | Node::Adopted(..) | Node::Fresh(_) => Cost { weight: 1, depth: 0 },
            Node::Join(join) => below(&mut join.handles()),
        }
    }

    /// Asks for a timer that is due after `period`, counted from [`Replay::now`].
    pub fn timer(&mut self, period: Period) -> Result<Handle, Stop> {
        let now = self.now()?;
        let due = self.calendar.due(now, period, 0).at;
        self.request(Ask::Timer { text: period.to_string(), due })
    }

    /// Asks for a timer that is due at `at`, or at once where that is over. The moment is its
    /// text, so that a replay notices another one.
    pub fn timer_at(&mut self, at: Moment) -> Result<Handle, Stop> {
        let due = at.max(self.now()?);
        self.request(Ask::Timer { text: at.to_string(), due })
    }

    /// Joins handles.
    pub fn join(&mut self, join: Join) -> Result<Handle, Stop> {
        self.running()?;
        if self.losers.joins >= limits::RUN_JOINS_MAX {
            return Err(self.over_limit(&format!(
                "一次执行最多 {} 个合并 / a run may build at most {} combinators",
                limits::RUN_JOINS_MAX,
                limits::RUN_JOINS_MAX
            )));
        }
        if join.handles().count() > limits::FAN_OUT_MAX {
            return Err(self.over_limit(&format!(
                "一次最多合并 {} 个请求 / at most {} handles can be joined",
                limits::FAN_OUT_MAX,
                limits::FAN_OUT_MAX
            )));
        }
        let node = Node::Join(join);
        let cost = self.cost(&node);
        if cost.weight > limits::JOIN_WEIGHT_MAX || cost.depth > limits::JOIN_DEPTH_MAX {
            return Err(self.over_limit(&format!(
                "合并嵌套过深或过宽:最多 {} 层、{} 个请求 / combinators may nest {} levels and reach {} requests",
                limits::JOIN_DEPTH_MAX,
                limits::JOIN_WEIGHT_MAX,
                limits::JOIN_DEPTH_MAX,
                limits::JOIN_WEIGHT_MAX
            )));
        }
        Ok(self.node(node))
    }

    /// Asks for an act of the law and waits for the answer.
    pub fn act(
        &mut self,
        act: ActKind,
        evidence: Option<Evidence>,
        detail: Value,
    ) -> Result<Arrived, Stop> {
        let handle = self.request(Ask::Act { act, evidence, detail })?;
        self.wait(handle)
    }

    /// Waits: gives what has arrived, or suspends the run. Consumes the entries it rests on.
    pub fn wait(&mut self, handle: Handle) -> Result<Arrived, Stop> {
        self.running()?;
        let arrival = self.arrival(handle);
        if let Some(stopped) = self.told_to_stop_before(arrival.as_ref()) {
            return Ok(stopped);
        }
        let Some(arrival) = arrival else {
            self.losers.waits_for = Some(handle);
            self.latch = Some(Latch::Suspended);
            self.waits = self.open_below(handle);
            return Err(Stop);
        };
        self.let_go(handle, &arrival);
        if arrival.seq > self.seen {
            self.seen = arrival.seq;
            self.seen_at = arrival.at;
        }
        Ok(arrival.what)
    }

    /// A stop is thrown once, at the first wait that does not end before it.
    fn told_to_stop_before(&mut self, arrival: Option<&Arrival>) -> Option<Arrived> {
        let cancel = self.matter().run.cancel.as_ref().filter(|_| !self.told_to_stop)?;
        let ((seq, at), reason) = (cancel.at, cancel.reason.clone());
        if arrival.is_some_and(|arrival| arrival.seq < seq) {
            return None;
        }
        self.told_to_stop = true;
        self.seen = self.seen.max(seq);
        self.seen_at = at;
        let run = &self.matter().run;
        let key = RequestKey {
            run: run.no,
            generation: run.generation,
            scope: Vec::new(),
            ordinal: u32::MAX,
        };
        let outcome = Outcome { kind: OutcomeKind::Cancelled, reason, detail: Value::Null };
        Some(Arrived::Thrown { key, outcome })
    }

    fn arrival(&self, handle: Handle) -> Option<Arrival> {
        if let Some((seq, at)) = self.losers.cancelled(handle.index()) {
            let key = self.key_of(handle)?;
            let what = Arrived::Thrown { key, outcome: no_longer_waited_for() };
            return Some(Arrival { seq, at, what });
        }
        match self.nodes.get(handle.index())? {
            Node::Fresh(_) => None,
            Node::Journal(index) => {
                let request = &self.matter().run.requests[*index];
                ended(request, &request.made.key)
            }
            Node::Adopted(index, key) => ended(&self.matter().run.requests[*index], key),
            Node::Join(Join::All(members)) => self.arrive_all(members),
            Node::Join(Join::AllSettled(members)) => self.arrive_settled(members),
            Node::Join(Join::Race(members)) => self.first(members.handles()),
            Node::Join(Join::Timeout { handle, timer }) => self.arrive_in_time(*handle, *timer),
        }
    }

    fn first(&self, handles: impl Iterator<Item = Handle>) -> Option<Arrival> {
        handles.filter_map(|handle| self.arrival(handle)).min_by_key(|arrival| arrival.seq)
    }

    fn arrive_all(&self, members: &Members) -> Option<Arrival> {
        let arrivals: Vec<Option<Arrival>> =
            members.handles().map(|handle| self.arrival(handle)).collect();
        let failed = arrivals
            .iter()
            .flatten()
            .filter(|arrival| matches!(arrival.what, Arrived::Thrown { .. }))
            .min_by_key(|arrival| arrival.seq);
        if let Some(failed) = failed {
            return Some(Arrival { seq: failed.seq, at: failed.at, what: failed.what.clone() });
        }
        Some(self.together(members, arrivals.into_iter().collect::<Option<Vec<_>>>()?))
    }

    fn arrive_settled(&self, members: &Members) -> Option<Arrival> {
        let arrivals: Option<Vec<Arrival>> = members
            .handles()
            .map(|handle| {
                let mut arrival = self.arrival(handle)?;
                arrival.what = Arrived::Settled(Box::new(arrival.what));
                Some(arrival)
            })
            .collect();
        Some(self.together(members, arrivals?))
    }

    /// Builds the value of a combinator that waited for every member.
    fn together(&self, members: &Members, arrivals: Vec<Arrival>) -> Arrival {
        let last = arrivals.iter().max_by_key(|arrival| arrival.seq);
        let (seq, at) = last.map_or((self.seen, self.seen_at), |last| (last.seq, last.at));
        let values = arrivals.into_iter().map(|arrival| arrival.what);
        let what = match members {
            Members::List(_) => Arrived::List(values.collect()),
            Members::Map(map) => {
                Arrived::Map(map.iter().map(|(name, _)| name.clone()).zip(values).collect())
            }
        };
        Arrival { seq, at, what }
    }

    fn arrive_in_time(&self, handle: Handle, timer: Handle) -> Option<Arrival> {
        let awaited = self.arrival(handle);
        let timer_at = self.arrival(timer);
        match (awaited, timer_at) {
            (Some(awaited), None) => Some(awaited),
            (Some(awaited), Some(late)) if awaited.seq < late.seq => Some(awaited),
            (_, Some(late)) => {
                let key = self.key_of(timer)?;
                let outcome = Outcome {
                    kind: OutcomeKind::TimedOut,
                    reason: "等待超时 / the wait timed out".to_owned(),
                    detail: Value::Null,
                };
                Some(Arrival { what: Arrived::Thrown { key, outcome }, ..late })
            }
            (None, None) => None,
        }
    }

    fn key_of(&self, handle: Handle) -> Option<RequestKey> {
        match self.nodes.get(handle.index())? {
            Node::Journal(index) => Some(self.matter().run.requests[*index].made.key.clone()),
            Node::Adopted(_, key) | Node::Fresh(key) => Some(key.clone()),
            Node::Join(_) => None,
        }
    }

    /// Returns the requests below a handle that have not ended, in the order of their making.
    fn open_below(&self, handle: Handle) -> Vec<RequestKey> {
        let mut open = Vec::new();
        let mut left = vec![handle];
        while let Some(handle) = left.pop() {
            match self.nodes.get(handle.index()) {
                Some(Node::Journal(_) | Node::Adopted(..)) if self.arrival(handle).is_none() => {
                    open.extend(self.key_of(handle));
                }
                Some(Node::Join(join)) => left.extend(join.handles()),
                Some(Node::Fresh(key)) => open.push(key.clone()),
                Some(Node::Journal(_) | Node::Adopted(..)) | None => {}
            }
        }
        open.sort();
        open.dedup();
        open
    }

    /// Returns the request that a handle stands for; none for several that were joined.
    pub fn request_of(&self, handle: Handle) -> Option<RequestKey> {
        self.key_of(handle)
    }

    /// Ends the evaluation: the verdict, what was newly asked, and what is no longer waited for.
    /// The latch decides; `said` is what the script itself came to.
    pub fn conclude(self, said: RunEnd) -> RunOutput {
        self.shown(said).into()
    }

    /// Ends the evaluation as [`Replay::conclude`] does, and tells what a person wants to know.
    pub fn shown(mut self, said: RunEnd) -> Look {
        self.notice_removed(&said);
        let next = Some(self.next_key());
        let end = match self.latch.take() {
            Some(Latch::Suspended) => RunEnd::Suspended,
            Some(Latch::Failed(fault)) => RunEnd::Failed(fault),
            None => said,
        };
        let (asked, (released, unheard)) = match end {
            RunEnd::Failed(_) => (Vec::new(), (Vec::new(), Vec::new())),
            RunEnd::Suspended | RunEnd::Finished | RunEnd::Recommended(_) | RunEnd::Uncaught(_) => {
                let behind = self.left_behind(&end);
                (self.fresh, behind)
            }
        };
        Look {
            end,
            asked,
            released,
            unheard,
            seen: self.seen,
            waits: self.waits,
            differs_at: self.differs_at,
            next,
            frames: Vec::new(),
        }
    }
}

impl Replay {
    /// A script that no longer asks for what the journal holds has changed.
    fn notice_removed(&mut self, said: &RunEnd) {
        let failed = matches!(said, RunEnd::Failed(_)) && self.latch.is_none();
        if failed || matches!(self.latch, Some(Latch::Failed(_))) {
            return;
        }
        let run = self.run;
        let requests = self.matter().run.requests.iter();
        let own =
            requests.filter(|request| (request.made.key.run, request.made.key.generation) == run);
        let is_missing = |made: &&Arc<Requested>| {
            let passed_over = matches!(made.ask, Ask::Patch { deprecated: true, .. });
            made.key.ordinal >= self.ordinal && !passed_over
        };
        let Some(missing) = own.map(|request| &request.made).find(is_missing) else {
            return;
        };
        let mut fault = ScriptFault::new(
            ScriptFaultKind::Mismatch,
            format!(
                "重放与日志不一致:日志中的请求 {} 没有再次提出 / the replay did not ask again for request {} of the journal",
                missing.key, missing.key
            ),
        );
        fault.expected = format!("{:?} {}", missing.ask.kind(), missing.ask.target());
        fault.got = format!("{} requests", self.ordinal);
        self.differs_at = Some(missing.key.clone());
        self.latch = Some(Latch::Failed(fault));
    }
}

/// Tells whether a later generation may take over what this request got, or will get.
fn is_adoptable(request: &Request) -> bool {
    match request.settled.as_ref().map(|settled| &settled.end) {
        // What was registered for undoing stays registered once.
        None => {
            request.call.is_some()
                || matches!(request.made.ask.kind(), RequestKind::Decide | RequestKind::Compensate)
        }
        Some(End::Completed(_) | End::Decided(_)) => true,
        Some(End::Otherwise(_) | End::Fired | End::Answered(_) | End::Received(_)) => false,
    }
}

/// A decision that was taken holds only for the facts it was taken on; one that is still open is
/// shown the new ones.
fn shows_the_same(request: &Request, ask: &Ask) -> bool {
    match (&request.made.ask, ask) {
        (Ask::Decide { facts, .. }, Ask::Decide { facts: now, .. }) => {
            request.settled.is_none() || facts == now
        }
        (_, _) => true,
    }
}

/// Returns the digest that replay compares: kind, target and fingerprint, keyed per case.
pub(crate) fn fingerprint(secret: &Secret, ask: &Ask) -> Digest {
    let target = ask.target();
    let mut bytes = Vec::with_capacity(64);
    bytes.push(ask.kind() as u8);
    bytes.extend_from_slice(&u32::try_from(target.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(target.as_bytes());
    bytes.extend_from_slice(&ask.fingerprint().canonical());
    secret.keyed(b"request", &bytes)
}

/// Returns how a recorded request arrived, if it has ended.
fn ended(request: &Request, key: &RequestKey) -> Option<Arrival> {
    let settled = request.settled.as_ref()?;
    let key = key.clone();
    let what = match &settled.end {
        End::Completed(reply) => Arrived::Output { key, reply: Arc::clone(reply) },
        End::Otherwise(outcome) => Arrived::Thrown { key, outcome: outcome.clone() },
        End::Decided(decision) => Arrived::Decision { key, decision: decision.clone() },
        End::Fired => Arrived::Fired,
        End::Answered(answer) => Arrived::Answer(answer.clone()),
        End::Received(message) => Arrived::Message(Arc::clone(message)),
    };
    Some(Arrival { seq: settled.seq, at: settled.at, what })
}
