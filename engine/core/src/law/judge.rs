//! Judging: whether a requested act would hold, and if not, why. Changes nothing.

use crate::calendar::Calendar;
use crate::time::Moment;

use super::{
    Act, ActAnswer, ActKind, CORRECTION_GROUND, ClockKind, Ending, Law, NOT_ACCEPT_GROUNDS, Stage,
    Terms,
};

fn refused(code: &str, reason: impl Into<String>) -> ActAnswer {
    ActAnswer::refused(code, reason)
}

impl Law {
    /// Answers whether `act` would hold; changes nothing. `calendar` counts the days of rules
    /// that ask whether something was in time.
    pub fn judge(&self, act: &Act, calendar: &Calendar) -> ActAnswer {
        let answer = self.judge_standing(act, calendar);
        // Messages come twice and late: one that holds already is not out of order.
        if answer == ActAnswer::Done { self.judge_order(act) } else { answer }
    }

    fn judge_standing(&self, act: &Act, calendar: &Calendar) -> ActAnswer {
        use ActKind as K;
        match (&self.stage, act.kind) {
            (Stage::Filed, K::Receive) => self.judge_receipt(act),
            (Stage::Returned, K::Resubmit) => ActAnswer::Done,
            (_, K::Withdraw) if self.ending().is_none() => ActAnswer::Done,
            (Stage::Planned, K::NotFile) => judge_reasons(act, "不提交", "not filing"),
            (
                Stage::Filed
                | Stage::Returned
                | Stage::Received
                | Stage::Correcting
                | Stage::Accepted { .. }
                | Stage::ForwardedUp,
                K::Terminate,
            ) => self.judge_termination(act, calendar),
            (Stage::Received, K::NotAccept | K::AskCorrection | K::Return)
                if self.has_law_spoken(act.effective_at, calendar) =>
            {
                accepted_by_silence()
            }
            (Stage::Accepted { deemed: true }, K::NotAccept | K::Return) => accepted_by_silence(),
            (Stage::Filed | Stage::Received, K::Return) => judge_reasons(act, "退回", "a return"),
            (Stage::Received, K::Accept) => judge_promises(act),
            (Stage::Received, K::NotAccept) => judge_not_accept(act),
            (Stage::Received, K::DeemAccept) => self.judge_deemed(act, calendar),
            (
                Stage::Received | Stage::Correcting | Stage::Accepted { .. } | Stage::ForwardedUp,
                K::AskCorrection,
            ) => self.judge_correction(act),
            (_, K::ServeCorrection | K::SupplyCorrection) if self.ending().is_none() => {
                self.judge_round(act)
            }
            (Stage::Accepted { deemed: true }, K::RebutAcceptance) => {
                self.judge_rebuttal(act, calendar)
            }
            (Stage::Accepted { .. } | Stage::ForwardedUp, K::Suspend) => self.judge_suspend(act),
            (Stage::Accepted { .. } | Stage::ForwardedUp, K::Resume) => self.judge_resume(),
            (Stage::Accepted { .. } | Stage::ForwardedUp, K::Extend) => {
                self.judge_extend(act, calendar)
            }
            (Stage::Accepted { .. }, K::ForwardUp) => self.judge_forward(),
            (
                Stage::Accepted { .. } | Stage::ForwardedUp,
                K::Grant | K::GrantTolerant | K::Deny,
            ) => self.judge_decision(act),
            (Stage::Ended(ending), K::Revoke | K::MakeLicense | K::Deliver) => {
                self.judge_after(*ending, act)
            }
            (
                Stage::Received
                | Stage::Correcting
                | Stage::Accepted { .. }
                | Stage::ForwardedUp
                | Stage::Ended(_),
                K::Receive,
            )
            | (Stage::Accepted { .. } | Stage::ForwardedUp, K::Accept | K::DeemAccept)
            | (Stage::Returned, K::Return)
            | (Stage::Filed, K::Resubmit)
            | (Stage::ForwardedUp, K::ForwardUp) => ActAnswer::Already,
            (Stage::Ended(ending), kind) => judge_ended(*ending, kind),
            (stage, kind) => wrong_state(stage, kind),
        }
    }

    /// An act that takes effect before the one it builds on is out of order.
    fn judge_order(&self, act: &Act) -> ActAnswer {
        // By date: the clocks of two offices differ by seconds, and limits count days. Silence
        // counts from the receipt; a notice is proven with the date it bears.
        let looks_back = matches!(
            act.kind,
            ActKind::DeemAccept | ActKind::SupplyCorrection | ActKind::ServeCorrection
        );
        let handled = !looks_back && !matches!(self.stage, Stage::Planned | Stage::Filed);
        let since = self.since;
        if !handled || act.effective_at.date() >= since.date() {
            return ActAnswer::Done;
        }
        refused(
            "EFFECTIVE_TOO_EARLY",
            format!(
                "{0}的生效时间{1}早于前一行为{2} / {3} takes effect at {1}, before the act it follows at {2}",
                act.kind.name(),
                act.effective_at,
                since,
                act.kind.code(),
            ),
        )
    }

    /// Nobody is given more days than the rule has, nor fewer but where some were used before.
    fn judge_receipt(&self, act: &Act) -> ActAnswer {
        let Terms::Remaining { left } = &act.terms else {
            return ActAnswer::Done;
        };
        let used = self.clocks().iter().any(|clock| clock.kind == ClockKind::Acceptance);
        let fits = self.rules.acceptance.is_some_and(|whole| {
            left.unit == whole.unit && (1..=whole.amount).contains(&left.amount)
        });
        if used && fits {
            return ActAnswer::Done;
        }
        refused(
            "TERMS_WRONG",
            "剩余受理期限与规则不符 / what is said to be left of the office's days does not fit its rule",
        )
    }

    /// Tells whether the law has accepted for an office that was silent until `at`, recorded or
    /// not: what the office says later comes too late.
    fn has_law_spoken(&self, at: Moment, calendar: &Calendar) -> bool {
        self.rules.deemed_acceptance && !self.is_timely(ClockKind::Acceptance, at, calendar)
    }

    /// An officer gives his reasons; the clock ends a matter only by the matter's own rule, after
    /// the period for a correction has passed.
    fn judge_termination(&self, act: &Act, calendar: &Calendar) -> ActAnswer {
        let Terms::ByRule(rule) = &act.terms else {
            return judge_reasons(act, "终止", "a termination");
        };
        let own = &self.rules.correction.ends_by;
        let cited = !own.is_empty() && rule == own;
        if cited && !self.is_timely(ClockKind::Correction, act.effective_at, calendar) {
            return ActAnswer::Done;
        }
        refused(
            "NO_AUTOMATIC_END",
            "没有规定允许此时自动终止,须由工作人员决定 / no rule ends the matter by itself now; an officer decides",
        )
    }

    fn judge_deemed(&self, act: &Act, calendar: &Calendar) -> ActAnswer {
        if !self.rules.deemed_acceptance {
            return refused(
                "NO_DEEMED_ACCEPTANCE",
                "该类事项没有“逾期视为受理”的规定 / silence is no acceptance for this kind of matter",
            );
        }
        let Some(clock) = self.running(ClockKind::Acceptance) else {
            return refused("WRONG_STATE", "没有进行中的受理期限 / no acceptance clock runs");
        };
        let passed = clock.fired.is_some_and(|due| due >= self.due(clock, calendar, due).at);
        if !passed || act.effective_at != clock.since {
            return refused(
                "NOT_YET_DUE",
                "受理期限尚未届满;视为受理自收件之日起算 / the acceptance limit has not passed; silence accepts as of the receipt",
            );
        }
        ActAnswer::Done
    }

    fn judge_rebuttal(&self, act: &Act, calendar: &Calendar) -> ActAnswer {
        let Terms::Correction(list) = &act.terms else {
            return list_missing();
        };
        let mut clocks = self.clocks().iter().rev();
        let silence = clocks.find(|clock| clock.kind == ClockKind::Acceptance);
        if list.is_empty() || act.document_no.trim().is_empty() {
            return refused(
                "PROOF_MISSING",
                "须提供已按期发出的补正告知书文号和清单 / give the number and the list of the notice that went out in time",
            );
        }
        match (list.served_at, silence) {
            (Some(served), Some(clock))
                if served.date() >= clock.since.date()
                    && served <= self.due(clock, calendar, served).at =>
            {
                ActAnswer::Done
            }
            (_, _) => refused(
                "NOTICE_NOT_TIMELY",
                "告知未在受理期限内送达,视为受理成立 / the notice was not served within the limit; the acceptance stands",
            ),
        }
    }

    fn judge_correction(&self, act: &Act) -> ActAnswer {
        let Terms::Correction(list) = &act.terms else {
            return list_missing();
        };
        if let Some(open) = self.correction() {
            return if (&open.list.materials, &open.list.fields) == (&list.materials, &list.fields) {
                ActAnswer::Already
            } else {
                refused(
                    "CORRECTION_OPEN",
                    "上一次补正尚未完成,补正须一次性告知 / a correction is open, and what is missing is told once",
                )
            };
        }
        if list.is_empty() || list.text.trim().is_empty() {
            return list_missing();
        }
        let after = self.stage.is_handled();
        let done = self.corrections.iter().filter(|round| round.after_acceptance == after).count();
        let rule = &self.rules.correction;
        let most = if after { rule.rounds_after } else { rule.rounds };
        if done >= usize::from(most) {
            return refused(
                "CORRECTION_ROUNDS_USED",
                format!(
                    "补正须一次性告知,已告知 {done} 次,不得再次要求 / what is missing is told once; {done} rounds were used"
                ),
            );
        }
        ActAnswer::Done
    }

    fn judge_round(&self, act: &Act) -> ActAnswer {
        let Some(round) = self.correction() else {
            let told = self.corrections.last().is_some();
            return if told && act.kind == ActKind::SupplyCorrection {
                ActAnswer::Already
            } else {
                refused("NO_CORRECTION", "没有进行中的补正 / no correction is open")
            };
        };
        if act.kind == ActKind::ServeCorrection && round.served_at.is_some() {
            return ActAnswer::Already;
        }
        let day = act.effective_at.date();
        if act.kind == ActKind::ServeCorrection && day < round.asked_at.date() {
            return refused(
                "EFFECTIVE_TOO_EARLY",
                "送达时间早于补正告知 / the notice cannot have been served before it was made",
            );
        }
        if act.kind == ActKind::SupplyCorrection && act.effective_at < round.asked_at {
            return refused(
                "EFFECTIVE_TOO_EARLY",
                "补正时间早于补正告知 / the correction was supplied before it was asked for",
            );
        }
        ActAnswer::Done
    }

    fn judge_suspend(&self, act: &Act) -> ActAnswer {
        if let Some(open) = self.special_procedure() {
            return if open.ground == act.ground {
                ActAnswer::Already
            } else {
                refused(
                    "SUSPENDED",
                    format!(
                        "特别程序({0})尚未结束,不能开始另一项 / the special procedure ({0}) has not ended, so no other can begin",
                        open.ground,
                    ),
                )
            };
        }
        let known: Vec<&str> = self.rules.grounds().collect();
        if known.contains(&act.ground.as_str()) {
            return ActAnswer::Done;
        }
        unknown_ground(act, &known)
    }

    fn judge_resume(&self) -> ActAnswer {
        if self.special_procedure().is_some() {
            return ActAnswer::Done;
        }
        let mut past = self.suspensions().iter();
        if past.any(|past| past.ground != CORRECTION_GROUND) {
            return ActAnswer::Already;
        }
        // Its start may still be on the way; answered as held, it would never be sent again.
        refused("NOT_SUSPENDED", "没有开始过特别程序 / no special procedure has begun")
    }

    fn judge_extend(&self, act: &Act, calendar: &Calendar) -> ActAnswer {
        let Terms::Extension { by, approved_by } = &act.terms else {
            return refused("EXTENSION_MISSING", "须说明延长多久 / say how much longer");
        };
        let Some(most) = self.rules.extension else {
            return refused(
                "NO_EXTENSION",
                "该事项没有延期的法定依据 / no rule lets this matter be extended",
            );
        };
        if self.was_extended(*by, act.effective_at) {
            return ActAnswer::Already;
        }
        if self.is_extended() {
            return refused("EXTENDED_BEFORE", "已延期一次,不得再次延期 / it was extended before");
        }
        if by.unit != most.unit || by.amount == 0 || by.amount > most.amount {
            return refused(
                "EXTENSION_TOO_LONG",
                format!("延期最长 {most} / an extension may take at most {most}"),
            );
        }
        if act.ground.trim().is_empty() || approved_by.trim().is_empty() {
            return refused(
                "REASONS_MISSING",
                "延期须经机关负责人批准并告知理由 / an extension needs the head's approval and a reason told to the applicant",
            );
        }
        let Some(clock) = self.running(ClockKind::Statutory) else {
            return refused("WRONG_STATE", "没有进行中的法定期限 / no statutory clock runs");
        };
        if clock.budget.unit != by.unit {
            return refused(
                "EXTENSION_UNIT",
                format!(
                    "法定期限为 {0},延期须用同一单位 / the limit is {0}, an extension is counted in the same unit",
                    clock.budget
                ),
            );
        }
        if act.effective_at > self.due(clock, calendar, act.effective_at).at {
            return refused(
                "LIMIT_PASSED",
                "法定期限已届满,不能再延期 / the limit has passed, it cannot be extended any more",
            );
        }
        ActAnswer::Done
    }

    fn judge_forward(&self) -> ActAnswer {
        if self.rules.first_review.is_none() {
            return refused(
                "NO_HIGHER_OFFICE",
                "该事项不由上级机关决定,不能转报 / no higher office decides this matter",
            );
        }
        self.judge_open_questions("转报", "forward_up").unwrap_or(ActAnswer::Done)
    }

    fn judge_decision(&self, act: &Act) -> ActAnswer {
        if let Some(answer) = self.judge_open_questions(act.kind.name(), act.kind.code()) {
            return answer;
        }
        if act.kind == ActKind::Deny {
            return judge_reasons(act, "不予许可", "a denial");
        }
        ActAnswer::Done
    }

    /// A decision comes after its special procedure, and after the correction it asked for or the
    /// period for it.
    fn judge_open_questions(&self, name: &str, code: &str) -> Option<ActAnswer> {
        if let Some(suspension) = self.special_procedure() {
            return Some(refused(
                "SUSPENDED",
                format!(
                    "特别程序({0})尚未结束,不能{name} / the special procedure ({0}) has not ended, so {code} is refused",
                    suspension.ground,
                ),
            ));
        }
        let waits = self.correction().is_some()
            && self.running(ClockKind::Correction).is_none_or(|clock| clock.fired.is_none());
        waits.then(|| {
            refused(
                "CORRECTION_OPEN",
                format!(
                    "申请人补正期限未满,不能{name} / the applicant still has time to correct, so {code} is refused"
                ),
            )
        })
    }

    fn judge_after(&self, ending: Ending, act: &Act) -> ActAnswer {
        let grant = ending.is_grant();
        let (possible, already) = if act.kind == ActKind::Revoke {
            (grant, self.revoked.is_some())
        } else if act.kind == ActKind::MakeLicense {
            (
                grant && (self.revoked.is_none() || self.license_made.is_some()),
                self.license_made.is_some(),
            )
        } else {
            (grant || ending == Ending::Denied, self.delivered.is_some())
        };
        match (possible, already) {
            (false, _) => judge_ended(ending, act.kind),
            (true, true) => ActAnswer::Already,
            (true, false) if act.kind == ActKind::Revoke => {
                judge_reasons(act, "撤销", "a revocation")
            }
            (true, false) => ActAnswer::Done,
        }
    }

    /// Tells whether something effective at `at` is within the running period of `kind`, by the
    /// time it took effect and not by the time it was recorded.
    pub fn is_timely(&self, kind: ClockKind, at: Moment, calendar: &Calendar) -> bool {
        self.running(kind).is_none_or(|clock| at <= self.due(clock, calendar, at).at)
    }
}

fn wrong_state(stage: &Stage, kind: ActKind) -> ActAnswer {
    refused(
        "WRONG_STATE",
        format!(
            "事项处于“{}”,不能{} / the matter is {}, it cannot {}",
            stage.name(),
            kind.name(),
            stage.code(),
            kind.code()
        ),
    )
}

fn accepted_by_silence() -> ActAnswer {
    refused(
        "ACCEPTED_BY_SILENCE",
        "受理期限内未告知,依法自收件之日起视为受理 / the office was silent past its limit; the law accepts as of the receipt",
    )
}

fn list_missing() -> ActAnswer {
    refused(
        "LIST_MISSING",
        "补正须一次性列明全部材料或内容,并说明问题 / a correction names every material or field and says what is wrong",
    )
}

fn judge_reasons(act: &Act, zh: &str, en: &str) -> ActAnswer {
    if act.ground.trim().is_empty() {
        return refused("REASONS_MISSING", format!("{zh}必须说明理由 / {en} needs its reasons"));
    }
    ActAnswer::Done
}

fn judge_not_accept(act: &Act) -> ActAnswer {
    if NOT_ACCEPT_GROUNDS.iter().any(|(code, _)| *code == act.ground) {
        return ActAnswer::Done;
    }
    let known: Vec<&str> = NOT_ACCEPT_GROUNDS.iter().map(|(code, _)| *code).collect();
    unknown_ground(act, &known)
}

fn judge_promises(act: &Act) -> ActAnswer {
    if let Terms::Promises(promises) = &act.terms
        && promises.iter().enumerate().any(|(index, promise)| {
            let mut earlier = promises[..index].iter();
            promise.within.amount == 0 || earlier.any(|other| other.material == promise.material)
        })
    {
        return refused(
            "PROMISE_MISSING",
            "容缺受理须为每份材料约定一个补交期限 / each material that may come later needs one date",
        );
    }
    ActAnswer::Done
}

fn unknown_ground(act: &Act, known: &[&str]) -> ActAnswer {
    refused(
        "GROUND_UNKNOWN",
        format!(
            "{}须有法定事由,可用:{} / {} needs one of the grounds {}",
            act.kind.name(),
            known.join("、"),
            act.kind.code(),
            known.join(", ")
        ),
    )
}

fn judge_ended(ending: Ending, kind: ActKind) -> ActAnswer {
    let endings = [
        (ActKind::Grant, Ending::Granted),
        (ActKind::GrantTolerant, Ending::GrantedTolerant),
        (ActKind::Deny, Ending::Denied),
        (ActKind::NotAccept, Ending::NotAccepted),
        (ActKind::NotFile, Ending::NotFiled),
        (ActKind::Withdraw, Ending::Withdrawn),
        (ActKind::Terminate, Ending::Terminated),
    ];
    if endings.contains(&(kind, ending)) {
        return ActAnswer::Already;
    }
    let stage = Stage::Ended(ending);
    refused(
        "MATTER_ENDED",
        format!(
            "事项已经“{}”,不能再{} / the matter has ended as {}, {} is refused",
            stage.name(),
            kind.name(),
            stage.code(),
            kind.code()
        ),
    )
}
