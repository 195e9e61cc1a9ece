//! A case with one matter under the production turn, and the arrivals that a test makes up for it.

use std::sync::{Arc, LazyLock};

use tongban_core::agency::{AgencyReply, DocumentRef, ReplyBody};
use tongban_core::calendar::Calendars;
use tongban_core::case::{CallState, Case, Matter};
use tongban_core::command::{Command, Seen, TaskAt, TaskOutcome};
use tongban_core::definition::Closure;
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{Body, Entry, Origin, Party, TaskKind};
use tongban_core::id::{CaseId, MatterNo, RegionCode, Seq};
use tongban_core::organisation::Organisation;
use tongban_core::port::{Script, Wiring};
use tongban_core::replay::Replay;
use tongban_core::request::{Ask, Outcome, OutcomeKind, Request, RequestKey};
use tongban_core::schedule;
use tongban_core::start::StartCase;
use tongban_core::time::Moment;
use tongban_core::turn::{self, Issuing, TurnContext};
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_core::way_out::{Handling, Message};

const MATTER: MatterNo = MatterNo(1);

/// How many channels the matter's mailbox has.
pub(crate) const CHANNELS: u8 = 2;

/// Names one of them.
pub(crate) fn channel(no: u8) -> String {
    format!("c{no}")
}

/// Read once: a test takes thousands of turns.
static CALENDARS: LazyLock<Calendars> = LazyLock::new(Calendars::shipped);
static ORGANISATION: LazyLock<Organisation> = LazyLock::new(Organisation::default);

struct Bound;

impl Wiring for Bound {
    fn connector_for(&self, _operation: &str, _region: &RegionCode) -> Option<String> {
        Some("agency".to_owned())
    }
}

/// What can arrive next, by a name that is the same however turns are batched.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Target {
    Call(RequestKey),
    Question(RequestKey),
    /// The next timer is due.
    Clock,
    /// A message of this channel; the second number tells two of one batch apart.
    Mail(u8, u8),
}

/// Who says how a call or question ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answers {
    /// The arrival.
    AsTheyCome,
    /// The request itself, always in the same way.
    ByRequest,
}

/// What arrives in one turn.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) now: Moment,
    /// Each with how it ends.
    pub(crate) arrivals: Vec<(Target, u8)>,
    pub(crate) answers: Answers,
}

/// A case and its script.
pub(crate) struct World<'a> {
    script: &'a dyn Script,
    closure: Arc<Closure>,
    case: Arc<Case>,
    pub(crate) entries: Vec<Entry>,
    /// How many entries there were after each commit.
    pub(crate) commits: Vec<usize>,
    now: Moment,
}

impl<'a> World<'a> {
    /// Starts a case of the script's only service and submits it.
    pub(crate) fn begin(script: &'a dyn Script) -> Self {
        let closure = script.services().remove(0);
        let now = Moment::parse("2026-03-02T09:00:00+08:00").expect("it is a time");
        let boss = Party { id: "91420302MA4DEM010M".to_owned(), name: "示例".to_owned() };
        let service = closure.service.code.clone();
        let input = StartCase::new(service, RegionCode::new("420302"), boss);
        let started = tongban_core::start::start(&closure, input, "N1".to_owned(), &[true]);
        let started = started.expect("the application is complete");
        let id = CaseId::new(now, [3; 10]);
        let first = Entry {
            seq: Seq(1),
            matter: MatterNo::COORDINATOR,
            recorded_at: now,
            effective_at: now,
            origin: Origin::Engine,
            body: Body::CaseStarted(Arc::new(started)),
        };
        let case = Arc::new(Case::begin(id, &first).expect("a case begins so"));
        let mut world = Self { script, closure, case, entries: vec![first], commits: vec![1], now };
        let by = Viewer::new("boss", Role::Applicant).for_party("91420302MA4DEM010M");
        world.turn(now, &[Command::Submit { by }]);
        world
    }

    fn secret() -> Secret {
        Secret::new([9; 32])
    }

    /// Lets a batch arrive in one turn. What is not waited for any more does not arrive.
    pub(crate) fn take(&mut self, batch: &Batch) {
        let commands = batch.arrivals.iter();
        let commands = commands.filter_map(|(to, how)| self.command(to, *how, batch.answers));
        let commands: Vec<Command> = commands.collect();
        if !commands.is_empty() {
            self.turn(batch.now, &commands);
        }
    }

    /// Lets a batch arrive one by one.
    pub(crate) fn take_singly(&mut self, batch: &Batch) {
        for arrival in &batch.arrivals {
            self.take(&Batch { arrivals: vec![arrival.clone()], ..batch.clone() });
        }
    }

    fn turn(&mut self, now: Moment, commands: &[Command]) {
        self.now = now;
        let secret = Self::secret();
        let context = TurnContext {
            now,
            wire_now: now,
            script: self.script,
            wiring: &Bound,
            calendars: &CALENDARS,
            organisation: &ORGANISATION,
            secret: &secret,
            closure: &self.closure,
            issuing: Issuing::Drafts,
        };
        let output = turn::take(Arc::clone(&self.case), commands, &context);
        let output = output.expect("the turn writes a lawful log");
        self.case = output.case;
        self.entries.extend(output.entries);
        self.commits.push(self.entries.len());
    }

    /// Returns what the matter asked for, in order.
    pub(crate) fn requests(&self) -> &[Request] {
        &self.matter().run.requests
    }

    /// Returns the matter.
    pub(crate) fn matter(&self) -> &Matter {
        self.case.matter(MATTER).expect("the service has one matter")
    }

    /// Returns the incidents other than that nothing can wake the matter any more.
    pub(crate) fn incidents(&self) -> Vec<&'static str> {
        let codes = self.case.incidents.values().map(|one| one.incident.kind.code());
        codes.filter(|code| *code != "STALLED").collect()
    }

    /// Returns the cursor over the first entries of the log; `None` before the run began.
    pub(crate) fn replay_at(&self, entries: usize) -> Option<Replay> {
        let case =
            Case::from_entries(self.case.id, &self.entries[..entries]).expect("it was written");
        case.matter(MATTER)?.run.begun?;
        Some(Replay::new(Arc::new(case), MATTER, Self::secret(), Arc::clone(CALENDARS.national())))
    }

    fn targets(&self) -> Vec<Target> {
        let calls = self.case.open_calls().map(|call| Target::Call(call.request.clone()));
        let questions = self.case.open_tasks().filter(|task| task.opened.kind == TaskKind::Decide);
        let questions = questions.filter_map(|task| task.opened.request.clone());
        let clock = schedule::timers(&self.case).next().map(|_| Target::Clock);
        let mut targets: Vec<Target> =
            calls.chain(questions.map(Target::Question)).chain(clock).chain(self.mail()).collect();
        targets.sort();
        targets
    }

    /// Messages come whether or not anybody waits for them.
    fn mail(&self) -> impl Iterator<Item = Target> {
        let asks = self.matter().run.requests.iter().map(|request| &request.made.ask);
        let reads = asks.filter(|ask| matches!(ask, Ask::Receive { .. })).count();
        let both =
            (0..CHANNELS).flat_map(|channel| [0, 1, 2].map(|nth| Target::Mail(channel, nth)));
        both.filter(move |_| reads > 0)
    }

    /// Makes a batch of what could arrive now; `None` when nothing can.
    pub(crate) fn batch(&self, arrivals: &[(u8, u8)], answers: Answers) -> Option<Batch> {
        let mut targets = self.targets();
        let mut now = self.now.plus_millis(60_000);
        let mut chosen = Vec::new();
        for (pick, how) in arrivals {
            if targets.is_empty() {
                break;
            }
            let target = targets.remove(usize::from(*pick) % targets.len());
            if target == Target::Clock {
                let due = schedule::timers(&self.case).map(|(due, _, _)| due).min();
                now = now.max(due.unwrap_or(now));
            }
            chosen.push((target, *how));
        }
        (!chosen.is_empty()).then_some(Batch { now, arrivals: chosen, answers })
    }

    /// Makes the command of an arrival; `None` when nothing waits for it.
    fn command(&self, target: &Target, how: u8, answers: Answers) -> Option<Command> {
        Some(match target {
            Target::Clock => Command::Tick,
            Target::Mail(no, _) => {
                let body = Value::of([("n", Value::Int(i64::from(how)))]);
                let message = Message { channel: channel(*no), body, handling: Handling::Optional };
                let by = Viewer::new("clerk", Role::WindowClerk).within("420300");
                Command::SendMessage { by, matter: MATTER, message }
            }
            Target::Call(key) => {
                let call = self.case.open_calls().find(|call| call.request == *key);
                let call = call?;
                let body = match answers {
                    Answers::AsTheyCome => ended(how),
                    Answers::ByRequest => {
                        let low = u8::try_from(key.ordinal % 32).expect("it is small");
                        ended(low * 4)
                    }
                };
                reply(call, body)
            }
            Target::Question(key) => {
                let mut open = self.case.open_tasks();
                let task = open.find(|task| task.opened.request.as_ref() == Some(key));
                let task = task?;
                let granted = match answers {
                    Answers::AsTheyCome => how.is_multiple_of(2),
                    Answers::ByRequest => key.ordinal.is_multiple_of(2),
                };
                Command::CompleteTask {
                    by: Viewer::new("approver", Role::Approver)
                        .within("420300")
                        .of("natural-resources"),
                    task: TaskAt { no: task.no, version: task.version },
                    outcome: TaskOutcome {
                        granted,
                        opinion: "理由".to_owned(),
                        fields: Value::map(),
                    },
                    seen: Seen::default(),
                }
            }
        })
    }
}

/// Tells whether both asked the same; the due time of a timer follows from when it was asked.
pub(crate) fn ask_the_same(one: &Request, other: &Request) -> bool {
    let facts = |request: &Request| {
        if let Ask::Decide { facts, .. } = &request.made.ask { facts.clone() } else { Value::Null }
    };
    one.made.key == other.made.key
        && one.made.ask.asks_the_same(&other.made.ask)
        && facts(one) == facts(other)
}

fn ended(how: u8) -> ReplyBody {
    let kind = match how % 4 {
        2 => OutcomeKind::Rejected,
        3 => OutcomeKind::NeedsCorrection,
        _ => {
            let number = format!("P-{how}");
            let document = DocumentRef {
                role: "permit".to_owned(),
                digest: Digest::of(number.as_bytes()),
                number,
            };
            let output = Value::of([("n", Value::Int(i64::from(how)))]);
            return ReplyBody::Completed { output, documents: vec![document] };
        }
    };
    ReplyBody::Otherwise(Outcome { kind, reason: format!("理由{how}"), detail: Value::Null })
}

fn reply(call: &CallState, body: ReplyBody) -> Command {
    let digest = Digest::of(format!("{body:?}").as_bytes());
    let at = Moment::parse("2026-03-02T09:30:00+08:00").expect("it is a time");
    let connector = call.made.connector.clone();
    Command::Reply {
        connector,
        reply: AgencyReply { call: call.made.id, seq: 1, digest, at, body },
    }
}
