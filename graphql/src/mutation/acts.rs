//! Acts of the law on a matter: one mutation per act.
//!
//! Not one `actOnMatter` with an enum: each act needs other things (a suspension its ground, an
//! extension its length, a correction its list), and with a mutation of its own the schema says
//! so, the type checker of a client holds it to that, and a role is allowed a field instead of an
//! argument. What they share (matter, real time, versions seen, idempotency) is one flattened
//! part. Deciding is not here: it is done in its task, with the facts beside it.

mod input;

use async_graphql::{Context, Object};
use tongban_core::command::ActRequest;
use tongban_core::id::MatterId;
use tongban_engine::{Change, Receipt};

use self::input::{
    AcceptMatterInput, AskCorrectionInput, Asked, ExtendMatterInput, ForwardMatterInput,
    NotAcceptMatterInput, RebutDeemedAcceptanceInput, RecordDeliveryInput, RecordLicenseMadeInput,
    ResubmitMatterInput, ResumeMatterInput, ReturnMatterInput, RevokeDecisionInput,
    ServeCorrectionInput, SupplyCorrectionInput, SuspendMatterInput, TerminateMatterInput,
    WithdrawMatterInput,
};
use super::came::{read_came, read_seen};
use super::outcome::{Outcome, read_id, read_key, settle};
use crate::error::{
    AcceptMatterError, AskCorrectionError, Denied, ExtendMatterError, Fault, ForwardMatterError,
    NotAcceptMatterError, RebutDeemedAcceptanceError, RecordDeliveryError, RecordLicenseMadeError,
    ResubmitMatterError, ResumeMatterError, ReturnMatterError, RevokeDecisionError,
    ServeCorrectionError, Stop, SupplyCorrectionError, SuspendMatterError, TerminateMatterError,
    WithdrawMatterError,
};
use crate::schema::{Asking, asking};
use crate::view::{Case, CaseMatter, Revision};

/// What came of an act.
pub(crate) struct Acted<E> {
    matter: Option<MatterId>,
    outcome: Outcome<E>,
}

/// Declares the mutations: input, and payload with its union of refusals.
macro_rules! acts {
    ($(
        $(#[doc = $doc:literal])+
        $field:ident($input:ident) -> $(#[doc = $came:literal])+ $payload:ident($error:ident);
    )*) => {
        $(
        $(#[doc = $came])+
        pub(crate) struct $payload(Acted<$error>);

        $(#[doc = $came])+
        #[Object]
        impl $payload {
            /// 变更后的事项;被拒绝时为空 / The matter afterwards; null when refused
            async fn case_matter(&self, ctx: &Context<'_>) -> Option<Result<CaseMatter, Fault>> {
                self.0.outcome.case?;
                load(ctx, self.0.matter?).await
            }

            /// 变更后的办件;被拒绝时为空 / The case afterwards; null when refused
            async fn case(&self, ctx: &Context<'_>) -> Option<Result<Case, Fault>> {
                Case::load(ctx, self.0.outcome.case?).await.transpose()
            }

            /// 业务错误;空则成功 / Refusals; none means it was done
            async fn errors(&self) -> &[$error] {
                &self.0.outcome.errors
            }

            /// 此变更可读的修订号 / Revision by which the change can be read
            async fn revision(&self) -> Revision {
                Revision(self.0.outcome.revision)
            }

            /// 是否由同一幂等键的先前请求完成 / Whether an earlier request with the same key did it
            async fn replayed(&self) -> bool {
                self.0.outcome.replayed
            }
        }
        )*

        /// The fields that do acts of the law.
        #[derive(Default)]
        pub(crate) struct ActMutations;

        #[Object]
        impl ActMutations {
            $(
            $(#[doc = $doc])+
            async fn $field(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "输入 / Input")] input: $input,
            ) -> Option<Result<$payload, Fault>> {
                Some(act(ctx, input.try_into()).await.map($payload))
            }
            )*
        }
    };
}

acts! {
    /// 受理;容缺材料按承诺期限补交 / Accepts a matter; materials that may come later get their period
    accept_matter(AcceptMatterInput) ->
        /// acceptMatter 的结果 / What came of acceptMatter
        AcceptMatterPayload(AcceptMatterError);
    /// 不予受理,仅限法定理由 / Does not accept a matter, on one of the lawful grounds
    not_accept_matter(NotAcceptMatterInput) ->
        /// notAcceptMatter 的结果 / What came of notAcceptMatter
        NotAcceptMatterPayload(NotAcceptMatterError);
    /// 受理前退回,一次说明全部理由 / Returns a matter before acceptance, with every reason at once
    return_matter(ReturnMatterInput) ->
        /// returnMatter 的结果 / What came of returnMatter
        ReturnMatterPayload(ReturnMatterError);
    /// 退回后重新提交 / Submits a returned matter again
    resubmit_matter(ResubmitMatterInput) ->
        /// resubmitMatter 的结果 / What came of resubmitMatter
        ResubmitMatterPayload(ResubmitMatterError);
    /// 一次性告知补正 / Asks for a correction: one complete list
    ask_correction(AskCorrectionInput) ->
        /// askCorrection 的结果 / What came of askCorrection
        AskCorrectionPayload(AskCorrectionError);
    /// 登记补正告知送达;申请人期限由此起算 / Records that the correction notice arrived; the applicant's period runs from here
    serve_correction(ServeCorrectionInput) ->
        /// serveCorrection 的结果 / What came of serveCorrection
        ServeCorrectionPayload(ServeCorrectionError);
    /// 提交补正 / Supplies what a correction asked for
    supply_correction(SupplyCorrectionInput) ->
        /// supplyCorrection 的结果 / What came of supplyCorrection
        SupplyCorrectionPayload(SupplyCorrectionError);
    /// 进入特别程序(听证、检验等),办理期限中止 / Begins a special procedure: the clocks of the handling stand still
    suspend_matter(SuspendMatterInput) ->
        /// suspendMatter 的结果 / What came of suspendMatter
        SuspendMatterPayload(SuspendMatterError);
    /// 特别程序结束,恢复计时 / Ends the special procedure; the clocks go on
    resume_matter(ResumeMatterInput) ->
        /// resumeMatter 的结果 / What came of resumeMatter
        ResumeMatterPayload(ResumeMatterError);
    /// 延期:机关负责人直接批准;审批人提出的转为负责人的待办 / Extends the limit: at once by the head of the office; an officer's wish becomes the head's task
    extend_matter(ExtendMatterInput) ->
        /// extendMatter 的结果 / What came of extendMatter
        ExtendMatterPayload(ExtendMatterError);
    /// 转报上级机关决定 / Forwards a matter to the higher office that decides
    forward_matter(ForwardMatterInput) ->
        /// forwardMatter 的结果 / What came of forwardMatter
        ForwardMatterPayload(ForwardMatterError);
    /// 撤回一个事项 / Withdraws one matter
    withdraw_matter(WithdrawMatterInput) ->
        /// withdrawMatter 的结果 / What came of withdrawMatter
        WithdrawMatterPayload(WithdrawMatterError);
    /// 终止办理 / Ends a matter without a decision
    terminate_matter(TerminateMatterInput) ->
        /// terminateMatter 的结果 / What came of terminateMatter
        TerminateMatterPayload(TerminateMatterError);
    /// 撤销已作出的决定;原决定留在记录中 / Takes a decision back; the record keeps it
    revoke_decision(RevokeDecisionInput) ->
        /// revokeDecision 的结果 / What came of revokeDecision
        RevokeDecisionPayload(RevokeDecisionError);
    /// 登记制证 / Records that the license was made
    record_license_made(RecordLicenseMadeInput) ->
        /// recordLicenseMade 的结果 / What came of recordLicenseMade
        RecordLicenseMadePayload(RecordLicenseMadeError);
    /// 登记决定和证照送达 / Records that decision and license were delivered
    record_delivery(RecordDeliveryInput) ->
        /// recordDelivery 的结果 / What came of recordDelivery
        RecordDeliveryPayload(RecordDeliveryError);
    /// 以按期发出的补正告知推翻视为受理 / Undoes a deemed acceptance by proof of a notice in time
    rebut_deemed_acceptance(RebutDeemedAcceptanceInput) ->
        /// rebutDeemedAcceptance 的结果 / What came of rebutDeemedAcceptance
        RebutDeemedAcceptancePayload(RebutDeemedAcceptanceError);
}

async fn act<E: From<Denied>>(
    ctx: &Context<'_>,
    asked: Result<Asked, Denied>,
) -> Result<Acted<E>, Fault> {
    let matter = asked.as_ref().ok().and_then(|asked| asked.on.matter_id.parse().ok());
    let done = request(asking(ctx), asked).await;
    Ok(Acted { matter, outcome: settle(ctx, done)? })
}

async fn request(asking: Asking<'_>, asked: Result<Asked, Denied>) -> Result<Receipt, Stop> {
    let Asked { on, act } = asked?;
    let key = read_key(on.idempotency_key)?;
    let id: MatterId = read_id("matterId", &on.matter_id)?;
    let act = ActRequest { came: read_came(on.came), seen: read_seen(on.seen), ..act };
    let change = Change::Act { matter: id.no, act };
    Ok(asking.engine.change_case(asking.viewer, id.case, change, key).await?)
}

async fn load(ctx: &Context<'_>, id: MatterId) -> Option<Result<CaseMatter, Fault>> {
    match Case::load(ctx, id.case).await.transpose()? {
        Ok(case) => case.matter(id.no).map(Ok),
        Err(fault) => Some(Err(fault)),
    }
}
