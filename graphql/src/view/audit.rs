//! The audit log, as supervisors read it.

use async_graphql::{Object, SimpleObject};
use tongban_core::audit::Audited;

use super::{DateTime, PageInfo};

/// 审计日志的一条记录 / A record of the audit log
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct AuditEntry {
    /// 序号,从 1 起连续,以字符串表示 / Its place, from 1 without a gap, as a string
    no: String,
    /// 何时 / When
    at: DateTime,
    /// 谁 / Who
    by: String,
    /// 以何角色;operator 为本机程序的使用者 / In which role; operator is the user of the program
    role: String,
    /// 行为代码 / Code of what was done
    act: &'static str,
    /// 行为名称 / Its name in Chinese
    act_label: &'static str,
    /// 对象 / To what
    target: String,
    /// 理由 / Why
    reason: String,
    /// 前一条的摘要 / Digest of the record before
    prev_hash: String,
    /// 本条的摘要 / Its own digest
    hash: String,
}

impl From<Audited> for AuditEntry {
    fn from(audited: Audited) -> Self {
        let Audited { no, deed, before, digest } = audited;
        Self {
            no: no.to_string(),
            at: deed.at.into(),
            by: deed.by,
            role: deed.role,
            act: deed.act.code(),
            act_label: deed.act.name(),
            target: deed.target,
            reason: deed.reason,
            prev_hash: before.hex(),
            hash: digest.hex(),
        }
    }
}

/// 审计日志的一页 / A page of the audit log
pub(crate) struct AuditConnection {
    pub(crate) nodes: Vec<AuditEntry>,
    pub(crate) next: Option<u64>,
}

/// 审计日志的一页 / A page of the audit log
#[Object]
impl AuditConnection {
    /// 记录,从早到晚 / The records, oldest first
    async fn nodes(&self) -> &[AuditEntry] {
        &self.nodes
    }

    /// 分页信息 / Where the page stands
    async fn page_info(&self) -> PageInfo {
        let next = self.next.map(|no| no.to_be_bytes().to_vec());
        PageInfo::before(next.as_ref())
    }
}
