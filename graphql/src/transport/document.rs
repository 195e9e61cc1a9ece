//! Documents over HTTP: `GET /document/<case>/<number>` shows one on a page, and with `?print`
//! hands out the bytes that its seal covers, exactly.
//!
//! Who may see what is the engine's to say. A page loads nothing and runs nothing; its own policy
//! says so, and the header says it again for whoever only looks at headers.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use tongban_engine::{DocumentError, DocumentPage, Show, Unmade};

use super::accept::Media;
use super::failure::Failure;
use super::{Front, http, upload};

/// What a page may do: show its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// Answers `GET /document/<case>/<number>`.
pub(crate) async fn get(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Response {
    let read = match asked(query.as_deref()) {
        Ok(show) => read(&front, &headers, path, show).await,
        Err(failure) => Err(failure),
    };
    match read {
        Ok(page) => shown(page),
        Err(failure) => http::refuse(&failure, Media::Json),
    }
}

/// Reads the one parameter that there is.
fn asked(query: Option<&str>) -> Result<Show, Failure> {
    match query.unwrap_or_default() {
        "" => Ok(Show::View),
        "print" | "print=" => Ok(Show::Kept),
        _ => Err(Failure::bad_request(
            "查询参数只有 print:取签章所覆盖的原始文件 / the only parameter is print, for the bytes that the seal covers",
        )),
    }
}

async fn read(
    front: &Front,
    headers: &HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
    show: Show,
) -> Result<DocumentPage, Failure> {
    let admitted = http::bearer(front, headers).map_err(|why| Failure::unauthenticated(&why))?;
    let Path((case, number)) = path.map_err(|_| no_document())?;
    let case = case.parse().map_err(|_| no_document())?;
    let page = front.engine.document(&admitted.viewer, case, (&number, show)).await;
    page.map_err(|error| of_document(&error))?.ok_or_else(no_document)
}

fn shown(page: DocumentPage) -> Response {
    let mut response = http::respond(StatusCode::OK, Media::Json, page.html);
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn no_document() -> Failure {
    let text = "没有这份文书,或尚未签章 / there is no such document, or it is not sealed yet";
    Failure::transport(StatusCode::NOT_FOUND, "NOT_FOUND", text)
}

/// Gives an error its status. What is not named, and whatever is added later, is internal.
fn of_document(error: &DocumentError) -> Failure {
    match error {
        DocumentError::Engine(error) => upload::of_engine(error),
        DocumentError::Blob(error) => upload::of_blob(error),
        // A draft that lacks something: whoever works on the case is told what.
        DocumentError::Unmade(Unmade::Content(error)) => {
            Failure::transport(StatusCode::CONFLICT, error.code(), error.to_string())
        }
        DocumentError::Unmade(_) | DocumentError::Gone(_) | _ => upload::internal(error),
    }
}
