//! What goes wrong in front of the program: each gets a code, says what, where and what to do,
//! in both languages, and leaves what is stored as it was.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tongban_tests::{Ended, Server, Tongban};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));

const DATA: i32 = 65;
const UNAVAILABLE: i32 = 69;
const TRY_LATER: i32 = 75;
const CONFIG: i32 = 78;
const USAGE: i32 = 2;

const PARTY: &str = "91420302MA4DEM010M";
const START: &str = "mutation($input: StartCaseInput!) { startCase(input: $input) {
    case { id number } errors { ... on UserError { code path message en: message(lang: EN) } } } }";
const CASES: &str = "{ cases(first: 10) { nodes { id } } }";

/// A key set as an identity provider publishes it; nobody holds the other half.
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
    "x":"bc9zKIwHT4w5LEnOhRIJ-yw2sDL-7AZUcsf3UFnhqf4"}]}"#;

/// Fails unless the program ended so, and said all of these words on standard error.
#[track_caller]
fn check(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "no {word:?} in:\n{}", ended.stderr);
    }
    assert!(ended.stderr.contains("  → "), "no advice in:\n{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn data() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    (folder, data)
}

/// A server for trying things out, and the token of an applicant.
fn served(data: &Path) -> (Server, String) {
    let server = PROGRAM.serve(&["--dev", "--data", text(data)]);
    let token = PROGRAM.token(data, &["--role", "applicant", "--party", PARTY]);
    (server, token)
}

fn start(changes: &Value) -> Value {
    let mut input = json!({
        "serviceCode": "construction-start",
        "region": "420302",
        "applicant": { "id": PARTY, "name": "十堰示例置业有限公司" },
        "answers": { "basement": true, "waste": true },
        "form": { "parcel_no": "420302003001GB00012" },
        "idempotencyKey": changes.to_string(),
    });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

#[test]
fn wrong_applications_are_refused_with_the_place_and_leave_nothing() {
    let (_folder, data) = data();
    let (server, token) = served(&data);
    let table = [
        (json!({ "serviceCode": "construction-stat" }), "UNKNOWN_SERVICE", "construction-start"),
        (json!({ "form": { "parcel": "1" } }), "INVALID_INPUT", "parcel_no"),
        (json!({ "form": { "floor_area": -1 } }), "INVALID_INPUT", "floor_area"),
        (json!({ "region": "999999" }), "SERVICE_NOT_OFFERED", "420300"),
    ];
    for (changes, code, word) in table {
        let answer = server.ask(&token, START, &start(&changes));
        let error = &answer["data"]["startCase"]["errors"][0];
        assert_eq!(error["code"], code, "{answer}");
        assert!(error["en"].as_str().unwrap().contains(word), "{answer}");
        assert_ne!(error["message"], error["en"], "Chinese by default");
        assert!(answer["data"]["startCase"]["case"].is_null(), "{answer}");
    }
    assert_eq!(server.ask(&token, CASES, &json!({}))["data"]["cases"]["nodes"], json!([]));
    let right = server.ask(&token, START, &start(&json!({})));
    assert_eq!(right["data"]["startCase"]["errors"], json!([]), "{right}");
}

#[test]
fn an_operation_that_does_not_exist_is_a_request_error() {
    let (_folder, data) = data();
    let (server, token) = served(&data);
    let answer = server.ask(&token, "{ casez(first: 1) { nodes { id } } }", &json!({}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{answer}");
    assert!(answer.get("data").is_none(), "{answer}");
}

/// Writes the shipped scripts with one file changed, and returns their folder.
fn scripts(file: &str, change: impl Fn(&str) -> String) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    for kind in ["services", "matters", "lib"] {
        copy(&shipped.join(kind), &folder.path().join(kind));
    }
    let path = folder.path().join(file);
    let changed = change(&fs::read_to_string(&path).unwrap());
    fs::write(&path, changed).unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Both ways in which scripts reach the program tell the same finding and refuse.
#[track_caller]
fn refuses_scripts(folder: &TempDir, finding: &[&str]) {
    let path = text(folder.path());
    let checked = PROGRAM.run(&["scripts", "check", path]);
    check(&checked, DATA, &["SCRIPTS_WRONG"]);
    for word in finding {
        assert!(checked.stdout.contains(word), "no {word:?} in:\n{}", checked.stdout);
    }
    let (_folder, data) = data();
    let serve = ["serve", "--dev", "--data", text(&data), "--scripts", path];
    let served = PROGRAM.run(&serve);
    check(&served, DATA, &["SCRIPTS_WRONG"]);
    check(&served, DATA, finding);
    assert!(!data.exists(), "a folder was made although nothing could be served");
}

const REVIEW: &str = "matters/civil-air-defence/civil-air-defence-review.rhai";

#[test]
fn a_syntax_error_in_a_script_is_told_with_file_and_line() {
    let folder = scripts(REVIEW, |text| text.replace("fn handle(m) {", "fn handle(m) { let = 1;"));
    refuses_scripts(&folder, &["civil-air-defence-review.rhai:", "let = 1;", "语法", "syntax"]);
}

#[test]
fn an_undefined_function_in_a_script_is_told_before_it_runs() {
    let folder = scripts(REVIEW, |text| text.replace("decide(", "decied("));
    refuses_scripts(&folder, &["UNDEFINED_FUNCTION", "decied", "decide"]);
}

#[test]
fn an_endless_loop_in_a_script_is_stopped() {
    let folder = scripts(REVIEW, |text| format!("let n = 0;\nloop {{ n += 1; }}\n{text}"));
    refuses_scripts(&folder, &["LIMIT_EXCEEDED", "civil-air-defence-review.rhai"]);
}

#[test]
fn findings_are_json_when_asked_for() {
    let folder = scripts(REVIEW, |text| text.replace("decide(", "decied("));
    let path = text(folder.path());
    let checked = PROGRAM.run(&["scripts", "check", path, "--format", "json"]);
    assert_eq!(checked.code, Some(DATA));
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(report["findings"][0]["code"], "UNDEFINED_FUNCTION");
    assert_eq!(report["findings"][0]["file"], REVIEW);
}

#[test]
fn the_shipped_scripts_are_without_findings() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    let checked = PROGRAM.run(&["scripts", "check", text(&shipped)]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.stdout, checked.stderr);
}

/// Files a case in a new folder and returns its id.
fn filed(data: &Path) -> Value {
    let (server, token) = served(data);
    let answer = server.ask(&token, START, &start(&json!({})));
    let (status, _) = server.terminate();
    assert_eq!(status.code(), Some(0), "SIGTERM is an orderly end");
    answer["data"]["startCase"]["case"]["id"].clone()
}

#[track_caller]
fn still_holds(data: &Path, case: &Value) {
    let (server, token) = served(data);
    let answer = server.ask(&token, CASES, &json!({}));
    assert_eq!(answer["data"]["cases"]["nodes"], json!([{ "id": case }]), "{answer}");
}

#[test]
fn a_folder_without_its_key_is_refused_and_opens_again_with_it() {
    let (_folder, data) = data();
    let case = filed(&data);
    let key = fs::read(data.join("store.key")).unwrap();
    fs::remove_file(data.join("store.key")).unwrap();
    let ended = PROGRAM.run(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", text(&data)]);
    check(&ended, DATA, &["FOLDER_DAMAGED", text(&data), "store.key"]);
    fs::write(data.join("store.key"), key).unwrap();
    still_holds(&data, &case);
}

#[test]
fn a_folder_whose_records_cannot_be_read_is_refused() {
    let (_folder, data) = data();
    filed(&data);
    let records = data.join("sled/db");
    let size = fs::metadata(&records).unwrap().len();
    fs::write(&records, vec![0x5a; usize::try_from(size).unwrap()]).unwrap();
    let ended = PROGRAM.run(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", text(&data)]);
    check(&ended, DATA, &["FOLDER_DAMAGED", text(&data), "sled/db"]);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let path = text(folder.path());
    let ended = PROGRAM.run(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", path]);
    check(&ended, DATA, &["FOLDER_DAMAGED", "thesis.txt"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_second_process_on_the_same_folder_comes_back_later() {
    let (_folder, data) = data();
    let (server, token) = served(&data);
    let ended = PROGRAM.run(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", text(&data)]);
    check(&ended, TRY_LATER, &["FOLDER_IN_USE", text(&data)]);
    let answer = server.ask(&token, START, &start(&json!({})));
    assert_eq!(answer["data"]["startCase"]["errors"], json!([]), "the first goes on");
}

#[test]
fn a_port_in_use_is_named_before_the_folder_is_touched() {
    let (_folder, data) = data();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = PROGRAM.run(&["serve", "--dev", "--data", text(&data), "--listen", &address]);
    check(&ended, UNAVAILABLE, &["PORT_IN_USE", &address, "--listen"]);
    assert!(!data.exists());
    let ended = PROGRAM.run(&["demo", "--exit", "--data", text(&data), "--listen", &address]);
    check(&ended, UNAVAILABLE, &["PORT_IN_USE", &address]);
}

#[test]
fn nothing_is_served_without_an_identity() {
    let (_folder, data) = data();
    let ended = PROGRAM.run(&["serve", "--data", text(&data)]);
    check(&ended, CONFIG, &["IDENTITY_NOT_CONFIGURED", "[identity]", "jwks_file", "--dev"]);
    assert!(!data.exists());
}

#[test]
fn development_stays_on_this_computer() {
    let (_folder, data) = data();
    let ended = PROGRAM.run(&["serve", "--dev", "--data", text(&data), "--listen", "0.0.0.0:0"]);
    check(&ended, USAGE, &["DEV_NOT_LOOPBACK", "0.0.0.0:0"]);
}

fn config(folder: &TempDir, more: &str) -> PathBuf {
    fs::write(folder.path().join("jwks.json"), KEYS).unwrap();
    let path = folder.path().join("tongban.toml");
    let identity = "[identity]\njwks_file = \"jwks.json\"\nissuer = \"https://id.example.org\"\n";
    fs::write(&path, format!("{identity}audience = \"tongban\"\n{more}")).unwrap();
    path
}

#[test]
fn a_folder_with_virtual_time_is_not_served_for_real() {
    let (folder, data) = data();
    let demo = PROGRAM.run(&["demo", "--exit", "--format", "json", "--data", text(&data)]);
    assert_eq!(demo.code, Some(0), "{}", demo.stderr);
    let config = config(&folder, "");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", text(&data), "--config"];
    let ended = PROGRAM.run(&[&arguments[..], &[text(&config)]].concat());
    check(&ended, CONFIG, &["FOLDER_VIRTUAL_TIME", text(&data), "serve --dev"]);
}

#[test]
fn a_configured_identity_lets_strangers_only_to_the_door() {
    let (folder, data) = data();
    let config = config(&folder, "");
    let server = PROGRAM.serve(&["--data", text(&data), "--config", text(&config)]);
    let answer = server.ask("a.b.c", CASES, &json!({}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
}

#[test]
fn a_misspelt_key_of_the_configuration_is_told_with_the_nearest() {
    let (folder, data) = data();
    let config = config(&folder, "[[binding]]\noperation = \"a.b\"\n");
    let ended = PROGRAM.run(&["serve", "--data", text(&data), "--config", text(&config)]);
    check(&ended, CONFIG, &["CONFIG_WRONG", "tongban.toml:5", "binding", "bindings"]);
}

#[test]
fn tokens_are_for_development_only() {
    let (_folder, data) = data();
    let role = ["--data", text(&data), "--role", "integrator"];
    let ended = PROGRAM.run(&[&["token"][..], &role].concat());
    check(&ended, USAGE, &["TOKEN_NEEDS_DEV", "--dev"]);
    assert!(ended.stdout.is_empty());
    let ended = PROGRAM.run(&[&["token", "--dev"][..], &role].concat());
    check(&ended, CONFIG, &["NO_DEV_KEY", text(&data)]);
}
