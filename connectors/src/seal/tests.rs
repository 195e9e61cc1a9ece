//! A seal service over real HTTP: honest, lying, closed and gone.

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tongban_core::document::{DocumentKind, DocumentNo, NumberParts, SealKind};
use tongban_core::id::MatterNo;

use super::*;
use crate::sandbox::fixture::{StillClock, start_of_demo};
use crate::sandbox::{SandboxSeal, SealBehaviour};

const SECRET: &str = "a-shared-secret";

struct Served {
    service: SandboxSeal,
    url: String,
    _server: JoinSet<()>,
}

impl Served {
    async fn new() -> Self {
        let service = SandboxSeal::new(SECRET);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = service.router();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { service, url, _server: server }
    }

    fn seal(&self, secret: &str) -> HttpSeal {
        let keys = SealKeys::from_json(self.service.jwks().as_bytes()).unwrap();
        HttpSeal::new(options(&self.url, secret, keys)).unwrap()
    }

    async fn refusal(&self, does: SealBehaviour) -> SealFault {
        self.service.will(does);
        self.seal(SECRET).seal(request()).await.unwrap_err()
    }
}

fn options(url: &str, secret: &str, keys: SealKeys) -> SealOptions {
    let clock = StillClock::new();
    SealOptions { base_url: url.to_owned(), secret: secret.to_owned(), keys, clock }
}

fn number() -> DocumentNo {
    let parts = NumberParts {
        office_word: "十自规",
        kind: DocumentKind::Acceptance,
        year: 2026,
        case_number: "42030020260302000001X",
        matter: MatterNo(1),
        running: 1,
    };
    DocumentNo::derive(&parts).unwrap()
}

fn request() -> SealRequest {
    SealRequest {
        office: "十堰市自然资源和规划局(示例)".to_owned(),
        document_no: number(),
        digest: Digest::of(b"page"),
        at: start_of_demo(),
    }
}

#[tokio::test]
async fn a_record_comes_back_whole_and_still_verifies_later() {
    let served = Served::new().await;
    let seal = served.seal(SECRET);
    let record = seal.seal(request()).await.unwrap();
    assert_eq!((record.kind, record.digest), (SealKind::Trial, Digest::of(b"page")));
    assert_eq!((&record.office, &record.document_no), (&request().office, &number()));
    assert_eq!(record.signed_at, start_of_demo());
    assert_eq!(seal.verify(&record, &Digest::of(b"page")), Ok(()));
    let other = seal.verify(&record, &Digest::of(b"other")).unwrap_err();
    assert_eq!(other.code(), "SEAL_OTHER_BYTES");
    let late = SealRecord { valid_until: record.signed_at.plus_millis(-1), ..record.clone() };
    assert_eq!(seal.verify(&late, &late.digest).unwrap_err().code(), "SEAL_NOT_GENUINE");
    let foreign = SealRecord { key_id: "seal-9".to_owned(), ..record };
    assert_eq!(seal.verify(&foreign, &foreign.digest).unwrap_err().code(), "SEAL_KEY_UNKNOWN");
    assert_eq!(served.service.sealed(), [number().to_string()]);
}

#[tokio::test]
async fn a_service_that_lies_is_not_believed() {
    let served = Served::new().await;
    for (does, code) in [
        (SealBehaviour::SealsOtherBytes, "SEAL_OTHER_BYTES"),
        (SealBehaviour::SealsForAnother, "SEAL_OTHER_DOCUMENT"),
        (SealBehaviour::Forges, "SEAL_NOT_GENUINE"),
    ] {
        let fault = served.refusal(does).await;
        assert_eq!(fault.code(), code, "{does:?}: {fault}");
        assert_ne!(fault.class(), ErrorClass::Transient, "{does:?}: asking again does not help");
    }
}

#[tokio::test]
async fn only_what_waiting_can_mend_is_asked_again() {
    let served = Served::new().await;
    let down = served.refusal(SealBehaviour::IsDown).await;
    assert_eq!((down.code(), down.class()), ("SEAL_UNAVAILABLE", ErrorClass::Transient));
    let none = served.refusal(SealBehaviour::HoldsNone).await;
    assert_eq!((none.code(), none.class()), ("SEAL_NOT_HELD", ErrorClass::Permanent));
    let stranger = served.seal("another-secret").seal(request()).await.unwrap_err();
    assert_eq!((stranger.code(), stranger.class()), ("SEAL_REFUSED", ErrorClass::Permanent));
    assert!(!stranger.to_string().contains("another-secret"), "{stranger}");
    let nobody = HttpSeal::new(options(
        "http://127.0.0.1:1",
        SECRET,
        SealKeys::from_json(served.service.jwks().as_bytes()).unwrap(),
    ));
    let gone = nobody.unwrap().seal(request()).await.unwrap_err();
    assert_eq!((gone.code(), gone.class()), ("SEAL_UNAVAILABLE", ErrorClass::Transient));
}

#[test]
fn an_answer_that_is_no_record_is_said_so() {
    for answer in ["", "{}", "[1]", "<html>", r#"{"version":1}"#] {
        let fault = read_record(answer.as_bytes(), &request()).unwrap_err();
        assert_eq!(fault.code(), "SEAL_REFUSED", "{answer}");
        assert!(fault.to_string().contains("应答不是签章记录"), "{fault}");
    }
    let fault = read_refusal((404, b"<html>not found</html>"), &request());
    assert_eq!(fault.code(), "SEAL_REFUSED", "a wrong address is not a missing seal");
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let keys = || SealKeys::from_json(SandboxSeal::new(SECRET).jwks().as_bytes()).unwrap();
    let url = "https://seal.example";
    for (base, secret, code) in [
        ("seal.example", SECRET, "SEAL_ADDRESS"),
        ("https://user@seal.example", SECRET, "SEAL_ADDRESS"),
        (url, "", "SEAL_SECRET"),
        (url, "two\nlines", "SEAL_SECRET"),
        (url, "密", "SEAL_SECRET"),
    ] {
        let error = HttpSeal::new(options(base, secret, keys())).unwrap_err();
        assert_eq!(error.code(), code, "{base} {secret:?}");
    }
    let shown = format!("{:?}", HttpSeal::new(options(url, SECRET, keys())).unwrap());
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn a_key_set_holds_keys_that_can_verify() {
    let code = |text: &str| SealKeys::from_json(text.as_bytes()).unwrap_err().code();
    assert_eq!(code("no"), "SEAL_KEYS_NOT_JWKS");
    assert_eq!(code(r#"{"keys":[]}"#), "SEAL_KEYS_EMPTY");
    let x = "bc9zKIwHT4w5LEnOhRIJ-yw2sDL-7AZUcsf3UFnhqf4";
    let key = |kid: &str, kty: &str, crv: &str| {
        format!(r#"{{"kid":"{kid}","kty":"{kty}","crv":"{crv}","x":"{x}"}}"#)
    };
    for unusable in [key("", "OKP", "Ed25519"), key("a", "RSA", ""), key("a", "EC", "P-256")] {
        assert_eq!(code(&format!(r#"{{"keys":[{unusable}]}}"#)), "SEAL_KEY_UNUSABLE");
    }
    let twice = key("a", "OKP", "Ed25519");
    assert_eq!(code(&format!(r#"{{"keys":[{twice},{twice}]}}"#)), "SEAL_KEY_TWICE");
}
