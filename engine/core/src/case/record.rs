//! Folding what goes on around a decision: tasks in people's hands, materials and the form,
//! clocks that passed, cards, notices, and a clerk's repairs.

use std::sync::Arc;

use super::{Case, Document, FoldError};
use crate::card::Card;
use crate::document::{
    DocumentKind, DocumentNo, DocumentRefusal, DocumentState, Sealed, Served, Service,
};
use crate::entry::{Body, DocumentDrafted, Entry, Origin, TaskAssigned};
use crate::id::{MatterNo, Seq};
use crate::law::{Clock, ClockKind};
use crate::material::{Found, Handed};
use crate::time::Moment;

impl Case {
    /// Folds a change of an open task that does not end it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
    pub(super) fn fold_task_change(&mut self, entry: &Entry) -> Result<(), FoldError> {
        let who = match &entry.origin {
            Origin::Person { subject, .. } => subject.clone(),
            Origin::Engine | Origin::Script | Origin::Clock | Origin::Agency { .. } => {
                String::new()
            }
        };
        match &entry.body {
            Body::TaskAssigned(assigned) => return self.fold_handed_over(entry, assigned),
            Body::TaskEscalated { task, to, reason: _ } => {
                let task = self.task_mut(entry, *task)?;
                task.role = to.clone();
                task.assignee = None;
                task.assigned_until = None;
                task.version += 1;
            }
            Body::TaskUrged { task, reason: _ } => {
                let task = self.task_mut(entry, *task)?;
                let times = task.urged.map_or(0, |(times, _)| times);
                task.urged = Some((times + 1, entry.recorded_at));
            }
            Body::MatterUrged { reason: _ } => self.fold_matter_urged(entry)?,
            // A draft changes nothing that another one could miss: the version stays.
            Body::DraftSaved { task, draft } => {
                self.task_mut(entry, *task)?.draft = draft.clone();
            }
            Body::DecisionProposed { task, decision } => {
                let task = self.task_mut(entry, *task)?;
                task.proposed = Some((who, decision.clone()));
                task.assignee = None;
                task.assigned_until = None;
                task.version += 1;
            }
            Body::TaskRefreshed { task, facts } => {
                let task = self.task_mut(entry, *task)?;
                task.facts = facts.clone();
                task.proposed = None;
                task.version += 1;
            }
            other => return Err(self.at(entry).wrong(format!("{other:?} is no change of a task"))),
        }
        Ok(())
    }

    /// Whoever holds a task of the matter sees that it was urged.
    fn fold_matter_urged(&mut self, entry: &Entry) -> Result<(), FoldError> {
        let at = entry.recorded_at;
        let again =
            |urged: Option<(u32, Moment)>| Some((urged.map_or(0, |(times, _)| times) + 1, at));
        let matter = self.matter_mut(entry)?;
        matter.urged = again(matter.urged);
        let open = self.tasks.values_mut().filter(|task| task.end.is_none());
        for task in open.filter(|task| task.matter == entry.matter) {
            task.urged = again(task.urged);
        }
        Ok(())
    }

    fn fold_handed_over(
        &mut self,
        entry: &Entry,
        assigned: &TaskAssigned,
    ) -> Result<(), FoldError> {
        let task = self.task_mut(entry, assigned.task)?;
        task.assignee = Some(assigned.to.clone());
        task.assigned_until = assigned.until;
        task.version += 1;
        Ok(())
    }

    /// Folds what concerns form and materials.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
    pub(super) fn fold_material(&mut self, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::FormChanged(change) => self.form_changes.push((entry.seq, Arc::clone(change))),
            Body::Consented(consent) => self.consents.push((**consent).clone()),
            Body::MaterialHanded(given) => {
                let last = self.handed.iter().filter(|handed| handed.given.code == given.code);
                let version = 1 + last.map(|handed| handed.version).max().unwrap_or(0);
                let given = (**given).clone();
                self.handed.push(Handed { given, version, at: entry.seq });
            }
            Body::MaterialTried(attempt) => {
                let matter = self.matter_mut(entry)?;
                let mut known = matter.requirements.iter_mut();
                if let Some(known) = known.find(|known| known.code == attempt.material) {
                    known.attempts.push((entry.seq, (**attempt).clone()));
                }
            }
            Body::MaterialMet(found) => {
                let matter = self.matter_mut(entry)?;
                matter.materials_version += 1;
                let mut known = matter.requirements.iter_mut();
                if let Some(known) = known.find(|known| known.code == found.code) {
                    let how = std::mem::replace(&mut known.how, found.how.clone());
                    known.before.push((entry.seq, how));
                    known.changed = (entry.seq, entry.effective_at);
                }
                if found.how.is_met() && !matches!(found.how, Found::Owed { .. }) {
                    matter.law.keep_promise(&found.code, entry.effective_at);
                }
            }
            Body::InputSuperseded { .. } => self.matter_mut(entry)?.materials_version += 1,
            other => return Err(self.at(entry).wrong(format!("{other:?} concerns no material"))),
        }
        Ok(())
    }

    /// Folds the passing of a clock, or an applicant's period that begins anew.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
    pub(super) fn fold_clock(&mut self, entry: &Entry) -> Result<(), FoldError> {
        let at = self.at(entry);
        match &entry.body {
            // This clock is read from its task; its passing is the entry itself.
            Body::ClockFired { clock: ClockKind::Opinion, .. } => Ok(()),
            Body::ClockFired { clock: ClockKind::Connector, about, due } => {
                let error = || at.wrong(format!("no clock runs for call {about}"));
                self.clock_of_call(about).ok_or_else(error)?.fired = Some(*due);
                Ok(())
            }
            Body::PeriodRenewed { clock: ClockKind::Connector, about, budget, reason: _ } => {
                let error = || at.wrong(format!("no clock runs for call {about}"));
                let clock = self.clock_of_call(about).ok_or_else(error)?;
                let anew = Clock::running(ClockKind::Connector, *budget, entry.effective_at);
                *clock = Clock { about: about.clone(), ..anew };
                Ok(())
            }
            Body::ClockFired { clock, about, due } => {
                let error = || at.wrong(format!("no {} clock runs", clock.code()));
                let known = self.matter_mut(entry)?.law.fire(*clock, about, *due);
                known.then_some(()).ok_or_else(error)
            }
            Body::PeriodRenewed { clock, about, budget, reason: _ } => {
                let since = entry.effective_at;
                self.matter_mut(entry)?.law.renew_period(*clock, about, *budget, since);
                Ok(())
            }
            other => Err(at.wrong(format!("{other:?} concerns no clock"))),
        }
    }

    /// Returns the running clock of a call by the call's id, as clocks name what they are about.
    fn clock_of_call(&mut self, id: &str) -> Option<&mut Clock> {
        let call = self.call_mut(&id.parse().ok()?)?;
        call.clock.as_mut().filter(|clock| clock.is_running())
    }

    /// Folds cards, notices and repairs.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
    pub(super) fn fold_record(&mut self, entry: &Entry) -> Result<(), FoldError> {
        let at = self.at(entry);
        match &entry.body {
            Body::CardRaised(raised) => {
                let raised = Arc::clone(raised);
                let card =
                    Card { no: entry.seq, matter: entry.matter, raised, answers: Vec::new() };
                self.cards.insert(entry.seq, card);
            }
            Body::CardAnswered(answer) => {
                let error = || at.wrong(format!("there is no card {}", answer.card));
                let who = who(&entry.origin);
                let card = self.cards.get_mut(&answer.card).ok_or_else(error)?;
                card.answers.push((entry.recorded_at, who, Arc::clone(answer)));
            }
            Body::DocumentDrafted(drafted) => self.fold_drafted(entry, drafted),
            Body::DocumentSealed(sealed) => {
                let (digest, at) = (sealed.digest, entry.effective_at);
                let step = |state: &DocumentState| state.seal(at, sealed.seal.clone(), digest);
                return self.fold_document(entry, &sealed.number, step);
            }
            Body::DocumentServed(served) => {
                let step = |state: &DocumentState| state.record_service(served.service.clone());
                return self.fold_document(entry, &served.number, step);
            }
            Body::EntryVoided { entry: voided, reason: _ } => {
                self.voided.insert(*voided, entry.seq);
            }
            Body::CalendarChanged { version } => self.calendar = Some(version.clone()),
            other => return Err(at.wrong(format!("{other:?} is no record"))),
        }
        Ok(())
    }

    fn fold_drafted(&mut self, entry: &Entry, drafted: &Arc<DocumentDrafted>) {
        let document = Document {
            matter: entry.matter,
            drafted: Arc::clone(drafted),
            at: entry.seq,
            state: Arc::new(DocumentState::draft(entry.effective_at)),
        };
        self.documents.insert(drafted.number.to_string(), document);
    }

    /// Folds a step of a document, which its own state may refuse.
    fn fold_document(
        &mut self,
        entry: &Entry,
        number: &DocumentNo,
        step: impl Fn(&DocumentState) -> Result<DocumentState, DocumentRefusal>,
    ) -> Result<(), FoldError> {
        let at = self.at(entry);
        let missing = || at.wrong(format!("there is no document {number}"));
        let document = self.documents.get_mut(&number.to_string()).ok_or_else(missing)?;
        let state = step(&document.state).map_err(|refusal| at.wrong(refusal.to_string()))?;
        document.state = Arc::new(state);
        Ok(())
    }

    /// Returns the notices of one matter; 0 for those of the whole case.
    pub fn documents_of(&self, matter: MatterNo) -> impl Iterator<Item = &Document> {
        self.documents.values().filter(move |document| document.matter == matter)
    }

    /// Returns the notice that tells of an entry.
    pub fn document_about(&self, entry: Seq) -> Option<&Document> {
        self.documents.values().find(|document| document.drafted.about == entry)
    }

    /// Returns the notices that wait for their seal, in the order of their drafting.
    pub fn drafts(&self) -> impl Iterator<Item = &Document> {
        let drafts = self.documents.values();
        drafts.filter(|document| matches!(*document.state, DocumentState::Draft { .. }))
    }

    /// Returns the open corrections whose notice was served, or will count as served when its
    /// announcement ends, and whose period has not begun: the matter, and since when it runs.
    pub fn services(&self) -> impl Iterator<Item = (Moment, MatterNo)> {
        let open = self.matters.iter().filter(|matter| {
            let round = matter.law.correction();
            round.is_some_and(|round| round.served_at.is_none())
        });
        open.filter_map(|matter| {
            let notice = self.document_about(matter.asked_at)?;
            Some((notice.state.period_starts()?, matter.no))
        })
    }
}

impl Document {
    /// Returns its number.
    pub fn number(&self) -> &DocumentNo {
        &self.drafted.number
    }

    /// Returns its kind.
    pub fn kind(&self) -> DocumentKind {
        self.drafted.number.kind()
    }

    /// Returns when it was drafted.
    pub fn drafted_at(&self) -> Moment {
        self.state.drafted_at()
    }

    /// Returns how it was sealed, once it is.
    pub fn sealed(&self) -> Option<&Sealed> {
        match &*self.state {
            DocumentState::Draft { .. } => None,
            DocumentState::Sealed(sealed) | DocumentState::Served(Served { sealed, .. }) => {
                Some(sealed)
            }
        }
    }

    /// Returns how it was served, once it is.
    pub fn service(&self) -> Option<&Service> {
        match &*self.state {
            DocumentState::Draft { .. } | DocumentState::Sealed(_) => None,
            DocumentState::Served(served) => Some(&served.service),
        }
    }
}

fn who(origin: &Origin) -> String {
    match origin {
        Origin::Person { subject, .. } => subject.clone(),
        Origin::Agency { connector } => connector.clone(),
        Origin::Engine | Origin::Script | Origin::Clock => String::new(),
    }
}
