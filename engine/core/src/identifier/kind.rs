//! The kinds of identifier that are told apart.

/// A kind of identifier.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// 公民身份号码 (GB 11643).
    CitizenId,
    /// 统一社会信用代码 (GB 32100).
    CreditCode,
    /// 行政区划代码 (GB/T 2260).
    RegionCode,
    /// 事项编码: basic, implementation or business code.
    MatterItemCode,
    /// 办件编号, in the engine's own form.
    CaseNo,
    /// 电子证照标识 (GB/T 36904).
    LicenseId,
    /// 投资项目代码.
    ProjectCode,
}

impl Kind {
    /// Every kind with its code, its Chinese and its English name.
    pub const ALL: [(Self, &'static str, &'static str, &'static str); 7] = [
        (Self::CitizenId, "citizen_id", "公民身份号码", "citizen identity number"),
        (Self::CreditCode, "credit_code", "统一社会信用代码", "unified social credit code"),
        (Self::RegionCode, "region_code", "行政区划代码", "region code"),
        (Self::MatterItemCode, "matter_item_code", "事项编码", "matter item code"),
        (Self::CaseNo, "case_no", "办件编号", "case number"),
        (Self::LicenseId, "license_id", "电子证照标识", "electronic licence identifier"),
        (Self::ProjectCode, "project_code", "投资项目代码", "investment project code"),
    ];

    fn row(self) -> (&'static str, &'static str, &'static str) {
        Self::ALL
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or(("", "", ""), |(_, code, zh, en)| (code, zh, en))
    }

    /// Returns the stable code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Returns the English name.
    pub fn english(self) -> &'static str {
        self.row().2
    }

    /// Returns the kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, ..)| *known == code).map(|(kind, ..)| *kind)
    }
}
