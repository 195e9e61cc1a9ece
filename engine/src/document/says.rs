//! What each kind of document says in words: its operative part (正文).

use maud::{Markup, html};
use tongban_core::document::{
    ConcernedDocument, DocumentContent, DocumentKind, MaterialLine, MissingLine, PromisedEnd,
};

use super::page::heading;
use super::text::{Shown, chinese_period, plain_date};

/// Returns the paragraphs and lists of a document.
pub(super) fn paragraphs(content: &DocumentContent) -> Markup {
    match content.kind {
        DocumentKind::Receipt => receipt(content),
        DocumentKind::CorrectionNotice => correction(content),
        DocumentKind::Acceptance => acceptance(content),
        DocumentKind::NotAccepted => decided(content, "决定不予受理", "is not accepted"),
        DocumentKind::SpecialProcedure => special_procedure(content),
        DocumentKind::Extension => extension(content),
        DocumentKind::Grant => grant(content),
        DocumentKind::Denial => decided(content, "经审查，决定不予批准", "is denied after review"),
        DocumentKind::Forwarding => forwarding(content),
        DocumentKind::WithdrawalConfirmation => decided(
            content,
            "已按你（单位）的请求撤回，本机关不再办理",
            "was withdrawn at your request",
        ),
        DocumentKind::Termination => {
            decided(content, "决定终止办理", "is ended without a decision")
        }
        DocumentKind::Revocation => revocation(content),
        DocumentKind::DeliveryNote => delivery(content),
        DocumentKind::ReturnNotice => decided(
            content,
            "因下列原因退回，可在更正后重新提交",
            "is returned; correct and submit again",
        ),
    }
}

/// Returns the sentence that names the application, ended by what happened to it.
fn about(content: &DocumentContent, happened: &str, english: &str) -> Markup {
    html! {
        p {
            "你（单位）提出的“" (Shown(&content.matter.name)) "”申请（办件编号 "
            (Shown(&content.case_number)) "），" (happened) "。"
            span.en lang="en" { "Your application for this matter " (english) "." }
        }
    }
}

/// Returns what is decided with ground and reasons.
fn decided(content: &DocumentContent, happened: &str, english: &str) -> Markup {
    html! {
        (about(content, happened, english))
        (ground_and_reasons(content))
    }
}

fn ground_and_reasons(content: &DocumentContent) -> Markup {
    html! {
        @if let Some(ground) = &content.detail.ground {
            p { "法定事由：" (Shown(&ground.text)) }
        }
        @if !content.detail.reasons.is_empty() {
            (heading("理由", "Reasons"))
            p.flat.long { (Shown(&content.detail.reasons)) }
        }
    }
}

fn receipt(content: &DocumentContent) -> Markup {
    let english = "was received with the papers listed below; nothing is decided yet";
    html! {
        (about(content, "本机关已收到，所收材料见下表。本凭证不表示已经受理", english))
        (materials(&content.detail.materials))
        @if let Some(code) = &content.detail.query_code {
            p {
                "凭办件编号和查询码 " b { (Shown(code)) } " 可查询办理进度，请妥善保管查询码。"
                span.en lang="en" { "Keep the query code: with the case number it shows where the case stands." }
            }
        }
    }
}

fn correction(content: &DocumentContent) -> Markup {
    let detail = &content.detail;
    html! {
        (about(content, "材料不齐全或者不符合法定形式，现将需要补正的全部内容一次告知如下", "needs correction; this list is complete"))
        @if let Some(round) = detail.correction_round { p { "补正次数：第" (round) "次" } }
        (missing(&detail.missing))
        @if let Some(limit) = detail.correction_limit {
            p {
                "请自收到本告知书之日起 " b { (chinese_period(limit)) } " 内按上述清单补正；未列入清单的材料无须重新提交。逾期未补正的，由本机关工作人员依法处理并另行告知。"
                span.en lang="en" {
                    "Supply these items within " (limit) " of service; materials not listed stay as they are."
                }
            }
        }
    }
}

fn acceptance(content: &DocumentContent) -> Markup {
    let detail = &content.detail;
    html! {
        (about(content, "符合受理条件，本机关决定予以受理", "is accepted"))
        p { "受理日期：" (plain_date(content.effective_at.date())) "。" }
        @if let Some(limit) = detail.limit {
            p { "承诺办结时限：" (chinese_period(limit)) "，自受理次日起计算，依法不计入的时间除外。" }
        }
        @match detail.promised_end {
            Some(end) => (ends("承诺办结日期", end)),
            None => { p { "本事项未设办理时限。" } }
        }
        (materials(&detail.materials))
    }
}

/// Returns the line that tells when a limit ends, and whether that may still move.
fn ends(label: &str, end: PromisedEnd) -> Markup {
    html! {
        p {
            (label) "：" b { (plain_date(end.at.date())) } "。"
            @if end.provisional {
                "（暂定：该年度放假通知尚未公布，公布后如有变化将重新计算。）"
            }
            span.en lang="en" {
                "Ends on " (end.at.date())
                @if end.provisional { " (provisional until the holiday notice of that year is published)" }
            }
        }
    }
}

fn special_procedure(content: &DocumentContent) -> Markup {
    let english = "goes through a special procedure; its time does not count into the limit";
    html! {
        (about(content, "在办理中需要进行特别程序，所需时间依法不计入办理期限", english))
        (ground_and_reasons(content))
        @if let Some(expected) = content.detail.expected {
            p {
                "预计所需时间：" b { (chinese_period(expected)) } "。"
                span.en lang="en" { "Expected to take " (expected) "." }
            }
        }
    }
}

fn extension(content: &DocumentContent) -> Markup {
    let detail = &content.detail;
    html! {
        (about(content, "在期限内不能作出决定，经本机关负责人批准，延长办理期限", "needs more time, as the head of the office approved"))
        @if let Some(limit) = detail.limit { p { "延长时间：" (chinese_period(limit)) "。" } }
        @if let Some(end) = detail.promised_end { (ends("延长后的办结日期", end)) }
        (ground_and_reasons(content))
    }
}

fn grant(content: &DocumentContent) -> Markup {
    let detail = &content.detail;
    html! {
        (about(content, "经审查，符合法定条件、标准，本机关决定准予", "is granted"))
        @if let Some(result) = &detail.result {
            table.pairs {
                tr { th { "证照或文件" } td { (Shown(&result.name)) } }
                @if !result.number.is_empty() { tr { th { "编号" } td { (Shown(&result.number)) } } }
                @if !result.valid_until.is_empty() {
                    tr { th { "有效期" } td { (Shown(&result.valid_until)) } }
                }
            }
        }
        (materials(&detail.materials))
    }
}

fn forwarding(content: &DocumentContent) -> Markup {
    let office = content.detail.forwarded_to.as_deref().unwrap_or_default();
    html! {
        (about(content, "本机关已完成初步审查", "passed the first review of this office"))
        p {
            "现将初审意见和全部申请材料报送 " b { (Shown(office)) } " 审查决定。"
            span.en lang="en" { "It is sent up with all papers to the office that decides." }
        }
        @if !content.detail.reasons.is_empty() {
            (heading("初审意见", "Opinion of the first review"))
            p.flat.long { (Shown(&content.detail.reasons)) }
        }
        (materials(&content.detail.materials))
    }
}

fn revocation(content: &DocumentContent) -> Markup {
    html! {
        (about(content, "本机关此前作出的下列决定，现予撤销", "was decided by the documents below, which are revoked"))
        (concerned(&content.detail.concerns))
        (ground_and_reasons(content))
    }
}

fn delivery(content: &DocumentContent) -> Markup {
    html! {
        (about(content, "现送达下列文书，请在签收栏签名或者盖章", "led to the documents below, which are served herewith"))
        (concerned(&content.detail.concerns))
    }
}

fn concerned(documents: &[ConcernedDocument]) -> Markup {
    html! {
        table {
            thead { tr { th.no { "序号" } th { "文书" } th { "文号" } } }
            tbody {
                @for (index, document) in documents.iter().enumerate() {
                    tr {
                        td.no { (index + 1) }
                        td { (Shown(&document.name)) }
                        td { (Shown(&document.number)) }
                    }
                }
            }
        }
    }
}

fn materials(materials: &[MaterialLine]) -> Markup {
    html! {
        @if !materials.is_empty() {
            (heading("材料清单", "Materials"))
            table {
                thead { tr { th.no { "序号" } th { "材料" } th { "情况" } th { "备注" } } }
                tbody {
                    @for (index, material) in materials.iter().enumerate() {
                        tr {
                            td.no { (index + 1) }
                            td { (Shown(&material.name)) }
                            td { (material.status.name()) }
                            td { (Shown(&material.note)) }
                        }
                    }
                }
            }
        }
    }
}

fn missing(lines: &[MissingLine]) -> Markup {
    html! {
        (heading("补正清单", "Items to correct"))
        table {
            thead { tr { th.no { "序号" } th { "材料" } th { "存在的问题" } th { "补正要求" } } }
            tbody {
                @for (index, line) in lines.iter().enumerate() {
                    tr {
                        td.no { (index + 1) }
                        td { (Shown(&line.name)) }
                        td.long { (Shown(&line.defect)) }
                        td.long { (Shown(&line.wanted)) }
                    }
                }
            }
        }
    }
}
