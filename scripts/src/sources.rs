//! The texts of scripts: read from a folder, from the program itself, or from a kept blob.
//!
//! A folder holds `services/*.rhai`, `matters/<department>/*.rhai` and `lib/*.rhai`, beside them
//! rehearsals; nothing else is read. A closure's texts with the level of the host functions are one blob, and its SHA-256
//! is the closure's digest.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use tongban_core::digest::Digest;
use tongban_core::{limits, wire};

use crate::load::LoadError;
use crate::sandbox::REHEARSAL;

static SERVICES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/services");
static MATTERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/matters");
static LIB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lib");

/// Folders of the three kinds of file.
pub(crate) const FOLDERS: [&str; 3] = ["services", "matters", "lib"];

/// What a file declares, by its folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// `services/<code>.rhai`: one `service(#{…})`.
    Service,
    /// `matters/<department>/<code>.rhai`: one `matter(#{…})` and `fn handle(m)`.
    Matter,
    /// `lib/<name>.rhai`: functions only.
    Library,
    /// `<script>.rehearsal.rhai` beside a script: never part of a closure.
    Rehearsal,
}

/// Script texts by path, relative to the folder, with `/` between its parts.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sources(pub(crate) BTreeMap<String, String>);

/// What the digest of a closure covers.
#[derive(Serialize, Deserialize)]
struct Kept {
    api_level: u32,
    service: String,
    sources: Sources,
}

impl Sources {
    /// Returns the scripts that are part of the program.
    pub(crate) fn shipped() -> Self {
        let mut texts = BTreeMap::new();
        for (folder, dir) in FOLDERS.iter().zip([&SERVICES, &MATTERS, &LIB]) {
            embedded(folder, dir, &mut texts);
        }
        Self(texts)
    }

    /// Reads the three folders below `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, LoadError> {
        if !root.is_dir() {
            return Err(LoadError::NoFolder(root.to_owned()));
        }
        let mut sources = Self::default();
        for folder in FOLDERS {
            let path = root.join(folder);
            if path.is_dir() {
                sources.read_below(root, &path)?;
            }
        }
        if sources.0.is_empty() {
            return Err(LoadError::Empty(root.to_owned()));
        }
        Ok(sources)
    }

    /// Refuses texts that are larger than a file may be.
    pub(crate) fn check_sizes(&self) -> Result<(), LoadError> {
        let mut files = self.0.iter();
        match files.find(|(_, text)| text.len() > limits::SCRIPT_BYTES_MAX) {
            None => Ok(()),
            Some((path, text)) => {
                Err(LoadError::TooLarge { path: path.into(), bytes: text.len() as u64 })
            }
        }
    }

    fn read_below(&mut self, root: &Path, folder: &Path) -> Result<(), LoadError> {
        let failed = |path: &Path, error: std::io::Error| LoadError::Read {
            path: path.to_owned(),
            source: error,
        };
        let listing = folder.read_dir().map_err(|error| failed(folder, error))?;
        for item in listing {
            let path = item.map_err(|error| failed(folder, error))?.path();
            if path.is_dir() {
                self.read_below(root, &path)?;
            } else if path.extension().is_some_and(|extension| extension == "rhai") {
                let size = path.metadata().map_err(|error| failed(&path, error))?.len();
                if size > limits::SCRIPT_BYTES_MAX as u64 {
                    return Err(LoadError::TooLarge { path, bytes: size });
                }
                let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
                self.0.insert(relative(root, &path), text);
            }
        }
        Ok(())
    }

    /// Returns the files of one kind, in the order of their paths.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(move |(path, _)| kind_of(path) == Some(kind))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Returns only these files and the libraries.
    pub(crate) fn only(&self, files: &[&str]) -> Self {
        let wanted = |path: &str| files.contains(&path) || kind_of(path) == Some(Kind::Library);
        Self(
            self.0
                .iter()
                .filter(|(path, _)| wanted(path))
                .map(|(path, text)| (path.clone(), text.clone()))
                .collect(),
        )
    }

    /// Returns the blob of a closure and its digest.
    pub(crate) fn keep(&self, service: &str, api_level: u32) -> (Vec<u8>, Digest) {
        let blob =
            wire::encode(&Kept { api_level, service: service.to_owned(), sources: self.clone() });
        let digest = Digest::of(&blob);
        (blob, digest)
    }

    /// Reads a blob: the service's path, the level and the texts.
    pub(crate) fn unkeep(blob: &[u8]) -> Result<(String, u32, Self), wire::WireError> {
        let kept: Kept = wire::decode(blob)?;
        Ok((kept.service, kept.api_level, kept.sources))
    }
}

/// Returns what the file at `path` declares, or `None` when it lies elsewhere.
pub(crate) fn kind_of(path: &str) -> Option<Kind> {
    let (folder, _) = path.split_once('/')?;
    if path.ends_with(REHEARSAL) {
        return FOLDERS.contains(&folder).then_some(Kind::Rehearsal);
    }
    match folder {
        "services" => Some(Kind::Service),
        "matters" => Some(Kind::Matter),
        "lib" => Some(Kind::Library),
        _ => None,
    }
}

fn embedded(folder: &str, dir: &Dir<'_>, texts: &mut BTreeMap<String, String>) {
    for file in dir.files() {
        let text = file.contents_utf8();
        let is_script = file.path().extension().is_some_and(|extension| extension == "rhai");
        if let Some(text) = text.filter(|_| is_script) {
            let path = file.path().to_string_lossy().replace('\\', "/");
            texts.insert(format!("{folder}/{path}"), text.to_owned());
        }
    }
    for below in dir.dirs() {
        embedded(folder, below, texts);
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> =
        below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("/")
}
