//! Mutations, one file per field group. A resolver reads its input, calls the engine with the
//! viewer, and puts what came of it into a payload. What the domain refuses is in the payload's
//! `errors`; only faults leave it.

mod cases;
mod clock;
mod outcome;
mod tasks;

pub(crate) use self::cases::CaseMutations;
pub(crate) use self::clock::ClockMutations;
pub(crate) use self::outcome::Tally;
pub(crate) use self::tasks::TaskMutations;
