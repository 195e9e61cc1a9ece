//! The inputs of the acts, and what each asks of the law.

use async_graphql::{Enum, ID, InputObject};
use tongban_core::command::ActRequest;
use tongban_core::law::{ActKind, CorrectionList, NOT_ACCEPT_GROUNDS, Terms};
use tongban_core::value::Value;

use crate::error::Denied;
use crate::mutation::came::{CameInput, PeriodInput, SeenInput, read_optional_period, read_period};
use crate::view::DateTime;

/// 对事项作出的行为 / An act on a matter
#[derive(InputObject)]
pub(crate) struct ActOnMatter {
    /// 事项标识 / Id of the matter
    pub(super) matter_id: ID,
    /// 补录时的实际时间和凭证 / When it really happened, if it is recorded later
    pub(super) came: Option<CameInput>,
    /// 看到的版本号 / Versions that were seen
    pub(super) seen: Option<SeenInput>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    pub(super) idempotency_key: String,
}

/// An act, and the matter that it is asked of.
pub(crate) struct Asked {
    pub(super) on: ActOnMatter,
    pub(super) act: ActRequest,
}

impl Asked {
    fn of(on: ActOnMatter, kind: ActKind, ground: impl Into<String>) -> Self {
        Self { on, act: ActRequest::now(kind, ground) }
    }

    fn with(self, terms: Terms) -> Self {
        Self { act: self.act.with(terms), ..self }
    }

    fn numbered(mut self, document_no: Option<String>) -> Self {
        self.act.document_no = document_no.unwrap_or_default();
        self
    }
}

/// Declares inputs that say nothing but which matter.
macro_rules! plain_inputs {
    ($($(#[doc = $doc:literal])+ $name:ident($kind:ident);)*) => {$(
        $(#[doc = $doc])+
        #[derive(InputObject)]
        pub(crate) struct $name {
            #[graphql(flatten)]
            on: ActOnMatter,
        }

        impl TryFrom<$name> for Asked {
            type Error = Denied;

            fn try_from(input: $name) -> Result<Self, Denied> {
                Ok(Self::of(input.on, ActKind::$kind, ""))
            }
        }
    )*};
}

plain_inputs! {
    /// acceptMatter 的输入 / Input of acceptMatter
    AcceptMatterInput(Accept);
    /// resubmitMatter 的输入 / Input of resubmitMatter
    ResubmitMatterInput(Resubmit);
    /// serveCorrection 的输入 / Input of serveCorrection
    ServeCorrectionInput(ServeCorrection);
    /// supplyCorrection 的输入 / Input of supplyCorrection
    SupplyCorrectionInput(SupplyCorrection);
    /// resumeMatter 的输入 / Input of resumeMatter
    ResumeMatterInput(Resume);
}

/// Declares inputs that say why.
macro_rules! reasoned_inputs {
    ($($(#[doc = $doc:literal])+ $name:ident($kind:ident);)*) => {$(
        $(#[doc = $doc])+
        #[derive(InputObject)]
        pub(crate) struct $name {
            /// 理由;告知申请人 / Why; told to the applicant
            reason: String,
            #[graphql(flatten)]
            on: ActOnMatter,
        }

        impl TryFrom<$name> for Asked {
            type Error = Denied;

            fn try_from(input: $name) -> Result<Self, Denied> {
                Ok(Self::of(input.on, ActKind::$kind, input.reason))
            }
        }
    )*};
}

reasoned_inputs! {
    /// terminateMatter 的输入 / Input of terminateMatter
    TerminateMatterInput(Terminate);
    /// withdrawMatter 的输入 / Input of withdrawMatter
    WithdrawMatterInput(Withdraw);
}

/// Declares inputs of records that may have a number from elsewhere.
macro_rules! numbered_inputs {
    ($($(#[doc = $doc:literal])+ $name:ident($kind:ident);)*) => {$(
        $(#[doc = $doc])+
        #[derive(InputObject)]
        pub(crate) struct $name {
            /// 文书或证照编号;由本系统出具时不填 / Number of the document or license; left out when this system issues it
            document_no: Option<String>,
            #[graphql(flatten)]
            on: ActOnMatter,
        }

        impl TryFrom<$name> for Asked {
            type Error = Denied;

            fn try_from(input: $name) -> Result<Self, Denied> {
                Ok(Self::of(input.on, ActKind::$kind, "").numbered(input.document_no))
            }
        }
    )*};
}

numbered_inputs! {
    /// recordLicenseMade 的输入 / Input of recordLicenseMade
    RecordLicenseMadeInput(MakeLicense);
    /// recordDelivery 的输入 / Input of recordDelivery
    RecordDeliveryInput(Deliver);
}

/// returnMatter 的输入 / Input of returnMatter
#[derive(InputObject)]
pub(crate) struct ReturnMatterInput {
    /// 全部理由,一次说明 / Every reason, told at once
    reasons: Vec<String>,
    #[graphql(flatten)]
    on: ActOnMatter,
}

impl TryFrom<ReturnMatterInput> for Asked {
    type Error = Denied;

    fn try_from(input: ReturnMatterInput) -> Result<Self, Denied> {
        Ok(Self::of(input.on, ActKind::Return, input.reasons.join(";")))
    }
}

/// 不予受理的法定理由(行政许可法第三十二条) / The lawful grounds for not accepting
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum NotAcceptGround {
    /// 依法不需要取得行政许可 / No licence is needed
    NoLicenceNeeded,
    /// 依法不属于本行政机关职权范围 / Not within the competence of the office
    NoCompetence,
    /// 不在事项清单内 / Outside the list of matters
    OutsideList,
}

impl NotAcceptGround {
    /// Returns the code by which the law knows the ground.
    fn code(self) -> &'static str {
        let [(no_licence_needed, _), (no_competence, _), (outside_list, _)] = NOT_ACCEPT_GROUNDS;
        match self {
            Self::NoLicenceNeeded => no_licence_needed,
            Self::NoCompetence => no_competence,
            Self::OutsideList => outside_list,
        }
    }
}

/// notAcceptMatter 的输入 / Input of notAcceptMatter
#[derive(InputObject)]
pub(crate) struct NotAcceptMatterInput {
    /// 法定理由;条件不符应先受理再作不予决定 / The lawful ground; unmet conditions are accepted and then denied
    ground: NotAcceptGround,
    #[graphql(flatten)]
    on: ActOnMatter,
}

impl TryFrom<NotAcceptMatterInput> for Asked {
    type Error = Denied;

    fn try_from(input: NotAcceptMatterInput) -> Result<Self, Denied> {
        Ok(Self::of(input.on, ActKind::NotAccept, input.ground.code()))
    }
}

/// 补正清单,一次列全 / What is to be corrected: the complete list, told once
#[derive(InputObject)]
pub(crate) struct CorrectionListInput {
    /// 需补正的材料代码 / Codes of the materials
    materials: Option<Vec<String>>,
    /// 需更正的表单字段 / Names of the form's fields
    fields: Option<Vec<String>>,
    /// 问题说明 / What is wrong
    text: String,
    /// 申请人的补正期限;不填则按事项规定 / The applicant's period; the matter's own when left out
    limit: Option<PeriodInput>,
}

impl CorrectionListInput {
    fn served(self, at: Option<DateTime>) -> Result<Terms, Denied> {
        Ok(Terms::Correction(CorrectionList {
            materials: self.materials.unwrap_or_default(),
            fields: self.fields.unwrap_or_default(),
            text: self.text,
            limit: read_optional_period("limit", self.limit.as_ref())?,
            served_at: at.map(|at| at.0),
        }))
    }
}

/// askCorrection 的输入 / Input of askCorrection
#[derive(InputObject)]
pub(crate) struct AskCorrectionInput {
    #[graphql(flatten)]
    list: CorrectionListInput,
    /// 送达时间;尚未送达则不填,期限自送达起算 / When the notice reached the applicant, if it has; his period runs from there
    served_at: Option<DateTime>,
    #[graphql(flatten)]
    on: ActOnMatter,
}

impl TryFrom<AskCorrectionInput> for Asked {
    type Error = Denied;

    fn try_from(input: AskCorrectionInput) -> Result<Self, Denied> {
        let ground = input.list.text.clone();
        let terms = input.list.served(input.served_at)?;
        Ok(Self::of(input.on, ActKind::AskCorrection, ground).with(terms))
    }
}

/// rebutDeemedAcceptance 的输入 / Input of rebutDeemedAcceptance
#[derive(InputObject)]
pub(crate) struct RebutDeemedAcceptanceInput {
    /// 已按期发出的补正告知书文号 / Number of the correction notice that went out in time
    document_no: String,
    #[graphql(flatten)]
    list: CorrectionListInput,
    /// 该告知书的送达时间 / When that notice was served
    served_at: DateTime,
    #[graphql(flatten)]
    on: ActOnMatter,
}

impl TryFrom<RebutDeemedAcceptanceInput> for Asked {
    type Error = Denied;

    fn try_from(input: RebutDeemedAcceptanceInput) -> Result<Self, Denied> {
        let ground = input.list.text.clone();
        let terms = input.list.served(Some(input.served_at))?;
        let asked = Self::of(input.on, ActKind::RebutAcceptance, ground).with(terms);
        Ok(asked.numbered(Some(input.document_no)))
    }
}

/// suspendMatter 的输入 / Input of suspendMatter
#[derive(InputObject)]
pub(crate) struct SuspendMatterInput {
    /// 法定事由代码,如 `hearing`、`testing`、`expert_review`;事项可另有依据增列 / Code of the lawful ground, such as `hearing`, `testing`, `expert_review`; a matter may add its own
    ground: String,
    /// 预计时长,告知申请人 / How long it is expected to take; told to the applicant
    expected: Option<PeriodInput>,
    #[graphql(flatten)]
    on: ActOnMatter,
}

impl TryFrom<SuspendMatterInput> for Asked {
    type Error = Denied;

    fn try_from(input: SuspendMatterInput) -> Result<Self, Denied> {
        let expected = read_optional_period("expected", input.expected.as_ref())?;
        let asked = Self::of(input.on, ActKind::Suspend, input.ground);
        Ok(asked.with(Terms::Suspension { expected }))
    }
}

/// forwardMatter 的输入 / Input of forwardMatter
#[derive(InputObject)]
pub(crate) struct ForwardMatterInput {
    /// 初审意见,写入转报单 / The opinion of the first review; stands on the forwarding note
    opinion: Option<String>,
    /// 决定机关;不填则为上级机关 / The office that decides; the one above when left out
    to: Option<String>,
    #[graphql(flatten)]
    on: ActOnMatter,
}

impl TryFrom<ForwardMatterInput> for Asked {
    type Error = Denied;

    fn try_from(input: ForwardMatterInput) -> Result<Self, Denied> {
        let mut asked = Self::of(input.on, ActKind::ForwardUp, input.opinion.unwrap_or_default());
        if let Some(to) = input.to {
            asked.act.detail = Value::of([("to", to.into())]);
        }
        Ok(asked)
    }
}

/// extendMatter 的输入 / Input of extendMatter
#[derive(InputObject)]
pub(crate) struct ExtendMatterInput {
    /// 延长多久 / How much longer
    by: PeriodInput,
    /// 理由;告知申请人 / Why; told to the applicant
    reason: String,
    #[graphql(flatten)]
    on: ActOnMatter,
}

impl TryFrom<ExtendMatterInput> for Asked {
    type Error = Denied;

    fn try_from(input: ExtendMatterInput) -> Result<Self, Denied> {
        let by = read_period("by", &input.by)?;
        // Who approved it is the viewer, whom the engine names itself.
        let terms = Terms::Extension { by, approved_by: String::new() };
        Ok(Self::of(input.on, ActKind::Extend, input.reason).with(terms))
    }
}

/// revokeDecision 的输入 / Input of revokeDecision
#[derive(InputObject)]
pub(crate) struct RevokeDecisionInput {
    /// 理由;告知当事人 / Why; told to the party
    reason: String,
    /// 撤销决定书文号;由本系统出具时不填 / Number of the revoking decision; left out when this system issues it
    document_no: Option<String>,
    #[graphql(flatten)]
    on: ActOnMatter,
}

impl TryFrom<RevokeDecisionInput> for Asked {
    type Error = Denied;

    fn try_from(input: RevokeDecisionInput) -> Result<Self, Denied> {
        let asked = Self::of(input.on, ActKind::Revoke, input.reason);
        Ok(asked.numbered(input.document_no))
    }
}
