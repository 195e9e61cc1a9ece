//! Incidents: what people must look at, what they may do about it, and what was done.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use tongban_core::case::IncidentState;
use tongban_core::id::Seq;
use tongban_core::way_out::{IncidentSettled, Overriding, WayOut};
use tongban_core::{entry, way_out};
use tongban_engine::travel::masked;
use tongban_engine::{self as engine, IncidentFilter, IncidentItem};

use super::code::{Lang, in_lang, label};
use super::entry_id::write_entry_id;
use super::page::{TotalCount, count_incidents};
use super::{Case, CaseMatter, DateTime, EntryKind, Json, PageInfo};
use crate::error::Fault;
use crate::schema::asking;

/// 异常类别。枚举会增加。 / What went wrong. The enum grows.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "entry::IncidentKind")]
pub(crate) enum IncidentKind {
    /// 脚本出错 / A script failed
    ScriptFailed,
    /// 脚本与日志不一致 / A replay asked for something else than the journal holds
    ReplayMismatch,
    /// 脚本超出限额 / A script passed a limit
    LimitExceeded,
    /// 系统执行失败 / A turn failed for reasons of the machine, too often
    TurnFailed,
    /// 调用未成功 / A call came to no usable end
    CallFailed,
    /// 部门回执前后矛盾 / An agency contradicted its own reply
    TerminalConflict,
    /// 部门报告的行为不成立 / An agency reported an act that the law refuses
    UnlawfulAct,
    /// 无从推进 / Nothing can wake the matter
    Stalled,
    /// 逾期视为受理 / The office was silent, and the law accepted in its place
    DeemedAccepted,
    /// 文书未能出具 / A notice could not be made or sealed
    NoticeNotIssued,
    /// 撤销未成功 / What was registered for undoing could not be undone
    CompensationFailed,
    /// 必办消息未读 / A script ended over a message that must be handled
    MessageUnread,
    /// 受理建议未作出 / The intake of a matter advised nothing
    IntakeFailed,
}

/// 异常进展 / How far an incident has come
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "engine::IncidentStage")]
pub(crate) enum IncidentStage {
    /// 待处理 / Nobody has said anything
    Open,
    /// 已有一人提出处理,待另一人确认 / A first person has proposed a way out that takes two
    Proposed,
    /// 已处理 / It was ended
    Settled,
}

/// 处理方式。枚举会增加。 / A way out of an incident. The enum grows.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "way_out::WayKind")]
pub(crate) enum WayKind {
    /// 重试 / Try again what failed; a call under its own id, asked for first
    Retry,
    /// 换用新版本 / Go on under another version, which passed a dry run
    Rebind,
    /// 从某条记录重新执行 / Begin the script again from an entry
    Restart,
    /// 更正某次调用的结果,须两人 / Put another result in the place of a call's; takes two persons
    Override,
    /// 停止并撤销已办 / Stop the script and undo what it registered for undoing
    Cancel,
    /// 跳过该调用,须两人 / Go on without the call that failed; takes two persons
    Skip,
    /// 已阅 / It was looked at and needs nothing more
    Acknowledge,
}

/// 本人可用的一种处理方式 / A way out that the viewer may take
#[derive(Clone, Copy, Debug, SimpleObject)]
pub(crate) struct WayOffered {
    /// 处理方式 / Which
    way: WayKind,
    /// 名称 / Its name in Chinese
    label: &'static str,
    /// 是否须另一人确认 / Whether a second person must say the same
    takes_two: bool,
}

/// 异常涉及的调用 / The call that an incident is about
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct CallConcerned {
    /// 调用标识 / Id of the call
    call_id: String,
    /// 脚本的请求,更正结果时引用 / The script's request, by which its result is overridden
    request: String,
    /// 操作 / The operation
    target: String,
    /// 连接器 / The connector
    connector: String,
}

/// 重新执行会留下的调用:已在外部发生的不会撤销 / A call that a restart leaves behind: what it did outside stays done
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct LeftBehind {
    /// 脚本的请求 / The request
    request: String,
    /// 操作 / The operation
    target: String,
    /// 是否已有结果 / Whether the call has ended
    ended: bool,
}

/// 脚本停在日志的何处,以及涉及的两个版本 / Where in its journal a script stopped, and the two versions concerned
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct ScriptPlace {
    /// 请求,如 1.0#3:第几次执行、第几代、范围和序号 / The request, such as 1.0#3: run, generation, scope and ordinal
    request: String,
    /// 已读到第几条记录 / The newest entry that it had read
    seen: u32,
    /// 日志的这一部分写下时的脚本版本 / The version under which that part of the journal was written
    written_under: String,
    /// 写下时的宿主函数级别 / Level of the host functions then
    written_level: u32,
    /// 重放所用的脚本版本 / The version under which it was replayed
    replayed_under: String,
    /// 重放所用的宿主函数级别 / Level of the host functions of the replay
    replayed_level: u32,
}

impl From<&entry::RunPlace> for ScriptPlace {
    fn from(place: &entry::RunPlace) -> Self {
        Self {
            request: place.request.to_string(),
            seen: place.seen.0,
            written_under: place.written.closure.to_string(),
            written_level: place.written.api_level,
            replayed_under: place.replayed.closure.to_string(),
            replayed_level: place.replayed.api_level,
        }
    }
}

/// An incident that the viewer may see.
#[derive(Clone)]
pub(crate) struct Incident {
    case: Case,
    item: IncidentItem,
}

impl Incident {
    /// Puts an incident beside its case.
    pub(crate) fn new(case: Case, item: IncidentItem) -> Self {
        Self { case, item }
    }

    fn state(&self) -> &IncidentState {
        &self.item.state
    }
}

/// 异常:须有人查看和处理的事情 / An incident: what a person must look at
#[Object]
impl Incident {
    /// 标识 / Id
    pub(crate) async fn id(&self) -> ID {
        write_entry_id(EntryKind::Incident, self.item.case, self.item.seq)
    }

    /// 所属办件 / Its case
    async fn case(&self) -> &Case {
        &self.case
    }

    /// 所属事项;涉及整个办件时为空 / Its matter; null for the case as a whole
    async fn case_matter(&self) -> Option<CaseMatter> {
        self.case.matter(self.state().matter)
    }

    /// 类别 / What went wrong
    async fn kind(&self) -> IncidentKind {
        self.state().incident.kind.into()
    }

    /// 类别名称 / Name of the kind
    async fn kind_label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        let kind = self.state().incident.kind;
        label(lang, &kind.code().to_lowercase(), kind.name())
    }

    /// 进展 / How far it has come
    async fn stage(&self) -> IncidentStage {
        self.item.stage().into()
    }

    /// 出了什么问题、怎么办 / What happened and what to do
    async fn message(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        let text = &self.state().incident.message;
        let (zh, en) = text.split_once(" / ").unwrap_or((text, ""));
        in_lang(lang, zh, en).to_owned()
    }

    /// 发生时间 / When it was raised
    async fn raised_at(&self) -> DateTime {
        self.state().raised_at.into()
    }

    /// 第几条记录 / The entry that raised it
    async fn entry(&self) -> u32 {
        self.item.seq.0
    }

    /// 日志中的内容,脚本与日志不一致时 / What the journal holds, for a mismatch
    async fn expected(&self) -> Option<&str> {
        said(&self.state().incident.expected)
    }

    /// 脚本提出的内容,脚本与日志不一致时 / What the script asked, for a mismatch
    async fn got(&self) -> Option<&str> {
        said(&self.state().incident.got)
    }

    /// 脚本文件 / File of the script
    async fn file(&self) -> Option<&str> {
        said(&self.state().incident.file)
    }

    /// 脚本行号 / Line of the script
    async fn line(&self) -> Option<u32> {
        Some(self.state().incident.line).filter(|line| *line > 0)
    }

    /// 脚本停在日志的何处,以及写下日志和重放的两个版本;与脚本无关时为空 / Where in its journal the script stopped, with the versions that wrote and replayed it; null when no script failed
    async fn script_place(&self) -> Option<ScriptPlace> {
        self.state().place.as_deref().map(Into::into)
    }

    /// 涉及的调用 / The call concerned
    async fn call(&self) -> Option<CallConcerned> {
        let call = self.item.call.as_ref()?;
        Some(CallConcerned {
            call_id: call.id.to_string(),
            request: call.request.to_string(),
            target: call.target.clone(),
            connector: call.connector.clone(),
        })
    }

    /// 本人可用的处理方式;已处理则没有 / The ways out that this viewer may take; none once it is settled
    async fn ways(&self) -> Vec<WayOffered> {
        let offered = |way: &way_out::WayKind| WayOffered {
            way: (*way).into(),
            label: way.name(),
            takes_two: way.takes_two(),
        };
        self.item.ways.iter().map(offered).collect()
    }

    /// 第一人提出的处理,待另一人确认 / What a first person proposed
    async fn proposal(&self) -> Option<WaySaid> {
        let (by, said) = self.state().proposed.as_ref()?;
        let open = self.state().is_open();
        open.then(|| WaySaid {
            case: self.case.clone(),
            by: by.clone(),
            at: None,
            said: said.as_ref().clone(),
        })
    }

    /// 处理结果;尚未处理时为空 / How it was ended; null while it is open
    async fn end(&self) -> Option<WaySaid> {
        let end = self.state().end.as_ref()?;
        let (case, said) = (self.case.clone(), end.settled.as_ref().clone());
        Some(WaySaid { case, by: end.by.clone(), at: Some(end.when.into()), said })
    }

    /// 从某条记录重新执行会留下哪些调用 / Calls that a restart from an entry would leave behind
    async fn left_behind(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "从第几条记录起重新执行 / The first entry that no longer counts")]
        from: u32,
    ) -> Option<Result<Vec<LeftBehind>, Fault>> {
        let asking = asking(ctx);
        let at = (self.item.case, self.state().matter);
        let found = asking.engine.left_behind(asking.viewer, at, Seq(from)).await;
        let shown = |one: engine::LeftBehind| LeftBehind {
            request: one.request.to_string(),
            target: one.target,
            ended: one.ended,
        };
        match found {
            Ok(found) => found.map(|all| Ok(all.into_iter().map(shown).collect())),
            Err(error) => Some(Err(error.into())),
        }
    }
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// What a person said about an incident.
pub(crate) struct WaySaid {
    case: Case,
    by: String,
    at: Option<DateTime>,
    said: IncidentSettled,
}

/// 某人对异常的处理 / What a person said about an incident
#[Object]
impl WaySaid {
    /// 处理方式 / Which way
    async fn way(&self) -> WayKind {
        self.said.way.kind().into()
    }

    /// 名称 / Its name in Chinese
    async fn label(&self) -> &'static str {
        self.said.way.kind().name()
    }

    /// 谁;空表示由系统自行了结 / Who; empty when it was mended by itself
    async fn by(&self) -> &str {
        &self.by
    }

    /// 何时;提出时为空 / When; null for a proposal
    async fn at(&self) -> Option<DateTime> {
        self.at
    }

    /// 理由 / Why
    async fn reason(&self) -> &str {
        &self.said.reason
    }

    /// 换用的版本 / The version that it goes on under
    async fn version(&self) -> Option<String> {
        match &self.said.way {
            WayOut::Rebind { closure } => Some(closure.to_string()),
            WayOut::Retry
            | WayOut::Restart { .. }
            | WayOut::Override { .. }
            | WayOut::Cancel
            | WayOut::Skip
            | WayOut::Acknowledge => None,
        }
    }

    /// 从第几条记录起重新执行 / The first entry that no longer counts
    async fn from(&self) -> Option<u32> {
        match &self.said.way {
            WayOut::Restart { from } => Some(from.0),
            WayOut::Retry
            | WayOut::Rebind { .. }
            | WayOut::Override { .. }
            | WayOut::Cancel
            | WayOut::Skip
            | WayOut::Acknowledge => None,
        }
    }

    /// 更正哪个请求的结果 / The request whose result is overridden
    async fn request(&self) -> Option<String> {
        self.overridden().map(|(request, _)| request)
    }

    /// 更正为什么结果;个人信息已脱敏 / What it gives instead; personal data is masked
    async fn output(&self, ctx: &Context<'_>) -> Option<Result<Json, Fault>> {
        let (_, with) = self.overridden()?;
        let value = match with {
            Overriding::Output(output) => output,
            Overriding::Outcome(outcome) => outcome.detail,
        };
        self.case.read(ctx, |view| Some(Json::from(&masked(view.case(), &value)))).await
    }

    /// 更正为未办成时的种类代码 / Code of the outcome that it gives instead
    async fn outcome(&self) -> Option<&'static str> {
        match self.overridden()?.1 {
            Overriding::Outcome(outcome) => Some(outcome.kind.code()),
            Overriding::Output(_) => None,
        }
    }
}

impl WaySaid {
    fn overridden(&self) -> Option<(String, Overriding)> {
        match &self.said.way {
            WayOut::Override { request, with } => Some((request.to_string(), with.clone())),
            WayOut::Retry
            | WayOut::Rebind { .. }
            | WayOut::Restart { .. }
            | WayOut::Cancel
            | WayOut::Skip
            | WayOut::Acknowledge => None,
        }
    }
}

/// 异常列表的一页 / A page of incidents
pub(crate) struct IncidentConnection {
    pub(crate) nodes: Vec<Incident>,
    pub(crate) next: Option<Vec<u8>>,
    pub(crate) filter: IncidentFilter,
}

/// 异常列表的一页 / A page of incidents
#[Object]
impl IncidentConnection {
    /// 未处理的异常,新办件在前 / Open incidents, those of the newest cases first
    async fn nodes(&self) -> &[Incident] {
        &self.nodes
    }

    /// 分页信息 / Where the page stands
    async fn page_info(&self) -> PageInfo {
        PageInfo::before(self.next.as_ref())
    }

    /// 本人可见的总数;数到约一千个办件为止 / How many the viewer may see in all; counted over about a thousand cases
    async fn total_count(&self, ctx: &Context<'_>) -> Option<Result<TotalCount, Fault>> {
        Some(count_incidents(&self.filter, asking(ctx)).await)
    }
}
