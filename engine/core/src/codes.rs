//! Codes of other systems, as data: what they call our states, acts and values, and back.
//!
//! A city's system reports to a national and a provincial one, each with its own numbers for
//! the same things. The tables are CSV files; this module reads them once. Our side is named by
//! the stable codes of stages and acts, so that a table needs nothing of the legal fold.
//!
//! Reading is tolerant: a code that no table has becomes [`Reading::Unknown`] and is kept.
//! Sending is strict: what a table has no code for yields `None`, and a person decides.

mod construction;
mod fields;
mod province;
mod table;
#[cfg(test)]
mod tests;

pub use self::construction::{ConstructionState, construction_act, construction_state};
pub use self::construction::{Names, read_construction};
pub use self::fields::{CaseField, Form, case_fields, compact_time, read_compact_time};
pub use self::province::{
    ProvinceEntry, approval_step, closing_result, limit_unit, preaccept_state, read_approval_step,
    read_closing_result, read_limit_unit, read_preaccept_state,
};
pub use self::table::{
    APPLICATION_CHANNEL, CASE_TYPE, CERTIFICATE_TYPE, CodeTable, EXERCISE_LEVEL, Entry,
    HOLDER_CODE_TYPE, IMPLEMENTER_NATURE, MATERIAL_FORM, MATERIAL_NECESSITY, MATERIAL_SOURCE,
    MATTER_TYPE, SATISFACTION, SERVICE_TARGET, SPECIAL_PROCEDURE_KIND, STEP_ACTION, STEP_STATE,
};

/// What a foreign code means here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading<T> {
    /// The table has it.
    Known(T),
    /// The table does not have it; kept as it came.
    Unknown(String),
}

impl<T> Reading<T> {
    fn of(code: &str, found: Option<T>) -> Self {
        found.map_or_else(|| Self::Unknown(code.to_owned()), Self::Known)
    }

    /// Tells whether the table has the code.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// Returns what the table says, if it has the code.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(meaning) => Some(meaning),
            Self::Unknown(_) => None,
        }
    }
}

/// Whether the clocks of a matter stand: the second axis beside its stage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suspension {
    /// They run, or none is there to run.
    Running,
    /// A special procedure holds them.
    Suspended,
}

/// What a stage or act alone does not tell, where a foreign table distinguishes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum When {
    /// The window acted, on the department's mandate.
    ByWindow,
    /// The matter was not accepted yet.
    BeforeAcceptance,
    /// The licence was made and handed out.
    LicenseMade,
    /// The applicant let a correction's period pass.
    CorrectionTimedOut,
}

impl When {
    /// Every circumstance with its code in the tables.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::ByWindow, "by_window"),
        (Self::BeforeAcceptance, "before_acceptance"),
        (Self::LicenseMade, "license_made"),
        (Self::CorrectionTimedOut, "correction_timed_out"),
    ];

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(when, _)| *when)
    }
}

/// Takes the row that fits best: one for just this circumstance, else the one for any.
fn fitting<'a, T: 'a>(
    mut rows: impl Iterator<Item = &'a T> + Clone,
    when: Option<When>,
    when_of: impl Fn(&T) -> Option<When>,
) -> Option<&'a T> {
    let exact = when.and_then(|_| rows.clone().find(|row| when_of(row) == when));
    exact.or_else(|| rows.find(|row| when_of(row).is_none()))
}
