//! The rules of the house, as tests over the tree.
//!
//! One rule, one test; the message names file and line and what to do. The rules are in
//! `tidy/rules.rs`, what they see of a file in `tidy/source.rs`, the walk in `tidy/tree.rs`,
//! and the proof that each rule bites in `tidy/bite.rs`. Clippy checks some of this with
//! types in hand; here are also macros, scripts, manifests, and code behind other features.

mod bite;
mod rules;
mod source;
mod tree;

use std::collections::BTreeSet;
use std::io::Write as _;

use rules::{Complaint, Guarded};
use source::Source;
use tree::{File, root_entries, tree};

/// What lies in the root.
const ROOT: [&str; 17] = [
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "connectors",
    "deny.toml",
    "engine",
    "examples",
    "graphql",
    "rustfmt.toml",
    "scripts",
    "tests",
];

/// What may lie there besides.
const ROOT_OPTIONAL: [&str; 1] = ["rust-toolchain.toml"];

/// Which package may use which; whatever is not here is a new edge.
const MAY_USE: [(&str, &[&str]); 7] = [
    ("tongban-core", &[]),
    ("tongban-engine", &["tongban-core"]),
    ("tongban-scripts", &["tongban-core"]),
    ("tongban-connectors", &["tongban-core"]),
    (
        "tongban-graphql",
        &["tongban-core", "tongban-engine", "tongban-scripts", "tongban-connectors"],
    ),
    (
        "tongban-examples",
        &[
            "tongban-core",
            "tongban-engine",
            "tongban-scripts",
            "tongban-connectors",
            "tongban-graphql",
        ],
    ),
    (
        "tongban-tests",
        &[
            "tongban-core",
            "tongban-engine",
            "tongban-scripts",
            "tongban-connectors",
            "tongban-graphql",
        ],
    ),
];

/// What each package must never know, whichever crate brings it.
const MUST_NOT_KNOW: [(&str, &[&str]); 4] = [
    (
        "tongban-core",
        &[
            "async-graphql",
            "axum",
            "futures-util",
            "hyper",
            "reqwest",
            "rhai",
            "sled",
            "sqlx",
            "tokio",
        ],
    ),
    ("tongban-engine", &["async-graphql", "axum", "hyper", "reqwest", "rhai"]),
    ("tongban-scripts", &["async-graphql", "axum", "hyper", "reqwest", "sled", "sqlx", "tokio"]),
    ("tongban-connectors", &["async-graphql", "rhai", "sled", "sqlx"]),
];

const CLOCKS: Guarded = Guarded {
    calls: &[
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "Utc::now",
        "thread::sleep",
        "tokio::time::sleep",
        "tokio::time::sleep_until",
        "time::sleep",
        "time::interval",
    ],
    allowed: &[
        ("engine/src/clock.rs", "the adapter of both clocks, the one place that asks the machine"),
        ("engine/benches/measure/mod.rs", "a bench measures real time"),
    ],
    advice: "take a clock as an argument; engine/src/clock.rs alone asks the machine",
};

const TASKS: Guarded = Guarded {
    calls: &["tokio::spawn", "tokio::task::spawn", "task::spawn_local"],
    allowed: &[],
    advice: "give the task to a `JoinSet` that its owner awaits",
};

/// Words that tell of the machine or the making, spelt so that this file holds none of them.
fn forbidden_words() -> Vec<String> {
    [
        concat!("/wo", "rk/"),
        concat!("/fa", "rm/"),
        concat!("/ro", "ot/"),
        concat!("bash_", "jobs"),
        concat!("design", ".md"),
        concat!("models", ".md"),
        concat!("dossier", ".md"),
        concat!("index.", "crates.io"),
        concat!("static.", "crates.io"),
        concat!("proxy.golang", ".org"),
        concat!("registry.", "npmjs"),
        concat!("pypi", ".org"),
        concat!("rsproxy", ".cn"),
        concat!("mirrors", "."),
        concat!("cargo", "-registry"),
        concat!("artifac", "tory"),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Fails with every complaint, one per line.
#[track_caller]
fn none(complaints: impl IntoIterator<Item = Complaint>) {
    let complaints: Vec<Complaint> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Files that people write by hand, in this house.
fn written() -> impl Iterator<Item = &'static File> {
    let is_written = |file: &&File| {
        let kinds = [".rs", ".rhai", ".md", ".toml", ".js", ".css", ".sql"];
        kinds.iter().any(|kind| file.path.ends_with(kind))
    };
    tree().files("", "").filter(is_written)
}

#[test]
fn files_are_short() {
    for advice in written().filter_map(|file| rules::file_length(file, rules::FILE_LINES_ADVISED)) {
        // Not captured by the runner: advice is for whoever looks, not a failure.
        writeln!(std::io::stderr(), "advice: {advice}").expect("stderr is open");
    }
    none(written().filter_map(|file| rules::file_length(file, rules::FILE_LINES_MAX)));
}

#[test]
fn functions_are_short() {
    none(tree().sources().flat_map(|source| rules::function_length(&source)));
}

#[test]
fn packages_use_each_other_as_drawn() {
    let manifests = tree().manifests();
    none(manifests.iter().flat_map(|manifest| rules::edges(manifest, &MAY_USE)));
    let names: BTreeSet<&str> = manifests.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, MAY_USE.map(|(name, _)| name).into_iter().collect());
}

#[test]
fn packages_do_not_know_what_they_must_not() {
    let manifests = tree().manifests();
    none(manifests.iter().flat_map(|manifest| {
        let rows = MUST_NOT_KNOW.iter().filter(|(name, _)| *name == manifest.name);
        rows.flat_map(|(_, forbidden)| rules::forbidden_dependencies(manifest, forbidden))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn core_is_pure() {
    let words = [
        "async fn",
        "async move",
        "async{",
        ".await",
        "HashMap",
        "HashSet",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
    ];
    let advice = "core has no I/O, no clock, no async body and no order but the key order";
    let core = tree().sources().filter(|source| source.path.starts_with("engine/core/src/"));
    none(core.flat_map(|source| rules::forbidden_code(&source, &words, advice)));
}

#[test]
fn only_the_clock_adapter_asks_the_machine_for_the_time() {
    none(tree().sources().flat_map(|source| rules::guarded_calls(&source, &CLOCKS)));
}

#[test]
fn every_task_has_an_owner() {
    none(tree().sources().flat_map(|source| rules::guarded_calls(&source, &TASKS)));
}

#[test]
fn tests_do_not_sleep() {
    none(tree().sources().flat_map(|source| rules::sleeps_in_tests(&source)));
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    let words = ["todo!", "unimplemented!", "#[ignore", "#[allow(", "#![allow("];
    let advice = "finish it, or use `#[expect(lint, reason = \"...\")]` for a lint";
    none(tree().sources().flat_map(|source| rules::forbidden_code(&source, &words, advice)));
}

#[test]
fn the_root_holds_what_it_must_and_nothing_else() {
    let found = root_entries();
    let known = |entry: &&str| ROOT.contains(entry) || ROOT_OPTIONAL.contains(entry);
    let strange = found.iter().map(String::as_str).filter(|entry| !known(entry));
    none(strange.map(|entry| {
        format!("{entry}: does not belong into the root; move it into the folder that owns it")
    }));
    let missing = ROOT.iter().filter(|entry| !found.contains(**entry));
    none(missing.map(|entry| format!("{entry}: is missing from the root; bring it back")));
}

#[test]
fn no_file_speaks_of_the_machine_it_was_made_on() {
    let words = forbidden_words();
    let advice = "it means nothing to a reader elsewhere; say it otherwise";
    let files = tree().files("", "");
    none(files.flat_map(|file| rules::forbidden_words(file, &words, advice)));
}

#[test]
fn no_comment_puts_work_off() {
    let words = [concat!("to", "do:"), concat!("to", "do("), concat!("fix", "me")];
    let words = words.map(str::to_owned);
    let advice = "do it, or take it out and keep it where work is planned";
    none(written().flat_map(|file| rules::forbidden_words(file, &words, advice)));
}

#[test]
fn no_test_file_is_forgotten() {
    let sources: Vec<Source> = tree().sources().collect();
    none(rules::forgotten_modules(&sources));
}

#[test]
fn the_readme_names_every_example() {
    let Some(readme) = tree().text("README.md") else {
        return;
    };
    let examples = tree().files("examples/", ".rs").filter(|file| file.path != "examples/lib.rs");
    none(
        examples
            .filter(|file| !readme.contains(&file.path))
            .map(|file| format!("README.md: does not name {}; say what it shows", file.path)),
    );
}

#[test]
fn every_shipped_matter_is_part_of_a_service() {
    let is_rehearsal = |file: &&File| file.path.ends_with(".rehearsal.rhai");
    let scripts = |folder| -> Vec<&File> {
        let files = tree().files(folder, ".rhai");
        files.filter(|file| !is_rehearsal(file)).collect()
    };
    let services = scripts("scripts/services/");
    none(rules::unused_matters(&scripts("scripts/matters/"), &services));
}

#[test]
fn packages_inherit_what_the_workspace_says() {
    none(tree().manifests().iter().flat_map(rules::inheritance));
}

#[test]
fn cores_clippy_settings_repeat_those_of_the_root() {
    let read = |path| tree::parse(path, tree().text(path).expect("clippy.toml is in the tree"));
    none(rules::clippy_repeated(&read("clippy.toml"), &read("engine/core/clippy.toml")));
}

#[test]
fn every_promise_names_its_test() {
    let sources: Vec<Source> = tree().sources().collect();
    let page = tree().files("engine/GUARANTEES.md", "").next().expect("the promises are written");
    none(rules::promises(page, &sources));
    assert!(page.text.contains("\n## Not promised\n"), "what is not promised is said");
}
