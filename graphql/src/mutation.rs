//! Mutations, one file per field group. A resolver reads its input, calls the engine with the
//! viewer, and puts what came of it into a payload. What the domain refuses is in the payload's
//! `errors`; only faults leave it.

mod acts;
mod bulk;
mod came;
mod cases;
mod clock;
mod hands;
mod incidents;
mod outcome;
mod parked;
mod rebind;
mod records;
mod steering;
mod tasks;
mod versions;

pub(crate) use self::acts::ActMutations;
pub(crate) use self::bulk::BulkMutations;
pub(crate) use self::cases::CaseMutations;
pub(crate) use self::clock::ClockMutations;
pub(crate) use self::hands::HandMutations;
pub(crate) use self::incidents::IncidentMutations;
pub(crate) use self::outcome::Tally;
pub(crate) use self::parked::ParkedMutations;
pub(crate) use self::rebind::RebindMutations;
pub(crate) use self::records::RecordMutations;
pub(crate) use self::steering::SteeringMutations;
pub(crate) use self::tasks::TaskMutations;
pub(crate) use self::versions::VersionMutations;
