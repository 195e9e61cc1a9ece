//! Starting, submitting and withdrawing a case.

use async_graphql::{Context, ID, InputObject, Object};
use tongban_core::digest::Digest;
use tongban_core::entry::Party;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::material::MaterialGiven;
use tongban_core::start::StartCase;
use tongban_core::value::Value;
use tongban_engine::Receipt;

use super::outcome::{case_payloads, read_id, read_key, settle};
use crate::error::{Denied, Fault, StartCaseError, Stop, SubmitCaseError, WithdrawCaseError};
use crate::schema::{Asking, asking};
use crate::view::{Case, Json, Revision};

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
    /// 幂等键:重复请求用同一个键 / Idempotency key: the same one for a repetition
    idempotency_key: String,
}

/// submitCase 的输入 / Input of submitCase
#[derive(InputObject)]
pub(crate) struct SubmitCaseInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 幂等键:重复请求用同一个键 / Idempotency key: the same one for a repetition
    idempotency_key: String,
}

/// withdrawCase 的输入 / Input of withdrawCase
#[derive(InputObject)]
pub(crate) struct WithdrawCaseInput {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 撤回理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键 / Idempotency key: the same one for a repetition
    idempotency_key: String,
}

case_payloads! {
    /// startCase 的结果 / What came of startCase
    StartCasePayload(StartCaseError);
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
    let materials = input.materials.unwrap_or_default().into_iter().map(read_material);
    let service = ServiceCode::new(input.service_code);
    let region = RegionCode::new(input.region);
    let start = StartCase {
        agent: input.agent.map(Into::into),
        answers: read_map("answers", input.answers)?,
        form: read_map("form", input.form)?,
        materials: materials.collect::<Result<_, _>>()?,
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

fn read_material(input: MaterialInput) -> Result<MaterialGiven, Denied> {
    let digest = Digest::from_hex(&input.sha256).ok_or_else(|| {
        Denied::invalid(
            "materials",
            "sha256 须为 64 位十六进制",
            "sha256 has 64 hexadecimal digits",
        )
    })?;
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
