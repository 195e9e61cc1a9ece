//! The house rule on fallible fields, checked on the sources of every resolver.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the blocks of resolvers of a file: from the attribute to the brace in column 0 (or, in
/// a macro, in column 8).
fn resolvers(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let attribute = line.trim_start();
        if !["#[Object", "#[Subscription", "#[ComplexObject"]
            .iter()
            .any(|one| attribute.starts_with(one))
        {
            continue;
        }
        let end = format!("{}}}", " ".repeat(line.len() - attribute.len()));
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

#[test]
fn a_fallible_field_is_an_option_of_a_result_and_never_the_reverse() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for folder in ["query", "mutation", "subscription", "view", "error"] {
        sources(&root.join(folder), &mut files);
    }
    let mut fallible = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for block in resolvers(&text) {
            let block = block.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(!block.contains("Result<Option<"), "{}", file.display());
            for signature in block.split("async fn ").skip(1) {
                let returns = signature.split(" { ").next().unwrap();
                let returns = returns.rsplit("-> ").next().unwrap();
                let is_source = returns.starts_with("Result<impl Stream");
                if returns.contains("Result<") && !is_source {
                    fallible += 1;
                    assert!(returns.starts_with("Option<Result<"), "{}: {returns}", file.display());
                }
            }
        }
    }
    assert!(fallible > 20, "the scan finds the resolvers: {fallible}");
}
