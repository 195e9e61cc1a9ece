//! `tongban scripts publish` and `tongban scripts versions`: versions of services on a running
//! server, by the token of whoever publishes or lets a version be used. A folder that no server
//! is using can be read, not changed: who acts is known by his token alone.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};
use tongban_core::port::Store as _;
use tongban_core::publication::{Shelf, Version};

use super::args::{Format, PublishArguments, VersionsArguments};
use super::error::{Both, ProgramError, shown as place};
use super::remote::{self, ask, refused};
use super::{folder, output};

const PUBLISH: &str = "mutation($input: PublishScriptsInput!) { publishScripts(input: $input) { \
    versions { version standing author } errors { __typename ... on UserError { code message } } } }";

const MOVE: &str = "mutation($input: MoveVersionInput!) { moveVersion(input: $input) { \
    version { version standing regions author } errors { __typename ... on UserError { code message } } } }";

const VERSIONS: &str = "query($service: String!) { serviceVersions(serviceCode: $service) { \
    version standing regions author steps { no step by role reason at } } }";

/// Publishes a folder as drafts, or moves a version.
pub(crate) async fn publish(arguments: &PublishArguments) -> Result<(), ProgramError> {
    let key = remote::key();
    let reason = &arguments.reason;
    let (document, name, input) = match (&arguments.path, &arguments.to) {
        (Some(folder), None) => {
            let files = files_of(folder)?;
            let files: Vec<Json> =
                files.iter().map(|(path, text)| json!({ "path": path, "text": text })).collect();
            let input = json!({ "files": files, "reason": reason, "idempotencyKey": key });
            (PUBLISH, "publishScripts", input)
        }
        (None, None) => {
            let service = &arguments.service;
            let input = json!({ "serviceCode": service, "reason": reason, "idempotencyKey": key });
            (PUBLISH, "publishScripts", input)
        }
        (_, Some(to)) => {
            let input = json!({
                "serviceCode": arguments.service,
                "version": arguments.version,
                "to": to.code(),
                "regions": arguments.region,
                "reason": reason,
                "idempotencyKey": key,
            });
            (MOVE, "moveVersion", input)
        }
    };
    let answer = ask(&arguments.server, document, json!({ "input": input })).await?;
    let payload = &answer[name];
    if let Some(error) = payload["errors"].as_array().and_then(|errors| errors.first()) {
        let message = error["message"].as_str().unwrap_or_default();
        let code = error["code"].as_str().unwrap_or_default();
        return Err(refused(&format!("{code} {message}")));
    }
    output::data(&format!("{payload:#}"));
    Ok(())
}

/// Shows the versions of a service.
pub(crate) async fn versions(arguments: &VersionsArguments) -> Result<(), ProgramError> {
    let listed = if let Some(data) = &arguments.data {
        stored(data, &arguments.service).await?
    } else {
        let variables = json!({ "service": arguments.service });
        ask(&arguments.server, VERSIONS, variables).await?["serviceVersions"].take()
    };
    match arguments.format {
        Format::Json => output::data(&format!("{listed:#}")),
        Format::Text => output::data(text(&listed).trim_end()),
    }
    Ok(())
}

async fn stored(data: &Path, service: &str) -> Result<Json, ProgramError> {
    if !data.is_dir() {
        return Err(ProgramError::InputOutput {
            what: place(data),
            detail: Both::new("没有这个数据文件夹", "there is no such data folder"),
        });
    }
    let failed = |error: &dyn std::fmt::Display| ProgramError::Engine(Both::of(&error.to_string()));
    let store = folder::open(data)?;
    let mut shelf = Shelf::default();
    for record in store.publications().await.map_err(|error| failed(&error))? {
        if record.service.as_str() == service {
            shelf.fold(record).map_err(|error| failed(&error))?;
        }
    }
    Ok(shelf.versions().iter().map(version_json).collect())
}

fn version_json(version: &Version) -> Json {
    let steps = version.steps.iter().map(|step| {
        json!({ "no": step.no, "by": step.by, "role": step.role, "reason": step.reason,
            "at": step.at.to_string() })
    });
    json!({
        "version": version.closure.to_string(),
        "standing": version.standing.code(),
        "author": version.author(),
        "steps": steps.collect::<Vec<_>>(),
    })
}

fn text(listed: &Json) -> String {
    let said = |of: &Json, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for version in listed.as_array().into_iter().flatten() {
        lines.push(format!("{}  {}", said(version, "version"), said(version, "standing")));
        for step in version["steps"].as_array().into_iter().flatten() {
            lines.push(format!(
                "  {} {}({}) {}",
                said(step, "at"),
                said(step, "by"),
                said(step, "role"),
                said(step, "reason")
            ));
        }
    }
    if lines.is_empty() {
        lines.push("没有发布过的版本 / no version was published".to_owned());
    }
    lines.join("\n")
}

/// Reads the scripts of a folder, rehearsals left out.
fn files_of(root: &Path) -> Result<BTreeMap<String, String>, ProgramError> {
    let mut files = BTreeMap::new();
    for folder in ["services", "matters", "lib"] {
        let below = root.join(folder);
        if below.is_dir() {
            read_below(root, &below, &mut files)?;
        }
    }
    Ok(files)
}

fn read_below(
    root: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, String>,
) -> Result<(), ProgramError> {
    let failed = |path: &Path, error: std::io::Error| ProgramError::InputOutput {
        what: place(path),
        detail: Both::of(&error),
    };
    for item in std::fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let path = item.map_err(|error| failed(folder, error))?.path();
        let name = path.to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            read_below(root, &path, files)?;
        } else if path.extension().is_some_and(|kind| kind == "rhai")
            && !name.ends_with(".rehearsal.rhai")
        {
            let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            let below = path.strip_prefix(root).unwrap_or(&path);
            files.insert(below.to_string_lossy().replace('\\', "/"), text);
        }
    }
    Ok(())
}
