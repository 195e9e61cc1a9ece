//! Materials of a case.

use async_graphql::SimpleObject;
use tongban_core::case::Matter;
use tongban_core::material::{Found, MaterialGiven, Requirement};

use super::code::MaterialState;

/// 申请人提交的材料 / A material that the applicant gave
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct Material {
    /// 材料代码 / Code
    code: String,
    /// 文件名 / Name of the file
    file_name: String,
    /// 文件内容的 SHA-256 / SHA-256 of the file
    sha256: String,
}

impl From<&MaterialGiven> for Material {
    fn from(given: &MaterialGiven) -> Self {
        Self {
            code: given.code.clone(),
            file_name: given.file_name.clone(),
            sha256: given.digest.hex(),
        }
    }
}

/// 事项所需材料的满足情况 / How a required material of a matter was met
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct RequiredMaterial {
    /// 材料代码 / Code
    code: String,
    /// 如何满足 / How it was met
    state: MaterialState,
    /// 前置结果的证照或文书编号 / Number of the earlier result that met it
    result_number: Option<String>,
}

/// Returns how the materials of a matter were met; nothing before it is filed.
pub(crate) fn required(matter: &Matter) -> Option<Vec<RequiredMaterial>> {
    matter.filed.as_ref()?;
    Some(matter.requirements.iter().map(RequiredMaterial::from).collect())
}

impl From<&Requirement> for RequiredMaterial {
    fn from(known: &Requirement) -> Self {
        let (state, result_number) = match &known.how {
            Found::ResultOf { number, .. } | Found::License { number, .. } => {
                (MaterialState::Exempted, Some(number.clone()))
            }
            Found::Data { .. } | Found::Committed { .. } => (MaterialState::Exempted, None),
            Found::Asked { .. } => (MaterialState::Checking, None),
            Found::Given { .. } => (MaterialState::Given, None),
            Found::Owed { .. } => (MaterialState::Owed, None),
            Found::Missing => (MaterialState::Missing, None),
        };
        Self { code: known.code.clone(), state, result_number }
    }
}
