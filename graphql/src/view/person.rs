//! People: the viewer himself, and the parties of a case with their data masked.

use async_graphql::{Object, SimpleObject};
use tongban_core::entry;
use tongban_core::id::{DepartmentCode, RegionCode};
use tongban_core::summary::{mask_id, mask_name};
use tongban_core::viewer::Viewer;
use tongban_engine::CaseView;

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

/// 用证或用数授权 / An authorisation to use a license or shared data
#[derive(SimpleObject)]
pub(crate) struct Consent {
    /// 证照类型或数据资源 / Type of the license, or the data resource
    license: String,
    /// 持有人证件号;对工作人员脱敏 / Identifier of the holder; masked for staff
    holder: String,
    /// 用途:事项代码;* 为本办件全部事项 / Purpose: code of the matter, or * for every matter of the case
    purpose: String,
    /// 授权书版本 / Version of the text that he agreed to
    text_version: String,
}

impl Consent {
    /// Returns an authorisation as a viewer may read it.
    pub(crate) fn of(view: &CaseView, consent: &entry::Consent) -> Self {
        let own = view.is_for_applicant();
        Self {
            license: consent.license.clone(),
            holder: if own { consent.holder.clone() } else { mask_id(&consent.holder) },
            purpose: consent.purpose.clone(),
            text_version: consent.text_version.clone(),
        }
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
