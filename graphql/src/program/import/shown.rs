//! What an import says: text for people, JSON for programs.

use serde_json::{Value as Json, json};
use tongban_core::organisation::change::Change;
use tongban_core::organisation::{DocumentKind, Findings, Identity};
use tongban_engine::reference::Version;

use super::Imported;
use super::args::ImportArguments;
use crate::program::args::Format;
use crate::program::error::{Both, shown};

/// Names that one line of changes lists before it only counts.
const NAMES_MAX: usize = 8;
/// Digits of a digest that people compare by eye.
const DIGEST_DIGITS: usize = 12;

/// Shows what was imported, or would be.
pub(super) fn imported(imported: &[Imported], arguments: &ImportArguments) -> String {
    if arguments.format == Format::Json {
        let documents: Vec<Json> = imported.iter().map(one_json).collect();
        let kept = !arguments.dry_run;
        return pretty(
            &json!({ "kept": kept, "takesEffect": "next_start", "documents": documents }),
        );
    }
    let mut lines: Vec<String> = imported.iter().map(|one| one_text(one, arguments)).collect();
    if !arguments.dry_run {
        lines.push(
            "正在运行的服务在下次启动时采用 / a running server takes it up at its next start"
                .to_owned(),
        );
    }
    lines.join("\n")
}

fn one_json(one: &Imported) -> Json {
    let version = one.version.as_ref();
    let changes = one.changes.iter().map(|change| {
        json!({ "list": change.list, "added": change.added, "removed": change.removed,
                "changed": change.changed })
    });
    json!({
        "kind": one.identity.kind.code(),
        "code": one.identity.code,
        "version": version.map(|version| version.version),
        "digest": version.map(|version| version.digest.hex()),
        "unchanged": one.is_same,
        "changes": changes.collect::<Vec<_>>(),
    })
}

fn one_text(one: &Imported, arguments: &ImportArguments) -> String {
    let Identity { kind, code } = &one.identity;
    let mut lines = vec![format!("{} {kind}/{code}", kind.name())];
    if one.is_same {
        lines.push("  与现有版本相同 / the same as the version in force".to_owned());
    } else if one.changes.is_empty() {
        lines.push("  列表未变,其他内容有变化 / its lists stay, other members change".to_owned());
    }
    lines.extend(one.changes.iter().flat_map(change_lines));
    lines.push(match &one.version {
        Some(version) => format!(
            "  第 {no} 版,保存于 {folder} / version {no}, kept in {folder}",
            no = version.version,
            folder = shown(&arguments.data),
        ),
        None => "  校验通过,未保存 / in order, nothing kept".to_owned(),
    });
    lines.join("\n")
}

fn change_lines(change: &Change) -> Vec<String> {
    let rows = [
        ("新增", "added", &change.added),
        ("删除", "removed", &change.removed),
        ("修改", "changed", &change.changed),
    ];
    let rows = rows.into_iter().filter(|(_, _, names)| !names.is_empty());
    rows.map(|(zh, en, names)| {
        format!("  {} {zh} / {en} {}: {}", change.list, names.len(), listed(names))
    })
    .collect()
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMES_MAX { format!("{shown}, …") } else { shown }
}

/// Shows everything that is wrong.
pub(super) fn findings(findings: &Findings, format: Format) -> String {
    if format == Format::Text {
        return findings.to_string();
    }
    let all = findings.0.iter().map(|finding| {
        let Both { zh, en } = Both::of(&finding.fault);
        json!({ "document": finding.document, "pointer": finding.pointer,
                "code": finding.fault.code(), "zh": zh, "en": en })
    });
    pretty(&json!({ "findings": all.collect::<Vec<_>>() }))
}

/// Shows every version that was imported.
pub(super) fn list(versions: &[Version], format: Format) -> String {
    if format == Format::Json {
        let all = versions.iter().map(|version| {
            json!({ "kind": version.kind, "code": version.name, "version": version.version,
                    "digest": version.digest.hex(), "at": version.at.to_string(),
                    "bytes": version.size })
        });
        return pretty(&json!({ "versions": all.collect::<Vec<_>>() }));
    }
    if versions.is_empty() {
        return "尚未导入任何数据 / nothing was imported yet".to_owned();
    }
    let lines = versions.iter().map(|version| {
        let kind = DocumentKind::parse(&version.kind).map_or("", DocumentKind::name);
        format!(
            "{}/{} v{}  {}  {}  {kind}",
            version.kind,
            version.name,
            version.version,
            version.at,
            &version.digest.hex()[..DIGEST_DIGITS],
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).expect("names are text and values are plain")
}
