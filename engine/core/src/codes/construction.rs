//! The handling states 1 to 15 of the national construction approval system.
//!
//! Some of its numbers are states, some are acts: 7 and 10 say that a correction or a special
//! procedure ended, after which the matter is where it was before. 4 is the window's plain
//! refusal, 5 the department's formal one; 2 takes papers back before acceptance, 14 after.

use std::sync::LazyLock;

use super::{Reading, Suspension, When, fitting};

const CSV: &str = include_str!("../../data/codes/construction.csv");

static ROWS: LazyLock<Vec<ConstructionState>> =
    LazyLock::new(|| CSV.lines().skip(1).filter_map(ConstructionState::from_row).collect());

/// What a number of the table names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Names {
    /// Where the matter is.
    State,
    /// What happened alone.
    Act,
}

/// One number of the table with its meaning here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConstructionState {
    /// The number.
    pub code: u8,
    /// Its name in that system.
    pub label: &'static str,
    /// Whether it names a state or an act.
    pub names: Names,
    /// Code of our stage in which the matter then is.
    pub stage: &'static str,
    /// Whether its clocks then stand.
    pub suspension: Suspension,
    /// Codes of our acts that lead there.
    pub acts: Vec<&'static str>,
    /// The circumstance that tells it from another number for the same stage and act.
    pub when: Option<When>,
}

impl ConstructionState {
    fn from_row(line: &'static str) -> Option<Self> {
        let cells: Vec<&str> = line.split(',').collect();
        let [code, label, names, stage, suspension, acts, when] = *cells.as_slice() else {
            return None;
        };
        let names = match names {
            "state" => Names::State,
            _ => Names::Act,
        };
        let suspension = match suspension {
            "suspended" => Suspension::Suspended,
            _ => Suspension::Running,
        };
        let (acts, when) = (acts.split('|').collect(), When::from_code(when));
        Some(Self { code: code.parse().ok()?, label, names, stage, suspension, acts, when })
    }
}

/// Returns the number to report for a matter at `stage`; `None` where the system has none, as
/// for a matter that is only planned, forwarded up or terminated.
pub fn construction_state(stage: &str, suspension: Suspension, when: Option<When>) -> Option<u8> {
    let states = ROWS.iter().filter(|row| row.names == Names::State && row.stage == stage);
    let standing = states.clone().filter(|row| row.suspension == suspension);
    // An ended matter has no clocks left; its stage alone counts.
    fitting(standing, when, |row| row.when)
        .or_else(|| fitting(states, when, |row| row.when))
        .map(|row| row.code)
}

/// Returns the number to report when `act` is done; `None` where the system has none.
pub fn construction_act(act: &str, when: Option<When>) -> Option<u8> {
    let rows = ROWS.iter().filter(|row| row.acts.contains(&act));
    fitting(rows, when, |row| row.when).map(|row| row.code)
}

/// Reads a number that the system sent.
pub fn read_construction(code: &str) -> Reading<&'static ConstructionState> {
    let number = code.trim().parse::<u8>().ok();
    let found = number.and_then(|number| ROWS.iter().find(|row| row.code == number));
    Reading::of(code, found)
}
