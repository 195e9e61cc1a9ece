//! GraphQL over HTTP: `POST /graphql` for everything but subscriptions, `GET` for queries.

use std::sync::Arc;

use async_graphql::Response as Answer;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::accept::{Media, is_json};
use super::failure::{Failure, FailureKind, errors_of};
use super::request::{Asked, Members};
use super::{Front, is_request_error};
use crate::auth::{Admitted, Unauthenticated};

/// Answers `POST /graphql`.
pub(crate) async fn post(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(media) = Media::negotiate(&headers) else {
        return refuse(&Failure::not_acceptable(), Media::Json);
    };
    let asked = read_post(&front, &headers, body);
    answer(&front, asked, media).await
}

/// Answers `GET /graphql`.
pub(crate) async fn get(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let Some(media) = Media::negotiate(&headers) else {
        return refuse(&Failure::not_acceptable(), Media::Json);
    };
    let asked = read_get(&front, &headers, query);
    answer(&front, asked, media).await
}

/// Answers every other method.
pub(crate) async fn other_method() -> Response {
    refuse(&Failure::method_not_allowed(), Media::Json)
}

/// Reads the bearer of a request.
pub(crate) fn bearer(front: &Front, headers: &HeaderMap) -> Result<Admitted, Unauthenticated> {
    let header = headers.get(header::AUTHORIZATION).ok_or(Unauthenticated::Missing)?;
    let header = header.to_str().map_err(|_| Unauthenticated::Malformed)?;
    front.authority.admit_header(header)
}

fn read_post(
    front: &Front,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(Asked, Admitted), Failure> {
    if !is_json(headers) {
        return Err(Failure::unsupported_media_type());
    }
    let admitted = bearer(front, headers).map_err(|why| Failure::unauthenticated(&why))?;
    let body = body.map_err(|_| Failure::too_large())?;
    let json: Json = serde_json::from_slice(&body)
        .map_err(|_| Failure::bad_request("请求体不是 JSON / the body is not JSON"))?;
    let asked = Members::from_json(json)?.admit()?;
    if asked.operation == OperationType::Subscription {
        return Err(Failure::subscription_over_http());
    }
    Ok((asked, admitted))
}

fn read_get(
    front: &Front,
    headers: &HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<(Asked, Admitted), Failure> {
    let admitted = bearer(front, headers).map_err(|why| Failure::unauthenticated(&why))?;
    let Query(pairs) =
        query.map_err(|_| Failure::bad_request("查询参数无法读取 / cannot read the parameters"))?;
    let asked = Members::from_pairs(pairs)?.admit()?;
    match asked.operation {
        OperationType::Query => Ok((asked, admitted)),
        OperationType::Mutation | OperationType::Subscription => Err(Failure::method_not_allowed()),
    }
}

async fn answer(
    front: &Front,
    asked: Result<(Asked, Admitted), Failure>,
    media: Media,
) -> Response {
    let prepared = asked.and_then(|(asked, admitted)| front.prepare(asked, &admitted));
    let answered = match prepared {
        Ok(prepared) => front.run(prepared).await,
        Err(failure) => Err(failure),
    };
    match answered {
        Ok(answer) => write(&answer, media),
        Err(failure) => refuse(&failure, media),
    }
}

/// Writes what ran. A request error has no `data` and says so by its status.
fn write(answer: &Answer, media: Media) -> Response {
    if !is_request_error(answer) {
        let body = serde_json::to_vec(answer).unwrap_or_default();
        return respond(StatusCode::OK, media, body);
    }
    let status = match media {
        Media::GraphqlResponse => StatusCode::BAD_REQUEST,
        Media::Json => StatusCode::OK,
    };
    respond(status, media, json!({ "errors": errors_of(answer) }).to_string())
}

/// Writes why a request was not run.
pub(super) fn refuse(failure: &Failure, media: Media) -> Response {
    let status = match (failure.kind, media) {
        (FailureKind::Request, Media::Json) => StatusCode::OK,
        (FailureKind::Request | FailureKind::Transport, _) => failure.status,
    };
    let body = json!({ "errors": failure.errors() }).to_string();
    let mut response = respond(status, media, body);
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

/// Writes an answer.
pub(super) fn respond(status: StatusCode, media: Media, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.content_type());
    // Answers hold personal data, masked or not: no cache on the way keeps them.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
