//! The door through which a running server does what needs the folder that it holds.
//!
//! Sled lets one process in, so the server itself must take a backup, export a case, look at one
//! or try a version on all of them, as the commands do on a folder at rest. It listens on a free port of this
//! computer, and writes address and a random word into a file of the data folder that only its
//! owner may read: whoever may read the folder may read the store in it, and nobody else can.
//! The answer is a stream of JSON lines, the last one with the outcome.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};
use tokio::task::JoinSet;
use tongban_engine::blob::Blobs;
use tongban_engine::reference::References;
use tongban_engine::store::SledStore;
use tongban_engine::upkeep::{Manifest, Progress};

use super::take;
use crate::program::args::UpgradeArguments;
use crate::program::case::args::{ExportArguments, ReplayArguments};
use crate::program::case::{self, Place};
use crate::program::error::{Both, ProgramError, shown};
use crate::program::storage::Storage;
use crate::program::{audit, folder, scripts_upgrade, serve};

/// Name of the file in the data folder.
const FILE: &str = "control.json";
/// Header that carries the word.
const WORD: &str = "x-tongban-control";
/// Lines that may wait for a slow reader.
const LINES_WAITING: usize = 64;

/// What the file says.
#[derive(Deserialize, Serialize)]
struct Address {
    url: String,
    word: String,
}

/// What is asked; paths are absolute.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    /// A backup.
    Backup {
        /// The new folder for it.
        to: PathBuf,
    },
    /// A look at a case.
    Replay(ReplayArguments),
    /// A case in a file.
    Export(ExportArguments),
    /// What a version would do to the live cases.
    Upgrade(UpgradeArguments),
    /// A record that these documents are replaced.
    Replaced(Vec<String>),
}

/// What is asked, and by whom.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    who: String,
    wish: Wish,
}

/// What came of it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// A backup was taken.
    Backup(Box<Manifest>),
    /// There is something to read.
    Text(String),
    /// There is a report to read, in which so many cases diverge.
    Report(String, u64),
}

impl Outcome {
    /// Returns what a backup is.
    pub(super) fn manifest(self) -> Result<Manifest, ProgramError> {
        let Self::Backup(manifest) = self else { return Err(other_answer()) };
        Ok(*manifest)
    }

    /// Returns what is to be read.
    pub(crate) fn text(self) -> Result<String, ProgramError> {
        let Self::Text(text) = self else { return Err(other_answer()) };
        Ok(text)
    }

    /// Returns a report and how many of its cases diverge.
    pub(crate) fn report(self) -> Result<(String, u64), ProgramError> {
        let Self::Report(text, diverges) = self else { return Err(other_answer()) };
        Ok((text, diverges))
    }
}

fn other_answer() -> ProgramError {
    ProgramError::Engine(Both::new(
        "服务的答复与所求不符,请使用同一版本的程序",
        "the server answered something else; use the same release of the program",
    ))
}

/// One line of the answer.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Cases(u64),
    Done(Outcome),
    Failed { code: String, text: String },
}

/// What a server gives to whoever asks at its door.
#[derive(Clone)]
pub(crate) struct Kept {
    /// The store.
    pub(crate) store: Arc<SledStore>,
    /// The files of its cases.
    pub(crate) blobs: Blobs,
    /// The documents of its offices.
    pub(crate) references: References,
    /// The folder of the store.
    pub(crate) folder: PathBuf,
}

impl Kept {
    /// Says where the rest is of what belongs to a store.
    pub(crate) fn of(
        store: Arc<SledStore>,
        storage: &Storage,
        folder: &Path,
    ) -> Result<Self, ProgramError> {
        let references = storage.references().map_err(|error| ProgramError::InputOutput {
            what: shown(folder),
            detail: Both::of(&error),
        })?;
        Ok(Self { store, blobs: storage.blobs()?, references, folder: folder.to_owned() })
    }
}

struct Inner {
    kept: Kept,
    word: String,
    /// Held while a backup is taken.
    busy: Arc<Mutex<()>>,
}

/// The open door; dropping it closes it and removes the file.
pub(crate) struct Door {
    file: PathBuf,
    /// Serves the door; ends with it.
    _serving: JoinSet<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.file) {
            tracing::debug!(%error, "the file of the control door stays");
        }
    }
}

/// Opens the door and serves it for as long as it is kept.
pub(crate) async fn open(kept: Kept) -> Result<Door, ProgramError> {
    let listener = serve::listen(([127, 0, 0, 1], 0).into()).await?;
    let word = random_word()?;
    let address = Address {
        url: format!("http://{}/wish", serve::address_of(&listener)?),
        word: word.clone(),
    };
    let file = kept.folder.join(FILE);
    let text = serde_json::to_vec(&address).expect("an address is plain data");
    folder::write_private(&file, &text)?;
    let inner = Inner { kept, word, busy: Arc::default() };
    let routes = Router::new().route("/wish", post(answer)).with_state(Arc::new(inner));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::warn!(%error, "the control door has closed");
        }
    });
    Ok(Door { file, _serving: serving })
}

fn random_word() -> Result<String, ProgramError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ProgramError::Engine(Both::of(&error)))?;
    Ok(tongban_core::digest::Digest(bytes).hex())
}

async fn answer(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: String) -> Response {
    let word = headers.get(WORD).and_then(|word| word.to_str().ok());
    if word != Some(inner.word.as_str()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Ok(asked) = serde_json::from_str::<Asked>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let busy = match &asked.wish {
        Wish::Backup { .. } => match Arc::clone(&inner.busy).try_lock_owned() {
            Ok(busy) => Some(busy),
            Err(_) => return StatusCode::CONFLICT.into_response(),
        },
        Wish::Replay(_) | Wish::Export(_) | Wish::Upgrade(_) | Wish::Replaced(_) => None,
    };
    let (lines, waiting) = mpsc::channel(LINES_WAITING);
    let kept = inner.kept.clone();
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(carry_out(kept, asked, (lines, busy))));
    let body = stream::unfold(waiting, |mut waiting| async move {
        let line: String = waiting.recv().await?;
        Some((Ok::<_, Infallible>(line), waiting))
    });
    Body::from_stream(body).into_response()
}

async fn carry_out(
    kept: Kept,
    asked: Asked,
    (lines, _busy): (mpsc::Sender<String>, Option<OwnedMutexGuard<()>>),
) {
    let line = match done(&kept, asked, &lines).await {
        Ok(outcome) => Line::Done(outcome),
        Err(error) => Line::Failed { code: error.code().to_owned(), text: error.to_string() },
    };
    drop(lines.send(text(&line)).await);
}

async fn done(
    kept: &Kept,
    Asked { who, wish }: Asked,
    lines: &mpsc::Sender<String>,
) -> Result<Outcome, ProgramError> {
    let words = lines.clone();
    // Whoever asked may have gone away; what was begun is finished all the same.
    let progress = move |cases| drop(words.try_send(text(&Line::Cases(cases))));
    match wish {
        Wish::Backup { to } => {
            let mut progress = |done: Progress| progress(done.cases);
            let manifest = take(kept, &to, &mut progress).await.map_err(super::carry)?;
            Ok(Outcome::Backup(Box::new(manifest)))
        }
        Wish::Replay(arguments) => {
            let place = Place::Store(Arc::clone(&kept.store), kept.folder.clone());
            case::replayed(&place, &arguments, &who).await.map(Outcome::Text)
        }
        Wish::Export(arguments) => case::exported(kept, &arguments, &who).await.map(Outcome::Text),
        Wish::Upgrade(arguments) => {
            let arguments = UpgradeArguments { data: kept.folder.clone(), ..arguments };
            let store = Arc::clone(&kept.store);
            let reported = scripts_upgrade::reported(store, &arguments, Box::new(progress)).await;
            reported.map(|(text, diverges)| Outcome::Report(text, diverges))
        }
        Wish::Replaced(documents) => {
            let noted = audit::note_documents(kept.store.as_ref(), &who, documents).await;
            noted.map(|()| Outcome::Text(String::new()))
        }
    }
}

fn text(line: &Line) -> String {
    let mut text = serde_json::to_string(line).expect("a line is plain data");
    text.push('\n');
    text
}

/// Asks the server that holds a folder.
pub(crate) async fn ask(
    data: &Path,
    wish: Wish,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Outcome, ProgramError> {
    let file = data.join(FILE);
    let unreachable = |detail: Both| ProgramError::NoControl { folder: shown(data), detail };
    let address = std::fs::read(&file).map_err(|error| unreachable(Both::of(&error)))?;
    let address: Address =
        serde_json::from_slice(&address).map_err(|error| unreachable(Both::of(&error)))?;
    let asked = Asked { who: audit::user(), wish };
    let asked = serde_json::to_string(&asked).expect("paths in it were given as text");
    let mut lines =
        request(&address, &asked).await.map_err(|error| unreachable(Both::of(&error)))?;
    while let Some(line) = lines.next_line().await.map_err(|error| unreachable(Both::of(&error)))? {
        match serde_json::from_str(&line) {
            Ok(Line::Cases(cases)) => progress(Progress { cases, differences: 0 }),
            Ok(Line::Done(outcome)) => return Ok(outcome),
            Ok(Line::Failed { code, text }) => {
                return Err(ProgramError::Carry { code, what: Both::of(&text) });
            }
            Err(error) => return Err(unreachable(Both::of(&error))),
        }
    }
    let broken = Both::new("服务在完成前中断了连接", "the server broke off before it was done");
    Err(unreachable(broken))
}

/// Sends a wish and reads the head of the answer. HTTP 1.0, so that the body is what follows until
/// the end, in no further wrapping.
async fn request(address: &Address, wish: &str) -> io::Result<Lines<BufReader<TcpStream>>> {
    let broken = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let place = address.url.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
    let (host, path) = place.ok_or_else(|| broken(address.url.clone()))?;
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "POST /{path} HTTP/1.0\r\nhost: {host}\r\n{WORD}: {}\r\ncontent-length: {}\r\n\r\n",
        address.word,
        wish.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(wish.as_bytes()).await?;
    let mut lines = BufReader::new(stream).lines();
    let status = lines.next_line().await?.unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(broken(status));
    }
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    Ok(lines)
}
