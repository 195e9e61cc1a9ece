//! The form on disk: a version byte, then postcard.
//!
//! Entries are their own wire form. Golden files hold the bytes of every released form; when one
//! changes, the old types move here under their version and convert on reading.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version that is written.
pub const VERSION: u8 = 1;

/// Bytes that are not a record of a known version.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WireError {
    /// Nothing there.
    #[error("the record is empty")]
    Empty,
    /// Written by a newer program.
    #[error("the record has version {0}, this program reads up to {VERSION}")]
    Version(u8),
    /// Not decodable.
    #[error("the record cannot be decoded: {0}")]
    Form(postcard::Error),
}

/// Writes a record.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![VERSION]).expect("memory is the only limit of a buffer")
}

/// Reads a record.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    match bytes.split_first() {
        None => Err(WireError::Empty),
        Some((&VERSION, body)) => postcard::from_bytes(body).map_err(WireError::Form),
        Some((version, _)) => Err(WireError::Version(*version)),
    }
}

#[cfg(test)]
mod coverage;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::expect_file;

    use super::*;
    use crate::agency::{AgencyAct, AgencyReply, BodyDigest, DocumentRef, ReplyBody};
    use crate::card::{CardAnswer, CardAnswerKind, CardLevel, CardRaised};
    use crate::definition::{After, DecidesIn, Intake, Limits, Part, Regime};
    use crate::digest::Digest;
    use crate::document::{
        Attachment, DocumentKind, DocumentNo, NumberParts, SealKind, SealRecord, Service,
        ServiceMode,
    };
    use crate::entry::{
        Arrival, Body, CallMade, CallRenewed, CaseStarted, Consent, DocumentDrafted,
        DocumentSealed, DocumentServed, Entry, FormChanged, Incident, IncidentKind, MatterFiled,
        Origin, Party, PlannedMatter, Requested, RunFailed, RunPlace, ScriptVersion, TaskAssigned,
        TaskKind, TaskOpened,
    };
    use crate::id::{
        CallId, DepartmentCode, MatterCode, MatterNo, RegionCode, RoleCode, Seq, ServiceCode,
    };
    use crate::law::{
        Act, ActAnswer, ActKind, ClockKind, CorrectionList, Procedure, Promised, Rules, Terms,
    };
    use crate::material::{Attempt, Cause, Form, Found, MaterialFound, MaterialGiven};
    use crate::partial::{Partial, PartialOutcome};
    use crate::prefill::{Authority, FieldsTried};
    use crate::recommend::{Recommendation, Recommended};
    use crate::request::{Ask, Decision, Evidence, Outcome, OutcomeKind, RequestKey};
    use crate::time::Moment;
    use crate::value::Value;
    use crate::way_out::{
        CaseRebound, Handling, IncidentSettled, Message, Overriding, ResultOverridden, RunRewound,
        Tail, WayOut,
    };

    fn at() -> Moment {
        Moment::parse("2026-03-02T09:00:00+08:00").unwrap()
    }

    fn key() -> RequestKey {
        RequestKey { run: 1, generation: 0, scope: vec![2], ordinal: 3 }
    }

    fn made() -> CallMade {
        CallMade {
            id: CallId([4; 16]),
            generation: 1,
            connector: "natural-resources".to_owned(),
            region: RegionCode::new("420302"),
            issued_at: at(),
            deadline: at().plus_millis(300_000),
            reply_within: "15 working days".parse().ok(),
            body: Some(BodyDigest { encoding: 1, digest: Digest([5; 32]) }),
        }
    }

    fn given(form: Form) -> MaterialGiven {
        let digest = Digest([2; 32]);
        MaterialGiven { bytes: 9, form, ..MaterialGiven::file("design", "设计.pdf", digest) }
    }

    fn consent() -> Consent {
        Consent {
            license: "real-estate-title".to_owned(),
            holder: "91420302MA4DEM010M".to_owned(),
            purpose: "*".to_owned(),
            text_version: "2026-1".to_owned(),
        }
    }

    fn requested(ask: Ask, call: Option<CallMade>) -> Body {
        let digest = Digest([5; 32]);
        Body::Requested(Arc::new(Requested {
            key: key(),
            seen: Seq(9),
            digest,
            ask,
            call,
            adopts: None,
        }))
    }

    fn replied(body: ReplyBody) -> Body {
        let digest = Digest([6; 32]);
        let reply = AgencyReply { call: CallId([4; 16]), seq: 2, digest, at: at(), body };
        Body::CallReplied(Arc::new(reply))
    }

    fn started() -> Body {
        Body::CaseStarted(Arc::new(CaseStarted {
            number: "420302202603020000018".to_owned(),
            service: ServiceCode::new("construction-start"),
            service_name: "开工审批一件事".to_owned(),
            closure: Digest([1; 32]),
            api_level: 1,
            region: RegionCode::new("420302"),
            lead: DepartmentCode::new("housing-construction"),
            promise: "1 working day".parse().ok(),
            applicant: Party { id: "91420302MA4DEM010M".to_owned(), name: "示例".to_owned() },
            agent: None,
            answers: Value::of([("basement", true.into())]),
            form: Value::of([("floor_area", Value::Decimal("26840.50".parse().unwrap()))]),
            provenance: vec![("floor_area".to_owned(), "data:land".to_owned())],
            materials: vec![given(Form::File)],
            consents: vec![consent()],
            arrival: Arrival {
                channel: 1, received_at: Some(at()), evidence: "收件 1".to_owned()
            },
            matters: vec![PlannedMatter {
                code: MatterCode::new("investment-filing"),
                name: "备案".to_owned(),
                department: DepartmentCode::new("development-reform"),
                skipped: false,
                after: vec![MatterNo(2)],
                computed: Some(Box::new(Part {
                    after: vec![
                        (MatterCode::new("b"), After::Accepted),
                        (MatterCode::new("c"), After::Granted),
                        (MatterCode::new("d"), After::Ended),
                    ],
                    tolerates: vec!["m".to_owned()],
                    place: Some(RegionCode::new("420303")),
                    key: "甲".to_owned(),
                    ..Part::new(MatterCode::new("investment-filing"))
                })),
            }],
        }))
    }

    fn filed() -> Body {
        let found = |code: &str, how| MaterialFound { code: code.to_owned(), how };
        Body::MatterFiled(Arc::new(MatterFiled {
            rules: Rules::resolve(
                Regime::Licence,
                Limits { statutory: "20 working days".parse().ok(), promised: None },
                &Procedure::default(),
            ),
            intake: Intake::Window,
            decides_in: DecidesIn::Here,
            calendar: "cn-2024-2026".to_owned(),
            materials: vec![
                found("a", Found::ResultOf { matter: MatterNo(1), number: "P-1".to_owned() }),
                found("b", Found::Given { digest: Digest([3; 32]) }),
                found("c", Found::Owed { from: Some(MatterNo(4)) }),
                found("d", Found::Missing),
                found("e", Found::License { number: "L".to_owned(), digest: Digest([3; 32]) }),
                found("f", Found::Data { resource: "tax".to_owned(), digest: Digest([3; 32]) }),
                found("g", Found::Committed { text_version: "1".to_owned() }),
                found("h", Found::Asked { request: key() }),
            ],
        }))
    }

    fn acts() -> Vec<Body> {
        let act = |kind, ground: &str| {
            let act = Act::new(kind, at(), ground);
            Act { document_no: "N".to_owned(), ..act }
        };
        let done = |kind, terms| Body::Acted {
            act: act(kind, "").with(terms),
            answer: ActAnswer::Done,
            request: None,
        };
        let days = "5 working days".parse().unwrap();
        let list = CorrectionList {
            materials: vec!["a".to_owned()],
            fields: vec!["b".to_owned()],
            text: "缺页".to_owned(),
            limit: Some(days),
            served_at: Some(at()),
        };
        let promise = Promised { material: "a".to_owned(), within: days };
        let approved_by = "h".to_owned();
        let refused =
            ActAnswer::Refused { code: "WRONG_STATE".to_owned(), reason: "…".to_owned() };
        vec![
            Body::Acted {
                act: act(ActKind::Grant, ""),
                answer: ActAnswer::Done,
                request: Some(key()),
            },
            Body::Acted {
                act: act(ActKind::Accept, ""),
                answer: ActAnswer::Already,
                request: None,
            },
            Body::Acted { act: act(ActKind::Suspend, "hearing"), answer: refused, request: None },
            done(ActKind::AskCorrection, Terms::Correction(list)),
            done(ActKind::Suspend, Terms::Suspension { expected: Some(days) }),
            done(ActKind::Extend, Terms::Extension { by: days, approved_by }),
            done(ActKind::Accept, Terms::Promises(vec![promise])),
            done(ActKind::Terminate, Terms::ByRule("第七条".to_owned())),
            done(ActKind::Receive, Terms::Remaining { left: days }),
        ]
    }

    fn calls() -> Vec<Body> {
        let call = Ask::Call {
            operation: "natural-resources.parcel".to_owned(),
            place: None,
            input: Value::of([("no", Value::Int(1))]),
        };
        let document = DocumentRef {
            role: "permit".to_owned(),
            number: "P-1".to_owned(),
            digest: Digest([7; 32]),
        };
        let reported = AgencyAct {
            act: "decided".to_owned(),
            effective_at: at(),
            document_no: "P-1".to_owned(),
            ground: "granted".to_owned(),
            officer: "o".to_owned(),
            detail: Value::map(),
        };
        let outcome =
            Outcome {
                kind: OutcomeKind::Rejected, reason: "不符".to_owned(), detail: Value::Null
            };
        let accepted = ReplyBody::Accepted {
            ticket: Some("T".to_owned()),
            expect_by: None,
            next_query_after: Some(60_000),
        };
        vec![
            requested(call, Some(made())),
            replied(accepted),
            replied(ReplyBody::Act(reported)),
            replied(ReplyBody::Completed { output: Value::map(), documents: vec![document] }),
            replied(ReplyBody::Otherwise(outcome)),
            Body::CallRenewed(Arc::new(CallRenewed {
                request: key(),
                old: CallId([4; 16]),
                call: made(),
            })),
        ]
    }

    fn people() -> Vec<Body> {
        let decide = Ask::Decide {
            role: "natural-resources.approver".to_owned(),
            title: "审批".to_owned(),
            facts: Value::Null,
            options: Value::Null,
        };
        let timer = Ask::Timer { text: "1 working day".to_owned(), due: at() };
        let act = Ask::Act {
            act: ActKind::Grant,
            evidence: Some(Evidence::Decision(key())),
            detail: Value::Null,
        };
        let opened = TaskOpened {
            kind: TaskKind::Decide,
            role: RoleCode::new("natural-resources.approver"),
            region: RegionCode::new("420302"),
            title: "审批".to_owned(),
            facts: Value::List(vec![Value::Bool(true), Value::Text("x".to_owned())]),
            request: Some(key()),
            call: None,
            before: Some(Seq(6)),
        };
        let decision = Decision {
            granted: true,
            opinion: "同意".to_owned(),
            officer: "o".to_owned(),
            fields: Value::Null,
        };
        let again = decision.clone();
        vec![
            requested(decide, None),
            requested(timer, None),
            requested(act, None),
            Body::TimerFired { request: key(), due: at() },
            Body::TaskOpened(Arc::new(opened)),
            Body::TaskClaimed { task: Seq(7), by: "o".to_owned() },
            Body::TaskReleased { task: Seq(7) },
            Body::TaskCompleted { task: Seq(7), decision },
            Body::TaskDropped { task: Seq(7) },
            Body::TaskAssigned(Arc::new(TaskAssigned {
                task: Seq(7),
                to: "p".to_owned(),
                until: Some(at()),
                instead_of: Some("o".to_owned()),
                reason: "休假".to_owned(),
            })),
            Body::TaskEscalated {
                task: Seq(7),
                to: RoleCode::new("natural-resources.head"),
                reason: "重大".to_owned(),
            },
            Body::TaskUrged { task: Seq(7), reason: "请尽快".to_owned() },
            Body::DraftSaved { task: Seq(7), draft: Value::map() },
            Body::DecisionProposed { task: Seq(7), decision: again },
            Body::TaskRefreshed { task: Seq(7), facts: Value::map() },
        ]
    }

    fn rest() -> Vec<Body> {
        let incident = Incident {
            kind: IncidentKind::ReplayMismatch,
            message: "…".to_owned(),
            expected: "a".to_owned(),
            got: "b".to_owned(),
            file: "matters/a.rhai".to_owned(),
            line: 3,
            column: 5,
            call: Some(CallId([4; 16])),
        };
        vec![
            Body::CaseSubmitted,
            Body::InputArrived { from: MatterNo(1), version: 1, digest: Digest([8; 32]) },
            Body::IncidentRaised(Arc::new(incident)),
            Body::RunFinished { run: 1 },
            Body::OutcomeUncaught { request: key() },
            Body::RunRestarted { generation: 2 },
        ]
    }

    fn materials() -> Vec<Body> {
        let commitment = Form::Commitment { text_version: "1".to_owned() };
        vec![
            Body::FormChanged(Arc::new(FormChanged {
                fields: Value::of([("floor_area", Value::Int(9))]),
                source: "clerk".to_owned(),
                reason: "录入有误".to_owned(),
                evidence: "收件 1".to_owned(),
            })),
            Body::MaterialHanded(Arc::new(given(commitment))),
            Body::Consented(Arc::new(consent())),
            Body::MaterialTried(Arc::new(Attempt {
                material: "title".to_owned(),
                source: "license:real-estate-title".to_owned(),
                cause: Cause::Unavailable,
            })),
            Body::MaterialMet(Arc::new(MaterialFound {
                code: "title".to_owned(),
                how: Found::Missing,
            })),
            Body::InputSuperseded { material: "title".to_owned(), version: 2 },
            Body::CallAbandoned { call: CallId([4; 16]) },
        ]
    }

    fn number() -> DocumentNo {
        DocumentNo::derive(&NumberParts {
            office_word: "十自规",
            kind: DocumentKind::Receipt,
            year: 2026,
            case_number: "420302202603020000018",
            matter: MatterNo(1),
            running: 1,
        })
        .unwrap()
    }

    fn seal() -> SealRecord {
        SealRecord {
            version: SealRecord::VERSION,
            kind: SealKind::Trial,
            name: "试用印章".to_owned(),
            office: "示例局".to_owned(),
            signer: "s".to_owned(),
            key_id: "trial-1".to_owned(),
            algorithm: "Ed25519".to_owned(),
            signed_at: at(),
            made_at: at(),
            valid_from: at(),
            valid_until: at(),
            document_no: number(),
            digest: Digest([9; 32]),
            signature: vec![1, 2, 3],
        }
    }

    fn served(how: ServiceMode) -> Body {
        let copy = Attachment { name: "送达回证.pdf".to_owned(), digest: Digest([8; 32]) };
        let service = Service { at: at(), how, evidence: vec![copy] };
        Body::DocumentServed(Arc::new(DocumentServed {
            number: number(),
            service,
            evidence: "回执 1".to_owned(),
        }))
    }

    fn records() -> Vec<Body> {
        let raised = CardRaised {
            rule: "promised-red".to_owned(),
            rules_version: "1".to_owned(),
            level: CardLevel::Red,
            clock: ClockKind::Promised,
            about: String::new(),
            since: at(),
            at: at(),
            due: at(),
            to: "natural-resources.head".to_owned(),
            reply_due: Some(at()),
        };
        let answered =
            CardAnswer {
                card: Seq(9), kind: CardAnswerKind::Appeal, text: "系统停机".to_owned()
            };
        vec![
            Body::ClockFired { clock: ClockKind::Correction, about: String::new(), due: at() },
            Body::PeriodRenewed {
                clock: ClockKind::Tolerance,
                about: "title".to_owned(),
                budget: "5 working days".parse().unwrap(),
                reason: "同意延期".to_owned(),
            },
            Body::CardRaised(Arc::new(raised)),
            Body::CardAnswered(Arc::new(answered)),
            Body::DocumentDrafted(Arc::new(DocumentDrafted { number: number(), about: Seq(5) })),
            Body::DocumentSealed(Arc::new(DocumentSealed {
                number: number(),
                digest: Digest([9; 32]),
                seal: seal(),
            })),
            served(ServiceMode::Window { signed_by: "示例".to_owned() }),
            served(ServiceMode::Post { waybill: "EMS1".to_owned(), signed_at: Some(at()) }),
            served(ServiceMode::Electronic { system: "s".to_owned(), arrived_at: None }),
            served(ServiceMode::Announcement { place: "公告栏".to_owned(), days: 30 }),
            Body::EntryVoided { entry: Seq(5), reason: "误录".to_owned() },
            Body::CalendarChanged { version: "cn-2027".to_owned() },
        ]
    }

    /// Forms that came later; each addition goes to the end.
    fn since() -> Vec<Body> {
        let patch = Ask::Patch { id: "second-opinion".to_owned(), deprecated: false };
        vec![requested(patch, None)]
    }

    fn let_go() -> Vec<Body> {
        vec![
            Body::RequestReleased { request: key(), by: Seq(8) },
            Body::ObligationResolved {
                call: CallId([4; 16]),
                reason: "已电话核实".to_owned(),
                officers: vec!["o".to_owned(), "p".to_owned()],
            },
        ]
    }

    /// What differs by nothing but a kind, once for each.
    fn by_kind() -> Vec<Body> {
        let acts = ActKind::ALL.iter().map(|(kind, _, _)| Body::Acted {
            act: Act::new(*kind, at(), ""),
            answer: ActAnswer::Done,
            request: None,
        });
        let clocks = ClockKind::ALL.iter().map(|(clock, _, _)| Body::ClockFired {
            clock: *clock,
            about: String::new(),
            due: at(),
        });
        let incidents = IncidentKind::ALL
            .iter()
            .map(|(kind, _)| Body::IncidentRaised(Arc::new(Incident::new(*kind, ""))));
        let attempts = Cause::ALL.iter().map(|(cause, _, _)| {
            let (material, source) = ("title".to_owned(), "upload".to_owned());
            Body::MaterialTried(Arc::new(Attempt { material, source, cause: *cause }))
        });
        let outcomes = [
            OutcomeKind::Rejected,
            OutcomeKind::NeedsCorrection,
            OutcomeKind::NeedsApplicant,
            OutcomeKind::Cancelled,
            OutcomeKind::TimedOut,
        ];
        let outcomes = outcomes.map(|kind| {
            let (reason, detail) = (String::new(), Value::Null);
            replied(ReplyBody::Otherwise(Outcome { kind, reason, detail }))
        });
        let evidence = Ask::Act {
            act: ActKind::Grant,
            evidence: Some(Evidence::Call(key())),
            detail: Value::Null,
        };
        let units = ["1 working day", "2 calendar days", "3 hours", "4 minutes", "5 months"];
        let units = units.map(|budget| Body::PeriodRenewed {
            clock: ClockKind::Tolerance,
            about: String::new(),
            budget: budget.parse().unwrap(),
            reason: String::new(),
        });
        let official = Body::DocumentSealed(Arc::new(DocumentSealed {
            number: number(),
            digest: Digest([9; 32]),
            seal: SealRecord { kind: SealKind::Official, ..seal() },
        }));
        let kinds =
            acts.chain(clocks).chain(incidents).chain(attempts).chain(outcomes).chain(units);
        let rest = [tasks_by_kind(), cards_by_kind(), filed_by_kind()].concat();
        kinds.chain([requested(evidence, None), official]).chain(rest).collect()
    }

    fn tasks_by_kind() -> Vec<Body> {
        let opened = |kind| TaskOpened {
            kind,
            role: RoleCode::new("natural-resources.approver"),
            region: RegionCode::new("420302"),
            title: String::new(),
            facts: Value::Null,
            request: None,
            call: None,
            before: None,
        };
        let kinds = TaskKind::ALL.iter();
        kinds.map(|(kind, _, _)| Body::TaskOpened(Arc::new(opened(*kind)))).collect()
    }

    fn cards_by_kind() -> Vec<Body> {
        let raised = |level| CardRaised {
            rule: String::new(),
            rules_version: String::new(),
            level,
            clock: ClockKind::Promised,
            about: String::new(),
            since: at(),
            at: at(),
            due: at(),
            to: String::new(),
            reply_due: None,
        };
        let levels = [CardLevel::Reminder, CardLevel::Yellow, CardLevel::Red];
        let answers = [
            CardAnswerKind::Reply,
            CardAnswerKind::Appeal,
            CardAnswerKind::AppealUpheld,
            CardAnswerKind::AppealRejected,
        ];
        let answers = answers.map(|kind| {
            let answer = CardAnswer { card: Seq(9), kind, text: String::new() };
            Body::CardAnswered(Arc::new(answer))
        });
        levels
            .map(|level| Body::CardRaised(Arc::new(raised(level))))
            .into_iter()
            .chain(answers)
            .collect()
    }

    fn filed_by_kind() -> Vec<Body> {
        let filed = |regime, intake, decides_in| MatterFiled {
            rules: Rules::of(regime, Limits::default()),
            intake,
            decides_in,
            calendar: String::new(),
            materials: Vec::new(),
        };
        let regimes = Regime::ALL
            .iter()
            .map(|(regime, _, _)| filed(*regime, Intake::Window, DecidesIn::Here));
        let rest = [
            filed(Regime::Filing, Intake::Auto, DecidesIn::Connector),
            filed(Regime::Filing, Intake::Auto, DecidesIn::Manual),
        ];
        regimes.chain(rest).map(|filed| Body::MatterFiled(Arc::new(filed))).collect()
    }

    fn ways() -> Vec<Body> {
        let with = Overriding::Output(Value::map());
        let outcome = Outcome::cancelled("已核实");
        let ways = [
            WayOut::Retry,
            WayOut::Rebind { closure: Digest([2; 32]) },
            WayOut::Restart { from: Seq(5) },
            WayOut::Override { request: key(), with },
            WayOut::Cancel,
            WayOut::Skip,
            WayOut::Acknowledge,
        ];
        let settled = ways.map(|way| {
            let reason = "已核实".to_owned();
            Body::IncidentSettled(Arc::new(IncidentSettled { incident: Seq(5), way, reason }))
        });
        let proposed =
            IncidentSettled { incident: Seq(5), way: WayOut::Skip, reason: "已核实".to_owned() };
        let rebound = CaseRebound {
            from: Digest([1; 32]),
            closure: Digest([2; 32]),
            api_level: 1,
            reason: "更正".to_owned(),
        };
        let overridden = ResultOverridden {
            request: key(),
            with: Overriding::Outcome(outcome),
            reason: "更正".to_owned(),
        };
        let back_to = |tail| Body::RunRewound(RunRewound { generation: 1, keep: Seq(5), tail });
        let rest = vec![
            Body::WayOutProposed(Arc::new(proposed)),
            Body::CaseRebound(Arc::new(rebound)),
            back_to(Tail::Discarded),
            back_to(Tail::Adopted),
            Body::ResultOverridden(Arc::new(overridden)),
            Body::CallReopened { call: CallId([4; 16]), deadline: at() },
            Body::CallPlaced { request: key(), call: made() },
        ];
        [settled.to_vec(), rest].concat()
    }

    fn steered() -> Vec<Body> {
        let reason = || "升级".to_owned();
        let message = |handling| {
            let channel = "site-visit".to_owned();
            Body::MessageArrived(Arc::new(Message { channel, body: Value::map(), handling }))
        };
        let undo = Ask::Compensate {
            operation: "natural-resources.release".to_owned(),
            place: None,
            input: Value::map(),
        };
        vec![
            Body::Paused { reason: reason() },
            Body::Resumed { reason: reason() },
            Body::CancelRequested { reason: reason() },
            Body::CompensationEnded,
            message(Handling::Optional),
            message(Handling::Required),
            Body::MessageTaken { request: key(), message: Seq(5) },
            requested(Ask::Receive { channel: "site-visit".to_owned() }, None),
            requested(undo, None),
        ]
    }

    fn urged() -> Vec<Body> {
        vec![Body::MatterUrged { reason: "请尽快".to_owned() }]
    }

    fn partial() -> Vec<Body> {
        let title = "是否继续".to_owned();
        let all = [
            Partial::GoOn,
            Partial::AskApplicant { title: title.clone() },
            Partial::AskLead { title },
        ];
        let outcome = |said| PartialOutcome { ended: vec![MatterNo(2)], said };
        all.map(|said| Body::PartialOutcome(Arc::new(outcome(said)))).into()
    }

    fn advices() -> Vec<Body> {
        let advised = |what| Body::IntakeRecommended(Arc::new(Recommended { generation: 1, what }));
        let list = CorrectionList { text: "补".to_owned(), ..CorrectionList::default() };
        let (ground, reason) = ("no_competence".to_owned(), "不在本市".to_owned());
        vec![
            Body::IntakeBegun { generation: 1 },
            advised(Recommendation::Accept),
            advised(Recommendation::Correct(list)),
            advised(Recommendation::NotAccept { ground, reason }),
            Body::FieldsTried(Arc::new(FieldsTried {
                fields: vec!["enterprise_name".to_owned()],
                source: "market-regulation.enterprise".to_owned(),
                request: Some(key()),
                cause: Some(Cause::Found),
                authority: Some(Authority {
                    by: "91420302MA4DEM010M".to_owned(),
                    purpose: "investment-filing".to_owned(),
                    text_version: "1".to_owned(),
                }),
                reason: String::new(),
            })),
        ]
    }

    fn failed() -> Vec<Body> {
        let incident = Arc::new(Incident::new(IncidentKind::ReplayMismatch, "…"));
        let version = |no, api_level| ScriptVersion { closure: Digest([no; 32]), api_level };
        let (written, replayed) = (version(1, 1), version(2, 2));
        let place = Arc::new(RunPlace { request: key(), seen: Seq(9), written, replayed });
        vec![Body::RunFailed(Arc::new(RunFailed { incident, place }))]
    }

    /// Every kind of entry, once at least.
    pub(super) fn entries() -> Vec<Entry> {
        let origins = [
            Origin::Engine,
            Origin::Script,
            Origin::Clock,
            Origin::Person { subject: "o".to_owned(), role: "approver".to_owned() },
            Origin::Agency { connector: "c".to_owned() },
        ];
        let bodies =
            [vec![started(), filed()], acts(), calls(), people(), rest(), materials(), records()]
                .into_iter()
                .chain([
                    since(),
                    let_go(),
                    by_kind(),
                    ways(),
                    steered(),
                    urged(),
                    advices(),
                    partial(),
                    failed(),
                ])
                .flatten();
        let numbered = (1..).map(Seq).zip(bodies).zip(origins.into_iter().cycle());
        let entry = |((seq, body), origin)| Entry {
            seq,
            matter: MatterNo(1),
            recorded_at: at(),
            effective_at: at(),
            origin,
            body,
        };
        numbered.map(entry).collect()
    }

    #[test]
    fn the_bytes_of_every_entry_stay_as_released() {
        let hex = |bytes: &[u8]| -> String {
            bytes
                .iter()
                .flat_map(|byte| [byte >> 4, byte & 15])
                .filter_map(|digit| char::from_digit(u32::from(digit), 16))
                .collect()
        };
        let lines: Vec<String> = entries().iter().map(|entry| hex(&encode(entry))).collect();
        expect_file!["golden/entries-v1.txt"].assert_eq(&(lines.join("\n") + "\n"));
    }

    #[test]
    fn released_bytes_still_read() {
        let golden = include_str!("golden/entries-v1.txt");
        let read = golden.lines().map(|line| {
            let digits: Vec<u32> = line.chars().filter_map(|digit| digit.to_digit(16)).collect();
            let bytes: Vec<u8> = digits
                .chunks(2)
                .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
                .collect();
            decode::<Entry>(&bytes).unwrap()
        });
        assert_eq!(read.collect::<Vec<_>>(), entries());
    }

    #[test]
    fn unknown_versions_and_torn_records_are_told_apart() {
        assert_eq!(decode::<Entry>(&[]), Err(WireError::Empty));
        assert_eq!(decode::<Entry>(&[9, 1]), Err(WireError::Version(9)));
        let bytes = encode(&entries()[0]);
        assert!(matches!(decode::<Entry>(&bytes[..20]), Err(WireError::Form(_))));
    }
}
