//! Limits as they are shown: also those of agencies, which no law counts.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tongban_core::agency::{AgencyReply, Call, CallContext, Fault, Invoked, Queried, ReplyBody};
use tongban_core::digest::Digest;
use tongban_core::port::{Connector, Later};
use tongban_core::time::Moment;

use super::desk::applicant;
use super::tax::{self, Agency};

const HANDLE: &str = r#"fn handle(m) { grant(ask("tax.clearance", #{})) }"#;

/// An agency that takes every call and says nothing more.
struct Silent;

impl Silent {
    fn takes(call: &Call) -> AgencyReply {
        let body = ReplyBody::Accepted { ticket: None, expect_by: None, next_query_after: None };
        let digest = Digest::of(b"taken");
        AgencyReply { call: call.id, seq: 1, digest, at: Moment::default(), body }
    }
}

impl Connector for Silent {
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(async { Ok(Invoked::Replied(Self::takes(call))) })
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(async { Ok(Queried::Known(Self::takes(call))) })
    }
}

#[tokio::test]
async fn the_time_that_an_agency_agreed_to_is_shown_among_the_limits() {
    let agency = Agency { connector: Arc::new(Silent), reply_within: Some("2 working days") };
    let desk = tax::desk(&tax::matter(HANDLE), Some(agency)).await;
    let case = desk.clearance("start").await;
    let query = "query($id: ID!) { case(by: { id: $id }) { matters {
        waitingOn { kind party since until nextStep }
        clocks { kind kindLabel about operation startedAt dueAt period { amount unit } }
        explainClock(kind: CONNECTOR) { dueAt } } } }";
    let read = desk.data(&applicant(), query, json!({ "id": case })).await;
    let matter = &read["case"]["matters"][0];
    let clocks = matter["clocks"].as_array().unwrap();
    let own: Vec<&Json> = clocks.iter().filter(|clock| clock["kind"] == "CONNECTOR").collect();
    let [clock] = own[..] else { panic!("{read}") };
    let due = "2026-03-04T23:59:59.999+08:00";
    assert_eq!(
        (&clock["kindLabel"], &clock["operation"]),
        (&json!("系统办理期限"), &json!("tax.clearance"))
    );
    assert_eq!(
        (&clock["startedAt"], &clock["dueAt"]),
        (&json!("2026-03-02T09:00:00+08:00"), &json!(due))
    );
    assert!(clock["about"].is_string(), "the call: {clock}");
    assert_eq!(matter["explainClock"]["dueAt"], due, "{read}");
    let waits = &matter["waitingOn"];
    assert_eq!(
        (&waits["kind"], &waits["party"], &waits["since"], &waits["until"]),
        (&json!("AGENCY"), &json!("tax"), &json!("2026-03-02T09:00:00+08:00"), &json!(due))
    );
}
