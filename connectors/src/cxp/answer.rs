//! What an HTTP answer means for a call.
//!
//! Pure: status and bytes in, verdict out. The body decides, the status is only a hint; whatever
//! is not clearly a message of the contract leaves the effect unknown, because a gateway's page
//! says nothing about what the agency did. Only `unknown_call` about exactly this call is a
//! fence.

use tongban_core::agency::{AgencyReply, Effect, Fault, FaultClass, Queried};
use tongban_core::digest::Digest;
use tongban_core::id::CallId;

use super::message::{FaultMessage, Message as _, MessageError, Reply, kind_of};
use super::render::Sides;

/// What came back over HTTP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Milliseconds of a `Retry-After` header.
    pub(super) retry_after: Option<u64>,
    pub(super) bytes: Vec<u8>,
}

/// What was sent, to compare the answer with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    pub(super) call: CallId,
    pub(super) digest: Digest,
    pub(super) input_digest: Digest,
    pub(super) sides: &'a Sides,
}

/// The meaning of an answer to an invoke.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum InvokeAnswer {
    /// A reply to this call.
    Reply(AgencyReply),
    /// The agency holds the same input under this id in other bytes: its stored reply counts.
    Adopt,
}

/// Reads the answer to an invoke.
pub(super) fn read_invoke(answer: &Answer, sent: &Sent<'_>) -> Result<InvokeAnswer, Fault> {
    match read(answer, sent)? {
        Read::Reply(reply) => {
            let about = reply.request_digest.map(|digest| digest.0);
            if about.is_some_and(|digest| digest != sent.digest) {
                return Err(violation("wrong_request_digest"));
            }
            Ok(InvokeAnswer::Reply(reply.into_core(Digest::of(&answer.bytes))))
        }
        Read::Fault(fault) => {
            let stored = fault.input_digest.map(|digest| digest.0);
            if fault.class.0 == FaultClass::Conflict && stored == Some(sent.input_digest) {
                return Ok(InvokeAnswer::Adopt);
            }
            Err(fault.into_core())
        }
    }
}

/// Reads the answer to a query.
pub(super) fn read_query(answer: &Answer, sent: &Sent<'_>) -> Result<Queried, Fault> {
    match read(answer, sent)? {
        Read::Reply(reply) => Ok(Queried::Known(reply.into_core(Digest::of(&answer.bytes)))),
        Read::Fault(fault) => {
            let named = fault.call_id.is_some();
            match fault.code.as_str() {
                "unknown_call" if named && answer.status == 404 => Ok(Queried::UnknownFenced),
                "forgotten" if named => Ok(Queried::Forgotten),
                _ => Err(fault.into_core()),
            }
        }
    }
}

enum Read {
    Reply(Box<Reply>),
    Fault(FaultMessage),
}

fn read(answer: &Answer, sent: &Sent<'_>) -> Result<Read, Fault> {
    let kind = kind_of(&answer.bytes).map_err(|error| match error {
        MessageError::Version(_) => violation("wrong_version"),
        MessageError::NotCxp
        | MessageError::Kind { .. }
        | MessageError::Form { .. }
        | MessageError::NotOnWire(_) => unknown("not_cxp"),
    })?;
    match kind.as_str() {
        "reply" if matches!(answer.status, 200 | 202) => {
            let reply = Reply::from_bytes(&answer.bytes).map_err(|_| violation("malformed"))?;
            check_reply(&reply, sent)?;
            Ok(Read::Reply(Box::new(reply)))
        }
        "reply" => Err(unknown("wrong_status")),
        "fault" => {
            let mut fault =
                FaultMessage::from_bytes(&answer.bytes).map_err(|_| violation("malformed"))?;
            if fault.call_id.is_some_and(|call| call.0 != sent.call) {
                return Err(violation("wrong_call_id"));
            }
            fault.retry_after_ms = fault.retry_after_ms.or(answer.retry_after);
            Ok(Read::Fault(fault))
        }
        _ => Err(violation("wrong_kind")),
    }
}

fn check_reply(reply: &Reply, sent: &Sent<'_>) -> Result<(), Fault> {
    if reply.call_id.0 != sent.call {
        return Err(violation("wrong_call_id"));
    }
    if reply.from.as_ref().is_some_and(|from| *from != sent.sides.to) {
        return Err(violation("wrong_sender"));
    }
    if reply.to.as_ref().is_some_and(|to| *to != sent.sides.from) {
        return Err(violation("wrong_receiver"));
    }
    Ok(())
}

/// A fault for an answer that nobody can rely on.
pub(super) fn unknown(code: &str) -> Fault {
    Fault {
        class: FaultClass::Unknown,
        effect: Effect::Unknown,
        code: code.to_owned(),
        retry_after: None,
        text: "已发出,结果待核实 / sent, the outcome is being verified".to_owned(),
    }
}

fn violation(code: &str) -> Fault {
    Fault {
        class: FaultClass::ContractViolation,
        effect: Effect::Unknown,
        code: code.to_owned(),
        retry_after: None,
        text: "对方返回不合规,请联系对方核实 / the reply breaks the contract, ask the agency"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tongban_core::agency::ReplyBody;

    use super::*;
    use crate::cxp::render::render_invoke;
    use crate::sandbox::fixture;

    fn check(status: u16, body: &str) -> Result<InvokeAnswer, Fault> {
        let call = fixture::call(1);
        let sides = fixture::sides();
        let rendered = render_invoke(&call, &sides);
        let sent = Sent {
            call: call.id,
            digest: rendered.digest,
            input_digest: rendered.input_digest,
            sides: &sides,
        };
        let bytes = body
            .replace("{id}", &call.id.to_string())
            .replace("{input}", &rendered.input_digest.to_string())
            .into_bytes();
        let answer = Answer { status, retry_after: Some(2_000), bytes };
        read_invoke(&answer, &sent)
    }

    const ACCEPTED: &str = r#"{"cxp":"1.0","kind":"reply","call_id":"{id}","seq":1,"at":"2026-03-02T09:00:00+08:00","status":"accepted","news":[1]}"#;

    #[test]
    fn a_reply_with_unknown_members_is_read() {
        let Ok(InvokeAnswer::Reply(reply)) = check(202, ACCEPTED) else {
            panic!("not a reply");
        };
        assert!(matches!(reply.body, ReplyBody::Accepted { ticket: None, .. }));
    }

    #[test]
    fn whatever_is_not_the_contract_leaves_the_effect_unknown() {
        let garbage = [
            (200, "<html>系统维护</html>"),
            (200, ""),
            (200, &ACCEPTED[..60]),
            (502, "Bad Gateway"),
            (404, r#"{"error":"not found"}"#),
            (500, ACCEPTED),
            (302, ""),
        ];
        for (status, body) in garbage {
            let fault = check(status, body).unwrap_err();
            assert_eq!(fault.class, FaultClass::Unknown, "{status} {body}");
            assert_eq!(fault.effect, Effect::Unknown, "{status} {body}");
        }
    }

    #[test]
    fn a_message_that_breaks_the_contract_is_a_violation() {
        let other = "019a4c3e-7b10-8c55-9d2e-3f0a6b1c8e01";
        let broken = [
            ACCEPTED.replace("{id}", other),
            ACCEPTED.replace("accepted", "perhaps"),
            ACCEPTED.replace("\"seq\":1,", ""),
            ACCEPTED.replace("1.0", "2.0"),
            ACCEPTED.replace("\"reply\"", "\"ack\""),
            ACCEPTED.replace("\"news\"", "\"from\""),
            ACCEPTED.replace("\"news\":[1]", r#""to":{"region":"411300","system":"engine"}"#),
            ACCEPTED.replace(
                "\"news\":[1]",
                &format!(r#""request_digest":"{}""#, Digest::of(b"other")),
            ),
        ];
        for body in broken {
            let fault = check(200, &body).unwrap_err();
            assert_eq!(fault.class, FaultClass::ContractViolation, "{body}");
            assert_eq!(fault.effect, Effect::Unknown, "{body}");
        }
    }

    #[test]
    fn a_fault_keeps_its_class_effect_and_patience() {
        let body = r#"{"cxp":"1.0","kind":"fault","call_id":"{id}","class":"retryable","effect":"none","code":"queue_full"}"#;
        let fault = check(503, body).unwrap_err();
        assert_eq!(fault.class, FaultClass::Retryable);
        assert_eq!(fault.effect, Effect::None);
        assert_eq!(fault.retry_after, Some(2_000));
    }

    #[test]
    fn a_conflict_is_adopted_only_for_the_same_input() {
        let body = r#"{"cxp":"1.0","kind":"fault","call_id":"{id}","class":"conflict","effect":"applied","code":"conflict","input_digest":"{input}"}"#;
        assert_eq!(check(409, body), Ok(InvokeAnswer::Adopt));
        let other = body.replace("{input}", &Digest::of(b"other").to_string());
        assert_eq!(check(409, &other).unwrap_err().class, FaultClass::Conflict);
    }
}
