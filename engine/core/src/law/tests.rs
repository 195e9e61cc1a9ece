//! Every stage against every act, and what clocks make of suspensions.

use super::*;

fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

fn act(kind: ActKind, when: &str, ground: &str) -> Act {
    Act {
        kind,
        effective_at: at(when),
        ground: ground.to_owned(),
        document_no: String::new(),
        detail: Value::Null,
    }
}

fn accepted() -> Law {
    let mut law = Law::planned(at("2026-03-02T09:00:00+08:00"));
    let limits = Limits {
        statutory: Some("20 working days".parse().unwrap()),
        promised: Some("5 working days".parse().unwrap()),
    };
    assert!(law.file(at("2026-03-02T09:00:00+08:00"), Regime::Licence, limits));
    for kind in [ActKind::Receive, ActKind::Accept] {
        let act = act(kind, "2026-03-02T10:00:00+08:00", "");
        assert_eq!(law.judge(&act), ActAnswer::Done);
        assert!(law.apply(&act));
    }
    law
}

#[test]
fn every_stage_answers_every_act() {
    // Rows: stages; columns: acts in the order of `ActKind::ALL`. d done, a already, r refused.
    let table = [
        ("planned", "rrrdrrrrrdr"),
        ("filed", "drrrrrrrrdd"),
        ("received", "adrrrrrrrdd"),
        ("accepted", "aarrraddddd"),
        ("granted", "arrrrrarrrr"),
    ];
    let base = accepted();
    for (name, row) in table {
        let mut law = base.clone();
        law.stage = match name {
            "planned" => Stage::Planned,
            "filed" => Stage::Filed,
            "received" => Stage::Received,
            "accepted" => Stage::Accepted,
            _ => Stage::Ended(Ending::Granted),
        };
        let got: String = ActKind::ALL
            .iter()
            .map(|(kind, _, _)| {
                let ground = if *kind == ActKind::Deny { "不符合规划条件" } else { "" };
                match law.judge(&act(*kind, "2026-03-02T11:00:00+08:00", ground)) {
                    ActAnswer::Done => 'd',
                    ActAnswer::Already => 'a',
                    ActAnswer::Refused { .. } => 'r',
                }
            })
            .collect();
        assert_eq!(got, row.replace(' ', ""), "{name}");
    }
}

#[test]
fn refusals_to_accept_need_an_enumerated_ground() {
    let mut law = accepted();
    law.stage = Stage::Received;
    let refuse = |ground| law.judge(&act(ActKind::NotAccept, "2026-03-03T09:00:00+08:00", ground));
    assert!(matches!(refuse("conditions unmet"), ActAnswer::Refused { .. }));
    assert_eq!(refuse("no_competence"), ActAnswer::Done);
}

#[test]
fn a_suspension_moves_the_due_day_and_blocks_the_decision() {
    let mut law = accepted();
    let calendar = Calendar::national();
    let promised = |law: &Law| {
        let clock = law.clocks().iter().find(|clock| clock.kind == ClockKind::Promised);
        law.due(clock.unwrap(), &calendar, at("2026-03-20T09:00:00+08:00")).at.date().to_string()
    };
    assert_eq!(promised(&law), "2026-03-09");
    let hearing = act(ActKind::Suspend, "2026-03-03T09:00:00+08:00", "hearing");
    assert_eq!(law.judge(&hearing), ActAnswer::Done);
    assert!(law.apply(&hearing));
    assert_eq!(law.judge(&hearing), ActAnswer::Already);
    let deny = act(ActKind::Deny, "2026-03-04T09:00:00+08:00", "x");
    assert!(matches!(law.judge(&deny), ActAnswer::Refused { code, .. } if code == "SUSPENDED"));
    assert!(law.apply(&act(ActKind::Resume, "2026-03-06T09:00:00+08:00", "")));
    assert_eq!(promised(&law), "2026-03-12");
}

#[test]
fn an_act_cannot_take_effect_before_the_one_it_follows() {
    let answer = accepted().judge(&act(ActKind::Grant, "2026-03-01T09:00:00+08:00", ""));
    assert!(matches!(answer, ActAnswer::Refused { code, .. } if code == "EFFECTIVE_TOO_EARLY"));
}

#[test]
fn a_denial_without_reasons_is_refused() {
    let answer = accepted().judge(&act(ActKind::Deny, "2026-03-04T09:00:00+08:00", " "));
    assert!(matches!(answer, ActAnswer::Refused { code, .. } if code == "REASONS_MISSING"));
}
