//! The refusals as types of the schema: one per kind, the interface they share, and the union
//! of each mutation.

use async_graphql::{Interface, Object, Union};

use super::{Denied, UserErrorCode};
use crate::view::{Lang, Task};

macro_rules! members {
    ($($(#[doc = $doc:literal])+ $name:ident;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) Denied);

        $(#[doc = $doc])+
        #[Object]
        impl $name {
            /// 稳定的错误代码 / Stable code
            async fn code(&self) -> UserErrorCode {
                self.0.code
            }

            /// 给人看的说明:出了什么问题、怎么办 / What is wrong and what to do, for people
            async fn message(
                &self,
                #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
            ) -> String {
                self.0.text(lang)
            }

            /// 输入中的位置 / Where in the input
            async fn path(&self) -> Option<Vec<String>> {
                path_of(&self.0)
            }
        }

        impl From<Denied> for $name {
            fn from(denied: Denied) -> Self {
                Self(denied)
            }
        }
    )*};
}

members! {
    /// 无权进行此操作 / Not permitted to this viewer
    NotPermitted;
    /// 没有该对象,或无权查看 / There is none, or it is not for this viewer
    NotFound;
    /// 输入内容有误,见 path / The input is wrong, see path
    InvalidInput;
    /// 材料不齐;缺什么一次告知 / Materials are missing; all that is missing is told at once
    MaterialsIncomplete;
    /// 幂等键已用于其他内容 / The idempotency key was used with other input
    IdempotencyKeyReused;
    /// 没有该一件事服务,或该地区未开通 / There is no such service, or not at this place
    UnknownService;
    /// 待办已结束 / The task is over
    TaskClosed;
    /// 待办已被他人认领 / Someone else has taken the task
    TaskTaken;
    /// 法定时间无法调整:不是虚拟时钟,或仍有调用未完成 / Lawful time cannot be moved: the clock is real, or calls are under way
    ClockNotMovable;
}

fn path_of(denied: &Denied) -> Option<Vec<String>> {
    let path = &denied.refusal.path;
    (!path.is_empty()).then(|| path.clone())
}

/// 当前状态下不允许 / Not in this state
pub(crate) struct WrongState(Denied);

impl From<Denied> for WrongState {
    fn from(denied: Denied) -> Self {
        Self(denied)
    }
}

/// 当前状态下不允许 / Not in this state
#[Object]
impl WrongState {
    /// 稳定的错误代码 / Stable code
    async fn code(&self) -> UserErrorCode {
        self.0.code
    }

    /// 给人看的说明:出了什么问题、怎么办 / What is wrong and what to do, for people
    async fn message(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        self.0.text(lang)
    }

    /// 输入中的位置 / Where in the input
    async fn path(&self) -> Option<Vec<String>> {
        path_of(&self.0)
    }

    /// 拒绝所依据的规则代码 / Code of the rule that refused
    async fn rule(&self) -> String {
        self.0.refusal.code.clone()
    }
}

/// 对象已被他人修改 / Someone changed it meanwhile
pub(crate) struct VersionConflict(Denied);

impl From<Denied> for VersionConflict {
    fn from(denied: Denied) -> Self {
        Self(denied)
    }
}

/// 对象已被他人修改 / Someone changed it meanwhile
#[Object]
impl VersionConflict {
    /// 稳定的错误代码 / Stable code
    async fn code(&self) -> UserErrorCode {
        self.0.code
    }

    /// 给人看的说明:出了什么问题、怎么办 / What is wrong and what to do, for people
    async fn message(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        self.0.text(lang)
    }

    /// 输入中的位置 / Where in the input
    async fn path(&self) -> Option<Vec<String>> {
        path_of(&self.0)
    }

    /// 现行版本号 / The version in force
    async fn current_version(&self) -> Option<u32> {
        // A repeated refusal speaks of the task as it is now.
        self.0.current.as_ref().map(|task| task.version_now()).or(self.0.refusal.current)
    }

    /// 对象现状 / The task as it is now
    async fn current(&self) -> Option<&Task> {
        self.0.current.as_deref()
    }
}

/// 所有业务错误的共同字段 / What every refusal has
#[derive(Interface)]
#[graphql(
    field(name = "code", ty = "UserErrorCode", desc = "稳定的错误代码 / Stable code"),
    field(
        name = "message",
        ty = "String",
        desc = "给人看的说明:出了什么问题、怎么办 / What is wrong and what to do, for people",
        arg(
            name = "lang",
            ty = "Option<Lang>",
            desc = "语言,默认中文 / Language, Chinese by default"
        )
    ),
    field(name = "path", ty = "Option<Vec<String>>", desc = "输入中的位置 / Where in the input")
)]
pub(crate) enum UserError {
    NotPermitted(NotPermitted),
    NotFound(NotFound),
    InvalidInput(InvalidInput),
    MaterialsIncomplete(MaterialsIncomplete),
    IdempotencyKeyReused(IdempotencyKeyReused),
    UnknownService(UnknownService),
    TaskClosed(TaskClosed),
    TaskTaken(TaskTaken),
    ClockNotMovable(ClockNotMovable),
    WrongState(WrongState),
    VersionConflict(VersionConflict),
}

/// Declares the union of a mutation: its members with their codes, and [`WrongState`] for the
/// rest.
macro_rules! unions {
    ($($(#[doc = $doc:literal])+ $union:ident { $($($code:ident)|+ => $member:ident),+ $(,)? })*) => {$(
        $(#[doc = $doc])+
        #[derive(Union)]
        pub(crate) enum $union {
            $($member($member),)+
            WrongState(WrongState),
        }

        impl From<Denied> for $union {
            fn from(denied: Denied) -> Self {
                $(if matches!(denied.code, $(UserErrorCode::$code)|+) {
                    return Self::$member(denied.into());
                })+
                Self::WrongState(denied.into())
            }
        }
    )*};
}

unions! {
    /// startCase 的业务错误 / Refusals of startCase
    StartCaseError {
        UnknownService | ServiceNotOffered => UnknownService,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// submitCase 的业务错误 / Refusals of submitCase
    SubmitCaseError {
        MaterialsIncomplete => MaterialsIncomplete,
        NotFound => NotFound,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// withdrawCase 的业务错误 / Refusals of withdrawCase
    WithdrawCaseError {
        NotFound => NotFound,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// completeTask 的业务错误 / Refusals of completeTask
    CompleteTaskError {
        VersionConflict => VersionConflict,
        TaskTaken => TaskTaken,
        TaskClosed => TaskClosed,
        NotFound => NotFound,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
        MaterialsIncomplete => MaterialsIncomplete,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// claimTasks 整体的业务错误 / Refusals of claimTasks as a whole
    ClaimTasksError {
        InvalidInput => InvalidInput,
    }
    /// urgeTasks 整体的业务错误 / Refusals of urgeTasks as a whole
    UrgeTasksError {
        InvalidInput => InvalidInput,
    }
    /// settleIncidents 整体的业务错误 / Refusals of settleIncidents as a whole
    SettleIncidentsError {
        InvalidInput => InvalidInput,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// rebindCases 整体的业务错误 / Refusals of rebindCases as a whole
    RebindCasesError {
        NotFound => NotFound,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// deliverParkedReply 的业务错误 / Refusals of deliverParkedReply
    DeliverParkedReplyError {
        NotFound => NotFound,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// dismissParkedReply 的业务错误 / Refusals of dismissParkedReply
    DismissParkedReplyError {
        NotFound => NotFound,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// publishScripts 的业务错误 / Refusals of publishScripts
    PublishScriptsError {
        UnknownService => UnknownService,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
    }
    /// moveVersion 的业务错误 / Refusals of moveVersion
    MoveVersionError {
        NotFound => NotFound,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
        IdempotencyKeyReused => IdempotencyKeyReused,
    }
    /// advanceClock 的业务错误 / Refusals of advanceClock
    AdvanceClockError {
        ClockNotMovable => ClockNotMovable,
        NotPermitted => NotPermitted,
        InvalidInput => InvalidInput,
    }
}

/// Declares unions of mutations that change a case, all with the same members.
macro_rules! change_unions {
    ($($(#[doc = $doc:literal])+ $union:ident;)*) => {
        unions! {$(
            $(#[doc = $doc])+
            $union {
                VersionConflict => VersionConflict,
                NotFound => NotFound,
                NotPermitted => NotPermitted,
                InvalidInput => InvalidInput,
                IdempotencyKeyReused => IdempotencyKeyReused,
            }
        )*}
    };
}

change_unions! {
    /// acceptMatter 的业务错误 / Refusals of acceptMatter
    AcceptMatterError;
    /// notAcceptMatter 的业务错误 / Refusals of notAcceptMatter
    NotAcceptMatterError;
    /// returnMatter 的业务错误 / Refusals of returnMatter
    ReturnMatterError;
    /// resubmitMatter 的业务错误 / Refusals of resubmitMatter
    ResubmitMatterError;
    /// askCorrection 的业务错误 / Refusals of askCorrection
    AskCorrectionError;
    /// serveCorrection 的业务错误 / Refusals of serveCorrection
    ServeCorrectionError;
    /// supplyCorrection 的业务错误 / Refusals of supplyCorrection
    SupplyCorrectionError;
    /// suspendMatter 的业务错误 / Refusals of suspendMatter
    SuspendMatterError;
    /// resumeMatter 的业务错误 / Refusals of resumeMatter
    ResumeMatterError;
    /// extendMatter 的业务错误 / Refusals of extendMatter
    ExtendMatterError;
    /// forwardMatter 的业务错误 / Refusals of forwardMatter
    ForwardMatterError;
    /// withdrawMatter 的业务错误 / Refusals of withdrawMatter
    WithdrawMatterError;
    /// terminateMatter 的业务错误 / Refusals of terminateMatter
    TerminateMatterError;
    /// revokeDecision 的业务错误 / Refusals of revokeDecision
    RevokeDecisionError;
    /// recordLicenseMade 的业务错误 / Refusals of recordLicenseMade
    RecordLicenseMadeError;
    /// recordDelivery 的业务错误 / Refusals of recordDelivery
    RecordDeliveryError;
    /// rebutDeemedAcceptance 的业务错误 / Refusals of rebutDeemedAcceptance
    RebutDeemedAcceptanceError;
    /// takeOverTasks 的业务错误 / Refusals of takeOverTasks
    TakeOverTasksError;
    /// giveMaterial 的业务错误 / Refusals of giveMaterial
    GiveMaterialError;
    /// consentToLicense 的业务错误 / Refusals of consentToLicense
    ConsentToLicenseError;
    /// amendForm 的业务错误 / Refusals of amendForm
    AmendFormError;
    /// prefillForm 的业务错误 / Refusals of prefillForm
    PrefillFormError;
    /// voidEntry 的业务错误 / Refusals of voidEntry
    VoidEntryError;
    /// urgeCase 的业务错误 / Refusals of urgeCase
    UrgeCaseError;
    /// answerCard 的业务错误 / Refusals of answerCard
    AnswerCardError;
    /// serveDocument 的业务错误 / Refusals of serveDocument
    ServeDocumentError;
    /// settleIncident 的业务错误 / Refusals of settleIncident
    SettleIncidentError;
    /// pauseScripts 的业务错误 / Refusals of pauseScripts
    PauseScriptsError;
    /// resumeScripts 的业务错误 / Refusals of resumeScripts
    ResumeScriptsError;
    /// cancelScripts 的业务错误 / Refusals of cancelScripts
    CancelScriptsError;
    /// rebindCase 的业务错误 / Refusals of rebindCase
    RebindCaseError;
    /// sendMessage 的业务错误 / Refusals of sendMessage
    SendMessageError;
}

/// Declares unions of mutations that change a task, all with the same members.
macro_rules! task_unions {
    ($($(#[doc = $doc:literal])+ $union:ident;)*) => {
        unions! {$(
            $(#[doc = $doc])+
            $union {
                VersionConflict => VersionConflict,
                TaskTaken => TaskTaken,
                TaskClosed => TaskClosed,
                NotFound => NotFound,
                NotPermitted => NotPermitted,
                InvalidInput => InvalidInput,
                IdempotencyKeyReused => IdempotencyKeyReused,
            }
        )*}
    };
}

task_unions! {
    /// claimTask 的业务错误 / Refusals of claimTask
    ClaimTaskError;
    /// releaseTask 的业务错误 / Refusals of releaseTask
    ReleaseTaskError;
    /// assignTask 的业务错误 / Refusals of assignTask
    AssignTaskError;
    /// escalateTask 的业务错误 / Refusals of escalateTask
    EscalateTaskError;
    /// urgeTask 的业务错误 / Refusals of urgeTask
    UrgeTaskError;
    /// saveDraft 的业务错误 / Refusals of saveDraft
    SaveDraftError;
}
