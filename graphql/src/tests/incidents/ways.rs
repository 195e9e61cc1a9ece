//! Every way out of an incident, as it is asked for: what the case is afterwards, who may not, and
//! that an incident is ended once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tongban_core::agency::{
    AgencyReply, Call, CallContext, DocumentRef, Effect, Fault, FaultClass, Invoked, Queried,
    ReplyBody,
};
use tongban_core::digest::Digest;
use tongban_core::port::{Connector, Later};
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};

use super::super::desk::{Desk, matter_id};
use super::super::tax::{self, Agency};
use super::{SETTLED, admin, clerk, head, officer, settling};

const HANDLE: &str = r#"fn handle(m) {
    compensate_with("tax.release", #{});
    let held = ask("tax.hold", #{});
    if held.number == "wrong" { throw "登记号有误"; }
    let seen = receive("visit");
    grant(ask("tax.clearance", #{ visit: seen }))
}
"#;

/// What the registry says to a `hold`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Hold {
    /// It has this number.
    Number(&'static str),
    /// The registry cannot be asked.
    Refused,
}

/// An agency that says to each `hold` what it was told to, and completes everything else.
#[derive(Default)]
struct Registry {
    says: Mutex<VecDeque<Hold>>,
    /// Operations of the calls that arrived.
    heard: Mutex<Vec<String>>,
}

impl Registry {
    fn says(holds: &[Hold]) -> Arc<Self> {
        Arc::new(Self { says: Mutex::new(holds.iter().copied().collect()), ..Self::default() })
    }

    fn heard(&self, operation: &str) -> usize {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|known| *known == operation).count()
    }

    fn answer(&self, call: &Call) -> Result<AgencyReply, Fault> {
        self.heard.lock().unwrap().push(call.operation.clone());
        let hold = call.operation == "hold";
        let told = hold.then(|| self.says.lock().unwrap().pop_front()).flatten();
        match told.unwrap_or(Hold::Number("QS-7")) {
            Hold::Number(number) => Ok(completed(call, number)),
            Hold::Refused => Err(Fault {
                class: FaultClass::Refused,
                effect: Effect::None,
                code: "not_open".to_owned(),
                retry_after: None,
                text: "系统未对接".to_owned(),
            }),
        }
    }
}

fn completed(call: &Call, number: &str) -> AgencyReply {
    let digest = Digest::of(format!("{} {number}", call.operation).as_bytes());
    let (role, number) = ("certificate".to_owned(), number.to_owned());
    let output = Value::of([("number", number.as_str().into())]);
    let documents = vec![DocumentRef { role, number, digest }];
    let body = ReplyBody::Completed { output, documents };
    AgencyReply { call: call.id, seq: 1, digest, at: Moment::default(), body }
}

impl Connector for Registry {
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(async move { self.answer(call).map(Invoked::Replied) })
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(async move { self.answer(call).map(Queried::Known) })
    }
}

/// Opens a desk whose registry says these numbers.
async fn desk(holds: &[Hold]) -> (Desk, Arc<Registry>) {
    let registry = Registry::says(holds);
    let agency = Agency::of(Arc::clone(&registry) as _);
    (tax::desk(&tax::matter(HANDLE), Some(agency)).await, registry)
}

/// What is read of a case after a way out was taken.
const AFTER: &str = "... on Case { state scriptVersion incidents tasks(open: true) { kind }
    matters { state stopped { reason undone } waitingOn { kind } }
    incidentList { kind stage end { way by reason version from outcome } } }";

const PLAIN: [&str; 4] = ["RETRY", "CANCEL", "SKIP", "ACKNOWLEDGE"];

fn plain(way: &str) -> Json {
    json!({ "plain": way })
}

impl Desk {
    /// Reads a case as its supervisor sees it.
    async fn after(&self, case: &str, is_so: fn(&Json) -> bool) -> Json {
        self.until(case, (AFTER, is_so)).await
    }

    /// Takes a way out that must be taken, and returns the incident.
    async fn settled(&self, who: &Viewer, incident: &Json, way: Json) -> Json {
        let key = format!("{} {way} {}", who.subject, incident["id"]);
        let input = settling(incident, &way, &Digest::of(key.as_bytes()).hex());
        let done = self.mutate(who, "settleIncident", (input, SETTLED)).await;
        assert_eq!(done["errors"], json!([]), "{way}: {done}");
        done["incident"].clone()
    }

    /// Asks for a way out that must be refused, and returns the refusal.
    async fn not_settled(&self, who: &Viewer, incident: &Json, way: Json) -> Json {
        self.refused_under("refused", who, (incident, way)).await
    }

    async fn refused_under(
        &self,
        name: &str,
        who: &Viewer,
        (incident, way): (&Json, Json),
    ) -> Json {
        let key = format!("{name} {} {way} {}", who.subject, incident["id"]);
        let input = settling(incident, &way, &Digest::of(key.as_bytes()).hex());
        self.refused(who, "settleIncident", input).await
    }

    /// Those who do not answer for the office learn nothing of an incident, whatever they ask.
    async fn is_closed_to_strangers(&self, incident: &Json, way: &Json) {
        let strangers = [
            super::super::desk::applicant(),
            clerk(),
            Viewer::new("i", Role::Integrator).within("420300"),
            Viewer::new("a", Role::OfficeHead).within("420300").of("transport"),
        ];
        for who in strangers {
            let refused = self.not_settled(&who, incident, way.clone()).await;
            assert_eq!(refused["code"], "NOT_FOUND", "{who:?}: {refused}");
        }
    }

    /// An incident is ended once: whoever comes later is told so, whatever he wants.
    async fn is_over(&self, incident: &Json) {
        for way in PLAIN {
            let late = self.refused_under("late", &head(), (incident, plain(way))).await;
            assert_eq!(late["rule"], "INCIDENT_SETTLED", "{way}: {late}");
        }
    }

    async fn seen_at_the_window(&self, case: &str) {
        let message = json!({ "caseMatterId": matter_id(case, 1), "channel": "visit",
            "body": { "seen": true }, "idempotencyKey": format!("{case}-visit") });
        let sent = self.mutate(&clerk(), "sendMessage", (message, "case { id }")).await;
        assert_eq!(sent["errors"], json!([]), "{sent}");
    }

    /// Returns the number of the entry by which an operation was asked for last.
    async fn asked_at(&self, case: &str, operation: &str) -> u32 {
        let query = "query($id: ID!) { events(caseId: $id, first: 100) {
            nodes { seq kind text(lang: EN) } } }";
        let events = self.data(&admin(), query, json!({ "id": case })).await["events"].clone();
        let asked = events["nodes"].as_array().unwrap().iter().rev().find(|event| {
            let text = event["text"].as_str().unwrap();
            text.ends_with(&format!("requested {operation}"))
        });
        let seq = asked.unwrap_or_else(|| panic!("{operation} in {events}"))["seq"].as_u64();
        u32::try_from(seq.unwrap()).unwrap()
    }
}

fn granted(case: &Json) -> bool {
    case["matters"][0]["state"] == "GRANTED"
}

#[tokio::test]
async fn a_script_begins_again_from_an_entry_and_what_it_leaves_behind_is_told() {
    let (desk, registry) = desk(&[Hold::Number("wrong")]).await;
    let case = desk.stuck("a").await;
    let incident = desk.listed(&head(), json!(null)).await.remove(0);
    assert_eq!(incident["kind"], "SCRIPT_FAILED", "{incident}");
    let from = desk.asked_at(&case, "tax.hold").await;
    let left = "query($id: ID!, $from: Int!) { node(id: $id) { ... on Incident {
        leftBehind(from: $from) { request target ended } } } }";
    let left = async |from: u32| {
        let asked = json!({ "id": incident["id"], "from": from });
        desk.data(&head(), left, asked).await["node"]["leftBehind"].clone()
    };
    let hold = json!([{ "request": "1.0#1", "target": "tax.hold", "ended": true }]);
    assert_eq!(left(from).await, hold, "what it did outside stays done");
    assert_eq!(left(from + 1).await, json!([]));

    let way = json!({ "restartFrom": from });
    desk.is_closed_to_strangers(&incident, &way).await;
    let refused = desk.not_settled(&officer(), &incident, way.clone()).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "a restart is technical: {refused}");
    for nothing in [1, from + 1, 4_000_000] {
        let refused =
            desk.not_settled(&admin(), &incident, json!({ "restartFrom": nothing })).await;
        assert_eq!(
            (&refused["code"], &refused["path"]),
            (&json!("INVALID_INPUT"), &json!(["from"]))
        );
    }
    let end = desk.settled(&admin(), &incident, way).await["end"].clone();
    assert_eq!((&end["way"], &end["by"]), (&json!("RESTART"), &json!("admin-1")));
    desk.is_over(&incident).await;
    let waits = |case: &Json| case["matters"][0]["waitingOn"]["kind"] != Json::Null;
    let after = desk.after(&case, waits).await;
    assert_eq!(after["incidentList"][0]["end"]["from"], json!(from), "{after}");
    desk.seen_at_the_window(&case).await;
    let after = desk.after(&case, granted).await;
    assert_eq!((&after["state"], &after["incidents"]), (&json!("COMPLETED_ALL"), &json!(0)));
    assert_eq!(registry.heard("hold"), 2, "it was asked again, under another id");
}

#[tokio::test]
async fn a_case_goes_on_under_a_version_that_mends_its_script_and_under_no_other() {
    let (desk, registry) = desk(&[Hold::Number("wrong")]).await;
    let case = desk.stuck("a").await;
    let incident = desk.listed(&head(), json!(null)).await.remove(0);
    let before = desk.after(&case, |_| true).await["scriptVersion"].clone();
    let thrown = "    if held.number == \"wrong\" { throw \"登记号有误\"; }\n";
    let matter = tax::matter(HANDLE);
    let mended = desk.publish(&matter.replace(thrown, "")).await;
    let other = desk.publish(&matter.replace("tax.hold", "tax.lock")).await;
    let to = |version: &str| json!({ "rebind": version });
    desk.is_closed_to_strangers(&incident, &to(&mended)).await;
    let refused = desk.not_settled(&officer(), &incident, to(&mended)).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "{refused}");
    let unknown = desk.not_settled(&admin(), &incident, to(&"0".repeat(64))).await;
    assert_eq!(unknown["code"], "NOT_FOUND", "{unknown}");
    let unread = desk.not_settled(&admin(), &incident, to("v2")).await;
    assert_eq!((&unread["code"], &unread["path"]), (&json!("INVALID_INPUT"), &json!(["version"])));
    for unfit in [&other, &before.as_str().unwrap().to_owned()] {
        let refused = desk.not_settled(&admin(), &incident, to(unfit)).await;
        assert_eq!(refused["rule"], "DRY_RUN_FAILED", "{refused}");
    }
    let after = desk.after(&case, |_| true).await;
    assert_eq!((&after["scriptVersion"], &after["incidents"]), (&before, &json!(1)));

    let end = desk.settled(&admin(), &incident, to(&mended)).await["end"].clone();
    assert_eq!((&end["way"], &end["by"]), (&json!("REBIND"), &json!("admin-1")));
    desk.is_over(&incident).await;
    desk.seen_at_the_window(&case).await;
    let after = desk.after(&case, granted).await;
    assert_eq!((&after["scriptVersion"], &after["incidents"]), (&json!(mended), &json!(0)));
    assert_eq!(after["incidentList"][0]["end"]["version"], json!(mended), "{after}");
    assert_eq!(registry.heard("hold"), 1, "what was asked before was not asked again");
}

#[tokio::test]
async fn a_failed_call_is_skipped_by_two_persons_and_an_officer_goes_on() {
    let (desk, registry) = desk(&[Hold::Refused]).await;
    let case = desk.stuck("a").await;
    let incident = desk.listed(&head(), json!(null)).await.remove(0);
    assert_eq!(incident["kind"], "CALL_FAILED", "{incident}");
    desk.is_closed_to_strangers(&incident, &plain("SKIP")).await;
    let refused = desk.not_settled(&admin(), &incident, plain("SKIP")).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "no admin speaks for an agency: {refused}");
    for (wrong, who) in [(plain("ACKNOWLEDGE"), officer()), (json!({ "restartFrom": 3 }), head())] {
        let refused = desk.not_settled(&who, &incident, wrong).await;
        assert_eq!(
            (&refused["code"], &refused["path"]),
            (&json!("INVALID_INPUT"), &json!(["way"]))
        );
    }
    let first = desk.settled(&officer(), &incident, plain("SKIP")).await;
    assert_eq!(first["stage"], "PROPOSED", "{first}");
    let alone = settling(&incident, &plain("SKIP"), "alone");
    let alone = desk.refused(&officer(), "settleIncident", alone).await;
    assert_eq!(alone["code"], "NOT_PERMITTED", "one person is not two: {alone}");
    let proposed = desk.after(&case, |_| true).await;
    assert_eq!(proposed["incidents"], json!(1), "nothing has happened yet");
    let second = desk.settled(&head(), &incident, plain("SKIP")).await;
    assert_eq!(second["end"], json!({ "way": "SKIP", "by": "tax-head", "reason": "已电话核实" }));
    desk.is_over(&incident).await;

    let asked = |case: &Json| case["tasks"] == json!([{ "kind": "REJECTED" }]);
    let after = desk.after(&case, asked).await;
    assert_eq!((&after["state"], &after["incidents"]), (&json!("IN_PROGRESS"), &json!(0)));
    let task = desk.open_task(&officer(), "REJECTED").await;
    let input = json!({ "taskId": task["id"], "expectedVersion": task["version"], "granted": true,
        "opinion": "请再次查询", "idempotencyKey": "again" });
    let done = desk.mutate(&officer(), "completeTask", (input, "case { id }")).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    desk.seen_at_the_window(&case).await;
    desk.after(&case, granted).await;
    assert_eq!(registry.heard("hold"), 2, "skipped once, then asked anew by the officer's word");
}

#[tokio::test]
async fn a_result_is_overridden_by_an_outcome_for_a_call_of_the_script_only() {
    let (desk, _) = desk(&[Hold::Number("wrong")]).await;
    let case = desk.stuck("a").await;
    let incident = desk.listed(&head(), json!(null)).await.remove(0);
    assert_eq!(incident["call"], Json::Null, "a script that failed is about no call");
    let rejected = |request: Option<&str>| {
        let with = json!({ "outcome": { "kind": "REJECTED", "reason": "登记号已注销" } });
        json!({ "override": { "request": request, "with": with } })
    };
    desk.is_closed_to_strangers(&incident, &rejected(Some("1.0#1"))).await;
    for (wrong, path) in [
        (None, "request"),
        (Some("hold"), "request"),
        (Some("1.0#0"), "request"),
        (Some("1.0#9"), "request"),
    ] {
        let refused = desk.not_settled(&head(), &incident, rejected(wrong)).await;
        assert_eq!((&refused["code"], &refused["path"]), (&json!("INVALID_INPUT"), &json!([path])));
    }
    let refused = desk.not_settled(&admin(), &incident, rejected(Some("1.0#1"))).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "{refused}");
    let first = desk.settled(&head(), &incident, rejected(Some("1.0#1"))).await;
    assert_eq!(first["proposal"], json!({ "by": "tax-head", "way": "OVERRIDE" }));
    let second = desk.settled(&officer(), &incident, rejected(Some("1.0#1"))).await;
    assert_eq!(second["stage"], "SETTLED", "{second}");
    desk.is_over(&incident).await;

    let asked = |case: &Json| case["tasks"] == json!([{ "kind": "REJECTED" }]);
    let after = desk.after(&case, asked).await;
    let end = &after["incidentList"][0]["end"];
    assert_eq!((&end["way"], &end["outcome"]), (&json!("OVERRIDE"), &json!("rejected")));
    let task = desk.open_task(&officer(), "REJECTED").await;
    assert_eq!(task["facts"]["reason"], "rejected:登记号已注销", "{task}");
    let input = json!({ "taskId": task["id"], "expectedVersion": task["version"],
        "granted": false, "opinion": "登记号已注销", "idempotencyKey": "deny" });
    let done = desk.mutate(&officer(), "completeTask", (input, "case { id }")).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    let denied = |case: &Json| case["matters"][0]["state"] == "DENIED";
    desk.after(&case, denied).await;
}

#[tokio::test]
async fn a_stopped_script_undoes_what_it_did_and_an_officer_ends_the_matter() {
    let (desk, registry) = desk(&[Hold::Number("wrong")]).await;
    let case = desk.stuck("a").await;
    let incident = desk.listed(&head(), json!(null)).await.remove(0);
    desk.is_closed_to_strangers(&incident, &plain("CANCEL")).await;
    for who in [admin(), officer()] {
        let refused = desk.not_settled(&who, &incident, plain("CANCEL")).await;
        assert_eq!(refused["code"], "NOT_PERMITTED", "it is the head's: {refused}");
    }
    let end = desk.settled(&head(), &incident, plain("CANCEL")).await["end"].clone();
    assert_eq!((&end["way"], &end["by"]), (&json!("CANCEL"), &json!("tax-head")));
    desk.is_over(&incident).await;
    let undone = |case: &Json| {
        let matter = &case["matters"][0];
        matter["stopped"]["undone"] == true && case["tasks"] == json!([{ "kind": "AFTER_CANCEL" }])
    };
    let after = desk.after(&case, undone).await;
    assert_eq!(after["matters"][0]["stopped"]["reason"], "已电话核实", "{after}");
    assert_eq!(after["incidents"], json!(0));
    assert_eq!((registry.heard("hold"), registry.heard("release")), (1, 1));
    let task = desk.open_task(&officer(), "AFTER_CANCEL").await;
    let input = json!({ "taskId": task["id"], "expectedVersion": task["version"],
        "granted": false, "opinion": "申请人已注销", "idempotencyKey": "end" });
    let done = desk.mutate(&officer(), "completeTask", (input, "case { id }")).await;
    assert_eq!(done["errors"], json!([]), "{done}");
    let ended = |case: &Json| case["matters"][0]["state"] == "TERMINATED";
    let after = desk.after(&case, ended).await;
    assert_eq!(after["incidents"], json!(0), "{after}");
}

#[tokio::test]
async fn a_message_that_must_be_handled_holds_up_the_grant_until_somebody_has_looked_at_it() {
    let (desk, registry) = desk(&[Hold::Refused]).await;
    let case = desk.stuck("a").await;
    let objection = json!({ "caseMatterId": matter_id(&case, 1), "channel": "objection",
        "body": { "text": "邻居有异议" }, "handling": "REQUIRED", "idempotencyKey": "objection" });
    let sent = desk.mutate(&clerk(), "sendMessage", (objection, "case { id }")).await;
    assert_eq!(sent["errors"], json!([]), "{sent}");
    let failed = desk.listed(&head(), json!(null)).await.remove(0);
    desk.settled(&admin(), &failed, plain("RETRY")).await;
    desk.seen_at_the_window(&case).await;
    let unread = |case: &Json| case["incidents"] == 2;
    let after = desk.after(&case, unread).await;
    let kinds = [1, 2].map(|no| after["incidentList"][no]["kind"].clone());
    assert_eq!(kinds, [json!("SCRIPT_FAILED"), json!("MESSAGE_UNREAD")], "{after}");
    assert_eq!(after["matters"][0]["state"], "ACCEPTED", "the grant was refused");
    let incident = desk.listed(&officer(), json!({ "kind": "MESSAGE_UNREAD" })).await.remove(0);
    assert_eq!(incident["ways"], json!([{ "way": "ACKNOWLEDGE", "takesTwo": false }]));
    desk.is_closed_to_strangers(&incident, &plain("ACKNOWLEDGE")).await;
    let supervisor = Viewer::new("s", Role::Supervisor).within("420300");
    let refused = desk.not_settled(&supervisor, &incident, plain("ACKNOWLEDGE")).await;
    assert_eq!(refused["code"], "NOT_PERMITTED", "he sees it and settles nothing: {refused}");
    for wrong in ["RETRY", "SKIP", "CANCEL"] {
        let refused = desk.not_settled(&head(), &incident, plain(wrong)).await;
        assert_eq!(
            (&refused["code"], &refused["path"]),
            (&json!("INVALID_INPUT"), &json!(["way"]))
        );
    }
    let end = desk.settled(&officer(), &incident, plain("ACKNOWLEDGE")).await["end"].clone();
    assert_eq!((&end["way"], &end["by"]), (&json!("ACKNOWLEDGE"), &json!("tax-1")));
    desk.is_over(&incident).await;
    let after = desk.after(&case, granted).await;
    assert_eq!((&after["state"], &after["incidents"]), (&json!("COMPLETED_ALL"), &json!(0)));
    assert_eq!(registry.heard("clearance"), 1, "what it had asked for was not asked again");
}
