//! The prefix law: however answers arrive, a run over a longer journal asks for everything that
//! it asked over a shorter one, in the same order, and something more at the end.

use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use tongban_core::port::RunEnd;
use tongban_core::value::Value;

use crate::testing::Desk;

const SCRIPT: &str = r#"
let first = settle(race([start("a.one"), start("a.two")]));
let both = wait(all_settled(#{ three: start("a.three"), four: start("a.four") }));
let list = [both.three.ok, first.ok, both.four.ok].map(|ok| start("a.five", #{ ok: ok }));
try {
    wait(all(list));
} catch (e) {
    start("a.six", #{ reason: e.reason });
}
let late = settle(timeout(start("a.seven", #{ now: now() }), "2 hours"));
deny(late.kind);
"#;

/// Which open request is answered next, and whether with a yes.
fn answers() -> impl Strategy<Value = Vec<(usize, bool)>> {
    proptest::collection::vec((any::<usize>(), any::<bool>()), 0..14)
}

fn step(desk: &mut Desk, open: &mut Vec<(u32, String)>, (pick, yes): (usize, bool)) {
    if open.is_empty() {
        return;
    }
    let (ordinal, target) = open.remove(pick % open.len());
    match target.as_str() {
        "deny" => {}
        "2 hours" => desk.fire(ordinal),
        _ if yes => desk.complete(ordinal, Value::of([("n", Value::Int(1))])),
        _ => desk.reject(ordinal, "不行"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_longer_journal_only_adds(answers in answers()) {
        let mut desk = Desk::handling(SCRIPT);
        let mut open = Vec::new();
        let mut asked = 0;
        for answer in answers {
            // A replay that asked for anything else would end as a mismatch.
            let (end, targets) = desk.run();
            assert_eq!(end, RunEnd::Suspended);
            for target in targets {
                open.push((asked, target));
                asked += 1;
            }
            let (again, nothing) = desk.look();
            assert_eq!((again, nothing.len()), (RunEnd::Suspended, 0));
            step(&mut desk, &mut open, answer);
        }
    }
}
