//! The one-time notice (一次告知单): for given answers, what to bring, how long, what it costs.
//!
//! [`GuideSheet`] is plain data that whoever knows the answers fills; this module only puts it
//! on paper. It is information and no act: no number, no seal, no period runs from it.

use jiff::civil::Date;
use maud::{Markup, html};
use tongban_core::time::Period;

use super::page::{Sheet, heading, sheet};
use super::text::{Shown, chinese_period, plain_date};

/// What a one-time notice says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GuideSheet {
    /// Name of the service, such as 开工审批一件事.
    pub title: String,
    /// Its English name; empty when none is given.
    pub title_en: String,
    /// Name of the coordinating office (牵头部门).
    pub office: String,
    /// The place it holds for, name and code as people read them.
    pub region: String,
    /// The applicant's situation: the answers that the rest follows from.
    pub answers: Vec<GuideAnswer>,
    /// The matters, in the order of handling.
    pub matters: Vec<GuideMatter>,
    /// The sums.
    pub total: GuideTotal,
    /// The day on which it holds.
    pub as_of: Date,
    /// Version of the service's definition that was read; shown so that a clerk can find it.
    pub version: String,
}

/// One question with the applicant's answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GuideAnswer {
    /// The question.
    pub question: String,
    /// The answer, in words.
    pub answer: String,
}

/// One matter of the notice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GuideMatter {
    /// Stable code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Name of the office that decides.
    pub office: String,
    /// Names of the matters that come before.
    pub after: Vec<String>,
    /// Limit by law (法定办结时限).
    pub statutory: Option<Period>,
    /// The published promise (承诺办结时限).
    pub promised: Option<Period>,
    /// What it costs.
    pub fee: GuideFee,
    /// What it needs.
    pub materials: Vec<GuideMaterial>,
}

/// What something costs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GuideFee {
    /// Nothing.
    Free,
    /// An amount or a tariff with its basis, in words.
    Charged(String),
}

/// One material of a matter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GuideMaterial {
    /// Stable code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Whether the applicant must bring it.
    pub way: GuideWay,
    /// Where it comes from, in words, such as 电子证照:不动产权证书.
    pub source: String,
    /// Originals and copies, form, validity; empty when there is nothing to say.
    pub note: String,
}

/// Whether a material must be brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GuideWay {
    /// 自行提交: the applicant hands it in.
    HandIn,
    /// 免提交: the offices fetch it, or an earlier matter makes it.
    Exempt,
    /// 容缺: it may come later, on a promise.
    MayFollow,
    /// 告知承诺: a signed promise replaces it.
    Commitment,
}

impl GuideWay {
    /// Every way with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::HandIn, "hand_in", "自行提交"),
        (Self::Exempt, "exempt", "免提交"),
        (Self::MayFollow, "may_follow", "可容缺后补"),
        (Self::Commitment, "commitment", "告知承诺"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(way, _, _)| *way == self).map_or("", |(_, code, _)| code)
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(way, _, _)| *way == self).map_or("", |(_, _, name)| name)
    }
}

/// The sums of a notice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GuideTotal {
    /// The whole time by the promises along the longest path; none when it cannot be told.
    pub time: Option<Period>,
    /// What the time leaves out, such as waiting for the applicant and mailing.
    pub time_note: String,
    /// Materials to hand in, each counted once.
    pub to_hand_in: u32,
    /// Materials that need not be handed in.
    pub exempt: u32,
    /// What it costs altogether.
    pub fee: GuideFee,
}

/// Renders the notice as one self-contained printable page; equal data gives equal bytes.
pub fn render_guide(guide: &GuideSheet) -> Vec<u8> {
    let title = format!("{} 一次告知单", guide.title);
    let content = html! {
        p.office { (Shown(&guide.office)) }
        p.number { "适用地区：" (Shown(&guide.region)) }
        h1 {
            (Shown(&guide.title)) br; "一次告知单"
            span.en lang="en" {
                "One-time notice: what to bring, how long it takes, what it costs"
                @if !guide.title_en.is_empty() { " — " (Shown(&guide.title_en)) }
            }
        }
        (answers(&guide.answers))
        (matters(&guide.matters))
        (materials(&guide.matters))
        (total(&guide.total))
        p.flat {
            "本告知单按上述情形一次告知全部事项和材料；情形有变的，请重新生成。"
            span.en lang="en" {
                "It names everything needed for the situation above. If that changes, ask for a new one."
            }
        }
    };
    let foot = html! {
        span { "依据日期：" (plain_date(guide.as_of)) }
        span { "服务版本：" (Shown(&guide.version)) }
    };
    sheet(&Sheet { title: &title, mark: None, foot }, &content)
}

fn answers(answers: &[GuideAnswer]) -> Markup {
    html! {
        (heading("一、您的情形", "Your situation"))
        @if answers.is_empty() {
            p.flat { "本服务不区分情形。" }
        } @else {
            table {
                @for answer in answers {
                    tr { td { (Shown(&answer.question)) } td { (Shown(&answer.answer)) } }
                }
            }
        }
    }
}

fn matters(matters: &[GuideMatter]) -> Markup {
    html! {
        (heading("二、办理事项", "Matters"))
        table {
            thead {
                tr {
                    th.no { "序号" } th { "事项" } th { "实施机关" } th { "前置事项" }
                    th { "法定时限" } th { "承诺时限" } th { "收费" }
                }
            }
            tbody {
                @for (index, matter) in matters.iter().enumerate() {
                    tr {
                        td.no { (index + 1) }
                        td { (Shown(&matter.name)) }
                        td { (Shown(&matter.office)) }
                        td { (Shown(&or_none(matter.after.join("、")))) }
                        td { (limit(matter.statutory)) }
                        td { (limit(matter.promised)) }
                        td { (fee(&matter.fee)) }
                    }
                }
            }
        }
    }
}

fn materials(matters: &[GuideMatter]) -> Markup {
    html! {
        (heading("三、申请材料", "Materials"))
        @for (index, matter) in matters.iter().enumerate() {
            h3 { (index + 1) ". " (Shown(&matter.name)) }
            @if matter.materials.is_empty() {
                p.flat { "无须提交材料。" }
            } @else {
                table {
                    thead {
                        tr { th.no { "序号" } th { "材料" } th { "提交方式" } th { "来源" } th { "要求" } }
                    }
                    tbody {
                        @for (index, material) in matter.materials.iter().enumerate() {
                            tr {
                                td.no { (index + 1) }
                                td { (Shown(&material.name)) }
                                td { (material.way.name()) }
                                td { (Shown(&material.source)) }
                                td { (Shown(&or_none(material.note.clone()))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn total(total: &GuideTotal) -> Markup {
    html! {
        (heading("四、合计", "Altogether"))
        table.pairs {
            tr {
                th { "总时限" }
                td {
                    (limit(total.time))
                    @if !total.time_note.is_empty() { "（" (Shown(&total.time_note)) "）" }
                }
            }
            tr { th { "需自行提交的材料" } td { (total.to_hand_in) " 份" } }
            tr { th { "免提交的材料" } td { (total.exempt) " 份" } }
            tr { th { "费用" } td { (fee(&total.fee)) } }
        }
    }
}

fn limit(period: Option<Period>) -> String {
    period.map_or_else(|| "—".to_owned(), chinese_period)
}

fn fee(fee: &GuideFee) -> Markup {
    match fee {
        GuideFee::Free => html! { "不收费" },
        GuideFee::Charged(words) => html! { (Shown(words)) },
    }
}

fn or_none(words: String) -> String {
    if words.is_empty() { "—".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn guide() -> GuideSheet {
        GuideSheet {
            title: "开工审批一件事".to_owned(),
            title_en: "Construction start".to_owned(),
            office: "十堰市住房和城乡建设局".to_owned(),
            region: "十堰市(420300)".to_owned(),
            answers: vec![GuideAnswer {
                question: "是否修建防空地下室?".to_owned(),
                answer: "是".to_owned(),
            }],
            matters: vec![GuideMatter {
                code: "engineering-planning-permit".to_owned(),
                name: "建设工程规划许可证核发".to_owned(),
                office: "十堰市自然资源和规划局".to_owned(),
                after: vec!["建设用地规划许可证核发".to_owned()],
                statutory: "20 working days".parse().ok(),
                promised: "1 working day".parse().ok(),
                fee: GuideFee::Free,
                materials: vec![GuideMaterial {
                    code: "title".to_owned(),
                    name: "不动产权证书".to_owned(),
                    way: GuideWay::Exempt,
                    source: "电子证照".to_owned(),
                    note: String::new(),
                }],
            }],
            total: GuideTotal {
                time: "1 working day".parse().ok(),
                time_note: "不含申请人补正和邮寄时间".to_owned(),
                to_hand_in: 0,
                exempt: 1,
                fee: GuideFee::Free,
            },
            as_of: date(2026, 3, 2),
            version: "2026.1".to_owned(),
        }
    }

    fn page(guide: &GuideSheet) -> String {
        String::from_utf8(render_guide(guide)).unwrap()
    }

    #[test]
    fn a_notice_names_matters_materials_time_and_cost() {
        let page = page(&guide());
        for words in [
            "开工审批一件事",
            "是否修建防空地下室?",
            "建设工程规划许可证核发",
            "20个工作日",
            "1个工作日",
            "免提交",
            "不动产权证书",
            "不收费",
            "2026年3月2日",
        ] {
            assert!(page.contains(words), "{words}");
        }
    }

    #[test]
    fn equal_notices_give_equal_bytes() {
        assert_eq!(render_guide(&guide()), render_guide(&guide()));
    }

    #[test]
    fn hostile_text_stays_text() {
        let mut guide = guide();
        guide.title = "<script>alert(1)</script>".to_owned();
        guide.matters[0].materials[0].source = "\"><img src=x onerror=y>\u{202e}".to_owned();
        let page = page(&guide);
        assert!(!page.contains("<script") && !page.contains("<img"));
        assert!(!page.contains('\u{202e}'));
    }
}
