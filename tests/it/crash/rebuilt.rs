//! `tongban store rebuild` after the deaths: what is stored beside the logs is damaged by hand,
//! found by `store check`, made anew from the logs, and the program answers as it did before.

use std::path::Path;

use serde_json::{Value, json};
use tongban_core::port::{Mend, Store as _, Upkeep as _};
use tongban_core::summary::CaseState;
use tongban_engine::store::{SledOptions, SledStore};

use super::people::Window;
use super::{PROGRAM, Tokens};

/// Exit code of a store whose derived data differs from its logs.
const DIFFERS: i32 = 65;
/// More than the rows of all cases.
const ROWS_MAX: usize = 10_000;

/// Returns what people see of every case in lists and by itself.
pub(super) async fn shown(window: &Window, tokens: &Tokens) -> Vec<Value> {
    let cases = "query All { cases(first: 100) { nodes { id number state revision
        matters { code state } documents { number state } } } }";
    let mut shown = Vec::new();
    for token in [&tokens.supervisor, &tokens.applicant, &tokens.clerk, &tokens.approver] {
        let answer = window.ask(token, cases, json!({})).await;
        assert!(answer["errors"].is_null(), "{answer}");
        shown.push(answer);
    }
    let first = shown[0]["data"]["cases"]["nodes"][0]["number"].clone();
    assert!(first.is_string(), "{}", shown[0]);
    let by_number = "query One($number: String!) { case(by: { number: $number }) { id state } }";
    shown.push(window.ask(&tokens.supervisor, by_number, json!({ "number": first })).await);
    shown
}

/// Damages the summary of one case and takes all rows of another away, then lets the program
/// find and mend it.
pub(super) async fn damage_and_rebuild(data: &Path) {
    damage(data).await;
    let data = data.to_str().unwrap();
    let found = PROGRAM.run(&["store", "check", "--data", data]);
    assert_eq!(found.code, Some(DIFFERS), "{}{}", found.stdout, found.stderr);
    let rebuilt = PROGRAM.run(&["store", "rebuild", "--data", data]);
    assert_eq!(rebuilt.code, Some(0), "{}{}", rebuilt.stdout, rebuilt.stderr);
    let checked = PROGRAM.run(&["store", "check", "--data", data]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.stdout, checked.stderr);
}

async fn damage(data: &Path) {
    let store = SledStore::open(data, SledOptions::default()).unwrap();
    let cases = store.cases(None, 2).await.unwrap();
    let [wrong, hidden] = cases[..] else { panic!("two cases at least: {cases:?}") };
    let filed = store.filed(None, ROWS_MAX).await.unwrap();
    let own = filed.items.into_iter().filter(|(_, case)| *case == hidden);
    let rows: Vec<_> = own.map(|(row, _)| row).collect();
    assert!(!rows.is_empty());
    for (case, rows_gone) in [(wrong, Vec::new()), (hidden, rows)] {
        let stored = store.load(case).await.unwrap().unwrap();
        let mut summary = stored.summary;
        summary.state = CaseState::Withdrawn;
        let mend = Mend {
            case,
            expected: stored.entries.last().unwrap().seq,
            epoch: store.identity().epoch,
            summary: Some(summary),
            rows_gone,
            rows_new: Vec::new(),
        };
        store.mend(mend).await.unwrap();
    }
}
