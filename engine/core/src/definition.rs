//! What a service and a matter declare: the plain data that the script host hands over.
//!
//! A declaration is pinned by the closure digest. It is stored nowhere: a case keeps only the
//! digest and, per filed matter, the legal parameters of that day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::entry::CaseStarted;
use crate::id::{DepartmentCode, MatterCode, MatterNo, RegionCode, RoleCode, ServiceCode};
use crate::law::{Procedure, Rules};
use crate::prefill::FieldSource;
use crate::time::Period;

/// A combined service (一件事) with the matters it composes, at one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Closure {
    /// Digest over the sources of service, matters and libraries, and the `api_level`.
    pub digest: Digest,
    /// Level of the host functions that the scripts were written for.
    pub api_level: u32,
    /// The service's declaration.
    pub service: ServiceDef,
    /// The declarations of its matters, by code.
    pub matters: BTreeMap<MatterCode, MatterDef>,
}

impl Closure {
    /// Returns part `no` of the service with its matter's declaration.
    pub fn part(&self, no: MatterNo) -> Option<(&Part, &MatterDef)> {
        let part = self.service.parts.get(usize::from(no.0).checked_sub(1)?)?;
        Some((part, self.matters.get(&part.matter)?))
    }

    /// Returns this closure as one case has it: the parts of a computed set are those that were
    /// computed at its start, whatever its answers became.
    pub fn of_case(self: &Arc<Self>, started: &CaseStarted) -> Arc<Self> {
        self.computed_for(started).map_or_else(|| Arc::clone(self), Arc::new)
    }

    /// As [`Closure::of_case`]; `None` where the matters of the case were listed.
    pub fn computed_for(&self, started: &CaseStarted) -> Option<Self> {
        let computed = started.matters.iter().map(|planned| planned.computed.as_deref().cloned());
        let parts: Vec<Part> = computed.collect::<Option<_>>()?;
        (!parts.is_empty()).then(|| self.with_parts(parts))
    }

    /// Returns this closure with other parts. What a part waits for outside the set passes
    /// through, as a skipped matter does.
    #[must_use]
    pub fn with_parts(&self, mut parts: Vec<Part>) -> Self {
        let codes: BTreeSet<MatterCode> = parts.iter().map(|part| part.matter.clone()).collect();
        for part in &mut parts {
            part.after.retain(|(earlier, _)| codes.contains(earlier));
        }
        let mut resolved = self.clone();
        resolved.service.parts = parts;
        resolved
    }
}

/// The declaration of a combined service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDef {
    /// Stable code.
    pub code: ServiceCode,
    /// Name in Chinese.
    pub name: String,
    /// Name in English; empty when none is given.
    pub name_en: String,
    /// The department that coordinates (牵头部门).
    pub lead: DepartmentCode,
    /// Who or what the service is for: `person`, `enterprise`, `project`.
    pub target: String,
    /// Where it is offered; a city's code offers it in its districts too.
    pub regions: Vec<RegionCode>,
    /// The published promise for the whole.
    pub promise: Option<Period>,
    /// Questions whose answers select matters (情形引导).
    pub questions: Vec<Field>,
    /// The matters, in order; part *n* becomes matter number *n* + 1.
    pub parts: Vec<Part>,
    /// Whether the set of matters is computed from the answers, once, when a case starts. `parts`
    /// then holds each matter that may come, once.
    pub computed: bool,
    /// Whether its script has an `on_partial` that says whom to ask when a matter ends against the
    /// applicant.
    pub on_partial: bool,
}

/// One matter's place in a service.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The matter.
    pub matter: MatterCode,
    /// Matters that come before, and what of them is awaited.
    pub after: Vec<(MatterCode, After)>,
    /// Whether a `when` predicate decides on it.
    pub conditional: bool,
    /// Materials that may come later (容缺): accepted without, promised for then.
    pub tolerates: Vec<String>,
    /// Where it is decided, when not where the case was filed.
    pub place: Option<RegionCode>,
    /// What tells it from others of the same matter in one computed set; empty for the only one.
    pub key: String,
}

impl Part {
    /// Builds a part that waits for nothing, always comes, and is decided where the case is.
    pub fn new(matter: MatterCode) -> Self {
        Self {
            matter,
            after: Vec::new(),
            conditional: false,
            tolerates: Vec::new(),
            place: None,
            key: String::new(),
        }
    }
}

/// What a matter waits for in an earlier one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum After {
    /// Its grant, tolerantly or fully.
    Granted,
    /// Its end, whatever it is.
    Ended,
    /// Its acceptance.
    Accepted,
}

/// The declaration of a matter (事项).
#[derive(Clone, Debug, PartialEq)]
pub struct MatterDef {
    /// Stable code.
    pub code: MatterCode,
    /// Name in Chinese.
    pub name: String,
    /// Name in English; empty when none is given.
    pub name_en: String,
    /// The department with the power to decide.
    pub department: DepartmentCode,
    /// The body of rules for its clocks and acts.
    pub regime: Regime,
    /// Legal basis, as text for notices.
    pub basis: String,
    /// Who accepts it.
    pub intake: Intake,
    /// Where the decision is made.
    pub decides_in: DecidesIn,
    /// The time limits.
    pub limits: Limits,
    /// Fields of its form.
    pub form: Vec<Field>,
    /// Required materials.
    pub materials: Vec<MaterialDef>,
    /// Type of the license that a grant gives.
    pub gives: Option<String>,
    /// What it declares beside regime and limits.
    pub procedure: Procedure,
    /// What the applicant pays.
    pub fees: Vec<Fee>,
    /// Whether its script has an `intake` that advises those who accept.
    pub advises: bool,
}

impl MatterDef {
    /// Resolves the rules that the matter follows.
    pub fn rules(&self) -> Rules {
        Rules::resolve(self.regime, self.limits, &self.procedure)
    }
}

/// A fee of a matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Fee {
    /// Name in Chinese.
    pub name: String,
    /// Amount in yuan.
    pub amount: rust_decimal::Decimal,
    /// The rule that fixes it.
    pub basis: String,
}

/// The body of rules that a matter's clocks and acts follow.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Regime {
    /// 行政许可 (licence).
    Licence,
    /// 行政确认 (confirmation).
    Confirmation,
    /// 登记 (registration).
    Registration,
    /// 给付 (benefit).
    Benefit,
    /// 公共服务 (public service).
    PublicService,
    /// 备案 (filing for the record).
    Filing,
}

impl Regime {
    /// Every regime with its code in scripts and its name.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Licence, "licence", "行政许可"),
        (Self::Confirmation, "confirmation", "行政确认"),
        (Self::Registration, "registration", "登记"),
        (Self::Benefit, "benefit", "行政给付"),
        (Self::PublicService, "public_service", "公共服务"),
        (Self::Filing, "filing", "备案"),
    ];
}

/// Who accepts a matter. Accepting is never adverse, so a complete one may be accepted by the
/// engine; an incomplete one always goes to a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Intake {
    /// A clerk at the window.
    Window,
    /// The engine, when every material is there.
    Auto,
}

/// Where a matter's decision is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum DecidesIn {
    /// By a task of this engine.
    Here,
    /// In the department's own system, which reports acts.
    Connector,
    /// By an office without a system: a person there records what was decided.
    Manual,
}

/// Time limits of a matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// By law (法定办结时限).
    pub statutory: Option<Period>,
    /// The published promise (承诺办结时限); this one is monitored.
    pub promised: Option<Period>,
}

/// A field of a form, or a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name in the form's data.
    pub name: String,
    /// Label in Chinese.
    pub label: String,
    /// Label in English; empty when none is given.
    pub label_en: String,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether it must be filled.
    pub required: bool,
    /// Where its value may come from before the applicant types it.
    pub source: Option<FieldSource>,
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// Text of at most so many characters.
    Text {
        /// Most characters.
        max: u32,
    },
    /// A number within bounds.
    Number {
        /// Every value must be greater.
        above: Option<rust_decimal::Decimal>,
        /// Every value must be at most this.
        at_most: Option<rust_decimal::Decimal>,
    },
    /// Yes or no.
    YesNo,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// One of the listed values.
    Choice(Vec<String>),
    /// Several values of one kind, in order, each once.
    List {
        /// What each is; never a list.
        of: Box<Self>,
        /// Most values.
        max: u32,
    },
}

/// A material that a matter requires, with its sources in order.
#[derive(Clone, Debug, PartialEq)]
pub struct MaterialDef {
    /// Stable code.
    pub code: String,
    /// Name in Chinese.
    pub name: String,
    /// Where it may come from, tried in order.
    pub sources: Vec<Source>,
}

/// Where a material may come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// The result of an earlier matter of the same case.
    ResultOf(MatterCode),
    /// An electronic licence of this type.
    License(String),
    /// A shared data resource.
    Data(String),
    /// A file from the applicant, of one of these types.
    Upload(Vec<String>),
    /// 告知承诺: the applicant's commitment.
    Commitment,
}

impl Source {
    /// Returns the name under which the holder authorises it to be asked; `None` for what is not
    /// asked of anybody else.
    pub fn authorised_as(&self) -> Option<&str> {
        match self {
            Self::License(name) | Self::Data(name) => Some(name),
            Self::ResultOf(_) | Self::Upload(_) | Self::Commitment => None,
        }
    }
}

/// A role that decides or acts in a task, resolved against the matter's place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Candidates {
    /// The role that may take the task.
    pub role: RoleCode,
    /// Where.
    pub region: RegionCode,
}
