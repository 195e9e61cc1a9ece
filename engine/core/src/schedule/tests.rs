//! Cards against the calendar, and against the log: what the engine raised turn by turn is what
//! the log gives again.

mod generated;
mod rules;
pub(crate) mod story;
