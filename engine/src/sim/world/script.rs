//! A script host without a language: it plays generated programs against the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tongban_core::agency::ReplyBody;
use tongban_core::case::CallState;
use tongban_core::definition::Closure;
use tongban_core::digest::Digest;
use tongban_core::id::ServiceCode;
use tongban_core::law::ActKind;
use tongban_core::port::{Look, RunEnd, RunJob, RunOutput, Script, ScriptFault, ScriptFaultKind};
use tongban_core::replay::{Arrived, Handle, Join, Members, Replay, Stop};
use tongban_core::request::{Ask, Evidence, RequestKey};
use tongban_core::value::Value;

use super::plan::Weather;
use super::program::{Eyes, Finish, Node, PATCH, Program, Service, Step};

/// What a test breaks on purpose.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum ScriptSabotage {
    /// Nothing.
    #[default]
    None,
    /// A program asks for something else every time it is played.
    Wavers,
    /// A program panics once a call of its case has an answer.
    Panics,
}

/// The services of a world.
pub(super) struct Troupe {
    services: BTreeMap<Digest, Service>,
    /// What new cases get, by service: before a release, and after it.
    versions: BTreeMap<ServiceCode, [Digest; 2]>,
    released: AtomicBool,
    weather: Arc<Weather>,
    sabotage: ScriptSabotage,
    played: AtomicU64,
}

impl Troupe {
    /// Builds the host of these services, each with its later version.
    pub(super) fn new(
        services: Vec<[Service; 2]>,
        weather: Arc<Weather>,
        sabotage: ScriptSabotage,
    ) -> Arc<Self> {
        let versions = services.iter().map(|versions| {
            let [now, later] = versions;
            let digests = [now.closure.digest, later.closure.digest];
            (now.closure.service.code.clone(), digests)
        });
        let versions = versions.collect();
        let services = services.into_iter().flatten();
        let services = services.map(|service| (service.closure.digest, service));
        Arc::new(Self {
            services: services.collect(),
            versions,
            released: AtomicBool::new(false),
            weather,
            sabotage,
            played: AtomicU64::new(0),
        })
    }

    /// Gives new cases the later versions.
    pub(super) fn release(&self) {
        self.released.store(true, Ordering::Relaxed);
    }

    /// Returns the later version of every service.
    pub(super) fn later(&self) -> Vec<(ServiceCode, Digest)> {
        let later = self.versions.iter();
        later.map(|(code, [_, later])| (code.clone(), *later)).collect()
    }

    /// Plays a program against a journal, as the host does.
    pub(super) fn play(&self, job: &RunJob<'_>, mut replay: Replay) -> RunOutput {
        let service = self.services.get(&job.closure.digest);
        let Some(program) = service.and_then(|service| service.programs.get(job.matter)) else {
            return failed(ScriptFaultKind::Script, "no such program");
        };
        let answered = |call: &Arc<CallState>| !call.messages.is_empty();
        if self.sabotage == ScriptSabotage::Panics && replay.case().calls.values().any(answered) {
            // Without the words of a panic that nobody expects.
            std::panic::resume_unwind(Box::new("as a test wants it"));
        }
        let wavers = self.sabotage == ScriptSabotage::Wavers;
        let whim = if wavers { self.played.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let said = Player::new(&mut replay, whim).play(program);
        replay.conclude(said)
    }
}

impl Script for Troupe {
    fn services(&self) -> Vec<Arc<Closure>> {
        self.versions.keys().filter_map(|code| self.active(code)).collect()
    }

    fn active(&self, service: &ServiceCode) -> Option<Arc<Closure>> {
        let [now, later] = self.versions.get(service)?;
        self.closure(if self.released.load(Ordering::Relaxed) { later } else { now })
    }

    fn closure(&self, digest: &Digest) -> Option<Arc<Closure>> {
        self.services.get(digest).map(|service| Arc::clone(&service.closure))
    }

    fn sources(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.services.get(digest).map(|service| format!("{:?}", service.programs).into_bytes())
    }

    fn adopt(&self, digest: &Digest, sources: &[u8]) -> Result<(), ScriptFault> {
        let same = self.sources(digest).is_some_and(|own| own == sources);
        let other = || ScriptFault::new(ScriptFaultKind::Script, "these are other sources");
        same.then_some(()).ok_or_else(other)
    }

    fn select(&self, closure: &Closure, _: &Value) -> Result<Vec<bool>, ScriptFault> {
        Ok(vec![true; closure.service.parts.len()])
    }

    fn run(&self, job: &RunJob<'_>, replay: Replay) -> RunOutput {
        if self.weather.strikes(|faults| faults.script_stopped) {
            return failed(ScriptFaultKind::Infrastructure, "out of time");
        }
        self.play(job, replay)
    }

    fn look(&self, job: &RunJob<'_>, mut replay: Replay) -> Look {
        let service = self.services.get(&job.closure.digest);
        let program = service.and_then(|service| service.programs.get(job.matter));
        let said = program.map(|program| Player::new(&mut replay, 0).play(program));
        replay.shown(said.unwrap_or(RunEnd::Suspended))
    }
}

fn failed(kind: ScriptFaultKind, why: &str) -> RunOutput {
    Look::failed(ScriptFault::new(kind, why)).into()
}

/// Why a program ends early.
enum Halt {
    /// The latch is set.
    Stopped,
    /// Nothing caught this outcome.
    Uncaught(RequestKey),
}

impl From<Stop> for Halt {
    fn from(_: Stop) -> Self {
        Self::Stopped
    }
}

/// One play of a program.
struct Player<'a> {
    replay: &'a mut Replay,
    begun: Vec<Handle>,
    /// Whether what arrived last was good news.
    good: bool,
    yes: Option<Evidence>,
    no: Option<Evidence>,
    asked: i64,
    whim: u64,
}

impl<'a> Player<'a> {
    fn new(replay: &'a mut Replay, whim: u64) -> Self {
        Self { replay, begun: Vec::new(), good: false, yes: None, no: None, asked: 0, whim }
    }

    fn play(mut self, program: &Program) -> RunEnd {
        let played = self.steps(&program.steps).and_then(|()| self.finish(program.finish));
        match played {
            Ok(()) => RunEnd::Finished,
            Err(Halt::Stopped) => RunEnd::Suspended,
            Err(Halt::Uncaught(key)) => RunEnd::Uncaught(key),
        }
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Halt> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Wait(node) => {
                let handle = self.build(node)?;
                if let Arrived::Thrown { key, .. } = self.arrived(handle)? {
                    return Err(Halt::Uncaught(key));
                }
                Ok(())
            }
            Step::Try(node) => {
                let handle = self.build(node)?;
                self.arrived(handle).map(drop)
            }
            Step::Begin(node) => {
                let handle = self.build(node)?;
                self.begun.push(handle);
                Ok(())
            }
            Step::Await if self.begun.is_empty() => Ok(()),
            Step::Await => {
                let handle = self.begun.remove(0);
                self.arrived(handle).map(drop)
            }
            Step::Register => {
                let ask = self.call("bureau.undo");
                let Ask::Call { operation, place, input } = ask else { return Ok(()) };
                self.replay.request(Ask::Compensate { operation, place, input })?;
                Ok(())
            }
            Step::Patched(steps) => {
                if self.replay.patched(PATCH)? {
                    self.steps(steps)
                } else {
                    Ok(())
                }
            }
            Step::Branch(good, bad) => self.steps(if self.good { good } else { bad }),
        }
    }

    fn arrived(&mut self, handle: Handle) -> Result<Arrived, Halt> {
        let arrived = self.replay.wait(handle)?;
        self.good = self.note(&arrived);
        Ok(arrived)
    }

    /// Keeps what an end could rest on; tells whether it is good news.
    fn note(&mut self, arrived: &Arrived) -> bool {
        match arrived {
            Arrived::Output { key, reply } => {
                if let ReplyBody::Completed { documents, .. } = &reply.body
                    && !documents.is_empty()
                {
                    self.yes = Some(Evidence::Call(key.clone()));
                }
                true
            }
            Arrived::Decision { key, decision } => {
                let evidence = Some(Evidence::Decision(key.clone()));
                *(if decision.granted { &mut self.yes } else { &mut self.no }) = evidence;
                decision.granted
            }
            Arrived::List(all) => all.iter().filter(|one| !self.note(one)).count() == 0,
            Arrived::Map(all) => all.iter().filter(|(_, one)| !self.note(one)).count() == 0,
            Arrived::Settled(one) => self.note(one),
            Arrived::Fired | Arrived::Message(_) => true,
            Arrived::Thrown { .. } | Arrived::Answer(_) => false,
        }
    }

    fn build(&mut self, node: &Node) -> Result<Handle, Halt> {
        let handle = match node {
            Node::Call(operation) => {
                let ask = self.call(operation);
                self.replay.request(ask)?
            }
            Node::Decide(eyes) => {
                let options = Value::of([("four_eyes", (*eyes == Eyes::Four).into())]);
                let facts = Value::of([("good", self.good.into())]);
                self.replay.request(Ask::Decide {
                    role: "bureau.approver".to_owned(),
                    title: "审查".to_owned(),
                    facts,
                    options,
                })?
            }
            Node::Timer(period) => self.replay.timer(*period)?,
            Node::Receive(channel) => {
                self.replay.request(Ask::Receive { channel: (*channel).to_owned() })?
            }
            Node::All(nodes) => {
                let members = self.members(nodes)?;
                self.replay.join(Join::All(members))?
            }
            Node::AllSettled(nodes) => {
                let members = self.members(nodes)?;
                self.replay.join(Join::AllSettled(members))?
            }
            Node::Race(nodes) => {
                let members = self.members(nodes)?;
                self.replay.join(Join::Race(members))?
            }
            Node::Timeout(node, period) => {
                let handle = self.build(node)?;
                let timer = self.replay.timer(*period)?;
                self.replay.join(Join::Timeout { handle, timer })?
            }
        };
        Ok(handle)
    }

    fn members(&mut self, nodes: &[Node]) -> Result<Members, Halt> {
        let handles = nodes.iter().map(|node| self.build(node)).collect::<Result<Vec<_>, _>>()?;
        if handles.len() % 2 == 0 {
            return Ok(Members::List(handles));
        }
        let named = handles.into_iter().enumerate().map(|(no, handle)| (format!("h{no}"), handle));
        Ok(Members::Map(named.collect()))
    }

    /// What is asked depends on form, time and what has arrived.
    fn call(&mut self, operation: &str) -> Ask {
        self.asked += 1;
        let note = self.replay.form().get("note").cloned().unwrap_or_default();
        let whim = i64::try_from(self.whim).unwrap_or_default();
        let input = Value::of([
            ("no", Value::Int(self.asked + whim)),
            ("good", self.good.into()),
            ("note", note),
        ]);
        Ask::Call { operation: operation.to_owned(), place: None, input }
    }

    fn finish(&mut self, finish: Finish) -> Result<(), Halt> {
        if finish == Finish::Leaves {
            return Ok(());
        }
        let (act, evidence) = match (&self.no, &self.yes) {
            (Some(no), _) => (ActKind::Deny, Some(no.clone())),
            (None, Some(yes)) if self.replay.owed().is_empty() => {
                (ActKind::Grant, Some(yes.clone()))
            }
            (None, Some(yes)) => (ActKind::GrantTolerant, Some(yes.clone())),
            (None, None) => (ActKind::Deny, None),
        };
        let detail = Value::of([("reason", "依审查情况".into())]);
        self.replay.act(act, evidence, detail)?;
        Ok(())
    }
}
