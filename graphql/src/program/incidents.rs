//! `tongban incidents`: what people must look at, and what they do about it.
//!
//! Lists are read from a server, or from a folder that none is using. Whoever ends an incident is
//! known by his token, so that is done through a server alone.

pub(crate) mod args;
mod shown;
mod stored;

use serde_json::{Value as Json, json};

use self::args::{IncidentsTool, ListArguments, Meant, SettleArguments, ShowArguments, Way};
use super::args::{Format, Server};
use super::error::{Both, ProgramError};
use super::{output, remote};

/// Incidents of one page.
const PAGE: u32 = 100;

const FIELDS: &str = "id kind kindLabel stage message en: message(lang: EN) raisedAt entry expected got file line \
    scriptPlace { request seen writtenUnder writtenLevel replayedUnder replayedLevel } case { id number serviceCode } caseMatter { id code } call { callId request target connector } \
    ways { way takesTwo } proposal { way by reason version from request output outcome } end { way by at reason }";

/// Runs one of the tools.
pub(crate) async fn run(tool: IncidentsTool) -> Result<(), ProgramError> {
    match tool {
        IncidentsTool::List(arguments) => list(&arguments).await,
        IncidentsTool::Show(arguments) => show(&arguments).await,
        IncidentsTool::Settle(arguments) => settle(&arguments).await,
    }
}

async fn list(arguments: &ListArguments) -> Result<(), ProgramError> {
    let found = match &arguments.data {
        Some(data) => stored::list(data, &arguments.meant).await?,
        None => asked(&arguments.server, &arguments.meant).await?,
    };
    let text = match arguments.format {
        Format::Text => shown::list(&found),
        Format::Json => format!("{:#}", Json::Array(found)),
    };
    output::data(text.trim_end());
    Ok(())
}

/// Reads every page.
async fn asked(server: &Server, meant: &Meant) -> Result<Vec<Json>, ProgramError> {
    let document = format!(
        "query($filter: IncidentFilterInput, $first: Int!, $after: String) {{ incidents(filter: $filter, first: $first, after: $after) {{ \
         nodes {{ {FIELDS} }} pageInfo {{ endCursor }} }} }}"
    );
    let (mut found, mut after) = (Vec::new(), Json::Null);
    loop {
        let variables = json!({ "filter": filter(meant), "first": PAGE, "after": after });
        let mut page = remote::ask(server, &document, variables).await?["incidents"].take();
        if let Json::Array(nodes) = page["nodes"].take() {
            found.extend(nodes);
        }
        after = page["pageInfo"]["endCursor"].take();
        if after.is_null() {
            return Ok(found);
        }
    }
}

fn filter(meant: &Meant) -> Json {
    let kind = meant.kind.as_ref().map(|kind| kind.to_uppercase().replace('-', "_"));
    let all = json!({
        "kind": kind,
        "serviceCode": meant.service,
        "matterCode": meant.matter,
        "region": meant.region,
        "since": meant.since,
    });
    let Json::Object(members) = all else { return Json::Null };
    members.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

async fn show(arguments: &ShowArguments) -> Result<(), ProgramError> {
    let id = &arguments.incident;
    let found = if let Some(data) = &arguments.data {
        stored::one(data, id).await?
    } else {
        let document =
            format!("query($id: ID!) {{ node(id: $id) {{ ... on Incident {{ {FIELDS} }} }} }}");
        let found =
            remote::ask(&arguments.server, &document, json!({ "id": id })).await?["node"].take();
        Some(found).filter(|found| found["id"].is_string())
    };
    let found = found.ok_or_else(|| {
        ProgramError::CaseQuestion(Both::new(
            format!("没有异常 {id}"),
            format!("there is no incident {id}"),
        ))
    })?;
    let text = match arguments.format {
        Format::Text => shown::one(&found),
        Format::Json => format!("{found:#}"),
    };
    output::data(text.trim_end());
    Ok(())
}

async fn settle(arguments: &SettleArguments) -> Result<(), ProgramError> {
    let way = way(arguments)?;
    let (reason, key) = (&arguments.reason, remote::key());
    let (name, select, input) = if let Some(incident) = &arguments.incident {
        let input = json!({ "incidentId": incident, "way": way, "reason": reason,
                "idempotencyKey": key });
        ("settleIncident", format!("incident {{ {FIELDS} }}"), input)
    } else {
        let input = json!({ "filter": filter(&arguments.meant), "way": way, "reason": reason,
                "expectedCount": arguments.expect, "idempotencyKey": key });
        let select =
            format!("results {{ incidentId done {} }} doneCount failedCount", remote::ERRORS);
        ("settleIncidents", select, input)
    };
    let (first, rest) = name.split_at(1);
    let document = format!(
        "mutation($input: {}{rest}Input!) {{ {name}(input: $input) {{ {select} {} }} }}",
        first.to_uppercase(),
        remote::ERRORS
    );
    let payload = remote::change(&arguments.server, (name, &document), input).await?;
    output::data(&format!("{payload:#}"));
    if payload["incident"]["stage"] == "PROPOSED" {
        output::tell(
            "已提出,待另一人确认同一处理 / proposed; it holds once another person has said the same",
        );
    }
    match payload["failedCount"].as_u64() {
        Some(failed) if failed > 0 => Err(remote::refused(&format!(
            "{failed} 个异常未能处理,见各项的 errors / {failed} incidents were refused, see their errors"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn way(arguments: &SettleArguments) -> Result<Json, ProgramError> {
    Ok(match arguments.way {
        Way::Retry => json!({ "plain": "RETRY" }),
        Way::Cancel => json!({ "plain": "CANCEL" }),
        Way::Skip => json!({ "plain": "SKIP" }),
        Way::Acknowledge => json!({ "plain": "ACKNOWLEDGE" }),
        Way::Rebind => json!({ "rebind": arguments.version }),
        Way::Restart => json!({ "restartFrom": arguments.from }),
        Way::Override => {
            let text = arguments.output.as_deref().unwrap_or_default();
            let output: Json = serde_json::from_str(text).map_err(|error| {
                ProgramError::CaseQuestion(Both::new(
                    format!("--output 须为 JSON 对象:{error}"),
                    format!("--output must be a JSON object: {error}"),
                ))
            })?;
            json!({ "override": { "request": arguments.request, "with": { "output": output } } })
        }
    })
}
