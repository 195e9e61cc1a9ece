//! Enums of the schema, each made from an enum or a table of core, and their labels.

use async_graphql::Enum;
use tongban_core::organisation::card_rules;
use tongban_core::{
    calendar, card, definition, entry, law, material, summary, time, viewer, waiting,
};

/// 语言 / Language
#[derive(Clone, Copy, Debug, Default, Enum, Eq, PartialEq)]
pub(crate) enum Lang {
    /// 中文 / Chinese
    #[default]
    Zh,
    /// 英文 / English
    En,
}

/// Picks the text of a language; Chinese when none is asked for.
pub(crate) fn in_lang<'a>(lang: Option<Lang>, zh: &'a str, en: &'a str) -> &'a str {
    match lang.unwrap_or_default() {
        Lang::Zh => zh,
        Lang::En if en.is_empty() => zh,
        Lang::En => en,
    }
}

/// Makes a label of a code for which only a Chinese name is kept.
pub(crate) fn label(lang: Option<Lang>, code: &str, zh: &str) -> String {
    in_lang(lang, zh, &code.replace('_', " ")).to_owned()
}

/// 办件状态。枚举会增加,客户端须容忍未知值并显示 stateLabel。 / State of a case. The enum grows; show stateLabel for values you do not know.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "summary::CaseState")]
pub(crate) enum CaseState {
    /// 草稿 / Not submitted yet
    Draft,
    /// 已提交 / Submitted, nothing accepted
    Submitted,
    /// 办理中 / At least one matter is accepted, none has ended
    InProgress,
    /// 部分办结 / Some matters have ended
    PartiallyCompleted,
    /// 全部办结 / Every matter was granted
    CompletedAll,
    /// 办结(部分未通过) / Every matter has ended, not every one granted
    CompletedWithFailures,
    /// 已撤回 / Withdrawn
    Withdrawn,
    /// 已终止 / Terminated
    Terminated,
}

/// 事项状态;中止是另一维度,见 suspendedFor。枚举会增加。 / State of a matter; suspension is an axis of its own, see suspendedFor. The enum grows.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum MatterState {
    /// 待启动:尚未交部门,不计时 / Not given to its department yet; no clock runs
    Planned,
    /// 已提交部门 / Given to its department
    Filed,
    /// 已收件 / Received
    Received,
    /// 已退回,待修改后重新提交 / Returned to the applicant
    Returned,
    /// 待补正 / Waits for a correction, before acceptance
    CorrectionPending,
    /// 已受理 / Accepted
    Accepted,
    /// 已转报上级机关 / Sent up to the office that decides
    ForwardedUp,
    /// 准予 / Granted
    Granted,
    /// 容缺准予 / Granted with materials still owed
    GrantedTolerant,
    /// 不予 / Denied
    Denied,
    /// 不予受理 / Not accepted
    NotAccepted,
    /// 未提交:前置事项未获准 / Never filed, because an earlier matter was not granted
    NotFiled,
    /// 已撤回 / Withdrawn
    Withdrawn,
    /// 已终止 / Terminated
    Terminated,
    /// 决定已撤销 / The decision was revoked by a later act
    Revoked,
}

/// Every stage of core with its state here; codes and names are core's.
const STAGES: [(law::Stage, MatterState); 14] = {
    use law::Ending as E;
    use law::Stage as S;
    [
        (S::Planned, MatterState::Planned),
        (S::Filed, MatterState::Filed),
        (S::Received, MatterState::Received),
        (S::Returned, MatterState::Returned),
        (S::Correcting, MatterState::CorrectionPending),
        (S::ACCEPTED, MatterState::Accepted),
        (S::ForwardedUp, MatterState::ForwardedUp),
        (S::Ended(E::Granted), MatterState::Granted),
        (S::Ended(E::GrantedTolerant), MatterState::GrantedTolerant),
        (S::Ended(E::Denied), MatterState::Denied),
        (S::Ended(E::NotAccepted), MatterState::NotAccepted),
        (S::Ended(E::NotFiled), MatterState::NotFiled),
        (S::Ended(E::Withdrawn), MatterState::Withdrawn),
        (S::Ended(E::Terminated), MatterState::Terminated),
    ]
};

impl MatterState {
    /// Reads the code that summaries carry.
    pub(crate) fn of_code(code: &str) -> Self {
        if code == "revoked" {
            return Self::Revoked;
        }
        let known = STAGES.iter().find(|(stage, _)| stage.code() == code);
        known.map_or(Self::Planned, |(_, state)| *state)
    }

    /// Returns the label of the state.
    pub(crate) fn label(self, lang: Option<Lang>) -> String {
        if self == Self::Revoked {
            return label(lang, "revoked", "已撤销");
        }
        let known = STAGES.iter().find(|(_, state)| *state == self);
        known.map(|(stage, _)| label(lang, stage.code(), stage.name())).unwrap_or_default()
    }
}

/// 计时灯色,由服务器统一判定 / Light of a clock, decided by the server once for all screens
#[derive(Clone, Copy, Debug, Enum, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Light {
    /// 按期办结 / Ended in time
    Blue,
    /// 计时中止 / The clock stands still
    Grey,
    /// 正常 / In time
    Green,
    /// 临期 / Close to the limit
    Yellow,
    /// 超期 / Over the limit
    Red,
}

/// 待办类别。枚举会增加。 / What a task is for. The enum grows.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "entry::TaskKind")]
pub(crate) enum TaskKind {
    /// 受理 / Accept, or refuse on an enumerated ground
    Intake,
    /// 审批 / Decide
    Decide,
    /// 人工办理 / Work for an agency without a system
    Manual,
    /// 部门退回处理 / An agency said no; deny, or ask again
    Rejected,
    /// 不予决定确认 / Confirm a proposed denial
    ConfirmDenial,
    /// 补正逾期处理 / The applicant's period for a correction has passed
    CorrectionMissed,
    /// 容缺逾期处理 / A promised material has not come
    PromiseMissed,
    /// 延期审批 / Approve an extension
    ApproveExtension,
    /// 会签 / Give one's word before the decision
    Countersign,
    /// 材料变更处理 / A material that was used has a new version
    Amendment,
    /// 部门系统逾期处理 / An agency has not answered within the time that it agreed to
    AgencyLate,
    /// 迟到回执处理 / An agency completed a call that nobody waits for any more
    LateReply,
    /// 遗留调用核实 / Two persons find out what became of a call without an end
    Obligation,
    /// 停办后处理 / The script was stopped; end the matter, or have it handled anew
    AfterCancel,
    /// 部门要求补正 / An agency wants a correction; ask the applicant for it, or not
    AskCorrection,
    /// 申请人办理 / An agency wants the applicant to act himself
    Applicant,
    /// 部分事项未通过后的去留 / Matters ended against the applicant: does the rest go on?
    Partial,
}

impl TaskKind {
    /// Returns the label of a kind.
    pub(crate) fn label(kind: entry::TaskKind, lang: Option<Lang>) -> String {
        let known = entry::TaskKind::ALL.iter().find(|(known, _, _)| *known == kind);
        known.map(|(_, code, zh)| label(lang, code, zh)).unwrap_or_default()
    }
}

/// 待办状态 / State of a task
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum TaskState {
    /// 待认领 / Open
    Open,
    /// 已认领 / Taken
    Claimed,
    /// 已办结 / Done
    Completed,
    /// 已取消 / It lost its purpose
    Dropped,
}

/// 时限单位 / Unit of a period
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "time::Unit")]
pub(crate) enum PeriodUnit {
    /// 工作日 / Working days, by the calendar of the place
    WorkingDays,
    /// 自然日 / Calendar days
    CalendarDays,
    /// 小时 / Hours
    Hours,
    /// 分钟 / Minutes
    Minutes,
    /// 月 / Months, to the day of the same number or the last of the month
    Months,
}

/// 时限类别 / What a clock measures
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "law::ClockKind")]
pub(crate) enum ClockKind {
    /// 受理期限:自收件起 / From receipt: the office must say what is missing
    Acceptance,
    /// 法定期限:自受理起 / From acceptance: the limit of the law
    Statutory,
    /// 承诺期限:自受理起 / From acceptance: the published promise
    Promised,
    /// 初审转报期限 / From acceptance: the review of a lower office
    FirstReview,
    /// 补正期限:自送达起 / From service of the notice: the applicant's period
    Correction,
    /// 容缺补交期限 / From acceptance: materials promised for later
    Tolerance,
    /// 制证送达期限 / From the decision: making and delivering
    Issuing,
    /// 系统办理期限 / From a call: the agency's own limit
    Connector,
    /// 征求意见期限 / From the question: an opinion of another department
    Opinion,
    /// 待办时限:自待办产生起 / From its opening: a task's own limit
    Task,
}

impl ClockKind {
    /// Returns the label of a kind.
    pub(crate) fn label(kind: law::ClockKind, lang: Option<Lang>) -> String {
        label(lang, kind.code(), kind.name())
    }
}

/// 某日计入或不计入期限的原因。枚举会增加。 / Why a day counts or not. The enum grows.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum DayReason {
    /// 起算事件当日,不计入 / The day of the event, which never counts
    Event,
    /// 工作日,计入 / A working day: counted
    Working,
    /// 调休上班日,计入 / A workday that makes up for a holiday: counted
    MakeUp,
    /// 自然日,计入 / A calendar day: counted
    Calendar,
    /// 按小时或分钟计入 / Counted by the wall clock
    WallClock,
    /// 周末,不计入 / A weekend: skipped
    Weekend,
    /// 节假日,不计入 / A holiday: skipped
    Holiday,
    /// 中止期间,不计入 / Suspended: skipped
    Suspended,
}

impl From<&calendar::Why> for DayReason {
    fn from(why: &calendar::Why) -> Self {
        use calendar::Why as W;
        match why {
            W::Event => Self::Event,
            W::Working => Self::Working,
            W::MakeUp { .. } => Self::MakeUp,
            W::Calendar => Self::Calendar,
            W::WallClock => Self::WallClock,
            W::Weekend => Self::Weekend,
            W::Holiday { .. } => Self::Holiday,
            W::Suspended { .. } => Self::Suspended,
        }
    }
}

/// 督办牌级别 / Level of a supervision card
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "card_rules::CardLevel")]
pub(crate) enum CardLevel {
    /// 提醒 / Reminder: in time still
    Reminder,
    /// 黄牌 / Yellow: a step is late, or the last day has come
    Yellow,
    /// 红牌 / Red: the limit has passed
    Red,
}

impl CardLevel {
    /// Returns the label of a level.
    pub(crate) fn label(level: card_rules::CardLevel, lang: Option<Lang>) -> String {
        let zh = match level {
            card_rules::CardLevel::Reminder => "提醒",
            card_rules::CardLevel::Yellow => "黄牌",
            card_rules::CardLevel::Red => "红牌",
        };
        label(lang, level.code(), zh)
    }
}

/// 对督办牌的处理 / What can be done about a card
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "card::CardAnswerKind")]
pub(crate) enum CardAnswerKind {
    /// 答复 / The office replies
    Reply,
    /// 申诉 / The office appeals
    Appeal,
    /// 申诉成立,该牌不计 / The appeal is upheld: the card does not count
    AppealUpheld,
    /// 申诉不成立 / The appeal is rejected
    AppealRejected,
}

/// 申请渠道(GB/T 39046) / Channel of an application
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum Channel {
    /// 窗口 / At a window
    Window,
    /// 计算机端 / By computer
    Computer,
    /// 移动端 / By mobile device
    Mobile,
    /// 邮寄 / By post
    Post,
    /// 其他 / Other
    Other,
}

impl Channel {
    const CODES: [(Self, u8); 5] = [
        (Self::Window, 1),
        (Self::Computer, 2),
        (Self::Mobile, 3),
        (Self::Post, 4),
        (Self::Other, 9),
    ];

    /// Returns the code of the standard.
    pub(crate) fn code(self) -> u8 {
        let known = Self::CODES.iter().find(|(channel, _)| *channel == self);
        known.map_or(0, |(_, code)| *code)
    }

    /// Reads the code of the standard; none when nothing was recorded.
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Self::CODES.iter().find(|(_, known)| *known == code).map(|(channel, _)| *channel)
    }
}

/// 正在等谁。枚举会增加。 / Who is waited for. The enum grows.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "waiting::WaitingParty")]
pub(crate) enum WaitingKind {
    /// 申请人 / The applicant
    Applicant,
    /// 窗口人员 / A window clerk
    Window,
    /// 部门审批人 / A decider in a department
    Department,
    /// 部门业务系统 / A system of an agency
    Agency,
    /// 前置事项 / Earlier matters of the same case
    EarlierMatters,
    /// 异常处理人 / Somebody who must look at an incident
    Operator,
    /// 约定时间 / A moment in time
    Time,
    /// 系统 / The engine is about to go on
    Engine,
}

/// 角色 / Role of a viewer
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "viewer::Role")]
pub(crate) enum Role {
    /// 申请人 / Applicant
    Applicant,
    /// 窗口人员 / Window clerk
    WindowClerk,
    /// 审批人 / Approver
    Approver,
    /// 集成开发者 / Integrator
    Integrator,
    /// 督查人员 / Supervisor
    Supervisor,
    /// 机关负责人 / Head of an office
    OfficeHead,
    /// 系统管理员 / Keeps the engine running, decides nothing
    SystemAdmin,
}

/// 事项所适用的规则体系 / Body of rules that a matter follows
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "definition::Regime")]
pub(crate) enum Regime {
    /// 行政许可 / Licence
    Licence,
    /// 行政确认 / Confirmation
    Confirmation,
    /// 登记 / Registration
    Registration,
    /// 行政给付 / Benefit
    Benefit,
    /// 公共服务 / Public service
    PublicService,
    /// 备案 / Filing for the record
    Filing,
}

/// 谁受理 / Who accepts a matter
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "definition::Intake")]
pub(crate) enum Intake {
    /// 窗口人员 / A clerk at the window
    Window,
    /// 材料齐全时自动受理 / The engine, when every material is there
    Auto,
}

/// 在哪里作出决定 / Where a matter is decided
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "definition::DecidesIn")]
pub(crate) enum DecidesIn {
    /// 本系统 / By a task here
    Here,
    /// 部门自有系统 / In the department's own system
    Connector,
    /// 无系统,由人员登记 / In an office without a system; a person records it
    Manual,
}

/// 前置关系 / What is awaited of an earlier matter
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "definition::After")]
pub(crate) enum AfterKind {
    /// 准予之后 / Its grant
    Granted,
    /// 办结之后 / Its end, whatever it is
    Ended,
    /// 受理之后 / Its acceptance
    Accepted,
}

/// 表单字段类型。枚举会增加。 / Kind of a form's field. The enum grows.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum FieldKind {
    /// 文字 / Text
    Text,
    /// 数字 / A number
    Number,
    /// 是否 / Yes or no
    YesNo,
    /// 日期 / A date
    Date,
    /// 单选 / One of the choices
    Choice,
    /// 多个值 / Several values
    List,
}

impl FieldKind {
    /// Returns the kind of a declared one.
    pub(crate) fn of(kind: &definition::FieldKind) -> Self {
        match kind {
            definition::FieldKind::Text { .. } => Self::Text,
            definition::FieldKind::Number { .. } => Self::Number,
            definition::FieldKind::YesNo => Self::YesNo,
            definition::FieldKind::Date => Self::Date,
            definition::FieldKind::Choice(_) => Self::Choice,
            definition::FieldKind::List { .. } => Self::List,
        }
    }
}

/// 材料来源 / Where a material may come from
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum MaterialSourceKind {
    /// 前置事项结果(免提交) / The result of an earlier matter
    ResultOf,
    /// 电子证照 / An electronic licence
    License,
    /// 数据共享 / A shared data resource
    Data,
    /// 上传 / A file from the applicant
    Upload,
    /// 告知承诺 / A commitment of the applicant
    Commitment,
}

/// 材料如何满足 / How a material was met
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum MaterialState {
    /// 由前置事项结果满足(免提交) / By the result of an earlier matter: nothing to hand in
    Exempted,
    /// 已提交 / Given by the applicant
    Given,
    /// 容缺 / Owed, and tolerated for now
    Owed,
    /// 缺少 / Missing
    Missing,
    /// 核验中 / A source is being asked
    Checking,
}

/// 尝试材料来源的结果 / What came of trying a source of a material
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "material::Cause")]
pub(crate) enum AttemptCause {
    /// 已获取 / It was there
    Found,
    /// 无记录 / The source has none for this holder
    NoRecord,
    /// 多条记录 / More than one fits
    Ambiguous,
    /// 信息不符 / It does not fit the holder, or is not valid any more
    Mismatch,
    /// 被拒绝 / The source refused
    Refused,
    /// 服务不可用,不等于无记录 / The source could not be reached: never to be read as no record
    Unavailable,
    /// 未授权 / The holder has not authorised it
    NoConsent,
    /// 未接入 / No connector is bound for the source
    NotConnected,
}

impl AttemptCause {
    /// Returns the label of a cause.
    pub(crate) fn label(cause: material::Cause, lang: Option<Lang>) -> String {
        label(lang, cause.code(), cause.name())
    }
}

/// 工作台视图 / View of a work queue
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "tongban_engine::QueueView")]
pub(crate) enum QueueView {
    /// 我可办理的全部待办 / Every open task that I may take
    Open,
    /// 我已认领的 / Those that I have taken
    Mine,
}
