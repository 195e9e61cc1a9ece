//! A request that was not run: its code, its status, its words.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use crate::auth::Unauthenticated;
use crate::gate::{BODY_BYTES_MAX, GateError};

/// Why a request was not run.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) kind: FailureKind,
    code: &'static str,
    message: String,
    extensions: Vec<(&'static str, Json)>,
}

/// How a failure is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FailureKind {
    /// The transport was used wrongly: the status says so, whatever is accepted.
    Transport,
    /// The GraphQL request is wrong: under `application/json` it is a well-formed answer.
    Request,
}

impl Failure {
    /// Refuses with a status of its own.
    pub(super) fn transport(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let kind = FailureKind::Transport;
        Self { status, kind, code, message: message.into(), extensions: Vec::new() }
    }

    /// Adds something that the client can act upon.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.extensions.push((name, value.into()));
        self
    }

    fn request(code: &'static str, message: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        let kind = FailureKind::Request;
        Self { status, kind, code, message: message.into(), extensions: Vec::new() }
    }

    /// The parameters have the wrong shape.
    pub(crate) fn bad_request(message: &str) -> Self {
        Self::transport(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// Several operations in one request.
    pub(crate) fn batch() -> Self {
        let text = "一次请求只能有一个操作 / one operation per request";
        Self::transport(StatusCode::BAD_REQUEST, "BATCH_NOT_ALLOWED", text)
    }

    /// The body is larger than the limit.
    pub(crate) fn too_large() -> Self {
        let text = "请求体过大 / the body is too large";
        let mut failure = Self::transport(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", text);
        failure.extensions.push(("limit", json!(BODY_BYTES_MAX)));
        failure
    }

    /// The body is not JSON by its content type.
    pub(crate) fn unsupported_media_type() -> Self {
        let text = "Content-Type 须为 application/json / the content type must be application/json";
        Self::transport(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", text)
    }

    /// The client accepts nothing that we can answer with.
    pub(crate) fn not_acceptable() -> Self {
        let text = "可用 application/graphql-response+json 或 application/json / accept application/graphql-response+json or application/json";
        Self::transport(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", text)
    }

    /// The method does not fit.
    pub(crate) fn method_not_allowed() -> Self {
        let text =
            "变更须用 POST,订阅须用 WebSocket / mutations go by POST, subscriptions by WebSocket";
        Self::transport(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", text)
    }

    /// No viewer.
    pub(crate) fn unauthenticated(why: &Unauthenticated) -> Self {
        let status = StatusCode::UNAUTHORIZED;
        let mut failure = Self::transport(status, "UNAUTHENTICATED", why.to_string());
        failure.extensions.push(("reason", json!(why.reason())));
        failure
    }

    /// Introspection by someone who may not.
    pub(crate) fn introspection() -> Self {
        let text = "内省查询仅对集成开发者开放 / introspection is for integrators only";
        Self { status: StatusCode::FORBIDDEN, ..Self::request("FORBIDDEN", text) }
    }

    /// The deadline passed. What a mutation had committed stays committed.
    pub(crate) fn timeout() -> Self {
        let text = "处理超时,请用同一幂等键重试 / it took too long; try again with the same idempotency key";
        Self { status: StatusCode::GATEWAY_TIMEOUT, ..Self::request("TIMEOUT", text) }
    }

    /// Subscriptions have a transport of their own.
    pub(crate) fn subscription_over_http() -> Self {
        let text = "订阅须用 WebSocket:/graphql/ws / subscriptions go by WebSocket at /graphql/ws";
        Self::request("BAD_REQUEST", text)
    }

    /// The document does not have the operation that was asked for.
    pub(crate) fn unknown_operation() -> Self {
        let text = "文档中没有所指的操作,或须给出 operationName / no such operation, or operationName is needed";
        Self::request("GRAPHQL_VALIDATION_FAILED", text)
    }

    /// A variable that must be given and is not.
    pub(crate) fn bad_variable(name: &str) -> Self {
        let text = format!("须给出变量 ${name} / variable ${name} must be given");
        Self::request("BAD_VARIABLES", text)
    }

    /// Too many operations on one socket.
    pub(crate) fn too_many_operations(limit: usize) -> Self {
        let text = "本连接上的操作过多,请先结束一些 / too many operations on this socket, complete some first";
        let mut failure = Self::request("RATE_LIMITED", text);
        failure.extensions.push(("limit", json!(limit)));
        failure
    }

    /// Returns the errors member of the answer.
    pub(crate) fn errors(&self) -> Json {
        let mut extensions = json!({ "code": self.code });
        for (name, value) in &self.extensions {
            extensions[*name] = value.clone();
        }
        json!([{ "message": self.message, "extensions": extensions }])
    }
}

impl From<GateError> for Failure {
    fn from(error: GateError) -> Self {
        let mut failure = Self::request(error.code(), error.to_string());
        if let Some((limit, actual)) = error.counts() {
            failure.extensions.push(("limit", json!(limit)));
            failure.extensions.push(("actual", json!(actual)));
        }
        failure
    }
}

/// Writes errors of a response; async-graphql's own form has the same members.
pub(crate) fn errors_of(response: &async_graphql::Response) -> Json {
    serde_json::to_value(&response.errors).unwrap_or_else(|_| json!([]))
}
