//! Asking a running server, by the token of whoever acts: who did what is known by the token
//! alone, so nothing is changed in a folder behind a server's back.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value as Json, json};
use tongban_core::port::WireClock as _;
use tongban_engine::clock::SystemClock;

use super::args::Server;
use super::error::{Both, ProgramError, shown as place};

/// Says that the server refused, in its words.
pub(super) fn refused(what: &str) -> ProgramError {
    ProgramError::ServerRefused(Both::of(&what.to_owned()))
}

/// Makes an idempotency key for one run of the program.
pub(super) fn key() -> String {
    format!("cli-{}-{}", SystemClock.now().millis(), std::process::id())
}

/// Runs an operation and returns its data.
pub(super) async fn ask(
    server: &Server,
    document: &str,
    variables: Json,
) -> Result<Json, ProgramError> {
    let file = server
        .token_file
        .as_deref()
        .ok_or(ProgramError::TokenUseless { missing: "--token-file" })?;
    let token = std::fs::read_to_string(file).map_err(|error| ProgramError::InputOutput {
        what: place(file),
        detail: Both::of(&error),
    })?;
    let failed = |error: &dyn std::error::Error| refused(&error.to_string());
    let http = tongban_connectors::cxp::http_client().map_err(|error| failed(&error))?;
    let body = json!({ "query": document, "variables": variables }).to_string();
    let request = http
        .post(&server.server)
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {}", token.trim()))
        .body(body);
    let response = request.send().await.map_err(|error| failed(&error))?;
    let bytes = response.bytes().await.map_err(|error| failed(&error))?;
    let mut answer: Json = serde_json::from_slice(&bytes).map_err(|error| failed(&error))?;
    match answer["errors"].as_array().and_then(|errors| errors.first()) {
        Some(error) => Err(refused(error["message"].as_str().unwrap_or("?"))),
        None => Ok(answer["data"].take()),
    }
}

/// Runs the mutation `name` and returns its payload; a refusal is a failure of the program.
pub(super) async fn change(
    server: &Server,
    (name, document): (&str, &str),
    input: Json,
) -> Result<Json, ProgramError> {
    let mut answer = ask(server, document, json!({ "input": input })).await?;
    let payload = answer[name].take();
    match payload["errors"].as_array().and_then(|errors| errors.first()) {
        None => Ok(payload),
        Some(error) => {
            let said = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            let rule = Some(said("rule")).filter(|rule| !rule.is_empty());
            let code = rule.unwrap_or_else(|| said("code"));
            let (zh, en) = (said("message"), said("en"));
            let en = if en.is_empty() { zh.clone() } else { en };
            Err(ProgramError::ServerRefused(Both::new(
                format!("{code} {zh}"),
                format!("{code} {en}"),
            )))
        }
    }
}

/// What every mutation selects of its refusals.
pub(super) const ERRORS: &str = "errors { __typename ... on UserError { code message en: message(lang: EN) } ... on WrongState { rule } }";
