//! Importing the demo's set, a mistake, a new version, and reading it all back.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tongban_core::organisation::card_rules::CardRulesDocument;
use tongban_core::organisation::{DocumentKind, Organisation, Source};
use tongban_core::time::Moment;

use super::args::ImportArguments;
use super::{Imported, Refused, bind, import, kept, shown, stored};
use crate::program::args::Format;
use crate::program::config::Config;
use crate::program::exit::Exit;

/// The demo's documents.
const DEMO: [(&str, &str); 5] = [
    ("organisation.json", include_str!("../../../demo/organisation.json")),
    ("bindings.json", include_str!("../../../demo/bindings.json")),
    ("agreements.json", include_str!("../../../demo/agreements.json")),
    ("calendar.json", include_str!("../../../demo/calendar.json")),
    ("card-rules.json", include_str!("../../../demo/card-rules.json")),
];

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        for (name, text) in DEMO {
            desk.write(name, text);
        }
        desk
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn arguments(&self, files: &[&str]) -> ImportArguments {
        ImportArguments {
            files: files.iter().map(|name| self.folder.path().join(name)).collect(),
            data: self.data(),
            config: None,
            kind: None,
            dry_run: false,
            list: false,
            format: Format::Text,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    async fn import(&self, files: &[&str]) -> Vec<Imported> {
        import(&self.arguments(files)).await.unwrap_or_else(|refused| panic!("{}", told(&refused)))
    }

    async fn refused(&self, files: &[&str]) -> String {
        match import(&self.arguments(files)).await {
            Ok(_) => panic!("it was taken"),
            Err(refused) => told(&refused),
        }
    }
}

fn told(refused: &Refused) -> String {
    match refused {
        Refused::Documents(findings) => findings.to_string(),
        Refused::Program(error) => error.to_string(),
    }
}

fn whole() -> [&'static str; 5] {
    DEMO.map(|(name, _)| name)
}

#[test]
fn the_demos_documents_are_in_order() {
    let sources = DEMO.map(|(label, text)| Source { label, kind: None, bytes: text.as_bytes() });
    let organisation = Organisation::read(&sources).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(organisation.people().count() >= 12);
    assert_eq!(organisation.agreements().all().len(), 3);
    assert!(organisation.people().all(|person| person.name.starts_with("示例")));
}

#[test]
fn the_demos_card_rules_are_the_shipped_ones() {
    let demo: CardRulesDocument = serde_json::from_str(DEMO[4].1).unwrap();
    assert_eq!(demo.rules, CardRulesDocument::shipped().rules);
}

#[test]
fn everybody_of_the_demos_case_is_in_its_organisation() {
    let plan: Json =
        serde_json::from_str(include_str!("../../../demo/construction-start.json")).unwrap();
    let sources = DEMO.map(|(label, text)| Source { label, kind: None, bytes: text.as_bytes() });
    let organisation = Organisation::read(&sources).unwrap();
    let people = plan["people"].as_object().unwrap().values();
    for person in people.filter(|person| person["role"] != "applicant") {
        let subject = person["subject"].as_str().unwrap();
        assert!(organisation.person(subject).is_some(), "{subject}");
    }
}

#[tokio::test]
async fn a_set_is_kept_and_read_back() {
    let desk = Desk::new();
    let imported = desk.import(&whole()).await;
    assert!(imported.iter().all(|one| one.version.as_ref().is_some_and(|one| one.version == 1)));
    let organisation = stored(&desk.data()).await.unwrap();
    assert_eq!(organisation.version().split(' ').count(), 5);
    assert!(organisation.person("demo:auditor").is_some());
    let nothing = stored(&desk.folder.path().join("none")).await.unwrap();
    assert_eq!(nothing.version(), "");
    let again = desk.import(&["bindings.json"]).await;
    assert!(again[0].is_same && again[0].version.as_ref().unwrap().version == 1);
}

#[tokio::test]
async fn a_new_version_says_what_changes_and_the_old_one_stays() {
    let desk = Desk::new();
    desk.import(&whole()).await;
    let text =
        DEMO[1].1.replace("\"connector\": \"market-regulation\"", "\"connector\": \"registry\"");
    desk.write("bindings.json", &text);
    let imported = desk.import(&["bindings.json"]).await;
    let change = &imported[0].changes[0];
    assert_eq!(change.changed, ["market-regulation.*@420300"]);
    let arguments = desk.arguments(&[]);
    let shown = shown::imported(&imported, &arguments);
    assert!(shown.contains("修改 / changed 1: market-regulation.*@420300"), "{shown}");
    assert!(shown.contains("第 2 版") && shown.contains("next start"), "{shown}");
    let versions = kept::versions(&desk.data()).await.unwrap();
    let bindings = versions.iter().filter(|one| one.kind == "bindings");
    assert_eq!(bindings.map(|one| one.version).collect::<Vec<_>>(), [1, 2]);
    let listed = shown::list(&versions, Format::Text);
    assert!(listed.contains("bindings/shiyan v2"), "{listed}");
    let listed: Json = serde_json::from_str(&shown::list(&versions, Format::Json)).unwrap();
    assert_eq!(listed["versions"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_file_is_checked_with_what_the_folder_holds() {
    let desk = Desk::new();
    desk.import(&whole()).await;
    let mut rules: Json = serde_json::from_str(DEMO[4].1).unwrap();
    rules["rules"][0]["to"] = Json::from("mayor");
    desk.write("card-rules.json", &rules.to_string());
    let told = desk.refused(&["card-rules.json"]).await;
    assert!(told.contains("card-rules.json#/rules/0/to") && told.contains("mayor"), "{told}");
    assert_eq!(kept::versions(&desk.data()).await.unwrap().len(), 5);
    rules["code"] = Json::from("other");
    rules["rules"][0]["to"] = Json::from("approver");
    desk.write("card-rules.json", &rules.to_string());
    let told = desk.refused(&["card-rules.json"]).await;
    assert!(told.contains("promised-late"), "rules of both documents hold: {told}");
}

#[tokio::test]
async fn everything_wrong_is_told_in_both_formats() {
    let desk = Desk::new();
    desk.write("bindings.json", r#"{ "kind": "bindings", "code": "x", "bindings": [{}, 1] }"#);
    let arguments = ImportArguments { format: Format::Json, ..desk.arguments(&["bindings.json"]) };
    let Err(Refused::Documents(findings)) = import(&arguments).await else {
        panic!("it was taken");
    };
    assert_eq!(findings.0.len(), 4);
    let json: Json = serde_json::from_str(&shown::findings(&findings, Format::Json)).unwrap();
    assert_eq!(json["findings"][3]["pointer"], "/bindings/1");
    assert_eq!(json["findings"][3]["code"], "TYPE");
    assert!(!desk.data().join("reference/bindings").exists());
    let error = super::run(&arguments).await.unwrap_err();
    assert_eq!((error.code(), error.exit()), ("DOCUMENTS_WRONG", Exit::Data));
}

#[tokio::test]
async fn a_dry_run_keeps_nothing() {
    let desk = Desk::new();
    let arguments = ImportArguments { dry_run: true, ..desk.arguments(&whole()) };
    let imported = import(&arguments).await.unwrap_or_else(|refused| panic!("{}", told(&refused)));
    assert!(imported.iter().all(|one| one.version.is_none() && !one.changes.is_empty()));
    assert!(!Path::new(&desk.data()).exists());
    assert!(shown::imported(&imported, &arguments).contains("nothing kept"));
}

#[tokio::test]
async fn two_files_of_one_document_are_refused() {
    let desk = Desk::new();
    desk.write("again.json", DEMO[1].1);
    let told = desk.refused(&["bindings.json", "again.json"]).await;
    assert!(told.contains("again.json#/code"), "{told}");
}

#[tokio::test]
async fn a_calendar_keeps_the_years_of_its_former_version() {
    let desk = Desk::new();
    desk.import(&["calendar.json"]).await;
    let next = DEMO[3].1.replace("2026,", "2027,").replace("2026-03-07", "2027-03-06");
    desk.write("calendar.json", &next);
    desk.import(&["calendar.json"]).await;
    let references = kept::existing(&desk.data()).await.unwrap().unwrap();
    let current = kept::current(&references, &desk.data()).await.unwrap();
    let calendar: Json = serde_json::from_slice(&current[0].bytes).unwrap();
    assert_eq!((&calendar["first_year"], &calendar["last_year"]), (&2026.into(), &2027.into()));
    assert_eq!(calendar["days"].as_array().unwrap().len(), 2);
    assert_eq!(current[0].identity.kind, DocumentKind::Calendar);
}

#[tokio::test]
async fn a_damaged_version_is_not_passed_over() {
    let desk = Desk::new();
    desk.import(&["bindings.json"]).await;
    let folder = desk.data().join("reference/bindings/shiyan");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let document = files.filter(|file| !file.to_string_lossy().contains("version"));
    document.for_each(|file| std::fs::write(file, "{}").unwrap());
    let error = stored(&desk.data()).await.unwrap_err();
    assert_eq!(error.code(), "FOLDER_DAMAGED");
}

#[test]
fn the_demo_uses_the_time_of_its_stand_ins() {
    let sources = DEMO.map(|(label, text)| Source { label, kind: None, bytes: text.as_bytes() });
    let organisation = Organisation::read(&sources).unwrap();
    let at = Moment::parse("2026-04-15T09:00:00+08:00").unwrap();
    let stand_in =
        organisation.may_stand_in("demo:natural-resources-2", "demo:natural-resources", at);
    assert_eq!(stand_in.map(|one| one.reason.as_str()), Some("年休假"));
}

#[tokio::test]
async fn a_configurations_own_bindings_win_over_imported_ones() {
    let desk = Desk::new();
    desk.import(&["bindings.json"]).await;
    let mut config: Config = toml::from_str(
        r#"
        [connectors.natural-resources]
        manual = { role = "natural-resources.approver" }
        [connectors.counter]
        manual = { role = "urban-management.clerk" }
        [connectors.market-regulation]
        manual = { role = "market-regulation.approver" }
        [[bindings]]
        operation = "natural-resources.*"
        region = "420300"
        connector = "counter"
        "#,
    )
    .unwrap();
    bind(&mut config, &desk.data()).await.unwrap();
    let bound = config.bindings.iter().map(|one| (one.operation.as_str(), one.connector.as_str()));
    let bound: Vec<(&str, &str)> = bound.collect();
    assert_eq!(
        bound,
        [("natural-resources.*", "counter"), ("market-regulation.*", "market-regulation")]
    );
}
