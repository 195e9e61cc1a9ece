//! Ways out of incidents, one by one and many at once. Which way needs what is said by the input:
//! exactly one of its members is given.

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject};
use tongban_core::id::{CaseId, CommitNo, Seq};
use tongban_core::request::{Outcome as CallOutcome, OutcomeKind};
use tongban_core::value::Value;
use tongban_core::way_out::{Overriding, WayOut};
use tongban_engine::{IncidentFilter, Receipt, SettledOne};

use super::outcome::{Outcome, read_key, refuse, settle};
use crate::error::{Denied, Fault, SettleIncidentError, SettleIncidentsError, Stop};
use crate::query::{IncidentFilterInput, read_version};
use crate::schema::{Asking, asking};
use crate::view::{Case, EntryKind, Incident, Json, Revision, read_entry_id, write_entry_id};

/// 不需更多说明的处理方式 / Ways out that need nothing more
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum PlainWay {
    /// 重试:脚本、文书,或原编号的调用(先查询) / Try again: the script, the notice, or the call under its own id, asked for first
    Retry,
    /// 停止脚本并撤销已办;须部门负责人 / Stop the script and undo what it registered; for the head of the office
    Cancel,
    /// 跳过未成功的调用;两人先后提出同一处理才生效 / Go on without the call that failed; it holds once two persons have said so
    Skip,
    /// 已阅 / It was looked at and needs nothing more
    Acknowledge,
}

/// 更正后的未办成结果 / An outcome that takes the place of a call's result
#[derive(InputObject)]
pub(crate) struct OutcomeInput {
    /// 种类 / Its kind
    kind: OverridingKind,
    /// 理由 / Why
    reason: String,
}

/// 更正后的未办成种类 / Kinds of outcome that may take the place of a call's result
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum OverridingKind {
    /// 对方不予办理 / A lawful no
    Rejected,
    /// 须先补正 / Items must be corrected first
    NeedsCorrection,
    /// 须申请人先办理 / The applicant must do something first
    NeedsApplicant,
    /// 已取消 / The call was cancelled
    Cancelled,
}

impl From<OverridingKind> for OutcomeKind {
    fn from(kind: OverridingKind) -> Self {
        match kind {
            OverridingKind::Rejected => Self::Rejected,
            OverridingKind::NeedsCorrection => Self::NeedsCorrection,
            OverridingKind::NeedsApplicant => Self::NeedsApplicant,
            OverridingKind::Cancelled => Self::Cancelled,
        }
    }
}

/// 更正为什么,只能给出其中一个 / What a call gives instead; exactly one of them
#[derive(OneofObject)]
pub(crate) enum OverridingInput {
    /// 办成,输出为此对象 / It completed with this output, an object
    Output(Json),
    /// 未办成 / It ended otherwise
    Outcome(OutcomeInput),
}

/// 更正某次调用的结果;两人先后提出同一处理才生效 / Another result in the place of a call's; it holds once two persons have said the same
#[derive(InputObject)]
pub(crate) struct OverrideInput {
    /// 脚本的请求,如 1.0#3;不填则为异常涉及的调用 / The script's request, such as 1.0#3; that of the incident's call by default
    request: Option<String>,
    /// 更正为什么 / What it gives instead
    with: OverridingInput,
}

/// 处理方式,只能给出其中一个 / A way out; exactly one of them
#[derive(OneofObject)]
pub(crate) enum WayOutInput {
    /// 不需更多说明的方式 / A way that needs nothing more
    Plain(PlainWay),
    /// 换用此版本;先试运行,不通过则拒绝 / Go on under this version; refused when its dry run fails
    Rebind(String),
    /// 从第几条记录起重新执行;此前的保留 / Begin again from this entry; what was asked before it is kept
    RestartFrom(u32),
    /// 更正某次调用的结果 / Put another result in the place of a call's
    Override(OverrideInput),
}

/// settleIncident 的输入 / Input of settleIncident
#[derive(InputObject)]
pub(crate) struct SettleIncidentInput {
    /// 异常标识 / Id of the incident
    incident_id: ID,
    /// 处理方式 / The way out
    way: WayOutInput,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// settleIncidents 的输入 / Input of settleIncidents
#[derive(InputObject)]
pub(crate) struct SettleIncidentsInput {
    /// 哪些异常,与 incidents 查询相同 / Which incidents, as the query incidents has it
    filter: IncidentFilterInput,
    /// 看到的总数;已变动则拒绝 / How many were seen; refused when they are more or fewer
    expected_count: u32,
    /// 处理方式;更正结果只能逐个办理 / The way out; results are overridden one by one
    way: WayOutInput,
    /// 理由 / Why
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// settleIncident 的结果 / What came of settleIncident
pub(crate) struct SettleIncidentPayload {
    at: Option<(CaseId, Seq)>,
    outcome: Outcome<SettleIncidentError>,
}

/// settleIncident 的结果 / What came of settleIncident
#[Object]
impl SettleIncidentPayload {
    /// 处理后的异常;须两人的处理先显示为 PROPOSED;被拒绝时为空 / The incident afterwards; PROPOSED where a second person is needed; null when refused
    async fn incident(&self, ctx: &Context<'_>) -> Option<Result<Incident, Fault>> {
        self.outcome.case?;
        load(ctx, self.at?).await
    }

    /// 变更后的办件;被拒绝时为空 / The case afterwards; null when refused
    async fn case(&self, ctx: &Context<'_>) -> Option<Result<Case, Fault>> {
        Case::load(ctx, self.outcome.case?).await.transpose()
    }

    /// 业务错误;空则成功 / Refusals; none means it was done
    async fn errors(&self) -> &[SettleIncidentError] {
        &self.outcome.errors
    }

    /// 此变更可读的修订号 / Revision by which the change can be read
    async fn revision(&self) -> Revision {
        Revision(self.outcome.revision)
    }

    /// 是否由同一幂等键的先前请求完成 / Whether an earlier request with the same key did it
    async fn replayed(&self) -> bool {
        self.outcome.replayed
    }
}

/// 一个异常的处理结果 / What came of one incident
pub(crate) struct SettleIncidentsResult {
    at: (CaseId, Seq),
    outcome: Outcome<SettleIncidentError>,
}

/// 一个异常的处理结果 / What came of one incident
#[Object]
impl SettleIncidentsResult {
    /// 异常标识 / Id of the incident
    async fn incident_id(&self) -> ID {
        write_entry_id(EntryKind::Incident, self.at.0, self.at.1)
    }

    /// 是否完成 / Whether it was done
    async fn done(&self) -> bool {
        self.outcome.case.is_some()
    }

    /// 处理后的异常;被拒绝时为空 / The incident afterwards; null when refused
    async fn incident(&self, ctx: &Context<'_>) -> Option<Result<Incident, Fault>> {
        self.outcome.case?;
        load(ctx, self.at).await
    }

    /// 本项的业务错误 / Refusals of this item
    async fn errors(&self) -> &[SettleIncidentError] {
        &self.outcome.errors
    }
}

/// settleIncidents 的结果 / What came of settleIncidents
pub(crate) struct SettleIncidentsPayload {
    results: Vec<SettleIncidentsResult>,
    errors: Vec<SettleIncidentsError>,
    revision: CommitNo,
}

/// settleIncidents 的结果 / What came of settleIncidents
#[Object]
impl SettleIncidentsPayload {
    /// 每项的结果 / What came of each incident
    async fn results(&self) -> &[SettleIncidentsResult] {
        &self.results
    }

    /// 完成的项数 / How many were done
    async fn done_count(&self) -> usize {
        self.results.iter().filter(|one| one.outcome.case.is_some()).count()
    }

    /// 未完成的项数 / How many were not
    async fn failed_count(&self) -> usize {
        self.results.iter().filter(|one| one.outcome.case.is_none()).count()
    }

    /// 整个请求的业务错误;单项的错误见 results / Refusals of the whole request; those of an item are in results
    async fn errors(&self) -> &[SettleIncidentsError] {
        &self.errors
    }

    /// 此变更可读的修订号 / Revision by which the changes can be read
    async fn revision(&self) -> Revision {
        Revision(self.revision)
    }

    /// 是否全部由同一幂等键的先前请求完成 / Whether an earlier request with the same key did all of it
    async fn replayed(&self) -> bool {
        !self.results.is_empty() && self.results.iter().all(|one| one.outcome.replayed)
    }
}

/// The fields that end incidents.
#[derive(Default)]
pub(crate) struct IncidentMutations;

#[Object]
impl IncidentMutations {
    /// 处理一个异常;谁、为何、何时都记入日志 / Takes a way out of an incident; the log keeps who, why and when
    async fn settle_incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: SettleIncidentInput,
    ) -> Option<Result<SettleIncidentPayload, Fault>> {
        let at = read_entry_id(EntryKind::Incident, &input.incident_id);
        let done = settle_one(asking(ctx), at, input).await;
        Some(settle(ctx, done).map(|outcome| SettleIncidentPayload { at, outcome }))
    }

    /// 批量处理:条件所及的异常数与所见相同才办理,各项互不影响 / Takes one way out of every incident that a filter finds, if they are as many as were seen; each stands for itself
    async fn settle_incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: SettleIncidentsInput,
    ) -> Option<Result<SettleIncidentsPayload, Fault>> {
        let done = settle_many(asking(ctx), input).await;
        let (found, errors) = match done {
            Ok(found) => (found, Vec::new()),
            Err(Stop::Denied(denied)) => (Vec::new(), vec![refuse(ctx, *denied)]),
            Err(Stop::Fault(fault)) => return Some(Err(fault)),
        };
        let mut results = Vec::with_capacity(found.len());
        for SettledOne { case, incident, outcome } in found {
            match settle(ctx, outcome.map_err(Stop::from)) {
                Ok(outcome) => {
                    results.push(SettleIncidentsResult { at: (case, incident), outcome });
                }
                Err(fault) => return Some(Err(fault)),
            }
        }
        let revision = asking(ctx).engine.revision();
        Some(Ok(SettleIncidentsPayload { results, errors, revision }))
    }
}

async fn load(ctx: &Context<'_>, at: (CaseId, Seq)) -> Option<Result<Incident, Fault>> {
    match Case::load(ctx, at.0).await {
        Ok(case) => case?.incident(ctx, at.1).await,
        Err(fault) => Some(Err(fault)),
    }
}

async fn settle_one(
    asking: Asking<'_>,
    at: Option<(CaseId, Seq)>,
    input: SettleIncidentInput,
) -> Result<Receipt, Stop> {
    let key = read_key(input.idempotency_key)?;
    let at =
        at.ok_or_else(|| Denied::invalid("incidentId", "标识无法识别", "this is not such an id"))?;
    let way = match read_way(input.way)? {
        Read::Whole(way) => way,
        Read::OwnCall(with) => override_own(asking, at, with).await?,
    };
    Ok(asking.engine.settle_incident(asking.viewer, at, (way, input.reason), key).await?)
}

async fn settle_many(
    asking: Asking<'_>,
    input: SettleIncidentsInput,
) -> Result<Vec<SettledOne>, Stop> {
    let key = read_key(input.idempotency_key)?;
    let way = match read_way(input.way)? {
        Read::Whole(WayOut::Override { .. }) | Read::OwnCall(_) => {
            return Err(Denied::invalid(
                "way",
                "调用的结果只能逐个更正",
                "results of calls are overridden one by one",
            )
            .into());
        }
        Read::Whole(way) => way,
    };
    let filter = IncidentFilter::from(input.filter);
    let expected = usize::try_from(input.expected_count).unwrap_or(usize::MAX);
    let settling = (way, input.reason);
    Ok(asking.engine.settle_incidents(asking.viewer, (&filter, expected), settling, key).await?)
}

/// A way out as far as the input says it.
enum Read {
    Whole(WayOut),
    /// Override the call that the incident is about.
    OwnCall(Overriding),
}

fn read_way(input: WayOutInput) -> Result<Read, Denied> {
    Ok(Read::Whole(match input {
        WayOutInput::Plain(PlainWay::Retry) => WayOut::Retry,
        WayOutInput::Plain(PlainWay::Cancel) => WayOut::Cancel,
        WayOutInput::Plain(PlainWay::Skip) => WayOut::Skip,
        WayOutInput::Plain(PlainWay::Acknowledge) => WayOut::Acknowledge,
        WayOutInput::Rebind(version) => WayOut::Rebind { closure: read_closure(&version)? },
        WayOutInput::RestartFrom(from) => WayOut::Restart { from: Seq(from) },
        WayOutInput::Override(OverrideInput { request, with }) => {
            let with = read_overriding(with)?;
            let Some(request) = request else { return Ok(Read::OwnCall(with)) };
            let request = request.parse().map_err(|_| {
                Denied::invalid(
                    "request",
                    "请求须写作 1.0#3,见异常的 call",
                    "a request is written as 1.0#3; see call of the incident",
                )
            })?;
            WayOut::Override { request, with }
        }
    }))
}

/// Reads a version of scripts.
pub(super) fn read_closure(version: &str) -> Result<tongban_core::digest::Digest, Denied> {
    read_version(version).ok_or_else(|| {
        Denied::invalid(
            "version",
            "版本应为 64 位十六进制摘要",
            "a version is a digest of 64 digits",
        )
    })
}

fn read_overriding(input: OverridingInput) -> Result<Overriding, Denied> {
    match input {
        OverridingInput::Output(output) => {
            super::cases::read_map("output", Some(output)).map(Overriding::Output)
        }
        OverridingInput::Outcome(OutcomeInput { kind, reason }) => {
            let kind = kind.into();
            Ok(Overriding::Outcome(CallOutcome { kind, reason, detail: Value::Null }))
        }
    }
}

/// Names the request of the call that an incident is about.
async fn override_own(
    asking: Asking<'_>,
    at: (CaseId, Seq),
    with: Overriding,
) -> Result<WayOut, Stop> {
    let view = asking.engine.case(asking.viewer, at.0).await?;
    let items = view.map(|view| view.incidents(asking.viewer)).unwrap_or_default();
    let own = items.into_iter().find(|item| item.seq == at.1).and_then(|item| item.call);
    let own = own.ok_or_else(|| {
        Denied::invalid(
            "request",
            "该异常不涉及某次调用,请指明更正哪个请求",
            "the incident is about no call; name the request",
        )
    })?;
    Ok(WayOut::Override { request: own.request, with })
}
