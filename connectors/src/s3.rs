//! An S3-compatible service as an object store: where files and reference documents lie when not
//! in a folder.
//!
//! Requests are signed (AWS signature 4), addressed by path, and sent by `http`, which follows no redirect
//! and no proxy of the environment. The service must know conditional puts (`If-None-Match`):
//! reference documents are committed by them. Uploads that a killed process leaves half done are
//! no objects; a lifecycle rule of the bucket that aborts unfinished multipart uploads clears
//! them away.

mod http;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use tongban_core::error::ErrorClass;

use self::http::Sender;
use crate::cxp::{ClientError, endpoint};
use crate::limits;

/// Which bucket of which service.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// Where the service listens, without the bucket.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The region that requests are signed for; many services take any.
    pub region: String,
    /// What every key begins with, if the bucket is shared.
    pub prefix: Option<String>,
    /// Who asks.
    pub credentials: S3Credentials,
    /// Whether files may travel in the clear.
    pub transport: S3Transport,
}

/// Who asks a service for objects.
#[derive(Clone)]
pub struct S3Credentials {
    /// Access key id.
    pub key_id: String,
    /// Secret access key.
    pub secret: String,
    /// Session token, where the service gives temporary keys.
    pub token: Option<String>,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// How requests travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum S3Transport {
    /// Encrypted.
    Https,
    /// In the clear where the endpoint says so: the network is trusted.
    HttpAllowed,
}

/// A service that cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum S3Error {
    /// The address is not usable.
    #[error(
        "存储服务的地址 {0:?} 不可用:须为不含账号、参数的 http(s) 地址 / the storage service has the address {0:?}; it must be http(s) without user, query and fragment"
    )]
    Endpoint(String),
    /// Files would travel in the clear.
    #[error(
        "存储服务的地址 {0} 是 http://,文件会以明文传送;确需如此须写 allow_http = true / the address {0} of the storage service is http://, so files would travel in the clear; if they must, say allow_http = true"
    )]
    InTheClear(String),
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Http(#[from] ClientError),
    /// The options contradict each other.
    #[error("存储服务的设置不可用 / the settings of the storage service cannot be used: {0}")]
    Settings(#[source] object_store::Error),
}

impl S3Error {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Endpoint(_) => "S3_ENDPOINT",
            Self::InTheClear(_) => "S3_IN_THE_CLEAR",
            Self::Http(error) => error.code(),
            Self::Settings(_) => "S3_SETTINGS",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Endpoint(_) | Self::InTheClear(_) | Self::Settings(_) => ErrorClass::Invalid,
            Self::Http(error) => error.class(),
        }
    }
}

/// Builds the object store; nothing is sent yet.
///
/// # Errors
/// [`S3Error`] when the settings cannot work.
pub fn open(options: &S3Options) -> Result<Arc<dyn ObjectStore>, S3Error> {
    let address = options.endpoint.trim_end_matches('/');
    if endpoint(address, "").is_none() {
        return Err(S3Error::Endpoint(options.endpoint.clone()));
    }
    let is_clear = address.starts_with("http://");
    if is_clear && options.transport == S3Transport::Https {
        return Err(S3Error::InTheClear(options.endpoint.clone()));
    }
    let mut builder = AmazonS3Builder::new()
        .with_endpoint(address)
        .with_bucket_name(&options.bucket)
        .with_region(&options.region)
        .with_access_key_id(&options.credentials.key_id)
        .with_secret_access_key(&options.credentials.secret)
        .with_virtual_hosted_style_request(false)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // Deleting many at once is an extension that not every service has.
        .with_disable_bulk_delete(true)
        .with_client_options(ClientOptions::new().with_allow_http(is_clear))
        .with_retry(retries())
        .with_http_connector(Sender::new()?);
    if let Some(token) = &options.credentials.token {
        builder = builder.with_token(token);
    }
    let store = builder.build().map_err(S3Error::Settings)?;
    Ok(match options.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => Arc::new(PrefixStore::new(store, Path::from(prefix))),
        None => Arc::new(store),
    })
}

/// A person waits for most of what is sent here, so a service that is down is told soon.
fn retries() -> RetryConfig {
    RetryConfig {
        max_retries: limits::S3_RETRIES_MAX,
        retry_timeout: Duration::from_millis(limits::S3_PATIENCE_MILLIS),
        backoff: BackoffConfig::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(endpoint: &str, transport: S3Transport) -> S3Options {
        S3Options {
            endpoint: endpoint.to_owned(),
            bucket: "tongban".to_owned(),
            region: "cn-1".to_owned(),
            prefix: Some("shiyan".to_owned()),
            credentials: S3Credentials {
                key_id: "key".to_owned(),
                secret: "hidden".to_owned(),
                token: None,
            },
            transport,
        }
    }

    #[test]
    fn files_travel_in_the_clear_only_where_that_was_said() {
        let code =
            |endpoint: &str, transport| open(&options(endpoint, transport)).unwrap_err().code();
        assert_eq!(code("http://10.0.0.8:9000", S3Transport::Https), "S3_IN_THE_CLEAR");
        assert_eq!(code("s3.example.org", S3Transport::Https), "S3_ENDPOINT");
        assert_eq!(code("https://u@s3.example.org", S3Transport::Https), "S3_ENDPOINT");
        assert!(open(&options("https://s3.example.org/", S3Transport::Https)).is_ok());
        assert!(open(&options("http://10.0.0.8:9000", S3Transport::HttpAllowed)).is_ok());
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", options("https://s3.example.org", S3Transport::Https));
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
