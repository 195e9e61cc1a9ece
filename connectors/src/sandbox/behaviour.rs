//! How a sandbox agency behaves, as data.
//!
//! Without rules it answers well. A rule matches by what is asked or by count, never by chance,
//! and injects trouble or an outcome; the first that matches decides. The seed only chooses
//! numbers of documents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongban_core::agency::{Effect, FaultClass};

use super::ledger::Arrival;
use crate::cxp::message::Invoke;
use crate::cxp::{Json, Text};

/// Behaviour of one agency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// Chooses the numbers of documents, together with the call id.
    pub seed: u64,
    /// Milliseconds before each answer.
    pub latency_ms: u64,
    /// Milliseconds of work before each later message.
    pub work_ms: u64,
    /// Exceptions; the first that matches decides.
    pub rules: Vec<Rule>,
}

/// One exception.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// When it holds.
    #[serde(rename = "match")]
    pub matching: Match,
    /// What it does.
    pub inject: Inject,
}

/// When a rule holds; members that are absent do not matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// For this `role.operation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// For the *n*-th invoke of the operation, repetitions counted, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// For every *n*-th invoke of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// For the *n*-th invoke with the same call id, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// For calls of this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// For inputs with these members.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub input: BTreeMap<String, Json>,
}

/// What a rule does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inject {
    /// Milliseconds before the answer, instead of the agency's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Milliseconds of work before each later message, instead of the agency's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_ms: Option<u64>,
    /// How the end is reported, instead of the operation's own way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How the call ends, if not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<InjectedOutcome>,
    /// A fault instead of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<InjectedFault>,
    /// What happens to the answer on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Spoil>,
    /// How often each callback is sent again after it was acknowledged.
    pub duplicate_callback: u32,
    /// A second, different terminal reply, after the first was acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_terminal: Option<InjectedOutcome>,
}

/// How the end of a call is reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// In the answer itself.
    Sync,
    /// By callback, after a 202.
    Async,
    /// By callback, and the 202 follows it.
    #[serde(rename = "callback_before_202")]
    CallbackBefore202,
    /// After a 202, to those who ask.
    AcceptedThenQueryOnly,
}

/// An end that is not `completed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InjectedOutcome {
    /// A lawful no.
    Reject {
        /// The reasons.
        reason: String,
    },
    /// Items to correct.
    NeedsCorrection {
        /// The items.
        items: Vec<Json>,
    },
    /// The applicant must act.
    NeedsApplicant {
        /// What he must do.
        action: Json,
    },
    /// Stopped by the agency.
    Cancel,
}

/// A fault to give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectedFault {
    /// Its class.
    pub class: Text<FaultClass>,
    /// Its effect; only with `none` does the agency really do nothing.
    pub effect: Text<Effect>,
    /// Its code.
    pub code: String,
    /// How long to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What happens to an answer on its way.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoil {
    /// The connection is cut before anything is done.
    LostBeforeEffect,
    /// The connection is cut after the effect.
    LostAfterEffect,
    /// A gateway's page with status 200, after the effect.
    #[serde(rename = "html_200")]
    Html200,
    /// Half of the answer, after the effect.
    TruncatedJson,
    /// A gateway's 502, nothing done.
    Down,
}

impl Behaviour {
    /// Returns what the first matching rule injects, or nothing.
    pub(super) fn inject_for(&self, request: &Invoke, arrival: Arrival) -> Inject {
        let mut rules = self.rules.iter();
        rules
            .find(|rule| rule.matching.holds(request, arrival))
            .map(|rule| rule.inject.clone())
            .unwrap_or_default()
    }
}

impl Match {
    fn holds(&self, request: &Invoke, arrival: Arrival) -> bool {
        let operation = self.operation.as_ref();
        let case = self.case.as_ref();
        operation.is_none_or(|name| *name == request.operation)
            && case.is_none_or(|number| *number == request.case_ref.case)
            && self.nth.is_none_or(|nth| nth == arrival.nth)
            && self.attempt.is_none_or(|nth| nth == arrival.attempt)
            && self.every.is_none_or(|every| every > 0 && arrival.nth.is_multiple_of(every))
            && self.input.iter().all(|(name, wanted)| request.input.0.get(name) == Some(&wanted.0))
    }
}

impl Spoil {
    /// Tells whether the agency does nothing at all.
    pub(super) fn is_before_effect(self) -> bool {
        match self {
            Self::LostBeforeEffect | Self::Down => true,
            Self::LostAfterEffect | Self::Html200 | Self::TruncatedJson => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::fixture;

    #[test]
    fn behaviour_is_readable_data() {
        let text = r#"{
            "seed": 42, "latency_ms": 20,
            "rules": [
                {"match": {"operation": "natural-resources.parcel", "nth": 1},
                 "inject": {"fault": {"class": "retryable", "effect": "none", "code": "queue_full"}}},
                {"match": {"input": {"no": "P-9"}}, "inject": {"outcome": {"reject": {"reason": "无此宗地"}}}},
                {"match": {"every": 5}, "inject": {"answer": "lost_after_effect"}}
            ]
        }"#;
        let behaviour: Behaviour = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&behaviour).unwrap();
        assert_eq!(serde_json::from_str::<Behaviour>(&again).unwrap(), behaviour);
        assert!(serde_json::from_str::<Behaviour>(r#"{"sead": 1}"#).is_err());
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let rule = |nth, latency| Rule {
            matching: Match { nth, ..Match::default() },
            inject: Inject { latency_ms: Some(latency), ..Inject::default() },
        };
        let behaviour =
            Behaviour { rules: vec![rule(Some(2), 1), rule(None, 2)], ..Behaviour::default() };
        let request = fixture::invoke(1);
        let latency = |nth| {
            let arrival = Arrival { nth, attempt: 1 };
            behaviour.inject_for(&request, arrival).latency_ms
        };
        assert_eq!(latency(1), Some(2));
        assert_eq!(latency(2), Some(1));
    }
}
