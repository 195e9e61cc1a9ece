//! What is sent to a seal service, and what its answers say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tongban_core::digest::Digest;
use tongban_core::document::{SealFault, SealKind, SealRecord, SealRequest};
use tongban_core::time::Moment;

use crate::cxp::Text;
use crate::limits;

/// Asks for a seal.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    office: String,
    document_no: String,
    document_kind: &'static str,
    digest: Text<Digest>,
    at: Text<Moment>,
}

impl Request {
    pub(super) fn of(request: &SealRequest) -> Self {
        Self {
            office: request.office.clone(),
            document_no: request.document_no.to_string(),
            document_kind: request.document_no.kind().code(),
            digest: Text(request.digest),
            at: Text(request.at),
        }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts are always written")
    }
}

/// A seal as the service gives it. Members that a later version adds are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    version: u16,
    kind: String,
    name: String,
    office: String,
    signer: String,
    key_id: String,
    algorithm: String,
    signed_at: Text<Moment>,
    made_at: Text<Moment>,
    valid_from: Text<Moment>,
    valid_until: Text<Moment>,
    document_no: String,
    digest: Text<Digest>,
    signature: String,
}

/// A seal that was not given.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: String,
    message: String,
}

/// Reads the seal, which must be of the office and on the document that were asked for.
pub(super) fn read_record(bytes: &[u8], asked: &SealRequest) -> Result<SealRecord, SealFault> {
    let no_record = |why: String| SealFault::Refused {
        document_no: asked.document_no.clone(),
        why: format!("应答不是签章记录 / the answer is no seal record: {why}"),
    };
    let read: Record =
        serde_json::from_slice(bytes).map_err(|error| no_record(error.to_string()))?;
    if read.version != SealRecord::VERSION {
        return Err(no_record(format!("version {}", read.version)));
    }
    let known = SealKind::ALL.iter().find(|(_, code, _)| *code == read.kind);
    let (kind, _, _) = *known.ok_or_else(|| no_record(format!("kind {:?}", read.kind)))?;
    let signature = STANDARD.decode(&read.signature);
    let signature = signature.map_err(|_| no_record("signature is not base64".to_owned()))?;
    if read.office != asked.office || read.document_no != asked.document_no.to_string() {
        return Err(SealFault::OtherDocument {
            expected: format!("{} {}", asked.office, asked.document_no),
            found: short(&format!("{} {}", read.office, read.document_no)),
        });
    }
    if read.digest.0 != asked.digest {
        return Err(SealFault::OtherBytes { expected: asked.digest, found: read.digest.0 });
    }
    Ok(SealRecord {
        version: read.version,
        kind,
        name: read.name,
        office: read.office,
        signer: read.signer,
        key_id: read.key_id,
        algorithm: read.algorithm,
        signed_at: read.signed_at.0,
        made_at: read.made_at.0,
        valid_from: read.valid_from.0,
        valid_until: read.valid_until.0,
        document_no: asked.document_no.clone(),
        digest: read.digest.0,
        signature,
    })
}

/// Reads why there is no seal.
pub(super) fn read_refusal(answer: (u16, &[u8]), asked: &SealRequest) -> SealFault {
    let (status, bytes) = answer;
    let refusal: Refusal = serde_json::from_slice(bytes).unwrap_or_default();
    if status == 404 && refusal.code == "not_held" {
        return SealFault::NotHeld { office: asked.office.clone() };
    }
    let Refusal { code, message } = refusal;
    let why = short(format!("HTTP {status} {code} {message}").trim_end());
    SealFault::Refused { document_no: asked.document_no.clone(), why }
}

/// Keeps as much of a foreign text as people read.
fn short(text: &str) -> String {
    text.chars().take(limits::FAULT_TEXT_MAX).collect()
}
