//! Notices that a seal service over HTTP seals: when it answers, is down, or lies.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tongban_connectors::sandbox::{SandboxSeal, SealBehaviour};
use tongban_connectors::{HttpSeal, SealKeys, SealOptions};
use tongban_core::document::Seal;
use tongban_core::port::WireClock;
use tongban_engine::clock::SystemClock;
use tongban_engine::{CaseView, Show};
use tongban_tests::{Server, Tongban};

use crate::document::{APPLICANT, OFFICES, applicant, clerk};
use crate::files::{SCRIPTS, Shelf};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));
const CONFIG: i32 = 78;
pub(crate) const SECRET: &str = "a-shared-secret";

/// A seal service on a port of its own.
pub(crate) struct Served {
    pub(crate) service: SandboxSeal,
    address: SocketAddr,
    _server: JoinSet<()>,
}

impl Served {
    pub(crate) async fn that(does: SealBehaviour) -> Self {
        let service = SandboxSeal::new(SECRET);
        service.will(does);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = service.router();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { service, address, _server: server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn seal(&self, clock: Arc<dyn WireClock>) -> Arc<dyn Seal> {
        let keys = SealKeys::from_json(self.service.jwks().as_bytes()).unwrap();
        let options = SealOptions { base_url: self.url(), secret: SECRET.to_owned(), keys, clock };
        Arc::new(HttpSeal::new(options).unwrap())
    }
}

fn real() -> Arc<dyn WireClock> {
    Arc::new(SystemClock)
}

fn incidents(view: &CaseView) -> Vec<String> {
    let raised = view.case().incidents.values();
    let notices = raised.filter(|one| one.incident.kind.code() == "NOTICE_NOT_ISSUED");
    notices.map(|one| one.incident.message.clone()).collect()
}

fn numbers(view: &CaseView) -> Vec<String> {
    let documents = view.documents();
    let mut numbers: Vec<String> =
        documents.iter().map(|document| document.number().to_string()).collect();
    numbers.sort();
    numbers
}

fn are_sealed(view: &CaseView) -> bool {
    view.documents().len() == 2 && view.case().drafts().next().is_none()
}

impl Shelf {
    /// Lets time pass from one wait to the next until a notice could not be issued.
    async fn until_given_up(&self) -> CaseView {
        loop {
            let view = self.engine.case(&clerk(), self.case).await.unwrap().unwrap();
            if !incidents(&view).is_empty() {
                return view;
            }
            if let Some(next) = self.clock.next_wake() {
                self.clock.advance_to(next);
            }
            tokio::task::yield_now().await;
        }
    }
}

// The engine that stopped lets go of its folder on another thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_wait_for_a_service_that_is_down_and_are_sealed_once_when_it_is_back() {
    let served = Served::that(SealBehaviour::IsDown).await;
    let shelf = Shelf::filed(served.seal(real())).await;
    let view = shelf.until_given_up().await;
    assert!(incidents(&view)[0].contains("签章服务不可用"), "{:?}", incidents(&view));
    assert_eq!(view.case().drafts().count(), 2, "nothing is sealed: {view:?}");
    assert_eq!(served.service.sealed(), [""; 0]);
    for number in numbers(&view) {
        let shown = shelf.engine.document(&applicant(), shelf.case, (&number, Show::View)).await;
        assert_eq!(shown.unwrap(), None, "a draft is not the applicant's to see");
    }

    served.service.will(SealBehaviour::Seals);
    let mut shelf = shelf;
    for _ in 0..2 {
        shelf = shelf.restart(served.seal(real())).await;
        let view = shelf.until(are_sealed).await;
        let mut sealed = served.service.sealed();
        sealed.sort();
        assert_eq!(sealed, numbers(&view), "each notice is sealed once");
        assert!(view.documents().iter().all(|document| document.service().is_some()));
    }
}

#[tokio::test]
async fn a_service_that_comes_back_is_noticed_without_a_restart() {
    let served = Served::that(SealBehaviour::IsDown).await;
    let shelf = Shelf::filed(served.seal(real())).await;
    shelf.until_given_up().await;
    served.service.will(SealBehaviour::Seals);
    shelf.minutes_until(|| served.service.sealed().len() == 2, 30).await;
    let view = shelf.until(are_sealed).await;
    assert_eq!(incidents(&view).len(), 1, "told once: {:?}", incidents(&view));
}

#[tokio::test]
async fn what_a_lying_service_sealed_is_never_served() {
    for (lie, word) in [
        (SealBehaviour::SealsOtherBytes, "签章覆盖的内容不是这份文书"),
        (SealBehaviour::SealsForAnother, "签章记录不是这份文书的"),
        (SealBehaviour::Forges, "验证不通过"),
    ] {
        let served = Served::that(lie).await;
        let shelf = Shelf::filed(served.seal(real())).await;
        let view = shelf.until(|view| !incidents(view).is_empty()).await;
        assert!(incidents(&view)[0].contains(word), "{:?}", incidents(&view));
        let view = shelf.until(|_| true).await;
        assert_eq!(view.case().drafts().count(), 2, "{lie:?}");
        assert!(view.documents().iter().all(|document| document.service().is_none()));
    }
}

const START: &str = "mutation($input: StartCaseInput!) { startCase(input: $input) {
    case { id } errors { ... on UserError { code message } } } }";
const SUBMIT: &str = "mutation($input: SubmitCaseInput!) { submitCase(input: $input) {
    errors { ... on UserError { code message } } } }";
const DOCUMENTS: &str = "query($id: ID!) { case(by: { id: $id }) {
    documents { kind state seal isTrial } } }";

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn file(server: &Server, token: &str) -> Json {
    let input = json!({
        "serviceCode": "test", "region": "420302", "form": { "size": "20" },
        "applicant": { "id": APPLICANT, "name": "示例公司" }, "idempotencyKey": "start",
        "materials": [{ "code": "plan", "fileName": "方案.pdf", "sha256": "0".repeat(64) }],
    });
    let started = server.ask(token, START, &json!({ "input": input }));
    let case = started["data"]["startCase"]["case"]["id"].clone();
    assert!(case.is_string(), "{started}");
    let input = json!({ "caseId": case, "idempotencyKey": "submit" });
    let submitted = server.ask(token, SUBMIT, &json!({ "input": input }));
    assert_eq!(submitted["data"]["submitCase"]["errors"], json!([]), "{submitted}");
    case
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_has_its_notices_sealed_by_the_service_that_it_is_configured_with() {
    let sealing = Served::that(SealBehaviour::Seals).await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (name, text) in SCRIPTS {
        write(folder.path(), &format!("scripts/{name}"), text);
    }
    write(folder.path(), "organisation.json", OFFICES);
    write(folder.path(), "seal-keys.json", &sealing.service.jwks());
    write(folder.path(), "secret", &format!("{SECRET}\n"));
    let config = format!(
        "scripts = \"scripts\"\n[seal.http]\nbase_url = \"{}\"\nkeys_file = \"seal-keys.json\"\nsecret_file = \"secret\"\nallow_http = true\n",
        sealing.url()
    );
    write(folder.path(), "tongban.toml", &config);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let imported =
        PROGRAM.run(&["import", &path("organisation.json"), "--data", data.to_str().unwrap()]);
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    let arguments = ["--dev", "--data", data.to_str().unwrap(), "--config", &path("tongban.toml")];
    let server = PROGRAM.serve(&arguments);
    let token = PROGRAM.token(&data, &["--role", "applicant", "--party", APPLICANT]);
    let case = file(&server, &token);
    let documents = loop {
        let shown = server.ask(&token, DOCUMENTS, &json!({ "id": case }));
        let documents = shown["data"]["case"]["documents"].clone();
        // An applicant sees only what is sealed.
        if documents.as_array().unwrap_or_else(|| panic!("{shown}")).len() == 2 {
            break documents;
        }
    };
    assert_eq!(documents[0]["state"], "SERVED", "{documents}");
    assert_eq!(documents[0]["seal"], "试用印章(示例市规划局)", "{documents}");
    assert_eq!(sealing.service.sealed().len(), 2);
}

#[test]
fn a_seal_that_cannot_be_used_keeps_the_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let service = |more: &str| {
        format!("[seal.http]\nbase_url = \"http://127.0.0.1:1\"\nkeys_file = \"keys.json\"\n{more}")
    };
    write(folder.path(), "keys.json", "{\"keys\":[]}");
    write(folder.path(), "secret", "s");
    write(folder.path(), "empty", "\n");
    for (text, words) in [
        (service(""), "allow_http = true"),
        (service("allow_http = true\n"), "secret_env"),
        (service("allow_http = true\nsecret_env = \"TONGBAN_NO_SUCH\"\n"), "TONGBAN_NO_SUCH"),
        (service("allow_http = true\nsecret_file = \"empty\"\n"), "是空的"),
        (service("allow_http = true\nsecret_file = \"secret\"\n"), "签章公钥集为空"),
    ] {
        write(folder.path(), "tongban.toml", &text);
        let data = folder.path().join("data");
        let config = folder.path().join("tongban.toml");
        let (data, config) = (data.to_str().unwrap(), config.to_str().unwrap());
        let ended = PROGRAM.run(&[
            "serve",
            "--dev",
            "--listen",
            "127.0.0.1:0",
            "--data",
            data,
            "--config",
            config,
        ]);
        assert_eq!(ended.code, Some(CONFIG), "{text}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "no {words} in {}", ended.stderr);
    }
}

#[test]
fn the_trial_seal_is_for_trying_out_only() {
    let folder = tempfile::tempdir().unwrap();
    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
        "x":"bc9zKIwHT4w5LEnOhRIJ-yw2sDL-7AZUcsf3UFnhqf4"}]}"#;
    write(folder.path(), "jwks.json", keys);
    let config = "seal = \"trial\"\n[identity]\njwks_file = \"jwks.json\"\nissuer = \"i\"\naudience = \"a\"\n";
    write(folder.path(), "tongban.toml", config);
    let data = folder.path().join("data");
    let config = folder.path().join("tongban.toml");
    let (data, config) = (data.to_str().unwrap(), config.to_str().unwrap());
    let ended =
        PROGRAM.run(&["serve", "--listen", "127.0.0.1:0", "--data", data, "--config", config]);
    assert_eq!(ended.code, Some(CONFIG), "{}", ended.stderr);
    assert!(ended.stderr.contains("试用印章没有法律效力"), "{}", ended.stderr);
}
