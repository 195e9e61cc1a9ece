//! A case as it stood after one of its entries. Values of scripts are masked, always.

use async_graphql::{ID, SimpleObject};
use tongban_core::port::Frame;
use tongban_engine::travel::{self, masked};

use super::{DateTime, Json};

/// 办件在某条记录之后的状态 / A case as it stood after an entry
#[derive(SimpleObject)]
pub(crate) struct CaseAt {
    /// 办件标识 / Id of the case
    case_id: ID,
    /// 办件编号 / Public number
    number: String,
    /// 第几条记录 / The entry
    entry: u32,
    /// 现有多少条记录 / How many entries the case has by now
    entries: u32,
    /// 记录时间 / When the entry was recorded
    at: DateTime,
    /// 该记录的类别代码 / Code of what the entry says
    kind: &'static str,
    /// 该记录的说明 / What the entry says
    text: String,
    /// 当时的状态代码 / Code of the state then
    state: &'static str,
    /// 当时各事项 / The matters then
    matters: Vec<MatterAt>,
}

/// 事项当时的状态 / A matter as it stood
#[derive(SimpleObject)]
pub(crate) struct MatterAt {
    /// 序号 / Its number
    no: u16,
    /// 代码 / Its code
    code: String,
    /// 阶段代码 / Code of its stage
    stage: &'static str,
    /// 在等谁 / Who was waited for
    waiting: Option<String>,
    /// 期限 / Its clocks
    clocks: Vec<ClockAt>,
    /// 待办 / Tasks that waited
    tasks: Vec<TaskAt>,
    /// 在途调用 / Calls under way
    calls: Vec<CallAt>,
    /// 脚本;尚未开始时为空 / Its script; null before it began
    script: Option<ScriptAt>,
}

/// 当时的期限 / A clock as it stood
#[derive(SimpleObject)]
pub(crate) struct ClockAt {
    /// 种类代码 / Code of its kind
    kind: &'static str,
    /// 是否在走 / Whether it ran
    runs: bool,
    /// 到期 / When it was due
    due: DateTime,
    /// 已计工作日 / Working days counted
    used_days: u32,
}

/// 当时的待办 / A task as it stood
#[derive(SimpleObject)]
pub(crate) struct TaskAt {
    /// 角色 / Who might take it
    role: String,
    /// 标题 / Its title
    title: String,
    /// 办理人 / Who had it
    holder: Option<String>,
}

/// 当时的在途调用 / A call as it stood
#[derive(SimpleObject)]
pub(crate) struct CallAt {
    /// 操作 / The operation
    operation: String,
    /// 连接器 / The connector
    connector: String,
    /// 状态 / Where it stood
    status: &'static str,
}

/// 当时的脚本 / A script as it stood
#[derive(SimpleObject)]
pub(crate) struct ScriptAt {
    /// waits、stopped、returned、uncaught 或 failed / waits, stopped, returned, uncaught or failed
    standing: &'static str,
    /// 已读到第几条记录 / The newest entry that it had consumed
    seen: u32,
    /// 等待的请求:名称和目标 / What it waited for: request and target
    waits: Vec<String>,
    /// 所在位置,最内层函数在前 / Where it stood, the innermost function first
    frames: Vec<ScriptFrame>,
    /// 失败原因 / Why it failed
    fault: Option<String>,
}

/// 脚本中的一个位置 / A place in a script
#[derive(SimpleObject)]
pub(crate) struct ScriptFrame {
    /// 函数 / The function
    function: String,
    /// 文件 / The file
    file: String,
    /// 行 / The line
    line: u32,
    /// 列 / The column
    column: u32,
    /// 该行原文 / The line itself
    excerpt: String,
    /// 变量;个人信息已脱敏 / Its variables; personal data is masked
    variables: Vec<ScriptVariable>,
}

/// 脚本中的一个变量 / A variable of a script
#[derive(SimpleObject)]
pub(crate) struct ScriptVariable {
    /// 名称 / Its name
    name: String,
    /// 值 / What it held
    value: Json,
}

impl From<travel::CaseAt> for CaseAt {
    fn from(at: travel::CaseAt) -> Self {
        let matters = at.matters.iter().map(|matter| MatterAt::of(&at, matter));
        Self {
            case_id: ID(at.case.id.to_string()),
            number: at.case.started.number.clone(),
            entry: at.entry.seq.0,
            entries: at.last.0,
            at: at.entry.recorded_at.into(),
            kind: at.told.kind,
            text: at.told.zh.clone(),
            state: at.state.code(),
            matters: matters.collect(),
        }
    }
}

impl MatterAt {
    fn of(at: &travel::CaseAt, matter: &travel::MatterAt) -> Self {
        let clocks = matter.clocks.iter().map(|clock| ClockAt {
            kind: clock.kind.0,
            runs: clock.runs,
            due: clock.due.into(),
            used_days: clock.used_days,
        });
        let tasks = at.tasks.iter().filter(|task| task.matter == matter.no).map(|task| TaskAt {
            role: task.role.to_string(),
            title: task.title.clone(),
            holder: task.holder.clone(),
        });
        let calls = at.calls.iter().filter(|call| call.matter == matter.no).map(|call| CallAt {
            operation: call.operation.clone(),
            connector: call.connector.clone(),
            status: call.status,
        });
        Self {
            no: matter.no.0,
            code: matter.code.to_string(),
            stage: matter.stage.0,
            waiting: matter.waiting.as_ref().map(|(zh, _)| zh.clone()),
            clocks: clocks.collect(),
            tasks: tasks.collect(),
            calls: calls.collect(),
            script: matter.script.as_ref().map(|script| ScriptAt::of(at, script)),
        }
    }
}

impl ScriptAt {
    fn of(at: &travel::CaseAt, script: &travel::ScriptAt) -> Self {
        let waits = script.waits.iter().map(|one| format!("{} {}", one.key, one.target));
        Self {
            standing: script.standing.code(),
            seen: script.seen.0,
            waits: waits.collect(),
            frames: script.frames.iter().map(|frame| ScriptFrame::of(at, frame)).collect(),
            fault: script.fault.as_ref().map(|fault| fault.message.clone()),
        }
    }
}

impl ScriptFrame {
    fn of(at: &travel::CaseAt, frame: &Frame) -> Self {
        let variables = frame.variables.iter().map(|(name, value)| ScriptVariable {
            name: name.clone(),
            value: Json::from(&masked(&at.case, value)),
        });
        Self {
            function: frame.function.clone(),
            file: frame.file.clone(),
            line: frame.line,
            column: frame.column,
            excerpt: frame.excerpt.clone(),
            variables: variables.collect(),
        }
    }
}
