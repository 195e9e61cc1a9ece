//! Declarations: combined services and their matters, public to every role.

use std::sync::Arc;

use async_graphql::{Object, SimpleObject};
use tongban_core::definition::{self, Closure, MatterDef, Source};
use tongban_core::id::{MatterCode, RegionCode};

use super::clock::Period;
use super::code::{
    AfterKind, DecidesIn, FieldKind, Intake, Lang, MaterialSourceKind, Regime, in_lang,
};
use crate::schema::Asking;

/// A service at its active version.
#[derive(Clone)]
pub(crate) struct CombinedService(Arc<Closure>);

impl CombinedService {
    /// Returns every service that new cases may use.
    pub(crate) fn all(asking: Asking<'_>) -> Vec<Self> {
        asking.engine.services(asking.viewer).into_iter().map(Self).collect()
    }

    /// Finds a service by its code.
    pub(crate) fn find(asking: Asking<'_>, code: &str) -> Option<Self> {
        Self::all(asking).into_iter().find(|service| service.0.service.code.as_str() == code)
    }

    /// Returns the declaration of one of its matters.
    pub(crate) fn matter(&self, code: &MatterCode) -> Option<Matter> {
        self.0.matters.get(code).cloned().map(Matter)
    }
}

/// 一件事:由多个事项组成的服务 / A combined service of several matters
#[Object]
impl CombinedService {
    /// 代码 / Code
    async fn code(&self) -> &str {
        self.0.service.code.as_str()
    }

    /// 版本摘要:办件建立时固定于此 / Digest of the version; a case is pinned to it at its start
    async fn version(&self) -> String {
        self.0.digest.hex()
    }

    /// 名称 / Name
    async fn title(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> &str {
        in_lang(lang, &self.0.service.name, &self.0.service.name_en)
    }

    /// 牵头部门代码 / Code of the leading department
    async fn lead(&self) -> &str {
        self.0.service.lead.as_str()
    }

    /// 服务对象:person、enterprise 或 project / Whom it is for: person, enterprise or project
    async fn target(&self) -> &str {
        &self.0.service.target
    }

    /// 开通地区代码,上级含下级 / Codes of regions where it is offered; a region includes those inside it
    async fn regions(&self) -> Vec<&str> {
        self.0.service.regions.iter().map(RegionCode::as_str).collect()
    }

    /// 承诺总时限 / The promise for the whole
    async fn promise(&self) -> Option<Period> {
        self.0.service.promise.map(Period::declared)
    }

    /// 情形引导问题 / Questions whose answers select the matters
    async fn questions(&self) -> Vec<FormField> {
        self.0.service.questions.iter().map(FormField::from).collect()
    }

    /// 事项及其编排 / The matters and how they join
    async fn matters(&self) -> Vec<ServiceMatter> {
        let joined = |part: &definition::Part| {
            let matter = self.matter(&part.matter)?;
            let after = part.after.iter().map(Predecessor::from).collect();
            Some(ServiceMatter { matter, after, conditional: part.conditional })
        };
        self.0.service.parts.iter().filter_map(joined).collect()
    }
}

/// 事项在一件事中的编排 / A matter's place in a service
#[derive(SimpleObject)]
pub(crate) struct ServiceMatter {
    /// 事项 / The matter
    matter: Matter,
    /// 前置事项 / What comes before
    after: Vec<Predecessor>,
    /// 是否视情形而定 / Whether the answers decide on it
    conditional: bool,
}

/// 前置关系 / An earlier matter and what of it is awaited
#[derive(SimpleObject)]
pub(crate) struct Predecessor {
    /// 前置事项代码 / Code of the earlier matter
    code: String,
    /// 等到何种程度 / What is awaited
    kind: AfterKind,
}

impl From<&(MatterCode, definition::After)> for Predecessor {
    fn from((code, kind): &(MatterCode, definition::After)) -> Self {
        Self { code: code.0.clone(), kind: (*kind).into() }
    }
}

/// The declaration of a matter.
pub(crate) struct Matter(MatterDef);

/// 事项:一个部门的办理职责 / A matter: one department's duty
#[Object]
impl Matter {
    /// 代码 / Code
    async fn code(&self) -> &str {
        self.0.code.as_str()
    }

    /// 名称 / Name
    async fn title(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> &str {
        in_lang(lang, &self.0.name, &self.0.name_en)
    }

    /// 部门代码 / Code of the department
    async fn department(&self) -> &str {
        self.0.department.as_str()
    }

    /// 适用的规则体系 / Body of rules
    async fn regime(&self) -> Regime {
        self.0.regime.into()
    }

    /// 法律依据 / Legal basis
    async fn basis(&self) -> Option<&str> {
        Some(self.0.basis.as_str()).filter(|basis| !basis.is_empty())
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

    /// 表单字段 / Fields of its form
    async fn form(&self) -> Vec<FormField> {
        self.0.form.iter().map(FormField::from).collect()
    }

    /// 所需材料 / Required materials
    async fn materials(&self) -> Vec<MaterialRequirement> {
        self.0.materials.iter().map(MaterialRequirement::from).collect()
    }

    /// 列明的收费;为空表示未列明,并非不收费 / The fees that are declared; none declared does not mean free of charge
    async fn fees(&self) -> Vec<Fee> {
        self.0.fees.iter().map(Fee::from).collect()
    }

    /// 准予后颁发的证照类型 / Type of the license that a grant gives
    async fn gives(&self) -> Option<&str> {
        self.0.gives.as_deref()
    }
}

/// 一项收费 / A fee
#[derive(SimpleObject)]
pub(crate) struct Fee {
    /// 名称 / Name
    name: String,
    /// 金额(元),十进制文本 / Amount in yuan, a decimal as text
    amount: String,
    /// 收费依据 / The rule that fixes it
    basis: String,
}

impl From<&definition::Fee> for Fee {
    fn from(fee: &definition::Fee) -> Self {
        // Money is no binary number, so it goes out as text.
        Self { name: fee.name.clone(), amount: fee.amount.to_string(), basis: fee.basis.clone() }
    }
}

/// 字段的预填来源 / Where a field may be filled from before it is typed
#[derive(SimpleObject)]
pub(crate) struct PrefillSource {
    /// 数据资源;预填前须经持有人授权 / The data resource, which its holder authorises before it is asked
    resource: String,
    /// 按表单的哪个字段查询;为空则按申请人 / Field of the form whose value names the record; null for the applicant's own
    by: Option<String>,
}

/// 表单字段或问题 / A field of a form, or a question
pub(crate) struct FormField(definition::Field);

impl From<&definition::Field> for FormField {
    fn from(field: &definition::Field) -> Self {
        Self(field.clone())
    }
}

/// 表单字段或问题 / A field of a form, or a question
#[Object]
impl FormField {
    /// 数据中的名称 / Name in the data
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// 标签 / Label
    async fn label(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> &str {
        in_lang(lang, &self.0.label, &self.0.label_en)
    }

    /// 类型 / What it takes
    async fn kind(&self) -> FieldKind {
        FieldKind::of(&self.0.kind)
    }

    /// 列表中每个值的类型 / What each value of a list is
    async fn of(&self) -> Option<FieldKind> {
        matches!(self.0.kind, definition::FieldKind::List { .. })
            .then(|| FieldKind::of(single(&self.0.kind)))
    }

    /// 列表的最多项数 / Most values of a list
    async fn max_values(&self) -> Option<u32> {
        match self.0.kind {
            definition::FieldKind::List { max, .. } => Some(max),
            definition::FieldKind::Text { .. }
            | definition::FieldKind::Number { .. }
            | definition::FieldKind::YesNo
            | definition::FieldKind::Date
            | definition::FieldKind::Choice(_) => None,
        }
    }

    /// 是否必填 / Whether it must be filled
    async fn required(&self) -> bool {
        self.0.required
    }

    /// 可由何处预填;为空则须填写 / Where it may be filled from; null where it is typed
    async fn prefill(&self) -> Option<PrefillSource> {
        let source = self.0.source.as_ref()?;
        Some(PrefillSource { resource: source.resource.clone(), by: source.by.clone() })
    }

    /// 文字的最多字符数 / Most characters of a text
    async fn max_length(&self) -> Option<u32> {
        match single(&self.0.kind) {
            definition::FieldKind::Text { max } => Some(*max),
            definition::FieldKind::Number { .. }
            | definition::FieldKind::YesNo
            | definition::FieldKind::Date
            | definition::FieldKind::Choice(_)
            | definition::FieldKind::List { .. } => None,
        }
    }

    /// 单选的选项 / The choices
    async fn choices(&self) -> Option<&[String]> {
        match single(&self.0.kind) {
            definition::FieldKind::Choice(choices) => Some(choices),
            definition::FieldKind::Text { .. }
            | definition::FieldKind::Number { .. }
            | definition::FieldKind::YesNo
            | definition::FieldKind::Date
            | definition::FieldKind::List { .. } => None,
        }
    }
}

/// Returns what one value is: of a list, each of its values.
fn single(kind: &definition::FieldKind) -> &definition::FieldKind {
    match kind {
        definition::FieldKind::List { of, .. } => of,
        definition::FieldKind::Text { .. }
        | definition::FieldKind::Number { .. }
        | definition::FieldKind::YesNo
        | definition::FieldKind::Date
        | definition::FieldKind::Choice(_) => kind,
    }
}

/// 材料要求 / A required material
#[derive(SimpleObject)]
pub(crate) struct MaterialRequirement {
    /// 代码 / Code
    code: String,
    /// 名称 / Name
    name: String,
    /// 来源,按顺序尝试 / Where it may come from, tried in order
    sources: Vec<MaterialSource>,
}

impl From<&definition::MaterialDef> for MaterialRequirement {
    fn from(material: &definition::MaterialDef) -> Self {
        Self {
            code: material.code.clone(),
            name: material.name.clone(),
            sources: material.sources.iter().map(MaterialSource::from).collect(),
        }
    }
}

/// 材料来源 / A source of a material
#[derive(SimpleObject)]
pub(crate) struct MaterialSource {
    /// 类别 / Kind
    kind: MaterialSourceKind,
    /// 事项代码、证照类型或数据资源 / Code of the matter, type of the license, or the data resource
    of: Option<String>,
    /// 可上传的文件类型 / File types that may be uploaded
    file_types: Option<Vec<String>>,
}

impl From<&Source> for MaterialSource {
    fn from(source: &Source) -> Self {
        let (kind, of, file_types) = match source {
            Source::ResultOf(code) => (MaterialSourceKind::ResultOf, Some(code.0.clone()), None),
            Source::License(of) => (MaterialSourceKind::License, Some(of.clone()), None),
            Source::Data(of) => (MaterialSourceKind::Data, Some(of.clone()), None),
            Source::Upload(types) => (MaterialSourceKind::Upload, None, Some(types.clone())),
            Source::Commitment => (MaterialSourceKind::Commitment, None, None),
        };
        Self { kind, of, file_types }
    }
}
