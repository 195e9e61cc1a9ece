//! What people add to a case and repair in it: materials, authorisations, the form, entries
//! recorded by mistake, answers to cards, the service of notices.

use async_graphql::{Context, ID, InputObject, Object, OneofObject};
use tongban_core::command::Refusal;
use tongban_core::digest::Digest;
use tongban_core::document::{Attachment, ServiceMode};
use tongban_core::entry::Consent;
use tongban_core::id::CaseId;
use tongban_core::material::{Form, MaterialGiven};
use tongban_engine::{Change, Receipt};

use super::came::{CameInput, read_came, read_digest};
use super::cases::read_map;
use super::outcome::{case_payloads, read_id, read_key, settle};
use crate::error::{
    AmendFormError, AnswerCardError, ConsentToLicenseError, Denied, Fault, GiveMaterialError,
    PrefillFormError, ServeDocumentError, Stop, UrgeCaseError, VoidEntryError,
};
use crate::schema::{Asking, asking};
use crate::view::{CardAnswerKind, Case, DateTime, EntryKind, Json, Revision, read_entry_id};

/// 文件,以内容摘要引用 / A file, by the digest of its content
#[derive(InputObject)]
pub(crate) struct FileInput {
    /// 文件名 / Name of the file
    file_name: String,
    /// 文件内容的 SHA-256,64 位十六进制;须先经 /upload 上传到该办件 / SHA-256 of the file, 64 hexadecimal digits; upload it to this case by /upload first
    sha256: String,
}

/// 告知承诺 / A commitment of the applicant in place of a material
#[derive(InputObject)]
pub(crate) struct CommitmentInput {
    /// 承诺书文本版本 / Version of the text that he committed to
    text_version: String,
}

/// 提交什么,只能给出其中一个 / What is handed in; exactly one of them
#[derive(OneofObject)]
pub(crate) enum HandedInInput {
    /// 已上传的文件 / A file that was uploaded
    File(FileInput),
    /// 告知承诺 / A commitment
    Commitment(CommitmentInput),
}

/// giveMaterial 的输入 / Input of giveMaterial
#[derive(InputObject)]
pub(crate) struct GiveMaterialInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 材料代码 / Code of the material
    code: String,
    /// 提交什么 / What is handed in
    handed_in: HandedInInput,
    /// 补录时的实际时间和凭证 / When it really came, if it is recorded later
    came: Option<CameInput>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// consentToLicense 的输入 / Input of consentToLicense
#[derive(InputObject)]
pub(crate) struct ConsentToLicenseInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 电子证照类型 / Type of the license
    license: String,
    /// 用于哪个事项(事项代码);不填则用于整个办件 / For which matter, by its code; for the whole case when left out
    matter_code: Option<String>,
    /// 授权书文本版本 / Version of the text that the holder agreed to
    text_version: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// amendForm 的输入 / Input of amendForm
#[derive(InputObject)]
pub(crate) struct AmendFormInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 看到的表单版本号,即办件的 formVersion;已变动则拒绝 / Version of the form that was seen, the case's formVersion; refused when it has changed
    expected_version: u32,
    /// 要更正的字段及其新值 / The fields with their new values
    fields: Json,
    /// 理由;提交后由窗口更正时必填 / Why; needed when a window amends a submitted form
    reason: Option<String>,
    /// 补录时的实际时间和凭证 / When it really came, if it is recorded later
    came: Option<CameInput>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// prefillForm 的输入 / Input of prefillForm
#[derive(InputObject)]
pub(crate) struct PrefillFormInput {
    /// 办件标识;须尚未提交 / Id of the case, which must not be submitted yet
    case_id: ID,
    /// 理由;由窗口代为查询时必填 / Why; needed when a window asks for the applicant
    reason: Option<String>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// voidEntry 的输入 / Input of voidEntry
#[derive(InputObject)]
pub(crate) struct VoidEntryInput {
    /// 误录事件的标识:表单更正或材料提交 / Id of the event that was recorded by mistake: an amendment of the form or a material
    event_id: ID,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// urgeCase 的输入 / Input of urgeCase
#[derive(InputObject)]
pub(crate) struct UrgeCaseInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 催办内容 / What to say
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// answerCard 的输入 / Input of answerCard
#[derive(InputObject)]
pub(crate) struct AnswerCardInput {
    /// 督办牌标识 / Id of the card
    card_id: ID,
    /// 答复、申诉,或对申诉的裁定 / A reply, an appeal, or the decision about one
    kind: CardAnswerKind,
    /// 内容 / The words
    text: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// 窗口直接送达 / Handed over at a window
#[derive(InputObject)]
pub(crate) struct ServedAtWindowInput {
    /// 签收人 / Who signed for it
    signed_by: String,
}

/// 邮寄送达 / By post
#[derive(InputObject)]
pub(crate) struct ServedByPostInput {
    /// 运单号 / Number of the waybill
    waybill: String,
    /// 签收时间;在途时不填,签收后再登记一次 / When it was signed for; left out while it is on its way, recorded again afterwards
    signed_at: Option<DateTime>,
}

/// 电子送达 / Electronically
#[derive(InputObject)]
pub(crate) struct ServedElectronicallyInput {
    /// 受送达人的系统或地址 / The recipient's system or address
    system: String,
    /// 到达时间;未知时不填,到达后再登记一次 / When it arrived; left out while that is not known, recorded again afterwards
    arrived_at: Option<DateTime>,
}

/// 公告送达 / By announcement
#[derive(InputObject)]
pub(crate) struct ServedByAnnouncementInput {
    /// 公告处 / Where it was published
    place: String,
    /// 多少自然日后视为送达 / Calendar days after which it counts as served
    days: u16,
}

/// 送达方式,只能给出其中一个 / How a notice was served; exactly one of them
#[derive(OneofObject)]
pub(crate) enum ServiceModeInput {
    /// 窗口直接送达 / Handed over at a window
    Window(ServedAtWindowInput),
    /// 邮寄送达 / By post
    Post(ServedByPostInput),
    /// 电子送达 / Electronically
    Electronic(ServedElectronicallyInput),
    /// 公告送达 / By announcement
    Announcement(ServedByAnnouncementInput),
}

impl From<ServiceModeInput> for ServiceMode {
    fn from(input: ServiceModeInput) -> Self {
        match input {
            ServiceModeInput::Window(how) => Self::Window { signed_by: how.signed_by },
            ServiceModeInput::Post(how) => {
                Self::Post { waybill: how.waybill, signed_at: how.signed_at.map(|at| at.0) }
            }
            ServiceModeInput::Electronic(how) => {
                Self::Electronic { system: how.system, arrived_at: how.arrived_at.map(|at| at.0) }
            }
            ServiceModeInput::Announcement(how) => {
                Self::Announcement { place: how.place, days: how.days }
            }
        }
    }
}

/// serveDocument 的输入 / Input of serveDocument
#[derive(InputObject)]
pub(crate) struct ServeDocumentInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 文书编号 / Number of the document
    number: String,
    /// 送达方式 / How it was served
    how: ServiceModeInput,
    /// 证明送达的文件 / Files that prove it
    files: Option<Vec<FileInput>>,
    /// 补录时的实际时间和凭证 / When it really happened, if it is recorded later
    came: Option<CameInput>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

case_payloads! {
    /// giveMaterial 的结果 / What came of giveMaterial
    GiveMaterialPayload(GiveMaterialError);
    /// consentToLicense 的结果 / What came of consentToLicense
    ConsentToLicensePayload(ConsentToLicenseError);
    /// amendForm 的结果 / What came of amendForm
    AmendFormPayload(AmendFormError);
    /// prefillForm 的结果 / What came of prefillForm
    PrefillFormPayload(PrefillFormError);
    /// voidEntry 的结果 / What came of voidEntry
    VoidEntryPayload(VoidEntryError);
    /// urgeCase 的结果 / What came of urgeCase
    UrgeCasePayload(UrgeCaseError);
    /// answerCard 的结果 / What came of answerCard
    AnswerCardPayload(AnswerCardError);
    /// serveDocument 的结果 / What came of serveDocument
    ServeDocumentPayload(ServeDocumentError);
}

/// The fields that add to a case and repair it.
#[derive(Default)]
pub(crate) struct RecordMutations;

#[Object]
impl RecordMutations {
    /// 提交材料或其新版本;一次提交,各事项共用 / Hands in a material, or its next version; once, for every matter that wants it
    async fn give_material(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: GiveMaterialInput,
    ) -> Option<Result<GiveMaterialPayload, Fault>> {
        let done = give(asking(ctx), input).await;
        Some(settle(ctx, done).map(GiveMaterialPayload))
    }

    /// 用证授权:允许为本办件调取电子证照 / Authorises the use of an electronic license for this case
    async fn consent_to_license(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: ConsentToLicenseInput,
    ) -> Option<Result<ConsentToLicensePayload, Fault>> {
        let done = consent(asking(ctx), input).await;
        Some(settle(ctx, done).map(ConsentToLicensePayload))
    }

    /// 更正表单:申请人更正补正清单所列,窗口更正须说明理由 / Amends the form: the applicant what a correction lists, a window with a reason
    async fn amend_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: AmendFormInput,
    ) -> Option<Result<AmendFormPayload, Fault>> {
        let done = amend(asking(ctx), input).await;
        Some(settle(ctx, done).map(AmendFormPayload))
    }

    /// 以共享数据预填表单中未填的字段;须经持有人授权(consentToLicense),查不到的字段留空并说明原因 / Fills open fields of a draft's form from shared data, under the holder's consent (consentToLicense); what is not found stays open, with its cause
    async fn prefill_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: PrefillFormInput,
    ) -> Option<Result<PrefillFormPayload, Fault>> {
        let done = prefill(asking(ctx), input).await;
        Some(settle(ctx, done).map(PrefillFormPayload))
    }

    /// 作废误录,原记录保留 / Takes back what was recorded by mistake; the record stays
    async fn void_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: VoidEntryInput,
    ) -> Option<Result<VoidEntryPayload, Fault>> {
        let done = void(asking(ctx), input).await;
        Some(settle(ctx, done).map(VoidEntryPayload))
    }

    /// 催办办件:申请人催办正在等部门或窗口的事项,每个事项每个工作日一次 / Urges a case: the applicant reminds the offices that its matters wait for, each matter once a working day
    async fn urge_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: UrgeCaseInput,
    ) -> Option<Result<UrgeCasePayload, Fault>> {
        let done = urge(asking(ctx), input).await;
        Some(settle(ctx, done).map(UrgeCasePayload))
    }

    /// 答复督办牌、申诉,或由督查裁定申诉 / Replies to a card, appeals against it, or decides the appeal
    async fn answer_card(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: AnswerCardInput,
    ) -> Option<Result<AnswerCardPayload, Fault>> {
        let done = answer(asking(ctx), input).await;
        Some(settle(ctx, done).map(AnswerCardPayload))
    }

    /// 登记文书送达;由此开始的期限自送达起算 / Records how a notice was served; the periods that it starts run from service
    async fn serve_document(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: ServeDocumentInput,
    ) -> Option<Result<ServeDocumentPayload, Fault>> {
        let done = serve(asking(ctx), input).await;
        Some(settle(ctx, done).map(ServeDocumentPayload))
    }
}

async fn give(asking: Asking<'_>, input: GiveMaterialInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    let given = match input.handed_in {
        HandedInInput::File(file) => {
            let digest = read_digest("handedIn", &file.sha256)?;
            MaterialGiven::file(&input.code, &file.file_name, digest)
        }
        HandedInInput::Commitment(commitment) => {
            let digest = Digest::of(commitment.text_version.as_bytes());
            let form = Form::Commitment { text_version: commitment.text_version };
            MaterialGiven { form, ..MaterialGiven::file(&input.code, "", digest) }
        }
    };
    let change = Change::GiveMaterial { given, came: read_came(input.came) };
    Ok(asking.engine.change_case(asking.viewer, case, change, key).await?)
}

/// The license is the applicant's own; whoever may see the case may name him.
async fn consent(asking: Asking<'_>, input: ConsentToLicenseInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case: CaseId = read_id("caseId", &input.case_id)?;
    let view = asking.engine.case(asking.viewer, case).await?;
    let view = view.ok_or_else(no_case)?;
    let consent = Consent {
        license: input.license,
        holder: view.case().started.applicant.id.clone(),
        purpose: input.matter_code.unwrap_or_else(|| "*".to_owned()),
        text_version: input.text_version,
    };
    let change = Change::Consent(consent);
    Ok(asking.engine.change_case(asking.viewer, case, change, key).await?)
}

fn no_case() -> Denied {
    Refusal::new("CASE_NOT_FOUND", "没有这个办件", "there is no such case").into()
}

async fn amend(asking: Asking<'_>, input: AmendFormInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    let change = Change::AmendForm {
        fields: read_map("fields", Some(input.fields))?,
        reason: input.reason.unwrap_or_default(),
        came: read_came(input.came),
        seen: Some(input.expected_version),
    };
    Ok(asking.engine.change_case(asking.viewer, case, change, key).await?)
}

async fn prefill(asking: Asking<'_>, input: PrefillFormInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    let reason = input.reason.unwrap_or_default();
    Ok(asking.engine.prefill(asking.viewer, case, reason, key).await?)
}

async fn void(asking: Asking<'_>, input: VoidEntryInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let (case, entry) = read_entry("eventId", EntryKind::Event, &input.event_id)?;
    let change = Change::VoidEntry { entry, reason: input.reason };
    Ok(asking.engine.change_case(asking.viewer, case, change, key).await?)
}

async fn urge(asking: Asking<'_>, input: UrgeCaseInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    let change = Change::Urge { reason: input.reason };
    Ok(asking.engine.change_case(asking.viewer, case, change, key).await?)
}

async fn answer(asking: Asking<'_>, input: AnswerCardInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let (case, card) = read_entry("cardId", EntryKind::Card, &input.card_id)?;
    let change = Change::AnswerCard { card, kind: input.kind.into(), text: input.text };
    Ok(asking.engine.change_case(asking.viewer, case, change, key).await?)
}

fn read_entry(
    path: &str,
    kind: EntryKind,
    id: &ID,
) -> Result<(CaseId, tongban_core::id::Seq), Denied> {
    let read = read_entry_id(kind, id);
    read.ok_or_else(|| Denied::invalid(path, "标识无法识别", "this is not such an id"))
}

async fn serve(asking: Asking<'_>, input: ServeDocumentInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    let files = input.files.unwrap_or_default().into_iter().map(|file| {
        Ok(Attachment { name: file.file_name, digest: read_digest("files", &file.sha256)? })
    });
    let change = Change::ServeDocument {
        number: input.number,
        how: input.how.into(),
        files: files.collect::<Result<_, Denied>>()?,
        came: read_came(input.came),
    };
    Ok(asking.engine.change_case(asking.viewer, case, change, key).await?)
}
