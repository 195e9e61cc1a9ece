//! People: the viewer himself, and the parties of a case with their data masked.

use async_graphql::{Object, SimpleObject};
use tongban_core::entry;
use tongban_core::id::{DepartmentCode, RegionCode};
use tongban_core::summary::{mask_id, mask_name};
use tongban_core::viewer::Viewer;

use super::code::Role;

/// 当事人,姓名和证件号脱敏 / A party, name and identifier masked
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Party {
    /// 脱敏姓名(名称) / Masked name
    name_masked: String,
    /// 脱敏证件号 / Masked identifier
    id_masked: String,
}

impl Party {
    /// Masks a party.
    pub(crate) fn of(party: &entry::Party) -> Self {
        Self::masked(mask_name(&party.name), &party.id)
    }

    /// Takes a name that is masked already, and masks the identifier.
    pub(crate) fn masked(name_masked: String, id: &str) -> Self {
        Self { name_masked, id_masked: mask_id(id) }
    }
}

/// The viewer, told to himself.
pub(crate) struct ViewerView(pub(crate) Viewer);

/// 当前用户 / Who asks
#[Object(name = "Viewer")]
impl ViewerView {
    /// 身份标识 / Subject of the identity
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// 角色 / Role
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// 可办理的地区代码,上级含下级 / Codes of regions; a region includes those inside it
    async fn regions(&self) -> Vec<&str> {
        self.0.regions.iter().map(RegionCode::as_str).collect()
    }

    /// 所属部门代码 / Codes of departments
    async fn departments(&self) -> Vec<&str> {
        self.0.departments.iter().map(DepartmentCode::as_str).collect()
    }

    /// 申请人本人(本单位)的脱敏证件号 / For an applicant: the masked identifier he files for
    async fn party_masked(&self) -> Option<String> {
        self.0.party.as_deref().map(mask_id)
    }
}
