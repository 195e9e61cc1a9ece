//! The bodies of rules (regimes) as data: defaults with their basis, and what a matter changes.
//!
//! Licensing law's defaults apply to licences only. Whatever a matter adds of its own (a further
//! ground of suspension, an automatic end after a missed correction) names its own basis.

use serde::{Deserialize, Serialize};

use crate::definition::{Limits, Regime};
use crate::time::{Period, Unit};

const fn working(amount: u32) -> Period {
    Period { amount, unit: Unit::WorkingDays }
}

/// The enumerated grounds of a refusal to accept (行政许可法 §32). Unmet conditions are not
/// among them: they mean accept, then deny with reasons.
pub const NOT_ACCEPT_GROUNDS: [(&str, &str); 3] = [
    ("no_licence_needed", "依法不需要取得行政许可"),
    ("no_competence", "依法不属于本行政机关职权范围"),
    ("outside_list", "不在事项清单内"),
];

/// Grounds on which licensing law stops the clock (行政许可法 §45).
pub const SUSPENSION_GROUNDS: [(&str, &str); 8] = [
    ("hearing", "听证"),
    ("bidding", "招标"),
    ("auction", "拍卖"),
    ("inspection", "检验"),
    ("testing", "检测"),
    ("quarantine", "检疫"),
    ("appraisal", "鉴定"),
    ("expert_review", "专家评审"),
];

/// Ground of the suspension that a correction after acceptance brings, where a matter's own rule
/// lets it stop the clock.
pub const CORRECTION_GROUND: &str = "correction";

/// What a regime brings when a matter says nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegimeDefaults {
    /// The regime.
    pub regime: Regime,
    /// Within which an office must say what is missing.
    pub acceptance: Option<Period>,
    /// Whether silence past that limit is an acceptance.
    pub deemed_acceptance: bool,
    /// The limit by law where the matter names none.
    pub statutory: Option<Period>,
    /// The longest extension.
    pub extension: Option<Period>,
    /// For making and delivering the decision's license.
    pub issuing: Option<Period>,
    /// Whether the grounds of [`SUSPENSION_GROUNDS`] stop its clocks.
    pub special_procedures: bool,
    /// What these rest on.
    pub basis: &'static str,
}

/// The table of regimes.
pub const REGIMES: [RegimeDefaults; 6] = [
    RegimeDefaults {
        regime: Regime::Licence,
        acceptance: Some(working(5)),
        deemed_acceptance: true,
        statutory: Some(working(20)),
        extension: Some(working(10)),
        issuing: Some(working(10)),
        special_procedures: true,
        basis: "行政许可法第三十二条、第四十二至四十五条、第八十二条",
    },
    RegimeDefaults { regime: Regime::Confirmation, acceptance: Some(working(5)), ..PLAIN },
    RegimeDefaults { regime: Regime::Registration, acceptance: Some(working(5)), ..PLAIN },
    RegimeDefaults { regime: Regime::Benefit, acceptance: Some(working(5)), ..PLAIN },
    RegimeDefaults { regime: Regime::PublicService, ..PLAIN },
    RegimeDefaults { regime: Regime::Filing, ..PLAIN },
];

/// What every regime but the licence begins with: no default of licensing law.
const PLAIN: RegimeDefaults = RegimeDefaults {
    regime: Regime::PublicService,
    acceptance: None,
    deemed_acceptance: false,
    statutory: None,
    extension: None,
    issuing: None,
    special_procedures: false,
    basis: "由事项自身依据规定",
};

impl Regime {
    /// Returns what the regime brings.
    pub fn defaults(self) -> &'static RegimeDefaults {
        let found = REGIMES.iter().find(|defaults| defaults.regime == self);
        found.expect("every regime has its row, as a test shows")
    }
}

/// A ground that stops a matter's clocks.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Ground {
    /// Stable code.
    pub code: String,
    /// Name in Chinese.
    pub name: String,
    /// The rule that gives it.
    pub basis: String,
}

/// How a matter handles corrections.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CorrectionRule {
    /// The applicant's period, from service of the notice.
    pub limit: Period,
    /// Rounds before acceptance; the law knows one complete list.
    pub rounds: u8,
    /// Rounds after acceptance.
    pub rounds_after: u8,
    /// Rule by which a correction after acceptance stops the clock; empty when it does not.
    pub stops_clock_by: String,
    /// Rule by which a missed correction ends the matter without an officer; empty when an
    /// officer decides.
    pub ends_by: String,
}

impl Default for CorrectionRule {
    fn default() -> Self {
        Self {
            limit: working(15),
            rounds: 1,
            rounds_after: 1,
            stops_clock_by: String::new(),
            ends_by: String::new(),
        }
    }
}

/// What a matter declares beside its regime and limits.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Procedure {
    /// Another limit for saying what is missing.
    pub acceptance: Option<Period>,
    /// Another limit for making and delivering.
    pub issuing: Option<Period>,
    /// The review of a lower office, where the matter is forwarded up.
    pub first_review: Option<Period>,
    /// Another longest extension.
    pub extension: Option<Period>,
    /// Further grounds that stop the clock, each with its own basis.
    pub suspensions: Vec<Ground>,
    /// How corrections go.
    pub correction: CorrectionRule,
    /// Within which promised materials must come (容缺); five working days when none is named.
    pub tolerance: Option<Period>,
}

/// The rules that one matter follows, fixed when it is filed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// The body of rules.
    pub regime: Regime,
    /// Limits by law and by promise.
    pub limits: Limits,
    /// Within which the office must say what is missing.
    pub acceptance: Option<Period>,
    /// Whether its silence is an acceptance.
    pub deemed_acceptance: bool,
    /// The longest extension.
    pub extension: Option<Period>,
    /// The review before forwarding, where there is one.
    pub first_review: Option<Period>,
    /// For making and delivering the license.
    pub issuing: Option<Period>,
    /// Whether the grounds of licensing law stop the clock.
    pub special_procedures: bool,
    /// Further grounds that stop the clock, by the matter's own rules.
    pub suspensions: Vec<Ground>,
    /// How corrections go.
    pub correction: CorrectionRule,
    /// Within which promised materials must come.
    pub tolerance: Period,
}

impl Rules {
    /// Resolves a matter's rules from its regime's defaults and what it declares.
    pub fn resolve(regime: Regime, limits: Limits, procedure: &Procedure) -> Self {
        let defaults = regime.defaults();
        Self {
            regime,
            limits: Limits { statutory: limits.statutory.or(defaults.statutory), ..limits },
            acceptance: procedure.acceptance.or(defaults.acceptance),
            deemed_acceptance: defaults.deemed_acceptance,
            extension: procedure.extension.or(defaults.extension),
            first_review: procedure.first_review,
            issuing: procedure.issuing.or(defaults.issuing),
            special_procedures: defaults.special_procedures,
            suspensions: procedure.suspensions.clone(),
            correction: procedure.correction.clone(),
            tolerance: procedure.tolerance.unwrap_or(working(5)),
        }
    }

    /// Returns the codes of every ground that stops the clock.
    pub fn grounds(&self) -> impl Iterator<Item = &str> {
        let by_law = SUSPENSION_GROUNDS.iter().filter(|_| self.special_procedures);
        let own = self.suspensions.iter().map(|ground| ground.code.as_str());
        by_law.map(|(code, _)| *code).chain(own)
    }

    /// Returns the rules of a regime alone.
    pub fn of(regime: Regime, limits: Limits) -> Self {
        Self::resolve(regime, limits, &Procedure::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_regime_has_its_row() {
        for (regime, code, _) in Regime::ALL {
            assert_eq!(regime.defaults().regime, regime, "{code}");
        }
    }

    #[test]
    fn licensing_defaults_apply_to_licences_only() {
        for (regime, code, _) in Regime::ALL {
            let rules = Rules::of(regime, Limits::default());
            let licence = regime == Regime::Licence;
            assert_eq!(rules.deemed_acceptance, licence, "{code}");
            assert_eq!(rules.limits.statutory.is_some(), licence, "{code}");
            assert_eq!(rules.extension.is_some(), licence, "{code}");
            assert_eq!(rules.grounds().next().is_some(), licence, "{code}");
        }
    }

    #[test]
    fn a_matter_adds_grounds_with_a_basis_of_its_own() {
        let publicity = Ground {
            code: "publicity".to_owned(),
            name: "公示".to_owned(),
            basis: "本事项实施办法第九条".to_owned(),
        };
        let procedure = Procedure { suspensions: vec![publicity], ..Procedure::default() };
        let rules = Rules::resolve(Regime::Registration, Limits::default(), &procedure);
        assert_eq!(rules.grounds().collect::<Vec<_>>(), ["publicity"]);
    }
}
