//! Generated programs: a tree of steps with every combinator, and the interpreter that plays it
//! over the journal's cursor as a script host would.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use tongban_core::agency::ReplyBody;
use tongban_core::law::{ActAnswer, ActKind};
use tongban_core::port::{RunEnd, ScriptFault, ScriptFaultKind};
use tongban_core::replay::{Arrived, Handle, Join, Members, Replay, Stop};
use tongban_core::request::Ask;
use tongban_core::time::Moment;
use tongban_core::value::Value;

use crate::world::{CHANNELS, channel};

/// Names a handle or a value of a program; each is given once.
pub(crate) type Name = usize;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    /// A call of the operation with this number.
    Call(u8, Input),
    /// A question to a person.
    Question(Input),
    /// A timer of so many hours.
    Timer(u8),
    /// The next message of the channel with this number.
    Mail(u8),
}

/// What goes with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    Nothing,
    Number(u8),
    Earlier(Name),
    Now,
}

/// The combinators over members.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    All,
    AllSettled,
    Race,
}

/// Whether members are joined in order or by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum By {
    Order,
    Name,
}

/// What becomes of an outcome that is not success.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fails {
    /// It ends the run.
    Uncaught,
    /// It is caught, and its kind and reason kept.
    Caught,
    /// `settle` makes a value of it.
    Settled,
}

/// One step of a program.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Ask {
        handle: Name,
        leaf: Leaf,
    },
    Join {
        handle: Name,
        kind: Kind,
        by: By,
        of: Vec<Name>,
    },
    Timeout {
        handle: Name,
        of: Name,
        hours: u8,
    },
    Wait {
        value: Name,
        handle: Name,
        fails: Fails,
    },
    /// Asks so many calls from a closure over a list.
    Fan {
        handle: Name,
        kind: Kind,
        calls: u8,
    },
    /// Races a call with the next message of a channel.
    Either {
        handle: Name,
        call: u8,
        channel: u8,
    },
    When {
        settled: Name,
        then: Vec<Self>,
        otherwise: Vec<Self>,
    },
    Repeat {
        times: u8,
        steps: Vec<Self>,
    },
    /// Waits until so many hours after the case began.
    Until(u8),
    ForwardUp,
}

/// A program. Its last act tells everything that it has seen to an agency.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// The values that are told at the end.
    pub(crate) told: Vec<Name>,
}

/// A step before its names are known: numbers pick among what is there.
#[derive(Clone, Debug)]
enum Raw {
    Ask(u8, u8),
    Join(Kind, By, Vec<u8>),
    Timeout(u8, u8),
    Wait(u8, Fails),
    Fan(Kind, u8),
    Either(u8),
    When(u8, Vec<Self>, Vec<Self>),
    Repeat(u8, Vec<Self>),
    Until(u8),
    ForwardUp,
}

/// What programs may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// Everything.
    Any,
    /// Nothing that tells one order of arrivals from another.
    Orderless,
}

fn kinds(shape: Shape) -> impl Strategy<Value = Kind> {
    match shape {
        Shape::Any => {
            prop_oneof![Just(Kind::All), Just(Kind::AllSettled), Just(Kind::Race)].boxed()
        }
        Shape::Orderless => prop_oneof![Just(Kind::All), Just(Kind::AllSettled)].boxed(),
    }
}

fn fails(shape: Shape) -> impl Strategy<Value = Fails> {
    match shape {
        Shape::Any => {
            prop_oneof![2 => Just(Fails::Settled), 2 => Just(Fails::Caught), 1 => Just(Fails::Uncaught)]
                .boxed()
        }
        Shape::Orderless => prop_oneof![Just(Fails::Settled), Just(Fails::Caught)].boxed(),
    }
}

fn raw(shape: Shape) -> impl Strategy<Value = Raw> {
    let by = prop_oneof![Just(By::Order), Just(By::Name)];
    let members = proptest::collection::vec(any::<u8>(), 0..4);
    let join = (kinds(shape), by, members).prop_map(|(kind, by, of)| Raw::Join(kind, by, of));
    let plain = prop_oneof![
        4 => any::<(u8, u8)>().prop_map(|(what, input)| Raw::Ask(what, input)),
        3 => join,
        2 => any::<(u8, u8)>().prop_map(move |(of, hours)| match shape {
            Shape::Any => Raw::Timeout(of, hours),
            Shape::Orderless => Raw::Ask(of, hours),
        }),
        4 => (any::<u8>(), fails(shape)).prop_map(|(handle, fails)| Raw::Wait(handle, fails)),
        1 => (kinds(shape), 1..4_u8).prop_map(|(kind, calls)| Raw::Fan(kind, calls)),
        1 => (0..30_u8).prop_map(Raw::Until),
        4 => any::<u8>().prop_map(move |what| match shape {
            Shape::Any => Raw::Either(what),
            Shape::Orderless => Raw::Ask(what, 0),
        }),
        1 => Just(Raw::ForwardUp),
    ];
    plain.prop_recursive(2, 16, 4, |inner| {
        let block = |least| proptest::collection::vec(inner.clone(), least..4);
        prop_oneof![
            (any::<u8>(), block(1), block(0))
                .prop_map(|(on, then, otherwise)| Raw::When(on, then, otherwise)),
            (1..4_u8, block(1)).prop_map(|(times, steps)| Raw::Repeat(times, steps)),
        ]
    })
}

/// Generates programs.
pub(crate) fn programs(shape: Shape) -> impl Strategy<Value = Program> {
    proptest::collection::vec(raw(shape), 1..14).prop_map(move |raw| {
        let mut names = Names { shape, ..Names::default() };
        let (steps, scope) = names.block(&raw, &Scope::default());
        Program { steps, told: scope.values }
    })
}

/// What can be named at a place of a program.
#[derive(Clone, Default)]
struct Scope {
    handles: Vec<Name>,
    values: Vec<Name>,
    settled: Vec<Name>,
}

fn pick(from: &[Name], by: u8) -> Option<Name> {
    from.len().checked_sub(1)?;
    from.get(usize::from(by) % from.len()).copied()
}

struct Names {
    next: Name,
    forwarded: bool,
    shape: Shape,
}

impl Default for Names {
    fn default() -> Self {
        Self { next: 0, forwarded: false, shape: Shape::Any }
    }
}

impl Names {
    fn fresh(&mut self) -> Name {
        self.next += 1;
        self.next
    }

    fn block(&mut self, raw: &[Raw], around: &Scope) -> (Vec<Step>, Scope) {
        let mut scope = around.clone();
        let steps = raw.iter().filter_map(|raw| self.step(raw, &mut scope)).collect();
        (steps, scope)
    }

    fn step(&mut self, raw: &Raw, scope: &mut Scope) -> Option<Step> {
        match raw {
            Raw::Ask(what, input) => {
                let leaf = self.leaf(*what, *input, scope);
                Some(Step::Ask { handle: self.handle(scope), leaf })
            }
            Raw::Join(kind, by, of) => {
                let of: Vec<Name> = of.iter().filter_map(|by| pick(&scope.handles, *by)).collect();
                // A race of nothing is refused by the host.
                if *kind == Kind::Race && of.is_empty() {
                    return None;
                }
                Some(Step::Join { handle: self.handle(scope), kind: *kind, by: *by, of })
            }
            Raw::Timeout(of, hours) => {
                let of = pick(&scope.handles, *of)?;
                Some(Step::Timeout { handle: self.handle(scope), of, hours: 1 + hours % 5 })
            }
            Raw::Wait(handle, fails) => {
                let handle = pick(&scope.handles, *handle)?;
                let value = self.fresh();
                scope.values.push(value);
                if *fails == Fails::Settled {
                    scope.settled.push(value);
                }
                Some(Step::Wait { value, handle, fails: *fails })
            }
            Raw::Fan(kind, calls) => {
                Some(Step::Fan { handle: self.handle(scope), kind: *kind, calls: *calls })
            }
            Raw::Either(what) => {
                let (call, channel) = (what % 10, what / 10 % CHANNELS);
                Some(Step::Either { handle: self.handle(scope), call, channel })
            }
            Raw::When(on, then, otherwise) => {
                let settled = pick(&scope.settled, *on)?;
                let then = self.block(then, scope).0;
                Some(Step::When { settled, then, otherwise: self.block(otherwise, scope).0 })
            }
            Raw::Repeat(times, steps) => {
                let before = std::mem::replace(&mut self.forwarded, true);
                let steps = self.block(steps, scope).0;
                self.forwarded = before;
                Some(Step::Repeat { times: *times, steps })
            }
            Raw::Until(hours) => Some(Step::Until(*hours)),
            Raw::ForwardUp => {
                (!std::mem::replace(&mut self.forwarded, true)).then_some(Step::ForwardUp)
            }
        }
    }

    fn handle(&mut self, scope: &mut Scope) -> Name {
        let handle = self.fresh();
        scope.handles.push(handle);
        handle
    }

    fn leaf(&self, what: u8, input: u8, scope: &Scope) -> Leaf {
        let input = match input % 4 {
            0 => Input::Number(input),
            1 => pick(&scope.values, input).map_or(Input::Nothing, Input::Earlier),
            2 if self.shape == Shape::Any => Input::Now,
            _ => Input::Nothing,
        };
        match what % 6 {
            0 => Leaf::Question(input),
            1 => Leaf::Timer(1 + what % 7),
            // Whose request gets a message is a matter of order.
            2 | 3 if self.shape == Shape::Any => Leaf::Mail(what / 6 % CHANNELS),
            _ => Leaf::Call(what % 10, input),
        }
    }
}

/// What a program has when it runs.
#[derive(Default)]
struct Known {
    handles: BTreeMap<Name, Handle>,
    values: BTreeMap<Name, Value>,
}

/// Why a program stops before its end.
enum Ends {
    Stop,
    With(RunEnd),
}

impl From<Stop> for Ends {
    fn from(_: Stop) -> Self {
        Self::Stop
    }
}

/// Plays a program over the cursor; returns what it came to and all that it asked, in order.
pub(crate) fn play(program: &Program, replay: &mut Replay) -> (RunEnd, Vec<Ask>) {
    let mut player = Player { replay, asked: Vec::new(), known: Known::default() };
    let said = match player.run(program) {
        Ok(()) => RunEnd::Finished,
        Err(Ends::With(end)) => end,
        Err(Ends::Stop) => RunEnd::Suspended,
    };
    (said, player.asked)
}

struct Player<'a> {
    replay: &'a mut Replay,
    asked: Vec<Ask>,
    known: Known,
}

impl Player<'_> {
    fn run(&mut self, program: &Program) -> Result<(), Ends> {
        self.steps(&program.steps)?;
        let told = program.told.iter().map(|name| (format!("v{name}"), self.value(*name)));
        let input = Value::Map(told.collect());
        let last = self.ask(call("agency.end", input))?;
        self.wait(last, Fails::Uncaught).map(drop)
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Ends> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Result<(), Ends> {
        match step {
            Step::Ask { handle, leaf } => {
                let asked = self.leaf(leaf)?;
                self.known.handles.insert(*handle, asked);
            }
            Step::Join { handle, kind, by, of } => {
                let of = of.iter().map(|name| self.known.handles[name]);
                let members = match by {
                    By::Order => Members::List(of.collect()),
                    By::Name => Members::Map((0..).map(|no| format!("m{no}")).zip(of).collect()),
                };
                self.join(*handle, *kind, members)?;
            }
            Step::Timeout { handle, of, hours } => {
                let timer = self.timer(*hours)?;
                let joined = Join::Timeout { handle: self.known.handles[of], timer };
                let joined = self.replay.join(joined)?;
                self.known.handles.insert(*handle, joined);
            }
            Step::Wait { value, handle, fails } => {
                let came = self.wait(self.known.handles[handle], *fails)?;
                self.known.values.insert(*value, came);
            }
            Step::Fan { handle, kind, calls } => {
                let asked: Result<Vec<Handle>, Ends> = (0..*calls)
                    .map(|no| {
                        let input = Value::of([("x", Value::Int(i64::from(no)))]);
                        self.ask(call("agency.fan", input))
                    })
                    .collect();
                self.join(*handle, *kind, Members::List(asked?))?;
            }
            Step::Either { handle, call, channel } => {
                let asked = self.leaf(&Leaf::Call(*call, Input::Nothing))?;
                let mail = self.leaf(&Leaf::Mail(*channel))?;
                self.join(*handle, Kind::Race, Members::List(vec![asked, mail]))?;
            }
            Step::When { settled, then, otherwise } => {
                let ok = self.value(*settled).get("ok") == Some(&Value::Bool(true));
                self.steps(if ok { then } else { otherwise })?;
            }
            Step::Repeat { times, steps } => {
                for _ in 0..*times {
                    self.steps(steps)?;
                }
            }
            Step::Until(hours) => {
                let due = hours_after_the_start(*hours);
                self.asked.push(Ask::Timer { text: due.to_string(), due });
                let timer = self.replay.timer_at(due)?;
                self.replay.wait(timer)?;
            }
            Step::ForwardUp => self.forward_up()?,
        }
        Ok(())
    }

    fn join(&mut self, handle: Name, kind: Kind, members: Members) -> Result<(), Ends> {
        let join = match kind {
            Kind::All => Join::All(members),
            Kind::AllSettled => Join::AllSettled(members),
            Kind::Race => Join::Race(members),
        };
        let joined = self.replay.join(join)?;
        self.known.handles.insert(handle, joined);
        Ok(())
    }

    fn ask(&mut self, ask: Ask) -> Result<Handle, Ends> {
        self.asked.push(ask.clone());
        Ok(self.replay.request(ask)?)
    }

    fn timer(&mut self, hours: u8) -> Result<Handle, Ends> {
        let text = hours_text(hours);
        let due = self.replay.now()?;
        self.asked.push(Ask::Timer { text: text.clone(), due });
        Ok(self.replay.timer(text.parse().expect("it is a period"))?)
    }

    fn leaf(&mut self, leaf: &Leaf) -> Result<Handle, Ends> {
        match leaf {
            Leaf::Call(no, input) => {
                let input = match self.input(*input)? {
                    None => Value::map(),
                    Some(input) => Value::of([("x", input)]),
                };
                self.ask(call(&format!("agency.op{no}"), input))
            }
            Leaf::Question(input) => {
                let facts = self.input(*input)?.unwrap_or_default();
                self.ask(Ask::Decide {
                    role: "natural-resources.approver".to_owned(),
                    title: "审批".to_owned(),
                    facts,
                    options: Value::Null,
                })
            }
            Leaf::Timer(hours) => self.timer(*hours),
            Leaf::Mail(no) => self.ask(Ask::Receive { channel: channel(*no) }),
        }
    }

    fn input(&mut self, input: Input) -> Result<Option<Value>, Ends> {
        Ok(match input {
            Input::Nothing => None,
            Input::Number(number) => Some(Value::Int(i64::from(number))),
            Input::Earlier(name) => Some(self.value(name)),
            Input::Now => Some(Value::from(self.replay.now()?.to_string())),
        })
    }

    fn value(&self, name: Name) -> Value {
        self.known.values.get(&name).cloned().unwrap_or_default()
    }

    fn wait(&mut self, handle: Handle, fails: Fails) -> Result<Value, Ends> {
        let arrived = self.replay.wait(handle)?;
        match (fails, &arrived) {
            (Fails::Settled, _) => Ok(settled(&arrived)),
            (Fails::Uncaught, Arrived::Thrown { key, .. }) => {
                Err(Ends::With(RunEnd::Uncaught(key.clone())))
            }
            (Fails::Caught, Arrived::Thrown { outcome, .. }) => Ok(Value::of([
                ("kind", outcome.kind.code().into()),
                ("reason", outcome.reason.as_str().into()),
            ])),
            (Fails::Uncaught | Fails::Caught, _) => Ok(shown(&arrived)),
        }
    }

    fn forward_up(&mut self) -> Result<(), Ends> {
        let detail = Value::of([("reason", "上报".into())]);
        let (act, evidence) = (ActKind::ForwardUp, None);
        self.asked.push(Ask::Act { act, evidence: evidence.clone(), detail: detail.clone() });
        let answered = self.replay.act(act, evidence, detail)?;
        if let Arrived::Answer(ActAnswer::Refused { reason, .. }) = answered {
            let fault = ScriptFault::new(ScriptFaultKind::Script, reason);
            return Err(Ends::With(RunEnd::Failed(fault)));
        }
        Ok(())
    }
}

/// Returns the moment so many hours after cases begin here.
pub(crate) fn hours_after_the_start(hours: u8) -> Moment {
    let start = Moment::parse("2026-03-02T09:00:00+08:00").expect("it is a time");
    start.plus_millis(i64::from(hours) * 3_600_000)
}

/// Writes a period of hours as scripts do.
pub(crate) fn hours_text(hours: u8) -> String {
    format!("{hours} hours")
}

fn call(operation: &str, input: Value) -> Ask {
    Ask::Call { operation: operation.to_owned(), place: None, input }
}

/// Returns what `settle` gives.
fn settled(arrived: &Arrived) -> Value {
    let (kind, reason, value) = if let Arrived::Thrown { outcome, .. } = arrived {
        (outcome.kind.code(), outcome.reason.as_str(), outcome.detail.clone())
    } else {
        ("completed", "", shown(arrived))
    };
    Value::of([
        ("ok", (kind == "completed").into()),
        ("kind", kind.into()),
        ("reason", reason.into()),
        ("value", value),
    ])
}

/// Returns what `wait` gives, as it becomes data when it is passed on.
fn shown(arrived: &Arrived) -> Value {
    match arrived {
        Arrived::Output { reply, .. } => {
            let ReplyBody::Completed { output, documents } = &reply.body else {
                return Value::map();
            };
            let documents = documents.iter().map(|document| {
                Value::of([
                    ("role", document.role.as_str().into()),
                    ("number", document.number.as_str().into()),
                    ("digest", document.digest.to_string().into()),
                ])
            });
            let mut fields = output.clone();
            fields.overlay(&Value::of([("documents", Value::List(documents.collect()))]));
            fields
        }
        Arrived::Decision { decision, .. } => Value::of([
            ("granted", decision.granted.into()),
            ("opinion", decision.opinion.as_str().into()),
            ("officer", decision.officer.as_str().into()),
            ("deemed", false.into()),
            ("fields", decision.fields.clone()),
        ]),
        Arrived::Fired | Arrived::Answer(_) => Value::Null,
        Arrived::Message(message) => message.body.clone(),
        Arrived::List(items) => Value::List(items.iter().map(shown).collect()),
        Arrived::Map(items) => {
            Value::Map(items.iter().map(|(name, item)| (name.clone(), shown(item))).collect())
        }
        Arrived::Settled(inner) => settled(inner),
        Arrived::Thrown { .. } => settled(arrived),
    }
}
