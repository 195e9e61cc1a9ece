//! Offices, roles, people and stand-ins, as a document says them.
//!
//! An office is named by its department and its place: `natural-resources@420300`. A person is
//! named by the stable subject of the host's identity. Dates are Beijing's; both ends count.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::kind::DocumentKind;
use super::text;
use crate::id::{DepartmentCode, RegionCode, RoleCode};

/// A document of offices, roles, people and stand-ins.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganisationDocument {
    /// Where the schema of this document lies, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Always [`DocumentKind::Organisation`].
    pub kind: DocumentKind,
    /// Which one of its kind, such as a region's code.
    pub code: String,
    /// What the document is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Local divisions without a national code, such as development zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<LocalRegion>,
    /// The directory of offices.
    pub offices: Vec<Office>,
    /// What people may be.
    pub roles: Vec<RoleDefinition>,
    /// Who is what, where, from when to when.
    pub people: Vec<Person>,
    /// Who stands in for whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stand_ins: Vec<StandIn>,
}

/// A division with a local code, such as a development zone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalRegion {
    /// Its code; begins like its parent's, so that the parent covers it.
    pub code: RegionCode,
    /// Its name.
    pub name: String,
    /// The division that it lies in.
    pub parent: RegionCode,
}

/// How an office is named: department and place.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OfficeRef {
    /// The department, as matters name it.
    pub code: DepartmentCode,
    /// The place that it is responsible for.
    pub place: RegionCode,
}

impl OfficeRef {
    /// Names an office.
    pub fn new(code: &str, place: &str) -> Self {
        Self { code: DepartmentCode::new(code), place: RegionCode::new(place) }
    }
}

impl fmt::Display for OfficeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.code, self.place)
    }
}

impl FromStr for OfficeRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('@');
        parts.map(|(code, place)| Self::new(code, place)).ok_or_else(|| {
            format!(
                "机构写作 代码@区划,不是 {text:?} / an office is written code@region, not {text:?}"
            )
        })
    }
}

impl TryFrom<String> for OfficeRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<OfficeRef> for String {
    fn from(office: OfficeRef) -> Self {
        office.to_string()
    }
}

/// An office: one department at one place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Office {
    /// The department, as matters name it.
    pub code: DepartmentCode,
    /// The place that it is responsible for, with everything inside it.
    pub place: RegionCode,
    /// 统一社会信用代码.
    pub credit_code: String,
    /// Its name.
    pub name: String,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// The office above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OfficeRef>,
    /// The hall or centre where it receives people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hall: Option<String>,
    /// The calendar of its opening days; the region's when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Its telephones; never a person's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// Its word in the numbers of its documents (机关代字), such as 十自规.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// Who reviews its decisions (复议机关); told in every decision against an applicant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_body: Option<String>,
    /// The court where its decisions are challenged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub court: Option<String>,
}

impl Office {
    /// Returns how it is named.
    pub fn reference(&self) -> OfficeRef {
        OfficeRef { code: self.code.clone(), place: self.place.clone() }
    }
}

/// What a role lets its holders do.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// 窗口: receive, accept, ask for corrections, hand over.
    Window,
    /// 审批: decide matters of the department.
    Approve,
    /// 负责人: extend, countersign, answer red cards.
    Head,
    /// 人工办理: carry out operations of an office without a system.
    Manual,
    /// 牵头: coordinate a combined service.
    Lead,
    /// 督查: see and raise, change nothing.
    Supervise,
    /// 部门管理: keep the department's people and roles.
    DepartmentAdmin,
    /// 集成: write and publish services.
    Integrate,
    /// 系统管理员.
    SystemAdmin,
    /// 安全管理员.
    SecurityAdmin,
    /// 审计管理员.
    Audit,
}

impl Duty {
    /// Every duty.
    pub const ALL: [Self; 11] = [
        Self::Window,
        Self::Approve,
        Self::Head,
        Self::Manual,
        Self::Lead,
        Self::Supervise,
        Self::DepartmentAdmin,
        Self::Integrate,
        Self::SystemAdmin,
        Self::SecurityAdmin,
        Self::Audit,
    ];

    /// Returns the code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Approve => "approve",
            Self::Head => "head",
            Self::Manual => "manual",
            Self::Lead => "lead",
            Self::Supervise => "supervise",
            Self::DepartmentAdmin => "department_admin",
            Self::Integrate => "integrate",
            Self::SystemAdmin => "system_admin",
            Self::SecurityAdmin => "security_admin",
            Self::Audit => "audit",
        }
    }

    /// Tells whether it is one of the three that are never one person's (三员分立).
    pub const fn is_administrators(self) -> bool {
        match self {
            Self::SystemAdmin | Self::SecurityAdmin | Self::Audit => true,
            Self::Window
            | Self::Approve
            | Self::Head
            | Self::Manual
            | Self::Lead
            | Self::Supervise
            | Self::DepartmentAdmin
            | Self::Integrate => false,
        }
    }
}

/// A role that people may hold.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleDefinition {
    /// `department.role`.
    pub code: RoleCode,
    /// Its name.
    pub name: String,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// What its holders may do.
    pub may: BTreeSet<Duty>,
}

/// Somebody who works in an office.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// The stable subject of the host's identity.
    pub subject: String,
    /// The name that colleagues see.
    pub name: String,
    /// Where he works.
    pub office: OfficeRef,
    /// The roles that he holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
}

/// A role that somebody holds at a place for a time.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hold {
    /// The role.
    pub role: RoleCode,
    /// Where, with everything inside.
    pub region: RegionCode,
    /// First day.
    #[serde(with = "text::plain")]
    pub from: Date,
    /// Last day; open when left out.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

impl Hold {
    /// Tells whether the role is held on `date`.
    pub fn is_valid_on(&self, date: Date) -> bool {
        self.from <= date && self.until.is_none_or(|until| date <= until)
    }

    /// Tells whether the hold is for this role and covers the place on `date`.
    pub fn is_for(&self, role: &RoleCode, region: &RegionCode, date: Date) -> bool {
        self.role == *role && self.is_valid_on(date) && self.region.covers(region)
    }
}

/// Somebody who acts for an absent colleague for a time, with all of the colleague's roles.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StandIn {
    /// Who is absent.
    #[serde(rename = "for")]
    pub absent: String,
    /// Who acts for him.
    pub by: String,
    /// First day.
    #[serde(with = "text::plain")]
    pub from: Date,
    /// Last day.
    #[serde(with = "text::plain")]
    pub until: Date,
    /// Why, as the record shall say it.
    pub reason: String,
}

impl StandIn {
    /// Tells whether it holds on `date`.
    pub fn is_valid_on(&self, date: Date) -> bool {
        self.from <= date && date <= self.until
    }
}
