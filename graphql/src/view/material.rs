//! Materials of a case.

use async_graphql::{ID, Object, SimpleObject};
use tongban_core::case::{Case, Matter};
use tongban_core::id::Seq;
use tongban_core::material::{Attempt, Form, Found, Handed, Requirement};
use tongban_engine::CaseView;

use super::code::{AttemptCause, Lang, MaterialState};
use super::{DateTime, EntryKind, write_entry_id};

/// 申请人提交的材料 / A material that the applicant gave
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Material {
    /// 材料代码 / Code
    code: String,
    /// 文件名;告知承诺为空 / Name of the file; blank for a commitment
    file_name: String,
    /// 文件内容的 SHA-256 / SHA-256 of the file
    sha256: String,
    /// 版本,从 1 起;最后一版有效 / Version, from 1; the last one counts
    version: u32,
    /// 告知承诺的文本版本;提交文件时为空 / Version of the text of a commitment; null for a file
    commitment: Option<String>,
    /// 提交事件的标识,误录时凭此作废;随申请提交的为空 / Id of the event by which it came, by which a mistake is voided; null when it came with the application
    event_id: Option<ID>,
    /// 是否已作为误录作废 / Whether it was voided as a mistake
    voided: bool,
}

/// Returns what the applicant handed in, every version of it, in order.
pub(crate) fn handed_in(case: &Case) -> Vec<Material> {
    case.handed.iter().map(|handed| material(case, handed)).collect()
}

fn material(case: &Case, handed: &Handed) -> Material {
    let later = handed.at > Seq(1);
    Material {
        code: handed.given.code.clone(),
        file_name: handed.given.file_name.clone(),
        sha256: handed.given.digest.hex(),
        version: handed.version,
        commitment: match &handed.given.form {
            Form::File => None,
            Form::Commitment { text_version } => Some(text_version.clone()),
        },
        event_id: later.then(|| write_entry_id(EntryKind::Event, case.id, handed.at)),
        voided: later && case.voided.contains_key(&handed.at),
    }
}

/// 对一个来源的一次尝试 / One try of one source
#[derive(Clone, Debug)]
pub(crate) struct SourceAttempt(Attempt);

/// 对一个来源的一次尝试 / One try of one source
#[Object]
impl SourceAttempt {
    /// 来源,如 license:real-estate-title、data:资源、upload / The source, such as license:real-estate-title, data:…, upload
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// 结果 / What came of it
    async fn cause(&self) -> AttemptCause {
        self.0.cause.into()
    }

    /// 结果名称 / Name of what came of it
    async fn cause_label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        AttemptCause::label(self.0.cause, lang)
    }
}

/// 事项所需材料的满足情况 / How a required material of a matter was met
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct RequiredMaterial {
    /// 材料代码 / Code
    code: String,
    /// 如何满足 / How it was met
    state: MaterialState,
    /// 满足方式代码:result、upload、license、data、commitment、owed、missing、asked。会增加。 / Code of the way: result, upload, license, data, commitment, owed, missing, asked. More will come.
    way: String,
    /// 前置结果或电子证照的编号 / Number of the earlier result or of the license that met it
    result_number: Option<String>,
    /// 申请人所交版本,从 1 起;未交为空 / Version that the applicant gave, from 1; null when none
    version: Option<u32>,
    /// 最近变动时间 / When it last changed
    changed_at: DateTime,
    /// 各来源的尝试及原因;申请人看不到 / The sources that were tried, with causes; not shown to applicants
    attempts: Option<Vec<SourceAttempt>>,
}

/// Returns how the materials of a matter were met; nothing before it is filed.
pub(crate) fn required(view: &CaseView, matter: &Matter) -> Option<Vec<RequiredMaterial>> {
    matter.filed.as_ref()?;
    Some(matter.requirements.iter().map(|known| required_material(view, known)).collect())
}

fn required_material(view: &CaseView, known: &Requirement) -> RequiredMaterial {
    let (state, result_number) = match &known.how {
        Found::ResultOf { number, .. } | Found::License { number, .. } => {
            (MaterialState::Exempted, Some(number.clone()))
        }
        Found::Data { .. } | Found::Committed { .. } => (MaterialState::Exempted, None),
        Found::Asked { .. } => (MaterialState::Checking, None),
        Found::Given { .. } => (MaterialState::Given, None),
        Found::Owed { .. } => (MaterialState::Owed, None),
        Found::Missing => (MaterialState::Missing, None),
    };
    let tried = || known.attempts.iter().map(|(_, tried)| SourceAttempt(tried.clone())).collect();
    RequiredMaterial {
        code: known.code.clone(),
        state,
        way: known.how.code().to_owned(),
        result_number,
        version: view.case().handed(&known.code).map(|handed| handed.version),
        changed_at: known.changed.1.into(),
        attempts: (!view.is_for_applicant()).then(tried),
    }
}
