//! Starting, submitting and withdrawing a case.

use async_graphql::{Context, ID, InputObject, Object};
use tongban_core::entry::{Arrival, Consent, Party};
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::material::MaterialGiven;
use tongban_core::start::StartCase;
use tongban_core::value::Value;
use tongban_engine::Receipt;

use super::came::read_digest;
use super::outcome::{Outcome, case_payloads, read_id, read_key, settle};
use crate::error::{Denied, Fault, StartCaseError, Stop, SubmitCaseError, WithdrawCaseError};
use crate::schema::{Asking, asking};
use crate::view::{Case, Channel, DateTime, Json, Revision};

/// 当事人 / A party
#[derive(InputObject)]
pub(crate) struct PartyInput {
    /// 证件号码:公民身份号码或统一社会信用代码 / Citizen number or unified social credit code
    id: String,
    /// 姓名或名称 / Name
    name: String,
}

/// 材料,以内容摘要引用 / A material, by the digest of its content
#[derive(InputObject)]
pub(crate) struct MaterialInput {
    /// 材料代码 / Code
    code: String,
    /// 文件名 / Name of the file
    file_name: String,
    /// 文件内容的 SHA-256,64 位十六进制 / SHA-256 of the file, 64 hexadecimal digits
    sha256: String,
}

/// 用证授权 / An authorisation to fetch an electronic license of the applicant
#[derive(InputObject)]
pub(crate) struct ConsentInput {
    /// 电子证照类型 / Type of the license
    license: String,
    /// 用于哪个事项(事项代码);不填则用于整个办件 / For which matter, by its code; for the whole case when left out
    matter_code: Option<String>,
    /// 授权书文本版本 / Version of the text that he agreed to
    text_version: String,
}

/// 来件方式,由窗口人员登记 / How the application came, as a window clerk records it
#[derive(InputObject)]
pub(crate) struct ArrivalInput {
    /// 申请渠道 / Channel
    channel: Channel,
    /// 实际收件时间,早于登记时填写;期限由此起算 / When the papers were taken, if before they are recorded; limits count from here
    received_at: Option<DateTime>,
    /// 凭证:收件凭证编号、邮戳、停机编号等;补录时必填 / What proves that time: number of a receipt, a postmark, an outage; needed with it
    evidence: Option<String>,
}

/// startCase 的输入 / Input of startCase
#[derive(InputObject)]
pub(crate) struct StartCaseInput {
    /// 一件事服务代码 / Code of the service
    service_code: String,
    /// 受理地区代码 / Code of the region
    region: String,
    /// 申请人 / The applicant
    applicant: PartyInput,
    /// 代办人 / Who files for him
    agent: Option<PartyInput>,
    /// 情形引导问题的回答 / Answers to the questions
    answers: Option<Json>,
    /// 表单数据 / The form
    form: Option<Json>,
    /// 材料 / Materials
    materials: Option<Vec<MaterialInput>>,
    /// 用证授权 / Authorisations to fetch electronic licenses
    consents: Option<Vec<ConsentInput>>,
    /// 来件方式;网上申请不填 / How it came; left out when it is filed online
    arrival: Option<ArrivalInput>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// submitCase 的输入 / Input of submitCase
#[derive(InputObject)]
pub(crate) struct SubmitCaseInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// withdrawCase 的输入 / Input of withdrawCase
#[derive(InputObject)]
pub(crate) struct WithdrawCaseInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 撤回理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// startCase 的结果 / What came of startCase
pub(crate) struct StartCasePayload(Outcome<StartCaseError>);

/// startCase 的结果 / What came of startCase
#[Object]
impl StartCasePayload {
    /// 建立的办件;被拒绝时为空 / The case; null when refused
    async fn case(&self, ctx: &Context<'_>) -> Option<Result<Case, Fault>> {
        Case::load(ctx, self.0.case?).await.transpose()
    }

    /// 同一申请人同一服务的其他未结办件:仅提示,不妨碍办理 / Other open cases of the same applicant and service: a warning, never a refusal
    async fn duplicates(&self, ctx: &Context<'_>) -> Option<Result<Vec<Case>, Fault>> {
        match Case::load(ctx, self.0.case?).await.transpose()? {
            Ok(case) => case.others(ctx).await,
            Err(fault) => Some(Err(fault)),
        }
    }

    /// 业务错误;空则成功 / Refusals; none means it was done
    async fn errors(&self) -> &[StartCaseError] {
        &self.0.errors
    }

    /// 此变更可读的修订号 / Revision by which the change can be read
    async fn revision(&self) -> Revision {
        Revision(self.0.revision)
    }

    /// 是否由同一幂等键的先前请求完成 / Whether an earlier request with the same key did it
    async fn replayed(&self) -> bool {
        self.0.replayed
    }
}

case_payloads! {
    /// submitCase 的结果 / What came of submitCase
    SubmitCasePayload(SubmitCaseError);
    /// withdrawCase 的结果 / What came of withdrawCase
    WithdrawCasePayload(WithdrawCaseError);
}

/// The fields that change cases.
#[derive(Default)]
pub(crate) struct CaseMutations;

#[Object]
impl CaseMutations {
    /// 建立办件(草稿) / Starts a case, as a draft
    async fn start_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: StartCaseInput,
    ) -> Option<Result<StartCasePayload, Fault>> {
        let done = start(asking(ctx), input).await;
        Some(settle(ctx, done).map(StartCasePayload))
    }

    /// 提交办件;缺什么一次告知 / Submits a case; all that is missing is told at once
    async fn submit_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: SubmitCaseInput,
    ) -> Option<Result<SubmitCasePayload, Fault>> {
        let done = submit(asking(ctx), input).await;
        Some(settle(ctx, done).map(SubmitCasePayload))
    }

    /// 撤回办件中尚未办结的事项 / Withdraws every matter of a case that has not ended
    async fn withdraw_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: WithdrawCaseInput,
    ) -> Option<Result<WithdrawCasePayload, Fault>> {
        let done = withdraw(asking(ctx), input).await;
        Some(settle(ctx, done).map(WithdrawCasePayload))
    }
}

async fn start(asking: Asking<'_>, input: StartCaseInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let given = input.materials.unwrap_or_default();
    let materials = given.iter().map(read_material);
    let service = ServiceCode::new(input.service_code);
    let region = RegionCode::new(input.region);
    let holder = input.applicant.id.clone();
    let consents = input.consents.unwrap_or_default().into_iter();
    let form = read_map("form", input.form)?;
    let start = StartCase {
        agent: input.agent.map(Into::into),
        answers: read_map("answers", input.answers)?,
        form,
        materials: materials.collect::<Result<_, _>>()?,
        consents: consents.map(|consent| consent.by(&holder)).collect(),
        arrival: input.arrival.map(Arrival::from).unwrap_or_default(),
        ..StartCase::new(service, region, input.applicant.into())
    };
    Ok(asking.engine.start_case(asking.viewer, start, key).await?)
}

async fn submit(asking: Asking<'_>, input: SubmitCaseInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    Ok(asking.engine.submit_case(asking.viewer, case, key).await?)
}

async fn withdraw(asking: Asking<'_>, input: WithdrawCaseInput) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let case = read_id("caseId", &input.case_id)?;
    Ok(asking.engine.withdraw_case(asking.viewer, case, input.reason, key).await?)
}

impl From<PartyInput> for Party {
    fn from(input: PartyInput) -> Self {
        Self { id: input.id, name: input.name }
    }
}

impl ConsentInput {
    fn by(self, holder: &str) -> Consent {
        Consent {
            license: self.license,
            holder: holder.to_owned(),
            purpose: self.matter_code.unwrap_or_else(|| "*".to_owned()),
            text_version: self.text_version,
        }
    }
}

impl From<ArrivalInput> for Arrival {
    fn from(input: ArrivalInput) -> Self {
        Self {
            channel: input.channel.code(),
            received_at: input.received_at.map(|at| at.0),
            evidence: input.evidence.unwrap_or_default(),
        }
    }
}

fn read_material(input: &MaterialInput) -> Result<MaterialGiven, Denied> {
    let digest = read_digest("materials", &input.sha256)?;
    Ok(MaterialGiven::file(&input.code, &input.file_name, digest))
}

/// Reads free data, which must be an object.
pub(super) fn read_map(path: &str, json: Option<Json>) -> Result<Value, Denied> {
    let Some(Json(json)) = json else { return Ok(Value::map()) };
    if !json.is_object() {
        return Err(Denied::invalid(path, "须为对象", "must be an object"));
    }
    let value = Value::from_json(&json).and_then(Value::check);
    value.map_err(|error| {
        let text = error.to_string();
        let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
        Denied::invalid(path, zh, en)
    })
}
