//! Files and reference documents in a bucket: the production storage client against an
//! S3-compatible service over real HTTP.

mod server;
mod signature;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tongban_connectors::s3::{self, S3Credentials, S3Options, S3Transport};
use tongban_core::digest::Digest;
use tongban_core::error::ErrorClass;
use tongban_core::id::CaseId;
use tongban_core::port::WireClock as _;
use tongban_core::time::Moment;
use tongban_engine::blob::{BlobError, Blobs, Sweep, Swept, Wanted};
use tongban_engine::clock::SystemClock;
use tongban_engine::objects::ObjectStore;
use tongban_engine::reference::References;
use tongban_tests::{Ended, Server, Tongban};

use self::server::{BUCKET, Refuses, Service};
use self::signature::{KEY_ID, SECRET};
use crate::document::{APPLICANT, OFFICES};
use crate::files::{SCRIPTS, pdf};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));
const CONFIG: i32 = 78;
const DAY_MILLIS: i64 = 24 * 3_600_000;

/// A service, and what keeps it running.
struct Cloud {
    service: Service,
    _servers: JoinSet<()>,
}

impl Cloud {
    async fn new() -> Self {
        let mut servers = JoinSet::new();
        Self { service: Service::start(&mut servers).await, _servers: servers }
    }

    fn objects_for(&self, secret: &str) -> Arc<dyn ObjectStore> {
        let options = S3Options {
            endpoint: self.service.url(),
            bucket: BUCKET.to_owned(),
            region: "cn-1".to_owned(),
            prefix: Some("shiyan".to_owned()),
            credentials: S3Credentials {
                key_id: KEY_ID.to_owned(),
                secret: secret.to_owned(),
                token: None,
            },
            transport: S3Transport::HttpAllowed,
        };
        s3::open(&options).unwrap()
    }

    fn blobs(&self) -> Blobs {
        Blobs::open(self.objects_for(SECRET))
    }
}

fn case() -> CaseId {
    CaseId::new(Moment::parse("2026-03-02T09:00:00+08:00").unwrap(), [1; 10])
}

async fn put(blobs: &Blobs, bytes: &[u8]) -> Result<Digest, BlobError> {
    let wanted = Wanted::new("a.pdf", &["pdf".to_owned()]);
    let pieces: Vec<Result<Bytes, std::io::Error>> =
        bytes.chunks(70_001).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Ok(blobs.put(case(), &wanted, stream::iter(pieces)).await?.digest)
}

async fn read(blobs: &Blobs, digest: Digest) -> Option<Vec<u8>> {
    let reader = blobs.get(case(), digest).await.unwrap()?;
    let pieces: Vec<Bytes> = reader.stream.try_collect().await.unwrap();
    Some(pieces.concat())
}

#[tokio::test]
async fn a_file_of_several_parts_comes_back_as_it_went_in_and_only_its_name_stays() {
    let cloud = Cloud::new().await;
    let blobs = cloud.blobs();
    let large = [pdf("large"), vec![7; 11_000_000]].concat();
    for bytes in [pdf("small"), large] {
        let digest = put(&blobs, &bytes).await.unwrap();
        assert!(read(&blobs, digest).await.unwrap() == bytes);
        let found = blobs.find(case(), digest).await.unwrap().unwrap();
        assert_eq!((found.bytes, found.media_type), (bytes.len() as u64, "application/pdf"));
    }
    let page = blobs.put_page(case(), b"<p>page</p>".to_vec()).await.unwrap();
    assert_eq!(read(&blobs, page.digest).await.unwrap(), b"<p>page</p>");
    let keys = cloud.service.keys();
    assert_eq!(keys.len(), 3, "no part and no unfinished object is left: {keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("shiyan/files/case_")), "{keys:?}");
    assert_eq!(cloud.service.unsigned(), 0);
    assert_eq!(read(&blobs, Digest::of(b"nothing")).await, None);
    assert_eq!(blobs.delete_case(case()).await.unwrap(), 3);
    assert_eq!(cloud.service.keys(), [""; 0]);
}

#[tokio::test]
async fn a_sweep_of_a_bucket_goes_through_every_page() {
    let cloud = Cloud::new().await;
    let blobs = cloud.blobs();
    let mut named = BTreeSet::new();
    for no in 0..8 {
        let digest = put(&blobs, &pdf(&format!("{no}"))).await.unwrap();
        if no % 2 == 0 {
            named.insert(digest);
        }
    }
    cloud.service.age(30);
    let young = put(&blobs, &pdf("young")).await.unwrap();
    let before = SystemClock.now().plus_millis(-7 * DAY_MILLIS);
    let logs = |_: CaseId| async { Ok::<_, BlobError>(Some(named.clone())) };
    let swept = blobs.sweep(Sweep::all_before(before), &logs).await.unwrap();
    let bytes = 4 * pdf("0").len() as u64;
    assert_eq!(swept, Swept { kept: 4, strays: 4, bytes });
    assert_eq!(cloud.service.keys().len(), 5);
    assert!(read(&blobs, young).await.is_some());
}

#[tokio::test]
async fn of_importers_at_once_each_gets_a_number_of_its_own() {
    let cloud = Cloud::new().await;
    let mut importers = JoinSet::new();
    for no in 0..6 {
        let references = References::open(cloud.objects_for(SECRET));
        importers.spawn(async move {
            let text = format!("{{\"no\":{no}}}").into_bytes();
            references.publish("calendar", "hall", text, Moment::from_millis(no)).await.unwrap()
        });
    }
    let published = importers.join_all().await;
    let numbers: BTreeSet<u32> = published.iter().map(|version| version.version).collect();
    assert_eq!(numbers, (1..=6).collect());
    let references = References::open(cloud.objects_for(SECRET));
    for version in &published {
        let kept = references.version("calendar", "hall", version.version).await.unwrap();
        assert_eq!(Digest::of(&kept.unwrap().bytes), version.digest);
    }
    let current = references.current("calendar").await.unwrap();
    assert_eq!((current.len(), current[0].version), (1, 6));
}

#[tokio::test]
async fn what_the_service_does_not_keep_has_no_name() {
    let cloud = Cloud::new().await;
    let blobs = cloud.blobs();
    cloud.service.will_refuse(Refuses::Naming);
    let refused = put(&blobs, &pdf("a")).await.unwrap_err();
    assert_eq!((refused.code(), refused.class()), ("OBJECTS_FAILED", ErrorClass::Transient));
    let references = References::open(cloud.objects_for(SECRET));
    let at = Moment::from_millis(0);
    let unkept = references.publish("calendar", "hall", b"{}".to_vec(), at).await.unwrap_err();
    assert_eq!((unkept.code(), unkept.class()), ("OBJECTS_FAILED", ErrorClass::Transient));
    cloud.service.will_refuse(Refuses::Nothing);
    assert_eq!(blobs.find(case(), Digest::of(&pdf("a"))).await.unwrap(), None);
    assert_eq!(cloud.service.keys(), [""; 0], "what was half done is cleared away");
    assert_eq!(references.versions("calendar", "hall").await.unwrap(), []);

    cloud.service.will_refuse(Refuses::Everything);
    let down = blobs.find(case(), Digest::of(b"a")).await.unwrap_err();
    assert_eq!((down.code(), down.class()), ("OBJECTS_FAILED", ErrorClass::Transient));
    cloud.service.will_refuse(Refuses::Nothing);
    put(&blobs, &pdf("a")).await.unwrap();
}

#[tokio::test]
async fn who_does_not_hold_the_secret_gets_nothing() {
    let cloud = Cloud::new().await;
    let digest = put(&cloud.blobs(), &pdf("a")).await.unwrap();
    let stranger = Blobs::open(cloud.objects_for("guessed"));
    let refused = stranger.find(case(), digest).await.unwrap_err();
    assert_eq!((refused.code(), refused.class()), ("OBJECTS_FAILED", ErrorClass::Permanent));
    assert!(cloud.service.unsigned() > 0);
}

/// A data folder whose files lie in the cloud.
struct Installation {
    folder: TempDir,
    data: PathBuf,
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Installation {
    fn new(cloud: &Cloud) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in SCRIPTS {
            write(folder.path(), &format!("scripts/{name}"), text);
        }
        write(folder.path(), "organisation.json", OFFICES);
        let config = format!(
            "scripts = \"scripts\"\n[storage.s3]\nendpoint = \"{}\"\nbucket = \"{BUCKET}\"\nregion = \"cn-1\"\nprefix = \"shiyan\"\ncredentials_file = \"s3.toml\"\nallow_http = true\n",
            cloud.service.url()
        );
        write(folder.path(), "tongban.toml", &config);
        let data = folder.path().join("data");
        Self { folder, data }.with_secret(SECRET)
    }

    /// Takes another secret for the service's.
    fn with_secret(self, secret: &str) -> Self {
        let credentials =
            format!("access_key_id = \"{KEY_ID}\"\nsecret_access_key = \"{secret}\"\n");
        write(self.folder.path(), "s3.toml", &credentials);
        self
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }

    fn run(&self, command: &[&str], config: Option<&str>) -> Ended {
        let mut arguments = command.to_vec();
        arguments.extend(["--data", text(&self.data)]);
        let path = config.map(|name| self.path(name));
        arguments.extend(path.iter().flat_map(|path| ["--config", path]));
        PROGRAM.run(&arguments)
    }

    fn serve(&self) -> Server {
        let config = self.path("tongban.toml");
        PROGRAM.serve(&["--dev", "--data", text(&self.data), "--config", &config])
    }

    fn token(&self) -> String {
        PROGRAM.token(&self.data, &["--role", "applicant", "--party", APPLICANT])
    }
}

/// Sends one request and returns status and body.
fn exchange(server: &Server, request: (&str, &str), token: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let (method, path) = request;
    let host = server.url().strip_prefix("http://").unwrap();
    let (host, _) = host.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer[end + 4..].to_vec())
}

const START: &str = "mutation($input: StartCaseInput!) { startCase(input: $input) {
    case { id } errors { ... on UserError { code message } } } }";
const SUBMIT: &str = "mutation($input: SubmitCaseInput!) { submitCase(input: $input) {
    errors { ... on UserError { code message } } } }";
const DOCUMENTS: &str = "query($id: ID!) { case(by: { id: $id }) { documents { url sha256 } } }";

/// Starts a case whose plan has the bytes of `plan`, and returns its id.
fn start(server: &Server, token: &str, plan: &[u8]) -> String {
    let input = json!({
        "serviceCode": "test", "region": "420302", "form": { "size": "20" },
        "applicant": { "id": APPLICANT, "name": "示例公司" }, "idempotencyKey": "start",
        "materials": [{ "code": "plan", "fileName": "方案.pdf", "sha256": Digest::of(plan).hex() }],
    });
    let started = server.ask(token, START, &json!({ "input": input }));
    let case = started["data"]["startCase"]["case"]["id"].as_str();
    case.unwrap_or_else(|| panic!("{started}")).to_owned()
}

fn submit(server: &Server, token: &str, case: &str) -> Vec<Json> {
    let input = json!({ "caseId": case, "idempotencyKey": "submit" });
    let submitted = server.ask(token, SUBMIT, &json!({ "input": input }));
    assert_eq!(submitted["data"]["submitCase"]["errors"], json!([]), "{submitted}");
    loop {
        let shown = server.ask(token, DOCUMENTS, &json!({ "id": case }));
        let documents = shown["data"]["case"]["documents"].as_array().unwrap().clone();
        // An applicant sees only what is sealed.
        if documents.len() == 2 {
            return documents;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_keeps_files_notices_and_offices_in_its_bucket_over_a_restart() {
    let cloud = Cloud::new().await;
    let installed = Installation::new(&cloud);
    let organisation = installed.path("organisation.json");
    let imported = installed.run(&["import", &organisation], Some("tongban.toml"));
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    let server = installed.serve();
    let token = installed.token();
    let plan = pdf("plan");
    let case = start(&server, &token, &plan);
    let upload = format!("/upload?case={case}&material=plan&name=a.pdf");
    let (status, body) = exchange(&server, ("POST", &upload), &token, &plan);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let documents = submit(&server, &token, &case);

    cloud.service.will_refuse(Refuses::Everything);
    let (status, _) = exchange(&server, ("POST", &upload), &token, &pdf("more"));
    assert_eq!(status, 503, "a service that is down is said to be");
    cloud.service.will_refuse(Refuses::Nothing);
    let (status, told) = server.terminate();
    assert!(status.success(), "{told}");

    let server = installed.serve();
    let blob = format!("/blob/{case}/{}", Digest::of(&plan).hex());
    assert_eq!(exchange(&server, ("GET", &blob), &token, b""), (200, plan));
    for document in &documents {
        let print = format!("{}?print", document["url"].as_str().unwrap());
        let (status, page) = exchange(&server, ("GET", &print), &token, b"");
        assert_eq!((status, json!(Digest::of(&page).hex())), (200, document["sha256"].clone()));
    }
    for name in ["files", "reference"] {
        assert!(!installed.data.join(name).exists(), "nothing of it lies in the data folder");
    }
    let keys = cloud.service.keys();
    let below = |prefix: &str| keys.iter().filter(|key| key.starts_with(prefix)).count();
    assert_eq!((below("shiyan/files/"), below("shiyan/reference/")), (3, 2), "{keys:?}");
    assert_eq!(cloud.service.unsigned(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_a_forgotten_configuration_nor_a_foreign_folder_takes_a_bucket_for_empty() {
    let cloud = Cloud::new().await;
    let installed = Installation::new(&cloud);
    let organisation = installed.path("organisation.json");
    let imported = installed.run(&["import", &organisation], Some("tongban.toml"));
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    let listed = installed.run(&["import", "--list"], None);
    assert!(listed.stdout.contains("organisation"), "the folder remembers: {}", listed.stderr);
    let arguments = ["serve", "--dev", "--listen", "127.0.0.1:0"];
    let forgotten = installed.run(&arguments, None);
    assert_eq!(forgotten.code, Some(CONFIG), "{}", forgotten.stderr);
    assert!(forgotten.stderr.contains(BUCKET), "{}", forgotten.stderr);
    let remembered = std::fs::read_to_string(installed.data.join("storage.json")).unwrap();
    assert!(!remembered.contains(SECRET), "{remembered}");

    let other = Installation::new(&cloud);
    let foreign = other.run(&["import", "--list"], Some("tongban.toml"));
    assert_eq!(foreign.code, Some(CONFIG), "{}", foreign.stderr);
    assert!(foreign.stderr.contains("属于另一个数据文件夹"), "{}", foreign.stderr);

    let local = Installation::new(&cloud);
    let kept = local.run(&["import", &organisation], None);
    assert_eq!(kept.code, Some(0), "{}", kept.stderr);
    let moved = local.run(&["import", "--list"], Some("tongban.toml"));
    assert_eq!(moved.code, Some(CONFIG), "{}", moved.stderr);
    assert!(moved.stderr.contains("请先迁移"), "{}", moved.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_told_at_the_start_and_never_shown() {
    let cloud = Cloud::new().await;
    let installed = Installation::new(&cloud).with_secret("guessed-secret");
    let arguments = ["serve", "--dev", "--listen", "127.0.0.1:0"];
    let refused = installed.run(&arguments, Some("tongban.toml"));
    assert_eq!(refused.code, Some(CONFIG), "{}", refused.stderr);
    assert!(refused.stderr.contains("不接受所给的凭证"), "{}", refused.stderr);
    let all = format!("{}{}", refused.stdout, refused.stderr);
    assert!(!all.contains("guessed-secret") && !all.contains("Signature="), "{all}");
    write(installed.folder.path(), "s3.toml", "secret_access_key = guessed-secret");
    let unread = installed.run(&arguments, Some("tongban.toml"));
    assert_eq!(unread.code, Some(CONFIG), "{}", unread.stderr);
    assert!(!unread.stderr.contains("guessed-secret"), "{}", unread.stderr);
    let right = installed.with_secret(SECRET);
    let imported = right.run(&["import", &right.path("organisation.json")], Some("tongban.toml"));
    assert_eq!(imported.code, Some(0), "what was refused left nothing: {}", imported.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_bucket_is_restored_into_a_folder_or_another_bucket() {
    let cloud = Cloud::new().await;
    let installed = Installation::new(&cloud);
    let organisation = installed.path("organisation.json");
    let imported = installed.run(&["import", &organisation], Some("tongban.toml"));
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    let server = installed.serve();
    let (token, plan) = (installed.token(), pdf("plan"));
    let case = start(&server, &token, &plan);
    let upload = format!("/upload?case={case}&material=plan&name=a.pdf");
    assert_eq!(exchange(&server, ("POST", &upload), &token, &plan).0, 200);
    submit(&server, &token, &case);
    let backup = installed.path("backup");
    let copied = installed.run(&["backup", "--to", &backup], None);
    assert_eq!(copied.code, Some(0), "{}", copied.stderr);
    assert!(server.terminate().0.success());

    for moved in [None, Some("elsewhere")] {
        let other = Installation::new(&cloud);
        let config = moved.map(|prefix| {
            let text = std::fs::read_to_string(other.path("tongban.toml")).unwrap();
            write(other.folder.path(), "tongban.toml", &text.replace("shiyan", prefix));
            "tongban.toml"
        });
        let restored = other.run(&["restore", "--from", &backup], config);
        assert_eq!(restored.code, Some(0), "{}", restored.stderr);
        let checked = other.run(&["store", "check"], None);
        assert_eq!(checked.code, Some(0), "{}{}", checked.stdout, checked.stderr);
        let listed = other.run(&["import", "--list"], None);
        assert!(listed.stdout.contains("organisation"), "{}", listed.stdout);
        let file = format!("files/{case}/{}", Digest::of(&plan).hex());
        let is_in_folder = other.data.join(&file).is_file();
        let key = format!("elsewhere/{file}");
        let is_in_bucket = cloud.service.keys().contains(&key);
        assert_eq!((is_in_folder, is_in_bucket), (moved.is_none(), moved.is_some()));
    }
    assert_eq!(cloud.service.unsigned(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_without_conditional_puts_is_refused() {
    let cloud = Cloud::new().await;
    cloud.service.will_refuse(Refuses::Conditions);
    let installed = Installation::new(&cloud);
    let refused = installed.run(&["import", "--list"], Some("tongban.toml"));
    assert_eq!(refused.code, Some(CONFIG), "{}", refused.stderr);
    assert!(refused.stderr.contains("If-None-Match"), "{}", refused.stderr);
}
