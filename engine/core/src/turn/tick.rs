//! Time has passed: timers fire, clocks have their consequences, cards are raised.
//!
//! What speaks for the applicant comes first, what goes against him last: a deemed acceptance or
//! a timer before a missed correction, and everything that came in this turn before any of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::card::{CardAnswer, CardAnswerKind};
use crate::case::FoldError;
use crate::command::{Answer, Refusal};
use crate::entry::{Body, IncidentKind, Origin};
use crate::id::{MatterNo, RoleCode, Seq};
use crate::law::{ActKind, ClockKind};
use crate::read_model;
use crate::request::Decision;
use crate::schedule::{self, ClockKey, Passing, Reading, Rung};
use crate::time::Moment;
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::Turn;
use super::accept::person;

impl Turn<'_> {
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading {
            calendars: self.context.calendars,
            organisation: self.context.organisation,
            now: self.context.now,
        }
    }

    /// Lets everything happen that is due.
    pub(super) fn tick(&mut self) -> Result<Answer, FoldError> {
        let now = self.context.now;
        let mut due: Vec<(Moment, MatterNo, crate::request::RequestKey)> =
            schedule::timers(&self.case)
                .filter(|(at, _, _)| *at <= now)
                .map(|(at, matter, key)| (at, matter, key.clone()))
                .collect();
        due.sort();
        for (due, matter, request) in due {
            self.push(matter, Origin::Clock, Body::TimerFired { request, due })?;
        }
        self.count_services(&Origin::Clock)?;
        let mut passed = schedule::passings(&self.case, self.reading());
        passed.retain(|passing| passing.due < now);
        passed.sort_by_key(|passing| (passing.adverse, passing.due));
        for passing in passed {
            self.pass(&passing)?;
        }
        let mut rungs = schedule::rungs(&self.case, self.reading());
        rungs.retain(|rung| rung.card.at <= now);
        self.raise_cards(rungs)?;
        Ok(Answer::Done)
    }

    /// Raises what the clocks that this turn stopped had reached before: an answer that comes
    /// late does not take back that it is late.
    pub(super) fn raise_missed(&mut self, over: &BTreeSet<ClockKey>) -> Result<(), FoldError> {
        let missed = schedule::missed(&self.case, self.reading(), over);
        self.raise_cards(missed)
    }

    fn raise_cards(&mut self, rungs: Vec<Rung>) -> Result<(), FoldError> {
        for rung in rungs {
            let body = Body::CardRaised(Arc::new(rung.card));
            self.push(rung.matter, Origin::Clock, body)?;
        }
        Ok(())
    }

    /// What silence had brought about before `at` comes before an act that took effect then, as if
    /// the clock had been looked at in between. An act that took effect in time comes first,
    /// however late it is recorded; and what goes against the applicant waits for the tick, which
    /// comes after everything that was under way.
    pub(super) fn hear_silence(&mut self, no: MatterNo, at: Moment) -> Result<(), FoldError> {
        let at = at.min(self.context.now);
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        for passing in schedule::silences(&self.case, matter, (self.reading(), at)) {
            self.pass(&passing)?;
        }
        Ok(())
    }

    /// Records that a clock passed and lets its rule speak.
    fn pass(&mut self, passing: &Passing) -> Result<(), FoldError> {
        let Passing { due, matter: no, clock, about, adverse: _ } = passing;
        // A consequence before this one may have stopped the clock.
        let still = schedule::passings(&self.case, self.reading());
        if !still.contains(passing) {
            return Ok(());
        }
        let body = Body::ClockFired { clock: *clock, about: about.clone(), due: *due };
        self.push(*no, Origin::Clock, body)?;
        match clock {
            ClockKind::Acceptance => self.deem_accepted(*no),
            ClockKind::Correction => self.correction_missed(*no),
            ClockKind::Tolerance => self.promise_missed(*no, about),
            ClockKind::Opinion => self.deem_agreed(about),
            ClockKind::Connector => self.agency_late(about, *due),
            ClockKind::Statutory
            | ClockKind::Promised
            | ClockKind::FirstReview
            | ClockKind::Issuing
            | ClockKind::Task => Ok(()),
        }
    }

    /// 视为受理: effective on the day of receipt, the elapsed days consumed, and the department
    /// is told that its silence had this effect.
    fn deem_accepted(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let matter = self.case.matter(no);
        let clock = matter.and_then(|matter| matter.law.running(ClockKind::Acceptance));
        let Some(since) = clock.map(|clock| clock.since) else {
            return Ok(());
        };
        let mut act = self.act_now(ActKind::DeemAccept, "").with(self.promises(no));
        act.effective_at = since;
        self.request_act(no, Origin::Clock, act, None)?;
        self.raise(
            no,
            IncidentKind::DeemedAccepted,
            "部门逾期未告知,依法自收件之日起视为受理;如已按期告知,请提交证明 / the office was silent past its limit, the law accepts as of the receipt; if notice had been given in time, submit the proof",
        )?;
        Ok(())
    }

    /// 默认同意: a consulted department that does not answer in time is deemed to agree.
    fn deem_agreed(&mut self, task: &str) -> Result<(), FoldError> {
        let open = self.case.open_tasks().find(|open| open.no.to_string() == task);
        let Some((task, matter)) = open.map(|open| (open.no, open.matter)) else {
            return Ok(());
        };
        let decision = Decision {
            granted: true,
            opinion: "逾期未答复,视为同意 / no answer in time, deemed to agree".to_owned(),
            officer: String::new(),
            fields: Value::of([("deemed", true.into())]),
        };
        self.push(matter, Origin::Clock, Body::TaskCompleted { task, decision })?;
        Ok(())
    }

    /// Replies to a card, appeals against it, or decides the appeal.
    pub(super) fn answer_card(
        &mut self,
        by: &Viewer,
        card: Seq,
        said: (CardAnswerKind, &str),
    ) -> Result<Answer, FoldError> {
        let (kind, text) = said;
        match self.check_card_answer(by, card, kind, text) {
            Err(refusal) => Ok(Answer::Refused(refusal)),
            Ok(matter) => {
                let answer = CardAnswer { card, kind, text: text.to_owned() };
                self.push(matter, person(by), Body::CardAnswered(Arc::new(answer)))?;
                Ok(Answer::Done)
            }
        }
    }

    fn check_card_answer(
        &self,
        by: &Viewer,
        no: Seq,
        kind: CardAnswerKind,
        text: &str,
    ) -> Result<MatterNo, Refusal> {
        let Some(card) = self.case.cards.get(&no) else {
            return Err(Refusal::new("CARD_NOT_FOUND", "没有这张督办牌", "there is no such card"));
        };
        if text.trim().is_empty() {
            return Err(Refusal::new("REASONS_MISSING", "请填写内容", "say something").at(["text"]));
        }
        let at_window = card.raised.to.ends_with(".window");
        let office = match self.case.matter(card.matter).filter(|_| at_window) {
            Some(matter) => matter.planned.department.clone(),
            None => RoleCode::new(card.raised.to.as_str()).department(),
        };
        let own = by.departments.contains(&office);
        let may = match kind {
            CardAnswerKind::Reply | CardAnswerKind::Appeal => match by.role {
                Role::Approver | Role::OfficeHead => own,
                Role::WindowClerk => card.raised.to.ends_with(".window"),
                Role::Applicant | Role::Integrator | Role::Supervisor | Role::SystemAdmin => false,
            },
            CardAnswerKind::AppealUpheld | CardAnswerKind::AppealRejected => {
                by.role == Role::Supervisor
            }
        };
        if !may {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "督办牌由被督办部门答复或申诉,申诉由督查人员裁定",
                "the office answers or appeals, a supervisor decides the appeal",
            ));
        }
        let decides = matches!(kind, CardAnswerKind::AppealUpheld | CardAnswerKind::AppealRejected);
        let again = kind == CardAnswerKind::Appeal
            && card.answers.iter().any(|(_, _, answer)| answer.kind == CardAnswerKind::Appeal);
        if again || (decides && !card.is_appealed()) {
            return Err(Refusal::new(
                "NO_APPEAL_OPEN",
                "没有待裁定的申诉,或已申诉过",
                "no appeal waits, or one was made before",
            ));
        }
        Ok(card.matter)
    }

    /// Reads the open deadlines of the case from newly loaded calendars.
    pub(super) fn calendar_changed(&mut self) -> Result<Answer, FoldError> {
        let version = read_model::calendars_of(&self.case, self.context.calendars);
        let behind = match &self.case.calendar {
            Some(known) => *known != version,
            None => self.case.matters.iter().any(|matter| {
                let filed = matter.filed.as_ref();
                filed.is_some_and(|filed| filed.calendar != self.calendar(matter.no).version())
            }),
        };
        let open = self.case.matters.iter().any(crate::case::Matter::is_open);
        if open && behind {
            let body = Body::CalendarChanged { version };
            self.push(MatterNo::COORDINATOR, Origin::Engine, body)?;
        }
        Ok(Answer::Done)
    }
}
