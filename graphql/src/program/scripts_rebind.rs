//! `tongban scripts rebind`: moves the live cases of a service to another version, through a
//! running server. It keeps nothing itself: cut short, it is started again and goes on, because
//! every case says for itself on which version it is.

use serde_json::{Value as Json, json};

use super::args::{Format, RebindArguments};
use super::error::ProgramError;
use super::{output, remote};

/// Cases of one request.
const PAGE: u32 = 20;
/// Cases between two words about the progress.
const TOLD_EVERY: usize = 500;

const OUTCOMES: [(&str, &str); 6] = [
    ("rebound", "已换用"),
    ("already", "此前已是"),
    ("opaque", "决定中,留在原版本"),
    ("diverges", "不一致,留在原版本"),
    ("unknown", "未能判断"),
    ("refused", "被拒绝"),
];

/// Moves the cases; one that diverges or is refused is a failure.
pub(crate) async fn run(arguments: &RebindArguments) -> Result<(), ProgramError> {
    let document = format!(
        "mutation($input: RebindCasesInput!) {{ rebindCases(input: $input) {{ \
         results {{ caseId number from outcome refusal matters {{ matter outcome provenUpTo request message file line }} }} \
         pageInfo {{ endCursor }} {} }} }}",
        remote::ERRORS
    );
    let key = remote::key();
    let (mut found, mut after) = (Vec::new(), Json::Null);
    loop {
        let input = json!({
            "serviceCode": arguments.service,
            "version": arguments.to,
            "region": arguments.region,
            "undecided": if arguments.undecided { "MOVE" } else { "STAY" },
            "expectedCount": arguments.expect,
            "first": PAGE,
            "after": after,
            "reason": arguments.reason,
            "idempotencyKey": key,
        });
        let mut page = remote::change(&arguments.server, ("rebindCases", &document), input).await?;
        if let Json::Array(results) = page["results"].take() {
            let told = found.len() / TOLD_EVERY;
            found.extend(results);
            if found.len() / TOLD_EVERY > told {
                let cases = found.len();
                output::tell(&format!("已处理 {cases} 个办件 / {cases} cases done"));
            }
        }
        after = page["pageInfo"]["endCursor"].take();
        if after.is_null() {
            break;
        }
    }
    let shown = match arguments.format {
        Format::Text => text(&found),
        Format::Json => format!("{:#}", report(&found)),
    };
    output::data(shown.trim_end());
    match count(&found, "diverges") + count(&found, "unknown") + count(&found, "refused") {
        0 => Ok(()),
        cases => Err(ProgramError::Diverges { cases: cases as u64 }),
    }
}

fn count(found: &[Json], outcome: &str) -> usize {
    found.iter().filter(|case| case["outcome"] == outcome).count()
}

fn report(found: &[Json]) -> Json {
    let sums: serde_json::Map<String, Json> =
        OUTCOMES.iter().map(|(code, _)| ((*code).to_owned(), count(found, code).into())).collect();
    json!({ "cases": found.len(), "sums": sums, "results": found })
}

/// Writes the sums, then every case that was not simply moved.
fn text(found: &[Json]) -> String {
    let said = |of: &Json, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    let sums = OUTCOMES.iter().map(|(code, zh)| format!("{zh} {}", count(found, code)));
    let mut lines =
        vec![format!("共 {} 个在途办件:{}", found.len(), sums.collect::<Vec<_>>().join(","))];
    let left =
        found.iter().filter(|case| case["outcome"] != "rebound" && case["outcome"] != "already");
    for case in left {
        let refusal = said(case, "refusal");
        lines.push(format!("{} {} {refusal}", said(case, "number"), said(case, "outcome")));
        let matters = case["matters"].as_array().into_iter().flatten();
        for matter in matters.filter(|matter| matter["outcome"] != "passes") {
            let upto = &matter["provenUpTo"];
            let place = format!("{}:{}", said(matter, "file"), matter["line"]);
            lines.push(format!(
                "  {} {}:第 {upto} 条记录后 / after entry {upto}  {} {place} {}",
                said(matter, "matter"),
                said(matter, "outcome"),
                said(matter, "request"),
                said(matter, "message")
            ));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_cases_that_stay_and_where_they_diverge() {
        let found = [
            json!({ "number": "1", "outcome": "rebound", "matters": [] }),
            json!({ "number": "2", "outcome": "diverges", "matters": [
                { "matter": "a", "outcome": "diverges", "provenUpTo": 7, "request": "1.0#2",
                  "message": "期待 tax.hold", "file": "a.rhai", "line": 9 }] }),
        ];
        let text = text(&found);
        assert!(text.starts_with("共 2 个在途办件:已换用 1,"), "{text}");
        assert!(text.contains("2 diverges"), "{text}");
        assert!(
            text.contains("a diverges:第 7 条记录后 / after entry 7  1.0#2 a.rhai:9"),
            "{text}"
        );
        assert_eq!(report(&found)["sums"]["diverges"], 1);
    }
}
