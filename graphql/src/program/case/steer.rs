//! `tongban case pause`, `resume`, `cancel`, `rebind` and `send`: through a running server, by the
//! token of whoever acts.

use serde_json::{Value as Json, json};

use super::args::{CancelArguments, RebindCaseArguments, SendArguments, SteerArguments};
use crate::program::args::Server;
use crate::program::error::{Both, ProgramError};
use crate::program::{output, remote};

const CASE: &str =
    "query($by: CaseKey!) { case(by: $by) { id number scriptVersion matters { id code } } }";
const STATE: &str = "case { id number scriptVersion paused { since by reason } \
    matters { code state paused { by reason } stopped { at reason undone } } } revision replayed";

/// Which mutation steers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Steer {
    /// The scripts stand still.
    Pause,
    /// They go on.
    Resume,
}

/// Pauses or resumes the scripts of a case, or of one of its matters.
pub(super) async fn steer(how: Steer, arguments: &SteerArguments) -> Result<(), ProgramError> {
    let found = find(&arguments.server, &arguments.case).await?;
    let matter = arguments.matter.as_ref().map(|code| matter(&found, code)).transpose()?;
    let input = json!({ "caseId": found["id"], "caseMatterId": matter,
        "reason": arguments.reason, "idempotencyKey": remote::key() });
    let name = match how {
        Steer::Pause => "pauseScripts",
        Steer::Resume => "resumeScripts",
    };
    change(&arguments.server, name, input).await
}

/// Stops the script of a matter and has it undo what it registered.
pub(super) async fn cancel(arguments: &CancelArguments) -> Result<(), ProgramError> {
    let found = find(&arguments.server, &arguments.case).await?;
    let input = json!({ "caseMatterId": matter(&found, &arguments.matter)?,
        "reason": arguments.reason, "idempotencyKey": remote::key() });
    change(&arguments.server, "cancelScripts", input).await
}

/// Moves a case to another version of its scripts.
pub(super) async fn rebind(arguments: &RebindCaseArguments) -> Result<(), ProgramError> {
    let found = find(&arguments.server, &arguments.case).await?;
    let input = json!({ "caseId": found["id"], "version": arguments.version,
        "reason": arguments.reason, "idempotencyKey": remote::key() });
    change(&arguments.server, "rebindCase", input).await
}

/// Sends a message to the mailbox of a matter.
pub(super) async fn send(arguments: &SendArguments) -> Result<(), ProgramError> {
    let body: Json = serde_json::from_str(&arguments.body).map_err(|error| {
        ProgramError::CaseQuestion(Both::new(
            format!("--body 须为 JSON:{error}"),
            format!("--body must be JSON: {error}"),
        ))
    })?;
    let found = find(&arguments.server, &arguments.case).await?;
    let handling = if arguments.required { "REQUIRED" } else { "OPTIONAL" };
    let input = json!({ "caseMatterId": matter(&found, &arguments.matter)?, "body": body,
        "channel": arguments.channel, "handling": handling, "idempotencyKey": remote::key() });
    change(&arguments.server, "sendMessage", input).await
}

async fn change(server: &Server, name: &str, input: Json) -> Result<(), ProgramError> {
    let (first, rest) = name.split_at(1);
    let document = format!(
        "mutation($input: {}{rest}Input!) {{ {name}(input: $input) {{ {STATE} {} }} }}",
        first.to_uppercase(),
        remote::ERRORS
    );
    let payload = remote::change(server, (name, &document), input).await?;
    output::data(&format!("{payload:#}"));
    Ok(())
}

/// Finds a case by id or public number.
async fn find(server: &Server, case: &str) -> Result<Json, ProgramError> {
    let by =
        if case.starts_with("case_") { json!({ "id": case }) } else { json!({ "number": case }) };
    let found = remote::ask(server, CASE, json!({ "by": by })).await?["case"].take();
    if found.is_null() {
        return Err(ProgramError::CaseQuestion(Both::new(
            format!("没有办件 {case},或无权查看"),
            format!("there is no case {case}, or it is not for you"),
        )));
    }
    Ok(found)
}

fn matter(case: &Json, code: &str) -> Result<Json, ProgramError> {
    let matters = case["matters"].as_array().into_iter().flatten();
    let own = matters.clone().find(|matter| matter["code"] == code || matter["id"] == code);
    if let Some(own) = own {
        return Ok(own["id"].clone());
    }
    let codes: Vec<&str> = matters.filter_map(|matter| matter["code"].as_str()).collect();
    let codes = codes.join(", ");
    Err(ProgramError::CaseQuestion(Both::new(
        format!("该办件没有事项 {code},有:{codes}"),
        format!("the case has no matter {code}, but {codes}"),
    )))
}
