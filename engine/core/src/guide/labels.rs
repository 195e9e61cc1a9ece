//! Words in Chinese and English, and the stable codes that a guide is written with.

use serde::Serialize;

use crate::definition::{After, DecidesIn, Field, Intake, MatterDef, Regime, Source};
use crate::time::{Period, Unit};

/// A text in Chinese and English.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Words {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Words {
    /// Builds it from both texts; what has no English is told in Chinese to everyone.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        let (zh, en) = (zh.into(), en.into());
        let en = if en.is_empty() { zh.clone() } else { en };
        Self { zh, en }
    }

    /// Names a matter.
    pub(crate) fn of_matter(matter: &MatterDef) -> Self {
        Self::new(&matter.name, &matter.name_en)
    }

    /// Labels a field or question.
    pub(crate) fn of_field(field: &Field) -> Self {
        Self::new(&field.label, &field.label_en)
    }
}

/// Joins texts as each language does.
pub fn list_words<'a>(all: impl IntoIterator<Item = &'a Words>) -> Words {
    let (zh, en): (Vec<&str>, Vec<&str>) =
        all.into_iter().map(|one| (one.zh.as_str(), one.en.as_str())).unzip();
    Words { zh: zh.join("、"), en: en.join(", ") }
}

/// Says how long a period is.
pub fn limit_words(period: Period) -> Words {
    let unit = match period.unit {
        Unit::WorkingDays => "个工作日",
        Unit::CalendarDays => "个自然日",
        Unit::Hours => "小时",
        Unit::Minutes => "分钟",
        Unit::Months => "个月",
    };
    Words::new(format!("{}{unit}", period.amount), period.to_string())
}

/// A stable code with its text.
pub(super) type Label = (&'static str, Words);

pub(super) fn regime_label(regime: Regime) -> Label {
    let known = Regime::ALL.iter().find(|(known, _, _)| *known == regime);
    let (_, code, zh) = known.expect("every regime is in the table");
    (*code, Words::new(*zh, code.replace('_', " ")))
}

pub(super) fn intake_label(intake: Intake) -> Label {
    match intake {
        Intake::Window => {
            ("window", Words::new("由综合窗口人员受理", "accepted by a clerk at the window"))
        }
        Intake::Auto => (
            "auto",
            Words::new("材料齐全时自动受理", "accepted at once when every material is there"),
        ),
    }
}

pub(super) fn decides_in_label(place: DecidesIn) -> Label {
    match place {
        DecidesIn::Here => {
            ("here", Words::new("在本平台审批", "decided here, by the department's approver"))
        }
        DecidesIn::Connector => (
            "connector",
            Words::new("在部门业务系统审批", "decided in the department's own system"),
        ),
        DecidesIn::Manual => (
            "manual",
            Words::new("由部门人工办理后登记", "decided by the office, which records it here"),
        ),
    }
}

pub(super) fn after_label(after: After) -> Label {
    match after {
        After::Granted => ("granted", Words::new("获准后", "once it is granted")),
        After::Ended => ("ended", Words::new("办结后", "once it has ended")),
        After::Accepted => ("accepted", Words::new("受理后", "once it is accepted")),
    }
}

/// Says where a material may come from.
pub(super) fn source_words(source: &Source) -> Words {
    match source {
        Source::ResultOf(code) => {
            Words::new(format!("前置事项 {code} 的结果"), format!("result of {code}"))
        }
        Source::License(of) => {
            Words::new(format!("电子证照 {of}"), format!("electronic licence {of}"))
        }
        Source::Data(of) => Words::new(format!("共享数据 {of}"), format!("shared data {of}")),
        Source::Upload(types) if types.is_empty() => Words::new("申请人提交", "handed in"),
        Source::Upload(types) => {
            let types = types.join(", ");
            Words::new(format!("申请人提交({types})"), format!("handed in ({types})"))
        }
        Source::Commitment => Words::new("告知承诺", "the applicant's commitment"),
    }
}

pub(super) fn source_code(source: &Source) -> &'static str {
    match source {
        Source::ResultOf(_) => "result_of",
        Source::License(_) => "license",
        Source::Data(_) => "data",
        Source::Upload(_) => "upload",
        Source::Commitment => "commitment",
    }
}
