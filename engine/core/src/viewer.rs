//! Who asks. Every call of the engine takes a [`Viewer`]; what it may see is compiled into the
//! prefixes of the index keys that are read, not filtered afterwards.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{DepartmentCode, RegionCode, RoleCode};

/// A role of a person or program.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Files for himself or his enterprise; sees his own cases.
    Applicant,
    /// 窗口人员: receives and accepts in a region.
    WindowClerk,
    /// 审批人: decides for a department.
    Approver,
    /// Writes and publishes services; sees no case.
    Integrator,
    /// 督查: sees everything of a region, changes nothing.
    Supervisor,
    /// 机关负责人: heads an office; approves extensions and revocations.
    OfficeHead,
    /// 系统管理员: keeps the engine running in a region; sees incidents, decides nothing.
    SystemAdmin,
}

impl Role {
    /// Every role with its code.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Applicant, "applicant"),
        (Self::WindowClerk, "window_clerk"),
        (Self::Approver, "approver"),
        (Self::Integrator, "integrator"),
        (Self::Supervisor, "supervisor"),
        (Self::OfficeHead, "office_head"),
        (Self::SystemAdmin, "system_admin"),
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(role, _)| *role == self).map_or("", |(_, code)| code)
    }

    /// Finds a role by its code; hyphens read as underscores.
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.replace('-', "_");
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(role, _)| *role)
    }
}

/// An authenticated person or program, as the host's identity names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Viewer {
    /// Stable subject of the identity.
    pub subject: String,
    /// What it is.
    pub role: Role,
    /// Where it may act; a city's code includes its districts.
    pub regions: BTreeSet<RegionCode>,
    /// For which departments it acts.
    pub departments: BTreeSet<DepartmentCode>,
    /// For an applicant: the identifier of the person or enterprise he files for.
    pub party: Option<String>,
}

impl Viewer {
    /// Builds a viewer without places or departments.
    pub fn new(subject: impl Into<String>, role: Role) -> Self {
        Self {
            subject: subject.into(),
            role,
            regions: BTreeSet::new(),
            departments: BTreeSet::new(),
            party: None,
        }
    }

    /// Adds a region.
    #[must_use]
    pub fn within(mut self, region: &str) -> Self {
        self.regions.insert(RegionCode::new(region));
        self
    }

    /// Adds a department.
    #[must_use]
    pub fn of(mut self, department: &str) -> Self {
        self.departments.insert(DepartmentCode::new(department));
        self
    }

    /// Sets the party an applicant files for.
    #[must_use]
    pub fn for_party(mut self, party: &str) -> Self {
        self.party = Some(party.to_owned());
        self
    }

    /// Tells whether one of the viewer's regions covers `region`.
    pub fn covers(&self, region: &RegionCode) -> bool {
        self.regions.iter().any(|own| own.covers(region))
    }

    /// Tells whether the viewer may see a case of this scope at all.
    pub fn sees(&self, scope: &CaseScope) -> bool {
        match self.role {
            Role::Applicant => self.party.as_ref() == Some(&scope.applicant),
            // Whoever looks after a place looks after what is decided there.
            Role::WindowClerk | Role::Supervisor | Role::SystemAdmin => {
                self.covers(&scope.region) || scope.elsewhere.iter().any(|(_, at)| self.covers(at))
            }
            Role::Approver | Role::OfficeHead => {
                let here = self.covers(&scope.region)
                    && self.departments.iter().any(|own| scope.departments.contains(own));
                let mut elsewhere = scope.elsewhere.iter();
                here || elsewhere.any(|(of, at)| self.departments.contains(of) && self.covers(at))
            }
            Role::Integrator => false,
        }
    }

    /// Tells whether the viewer may take a task for `role` at `region`.
    ///
    /// Whose case it is was asked before: an applicant sees no other.
    pub fn may_take(&self, role: &RoleCode, region: &RegionCode) -> bool {
        if role.is_applicant() {
            let window = self.role == Role::WindowClerk && self.covers(region);
            return window || self.role == Role::Applicant;
        }
        let held = match self.role {
            Role::WindowClerk => role.as_str().ends_with(".window"),
            Role::Approver => !is_reserved(role) && self.departments.contains(&role.department()),
            // The head may do what his officers may.
            Role::OfficeHead => {
                !role.as_str().ends_with(".window") && self.departments.contains(&role.department())
            }
            Role::Applicant | Role::Integrator | Role::Supervisor | Role::SystemAdmin => false,
        };
        held && self.covers(region)
    }
}

/// For whom a task is.
#[derive(Clone, Copy, Debug)]
pub struct Addressee<'a> {
    /// The role.
    pub role: &'a RoleCode,
    /// Where.
    pub region: &'a RegionCode,
    /// Whether it went up to this role from another one.
    pub escalated: bool,
}

/// Tells whether a role is for others than an office's approvers.
fn is_reserved(role: &RoleCode) -> bool {
    let duty = role.as_str().split_once('.').map(|(_, duty)| duty);
    matches!(duty, Some("window" | "head"))
}

/// The part of a case that decides who sees it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CaseScope {
    /// Where it was filed.
    pub region: RegionCode,
    /// Whose it is: identifier of the applicant.
    pub applicant: String,
    /// Departments with a matter in it.
    pub departments: BTreeSet<DepartmentCode>,
    /// Departments of other places with a matter in it.
    pub elsewhere: BTreeSet<(DepartmentCode, RegionCode)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> CaseScope {
        CaseScope {
            region: RegionCode::new("420302"),
            applicant: "91420302MA4DEM010M".to_owned(),
            departments: [DepartmentCode::new("natural-resources")].into(),
            elsewhere: BTreeSet::new(),
        }
    }

    #[test]
    fn nobody_sees_more_than_his_place_and_department() {
        let scope = scope();
        let clerk = Viewer::new("w", Role::WindowClerk);
        assert!(!clerk.sees(&scope));
        assert!(clerk.clone().within("420300").sees(&scope));
        assert!(!clerk.within("420303").sees(&scope));
        let approver = Viewer::new("a", Role::Approver).within("420300");
        assert!(!approver.sees(&scope));
        assert!(approver.clone().of("natural-resources").sees(&scope));
        assert!(!approver.of("fire").sees(&scope));
        let applicant = Viewer::new("p", Role::Applicant);
        assert!(!applicant.sees(&scope));
        assert!(applicant.for_party("91420302MA4DEM010M").sees(&scope));
        assert!(!Viewer::new("i", Role::Integrator).within("420000").sees(&scope));
    }

    #[test]
    fn a_department_elsewhere_sees_a_case_with_its_matter_and_no_other_department_there() {
        let mut scope = scope();
        let there = Viewer::new("a", Role::Approver).within("420303").of("transport");
        assert!(!there.sees(&scope));
        let own = (DepartmentCode::new("transport"), RegionCode::new("420303"));
        scope.elsewhere.insert(own);
        assert!(there.sees(&scope));
        assert!(!Viewer::new("b", Role::Approver).within("420303").of("fire").sees(&scope));
        assert!(!Viewer::new("c", Role::Approver).within("420302").of("transport").sees(&scope));
        assert!(Viewer::new("d", Role::Supervisor).within("420303").sees(&scope));
    }

    #[test]
    fn tasks_go_to_their_role_only() {
        let window = RoleCode::new("housing-construction.window");
        let approver = RoleCode::new("housing-construction.approver");
        let region = RegionCode::new("420302");
        let clerk = Viewer::new("w", Role::WindowClerk).within("420302");
        assert!(clerk.may_take(&window, &region));
        assert!(!clerk.may_take(&approver, &region));
        let officer = Viewer::new("a", Role::Approver).within("420300").of("housing-construction");
        assert!(officer.may_take(&approver, &region));
        assert!(!officer.may_take(&window, &region));
        let head = RoleCode::new("housing-construction.head");
        assert!(!officer.may_take(&head, &region));
        let chief = Viewer::new("h", Role::OfficeHead).within("420300").of("housing-construction");
        assert!(chief.may_take(&head, &region) && chief.may_take(&approver, &region));
        assert!(!chief.may_take(&RoleCode::new("fire.head"), &region));
        assert!(!Viewer::new("s", Role::Supervisor).within("420300").may_take(&window, &region));
    }
}
