//! GraphQL over HTTP, by the letter.

use serde_json::json;
use tongban_core::viewer::{Role, Viewer};

use super::desk::{Desk, Mode, clerk};
use crate::gate::BODY_BYTES_MAX;

const JSON: &str = "Content-Type: application/json\r\n";
const GRAPHQL: &str = "Accept: application/graphql-response+json\r\n";

fn bearer(desk: &Desk) -> String {
    format!("Authorization: Bearer {}\r\n", desk.token(&clerk()))
}

#[tokio::test]
async fn the_answer_has_the_media_type_that_was_asked_for() {
    let desk = Desk::open().await;
    let auth = bearer(&desk);
    let body = r#"{"query":"{ __typename }"}"#;
    for (accept, content_type) in [
        ("", "content-type: application/json; charset=utf-8"),
        ("Accept: */*\r\n", "content-type: application/json; charset=utf-8"),
        ("Accept: application/json\r\n", "content-type: application/json; charset=utf-8"),
        (GRAPHQL, "content-type: application/graphql-response+json; charset=utf-8"),
    ] {
        let reply = desk.post(&format!("{auth}{JSON}{accept}"), body).await;
        assert_eq!(reply.status, 200);
        assert!(reply.head.contains(content_type), "{}", reply.head);
        assert!(reply.head.contains("cache-control: no-store"));
        assert_eq!(reply.json()["data"]["__typename"], "Query");
    }
    let reply = desk.post(&format!("{auth}{JSON}Accept: text/html\r\n"), body).await;
    assert_eq!((reply.status, reply.code().as_str()), (406, "NOT_ACCEPTABLE"));
}

#[tokio::test]
async fn only_json_bodies_are_read() {
    let desk = Desk::open().await;
    let auth = bearer(&desk);
    let body = r#"{"query":"{ __typename }"}"#;
    for content_type in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/json; charset=gbk\r\n",
    ] {
        let reply = desk.post(&format!("{auth}{content_type}"), body).await;
        assert_eq!((reply.status, reply.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"));
    }
}

#[tokio::test]
async fn nobody_asks_without_a_valid_token() {
    let desk = Desk::open().await;
    let body = r#"{"query":"{ __typename }"}"#;
    let short = desk.token_for(&clerk(), 1);
    for (header, reason) in [
        (String::new(), "missing"),
        ("Authorization: Basic eDp5\r\n".to_owned(), "malformed"),
        ("Authorization: Bearer x.y.z\r\n".to_owned(), "malformed"),
    ] {
        let reply = desk.post(&format!("{header}{JSON}"), body).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "UNAUTHENTICATED"));
        assert!(reply.head.contains("www-authenticate: bearer"), "{}", reply.head);
        assert_eq!(reply.json()["errors"][0]["extensions"]["reason"], reason);
    }
    desk.wire.advance(61_000);
    let reply = desk.post(&format!("Authorization: Bearer {short}\r\n{JSON}"), body).await;
    assert_eq!(reply.json()["errors"][0]["extensions"]["reason"], "expired");
}

#[tokio::test]
async fn a_malformed_request_is_told_what_is_wrong() {
    let desk = Desk::open().await;
    let headers = format!("{}{JSON}", bearer(&desk));
    for (body, code) in [
        ("{", "BAD_REQUEST"),
        ("1", "BAD_REQUEST"),
        ("{}", "BAD_REQUEST"),
        (r#"{"query":1}"#, "BAD_REQUEST"),
        (r#"{"query":"{ __typename }","variables":[1]}"#, "BAD_REQUEST"),
        (r#"{"query":"{ __typename }","operationName":{}}"#, "BAD_REQUEST"),
        (r#"{"query":"{ __typename }","extensions":"x"}"#, "BAD_REQUEST"),
        (r#"[{"query":"{ __typename }"}]"#, "BATCH_NOT_ALLOWED"),
    ] {
        let reply = desk.post(&headers, body).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{body}");
    }
    let large = format!(r#"{{"query":"{}"}}"#, " ".repeat(BODY_BYTES_MAX));
    let reply = desk.post(&headers, &large).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "TOO_LARGE"));
}

#[tokio::test]
async fn request_errors_have_a_status_of_their_own_or_none_by_media_type() {
    let desk = Desk::open().await;
    let headers = format!("{}{JSON}", bearer(&desk));
    let many = "a: __typename ".repeat(51);
    for (query, code) in [
        ("{ 身份证420302", "GRAPHQL_PARSE_FAILED"),
        ("{ noSuchField }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int!) { cases(first: $n) { nodes { id } } }", "BAD_VARIABLES"),
        ("query($n: Int!) { __typename }", "BAD_VARIABLES"),
        (
            "query($n: Int! = \"x\") { cases(first: $n) { nodes { id } } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("query A { __typename } query B { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        (&format!("{{ viewer {{ {many} }} }}"), "TOO_MANY_ALIASES"),
        ("subscription { caseEvents(caseId: \"x\") { cursor } }", "BAD_REQUEST"),
    ] {
        let body = json!({ "query": query }).to_string();
        let strict = desk.post(&format!("{headers}{GRAPHQL}"), &body).await;
        assert_eq!((strict.status, strict.code().as_str()), (400, code), "{query}");
        let plain = desk.post(&headers, &body).await;
        assert_eq!((plain.status, plain.code().as_str()), (200, code), "{query}");
        assert!(!strict.body.contains("420302"), "{}", strict.body);
    }
    let body = json!({ "query": "{ noSuchFeld }" }).to_string();
    let reply = desk.post(&headers, &body).await;
    assert!(!reply.body.contains("Did you mean"), "{}", reply.body);
}

#[tokio::test]
async fn get_is_for_queries_and_changes_nothing() {
    let desk = Desk::open().await;
    let auth = bearer(&desk);
    let get = |query: &str| {
        format!(
            "GET /graphql?{query} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{auth}{GRAPHQL}\r\n"
        )
    };
    let reply = desk.send(&get("query=%7B__typename%7D&variables=%7B%7D&operationName=")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mutation = "query=mutation%7BclaimTask(input%3A%7BtaskId%3A%22x%22%2CexpectedVersion%3A1%2CidempotencyKey%3A%22k%22%7D)%7Breplayed%7D%7D";
    let reply = desk.send(&get(mutation)).await;
    assert_eq!((reply.status, reply.code().as_str()), (405, "METHOD_NOT_ALLOWED"));
    assert!(reply.head.contains("allow: get, post"), "{}", reply.head);
    let reply = desk.send(&get("query=%7B__typename%7D&variables=x")).await;
    assert_eq!(reply.status, 400);
    let put = format!(
        "PUT /graphql HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{auth}Content-Length: 0\r\n\r\n"
    );
    assert_eq!(desk.send(&put).await.status, 405);
}

#[tokio::test]
async fn introspection_is_for_integrators_and_development() {
    let query = "{ __schema { queryType { name } } }";
    let integrator = Viewer::new("i", Role::Integrator);
    let production = Desk::open().await;
    let answer = production.ask(&integrator, query, json!({})).await;
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query", "{answer}");
    let answer = production.ask(&clerk(), query, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    let development = Desk::open_in(Mode::Development).await;
    let answer = development.ask(&clerk(), query, json!({})).await;
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query", "{answer}");
}

#[tokio::test]
async fn health_is_told_to_anyone_and_a_stopped_server_is_gone() {
    let mut desk = Desk::open().await;
    let health = "GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    let reply = desk.send(health).await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "status": "ok" })));
    desk.stop().await;
    assert!(tokio::net::TcpStream::connect(desk.address).await.is_err());
}

#[tokio::test]
async fn a_development_identity_is_served_on_loopback_only() {
    use crate::auth::{Authority, DevIdentity};
    use crate::server::{Options, ServeError, serve};
    let desk = Desk::open().await;
    let folder = tempfile::tempdir().unwrap();
    let identity = DevIdentity::create_or_open(folder.path()).unwrap();
    let authority = Authority::dev(&identity, desk.wire.clone());
    let everywhere = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let served = serve(desk.engine.clone(), Options::new(authority), everywhere, async {}).await;
    assert!(matches!(served, Err(ServeError::NotLoopback(_))));
}
