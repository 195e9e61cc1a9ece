//! The guide: what an applicant is told, for his situation. Public to every role.

use async_graphql::{Enum, Object, SimpleObject};
use tongban_core::guide::{self, Words};

use super::Json;
use super::catalogue::{Fee, FormField, MaterialSource};
use super::clock::Period;
use super::code::{AfterKind, DecidesIn, Intake, Lang, Regime, in_lang};

fn said(words: &Words, lang: Option<Lang>) -> String {
    in_lang(lang, &words.zh, &words.en).to_owned()
}

/// A guide as the engine told it.
pub(crate) struct Guide(guide::Guide);

impl From<guide::Guide> for Guide {
    fn from(guide: guide::Guide) -> Self {
        Self(guide)
    }
}

/// 一次告知:某一情形下的全部要求 / The guide: everything that a situation needs
#[Object]
impl Guide {
    /// 服务代码 / Code of the service
    async fn service_code(&self) -> &str {
        self.0.service.as_str()
    }

    /// 服务版本摘要 / Digest of the service's version
    async fn version(&self) -> String {
        self.0.version.hex()
    }

    /// 名称 / Name
    async fn title(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        said(&self.0.name, lang)
    }

    /// 牵头部门代码 / Code of the leading department
    async fn lead(&self) -> &str {
        self.0.lead.as_str()
    }

    /// 情形:问题及答案 / The situation: questions and answers
    async fn situation(&self) -> Vec<GuideAnswer> {
        self.0.situation.iter().cloned().map(GuideAnswer).collect()
    }

    /// 需办理的事项 / The matters that it needs
    async fn matters(&self) -> Vec<GuideMatter> {
        self.0.matters.iter().cloned().map(GuideMatter).collect()
    }

    /// 无需办理的事项 / The matters that it does not need
    async fn skipped(&self) -> Vec<GuideMatterRef> {
        refs(&self.0.skipped)
    }

    /// 材料要求,逐事项 / Required materials, matter by matter
    async fn materials(&self) -> Vec<GuideMaterial> {
        self.0.requirements.iter().cloned().map(GuideMaterial).collect()
    }

    /// 申请人须提交的材料,每份一次 / What the applicant hands in, each once
    async fn bring(&self) -> Vec<GuideBring> {
        self.0.bring.iter().map(GuideBring::from).collect()
    }

    /// 列明的收费合计(元),十进制文本;没有事项列明时为空,并非不收费 / What the declared fees come to in yuan, a decimal as text; null when no matter declares any, which does not mean free of charge
    async fn fee_total(&self) -> Option<String> {
        self.0.fees.map(|sum| sum.to_string())
    }

    /// 一张表单:每个字段只填一次 / The one form: each field once
    async fn form(&self) -> Vec<GuideField> {
        let fields = self.0.form.iter();
        fields
            .map(|asked| GuideField {
                field: FormField::from(&asked.field),
                matters: refs(&asked.matters),
            })
            .collect()
    }

    /// 时限和关键路径 / Time and the critical path
    async fn time(&self) -> GuideTime {
        GuideTime(self.0.time.clone())
    }

    /// 设计减免率 / How much need not be handed in, by design
    async fn exemption(&self) -> GuideExemption {
        let exemption = &self.0.exemption;
        GuideExemption {
            required: exemption.pairs,
            handed_in: exemption.handed_in,
            brought: exemption.brought,
            percent: exemption.percent,
        }
    }

    /// 提示 / Warnings
    async fn warnings(&self) -> Vec<GuideWarning> {
        self.0.warnings.iter().cloned().map(GuideWarning).collect()
    }
}

/// A question with its answer.
pub(crate) struct GuideAnswer(guide::Answered);

/// 问题及答案 / A question and its answer
#[Object]
impl GuideAnswer {
    /// 问题名称 / Name of the question
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// 问题 / The question
    async fn label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        said(&self.0.label, lang)
    }

    /// 答案;未回答时为空 / The answer; null when the question is open
    async fn answer(&self) -> Option<Json> {
        (!self.0.answer.is_blank()).then(|| Json::from(&self.0.answer))
    }

    /// 答案的文字 / The answer in words
    async fn text(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        said(&self.0.words, lang)
    }
}

/// A matter by code and name.
pub(crate) struct GuideMatterRef(guide::MatterRef);

fn refs(matters: &[guide::MatterRef]) -> Vec<GuideMatterRef> {
    matters.iter().cloned().map(GuideMatterRef).collect()
}

/// 事项代码和名称 / A matter by code and name
#[Object]
impl GuideMatterRef {
    /// 代码 / Code
    async fn code(&self) -> &str {
        self.0.code.as_str()
    }

    /// 名称 / Name
    async fn title(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        said(&self.0.name, lang)
    }
}

/// A matter of a situation.
pub(crate) struct GuideMatter(guide::GuidedMatter);

/// 情形中的事项 / A matter of the situation
#[Object]
impl GuideMatter {
    /// 代码 / Code
    async fn code(&self) -> &str {
        self.0.matter.code.as_str()
    }

    /// 名称 / Name
    async fn title(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        said(&self.0.matter.name, lang)
    }

    /// 部门代码 / Code of the department
    async fn department(&self) -> &str {
        self.0.department.as_str()
    }

    /// 适用的规则体系 / Body of rules
    async fn regime(&self) -> Regime {
        self.0.regime.into()
    }

    /// 谁受理 / Who accepts it
    async fn intake(&self) -> Intake {
        self.0.intake.into()
    }

    /// 在哪里作出决定 / Where it is decided
    async fn decides_in(&self) -> DecidesIn {
        self.0.decides_in.into()
    }

    /// 法定办结时限 / Limit of the law
    async fn legal_limit(&self) -> Option<Period> {
        self.0.limits.statutory.map(Period::declared)
    }

    /// 承诺办结时限 / The published promise
    async fn promised_limit(&self) -> Option<Period> {
        self.0.limits.promised.map(Period::declared)
    }

    /// 列明的收费;为空表示未列明,并非不收费 / The fees that are declared; none declared does not mean free of charge
    async fn fees(&self) -> Vec<Fee> {
        self.0.fees.iter().map(Fee::from).collect()
    }

    /// 本情形中的前置事项 / What comes before it in this situation
    async fn after(&self) -> Vec<GuidePredecessor> {
        let after = self.0.after.iter();
        after
            .map(|one| GuidePredecessor {
                matter: GuideMatterRef(one.matter.clone()),
                kind: one.awaits.into(),
            })
            .collect()
    }
}

/// 前置事项 / An earlier matter
#[derive(SimpleObject)]
pub(crate) struct GuidePredecessor {
    /// 前置事项 / The earlier matter
    matter: GuideMatterRef,
    /// 等到何种程度 / What is awaited
    kind: AfterKind,
}

/// 材料由谁提供。枚举会增加。 / Who brings a material. The enum grows.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum GuideSupply {
    /// 申请人提交 / The applicant hands it in
    HandIn,
    /// 前置事项产生(免提交) / The result of an earlier matter
    EarlierMatter,
    /// 调用电子证照(免提交) / Fetched as an electronic licence
    License,
    /// 数据共享(免提交) / Fetched as shared data
    Data,
    /// 告知承诺 / A commitment in its place
    Commitment,
}

impl From<&guide::Supply> for GuideSupply {
    fn from(supply: &guide::Supply) -> Self {
        match supply {
            guide::Supply::HandIn { .. } => Self::HandIn,
            guide::Supply::EarlierMatter { .. } => Self::EarlierMatter,
            guide::Supply::License { .. } => Self::License,
            guide::Supply::Data { .. } => Self::Data,
            guide::Supply::Commitment => Self::Commitment,
        }
    }
}

/// A (material, matter) pair.
pub(crate) struct GuideMaterial(guide::Requirement);

/// 事项所需的一份材料 / A material that a matter requires
#[Object]
impl GuideMaterial {
    /// 材料代码 / Code
    async fn code(&self) -> &str {
        &self.0.material
    }

    /// 材料名称 / Name
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// 需要它的事项 / The matter that requires it
    async fn matter(&self) -> GuideMatterRef {
        GuideMatterRef(self.0.matter.clone())
    }

    /// 由谁提供 / Who brings it
    async fn supply(&self) -> GuideSupply {
        GuideSupply::from(&self.0.supply)
    }

    /// 说明文字 / The same in words
    async fn text(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        said(&self.0.supply_words(), lang)
    }

    /// 来源,按顺序尝试 / Where it may come from, tried in order
    async fn sources(&self) -> Vec<MaterialSource> {
        self.0.sources.iter().map(MaterialSource::from).collect()
    }

    /// 是否可容缺后补 / Whether it may come later
    async fn may_come_later(&self) -> bool {
        self.0.may_come_later
    }
}

/// 申请人须提交的一份材料 / A material that the applicant hands in
#[derive(SimpleObject)]
pub(crate) struct GuideBring {
    /// 材料代码 / Code
    code: String,
    /// 各事项中的名称 / What its matters call it
    names: Vec<String>,
    /// 可上传的文件类型;为空则不限 / File types that are taken; empty when none is prescribed
    file_types: Vec<String>,
    /// 用于哪些事项 / The matters that it serves
    matters: Vec<GuideMatterRef>,
    /// 是否可容缺后补 / Whether it may come later
    may_come_later: bool,
}

impl From<&guide::Bring> for GuideBring {
    fn from(bring: &guide::Bring) -> Self {
        Self {
            code: bring.material.clone(),
            names: bring.names.clone(),
            file_types: bring.types.clone(),
            matters: refs(&bring.matters),
            may_come_later: bring.may_come_later,
        }
    }
}

/// 表单字段及用到它的事项 / A field of the one form and the matters that use it
#[derive(SimpleObject)]
pub(crate) struct GuideField {
    /// 字段 / The field
    field: FormField,
    /// 用到它的事项 / The matters that use it
    matters: Vec<GuideMatterRef>,
}

/// 总承诺与关键路径的比较 / How the promise for the whole compares with the critical path
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "guide::PromiseCheck")]
pub(crate) enum PromiseCheck {
    /// 没有公布总承诺时限 / Nothing is promised for the whole
    NoPromise,
    /// 各事项承诺之和不超过总承诺 / The single promises fit into it
    Fits,
    /// 总承诺短于关键路径 / It holds only when matters end before what each of them promises
    TooShort,
}

/// The time of a situation.
pub(crate) struct GuideTime(guide::TimePlan);

/// 时限和关键路径 / Time and the critical path
#[Object]
impl GuideTime {
    /// 关键路径上的事项,按先后 / The matters on the critical path, in order
    async fn critical_path(&self) -> Vec<GuideStretch> {
        let path = self.0.critical_path.iter();
        path.map(|one| GuideStretch {
            matter: GuideMatterRef(one.matter.clone()),
            limit: one.limit.map(Period::declared),
        })
        .collect()
    }

    /// 关键路径合计,各单位分列 / Sum along it, each unit by itself
    async fn total(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        said(&self.0.total.words(), lang)
    }

    /// 关键路径合计中的工作日 / Working days of that sum
    async fn working_days(&self) -> u32 {
        self.0.total.working_days
    }

    /// 公布的总承诺时限 / The published promise for the whole
    async fn promise(&self) -> Option<Period> {
        self.0.promise.map(Period::declared)
    }

    /// 总承诺与关键路径的比较 / How the promise compares with the path
    async fn check(&self) -> PromiseCheck {
        self.0.check.into()
    }
}

/// 关键路径上的一段 / A stretch of the critical path
#[derive(SimpleObject)]
pub(crate) struct GuideStretch {
    /// 事项 / The matter
    matter: GuideMatterRef,
    /// 计入的时限;为空则无公布时限或只等受理 / The limit that counts; null when none is published or only acceptance is awaited
    limit: Option<Period>,
}

/// 设计减免率:按(材料,事项)计 / How much need not be handed in, in pairs of material and matter
#[derive(SimpleObject)]
pub(crate) struct GuideExemption {
    /// 单独办理各事项所需的材料数 / What the single matters would demand
    required: usize,
    /// 其中须申请人提交的 / What of it the applicant hands in
    handed_in: usize,
    /// 合并后实际提交的份数 / What he really hands in, each once
    brought: usize,
    /// 减免率(%),向下取整;无材料要求时为空 / Rate in percent, rounded down; null when nothing is required
    percent: Option<usize>,
}

/// A warning.
pub(crate) struct GuideWarning(guide::Warning);

/// 提示 / Something that should be known
#[Object]
impl GuideWarning {
    /// 代码 / Stable code
    async fn code(&self) -> &str {
        self.0.code
    }

    /// 内容 / What it is
    async fn message(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> String {
        said(&self.0.words, lang)
    }
}
