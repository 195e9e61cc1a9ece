//! The claims of a token, as the host's identity must lay them out.
//!
//! | claim | needed | what |
//! |---|---|---|
//! | `iss`, `aud`, `sub`, `exp` | always | as RFC 7519 has them |
//! | `nbf` | no | not valid before |
//! | `role` | always | `applicant`, `window_clerk`, `approver`, `integrator` or `supervisor` |
//! | `regions` | clerks, approvers, supervisors | codes after GB/T 2260; a city covers its districts |
//! | `departments` | approvers | codes of departments |
//! | `party` | applicants | citizen number or unified social credit code he files for |
//!
//! A role that is not in the list, or a claim that its role needs and does not have, refuses the
//! token as a whole: nobody gets less than he should because a claim was misspelt.

use serde::{Deserialize, Serialize};
use tongban_core::id::{DepartmentCode, RegionCode};
use tongban_core::viewer::{Role, Viewer};

use super::Unauthenticated;

/// What a token says, before it is believed.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Claims {
    /// Issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<serde_json::Value>,
    /// Stable subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// End, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Begin, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Regions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Departments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<String>,
    /// Identifier of the person or enterprise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
}

impl Claims {
    /// Lays out a viewer as claims.
    pub fn of(viewer: &Viewer) -> Self {
        Self {
            sub: Some(viewer.subject.clone()),
            role: Some(viewer.role.code().to_owned()),
            regions: viewer.regions.iter().map(|region| region.0.clone()).collect(),
            departments: viewer.departments.iter().map(|own| own.0.clone()).collect(),
            party: viewer.party.clone(),
            ..Self::default()
        }
    }

    /// Reads the viewer out of claims whose signature has been checked.
    pub fn into_viewer(self) -> Result<Viewer, Unauthenticated> {
        let subject = self.sub.filter(|sub| !sub.trim().is_empty());
        let subject = subject.ok_or(Unauthenticated::ClaimMissing("sub"))?;
        let role = self.role.ok_or(Unauthenticated::ClaimMissing("role"))?;
        let role = Role::parse(&role).ok_or(Unauthenticated::UnknownRole)?;
        let viewer = Viewer {
            subject,
            role,
            regions: self.regions.into_iter().map(RegionCode::new).collect(),
            departments: self.departments.into_iter().map(DepartmentCode::new).collect(),
            party: self.party.filter(|party| !party.trim().is_empty()),
        };
        complete(viewer)
    }
}

fn complete(viewer: Viewer) -> Result<Viewer, Unauthenticated> {
    let placed = !viewer.regions.is_empty() && viewer.regions.iter().all(is_region);
    let (has, claim) = match viewer.role {
        Role::Applicant => (viewer.party.is_some(), "party"),
        Role::WindowClerk | Role::Supervisor | Role::SystemAdmin => (placed, "regions"),
        Role::Approver | Role::OfficeHead if !placed => (false, "regions"),
        Role::Approver | Role::OfficeHead => (!viewer.departments.is_empty(), "departments"),
        Role::Integrator => (true, ""),
    };
    if has { Ok(viewer) } else { Err(Unauthenticated::ClaimMissing(claim)) }
}

/// An empty code would cover every place; only digits are codes.
fn is_region(region: &RegionCode) -> bool {
    region.0.len() >= 6 && region.0.bytes().all(|byte| byte.is_ascii_digit())
}
