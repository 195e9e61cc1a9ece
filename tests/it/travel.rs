//! Time travel over the demo's whole case: at rest, in an exported file, and while a server holds
//! the folder.

use std::path::Path;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tongban_tests::{Ended, Tongban};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));
const DATA: i32 = 65;
const SERVICE: &str = "construction-start";
/// The matter that is looked at closely.
const MATTER: &str = "land-use-planning-permit";

/// A data folder in which the demo has run.
struct Demo {
    folder: TempDir,
    number: String,
}

fn read(ended: &Ended) -> Json {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Demo {
    fn run() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let ended = PROGRAM.run(&["demo", "--exit", "--format", "json", "--data", text(&data)]);
        let number = read(&ended)["cases"][0]["number"].as_str().unwrap().to_owned();
        Self { folder, number }
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }

    /// Looks at the case after an entry.
    fn replay(&self, from: &[&str], until: Option<u64>) -> Json {
        let until = until.map(|until| until.to_string());
        let mut arguments = vec!["case", "replay", &self.number, "--format", "json"];
        arguments.extend(from);
        arguments.extend(until.iter().flat_map(|until| ["--until", until.as_str()]));
        read(&PROGRAM.run(&arguments))
    }

    fn export(&self, to: &str) -> Ended {
        let (data, to) = (self.path("data"), self.path(to));
        let wish = ["case", "export", &self.number, "--data", &data, "--to", &to];
        PROGRAM.run(&[&wish[..], &["--reason", "投诉核查"]].concat())
    }

    fn report(&self) -> Json {
        let scripts = text(Path::new(env!("CARGO_MANIFEST_DIR"))).to_owned() + "/../scripts";
        let data = self.path("data");
        let wish = ["scripts", "upgrade-report", "--service", SERVICE, "--to", &scripts];
        read(&PROGRAM.run(&[&wish[..], &["--data", &data, "--format", "json"]].concat()))
    }
}

/// Returns what is seen of the script of a matter.
fn script(at: &Json) -> &Json {
    let matters = at["matters"].as_array().unwrap();
    let matter = matters.iter().find(|matter| matter["code"] == MATTER);
    &matter.unwrap_or_else(|| panic!("{at}"))["script"]
}

/// Returns the source line on which a script stands, innermost function first.
fn line(script: &Json) -> &str {
    script["frames"][0]["excerpt"].as_str().unwrap_or_default().trim()
}

#[test]
fn the_demos_case_is_seen_as_it_stood_at_any_entry_in_a_folder_a_file_and_a_server() {
    let demo = Demo::run();
    let data = demo.path("data");
    let in_folder = ["--data", data.as_str()];
    let last = demo.replay(&in_folder, None);
    let entries = last["entries"].as_u64().unwrap();
    assert_eq!(last["state"], "completed_all");
    assert_eq!(script(&last)["standing"], "returned");
    let first = demo.replay(&in_folder, Some(1));
    assert_eq!((&first["entry"], &first["state"]), (&json!(1), &json!("draft")));
    assert_eq!(*script(&first), Json::Null, "no script has begun");

    // Where the script stood, in the order in which it got on.
    let seen: Vec<(u64, Json)> =
        (1..=entries).step_by(3).map(|no| (no, demo.replay(&in_folder, Some(no)))).collect();
    let lines: Vec<&str> = seen.iter().map(|(_, at)| line(script(at))).collect();
    let steps =
        ["ask(\"natural-resources.parcel\"", "decide(", "ask(\"natural-resources.issue_land"];
    let places = steps.map(|step| lines.iter().position(|line| line.contains(step)));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?} in {lines:?}");
    let (_, deciding) = &seen[places[1].unwrap()];
    let variables = &script(deciding)["frames"][0]["variables"];
    assert!(variables["parcel"].is_object(), "what the agency answered: {variables}");
    assert!(variables["opinion"].is_null(), "what was not decided yet: {variables}");
    let awaited = &script(deciding)["waits"][0]["target"];
    assert_eq!(*awaited, "natural-resources.approver", "{deciding}");

    assert_eq!(demo.export("rest.bundle").code, Some(0));
    let bundle = demo.path("rest.bundle");
    for (no, at) in &seen {
        assert_eq!(demo.replay(&["--bundle", &bundle], Some(*no)), *at, "entry {no} in the file");
    }
    let reported = demo.report();

    let server = PROGRAM.serve(&["--dev", "--data", &data]);
    for (no, at) in seen.iter().step_by(7) {
        assert_eq!(demo.replay(&in_folder, Some(*no)), *at, "entry {no} of the served folder");
    }
    assert_eq!(demo.report(), reported, "the server tries the version itself");
    let exported = demo.export("live.bundle");
    assert_eq!(exported.code, Some(0), "{}", exported.stderr);
    let live = std::fs::read(demo.path("live.bundle")).unwrap();
    assert!(live == std::fs::read(&bundle).unwrap(), "the same file");
    let unknown = PROGRAM.run(&["case", "replay", "420302202603029999994", "--data", &data]);
    assert_eq!(unknown.code, Some(DATA), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("CASE_QUESTION"), "the server's refusal: {}", unknown.stderr);
    let again = demo.export("live.bundle");
    assert!(again.stderr.contains("CARRY_EXISTS"), "nothing is overwritten: {}", again.stderr);
    server.kill();

    let listed = PROGRAM.run(&["audit", "list", "--data", &data, "--format", "json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let noted = listed.stdout.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let noted: Vec<Json> = noted.filter(|note| note["reason"] == "投诉核查").collect();
    assert_eq!(noted.len(), 3, "every export is noted, also one that came to nothing: {noted:?}");
    assert!(noted.iter().all(|note| note["target"] == last["case"]));
}

#[test]
fn an_exported_case_is_imported_elsewhere_and_seen_there_as_it_stood() {
    let demo = Demo::run();
    assert_eq!(demo.export("case.bundle").code, Some(0));
    let (bundle, other) = (demo.path("case.bundle"), demo.path("other"));
    std::fs::create_dir(&other).unwrap();
    let imported = PROGRAM.run(&["import-cases", &bundle, "--data", &other]);
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    let data = demo.path("data");
    for until in [None, Some(40)] {
        let here = demo.replay(&["--data", &data], until);
        assert_eq!(demo.replay(&["--data", &other], until), here);
    }
}
