//! The kinds of documents that describe an organisation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a document describes; its `kind` member.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// 机构、岗位、人员: offices, roles, people, stand-ins.
    Organisation,
    /// Which connector carries which operation.
    Bindings,
    /// 跨省通办协议: agreements between places.
    Agreements,
    /// 工作日历: holidays and opening days.
    Calendar,
    /// 督办规则: when a reminder, a yellow or a red card is raised.
    CardRules,
}

impl DocumentKind {
    /// Every kind, in the order in which a set is read.
    pub const ALL: [Self; 5] =
        [Self::Organisation, Self::Bindings, Self::Agreements, Self::Calendar, Self::CardRules];

    /// Returns the code, as the `kind` member of a document spells it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Bindings => "bindings",
            Self::Agreements => "agreements",
            Self::Calendar => "calendar",
            Self::CardRules => "card-rules",
        }
    }

    /// Returns the Chinese name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organisation => "机构人员",
            Self::Bindings => "连接器绑定",
            Self::Agreements => "跨省通办协议",
            Self::Calendar => "工作日历",
            Self::CardRules => "督办规则",
        }
    }

    /// Finds a kind by its code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
