//! What the program ends with when it cannot go on: code, what, where, what to do.
//!
//! Every failure of every command becomes a [`ProgramError`], and `output::fail` is the one
//! place that shows it. Texts are Chinese first, then English after ` / `, so that one line can
//! be split for those who want only one language.

mod advice;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::exit::Exit;

/// A text in Chinese and English.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Both {
    /// In Chinese.
    pub(crate) zh: String,
    /// In English.
    pub(crate) en: String,
}

impl Both {
    /// Builds it from both texts.
    pub(crate) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// Splits what was written as `Chinese / English`; a text in one language serves for both.
    pub(crate) fn of(text: &dyn std::fmt::Display) -> Self {
        let text = text.to_string();
        let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
        Self::new(zh.trim(), en.trim())
    }
}

/// A failure that ends the program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    /// Another program listens there.
    #[error("{0} 已被其他程序占用 / {0} is in use by another program")]
    PortInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("无法监听 {address}:{source} / cannot listen on {address}: {source}")]
    CannotListen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// `--dev` was asked to listen beyond this computer.
    #[error(
        "--dev 只能监听本机地址,不能监听 {0} / --dev listens on this computer only, not on {0}"
    )]
    NotLoopback(SocketAddr),
    /// Nobody could sign in.
    #[error(
        "没有配置统一身份认证,拒绝启动 / no identity is configured, so nobody could sign in; not starting"
    )]
    NoIdentity,
    /// The identity that is configured cannot be used.
    #[error("身份认证配置不可用:{} / the configured identity cannot be used: {}", .0.zh, .0.en)]
    Identity(Both),
    /// The folder's lawful time was moved.
    #[error(
        "数据文件夹 {folder} 使用虚拟时间,与真实时间相差 {seconds} 秒 / data folder {folder} runs on virtual time, {seconds} s from real time"
    )]
    VirtualTime {
        /// The folder.
        folder: String,
        /// How far it is from real time.
        seconds: i64,
    },
    /// The demo would move the lawful time of a folder that is in real use.
    #[error(
        "数据文件夹 {0} 使用真实时间,演示不会改动它 / data folder {0} runs on real time; the demo does not touch it"
    )]
    RealTime(String),
    /// Another process works in the folder.
    #[error("{} / {}", .0.zh, .0.en)]
    FolderInUse(Both),
    /// The folder holds something that cannot be read.
    #[error("{} / {}", .0.zh, .0.en)]
    FolderDamaged(Both),
    /// Files and documents lie elsewhere than the configuration says.
    #[error("{} / {}", .0.zh, .0.en)]
    Elsewhere(Both),
    /// The folder cannot be made or written.
    #[error("无法创建或写入 {path}:{source} / cannot create or write {path}: {source}")]
    CannotCreate {
        /// What.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error("读写 {what} 失败:{} / reading or writing {what} failed: {}", .detail.zh, .detail.en)]
    InputOutput {
        /// What.
        what: String,
        /// Why.
        detail: Both,
    },
    /// The configuration file cannot be read.
    #[error("无法读取配置文件 {path}:{source} / cannot read configuration file {path}: {source}")]
    ConfigUnreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The configuration says something that it may not.
    #[error("配置文件 {place}:{} / configuration file {place}: {}", .what.zh, .what.en)]
    ConfigWrong {
        /// File, with line where one is known.
        place: String,
        /// What is wrong.
        what: Both,
        /// The known key that was probably meant.
        nearest: Option<String>,
    },
    /// Documents that cannot be imported or used.
    #[error(
        "导入的数据有 {findings} 处问题,不能使用 / {findings} findings in the documents; they cannot be used"
    )]
    DocumentsWrong {
        /// How many.
        findings: usize,
    },
    /// The scripts cannot be used.
    #[error(
        "脚本 {folder} 有 {findings} 处问题,不能使用 / {findings} findings in the scripts at {folder}; they cannot be used"
    )]
    ScriptsWrong {
        /// Their folder.
        folder: String,
        /// How many.
        findings: usize,
    },
    /// The scripts or the operations catalogue cannot be read.
    #[error("无法读取 {what}:{} / cannot read {what}: {}", .detail.zh, .detail.en)]
    ScriptsUnreadable {
        /// What.
        what: String,
        /// Why.
        detail: Both,
    },
    /// A folder without rehearsals.
    #[error("{} / {}", .0.zh, .0.en)]
    NoRehearsal(Both),
    /// Rehearsals that did not go as they say.
    #[error("{all} 个排练中有 {failed} 个未通过 / {failed} of {all} rehearsals failed")]
    RehearsalsFailed {
        /// How many failed.
        failed: usize,
        /// How many were played.
        all: usize,
    },
    /// A calendar that cannot be used.
    #[error("{file}:{} / {file}: {}", .detail.zh, .detail.en)]
    CalendarWrong {
        /// Where it comes from.
        file: String,
        /// What is wrong, as a stable code.
        code: &'static str,
        /// What is wrong.
        detail: Both,
    },
    /// A question that no calendar can answer.
    #[error("{} / {}", .0.zh, .0.en)]
    CalendarQuestion(Both),
    /// There is no such service in the scripts.
    #[error("没有服务 {service},现有:{} / there is no service {service}; there are: {}", .known.join(", "), .known.join(", "))]
    ServiceUnknown {
        /// What was asked for.
        service: String,
        /// The one that was probably meant.
        nearest: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// The answers to a service's questions cannot be used.
    #[error("答案不可用:{} / the answers cannot be used: {}", .0.zh, .0.en)]
    AnswersWrong(Both),
    /// Questions of a service have no answer.
    #[error("还有 {0} 个问题没有回答 / {0} questions have no answer")]
    AnswersMissing(usize),
    /// A new script would overwrite something.
    #[error("{0} 已存在,没有写入任何文件 / {0} exists; nothing was written")]
    ScriptExists(String),
    /// A new script's code cannot be used.
    #[error("{0:?} 不能用作代码 / {0:?} cannot be a code")]
    CodeWrong(String),
    /// There is nothing to watch.
    #[error("--watch 需要脚本文件夹 / --watch needs a folder of scripts")]
    NothingToWatch,
    /// `token` without `--dev`.
    #[error(
        "本程序只能签发试用令牌,须写明 --dev / this program signs tokens for trying out only; say so with --dev"
    )]
    TokenNeedsDev,
    /// A token that could not do anything.
    #[error("令牌缺少 {missing},签发后什么也看不到 / a token without {missing} would see nothing")]
    TokenUseless {
        /// The flag that is missing.
        missing: &'static str,
    },
    /// The folder has no development key.
    #[error("{0} 中没有试用密钥 / there is no development key in {0}")]
    NoDevKey(String),
    /// A table of local region codes that cannot be used.
    #[error("{file}:{} / {file}: {}", .detail.zh, .detail.en)]
    RegionsWrong {
        /// The file.
        file: String,
        /// What is wrong.
        detail: Both,
    },
    /// A question about a case that has no answer.
    #[error("{} / {}", .0.zh, .0.en)]
    CaseQuestion(Both),
    /// A version that is not known.
    #[error("没有版本 {what}:{} / there is no version {what}: {}", .detail.zh, .detail.en)]
    VersionUnknown {
        /// What was named.
        what: String,
        /// Why it is none.
        detail: Both,
    },
    /// The server said no, or could not be asked.
    #[error("服务器拒绝或未应答:{} / the server refused or did not answer: {}", .0.zh, .0.en)]
    ServerRefused(Both),
    /// Live cases would go another way under a new version.
    #[error(
        "{cases} 个在途办件与新版本不一致 / {cases} live cases would go another way under the new version"
    )]
    Diverges {
        /// How many.
        cases: u64,
    },
    /// The audit log is not whole.
    #[error("{what}:{} / {what}: {}", .detail.zh, .detail.en)]
    AuditBroken {
        /// Folder or file.
        what: String,
        /// Which record, and how.
        detail: Both,
    },
    /// The engine refused to start.
    #[error("引擎无法启动:{} / the engine cannot start: {}", .0.zh, .0.en)]
    Engine(Both),
    /// What is stored is not what the logs say.
    #[error(
        "有 {differences} 处与日志不一致 / {differences} things are stored otherwise than the logs say"
    )]
    StoreDiffers {
        /// How many.
        differences: usize,
    },
    /// A simulated world broke a promise of the engine.
    #[cfg(feature = "sim")]
    #[error("有 {worlds} 个世界违背了承诺 / {worlds} worlds broke a promise")]
    PromiseBroken {
        /// How many.
        worlds: usize,
    },
    /// A backup, a restore or a transfer that could not be made.
    #[error("{} / {}", .what.zh, .what.en)]
    Carry {
        /// The stable code.
        code: String,
        /// What went wrong.
        what: Both,
    },
    /// A server holds the folder and does not take the wish.
    #[error(
        "数据文件夹 {folder} 正被使用,但无法请其服务备份:{} / data folder {folder} is in use, and its server cannot be asked for a backup: {}", .detail.zh, .detail.en
    )]
    NoControl {
        /// The folder.
        folder: String,
        /// Why.
        detail: Both,
    },
    /// The demo's case did not end as it should.
    #[error("演示未能办成:{} / the demo did not end as it should: {}", .0.zh, .0.en)]
    DemoUnfinished(Both),
}

impl ProgramError {
    /// Returns the stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::PortInUse(_) => "PORT_IN_USE",
            Self::CannotListen { .. } => "CANNOT_LISTEN",
            Self::NotLoopback(_) => "DEV_NOT_LOOPBACK",
            Self::NoIdentity => "IDENTITY_NOT_CONFIGURED",
            Self::Identity(_) => "IDENTITY_UNUSABLE",
            Self::VirtualTime { .. } => "FOLDER_VIRTUAL_TIME",
            Self::RealTime(_) => "FOLDER_REAL_TIME",
            Self::FolderInUse(_) => "FOLDER_IN_USE",
            Self::FolderDamaged(_) => "FOLDER_DAMAGED",
            Self::Elsewhere(_) => "STORAGE_ELSEWHERE",
            Self::CannotCreate { .. } => "CANNOT_CREATE",
            Self::InputOutput { .. } => "INPUT_OUTPUT",
            Self::ConfigUnreadable { .. } => "CONFIG_UNREADABLE",
            Self::ConfigWrong { .. } => "CONFIG_WRONG",
            Self::DocumentsWrong { .. } => "DOCUMENTS_WRONG",
            Self::ScriptsWrong { .. } => "SCRIPTS_WRONG",
            Self::ScriptsUnreadable { .. } => "SCRIPTS_UNREADABLE",
            Self::NoRehearsal(_) => "NO_REHEARSAL",
            Self::RehearsalsFailed { .. } => "REHEARSALS_FAILED",
            Self::CalendarWrong { code, .. } => code,
            Self::CalendarQuestion(_) => "CALENDAR_QUESTION",
            Self::ServiceUnknown { .. } => "SERVICE_UNKNOWN",
            Self::AnswersWrong(_) => "ANSWERS_WRONG",
            Self::AnswersMissing(_) => "ANSWERS_MISSING",
            Self::ScriptExists(_) => "SCRIPT_EXISTS",
            Self::CodeWrong(_) => "CODE_WRONG",
            Self::NothingToWatch => "NOTHING_TO_WATCH",
            Self::TokenNeedsDev => "TOKEN_NEEDS_DEV",
            Self::TokenUseless { .. } => "TOKEN_USELESS",
            Self::NoDevKey(_) => "NO_DEV_KEY",
            Self::RegionsWrong { .. } => "REGIONS_WRONG",
            Self::CaseQuestion(_) => "CASE_QUESTION",
            Self::VersionUnknown { .. } => "VERSION_UNKNOWN",
            Self::Diverges { .. } => "VERSION_DIVERGES",
            Self::AuditBroken { .. } => "AUDIT_BROKEN",
            Self::ServerRefused(_) => "SERVER_REFUSED",
            Self::Engine(_) => "ENGINE_NOT_STARTED",
            Self::StoreDiffers { .. } => "STORE_DIFFERS",
            #[cfg(feature = "sim")]
            Self::PromiseBroken { .. } => "PROMISE_BROKEN",
            Self::Carry { code, .. } => code,
            Self::NoControl { .. } => "FOLDER_NO_CONTROL",
            Self::DemoUnfinished(_) => "DEMO_UNFINISHED",
        }
    }

    /// Returns how the program ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::PortInUse(_)
            | Self::CannotListen { .. }
            | Self::ServerRefused(_)
            | Self::Engine(_) => Exit::Unavailable,
            Self::NotLoopback(_)
            | Self::TokenNeedsDev
            | Self::TokenUseless { .. }
            | Self::CalendarQuestion(_)
            | Self::ServiceUnknown { .. }
            | Self::CodeWrong(_)
            | Self::CaseQuestion(_)
            | Self::VersionUnknown { .. }
            | Self::NothingToWatch => Exit::Usage,
            Self::FolderInUse(_) | Self::NoControl { .. } => Exit::TryLater,
            Self::FolderDamaged(_)
            | Self::Diverges { .. }
            | Self::AuditBroken { .. }
            | Self::CalendarWrong { .. }
            | Self::DocumentsWrong { .. }
            | Self::ScriptsWrong { .. }
            | Self::NoRehearsal(_)
            | Self::RehearsalsFailed { .. }
            | Self::AnswersWrong(_)
            | Self::AnswersMissing(_)
            | Self::StoreDiffers { .. }
            | Self::Carry { .. } => Exit::Data,
            #[cfg(feature = "sim")]
            Self::PromiseBroken { .. } => Exit::Data,
            Self::CannotCreate { .. } | Self::ScriptExists(_) => Exit::CannotCreate,
            Self::InputOutput { .. } | Self::ScriptsUnreadable { .. } => Exit::InputOutput,
            Self::NoIdentity
            | Self::Identity(_)
            | Self::VirtualTime { .. }
            | Self::RealTime(_)
            | Self::ConfigUnreadable { .. }
            | Self::ConfigWrong { .. }
            | Self::Elsewhere(_)
            | Self::RegionsWrong { .. }
            | Self::NoDevKey(_) => Exit::Config,
            Self::DemoUnfinished(_) => Exit::Unfinished,
        }
    }

    /// Returns what to do about it, in Chinese and English.
    pub(crate) fn advice(&self) -> (String, String) {
        if let Self::ConfigWrong { nearest: Some(nearest), .. } = self {
            return (
                format!("是否想写 {nearest}?键名见 tongban serve --help"),
                format!("did you mean {nearest}? The keys are listed by tongban serve --help"),
            );
        }
        if let Self::ServiceUnknown { nearest: Some(nearest), .. } = self {
            return (format!("是否想写 {nearest}?"), format!("did you mean {nearest}?"));
        }
        let (zh, en) = self.fixed_advice();
        (zh.to_owned(), en.to_owned())
    }

    fn fixed_advice(&self) -> (&'static str, &'static str) {
        match self {
            Self::PortInUse(_) => advice::PORT_IN_USE,
            Self::CannotListen { .. } => advice::CANNOT_LISTEN,
            Self::NotLoopback(_) => advice::NOT_LOOPBACK,
            Self::NoIdentity => advice::NO_IDENTITY,
            Self::Identity(_) => advice::IDENTITY,
            Self::VirtualTime { .. } => advice::VIRTUAL_TIME,
            Self::RealTime(_) => advice::REAL_TIME,
            Self::FolderInUse(_) => advice::FOLDER_IN_USE,
            Self::FolderDamaged(_) => advice::FOLDER_DAMAGED,
            Self::Elsewhere(_) => advice::ELSEWHERE,
            Self::CannotCreate { .. } => advice::CANNOT_CREATE,
            Self::InputOutput { .. } => advice::INPUT_OUTPUT,
            Self::ConfigUnreadable { .. } => advice::CONFIG_UNREADABLE,
            Self::ConfigWrong { .. } => advice::CONFIG_WRONG,
            Self::DocumentsWrong { .. } => advice::DOCUMENTS_WRONG,
            Self::StoreDiffers { .. } => advice::STORE_DIFFERS,
            #[cfg(feature = "sim")]
            Self::PromiseBroken { .. } => advice::PROMISE_BROKEN,
            Self::Carry { .. } => advice::CARRY,
            Self::NoControl { .. } => advice::NO_CONTROL,
            Self::ScriptsWrong { .. } => advice::SCRIPTS_WRONG,
            Self::ScriptsUnreadable { .. } => advice::SCRIPTS_UNREADABLE,
            Self::NoRehearsal(_) => advice::NO_REHEARSAL,
            Self::RehearsalsFailed { .. } => advice::REHEARSALS_FAILED,
            Self::CalendarWrong { .. } => advice::CALENDAR_WRONG,
            Self::CalendarQuestion(_) => advice::CALENDAR_QUESTION,
            Self::ServiceUnknown { .. } => advice::SERVICE_UNKNOWN,
            Self::AnswersWrong(_) | Self::AnswersMissing(_) => advice::ANSWERS,
            Self::ScriptExists(_) => advice::SCRIPT_EXISTS,
            Self::CodeWrong(_) => advice::CODE_WRONG,
            Self::NothingToWatch => advice::NOTHING_TO_WATCH,
            Self::TokenNeedsDev => advice::TOKEN_NEEDS_DEV,
            Self::TokenUseless { .. } => advice::TOKEN_USELESS,
            Self::NoDevKey(_) => advice::NO_DEV_KEY,
            Self::RegionsWrong { .. } => advice::REGIONS_WRONG,
            Self::CaseQuestion(_) => advice::CASE_QUESTION,
            Self::VersionUnknown { .. } => advice::VERSION_UNKNOWN,
            Self::Diverges { .. } => advice::DIVERGES,
            Self::AuditBroken { .. } => advice::AUDIT_BROKEN,
            Self::ServerRefused(_) => advice::SERVER_REFUSED,
            Self::Engine(_) => advice::ENGINE,
            Self::DemoUnfinished(_) => advice::DEMO_UNFINISHED,
        }
    }
}

/// Names a folder or file in a message.
pub(crate) fn shown(path: impl Into<PathBuf>) -> String {
    path.into().display().to_string()
}
