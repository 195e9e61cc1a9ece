//! The demo, as a newcomer runs it: the real program, its own agencies, one case of eight
//! permits, and one JSON document on standard output.

use serde_json::Value;
use tongban_tests::{Ended, Tongban};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));

/// Matters of the case, each with the state it ends in.
const MATTERS: [(&str, &str); 8] = [
    ("investment-filing", "granted"),
    ("real-estate-title", "granted"),
    ("land-use-planning-permit", "granted"),
    ("engineering-planning-permit", "granted"),
    ("fire-design-review", "granted_tolerant"),
    ("civil-air-defence-review", "granted"),
    ("construction-permit", "granted"),
    ("waste-disposal", "granted"),
];

fn demo(folder: &std::path::Path) -> Ended {
    let data = folder.to_str().unwrap();
    PROGRAM.run(&["demo", "--exit", "--format", "json", "--data", data])
}

/// Reads the one document that standard output must be.
fn summary(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

#[test]
fn eight_permits_are_granted_within_one_working_day() {
    let folder = tempfile::tempdir().unwrap();
    let summary = summary(&demo(&folder.path().join("data")));
    let cases = summary["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0]["service"], "construction-start");
    assert_eq!(cases[0]["state"], "completed_all");
    let matters = cases[0]["matters"].as_array().unwrap();
    let states: Vec<(&str, &str)> = matters
        .iter()
        .map(|matter| (matter["code"].as_str().unwrap(), matter["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, MATTERS);
    for matter in matters {
        assert_ne!(matter["result"], "", "{} gave no document", matter["code"]);
        assert_eq!(matter["workingDays"], 0, "{} took more than its day", matter["code"]);
    }
    let numbers = &summary["numbers"];
    // Four, unless the machine is so slow that a department is done before the next look.
    assert!(numbers["mattersAtOnce"].as_u64().unwrap() >= 3, "{numbers}");
    assert_eq!(numbers["materialsRequired"], 16);
    assert_eq!(numbers["materialsExempted"], 8);
    assert!(cases[0]["number"].as_str().unwrap().starts_with("42030220260302"));
}

#[test]
fn a_second_run_files_a_second_case_in_the_same_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = summary(&demo(&data));
    let second = summary(&demo(&data));
    let number = |summary: &Value| summary["cases"][0]["number"].as_str().unwrap().to_owned();
    assert!(number(&first).starts_with("42030220260302"));
    assert!(number(&second).starts_with("42030220260303"), "on the next working morning");
    assert_eq!(second["cases"][0]["state"], "completed_all");
}

#[test]
fn a_person_reads_a_table_on_standard_output_and_the_course_on_standard_error() {
    let ended = PROGRAM.run(&["demo", "--exit"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for (words, stream) in [
        (["文号 number", "全部办结", "免提交 exempted"], &ended.stdout),
        (["数据文件夹", "2026-03-02 09:00", "容缺准予"], &ended.stderr),
    ] {
        for word in words {
            assert!(stream.contains(word), "no {word} in {stream}");
        }
    }
    assert!(!ended.stderr.contains('\u{1b}'), "no terminal, no escape sequences");
}
