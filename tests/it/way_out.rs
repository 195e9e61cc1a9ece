//! When something goes wrong, with the real program: an operation that nothing carries, a script
//! that does not know what to do with an answer, a stop that undoes what was done. Those who
//! answer for it look and act by the program's own commands, over HTTP.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tongban_tests::{Ended, Server, Tongban};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));

const SERVICE: &str = r#"
service(#{
    code: "tax-clearance", name: "清税一件事", lead: "tax", api_level: 2,
    target: "enterprise", regions: ["420300"], promise: "20 working days",
    matters: [ part("clearance") ],
});
"#;
const MATTER: &str = r#"
matter(#{
    code: "clearance", name: "清税证明", department: "tax", intake: "auto",
    limit: #{ statutory: "20 working days", promised: "10 working days" },
    form: [], materials: [],
});
fn handle(m) {
    compensate_with("tax.release", #{});
    let held = ask("tax.hold", #{});
    if held.number == "wrong" { throw "登记号有误"; }
    let seen = receive("visit");
    let opinion = decide("tax.approver", #{ title: "清税审查", facts: #{ held: held.number } });
    if opinion.denied { return deny(opinion); }
    grant(opinion)
}
"#;
/// An office without a system carries what the scripts ask of it.
const BOUND: &str = r#"
[connectors.counter.manual]
role = "tax.clerk"
[[bindings]]
operation = "tax.*"
region = "420300"
connector = "counter"
"#;

/// A town with one service, and the tokens of its people.
struct Town {
    folder: TempDir,
    server: Option<Server>,
}

impl Town {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let town = Self { folder, server: None };
        for (path, text) in [
            ("scripts/services/tax-clearance.rhai", SERVICE),
            ("scripts/matters/tax/clearance.rhai", MATTER),
            ("bound.toml", BOUND),
        ] {
            let path = town.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        town
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Serves the folder, with the office bound or not.
    fn serve(&mut self, config: Option<&str>) {
        let (data, scripts) = (self.path("data"), self.path("scripts"));
        let config = config.map(|name| self.path(name));
        let mut words = vec!["--dev", "--data", text(&data), "--scripts", text(&scripts)];
        if let Some(config) = &config {
            words.extend(["--config", text(config)]);
        }
        self.server = Some(PROGRAM.serve(&words));
    }

    fn stop(&mut self) {
        let (status, told) = self.server.take().unwrap().terminate();
        assert!(status.success(), "{told}");
    }

    /// Signs a token, and writes it where the program reads it.
    fn token(&self, who: &str, words: &[&str]) -> String {
        let mut all = vec!["--subject", who];
        all.extend(words);
        let token = PROGRAM.token(&self.path("data"), &all);
        fs::write(self.path(who), &token).unwrap();
        token
    }

    /// Runs a command of the program as somebody, against the server.
    fn run(&self, who: &str, words: &[&str]) -> Ended {
        let (url, file) = (self.server.as_ref().unwrap().url(), self.path(who));
        let mut all = words.to_vec();
        all.extend(["--server", url, "--token-file", text(&file)]);
        PROGRAM.run(&all)
    }

    /// Runs a command that must succeed, and returns the JSON that it prints.
    fn done(&self, who: &str, words: &[&str]) -> Json {
        let ended = self.run(who, words);
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
    }

    fn ask(&self, token: &str, document: &str, variables: &Json) -> Json {
        let answer = self.server.as_ref().unwrap().ask(token, document, variables);
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"].clone()
    }

    /// Files a case, and returns its id.
    fn file(&self, applicant: &str, key: &str) -> String {
        let start = "mutation($input: StartCaseInput!) { startCase(input: $input) { case { id }
            errors { __typename ... on UserError { message } } } }";
        let input = json!({ "serviceCode": "tax-clearance", "region": "420302", "form": {},
            "applicant": { "id": PARTY, "name": "十堰示例商贸有限公司" }, "idempotencyKey": key });
        let started = self.ask(applicant, start, &json!({ "input": input }));
        let case = started["startCase"]["case"]["id"].as_str();
        let case = case.unwrap_or_else(|| panic!("{started}")).to_owned();
        let submit = "mutation($input: SubmitCaseInput!) { submitCase(input: $input) {
            errors { __typename ... on UserError { message } } } }";
        let input = json!({ "caseId": case, "idempotencyKey": format!("{key}-submit") });
        let done = self.ask(applicant, submit, &json!({ "input": input }));
        assert_eq!(done["submitCase"]["errors"], json!([]), "{done}");
        case
    }

    /// Completes an open task of a kind with a yes, as soon as it is there.
    fn complete(&self, token: &str, kind: &str, fields: &Json) {
        let queue = "{ queue(view: OPEN, first: 50) { nodes { id kind version } } }";
        let task = loop {
            let found = self.ask(token, queue, &json!({}))["queue"]["nodes"].clone();
            let nodes = found.as_array().cloned().unwrap_or_default();
            match nodes.into_iter().find(|task| task["kind"] == kind) {
                Some(task) => break task,
                None => std::thread::yield_now(),
            }
        };
        let complete = "mutation($input: CompleteTaskInput!) { completeTask(input: $input) {
            errors { __typename ... on UserError { message } } } }";
        let input = json!({ "taskId": task["id"], "expectedVersion": task["version"], "granted": true,
            "opinion": "已办", "fields": fields, "idempotencyKey": task["id"] });
        let done = self.ask(token, complete, &json!({ "input": input }));
        assert_eq!(done["completeTask"]["errors"], json!([]), "{done}");
    }

    /// Reads the case until it is as it should be.
    fn until(&self, token: &str, case: &str, is_so: fn(&Json) -> bool) -> Json {
        let read = "query($id: ID!) { case(by: { id: $id }) { number state
            matters { state stopped { undone } } incidentList { id kind stage call { request } } } }";
        loop {
            let found = self.ask(token, read, &json!({ "id": case }))["case"].clone();
            if is_so(&found) {
                return found;
            }
            std::thread::yield_now();
        }
    }
}

const PARTY: &str = "91420302MA4DEM010M";

fn text(path: &Path) -> &str {
    path.to_str().expect("test folders have plain names")
}

/// Serves once, so that the folder has a key to sign tokens with.
fn begin(config: Option<&str>) -> (Town, [String; 4]) {
    let mut town = Town::open();
    town.serve(config);
    let placed = ["--region", "420300"];
    let officer = [&placed[..], &["--role", "approver", "--department", "tax"]].concat();
    let head = [&placed[..], &["--role", "office-head", "--department", "tax"]].concat();
    let clerk = [&placed[..], &["--role", "window-clerk"]].concat();
    town.token("admin", &[&placed[..], &["--role", "system-admin"]].concat());
    let tokens = [
        town.token("applicant", &["--role", "applicant", "--party", PARTY]),
        town.token("officer", &officer),
        town.token("head", &head),
        town.token("clerk", &clerk),
    ];
    (town, tokens)
}

#[test]
fn what_nothing_carries_is_bound_and_retried_and_what_went_wrong_is_put_right_by_two() {
    let (mut town, [applicant, officer, head, _]) = begin(None);
    let case = town.file(&applicant, "one");
    let listed = town.done("admin", &["incidents", "list", "--format", "json"]);
    assert_eq!((&listed[0]["kind"], &listed[1]), (&json!("CALL_FAILED"), &Json::Null), "{listed}");
    let incident = listed[0]["id"].as_str().unwrap().to_owned();
    let retry = ["incidents", "settle", &incident, "--way", "retry", "--reason", "已绑定连接器"];
    let early = town.run("admin", &retry);
    assert_eq!(early.code, Some(69), "{}", early.stderr);
    assert!(early.stderr.contains("NOT_BOUND"), "{}", early.stderr);
    town.stop();
    let data = town.path("data");
    let offline =
        PROGRAM.run(&["incidents", "list", "--data", text(&data), "--kind", "call-failed"]);
    assert!(offline.stdout.contains(&incident), "{}{}", offline.stdout, offline.stderr);
    let shown = PROGRAM.run(&["incidents", "show", &incident, "--data", text(&data)]);
    assert!(shown.stdout.contains("调用未成功"), "{}{}", shown.stdout, shown.stderr);

    town.serve(Some("bound.toml"));
    let done = town.done("admin", &retry);
    assert_eq!(done["incident"]["end"]["by"], "admin", "{done}");
    town.complete(&officer, "MANUAL", &json!({ "number": "wrong" }));
    let failed = |case: &Json| case["incidentList"][1]["kind"] == "SCRIPT_FAILED";
    let stuck = town.until(&head, &case, failed);
    let incident = stuck["incidentList"][1]["id"].as_str().unwrap().to_owned();
    let put = [
        "incidents",
        "settle",
        &incident,
        "--way",
        "override",
        "--request",
        "1.0#1",
        "--output",
        r#"{"number": "QS-7"}"#,
        "--reason",
        "已与经办人核对登记号",
    ];
    let first = town.done("officer", &put);
    assert_eq!(first["incident"]["stage"], "PROPOSED", "{first}");
    let alone = town.run("officer", &put);
    assert!(alone.stderr.contains("NOT_PERMITTED"), "{}", alone.stderr);
    let second = town.done("head", &put);
    assert_eq!(second["incident"]["stage"], "SETTLED", "{second}");
    let number = stuck["number"].as_str().unwrap();
    let pause = ["case", "pause", number, "--reason", "核对"];
    assert_eq!(town.done("admin", &pause)["case"]["paused"]["by"], "admin");
    let resume = ["case", "resume", number, "--reason", "核对完毕"];
    assert_eq!(town.done("admin", &resume)["case"]["paused"], Json::Null);
    let visit =
        ["case", "send", number, "--matter", "clearance", "--channel", "visit", "--body", "{}"];
    town.done("clerk", &visit);
    town.complete(&officer, "DECIDE", &json!({}));
    let ended = town.until(&head, &case, |case| case["state"] == "COMPLETED_ALL");
    assert!(ended["incidentList"].as_array().unwrap().iter().all(|one| one["stage"] == "SETTLED"));
    town.stop();
}

#[test]
fn a_stopped_script_undoes_what_it_did_and_who_looked_is_written_down() {
    let (mut town, [applicant, officer, head, _]) = begin(Some("bound.toml"));
    let case = town.file(&applicant, "one");
    town.complete(&officer, "MANUAL", &json!({ "number": "QS-1" }));
    let cancel = ["case", "cancel", &case, "--matter", "clearance", "--reason", "申请人已注销"];
    let refused = town.run("admin", &cancel);
    assert!(refused.stderr.contains("NOT_PERMITTED"), "{}", refused.stderr);
    town.done("head", &cancel);
    town.complete(&officer, "MANUAL", &json!({ "number": "JC-1" }));
    let undone = |case: &Json| case["matters"][0]["stopped"]["undone"] == true;
    town.until(&head, &case, undone);
    town.stop();

    let data = town.path("data");
    let reveal =
        ["case", "replay", &case, "--data", text(&data), "--reveal", "--reason", "投诉核查"];
    assert_eq!(PROGRAM.run(&reveal).code, Some(0));
    let listed = PROGRAM.run(&["audit", "list", "--data", text(&data), "--format", "json"]);
    let record: Json = serde_json::from_str(listed.stdout.trim()).unwrap();
    assert_eq!(
        (&record["act"], &record["target"], &record["reason"]),
        (&json!("revealed"), &json!(case), &json!("投诉核查")),
        "{record}"
    );
    assert_eq!(PROGRAM.run(&["audit", "verify", "--data", text(&data)]).code, Some(0));
    let file = town.path("audit.jsonl");
    fs::write(&file, listed.stdout.replace("投诉核查", "例行")).unwrap();
    let changed = PROGRAM.run(&["audit", "verify", "--file", text(&file)]);
    assert_eq!(changed.code, Some(65), "{}", changed.stderr);
    assert!(changed.stderr.contains("AUDIT_BROKEN"), "{}", changed.stderr);
}
