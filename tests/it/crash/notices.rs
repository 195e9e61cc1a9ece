//! Notices while the program dies: offices that are known and a seal service that outlives it.
//!
//! Goal: of every act of an office the applicant has one notice, under one number, sealed and
//! served once; the seal service may have been asked again, but for the same bytes. Method: what
//! the logs say, read without the program, beside what the seal service was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use tongban_connectors::sandbox::SealBehaviour;
use tongban_core::document::DocumentKind;
use tongban_core::entry::{Body, Entry};
use tongban_core::id::MatterNo;
use tongban_core::port::{Store as _, Upkeep as _};
use tongban_engine::store::{SledOptions, SledStore};

use super::PROGRAM;
use super::people::Window;
use crate::seal::{SECRET, Served};

/// Notices that an office gives which decides here and grants.
const KINDS: [DocumentKind; 3] =
    [DocumentKind::Receipt, DocumentKind::Acceptance, DocumentKind::Grant];
/// Matters of the case whose departments do not decide in a system of their own.
const DECIDED_HERE: [u16; 6] = [3, 4, 5, 6, 7, 8];

/// Makes the offices known in a folder of data, and returns what the configuration says of a
/// seal service with it.
pub(super) async fn open_offices(folder: &Path, data: &Path) -> (Served, String) {
    let sealing = Served::that(SealBehaviour::Seals).await;
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../graphql/demo");
    let (offices, calendar) =
        (format!("{demo}/organisation.json"), format!("{demo}/calendar.json"));
    let data = data.to_str().unwrap();
    let imported = PROGRAM.run(&["import", &offices, &calendar, "--data", data]);
    assert_eq!(imported.code, Some(0), "{}{}", imported.stdout, imported.stderr);
    std::fs::write(folder.join("seal-keys.json"), sealing.service.jwks()).unwrap();
    std::fs::write(folder.join("secret"), format!("{SECRET}\n")).unwrap();
    let said = format!(
        "\n[seal.http]\nbase_url = \"{}\"\nkeys_file = \"seal-keys.json\"\n\
         secret_file = \"secret\"\nallow_http = true\n",
        sealing.url()
    );
    (sealing, said)
}

/// Cases that are over with every notice served, as far as somebody has looked.
#[derive(Default)]
pub(super) struct Over(BTreeSet<String>);

impl Over {
    /// Looks again, and returns how many there are.
    pub(super) async fn count(&mut self, window: &Window, token: &str) -> usize {
        let query = "query All { cases(first: 100) { nodes { id state } } }";
        let answer = window.ask(token, query, json!({})).await;
        for case in answer["data"]["cases"]["nodes"].as_array().into_iter().flatten() {
            let id = case["id"].as_str().unwrap();
            if case["state"] == "COMPLETED_ALL"
                && !self.0.contains(id)
                && is_served(window, token, id).await
            {
                self.0.insert(id.to_owned());
            }
        }
        self.0.len()
    }
}

async fn is_served(window: &Window, token: &str, case: &str) -> bool {
    let query = "query One($id: ID!) { case(by: { id: $id }) { documents { state } } }";
    let answer = window.ask(token, query, json!({ "id": case })).await;
    let served = |document: &Value| document["state"] == "SERVED";
    answer["data"]["case"]["documents"].as_array().is_some_and(|all| all.iter().all(served))
}

/// Holds the notices of every case against what was promised.
pub(super) async fn check(data: &Path, sealing: &Served, cases: usize) {
    let store = SledStore::open(data, SledOptions::default()).unwrap();
    let found = store.cases(None, cases + 1).await.unwrap();
    assert_eq!(found.len(), cases);
    let mut recorded = BTreeMap::new();
    for case in found {
        let stored = store.load(case).await.unwrap().unwrap();
        check_case(&stored.entries, &mut recorded);
    }
    let asked = sealing.service.asked();
    let distinct: BTreeSet<_> = asked.iter().cloned().collect();
    assert_eq!(distinct.into_iter().collect::<BTreeMap<_, _>>(), recorded, "what was sealed");
    let mut numbers: Vec<_> = asked.iter().map(|(number, _)| number).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), recorded.len(), "one number, other bytes: {asked:?}");
    assert!(asked.len() > recorded.len(), "no death fell between a seal and its record");
}

/// Holds the log of one case against what was promised, and adds its notices to `recorded`.
fn check_case(entries: &[Entry], recorded: &mut BTreeMap<String, tongban_core::digest::Digest>) {
    let (mut drafted, mut served) = (Vec::new(), Vec::new());
    for Entry { body, .. } in entries {
        if let Body::DocumentDrafted(notice) = body {
            drafted.push((notice.number.matter(), notice.number.kind()));
        } else if let Body::DocumentSealed(notice) = body {
            let former = recorded.insert(notice.number.to_string(), notice.digest);
            assert_eq!(former, None, "{} is sealed twice", notice.number);
        } else if let Body::DocumentServed(notice) = body {
            served.push((notice.number.matter(), notice.number.kind()));
            assert!(recorded.contains_key(&notice.number.to_string()), "{}", notice.number);
        }
    }
    let of_matter = |no: u16| KINDS.map(|kind| (MatterNo(no), kind));
    let mut expected: Vec<_> = DECIDED_HERE.into_iter().flat_map(of_matter).collect();
    for notices in [&mut expected, &mut drafted, &mut served] {
        notices.sort_unstable();
    }
    assert_eq!(drafted, expected, "each act of an office brings one notice");
    assert_eq!(served, expected, "each notice is served once");
}
