//! Why a file was not taken, or could not be read: each refusal says file, limit and found.

use tongban_core::error::ErrorClass;

use crate::objects::ObjectsError;

/// A file that was not taken, or could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// A name that cannot be shown or kept as it is.
    #[error(
        "文件名 {name:?} 不可用:须为 1 至 {limit} 个字符,不含斜杠和控制字符 / the file name {name:?} cannot be used: give 1 to {limit} characters without slashes and control characters"
    )]
    BadName {
        /// What came, at most so long as a name may be.
        name: String,
        /// Most characters.
        limit: usize,
    },
    /// Nothing in it.
    #[error("文件 {file} 是空文件,请重新选择 / the file {file} is empty, choose it again")]
    Empty {
        /// Name of the file.
        file: String,
    },
    /// Over the limit.
    #[error(
        "文件 {file} 超过上限 {limit} 字节(至少 {found} 字节),请压缩或拆分 / the file {file} has at least {found} bytes, more than {limit}; make it smaller or split it"
    )]
    TooLarge {
        /// Name of the file.
        file: String,
        /// Most bytes.
        limit: u64,
        /// Bytes seen or announced.
        found: u64,
    },
    /// The case holds as much as a case may.
    #[error(
        "无法保存文件 {file}:该办件已有 {found} 字节文件,上限 {limit} 字节 / cannot keep {file}: the case holds {found} bytes of files already, {limit} is the most"
    )]
    CaseFull {
        /// Name of the file.
        file: String,
        /// Most bytes of one case.
        limit: u64,
        /// Bytes that it holds.
        found: u64,
    },
    /// An extension that the material does not accept.
    #[error(
        "材料不接受文件 {file}(类型 {found:?}),可用类型:{} / the material does not accept {file} (type {found:?}); it accepts {}",
        .accepted.join("、"),
        .accepted.join(", ")
    )]
    NotAccepted {
        /// Name of the file.
        file: String,
        /// Extensions that the material accepts.
        accepted: Vec<String>,
        /// Extension of the file; empty when it has none.
        found: String,
    },
    /// Bytes of another type than the extension says.
    #[error(
        "文件 {file} 的内容不是 {declared}(检测为 {found}),请上传原文件 / the content of {file} is not {declared} but {found}; send the original file"
    )]
    Mismatch {
        /// Name of the file.
        file: String,
        /// Its extension.
        declared: String,
        /// What its bytes look like.
        found: String,
    },
    /// The sender went away before the end.
    #[error(
        "文件 {file} 在收到 {received} 字节后中断,请重新上传 / the upload of {file} broke off after {received} bytes, send it again"
    )]
    Torn {
        /// Name of the file.
        file: String,
        /// Bytes that came.
        received: u64,
        /// What the transport says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Too many uploads under way.
    #[error(
        "正在上传的文件过多,请稍后再试 / too many uploads are under way, try again in a moment"
    )]
    Busy,
    /// A kept blob that is not what was kept.
    #[error(
        "文件 {key} 与上传时不一致,请从备份恢复 / the blob {key} is not what was uploaded; restore it from a backup"
    )]
    Damaged {
        /// The object.
        key: String,
    },
    /// The system has no randomness to give.
    #[error("系统随机数不可用 / the system gives no randomness")]
    NoRandomness,
    /// The file store failed.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}

impl BlobError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadName { .. } => "FILE_NAME",
            Self::Empty { .. } => "FILE_EMPTY",
            Self::TooLarge { .. } => "FILE_TOO_LARGE",
            Self::CaseFull { .. } => "CASE_FILES_FULL",
            Self::NotAccepted { .. } => "FILE_TYPE_NOT_ACCEPTED",
            Self::Mismatch { .. } => "FILE_TYPE_MISMATCH",
            Self::Torn { .. } => "FILE_TORN",
            Self::Busy => "UPLOADS_BUSY",
            Self::Damaged { .. } => "BLOB_DAMAGED",
            Self::NoRandomness => "NO_RANDOMNESS",
            Self::Objects(error) => error.code(),
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::BadName { .. }
            | Self::Empty { .. }
            | Self::TooLarge { .. }
            | Self::CaseFull { .. }
            | Self::NotAccepted { .. }
            | Self::Mismatch { .. } => ErrorClass::Invalid,
            Self::Torn { .. } | Self::Busy => ErrorClass::Transient,
            Self::Damaged { .. } | Self::NoRandomness => ErrorClass::Permanent,
            Self::Objects(error) => error.class(),
        }
    }
}
