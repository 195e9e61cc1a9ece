//! The entries of a case's log: what happened, in the past tense.
//!
//! These types are also the form on disk (see [`crate::wire`]): variants are only ever added at
//! the end, fields never, and golden files hold the bytes of every released form.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agency::{AgencyReply, BodyDigest};
use crate::card::{CardAnswer, CardRaised};
use crate::definition::{DecidesIn, Intake, Part};
use crate::digest::Digest;
use crate::document::{DocumentNo, SealRecord, Service};
use crate::id::{
    CallId, DepartmentCode, MatterCode, MatterNo, RegionCode, RoleCode, Seq, ServiceCode,
};
use crate::law::{Act, ActAnswer, ClockKind, Rules};
use crate::material::{Attempt, MaterialFound, MaterialGiven};
use crate::partial::PartialOutcome;
use crate::prefill::FieldsTried;
use crate::recommend::Recommended;
use crate::request::{Ask, Decision, RequestKey};
use crate::time::{Moment, Period};
use crate::value::Value;
use crate::way_out::{CaseRebound, IncidentSettled, Message, ResultOverridden, RunRewound};

/// One item of a case's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the case's one sequence.
    pub seq: Seq,
    /// The matter it belongs to; 0 for the coordinator.
    pub matter: MatterNo,
    /// When it was recorded, by the lawful clock; order is `seq`, never this.
    pub recorded_at: Moment,
    /// When it took effect; clocks count this.
    pub effective_at: Moment,
    /// Who or what caused it.
    pub origin: Origin,
    /// What happened.
    pub body: Body,
}

/// Who or what caused an entry.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Origin {
    /// The engine's own rules.
    Engine,
    /// A matter's script.
    Script,
    /// The lawful clock.
    Clock,
    /// A person.
    Person {
        /// Subject of the host's identity.
        subject: String,
        /// Code of the role in which he acted.
        role: String,
    },
    /// An agency, through a connector.
    Agency {
        /// Name of the connector.
        connector: String,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// The case was started as a draft.
    CaseStarted(Arc<CaseStarted>),
    /// The applicant submitted it.
    CaseSubmitted,
    /// A matter's inputs exist: it was given to its department, its legal parameters fixed.
    MatterFiled(Arc<MatterFiled>),
    /// An act of the law was requested and answered.
    Acted {
        /// The act.
        act: Act,
        /// The answer of the legal fold.
        answer: ActAnswer,
        /// The script's request, when a script asked.
        request: Option<RequestKey>,
    },
    /// A result of an earlier matter became an input of this one.
    InputArrived {
        /// The earlier matter.
        from: MatterNo,
        /// Its result's version, from 1.
        version: u32,
        /// Keyed digest of the result.
        digest: Digest,
    },
    /// A run asked for something.
    Requested(Arc<Requested>),
    /// An agency said something about a call.
    CallReplied(Arc<AgencyReply>),
    /// A call was replaced by a new one after a fenced `unknown_call`, or by an officer.
    CallRenewed(Arc<CallRenewed>),
    /// A timer of a script was due.
    TimerFired {
        /// The request.
        request: RequestKey,
        /// When it was due.
        due: Moment,
    },
    /// A person was asked for something.
    TaskOpened(Arc<TaskOpened>),
    /// A person took a task.
    TaskClaimed {
        /// Entry that opened the task.
        task: Seq,
        /// Who.
        by: String,
    },
    /// A person gave a task back.
    TaskReleased {
        /// Entry that opened the task.
        task: Seq,
    },
    /// A person did what a task asked. For a `decide`, this is its closing entry.
    TaskCompleted {
        /// Entry that opened the task.
        task: Seq,
        /// What came of it.
        decision: Decision,
    },
    /// A task lost its purpose, because its matter ended or another way was found.
    TaskDropped {
        /// Entry that opened the task.
        task: Seq,
    },
    /// Something a person must look at.
    IncidentRaised(Arc<Incident>),
    /// `handle` returned.
    RunFinished {
        /// The run.
        run: u16,
    },
    /// An outcome reached the end of the script uncaught; its declared default took over.
    OutcomeUncaught {
        /// The request that ended so.
        request: RequestKey,
    },
    /// `handle` begins again as the next generation of its run; it takes over what the earlier
    /// ones got for the same questions.
    RunRestarted {
        /// The new generation.
        generation: u16,
    },
    /// Fields of the form were corrected or amended.
    FormChanged(Arc<FormChanged>),
    /// The applicant handed in a material, or its next version; it may serve several matters.
    MaterialHanded(Arc<MaterialGiven>),
    /// The holder authorised the use of a license (用证授权).
    Consented(Arc<Consent>),
    /// A source of a required material was tried.
    MaterialTried(Arc<Attempt>),
    /// A required material is met otherwise than when the matter was filed.
    MaterialMet(Arc<MaterialFound>),
    /// A material or result that the matter had used was replaced by a later version.
    InputSuperseded {
        /// Code of the material.
        material: String,
        /// The version that is new.
        version: u32,
    },
    /// A clock's due time passed, with the consequence that its rule names.
    ClockFired {
        /// Which.
        clock: ClockKind,
        /// What it is about: the material promised, the task whose opinion was asked, the call.
        about: String,
        /// When it was due.
        due: Moment,
    },
    /// An officer gave the applicant's period anew.
    PeriodRenewed {
        /// Which clock.
        clock: ClockKind,
        /// What it is about.
        about: String,
        /// How long, from this entry's effective time.
        budget: crate::time::Period,
        /// Why.
        reason: String,
    },
    /// A task was given to a person.
    TaskAssigned(Arc<TaskAssigned>),
    /// A task went up to another role.
    TaskEscalated {
        /// Entry that opened the task.
        task: Seq,
        /// The role that takes it now.
        to: RoleCode,
        /// Why.
        reason: String,
    },
    /// Somebody urged those who hold a task.
    TaskUrged {
        /// Entry that opened the task.
        task: Seq,
        /// What he said.
        reason: String,
    },
    /// What a person has written so far.
    DraftSaved {
        /// Entry that opened the task.
        task: Seq,
        /// The draft.
        draft: Value,
    },
    /// A first officer decided where two must (四眼); the second one's word closes the task.
    DecisionProposed {
        /// Entry that opened the task.
        task: Seq,
        /// What he proposes.
        decision: Decision,
    },
    /// What is shown beside a task changed, because a correction did; its version rises.
    TaskRefreshed {
        /// Entry that opened the task.
        task: Seq,
        /// The facts now.
        facts: Value,
    },
    /// A reminder, yellow or red card.
    CardRaised(Arc<CardRaised>),
    /// A card was replied to, appealed against, or the appeal decided.
    CardAnswered(Arc<CardAnswer>),
    /// A notice was drafted; its bytes are kept under the digest once it is sealed.
    DocumentDrafted(Arc<DocumentDrafted>),
    /// A notice was sealed.
    DocumentSealed(Arc<DocumentSealed>),
    /// A notice was served, or the receipt of one that was under way came.
    DocumentServed(Arc<DocumentServed>),
    /// A clerk took back an entry that was recorded by mistake.
    EntryVoided {
        /// Which.
        entry: Seq,
        /// Why.
        reason: String,
    },
    /// A source was asked for a material and its answer is not waited for any more.
    CallAbandoned {
        /// The call.
        call: CallId,
    },
    /// A newly loaded calendar was read for the case's open deadlines.
    CalendarChanged {
        /// Its version.
        version: String,
    },
    /// A combinator ended without this request, and nothing else waits for it. A timer or a
    /// question is over by that; a call goes on as an obligation of the case.
    RequestReleased {
        /// The request.
        request: RequestKey,
        /// Entry by which it was no longer waited for.
        by: Seq,
    },
    /// Two persons agreed what became of a call that its agency will not end.
    ObligationResolved {
        /// The call.
        call: CallId,
        /// What they found.
        reason: String,
        /// Who, in the order of their words.
        officers: Vec<String>,
    },
    /// A person ended an incident by one of its ways out.
    IncidentSettled(Arc<IncidentSettled>),
    /// A first person proposed a way out that takes two.
    WayOutProposed(Arc<IncidentSettled>),
    /// The case goes on under another closure.
    CaseRebound(Arc<CaseRebound>),
    /// `handle` begins again and keeps what was asked before an entry.
    RunRewound(RunRewound),
    /// The result of a call was replaced by the word of two persons.
    ResultOverridden(Arc<ResultOverridden>),
    /// The scripts of the matter (of every matter, for the coordinator) are not evaluated until
    /// they are resumed. Clocks and cards go on.
    Paused {
        /// Why.
        reason: String,
    },
    /// They are evaluated again.
    Resumed {
        /// Why.
        reason: String,
    },
    /// The matter's script is to stop; its next wait throws that.
    CancelRequested {
        /// Why.
        reason: String,
    },
    /// Everything that was registered for undoing has been undone, or given up by a person.
    CompensationEnded,
    /// A call is carried on under its own id with a new deadline.
    CallReopened {
        /// The call.
        call: CallId,
        /// When the agency must have begun, by the wire clock.
        deadline: Moment,
    },
    /// A request that no connector carried has one now.
    CallPlaced {
        /// The request.
        request: RequestKey,
        /// The call.
        call: CallMade,
    },
    /// A message came for the matter.
    MessageArrived(Arc<Message>),
    /// A message was given to the request that waited for it.
    MessageTaken {
        /// The request.
        request: RequestKey,
        /// Entry by which the message came.
        message: Seq,
    },
    /// The applicant, or a window for him, urged those who hold up the matter (催办).
    MatterUrged {
        /// What he said.
        reason: String,
    },
    /// The matter's `intake` begins, perhaps again, on what is filed now.
    IntakeBegun {
        /// Which evaluation, from 1.
        generation: u16,
    },
    /// The matter's `intake` advised those who accept.
    IntakeRecommended(Arc<Recommended>),
    /// A source of the form's fields is being asked, or came to this.
    FieldsTried(Arc<FieldsTried>),
    /// Matters ended against the applicant while others are open, and `on_partial` said this.
    PartialOutcome(Arc<PartialOutcome>),
    /// A script failed: an incident, with its place in the journal and both versions.
    RunFailed(Arc<RunFailed>),
}

/// Fields of the form that were corrected or amended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormChanged {
    /// The fields that changed, with their new values.
    pub fields: Value,
    /// Where each came from: `applicant`, `clerk`, or the name of a data source.
    pub source: String,
    /// Why; a clerk's amendment needs it.
    pub reason: String,
    /// What proves when it came, if it came before it was recorded.
    pub evidence: String,
}

/// The holder's authorisation to fetch a license once, for this case and purpose (dossier 9.2).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Consent {
    /// Type of the license, or the data resource.
    pub license: String,
    /// Identifier of the holder.
    pub holder: String,
    /// What for: the code of the matter, or `*` for every matter of the case.
    pub purpose: String,
    /// Version of the text that he agreed to.
    pub text_version: String,
}

/// Channel of a case that was filed at a window, on paper (GB/T 39046).
pub const CHANNEL_WINDOW: u8 = 1;

/// How a case reached the engine when not at once by itself.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// Code of the channel (GB/T 39046): 1 window, 2 computer, 3 mobile, 4 post, 9 other.
    pub channel: u8,
    /// When the papers were really taken, if before the recording (paper intake, outage).
    pub received_at: Option<Moment>,
    /// What proves that time: number of the paper receipt, the outage's number.
    pub evidence: String,
}

/// A task given to a person.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TaskAssigned {
    /// Entry that opened the task.
    pub task: Seq,
    /// To whom: the subject of the identity.
    pub to: String,
    /// Until when; after it the task is again for everyone of its role.
    pub until: Option<Moment>,
    /// For whom he stands in, if he does.
    pub instead_of: Option<String>,
    /// Why, such as the absence of a colleague.
    pub reason: String,
}

/// A notice that was drafted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DocumentDrafted {
    /// Its number, unique in the engine; the kind is part of it.
    pub number: DocumentNo,
    /// The entry that it tells of.
    pub about: Seq,
}

/// A notice that was sealed: from here on its bytes are the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentSealed {
    /// Its number.
    pub number: DocumentNo,
    /// SHA-256 of the rendered bytes, which the case's blobs keep.
    pub digest: Digest,
    /// The seal, as the seal service gave it.
    pub seal: SealRecord,
}

/// A notice that was served, or whose receipt came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentServed {
    /// Its number.
    pub number: DocumentNo,
    /// When, how, and which files prove it.
    pub service: Service,
    /// What proves its time, if it was recorded later.
    pub evidence: String,
}

/// The start of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseStarted {
    /// Public number (办件编号).
    pub number: String,
    /// The service.
    pub service: ServiceCode,
    /// Its name, as it was.
    pub service_name: String,
    /// Closure that the case is pinned to.
    pub closure: Digest,
    /// Level of the host functions that the closure was written for.
    pub api_level: u32,
    /// Where it was filed.
    pub region: RegionCode,
    /// The coordinating department.
    pub lead: DepartmentCode,
    /// The service's promise.
    pub promise: Option<Period>,
    /// The applicant.
    pub applicant: Party,
    /// Who files for him.
    pub agent: Option<Party>,
    /// Answers to the service's questions.
    pub answers: Value,
    /// The form: the union of the matters' fields.
    pub form: Value,
    /// Where values of the form came from, by field; those not named were typed.
    pub provenance: Vec<(String, String)>,
    /// Materials given, by code.
    pub materials: Vec<MaterialGiven>,
    /// Authorisations to fetch licenses.
    pub consents: Vec<Consent>,
    /// How it reached the engine.
    pub arrival: Arrival,
    /// The matters, in order; number 1 is the first.
    pub matters: Vec<PlannedMatter>,
}

/// A natural or legal person in a case.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Party {
    /// Identifier: citizen number or unified social credit code.
    pub id: String,
    /// Name.
    pub name: String,
}

/// A matter as it was planned when the case started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedMatter {
    /// The matter.
    pub code: MatterCode,
    /// Its name, as it was.
    pub name: String,
    /// The department.
    pub department: DepartmentCode,
    /// Whether the answers left it out.
    pub skipped: bool,
    /// Matters that it comes after.
    pub after: Vec<MatterNo>,
    /// Its part as it was computed from the answers, when the set of matters was.
    pub computed: Option<Box<Part>>,
}

/// The filing of a matter with the legal parameters of that day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatterFiled {
    /// The rules that it follows from now on, whatever its definition becomes.
    pub rules: Rules,
    /// Who accepts.
    pub intake: Intake,
    /// Where it is decided.
    pub decides_in: DecidesIn,
    /// Version of the holiday table that was read.
    pub calendar: String,
    /// Where each material came from.
    pub materials: Vec<MaterialFound>,
}

/// A request of a run, as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requested {
    /// Its name.
    pub key: RequestKey,
    /// Newest entry consumed in the scope when it was made.
    pub seen: Seq,
    /// Digest of kind, target and fingerprint, under the case's secret.
    pub digest: Digest,
    /// What was asked.
    pub ask: Ask,
    /// The call that carries it, for calls.
    pub call: Option<CallMade>,
    /// The request of an earlier generation whose result it takes over.
    pub adopts: Option<RequestKey>,
}

/// What identifies and times a call; with the request's input its body renders again.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CallMade {
    /// The derived id.
    pub id: CallId,
    /// Generation of the call, from 0; a new one only after a fence or by an officer.
    pub generation: u16,
    /// The connector that the operation was bound to.
    pub connector: String,
    /// Place of the agency.
    pub region: RegionCode,
    /// When it was made, by the wire clock.
    pub issued_at: Moment,
    /// When the agency must have begun, by the wire clock.
    pub deadline: Moment,
    /// Within which the agency is to answer, by lawful time, if a limit is agreed.
    pub reply_within: Option<crate::time::Period>,
    /// What it renders to; it is compared before the call is sent. Nothing for a connector that
    /// sends no bytes.
    pub body: Option<BodyDigest>,
}

/// The replacement of a call.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CallRenewed {
    /// The request.
    pub request: RequestKey,
    /// The call that is over.
    pub old: CallId,
    /// The call that takes its place.
    pub call: CallMade,
}

/// What a task is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum TaskKind {
    /// 受理: accept, or refuse on an enumerated ground.
    Intake,
    /// A `decide` of a script.
    Decide,
    /// Work for an agency that has no system.
    Manual,
    /// A call was rejected and nothing caught it: deny, or ask the agency again.
    Rejected,
    /// A script proposes a denial; only an officer may deny.
    ConfirmDenial,
    /// The applicant's period for a correction has passed.
    CorrectionMissed,
    /// A material that was promised for later has not come (容缺逾期).
    PromiseMissed,
    /// 延期: the head of the office approves, or not.
    ApproveExtension,
    /// 会签: another role gives its word before the decision.
    Countersign,
    /// A material or result that the matter had used was replaced.
    Amendment,
    /// An agency has not answered within the time that it agreed to.
    AgencyLate,
    /// An agency completed a call that nobody waits for any more (迟到回执).
    LateReply,
    /// A call that nobody waits for has no end; two persons find out what became of it.
    Obligation,
    /// The script was cancelled; an officer ends the matter, or has it handled anew.
    AfterCancel,
    /// An agency wants something corrected: an officer asks the applicant for it, or does not.
    AskCorrection,
    /// An agency wants the applicant to do something himself: appear, confirm, authorise.
    Applicant,
    /// Matters ended against the applicant: does the rest go on?
    Partial,
}

impl TaskKind {
    /// Every kind with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 17] = [
        (Self::Intake, "intake", "受理"),
        (Self::Decide, "decide", "审批"),
        (Self::Manual, "manual", "人工办理"),
        (Self::Rejected, "rejected", "部门退回处理"),
        (Self::ConfirmDenial, "confirm_denial", "不予决定确认"),
        (Self::CorrectionMissed, "correction_missed", "补正逾期处理"),
        (Self::PromiseMissed, "promise_missed", "容缺逾期处理"),
        (Self::ApproveExtension, "approve_extension", "延期审批"),
        (Self::Countersign, "countersign", "会签"),
        (Self::Amendment, "amendment", "材料变更处理"),
        (Self::AgencyLate, "agency_late", "部门系统逾期处理"),
        (Self::LateReply, "late_reply", "迟到回执处理"),
        (Self::Obligation, "obligation", "遗留调用核实"),
        (Self::AfterCancel, "after_cancel", "停办后处理"),
        (Self::AskCorrection, "ask_correction", "部门要求补正"),
        (Self::Applicant, "applicant", "申请人办理"),
        (Self::Partial, "partial", "部分事项未通过后的去留"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _, _)| *kind == self).map_or("", |(_, code, _)| code)
    }
}

/// A task that was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskOpened {
    /// What for.
    pub kind: TaskKind,
    /// Who may take it: `department.role`.
    pub role: RoleCode,
    /// Where.
    pub region: RegionCode,
    /// What the person reads.
    pub title: String,
    /// The facts beside it.
    pub facts: Value,
    /// The script's request that it answers.
    pub request: Option<RequestKey>,
    /// The call that it carries out, for manual work.
    pub call: Option<CallId>,
    /// The task that waits for this one (会签), if one does.
    pub before: Option<Seq>,
}

/// Something a person must look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// What went wrong.
    pub kind: IncidentKind,
    /// What happened and what to do, Chinese first.
    pub message: String,
    /// What the journal holds, for a mismatch.
    pub expected: String,
    /// What the script asked, for a mismatch.
    pub got: String,
    /// File of the script.
    pub file: String,
    /// Line, from 1; 0 when none is known.
    pub line: u32,
    /// Column in characters, from 1; 0 when none is known.
    pub column: u32,
    /// The call concerned, if one is.
    pub call: Option<CallId>,
}

impl Incident {
    /// Builds an incident without a place in a script and without a call.
    pub fn new(kind: IncidentKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            expected: String::new(),
            got: String::new(),
            file: String::new(),
            line: 0,
            column: 0,
            call: None,
        }
    }
}

/// A script that failed, with what it takes to see why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFailed {
    /// What happened.
    pub incident: Arc<Incident>,
    /// Where in its journal the run stood.
    pub place: Arc<RunPlace>,
}

/// Where in its journal a run failed, and under which versions of the scripts.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RunPlace {
    /// The request at which it went another way, or else the one that would have come next.
    pub request: RequestKey,
    /// The newest entry that the run had consumed.
    pub seen: Seq,
    /// The version under which that part of the journal was written.
    pub written: ScriptVersion,
    /// The version under which it was replayed.
    pub replayed: ScriptVersion,
}

/// A version of the scripts of a case.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ScriptVersion {
    /// Digest of the closure.
    pub closure: Digest,
    /// Level of the host functions that it was written for.
    pub api_level: u32,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum IncidentKind {
    /// A script failed.
    ScriptFailed,
    /// A replay asked for something else than the journal holds.
    ReplayMismatch,
    /// A script passed a limit.
    LimitExceeded,
    /// A turn failed for reasons of the machine, too often.
    TurnFailed,
    /// A call came to no usable end.
    CallFailed,
    /// An agency contradicted its own reply.
    TerminalConflict,
    /// An agency reported an act that the law refuses.
    UnlawfulAct,
    /// Nothing can wake the matter.
    Stalled,
    /// The office was silent, and the law accepted in its place.
    DeemedAccepted,
    /// A notice could not be made or sealed; it stays a draft.
    NoticeNotIssued,
    /// What was registered for undoing could not be undone.
    CompensationFailed,
    /// A script ended over a message that must be handled.
    MessageUnread,
    /// A matter's `intake` advised nothing; a clerk judges without it.
    IntakeFailed,
}

impl IncidentKind {
    /// Every kind with its code.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::ScriptFailed, "SCRIPT_FAILED"),
        (Self::ReplayMismatch, "REPLAY_MISMATCH"),
        (Self::LimitExceeded, "LIMIT_EXCEEDED"),
        (Self::TurnFailed, "TURN_FAILED"),
        (Self::CallFailed, "CALL_FAILED"),
        (Self::TerminalConflict, "TERMINAL_CONFLICT"),
        (Self::UnlawfulAct, "UNLAWFUL_ACT"),
        (Self::Stalled, "STALLED"),
        (Self::DeemedAccepted, "DEEMED_ACCEPTED"),
        (Self::NoticeNotIssued, "NOTICE_NOT_ISSUED"),
        (Self::CompensationFailed, "COMPENSATION_FAILED"),
        (Self::MessageUnread, "MESSAGE_UNREAD"),
        (Self::IntakeFailed, "INTAKE_FAILED"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, code)| code)
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScriptFailed => "脚本出错",
            Self::ReplayMismatch => "脚本与日志不一致",
            Self::LimitExceeded => "脚本超出限额",
            Self::TurnFailed => "系统执行失败",
            Self::CallFailed => "调用未成功",
            Self::TerminalConflict => "部门回执前后矛盾",
            Self::UnlawfulAct => "部门报告的行为不成立",
            Self::Stalled => "无从推进",
            Self::DeemedAccepted => "逾期视为受理",
            Self::NoticeNotIssued => "文书未能出具",
            Self::CompensationFailed => "撤销未成功",
            Self::MessageUnread => "必办消息未读",
            Self::IntakeFailed => "受理建议未作出",
        }
    }

    /// Tells whether the matter's script stops until a person has acted.
    pub fn stops_script(self) -> bool {
        matches!(
            self,
            Self::ScriptFailed | Self::ReplayMismatch | Self::LimitExceeded | Self::TurnFailed
        )
    }
}
