//! The client and the agency over real HTTP: every fault class, one effect per call id, fences,
//! callbacks.

use std::sync::Arc;

use tokio::task::JoinSet;
use tongban_core::agency::{
    Ack, AgencyReply, Call, Effect, Fault, FaultClass, Invoked, Queried, ReplyBody,
};
use tongban_core::port::{Connector as _, InboxError};
use tongban_core::request::OutcomeKind;
use tongban_core::value::Value;

use super::fixture::{self, Town, call, call_of, context};
use super::{Availability, Ledger, LedgerEvent, SandboxAgency};
use crate::cxp::http_client;
use crate::cxp::message::{Health, Manifest, Message as _};
use crate::cxp::render::render_invoke;
use crate::limits;

async fn invoke(town: &Town, call: &Call) -> Result<AgencyReply, Fault> {
    match town.connector.invoke(call, &context()).await? {
        Invoked::Replied(reply) => Ok(reply),
        Invoked::AskPerson(task) => panic!("asked a person: {task:?}"),
    }
}

async fn query(town: &Town, call: &Call) -> Result<Queried, Fault> {
    town.connector.query(call, &context()).await
}

async fn post(url: String, body: Vec<u8>) -> (u16, Vec<u8>) {
    let request = http_client().unwrap().post(url).body(body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.bytes().await.unwrap().to_vec())
}

/// Names what a body says, for comparing orders.
fn says(reply: &AgencyReply) -> String {
    match &reply.body {
        ReplyBody::Accepted { .. } => "accepted".to_owned(),
        ReplyBody::Act(act) => format!("act {} {}", act.act, act.ground),
        ReplyBody::Completed { .. } => "completed".to_owned(),
        ReplyBody::Otherwise(outcome) => outcome.kind.code().to_owned(),
    }
}

mod answers {
    use super::*;

    #[tokio::test]
    async fn a_lookup_completes_in_the_answer() {
        let town = Town::with("").await;
        let reply = invoke(&town, &call(1)).await.unwrap();
        let ReplyBody::Completed { output, documents } = reply.body else {
            panic!("not completed");
        };
        assert_eq!(output.get("no"), Some(&Value::from("P-2026-001")));
        assert_eq!(documents, []);
        assert_eq!(town.inbox.replies(), []);
    }

    #[tokio::test]
    async fn a_permit_has_a_number_from_call_and_seed() {
        let town = Town::with("").await;
        let permit = call_of("issue_planning_permit", 1);
        let reply = invoke(&town, &permit).await.unwrap();
        let ReplyBody::Completed { documents, .. } = reply.body else {
            panic!("not completed");
        };
        let [document] = &documents[..] else {
            panic!("{documents:?}");
        };
        assert_eq!(document.role, "permit");
        assert!(document.number.starts_with("建字第4203002026"), "{}", document.number);
        let elsewhere = Town::with("").await;
        let again = invoke(&elsewhere, &permit).await.unwrap();
        assert!(
            matches!(again.body, ReplyBody::Completed { documents: other, .. } if other == documents)
        );
    }

    #[tokio::test]
    async fn outcomes_other_than_completed_are_answers() {
        let rules = r#"
            {"match": {"nth": 1}, "inject": {"outcome": {"reject": {"reason": "宗地已抵押"}}}},
            {"match": {"nth": 2}, "inject": {"outcome": {"needs_correction": {"items": [{"target": "/input/no", "code": "not_found"}]}}}},
            {"match": {"nth": 3}, "inject": {"outcome": {"needs_applicant": {"action": {"kind": "appear"}}}}},
            {"match": {"nth": 4}, "inject": {"outcome": "cancel"}}"#;
        let town = Town::with(rules).await;
        let table = [
            OutcomeKind::Rejected,
            OutcomeKind::NeedsCorrection,
            OutcomeKind::NeedsApplicant,
            OutcomeKind::Cancelled,
        ];
        for (n, kind) in (1..).zip(table) {
            let reply = invoke(&town, &call(n)).await.unwrap();
            let ReplyBody::Otherwise(outcome) = reply.body else {
                panic!("{kind:?} did not come");
            };
            assert_eq!(outcome.kind, kind);
            assert!(!outcome.reason.is_empty() && !outcome.detail.is_blank());
        }
    }

    #[tokio::test]
    async fn health_and_manifest_tell_what_the_agency_offers() {
        let town = Town::with("").await;
        let base = town.agency.base_url();
        let url = format!("{base}/cxp/1/health");
        let (status, bytes) = post(url, Vec::new()).await;
        assert_eq!(status, 200);
        let health = Health::from_bytes(&bytes).unwrap();
        assert_eq!((health.status.as_str(), health.operations.len()), ("ok", 3));

        let body = r#"{"cxp":"1.0","kind":"describe","from":{"region":"420300","system":"engine"},"to":{"region":"420300","system":"natural-resources"}}"#;
        let (_, bytes) = post(format!("{base}/cxp/1/describe"), body.into()).await;
        let manifest = Manifest::from_bytes(&bytes).unwrap();
        let names: Vec<&str> =
            manifest.operations.iter().map(|offer| offer.name.as_str()).collect();
        assert!(names.contains(&"natural-resources.register_title"), "{names:?}");
    }
}

mod faults {
    use super::*;

    #[tokio::test]
    async fn every_class_comes_through_with_its_effect() {
        let rules: Vec<String> = (1..)
            .zip(FaultClass::ALL)
            .map(|(nth, (_, code))| {
                format!(
                    r#"{{"match": {{"nth": {nth}}}, "inject": {{"fault": {{"class": "{code}", "effect": "none", "code": "injected", "retry_after_ms": 7}}}}}}"#
                )
            })
            .collect();
        let town = Town::with(&rules.join(",")).await;
        for (n, (class, _)) in (1..).zip(FaultClass::ALL) {
            let fault = invoke(&town, &call(n)).await.unwrap_err();
            assert_eq!((fault.class, fault.effect), (class, Effect::None));
            assert_eq!((fault.code.as_str(), fault.retry_after), ("injected", Some(7)));
        }
        assert_eq!(town.ledger().effects(), []);
        assert!(invoke(&town, &call(1)).await.is_ok(), "a retry with the same id goes through");
    }

    #[tokio::test]
    async fn garbage_and_cut_connections_leave_the_effect_unknown() {
        let table = [
            ("html_200", 1),
            ("truncated_json", 1),
            ("lost_after_effect", 1),
            ("lost_before_effect", 0),
            ("down", 0),
        ];
        for (spoil, effects) in table {
            let rule =
                format!(r#"{{"match": {{"attempt": 1}}, "inject": {{"answer": "{spoil}"}}}}"#);
            let town = Town::with(&rule).await;
            let fault = invoke(&town, &call(1)).await.unwrap_err();
            assert_eq!(
                (fault.class, fault.effect),
                (FaultClass::Unknown, Effect::Unknown),
                "{spoil}"
            );
            assert_eq!(town.ledger().effects().len(), effects, "{spoil}");
            invoke(&town, &call(1)).await.unwrap();
            assert_eq!(town.ledger().effects_of(call(1).id), 1, "{spoil}");
        }
    }

    #[tokio::test]
    async fn an_agency_that_does_not_listen_is_unavailable() {
        let town = Town::with("").await;
        let url = town.agency.base_url();
        town.agency.shutdown().await;
        let connector = fixture::connector(&url, &town.engine_clock);
        let fault = connector.invoke(&call(1), &context()).await.unwrap_err();
        assert_eq!((fault.class, fault.effect), (FaultClass::Unavailable, Effect::None));
        let fault = connector.query(&call(1), &context()).await.unwrap_err();
        assert_eq!((fault.class, fault.effect), (FaultClass::Unavailable, Effect::Unknown));
    }

    #[tokio::test]
    async fn a_gateway_that_answers_for_a_dead_agency_proves_nothing() {
        let town = Town::with("").await;
        town.agency.set_availability(Availability::Down);
        assert_eq!(invoke(&town, &call(1)).await.unwrap_err().class, FaultClass::Unknown);
        assert_eq!(query(&town, &call(1)).await.unwrap_err().class, FaultClass::Unknown);
        town.agency.set_availability(Availability::Up);
        assert!(invoke(&town, &call(1)).await.is_ok());
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_in_time_is_unknown() {
        let town = Town::with(r#"{"inject": {"latency_ms": 60000}}"#).await;
        let (call, context) = (call(1), context());
        let waiting = town.connector.invoke(&call, &context);
        let passing = async {
            town.ledger().until(|ledger| ledger.totals().effects == 1).await;
            town.engine_clock.advance(30_000);
        };
        let (answer, ()) = tokio::join!(waiting, passing);
        let fault = answer.unwrap_err();
        assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Unknown, "timed_out"));
    }

    #[tokio::test]
    async fn nothing_is_sent_when_no_time_is_left() {
        let town = Town::with("").await;
        town.engine_clock.advance(30_000);
        let fault = invoke(&town, &call(1)).await.unwrap_err();
        assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Unavailable, "no_time_left"));
        assert_eq!(town.ledger().events(), []);
    }

    #[tokio::test]
    async fn a_call_past_its_deadline_and_the_grace_is_expired() {
        let town = Town::with("").await;
        town.agency_clock.advance(300_000 + limits::DEADLINE_GRACE_MILLIS);
        assert!(invoke(&town, &call(1)).await.is_ok(), "the last moment counts");
        town.agency_clock.advance(1);
        let fault = invoke(&town, &call(2)).await.unwrap_err();
        assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Expired, "expired"));
        assert!(invoke(&town, &call(1)).await.is_ok(), "a known call keeps its reply");
    }

    #[tokio::test]
    async fn strangers_operations_and_receivers_are_refused() {
        let town = Town::with("").await;
        let fault = invoke(&town, &call_of("demolish", 1)).await.unwrap_err();
        assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Refused, "unknown_operation"));
        let body = String::from_utf8(render_invoke(&call(1), &fixture::sides()).body).unwrap();
        let body = body.replace(r#""system":"natural-resources""#, r#""system":"tax""#);
        let url = format!("{}/cxp/1/invoke", town.agency.base_url());
        let (status, _) = post(url, body.into()).await;
        assert_eq!(status, 400);
        assert_eq!(town.ledger().effects(), []);
    }
}

mod idempotency {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn twenty_at_once_get_one_answer_and_one_effect() {
        let town = Town::with("").await;
        let mut askers = JoinSet::new();
        for _ in 0..20 {
            let connector = Arc::clone(&town.connector);
            askers.spawn(async move { connector.invoke(&call(1), &context()).await });
        }
        let answers = askers.join_all().await;
        let first = answers[0].clone();
        assert!(first.is_ok() && answers.into_iter().all(|answer| answer == first));
        assert_eq!(town.ledger().effects_of(call(1).id), 1);
        assert_eq!(town.ledger().totals().invokes, 20);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn hundreds_of_calls_have_one_effect_each() {
        let town =
            Town::with(r#"{"match": {"every": 7}, "inject": {"answer": "lost_after_effect"}}"#)
                .await;
        let mut askers = JoinSet::new();
        for n in (0..=u8::MAX).chain(0..=u8::MAX) {
            let connector = Arc::clone(&town.connector);
            askers.spawn(async move { connector.invoke(&call(n), &context()).await });
        }
        let answers = askers.join_all().await;
        let lost = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(lost, 512 / 7);
        assert_eq!(town.ledger().effects().len(), 256);
        assert_eq!(town.ledger().double_effects(), []);
    }

    #[tokio::test]
    async fn the_reply_is_the_same_byte_for_byte_even_after_a_restart() {
        let town = Town::with("").await;
        let body = render_invoke(&call(1), &fixture::sides()).body;
        let invoke_at = |agency: &SandboxAgency| format!("{}/cxp/1/invoke", agency.base_url());
        let first = post(invoke_at(&town.agency), body.clone()).await;
        town.agency_clock.advance(1_000);
        assert_eq!(post(invoke_at(&town.agency), body.clone()).await, first);

        let mut options = fixture::options("", &town.callback_url, &town.agency_clock);
        options.ledger = Arc::clone(town.ledger());
        town.agency.shutdown().await;
        let agency = SandboxAgency::start(options).await.unwrap();
        assert_eq!(post(invoke_at(&agency), body).await, first);
        assert_eq!(agency.ledger().effects().len(), 1);
    }

    #[tokio::test]
    async fn the_same_id_for_other_content_is_a_conflict() {
        let town = Town::with("").await;
        invoke(&town, &call(1)).await.unwrap();
        let other = Call { input: Value::map(), ..call(1) };
        let fault = invoke(&town, &other).await.unwrap_err();
        assert_eq!((fault.class, fault.effect), (FaultClass::Conflict, Effect::Applied));
    }

    #[tokio::test]
    async fn the_same_input_in_other_bytes_adopts_the_stored_reply() {
        let town = Town::with("").await;
        let first = invoke(&town, &call(1)).await.unwrap();
        let other = Call { deadline: call(1).deadline.plus_millis(1), ..call(1) };
        assert_eq!(invoke(&town, &other).await, Ok(first));
        assert_eq!(town.ledger().effects().len(), 1);
    }
}

mod queries {
    use super::*;

    #[tokio::test]
    async fn a_lost_reply_is_found_by_id_and_a_repetition_does_not_double() {
        let rule = r#"{"match": {"attempt": 1}, "inject": {"answer": "lost_after_effect"}}"#;
        let town = Town::with(rule).await;
        assert!(invoke(&town, &call(1)).await.is_err());
        let Ok(Queried::Known(found)) = query(&town, &call(1)).await else {
            panic!("the agency forgot the call");
        };
        assert_eq!(invoke(&town, &call(1)).await, Ok(found));
        assert_eq!(town.ledger().effects_of(call(1).id), 1);
    }

    #[tokio::test]
    async fn an_unknown_id_is_fenced_for_good() {
        let town = Town::with("").await;
        assert_eq!(query(&town, &call(1)).await, Ok(Queried::UnknownFenced));
        let fault = invoke(&town, &call(1)).await.unwrap_err();
        assert_eq!((fault.class, fault.effect), (FaultClass::Expired, Effect::None));
        assert_eq!(fault.code, "fenced");
        assert_eq!(query(&town, &call(1)).await, Ok(Queried::UnknownFenced));
        assert!(invoke(&town, &call(2)).await.is_ok());
        assert_eq!(town.ledger().effects_of(call(1).id), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_query_beside_an_invoke_sees_it_or_stops_it() {
        let town = Town::with("").await;
        for n in 0..60 {
            let call = call(n);
            let (asked, invoked) = tokio::join!(query(&town, &call), invoke(&town, &call));
            let fenced = asked == Ok(Queried::UnknownFenced);
            assert_eq!(fenced, invoked.is_err(), "{asked:?} {invoked:?}");
            assert_eq!(town.ledger().effects_of(call.id), usize::from(!fenced));
        }
    }

    #[tokio::test]
    async fn a_forgotten_call_is_told_apart_from_an_unknown_one() {
        let town = Town::with("").await;
        invoke(&town, &call(1)).await.unwrap();
        town.ledger().forget(call(1).id);
        assert_eq!(query(&town, &call(1)).await, Ok(Queried::Forgotten));
        let fault = invoke(&town, &call(1)).await.unwrap_err();
        assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Conflict, "forgotten"));
    }

    #[tokio::test]
    async fn an_agency_without_callbacks_tells_those_who_ask_step_by_step() {
        let rule = r#"{"inject": {"mode": "accepted_then_query_only"}}"#;
        let town = Town::with(rule).await;
        let title = call_of("register_title", 1);
        let mut said = vec![says(&invoke(&town, &title).await.unwrap())];
        for _ in 0..4 {
            let Ok(Queried::Known(reply)) = query(&town, &title).await else {
                panic!("the agency does not know the call");
            };
            said.push(says(&reply));
        }
        let wanted = ["accepted", "act accepted ", "act decided granted", "completed", "completed"];
        assert_eq!(said, wanted);
        assert_eq!(town.inbox.replies(), []);
    }
}

mod callbacks {
    use super::*;

    #[tokio::test]
    async fn acts_arrive_in_order_and_before_the_end() {
        let town = Town::with("").await;
        let title = call_of("register_title", 1);
        let reply = invoke(&town, &title).await.unwrap();
        assert_eq!(says(&reply), "accepted");
        town.inbox.until(3).await;
        let replies = town.inbox.replies();
        let said: Vec<(u32, String)> =
            replies.iter().map(|reply| (reply.seq, says(reply))).collect();
        let wanted = [
            (2, "act accepted ".to_owned()),
            (3, "act decided granted".to_owned()),
            (4, "completed".to_owned()),
        ];
        assert_eq!(said, wanted);
        let ReplyBody::Act(decided) = &replies[1].body else {
            panic!("no decision");
        };
        let ReplyBody::Completed { documents, .. } = &replies[2].body else {
            panic!("no end");
        };
        assert_eq!(decided.document_no, documents[0].number);
        assert_eq!(decided.effective_at, fixture::start_of_demo());
        assert_eq!(decided.detail.get("number"), Some(&Value::text(&documents[0].number)));
        let Ok(Queried::Known(newest)) = query(&town, &title).await else {
            panic!("the agency forgot the call");
        };
        assert_eq!(newest, replies[2], "a query brings the same bytes");
    }

    #[tokio::test]
    async fn a_denial_is_an_act_with_reasons() {
        let rule = r#"{"inject": {"outcome": {"reject": {"reason": "权属有争议"}}}}"#;
        let town = Town::with(rule).await;
        invoke(&town, &call_of("register_title", 1)).await.unwrap();
        town.inbox.until(3).await;
        let replies = town.inbox.replies();
        assert_eq!(says(&replies[1]), "act decided denied");
        assert_eq!(says(&replies[2]), "rejected");
        let ReplyBody::Act(denied) = &replies[1].body else {
            panic!("no decision");
        };
        assert_eq!(denied.detail.get("reason"), Some(&Value::from("权属有争议")));
        assert_eq!(denied.document_no, "");
    }

    #[tokio::test]
    async fn a_correction_is_asked_for_without_any_act() {
        let rule = r#"{"inject": {"outcome": {"needs_correction": {"items": [{"target": "/input/parcel"}]}}}}"#;
        let town = Town::with(rule).await;
        invoke(&town, &call_of("register_title", 1)).await.unwrap();
        town.inbox.until(1).await;
        assert_eq!(says(&town.inbox.replies()[0]), "needs_correction");
    }

    #[tokio::test]
    async fn a_given_up_delivery_is_taken_up_when_the_caller_asks() {
        let town = Town::with(r#"{"inject": {"mode": "async"}}"#).await;
        let nowhere = format!("{}/nowhere", town.agency.base_url());
        town.agency.call_back_to(&nowhere).unwrap();
        invoke(&town, &call(1)).await.unwrap();
        let clock = Arc::clone(&town.agency_clock);
        let failed = |ledger: &Ledger, count: usize| ledger.totals().callbacks >= count;
        for count in 1..=limits::DELIVERY_ATTEMPTS_MAX as usize {
            town.ledger().until(|ledger| failed(ledger, count)).await;
            clock.until_waits(2 * count).await;
            clock.advance(i64::try_from(limits::DELIVERY_BACKOFF_MILLIS_MAX).unwrap());
        }
        town.ledger().until(|ledger| ledger.is_resting(call(1).id)).await;
        town.agency.call_back_to(&town.callback_url).unwrap();
        query(&town, &call(1)).await.unwrap();
        town.inbox.until(1).await;
        assert_eq!(says(&town.inbox.replies()[0]), "completed");
    }

    #[tokio::test]
    async fn a_callback_may_come_before_the_answer() {
        let rule = r#"{"inject": {"mode": "callback_before_202"}}"#;
        let town = Town::with(rule).await;
        let reply = invoke(&town, &call(1)).await.unwrap();
        assert_eq!(says(&reply), "accepted");
        let taken = town.inbox.replies();
        assert_eq!(taken.iter().map(says).collect::<Vec<_>>(), ["completed"]);
        assert!(taken[0].seq > reply.seq);
    }

    #[tokio::test]
    async fn a_message_is_sent_until_it_is_stored() {
        let full = || Err(InboxError("full".to_owned()));
        let town = Town::answering(r#"{"inject": {"mode": "async"}}"#, [full(), full()]).await;
        invoke(&town, &call(1)).await.unwrap();
        town.agency_clock.until_asked(50).await;
        town.agency_clock.advance(50);
        town.agency_clock.until_asked(100).await;
        town.agency_clock.advance(100);
        town.inbox.until(3).await;
        let replies = town.inbox.replies();
        assert!(replies.iter().all(|reply| *reply == replies[0]));
        let id = call(1).id;
        let answers = [None, None, Some(Ack::Stored)];
        let acked = answers.map(|ack| LedgerEvent::CallbackAnswered(id, 2, ack));
        town.ledger()
            .until(|ledger| {
                let all = ledger.events().into_iter();
                let answered =
                    all.filter(|event| matches!(event, LedgerEvent::CallbackAnswered(..)));
                answered.eq(acked.iter().cloned())
            })
            .await;
    }

    #[tokio::test]
    async fn an_agency_on_duty_again_delivers_what_was_left() {
        let town = Town::with("").await;
        let mut options = fixture::options("", &town.callback_url, &town.agency_clock);
        options.callback_url = None;
        let mute = SandboxAgency::start(options.clone()).await.unwrap();
        let connector = fixture::connector(&mute.base_url(), &town.engine_clock);
        connector.invoke(&call_of("register_title", 1), &context()).await.unwrap();
        town.agency_clock.until_asked(limits::DELIVERY_BACKOFF_MILLIS_MIN).await;
        mute.shutdown().await;

        options.callback_url = Some(town.callback_url.clone());
        let agency = SandboxAgency::start(options).await.unwrap();
        town.inbox.until(3).await;
        let said: Vec<u32> = town.inbox.replies().iter().map(|reply| reply.seq).collect();
        assert_eq!(said, [2, 3, 4]);
        assert_eq!(agency.ledger().effects().len(), 1);
    }

    #[tokio::test]
    async fn duplicates_and_contradictions_come_when_ordered() {
        let rule = r#"{"inject": {
            "mode": "async", "duplicate_callback": 2, "second_terminal": {"reject": {"reason": "更正"}}}}"#;
        let acks = [Ack::Stored, Ack::Duplicate, Ack::Duplicate, Ack::TerminalConflict];
        let town = Town::answering(rule, acks.map(Ok)).await;
        invoke(&town, &call(1)).await.unwrap();
        town.inbox.until(4).await;
        let said: Vec<(u32, String)> =
            town.inbox.replies().iter().map(|reply| (reply.seq, says(reply))).collect();
        let completed = (2, "completed".to_owned());
        assert_eq!(said[..3], [completed.clone(), completed.clone(), completed]);
        assert_eq!(said[3], (3, "rejected".to_owned()));
        let id = call(1).id;
        let last = LedgerEvent::CallbackAnswered(id, 3, Some(Ack::TerminalConflict));
        town.ledger().until(|ledger| ledger.events().contains(&last)).await;
        assert_eq!(town.ledger().effects().len(), 1);
    }
}
