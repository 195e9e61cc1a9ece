//! What was answered, what is still open, and what cannot be an answer.

use super::Answered;
use super::labels::Words;
use crate::command::Refusal;
use crate::definition::{Closure, Field, FieldKind};
use crate::value::Value;

/// Returns the required questions that have no answer yet, in their order.
pub fn open<'a>(closure: &'a Closure, answers: &Value) -> Vec<&'a Field> {
    let questions = closure.service.questions.iter();
    questions
        .filter(|question| question.required && answer_to(question, answers).is_blank())
        .collect()
}

/// Checks that every answer belongs to a question and is of its kind.
///
/// # Errors
/// `INVALID_INPUT`, `UNKNOWN_FIELD` or `INVALID_FIELD`, as for the answers of a case.
pub fn check(closure: &Closure, answers: &Value) -> Result<(), Refusal> {
    let questions = &closure.service.questions;
    let given = match answers {
        Value::Map(given) => given,
        Value::Null => return Ok(()),
        Value::Bool(_) | Value::Int(_) | Value::Decimal(_) | Value::Text(_) | Value::List(_) => {
            return Err(Refusal::new(
                "INVALID_INPUT",
                "答案应为对象,如 {\"问题名\": true}",
                "answers must be an object such as {\"question\": true}",
            )
            .at(["answers"]));
        }
    };
    for (name, answer) in given {
        let Some(question) = questions.iter().find(|question| question.name == *name) else {
            return Err(unknown(questions, name));
        };
        if !answer.is_blank() && !fits(&question.kind, answer) {
            let takes = takes(question);
            return Err(Refusal::new(
                "INVALID_FIELD",
                format!("“{}”应回答 {}", question.label, takes.zh),
                format!("{name} takes {}", takes.en),
            )
            .at(["answers", name]));
        }
    }
    Ok(())
}

fn unknown(questions: &[Field], name: &str) -> Refusal {
    let known: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
    let known = if known.is_empty() { "-".to_owned() } else { known.join(", ") };
    Refusal::new(
        "UNKNOWN_FIELD",
        format!("没有问题 {name},问题有:{known}"),
        format!("there is no question {name}; the questions are: {known}"),
    )
    .at(["answers", name])
}

/// Says what a question takes for an answer.
pub fn takes(question: &Field) -> Words {
    match &question.kind {
        FieldKind::YesNo => Words::new("true(是)或 false(否)", "true or false"),
        FieldKind::Text { max } => Words::new(
            format!("最多 {max} 个字的文字"),
            format!("text of at most {max} characters"),
        ),
        FieldKind::Number { .. } => Words::new("数字", "a number"),
        FieldKind::Date => Words::new("日期 YYYY-MM-DD", "a date YYYY-MM-DD"),
        FieldKind::Choice(choices) => Words::new(
            format!("其中之一:{}", choices.join("、")),
            format!("one of {}", choices.join(", ")),
        ),
        FieldKind::List { of, max } => {
            let each = takes(&Field { kind: FieldKind::clone(of), ..question.clone() });
            Words::new(
                format!("最多 {max} 项的列表,每项为{}", each.zh),
                format!("a list of at most {max} values, each {}", each.en),
            )
        }
    }
}

/// Returns an answer that the question could have, for an example.
pub fn example(question: &Field) -> Value {
    match &question.kind {
        FieldKind::YesNo => Value::Bool(true),
        FieldKind::Text { .. } => Value::text("…"),
        FieldKind::Number { .. } => Value::Int(1),
        FieldKind::Date => Value::text("2026-03-02"),
        FieldKind::Choice(choices) => choices.first().map_or(Value::Null, Value::text),
        FieldKind::List { of, .. } => {
            Value::List(vec![example(&Field { kind: FieldKind::clone(of), ..question.clone() })])
        }
    }
}

fn fits(kind: &FieldKind, answer: &Value) -> bool {
    match (kind, answer) {
        (FieldKind::YesNo, Value::Bool(_))
        | (FieldKind::Number { .. }, Value::Int(_) | Value::Decimal(_)) => true,
        (FieldKind::Text { max }, Value::Text(text)) => text.chars().count() <= *max as usize,
        (FieldKind::Date, Value::Text(text)) => text.parse::<jiff::civil::Date>().is_ok(),
        (FieldKind::Choice(choices), Value::Text(text)) => choices.contains(text),
        (FieldKind::List { of, max }, Value::List(values)) => {
            let distinct = (1..values.len()).all(|at| !values[..at].contains(&values[at]));
            distinct && values.len() <= *max as usize && values.iter().all(|each| fits(of, each))
        }
        (
            FieldKind::YesNo
            | FieldKind::Number { .. }
            | FieldKind::Text { .. }
            | FieldKind::Date
            | FieldKind::Choice(_)
            | FieldKind::List { .. },
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Decimal(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_),
        ) => false,
    }
}

fn answer_to<'a>(question: &Field, answers: &'a Value) -> &'a Value {
    answers.get(&question.name).unwrap_or(&Value::Null)
}

/// Returns every question with its answer.
pub(super) fn told(closure: &Closure, answers: &Value) -> Vec<Answered> {
    let questions = closure.service.questions.iter();
    questions
        .map(|question| {
            let answer = answer_to(question, answers).clone();
            Answered {
                name: question.name.clone(),
                label: Words::of_field(question),
                words: answer_words(&answer),
                answer,
            }
        })
        .collect()
}

fn answer_words(answer: &Value) -> Words {
    match answer {
        Value::Bool(true) => Words::new("是", "yes"),
        Value::Bool(false) => Words::new("否", "no"),
        Value::Text(text) if !text.is_empty() => Words::new(text, ""),
        Value::Null | Value::Text(_) => Words::new("未回答", "not answered"),
        Value::Int(_) | Value::Decimal(_) | Value::List(_) | Value::Map(_) => {
            Words::new(answer.to_string(), "")
        }
    }
}
