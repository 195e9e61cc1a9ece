//! What many inputs share: when something really came, what the person had before him, lengths
//! of time, files.

use async_graphql::InputObject;
use tongban_core::command::{Came, Seen};
use tongban_core::digest::Digest;
use tongban_core::limits::PERIOD_AMOUNT_MAX;
use tongban_core::time::Period;

use crate::error::Denied;
use crate::view::{DateTime, PeriodUnit};

/// 实际发生时间,早于登记时填写(纸质收件、停机补录、邮寄),仅限工作人员 / When it really happened, if before it is recorded: on paper, during an outage, by post; only for staff
#[derive(InputObject)]
pub(crate) struct CameInput {
    /// 实际时间;期限由此起算 / The time; limits count from here
    at: DateTime,
    /// 凭证:收件凭证编号、邮戳、停机编号等;不可为空 / What proves it: number of a receipt, a postmark, an outage; never blank
    evidence: String,
}

/// Reads when something came; now when nothing is said.
pub(super) fn read_came(input: Option<CameInput>) -> Came {
    let Some(input) = input else { return Came::default() };
    Came { at: Some(input.at.0), evidence: input.evidence }
}

/// 办理时看到的版本号;已变动则拒绝 / Versions that were seen; refused when one has changed
#[derive(InputObject)]
pub(crate) struct SeenInput {
    /// 事项的 materialsVersion / The matter's materialsVersion
    materials: Option<u32>,
    /// 办件的 formVersion / The case's formVersion
    form: Option<u32>,
}

/// Reads the versions that a person had before him.
pub(super) fn read_seen(input: Option<SeenInput>) -> Seen {
    let Some(input) = input else { return Seen::default() };
    Seen { materials: input.materials, form: input.form }
}

/// 期限长度 / A length of time
#[derive(InputObject)]
pub(crate) struct PeriodInput {
    /// 数量,1 到 10000 / How many, 1 to 10000
    amount: u32,
    /// 单位 / Unit
    unit: PeriodUnit,
}

/// Reads a length of time.
pub(super) fn read_period(path: &str, input: &PeriodInput) -> Result<Period, Denied> {
    if !(1..=PERIOD_AMOUNT_MAX).contains(&input.amount) {
        return Err(Denied::invalid(path, "期限须为 1 到 10000", "a period has 1 to 10000 units"));
    }
    Ok(Period { amount: input.amount, unit: input.unit.into() })
}

/// Reads a length of time that may be left out.
pub(super) fn read_optional_period(
    path: &str,
    input: Option<&PeriodInput>,
) -> Result<Option<Period>, Denied> {
    input.map(|input| read_period(path, input)).transpose()
}

/// Reads the digest of a file.
pub(super) fn read_digest(path: &str, sha256: &str) -> Result<Digest, Denied> {
    Digest::from_hex(sha256).ok_or_else(|| {
        Denied::invalid(path, "sha256 须为 64 位十六进制", "sha256 has 64 hexadecimal digits")
    })
}
