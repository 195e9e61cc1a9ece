//! Documents of a case: what an office told the applicant in writing, and how far each has come.

use std::fmt::Write as _;

use async_graphql::{Enum, Object};
use tongban_core::case;
use tongban_core::document::{self, SealKind, ServiceMode};
use tongban_core::id::MatterNo;
use tongban_engine::CaseView;

use super::code::{Lang, in_lang};
use super::{Case, CaseMatter, DateTime};

/// 文书种类 / Kind of a document
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "document::DocumentKind")]
pub(crate) enum DocumentKind {
    /// 收件凭证 / Receipt of the papers
    Receipt,
    /// 补正告知书 / The one complete list of what is missing
    CorrectionNotice,
    /// 受理通知书 / Accepted; the clock runs
    Acceptance,
    /// 不予受理决定书 / Not accepted, on an enumerated ground
    NotAccepted,
    /// 特别程序告知书 / The clock stands for a special procedure
    SpecialProcedure,
    /// 延期告知书 / The limit was extended
    Extension,
    /// 准予决定书 / Granted
    Grant,
    /// 不予决定书 / Denied
    Denial,
    /// 转报单 / Sent up to the office that decides
    Forwarding,
    /// 撤回确认书 / The applicant took his application back
    WithdrawalConfirmation,
    /// 终止通知书 / Ended without a decision
    Termination,
    /// 撤销决定书 / A decision was taken back
    Revocation,
    /// 送达回证 / Proof that documents reached the recipient
    DeliveryNote,
    /// 退回告知书 / Given back before acceptance
    ReturnNotice,
}

/// 文书状态 / How far a document has come
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum DocumentState {
    /// 草稿 / Drafted: binds nobody
    Draft,
    /// 已签章 / Sealed: its bytes are fixed
    Sealed,
    /// 已送达或送达途中 / Served, or on its way
    Served,
}

/// 送达方式 / How a document was served
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum ServiceKind {
    /// 窗口送达 / At a window, signed for
    Window,
    /// 邮寄送达 / By post
    Post,
    /// 电子送达 / Electronically
    Electronic,
    /// 公告送达 / By announcement
    Announcement,
}

/// A document that the viewer of its case may see.
pub(crate) struct Document {
    case: Case,
    document: case::Document,
}

/// Returns the documents that the viewer may see, in the order of their drafting: those of one
/// matter, or all.
pub(crate) fn documents(case: &Case, view: &CaseView, matter: Option<MatterNo>) -> Vec<Document> {
    let own = |document: &&case::Document| matter.is_none_or(|no| document.matter == no);
    let shown = view.documents().into_iter().filter(own);
    shown.map(|shown| Document { case: case.clone(), document: shown.clone() }).collect()
}

/// 文书:机关向申请人出具的书面文件 / A document: what an office told the applicant in writing
#[Object]
impl Document {
    /// 文号 / Its number
    async fn number(&self) -> String {
        self.document.number().to_string()
    }

    /// 种类 / Its kind
    async fn kind(&self) -> DocumentKind {
        self.document.kind().into()
    }

    /// 名称 / Its title
    async fn title(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> &str {
        in_lang(lang, self.document.kind().name(), self.document.kind().english())
    }

    /// 所属事项;涉及整个办件时为空 / Its matter; null when it is about the whole case
    async fn matter(&self) -> Option<CaseMatter> {
        self.case.matter(self.document.matter)
    }

    /// 状态 / How far it has come
    async fn state(&self) -> DocumentState {
        match &*self.document.state {
            document::DocumentState::Draft { .. } => DocumentState::Draft,
            document::DocumentState::Sealed(_) => DocumentState::Sealed,
            document::DocumentState::Served(_) => DocumentState::Served,
        }
    }

    /// 拟制时间 / When it was drafted
    async fn drafted_at(&self) -> DateTime {
        self.document.drafted_at().into()
    }

    /// 签章时间 / When it was sealed
    async fn sealed_at(&self) -> Option<DateTime> {
        self.document.sealed().map(|sealed| sealed.at.into())
    }

    /// 印章名称 / Name of its seal
    async fn seal(&self) -> Option<&str> {
        self.document.sealed().map(|sealed| sealed.seal.name.as_str())
    }

    /// 是否为试用印章,无法律效力 / Whether its seal is for trial only and binds nobody
    async fn is_trial(&self) -> Option<bool> {
        self.document.sealed().map(|sealed| sealed.seal.kind == SealKind::Trial)
    }

    /// 签章原件的 SHA-256 / SHA-256 of the sealed bytes
    async fn sha256(&self) -> Option<String> {
        self.document.sealed().map(|sealed| sealed.digest.hex())
    }

    /// 交付、投邮、发送或公告的时间 / When it was handed over, posted, sent or published
    async fn served_at(&self) -> Option<DateTime> {
        self.document.service().map(|service| service.at.into())
    }

    /// 送达方式 / How it was served
    async fn served_by(&self) -> Option<ServiceKind> {
        self.document.service().map(|service| match &service.how {
            ServiceMode::Window { .. } => ServiceKind::Window,
            ServiceMode::Post { .. } => ServiceKind::Post,
            ServiceMode::Electronic { .. } => ServiceKind::Electronic,
            ServiceMode::Announcement { .. } => ServiceKind::Announcement,
        })
    }

    /// 法律上的送达时间,申请人的期限由此起算;在途时为空 / The moment of service in the eyes of the law, from which the applicant's periods run; null while it is on its way
    async fn effective_at(&self) -> Option<DateTime> {
        self.document.state.period_starts().map(Into::into)
    }

    /// 查看页面的路径;加 ?print 取签章原件 / Path of its page; with ?print, of the sealed bytes
    async fn url(&self) -> String {
        let number = self.document.number().to_string();
        let mut url = format!("/document/{}/", self.case.row().case);
        for byte in number.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                url.push(char::from(byte));
            } else {
                write!(url, "%{byte:02X}").expect("writing to a string cannot fail");
            }
        }
        url
    }
}
