//! A small S3-compatible service over real HTTP: one bucket in memory, addressed by path.
//!
//! It knows what a storage client needs: put (also only if absent), get with ranges, head,
//! delete, copy, list (version 2) by pages, and multipart uploads. Who asks must have signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tongban_core::digest::Digest;
use tongban_core::port::WireClock as _;
use tongban_core::time::Moment;
use tongban_engine::clock::SystemClock;

use super::signature::{self, decode};

/// The one bucket.
pub(super) const BUCKET: &str = "tongban-test";
/// Names on one page of a list: few, so that there are pages.
const PAGE: usize = 3;
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the service refuses to do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Refuses {
    /// Nothing.
    #[default]
    Nothing,
    /// Everything, with 503.
    Everything,
    /// To give a whole upload its name: copying and putting.
    Naming,
    /// To heed `If-None-Match`, as services do that do not know it.
    Conditions,
}

/// The service. Clones share it.
#[derive(Clone)]
pub(super) struct Service {
    inner: Arc<Mutex<Shelf>>,
    address: SocketAddr,
}

#[derive(Default)]
struct Shelf {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
    refuses: Refuses,
    unsigned: usize,
}

#[derive(Clone)]
struct Object {
    bytes: Bytes,
    written: Moment,
}

impl Service {
    /// Starts it on a port of its own.
    pub(super) async fn start(servers: &mut JoinSet<()>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Self { inner: Arc::default(), address };
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(service.clone());
        servers.spawn(async move { axum::serve(listener, router).await.unwrap() });
        service
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn will_refuse(&self, refuses: Refuses) {
        self.shelf().refuses = refuses;
    }

    /// Returns the keys of all objects.
    pub(super) fn keys(&self) -> Vec<String> {
        self.shelf().objects.keys().cloned().collect()
    }

    /// Returns how many requests were not signed as they must be.
    pub(super) fn unsigned(&self) -> usize {
        self.shelf().unsigned
    }

    /// Lets every object be so many days old.
    pub(super) fn age(&self, days: i64) {
        let written = SystemClock.now().plus_millis(-days * 24 * 3_600_000);
        for object in self.shelf().objects.values_mut() {
            object.written = written;
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.inner.lock().unwrap()
    }
}

/// What a request asks for, taken apart.
struct Asked {
    method: Method,
    key: String,
    query: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

async fn answer(
    State(service): State<Service>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut shelf = service.shelf();
    if shelf.refuses == Refuses::Everything {
        return error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
    }
    if !signature::holds(&method, &uri, &headers, &body) {
        shelf.unsigned += 1;
        return error(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    let plain = |text: &str| String::from_utf8(decode(text)).unwrap();
    let path = plain(uri.path());
    let Some(key) = path.strip_prefix(&format!("/{BUCKET}")) else {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let query = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (plain(name), plain(value))
    });
    let key = key.trim_start_matches('/').to_owned();
    let asked = Asked { method, key, query: query.collect(), headers, body };
    shelf.answer(&asked)
}

impl Shelf {
    fn answer(&mut self, asked: &Asked) -> Response {
        let has = |name: &str| asked.query.contains_key(name);
        match asked.method.as_str() {
            "GET" if has("list-type") => self.list(asked),
            "GET" | "HEAD" => self.get(asked),
            "PUT" if has("partNumber") => self.part(asked),
            "PUT" if asked.header("x-amz-copy-source").is_some() => self.copy(asked),
            "PUT" => self.put(asked),
            "POST" if has("uploads") => self.begin(),
            "POST" if has("uploadId") => self.complete(asked),
            "DELETE" if has("uploadId") => {
                self.uploads.remove(asked.parameter("uploadId").unwrap_or_default());
                StatusCode::NO_CONTENT.into_response()
            }
            "DELETE" => {
                self.objects.remove(&asked.key);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }

    fn put(&mut self, asked: &Asked) -> Response {
        if self.refuses == Refuses::Naming {
            return error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        let only_if_absent = asked.header("if-none-match") == Some("*");
        let heeds = self.refuses != Refuses::Conditions;
        if only_if_absent && heeds && self.objects.contains_key(&asked.key) {
            return error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        self.keep(&asked.key, asked.body.clone())
    }

    fn keep(&mut self, key: &str, bytes: Bytes) -> Response {
        let tag = tag(&bytes);
        self.objects.insert(key.to_owned(), Object { bytes, written: SystemClock.now() });
        ([("etag", tag)], StatusCode::OK).into_response()
    }

    fn copy(&mut self, asked: &Asked) -> Response {
        if self.refuses == Refuses::Naming {
            return error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        let from = decode(asked.header("x-amz-copy-source").unwrap_or_default());
        let from = String::from_utf8(from).unwrap();
        let from = from.trim_start_matches('/').strip_prefix(BUCKET).unwrap_or_default();
        let Some(object) = self.objects.get(from.trim_start_matches('/')) else {
            return error(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        let bytes = object.bytes.clone();
        let tag = tag(&bytes);
        self.keep(&asked.key, bytes);
        xml(format!("<CopyObjectResult><ETag>{tag}</ETag></CopyObjectResult>"))
    }

    fn begin(&mut self) -> Response {
        let id = format!("upload-{}", self.uploads.len());
        self.uploads.insert(id.clone(), BTreeMap::new());
        xml(format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        ))
    }

    fn part(&mut self, asked: &Asked) -> Response {
        let number = asked.parameter("partNumber").and_then(|number| number.parse().ok());
        let upload = asked.parameter("uploadId").and_then(|id| self.uploads.get_mut(id));
        let (Some(number), Some(upload)) = (number, upload) else {
            return error(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        upload.insert(number, asked.body.clone());
        ([("etag", tag(&asked.body))], StatusCode::OK).into_response()
    }

    fn complete(&mut self, asked: &Asked) -> Response {
        let Some(parts) = self.uploads.remove(asked.parameter("uploadId").unwrap_or_default())
        else {
            return error(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        let bytes: Vec<u8> = parts.into_values().flatten().collect();
        let tag = tag(&bytes);
        self.keep(&asked.key, bytes.into());
        xml(format!(
            "<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
        ))
    }

    fn get(&self, asked: &Asked) -> Response {
        let Some(object) = self.objects.get(&asked.key) else {
            return error(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        let size = object.bytes.len();
        let mut headers =
            vec![("etag", tag(&object.bytes)), ("last-modified", http_date(object.written))];
        let range = asked.header("range").and_then(|range| range.strip_prefix("bytes="));
        let range = range.and_then(|range| range.split_once('-'));
        let (status, bytes) = match range {
            None => (StatusCode::OK, object.bytes.clone()),
            Some((from, last)) => {
                let (from, last): (usize, usize) = (from.parse().unwrap(), last.parse().unwrap());
                let end = size.min(last + 1);
                headers.push(("content-range", format!("bytes {from}-{}/{size}", end - 1)));
                (StatusCode::PARTIAL_CONTENT, object.bytes.slice(from..end))
            }
        };
        if asked.method == Method::HEAD {
            headers.push(("content-length", size.to_string()));
            return (status, axum::response::AppendHeaders(headers)).into_response();
        }
        (status, axum::response::AppendHeaders(headers), bytes).into_response()
    }

    /// Lists objects, and with a delimiter the folders between them, page by page.
    fn list(&self, asked: &Asked) -> Response {
        let prefix = asked.parameter("prefix").unwrap_or_default();
        let after = asked.parameter("continuation-token");
        let after = after.or_else(|| asked.parameter("start-after")).unwrap_or_default();
        let by_folder = asked.parameter("delimiter") == Some("/");
        let folder_of = |key: &str| {
            let rest = key.strip_prefix(prefix)?;
            let (folder, _) = rest.split_once('/').filter(|_| by_folder)?;
            Some(format!("{prefix}{folder}/"))
        };
        let names: BTreeSet<String> = self
            .objects
            .keys()
            .filter(|key| key.starts_with(prefix))
            .map(|key| folder_of(key).unwrap_or_else(|| key.clone()))
            .filter(|name| name.as_str() > after)
            .collect();
        let mut text = "<ListBucketResult>".to_owned();
        for name in names.iter().take(PAGE) {
            match self.objects.get(name) {
                None => write!(text, "<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"),
                Some(object) => write!(
                    text,
                    "<Contents><Key>{name}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                    object.written,
                    tag(&object.bytes),
                    object.bytes.len()
                ),
            }
            .unwrap();
        }
        if let Some(last) = names.iter().nth(PAGE - 1).filter(|_| names.len() > PAGE) {
            write!(text, "<NextContinuationToken>{last}</NextContinuationToken>").unwrap();
        }
        xml(text + "</ListBucketResult>")
    }
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &Digest::of(bytes).hex()[..32])
}

/// Writes a moment as headers have it, to the second.
fn http_date(moment: Moment) -> String {
    let text = moment.to_string();
    let day = moment.date().strftime("%d %b %Y").to_string();
    format!("{day} {} +0800", &text[11..19])
}

fn xml(text: String) -> Response {
    ([("content-type", "application/xml")], text).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code></Error>")).into_response()
}
