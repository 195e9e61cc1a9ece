//! What is worth a second look in a valid identifier, mostly traces of its history.

use std::fmt;

use super::kind::Kind;

/// Something to look at in an identifier that is valid all the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Warning {
    /// The region prefix is in no table; old codes live on in people's numbers.
    UnknownRegion {
        /// The prefix.
        code: String,
    },
    /// The region had this code once.
    FormerRegion {
        /// The code.
        code: String,
        /// Its name then.
        name: String,
        /// The code that took its place.
        now: String,
    },
    /// The inner organisation code does not check; codes of before 2015 often do not.
    OrganisationCheck,
    /// The registering department is none of the known ones.
    UnknownRegistrar {
        /// The first character of the credit code.
        found: char,
    },
    /// A credit code inside it is not valid.
    InnerCreditCode {
        /// Which part, in Chinese and English.
        part: (&'static str, &'static str),
    },
    /// The matter type is not one of GB/T 39046.
    UnknownMatterType {
        /// The two digits.
        code: String,
    },
    /// The exercise level is not one of GB/T 39046.
    UnknownExerciseLevel {
        /// The character.
        code: String,
    },
    /// The code is kept as it stands, since its parts cannot be told.
    Opaque,
    /// The date in it lies after today.
    FutureDate,
    /// It could also be read as something else.
    Ambiguous {
        /// As what.
        also: Kind,
    },
}

impl Warning {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownRegion { .. } => "unknown_region",
            Self::FormerRegion { .. } => "former_region",
            Self::OrganisationCheck => "organisation_check",
            Self::UnknownRegistrar { .. } => "unknown_registrar",
            Self::InnerCreditCode { .. } => "inner_credit_code",
            Self::UnknownMatterType { .. } => "unknown_matter_type",
            Self::UnknownExerciseLevel { .. } => "unknown_exercise_level",
            Self::Opaque => "opaque",
            Self::FutureDate => "future_date",
            Self::Ambiguous { .. } => "ambiguous",
        }
    }

    /// Says it in Chinese.
    pub fn chinese(&self) -> String {
        match self {
            Self::UnknownRegion { code } => {
                format!("区划代码 {code} 不在现行代码表中,可能是已撤并的旧代码")
            }
            Self::FormerRegion { code, name, now } => {
                format!("区划代码 {code}({name})已不再使用,现为 {now}")
            }
            Self::OrganisationCheck => {
                "其中的组织机构代码校验不符,早期登记常见,不影响有效性".into()
            }
            Self::UnknownRegistrar { found } => format!("登记管理部门代码 {found:?} 不在已知范围"),
            Self::InnerCreditCode { part: (zh, _) } => {
                format!("其中的{zh}不是有效的统一社会信用代码")
            }
            Self::UnknownMatterType { code } => format!("事项类型 {code} 不在 GB/T 39046 之列"),
            Self::UnknownExerciseLevel { code } => {
                format!("行使层级 {code} 不在 GB/T 39046 之列")
            }
            Self::Opaque => "无法分解各段,按原样保存".into(),
            Self::FutureDate => "其中的日期晚于今天".into(),
            Self::Ambiguous { also } => {
                format!("也可能是{};可用 --kind {} 指明", also.name(), also.code())
            }
        }
    }

    /// Says it in English.
    pub fn english(&self) -> String {
        match self {
            Self::UnknownRegion { code } => {
                format!("region code {code} is not in the table; it may be one of the past")
            }
            Self::FormerRegion { code, name, now } => {
                format!("region code {code} ({name}) is out of use; it is {now} now")
            }
            Self::OrganisationCheck => {
                "the organisation code inside does not check; common in old records, no fault"
                    .into()
            }
            Self::UnknownRegistrar { found } => {
                format!("registering department {found:?} is not a known one")
            }
            Self::InnerCreditCode { part: (_, en) } => {
                format!("the {en} inside is not a valid credit code")
            }
            Self::UnknownMatterType { code } => {
                format!("matter type {code} is not one of GB/T 39046")
            }
            Self::UnknownExerciseLevel { code } => {
                format!("exercise level {code} is not one of GB/T 39046")
            }
            Self::Opaque => "its parts cannot be told; it is kept as it stands".into(),
            Self::FutureDate => "its date lies after today".into(),
            Self::Ambiguous { also } => {
                format!("it may also be a {}; say so with --kind {}", also.english(), also.code())
            }
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.chinese(), self.english())
    }
}
