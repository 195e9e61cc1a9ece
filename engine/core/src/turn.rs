//! One turn over a case: commands in; entries, answers and effects out.
//!
//! *Accept* gives every command its entries and folds them. Then the turn settles: the
//! coordinator files matters whose inputs exist, and every woken matter's script runs until
//! nothing moves. Accept and turn merge into one commit here. A run that fails leaves one
//! incident and none of its requests, and takes nothing from what was accepted or from its
//! siblings. Nothing here waits, reads a clock or knows a store.

mod accept;
mod acts;
mod coordinate;
mod correction;
mod intake;
mod late;
mod mail;
mod need;
mod notice;
mod obligation;
mod partial;
mod people;
mod prefill;
mod run;
mod source;
mod tasks;
#[cfg(test)]
mod tests;
mod tick;
mod undo;
mod urge;
mod way_out;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::calendar::{Calendar, Calendars};
use crate::case::{Case, FoldError};
use crate::command::{Answer, Command};
use crate::definition::Closure;
use crate::digest::Secret;
use crate::document::DocumentNo;
use crate::entry::{Body, CaseStarted, Entry, Incident, IncidentKind, Origin};
use crate::id::{CallId, CaseId, MatterNo, Seq};
use crate::limits;
use crate::organisation::Organisation;
use crate::port::{Script, ScriptFault, Wiring};
use crate::schedule;
use crate::time::Moment;

/// What a turn reads beside the case itself. All of it is given.
#[derive(Clone)]
pub struct TurnContext<'a> {
    /// Lawful time.
    pub now: Moment,
    /// Wire time, for deadlines of calls.
    pub wire_now: Moment,
    /// The script host.
    pub script: &'a dyn Script,
    /// Which connector carries which operation.
    pub wiring: &'a dyn Wiring,
    /// The holiday tables of all places.
    pub calendars: &'a Calendars,
    /// Who holds which role, and which rules raise cards.
    pub organisation: &'a Organisation,
    /// The case's secret.
    pub secret: &'a Secret,
    /// The closure that the case is pinned to.
    pub closure: &'a Arc<Closure>,
    /// What becomes of notices.
    pub issuing: Issuing,
}

/// What becomes of the notices that acts bring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Issuing {
    /// There is no seal service: they stay drafts.
    Drafts,
    /// They are sealed; with that they reach whoever filed online.
    Sealed,
}

/// What a turn came to; nothing of it has happened until it is committed.
#[derive(Debug)]
#[must_use = "a turn that is not committed never happened"]
pub struct TurnOutput {
    /// The case after the turn.
    pub case: Arc<Case>,
    /// Head before the turn.
    pub expected: Seq,
    /// New entries, in order.
    pub entries: Vec<Entry>,
    /// One answer for each command that was heard, in order.
    pub answers: Vec<Answer>,
    /// Places of the commands that were not heard, since the turn was full, in order: put them
    /// before the case again, first of all.
    pub unheard: Vec<usize>,
    /// What to do after the commit.
    pub effects: Vec<Effect>,
    /// A matter that was not evaluated for a reason of the machine: take another turn later.
    pub retry: Option<(MatterNo, ScriptFault)>,
    /// Whether the turn was full before every woken matter was evaluated: wake the case at once.
    pub unfinished: bool,
}

/// What to do after the commit, as data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Send a call, or send it again.
    Send(CallId),
    /// Ask for a call's newest reply, after so many milliseconds of wire time.
    Query {
        /// The call.
        call: CallId,
        /// When to ask.
        after_millis: u64,
    },
    /// Render, seal and keep a notice that was drafted.
    Issue(DocumentNo),
}

/// Milliseconds between queries of a call whose agency named no time.
pub const QUERY_MILLIS_DEFAULT: u64 = 60_000;

/// Takes the turn that begins a case.
pub fn begin(
    id: CaseId,
    started: CaseStarted,
    origin: Origin,
    context: &TurnContext<'_>,
) -> Result<TurnOutput, FoldError> {
    let first = Entry {
        seq: Seq(1),
        matter: MatterNo::COORDINATOR,
        recorded_at: context.now,
        effective_at: context.now,
        origin,
        body: Body::CaseStarted(Arc::new(started)),
    };
    let case = Arc::new(Case::begin(id, &first)?);
    Ok(TurnOutput {
        case,
        expected: Seq(0),
        entries: vec![first],
        answers: vec![Answer::Done],
        unheard: Vec::new(),
        effects: Vec::new(),
        retry: None,
        unfinished: false,
    })
}

/// Takes one turn over an existing case.
pub fn take(
    case: Arc<Case>,
    commands: &[Command],
    context: &TurnContext<'_>,
) -> Result<TurnOutput, FoldError> {
    let expected = case.head;
    let over = schedule::over(&case);
    let mut turn = Turn {
        context,
        closure: Arc::clone(context.closure),
        case,
        entries: Vec::new(),
        effects: Vec::new(),
        woken: BTreeSet::new(),
        retry: None,
        unfinished: false,
    };
    let (answers, unheard) = turn.accept_all(commands)?;
    turn.settle()?;
    turn.drop_answered()?;
    turn.raise_missed(&over)?;
    Ok(TurnOutput {
        case: turn.case,
        expected,
        entries: turn.entries,
        answers,
        unheard,
        effects: turn.effects,
        retry: turn.retry,
        unfinished: turn.unfinished,
    })
}

/// A turn under way.
struct Turn<'a> {
    context: &'a TurnContext<'a>,
    /// The closure that the case is pinned to; a rebinding changes it within the turn.
    closure: Arc<Closure>,
    case: Arc<Case>,
    entries: Vec<Entry>,
    effects: Vec<Effect>,
    /// Matters with something new for their script.
    woken: BTreeSet<MatterNo>,
    retry: Option<(MatterNo, ScriptFault)>,
    /// Woken matters are left to the next turn.
    unfinished: bool,
}

impl Turn<'_> {
    /// Accepts commands in the order in which they came, but time last: what came before this
    /// turn was on its way when the clock passed, however the two were queued. Once the turn is
    /// full the rest waits for the next one, in the same order.
    fn accept_all(&mut self, commands: &[Command]) -> Result<(Vec<Answer>, Vec<usize>), FoldError> {
        let is_time = |(_, command): &(usize, &Command)| matches!(command, Command::Tick);
        let (time, came): (Vec<_>, Vec<_>) = commands.iter().enumerate().partition(is_time);
        let (mut answers, mut unheard) = (Vec::with_capacity(commands.len()), Vec::new());
        for (place, command) in came.into_iter().chain(time) {
            // Who gets a message depends on what is still waited for after all that came before.
            let is_message = matches!(command, Command::SendMessage { .. });
            if is_message && !self.entries.is_empty() && !self.is_full() {
                self.settle()?;
            }
            if self.is_full() {
                unheard.push(place);
            } else {
                answers.push((place, self.accept(command)?));
            }
        }
        answers.sort_by_key(|(place, _)| *place);
        unheard.sort_unstable();
        Ok((answers.into_iter().map(|(_, answer)| answer).collect(), unheard))
    }

    /// Tells whether what is still to be heard waits for the next turn.
    fn is_full(&self) -> bool {
        self.entries.len() >= limits::TURN_ENTRIES_FULL
    }

    /// Returns the calendar by which a matter counts: that of the place where it is decided.
    fn calendar(&self, no: MatterNo) -> &Arc<Calendar> {
        self.reading().calendar(&self.case, no)
    }

    /// Appends an entry that takes effect now.
    fn push(&mut self, matter: MatterNo, origin: Origin, body: Body) -> Result<Seq, FoldError> {
        self.push_at(matter, origin, self.context.now, body)
    }

    /// Appends an entry and folds it; wakes the matter if its script could go on by it.
    fn push_at(
        &mut self,
        matter: MatterNo,
        origin: Origin,
        effective_at: Moment,
        body: Body,
    ) -> Result<Seq, FoldError> {
        let entry = Entry {
            seq: self.case.head.next(),
            matter,
            recorded_at: self.context.now,
            effective_at,
            origin,
            body,
        };
        Arc::make_mut(&mut self.case).fold(&entry)?;
        if wakes(&entry.body) {
            self.woken.insert(matter);
        }
        let seq = entry.seq;
        self.entries.push(entry);
        Ok(seq)
    }

    /// Gives every matter's unread messages to the requests that wait for them.
    fn deliver_all(&mut self) -> Result<bool, FoldError> {
        let unread = self.case.matters.iter().filter(|matter| matter.unread().next().is_some());
        let unread: Vec<MatterNo> = unread.map(|matter| matter.no).collect();
        let mut moved = false;
        for no in unread {
            moved |= self.deliver(no)?;
        }
        Ok(moved)
    }

    /// Runs coordinator and scripts until nothing moves. A turn that is too long leaves the rest to
    /// the next one; only a case that is full is stopped.
    fn settle(&mut self) -> Result<(), FoldError> {
        if self.unfinished {
            return Ok(());
        }
        let mut passes = 0;
        while passes < limits::TURN_PASSES_MAX {
            let filed = self.coordinate()? | self.partial()?;
            let read = self.deliver_all()?;
            let moved = filed | read | self.undo()?;
            // A mailbox that is read message by message comes to its end; that is no loop.
            passes += u32::from(!read);
            let mut woken = std::mem::take(&mut self.woken);
            if woken.is_empty() && !moved {
                return self.look_for_stalls();
            }
            while self.entries.len() <= limits::TURN_ENTRIES_MAX
                && let Some(no) = woken.pop_first()
            {
                self.run(no)?;
            }
            self.woken.append(&mut woken);
            if self.case.head.0 > limits::CASE_ENTRIES_MAX {
                return self.give_up("办理步骤过多 / too many entries");
            }
            if self.entries.len() > limits::TURN_ENTRIES_MAX {
                // The last matter may have made it so: what follows from it is still to come.
                self.unfinished = true;
                return Ok(());
            }
        }
        if self.woken.is_empty() {
            return Ok(());
        }
        self.give_up("反复执行仍未稳定 / the turn does not come to rest")
    }

    /// Stops the scripts that are still woken, with one incident each.
    fn give_up(&mut self, why: &str) -> Result<(), FoldError> {
        while let Some(no) = self.woken.pop_first() {
            self.raise(no, IncidentKind::LimitExceeded, why)?;
        }
        Ok(())
    }

    /// Records something that a person must look at.
    fn raise(
        &mut self,
        matter: MatterNo,
        kind: IncidentKind,
        message: &str,
    ) -> Result<Seq, FoldError> {
        let incident = Incident::new(kind, message);
        self.push(matter, Origin::Engine, Body::IncidentRaised(Arc::new(incident)))
    }

    /// Rule 18: a matter that nothing can wake is an incident at once.
    fn look_for_stalls(&mut self) -> Result<(), FoldError> {
        let stalled: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|matter| matter.is_open() && matter.run.begun.is_some())
            .filter(|matter| !self.can_be_woken(matter))
            .map(|matter| matter.no)
            .collect();
        for no in stalled {
            let begun = self.case.matter(no).and_then(|matter| matter.run.begun);
            let mut known = self.case.incidents.iter().filter(|(_, state)| state.matter == no);
            if known.any(|(at, state)| {
                state.incident.kind == IncidentKind::Stalled
                    && begun.is_some_and(|(begun, _)| *at > begun)
                    && needs_no_other(state)
            }) {
                continue;
            }
            self.raise(
                no,
                IncidentKind::Stalled,
                "脚本已结束或在等待,但没有任何事情能继续推进该事项;请负责人处理 / nothing can wake this matter: its script ended or waits without a decision; a person must act",
            )?;
        }
        Ok(())
    }

    fn can_be_woken(&self, matter: &crate::case::Matter) -> bool {
        let cancelled = matter.run.cancel.as_ref().is_some_and(|cancel| !cancel.undone);
        let paused = self.case.is_paused(matter.no);
        let unread = self.case.open_incidents().any(|(_, state)| {
            state.matter == matter.no && state.incident.kind == IncidentKind::MessageUnread
        });
        if self.retry.is_some() || matter.run.stopped.is_some() || cancelled || paused || unread {
            return true;
        }
        let timer = matter.run.requests.iter().any(|request| {
            request.settled.is_none()
                && !request.discarded
                && matches!(
                    request.made.ask.kind(),
                    crate::request::RequestKind::Timer | crate::request::RequestKind::Receive
                )
        });
        let stands = matter.law.special_procedure().is_some() || matter.law.correction().is_some();
        stands
            || self.may_hear_of_it(matter)
            || timer
            || self.case.open_tasks().any(|task| task.matter == matter.no)
            || self.case.open_calls().any(|call| call.matter == matter.no)
            || has_unbound_call(matter)
    }
}

/// Tells whether an incident still speaks: it is open, or somebody said that it needs nothing
/// more. One that was tried again in vain has to be told again.
fn needs_no_other(state: &crate::case::IncidentState) -> bool {
    let end = state.end.as_ref();
    end.is_none_or(|end| end.settled.way.kind() == crate::way_out::WayKind::Acknowledge)
}

impl Turn<'_> {
    /// Tells whether a department that decides in its own system may still act, and its silence
    /// would be noticed: it was told of the matter by a call, and a clock runs that raises cards.
    fn may_hear_of_it(&self, matter: &crate::case::Matter) -> bool {
        let elsewhere = matter
            .filed
            .as_ref()
            .is_some_and(|filed| filed.decides_in == crate::definition::DecidesIn::Connector);
        let mut calls = self.case.calls.values();
        let told = calls.any(|call| call.matter == matter.no && !call.request.is_of_a_source());
        elsewhere && told && matter.law.clocks().iter().any(crate::law::Clock::is_running)
    }
}

/// A call without a connector is an incident of its own already.
fn has_unbound_call(matter: &crate::case::Matter) -> bool {
    matter.run.requests.iter().any(|request| {
        let call = request.made.ask.kind() == crate::request::RequestKind::Call;
        call && request.settled.is_none() && request.call.is_none()
    })
}

/// Tells whether a script could go on by this entry.
fn wakes(body: &Body) -> bool {
    match body {
        Body::MatterFiled(_)
        | Body::Acted { .. }
        | Body::InputArrived { .. }
        | Body::CallReplied(_)
        | Body::CallRenewed(_)
        | Body::TimerFired { .. }
        | Body::TaskCompleted { .. }
        | Body::ObligationResolved { .. }
        | Body::RunRestarted { .. }
        | Body::IncidentSettled(_)
        | Body::RunRewound(_)
        | Body::Resumed { .. }
        | Body::CancelRequested { .. }
        | Body::MessageTaken { .. } => true,
        Body::FormChanged(_)
        | Body::MaterialHanded(_)
        | Body::Consented(_)
        | Body::MaterialTried(_)
        | Body::MaterialMet(_)
        | Body::InputSuperseded { .. }
        | Body::ClockFired { .. }
        | Body::PeriodRenewed { .. }
        | Body::TaskAssigned(_)
        | Body::TaskEscalated { .. }
        | Body::TaskUrged { .. }
        | Body::MatterUrged { .. }
        | Body::DraftSaved { .. }
        | Body::DecisionProposed { .. }
        | Body::TaskRefreshed { .. }
        | Body::CardRaised(_)
        | Body::CardAnswered(_)
        | Body::DocumentDrafted(_)
        | Body::DocumentSealed(_)
        | Body::DocumentServed(_)
        | Body::EntryVoided { .. }
        | Body::CallAbandoned { .. }
        | Body::CalendarChanged { .. }
        | Body::RequestReleased { .. }
        | Body::CaseStarted(_)
        | Body::CaseSubmitted
        | Body::Requested(_)
        | Body::TaskOpened(_)
        | Body::TaskClaimed { .. }
        | Body::TaskReleased { .. }
        | Body::TaskDropped { .. }
        | Body::IncidentRaised(_)
        | Body::RunFinished { .. }
        | Body::OutcomeUncaught { .. }
        | Body::WayOutProposed(_)
        | Body::CaseRebound(_)
        | Body::ResultOverridden(_)
        | Body::Paused { .. }
        | Body::CompensationEnded
        | Body::CallReopened { .. }
        | Body::CallPlaced { .. }
        | Body::MessageArrived(_)
        | Body::IntakeBegun { .. }
        | Body::IntakeRecommended(_)
        | Body::FieldsTried(_)
        | Body::PartialOutcome(_)
        | Body::RunFailed(_) => false,
    }
}
