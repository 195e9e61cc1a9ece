//! Rules for reminders, yellow and red cards (督办), as data.
//!
//! A rule says which clock it watches, when it speaks and whom it asks for an answer. Nothing
//! here raises a card: rules are read by whoever folds the clocks, outside of scripts, so that a
//! stuck script cannot silence them.

use serde::{Deserialize, Serialize};

use super::kind::DocumentKind;
use super::text;
use crate::id::{MatterCode, RegionCode};
use crate::time::Period;

/// The rules that hold where nobody has imported others.
const SHIPPED: &str = include_str!("../../data/card-rules.json");

/// A document of rules.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CardRulesDocument {
    /// Where the schema of this document lies, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Always [`DocumentKind::CardRules`].
    pub kind: DocumentKind,
    /// Which one of its kind, such as a region's code.
    pub code: String,
    /// What the document is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The rules.
    pub rules: Vec<CardRule>,
}

impl CardRulesDocument {
    /// Returns the rules that ship with the engine.
    pub fn shipped() -> Self {
        serde_json::from_str(SHIPPED).expect("the shipped rules are tested")
    }

    /// Returns the text of the rules that ship with the engine.
    pub fn shipped_text() -> &'static str {
        SHIPPED
    }
}

/// One rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CardRule {
    /// Its name, unique in the document and kept in every card that it raises.
    pub id: String,
    /// How serious it is.
    pub level: CardLevel,
    /// The clock that it watches.
    pub clock: CardClock,
    /// When it speaks.
    pub when: CardCondition,
    /// Who must answer: the last part of a role code, such as `approver` or `head`.
    pub to: String,
    /// How long the answer may take.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub reply_within: Option<Period>,
    /// The rule or notice that it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// The matters that it holds for; every one when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matters: Vec<MatterCode>,
    /// The regions that it holds in, with everything inside them; everywhere when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<RegionCode>,
}

impl CardRule {
    /// Tells whether the rule holds for a matter at a place.
    pub fn applies_to(&self, matter: &MatterCode, region: &RegionCode) -> bool {
        (self.matters.is_empty() || self.matters.contains(matter))
            && (self.regions.is_empty() || self.regions.iter().any(|own| own.covers(region)))
    }
}

/// How serious a card is; the order is that of escalation.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardLevel {
    /// 提醒: in time still.
    Reminder,
    /// 黄牌: a step is late, or the last day has come.
    Yellow,
    /// 红牌: the promised or the statutory limit has passed.
    Red,
}

impl CardLevel {
    /// Every level, in the order of escalation.
    pub const ALL: [Self; 3] = [Self::Reminder, Self::Yellow, Self::Red];

    /// Returns the code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }

    /// Returns the Chinese name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reminder => "提醒",
            Self::Yellow => "黄牌",
            Self::Red => "红牌",
        }
    }
}

/// A clock that a rule watches.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardClock {
    /// 承诺办结时限.
    Promised,
    /// 法定办结时限.
    Statutory,
    /// 受理审查时限: five days to accept or to say what is missing.
    Acceptance,
    /// 补正期限, which is the applicant's.
    Correction,
    /// 制证送达时限: issuing and delivering after the decision.
    Issuing,
    /// 转递时限: sending a collected file on to the home place.
    Forwarding,
    /// A task's own limit.
    Task,
    /// 系统办理期限: what an agency agreed to answer within.
    Connector,
}

impl CardClock {
    /// Every clock.
    pub const ALL: [Self; 8] = [
        Self::Promised,
        Self::Statutory,
        Self::Acceptance,
        Self::Correction,
        Self::Issuing,
        Self::Forwarding,
        Self::Task,
        Self::Connector,
    ];

    /// Returns the code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Promised => "promised",
            Self::Statutory => "statutory",
            Self::Acceptance => "acceptance",
            Self::Correction => "correction",
            Self::Issuing => "issuing",
            Self::Forwarding => "forwarding",
            Self::Task => "task",
            Self::Connector => "connector",
        }
    }

    /// Returns the Chinese name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Promised => "承诺办结时限",
            Self::Statutory => "法定办结时限",
            Self::Acceptance => "受理审查时限",
            Self::Correction => "补正期限",
            Self::Issuing => "制证送达时限",
            Self::Forwarding => "转递时限",
            Self::Task => "待办时限",
            Self::Connector => "系统办理期限",
        }
    }
}

/// When a rule speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ConditionForm", into = "ConditionForm")]
pub enum CardCondition {
    /// At most this much is left: `{ "left": "1 working day" }`.
    Left(Period),
    /// At least this share of the budget is used, 1 to 100: `{ "usedPercent": 80 }`.
    UsedPercent(u8),
    /// The last day has come and nothing is decided: `{ "dueDay": true }`.
    DueDay,
    /// The limit has passed: `{ "passed": true }`.
    Passed,
}

/// How a condition stands in a document: exactly one member.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConditionForm {
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    left: Option<Period>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_percent: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_day: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passed: Option<bool>,
}

impl TryFrom<ConditionForm> for CardCondition {
    type Error = &'static str;

    fn try_from(form: ConditionForm) -> Result<Self, Self::Error> {
        match (form.left, form.used_percent, form.due_day, form.passed) {
            (Some(left), None, None, None) => Ok(Self::Left(left)),
            (None, Some(percent @ 1..=100), None, None) => Ok(Self::UsedPercent(percent)),
            (None, None, Some(true), None) => Ok(Self::DueDay),
            (None, None, None, Some(true)) => Ok(Self::Passed),
            _ => Err(
                "条件须恰为 left、usedPercent(1 至 100)、dueDay: true、passed: true 之一 / a condition is exactly one of left, usedPercent (1 to 100), dueDay: true, passed: true",
            ),
        }
    }
}

impl From<CardCondition> for ConditionForm {
    fn from(condition: CardCondition) -> Self {
        let none = Self::default();
        match condition {
            CardCondition::Left(left) => Self { left: Some(left), ..none },
            CardCondition::UsedPercent(percent) => Self { used_percent: Some(percent), ..none },
            CardCondition::DueDay => Self { due_day: Some(true), ..none },
            CardCondition::Passed => Self { passed: Some(true), ..none },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn condition(form: serde_json::Value) -> Result<CardCondition, serde_json::Error> {
        serde_json::from_value(form)
    }

    #[test]
    fn conditions_read_back_what_they_write() {
        let day = "1 working day".parse().unwrap();
        let table = [
            (json!({"left": "1 working day"}), CardCondition::Left(day)),
            (json!({"usedPercent": 80}), CardCondition::UsedPercent(80)),
            (json!({"dueDay": true}), CardCondition::DueDay),
            (json!({"passed": true}), CardCondition::Passed),
        ];
        for (form, expected) in table {
            assert_eq!(condition(form.clone()).unwrap(), expected);
            assert_eq!(serde_json::to_value(expected).unwrap(), form);
        }
    }

    #[test]
    fn a_condition_is_exactly_one_of_the_four() {
        let table = [
            json!({}),
            json!({"passed": false}),
            json!({"dueDay": true, "passed": true}),
            json!({"usedPercent": 0}),
            json!({"usedPercent": 101}),
            json!({"left": "soon"}),
            json!({"gone": true}),
        ];
        for form in table {
            assert!(condition(form.clone()).is_err(), "{form}");
        }
    }

    #[test]
    fn the_shipped_rules_hold_the_defaults_of_the_supervision() {
        let rules = CardRulesDocument::shipped().rules;
        let has = |level, clock, when| {
            rules.iter().any(|rule| (rule.level, rule.clock, rule.when) == (level, clock, when))
        };
        let day = CardCondition::Left("1 working day".parse().unwrap());
        assert!(has(CardLevel::Reminder, CardClock::Promised, day));
        assert!(has(CardLevel::Reminder, CardClock::Promised, CardCondition::UsedPercent(80)));
        assert!(has(CardLevel::Yellow, CardClock::Promised, CardCondition::DueDay));
        for step in
            [CardClock::Acceptance, CardClock::Issuing, CardClock::Forwarding, CardClock::Connector]
        {
            assert!(has(CardLevel::Yellow, step, CardCondition::Passed), "{step:?}");
        }
        assert!(has(CardLevel::Red, CardClock::Promised, CardCondition::Passed));
        assert!(has(CardLevel::Red, CardClock::Statutory, CardCondition::Passed));
    }

    #[test]
    fn a_rule_holds_for_its_matters_and_regions_only() {
        let mut rule = CardRulesDocument::shipped().rules.remove(0);
        let (matter, district) = (MatterCode::new("a"), RegionCode::new("420302"));
        assert!(rule.applies_to(&matter, &district));
        rule.regions = vec![RegionCode::new("420300")];
        assert!(rule.applies_to(&matter, &district));
        assert!(!rule.applies_to(&matter, &RegionCode::new("411300")));
        rule.matters = vec![MatterCode::new("b")];
        assert!(!rule.applies_to(&matter, &district));
    }

    #[test]
    fn codes_are_what_documents_say() {
        for level in CardLevel::ALL {
            assert_eq!(json!(level), level.code());
        }
        for clock in CardClock::ALL {
            assert_eq!(json!(clock), clock.code());
        }
        for kind in DocumentKind::ALL {
            assert_eq!(json!(kind), kind.code());
            assert_eq!(DocumentKind::parse(kind.code()), Some(kind));
        }
    }
}
