//! Codes of a provincial one-window data set: closing results, inner steps, pre-acceptance.
//!
//! The set has no closing result for a matter that was not accepted or was withdrawn: the
//! first is told by the pre-acceptance code, the second by nothing.

use std::sync::LazyLock;

use super::{Reading, When, fitting};

const CSV: &str = include_str!("../../data/codes/province.csv");

const CLOSING_RESULT: &str = "closing_result";
const APPROVAL_STEP: &str = "approval_step";
const PREACCEPT_STATE: &str = "preaccept_state";
const LIMIT_UNIT: &str = "limit_unit";

static ROWS: LazyLock<Vec<ProvinceEntry>> =
    LazyLock::new(|| CSV.lines().skip(1).filter_map(ProvinceEntry::from_row).collect());

/// One code of the data set with its meaning here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProvinceEntry {
    table: &'static str,
    /// The code, as it is sent.
    pub code: &'static str,
    /// Its name in Chinese.
    pub label: &'static str,
    /// Codes of ours that it stands for; empty when it is only ever read.
    pub ours: Vec<&'static str>,
    /// The circumstance that tells it from another code for the same thing.
    pub when: Option<When>,
}

impl ProvinceEntry {
    fn from_row(line: &'static str) -> Option<Self> {
        let cells: Vec<&str> = line.split(',').collect();
        let [table, code, label, ours, when] = *cells.as_slice() else { return None };
        let ours = ours.split('|').filter(|ours| !ours.is_empty()).collect();
        Some(Self { table, code, label, ours, when: When::from_code(when) })
    }
}

fn code_of(table: &str, ours: &str, when: Option<When>) -> Option<&'static str> {
    let rows = ROWS.iter().filter(|row| row.table == table && row.ours.contains(&ours));
    fitting(rows, when, |row| row.when).map(|row| row.code)
}

fn read(table: &str, code: &str) -> Reading<&'static ProvinceEntry> {
    Reading::of(code, ROWS.iter().find(|row| row.table == table && row.code == code))
}

/// Returns the closing result (办结结果) of a matter that ended at `stage`.
pub fn closing_result(stage: &str, when: Option<When>) -> Option<&'static str> {
    code_of(CLOSING_RESULT, stage, when)
}

/// Reads a closing result.
pub fn read_closing_result(code: &str) -> Reading<&'static ProvinceEntry> {
    read(CLOSING_RESULT, code)
}

/// Returns the code of an inner step: `handling`, `review` or `approval`.
pub fn approval_step(step: &str) -> Option<&'static str> {
    code_of(APPROVAL_STEP, step, None)
}

/// Reads the code of an inner step.
pub fn read_approval_step(code: &str) -> Reading<&'static ProvinceEntry> {
    read(APPROVAL_STEP, code)
}

/// Returns the pre-acceptance code (预审结果) for a matter's stage.
pub fn preaccept_state(stage: &str) -> Option<&'static str> {
    code_of(PREACCEPT_STATE, stage, None)
}

/// Reads a pre-acceptance code.
pub fn read_preaccept_state(code: &str) -> Reading<&'static ProvinceEntry> {
    read(PREACCEPT_STATE, code)
}

/// Returns the letter of a limit's unit: `working_days` or `calendar_days`.
pub fn limit_unit(unit: &str) -> Option<&'static str> {
    code_of(LIMIT_UNIT, unit, None)
}

/// Reads the letter of a limit's unit.
pub fn read_limit_unit(code: &str) -> Reading<&'static ProvinceEntry> {
    read(LIMIT_UNIT, code)
}
