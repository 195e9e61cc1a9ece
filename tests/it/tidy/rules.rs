//! The house rules as functions from a file to complaints; no test is here.
//!
//! Each rule is pure, so that it can be fed the real tree and, to prove that it bites, a bad
//! snippet. A complaint names file and line and says what to do.

use std::collections::BTreeSet;

use super::source::Source;
use super::tree::{File, Manifest};

/// Lines of a file after which a split is advised.
pub(crate) const FILE_LINES_ADVISED: usize = 600;
/// Lines that no file may pass.
pub(crate) const FILE_LINES_MAX: usize = 1_000;
/// Lines that no function may pass, from `fn` to its closing brace.
pub(crate) const FUNCTION_LINES_MAX: usize = 70;

/// What is wrong, as `file:line: what; what to do`.
pub(crate) type Complaint = String;

/// Calls that only some places may make.
pub(crate) struct Guarded {
    /// The calls.
    pub(crate) calls: &'static [&'static str],
    /// Paths (files, or folders with a final slash) that may make them, each with its reason.
    pub(crate) allowed: &'static [(&'static str, &'static str)],
    /// What to do elsewhere.
    pub(crate) advice: &'static str,
}

/// Tells of a file that is longer than `limit` lines.
pub(crate) fn file_length(file: &File, limit: usize) -> Option<Complaint> {
    let lines = file.text.lines().count();
    let path = &file.path;
    (lines > limit)
        .then(|| format!("{path}:{lines}: {lines} lines, more than {limit}; split it by concern"))
}

/// Lists the functions that are too long.
pub(crate) fn function_length(source: &Source) -> Vec<Complaint> {
    let functions = source.functions().into_iter();
    functions
        .filter(|function| function.length > FUNCTION_LINES_MAX)
        .map(|function| {
            format!(
                "{}:{}: `{}` has {} lines, more than {FUNCTION_LINES_MAX}; name its parts",
                source.path, function.line, function.name, function.length
            )
        })
        .collect()
}

/// Lists every place where the code holds one of `words`.
pub(crate) fn forbidden_code(source: &Source, words: &[&str], advice: &str) -> Vec<Complaint> {
    words
        .iter()
        .flat_map(|word| source.places(word).map(move |(line, _)| (line, word)))
        .map(|(line, word)| format!("{}:{line}: `{word}`; {advice}", source.path))
        .collect()
}

/// Lists guarded calls outside the places that may make them.
pub(crate) fn guarded_calls(source: &Source, guarded: &Guarded) -> Vec<Complaint> {
    let mut allowed = guarded.allowed.iter();
    let is_allowed = allowed.any(|(path, _)| match path.strip_suffix('/') {
        Some(_) => source.path.starts_with(path),
        None => source.path == *path,
    });
    if is_allowed {
        return Vec::new();
    }
    forbidden_code(source, guarded.calls, guarded.advice)
}

/// Lists sleeps in test code: of a thread, of the runtime, or by a bare name.
pub(crate) fn sleeps_in_tests(source: &Source) -> Vec<Complaint> {
    let Some(tests) = source.tests_from() else {
        return Vec::new();
    };
    let bare = |before: &str| !before.ends_with('.') && !before.ends_with("fn ");
    ["sleep(", "sleep_until("]
        .into_iter()
        .flat_map(|word| source.places(word))
        .filter(|(line, before)| *line >= tests && bare(before))
        .map(|(line, _)| {
            let path = &source.path;
            format!("{path}:{line}: a test that sleeps; wait for a message or use a clock of fakes")
        })
        .collect()
}

/// Lists the lines that hold one of `words`, in whatever case.
pub(crate) fn forbidden_words(file: &File, words: &[String], advice: &str) -> Vec<Complaint> {
    let complain = |(index, line): (usize, &str)| {
        let line = line.to_lowercase();
        let word = words.iter().find(|word| line.contains(word.as_str()))?;
        let (path, line) = (&file.path, index + 1);
        Some(format!("{path}:{line}: `{word}`; {advice}"))
    };
    file.text.lines().enumerate().filter_map(complain).collect()
}

/// Lists edges between packages of the workspace that `may_use` does not name.
pub(crate) fn edges(manifest: &Manifest, may_use: &[(&str, &[&str])]) -> Vec<Complaint> {
    let row = may_use.iter().find(|(name, _)| *name == manifest.name);
    let allowed = row.map_or(&[][..], |(_, allowed)| *allowed);
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .flat_map(|section| manifest.dependencies(section))
        .filter(|name| name.starts_with("tongban-") && !allowed.contains(name))
        .map(|name| {
            format!(
                "{}: `{}` must not use `{name}`; go through a port of core, or draw the edge \
                 in ARCHITECTURE.md first",
                manifest.path, manifest.name
            )
        })
        .collect()
}

/// Lists dependencies of any kind that are in `forbidden`.
pub(crate) fn forbidden_dependencies(manifest: &Manifest, forbidden: &[&str]) -> Vec<Complaint> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .flat_map(|section| manifest.dependencies(section))
        .filter(|name| forbidden.contains(name))
        .map(|name| format!("{}: `{name}` has no place in {}", manifest.path, manifest.name))
        .collect()
}

/// Lists what a package says itself instead of taking it from the workspace.
pub(crate) fn inheritance(manifest: &Manifest) -> Vec<Complaint> {
    let inherits = |table: Option<&toml::Value>| {
        table.and_then(|value| value.get("workspace")) == Some(&toml::Value::Boolean(true))
    };
    let package = &manifest.table["package"];
    let mut missing: Vec<String> = ["version", "edition", "rust-version", "license", "publish"]
        .into_iter()
        .filter(|key| !inherits(package.get(key)))
        .map(|key| format!("{key}.workspace = true"))
        .collect();
    if !inherits(manifest.table.get("lints")) {
        missing.push("[lints] workspace = true".to_owned());
    }
    let path = &manifest.path;
    missing.into_iter().map(|line| format!("{path}: write `{line}`")).collect()
}

/// Lists what the root's clippy.toml says and core's does not: clippy reads the nearest file
/// alone. Calls of tokio are left out, for core has no tokio.
pub(crate) fn clippy_repeated(root: &toml::Table, core: &toml::Table) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (key, value) in root {
        match value.as_array().filter(|_| key.starts_with("disallowed-")) {
            Some(entries) => {
                let known = disallowed(core.get(key));
                let wanted = disallowed(Some(&toml::Value::Array(entries.clone())));
                let missing = wanted.difference(&known).filter(|path| !path.starts_with("tokio::"));
                complaints.extend(missing.map(|path| format!("add `{path}` to `{key}`")));
            }
            None if core.get(key) == Some(value) => {}
            None => complaints.push(format!("write `{key} = {value}`")),
        }
    }
    let at_core = |complaint| format!("engine/core/clippy.toml: {complaint}, as in clippy.toml");
    complaints.into_iter().map(at_core).collect()
}

fn disallowed(entries: Option<&toml::Value>) -> BTreeSet<String> {
    let entries = entries.and_then(toml::Value::as_array);
    let path = |entry: &toml::Value| {
        let path = entry.get("path").unwrap_or(entry);
        path.as_str().unwrap_or_default().to_owned()
    };
    entries.into_iter().flatten().map(path).collect()
}

/// Lists test modules that no parent declares, so that no compiler ever reads them.
pub(crate) fn forgotten_modules(sources: &[Source]) -> Vec<Complaint> {
    let parent_of = |path: &str| {
        let (folder, _) = path.rsplit_once('/')?;
        Some(if folder == "tests/it" {
            "tests/it/main.rs".to_owned()
        } else {
            format!("{folder}.rs")
        })
    };
    let is_module = |source: &&Source| {
        source.path.starts_with("tests/it/") && source.path != "tests/it/main.rs"
    };
    let complain = |source: &Source| {
        let parent = parent_of(&source.path)?;
        let name = source.path.rsplit('/').next()?.trim_end_matches(".rs");
        let line = format!("mod {name};");
        let declares =
            |other: &Source| other.path == parent && other.places(&line).next().is_some();
        let is_declared = sources.iter().any(declares);
        (!is_declared).then(|| format!("{parent}: write `{line}`, or {} never runs", source.path))
    };
    sources.iter().filter(is_module).filter_map(complain).collect()
}

/// Lists matters that no service uses, and parts that no matter file defines.
pub(crate) fn unused_matters(matters: &[&File], services: &[&File]) -> Vec<Complaint> {
    let quoted = |file: &File, before: &str| -> BTreeSet<String> {
        let text = file.text.replace(char::is_whitespace, "");
        let found = text.split(before).skip(1);
        found.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    let parts: BTreeSet<String> =
        services.iter().flat_map(|file| quoted(file, "part(\"")).collect();
    let mut codes = BTreeSet::new();
    let mut complaints = Vec::new();
    for file in matters {
        let stem = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rhai");
        if !quoted(file, "code:\"").contains(stem) {
            complaints
                .push(format!("{}: its code must be `{stem}`, like the file's name", file.path));
        }
        if !parts.contains(stem) {
            complaints.push(format!("{}: no service has `part(\"{stem}\")`", file.path));
        }
        codes.insert(stem.to_owned());
    }
    let missing = parts.difference(&codes);
    complaints.extend(missing.map(|part| format!("scripts/matters: no file for part `{part}`")));
    complaints
}

/// Heading of the part of a page of promises whose lines need no test.
const NOT_PROMISED: &str = "## Not promised";
/// The file that stamps out the tests of the stores, and the folder where their bodies are.
const STAMP: (&str, &str) = ("engine/src/conformance.rs", "engine/src/conformance/");

/// Lists promises without a test, and tests that are named and not there. A promise is a row of a
/// table or an item of a list; it names its tests in backticks, as `path/of/the/file::test`.
pub(crate) fn promises(page: &File, sources: &[Source]) -> Vec<Complaint> {
    let lines: Vec<&str> = page.text.lines().collect();
    let is_rule = |line: &str| line.starts_with("| -") || line.starts_with("|-");
    let mut complaints = Vec::new();
    let mut promised = true;
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with("## ") {
            promised = *line != NOT_PROMISED;
        }
        let is_head = lines.get(index + 1).is_some_and(|next| is_rule(next));
        let is_row = line.starts_with('|') && !is_rule(line) && !is_head;
        let is_item = line.starts_with("* ") || line.starts_with("- ");
        let named: Vec<(&str, &str)> = line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|quoted| quoted.split_once("::"))
            .collect();
        let at = format!("{}:{}", page.path, index + 1);
        if promised && (is_row || is_item) && named.is_empty() {
            complaints.push(format!(
                "{at}: a promise without a test; name one as `path::test`, or move the line to \
                 \"{NOT_PROMISED}\""
            ));
        }
        for (path, test) in named {
            if !has_test(sources, &format!("{path}.rs"), test) {
                complaints.push(format!("{at}: {path}.rs has no test `{test}`"));
            }
        }
    }
    complaints
}

fn has_test(sources: &[Source], path: &str, test: &str) -> bool {
    let source = |path: &str| sources.iter().find(|source| source.path == path);
    let Some(file) = source(path) else {
        return false;
    };
    let (stamp, folder) = STAMP;
    if !path.starts_with(folder) {
        return file.tests().iter().any(|known| known == test);
    }
    let stamped = source(stamp).is_some_and(|stamp| stamp.places(test).next().is_some());
    stamped && file.functions().iter().any(|function| function.name == test)
}
