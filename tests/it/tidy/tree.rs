//! The repository as the house rules see it: every file that belongs to it, and the manifests.
//!
//! The tree is walked, not asked from git, so that a file is held to the rules before it is
//! committed. What the root's `.gitignore` names (build output, a demo's folder) is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::source::Source;

/// A file of the repository.
pub(crate) struct File {
    /// Path from the root, with forward slashes.
    pub(crate) path: String,
    /// Contents; bytes that are no UTF-8 are replaced.
    pub(crate) text: String,
}

/// Every file of the repository, sorted by path.
pub(crate) struct Tree {
    /// The files.
    pub(crate) files: Vec<File>,
}

/// The manifest of a package of the workspace.
pub(crate) struct Manifest {
    /// Path from the root, with forward slashes.
    pub(crate) path: String,
    /// Name of the package.
    pub(crate) name: String,
    /// What it says.
    pub(crate) table: toml::Table,
}

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ lies in the root").to_owned()
}

/// Lists what lies in the root and is not ignored.
pub(crate) fn root_entries() -> BTreeSet<String> {
    let entries = fs::read_dir(root()).expect("the root can be listed");
    let ignored = ignored();
    entries
        .map(|entry| entry.expect("the root can be listed").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != ".git" && !ignored.contains(name))
        .collect()
}

/// Paths from the root that `.gitignore` anchors there.
fn ignored() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(".gitignore")).expect("the root has a .gitignore");
    text.lines()
        .filter_map(|line| line.strip_prefix('/'))
        .map(|line| line.trim_end_matches('/').to_owned())
        .collect()
}

/// Returns the tree, read once.
pub(crate) fn tree() -> &'static Tree {
    static TREE: OnceLock<Tree> = OnceLock::new();
    TREE.get_or_init(|| {
        let mut files = Vec::new();
        let ignored = ignored();
        for entry in root_entries() {
            walk(&entry, &ignored, &mut files);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(files.len() > 50, "the walk found {} files", files.len());
        Tree { files }
    })
}

fn walk(path: &str, ignored: &BTreeSet<String>, files: &mut Vec<File>) {
    if ignored.contains(path) {
        return;
    }
    let full = root().join(path);
    // What another process removed meanwhile is no part of the tree.
    let Ok(kind) = fs::symlink_metadata(&full).map(|data| data.file_type()) else {
        return;
    };
    if kind.is_dir() {
        let entries = fs::read_dir(&full).into_iter().flatten().flatten();
        for name in entries.map(|entry| entry.file_name()) {
            walk(&format!("{path}/{}", name.to_string_lossy()), ignored, files);
        }
    } else if let Ok(bytes) = fs::read(&full) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        files.push(File { path: path.to_owned(), text });
    }
}

impl Tree {
    /// Returns the text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        let file = self.files.iter().find(|file| file.path == path);
        file.map(|file| file.text.as_str())
    }

    /// Lists the files whose path starts and ends so.
    pub(crate) fn files(&self, start: &str, end: &str) -> impl Iterator<Item = &File> {
        self.files
            .iter()
            .filter(move |file| file.path.starts_with(start) && file.path.ends_with(end))
    }

    /// Reads the Rust files.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Source> {
        self.files("", ".rs").map(|file| Source::new(&file.path, &file.text))
    }

    /// Reads the manifests of the workspace's packages.
    pub(crate) fn manifests(&self) -> Vec<Manifest> {
        let workspace = parse("Cargo.toml", self.text("Cargo.toml").unwrap_or_default());
        let members = workspace["workspace"]["members"].as_array();
        let members = members.expect("the workspace lists its members").iter();
        members
            .map(|member| format!("{}/Cargo.toml", member.as_str().unwrap_or_default()))
            .map(|path| {
                let text = self.text(&path).unwrap_or_else(|| panic!("no file {path}"));
                Manifest::new(&path, text)
            })
            .collect()
    }
}

impl Manifest {
    /// Reads `text` as the manifest at `path`.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let table = parse(path, text);
        let name = table["package"]["name"].as_str().unwrap_or_default();
        Self { path: path.to_owned(), name: name.to_owned(), table }
    }

    /// Lists the dependencies of `section`, such as `dev-dependencies`.
    pub(crate) fn dependencies(&self, section: &str) -> Vec<&str> {
        let section = self.table.get(section).and_then(toml::Value::as_table);
        section.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }
}

/// Reads TOML, naming the file when it is none.
pub(crate) fn parse(path: &str, text: &str) -> toml::Table {
    text.parse().unwrap_or_else(|error| panic!("{path} is no TOML: {error}"))
}
