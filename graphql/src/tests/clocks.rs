//! Limits as they are shown: also those of agencies, which no law counts.

use std::fs;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tongban_connectors::{Binding, Bindings};
use tongban_core::agency::{AgencyReply, Call, CallContext, Fault, Invoked, Queried, ReplyBody};
use tongban_core::digest::Digest;
use tongban_core::id::RegionCode;
use tongban_core::port::{Connector, Later};
use tongban_core::time::Moment;
use tongban_engine::clock::ManualClock;

use super::desk::{Desk, Mode, PARTY, START, SUBMIT, applicant, builder, scripts};

const SERVICE: &str = r#"
service(#{
    code: "tax-clearance", name: "清税一件事", lead: "tax",
    target: "enterprise", regions: ["420300"], promise: "20 working days",
    matters: [ part("clearance") ],
});
"#;
const MATTER: &str = r#"
matter(#{
    code: "clearance", name: "清税证明", department: "tax", intake: "auto",
    limit: #{ statutory: "20 working days", promised: "10 working days" },
    form: [], materials: [],
});
fn handle(m) { grant(ask("tax.clearance", #{})) }
"#;

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

/// Opens a desk whose tax office agreed to answer within two working days.
async fn desk() -> Desk {
    let scripts = scripts();
    fs::write(scripts.path().join("services/tax-clearance.rhai"), SERVICE).unwrap();
    fs::create_dir(scripts.path().join("matters/tax")).unwrap();
    fs::write(scripts.path().join("matters/tax/clearance.rhai"), MATTER).unwrap();
    let nine = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
    let wire = Arc::new(ManualClock::new(nine));
    let agreed = Binding {
        operation: "tax.*".to_owned(),
        region: RegionCode::new("420300"),
        connector: "tax".to_owned(),
        reply_within: "2 working days".parse().ok(),
    };
    let wiring = Arc::new(Bindings::new(vec![agreed]).unwrap());
    let engine = builder(&scripts, &wire).wiring(wiring).connector("tax", Arc::new(Silent));
    let engine = engine.start().await.unwrap();
    Desk::over(engine, scripts, (wire, Mode::Production)).await
}

#[tokio::test]
async fn the_time_that_an_agency_agreed_to_is_shown_among_the_limits() {
    let desk = desk().await;
    let input = json!({ "serviceCode": "tax-clearance", "region": "420302", "form": {},
        "applicant": { "id": PARTY, "name": "十堰示例商贸有限公司" }, "idempotencyKey": "start" });
    let started = desk.data(&applicant(), START, json!({ "input": input })).await;
    let case = started["startCase"]["case"]["id"].clone();
    let input = json!({ "caseId": case, "idempotencyKey": "submit" });
    let submitted = desk.data(&applicant(), SUBMIT, json!({ "input": input })).await;
    assert_eq!(submitted["submitCase"]["errors"], json!([]), "{submitted}");
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
