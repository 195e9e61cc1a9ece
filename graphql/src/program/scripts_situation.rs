//! What `scripts explain` and `scripts graph` ask about: a service of a folder, and answers.

use std::path::Path;
use std::sync::Arc;

use tongban_core::definition::{Closure, Field};
use tongban_core::guide::answers::{example, takes};
use tongban_core::guide::{Guide, Words, answers, guide};
use tongban_core::id::ServiceCode;
use tongban_core::port::Script as _;
use tongban_core::start::{self, Unchosen};
use tongban_core::value::Value;
use tongban_scripts::Host;

use super::args::SituationArguments;
use super::assemble;
use super::error::{Both, ProgramError};

/// A service with the script host that knows it.
pub(super) struct Situation {
    host: Host,
    pub(super) closure: Arc<Closure>,
    /// What was answered; none when no answers were given at all.
    pub(super) answers: Option<Value>,
}

impl Situation {
    /// Loads the scripts, finds the service and reads the answers.
    pub(super) fn read(arguments: &SituationArguments) -> Result<Self, ProgramError> {
        let host = assemble::scripts(arguments.path.as_deref())?;
        let closure = host
            .active(&ServiceCode::new(&arguments.service))
            .ok_or_else(|| unknown(&host, &arguments.service))?;
        let answers = arguments.answers.as_deref().map(read_answers).transpose()?;
        if let Some(answers) = &answers {
            answers::check(&closure, answers)
                .map_err(|refusal| ProgramError::AnswersWrong(Both::new(refusal.zh, refusal.en)))?;
        }
        Ok(Self { host, closure, answers })
    }

    /// Returns the required questions that have no answer.
    pub(super) fn open(&self) -> Vec<&Field> {
        answers::open(&self.closure, self.answers.as_ref().unwrap_or(&Value::Null))
    }

    /// Tells the guide for the answers, open questions counting as no.
    pub(super) fn guide(&self) -> Result<Guide, ProgramError> {
        let answers = self.answers.clone().unwrap_or_default();
        let chosen = start::choose_so_far(&self.host, &self.closure, &answers);
        let (closure, selected) = chosen.map_err(|error| match error {
            Unchosen::Script(fault) => ProgramError::AnswersWrong(Both::of(&fault.message)),
            Unchosen::Refused(refusal) => {
                ProgramError::AnswersWrong(Both::new(refusal.zh, refusal.en))
            }
        })?;
        Ok(guide(&closure, &selected, &answers))
    }

    /// Tells the guide of the whole service, every matter in it.
    pub(super) fn guide_of_all(&self) -> Guide {
        let all = vec![true; self.closure.service.parts.len()];
        guide(&self.closure, &all, &Value::Null)
    }
}

fn unknown(host: &Host, service: &str) -> ProgramError {
    let known: Vec<String> =
        host.services().iter().map(|closure| closure.service.code.0.clone()).collect();
    let near = |code: &&String| strsim::damerau_levenshtein(code, service) <= service.len() / 2;
    ProgramError::ServiceUnknown {
        service: service.to_owned(),
        nearest: known.iter().find(near).cloned(),
        known,
    }
}

/// Reads a JSON object, or a file that holds one.
fn read_answers(given: &str) -> Result<Value, ProgramError> {
    let wrong = |zh: String, en: String| ProgramError::AnswersWrong(Both::new(zh, en));
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        std::fs::read_to_string(Path::new(given)).map_err(|error| {
            wrong(
                format!("既不是 JSON 对象,也无法作为文件读取 {given}:{error}"),
                format!("{given} is no JSON object and cannot be read as a file: {error}"),
            )
        })?
    };
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        wrong(format!("不是合法的 JSON:{error}"), format!("this is not JSON: {error}"))
    })?;
    Value::from_json(&json).map_err(|error| ProgramError::AnswersWrong(Both::of(&error)))
}

/// Asks for what is still to be answered, with an example of how.
pub(super) fn asked_back(open: &[&Field], given: &Value) -> String {
    use std::fmt::Write as _;

    let mut text = String::from("还有问题需要回答 / these questions are open:\n");
    for question in open {
        let label = Words::new(&question.label, &question.label_en);
        let takes = takes(question);
        let name = &question.name;
        writeln!(text, "  {name}: {} / {}", label.zh, label.en).expect("a text can be written to");
        writeln!(text, "      → {} / {}", takes.zh, takes.en).expect("a text can be written to");
    }
    let mut full = match given {
        Value::Map(given) => given.clone(),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Text(_)
        | Value::List(_) => std::collections::BTreeMap::new(),
    };
    full.extend(open.iter().map(|question| (question.name.clone(), example(question))));
    write!(text, "例如 / such as: --answers '{}'", Value::Map(full))
        .expect("a text can be written to");
    text
}
