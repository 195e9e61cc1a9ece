//! Folders of bad scripts, each with the report that an integrator gets.
//!
//! After a wanted change run the tests with `UPDATE_EXPECT=1` and read the difference.

use std::path::Path;

use expect_test::{ExpectFile, expect_file};

use crate::{Catalogue, check};

#[track_caller]
fn reported(name: &str, expected: &ExpectFile) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/bad").join(name);
    let catalogue = ["operations", "intake"].contains(&name).then(Catalogue::shipped);
    let report = check(folder, catalogue.as_ref()).unwrap();
    assert!(report.has_errors());
    expected.assert_eq(&report.to_string());
}

#[test]
fn names_of_functions() {
    reported("names", &expect_file!["bad/names/report.txt"]);
}

#[test]
fn operations_of_the_catalogue() {
    reported("operations", &expect_file!["bad/operations/report.txt"]);
}

#[test]
fn matters_that_do_not_fit_together() {
    reported("structure", &expect_file!["bad/structure/report.txt"]);
}

#[test]
fn closures_that_cannot_be_sound() {
    reported("closures", &expect_file!["bad/closures/report.txt"]);
}

#[test]
fn a_computed_set_names_its_parts_and_asks_nothing() {
    reported("computed", &expect_file!["bad/computed/report.txt"]);
}

#[test]
fn members_of_m() {
    reported("members", &expect_file!["bad/members/report.txt"]);
}

#[test]
fn syntax_and_declarations() {
    reported("syntax", &expect_file!["bad/syntax/report.txt"]);
}

#[test]
fn options_of_decisions_and_procedures() {
    reported("decisions", &expect_file!["bad/decisions/report.txt"]);
}

#[test]
fn what_intake_may_ask_and_advise() {
    reported("intake", &expect_file!["bad/intake/report.txt"]);
}

#[test]
fn what_may_not_be_lawful_is_a_warning() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/bad/warnings");
    let report = check(folder, Some(&Catalogue::shipped())).unwrap();
    assert!(!report.has_errors(), "such scripts are loaded");
    expect_file!["bad/warnings/report.txt"].assert_eq(&report.to_string());
}

#[test]
fn reports_are_data_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/bad/members");
    let report = check(folder, None).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    let first = &json["findings"][0];
    assert_eq!(first["code"], "UNKNOWN_MEMBER");
    assert_eq!(first["line"], 4);
    assert!(first["message"]["zh"].is_string() && first["advice"]["en"].is_string());
}

#[test]
fn a_folder_that_is_not_there_or_empty_is_named() {
    let error = check("no/such/folder", None).unwrap_err();
    assert_eq!(error.code(), "SCRIPT_FOLDER_MISSING");
    let empty = tempfile::tempdir().unwrap();
    let error = check(empty.path(), None).unwrap_err();
    assert_eq!(error.code(), "SCRIPT_FOLDER_EMPTY");
}
