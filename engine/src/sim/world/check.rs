//! What must hold of everything that survived, checked from the disk alone.
//!
//! The history is walked commit by commit: each log folds, each act of the law is judged again,
//! the read model is computed again from the log, every live script is played again and asks
//! for nothing new. At the end nothing is stuck without somebody being told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tongban_core::case::{CallState, Case, IncidentState, Matter};
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{Body, Entry, IncidentKind, Origin};
use tongban_core::id::{CallId, CaseId, MatterNo, Seq};
use tongban_core::law::{ActAnswer, ActKind};
use tongban_core::port::{RunEnd, RunFunction, RunJob, Script as _};
use tongban_core::read_model;
use tongban_core::replay::Replay;
use tongban_core::request::{NewRequest, RequestKey};
use tongban_core::summary::IndexRow;
use tongban_core::way_out::WayKind;

use super::disk::Written;
use super::people::REBINDING;
use super::script::Troupe;
use super::witness::Witness;
use crate::standing::Standing;

/// Returned by a check: what is wrong.
type Checked = Result<(), String>;

/// A case while its history is walked.
struct Walked {
    case: Arc<Case>,
    rows: BTreeSet<IndexRow>,
}

/// Walks over the history of a world.
#[derive(Clone)]
pub(super) struct Check<'a> {
    pub(super) troupe: &'a Troupe,
    pub(super) witness: &'a Witness,
    pub(super) standing: &'a Standing,
    /// The store's secret.
    pub(super) secret: Secret,
    /// Whether the machine stopped scripts, so that turns were owed for a while.
    pub(super) owes_turns: bool,
}

/// What a script would have asked if the machine had not stopped it.
type Owed = BTreeMap<(CaseId, MatterNo, RequestKey), (Digest, Seq)>;

impl Check<'_> {
    /// Checks every commit in order; returns the cases as they are at the end.
    pub(super) fn history(&self, history: &[Written]) -> Result<Vec<Arc<Case>>, String> {
        let mut cases: BTreeMap<CaseId, Walked> = BTreeMap::new();
        let mut texts = BTreeMap::new();
        let mut owed = Owed::new();
        for written in history {
            if written.entries.iter().any(turns_aside) {
                owed.retain(|(case, _, _), _| *case != written.case);
            }
            keeps_prefix(&owed, written)?;
            let case = self
                .commit(&mut cases, written)
                .map_err(|what| format!("{} {}: {what}", written.case, written.expected))?;
            // What the commit did not touch is played as before.
            let touched = written.entries.iter().map(|entry| entry.matter).collect();
            self.scripts((&case, &touched), &mut owed)
                .map_err(|what| format!("{} {}: {what}", written.case, written.expected))?;
            note_texts(&mut texts, written);
        }
        no_mutation_twice(&texts)?;
        let cases: Vec<Arc<Case>> = cases.into_values().map(|walked| walked.case).collect();
        self.one_effect_per_request(&cases)?;
        Ok(cases)
    }

    fn commit(
        &self,
        cases: &mut BTreeMap<CaseId, Walked>,
        written: &Written,
    ) -> Result<Arc<Case>, String> {
        let mut walked = cases.remove(&written.case);
        for entry in &written.entries {
            self.lawful(walked.as_ref(), entry)?;
            walked = Some(fold(walked, written.case, entry)?);
        }
        let mut walked = walked.ok_or("a commit without a case")?;
        self.read_model(&mut walked, written)?;
        let case = Arc::clone(&walked.case);
        cases.insert(written.case, walked);
        Ok(case)
    }

    /// Judges an act again as of the entry before it, and refuses adverse acts of machines.
    fn lawful(&self, walked: Option<&Walked>, entry: &Entry) -> Checked {
        let (Some(walked), Body::Acted { act, answer: ActAnswer::Done, .. }) =
            (walked, &entry.body)
        else {
            return Ok(());
        };
        let case = &walked.case;
        let matter = case.matter(entry.matter).ok_or("an act on no matter")?;
        let calendar = self.standing.calendar(case.place_of(entry.matter));
        let again = matter.law.judge(act, calendar);
        if again != ActAnswer::Done {
            return Err(format!("{} did not hold: {again:?}", act.kind.code()));
        }
        let adverse = matches!(act.kind, ActKind::Deny | ActKind::NotAccept | ActKind::Terminate);
        let machine = matches!(entry.origin, Origin::Engine | Origin::Clock);
        let alone = entry.origin == Origin::Script && !decided_no(case, entry.matter);
        if adverse && (machine || alone) {
            return Err(format!("a machine did an adverse act: {}", act.kind.code()));
        }
        Ok(())
    }

    /// The read model that was stored is the one that the log gives.
    fn read_model(&self, walked: &mut Walked, written: &Written) -> Checked {
        let case = &walked.case;
        let mut summary = read_model::summarise(case, self.standing.reading(written.at));
        // A turn that is owed again adds to what is to be taken up, never takes away.
        summary.outbox |= written.summary.outbox;
        if summary != written.summary {
            return Err(format!("summary {:?} is not {summary:?}", written.summary));
        }
        for row in &written.rows_gone {
            if !walked.rows.remove(row) {
                return Err(format!("a row is gone that was not there: {row:?}"));
            }
        }
        for row in &written.rows_new {
            if !walked.rows.insert(row.clone()) {
                return Err(format!("a row is new that was there: {row:?}"));
            }
        }
        if walked.rows != read_model::rows(&summary, &self.secret) {
            return Err("the index rows are not those of the log".to_owned());
        }
        Ok(())
    }

    /// Plays every script that has begun, and compares with its journal. What a live one newly
    /// asks must be what it asks later, too.
    fn scripts(&self, of: (&Arc<Case>, &BTreeSet<MatterNo>), owed: &mut Owed) -> Checked {
        let (case, touched) = of;
        let begun = case.matters.iter().filter(|matter| matter.run.begun.is_some());
        let all = touched.contains(&MatterNo::COORDINATOR);
        let begun = begun.filter(|matter| all || touched.contains(&matter.no));
        // A run that had ended under another version is never played under this one.
        let own = |matter: &&Matter| {
            case.rebound.is_empty() || (matter.may_run() && matter.run.is_live())
        };
        let begun = begun.filter(own);
        begun.filter(|matter| matter.run.stopped.is_none()).try_for_each(|matter| {
            let fresh = self
                .script(case, matter)
                .map_err(|what| format!("matter {}: {what}", matter.no))?;
            owed.extend(
                fresh
                    .into_iter()
                    .map(|asked| ((case.id, matter.no, asked.key), (asked.digest, asked.seen))),
            );
            Ok(())
        })
    }

    fn script(&self, case: &Arc<Case>, matter: &Matter) -> Result<Vec<NewRequest>, String> {
        let closure = self.troupe.closure(&case.closure()).ok_or("the closure is not there")?;
        let code = &matter.planned.code;
        let job = RunJob { closure: &closure, matter: code, function: RunFunction::Handle };
        let secret = self.secret.derive(b"case", &case.id.0);
        let calendar = Arc::clone(self.standing.calendar(case.place_of(matter.no)));
        let replay = Replay::new(Arc::clone(case), matter.no, secret, calendar);
        let output = self.troupe.play(&job, replay);
        let (end, fresh) = (output.end, output.asked);
        let run = &matter.run;
        let expected = match &end {
            RunEnd::Failed(fault) => return Err(format!("the replay fails: {fault:?}")),
            RunEnd::Finished | RunEnd::Recommended(_) => run.finished,
            RunEnd::Uncaught(key) => run.uncaught.as_ref() == Some(key),
            RunEnd::Suspended => !run.finished && run.uncaught.is_none(),
        };
        // What the law has ended is played no more, and what the machine stopped is owed.
        let over = matter.law.ending().is_some_and(|ending| !ending.is_grant());
        let steered = case.is_paused(matter.no) || run.cancel.is_some();
        let excused = over || steered || (self.owes_turns && run.is_live());
        if (!expected || !fresh.is_empty()) && !excused {
            return Err(format!("the replay ends as {end:?}, with {} new requests", fresh.len()));
        }
        Ok(if over { Vec::new() } else { fresh })
    }

    /// Of all the calls that one request was made in, one at most took effect, and each is in a
    /// log.
    fn one_effect_per_request(&self, cases: &[Arc<Case>]) -> Checked {
        let mut requests: BTreeMap<CallId, (CaseId, MatterNo, RequestKey)> = BTreeMap::new();
        for case in cases {
            let calls = case.calls.iter();
            requests.extend(
                calls.map(|(id, call)| (*id, (case.id, call.matter, call.request.clone()))),
            );
        }
        let mut acted = BTreeSet::new();
        for call in self.witness.effects() {
            let request = requests.get(&call).ok_or_else(|| format!("call {call} is in no log"))?;
            if !acted.insert(request.clone()) {
                return Err(format!("request {} took effect in two calls", request.2));
            }
        }
        Ok(())
    }

    /// Nothing is stuck unless somebody is told.
    pub(super) fn at_rest(&self, cases: &[Arc<Case>]) -> Checked {
        let strict = Check { owes_turns: false, ..self.clone() };
        cases.iter().filter(|case| case.submitted.is_some()).try_for_each(|case| {
            strict.scripts((case, &[MatterNo::COORDINATOR].into()), &mut Owed::new())?;
            let mut open = case.matters.iter().filter(|matter| matter.is_open());
            if let Some(matter) = open.find(|matter| !is_shown(case, matter)) {
                return Err(format!("nobody is told that {} is stuck", describe(case, matter)));
            }
            let mut closed = case.matters.iter().filter(|matter| !matter.is_open());
            if let Some(matter) = closed.find(|matter| is_mail_overlooked(case, matter)) {
                return Err(format!("{} closed over a message", describe(case, matter)));
            }
            let open = case.open_calls().filter(|call| !is_call_shown(case, call));
            match open.map(|call| call.made.id).min() {
                Some(call) => Err(format!("call {call} of {} is open and nobody is told", case.id)),
                None => Ok(()),
            }
        })
    }
}

/// Tells whether a message that must be handled is neither read nor shown to anybody.
fn is_mail_overlooked(case: &Case, matter: &Matter) -> bool {
    let told = case.open_incidents().any(|(_, state)| {
        state.matter == matter.no && state.incident.kind == IncidentKind::MessageUnread
    });
    matter.has_unhandled_mail() && !told
}

/// Tells whether a person had scripts go another way, so that what they would have asked is void.
fn turns_aside(entry: &Entry) -> bool {
    matches!(
        entry.body,
        Body::CaseRebound(_)
            | Body::CancelRequested { .. }
            | Body::RunRestarted { .. }
            | Body::RunRewound(_)
            | Body::ResultOverridden(_)
    )
}

/// Compares what is asked with what would have been asked earlier.
fn keeps_prefix(owed: &Owed, written: &Written) -> Checked {
    for entry in &written.entries {
        if let Body::Requested(made) = &entry.body
            && let Some(known) = owed.get(&(written.case, entry.matter, made.key.clone()))
            && *known != (made.digest, made.seen)
        {
            return Err(format!("request {} of {} broke the prefix law", made.key, written.case));
        }
    }
    Ok(())
}

fn fold(walked: Option<Walked>, id: CaseId, entry: &Entry) -> Result<Walked, String> {
    match walked {
        None => {
            let case = Case::begin(id, entry).map_err(|error| error.to_string())?;
            Ok(Walked { case: Arc::new(case), rows: BTreeSet::new() })
        }
        Some(mut walked) => {
            let before = walked.case.updated_at;
            if entry.recorded_at < before {
                return Err(format!("entry {} was recorded before the one before it", entry.seq));
            }
            let folded = Arc::make_mut(&mut walked.case).fold(entry);
            folded.map_err(|error| error.to_string())?;
            Ok(walked)
        }
    }
}

/// Tells whether an officer has said no in a decision of this matter.
fn decided_no(case: &Case, no: MatterNo) -> bool {
    let tasks = case.tasks.values().filter(|task| task.matter == no);
    let mut ends = tasks.filter_map(|task| task.end.as_ref());
    ends.any(|end| matches!(end, tongban_core::case::TaskEnd::Completed(said) if !said.granted))
}

/// Every mutation left its words once.
fn no_mutation_twice(texts: &BTreeMap<String, u32>) -> Checked {
    match texts.iter().find(|(_, times)| **times > 1) {
        Some((text, times)) => Err(format!("mutation {text} is in the log {times} times")),
        None => Ok(()),
    }
}

/// Collects the words that only one mutation says.
fn note_texts(texts: &mut BTreeMap<String, u32>, written: &Written) {
    let mut said = BTreeSet::new();
    for entry in &written.entries {
        if let Body::CaseStarted(started) = &entry.body {
            let note = started.form.get("note").and_then(|note| note.as_text());
            said.extend(note.map(|note| format!("start {note}")));
        }
        if let Body::TaskCompleted { decision, .. } | Body::DecisionProposed { decision, .. } =
            &entry.body
        {
            said.insert(format!("task {}", decision.opinion));
        }
        if let Body::FormChanged(changed) = &entry.body {
            said.insert(format!("form {}", changed.reason));
        }
        if let Body::MessageArrived(message) = &entry.body {
            said.extend(message.body.as_text().map(|text| format!("message {text}")));
        }
        if let Body::CaseRebound(rebound) = &entry.body
            && rebound.reason.starts_with(REBINDING)
        {
            said.insert(format!("rebinding {}", rebound.reason));
        }
        if let Origin::Person { .. } = &entry.origin
            && let Body::Paused { reason } | Body::Resumed { reason } = &entry.body
        {
            said.insert(format!("steering {reason}"));
        }
        if let Origin::Person { .. } = &entry.origin
            && let Body::IncidentSettled(settled) | Body::WayOutProposed(settled) = &entry.body
        {
            said.insert(format!("way out {}", settled.reason));
        }
        if let Body::Acted { act, .. } = &entry.body
            && act.kind == ActKind::Withdraw
        {
            said.insert(format!("withdraw {}", act.ground));
        }
    }
    for text in said {
        *texts.entry(text).or_default() += 1;
    }
}

/// Says how a matter stands, for those who look for the reason.
fn describe(case: &Case, matter: &Matter) -> String {
    let requests = matter.run.requests.iter().map(|request| {
        let call = request.call.and_then(|call| case.calls.get(&call));
        let end = request.settled.as_ref().map(|settled| settled.seq);
        let status = call.map(|call| &call.status);
        format!("\n    {} {} {end:?} {status:?}", request.made.key, request.made.ask.target())
    });
    let incidents = case.incidents.iter().filter(|(_, state)| state.matter == matter.no);
    let incidents = incidents.map(|(at, state)| {
        let way = state.end.as_ref().map(|end| end.settled.way.kind());
        format!("\n    {} at {at}, ended by {way:?}", state.incident.kind.code())
    });
    let run = &matter.run;
    format!(
        "matter {} of {} ({}, head {}, begun {:?}, finished {}, stopped {:?}, uncaught {:?}, materials {:?}){}{}",
        matter.no,
        case.id,
        matter.law.code(),
        case.head,
        run.begun,
        run.finished,
        run.stopped,
        run.uncaught,
        matter.requirements.iter().map(|known| &known.how).collect::<Vec<_>>(),
        requests.collect::<String>(),
        incidents.collect::<String>(),
    )
}

/// Tells whether somebody can see that a matter does not go on, and act.
fn is_shown(case: &Case, matter: &Matter) -> bool {
    let stops = |kind: IncidentKind| {
        !matches!(
            kind,
            IncidentKind::DeemedAccepted
                | IncidentKind::TerminalConflict
                | IncidentKind::NoticeNotIssued
                | IncidentKind::IntakeFailed
        )
    };
    let of_case = |state: &IncidentState| state.matter == MatterNo::COORDINATOR;
    let mut incidents = case.incidents.values();
    let incident = incidents.any(|state| {
        let about = state.matter == matter.no || of_case(state);
        about && stops(state.incident.kind) && is_in_hand(state)
    });
    let task = case.open_tasks().any(|task| task.matter == matter.no);
    let waits = matter.filed.is_none()
        && matter.planned.after.iter().any(|earlier| {
            case.matter(*earlier)
                .is_some_and(|earlier| earlier.is_open() && is_shown(case, earlier))
        });
    let card = case.cards.values().any(|card| card.matter == matter.no);
    incident || task || waits || card
}

/// Tells whether an incident waits for somebody, or somebody said that it needs nothing more.
fn is_in_hand(state: &IncidentState) -> bool {
    let way = state.end.as_ref().map(|end| end.settled.way.kind());
    matches!(way, None | Some(WayKind::Acknowledge | WayKind::Skip | WayKind::Cancel))
}

fn is_call_shown(case: &Case, call: &CallState) -> bool {
    let mut incidents = case.incidents.values();
    let incident =
        incidents.any(|state| state.incident.call == Some(call.made.id) && is_in_hand(state));
    incident || case.open_tasks().any(|task| task.opened.call == Some(call.made.id))
}

/// Counts the terminal replies that count, for the report.
pub(super) fn ends(cases: &[Arc<Case>]) -> BTreeMap<&'static str, u32> {
    let mut ends = BTreeMap::new();
    for case in cases {
        *ends.entry(read_model::state(case).code()).or_default() += 1;
        for state in case.incidents.values() {
            *ends.entry(state.incident.kind.code()).or_default() += 1;
        }
    }
    ends
}
