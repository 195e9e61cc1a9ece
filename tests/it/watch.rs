//! `serve --dev --watch`: an integrator changes scripts under the running program.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tongban_tests::{Server, Tongban};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));
const PARTY: &str = "91420302MA4DEM010M";

const SERVICE: &str = r#"service(#{ code: "shop", name: "开店", lead: "d", target: "enterprise",
    regions: ["420300"], matters: [ part("sign") ] });"#;
const OLD: &str = r#"matter(#{ code: "sign", name: "店招", department: "d" });
fn handle(m) { grant(decide("d.approver", #{ title: "审查", facts: #{} })) }"#;
const NEW: &str = r#"matter(#{ code: "sign", name: "店招", department: "d",
    form: [ field("shop", "店名", text(40)) ] });
fn handle(m) { grant(decide("d.approver", #{ title: "审查", facts: #{} })) }"#;

struct Desk {
    server: Server,
    token: String,
    folder: TempDir,
}

impl Desk {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (scripts, data) = (folder.path().join("scripts"), folder.path().join("data"));
        write(&scripts, "services/shop.rhai", SERVICE);
        write(&scripts, "matters/d/sign.rhai", OLD);
        let [scripts, folder_of_data] = [&scripts, &data].map(|path| path.to_str().unwrap());
        let server =
            PROGRAM.serve(&["--dev", "--watch", "--data", folder_of_data, "--scripts", scripts]);
        let token = PROGRAM.token(&data, &["--role", "applicant", "--party", PARTY]);
        Self { server, token, folder }
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.folder.path().join("scripts"), path, text);
    }

    fn ask(&self, document: &str, input: &Value) -> Value {
        let answer = self.server.ask(&self.token, document, &json!({ "input": input }));
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"].clone()
    }

    /// Starts a case and returns its id.
    fn start(&self, key: &str) -> Value {
        let input = json!({ "serviceCode": "shop", "region": "420300", "idempotencyKey": key,
            "applicant": { "id": PARTY, "name": "十堰示例商贸有限公司" } });
        let document = "mutation($input: StartCaseInput!) { startCase(input: $input) {
            case { id } errors { ... on UserError { code message } } } }";
        let started = self.ask(document, &input)["startCase"].clone();
        assert_eq!(started["errors"], json!([]), "{started}");
        started["case"]["id"].clone()
    }

    /// Submits a case and returns the codes of what was refused.
    fn submit(&self, case: &Value) -> Value {
        let input = json!({ "caseId": case, "idempotencyKey": format!("submit {case}") });
        let document = "mutation($input: SubmitCaseInput!) { submitCase(input: $input) {
            errors { ... on UserError { code message } } } }";
        self.ask(document, &input)["submitCase"]["errors"].clone()
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_change_is_for_new_cases_and_a_mistake_is_for_nobody() {
    let mut desk = Desk::open();
    let old = desk.start("old");
    desk.write("matters/d/sign.rhai", NEW);
    let told = desk.server.hear("scripts changed");
    assert!(told.contains("仅用于新办件"), "{told}");
    let new = desk.start("new");
    assert_eq!(desk.submit(&old), json!([]), "the case that was there needs no new field");
    assert_eq!(desk.submit(&new)[0]["code"], "INVALID_INPUT");

    desk.write("matters/d/sign.rhai", "matter(#{ code: \"sign\", nam");
    let told = desk.server.hear("stays in use");
    assert!(told.contains("matters/d/sign.rhai:1"), "{told}");
    let still = desk.start("still");
    assert_eq!(desk.submit(&still)[0]["code"], "INVALID_INPUT", "the version before");
}

#[test]
fn only_a_folder_of_a_development_server_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for arguments in [
        vec!["serve", "--watch", "--data", data],
        vec!["serve", "--dev", "--watch", "--listen", "127.0.0.1:0", "--data", data],
    ] {
        let ended = PROGRAM.run(&arguments);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    }
}
