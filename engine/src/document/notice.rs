//! A document's page: 红头, number, title, addressee, what it says, date, and where its seal goes.
//!
//! The final page shows an empty place for the seal: the seal covers the digest of these very
//! bytes, so its picture cannot be in them. `seal_view` makes the page that shows it.

use maud::{Markup, html};
use tongban_core::document::{DocumentContent, DocumentKind, Remedies, RemedyOrder};

use super::page::{Sheet, heading, sheet};
use super::says;
use super::text::{Shown, chinese_date, plain_date};

/// What a page is made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Face {
    /// To be looked at before it is sealed; marked as a draft on every page.
    Draft,
    /// To be sealed: these bytes are hashed and kept.
    Final,
}

/// Renders a document as one self-contained printable page.
///
/// Equal content gives equal bytes, in this version of the program; another version may set the
/// page otherwise, which is why the bytes are kept and never made again.
pub fn render(content: &DocumentContent, face: Face) -> Vec<u8> {
    let mark = match face {
        Face::Draft => Some("草稿 DRAFT"),
        Face::Final => None,
    };
    let place = html! {
        div.sealbox { "（印章处）" br; span.en lang="en" { "place of the seal" } }
    };
    let title = format!("{} {}", content.kind.name(), content.number);
    let sheet_around = Sheet { title: &title, mark, foot: foot(content) };
    sheet(&sheet_around, &body(content, &place))
}

/// Returns everything between head and foot, with `seal` above the date.
pub(super) fn body(content: &DocumentContent, seal: &Markup) -> Markup {
    html! {
        p.office { (Shown(&content.office.name)) }
        p.number { (content.number) }
        h1 { (content.kind.name()) span.en lang="en" { (content.kind.english()) } }
        p.to { (Shown(&content.recipient.name)) "：" }
        (says::paragraphs(content))
        (particulars(content))
        (basis(content))
        @if let Some(remedies) = &content.detail.remedies { (told(remedies)) }
        (enclosed(content))
        div.sign {
            div {
                (seal)
                p { (Shown(&content.office.name)) }
                p { (chinese_date(content.made_at.date())) }
            }
        }
        (acknowledgement(content))
    }
}

/// Returns the line at the foot of each page.
pub(super) fn foot(content: &DocumentContent) -> Markup {
    html! {
        span { "办件编号：" (Shown(&content.case_number)) }
        @if let Some(code) = &content.detail.query_code { span { "查询码：" (Shown(code)) } }
        span { "文号：" (content.number) }
    }
}

fn particulars(content: &DocumentContent) -> Markup {
    let detail = &content.detail;
    html! {
        (heading("基本信息", "Particulars"))
        table.pairs {
            (pair("办件编号", &content.case_number))
            (pair("服务", &content.service_name))
            tr {
                th { "事项" }
                td { (Shown(&content.matter.name)) "（" (Shown(content.matter.code.as_str())) "）" }
            }
            tr {
                th { "申请人" }
                td { (Shown(&content.recipient.name)) "（" (Shown(&content.recipient.id_masked)) "）" }
            }
            @if let Some(agent) = &content.agent {
                tr {
                    th { "经办人" }
                    td { (Shown(&agent.name)) "（" (Shown(&agent.id_masked)) "）" }
                }
            }
            tr {
                th { "收件地" }
                td { (Shown(&content.region_name)) "（" (Shown(content.region.as_str())) "）" }
            }
            tr { th { "生效日期" } td { (plain_date(content.effective_at.date())) } }
            @if let Some(code) = &detail.query_code { (pair("查询码", code)) }
            @for fact in &detail.facts { (pair(&fact.label, &fact.value)) }
            @if let Some(officer) = &detail.officer {
                tr {
                    th { "承办人" }
                    td {
                        (Shown(&officer.name))
                        @if !officer.post.is_empty() { "（" (Shown(&officer.post)) "）" }
                    }
                }
            }
            @if !content.office.address.is_empty() { (pair("机关地址", &content.office.address)) }
            @if !content.office.phone.is_empty() { (pair("联系电话", &content.office.phone)) }
        }
    }
}

/// Returns one line of a table of pairs.
pub(super) fn pair(label: &str, value: &str) -> Markup {
    html! { tr { th { (Shown(label)) } td.long { (Shown(value)) } } }
}

fn basis(content: &DocumentContent) -> Markup {
    html! {
        @if !content.detail.basis.is_empty() {
            (heading("依据", "Legal basis"))
            ol { @for rule in &content.detail.basis { li { (Shown(rule)) } } }
        }
    }
}

fn told(remedies: &Remedies) -> Markup {
    html! {
        (heading("救济途径", "Remedies"))
        p {
            "如不服本决定，可以自收到本决定书之日起" (remedies.review_days) "日内依照《中华人民共和国行政复议法》向"
            (Shown(&remedies.review_body)) "申请行政复议"
            @match remedies.order {
                RemedyOrder::Either => {
                    "，也可以自收到本决定书之日起" (remedies.suit_months)
                    "个月内依照《中华人民共和国行政诉讼法》向" (Shown(&remedies.court)) "提起行政诉讼。"
                }
                RemedyOrder::ReviewFirst => {
                    "。依法应当先申请行政复议；对行政复议决定仍不服的，可以依照《中华人民共和国行政诉讼法》向"
                    (Shown(&remedies.court)) "提起行政诉讼。"
                }
            }
        }
        p.flat {
            span.en lang="en" {
                "Within " (remedies.review_days) " days of service you may apply for administrative review to "
                (Shown(&remedies.review_body))
                @match remedies.order {
                    RemedyOrder::Either => {
                        ", or within " (remedies.suit_months) " months bring a suit before "
                        (Shown(&remedies.court)) "."
                    }
                    RemedyOrder::ReviewFirst => {
                        "; the law asks for the review first, then a suit before "
                        (Shown(&remedies.court)) " is open."
                    }
                }
            }
        }
    }
}

fn enclosed(content: &DocumentContent) -> Markup {
    html! {
        @if !content.detail.attachments.is_empty() {
            (heading("附件", "Attachments"))
            ol {
                @for file in &content.detail.attachments {
                    li { (Shown(&file.name)) br; code { (file.digest) } }
                }
            }
        }
    }
}

/// Documents whose service starts a period, and the note of service itself, carry the lines that
/// the recipient signs.
fn acknowledgement(content: &DocumentContent) -> Markup {
    let signs = content.kind.row().starts.is_some() || content.kind == DocumentKind::DeliveryNote;
    html! {
        @if signs {
            div.ack {
                p {
                    "受送达人（签名或盖章）：________________ 收到日期：______年____月____日"
                    span.en lang="en" { "Received by (signature or seal), on (date)" }
                }
                p {
                    "送达人：________________ 送达方式：□ 窗口 □ 邮寄 □ 电子 □ 公告"
                    span.en lang="en" { "Served by; at the window, by post, electronically, by announcement" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
