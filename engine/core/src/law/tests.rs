//! Every stage against every act, and what clocks make of suspensions.

use super::*;

fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

fn calendar() -> Calendar {
    Calendar::national()
}

fn act(kind: ActKind, when: &str, ground: &str) -> Act {
    Act::new(kind, at(when), ground)
}

fn limits() -> Limits {
    Limits {
        statutory: Some("20 working days".parse().unwrap()),
        promised: Some("5 working days".parse().unwrap()),
    }
}

fn received(regime: Regime) -> Law {
    let mut law = Law::planned(at("2026-03-02T09:00:00+08:00"));
    assert!(law.file(at("2026-03-02T09:00:00+08:00"), Rules::of(regime, limits())));
    law.done(&act(ActKind::Receive, "2026-03-02T10:00:00+08:00", ""));
    law
}

fn accepted() -> Law {
    let mut law = received(Regime::Licence);
    law.done(&act(ActKind::Accept, "2026-03-02T10:00:00+08:00", ""));
    law
}

impl Law {
    #[track_caller]
    fn done(&mut self, act: &Act) {
        assert_eq!(self.judge(act, &calendar()), ActAnswer::Done, "{act:?}");
        assert!(self.apply(act), "{act:?}");
    }

    fn refusal(&self, act: &Act) -> String {
        match self.judge(act, &calendar()) {
            ActAnswer::Refused { code, .. } => code,
            ActAnswer::Done => "Done".to_owned(),
            ActAnswer::Already => "Already".to_owned(),
        }
    }

    fn due_on(&self, kind: ClockKind, now: &str) -> String {
        let clock = self.clocks().iter().rev().find(|clock| clock.kind == kind);
        self.due(clock.unwrap(), &calendar(), at(now)).at.date().to_string()
    }
}

fn list(text: &str) -> Terms {
    Terms::Correction(CorrectionList {
        materials: vec!["title".to_owned()],
        text: text.to_owned(),
        ..CorrectionList::default()
    })
}

/// The usual content of each act, so that a table shows states and not missing words.
fn usual(kind: ActKind) -> Act {
    let when = "2026-03-03T11:00:00+08:00";
    let extension =
        Terms::Extension { by: "10 working days".parse().unwrap(), approved_by: "head".to_owned() };
    let special = [
        (ActKind::NotAccept, "no_competence", Terms::None),
        (ActKind::Suspend, "hearing", Terms::None),
        (ActKind::AskCorrection, "", list("缺页")),
        (ActKind::Extend, "案情复杂", extension),
    ];
    let found = special.into_iter().find(|(known, _, _)| *known == kind);
    let (_, ground, terms) = found.unwrap_or((kind, "理由", Terms::None));
    act(kind, when, ground).with(terms)
}

#[test]
fn every_stage_answers_every_act() {
    let mut correcting = received(Regime::Licence);
    correcting.done(&usual(ActKind::AskCorrection));
    let mut returned = received(Regime::Licence);
    returned.done(&usual(ActKind::Return));
    let mut suspended = accepted();
    suspended.done(&usual(ActKind::Suspend));
    let mut granted = accepted();
    granted.done(&usual(ActKind::Grant));
    let mut denied = accepted();
    denied.done(&usual(ActKind::Deny));
    let mut reviewed = accepted();
    reviewed.rules.first_review = Some("20 working days".parse().unwrap());
    let mut forwarded = reviewed.clone();
    forwarded.done(&usual(ActKind::ForwardUp));
    let mut filed = Law::planned(at("2026-03-02T09:00:00+08:00"));
    let planned = filed.clone();
    assert!(filed.file(at("2026-03-02T09:00:00+08:00"), Rules::of(Regime::Licence, limits())));
    let rows = [
        ("planned", planned),
        ("filed", filed),
        ("returned", returned),
        ("received", received(Regime::Licence)),
        ("correcting", correcting),
        ("accepted", accepted()),
        ("suspended", suspended),
        ("first review", reviewed),
        ("forwarded", forwarded),
        ("granted", granted),
        ("denied", denied),
    ];
    let mut table = String::new();
    for (name, law) in rows {
        table.push_str(name);
        table.push(':');
        for (kind, code, _) in ActKind::ALL {
            let answer = match law.judge(&usual(kind), &calendar()) {
                ActAnswer::Done => code.to_owned(),
                ActAnswer::Already => format!("({code})"),
                ActAnswer::Refused { .. } => continue,
            };
            table.push(' ');
            table.push_str(&answer);
        }
        table.push('\n');
    }
    // Named: done. In brackets: held already. Not named: refused.
    expect_test::expect![[r#"
        planned: not_file withdraw
        filed: receive withdraw terminate return (resubmit)
        returned: withdraw terminate (return) resubmit
        received: (receive) accept not_accept withdraw terminate return ask_correction
        correcting: (receive) withdraw terminate (ask_correction) serve_correction supply_correction
        accepted: (receive) (accept) suspend grant grant_tolerant deny withdraw terminate (deem_accept) ask_correction extend
        suspended: (receive) (accept) (suspend) resume withdraw terminate (deem_accept) ask_correction extend
        first review: (receive) (accept) suspend grant grant_tolerant deny withdraw terminate (deem_accept) ask_correction extend forward_up
        forwarded: (receive) (accept) suspend grant grant_tolerant deny withdraw terminate (deem_accept) ask_correction extend (forward_up)
        granted: (receive) (grant) revoke make_license deliver
        denied: (receive) (deny) deliver
    "#]].assert_eq(&table);
}

#[test]
fn refusals_to_accept_need_an_enumerated_ground() {
    let law = received(Regime::Licence);
    let refuse =
        |ground| law.refusal(&act(ActKind::NotAccept, "2026-03-03T09:00:00+08:00", ground));
    assert_eq!(refuse("conditions unmet"), "GROUND_UNKNOWN");
    assert_eq!(refuse("no_competence"), "Done");
}

#[test]
fn a_suspension_moves_the_due_day_and_blocks_the_decision() {
    let mut law = accepted();
    let now = "2026-03-20T09:00:00+08:00";
    assert_eq!(law.due_on(ClockKind::Promised, now), "2026-03-09");
    let hearing = act(ActKind::Suspend, "2026-03-03T09:00:00+08:00", "hearing");
    law.done(&hearing);
    assert_eq!(law.refusal(&hearing), "Already");
    assert_eq!(law.refusal(&act(ActKind::Deny, "2026-03-04T09:00:00+08:00", "x")), "SUSPENDED");
    law.done(&act(ActKind::Resume, "2026-03-06T09:00:00+08:00", ""));
    // The day of the suspension is not consumed; counting goes on after the day of resumption.
    assert_eq!(law.due_on(ClockKind::Promised, now), "2026-03-13");
}

#[test]
fn a_hearing_stops_the_clock_across_the_spring_festival() {
    let mut law = received(Regime::Licence);
    law.since = at("2026-02-09T09:00:00+08:00");
    law.done(&act(ActKind::Accept, "2026-02-09T10:00:00+08:00", ""));
    // 10 and 11 February are counted; the clock stands from the 12th to 25 February.
    law.done(&act(ActKind::Suspend, "2026-02-12T09:00:00+08:00", "hearing"));
    law.done(&act(ActKind::Resume, "2026-02-25T17:00:00+08:00", ""));
    // Two of five days were used; three are left: 26, 27 and 28 February (a make-up workday).
    assert_eq!(law.due_on(ClockKind::Promised, "2026-03-10T09:00:00+08:00"), "2026-02-28");
}

#[test]
fn an_act_cannot_take_effect_before_the_one_it_follows() {
    let early = act(ActKind::Grant, "2026-03-01T09:00:00+08:00", "");
    assert_eq!(accepted().refusal(&early), "EFFECTIVE_TOO_EARLY");
}

#[test]
fn adverse_acts_need_their_reasons() {
    let silent = |kind| act(kind, "2026-03-04T09:00:00+08:00", " ");
    assert_eq!(accepted().refusal(&silent(ActKind::Deny)), "REASONS_MISSING");
    assert_eq!(accepted().refusal(&silent(ActKind::Terminate)), "REASONS_MISSING");
    assert_eq!(received(Regime::Licence).refusal(&silent(ActKind::Return)), "REASONS_MISSING");
}

fn deemed(law: &mut Law) -> Act {
    let clock = law.running(ClockKind::Acceptance).cloned().unwrap();
    let due = law.due(&clock, &calendar(), clock.since).at;
    assert!(law.fire(ClockKind::Acceptance, "", due));
    Act::new(ActKind::DeemAccept, clock.since, "")
}

#[test]
fn silence_accepts_a_licence_as_of_the_receipt_and_no_registration() {
    let mut law = received(Regime::Licence);
    let early = Act::new(ActKind::DeemAccept, at("2026-03-02T10:00:00+08:00"), "");
    assert_eq!(law.refusal(&early), "NOT_YET_DUE");
    let act = deemed(&mut law);
    law.done(&act);
    assert_eq!(law.stage, Stage::Accepted { deemed: true });
    // The days that the office let pass are consumed: five working days after 2 March.
    assert_eq!(law.due_on(ClockKind::Promised, "2026-03-20T09:00:00+08:00"), "2026-03-09");
    let mut law = received(Regime::Registration);
    let act = deemed(&mut law);
    assert_eq!(law.refusal(&act), "NO_DEEMED_ACCEPTANCE");
}

#[test]
fn a_timely_notice_rebuts_the_deemed_acceptance_and_a_late_one_does_not() {
    let mut law = received(Regime::Licence);
    let act = deemed(&mut law);
    law.done(&act);
    let notice = |served: &str| {
        let list = CorrectionList {
            materials: vec!["title".to_owned()],
            text: "缺页".to_owned(),
            served_at: Some(at(served)),
            ..CorrectionList::default()
        };
        let mut act = Act::new(ActKind::RebutAcceptance, at("2026-03-11T09:00:00+08:00"), "");
        act.document_no = "补正〔2026〕1".to_owned();
        act.with(Terms::Correction(list))
    };
    assert_eq!(law.refusal(&notice("2026-03-10T09:00:00+08:00")), "NOTICE_NOT_TIMELY");
    law.done(&notice("2026-03-09T17:00:00+08:00"));
    assert_eq!(law.stage, Stage::Correcting);
    assert!(law.running(ClockKind::Promised).is_none(), "its clocks never were");
    assert!(law.running(ClockKind::Correction).is_some());
}

#[test]
fn a_correction_is_one_complete_list() {
    let mut law = received(Regime::Licence);
    let ask = |terms| act(ActKind::AskCorrection, "2026-03-03T09:00:00+08:00", "").with(terms);
    assert_eq!(law.refusal(&ask(Terms::None)), "LIST_MISSING");
    assert_eq!(law.refusal(&ask(list(" "))), "LIST_MISSING");
    law.done(&ask(list("缺页")));
    assert_eq!(law.stage.code(), "correction_pending");
    assert!(law.running(ClockKind::Acceptance).is_none());
    law.done(&act(ActKind::ServeCorrection, "2026-03-04T09:00:00+08:00", ""));
    assert_eq!(law.due_on(ClockKind::Correction, "2026-03-20T09:00:00+08:00"), "2026-03-25");
    law.done(&act(ActKind::SupplyCorrection, "2026-03-06T09:00:00+08:00", ""));
    assert_eq!(law.stage, Stage::Received);
    // The five days run anew from the day on which the corrected papers came.
    assert_eq!(law.due_on(ClockKind::Acceptance, "2026-03-20T09:00:00+08:00"), "2026-03-13");
    let again = act(ActKind::AskCorrection, "2026-03-09T09:00:00+08:00", "").with(list("再缺"));
    assert_eq!(law.refusal(&again), "CORRECTION_ROUNDS_USED");
}

#[test]
fn a_correction_after_acceptance_stops_the_clock_only_by_the_matters_own_rule() {
    for (rule, due) in [("", "2026-03-09"), ("本事项实施办法第七条", "2026-03-13")] {
        let mut law = accepted();
        law.rules.correction.stops_clock_by = rule.to_owned();
        law.done(&act(ActKind::AskCorrection, "2026-03-03T09:00:00+08:00", "").with(list("缺")));
        assert_eq!(law.suspended().is_some(), !rule.is_empty());
        law.done(&act(ActKind::ServeCorrection, "2026-03-03T10:00:00+08:00", ""));
        let grant = act(ActKind::Grant, "2026-03-04T09:00:00+08:00", "");
        assert_eq!(law.refusal(&grant), "CORRECTION_OPEN");
        law.done(&act(ActKind::SupplyCorrection, "2026-03-06T09:00:00+08:00", ""));
        assert_eq!(law.due_on(ClockKind::Promised, "2026-03-20T09:00:00+08:00"), due);
    }
}

#[test]
fn an_extension_comes_once_in_time_with_approval_and_within_the_law() {
    let mut law = accepted();
    let extend = |by: &str, approved_by: &str, when: &str| {
        act(ActKind::Extend, when, "案情复杂")
            .with(Terms::Extension { by: by.parse().unwrap(), approved_by: approved_by.to_owned() })
    };
    let day = "2026-03-04T09:00:00+08:00";
    assert_eq!(law.refusal(&extend("11 working days", "head", day)), "EXTENSION_TOO_LONG");
    assert_eq!(law.refusal(&extend("5 calendar days", "head", day)), "EXTENSION_TOO_LONG");
    assert_eq!(law.refusal(&extend("10 working days", "", day)), "REASONS_MISSING");
    let late = "2026-04-20T09:00:00+08:00";
    assert_eq!(law.refusal(&extend("10 working days", "head", late)), "LIMIT_PASSED");
    law.done(&extend("10 working days", "head", day));
    assert_eq!(law.due_on(ClockKind::Promised, late), "2026-03-23");
    assert_eq!(law.refusal(&extend("1 working days", "head", day)), "EXTENDED_BEFORE");
}

#[test]
fn a_decision_starts_the_issuing_clock_and_delivery_stops_it() {
    let mut law = accepted();
    law.done(&act(ActKind::Grant, "2026-03-04T09:00:00+08:00", ""));
    assert!(law.running(ClockKind::Promised).is_none());
    assert_eq!(law.due_on(ClockKind::Issuing, "2026-03-05T09:00:00+08:00"), "2026-03-18");
    law.done(&act(ActKind::MakeLicense, "2026-03-05T09:00:00+08:00", ""));
    law.done(&act(ActKind::Deliver, "2026-03-06T09:00:00+08:00", ""));
    assert!(law.running(ClockKind::Issuing).is_none());
}

#[test]
fn a_revocation_is_a_later_act_and_rewrites_nothing() {
    let mut law = accepted();
    law.done(&act(ActKind::Grant, "2026-03-04T09:00:00+08:00", ""));
    let revoke = |ground| act(ActKind::Revoke, "2026-04-01T09:00:00+08:00", ground);
    assert_eq!(law.refusal(&revoke("")), "REASONS_MISSING");
    law.done(&revoke("以欺骗手段取得"));
    assert_eq!(law.code(), "revoked");
    assert_eq!(law.ending(), Some(Ending::Granted));
    assert_eq!(law.refusal(&revoke("x")), "Already");
}

#[test]
fn a_forwarded_matter_is_still_decided() {
    let mut law = accepted();
    let forward = act(ActKind::ForwardUp, "2026-03-04T09:00:00+08:00", "");
    assert_eq!(law.refusal(&forward), "NO_HIGHER_OFFICE");
    law.rules.first_review = Some("20 working days".parse().unwrap());
    law.done(&forward);
    assert_eq!(law.stage.code(), "forwarded_up");
    law.done(&act(ActKind::Grant, "2026-03-10T09:00:00+08:00", ""));
    assert_eq!(law.forwarded, Some(forward.effective_at), "after the decision too");
}

#[test]
fn forwarding_ends_the_first_review_and_the_law_counts_on() {
    let mut law = received(Regime::Licence);
    law.rules.first_review = Some("10 working days".parse().unwrap());
    law.done(&act(ActKind::Accept, "2026-03-02T10:00:00+08:00", ""));
    assert_eq!(law.due_on(ClockKind::FirstReview, "2026-03-02T10:00:00+08:00"), "2026-03-16");
    let forward = act(ActKind::ForwardUp, "2026-03-11T16:00:00+08:00", "初审通过");
    law.done(&forward);
    let running = |kind| law.running(kind).is_some();
    assert!(!running(ClockKind::FirstReview), "what the lower office had is over");
    assert!(running(ClockKind::Statutory) && running(ClockKind::Promised), "the matter is not");
    let review = law.clocks().iter().find(|clock| clock.kind == ClockKind::FirstReview).unwrap();
    assert_eq!(review.stopped, Some(forward.effective_at));
    assert_eq!(law.used_days(review, &calendar(), at("2026-04-01T09:00:00+08:00")), 7);
    assert_eq!(law.refusal(&forward), "Already");
    law.done(&act(ActKind::Suspend, "2026-03-12T09:00:00+08:00", "hearing"));
    law.done(&act(ActKind::Resume, "2026-03-13T09:00:00+08:00", ""));
    law.done(&usual(ActKind::Extend).at("2026-03-13T10:00:00+08:00"));
}

impl Act {
    fn at(self, when: &str) -> Self {
        Self { effective_at: at(when), ..self }
    }
}

#[test]
fn a_promised_material_outlives_a_tolerant_grant() {
    let mut law = received(Regime::Licence);
    let promise =
        Promised { material: "fire".to_owned(), within: "5 working days".parse().unwrap() };
    let accept = act(ActKind::Accept, "2026-03-02T10:00:00+08:00", "");
    law.done(&accept.with(Terms::Promises(vec![promise])));
    law.done(&act(ActKind::GrantTolerant, "2026-03-03T10:00:00+08:00", ""));
    assert!(law.running(ClockKind::Tolerance).is_some());
    law.keep_promise("fire", at("2026-03-05T10:00:00+08:00"));
    assert!(law.running(ClockKind::Tolerance).is_none());
}

/// A licence that silence accepted on 10 March, as of 2 March, and the notice that rebuts it.
fn accepted_by_silence() -> (Law, Act) {
    let mut law = received(Regime::Licence);
    let silence = deemed(&mut law);
    law.done(&silence);
    let Terms::Correction(mut notice) = list("缺页") else { unreachable!("it is a list") };
    notice.served_at = Some(at("2026-03-09T17:00:00+08:00"));
    let mut proof = act(ActKind::RebutAcceptance, "2026-03-12T09:00:00+08:00", "");
    proof.document_no = "补正〔2026〕1".to_owned();
    (law, proof.with(Terms::Correction(notice)))
}

#[test]
fn what_an_office_says_after_its_silence_comes_too_late() {
    let law = received(Regime::Licence);
    let says = |kind, when, ground| law.refusal(&act(kind, when, ground).with(list("缺页")));
    for (kind, ground) in [
        (ActKind::AskCorrection, ""),
        (ActKind::NotAccept, "no_competence"),
        (ActKind::Return, "缺页"),
    ] {
        // Although nothing has recorded the passing yet, as after a downtime.
        assert_eq!(says(kind, "2026-03-10T00:00:00+08:00", ground), "ACCEPTED_BY_SILENCE");
        assert_eq!(says(kind, "2026-03-09T23:59:00+08:00", ground), "Done");
    }
    let registration = received(Regime::Registration);
    let late = act(ActKind::NotAccept, "2026-03-10T09:00:00+08:00", "no_competence");
    assert_eq!(registration.refusal(&late), "Done");
}

#[test]
fn a_rebuttal_undoes_all_that_the_silence_had_set_going() {
    let (mut law, proof) = accepted_by_silence();
    law.done(&act(ActKind::Suspend, "2026-03-10T09:00:00+08:00", "hearing"));
    let asked = act(ActKind::AskCorrection, "2026-03-11T09:00:00+08:00", "").with(list("再缺"));
    law.done(&asked);
    law.done(&act(ActKind::ServeCorrection, "2026-03-11T10:00:00+08:00", ""));
    law.done(&proof);
    assert!(law.suspended().is_none(), "a suspension of clocks that never were");
    let running = law.clocks().iter().filter(|clock| clock.is_running());
    let running: Vec<ClockKind> = running.map(|clock| clock.kind).collect();
    assert_eq!(running, [ClockKind::Correction], "the proven notice's alone");
    law.done(&act(ActKind::SupplyCorrection, "2026-03-13T09:00:00+08:00", ""));
    assert!(law.corrections.iter().all(|round| !round.is_open()));
}

#[test]
fn a_notice_from_before_the_receipt_rebuts_nothing() {
    let (law, mut proof) = accepted_by_silence();
    let Terms::Correction(notice) = &mut proof.terms else { unreachable!("it is a list") };
    notice.served_at = Some(at("2026-03-01T09:00:00+08:00"));
    assert_eq!(law.refusal(&proof), "NOTICE_NOT_TIMELY");
}

#[test]
fn the_clock_ends_a_matter_only_by_its_rule_and_after_the_period() {
    let mut law = received(Regime::Licence);
    law.done(&usual(ActKind::AskCorrection));
    law.done(&act(ActKind::ServeCorrection, "2026-03-04T09:00:00+08:00", ""));
    let by = |rule: &str, when| {
        act(ActKind::Terminate, when, "补正超时").with(Terms::ByRule(rule.to_owned()))
    };
    let late = "2026-03-26T00:00:00+08:00";
    assert_eq!(law.refusal(&by("", late)), "NO_AUTOMATIC_END");
    law.rules.correction.ends_by = "本事项办法第八条".to_owned();
    assert_eq!(law.refusal(&by("别的规则", late)), "NO_AUTOMATIC_END");
    assert_eq!(
        law.refusal(&by("本事项办法第八条", "2026-03-25T23:00:00+08:00")),
        "NO_AUTOMATIC_END"
    );
    law.done(&by("本事项办法第八条", late));
}

#[test]
fn an_end_leaves_no_correction_open() {
    let mut law = received(Regime::Licence);
    law.done(&usual(ActKind::AskCorrection));
    law.done(&act(ActKind::Withdraw, "2026-03-04T09:00:00+08:00", ""));
    assert!(law.correction().is_none());
}

#[test]
fn every_termination_and_every_matter_not_filed_has_its_reasons() {
    let mut law = Law::planned(at("2026-03-02T09:00:00+08:00"));
    let silent = |kind| act(kind, "2026-03-03T09:00:00+08:00", "");
    assert_eq!(law.refusal(&silent(ActKind::NotFile)), "REASONS_MISSING");
    assert!(law.file(law.since, Rules::of(Regime::Licence, limits())));
    assert_eq!(law.refusal(&silent(ActKind::Terminate)), "REASONS_MISSING");
}

#[test]
fn what_holds_already_is_said_to_hold_however_late_it_arrives_again() {
    let mut law = accepted();
    law.done(&act(ActKind::Suspend, "2026-03-05T09:00:00+08:00", "hearing"));
    let again = act(ActKind::Accept, "2026-03-02T10:00:00+08:00", "");
    assert_eq!(law.refusal(&again), "Already");
    law.done(&act(ActKind::Resume, "2026-03-06T09:00:00+08:00", ""));
    law.done(&act(ActKind::Grant, "2026-03-09T09:00:00+08:00", ""));
    let made = act(ActKind::MakeLicense, "2026-03-10T09:00:00+08:00", "");
    law.done(&made);
    law.done(&act(ActKind::Revoke, "2026-04-01T09:00:00+08:00", "以欺骗手段取得"));
    assert_eq!(law.refusal(&made), "Already");
}

#[test]
fn another_procedure_or_another_list_does_not_hold_already() {
    let mut law = accepted();
    law.done(&act(ActKind::Suspend, "2026-03-03T09:00:00+08:00", "hearing"));
    let other = |ground| act(ActKind::Suspend, "2026-03-03T10:00:00+08:00", ground);
    assert_eq!(law.refusal(&other("testing")), "SUSPENDED");
    law.done(&act(ActKind::AskCorrection, "2026-03-04T09:00:00+08:00", "").with(list("缺")));
    let more = Terms::Correction(CorrectionList {
        materials: vec!["title".to_owned(), "drawing".to_owned()],
        text: "再缺".to_owned(),
        ..CorrectionList::default()
    });
    let ask = |terms| act(ActKind::AskCorrection, "2026-03-05T09:00:00+08:00", "").with(terms);
    assert_eq!(law.refusal(&ask(more)), "CORRECTION_OPEN");
    assert_eq!(law.refusal(&ask(list("缺"))), "Already");
}

#[test]
fn an_end_of_what_never_began_is_refused() {
    let resume = act(ActKind::Resume, "2026-03-04T09:00:00+08:00", "");
    assert_eq!(accepted().refusal(&resume), "NOT_SUSPENDED");
}

#[test]
fn an_extension_in_another_unit_than_the_limit_is_refused() {
    let mut law = received(Regime::Licence);
    law.rules.limits.statutory = Some("30 calendar days".parse().unwrap());
    law.done(&act(ActKind::Accept, "2026-03-02T10:00:00+08:00", ""));
    assert_eq!(law.refusal(&usual(ActKind::Extend)), "EXTENSION_UNIT");
}

#[test]
fn only_a_grant_has_a_license_to_issue_and_a_revoked_one_no_more() {
    let mut law = accepted();
    law.done(&act(ActKind::Deny, "2026-03-04T09:00:00+08:00", "不符合条件"));
    assert!(law.running(ClockKind::Issuing).is_none());
    let mut law = accepted();
    law.done(&act(ActKind::Grant, "2026-03-04T09:00:00+08:00", ""));
    law.done(&act(ActKind::Revoke, "2026-03-05T09:00:00+08:00", "以欺骗手段取得"));
    assert!(law.clocks().iter().all(|clock| !clock.is_running()));
}

#[test]
fn papers_taken_before_they_were_entered_are_accepted_when_they_were() {
    let mut law = Law::planned(at("2026-03-05T09:00:00+08:00"));
    assert!(law.file(at("2026-03-05T09:00:00+08:00"), Rules::of(Regime::Licence, limits())));
    law.done(&act(ActKind::Receive, "2026-03-02T09:00:00+08:00", ""));
    law.done(&act(ActKind::Accept, "2026-03-03T09:00:00+08:00", ""));
    assert_eq!(law.due_on(ClockKind::Promised, "2026-03-05T09:00:00+08:00"), "2026-03-10");
}
