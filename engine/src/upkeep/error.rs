//! What can go wrong with backups, restores and bundles.

use std::io;
use std::path::Path;

use tongban_core::case::FoldError;
use tongban_core::error::ErrorClass;
use tongban_core::id::CaseId;
use tongban_core::port::StoreError;

use crate::blob::BlobError;
use crate::reference::ReferenceError;

/// A store that could not be carried elsewhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CarryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files of cases failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The reference documents failed.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The file system failed.
    #[error("无法{} {path}:{source} / could not {} {path}: {source}", .attempted.0, .attempted.1)]
    Folder {
        /// What was attempted, in Chinese and English.
        attempted: (&'static str, &'static str),
        /// On which file or folder.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The place to write to is not empty.
    #[error("{0} 不是空文件夹,没有写入任何内容 / {0} is not an empty folder; nothing was written")]
    NotEmpty(String),
    /// The place to read from holds something else.
    #[error("{0} 不是完整的备份或导出文件 / {0} is no complete backup or bundle")]
    NotOurs(String),
    /// A newer program wrote it.
    #[error(
        "{path} 的格式版本为 {found},请使用更新的程序 / {path} has format {found}, use a newer program"
    )]
    Newer {
        /// What was read.
        path: String,
        /// Its format.
        found: u32,
    },
    /// Its content is not what was written.
    #[error("{path} 已损坏:{what} / {path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// A log in it is impossible.
    #[error(transparent)]
    Log(#[from] FoldError),
    /// The target has this case already, with another history.
    #[error(
        "目标数据中已有办件 {0},且经过不同,没有导入 / the target has case {0} with another history; it was not imported"
    )]
    OtherHistory(CaseId),
    /// The file to write is there already.
    #[error("{0} 已存在,没有写入任何内容 / {0} exists; nothing was written")]
    Exists(String),
    /// There is no such case.
    #[error("没有办件 {0} / there is no case {0}")]
    NoSuchCase(CaseId),
}

impl CarryError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Blob(error) => error.code(),
            Self::Reference(error) => error.code(),
            Self::Folder { .. } => "CARRY_FOLDER",
            Self::NotEmpty(_) => "CARRY_NOT_EMPTY",
            Self::NotOurs(_) => "CARRY_NOT_OURS",
            Self::Newer { .. } => "CARRY_NEWER",
            Self::Damaged { .. } => "CARRY_DAMAGED",
            Self::Log(_) => "LOG_IMPOSSIBLE",
            Self::OtherHistory(_) => "CARRY_OTHER_HISTORY",
            Self::Exists(_) => "CARRY_EXISTS",
            Self::NoSuchCase(_) => "CASE_NOT_FOUND",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Store(error) => error.class(),
            Self::Blob(error) => error.class(),
            Self::Reference(error) => error.class(),
            Self::Folder { .. } => ErrorClass::Transient,
            Self::NotEmpty(_) | Self::NotOurs(_) | Self::Exists(_) | Self::NoSuchCase(_) => {
                ErrorClass::Invalid
            }
            Self::OtherHistory(_) => ErrorClass::Conflict,
            Self::Newer { .. } | Self::Damaged { .. } | Self::Log(_) => ErrorClass::Permanent,
        }
    }

    /// Builds what turns a failure of the file system into an error.
    pub(super) fn at(
        attempted: (&'static str, &'static str),
        path: &Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| {
            let damaged = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
            if damaged.contains(&source.kind()) {
                return Self::Damaged { path, what: source.to_string() };
            }
            Self::Folder { attempted, path, source }
        }
    }
}

/// Attempts, as errors name them.
pub(super) const WRITE: (&str, &str) = ("写入", "write");
pub(super) const READ: (&str, &str) = ("读取", "read");
