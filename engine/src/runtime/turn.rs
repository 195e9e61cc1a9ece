//! `PendingTurn` → commit → `CommittedTurn` → effects: the only road to a connector and to the
//! seal service, by type.

use std::collections::BTreeSet;
use std::sync::Arc;

use tongban_core::agency::Call;
use tongban_core::case::{CallState, Case};
use tongban_core::digest::Secret;
use tongban_core::document::DocumentNo;
use tongban_core::id::{CaseId, CommitNo, Epoch, Seq};
use tongban_core::port::{Commit, IdempotencyRecord, Store, StoreError};
use tongban_core::read_model;
use tongban_core::summary::IndexRow;
use tongban_core::time::Moment;
use tongban_core::turn::{Effect, Issuing, TurnOutput};

use super::desk::Held;
use crate::standing::Standing;

/// What a commit needs beside the turn itself.
pub(super) struct Ledger<'a> {
    /// The store's secret.
    pub(super) secret: &'a Secret,
    /// The owner's epoch.
    pub(super) epoch: Epoch,
    /// Calendars and organisation of this turn.
    pub(super) standing: &'a Standing,
    /// Lawful time.
    pub(super) now: Moment,
    /// What becomes of notices.
    pub(super) issuing: Issuing,
}

/// How a case stood in the store before the turn.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    /// Its index rows.
    pub(super) rows: &'a BTreeSet<IndexRow>,
    /// Its head in the backup that the store was restored from, if it was in one.
    pub(super) cut: Option<Seq>,
    /// Its own secret.
    pub(super) secret: &'a Secret,
}

/// A turn's results, not yet stored.
#[must_use = "a turn that is not committed never happened"]
pub(super) struct PendingTurn {
    commit: Commit,
    case: Arc<Case>,
    rows: BTreeSet<IndexRow>,
    cut: Option<Seq>,
    effects: Vec<CommittedEffect>,
}

impl PendingTurn {
    /// Makes the commit of a turn: entries, read model and index rows together.
    pub(super) fn new(
        output: TurnOutput,
        before: Before<'_>,
        idempotency: Vec<IdempotencyRecord>,
        ledger: &Ledger<'_>,
    ) -> Self {
        let effects = CommittedEffect::of_turn(&output, before.secret, before.cut);
        let TurnOutput { case, expected, entries, retry, unfinished, .. } = output;
        // As of the newest entry, so that the same log gives the same read model at any time.
        let reading = ledger.standing.reading(case.updated_at);
        let mut summary = read_model::summarise(&case, reading);
        // The turn is owed again: the row lets a restart find the case.
        summary.outbox |= retry.is_some() || unfinished;
        // So is the issue of a notice that is drafted only.
        summary.outbox |= ledger.issuing == Issuing::Sealed && case.drafts().next().is_some();
        let rows = read_model::rows(&summary, ledger.secret);
        let commit = Commit {
            case: case.id,
            expected,
            epoch: ledger.epoch,
            at: ledger.now,
            entries,
            summary,
            rows_gone: before.rows.difference(&rows).cloned().collect(),
            rows_new: rows.difference(before.rows).cloned().collect(),
            idempotency,
        };
        Self { commit, case, rows, cut: before.cut, effects }
    }

    /// Tells whether the turn has a timer that nobody waits for yet.
    pub(super) fn has_new_timer(&self) -> bool {
        self.commit.rows_new.iter().any(|row| matches!(row, IndexRow::Timer { .. }))
    }

    /// Stores the turn. Nothing of it has happened unless this returns `Ok`.
    pub(super) async fn commit(self, store: &dyn Store) -> Result<CommittedTurn, StoreError> {
        let committed = store.append(self.commit).await?;
        Ok(CommittedTurn {
            held: Held { case: self.case, rows: self.rows, revision: committed.no, cut: self.cut },
            effects: self.effects,
        })
    }
}

/// A turn that is on disk. Only this type gives out effects to carry out.
pub(super) struct CommittedTurn {
    held: Held,
    effects: Vec<CommittedEffect>,
}

impl CommittedTurn {
    /// Returns the number of its commit.
    pub(super) fn revision(&self) -> CommitNo {
        self.held.revision
    }

    /// Returns the case.
    pub(super) fn case_id(&self) -> CaseId {
        self.held.case.id
    }

    /// Hands over the effects, which happen at least once from here on, and the state.
    pub(super) fn into_parts(self) -> (Vec<CommittedEffect>, Held) {
        (self.effects, self.held)
    }
}

/// What is to be done, now that what it rests on is on disk.
#[derive(Debug)]
pub(crate) enum CommittedEffect {
    /// Carry a call.
    Call(Box<CommittedCall>),
    /// Issue a notice.
    Issue(CommittedDraft),
}

/// A notice whose draft is on disk.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct CommittedDraft {
    /// Its case.
    pub(super) case: CaseId,
    /// Its number.
    pub(super) number: DocumentNo,
}

/// A call whose request is on disk, ready to leave.
#[derive(Debug)]
pub(crate) struct CommittedCall {
    /// Its case.
    pub(super) case: CaseId,
    /// The connector it goes through.
    pub(super) connector: String,
    /// The call.
    pub(super) call: Call,
    /// What to do with it.
    pub(super) step: Step,
    /// Whether it asks a source for a material: one that fails gives way at once, to the next
    /// source or to the applicant's own file.
    pub(super) gives_way: bool,
}

/// What to do with a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// Send it, or send it again.
    Send,
    /// Ask about it before it is sent: an agency may know it from what the store has lost.
    AskFirst(Lineage),
    /// Ask for its newest reply after so many milliseconds.
    Query {
        /// When to ask.
        after_millis: u64,
    },
}

/// How a call of a restored store is related to the one that an agency may know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lineage {
    /// It was in the backup: the very same call.
    Kept,
    /// It was derived anew: the same id, perhaps about something else.
    DerivedAnew,
}

impl Step {
    /// Chooses how to begin with a call that may have been made before, in the time between a
    /// backup and its restore. A call that replaces a fenced one was never made before.
    fn to_send(call: &CallState, cut: Option<Seq>) -> Self {
        match cut {
            Some(cut) if call.at <= cut => Self::AskFirst(Lineage::Kept),
            Some(_) if call.made.generation == 0 => Self::AskFirst(Lineage::DerivedAnew),
            Some(_) | None => Self::Send,
        }
    }

    /// Chooses when to ask about a call that an agency works on: at once where its answer may
    /// have been lost with what came after the backup.
    fn to_ask(call: &CallState, cut: Option<Seq>, after_millis: u64) -> Self {
        let lost = cut.is_some_and(|cut| call.at <= cut);
        Self::Query { after_millis: if lost { 0 } else { after_millis } }
    }
}

impl CommittedEffect {
    /// Renders a turn's effects. Private to this module's road: the results leave it only inside
    /// a [`CommittedTurn`], or through [`CommittedEffect::of_stored`].
    fn of_turn(output: &TurnOutput, secret: &Secret, cut: Option<Seq>) -> Vec<Self> {
        let case = &output.case;
        let effects = output.effects.iter();
        effects.filter_map(|effect| Self::of(case, (secret, cut), effect)).collect()
    }

    /// Renders the effects of a turn that wrote nothing: what they rest on is on disk already.
    pub(super) fn of_stored(output: &TurnOutput, secret: &Secret, cut: Option<Seq>) -> Vec<Self> {
        assert!(output.entries.is_empty(), "a turn with entries must be committed first");
        Self::of_turn(output, secret, cut)
    }

    fn of(case: &Case, (secret, cut): (&Secret, Option<Seq>), effect: &Effect) -> Option<Self> {
        let (id, step) = match effect {
            Effect::Send(id) => (*id, Step::to_send(case.calls.get(id)?, cut)),
            Effect::Query { call, after_millis } => {
                (*call, Step::to_ask(case.calls.get(call)?, cut, *after_millis))
            }
            Effect::Issue(number) => {
                let draft = CommittedDraft { case: case.id, number: number.clone() };
                return Some(Self::Issue(draft));
            }
        };
        let call = case.call_to_send(id, secret)?;
        let state = case.calls.get(&id)?;
        let connector = state.made.connector.clone();
        let gives_way = state.request.is_of_a_source();
        let call = CommittedCall { case: case.id, connector, call, step, gives_way };
        Some(Self::Call(Box::new(call)))
    }
}
