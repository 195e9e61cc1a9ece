//! A seal service over HTTP: who puts an office's electronic seal on a notice when the offices'
//! seals are held elsewhere.
//!
//! `message` is what is sent and what comes back; `keys` tells a genuine seal by the service's
//! public keys. Nothing is believed because the service said it: the record must cover the very
//! digest, number and office that were asked for, and its signature must hold. The engine asks
//! again where waiting helps, and never here.
//!
//! The contract, for whoever offers such a service:
//!
//! ```text
//! POST <base>/seal/1/seals                  authorization: Bearer <secret>
//! { "office": "…", "documentNo": "…", "documentKind": "acceptance",
//!   "digest": "sha-256:<64 hex digits>", "at": "2026-03-02T09:00:00+08:00" }
//!
//! 200  { "version": 1, "kind": "official", "name": "…", "office": "…", "signer": "…",
//!        "keyId": "…", "algorithm": "Ed25519" | "ES256", "signedAt": "…", "madeAt": "…",
//!        "validFrom": "…", "validUntil": "…", "documentNo": "…", "digest": "sha-256:…",
//!        "signature": "<base64>" }
//! 404  { "code": "not_held", "message": "…" }      no seal of this office is held
//! 4xx  { "code": "…", "message": "…" }             refused; asking again does not help
//! 408, 425, 429, 5xx, no answer                    asked again later
//! ```
//!
//! A request may come more than once; each answer may be a new record. The signature covers the
//! bytes that [`SealRecord::signed_bytes`] builds: the line `tongban-seal 1`, then each of
//! kind, name, office, signer, keyId, algorithm, documentNo, digest, signedAt, madeAt, validFrom
//! and validUntil on a line of its own, as its length in bytes, a space, and the text.

mod keys;
mod message;

use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tongban_core::digest::Digest;
use tongban_core::document::{Seal, SealFault, SealRecord, SealRequest};
use tongban_core::error::ErrorClass;
use tongban_core::port::{Later, WireClock};

use self::message::{Request, read_record, read_refusal};
use crate::cxp::{ClientError, endpoint, http_client};
use crate::limits;

pub use self::keys::{KeysError, SealKeys};

/// What an [`HttpSeal`] needs to know.
pub struct SealOptions {
    /// Where the service listens, without `/seal/1`.
    pub base_url: String,
    /// What the service knows this engine by.
    pub secret: String,
    /// The public keys of its seals. Keys that are no longer used stay, for older notices.
    pub keys: SealKeys,
    /// The clock that an attempt's patience is measured by.
    pub clock: Arc<dyn WireClock>,
}

/// A seal service that cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealSetupError {
    /// The address is not usable.
    #[error(
        "签章服务的地址 {0:?} 不可用:须为不含账号、参数的 http(s) 地址 / the seal service has the address {0:?}; it must be http(s) without user, query and fragment"
    )]
    Address(String),
    /// The secret cannot be a header's value.
    #[error(
        "签章服务的口令为空或含有不可见字符 / the secret of the seal service is empty or has characters that cannot be sent"
    )]
    Secret,
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Http(#[from] ClientError),
}

impl SealSetupError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "SEAL_ADDRESS",
            Self::Secret => "SEAL_SECRET",
            Self::Http(error) => error.code(),
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Address(_) | Self::Secret => ErrorClass::Invalid,
            Self::Http(error) => error.class(),
        }
    }
}

/// Has notices sealed by a service over HTTP.
pub struct HttpSeal {
    url: Url,
    authorization: HeaderValue,
    keys: SealKeys,
    clock: Arc<dyn WireClock>,
    http: reqwest::Client,
}

impl HttpSeal {
    /// Builds the client; nothing is sent yet.
    pub fn new(options: SealOptions) -> Result<Self, SealSetupError> {
        let SealOptions { base_url, secret, keys, clock } = options;
        let url = endpoint(&base_url, "seal/1/seals");
        let url = url.ok_or_else(|| SealSetupError::Address(base_url.clone()))?;
        let is_plain = |letter: u8| letter.is_ascii_graphic();
        if secret.is_empty() || !secret.bytes().all(is_plain) {
            return Err(SealSetupError::Secret);
        }
        let authorization = HeaderValue::from_str(&format!("Bearer {secret}"));
        let mut authorization = authorization.map_err(|_| SealSetupError::Secret)?;
        authorization.set_sensitive(true);
        Ok(Self { url, authorization, keys, clock, http: http_client()? })
    }

    async fn ask(&self, request: &SealRequest) -> Result<SealRecord, SealFault> {
        let trouble = |why: &str| SealFault::Unavailable {
            office: request.office.clone(),
            why: why.to_owned(),
        };
        let answer = tokio::select! {
            biased;
            answer = self.exchange(request) => answer.map_err(trouble)?,
            () = self.clock.wait_millis(limits::SEAL_MILLIS_MAX) => return Err(trouble("timed_out")),
        };
        let (status, bytes) = answer;
        match status {
            200 => read_record(&bytes, request),
            408 | 425 | 429 | 500..=599 => Err(trouble(&format!("HTTP {status}"))),
            _ => Err(read_refusal((status, &bytes), request)),
        }
    }

    async fn exchange(&self, request: &SealRequest) -> Result<(u16, Vec<u8>), &'static str> {
        let sent = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, self.authorization.clone())
            .body(Request::of(request).write())
            .send();
        let mut response = sent.await.map_err(|error| {
            if error.is_connect() { "unreachable" } else { "connection_broken" }
        })?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| "connection_broken")? {
            if bytes.len() + chunk.len() > limits::MESSAGE_BYTES_MAX {
                return Err("reply_too_large");
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((status, bytes))
    }
}

impl Seal for HttpSeal {
    /// Dropping the future is harmless: the same notice is sealed again.
    fn seal(&self, request: SealRequest) -> Later<'_, Result<SealRecord, SealFault>> {
        Box::pin(async move {
            let record = self.ask(&request).await?;
            self.verify(&record, &request.digest)?;
            Ok(record)
        })
    }

    fn verify(&self, record: &SealRecord, digest: &Digest) -> Result<(), SealFault> {
        self.keys.check(record)?;
        if record.digest != *digest {
            return Err(SealFault::OtherBytes { expected: *digest, found: record.digest });
        }
        if !record.was_in_force() {
            return Err(SealFault::NotInForce { document_no: record.document_no.clone() });
        }
        Ok(())
    }
}

impl std::fmt::Debug for HttpSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpSeal").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
