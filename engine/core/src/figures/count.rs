//! Counting one case: its log up to a moment, walked once for what happened and read once for
//! how it stands.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Basis, Bucket, Month, Stuck, Sums};
use crate::card::CardAnswerKind;
use crate::case::{Case, FoldError, Matter};
use crate::entry::{Body, Entry};
use crate::guide::guide;
use crate::id::{CaseId, DepartmentCode, MatterNo};
use crate::law::{Act, ActAnswer, ActKind, Clock, ClockKind};
use crate::material::{Cause, Found, Requirement};
use crate::schedule::Reading;
use crate::time::{Moment, Unit};

/// Figures of one case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CaseFigures {
    /// The sums, kept apart.
    pub rows: BTreeMap<Bucket, Sums>,
    /// The matters that wait for somebody, as of the end of the span.
    pub stuck: Vec<Stuck>,
}

impl CaseFigures {
    /// Counts a case by its log, as it was known at the end of the span. `None` when the case
    /// did not exist by then.
    ///
    /// # Errors
    /// When the log is impossible.
    pub fn of_log(
        id: CaseId,
        entries: &[Entry],
        basis: &Basis<'_>,
    ) -> Result<Option<Self>, FoldError> {
        let until = basis.span.until;
        let known = entries.partition_point(|entry| entry.recorded_at <= until);
        if known == 0 {
            return Ok(None);
        }
        let case = Case::from_entries(id, &entries[..known])?;
        let mut count = Count { case: &case, basis: *basis, figures: Self::default() };
        count.basis.reading.now = until;
        count.walk(&entries[..known]);
        count.look();
        Ok(Some(count.figures))
    }
}

/// When things happened to one matter.
#[derive(Clone, Copy, Default)]
struct Story {
    accepted: Option<(Moment, Silence)>,
    ended: Option<Moment>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Silence {
    Broken,
    Deemed,
}

/// A count under way.
struct Count<'a> {
    case: &'a Case,
    basis: Basis<'a>,
    figures: CaseFigures,
}

impl<'a> Count<'a> {
    /// Returns the sums in which something of a department counts that took effect at `at`;
    /// nothing outside the span.
    fn sums(&mut self, department: &DepartmentCode, at: Moment) -> Option<&mut Sums> {
        if !self.basis.span.holds(at) {
            return None;
        }
        let bucket = Bucket {
            region: self.case.started.region.clone(),
            department: department.clone(),
            service: self.case.started.service.clone(),
            month: Month::of(at),
        };
        Some(self.figures.rows.entry(bucket).or_default())
    }

    fn reading(&self) -> Reading<'a> {
        self.basis.reading
    }

    /// Walks the log for what happened and when.
    fn walk(&mut self, entries: &[Entry]) {
        let mut stories: BTreeMap<MatterNo, Story> = BTreeMap::new();
        let mut submitted = None;
        let mut corrections = 0;
        for entry in entries {
            let at = entry.effective_at;
            if let Body::CaseSubmitted = &entry.body {
                submitted = Some(at);
                self.submitted(at);
            }
            let Some(matter) = self.case.matter(entry.matter) else { continue };
            if let Body::MatterFiled(_) = &entry.body {
                self.filed(matter, at);
            }
            if let Body::Acted { act, answer: ActAnswer::Done, request: _ } = &entry.body {
                stories.entry(matter.no).or_default().happened(act);
                corrections += self.corrected(matter, act);
            }
        }
        let case = self.case;
        if let Some(sums) = submitted.and_then(|at| self.sums(&case.started.lead, at)) {
            sums.case_corrections += corrections;
        }
        for (no, story) in stories {
            if let Some(matter) = self.case.matter(no) {
                self.told(matter, story);
            }
        }
    }

    /// Counts a correction that an act asked for, and tells how many it was.
    fn corrected(&mut self, matter: &Matter, act: &Act) -> u64 {
        if !matches!(act.kind, ActKind::AskCorrection | ActKind::RebutAcceptance) {
            return 0;
        }
        if let Some(sums) = self.sums(&matter.planned.department, act.effective_at) {
            sums.corrections += 1;
        }
        1
    }

    /// Reads how things stand at the end of the span.
    fn look(&mut self) {
        let case = self.case;
        for matter in &case.matters {
            let department = &matter.planned.department;
            if matter.is_open() && matter.law.suspended().is_some() {
                let until = self.basis.span.until;
                if let Some(sums) = self.sums(department, until) {
                    sums.suspended_now += 1;
                }
            }
            self.suspensions(matter);
            if case.submitted.is_some() {
                self.figures.stuck.extend(Stuck::of(case, matter, self.basis.reading));
            }
        }
        for card in case.cards.values() {
            let Some(matter) = case.matter(card.matter) else { continue };
            let office = card.raised.to.clone();
            let key = (card.raised.level, office);
            let replied = card.answers.iter().any(|(_, _, answer)| {
                matches!(answer.kind, CardAnswerKind::Reply | CardAnswerKind::Appeal)
            });
            if let Some(sums) = self.sums(&matter.planned.department, card.raised.at) {
                let cards = sums.cards.entry(key).or_default();
                if card.counts() {
                    cards.raised += 1;
                    cards.answered += u64::from(replied);
                } else {
                    cards.lifted += 1;
                }
            }
        }
    }

    fn submitted(&mut self, at: Moment) {
        let case = self.case;
        if let Some(sums) = self.sums(&case.started.lead, at) {
            sums.cases += 1;
        }
        let Some(closure) = self.basis.closure else { return };
        let selected: Vec<bool> = case.matters.iter().map(Matter::is_included).collect();
        let design = guide(closure, &selected, &case.started.answers);
        for pair in &design.requirements {
            let Some(of) = closure.matters.get(&pair.matter.code) else { continue };
            if let Some(sums) = self.sums(&of.department, at) {
                sums.exemption.design_pairs += 1;
                sums.exemption.design_handed_in += u64::from(pair.supply.is_handed_in());
            }
        }
    }

    fn filed(&mut self, matter: &Matter, at: Moment) {
        let Some(sums) = self.sums(&matter.planned.department, at) else { return };
        sums.filed += 1;
        for requirement in &matter.requirements {
            count_pair(sums, requirement);
        }
    }

    fn told(&mut self, matter: &Matter, story: Story) {
        let department = &matter.planned.department;
        if let Some((at, silence)) = story.accepted
            && let Some(sums) = self.sums(department, at)
        {
            sums.accepted += 1;
            sums.deemed += u64::from(silence == Silence::Deemed);
        }
        let Some(at) = story.ended else { return };
        let code = matter.law.stage.code();
        if let Some(sums) = self.sums(department, at) {
            *sums.ended.entry(code).or_default() += 1;
        }
        for kind in [ClockKind::Promised, ClockKind::Statutory] {
            let last = matter.law.clocks().iter().rev().find(|clock| clock.kind == kind);
            if let Some(clock) = last {
                self.timely(matter, clock, at);
            }
        }
    }

    fn timely(&mut self, matter: &Matter, clock: &Clock, at: Moment) {
        let now = self.reading().now;
        let calendar = self.reading().calendar(self.case, matter.no);
        let due = matter.law.due(clock, calendar, now).at;
        let days = u64::from(matter.law.used_days(clock, calendar, now));
        let promised = u64::from(clock.budget.amount.saturating_add(clock.more));
        let Some(sums) = self.sums(&matter.planned.department, at) else { return };
        let is_promise = clock.kind == ClockKind::Promised;
        let kept = if is_promise { &mut sums.promised } else { &mut sums.statutory };
        kept.ended += 1;
        kept.on_time += u64::from(clock.stopped.unwrap_or(at) <= due);
        if is_promise && clock.budget.unit == Unit::WorkingDays {
            sums.used.matters += 1;
            sums.used.days += days;
            sums.used.promised_days += promised;
        }
    }

    /// Counts suspensions; a day that two of them cover is one.
    fn suspensions(&mut self, matter: &Matter) {
        let now = self.reading().now;
        let calendar = self.reading().calendar(self.case, matter.no);
        let mut all: Vec<_> = matter.law.suspensions().iter().collect();
        all.sort_by_key(|suspension| suspension.from);
        let promised = matter.law.clocks().iter().rev();
        let mut handling = promised.filter(|clock| clock.kind.pauses());
        let accepted = handling.next().map(|clock| clock.since.date());
        let mut covered = Date::MIN;
        for suspension in all {
            let (from, until) = (suspension.from.date(), suspension.until.unwrap_or(now).date());
            let before = from.yesterday().unwrap_or(Date::MIN).max(covered);
            let days = calendar.working_days(before, until.max(before));
            covered = covered.max(until);
            if let Some(sums) = self.sums(&matter.planned.department, suspension.from) {
                sums.suspensions += 1;
                sums.suspended_days += u64::from(days);
                sums.suspended_at_once += u64::from(accepted == Some(from));
            }
        }
    }
}

impl Story {
    fn happened(&mut self, act: &Act) {
        use ActKind as K;
        let at = act.effective_at;
        match act.kind {
            K::Accept => self.accepted = Some((at, Silence::Broken)),
            K::DeemAccept => self.accepted = Some((at, Silence::Deemed)),
            K::RebutAcceptance => self.accepted = None,
            K::NotAccept
            | K::NotFile
            | K::Grant
            | K::GrantTolerant
            | K::Deny
            | K::Withdraw
            | K::Terminate => self.ended = Some(at),
            K::Receive
            | K::Suspend
            | K::Resume
            | K::Return
            | K::Resubmit
            | K::AskCorrection
            | K::ServeCorrection
            | K::SupplyCorrection
            | K::Extend
            | K::ForwardUp
            | K::Revoke
            | K::MakeLicense
            | K::Deliver => {}
        }
    }
}

/// What the applicant handed in once was asked of him, whatever took its place later; and an
/// upload that a failed source left to him is no exemption, but has a cause.
pub(super) fn count_pair(sums: &mut Sums, requirement: &Requirement) {
    let exemption = &mut sums.exemption;
    exemption.pairs += 1;
    let is_upload = |how: &Found| matches!(how, Found::Given { .. });
    let handed_in =
        is_upload(&requirement.how) || requirement.before.iter().any(|(_, how)| is_upload(how));
    if handed_in {
        exemption.handed_in += 1;
    } else if requirement.how.is_exempted() {
        *exemption.by_cause.entry(requirement.how.code()).or_default() += 1;
        return;
    } else {
        exemption.open += 1;
    }
    let failed = requirement.attempts.iter().rev().map(|(_, attempt)| attempt.cause);
    if let Some(cause) = failed.into_iter().find(|cause| *cause != Cause::Found) {
        *exemption.fallbacks.entry(cause.code()).or_default() += 1;
    }
}
