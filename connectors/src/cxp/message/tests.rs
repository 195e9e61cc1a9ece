use proptest::prelude::*;

use tongban_core::agency::{AgencyAct, AgencyReply, DocumentRef, ReplyBody};
use tongban_core::request::{Outcome, OutcomeKind};
use tongban_core::value::Value;

use super::convert::otherwise;
use super::*;
use crate::sandbox::fixture;

fn text() -> impl Strategy<Value = String> {
    "[a-z0-9 一-龥\"\\\\{}]{0,12}"
}

fn moment() -> impl Strategy<Value = Moment> {
    (0_i64..4_000_000_000_000).prop_map(Moment::from_millis)
}

/// Values without decimals, which the wire turns into texts.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        text().prop_map(Value::Text),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map(text(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

fn full_value() -> impl Strategy<Value = Value> {
    value().prop_filter("blank members are left out", |value| !value.is_blank())
}

fn document() -> impl Strategy<Value = DocumentRef> {
    (text(), text(), any::<[u8; 32]>()).prop_map(|(role, number, digest)| DocumentRef {
        role,
        number,
        digest: Digest(digest),
    })
}

fn outcome() -> impl Strategy<Value = ReplyBody> {
    let rejected = (text(), full_value())
        .prop_map(|(reason, said)| otherwise(OutcomeKind::Rejected, reason, [("decision", said)]));
    let correction = (text(), prop::collection::vec(value(), 1..3), moment()).prop_map(
        |(reason, items, due)| {
            let due = Value::text(due.to_string());
            let detail = [("items", Value::List(items)), ("due", due)];
            otherwise(OutcomeKind::NeedsCorrection, reason, detail)
        },
    );
    let applicant = (text(), full_value()).prop_map(|(reason, action)| {
        otherwise(OutcomeKind::NeedsApplicant, reason, [("action", action)])
    });
    let cancelled = (text(), full_value())
        .prop_map(|(reason, by)| otherwise(OutcomeKind::Cancelled, reason, [("by", by)]));
    prop_oneof![rejected, correction, applicant, cancelled]
}

fn body() -> impl Strategy<Value = ReplyBody> {
    let accepted =
        (prop::option::of(text()), prop::option::of(moment()), prop::option::of(any::<u64>()))
            .prop_map(|(ticket, expect_by, next_query_after)| ReplyBody::Accepted {
                ticket,
                expect_by,
                next_query_after,
            });
    let completed = (value(), prop::collection::vec(document(), 0..3))
        .prop_map(|(output, documents)| ReplyBody::Completed { output, documents });
    let act = (text(), moment(), text(), text(), value()).prop_map(
        |(act, effective_at, document_no, ground, detail)| {
            ReplyBody::Act(AgencyAct {
                act,
                effective_at,
                document_no,
                ground,
                officer: "经办人测试甲".to_owned(),
                detail,
            })
        },
    );
    prop_oneof![accepted, completed, act, outcome()]
}

proptest! {
    #[test]
    fn what_core_says_comes_back_over_the_wire(
        call in any::<[u8; 16]>(), seq in any::<u32>(), at in moment(), body in body(),
    ) {
        let said = AgencyReply { call: CallId(call), seq, digest: Digest::of(b""), at, body };
        let bytes = Reply::from_core(&said).unwrap().to_bytes();
        let read = Reply::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&read.to_bytes(), &bytes);
        prop_assert_eq!(read.into_core(said.digest), said);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Reply::from_bytes(&bytes).is_err());
        prop_assert!(FaultMessage::from_bytes(&bytes).is_err());
    }
}

#[test]
fn an_invoke_reads_back_with_decimals_as_texts() {
    let invoke = fixture::invoke(1);
    assert_eq!(invoke.input.0.get("area"), Some(&Value::from("26840.50")));
    assert_eq!(Invoke::from_bytes(&invoke.to_bytes()).unwrap(), invoke);
}

#[test]
fn protocol_and_kind_are_checked_before_the_rest() {
    let table = [
        ("", "not_cxp"),
        ("[]", "not_cxp"),
        (r#"{"kind":"ack"}"#, "not_cxp"),
        (r#"{"cxp":"2.0","kind":"ack"}"#, "wrong_version"),
        (r#"{"cxp":"1.0","kind":"reply"}"#, "wrong_kind"),
        (r#"{"cxp":"1.0","kind":"ack","seq":1}"#, "malformed"),
    ];
    for (text, code) in table {
        let error = AckMessage::from_bytes(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
    }
}

#[test]
fn a_deep_message_is_refused() {
    let deep = "[".repeat(5_000) + &"]".repeat(5_000);
    let text = format!(
        r#"{{"cxp":"1.0","kind":"reply","call_id":"{}","seq":1,"at":"2026-03-02T09:00:00+08:00","status":"completed","output":{deep}}}"#,
        fixture::call(1).id
    );
    assert!(Reply::from_bytes(text.as_bytes()).is_err());
}

#[test]
fn the_end_of_a_timeout_never_goes_out() {
    let reply = AgencyReply {
        call: fixture::call(1).id,
        seq: 1,
        digest: Digest::of(b""),
        at: fixture::start_of_demo(),
        body: ReplyBody::Otherwise(Outcome {
            kind: OutcomeKind::TimedOut,
            reason: String::new(),
            detail: Value::Null,
        }),
    };
    let error = Reply::from_core(&reply).unwrap_err();
    assert_eq!(error.code(), "not_on_wire");
}
