//! Runs over journals written by hand: what is asked, what is thrown, and who has the last word.

use tongban_core::law::{ActAnswer, ActKind};
use tongban_core::port::{RunEnd, ScriptFaultKind};
use tongban_core::request::{Ask, Evidence};
use tongban_core::value::Value;

use crate::testing::{Desk, key, no, yes};

fn named(name: &str) -> Value {
    Value::of([("name", Value::from(name))])
}

const DIRECT: &str = r#"
let facts = wait(all(#{
    parcel:  start("natural-resources.parcel", #{ no: m.form.no }),
    company: start("market-regulation.enterprise", #{ uscc: m.applicant.id }),
}));
let opinion = decide("natural-resources.approver", #{ title: "审查", facts: facts });
if opinion.denied { return deny(opinion); }
let permit = ask("natural-resources.issue", #{ parcel: facts.parcel.name });
grant(permit)
"#;

#[test]
fn a_whole_matter_runs_step_by_step() {
    let mut desk = Desk::handling(DIRECT);
    let (end, asked) = desk.run();
    assert_eq!(end, RunEnd::Suspended);
    assert_eq!(asked, ["natural-resources.parcel", "market-regulation.enterprise"]);
    desk.complete(0, named("宗地"));
    assert_eq!(desk.run(), (RunEnd::Suspended, vec![]), "all waits for the last");
    desk.complete(1, named("公司"));
    assert_eq!(desk.run().1, ["natural-resources.approver"]);
    desk.decide(2, yes());
    assert_eq!(desk.run().1, ["natural-resources.issue"]);
    desk.complete(3, named("证"));
    let (end, requests) = desk.look();
    assert_eq!(end, RunEnd::Suspended);
    let Ask::Act { act, evidence, detail } = &requests[0].ask else {
        panic!("{requests:?}");
    };
    assert_eq!(*act, ActKind::Grant);
    assert_eq!(*evidence, Some(Evidence::Call(key(3))));
    assert_eq!(detail.get("number"), Some(&Value::from("NO-3")));
    assert_eq!(detail.get("license"), Some(&Value::from("m")));
    assert_eq!(detail.get("name"), Some(&Value::from("证")));
    desk.run();
    desk.answer(4, ActKind::Grant, ActAnswer::Done);
    assert_eq!(desk.run(), (RunEnd::Finished, vec![]));
}

#[test]
fn a_denied_decision_becomes_a_denial_with_its_reasons() {
    let mut desk = Desk::handling(
        r#"let opinion = decide("d.approver", #{ title: "审查" });
           if opinion.denied { return deny(opinion); }
           grant(opinion)"#,
    );
    desk.run();
    desk.decide(0, no());
    let (_, requests) = desk.look();
    let Ask::Act { act, evidence, detail } = &requests[0].ask else {
        panic!("{requests:?}");
    };
    assert_eq!(*act, ActKind::Deny);
    assert_eq!(*evidence, Some(Evidence::Decision(key(0))));
    assert_eq!(detail.get("reason"), Some(&Value::from("不符合规划条件")));
}

#[test]
fn grant_takes_only_a_yes_or_an_output() {
    for (given, code) in
        [("settle(start(\"a.b\"))", "settle"), ("\"yes\"", "decide"), ("#{ ok: true }", "ask")]
    {
        let mut desk = Desk::handling(&format!("grant({given})"));
        if desk.run().1 == ["a.b"] {
            desk.reject(0, "不予受理");
        }
        let fault = desk.fault();
        assert_eq!(fault.kind, ScriptFaultKind::Script);
        assert!(fault.message.contains("grant"), "{fault}");
        assert!(fault.message.contains(code), "{fault}");
    }
    let mut desk = Desk::handling(r#"grant(decide("d.approver", #{ title: "t" }))"#);
    desk.run();
    desk.decide(0, no());
    assert!(desk.fault().message.contains("opinion.denied"));
}

#[test]
fn an_uncaught_outcome_ends_the_run_by_name() {
    let mut desk = Desk::handling(r#"let x = ask("a.b"); grant(x)"#);
    desk.run();
    desk.reject(0, "宗地已抵押");
    assert_eq!(desk.look(), (RunEnd::Uncaught(key(0)), vec![]));
}

#[test]
fn an_outcome_can_be_caught_and_thrown_on() {
    let mut desk = Desk::handling(
        r#"try { ask("a.b") } catch (e) {
               if e.kind != "rejected" { throw e; }
               deny(e.reason)
           }"#,
    );
    desk.run();
    desk.reject(0, "宗地已抵押");
    let (end, requests) = desk.look();
    assert_eq!(end, RunEnd::Suspended);
    assert!(matches!(&requests[0].ask, Ask::Act { act: ActKind::Deny, evidence: None, detail }
        if detail.get("reason") == Some(&Value::from("宗地已抵押"))));

    let mut desk = Desk::handling(r#"try { ask("a.b") } catch (e) { throw e; }"#);
    desk.run();
    desk.reject(0, "x");
    assert_eq!(desk.look().0, RunEnd::Uncaught(key(0)));
}

#[test]
fn an_outcome_inside_a_closure_can_be_caught() {
    let mut desk =
        Desk::handling(r#"try { ["a.b"].map(|op| ask(op)) } catch (e) { deny(e.reason) }"#);
    desk.run();
    desk.reject(0, "不行");
    assert_eq!(desk.run().1, ["deny"]);
}

#[test]
fn only_outcomes_can_be_caught() {
    for wrong in [
        "1/0",
        "let f = m.form; f.nothing",
        "nothing.there",
        "[1][7]",
        "throw \"no\"",
        "wait(7)",
        "[1].map(|x| x / 0)",
        "[2, 1].sort(|a, b| 1 / 0)",
        "[1, 1].dedup(|a, b| 1 / 0)",
        "[1].reduce(|a, b| 1 / 0)",
        "helper()",
        "let s = \"xx\"; loop { s += s; }",
        "[1].map(|x| loop {})",
        "let task = #{ titel: \"x\" }; decide(\"a.b\", task)",
    ] {
        let wrong = wrong.replace("nothing.there", "#{ a: 1 }.there");
        let desk = Desk::new(&format!(
            "fn helper() {{ 1/0 }}\nfn handle(m) {{\n try {{ {wrong} }} catch (e) {{ grant(start(\"a.b\")); }}\n ask(\"c.d\"); }}"
        ));
        let fault = desk.fault();
        assert_ne!(fault.kind, ScriptFaultKind::Infrastructure, "{wrong}: {fault}");
        assert_eq!(fault.file, "matters/d/m.rhai", "{wrong}: {fault}");
    }
}

#[test]
fn the_breaker_story_ends_as_one_incident() {
    let desk = Desk::handling(r#"try { 1/0 } catch (e) { grant(ask("a.b")) }"#);
    let fault = desk.fault();
    assert_eq!(fault.kind, ScriptFaultKind::Script);
    assert!(fault.message.contains("Division by zero"), "{fault}");
}

#[test]
fn what_was_asked_before_a_fault_does_not_count() {
    let mut desk = Desk::handling(r#"start("a.b"); let x = 1 / 0;"#);
    assert!(desk.run().1.is_empty());
    desk.fault();
}

/// A stop goes through every function that calls a closure, and nothing after it counts.
#[test]
fn no_function_swallows_a_stop() {
    for body in [
        r#"[1, 2].map(|x| ask("a.b"))"#,
        r#"[1, 2].filter(|x| ask("a.b").ok)"#,
        r#"[1, 2].for_each(|x| ask("a.b"))"#,
        r#"[1, 2].reduce(|r, x| ask("a.b"))"#,
        r#"[1, 2].reduce_rev(|r, x| ask("a.b"))"#,
        r#"[2, 1].sort(|x, y| ask("a.b").n)"#,
        r#"[2, 1].sort_by(|x, y| ask("a.b").n)"#,
        r#"[2, 1].order_by(|x, y| ask("a.b").n)"#,
        r#"[2, 1].dedup(|x, y| ask("a.b").same)"#,
        r#"[2, 1].index_of(|x| ask("a.b").same)"#,
        r#"[2, 1].find(|x| ask("a.b").same)"#,
        r#"[2, 1].find_map(|x| ask("a.b"))"#,
        r#"[2, 1].some(|x| ask("a.b").same)"#,
        r#"[2, 1].all(|x| ask("a.b").same)"#,
        r#"[2, 1].drain(|x| ask("a.b").same)"#,
        r#"[2, 1].retain(|x| ask("a.b").same)"#,
        r#"[2, 1].zip([1, 2], |x, y| ask("a.b"))"#,
        r#"#{ a: 1 }.map(|k, v| ask("a.b"))"#,
        r#"#{ a: 1 }.filter(|k, v| ask("a.b").same)"#,
        r#"let f = |x| ask("a.b"); f.call(1)"#,
        "helper()",
    ] {
        let comparing = ["sort", "order_by", "dedup"].iter().any(|name| body.contains(name));
        // A comparer that asks does not load; behind a function value it cannot be seen.
        let body = if comparing {
            let (list, closure) = body.split_once("(|").unwrap();
            format!("let by = |{};\n{list}(by)", closure.strip_suffix(')').unwrap())
        } else {
            body.to_owned()
        };
        let mut desk = Desk::new(&format!(
            "fn helper() {{ ask(\"a.b\") }}\nfn handle(m) {{ for i in 0..3 {{ try {{\n{body}\n}} catch (e) {{ deny(\"caught\"); }} }} deny(\"after\"); }}"
        ));
        let (end, asked) = desk.run();
        assert_eq!((end, asked), (RunEnd::Suspended, vec!["a.b".to_owned()]), "{body}");
    }
}

#[test]
fn settle_never_throws() {
    let mut desk = Desk::handling(
        r#"let r = settle(start("a.b"));
           if r.ok { grant(r.value) } else { deny(r.kind + ":" + r.reason) }"#,
    );
    desk.run();
    desk.reject(0, "不行");
    let (_, requests) = desk.look();
    assert!(matches!(&requests[0].ask, Ask::Act { detail, .. }
        if detail.get("reason") == Some(&Value::from("rejected:不行"))));
}

const RACE: &str = r#"
let first = wait(race([start("a.slow"), start("a.fast")]));
ask("a.then", #{ winner: first.name });
"#;

fn winner(desk: &Desk) -> Value {
    let (_, requests) = desk.look();
    let Ask::Call { input, .. } = &requests[0].ask else {
        panic!("{requests:?}");
    };
    input.clone()
}

#[test]
fn a_race_is_won_by_entry_order_and_stays_won() {
    for (first, second) in [(0, 1), (1, 0)] {
        let mut desk = Desk::handling(RACE);
        desk.run();
        desk.complete(first, named(&format!("call {first}")));
        desk.complete(second, named(&format!("call {second}")));
        let won = Value::of([("winner", Value::from(format!("call {first}")))]);
        assert_eq!(winner(&desk), won);
    }
}

#[test]
fn all_ends_with_the_first_failure_by_entry_order() {
    let mut desk =
        Desk::handling(r#"wait(all([start("a.one"), start("a.two"), start("a.three")]));"#);
    desk.run();
    desk.reject(2, "第三个");
    desk.reject(0, "第一个");
    assert_eq!(desk.look().0, RunEnd::Uncaught(key(2)));
}

#[test]
fn all_settled_gives_every_end_as_a_value() {
    let mut desk = Desk::handling(
        r#"let ends = wait(all_settled(#{ one: start("a.one"), two: start("a.two") }));
           ask("a.then", #{ one: ends.one.ok, two: ends.two.ok, kind: ends.two.kind });"#,
    );
    desk.run();
    desk.reject(1, "不行");
    desk.complete(0, named("x"));
    let expected = Value::of([
        ("kind", Value::from("rejected")),
        ("one", Value::from(true)),
        ("two", Value::from(false)),
    ]);
    assert_eq!(winner(&desk), expected);
}

#[test]
fn a_timeout_is_an_outcome_when_the_timer_is_first() {
    let body = r#"let r = settle(timeout(start("a.b"), "1 hour"));
                  ask("a.then", #{ kind: r.kind });"#;
    for (fires_first, kind) in [(true, "timed_out"), (false, "completed")] {
        let mut desk = Desk::handling(body);
        assert_eq!(desk.run().1, ["a.b", "1 hour"]);
        if fires_first {
            desk.fire(1);
            desk.complete(0, named("late"));
        } else {
            desk.complete(0, named("in time"));
            desk.fire(1);
        }
        assert_eq!(winner(&desk), Value::of([("kind", Value::from(kind))]));
    }
}

#[test]
fn time_is_what_the_journal_says() {
    let mut desk = Desk::handling(
        r#"let before = now(); sleep("2 hours"); ask("a.b", #{ before: before, after: now(), day: today() });"#,
    );
    desk.run();
    let waiting = desk.look();
    assert_eq!(waiting.0, RunEnd::Suspended);
    desk.fire(0);
    let asked = winner(&desk);
    assert_eq!(asked.get("before"), Some(&Value::from("2026-03-02T09:05:00+08:00")));
    assert_eq!(asked.get("after"), Some(&Value::from("2026-03-02T11:05:00+08:00")));
    assert_eq!(asked.get("day"), Some(&Value::from("2026-03-02")));
}

#[test]
fn another_place_is_part_of_the_target() {
    let mut desk = Desk::handling(r#"let h = at("411300").start("a.b", #{}); wait(h)"#);
    assert_eq!(desk.run().1, ["a.b@411300"]);
}

#[test]
fn m_shows_the_case_and_nothing_else() {
    let mut desk = Desk::handling(
        r#"ask("a.b", #{
            no: m.form.no, open: m.form.area, basement: m.answers.basement,
            applicant: m.applicant.name, agent: m.agent, region: m.region, number: m.case_no,
            drawings: m.materials.drawings.how, missing: m.missing, results: m.results.len(),
        });"#,
    );
    let (_, requests) = desk.look();
    let Ask::Call { input, .. } = &requests[0].ask else {
        panic!("{requests:?}");
    };
    assert_eq!(input.get("open"), Some(&Value::Null));
    assert_eq!(input.get("basement"), Some(&Value::from(true)));
    assert_eq!(input.get("agent"), Some(&Value::Null));
    assert_eq!(input.get("drawings"), Some(&Value::from("given")));
    assert_eq!(input.get("missing"), Some(&Value::List(vec![Value::from("permit")])));
    assert_eq!(desk.run().0, RunEnd::Suspended);
}

#[test]
fn an_unknown_member_names_the_nearest() {
    let fault = Desk::handling("let me = m; me.aplicant").fault();
    assert!(fault.message.contains("applicant"), "{fault}");
    let fault = Desk::handling("let f = m.form; f.nu").fault();
    assert!(fault.message.contains("no"), "{fault}");
}

#[test]
fn numbers_stay_exact_in_both_directions() {
    let mut desk = Desk::handling(
        r#"let a = ask("a.b"); ask("a.c", #{ big: a.big, sum: a.price + decimal("0.20"), rest: 9223372036854775807 });"#,
    );
    desk.run();
    let price = Value::Decimal("0.10".parse().unwrap());
    desk.complete(0, Value::of([("big", Value::Int(i64::MAX)), ("price", price)]));
    let asked = winner(&desk);
    assert_eq!(asked.get("big"), Some(&Value::Int(i64::MAX)));
    assert_eq!(asked.get("rest"), Some(&Value::Int(i64::MAX)));
    assert_eq!(asked.get("sum"), Some(&Value::Decimal("0.30".parse().unwrap())));
}

#[test]
fn a_changed_script_is_a_mismatch_at_its_place() {
    let mut desk = Desk::handling(r#"ask("a.b", #{ x: 1 });"#);
    desk.run();
    let mut other = Desk::handling("\nask(\"a.b\", #{ x: 2 });");
    other.run();
    let journal = std::mem::replace(&mut desk, other);
    let fault = journal.replayed_by(&desk);
    assert_eq!(fault.kind, ScriptFaultKind::Mismatch);
    assert_eq!((fault.line, fault.file.as_str()), (7, "matters/d/m.rhai"));
    assert!(!fault.expected.is_empty() && !fault.got.is_empty());
}

/// Wording may be mended while people decide; a question that means something else says so.
#[test]
fn a_decision_is_another_one_by_its_rev_and_not_by_its_wording() {
    let asked = |text: &str| {
        let mut desk = Desk::handling(&format!("grant(decide(\"d.approver\", {text}));"));
        desk.run();
        desk
    };
    let first = r#"#{ title: "审查" }"#;
    let reworded = asked(r#"#{ title: "审查(修订)", facts: #{ area: 1 } }"#);
    asked(first).under(&reworded).run();
    let fault = asked(first).replayed_by(&asked(r#"#{ title: "审查", rev: 2 }"#));
    assert_eq!(fault.kind, ScriptFaultKind::Mismatch);
    let wrong = Desk::handling(r#"decide("d.approver", #{ title: "审查", rev: 0 })"#).fault();
    assert!(wrong.message.contains("rev"), "{wrong}");
}

#[test]
fn a_refused_act_is_a_fault_with_code_and_reason() {
    let mut desk = Desk::handling(r#"deny("材料不实")"#);
    desk.run();
    let refused = ActAnswer::Refused {
        code: "SUSPENDED".to_owned(),
        reason: "特别程序尚未结束 / the special procedure has not ended".to_owned(),
    };
    desk.answer(0, ActKind::Deny, refused);
    let fault = desk.fault();
    assert!(fault.message.contains("SUSPENDED"), "{fault}");
    assert!(fault.message.contains("has not ended"), "{fault}");
}

#[test]
fn constants_of_a_file_are_seen_by_its_functions() {
    let mut desk =
        Desk::new("const LIMIT = 3;\nfn handle(m) { ask(\"a.b\", #{ limit: global::LIMIT }); }");
    assert_eq!(winner(&desk), Value::of([("limit", Value::Int(3))]));
    assert_eq!(desk.run().0, RunEnd::Suspended);
}
