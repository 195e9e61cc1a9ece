//! How requests to a storage service are sent: by the same careful client as everything else.

use std::error::Error as _;
use std::time::Duration;

use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use tongban_core::port::Later;

use crate::cxp::{ClientError, http_builder};
use crate::limits;

/// Sends requests over HTTP.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    http: reqwest::Client,
}

impl Sender {
    pub(super) fn new() -> Result<Self, ClientError> {
        let patience = Duration::from_millis(limits::S3_PATIENCE_MILLIS);
        // A file takes as long as it takes; only silence is cut off.
        let http = http_builder().read_timeout(patience).build().map_err(ClientError::Http)?;
        Ok(Self { http })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string().parse();
        let url = url.map_err(|_| HttpError::new(HttpErrorKind::Request, NoUrl))?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(reqwest::Body::wrap(body));
        let response = self.http.execute(request).await.map_err(failed)?;
        let (parts, body) = axum::http::Response::<reqwest::Body>::from(response).into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body.map_err(failed))))
    }
}

impl HttpConnector for Sender {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl HttpService for Sender {
    /// Written as the trait's macro writes it: one method is no reason for another macro.
    fn call<'life, 'future>(
        &'life self,
        request: HttpRequest,
    ) -> Later<'future, Result<HttpResponse, HttpError>>
    where
        'life: 'future,
        Self: 'future,
    {
        Box::pin(self.send(request))
    }
}

/// Says which kind of trouble it was, from which follows whether a request is sent again.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if is_broken_off(&error) {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error.without_url())
}

fn is_broken_off(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(inner) = inner.downcast_ref::<std::io::Error>() {
            return matches!(
                inner.kind(),
                std::io::ErrorKind::ConnectionReset
                    | std::io::ErrorKind::ConnectionAborted
                    | std::io::ErrorKind::BrokenPipe
                    | std::io::ErrorKind::UnexpectedEof
            );
        }
        cause = inner.source();
    }
    false
}

/// An address that the storage client built cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("存储服务的地址无法识别 / the address of the storage service cannot be read")]
struct NoUrl;
