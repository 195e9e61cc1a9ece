//! Files over HTTP: `POST /upload` keeps one with a case, `GET /blob/<case>/<digest>` reads one.
//!
//! The body of an upload is the file itself, streamed to the store and never held whole. Keeping
//! is not giving: a mutation names the digest afterwards. Who may, and what a material takes, is
//! the engine's to say; here answers only get their statuses. Files go out as attachments, so
//! that no browser runs what an applicant sent.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::BoxError;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tongban_core::digest::Digest;
use tongban_core::error::ErrorClass;
use tongban_core::limits::UPLOAD_BYTES_MAX;
use tongban_core::port::WireClock;
use tongban_engine::blob::{BlobError, StoredBlob};
use tongban_engine::{CaseFile, EngineError, FileError, Upload};

use super::accept::Media;
use super::failure::Failure;
use super::{Front, http, request_id};
use crate::error::INTERNAL;

/// Milliseconds that a client may be silent in the middle of a file.
const IDLE_MILLIS_MAX: u64 = 30_000;
/// Milliseconds that one file may take: a slow line is waited for, a held one is not.
const UPLOAD_MILLIS_MAX: u64 = 15 * 60 * 1_000;
/// Bytes of a refused file that are read on, so that a client who is still sending hears why.
const LINGER_BYTES_MAX: usize = 1024 * 1024;
/// Milliseconds for that.
const LINGER_MILLIS_MAX: u64 = 2_000;

/// What a file comes in.
type Pieces = BoxStream<'static, Result<Bytes, BoxError>>;
type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// Answers `POST /upload?case=&material=&name=`.
pub(crate) async fn post(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    query: Parameters,
    body: Body,
) -> Response {
    let mut pieces = patient(body, Arc::clone(front.clock()));
    let kept = tokio::select! {
        kept = keep(&front, &headers, query, &mut pieces) => kept,
        () = front.clock().wait_millis(UPLOAD_MILLIS_MAX) => Err(Failure::timeout()),
    };
    match kept {
        Ok((upload, blob)) => written(&upload, &blob),
        Err(failure) => {
            // A client that asked first has not begun to send.
            if !headers.contains_key(header::EXPECT) {
                linger(&front, pieces).await;
            }
            http::refuse(&failure, Media::Json)
        }
    }
}

/// Answers `GET /blob/<case>/<digest>`.
pub(crate) async fn get(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    match read(&front, &headers, path).await {
        Ok(file) => attached(file),
        Err(failure) => http::refuse(&failure, Media::Json),
    }
}

/// Answers any other method where files are sent.
pub(crate) async fn not_post() -> Response {
    let text = "上传文件须用 POST / files are sent by POST";
    not_allowed(text, HeaderValue::from_static("POST"))
}

/// Answers any other method where files are read.
pub(crate) async fn not_get() -> Response {
    let text = "读取文件须用 GET / files are read by GET";
    not_allowed(text, HeaderValue::from_static("GET, HEAD"))
}

fn not_allowed(text: &str, allowed: HeaderValue) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let failure = Failure::transport(status, "METHOD_NOT_ALLOWED", text);
    let mut response = http::refuse(&failure, Media::Json);
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

async fn keep(
    front: &Front,
    headers: &HeaderMap,
    query: Parameters,
    pieces: &mut Pieces,
) -> Result<(Upload, StoredBlob), Failure> {
    let admitted = http::bearer(front, headers).map_err(|why| Failure::unauthenticated(&why))?;
    must_be_raw(headers)?;
    let upload = asked(query)?;
    if let Some(found) = announced(headers).filter(|found| *found > UPLOAD_BYTES_MAX) {
        let (file, limit) = (upload.file_name, UPLOAD_BYTES_MAX);
        return Err(of_blob(&BlobError::TooLarge { file, limit, found }));
    }
    let kept = front.engine.keep_file(&admitted.viewer, &upload, pieces).await;
    let blob = kept.map_err(|error| of_file(&error))?;
    Ok((upload, blob))
}

async fn read(
    front: &Front,
    headers: &HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<CaseFile, Failure> {
    let admitted = http::bearer(front, headers).map_err(|why| Failure::unauthenticated(&why))?;
    let Path((case, digest)) = path.map_err(|_| no_file())?;
    let case = case.parse().map_err(|_| no_file())?;
    let digest = Digest::from_hex(&digest).ok_or_else(no_file)?;
    let file = front.engine.file(&admitted.viewer, case, digest).await;
    file.map_err(|error| of_file(&error))?.ok_or_else(no_file)
}

/// Reads the parameters: each once, and nothing else.
fn asked(query: Parameters) -> Result<Upload, Failure> {
    let wrong = || {
        Failure::bad_request(
            "须以查询参数 case、material、name 各给出一次 / give case, material and name once each as query parameters",
        )
    };
    let Query(pairs) = query.map_err(|_| wrong())?;
    let one = |wanted: &str| {
        let mut found = pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value);
        found.next().filter(|_| found.next().is_none()).ok_or_else(wrong)
    };
    let (case, material, file_name) = (one("case")?, one("material")?, one("name")?);
    if pairs.len() != 3 {
        return Err(wrong());
    }
    let case = case.parse().map_err(|_| no_case())?;
    Ok(Upload { case, material: material.clone(), file_name: file_name.clone() })
}

/// A form around the file would become part of it.
fn must_be_raw(headers: &HeaderMap) -> Result<(), Failure> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let is_form = |media: &str| media.trim_start().to_ascii_lowercase().starts_with("multipart/");
    if !media.is_some_and(is_form) {
        return Ok(());
    }
    let text = "请求体须为文件本身,不用表单 / the body must be the file itself, not a form";
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(Failure::transport(status, "UNSUPPORTED_MEDIA_TYPE", text))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Turns a body into pieces that end with an error when the client falls silent.
fn patient(body: Body, clock: Arc<dyn WireClock>) -> Pieces {
    stream::unfold((body.into_data_stream(), clock), |(mut body, clock)| async move {
        let piece = tokio::select! {
            piece = body.next() => piece?.map_err(BoxError::from),
            () = clock.wait_millis(IDLE_MILLIS_MAX) => Err(BoxError::from("the client fell silent")),
        };
        Some((piece, (body, clock)))
    })
    // Whoever lingers asks again after the end.
    .fuse()
    .boxed()
}

/// Reads on a little: a connection that is closed on unread bytes takes the answer with it.
async fn linger(front: &Front, mut pieces: Pieces) {
    let drained = async {
        let mut count = 0;
        while let Some(Ok(piece)) = pieces.next().await {
            count += piece.len();
            if count > LINGER_BYTES_MAX {
                break;
            }
        }
    };
    tokio::select! {
        () = drained => {}
        () = front.clock().wait_millis(LINGER_MILLIS_MAX) => {}
    }
}

fn written(upload: &Upload, blob: &StoredBlob) -> Response {
    let answer = json!({
        "digest": blob.digest.hex(),
        "bytes": blob.bytes,
        "mediaType": blob.media_type,
        "fileName": upload.file_name,
    });
    http::respond(StatusCode::OK, Media::Json, answer.to_string())
}

fn attached(file: CaseFile) -> Response {
    let CaseFile { reader, file_name } = file;
    let pieces = reader.stream.inspect_err(|error| {
        tracing::error!(error.code = error.code(), %error, "a file broke off while it was read");
    });
    let mut response = http::respond(StatusCode::OK, Media::Json, Body::from_stream(pieces));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        let value = HeaderValue::from_str(value).expect("it is made of visible ASCII");
        headers.insert(name, value);
    };
    set(header::CONTENT_TYPE, reader.blob.media_type);
    set(header::CONTENT_LENGTH, &reader.blob.bytes.to_string());
    set(header::CONTENT_DISPOSITION, &disposition(file_name.as_deref()));
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    response
}

/// Writes the name in the extended form of RFC 8187, which any characters fit.
fn disposition(file_name: Option<&str>) -> String {
    let mut text = "attachment".to_owned();
    let Some(name) = file_name else { return text };
    text.push_str("; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    text
}

fn no_case() -> Failure {
    let text = "没有这个办件 / there is no such case";
    Failure::transport(StatusCode::NOT_FOUND, "NOT_FOUND", text)
}

fn no_file() -> Failure {
    let text = "没有这个文件 / there is no such file";
    Failure::transport(StatusCode::NOT_FOUND, "NOT_FOUND", text)
}

/// Gives an error its status. What is not named, and whatever is added later, is internal.
fn of_file(error: &FileError) -> Failure {
    match error {
        FileError::Engine(error) => of_engine(error),
        FileError::Blob(error) => of_blob(error),
        FileError::NoPlace => unavailable(error),
        _ => internal(error),
    }
}

pub(super) fn of_engine(error: &EngineError) -> Failure {
    use EngineError as E;
    match error {
        E::Refused(refusal) => match refusal.code.as_str() {
            "CASE_NOT_FOUND" => no_case(),
            "NOT_PERMITTED" => {
                Failure::transport(StatusCode::FORBIDDEN, "FORBIDDEN", refusal.to_string())
            }
            "UNKNOWN_MATERIAL" => unprocessable("UNKNOWN_MATERIAL", error),
            _ => unprocessable("BAD_REQUEST", error),
        },
        E::Busy | E::Stopped => unavailable(error),
        E::KeyReused
        | E::ResyncRequired { .. }
        | E::ClosureMissing(_)
        | E::Script(_)
        | E::Store(_)
        | E::Log(_)
        | E::Clock(_)
        | _ => internal(error),
    }
}

pub(super) fn of_blob(error: &BlobError) -> Failure {
    use BlobError as B;
    let refused = |status| Failure::transport(status, error.code(), error.to_string());
    match error {
        B::BadName { limit, .. } => refused(StatusCode::UNPROCESSABLE_ENTITY).with("limit", *limit),
        B::Empty { .. } => refused(StatusCode::UNPROCESSABLE_ENTITY),
        B::TooLarge { limit, found, .. } | B::CaseFull { limit, found, .. } => {
            refused(StatusCode::PAYLOAD_TOO_LARGE).with("limit", *limit).with("actual", *found)
        }
        B::NotAccepted { accepted, .. } => {
            refused(StatusCode::UNSUPPORTED_MEDIA_TYPE).with("accepted", accepted.clone())
        }
        B::Mismatch { declared, found, .. } => refused(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .with("declared", declared.clone())
            .with("found", found.clone()),
        B::Torn { .. } => refused(StatusCode::BAD_REQUEST),
        B::Busy => unavailable(error),
        B::Objects(objects) if objects.class() == ErrorClass::Transient => {
            // Where files lie is nobody's business outside.
            tracing::warn!(%error, "the file store is not available");
            let text =
                "文件存储暂不可用,请稍后再试 / the file store is not available, try again later";
            Failure::transport(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", text)
        }
        B::Damaged { .. } | B::NoRandomness | B::Objects(_) | _ => internal(error),
    }
}

fn unprocessable(code: &'static str, error: &EngineError) -> Failure {
    Failure::transport(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string())
}

fn unavailable(error: &dyn std::error::Error) -> Failure {
    Failure::transport(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", error.to_string())
}

/// Shows nothing but an id under which the log has the rest.
pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Failure {
    let id = request_id();
    tracing::error!(request = id, error, "a file could not be kept or read");
    let text =
        "内部错误,请凭请求编号联系管理员 / internal error, ask the operator with the request id";
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Failure::transport(status, INTERNAL, text).with("requestId", id)
}
