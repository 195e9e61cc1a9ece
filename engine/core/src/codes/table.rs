//! Plain code tables: code, Chinese label, and a stable English key where a program needs one.
//!
//! GB/T 39046-2020 Appendix A, GA/T 2000.156-2016 (certificate types), GB/T 36903-2018 (code
//! types of licence holders), and the elements of implementation lists.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Reading;

const CSV: &str = include_str!("../../data/codes/tables.csv");

static TABLES: LazyLock<BTreeMap<&'static str, Vec<Entry>>> = LazyLock::new(|| {
    let mut tables: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
    for line in CSV.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        if let [table, code, label, key, standard] = *cells.as_slice() {
            tables.entry(table).or_default().push(Entry { code, label, key, standard });
        }
    }
    tables
});

/// One code of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The code, as it is sent.
    pub code: &'static str,
    /// Its name in Chinese.
    pub label: &'static str,
    /// Its stable name for programs; empty for certificate types.
    pub key: &'static str,
    /// The standard that it comes from.
    pub standard: &'static str,
}

/// A code table, by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CodeTable(&'static str);

/// 事项类型.
pub const MATTER_TYPE: CodeTable = CodeTable("matter_type");
/// 行使层级.
pub const EXERCISE_LEVEL: CodeTable = CodeTable("exercise_level");
/// 实施主体性质.
pub const IMPLEMENTER_NATURE: CodeTable = CodeTable("implementer_nature");
/// 服务对象.
pub const SERVICE_TARGET: CodeTable = CodeTable("service_target");
/// 申请渠道.
pub const APPLICATION_CHANNEL: CodeTable = CodeTable("application_channel");
/// 办件类型.
pub const CASE_TYPE: CodeTable = CodeTable("case_type");
/// 特别程序种类.
pub const SPECIAL_PROCEDURE_KIND: CodeTable = CodeTable("special_procedure_kind");
/// 满意度.
pub const SATISFACTION: CodeTable = CodeTable("satisfaction");
/// 环节处理结果; the standard names the values and gives no numbers.
pub const STEP_ACTION: CodeTable = CodeTable("step_action");
/// 环节状态.
pub const STEP_STATE: CodeTable = CodeTable("step_state");
/// 证件类型 (GA/T 2000.156).
pub const CERTIFICATE_TYPE: CodeTable = CodeTable("certificate_type");
/// 持证主体代码类型 (GB/T 36903).
pub const HOLDER_CODE_TYPE: CodeTable = CodeTable("holder_code_type");
/// 材料来源.
pub const MATERIAL_SOURCE: CodeTable = CodeTable("material_source");
/// 材料必要性.
pub const MATERIAL_NECESSITY: CodeTable = CodeTable("material_necessity");
/// 材料形式.
pub const MATERIAL_FORM: CodeTable = CodeTable("material_form");

impl CodeTable {
    /// Every table.
    pub const ALL: [Self; 15] = [
        MATTER_TYPE,
        EXERCISE_LEVEL,
        IMPLEMENTER_NATURE,
        SERVICE_TARGET,
        APPLICATION_CHANNEL,
        CASE_TYPE,
        SPECIAL_PROCEDURE_KIND,
        SATISFACTION,
        STEP_ACTION,
        STEP_STATE,
        CERTIFICATE_TYPE,
        HOLDER_CODE_TYPE,
        MATERIAL_SOURCE,
        MATERIAL_NECESSITY,
        MATERIAL_FORM,
    ];

    /// Returns the table with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.0 == name)
    }

    /// Returns the table's name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// Returns the codes in the order of the standard.
    pub fn entries(self) -> &'static [Entry] {
        TABLES.get(self.0).map_or(&[], Vec::as_slice)
    }

    /// Reads a code.
    pub fn read(self, code: &str) -> Reading<Entry> {
        let found = self.entries().iter().find(|entry| entry.code == code);
        Reading::of(code, found.copied())
    }

    /// Returns the code to send for a key of ours.
    pub fn code_of(self, key: &str) -> Option<&'static str> {
        let mut named = self.entries().iter().filter(|entry| !entry.key.is_empty());
        named.find(|entry| entry.key == key).map(|entry| entry.code)
    }
}

impl Reading<Entry> {
    /// Returns the Chinese label, if the table has the code.
    pub fn label(&self) -> Option<&'static str> {
        match self {
            Self::Known(entry) => Some(entry.label),
            Self::Unknown(_) => None,
        }
    }
}
