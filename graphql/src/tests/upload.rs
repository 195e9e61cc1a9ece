//! Files of a case over HTTP: kept by those who serve it, read by those who see it.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tongban_core::digest::Digest;
use tongban_core::limits::UPLOAD_BYTES_MAX;
use tongban_core::viewer::{Role, Viewer};

use super::desk::{Desk, Reply, START, applicant, approver, clerk, start_input};

pub(super) const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n";
/// 效果图.pdf
const NAME: &str = "%E6%95%88%E6%9E%9C%E5%9B%BE.pdf";

/// A response whose body may be anything.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Reads the body as text.
    pub(super) fn reply(self) -> Reply {
        let body = String::from_utf8(self.body).unwrap();
        Reply { status: self.status, head: self.head, body }
    }
}

impl Desk {
    /// Sends bytes and reads until the server closes.
    pub(super) async fn exchange(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an HTTP response");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: bytes[end + 4..].to_vec() }
    }

    pub(super) async fn upload(&self, who: &Viewer, query: &str, body: &[u8]) -> Reply {
        let token = self.token(who);
        let head = format!(
            "POST /upload?{query} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.exchange(&head, body).await.reply()
    }

    /// Asks for a file, `GET` or otherwise.
    async fn fetch(&self, who: &Viewer, method: &str, path: &str) -> Answer {
        self.read(who, method, &format!("/blob/{path}")).await
    }

    /// Asks for what lies at a path, as someone.
    pub(super) async fn read(&self, who: &Viewer, method: &str, path: &str) -> Answer {
        let token = self.token(who);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        self.exchange(&head, b"").await
    }

    /// Starts a case whose sketch has the bytes of `PDF`, and returns its id.
    async fn started(&self) -> String {
        let mut input = start_input("start");
        input["materials"][0]["sha256"] = json!(Digest::of(PDF).hex());
        let started = self.data(&applicant(), START, json!({ "input": input })).await;
        started["startCase"]["case"]["id"].as_str().expect("a case").to_owned()
    }
}

pub(super) fn sketch(case: &str, name: &str) -> String {
    format!("case={case}&material=sketch&name={name}")
}

pub(super) fn insiders() -> [Viewer; 4] {
    [applicant(), clerk(), approver(), Viewer::new("s", Role::Supervisor).within("420300")]
}

pub(super) fn strangers() -> [Viewer; 4] {
    [
        Viewer::new("p", Role::Applicant).for_party("91420302MA4DEM020N"),
        Viewer::new("c", Role::WindowClerk).within("420303"),
        Viewer::new("a", Role::Approver).within("420300").of("fire"),
        Viewer::new("i", Role::Integrator),
    ]
}

#[tokio::test]
async fn an_applicant_sends_a_file_and_those_who_see_the_case_read_it() {
    let desk = Desk::open().await;
    let case = desk.started().await;
    let digest = Digest::of(PDF).hex();
    let kept = desk.upload(&applicant(), &sketch(&case, NAME), PDF).await;
    let expected = json!({
        "digest": digest, "bytes": PDF.len(),
        "mediaType": "application/pdf", "fileName": "效果图.pdf",
    });
    assert_eq!((kept.status, kept.json()), (200, expected));
    let again = desk.upload(&clerk(), &sketch(&case, NAME), PDF).await;
    assert_eq!(again.status, 200, "{}", again.body);
    let path = format!("{case}/{digest}");
    for viewer in insiders() {
        let file = desk.fetch(&viewer, "GET", &path).await;
        assert_eq!((file.status, file.body.as_slice()), (200, PDF), "{viewer:?}");
        for line in [
            "content-type: application/pdf",
            &format!("content-length: {}", PDF.len()),
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "content-security-policy: default-src 'none'; sandbox",
            "content-disposition: attachment; filename*=utf-8''%e6%95%88%e6%9e%9c%e5%9b%be.pdf",
        ] {
            assert!(file.head.contains(line), "{line} is not in {}", file.head);
        }
    }
    let head = desk.fetch(&clerk(), "HEAD", &path).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_file_larger_than_a_frame_is_streamed_in_chunks_of_any_size() {
    let desk = Desk::open().await;
    let case = desk.started().await;
    let bytes: Vec<u8> = [PDF.to_vec(), vec![7; 2_000_000]].concat();
    let token = desk.token(&applicant());
    let head = format!(
        "POST /upload?{} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n",
        sketch(&case, "a.pdf")
    );
    let mut body = Vec::new();
    for chunk in bytes.chunks(70_001) {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    let kept = desk.exchange(&head, &body).await.reply();
    assert_eq!((kept.status, &kept.json()["bytes"]), (200, &json!(bytes.len())));
    let path = format!("{case}/{}", Digest::of(&bytes).hex());
    assert!(desk.fetch(&clerk(), "GET", &path).await.body == bytes);
}

#[tokio::test]
async fn strangers_learn_nothing_of_a_case_and_its_files() {
    let desk = Desk::open().await;
    let case = desk.started().await;
    desk.upload(&applicant(), &sketch(&case, NAME), PDF).await;
    let nowhere = case.replace("case_0", "case_1");
    let missing = desk.upload(&applicant(), &sketch(&nowhere, NAME), PDF).await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "NOT_FOUND"));
    let path = format!("{case}/{}", Digest::of(PDF).hex());
    for viewer in strangers() {
        let refused = desk.upload(&viewer, &sketch(&case, NAME), PDF).await;
        assert_eq!((refused.status, &refused.body), (404, &missing.body), "{viewer:?}");
        let unread = desk.fetch(&viewer, "GET", &path).await.reply();
        assert_eq!((unread.status, unread.code().as_str()), (404, "NOT_FOUND"), "{viewer:?}");
    }
    for path in [format!("{case}/{}", Digest::of(b"x").hex()), format!("{case}/x"), "x/y".into()] {
        assert_eq!(desk.fetch(&clerk(), "GET", &path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn who_sees_a_case_without_serving_it_sends_no_files() {
    let desk = Desk::open().await;
    let case = desk.started().await;
    for viewer in &insiders()[2..] {
        let refused = desk.upload(viewer, &sketch(&case, NAME), PDF).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "FORBIDDEN"), "{viewer:?}");
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_kept_or_read() {
    let desk = Desk::open().await;
    for line in ["POST /upload?case=x", "GET /blob/x/y"] {
        let head =
            format!("{line} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        let refused = desk.exchange(&head, b"").await.reply();
        assert_eq!((refused.status, refused.code().as_str()), (401, "UNAUTHENTICATED"));
        assert!(refused.head.contains("www-authenticate: bearer"), "{}", refused.head);
    }
}

#[tokio::test]
async fn a_file_that_is_not_wanted_is_refused_with_what_would_be() {
    let desk = Desk::open().await;
    let case = desk.started().await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let long = format!("{}.pdf", "a".repeat(200));
    for (query, body, status, code) in [
        (sketch(&case, "a.png"), &png[..], 415, "FILE_TYPE_NOT_ACCEPTED"),
        (sketch(&case, "a.pdf"), &png[..], 415, "FILE_TYPE_MISMATCH"),
        (sketch(&case, "a.pdf"), b"", 422, "FILE_EMPTY"),
        (sketch(&case, &long), PDF, 422, "FILE_NAME"),
        (sketch(&case, "..%2Fa.pdf"), PDF, 422, "FILE_NAME"),
        (format!("case={case}&material=deed&name=a.pdf"), PDF, 422, "UNKNOWN_MATERIAL"),
        (format!("case={case}&material=sketch"), PDF, 400, "BAD_REQUEST"),
        (format!("{}&name=b.pdf", sketch(&case, "a.pdf")), PDF, 400, "BAD_REQUEST"),
        (format!("{}&more=1", sketch(&case, "a.pdf")), PDF, 400, "BAD_REQUEST"),
        (sketch("x", "a.pdf"), PDF, 404, "NOT_FOUND"),
    ] {
        let refused = desk.upload(&applicant(), &query, body).await;
        assert_eq!((refused.status, refused.code().as_str()), (status, code), "{query}");
    }
    let refused = desk.upload(&applicant(), &sketch(&case, "a.png"), png).await.json();
    assert_eq!(refused["errors"][0]["extensions"]["accepted"], json!(["pdf"]));
}

#[tokio::test]
async fn a_file_too_large_is_refused_before_it_comes() {
    let desk = Desk::open().await;
    let case = desk.started().await;
    let token = desk.token(&applicant());
    let length = UPLOAD_BYTES_MAX + 1;
    // A client that asks first sends nothing once it is told no.
    let head = format!(
        "POST /upload?{} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n",
        sketch(&case, "a.pdf")
    );
    let refused = desk.exchange(&head, b"").await.reply();
    assert_eq!((refused.status, refused.code().as_str()), (413, "FILE_TOO_LARGE"));
    let extensions = refused.json()["errors"][0]["extensions"].clone();
    assert_eq!(extensions["limit"], json!(UPLOAD_BYTES_MAX));
    assert_eq!(extensions["actual"], json!(length));
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_not_there() {
    let desk = Desk::open().await;
    let case = desk.started().await;
    let token = desk.token(&applicant());
    let head = format!(
        "POST /upload?{} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        sketch(&case, "a.pdf"),
        PDF.len()
    );
    let mut stream = TcpStream::connect(desk.address).await.unwrap();
    stream.write_all(&[head.as_bytes(), &PDF[..PDF.len() - 1]].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    let path = format!("{case}/{}", Digest::of(PDF).hex());
    assert_eq!(desk.fetch(&clerk(), "GET", &path).await.status, 404);
}

#[tokio::test]
async fn forms_and_other_methods_are_told_how_files_are_sent() {
    let desk = Desk::open().await;
    let case = desk.started().await;
    let token = desk.token(&applicant());
    let query = sketch(&case, "a.pdf");
    for (line, header, status, code) in [
        (
            "POST /upload?",
            "Content-Type: multipart/form-data; boundary=x\r\n",
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("PUT /upload?", "", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE /blob/x/y?", "", 405, "METHOD_NOT_ALLOWED"),
    ] {
        let head = format!(
            "{line}{query} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{header}Content-Length: 0\r\n\r\n"
        );
        let refused = desk.exchange(&head, b"").await.reply();
        assert_eq!((refused.status, refused.code().as_str()), (status, code), "{line}");
    }
}
