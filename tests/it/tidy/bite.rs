//! Proof that every rule bites: each is fed what it must complain of, and what it must not.

use super::rules::{self, Complaint, FUNCTION_LINES_MAX};
use super::source::Source;
use super::tree::{File, Manifest, parse};
use super::{CLOCKS, MAY_USE, MUST_NOT_KNOW, TASKS, forbidden_words};

/// Checks that exactly the lines `wanted` (as `path:line`) are complained of.
#[track_caller]
fn check(complaints: &[Complaint], wanted: &[&str]) {
    let places: Vec<String> = complaints
        .iter()
        .map(|complaint| complaint.split(": ").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(places, wanted, "{complaints:#?}");
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn manifest(name: &str, rest: &str) -> Manifest {
    Manifest::new("x/Cargo.toml", &format!("[package]\nname = \"{name}\"\n{rest}"))
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = r##"
fn a<'a>(x: &'a str) -> char { // fn b() { " '
    /* { /* nested " */ } */
    let s = "} \" // { fn c() {";
    let r = r#"} " { "#; let b = b"}\\"; let q = '"'; let e = '\''; let u = '\u{7b}'; let o = '{';
    'label: loop { break 'label '}'; }
}
fn d(f: fn(u8) -> [u8; 4]) where Self: Sized { 1 }
trait T { fn e(&self, x: [u8; 2]); }
"##;
    let functions = Source::new("a.rs", text).functions();
    let found: Vec<(&str, usize, usize)> = functions
        .iter()
        .map(|function| (function.name.as_str(), function.line, function.length))
        .collect();
    assert_eq!(found, [("a", 2, 6), ("d", 8, 1)]);
}

#[test]
fn long_files_are_found() {
    let text = "\n".repeat(11);
    assert!(rules::file_length(&file("a.rs", &text), 10).is_some());
    assert!(rules::file_length(&file("a.rs", &text), 11).is_none());
}

#[test]
fn long_functions_are_found() {
    let function = |lines: usize| format!("\nfn long() {{{}}}\n", "\n".repeat(lines - 1));
    let complain = |lines| rules::function_length(&Source::new("a.rs", &function(lines)));
    check(&complain(FUNCTION_LINES_MAX), &[]);
    check(&complain(FUNCTION_LINES_MAX + 1), &["a.rs:2"]);
}

#[test]
fn the_systems_clock_is_found() {
    let text =
        "// SystemTime::now()\nlet a = SystemTime::now();\nlet b = std::time::Instant :: now ();";
    let complaints = rules::guarded_calls(&Source::new("engine/src/x.rs", text), &CLOCKS);
    check(&complaints, &["engine/src/x.rs:2", "engine/src/x.rs:3"]);
    let clock = Source::new("engine/src/clock.rs", text);
    check(&rules::guarded_calls(&clock, &CLOCKS), &[]);
}

#[test]
fn a_task_without_an_owner_is_found() {
    let text = "set.spawn(work());\ntokio::spawn(work());\ntokio::task::spawn_blocking(work);";
    let complaints = rules::guarded_calls(&Source::new("a.rs", text), &TASKS);
    check(&complaints, &["a.rs:2"]);
}

#[test]
fn a_sleep_in_a_test_is_found() {
    let text =
        "sleep(1);\n#[cfg(test)]\nmod tests {\nclock.sleep(1);\nsleep(1);\nthread::sleep(1);\n}";
    check(&rules::sleeps_in_tests(&Source::new("a.rs", text)), &["a.rs:5", "a.rs:6"]);
    check(
        &rules::sleeps_in_tests(&Source::new("tests/it/a.rs", "tokio::time::sleep(d).await;")),
        &["tests/it/a.rs:1"],
    );
}

#[test]
fn what_is_undone_is_found() {
    let text = "todo ! ()\nlet t = \"todo!\"; // todo!\nx_todo!()\n#[allow(dead_code)]";
    let complaints =
        rules::forbidden_code(&Source::new("a.rs", text), &["todo!", "#[allow("], "no");
    check(&complaints, &["a.rs:1", "a.rs:4"]);
}

#[test]
fn words_of_the_machine_are_found() {
    for word in forbidden_words() {
        let text = format!("fine\nsee {}x\n", word.to_uppercase());
        let complaints = rules::forbidden_words(&file("a.md", &text), &forbidden_words(), "no");
        check(&complaints, &["a.md:2"]);
    }
}

#[test]
fn new_edges_are_found() {
    let bad = manifest("tongban-engine", "[dev-dependencies]\ntongban-scripts = \"1\"");
    check(&rules::edges(&bad, &MAY_USE), &["x/Cargo.toml"]);
    let unknown = manifest("tongban-new", "[dependencies]\ntongban-core = \"1\"");
    check(&rules::edges(&unknown, &MAY_USE), &["x/Cargo.toml"]);
    let good = manifest("tongban-engine", "[dependencies]\ntongban-core = \"1\"");
    check(&rules::edges(&good, &MAY_USE), &[]);
}

#[test]
fn forbidden_crates_are_found() {
    for (name, forbidden) in MUST_NOT_KNOW {
        let bad = manifest(name, &format!("[dependencies]\n{} = \"1\"", forbidden[0]));
        let complaints = rules::forbidden_dependencies(&bad, forbidden);
        check(&complaints, &["x/Cargo.toml"]);
    }
}

#[test]
fn packages_of_their_own_mind_are_found() {
    let complaints =
        rules::inheritance(&manifest("a", "version.workspace = true\nedition = \"2021\""));
    assert_eq!(complaints.len(), 5, "{complaints:#?}");
}

#[test]
fn gaps_in_cores_clippy_settings_are_found() {
    let root = parse(
        "a",
        "n = 5\ndisallowed-methods = [{ path = \"a::b\" }, { path = \"tokio::spawn\" }]",
    );
    let core = parse("b", "n = 6\ndisallowed-methods = [\"c::d\"]");
    assert_eq!(rules::clippy_repeated(&root, &core).len(), 2);
    assert_eq!(rules::clippy_repeated(&root, &root).len(), 0);
}

#[test]
fn forgotten_test_files_are_found() {
    let sources = [
        Source::new("tests/it/main.rs", "mod known;\n// mod lost;"),
        Source::new("tests/it/known.rs", "mod deep;"),
        Source::new("tests/it/known/deep.rs", ""),
        Source::new("tests/it/known/lost.rs", ""),
        Source::new("tests/it/lost.rs", ""),
        Source::new("tests/src/lib.rs", ""),
    ];
    let complaints = rules::forgotten_modules(&sources);
    check(&complaints, &["tests/it/known.rs", "tests/it/main.rs"]);
}

#[test]
fn matters_without_a_service_are_found() {
    let used = file("scripts/matters/a/used.rhai", "matter(#{ code: \"used\" });");
    let unused = file("scripts/matters/a/unused.rhai", "matter(#{ code: \"unused\" });");
    let misnamed = file("scripts/matters/a/misnamed.rhai", "matter(#{ code: \"other\" });");
    let service =
        file("scripts/services/s.rhai", "part( \"used\" ), part(\"misnamed\"), part(\"absent\")");
    check(
        &rules::unused_matters(&[&used, &unused, &misnamed], &[&service]),
        &["scripts/matters/a/unused.rhai", "scripts/matters/a/misnamed.rhai", "scripts/matters"],
    );
}

#[test]
fn promises_without_a_test_are_found() {
    let sources = [
        Source::new(
            "a/b.rs",
            "#[test]\n/// Why.\nfn held() {}\nfn helper() {}\n#[tokio::test]\nasync fn later() {}",
        ),
        Source::new("engine/src/conformance.rs", "macro: [stamped, gone]"),
        Source::new(
            "engine/src/conformance/x.rs",
            "pub async fn stamped() {}\npub async fn idle() {}",
        ),
    ];
    let page = "\
# Promises of `Some::thing`
prose promises nothing
| what | test |
| --- | --- |
| one | `a/b::held`, `a/b::later` |
| two | by design |
| three | `a/b::helper` |
| four | `a/b::absent`, `a/c::held` |
* five
| six | `engine/src/conformance/x::stamped` |
| seven | `engine/src/conformance/x::idle`, `engine/src/conformance/x::gone` |
## Not promised
* eight
* nine, see `a/b::absent`
## More
- ten
";
    let page = page.replace("`Some::thing`", "things");
    let complaints = rules::promises(&file("P.md", &page), &sources);
    let wanted = [
        "P.md:6", "P.md:7", "P.md:8", "P.md:8", "P.md:9", "P.md:11", "P.md:11", "P.md:14",
        "P.md:16",
    ];
    check(&complaints, &wanted);
}
