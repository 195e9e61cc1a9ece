//! Incidents, for people.

use serde_json::Value as Json;

fn said<'a>(of: &'a Json, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

fn ways(of: &Json) -> String {
    let ways = of["ways"].as_array().into_iter().flatten();
    let words = ways.map(|way| {
        let word = said(way, "way").to_lowercase();
        if way["takesTwo"] == true { format!("{word}(两人 two)") } else { word }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn head(of: &Json) -> String {
    format!(
        "{}  {}\n  {}({}) {} {}  {}",
        said(of, "id"),
        said(of, "raisedAt"),
        said(of, "kindLabel"),
        said(of, "kind"),
        said(&of["case"], "number"),
        said(&of["caseMatter"], "code"),
        said(of, "stage"),
    )
}

/// Writes a list.
pub(super) fn list(found: &[Json]) -> String {
    if found.is_empty() {
        return "没有未处理的异常 / nothing is open".to_owned();
    }
    let shown = found.iter().map(|one| {
        format!("{}\n  {}\n  处理 / ways out: {}", head(one), said(one, "message"), ways(one))
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Writes where in its journal a script stopped, and the versions that wrote and replayed it.
fn stopped_at(place: &Json) -> String {
    if !place.is_object() {
        return String::new();
    }
    let version = |name: &str, level: &str| {
        let short: String =
            said(place, name).trim_start_matches("sha-256:").chars().take(12).collect();
        format!("{short}(api_level {})", place[level])
    };
    format!(
        "请求 {request},已读到第 {seen} 条;写于 {written},重放于 {replayed} / request {request}, read up to entry {seen}; written under {written}, replayed under {replayed}",
        request = said(place, "request"),
        seen = place["seen"],
        written = version("writtenUnder", "writtenLevel"),
        replayed = version("replayedUnder", "replayedLevel"),
    )
}

/// Writes one incident.
pub(super) fn one(found: &Json) -> String {
    let mut lines = vec![head(found)];
    let mut tell = |name: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("  {name}: {text}"));
        }
    };
    tell("说明 / what", said(found, "message").to_owned());
    tell("说明 / what", said(found, "en").to_owned());
    tell("日志 / journal", said(found, "expected").to_owned());
    tell("脚本 / script", said(found, "got").to_owned());
    if let Some(line) = found["line"].as_u64() {
        tell("位置 / place", format!("{}:{line}", said(found, "file")));
    }
    tell("停在 / stopped at", stopped_at(&found["scriptPlace"]));
    let call = &found["call"];
    if call.is_object() {
        let (target, connector) = (said(call, "target"), said(call, "connector"));
        tell("调用 / call", format!("{target} → {connector}  {}", said(call, "request")));
    }
    for (name, label) in [("proposal", "提出 / proposed"), ("end", "处理 / ended")] {
        let word = &found[name];
        if word.is_object() {
            let (way, by) = (said(word, "way").to_lowercase(), said(word, "by"));
            tell(label, format!("{way} {by} {}", said(word, "reason")));
        }
    }
    tell("可用 / ways out", ways(found));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn where_a_script_stopped_is_told_with_both_versions() {
        let (old, new) =
            (format!("sha-256:{}", "a".repeat(64)), format!("sha-256:{}", "b".repeat(64)));
        let place = json!({ "request": "1.0#3", "seen": 17, "writtenUnder": old, "writtenLevel": 1,
            "replayedUnder": new, "replayedLevel": 2 });
        let text = one(&json!({ "id": "inc_1", "scriptPlace": place }));
        for part in ["1.0#3", "17", "aaaaaaaaaaaa(api_level 1)", "bbbbbbbbbbbb(api_level 2)"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!one(&json!({ "id": "inc_1" })).contains("stopped at"));
    }
}
