//! A seal service for trial and tests, over real HTTP: it keeps the contract of [`crate::seal`],
//! or breaks it where told to.
//!
//! Its key is fixed and known to everyone, so every record says that it is for trial.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tongban_core::digest::Digest;
use tongban_core::document::{DocumentNo, SealKind, SealRecord};
use tongban_core::time::Moment;

use crate::cxp::Text;

/// Known to everyone.
const SEED: [u8; 32] = *b"tongban sandbox seal, no secret!";
const KEY_ID: &str = "sandbox-1";
const ALGORITHM: &str = "Ed25519";
/// A year.
const VALID_MILLIS: i64 = 365 * 24 * 3_600_000;

/// What a sandbox seal service does with a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SealBehaviour {
    /// It seals.
    #[default]
    Seals,
    /// It answers 503.
    IsDown,
    /// It says that it holds no seal of the office.
    HoldsNone,
    /// It seals another digest than it was asked to.
    SealsOtherBytes,
    /// It answers with the seal of another office.
    SealsForAnother,
    /// It changes the record after signing it.
    Forges,
}

/// A seal service for trial. Clones share it.
#[derive(Clone)]
pub struct SandboxSeal {
    inner: Arc<Inner>,
}

struct Inner {
    pair: Ed25519KeyPair,
    secret: String,
    /// Protects what it does next and whom it has sealed for.
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    does: SealBehaviour,
    sealed: Vec<(String, Digest)>,
}

/// What is asked, of which it reads only what it needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    office: String,
    document_no: String,
    digest: Text<Digest>,
    at: Text<Moment>,
}

impl SandboxSeal {
    /// Builds a service that callers must show `secret` to.
    pub fn new(secret: &str) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED);
        let pair = pair.expect("any 32 bytes are an Ed25519 seed");
        let inner = Inner { pair, secret: secret.to_owned(), told: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Returns its routes.
    pub fn router(&self) -> Router {
        Router::new().route("/seal/1/seals", post(answer)).with_state(self.clone())
    }

    /// Returns its public key as a JSON Web Key Set.
    pub fn jwks(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.inner.pair.public_key().as_ref());
        json!({ "keys": [{ "kid": KEY_ID, "kty": "OKP", "crv": ALGORITHM, "x": x }] }).to_string()
    }

    /// Says what it does from now on.
    pub fn will(&self, does: SealBehaviour) {
        self.told().does = does;
    }

    /// Returns the numbers of the documents that it has sealed, in order, repetitions too.
    pub fn sealed(&self) -> Vec<String> {
        self.told().sealed.iter().map(|(number, _)| number.clone()).collect()
    }

    /// Returns, in order and repetitions too, what it was asked to seal: number and digest.
    pub fn asked(&self) -> Vec<(String, Digest)> {
        self.told().sealed.clone()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.inner.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals, with or without lying.
    fn seal(&self, asked: Asked, does: SealBehaviour) -> Option<Json> {
        let document_no: DocumentNo = asked.document_no.parse().ok()?;
        let (mut office, mut digest) = (asked.office, asked.digest.0);
        if does == SealBehaviour::SealsOtherBytes {
            digest = Digest::of(b"other bytes");
        }
        if does == SealBehaviour::SealsForAnother {
            office.push_str("(另一机关)");
        }
        let at = asked.at.0;
        let mut record = SealRecord {
            version: SealRecord::VERSION,
            kind: SealKind::Trial,
            name: format!("{}({office})", SealKind::Trial.name()),
            office,
            signer: "示例签章服务 / sandbox seal service".to_owned(),
            key_id: KEY_ID.to_owned(),
            algorithm: ALGORITHM.to_owned(),
            signed_at: at,
            made_at: Moment::start_of(at.date()),
            valid_from: Moment::start_of(at.date()),
            valid_until: at.plus_millis(VALID_MILLIS),
            document_no,
            digest,
            signature: Vec::new(),
        };
        record.signature = self.inner.pair.sign(&record.signed_bytes()).as_ref().to_vec();
        if does == SealBehaviour::Forges {
            record.kind = SealKind::Official;
        }
        self.told().sealed.push((asked.document_no, asked.digest.0));
        Some(written(&record))
    }
}

fn written(record: &SealRecord) -> Json {
    json!({
        "version": record.version,
        "kind": record.kind.code(),
        "name": record.name,
        "office": record.office,
        "signer": record.signer,
        "keyId": record.key_id,
        "algorithm": record.algorithm,
        "signedAt": record.signed_at.to_string(),
        "madeAt": record.made_at.to_string(),
        "validFrom": record.valid_from.to_string(),
        "validUntil": record.valid_until.to_string(),
        "documentNo": record.document_no.to_string(),
        "digest": record.digest.to_string(),
        "signature": STANDARD.encode(&record.signature),
    })
}

async fn answer(State(service): State<SandboxSeal>, headers: HeaderMap, body: Bytes) -> Response {
    let expected = format!("Bearer {}", service.inner.secret);
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shown != Some(expected.as_str()) {
        return refuse(StatusCode::UNAUTHORIZED, "unauthorized", "the secret is not known");
    }
    let does = service.told().does;
    match does {
        SealBehaviour::IsDown => {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "down", "try again later");
        }
        SealBehaviour::HoldsNone => {
            return refuse(StatusCode::NOT_FOUND, "not_held", "no seal of this office");
        }
        SealBehaviour::Seals
        | SealBehaviour::SealsOtherBytes
        | SealBehaviour::SealsForAnother
        | SealBehaviour::Forges => {}
    }
    let asked = serde_json::from_slice(&body).ok();
    match asked.and_then(|asked| service.seal(asked, does)) {
        Some(record) => axum::Json(record).into_response(),
        None => refuse(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", "not a request for a seal"),
    }
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    (status, axum::Json(json!({ "code": code, "message": message }))).into_response()
}
