//! Writes the messages of a sandbox agency.
//!
//! What an answer says depends on the call, the catalogue, the seed and the lawful clock, on
//! nothing else. Each message is written once and kept; a repetition repeats its bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use tongban_core::digest::Digest;
use tongban_core::id::CallId;
use tongban_core::port::LawfulClock;
use tongban_core::time::Moment;
use tongban_core::value::Value;

use super::behaviour::{Inject, InjectedOutcome, Mode};
use super::catalogue::{Catalogue, Operation};
use super::ledger::{Planned, Sending, Stored, StoredCall};
use crate::cxp::message::{Document, Invoke, Message as _, Party, Reply, Status};
use crate::cxp::{Json, Text};
use crate::limits;

/// Officer that a sandbox agency names in its acts.
const OFFICER: &str = "经办人测试甲";

pub(super) struct Author {
    pub(super) party: Party,
    pub(super) catalogue: Catalogue,
    pub(super) seed: u64,
    pub(super) lawful: Arc<dyn LawfulClock>,
}

impl Author {
    /// Makes the record of a new call: its reply, and what is to follow.
    pub(super) fn open(&self, request: &Invoke, body: Digest, inject: &Inject) -> StoredCall {
        let operation = self.catalogue.get(&request.operation);
        let acts = operation.map_or(&[][..], |operation| operation.acts.as_slice());
        let own = if acts.is_empty() { Mode::Sync } else { Mode::Async };
        let mode = inject.mode.unwrap_or(own);
        let sync = mode == Mode::Sync;
        let mut plan = VecDeque::new();
        if !sync {
            if inject.outcome.as_ref().is_none_or(InjectedOutcome::decides) {
                plan.extend(acts.iter().cloned().map(Planned::Act));
            }
            plan.push_back(Planned::End);
        }
        plan.extend(inject.second_terminal.clone().map(Planned::SecondEnd));
        let status = if sync {
            self.end(request, inject.outcome.as_ref())
        } else {
            self.accepted(request.call_id.0)
        };
        StoredCall {
            reply: Stored {
                seq: 1,
                bytes: self.write(request, body, 1, status),
                acknowledged: true,
            },
            request: request.clone(),
            body,
            inject: inject.clone(),
            later: Vec::new(),
            sending: match mode {
                Mode::AcceptedThenQueryOnly => Sending::Never,
                Mode::Sync if plan.is_empty() => Sending::Resting,
                Mode::Sync | Mode::Async | Mode::CallbackBefore202 => Sending::UnderWay,
            },
            plan,
        }
    }

    /// Writes a message that was planned.
    pub(super) fn later(&self, call: &StoredCall, planned: &Planned, seq: u32) -> Vec<u8> {
        let request = &call.request;
        let status = match planned {
            Planned::Act(act) => self.act(request, act, call.inject.outcome.as_ref()),
            Planned::End => self.end(request, call.inject.outcome.as_ref()),
            Planned::SecondEnd(outcome) => self.end(request, Some(outcome)),
        };
        self.write(request, call.body, seq, status)
    }

    fn write(&self, request: &Invoke, body: Digest, seq: u32, status: Status) -> Vec<u8> {
        let reply = Reply {
            call_id: request.call_id,
            seq,
            from: Some(self.party.clone()),
            to: Some(request.from.clone()),
            request_digest: Some(Text(body)),
            at: Text(self.lawful.now()),
            status,
        };
        reply.to_bytes()
    }

    fn accepted(&self, call: CallId) -> Status {
        Status::Accepted {
            ticket: Some(format!("SJ-{}-{}", self.party.region, self.serial(call))),
            expect_by: None,
            next_query_after_ms: Some(limits::NEXT_QUERY_MILLIS),
        }
    }

    fn act(&self, request: &Invoke, act: &str, outcome: Option<&InjectedOutcome>) -> Status {
        let decided = act == "decided";
        let reason = outcome.map(InjectedOutcome::reason);
        let filled = self.filled(request);
        let ground = match (decided, &reason) {
            (false, _) => "",
            (true, None) => "granted",
            (true, Some(_)) => "denied",
        };
        let detail = match reason {
            Some(reason) if decided => Value::of([("reason", Value::from(reason))]),
            None if decided => filled.output,
            Some(_) | None => Value::Null,
        };
        let numbered = decided && ground == "granted";
        Status::Act {
            act: act.to_owned(),
            effective_at: Text(self.lawful.now()),
            document_no: filled.numbers.into_iter().next().filter(|_| numbered).unwrap_or_default(),
            ground: ground.to_owned(),
            officer: OFFICER.to_owned(),
            detail: Json(detail),
        }
    }

    fn end(&self, request: &Invoke, outcome: Option<&InjectedOutcome>) -> Status {
        match outcome {
            None => self.completed(request),
            Some(InjectedOutcome::Reject { reason }) => Status::Rejected {
                reason: reason.clone(),
                decision: Json(Value::of([(
                    "made_on",
                    Value::text(self.lawful.now().date().to_string()),
                )])),
            },
            Some(outcome @ InjectedOutcome::NeedsCorrection { items }) => Status::NeedsCorrection {
                reason: outcome.reason(),
                notice: Json(Value::of([
                    ("kind", Value::from("one-time")),
                    ("no", Value::text(format!("BZ-{}", self.serial(request.call_id.0)))),
                ])),
                items: items.clone(),
                due: None,
            },
            Some(outcome @ InjectedOutcome::NeedsApplicant { action }) => Status::NeedsApplicant {
                reason: outcome.reason(),
                action: action.clone(),
                expires: None,
            },
            Some(outcome @ InjectedOutcome::Cancel) => Status::Cancelled {
                reason: outcome.reason(),
                by: Json(Value::text(self.party.to_string())),
            },
        }
    }

    fn completed(&self, request: &Invoke) -> Status {
        let filled = self.filled(request);
        let offers = self
            .catalogue
            .get(&request.operation)
            .map_or(&[][..], |operation| operation.documents.as_slice());
        let documents = offers.iter().zip(filled.numbers).enumerate();
        Status::Completed {
            output: Json(filled.output),
            documents: documents
                .map(|(index, (offer, number))| Document {
                    name: format!("doc-{}", index + 1),
                    role: offer.role.clone(),
                    digest: Text(Digest::of(number.as_bytes())),
                    number: Some(number),
                    media_type: Some("application/ofd".to_owned()),
                })
                .collect(),
        }
    }

    /// Fills the numbers and the output of the catalogue.
    fn filled(&self, request: &Invoke) -> Filled {
        let empty = Operation::default();
        let operation = self.catalogue.get(&request.operation).unwrap_or(&empty);
        let mut marks = Marks {
            now: self.lawful.now(),
            serial: self.serial(request.call_id.0),
            number: String::new(),
            input: &request.input.0,
        };
        let numbers: Vec<String> =
            operation.documents.iter().map(|offer| marks.fill(&offer.number)).collect();
        marks.number = numbers.first().cloned().unwrap_or_default();
        Filled { output: marks.fill_value(&operation.output.0), numbers }
    }

    /// Six digits that follow from the call and the seed.
    fn serial(&self, call: CallId) -> String {
        let mut bytes = call.0.to_vec();
        bytes.extend_from_slice(&self.seed.to_be_bytes());
        let digest = Digest::of(&bytes).0;
        let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        format!("{:06}", number % 1_000_000)
    }
}

impl InjectedOutcome {
    /// Tells whether the department comes to a decision; otherwise it reports no acts.
    fn decides(&self) -> bool {
        matches!(self, Self::Reject { .. })
    }

    /// Returns the reason in words.
    fn reason(&self) -> String {
        match self {
            Self::Reject { reason } => reason.clone(),
            Self::NeedsCorrection { .. } => "材料需要补正".to_owned(),
            Self::NeedsApplicant { .. } => "需要申请人办理".to_owned(),
            Self::Cancel => "已由部门撤销".to_owned(),
        }
    }
}

struct Filled {
    output: Value,
    numbers: Vec<String>,
}

/// What stands for the marks of the catalogue.
struct Marks<'a> {
    now: Moment,
    serial: String,
    number: String,
    input: &'a Value,
}

impl Marks<'_> {
    fn fill(&self, pattern: &str) -> String {
        let mut text = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((mark, after)) = after.split_once('}') else {
                text.push('{');
                rest = after;
                break;
            };
            text.push_str(&self.meaning(mark));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    fn meaning(&self, mark: &str) -> String {
        let date = self.now.date();
        match mark {
            "year" => date.year().to_string(),
            "yymm" => format!("{:02}{:02}", date.year() % 100, date.month()),
            "yyyymmdd" => format!("{}{:02}{:02}", date.year(), date.month(), date.day()),
            "serial" => self.serial.clone(),
            "number" => self.number.clone(),
            other => {
                let input = other.strip_prefix("input.");
                let value = input.and_then(|name| self.input.get(name));
                value.map_or_else(String::new, plain_text)
            }
        }
    }

    fn fill_value(&self, example: &Value) -> Value {
        match example {
            Value::Text(text) => Value::Text(self.fill(text)),
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.fill_value(item)).collect())
            }
            Value::Map(members) => Value::Map(
                members.iter().map(|(name, item)| (name.clone(), self.fill_value(item))).collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Decimal(_) => example.clone(),
        }
    }
}

fn plain_text(value: &Value) -> String {
    value.as_text().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_filled_and_stray_braces_stay() {
        let input = Value::of([("no", Value::from("P-1")), ("n", Value::Int(3))]);
        let marks = Marks {
            now: Moment::parse("2026-03-02T09:00:00+08:00").unwrap(),
            serial: "000123".to_owned(),
            number: "X".to_owned(),
            input: &input,
        };
        let table = [
            ("自规建字第{year}-{serial}号", "自规建字第2026-000123号"),
            ("{yymm}-420302-{serial}", "2603-420302-000123"),
            ("420302{yyyymmdd}{serial}", "42030220260302000123"),
            ("{input.no}/{input.n}/{input.absent}", "P-1/3/"),
            ("{number}{", "X{"),
        ];
        for (pattern, wanted) in table {
            assert_eq!(marks.fill(pattern), wanted);
        }
    }
}
