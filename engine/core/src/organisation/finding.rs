//! What is wrong with a set of documents: each finding with its document, place and way out.
//!
//! Reading never stops at the first mistake, because whoever prepares a directory of offices
//! wants to hear of all of them at once.

use std::fmt;

use crate::error::ErrorClass;

/// One mistake in one document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The document, as its file or its kind is called.
    pub document: String,
    /// Where in it, as a JSON pointer; empty for the document as a whole.
    pub pointer: String,
    /// What is wrong there.
    pub fault: Fault,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}: {}", self.document, self.pointer, self.fault)
    }
}

/// Everything that is wrong with a set of documents.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        "DOCUMENTS_WRONG"
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

/// A mistake, with what to do about it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file is not JSON.
    #[error(
        "第 {line} 行第 {column} 列不是有效的 JSON,请改正该处 / line {line}, column {column} is not valid JSON, correct it there"
    )]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The `kind` member is missing or names no kind.
    #[error(
        "须写明 kind,可为 organisation、bindings、agreements、calendar、card-rules / give kind, one of organisation, bindings, agreements, calendar, card-rules"
    )]
    NoKind,
    /// The document is of another kind than was said.
    #[error("kind 为 {got},应为 {wanted},请改其一 / kind is {got}, not {wanted}; change either")]
    OtherKind {
        /// What the document says.
        got: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// A member is of the wrong type.
    #[error("类型应为 {expected} / write {expected} here")]
    Type {
        /// The type in JSON's words.
        expected: String,
    },
    /// A member is missing.
    #[error("缺少 {name},请补上 / {name} is missing, add it")]
    Missing {
        /// Its name.
        name: String,
    },
    /// A member that does not exist.
    #[error("没有 {name} 这一项,可写 {known} / there is no member {name}, write one of {known}")]
    Unknown {
        /// Its name.
        name: String,
        /// What may stand there.
        known: String,
    },
    /// A value that is not one of a list.
    #[error("{got} 不在可选值中,可为 {known} / {got} is none of {known}")]
    NotOneOf {
        /// What stands there.
        got: String,
        /// What may stand there.
        known: String,
    },
    /// A text that is not written as it must be.
    #[error("{got:?} 写法不对:{zh} / {got:?} is not written as it must be: {en}")]
    Form {
        /// What stands there.
        got: String,
        /// How to write it, in Chinese.
        zh: String,
        /// How to write it, in English.
        en: String,
    },
    /// Too small or too large, too short or too long, too few or too many.
    #[error("应{zh} / must be {en}")]
    Size {
        /// The bound in Chinese.
        zh: String,
        /// The bound in English.
        en: String,
    },
    /// An item twice in a list that holds each once.
    #[error("与第 {first} 项重复,请删去一项 / repeats item {first}, take one out")]
    Twice {
        /// Where it stood first, from 0.
        first: usize,
    },
    /// The document passes its schema and still cannot be read.
    #[error("无法读取:{0} / cannot be read: {0}")]
    Unreadable(String),
    /// A calendar that its own rules refuse.
    #[error("{zh} / {en}")]
    CalendarRules {
        /// What is wrong, in Chinese.
        zh: String,
        /// What is wrong, in English.
        en: String,
    },
    /// A code that names two things.
    #[error(
        "{code} 已在 {first} 使用,请换一个 / {code} is already used at {first}, choose another"
    )]
    Duplicate {
        /// The code.
        code: String,
        /// Where it stands first.
        first: String,
    },
    /// A region that is neither in the national table nor declared.
    #[error(
        "不认识行政区划代码 {0};开发区等地方代码请写入 regions / region {0} is not known; declare local codes under regions"
    )]
    Region(String),
    /// A local code outside of its parent.
    #[error(
        "地方代码 {code} 不在上级 {parent} 的范围内,请使用上级开头的代码 / local code {code} does not lie in {parent}, let it begin like its parent"
    )]
    LocalRegion {
        /// The code.
        code: String,
        /// Its parent.
        parent: String,
    },
    /// A credit code that is wrong.
    #[error(
        "统一社会信用代码 {code} 不正确:{zh},请核对 / credit code {code} is wrong: {en}; look it up again"
    )]
    CreditCode {
        /// The code.
        code: String,
        /// What is wrong, in Chinese.
        zh: String,
        /// What is wrong, in English.
        en: String,
    },
    /// An office that is not in the directory.
    #[error(
        "没有机构 {0},请在 offices 中登记或改正(写作 代码@区划) / there is no office {0}, add it to offices or correct it (write code@region)"
    )]
    Office(String),
    /// Offices that are each other's parents.
    #[error(
        "机构 {0} 的上级最终又是它自己,请改正 parent / office {0} is above itself, correct parent"
    )]
    OfficeCycle(String),
    /// A calendar that is not there.
    #[error(
        "没有工作日历 {0},请先导入或删去 calendar / there is no calendar {0}, import it first or leave calendar out"
    )]
    Calendar(String),
    /// A role of a department that no office is.
    #[error(
        "岗位 {role} 的部门 {department} 没有机构,请在 offices 中登记 / role {role} names department {department}, which no office is; add one to offices"
    )]
    RoleWithoutOffice {
        /// The role.
        role: String,
        /// Its department.
        department: String,
    },
    /// A role that is not defined.
    #[error(
        "没有岗位 {0},请在 roles 中登记或改正 / there is no role {0}, add it to roles or correct it"
    )]
    Role(String),
    /// A card rule that asks nobody.
    #[error(
        "没有以 .{0} 结尾的岗位,督办无人答复,请改正 to / no role ends with .{0}, so nobody would answer the card; correct to"
    )]
    Addressee(String),
    /// A person that is not in the directory.
    #[error(
        "没有人员 {0},请在 people 中登记或改正 / there is no person {0}, add him to people or correct it"
    )]
    Person(String),
    /// A period that ends before it begins.
    #[error(
        "起始日 {from} 晚于终止日 {until},请对调或改正 / from {from} is after until {until}, correct either"
    )]
    Period {
        /// First day.
        from: String,
        /// Last day.
        until: String,
    },
    /// Somebody stands in for himself.
    #[error("{0} 不能代理自己,请换一人 / {0} cannot stand in for himself, name somebody else")]
    StandInForOneself(String),
    /// Two people stand in for one at the same time.
    #[error(
        "{absent} 在同一时间已由 {first} 代理,请错开期间 / {first} already stands in for {absent} at that time, let the periods follow each other"
    )]
    StandInOverlap {
        /// Who is absent.
        absent: String,
        /// Who stands in already.
        first: String,
    },
    /// People who stand in for each other at the same time.
    #[error(
        "代理关系成环:{0},无人在岗,请改正 / people stand in for each other: {0}; nobody would be there, correct it"
    )]
    StandInCycle(String),
    /// One person with two of the administrators' roles.
    #[error(
        "{subject} 同时担任 {first} 与 {second};系统、安全、审计三员须为不同的人 / {subject} would be {first} and {second}; system, security and audit are never one person"
    )]
    Administrators {
        /// The person.
        subject: String,
        /// One role.
        first: String,
        /// The other.
        second: String,
    },
    /// Two bindings of one operation at one place.
    #[error(
        "{operation}@{region} 已绑定 {first},请只留一个 / {operation}@{region} is already bound to {first}, keep one"
    )]
    Binding {
        /// The operation.
        operation: String,
        /// The region.
        region: String,
        /// The connector of the first.
        first: String,
    },
    /// An agreement of a place with itself.
    #[error("协议双方是同一地方 {0},请改正一方 / both parties are {0}, correct one of them")]
    SameParty(String),
    /// Two agreements of the same places for the same matter at the same time.
    #[error(
        "事项 {matter} 在同一时间已由协议 {first} 约定,请合并或错开期间 / agreement {first} already covers {matter} between the same places at that time, merge both or let them follow each other"
    )]
    AgreementOverlap {
        /// The matter.
        matter: String,
        /// The other agreement.
        first: String,
    },
    /// A party without an implementation code.
    #[error(
        "事项 {matter} 缺少 {region} 的实施编码,请补上 / matter {matter} has no implementation code at {region}, add it"
    )]
    Implementation {
        /// The matter.
        matter: String,
        /// The party's region.
        region: String,
    },
    /// An implementation code of a place that is no party.
    #[error("{0} 不是协议一方,请改正 / {0} is no party to the agreement, correct it")]
    NoParty(String),
}

impl Fault {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "NOT_JSON",
            Self::NoKind => "NO_KIND",
            Self::OtherKind { .. } => "OTHER_KIND",
            Self::Type { .. } => "TYPE",
            Self::Missing { .. } => "MISSING",
            Self::Unknown { .. } => "UNKNOWN_MEMBER",
            Self::NotOneOf { .. } => "NOT_ONE_OF",
            Self::Form { .. } => "FORM",
            Self::Size { .. } => "SIZE",
            Self::Twice { .. } => "TWICE",
            Self::Unreadable(_) => "UNREADABLE",
            Self::CalendarRules { .. } => "CALENDAR_RULES",
            Self::Duplicate { .. } => "DUPLICATE_CODE",
            Self::Region(_) => "UNKNOWN_REGION",
            Self::LocalRegion { .. } => "LOCAL_REGION_OUTSIDE",
            Self::CreditCode { .. } => "CREDIT_CODE",
            Self::Office(_) => "UNKNOWN_OFFICE",
            Self::OfficeCycle(_) => "OFFICE_CYCLE",
            Self::Calendar(_) => "UNKNOWN_CALENDAR",
            Self::RoleWithoutOffice { .. } => "ROLE_WITHOUT_OFFICE",
            Self::Role(_) => "UNKNOWN_ROLE",
            Self::Addressee(_) => "UNKNOWN_ADDRESSEE",
            Self::Person(_) => "UNKNOWN_PERSON",
            Self::Period { .. } => "PERIOD",
            Self::StandInForOneself(_) => "STAND_IN_FOR_ONESELF",
            Self::StandInOverlap { .. } => "STAND_IN_OVERLAP",
            Self::StandInCycle(_) => "STAND_IN_CYCLE",
            Self::Administrators { .. } => "ADMINISTRATORS_JOINED",
            Self::Binding { .. } => "BINDING_CONFLICT",
            Self::SameParty(_) => "SAME_PARTY",
            Self::AgreementOverlap { .. } => "AGREEMENT_OVERLAP",
            Self::Implementation { .. } => "NO_IMPLEMENTATION",
            Self::NoParty(_) => "NO_PARTY",
        }
    }
}
